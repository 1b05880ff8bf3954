#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;
use crate::fact::Vocabulary;
use crate::pack::{Pack, Register};

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
fact.idle = { type = 'bool', question = 'idle?', serves = ['all'] }
fact.alarm = { type = 'bool', question = 'alarm?', serves = ['all'] }
fact.is_ai = { type = 'bool', question = 'ai?', serves = ['all'] }
fact.research = { type = 'bool', question = 'research?', serves = ['all'], guarded = ['true'], guard_cite = 'Art 2(6)' }
fact.uses = { type = 'set', values = ['a', 'b', 'c', 'd'], question = 'uses?', serves = ['all'] }
fact.staff = { type = 'number', question = 'staff?', serves = ['all'] }
fact.placed = { type = 'date', question = 'placed?', serves = ['all'] }
fact.size = { type = 'enum', values = ['none', 'small', 'large'], question = 'size?', serves = ['all'] }
";

/// A pack `id` with requirements `id-1`, `id-2`, ... on these conditions, in force since 2026.
fn pack(id: &str, conditions: &[&str]) -> Pack {
    let mut text = format!(
        "schema = 'alnager.pack/1'\nid = '{id}'\nversion = '1'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'X'\n\
         kind = 'statute'\nbinding = true\ncitation = 'X'\nconfidence = 'A'\n\
         status = {{ state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }}\n\
         applies.all = [{{ from = 2026-01-01, known = 2025-01-01, cite = 'Art 1' }}]\n"
    );
    for (at, when) in conditions.iter().enumerate() {
        write!(
            text,
            "[[requirement]]\nid = '{id}-{}'\nwhat = 'w'\nhow = 'h'\ncite = 'Art {0}'\nwhen = \"{when}\"\n\
             applies = ['all']\nphase = 'before_use'\nevidence = ['log']\nrole = 'legal'\nkind = 'duty'\nwho = ['provider']\n",
            at + 1
        )
        .unwrap();
    }
    Pack::parse(id, &text).unwrap()
}

fn book(packs: &[(&str, &[&str])]) -> Book {
    let evidence =
        "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.log]\ntitle = 'Log'\nwhat = 'w'\n";
    let controls = "schema = 'alnager.controls/1'\nversion = '1'\n[control.CC01]\ntitle = 'C'\nevidence = ['log']\n";
    Book::new(
        Vocabulary::parse("facts", FACTS).unwrap(),
        Register::parse("evidence", evidence, "kind").unwrap(),
        Register::parse("controls", controls, "control").unwrap(),
        packs
            .iter()
            .map(|(id, conditions)| pack(id, conditions))
            .collect(),
    )
    .unwrap()
}

fn day() -> AsOf {
    AsOf {
        valid: "2026-11-23".parse().unwrap(),
        known: "2026-11-23".parse().unwrap(),
    }
}

/// Facts as `name=value` words; unconfirmed.
fn facts(book: &Book, answers: &str) -> Facts {
    let mut facts = Facts::new();
    for answer in answers.split_whitespace() {
        let (name, value) = answer.split_once('=').unwrap();
        let at = book.vocabulary.position(name).unwrap();
        let value = book.vocabulary.kinds()[at].parse(value).unwrap();
        facts.set(at, Some(Answer::bare(value)));
    }
    facts
}

/// A scope: the packs asked for (none: all) and the facts skipped, as words after `not`.
fn scope(book: &Book, words: &str) -> Scope {
    let (packs, skipped) = words.split_once("not").unwrap_or((words, ""));
    let packs: BTreeSet<String> = packs.split_whitespace().map(str::to_owned).collect();
    Scope {
        packs: (!packs.is_empty()).then_some(packs),
        skipped: skipped
            .split_whitespace()
            .map(|name| book.vocabulary.position(name).unwrap())
            .collect(),
    }
}

/// Shows the question that comes next, why, and how the requirements of the scope stand.
#[track_caller]
fn check(packs: &[(&str, &[&str])], answers: &str, about: &str, want: Expect) {
    let book = book(packs);
    let (facts, scope) = (facts(&book, answers), scope(&book, about));
    let mut shown = String::new();
    match next_question(&book, &facts, day(), &scope) {
        None => shown.push_str("nothing to ask\n"),
        Some(question) => {
            writeln!(shown, "{}", book.vocabulary.kinds()[question.fact].name).unwrap();
            for asking in &question.asked_by {
                writeln!(shown, "  {}: {}", asking.pack, ids(&asking.requirements)).unwrap();
            }
            for answer in &question.answers {
                let guarded = if answer.is_guarded {
                    ", once confirmed"
                } else {
                    ""
                };
                let (n, of) = (answer.n_settled, question.n_open);
                writeln!(shown, "  {} -> {n} of {of}{guarded}", answer.words).unwrap();
            }
        }
    }
    let progress = progress(&book, &facts, day(), &scope);
    for (word, list) in [
        ("open", &progress.open),
        ("unconfirmed", &progress.unconfirmed),
        ("skipped", &progress.skipped),
    ] {
        for pending in list {
            let names = pending.facts.iter();
            let names: Vec<&str> = names
                .map(|at| book.vocabulary.kinds()[*at].name.as_str())
                .collect();
            let id = &pending.requirement.text().id;
            writeln!(shown, "{word} {id}: {}", names.join(" ")).unwrap();
        }
    }
    want.assert_eq(&shown);
}

fn ids(requirements: &[Requirement]) -> String {
    let ids = requirements
        .iter()
        .map(|requirement| requirement.text().id.as_str());
    ids.collect::<Vec<_>>().join(" ")
}

/// Three requirements hang on one fact, a fourth on another.
const GATED: &[(&str, &[&str])] = &[(
    "x",
    &[
        "alarm",
        "is_ai && alarm",
        "is_ai && 'a' in uses",
        "is_ai && 'b' in uses",
    ],
)];

#[test]
fn the_fact_that_settles_most_is_asked_first() {
    check(
        GATED,
        "",
        "",
        expect![[r#"
        is_ai
          x: x-2 x-3 x-4
          yes -> 0 of 4
          no -> 3 of 4
        open x-1: alarm
        open x-2: alarm is_ai
        open x-3: is_ai uses
        open x-4: is_ai uses
    "#]],
    );
}

#[test]
fn a_set_is_asked_once_for_all_its_values() {
    check(
        GATED,
        "is_ai=true alarm=false",
        "",
        expect![[r#"
        uses
          x: x-3 x-4
          none of them, or only c, d -> 2 of 2
          a -> 2 of 2
          b -> 2 of 2
        open x-3: uses
        open x-4: uses
    "#]],
    );
}

#[test]
fn settled_requirements_are_not_asked_about() {
    check(
        GATED,
        "is_ai=false alarm=false",
        "",
        expect![[r#"
        nothing to ask
    "#]],
    );
}

#[test]
fn a_skipped_fact_is_not_asked_again() {
    check(
        GATED,
        "is_ai=true alarm=true",
        "not uses",
        expect![[r#"
        nothing to ask
        skipped x-3: uses
        skipped x-4: uses
    "#]],
    );
    check(
        GATED,
        "",
        "not uses is_ai",
        expect![[r#"
        alarm
          x: x-1 x-2
          yes -> 1 of 2
          no -> 2 of 2
        open x-1: alarm
        open x-2: alarm is_ai
        skipped x-3: is_ai uses
        skipped x-4: is_ai uses
    "#]],
    );
}

#[test]
fn only_the_packs_in_scope_ask() {
    check(
        &[("x", &["is_ai"]), ("y", &["alarm", "alarm && idle"])],
        "",
        "x",
        expect![[r#"
            is_ai
              x: x-1
              yes -> 1 of 1
              no -> 1 of 1
            open x-1: is_ai
        "#]],
    );
}

#[test]
fn an_unconfirmed_answer_is_not_asked_again_and_nothing_behind_it() {
    let packs: &[(&str, &[&str])] = &[("x", &["is_ai && !research && alarm"])];
    check(
        packs,
        "is_ai=true research=true",
        "",
        expect![[r#"
        nothing to ask
        unconfirmed x-1: research
    "#]],
    );
    check(
        packs,
        "is_ai=true research=false",
        "",
        expect![[r#"
        alarm
          x: x-1
          yes -> 1 of 1
          no -> 1 of 1
        open x-1: alarm
    "#]],
    );
}

#[test]
fn what_a_guarded_answer_would_settle_does_not_make_its_question_come_first() {
    check(
        &[(
            "x",
            &[
                "!research && is_ai",
                "!research && alarm",
                "!research && idle && alarm",
            ],
        )],
        "",
        "",
        expect![[r#"
            alarm
              x: x-2 x-3
              yes -> 0 of 3
              no -> 2 of 3
            open x-1: is_ai research
            open x-2: alarm research
            open x-3: idle alarm research
        "#]],
    );
}

#[test]
fn numbers_and_days_are_asked_at_and_around_their_limits() {
    check(
        &[("x", &["staff > 15 && staff <= 50"])],
        "",
        "",
        expect![[r#"
            staff
              x: x-1
              none -> 1 of 1
              below 15 -> 1 of 1
              15 -> 1 of 1
              between 15 and 50 -> 1 of 1
              50 -> 1 of 1
              above 50 -> 1 of 1
            open x-1: staff
        "#]],
    );
    check(
        &[("x", &["placed < date('2026-08-02')"])],
        "",
        "",
        expect![[r#"
            placed
              x: x-1
              none -> 1 of 1
              before 2026-08-02 -> 1 of 1
              2026-08-02 -> 1 of 1
              after 2026-08-02 -> 1 of 1
            open x-1: placed
        "#]],
    );
    check(
        &[("x", &["size in ['small']"])],
        "",
        "",
        expect![[r#"
        size
          x: x-1
          none -> 1 of 1
          small -> 1 of 1
          large -> 1 of 1
        open x-1: size
    "#]],
    );
}

#[test]
fn of_equals_the_first_in_the_vocabulary_is_asked() {
    check(
        &[("x", &["is_ai", "alarm"])],
        "",
        "",
        expect![[r#"
        alarm
          x: x-2
          yes -> 1 of 2
          no -> 1 of 2
        open x-1: is_ai
        open x-2: alarm
    "#]],
    );
}

#[test]
fn a_question_can_be_looked_at_again_after_its_answer() {
    let book = book(GATED);
    let answered = facts(&book, "is_ai=false alarm=false");
    let fact = book.vocabulary.position("is_ai").unwrap();
    let question = question_about(&book, &answered, day(), &scope(&book, "not is_ai"), fact);
    assert_eq!(question.fact, fact);
    assert_eq!(ids(&question.asked_by[0].requirements), "x-3 x-4");
    assert_eq!(question.n_open, 2);
}
