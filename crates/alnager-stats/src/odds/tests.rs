use expect_test::{Expect, expect};

use super::*;

/// Shows all four figures of a group against a reference, each `TP FP TN FN`.
#[track_caller]
fn check(group: [u64; 4], reference: [u64; 4], want: Expect) {
    let counts = |[tp, fp, tn, fn_]: [u64; 4]| Confusion { tp, fp, tn, fn_ };
    let (g, r) = (counts(group), counts(reference));
    let number = |value: Option<f64>| value.map_or("undefined".into(), |v| format!("{v:.3}"));
    want.assert_eq(&format!(
        "average {} absolute {} gap {} treatment {}",
        number(average_odds_difference(&g, &r)),
        number(average_abs_odds_difference(&g, &r)),
        number(equalized_odds_gap(&g, &r)),
        number(treatment_equality_difference(&g, &r)),
    ));
}

#[test]
fn gaps_of_opposite_sign_cancel_only_in_the_plain_average() {
    check(
        [2, 3, 1, 2],
        [3, 2, 2, 1],
        expect!["average 0.000 absolute 0.250 gap 0.250 treatment 0.167"],
    );
}

#[test]
fn gaps_of_the_same_sign_add_up() {
    check(
        [9, 3, 7, 1],
        [5, 1, 9, 5],
        expect!["average 0.300 absolute 0.300 gap 0.400 treatment -4.667"],
    );
}

#[test]
fn without_a_positive_label_the_odds_are_undefined() {
    check(
        [0, 3, 7, 0],
        [5, 1, 9, 5],
        expect!["average undefined absolute undefined gap undefined treatment -5.000"],
    );
}

#[test]
fn without_a_false_positive_treatment_is_undefined() {
    check(
        [9, 0, 7, 1],
        [5, 1, 9, 5],
        expect!["average 0.150 absolute 0.250 gap 0.400 treatment undefined"],
    );
}
