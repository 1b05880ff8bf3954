use super::*;
use crate::random::Random;

/// Two groups whose outcome follows one rule but for `bias` against the protected.
fn people(bias: f64, noise: f64) -> (Design, Vec<f64>, Vec<bool>) {
    let mut random = Random::new(9);
    let protected: Vec<bool> = (0..500).map(|_| random.uniform() < 0.4).collect();
    let skill: Vec<f64> = protected
        .iter()
        .map(|&p| random.normal() - if p { 0.5 } else { 0.0 })
        .collect();
    let outcome = skill.iter().zip(&protected);
    let outcome = outcome
        .map(|(skill, &p)| 2.0 * skill - if p { bias } else { 0.0 } + noise * random.normal())
        .collect();
    let mut design = Design::new(500);
    design.push("skill", &skill).expect("finite");
    (design, outcome, protected)
}

#[test]
fn without_bias_all_is_explained() {
    let (design, outcome, protected) = people(0.0, 0.0);
    let parts = decompose(&design, &outcome, &protected).expect("a split");
    for part in [&parts.reference, &parts.pooled, &parts.pooled_with_group] {
        assert!((part.explained - parts.gap).abs() < 1e-12);
        assert!(part.unexplained.abs() < 1e-12);
    }
}

#[test]
fn a_planted_bias_is_the_unexplained_part() {
    let (design, outcome, protected) = people(0.7, 0.0);
    let parts = decompose(&design, &outcome, &protected).expect("a split");
    assert!((parts.reference.unexplained + 0.7).abs() < 1e-12);
    assert!((parts.pooled_with_group.unexplained + 0.7).abs() < 1e-12);
    // The pooled coefficients take up part of it, as the doc says.
    assert!(parts.pooled.unexplained > -0.69);
    assert!(parts.threefold.interaction.abs() < 1e-12);
}

#[test]
fn the_parts_sum_to_the_gap() {
    let (design, outcome, protected) = people(0.7, 1.0);
    let parts = decompose(&design, &outcome, &protected).expect("a split");
    let three = parts.threefold;
    let sum = three.endowments + three.coefficients + three.interaction;
    assert!((sum - parts.gap).abs() < 1e-12);
    let by: f64 = parts.reference.explained_by.iter().map(|(_, x)| x).sum();
    assert!((by - parts.reference.explained).abs() < 1e-12);
}

#[test]
fn a_group_that_cannot_be_fitted_alone_is_named() {
    let (mut design, outcome, protected) = people(0.0, 1.0);
    let only: Vec<f64> = protected
        .iter()
        .enumerate()
        .map(|(row, &p)| if p { 0.0 } else { row as f64 })
        .collect();
    design.push("tenure", &only).expect("finite");
    let error = decompose(&design, &outcome, &protected).expect_err("constant there");
    assert_eq!(
        error.to_string(),
        "among the protected group: column `tenure` has the same value in every row and explains nothing; leave it out"
    );
}

#[test]
fn standard_errors_are_those_of_the_formula_worked_out_elsewhere() {
    // Eight people, one characteristic; by NumPy from the formula in the doc, with its own inverse of X'X.
    let mut design = Design::new(8);
    let x = [1.0, 2.0, 3.0, 5.0, 2.0, 4.0, 6.0, 9.0];
    design.push("x", &x).expect("finite");
    let outcome = [1.0, 2.5, 2.0, 4.0, 3.0, 5.0, 8.0, 9.5];
    let protected = [true, true, true, true, false, false, false, false];
    let found = decompose(&design, &outcome, &protected)
        .expect("a split")
        .standard_errors;
    let want = [
        1.6875821187650775,
        0.6545517315028391,
        0.8268502026061006,
        0.800848432649316,
    ];
    for (found, want) in [
        found.explained,
        found.unexplained,
        found.coefficients,
        found.interaction,
    ]
    .iter()
    .zip(want)
    {
        assert!((found - want).abs() < 1e-12, "{found}, and not {want}");
    }
}

#[test]
fn standard_errors_are_as_large_as_the_parts_scatter() {
    // 400 samples of 300 people: the scatter is known to 4 of 100.
    let mut random = Random::new(3);
    let mut parts: [Vec<f64>; 4] = Default::default();
    let mut errors = [0.0; 4];
    for _ in 0..400 {
        let protected: Vec<bool> = (0..300).map(|_| random.uniform() < 0.5).collect();
        let skill: Vec<f64> = protected
            .iter()
            .map(|&p| random.normal() - if p { 0.5 } else { 0.0 })
            .collect();
        let outcome: Vec<f64> = skill
            .iter()
            .zip(&protected)
            .map(|(skill, &p)| if p { 1.2 * skill - 0.5 } else { 2.0 * skill } + random.normal())
            .collect();
        let mut design = Design::new(300);
        design.push("skill", &skill).expect("finite");
        let found = decompose(&design, &outcome, &protected).expect("a split");
        let split = found.threefold;
        let of = [
            found.reference.explained,
            found.reference.unexplained,
            split.coefficients,
            split.interaction,
        ];
        parts
            .iter_mut()
            .zip(of)
            .for_each(|(parts, part)| parts.push(part));
        let of = found.standard_errors;
        let of = [
            of.explained,
            of.unexplained,
            of.coefficients,
            of.interaction,
        ];
        errors
            .iter_mut()
            .zip(of)
            .for_each(|(sum, error)| *sum += error / 400.0);
    }
    for (parts, error) in parts.iter().zip(errors) {
        let centre = mean(parts);
        let squares: f64 = parts.iter().map(|part| (part - centre).powi(2)).sum();
        let scatter = (squares / 399.0).sqrt();
        assert!(
            (error / scatter - 1.0).abs() < 0.15,
            "{error}, and not {scatter}"
        );
    }
}
