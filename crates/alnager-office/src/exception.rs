//! Exceptions: for a while, a person lets a system go into use although one requirement or test stands in the way, with other measures in its
//! place. An exception changes no verdict and no status: it is what a conditional decision on a launch rests on, and nothing else.

use alnager_law::pack::RequirementKind;
use alnager_law::read::nearest;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// The longest that an exception or a decision on a launch is good for, in days: a year, also a leap year.
pub const DAYS_MAX: i32 = 366;

/// An exception was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionGranted {
    /// Its id in the desk, such as `X7`.
    pub exception: String,
    /// The system.
    pub system: String,
    /// The requirement, or the policy's test.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// What is done instead.
    pub measures: String,
    /// The first day it no longer counts.
    pub expires: Date,
    /// Who granted it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// An exception ended before its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionEnded {
    /// The exception.
    pub exception: String,
    /// Who ended it.
    pub by: String,
    /// When: the first day it no longer counts.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// An exception as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// What was granted.
    pub granted: ExceptionGranted,
    /// How it ended, where somebody ended it.
    pub ended: Option<ExceptionEnded>,
    /// The entry that granted it.
    pub granted_at: u64,
}

impl Exception {
    /// The first day it no longer counts.
    pub fn until(&self) -> Date {
        let expires = self.granted.expires;
        self.ended
            .as_ref()
            .map_or(expires, |ended| ended.on.min(expires))
    }

    /// Whether it counts on a day.
    pub fn is_in_force(&self, today: Date) -> bool {
        today < self.until()
    }
}

impl State {
    /// The exceptions of a system in force on a day, in the order they were granted.
    pub fn exceptions_of(&self, system: &str, today: Date) -> Vec<&Exception> {
        let exceptions = self.exceptions.values();
        let mut in_force: Vec<&Exception> = exceptions
            .filter(|one| one.granted.system == system && one.is_in_force(today))
            .collect();
        in_force.sort_by_key(|one| one.granted_at);
        in_force
    }

    pub(crate) fn except(&mut self, granted: &ExceptionGranted, meta: &Meta) {
        let exception = Exception {
            granted: granted.clone(),
            ended: None,
            granted_at: meta.index,
        };
        self.exceptions.insert(granted.exception.clone(), exception);
    }

    /// Takes the end of an exception; that of an unknown one changes nothing.
    pub(crate) fn end_exception(&mut self, ended: &ExceptionEnded) {
        if let Some(exception) = self.exceptions.get_mut(&ended.exception) {
            exception.ended = Some(ended.clone());
        }
    }
}

/// An exception to grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewException {
    /// The system, by its id.
    pub system: String,
    /// The requirement's id, or that of a test of the policy.
    pub subject: String,
    /// Why; not blank.
    pub reason: String,
    /// What is done instead; not blank.
    pub measures: String,
    /// The first day it no longer counts: after today and at most [`DAYS_MAX`] days away.
    pub expires: Date,
}

impl Draft<'_> {
    /// Grants an exception. Whoever builds the system grants none, and from a prohibition there is none.
    pub(crate) fn grant_exception(&mut self, new: &NewException) -> Result<(), Refused> {
        self.need_outside_team(&new.system, &new.subject)?;
        need_reason(&new.reason, "--reason")?;
        need_reason(&new.measures, "--measures")?;
        self.may_be_excepted(&new.subject)?;
        self.need_expiry(new.expires, self.latest_expiry())?;
        let in_force = self.state.exceptions_of(&new.system, self.with.today);
        let same = |one: &&Exception| one.granted.subject == new.subject;
        if let Some(known) = in_force.into_iter().find(same) {
            let (id, until) = (&known.granted.exception, known.until());
            return Err(Refused::AlreadyDecided {
                what: format!(
                    "`{id}` excepts `{}` from `{}` until {until}",
                    new.system, new.subject
                ),
            });
        }
        self.adopt_book();
        let granted = ExceptionGranted {
            exception: format!("X{}", self.state.exceptions.len() + 1),
            system: new.system.clone(),
            subject: new.subject.clone(),
            reason: new.reason.clone(),
            measures: new.measures.clone(),
            expires: new.expires,
            by: self.acting(),
            on: self.with.today,
        };
        let subjects = self.subjects(&new.system, &[]);
        self.push(
            Event::ExceptionGranted(granted),
            subjects,
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    /// Ends an exception that is in force.
    pub(crate) fn end_exception(&mut self, exception: &str, reason: &str) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let Some(known) = self.state.exceptions.get(exception) else {
            let ids = self.state.exceptions.keys().map(String::as_str);
            return Err(Refused::NoException {
                exception: exception.to_owned(),
                hint: match self.state.exceptions.is_empty() {
                    true => "none was granted yet".to_owned(),
                    false => nearest(exception, ids),
                },
            });
        };
        if !known.is_in_force(self.with.today) {
            return Err(Refused::AlreadyDecided {
                what: format!("`{exception}` is not in force since {}", known.until()),
            });
        }
        let subjects = self.subjects(&known.granted.system, &[]);
        let ended = ExceptionEnded {
            exception: exception.to_owned(),
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push(
            Event::ExceptionEnded(ended),
            subjects,
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    /// Refuses who builds the system, or ever did.
    pub(crate) fn need_outside_team(&self, system: &str, what: &str) -> Result<(), Refused> {
        match self.system(system)?.builders.contains(self.actor_id()) {
            true => Err(Refused::BuilderDecides {
                what: what.to_owned(),
                system: system.to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// The last day that an exception or a decision on a launch may end on.
    pub(crate) fn latest_expiry(&self) -> Date {
        self.with.today.saturating_add(DAYS_MAX.days())
    }

    /// Refuses a day that is not after today, or after the latest.
    pub(crate) fn need_expiry(&self, expires: Date, latest: Date) -> Result<(), Refused> {
        match expires > self.with.today && expires <= latest {
            true => Ok(()),
            false => Err(Refused::Expiry { expires, latest }),
        }
    }

    /// Refuses what is neither a requirement of the book nor a test of the policy, and prohibitions.
    fn may_be_excepted(&self, subject: &str) -> Result<(), Refused> {
        let requirements = || self.with.book.packs().flat_map(|pack| &pack.requirements);
        let tests = || self.with.policy.tests.iter();
        if tests().any(|test| test.id == subject) {
            return Ok(());
        }
        match requirements().find(|known| known.id == subject) {
            Some(known) if known.kind == RequirementKind::Prohibition => {
                Err(Refused::NeverExcepted {
                    requirement: subject.to_owned(),
                })
            }
            Some(_) => Ok(()),
            None => {
                let ids = requirements().map(|known| known.id.as_str());
                let ids = ids.chain(tests().map(|test| test.id.as_str()));
                Err(Refused::NothingToExcept {
                    subject: subject.to_owned(),
                    hint: nearest(subject, ids),
                })
            }
        }
    }
}
