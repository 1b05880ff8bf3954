use proptest::prelude::*;

use super::*;

fn list(groups: &[usize], n_groups: usize) -> Ranking {
    Ranking::new(groups.to_vec(), n_groups).expect("known groups")
}

#[test]
fn a_group_that_is_not_declared_is_refused() {
    assert_eq!(Ranking::new(vec![0, 2], 2), None);
    assert_eq!(Ranking::new(vec![0], 0), None);
    assert!(Ranking::new(vec![], 0).is_some());
}

#[test]
fn the_top_is_counted() {
    let ranking = list(&[0, 0, 1, 0, 1, 1], 2);
    let values = |shares: Option<Vec<Proportion>>| -> Vec<Option<f64>> {
        let shares = shares.expect("k within the list");
        shares.into_iter().map(Proportion::value).collect()
    };
    assert_eq!(values(topk_share(&ranking, 4)), [Some(0.75), Some(0.25)]);
    assert_eq!(values(topk_rate(&ranking, 4)), [Some(1.0), Some(1.0 / 3.0)]);
    assert_eq!(
        impact_ratio_topk(&ranking, 4),
        Some(vec![Some(1.0), Some(1.0 / 3.0)])
    );
    let skew = skew(&ranking, 4).expect("k within the list");
    assert_eq!(skew.by_group, [Some(1.5_f64.ln()), Some(0.5_f64.ln())]);
    assert_eq!(
        (skew.min, skew.max),
        (Some(0.5_f64.ln()), Some(1.5_f64.ln()))
    );
}

#[test]
fn no_top_or_more_than_the_list_has_no_figures() {
    let ranking = list(&[0, 1], 2);
    for k in [0, 3] {
        assert_eq!(topk_share(&ranking, k), None);
        assert_eq!(topk_rate(&ranking, k), None);
        assert_eq!(impact_ratio_topk(&ranking, k), None);
        assert_eq!(skew(&ranking, k), None);
    }
}

#[test]
fn a_group_absent_from_the_top_leaves_no_smallest_skew() {
    // The third group has no members at all: it is no worst case.
    let skew = skew(&list(&[0, 0, 1, 0], 3), 2).expect("k within the list");
    assert_eq!(skew.by_group, [Some((4.0_f64 / 3.0).ln()), None, None]);
    assert_eq!((skew.min, &skew.absent), (None, &vec![1]));
    assert!(skew.max.is_some());
}

#[test]
fn a_group_without_members_is_undefined_throughout() {
    let ranking = list(&[0, 0], 2);
    assert_eq!(mean_exposure(&ranking)[1], None);
    assert_eq!(exposure_ratio_vs_max(&ranking), [Some(1.0), None]);
    assert_eq!(impact_ratio_topk(&ranking, 1), Some(vec![Some(1.0), None]));
    assert_eq!(ndkl(&ranking), Some(0.0));
}

#[test]
fn an_empty_list_has_no_divergence() {
    assert_eq!(ndkl(&list(&[], 2)), None);
    assert_eq!(mean_exposure(&list(&[], 2)), [None, None]);
}

#[test]
fn taking_turns_diverges_less_than_one_group_first() {
    let turns = ndkl(&list(&[0, 1, 0, 1, 0, 1], 2)).expect("a list");
    let apart = ndkl(&list(&[0, 0, 0, 1, 1, 1], 2)).expect("a list");
    assert!(0.0 < turns && turns < apart);
}

fn some_lists() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..4usize, 1..60)
}

proptest! {
    #[test]
    fn names_of_groups_change_nothing(groups in some_lists()) {
        let renamed: Vec<usize> = groups.iter().map(|group| 3 - group).collect();
        let (one, other) = (list(&groups, 4), list(&renamed, 4));
        let mut exposures = mean_exposure(&other);
        exposures.reverse();
        prop_assert_eq!(mean_exposure(&one), exposures);
        let (one, other) = (ndkl(&one).expect("a list"), ndkl(&other).expect("a list"));
        prop_assert!((one - other).abs() <= 1e-13);
    }

    #[test]
    fn figures_keep_their_range(groups in some_lists(), part in 0.0..1.0f64) {
        let ranking = list(&groups, 4);
        let k = 1 + (part * (groups.len() - 1) as f64) as usize;
        prop_assert!(ndkl(&ranking).expect("a list") >= 0.0);
        let ratios = impact_ratio_topk(&ranking, k).expect("k within the list");
        let ratios: Vec<f64> = ratios.into_iter().flatten().collect();
        prop_assert!(ratios.iter().all(|ratio| (0.0..=1.0).contains(ratio)));
        prop_assert!(ratios.contains(&1.0));
        let exposures: Vec<f64> = exposure_ratio_vs_max(&ranking).into_iter().flatten().collect();
        prop_assert!(exposures.iter().all(|ratio| 0.0 < *ratio && *ratio <= 1.0));
        // The whole list is like itself.
        let whole = skew(&ranking, groups.len()).expect("the list");
        prop_assert!(whole.by_group.iter().flatten().all(|&skew| skew == 0.0));
        let some = skew(&ranking, k).expect("k within the list");
        prop_assert!(some.max.expect("somebody stands there") >= 0.0);
        prop_assert!(some.min.is_none_or(|min| min <= 0.0));
    }
}
