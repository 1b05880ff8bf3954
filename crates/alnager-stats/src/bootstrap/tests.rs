use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::proportion::COUNT_MAX;

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("k is at most n")
}

#[test]
fn replicates_have_the_right_means_and_covariances() {
    let cells = [50, 0, 30, 15, 5];
    let n = 4000;
    let tables = resample(&cells, n, 1, <[u64]>::to_vec).expect("in range");
    let mean = |f: &dyn Fn(&[u64]) -> f64| tables.iter().map(|t| f(t)).sum::<f64>() / n as f64;
    for (i, &cell) in cells.iter().enumerate() {
        let p = cell as f64 / 100.0;
        let se = (100.0 * p * (1.0 - p) / n as f64).sqrt();
        assert!((mean(&|t| t[i] as f64) - 100.0 * p).abs() <= 4.0 * se);
        for (j, &other) in cells.iter().enumerate().take(i) {
            let q = other as f64 / 100.0;
            let product = |t: &[u64]| (t[i] as f64 - 100.0 * p) * (t[j] as f64 - 100.0 * q);
            let sd = 100.0 * (p * (1.0 - p) * q * (1.0 - q)).sqrt() + 100.0 * p * q;
            let off = mean(&product) + 100.0 * p * q;
            assert!(off.abs() <= 4.5 * sd / (n as f64).sqrt(), "{i} {j}: {off}");
        }
    }
}

/// What a seed gives may never change. If this test fails, the change is wrong, not the test.
#[test]
fn replicates_are_frozen() {
    let tables = resample(&[7, 500, 0, 40, 2], 3, 42, |t| format!("{t:?}\n")).expect("in range");
    expect![[r#"
        [8, 496, 0, 44, 1]
        [8, 500, 0, 39, 2]
        [6, 514, 0, 25, 4]
    "#]]
    .assert_eq(&tables.concat());
    let clusters: Vec<Cluster> = (0..9)
        .map(|id| Cluster {
            id: id * 1_000_003,
            cells: vec![(id as usize % 3, 2), (1, 1)],
        })
        .collect();
    let tables = resample_clusters(&clusters, 3, 3, 42, |t| format!("{t:?}\n")).expect("in range");
    expect![[r#"
        [10, 13, 10]
        [6, 13, 2]
        [6, 16, 2]
    "#]]
    .assert_eq(&tables.concat());
}

#[test]
fn any_size_is_redrawn() {
    let cells = [COUNT_MAX / 2, COUNT_MAX / 4, 3];
    let rows: u64 = cells.iter().sum();
    let sums = resample(&cells, 5, 1, |t| t.iter().sum::<u64>()).expect("in range");
    assert_eq!(sums, [rows; 5]);
    assert_eq!(resample(&[COUNT_MAX, 1], 5, 1, |_| ()), None);
    assert_eq!(resample(&[], 2, 1, <[u64]>::len), Some(vec![0, 0]));
}

#[test]
fn undefined_replicates_are_counted_apart() {
    let replicates = Replicates::new([Some(2.0), None, Some(1.0), Some(f64::NAN), Some(4.0)]);
    assert_eq!((replicates.defined(), replicates.undefined()), (3, 2));
    assert_eq!(replicates.quantile(0.0), Some(1.0));
    assert_eq!(replicates.quantile(0.25), Some(1.5));
    assert_eq!(replicates.quantile(1.0), Some(4.0));
    assert_eq!(replicates.quantile(1.1), None);
    assert_eq!(Replicates::new([None]).percentile(0.95), None);
    assert_eq!(Replicates::new([Some(1.0)]).standard_deviation(), None);
    assert_eq!(replicates.percentile(1.0), None);
}

#[test]
fn bca_has_no_answer_at_a_border() {
    let replicates = Replicates::new((0..100).map(|i| Some(f64::from(i))));
    assert_eq!(replicates.bca(-1.0, 0.0, 0.95), None);
    // Without bias and acceleration it is the percentile interval.
    let (bca, plain) = (replicates.bca(49.5, 0.0, 0.9), replicates.percentile(0.9));
    let (bca, plain) = (bca.expect("bca"), plain.expect("percentile"));
    assert!((bca.low - plain.low).abs() < 1e-9 && (bca.high - plain.high).abs() < 1e-9);
}

#[test]
fn a_family_of_one_is_nearly_its_own_interval_and_a_larger_family_wider() {
    let cells = [30, 70, 40, 60, 50, 50];
    let rates = |t: &[u64]| -> Vec<Option<f64>> {
        let rate = |c: &[u64]| Some(c[0] as f64 / (c[0] + c[1]) as f64);
        t.chunks_exact(2).map(rate).collect()
    };
    let tables = resample(&cells, 2000, 3, rates).expect("in range");
    let one: Vec<Vec<Option<f64>>> = tables.iter().map(|row| row[..1].to_vec()).collect();
    let estimates = rates(&cells);
    let alone = simultaneous(&estimates[..1], &one, 0.95).expect("a family");
    let family = simultaneous(&estimates, &tables, 0.95).expect("a family");
    assert!((alone.reach - 1.96).abs() < 0.12, "{}", alone.reach);
    // Three independent figures: 0.95^(1/3) each.
    assert!((family.reach - 2.388).abs() < 0.12, "{}", family.reach);
    assert_eq!(family.undefined, [0, 0, 0]);
}

#[test]
fn figures_without_spread_have_no_interval() {
    let rows = vec![
        vec![Some(1.0), None, Some(2.0)],
        vec![Some(1.0), None, Some(4.0)],
    ];
    let family = simultaneous(&[Some(1.0), None, Some(3.0)], &rows, 0.9).expect("a family");
    let shown: Vec<bool> = family.intervals.iter().map(Option::is_some).collect();
    assert_eq!(shown, [false, false, true]);
    assert_eq!(family.undefined, [0, 2, 0]);
    assert_eq!(simultaneous(&[Some(1.0)], &rows, 0.9), None);
}

#[test]
fn people_with_several_rows_count_once() {
    // 200 people with five equal rows each: the spread must be that of 200 people, not of 1,000 rows.
    let clusters: Vec<Cluster> = (0..200)
        .map(|id| Cluster {
            id,
            cells: vec![(usize::from(id % 4 == 0), 5)],
        })
        .collect();
    let rate = |t: &[u64]| Some(t[1] as f64 / (t[0] + t[1]) as f64);
    let drawn = resample_clusters(&clusters, 2, 2000, 4, rate).expect("in range");
    let sd = Replicates::new(drawn)
        .standard_deviation()
        .expect("a spread");
    let want = (0.25 * 0.75 / 200.0_f64).sqrt();
    assert!((sd / want - 1.0).abs() < 0.06, "{sd} {want}");
}

#[test]
fn clusters_out_of_range_are_refused() {
    let cluster = |id, cell, count| Cluster {
        id,
        cells: vec![(cell, count)],
    };
    let none = |clusters: &[Cluster]| resample_clusters(clusters, 2, 1, 1, |_| ()).is_none();
    assert!(none(&[cluster(1, 2, 1)]));
    assert!(none(&[cluster(1, 0, COUNT_MAX / 10)]));
    assert!(none(&[cluster(1, 0, 1), cluster(1, 1, 1)]));
    assert!(!none(&[cluster(1, 0, 1), cluster(2, 1, 1)]));
}

#[test]
fn the_reference_is_chosen_anew() {
    let groups = [share(300, 600), share(290, 600), share(3, 4), share(0, 0)];
    let all = impact_ratios(&groups, 100, 1000, 5, 0.95).expect("in range");
    // The group of four has the highest rate but cannot be the reference; the empty one has no ratio.
    assert_eq!(all.groups[2].value, Some(1.5));
    assert_eq!(all.groups[3].value, None);
    assert_eq!(all.groups[3].undefined, 1000);
    assert_eq!(all.groups[3].interval, None);
    // The observed highest is below 1 in the replicates where the other is the highest.
    let first = all.groups[0].interval.expect("an interval");
    assert!(first.low < 0.95 && first.high == 1.0, "{first:?}");
    // About four replicates in a hundred hold nobody of a group of four in twelve hundred.
    assert!(all.groups[2].undefined > 5 && all.groups[2].undefined < 50);
    assert_eq!(all.smallest.value, Some(290.0 / 300.0));
}

#[test]
fn nobody_selected_gives_no_ratio() {
    let groups = [share(0, 50), share(0, 60)];
    let all = impact_ratios(&groups, 0, 50, 5, 0.95).expect("in range");
    assert_eq!((all.smallest.value, all.smallest.undefined), (None, 50));
    assert_eq!(impact_ratios(&groups, 0, 50, 5, 0.0), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn the_order_of_groups_changes_nothing(seed: u64, a in 1..40_u64, b in 50..90_u64, c in 91..150_u64) {
        // Different counts in every cell.
        let groups = [share(a, a + 200), share(b, b + 301), share(c, c + 402)];
        let turned = [groups[2], groups[0], groups[1]];
        let plain = impact_ratios(&groups, 0, 50, seed, 0.9).expect("in range");
        let other = impact_ratios(&turned, 0, 50, seed, 0.9).expect("in range");
        prop_assert_eq!(&plain.smallest, &other.smallest);
        prop_assert_eq!(&plain.groups[0], &other.groups[1]);
    }

    #[test]
    fn the_order_of_clusters_changes_nothing(seed: u64, ids in prop::collection::btree_set(any::<u64>(), 1..20)) {
        let mut clusters: Vec<Cluster> = ids
            .into_iter()
            .map(|id| Cluster { id, cells: vec![((id % 3) as usize, 1 + id % 5)] })
            .collect();
        let plain = resample_clusters(&clusters, 3, 5, seed, <[u64]>::to_vec);
        clusters.reverse();
        prop_assert_eq!(plain, resample_clusters(&clusters, 3, 5, seed, <[u64]>::to_vec));
    }
}
