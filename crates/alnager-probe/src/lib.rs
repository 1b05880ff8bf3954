//! Measures a source: files by the counting kernel.
//!
//! One pass over a CSV or Parquet file counts rows by protected attribute, stratum, label, decision and score level. What comes
//! out is as large as the number of different cells, never as the number of rows, and does not depend on the order of the rows.

mod cells;
mod coder;
mod csv;
mod error;
mod kernel;
mod parquet;
mod source;

use alnager_audit::declared::Audit;
use alnager_audit::measures::{DataStamp, Measures};

pub use crate::cells::CELLS_MAX;
pub use crate::error::{Place, ProbeError, Problem, Row};
pub use crate::source::{Progress, RECORD_BYTES_MAX, Source, Unit};

use crate::kernel::Kernel;
use crate::source::{Format, Opened};

/// What measuring a source gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The counts.
    pub measures: Measures,
    /// What a person should look at before relying on them, such as two spellings of one group. Whole sentences, in a fixed
    /// order; empty when nothing stood out.
    pub warnings: Vec<String>,
}

/// Counts the rows of `source` as `audit` asks.
///
/// Values are taken as they are written: spellings that differ in case or white space are different groups, and a warning names
/// them. An empty cell, and a spelling listed in the audit's `unknown`, is an unknown group or label.
pub fn measure(audit: &Audit, source: &Source) -> Result<Measured, ProbeError> {
    measure_with(audit, source, &|_| {})
}

/// Counts the rows of `source` as `audit` asks, and tells `progress` how far it is, several times a second on a large file.
pub fn measure_with(
    audit: &Audit,
    source: &Source,
    progress: &dyn Fn(Progress),
) -> Result<Measured, ProbeError> {
    let Source::File { path } = source;
    let opened = Opened::open(path)?;
    let mut kernel = Kernel::new(audit);
    let sha256 = match opened.format {
        Format::Csv => csv::count(&mut kernel, &opened, progress)?,
        Format::Parquet => parquet::count(&mut kernel, &opened, progress)?,
    };
    opened.unchanged()?;
    let n_rows = kernel.n_rows();
    if n_rows == 0 {
        return Err(ProbeError::NoRows { file: opened.name });
    }
    let counted = kernel.finish(&opened.name)?;
    let data = DataStamp {
        name: audit.data.clone(),
        sha256,
        n_bytes: opened.n_bytes,
        n_rows,
    };
    let measures = Measures {
        audit: audit.name.clone(),
        data,
        table: counted.table,
        scores: counted.scores,
    };
    Ok(Measured {
        measures,
        warnings: counted.warnings,
    })
}

#[cfg(test)]
mod tests;
