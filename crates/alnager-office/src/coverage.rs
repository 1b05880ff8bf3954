//! Coverage: how far the requirements are met, by regime and by control, over one system or all systems of a desk.

use std::collections::BTreeMap;

use alnager_law::book::Book;
use alnager_law::conflict::ConflictPair;
use alnager_law::pack::Phase;
use alnager_law::requirement::Standing as LawStanding;

use crate::assess::Assessment;
use crate::evidence::Standing;
use crate::gate::{Judged, Status, kinds_needed};
use crate::state::State;

/// How far requirements are met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The systems looked at.
    pub systems: Vec<String>,
    /// Every requirement that concerns one of them or may, in the order of the packs: once for each system, and once for all where
    /// it is a duty of the organisation.
    pub requirements: Vec<Covered>,
    /// By regime: the packs that ask for something, in their order.
    pub regimes: Vec<RegimeCoverage>,
    /// By common control, in the order of their ids. A requirement counts under each control it asks for.
    pub controls: Vec<ControlCoverage>,
    /// Duties that pull against each other, for counsel.
    pub conflicts: Vec<SystemConflict>,
}

/// How far one requirement is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Its id.
    pub requirement: String,
    /// Its pack.
    pub pack: String,
    /// The system; `None` for a duty of the organisation.
    pub system: Option<String>,
    /// How it fares; for a duty of the organisation the worst over the systems.
    pub cover: Cover,
    /// The evidence accepted for it and in date.
    pub accepted: Vec<String>,
    /// The kinds of evidence the gate looks for that are neither accepted nor measured.
    pub lacking: Vec<String>,
    /// The common controls it asks for.
    pub controls: Vec<String>,
}

/// How a requirement fares, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// In force, and not met.
    Gap,
    /// In force; neither shown nor denied.
    Unknown,
    /// In force as far as anybody knows: its core is not confirmed, and counsel has not read it.
    ForCounsel,
    /// In force and met.
    Met,
    /// It may apply, now or later, once a fact is settled.
    MayApply,
    /// It begins on a later day.
    Ahead,
    /// Its day has come, but not its trigger.
    Waiting,
}

/// Numbers of requirements. `in_force` is `met` + `gap` + `unknown` + `for_counsel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// In force.
    pub in_force: usize,
    /// Of those, met.
    pub met: usize,
    /// Of those, gaps.
    pub gap: usize,
    /// Of those, neither shown nor denied.
    pub unknown: usize,
    /// Of those, not confirmed and not read by counsel.
    pub for_counsel: usize,
    /// May apply once a fact is settled.
    pub may_apply: usize,
    /// Begin later.
    pub ahead: usize,
    /// Wait for their trigger.
    pub waiting: usize,
}

/// One regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegimeCoverage {
    /// The pack.
    pub pack: String,
    /// Its title.
    pub title: String,
    /// Whether it binds by itself; an adopted framework does not.
    pub is_binding: bool,
    /// The numbers.
    pub tally: Tally,
}

/// One common control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlCoverage {
    /// Its id.
    pub control: String,
    /// Its title.
    pub title: String,
    /// The numbers.
    pub tally: Tally,
    /// The requirements it serves, as positions in [`Coverage::requirements`].
    pub requirements: Vec<usize>,
    /// Its kinds of evidence and the readiness its requirements need: each with the number that need it, and that have it.
    pub evidence: Vec<KindCoverage>,
}

/// One kind of evidence under a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCoverage {
    /// The kind.
    pub kind: String,
    /// How many of the control's requirements the gate looks for it.
    pub n_needed: usize,
    /// For how many of those it is accepted or measured.
    pub n_shown: usize,
}

/// Two duties of one system that pull against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemConflict {
    /// The system.
    pub system: String,
    /// The duties, and why.
    pub pair: ConflictPair,
}

impl Cover {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Cover::Gap => "gap",
            Cover::Unknown => "unknown",
            Cover::ForCounsel => "for counsel",
            Cover::Met => "met",
            Cover::MayApply => "may apply",
            Cover::Ahead => "ahead",
            Cover::Waiting => "waiting",
        }
    }

    /// How a requirement fares; `None` where it asks for nothing.
    fn of(judged: &Judged) -> Option<Self> {
        // What is ruled out by something that is not confirmed may apply, too.
        let is_open = matches!(
            judged.requirement.standing,
            LawStanding::Unknown { .. } | LawStanding::NotApplicable(_)
        );
        let for_counsel = judged.reading.is_none() && !judged.requirement.for_counsel.is_empty();
        match judged.status {
            Status::Ended | Status::NotApplicable | Status::Noted => None,
            Status::Met | Status::Gap | Status::Unknown | Status::Ahead | Status::Waiting
                if is_open =>
            {
                Some(Cover::MayApply)
            }
            Status::Unknown if for_counsel => Some(Cover::ForCounsel),
            Status::Met => Some(Cover::Met),
            Status::Gap => Some(Cover::Gap),
            Status::Unknown => Some(Cover::Unknown),
            Status::Ahead => Some(Cover::Ahead),
            Status::Waiting => Some(Cover::Waiting),
        }
    }
}

impl Tally {
    fn of<'c>(covered: impl Iterator<Item = &'c Covered>) -> Self {
        let mut tally = Tally::default();
        for one in covered {
            let (number, is_in_force) = match one.cover {
                Cover::Met => (&mut tally.met, true),
                Cover::Gap => (&mut tally.gap, true),
                Cover::Unknown => (&mut tally.unknown, true),
                Cover::ForCounsel => (&mut tally.for_counsel, true),
                Cover::MayApply => (&mut tally.may_apply, false),
                Cover::Ahead => (&mut tally.ahead, false),
                Cover::Waiting => (&mut tally.waiting, false),
            };
            *number += 1;
            tally.in_force += usize::from(is_in_force);
        }
        tally
    }
}

/// How far the systems assessed meet what is asked of them.
pub fn coverage(state: &State, book: &Book, assessed: &[&Assessment]) -> Coverage {
    let requirements = covered(state, assessed);
    let regimes = book.packs().filter_map(|pack| {
        let own = || requirements.iter().filter(|one| one.pack == pack.id);
        own().next()?;
        Some(RegimeCoverage {
            pack: pack.id.clone(),
            title: pack.title.clone(),
            is_binding: pack.binding,
            tally: Tally::of(own()),
        })
    });
    let controls = book.controls.items.iter().filter_map(|(id, item)| {
        let asks = |at: &usize| requirements[*at].controls.contains(id);
        let own: Vec<usize> = (0..requirements.len()).filter(asks).collect();
        (!own.is_empty()).then(|| ControlCoverage {
            control: id.clone(),
            title: item.title.clone(),
            tally: Tally::of(own.iter().map(|at| &requirements[*at])),
            evidence: kinds_under(&own, &requirements, book),
            requirements: own,
        })
    });
    let conflicts = assessed.iter().flat_map(|assessment| {
        let system = &assessment.declaration.id;
        let pairs = assessment.conflicts().into_iter();
        pairs.map(|pair| SystemConflict {
            system: system.clone(),
            pair: pair.clone(),
        })
    });
    Coverage {
        systems: assessed
            .iter()
            .map(|assessment| assessment.declaration.id.clone())
            .collect(),
        regimes: regimes.collect(),
        controls: controls.collect(),
        conflicts: conflicts.collect(),
        requirements,
    }
}

fn covered(state: &State, assessed: &[&Assessment]) -> Vec<Covered> {
    let mut found: Vec<(usize, Covered)> = Vec::new();
    let mut organisation: BTreeMap<String, usize> = BTreeMap::new();
    for assessment in assessed {
        for (position, judged) in assessment.judged.iter().enumerate() {
            let Some(cover) = Cover::of(judged) else {
                continue;
            };
            let one = covered_by(state, assessment, judged, cover);
            if one.system.is_some() {
                found.push((position, one));
                continue;
            }
            match organisation.get(&one.requirement).map(|at| &mut found[*at]) {
                Some((_, known)) if known.cover <= one.cover => {}
                Some((_, known)) => *known = one,
                None => {
                    organisation.insert(one.requirement.clone(), found.len());
                    found.push((position, one));
                }
            }
        }
    }
    // The order of the packs; the sort is stable, so systems keep theirs.
    found.sort_by_key(|(position, _)| *position);
    found.into_iter().map(|(_, one)| one).collect()
}

fn covered_by(state: &State, assessment: &Assessment, judged: &Judged, cover: Cover) -> Covered {
    let text = judged.requirement.text();
    let (system, day) = (&assessment.declaration.id, assessment.when.valid);
    let offered = state.evidence_for(text, system);
    let accepted = offered.filter(|one| one.standing(&text.id, day) == Standing::Accepted);
    let accepted: Vec<_> = accepted.collect();
    let is_shown = |kind: &String| {
        judged.status == Status::Met || accepted.iter().any(|one| one.submitted.kind == *kind)
    };
    Covered {
        requirement: text.id.clone(),
        pack: judged.requirement.pack().id.clone(),
        system: (text.phase != Phase::Organisation).then(|| system.clone()),
        cover,
        lacking: kinds_needed(text)
            .into_iter()
            .filter(|kind| !is_shown(kind))
            .collect(),
        accepted: accepted
            .iter()
            .map(|one| one.submitted.evidence.clone())
            .collect(),
        controls: text.controls.clone(),
    }
}

/// The kinds of evidence that requirements need, with the numbers that need it and have it.
fn kinds_under(own: &[usize], requirements: &[Covered], book: &Book) -> Vec<KindCoverage> {
    let texts: BTreeMap<&str, Vec<String>> = book
        .packs()
        .flat_map(|pack| &pack.requirements)
        .filter(|text| {
            own.iter()
                .any(|at| requirements[*at].requirement == text.id)
        })
        .map(|text| (text.id.as_str(), kinds_needed(text)))
        .collect();
    let mut kinds: BTreeMap<&String, (usize, usize)> = BTreeMap::new();
    for at in own {
        let one = &requirements[*at];
        for kind in texts.get(one.requirement.as_str()).into_iter().flatten() {
            let (n_needed, n_shown) = kinds.entry(kind).or_default();
            *n_needed += 1;
            *n_shown += usize::from(!one.lacking.contains(kind));
        }
    }
    let kinds = kinds.into_iter();
    kinds
        .map(|(kind, (n_needed, n_shown))| KindCoverage {
            kind: kind.clone(),
            n_needed,
            n_shown,
        })
        .collect()
}

/// The crosswalk as a table: a row for each control, a column for each regime, and in each cell the requirements with how they
/// fare, parted by `; `. Over several systems each is named.
pub fn matrix(coverage: &Coverage) -> String {
    let mut rows = vec![vec!["control".to_owned(), "title".to_owned()]];
    rows[0].extend(coverage.regimes.iter().map(|regime| regime.pack.clone()));
    let is_one = coverage.systems.len() == 1;
    for control in &coverage.controls {
        let mut row = vec![control.control.clone(), control.title.clone()];
        for regime in &coverage.regimes {
            let own = control.requirements.iter();
            let own = own.map(|at| &coverage.requirements[*at]);
            let words = own.filter(|one| one.pack == regime.pack).map(|one| {
                let system = one.system.as_ref().filter(|_| !is_one);
                let system = system.map_or(String::new(), |system| format!(" ({system})"));
                format!("{}{system} {}", one.requirement, one.cover.word())
            });
            row.push(words.collect::<Vec<_>>().join("; "));
        }
        rows.push(row);
    }
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        cells.join(",") + "\r\n"
    };
    rows.iter().map(line).collect()
}

/// A cell of a table. Source: RFC 4180, section 2.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests;
