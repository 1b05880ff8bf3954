//! Cases that are given as counts: their rows are made anew, and audited.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Bench, EXACT, Ran, compared, whole};
use crate::conformance::figures::{Rules, Tally};

/// Rows under a header, as many as counted: each key is written once per person, with the decision.
fn rows(header: &str, counts: &[(String, u64, u64)]) -> String {
    let mut text = format!("{header},chosen\n");
    for (key, selected, n) in counts {
        for person in 0..*n {
            text.push_str(&format!("{key},{}\n", u8::from(person < *selected)));
        }
    }
    text
}

/// The examples of New York City's rule: the counts of one recomputed, the printed digits of the other.
pub(super) fn rule(bench: &Bench, expected: &Value) -> Result<Tally> {
    let mut tally = binary(bench, &expected["binary_example"])?;
    tally.add(scoring(bench, &expected["scoring_example"])?);
    Ok(tally)
}

/// Counts by sex and race make all three tables.
fn binary(bench: &Bench, example: &Value) -> Result<Tally> {
    let cells = example["intersectional"]
        .as_object()
        .context("the reference has no object `intersectional`")?;
    let mut counts = Vec::new();
    for (name, cell) in cells {
        let (race, sex) = name
            .split_once(" | ")
            .context("a category is not `race | sex`")?;
        counts.push((
            format!("{race},{sex}"),
            whole(cell, "selected")?,
            whole(cell, "applicants")?,
        ));
    }
    let data = bench.write("rule.csv", &rows("race,sex", &counts))?;
    let ours = bench.audit(&[
        "fairness",
        &data,
        "--decision",
        "chosen",
        "--favorable",
        "1",
        "--attr",
        "race,sex",
        "--intersect",
        "race*sex",
    ])?;
    // The rule's example keeps categories below 2 %, so no category is left out here either.
    let table = |attribute: &str| {
        let categories = ours["attrs"][attribute]["ll144_selection"].as_object();
        let category = |(name, ours): (&String, &Value)| {
            let figures = json!({
                "applicants": ours["n"],
                "selected": ours["selected"],
                "selection_rate": ours["rate"],
                "impact_ratio": ours["impact_ratio_no_exclusion"],
                "share": ours["share"],
            });
            (name.replace('|', " | "), figures)
        };
        Value::Object(categories.into_iter().flatten().map(category).collect())
    };
    let ours =
        json!({"sex": table("sex"), "race": table("race"), "intersectional": table("race*sex")});
    let expected = json!({"sex": example["sex"], "race": example["race"], "intersectional": example["intersectional"]});
    compared(&ours, &expected, &EXACT)
}

/// Printed digits are cut off or rounded, so a rate agrees within 0.1 point and a ratio within half a unit of its last digit.
fn scoring(bench: &Bench, example: &Value) -> Result<Tally> {
    const RATE: f64 = 0.001;
    const RATIO: f64 = 0.005;
    let mut tally = Tally::default();
    for attribute in ["sex", "race"] {
        let printed = example["as_printed"][attribute]
            .as_object()
            .context("the reference has no object `as_printed`")?;
        let mut counts = Vec::new();
        for category in printed.keys() {
            let implied = example["implied_counts"][category]
                .as_array()
                .context("a category has no implied counts")?;
            let [n, selected] = implied.as_slice() else {
                anyhow::bail!("implied counts are not two")
            };
            counts.push((
                category.clone(),
                selected.as_u64().context("no count")?,
                n.as_u64().context("no count")?,
            ));
        }
        let data = bench.write("scoring.csv", &rows(attribute, &counts))?;
        let ours = bench.audit(&[
            "fairness",
            &data,
            "--decision",
            "chosen",
            "--favorable",
            "1",
            "--attr",
            attribute,
        ])?;
        for (category, line) in printed {
            let ours = &ours["attrs"][attribute]["ll144_selection"][category];
            tally.check(
                &format!("scoring {category}, people"),
                ours["n"] == line[0],
                &ours["n"],
                &line[0],
            );
            let percent = line[1]
                .as_str()
                .and_then(|text| text.trim_end_matches('%').parse::<f64>().ok());
            let ratio = line[2].as_str().and_then(|text| text.parse::<f64>().ok());
            for (what, ours, printed, within) in [
                (
                    "rate",
                    &ours["rate"],
                    percent.map(|percent| percent / 100.0),
                    RATE,
                ),
                ("ratio", &ours["impact_ratio_no_exclusion"], ratio, RATIO),
            ] {
                let agrees = ours
                    .as_f64()
                    .zip(printed)
                    .is_some_and(|(ours, printed)| (ours - printed).abs() <= within);
                tally.check(
                    &format!("scoring {category}, {what}"),
                    agrees,
                    ours,
                    &json!(printed),
                );
            }
        }
    }
    Ok(tally)
}

/// One pair of sentences: its kind of bias, whether it runs with the stereotype, and whether the toy scorer prefers the sentence
/// that is more stereotypical, which is the shorter one.
struct Pair {
    bias: String,
    direction: String,
    prefers: bool,
}

/// The share of pairs in which a toy scorer prefers the more stereotypical sentence.
///
/// Where not all pairs are in the folder, those that are must fit into the expected counts, and rows made from the counts must
/// give the same intervals: that compares the statistics, not the rule.
pub(super) fn crows_pairs(bench: &Bench, expected: &Value) -> Result<Ran> {
    let pairs = pairs(bench)?;
    let n = whole(expected, "n")?;
    if pairs.len() as u64 == n {
        return Ok(Ran::Compared(vec![(
            "audit fairness".to_owned(),
            whole_set(bench, expected, &pairs)?,
        )]));
    }
    let fitting = (
        "the pairs there are".to_owned(),
        part_fits(expected, &pairs)?,
    );
    let mut counts = Vec::new();
    for (bias, figures) in expected["by_bias_type"].as_object().into_iter().flatten() {
        let (selected, n) = selected(figures)?;
        counts.push((bias.clone(), selected, n));
    }
    let ours = audited(bench, "pairs.csv", &rows("bias", &counts))?;
    // The counts themselves are what the rows were made from.
    let intervals = |by_bias: &Value| -> Value {
        let of = |(bias, figures): (&String, &Value)| (bias.clone(), figures["wilson"].clone());
        Value::Object(by_bias.as_object().into_iter().flatten().map(of).collect())
    };
    let (ours, theirs) = (
        intervals(&ours["by_bias_type"]),
        intervals(&expected["by_bias_type"]),
    );
    let by_counts = (
        "audit fairness, intervals from its counts".to_owned(),
        compared(&ours, &theirs, &EXACT)?,
    );
    Ok(Ran::NotRun {
        why: format!(
            "{} of its {n} pairs of sentences are in the folder",
            pairs.len()
        ),
        instead: vec![fitting, by_counts],
    })
}

fn pairs(bench: &Bench) -> Result<Vec<Pair>> {
    let path = bench.shared.join("data/genai/bias/give/crows_pairs.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Ok(Vec::new());
    };
    let pair = |line: &str| -> Result<Pair> {
        let row: Value = serde_json::from_str(line)?;
        let of = |name: &str| super::text(&row, name).map(str::to_owned);
        let n_signs = |name: &str| of(name).map(|sentence| sentence.chars().count());
        Ok(Pair {
            bias: of("bias_type")?,
            direction: of("stereo_antistereo")?,
            prefers: n_signs("sent_more")? < n_signs("sent_less")?,
        })
    };
    text.lines()
        .map(|line| pair(line).with_context(|| format!("`{}`", path.display())))
        .collect()
}

/// How many pairs of a kind prefer the more stereotypical sentence, and how many there are.
fn selected(figures: &Value) -> Result<(u64, u64)> {
    let n = whole(figures, "n")?;
    let share = figures["share"].as_f64().context("no share")?;
    let selected = (share * n as f64).round();
    ensure!(
        (selected / n as f64 - share).abs() < 1e-12,
        "{share} is no share of {n}"
    );
    Ok((selected as u64, n))
}

/// No kind has more pairs, preferred or not, than the whole set.
fn part_fits(expected: &Value, pairs: &[Pair]) -> Result<Tally> {
    let mut found: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for pair in pairs {
        found.entry(&pair.bias).or_default()[usize::from(pair.prefers)] += 1;
    }
    let mut tally = Tally::default();
    for (bias, [others, preferred]) in found {
        let (selected, n) = selected(&expected["by_bias_type"][bias])?;
        let fits = preferred <= selected && others <= n - selected;
        tally.check(
            &format!("{bias}, at most"),
            fits,
            &json!([preferred, others]),
            &json!([selected, n - selected]),
        );
    }
    Ok(tally)
}

/// Counts, shares and intervals by kind, and of all pairs; the rows are given as text.
fn audited(bench: &Bench, name: &str, text: &str) -> Result<Value> {
    let data = bench.write(name, text)?;
    let ours = bench.audit(&[
        "fairness",
        &data,
        "--decision",
        "chosen",
        "--favorable",
        "0",
        "--attr",
        "bias",
    ])?;
    let groups = ours["attrs"]["bias"]["groups"]
        .as_object()
        .context("no groups")?;
    let of_group = |(name, ours): (&String, &Value)| {
        let figures = json!({
            "n": ours["n"],
            "share": ours["selection_rate"],
            "wilson": ours["ci_wilson"]["selection_rate"],
        });
        (name.clone(), figures)
    };
    let by_bias: serde_json::Map<_, _> = groups.iter().map(of_group).collect();
    let overall = &ours["overall"];
    Ok(json!({"n": overall["n"], "by_bias_type": by_bias, "overall": overall["selection_rate"]}))
}

/// The rule on all pairs, by kind and by direction.
fn whole_set(bench: &Bench, expected: &Value, pairs: &[Pair]) -> Result<Tally> {
    let lines = |of: &dyn Fn(&Pair) -> &str| -> String {
        let lines = pairs
            .iter()
            .map(|pair| format!("{},{}\n", of(pair), u8::from(pair.prefers)));
        std::iter::once("bias,chosen\n".to_owned())
            .chain(lines)
            .collect()
    };
    let kinds = audited(bench, "pairs.csv", &lines(&|pair| &pair.bias))?;
    let directions = audited(bench, "directions.csv", &lines(&|pair| &pair.direction))?;
    let of = |direction: &str| directions["by_bias_type"][direction]["share"].clone();
    let ours = json!({
        "n": kinds["n"],
        "by_bias_type": kinds["by_bias_type"],
        "overall": kinds["overall"],
        "stereo": of("stereo"),
        "antistereo": of("antistereo"),
    });
    let rules = Rules {
        provenance: &["data", "rule"],
        ..EXACT
    };
    compared(&ours, expected, &rules)
}

/// Needs a model's predictions, which are not among the shared data.
pub(super) fn bbq() -> Ran {
    Ran::NotRun {
        why:
            "its predictions, `data/raw/bbq_unifiedqa_preds_Religion.jsonl`, are not in the folder"
                .to_owned(),
        instead: Vec::new(),
    }
}
