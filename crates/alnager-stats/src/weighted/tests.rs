use proptest::prelude::*;

use super::*;
use crate::compare;
use crate::proportion::{self, Proportion, Z95};

/// `k` successes of `n` rows, each with the weight `w`.
fn equal(k: u64, n: u64, w: f64) -> Weighted {
    let (k, n) = (k as f64, n as f64);
    Weighted::new(k * w, (n - k) * w, n * w * w).expect("possible sums")
}

#[test]
fn weights_that_are_none_are_refused() {
    assert_eq!(check(&[0.0, 1.0, 2.5]), Ok(()));
    for bad in [-1.0, f64::NAN, f64::INFINITY, -1e-300, 1e200] {
        assert_eq!(check(&[1.0, bad]), Err(BadWeight { row: 1 }));
        let rows = [(1.0, true), (bad, false)];
        assert_eq!(Weighted::from_rows(&rows), Err(BadWeight { row: 1 }));
        assert_eq!(Weighted::new(bad, 1.0, 2.0), None);
    }
}

#[test]
fn sums_that_no_weights_have_are_refused() {
    assert_eq!(Weighted::new(1.0, 1.0, 2.1), None);
    assert_eq!(Weighted::new(1.0, 1.0, 0.0), None);
    assert_eq!(Weighted::new(0.0, 0.0, 1.0), None);
    assert!(Weighted::new(1.0, 1.0, 2.0).is_some());
}

#[test]
fn no_weight_leaves_all_undefined() {
    let none = Weighted::from_rows(&[(0.0, true)]).expect("weights");
    let some = equal(1, 2, 1.0);
    assert_eq!(none.value(), None);
    assert_eq!(none.effective_n(), None);
    assert_eq!(wilson(none, Z95), None);
    assert_eq!(difference(none, some), None);
    assert_eq!(difference_newcombe(none, some, Z95), None);
    assert_eq!(ratio(some, none), None);
    assert_eq!(ratio_katz(some, none, Z95), None);
    assert_eq!(z_pooled(none, some), None);
    assert_eq!(wilson(some, 0.0), None);
    assert_eq!(ratio(some, equal(0, 4, 1.0)), None);
    assert_eq!(ratio_katz(equal(0, 4, 1.0), some, Z95), None);
    assert_eq!(z_pooled(equal(0, 4, 1.0), equal(0, 2, 3.0)), None);
}

#[test]
fn one_heavy_row_is_worth_little() {
    let mut rows = vec![(1.0, false); 99];
    rows.push((99.0, true));
    let rows = Weighted::from_rows(&rows).expect("weights");
    assert_eq!(rows.value(), Some(0.5));
    // (99 + 99)² / (99 + 99²).
    assert!((rows.effective_n().expect("defined") - 39_204.0 / 9_900.0).abs() < 1e-12);
    let interval = wilson(rows, Z95).expect("defined");
    assert!(interval.high - interval.low > 0.6);
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-6)
}

proptest! {
    #[test]
    fn equal_weights_give_the_unweighted_figures(
        k_g in 1..50_u64, more_g in 0..50_u64, k_r in 1..50_u64, more_r in 1..50_u64, w in 0.01..100.0_f64,
    ) {
        let (n_g, n_r) = (k_g + more_g, k_r + more_r);
        let (g, r) = (equal(k_g, n_g, w), equal(k_r, n_r, 3.0 * w));
        let plain = |k, n| Proportion::new(k, n).expect("k is at most n");
        let (pg, pr) = (plain(k_g, n_g), plain(k_r, n_r));
        let pairs = [
            (wilson(g, Z95), proportion::wilson(pg, Z95)),
            (difference_newcombe(g, r, Z95), compare::difference_newcombe(pg, pr, Z95)),
            (ratio_katz(g, r, Z95), compare::ratio_katz(pg, pr, Z95)),
        ];
        for (got, want) in pairs {
            let (got, want) = (got.expect("defined"), want.expect("defined"));
            prop_assert!(close(got.low, want.low) && close(got.high, want.high), "{got:?} {want:?}");
        }
        let (got, want) = (z_pooled(g, r).expect("defined"), compare::z_pooled(pg, pr).expect("defined"));
        prop_assert!((got.statistic - want.statistic).abs() < 1e-9);
    }

    #[test]
    fn the_effective_size_lies_between_one_and_the_rows(
        rows in prop::collection::vec((0.0..10.0_f64, any::<bool>()), 1..40),
    ) {
        let weighted = Weighted::from_rows(&rows).expect("weights");
        if let Some(n) = weighted.effective_n() {
            prop_assert!(n >= 1.0 - 1e-12 && n <= rows.len() as f64 + 1e-9);
            let interval = wilson(weighted, Z95).expect("defined");
            prop_assert!(interval.contains(weighted.value().expect("defined")));
        }
    }
}
