//! Weights that make group and label independent.

use std::path::PathBuf;

use alnager_audit::reweighing;
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, mistake};
use crate::error::JobError;
use crate::files::{refuse_existing, write_whole};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of the label.
    pub label: String,
    /// The protected attribute, or several joined by `*`.
    pub attribute: String,
    /// Where the weights go as comma-separated text, a new file.
    pub out: Option<PathBuf>,
}

/// Reads, computes, and writes the weights where that is asked.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    if let Some(path) = &request.out {
        refuse_existing(path)?;
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_data_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("rows.csv");
        let text = "sex,hired\nF,yes\nM,no\nM,yes\n";
        std::fs::write(&data, text).unwrap();
        let request = |out: PathBuf| Request {
            rows: rows::Request {
                data: data.clone(),
                ..rows::Request::default()
            },
            label: "hired".to_owned(),
            attribute: "sex".to_owned(),
            out: Some(out),
        };
        let error = examine(&request(data.clone()), &|_| ()).unwrap_err();
        assert!(error.to_string().contains("rows.csv"), "{error}");
        assert_eq!(std::fs::read_to_string(&data).unwrap(), text);
        let weights = folder.path().join("weights.csv");
        examine(&request(weights.clone()), &|_| ()).unwrap();
        assert!(weights.exists());
        assert!(examine(&request(weights), &|_| ()).is_err());
    }
}
