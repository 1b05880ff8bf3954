//! `alnager audit lending`: raw gaps of a decision beside gaps with other factors held fixed.

use alnager_audit::lending::words;
use alnager_work::audit::lending::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, confidence, once, references, show, wrong};
use crate::arguments::Format;

/// What to audit.
#[derive(Debug, Args)]
#[command(
    after_help = "A protected attribute whose values are 0 and 1 needs no --ref; any other becomes one 0/1 column per group. Controls \
    of text become 0/1 columns too, the most frequent value being the base. Rows with a missing value are left out and counted.\n\n\
    Example: alnager audit lending loans.csv --outcome deny --favorable 0 --protected race --ref race=White --controls income,ltv,purpose"
)]
pub(crate) struct LendingArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of the decision
    #[arg(long, value_name = "COLUMN")]
    outcome: String,
    /// The decision that is good for the person; required, never guessed
    #[arg(long, alias = "favourable", value_name = "VALUE")]
    favorable: String,
    /// The decision that is modelled; without it `1`, or the favourable value where that is neither 0 nor 1
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// The protected attributes
    #[arg(long, value_name = "COLUMN,…", required = true, value_delimiter = ',')]
    protected: Vec<String>,
    /// The reference group of an attribute, such as race=White
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    references: Vec<String>,
    /// The factors held fixed
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    controls: Vec<String>,
    /// Controls that are categories though they are numbers
    #[arg(long = "categories", value_name = "COLUMN,…", value_delimiter = ',')]
    categories: Vec<String>,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &LendingArguments, format: Format) -> Result<Shown, JobError> {
    let (protected, controls) = (
        once("--protected", &arguments.protected)?,
        once("--controls", &arguments.controls)?,
    );
    if let Some(column) = controls
        .iter()
        .find(|column| protected.contains(column) || **column == arguments.outcome)
    {
        return Err(wrong(
            "--controls",
            &format!("`{column}` is the outcome or protected; a control is another column"),
        ));
    }
    if protected.contains(&arguments.outcome) {
        return Err(wrong(
            "--protected",
            &format!("`{}` is the outcome", arguments.outcome),
        ));
    }
    let categories = once("--categories", &arguments.categories)?;
    if let Some(column) = categories.iter().find(|column| !controls.contains(column)) {
        return Err(wrong(
            "--categories",
            &format!("`{column}` is not among the controls; name it in --controls"),
        ));
    }
    let request = Request {
        rows: arguments.rows.request()?,
        outcome: arguments.outcome.clone(),
        favourable: arguments.favorable.clone(),
        positive: arguments.positive.clone(),
        protected,
        references: references(&arguments.references)?,
        controls,
        categories,
        confidence: confidence(arguments.confidence)?,
    };
    show(|progress| examine(&request, progress), words, format)
}
