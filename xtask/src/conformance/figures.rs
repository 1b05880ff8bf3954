//! The figures of `examples/recidivism` against the reference of the same rows.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::read_json;
use crate::{Scratch, alnager};

/// Largest difference of two figures that agree, as a share of the larger one.
const TOLERANCE: f64 = 1e-9;

/// Largest figure that agrees with an expected zero, of which no share can be taken. Rates, ratios and
/// differences are of order one; the tail probabilities that come near this size are never exactly zero.
const ZERO: f64 = 1e-12;

/// Members that say where the reference comes from, not what it found.
const PROVENANCE: [&str; 3] = ["case", "versions", "conventions"];

/// Compares a new review's figures and prints what was found; returns the number that differ.
pub(super) fn compas(root: &Path, shared: &Path) -> Result<usize> {
    let expected = read_json(&shared.join("reference/fairness/compas/expected.json"))?;
    let review = review(root)?;
    let figures = review
        .get("figures")
        .context("the review's JSON has no member `figures`")?;

    let mut tally = Tally::default();
    compare("", figures, &expected, &mut tally);
    println!(
        "figures: {} compared, {} differ; {} of the reference not among ours, {} of ours not in the reference",
        tally.n_compared,
        tally.differences.len(),
        tally.n_lacking,
        tally.n_own
    );
    for difference in &tally.differences {
        println!("  {difference}");
    }
    ensure!(
        tally.n_compared > 0,
        "no figure was compared; is `figures` in the shape of the reference?"
    );
    Ok(tally.differences.len())
}

/// The JSON of `alnager review examples/recidivism` on a new desk.
fn review(root: &Path) -> Result<Value> {
    let scratch = Scratch::new("conformance")?;
    let mut command = Command::new(alnager(root)?);
    command.current_dir(root).stdin(Stdio::null());
    command.args([
        "review",
        "examples/recidivism",
        "--format",
        "json",
        "--desk",
    ]);
    command
        .arg(scratch.0.join("desk"))
        .arg("--out")
        .arg(scratch.0.join("out"));
    let output = command.output().context("cannot start `alnager`")?;
    // 0 clear, 1 hold, 3 undecided: whatever the verdict, the figures are there.
    if !matches!(output.status.code(), Some(0 | 1 | 3)) {
        bail!(
            "`alnager review` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout)
        .context("`alnager review --format json` did not print JSON")
}

/// What a comparison found.
#[derive(Default)]
struct Tally {
    n_compared: usize,
    /// Figures of the reference that we do not have.
    n_lacking: usize,
    /// Figures of ours that the reference does not have.
    n_own: usize,
    differences: Vec<String>,
}

/// Walks both trees side by side; `path` says where.
fn compare(path: &str, ours: &Value, expected: &Value, tally: &mut Tally) {
    match (ours, expected) {
        (Value::Object(ours), Value::Object(expected)) => {
            for (key, value) in expected {
                if path.is_empty() && PROVENANCE.contains(&key.as_str()) {
                    continue;
                }
                match ours.get(key) {
                    Some(own) => compare(&format!("{path}/{key}"), own, value, tally),
                    None => tally.n_lacking += n_leaves(value),
                }
            }
            let own = ours.iter().filter(|(key, _)| !expected.contains_key(*key));
            tally.n_own += own.map(|(_, value)| n_leaves(value)).sum::<usize>();
        }
        (Value::Array(ours), Value::Array(expected)) if ours.len() == expected.len() => {
            for (index, (own, value)) in ours.iter().zip(expected).enumerate() {
                compare(&format!("{path}/{index}"), own, value, tally);
            }
        }
        _ => {
            tally.n_compared += 1;
            if !agree(ours, expected) {
                tally
                    .differences
                    .push(format!("{path}: {ours}, expected {expected}"));
            }
        }
    }
}

fn n_leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(n_leaves).sum(),
        Value::Array(items) => items.iter().map(n_leaves).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

fn agree(ours: &Value, expected: &Value) -> bool {
    match (ours.as_f64(), expected.as_f64()) {
        (Some(ours), Some(0.0)) => ours.abs() <= ZERO,
        (Some(ours), Some(expected)) => {
            (ours - expected).abs() <= TOLERANCE * ours.abs().max(expected.abs())
        }
        _ => ours == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `want`: compared, lacking, own, different.
    #[track_caller]
    fn check(ours: Value, expected: Value, want: [usize; 4]) {
        let mut tally = Tally::default();
        compare("", &ours, &expected, &mut tally);
        let found = [
            tally.n_compared,
            tally.n_lacking,
            tally.n_own,
            tally.differences.len(),
        ];
        assert_eq!(found, want, "{ours} {expected} {:?}", tally.differences);
    }

    #[test]
    fn a_figure_agrees_to_nine_digits_of_its_own_size() {
        check(
            json!({"a": 1.000_000_000_5}),
            json!({"a": 1.0}),
            [1, 0, 0, 0],
        );
        check(json!({"a": 1.000_000_002}), json!({"a": 1.0}), [1, 0, 0, 1]);
        check(json!({"a": 1.1e-77}), json!({"a": 1.0e-77}), [1, 0, 0, 1]);
        check(json!({"a": 0.0}), json!({"a": 1.0e-77}), [1, 0, 0, 1]);
        check(json!({"a": 1e-17}), json!({"a": 0.0}), [1, 0, 0, 0]);
        check(json!({"a": 1e-9}), json!({"a": 0}), [1, 0, 0, 1]);
        check(json!({"a": 3}), json!({"a": 3.0}), [1, 0, 0, 0]);
    }

    #[test]
    fn unknown_is_not_zero() {
        check(json!({"a": null}), json!({"a": null}), [1, 0, 0, 0]);
        check(json!({"a": 0.0}), json!({"a": null}), [1, 0, 0, 1]);
        check(json!({"a": null}), json!({"a": [0.0, 1.0]}), [1, 0, 0, 1]);
    }

    #[test]
    fn what_only_one_side_has_is_counted_and_not_compared() {
        check(
            json!({"a": 1}),
            json!({"a": 1, "b": {"c": 1, "d": [1, 2]}}),
            [1, 3, 0, 0],
        );
        check(json!({"a": 1, "b": [1, 2]}), json!({"a": 1}), [1, 0, 2, 0]);
    }

    #[test]
    fn intervals_and_words_are_compared() {
        check(
            json!({"a": [0.1, 0.2]}),
            json!({"a": [0.1, 0.3]}),
            [2, 0, 0, 1],
        );
        check(json!({"a": [0.1]}), json!({"a": [0.1, 0.3]}), [1, 0, 0, 1]);
        check(
            json!({"a": "Male", "b": true}),
            json!({"a": "Male", "b": false}),
            [2, 0, 0, 1],
        );
    }

    #[test]
    fn where_the_reference_comes_from_is_not_a_figure() {
        check(
            json!({"case": "a", "rows": 1}),
            json!({"case": "b", "rows": 1}),
            [1, 0, 0, 0],
        );
    }
}
