//! `alnager audit reweigh`: weights that make group and label independent.

use std::path::PathBuf;

use alnager_audit::reweighing::words;
use alnager_work::audit::reweigh::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, show, wrong};
use crate::arguments::Format;

/// What to weigh.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: alnager audit reweigh training.csv --label repaid --attr sex --out weights.csv"
)]
pub(crate) struct ReweighArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of the label
    #[arg(long, value_name = "COLUMN")]
    label: String,
    /// The protected attribute, or a combination such as 'race*sex'
    #[arg(long = "attr", value_name = "COLUMN")]
    attribute: String,
    /// Writes the weights as comma-separated text: one line per group and label
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &ReweighArguments, format: Format) -> Result<Shown, JobError> {
    if arguments.label == arguments.attribute {
        return Err(wrong(
            "--attr",
            &format!("`{}` is the label; name another column", arguments.label),
        ));
    }
    let request = Request {
        rows: arguments.rows.request()?,
        label: arguments.label.clone(),
        attribute: arguments.attribute.clone(),
        out: arguments.out.clone(),
    };
    show(|progress| examine(&request, progress), words, format)
}
