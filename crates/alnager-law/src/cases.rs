//! Cases: situations a lawyer can read, with the duties expected. They test the packs, not the program.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::book::Book;
use crate::fact::{Answer, Facts, Value, Vocabulary};
use crate::read::{self, Node, ReadError, nearest};
use crate::requirement::{AsOf, Standing, requirements};
use crate::rule::Truth;

/// One situation and what must follow from it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// The day judged and the day of knowledge.
    pub when: AsOf,
    /// Whether what is not listed is false or empty.
    pub closed_world: bool,
    /// The answers.
    pub facts: BTreeMap<String, Value>,
    /// What must follow.
    pub expect: Expect,
}

/// What must follow from a case.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Requirements in force.
    pub in_force: Vec<String>,
    /// Requirements that do not concern the system, or no longer do.
    pub not_applicable: Vec<String>,
    /// Requirements that begin later, or wait for their trigger, with the day.
    pub upcoming: BTreeMap<String, Date>,
    /// Derived facts.
    pub derived: BTreeMap<String, bool>,
}

/// What a case showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Statements held against the law.
    pub n_compared: usize,
    /// What came out differently, in words.
    pub differences: Vec<String>,
    /// Names that belong to packs not in the book.
    pub skipped: BTreeSet<String>,
}

/// Reads a `cases.toml`.
pub fn parse(file: &str, text: &str, vocabulary: &Vocabulary) -> Result<Vec<Case>, ReadError> {
    let root = read::read(file, text)?;
    root.only(&["schema", "note", "case"])?;
    root.need("schema")?.one_of(["alnager.cases/1"])?;
    root.need("case")?
        .list()?
        .iter()
        .map(|node| case(node, vocabulary))
        .collect()
}

/// Reads one case.
pub(crate) fn case(node: &Node, vocabulary: &Vocabulary) -> Result<Case, ReadError> {
    node.only(&[
        "id",
        "title",
        "description",
        "at",
        "known",
        "closed_world",
        "why",
        "source",
        "facts",
        "expect",
    ])?;
    let mut facts = BTreeMap::new();
    for field in node.need("facts")?.table()? {
        let kind = vocabulary.get(&field.key).ok_or_else(|| {
            field.node.wrong(format!(
                "there is no fact `{}`; {}",
                field.key,
                nearest(&field.key, vocabulary.names())
            ))
        })?;
        facts.insert(field.key.clone(), kind.read(&field.node)?);
    }
    let expect = node.need("expect")?;
    expect.only(&["in_force", "not_applicable", "upcoming", "derived"])?;
    let ids = |key: &str| expect.get(key)?.map_or(Ok(Vec::new()), Node::texts);
    let mut upcoming = BTreeMap::new();
    if let Some(table) = expect.get("upcoming")? {
        for field in table.table()? {
            upcoming.insert(field.key.clone(), field.node.date()?);
        }
    }
    let mut derived = BTreeMap::new();
    if let Some(table) = expect.get("derived")? {
        for field in table.table()? {
            derived.insert(field.key.clone(), field.node.bool()?);
        }
    }
    Ok(Case {
        id: node.need("id")?.words()?,
        when: AsOf {
            valid: node.need("at")?.date()?,
            known: node.need("known")?.date()?,
        },
        closed_world: node.get("closed_world")?.map_or(Ok(true), Node::bool)?,
        facts,
        expect: Expect {
            in_force: ids("in_force")?,
            not_applicable: ids("not_applicable")?,
            upcoming,
            derived,
        },
    })
}

/// Holds a case against the book. A name whose prefix belongs to no pack of the book is skipped; any other that is missing is a
/// difference.
pub fn run(book: &Book, case: &Case) -> Shown {
    let mut facts = Facts::hypothetical(case.closed_world);
    for (name, value) in &case.facts {
        if let Some(position) = book.vocabulary.position(name) {
            facts.set(position, Some(Answer::bare(value.clone())));
        }
    }
    let standings: BTreeMap<String, Standing> = requirements(book, &facts, case.when)
        .into_iter()
        .map(|requirement| (requirement.text().id.clone(), requirement.standing))
        .collect();
    let reader = book.reader(&facts, case.when.known);
    let derived: BTreeMap<String, Truth> = book
        .derived_facts()
        .iter()
        .enumerate()
        .map(|(at, fact)| (fact.name.clone(), reader.derived(at)))
        .collect();

    let mut shown = Shown::default();
    let families: BTreeSet<&str> = standings.keys().map(|id| family(id, '-')).collect();
    let mut hold =
        |id: &String, wanted: &str, fits: &dyn Fn(&Standing) -> bool| match standings.get(id) {
            None if !families.contains(family(id, '-')) => {
                shown.skipped.insert(id.clone());
            }
            found => {
                shown.n_compared += 1;
                if !found.is_some_and(fits) {
                    let found = found.map_or("missing".to_owned(), words);
                    shown
                        .differences
                        .push(format!("{} {id}: {found}, expected {wanted}", case.id));
                }
            }
        };
    for id in &case.expect.in_force {
        hold(id, "in force", &|standing| {
            matches!(standing, Standing::InForce { .. })
        });
    }
    for id in &case.expect.not_applicable {
        hold(id, "not applicable", &|standing| {
            matches!(
                standing,
                Standing::NotApplicable(_) | Standing::Ended { .. }
            )
        });
    }
    for (id, day) in &case.expect.upcoming {
        hold(id, &format!("upcoming {day}"), &|standing| match standing {
            Standing::Ahead { from } => from == day,
            Standing::Waiting { until, .. } => until == day,
            Standing::InForce { .. }
            | Standing::Ended { .. }
            | Standing::NotApplicable(_)
            | Standing::Unknown { .. } => false,
        });
    }
    let families: BTreeSet<&str> = derived.keys().map(|name| family(name, '_')).collect();
    for (name, wanted) in &case.expect.derived {
        match derived.get(name) {
            None if !families.contains(family(name, '_')) => {
                shown.skipped.insert(name.clone());
            }
            found => {
                shown.n_compared += 1;
                if found != Some(&Truth::from(*wanted)) {
                    shown
                        .differences
                        .push(format!("{} {name}: {found:?}, expected {wanted}", case.id));
                }
            }
        }
    }
    shown
}

/// The part of a name that all names of a pack share.
fn family(name: &str, mark: char) -> &str {
    name.split(mark).next().unwrap_or(name)
}

fn words(standing: &Standing) -> String {
    match standing {
        Standing::InForce { .. } => "in force".to_owned(),
        Standing::Ahead { from } => format!("upcoming {from}"),
        Standing::Waiting { until, .. } => format!("upcoming {until}"),
        Standing::Ended { on } => format!("ended {on}"),
        Standing::NotApplicable(_) => "not applicable".to_owned(),
        Standing::Unknown { .. } => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::pack::{Pack, Register};
    use expect_test::{Expect, expect};

    const FACTS: &str = "schema = 'alnager.facts/1'\nversion = '1'\n[fact.a]\ntype = 'bool'\nquestion = 'a?'\nserves = ['all']\n";
    const PACK: &str = "
schema = 'alnager.pack/1'\nid = 'x'\nversion = '1'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'X'\nkind = 'statute'\nbinding = true
citation = 'X'\nconfidence = 'A'\nstatus = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
applies.now = [{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }]
applies.later = [{ from = 2030-01-01, known = 2019-01-01, cite = 'c' }]
derive = [{ fact = 'x_a', rule = 'a' }]
[[requirement]]\nid = 'X-1'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = 'x_a'\napplies = ['now']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'
[[requirement]]\nid = 'X-2'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = 'a'\napplies = ['later']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'
";

    #[track_caller]
    fn check(expected: &str, want: Expect) {
        let evidence = Register::parse(
            "e",
            "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n",
            "kind",
        )
        .unwrap();
        let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
        let book = Book::new(
            vocabulary,
            evidence,
            Register::default(),
            vec![Pack::parse("p", PACK).unwrap()],
        )
        .unwrap();
        let text = format!(
            "schema = 'alnager.cases/1'\n[[case]]\nid = 'C1'\nat = 2026-01-01\nknown = 2026-01-01\nfacts = {{ a = true }}\nexpect = {{ {expected} }}\n"
        );
        let shown = run(&book, &parse("c", &text, &book.vocabulary).unwrap()[0]);
        want.assert_debug_eq(&(shown.n_compared, shown.differences, shown.skipped));
    }

    #[test]
    fn what_comes_out_as_expected_agrees() {
        check(
            "in_force = ['X-1'], upcoming = { X-2 = 2030-01-01 }, derived = { x_a = true }",
            expect![[r#"
            (
                3,
                [],
                {},
            )
        "#]],
        );
    }

    #[test]
    fn other_standings_days_and_truths_differ() {
        check(
            "in_force = ['X-2'], not_applicable = ['X-1'], upcoming = { X-2 = 2031-01-01 }, derived = { x_a = false }",
            expect![[r#"
            (
                4,
                [
                    "C1 X-2: upcoming 2030-01-01, expected in force",
                    "C1 X-1: in force, expected not applicable",
                    "C1 X-2: upcoming 2030-01-01, expected upcoming 2031-01-01",
                    "C1 x_a: Some(True), expected false",
                ],
                {},
            )
        "#]],
        );
    }

    #[test]
    fn only_names_of_other_packs_are_skipped() {
        check(
            "in_force = ['Y-1', 'X-9'], derived = { y_a = true }",
            expect![[r#"
            (
                1,
                [
                    "C1 X-9: missing, expected in force",
                ],
                {
                    "Y-1",
                    "y_a",
                },
            )
        "#]],
        );
    }
}
