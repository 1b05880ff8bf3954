//! A search for less discriminatory alternatives.

use std::path::PathBuf;

use alnager_audit::alternatives::{self, Rows, SearchError, Settings, Worth};
use alnager_audit::reweighing;
use alnager_probe::{Progress, Unit};
use serde_json::{Value, json};

use super::rows::{self, mistake};
use crate::error::JobError;
use crate::files::{read_text, refuse_existing, write_whole};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The column of the score in use.
    pub score: String,
    /// Other models: a name and a column of scores.
    pub candidates: Vec<(String, String)>,
    /// The column of the label and the value that counts as 1.
    pub label: (String, String),
    /// The protected attribute, or several joined by `*`.
    pub attribute: String,
    /// Where weights that make group and label independent go, a new file.
    pub reweigh: Option<PathBuf>,
    /// What is searched, and how it is judged.
    pub settings: Settings,
}

/// What weights by group mean.
const WEIGHTS_WARNING: &str = "The reweighing weights depend on the group. They treat the training rows, not the people decided about, but a court may see disparate treatment in them: \
    have counsel look before a model is trained with them. Audit the model that comes out, as a candidate of a new search.";

/// Reads, searches, and writes the weights where that is asked.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    if let Some(path) = &request.reweigh {
        refuse_existing(path)?;
    }
    let texts = [request.attribute.as_str(), request.label.0.as_str()];
    let mut numbers = vec![request.score.as_str()];
    numbers.extend(request.candidates.iter().map(|(_, column)| column.as_str()));
    let mut rows = rows::read(&request.rows, &texts, &numbers, progress)?;
    let values = std::mem::take(&mut rows.numbers);
    let [groups, labels] = rows.texts.as_slice() else {
        return Err(mistake());
    };
    rows.check_few(groups)?;
    rows.check_two("--label", labels)?;
    rows.check_value("--label-positive", labels, &request.label.1)?;
    let positive = labels.position(&request.label.1);
    let labelled: Vec<Option<bool>> = (0..labels.n_rows())
        .map(|row| labels.at(row).map(|at| Some(at) == positive))
        .collect();
    let names = std::iter::once(request.score.clone());
    let names = names.chain(request.candidates.iter().map(|(name, _)| name.clone()));
    let scores: Vec<(String, Vec<f64>)> = names.zip(values).collect();
    let searched = Rows {
        groups,
        labels: &labelled,
        scores: &scores,
    };
    let figures = alternatives::search(searched, &request.settings, &|done, total| {
        progress(Progress {
            done: done as u64,
            total: total as u64,
            unit: Unit::Steps,
        });
    });
    let mut figures = figures.map_err(|error| match error {
        SearchError::Groups { .. } => rows.wrong("--attr", groups.column(), &error.to_string()),
        SearchError::Cutoff => rows.wrong("--cutoff", &request.score, &error.to_string()),
        SearchError::Uneven => mistake(),
    })?;
    let weighed = match &request.reweigh {
        Some(path) => {
            let (cells, n_left_out) = reweighing::cells(groups, labels).ok_or_else(mistake)?;
            write_whole(path, reweighing::csv(groups, labels, &cells).as_bytes())?;
            json!({
                "file": path.display().to_string(),
                "figures": reweighing::figures(groups, labels, &cells, n_left_out),
                "warning": WEIGHTS_WARNING,
            })
        }
        None => Value::Null,
    };
    if let Some(figures) = figures.as_object_mut() {
        figures.insert(
            "label".to_owned(),
            json!({"column": request.label.0, "positive": request.label.1}),
        );
        figures.insert(
            "candidates".to_owned(),
            request
                .candidates
                .iter()
                .map(|(name, column)| json!({"name": name, "column": column}))
                .collect(),
        );
        figures.insert("reweighing".to_owned(), weighed);
    }
    Ok(rows.stamped(figures))
}

/// The table of costs in a TOML file: `true_positive`, `false_positive`, `true_negative` and `false_negative`, each what one such
/// decision is worth.
pub fn worth(path: &std::path::Path) -> Result<Worth, JobError> {
    const MEMBERS: [&str; 4] = [
        "true_positive",
        "false_positive",
        "true_negative",
        "false_negative",
    ];
    let text = read_text(path)?;
    let wrong = |problem: &str| JobError::Input(format!("--costs: {}: {problem}", path.display()));
    let table: toml_edit::DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| wrong(&error.to_string()))?;
    if let Some((name, _)) = table.iter().find(|(name, _)| !MEMBERS.contains(name)) {
        return Err(wrong(&format!(
            "`{name}` is not known; there are {}",
            MEMBERS.join(", ")
        )));
    }
    let mut values = [0.0; 4];
    for (value, name) in values.iter_mut().zip(MEMBERS) {
        let item = table.get(name).ok_or_else(|| {
            wrong(&format!(
                "`{name}` is missing; say what one such decision is worth, 0 if nothing"
            ))
        })?;
        let number = item
            .as_float()
            .or_else(|| item.as_integer().map(|number| number as f64));
        *value = number
            .filter(|number| number.is_finite())
            .ok_or_else(|| wrong(&format!("`{name}` is no number")))?;
    }
    let [true_positive, false_positive, true_negative, false_negative] = values;
    Ok(Worth {
        true_positive,
        false_positive,
        true_negative,
        false_negative,
    })
}
