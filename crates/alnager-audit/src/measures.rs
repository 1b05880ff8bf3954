//! What the probe hands back: counts, and what they were counted from.

use serde::{Deserialize, Serialize};

use crate::declared::{Audit, DecisionBy};
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

impl Measures {
    /// Whether its parts tell of the same rows: the stamp's number, the counts, and the scores. The answer says what does not
    /// fit.
    pub fn agree(&self, audit: &Audit) -> Result<(), &'static str> {
        if self.table.n() != self.data.n_rows {
            return Err("the count table holds another number of rows than the data stamp");
        }
        let Some(scores) = &self.scores else {
            return Ok(());
        };
        if self.table.cells.len() != scores.cells.len() {
            return Err("the score table holds other groups than the count table");
        }
        // Where the decision is a threshold on the counted score, it can be told from the level.
        let level = match (&audit.decision.by, &audit.score) {
            (DecisionBy::Threshold { column, at_least }, Some(score))
                if score.column == *column =>
            {
                scores.cuts.iter().position(|cut| cut == at_least)
            }
            _ => None,
        };
        for (key, cell) in &self.table.cells {
            let Some(levels) = scores.cells.get(key) else {
                return Err("the score table holds other groups than the count table");
            };
            for label in 0..3 {
                let counted: u64 = levels.iter().map(|labels| labels[label]).sum();
                let decided: u64 = levels
                    .iter()
                    .skip(level.map_or(0, |level| level + 1))
                    .map(|labels| labels[label])
                    .sum();
                let fits = counted == cell.counts[label].iter().sum::<u64>();
                if !fits || level.is_some() && decided != cell.counts[label][1] {
                    return Err("the score table tells of other rows than the count table");
                }
            }
        }
        Ok(())
    }
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
