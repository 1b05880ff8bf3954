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
use alnager_law::rule::{Rule, Test};

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
    Book::new(vocabulary, evidence, controls, packs)
        .and_then(|book| book.with_figures(figures))
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
