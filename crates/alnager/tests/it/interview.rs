//! `alnager new` and `alnager law interview`, as a person or a script uses them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::{Place, Ran, ran};

/// A place with a new declaration in `chatbot`.
fn fresh() -> Place {
    let place = Place::new();
    let arguments = [
        "new",
        "chatbot",
        "--organisation",
        "Example Group",
        "--purpose",
        "Answers customers",
        "--as",
        "Ruth Ansorge",
    ];
    let made = place.run(&arguments);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(
        made.out.contains("alnager law interview chatbot"),
        "{}",
        made.out
    );
    place
}

/// Interviews about EU AI Act and GDPR with these lines on standard input.
fn interview(place: &Place, more: &[&str], lines: &str) -> Ran {
    let arguments = [
        &[
            "law",
            "interview",
            "--packs",
            "eu-ai-act,gdpr",
            "--at",
            "2026-11-23",
            "--known",
            "2026-11-23",
            "--as",
            "Ruth Ansorge",
        ],
        more,
    ]
    .concat();
    let mut child = place
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that stops early does not read the rest.
    let _ = stdin.write_all(lines.as_bytes());
    drop(stdin);
    ran(child.wait_with_output().unwrap())
}

/// The next question as JSON.
fn next(place: &Place, more: &[&str]) -> Value {
    let ran = interview(place, &[more, &["--format", "json"]].concat(), "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The line of the declaration that answers a fact; empty where none does.
fn answered(place: &Place, fact: &str) -> String {
    let text = place.read("chatbot/system.toml");
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{fact} = ")));
    line.unwrap_or_default().to_owned()
}

#[test]
fn a_new_declaration_is_not_overwritten() {
    let place = fresh();
    let before = place.read("chatbot/system.toml");
    let again = place.run(&["new", "chatbot"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(place.read("chatbot/system.toml"), before);
    // It can be reviewed at once; much is unknown then.
    assert_eq!(place.run(&["review", "chatbot"]).code, 3);
}

#[test]
fn a_blank_of_a_new_declaration_is_not_sealed() {
    let place = Place::new();
    let made = place.run(&["new", "blank", "--as", "Ruth Ansorge"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let review = place.run(&["review", "blank"]);
    assert_eq!(review.code, 2);
    assert!(
        review.err.contains("`organisation` still says"),
        "{}",
        review.err
    );
}

#[test]
fn the_schema_is_printed_for_editors() {
    let ran = Place::new().run(&["new", "--schema"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let schema: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

#[test]
fn the_chatbot_is_settled_by_a_script() {
    let place = fresh();
    let first = next(&place, &["chatbot"]);
    assert_eq!(first["question"]["fact"], "roles");
    assert_eq!(first["answered"], 0);
    // Everything listed first, then `no` or `none` to whatever is asked.
    let mut lines = "is_ai_system = yes # technical file\nis_generative = yes\nroles = provider\nplaces = EU\n\
                     established_in_eu = yes\nuses = customer_service\ninteracts_with_people = yes\noutput_modalities = text\n\
                     placed_on_market = 2026-09-15\n"
        .to_owned();
    for _ in 0..25 {
        let ran = interview(&place, &["chatbot"], &lines);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let state = next(&place, &["chatbot"]);
        let Some(fact) = state["question"]["fact"].as_str() else {
            break;
        };
        let no = match state["question"]["type"].as_str().unwrap() {
            "bool" => "no",
            _ => "none",
        };
        lines = format!("{fact} = {no}\n");
    }
    let last = next(&place, &["chatbot"]);
    assert_eq!(
        (&last["question"], &last["open"]),
        (&Value::Null, &json!(0))
    );
    assert!(answered(&place, "is_ai_system").contains("basis = \"technical file\""));
    let end = interview(&place, &["chatbot"], "");
    for part in [
        "EUAIA-50-1: ",
        "waiting for confirmation by someone outside the team:",
        "placed_on_market: EUAIA-50-2",
        "alnager review chatbot",
        "alnager fact confirm chatbot placed_on_market",
    ] {
        assert!(end.out.contains(part), "no `{part}` in:\n{}", end.out);
    }
}

#[test]
fn words_of_the_interview() {
    let place = fresh();
    let ran = interview(
        &place,
        &["chatbot"],
        "?\ndeployer\nunknown\nback\nback\nprovider\nquit\nbank\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("asked by EU Artificial Intelligence Act"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("so far: deployer"), "{}", ran.out);
    // The first answer was changed after going back twice; what stands behind `quit` is not read.
    assert!(
        answered(&place, "roles")
            .starts_with("roles = { value = [\"provider\"], by = \"Ruth Ansorge\"")
    );
    let resumed = next(&place, &["chatbot"]);
    assert_eq!(resumed["answered"], 1);
    assert_ne!(resumed["question"]["fact"], "roles");
}

#[test]
fn a_skipped_fact_is_not_asked_again() {
    let place = fresh();
    let ran = interview(&place, &["chatbot"], &"unknown\n".repeat(200));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.matches("[roles]").count(), 1, "{}", ran.out);
    assert!(ran.out.contains("roles: left unknown"), "{}", ran.out);
    assert!(
        ran.out.contains("open for want of an answer:"),
        "{}",
        ran.out
    );
    assert_eq!(answered(&place, "roles"), "");
}

#[test]
fn a_wrong_answer_is_named_and_what_came_before_stands() {
    let place = fresh();
    let ran = interview(
        &place,
        &["chatbot"],
        "roles = provider\n\nplaces = Europe\nuses = none\n",
    );
    assert_eq!(ran.code, 2);
    for part in ["line 3 of the answers", "`Europe` is no answer to `places`"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    assert_ne!(answered(&place, "roles"), "");
    assert_eq!(answered(&place, "uses"), "");
    for (lines, part) in [
        ("rolls = provider\n", "did you mean `roles`?"),
        ("is_ai_system = perhaps\n", "answer yes or no"),
        ("back\n", "this is the first question"),
    ] {
        let ran = interview(&place, &["chatbot"], lines);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    let ran = place.run(&["law", "interview", "chatbot", "--packs", "eu-ai-akt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `eu-ai-act`?"), "{}", ran.err);
    assert_eq!(place.run(&["law", "interview", "nowhere"]).code, 2);
}

#[test]
fn what_is_acknowledged_survives_the_end_of_the_process() {
    let place = fresh();
    let mut child = place
        .command(&["law", "interview", "chatbot", "--as", "Ruth Ansorge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"roles = provider\nplaces = EU\n").unwrap();
    stdin.flush().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "places: EU, written"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(answered(&place, "roles"), "");
    assert_ne!(answered(&place, "places"), "");
    let left = std::fs::read_dir(place.path("chatbot")).unwrap().count();
    assert_eq!(left, 1, "nothing lies beside the declaration");
}

#[test]
fn a_confirmed_fact_of_the_desk_stands() {
    let place = fresh();
    let ran = interview(
        &place,
        &["chatbot"],
        "roles = provider\npersonal_data = no\nplaces = EU\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        place
            .run(&["review", "chatbot", "--as", "Ruth Ansorge"])
            .code,
        3
    );
    let confirm = [
        "fact",
        "confirm",
        "chatbot",
        "places",
        "--basis",
        "read the contracts",
        "--as",
        "Vera Novak",
    ];
    let confirmed = place.run(&confirm);
    assert_eq!(confirmed.code, 0, "{}", confirmed.err);
    let ran = interview(&place, &["chatbot"], "places = UK\n");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is confirmed in the desk"), "{}", ran.err);
    let ran = interview(&place, &["chatbot"], "iso_42001_adopted = yes\n");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("alnager law adopt"), "{}", ran.err);
}

#[test]
fn a_file_of_facts_is_asked_and_answered_too() {
    let place = Place::new();
    place.write("facts.json", "{\"id\": \"G\", \"facts\": {}}");
    let facts = ["--facts", "facts.json"];
    assert_eq!(next(&place, &facts)["question"]["fact"], "roles");
    let ran = interview(
        &place,
        &facts,
        "provider, deployer\nplaces = EU # ignored\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let written: Value = serde_json::from_str(&place.read("facts.json")).unwrap();
    assert_eq!(
        written,
        json!({ "id": "G", "facts": { "roles": ["deployer", "provider"], "places": ["EU"] } })
    );
    assert!(
        ran.out.contains("alnager law map --facts facts.json"),
        "{}",
        ran.out
    );
}
