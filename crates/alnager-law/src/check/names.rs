//! The names that packs give to facts and requirements, and where they give them.

use std::collections::BTreeMap;

use crate::fact::Vocabulary;
use crate::pack::Derive;

use super::sketch::Sketch;
use super::{Finding, Findings, Severity, Surroundings};

/// Names that conditions and requirements may use, across all packs.
pub(super) struct Names {
    /// Derived facts by name, with their position.
    pub(super) derived: BTreeMap<String, usize>,
    /// Requirement ids with the place of their first definition.
    pub(super) ids: BTreeMap<String, Place>,
    /// Clock ids with the place of their first definition.
    pub(super) clocks: BTreeMap<String, Place>,
}

/// A file and a line.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file),
            line => write!(f, "{}, line {line}", self.file),
        }
    }
}

impl Names {
    /// Gathers names, with a finding for each that is defined twice: those of the others first.
    pub(super) fn gather<'s>(
        sketches: impl Iterator<Item = &'s Sketch>,
        with: &Surroundings<'_>,
        findings: &mut Findings,
    ) -> Names {
        let mut ids: BTreeMap<String, Place> = BTreeMap::new();
        let mut clocks: BTreeMap<String, Place> = BTreeMap::new();
        let mut derived: BTreeMap<String, usize> = BTreeMap::new();
        // The versions of each derived fact seen so far, with the pack they stand in.
        let mut seen: Vec<(String, Place, &Derive)> = Vec::new();
        for pack in with.others {
            let place = Place {
                file: pack.file().to_owned(),
                line: 0,
            };
            for derive in &pack.derives {
                let next = derived.len();
                derived.entry(derive.fact.clone()).or_insert(next);
                seen.push((pack.id.clone(), place.clone(), derive));
            }
            for clock in &pack.clocks {
                let names = clock.also_known_as.iter().chain([&clock.id]);
                clocks.extend(names.map(|id| (id.clone(), place.clone())));
            }
            let texts = pack.requirements.iter();
            ids.extend(texts.map(|text| (text.id.clone(), place.clone())));
        }
        for sketch in sketches {
            let at = |line| Place {
                file: sketch.file.clone(),
                line,
            };
            for derive in &sketch.derives {
                let place = at(derive.line);
                findings.extend(twice(
                    &derive.it,
                    &sketch.id,
                    &place,
                    &seen,
                    with.vocabulary,
                ));
                let next = derived.len();
                derived.entry(derive.it.fact.clone()).or_insert(next);
                seen.push((sketch.id.clone(), place, &derive.it));
            }
            for text in &sketch.requirements {
                let place = at(text.line);
                findings.extend(used_already("requirement", &text.it.id, place, &mut ids));
            }
            for clock in &sketch.clocks {
                for id in clock.it.also_known_as.iter().chain([&clock.it.id]) {
                    findings.extend(used_already("clock", id, at(clock.line), &mut clocks));
                }
            }
        }
        Names {
            derived,
            ids,
            clocks,
        }
    }
}

/// Notes an id, or finds that it is used already.
pub(super) fn used_already(
    what: &str,
    id: &str,
    place: Place,
    known: &mut BTreeMap<String, Place>,
) -> Option<Finding> {
    if let Some(first) = known.get(id) {
        let what = format!("the {what} id `{id}` is already used in {first}");
        let advice = "give this one an id of its own; ids are permanent";
        return Some(error_at(&place, what, advice));
    }
    known.insert(id.to_owned(), place);
    None
}

/// The finding that a fact is defined elsewhere too, and neither definition comes first.
pub(super) fn twice(
    derive: &Derive,
    pack: &str,
    place: &Place,
    seen: &[(String, Place, &Derive)],
    vocabulary: &Vocabulary,
) -> Option<Finding> {
    let name = &derive.fact;
    if vocabulary.get(name).is_some() {
        let what = format!("`{name}` is both asked of a person and derived here");
        return Some(error_at(place, what, "give the derived fact another name"));
    }
    let same = |(_, _, other): &&(String, Place, &Derive)| other.fact == *name;
    for (owner, first, other) in seen.iter().filter(same) {
        if owner != pack {
            let what = format!(
                "the fact `{name}` is already derived in {first}, and neither rule comes first"
            );
            let advice = "give this one another name, or add an [[exception]] to the other's";
            return Some(error_at(place, what, advice));
        }
        let until = |known| other.until_known.is_none_or(|until| until > known);
        if derive.known.is_none_or(until) {
            let what = format!(
                "two versions of the fact `{name}` count at once, this one and that of {first}"
            );
            let advice = "end the earlier one with `until_known` on the day this one is `known`";
            return Some(error_at(place, what, advice));
        }
    }
    None
}

pub(super) fn error_at(place: &Place, what: String, advice: &str) -> Finding {
    Finding {
        file: place.file.clone(),
        line: place.line,
        severity: Severity::Error,
        what,
        advice: advice.to_owned(),
    }
}
