use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::proportion::{COUNT_MAX, Z95};

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("k is at most n")
}

/// Names the figures that are undefined for `k_g/n_g` against `k_r/n_r`.
#[track_caller]
fn check_undefined(group: (u64, u64), reference: (u64, u64), want: Expect) {
    let (g, r) = (share(group.0, group.1), share(reference.0, reference.1));
    let figures = [
        ("difference", difference(g, r).is_none()),
        ("newcombe", difference_newcombe(g, r, Z95).is_none()),
        ("wald", difference_wald(g, r, Z95).is_none()),
        ("ratio", ratio(g, r).is_none()),
        ("katz", ratio_katz(g, r, Z95).is_none()),
        ("odds_ratio", odds_ratio(g, r).is_none()),
        ("woolf", odds_ratio_woolf(g, r, Z95).is_none()),
        ("z_pooled", z_pooled(g, r).is_none()),
        ("chi2", chi2(g, r).is_none()),
        ("chi2_yates", chi2_yates(g, r).is_none()),
        ("fisher", fisher(g, r).is_none()),
        ("sd_units", sd_units_hypergeometric(g, r).is_none()),
    ];
    let names = figures
        .iter()
        .filter(|figure| figure.1)
        .map(|figure| figure.0);
    want.assert_eq(&names.collect::<Vec<_>>().join(" "));
}

#[test]
fn full_tables_have_every_figure() {
    check_undefined((1, 2), (1, 2), expect![""]);
}

#[test]
fn an_empty_group_has_none() {
    check_undefined(
        (0, 0),
        (1, 2),
        expect![
            "difference newcombe wald ratio katz odds_ratio woolf z_pooled chi2 chi2_yates fisher sd_units"
        ],
    );
    check_undefined(
        (1, 2),
        (0, 0),
        expect![
            "difference newcombe wald ratio katz odds_ratio woolf z_pooled chi2 chi2_yates fisher sd_units"
        ],
    );
}

#[test]
fn a_group_without_success_has_a_ratio_but_no_interval_for_it() {
    check_undefined((0, 5), (1, 2), expect!["katz odds_ratio woolf"]);
}

#[test]
fn a_reference_without_success_has_no_ratio() {
    check_undefined((1, 5), (0, 2), expect!["ratio katz odds_ratio woolf"]);
}

#[test]
fn a_group_without_failure_has_no_odds() {
    check_undefined((5, 5), (1, 2), expect!["odds_ratio woolf"]);
}

#[test]
fn where_all_rows_are_alike_only_the_tests_are_undefined() {
    check_undefined(
        (5, 5),
        (2, 2),
        expect!["odds_ratio woolf z_pooled chi2 chi2_yates sd_units"],
    );
}

#[test]
fn a_senseless_z_gives_no_interval() {
    let (g, r) = (share(1, 3), share(2, 3));
    for z in [0.0, -2.0, f64::NAN, f64::INFINITY] {
        assert_eq!(difference_newcombe(g, r, z), None);
        assert_eq!(difference_wald(g, r, z), None);
        assert_eq!(ratio_katz(g, r, z), None);
        assert_eq!(odds_ratio_woolf(g, r, z), None);
    }
}

#[test]
fn measures_of_strength_say_where_they_are_undefined() {
    let (full, none, all) = (share(1, 2), share(0, 0), share(4, 4));
    assert_eq!(odds_ratio_haldane(none, full), None);
    assert_eq!(expected_selected(full, none), None);
    assert_eq!(cohens_h(none, full), None);
    assert_eq!(phi(all, share(2, 2)), None);
    assert_eq!(cohens_h(all, share(2, 2)), Some(0.0));
    assert_eq!(cohens_h(all, share(0, 9)), Some(std::f64::consts::PI));
    assert_eq!(expected_selected(share(3, 4), share(0, 2)), Some(2.0));
    // A cell of 0: (2.5·1.5)/(0.5·1.5).
    assert_eq!(odds_ratio_haldane(share(2, 2), share(1, 2)), Some(5.0));
}

#[test]
fn the_lady_tasting_tea() {
    // Fisher 1935, The Design of Experiments, chapter 2: three of four right is 17 in 70.
    let tea = fisher(share(3, 4), share(1, 4)).expect("two full rows");
    assert!((tea.greater.value - 17.0 / 70.0).abs() < 1e-15);
    assert!((tea.two_sided.value - 34.0 / 70.0).abs() < 1e-15);
}

#[test]
fn newcombes_own_example() {
    // Newcombe 1998, table II, (a) 56/70 - 48/80, method 10: 0.0524 to 0.3339.
    let interval = difference_newcombe(share(56, 70), share(48, 80), Z95).expect("two full rows");
    assert_eq!(
        format!("{:.4} {:.4}", interval.low, interval.high),
        "0.0524 0.3339"
    );
}

#[test]
fn the_largest_counts_are_answered() {
    // At a million million rows the exact test and the normal one agree; both come back.
    let half = 1 << 39;
    let (g, r) = (share(half + 700_000, 2 * half), share(half, 2 * half));
    let exact = fisher(g, r).expect("two full rows");
    let normal = z_pooled(g, r).expect("no empty margin");
    assert!((exact.midp_two_sided.log10 / normal.p.log10 - 1.0).abs() < 1e-6);
    let edge = fisher(share(COUNT_MAX, COUNT_MAX), share(0, COUNT_MAX)).expect("two full rows");
    assert!(edge.two_sided.log10 < -1e13 && edge.two_sided.value == 0.0);
}

/// Both rows of a table with up to `n_max` rows each; empty rows and edges included.
fn tables(n_max: u64) -> impl Strategy<Value = (Proportion, Proportion)> {
    let row = move || {
        (0..=n_max).prop_flat_map(|n| {
            prop_oneof![6 => 0..=n, 1 => Just(0), 1 => Just(n)].prop_map(move |k| share(k, n))
        })
    };
    (row(), row())
}

fn some_tables() -> impl Strategy<Value = (Proportion, Proportion)> {
    prop_oneof![tables(12), tables(300), tables(200_000)]
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Fisher's two-sided p, mid-p, less and greater by enumeration in whole numbers.
fn plain_fisher(group: Proportion, reference: Proportion) -> [f64; 4] {
    let choose = |n: u64, k: u64| -> u128 {
        (0..u128::from(k)).fold(1, |c, i| c * (u128::from(n) - i) / (i + 1))
    };
    let (n1, n2, m1) = (group.n(), reference.n(), group.k() + reference.k());
    let ways = |x: u64| choose(n1, x) * choose(n2, m1 - x);
    let (mut two, mut tied, mut less, mut greater) = (0, 0, 0, 0);
    let observed = ways(group.k());
    for x in m1.saturating_sub(n2)..=n1.min(m1) {
        let w = ways(x);
        two += if w <= observed { w } else { 0 };
        tied += if w == observed { w } else { 0 };
        less += if x <= group.k() { w } else { 0 };
        greater += if x >= group.k() { w } else { 0 };
    }
    let all = choose(n1 + n2, m1) as f64;
    let midp = two as f64 - tied as f64 / 2.0;
    [
        two as f64 / all,
        midp / all,
        less as f64 / all,
        greater as f64 / all,
    ]
}

proptest! {
    #[test]
    fn fisher_equals_counting_all_tables((g, r) in tables(30)) {
        if let Some(got) = fisher(g, r) {
            let want = plain_fisher(g, r);
            let got = [got.two_sided, got.midp_two_sided, got.less, got.greater];
            for (got, want) in got.into_iter().zip(want) {
                prop_assert!(close(got.value, want), "{} {}", got.value, want);
                prop_assert!((got.log10 - want.log10()).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn fisher_does_not_care_which_way_the_table_lies((g, r) in some_tables()) {
        let (left, right) = (
            share(g.k(), g.k() + r.k()),
            share(g.n() - g.k(), (g.n() - g.k()) + (r.n() - r.k())),
        );
        if let (Some(rows), Some(columns)) = (fisher(g, r), fisher(left, right)) {
            prop_assert!(close(rows.two_sided.value, columns.two_sided.value));
            prop_assert!(close(rows.midp_two_sided.value, columns.midp_two_sided.value));
            prop_assert!(close(rows.less.value, columns.less.value));
            prop_assert!(close(rows.greater.value, columns.greater.value));
        }
    }

    #[test]
    fn changing_sides_turns_every_figure_round((g, r) in some_tables()) {
        prop_assert_eq!(difference(g, r).map(|d| 0.0 - d), difference(r, g));
        if let (Some(there), Some(back)) = (difference_newcombe(g, r, Z95), difference_newcombe(r, g, Z95)) {
            prop_assert!((there.low + back.high).abs() < 1e-14);
            prop_assert!((there.high + back.low).abs() < 1e-14);
        }
        if let (Some(there), Some(back)) = (ratio_katz(g, r, Z95), ratio_katz(r, g, Z95)) {
            prop_assert!(close(there.low * back.high, 1.0) && close(there.high * back.low, 1.0));
        }
        if let (Some(there), Some(back)) = (fisher(g, r), fisher(r, g)) {
            prop_assert!(close(there.two_sided.value, back.two_sided.value));
            prop_assert!(close(there.less.value, back.greater.value));
        }
        if let (Some(there), Some(back)) = (z_pooled(g, r), z_pooled(r, g)) {
            prop_assert_eq!(there.statistic, -back.statistic);
            prop_assert_eq!(there.p, back.p);
        }
    }

    #[test]
    fn an_interval_holds_its_estimate_and_keeps_its_range((g, r) in some_tables(), z in 0.01..10.0f64) {
        if let (Some(d), Some(interval)) = (difference(g, r), difference_newcombe(g, r, z)) {
            prop_assert!(interval.contains(d), "{:?} {}", interval, d);
            prop_assert!(-1.0 <= interval.low && interval.high <= 1.0, "{:?}", interval);
        }
        if let (Some(ratio), Some(interval)) = (ratio(g, r), ratio_katz(g, r, z)) {
            prop_assert!(interval.contains(ratio) && interval.low >= 0.0, "{:?}", interval);
        }
        if let (Some(odds), Some(interval)) = (odds_ratio(g, r), odds_ratio_woolf(g, r, z)) {
            prop_assert!(interval.contains(odds) && interval.low >= 0.0, "{:?}", interval);
        }
    }

    #[test]
    fn newcombe_is_a_number_for_every_count_up_to_the_largest((g, r) in tables(COUNT_MAX), z in 1e-6..40.0f64) {
        if let Some(interval) = difference_newcombe(g, r, z) {
            prop_assert!(interval.low <= interval.high, "{:?}", interval);
        }
    }

    #[test]
    fn duplicating_all_rows_keeps_the_estimate_and_narrows_the_interval(
        (g, r) in some_tables(),
        times in 2..5u64,
    ) {
        let more = |p: Proportion| share(p.k() * times, p.n() * times);
        let (g2, r2) = (more(g), more(r));
        prop_assert_eq!(difference(g, r).is_some(), difference(g2, r2).is_some());
        if let (Some(once), Some(often)) = (difference(g, r), difference(g2, r2)) {
            prop_assert!((once - often).abs() < 1e-15);
        }
        let width = |interval: Interval| interval.high - interval.low;
        if let (Some(once), Some(often)) = (difference_newcombe(g, r, Z95), difference_newcombe(g2, r2, Z95)) {
            prop_assert!(width(often) < width(once));
        }
        if let (Some(once), Some(often)) = (ratio_katz(g, r, Z95), ratio_katz(g2, r2, Z95)) {
            prop_assert!(width(often) <= width(once));
        }
    }

    #[test]
    fn probabilities_are_probabilities((g, r) in some_tables()) {
        let mut all: Vec<PValue> = [z_pooled(g, r), chi2(g, r), chi2_yates(g, r)]
            .into_iter()
            .flatten()
            .map(|test| test.p)
            .collect();
        if let Some(exact) = fisher(g, r) {
            prop_assert!(exact.midp_two_sided.log10 <= exact.two_sided.log10);
            all.extend([exact.two_sided, exact.midp_two_sided, exact.less, exact.greater]);
        }
        for p in all {
            prop_assert!((0.0..=1.0).contains(&p.value) && p.log10 <= 0.0, "{:?}", p);
            if p.value > 1e-300 {
                prop_assert!((p.value.log10() - p.log10).abs() < 1e-9, "{:?}", p);
            }
        }
    }

    #[test]
    fn chi_square_is_z_squared_and_the_correction_only_weakens((g, r) in some_tables()) {
        if let (Some(z), Some(plain), Some(yates)) = (z_pooled(g, r), chi2(g, r), chi2_yates(g, r)) {
            prop_assert!(close(z.statistic * z.statistic, plain.statistic));
            prop_assert!(yates.statistic <= plain.statistic);
        }
    }

    #[test]
    fn measures_of_strength_turn_with_the_sides((g, r) in some_tables()) {
        if let (Some(one), Some(other)) = (cohens_h(g, r), cohens_h(r, g)) {
            let (p_g, p_r) = (g.value().expect("rows"), r.value().expect("rows"));
            let plain = 2.0 * p_g.sqrt().asin() - 2.0 * p_r.sqrt().asin();
            prop_assert!((one - plain).abs() < 1e-7 && one == -other, "{} {}", one, plain);
            let haldane = odds_ratio_haldane(g, r).zip(odds_ratio_haldane(r, g));
            prop_assert!(haldane.is_some_and(|(one, other)| (one * other - 1.0).abs() < 1e-12));
            let both = expected_selected(g, r).zip(expected_selected(r, g));
            let successes = (g.k() + r.k()) as f64;
            prop_assert!(both.is_some_and(|(one, other)| (one + other - successes).abs() <= 1e-12 * successes));
        }
        if let (Some(phi), Some(chi2)) = (phi(g, r), chi2(g, r)) {
            let n = (g.n() + r.n()) as f64;
            prop_assert!((n * phi * phi - chi2.statistic).abs() <= 1e-12 * chi2.statistic.max(1e-3));
        }
    }
}

#[test]
fn the_exact_interval_of_a_ratio_has_width_where_katz_has_none() {
    let share = |k, n| Proportion::new(k, n).unwrap();
    let all = share(5, 5);
    assert!(needs_ratio_exact(all, all));
    let exact = ratio_exact(all, all, 0.95).unwrap();
    // Clopper and Pearson at k = n: the lower end is (alpha/2)^(1/n), here of alpha 0.025.
    let low = 0.0125_f64.powf(0.2);
    assert!((exact.low / low - 1.0).abs() < 1e-9, "{exact:?}");
    assert!((exact.high * low - 1.0).abs() < 1e-9, "{exact:?}");
    let none = share(0, 5);
    assert!(needs_ratio_exact(none, all) && !needs_ratio_exact(all, none));
    assert_eq!(ratio_exact(none, all, 0.95).unwrap().low, 0.0);
    assert_eq!(ratio_exact(all, none, 0.95), None);
    assert_eq!(ratio_exact(all, all, 1.0), None);
    assert_eq!(ratio_exact(all, all, -1.0), None);
    assert!(!needs_ratio_exact(share(4, 5), all));
}
