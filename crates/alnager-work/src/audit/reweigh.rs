//! Weights that make group and label independent.

use std::path::PathBuf;

use alnager_audit::reweighing;
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, mistake};
use crate::error::JobError;
use crate::files::write_whole;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of the label.
    pub label: String,
    /// The protected attribute, or several joined by `*`.
    pub attribute: String,
    /// Where the weights go as comma-separated text.
    pub out: Option<PathBuf>,
}

/// Reads, computes, and writes the weights where that is asked.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let columns = [request.attribute.as_str(), &request.label];
    let rows = rows::read(&request.rows, &columns, &[], progress)?;
    let [groups, labels] = rows.texts.as_slice() else {
        return Err(mistake());
    };
    rows.check_few(groups)?;
    rows.check_few(labels)?;
    let (cells, n_left_out) = reweighing::cells(groups, labels).ok_or_else(mistake)?;
    if let Some(path) = &request.out {
        write_whole(path, reweighing::csv(groups, labels, &cells).as_bytes())?;
    }
    let figures = reweighing::figures(groups, labels, &cells, n_left_out);
    Ok(rows.stamped(figures))
}
