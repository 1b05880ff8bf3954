//! Fair lending: the raw gap of a decision, and what is left of it once other factors are held fixed.

use alnager_stats::effect;
use alnager_stats::linear;
use alnager_stats::logit::{self, Logit};
use alnager_stats::matrix::{Coefficient, Design, FitError};
use alnager_stats::proportion::{self, Interval};
use alnager_stats::sample::Sample;
use alnager_stats::score;
use serde_json::{Map, Value, json};

use crate::catalogue::{put, put_p};
use crate::factor::{Coded, Factor};
use crate::figures::{interval, number};
use crate::two_by_two;
use crate::words;

/// A decision, who it was about, and what else may have led to it; complete rows only.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name of the decision's column.
    pub outcome_name: &'a str,
    /// The value that is modelled, such as `1` of a column `deny`.
    pub event: &'a str,
    /// Whether that value is the decision good for the person.
    pub event_is_favourable: bool,
    /// Whether each row has that value.
    pub outcome: &'a [bool],
    /// The protected attributes: 0/1 columns, or categories with the reference group as their base.
    pub protected: &'a [Factor],
    /// The other factors.
    pub controls: &'a [Factor],
    /// Rows left out because something was missing.
    pub n_left_out: u64,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
}

/// Raw and controlled figures; `null` is undefined.
///
/// `logit` is in log odds of the event, `average_marginal_effect` in points of its probability per unit of a column (of a 0/1
/// column: from 0 to 1; of a category: against its base), `lpm_ols_hc1` a linear regression of the 0/1 outcome. `raw` counts the
/// favourable decision.
pub fn figures(asked: &Asked) -> Result<Value, FitError> {
    let z = proportion::z_for(asked.confidence).unwrap_or(proportion::Z95);
    let mut design = Design::new(asked.outcome.len());
    let mut categories = Vec::new();
    let mut protected = Vec::new();
    for (at, factor) in asked.protected.iter().chain(asked.controls).enumerate() {
        let positions = factor.push(&mut design)?;
        if factor.is_category() {
            categories.push(positions.clone());
        }
        if at < asked.protected.len() {
            protected.push(positions);
        }
    }
    let fit = logit::fit(&design, asked.outcome, None)?;
    let mut effects = effect::average_marginal_effects(&design, &fit, None)?;
    for positions in &categories {
        let of_set = effect::of_category(&design, &fit, None, positions)?;
        for (position, effect) in positions.iter().zip(of_set) {
            effects[position - 1] = effect;
        }
    }
    let mut raw_effects = Vec::new();
    for positions in &protected {
        raw_effects.extend(effect::raw(&design, asked.outcome, None, positions)?);
    }
    let numbers: Vec<f64> = asked
        .outcome
        .iter()
        .map(|event| f64::from(u8::from(*event)))
        .collect();
    let linear = linear::fit(&design, &numbers)?;
    let names = |factors: &[Factor]| {
        factors
            .iter()
            .map(|factor| factor.name.clone())
            .collect::<Vec<_>>()
    };
    Ok(json!({
        "y": asked.outcome_name,
        "event": asked.event,
        "event_is_favourable": asked.event_is_favourable,
        "protected": names(asked.protected),
        "controls": names(asked.controls),
        "bases": bases(asked),
        "n": design.rows(),
        "n_left_out": asked.n_left_out,
        "confidence": asked.confidence,
        "raw": raw(asked, z),
        "logit": logit_figures(&fit, z),
        "average_marginal_effect": each(&effects, |effect| number(Some(effect.value))),
        "ame_se_delta": each(&effects, |effect| number(Some(effect.standard_error))),
        "ame_ci": each(&effects, |effect| interval(effect.interval(z))),
        "ame_p": each(&effects, |effect| number(effect.p.map(|p| p.value))),
        "ame_log10_p": each(&effects, |effect| number(effect.p.map(|p| p.log10))),
        "raw_average_marginal_effect": each(&raw_effects, |effect| number(Some(effect.value))),
        "raw_ame_se_delta": each(&raw_effects, |effect| number(Some(effect.standard_error))),
        "raw_ame_ci": each(&raw_effects, |effect| interval(effect.interval(z))),
        "lpm_ols_hc1": {
            "params": each(&linear.robust, |line| number(Some(line.value))),
            "bse": each(&linear.robust, |line| number(Some(line.standard_error))),
            "p": each(&linear.robust, |line| number(line.p.map(|p| p.value))),
            "ci": each(&linear.robust, |line| interval(line.interval(z))),
            "r2": number(Some(linear.r2)),
        },
        "rule": "AME of a 0/1 variable = mean over rows of P(x=1)-P(x=0) (discrete change); SE by the delta method",
    }))
}

/// One member per coefficient; the intercept is `const`.
fn each(coefficients: &[Coefficient], of: impl Fn(&Coefficient) -> Value) -> Value {
    let name = |coefficient: &Coefficient| match coefficient.name.as_str() {
        "intercept" => "const".to_owned(),
        name => name.to_owned(),
    };
    Value::Object(
        coefficients
            .iter()
            .map(|coefficient| (name(coefficient), of(coefficient)))
            .collect(),
    )
}

/// The base of each category.
fn bases(asked: &Asked) -> Value {
    let factors = asked.protected.iter().chain(asked.controls);
    let base = |factor: &Factor| match &factor.coded {
        Coded::Categories { base, .. } => Some((factor.name.clone(), json!(base))),
        Coded::Numbers(_) => None,
    };
    Value::Object(factors.filter_map(base).collect())
}

fn logit_figures(fit: &Logit, z: f64) -> Value {
    let lines = &fit.coefficients;
    let by_position = |of: &dyn Fn(usize) -> Value| {
        let mut values = (0..lines.len()).map(of);
        each(lines, |_| Value::Null).as_object().map(|names| {
            names
                .keys()
                .cloned()
                .zip(&mut values)
                .collect::<Map<_, _>>()
        })
    };
    let mut figures = Map::new();
    figures.insert(
        "params".to_owned(),
        each(lines, |line| number(Some(line.value))),
    );
    figures.insert(
        "bse".to_owned(),
        each(lines, |line| number(Some(line.standard_error))),
    );
    figures.insert("z".to_owned(), each(lines, |line| number(line.statistic)));
    figures.insert(
        "p".to_owned(),
        each(lines, |line| number(line.p.map(|p| p.value))),
    );
    figures.insert(
        "log10_p".to_owned(),
        each(lines, |line| number(line.p.map(|p| p.log10))),
    );
    let odds_ratio = by_position(&|at| number(fit.odds_ratio(at)));
    figures.insert("odds_ratio".to_owned(), json!(odds_ratio));
    let or_ci = by_position(&|at| interval(fit.odds_ratio_interval(at, z)));
    figures.insert("or_ci".to_owned(), json!(or_ci));
    put(&mut figures, "llf", Some(fit.log_likelihood));
    put(&mut figures, "llnull", Some(fit.null_log_likelihood));
    put(&mut figures, "pseudo_r2_mcfadden", Some(fit.pseudo_r2()));
    put(&mut figures, "lr_chi2", Some(fit.likelihood_ratio()));
    put_p(&mut figures, "lr", fit.likelihood_ratio_p());
    Value::Object(figures)
}

/// The favourable decision by group, each protected attribute by itself.
fn raw(asked: &Asked, z: f64) -> Value {
    let favourable: Vec<bool> = asked
        .outcome
        .iter()
        .map(|event| *event == asked.event_is_favourable)
        .collect();
    let of_factor = |factor: &Factor| {
        let groups = groups(factor, &favourable);
        (factor.name.clone(), raw_of(&groups, asked.confidence, z))
    };
    Value::Object(asked.protected.iter().map(of_factor).collect())
}

/// Name, favourable decisions and others of each group, the reference first.
fn groups(factor: &Factor, favourable: &[bool]) -> Vec<(String, [u64; 2])> {
    let count = |is_member: &dyn Fn(usize) -> bool| {
        let mut counts = [0, 0];
        for (row, favourable) in favourable
            .iter()
            .enumerate()
            .filter(|(row, _)| is_member(*row))
        {
            let _ = row;
            counts[usize::from(!favourable)] += 1;
        }
        counts
    };
    match &factor.coded {
        Coded::Numbers(values) => ["0", "1"]
            .into_iter()
            .zip([0.0, 1.0])
            .map(|(name, of)| (name.to_owned(), count(&|row| values[row] == of)))
            .collect(),
        Coded::Categories { base, others } => {
            let of_base = count(&|row| others.iter().all(|(_, values)| values[row] == 0.0));
            let others = others
                .iter()
                .map(|(name, values)| (name.clone(), count(&|row| values[row] == 1.0)));
            std::iter::once((base.clone(), of_base))
                .chain(others)
                .collect()
        }
    }
}

fn raw_of(groups: &[(String, [u64; 2])], confidence: f64, z: f64) -> Value {
    let Some(((reference, theirs), others)) = groups.split_first() else {
        return Value::Null;
    };
    let rate = |[k, rest]: [u64; 2]| proportion::Proportion::new(k, k.checked_add(rest)?);
    let of_group = |(name, counts): &(String, [u64; 2])| {
        let share = rate(*counts);
        let wilson: Option<Interval> = share.and_then(|share| proportion::wilson(share, z));
        let figures = json!({
            "n": counts[0] + counts[1],
            "favourable": counts[0],
            "rate": number(share.and_then(proportion::Proportion::value)),
            "ci_wilson": interval(wilson),
        });
        (name.clone(), figures)
    };
    let sample = |[k, rest]: [u64; 2]| Sample::from_counts([(0.0, rest), (1.0, k)]);
    let samples: Vec<Sample> = groups
        .iter()
        .filter_map(|(_, counts)| sample(*counts))
        .collect();
    let known = Sample::merged(&samples.iter().collect::<Vec<_>>());
    let versus = |(name, counts): &(String, [u64; 2])| {
        let mut figures = two_by_two::figures([*counts, *theirs], confidence)?;
        let smd = sample(*counts)
            .zip(sample(*theirs))
            .and_then(|(ours, theirs)| score::smd_total(&ours, &theirs, &known));
        figures
            .as_object_mut()?
            .insert("smd_total".to_owned(), number(smd));
        Some((name.clone(), figures))
    };
    json!({
        "reference": reference,
        "groups": groups.iter().map(of_group).collect::<Map<_, _>>(),
        "vs_reference": others.iter().filter_map(versus).collect::<Map<_, _>>(),
    })
}

/// The figures in words: raw beside controlled.
pub fn words(figures: &Value) -> String {
    let text = |name: &str| figures[name].as_str().unwrap_or_default();
    let what = format!("`{}` = {}", text("y"), text("event"));
    let mut parts = Vec::new();
    for attribute in words::keys(&figures["raw"]) {
        parts.push(attribute_words(figures, attribute, &what));
    }
    let list = |name: &str| {
        let names = figures[name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        names
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let controls = match list("controls") {
        none if none.is_empty() => "Nothing is held fixed: no control was named.".to_owned(),
        controls => format!(
            "Held fixed: {controls}. Whether each is a legitimate ground for the decision, and no stand-in for a prohibited one, is for a person to say."
        ),
    };
    parts.push(format!(
        "{controls}\n{} complete rows; pseudo R² {}.{}",
        figures["n"],
        words::figure(&figures["logit"]["pseudo_r2_mcfadden"]),
        words::left_out(figures, "a value is missing"),
    ));
    parts.push(format!(
        "Tested here: {}. Other prohibited bases (12 CFR 1002.2(z)) were not tested.\n\
        This is a statistical analysis of existing files. Which theory a gap counts under depends on the day of the decisions and on \
        the place (docs/reference/audit-profiles.md); that is for counsel.",
        list("protected"),
    ));
    parts.join("\n\n")
}

fn attribute_words(figures: &Value, attribute: &str, what: &str) -> String {
    let raw = &figures["raw"][attribute];
    let reference = raw["reference"].as_str().unwrap_or_default();
    let group_row = |group: &&str| {
        let (of_group, versus) = (&raw["groups"][group], &raw["vs_reference"][group]);
        let mut cells = vec![
            (*group).to_owned(),
            words::figure(&of_group["n"]),
            words::figure(&of_group["rate"]),
            words::figure(&of_group["ci_wilson"]),
        ];
        if *group == reference {
            cells.extend(["reference".to_owned()]);
        } else {
            cells.extend(
                ["impact_ratio", "ratio_ci_katz", "smd_total"]
                    .map(|name| words::figure(&versus[name])),
            );
        }
        cells
    };
    let header = [
        attribute,
        "people",
        "approved",
        "interval",
        "ratio (AIR)",
        "interval",
        "SMD",
    ];
    let rows: Vec<Vec<String>> = words::keys(&raw["groups"]).iter().map(group_row).collect();
    let effects = words::keys(&raw["vs_reference"]);
    let effect_row = |group: &&str| {
        let column = match figures["bases"][attribute].as_str() {
            Some(_) => format!("{attribute}={group}"),
            None => attribute.to_owned(),
        };
        let of = |name: &str| words::figure(&figures[name][&column]);
        let names = ["average_marginal_effect", "ame_log10_p"];
        let p = match figures["ame_p"][&column].as_f64() {
            Some(value) => words::p(
                &json!({"p": value, "log10_p": figures[names[1]][&column]}),
                ["p", "log10_p"],
            ),
            None => "undefined".to_owned(),
        };
        vec![
            (*group).to_owned(),
            of("raw_average_marginal_effect"),
            of("raw_ame_ci"),
            of(names[0]),
            of("ame_ci"),
            p,
        ]
    };
    let effects: Vec<Vec<String>> = effects.iter().map(effect_row).collect();
    format!(
        "Favourable decisions by {attribute}, nothing held fixed\n{}\n\nProbability that {what}, less that of {reference}: raw, and with the controls held fixed\n{}",
        words::grid(&header, &rows),
        words::grid(
            &[attribute, "raw", "interval", "controlled", "interval", "p"],
            &effects
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::texts::Texts;

    /// 40 people; the protected are refused more often, less so at the same income.
    fn asked_of<R>(base: Option<&str>, read: impl Fn(&Asked) -> R) -> R {
        let rows: Vec<(String, String, bool)> = (0..40)
            .map(|row| {
                let group = if row % 2 == 0 { "0" } else { "1" };
                let income = (row * row * 7 % 19).to_string();
                (group.to_owned(), income, row * 11 % 17 + 4 * (row % 2) > 9)
            })
            .collect();
        let column = |name: &str, of: &dyn Fn(&(String, String, bool)) -> String| {
            let texts: Vec<String> = rows.iter().map(of).collect();
            Texts::of_rows(name, &texts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let group = column("g", &|row| row.0.clone());
        let protected = match base {
            Some(base) => Factor::categories(&group, base).unwrap(),
            None => Factor::of(&group).unwrap(),
        };
        let controls = [Factor::of(&column("income", &|row| row.1.clone())).unwrap()];
        let outcome: Vec<bool> = rows.iter().map(|row| row.2).collect();
        read(&Asked {
            outcome_name: "deny",
            event: "1",
            event_is_favourable: false,
            outcome: &outcome,
            protected: std::slice::from_ref(&protected),
            controls: &controls,
            n_left_out: 2,
            confidence: 0.95,
        })
    }

    fn of_rows(base: Option<&str>) -> Value {
        asked_of(base, |asked| figures(asked).unwrap())
    }

    #[test]
    fn the_raw_effect_is_the_difference_of_rates() {
        let figures = of_rows(None);
        let versus = &figures["raw"]["g"]["vs_reference"]["1"];
        let raw = figures["raw_average_marginal_effect"]["g"]
            .as_f64()
            .unwrap();
        let gap = versus["diff"].as_f64().unwrap();
        // The event is unfavourable, the rates are of the favourable decision.
        assert!((raw + gap).abs() < 1e-9, "{raw} {gap}");
        assert_eq!(figures["raw"]["g"]["groups"]["0"]["n"], json!(20));
        assert!(figures["logit"]["params"]["const"].is_number());
        assert!(figures["average_marginal_effect"].get("const").is_none());
    }

    #[test]
    fn a_category_and_a_column_of_its_own_agree() {
        let (column, category) = (of_rows(None), of_rows(Some("0")));
        for name in ["average_marginal_effect", "ame_se_delta"] {
            assert_eq!(column[name]["g"], category[name]["g=1"], "{name}");
        }
        assert_eq!(category["bases"], json!({"g": "0"}));
    }

    #[test]
    fn an_analysis_of_files_is_not_called_a_self_test() {
        let words = words(&of_rows(Some("1")));
        assert!(!words.to_lowercase().contains("self-test"));
        assert!(words.contains("Held fixed: income"), "{words}");
        assert!(words.contains("2 rows are left out"), "{words}");
    }
}
