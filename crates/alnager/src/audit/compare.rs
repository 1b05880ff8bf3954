//! `alnager audit compare`: two audits side by side.

use std::path::PathBuf;

use alnager_audit::comparison::{Settings, words};
use alnager_work::audit::compare::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, confidence, once, references, show_judged, wrong};
use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, UNDECIDED};

/// What to compare.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 better, changed, or no change shown; 1 worse; 3 inconclusive; 2 wrong use or input; 4 could not finish.\n\n\
    Examples:\n  alnager audit compare audit-2025.json audit-2026.json\n  \
    alnager audit compare before.csv after.csv --decision approved --favorable 1 --label repaid --attr sex,race --ref sex=male"
)]
pub(crate) struct CompareArguments {
    /// A, in the place of DATA: an audit (`audit fairness --format json`) or rows
    #[command(flatten)]
    rows: RowsArguments,
    /// B: an audit or rows, whichever A is not need be
    other: PathBuf,
    /// The column of the decision, for rows
    #[arg(long, value_name = "COLUMN", requires = "favorable")]
    decision: Option<String>,
    /// The decision that is good for the person; required for rows, never guessed
    #[arg(
        long,
        alias = "favourable",
        value_name = "VALUE",
        requires = "decision"
    )]
    favorable: Option<String>,
    /// The value of the decision that counts as 1; without it `1`, or the favourable value where that is neither 0 nor 1
    #[arg(long, value_name = "VALUE", requires = "decision")]
    positive: Option<String>,
    /// The column of what happened afterwards, for rows
    #[arg(long, value_name = "COLUMN", requires = "decision")]
    label: Option<String>,
    /// The value of the label that counts as 1
    #[arg(long, value_name = "VALUE", default_value = "1")]
    label_positive: String,
    /// The protected attributes, for rows; combinations as 'race*sex'
    #[arg(long = "attr", value_name = "COLUMN,…", value_delimiter = ',')]
    attributes: Vec<String>,
    /// The reference group of an attribute, such as race=White; without it A's
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    references: Vec<String>,
    /// The confidence of every interval
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
    /// The change of a rate that is too small to matter
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    margin: f64,
    /// The factor by which an impact ratio may change without it mattering
    #[arg(long, value_name = "FACTOR", default_value_t = 1.1)]
    margin_ratio: f64,
    /// Groups with fewer rows on a side are not measured
    #[arg(long, value_name = "ROWS", default_value_t = 30)]
    min_group: u64,
}

pub(crate) fn run(arguments: &CompareArguments, format: Format) -> Result<Shown, JobError> {
    let request = request(arguments)?;
    show_judged(
        |progress| examine(&request, progress),
        words,
        |figures| match figures["outcome"].as_str() {
            Some("worse") => HOLD,
            Some("inconclusive") => UNDECIDED,
            _ => CLEAR,
        },
        format,
    )
}

fn request(arguments: &CompareArguments) -> Result<Request, JobError> {
    if !(arguments.margin > 0.0 && arguments.margin < 1.0) {
        return Err(wrong("--margin", "lies between 0 and 1, such as 0.05"));
    }
    if !(arguments.margin_ratio > 1.0 && arguments.margin_ratio.is_finite()) {
        return Err(wrong("--margin-ratio", "lies above 1, such as 1.1"));
    }
    let attributes = once("--attr", &arguments.attributes)?;
    if arguments.decision.is_some() && attributes.is_empty() {
        return Err(wrong(
            "--attr",
            "names no attribute; rows are compared by group",
        ));
    }
    let mut references = references(&arguments.references)?;
    let mut with_reference: Vec<(String, Option<String>)> = attributes
        .into_iter()
        .map(|name| {
            let at = references.iter().position(|(other, _)| *other == name);
            let reference = at.map(|at| references.remove(at).1);
            (name, reference)
        })
        .collect();
    // Of audits the attributes are not named, so a reference stands by itself.
    let left = references.into_iter();
    if arguments.decision.is_none() {
        with_reference.extend(left.map(|(name, group)| (name, Some(group))));
    } else if let Some((name, _)) = left.into_iter().next() {
        let problem = format!("`{name}` is not among the attributes; name it in --attr");
        return Err(wrong("--ref", &problem));
    }
    Ok(Request {
        rows: arguments.rows.request()?,
        other: arguments.other.clone(),
        decision: arguments.decision.clone().zip(arguments.favorable.clone()),
        positive: arguments.positive.clone(),
        label: arguments
            .label
            .clone()
            .map(|label| (label, arguments.label_positive.clone())),
        attributes: with_reference,
        settings: Settings {
            confidence: confidence(arguments.confidence)?,
            margin: arguments.margin,
            margin_ratio: arguments.margin_ratio,
            min_group: arguments.min_group,
        },
    })
}
