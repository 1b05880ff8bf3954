//! Evidence: documents and measurements offered for requirements, accepted or rejected by a second person.

use alnager_law::pack::{Phase, RequirementText};
use imbl::{OrdMap, OrdSet};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::signature::AuditSignature;
use crate::state::State;

/// Evidence was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceSubmitted {
    /// Its id in the desk, such as `E7`.
    pub evidence: String,
    /// The system it was submitted with.
    pub system: String,
    /// The file's name.
    pub file: String,
    /// The kind.
    pub kind: String,
    /// The requirements it is offered for.
    pub requirements: Vec<String>,
    /// The first day it counts.
    pub effective: Date,
    /// The first day it no longer counts.
    pub expires: Option<Date>,
    /// Who submitted it.
    pub submitted_by: String,
    /// SHA-256 of the document, hexadecimal.
    pub sha256: String,
    /// The evidence it replaces.
    pub replaces: Option<String>,
    /// An independent auditor's signature, where there is one. Left out where there is none, as in entries older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<AuditSignature>,
}

/// Evidence on record was offered for further requirements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceOffered {
    /// The evidence.
    pub evidence: String,
    /// The requirements it is offered for from now on, besides those it was submitted for.
    pub requirements: Vec<String>,
    /// Who offered it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// Evidence was accepted for one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceAccepted {
    /// The evidence.
    pub evidence: String,
    /// The requirement.
    pub requirement: String,
    /// Who accepted it: someone other than the submitter.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// Evidence was rejected for one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRejected {
    /// The evidence.
    pub evidence: String,
    /// The requirement.
    pub requirement: String,
    /// Who rejected it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// Evidence as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was submitted.
    pub submitted: EvidenceSubmitted,
    /// The requirements it was offered for later, in the order of the offers. A new version takes them over.
    pub further: Vec<String>,
    /// What was decided, by requirement.
    pub decisions: OrdMap<String, EvidenceDecision>,
    /// The evidence that replaced it.
    pub replaced_by: Option<String>,
    /// The entry that submitted it.
    pub submitted_at: u64,
    /// Whether that entry is about the organisation too: only then do its other systems, and whoever checks them, see it.
    pub is_shared: bool,
}

/// What was decided about evidence for one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceDecision {
    /// Whether it was accepted.
    pub is_accepted: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// How evidence stands for a requirement on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Accepted and in date.
    Accepted,
    /// Submitted; nobody has decided.
    Submitted,
    /// Accepted, but it takes effect later.
    NotYetEffective,
    /// Accepted, but no longer in date.
    Expired,
    /// Rejected.
    Rejected,
}

impl Evidence {
    /// Every requirement it is offered for.
    pub fn requirements(&self) -> impl Iterator<Item = &String> {
        self.submitted.requirements.iter().chain(&self.further)
    }

    /// Every requirement it is offered for or was decided on: a proposal that was rejected is no offer.
    pub fn considered(&self) -> impl Iterator<Item = &String> {
        let decided = self.decisions.keys();
        self.requirements()
            .chain(decided.filter(|requirement| !self.is_offered_for(requirement)))
    }

    /// Whether it is offered for a requirement.
    pub fn is_offered_for(&self, requirement: &str) -> bool {
        self.requirements().any(|offered| offered == requirement)
    }

    /// Takes an offer; what it is offered for already is not offered twice.
    pub(crate) fn offer(&mut self, requirements: &[String]) {
        for requirement in requirements {
            if !self.is_offered_for(requirement) {
                self.further.push(requirement.clone());
            }
        }
    }

    /// Whether a person may accept or reject it: anyone but who submitted it.
    pub fn may_be_decided_by(&self, person: &str) -> bool {
        self.submitted.submitted_by != person
    }

    /// How it stands for a requirement on a day.
    pub fn standing(&self, requirement: &str, day: Date) -> Standing {
        match self.decisions.get(requirement) {
            None => Standing::Submitted,
            Some(decision) if !decision.is_accepted => Standing::Rejected,
            Some(_) if self.submitted.expires.is_some_and(|expires| expires <= day) => {
                Standing::Expired
            }
            Some(_) if self.submitted.effective > day => Standing::NotYetEffective,
            Some(_) => Standing::Accepted,
        }
    }
}

impl State {
    /// The evidence offered for a requirement of a system: the system's own, and for an organisation's duty what is shared. What
    /// was replaced is left out.
    pub fn evidence_for<'s>(
        &'s self,
        requirement: &'s RequirementText,
        system: &'s str,
    ) -> impl Iterator<Item = &'s Evidence> {
        let own = self.shelves.own.get(system).into_iter().flatten();
        let inherits = requirement.phase == Phase::Organisation;
        let shared = inherits.then(|| self.shelves.shared.get(&requirement.id));
        let shared = shared.flatten().into_iter().flatten();
        let mut ids: Vec<&String> = own.chain(shared).collect();
        ids.sort_unstable();
        ids.dedup();
        let offered = ids.into_iter().filter_map(|id| self.evidence.get(id));
        offered.filter(|evidence| evidence.is_offered_for(&requirement.id))
    }

    /// Puts evidence that is on record where it is looked for, and takes away what it replaces.
    pub(crate) fn shelve(&mut self, id: &str) {
        let evidence = self.evidence.get(id);
        let Some(evidence) = evidence.filter(|evidence| evidence.replaced_by.is_none()) else {
            return;
        };
        let earlier = evidence.submitted.replaces.as_ref();
        if let Some(earlier) = earlier.and_then(|id| self.evidence.get(id)) {
            self.shelves.take(earlier);
        }
        self.shelves.put(evidence);
    }
}

/// Where evidence is looked for, by id; what was replaced is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelves {
    /// By the system it was submitted for.
    own: OrdMap<String, OrdSet<String>>,
    /// That which is shared, by the requirements it is offered for.
    shared: OrdMap<String, OrdSet<String>>,
}

impl Shelves {
    /// That of a system.
    pub fn of(&self, system: &str) -> impl Iterator<Item = &String> {
        self.own.get(system).into_iter().flatten()
    }

    fn put(&mut self, evidence: &Evidence) {
        let submitted = &evidence.submitted;
        let id = &submitted.evidence;
        let own = self.own.entry(submitted.system.clone()).or_default();
        own.insert(id.clone());
        if evidence.is_shared {
            for requirement in evidence.requirements() {
                let shared = self.shared.entry(requirement.clone()).or_default();
                shared.insert(id.clone());
            }
        }
    }

    fn take(&mut self, evidence: &Evidence) {
        let submitted = &evidence.submitted;
        if let Some(own) = self.own.get_mut(&submitted.system) {
            own.remove(&submitted.evidence);
        }
        for requirement in evidence.requirements() {
            if let Some(shared) = self.shared.get_mut(requirement) {
                shared.remove(&submitted.evidence);
            }
        }
    }
}
