#![allow(clippy::unwrap_used)]

use crate::fact::Vocabulary;

/// Whether the answer needs confirmation, for a fact of this type and these guarded answers.
#[track_caller]
fn check(of: &str, guarded: &str, answer: &str, want: bool) {
    let text = format!(
        "schema = 'alnager.facts/1'\nversion = '1'\n[fact.f]\n{of}\nquestion = 'f?'\nserves = ['all']\nguarded = [{guarded}]\nguard_cite = 'c'\n"
    );
    let vocabulary = Vocabulary::parse("f", &text).unwrap();
    let kind = &vocabulary.kinds()[0];
    let value = kind.parse(answer).unwrap();
    assert_eq!(
        kind.is_guarded(&value),
        want,
        "{guarded} against `{answer}`"
    );
}

#[test]
fn a_guarded_answer_is_compared_as_a_value() {
    check("type = 'number'", "'0'", "0", true);
    check("type = 'number'", "'0'", "0e0", true);
    check("type = 'number'", "'1.50'", "1.5", true);
    check("type = 'number'", "'0'", "1", false);
    check("type = 'number'", "'0'", "none", false);
    check("type = 'number'", "'none'", "none", true);
    check("type = 'number'", "'any'", "7", true);
    check("type = 'number'", "'any'", "none", false);
    check("type = 'date'", "'2026-01-01'", "2026-01-01", true);
    let one = "type = 'enum'\nvalues = ['none', 'some']";
    check(one, "'none'", "none", true);
    check(one, "'none'", "some", false);
    check("type = 'bool'", "'false'", "false", true);
}

#[test]
fn a_set_is_guarded_where_it_holds_the_guarded_values() {
    let set = "type = 'set'\nvalues = ['EU', 'US', 'US-CO']\nwithin = { 'US-CO' = 'US' }";
    check(set, "'US'", "US", true);
    check(set, "'US'", "EU,US", true);
    check(set, "'US'", "US-CO", true);
    check(set, "'US,EU'", "EU,US-CO", true);
    check(set, "'US,EU'", "US", false);
    check(set, "'US-CO'", "US", false);
    check(set, "''", "", true);
    check(set, "''", "US", false);
}

#[test]
fn a_file_defines_at_most_two_thousand_facts() {
    let text = |n: usize| {
        let facts = (0..n)
            .map(|at| format!("[fact.f{at}]\ntype = 'bool'\nquestion = 'q?'\nserves = ['all']\n"));
        let head = "schema = 'alnager.facts/1'\nversion = '1'\n".to_owned();
        facts.fold(head, |text, fact| text + &fact)
    };
    assert!(Vocabulary::parse("f", &text(2_000)).is_ok());
    let error = Vocabulary::parse("f", &text(2_001))
        .unwrap_err()
        .to_string();
    assert!(error.contains("at most 2000"), "{error}");
}
