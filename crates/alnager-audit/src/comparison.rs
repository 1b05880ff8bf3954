//! Two audits side by side: what became better or worse from one to the other.

use std::collections::BTreeMap;

use alnager_stats::compare::{self, PValue};
use alnager_stats::confusion::{Confusion, Rate};
use alnager_stats::correct;
use alnager_stats::impact::impact_ratio;
use alnager_stats::proportion::{Interval, Proportion};
use alnager_stats::sequential::Block;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::drift::ln_ratio_change;
use crate::figures::{interval, number};
use crate::words;

/// The counts of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Group {
    /// Its rows.
    pub n: u64,
    /// Those with decision 1.
    pub n_decided: u64,
    /// Its counts by decision and label, where the label is known; `None` where no label was audited.
    pub confusion: Option<Confusion>,
}

/// One audit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Side {
    /// What it is called: the file.
    pub name: String,
    /// The hash of its data.
    pub sha256: String,
    /// The decision that is good for the person, 0 or 1.
    pub favourable: u8,
    /// By attribute or combination, the reference if there is one, and the groups.
    pub attributes: BTreeMap<String, (Option<String>, BTreeMap<String, Group>)>,
}

/// What is asked of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The confidence of every interval, and 1 less the chance of any false change shown.
    pub confidence: f64,
    /// The change of a rate that is too small to matter, above 0.
    pub margin: f64,
    /// The factor by which an impact ratio may change without it mattering, above 1.
    pub margin_ratio: f64,
    /// Groups with fewer rows on a side are not compared.
    pub min_group: u64,
}

/// Why an audit cannot be compared.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SideError {
    /// No audit in JSON.
    #[error(
        "`{0}` is missing or of the wrong kind; give the output of `alnager audit fairness --format json`"
    )]
    Member(String),
    /// The two audits are of different things.
    #[error(
        "the two audits have no attribute in common: {0} and {1}; audit both with the same --attr"
    )]
    NothingInCommon(String, String),
    /// Rows that are not one person each with one voice.
    #[error(
        "this audit was made with {0}, of which the counts of rows say too little; compare audits without, or audit each side alone"
    )]
    Dependent(&'static str),
    /// The favourable decision differs.
    #[error(
        "the favourable decision is {0} in the first audit and {1} in the second; audit both with the same --favorable"
    )]
    Favourable(u8, u8),
}

impl Side {
    /// From the output of `alnager audit fairness --format json`.
    pub fn of_audit(name: &str, audit: &Value) -> Result<Side, SideError> {
        let missing = |member: &str| SideError::Member(member.to_owned());
        let favourable = match audit["favorable"].as_u64() {
            Some(0) => 0,
            Some(1) => 1,
            _ => return Err(missing("favorable")),
        };
        let attrs = audit["attrs"].as_object().ok_or_else(|| missing("attrs"))?;
        if let Some(how) = dependence(audit) {
            return Err(SideError::Dependent(how));
        }
        let mut attributes = BTreeMap::new();
        for (attribute, figures) in attrs {
            let groups = figures["groups"]
                .as_object()
                .ok_or_else(|| missing("groups"))?;
            let mut counted = BTreeMap::new();
            for (group, figures) in groups {
                let count = |member: &str| figures[member].as_u64().ok_or_else(|| missing(member));
                let confusion = match figures.get("tp") {
                    None => None,
                    Some(_) => Some(Confusion {
                        tp: count("tp")?,
                        fp: count("fp")?,
                        tn: count("tn")?,
                        fn_: count("fn")?,
                    }),
                };
                let (n, n_decided) = (count("n")?, count("n_pred_pos")?);
                if n_decided > n {
                    return Err(missing("n_pred_pos"));
                }
                counted.insert(
                    group.clone(),
                    Group {
                        n,
                        n_decided,
                        confusion,
                    },
                );
            }
            let reference = figures["reference"].as_str().map(str::to_owned);
            attributes.insert(attribute.clone(), (reference, counted));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Side {
            name: name.to_owned(),
            sha256: text(&audit["data"]["sha256"]),
            favourable,
            attributes,
        })
    }
}

/// What makes the counts of rows say too little of an audit.
fn dependence(audit: &Value) -> Option<&'static str> {
    let attrs = audit["attrs"].as_object().into_iter().flatten();
    let is_weighted = attrs.map(|(_, figures)| figures).any(|figures| {
        let groups = figures["groups"].as_object().into_iter().flatten();
        figures.get("weighted").is_some()
            || groups
                .into_iter()
                .any(|(_, group)| group.get("weighted").is_some())
    });
    let findings = audit["findings"].as_array().into_iter().flatten();
    let mut methods = findings.filter_map(|finding| finding["method"].as_str());
    if is_weighted {
        Some("weights")
    } else if methods.any(|method| method.starts_with("person")) {
        Some("several rows a person")
    } else {
        None
    }
}

/// A figure of one group on both sides.
struct Line {
    attribute: String,
    group: String,
    what: &'static str,
    n: [u64; 2],
    values: [Option<f64>; 2],
    change: Option<f64>,
    interval: Option<Interval>,
    p: Option<PValue>,
    is_large: bool,
}

/// The rates compared where labels are audited.
const RATES: [Rate; 3] = [Rate::Tpr, Rate::Fpr, Rate::Ppv];

/// The figures of a comparison of `a` with `b`, by group.
///
/// Rates: the change b - a with Newcombe's interval and Fisher's exact test. Impact ratios: the factor b/a with the normal
/// interval of its logarithm. Both sides are taken for different people: where they are the same, the intervals are too wide.
pub fn figures(a: &Side, b: &Side, settings: Settings) -> Result<Value, SideError> {
    if a.favourable != b.favourable {
        return Err(SideError::Favourable(a.favourable, b.favourable));
    }
    let z = alnager_stats::proportion::z_for(settings.confidence).unwrap_or(f64::NAN);
    let mut lines = Vec::new();
    let mut one_sided = Vec::new();
    let mut references = Map::new();
    for (attribute, (reference, groups)) in &a.attributes {
        let Some((other_reference, others)) = b.attributes.get(attribute) else {
            one_sided.push(json!({"attr": attribute, "group": Value::Null, "only_in": "a"}));
            continue;
        };
        for (group, only_in) in groups
            .keys()
            .filter(|group| !others.contains_key(*group))
            .map(|group| (group, "a"))
            .chain(
                others
                    .keys()
                    .filter(|group| !groups.contains_key(*group))
                    .map(|group| (group, "b")),
            )
        {
            one_sided.push(json!({"attr": attribute, "group": group, "only_in": only_in}));
        }
        // Both ratios need the same reference; the first audit's is taken.
        let reference = reference.as_ref().or(other_reference.as_ref());
        references.insert(
            attribute.clone(),
            json!({"reference": reference, "of_b": other_reference}),
        );
        let of =
            |groups: &BTreeMap<String, Group>| reference.and_then(|name| groups.get(name)).copied();
        let theirs = of(groups).zip(of(others));
        for (group, counts) in groups {
            let Some(other) = others.get(group) else {
                continue;
            };
            let pair = [*counts, *other];
            let mut of_group = rate_lines(pair, a.favourable, z, settings);
            if let (Some((one, two)), false) = (theirs, Some(group) == reference) {
                of_group.extend(ratio_line(pair, [one, two], a.favourable, z, settings));
            }
            for line in &mut of_group {
                line.attribute.clone_from(attribute);
                line.group.clone_from(group);
            }
            lines.extend(of_group);
        }
    }
    if lines.is_empty() {
        let names = |side: &Side| {
            side.attributes
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        };
        return Err(SideError::NothingInCommon(names(a), names(b)));
    }
    for attribute in b.attributes.keys() {
        if !a.attributes.contains_key(attribute) {
            one_sided.push(json!({"attr": attribute, "group": Value::Null, "only_in": "b"}));
        }
    }
    Ok(document(a, b, settings, &lines, one_sided, references))
}

fn document(
    a: &Side,
    b: &Side,
    settings: Settings,
    lines: &[Line],
    one_sided: Vec<Value>,
    references: Map<String, Value>,
) -> Value {
    let p: Vec<Option<f64>> = lines
        .iter()
        .map(|line| line.p.filter(|_| line.is_large).map(|p| p.value))
        .collect();
    let adjusted = correct::holm(&p);
    let verdicts: Vec<&str> = lines
        .iter()
        .zip(&adjusted)
        .map(|(line, p)| verdict(line, *p, settings))
        .collect();
    let compared: Vec<Value> = lines
        .iter()
        .zip(adjusted)
        .zip(&verdicts)
        .map(|((line, adjusted), verdict)| {
            json!({
                "attr": line.attribute,
                "group": line.group,
                "figure": line.what,
                "n_a": line.n[0],
                "n_b": line.n[1],
                "a": number(line.values[0]),
                "b": number(line.values[1]),
                "change": number(line.change),
                "change_is": if line.what == "impact_ratio" { "factor" } else { "difference" },
                "ci": interval(line.interval),
                "p": number(line.p.map(|p| p.value)),
                "log10_p": number(line.p.map(|p| p.log10)),
                "p_adjusted": number(adjusted),
                "verdict": verdict,
            })
        })
        .collect();
    let side = |side: &Side| json!({"name": side.name, "sha256": side.sha256});
    json!({
        "schema": "alnager.comparison/1",
        "a": side(a),
        "b": side(b),
        "same_data": !a.sha256.is_empty() && a.sha256 == b.sha256,
        "favorable": a.favourable,
        "references": references,
        "method": {
            "confidence": settings.confidence,
            // 1 - 0.95 with the digits a person expects.
            "alpha": ((1.0 - settings.confidence) * 1e12).round() / 1e12,
            "margin": settings.margin,
            "margin_ratio": settings.margin_ratio,
            "min_group": settings.min_group,
            "n_tests": p.iter().flatten().count(),
            "correction": "holm",
        },
        "compared": compared,
        "only_on_one_side": one_sided,
        "outcome": outcome(&verdicts),
    })
}

/// The worst of what was found; better only where nothing is worse.
fn outcome(verdicts: &[&str]) -> &'static str {
    let has = |word: &str| verdicts.contains(&word);
    let is_measured = |verdict: &&&str| **verdict != "not measured";
    let mut measured = verdicts.iter().filter(is_measured).peekable();
    if has("worse") {
        "worse"
    } else if has("better") {
        "better"
    } else if has("higher") || has("lower") || has("crossed 1") {
        "changed"
    } else if measured.peek().is_some() && measured.all(|verdict| *verdict == "no change shown") {
        "no_change_shown"
    } else {
        "inconclusive"
    }
}

fn verdict(line: &Line, adjusted: Option<f64>, settings: Settings) -> &'static str {
    let (Some(change), Some(held), Some(p)) = (line.change, line.interval, adjusted) else {
        return "not measured";
    };
    let is_ratio = line.what == "impact_ratio";
    if p < 1.0 - settings.confidence {
        let is_up = if is_ratio { change > 1.0 } else { change > 0.0 };
        return match (line.what, line.values) {
            ("error_rate", _) => {
                if is_up {
                    "worse"
                } else {
                    "better"
                }
            }
            // Better is nearer to 1.
            ("impact_ratio", [Some(a), Some(b)]) => match (a <= 1.0, b <= 1.0) {
                (true, true) if is_up => "better",
                (true, true) => "worse",
                (false, false) if is_up => "worse",
                (false, false) => "better",
                (true, false) | (false, true) => "crossed 1",
            },
            _ => {
                if is_up {
                    "higher"
                } else {
                    "lower"
                }
            }
        };
    }
    let (low, high) = if is_ratio {
        (1.0 / settings.margin_ratio, settings.margin_ratio)
    } else {
        (-settings.margin, settings.margin)
    };
    if held.low >= low && held.high <= high {
        "no change shown"
    } else {
        "inconclusive"
    }
}

fn favourable(group: &Group, favourable: u8) -> Option<Proportion> {
    let decided = Proportion::new(group.n_decided, group.n)?;
    Some(if favourable == 1 {
        decided
    } else {
        decided.complement()
    })
}

fn rate_lines(pair: [Group; 2], good: u8, z: f64, settings: Settings) -> Vec<Line> {
    let mut shares = vec![(
        "favorable_rate",
        favourable(&pair[0], good),
        favourable(&pair[1], good),
    )];
    if let [Some(a), Some(b)] = pair.map(|group| group.confusion) {
        let error = |counts: &Confusion| Some(Rate::Accuracy.of(counts).complement());
        shares.push(("error_rate", error(&a), error(&b)));
        for rate in RATES {
            shares.push((rate.name(), Some(rate.of(&a)), Some(rate.of(&b))));
        }
    }
    let line = |(what, a, b): (&'static str, Option<Proportion>, Option<Proportion>)| {
        let (a, b) = (a?, b?);
        Some(Line {
            attribute: String::new(),
            group: String::new(),
            what,
            n: [a.n(), b.n()],
            values: [a.value(), b.value()],
            change: compare::difference(b, a),
            interval: compare::difference_newcombe(b, a, z),
            p: compare::fisher(b, a).map(|fisher| fisher.two_sided),
            is_large: a.n().min(b.n()) >= settings.min_group.max(1),
        })
    };
    shares.into_iter().filter_map(line).collect()
}

fn ratio_line(
    pair: [Group; 2],
    references: [Group; 2],
    good: u8,
    z: f64,
    settings: Settings,
) -> Option<Line> {
    let block = |group: &Group, reference: &Group| {
        Some(Block {
            group: favourable(group, good)?,
            reference: favourable(reference, good)?,
        })
    };
    let a = block(&pair[0], &references[0])?;
    let b = block(&pair[1], &references[1])?;
    let change = ln_ratio_change(&b, &a).filter(|(_, variance)| *variance > 0.0);
    let sizes = [a.group, a.reference, b.group, b.reference].map(Proportion::n);
    Some(Line {
        attribute: String::new(),
        group: String::new(),
        what: "impact_ratio",
        n: [a.group.n(), b.group.n()],
        values: [a, b].map(|block| impact_ratio(block.group, block.reference)),
        change: change.map(|(ln, _)| ln.exp()),
        interval: change.map(|(ln, variance)| Interval {
            low: (ln - z * variance.sqrt()).exp(),
            high: (ln + z * variance.sqrt()).exp(),
        }),
        p: change.map(|(ln, variance)| compare::p_of_z(ln / variance.sqrt())),
        is_large: sizes.iter().all(|n| *n >= settings.min_group.max(1)),
    })
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let of = |value: &Value, name: &str| words::figure(&value[name]);
    let mut text = format!(
        "A: {}   B: {}\n\n",
        of(&figures["a"], "name"),
        of(&figures["b"], "name")
    );
    let mut rows = Vec::new();
    for line in figures["compared"].as_array().into_iter().flatten() {
        let change = match (line["change_is"].as_str(), line["change"].as_f64()) {
            (Some("factor"), Some(change)) => format!("x {}", words::short(change)),
            (_, Some(change)) => format!("{change:+.4}"),
            (_, None) => "undefined".to_owned(),
        };
        rows.push(vec![
            format!(
                "{} {}, {}",
                of(line, "attr"),
                of(line, "group"),
                of(line, "figure")
            ),
            of(line, "n_a"),
            of(line, "n_b"),
            of(line, "a"),
            of(line, "b"),
            change,
            of(line, "ci"),
            words::p(line, ["p", "log10_p"]),
            of(line, "p_adjusted"),
            of(line, "verdict"),
        ]);
    }
    let header = [
        "", "rows A", "rows B", "A", "B", "change", "interval", "p", "adjusted", "",
    ];
    text.push_str(&words::grid(&header, &rows));
    text.push_str("\n\n");
    for lone in figures["only_on_one_side"].as_array().into_iter().flatten() {
        let what = match lone["group"].as_str() {
            Some(group) => format!("{} {group}", of(lone, "attr")),
            None => of(lone, "attr"),
        };
        text.push_str(&format!(
            "{what}: only in {}, not compared.\n",
            of(lone, "only_in").to_uppercase()
        ));
    }
    for (attribute, reference) in figures["references"].as_object().into_iter().flatten() {
        if reference["reference"] == reference["of_b"] {
            text.push_str(&format!(
                "{attribute}: impact ratios are to {}.\n",
                of(reference, "reference")
            ));
        } else {
            text.push_str(&format!(
                "{attribute}: the reference is {} in A and {} in B; ratios here are to {} on both sides.\n",
                of(reference, "reference"),
                of(reference, "of_b"),
                of(reference, "reference"),
            ));
        }
    }
    if figures["same_data"] == true {
        text.push_str("Both audits are of the same data. The intervals take the rows for different people and are then too wide: a change shown stands, one not shown may be there.\n");
    }
    let method = &figures["method"];
    let outcome = match figures["outcome"].as_str() {
        Some("worse") => "B is worse than A in at least one figure.",
        Some("better") => "B is better than A in at least one figure, and shown worse in none.",
        Some("changed") => {
            "Rates have changed; neither an error rate nor an impact ratio is shown better or worse."
        }
        Some("no_change_shown") => "No change shown: every interval lies within the margin.",
        _ => {
            "Inconclusive: no change is shown, and for some figures none beyond the margin is excluded."
        }
    };
    text.push_str(&format!(
        "{outcome} Error rates count as better when lower, impact ratios when nearer to 1; other rates are only higher or lower. \
        A change is shown where its p-value, adjusted for {} tests (Holm), is below {}. \"No change shown\" means an interval within {} for rates and within a \
        factor of {} for ratios; anything wider is inconclusive. Groups under {} rows are not measured.",
        of(method, "n_tests"),
        words::plain(&method["alpha"]),
        words::plain(&method["margin"]),
        words::plain(&method["margin_ratio"]),
        of(method, "min_group"),
    ));
    text
}

#[cfg(test)]
mod tests;
