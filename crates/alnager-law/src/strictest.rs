//! The strictest of several laws: per kind of figure, which one covers the others, and where no one can say.
//!
//! A figure covers another one where whoever meets it meets both: at least 3 years covers at least 6 months. Where a calendar decides,
//! or two figures bind opposite ways, neither covers the other, and each stands at the head of a list of its own.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::figure::{self, Bound, Figure, FigureKind, Unit};
use crate::requirement::{Requirement, Standing};

/// The figures of one kind, the strictest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The kind, from `packs/figures.toml`.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// What nothing else covers. One head is the strictest of all; with several, nobody can name one.
    pub heads: Vec<Head>,
    /// Why the heads cannot be compared, two by two, as positions in `heads`; empty where there is one.
    pub apart: Vec<(usize, usize, Apart)>,
}

/// A figure that nothing else covers, and what it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The figure with its sources: several where laws set the same one.
    pub figures: Vec<Sourced>,
    /// The figures it covers, the stricter first. A figure may be covered by several heads.
    pub covers: Vec<Sourced>,
}

/// A figure, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced {
    /// The requirement that sets it.
    pub requirement: String,
    /// Its pack.
    pub pack: String,
    /// The figure.
    pub figure: Figure,
    /// The figure's citation with its instrument.
    pub citation: String,
    /// The first day it binds, where it does not bind yet.
    pub ahead: Option<Date>,
}

/// Why two figures of one kind cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// One is a least and the other a most.
    Opposite,
    /// One counts working days, the other the calendar.
    WorkingDays,
    /// A month has 28 to 31 days, a year 365 or 366.
    Calendar,
    /// One is a plain number, the other a period.
    Units,
}

impl Apart {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Apart::Opposite => "one is a least and the other a most",
            Apart::WorkingDays => "one counts working days, the other calendar time",
            Apart::Calendar => "the calendar decides: a month has 28 to 31 days, a year 365 or 366",
            Apart::Units => "one is a plain number, the other a period",
        }
    }
}

/// Ranks the figures that these requirements set, by kind. Requirements that do not concern the system set none.
///
/// The order of the requirements changes nothing. Cubic in the figures of one kind; packs have under a hundred.
pub fn rank<'r>(
    requirements: impl IntoIterator<Item = &'r Requirement>,
    kinds: &BTreeMap<String, FigureKind>,
) -> Vec<Ranking> {
    let mut by_kind: BTreeMap<&str, Vec<Sourced>> = BTreeMap::new();
    for requirement in requirements.into_iter().filter(|one| one.concerns()) {
        for figure in &requirement.text().figures {
            let of_kind = by_kind.entry(&figure.kind).or_default();
            of_kind.push(sourced(requirement, figure));
        }
    }
    let ranking = |(kind, mut figures): (&str, Vec<Sourced>)| {
        figures.sort_by(|one, other| {
            (&one.requirement, &one.citation).cmp(&(&other.requirement, &other.citation))
        });
        let title = kinds.get(kind).map_or(kind, |kind| &kind.title);
        ranked(kind, title, &figures)
    };
    by_kind.into_iter().map(ranking).collect()
}

fn sourced(requirement: &Requirement, figure: &Figure) -> Sourced {
    Sourced {
        requirement: requirement.text().id.clone(),
        pack: requirement.pack().id.clone(),
        citation: requirement.pack().cited(&figure.cite),
        figure: figure.clone(),
        ahead: match &requirement.standing {
            Standing::Ahead { from } => Some(*from),
            Standing::Waiting { until, .. } => Some(*until),
            Standing::InForce { .. }
            | Standing::Ended { .. }
            | Standing::NotApplicable(_)
            | Standing::Unknown { .. } => None,
        },
    }
}

fn ranked(kind: &str, title: &str, figures: &[Sourced]) -> Ranking {
    let n = figures.len();
    let mut covers = vec![vec![false; n]; n];
    for one in 0..n {
        for other in 0..n {
            let order = stricter(&figures[one].figure, &figures[other].figure);
            covers[one][other] = order == Some(Ordering::Greater);
        }
    }
    // What a covered figure covers is covered too.
    for middle in 0..n {
        for one in 0..n {
            for other in 0..n {
                covers[one][other] |= covers[one][middle] && covers[middle][other];
            }
        }
    }
    let n_covered = |at: &usize| covers[*at].iter().filter(|covered| **covered).count();
    let mut heads: Vec<Vec<usize>> = Vec::new();
    for at in (0..n).filter(|at| !(0..n).any(|other| covers[other][*at])) {
        let same = |head: &&mut Vec<usize>| {
            stricter(&figures[head[0]].figure, &figures[at].figure) == Some(Ordering::Equal)
        };
        match heads.iter_mut().find(same) {
            Some(head) => head.push(at),
            None => heads.push(vec![at]),
        }
    }
    heads.sort_by_key(|head| std::cmp::Reverse(n_covered(&head[0])));
    let mut apart = Vec::new();
    for (position, head) in heads.iter().enumerate() {
        for (other, later) in heads.iter().enumerate().skip(position + 1) {
            let why = why_apart(&figures[head[0]].figure, &figures[later[0]].figure);
            apart.push((position, other, why));
        }
    }
    let pick = |positions: &[usize]| positions.iter().map(|at| figures[*at].clone()).collect();
    let heads = heads.iter().map(|head| {
        let mut covered: Vec<usize> = (0..n).filter(|at| covers[head[0]][*at]).collect();
        covered.sort_by_key(|at| std::cmp::Reverse(n_covered(at)));
        Head {
            figures: pick(head),
            covers: pick(&covered),
        }
    });
    Ranking {
        kind: kind.to_owned(),
        title: title.to_owned(),
        heads: heads.collect(),
        apart,
    }
}

/// Whether the first is stricter (greater), as strict (equal) or laxer (less) than the second; `None` where they cannot be compared.
/// A least is stricter the larger it is, a most the smaller it is.
pub fn stricter(one: &Figure, other: &Figure) -> Option<Ordering> {
    let larger_is_stricter = one.bound == Bound::AtLeast;
    let best = figure::strictest(&[one, other], larger_is_stricter)?;
    Some(match best.as_slice() {
        [0] => Ordering::Greater,
        [1] => Ordering::Less,
        _ => Ordering::Equal,
    })
}

fn why_apart(one: &Figure, other: &Figure) -> Apart {
    let either = |unit: Unit| one.amount.unit == unit || other.amount.unit == unit;
    if one.bound != other.bound {
        Apart::Opposite
    } else if either(Unit::One) {
        Apart::Units
    } else if either(Unit::BusinessDays) {
        Apart::WorkingDays
    } else {
        Apart::Calendar
    }
}

#[cfg(test)]
mod tests;
