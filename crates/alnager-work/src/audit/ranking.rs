//! Ranked lists by group.

use alnager_audit::ranking::{self, Asked, RankingError};
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of scores; the highest comes first.
    pub score: String,
    /// The column that breaks ties.
    pub id: Option<String>,
    /// The protected attribute, or several joined by `*`.
    pub attribute: String,
    /// The numbers of places looked at.
    pub tops: Vec<usize>,
    /// The confidence of every interval.
    pub confidence: f64,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let mut columns = vec![request.attribute.as_str()];
    columns.extend(request.id.as_deref());
    let rows = rows::read(&request.rows, &columns, &[&request.score], progress)?;
    let (Some(groups), [scores]) = (rows.texts.first(), rows.numbers.as_slice()) else {
        return Err(mistake());
    };
    rows.check_few(groups)?;
    let asked = Asked {
        score_name: &request.score,
        scores,
        ids: rows.texts.get(1),
        groups,
        tops: &request.tops,
        confidence: request.confidence,
    };
    let figures = ranking::figures(&asked).map_err(|error| match &error {
        RankingError::Tied { .. }
        | RankingError::SameId { .. }
        | RankingError::GroupAsId { .. }
        | RankingError::NoId { .. } => rows.wrong(
            "--id",
            request.id.as_deref().unwrap_or(&request.score),
            &error.to_string(),
        ),
        RankingError::Short { .. } => {
            JobError::Input(format!("--top: {}: {error}", rows.data.name))
        }
        RankingError::OutOfRange => mistake(),
    })?;
    Ok(rows.stamped(figures))
}
