//! `alnager audit columns`: what the columns of a source hold.

use std::path::PathBuf;

use alnager_work::audit::columns::{examine, words};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::show;
use crate::arguments::Format;

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = "Example: alnager audit columns decisions.parquet")]
pub(crate) struct ColumnsArguments {
    /// The rows: a file, a folder of files, or a pattern in quotes such as 'data/*.parquet'
    data: PathBuf,
}

pub(crate) fn run(arguments: &ColumnsArguments, format: Format) -> Result<Shown, JobError> {
    show(|progress| examine(&arguments.data, progress), words, format)
}
