//! `alnager law clock`: the two times, always both keys, and the list.

use serde_json::{Value, json};

use crate::Place;

/// Runs a clock as JSON; the two times and the number of reasons.
fn clock(arguments: &str) -> (Value, Value, usize) {
    let place = Place::new();
    let line = format!("law clock {arguments} --known 2026-11-23 --format json");
    let ran = place.run(&line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(ran.code, 0, "{line}: {}", ran.err);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let answer = answer.as_object().unwrap();
    let mut keys: Vec<&str> = answer.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["legal", "strict", "why"], "{line}");
    let why = answer["why"].as_array().unwrap();
    assert!(why.iter().all(Value::is_string), "{line}");
    (answer["strict"].clone(), answer["legal"].clone(), why.len())
}

#[test]
fn a_clock_answers_with_both_times_or_with_the_reason() {
    let rest = "--start 2026-11-20T16:20:00 --tz Europe/Berlin --holidays DE";
    let (strict, legal, n_why) = clock(&format!("--clock GDPR-33 {rest}"));
    assert_eq!(
        (strict, legal),
        (json!("2026-11-23T16:20:00"), json!("2026-11-23T17:00:00"))
    );
    assert!(n_why > 2);

    let (strict, legal, n_why) = clock(&format!("--clock GDPR-34 {rest}"));
    assert_eq!((strict, legal), (Value::Null, Value::Null));
    assert!(n_why > 0);

    let dora = "--clock DORA-initial-class --start 2026-11-27T22:00:00 --aware 2026-11-27T20:00:00 --tz Europe/Berlin --holidays DE";
    let saturday = json!("2026-11-28T02:00:00");
    let (strict, legal, _) = clock(dora);
    assert_eq!((&strict, legal), (&saturday, json!("2026-11-30T12:00:00")));
    let (strict, legal, _) = clock(&format!("{dora} --fact credit_institution=true"));
    assert_eq!((&strict, &legal), (&saturday, &saturday));
}

#[test]
fn a_person_reads_the_times_and_the_list() {
    let place = Place::new();
    let ran = place.run(&[
        "law",
        "clock",
        "--clock",
        "SEC-105",
        "--start",
        "2026-11-25T15:00:00",
        "--tz",
        "America/New_York",
        "--holidays",
        "US",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .contains("legal   Wednesday 2026-12-02 17:30:00 America/New_York (outer limit)"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("2026-11-26 is Thanksgiving Day"),
        "{}",
        ran.out
    );

    let ran = place.run(&["law", "clock", "--list"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .contains("hipaa  HIPAA-hhs-small: 60 days to HHS Secretary"),
        "{}",
        ran.out
    );
}

#[test]
fn wrong_use_is_code_two_and_names_what_was_meant() {
    let place = Place::new();
    for (line, hint) in [
        (
            "--clock GDPR33 --start 2026-11-20T16:20 --tz Europe/Berlin",
            "`GDPR-33`",
        ),
        (
            "--clock GDPR-33 --start 2026-11-20T16:20 --tz Berlin",
            "`Europe/Berlin`",
        ),
        (
            "--clock GDPR-33 --start 2026-11-20 --tz Europe/Berlin",
            "is not a time",
        ),
        ("--clock GDPR-33 --tz Europe/Berlin", "--start"),
        ("--list --clock GDPR-33", "--list"),
    ] {
        let line = format!("law clock {line}");
        let ran = place.run(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{line}: {}", ran.out);
        assert!(ran.err.contains(hint), "{line}: {}", ran.err);
    }
}
