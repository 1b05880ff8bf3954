use proptest::prelude::*;

use super::*;
use crate::proportion::{COUNT_MAX, Z95};

fn sample(pairs: &[(f64, u64)]) -> Sample {
    Sample::from_counts(pairs.iter().copied()).expect("finite scores")
}

fn split<'a>(negative: &'a Sample, positive: &'a Sample) -> ByLabel<'a> {
    ByLabel { negative, positive }
}

#[test]
fn a_class_without_people_has_no_ranking() {
    let (empty, some) = (sample(&[]), sample(&[(0.2, 3), (0.6, 2)]));
    for scores in [
        split(&empty, &some),
        split(&some, &empty),
        split(&empty, &empty),
    ] {
        assert_eq!(auc(scores), None);
        assert_eq!(auc_delong(scores), None);
        assert_eq!(roc(scores), None);
        assert_eq!(abroca(scores, split(&some, &some)), None);
        assert_eq!(abroca(split(&some, &some), scores), None);
    }
}

#[test]
fn a_sample_without_people_has_no_distance() {
    let (empty, some) = (sample(&[]), sample(&[(0.2, 3), (0.6, 2)]));
    for (g, r) in [(&empty, &some), (&some, &empty)] {
        assert_eq!(kolmogorov_smirnov(g, r), None);
        assert_eq!(wasserstein(g, r), None);
        assert_eq!(psi10(r, g), None);
        assert_eq!(mean_difference(g, r), None);
        assert_eq!(smd_total(g, r, &some), None);
        assert_eq!(smd_pooled(g, r), None);
        assert_eq!(quantile_impact_ratio(g, r, &some, 0.5), None);
    }
}

#[test]
fn a_class_of_one_has_no_standard_error() {
    let (one, some) = (sample(&[(0.5, 1)]), sample(&[(0.2, 3), (0.6, 2)]));
    let got = auc_delong(split(&one, &some)).expect("both classes have people");
    assert_eq!((got.value, got.se, got.interval(Z95)), (0.4, None, None));
    assert_eq!(auc_difference_test(got, got), None);
    let sure = Auc {
        value: 1.0,
        se: Some(0.0),
    };
    assert_eq!(auc_difference_test(sure, sure), None);
}

#[test]
fn only_probabilities_are_calibrated() {
    let (low, high) = (sample(&[(0.0, 1)]), sample(&[(1.01, 1)]));
    let empty = sample(&[]);
    for scores in [split(&low, &high), split(&empty, &empty)] {
        let figures = [
            brier(scores),
            log_loss(scores),
            ece10(scores),
            calibration_in_the_large(scores),
        ];
        assert_eq!(figures, [None; 4]);
        assert_eq!(reliability(scores, 10), None);
    }
    assert!(!are_probabilities(&high) && are_probabilities(&low) && are_probabilities(&empty));
    assert_eq!(ece(split(&low, &low), 0), None);
}

#[test]
fn a_perfect_score_has_no_loss() {
    let (no, yes) = (sample(&[(0.0, 3)]), sample(&[(1.0, 4)]));
    let scores = split(&no, &yes);
    assert_eq!(auc(scores), Some(1.0));
    assert_eq!(brier(scores), Some(0.0));
    assert_eq!(ece10(scores), Some(0.0));
    assert_eq!(calibration_in_the_large(scores), Some(0.0));
    assert!(log_loss(scores).is_some_and(|loss| (0.0..2e-15).contains(&loss)));
}

#[test]
fn the_last_bin_holds_both_its_ends() {
    let (no, yes) = (sample(&[(0.0, 1), (0.5, 2)]), sample(&[(0.5, 1), (1.0, 1)]));
    let bins = reliability(split(&no, &yes), 2).expect("probabilities");
    let cells: Vec<_> = bins
        .iter()
        .map(|bin| (bin.low, bin.high, bin.n, bin.n_positive))
        .collect();
    assert_eq!(cells, [(0.0, 0.5, 1, 0), (0.5, 1.0, 4, 2)]);
    assert_eq!(
        (bins[1].mean_score, bins[1].mean_label),
        (Some(0.625), Some(0.5))
    );
    let bins = reliability(split(&no, &yes), 3).expect("probabilities");
    assert_eq!(bins[0].n + bins[1].n + bins[2].n, 5);
}

#[test]
fn people_with_equal_scores_are_one_point_of_the_curve() {
    let (no, yes) = (sample(&[(1.0, 1), (2.0, 1)]), sample(&[(2.0, 1), (3.0, 1)]));
    let points = roc(split(&no, &yes)).expect("both classes have people");
    let points: Vec<_> = points
        .iter()
        .map(|point| (point.threshold, point.fpr, point.tpr))
        .collect();
    assert_eq!(
        points,
        [
            (f64::INFINITY, 0.0, 0.0),
            (3.0, 0.0, 0.5),
            (2.0, 0.5, 1.0),
            (1.0, 1.0, 1.0)
        ]
    );
}

#[test]
fn curves_that_cross_have_an_area_between_them() {
    // One score for all is the diagonal. The other curve runs (0, ½), (1, ½), (1, 1): a quarter over and a quarter under, less
    // what lies beyond: two triangles of 1/8.
    let flat = sample(&[(0.5, 4)]);
    let (no, yes) = (sample(&[(0.5, 2)]), sample(&[(0.1, 1), (0.9, 1)]));
    let (even, crossing) = (split(&flat, &flat), split(&no, &yes));
    assert_eq!((auc(even), auc(crossing)), (Some(0.5), Some(0.5)));
    assert_eq!(abroca(crossing, even), Some(0.25));
    assert_eq!(abroca(even, crossing), Some(0.25));
}

#[test]
fn a_reference_with_one_score_has_no_bins() {
    let (alike, some) = (sample(&[(0.5, 40)]), sample(&[(0.2, 3), (0.6, 2)]));
    assert_eq!(psi10(&alike, &some), None);
    assert_eq!(psi(&some, &alike, 1), None);
    assert!(psi10(&some, &alike).is_some());
}

#[test]
fn full_separation_has_the_exact_probability() {
    let (low, high) = (sample(&[(0.1, 3)]), sample(&[(0.2, 5)]));
    let test = kolmogorov_smirnov(&low, &high).expect("both have people");
    assert_eq!(test.d, 1.0);
    assert!((test.p.value - 2.0 / 56.0).abs() < 1e-15);
    let (one, other) = (sample(&[(0.1, 1)]), sample(&[(0.2, 1)]));
    let test = kolmogorov_smirnov(&one, &other).expect("both have people");
    assert!((test.p.value - 1.0).abs() < 1e-15);
}

#[test]
fn where_p_underflows_its_logarithm_stays() {
    let (low, high) = (
        sample(&[(0.1, 5_000_000), (0.2, 1)]),
        sample(&[(0.1, 1), (0.2, 5_000_000)]),
    );
    let test = kolmogorov_smirnov(&low, &high).expect("both have people");
    assert!(test.p.value == 0.0 && test.p.log10 < -1e6 && test.p.log10.is_finite());
}

#[test]
fn the_largest_counts_are_answered() {
    let (no, yes) = (
        sample(&[(0.1, COUNT_MAX / 2), (0.4, 1)]),
        sample(&[(0.1, 1), (0.4, COUNT_MAX / 2)]),
    );
    let got = auc_delong(split(&no, &yes)).expect("both classes have people");
    assert!(got.value < 1.0 && got.se.is_some_and(|se| se > 0.0 && se < 1e-10));
    assert!(wasserstein(&no, &yes).is_some_and(|distance| (distance - 0.3).abs() < 1e-12));
    assert!(kolmogorov_smirnov(&no, &yes).is_some_and(|test| test.p.log10.is_finite()));
}

#[test]
fn the_loss_of_many_is_that_of_each() {
    let scores: Vec<f64> = (0..=4000)
        .map(|i| (f64::from(i) / 4000.0).powi(5))
        .collect();
    let all = Sample::from_sorted_values(scores.clone()).expect("ascending");
    let empty = sample(&[]);
    let cut = |score: &f64| score.clamp(1e-15, 1.0 - 1e-15);
    let of_positive: f64 = scores.iter().map(|score| -cut(score).ln()).sum();
    let of_negative: f64 = scores.iter().map(|score| -(-cut(score)).ln_1p()).sum();
    for (scores, want) in [
        (split(&empty, &all), of_positive),
        (split(&all, &empty), of_negative),
    ] {
        let got = log_loss(scores).expect("probabilities") * all.n() as f64;
        assert!((got / want - 1.0).abs() < 1e-13, "{got} {want}");
    }
}

/// Scores with many ties, and their counts.
fn samples() -> impl Strategy<Value = Sample> {
    let score = prop_oneof![
        (0..=10_i32).prop_map(|i| f64::from(i) / 10.0),
        (0..=1000_i32).prop_map(|i| f64::from(i) / 1000.0),
    ];
    prop::collection::vec((score, 0..6_u64), 0..25).prop_map(|pairs| sample(&pairs))
}

fn doubled(once: &Sample) -> Sample {
    Sample::merged(&[once, once])
}

/// -s for every score s.
fn mirrored(sample: &Sample) -> Sample {
    Sample::from_counts(sample.iter().map(|(value, count)| (-value, count))).expect("finite scores")
}

/// Both undefined, or equal to 1e-12.
fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12,
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn swapping_labels_or_turning_scores_turns_auc_round(a in samples(), b in samples()) {
        let here = auc_delong(split(&a, &b));
        let swapped = auc_delong(split(&b, &a));
        let turned = auc_delong(split(&mirrored(&a), &mirrored(&b)));
        prop_assert!(same(here.map(|auc| 1.0 - auc.value), swapped.map(|auc| auc.value)));
        prop_assert!(same(here.map(|auc| 1.0 - auc.value), turned.map(|auc| auc.value)));
        let se = |auc: Option<Auc>| auc.and_then(|auc| auc.se);
        prop_assert!(same(se(here), se(swapped)) && same(se(here), se(turned)));
    }

    #[test]
    fn auc_is_the_area_under_the_curve(a in samples(), b in samples()) {
        let area = roc(split(&a, &b)).map(|points| {
            let pieces = points.windows(2);
            pieces.map(|w| (w[1].fpr - w[0].fpr) * (w[1].tpr + w[0].tpr) / 2.0).sum::<f64>()
        });
        prop_assert!(same(auc(split(&a, &b)), area));
    }

    #[test]
    fn where_one_curve_lies_above_the_area_between_is_the_difference_of_areas(
        a in samples(), b in samples(), c in samples(), d in samples(),
    ) {
        let (g, r) = (split(&a, &b), split(&c, &d));
        if let (Some(area), Some(x), Some(y)) = (abroca(g, r), auc(g), auc(r)) {
            prop_assert!(area >= (x - y).abs() - 1e-12 && area <= 1.0);
            prop_assert!(same(Some(area), abroca(r, g)));
        }
        let flat = sample(&[(0.5, 1)]);
        let above = sample(&[(0.9, 1)]);
        if let Some(x) = auc(g) {
            // Against the curve through (0, 1) nothing lies above.
            prop_assert!(same(abroca(g, split(&flat, &above)), Some(1.0 - x)));
        }
        prop_assert!(same(abroca(g, g), auc(g).map(|_| 0.0)));
    }

    #[test]
    fn distances_are_symmetric_and_zero_for_equals(a in samples(), b in samples()) {
        let (there, back) = (kolmogorov_smirnov(&a, &b), kolmogorov_smirnov(&b, &a));
        prop_assert_eq!(there, back);
        prop_assert_eq!(wasserstein(&a, &b), wasserstein(&b, &a));
        if !a.is_empty() {
            let twice = doubled(&a);
            prop_assert_eq!(wasserstein(&a, &twice), Some(0.0));
            prop_assert_eq!(kolmogorov_smirnov(&a, &twice).map(|test| (test.d, test.p.value)), Some((0.0, 1.0)));
            prop_assert!(same(psi10(&a, &a), psi10(&a, &a).map(|_| 0.0)));
        }
        let (d, w) = (mean_difference(&a, &b), wasserstein(&a, &b));
        if let (Some(d), Some(w), Some(test)) = (d, w, there) {
            prop_assert!(d.abs() <= w + 1e-12);
            prop_assert!((0.0..=1.0).contains(&test.d) && (0.0..=1.0).contains(&test.p.value));
        }
    }

    #[test]
    fn together_or_one_by_one_is_the_same(a in samples(), b in samples()) {
        let one_by_one = || Some(Against {
            ks: kolmogorov_smirnov(&a, &b)?,
            wasserstein: wasserstein(&a, &b),
            mann_whitney: crate::rank::mann_whitney(&a, &b)?,
        });
        prop_assert_eq!(against(&a, &b), one_by_one());
    }

    /// Through the values of both instead of through people, as the definition has it.
    #[test]
    fn the_distance_is_the_area_between_the_distributions(a in samples(), b in samples()) {
        let all = Sample::merged(&[&a, &b]);
        let share = |sample: &Sample, score| 1.0 - sample.count_above(score) as f64 / sample.n() as f64;
        let area = all.values().windows(2).map(|pair| {
            (pair[1] - pair[0]) * (share(&a, pair[0]) - share(&b, pair[0])).abs()
        });
        let want = (!a.is_empty() && !b.is_empty()).then(|| area.sum::<f64>());
        prop_assert!(same(wasserstein(&a, &b), want));
    }

    #[test]
    fn everyone_twice_leaves_the_figures(a in samples(), b in samples(), c in samples(), d in samples()) {
        let [a2, b2, c2, d2] = [&a, &b, &c, &d].map(doubled);
        let (once, twice) = (split(&a, &b), split(&a2, &b2));
        let others = [split(&c, &d), split(&c2, &d2)];
        prop_assert!(same(auc(once), auc(twice)));
        prop_assert!(same(abroca(once, others[0]), abroca(twice, others[1])));
        prop_assert!(same(brier(once), brier(twice)));
        prop_assert!(same(log_loss(once), log_loss(twice)));
        prop_assert!(same(ece10(once), ece10(twice)));
        prop_assert!(same(calibration_in_the_large(once), calibration_in_the_large(twice)));
        prop_assert!(same(wasserstein(&a, &b), wasserstein(&a2, &b2)));
        prop_assert!(same(mean_difference(&a, &b), mean_difference(&a2, &b2)));
        let d = |test: Option<KolmogorovSmirnov>| test.map(|test| test.d);
        prop_assert_eq!(d(kolmogorov_smirnov(&a, &b)), d(kolmogorov_smirnov(&a2, &b2)));
    }

    #[test]
    fn calibration_error_bounds_the_bias(a in samples(), b in samples(), n_bins in 1..40_u32) {
        let scores = split(&a, &b);
        if let (Some(error), Some(bias)) = (ece(scores, n_bins), calibration_in_the_large(scores)) {
            prop_assert!(error >= bias.abs() - 1e-12 && error <= 1.0);
        }
        prop_assert!(same(ece(scores, 1), calibration_in_the_large(scores).map(f64::abs)));
    }
}
