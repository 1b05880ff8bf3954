//! The other kinds of audit, one command each. What a command is asked is read from what the reference expects.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, EXACT, compared, names, text, texts};
use crate::conformance::figures::{Rules, TOLERANCE, Tally};

/// Largest difference of figures that follow from a fitted model, as a share: both sides stop where their own step is small.
const FITTED: f64 = 1e-6;

/// Largest difference of estimates by surname and place. The reference prints inputs and estimates with eight decimals, each
/// rounded by up to 5e-9, and the estimate is a ratio of their products.
const ROUNDED: f64 = 3e-8;

pub(super) fn classes(bench: &Bench, expected: &Value) -> Result<Tally> {
    let data = bench.data("compas", "data.csv")?;
    let attribute = text(expected, "attr")?;
    let reference = format!("{attribute}={}", text(expected, "reference")?);
    let order = texts(expected, "order")?.join(",");
    let category = text(expected, "category")?;
    let ours = bench.audit(&[
        "classes",
        &data,
        "--category",
        category,
        "--attr",
        attribute,
        "--ref",
        &reference,
        "--order",
        &order,
    ])?;
    compared(
        &ours,
        expected,
        &Rules {
            provenance: &["data"],
            ..EXACT
        },
    )
}

pub(super) fn numeric(bench: &Bench, expected: &Value) -> Result<Tally> {
    let data = bench.data("regression_law_school", "data.parquet")?;
    let attribute = text(expected, "attr")?;
    let reference = format!("{attribute}={}", text(expected, "reference")?);
    let ours = bench.audit(&[
        "numeric",
        &data,
        "--predicted",
        "y_pred",
        "--actual",
        "y_true",
        "--attr",
        attribute,
        "--ref",
        &reference,
    ])?;
    compared(
        &ours,
        expected,
        &Rules {
            provenance: &["case"],
            ..EXACT
        },
    )
}

pub(super) fn ranking(bench: &Bench, expected: &Value) -> Result<Tally> {
    let data = bench.data("law_school", "data.csv")?;
    let tops = names(expected, "skew")?.join(",");
    let attribute = text(expected, "attr")?;
    let ours = bench.audit(&[
        "ranking", &data, "--score", "score", "--id", "id", "--attr", attribute, "--top", &tops,
    ])?;
    compared(
        &ours,
        expected,
        &Rules {
            provenance: &["data"],
            ..EXACT
        },
    )
}

pub(super) fn lending(bench: &Bench, expected: &Value) -> Result<Tally> {
    let data = bench.data("fair_lending_boston_hmda", "data.csv")?;
    let (protected, controls) = (
        texts(expected, "protected")?.join(","),
        texts(expected, "controls")?.join(","),
    );
    let ours = bench.audit(&[
        "lending",
        &data,
        "--outcome",
        text(expected, "y")?,
        "--favorable",
        "0",
        "--protected",
        &protected,
        "--controls",
        &controls,
    ])?;
    // The linear regression has a closed form.
    let relative = |path: &str| {
        if path.starts_with("/lpm_ols_hc1") {
            TOLERANCE
        } else {
            FITTED
        }
    };
    compared(
        &ours,
        expected,
        &Rules {
            relative: &relative,
            provenance: &["versions", "source"],
            ..EXACT
        },
    )
}

pub(super) fn oaxaca(bench: &Bench, expected: &Value) -> Result<Tally> {
    let data = bench.data("fair_lending_boston_hmda", "data.csv")?;
    let factors = names(expected, "explained_by")?.join(",");
    let ours = bench.audit(&[
        "oaxaca",
        &data,
        "--outcome",
        "deny",
        "--protected",
        "afam",
        "--factors",
        &factors,
    ])?;
    compared(&ours, expected, &EXACT)
}

pub(super) fn reweigh(bench: &Bench, case: &str, expected: &Value) -> Result<Tally> {
    let data = bench.data(case, "data.csv")?;
    let ours = bench.audit(&[
        "reweigh",
        &data,
        "--label",
        "y_true",
        "--attr",
        text(expected, "attr")?,
    ])?;
    compared(
        &ours,
        expected,
        &Rules {
            provenance: &["data"],
            ..EXACT
        },
    )
}

/// The inputs of the reference as JSON lines; the estimates are compared.
pub(super) fn proxy(bench: &Bench, expected: &Value) -> Result<Tally> {
    let rows = expected["rows"]
        .as_array()
        .context("the reference has no list `rows`")?;
    let mut lines = String::new();
    for row in rows {
        let members = row.as_object().context("a row is no object")?;
        let inputs = members
            .iter()
            .filter(|(name, _)| !name.starts_with("bisg_"));
        let inputs: serde_json::Map<_, _> = inputs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        lines.push_str(&Value::Object(inputs).to_string());
        lines.push('\n');
    }
    let data = bench.write("people.jsonl", &lines)?;
    let ours = bench.audit(&["proxy", &data])?;
    compared(
        &ours,
        expected,
        &Rules {
            rounded: ROUNDED,
            provenance: &["source", "max_abs_diff_vs_cfpb"],
            ..EXACT
        },
    )
}
