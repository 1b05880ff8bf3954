use proptest::prelude::*;

use super::*;

fn sample(pairs: &[(f64, u64)]) -> Sample {
    Sample::from_counts(pairs.iter().copied()).expect("finite scores")
}

fn kruskal(samples: &[&Sample]) -> Option<KruskalWallis> {
    kruskal_wallis(samples, &Sample::merged(samples))
}

#[test]
fn the_undefined_is_none() {
    let (empty, one) = (sample(&[]), sample(&[(0.4, 1)]));
    let (alike, some) = (sample(&[(0.4, 5)]), sample(&[(0.1, 2), (0.7, 3)]));
    assert_eq!(welch(&one, &some), None);
    assert_eq!(welch(&alike, &alike), None);
    assert!(welch(&alike, &some).is_some());
    assert_eq!(mann_whitney(&empty, &some), None);
    let tied = mann_whitney(&alike, &one).expect("both have people");
    assert_eq!((tied.u, tied.test), (2.5, None));
    assert_eq!(kruskal(&[&some, &empty]), None);
    assert_eq!(kruskal(&[&alike, &one]), None);
    assert_eq!(
        kruskal(&[&some, &empty, &alike]).map(|test| test.df),
        Some(1)
    );
}

#[test]
fn one_million_million_people_are_ranked_exactly() {
    let n = 1_u64 << 40;
    let (low, high) = (sample(&[(0.0, n), (1.0, 1)]), sample(&[(1.0, n)]));
    let test = mann_whitney(&low, &high).expect("both have people");
    assert_eq!(test.u, n as f64 / 2.0);
    let test = kruskal(&[&low, &high]).expect("scores differ");
    assert!(test.h.is_finite() && test.p.log10 < -1e11);
}

/// Scores with many ties, and their counts.
fn samples() -> impl Strategy<Value = Sample> {
    prop::collection::vec(
        ((0..12_i32).prop_map(|i| f64::from(i) / 10.0), 0..5_u64),
        0..20,
    )
    .prop_map(|pairs| sample(&pairs))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0)
}

/// Kruskal's H from mid-ranks as the textbook has it.
fn plain_h(samples: &[&Sample]) -> f64 {
    let all = Sample::merged(samples);
    let n = all.n() as f64;
    let rank = |value: f64| {
        let lower = all.n() - all.count_at_or_above(value);
        let tied = all.count_at_or_above(value) - all.count_above(value);
        lower as f64 + (tied as f64 + 1.0) / 2.0
    };
    let squares: f64 = samples
        .iter()
        .map(|sample| {
            let ranks: f64 = sample
                .iter()
                .map(|(value, count)| count as f64 * rank(value))
                .sum();
            ranks * ranks / sample.n() as f64
        })
        .sum();
    let ties: f64 = all.counts().map(|t| (t * t * t - t) as f64).sum();
    (12.0 / (n * (n + 1.0)) * squares - 3.0 * (n + 1.0)) / (1.0 - ties / (n * n * n - n))
}

proptest! {
    #[test]
    fn changing_sides_turns_the_tests_round(a in samples(), b in samples()) {
        if let (Some(there), Some(back)) = (welch(&a, &b), welch(&b, &a)) {
            prop_assert_eq!(there.t, -back.t);
            prop_assert!(close(there.df, back.df) && close(there.p.log10, back.p.log10));
        }
        if let (Some(there), Some(back)) = (mann_whitney(&a, &b), mann_whitney(&b, &a)) {
            prop_assert_eq!(there.u + back.u, a.n() as f64 * b.n() as f64);
            prop_assert_eq!(there.test.map(|test| test.p), back.test.map(|test| test.p));
        }
    }

    #[test]
    fn kruskal_agrees_with_mid_ranks(a in samples(), b in samples(), c in samples()) {
        if let Some(test) = kruskal(&[&a, &b, &c]) {
            let filled: Vec<&Sample> = [&a, &b, &c].into_iter().filter(|s| !s.is_empty()).collect();
            let want = plain_h(&filled);
            prop_assert!((test.h - want).abs() < 1e-9 * want.max(1.0), "{} {}", test.h, want);
            prop_assert_eq!(kruskal(&[&c, &a, &b]).map(|test| test.df), Some(test.df));
        }
    }

    #[test]
    fn two_samples_alike_do_not_differ(a in samples()) {
        if let Some(test) = welch(&a, &a) {
            prop_assert_eq!((test.t, test.p.value), (0.0, 1.0));
        }
        if let Some(test) = mann_whitney(&a, &a).and_then(|both| both.test) {
            prop_assert_eq!((test.statistic, test.p.value), (0.0, 1.0));
        }
        if let Some(test) = kruskal(&[&a, &a]) {
            prop_assert_eq!((test.h, test.p.value), (0.0, 1.0));
        }
    }
}
