//! Fair lending: raw gaps beside gaps with other factors held fixed.

use alnager_audit::factor::Factor;
use alnager_audit::lending::{self, Asked};
use alnager_audit::texts::{Texts, complete};
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, Outcome, Rows, mistake, take_reference};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of the decision.
    pub outcome: String,
    /// The decision that is good for the person.
    pub favourable: String,
    /// The decision that is modelled; `None` for 1, or for the favourable one where that is neither 0 nor 1.
    pub positive: Option<String>,
    /// The protected attributes.
    pub protected: Vec<String>,
    /// The reference group of each, such as (`race`, `White`); one whose values are 0 and 1 needs none.
    pub references: Vec<(String, String)>,
    /// The other factors.
    pub controls: Vec<String>,
    /// Columns of numbers that are categories all the same.
    pub categories: Vec<String>,
    /// The confidence of every interval.
    pub confidence: f64,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let mut columns = vec![request.outcome.as_str()];
    columns.extend(request.protected.iter().map(String::as_str));
    columns.extend(request.controls.iter().map(String::as_str));
    let rows = rows::read(&request.rows, &columns, &[], progress)?;
    let (outcome, factors) = rows.texts.split_first().ok_or_else(mistake)?;
    let (protected, controls) = factors.split_at(request.protected.len());
    let event = Outcome::new(&request.favourable, request.positive.as_deref());
    event.check(&rows, "--outcome", outcome, &request.favourable)?;
    let keep = complete(outcome.n_rows(), &rows.texts.iter().collect::<Vec<_>>());
    let mut references = request.references.clone();
    let mut coded = Vec::new();
    for texts in protected {
        rows.check_few(texts)?;
        coded.push(protected_factor(
            &rows,
            texts,
            &keep,
            take_reference(&mut references, texts.column()),
        )?);
    }
    if let Some((column, _)) = references.first() {
        let problem = format!(
            "`{column}` is not among the protected attributes; those are {}",
            request.protected.join(", ")
        );
        return Err(JobError::Input(format!("--ref: {problem}")));
    }
    let controls: Vec<Factor> = controls
        .iter()
        .map(|texts| rows.factor("--controls", texts, &keep, &request.categories))
        .collect::<Result<_, _>>()?;
    let is_event = outcome.position(&event.event);
    let kept: Vec<bool> = (0..outcome.n_rows())
        .filter(|row| keep[*row])
        .map(|row| outcome.at(row) == is_event)
        .collect();
    let asked = Asked {
        outcome_name: &request.outcome,
        event: &event.event,
        event_is_favourable: event.is_favourable,
        outcome: &kept,
        protected: &coded,
        controls: &controls,
        n_left_out: (outcome.n_rows() - kept.len()) as u64,
        confidence: request.confidence,
    };
    let figures = lending::figures(&asked).map_err(|error| rows.unfit(&error))?;
    Ok(rows.stamped(figures))
}

/// A protected attribute: a column of 0 and 1 as it is, else its groups against the reference.
fn protected_factor(
    rows: &Rows,
    texts: &Texts,
    keep: &[bool],
    reference: Option<String>,
) -> Result<Factor, JobError> {
    let kept = texts.kept(keep);
    let factor = match reference {
        Some(reference) => {
            rows.check_value("--ref", texts, &reference)?;
            Factor::categories(&kept, &reference)
        }
        None if texts.values() == ["0", "1"] => Factor::of(&kept),
        None => {
            let problem = format!(
                "the values are {}; name the group compared with, such as --ref '{}={}'",
                alnager_audit::factor::listed(texts.values()),
                texts.column(),
                texts.values().last().map_or("", String::as_str)
            );
            return Err(rows.wrong("--ref", texts.column(), &problem));
        }
    };
    factor.map_err(|error| rows.no_factor("--protected", &error))
}
