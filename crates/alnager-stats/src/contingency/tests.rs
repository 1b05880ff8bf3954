use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::compare;
use crate::proportion::Proportion;

fn table(rows: &[&[u64]]) -> Table {
    Table::new(rows.iter().map(|row| row.to_vec()).collect()).expect("an even table")
}

/// Shows chi-square with its degrees of freedom, V and the information, or that there is none.
#[track_caller]
fn check(rows: &[&[u64]], want: Expect) {
    let table = table(rows);
    let shown = |figure: Option<f64>| figure.map_or("none".into(), |figure| format!("{figure:.3}"));
    let chi2 = chi2(&table).map_or("none".into(), |test| {
        format!("{:.3} df {}", test.statistic, test.df)
    });
    let (v, nats) = (cramers_v(&table), mutual_information_nats(&table));
    want.assert_eq(&format!("{chi2}, V {}, nats {}", shown(v), shown(nats)));
}

#[test]
fn a_column_that_follows_from_the_row_has_a_v_of_one() {
    check(
        &[&[5, 0], &[0, 5]],
        expect!["10.000 df 1, V 1.000, nats 0.693"],
    );
    check(
        &[&[5, 0], &[0, 5], &[0, 5]],
        expect!["15.000 df 2, V 1.000, nats 0.637"],
    );
}

#[test]
fn equal_shares_have_exactly_no_link() {
    let even = table(&[&[10, 20, 30], &[1, 2, 3]]);
    assert_eq!(chi2(&even).expect("two by three").statistic, 0.0);
    assert_eq!(g_test(&even).expect("two by three").statistic, 0.0);
    assert_eq!(chi2(&even).expect("two by three").p.value, 1.0);
}

#[test]
fn an_empty_row_or_column_changes_nothing() {
    check(
        &[&[3, 4], &[5, 1]],
        expect!["2.236 df 1, V 0.415, nats 0.091"],
    );
    check(
        &[&[3, 0, 4], &[0, 0, 0], &[5, 0, 1]],
        expect!["2.236 df 1, V 0.415, nats 0.091"],
    );
}

#[test]
fn one_row_has_no_test() {
    check(&[&[3, 4]], expect!["none, V none, nats 0.000"]);
    check(&[&[3, 4], &[0, 0]], expect!["none, V none, nats 0.000"]);
}

#[test]
fn nothing_has_no_figure() {
    check(&[&[0, 0], &[0, 0]], expect!["none, V none, nats none"]);
    assert_eq!(min_expected_count(&table(&[&[0]])), None);
}

#[test]
fn what_is_no_table_is_refused() {
    assert_eq!(Table::new(vec![]), None);
    assert_eq!(Table::new(vec![vec![], vec![]]), None);
    assert_eq!(Table::new(vec![vec![1, 2], vec![3]]), None);
    assert_eq!(Table::new(vec![vec![COUNT_MAX, 1]]), None);
    assert_eq!(Table::new(vec![vec![u64::MAX, u64::MAX]]), None);
    assert!(Table::new(vec![vec![COUNT_MAX, 0]]).is_some());
}

fn some_tables() -> impl Strategy<Value = Vec<Vec<u64>>> {
    (1..5usize, 1..5usize).prop_flat_map(|(rows, columns)| {
        let count = prop_oneof![1 => Just(0), 4 => 0..200u64];
        prop::collection::vec(prop::collection::vec(count, columns), rows)
    })
}

fn close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-11 * one.abs().max(1e-3),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn order_and_turning_change_nothing(rows in some_tables()) {
        let turned: Vec<Vec<u64>> = (0..rows[0].len())
            .map(|column| rows.iter().rev().map(|row| row[column]).collect())
            .collect();
        let (one, other) = (Table::new(rows).expect("even"), Table::new(turned).expect("even"));
        let statistic = |test: Option<ChiSquare>| test.map(|test| test.statistic);
        prop_assert!(close(statistic(chi2(&one)), statistic(chi2(&other))));
        prop_assert!(close(statistic(g_test(&one)), statistic(g_test(&other))));
        prop_assert!(close(cramers_v(&one), cramers_v(&other)));
        prop_assert!(close(min_expected_count(&one), min_expected_count(&other)));
        prop_assert_eq!(chi2(&one).map(|test| test.df), chi2(&other).map(|test| test.df));
    }

    #[test]
    fn figures_keep_their_range(rows in some_tables()) {
        let table = Table::new(rows).expect("even");
        for test in [chi2(&table), g_test(&table)].into_iter().flatten() {
            prop_assert!(test.statistic >= 0.0 && (0.0..=1.0).contains(&test.p.value), "{:?}", test);
        }
        prop_assert!(cramers_v(&table).is_none_or(|v| (0.0..=1.0).contains(&v)));
        // The row cannot tell more about the column than there is to know.
        let most = (table.rows().len().min(table.rows()[0].len()) as f64).ln();
        let nats = mutual_information_nats(&table);
        prop_assert!(nats.is_none_or(|nats| (0.0..=most + 1e-12).contains(&nats)));
    }

    #[test]
    fn two_by_two_agrees_with_two_shares(a in 0..500u64, b in 0..500u64, c in 0..500u64, d in 0..500u64) {
        let share = |k, rest| Proportion::new(k, k + rest).expect("a share");
        let two = compare::chi2(share(a, b), share(c, d));
        let many = chi2(&table(&[&[a, b], &[c, d]]));
        prop_assert!(close(two.map(|test| test.statistic), many.map(|test| test.statistic)));
        let phi = compare::phi(share(a, b), share(c, d));
        prop_assert!(close(phi.map(f64::abs), cramers_v(&table(&[&[a, b], &[c, d]]))));
    }

    #[test]
    fn duplicating_all_rows_keeps_the_strength_and_doubles_the_evidence(rows in some_tables()) {
        let twice: Vec<Vec<u64>> = rows.iter().map(|row| row.iter().map(|n| 2 * n).collect()).collect();
        let (one, two) = (Table::new(rows).expect("even"), Table::new(twice).expect("even"));
        prop_assert!(close(cramers_v(&one), cramers_v(&two)));
        prop_assert!(close(mutual_information_nats(&one), mutual_information_nats(&two)));
        let doubled = chi2(&one).map(|test| 2.0 * test.statistic);
        prop_assert!(close(doubled, chi2(&two).map(|test| test.statistic)));
    }
}
