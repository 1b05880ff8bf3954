use proptest::prelude::*;

use super::*;

fn table(rows: &[&[u64]]) -> Table {
    Table::new(rows.iter().map(|row| row.to_vec()).collect()).expect("an even table")
}

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("a share")
}

#[test]
fn shares_and_their_sums_are_counts_of_counts() {
    let classes = table(&[&[2, 3, 5], &[4, 4, 2]]);
    assert_eq!(
        shares(&classes, 0),
        Some(vec![share(2, 10), share(3, 10), share(5, 10)])
    );
    let sums = vec![share(2, 10), share(5, 10), share(10, 10)];
    assert_eq!(cumulative_shares(&classes, 0), Some(sums));
    assert_eq!(
        ratios(&classes, 0, 1),
        Some(vec![Some(0.5), Some(0.75), Some(2.5)])
    );
    let cuts = Some(vec![Some(0.5), Some(0.625), Some(1.0)]);
    assert_eq!(cumulative_ratios(&classes, 0, 1), cuts);
}

#[test]
fn a_row_that_is_not_there_has_no_shares() {
    let classes = table(&[&[2, 3]]);
    assert_eq!(shares(&classes, 1), None);
    assert_eq!(cumulative_shares(&classes, 1), None);
    assert_eq!(ratios(&classes, 0, 1), None);
    assert_eq!(cumulative_ratios(&classes, 1, 0), None);
}

#[test]
fn a_class_nobody_of_the_reference_has_gives_no_ratio() {
    let classes = table(&[&[1, 1], &[0, 4], &[0, 0]]);
    assert_eq!(ratios(&classes, 0, 1), Some(vec![None, Some(0.5)]));
    assert_eq!(ratios(&classes, 2, 1), Some(vec![None, None]));
}

#[test]
fn an_empty_group_is_listed_and_not_counted_as_zero() {
    let spreads = class_spreads(&table(&[&[1, 3], &[0, 0], &[2, 2]]));
    let first = spreads[0].as_ref().expect("two groups with people");
    assert_eq!((first.difference, &first.undefined), (0.25, &vec![1]));
    assert_eq!(class_spreads(&table(&[&[0, 0]])), vec![None, None]);
}

proptest! {
    #[test]
    fn two_classes_have_the_same_gap(a in 0..99u64, b in 0..99u64, c in 0..99u64, d in 0..99u64) {
        let spreads = class_spreads(&table(&[&[a, b], &[c, d]]));
        let gaps: Vec<Option<f64>> = spreads
            .iter()
            .map(|spread| spread.as_ref().map(|spread| spread.difference))
            .collect();
        prop_assert_eq!(gaps[0].is_some(), gaps[1].is_some());
        if let (Some(one), Some(other)) = (gaps[0], gaps[1]) {
            prop_assert!((one - other).abs() < 1e-14);
        }
    }

    #[test]
    fn cumulative_shares_rise_to_all(row in prop::collection::vec(0..1000u64, 1..8)) {
        let sums = cumulative_shares(&table(&[&row]), 0).expect("a row");
        prop_assert!(sums.windows(2).all(|pair| pair[0].k() <= pair[1].k()));
        let last = sums.last().expect("a class");
        prop_assert_eq!(last.k(), last.n());
    }
}
