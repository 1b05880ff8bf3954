//! What a change of law does to the systems: differences, impact, tasks, calendar, many systems.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Place, copy, examples};

/// June and November of 2026: before and after Regulation (EU) 2026/1744.
const JUNE_TO_NOVEMBER: [&str; 6] = [
    "law",
    "impact",
    "2026-06-30",
    "2026-11-23",
    "--at",
    "2026-11-23",
];

/// A desk with one system: the example turned into one that screens applications for jobs.
fn with_cv_screening() -> Place {
    let place = Place::with("credit");
    place.edit(
        r#"value = ["credit_scoring"]"#,
        r#"value = ["recruitment"]"#,
    );
    place.edit(r#"id = "credit""#, r#"id = "cv-screening""#);
    place.review(&[]);
    place
}

#[track_caller]
fn json(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn refused(place: &Place, arguments: &[&str], word: &str) {
    let ran = place.run(arguments);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(word), "{}", ran.err);
}

/// The change of a requirement for the first system.
fn change<'v>(impact: &'v Value, id: &str) -> &'v Value {
    let changes = impact["systems"][0]["changes"].as_array().unwrap();
    let found = changes.iter().find(|change| change["id"] == id);
    found.unwrap_or(&Value::Null)
}

/// A copy of the AI Act's pack as `draft/eu-ai-act`, with text added in front of a line of it.
fn draft(place: &Place, before: &str, added: &str) {
    copy(
        &examples().join("../packs/law/eu-ai-act"),
        &place.path("draft/eu-ai-act"),
    );
    let text = place.read("draft/eu-ai-act/pack.toml");
    assert!(text.contains(before), "`{before}` is not in the pack");
    let text = text.replacen(before, &format!("{added}{before}"), 1);
    place.write("draft/eu-ai-act/pack.toml", text);
}

/// Moves Annex III by another year, known from 2026-11-01 on; made up.
fn delayed(place: &Place) {
    let row =
        "[[applies.hr_annex3]]\nfrom = 2028-12-02\nknown = 2026-11-01\ncite = \"made up\"\n\n";
    draft(place, "[[applies.hr_annex1]]", row);
}

#[test]
fn the_amendment_of_2026_moves_the_duties_of_a_cv_screening_system() {
    let place = with_cv_screening();
    let found = json(&place, &JUNE_TO_NOVEMBER);
    assert_eq!(
        found["dates"],
        json!({ "today": "2026-11-23", "next": "2027-12-02", "horizon": "2028-11-23" })
    );
    // Article 113(c)(i) as amended: Annex III from 2 December 2027; before, Article 113, second paragraph: from 2 August 2026.
    let moved = change(&found, "EUAIA-9");
    assert_eq!(
        (&moved["kind"], &moved["from"], &moved["to"]),
        (&json!("moved"), &json!("2026-08-02"), &json!("2027-12-02"))
    );
    assert_eq!(
        moved["on"],
        json!(["2026-11-23", "2027-12-02", "2028-11-23"])
    );
    assert!(!moved["evidence_missing"].as_array().unwrap().is_empty());
    // Article 4 was replaced: the old wording has ended, the new one binds.
    assert_eq!(change(&found, "EUAIA-4-2024")["kind"], "lost");
    assert_eq!(change(&found, "EUAIA-4")["kind"], "gained");
    // The clock for incidents waits with them: nothing it reports can exist before.
    let clock = change(&found, "EU-73-general");
    assert_eq!(
        (&clock["kind"], &clock["on"]),
        (&json!("clock_changed"), &json!(["2026-11-23"]))
    );
    // Article 5 as it stood is untouched.
    assert_eq!(*change(&found, "EUAIA-5-1-c"), Value::Null);
    assert_eq!(found["totals"]["changed"], 1);
    assert_eq!(found["totals"]["by_requirement"]["EUAIA-9"]["moved"], 1);
    let moved = found["totals"]["by_pack"]["eu-ai-act"]["moved"].as_u64();
    assert!(moved.unwrap() > 20, "{moved:?}");
    // The same day of knowledge twice changes nothing.
    let same = json(&place, &["law", "impact", "2026-11-23", "2026-11-23"]);
    assert_eq!(same["totals"]["changed"], 0);
}

#[test]
fn every_change_becomes_a_task_once() {
    let place = with_cv_screening();
    let run = [
        &JUNE_TO_NOVEMBER[..],
        &["--open-tasks", "--as", "Vera Novak"],
    ]
    .concat();
    let first = json(&place, &run);
    let n_opened = first["tasks"]["opened"].as_array().unwrap().len();
    let n_changes = first["systems"][0]["changes"].as_array().unwrap().len();
    assert_eq!(n_opened, n_changes);
    let tasks = json(&place, &["task", "list"]);
    let tasks = tasks["tasks"].as_array().unwrap();
    let task = |id: &str| {
        let found = tasks.iter().find(|task| task["requirement"] == id);
        found.unwrap_or_else(|| panic!("no task for {id}"))
    };
    // The engineer the declaration names, thirty days before the duty begins; today where that has passed.
    let due = |task: &Value, day: &str| {
        let on = task["opened_on"].as_str().unwrap();
        assert_eq!(task["due"], on.max(day), "{task}");
    };
    let logs = task("EUAIA-12");
    assert_eq!(
        (&logs["owner"], &logs["system"]),
        (&json!("Tomas Beran"), &json!("cv-screening"))
    );
    due(logs, "2027-11-02");
    due(task("EUAIA-4"), "2026-06-27");
    // Again, and again after one is done: nothing more is opened.
    let ran = place.run(&[
        "task",
        "done",
        "T1",
        "--note",
        "kept the training",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let again = json(&place, &run);
    assert_eq!(again["tasks"], json!({ "opened": [], "known": n_opened }));
    let ran = place.run(&["desk", "verify"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_draft_is_compared_in_words_and_in_what_it_does() {
    let place = with_cv_screening();
    delayed(&place);
    let shipped = examples().join("../packs/law/eu-ai-act");
    let shipped = shipped.to_str().unwrap();
    let found = json(&place, &["law", "diff", shipped, "draft/eu-ai-act"]);
    let operations = found["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1, "{operations:?}");
    let operation = &operations[0];
    assert_eq!(
        (&operation["label"], &operation["kind"]),
        (&json!("hr_annex3"), &json!("date_shifted"))
    );
    for side in ["before_sha256", "after_sha256"] {
        assert_eq!(operation[side].as_str().unwrap().len(), 64);
    }
    let same = json(&place, &["law", "diff", shipped, shipped]);
    assert_eq!(same["operations"], json!([]));
    let arguments = [
        "law",
        "impact",
        "shipped",
        "draft/eu-ai-act",
        "--at",
        "2026-11-23",
        "--known",
        "2026-11-23",
    ];
    let found = json(&place, &arguments);
    let moved = change(&found, "EUAIA-9");
    assert_eq!(
        (&moved["kind"], &moved["from"], &moved["to"]),
        (&json!("moved"), &json!("2027-12-02"), &json!("2028-12-02"))
    );
    // A change that nobody knew of yet is none.
    let arguments = [
        "law",
        "impact",
        "desk",
        "draft/eu-ai-act",
        "--at",
        "2026-10-20",
        "--known",
        "2026-10-20",
    ];
    assert_eq!(json(&place, &arguments)["totals"]["changed"], 0);
}

#[test]
fn every_kind_of_change_is_seen() {
    let place = with_cv_screening();
    let nine = "when = \"eu_hr && 'provider' in roles\"\napplies = [\"hr\"]\nphase = \"before_use\"\nevidence = [\"risk_register\"";
    // Whether it acts on its own is an answer the declaration does not give.
    let unknown = nine.replace("eu_hr", "eu_hr && is_agentic");
    let lost = nine.replace("'provider'", "'importer'");
    let grace = "[[enforcement]]\nstate = \"grace\"\nfrom = 2027-12-02\nuntil = 2029-01-01\nknown = 2026-11-01\ncite = \"made up\"\ngroups = [\"hr\"]\n\n[[enforcement]]";
    for (old, new, id, kind, n_days) in [
        (nine, unknown.as_str(), "EUAIA-9", "turned_unknown", 3),
        (nine, lost.as_str(), "EUAIA-9", "lost", 3),
        ("n = 15\n", "n = 10\n", "EU-73-general", "clock_changed", 3),
        (
            "clocks = [\"EU-73-general\", \"EU-73-death\"",
            "clocks = [\"EU-73-death\"",
            "EUAIA-73",
            "clock_changed",
            3,
        ),
        (
            "EUR 15 million or 3 %",
            "EUR 20 million or 4 %",
            "EUAIA-9",
            "penalty_changed",
            3,
        ),
        // On the days on which the duty is in force.
        (
            "[[enforcement]]",
            grace,
            "EUAIA-9",
            "enforcement_changed",
            2,
        ),
    ] {
        draft(&place, old, "");
        let text = place.read("draft/eu-ai-act/pack.toml");
        place.write("draft/eu-ai-act/pack.toml", text.replacen(old, new, 1));
        let draft = [
            "law",
            "impact",
            "shipped",
            "draft/eu-ai-act",
            "--at",
            "2026-11-23",
            "--known",
            "2026-11-23",
        ];
        let found = json(&place, &draft);
        let change = change(&found, id);
        assert_eq!(change["kind"], kind, "{new}: {change}");
        assert_eq!(change["on"].as_array().unwrap().len(), n_days, "{change}");
        // The other way round, what was lost is gained and what was unknown is settled.
        let turned = match kind {
            "lost" => "gained",
            "turned_unknown" => "settled",
            _ => continue,
        };
        let mut back = draft;
        back.swap(2, 3);
        let back = json(&place, &back);
        assert_eq!(crate::impact::change(&back, id)["kind"], turned, "{back}");
    }
}

#[test]
fn whole_folders_of_packs_are_compared() {
    let place = Place::new();
    for side in ["old", "new"] {
        copy(&examples().join("../packs"), &place.path(side));
    }
    let same = json(&place, &["law", "diff", "old", "new"]);
    assert_eq!(same["operations"], json!([]));
    let file = "new/law/us-nyc-ll144/pack.toml";
    let text = place.read(file);
    let edited = text.replacen("binding = true", "binding = false", 1);
    assert_ne!(text, edited);
    place.write(file, edited);
    std::fs::remove_dir_all(place.path("new/law/gdpr")).unwrap();
    let found = json(&place, &["law", "diff", "old", "new"]);
    let of = |kind: &str, subject: &str| {
        let operations = found["operations"].as_array().unwrap().iter();
        let fitting = operations
            .filter(|operation| operation["kind"] == kind && operation["subject"] == subject);
        fitting
            .map(|operation| operation["label"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("status_changed", "pack"), ["us-nyc-ll144"]);
    assert_eq!(of("deleted", "pack"), ["gdpr"]);
    assert!(of("deleted", "requirement").contains(&"GDPR-35"));
}

/// Systems with one answer each, by use, one a line.
fn systems(n: usize) -> String {
    let uses = ["recruitment", "credit_scoring", "worker_decisions"];
    let line = |at: usize| {
        let facts = json!({
            "is_ai_system": true, "roles": ["provider"], "places": ["EU"], "uses": [uses[at % 3]],
        });
        format!("{}\n", json!({ "id": format!("s{at}"), "facts": facts }))
    };
    (0..n).map(line).collect()
}

#[test]
fn a_thousand_systems_are_compared_within_seconds() {
    let place = Place::new();
    place.write("systems.jsonl", systems(1000));
    let start = Instant::now();
    let arguments = [
        &JUNE_TO_NOVEMBER[..],
        &["--systems", "systems.jsonl", "--closed-world"],
    ]
    .concat();
    let found = json(&place, &arguments);
    // About 3 s in a debug build on one core of 2024; the bound leaves room for a machine with other things to do.
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(found["totals"]["systems"], 1000);
    assert_eq!(found["totals"]["by_requirement"]["EUAIA-9"]["moved"], 1000);
    assert_eq!(found["systems"].as_array().unwrap().len(), 1000);
    // Nothing of a file is a system of the desk.
    refused(
        &place,
        &[&arguments[..], &["--open-tasks"]].concat(),
        "leave out --systems",
    );
    assert!(!place.path(".alnager").exists());
}

#[test]
fn many_systems_are_mapped_as_one_is() {
    let place = with_cv_screening();
    place.write("systems.jsonl", format!("{}\n\n", systems(2)));
    let line = systems(1);
    place.write("one.json", &line);
    let dated = [
        "--closed-world",
        "--at",
        "2026-11-23",
        "--known",
        "2026-11-23",
    ];
    let facts: Value = serde_json::from_str(&line).unwrap();
    place.write("one.json", facts["facts"].to_string());
    let one = json(
        &place,
        &[&["law", "map", "--facts", "one.json"], &dated[..]].concat(),
    );
    let many = [
        &[
            "law",
            "map",
            "--systems",
            "systems.jsonl",
            "--format",
            "json",
        ],
        &dated[..],
    ]
    .concat();
    let ran = place.run(&many);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let lines: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    let mut first = lines[0].clone();
    let id = first.as_object_mut().unwrap().remove("id");
    assert_eq!((id, first), (Some(json!("s0")), one));
    // Without a file: the systems of the desk.
    let ran = place.run(&["law", "map", "--at", "2026-11-23", "--known", "2026-11-23"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out.lines().count(), 2);
    assert!(ran.out.ends_with("  cv-screening\n"), "{}", ran.out);
}

#[test]
fn a_calendar_says_what_comes_for_whom() {
    let place = with_cv_screening();
    let span = [
        "law",
        "calendar",
        "--from",
        "2026-11-23",
        "--until",
        "2027-12-31",
        "--known",
        "2026-11-23",
    ];
    let found = json(&place, &span);
    let day = found["days"]
        .as_array()
        .unwrap()
        .iter()
        .find(|day| day["day"] == "2027-12-02")
        .unwrap();
    let items = day["items"].as_array().unwrap();
    let turn = |id: &str| {
        let item = items
            .iter()
            .find(|item| item["requirements"] == json!([id]));
        item.map(|item| (item["turn"].clone(), item["systems"].clone()))
    };
    let ours = json!(["cv-screening"]);
    assert_eq!(turn("EUAIA-9"), Some((json!("begins"), ours.clone())));
    assert_eq!(turn("EUAIA-73"), Some((json!("wakes"), ours)));
    let one = json(&place, &[&span[..], &["--system", "cv-screening"]].concat());
    assert_eq!(one["days"], found["days"]);
    // The whole book, where there is no desk.
    let book = json(&place, &[&span[..], &["--desk", "nowhere"]].concat());
    assert_eq!(book["systems"], Value::Null);
    let begins = |item: &Value| {
        let ids = item["requirements"].as_array().unwrap();
        ids.contains(&json!("EUAIA-9"))
    };
    let days = book["days"].as_array().unwrap();
    assert!(days.iter().any(|day| {
        day["day"] == "2027-12-02" && day["items"].as_array().unwrap().iter().any(begins)
    }));
}

#[test]
fn what_counsel_set_aside_neither_comes_nor_changes() {
    let place = with_cv_screening();
    let begins = || {
        let span = ["--from", "2026-11-23", "--until", "2027-12-31"];
        let known = ["--known", "2026-11-23"];
        let found = json(&place, &[&["law", "calendar"], &span[..], &known].concat());
        let days = found["days"].as_array().unwrap().iter();
        let items = days.flat_map(|day| day["items"].as_array().unwrap());
        let told = items.filter(|item| item["requirements"] == json!(["EUAIA-9"]));
        told.count()
    };
    assert_eq!(begins(), 1);
    let reading = [
        "law",
        "reading",
        "reject",
        "EUAIA-9",
        "--text",
        "Annex III does not list it",
    ];
    let ran = place.run(&[&reading[..], &["--as", "Tomas Beran"]].concat());
    assert!(ran.err.contains("you build `cv-screening`"), "{}", ran.err);
    let ran = place.run(&[&reading[..], &["--as", "Henrik Lund"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(begins(), 0);
    let found = json(&place, &JUNE_TO_NOVEMBER);
    assert_eq!(*change(&found, "EUAIA-9"), Value::Null);
    assert_eq!(change(&found, "EUAIA-10")["kind"], "moved");
}

#[test]
fn a_calendar_file_keeps_the_ids_of_its_events() {
    let place = with_cv_screening();
    let write = |file: &str| {
        let ran = place.run(&[
            "law",
            "calendar",
            "--from",
            "2026-11-23",
            "--known",
            "2026-11-23",
            "--ics",
            file,
        ]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let text = place.read(file);
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
        let ids = text.lines().filter(|line| line.starts_with("UID:"));
        ids.map(str::to_owned).collect::<Vec<_>>()
    };
    let ids = write("one.ics");
    assert!(ids.len() > 20, "{}", ids.len());
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(write("two.ics"), ids);
}

#[test]
fn what_cannot_be_compared_is_refused_with_its_place() {
    let place = with_cv_screening();
    let impact = |old: &str, new: &str, more: &[&str], word: &str| {
        refused(&place, &[&["law", "impact", old, new], more].concat(), word);
    };
    impact("nowhere", "shipped", &[], "nowhere");
    std::fs::create_dir(place.path("empty")).unwrap();
    impact("empty", "shipped", &[], "holds no pack");
    let at = ["--at", "2026-11-23", "--horizon", "2026-11-23"];
    impact("2026-06-30", "shipped", &at, "horizon");
    let file = ["--systems", "systems.jsonl"];
    for (text, word) in [
        ("", "no system"),
        ("{\"id\": \"a\"}\n[]\n", "line 2"),
        ("{\"is_ai_system\": true}", "`id` is missing"),
        (
            "{\"id\": \"a\"}\n{\"id\": \"a\"}",
            "line 2: the id `a` occurs twice",
        ),
        (
            "{\"id\": \"a\", \"no_such_fact\": true}",
            "line 1: there is no fact",
        ),
        (
            "{\"id\": \"a\", \"is_ai_system\": \"perhaps\"}",
            "cannot be answered",
        ),
        ("{\"id\": \"a\", \"facts\": []}", "object of facts"),
    ] {
        place.write("systems.jsonl", text);
        impact("2026-06-30", "2026-11-23", &file, word);
    }
    place.write("text.xml", "<x/>");
    copy(&examples().join("../packs/law/gdpr"), &place.path("gdpr"));
    refused(
        &place,
        &["law", "diff", "gdpr", "text.xml"],
        "two of a kind",
    );
    let days = ["--from", "2027-01-01", "--until", "2026-01-01"];
    refused(
        &place,
        &[&["law", "calendar"], &days[..]].concat(),
        "is before",
    );
    refused(
        &place,
        &["law", "calendar", "--system", "cv-screaming"],
        "cv-screening",
    );
}
