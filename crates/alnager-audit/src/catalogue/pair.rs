//! Every test of one comparison, beside what a review seals of it.

use alnager_stats::compare;
use alnager_stats::confusion::Rate;
use alnager_stats::proportion::Proportion;
use serde_json::{Map, Value};

use super::{put, put_interval, put_p};
use crate::figures::{COMPARED, Group, P_HELD};

/// Adds to `vs_reference` of a group the logarithms of p-values, and of selection the other intervals and tests.
pub(super) fn compare(
    versus: &mut Map<String, Value>,
    group: &Group,
    reference: &Group,
    labelled: bool,
    z: f64,
) {
    let rates: &[Rate] = if labelled {
        &COMPARED
    } else {
        &[Rate::SelectionRate]
    };
    for rate in rates {
        let Some((ours, theirs)) = group.rate(*rate).zip(reference.rate(*rate)) else {
            continue;
        };
        let Some(figures) = versus.get_mut(rate.name()).and_then(Value::as_object_mut) else {
            continue;
        };
        // The exact test is made again only where its probability underflows, or the mid-p is wanted.
        let is_selection = *rate == Rate::SelectionRate;
        let held = figures
            .get("fisher_p")
            .and_then(Value::as_f64)
            .filter(|p| *p > P_HELD);
        let fisher = match held {
            Some(_) if !is_selection => None,
            Some(_) | None => compare::fisher(ours, theirs),
        };
        let log10 = held.map(f64::log10);
        let log10 = log10.or(fisher.map(|test| test.two_sided.log10));
        put(figures, "fisher_log10_p", log10);
        let z_test = compare::z_pooled(ours, theirs);
        put_p(figures, "z_pooled", z_test.map(|test| test.p));
        if is_selection {
            let midp = fisher.map(|test| test.midp_two_sided);
            put_p(figures, "fisher_midp", midp);
            selection(figures, ours, theirs, z);
        }
    }
}

fn selection(figures: &mut Map<String, Value>, ours: Proportion, theirs: Proportion, z: f64) {
    let (chi2, yates) = (
        compare::chi2(ours, theirs),
        compare::chi2_yates(ours, theirs),
    );
    let wald = compare::difference_wald(ours, theirs, z);
    put_interval(figures, "diff_ci_wald", wald);
    put(figures, "chi2", chi2.map(|test| test.statistic));
    put_p(figures, "chi2", chi2.map(|test| test.p));
    put(figures, "chi2_yates", yates.map(|test| test.statistic));
    put_p(figures, "chi2_yates", yates.map(|test| test.p));
    put(figures, "odds_ratio", compare::odds_ratio(ours, theirs));
    let woolf = compare::odds_ratio_woolf(ours, theirs, z);
    put_interval(figures, "odds_ratio_ci_woolf", woolf);
    put(
        figures,
        "sd_units_hypergeometric",
        compare::sd_units_hypergeometric(ours, theirs),
    );
    put(figures, "phi", compare::phi(ours, theirs));
    put(figures, "cohens_h", compare::cohens_h(ours, theirs));
}
