//! What a score tells of a group, and of a group against the reference.

use alnager_stats::rank;
use alnager_stats::sample::Sample;
use alnager_stats::score;
use serde_json::{Map, Value};

use super::{GroupScores, put, put_p};
use crate::figures::interval;

/// Quantiles at which the quantile impact ratio is given, with their names.
const QUANTILES: [(&str, f64); 3] = [
    ("quantile_impact_ratio_50", 0.5),
    ("quantile_impact_ratio_80", 0.8),
    ("quantile_impact_ratio_90", 0.9),
];

/// All scores of known groups.
pub(super) fn known<'s>(groups: impl Iterator<Item = &'s GroupScores>) -> Sample {
    let all: Vec<&Sample> = groups.map(|scores| &scores.all).collect();
    Sample::merged(&all)
}

/// Adds what a group's score tells; calibration only where every score is a probability.
pub(super) fn group(
    figures: &mut Map<String, Value>,
    scores: &GroupScores,
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
    let auc = score::auc_delong(scores.by_label());
    put(figures, "auc", auc.map(|auc| auc.value));
    put(figures, "auc_delong_se", auc.and_then(|auc| auc.se));
    let delong = auc.and_then(|auc| auc.interval(z));
    figures.insert("auc_ci_delong".to_owned(), interval(delong));
    if are_probabilities {
        let by_label = scores.by_label();
        put(figures, "brier", score::brier(by_label));
        put(figures, "log_loss", score::log_loss(by_label));
        put(figures, "ece10", score::ece10(by_label));
        let in_the_large = score::calibration_in_the_large(by_label);
        put(figures, "calibration_in_the_large", in_the_large);
    }
}

/// What parts the scores of a group and the reference; `known` holds the scores of all known groups.
pub(super) fn compare(
    group: &GroupScores,
    reference: &GroupScores,
    known: &Sample,
    labelled: bool,
) -> Value {
    let mut figures = Map::new();
    let (ours, theirs) = (&group.all, &reference.all);
    put(
        &mut figures,
        "mean_difference",
        score::mean_difference(ours, theirs),
    );
    put(
        &mut figures,
        "smd_total",
        score::smd_total(ours, theirs, known),
    );
    put(&mut figures, "smd_pooled", score::smd_pooled(ours, theirs));
    let ks = score::kolmogorov_smirnov(ours, theirs);
    put(&mut figures, "ks", ks.map(|test| test.d));
    put(&mut figures, "ks_p_asymp", ks.map(|test| test.p.value));
    put(&mut figures, "ks_log10_p", ks.map(|test| test.p.log10));
    put(
        &mut figures,
        "wasserstein",
        score::wasserstein(ours, theirs),
    );
    put(&mut figures, "psi10", score::psi10(theirs, ours));
    let welch = rank::welch(ours, theirs);
    put(&mut figures, "welch_t", welch.map(|test| test.t));
    put_p(&mut figures, "welch", welch.map(|test| test.p));
    let mann_whitney = rank::mann_whitney(ours, theirs);
    put(
        &mut figures,
        "mannwhitney_u",
        mann_whitney.map(|test| test.u),
    );
    let p = mann_whitney.and_then(|test| test.test).map(|test| test.p);
    put_p(&mut figures, "mannwhitney", p);
    for (name, share) in QUANTILES {
        put(
            &mut figures,
            name,
            score::quantile_impact_ratio(ours, theirs, known, share),
        );
    }
    if labelled {
        errors(&mut figures, group, reference);
    }
    Value::Object(figures)
}

fn errors(figures: &mut Map<String, Value>, group: &GroupScores, reference: &GroupScores) {
    let (ours, theirs) = (group.by_label(), reference.by_label());
    put(
        figures,
        "balance_pos_difference",
        score::balance_positive(ours, theirs),
    );
    put(
        figures,
        "balance_neg_difference",
        score::balance_negative(ours, theirs),
    );
    let aucs = score::auc_delong(ours).zip(score::auc_delong(theirs));
    let difference = aucs.map(|(ours, theirs)| score::auc_difference(ours, theirs));
    put(figures, "auc_difference", difference);
    let test = aucs.and_then(|(ours, theirs)| score::auc_difference_test(ours, theirs));
    put(figures, "auc_diff_z", test.map(|test| test.statistic));
    put_p(figures, "auc_diff", test.map(|test| test.p));
    put(figures, "abroca", score::abroca(ours, theirs));
}
