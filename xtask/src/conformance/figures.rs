//! The figures of `examples/recidivism` against the reference of the same rows.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::read_json;
use crate::{Scratch, alnager};

/// Members that say where the reference comes from, not what it found.
pub(super) const PROVENANCE: [&str; 3] = ["case", "versions", "conventions"];

/// Compares a new review's figures and prints what was found; returns the number that differ.
pub(super) fn compas(root: &Path, shared: &Path) -> Result<usize> {
    let expected = read_json(&shared.join("reference/fairness/compas/expected.json"))?;
    let review = review(root)?;
    let figures = review
        .get("figures")
        .context("the review's JSON has no member `figures`")?;

    let mut tally = Tally::default();
    compare("", figures, &expected, &REVIEW, &mut tally);
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

/// A review prints what it seals, which is less than the reference holds: what it lacks is counted and is no difference.
const REVIEW: Rules = Rules {
    relative: &|_| TOLERANCE,
    absolute: ZERO,
    rounded: 0.0,
    provenance: &PROVENANCE,
    known_wrong: &[],
    must_have_all: false,
};

/// Largest difference of two figures that agree, as a share of the larger one.
pub(super) const TOLERANCE: f64 = 1e-9;

/// Largest figure that agrees with an expected zero, of which no share can be taken. Rates, ratios and
/// differences are of order one; the tail probabilities that come near this size are never exactly zero.
pub(super) const ZERO: f64 = 1e-12;

/// Largest end of an interval that agrees with our zero: the lower end of a share of nobody is exactly 0, where the reference's
/// formula leaves what rounding left over. Tail probabilities, which may be this small in earnest, are never ends.
const END: f64 = 1e-15;

/// A probability below this has few digits or none left in an `f64`; its logarithm is compared.
const P_MIN: f64 = 1e-300;

/// Largest difference of two decimal logarithms that agree, as a share of the larger one.
const LOG_TOLERANCE: f64 = 1e-6;

/// What agrees.
pub(super) struct Rules<'a> {
    /// Largest difference as a share of the larger figure, by path.
    pub(super) relative: &'a dyn Fn(&str) -> f64,
    /// Largest figure that agrees with an expected zero.
    pub(super) absolute: f64,
    /// Largest difference that agrees whatever the size; above 0 only where the reference is printed rounded.
    pub(super) rounded: f64,
    /// Members at the top that say where the reference comes from, not what it found.
    pub(super) provenance: &'a [&'a str],
    /// Values of the reference that are known to be wrong.
    pub(super) known_wrong: &'a [KnownWrong<'a>],
    /// Whether a value of the reference that is not among ours is a difference; an expected null may be missing.
    pub(super) must_have_all: bool,
}

/// A value of the reference that is known to be wrong.
pub(super) struct KnownWrong<'a> {
    /// Where.
    pub(super) path: &'a str,
    /// What the reference says, so that a corrected reference is noticed.
    pub(super) expected: f64,
    /// What is right, and ours.
    pub(super) exact: f64,
}

/// What a comparison found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) n_compared: usize,
    /// Figures of the reference that we do not have.
    pub(super) n_lacking: usize,
    /// Figures of ours that the reference does not have.
    pub(super) n_own: usize,
    /// Values of the reference known to be wrong, where ours is the exact one.
    pub(super) n_known_wrong: usize,
    pub(super) differences: Vec<String>,
}

/// Walks both trees side by side; `path` says where.
pub(super) fn compare(
    path: &str,
    ours: &Value,
    expected: &Value,
    rules: &Rules,
    tally: &mut Tally,
) {
    match (ours, expected) {
        (Value::Object(ours), Value::Object(expected)) => {
            for (key, value) in expected {
                if path.is_empty() && rules.provenance.contains(&key.as_str()) {
                    continue;
                }
                let path = format!("{path}/{key}");
                match ours.get(key) {
                    Some(own) if is_underflow(value, key) => {
                        tally.n_compared += 1;
                        if !agree_in_logarithm(own, log10_beside(ours, key), value) {
                            tally.differ(&path, own, value);
                        }
                    }
                    Some(own) => compare(&path, own, value, rules, tally),
                    None => {
                        let n_lacking = n_leaves(value);
                        tally.n_lacking += n_lacking;
                        if rules.must_have_all && !value.is_null() && n_lacking > 0 {
                            tally.differences.push(format!("{path}: lacking"));
                        }
                    }
                }
            }
            let own = ours.iter().filter(|(key, _)| !expected.contains_key(*key));
            tally.n_own += own.map(|(_, value)| n_leaves(value)).sum::<usize>();
        }
        (Value::Array(ours), Value::Array(expected)) if ours.len() == expected.len() => {
            for (index, (own, value)) in ours.iter().zip(expected).enumerate() {
                compare(&format!("{path}/{index}"), own, value, rules, tally);
            }
        }
        _ => match rules.known_wrong.iter().find(|known| known.path == path) {
            Some(known) if expected.as_f64() == Some(known.expected) => {
                tally.n_known_wrong += 1;
                if !agree(ours, &known.exact.into(), path, rules) {
                    tally.differ(path, ours, &known.exact.into());
                }
            }
            Some(_) | None => {
                tally.n_compared += 1;
                if !agree(ours, expected, path, rules) {
                    tally.differ(path, ours, expected);
                }
            }
        },
    }
}

impl Tally {
    fn differ(&mut self, path: &str, ours: &Value, expected: &Value) {
        self.differences
            .push(format!("{path}: {ours}, expected {expected}"));
    }
}

fn n_leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(n_leaves).sum(),
        Value::Array(items) => items.iter().map(n_leaves).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// Whether an expected value is a probability too small to be compared itself.
fn is_underflow(expected: &Value, key: &str) -> bool {
    let is_probability = key == "p" || key.ends_with("_p") || key.contains("_p_");
    is_probability && expected.as_f64().is_some_and(|p| p.abs() < P_MIN)
}

/// The decimal logarithm we print beside a probability.
fn log10_beside(ours: &serde_json::Map<String, Value>, key: &str) -> Option<f64> {
    // `chi2_log10_p` of `chi2_p`, `fisher_log10_p_less` of `fisher_p_less`, `ks_log10_p` of `ks_p_asymp`.
    let (stem, kind) = match key.split_once("_p_") {
        Some((stem, "asymp")) => (stem, String::new()),
        Some((stem, kind)) => (stem, format!("_{kind}")),
        None => (key.strip_suffix("_p")?, String::new()),
    };
    ours.get(&format!("{stem}_log10_p{kind}"))?.as_f64()
}

/// An expected zero asks for a probability as small as that; any other for the same logarithm.
fn agree_in_logarithm(ours: &Value, log10: Option<f64>, expected: &Value) -> bool {
    let ours = match log10 {
        Some(log10) => log10,
        None => match ours.as_f64() {
            Some(p) if (0.0..=1.0).contains(&p) => p.log10(),
            Some(_) | None => return false,
        },
    };
    match expected.as_f64() {
        // The smallest double is 4.9e-324.
        Some(0.0) => ours < -300.0,
        Some(p) => (ours - p.log10()).abs() <= LOG_TOLERANCE * ours.abs(),
        None => false,
    }
}

fn agree(ours: &Value, expected: &Value, path: &str, rules: &Rules) -> bool {
    match (ours.as_f64(), expected.as_f64()) {
        (Some(ours), Some(0.0)) => ours.abs() <= rules.absolute.max(rules.rounded),
        (Some(0.0), Some(expected)) if is_end(path) => expected.abs() <= END,
        (Some(ours), Some(expected)) => {
            let relative = (rules.relative)(path) * ours.abs().max(expected.abs());
            (ours - expected).abs() <= relative.max(rules.rounded)
        }
        _ => ours == expected,
    }
}

/// Whether a path leads to an end of an interval.
fn is_end(path: &str) -> bool {
    path.ends_with("/0") || path.ends_with("/1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `want`: compared, lacking, own, different.
    #[track_caller]
    fn check(ours: Value, expected: Value, want: [usize; 4]) {
        let mut tally = Tally::default();
        compare("", &ours, &expected, &REVIEW, &mut tally);
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
    fn a_zero_end_agrees_with_what_rounding_left_over() {
        check(json!([0.0, 0.1]), json!([1e-17, 0.1]), [2, 0, 0, 0]);
        check(json!([0.0, 0.1]), json!([1e-12, 0.1]), [2, 0, 0, 1]);
    }

    #[test]
    fn where_the_reference_comes_from_is_not_a_figure() {
        check(
            json!({"case": "a", "rows": 1}),
            json!({"case": "b", "rows": 1}),
            [1, 0, 0, 0],
        );
    }

    /// How many differ where all must be there.
    #[track_caller]
    fn check_all(ours: Value, expected: Value, known_wrong: &[KnownWrong], want: [usize; 3]) {
        let rules = Rules {
            must_have_all: true,
            known_wrong,
            ..REVIEW
        };
        let mut tally = Tally::default();
        compare("", &ours, &expected, &rules, &mut tally);
        let found = [
            tally.n_compared,
            tally.n_known_wrong,
            tally.differences.len(),
        ];
        assert_eq!(found, want, "{ours} {expected} {:?}", tally.differences);
    }

    #[test]
    fn what_the_reference_has_must_be_there_unless_it_is_undefined() {
        check_all(
            json!({}),
            json!({"a": 1, "b": null, "c": {}}),
            &[],
            [0, 0, 1],
        );
    }

    #[test]
    fn a_probability_that_underflows_is_compared_by_its_logarithm() {
        let tiny = json!({"cmh_p": 1e-310});
        check_all(
            json!({"cmh_p": 0.0, "cmh_log10_p": -310.0}),
            tiny.clone(),
            &[],
            [1, 0, 0],
        );
        check_all(
            json!({"cmh_p": 0.0, "cmh_log10_p": -311.0}),
            tiny.clone(),
            &[],
            [1, 0, 1],
        );
        check_all(json!({"cmh_p": 1e-310}), tiny.clone(), &[], [1, 0, 0]);
        for (key, log10) in [
            ("fisher_p_less", "fisher_log10_p_less"),
            ("ks_p_asymp", "ks_log10_p"),
        ] {
            check_all(
                json!({key: 0.0, log10: -310.0}),
                json!({key: 1e-310}),
                &[],
                [1, 0, 0],
            );
        }
        check_all(json!({"cmh_p": null}), tiny, &[], [1, 0, 1]);
        check_all(
            json!({"welch_p": 1e-290}),
            json!({"welch_p": 0.0}),
            &[],
            [1, 0, 1],
        );
        check_all(
            json!({"welch_p": 0.0}),
            json!({"welch_p": 0.0}),
            &[],
            [1, 0, 0],
        );
    }

    #[test]
    fn a_value_known_to_be_wrong_is_held_against_the_exact_one() {
        let known = [KnownWrong {
            path: "/0/midp",
            expected: 0.5,
            exact: 0.25,
        }];
        check_all(
            json!([{"midp": 0.25}]),
            json!([{"midp": 0.5}]),
            &known,
            [0, 1, 0],
        );
        check_all(
            json!([{"midp": 0.5}]),
            json!([{"midp": 0.5}]),
            &known,
            [0, 1, 1],
        );
        // A corrected reference is compared as any other.
        check_all(
            json!([{"midp": 0.25}]),
            json!([{"midp": 0.25}]),
            &known,
            [1, 0, 0],
        );
    }
}
