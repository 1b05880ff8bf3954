use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::proportion::COUNT_MAX;

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("k is at most n")
}

/// Shows the ratio of `k_g/n_g` to `k_r/n_r`, its place against four fifths, and both shortfalls.
#[track_caller]
fn check(group: (u64, u64), reference: (u64, u64), want: Expect) {
    let (g, r) = (share(group.0, group.1), share(reference.0, reference.1));
    let number = |value: Option<f64>| value.map_or("undefined".into(), |v| format!("{v:.4}"));
    want.assert_eq(&format!(
        "{} {:?} below {:?} short {} {}",
        number(impact_ratio(g, r)),
        compare_with_limit(g, r, Limit::FOUR_FIFTHS),
        below_four_fifths(g, r),
        number(shortfall(g, r)),
        number(shortfall_at_80(g, r)),
    ));
}

#[test]
fn sixty_against_seventy_five_percent_is_on_the_limit_whatever_floats_say() {
    // The premise: in floating point this very ratio is below the limit.
    let (group, reference, limit) = (0.6_f64, 0.75, 0.8);
    assert!(group / reference < limit);
    check(
        (48, 80),
        (60, 80),
        expect!["0.8000 Some(Equal) below Some(false) short 12.0000 0.0000"],
    );
}

#[test]
fn one_person_fewer_is_below() {
    check(
        (47, 80),
        (60, 80),
        expect!["0.7833 Some(Less) below Some(true) short 13.0000 1.0000"],
    );
}

#[test]
fn a_group_ahead_of_its_reference_is_not_short() {
    check(
        (9, 10),
        (6, 10),
        expect!["1.5000 Some(Greater) below Some(false) short -3.0000 0.0000"],
    );
}

#[test]
fn a_group_without_success_has_the_ratio_zero() {
    check(
        (0, 10),
        (6, 10),
        expect!["0.0000 Some(Less) below Some(true) short 6.0000 4.8000"],
    );
}

#[test]
fn without_success_in_the_reference_there_is_no_ratio() {
    check(
        (0, 10),
        (0, 10),
        expect!["undefined None below None short 0.0000 0.0000"],
    );
    check(
        (3, 10),
        (0, 10),
        expect!["undefined None below None short -3.0000 0.0000"],
    );
}

#[test]
fn an_empty_group_or_reference_has_no_ratio_and_no_shortfall() {
    check(
        (0, 0),
        (6, 10),
        expect!["undefined None below None short undefined undefined"],
    );
    check(
        (3, 10),
        (0, 0),
        expect!["undefined None below None short undefined undefined"],
    );
}

#[test]
fn the_largest_counts_are_still_decided_exactly() {
    let all = share(COUNT_MAX, COUNT_MAX);
    let limit = Limit::new(u32::MAX - 1, u32::MAX).expect("not zero");
    assert_eq!(compare_with_limit(all, all, limit), Some(Ordering::Greater));
    assert_eq!(
        compare_with_limit(all, all, limit.reciprocal()),
        Some(Ordering::Less)
    );
    let one_short = share(COUNT_MAX - 1, COUNT_MAX);
    let even = Limit::new(1, 1).expect("not zero");
    assert_eq!(
        compare_with_limit(one_short, all, even),
        Some(Ordering::Less)
    );
    assert_eq!(shortfall(one_short, all), Some(1.0));
}

#[test]
fn a_limit_of_zero_is_refused() {
    assert_eq!(Limit::new(0, 5), None);
    assert_eq!(Limit::new(5, 0), None);
    assert_eq!(Limit::FOUR_FIFTHS.reciprocal().value(), 1.25);
}

/// Shows the widest gaps; one group per text, `TP FP TN FN`.
#[track_caller]
fn check_gaps(groups: &[&str], want: Expect) {
    let groups: Vec<Confusion> = groups
        .iter()
        .map(|text| {
            let cell: Vec<u64> = text
                .split(' ')
                .map(|c| c.parse().expect("a count"))
                .collect();
            Confusion {
                tp: cell[0],
                fp: cell[1],
                tn: cell[2],
                fn_: cell[3],
            }
        })
        .collect();
    let line = |name: &str, spread: Option<Spread>| match spread {
        None => format!("{name} undefined\n"),
        Some(Spread {
            difference,
            ratio,
            undefined,
        }) => {
            format!("{name} difference {difference:.2} ratio {ratio:.2?} without {undefined:?}\n")
        }
    };
    want.assert_eq(&format!(
        "{}{}",
        line("parity", demographic_parity(&groups)),
        line("odds", equalized_odds(&groups)),
    ));
}

#[test]
fn the_widest_gap_counts() {
    check_gaps(
        &["8 2 8 2", "4 4 6 6", "6 1 9 4"],
        expect![[r#"
            parity difference 0.15 ratio Some(0.70) without []
            odds difference 0.40 ratio Some(0.25) without []
        "#]],
    );
}

#[test]
fn a_group_without_a_rate_is_left_out_and_named_not_counted_as_zero() {
    check_gaps(
        &["8 2 8 2", "0 5 5 0", "7 2 8 3", "0 0 0 0"],
        expect![[r#"
            parity difference 0.05 ratio Some(0.90) without [3]
            odds difference 0.30 ratio Some(0.40) without [1, 3]
        "#]],
    );
}

#[test]
fn where_nobody_is_selected_the_difference_is_zero_and_the_ratio_undefined() {
    check_gaps(
        &["0 0 5 5", "0 0 3 1"],
        expect![[r#"
            parity difference 0.00 ratio None without []
            odds difference 0.00 ratio None without []
        "#]],
    );
}

#[test]
fn without_any_group_there_is_no_gap() {
    check_gaps(
        &[],
        expect![[r#"
            parity undefined
            odds undefined
        "#]],
    );
}

#[test]
fn without_any_positive_label_odds_cannot_be_compared() {
    check_gaps(
        &["0 2 8 0", "0 3 7 0"],
        expect![[r#"
            parity difference 0.10 ratio Some(0.67) without []
            odds undefined
        "#]],
    );
}

fn shares() -> impl Strategy<Value = Proportion> {
    prop_oneof![0..60u64, 0..100_000u64].prop_flat_map(|n| (0..=n).prop_map(move |k| share(k, n)))
}

proptest! {
    #[test]
    fn the_exact_answer_agrees_with_the_ratio_wherever_that_is_clear(
        g in shares(),
        r in shares(),
        numer in 1..200u32,
        denom in 1..200u32,
    ) {
        let limit = Limit::new(numer, denom).expect("not zero");
        let exact = compare_with_limit(g, r, limit);
        prop_assert_eq!(exact.is_some(), impact_ratio(g, r).is_some());
        if let (Some(exact), Some(ratio)) = (exact, impact_ratio(g, r)) {
            let off = ratio / limit.value() - 1.0;
            if off.abs() > 1e-12 {
                prop_assert_eq!(exact.is_lt(), off < 0.0);
            } else {
                prop_assert_eq!(exact, Ordering::Equal);
            }
        }
    }

    #[test]
    fn below_the_limit_means_above_its_reciprocal_from_the_other_side(g in shares(), r in shares()) {
        let limit = Limit::FOUR_FIFTHS;
        if g.k() > 0 && r.k() > 0 {
            let there = compare_with_limit(g, r, limit);
            let back = compare_with_limit(r, g, limit.reciprocal());
            prop_assert_eq!(there, back.map(Ordering::reverse));
        }
    }

    #[test]
    fn the_shortfall_is_what_reaches_the_limit(g in shares(), r in shares()) {
        if let Some(people) = shortfall_at_80(g, r) {
            prop_assert_eq!(people > 0.0, below_four_fifths(g, r) == Some(true));
            let reached = g.k() + people.ceil() as u64;
            prop_assert!(reached <= g.n().max(g.k()));
            prop_assert!(below_four_fifths(share(reached, g.n()), r) != Some(true));
        }
    }

    #[test]
    fn group_order_does_not_change_the_gap(mut rates in prop::collection::vec(prop::option::of(0.0..=1.0f64), 0..8)) {
        let there = spread(&rates);
        rates.reverse();
        let back = spread(&rates);
        prop_assert_eq!(
            there.as_ref().map(|s| (s.difference, s.ratio, s.undefined.len())),
            back.as_ref().map(|s| (s.difference, s.ratio, s.undefined.len()))
        );
        if let Some(spread) = there {
            prop_assert!((0.0..=1.0).contains(&spread.difference));
            prop_assert!(spread.ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)));
        }
    }
}
