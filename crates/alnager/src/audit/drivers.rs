//! `alnager audit drivers`: what drives a gap between two groups.

use alnager_audit::drivers::words;
use alnager_work::audit::drivers::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, confidence, once, reference, show, threshold, wrong};
use crate::arguments::Format;

/// What to look for.
#[derive(Debug, Args)]
#[command(
    after_help = "The gap of a decision is taken apart over --strata (Kitagawa); the difference in the mean score over the features, by a \
    linear model. Each feature, and all together, are then tried as a proxy of the attribute. For a model with each group's own \
    coefficients see `audit oaxaca`.\n\n\
    Example: alnager audit drivers loans.csv --attr sex --ref sex=Male --decision approved --favorable 1 --strata purpose --features income,grade"
)]
pub(crate) struct DriversArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The protected attribute
    #[arg(long = "attr", value_name = "COLUMN")]
    attribute: String,
    /// The reference group, such as sex=Male
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    reference: String,
    /// The group compared with it, where there are more than two
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// The column of the decision, or a threshold on a score such as 'score>=0.5'
    #[arg(
        long,
        value_name = "COLUMN|COLUMN>=NUMBER",
        requires = "favorable",
        required_unless_present = "score"
    )]
    decision: Option<String>,
    /// The decision that is good for the person; required, never guessed
    #[arg(
        long,
        alias = "favourable",
        value_name = "VALUE",
        requires = "decision"
    )]
    favorable: Option<String>,
    /// The column of the score whose mean is taken apart; without it the decision as 0 and 1
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// The column of strata for the gap of the decision
    #[arg(long, value_name = "COLUMN", requires = "decision")]
    strata: Option<String>,
    /// The features that may drive the gap, or stand in for the attribute
    #[arg(long, value_name = "COLUMN,…", required = true, value_delimiter = ',')]
    features: Vec<String>,
    /// Parts the rows for the proxies, and starts the bootstrap
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &DriversArguments, format: Format) -> Result<Shown, JobError> {
    let features = once("--features", &arguments.features)?;
    let taken = [
        Some(&arguments.attribute),
        arguments.decision.as_ref(),
        arguments.score.as_ref(),
    ];
    if let Some(column) = features.iter().find(|column| taken.contains(&Some(column))) {
        return Err(wrong(
            "--features",
            &format!("`{column}` is the attribute or the outcome; a feature is another column"),
        ));
    }
    let mut rows = arguments.rows.request()?;
    if let Some((_, derived)) = arguments
        .decision
        .as_deref()
        .map(threshold)
        .transpose()?
        .flatten()
    {
        rows.derived.push(derived);
    }
    let request = Request {
        rows,
        reference: reference(&arguments.reference, &arguments.attribute)?,
        attribute: arguments.attribute.clone(),
        group: arguments.group.clone(),
        decision: arguments.decision.clone().zip(arguments.favorable.clone()),
        score: arguments.score.clone(),
        strata: arguments.strata.clone(),
        features,
        seed: arguments.seed,
        confidence: confidence(arguments.confidence)?,
    };
    show(|progress| examine(&request, progress), words, format)
}
