//! Audit opinions on the command line, on the desk of the demonstration, where people have roles.

use serde_json::Value;

use crate::serve::Server;
use crate::{Place, Ran};

const ME: &str = "Aiko Tanaka";

fn demo() -> Place {
    let place = Place::new();
    drop(Server::demo(&place.path("desk")));
    place
}

fn opinion(place: &Place, arguments: &[&str]) -> Ran {
    let all = [&["opinion"], arguments, &["--desk", "desk"]].concat();
    place.run(&all)
}

fn list(place: &Place, more: &[&str]) -> Vec<Value> {
    let ran = opinion(place, &[&["list", "--format", "json"], more].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    listed["opinions"].as_array().unwrap().clone()
}

#[test]
fn an_opinion_is_given_listed_signed_and_withdrawn() {
    let place = demo();
    let known = list(&place, &[]);
    assert_eq!(known.len(), 1);
    assert_eq!(known[0]["id"], "O1");
    assert_eq!(known[0]["moved"]["system"], Value::Null);

    let checkpoint = place.run(&["journal", "checkpoint", "--desk", "desk"]);
    assert_eq!(checkpoint.code, 0, "{}", checkpoint.err);
    place.write("read.checkpoint", &checkpoint.out);
    place.write("statement.txt", "we have no part in the system");
    let key = ["--key", "auditor.key", "--name", "auditor.example"];
    let made = place.run(&["audit", "key", "--new", "auditor.key", "--name", key[3]]);
    assert_eq!(made.code, 0, "{}", made.err);
    // The record moves between what was read and what is given.
    let answered = place.run(&[
        "fact",
        "confirm",
        "credit",
        "is_ai_system",
        "--basis",
        "b",
        "--as",
        "Vera Novak",
        "--desk",
        "desk",
    ]);
    assert_eq!(answered.code, 0, "{}", answered.err);
    let words = [
        "credit",
        "--conclusion",
        "adverse",
        "--basis",
        "the counts do not follow",
        "--checkpoint",
        "read.checkpoint",
    ];
    let text = opinion(
        &place,
        &[&["text"], &words[..], &["--out", "opinion.txt"]].concat(),
    );
    assert_eq!(text.code, 0, "{}", text.err);
    assert!(
        place
            .read("opinion.txt")
            .starts_with("alnager audit opinion v1\norganisation ")
    );
    let signed = place.run(
        &[
            &[
                "audit",
                "sign",
                "opinion.txt",
                "--statement",
                "statement.txt",
            ],
            &key[..],
        ]
        .concat(),
    );
    assert_eq!(signed.code, 0, "{}", signed.err);
    let note = ["--signature", "opinion.txt.note", "--as", ME];
    let mut other = words;
    other[4] = "other words";
    let refused = opinion(&place, &[&["give"], &other[..], &note].concat());
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("was signed for another document"),
        "{}",
        refused.err
    );
    let given = opinion(&place, &[&["give"], &words[..], &note].concat());
    assert_eq!(given.code, 0, "{}", given.err);
    assert!(
        given
            .out
            .starts_with("O2 is given: adverse on `credit`, on the first "),
        "{}",
        given.out
    );

    let standing = list(&place, &["--system", "credit"]);
    assert_eq!(standing.len(), 1);
    assert!(
        standing[0]["key"]
            .as_str()
            .unwrap()
            .starts_with("auditor.example+")
    );
    assert!(standing[0]["moved"]["system"].is_u64());
    let shown = opinion(&place, &["list", "--all"]);
    for words in [
        "THE RECORD HAS MOVED SINCE: entry ",
        "replaced by a later one",
        "signed with auditor.example+",
    ] {
        assert!(shown.out.contains(words), "{words} is not in {}", shown.out);
    }
    let withdrawn = opinion(
        &place,
        &[
            "withdraw",
            "O2",
            "--reason",
            "a count was wrong",
            "--as",
            ME,
        ],
    );
    assert_eq!(withdrawn.code, 0, "{}", withdrawn.err);
    assert_eq!(list(&place, &[]).len(), 0);
    assert_eq!(list(&place, &["--all"]).len(), 2);
    let whole = place.run(&["desk", "verify", "--desk", "desk"]);
    assert_eq!(whole.code, 0, "{}", whole.out);
}

#[test]
fn what_is_wrong_with_an_opinion_is_said() {
    let place = demo();
    let words = [
        "give",
        "credit",
        "--conclusion",
        "unmodified",
        "--basis",
        "b",
    ];
    let as_of = |who: &'static str| [&words[..], &["--as", who]].concat();
    place.write("broken", "no checkpoint");
    let empty = [
        "give",
        "credit",
        "--conclusion",
        "unmodified",
        "--basis",
        " ",
        "--as",
        ME,
    ];
    let unknown = [
        "give",
        "credits",
        "--conclusion",
        "unmodified",
        "--basis",
        "b",
        "--as",
        ME,
    ];
    let other = [
        "give",
        "credit",
        "--conclusion",
        "fine",
        "--basis",
        "b",
        "--as",
        ME,
    ];
    for (arguments, want) in [
        (
            as_of("Vera Novak"),
            "only an auditor gives an audit opinion",
        ),
        (
            as_of("Nobody Known"),
            "only an auditor gives an audit opinion",
        ),
        (empty.to_vec(), "has 1 to 20,000 characters"),
        (
            unknown.to_vec(),
            "the desk has no system `credits`; did you mean `credit`?",
        ),
        (
            other.to_vec(),
            "possible values: unmodified, qualified, adverse, disclaimer",
        ),
        (
            [&as_of(ME)[..], &["--checkpoint", "broken"]].concat(),
            "is no checkpoint",
        ),
        (
            vec!["withdraw", "O1", "--reason", "r", "--as", "Vera Novak"],
            "was given by somebody else",
        ),
        (
            vec!["withdraw", "O7", "--reason", "r", "--as", ME],
            "the desk has no audit opinion `O7`",
        ),
    ] {
        let ran = opinion(&place, &arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.out);
        assert!(ran.err.contains(want), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(list(&place, &["--all"]).len(), 1);
}
