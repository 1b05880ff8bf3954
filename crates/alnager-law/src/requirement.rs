//! Requirements: what a law, standard or policy asks of a system on a day, as known on a day.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use crate::book::{Book, BoundPack, Overlay, Reader};
use crate::code::FactSet;
use crate::fact::Facts;
use crate::pack::{Enforcement, EnforcementState, Pack, PackKind, Penalty, RequirementText};
use crate::rule::Truth;
use crate::schedule::Outcome;

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
    /// What about it is not confirmed, core and side notes; not empty means *preview*.
    pub preview: Vec<String>,
    /// What about its core (whether, what, or from when it binds) is not confirmed; not empty means *for counsel*.
    pub for_counsel: Vec<String>,
    /// Whether the day it begins or ends on is among what is not confirmed.
    pub is_date_unconfirmed: bool,
    /// Where its dates come from.
    pub dated_by: Option<Arc<str>>,
    /// How far it can be enforced on the day judged, where it is in force.
    pub force: Force,
    pack: Arc<BoundPack>,
    index: usize,
}

/// How far a requirement in force can be enforced. In law, applicable and enforceable are different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Force {
    /// It can be enforced in full.
    Enforceable,
    /// It is in force and not, or not fully, enforced.
    Limited {
        /// What holds.
        state: EnforcementState,
        /// The first day it no longer holds, where one is known.
        until: Option<Date>,
        /// The source.
        cite: String,
        /// A remark for the reader.
        note: Option<String>,
    },
    /// A standard, framework or guidance: it binds only where the organisation has adopted it.
    Voluntary,
    /// A bill: nothing of it is law. What it says is a what-if.
    Bill,
}

impl Force {
    /// In words, such as `grace until 2027-01-22`.
    pub fn words(&self) -> String {
        match self {
            Force::Enforceable => "enforceable".to_owned(),
            Force::Limited {
                state,
                until: Some(until),
                ..
            } => format!("{} until {until}", state.word()),
            Force::Limited { state, .. } => format!("{} until further notice", state.word()),
            Force::Voluntary => "voluntary".to_owned(),
            Force::Bill => "what-if: a bill, not law".to_owned(),
        }
    }
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
        /// The positions of the missing facts in the vocabulary; shared by all requirements that wait for the same.
        missing: Arc<BTreeSet<usize>>,
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

    /// What overlay packs changed about it.
    pub fn overlays(&self) -> &[Overlay] {
        &self.pack.overlays[self.index]
    }

    /// Whether it is known to concern the system: in force, from a known later day, or waiting for its trigger.
    pub fn concerns(&self) -> bool {
        match self.standing {
            Standing::InForce { .. } | Standing::Ahead { .. } | Standing::Waiting { .. } => true,
            Standing::Ended { .. } | Standing::NotApplicable(_) | Standing::Unknown { .. } => false,
        }
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
    requirements_on(&book.reader(facts, when.known), when.valid)
}

/// The same for a system that is asked about on several days: what the reader has worked out is worked out once.
pub fn requirements_on(reader: &Reader<'_>, valid: Date) -> Vec<Requirement> {
    let book = reader.book();
    let when = AsOf {
        valid,
        known: reader.known(),
    };
    let count = book.packs().map(|pack| pack.requirements.len()).sum();
    let mut requirements = Vec::with_capacity(count);
    for pack in book.bound() {
        let mut judged: Vec<Judged<'_>> = Vec::new();
        for (index, alike) in pack.alike.iter().enumerate() {
            if *alike == judged.len() {
                judged.push(Judged::new(pack, index, reader, when));
            }
            requirements.push(judged[*alike].requirement(pack, index, when));
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
    Judged::new(pack, index, reader, when).requirement(pack, index, when)
}

/// What is the same for all requirements of a pack that have the same condition and the same dates.
struct Judged<'t> {
    /// False where the condition is false.
    may_concern: bool,
    standing: Standing,
    dated_by: Option<&'t Arc<str>>,
    is_date_unconfirmed: bool,
    doubts: Vec<String>,
}

impl<'t> Judged<'t> {
    fn new(pack: &'t BoundPack, index: usize, reader: &Reader<'_>, when: AsOf) -> Self {
        let code = &pack.codes[index];
        let holds = reader.holds(code);
        // A derived fact that is not confirmed leaves no doubt where the condition comes out the same without it.
        let rests_on_doubt = !pack.doubtful[index].is_empty()
            && (holds == Truth::Unknown || reader.holds_confirmed(code, pack.at) != holds);
        if holds == Truth::False && !rests_on_doubt {
            return Judged::by_facts(Vec::new());
        }
        let (timetable, at) = (&pack.timetable, pack.timetable.schedule_of(index));
        let outcomes = timetable.outcomes(&pack.pack, at, reader, when.known);
        let mut derived = Vec::new();
        if rests_on_doubt {
            reader.doubts_in(code, pack.at, &mut derived);
        }
        if holds == Truth::False {
            // What would not bind on the day judged anyway is no question for counsel.
            let would = match settle(Truth::True, &outcomes, when.valid) {
                Standing::InForce { .. } => true,
                Standing::Unknown { from, .. } => from.is_none_or(|from| from <= when.valid),
                Standing::Ahead { .. }
                | Standing::Waiting { .. }
                | Standing::Ended { .. }
                | Standing::NotApplicable(_) => false,
            };
            return Judged::by_facts(if would { derived } else { Vec::new() });
        }
        let mut standing = settle(holds, &outcomes, when.valid);
        if let Standing::Unknown { missing, .. } = &mut standing {
            let mut facts = FactSet::default();
            reader.missing_in(code, &mut facts);
            timetable.missing(at, reader, when.known, &mut facts);
            *missing = Arc::new(facts.iter().collect());
        }
        let mut doubts = Vec::new();
        timetable.doubts(at, reader, pack.at, &mut doubts);
        // Where no date governs, only what may be wrong about that is in doubt.
        let governs = !matches!(standing, Standing::NotApplicable(_));
        if governs {
            let rows = outcomes.iter().filter_map(|outcome| outcome.row);
            doubts.extend(rows.filter_map(|row| row.unconfirmed.clone()));
        }
        let is_date_unconfirmed = !doubts.is_empty();
        if governs {
            doubts.extend(derived);
            doubts.extend(pack.pack.secondary());
        }
        Judged {
            may_concern: true,
            standing,
            dated_by: outcomes.first().and_then(|outcome| outcome.cite),
            is_date_unconfirmed,
            doubts,
        }
    }

    /// One whose condition is false, with what is not confirmed about that.
    fn by_facts(doubts: Vec<String>) -> Self {
        Judged {
            may_concern: false,
            standing: Standing::NotApplicable(Ruled::ByFacts),
            dated_by: None,
            is_date_unconfirmed: false,
            doubts,
        }
    }

    fn requirement(&self, pack: &Arc<BoundPack>, index: usize, when: AsOf) -> Requirement {
        let text = &pack.pack.requirements[index];
        let (mut for_counsel, mut preview) = (Vec::new(), Vec::new());
        if self.may_concern || !self.doubts.is_empty() {
            let governs = !matches!(self.standing, Standing::NotApplicable(_));
            let own = text.unconfirmed.iter().filter(|_| governs);
            for doubt in own.chain(&self.doubts) {
                if !for_counsel.contains(doubt) {
                    for_counsel.push(doubt.clone());
                }
            }
            preview.clone_from(&for_counsel);
            preview.extend(text.unconfirmed_detail.iter().cloned());
        }
        Requirement {
            standing: self.standing.clone(),
            preview,
            for_counsel,
            is_date_unconfirmed: self.is_date_unconfirmed,
            dated_by: self.dated_by.cloned(),
            force: if self.may_concern {
                force(&pack.pack, text, when)
            } else {
                Force::Enforceable
            },
            pack: pack.clone(),
            index,
        }
    }
}

/// How far a requirement can be enforced on the day judged.
pub(crate) fn force(pack: &Pack, text: &RequirementText, when: AsOf) -> Force {
    if pack.kind == PackKind::Bill {
        return Force::Bill;
    }
    if !pack.binding {
        return Force::Voluntary;
    }
    if pack.enforcement.is_empty() {
        return Force::Enforceable;
    }
    let chosen = text.applies.iter().flat_map(|group| {
        let choices = pack.choose.get(group).into_iter().flatten();
        std::iter::once(group).chain(choices.map(|choice| &choice.group))
    });
    let groups: Vec<&String> = chosen.collect();
    let concerns = |row: &&Enforcement| {
        row.known <= when.known
            && (row.groups.is_empty() || row.groups.iter().any(|group| groups.contains(&group)))
    };
    let rows: Vec<&Enforcement> = pack.enforcement.iter().filter(concerns).collect();
    // A later statement of the same kind takes the place of an earlier one, also where it says that the time is over.
    let stands = |row: &&&Enforcement| {
        !rows.iter().any(|other| {
            other.known > row.known && other.state == row.state && other.groups == row.groups
        })
    };
    let holds = |row: &&&Enforcement| {
        row.from.is_none_or(|from| from <= when.valid)
            && row.until.is_none_or(|until| when.valid < until)
    };
    let latest = rows
        .iter()
        .filter(stands)
        .filter(holds)
        .max_by_key(|row| row.known);
    latest.map_or(Force::Enforceable, |row| Force::Limited {
        state: row.state,
        until: row.until,
        cite: row.cite.clone(),
        note: row.note.clone(),
    })
}

/// Joins condition and dates. Several outcomes that agree settle the question; otherwise it stays unknown.
pub(crate) fn settle(holds: Truth, outcomes: &[Outcome<'_>], day: Date) -> Standing {
    let mut standings = outcomes.iter().map(|outcome| outcome.standing(day));
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
                .filter(|outcome| !matches!(outcome.standing(day), Standing::Ended { .. }));
            Standing::Unknown {
                missing: Arc::default(),
                from: live.filter_map(|outcome| outcome.begins()).min(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
