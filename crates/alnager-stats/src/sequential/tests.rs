//! Reference values from SciPy's `betaln` with `brentq`; rates by simulation with fixed seeds.

use super::*;
use crate::random::Random;

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("k is at most n")
}

#[track_caller]
fn near(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9, "{got} is not {want}");
}

#[test]
fn the_sequence_agrees_with_scipy() {
    near(
        ln_e_mean(40.0, 100, 0.3, Mix::JEFFREYS).expect("defined"),
        -0.27270372964826706,
    );
    for (k, n, low, high) in [
        (3, 10, 0.03251513978806024, 0.7475871099149966),
        (40, 100, 0.24857024393339475, 0.5656852520588714),
        (0, 25, 0.0, 0.18722535056977546),
    ] {
        let got = share_sequence(share(k, n), 0.05).expect("defined");
        near(got.low, low);
        near(got.high, high);
    }
    let nothing = share_sequence(share(0, 0), 0.05).expect("defined");
    assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
}

#[test]
fn what_is_no_mean_is_refused() {
    assert_eq!(ln_e_mean(2.0, 1, 0.5, Mix::JEFFREYS), None);
    assert_eq!(ln_e_mean(1.0, 2, 1.5, Mix::JEFFREYS), None);
    assert_eq!(mean_sequence(0.5, 1, 0.0), None);
    assert_eq!(watch(3, 0.05, 0.5, |_, _| 0.0), None);
    assert_eq!(watch_share(share(0, 0), &[share(1, 2)], 0.05, 100.0), None);
    assert_eq!(watch_shares(&[1, 2], &[vec![1]], 0.05, 100.0), None);
    assert_eq!(ln_e_mean(1.0, 2, 0.0, Mix::JEFFREYS), Some(f64::INFINITY));
}

#[test]
fn the_sequence_of_a_ratio_holds_the_ratio() {
    let block = Block {
        group: share(300, 1000),
        reference: share(500, 1000),
    };
    let got = ratio_sequence(block, 0.05).expect("both sides");
    assert!(got.low > 0.45 && got.low < 0.55, "{got:?}");
    assert!(got.high > 0.66 && got.high < 0.78, "{got:?}");
    // Against the range itself there is no evidence, against one beyond there is as much as the limit.
    let at = |low, high| {
        ln_e_ratio_left(block, Interval { low, high }, [Mix::JEFFREYS; 2]).expect("defined")
    };
    assert!(at(0.5, 0.7) < 0.0);
    near(at(got.high, 2.0), -0.05_f64.ln());
    near(at(0.0, got.low), -0.05_f64.ln());
    let nobody = Block {
        group: share(0, 20),
        reference: share(0, 20),
    };
    let got = ratio_sequence(nobody, 0.05).expect("both sides");
    assert_eq!((got.low, got.high), (0.0, f64::INFINITY));
}

#[test]
fn the_first_block_is_spent_on_learning() {
    let block = Block {
        group: share(10, 100),
        reference: share(60, 100),
    };
    let course = ln_e_two_shares(&[block, block]);
    assert_eq!(course[0], 0.0);
    assert!(course[1] > 20.0, "{course:?}");
}

/// The number of runs: `ALNAGER_RUNS`, or as given.
#[expect(
    clippy::disallowed_methods,
    reason = "a person asks for more runs than a test needs"
)]
fn n_runs(usual: u64) -> u64 {
    let asked = std::env::var("ALNAGER_RUNS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_sequence_misses_the_truth_in_few_runs_at_any_look() {
    let (runs, mut n_missed) = (n_runs(1000), 0);
    for run in 0..runs {
        let mut random = Random::stream(1, run);
        let (mut k, mut n, mut is_missed) = (0, 0, false);
        for _ in 0..60 {
            n += 25;
            k += random.binomial(25, 0.3).expect("a share");
            let held = share_sequence(share(k, n), 0.05).expect("defined");
            is_missed |= !held.contains(0.3);
        }
        n_missed += u64::from(is_missed);
    }
    println!(
        "confidence sequence at 0.05: the truth missed at some of 60 looks in {n_missed} of {runs} runs"
    );
    assert!(n_missed * 20 <= runs, "{n_missed} of {runs}");
}

#[test]
fn equal_groups_raise_few_alarms_however_often_one_looks() {
    let (runs, mut n_alarms) = (n_runs(1000), 0);
    for run in 0..runs {
        let mut random = Random::stream(2, run);
        let mut draw = |n: u64| share(random.binomial(n, 0.4).expect("a share"), n);
        let blocks: Vec<Block> = (0..40)
            .map(|at| Block {
                group: draw(10 + at),
                reference: draw(60),
            })
            .collect();
        let course = ln_e_two_shares(&blocks);
        n_alarms += u64::from(course.iter().any(|ln_e| *ln_e >= -(0.05_f64.ln())));
    }
    println!(
        "two equal shares at 0.05: an alarm at some of 40 blocks in {n_alarms} of {runs} runs"
    );
    assert!(n_alarms * 20 <= runs, "{n_alarms} of {runs}");
}

/// A baseline of 2,000 rows and 24 months of 200: the shares before and from month `from` on.
fn months(
    seed: u64,
    run: u64,
    before: f64,
    after: f64,
    from: usize,
) -> (Proportion, Vec<Proportion>) {
    let mut random = Random::stream(seed, run);
    let mut draw = |n: u64, rate: f64| share(random.binomial(n, rate).expect("a share"), n);
    let baseline = draw(2000, before);
    let periods = (0..24)
        .map(|at| draw(200, if at < from { before } else { after }))
        .collect();
    (baseline, periods)
}

#[test]
fn quiet_series_raise_few_alarms() {
    let runs = n_runs(1000);
    let (mut n_alarms, mut n_fixed) = (0, 0);
    for run in 0..runs {
        let (baseline, periods) = months(3, run, 0.3, 0.3, 24);
        let watch = watch_share(baseline, &periods, 0.05, 1000.0).expect("defined");
        n_alarms += u64::from(watch.alarm.is_some());
        let fixed = |period: &Proportion| {
            crate::compare::z_pooled(*period, baseline).is_some_and(|test| test.p.value < 0.05)
        };
        n_fixed += u64::from(periods.iter().any(fixed));
    }
    println!(
        "24 quiet months: alarms in {n_alarms} of {runs} runs; a fixed-sample test at 0.05 every month: {n_fixed}"
    );
    assert!(n_alarms * 20 <= runs, "{n_alarms} of {runs}");
    // What the alarms are for: the fixed-sample test cries wolf in most runs.
    assert!(n_fixed * 2 > runs, "{n_fixed} of {runs}");
}

#[test]
fn quiet_bins_and_ratios_raise_few_alarms() {
    let runs = n_runs(1000) / 5;
    let (mut by_bins, mut by_ratio) = (0, 0);
    for run in 0..runs {
        let mut random = Random::stream(4, run);
        let mut draw = |n: u64| {
            let mut counts = vec![0; 5];
            random
                .multinomial(n, &[3, 3, 2, 1, 1], &mut counts)
                .expect("weights");
            counts
        };
        let (baseline, periods) = (draw(1000), (0..12).map(|_| draw(150)).collect::<Vec<_>>());
        let watch = watch_shares(&baseline, &periods, 0.05, 1000.0).expect("defined");
        by_bins += u64::from(watch.alarm.is_some());
        let mut draw = |n: u64, rate: f64| share(random.binomial(n, rate).expect("a share"), n);
        let (group, reference) = (draw(800, 0.3), draw(800, 0.4));
        let baseline = Block { group, reference };
        let periods: Vec<Block> = (0..12)
            .map(|_| Block {
                group: draw(100, 0.3),
                reference: draw(100, 0.4),
            })
            .collect();
        let watch = watch_ratio(baseline, &periods, 0.05, 1000.0).expect("defined");
        by_ratio += u64::from(watch.alarm.is_some());
    }
    println!("12 quiet months: alarms by bins in {by_bins}, by ratio in {by_ratio} of {runs} runs");
    assert!(
        by_bins * 20 <= runs && by_ratio * 20 <= runs,
        "{by_bins} {by_ratio} of {runs}"
    );
}

#[test]
fn a_planted_change_is_found_and_dated() {
    let runs = n_runs(100);
    println!("rate  found  by month after the change (mean)  dated within one month");
    for (after, share_min, delay_max) in [(0.36, 0.4, 12.0), (0.40, 0.95, 6.0), (0.50, 1.0, 2.0)] {
        let (mut n_found, mut delay, mut n_dated) = (0_u64, 0.0, 0_u64);
        for run in 0..runs {
            let (baseline, periods) = months(5, run, 0.3, after, 8);
            let watch = watch_share(baseline, &periods, 0.05, 1000.0).expect("defined");
            if let (Some(alarm), Some(from)) = (watch.alarm, watch.from)
                && alarm >= 8
            {
                n_found += 1;
                delay += (alarm - 8 + 1) as f64;
                n_dated += u64::from(from.abs_diff(8) <= 1);
            }
        }
        let (found, delay) = (n_found as f64 / runs as f64, delay / n_found.max(1) as f64);
        let dated = n_dated as f64 / n_found.max(1) as f64;
        println!("{after:.2}  {found:.3}  {delay:.2}  {dated:.2}");
        assert!(
            found >= share_min && delay <= delay_max,
            "{after}: {found} {delay}"
        );
    }
}

#[test]
fn the_average_run_length_is_at_least_what_is_stated() {
    // A run length of 20 periods, watched for 200: those without an alarm count as 200, which only lowers the mean.
    let runs = n_runs(50);
    let mut sum = 0;
    for run in 0..runs {
        let mut random = Random::stream(6, run);
        let mut draw = |n: u64| share(random.binomial(n, 0.3).expect("a share"), n);
        let baseline = draw(20_000);
        let periods: Vec<Proportion> = (0..200).map(|_| draw(50)).collect();
        let watch = watch_share(baseline, &periods, 0.05, 20.0).expect("defined");
        sum += watch.alarm_by_run_length.map_or(200, |at| at + 1);
    }
    let mean = sum as f64 / runs as f64;
    println!("stated run length 20 periods: {mean:.1} on average without a change");
    assert!(mean >= 20.0, "{mean}");
}
