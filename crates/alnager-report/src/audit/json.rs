//! A fairness audit for programs: the figures in the shape of the reference tables, with our own results beside them.

use serde_json::{Map, Value, json};

use super::view::{FairnessView, FindingView, GroupingView};

/// `figures` (with `attrs` and `overall`) with `data`, `policy`, `method`, `reading`, `groupings`, `findings`, `headline`,
/// `outcome`, `cautions` and `warnings` beside them. `null` is undefined or not measured.
pub fn json(view: &FairnessView, figures: &Value) -> Value {
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!("alnager.fairness/1"));
    if let Some(figures) = figures.as_object() {
        document.extend(figures.clone());
    }
    let findings: Vec<Value> = view.findings.iter().map(finding).collect();
    let headline = view.headline.as_ref().map(|headline| {
        json!({
            "finding": headline.at,
            "bootstrap_ci_reference_chosen_anew": headline.bootstrap,
        })
    });
    for (name, value) in [
        ("data", json!(view.data)),
        ("reading", json!(view.reading)),
        ("policy", json!(view.policy)),
        (
            "method",
            json!({
                "confidence": view.confidence,
                "min_group": view.min_group,
                "correction": view.method.correction.name(),
                "n_replicates": view.method.n_replicates,
                "seed": view.method.seed,
                "power": view.method.power,
            }),
        ),
        ("groupings", view.groupings.iter().map(grouping).collect()),
        ("findings", json!(findings)),
        ("headline", json!(headline)),
        ("outcome", json!(view.outcome.word())),
        ("cautions", json!(view.cautions)),
        ("warnings", json!(view.warnings)),
    ] {
        document.insert(name.to_owned(), value);
    }
    Value::Object(document)
}

fn grouping(grouping: &GroupingView) -> Value {
    json!({
        "name": grouping.name,
        "reference": grouping.reference,
        "reference_chosen_by_data": grouping.is_chosen,
        "n_unknown": grouping.n_unknown,
    })
}

fn finding(finding: &FindingView) -> Value {
    json!({
        "test": finding.test,
        "metric": finding.metric,
        "attr": finding.grouping,
        "group": finding.group,
        "reference": finding.reference,
        "n": finding.n.0,
        "n_reference": finding.n.1,
        "value": finding.value,
        "ci": finding.interval,
        "ci_simultaneous": finding.simultaneous,
        "n_family": finding.n_family,
        "limit": finding.limit,
        "limit_source": finding.limit_source,
        "practical": finding.practical.word(),
        "practical_simultaneous": finding.practical_family.word(),
        "p": finding.p,
        "log10_p": finding.log10_p,
        "p_adjusted": finding.p_adjusted,
        "significant": finding.is_significant,
        "detectable_ratio": finding.detectable,
        "bounds_unknown": finding.bounds,
        "judged": finding.is_judged,
        "what_if": finding.is_what_if,
        "method": finding.method,
    })
}
