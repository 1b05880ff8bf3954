//! Measures a source: files by the counting kernel.
//!
//! One pass over the rows counts them by protected attribute, stratum, period, label, decision and score. What comes out is as
//! large as the number of different cells, never as the number of rows, and does not depend on the order of the rows.

mod arrow;
mod asked;
mod asking;
mod cells;
mod coder;
mod columns;
mod condition;
mod csv;
mod database;
pub mod endpoint;
mod error;
mod flip;
mod gather;
pub mod http;
mod intake;
mod json;
mod kernel;
mod lines;
mod names;
mod objects;
mod onnx;
mod parquet;
mod records;
mod role;
mod rows;
mod source;
mod sql;

use std::path::Path;

use alnager_audit::declared::Audit;
use alnager_audit::measures::{DataStamp, FileStamp, LeftOut, Measures};
use sha2::{Digest, Sha256};

pub use crate::asked::Answers;
pub use crate::cells::CELLS_MAX;
pub use crate::database::{Database, From};
pub use crate::error::{Place, ProbeError, Problem, Row};
pub use crate::flip::{Flip, Flipped, FlipsWanted, ask_flipped};
pub use crate::names::column_names;
pub use crate::objects::{Fetched, Objects};
pub use crate::records::{Records, read_records, read_segment, write_segment};
pub use crate::rows::{Rows, Wanted, WantedKind, read_rows};
pub use crate::source::{Progress, RECORD_BYTES_MAX, Source, Unit};
pub use crate::sql::{Dialect, count_query};

use crate::asking::Asking;
use crate::intake::{Answered, Sink};
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
///
/// A model's file is looked for in the working folder; [`measure_beside`] takes another.
pub fn measure_with(
    audit: &Audit,
    source: &Source,
    progress: &dyn Fn(Progress),
) -> Result<Measured, ProbeError> {
    measure_beside(audit, source, Path::new(""), progress)
}

/// Counts the rows of `source` as `audit` asks. Where the audit has a model, it is asked of every row first, and its answers are
/// counted as the column that it gives; its file is relative to `folder`.
///
/// The rows are read twice then. `progress` tells of the first time, then of the second.
pub fn measure_beside(
    audit: &Audit,
    source: &Source,
    folder: &Path,
    progress: &dyn Fn(Progress),
) -> Result<Measured, ProbeError> {
    let asking = match &audit.model {
        Some(model) => Some(asking::ask_all(audit, model, source, folder, progress)?),
        None => None,
    };
    let mut answers = None;
    let mut asked = None;
    if let (
        Some(model),
        Some(Asking {
            answers: all,
            stamp,
            data,
        }),
    ) = (&audit.model, asking)
    {
        answers = Some(Answered {
            column: model.gives.clone(),
            answers: all,
            n_taken: 0,
        });
        asked = Some((stamp, data));
    }
    let mut kernel = Kernel::new(audit, answers)?;
    let stamps = match source {
        Source::Database(database) => vec![database.count(audit, &mut kernel, progress)?],
        Source::Files { .. } => read_files(&mut kernel, source, progress)?,
    };
    let name = source.name();
    let n_rows = kernel.n_rows();
    if n_rows == 0 {
        return Err(ProbeError::NoRows { file: name });
    }
    let mut data = stamp(&audit.data, stamps, n_rows, kernel.left_out());
    if let Some((stamp, of_inputs)) = asked {
        let is_same = of_inputs.sha256 == data.sha256 && of_inputs.n_rows == n_rows;
        if !is_same || !kernel.took_all_answers() {
            return Err(ProbeError::Changed { file: name });
        }
        data.model = Some(stamp);
    }
    if data.n_counted() == 0 {
        return Err(ProbeError::NoRowMeets {
            file: name,
            condition: audit.filter.clone().unwrap_or_default(),
            hint: kernel.why_none(),
        });
    }
    let counted = kernel.finish(&name)?;
    let measures = Measures {
        audit: audit.name.clone(),
        data,
        table: counted.table,
        scores: counted.scores,
        samples: counted.samples,
        ranges: counted.ranges,
        persons: counted.persons,
    };
    let mut warnings = counted.warnings;
    let n_undecided = measures.data.left_out.n_undecided;
    if n_undecided > 0 {
        warnings.push(format!(
            "{name}: {n_undecided} rows lack a value that the condition `{}` asks for; they are left out",
            audit.filter.as_deref().unwrap_or_default()
        ));
    }
    Ok(Measured { measures, warnings })
}

/// Takes in the rows of one file after the other, and makes sure that none changed meanwhile.
fn read_files(
    sink: &mut dyn Sink,
    source: &Source,
    progress: &dyn Fn(Progress),
) -> Result<Vec<FileStamp>, ProbeError> {
    let (files, folder) = source.files()?;
    let mut read = |opened: &Opened, progress: &dyn Fn(Progress)| match opened.format {
        Format::Csv => csv::read(sink, opened, progress),
        Format::JsonLines => json::read(sink, opened, progress),
        Format::Parquet => parquet::read(sink, opened, progress),
        Format::Arrow => arrow::read(sink, opened, progress),
    };
    let mut stamps = Vec::with_capacity(files.len());
    let total = files.len() as u64;
    for (done, path) in files.iter().enumerate() {
        let opened = Opened::open(path)?;
        let sha256 = if total == 1 {
            read(&opened, progress)?
        } else {
            progress(Progress {
                done: done as u64,
                total,
                unit: Unit::Files,
            });
            read(&opened, &|_| {})?
        };
        opened.unchanged()?;
        let name = folder
            .as_deref()
            .and_then(|folder| path.strip_prefix(folder).ok())
            .unwrap_or(path);
        stamps.push(FileStamp {
            name: name.display().to_string(),
            sha256,
            n_bytes: opened.n_bytes,
        });
    }
    if total > 1 {
        progress(Progress {
            done: total,
            total,
            unit: Unit::Files,
        });
    }
    Ok(stamps)
}

/// One file is stamped with its own hash, many with that of the list `sha256sum` would print of them.
fn stamp(name: &str, mut files: Vec<FileStamp>, n_rows: u64, left_out: LeftOut) -> DataStamp {
    let n_bytes = files.iter().map(|file| file.n_bytes).sum();
    let sha256 = match files.as_slice() {
        [only] => only.sha256.clone(),
        many => {
            let mut hash = Sha256::new();
            for file in many {
                hash.update(format!("{}  {}\n", file.sha256, file.name));
            }
            source::hex(hash)
        }
    };
    if files.len() == 1 {
        files.clear();
    }
    DataStamp {
        name: name.to_owned(),
        sha256,
        n_bytes,
        n_rows,
        files,
        left_out,
        model: None,
    }
}

#[cfg(test)]
mod tests;
