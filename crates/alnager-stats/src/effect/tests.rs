use super::*;
use crate::random::Random;

/// 400 people in three categories with a number beside; the third category has no column.
fn people() -> (Design, Vec<bool>) {
    let mut random = Random::new(5);
    let (mut a, mut b, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..400 {
        let category = (3.0 * random.uniform()) as u8;
        let number = random.normal();
        let eta = 0.3 - 0.6 * f64::from(u8::from(category == 0)) + 0.5 * number;
        a.push(f64::from(u8::from(category == 0)));
        b.push(f64::from(u8::from(category == 1)));
        x.push(number);
        y.push(random.uniform() < probability(eta));
    }
    let mut design = Design::new(400);
    for (name, column) in [("a", a), ("b", b), ("x", x)] {
        design.push(name, &column).expect("finite");
    }
    (design, y)
}

#[test]
fn the_raw_effect_is_the_difference_of_rates() {
    let (design, y) = people();
    let raw = raw(&design, &y, None, &[1, 2]).expect("effects");
    let rate = |belongs: &dyn Fn(usize) -> bool| {
        let rows: Vec<usize> = (0..400).filter(|&row| belongs(row)).collect();
        rows.iter().filter(|&&row| y[row]).count() as f64 / rows.len() as f64
    };
    let (a, b) = (design.column(1).expect("a"), design.column(2).expect("b"));
    let base = rate(&|row| a[row] + b[row] == 0.0);
    assert!((raw[0].value - (rate(&|row| a[row] == 1.0) - base)).abs() < 1e-12);
    assert!((raw[1].value - (rate(&|row| b[row] == 1.0) - base)).abs() < 1e-12);
}

#[test]
fn derivatives_agree_with_differences() {
    // The delta method rests on derivatives; here by central differences of the effect itself.
    let (design, y) = people();
    let fit = logit::fit(&design, &y, None).expect("a fit");
    let effects = average_marginal_effects(&design, &fit, None).expect("effects");
    for (at, effect) in effects.iter().enumerate() {
        let moved = |j: usize, by: f64| {
            let mut other = fit.clone();
            other.coefficients[j].value += by;
            average_marginal_effects(&design, &other, None).expect("effects")[at].value
        };
        let gradient: Vec<f64> = (0..4)
            .map(|j| (moved(j, 1e-5) - moved(j, -1e-5)) / 2e-5)
            .collect();
        let se = fit.information.spread(&gradient);
        assert!(
            (se / effect.standard_error - 1.0).abs() < 1e-7,
            "{effect:?}"
        );
    }
}

#[test]
fn weights_weigh_the_mean() {
    let (design, y) = people();
    let twice = vec![2.0; 400];
    let (one, two) = (
        logit::fit(&design, &y, None).expect("a fit"),
        logit::fit(&design, &y, Some(&twice)).expect("a fit"),
    );
    let one = average_marginal_effects(&design, &one, None).expect("effects");
    let two = average_marginal_effects(&design, &two, Some(&twice)).expect("effects");
    for (one, two) in one.iter().zip(&two) {
        assert!((one.value - two.value).abs() < 1e-12);
        assert!((one.standard_error / two.standard_error - 2.0_f64.sqrt()).abs() < 1e-9);
    }
}

#[test]
fn sets_that_overlap_are_refused() {
    let (mut design, y) = people();
    let a: Vec<f64> = design.column(1).expect("a").to_vec();
    let mut also = a.clone();
    for row in (0..400).step_by(3) {
        also[row] = 1.0 - also[row];
    }
    design.push("also", &also).expect("finite");
    let fit = logit::fit(&design, &y, None).expect("a fit");
    assert!(matches!(
        of_category(&design, &fit, None, &[1, 4]),
        Err(FitError::NotExclusive { .. })
    ));
    assert!(matches!(
        of_category(&design, &fit, None, &[3]),
        Err(FitError::NotExclusive { .. })
    ));
    let outside = FitError::NoSuchColumn {
        position: 0,
        columns: 5,
    };
    assert_eq!(of_category(&design, &fit, None, &[0]), Err(outside));
}
