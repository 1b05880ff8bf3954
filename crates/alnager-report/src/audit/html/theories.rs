//! What each test serves: which theory, where, and how it stands on the day judged.

use maud::{Markup, html};

use crate::audit::profile::{Theories, TheoryView};
use crate::html::words::prose;

/// More theories than this are folded, unless a place was named.
const SHOWN_MAX: usize = 12;

/// One line a theory, with the tests that serve it.
pub(super) fn part(theories: &Theories) -> Markup {
    let mut by_theory: Vec<(&TheoryView, Vec<&TheoryView>)> = Vec::new();
    for theory in &theories.list {
        match by_theory
            .iter_mut()
            .find(|(known, _)| known.id == theory.id)
        {
            Some((_, tests)) => tests.push(theory),
            None => by_theory.push((theory, vec![theory])),
        }
    }
    // What governs first; the sort is stable.
    by_theory.sort_by_key(|(theory, _)| !theory.is_in_force);
    let is_long = by_theory.len() > SHOWN_MAX && theories.places.is_empty();
    html! {
        p.note { (asked(theories)) }
        @if by_theory.is_empty() { p { "No theory is held here for these tests; the rest is for counsel." } }
        @else if is_long {
            details { summary { "All " (by_theory.len()) " theories that are held; name --place and --domain to see yours" } (table(&by_theory)) }
        } @else { (table(&by_theory)) }
        @if !theories.absent.is_empty() {
            details {
                summary { "What one may look for here in vain, and why" }
                ul { @for (title, why) in &theories.absent { li { strong { (title) } ": " (prose(why)) } } }
            }
        }
        p.note { "A number that is a yardstick is no law. What is not listed is not thereby lawful: all else is for counsel." }
    }
}

fn asked(theories: &Theories) -> Markup {
    html! {
        "Judged on " time { (theories.judged_on) } ", with the law known on " time { (theories.known_on) } ". "
        "Places: " @if theories.places.is_empty() { "all that are held" } @else { (theories.places.join(", ")) } ". "
        "Kind of decision: " @match &theories.domain { Some(domain) => (domain), None => "any" } "."
    }
}

fn table(by_theory: &[(&TheoryView, Vec<&TheoryView>)]) -> Markup {
    html! {
        table.stacks.words {
            thead { tr { th scope="col" { "Theory" } th scope="col" { "Where, and since when" } th scope="col" { "Tests that serve it" } th scope="col" { "Its number" } th scope="col" { "For counsel" } } }
            tbody { @for (theory, tests) in by_theory { (row(theory, tests)) } }
        }
    }
}

fn row(theory: &TheoryView, tests: &[&TheoryView]) -> Markup {
    let mut notes: Vec<&str> = Vec::new();
    for note in tests.iter().flat_map(|test| &test.notes) {
        if !notes.contains(&note.as_str()) {
            notes.push(note);
        }
    }
    let names: Vec<String> = tests
        .iter()
        .map(|test| test.test.replace('_', " "))
        .collect();
    html! {
        tr {
            th scope="row" { (theory.theory) span.small-print { (theory.cite) } }
            td data-label="Where" {
                (theory.jurisdiction) ", "
                @if theory.is_in_force { strong { (theory.standing) } } @else { (theory.standing) }
            }
            td data-label="Tests" { (names.join(", ")) }
            td data-label="Its number" { (prose(&theory.limit)) }
            td data-label="For counsel" {
                (prose(&theory.counsel))
                @for note in notes { p.note { (prose(note)) } }
            }
        }
    }
}
