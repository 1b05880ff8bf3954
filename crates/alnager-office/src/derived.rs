//! Derived: how every system stands, kept beside the state and recomputed one system at a time.
//!
//! Nothing here is recorded. It follows from the state, the law and policy in use, what was measured and the day, and can be thrown away.

use std::collections::HashSet;
use std::sync::Arc;

use alnager_audit::judge::{Outcome, TestResult};
use alnager_audit::measures::Measures;
use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::read::ReadError;
use alnager_law::requirement::AsOf;
use alnager_law::rule::Truth;
use imbl::OrdMap;
use jiff::civil::Date;

use crate::assess::{Assessment, Counts, assess};
use crate::gate::{Blocker, Gate, Judged, Status, Verdict};
use crate::state::State;
use crate::system::System;

/// How every system of the state stands on a day.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    systems: OrdMap<String, Arc<DerivedSystem>>,
}

/// What a system's standing rests on. While it is the same, so is the standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The latest entry about the system.
    pub own: Option<u64>,
    /// The latest entry about the organisation as a whole.
    pub shared: Option<u64>,
    /// The day judged and the day of knowledge.
    pub when: AsOf,
}

/// How one system stands.
#[derive(Debug, Clone)]
pub struct DerivedSystem {
    /// What it rests on.
    pub key: Key,
    /// The verdict of the gate before use.
    pub verdict: Verdict,
    /// Whether neither law nor policy asked for anything.
    pub nothing_required: bool,
    /// Numbers of requirements.
    pub counts: Counts,
    /// The next day on which a binding requirement begins.
    pub next_day: Option<Date>,
    /// What stands in the way: what holds first.
    pub blockers: Vec<DerivedBlocker>,
    /// The requirements that bind it now or later, or may, in the order of the packs.
    pub requirements: Vec<DerivedRequirement>,
    /// The judged result furthest from passing, where something was measured.
    pub worst: Option<TestResult>,
    /// Number of tests that failed, among those the gate looks at.
    pub n_failed: usize,
    /// Number of tests the gate looks at.
    pub n_tests: usize,
    /// The highest fine a breach may cost, in words, with its citation.
    pub fine: Option<(String, String)>,
}

/// Something that stands in the way of a system: a [`Blocker`] whose texts are shared with other systems.
#[derive(Debug, Clone)]
pub struct DerivedBlocker {
    /// The requirement's id, or the test's.
    pub id: Arc<str>,
    /// What it is, in words.
    pub what: Arc<str>,
    /// The citation.
    pub citation: Arc<str>,
    /// Who must act: a person's id.
    pub owner: Arc<str>,
    /// What to do next.
    pub next: Arc<str>,
    /// Whether it holds the gate, or leaves it undecided.
    pub holds: bool,
}

/// How one requirement stands for a system.
#[derive(Debug, Clone)]
pub struct DerivedRequirement {
    /// Its id.
    pub id: Arc<str>,
    /// Its pack.
    pub pack: Arc<str>,
    /// How it fares.
    pub status: Status,
    /// The first day it governs, where one is known.
    pub from: Option<Date>,
    /// Who owns it: a person's id.
    pub owner: Arc<str>,
    /// Whether it may stand in the way.
    pub binds: bool,
}

/// Texts that many systems share, held once.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    /// So many texts are worth looking for some that nobody holds.
    n_worth: usize,
}

impl Interner {
    /// The shared form of a text.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&shared));
        shared
    }

    /// Forgets the texts that nobody holds any more, once there are twice as many as after the last time.
    pub fn forget_unused(&mut self) {
        if self.texts.len() > self.n_worth {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.n_worth = 2 * self.texts.len();
        }
    }
}

impl Derived {
    /// How a system stands. `None` where it is not known, or not derived yet.
    pub fn system(&self, id: &str) -> Option<&Arc<DerivedSystem>> {
        self.systems.get(id)
    }

    /// Every system's standing, by the systems' ids.
    pub fn systems(&self) -> impl Iterator<Item = (&String, &Arc<DerivedSystem>)> {
        self.systems.iter()
    }

    /// Keeps how a system stands.
    pub fn put(&mut self, id: &str, system: DerivedSystem) {
        self.systems.insert(id.to_owned(), Arc::new(system));
    }

    /// The systems of the state whose standing is not known for the day, or rests on something older.
    pub fn behind(&self, state: &State, today: &dyn Fn(&System) -> AsOf) -> Vec<String> {
        let systems = state.systems.iter();
        systems
            .filter(|(id, system)| {
                let key = key(state, system, today(system));
                self.systems.get(*id).is_none_or(|known| known.key != key)
            })
            .map(|(id, _)| id.clone())
            .collect()
    }
}

/// What a system's standing rests on, as of a day.
pub fn key(state: &State, system: &System, when: AsOf) -> Key {
    let head = |subject: &str| state.heads.get(subject).copied();
    let organisation = state.organisation.as_ref();
    Key {
        own: head(&system.subject),
        shared: organisation.and_then(|organisation| head(&organisation.id)),
        when,
    }
}

/// Works out how a system stands on what was measured. `None` when the state has no such system.
pub fn derive(
    state: &State,
    id: &str,
    book: &Book,
    policy: &Policy,
    measures: Vec<Measures>,
    when: AsOf,
    shared: &mut Interner,
) -> Result<Option<DerivedSystem>, ReadError> {
    let Some(system) = state.systems.get(id) else {
        return Ok(None);
    };
    let found = assess(state, id, book, policy, measures, when, Gate::Launch)?;
    Ok(found.map(|assessment| of_assessment(&assessment, key(state, system, when), shared)))
}

fn of_assessment(assessment: &Assessment, key: Key, shared: &mut Interner) -> DerivedSystem {
    let kept = assessment
        .judged
        .iter()
        .filter(|judged| judged.asks() || judged.counts());
    let requirements = kept
        .map(|judged| derived_requirement(judged, shared))
        .collect();
    let counted = assessment
        .outcomes
        .iter()
        .filter(|outcome| outcome.required != Truth::False);
    let n_failed = counted
        .clone()
        .filter(|outcome| outcome.outcome == Outcome::Fail)
        .count();
    let n_tests = counted.count();
    let beyond = |result: &TestResult| result.beyond().unwrap_or(f64::NEG_INFINITY);
    let worst = assessment
        .outcomes
        .iter()
        .rev()
        .filter_map(|outcome| assessment.furthest(outcome))
        .max_by(|one, other| {
            let outcome = one.outcome.cmp(&other.outcome);
            outcome.then(beyond(one).total_cmp(&beyond(other)))
        });
    DerivedSystem {
        key,
        verdict: assessment.verdict,
        nothing_required: assessment.nothing_required,
        counts: assessment.counts(),
        next_day: assessment.next_day(),
        blockers: assessment
            .blockers()
            .iter()
            .map(|blocker| derived_blocker(blocker, shared))
            .collect(),
        requirements,
        worst: worst.cloned(),
        n_failed,
        n_tests,
        fine: assessment.highest_fine().map(|(judged, penalty)| {
            let cite = judged.requirement.pack().cited(&penalty.cite);
            (penalty.max.clone(), cite)
        }),
    }
}

fn derived_blocker(blocker: &Blocker, shared: &mut Interner) -> DerivedBlocker {
    DerivedBlocker {
        id: shared.text(&blocker.id),
        what: shared.text(&blocker.what),
        citation: shared.text(&blocker.citation),
        owner: shared.text(&blocker.owner),
        next: shared.text(&blocker.next),
        holds: blocker.holds,
    }
}

fn derived_requirement(judged: &Judged, shared: &mut Interner) -> DerivedRequirement {
    DerivedRequirement {
        id: shared.text(&judged.requirement.text().id),
        pack: shared.text(&judged.requirement.pack().id),
        status: judged.status,
        from: judged.from(),
        owner: shared.text(&judged.owner),
        binds: judged.binds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_held_once_and_as_long_as_somebody_holds_it() {
        let mut shared = Interner::default();
        let one = shared.text("Art 5");
        let other = shared.text("Art 5");
        assert!(Arc::ptr_eq(&one, &other));
        drop(shared.text("Art 6"));
        shared.forget_unused();
        assert_eq!(shared.texts.len(), 1);
        drop((one, other));
        shared.forget_unused();
        assert_eq!(shared.texts.len(), 1, "not worth a look yet");
        for n in 0..2 {
            drop(shared.text(&n.to_string()));
        }
        shared.forget_unused();
        assert!(shared.texts.is_empty());
    }
}
