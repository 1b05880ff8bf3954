//! `alnager audit alternatives`: is there a rule that does as well and harms less?

use std::path::PathBuf;

use alnager_audit::alternatives::{Grid, Settings, words};
use alnager_work::audit::alternatives::{Request, examine, worth};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{RowsArguments, show, wrong};
use crate::arguments::Format;

/// What to search.
#[derive(Debug, Args)]
#[command(
    after_help = "Half of the rows, by a hash of the row's number and the seed, are explored; what looks better there is tested on the other half. Only what is confirmed there is \
    claimed, and a search that finds nothing says so of itself alone.\n\n\
    The costs are a TOML file of what one decision is worth: true_positive, false_positive, true_negative, false_negative (positive: the score reaches the cut-off).\n\n\
    Examples:\n  alnager audit alternatives loans.parquet --score score --cutoff 0.5 --favorable 1 --label repaid --attr sex\n  \
    alnager audit alternatives loans.parquet --score score --cutoff 0.5 --favorable 1 --label repaid --attr sex --candidate small=score_small --costs costs.toml"
)]
pub(crate) struct AlternativesArguments {
    #[command(flatten)]
    rows: RowsArguments,
    /// The column of the score in use
    #[arg(long, value_name = "COLUMN")]
    score: String,
    /// The cut-off in use: a score at or above it counts as 1
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    cutoff: f64,
    /// Whether reaching the cut-off is good for the person: 1, or 0 where staying below is; required, never guessed
    #[arg(long, alias = "favourable", value_name = "0|1")]
    favorable: String,
    /// The column of what happened afterwards
    #[arg(long, value_name = "COLUMN")]
    label: String,
    /// The value of the label that counts as 1
    #[arg(long, value_name = "VALUE", default_value = "1")]
    label_positive: String,
    /// The protected attribute, or a combination such as 'race*sex'
    #[arg(long = "attr", value_name = "COLUMN")]
    attribute: String,
    /// Another model: a name and the column of its scores
    #[arg(long = "candidate", value_name = "NAME=COLUMN")]
    candidates: Vec<String>,
    /// A TOML file of what decisions are worth; without it accuracy is weighed
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// How much accuracy or profit per row may be lost; without it 0.01 of accuracy, or a hundredth of the profit in use
    #[arg(long, value_name = "NUMBER")]
    tolerance: Option<f64>,
    /// How many cut-offs of each score are tried, at equal steps of its distribution
    #[arg(
        long = "threshold-grid",
        value_name = "NUMBER",
        default_value_t = 40,
        conflicts_with = "thresholds"
    )]
    grid: u32,
    /// The cut-offs tried of each score, instead of a grid
    #[arg(
        long,
        value_name = "NUMBER,…",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    thresholds: Vec<f64>,
    /// Try cut-offs of each group's own too; they are disparate treatment, and each is marked so
    #[arg(long)]
    per_group: bool,
    /// How many rules are carried to the held-out half; each makes the test of all a little harder
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    carry: usize,
    /// The chance that anything is claimed that is no better
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    alpha: f64,
    /// Groups with fewer rows in a half take no part
    #[arg(long, value_name = "ROWS", default_value_t = 30)]
    min_group: u64,
    /// Replicates of the bootstrap of impact ratios
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    replicates: u64,
    /// The seed of the halves and of the bootstrap; the same seed gives the same digits
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Writes weights that make group and label independent, for training another candidate
    #[arg(long, value_name = "FILE")]
    reweigh: Option<PathBuf>,
}

pub(crate) fn run(arguments: &AlternativesArguments, format: Format) -> Result<Shown, JobError> {
    let request = request(arguments)?;
    show(|progress| examine(&request, progress), words, format)
}

fn request(arguments: &AlternativesArguments) -> Result<Request, JobError> {
    let is_favourable_above = match arguments.favorable.as_str() {
        "1" => true,
        "0" => false,
        other => {
            let problem = format!(
                "`{other}` is neither 1 (reaching the cut-off is good for the person) nor 0 (staying below is)"
            );
            return Err(wrong("--favorable", &problem));
        }
    };
    if !arguments.cutoff.is_finite() {
        return Err(wrong("--cutoff", "is a number, such as 0.5"));
    }
    if !(arguments.alpha > 0.0 && arguments.alpha < 0.5) {
        return Err(wrong("--alpha", "lies between 0 and 0.5, such as 0.05"));
    }
    if arguments
        .tolerance
        .is_some_and(|tolerance| !(tolerance >= 0.0 && tolerance.is_finite()))
    {
        return Err(wrong("--tolerance", "is 0 or more, such as 0.01"));
    }
    if arguments.thresholds.iter().any(|value| !value.is_finite()) {
        return Err(wrong("--thresholds", "are numbers, such as 0.4,0.5"));
    }
    if !(1..=10_000).contains(&arguments.grid) {
        return Err(wrong("--threshold-grid", "lies between 1 and 10000"));
    }
    if arguments.carry == 0 {
        return Err(wrong("--carry", "is at least 1"));
    }
    if arguments.label == arguments.attribute {
        let problem = format!("`{}` is the label; name another column", arguments.label);
        return Err(wrong("--attr", &problem));
    }
    Ok(Request {
        rows: arguments.rows.request()?,
        score: arguments.score.clone(),
        candidates: candidates(arguments)?,
        label: (arguments.label.clone(), arguments.label_positive.clone()),
        attribute: arguments.attribute.clone(),
        reweigh: arguments.reweigh.clone(),
        settings: Settings {
            cutoff: arguments.cutoff,
            is_favourable_above,
            profit: arguments.costs.as_deref().map(worth).transpose()?,
            tolerance: arguments.tolerance,
            grid: match arguments.thresholds.as_slice() {
                [] => Grid::Quantiles(arguments.grid),
                values => Grid::Values(values.to_vec()),
            },
            per_group: arguments.per_group,
            n_carried: arguments.carry,
            alpha: arguments.alpha,
            min_group: arguments.min_group,
            n_replicates: arguments.replicates,
            seed: arguments.seed,
        },
    })
}

fn candidates(arguments: &AlternativesArguments) -> Result<Vec<(String, String)>, JobError> {
    let mut candidates: Vec<(String, String)> = Vec::new();
    for text in &arguments.candidates {
        let Some((name, column)) = text.split_once('=') else {
            let problem = format!("`{text}` names no column; write small=score_small");
            return Err(wrong("--candidate", &problem));
        };
        let (name, column) = (name.trim().to_owned(), column.trim().to_owned());
        if name == arguments.score || candidates.iter().any(|(other, _)| *other == name) {
            let problem = format!("`{name}` is named twice; give each model a name of its own");
            return Err(wrong("--candidate", &problem));
        }
        candidates.push((name, column));
    }
    Ok(candidates)
}
