use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn counts(tp: u64, fp: u64, tn: u64, fn_: u64) -> Confusion {
    Confusion { tp, fp, tn, fn_ }
}

/// Names the figures that are undefined for these counts.
#[track_caller]
fn check_undefined(counts: Confusion, want: Expect) {
    let mut names: Vec<&str> = Rate::ALL
        .into_iter()
        .filter(|&rate| counts.rate(rate).is_none())
        .map(Rate::name)
        .collect();
    for (name, value) in [
        ("balanced_accuracy", counts.balanced_accuracy()),
        ("f1", counts.f1()),
        ("mcc", counts.mcc()),
        ("fn_fp_ratio", counts.fn_fp_ratio()),
    ] {
        if value.is_none() {
            names.push(name);
        }
    }
    want.assert_eq(&names.join(" "));
}

#[test]
fn a_full_table_has_every_figure() {
    check_undefined(counts(1, 1, 1, 1), expect![""]);
}

#[test]
fn an_empty_table_has_none() {
    check_undefined(
        counts(0, 0, 0, 0),
        expect![
            "base_rate selection_rate tpr fpr tnr fnr ppv npv fdr for accuracy balanced_accuracy f1 mcc fn_fp_ratio"
        ],
    );
}

#[test]
fn without_a_selected_row_nothing_is_known_about_the_selected() {
    check_undefined(counts(0, 0, 3, 2), expect!["ppv fdr mcc fn_fp_ratio"]);
}

#[test]
fn without_a_positive_label_there_is_no_true_positive_rate() {
    check_undefined(counts(0, 2, 3, 0), expect!["tpr fnr balanced_accuracy mcc"]);
}

#[test]
fn without_a_negative_label_there_is_no_false_positive_rate() {
    check_undefined(
        counts(3, 0, 0, 2),
        expect!["fpr tnr balanced_accuracy mcc fn_fp_ratio"],
    );
}

#[test]
fn every_rate_is_found_by_its_name() {
    for rate in Rate::ALL {
        assert_eq!(Rate::from_name(rate.name()), Some(rate));
    }
    assert_eq!(Rate::from_name("TPR"), None);
}

#[test]
fn counts_beyond_any_table_neither_overflow_nor_become_nan() {
    let huge = counts(u64::MAX, u64::MAX, u64::MAX, u64::MAX);
    for rate in Rate::ALL {
        let value = huge.rate(rate).expect("no denominator is 0");
        assert!((0.0..=1.0).contains(&value), "{}: {value}", rate.name());
    }
    assert!(huge.mcc().is_some_and(f64::is_finite));
}

fn tables() -> impl Strategy<Value = Confusion> {
    let cell = || prop_oneof![1 => Just(0), 4 => 0..50u64, 2 => 0..10_000_000u64];
    (cell(), cell(), cell(), cell()).prop_map(|(tp, fp, tn, fn_)| counts(tp, fp, tn, fn_))
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(1.0),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn renaming_the_classes_swaps_each_rate_with_its_mirror(t in tables()) {
        let s = t.swapped();
        prop_assert_eq!(s.swapped(), t);
        for (rate, mirror) in [
            (Rate::Tpr, Rate::Tnr),
            (Rate::Fpr, Rate::Fnr),
            (Rate::Ppv, Rate::Npv),
            (Rate::Fdr, Rate::For),
            (Rate::Accuracy, Rate::Accuracy),
        ] {
            prop_assert_eq!(rate.of(&t), mirror.of(&s));
            prop_assert_eq!(mirror.of(&t), rate.of(&s));
        }
        for rate in [Rate::BaseRate, Rate::SelectionRate] {
            prop_assert_eq!(rate.of(&t), rate.of(&s).complement());
        }
        prop_assert!(close(t.mcc(), s.mcc()));
        prop_assert!(close(t.balanced_accuracy(), s.balanced_accuracy()));
    }

    #[test]
    fn a_rate_and_its_counterpart_make_a_whole(t in tables()) {
        for (rate, counterpart) in [
            (Rate::Tpr, Rate::Fnr),
            (Rate::Fpr, Rate::Tnr),
            (Rate::Ppv, Rate::Fdr),
            (Rate::Npv, Rate::For),
        ] {
            prop_assert_eq!(rate.of(&t), counterpart.of(&t).complement());
        }
    }

    #[test]
    fn duplicating_all_rows_leaves_every_figure(t in tables(), times in 2..5u64) {
        let more = counts(t.tp * times, t.fp * times, t.tn * times, t.fn_ * times);
        for rate in Rate::ALL {
            prop_assert_eq!(t.rate(rate), more.rate(rate));
        }
        prop_assert!(close(t.mcc(), more.mcc()));
        prop_assert!(close(t.f1(), more.f1()));
        prop_assert!(close(t.fn_fp_ratio(), more.fn_fp_ratio()));
    }

    #[test]
    fn figures_stay_in_their_range(t in tables()) {
        for rate in Rate::ALL {
            prop_assert!(t.rate(rate).is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
        prop_assert!(t.balanced_accuracy().is_none_or(|value| (0.0..=1.0).contains(&value)));
        prop_assert!(t.f1().is_none_or(|value| (0.0..=1.0).contains(&value)));
        prop_assert!(t.mcc().is_none_or(|value| (-1.0..=1.0).contains(&value)));
        prop_assert!(t.fn_fp_ratio().is_none_or(|value| value >= 0.0));
    }
}
