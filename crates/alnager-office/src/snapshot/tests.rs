#![allow(clippy::unwrap_used)]

use alnager_journal::merkle::Hash;
use expect_test::expect;
use serde_json::Value;

use super::*;
use crate::event::Event;
use crate::state::Meta;

/// One entry of each kind there is, so that every map of the state holds something.
const EVERY_KIND: &str = include_str!("every-kind.jsonl");

fn journal() -> Vec<(Event, Meta)> {
    let read = |(index, line): (usize, &str)| {
        let line: Value = serde_json::from_str(line).unwrap();
        let payload = serde_json::to_vec(&line["payload"]).unwrap();
        let event = Event::from_payload(line["kind"].as_str().unwrap(), &payload).unwrap();
        let subjects = serde_json::from_value(line["subjects"].clone()).unwrap();
        let meta = Meta {
            index: index as u64,
            subjects,
            actor: "vera".to_owned(),
        };
        (event, meta)
    };
    EVERY_KIND.lines().enumerate().map(read).collect()
}

fn fold() -> State {
    let mut state = State::default();
    for (event, meta) in journal() {
        state.apply(&event, &meta);
    }
    state
}

/// The state out of the snapshot, with the names its entries give.
pub(crate) fn restored(state: &State, journal: &[(Event, Meta)]) -> State {
    let mut read = State::from_snapshot(&state.to_snapshot()).unwrap();
    let entries: Vec<u64> = read.person_entries.values().flatten().copied().collect();
    for index in entries {
        read.recall(&journal[index as usize].0);
    }
    read
}

#[test]
fn the_form_of_the_state_has_a_number() {
    let bytes = fold().to_snapshot();
    // Another hash under the same number would let an older snapshot pass for one of today: raise STATE_FORMAT.
    expect!["6 c9584fddbb6ac15f616f04c58f29e8268db98045af6406958783fa84df917af0"]
        .assert_eq(&format!("{STATE_FORMAT} {}", Hash::of(&bytes)));
}

#[test]
fn the_state_of_that_test_holds_something_everywhere() {
    let bytes = fold().to_snapshot();
    let text = std::str::from_utf8(&bytes).unwrap();
    let state: Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    let parts = [&state, &state["counsel"], &state["log"]];
    let fields = parts.iter().flat_map(|part| part.as_object().unwrap());
    let empty: Vec<&String> = fields
        .filter(|(_, value)| is_empty(value))
        .map(|(name, _)| name)
        .collect();
    assert!(empty.is_empty(), "{empty:?}");
}

#[test]
fn a_snapshot_and_the_names_in_the_entries_give_the_state_back() {
    let state = fold();
    assert_eq!(restored(&state, &journal()), state);
}

#[test]
fn an_erased_person_is_not_recalled() {
    let mut read = State::from_snapshot(&fold().to_snapshot()).unwrap();
    assert!(read.erased.contains_key("tom") && read.people.is_empty());
    for (event, _) in journal() {
        read.recall(&event);
    }
    let names: Vec<&String> = read.people.values().collect();
    assert_eq!(names, ["Rita", "Vera"]);
}

#[test]
fn every_kind_writes_the_payload_it_was_read_from() {
    for (line, (event, _)) in EVERY_KIND.lines().zip(journal()) {
        let line: Value = serde_json::from_str(line).unwrap();
        let payload: Value = serde_json::from_slice(&event.to_payload().unwrap()).unwrap();
        assert_eq!(payload, line["payload"]);
    }
}

#[test]
fn what_is_no_snapshot_of_today_is_refused() {
    let bytes = fold().to_snapshot();
    let text = String::from_utf8(bytes).unwrap();
    let (_, json) = text.split_once('\n').unwrap();
    let told = |bytes: &str| {
        State::from_snapshot(bytes.as_bytes())
            .unwrap_err()
            .to_string()
    };
    expect!["the snapshot has form 0, and this version reads form 6; fold the journal again"]
        .assert_eq(&told(&format!("0\n{json}")));
    let unreadable = "the snapshot cannot be read; fold the journal again";
    let [bare, empty] = [STATE_FORMAT.to_string(), format!("{STATE_FORMAT}\n")];
    for bytes in ["", &bare, &empty, "one\n{}", &text[..text.len() - 1], json] {
        assert_eq!(told(bytes), unreadable, "{bytes:.20}");
    }
}
