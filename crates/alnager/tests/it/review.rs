//! The two examples, and the three ends a review can come to.

use serde_json::Value;

use crate::{Place, status};

#[test]
fn the_recidivism_example_is_held_by_its_measurements() {
    let place = Place::with("recidivism");
    let (code, review) = place.review(&[]);
    assert_eq!((code, review["verdict"].as_str()), (1, Some("hold")));
    assert_eq!(review["judged_on"], "2026-12-14");
    assert!(
        review["what_if"]
            .as_str()
            .unwrap()
            .contains("Broward County")
    );
    // 18 and 32 people are shown and not judged; nobody is left out.
    let race = &review["figures"]["attrs"]["race"];
    assert_eq!(race["groups"]["African-American"]["fp"], 805);
    assert_eq!(race["groups"]["Native American"]["n"], 18);
    let tiny: Vec<&Value> = results(&review, "impact-ratio", "race")
        .into_iter()
        .filter(|result| result["judged"] == false)
        .collect();
    assert_eq!(
        tiny.iter()
            .map(|result| result["group"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["Asian", "Native American"]
    );
    let worst = results(&review, "impact-ratio", "race")[0].clone();
    assert_eq!(
        (worst["group"].as_str(), worst["result"].as_str()),
        (Some("African-American"), Some("fail"))
    );
    assert!(
        (worst["value"].as_f64().unwrap() - 0.631_592_938_311_688_3).abs() < 1e-12,
        "{worst}"
    );
    assert_eq!(status(&review, "GDPR-35"), "gap");
    assert_eq!(status(&review, "EUAIA-9"), "ahead");
    assert_eq!(status(&review, "POL-bias-testing"), "gap");
}

fn results<'v>(review: &'v Value, test: &str, attribute: &str) -> Vec<&'v Value> {
    let all = review["results"].as_array().unwrap().iter();
    all.filter(|result| result["test"] == test && result["attribute"] == attribute)
        .collect()
}

#[test]
fn the_figures_are_those_of_the_reference() {
    let place = Place::with("recidivism");
    let (_, review) = place.review(&[]);
    let path = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../alnager-stats/reference/compas.json");
    let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut n_compared = 0;
    compare(
        "",
        &expected["attrs"],
        &review["figures"]["attrs"],
        &mut n_compared,
    );
    assert!(
        n_compared > 1_500,
        "only {n_compared} figures were compared"
    );
}

/// Every number that both have agrees to 1e-9.
fn compare(path: &str, expected: &Value, found: &Value, n_compared: &mut usize) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                if let Some(found) = found.get(key) {
                    compare(&format!("{path}/{key}"), value, found, n_compared);
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{path}/{at}"), expected, found, n_compared);
            }
        }
        (Value::Number(expected), Value::Number(found)) => {
            let (expected, found) = (expected.as_f64().unwrap(), found.as_f64().unwrap());
            assert!(
                (expected - found).abs() <= 1e-9 * expected.abs().max(1e-3),
                "{path}: {found}, expected {expected}"
            );
            *n_compared += 1;
        }
        (Value::Null, found) => assert!(found.is_null(), "{path}: {found}, expected null"),
        _ => {}
    }
}

#[test]
fn the_credit_example_is_undecided_until_people_act() {
    let place = Place::with("credit");
    let (code, review) = place.review(&[]);
    assert_eq!((code, review["verdict"].as_str()), (3, Some("undecided")));
    assert_eq!(status(&review, "GDPR-35"), "unknown");
    let accepted = place.run(&[
        "evidence",
        "accept",
        "E2",
        "GDPR-35",
        "--reason",
        "complete",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(accepted.code, 0, "{}", accepted.err);
    let (_, review) = place.review(&[]);
    assert_eq!(status(&review, "GDPR-35"), "met");
}

/// What the credit example lacks, as documents of the kinds its requirements need.
const MISSING: [(&str, &[&str]); 10] = [
    ("accountability_record", &["GDPR-5"]),
    ("design_review", &["GDPR-25"]),
    ("privacy_attack_report", &["GDPR-32"]),
    ("completion_record", &["EUAIA-4"]),
    ("appointment_record", &["POL-owner", "GDPR-37"]),
    ("procedure", &["GDPR-36"]),
    ("evaluation_report", &["POL-performance"]),
    ("screening_record", &["EUAIA-5-1-c"]),
    ("legal_signoff", &["EUAIA-5-1-c"]),
    ("exception_record", &["GDPR-22"]),
];

/// The credit example with every document in and accepted, on a portfolio `times` as large with the same shares.
fn ready(times: usize, threshold: &str) -> Place {
    let place = Place::with("credit");
    let data = place.read("system/data.csv");
    let (header, rows) = data.split_once('\n').unwrap();
    place.write(
        "system/data.csv",
        format!("{header}\n{}", rows.repeat(times)),
    );
    place.edit("at_least = 0.6", &format!("at_least = {threshold}"));
    place.review(&[]);
    for (kind, requirements) in MISSING {
        let file = format!("{kind}.md");
        place.write(&file, format!("# {kind}\n"));
        let wanted = requirements.join(",");
        let all = [
            "evidence",
            "add",
            "credit",
            &file,
            "--kind",
            kind,
            "--effective",
            "2026-11-01",
            "--as",
            "Clara Osei",
            "--for",
            &wanted,
        ];
        let ran = place.run(&all);
        assert_eq!(ran.code, 0, "{kind}: {}", ran.err);
    }
    let listed = place.run(&["evidence", "list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    for evidence in listed["evidence"].as_array().unwrap() {
        let ran = place.run(&[
            "evidence",
            "accept",
            evidence["id"].as_str().unwrap(),
            "--reason",
            "read and sound",
            "--as",
            "Vera Novak",
        ]);
        assert_eq!(ran.code, 0, "{evidence}: {}", ran.err);
    }
    place
}

#[track_caller]
fn check(place: &Place, verdict: &str, code: i32) {
    let (ended, review) = place.review(&[]);
    let blockers = serde_json::to_string_pretty(&review["blockers"]).unwrap();
    assert_eq!(
        (ended, review["verdict"].as_str()),
        (code, Some(verdict)),
        "{blockers}"
    );
}

#[test]
fn a_credit_variant_with_everything_shown_is_clear() {
    check(&ready(2, "0.3"), "clear", 0);
}

#[test]
fn a_credit_variant_with_a_failed_test_is_held_whatever_was_accepted() {
    check(&ready(1, "0.833333"), "hold", 1);
}

#[test]
fn a_credit_variant_with_too_few_people_is_undecided_whatever_was_accepted() {
    check(&ready(1, "0.6"), "undecided", 3);
}

#[test]
fn the_tests_gate_looks_at_the_measurements_alone() {
    let place = Place::with("credit");
    let (code, review) = place.review(&["--gate", "tests"]);
    assert_eq!((code, review["gate"].as_str()), (3, Some("tests")));
    place.edit("at_least = 0.6", "at_least = 0.833333");
    let (code, _) = place.review(&["--gate", "tests"]);
    assert_eq!(code, 1);
}

#[test]
fn the_same_system_under_the_law_of_june_2026() {
    // Until Regulation (EU) 2026/1744 was published, the high-risk duties were to begin on 2 August 2026.
    let place = Place::with("credit");
    let ran = place.run(&[
        "review",
        "system",
        "--at",
        "2026-12-07",
        "--known",
        "2026-06-30",
        "--format",
        "json",
    ]);
    let then: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(status(&then, "EUAIA-10"), "unknown");
    let (_, now) = place.review(&["--at", "2026-12-07"]);
    assert_eq!(status(&now, "EUAIA-10"), "ahead");
}

#[test]
fn a_special_category_without_its_basis_is_a_what_if_and_no_evidence() {
    let place = Place::with("recidivism");
    let text = place.read("system/system.toml");
    let start = text.find("[audit.attribute.special_category]").unwrap();
    let end = start + text[start..].find("\n\n").unwrap();
    place.write(
        "system/system.toml",
        format!("{}{}", &text[..start], &text[end..]),
    );
    let (_, review) = place.review(&[]);
    let what_if = |attribute: &str| -> Vec<bool> {
        let found = results(&review, "impact-ratio", attribute);
        found
            .iter()
            .map(|result| result["what_if"] == true)
            .collect()
    };
    assert_eq!(what_if("race"), [true; 5]);
    assert_eq!(what_if("race*sex"), [true; 11]);
    assert_eq!(what_if("sex"), [false]);
    // A declared attribute that gives no evidence has not been tested: nothing passes on the others alone.
    let blocked = review["blockers"].to_string();
    assert!(
        blocked.contains("name the lawful basis"),
        "what is missing is not said: {blocked}"
    );
    // What stands for the whole is evidence: the age groups, not the what-if.
    let headline = &review["results"][review["headline"].as_u64().unwrap() as usize];
    assert_eq!(headline["attribute"], "age_cat");
    let p = |attribute: &str| results(&review, "impact-ratio", attribute)[0]["p_holm"].clone();
    assert!(p("race").is_null() && p("age_cat").is_number());
}

#[test]
fn the_screen_says_the_verdict_first_and_the_next_actions() {
    let place = Place::with("recidivism");
    let ran = place.run(&["review", "system", "--known", "2026-11-23"]);
    assert_eq!(ran.code, 1);
    let first = ran
        .out
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap();
    assert!(
        first.to_lowercase().contains("hold") && first.contains("2026-12-14"),
        "{first}"
    );
    for part in [
        "in force",
        "ahead",
        "2027-12-02",
        "favourable",
        "African-American",
        "what would change",
        "threshold",
        "report",
        "dossier",
    ] {
        assert!(
            ran.out.to_lowercase().contains(&part.to_lowercase()),
            "`{part}` is not on the screen:\n{}",
            ran.out
        );
    }
    assert!(!ran.out.contains('\u{1b}'), "colour outside a terminal");
    assert!(ran.err.is_empty(), "{}", ran.err);
}

#[test]
fn why_proves_a_requirement_in_words() {
    let place = Place::with("credit");
    let ran = place.run(&[
        "why",
        "EUAIA-27",
        "--system",
        "system",
        "--known",
        "2026-11-23",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "EUAIA-27",
        "Art 27",
        "2027-12-02",
        "credit_scoring",
        "Ruth Ansorge",
    ] {
        assert!(
            ran.out.contains(part),
            "`{part}` is not in the answer:\n{}",
            ran.out
        );
    }
}

#[test]
fn a_confirmed_fact_stands_against_a_later_declaration() {
    let place = Place::with("credit");
    place.edit(
        "materially_influences_decision = { value = true",
        "materially_influences_decision = { value = false",
    );
    place.edit("performs_profiling = { value = true", "preparatory_task_only = { value = true, by = \"Tomas Beran\", on = 2026-10-06, basis = \"claimed\" }\nperforms_profiling = { value = false");
    let (_, review) = place.review(&["--at", "2027-12-02"]);
    assert_eq!(
        status(&review, "EUAIA-10"),
        "unknown",
        "an unconfirmed Article 6(3) claim"
    );
    for fact in [
        "preparatory_task_only",
        "performs_profiling",
        "materially_influences_decision",
    ] {
        let team = place.run(&[
            "fact",
            "confirm",
            "credit",
            fact,
            "--basis",
            "b",
            "--as",
            "Tomas Beran",
        ]);
        assert_eq!(team.code, 2, "the team confirmed its own exception");
        let ran = place.run(&[
            "fact",
            "confirm",
            "credit",
            fact,
            "--basis",
            "seen by counsel",
            "--as",
            "Henrik Lund",
        ]);
        let code = if fact == "preparatory_task_only" || fact == "performs_profiling" {
            ran.code
        } else {
            0
        };
        assert_eq!(code, 0, "{}", ran.err);
        if ran.code != 0 {
            panic!("{}", ran.err);
        }
    }
    let (_, review) = place.review(&["--at", "2027-12-02"]);
    assert_eq!(
        status(&review, "EUAIA-10"),
        "",
        "not high-risk under Article 6(3), as confirmed"
    );
    place.edit(
        "preparatory_task_only = { value = true",
        "preparatory_task_only = { value = false",
    );
    let (_, review) = place.review(&["--at", "2027-12-02"]);
    assert_eq!(
        status(&review, "EUAIA-10"),
        "",
        "a declaration alone changes no confirmed fact"
    );
    let warnings = review["warnings"].to_string();
    assert!(
        warnings.contains("proposes `false` for `preparatory_task_only`"),
        "{warnings}"
    );
}

#[test]
fn looking_back_shows_the_record_as_it_was() {
    let place = Place::with("credit");
    let (_, first) = place.review(&[]);
    let entry = first["journal"]["size"].as_u64().unwrap() - 1;
    place.run(&[
        "evidence",
        "accept",
        "E2",
        "--reason",
        "complete",
        "--as",
        "Vera Novak",
    ]);
    let (_, now) = place.review(&[]);
    let (_, then) = place.review(&["--recorded", &entry.to_string()]);
    assert_eq!(
        (status(&now, "GDPR-35"), status(&then, "GDPR-35")),
        ("met", "unknown")
    );
    assert!(then["journal"].is_null());
}

#[test]
fn attributes_that_give_no_evidence_never_clear_the_tests_gate() {
    let place = Place::new();
    // Sex is fair and large enough; race is counted without a lawful basis.
    let mut rows = String::from("d,sex,race\n");
    for at in 0..4_000 {
        let race = if at % 2 == 0 { "one" } else { "other" };
        let sex = if at % 4 < 2 { "f" } else { "m" };
        let decision = if race == "one" || at % 3 == 0 { 1 } else { 0 };
        rows.push_str(&format!("{decision},{sex},{race}\n"));
    }
    place.write("system/data.csv", rows);
    place.write(
        "system/system.toml",
        "schema = 'alnager.system/1'\nid = 'hire'\nname = 'Hire'\norganisation = 'O'\nowner = 'Rita'\npurpose = 'p'\nstage = 'validation'
[facts]\nplaces = { value = ['US-NYC', 'BR', 'SG'], by = 'Rita', on = 2026-01-01, basis = 'b' }
[[audit]]\nname = 'a'\ndata = 'data.csv'\ndecision = { column = 'd', positive = '1', favourable = '1' }
[[audit.attribute]]\ncolumn = 'sex'\ncharacteristic = 'sex'\n[[audit.attribute]]\ncolumn = 'race'\ncharacteristic = 'race_ethnicity'\n",
    );
    let (code, review) = place.review(&["--gate", "tests"]);
    assert_eq!((code, review["verdict"].as_str()), (3, Some("undecided")));
    let warnings = review["warnings"].to_string();
    // Of Brazil there is a bill, of Singapore a framework and a clock: no law that binds.
    assert!(
        warnings.contains("not covered: no law pack in use is of BR, SG;"),
        "{warnings}"
    );
}

#[test]
fn a_review_overwrites_no_earlier_one() {
    let place = Place::with("credit");
    let (_, first) = place.review(&[]);
    let before = std::fs::read(place.path(first["dossier"].as_str().unwrap())).unwrap();
    // Another desk counts its entries anew.
    let (_, other) = place.review(&["--desk", "other"]);
    assert_ne!(first["dossier"], other["dossier"]);
    assert_eq!(
        std::fs::read(place.path(first["dossier"].as_str().unwrap())).unwrap(),
        before
    );
    let folder = place.path(first["dossier"].as_str().unwrap());
    let taken = place.run(&[
        "review",
        "system",
        "--out",
        folder.parent().unwrap().to_str().unwrap(),
    ]);
    assert_eq!(taken.code, 2, "{}", taken.err);
}

#[test]
fn looking_back_into_a_command_sees_it_whole() {
    let place = Place::with("credit");
    let (_, first) = place.review(&[]);
    let last = first["journal"]["size"].as_u64().unwrap() - 1;
    for entry in [0, last / 2, last] {
        let (_, then) = place.review(&[
            "--recorded",
            &entry.to_string(),
            "--out",
            &format!("back-{entry}"),
        ]);
        assert_eq!(then["results"], first["results"], "entry {entry}");
    }
}

#[test]
fn the_law_can_be_asked_alone() {
    let place = Place::new();
    place.write(
        "facts.json",
        r#"{"facts": {"is_ai_system": true, "roles": ["provider"], "places": ["EU"], "established_in_eu": true,
            "uses": ["recruitment"], "performs_profiling": true, "materially_influences_decision": true}}"#,
    );
    let map = |more: &[&str]| {
        let start = [
            "law",
            "map",
            "--facts",
            "facts.json",
            "--format",
            "json",
            "--at",
            "2026-11-23",
        ];
        let ran = place.run(&[&start, more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    let closed = map(&["--known", "2026-11-23", "--closed-world"]);
    assert_eq!(closed["upcoming"]["EUAIA-9"], "2027-12-02");
    assert_eq!(closed["waiting"]["EUAIA-43"], "2027-12-02");
    assert_eq!(closed["derived"]["eu_hr3"], true);
    assert!(
        closed["in_force"]
            .as_array()
            .unwrap()
            .contains(&Value::from("EUAIA-4"))
    );
    assert_eq!(closed["unknown"], serde_json::json!({}));
    // The same day with the knowledge of June 2026: the date was another one.
    let june = map(&["--known", "2026-06-30", "--closed-world"]);
    assert!(
        june["in_force"]
            .as_array()
            .unwrap()
            .contains(&Value::from("EUAIA-9"))
    );
    // Nothing is assumed of what is not listed.
    let open = map(&["--known", "2026-11-23"]);
    assert!(
        open["unknown"]["EUAIA-9"]
            .as_array()
            .unwrap()
            .contains(&Value::from("placed_on_market"))
    );
    // Each requirement is in exactly one place.
    let n = |map: &Value| -> usize {
        ["in_force", "not_applicable", "ended"]
            .iter()
            .map(|key| map[key].as_array().unwrap().len())
            .sum::<usize>()
            + ["upcoming", "waiting", "unknown"]
                .iter()
                .map(|key| map[key].as_object().unwrap().len())
                .sum::<usize>()
    };
    assert_eq!((n(&closed), n(&june)), (n(&open), n(&open)));
    let wrong = place.run(&["law", "map", "--facts", "nowhere.json"]);
    assert_eq!(wrong.code, 2);
}
