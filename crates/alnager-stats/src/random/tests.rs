use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::mass::Binomial;
use crate::tail;

#[test]
fn splitmix_gives_the_published_numbers() {
    // SplitMix64 from 1234567, as its reference implementation prints them.
    let outputs = (1..=5).map(|i| mix(1_234_567_u64.wrapping_add(GOLDEN.wrapping_mul(i))));
    assert_eq!(
        outputs.collect::<Vec<_>>(),
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
    );
}

#[test]
fn xoshiro_gives_the_published_numbers() {
    // xoshiro256++ from the state 1, 2, 3, 4, as its reference implementation prints them.
    let mut random = Random {
        state: [1, 2, 3, 4],
    };
    let outputs: Vec<u64> = (0..10).map(|_| random.bits()).collect();
    assert_eq!(
        outputs,
        [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
            9_973_669_472_204_895_162,
            14_011_001_112_246_962_877,
            12_406_186_145_184_390_807,
            15_849_039_046_786_891_736,
            10_450_023_813_501_588_000,
        ]
    );
}

/// What a seed gives may never change: sealed intervals are recomputed from it. If this test fails,
/// the change is wrong, not the test.
#[test]
fn the_deviates_are_frozen() {
    let mut random = Random::stream(42, 7);
    let mut shown = String::new();
    for _ in 0..3 {
        shown += &format!("{:016x} ", random.uniform().to_bits());
        shown += &format!("{:016x}\n", random.normal().to_bits());
    }
    for (n, share) in [
        (10, 0.3),
        (1000, 0.002),
        (1000, 0.5),
        (50, 0.9),
        (1 << 47, 0.37),
        (1 << 47, 1e-13),
        (200_000, 0.0001),
    ] {
        let draws: Vec<String> = (0..6)
            .map(|_| random.binomial(n, share).expect("in range").to_string())
            .collect();
        shown += &format!("{n} {share}: {}\n", draws.join(" "));
    }
    let mut counts = [0; 5];
    random
        .multinomial(1000, &[5, 0, 300, 20, 7], &mut counts)
        .expect("in range");
    shown += &format!("{counts:?}\n");
    let weights: Vec<u64> = (0..24).map(|id| poisson_weight(id, 42, 3)).collect();
    shown += &format!("{weights:?}\n");
    expect![[r#"
        3fe4879fbe02afaf bfe0b1c2e61c76a2
        3fe4ae0a36767e3c 3fe9c2ecf2a37b51
        3fd68bd9ac987ce2 bfb7871b7510a09d
        10 0.3: 2 4 2 4 2 3
        1000 0.002: 1 3 1 5 2 1
        1000 0.5: 491 512 505 502 475 482
        50 0.9: 49 43 45 48 47 46
        140737488355328 0.37: 52072862842077 52072866456171 52072861383301 52072869386608 52072868988328 52072876941861
        140737488355328 0.0000000000001: 20 13 6 14 13 18
        200000 0.0001: 24 7 23 20 14 16
        [23, 0, 893, 47, 37]
        [1, 1, 0, 1, 3, 1, 0, 2, 2, 2, 1, 0, 0, 0, 1, 3, 0, 0, 1, 0, 0, 2, 1, 0]
    "#]].assert_eq(&shown);
}

#[test]
fn our_logarithm_and_exponential_are_right() {
    let mut random = Random::new(1);
    for _ in 0..2000 {
        let x = (40.0 * (random.uniform() - 0.5)).exp();
        assert!(
            (ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(0.5),
            "{x}"
        );
        let x = -0.5 * random.uniform();
        assert!((ln_1p(x) / x.ln_1p() - 1.0).abs() < 1e-15, "{x}");
        let x = -15.0 * random.uniform();
        assert!((exp(x) / x.exp() - 1.0).abs() < 3e-14, "{x}");
    }
    assert_eq!((ln(1.0), ln_1p(0.0), exp(0.0)), (0.0, 0.0, 1.0));
    assert!((ln_1p(-1e-14) + 1e-14).abs() < 1e-28);
}

#[test]
fn heights_are_those_of_the_masses() {
    for (n, share) in [(30, 0.4), (1000, 0.02), (1_000_000, 0.37), (1 << 47, 0.21)] {
        let masses = Binomial::new(n, share);
        let trials = n as f64;
        let sd = (trials * share * (1.0 - share)).sqrt();
        let mode = ((trials + 1.0) * share).floor();
        for step in [-4.0, -1.5, -0.1, 0.7, 2.0, 5.0] {
            let k = (mode + step * sd).floor().clamp(0.0, trials);
            let got = ln_height(k, trials, share) - ln_height(mode, trials, share);
            let want = masses.ln_mass(k as u64) - masses.ln_mass(mode as u64);
            assert!(
                (got - want).abs() < 1e-7 * want.abs().max(1e-3),
                "{n} {k}: {got} {want}"
            );
        }
    }
}

/// Draws from the binomial and compares counts with exact masses by chi-square; cells expecting under
/// ten are joined to their neighbour. A wrong sampler of this size gives p below 1e-9; a right one
/// gives p below 1e-3 once in a thousand seeds.
#[track_caller]
fn check_binomial(n: u64, share: f64, draws: u32) {
    let mut random = Random::new(n ^ share.to_bits());
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..draws {
        *seen
            .entry(random.binomial(n, share).expect("in range"))
            .or_insert(0.0) += 1.0;
    }
    let masses = Binomial::new(n, share);
    let sd = (n as f64 * share * (1.0 - share)).sqrt();
    let from = (n as f64 * share - 8.0 * sd - 8.0).max(0.0) as u64;
    let to = ((n as f64 * share + 8.0 * sd + 8.0) as u64).min(n);
    let (mut chi2, mut cells, mut expected, mut counted) = (0.0, 0, 0.0, 0.0);
    let (mut expected_all, mut counted_all) = (0.0, 0.0);
    for k in from..=to {
        expected += f64::from(draws) * masses.ln_mass(k).exp();
        counted += seen.get(&k).copied().unwrap_or(0.0);
        // What is left after the last full cell joins it.
        let rest = f64::from(draws) - expected_all - expected;
        if expected >= 10.0 && rest >= 10.0 {
            chi2 += (counted - expected).powi(2) / expected;
            (expected_all, counted_all) = (expected_all + expected, counted_all + counted);
            (expected, counted) = (0.0, 0.0);
            cells += 1;
        }
    }
    let rest = f64::from(draws) - expected_all;
    chi2 += (f64::from(draws) - counted_all - rest).powi(2) / rest;
    let p = tail::chi2(chi2, f64::from(cells)).value;
    assert!(
        cells >= 2 && p > 1e-3,
        "{n} {share}: chi2 {chi2}, {cells} cells, p {p}"
    );
}

#[test]
fn inversion_draws_the_binomial() {
    check_binomial(5, 0.3, 20_000);
    check_binomial(19, 0.5, 20_000);
    check_binomial(1000, 0.004, 20_000);
    check_binomial(1 << 47, 5e-14, 20_000);
}

#[test]
fn rejection_draws_the_binomial() {
    check_binomial(20, 0.5, 20_000);
    check_binomial(30, 0.4, 20_000);
    check_binomial(100, 0.9, 20_000);
    check_binomial(1000, 0.011, 20_000);
    check_binomial(4000, 0.5, 20_000);
    check_binomial(1 << 47, 1e-13, 20_000);
}

#[test]
fn huge_binomials_have_the_right_middle_and_spread() {
    let mut random = Random::new(11);
    let (n, share) = (COUNT_MAX, 0.37);
    let (mean, sd) = (n as f64 * share, (n as f64 * share * (1.0 - share)).sqrt());
    let draws: Vec<f64> = (0..20_000)
        .map(|_| (random.binomial(n, share).expect("in range") as f64 - mean) / sd)
        .collect();
    check_standard(&draws);
}

#[test]
fn normal_deviates_are_standard() {
    let mut random = Random::new(12);
    let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
    check_standard(&draws);
}

/// Mean, variance, skewness and kurtosis of standard normal draws, each within four standard errors, and
/// the shares beyond one, two and three.
#[track_caller]
fn check_standard(draws: &[f64]) {
    let n = draws.len() as f64;
    let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / n;
    for (k, want, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let off = (moment(k) - want) / f64::sqrt(variance / n);
        assert!(off.abs() < 4.0, "moment {k}: {off} standard errors off");
    }
    for z in [1.0, 2.0, 3.0] {
        let want = crate::normal::two_sided(z);
        let got = draws.iter().filter(|x| x.abs() > z).count() as f64 / n;
        let se = (want * (1.0 - want) / n).sqrt();
        assert!((got - want).abs() < 4.0 * se, "beyond {z}: {got} {want}");
    }
}

#[test]
fn cluster_weights_are_poisson_in_every_direction() {
    // Over ids, over replicates and over seeds.
    type Weight = fn(u64) -> u64;
    let directions: [Weight; 3] = [
        |i| poisson_weight(i, 1, 2),
        |i| poisson_weight(1, 2, i),
        |i| poisson_weight(1, i, 2),
    ];
    for weight in directions {
        let n = 50_000_u64;
        let mut seen = [0.0; 7];
        for i in 0..n {
            seen[(weight(i) as usize).min(6)] += 1.0;
        }
        let mut mass = (-1.0_f64).exp();
        let (mut chi2, mut rest) = (0.0, 1.0);
        for (k, seen) in seen.iter().enumerate() {
            let share = if k < 6 { mass } else { rest };
            let expected = n as f64 * share;
            chi2 += (seen - expected).powi(2) / expected;
            rest -= mass;
            mass /= (k + 1) as f64;
        }
        assert!(tail::chi2(chi2, 6.0).value > 1e-3, "chi2 {chi2}");
    }
}

#[test]
fn weights_of_two_clusters_do_not_move_together() {
    let n = 20_000_u64;
    let products = (0..n).map(|r| {
        let (a, b) = (
            poisson_weight(8, 3, r) as f64,
            poisson_weight(9, 3, r) as f64,
        );
        (a - 1.0) * (b - 1.0)
    });
    let off = products.sum::<f64>() / (n as f64).sqrt();
    assert!(off.abs() < 4.0, "{off} standard errors");
}

#[test]
fn what_is_out_of_range_is_refused() {
    let mut random = Random::new(0);
    assert_eq!(random.binomial(5, -0.1), None);
    assert_eq!(random.binomial(5, f64::NAN), None);
    assert_eq!(random.binomial(COUNT_MAX + 1, 0.5), None);
    assert_eq!(random.binomial(5, 0.0), Some(0));
    assert_eq!(random.binomial(5, 1.0), Some(5));
    assert_eq!(random.multinomial(1, &[0, 0], &mut [0, 0]), None);
    assert_eq!(random.multinomial(1, &[1], &mut [0, 0]), None);
    assert_eq!(random.multinomial(1, &[COUNT_MAX, 1], &mut [0, 0]), None);
    assert_eq!(random.multinomial(0, &[], &mut []), Some(()));
}

proptest! {
    #[test]
    fn binomials_stay_within_their_trials(seed: u64, n in 0..=COUNT_MAX, share in 0.0..=1.0_f64) {
        let mut random = Random::new(seed);
        let k = random.binomial(n, share).expect("in range");
        prop_assert!(k <= n);
        let few = random.binomial(n % 50, share).expect("in range");
        prop_assert!(few <= n % 50);
    }

    #[test]
    fn multinomials_spend_every_draw(
        seed: u64,
        n in 0..1_000_000_u64,
        weights in prop::collection::vec(0..1000_u64, 1..20),
    ) {
        let mut counts = vec![99; weights.len()];
        let drawn = Random::new(seed).multinomial(n, &weights, &mut counts);
        if weights.iter().sum::<u64>() == 0 {
            prop_assert_eq!(drawn.is_some(), n == 0);
        } else {
            prop_assert_eq!(counts.iter().sum::<u64>(), n);
            prop_assert!(counts.iter().zip(&weights).all(|(c, w)| *w > 0 || *c == 0));
        }
    }
}

#[test]
fn half_of_the_rows_are_held_out_and_another_seed_holds_out_others() {
    let held = |seed: u64| -> Vec<bool> { (0..20_000).map(|row| is_held_out(row, seed)).collect() };
    let (one, other) = (held(1), held(2));
    let share = |rows: &[bool]| rows.iter().filter(|held| **held).count();
    // 20,000 coins: 10,000 ± 71 each, so 300 is over four standard deviations.
    assert!(share(&one).abs_diff(10_000) < 300, "{}", share(&one));
    let alike = one.iter().zip(&other).filter(|(one, other)| one == other);
    assert!(alike.count().abs_diff(10_000) < 300);
    // Neighbours are no pairs: as many changes from row to row as of a coin.
    let changes = one.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes.abs_diff(10_000) < 300);
    // Sealed searches are repeated years later: these never change.
    let first: String = (0..32)
        .map(|row| if is_held_out(row, 1) { '1' } else { '0' })
        .collect();
    assert_eq!(first, "00001111001100100110010011110111");
}
