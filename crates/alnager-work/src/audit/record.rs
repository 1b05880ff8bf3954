//! Enters the result of an audit into the journal: what was measured, and what it came to.

use alnager_office::audit::{NewAudit, RESULT};
use alnager_office::decide::Command;
use alnager_store::Receipt;
use serde_json::Value;

use crate::acting::{Flags, blob};
use crate::error::JobError;
use crate::library::sha256;
use crate::records::{About, enter};

/// A result to enter.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    /// The command that made it, such as `alternatives`.
    pub kind: &'a str,
    /// The system it concerns.
    pub system: Option<&'a str>,
    /// `pass`, `fail`, `inconclusive`, or `reported`.
    pub outcome: &'a str,
    /// The result.
    pub figures: &'a Value,
}

/// An audit on record.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its id in the desk, such as `A7`.
    pub audit: String,
    /// The receipt.
    pub receipt: Receipt,
}

/// Enters a result, durably.
pub async fn record(flags: &Flags, recording: Recording<'_>) -> Result<Recorded, JobError> {
    let Recording {
        kind,
        system,
        outcome,
        figures,
    } = recording;
    let text = format!("{figures:#}\n");
    let new = NewAudit {
        kind: kind.to_owned(),
        system: system.map(str::to_owned),
        outcome: outcome.to_owned(),
        data: hashes_of(figures),
        sha256: sha256(text.as_bytes()),
        result: blob(RESULT, "application/json", text.into_bytes()),
    };
    let about = system.map_or(About::Organisation, About::System);
    let entered = enter(flags, about, |_, _| Ok(Command::RecordAudit(Box::new(new)))).await?;
    let at = entered.receipt.end - 1;
    let mut audits = entered.state.audits.values();
    let audit = audits.find(|audit| audit.at == at);
    Ok(Recorded {
        audit: audit.map_or_else(String::new, |audit| audit.recorded.audit.clone()),
        receipt: entered.receipt,
    })
}

/// Every hash of data that a result names, each once, in order. Empty where no data were read.
pub fn hashes_of(figures: &Value) -> Vec<String> {
    let mut found = Vec::new();
    hashes(figures, &mut found);
    found
}

fn hashes(figures: &Value, found: &mut Vec<String>) {
    match figures {
        Value::Object(members) => {
            // What answered is no data.
            for (name, value) in members.iter().filter(|(name, _)| *name != "model") {
                match value.as_str() {
                    Some(hash) if name == "sha256" => {
                        if !found.iter().any(|known| known == hash) {
                            found.push(hash.to_owned());
                        }
                    }
                    _ => hashes(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| hashes(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
