#![allow(clippy::unwrap_used)]

use alnager_journal::note::SigningKey;
use expect_test::{Expect, expect};

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::new("auditor.example/bias", &[seed; 32]).unwrap()
}

fn stated() -> Stated {
    Stated {
        document: "ab".repeat(32),
        statement: "cd".repeat(32),
        on: "2026-11-20".parse().unwrap(),
        key: key(1).verifying_key(KEY_KIND),
    }
}

fn note(text: &str, signer: u8) -> String {
    let signature = key(signer).sign(text);
    Note::new(text.to_owned(), vec![signature])
        .unwrap()
        .to_string()
}

#[track_caller]
fn check(note: &str, want: Expect) {
    let shown = match Stated::open(note) {
        Ok(stated) => format!("{} by {}", stated.on, stated.key.name()),
        Err(problem) => problem.to_string(),
    };
    want.assert_eq(&shown);
}

#[test]
fn a_note_is_read_as_it_was_signed() {
    let text = stated().to_text();
    expect![[r#"
        alnager audit signature v1
        document abababababababababababababababababababababababababababababababab
        statement cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
        date 2026-11-20
        key auditor.example/bias+c128db93+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
    "#]]
    .assert_eq(&text);
    assert_eq!(Stated::open(&note(&text, 1)), Ok(stated()));
}

#[test]
fn what_was_changed_or_signed_by_another_is_no_signature() {
    let text = stated().to_text();
    let whole = note(&text, 1);
    check(&whole, expect!["2026-11-20 by auditor.example/bias"]);
    check(
        &note(&text, 2),
        expect![
            "the note does not hold: the note has no signature by a known key; check which key you were given"
        ],
    );
    check(
        &whole.replace("2026-11-20", "2026-11-21"),
        expect![
            "the note does not hold: the signature by `auditor.example/bias+c128db93+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c` does not fit the text; the note was altered"
        ],
    );
    check(
        &whole.replace("abab", "abac"),
        expect![
            "the note does not hold: the signature by `auditor.example/bias+c128db93+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c` does not fit the text; the note was altered"
        ],
    );
    let other_key = key(2).verifying_key(KEY_KIND).to_string();
    check(
        &whole.replace(&stated().key.to_string(), &other_key),
        expect![
            "the note does not hold: the note has no signature by a known key; check which key you were given"
        ],
    );
    check(
        "alnager audit signature v1\n",
        expect![
            "the note does not hold: the note is malformed: no empty line parts text and signatures; take it again from where it was signed"
        ],
    );
}

#[test]
fn what_is_signed_and_said_otherwise_is_no_note_of_an_auditor() {
    let text = stated().to_text();
    let signed = |text: String| note(&text, 1);
    check(
        &signed(text.replace(" v1", " v2")),
        expect![
            "line 1 of the note is not `alnager audit signature v1`; take it again from the auditor"
        ],
    );
    check(
        &signed(text.replace("abab", "ABAB")),
        expect!["line 2 of the note is not `document SHA-256`; take it again from the auditor"],
    );
    check(
        &signed(text.replace("statement ", "statment ")),
        expect!["line 3 of the note is not `statement SHA-256`; take it again from the auditor"],
    );
    check(
        &signed(text.replace("2026-11-20", "20 November")),
        expect!["line 4 of the note is not `date DAY`; take it again from the auditor"],
    );
    check(
        &signed(format!("{text}also true\n")),
        expect!["line 5 of the note is not `key VKEY`; take it again from the auditor"],
    );
    let cosigner = key(1).verifying_key(KeyKind::Cosignature).to_string();
    check(
        &signed(text.replace(&stated().key.to_string(), &cosigner)),
        expect!["line 5 of the note is not `key VKEY`; take it again from the auditor"],
    );
}
