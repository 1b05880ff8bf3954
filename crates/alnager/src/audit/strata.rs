//! `alnager audit strata`: 2x2 tables in strata.

use alnager_audit::stratified::{self, Counts};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{confidence, show, wrong};
use crate::arguments::Format;

/// The tables, and how sure to be.
#[derive(Debug, Args)]
#[command(after_help = "Example: alnager audit strata --table 89,19,512,313 --table 17,8,353,207")]
pub(crate) struct StrataArguments {
    /// The table of one stratum: group selected, group rest, reference selected, reference rest
    #[arg(long = "table", value_name = "N,N,N,N", required = true)]
    tables: Vec<String>,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &StrataArguments, format: Format) -> Result<Shown, JobError> {
    let tables: Vec<Counts> = arguments
        .tables
        .iter()
        .map(|text| table(text))
        .collect::<Result<_, _>>()?;
    let confidence = confidence(arguments.confidence)?;
    let figures = stratified::figures(&tables, confidence).ok_or_else(|| {
        wrong(
            "--table",
            "the counts of all tables together lie below 2^47",
        )
    });
    show(|_| figures, stratified::words, format)
}

fn table(text: &str) -> Result<Counts, JobError> {
    let numbers: Option<Vec<u64>> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect();
    match numbers.as_deref() {
        Some(&[a, b, c, d]) => Ok([[a, b], [c, d]]),
        Some(_) | None => {
            let problem = format!(
                "`{text}` is not four counts; write group selected, group rest, reference selected, reference rest, such as 89,19,512,313"
            );
            Err(wrong("--table", &problem))
        }
    }
}
