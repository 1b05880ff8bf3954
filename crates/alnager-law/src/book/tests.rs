#![allow(clippy::unwrap_used, clippy::panic)]

use jiff::civil::{Date, date};

use crate::book::Book;
use crate::fact::{Answer, Facts, Value, Vocabulary};
use crate::pack::{Pack, PackKind, Register};
use crate::read::ReadError;
use crate::requirement::{AsOf, Requirement, Standing, requirements};
use crate::rule::Truth;

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.machine]
type = 'bool'
question = 'machine?'
serves = ['all']
[fact.exempt]
type = 'bool'
question = 'exempt?'
serves = ['all']
";

/// A pack with the given body, binding unless the head says otherwise.
fn pack(id: &str, head: &str, body: &str) -> Pack {
    let head = if head.is_empty() {
        "kind = 'statute'\nbinding = true"
    } else {
        head
    };
    let text = format!(
        "schema = 'alnager.pack/1'\nid = '{id}'\nversion = '1'\ntitle = 'T'\nshort = '{id}'\njurisdiction = 'X'\n{head}\ncitation = 'C'\nconfidence = 'A'\n[status]\nstate = 'in_force'\nas_of = 2026-01-01\nknown_as_of = 2026-01-01\n{body}"
    );
    Pack::parse(id, &text).unwrap_or_else(|error| panic!("{error}"))
}

fn requirement_text(id: &str, when: &str) -> String {
    format!(
        "[[requirement]]\nid = '{id}'\nwhat = 'ours'\nhow = 'h'\ncite = 'c'\nwhen = '{when}'\napplies = ['main']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'\n"
    )
}

const MAIN: &str = "[[applies.main]]\nfrom = 2025-01-01\nknown = 2024-01-01\ncite = 'c'\n";

fn book(packs: Vec<Pack>) -> Result<Book, ReadError> {
    let evidence = "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n[kind.f]\ntitle = 't'\nwhat = 'w'\n";
    let evidence = Register::parse("e", evidence, "kind").unwrap();
    let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
    Book::new(vocabulary, evidence, Register::default(), packs)
}

fn facts(book: &Book, yes: &[&str]) -> Facts {
    let mut facts = Facts::hypothetical(true);
    for name in yes {
        let position = book.vocabulary.position(name).unwrap();
        facts.set(position, Some(Answer::bare(Value::Bool(true))));
    }
    facts
}

fn when(known: Date) -> AsOf {
    AsOf {
        valid: date(2026, 11, 23),
        known,
    }
}

fn first(book: &Book, yes: &[&str], known: Date) -> Requirement {
    requirements(book, &facts(book, yes), when(known)).remove(0)
}

/// The derived fact `high` said yes until July 2026 and says no since.
const VERSIONS: &str = "
[[derive]]
fact = 'high'
rule = 'machine'
known = 2024-07-12
until_known = 2026-07-24
[[derive]]
fact = 'high'
rule = 'machine && exempt'
known = 2026-07-24
";

#[test]
fn a_derived_fact_follows_the_rule_known_then() {
    let body = format!("{MAIN}{VERSIONS}{}", requirement_text("X-1", "high"));
    let book = book(vec![pack("x", "", &body)]).unwrap();
    let check = |known, want: bool| {
        let standing = first(&book, &["machine"], known).standing;
        let found = matches!(standing, Standing::InForce { .. });
        assert_eq!(found, want, "known {known}: {standing:?}");
    };
    check(date(2024, 7, 11), false);
    check(date(2024, 7, 12), true);
    check(date(2026, 7, 23), true);
    check(date(2026, 7, 24), false);
    let facts = facts(&book, &["machine"]);
    assert_eq!(book.reader(&facts, Date::MAX).derived(0), Truth::False);
}

#[test]
fn two_rules_for_one_fact_need_different_times() {
    let twice = VERSIONS.replace("until_known = 2026-07-24", "until_known = 2026-07-25");
    let body = format!("{MAIN}{twice}{}", requirement_text("X-1", "high"));
    let error = book(vec![pack("x", "", &body)]).unwrap_err().to_string();
    assert!(error.contains("`high` is defined twice"), "{error}");
    let other = "[[derive]]\nfact = 'high'\nrule = 'exempt'\nknown = 2030-01-01\n";
    let body = format!("{MAIN}{VERSIONS}{}", requirement_text("X-1", "high"));
    let packs = vec![pack("x", "", &body), pack("y", "", other)];
    let error = book(packs).unwrap_err().to_string();
    assert!(error.contains("`high` is defined twice"), "{error}");
}

#[test]
fn an_overlay_adds_an_exception_and_a_wording_and_is_named() {
    let base = format!("{MAIN}{}", requirement_text("X-1", "machine"));
    let overlay = "[[exception]]\nto = 'X-1'\nunless = 'exempt'\nknown = 2025-06-01\ncite = 'Opinion 1'\n[[rewording]]\nrequirement = 'X-1'\nwhat = 'theirs'\nevidence = ['f']\ncite = 'Opinion 2'\n";
    let book = book(vec![pack("x", "", &base), pack("counsel", "", overlay)]).unwrap();
    let free = first(&book, &["machine", "exempt"], date(2026, 11, 23));
    assert!(matches!(free.standing, Standing::NotApplicable(_)));
    let bound = first(&book, &["machine"], date(2026, 11, 23));
    assert!(matches!(bound.standing, Standing::InForce { .. }));
    assert_eq!(bound.text().what, "theirs");
    assert_eq!(bound.text().evidence, ["f"]);
    let marks: Vec<(&str, &str)> = bound
        .overlays()
        .iter()
        .map(|overlay| (overlay.what.as_str(), overlay.cite.as_str()))
        .collect();
    assert_eq!(
        marks,
        [
            ("an exception", "counsel, Opinion 1"),
            ("its wording", "counsel, Opinion 2")
        ]
    );
}

#[test]
fn an_added_exception_frees_nobody_before_its_day() {
    let base = format!("{MAIN}{}", requirement_text("X-1", "machine"));
    let overlay = "[[exception]]\nto = 'X-1'\nunless = 'exempt'\nknown = 2026-06-01\nuntil_known = 2026-08-01\ncite = 'c'\n";
    let book = book(vec![pack("x", "", &base), pack("counsel", "", overlay)]).unwrap();
    for (known, bound) in [
        (date(2026, 5, 31), true),
        (date(2026, 6, 1), false),
        (date(2026, 7, 31), false),
        (date(2026, 8, 1), true),
    ] {
        let standing = first(&book, &["machine", "exempt"], known).standing;
        let found = matches!(standing, Standing::InForce { .. });
        assert_eq!(found, bound, "known {known}: {standing:?}");
    }
}

#[test]
fn what_is_no_law_changes_no_law_and_nothing_changes_the_policy() {
    let base = format!("{MAIN}{}", requirement_text("X-1", "machine"));
    let overlay = "[[exception]]\nto = 'X-1'\nunless = 'exempt'\nknown = 2026-06-01\ncite = 'c'\n";
    for head in [
        "kind = 'bill'\nbinding = false",
        "kind = 'bill'\nbinding = true",
        "kind = 'framework'\nbinding = false",
    ] {
        let packs = vec![pack("x", "", &base), pack("y", head, overlay)];
        let error = book(packs).unwrap_err().to_string();
        assert!(error.contains("no binding law"), "{head}: {error}");
    }
    let mut policy = pack("x", "", &base);
    policy.kind = PackKind::Policy;
    let error = book(vec![policy, pack("y", "", overlay)])
        .unwrap_err()
        .to_string();
    assert!(error.contains("change the policy instead"), "{error}");
}

#[test]
fn an_overlay_of_nothing_is_refused() {
    let base = format!("{MAIN}{}", requirement_text("X-1", "machine"));
    let check = |overlay: &str, want: &str| {
        let error = book(vec![pack("x", "", &base), pack("counsel", "", overlay)])
            .unwrap_err()
            .to_string();
        assert!(error.contains(want), "{error}");
    };
    check(
        "[[exception]]\nto = 'X-9'\nunless = 'exempt'\nknown = 2025-06-01\ncite = 'c'\n",
        "`X-9`",
    );
    check(
        "[[rewording]]\nrequirement = 'X-9'\nwhat = 'w'\ncite = 'c'\n",
        "`X-9`",
    );
}

#[test]
fn in_force_and_enforceable_are_different_things() {
    let check = |head: &str, rows: &str, want: &str| {
        let body = format!("{MAIN}{rows}{}", requirement_text("X-1", "machine"));
        let book = book(vec![pack("x", head, &body)]).unwrap();
        let found = first(&book, &["machine"], date(2026, 11, 23));
        assert!(matches!(found.standing, Standing::InForce { .. }));
        assert_eq!(found.force.words(), want, "{head} {rows}");
    };
    let row = |rest: &str| format!("[[enforcement]]\nknown = 2025-01-01\ncite = 'c'\n{rest}\n");
    check("", "", "enforceable");
    check(
        "",
        &row("state = 'grace'\nuntil = 2027-01-22"),
        "grace until 2027-01-22",
    );
    check(
        "",
        &row("state = 'grace'\nuntil = 2026-11-23"),
        "enforceable",
    );
    check("", &row("state = 'stayed'"), "stayed until further notice");
    check(
        "",
        &row("state = 'stayed'\nfrom = 2027-01-01"),
        "enforceable",
    );
    check(
        "",
        &row("state = 'no_fines'\nuntil = 2027-01-01\ngroups = ['main']"),
        "no fines until 2027-01-01",
    );
    check("kind = 'framework'\nbinding = false", "", "voluntary");
    check(
        "kind = 'bill'\nbinding = false",
        "",
        "what-if: a bill, not law",
    );
}

#[test]
fn a_doubt_about_the_core_goes_to_counsel_and_a_side_note_does_not() {
    let check = |rest: &str, derive: &str, counsel: &[&str], preview: &[&str]| {
        let when = if derive.is_empty() { "machine" } else { "high" };
        let body = format!("{MAIN}{derive}{}{rest}\n", requirement_text("X-1", when));
        let book = book(vec![pack("x", "", &body)]).unwrap();
        let found = first(&book, &["machine"], date(2026, 11, 23));
        assert_eq!(found.for_counsel, counsel, "{rest}");
        assert_eq!(found.preview, preview, "{rest}");
    };
    let derive = "[[derive]]\nfact = 'high'\nrule = 'machine'\nunconfirmed = 'the scope'\n";
    check("", "", &[], &[]);
    check("unconfirmed = 'the core'", "", &["the core"], &["the core"]);
    check("unconfirmed_detail = 'the hour'", "", &[], &["the hour"]);
    check("", derive, &["the scope"], &["the scope"]);
}
