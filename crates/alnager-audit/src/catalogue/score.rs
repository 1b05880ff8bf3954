//! What a score tells of a group, and of a group against the reference.

use alnager_stats::proportion::{self, Proportion};
use alnager_stats::rank;
use alnager_stats::sample::Sample;
use alnager_stats::score::{self, ReliabilityBin};
use serde_json::{Map, Value, json};

use super::{Curve, GroupScores, put, put_interval, put_p};
use crate::figures::{interval, number};

/// Quantiles at which the quantile impact ratio is given, with their names.
const QUANTILES: [(&str, f64); 3] = [
    ("quantile_impact_ratio_50", 0.5),
    ("quantile_impact_ratio_80", 0.8),
    ("quantile_impact_ratio_90", 0.9),
];

/// All scores of known groups.
pub(super) fn known<'s>(groups: impl Iterator<Item = &'s GroupScores<'s>>) -> Sample {
    let all: Vec<&Sample> = groups.map(|scores| &scores.all).collect();
    Sample::merged(&all)
}

/// Adds what a group's score tells; calibration only where every score is a probability.
pub(super) fn group(
    figures: &mut Map<String, Value>,
    scores: &GroupScores<'_>,
    curve: Option<&Curve<'_>>,
    labelled: bool,
    are_probabilities: bool,
    z: f64,
) {
    put(figures, "score_mean", scores.all.mean());
    put(figures, "score_sd", scores.all.sd());
    if !labelled {
        return;
    }
    put(figures, "score_mean_pos", scores.labels[1].mean());
    put(figures, "score_mean_neg", scores.labels[0].mean());
    let auc = curve.map(|curve| curve.auc);
    put(figures, "auc", auc.map(|auc| auc.value));
    put(figures, "auc_delong_se", auc.and_then(|auc| auc.se));
    let delong = auc.and_then(|auc| auc.interval(z));
    put_interval(figures, "auc_ci_delong", delong);
    if are_probabilities {
        let found = score::calibration(scores.by_label(), N_BINS);
        let found = found.as_ref();
        put(figures, "brier", found.map(|found| found.brier));
        put(figures, "log_loss", found.map(|found| found.log_loss));
        put(figures, "ece10", found.map(|found| found.ece));
        let in_the_large = found.map(|found| found.in_the_large);
        put(figures, "calibration_in_the_large", in_the_large);
        let bins = found.map_or(&[] as &[ReliabilityBin], |found| &found.bins);
        figures.insert(
            "reliability".to_owned(),
            bins.iter().map(|found| bin(found, z)).collect(),
        );
    }
}

/// Bins of the reliability table.
const N_BINS: u32 = 10;

fn bin(bin: &ReliabilityBin, z: f64) -> Value {
    let share = Proportion::new(bin.n_positive, bin.n);
    let wilson = share.and_then(|share| proportion::wilson(share, z));
    json!({
        "low": bin.low,
        "high": bin.high,
        "n": bin.n,
        "mean_score": number(bin.mean_score),
        "mean_label": number(bin.mean_label),
        "ci_wilson": interval(wilson),
    })
}

/// What parts the scores of a group and the reference; `known` holds the scores of all known groups.
pub(super) fn compare(
    group: &GroupScores<'_>,
    reference: &GroupScores<'_>,
    known: &Sample,
) -> Map<String, Value> {
    let mut figures = Map::new();
    let (ours, theirs) = (&group.all, &reference.all);
    let mut add = |name: &str, value: Option<f64>| put(&mut figures, name, value);
    add("mean_difference", score::mean_difference(ours, theirs));
    add("smd_total", score::smd_total(ours, theirs, known));
    add("smd_pooled", score::smd_pooled(ours, theirs));
    let against = score::against(ours, theirs);
    let against = against.as_ref();
    add("ks", against.map(|found| found.ks.d));
    add("ks_p_asymp", against.map(|found| found.ks.p.value));
    add("ks_log10_p", against.map(|found| found.ks.p.log10));
    add("wasserstein", against.and_then(|found| found.wasserstein));
    add("psi10", score::psi10(theirs, ours));
    let welch = rank::welch(ours, theirs);
    add("welch_t", welch.map(|test| test.t));
    add("mannwhitney_u", against.map(|found| found.mann_whitney.u));
    for (name, share) in QUANTILES {
        add(
            name,
            score::quantile_impact_ratio(ours, theirs, known, share),
        );
    }
    put_p(&mut figures, "welch", welch.map(|test| test.p));
    let mann_whitney = against.and_then(|found| found.mann_whitney.test);
    put_p(&mut figures, "mannwhitney", mann_whitney.map(|test| test.p));
    figures
}

/// Adds what parts the errors that the scores of a group and the reference make.
pub(super) fn errors(
    figures: &mut Map<String, Value>,
    group: &GroupScores<'_>,
    reference: &GroupScores<'_>,
    curves: [Option<&Curve<'_>>; 2],
) {
    let (ours, theirs) = (group.by_label(), reference.by_label());
    let positive = score::balance_positive(ours, theirs);
    put(figures, "balance_pos_difference", positive);
    let negative = score::balance_negative(ours, theirs);
    put(figures, "balance_neg_difference", negative);
    let [ours, theirs] = curves;
    let curves = ours.zip(theirs);
    let aucs = curves.map(|(ours, theirs)| (ours.auc, theirs.auc));
    let difference = aucs.map(|(ours, theirs)| score::auc_difference(ours, theirs));
    put(figures, "auc_difference", difference);
    let test = aucs.and_then(|(ours, theirs)| score::auc_difference_test(ours, theirs));
    put(figures, "auc_diff_z", test.map(|test| test.statistic));
    put_p(figures, "auc_diff", test.map(|test| test.p));
    let area = curves.map(|(ours, theirs)| ours.curve.area_between(&theirs.curve));
    put(figures, "abroca", area);
}
