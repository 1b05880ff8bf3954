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
