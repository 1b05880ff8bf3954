//! Deeds: what people did about a system, so that nobody gives an independent opinion on what they had a hand in.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::state::{Meta, State};

/// What somebody did about a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Was declared as its owner or in its team.
    Built,
    /// Declared it.
    Declared,
    /// Answered facts of it.
    Answered,
    /// Confirmed facts of it.
    Confirmed,
    /// Reviewed it, or recorded a measurement of it.
    Measured,
    /// Submitted evidence for it, or offered some.
    Submitted,
    /// Accepted or rejected evidence of it.
    Ruled,
    /// Granted or ended an exception for it.
    Excepted,
    /// Decided on its launch.
    Decided,
    /// Sealed some of its decision log.
    Sealed,
}

impl Deed {
    /// What it was, in words that go on after "you".
    pub fn words(self) -> &'static str {
        match self {
            Deed::Built => "are or were in its team",
            Deed::Declared => "declared it",
            Deed::Answered => "answered facts of it",
            Deed::Confirmed => "confirmed facts of it",
            Deed::Measured => "measured it",
            Deed::Submitted => "submitted evidence for it",
            Deed::Ruled => "ruled on its evidence",
            Deed::Excepted => "decided on exceptions for it",
            Deed::Decided => "decided on its launch",
            Deed::Sealed => "sealed its decision log",
        }
    }
}

/// Several deeds in one phrase.
pub(crate) fn words(deeds: &[Deed]) -> String {
    let words: Vec<&str> = deeds.iter().map(|deed| deed.words()).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// One deed of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Who: a person's id.
    pub person: String,
    /// What.
    pub deed: Deed,
}

impl State {
    /// What a person, by id, ever did about a system, in the order of the list.
    pub fn deeds_of(&self, system: &str, person: &str) -> Vec<Deed> {
        let done = self.deeds.get(system).into_iter().flatten();
        let own = done.filter(|done| done.person == person);
        let mut deeds: Vec<Deed> = own.map(|done| done.deed).collect();
        deeds.sort_unstable();
        deeds
    }

    /// Remembers whose hand is in an event about a system.
    pub(crate) fn remember_deeds(&mut self, event: &Event, meta: &Meta) {
        match event {
            Event::SystemDeclared(declared) => {
                let declaration = &declared.declaration;
                let id = &declaration.id;
                self.did(id, &meta.actor, Deed::Declared);
                for person in declaration.team.iter().chain([&declaration.owner]) {
                    self.did(id, person, Deed::Built);
                }
                for answer in declaration.facts.values() {
                    self.did(id, &answer.by, Deed::Answered);
                }
            }
            Event::FactAnswered(answered) => {
                self.did(&answered.system, &answered.by, Deed::Answered);
            }
            Event::FactConfirmed(confirmed) => {
                self.did(&confirmed.system, &confirmed.by, Deed::Confirmed);
            }
            Event::EvidenceSubmitted(submitted) => {
                self.did(&submitted.system, &submitted.submitted_by, Deed::Submitted);
                self.did(&submitted.system, &meta.actor, Deed::Submitted);
            }
            Event::EvidenceOffered(offered) => {
                self.did_to_evidence(&offered.evidence, &offered.by, Deed::Submitted);
            }
            Event::EvidenceAccepted(accepted) => {
                self.did_to_evidence(&accepted.evidence, &accepted.by, Deed::Ruled);
            }
            Event::EvidenceRejected(rejected) => {
                self.did_to_evidence(&rejected.evidence, &rejected.by, Deed::Ruled);
            }
            Event::SystemReviewed(reviewed) => {
                self.did(&reviewed.system, &meta.actor, Deed::Measured);
            }
            Event::AuditRecorded(recorded) => {
                if let Some(system) = &recorded.system {
                    self.did(system, &recorded.by, Deed::Measured);
                }
            }
            Event::LaunchDecided(decided) => self.did(&decided.system, &decided.by, Deed::Decided),
            Event::SegmentSealed(sealed) => self.did(&sealed.system, &sealed.by, Deed::Sealed),
            Event::ExceptionGranted(granted) => {
                self.did(&granted.system, &granted.by, Deed::Excepted);
            }
            Event::ExceptionEnded(ended) => {
                let exception = self.exceptions.get(&ended.exception);
                if let Some(system) = exception.map(|known| known.granted.system.clone()) {
                    self.did(&system, &ended.by, Deed::Excepted);
                }
            }
            Event::DeskOpened(_)
            | Event::PersonNamed(_)
            | Event::BookAdopted(_)
            | Event::FrameworkAdopted(_)
            | Event::ReadingRecorded(_)
            | Event::TextImported(_)
            | Event::WordingConfirmed(_)
            | Event::KeyTrusted(_)
            | Event::PackInstalled(_)
            | Event::PackPinned(_)
            | Event::PackUnpinned(_)
            | Event::WatchLooked(_)
            | Event::SignalRaised(_)
            | Event::SignalSettled(_)
            | Event::TaskOpened(_)
            | Event::TaskDone(_)
            | Event::ErasureRequested(_)
            | Event::ErasureExecuted(_)
            | Event::HoldPlaced(_)
            | Event::HoldReleased(_)
            | Event::KeyRotated(_)
            | Event::KeyDropped(_)
            | Event::LogForked(_)
            | Event::RolesGranted(_)
            | Event::CommentMade(_)
            | Event::OpinionGiven(_)
            | Event::OpinionWithdrawn(_)
            | Event::DossierDrawn(_) => {}
        }
    }

    fn did_to_evidence(&mut self, evidence: &str, person: &str, deed: Deed) {
        let evidence = self.evidence.get(evidence);
        if let Some(system) = evidence.map(|known| known.submitted.system.clone()) {
            self.did(&system, person, deed);
        }
    }

    fn did(&mut self, system: &str, person: &str, deed: Deed) {
        let done = Done {
            person: person.to_owned(),
            deed,
        };
        let known = self.deeds.get(system);
        if known.is_none_or(|known| !known.contains(&done)) {
            let deeds = self.deeds.entry(system.to_owned()).or_default();
            deeds.push(done);
        }
    }
}
