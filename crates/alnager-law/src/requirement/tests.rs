#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use crate::book::Book;
use crate::explain::explain;
use crate::fact::{Answer, Facts, Vocabulary};
use crate::pack::{Pack, Register};
use crate::requirement::{AsOf, Standing, requirements};

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.high]
type = 'bool'
question = 'high?'
serves = ['all']
[fact.other]
type = 'bool'
question = 'other?'
serves = ['all']
[fact.narrow]
type = 'bool'
question = 'narrow?'
serves = ['all']
guarded = ['true']
guard_cite = 'Art 6(3)'
[fact.placed]
type = 'date'
question = 'placed?'
serves = ['all']
";

/// One requirement in every kind of date group.
const PACK: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
transition = [{ groups = ['one'], when = \"placed < date('2027-01-01')\", effect = 'not_applicable', cite = 'Art 111' }]
[[applies.one]]
from = 2026-08-02
known = 2024-07-12
until_known = 2026-07-24
cite = 'original'
[[applies.one]]
from = 2027-12-02
known = 2026-07-24
cite = 'as amended'
[[applies.two]]
from = 2028-08-02
known = 2024-07-12
cite = 'two'
[[applies.sleeps]]
from = 2026-08-02
known = 2024-07-12
cite = 'sleeps'
dormant_until = 'either'
[[applies.ends]]
from = 2011-01-01
known = 2010-01-01
until_known = 2026-04-22
cite = 'before'
[[applies.ends]]
from = 2011-01-01
to = 2026-07-21
known = 2026-04-22
cite = 'after'
[choose]
either = [{ group = 'two' }, { group = 'one', when = 'high' }]
[[requirement]]
id = 'X-either'
what = 'w'
how = 'h'
cite = 'c'
when = 'high || other'
unless = ['narrow']
applies = ['either']
phase = 'before_use'
evidence = ['e']
role = 'legal'
[[requirement]]
id = 'X-sleeps'
what = 'w'
how = 'h'
cite = 'c'
when = 'high || other'
applies = ['sleeps']
phase = 'before_use'
evidence = ['e']
role = 'legal'
[[requirement]]
id = 'X-ends'
what = 'w'
how = 'h'
cite = 'c'
when = 'true'
applies = ['ends']
phase = 'before_use'
evidence = ['e']
role = 'legal'
";

fn book() -> Book {
    let evidence = Register::parse(
        "e",
        "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n",
        "kind",
    )
    .unwrap();
    Book::new(
        Vocabulary::parse("f", FACTS).unwrap(),
        evidence,
        Register::default(),
        vec![Pack::parse("p", PACK).unwrap()],
    )
    .unwrap()
}

fn facts(book: &Book, text: &str) -> Facts {
    let mut facts = Facts::new();
    for pair in text.split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        let (value, confirmed) = value
            .strip_suffix('!')
            .map_or((value, false), |value| (value, true));
        let position = book.vocabulary.position(name).unwrap();
        let mut answer = Answer::bare(book.vocabulary.kinds()[position].parse(value).unwrap());
        answer.confirmed_by = confirmed.then(|| "someone else".to_owned());
        facts.set(position, Some(answer));
    }
    facts
}

fn words(book: &Book, standing: &Standing) -> String {
    match standing {
        Standing::Unknown { missing, from } => {
            let names: Vec<&str> = missing
                .iter()
                .map(|at| book.vocabulary.kinds()[*at].name.as_str())
                .collect();
            format!(
                "unknown for want of {}, from {}",
                names.join(" "),
                from.map_or("never".to_owned(), |from| from.to_string())
            )
        }
        standing => format!("{standing:?}"),
    }
}

/// Facts as `name=value`, confirmed ones with `!`; shows how a requirement stands on a day, as known on a day.
#[track_caller]
fn check(id: &str, given: &str, valid: &str, known: &str, want: Expect) {
    let book = book();
    let when = AsOf {
        valid: valid.parse().unwrap(),
        known: known.parse().unwrap(),
    };
    let found = requirements(&book, &facts(&book, given), when);
    let found = found
        .iter()
        .find(|requirement| requirement.text().id == id)
        .unwrap();
    want.assert_eq(&words(&book, &found.standing));
}

#[test]
fn the_date_is_the_one_known_then() {
    check(
        "X-either",
        "high=true placed=none narrow=false",
        "2026-09-01",
        "2026-06-30",
        expect!["InForce { from: 2026-08-02 }"],
    );
    check(
        "X-either",
        "high=true placed=none narrow=false",
        "2026-09-01",
        "2026-07-24",
        expect!["Ahead { from: 2027-12-02 }"],
    );
    check(
        "X-either",
        "high=true placed=none narrow=false",
        "2026-09-01",
        "2020-01-01",
        expect!["NotApplicable(NotKnown)"],
    );
}

#[test]
fn the_last_group_whose_condition_holds_wins() {
    check(
        "X-either",
        "high=false other=true placed=none narrow=false",
        "2028-09-01",
        "2026-08-01",
        expect!["InForce { from: 2028-08-02 }"],
    );
}

#[test]
fn a_duty_sleeps_until_its_trigger_can_exist() {
    check(
        "X-sleeps",
        "high=true placed=none",
        "2026-09-01",
        "2026-08-01",
        expect!["Waiting { since: 2026-08-02, until: 2027-12-02 }"],
    );
    check(
        "X-sleeps",
        "high=true placed=none",
        "2026-09-01",
        "2026-06-30",
        expect!["InForce { from: 2026-08-02 }"],
    );
}

#[test]
fn a_duty_that_ended_is_named_so() {
    check(
        "X-ends",
        "",
        "2026-07-20",
        "2026-05-01",
        expect!["InForce { from: 2011-01-01 }"],
    );
    check(
        "X-ends",
        "",
        "2026-07-21",
        "2026-05-01",
        expect!["Ended { on: 2026-07-21 }"],
    );
    check(
        "X-ends",
        "",
        "2026-07-21",
        "2026-04-01",
        expect!["InForce { from: 2011-01-01 }"],
    );
}

#[test]
fn a_transition_takes_a_duty_out_and_an_unknown_one_leaves_it_open() {
    check(
        "X-either",
        "high=true placed=2026-03-01 narrow=false",
        "2028-01-01",
        "2026-08-01",
        expect![[r#"NotApplicable(ByTransition("Art 111"))"#]],
    );
    check(
        "X-either",
        "high=true narrow=false",
        "2028-01-01",
        "2026-08-01",
        expect!["unknown for want of placed, from 2027-12-02"],
    );
    check(
        "X-either",
        "high=true narrow=false",
        "2026-08-01",
        "2026-08-01",
        expect!["unknown for want of placed, from 2027-12-02"],
    );
}

#[test]
fn an_exception_counts_only_once_someone_else_confirms_it() {
    check(
        "X-either",
        "high=true narrow=true placed=none",
        "2028-01-01",
        "2026-08-01",
        expect!["unknown for want of narrow, from 2027-12-02"],
    );
    check(
        "X-either",
        "high=true narrow=true! placed=none",
        "2028-01-01",
        "2026-08-01",
        expect!["NotApplicable(ByFacts)"],
    );
    check(
        "X-either",
        "high=true narrow=false placed=none",
        "2028-01-01",
        "2026-08-01",
        expect!["InForce { from: 2027-12-02 }"],
    );
}

#[test]
fn an_explanation_names_what_decided_it_and_what_would_flip_it() {
    let book = book();
    let when = AsOf {
        valid: "2028-01-01".parse().unwrap(),
        known: "2026-08-01".parse().unwrap(),
    };
    let found = explain(
        &book,
        &facts(&book, "high=true other=false narrow=false placed=none"),
        when,
        "X-either",
    )
    .unwrap();
    let name = |at: &usize| book.vocabulary.kinds()[*at].name.clone();
    let decisive: Vec<String> = found.decisive.iter().map(name).collect();
    let flips: Vec<String> = found
        .flips
        .iter()
        .map(|flip| {
            format!(
                "{}={}: {}",
                name(&flip.fact),
                flip.value,
                words(&book, &flip.standing)
            )
        })
        .collect();
    expect![[r#"
        (
            [
                "high",
                "narrow",
            ],
            [
                "high=no: NotApplicable(ByFacts)",
                "narrow=yes: NotApplicable(ByFacts)",
                "placed=2026-12-31: NotApplicable(ByTransition(\"Art 111\"))",
            ],
        )
    "#]]
    .assert_debug_eq(&(decisive, flips));
}
