//! `alnager audit blind-spots`: subgroups whose decisions differ most, combinations the data hardly know, and what is missing.

use alnager_audit::blind_spots::{Measure, is_depth, words};
use alnager_audit::slices::Side;
use alnager_work::audit::blind_spots::{Request, examine};
use alnager_work::error::JobError;
use clap::{Args, ValueEnum};

use super::Shown;
use super::rows::{RowsArguments, confidence, once, show, threshold, wrong};
use crate::arguments::Format;

/// Where to look.
#[derive(Debug, Args)]
#[command(
    after_help = "Subgroups are found on one half of the rows, parted by --seed, and confirmed on the other; what is not confirmed is listed \
    apart. Without --features every column is one that has few values or numbers; the output says which, and why others are not.\n\n\
    Example: alnager audit blind-spots loans.csv --label repaid --decision approved --favorable 1 --attr race,sex"
)]
pub(crate) struct BlindSpotsArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of what happened afterwards
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The value of the label that counts as 1
    #[arg(long, value_name = "VALUE", default_value = "1")]
    label_positive: String,
    /// The column of the decision, or a threshold on a score such as 'score>=0.5'
    #[arg(long, value_name = "COLUMN|COLUMN>=NUMBER", requires = "favorable")]
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
    /// The column of a score or loss, for --measure score
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// What to measure; without it `error` where there is a label, else `selection`, or `score` where there is a score alone
    #[arg(long, value_enum)]
    measure: Option<Measured>,
    /// Which differences to look for; without it those that are worse for people
    #[arg(long, value_enum)]
    side: Option<Sided>,
    /// The protected attributes
    #[arg(
        long = "attr",
        value_name = "COLUMN,…",
        required = true,
        value_delimiter = ','
    )]
    attributes: Vec<String>,
    /// Further columns that may describe a subgroup
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    features: Vec<String>,
    /// The most columns that describe a subgroup, 1 to 3
    #[arg(long, value_name = "N", default_value_t = 3)]
    depth: usize,
    /// The rows that make a subgroup worth a look, and a combination covered
    #[arg(long, value_name = "N", default_value_t = 100)]
    min_rows: u64,
    /// The ranges that a column of numbers is parted into
    #[arg(long, value_name = "N", default_value_t = 5)]
    bins: usize,
    /// The most subgroups carried over to the held-out half; fewer are easier to confirm
    #[arg(long, value_name = "N", default_value_t = 20)]
    tested: usize,
    /// Parts the rows into the two halves
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// 1 less the chance of any false alarm among the subgroups
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measured {
    /// Decisions that differ from the label
    Error,
    /// Favourable decisions
    Selection,
    /// Positive decisions among rows whose label is negative
    Fpr,
    /// Negative decisions among rows whose label is positive
    Fnr,
    /// The mean of a score or loss
    Score,
}

/// Which differences are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sided {
    /// Higher than everybody else
    Higher,
    /// Lower than everybody else
    Lower,
    /// Higher or lower
    Both,
}

pub(crate) fn run(arguments: &BlindSpotsArguments, format: Format) -> Result<Shown, JobError> {
    let request = request(arguments)?;
    show(|progress| examine(&request, progress), words, format)
}

fn request(arguments: &BlindSpotsArguments) -> Result<Request, JobError> {
    let mut rows = arguments.rows.request()?;
    let mut behind: Vec<String> = Vec::new();
    if let Some((column, derived)) = arguments
        .decision
        .as_deref()
        .map(threshold)
        .transpose()?
        .flatten()
    {
        behind.push(column);
        rows.derived.push(derived);
    }
    let measure = measure(arguments)?;
    let attributes = once("--attr", &arguments.attributes)?;
    let features = once("--features", &arguments.features)?;
    let outcome: Vec<&String> = [&arguments.decision, &arguments.label, &arguments.score]
        .into_iter()
        .flatten()
        .collect();
    for (flag, columns) in [("--attr", &attributes), ("--features", &features)] {
        if let Some(column) = columns.iter().find(|column| outcome.contains(column)) {
            return Err(wrong(
                flag,
                &format!("`{column}` is what is measured; name another column"),
            ));
        }
        if let Some(column) = columns.iter().find(|column| column.contains('*')) {
            return Err(wrong(
                flag,
                &format!(
                    "`{column}`: name the columns one by one; combinations are searched anyway"
                ),
            ));
        }
    }
    check_sizes(arguments)?;
    Ok(Request {
        rows,
        measure,
        decision: arguments
            .decision
            .clone()
            .zip(arguments.favorable.clone())
            .map(|(column, favourable)| (column, favourable, arguments.positive.clone())),
        label: arguments
            .label
            .clone()
            .map(|column| (column, arguments.label_positive.clone())),
        score: arguments.score.clone(),
        attributes,
        features: (!features.is_empty()).then_some(features),
        behind,
        depth: arguments.depth,
        rows_min: arguments.min_rows,
        n_bins: arguments.bins,
        tested_max: arguments.tested,
        seed: arguments.seed,
        side: arguments.side.map(|side| match side {
            Sided::Higher => Side::Higher,
            Sided::Lower => Side::Lower,
            Sided::Both => Side::Both,
        }),
        confidence: confidence(arguments.confidence)?,
    })
}

fn check_sizes(arguments: &BlindSpotsArguments) -> Result<(), JobError> {
    if !is_depth(arguments.depth) {
        return Err(wrong("--depth", "lies between 1 and 3"));
    }
    if arguments.min_rows < 2 {
        return Err(wrong(
            "--min-rows",
            "is 2 or more: one row is nobody's rate",
        ));
    }
    if !(2..=50).contains(&arguments.bins) {
        return Err(wrong("--bins", "lies between 2 and 50"));
    }
    if !(1..=1_000).contains(&arguments.tested) {
        return Err(wrong("--tested", "lies between 1 and 1000"));
    }
    Ok(())
}

fn measure(arguments: &BlindSpotsArguments) -> Result<Measure, JobError> {
    let measure = match arguments.measure {
        Some(Measured::Error) => Measure::Error,
        Some(Measured::Selection) => Measure::Selection,
        Some(Measured::Fpr) => Measure::Fpr,
        Some(Measured::Fnr) => Measure::Fnr,
        Some(Measured::Score) => Measure::Score,
        None => match (&arguments.decision, &arguments.label, &arguments.score) {
            (None, _, Some(_)) => Measure::Score,
            (_, Some(_), _) => Measure::Error,
            (_, None, _) => Measure::Selection,
        },
    };
    let missing = |flag: &str| {
        let problem = format!(
            "`{}` is measured from {flag}, which is not given",
            measure.name()
        );
        wrong("--measure", &problem)
    };
    if measure == Measure::Score {
        return arguments
            .score
            .as_ref()
            .map(|_| measure)
            .ok_or_else(|| missing("--score"));
    }
    if arguments.decision.is_none() {
        return Err(missing("--decision"));
    }
    if measure.needs_label() && arguments.label.is_none() {
        return Err(missing("--label"));
    }
    Ok(measure)
}
