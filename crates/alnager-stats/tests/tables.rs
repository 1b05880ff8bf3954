//! Do the figures of tables, strata, classes, lists and weights agree with exact work? Compares every figure in
//! `reference/tables.json`; see its README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_stats::compare::{self, PValue, Test};
use alnager_stats::confusion::Confusion;
use alnager_stats::contingency::{self, ChiSquare, Table};
use alnager_stats::impact::Spread;
use alnager_stats::numeric::{self, Fit, Predictions};
use alnager_stats::proportion::{Interval, Proportion, Z95};
use alnager_stats::proxy::{self, Posterior};
use alnager_stats::ranking::{self, Ranking};
use alnager_stats::reweigh;
use alnager_stats::stratified::{self, Strata, Stratum};
use alnager_stats::{category, inequality};
use serde_json::{Map, Value, from_value, json};

use differences::Differences;

mod differences;

/// What each item of the reference has to have.
const GIVEN: &str = "what the figures are made from";

#[test]
fn two_shares() {
    check("shares", share_figures, 50);
}

#[test]
fn contingency_tables() {
    check("contingency", contingency_figures, 150);
}

#[test]
fn classes() {
    check("categories", category_figures, 100);
}

#[test]
fn strata() {
    check("strata", strata_figures, 250);
}

#[test]
fn benefits() {
    check("benefits", benefit_figures, 150);
}

#[test]
fn lists() {
    check("rankings", ranking_figures, 150);
}

#[test]
fn numbers() {
    check("numbers", numeric_figures, 120);
}

#[test]
fn weights() {
    check("weights", weight_figures, 40);
}

#[test]
fn proxies() {
    check("proxies", proxy_figures, 80);
}

/// Compares every figure of every item of a section; `at_least` guards against an emptied one.
#[track_caller]
fn check(section: &str, figures: fn(&Value) -> Value, at_least: usize) {
    let text = include_str!("../reference/tables.json");
    let reference: Value = serde_json::from_str(text).expect("the reference is JSON");
    let items = reference[section].as_array().expect("a list of items");
    let mut seen = Differences::default();
    for (index, item) in items.iter().enumerate() {
        // What went in comes back as it is, so that only figures can differ.
        let mut got = item.clone();
        for (name, figure) in figures(item).as_object().expect("named figures") {
            assert!(item.get(name).is_some(), "no reference for `{name}`");
            got[name] = figure.clone();
        }
        seen.compare(&format!("{section}/{index}"), item, &got);
    }
    seen.finish(at_least);
}

fn share_figures(item: &Value) -> Value {
    let cells: [[u64; 2]; 2] = from_value(item["table"].clone()).expect(GIVEN);
    let [group, reference] = cells.map(|[k, rest]| share(k, k + rest));
    json!({
        "or_haldane": compare::odds_ratio_haldane(group, reference),
        "phi": compare::phi(group, reference),
        "cohens_h": compare::cohens_h(group, reference),
        "expected_selected": compare::expected_selected(group, reference),
    })
}

fn contingency_figures(item: &Value) -> Value {
    let table = table(item);
    json!({
        "chi2": chi_square(contingency::chi2(&table), &item["chi2"]),
        "g_test": chi_square(contingency::g_test(&table), &item["g_test"]),
        "cramers_v": contingency::cramers_v(&table),
        "min_expected_count": contingency::min_expected_count(&table),
        "mutual_information_nats": contingency::mutual_information_nats(&table),
    })
}

fn category_figures(item: &Value) -> Value {
    let table = table(item);
    let reference: usize = from_value(item["reference"].clone()).expect(GIVEN);
    let groups = 0..table.rows().len();
    let values = |shares: Option<Vec<Proportion>>| -> Vec<Option<f64>> {
        let shares = shares.expect("a row of the table");
        shares.into_iter().map(Proportion::value).collect()
    };
    let each = |make: &dyn Fn(usize) -> Vec<Option<f64>>| -> Value {
        groups.clone().map(|group| json!(make(group))).collect()
    };
    let gap = |spread: &Option<Spread>| spread.as_ref().map(|spread| spread.difference);
    json!({
        "share": each(&|group| values(category::shares(&table, group))),
        "cumulative_share": each(&|group| values(category::cumulative_shares(&table, group))),
        "ratio_vs_reference": each(&|group| category::ratios(&table, group, reference).expect("two rows")),
        "cumulative_ratio_vs_reference":
            each(&|group| category::cumulative_ratios(&table, group, reference).expect("two rows")),
        "statistical_parity_max_per_class":
            category::class_spreads(&table).iter().map(gap).collect::<Vec<_>>(),
    })
}

fn strata_figures(item: &Value) -> Value {
    let tables: Vec<[[u64; 2]; 2]> = from_value(item["tables"].clone()).expect(GIVEN);
    let given: Vec<Stratum> = tables
        .iter()
        .map(|rows| rows.map(|[k, rest]| share(k, k + rest)))
        .map(|[group, reference]| Stratum { group, reference })
        .collect();
    let strata = Strata::new(&given);
    let test = |test: Option<Test>, want| named(test.map(|test| (test.statistic, 1, test.p)), want);
    let disparity = stratified::conditional_demographic_disparity(&given);
    json!({
        "n_strata": strata.n_strata(),
        "n_dropped": strata.n_dropped(),
        "mh_odds_ratio": stratified::mh_odds_ratio(&strata),
        "mh_or_ci_rbg": pair(stratified::mh_odds_ratio_rbg(&strata, Z95)),
        "mh_risk_ratio": stratified::mh_risk_ratio(&strata),
        "mh_rr_ci_greenland_robins": pair(stratified::mh_risk_ratio_greenland_robins(&strata, Z95)),
        "cmh_chi2": test(stratified::cmh_chi2(&strata), &item["cmh_chi2"]),
        "cmh_chi2_cc": test(stratified::cmh_chi2_corrected(&strata), &item["cmh_chi2_cc"]),
        "breslow_day": chi_square(stratified::breslow_day(&strata), &item["breslow_day"]),
        "breslow_day_tarone":
            chi_square(stratified::breslow_day_tarone(&strata), &item["breslow_day_tarone"]),
        "conditional_demographic_disparity": disparity.map(|disparity| disparity.value),
    })
}

fn benefit_figures(item: &Value) -> Value {
    let cells: Vec<[u64; 4]> = from_value(item["groups"].clone()).expect(GIVEN);
    let groups: Vec<Confusion> = cells
        .into_iter()
        .map(|[tp, fp, tn, fn_]| Confusion { tp, fp, tn, fn_ })
        .collect();
    let mut figures = json!({
        "theil_index": inequality::theil_index(&groups),
        "generalized_entropy_2": inequality::generalized_entropy(&groups, 2.0),
        "coefficient_of_variation": inequality::coefficient_of_variation(&groups),
        "between_group_theil_index": inequality::between_group_theil_index(&groups),
        "between_group_generalized_entropy_2": inequality::between_group_generalized_entropy(&groups, 2.0),
        "between_group_coefficient_of_variation": inequality::between_group_coefficient_of_variation(&groups),
    });
    for name in item.as_object().expect("named figures").keys() {
        if let Some((kind, alpha)) = name.split_once(' ') {
            let alpha: f64 = alpha.parse().expect("an order");
            figures[name] = json!(match kind {
                "generalized_entropy" => inequality::generalized_entropy(&groups, alpha),
                _ => inequality::between_group_generalized_entropy(&groups, alpha),
            });
        }
    }
    figures
}

fn ranking_figures(item: &Value) -> Value {
    let list = Ranking::new(
        from_value(item["groups"].clone()).expect(GIVEN),
        from_value(item["n_groups"].clone()).expect(GIVEN),
    )
    .expect("a list");
    let mut top = Map::new();
    for name in item["top"].as_object().expect("some k").keys() {
        let k = name.parse().expect("a number");
        let skew = ranking::skew(&list, k).expect("k within the list");
        let shares = ranking::topk_share(&list, k).expect("k within the list");
        let figures = json!({
            "topk_share": shares.into_iter().map(Proportion::value).collect::<Vec<_>>(),
            "impact_ratio_topk": ranking::impact_ratio_topk(&list, k),
            "skew": skew.by_group,
            "min_skew": skew.min,
            "max_skew": skew.max,
            "absent": skew.absent,
        });
        top.insert(name.clone(), figures);
    }
    json!({
        "ndkl": ranking::ndkl(&list),
        "mean_exposure": ranking::mean_exposure(&list),
        "exposure_ratio_vs_max": ranking::exposure_ratio_vs_max(&list),
        "top": top,
    })
}

fn numeric_figures(item: &Value) -> Value {
    let rows: [Vec<[f64; 2]>; 3] = from_value(item["rows"].clone()).expect(GIVEN);
    let predictions = |rows: &[[f64; 2]]| {
        let column = |place: usize| rows.iter().map(|row| row[place]).collect();
        Predictions::new(column(0), column(1)).expect("finite pairs")
    };
    let (group, reference) = (predictions(&rows[0]), predictions(&rows[1]));
    let versus = numeric::versus(&group, &reference, &predictions(&rows.concat()));
    json!({
        "group": fit_figures(&numeric::fit(&group)),
        "reference": fit_figures(&numeric::fit(&reference)),
        "versus": {
            "mean_pred_difference": versus.mean_pred_difference,
            "mean_pred_ratio": versus.mean_pred_ratio,
            "mae_ratio": versus.mae_ratio,
            "rmse_ratio": versus.rmse_ratio,
            "bias_difference": versus.bias_difference,
            "residual_smd_total": versus.residual_smd_total,
            "score_smd_total": versus.score_smd_total,
            "correlation_difference": versus.correlation_difference,
        },
    })
}

fn fit_figures(fit: &Fit) -> Value {
    json!({
        "n": fit.n,
        "mean_pred": fit.mean_pred,
        "mean_true": fit.mean_true,
        "mae": fit.mae,
        "rmse": fit.rmse,
        "bias": fit.bias,
        "r2": fit.r2,
        "pearson": fit.pearson,
        "spearman": fit.spearman,
    })
}

fn weight_figures(item: &Value) -> Value {
    let fraction = |weight: reweigh::Weight| {
        // Some are too large for the whole numbers of JSON.
        [weight.numer(), weight.denom()].map(|part| part as f64)
    };
    let weights = reweigh::weights(&table(item));
    let rows = weights.into_iter().map(|row| {
        let row = row.into_iter().map(|weight| json!(weight.map(fraction)));
        row.collect::<Value>()
    });
    json!({ "weights": rows.collect::<Value>() })
}

fn proxy_figures(item: &Value) -> Value {
    let people: Vec<([f64; 6], [f64; 6], bool)> = from_value(item["people"].clone()).expect(GIVEN);
    let known: Vec<(Option<Posterior>, bool)> = people
        .iter()
        .map(|&(name, here, selected)| (proxy::posterior(name, here), selected))
        .collect();
    let rates = proxy::weighted_rates(&known);
    let posteriors = known
        .iter()
        .map(|person| json!(person.0.map(|posterior| posterior.values())));
    json!({
        "posteriors": posteriors.collect::<Value>(),
        "rates": rates.rates,
        "n_expected": rates.n_expected,
        "n_unknown": rates.n_unknown,
    })
}

fn table(item: &Value) -> Table {
    Table::new(from_value(item["rows"].clone()).expect(GIVEN)).expect("an even table")
}

fn share(k: u64, n: u64) -> Proportion {
    Proportion::new(k, n).expect("a count within its total")
}

fn pair(interval: Option<Interval>) -> Value {
    json!(interval.map(|interval| [interval.low, interval.high]))
}

fn chi_square(test: Option<ChiSquare>, want: &Value) -> Value {
    named(test.map(|test| (test.statistic, test.df, test.p)), want)
}

/// The parts that the reference has: p only where it does not underflow, its logarithm only where it is small.
fn named(test: Option<(f64, u64, PValue)>, want: &Value) -> Value {
    let Some((statistic, df, p)) = test else {
        return Value::Null;
    };
    let mut figures = json!({ "statistic": statistic, "df": df });
    for (name, value) in [("p", p.value), ("log10_p", p.log10)] {
        if want.get(name).is_some() {
            figures[name] = json!(value);
        }
    }
    figures
}
