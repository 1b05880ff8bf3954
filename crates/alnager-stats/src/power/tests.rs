use proptest::prelude::*;

use super::*;
use crate::compare::fisher;
use crate::proportion::Proportion;

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("k is at most n")
}

#[test]
fn what_is_kept_is_what_fisher_keeps() {
    for (n_group, n_reference, alpha) in
        [(12, 19, 0.05), (20, 20, 0.1), (7, 40, 0.01), (1, 1, 0.05)]
    {
        for total in 0..=n_group + n_reference {
            let (low, high) = not_rejected(n_group, n_reference, total, alpha);
            for k in total.saturating_sub(n_reference)..=n_group.min(total) {
                let test = fisher(share(k, n_group), share(total - k, n_reference));
                let rejected = test.expect("defined").two_sided.value <= alpha;
                assert_eq!(
                    rejected,
                    k < low || k > high,
                    "{n_group} {n_reference} {total} {k}"
                );
            }
        }
    }
}

#[test]
fn a_sample_that_is_too_small_detects_nothing() {
    let study = Study::new(5, 5, 0.05).expect("in range");
    let detectable = study.detectable(0.3, 0.8).expect("in range");
    assert_eq!((detectable.below, detectable.above), (None, None));
    assert_eq!(detectable.method, Method::FisherExact);
}

#[test]
fn the_detectable_ratio_is_detected_and_a_milder_one_is_not() {
    for (n_group, n_reference) in [(80, 150), (2500, 900), (40_000, 900_000)] {
        let study = Study::new(n_group, n_reference, 0.05).expect("in range");
        let ratios = study.detectable(0.4, 0.8).expect("in range");
        let (below, above) = (ratios.below.expect("below"), ratios.above.expect("above"));
        let power = |ratio: f64| study.power(0.4 * ratio, 0.4).expect("in range");
        assert!(power(below) >= 0.8 && power(below + 1e-6) < 0.8);
        assert!(power(above) >= 0.8 && power(above - 1e-6) < 0.8);
        assert!(below < 1.0 && above > 1.0);
    }
}

#[test]
fn both_methods_agree_where_they_meet() {
    let exact = Study::new(1400, 1500, 0.05).expect("in range");
    let normal = Study {
        kept: None,
        ..exact.clone()
    };
    for rate in [0.30, 0.35, 0.45] {
        let (a, b) = (exact.power(rate, 0.4), normal.power(rate, 0.4));
        let apart = (a.expect("exact") - b.expect("normal")).abs();
        assert!(apart < 0.02, "{rate}: {a:?} {b:?}");
    }
}

#[test]
fn group_sizes_are_enough_and_one_fewer_is_not() {
    for (ratio, rate, method) in [
        (0.5, 0.4, Method::FisherExact),
        (1.5, 0.4, Method::FisherExact),
        (0.9, 0.1, Method::NormalZ),
    ] {
        let size = n_per_group(ratio, rate, 0.05, 0.8).expect("in range");
        assert_eq!(size.method, method);
        let power = |n: u64| {
            let study = Study::new(n, n, 0.05).expect("in range");
            study.power(ratio * rate, rate).expect("in range")
        };
        assert!(power(size.n) >= 0.8 && power(size.n - 1) < 0.8, "{size:?}");
    }
    // Fleiss, Levin and Paik's formula without correction: (1.96√(2p̄q̄) + 0.8416√(p₁q₁+p₂q₂))²/d².
    let (p, q) = (0.09, 0.1_f64);
    let (middle, apart) = ((p + q) / 2.0, q - p);
    let root = 1.959_964 * (2.0 * middle * (1.0_f64 - middle)).sqrt()
        + 0.841_621 * (p * (1.0 - p) + q * (1.0 - q)).sqrt();
    let n = n_per_group(0.9, 0.1, 0.05, 0.8).expect("in range").n as f64;
    assert!((n / (root / apart).powi(2) - 1.0).abs() < 1e-3, "{n}");
}

#[test]
fn what_is_out_of_range_is_refused() {
    assert_eq!(Study::new(0, 5, 0.05), None);
    assert_eq!(Study::new(5, 5, 0.0), None);
    assert_eq!(Study::new(5, 5, 1.0), None);
    assert_eq!(Study::new(5, COUNT_MAX + 1, 0.05), None);
    let study = Study::new(5, 5, 0.05).expect("in range");
    assert_eq!(study.power(1.1, 0.5), None);
    assert_eq!(study.detectable(0.0, 0.8), None);
    assert_eq!(n_per_group(1.0, 0.5, 0.05, 0.8), None);
    assert_eq!(n_per_group(1.2, 0.9, 0.05, 0.8), None);
    assert_eq!(n_per_group(f64::NAN, 0.9, 0.05, 0.8), None);
    // No difference can be so small that 2^46 people would not find it, except one that is rounding.
    assert_eq!(n_per_group(1.0 - 1e-12, 0.5, 0.05, 0.8), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn fishers_test_errs_at_most_as_often_as_it_says(
        n_group in 1..60_u64,
        n_reference in 1..60_u64,
        rate in 0.0..=1.0_f64,
    ) {
        let study = Study::new(n_group, n_reference, 0.05).expect("in range");
        prop_assert!(study.power(rate, rate).expect("in range") <= 0.05 + 1e-12);
    }

    #[test]
    fn turning_all_decisions_keeps_the_power(n in 1..200_u64, a in 0.0..=1.0_f64, b in 0.0..=1.0_f64) {
        let study = Study::new(n, 2 * n, 0.05).expect("in range");
        let (plain, turned) = (study.power(a, b), study.power(1.0 - a, 1.0 - b));
        prop_assert!((plain.expect("plain") - turned.expect("turned")).abs() < 1e-9);
    }
}
