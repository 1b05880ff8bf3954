//! Requirements: what a law, standard or policy asks of a system on a day, as known on a day.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use crate::book::Book;
use crate::book::{BoundPack, Reader};
use crate::fact::Facts;
use crate::pack::{DateRow, Pack, Penalty, RequirementText};
use crate::rule::{Rule, Truth};

/// The two times of every legal question: the day judged, and the day up to which published law counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsOf {
    /// The day judged.
    pub valid: Date,
    /// Law published by the end of this day counts.
    pub known: Date,
}

/// What a requirement asks of one system, as of two days.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// How it stands on the day judged.
    pub standing: Standing,
    /// What about it is not confirmed; not empty means *preview*.
    pub preview: Vec<String>,
    /// Where its dates come from.
    pub dated_by: Option<String>,
    pack: Arc<BoundPack>,
    index: usize,
}

/// How a requirement stands on the day judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its condition holds and its date has come.
    InForce {
        /// The first day.
        from: Date,
    },
    /// Its condition holds and its date has not come.
    Ahead {
        /// The first day.
        from: Date,
    },
    /// Its date has come, but what triggers it cannot exist yet.
    Waiting {
        /// The day its own date came.
        since: Date,
        /// The day its trigger can first exist.
        until: Date,
    },
    /// It governed and no longer does.
    Ended {
        /// The first day it no longer governs.
        on: Date,
    },
    /// It does not concern the system.
    NotApplicable(Ruled),
    /// Facts are missing that decide whether, or from when, it concerns the system.
    Unknown {
        /// The positions of the missing facts in the vocabulary.
        missing: BTreeSet<usize>,
        /// The earliest day it could govern, if any could.
        from: Option<Date>,
    },
}

/// What rules a requirement out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruled {
    /// Its condition is false.
    ByFacts,
    /// No date was known by the day of knowledge.
    NotKnown,
    /// A transition rule takes it out; its citation.
    ByTransition(String),
}

impl Requirement {
    /// Its wording.
    pub fn text(&self) -> &RequirementText {
        &self.pack.pack.requirements[self.index]
    }

    /// The pack it comes from.
    pub fn pack(&self) -> &Pack {
        &self.pack.pack
    }

    /// What a breach may cost.
    pub fn penalty(&self) -> Option<&Penalty> {
        self.text()
            .penalty
            .as_ref()
            .and_then(|name| self.pack.pack.penalties.get(name))
    }

    /// Whether it binds only where adopted.
    pub fn is_voluntary(&self) -> bool {
        !self.pack.pack.binding
    }
}

/// Every requirement of the book, as it stands for a system with these facts. In the order of the packs.
///
/// Pure: the same book, facts and days give the same answer.
pub fn requirements(book: &Book, facts: &Facts, when: AsOf) -> Vec<Requirement> {
    let reader = book.reader(facts);
    let mut requirements = Vec::new();
    for pack in book.bound() {
        for index in 0..pack.pack.requirements.len() {
            requirements.push(requirement(pack, index, &reader, when));
        }
    }
    requirements
}

/// One requirement of a pack.
pub(crate) fn requirement(
    pack: &Arc<BoundPack>,
    index: usize,
    reader: &Reader<'_>,
    when: AsOf,
) -> Requirement {
    let text = &pack.pack.requirements[index];
    let mut missing = BTreeSet::new();
    let holds = reader.truth(&pack.conditions[index]);
    reader.missing(&pack.conditions[index], &mut missing);
    let outcomes = if holds == Truth::False {
        Vec::new()
    } else {
        outcomes(pack, &text.applies, reader, when.known, &mut missing)
    };
    let standing = match holds {
        Truth::False => Standing::NotApplicable(Ruled::ByFacts),
        Truth::True | Truth::Unknown => settle(holds, &outcomes, missing, when.valid),
    };
    let mut preview: Vec<String> = text.unconfirmed.iter().cloned().collect();
    preview.extend(
        outcomes
            .iter()
            .filter_map(|outcome| outcome.row.and_then(|row| row.unconfirmed.clone())),
    );
    if pack.pack.confidence == "unconfirmed" {
        preview.push(format!(
            "the pack {} rests on secondary sources",
            pack.pack.id
        ));
    }
    preview.dedup();
    let dated_by = outcomes
        .first()
        .and_then(|outcome| outcome.row)
        .map(|row| row.cite.clone());
    Requirement {
        standing,
        preview,
        dated_by,
        pack: pack.clone(),
        index,
    }
}

/// One way the dates of a requirement may fall.
#[derive(Debug, Clone)]
struct Outcome<'a> {
    row: Option<&'a DateRow>,
    span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Span {
    Governs {
        from: Date,
        to: Option<Date>,
        wakes: Option<Date>,
    },
    Never(Ruled),
}

impl Span {
    fn standing(&self, day: Date) -> Standing {
        match self {
            Span::Never(ruled) => Standing::NotApplicable(ruled.clone()),
            Span::Governs { to: Some(to), .. } if day >= *to => Standing::Ended { on: *to },
            Span::Governs { from, wakes, .. } => {
                let begins = wakes.map_or(*from, |wakes| wakes.max(*from));
                if day >= begins {
                    Standing::InForce { from: begins }
                } else if day >= *from {
                    Standing::Waiting {
                        since: *from,
                        until: begins,
                    }
                } else {
                    Standing::Ahead { from: begins }
                }
            }
        }
    }

    fn begins(&self) -> Option<Date> {
        match self {
            Span::Governs { from, wakes, .. } => {
                Some(wakes.map_or(*from, |wakes| wakes.max(*from)))
            }
            Span::Never(_) => None,
        }
    }
}

/// Joins condition and dates. Several outcomes that agree settle the question; otherwise it stays unknown.
fn settle(holds: Truth, outcomes: &[Outcome<'_>], missing: BTreeSet<usize>, day: Date) -> Standing {
    let mut standings = outcomes.iter().map(|outcome| outcome.span.standing(day));
    let first = standings
        .next()
        .unwrap_or(Standing::NotApplicable(Ruled::NotKnown));
    let agree = |other: &Standing| match (&first, other) {
        // In force either way: from which day on is then a side question.
        (Standing::InForce { .. }, Standing::InForce { .. }) => true,
        (Standing::NotApplicable(_), Standing::NotApplicable(_)) => true,
        (first, other) => first == other,
    };
    let agreed = standings.all(|other| agree(&other));
    match (&first, holds) {
        // Whatever the facts turn out to be, it does not govern (any more).
        (Standing::NotApplicable(_) | Standing::Ended { .. }, _) if agreed => first,
        (_, Truth::True) if agreed => first,
        _ => {
            // An ended or excluded outcome cannot begin again; only the others could.
            let live = outcomes
                .iter()
                .filter(|outcome| !matches!(outcome.span.standing(day), Standing::Ended { .. }));
            Standing::Unknown {
                missing,
                from: live.filter_map(|outcome| outcome.span.begins()).min(),
            }
        }
    }
}

/// The ways the dates of `groups` may fall, given the facts: the last row whose conditions hold wins; rows with unknown
/// conditions stay possible, and their facts join `missing`.
fn outcomes<'a>(
    pack: &'a BoundPack,
    groups: &[String],
    reader: &Reader<'_>,
    known: Date,
    missing: &mut BTreeSet<usize>,
) -> Vec<Outcome<'a>> {
    let mut outcomes = Vec::new();
    let (possible, decided) = possible(candidates(pack, groups, known), reader, missing);
    for candidate in possible {
        for wakes in wakes(pack, candidate.row, reader, known, missing) {
            let span = Span::Governs {
                from: candidate.row.from,
                to: candidate.row.to,
                wakes,
            };
            for span in transitions(pack, &candidate.groups, span, reader, missing) {
                outcomes.push(Outcome {
                    row: Some(candidate.row),
                    span,
                });
            }
        }
    }
    if !decided {
        outcomes.push(Outcome {
            row: None,
            span: Span::Never(Ruled::NotKnown),
        });
    }
    outcomes
}

/// The candidates that may win, last first, and whether one of them is known to: those with unknown conditions stay possible,
/// and their facts join `missing`.
fn possible<'a>(
    candidates: Vec<Candidate<'a>>,
    reader: &Reader<'_>,
    missing: &mut BTreeSet<usize>,
) -> (Vec<Candidate<'a>>, bool) {
    let mut possible = Vec::new();
    for candidate in candidates.into_iter().rev() {
        let conditions = &candidate.conditions;
        let truth = conditions
            .iter()
            .fold(Truth::True, |truth, rule| truth.and(reader.truth(rule)));
        if truth == Truth::False {
            continue;
        }
        for rule in conditions {
            reader.missing(rule, missing);
        }
        possible.push(candidate);
        if truth == Truth::True {
            return (possible, true);
        }
    }
    (possible, false)
}

struct Candidate<'a> {
    row: &'a DateRow,
    conditions: Vec<&'a Rule>,
    groups: Vec<&'a str>,
}

/// The rows that count under this knowledge, in order; of rows with the same condition only the latest known.
fn candidates<'a>(pack: &'a BoundPack, groups: &[String], known: Date) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for name in groups {
        let chosen = pack.choose.get_key_value(name.as_str());
        let Some((alias, choices)) = chosen else {
            rows(pack, name, &[], None, known, &mut candidates);
            continue;
        };
        for (group, when) in choices {
            let conditions: Vec<&Rule> = when.iter().collect();
            rows(
                pack,
                group,
                &conditions,
                Some(alias),
                known,
                &mut candidates,
            );
        }
    }
    candidates
}

fn rows<'a>(
    pack: &'a BoundPack,
    group: &str,
    conditions: &[&'a Rule],
    alias: Option<&'a String>,
    known: Date,
    candidates: &mut Vec<Candidate<'a>>,
) {
    let Some((name, bound)) = pack.applies.get_key_value(group) else {
        return;
    };
    let counts =
        |row: &DateRow| row.known <= known && row.until_known.is_none_or(|until| known < until);
    let listed = pack
        .pack
        .applies
        .get(group)
        .into_iter()
        .flatten()
        .zip(bound);
    let mut current: Vec<(&DateRow, &Option<Rule>)> =
        listed.filter(|(row, _)| counts(row)).collect();
    current.sort_by_key(|(row, _)| row.known);
    for (at, (row, when)) in current.iter().enumerate() {
        let superseded = current[at + 1..].iter().any(|(_, later)| later == when);
        if !superseded {
            let conditions = conditions.iter().copied().chain(when.as_ref()).collect();
            let groups = std::iter::once(name.as_str())
                .chain(alias.map(String::as_str))
                .collect();
            candidates.push(Candidate {
                row,
                conditions,
                groups,
            });
        }
    }
}

/// The days on which the trigger of a dormant row may first exist; `None` where the row does not sleep.
fn wakes(
    pack: &BoundPack,
    row: &DateRow,
    reader: &Reader<'_>,
    known: Date,
    missing: &mut BTreeSet<usize>,
) -> Vec<Option<Date>> {
    let Some(group) = &row.dormant_until else {
        return vec![None];
    };
    let candidates = candidates(pack, std::slice::from_ref(group), known);
    let (possible, _) = possible(candidates, reader, missing);
    if possible.is_empty() {
        return vec![None];
    }
    possible
        .iter()
        .map(|candidate| Some(candidate.row.from))
        .collect()
}

fn transitions(
    pack: &BoundPack,
    groups: &[&str],
    span: Span,
    reader: &Reader<'_>,
    missing: &mut BTreeSet<usize>,
) -> Vec<Span> {
    let mut spans = Vec::new();
    for (transition, when) in pack.pack.transitions.iter().zip(&pack.transitions) {
        if !transition
            .groups
            .iter()
            .any(|group| groups.contains(&group.as_str()))
        {
            continue;
        }
        let truth = reader.truth(when);
        if truth == Truth::False {
            continue;
        }
        reader.missing(when, missing);
        spans.push(match (transition.from, &span) {
            (Some(from), Span::Governs { to, .. }) => Span::Governs {
                from,
                to: *to,
                wakes: None,
            },
            _ => Span::Never(Ruled::ByTransition(transition.cite.clone())),
        });
        if truth == Truth::True {
            return spans;
        }
    }
    spans.push(span);
    spans
}

#[cfg(test)]
mod tests;
