#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn sample() -> Entry {
    Entry {
        v: 1,
        kind: "evidence.accepted".to_owned(),
        id: "019ab000-0000-7000-8000-000000000001".parse().unwrap(),
        org: "019ab000-0000-7000-8000-0000000000aa".parse().unwrap(),
        actor: "019ab000-0000-7000-8000-0000000000bb".parse().unwrap(),
        subjects: vec![
            Subject {
                id: "019ab000-0000-7000-8000-0000000000c1".parse().unwrap(),
                prev: None,
            },
            Subject {
                id: "019ab000-0000-7000-8000-0000000000c0".parse().unwrap(),
                prev: Some(4),
            },
        ],
        at: "2026-11-23T08:14:00.000000Z".to_owned(),
        command: "019ab000-0000-4000-8000-0000000000dd".parse().unwrap(),
        commit: commit(&[7; 32], b"payload"),
        blobs: vec![Blob {
            name: "report.html".to_owned(),
            commit: commit(&[8; 32], b"<p>"),
            len: 3,
            media: "text/html".to_owned(),
        }],
        refs: vec![2, 4],
    }
}

#[test]
fn the_bytes_are_final() {
    // Printed in docs/formats/journal.md; a change here would make every sealed journal unreadable.
    let bytes = sample().to_bytes().unwrap();
    expect![[r#"{"actor":"019ab000-0000-7000-8000-0000000000bb","at":"2026-11-23T08:14:00.000000Z","blobs":[{"commit":"62b1ed92c1a8c7a955d255248d56f780d4cb880ce176c8bb337a0189bff735dc","len":3,"media":"text/html","name":"report.html"}],"command":"019ab000-0000-4000-8000-0000000000dd","commit":"da69f62bc50db3b318cfc1595618a04a09b5a85aecb7e6a9413c1aeec404e63d","id":"019ab000-0000-7000-8000-000000000001","kind":"evidence.accepted","org":"019ab000-0000-7000-8000-0000000000aa","refs":[2,4],"subjects":[{"id":"019ab000-0000-7000-8000-0000000000c1","prev":null},{"id":"019ab000-0000-7000-8000-0000000000c0","prev":4}],"v":1}"#]]
        .assert_eq(std::str::from_utf8(&bytes).unwrap());
    expect!["e1c33ff0a91c157ab9d7f5296ba5b798705b68f5bff2e625c49f1dba41e3ee4a"]
        .assert_eq(&crate::merkle::leaf_hash(&bytes).to_string());
    expect!["da69f62bc50db3b318cfc1595618a04a09b5a85aecb7e6a9413c1aeec404e63d"]
        .assert_eq(&commit(&[7; 32], b"payload").to_string());
    assert_eq!(Entry::parse(&bytes).unwrap(), sample());

    let page = include_str!("../../../../docs/formats/journal.md");
    assert!(page.contains(std::str::from_utf8(&bytes).unwrap()));
    assert!(page.contains(&crate::merkle::leaf_hash(&bytes).to_string()));
    assert!(page.contains(&commit(&[7; 32], b"payload").to_string()));
}

/// Changes one field of the sample's JSON and expects this complaint from the reader.
#[track_caller]
fn check_refused(pointer: &str, value: Value, complaint: &str) {
    let mut json = serde_json::to_value(sample()).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    let error = Entry::parse(&canonical::to_bytes(&json).unwrap()).unwrap_err();
    assert!(error.to_string().contains(complaint), "{pointer}: {error}");
}

#[test]
fn every_field_keeps_its_rule() {
    let shape = "the JSON is no entry";
    let spelling = "not canonical";
    check_refused("/v", json!(2), "`v`");
    for kind in [
        "",
        "Evidence",
        "evidence.",
        ".x",
        "a b",
        "a-b",
        "1a",
        &"a".repeat(65),
    ] {
        check_refused("/kind", json!(kind), "`kind`");
    }
    for id in [
        "019ab000-0000-4000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
    ] {
        check_refused("/id", json!(id), "`id`");
        check_refused("/org", json!(id), "`org`");
        check_refused("/actor", json!(id), "`actor`");
        check_refused("/subjects/0/id", json!(id), "`subjects`");
    }
    check_refused(
        "/command",
        json!("00000000-0000-0000-0000-000000000000"),
        "`command`",
    );
    check_refused(
        "/id",
        json!("019AB000-0000-7000-8000-000000000001"),
        spelling,
    );
    check_refused("/id", json!("019ab0000000700080000000000000bb"), spelling);
    check_refused("/id", json!("someone@example.org"), shape);
    check_refused(
        "/subjects/0/id",
        json!("019ab000-0000-7000-8000-0000000000c0"),
        "each id once",
    );
    check_refused("/subjects/0/prev", json!(-1), shape);
    check_refused(
        "/subjects/0",
        json!({"id": "019ab000-0000-7000-8000-0000000000c1"}),
        spelling,
    );
    check_refused("/commit", json!("AB".repeat(32)), shape);
    check_refused("/blobs/0/len", json!("3"), shape);
    for name in [
        "",
        "a/b",
        "..",
        ".a",
        "a.",
        "A",
        "a b",
        "ä",
        &"a".repeat(65),
    ] {
        check_refused("/blobs/0/name", json!(name), "`blobs.name`");
    }
    for media in [
        "",
        "text",
        "text/",
        "/html",
        "Text/html",
        "text/html; charset=utf-8",
        "a/b/c",
    ] {
        check_refused("/blobs/0/media", json!(media), "`blobs.media`");
    }
    check_refused("/refs", json!([4, 2]), "`refs`");
    check_refused("/refs", json!([2, 2]), "`refs`");
    check_refused("/refs", json!(null), shape);
    check_refused("", json!([]), shape);
}

#[test]
fn instants_have_one_spelling() {
    for (text, fits) in [
        ("2026-11-23T08:14:00.000000Z", true),
        ("2024-02-29T23:59:59.999999Z", true),
        ("2000-02-29T00:00:00.000000Z", true),
        ("2026-02-29T00:00:00.000000Z", false),
        ("1900-02-29T00:00:00.000000Z", false),
        ("2026-04-31T00:00:00.000000Z", false),
        ("2026-13-01T00:00:00.000000Z", false),
        ("2026-00-01T00:00:00.000000Z", false),
        ("2026-01-00T00:00:00.000000Z", false),
        ("2026-01-01T24:00:00.000000Z", false),
        ("2026-01-01T00:60:00.000000Z", false),
        ("2026-01-01T00:00:60.000000Z", false),
        ("2026-01-01T00:00:00.000Z", false),
        ("2026-01-01T00:00:00.000000+00:00", false),
        ("2026-01-01t00:00:00.000000z", false),
        ("2026-01-01 00:00:00.000000Z", false),
        ("٢026-01-01T00:00:00.00000Z", false),
    ] {
        assert_eq!(is_instant(text), fits, "{text}");
    }
}

#[test]
fn more_than_8_kb_is_refused_both_ways() {
    let mut entry = sample();
    let room = ENTRY_LEN_MAX - entry.to_bytes().unwrap().len();
    // An index of seven digits and its comma take eight bytes.
    entry
        .refs
        .extend((0..room as u64 / 8).map(|n| 1_000_000 + n));
    let bytes = entry.to_bytes().unwrap();
    assert!(bytes.len() <= ENTRY_LEN_MAX && bytes.len() > ENTRY_LEN_MAX - 8);
    Entry::parse(&bytes).unwrap();

    entry.refs.push(2_000_000);
    assert!(matches!(entry.to_bytes(), Err(EntryError::TooLong { .. })));
    let long = canonical::to_bytes(&serde_json::to_value(&entry).unwrap()).unwrap();
    assert!(matches!(
        Entry::parse(&long),
        Err(EntryError::TooLong { .. })
    ));
}

#[test]
fn a_commitment_needs_the_salt_and_every_byte() {
    let committed = commit(&[7; 32], b"payload");
    assert_ne!(committed, commit(&[8; 32], b"payload"));
    assert_ne!(committed, commit(&[7; 32], b"payloae"));
    assert_ne!(committed, commit(&[7; 32], b"payload\0"));
}

proptest! {
    #[test]
    fn a_changed_byte_is_refused_or_read_as_such(at in 0_usize..1000, byte in any::<u8>()) {
        let mut bytes = sample().to_bytes().unwrap();
        let at = at % bytes.len();
        let changed = bytes[at] != byte;
        bytes[at] = byte;
        if let Ok(read) = Entry::parse(&bytes) {
            prop_assert_eq!(read == sample(), !changed);
            prop_assert_eq!(read.to_bytes().unwrap(), bytes);
        }
    }

    /// The fields' own writer and the general one agree, whatever the fields hold: also what the rules refuse.
    #[test]
    fn an_entry_is_written_as_canonical_json_has_it(
        texts in proptest::array::uniform4(".{0,12}"),
        ids in proptest::array::uniform4(any::<u128>()),
        numbers in proptest::collection::vec(0..=INTEGER_MAX + 1, 0..4),
        hash in any::<[u8; 32]>(),
        prev in proptest::option::of(any::<u32>()),
    ) {
        let [kind, at, name, media] = texts;
        let [id, org, actor, command] = ids.map(Uuid::from_u128);
        let commit = Hash(hash);
        let blob = Blob { name, commit, len: numbers.first().copied().unwrap_or(0), media };
        let about = Subject { id: command, prev: prev.map(u64::from) };
        let entry = Entry {
            v: 1, kind, id, org, actor, at, command, commit,
            subjects: vec![about.clone(); numbers.len() / 2],
            blobs: vec![blob; numbers.len() / 2],
            refs: numbers,
        };
        let general = canonical::to_bytes(&serde_json::to_value(&entry).unwrap());
        let written = entry.written().ok();
        prop_assert_eq!(&written, &general.ok());
        if let Some(bytes) = written {
            let texts = [&entry.kind, &entry.at].into_iter().chain(entry.blobs.iter().flat_map(|blob| [&blob.name, &blob.media]));
            let is_plain = texts.flat_map(|text| text.bytes()).all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
            prop_assert_eq!(read::spelled(&bytes), is_plain.then_some(entry));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Entry::parse(&bytes).is_err());
    }
}
