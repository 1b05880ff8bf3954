//! Tables of decisions: `alnager audit fairness` on the rows as CSV and as Parquet.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, EXACT, compared, texts};
use crate::conformance::figures::{PROVENANCE, Rules, Tally};

/// Runs a case on both files; `case` says which attributes, references and strata.
pub(super) fn case(
    bench: &Bench,
    folder: &Path,
    case: &Value,
    expected: &Value,
) -> Result<Vec<(String, Tally)>> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let rules = Rules {
        provenance: &PROVENANCE,
        ..EXACT
    };
    let mut ran = Vec::new();
    for file in ["data.csv", "data.parquet"] {
        let arguments = arguments(bench.data(&name, file)?, case)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ours = bench.audit(&arguments)?;
        ran.push((file.to_owned(), compared(&ours, expected, &rules)?));
    }
    Ok(ran)
}

fn arguments(data: String, case: &Value) -> Result<Vec<String>> {
    let favorable = case["favorable"]
        .as_u64()
        .context("the case has no `favorable`")?;
    let mut arguments: Vec<String> = [
        "fairness",
        &data,
        "--label",
        "y_true",
        "--decision",
        "y_pred",
        "--score",
        "score",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut flag = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    flag("--favorable", favorable.to_string());
    for attribute in texts(case, "attrs")? {
        flag(
            if attribute.contains('*') {
                "--intersect"
            } else {
                "--attr"
            },
            attribute.to_owned(),
        );
    }
    for (attribute, group) in case["refs"].as_object().into_iter().flatten() {
        let group = group.as_str().context("a reference is no text")?;
        flag("--ref", format!("{attribute}={group}"));
    }
    for name in ["strata", "weight"] {
        if let Some(column) = case[name].as_str() {
            flag(&format!("--{name}"), column.to_owned());
        }
    }
    Ok(arguments)
}
