//! Audits asked outside a review and sealed: what was measured, of which data, with which result.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Blob, Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// The name of the blob that holds the result.
pub const RESULT: &str = "result.json";

/// An audit was recorded. Its result, with the search it rests on, is the entry's blob [`RESULT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecorded {
    /// Its id in the desk, such as `A7`.
    pub audit: String,
    /// The command that made it, such as `alternatives`.
    pub kind: String,
    /// The system it concerns; without one it concerns the organisation.
    pub system: Option<String>,
    /// What it came to: `pass`, `fail`, `inconclusive`, or `reported` where nothing was judged.
    pub outcome: String,
    /// SHA-256 of each file or table that was measured, hexadecimal, in the order the result names them.
    pub data: Vec<String>,
    /// SHA-256 of the result, hexadecimal.
    pub sha256: String,
    /// Who recorded it: a person's id.
    pub by: String,
    /// When.
    pub on: Date,
}

/// An audit to be recorded.
#[derive(Debug, Clone)]
pub struct NewAudit {
    /// The command that made it.
    pub kind: String,
    /// The system it concerns.
    pub system: Option<String>,
    /// What it came to.
    pub outcome: String,
    /// SHA-256 of what was measured.
    pub data: Vec<String>,
    /// SHA-256 of `result`.
    pub sha256: String,
    /// The result, JSON.
    pub result: Blob,
}

/// An audit on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAudit {
    /// What was recorded.
    pub recorded: AuditRecorded,
    /// The entry.
    pub at: u64,
}

impl Draft<'_> {
    /// Records an audit.
    pub(crate) fn record_audit(&mut self, new: &NewAudit) -> Result<(), Refused> {
        let subject = match &new.system {
            Some(system) => self.system(system)?.subject.clone(),
            None => self.with.organisation.clone(),
        };
        let by = self.acting();
        let recorded = AuditRecorded {
            audit: format!("A{}", self.state.audits.len() + 1),
            kind: new.kind.clone(),
            system: new.system.clone(),
            outcome: new.outcome.clone(),
            data: new.data.clone(),
            sha256: new.sha256.clone(),
            by,
            on: self.with.today,
        };
        let event = Event::AuditRecorded(recorded);
        self.push(event, vec![subject], Vec::new(), vec![new.result.clone()]);
        Ok(())
    }
}

impl State {
    pub(crate) fn record(&mut self, recorded: &AuditRecorded, meta: &Meta) {
        let audit = RecordedAudit {
            recorded: recorded.clone(),
            at: meta.index,
        };
        self.audits.insert(recorded.audit.clone(), audit);
    }
}
