//! `alnager audit proxy`: race and ethnicity by surname and place.

use alnager_audit::proxy::words;
use alnager_work::audit::proxy::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, confidence, show};
use crate::arguments::Format;

/// Who to estimate.
#[derive(Debug, Args)]
#[command(
    after_help = "The columns are name_R, the share of category R among people with the surname, and here_given_R, the share of all \
    people of category R who live in the place, for R in hispanic, white, black, api, aian, mult_other.\n\n\
    Example: alnager audit proxy applicants.parquet --decision approved --favorable 1"
)]
pub(crate) struct ProxyArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of a decision, whose rates are then weighted with the estimates
    #[arg(long, value_name = "COLUMN", requires = "favorable")]
    decision: Option<String>,
    /// The decision that is good for the person; required, never guessed
    #[arg(
        long,
        alias = "favourable",
        value_name = "VALUE",
        requires = "decision"
    )]
    favorable: Option<String>,
    /// The category compared with
    #[arg(long = "ref", value_name = "CATEGORY", default_value = "white")]
    reference: String,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &ProxyArguments, format: Format) -> Result<Shown, JobError> {
    let request = Request {
        rows: arguments.rows.request()?,
        decision: arguments.decision.clone().zip(arguments.favorable.clone()),
        reference: arguments.reference.clone(),
        confidence: confidence(arguments.confidence)?,
    };
    show(|progress| examine(&request, progress), words, format)
}
