//! `alnager law explain`.

use std::path::PathBuf;

use alnager_report::why;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::explain::explain;
use clap::Args;

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The requirement, such as EUAIA-9
    pub(crate) requirement: String,
    /// A JSON object of facts, or one that holds them under `facts`
    #[arg(long, value_name = "FILE")]
    pub(crate) facts: PathBuf,
    /// Take what is not listed as false, empty, or failing every comparison
    #[arg(long)]
    pub(crate) closed_world: bool,
}

/// Explains and prints.
pub(crate) fn run(
    flags: &Flags,
    arguments: &ExplainArguments,
    format: Format,
) -> Result<u8, JobError> {
    let (found, library) = explain(
        flags,
        &arguments.requirement,
        &arguments.facts,
        arguments.closed_world,
    )?;
    let name = |id: &str| id.to_owned();
    say(&match format {
        Format::Text => why::words(&found, &library.book, None, &name)
            .trim_end()
            .to_owned(),
        Format::Json => pretty(&why::json(&found, &library.book, None, &name)),
    });
    Ok(CLEAR)
}
