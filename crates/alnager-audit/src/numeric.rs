//! Predicted numbers beside what came true, by group: errors, bias, correlations, distances.

use alnager_stats::numeric::{self, Fit, Predictions};
use alnager_stats::rank;
use alnager_stats::sample::Sample;
use alnager_stats::score;
use serde_json::{Map, Value, json};

use crate::catalogue::{put, put_p};
use crate::texts::Texts;
use crate::words;

/// What is asked of predicted numbers, by group.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The prediction of each row; NaN where it is missing.
    pub predicted: &'a [f64],
    /// What came true in each row, in the same unit; NaN where it is missing.
    pub actual: &'a [f64],
    /// The group of each row.
    pub groups: &'a Texts,
    /// The group compared with.
    pub reference: &'a str,
}

/// The rows of one group.
struct Rows {
    pairs: Predictions,
    predicted: Sample,
}

impl Rows {
    fn of(asked: &Asked, keep: impl Fn(usize) -> bool) -> Option<Rows> {
        let kept = |values: &[f64]| -> Vec<f64> {
            let rows = values.iter().enumerate().filter(|(row, _)| keep(*row));
            rows.map(|(_, value)| *value).collect()
        };
        let mut ordered = kept(asked.predicted);
        ordered.sort_unstable_by(f64::total_cmp);
        Some(Rows {
            pairs: Predictions::new(kept(asked.predicted), kept(asked.actual))?,
            predicted: Sample::from_sorted_values(ordered)?,
        })
    }
}

/// How good the predictions are for each group, and each group against the reference; `null` is undefined. Rows in which
/// prediction, truth or group is missing are left out and counted.
///
/// `None` if the columns differ in length, if a number is infinite, or if the reference is no group.
pub fn figures(asked: &Asked) -> Option<Value> {
    let n_rows = asked.groups.n_rows();
    let reference = asked.groups.position(asked.reference)?;
    if asked.predicted.len() != n_rows || asked.actual.len() != n_rows {
        return None;
    }
    let group = |row: usize| {
        let is_missing = asked.predicted[row].is_nan() || asked.actual[row].is_nan();
        asked.groups.at(row).filter(|_| !is_missing)
    };
    let known = Rows::of(asked, |row| group(row).is_some())?;
    let of_group = |at| Rows::of(asked, |row| group(row) == Some(at));
    let groups: Vec<Rows> = (0..asked.groups.values().len())
        .map(of_group)
        .collect::<Option<_>>()?;
    let named = || asked.groups.values().iter().zip(&groups).enumerate();
    let fits: Map<String, Value> = named()
        .map(|(_, (name, rows))| (name.clone(), fit(&numeric::fit(&rows.pairs))))
        .collect();
    let versus: Map<String, Value> = named()
        .filter(|(at, _)| *at != reference)
        .map(|(_, (name, rows))| (name.clone(), versus(rows, &groups[reference], &known)))
        .collect();
    Some(json!({
        "attr": asked.groups.column(),
        "reference": asked.reference,
        "n": known.pairs.n(),
        "n_left_out": n_rows - known.pairs.n(),
        "groups": fits,
        "vs_reference": versus,
    }))
}

fn fit(fit: &Fit) -> Value {
    let mut figures = Map::new();
    figures.insert("n".to_owned(), json!(fit.n));
    for (name, value) in [
        ("mean_pred", fit.mean_pred),
        ("mean_true", fit.mean_true),
        ("mae", fit.mae),
        ("rmse", fit.rmse),
        ("bias", fit.bias),
        ("r2", fit.r2),
        ("pearson", fit.pearson),
        ("spearman", fit.spearman),
    ] {
        put(&mut figures, name, value);
    }
    Value::Object(figures)
}

fn versus(group: &Rows, reference: &Rows, known: &Rows) -> Value {
    let versus = numeric::versus(&group.pairs, &reference.pairs, &known.pairs);
    let mut figures = Map::new();
    for (name, value) in [
        ("mean_pred_difference", versus.mean_pred_difference),
        ("mean_pred_ratio", versus.mean_pred_ratio),
        ("mae_ratio", versus.mae_ratio),
        ("rmse_ratio", versus.rmse_ratio),
        ("bias_difference", versus.bias_difference),
        ("residual_smd_total", versus.residual_smd_total),
        ("score_smd_total", versus.score_smd_total),
        ("correlation_difference", versus.correlation_difference),
    ] {
        put(&mut figures, name, value);
    }
    let (ours, theirs) = (&group.predicted, &reference.predicted);
    let ks = score::kolmogorov_smirnov(ours, theirs);
    put(&mut figures, "ks", ks.map(|test| test.d));
    put_p(&mut figures, "ks", ks.map(|test| test.p));
    put(
        &mut figures,
        "wasserstein",
        score::wasserstein(ours, theirs),
    );
    let welch = rank::welch(ours, theirs);
    put(&mut figures, "welch_t", welch.map(|test| test.t));
    put_p(&mut figures, "welch", welch.map(|test| test.p));
    Value::Object(figures)
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let reference = figures["reference"].as_str().unwrap_or_default();
    let attribute = figures["attr"].as_str().unwrap_or_default();
    let table = |member: &str, columns: &[(&str, &str)]| {
        let row = |group: &&str| {
            let of_group = &figures[member][group];
            let cells = columns.iter().map(|(_, name)| match *name {
                "welch_p" => words::p(of_group, ["welch_p", "welch_log10_p"]),
                name => words::figure(&of_group[name]),
            });
            std::iter::once((*group).to_owned()).chain(cells).collect()
        };
        let rows: Vec<Vec<String>> = words::keys(&figures[member]).iter().map(row).collect();
        let header: Vec<&str> = std::iter::once(attribute)
            .chain(columns.iter().map(|(title, _)| *title))
            .collect();
        words::grid(&header, &rows)
    };
    let groups = [
        ("people", "n"),
        ("predicted", "mean_pred"),
        ("true", "mean_true"),
        ("abs. error", "mae"),
        ("RMSE", "rmse"),
        ("bias", "bias"),
        ("R²", "r2"),
        ("Pearson", "pearson"),
        ("Spearman", "spearman"),
    ];
    let versus = [
        ("predicted", "mean_pred_difference"),
        ("in SD", "score_smd_total"),
        ("bias", "bias_difference"),
        ("in SD", "residual_smd_total"),
        ("RMSE ratio", "rmse_ratio"),
        ("KS", "ks"),
        ("Wasserstein", "wasserstein"),
        ("Welch p", "welch_p"),
    ];
    format!(
        "{}\n\nAgainst {reference}: differences, and the distance of the predictions\n{}{}",
        table("groups", &groups),
        table("vs_reference", &versus),
        words::left_out(figures, "prediction, truth or group missing"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn errors_by_group_and_against_the_reference() {
        let groups = Texts::of_rows("g", &["a", "a", "b", "b", "b", ""]);
        let asked = Asked {
            predicted: &[1.0, 3.0, 2.0, 4.0, f64::NAN, 1.0],
            actual: &[2.0, 2.0, 2.0, 6.0, 1.0, 1.0],
            groups: &groups,
            reference: "b",
        };
        let figures = figures(&asked).unwrap();
        assert_eq!(
            (&figures["n"], &figures["n_left_out"]),
            (&json!(4), &json!(2))
        );
        assert_eq!(figures["groups"]["a"]["mae"], json!(1.0));
        assert_eq!(figures["groups"]["a"]["pearson"], Value::Null);
        assert_eq!(figures["groups"]["b"]["bias"], json!(-1.0));
        assert_eq!(
            figures["vs_reference"]["a"]["mean_pred_difference"],
            json!(-1.0)
        );
        assert_eq!(figures["vs_reference"]["a"]["wasserstein"], json!(1.0));
        assert!(figures["vs_reference"].get("b").is_none());
        assert!(words(&figures).contains("2 rows are left out"));
        let wrong = Asked {
            reference: "c",
            ..asked
        };
        assert!(super::figures(&wrong).is_none());
    }
}
