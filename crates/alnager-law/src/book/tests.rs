#![allow(clippy::unwrap_used, clippy::panic)]

use jiff::civil::{Date, date};

use crate::book::Book;
use crate::explain::explain;
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
    let text = pack_text(id, head, body);
    Pack::parse(id, &text).unwrap_or_else(|error| panic!("{error}"))
}

fn pack_text(id: &str, head: &str, body: &str) -> String {
    let head = if head.is_empty() {
        "kind = 'statute'\nbinding = true"
    } else {
        head
    };
    format!(
        "schema = 'alnager.pack/1'\nid = '{id}'\nversion = '1'\ntitle = 'T'\nshort = '{id}'\njurisdiction = 'X'\n{head}\ncitation = 'C'\nconfidence = 'A'\n[status]\nstate = 'in_force'\nas_of = 2026-01-01\nknown_as_of = 2026-01-01\n{body}"
    )
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

/// What counsel is asked about the first requirement of a book of these packs, where only `machine` is answered yes.
#[track_caller]
fn asked(packs: Vec<Pack>, known: Date, want: &[&str]) {
    let book = book(packs).unwrap();
    let found = first(&book, &["machine"], known);
    assert_eq!(found.for_counsel, want, "{:?}", found.standing);
    // Whatever is asked can be settled.
    let all = book.doubts(&found.text().id).unwrap();
    assert!(found.for_counsel.iter().all(|doubt| all.contains(doubt)));
}

/// The fact `high` is not confirmed, and false here.
const DOUBTED: &str =
    "[[derive]]\nfact = 'high'\nrule = 'machine && exempt'\nunconfirmed = 'the scope'\n";
const TODAY: Date = date(2026, 11, 23);

#[test]
fn a_duty_ruled_out_by_what_is_not_confirmed_goes_to_counsel() {
    let one = |main: &str, when: &str| {
        let body = format!("{main}{DOUBTED}{}", requirement_text("X-1", when));
        vec![pack("x", "", &body)]
    };
    asked(one(MAIN, "high"), TODAY, &["the scope"]);
    asked(one(MAIN, "machine && !(!high)"), TODAY, &["the scope"]);
    // It is ruled out anyway.
    asked(one(MAIN, "high && exempt"), TODAY, &[]);
    // It would not bind on that day.
    asked(one(&MAIN.replace("2025", "2030"), "high"), TODAY, &[]);
    asked(one(MAIN, "high"), date(2020, 1, 1), &[]);
}

#[test]
fn a_date_that_turns_on_what_is_not_confirmed_goes_to_counsel() {
    let one = |dates: &str| {
        let body = format!("{dates}{DOUBTED}{}", requirement_text("X-1", "machine"));
        vec![pack("x", "", &body)]
    };
    let row = |rest: &str| {
        format!("[[applies.main]]\nfrom = 2025-01-01\nknown = 2024-01-01\ncite = 'c'\n{rest}\n")
    };
    asked(one(&row("when = 'high'")), TODAY, &["the scope"]);
    asked(one(&row("when = '!high'")), TODAY, &["the scope"]);
    asked(one(&row("when = 'machine'")), TODAY, &[]);
    // The row that counts holds whatever `high` is.
    let both = format!("{}{}", row("when = 'high'"), row(""));
    asked(one(&both), TODAY, &[]);
    let transition = "[[transition]]\ngroups = ['main']\nwhen = '!high'\neffect = 'not_applicable'\ncite = 'c'\n";
    asked(one(&format!("{MAIN}{transition}")), TODAY, &["the scope"]);
    let choose = "choose = { main = [{ group = 'one' }, { group = 'two', when = 'high' }] }\n";
    let rows = format!(
        "{}{}",
        row("").replace("main", "one"),
        row("").replace("main", "two")
    );
    let body = format!("{rows}{DOUBTED}{}", requirement_text("X-1", "machine"));
    let mut text = pack_text("x", "", &body);
    text = text.replace("[status]", &format!("{choose}[status]"));
    asked(
        vec![Pack::parse("x", &text).unwrap()],
        TODAY,
        &["the scope"],
    );
}

#[test]
fn what_another_pack_derives_from_secondary_sources_is_not_confirmed() {
    let uses = format!("{MAIN}{}", requirement_text("X-1", "high"));
    let derives = |confidence: &str| {
        let body = "[[derive]]\nfact = 'high'\nrule = 'machine'\n";
        let mut other = pack("y", "", body);
        other.confidence = confidence.to_owned();
        vec![pack("x", "", &uses), other]
    };
    asked(derives("A"), TODAY, &[]);
    asked(
        derives("unconfirmed"),
        TODAY,
        &["the pack y rests on secondary sources"],
    );
}

#[test]
fn what_is_said_of_a_derived_fact_is_that_of_its_version() {
    let derive = "[[derive]]\nfact = 'high'\nrule = 'machine'\ncite = 'old'\nunconfirmed = 'the scope'\nuntil_known = 2026-07-24\n[[derive]]\nfact = 'high'\nrule = 'machine'\ncite = 'new'\nnote = 'n'\nknown = 2026-07-24\n";
    let body = format!("{MAIN}{derive}{}", requirement_text("X-1", "high"));
    let packs = || vec![pack("x", "", &body)];
    asked(packs(), date(2026, 7, 23), &["the scope"]);
    asked(packs(), date(2026, 7, 24), &[]);
    let book = book(packs()).unwrap();
    let said = |known| {
        let version = book.derived(0).version(known).unwrap();
        (version.cite.as_str(), version.note.as_deref())
    };
    assert_eq!(said(date(2026, 7, 23)), ("old", None));
    assert_eq!(said(date(2026, 7, 24)), ("new", Some("n")));
}

#[test]
fn a_limit_that_is_lifted_is_over_and_one_on_a_chosen_group_counts() {
    let check = |rows: &str, want: &str| {
        let body = requirement_text("X-1", "machine").replace("['main']", "['pick']");
        let body = format!("{MAIN}{rows}{body}[choose]\npick = [{{ group = 'main' }}]\n");
        let book = book(vec![pack("x", "", &body)]).unwrap();
        let found = first(&book, &["machine"], TODAY);
        assert_eq!(found.force.words(), want, "{rows}");
    };
    let row = |rest: &str| format!("[[enforcement]]\ncite = 'c'\n{rest}\n");
    let stayed = row("state = 'stayed'\nknown = 2025-01-01");
    let lifted = row("state = 'stayed'\nknown = 2026-05-01\nuntil = 2026-06-01");
    check(&stayed, "stayed until further notice");
    check(&format!("{stayed}{lifted}"), "enforceable");
    check(&format!("{lifted}{stayed}"), "enforceable");
    // Another kind of limit, or one on other groups, stays.
    let fines = row("state = 'no_fines'\nknown = 2025-01-01");
    check(
        &format!("{fines}{lifted}{stayed}"),
        "no fines until further notice",
    );
    for group in ["main", "pick"] {
        let on = row(&format!(
            "state = 'stayed'\nknown = 2025-01-01\ngroups = ['{group}']"
        ));
        check(&on, "stayed until further notice");
        check(&format!("{on}{lifted}"), "stayed until further notice");
    }
}

#[test]
fn a_sleeping_row_whose_waker_is_undecided_is_undecided() {
    let dates = "[[applies.main]]\nfrom = 2025-01-01\nknown = 2024-01-01\ncite = 'c'\ndormant_until = 'waker'\n[[applies.waker]]\nfrom = 2027-01-01\nknown = 2024-01-01\ncite = 'c'\nwhen = 'exempt'\n";
    let body = format!("{dates}{}", requirement_text("X-1", "machine"));
    let book = book(vec![pack("x", "", &body)]).unwrap();
    let exempt = book.vocabulary.position("exempt").unwrap();
    let mut facts = Facts::hypothetical(false);
    let machine = book.vocabulary.position("machine").unwrap();
    facts.set(machine, Some(Answer::bare(Value::Bool(true))));
    let mut check = |answer: Option<bool>, want: Standing| {
        let answer = answer.map(|yes| Answer::bare(Value::Bool(yes)));
        facts.set(exempt, answer);
        let found = requirements(&book, &facts, when(TODAY)).remove(0);
        assert_eq!(found.standing, want);
    };
    let (since, until) = (date(2025, 1, 1), date(2027, 1, 1));
    check(Some(true), Standing::Waiting { since, until });
    check(Some(false), Standing::InForce { from: since });
    let missing = std::sync::Arc::new([exempt].into());
    check(
        None,
        Standing::Unknown {
            missing,
            from: Some(since),
        },
    );
}

/// Facts of which each names the one before it twice; the first names `last`.
fn doubling(name: &str, n: usize, last: &str) -> String {
    (0..n).fold(String::new(), |text, at| {
        let rule = match at {
            0 => last.to_owned(),
            at => format!("{name}{0} && {name}{0}", at - 1),
        };
        text + &format!("[[derive]]\nfact = '{name}{at}'\nrule = '{rule}'\n")
    })
}

#[test]
fn facts_that_name_each_other_twice_are_worked_out_once() {
    let derives = doubling("d", 60, "machine && high");
    let high = "[[derive]]\nfact = 'high'\nrule = 'exempt'\nunconfirmed = 'u'\n";
    let body = format!("{MAIN}{high}{derives}{}", requirement_text("X-1", "d59"));
    let book = book(vec![pack("x", "", &body)]).unwrap();
    let check = |yes: &[&str], n_decisive, n_joint, counsel: &[&str]| {
        let found = explain(&book, &facts(&book, yes), when(TODAY), "X-1").unwrap();
        let numbers = (found.decisive.len(), found.joint.len());
        assert_eq!(numbers, (n_decisive, n_joint), "{yes:?}");
        assert_eq!(found.requirement.for_counsel, counsel, "{yes:?}");
    };
    check(&["machine", "exempt"], 2, 0, &["u"]);
    check(&["machine"], 0, 0, &["u"]);
    check(&[], 0, 1, &[]);
}

#[test]
fn a_chain_of_facts_is_short_also_across_packs() {
    let bound = |n: usize| {
        let body = format!("{MAIN}{}", doubling("d", 40, "machine"));
        let other = doubling("e", n, "d39");
        book(vec![pack("x", "", &body), pack("y", "", &other)])
    };
    assert!(bound(24).is_ok());
    let error = bound(25).unwrap_err().to_string();
    assert!(
        error.contains("`e24` rests on a chain of 65 derived facts"),
        "{error}"
    );
}

#[test]
fn what_would_bind_nobody_or_never_end_is_refused() {
    let check = |body: &str, want: &str| {
        let error = Pack::parse("x", &pack_text("x", "", body)).unwrap_err();
        assert!(error.to_string().contains(want), "{body}: {error}");
        assert!(error.line > 0, "{error:?}");
    };
    let body = |more: &str| format!("{MAIN}{}{more}", requirement_text("X-1", "machine"));
    let choose = |text: &str| body(&format!("[choose]\n{text}\n"));
    check(
        &choose("one = [{ group = 'two' }]\ntwo = [{ group = 'main' }]"),
        "`one` stands for `two`, which is a choice itself",
    );
    check(&choose("one = []"), "`one` has no entry");
    check(
        &choose("main = [{ group = 'main' }]"),
        "`main` is both a date group and a choice",
    );
    check(
        &body("").replace(MAIN, "[applies]\nmain = []\n"),
        "`main` has no entry",
    );
    check(
        &body("").replace("['main']", "[]"),
        "`X-1` names no date group",
    );
    check(
        &body(
            "[[transition]]\ngroups = []\nwhen = 'exempt'\neffect = 'not_applicable'\ncite = 'c'\n",
        ),
        "names no date group, so it never holds",
    );
    check(
        &body("").replace(
            "cite = 'c'\n[[req",
            "cite = 'c'\ndormant_until = 'main'\n[[req",
        ),
        "sleeps until itself",
    );
    let derives = |n: usize| {
        let facts = (0..n).map(|at| format!("[[derive]]\nfact = 'd{at}'\nrule = 'machine'\n"));
        body(&facts.collect::<String>())
    };
    check(&derives(1001), "at most 1000");
    assert!(Pack::parse("x", &pack_text("x", "", &derives(1000))).is_ok());
    let many = (0..5001).map(|at| requirement_text(&format!("X-{at}"), "machine"));
    check(
        &format!("{MAIN}{}", many.collect::<String>()),
        "at most 5000",
    );
    check(
        &body(&doubling("d", 65, "machine")),
        "`d64` rests on a chain of 65 derived facts",
    );
}
