use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::matrix::Coefficient;
use crate::random::Random;

fn design(columns: &[(&str, Vec<f64>)]) -> Design {
    let mut design = Design::new(columns[0].1.len());
    for (name, column) in columns {
        design.push(name, column).expect("finite");
    }
    design
}

fn values(numbers: &str) -> Vec<f64> {
    let numbers = numbers.split_whitespace();
    numbers.map(|x| x.parse().expect("a number")).collect()
}

fn outcome(bits: &str) -> Vec<bool> {
    bits.chars().map(|bit| bit == '1').collect()
}

#[track_caller]
fn check_error(columns: &[(&str, Vec<f64>)], y: &str, want: Expect) {
    let error = fit(&design(columns), &outcome(y), None).expect_err("no fit");
    want.assert_eq(&error.to_string());
}

#[test]
fn one_category_gives_the_odds_ratio_of_the_table() {
    // 3 of 8 against 7 of 10.
    let group = design(&[("group", values("1 1 1 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0"))]);
    let fit = fit(&group, &outcome("111000001111111000"), None).expect("a fit");
    let odds: f64 = (3.0 * 3.0) / (5.0 * 7.0);
    assert!((fit.coefficients[1].value - odds.ln()).abs() < 1e-12);
    let se = (1.0 / 3.0 + 1.0 / 5.0 + 1.0 / 7.0 + 1.0 / 3.0_f64).sqrt();
    assert!((fit.coefficients[1].standard_error - se).abs() < 1e-12);
}

#[test]
fn complete_separation_is_told() {
    check_error(
        &[
            ("noise", values("3 1 4 1 5 9 2 6")),
            ("score", values("1 2 3 4 5 6 7 8")),
        ],
        "00001111",
        expect![
            "the outcome of every row (complete separation) follows without error from the columns, mostly from `score`; the model has no finite solution: leave the column out or join its categories"
        ],
    );
}

#[test]
fn quasi_complete_separation_is_told() {
    // Nobody in the group has the outcome; the others overlap.
    check_error(
        &[
            ("group", values("1 1 1 0 0 0 0 0 0 0")),
            ("noise", values("3 1 4 1 5 9 2 6 5 3")),
        ],
        "0000110101",
        expect![
            "the outcome of some rows (quasi-complete separation) follows without error from the columns, mostly from `group`; the model has no finite solution: leave the column out or join its categories"
        ],
    );
    // Only two rows on the border, in the middle of a score.
    check_error(
        &[("score", values("1 2 3 4 4 5 6 7"))],
        "00001111",
        expect![
            "the outcome of some rows (quasi-complete separation) follows without error from the columns, mostly from `score`; the model has no finite solution: leave the column out or join its categories"
        ],
    );
}

#[test]
fn almost_separated_is_no_separation() {
    let score = values("1 2 3 4 4.01 5 6 7");
    let fit = fit(&design(&[("score", score)]), &outcome("00010111"), None).expect("a fit");
    assert!(fit.coefficients[1].value > 3.0);
}

#[test]
fn one_contrary_person_among_many_is_no_separation() {
    let n = 4000;
    let group: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i < 1000))).collect();
    let y: Vec<bool> = (0..n)
        .map(|i| i == 0 || (i >= 1000 && i % 2 == 0))
        .collect();
    let fit = fit(&design(&[("group", group)]), &y, None).expect("a fit");
    let want = (1.0 / 999.0_f64).ln();
    assert!((fit.coefficients[1].value - want).abs() < 1e-9);
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let a = || ("a", values("3 1 4 1 5 9 2 6"));
    check_error(
        &[a()],
        "11111111",
        expect!["the outcome has the same value in every row; there is nothing to explain"],
    );
    check_error(
        &[a(), ("flat", vec![0.0; 8])],
        "01101001",
        expect!["column `flat` has the same value in every row and explains nothing; leave it out"],
    );
    check_error(
        &[a(), ("twice", a().1.iter().map(|x| 2.0 * x).collect())],
        "01101001",
        expect![
            "column `twice` (position `2`) is a combination of the columns before it; leave one of them out"
        ],
    );
    let bad = fit(
        &design(&[a()]),
        &outcome("01101001"),
        Some(&values("1 1 1 -1 1 1 1 1")),
    );
    assert_eq!(bad, Err(FitError::Weight { row: Some(3) }));
    let none = fit(&design(&[a()]), &outcome("01101001"), Some(&[0.0; 8]));
    assert_eq!(none, Err(FitError::Weight { row: None }));
}

#[test]
fn a_weight_is_a_number_of_equal_rows() {
    let x = values("3 1 4 1 5 9 2 6 5 3");
    let weights = values("2 1 3 0 1 2 1 1 4 1");
    let y = outcome("0110100110");
    let weighted = fit(&design(&[("x", x.clone())]), &y, Some(&weights)).expect("a fit");
    let (mut many_x, mut many_y) = (Vec::new(), Vec::new());
    for ((x, y), w) in x.iter().zip(&y).zip(&weights) {
        for _ in 0..*w as usize {
            many_x.push(*x);
            many_y.push(*y);
        }
    }
    let rows = fit(&design(&[("x", many_x)]), &many_y, None).expect("a fit");
    for (a, b) in weighted.coefficients.iter().zip(&rows.coefficients) {
        assert!((a.value - b.value).abs() < 1e-12);
        assert!((a.standard_error - b.standard_error).abs() < 1e-12);
    }
    assert!((weighted.likelihood_ratio() - rows.likelihood_ratio()).abs() < 1e-12);
}

#[test]
fn planted_coefficients_are_found_within_their_errors() {
    let mut random = Random::new(77);
    let n = 3000;
    let x: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let g: Vec<f64> = (0..n)
        .map(|_| f64::from(u8::from(random.uniform() < 0.3)))
        .collect();
    let y: Vec<bool> = x
        .iter()
        .zip(&g)
        .map(|(x, g)| random.uniform() < probability(-1.0 + 0.7 * x - 0.5 * g))
        .collect();
    let fit = fit(&design(&[("x", x), ("g", g)]), &y, None).expect("a fit");
    for (coefficient, planted) in fit.coefficients.iter().zip([-1.0, 0.7, -0.5]) {
        let off = (coefficient.value - planted) / coefficient.standard_error;
        assert!(off.abs() < 3.0, "{coefficient:?}");
    }
}

fn shown(coefficients: &[Coefficient]) -> Vec<(f64, f64)> {
    let pairs = coefficients.iter().map(|c| (c.value, c.standard_error));
    pairs.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_other_outcome_turns_every_sign(seed: u64) {
        let mut random = Random::new(seed);
        let x: Vec<f64> = (0..60).map(|_| random.normal()).collect();
        let y: Vec<bool> = (0..60).map(|_| random.uniform() < 0.5).collect();
        let design = design(&[("x", x)]);
        let turned: Vec<bool> = y.iter().map(|y| !y).collect();
        let (a, b) = (fit(&design, &y, None), fit(&design, &turned, None));
        if let (Ok(a), Ok(b)) = (a, b) {
            for (a, b) in shown(&a.coefficients).iter().zip(shown(&b.coefficients)) {
                prop_assert!((a.0 + b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
            }
        }
    }

    /// Any small table of two 0/1 columns and an outcome is fitted or refused, never anything else:
    /// a refusal as separated is right, because some cell pattern has one outcome only.
    #[test]
    fn small_tables_are_fitted_or_rightly_refused(counts in prop::collection::vec(0_usize..4, 8)) {
        let (mut a, mut b, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for (cell, &count) in counts.iter().enumerate() {
            for _ in 0..count {
                a.push((cell & 1) as f64);
                b.push((cell >> 1 & 1) as f64);
                y.push(cell & 4 != 0);
            }
        }
        if a.is_empty() {
            return Ok(());
        }
        let one_sided = (0..4).any(|cell| (counts[cell] == 0) != (counts[cell + 4] == 0));
        match fit(&design(&[("a", a), ("b", b)]), &y, None) {
            Ok(fit) => prop_assert!(fit.coefficients.iter().all(|c| c.value.abs() < 20.0)),
            Err(FitError::Separated { .. }) => prop_assert!(one_sided),
            Err(error) => prop_assert!(!matches!(error, FitError::NotConverged { .. }), "{error}"),
        }
    }
}
