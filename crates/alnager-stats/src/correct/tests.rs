use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

type Adjust = fn(&[Option<f64>]) -> Vec<Option<f64>>;

const ALL: [(&str, Adjust); 3] = [
    ("bonferroni", bonferroni),
    ("holm", holm),
    ("benjamini_hochberg", benjamini_hochberg),
];

/// Shows each adjustment of the p-values; `-` is a test that could not be made.
#[track_caller]
fn check(p: &str, want: Expect) {
    let p: Vec<Option<f64>> = p.split_whitespace().map(|p| p.parse().ok()).collect();
    let mut shown = String::new();
    for (name, adjust) in ALL {
        let values = adjust(&p).into_iter();
        let texts = values.map(|p| p.map_or("-".into(), |p| format!("{p:.3}")));
        shown += &format!("{name} {}\n", texts.collect::<Vec<_>>().join(" "));
    }
    want.assert_eq(&shown);
}

#[test]
fn each_p_is_raised_by_the_number_of_tests() {
    check(
        "0.01 0.04 0.03 0.005",
        expect![[r#"
            bonferroni 0.040 0.160 0.120 0.020
            holm 0.030 0.060 0.060 0.020
            benjamini_hochberg 0.020 0.040 0.040 0.020
        "#]],
    );
}

#[test]
fn a_test_that_could_not_be_made_keeps_its_place_and_is_not_counted() {
    check(
        "- 0.01 - 0.04 NaN 1.5 -0.1",
        expect![[r#"
            bonferroni - 0.020 - 0.080 - - -
            holm - 0.020 - 0.040 - - -
            benjamini_hochberg - 0.020 - 0.040 - - -
        "#]],
    );
}

#[test]
fn a_single_test_needs_no_correction() {
    check(
        "0.03",
        expect![[r#"
            bonferroni 0.030
            holm 0.030
            benjamini_hochberg 0.030
        "#]],
    );
}

#[test]
fn nothing_exceeds_one_and_zero_stays_zero() {
    check(
        "0.9 0.8 0 1",
        expect![[r#"
            bonferroni 1.000 1.000 0.000 1.000
            holm 1.000 1.000 0.000 1.000
            benjamini_hochberg 1.000 1.000 0.000 1.000
        "#]],
    );
}

#[test]
fn no_tests_no_results() {
    for (name, adjust) in ALL {
        assert_eq!(adjust(&[]), [], "{name}");
    }
}

fn families() -> impl Strategy<Value = Vec<Option<f64>>> {
    // A coarse grid beside the fine one, so that ties occur.
    let p = prop_oneof![0.0..=1.0f64, (0..=20u8).prop_map(|p| f64::from(p) / 20.0)];
    prop::collection::vec(prop::option::weighted(0.8, p), 0..30)
}

proptest! {
    #[test]
    fn adjusting_never_lowers_a_p_and_keeps_their_order(family in families()) {
        for (name, adjust) in ALL {
            let adjusted = adjust(&family);
            prop_assert_eq!(adjusted.len(), family.len());
            for (raw, new) in family.iter().zip(&adjusted) {
                prop_assert_eq!(raw.is_some(), new.is_some(), "{}", name);
                if let (Some(raw), Some(new)) = (raw, new) {
                    prop_assert!(new >= raw && *new <= 1.0, "{}: {} {}", name, raw, new);
                }
            }
            let mut pairs: Vec<(f64, f64)> =
                family.iter().zip(&adjusted).filter_map(|(raw, new)| raw.zip(*new)).collect();
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
            prop_assert!(pairs.windows(2).all(|two| two[0].1 <= two[1].1), "{}", name);
            let ties = |two: &[(f64, f64)]| two[0].0 != two[1].0 || two[0].1 == two[1].1;
            prop_assert!(pairs.windows(2).all(ties), "{}", name);
        }
    }

    #[test]
    fn holm_lies_between_the_other_two(family in families()) {
        let (low, middle, high) = (benjamini_hochberg(&family), holm(&family), bonferroni(&family));
        for ((low, middle), high) in low.iter().zip(&middle).zip(&high) {
            if let (Some(low), Some(middle), Some(high)) = (low, middle, high) {
                prop_assert!(low - 1e-15 <= *middle && middle <= high);
            }
        }
    }

    #[test]
    fn group_order_changes_nothing(family in families()) {
        for (_, adjust) in ALL {
            let mut turned = family.clone();
            turned.reverse();
            let mut back = adjust(&turned);
            back.reverse();
            prop_assert_eq!(adjust(&family), back);
        }
    }
}
