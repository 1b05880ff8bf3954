//! Flips: the decision of the same people with one column changed, pair by pair.

use alnager_stats::correct::holm;
use alnager_stats::paired::{Shift, mcnemar, shift};
use alnager_stats::proportion::{Proportion, wilson, z_for};
use serde_json::{Map, Value, json};

use crate::catalogue::{put, put_interval, put_p};
use crate::figures::number;
use crate::texts::Texts;
use crate::words;

/// What is asked of flips.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The columns changed, one at a time.
    pub flips: &'a [Flip],
    /// The columns by which the rows are also told apart, as they are and not as they are changed.
    pub groups: &'a [Texts],
    /// The confidence of intervals, strictly between 0 and 1.
    pub confidence: f64,
}

/// One column and what is decided with each of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// The column.
    pub column: String,
    /// Its values.
    pub values: Vec<String>,
    /// What is decided of every row with each value; `None` where the model is not told of the column.
    pub outcomes: Option<Vec<Outcomes>>,
}

/// What is decided of every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    /// Whether the decision is the favourable one.
    pub favourable: Vec<bool>,
    /// The score behind it, where the model gives one; finite.
    pub scores: Option<Vec<f64>>,
}

/// Shares of the shifts' distribution that are listed, with their names.
const QUANTILES: [(&str, f64); 7] = [
    ("min", 0.0),
    ("q05", 0.05),
    ("q25", 0.25),
    ("median", 0.5),
    ("q75", 0.75),
    ("q95", 0.95),
    ("max", 1.0),
];

/// By column, pair of values and group: how many decisions change, each way, and how far scores move. `null` is undefined.
///
/// Every McNemar test of the result is one family, every test of a mean shift another; both are adjusted by Holm's method.
/// `None` if the columns differ in length, a score is not finite, or the confidence is none.
pub fn figures(asked: &Asked) -> Option<Value> {
    let z = z_for(asked.confidence)?;
    let mut tests = Tests::default();
    let mut flips = Vec::with_capacity(asked.flips.len());
    for flip in asked.flips {
        let Some(outcomes) = &flip.outcomes else {
            flips.push(json!({
                "column": flip.column,
                "values": flip.values,
                "applies": false,
                "reason": format!(
                    "`{}` is not an input of the model, so changing it cannot change the answer", flip.column
                ),
            }));
            continue;
        };
        let mut pairs = Vec::new();
        for (at, (from, value)) in outcomes.iter().zip(&flip.values).enumerate() {
            for (to, other) in outcomes.iter().zip(&flip.values).skip(at + 1) {
                let pair = Pair {
                    from,
                    to,
                    confidence: asked.confidence,
                    z,
                };
                let mut groups = Map::new();
                for texts in asked.groups {
                    let mut of_column = Map::new();
                    for (code, name) in texts.values().iter().enumerate() {
                        let rows = (0..texts.n_rows()).filter(|row| texts.at(*row) == Some(code));
                        of_column.insert(name.clone(), pair.figures(rows, &mut tests)?);
                    }
                    groups.insert(texts.column().to_owned(), Value::Object(of_column));
                }
                let n_rows = from.favourable.len();
                pairs.push(json!({
                    "from": value,
                    "to": other,
                    "all": pair.figures(0..n_rows, &mut tests)?,
                    "groups": groups,
                }));
            }
        }
        flips.push(json!({
            "column": flip.column,
            "values": flip.values,
            "applies": true,
            "reason": null,
            "pairs": pairs,
        }));
    }
    let mut figures = json!({
        "confidence": asked.confidence,
        "correction": "holm",
        "n_mcnemar_tests": tests.decisions.iter().flatten().count(),
        "n_shift_tests": tests.shifts.iter().flatten().count(),
        "flips": flips,
    });
    adjust(&mut figures, &tests);
    Some(figures)
}

/// The p-values of the two families, in the order in which their figures were made.
#[derive(Debug, Default)]
struct Tests {
    decisions: Vec<Option<f64>>,
    shifts: Vec<Option<f64>>,
}

/// The place of a test in its family, until it is adjusted. No group is called this: names hold no NUL.
const PLACE: &str = "\0place";

/// Puts the adjusted p-values where the places of their tests stand.
fn adjust(figures: &mut Value, tests: &Tests) {
    let (decisions, shifts) = (holm(&tests.decisions), holm(&tests.shifts));
    let at = |adjusted: &[Option<f64>], place: u64| adjusted.get(place as usize).copied().flatten();
    let mut cells: Vec<&mut Value> = vec![figures];
    while let Some(cell) = cells.pop() {
        match cell {
            Value::Object(members) => {
                // Removing by shifting keeps the order of the members.
                if let Some(place) = members.shift_remove(PLACE).and_then(|place| place.as_u64()) {
                    put(members, "mcnemar_p_adjusted", at(&decisions, place));
                    put(members, "shift_p_adjusted", at(&shifts, place));
                }
                cells.extend(members.values_mut());
            }
            Value::Array(items) => cells.extend(items.iter_mut()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Two values of one column.
struct Pair<'a> {
    from: &'a Outcomes,
    to: &'a Outcomes,
    confidence: f64,
    z: f64,
}

impl Pair<'_> {
    /// The figures of these rows, and their tests to the families.
    fn figures(
        &self,
        rows: impl Iterator<Item = usize> + Clone,
        tests: &mut Tests,
    ) -> Option<Value> {
        let decided = |row: usize| {
            Some((
                *self.from.favourable.get(row)?,
                *self.to.favourable.get(row)?,
            ))
        };
        let pairs: Vec<(bool, bool)> = rows.clone().map(decided).collect::<Option<_>>()?;
        let count = |which: fn(&(bool, bool)) -> bool| {
            pairs.iter().filter(|pair| which(pair)).count() as u64
        };
        let n = pairs.len() as u64;
        let (gained, lost) = (
            count(|pair| !pair.0 && pair.1),
            count(|pair| pair.0 && !pair.1),
        );
        let mut figures = Map::new();
        figures.insert("n".to_owned(), json!(n));
        for (name, k) in [
            ("favourable_from", count(|pair| pair.0)),
            ("favourable_to", count(|pair| pair.1)),
            ("gained", gained),
            ("lost", lost),
            ("flipped", gained + lost),
        ] {
            let share = Proportion::new(k, n)?;
            figures.insert(format!("n_{name}"), json!(k));
            put(&mut figures, &format!("{name}_rate"), share.value());
            let interval = wilson(share, self.z);
            put_interval(&mut figures, &format!("{name}_rate_interval"), interval);
        }
        let test = mcnemar(gained, lost);
        put_p(&mut figures, "mcnemar", test.map(|test| test.exact));
        put_p(&mut figures, "mcnemar_mid", test.map(|test| test.midp));
        let shift = match (&self.from.scores, &self.to.scores) {
            (Some(from), Some(to)) if n > 0 => {
                let of = |scores: &[f64]| -> Option<Vec<f64>> {
                    rows.clone().map(|row| scores.get(row).copied()).collect()
                };
                Some(shift(&of(from)?, &of(to)?, self.confidence)?)
            }
            (Some(_), Some(_)) | (None, _) | (_, None) => None,
        };
        put_shift(&mut figures, shift.as_ref());
        figures.insert(PLACE.to_owned(), json!(tests.decisions.len()));
        tests.decisions.push(test.map(|test| test.exact.value));
        tests
            .shifts
            .push(shift.and_then(|shift| Some(shift.p?.value)));
        Some(Value::Object(figures))
    }
}

fn put_shift(figures: &mut Map<String, Value>, shift: Option<&Shift>) {
    put(figures, "shift_mean", shift.map(|shift| shift.mean));
    let interval = shift.and_then(|shift| shift.interval);
    put_interval(figures, "shift_mean_interval", interval);
    put(figures, "shift_sd", shift.and_then(|shift| shift.sd));
    put(figures, "shift_t", shift.and_then(|shift| shift.t));
    put_p(figures, "shift", shift.and_then(|shift| shift.p));
    let quantile = |share| number(shift.and_then(|shift| shift.shifts.quantile(share)));
    let quantiles: Map<String, Value> = QUANTILES
        .iter()
        .map(|(name, share)| ((*name).to_owned(), quantile(*share)))
        .collect();
    figures.insert("shift_quantiles".to_owned(), Value::Object(quantiles));
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for flip in list(&figures["flips"]) {
        let column = flip["column"].as_str().unwrap_or_default();
        if flip["applies"] == json!(false) {
            let reason = flip["reason"].as_str().unwrap_or_default();
            parts.push(format!("{column}: not applicable: {reason}."));
            continue;
        }
        for pair in list(&flip["pairs"]) {
            parts.push(of_pair(column, &pair));
        }
    }
    let n = |name: &str| figures[name].as_u64().unwrap_or(0);
    parts.push(format!(
        "A flip changes one column of a row and nothing else; `gained` and `lost` are favourable decisions. p is McNemar's exact test, \
         adjusted by Holm for {} tests; the p of a mean shift is Student's, adjusted for {}. The model is judged here, not the people: a \
         flip that changes nothing does not show that a proxy for the column changes nothing.",
        n("n_mcnemar_tests"),
        n("n_shift_tests"),
    ));
    parts.join("\n\n")
}

fn of_pair(column: &str, pair: &Value) -> String {
    let text = |name: &str| pair[name].as_str().unwrap_or_default();
    let mut rows = vec![of_cell("everybody", &pair["all"])];
    for group in words::keys(&pair["groups"]) {
        for name in words::keys(&pair["groups"][group]) {
            rows.push(of_cell(
                &format!("{group}={name}"),
                &pair["groups"][group][name],
            ));
        }
    }
    let header = [
        "",
        "people",
        "favoured before",
        "after",
        "gained",
        "lost",
        "flip rate",
        "interval",
        "p",
        "adjusted",
        "mean shift",
        "interval",
        "p",
        "adjusted",
    ];
    let has_scores = rows.iter().any(|row| row[10] != "undefined");
    let shown = if has_scores { header.len() } else { 10 };
    rows.iter_mut().for_each(|row| row.truncate(shown));
    format!(
        "{column}: {} changed to {}\n{}",
        text("from"),
        text("to"),
        words::grid(&header[..shown], &rows)
    )
}

fn of_cell(name: &str, cell: &Value) -> Vec<String> {
    let figure = |member: &str| words::figure(&cell[member]);
    vec![
        name.to_owned(),
        figure("n"),
        figure("favourable_from_rate"),
        figure("favourable_to_rate"),
        figure("n_gained"),
        figure("n_lost"),
        figure("flipped_rate"),
        figure("flipped_rate_interval"),
        words::p(cell, ["mcnemar_p", "mcnemar_log10_p"]),
        figure("mcnemar_p_adjusted"),
        figure("shift_mean"),
        figure("shift_mean_interval"),
        words::p(cell, ["shift_p", "shift_log10_p"]),
        figure("shift_p_adjusted"),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn outcomes(scores: &[f64]) -> Outcomes {
        Outcomes {
            favourable: scores.iter().map(|score| *score >= 0.5).collect(),
            scores: Some(scores.to_vec()),
        }
    }

    fn flip(column: &str, outcomes: Option<Vec<Outcomes>>) -> Flip {
        Flip {
            column: column.to_owned(),
            values: vec!["m".to_owned(), "f".to_owned(), "x".to_owned()]
                [..outcomes.as_ref().map_or(2, Vec::len)]
                .to_vec(),
            outcomes,
        }
    }

    /// Ten people: with `f` in the place of `m`, seven lose the favourable decision, one gains it.
    fn asked() -> (Vec<Flip>, Vec<Texts>) {
        let as_m = [0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.9, 0.1];
        let as_f = [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.6, 0.9, 0.1];
        let groups = Texts::of_rows("g", &["a", "a", "a", "a", "a", "b", "b", "b", "b", ""]);
        let flips = vec![
            flip("sex", Some(vec![outcomes(&as_m), outcomes(&as_f)])),
            flip("faith", None),
        ];
        (flips, vec![groups])
    }

    fn figures_of(flips: &[Flip], groups: &[Texts]) -> Value {
        let asked = Asked {
            flips,
            groups,
            confidence: 0.95,
        };
        figures(&asked).unwrap()
    }

    #[test]
    fn decisions_that_change_are_counted_each_way() {
        let (flips, groups) = asked();
        let figures = figures_of(&flips, &groups);
        let pair = &figures["flips"][0]["pairs"][0];
        let all = &pair["all"];
        assert_eq!((&pair["from"], &pair["to"]), (&json!("m"), &json!("f")));
        for (name, want) in [
            ("n", 10),
            ("n_favourable_from", 8),
            ("n_favourable_to", 2),
            ("n_gained", 1),
            ("n_lost", 7),
        ] {
            assert_eq!(all[name], json!(want), "{name}");
        }
        assert_eq!(all["flipped_rate"], json!(0.8));
        assert!((all["mcnemar_p"].as_f64().unwrap() - 0.0703125).abs() < 1e-12);
        assert!((all["mcnemar_mid_p"].as_f64().unwrap() - 0.0390625).abs() < 1e-12);
        assert!((all["shift_mean"].as_f64().unwrap() + 0.12).abs() < 1e-12);
        assert!((all["shift_quantiles"]["min"].as_f64().unwrap() + 0.2).abs() < 1e-12);
        let (a, b) = (&pair["groups"]["g"]["a"], &pair["groups"]["g"]["b"]);
        assert_eq!(
            (&a["n"], &a["n_lost"], &b["n"]),
            (&json!(5), &json!(5), &json!(4))
        );
        // Three tests: 0.0703, 0.0625 and, of two lost and one gained, 1.
        assert_eq!(figures["n_mcnemar_tests"], json!(3));
        assert!((a["mcnemar_p_adjusted"].as_f64().unwrap() - 0.1875).abs() < 1e-12);
        assert!((all["mcnemar_p_adjusted"].as_f64().unwrap() - 0.1875).abs() < 1e-12);
        assert!((b["mcnemar_p_adjusted"].as_f64().unwrap() - 1.0).abs() < 1e-12);
        // Everybody of `a` moves alike: there is no spread to judge the shift by.
        assert_eq!(
            (&a["shift_p"], &figures["n_shift_tests"]),
            (&Value::Null, &json!(2))
        );
        assert!(!figures.to_string().contains("place\""));
    }

    #[test]
    fn a_column_the_model_is_not_told_of_cannot_flip() {
        let (flips, groups) = asked();
        let figures = figures_of(&flips, &groups);
        let faith = &figures["flips"][1];
        assert_eq!(
            (&faith["applies"], faith.get("pairs")),
            (&json!(false), None)
        );
        assert!(faith["reason"].as_str().unwrap().contains("not an input"));
        let said = words(&figures);
        assert!(
            said.contains("faith: not applicable: `faith` is not an input"),
            "{said}"
        );
        assert!(
            said.contains("sex: m changed to f") && said.contains("g=a"),
            "{said}"
        );
    }

    #[test]
    fn every_pair_of_values_is_compared_and_labels_have_no_shift() {
        let plain = |favourable: &[bool]| Outcomes {
            favourable: favourable.to_vec(),
            scores: None,
        };
        let three = vec![
            plain(&[true, false]),
            plain(&[true, false]),
            plain(&[false, false]),
        ];
        let figures = figures_of(&[flip("sex", Some(three))], &[]);
        let pairs = figures["flips"][0]["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), 3);
        // Nothing changes between the first two: no test.
        assert_eq!(pairs[0]["all"]["mcnemar_p"], Value::Null);
        assert_eq!(pairs[1]["all"]["n_lost"], json!(1));
        assert_eq!(figures["n_shift_tests"], json!(0));
        assert!(!words(&figures).contains("mean shift  "));
    }

    #[test]
    fn what_does_not_fit_has_no_figures() {
        let (flips, groups) = asked();
        let wrong = |flips: &[Flip], confidence| {
            figures(&Asked {
                flips,
                groups: &groups,
                confidence,
            })
        };
        assert_eq!(wrong(&flips, 1.0), None);
        let short = flip("sex", Some(vec![outcomes(&[0.5]), outcomes(&[0.5])]));
        assert_eq!(wrong(&[short], 0.95), None);
        let odd = flip(
            "sex",
            Some(vec![outcomes(&[f64::NAN; 10]), outcomes(&[0.5; 10])]),
        );
        assert_eq!(wrong(&[odd], 0.95), None);
    }
}
