use proptest::prelude::*;

use super::*;

fn predictions(rows: &[(f64, f64)]) -> Predictions {
    let predicted = rows.iter().map(|row| row.0).collect();
    let actual = rows.iter().map(|row| row.1).collect();
    Predictions::new(predicted, actual).expect("finite pairs")
}

#[test]
fn what_is_no_pair_of_numbers_is_refused() {
    assert_eq!(Predictions::new(vec![1.0], vec![]), None);
    assert_eq!(Predictions::new(vec![f64::NAN], vec![1.0]), None);
    assert_eq!(Predictions::new(vec![1.0], vec![f64::INFINITY]), None);
}

#[test]
fn a_perfect_prediction() {
    let fit = fit(&predictions(&[(1.0, 1.0), (2.0, 2.0), (4.0, 4.0)]));
    assert_eq!(
        (fit.mae, fit.rmse, fit.bias),
        (Some(0.0), Some(0.0), Some(0.0))
    );
    assert_eq!((fit.r2, fit.spearman), (Some(1.0), Some(1.0)));
    assert_eq!(fit.pearson, Some(1.0));
}

#[test]
fn signs_are_predicted_minus_true() {
    let fit = fit(&predictions(&[(3.0, 1.0), (5.0, 2.0), (1.0, 3.0)]));
    assert_eq!((fit.bias, fit.mae), (Some(1.0), Some(7.0 / 3.0)));
    assert_eq!(fit.spearman, Some(-0.5));
}

#[test]
fn nobody_has_no_figures() {
    let none = fit(&predictions(&[]));
    assert_eq!(
        (none.n, none.mean_pred, none.mae, none.rmse),
        (0, None, None, None)
    );
    assert_eq!((none.r2, none.pearson, none.spearman), (None, None, None));
}

#[test]
fn what_does_not_vary_has_no_correlation() {
    // 0.1 has a mean of three that rounds to beside it.
    let fit = fit(&predictions(&[(0.1, 1.0), (0.1, 2.0), (0.1, 3.0)]));
    assert_eq!((fit.pearson, fit.spearman), (None, None));
    assert!(fit.r2.is_some());
}

#[test]
fn one_row_has_errors_and_no_r2() {
    let fit = fit(&predictions(&[(2.0, 5.0)]));
    assert_eq!((fit.bias, fit.rmse, fit.r2), (Some(-3.0), Some(3.0), None));
}

#[test]
fn a_figure_too_large_is_none() {
    let fit = fit(&predictions(&[(1e200, 0.0), (-1e200, 1.0)]));
    assert_eq!((fit.rmse, fit.r2), (None, None));
    assert_eq!(fit.mae, Some(1e200));
}

#[test]
fn a_reference_without_error_gives_no_ratio() {
    let (group, right) = (
        predictions(&[(1.0, 2.0), (3.0, 3.5)]),
        predictions(&[(0.0, 0.0), (0.0, 0.0)]),
    );
    let versus = versus(&group, &right, &group);
    assert_eq!(
        (versus.mae_ratio, versus.rmse_ratio, versus.mean_pred_ratio),
        (None, None, None)
    );
    assert_eq!(versus.mean_pred_difference, Some(2.0));
    assert_eq!(versus.correlation_difference, None);
}

#[test]
fn ties_share_the_mean_of_their_ranks() {
    assert_eq!(
        mid_ranks(&[5.0, 1.0, 5.0, 0.0, -0.0]),
        [4.5, 3.0, 4.5, 1.5, 1.5]
    );
}

fn some_rows() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-1e3..1e3f64, -1e3..1e3f64), 2..40)
}

fn close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-11 * one.abs().max(1.0),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn the_order_of_rows_changes_nothing(rows in some_rows()) {
        let back: Vec<(f64, f64)> = rows.iter().rev().copied().collect();
        let (one, other) = (fit(&predictions(&rows)), fit(&predictions(&back)));
        prop_assert!(close(one.rmse, other.rmse) && close(one.bias, other.bias));
        prop_assert!(close(one.r2, other.r2) && close(one.pearson, other.pearson));
        prop_assert!(close(one.spearman, other.spearman));
    }

    #[test]
    fn figures_keep_their_range(rows in some_rows()) {
        let fit = fit(&predictions(&rows));
        let (mae, rmse) = (fit.mae.expect("rows"), fit.rmse.expect("rows"));
        prop_assert!(mae <= rmse * (1.0 + 1e-12) && fit.bias.expect("rows").abs() <= mae * (1.0 + 1e-12));
        prop_assert!(fit.r2.is_none_or(|r2| r2 <= 1.0));
        for r in [fit.pearson, fit.spearman].into_iter().flatten() {
            prop_assert!((-1.0..=1.0).contains(&r));
        }
    }

    #[test]
    fn a_far_zero_and_another_unit_leave_the_correlation(rows in some_rows(), factor in 0.01..100.0f64) {
        let moved: Vec<(f64, f64)> = rows.iter().map(|&(p, t)| (p * factor + 1e6, t * factor + 1e6)).collect();
        let (one, other) = (fit(&predictions(&rows)), fit(&predictions(&moved)));
        if let (Some(one), Some(other)) = (one.pearson, other.pearson) {
            prop_assert!((one - other).abs() < 1e-5);
        }
    }

    #[test]
    fn a_group_against_itself_is_no_different(rows in some_rows()) {
        let group = predictions(&rows);
        let versus = versus(&group, &group, &group);
        prop_assert_eq!(versus.bias_difference, Some(0.0));
        prop_assert_eq!(versus.mean_pred_difference, Some(0.0));
        prop_assert!(versus.rmse_ratio.is_none_or(|ratio| ratio == 1.0));
        prop_assert!(versus.residual_smd_total.is_none_or(|smd| smd == 0.0));
    }
}
