//! Digests: what rooms show across all systems, worked out once for each moment and not for each page.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alnager_audit::judge::Outcome;
use alnager_office::derived::Derived;
use alnager_office::evidence::{Evidence, Standing};
use alnager_office::gate::{Status, Verdict};
use alnager_office::launch::LaunchStanding;
use alnager_office::opinion::Conclusion;
use alnager_office::state::State;
use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::inventory::Inventory;

/// Across all systems, as of a moment.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// One row a system.
    pub inventory: Inventory,
    /// Every system with how it stands: what holds first, then what is undecided, each by the day it is judged on.
    pub gates: Vec<GateRow>,
    /// Numbers of systems by verdict.
    pub tally: Tally,
    /// Evidence that awaits a decision, the oldest first.
    pub queue: Vec<String>,
    /// Every piece of evidence with how it stands, the latest first.
    pub shelf: Vec<Shelved>,
    /// Accepted evidence that has expired or soon will, the soonest first.
    pub ageing: Vec<Ageing>,
    /// Law that will bind a system, the soonest first.
    pub ahead: Vec<Ahead>,
    /// Systems with a judged result, the furthest from passing first.
    pub measured: Vec<String>,
    /// What stands in the way, by who must act: each system with how much of it.
    pub owned: HashMap<Arc<str>, Vec<(Arc<str>, usize)>>,
    /// Answers that wait to be confirmed: the system and the fact.
    pub proposals: Vec<(String, String)>,
    /// Open tasks, the soonest due first.
    pub tasks: Vec<String>,
    /// Systems with an audit opinion that stands: those on which the record has moved or that say something is wrong come first.
    pub opinions: Vec<String>,
    /// How each requirement stands across systems.
    pub requirements: HashMap<Arc<str>, Across>,
}

/// One system in the order of urgency.
#[derive(Debug, Clone)]
pub struct GateRow {
    /// The system.
    pub system: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The day it is judged on.
    pub on: Date,
    /// How the decision on going live stands.
    pub launch: LaunchStanding,
}

/// Numbers of systems by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Clear.
    pub clear: usize,
    /// Hold.
    pub hold: usize,
    /// Undecided.
    pub undecided: usize,
}

/// A piece of evidence and how it stands over all it is offered for.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// The evidence.
    pub evidence: String,
    /// How it stands.
    pub stands: Shelf,
    /// The entry that submitted it.
    pub at: u64,
}

/// How evidence stands over all it is offered for: what needs somebody comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    /// Nobody has decided about some of it.
    Awaiting,
    /// It was accepted and no longer counts.
    Expired,
    /// It is accepted and stops counting within [`AGEING_DAYS`].
    Expiring,
    /// It is accepted for something.
    Accepted,
    /// It is accepted for nothing.
    Rejected,
    /// A newer version took its place.
    Replaced,
}

/// Accepted evidence that has expired or soon will.
#[derive(Debug, Clone)]
pub struct Ageing {
    /// The evidence.
    pub evidence: String,
    /// The first day it no longer counts.
    pub expires: Date,
}

/// A requirement that will bind systems.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// The first day.
    pub from: Date,
    /// The requirement.
    pub requirement: Arc<str>,
    /// Its pack.
    pub pack: Arc<str>,
    /// The systems.
    pub systems: Vec<Arc<str>>,
}

/// How a requirement stands across systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Across {
    /// Met.
    pub met: usize,
    /// Gaps.
    pub gap: usize,
    /// Unknown.
    pub unknown: usize,
    /// Ahead or waiting.
    pub ahead: usize,
}

impl Shelf {
    /// All of them, in the order of the filter.
    pub const ALL: [Shelf; 6] = [
        Shelf::Awaiting,
        Shelf::Accepted,
        Shelf::Rejected,
        Shelf::Expiring,
        Shelf::Expired,
        Shelf::Replaced,
    ];

    /// How a piece of evidence stands on a day.
    pub fn of(evidence: &Evidence, today: Date) -> Shelf {
        if evidence.replaced_by.is_some() {
            return Shelf::Replaced;
        }
        let (mut is_accepted, mut is_expired, mut is_undecided) = (false, false, false);
        for requirement in evidence.requirements() {
            match evidence.standing(requirement, today) {
                Standing::Submitted => is_undecided = true,
                Standing::Accepted | Standing::NotYetEffective => is_accepted = true,
                Standing::Expired => is_expired = true,
                Standing::Rejected => {}
            }
        }
        let soon = today.saturating_add(AGEING_DAYS.days());
        let is_ageing = evidence
            .submitted
            .expires
            .is_some_and(|expires| expires <= soon);
        match (is_undecided, is_expired, is_accepted) {
            (true, _, _) => Shelf::Awaiting,
            (false, true, _) => Shelf::Expired,
            (false, false, true) if is_ageing => Shelf::Expiring,
            (false, false, true) => Shelf::Accepted,
            (false, false, false) => Shelf::Rejected,
        }
    }

    /// Its word, as the filter has it.
    pub fn word(self) -> &'static str {
        match self {
            Shelf::Awaiting => "awaiting",
            Shelf::Expired => "expired",
            Shelf::Expiring => "expiring",
            Shelf::Accepted => "accepted",
            Shelf::Rejected => "rejected",
            Shelf::Replaced => "replaced",
        }
    }
}

/// How long before its last day evidence is shown as ageing, in days.
pub const AGEING_DAYS: i64 = 90;

fn opinions(state: &State) -> Vec<String> {
    let standing = state.opinions.keys();
    let standing = standing.filter_map(|id| Some((id, state.opinion_on(id)?)));
    let mut rows: Vec<(bool, std::cmp::Reverse<u64>, &String)> = standing
        .map(|(id, one)| {
            let is_right = one.given.conclusion == Conclusion::Unmodified;
            let has_moved = state.moved_since(id, one.given.size).is_any();
            (is_right && !has_moved, std::cmp::Reverse(one.at), id)
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, _, id)| id.clone()).collect()
}

impl Digest {
    /// Works it out.
    pub fn of(state: &State, derived: &Derived, today: Date) -> Digest {
        let mut digest = Digest {
            inventory: Inventory::of(state, derived, today),
            ..Digest::default()
        };
        digest.look_at_systems(state, derived, today);
        digest.look_at_evidence(state, today);
        digest.opinions = opinions(state);
        let mut tasks: Vec<(Date, &String)> = state
            .tasks
            .iter()
            .filter(|(_, task)| task.done.is_none())
            .map(|(id, task)| (task.opened.due, id))
            .collect();
        tasks.sort();
        digest.tasks = tasks.into_iter().map(|(_, id)| id.clone()).collect();
        digest
    }

    fn look_at_systems(&mut self, state: &State, derived: &Derived, today: Date) {
        let mut ahead: BTreeMap<(Date, Arc<str>), Ahead> = BTreeMap::new();
        let mut measured: Vec<(Outcome, String)> = Vec::new();
        for (id, standing) in derived.systems() {
            let Some(system) = state.systems.get(id) else {
                continue;
            };
            match standing.verdict {
                Verdict::Clear => self.tally.clear += 1,
                Verdict::Hold => self.tally.hold += 1,
                Verdict::Undecided => self.tally.undecided += 1,
            }
            self.gates.push(GateRow {
                system: id.clone(),
                verdict: standing.verdict,
                on: standing.key.when.valid,
                launch: state.launch_standing(id, today),
            });
            let shared: Arc<str> = Arc::from(id.as_str());
            for blocker in &standing.blockers {
                let owned = self.owned.entry(Arc::clone(&blocker.owner)).or_default();
                match owned.last_mut() {
                    Some((last, n)) if *last == shared => *n += 1,
                    Some(_) | None => owned.push((Arc::clone(&shared), 1)),
                }
            }
            for requirement in &standing.requirements {
                let across = self
                    .requirements
                    .entry(Arc::clone(&requirement.id))
                    .or_default();
                match requirement.status {
                    Status::Met => across.met += 1,
                    Status::Gap => across.gap += 1,
                    Status::Unknown => across.unknown += 1,
                    Status::Ahead | Status::Waiting => across.ahead += 1,
                    Status::Ended | Status::NotApplicable | Status::Noted => {}
                }
                let is_ahead = matches!(requirement.status, Status::Ahead | Status::Waiting);
                if let (true, true, Some(from)) = (is_ahead, requirement.binds, requirement.from) {
                    let key = (from, Arc::clone(&requirement.id));
                    let entry = ahead.entry(key).or_insert_with(|| Ahead {
                        from,
                        requirement: Arc::clone(&requirement.id),
                        pack: Arc::clone(&requirement.pack),
                        systems: Vec::new(),
                    });
                    entry.systems.push(Arc::clone(&shared));
                }
            }
            if let Some(worst) = &standing.worst {
                measured.push((worst.outcome, id.clone()));
            }
            let proposed = system
                .facts
                .iter()
                .filter(|(_, fact)| fact.proposal.is_some());
            self.proposals
                .extend(proposed.map(|(fact, _)| (id.clone(), fact.clone())));
        }
        let urgency = |verdict: Verdict| match verdict {
            Verdict::Hold => 0,
            Verdict::Undecided => 1,
            Verdict::Clear => 2,
        };
        self.gates
            .sort_by_key(|row| (urgency(row.verdict), row.on, row.system.clone()));
        measured.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        self.measured = measured.into_iter().map(|(_, id)| id).collect();
        self.ahead = ahead.into_values().collect();
    }

    fn look_at_evidence(&mut self, state: &State, today: Date) {
        let soon: Span = AGEING_DAYS.days();
        let soon = today.saturating_add(soon);
        let mut queue = Vec::new();
        for (id, evidence) in &state.evidence {
            self.shelf.push(Shelved {
                evidence: id.clone(),
                stands: Shelf::of(evidence, today),
                at: evidence.submitted_at,
            });
            if evidence.replaced_by.is_some() {
                continue;
            }
            let standings = evidence
                .requirements()
                .map(|requirement| evidence.standing(requirement, today));
            let standings: Vec<Standing> = standings.collect();
            let is_undecided = evidence
                .requirements()
                .any(|requirement| !evidence.decisions.contains_key(requirement));
            if is_undecided {
                queue.push((evidence.submitted_at, id.clone()));
            }
            let counted = standings
                .iter()
                .any(|standing| matches!(standing, Standing::Accepted | Standing::Expired));
            if let (true, Some(expires)) = (counted, evidence.submitted.expires)
                && expires <= soon
            {
                self.ageing.push(Ageing {
                    evidence: id.clone(),
                    expires,
                });
            }
        }
        self.shelf
            .sort_by_key(|shelved| std::cmp::Reverse((shelved.at, shelved.evidence.clone())));
        queue.sort();
        self.queue = queue.into_iter().map(|(_, id)| id).collect();
        self.ageing.sort_by(|one, other| {
            one.expires
                .cmp(&other.expires)
                .then(one.evidence.cmp(&other.evidence))
        });
    }
}
