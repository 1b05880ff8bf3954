//! The crosswalk over the shipped packs: how many pairs each control makes, and that none is beside the point.
//!
//! `cargo test -p alnager-work --test crosswalk -- --nocapture` prints the numbers.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use alnager_law::figure::Bound;
use alnager_law::pack::{Phase, RequirementText, Reuse};
use alnager_office::crosswalk::{Norm, shared_controls};
use alnager_office::gate::kinds_taken;
use alnager_work::library;

/// A pair of requirements, the control that joins them, and the kind of evidence that may pass from the first to the second.
struct Bridge {
    from: Norm<'static>,
    to: Norm<'static>,
    control: &'static str,
    kind: String,
}

fn bridges() -> Vec<Bridge> {
    let norms = norms();
    let mut found = Vec::new();
    for from in &norms {
        for kind in kinds_taken(book(), &from.1.id).unwrap() {
            for to in &norms {
                for control in shared_controls(book(), *from, *to, &kind) {
                    found.push(Bridge {
                        from: *from,
                        to: *to,
                        control,
                        kind: kind.clone(),
                    });
                }
            }
        }
    }
    found
}

fn book() -> &'static alnager_law::book::Book {
    static LIBRARY: std::sync::OnceLock<library::Library> = std::sync::OnceLock::new();
    &LIBRARY.get_or_init(|| library::shipped().unwrap()).book
}

fn norms() -> Vec<Norm<'static>> {
    let packs = book().packs();
    packs
        .flat_map(|pack| pack.requirements.iter().map(move |text| (pack, text)))
        .collect()
}

#[test]
fn every_control_makes_a_number_of_pairs_a_person_can_read() {
    let found = bridges();
    let mut pairs: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let mut targets: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for bridge in &found {
        let (from, to) = (bridge.from.1.id.as_str(), bridge.to.1.id.as_str());
        let pair = (from.min(to), from.max(to));
        pairs.entry(bridge.control).or_default().insert(pair);
        targets
            .entry((from, bridge.control))
            .or_default()
            .insert(to);
    }
    for (control, item) in &book().controls.items {
        let n = pairs.get(control.as_str()).map_or(0, BTreeSet::len);
        println!("{control} {n:4} {}", item.title);
    }
    let all: BTreeSet<_> = pairs.values().flatten().collect();
    println!("all  {:4}", all.len());
    // Over all packs at once; one system is concerned by a tenth of them.
    let widest = targets.iter().max_by_key(|(_, to)| to.len()).unwrap();
    println!("widest: {:?} reaches {}", widest.0, widest.1.len());
    assert!(widest.1.len() < 30, "{:?} is too broad", widest.0);
    assert!(all.len() > 500, "the controls join hardly anything");
}

#[test]
fn no_pair_joins_a_system_with_the_organisation_or_reaches_farther_than_its_kind() {
    for bridge in bridges() {
        let (from, to) = (bridge.from.1, bridge.to.1);
        let words = format!("{} -> {} through {}", from.id, to.id, bridge.control);
        let is_organisation = |text: &RequirementText| text.phase == Phase::Organisation;
        assert_eq!(is_organisation(from), is_organisation(to), "{words}");
        match book().evidence.items[&bridge.kind].reuse {
            Reuse::Anywhere => {}
            Reuse::SamePhase => assert_eq!(from.phase, to.phase, "{words}"),
            Reuse::SamePack => assert_eq!(bridge.from.0.id, bridge.to.0.id, "{words}"),
        }
    }
}

/// A figure binds the way its kind is stricter: otherwise the strictest of several would be the wrong one.
#[test]
fn figures_bind_the_way_their_kind_is_stricter() {
    for (_, text) in norms() {
        for figure in &text.figures {
            let larger = book().figures[&figure.kind].larger_is_stricter;
            assert_eq!(
                figure.bound == Bound::AtLeast,
                larger,
                "{}: {} {}",
                text.id,
                figure.kind,
                figure.words()
            );
        }
    }
}

#[test]
fn an_article_26_11_notice_is_proposed_for_new_york_and_its_ten_days_are_not_met_by_it() {
    let find = |id: &str| *norms().iter().find(|(_, text)| text.id == id).unwrap();
    let (from, to) = (find("EUAIA-26-11"), find("NYC-871b1"));
    assert_eq!(shared_controls(book(), from, to, "notice_text"), ["CC40"]);
    let words = |text: &RequirementText| -> Vec<String> {
        let figures = text.figures.iter();
        figures.map(|figure| figure.words()).collect()
    };
    assert_eq!(words(from.1), Vec::<String>::new());
    assert_eq!(words(to.1), ["at least 10 business days"]);
}
