use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::random::Random;

/// A design with these columns beside the intercept, named a, b, ….
fn design(columns: &[Vec<f64>]) -> Design {
    let mut design = Design::new(columns[0].len());
    for (name, column) in ["a", "b", "c", "d", "e"].iter().zip(columns) {
        design.push(name, column).expect("finite");
    }
    design
}

fn normals(random: &mut Random, n: usize) -> Vec<f64> {
    (0..n).map(|_| random.normal()).collect()
}

#[track_caller]
fn check_error(error: FitError, want: Expect) {
    want.assert_eq(&error.to_string());
}

#[test]
fn the_triangle_squares_to_the_sums_of_products() {
    // More rows than two blocks, and not a multiple of a block.
    let mut random = Random::new(1);
    let columns: Vec<Vec<f64>> = (0..4).map(|_| normals(&mut random, 700)).collect();
    let design = design(&columns);
    let triangle = Triangle::of(&design.all(), None);
    for i in 0..5 {
        for j in 0..5 {
            let want = dot(design.all()[i], design.all()[j]);
            let got: f64 = (0..5).map(|k| triangle.at(k, i) * triangle.at(k, j)).sum();
            assert!((got - want).abs() < 1e-10, "{i} {j}: {got} {want}");
        }
    }
    assert_eq!(triangle.collinear(), None);
}

#[test]
fn a_combination_of_earlier_columns_is_found_at_its_position() {
    let mut random = Random::new(2);
    for rows in [20, 5000] {
        let (a, b) = (normals(&mut random, rows), normals(&mut random, rows));
        let c: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 3.0 * a - b + 7.0).collect();
        let d = normals(&mut random, rows);
        let design = design(&[a, b, c, d]);
        assert_eq!(Triangle::of(&design.all(), None).collinear(), Some(3));
    }
}

#[test]
fn a_year_with_its_century_is_no_combination() {
    let years: Vec<f64> = (0..300).map(|i| 2015.0 + f64::from(i % 9)).collect();
    let design = design(&[years]);
    assert_eq!(Triangle::of(&design.all(), None).collinear(), None);
}

#[test]
fn near_collinear_columns_keep_their_digits() {
    // Two columns that differ by one part in a million: normal equations would lose all digits.
    let mut random = Random::new(3);
    let a = normals(&mut random, 400);
    let e = normals(&mut random, 400);
    let b: Vec<f64> = a.iter().zip(&e).map(|(a, e)| a + 1e-6 * e).collect();
    let y: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 2.0 + 3.0 * a - b).collect();
    let design = design(&[a, b]);
    let mut columns = design.all();
    columns.push(&y);
    let whole = Triangle::of(&columns, None);
    let along: Vec<f64> = (0..3).map(|i| whole.at(i, 3)).collect();
    let got = whole.leading(3).solve(&along);
    for (got, want) in got.iter().zip([2.0, 3.0, -1.0]) {
        assert!((got - want).abs() < 1e-7, "{got} {want}");
    }
}

#[test]
fn values_that_are_not_numbers_are_refused() {
    let mut design = Design::new(3);
    let error = design
        .push("income", &[1.0, f64::NAN, 2.0])
        .expect_err("NaN");
    check_error(
        error,
        expect![
            "`income` is not a number of usable size in row `1`; leave out rows without a value"
        ],
    );
    assert!(design.push("income", &[1.0, 1e101, 2.0]).is_err());
    let error = design.push("income", &[1.0, 2.0]).expect_err("two rows");
    check_error(
        error,
        expect!["`income` has `2` rows where `3` are expected; give one value per row"],
    );
    assert_eq!(design.columns(), 1);
}

#[test]
fn every_message_says_what_to_do() {
    let name = || "age".to_owned();
    for error in [
        FitError::Weight { row: Some(4) },
        FitError::Weight { row: None },
        FitError::TooFewRows {
            rows: 3,
            columns: 4,
        },
        FitError::ConstantColumn { name: name() },
        FitError::Collinear {
            name: name(),
            position: 2,
        },
        FitError::Separated {
            separation: Separation::Complete,
            name: name(),
        },
        FitError::NotConverged { steps: 60 },
        FitError::NoSuchColumn {
            position: 0,
            columns: 3,
        },
        FitError::NotExclusive {
            name: name(),
            row: 1,
        },
    ] {
        let text = error.to_string();
        assert!(text.contains(';') && !text.ends_with('.'), "{text}");
    }
    check_error(
        FitError::InGroup {
            protected: true,
            cause: Box::new(FitError::ConstantOutcome),
        },
        expect![
            "among the protected group: the outcome has the same value in every row; there is nothing to explain"
        ],
    );
}

proptest! {
    #[test]
    fn solving_undoes_multiplying(seed: u64, b in prop::collection::vec(-10.0..10.0_f64, 4)) {
        let mut random = Random::new(seed);
        let columns: Vec<Vec<f64>> = (0..3).map(|_| normals(&mut random, 40)).collect();
        let design = design(&columns);
        let y = design.times(&b);
        let mut columns = design.all();
        columns.push(&y);
        let whole = Triangle::of(&columns, None);
        let along: Vec<f64> = (0..4).map(|i| whole.at(i, 4)).collect();
        for (got, want) in whole.leading(4).solve(&along).iter().zip(&b) {
            prop_assert!((got - want).abs() < 1e-10);
        }
    }
}
