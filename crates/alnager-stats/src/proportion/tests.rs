use proptest::prelude::*;

use super::*;

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("k is at most n")
}

/// Any share of up to `n_max` trials, empty ones and both edges included.
fn shares(n_max: u64) -> impl Strategy<Value = Proportion> {
    (0..=n_max).prop_flat_map(|n| {
        prop_oneof![8 => 0..=n, 1 => Just(0), 1 => Just(n)].prop_map(move |k| share(k, n))
    })
}

/// P(X = x) for X binomial, by plain multiplication.
fn plain_mass(x: u64, n: u64, p: f64) -> f64 {
    let choose: f64 = (0..x).map(|i| (n - i) as f64 / (x - i) as f64).product();
    choose * p.powf(x as f64) * (1.0 - p).powf((n - x) as f64)
}

#[test]
fn a_count_above_its_total_or_beyond_exact_arithmetic_is_refused() {
    assert_eq!(Proportion::new(3, 2), None);
    assert_eq!(Proportion::new(0, COUNT_MAX + 1), None);
    assert!(Proportion::new(COUNT_MAX, COUNT_MAX).is_some());
}

#[test]
fn an_empty_group_has_no_share_and_no_interval() {
    let empty = share(0, 0);
    assert_eq!(empty.value(), None);
    assert_eq!(wilson(empty, Z95), None);
    assert_eq!(clopper_pearson(empty, 0.05), None);
}

#[test]
fn a_senseless_confidence_gives_no_interval() {
    for z in [0.0, -1.0, 1e200, f64::NAN, f64::INFINITY] {
        assert_eq!(wilson(share(1, 2), z), None, "z = {z}");
    }
    for alpha in [0.0, 1.0, -0.05, 95.0, f64::NAN] {
        assert_eq!(clopper_pearson(share(1, 2), alpha), None, "alpha = {alpha}");
        assert_eq!(z_for(1.0 - alpha), None, "confidence = 1 - {alpha}");
    }
}

#[test]
fn the_normal_points_are_those_of_the_printed_tables() {
    // Abramowitz and Stegun 1964, table 26.5, and the constant to 16 digits.
    for (confidence, z) in [
        (0.5, 0.674_489_750_196_081_7),
        (0.9, 1.644_853_626_951_472_7),
        (0.95, Z95),
        (0.99, 2.575_829_303_548_901),
        (0.999, 3.290_526_731_491_895),
    ] {
        let got = z_for(confidence).expect("a confidence within 0..1");
        assert!((got - z).abs() < 2e-14, "{confidence}: {got}, table {z}");
    }
}

#[test]
fn an_edge_is_exact() {
    for n in [1, 7, 1_000_000_007] {
        for (none, every) in [
            (wilson(share(0, n), Z95), wilson(share(n, n), Z95)),
            (
                clopper_pearson(share(0, n), 0.05),
                clopper_pearson(share(n, n), 0.05),
            ),
        ] {
            assert_eq!(none.map(|interval| interval.low), Some(0.0), "n = {n}");
            assert_eq!(every.map(|interval| interval.high), Some(1.0), "n = {n}");
        }
    }
}

proptest! {
    #[test]
    fn an_interval_holds_the_share_and_stays_within_0_and_1(
        p in prop_oneof![shares(40), shares(5_000), shares(3_000_000)],
        z in 1e-3..20.0f64,
        alpha in prop_oneof![1e-6..0.999f64, Just(1e-300)],
    ) {
        let value = p.value();
        for interval in [wilson(p, z), clopper_pearson(p, alpha)] {
            prop_assert_eq!(interval.is_some(), value.is_some());
            if let (Some(interval), Some(value)) = (interval, value) {
                prop_assert!(0.0 <= interval.low && interval.high <= 1.0, "{:?}", interval);
                prop_assert!(interval.contains(value), "{:?} {}", interval, value);
            }
        }
    }

    #[test]
    fn wilson_is_defined_for_every_count_up_to_the_largest(p in shares(COUNT_MAX), z in 1e-6..40.0f64) {
        if let Some(interval) = wilson(p, z) {
            prop_assert!(interval.low <= interval.high, "{:?}", interval);
            prop_assert!(0.0 <= interval.low && interval.high <= 1.0, "{:?}", interval);
        }
    }

    #[test]
    fn duplicating_all_rows_narrows_the_interval(p in shares(20_000), times in 2..5u64) {
        let more = share(p.k() * times, p.n() * times);
        let width = |interval: Interval| interval.high - interval.low;
        for (once, often) in [
            (wilson(p, Z95), wilson(more, Z95)),
            (clopper_pearson(p, 0.05), clopper_pearson(more, 0.05)),
        ] {
            if let (Some(once), Some(often)) = (once, often) {
                prop_assert!(width(often) < width(once), "{:?} {:?}", once, often);
            }
        }
    }

    #[test]
    fn counting_failures_mirrors_the_interval(p in shares(50_000)) {
        for (hits, misses) in [
            (wilson(p, Z95), wilson(p.complement(), Z95)),
            (clopper_pearson(p, 0.05), clopper_pearson(p.complement(), 0.05)),
        ] {
            if let (Some(hits), Some(misses)) = (hits, misses) {
                prop_assert!((hits.low - (1.0 - misses.high)).abs() < 1e-13);
                prop_assert!((hits.high - (1.0 - misses.low)).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn wilson_ends_where_the_score_test_just_rejects(p in shares(10_000), z in 0.1..5.0f64) {
        if let (Some(interval), Some(value)) = (wilson(p, z), p.value()) {
            for end in [interval.low, interval.high] {
                let reach = z * (end * (1.0 - end) / p.n() as f64).sqrt();
                prop_assert!(((value - end).abs() - reach).abs() < 1e-10, "{} {}", end, reach);
            }
        }
    }

    #[test]
    fn clopper_pearson_leaves_half_the_error_on_each_side(
        p in shares(60).prop_filter("an empty group", |p| p.n() > 0),
        alpha in 0.001..0.9f64,
    ) {
        let (k, n) = (p.k(), p.n());
        let interval = clopper_pearson(p, alpha).expect("n is above 0");
        if k > 0 {
            let tail: f64 = (k..=n).map(|x| plain_mass(x, n, interval.low)).sum();
            prop_assert!((tail / alpha - 0.5).abs() < 1e-9, "{} {}", tail, alpha);
        }
        if k < n {
            let tail: f64 = (0..=k).map(|x| plain_mass(x, n, interval.high)).sum();
            prop_assert!((tail / alpha - 0.5).abs() < 1e-9, "{} {}", tail, alpha);
        }
    }
}
