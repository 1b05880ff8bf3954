//! Do our figures on scores agree with others'? Compares every figure in `reference/scores.json`; see its README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_stats::proportion::Z95;
use alnager_stats::rank;
use alnager_stats::sample::Sample;
use alnager_stats::score::{self, ByLabel};
use serde_json::{Value, json};

/// Relative, as the reference's README says.
const TOLERANCE: f64 = 1e-9;

#[test]
fn scores() {
    let text = include_str!("../reference/scores.json");
    let cases: Vec<Value> = serde_json::from_str(text).expect("a reference table is JSON");
    let mut compared = 0;
    let mut lines = Vec::new();
    for case in &cases {
        let got = figures(&case["groups"]);
        for (part, wants) in case["figures"].as_object().expect("parts") {
            for (name, want) in wants.as_object().expect("figures") {
                compared += 1;
                let got = &got[part][name];
                if !agree(want, got) {
                    lines.push(format!(
                        "{}/{part}/{name}: {got}, reference {want}",
                        case["case"]
                    ));
                }
            }
        }
    }
    assert!(
        lines.is_empty(),
        "{} of {compared} differ:\n{}",
        lines.len(),
        lines.join("\n")
    );
    assert!(compared >= 650, "only {compared} figures compared");
}

fn agree(want: &Value, got: &Value) -> bool {
    match (want.as_f64(), got.as_f64()) {
        (Some(want), Some(got)) => (want - got).abs() <= TOLERANCE * want.abs(),
        _ => want == got,
    }
}

fn figures(groups: &Value) -> Value {
    let split: Vec<[Sample; 2]> = groups
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| [sample(&group["negative"]), sample(&group["positive"])])
        .collect();
    let whole: Vec<Sample> = split
        .iter()
        .map(|[negative, positive]| Sample::merged(&[negative, positive]))
        .collect();
    let by_label = |g: usize| ByLabel {
        negative: &split[g][0],
        positive: &split[g][1],
    };
    let parts: Vec<&Sample> = whole.iter().collect();
    let kruskal = rank::kruskal_wallis(&parts, &Sample::merged(&parts));
    json!({
        "group": group_figures(by_label(0), &whole[0]),
        "reference": group_figures(by_label(1), &whole[1]),
        "pair": pair_figures([by_label(0), by_label(1)], &whole[0], &whole[1]),
        "all": {"kruskal_h": kruskal.map(|test| test.h), "kruskal_p": kruskal.map(|test| test.p.value)},
    })
}

fn group_figures(split: ByLabel<'_>, whole: &Sample) -> Value {
    let auc = score::auc_delong(split);
    assert_eq!(auc.map(|auc| auc.value), score::auc(split));
    let interval = auc.and_then(|auc| auc.interval(Z95));
    json!({
        "n": whole.n(),
        "mean": whole.mean(),
        "sd": whole.sd(),
        "median": whole.median(),
        "quantile_0.15": whole.quantile(0.15),
        "mean_positive": split.positive.mean(),
        "mean_negative": split.negative.mean(),
        "auc": score::auc(split),
        "auc_se": auc.and_then(|auc| auc.se),
        "auc_low": interval.map(|interval| interval.low),
        "auc_high": interval.map(|interval| interval.high),
        "brier": score::brier(split),
        "log_loss": score::log_loss(split),
        "calibration_in_the_large": score::calibration_in_the_large(split),
        "ece10": score::ece10(split),
        "ece7": score::ece(split, 7),
    })
}

fn pair_figures([first, second]: [ByLabel<'_>; 2], g: &Sample, r: &Sample) -> Value {
    let known = Sample::merged(&[g, r]);
    let ks = score::kolmogorov_smirnov(g, r);
    let welch = rank::welch(g, r);
    let mann_whitney = rank::mann_whitney(g, r);
    let z = mann_whitney.and_then(|mann_whitney| mann_whitney.test);
    let aucs = score::auc_delong(first).zip(score::auc_delong(second));
    let auc_test = aucs.and_then(|(g, r)| score::auc_difference_test(g, r));
    json!({
        "mean_difference": score::mean_difference(g, r),
        "smd_total": score::smd_total(g, r, &known),
        "smd_pooled": score::smd_pooled(g, r),
        "ks": ks.map(|ks| ks.d),
        "ks_p": ks.map(|ks| ks.p.value),
        "wasserstein": score::wasserstein(g, r),
        "psi10": score::psi10(r, g),
        "psi5": score::psi(r, g, 5),
        "share_above_median_ratio": score::quantile_impact_ratio(g, r, &known, 0.5),
        "welch_t": welch.map(|welch| welch.t),
        "welch_df": welch.map(|welch| welch.df),
        "welch_p": welch.map(|welch| welch.p.value),
        "mannwhitney_u": mann_whitney.map(|test| test.u),
        "mannwhitney_log10_p": z.map(|test| test.p.log10),
        "abroca": score::abroca(first, second),
        "balance_positive": score::balance_positive(first, second),
        "balance_negative": score::balance_negative(first, second),
        "auc_difference_z": auc_test.map(|test| test.statistic),
        "auc_difference_p": auc_test.map(|test| test.p.value),
    })
}

fn sample(pairs: &Value) -> Sample {
    let pairs: Vec<(f64, u64)> = serde_json::from_value(pairs.clone()).expect("score and count");
    Sample::from_counts(pairs).expect("finite scores")
}
