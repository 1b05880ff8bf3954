//! A gap in mean outcomes, taken apart by Oaxaca and Blinder.

use alnager_audit::factor::{Factor, listed};
use alnager_audit::oaxaca::{self, Asked};
use alnager_audit::texts::{Texts, complete};
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, Rows, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of the outcome, numbers.
    pub outcome: String,
    /// The protected attribute.
    pub protected: String,
    /// The protected group; `None` for 1, or for the other of two values.
    pub group: Option<String>,
    /// The group compared with; `None` for 0.
    pub reference: Option<String>,
    /// The factors that may explain the gap.
    pub factors: Vec<String>,
    /// Columns of numbers that are categories all the same.
    pub categories: Vec<String>,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let mut columns = vec![request.protected.as_str()];
    columns.extend(request.factors.iter().map(String::as_str));
    let rows = rows::read(&request.rows, &columns, &[&request.outcome], progress)?;
    let (Some((attribute, factors)), [outcome]) =
        (rows.texts.split_first(), rows.numbers.as_slice())
    else {
        return Err(mistake());
    };
    let [group, reference] = pair(&rows, attribute, request)?;
    let is_in = |name: &str| {
        let at = attribute.position(name);
        move |row: usize| attribute.at(row) == at
    };
    let (in_group, in_reference) = (is_in(&group), is_in(&reference));
    let mut keep = complete(outcome.len(), &rows.texts.iter().collect::<Vec<_>>());
    for (row, keep) in keep.iter_mut().enumerate() {
        *keep &= !outcome[row].is_nan() && (in_group(row) || in_reference(row));
    }
    let factors: Vec<Factor> = factors
        .iter()
        .map(|texts| rows.factor("--factors", texts, &keep, &request.categories))
        .collect::<Result<_, _>>()?;
    let kept: Vec<usize> = (0..outcome.len()).filter(|row| keep[*row]).collect();
    let values: Vec<f64> = kept.iter().map(|row| outcome[*row]).collect();
    let protected: Vec<bool> = kept.iter().map(|row| in_group(*row)).collect();
    let asked = Asked {
        outcome_name: &request.outcome,
        outcome: &values,
        attribute: &request.protected,
        groups: [&group, &reference],
        protected: &protected,
        factors: &factors,
        n_left_out: (outcome.len() - kept.len()) as u64,
    };
    let figures = oaxaca::figures(&asked).map_err(|error| rows.unfit(&error))?;
    Ok(rows.stamped(figures))
}

/// The protected group and the reference group.
fn pair(rows: &Rows, attribute: &Texts, request: &Request) -> Result<[String; 2], JobError> {
    let reference = match &request.reference {
        Some(reference) => {
            rows.check_value("--ref", attribute, reference)?;
            reference.clone()
        }
        None if attribute.values() == ["0", "1"] => "0".to_owned(),
        None => {
            let problem = format!(
                "the values are {}; name the group compared with in --ref",
                listed(attribute.values())
            );
            return Err(rows.wrong("--ref", attribute.column(), &problem));
        }
    };
    let others: Vec<String> = attribute
        .values()
        .iter()
        .filter(|value| **value != reference)
        .cloned()
        .collect();
    let group = match (&request.group, others.as_slice()) {
        (Some(group), _) => {
            rows.check_value("--group", attribute, group)?;
            group.clone()
        }
        (None, [only]) => only.clone(),
        (None, others) => {
            let problem = format!(
                "beside `{reference}` there are {}; name one in --group",
                listed(others)
            );
            return Err(rows.wrong("--group", attribute.column(), &problem));
        }
    };
    if group == reference {
        return Err(rows.wrong(
            "--group",
            attribute.column(),
            &format!("`{group}` is the reference; name another group"),
        ));
    }
    Ok([group, reference])
}
