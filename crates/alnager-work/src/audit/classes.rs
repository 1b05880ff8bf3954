//! Decisions of more than two classes, by group.

use alnager_audit::classes::{self, Asked};
use alnager_audit::factor::listed;
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of classes.
    pub category: String,
    /// The protected attribute, or several joined by `*`.
    pub attribute: String,
    /// The group compared with.
    pub reference: String,
    /// The classes in their order, where they have one.
    pub order: Option<Vec<String>>,
    /// The confidence of every interval.
    pub confidence: f64,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let columns = [request.category.as_str(), &request.attribute];
    let rows = rows::read(&request.rows, &columns, &[], progress)?;
    let [classes, groups] = rows.texts.as_slice() else {
        return Err(mistake());
    };
    rows.check_few(classes)?;
    rows.check_value("--ref", groups, &request.reference)?;
    if let Some(order) = &request.order {
        let left: Vec<String> = classes
            .values()
            .iter()
            .filter(|class| !order.contains(class))
            .cloned()
            .collect();
        if !left.is_empty() {
            let problem = format!(
                "the order leaves out {}; name every class, from one end to the other",
                listed(&left)
            );
            return Err(rows.wrong("--order", classes.column(), &problem));
        }
    }
    let asked = Asked {
        classes,
        groups,
        reference: &request.reference,
        order: request.order.as_deref(),
        confidence: request.confidence,
    };
    let figures = classes::figures(&asked).ok_or_else(mistake)?;
    Ok(rows.stamped(figures))
}
