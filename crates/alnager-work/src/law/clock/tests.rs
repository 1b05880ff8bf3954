#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// Asks as a person would, `--flag value …` (a value has no spaces), and shows the two times or the complaint.
fn ask(line: &str) -> String {
    let mut asked = ClockQuestion::default();
    let mut flags = Flags {
        actor: Some("tester".to_owned()),
        known: Some("2026-11-23".parse().unwrap()),
        ..Flags::default()
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    for pair in words.chunks(2) {
        let value = pair[1].to_owned();
        match pair[0] {
            "--clock" => asked.clock = value,
            "--start" => asked.start = value,
            "--tz" => asked.zone = value,
            "--holidays" => asked.holidays.push(value),
            "--aware" => asked.aware = Some(value),
            "--fact" => asked.facts.push(value),
            "--known" => flags.known = Some(value.parse().unwrap()),
            other => panic!("no flag {other}"),
        }
    }
    let time = |at: Option<DateTime>| at.map_or("null".to_owned(), |at| at.to_string());
    match clock(&flags, &asked) {
        Ok(ran) => format!("{} {}", time(ran.deadline.strict), time(ran.deadline.legal)),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn check(line: &str, want: &str) {
    let seen = ask(line);
    assert!(seen.contains(want), "{line}\n  shows {seen}");
}

#[test]
fn a_clock_runs_as_a_person_asks_it() {
    let gdpr = "--clock GDPR-33 --tz Europe/Berlin --start";
    let both = "2026-11-23T16:20:00 2026-11-23T17:00:00";
    check(&format!("{gdpr} 2026-11-20T16:20:00 --holidays DE"), both);
    check(&format!("{gdpr} 2026-11-20T16:20"), both);
    check(&format!("{gdpr} 2026-11-20T15:20:00Z"), both);
    check(&format!("{gdpr} 2026-11-20T10:20:00-05:00"), both);
    // The hour shown twice: the first, unless the offset says the second.
    check(
        &format!("{gdpr} 2026-10-25T02:30:00"),
        "2026-10-28T01:30:00 ",
    );
    check(
        &format!("{gdpr} 2026-10-25T02:30:00+01:00"),
        "2026-10-28T02:30:00 ",
    );
    // Codes in small letters, other codes, and places whose holidays no clock counts.
    check(
        &format!("{gdpr} 2026-11-20T16:20 --holidays gb --holidays EL"),
        both,
    );
    check(&format!("{gdpr} 2026-11-20T16:20 --holidays SG"), both);
}

#[test]
fn what_was_known_and_what_the_facts_say_counts() {
    let raise = "--clock NY-RAISE-72 --start 2027-01-05T10:00:00 --tz America/New_York";
    check(raise, "2027-01-08T10:00:00 2027-01-08T10:00:00");
    check(&format!("{raise} --known 2026-01-01"), "null null");
    check(&format!("{raise} --fact places=UK"), "null null");
}

#[test]
fn wrong_words_are_named_with_the_nearest() {
    let rest = "--start 2026-11-20T16:20:00 --tz Europe/Berlin";
    check(&format!("--clock GDPR33 {rest}"), "did you mean `GDPR-33`?");
    check(
        &format!("--clock nonsense {rest}"),
        "there is no clock `nonsense`",
    );
    let gdpr = "--clock GDPR-33 --start 2026-11-20T16:20:00";
    check(
        &format!("{gdpr} --tz Berlin"),
        "did you mean `Europe/Berlin`?",
    );
    check(
        &format!("{gdpr} --tz Europe/Berlni"),
        "did you mean `Europe/Berlin`?",
    );
    let zoned = format!("{gdpr} --tz Europe/Berlin");
    check(
        &format!("{zoned} --holidays D"),
        "there are no holidays `D`",
    );
    check(
        &format!("{zoned} --holidays UK-SCO"),
        "did you mean `UK-SCT`?",
    );
    check(
        &format!("{zoned} --fact credit_instituton=true"),
        "did you mean `credit_institution`?",
    );
    check(
        &format!("{zoned} --fact credit_institution=perhaps"),
        "cannot be answered `perhaps`",
    );
    check(
        &format!("{zoned} --fact credit_institution"),
        "has no value",
    );
    check(
        &format!("{zoned} --fact dora_entity=true --fact dora_entity=false"),
        "given twice",
    );
    check(
        &format!("{zoned} --aware yesterday"),
        "`--aware yesterday` is not a time",
    );
    for start in ["2026-11-20", "20.11.2026", "2026-02-30T10:00:00", "16:20"] {
        let line = format!("--clock GDPR-33 --tz Europe/Berlin --start {start}");
        check(&line, "is not a time; write the local day and hour");
    }
}

#[test]
fn the_list_holds_every_clock_once() {
    let flags = Flags {
        actor: Some("tester".to_owned()),
        ..Flags::default()
    };
    let clocks = list(&flags).expect("a list");
    assert!(clocks.len() >= 40, "{}", clocks.len());
    let mut ids: Vec<&str> = clocks.iter().map(|clock| clock.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), clocks.len());
    let gdpr = clocks.iter().find(|clock| clock.id == "GDPR-33").unwrap();
    assert_eq!(
        (gdpr.regime.as_str(), gdpr.limit.as_str()),
        ("gdpr", "72 hours")
    );
    let sec = clocks.iter().find(|clock| clock.id == "SEC-105").unwrap();
    assert_eq!(sec.limit, "4 working days");
}
