//! `alnager audit classes`: decisions of more than two classes, by group.

use alnager_audit::classes::words;
use alnager_work::audit::classes::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, confidence, once, reference, show};
use crate::arguments::Format;

/// What to audit.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: alnager audit classes decisions.csv --category grade --attr race --ref race=White --order Low,Medium,High"
)]
pub(crate) struct ClassesArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of classes
    #[arg(long, value_name = "COLUMN")]
    category: String,
    /// The protected attribute, or a combination such as 'race*sex'
    #[arg(long = "attr", value_name = "COLUMN")]
    attribute: String,
    /// The reference group, such as race=White
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    reference: String,
    /// The classes in their order; without it nothing is cumulative
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',')]
    order: Option<Vec<String>>,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &ClassesArguments, format: Format) -> Result<Shown, JobError> {
    let request = Request {
        rows: arguments.rows.request()?,
        category: arguments.category.clone(),
        attribute: arguments.attribute.clone(),
        reference: reference(&arguments.reference, &arguments.attribute)?,
        order: arguments
            .order
            .as_ref()
            .map(|order| once("--order", order))
            .transpose()?,
        confidence: confidence(arguments.confidence)?,
    };
    show(|progress| examine(&request, progress), words, format)
}
