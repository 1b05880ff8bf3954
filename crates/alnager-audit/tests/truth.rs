//! Known truth: data with a planted disparity, and how often we find it or cry wolf. The page of the manual is written by this
//! test (`UPDATE_EXPECT=1`), so its figures cannot be out of date.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fmt::Write as _;

use alnager_audit::finding::{Correction, Findings, Method, find};
use alnager_audit::judge::Outcome;
use alnager_stats::compare::{difference_newcombe, ratio_katz};
use alnager_stats::proportion::{Proportion, Z95, clopper_pearson, wilson};
use alnager_stats::random::Random;
use common::{audit, measures, planned};
use expect_test::expect_file;

/// Simulated audits of each kind.
const N_AUDITS: u64 = 400;

/// Favourable decisions drawn for groups of `n` people with these rates; half of the people have a positive outcome, and the
/// decision does not depend on it.
fn drawn(random: &mut Random, n: u64, rates: &[f64]) -> Vec<(String, [u64; 4])> {
    let name = |at: usize| format!("g{at:02}");
    let groups = rates.iter().enumerate().map(|(at, rate)| {
        let half = n / 2;
        let fp = random.binomial(n - half, *rate).unwrap();
        let tp = random.binomial(half, *rate).unwrap();
        (name(at), [n - half - fp, fp, half - tp, tp])
    });
    groups.collect()
}

fn examined(seed: u64, number: u64, n: u64, rates: &[f64], correction: Correction) -> Findings {
    let groups = drawn(&mut Random::stream(seed, number), n, rates);
    let groups: Vec<(&str, [u64; 4])> = groups
        .iter()
        .map(|(name, counts)| (name.as_str(), *counts))
        .collect();
    let audit =
        audit("attribute = [{ column = 'g', characteristic = 'other', reference = 'g00' }]");
    let method = Method {
        correction,
        n_replicates: 1,
        power: None,
        ..Method::default()
    };
    find(&planned(&audit), &audit, &measures(&groups), method)
}

/// The share of simulated audits of which `what` holds, in per cent with one place.
fn share(seed: u64, n: u64, rates: &[f64], what: impl Fn(&Findings) -> bool) -> f64 {
    let hits = (0..N_AUDITS)
        .filter(|number| what(&examined(seed, *number, n, rates, Correction::Holm)))
        .count();
    (hits as f64 / N_AUDITS as f64 * 1000.0).round() / 10.0
}

fn any_significant(findings: &Findings) -> bool {
    findings
        .findings
        .iter()
        .any(|finding| finding.is_significant == Some(true))
}

fn fails(findings: &Findings) -> bool {
    findings.outcome == Outcome::Fail
}

fn passes(findings: &Findings) -> bool {
    findings.outcome == Outcome::Pass
}

/// P(X = k) of a binomial, by its ratios.
fn masses(n: u64, p: f64) -> Vec<f64> {
    let mut masses = vec![(1.0 - p).powi(n as i32)];
    for k in 0..n {
        let last = masses[k as usize];
        masses.push(last * (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p));
    }
    masses
}

/// The chance that an interval holds the truth, summed over every outcome; outcomes without an interval are left out.
fn coverage(
    n: [u64; 2],
    p: [f64; 2],
    holds: impl Fn(Proportion, Proportion) -> Option<bool>,
) -> f64 {
    let [ours, theirs] = [masses(n[0], p[0]), masses(n[1], p[1])];
    let (mut held, mut all) = (0.0, 0.0);
    for (k, mass) in ours.iter().enumerate() {
        for (other, of_other) in theirs.iter().enumerate() {
            let of = |k: usize, n: u64| Proportion::new(k as u64, n).unwrap();
            if let Some(holds) = holds(of(k, n[0]), of(other, n[1])) {
                all += mass * of_other;
                held += f64::from(u8::from(holds)) * mass * of_other;
            }
        }
    }
    held / all * 100.0
}

fn intervals(page: &mut String) {
    page.push_str("## Intervals\n\nHow often an interval of 95 % holds the truth, in per cent, summed over every possible outcome \
                   (no simulation).\n\n| n | true share | Wilson | Clopper-Pearson |\n|---|---|---|---|\n");
    for n in [20, 50, 100, 500] {
        for p in [0.02, 0.1, 0.3, 0.5] {
            let one = |interval: &dyn Fn(Proportion) -> bool| {
                coverage([n, 0], [p, 0.5], |ours, _| Some(interval(ours)))
            };
            let by_wilson = one(&|share| wilson(share, Z95).unwrap().contains(p));
            let exact = one(&|share| clopper_pearson(share, 0.05).unwrap().contains(p));
            assert!(exact >= 95.0, "exact: {n} {p} {exact}");
            // The range on which it is said to hold.
            assert!(
                n < 500 || p < 0.1 || (94.0..=96.0).contains(&by_wilson),
                "{n} {p} {by_wilson}"
            );
            let _ = writeln!(page, "| {n} | {p} | {by_wilson:.1} | {exact:.1} |");
        }
    }
    page.push_str("\n| n, n of the reference | true rates | Newcombe, difference | Katz, ratio |\n|---|---|---|---|\n");
    let pairs = [
        ([30, 30], [0.3, 0.5]),
        ([30, 100], [0.1, 0.2]),
        ([30, 100], [0.9, 0.95]),
        ([100, 100], [0.1, 0.1]),
        ([100, 100], [0.4, 0.5]),
        ([100, 200], [0.05, 0.1]),
        ([200, 200], [0.24, 0.3]),
        ([200, 200], [0.5, 0.5]),
    ];
    for (n, p) in pairs {
        let newcombe = coverage(n, p, |ours, theirs| {
            Some(difference_newcombe(ours, theirs, Z95)?.contains(p[0] - p[1]))
        });
        let katz = coverage(n, p, |ours, theirs| {
            Some(ratio_katz(ours, theirs, Z95)?.contains(p[0] / p[1]))
        });
        // The range on which both are said to hold.
        if n[0] >= 100 && p[0] >= 0.2 && p[1] <= 0.8 {
            assert!((94.0..=96.0).contains(&newcombe), "{n:?} {p:?} {newcombe}");
            assert!((94.0..=96.0).contains(&katz), "{n:?} {p:?} {katz}");
        }
        let _ = writeln!(
            page,
            "| {}, {} | {}, {} | {newcombe:.1} | {katz:.1} |",
            n[0], n[1], p[0], p[1]
        );
    }
    page.push_str(
        "\nThe exact interval never holds less often than it says. Of the approximate ones, Newcombe's and Katz' hold 94 to 96 % of \
         the time with 100 people or more on each side and rates from 0.2 to 0.8; Wilson's with 500 or more and rates from 0.1 to \
         0.9. Outside these ranges: Wilson's goes up and down by two to three points with n and the rate (92.2 % for 50 people at \
         0.02), Newcombe's is mostly wider than it need be, and Katz' may hold as little as 92 % of the time (30 people at a rate of \
         0.9).\n",
    );
}

fn false_alarms(page: &mut String) {
    page.push_str("\n## Crying wolf\n\nTen groups of 500 people with the same true rate, 18 comparisons (impact ratio and TPR); how \
                   many of 400 audits raise any alarm, in per cent.\n\n| true rate | any comparison significant | outcome is fail |\n|---|---|---|\n");
    for rate in [0.2, 0.5, 0.8] {
        let rates = [rate; 10];
        let significant = share(11, 500, &rates, any_significant);
        let failed = share(11, 500, &rates, fails);
        // At most 5 % in truth; 400 audits may show up to two standard errors more.
        assert!(significant <= 7.2, "{rate} {significant}");
        assert!(failed <= 1.0, "{rate} {failed}");
        let _ = writeln!(page, "| {rate} | {significant} | {failed} |");
    }
    page.push_str("\nOn the border itself, where the true ratio of one group is the limit of 0.80, an audit that fails is a false alarm, and so is one that passes.\n\n\
                   | people in each of two groups | fail | pass |\n|---|---|---|\n");
    for n in [500, 2_000, 8_000] {
        let failed = share(13, n, &[0.5, 0.4], fails);
        let passed = share(13, n, &[0.5, 0.4], passes);
        assert!(failed <= 5.0 && passed <= 5.0, "{n} {failed} {passed}");
        let _ = writeln!(page, "| {n} | {failed} | {passed} |");
    }
}

fn power(page: &mut String) {
    page.push_str("\n## Finding what is there\n\nOne of four groups is favoured less; the others have a rate of 0.5. How many of 400 audits \
                   find it (significant after correction), and how many fail it (the interval for all comparisons lies wholly below \
                   0.80), in per cent.\n\n| true ratio | 100 people a group | 400 | 1,600 | 6,400 |\n|---|---|---|---|---|\n");
    let mut last = [0.0; 4];
    for ratio in [0.95, 0.9, 0.8, 0.7, 0.6, 0.5] {
        let rates = [0.5, 0.5, 0.5, 0.5 * ratio];
        let mut row = format!("| {ratio} |");
        for (at, n) in [100, 400, 1_600, 6_400].into_iter().enumerate() {
            let found = share(17, n, &rates, any_significant);
            let failed = share(17, n, &rates, fails);
            // A larger gap is found at least as often.
            assert!(found >= last[at] - 3.0, "{ratio} {n} {found}");
            last[at] = found;
            let _ = write!(row, " {found:.0} / {failed:.0} |");
        }
        let _ = writeln!(page, "{row}");
    }
    page.push_str("\nEach cell: significant / fails. A group too small to show a gap is reported with the smallest ratio it could have shown.\n");
}

#[test]
fn the_page_of_the_manual_holds() {
    let mut page = String::from(
        "# Known truth\n\n<!-- Written by the test `truth` of alnager-audit; UPDATE_EXPECT=1 writes it anew. -->\n\n\
         What the methods of the audit lab do on data whose truth is known. The figures are part of the tests and may not get worse.\n\n",
    );
    intervals(&mut page);
    false_alarms(&mut page);
    power(&mut page);
    expect_file!["../../../docs/reference/known-truth.md"].assert_eq(&page);
}

#[test]
fn benjamini_and_hochberg_find_at_least_what_holm_finds() {
    let rates = [0.5, 0.5, 0.45, 0.42, 0.38, 0.36];
    let n_found = |correction| -> usize {
        let findings = (0..20).map(|number| examined(3, number, 600, &rates, correction));
        findings
            .flat_map(|findings| findings.findings)
            .filter(|finding| finding.is_significant == Some(true))
            .count()
    };
    let [holm, bonferroni, bh] = [
        Correction::Holm,
        Correction::Bonferroni,
        Correction::BenjaminiHochberg,
    ]
    .map(n_found);
    assert!(
        bonferroni <= holm && holm <= bh && holm > 0,
        "{bonferroni} {holm} {bh}"
    );
}
