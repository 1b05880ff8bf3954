#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;
use crate::book::Book;
use crate::fact::{Answer, Facts, Value, Vocabulary};
use crate::figure;
use crate::pack::{Pack, Register};
use crate::requirement::{AsOf, requirements};

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.yes]
type = 'bool'
question = 'yes?'
serves = ['all']
[fact.open]
type = 'bool'
question = 'open?'
serves = ['all']
";

const EVIDENCE: &str = "
schema = 'alnager.evidence/1'
version = '1'
[kind.e]
title = 'E'
what = 'w'
";

const KINDS: &str = "
schema = 'alnager.figures/1'
version = '1'
[kind.keep]
title = 'How long records are kept'
stricter = 'longer'
";

/// Reads one requirement per line, `id [ahead|false|unknown] [!other why]: [bound amount, …]`, as a book with one pack.
pub(crate) fn requirements_of(lines: &str) -> (Vec<Requirement>, BTreeMap<String, FigureKind>) {
    let mut pack = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'Act'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
applies.now = [{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }]
applies.later = [{ from = 2030-01-01, known = 2019-01-01, cite = 'c' }]
"
    .to_owned();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, figures) = line.split_once(':').unwrap();
        let (head, conflict) = head.split_once(" !").unwrap_or((head, ""));
        let (id, how) = head.split_once(' ').unwrap_or((head, ""));
        let conflicts = conflict
            .split_once(' ')
            .map_or(String::new(), |(with, why)| {
                format!("{{ with = '{with}', why = '{why}' }}")
            });
        let figures = figures
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty());
        let figures = figures.map(|figure| {
            let (bound, amount) = figure.split_once(' ').unwrap();
            format!("{{ kind = 'keep', {bound} = '{amount}', cite = 'Art {id}' }}")
        });
        let figures = figures.collect::<Vec<_>>().join(", ");
        let (when, applies) = match how {
            "ahead" => ("yes", "later"),
            "false" => ("!yes", "now"),
            "unknown" => ("open", "now"),
            _ => ("yes", "now"),
        };
        pack += &format!(
            "[[requirement]]\nid = '{id}'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = '{when}'\napplies = ['{applies}']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'\nfigures = [{figures}]\nconflicts = [{conflicts}]\n"
        );
    }
    let kinds = figure::kinds("k", KINDS).unwrap();
    let book = Book::new(
        Vocabulary::parse("f", FACTS).unwrap(),
        Register::parse("e", EVIDENCE, "kind").unwrap(),
        Register::default(),
        vec![Pack::parse("p", &pack).unwrap()],
    );
    let book = book.unwrap().with_figures(kinds.clone()).unwrap();
    let mut facts = Facts::new();
    facts.set(
        book.vocabulary.position("yes").unwrap(),
        Some(Answer::bare(Value::Bool(true))),
    );
    let day = "2026-11-23".parse().unwrap();
    let when = AsOf {
        valid: day,
        known: day,
    };
    (requirements(&book, &facts, when), kinds)
}

#[track_caller]
fn check(lines: &str, want: Expect) {
    let (requirements, kinds) = requirements_of(lines);
    let found = conflicts(&requirements, &kinds);
    let shown = found.iter().map(|pair| {
        let how = if pair.is_computed {
            "computed"
        } else {
            "named"
        };
        format!("{} x {} ({how}): {}", pair.one, pair.other, pair.why)
    });
    want.assert_eq(&shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_conflict_named_on_either_side_or_on_both_is_one() {
    check(
        "A !B they pull apart:\nB:",
        expect!["A x B (named): they pull apart"],
    );
    check(
        "A:\nB !A they pull apart:",
        expect!["A x B (named): they pull apart"],
    );
    check(
        "A !B one reason:\nB !A another:\nC !Nobody why:",
        expect!["A x B (named): one reason; another"],
    );
}

#[test]
fn both_sides_must_concern_the_system() {
    check("A !B why:\nB ahead:", expect!["A x B (named): why"]);
    check("A !B why:\nB false:", expect![""]);
    check("A !B why:\nB unknown:", expect![""]);
    check("A: at_least 3 years\nB false: at_most 30 days", expect![""]);
}

#[test]
fn figures_that_nothing_satisfies_both_of_are_found() {
    check(
        "A: at_least 3 years\nB: at_most 30 days",
        expect![
            "A x B (computed): How long records are kept: A (Act, Art A) asks for at least 3 years, B (Act, Art B) for at most 30 days; nothing satisfies both"
        ],
    );
    check("A: at_least 30 days\nB: at_most 3 years", expect![""]);
    check("A: at_least 1 year\nB: at_most 12 months", expect![""]);
    // Nobody can say whether ten working days fit into eleven calendar days.
    check(
        "A: at_least 10 business days\nB: at_most 11 days",
        expect![""],
    );
}

#[test]
fn either_side_sees_the_other() {
    let (requirements, kinds) = requirements_of("A !B why:\nB:");
    let pair = &conflicts(&requirements, &kinds)[0];
    assert_eq!(pair.against("A"), Some("B"));
    assert_eq!(pair.against("B"), Some("A"));
    assert_eq!(pair.against("C"), None);
}
