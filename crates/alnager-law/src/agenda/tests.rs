#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};
use jiff::civil::date;

use super::*;
use crate::fact::{Answer, Facts, Value, Vocabulary};
use crate::pack::Register;

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.high]
type = 'bool'
question = 'high?'
serves = ['all']
";

const PACK: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X Act'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
transition = [{ groups = ['late'], when = 'high', from = 2030-08-02, cite = 'Art 111' }]
[[applies.main]]
from = 2026-08-02
known = 2024-07-12
until_known = 2026-07-24
cite = 'original'
[[applies.main]]
from = 2027-12-02
known = 2026-07-24
cite = 'amended'
[[applies.sleeps]]
from = 2026-08-02
known = 2024-07-12
cite = 'sleeps'
dormant_until = 'main'
[[applies.ends]]
from = 2025-02-02
to = 2026-07-27
known = 2024-07-12
cite = 'ends'
[[applies.soft]]
from = 2025-02-02
known = 2024-07-12
cite = 'soft'
[[applies.late]]
from = 2026-08-02
known = 2024-07-12
cite = 'late'
[[enforcement]]
state = 'no_fines'
until = 2026-09-02
known = 2024-07-12
cite = 'Art 101'
groups = ['soft']
[[enforcement]]
state = 'stayed'
from = 2028-01-01
until = 2028-07-01
known = 2024-07-12
cite = 'court'
groups = ['soft']
";

fn book() -> Book {
    let groups = ["main", "sleeps", "ends", "soft", "late"];
    let requirements = groups.map(|group| {
        format!(
            "[[requirement]]\nid = 'X-{group}'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = 'high'\napplies = ['{group}']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'\n"
        )
    });
    let text = format!("{PACK}{}", requirements.concat());
    let evidence =
        "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n";
    Book::new(
        Vocabulary::parse("facts.toml", FACTS).unwrap(),
        Register::parse("evidence.toml", evidence, "kind").unwrap(),
        Register::default(),
        vec![Pack::parse("pack.toml", &text).unwrap()],
    )
    .unwrap()
}

/// What happens to a system from 2025 on, as known on a day; without an answer to `high` where there is none.
#[track_caller]
fn check(high: Option<bool>, known: Date, want: Expect) {
    let book = book();
    let mut facts = Facts::new();
    facts.set(0, high.map(|high| Answer::bare(Value::Bool(high))));
    let reader = book.reader(&facts, known);
    let items = agenda(&reader, date(2025, 1, 1), date(2040, 1, 1));
    let line = |item: &AgendaItem| {
        let id = &item.requirement.text().id;
        format!("{} {} {id}", item.day, item.turn.word())
    };
    want.assert_eq(&items.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_comes_for_a_system_depends_on_what_was_known() {
    check(
        Some(true),
        date(2026, 6, 30),
        expect![[r#"
        2025-02-02 begins X-ends
        2025-02-02 begins X-soft
        2026-07-27 ends X-ends
        2026-08-02 begins X-main
        2026-08-02 begins X-sleeps
        2026-09-02 fines begin X-soft
        2028-01-01 stayed X-soft
        2028-07-01 stay ends X-soft
        2030-08-02 begins X-late"#]],
    );
    check(
        Some(true),
        date(2026, 11, 23),
        expect![[r#"
        2025-02-02 begins X-ends
        2025-02-02 begins X-soft
        2026-07-27 ends X-ends
        2026-08-02 waits X-sleeps
        2026-09-02 fines begin X-soft
        2027-12-02 begins X-main
        2027-12-02 wakes X-sleeps
        2028-01-01 stayed X-soft
        2028-07-01 stay ends X-soft
        2030-08-02 begins X-late"#]],
    );
}

#[test]
fn where_facts_are_missing_it_may_begin() {
    check(
        None,
        date(2026, 11, 23),
        expect![[r#"
        2025-02-02 may begin X-ends
        2025-02-02 may begin X-soft
        2026-07-27 ends X-ends
        2026-08-02 may begin X-late
        2027-12-02 may begin X-main
        2027-12-02 may begin X-sleeps
        2030-08-02 may begin X-late"#]],
    );
    check(Some(false), date(2026, 11, 23), expect![[""]]);
}

#[test]
fn the_first_day_counts_and_the_last_does_not() {
    let book = book();
    let mut facts = Facts::new();
    facts.set(0, Some(Answer::bare(Value::Bool(true))));
    let reader = book.reader(&facts, date(2026, 11, 23));
    let days = |from, until| agenda(&reader, from, until).len();
    let begins = date(2027, 12, 2);
    assert_eq!(days(begins, begins.tomorrow().unwrap()), 2);
    assert_eq!(days(begins.yesterday().unwrap(), begins), 0);
}

#[test]
fn a_book_has_dates_whomever_they_concern() {
    let dates = book_dates(
        &book(),
        date(2026, 11, 23),
        date(2026, 1, 1),
        date(2040, 1, 1),
    );
    let line = |date: &BookDate| {
        let when = date.when.as_deref().unwrap_or("all");
        let ids = date.requirements.join(",");
        format!(
            "{} {} {ids} ({}) {when}",
            date.day,
            date.turn.word(),
            date.cite
        )
    };
    expect![[r#"
        2026-07-27 ends X-ends (X, ends) all
        2026-08-02 begins X-late (X, late) all
        2026-08-02 waits X-sleeps (X, sleeps) all
        2026-09-02 fines begin X-soft (X, Art 101) all
        2027-12-02 begins X-main (X, amended) all
        2028-01-01 stayed X-soft (X, court) all
        2028-07-01 stay ends X-soft (X, court) all
        2030-08-02 begins X-late (X, Art 111) high"#]]
    .assert_eq(&dates.iter().map(line).collect::<Vec<_>>().join("\n"));
}
