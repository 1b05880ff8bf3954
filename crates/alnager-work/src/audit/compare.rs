//! Two audits, or two sets of rows, side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alnager_audit::comparison::{self, Group, Settings, Side};
use alnager_probe::Progress;
use alnager_stats::confusion::Confusion;
use serde_json::{Value, json};

use super::rows::{self, Outcome, mistake};
use crate::error::JobError;
use crate::files::read_text;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The first audit or rows; what holds for both sets of rows.
    pub rows: rows::Request,
    /// The second.
    pub other: PathBuf,
    /// The column of decisions and its favourable value; needed for rows.
    pub decision: Option<(String, String)>,
    /// The value of the decision that counts as 1, where it is not plain from the favourable one.
    pub positive: Option<String>,
    /// The column of the label and the value that counts as 1.
    pub label: Option<(String, String)>,
    /// Protected attributes, each with its reference group where one is declared.
    pub attributes: Vec<(String, Option<String>)>,
    /// Levels, margins and sizes.
    pub settings: Settings,
}

/// Reads both sides and compares them.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let (mut a, of_a) = side(request, &request.rows.data, progress)?;
    let (mut b, of_b) = side(request, &request.other, progress)?;
    for (attribute, reference) in &request.attributes {
        for side in [&mut a, &mut b] {
            let Some((own, groups)) = side.attributes.get_mut(attribute) else {
                continue;
            };
            if let Some(reference) = reference {
                if !groups.contains_key(reference) {
                    let names: Vec<&str> = groups.keys().map(String::as_str).collect();
                    return Err(JobError::Input(format!(
                        "--ref: {}, attribute `{attribute}`: no group `{reference}`; there are {}",
                        side.name,
                        names.join(", ")
                    )));
                }
                *own = Some(reference.clone());
            }
        }
    }
    let mut figures = comparison::figures(&a, &b, request.settings)
        .map_err(|error| JobError::Input(format!("{} and {}: {error}", a.name, b.name)))?;
    if let Some(figures) = figures.as_object_mut() {
        figures.insert("a_read".to_owned(), of_a);
        figures.insert("b_read".to_owned(), of_b);
    }
    Ok(figures)
}

/// One side, and the stamp of what was read.
fn side(
    request: &Request,
    path: &Path,
    progress: &dyn Fn(Progress),
) -> Result<(Side, Value), JobError> {
    let name = path.display().to_string();
    if let Some(audit) = audit_in(path)? {
        let side = Side::of_audit(&name, &audit)
            .map_err(|error| JobError::Input(format!("{name}: {error}")))?;
        return Ok((side, audit["data"].clone()));
    }
    let (decision, favourable) = request.decision.as_ref().ok_or_else(|| {
        JobError::Input(format!(
            "--decision: {name} is no audit in JSON but rows; name --decision, --favorable and --attr, or give the output of `alnager audit fairness --format json`"
        ))
    })?;
    let mut columns = vec![decision.as_str()];
    columns.extend(request.label.iter().map(|(column, _)| column.as_str()));
    columns.extend(request.attributes.iter().map(|(column, _)| column.as_str()));
    let rows = rows::Request {
        data: path.to_owned(),
        ..request.rows.clone()
    };
    let rows = rows::read(&rows, &columns, &[], progress)?;
    let (decisions, rest) = rows.texts.split_first().ok_or_else(mistake)?;
    let n_labels = usize::from(request.label.is_some());
    let (labels, attributes) = rest.split_at_checked(n_labels).ok_or_else(mistake)?;
    let outcome = Outcome::new(favourable, request.positive.as_deref());
    rows.check_two("--decision", decisions)?;
    rows.check_value("--favorable", decisions, favourable)?;
    for labels in labels {
        rows.check_two("--label", labels)?;
    }
    let mut side = Side {
        name,
        sha256: rows.data.sha256.clone(),
        favourable: u8::from(outcome.is_favourable),
        attributes: BTreeMap::new(),
    };
    for groups in attributes {
        rows.check_few(groups)?;
        let mut counted: BTreeMap<String, Group> = BTreeMap::new();
        for row in 0..groups.n_rows() {
            let (Some(group), Some(decided)) = (groups.at(row), decisions.at(row)) else {
                continue;
            };
            let is_decided = decisions.values()[decided] == outcome.event;
            let group = counted.entry(groups.values()[group].clone()).or_default();
            group.n += 1;
            group.n_decided += u64::from(is_decided);
            if let (Some((_, positive)), Some(labels)) = (&request.label, labels.first()) {
                let counts = group.confusion.get_or_insert(Confusion {
                    tp: 0,
                    fp: 0,
                    tn: 0,
                    fn_: 0,
                });
                match labels.at(row).map(|at| labels.values()[at] == *positive) {
                    Some(true) if is_decided => counts.tp += 1,
                    Some(true) => counts.fn_ += 1,
                    Some(false) if is_decided => counts.fp += 1,
                    Some(false) => counts.tn += 1,
                    None => {}
                }
            }
        }
        let reference = highest(&counted, side.favourable, request.settings.min_group);
        side.attributes
            .insert(groups.column().to_owned(), (reference, counted));
    }
    let stamp = rows.stamped(json!({}));
    Ok((side, stamp))
}

/// The group with the highest favourable rate among those large enough, the first by name where several have it.
fn highest(groups: &BTreeMap<String, Group>, favourable: u8, n_min: u64) -> Option<String> {
    let rate = |group: &Group| {
        let decided = group.n_decided as f64 / group.n as f64;
        if favourable == 1 {
            decided
        } else {
            1.0 - decided
        }
    };
    let large = groups.iter().filter(|(_, group)| group.n >= n_min.max(1));
    // The last of equals wins in `max_by`, so the order is turned.
    let best = large
        .rev()
        .max_by(|one, other| rate(one.1).total_cmp(&rate(other.1)));
    best.map(|(name, _)| name.clone())
}

/// The audit in a file of JSON; `None` where the file holds something else.
fn audit_in(path: &Path) -> Result<Option<Value>, JobError> {
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    if !is_json || path.is_dir() {
        return Ok(None);
    }
    let Ok(document) = serde_json::from_str::<Value>(&read_text(path)?) else {
        // Rows, one JSON object a line.
        return Ok(None);
    };
    Ok((document["schema"] == "alnager.fairness/1").then_some(document))
}
