//! Do our figures agree with others'? Compares every figure in `reference/*.json`; see its README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use alnager_stats::compare::{self, PValue, Test};
use alnager_stats::confusion::{Confusion, Rate};
use alnager_stats::correct;
use alnager_stats::impact;
use alnager_stats::odds;
use alnager_stats::proportion::{self, Interval, Proportion, Z95};
use serde_json::{Value, json};

use differences::Differences;

mod differences;

#[test]
fn compas() {
    check_case(include_str!("../reference/compas.json"), 2600);
}

#[test]
fn german() {
    check_case(include_str!("../reference/german.json"), 980);
}

#[test]
fn adult() {
    check_case(include_str!("../reference/adult.json"), 750);
}

#[test]
fn ricci() {
    check_case(include_str!("../reference/ricci.json"), 190);
}

#[test]
fn tables_2x2() {
    check_tables(include_str!("../reference/tables2x2.json"), 400);
}

#[test]
fn tables_with_huge_counts_or_tiny_p() {
    check_tables(include_str!("../reference/extremes.json"), 250);
}

/// Compares every figure of every attribute; `at_least` guards against an emptied table.
#[track_caller]
fn check_case(text: &str, at_least: usize) {
    let case: Value = serde_json::from_str(text).expect("a reference table is JSON");
    let favourable = case["favorable"].as_u64().expect("favorable");
    let mut seen = Differences::default();
    for (name, attribute) in object(&case["attrs"]) {
        seen.compare(name, attribute, &attribute_figures(attribute, favourable));
    }
    seen.finish(at_least);
}

#[track_caller]
fn check_tables(text: &str, at_least: usize) {
    let tables: Value = serde_json::from_str(text).expect("a reference table is JSON");
    let mut seen = Differences::default();
    for want in tables.as_array().expect("a list of tables") {
        let cells: [[u64; 2]; 2] = serde_json::from_value(want["table"].clone()).expect("2x2");
        let [group, reference] = cells.map(|[k, rest]| share(k, k + rest));
        let mut got = table_figures(group, reference);
        got["table"] = want["table"].clone();
        seen.compare(&want["table"].to_string(), want, &got);
    }
    seen.finish(at_least);
}

fn attribute_figures(attribute: &Value, favourable: u64) -> Value {
    let counts: BTreeMap<&str, Confusion> = object(&attribute["groups"])
        .map(|(name, group)| (name, confusion(&group["cells"])))
        .collect();
    let reference_name = attribute["reference"].as_str().expect("reference");
    let reference = &counts[reference_name];
    let selected = |group: &Confusion| Rate::SelectionRate.of(group);
    let pairs: BTreeMap<&str, Value> = object(&attribute["vs_reference"])
        .map(|(name, _)| (name, pair_figures(&counts[name], reference, favourable)))
        .collect();
    let fisher: Vec<Option<f64>> = pairs
        .keys()
        .map(|name| compare::fisher(selected(&counts[name]), selected(reference)))
        .map(|test| test.map(|test| test.two_sided.value))
        .collect();
    let adjusted = |adjust: fn(&[Option<f64>]) -> Vec<Option<f64>>| -> Value {
        let values = adjust(&fisher);
        pairs
            .keys()
            .zip(values)
            .map(|(name, p)| (name.to_string(), json!(p)))
            .collect()
    };
    let groups: Vec<Confusion> = counts.values().copied().collect();
    json!({
        "reference": reference_name,
        "groups": counts.iter().map(|(name, c)| (name.to_string(), group_figures(c))).collect::<Value>(),
        "vs_reference": pairs,
        "fisher_adjusted": {
            "bonferroni": adjusted(correct::bonferroni),
            "holm": adjusted(correct::holm),
            "benjamini_hochberg": adjusted(correct::benjamini_hochberg),
        },
        "aggregate": aggregate_figures(&groups, favourable),
    })
}

fn group_figures(c: &Confusion) -> Value {
    let mut figures = json!({
        "cells": [c.tp, c.fp, c.tn, c.fn_],
        "ci_wilson": {},
        "ci_clopper_pearson": {
            "selection_rate": pair(proportion::clopper_pearson(Rate::SelectionRate.of(c), 0.05)),
        },
        "balanced_accuracy": c.balanced_accuracy(),
        "f1": c.f1(),
        "mcc": c.mcc(),
        "fn_fp_ratio": c.fn_fp_ratio(),
    });
    for rate in Rate::ALL {
        figures[rate.name()] = json!(c.rate(rate));
        figures["ci_wilson"][rate.name()] = pair(proportion::wilson(rate.of(c), Z95));
    }
    figures
}

fn pair_figures(group: &Confusion, reference: &Confusion, favourable: u64) -> Value {
    let mut figures = json!({
        "equal_opportunity_difference": compare::difference(Rate::Tpr.of(group), Rate::Tpr.of(reference)),
        "average_odds_difference": odds::average_odds_difference(group, reference),
        "average_abs_odds_difference": odds::average_abs_odds_difference(group, reference),
        "equalized_odds_gap": odds::equalized_odds_gap(group, reference),
        "treatment_equality_difference": odds::treatment_equality_difference(group, reference),
        "air": air_figures(favoured(group, favourable), favoured(reference, favourable)),
    });
    for rate in Rate::ALL {
        let (g, r) = (rate.of(group), rate.of(reference));
        let z = compare::z_pooled(g, r);
        let chi2 = compare::chi2(g, r);
        let yates = compare::chi2_yates(g, r);
        figures[rate.name()] = json!({
            "difference": compare::difference(g, r),
            "ratio": compare::ratio(g, r),
            "diff_ci_newcombe": pair(compare::difference_newcombe(g, r, Z95)),
            "ratio_ci_katz": pair(compare::ratio_katz(g, r, Z95)),
            "fisher_p": compare::fisher(g, r).map(|test| test.two_sided.value),
            "z_pooled": statistic(z),
            "z_pooled_p": p_value(z),
            "diff_ci_wald": pair(compare::difference_wald(g, r, Z95)),
            "chi2": statistic(chi2),
            "chi2_p": p_value(chi2),
            "chi2_yates": statistic(yates),
            "chi2_yates_p": p_value(yates),
            "odds_ratio": compare::odds_ratio(g, r),
            "odds_ratio_ci_woolf": pair(compare::odds_ratio_woolf(g, r, Z95)),
        });
    }
    figures
}

fn air_figures(group: Proportion, reference: Proportion) -> Value {
    json!({
        "value": impact::impact_ratio(group, reference),
        "ci_katz": pair(compare::ratio_katz(group, reference, Z95)),
        "favorable_rate": group.value(),
        "ref_favorable_rate": reference.value(),
        "below_four_fifths": impact::below_four_fifths(group, reference),
        "shortfall": impact::shortfall(group, reference),
        "shortfall_at_80": impact::shortfall_at_80(group, reference),
    })
}

fn aggregate_figures(groups: &[Confusion], favourable: u64) -> Value {
    let parity = impact::demographic_parity(groups);
    let odds = impact::equalized_odds(groups);
    let favoured: Vec<Option<f64>> = groups
        .iter()
        .map(|group| favoured(group, favourable).value())
        .collect();
    json!({
        "demographic_parity_difference": parity.as_ref().map(|spread| spread.difference),
        "demographic_parity_ratio": parity.and_then(|spread| spread.ratio),
        "four_fifths_min_air": impact::spread(&favoured).and_then(|spread| spread.ratio),
        "equalized_odds_difference": odds.as_ref().map(|spread| spread.difference),
        "equalized_odds_ratio": odds.and_then(|spread| spread.ratio),
    })
}

fn table_figures(group: Proportion, reference: Proportion) -> Value {
    let z = compare::z_pooled(group, reference);
    let chi2 = compare::chi2(group, reference);
    let yates = compare::chi2_yates(group, reference);
    let fisher = compare::fisher(group, reference).expect("no empty row in the tables");
    json!({
        "wilson_group": pair(proportion::wilson(group, Z95)),
        "wilson_ref": pair(proportion::wilson(reference, Z95)),
        "clopper_group": pair(proportion::clopper_pearson(group, 0.05)),
        "fisher_p_two_sided": fisher.two_sided.value,
        "fisher_p_less": fisher.less.value,
        "fisher_p_greater": fisher.greater.value,
        "fisher_midp_two_sided": fisher.midp_two_sided.value,
        "fisher_log10": {
            "two_sided": fisher.two_sided.log10,
            "midp_two_sided": fisher.midp_two_sided.log10,
            "less": fisher.less.log10,
            "greater": fisher.greater.log10,
        },
        "sd_units_hypergeometric": compare::sd_units_hypergeometric(group, reference),
        "z_pooled": statistic(z),
        "z_pooled_p": p_value(z),
        "z_pooled_log10_p": z.map(|test| test.p.log10),
        "chi2": statistic(chi2),
        "chi2_p": p_value(chi2),
        "chi2_yates": statistic(yates),
        "chi2_yates_p": p_value(yates),
        "chi2_yates_log10_p": yates.map(|test| test.p.log10),
        "diff": compare::difference(group, reference),
        "diff_ci_newcombe": pair(compare::difference_newcombe(group, reference, Z95)),
        "impact_ratio": impact::impact_ratio(group, reference),
        "ratio_ci_katz": pair(compare::ratio_katz(group, reference, Z95)),
        "odds_ratio": compare::odds_ratio(group, reference),
        "or_ci_woolf": pair(compare::odds_ratio_woolf(group, reference, Z95)),
    })
}

fn favoured(counts: &Confusion, favourable: u64) -> Proportion {
    let selected = Rate::SelectionRate.of(counts);
    if favourable == 1 {
        selected
    } else {
        selected.complement()
    }
}

fn confusion(cells: &Value) -> Confusion {
    let [tp, fp, tn, fn_] = serde_json::from_value(cells.clone()).expect("four counts");
    Confusion { tp, fp, tn, fn_ }
}

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("a count within its total")
}

fn pair(interval: Option<Interval>) -> Value {
    json!(interval.map(|interval| [interval.low, interval.high]))
}

fn statistic(test: Option<Test>) -> Option<f64> {
    test.map(|test| test.statistic)
}

fn p_value(test: Option<Test>) -> Option<f64> {
    let p: Option<PValue> = test.map(|test| test.p);
    p.map(|p| p.value)
}

fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = value.as_object().expect("an object");
    fields.iter().map(|(name, value)| (name.as_str(), value))
}
