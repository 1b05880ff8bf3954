//! What the probe hands back: counts, and what they were counted from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declared::{Audit, DecisionBy};
use crate::model::ModelStamp;
use crate::table::{CountTable, SampleTable, ScoreTable};

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
    /// Counts by group, label and score, where every value of a score is counted.
    pub samples: Option<SampleTable>,
    /// The lowest and highest score of each key by decision, where every value of a score is counted.
    pub ranges: DecisionRanges,
    /// Counts by person, where several rows may be one person's. Never sealed: a figure made from it needs the rows.
    pub persons: Option<Persons>,
}

/// By key, the lowest and highest score among rows with decision 0 and with decision 1.
pub type DecisionRanges = BTreeMap<Vec<Option<String>>, [Option<(f64, f64)>; 2]>;

/// The range that holds both.
pub fn wider(one: Option<(f64, f64)>, other: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (range, None) | (None, range) => range,
    }
}

/// Rows that a condition kept out of the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeftOut {
    /// Rows that do not meet the condition.
    pub n_unmet: u64,
    /// Rows that lack a value the condition asks for.
    pub n_undecided: u64,
}

/// Which cells the rows of each person lie in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Persons {
    /// The cells, as positions in `cells`, with their number of rows; one entry a person, sorted by the hash of the identifier.
    pub rows: Vec<(u64, Vec<(u32, u32)>)>,
    /// Key, label (0, 1, 2 unknown) and decision of each cell.
    pub cells: Vec<(Vec<Option<String>>, usize, usize)>,
}

impl Measures {
    /// Whether they can be what a review measured for an audit, where somebody else says so: its name, its data, its columns, and parts
    /// that tell of the same rows. The answer says what does not fit.
    pub fn fit(&self, audit: &Audit) -> Result<(), &'static str> {
        if self.audit != audit.name || self.data.name != audit.data {
            return Err("they are of another audit, or of other data");
        }
        let columns = audit.key_columns();
        let tables = [
            Some(&self.table.columns),
            self.scores.as_ref().map(|table| &table.columns),
            self.samples.as_ref().map(|table| &table.columns),
        ];
        if tables.into_iter().flatten().any(|found| *found != columns) {
            return Err("a table has other columns than the audit declares");
        }
        if self.scores.is_some() != audit.score.is_some() {
            return Err("counts by score are missing, or there without a declared score");
        }
        self.agree(audit)
    }

    /// Whether its parts tell of the same rows: the stamp's number, the counts, and the scores. The answer says what does not
    /// fit.
    pub fn agree(&self, audit: &Audit) -> Result<(), &'static str> {
        if self.table.n() != self.data.n_counted() {
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
    /// The files, where the data are more than one; the hash above is then that of the lines `HASH  NAME` of all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileStamp>,
    /// Rows among them that were not counted, and why.
    #[serde(default, skip_serializing_if = "LeftOut::is_none")]
    pub left_out: LeftOut,
    /// What answered them, where a model was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelStamp>,
}

impl DataStamp {
    /// The rows that were counted.
    pub fn n_counted(&self) -> u64 {
        let left_out = self.left_out;
        self.n_rows
            .saturating_sub(left_out.n_unmet)
            .saturating_sub(left_out.n_undecided)
    }
}

impl LeftOut {
    fn is_none(&self) -> bool {
        *self == LeftOut::default()
    }
}

/// One file of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Its name, relative to the folder they share.
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub n_bytes: u64,
}

#[cfg(test)]
mod tests;
