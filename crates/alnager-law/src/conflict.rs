//! Duties that pull against each other. A conflict is shown on both sides, for counsel; it changes no verdict.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::figure::{Bound, Figure, FigureKind};
use crate::requirement::Requirement;

/// Two requirements that both concern the system and cannot simply both be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPair {
    /// The requirement that comes first in the book.
    pub one: String,
    /// The other one.
    pub other: String,
    /// Why, in words.
    pub why: String,
    /// Whether it follows from the figures of both; otherwise a pack names it.
    pub is_computed: bool,
}

impl ConflictPair {
    /// The other side, where this requirement is one of the two.
    pub fn against(&self, requirement: &str) -> Option<&str> {
        match (self.one == requirement, self.other == requirement) {
            (true, _) => Some(&self.other),
            (false, true) => Some(&self.one),
            (false, false) => None,
        }
    }
}

/// The conflicts among requirements: those a pack names on either side, and figures of one kind that nothing satisfies both of.
/// Requirements that do not concern the system have none.
pub fn conflicts<'r>(
    requirements: impl IntoIterator<Item = &'r Requirement>,
    kinds: &BTreeMap<String, FigureKind>,
) -> Vec<ConflictPair> {
    let concerned = requirements.into_iter().filter(|one| one.concerns());
    let concerned: Vec<&Requirement> = concerned.collect();
    // Most requirements neither name a conflict nor set a figure; only pairs with one that does are looked at.
    let position: BTreeMap<&str, usize> = concerned
        .iter()
        .enumerate()
        .map(|(at, requirement)| (requirement.text().id.as_str(), at))
        .collect();
    let mut found: BTreeMap<(usize, usize), ConflictPair> = BTreeMap::new();
    for (at, requirement) in concerned.iter().enumerate() {
        for conflict in &requirement.text().conflicts {
            let Some(with) = position
                .get(conflict.with.as_str())
                .filter(|with| **with != at)
            else {
                continue;
            };
            let key = (at.min(*with), at.max(*with));
            match found.get_mut(&key) {
                Some(known) if known.why.contains(&conflict.why) => {}
                Some(known) => known.why = format!("{}; {}", known.why, conflict.why),
                None => {
                    let pair = named(concerned[key.0], concerned[key.1], &conflict.why);
                    drop(found.insert(key, pair));
                }
            }
        }
    }
    let sets: Vec<(usize, &Figure)> = concerned
        .iter()
        .enumerate()
        .flat_map(|(at, one)| one.text().figures.iter().map(move |figure| (at, figure)))
        .collect();
    for (at, least) in sets.iter().filter(|(_, one)| one.bound == Bound::AtLeast) {
        for (with, most) in sets.iter().filter(|(_, one)| one.bound == Bound::AtMost) {
            let impossible = least.kind == most.kind
                && at != with
                && least.amount.compare(most.amount) == Some(Ordering::Greater);
            if !impossible {
                continue;
            }
            let key = ((*at).min(*with), (*at).max(*with));
            let title = kinds
                .get(&least.kind)
                .map_or(&least.kind, |kind| &kind.title);
            let words = format!(
                "{title}: {} ({}) asks for {}, {} ({}) for {}; nothing satisfies both",
                concerned[*at].text().id,
                concerned[*at].pack().cited(&least.cite),
                least.words(),
                concerned[*with].text().id,
                concerned[*with].pack().cited(&most.cite),
                most.words()
            );
            found.entry(key).or_insert_with(|| ConflictPair {
                is_computed: true,
                ..named(concerned[key.0], concerned[key.1], &words)
            });
        }
    }
    found.into_values().collect()
}

fn named(one: &Requirement, other: &Requirement, why: &str) -> ConflictPair {
    ConflictPair {
        one: one.text().id.clone(),
        other: other.text().id.clone(),
        why: why.to_owned(),
        is_computed: false,
    }
}

#[cfg(test)]
pub(crate) mod tests;
