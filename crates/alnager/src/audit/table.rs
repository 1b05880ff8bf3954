//! `alnager audit table`: every figure of one 2x2 table.

use alnager_audit::two_by_two;
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use crate::arguments::Format;

/// The table, and how sure to be.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// People of the group who were selected
    group_selected: u64,
    /// People of the group who were not
    group_rest: u64,
    /// People of the reference who were selected
    reference_selected: u64,
    /// People of the reference who were not
    reference_rest: u64,
    /// The confidence of every interval
    #[arg(long, default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &TableArguments, format: Format) -> Result<Shown, JobError> {
    let table = [
        [arguments.group_selected, arguments.group_rest],
        [arguments.reference_selected, arguments.reference_rest],
    ];
    let Some(figures) = two_by_two::figures(table, arguments.confidence) else {
        return Err(JobError::Input(
            "a count lies below 2^47, and a confidence between 0 and 1, such as 0.95".to_owned(),
        ));
    };
    let text = match format {
        Format::Json => String::new(),
        Format::Text => two_by_two::words(&figures),
    };
    Ok(Shown::reported(figures, text))
}
