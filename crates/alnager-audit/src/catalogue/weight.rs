//! Rates of weighted rows: Σw in place of counts, with how many rows they are worth. No exact test is made of weights.

use alnager_stats::weighted::{self, Weighted};
use serde_json::{Map, Value};

use super::{put, put_interval, put_p};
use crate::declared::Audit;
use crate::figures::{Group, Groups, group_weights};
use crate::measures::Measures;
use crate::table::{WeightCell, WeightSum};

/// Adds `weighted` to the figures of a group, where rows have weights.
pub(super) fn group(
    figures: &mut Map<String, Value>,
    audit: &Audit,
    measures: &Measures,
    groups: &Groups,
    group: &Group,
    z: f64,
) {
    if measures.table.weights.is_empty() {
        return;
    }
    let sums = group_weights(measures, &groups.grouping, audit.missing);
    let cell = sums.get(&group.name).copied().unwrap_or_default();
    let [[tn, fp], [fn_, tp], _] = cell.sums;
    let mut weighted = Map::new();
    put(&mut weighted, "n", Some(total(&cell.sums.concat())));
    let chosen_share = selected(&cell, 1);
    put(
        &mut weighted,
        "effective_n",
        chosen_share.and_then(Weighted::effective_n),
    );
    let mut rate = |name: &str, hits: &[WeightSum], all: &[WeightSum]| {
        let (hits, all) = (total(hits), total(all));
        put(&mut weighted, name, (all > 0.0).then(|| hits / all));
    };
    let favourable = selected(&cell, usize::from(audit.decision.favourable));
    let everybody = cell.sums.concat();
    let chosen: Vec<WeightSum> = cell.sums.iter().map(|by_decision| by_decision[1]).collect();
    rate("selection_rate", &chosen, &everybody);
    if audit.label.is_some() {
        let labelled = [tn, fp, fn_, tp];
        rate("base_rate", &[tp, fn_], &labelled);
        rate("tpr", &[tp], &[tp, fn_]);
        rate("fpr", &[fp], &[fp, tn]);
        rate("tnr", &[tn], &[fp, tn]);
        rate("fnr", &[fn_], &[tp, fn_]);
        rate("ppv", &[tp], &[tp, fp]);
        rate("npv", &[tn], &[tn, fn_]);
        rate("fdr", &[fp], &[tp, fp]);
        rate("for", &[fn_], &[tn, fn_]);
        rate("accuracy", &[tp, tn], &labelled);
    }
    put(
        &mut weighted,
        "favorable_rate",
        favourable.and_then(Weighted::value),
    );
    let kish = favourable.and_then(|share| weighted::wilson(share, z));
    put_interval(&mut weighted, "favorable_rate_ci", kish);
    figures.insert("weighted".to_owned(), Value::Object(weighted));
}

/// Adds `weighted` to a comparison, where rows have weights: selection by Kish's effective number of rows.
pub(super) fn compare(
    figures: &mut Map<String, Value>,
    audit: &Audit,
    measures: &Measures,
    groups: &Groups,
    group: &Group,
    reference: &Group,
    z: f64,
) {
    if measures.table.weights.is_empty() {
        return;
    }
    let sums = group_weights(measures, &groups.grouping, audit.missing);
    let of = |name: &str| sums.get(name).and_then(|cell| selected(cell, 1));
    let Some((ours, theirs)) = of(&group.name).zip(of(&reference.name)) else {
        return;
    };
    let mut weighted = Map::new();
    put(
        &mut weighted,
        "difference",
        weighted::difference(ours, theirs),
    );
    let newcombe = weighted::difference_newcombe(ours, theirs, z);
    put_interval(&mut weighted, "diff_ci_newcombe", newcombe);
    put(&mut weighted, "ratio", weighted::ratio(ours, theirs));
    let katz = weighted::ratio_katz(ours, theirs, z);
    put_interval(&mut weighted, "ratio_ci_katz", katz);
    let test = weighted::z_pooled(ours, theirs);
    put(&mut weighted, "z_pooled", test.map(|test| test.statistic));
    put_p(&mut weighted, "z_pooled", test.map(|test| test.p));
    figures.insert("weighted".to_owned(), Value::Object(weighted));
}

/// The weighted share of a decision.
pub(crate) fn selected(cell: &WeightCell, decision: usize) -> Option<Weighted> {
    let of = |decision: usize| {
        cell.sums
            .iter()
            .map(move |by_decision| by_decision[decision])
    };
    let success: f64 = of(decision).map(|sum| sum.w).sum();
    let failure: f64 = of(1 - decision).map(|sum| sum.w).sum();
    let square: f64 = cell.sums.iter().flatten().map(|sum| sum.w2).sum();
    Weighted::new(success, failure, square)
}

fn total(sums: &[WeightSum]) -> f64 {
    sums.iter().map(|sum| sum.w).sum()
}
