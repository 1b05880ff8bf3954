//! Watchers: every item is raised once, a changed one again, and whatever an item says, its payload stays small and plain.

use super::*;
use crate::signal::{Look, SeenItem, plain};

fn item(text: &str) -> SeenItem {
    let (id, title) = text.split_once(' ').unwrap();
    SeenItem {
        source: "ecfr".to_owned(),
        id: id.to_owned(),
        title: title.to_owned(),
        summary: String::new(),
        stage: String::new(),
        url: "https://example.org/a".to_owned(),
        published: None,
        effective: None,
        cited: Vec::new(),
        packs: vec!["x".to_owned()],
        sha256: format!("hash of {text}"),
    }
}

fn look(to: &str, items: &[&str]) -> Look {
    Look {
        watcher: "w".to_owned(),
        source: "ecfr".to_owned(),
        asked: "a".to_owned(),
        from: "2026-11-01".parse().unwrap(),
        to: to.parse().unwrap(),
        is_whole: true,
        seen: items.iter().map(|text| item(text)).collect(),
    }
}

/// The kinds of the entries that looks enter, in order, with the id of each signal.
fn entered(world: &mut World, looks: Vec<Look>) -> String {
    let decided = world.act("Rita", &Command::Watch(looks)).unwrap();
    let words: Vec<String> = decided
        .iter()
        .map(|one| match &one.event {
            Event::SignalRaised(raised) => format!(
                "{}{}{}",
                raised.signal,
                raised
                    .replaces
                    .as_ref()
                    .map_or(String::new(), |id| format!(" for {id}")),
                raised
                    .changed
                    .iter()
                    .map(|field| format!(" {field}"))
                    .collect::<String>()
            ),
            other => other.kind().to_owned(),
        })
        .collect();
    words.join(", ")
}

fn settle(world: &mut World, signal: &str, reason: &str) -> String {
    let (signal, reason) = (signal.to_owned(), reason.to_owned());
    match world.act("Vera", &Command::SettleSignal { signal, reason }) {
        Ok(_) => "settled".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

fn open(world: &World) -> String {
    let open = world
        .state
        .signals
        .values()
        .filter(|signal| signal.is_open());
    open.map(|signal| signal.raised.signal.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn an_item_is_raised_once() {
    let mut world = World::new();
    let first = entered(&mut world, vec![look("2026-11-23", &["a one", "b two"])]);
    expect!["person.named, S1, S2, watch.looked"].assert_eq(&first);
    assert_eq!(
        entered(&mut world, vec![look("2026-11-23", &["a one", "b two"])]),
        ""
    );
    let next_day = entered(&mut world, vec![look("2026-11-24", &["b two", "c three"])]);
    expect!["S3, watch.looked"].assert_eq(&next_day);
    let quiet = entered(&mut world, vec![look("2026-11-25", &[])]);
    expect!["watch.looked"].assert_eq(&quiet);
}

#[test]
fn an_item_seen_twice_in_one_look_is_raised_once() {
    let mut world = World::new();
    let both = vec![
        look("2026-11-23", &["a one", "a one"]),
        look("2026-11-23", &["a one"]),
    ];
    expect!["person.named, S1, watch.looked"].assert_eq(&entered(&mut world, both));
}

#[test]
fn a_changed_item_is_raised_again_and_replaces_the_earlier_signal() {
    let mut world = World::new();
    entered(&mut world, vec![look("2026-11-23", &["a one"])]);
    expect!["S2 for S1 title, watch.looked"]
        .assert_eq(&entered(&mut world, vec![look("2026-11-24", &["a other"])]));
    assert_eq!(open(&world), "S2");
    expect!["`S1` was replaced by `S2`, a later version of the same item; settle that one"]
        .assert_eq(&settle(&mut world, "S1", "read"));
    // Back to the first wording is a change too.
    expect!["S3 for S2 title, watch.looked"]
        .assert_eq(&entered(&mut world, vec![look("2026-11-24", &["a one"])]));
}

#[test]
fn a_change_behind_the_bound_of_a_field_is_still_a_change() {
    let mut world = World::new();
    let title = format!("a {}", "x".repeat(500));
    entered(
        &mut world,
        vec![look("2026-11-23", &[&format!("{title} 1")])],
    );
    expect!["S2 for S1 details, watch.looked"].assert_eq(&entered(
        &mut world,
        vec![look("2026-11-23", &[&format!("{title} 2")])],
    ));
}

#[test]
fn a_look_that_was_cut_short_raises_signals_and_is_no_look() {
    let mut world = World::new();
    let mut cut = look("2026-11-23", &["a one"]);
    cut.is_whole = false;
    expect!["person.named, S1"].assert_eq(&entered(&mut world, vec![cut]));
    assert!(world.state.looks.is_empty());
}

#[test]
fn a_signal_is_settled_once_by_a_person_who_says_why() {
    let mut world = World::new();
    expect!["the desk has no signal `S1`; no signal was raised yet (`alnager law watch`)"]
        .assert_eq(&settle(&mut world, "S1", "read"));
    entered(&mut world, vec![look("2026-11-23", &["a one"])]);
    expect!["a decision needs its reason; give one with --reason"]
        .assert_eq(&settle(&mut world, "S1", " "));
    expect!["the desk has no signal `S9`; valid are `S1`"].assert_eq(
        &settle(&mut world, "S9", "read").replace("did you mean `S1`?", "valid are `S1`"),
    );
    assert_eq!(settle(&mut world, "S1", "read, nothing to do"), "settled");
    expect!["`S1` is settled already; `alnager law signals --all` says by whom"]
        .assert_eq(&settle(&mut world, "S1", "again"));
    assert_eq!(open(&world), "");
    let settled = world.state.signals["S1"].settled.clone().unwrap();
    assert_eq!(world.state.name(&settled.by), "Vera");
}

#[test]
fn the_largest_signal_fits_and_reads_back() {
    let mut world = World::new();
    let mut hostile = item("a t");
    for text in [
        &mut hostile.title,
        &mut hostile.summary,
        &mut hostile.stage,
        &mut hostile.id,
    ] {
        *text = "\"\\\u{1b}[31m\u{202e}é".repeat(5_000);
    }
    hostile.url = format!("https://example.org/{}", "\\\"".repeat(1_000));
    hostile.cited = vec!["\"".repeat(9_999); 999];
    let mut all = look("2026-11-23", &[]);
    all.seen.push(hostile);
    let decided = world.act("Rita", &Command::Watch(vec![all])).unwrap();
    let raised = decided
        .iter()
        .find(|one| one.event.kind() == "signal.raised")
        .unwrap();
    let payload = raised.event.to_payload().unwrap();
    assert!(payload.len() <= 8_192, "{} bytes", payload.len());
    assert_eq!(
        Event::from_payload("signal.raised", &payload).unwrap(),
        raised.event
    );
    let text = String::from_utf8(payload).unwrap();
    assert!(
        !text
            .chars()
            .any(|letter| letter.is_control() || letter == '\u{202e}')
    );
}

#[test]
fn what_is_printed_is_plain() {
    for (text, bytes_max, want) in [
        ("a\u{1b}[2Jb", 99, "a [2Jb"),
        ("a\r\nb\tc", 99, "a b c"),
        ("law\u{202e}wal", 99, "lawwal"),
        ("zero\u{200b}width", 99, "zerowidth"),
        ("a\u{2028}b", 99, "a b"),
        ("ééééé", 8, "éé…"),
        ("", 9, ""),
    ] {
        assert_eq!(plain(text, bytes_max), want, "{text:?}");
    }
}

#[test]
fn an_address_that_is_none_is_dropped() {
    let mut world = World::new();
    let mut odd = look("2026-11-23", &["a one", "b two", "c three"]);
    odd.seen[0].url = "javascript:alert(1)".to_owned();
    odd.seen[1].url = "https://example.org/a b".to_owned();
    odd.seen[2].url = format!("https://example.org/{}", "a".repeat(999));
    entered(&mut world, vec![odd]);
    assert!(
        world
            .state
            .signals
            .values()
            .all(|signal| signal.raised.item.url.is_empty())
    );
}
