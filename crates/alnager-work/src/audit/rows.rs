//! The rows of an audit that cannot be had from counts, or asks for one table of counts only.

use std::path::{Path, PathBuf};

use alnager_audit::declared::GROUPS_MAX;
use alnager_audit::derived::Derived;
use alnager_audit::factor::{Factor, FactorError, listed};
use alnager_audit::measures::DataStamp;
use alnager_audit::texts::Texts;
use alnager_law::read::nearest;
use alnager_probe::{Progress, Wanted, WantedKind, read_rows};
use alnager_stats::matrix::FitError;
use serde_json::{Value, json};

use crate::error::JobError;
use crate::source;

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A file, a folder of files, or a pattern.
    pub data: PathBuf,
    /// The condition a row must meet.
    pub filter: Option<String>,
    /// Spellings that mean unknown, besides the empty cell.
    pub unknown: Vec<String>,
    /// Derived columns.
    pub derived: Vec<Derived>,
}

/// The rows, column by column in the order asked.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The columns of texts; several joined by `*` are one.
    pub texts: Vec<Texts>,
    /// The columns of numbers; NaN where one is missing.
    pub numbers: Vec<Vec<f64>>,
    /// What was read.
    pub data: DataStamp,
}

/// Reads columns of texts (`race`, or `race*sex` for a combination) and of numbers.
pub fn read(
    request: &Request,
    texts: &[&str],
    numbers: &[&str],
    progress: &dyn Fn(Progress),
) -> Result<Rows, JobError> {
    let parts: Vec<Vec<&str>> = texts
        .iter()
        .map(|column| column.split('*').map(str::trim).collect())
        .collect();
    let of_kind = |columns: &[&str], kind| -> Vec<(String, WantedKind)> {
        let columns = columns.iter();
        columns.map(|column| ((*column).to_owned(), kind)).collect()
    };
    let mut columns = of_kind(&parts.concat(), WantedKind::Text);
    columns.extend(of_kind(numbers, WantedKind::Number));
    let wanted = Wanted {
        columns,
        filter: request.filter.clone(),
        derived: request.derived.clone(),
        unknown: request.unknown.clone(),
    };
    no_database(request)?;
    let local = source::local(Path::new(""), &request.data, None, progress)?;
    let mut read = read_rows(&wanted, local.source(), progress)?;
    local.name().clone_into(&mut read.data.name);
    let mut found = read.texts.into_iter();
    let mut joined = Vec::with_capacity(parts.len());
    for parts in &parts {
        let mut columns = Vec::with_capacity(parts.len());
        for (part, (met, codes)) in parts.iter().zip(&mut found) {
            columns.push(Texts::new(part, met, codes).ok_or_else(mistake)?);
        }
        joined.push(Texts::joined(&columns).ok_or_else(mistake)?);
    }
    Ok(Rows {
        texts: joined,
        numbers: read.numbers,
        data: read.data,
    })
}

/// Refuses a database where rows are needed.
pub(super) fn no_database(request: &Request) -> Result<(), JobError> {
    match source::is_database(&request.data) {
        true => Err(JobError::Input(
            "this audit needs the rows themselves, and a database is only asked for counts; export the rows to a file"
                .to_owned(),
        )),
        false => Ok(()),
    }
}

/// What only a mistake of ours brings about.
pub(super) fn mistake() -> JobError {
    JobError::Internal("the columns read do not fit together; please report this".to_owned())
}

impl Rows {
    /// Puts what was read in front of some figures: `data`, `sha256`, and how many rows were read and met the condition.
    pub(super) fn stamped(&self, figures: Value) -> Value {
        let mut stamped = json!({
            "data": self.data.name,
            "sha256": self.data.sha256,
            "rows_read": self.data.n_rows,
            "rows_counted": self.data.n_counted(),
        });
        if let (Some(stamped), Value::Object(figures)) = (stamped.as_object_mut(), figures) {
            stamped.extend(figures);
        }
        stamped
    }

    /// An error about a flag's column.
    pub(super) fn wrong(&self, flag: &str, column: &str, problem: &str) -> JobError {
        JobError::Input(format!(
            "{flag}: {}, column `{column}`: {problem}",
            self.data.name
        ))
    }

    /// An error about a column of the data that no flag names.
    pub(super) fn wrong_data(&self, column: &str, problem: &str) -> JobError {
        JobError::Input(format!("{}, column `{column}`: {problem}", self.data.name))
    }

    /// Makes sure that a column has few values, and this one among them.
    pub(super) fn check_value(
        &self,
        flag: &str,
        texts: &Texts,
        value: &str,
    ) -> Result<(), JobError> {
        self.check_few(texts)?;
        if texts.position(value).is_some() {
            return Ok(());
        }
        let hint = nearest(value, texts.values().iter().map(String::as_str));
        Err(self.wrong(
            flag,
            texts.column(),
            &format!("no row has `{value}`; {hint}"),
        ))
    }

    /// Makes sure that a column of groups has few values.
    pub(super) fn check_few(&self, texts: &Texts) -> Result<(), JobError> {
        // Each part of a combination is a column of groups.
        let n_parts = texts.column().split('*').count() as u32;
        let values_max = GROUPS_MAX.saturating_pow(n_parts);
        match texts.values().len() {
            0 => Err(self.wrong_data(texts.column(), "no row has a value")),
            n if n > values_max => {
                let problem = format!(
                    "{n} different values are too many for groups; put them into bins, with --derive or in a column of their own"
                );
                Err(self.wrong_data(texts.column(), &problem))
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that a column of decisions has at most two values.
    pub(super) fn check_two(&self, flag: &str, texts: &Texts) -> Result<(), JobError> {
        match texts.values() {
            [] | [_] | [_, _] => Ok(()),
            values => {
                let problem = format!("a decision has two values; found {}", listed(values));
                Err(self.wrong(flag, texts.column(), &problem))
            }
        }
    }

    /// An error of a model.
    pub(super) fn unfit(&self, error: &FitError) -> JobError {
        JobError::Input(format!(
            "{}: the model cannot be fitted: {error}",
            self.data.name
        ))
    }

    /// An error of a factor.
    pub(super) fn no_factor(&self, flag: &str, error: &FactorError) -> JobError {
        JobError::Input(format!("{flag}: {}, {error}", self.data.name))
    }

    /// A column as a factor of a model, over the rows kept.
    pub(super) fn factor(
        &self,
        flag: &str,
        texts: &Texts,
        keep: &[bool],
        as_category: &[String],
    ) -> Result<Factor, JobError> {
        let kept = texts.kept(keep);
        let factor = if as_category.iter().any(|column| column == texts.column()) {
            Factor::categories(&kept, most_frequent(&kept))
        } else {
            Factor::of(&kept)
        };
        factor.map_err(|error| self.no_factor(flag, &error))
    }
}

/// The text of most rows, the first in order where several have as many.
fn most_frequent(texts: &Texts) -> &str {
    let counts = texts.n_by_value();
    let most = counts.iter().max().copied().unwrap_or(0);
    let at = counts.iter().position(|count| *count == most).unwrap_or(0);
    texts.values().get(at).map_or("", String::as_str)
}

/// The two values of a decision: the one modelled, and whether it is the favourable one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The value modelled.
    pub event: String,
    /// Whether it is good for the person.
    pub is_favourable: bool,
}

impl Outcome {
    /// The value that counts as 1: `positive`, or without it 1 (`true`) where the favourable value is 0 or 1 (`true` or
    /// `false`), else the favourable value itself.
    pub fn new(favourable: &str, positive: Option<&str>) -> Outcome {
        let event = match (positive, favourable) {
            (Some(positive), _) => positive,
            (None, "0" | "1") => "1",
            (None, "true" | "false") => "true",
            (None, other) => other,
        };
        Outcome {
            event: event.to_owned(),
            is_favourable: event == favourable,
        }
    }

    /// Makes sure that a column has two values, and those named are among them.
    pub(super) fn check(
        &self,
        rows: &Rows,
        flag: &str,
        texts: &Texts,
        favourable: &str,
    ) -> Result<(), JobError> {
        rows.check_two(flag, texts)?;
        rows.check_value("--favorable", texts, favourable)?;
        rows.check_value("--positive", texts, &self.event)
    }
}

/// The reference of a column among texts such as `race=White`, taken out of the list.
pub fn take_reference(references: &mut Vec<(String, String)>, column: &str) -> Option<String> {
    let at = references.iter().position(|(name, _)| name == column)?;
    Some(references.remove(at).1)
}
