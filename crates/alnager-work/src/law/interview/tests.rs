#![allow(clippy::unwrap_used)]

use super::*;
use crate::library::shipped;

/// Reads `text` as an answer to a fact; shows the value, or what was wrong.
#[track_caller]
fn check(fact: &str, text: &str, want: &str) {
    let library = shipped().unwrap();
    let kind = library.book.vocabulary.get(fact).unwrap();
    let read = read_answer(kind, text);
    let shown = read.map_or_else(|wrong| format!("? {wrong}"), |value| value.to_text());
    assert_eq!(shown, want, "{fact} = {text}");
}

#[test]
fn answers_are_read_as_a_person_types_them() {
    for (text, want) in [
        ("yes", "true"),
        ("Y", "true"),
        ("1", "true"),
        ("false", "false"),
        (" no ", "false"),
    ] {
        check("is_ai_system", text, want);
    }
    for (text, want) in [
        ("provider", "provider"),
        ("provider, deployer", "deployer,provider"),
        ("1 2", "deployer,provider"),
        ("[\"provider\", 'bank']", "bank,provider"),
        ("none", ""),
        ("[]", ""),
    ] {
        check("roles", text, want);
    }
    check("places", "US-NYC", "US,US-NY,US-NYC");
    check("emotion_context", "none", "none");
    check("emotion_context", "2", "workplace");
    check("employees", "1_000", "1e3");
    check("employees", "none", "none");
    check("training_flops", "3e25", "3e25");
    check("placed_on_market", "2026-09-15", "2026-09-15");
    check("placed_on_market", "none", "none");
}

#[test]
fn what_cannot_be_read_says_what_is_expected() {
    check(
        "is_ai_system",
        "maybe",
        "? `maybe` is no answer to `is_ai_system`; answer yes or no",
    );
    check(
        "roles",
        "provider, deployr",
        "? `provider, deployr` is no answer to `roles`; did you mean `deployer`?",
    );
    check(
        "emotion_context",
        "9",
        "? `9` is no answer to `emotion_context`; valid are `none`, `workplace`, `education`, `other`",
    );
    check(
        "employees",
        "many",
        "? `many` is no answer to `employees`; write a number such as 250 or 1e25, or `none`",
    );
    check(
        "placed_on_market",
        "15.9.2026",
        "? `15.9.2026` is no answer to `placed_on_market`; write a day such as 2026-08-02, or `none`",
    );
    check(
        "roles",
        "",
        "? `` is no answer to `roles`; name one or more, or `none`",
    );
}
