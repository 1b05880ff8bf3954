//! `alnager audit drift`: what has changed since a baseline, and since when.

use std::path::PathBuf;

use alnager_audit::drift::{Settings, words};
use alnager_work::audit::drift::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, once, references, show_judged, wrong};
use crate::arguments::Format;
use crate::run::{CLEAR, HOLD};

/// What to watch.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no alarm, 1 alarm, 2 wrong use or input, 4 could not finish.\n\n\
    Examples:\n  alnager audit drift last-year.parquet this-year.parquet --features income,purpose --score score\n  \
    alnager audit drift decisions.csv --period month --decision approved --favorable 1 --label repaid --attr sex --ref sex=male\n  \
    alnager audit drift baseline.csv now.csv --period month --score score --decision approved --favorable 1 --attr sex"
)]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The later rows; without it the rows lie in one place and --period parts them
    current: Option<PathBuf>,
    /// The column that says when; periods are ordered as numbers, or as texts, so write dates as 2025-07
    #[arg(long, value_name = "COLUMN", required_unless_present = "current")]
    period: Option<String>,
    /// The periods that are the baseline; without it the first
    #[arg(
        long,
        value_name = "PERIOD,…",
        value_delimiter = ',',
        conflicts_with = "current"
    )]
    baseline: Vec<String>,
    /// Columns whose distribution is compared: numbers where every text is one, else categories
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    features: Vec<String>,
    /// Of the features, those that are categories although they read as numbers
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    as_category: Vec<String>,
    /// A column of scores, compared as numbers
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// The column of the decision: its favourable rate is watched, and with --attr each group's and the impact ratios
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
    /// The value of the decision that counts as 1; without it `1`, or the favourable value where that is neither 0 nor 1
    #[arg(long, value_name = "VALUE", requires = "decision")]
    positive: Option<String>,
    /// The column of what happened afterwards: the error rate is watched too
    #[arg(long, value_name = "COLUMN", requires = "decision")]
    label: Option<String>,
    /// The value of the label that counts as 1
    #[arg(long, value_name = "VALUE", default_value = "1")]
    label_positive: String,
    /// The protected attributes, or combinations such as 'race*sex'
    #[arg(
        long = "attr",
        value_name = "COLUMN,…",
        value_delimiter = ',',
        requires = "decision"
    )]
    attributes: Vec<String>,
    /// The reference group of an attribute, such as race=White; without it the baseline's highest favourable rate
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    references: Vec<String>,
    /// The chance of any false alarm, ever, over everything watched together
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    alpha: f64,
    /// The average number of quiet periods before the detector of one series speaks up
    #[arg(long, value_name = "PERIODS", default_value_t = 1_000.0)]
    run_length: f64,
    /// The bins of the population stability index
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    bins: u32,
    /// Groups with fewer rows in the baseline are not watched
    #[arg(long, value_name = "ROWS", default_value_t = 30)]
    min_group: u64,
}

pub(crate) fn run(arguments: &DriftArguments, format: Format) -> Result<Shown, JobError> {
    let request = request(arguments)?;
    show_judged(
        |progress| examine(&request, progress),
        words,
        |figures| match figures["outcome"].as_str() {
            Some("alarm") => HOLD,
            _ => CLEAR,
        },
        format,
    )
}

fn request(arguments: &DriftArguments) -> Result<Request, JobError> {
    let features = once("--features", &arguments.features)?;
    if features.is_empty() && arguments.score.is_none() && arguments.decision.is_none() {
        return Err(wrong(
            "--features",
            "nothing is named to compare; name columns here, or a --score, or a --decision",
        ));
    }
    if !(arguments.alpha > 0.0 && arguments.alpha <= 0.5) {
        return Err(wrong("--alpha", "lies between 0 and 0.5, such as 0.05"));
    }
    if !(arguments.run_length >= 1.0 && arguments.run_length.is_finite()) {
        return Err(wrong("--run-length", "is at least 1 period, such as 1000"));
    }
    if !(2..=1_000).contains(&arguments.bins) {
        return Err(wrong("--bins", "lies between 2 and 1000, such as 10"));
    }
    let attributes = once("--attr", &arguments.attributes)?;
    if let Some(period) = &arguments.period
        && attributes.contains(period)
    {
        let problem = format!("`{period}` is the period; a group of one period has no course");
        return Err(wrong("--attr", &problem));
    }
    let mut references = references(&arguments.references)?;
    let attributes = attributes.into_iter().map(|name| {
        let at = references.iter().position(|(other, _)| *other == name);
        let reference = at.map(|at| references.remove(at).1);
        (name, reference)
    });
    let attributes: Vec<(String, Option<String>)> = attributes.collect();
    if let Some((name, _)) = references.first() {
        let problem = format!("`{name}` is not among the attributes; name it in --attr");
        return Err(wrong("--ref", &problem));
    }
    let strange = arguments
        .as_category
        .iter()
        .find(|column| !features.contains(column));
    if let Some(column) = strange {
        let problem = format!("`{column}` is not among --features");
        return Err(wrong("--as-category", &problem));
    }
    Ok(Request {
        rows: arguments.rows.request()?,
        current: arguments.current.clone(),
        period: arguments.period.clone(),
        baseline: arguments.baseline.clone(),
        features,
        as_category: arguments.as_category.clone(),
        score: arguments.score.clone(),
        decision: arguments.decision.clone().zip(arguments.favorable.clone()),
        positive: arguments.positive.clone(),
        label: arguments
            .label
            .clone()
            .map(|label| (label, arguments.label_positive.clone())),
        attributes,
        settings: Settings {
            alpha: arguments.alpha,
            n_bins: arguments.bins,
            run_length: arguments.run_length,
            min_group: arguments.min_group,
        },
    })
}
