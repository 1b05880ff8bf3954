//! What pages show beside the tests: error rates by group, and what a score tells of each group.

use alnager_audit::declared::Grouping;
use alnager_audit::profile::reliability::{Curve, curves};
use serde_json::Value;

use super::view::Source;

/// A figure with its interval; `None` is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figure {
    /// The figure.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// Error rates and scores.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Details {
    /// Error rates by grouping; empty where no outcome is known.
    pub errors: Vec<ErrorTable>,
    /// Scores by grouping; empty where no score is audited.
    pub scores: Vec<ScoreTable>,
}

/// Error rates by group.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorTable {
    /// How people were divided; empty for all of them.
    pub grouping: String,
    /// The groups.
    pub rows: Vec<ErrorRow>,
}

/// Error rates of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRow {
    /// The group; empty for all rows.
    pub group: String,
    /// Rows with a known outcome.
    pub n: u64,
    /// True and false positive, false negative, precision, negative predictive value, accuracy.
    pub rates: Vec<Figure>,
}

/// The rates of an [`ErrorRow`]: name in the figures, heading.
pub(crate) const ERROR_RATES: [(&str, &str); 6] = [
    ("tpr", "True positive"),
    ("fpr", "False positive"),
    ("fnr", "False negative"),
    ("ppv", "Precision"),
    ("npv", "Negative predictive"),
    ("accuracy", "Accuracy"),
];

/// Scores by group.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTable {
    /// How people were divided.
    pub grouping: String,
    /// The group the others are compared with.
    pub reference: Option<String>,
    /// The groups.
    pub rows: Vec<ScoreRow>,
    /// Score against outcome, where scores are probabilities and outcomes are known.
    pub curves: Vec<Curve>,
}

/// What a score tells of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// The group.
    pub group: String,
    /// Its rows.
    pub n: u64,
    /// The mean score.
    pub mean: Option<f64>,
    /// Its standard deviation.
    pub sd: Option<f64>,
    /// How well the score parts outcomes, with DeLong's interval.
    pub auc: Figure,
    /// Standardised mean difference against the reference, by the deviation of all.
    pub smd: Option<f64>,
    /// Kolmogorov and Smirnov's distance from the reference.
    pub ks: Option<f64>,
    /// The population stability index against the reference.
    pub psi: Option<f64>,
    /// Brier's score; only of probabilities.
    pub brier: Option<f64>,
    /// The expected calibration error with ten bins; only of probabilities.
    pub ece: Option<f64>,
    /// Mean outcome less mean score; only of probabilities.
    pub in_the_large: Option<f64>,
}

/// The details of an audit.
pub fn details(source: &Source<'_>) -> Details {
    let groupings = source.audit.groupings();
    Details {
        errors: match source.audit.label {
            Some(_) => errors(source, &groupings),
            None => Vec::new(),
        },
        scores: match source.audit.score {
            Some(_) => groupings
                .iter()
                .map(|grouping| scores(source, grouping))
                .collect(),
            None => Vec::new(),
        },
    }
}

fn pair(value: &Value) -> Option<(f64, f64)> {
    value[0].as_f64().zip(value[1].as_f64())
}

fn errors(source: &Source<'_>, groupings: &[Grouping]) -> Vec<ErrorTable> {
    let row = |group: &str, figures: &Value| {
        let count = |name: &str| figures[name].as_u64().unwrap_or(0);
        let rate = |(name, _): &(&str, &str)| Figure {
            value: figures[*name].as_f64(),
            interval: pair(&figures["ci_wilson"][*name]),
        };
        ErrorRow {
            group: group.to_owned(),
            n: count("tp") + count("fp") + count("tn") + count("fn"),
            rates: ERROR_RATES.iter().map(rate).collect(),
        }
    };
    let overall = ErrorTable {
        grouping: String::new(),
        rows: vec![row("", &source.figures["overall"])],
    };
    let by = groupings.iter().map(|grouping| {
        let groups = source.figures["attrs"][&grouping.name]["groups"].as_object();
        ErrorTable {
            grouping: grouping.name.clone(),
            rows: groups
                .into_iter()
                .flatten()
                .map(|(name, figures)| row(name, figures))
                .collect(),
        }
    });
    std::iter::once(overall).chain(by).collect()
}

fn scores(source: &Source<'_>, grouping: &Grouping) -> ScoreTable {
    let figures = &source.figures["attrs"][&grouping.name];
    let row = |(name, of_group): (&String, &Value)| {
        let versus = &figures["vs_reference"][name]["score"];
        ScoreRow {
            group: name.clone(),
            n: of_group["n"].as_u64().unwrap_or(0),
            mean: of_group["score_mean"].as_f64(),
            sd: of_group["score_sd"].as_f64(),
            auc: Figure {
                value: of_group["auc"].as_f64(),
                interval: pair(&of_group["auc_ci_delong"]).map(within),
            },
            smd: versus["smd_total"].as_f64(),
            ks: versus["ks"].as_f64(),
            psi: versus["psi10"].as_f64(),
            brier: of_group["brier"].as_f64(),
            ece: of_group["ece10"].as_f64(),
            in_the_large: of_group["calibration_in_the_large"].as_f64(),
        }
    };
    let groups = figures["groups"].as_object();
    ScoreTable {
        grouping: grouping.name.clone(),
        reference: figures["reference"].as_str().map(str::to_owned),
        rows: groups.into_iter().flatten().map(row).collect(),
        curves: curves(figures),
    }
}

/// An interval of a share by the normal distribution may leave 0..=1; it is cut for the eye alone.
fn within((low, high): (f64, f64)) -> (f64, f64) {
    (low.max(0.0), high.min(1.0))
}
