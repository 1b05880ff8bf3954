//! Do our regressions, resampled intervals and powers agree with others'? Compares every figure in `reference/models.json`;
//! see its README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_stats::bootstrap::{self, Replicates};
use alnager_stats::effect;
use alnager_stats::linear;
use alnager_stats::logit::{self, Logit};
use alnager_stats::matrix::{Coefficient, Design};
use alnager_stats::oaxaca::{self, Twofold};
use alnager_stats::power::Study;
use alnager_stats::proportion::{Interval, Z95};
use serde_json::{Value, json};

/// Relative; of fitted models, whose reference stops at its own tolerance.
const FITTED: f64 = 1e-6;

/// Relative; of everything with a closed form.
const CLOSED: f64 = 1e-9;

#[test]
fn logistic_regression() {
    let rows = Rows::read();
    let design = rows.design(&VARIABLES);
    let plain = logit::fit(&design, &rows.hired(), None).expect("a fit");
    rows.check("logit", FITTED, &logit_figures(&plain), 47);
    let weights = rows.column("weight");
    let weighted = logit::fit(&design, &rows.hired(), Some(&weights)).expect("a fit");
    rows.check("logit_weighted", FITTED, &logit_figures(&weighted), 47);
}

#[test]
fn marginal_effects() {
    let rows = Rows::read();
    let design = rows.design(&VARIABLES);
    let fit = logit::fit(&design, &rows.hired(), None).expect("a fit");
    let effects = effect::average_marginal_effects(&design, &fit, None).expect("effects");
    rows.check("effects", FITTED, &table(&effects), 10);
    let category = effect::of_category(&design, &fit, None, &[4, 5]).expect("effects");
    rows.check("category", FITTED, &table(&category), 4);
    let raw = effect::raw(&design, &rows.hired(), None, &[1]).expect("an effect");
    rows.check("raw", FITTED, &table(&raw), 2);
}

#[test]
fn linear_regression() {
    let rows = Rows::read();
    let fit = linear::fit(&rows.design(&VARIABLES), &rows.column("pay")).expect("a fit");
    rows.check("classical", CLOSED, &table(&fit.classical), 24);
    rows.check("robust", CLOSED, &table(&fit.robust), 24);
    rows.check("r2", CLOSED, &json!(fit.r2), 1);
    rows.check("residual_sd", CLOSED, &json!(fit.residual_sd), 1);
}

#[test]
fn decomposition() {
    let rows = Rows::read();
    let protected: Vec<bool> = rows.column("group").iter().map(|g| *g == 1.0).collect();
    let design = rows.design(&VARIABLES[1..]);
    let parts = oaxaca::decompose(&design, &rows.column("pay"), &protected).expect("a split");
    let twofold = |part: &Twofold| {
        json!({
            "explained": part.explained,
            "unexplained": part.unexplained,
            "explained_by": part.explained_by.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        })
    };
    let got = json!({
        "gap": parts.gap,
        "reference": twofold(&parts.reference),
        "pooled": twofold(&parts.pooled),
        "pooled_with_group": twofold(&parts.pooled_with_group),
        "threefold": {
            "endowments": parts.threefold.endowments,
            "coefficients": parts.threefold.coefficients,
            "interaction": parts.threefold.interaction,
        },
    });
    rows.check("oaxaca", CLOSED, &got, 22);
}

#[test]
fn intervals_of_replicates() {
    let rows = Rows::read();
    let want = &rows.file["resampling"];
    let values: Vec<Vec<f64>> = serde_json::from_value(want["values"].clone()).expect("values");
    let table: Vec<Vec<Option<f64>>> = values
        .iter()
        .map(|row| row.iter().map(|value| Some(*value)).collect())
        .collect();
    let first = Replicates::new(table.iter().map(|row| row[0]));
    let estimates = [0.1, -0.2, 0.05];
    let family = bootstrap::simultaneous(&estimates.map(Some), &table, 0.9).expect("a family");
    let cells: Vec<u64> = serde_json::from_value(want["cells"].clone()).expect("cells");
    let ratio = |c: &[u64]| {
        let rate = |k: u64, rest: u64| k as f64 / (k + rest) as f64;
        Some(rate(c[0], c[1]) / rate(c[2], c[3]))
    };
    let got = json!({
        "values": want["values"],
        "estimates": estimates,
        "percentile": pair(first.percentile(0.9)),
        "basic": pair(first.basic(0.1, 0.9)),
        "bca": pair(first.bca(0.1, 0.03, 0.9)),
        "standard_deviation": first.standard_deviation(),
        "reach": family.reach,
        "simultaneous": family.intervals.iter().map(|i| pair(*i)).collect::<Vec<_>>(),
        "cells": cells,
        "acceleration": bootstrap::acceleration(&cells, ratio),
    });
    rows.check("resampling", CLOSED, &got, 200);
}

#[test]
fn power() {
    let rows = Rows::read();
    let cases = rows.file["power"].as_array().expect("cases");
    let got: Value = cases
        .iter()
        .map(|case| {
            let [n_group, n_reference]: [u64; 2] =
                serde_json::from_value(case["n"].clone()).expect("sizes");
            let [group, reference]: [f64; 2] =
                serde_json::from_value(case["rates"].clone()).expect("rates");
            let alpha = case["alpha"].as_f64().expect("alpha");
            let study = Study::new(n_group, n_reference, alpha).expect("a study");
            let mut case = case.clone();
            case["power"] = json!(study.power(group, reference));
            case
        })
        .collect();
    rows.check("power", CLOSED, &got, 36);
}

const VARIABLES: [&str; 5] = ["group", "experience", "score", "north", "south"];

/// The reference file with its rows.
struct Rows {
    file: Value,
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Rows {
    fn read() -> Rows {
        let text = include_str!("../reference/models.json");
        let file: Value = serde_json::from_str(text).expect("the reference is JSON");
        Rows {
            names: serde_json::from_value(file["columns"].clone()).expect("names"),
            rows: serde_json::from_value(file["rows"].clone()).expect("rows"),
            file,
        }
    }

    fn column(&self, name: &str) -> Vec<f64> {
        let position = self.names.iter().position(|n| n == name).expect("a column");
        self.rows.iter().map(|row| row[position]).collect()
    }

    fn design(&self, names: &[&str]) -> Design {
        let mut design = Design::new(self.rows.len());
        for name in names {
            design.push(name, &self.column(name)).expect("finite");
        }
        design
    }

    fn hired(&self) -> Vec<bool> {
        self.column("hired").iter().map(|y| *y == 1.0).collect()
    }

    #[track_caller]
    fn check(&self, place: &str, tolerance: f64, got: &Value, at_least: usize) {
        let mut lines = Vec::new();
        let compared = compare(place, tolerance, &self.file[place], got, &mut lines);
        assert!(lines.is_empty(), "{}", lines.join("\n"));
        assert!(compared >= at_least, "only {compared} figures compared");
    }
}

/// Every figure in `want` is in `got` and agrees; the number compared.
fn compare(
    place: &str,
    tolerance: f64,
    want: &Value,
    got: &Value,
    lines: &mut Vec<String>,
) -> usize {
    if let Some(fields) = want.as_object() {
        let each = fields.iter().map(|(name, value)| {
            compare(
                &format!("{place}/{name}"),
                tolerance,
                value,
                &got[name],
                lines,
            )
        });
        return each.sum();
    }
    if let Some(items) = want.as_array() {
        let each = items.iter().enumerate().map(|(index, value)| {
            compare(
                &format!("{place}/{index}"),
                tolerance,
                value,
                &got[index],
                lines,
            )
        });
        return each.sum();
    }
    let agree = match (want.as_f64(), got.as_f64()) {
        (Some(want), Some(got)) => (want - got).abs() <= tolerance * want.abs(),
        _ => want == got,
    };
    if !agree {
        lines.push(format!("{place}: {got}, reference {want}"));
    }
    1
}

fn logit_figures(fit: &Logit) -> Value {
    let mut figures = json!({
        "coefficients": table(&fit.coefficients),
        "odds_ratio": {},
        "odds_ratio_interval": {},
        "log_likelihood": fit.log_likelihood,
        "null_log_likelihood": fit.null_log_likelihood,
        "pseudo_r2": fit.pseudo_r2(),
        "likelihood_ratio": fit.likelihood_ratio(),
        "likelihood_ratio_p": fit.likelihood_ratio_p().map(|p| p.value),
    });
    for (position, coefficient) in fit.coefficients.iter().enumerate() {
        let name = &coefficient.name;
        figures["odds_ratio"][name] = json!(fit.odds_ratio(position));
        figures["odds_ratio_interval"][name] = pair(fit.odds_ratio_interval(position, Z95));
    }
    figures
}

fn table(coefficients: &[Coefficient]) -> Value {
    let rows = coefficients.iter().map(|c| {
        let figures = json!({
            "value": c.value,
            "standard_error": c.standard_error,
            "statistic": c.statistic,
            "p": c.p.map(|p| p.value),
        });
        (c.name.clone(), figures)
    });
    rows.collect()
}

fn pair(interval: Option<Interval>) -> Value {
    json!(interval.map(|interval| [interval.low, interval.high]))
}
