//! Launches: a person's decision on a system going live, taken on its latest review. A verdict is a machine's; this is not.

use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::fact::Facts;
use alnager_law::requirement::AsOf;
use alnager_law::rule::Truth;
use imbl::Vector;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::assess::assess;
use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::gate::{Gate, Verdict};
use crate::state::{Meta, State};
use crate::system::LastReview;

/// What a person decides about going live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaunchDecision {
    /// It may go live.
    Approve,
    /// It may go live under conditions, until a day.
    Conditional,
    /// It may not go live.
    Refuse,
    /// An approval is taken back.
    Withdraw,
}

/// A person decided on a launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchDecided {
    /// The system.
    pub system: String,
    /// The entry of the review it was decided on.
    pub review: u64,
    /// That review's verdict, its word.
    pub verdict: String,
    /// What was decided.
    pub decision: LaunchDecision,
    /// What must be kept; for a conditional decision alone.
    pub conditions: Vec<String>,
    /// The first day it no longer counts; `None` where it stands until the next review.
    pub expires: Option<Date>,
    /// The exceptions it relies on, by id.
    pub exceptions: Vec<String>,
    /// Whether two people must decide.
    pub needs_two: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// A decision on a launch as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// What was decided.
    pub decided: LaunchDecided,
    /// The entry.
    pub at: u64,
}

/// A decision to enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLaunch {
    /// The system, by its id.
    pub system: String,
    /// What is decided.
    pub decision: LaunchDecision,
    /// What must be kept; at least one for a conditional decision, none for any other.
    pub conditions: Vec<String>,
    /// The first day it no longer counts; a conditional decision has one.
    pub expires: Option<Date>,
    /// Why; not blank.
    pub reason: String,
    /// The entry of the review that was looked at.
    pub review: u64,
    /// Ids of the requirements and tests that stand in the way, as whoever asks has assessed it. What follows from the record without a
    /// measurement is added to it.
    pub blockers: Vec<String>,
    /// Whether two people must decide. They must as well where [`needs_two`] says so.
    pub needs_two: bool,
}

/// What the decisions on a launch come to on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchStanding {
    /// Nobody decided.
    NotDecided,
    /// One person approved, and a second one must.
    NeedsSecond {
        /// Who approved: a person's id.
        by: String,
        /// What they decided.
        decision: LaunchDecision,
    },
    /// It may be live.
    Approved,
    /// It may be live under conditions.
    Conditional {
        /// What must be kept, of everybody whose approval counts.
        conditions: Vec<String>,
        /// The first day it may no longer be live.
        expires: Date,
    },
    /// It may not be live.
    Refused,
    /// The approval was taken back.
    Withdrawn,
    /// The approval, or an exception it relied on, ended.
    Lapsed {
        /// The first day it no longer counted.
        expired_on: Date,
    },
    /// The system was reviewed again since, and nobody decided on that review.
    Superseded {
        /// The entry of the later review.
        review: u64,
    },
}

impl LaunchStanding {
    /// The word for it, as answers for programs have it.
    pub fn word(&self) -> &'static str {
        match self {
            LaunchStanding::NotDecided => "not_decided",
            LaunchStanding::NeedsSecond { .. } => "needs_second",
            LaunchStanding::Approved => "approved",
            LaunchStanding::Conditional { .. } => "conditional",
            LaunchStanding::Refused => "refused",
            LaunchStanding::Withdrawn => "withdrawn",
            LaunchStanding::Lapsed { .. } => "lapsed",
            LaunchStanding::Superseded { .. } => "superseded",
        }
    }
}

impl LaunchDecision {
    /// All of them.
    pub const ALL: [LaunchDecision; 4] = [
        LaunchDecision::Approve,
        LaunchDecision::Conditional,
        LaunchDecision::Refuse,
        LaunchDecision::Withdraw,
    ];

    /// The word for it, as commands and payloads have it.
    pub fn word(self) -> &'static str {
        match self {
            LaunchDecision::Approve => "approve",
            LaunchDecision::Conditional => "conditional",
            LaunchDecision::Refuse => "refuse",
            LaunchDecision::Withdraw => "withdraw",
        }
    }

    /// What a word stands for.
    pub fn of(word: &str) -> Option<LaunchDecision> {
        let mut all = LaunchDecision::ALL.into_iter();
        all.find(|decision| decision.word() == word)
    }
}

impl LaunchStanding {
    /// Whether the system may be live.
    pub fn may_be_live(&self) -> bool {
        match self {
            LaunchStanding::Approved | LaunchStanding::Conditional { .. } => true,
            LaunchStanding::NotDecided
            | LaunchStanding::NeedsSecond { .. }
            | LaunchStanding::Refused
            | LaunchStanding::Withdrawn
            | LaunchStanding::Lapsed { .. }
            | LaunchStanding::Superseded { .. } => false,
        }
    }
}

/// Whether the policy asks for two people's decision on a launch with these facts. Where a fact is missing the answer is yes; before the
/// policy governs, or where it says nothing about it, no.
pub fn needs_two(policy: &Policy, book: &Book, facts: &Facts, when: AsOf) -> bool {
    let Some(condition) = &policy.four_eyes else {
        return false;
    };
    if when.valid < policy.from || when.known < policy.known {
        return false;
    }
    // A condition that does not bind was refused when the policy was read; should one come this far, it is as if a fact were missing.
    let rule = book.bind_condition(condition);
    rule.map_or(Truth::Unknown, |rule| {
        book.reader(facts, when.known).truth(&rule)
    }) != Truth::False
}

impl State {
    /// What the decisions on a system's launch come to on a day.
    pub fn launch_standing(&self, system: &str, today: Date) -> LaunchStanding {
        let Some(last) = self.launches.get(system).and_then(Vector::last) else {
            return LaunchStanding::NotDecided;
        };
        let review = self.systems.get(system).and_then(|one| one.review.as_ref());
        if let Some(newer) = review.filter(|review| review.at > last.decided.review) {
            return LaunchStanding::Superseded { review: newer.at };
        }
        match last.decided.decision {
            LaunchDecision::Refuse => LaunchStanding::Refused,
            LaunchDecision::Withdraw => LaunchStanding::Withdrawn,
            LaunchDecision::Approve | LaunchDecision::Conditional => {
                let approvals = self.approvals(system, last.decided.review);
                self.standing_of(&approvals, today)
            }
        }
    }

    /// The approvals of a review that nobody refused or took back since, one for each person, the latest last.
    fn approvals(&self, system: &str, review: u64) -> Vec<&LaunchDecided> {
        let mut approvals: Vec<&LaunchDecided> = Vec::new();
        let launches = self.launches.get(system).into_iter().flatten();
        for decided in launches.map(|launch| &launch.decided) {
            match decided.decision {
                _ if decided.review != review => {}
                LaunchDecision::Refuse | LaunchDecision::Withdraw => approvals.clear(),
                LaunchDecision::Approve | LaunchDecision::Conditional => {
                    approvals.retain(|earlier| earlier.by != decided.by);
                    approvals.push(decided);
                }
            }
        }
        approvals
    }

    /// What approvals come to: the last one, or the last two of different people where two are needed. Of two, the conditional one and the
    /// earlier end count.
    fn standing_of(&self, approvals: &[&LaunchDecided], today: Date) -> LaunchStanding {
        let two = approvals.iter().any(|decided| decided.needs_two);
        let n_needed = if two { 2 } else { 1 };
        let counted = &approvals[approvals.len().saturating_sub(n_needed)..];
        let ends = counted
            .iter()
            .filter_map(|decided| self.end_of(decided))
            .min();
        if let Some(expired_on) = ends.filter(|end| *end <= today) {
            return LaunchStanding::Lapsed { expired_on };
        }
        let conditional = |decided: &&&LaunchDecided| match decided.decision {
            LaunchDecision::Conditional => true,
            LaunchDecision::Approve | LaunchDecision::Refuse | LaunchDecision::Withdraw => false,
        };
        match (counted, ends) {
            ([], _) => LaunchStanding::NotDecided,
            ([one], _) if two => LaunchStanding::NeedsSecond {
                by: one.by.clone(),
                decision: one.decision,
            },
            (counted, Some(expires)) if counted.iter().any(|one| conditional(&one)) => {
                let conditions = counted.iter().flat_map(|decided| &decided.conditions);
                let mut distinct: Vec<String> = Vec::new();
                for condition in conditions {
                    if !distinct.contains(condition) {
                        distinct.push(condition.clone());
                    }
                }
                LaunchStanding::Conditional {
                    conditions: distinct,
                    expires,
                }
            }
            _ => LaunchStanding::Approved,
        }
    }

    /// The first day an approval no longer counts: its own, or that of an exception it relies on.
    fn end_of(&self, decided: &LaunchDecided) -> Option<Date> {
        let relied_on = decided.exceptions.iter();
        let relied_on = relied_on.filter_map(|id| self.exceptions.get(id));
        let ends = relied_on.map(crate::exception::Exception::until);
        ends.chain(decided.expires).min()
    }

    pub(crate) fn decide_launch(&mut self, decided: &LaunchDecided, meta: &Meta) {
        let launch = Launch {
            decided: decided.clone(),
            at: meta.index,
        };
        let launches = self.launches.entry(decided.system.clone()).or_default();
        launches.push_back(launch);
    }
}

impl Draft<'_> {
    /// Enters a decision on a launch. Nobody who builds the system, or ever did, takes one.
    pub(crate) fn decide_launch(&mut self, new: &NewLaunch) -> Result<(), Refused> {
        let system = self.system(&new.system)?;
        let Some(review) = system.review.clone() else {
            return Err(Refused::NoReview {
                system: new.system.clone(),
            });
        };
        if review.at != new.review {
            return Err(Refused::Changed {
                what: format!("the review of `{}`", new.system),
                at: review.at,
            });
        }
        self.need_outside_team(&new.system, "launch")?;
        need_reason(&new.reason, "--reason")?;
        let new = &self.looked_at(new)?;
        let exceptions = match new.decision {
            LaunchDecision::Approve => {
                self.may_approve(new, &review)?;
                Vec::new()
            }
            LaunchDecision::Conditional => self.exceptions_for(new, &review)?,
            LaunchDecision::Refuse => Vec::new(),
            LaunchDecision::Withdraw => {
                self.may_withdraw(&new.system)?;
                Vec::new()
            }
        };
        self.check_terms(new, &exceptions)?;
        self.need_news(new)?;
        let decided = LaunchDecided {
            system: new.system.clone(),
            review: new.review,
            verdict: review.verdict,
            decision: new.decision,
            conditions: new.conditions.clone(),
            expires: new.expires,
            exceptions,
            needs_two: new.needs_two,
            by: self.acting(),
            on: self.with.today,
            reason: new.reason.clone(),
        };
        let subjects = self.subjects(&new.system, &[]);
        let event = Event::LaunchDecided(Box::new(decided));
        self.push(event, subjects, Vec::new(), Vec::new());
        Ok(())
    }

    /// The decision with what whoever asks may have left out, as far as it follows from the record, the law and the policy: the requirements
    /// that stand in the way whatever was measured, and that two people must decide.
    fn looked_at(&self, new: &NewLaunch) -> Result<NewLaunch, Refused> {
        let (book, policy) = (self.with.book, self.with.policy);
        let system = self.system(&new.system)?;
        let when = AsOf {
            valid: system.declaration.gate_day().unwrap_or(self.with.today),
            known: self.with.today,
        };
        let facts = system.law_facts(book, &self.state.counsel);
        let mut looked_at = new.clone();
        looked_at.needs_two |= needs_two(policy, book, &facts, when);
        let state = &self.state;
        let found = assess(
            state,
            &new.system,
            book,
            policy,
            Vec::new(),
            when,
            Gate::Launch,
        )?;
        for id in found.iter().flat_map(|found| found.unmeasured(book)) {
            if !looked_at.blockers.iter().any(|known| known == id) {
                looked_at.blockers.push(id.to_owned());
            }
        }
        Ok(looked_at)
    }

    /// Refuses to let a system live on a review that looked at its tests alone.
    fn need_launch_gate(&self, system: &str, review: &LastReview) -> Result<(), Refused> {
        match review.gate {
            Gate::Launch => Ok(()),
            Gate::Tests => Err(Refused::TestsOnly {
                system: system.to_owned(),
            }),
        }
    }

    fn may_approve(&self, new: &NewLaunch, review: &LastReview) -> Result<(), Refused> {
        self.need_launch_gate(&new.system, review)?;
        if review.verdict != Verdict::Clear.word() {
            return Err(Refused::NotClear {
                system: new.system.clone(),
                verdict: review.verdict.clone(),
            });
        }
        match new.blockers.is_empty() {
            true => Ok(()),
            false => Err(Refused::InTheWay {
                system: new.system.clone(),
                blockers: new.blockers.join("`, `"),
            }),
        }
    }

    /// The exceptions that a conditional decision relies on: one for each blocker, granted by somebody else than who decides.
    fn exceptions_for(&self, new: &NewLaunch, review: &LastReview) -> Result<Vec<String>, Refused> {
        self.need_launch_gate(&new.system, review)?;
        let in_force = self.state.exceptions_of(&new.system, self.with.today);
        let mut found = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        for blocker in &new.blockers {
            let excepted = in_force
                .iter()
                .find(|one| one.granted.subject == *blocker && one.granted.by != self.actor_id());
            match excepted {
                Some(one) => found.push(one.granted.exception.clone()),
                None => open.push(blocker),
            }
        }
        if !open.is_empty() {
            open.sort_unstable();
            open.dedup();
            return Err(Refused::NotExcepted {
                system: new.system.clone(),
                blockers: open.join("`, `"),
            });
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn may_withdraw(&self, system: &str) -> Result<(), Refused> {
        match self.state.launch_standing(system, self.with.today) {
            LaunchStanding::Approved
            | LaunchStanding::Conditional { .. }
            | LaunchStanding::NeedsSecond { .. } => Ok(()),
            LaunchStanding::NotDecided
            | LaunchStanding::Refused
            | LaunchStanding::Withdrawn
            | LaunchStanding::Lapsed { .. }
            | LaunchStanding::Superseded { .. } => Err(Refused::AlreadyDecided {
                what: format!("no approval of `{system}` stands that could be withdrawn"),
            }),
        }
    }

    /// Conditions belong to a conditional decision, which has some and a day; an end comes after today, within the year, and not after that
    /// of an exception relied on.
    fn check_terms(&self, new: &NewLaunch, exceptions: &[String]) -> Result<(), Refused> {
        let is_conditional = match new.decision {
            LaunchDecision::Conditional => true,
            LaunchDecision::Approve | LaunchDecision::Refuse | LaunchDecision::Withdraw => false,
        };
        let is_blank = |condition: &String| condition.trim().is_empty();
        if is_conditional && (new.conditions.is_empty() || new.conditions.iter().any(is_blank)) {
            return Err(Refused::Unfit {
                what: "a conditional approval",
                rule: "names at least one condition, each in words",
            });
        }
        if !is_conditional && !new.conditions.is_empty() {
            return Err(Refused::Unfit {
                what: "a decision on a launch",
                rule: "has conditions only where it is conditional",
            });
        }
        let exceptions = exceptions.iter();
        let known = exceptions.filter_map(|id| self.state.exceptions.get(id));
        let ends = known.map(crate::exception::Exception::until);
        let latest = ends.chain([self.latest_expiry()]).min();
        match (new.expires, latest) {
            (Some(expires), Some(latest)) => self.need_expiry(expires, latest),
            (None, _) if is_conditional => Err(Refused::Unfit {
                what: "a conditional approval",
                rule: "names the day it ends",
            }),
            (Some(_), None) | (None, _) => Ok(()),
        }
    }

    /// Refuses what the same person decided on this review already.
    fn need_news(&self, new: &NewLaunch) -> Result<(), Refused> {
        let launches = self.state.launches.get(&new.system);
        let last = launches.and_then(Vector::last);
        let last = last.map(|launch| &launch.decided);
        let last = last.filter(|decided| decided.review == new.review);
        let standing = self.state.approvals(&new.system, new.review);
        let mut counting = standing.into_iter().chain(last);
        let same = counting.any(|one| {
            one.by == self.actor_id()
                && one.decision == new.decision
                && one.conditions == new.conditions
                && one.expires == new.expires
                && one.needs_two == new.needs_two
        });
        match same {
            true => Err(Refused::AlreadyDecided {
                what: format!(
                    "you decided `{}` on this review of `{}` already",
                    new.decision.word(),
                    new.system
                ),
            }),
            false => Ok(()),
        }
    }
}
