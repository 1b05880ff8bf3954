use proptest::prelude::*;

use super::*;

fn counts([tp, fp, tn, fn_]: [u64; 4]) -> Confusion {
    Confusion { tp, fp, tn, fn_ }
}

#[test]
fn right_decisions_for_all_are_equal() {
    let right = [counts([3, 0, 4, 0]), counts([9, 0, 1, 0])];
    assert_eq!(theil_index(&right), Some(0.0));
    assert_eq!(generalized_entropy(&right, 2.0), Some(0.0));
    assert_eq!(generalized_entropy(&right, -3.0), Some(0.0));
    assert_eq!(coefficient_of_variation(&right), Some(0.0));
    assert_eq!(between_group_theil_index(&right), Some(0.0));
}

#[test]
fn one_half_with_twice_and_one_half_with_nothing() {
    // Theil is ln 2, GE(2) is (½·2² - 1)/2, and the variation is 1.
    let halves = [counts([0, 5, 0, 0]), counts([0, 0, 0, 5])];
    let close = |figure: Option<f64>, want: f64| (figure.expect("defined") - want).abs() < 1e-15;
    assert!(close(theil_index(&halves), 2.0_f64.ln()));
    assert!(close(generalized_entropy(&halves, 2.0), 0.5));
    assert!(close(coefficient_of_variation(&halves), 1.0));
    // All of it lies between the groups.
    assert!(close(between_group_theil_index(&halves), 2.0_f64.ln()));
    assert!(close(between_group_coefficient_of_variation(&halves), 1.0));
}

#[test]
fn nobody_and_no_benefit_have_no_inequality() {
    assert_eq!(theil_index(&[]), None);
    assert_eq!(theil_index(&[counts([0, 0, 0, 0])]), None);
    assert_eq!(theil_index(&[counts([0, 0, 0, 7])]), None);
    assert_eq!(
        between_group_generalized_entropy(&[counts([0, 0, 0, 7])], 2.0),
        None
    );
}

#[test]
fn an_order_of_zero_or_below_cannot_hold_a_benefit_of_zero() {
    let some = [counts([1, 1, 1, 1]), counts([3, 0, 1, 0])];
    assert_eq!(generalized_entropy(&some, 0.0), None);
    assert_eq!(generalized_entropy(&some, -1.0), None);
    assert!(between_group_generalized_entropy(&some, 0.0).is_some());
}

#[test]
fn an_order_that_is_no_number_gives_no_figure() {
    let some = [counts([5, 2, 1, 1])];
    for alpha in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        assert_eq!(generalized_entropy(&some, alpha), None, "{alpha}");
    }
}

#[test]
fn the_series_and_the_plain_form_meet() {
    for alpha in [
        -2.0, -1e-9, 0.0, 0.3, 0.5, 0.999_999, 1.0, 1.5, 2.0, 3.0, 9.0,
    ] {
        for off in [-0.1, 0.1_f64] {
            let (series, plain) = (near_one(off, alpha), term(off * 1.000_000_1, false, alpha));
            assert!(
                (plain / series - 1.0).abs() < 1e-6,
                "{alpha} {off}: {series} {plain}"
            );
        }
    }
}

#[test]
fn counts_no_table_reaches_give_no_wrong_figure() {
    let most = counts([u64::MAX; 4]);
    let theil = theil_index(&[most, most]).expect("counts are cut");
    assert!(theil.is_finite());
    assert!(between_group_theil_index(&vec![most; 20_000]).is_none_or(|theil| theil >= 0.0));
}

fn some_groups() -> impl Strategy<Value = Vec<Confusion>> {
    let cells = [0..50u64, 0..50u64, 0..50u64, 0..50u64].prop_map(counts);
    prop::collection::vec(cells, 1..5)
}

proptest! {
    #[test]
    fn the_order_of_groups_changes_nothing(groups in some_groups(), alpha in -2.0..4.0f64) {
        let back: Vec<Confusion> = groups.iter().rev().copied().collect();
        prop_assert_eq!(generalized_entropy(&groups, alpha), generalized_entropy(&back, alpha));
        let (one, other) = (between_group_theil_index(&groups), between_group_theil_index(&back));
        prop_assert_eq!(one.is_some(), other.is_some());
        if let (Some(one), Some(other)) = (one, other) {
            prop_assert!((one - other).abs() <= 1e-14 * one);
        }
    }

    #[test]
    fn the_part_between_groups_is_no_more_than_all(groups in some_groups(), alpha in 0.1..4.0f64) {
        if let (Some(all), Some(between)) =
            (generalized_entropy(&groups, alpha), between_group_generalized_entropy(&groups, alpha))
        {
            prop_assert!(0.0 <= between && between <= all * (1.0 + 1e-12), "{} {}", between, all);
        }
    }

    #[test]
    fn it_agrees_with_the_formula(groups in some_groups(), alpha in 1.5..4.0f64) {
        let sum = |count: fn(&Confusion) -> u64| groups.iter().map(count).sum::<u64>() as f64;
        let rows = [(sum(|g| g.fn_), 0.0), (sum(|g| g.tp + g.tn), 1.0), (sum(|g| g.fp), 2.0)];
        let n: f64 = rows.iter().map(|row| row.0).sum();
        let mean = rows.iter().map(|row| row.0 * row.1).sum::<f64>() / n;
        if let Some(entropy) = generalized_entropy(&groups, alpha) {
            let powers: f64 = rows.iter().map(|row| row.0 * f64::powf(row.1 / mean, alpha)).sum();
            let plain = (powers / n - 1.0) / (alpha * (alpha - 1.0));
            prop_assert!((entropy - plain).abs() <= 1e-11 * plain.max(0.1), "{} {}", entropy, plain);
        }
    }
}
