//! Errors by group, and what a score tells of each group.

use alnager_audit::profile::reliability::{Bin, Curve};
use maud::{Markup, html};

use super::parts::{number, per_cent};
use crate::audit::details::{Details, ERROR_RATES, ErrorRow, ScoreRow, ScoreTable};
use crate::audit::view::FairnessView;
use crate::html::words::{self, Scale, count, figure};

/// Error rates with intervals.
pub(super) fn rates(view: &FairnessView, details: &Details) -> Markup {
    html! {
        p.note { "Per cent, with intervals of " (per_cent(view.confidence)) " (wilson/1). Class 1 is as the columns were read; n counts rows with a known outcome." }
        table.stacks.figures-table {
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.num scope="col" { "n" }
                    @for (_, name) in ERROR_RATES { th.num scope="col" { (name) } }
                }
            }
            @for table in &details.errors {
                tbody {
                    @if !table.grouping.is_empty() {
                        tr.by { th colspan="8" scope="rowgroup" { "By " (words::attribute(&table.grouping)) } }
                    }
                    @for row in &table.rows { (error_row(&table.grouping, row)) }
                }
            }
        }
    }
}

fn error_row(grouping: &str, row: &ErrorRow) -> Markup {
    html! {
        tr {
            th scope="row" { @if row.group.is_empty() { "All rows" } @else { (words::group(grouping, &row.group)) } }
            td.num data-label="n" { (count(row.n)) }
            @for ((_, name), rate) in ERROR_RATES.iter().zip(&row.rates) {
                td.num data-label=(name) { (figure(Scale::Rate, rate.value, rate.interval)) }
            }
        }
    }
}

/// What a score tells, and, of probabilities, whether they come true.
pub(super) fn scores(view: &FairnessView, details: &Details) -> Markup {
    let are_probabilities = details.scores.iter().any(|table| !table.curves.is_empty());
    html! {
        p.note {
            "AUC: how often the score ranks a person with outcome 1 above one with outcome 0 (DeLong's interval, " (per_cent(view.confidence))
            "). SMD: difference of means from the reference in standard deviations of all. KS: largest distance between the two distributions. "
            "PSI: population stability index, ten bins of the reference."
            @if are_probabilities { " ECE: expected calibration error, ten bins. In the large: mean outcome less mean score." }
        }
        @for table in &details.scores { (score_table(table, are_probabilities)) }
        @if are_probabilities {
            h3 { "Do probabilities come true?" }
            p.note { "Each dot is a tenth of the scale: across, the mean score; up, the share of outcome 1 with its interval. On the dashed line they agree." }
            @for table in &details.scores { (curves(table)) }
        }
    }
}

fn score_table(table: &ScoreTable, are_probabilities: bool) -> Markup {
    html! {
        table.stacks.figures-table {
            caption { h3 { "By " (words::attribute(&table.grouping)) } }
            thead {
                tr {
                    th scope="col" { "Group" }
                    @for name in ["n", "Mean", "SD", "AUC", "SMD", "KS", "PSI"] { th.num scope="col" { (name) } }
                    @if are_probabilities { @for name in ["Brier", "ECE", "In the large"] { th.num scope="col" { (name) } } }
                }
            }
            tbody { @for row in &table.rows { (score_row(table, row, are_probabilities)) } }
        }
    }
}

fn score_row(table: &ScoreTable, row: &ScoreRow, are_probabilities: bool) -> Markup {
    let is_reference = table.reference.as_deref() == Some(&row.group);
    html! {
        tr {
            th scope="row" {
                (words::group(&table.grouping, &row.group))
                @if is_reference { " " span.small-print { "reference" } }
            }
            td.num data-label="n" { (count(row.n)) }
            td.num data-label="Mean" { (number(row.mean)) }
            td.num data-label="SD" { (number(row.sd)) }
            td.num data-label="AUC" { (figure(Scale::Ratio, row.auc.value, row.auc.interval)) }
            @for (name, value) in [("SMD", row.smd), ("KS", row.ks), ("PSI", row.psi)] {
                td.num data-label=(name) { @if is_reference { "–" } @else { (number(value)) } }
            }
            @if are_probabilities {
                @for (name, value) in [("Brier", row.brier), ("ECE", row.ece), ("In the large", row.in_the_large)] {
                    td.num data-label=(name) { (number(value)) }
                }
            }
        }
    }
}

/// One small plot a group, and the same as a table, folded.
fn curves(table: &ScoreTable) -> Markup {
    html! {
        h4 { "By " (words::attribute(&table.grouping)) }
        div.curves { @for curve in &table.curves { (curve_plot(&table.grouping, curve)) } }
        details {
            summary { "The same as a table, by " (words::attribute(&table.grouping)) }
            table.stacks.figures-table {
                thead {
                    tr { th scope="col" { "Group, scores from and to" } @for name in ["n", "Mean score", "Share of outcome 1, per cent"] { th.num scope="col" { (name) } } }
                }
                @for curve in &table.curves {
                    tbody {
                        tr.by { th colspan="4" scope="rowgroup" { (words::group(&table.grouping, &curve.group)) } }
                        @for bin in &curve.bins {
                            tr {
                                th scope="row" { (format!("{:.1} to {:.1}", bin.ends.0, bin.ends.1)) }
                                td.num data-label="n" { (count(bin.n)) }
                                td.num data-label="Mean score" { (number(Some(bin.score))) }
                                td.num data-label="Share of outcome 1" { (figure(Scale::Rate, Some(bin.outcome), bin.interval)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The side of a plot and the room for its labels, in the drawing's own units.
const SIDE: f64 = 160.0;
const LEFT: f64 = 28.0;
const TOP: f64 = 8.0;

fn across(value: f64) -> f64 {
    LEFT + SIDE * value
}

fn up(value: f64) -> f64 {
    TOP + SIDE * (1.0 - value)
}

fn curve_plot(grouping: &str, curve: &Curve) -> Markup {
    let name = words::group(grouping, &curve.group);
    let n: u64 = curve.bins.iter().map(|bin| bin.n).sum();
    let points: Vec<String> = curve
        .bins
        .iter()
        .map(|bin| format!("{:.1},{:.1}", across(bin.score), up(bin.outcome)))
        .collect();
    html! {
        figure {
            svg viewBox="0 0 200 196" role="img" {
                title { "Mean score against share of outcome 1: " (name) }
                rect.frame x=(LEFT) y=(TOP) width=(SIDE) height=(SIDE) {}
                line.even x1=(across(0.0)) y1=(up(0.0)) x2=(across(1.0)) y2=(up(1.0)) {}
                @for tick in [0.0, 0.5, 1.0] {
                    text x=(across(tick)) y=(TOP + SIDE + 14.0) text-anchor="middle" { (tick) }
                    text x=(LEFT - 5.0) y=(up(tick) + 4.0) text-anchor="end" { (tick) }
                }
                polyline.path points=(points.join(" ")) {}
                @for bin in &curve.bins { (dot(bin)) }
            }
            figcaption { strong { (name) } " (n " (count(n)) ")" }
        }
    }
}

fn dot(bin: &Bin) -> Markup {
    let x = format!("{:.1}", across(bin.score));
    html! {
        @if let Some((low, high)) = bin.interval {
            line.reach x1=(x) x2=(x) y1=(format!("{:.1}", up(low))) y2=(format!("{:.1}", up(high))) {}
        }
        circle.dot cx=(x) cy=(format!("{:.1}", up(bin.outcome))) r="3" {}
    }
}
