//! Predicted numbers beside what came true, by group.

use alnager_audit::numeric::{self, Asked};
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of predictions.
    pub predicted: String,
    /// The column of what came true.
    pub actual: String,
    /// The protected attribute, or several joined by `*`.
    pub attribute: String,
    /// The group compared with.
    pub reference: String,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let numbers = [request.predicted.as_str(), &request.actual];
    let rows = rows::read(&request.rows, &[&request.attribute], &numbers, progress)?;
    let ([groups], [predicted, actual]) = (rows.texts.as_slice(), rows.numbers.as_slice()) else {
        return Err(mistake());
    };
    rows.check_value("--ref", groups, &request.reference)?;
    let asked = Asked {
        predicted,
        actual,
        groups,
        reference: &request.reference,
    };
    let figures = numeric::figures(&asked).ok_or_else(mistake)?;
    Ok(rows.stamped(figures))
}
