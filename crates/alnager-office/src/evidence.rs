//! Evidence: documents and measurements offered for requirements, accepted or rejected by a second person.

use imbl::OrdMap;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What was submitted.
    pub submitted: EvidenceSubmitted,
    /// What was decided, by requirement.
    pub decisions: OrdMap<String, EvidenceDecision>,
    /// The evidence that replaced it.
    pub replaced_by: Option<String>,
    /// The entry that submitted it.
    pub submitted_at: u64,
}

/// What was decided about evidence for one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
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
