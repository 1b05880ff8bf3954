//! `alnager audit numeric`: predicted numbers beside what came true, by group.

use alnager_audit::numeric::words;
use alnager_work::audit::numeric::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, reference, show};
use crate::arguments::Format;

/// What to audit.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: alnager audit numeric pay.parquet --predicted offer --actual pay --attr sex --ref sex=male"
)]
pub(crate) struct NumericArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of predictions
    #[arg(long, value_name = "COLUMN")]
    predicted: String,
    /// The column of what came true, in the same unit
    #[arg(long, value_name = "COLUMN")]
    actual: String,
    /// The protected attribute, or a combination such as 'race*sex'
    #[arg(long = "attr", value_name = "COLUMN")]
    attribute: String,
    /// The reference group, such as race=White
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    reference: String,
}

pub(crate) fn run(arguments: &NumericArguments, format: Format) -> Result<Shown, JobError> {
    let request = Request {
        rows: arguments.rows.request()?,
        predicted: arguments.predicted.clone(),
        actual: arguments.actual.clone(),
        attribute: arguments.attribute.clone(),
        reference: reference(&arguments.reference, &arguments.attribute)?,
    };
    show(|progress| examine(&request, progress), words, format)
}
