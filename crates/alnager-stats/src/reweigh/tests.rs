use proptest::prelude::*;

use super::*;

fn table(rows: Vec<Vec<u64>>) -> Table {
    Table::new(rows).expect("an even table")
}

#[test]
fn weights_are_exact() {
    // The example of Kamiran and Calders 2012: of 10 people 5 women, 6 positive labels, 2 of them women:
    // 0.5·0.6/0.2 = 1.5 and so on.
    let weights = weights(&table(vec![vec![3, 2], vec![1, 4]]));
    let fractions: Vec<Vec<(u128, u128)>> = weights
        .into_iter()
        .map(|row| {
            row.into_iter()
                .flatten()
                .map(|w| (w.numer(), w.denom()))
                .collect()
        })
        .collect();
    assert_eq!(fractions, [[(2, 3), (3, 2)], [(2, 1), (3, 4)]]);
}

#[test]
fn an_empty_cell_has_nobody_to_weigh() {
    let weights = weights(&table(vec![vec![0, 5], vec![4, 4]]));
    assert_eq!(weights[0][0], None);
    assert!(weights[0][1].is_some_and(|weight| weight.value() < 1.0));
}

#[test]
fn independent_labels_need_no_weights() {
    for weight in weights(&table(vec![vec![1, 2], vec![10, 20]]))
        .into_iter()
        .flatten()
    {
        assert!(weight.is_some_and(|weight| weight.value() == 1.0));
    }
}

#[test]
fn the_largest_counts_do_not_overflow() {
    let quarter = 1 << 45;
    let weights = weights(&table(vec![vec![quarter, quarter], vec![quarter, quarter]]));
    assert!(weights[0][0].is_some_and(|weight| (weight.numer(), weight.denom()) == (1, 1)));
}

proptest! {
    #[test]
    fn afterwards_every_group_has_the_same_share_of_each_label(
        rows in prop::collection::vec([1..500u64, 1..500u64, 1..500u64], 1..5),
    ) {
        let table = table(rows.iter().map(|row| row.to_vec()).collect());
        let n = table.n() as f64;
        let columns = table.column_totals();
        let totals = table.row_totals();
        for ((row, weights), total) in rows.iter().zip(weights(&table)).zip(totals) {
            for ((&count, weight), &column) in row.iter().zip(weights).zip(&columns) {
                let weighted = count as f64 * weight.expect("a full cell").value();
                let want = total as f64 * column as f64 / n;
                prop_assert!((weighted / want - 1.0).abs() < 1e-14);
            }
        }
    }
}
