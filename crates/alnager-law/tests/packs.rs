//! Every pack in `packs/` reads and binds, and every case comes out as a lawyer wrote it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "the packs are read as they lie on disk, so that a new one is tested without building the program"
)]

use std::path::{Path, PathBuf};

use alnager_law::book::Book;
use alnager_law::cases;
use alnager_law::fact::Vocabulary;
use alnager_law::figure;
use alnager_law::pack::{Pack, Register};
use alnager_law::requirement::AsOf;
use alnager_law::rule::{Rule, Test};
use alnager_law::theory::{AbsentState, Serving, TESTS, Theories, TheoryKind};

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

/// The file's name below `packs/`, and its text.
fn text(name: &str) -> String {
    let path = packs().join(name);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The names of the folders of law and frameworks, such as `law/gdpr`.
fn folders() -> Vec<String> {
    let mut folders = Vec::new();
    for kind in ["law", "framework"] {
        for entry in std::fs::read_dir(packs().join(kind)).expect("the folder of packs") {
            let entry = entry.expect("an entry");
            if entry.path().join("pack.toml").is_file() {
                folders.push(format!("{kind}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    folders.sort();
    folders
}

fn book() -> Book {
    let vocabulary = Vocabulary::parse("facts.toml", &text("facts.toml")).expect("the facts");
    let evidence =
        Register::parse("evidence.toml", &text("evidence.toml"), "kind").expect("the evidence");
    let controls =
        Register::parse("controls.toml", &text("controls.toml"), "control").expect("the controls");
    let packs = folders().into_iter().map(|folder| {
        let file = format!("{folder}/pack.toml");
        Pack::parse(&file, &text(&file)).unwrap_or_else(|error| panic!("{error}"))
    });
    let packs = packs.collect();
    let figures = figure::kinds("figures.toml", &text("figures.toml")).expect("the figures");
    let theories = Theories::parse("theories.toml", &text("theories.toml")).expect("the theories");
    Book::new(vocabulary, evidence, controls, packs)
        .and_then(|book| book.with_figures(figures))
        .and_then(|book| book.with_theories(theories))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_case_of_every_pack_comes_out_right() {
    let book = book();
    let (mut n_compared, mut differences) = (0, Vec::new());
    for folder in folders() {
        let file = format!("{folder}/cases.toml");
        if !packs().join(&file).is_file() {
            // A pack of clocks alone has no situations to map; its clocks are tested by `tests/clocks.rs`.
            let pack = book
                .packs()
                .find(|pack| pack.file() == format!("{folder}/pack.toml"));
            if pack.is_none_or(|pack| !pack.requirements.is_empty()) {
                differences.push(format!("{folder} has no cases.toml"));
            }
            continue;
        }
        for case in cases::parse(&file, &text(&file), &book.vocabulary)
            .unwrap_or_else(|error| panic!("{error}"))
        {
            let shown = cases::run(&book, &case);
            n_compared += shown.n_compared;
            differences.extend(
                shown
                    .differences
                    .iter()
                    .map(|text| format!("{file}: {text}")),
            );
            differences.extend(
                shown
                    .skipped
                    .iter()
                    .map(|id| format!("{file}: {}: `{id}` is nowhere in the packs", case.id)),
            );
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(
        n_compared > 150,
        "only {n_compared} statements were compared"
    );
}

/// The facts of a rule with the answer that makes it true: `negated` turns round what is asked.
fn freeing(rule: &Rule, negated: bool, found: &mut Vec<(usize, &'static str)>) {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => {
            rules.iter().for_each(|rule| freeing(rule, negated, found));
        }
        Rule::Not(rule) => freeing(rule, !negated, found),
        Rule::Atom(atom) if atom.test == Test::IsTrue => {
            found.push((atom.fact, if negated { "false" } else { "true" }));
        }
        Rule::Atom(_) | Rule::Constant(_) | Rule::Derived(_) => {}
    }
}

#[test]
fn every_exception_of_a_pack_is_guarded_against_the_team_that_claims_it() {
    let book = book();
    let mut n_guarded = 0;
    for pack in book.packs() {
        let derived = pack.derives.iter().flat_map(|derive| &derive.unless);
        let required = pack.requirements.iter().flat_map(|text| &text.unless);
        for exception in derived.chain(required) {
            let rule = book.bind_condition(exception).expect("it binds");
            let mut found = Vec::new();
            freeing(&rule, false, &mut found);
            // One guarded answer suffices: without its confirmation the whole exception stays unknown.
            let guarded = found.iter().any(|(fact, answer)| {
                let kind = &book.vocabulary.kinds()[*fact];
                kind.guarded.iter().any(|guarded| guarded == answer)
            });
            // The one exception that frees nobody: it puts the duty back.
            let restores = exception.text == "performs_profiling";
            assert!(
                guarded || restores,
                "{}: nothing in `{}` is guarded",
                pack.id,
                exception.text
            );
            n_guarded += usize::from(guarded);
        }
    }
    assert!(n_guarded > 10, "only {n_guarded} exceptions were found");
}

/// The theories a test serves, as `id standing`, on a day with the law known by a day.
fn serving(
    book: &Book,
    test: &str,
    domain: Option<&str>,
    place: Option<&str>,
    (valid, known): (&str, &str),
) -> Vec<String> {
    let when = AsOf {
        valid: valid.parse().expect("a day"),
        known: known.parse().expect("a day"),
    };
    let serving = book.theories().serving(book, test, domain, place, when);
    let shown = |one: &Serving<'_>| format!("{} {}", one.theory.id, one.standing.words());
    serving.iter().map(shown).collect()
}

/// The day these packs were written for.
const TODAY: (&str, &str) = ("2026-11-23", "2026-11-23");

#[test]
fn the_effects_test_of_regulation_b_ends_for_who_knew_of_its_end() {
    let book = book();
    let check = |days, want: &str| {
        let all = serving(&book, "impact_ratio", Some("finance"), Some("US-NYC"), days);
        assert_eq!(all.first(), Some(&want.to_owned()), "{days:?}");
    };
    let stands = "us-ecoa-effects in force since 2011-12-30";
    check(("2026-07-20", "2026-04-21"), stands);
    check(("2026-07-20", "2026-04-22"), stands);
    check(("2026-07-21", "2026-04-21"), stands);
    check(
        ("2026-07-21", "2026-04-22"),
        "us-ecoa-effects ended on 2026-07-21",
    );
    let effects = |known: &str| {
        let when = AsOf {
            valid: "2026-07-21".parse().expect("a day"),
            known: known.parse().expect("a day"),
        };
        let all = book
            .theories()
            .serving(&book, "impact_ratio", Some("finance"), None, when);
        let one = all.first().expect("the effects test");
        (one.notes.len(), one.dated_by.clone().unwrap_or_default())
    };
    assert_eq!(effects("2026-04-21").0, 0);
    let (n_notes, dated_by) = effects("2026-04-22");
    assert_eq!(n_notes, 1);
    assert!(
        dated_by.ends_with("ended by FR Doc. 2026-07804"),
        "{dated_by}"
    );
    // What was no law yet is nothing to explain a decision by.
    assert_eq!(
        serving(
            &book,
            "impact_ratio",
            Some("finance"),
            None,
            ("2011-12-20", "2011-12-20")
        ),
        [""; 0]
    );
}

#[test]
fn no_ratio_meets_or_breaches_local_law_144() {
    let book = book();
    let theory = book.theories().get("us-nyc-ll144").expect("the theory");
    assert_eq!(theory.kind, TheoryKind::Transparency);
    assert_eq!(theory.limit(), None);
    assert!(
        theory
            .no_limit()
            .is_some_and(|why| why.starts_with("No ratio meets or breaches"))
    );
    let in_the_city = serving(
        &book,
        "impact_ratio",
        Some("employment"),
        Some("US-NYC"),
        TODAY,
    );
    assert_eq!(
        in_the_city,
        [
            "us-title-vii-impact in force since 1978-09-25",
            "us-ugesp-four-fifths in force since 1978-09-25",
            "us-nyc-ll144 in force since 2023-07-05",
            "nist-ai-rmf in force since 2023-01-26",
        ]
    );
    // Another state's law is none of theirs, and what is voluntary is tied to no place.
    let elsewhere = serving(
        &book,
        "impact_ratio",
        Some("employment"),
        Some("US-NJ"),
        TODAY,
    );
    assert!(!elsewhere.iter().any(|one| one.starts_with("us-nyc-ll144")));
}

#[test]
fn no_number_in_a_theory_is_law_today() {
    let book = book();
    let limits = book
        .theories()
        .all()
        .iter()
        .filter_map(|theory| theory.limit());
    for limit in limits {
        assert!(limit.is_yardstick(), "{limit:?}");
    }
    let four_fifths = book.theories().get("us-ugesp-four-fifths").expect("it");
    let limit = four_fifths.limit().expect("0.80");
    assert_eq!(
        (limit.metric.as_str(), limit.low.as_deref()),
        ("impact_ratio", Some("0.80"))
    );
}

#[test]
fn cut_offs_that_differ_by_group_get_the_warning_of_every_treatment_theory() {
    let book = book();
    let when = AsOf {
        valid: "2026-11-23".parse().expect("a day"),
        known: "2026-11-23".parse().expect("a day"),
    };
    let serving = book
        .theories()
        .serving(&book, "group_threshold", None, Some("US-TX"), when);
    let warned = serving.iter().filter(|one| one.warning.is_some());
    let ids: Vec<&str> = warned.map(|one| one.theory.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "us-title-vii-treatment",
            "us-ecoa-treatment",
            "us-fha-treatment",
            "us-hhs-1557",
            "us-tx-traiga",
        ]
    );
    let another = book
        .theories()
        .serving(&book, "cmh", None, Some("US-TX"), when);
    assert!(another.iter().all(|one| one.warning.is_none()));
    assert!(
        book.theories()
            .serving(&book, "a_word_nobody_uses", None, None, when)
            .is_empty()
    );
}

#[test]
fn every_theory_stands_on_a_day_and_every_word_serves_one() {
    let book = book();
    let when = AsOf {
        valid: "2026-11-23".parse().expect("a day"),
        known: "2026-11-23".parse().expect("a day"),
    };
    let theories = book.theories();
    for theory in theories.all() {
        for test in &theory.tests {
            let serving = theories.serving(&book, test, None, None, when);
            let one = serving.iter().find(|one| one.theory.id == theory.id);
            let one = one.unwrap_or_else(|| panic!("{} does not resolve", theory.id));
            assert!(
                one.dated_by.is_some() && !one.for_counsel().is_empty(),
                "{}",
                theory.id
            );
        }
    }
    for test in TESTS {
        let serving = theories.serving(&book, test, None, None, when);
        assert!(!serving.is_empty(), "`{test}` serves no theory");
    }
}

#[test]
fn silence_is_said() {
    let book = book();
    let of = |domain, place| -> Vec<(String, AbsentState)> {
        let absent = book.theories().absent(&book, Some(domain), Some(place));
        let shown = absent.into_iter().map(|one| (one.id.clone(), one.state));
        shown.collect()
    };
    use AbsentState::{NotHeld, Silent};
    let named = |id: &str, state| (id.to_owned(), state);
    assert_eq!(
        of("insurance", "US-CO"),
        [
            named("us-co-sb26-189", Silent),
            named("us-co-insurance", NotHeld)
        ]
    );
    assert_eq!(
        of("finance", "US-NJ"),
        [
            named("us-state-fair-lending", NotHeld),
            named("us-nj-lad", NotHeld)
        ]
    );
}
