use proptest::prelude::*;

use super::*;
use crate::compare;
use crate::proportion::Z95;

fn stratum([a, b, c, d]: [u64; 4]) -> Stratum {
    Stratum {
        group: Proportion::new(a, a + b).expect("a share"),
        reference: Proportion::new(c, c + d).expect("a share"),
    }
}

fn strata(cells: &[[u64; 4]]) -> Strata {
    let strata: Vec<Stratum> = cells.iter().map(|&cells| stratum(cells)).collect();
    Strata::new(&strata)
}

#[test]
fn one_stratum_is_the_table_itself() {
    let cells = [12, 30, 25, 20];
    let (one, Stratum { group, reference }) = (strata(&[cells]), stratum(cells));
    let close = |one: Option<f64>, other: Option<f64>| {
        (one.expect("defined") / other.expect("defined") - 1.0).abs() < 1e-13
    };
    assert!(close(
        mh_odds_ratio(&one),
        compare::odds_ratio(group, reference)
    ));
    assert!(close(mh_risk_ratio(&one), compare::ratio(group, reference)));
    let woolf = compare::odds_ratio_woolf(group, reference, Z95).map(|interval| interval.low);
    assert!(close(
        mh_odds_ratio_rbg(&one, Z95).map(|interval| interval.low),
        woolf
    ));
    let katz = compare::ratio_katz(group, reference, Z95).map(|interval| interval.high);
    let robins = mh_risk_ratio_greenland_robins(&one, Z95).map(|interval| interval.high);
    assert!(close(robins, katz));
    let units = compare::sd_units_hypergeometric(group, reference).map(|units| units * units);
    assert!(close(cmh_chi2(&one).map(|test| test.statistic), units));
    assert_eq!(breslow_day(&one), None);
}

#[test]
fn a_stratum_with_a_zero_margin_is_dropped_and_counted() {
    let useful = [3, 4, 5, 6];
    let all = strata(&[
        useful,
        [0, 0, 1, 1],
        [1, 1, 0, 0],
        [2, 0, 3, 0],
        [0, 2, 0, 3],
        [0, 0, 0, 0],
    ]);
    assert_eq!((all.n_strata(), all.n_dropped()), (1, 5));
    assert_eq!(mh_odds_ratio(&all), mh_odds_ratio(&strata(&[useful])));
    assert_eq!(cmh_chi2(&all), cmh_chi2(&strata(&[useful])));
}

#[test]
fn nothing_left_is_no_figure() {
    let none = strata(&[[2, 0, 3, 0]]);
    assert_eq!(mh_odds_ratio(&none), None);
    assert_eq!(mh_risk_ratio(&none), None);
    assert_eq!(mh_odds_ratio_rbg(&none, Z95), None);
    assert_eq!(mh_risk_ratio_greenland_robins(&none, Z95), None);
    assert_eq!(cmh_chi2(&none), None);
    assert_eq!(breslow_day_tarone(&none), None);
    assert_eq!(conditional_demographic_disparity(&[]), None);
}

#[test]
fn a_senseless_z_gives_no_interval() {
    let one = strata(&[[3, 4, 5, 6]]);
    for z in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(mh_odds_ratio_rbg(&one, z), None);
        assert_eq!(mh_risk_ratio_greenland_robins(&one, z), None);
    }
}

#[test]
fn gaps_of_opposite_sign_cancel_exactly_and_are_seen_as_unlike() {
    let opposite = strata(&[[30, 10, 10, 30], [10, 30, 30, 10]]);
    let cmh = cmh_chi2(&opposite).expect("two strata");
    assert_eq!((cmh.statistic, cmh.p.value), (0.0, 1.0));
    assert!(breslow_day(&opposite).expect("two strata").p.value < 1e-8);
}

#[test]
fn under_half_a_person_the_corrected_statistic_is_zero() {
    let nearly = strata(&[[5, 5, 5, 6], [7, 3, 8, 3]]);
    assert!(cmh_chi2(&nearly).expect("two strata").statistic > 0.0);
    assert_eq!(
        cmh_chi2_corrected(&nearly).expect("two strata").statistic,
        0.0
    );
}

#[test]
fn a_p_below_the_smallest_number_keeps_its_logarithm() {
    let sure = strata(&[[9000, 1000, 1000, 9000], [9000, 1000, 1000, 9000]]);
    let p = cmh_chi2(&sure).expect("two strata").p;
    assert_eq!(p.value, 0.0);
    assert!(p.log10 < -1000.0 && p.log10.is_finite());
}

#[test]
fn demographic_disparity_is_the_share_of_rejections_less_that_of_acceptances() {
    // Of 10 rejected 6 are of the group, of 8 accepted 2.
    let disparity = demographic_disparity(stratum([2, 6, 6, 4])).expect("both outcomes");
    assert!((disparity - (0.6 - 0.25)).abs() < 1e-15);
    assert_eq!(demographic_disparity(stratum([2, 0, 6, 0])), None);
    assert_eq!(demographic_disparity(stratum([0, 0, 6, 4])), Some(0.0));
}

#[test]
fn the_mean_disparity_counts_what_it_left_out() {
    let strata = [[2, 6, 6, 4], [1, 1, 1, 1], [5, 0, 7, 0]].map(stratum);
    let mean = conditional_demographic_disparity(&strata).expect("two strata with both outcomes");
    assert_eq!((mean.n_strata, mean.n_dropped), (2, 1));
    assert!((mean.value - 18.0 * 0.35 / 22.0).abs() < 1e-15);
}

#[test]
fn the_expected_cell_has_the_odds_ratio() {
    for odds in [1e-9, 0.01, 0.49, 0.999_999, 1.0, 1.000_001, 3.0, 1e9] {
        for [n_g, n_r, m1] in [
            [10.0, 20.0, 15.0],
            [1e6, 3.0, 1e6],
            [5.0, 1e9, 7.0],
            [50.0, 50.0, 99.0],
        ] {
            let m2 = n_g + n_r - m1;
            let a = expected_cell(n_g, n_r, m1, m2, odds);
            let b = expected_cell(n_g, n_r, m2, m1, 1.0 / odds);
            let c = expected_cell(n_r, n_g, m1, m2, 1.0 / odds);
            let d = expected_cell(n_r, n_g, m2, m1, odds);
            assert!(
                (a * d / (b * c) / odds - 1.0).abs() < 1e-12,
                "{odds} {a} {b} {c} {d}"
            );
            assert!(((a + b) / n_g - 1.0).abs() < 1e-12 && ((c + d) / n_r - 1.0).abs() < 1e-12);
        }
    }
}

fn some_strata() -> impl Strategy<Value = Vec<[u64; 4]>> {
    prop::collection::vec([0..60u64, 0..60u64, 0..60u64, 0..60u64], 1..6)
}

fn close(one: Option<f64>, other: Option<f64>, loss: f64) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= loss * one.abs().max(1e-6),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn the_order_of_strata_changes_nothing(cells in some_strata()) {
        let back: Vec<[u64; 4]> = cells.iter().rev().copied().collect();
        let (one, other) = (strata(&cells), strata(&back));
        prop_assert!(close(mh_odds_ratio(&one), mh_odds_ratio(&other), 1e-13));
        let statistic = |test: Option<Test>| test.map(|test| test.statistic);
        prop_assert!(close(statistic(cmh_chi2(&one)), statistic(cmh_chi2(&other)), 1e-9));
        let statistic = |test: Option<ChiSquare>| test.map(|test| test.statistic);
        prop_assert!(close(statistic(breslow_day(&one)), statistic(breslow_day(&other)), 1e-9));
    }

    #[test]
    fn sides_changed_turn_the_ratio_over(cells in some_strata()) {
        let other: Vec<[u64; 4]> = cells.iter().map(|&[a, b, c, d]| [c, d, a, b]).collect();
        let (one, other) = (strata(&cells), strata(&other));
        if let (Some(x), Some(y)) = (mh_odds_ratio(&one), mh_odds_ratio(&other)) {
            prop_assert!((x * y - 1.0).abs() < 1e-12);
            let statistic = |test: Option<ChiSquare>| test.map(|test| test.statistic);
            prop_assert!(close(statistic(breslow_day(&one)), statistic(breslow_day(&other)), 1e-9));
        }
        let p = |test: Option<Test>| test.map(|test| test.p.value);
        prop_assert!(close(p(cmh_chi2(&one)), p(cmh_chi2(&other)), 1e-9));
    }

    #[test]
    fn figures_keep_their_range(cells in some_strata()) {
        let these = strata(&cells);
        if let (Some(ratio), Some(interval)) = (mh_odds_ratio(&these), mh_odds_ratio_rbg(&these, Z95)) {
            prop_assert!(interval.contains(ratio) && interval.low > 0.0, "{:?}", interval);
        }
        if let (Some(ratio), Some(interval)) =
            (mh_risk_ratio(&these), mh_risk_ratio_greenland_robins(&these, Z95))
        {
            prop_assert!(interval.contains(ratio) && interval.low > 0.0, "{:?}", interval);
        }
        if let (Some(plain), Some(corrected)) = (cmh_chi2(&these), cmh_chi2_corrected(&these)) {
            prop_assert!(corrected.statistic <= plain.statistic && corrected.statistic >= 0.0);
        }
        if let (Some(plain), Some(tarone)) = (breslow_day(&these), breslow_day_tarone(&these)) {
            prop_assert!(tarone.statistic <= plain.statistic && tarone.statistic >= 0.0);
            prop_assert!(plain.statistic.is_finite());
            prop_assert_eq!(plain.df + 1, these.n_strata() as u64);
        }
        let all: Vec<Stratum> = cells.iter().map(|&cells| stratum(cells)).collect();
        if let Some(mean) = conditional_demographic_disparity(&all) {
            prop_assert!((-1.0..=1.0).contains(&mean.value));
            prop_assert_eq!(mean.n_strata + mean.n_dropped, all.len());
        }
    }
}
