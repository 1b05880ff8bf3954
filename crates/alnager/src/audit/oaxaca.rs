//! `alnager audit oaxaca`: a gap in mean outcomes taken apart.

use alnager_audit::oaxaca::words;
use alnager_work::audit::oaxaca::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, once, reference, show, wrong};
use crate::arguments::Format;

/// What to take apart.
#[derive(Debug, Args)]
#[command(
    after_help = "A protected attribute whose values are 0 and 1 needs neither --ref nor --group. Rows with a missing value, or of a \
    third group, are left out and counted.\n\n\
    Example: alnager audit oaxaca loans.csv --outcome deny --protected race --ref race=White --group Black --factors income,ltv"
)]
pub(crate) struct OaxacaArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of the outcome: numbers, or 0 and 1
    #[arg(long, value_name = "COLUMN")]
    outcome: String,
    /// The protected attribute
    #[arg(long, value_name = "COLUMN")]
    protected: String,
    /// The reference group, such as race=White
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    reference: Option<String>,
    /// The protected group, where there are more than two
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// The factors that may explain the gap
    #[arg(long, value_name = "COLUMN,…", required = true, value_delimiter = ',')]
    factors: Vec<String>,
    /// Factors that are categories though they are numbers
    #[arg(long = "categories", value_name = "COLUMN,…", value_delimiter = ',')]
    categories: Vec<String>,
}

pub(crate) fn run(arguments: &OaxacaArguments, format: Format) -> Result<Shown, JobError> {
    let factors = once("--factors", &arguments.factors)?;
    if let Some(column) = factors
        .iter()
        .find(|column| [&arguments.outcome, &arguments.protected].contains(column))
    {
        return Err(wrong(
            "--factors",
            &format!("`{column}` is the outcome or protected; a factor is another column"),
        ));
    }
    let categories = once("--categories", &arguments.categories)?;
    if let Some(column) = categories.iter().find(|column| !factors.contains(column)) {
        return Err(wrong(
            "--categories",
            &format!("`{column}` is not among the factors; name it in --factors"),
        ));
    }
    let named = arguments.reference.as_ref();
    let request = Request {
        rows: arguments.rows.request()?,
        outcome: arguments.outcome.clone(),
        reference: named
            .map(|text| reference(text, &arguments.protected))
            .transpose()?,
        protected: arguments.protected.clone(),
        group: arguments.group.clone(),
        factors,
        categories,
    };
    show(|progress| examine(&request, progress), words, format)
}
