use proptest::prelude::*;

use super::*;

fn sample(pairs: &[(f64, u64)]) -> Sample {
    Sample::from_counts(pairs.iter().copied()).expect("finite scores")
}

#[test]
fn equal_scores_are_added_and_empty_ones_dropped() {
    let got = sample(&[(2.0, 1), (-0.0, 2), (3.0, 0), (0.0, 1), (2.0, 4)]);
    assert_eq!(got.values(), [0.0, 2.0]);
    assert!(got.values()[0].is_sign_positive());
    assert_eq!(got.counts().collect::<Vec<_>>(), [3, 5]);
    let got = Sample::from_sorted_values(vec![-1.0, -0.0, 0.0, 0.0, 2.0, 2.0]).expect("ascending");
    assert_eq!(got.values(), [-1.0, 0.0, 2.0]);
    assert_eq!(got.counts().collect::<Vec<_>>(), [1, 3, 2]);
}

#[test]
fn what_is_not_a_score_is_refused() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Sample::from_counts([(0.5, 1), (wrong, 1)]), None);
        assert_eq!(Sample::from_sorted_values(vec![0.5, wrong]), None);
    }
    assert_eq!(Sample::from_sorted_values(vec![0.5, 0.4]), None);
    assert_eq!(Sample::from_counts([(0.5, COUNT_MAX), (0.6, 1)]), None);
    assert_eq!(
        Sample::from_counts([(0.5, u64::MAX), (0.6, u64::MAX)]),
        None
    );
}

#[test]
fn an_empty_sample_has_no_figures() {
    let empty = sample(&[]);
    assert!(empty.is_empty() && Sample::merged(&[]).is_empty());
    let figures = [
        empty.mean(),
        empty.sd(),
        empty.median(),
        empty.min(),
        empty.max(),
    ];
    assert_eq!(figures, [None; 5]);
    assert_eq!(empty.count_above(0.0), 0);
}

#[test]
fn one_person_has_a_mean_but_no_spread() {
    let one = sample(&[(0.1, 1)]);
    assert_eq!(
        (one.mean(), one.median(), one.variance()),
        (Some(0.1), Some(0.1), None)
    );
}

#[test]
fn quantiles_lie_between_two_people_in_proportion() {
    let got = sample(&[(1.0, 2), (2.0, 1), (10.0, 1)]);
    assert_eq!(
        got.quantiles(&[0.0, 0.25, 0.5, 0.75, 1.0]),
        Some(vec![1.0, 1.0, 1.5, 4.0, 10.0])
    );
    assert_eq!(got.quantile(1.1), None);
    assert_eq!(got.quantile(f64::NAN), None);
    assert_eq!(got.quantiles(&[0.5, 0.4]), None);
}

#[test]
fn people_on_the_limit_are_counted_apart() {
    let got = sample(&[(1.0, 2), (2.0, 3), (3.0, 4)]);
    assert_eq!((got.count_above(2.0), got.count_at_or_above(2.0)), (4, 7));
    assert_eq!((got.count_above(0.0), got.count_at_or_above(3.5)), (9, 0));
    assert_eq!(
        (got.count_above(f64::NAN), got.count_at_or_above(f64::NAN)),
        (0, 0)
    );
}

#[test]
fn a_mean_far_from_zero_keeps_its_digits() {
    let got = sample(&[(1e9, 1), (1e9 + 1.0, 1), (1e9 + 2.0, 1)]);
    assert_eq!((got.mean(), got.variance()), (Some(1e9 + 1.0), Some(1.0)));
    let alike = sample(&[(0.1, 3_000_001)]);
    assert_eq!((alike.mean(), alike.variance()), (Some(0.1), Some(0.0)));
}

#[test]
fn what_leaves_the_range_is_undefined() {
    let wide = sample(&[(-f64::MAX, 1), (f64::MAX, 3)]);
    assert_eq!(wide.variance(), None);
    assert!(wide.median().is_some_and(f64::is_finite));
    assert!(wide.mean().is_none_or(f64::is_finite));
}

#[test]
fn a_long_sum_loses_nothing() {
    let plain = sum((0..1_000_000).map(|_| 0.1));
    assert!((plain - 100_000.0).abs() < 1e-9, "{plain}");
    let cancelling = [1e16]
        .into_iter()
        .chain((0..640).map(|_| 1.0))
        .chain([-1e16]);
    assert!((sum(cancelling) - 640.0).abs() <= 128.0);
}

#[test]
fn long_samples_are_merged_in_stretches() {
    // Of very different length and density, with values that many share.
    let every = |step: u64, from: u64, to: u64| {
        let values = (from..to).step_by(step as usize).map(|i| i as f64);
        values.map(|value| (value, step)).collect::<Vec<_>>()
    };
    let parts = [
        every(1, 0, 5000),
        every(2, 0, 9000),
        every(1000, 500, 90_000),
        every(3, 4000, 4003),
        vec![],
    ];
    let samples = parts.clone().map(|pairs| sample(&pairs));
    let together = sample(&parts.concat());
    assert_eq!(Sample::merged(&samples.each_ref()), together);
    let [a, b, ..] = &samples;
    let of_two = Sample::merged(&[a, b]);
    assert_eq!(of_two, sample(&parts[..2].concat()));
}

#[test]
fn a_long_sample_stands_in_another_where_plain_search_puts_it() {
    // Alike dense, with gaps, with few among many, apart, and with values of both.
    let every = |step: usize, from: u32, to: u32| -> Vec<f64> {
        (from..to).step_by(step).map(f64::from).collect()
    };
    let lists = [
        every(1, 0, 20_000),
        every(3, 500, 60_000),
        every(997, 1, 90_000),
        [every(1, 0, 300), every(7, 40_000, 90_000)].concat(),
        every(1, 100_000, 100_050),
        vec![],
    ];
    let samples = lists.map(|list| Sample::from_sorted_values(list).expect("ascending"));
    for (a, b) in samples
        .iter()
        .flat_map(|a| samples.iter().map(move |b| (a, b)))
    {
        let mut got = Vec::new();
        standings(a, b, |index, place| got.push((index, place)));
        let plain = |value: &f64| b.values.partition_point(|other| other < value);
        let want: Vec<_> = a.values.iter().map(plain).enumerate().collect();
        assert!(got == want);
    }
}

#[test]
fn samples_with_and_without_ties_are_merged() {
    let alone: Vec<(f64, u64)> = (0..20_000).map(|i| (f64::from(i), 1)).collect();
    let tied: Vec<(f64, u64)> = (0..9000).map(|i| (f64::from(2 * i), 3)).collect();
    let apart: Vec<(f64, u64)> = (0..9000).map(|i| (f64::from(i) + 0.5, 1)).collect();
    let [a, b, c] = [&alone, &tied, &apart].map(|pairs| sample(pairs));
    assert_eq!(
        Sample::merged(&[&a, &b]),
        sample(&[alone.clone(), tied.clone()].concat())
    );
    assert_eq!(
        Sample::merged(&[&c, &a]),
        sample(&[alone.clone(), apart.clone()].concat())
    );
    assert_eq!(
        Sample::merged(&[&a, &c, &b]),
        sample(&[alone, tied, apart].concat())
    );
}

/// Scores with many ties, and their counts.
fn pairs() -> impl Strategy<Value = Vec<(f64, u64)>> {
    prop::collection::vec(
        (
            (0..12_i32).prop_map(|i| f64::from(i) / 10.0 - 0.3),
            0..5_u64,
        ),
        0..30,
    )
}

fn expanded(sample: &Sample) -> Vec<f64> {
    sample
        .iter()
        .flat_map(|(value, count)| (0..count).map(move |_| value))
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_rows_changes_nothing(pairs in pairs(), by in 0..30_usize) {
        let mut turned = pairs.clone();
        turned.rotate_left(by.min(pairs.len()));
        prop_assert_eq!(sample(&pairs), sample(&turned));
    }

    #[test]
    fn one_score_per_person_gives_the_same_sample(pairs in pairs()) {
        let counted = sample(&pairs);
        prop_assert_eq!(Sample::from_sorted_values(expanded(&counted)), Some(counted));
    }

    #[test]
    fn merging_is_counting_together(a in pairs(), b in pairs(), c in pairs()) {
        let together = sample(&[a.clone(), b.clone(), c.clone()].concat());
        let [a, b, c] = [a, b, c].map(|pairs| sample(&pairs));
        prop_assert_eq!(&Sample::merged(&[&a, &b, &c]), &together);
        prop_assert_eq!(&Sample::merged(&[&c, &b, &a]), &together);
        prop_assert_eq!(Sample::merged(&[&a]), a);
    }

    #[test]
    fn a_quantile_is_that_of_the_expanded_order(pairs in pairs(), q in 0.0..=1.0_f64) {
        let got = sample(&pairs);
        let people = expanded(&got);
        if let Some(last) = people.len().checked_sub(1) {
            let position = last as f64 * q;
            let low = people[position as usize];
            let high = people[(position as usize + 1).min(last)];
            let want = between(low, high, position.fract());
            prop_assert_eq!(got.quantile(q), Some(want));
            prop_assert!(got.count_above(want) as f64 <= (1.0 - q) * last as f64 + 1.0);
        }
    }

    #[test]
    fn everyone_twice_leaves_the_mean(pairs in pairs()) {
        let once = sample(&pairs);
        let twice = Sample::merged(&[&once, &once]);
        prop_assert_eq!(once.n() * 2, twice.n());
        prop_assert_eq!(once.mean().is_some(), twice.mean().is_some());
        if let (Some(a), Some(b)) = (once.mean(), twice.mean()) {
            prop_assert!((a - b).abs() < 1e-15);
        }
    }
}
