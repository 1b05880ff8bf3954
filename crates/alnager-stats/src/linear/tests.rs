use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::random::Random;

#[test]
fn student_has_its_known_tails() {
    // From 40-digit arithmetic (mpmath): t, degrees of freedom, ln of the two-sided tail.
    for (t, df, want) in [
        (3.0, 1.0, -1.585_561_414_730_353_3),
        (2.0, 3.0, -1.970_938_993_755_666_2),
        (0.1, 5.0, -0.078_794_167_839_662_1),
        (300.0, 40.0, -156.458_865_656_173_83),
        (1.96, 2370.0, -2.993_478_641_673_819),
        (-60.0, 2370.0, -1_098.629_102_390_514_8),
        (1.2, 1e6, -1.469_069_090_196_807),
    ] {
        let got = ln_student(t, df);
        assert!((got - want).abs() < 1e-12 * want.abs(), "{t} {df}: {got}");
    }
    assert_eq!(ln_student(0.0, 4.0), 0.0);
}

#[test]
fn a_line_without_error_is_found() {
    let mut design = Design::new(6);
    let x = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0];
    design.push("x", &x).expect("finite");
    let fit = fit(&design, &x.map(|x| 4.0 - 0.5 * x)).expect("a fit");
    assert!((fit.values()[0] - 4.0).abs() < 1e-13);
    assert!((fit.values()[1] + 0.5).abs() < 1e-13);
    assert!((fit.r2 - 1.0).abs() < 1e-14);
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let fail = |columns: &[(&str, [f64; 6])], y: [f64; 6]| {
        let mut design = Design::new(6);
        for (name, column) in columns {
            design.push(name, column).expect("finite");
        }
        fit(&design, &y).expect_err("no fit").to_string()
    };
    let a = [1.0, 2.0, 4.0, 3.0, 0.0, 9.0];
    let y = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    expect!["column `half` (position `2`) is a combination of the columns before it; leave one of them out"]
        .assert_eq(&fail(&[("a", a), ("half", a.map(|a| a / 2.0 - 1.0))], y));
    expect!["column `flat` has the same value in every row and explains nothing; leave it out"]
        .assert_eq(&fail(&[("a", a), ("flat", [3.0; 6])], y));
    expect!["the outcome has the same value in every row; there is nothing to explain"]
        .assert_eq(&fail(&[("a", a)], [1.0; 6]));
    expect!["`6` rows cannot carry `6` columns; leave out columns or add rows"].assert_eq(&fail(
        &[("a", a), ("b", y), ("c", a), ("d", a), ("e", a)],
        y,
    ));
}

proptest! {
    #[test]
    fn units_of_a_column_scale_its_coefficient(seed: u64, scale in 0.001..1000.0_f64) {
        let mut random = Random::new(seed);
        let x: Vec<f64> = (0..50).map(|_| random.normal()).collect();
        let y: Vec<f64> = x.iter().map(|x| x + random.normal()).collect();
        let fitted = |scale: f64| {
            let mut design = Design::new(50);
            design.push("x", &x.iter().map(|x| scale * x).collect::<Vec<_>>()).expect("finite");
            fit(&design, &y).expect("a fit")
        };
        let (plain, scaled) = (fitted(1.0), fitted(scale));
        for (a, b) in [(&plain.classical, &scaled.classical), (&plain.robust, &scaled.robust)] {
            prop_assert!((a[1].value - scale * b[1].value).abs() < 1e-11);
            prop_assert!((a[1].standard_error - scale * b[1].standard_error).abs() < 1e-11);
        }
        prop_assert!((plain.r2 - scaled.r2).abs() < 1e-12);
    }
}
