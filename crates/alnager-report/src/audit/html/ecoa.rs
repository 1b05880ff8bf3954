//! Credit: raw disparities, and what is left of them once other factors are held fixed.
//!
//! The report is an analysis of existing files and is never given the name that 12 CFR 1002.15 gives to something else.

use maud::{Markup, html};
use serde_json::Value;

use super::parts::{number, p};
use crate::audit::profile::{EcoaView, Theories};
use crate::audit::view::FairnessView;
use crate::html::words::{self, Scale, count, figure, undefined};

/// Which theory governs on the day of the decisions.
pub(super) fn banner(part: &EcoaView, theories: &Theories) -> Markup {
    let mut seen: Vec<&str> = Vec::new();
    let own = theories.list.iter().filter(|theory| {
        let is_new = theory.id.starts_with("us-ecoa") && !seen.contains(&theory.id.as_str());
        seen.push(&theory.id);
        is_new
    });
    let own: Vec<_> = own.collect();
    html! {
        div.banner role="note" {
            p { "For decisions of " time { (part.judged_on) } ": "
                @if own.is_empty() { "no theory of Regulation B is held here; ask counsel." }
                @for (at, theory) in own.iter().enumerate() {
                    @if at > 0 { "; " }
                    strong { (theory.theory) } ", " span.keep { (theory.standing) }
                }
                "."
            }
        }
    }
}

/// Raw beside controlled.
pub(super) fn part(view: &FairnessView, part: &EcoaView) -> Markup {
    html! {
        @match &part.controlled {
            None => p { "No control was named, so only raw disparities are shown: the groups below. A raw gap says nothing of why." },
            Some(figures) => { (controlled(figures)) }
        }
        h3 { "What these figures do not say" }
        ul {
            li { "This is a statistical analysis of existing loan files." }
            li { "Bases tested: " (bases(view)) ". No other prohibited basis (12 CFR 1002.2(z)) was." }
            li { "Whether each control is a legitimate ground, and no stand-in for a prohibited basis, is for a person to say." }
            li { "Which less discriminatory alternatives were tried, and where the traits come from (asked for or estimated), is to be recorded beside this report." }
        }
    }
}

fn bases(view: &FairnessView) -> String {
    let names: Vec<String> = view
        .groupings
        .iter()
        .map(|grouping| words::attribute(&grouping.name))
        .collect();
    names.join(", ")
}

fn controlled(figures: &Value) -> Markup {
    let list = |name: &str| {
        let names = figures[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        names.collect::<Vec<_>>().join(", ")
    };
    html! {
        p {
            "Modelled: the probability that " code { (figures["y"].as_str().unwrap_or_default()) } " is " code { (figures["event"].as_str().unwrap_or_default()) }
            @if figures["event_is_favourable"] == Value::Bool(false) { ", which is not the favourable decision" } ". Held fixed: " (list("controls")) "."
        }
        p.note {
            (count(figures["n"].as_u64().unwrap_or(0))) " complete rows, " (count(figures["n_left_out"].as_u64().unwrap_or(0))) " left out because a value is missing. "
            "Logistic regression; average marginal effects in points of probability, with intervals by the delta method. AIR: approval rate over the reference's. SMD: standardised mean difference of the decision. "
            "Pseudo R² (McFadden): " (number(figures["logit"]["pseudo_r2_mcfadden"].as_f64())) "."
        }
        @for (attribute, raw) in figures["raw"].as_object().into_iter().flatten() { (table(figures, attribute, raw)) }
        (controls(figures))
    }
}

fn pair(value: &Value) -> Option<(f64, f64)> {
    value[0].as_f64().zip(value[1].as_f64())
}

/// The column of the model that a group has.
fn column(figures: &Value, attribute: &str, group: &str) -> String {
    match figures["bases"][attribute].as_str() {
        Some(_) => format!("{attribute}={group}"),
        None => attribute.to_owned(),
    }
}

fn table(figures: &Value, attribute: &str, raw: &Value) -> Markup {
    let reference = raw["reference"].as_str().unwrap_or_default();
    html! {
        table.stacks.figures-table {
            caption { h3 { "By " (words::attribute(attribute)) } p.note { "Reference: " strong { (reference) } "." } }
            thead {
                tr {
                    th scope="col" { "Group" }
                    @for name in ["n", "Approved, per cent", "AIR, raw", "SMD, raw", "Effect, raw (points)", "Effect, controlled (points)", "p, controlled"] { th.num scope="col" { (name) } }
                }
            }
            tbody {
                @for (group, of_group) in raw["groups"].as_object().into_iter().flatten() {
                    @let versus = &raw["vs_reference"][group];
                    @let column = column(figures, attribute, group);
                    tr {
                        th scope="row" { (group) }
                        td.num data-label="n" { (count(of_group["n"].as_u64().unwrap_or(0))) }
                        td.num data-label="Approved" { (figure(Scale::Rate, of_group["rate"].as_f64(), pair(&of_group["ci_wilson"]))) }
                        @if group == reference { td.num data-label="AIR" { "reference" } td {} td {} td {} td {} }
                        @else {
                            td.num data-label="AIR" { (figure(Scale::Ratio, versus["impact_ratio"].as_f64(), pair(&versus["ratio_ci_katz"]))) }
                            td.num data-label="SMD" { (number(versus["smd_total"].as_f64())) }
                            td.num data-label="Effect, raw" { (effect(figures, "raw_average_marginal_effect", "raw_ame_ci", &column)) }
                            td.num data-label="Effect, controlled" { (effect(figures, "average_marginal_effect", "ame_ci", &column)) }
                            td.num data-label="p, controlled" { (p(figures["ame_p"][&column].as_f64(), figures["ame_log10_p"][&column].as_f64())) }
                        }
                    }
                }
            }
        }
    }
}

fn effect(figures: &Value, name: &str, interval: &str, column: &str) -> Markup {
    let value = figures[name][column].as_f64();
    html! { @if value.is_none() { (undefined()) } @else { (figure(Scale::Difference, value, pair(&figures[interval][column]))) } }
}

/// Every column of the model.
fn controls(figures: &Value) -> Markup {
    html! {
        details {
            summary { "Every factor of the model" }
            table.stacks.figures-table {
                thead { tr { th scope="col" { "Factor" } @for name in ["Log odds", "Odds ratio", "p", "Effect (points)"] { th.num scope="col" { (name) } } } }
                tbody {
                    @for (column, value) in figures["logit"]["params"].as_object().into_iter().flatten() {
                        tr {
                            th scope="row" { (column) }
                            td.num data-label="Log odds" { (number(value.as_f64())) }
                            td.num data-label="Odds ratio" { (figure(Scale::Ratio, figures["logit"]["odds_ratio"][column].as_f64(), pair(&figures["logit"]["or_ci"][column]))) }
                            td.num data-label="p" { (p(figures["logit"]["p"][column].as_f64(), figures["logit"]["log10_p"][column].as_f64())) }
                            td.num data-label="Effect" { (effect(figures, "average_marginal_effect", "ame_ci", column)) }
                        }
                    }
                }
            }
        }
    }
}
