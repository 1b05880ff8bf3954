//! What the audits of rows have in common on the command line.

use std::path::PathBuf;

use alnager_audit::declared::{Binary, Decision, DecisionBy};
use alnager_audit::derived::{Derived, DerivedBy};
use alnager_probe::Progress;
use alnager_report::wrap;
use alnager_work::audit::rows::Request;
use alnager_work::error::JobError;
use alnager_work::files::read_text;
use clap::Args;
use serde_json::Value;

use super::Shown;
use crate::arguments::Format;
use crate::run::CLEAR;
use crate::terminal::{self, Bar};

/// Which rows.
#[derive(Debug, Args)]
pub(crate) struct RowsArguments {
    /// The rows: a file, a folder of files, or a pattern in quotes such as 'data/*.parquet'
    data: PathBuf,
    /// Take only rows that meet this condition, such as "age >= 40 && kind == 'loan'"
    #[arg(long = "where", value_name = "CONDITION")]
    filter: Option<String>,
    /// A TOML file of derived columns: bins, labels, thresholds (docs/guide/audit-lab.md)
    #[arg(long, value_name = "FILE")]
    derive: Option<PathBuf>,
    /// Spellings that mean unknown, besides the empty cell
    #[arg(long, value_name = "SPELLING,…", value_delimiter = ',')]
    unknown: Vec<String>,
}

impl RowsArguments {
    pub(crate) fn request(&self) -> Result<Request, JobError> {
        let derived = match &self.derive {
            Some(path) => Derived::read_all(&path.display().to_string(), &read_text(path)?)?,
            None => Vec::new(),
        };
        Ok(Request {
            data: self.data.clone(),
            filter: self.filter.clone(),
            unknown: self.unknown.clone(),
            derived,
        })
    }
}

/// Computes with a bar; the figures, and what they say in words where words are asked for.
pub(crate) fn show(
    examine: impl FnOnce(&dyn Fn(Progress)) -> Result<Value, JobError>,
    words: fn(&Value) -> String,
    format: Format,
) -> Result<Shown, JobError> {
    let shown = show_judged(examine, words, |_| CLEAR, format)?;
    Ok(Shown {
        is_judged: false,
        ..shown
    })
}

/// The same, with an exit code that the figures give.
pub(crate) fn show_judged(
    examine: impl FnOnce(&dyn Fn(Progress)) -> Result<Value, JobError>,
    words: fn(&Value) -> String,
    code: impl FnOnce(&Value) -> u8,
    format: Format,
) -> Result<Shown, JobError> {
    let bar = Bar::new();
    let figures = examine(&|progress| bar.show(progress));
    bar.done();
    let figures = figures?;
    let text = match format {
        Format::Json => String::new(),
        Format::Text => wrapped(&words(&harmless(&figures))),
    };
    Ok(Shown {
        code: code(&figures),
        figures,
        text,
        is_judged: true,
    })
}

/// Figures whose names and texts cannot steer a terminal: groups and files are named outside.
fn harmless(figures: &Value) -> Value {
    match figures {
        Value::String(text) => Value::String(wrap::harmless(text)),
        Value::Array(items) => items.iter().map(harmless).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let harmless = members.map(|(name, value)| (wrap::harmless(name), harmless(value)));
            Value::Object(harmless.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => figures.clone(),
    }
}

/// Sentences wrapped at the width of the terminal; lines of columns, which have wide gaps, stay whole.
fn wrapped(text: &str) -> String {
    let width = terminal::style().width;
    let lines = text.lines().map(|line| {
        if line.contains("  ") || line.is_empty() {
            format!("{line}\n")
        } else {
            wrap::hung("", 0, line, width)
        }
    });
    lines.collect()
}

pub(crate) fn wrong(flag: &str, problem: &str) -> JobError {
    JobError::Input(format!("{flag}: {problem}"))
}

/// A threshold's column, and the decision as a derived column that is named as the threshold; nothing for a plain column.
pub(crate) fn threshold(decision: &str) -> Result<Option<(String, Derived)>, JobError> {
    let Some((column, number)) = decision.split_once(">=") else {
        return Ok(None);
    };
    let number = number.trim();
    let at_least = number
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite());
    let at_least = at_least.ok_or_else(|| {
        wrong(
            "--decision",
            &format!("`{number}` is no number; write 'score>=0.5'"),
        )
    })?;
    let derived = Derived {
        column: decision.to_owned(),
        from: column.trim().to_owned(),
        by: DerivedBy::Threshold { at_least },
    };
    Ok(Some((column.trim().to_owned(), derived)))
}

/// A confidence that an interval can have.
pub(crate) fn confidence(value: f64) -> Result<f64, JobError> {
    match value {
        0.5..1.0 => Ok(value),
        _ => Err(wrong(
            "--confidence",
            "lies between 0.5 and 1, such as 0.95",
        )),
    }
}

/// A decision as flags say it: a column, or a threshold such as `score>=0.5`; the value that is good for the person; and the value that
/// counts as 1, without which it is `1`, or the favourable one where that is neither 0 nor 1.
pub(crate) fn decision(
    decision: &str,
    favourable: &str,
    positive: Option<&str>,
) -> Result<Decision, JobError> {
    if let Some((column, number)) = decision.split_once(">=") {
        let at_least = number
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .ok_or_else(|| {
                wrong(
                    "--decision",
                    &format!("`{number}` is no number; write 'score>=0.5'"),
                )
            })?;
        let side = match favourable {
            "1" | "at_least" => 1,
            "0" | "below" => 0,
            _ => {
                return Err(wrong(
                    "--favorable",
                    "1 where the good decision is a score at or above the threshold, else 0",
                ));
            }
        };
        return Ok(Decision {
            by: DecisionBy::Threshold {
                column: column.trim().to_owned(),
                at_least,
            },
            favourable: side,
            favourable_name: favourable.to_owned(),
        });
    }
    if decision.contains(['<', '>']) {
        let problem = format!(
            "`{decision}` is not a threshold this program knows; write 'score>=0.5', and say with --favorable whether reaching it is good"
        );
        return Err(wrong("--decision", &problem));
    }
    let positive = match (positive, favourable) {
        (Some(positive), _) => positive.to_owned(),
        (None, "0" | "1") => "1".to_owned(),
        (None, "true" | "false") => "true".to_owned(),
        (None, other) => other.to_owned(),
    };
    Ok(Decision {
        favourable: u8::from(favourable == positive),
        by: DecisionBy::Column(Binary {
            column: decision.to_owned(),
            positive,
        }),
        favourable_name: favourable.to_owned(),
    })
}

/// The reference group of one attribute: `race=White`.
pub(crate) fn reference(text: &str, attribute: &str) -> Result<String, JobError> {
    match references(std::slice::from_ref(&text.to_owned()))?.pop() {
        Some((name, group)) if name == attribute => Ok(group),
        Some((name, _)) => {
            let problem = format!("`{name}` is not the attribute audited, `{attribute}`");
            Err(wrong("--ref", &problem))
        }
        None => Err(wrong("--ref", "names no group; write race=White")),
    }
}

/// The reference groups of several attributes.
pub(crate) fn references(texts: &[String]) -> Result<Vec<(String, String)>, JobError> {
    let mut references: Vec<(String, String)> = Vec::new();
    for text in texts {
        let Some((attribute, group)) = text.split_once('=') else {
            return Err(wrong(
                "--ref",
                &format!("`{text}` names no group; write race=White"),
            ));
        };
        let attribute = attribute.trim().to_owned();
        if references.iter().any(|(other, _)| *other == attribute) {
            return Err(wrong(
                "--ref",
                &format!("`{attribute}` has two references; keep one"),
            ));
        }
        references.push((attribute, group.to_owned()));
    }
    Ok(references)
}

/// Columns named once each.
pub(crate) fn once(flag: &str, columns: &[String]) -> Result<Vec<String>, JobError> {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| column.trim().to_owned())
        .collect();
    match (1..columns.len()).find(|at| columns[..*at].contains(&columns[*at])) {
        None => Ok(columns),
        Some(at) => Err(wrong(
            flag,
            &format!("`{}` is named twice; keep one", columns[at]),
        )),
    }
}
