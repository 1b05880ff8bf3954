//! What drives a gap: strata, features in a model of the score, features by themselves, and how well features tell the groups apart.

use alnager_stats::bootstrap::{Replicates, resample};
use alnager_stats::kitagawa::{self, Kitagawa};
use alnager_stats::logit;
use alnager_stats::matrix::{Design, FitError};
use alnager_stats::oaxaca;
use alnager_stats::proportion::{Proportion, z_for};
use alnager_stats::random::is_held_out;
use alnager_stats::sample::Sample;
use alnager_stats::score::{self, Auc, ByLabel};
use alnager_stats::stratified::Stratum;
use serde_json::{Map, Value, json};

use crate::declared::GROUPS_MAX;
use crate::factor::Factor;
use crate::figures::{interval, number};
use crate::oaxaca::by_factor;
use crate::texts::{Texts, complete};
use crate::words;

/// Replicates of the bootstrap of a decomposition.
const N_REPLICATES: u64 = 2_000;

/// Two groups and what may drive the gap between them; only rows of either group.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The protected attribute.
    pub attribute: &'a str,
    /// The group and the reference.
    pub groups: [&'a str; 2],
    /// Whether each row is of the group.
    pub in_group: &'a [bool],
    /// Whether each decision is favourable; `None` without decisions.
    pub favourable: Option<&'a [Option<bool>]>,
    /// The name of the outcome that the model explains, and its number in each row, NaN where it is missing.
    pub outcome: (&'a str, &'a [f64]),
    /// The strata of the decomposition of the decision's gap.
    pub strata: Option<&'a Texts>,
    /// The features.
    pub features: &'a [Texts],
    /// Parts the rows for the proxies, and starts the bootstrap.
    pub seed: u64,
    /// The confidence of intervals, 0..1.
    pub confidence: f64,
    /// Rows of other or unknown groups.
    pub n_left_out: u64,
}

/// Everything that follows.
pub fn figures(asked: &Asked) -> Value {
    json!({
        "attr": asked.attribute,
        "group": asked.groups[0],
        "reference": asked.groups[1],
        "n": asked.in_group.len(),
        "n_left_out": asked.n_left_out,
        "confidence": asked.confidence,
        "kitagawa": of_strata(asked),
        "contributions": contributions(asked).unwrap_or_else(not_fitted),
        "differences": differences(asked),
        "proxies": proxies(asked),
    })
}

/// A model that cannot be fitted is no figure, and says why.
fn not_fitted(error: FitError) -> Value {
    json!({ "not_fitted": error.to_string() })
}

// ---------------------------------------------------------------------------------------------------------------------------
// Strata

/// Kitagawa's decomposition of the gap in favourable rates; `null` without decisions or strata.
fn of_strata(asked: &Asked) -> Value {
    let (Some(favourable), Some(strata)) = (asked.favourable, asked.strata) else {
        return Value::Null;
    };
    // Of each stratum: favourable and other decisions of the group, then of the reference.
    let mut cells = vec![0_u64; 4 * strata.values().len()];
    let mut n_left_out = 0;
    for (row, (favourable, in_group)) in favourable.iter().zip(asked.in_group).enumerate() {
        match (favourable, strata.at(row)) {
            (Some(favourable), Some(stratum)) => {
                let side = if *in_group { 0 } else { 2 };
                cells[4 * stratum + side + usize::from(!favourable)] += 1;
            }
            (None, _) | (_, None) => n_left_out += 1,
        }
    }
    let Some(found) = of_cells(&cells) else {
        return Value::Null;
    };
    let replicates = resample(&cells, N_REPLICATES, asked.seed, of_cells).unwrap_or_default();
    let ends = |part: fn(&Kitagawa) -> f64| {
        let parts = replicates.iter().map(|found| found.as_ref().map(part));
        interval(Replicates::new(parts).percentile(asked.confidence))
    };
    let by_stratum = strata
        .values()
        .iter()
        .zip(&found.by_stratum)
        .zip(cells.chunks(4));
    let by_stratum = by_stratum.map(|((name, parts), cells)| {
        let rate = |cells: &[u64]| {
            number(Proportion::new(cells[0], cells[0] + cells[1]).and_then(Proportion::value))
        };
        let stratum = json!({
            "n_group": cells[0] + cells[1],
            "rate_group": rate(&cells[..2]),
            "n_reference": cells[2] + cells[3],
            "rate_reference": rate(&cells[2..]),
            "composition": number(parts.map(|parts| parts.0)),
            "rate": number(parts.map(|parts| parts.1)),
        });
        (name.clone(), stratum)
    });
    json!({
        "strata": strata.column(),
        "rule": "composition: other shares of the strata at the average of both rates; rate: other rates within strata at the average of both shares",
        "interval": format!("percentile of {N_REPLICATES} replicates of the counts, seed {}", asked.seed),
        "gap": number(Some(found.gap)),
        "gap_interval": ends(|found| found.gap),
        "composition": number(Some(found.composition)),
        "composition_interval": ends(|found| found.composition),
        "rate": number(Some(found.rate)),
        "rate_interval": ends(|found| found.rate),
        "by_stratum": by_stratum.collect::<Map<_, _>>(),
        "n_of_one_side": found.n_left_out,
        "n_unknown": n_left_out,
    })
}

fn of_cells(cells: &[u64]) -> Option<Kitagawa> {
    let strata = cells.chunks(4).map(|cells| {
        Some(Stratum {
            group: Proportion::new(cells[0], cells[0] + cells[1])?,
            reference: Proportion::new(cells[2], cells[2] + cells[3])?,
        })
    });
    kitagawa::decompose(&strata.collect::<Option<Vec<_>>>()?)
}

// ---------------------------------------------------------------------------------------------------------------------------
// Features

/// The rows in which every feature, and what else is asked, is known; and the features over these.
fn complete_features(asked: &Asked, also: impl Fn(usize) -> bool) -> (Vec<bool>, Vec<Factor>) {
    let n_rows = asked.in_group.len();
    let mut keep = complete(n_rows, &asked.features.iter().collect::<Vec<_>>());
    for (row, keep) in keep.iter_mut().enumerate() {
        *keep &= also(row);
    }
    let factors = asked
        .features
        .iter()
        .filter_map(|texts| Factor::of(&texts.kept(&keep)).ok());
    let factors = factors.collect();
    (keep, factors)
}

fn kept<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    let rows = values.iter().zip(keep).filter(|(_, keep)| **keep);
    rows.map(|(value, _)| *value).collect()
}

/// What a linear model of the outcome on all features makes of the difference in means: of each feature its coefficient times
/// the difference of its mean. The model is fitted to both groups together, without the group.
fn contributions(asked: &Asked) -> Result<Value, FitError> {
    let (name, outcome) = asked.outcome;
    let (keep, factors) = complete_features(asked, |row| outcome[row].is_finite());
    let outcome = kept(outcome, &keep);
    let mut design = Design::new(outcome.len());
    let mut positions = Vec::new();
    for factor in &factors {
        positions.push((factor.name.as_str(), factor.push(&mut design)?));
    }
    let parts = oaxaca::decompose(&design, &outcome, &kept(asked.in_group, &keep))?;
    Ok(json!({
        "y": name,
        "rule": "coefficient of a linear model of both groups together, without the group, times the difference of means",
        "n": outcome.len(),
        "n_incomplete": asked.in_group.len() - outcome.len(),
        "gap": number(Some(parts.gap)),
        "by_feature": by_factor(&parts.pooled, &positions),
        "explained": number(Some(parts.pooled.explained)),
        "residual": number(Some(parts.pooled.unexplained)),
    }))
}

/// The standardised difference of each feature, without a model: of numbers themselves, of texts of each text as 0 and 1.
fn differences(asked: &Asked) -> Value {
    let smd = |values: &dyn Fn(usize) -> Option<f64>| {
        let of = |side: bool| {
            let rows = (0..asked.in_group.len()).filter(|row| asked.in_group[*row] == side);
            Sample::from_counts(rows.filter_map(values).map(|value| (value, 1)))
        };
        number(
            of(true)
                .zip(of(false))
                .and_then(|(group, reference)| score::smd_pooled(&group, &reference)),
        )
    };
    let mut found = Map::new();
    for texts in asked.features {
        match texts.numbers() {
            Some(numbers) => {
                let of_row = |row: usize| Some(numbers[row]).filter(|number| number.is_finite());
                found.insert(texts.column().to_owned(), smd(&of_row));
            }
            None => {
                for (at, value) in texts.values().iter().enumerate() {
                    let of_row =
                        |row: usize| texts.at(row).map(|found| f64::from(u8::from(found == at)));
                    found.insert(format!("{}={value}", texts.column()), smd(&of_row));
                }
            }
        }
    }
    Value::Object(found)
}

// ---------------------------------------------------------------------------------------------------------------------------
// Proxies

/// How well each feature, and all together, tell the group from the reference: learnt on one half of the rows, measured on the other.
fn proxies(asked: &Asked) -> Value {
    let held_out: Vec<bool> = (0..asked.in_group.len())
        .map(|row| is_held_out(row as u64, asked.seed))
        .collect();
    let n_tested = asked.features.len() + 1;
    let z = z_for(1.0 - (1.0 - asked.confidence) / n_tested as f64);
    let shown = |auc: Option<Auc>| {
        // A standard error of 0 comes of groups told apart without one mistake; no interval follows from it.
        let ends = auc.filter(|auc| auc.se.is_some_and(|se| se > 0.0)).zip(z);
        json!({
            "auc": number(auc.map(|auc| auc.value)),
            "se": number(auc.and_then(|auc| auc.se)),
            "auc_interval": interval(ends.and_then(|(auc, z)| auc.interval(z))),
        })
    };
    let by_feature = asked.features.iter().map(|texts| {
        let scores = alone(asked, texts, &held_out);
        (
            texts.column().to_owned(),
            shown(auc(&scores, asked.in_group, &held_out)),
        )
    });
    let by_feature: Map<String, Value> = by_feature.collect();
    let together = match together(asked, &held_out) {
        Ok(scores) => shown(auc(&scores, asked.in_group, &held_out)),
        Err(error) => not_fitted(error),
    };
    json!({
        "rule": "learnt on one half of the rows, AUC on the other with DeLong's standard error; intervals for all at once (Bonferroni)",
        "seed": asked.seed,
        "n_held_out": held_out.iter().filter(|held_out| **held_out).count(),
        "by_feature": by_feature,
        "together": together,
    })
}

/// The held-out rows with a score.
fn auc(scores: &[f64], in_group: &[bool], held_out: &[bool]) -> Option<Auc> {
    let of = |side: bool| {
        let rows = (0..scores.len()).filter(|row| held_out[*row] && in_group[*row] == side);
        let scores = rows
            .map(|row| (scores[row], 1))
            .filter(|(score, _)| score.is_finite());
        Sample::from_counts(scores)
    };
    score::auc_delong(ByLabel {
        negative: &of(false)?,
        positive: &of(true)?,
    })
}

/// A feature as a score of the group: a number as it is, turned round where the exploring half asks for that; a text as the group's
/// share among the exploring rows that have it. NaN where it is unknown, or its text was never explored.
fn alone(asked: &Asked, texts: &Texts, held_out: &[bool]) -> Vec<f64> {
    let explored: Vec<bool> = held_out.iter().map(|held_out| !held_out).collect();
    let n_rows = asked.in_group.len();
    if let Some(numbers) = texts.numbers() {
        let found = auc(&numbers, asked.in_group, &explored);
        let sign = if found.is_some_and(|auc| auc.value < 0.5) {
            -1.0
        } else {
            1.0
        };
        return numbers.iter().map(|number| sign * number).collect();
    }
    let mut counts = vec![(0_u64, 0_u64); texts.values().len()];
    for row in (0..n_rows).filter(|row| explored[*row]) {
        if let Some(at) = texts.at(row) {
            counts[at].0 += u64::from(asked.in_group[row]);
            counts[at].1 += 1;
        }
    }
    let share = |at: usize| counts[at].0 as f64 / counts[at].1 as f64;
    (0..n_rows)
        .map(|row| texts.at(row).map_or(f64::NAN, share))
        .collect()
}

/// All features as a score of the group, by a logistic regression on the exploring half; NaN where one is unknown.
fn together(asked: &Asked, held_out: &[bool]) -> Result<Vec<f64>, FitError> {
    let (keep, factors) = complete_features(asked, |_| true);
    let explored: Vec<f64> = kept(held_out, &keep)
        .into_iter()
        .map(|held_out| f64::from(u8::from(!held_out)))
        .collect();
    let mut design = Design::new(explored.len());
    for factor in &factors {
        factor.push(&mut design)?;
    }
    let fit = logit::fit(&design, &kept(asked.in_group, &keep), Some(&explored))?;
    let mut of_kept = vec![0.0; explored.len()];
    for (at, coefficient) in fit.coefficients.iter().enumerate() {
        let column = design.column(at).unwrap_or_default();
        of_kept
            .iter_mut()
            .zip(column)
            .for_each(|(sum, value)| *sum += coefficient.value * value);
    }
    let mut of_kept = of_kept.into_iter();
    let score = |keep: &bool| {
        if *keep {
            of_kept.next().unwrap_or(f64::NAN)
        } else {
            f64::NAN
        }
    };
    Ok(keep.iter().map(score).collect())
}

/// Whether a column can be a feature: numbers, or few texts, and more than one of them.
pub fn is_feature(texts: &Texts) -> bool {
    let n = texts.values().len();
    n > 1 && (n <= GROUPS_MAX || texts.numbers().is_some())
}

// ---------------------------------------------------------------------------------------------------------------------------
// In words

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let text = |name: &str| figures[name].as_str().unwrap_or_default();
    let parts = [
        strata_in_words(&figures["kitagawa"], text("group"), text("reference")),
        contributions_in_words(&figures["contributions"]),
        differences_in_words(&figures["differences"]),
        proxies_in_words(&figures["proxies"], text("attr")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!(
        "{}: {} beside {}, {} rows{}\n\n{}",
        text("attr"),
        text("group"),
        text("reference"),
        figures["n"],
        words::left_out(figures, "of another or unknown group"),
        parts.join("\n\n"),
    )
}

fn strata_in_words(found: &Value, group: &str, reference: &str) -> Option<String> {
    let strata = found["strata"].as_str()?;
    let rows = ["gap", "composition", "rate"].map(|name| {
        vec![
            name.to_owned(),
            words::figure(&found[name]),
            words::figure(&found[format!("{name}_interval").as_str()]),
        ]
    });
    let by_stratum: Vec<Vec<String>> = words::keys(&found["by_stratum"])
        .iter()
        .map(|name| {
            let stratum = &found["by_stratum"][*name];
            let figure = |name: &str| words::figure(&stratum[name]);
            vec![
                (*name).to_owned(),
                figure("n_group"),
                figure("rate_group"),
                figure("n_reference"),
                figure("rate_reference"),
                figure("composition"),
                figure("rate"),
            ]
        })
        .collect();
    let n_alone = found["n_of_one_side"].as_u64().unwrap_or(0);
    let alone = match n_alone {
        0 => String::new(),
        n => {
            format!(" {n} rows lie in strata where only one of the two has rows, and are left out.")
        }
    };
    Some(format!(
        "FAVOURABLE RATE of {group} less that of {reference}, over strata of {strata} (Kitagawa)\n{}\n\n{}\n\
        Composition is what other shares of the strata make of the gap, rate what other rates within them do. Whether a stratum is itself \
        a legitimate ground is for a person to say.{alone}",
        words::grid(&["", "", "interval"], &rows),
        words::grid(
            &[
                "stratum",
                "group",
                "rate",
                "reference",
                "rate",
                "composition",
                "rate"
            ],
            &by_stratum
        ),
    ))
}

fn contributions_in_words(found: &Value) -> Option<String> {
    if let Some(why) = found["not_fitted"].as_str() {
        return Some(format!("MEAN OUTCOME · not measured: {why}."));
    }
    let mut rows: Vec<Vec<String>> = words::keys(&found["by_feature"])
        .iter()
        .map(|name| {
            vec![
                (*name).to_owned(),
                words::figure(&found["by_feature"][*name]),
            ]
        })
        .collect();
    rows.push(vec![
        "all features".to_owned(),
        words::figure(&found["explained"]),
    ]);
    rows.push(vec![
        "not explained by them".to_owned(),
        words::figure(&found["residual"]),
    ]);
    Some(format!(
        "MEAN `{}` differs by {}: contributions of features in a linear model\n{}\n\
        A contribution is what the model makes of a different mean of the feature. It is not a cause, and features that go together share it as the model will.",
        found["y"].as_str()?,
        words::figure(&found["gap"]),
        words::grid(&[], &rows),
    ))
}

fn differences_in_words(found: &Value) -> Option<String> {
    let mut rows: Vec<(f64, Vec<String>)> = words::keys(found)
        .iter()
        .map(|name| {
            let size = found[*name].as_f64().map_or(0.0, f64::abs);
            (size, vec![(*name).to_owned(), words::figure(&found[*name])])
        })
        .collect();
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    let rows: Vec<Vec<String>> = rows.into_iter().take(15).map(|(_, row)| row).collect();
    (!rows.is_empty()).then(|| {
        format!(
            "FEATURES by themselves, in standard deviations (Cohen's d), the largest first\n{}",
            words::grid(&[], &rows)
        )
    })
}

fn proxies_in_words(found: &Value, attribute: &str) -> Option<String> {
    let row = |name: &str, figures: &Value| {
        let auc = match figures["not_fitted"].as_str() {
            Some(why) => format!("not measured: {why}"),
            None => words::figure(&figures["auc"]),
        };
        vec![
            name.to_owned(),
            auc,
            words::figure(&figures["auc_interval"]),
        ]
    };
    let mut rows: Vec<Vec<String>> = words::keys(&found["by_feature"])
        .iter()
        .map(|name| row(name, &found["by_feature"][*name]))
        .collect();
    rows.push(row("all together", &found["together"]));
    Some(format!(
        "PROXIES · how well features tell the two groups of {attribute} apart (AUC on {} held-out rows; 0.5 is not at all, 1 is without a mistake)\n{}\n\
        A feature that tells groups apart can stand in for {attribute} in a decision. That it can does not say that it does, and it may be needed for another reason.",
        found["n_held_out"],
        words::grid(&["", "AUC", "interval"], &rows),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alnager_stats::random::Random;

    use super::*;

    struct People {
        in_group: Vec<bool>,
        favourable: Vec<Option<bool>>,
        score: Vec<f64>,
        columns: Vec<Texts>,
    }

    /// `near` is higher by one standard deviation in the group and all the score is made from; `far` says nothing of either.
    fn people(n: usize) -> People {
        let mut random = Random::new(4);
        let mut people = People {
            in_group: Vec::new(),
            favourable: Vec::new(),
            score: Vec::new(),
            columns: Vec::new(),
        };
        let (mut near, mut far, mut kind) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n {
            let in_group = random.uniform() < 0.4;
            let x = random.normal() + f64::from(u8::from(in_group));
            near.push(x.to_string());
            far.push(random.normal().to_string());
            kind.push(if random.uniform() < if in_group { 0.7 } else { 0.3 } {
                "a"
            } else {
                "b"
            });
            people.in_group.push(in_group);
            people.score.push(2.0 * x);
            people.favourable.push(Some(x > 0.5));
        }
        let texts = |name: &str, rows: &[String]| {
            Texts::of_rows(name, &rows.iter().map(String::as_str).collect::<Vec<_>>())
        };
        people.columns = vec![
            texts("near", &near),
            texts("far", &far),
            Texts::of_rows("kind", &kind),
        ];
        people
    }

    #[test]
    fn what_was_planted_is_told() {
        let people = people(2_000);
        let asked = Asked {
            attribute: "g",
            groups: ["1", "0"],
            in_group: &people.in_group,
            favourable: Some(&people.favourable),
            outcome: ("score", &people.score),
            strata: Some(&people.columns[2]),
            features: &people.columns,
            seed: 1,
            confidence: 0.95,
            n_left_out: 0,
        };
        let figures = figures(&asked);
        let of = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap();
        // The score is made of `near` alone, so its part is the whole gap.
        assert!((of("/contributions/by_feature/near") - of("/contributions/gap")).abs() < 1e-9);
        assert!(
            of("/contributions/by_feature/far").abs() < 1e-9
                && of("/contributions/residual").abs() < 1e-9
        );
        assert!((of("/differences/near") - 1.0).abs() < 0.15);
        assert!(of("/differences/far").abs() < 0.15);
        // One standard deviation apart: AUC Φ(1/√2) = 0.760.
        let near = &figures["proxies"]["by_feature"]["near"]["auc_interval"];
        assert!(near[0].as_f64().unwrap() < 0.760 && 0.760 < near[1].as_f64().unwrap());
        // A text of 0.7 and 0.3: AUC 0.7·0.7 + (0.7·0.3 + 0.3·0.7)/2 = 0.7.
        assert!((of("/proxies/by_feature/kind/auc") - 0.7).abs() < 0.06);
        assert!((of("/proxies/by_feature/far/auc") - 0.5).abs() < 0.06);
        assert!(of("/proxies/together/auc") > of("/proxies/by_feature/near/auc"));
        // The kind says nothing of the decision beside the group, so nearly all of the gap is one of rates.
        assert!(
            (of("/kitagawa/composition") + of("/kitagawa/rate") - of("/kitagawa/gap")).abs()
                < 1e-12
        );
        assert!(of("/kitagawa/composition").abs() < 0.05 && of("/kitagawa/rate_interval/0") > 0.2);
        let said = words(&figures);
        assert!(
            said.contains("all together") && said.contains("Kitagawa"),
            "{said}"
        );
    }

    #[test]
    fn groups_told_apart_without_a_mistake_are_said_to_be() {
        let mut people = people(200);
        let rows: Vec<&str> = people
            .in_group
            .iter()
            .map(|in_group| if *in_group { "1" } else { "0" })
            .collect();
        people.columns = vec![Texts::of_rows("twin", &rows)];
        let asked = Asked {
            attribute: "g",
            groups: ["1", "0"],
            in_group: &people.in_group,
            favourable: None,
            outcome: ("score", &people.score),
            strata: None,
            features: &people.columns,
            seed: 1,
            confidence: 0.95,
            n_left_out: 0,
        };
        let figures = figures(&asked);
        assert_eq!(figures["proxies"]["by_feature"]["twin"]["auc"], json!(1.0));
        assert_eq!(
            figures["proxies"]["by_feature"]["twin"]["auc_interval"],
            Value::Null
        );
        assert!(figures["proxies"]["together"]["not_fitted"].is_string());
        assert_eq!(figures["kitagawa"], Value::Null);
    }
}
