//! The tests: practical and statistical significance in columns of their own.

use alnager_audit::judge::Outcome;
use maud::{Markup, html};

use super::parts::{mark, p, per_cent};
use crate::audit::view::{FairnessView, FindingView};
use crate::html::words::{self, Mark, Scale, count, figure};

/// A table for each test.
pub(super) fn part(view: &FairnessView) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for finding in &view.findings {
        if !names.contains(&finding.test.as_str()) {
            names.push(&finding.test);
        }
    }
    html! {
        p.note {
            "Practical: does the interval lie within the limit, or beyond it? Statistical: could the gap be chance, given the number of "
            "comparisons? A test fails only where the interval that holds for all comparisons at once lies beyond the limit."
        }
        @if names.is_empty() { p { "The policy asks for no test of these data." } }
        @for name in names {
            @let findings: Vec<&FindingView> = view.findings.iter().filter(|finding| finding.test == name).collect();
            @if let Some(first) = findings.first() { (table(view, first, &findings)) }
        }
    }
}

fn table(view: &FairnessView, first: &FindingView, findings: &[&FindingView]) -> Markup {
    let scale = Scale::of(first.metric);
    let level = per_cent(view.confidence);
    let limit = words::limits(
        scale,
        first.limit_ends.0.as_deref(),
        first.limit_ends.1.as_deref(),
    );
    let shows = |has: &dyn Fn(&FindingView) -> bool| findings.iter().any(|finding| has(finding));
    let columns = Columns {
        detectable: shows(&|finding| finding.detectable.is_some()),
        bounds: shows(&|finding| finding.bounds.is_some()),
    };
    html! {
        table.stacks.figures-table {
            caption {
                h3 { (words::metric(first.metric)) }
                p.note { "Test " (first.test) ". Limit: " strong { (limit) } " (" (first.limit_source) "). Family: " (words::several(first.n_family, "comparison", "comparisons")) "." }
            }
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.num scope="col" { "n" }
                    th.num scope="col" { (scale.column()) " [" (level) "]" }
                    th.num scope="col" { "for all at once" }
                    th scope="col" { "Practical" }
                    th scope="col" { "Statistical" }
                    th.num scope="col" { "p" }
                    th.num scope="col" { "p, corrected" }
                    @if columns.detectable { th.num scope="col" { "Could have found" } }
                    @if columns.bounds { th.num scope="col" { "Were unknown known" } }
                    th scope="col" { "Result" }
                }
            }
            tbody { @for (at, finding) in findings.iter().enumerate() { (row(scale, columns, finding, findings.get(at.wrapping_sub(1)))) } }
        }
    }
}

/// Columns that are left out where they would be empty.
#[derive(Clone, Copy)]
struct Columns {
    detectable: bool,
    bounds: bool,
}

fn row(
    scale: Scale,
    columns: Columns,
    finding: &FindingView,
    before: Option<&&FindingView>,
) -> Markup {
    let n_columns = 9 + usize::from(columns.detectable) + usize::from(columns.bounds);
    let is_new = before.is_none_or(|before| before.grouping != finding.grouping);
    html! {
        @if is_new && !finding.grouping.is_empty() {
            tr.by {
                th colspan=(n_columns) scope="rowgroup" {
                    "By " (words::attribute(&finding.grouping))
                    span.quiet {
                        @match &finding.reference {
                            Some(reference) => { ", against " strong { (words::group(&finding.grouping, reference)) } " (n " (count(finding.n.1)) ")" }
                            None => ", without a reference",
                        }
                    }
                }
            }
        }
        tr {
            th scope="row" { @if finding.group.is_empty() { "All rows" } @else { (words::group(&finding.grouping, &finding.group)) } }
            td.num data-label="n" { (count(finding.n.0)) }
            td.num data-label=(scale.column()) { (figure(scale, finding.value, finding.interval)) }
            td.num data-label="For all at once" {
                @match finding.simultaneous { Some(wide) => { (scale.bracket(wide)) } None => (words::undefined()) }
            }
            td data-label="Practical" { (practical(finding)) }
            td data-label="Statistical" { (statistical(finding)) }
            td.num data-label="p" { (p(finding.p, finding.log10_p)) }
            td.num data-label="p, corrected" { (p(finding.p_adjusted, None)) }
            @if columns.detectable {
                td.num data-label="Could have found" {
                    @match finding.detectable { Some(ratio) => { "≤ " (scale.number(ratio)) } None => (words::undefined()) }
                }
            }
            @if columns.bounds {
                td.num data-label="Were unknown known" {
                    @match finding.bounds { Some(bounds) => { (scale.number(bounds.0)) " to " (scale.number(bounds.1)) } None => (words::undefined()) }
                }
            }
            td data-label="Result" {
                (mark(finding).label())
                @if finding.is_what_if { span.small-print { "no evidence: no lawful basis named" } }
            }
        }
    }
}

/// How the interval of this comparison alone stands to the limit.
fn practical(finding: &FindingView) -> Markup {
    html! {
        @match finding.practical {
            Outcome::Pass => "within",
            Outcome::Fail => "beyond",
            Outcome::Inconclusive => "crosses",
            Outcome::NotMeasured => { (Mark::NotMeasured.word()) }
        }
    }
}

fn statistical(finding: &FindingView) -> Markup {
    html! {
        @match finding.is_significant {
            Some(true) => "significant",
            Some(false) => "not significant",
            None => @if finding.p.is_some() { "not judged" } @else { "not tested" },
        }
    }
}
