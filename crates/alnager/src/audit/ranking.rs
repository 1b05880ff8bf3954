//! `alnager audit ranking`: who stands among the first of a ranked list.

use alnager_audit::ranking::words;
use alnager_work::audit::ranking::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, confidence, show, wrong};
use crate::arguments::Format;

/// What to audit.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: alnager audit ranking candidates.csv --score score --id id --attr sex --top 10,50"
)]
pub(crate) struct RankingArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of scores; the highest comes first
    #[arg(long, value_name = "COLUMN")]
    score: String,
    /// The column that breaks ties, lowest first; needed where people of different groups share a score
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The protected attribute, or a combination such as 'race*sex'
    #[arg(long = "attr", value_name = "COLUMN")]
    attribute: String,
    /// The numbers of first places looked at
    #[arg(
        long = "top",
        value_name = "NUMBER,…",
        required = true,
        value_delimiter = ','
    )]
    tops: Vec<usize>,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &RankingArguments, format: Format) -> Result<Shown, JobError> {
    if arguments.tops.contains(&0) {
        return Err(wrong("--top", "each number is at least 1, such as 10,50"));
    }
    let request = Request {
        rows: arguments.rows.request()?,
        score: arguments.score.clone(),
        id: arguments.id.clone(),
        attribute: arguments.attribute.clone(),
        tops: arguments.tops.clone(),
        confidence: confidence(arguments.confidence)?,
    };
    show(|progress| examine(&request, progress), words, format)
}
