//! Every case of every shipped pack comes out as a lawyer wrote it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_law::cases;
use alnager_law::rule::{Rule, Test};
use alnager_work::library;

#[test]
fn every_shipped_case_comes_out_right() {
    let library = library::shipped().expect("the shipped packs bind");
    let (mut n_compared, mut differences) = (0, Vec::new());
    for (file, text) in library::shipped_cases() {
        for case in cases::parse(file, text, &library.book.vocabulary).expect("the cases read") {
            let shown = cases::run(&library.book, &case);
            n_compared += shown.n_compared;
            differences.extend(shown.differences);
            println!(
                "{file} {}: {} compared, skipped {:?}",
                case.id, shown.n_compared, shown.skipped
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
    let library = library::shipped().expect("the shipped packs bind");
    let mut n_guarded = 0;
    for pack in library.book.packs() {
        let derived = pack.derives.iter().flat_map(|derive| &derive.unless);
        let required = pack.requirements.iter().flat_map(|text| &text.unless);
        for exception in derived.chain(required) {
            let rule = library.book.bind_condition(exception).expect("it binds");
            let mut found = Vec::new();
            freeing(&rule, false, &mut found);
            // One guarded answer suffices: without its confirmation the whole exception stays unknown.
            let guarded = found.iter().any(|(fact, answer)| {
                let kind = &library.book.vocabulary.kinds()[*fact];
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
