//! Race and ethnicity by surname and place.

use alnager_audit::proxy::{self, Asked, here_column, name_column};
use alnager_audit::texts::Texts;
use alnager_probe::Progress;
use alnager_stats::proxy::Category;
use serde_json::Value;

use super::rows::{self, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of a decision and the value that is good for the person.
    pub decision: Option<(String, String)>,
    /// The category compared with, by name.
    pub reference: String,
    /// The confidence of every interval.
    pub confidence: f64,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let names = Category::ALL.map(Category::name);
    let reference = Category::from_name(&request.reference).ok_or_else(|| {
        let hint = alnager_law::read::nearest(&request.reference, names);
        JobError::Input(format!(
            "--ref: there is no category `{}`; {hint}",
            request.reference
        ))
    })?;
    let columns: Vec<String> = Category::ALL
        .map(name_column)
        .into_iter()
        .chain(Category::ALL.map(here_column))
        .collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let decision: Vec<&str> = request
        .decision
        .iter()
        .map(|(column, _)| column.as_str())
        .collect();
    let rows = rows::read(&request.rows, &decision, &columns, progress)?;
    let favourable = match (rows.texts.first(), &request.decision) {
        (Some(texts), Some((_, value))) => {
            rows.check_value("--favorable", texts, value)?;
            rows.check_two("--decision", texts)?;
            Some(is_value(texts, value))
        }
        (None, _) | (_, None) => None,
    };
    check_shares(&rows, &columns)?;
    let (names, heres) = rows.numbers.split_at_checked(6).ok_or_else(mistake)?;
    let six = |columns: &[Vec<f64>]| -> [Vec<f64>; 6] {
        std::array::from_fn(|at| columns.get(at).cloned().unwrap_or_default())
    };
    let (names, heres) = (six(names), six(heres));
    let asked = Asked {
        given_name: names.each_ref().map(Vec::as_slice),
        here_given: heres.each_ref().map(Vec::as_slice),
        favourable: favourable.as_deref(),
        reference,
        confidence: request.confidence,
    };
    let figures = proxy::figures(&asked).ok_or_else(mistake)?;
    if figures["n"] == 0 {
        return Err(JobError::Input(format!(
            "{}: nobody's category can be estimated: in every row a share is missing, or name and place exclude each other",
            rows.data.name
        )));
    }
    Ok(rows.stamped(figures))
}

/// A share is never negative.
fn check_shares(rows: &rows::Rows, columns: &[&str]) -> Result<(), JobError> {
    for (column, values) in columns.iter().zip(&rows.numbers) {
        if let Some(row) = values.iter().position(|value| *value < 0.0) {
            let problem = format!(
                "row {} has `{}`; a share is 0 or above",
                row + 1,
                values[row]
            );
            return Err(rows.wrong_data(column, &problem));
        }
    }
    Ok(())
}

fn is_value(texts: &Texts, value: &str) -> Vec<Option<bool>> {
    let at = texts.position(value);
    (0..texts.n_rows())
        .map(|row| texts.at(row).map(|found| Some(found) == at))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[track_caller]
    fn check(first: &str, want: &str) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("people.csv");
        let columns: Vec<String> = Category::ALL
            .map(name_column)
            .into_iter()
            .chain(Category::ALL.map(here_column))
            .collect();
        let row = [&[first][..], &["0.1"; 11]].concat().join(",");
        std::fs::write(&data, format!("{}\n{row}\n", columns.join(","))).unwrap();
        let request = Request {
            rows: rows::Request {
                data,
                ..rows::Request::default()
            },
            decision: None,
            reference: "white".to_owned(),
            confidence: 0.95,
        };
        let error = examine(&request, &|_| ()).unwrap_err().to_string();
        assert!(
            error.contains(want) && !error.contains("DATA"),
            "{error}, and not {want}"
        );
    }

    #[test]
    fn nobody_estimated_is_an_error() {
        check("", "nobody's category can be estimated");
    }

    #[test]
    fn a_negative_share_is_an_error_of_its_column() {
        check("-0.1", "row 1 has `-0.1`");
    }
}
