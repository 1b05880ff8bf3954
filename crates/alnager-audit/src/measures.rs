//! What the probe hands back: counts, and what they were counted from.

use serde::{Deserialize, Serialize};

use crate::table::{CountTable, ScoreTable};

/// The measures of one audit.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// The audit's name.
    pub audit: String,
    /// What was counted.
    pub data: DataStamp,
    /// Counts by group, label and decision.
    pub table: CountTable,
    /// Counts by group, label and score level, where a score is audited.
    pub scores: Option<ScoreTable>,
}

/// What a count table was counted from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataStamp {
    /// The file's name as declared.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub n_bytes: u64,
    /// Its rows.
    pub n_rows: u64,
}
