//! The groups: how many, how many favoured, and the impact ratio as plot and figure in one row.

use maud::{Markup, html};

use super::parts::{mark, per_cent};
use crate::audit::view::{FairnessView, FindingView, GroupRow, GroupingView};
use crate::html::plot::{Axis, Limits, Point, Shape};
use crate::html::words::{self, Mark, Scale, count, figure};

/// A table for each way people were divided.
pub(super) fn part(view: &FairnessView) -> Markup {
    html! {
        p.key {
            "Diamond: the reference · " (Mark::Fail.label()) ": wholly beyond the limit for all comparisons at once · "
            (Mark::Inconclusive.label()) ": it crosses the limit · " (Mark::Pass.label()) ": wholly inside · "
            (words::sign("small", "○", "hollow")) ": too small to judge · thick line: the row's own interval, thin line: the one for all "
            "comparisons at once · shaded: what passes"
        }
        @for grouping in &view.groupings { (table(view, grouping)) }
    }
}

fn ratios<'v>(view: &'v FairnessView, grouping: &'v GroupingView) -> Vec<&'v FindingView> {
    let of = |finding: &&FindingView| finding.is_ratio() && finding.grouping == grouping.name;
    view.findings.iter().filter(of).collect()
}

fn point(finding: &FindingView) -> Point {
    Point {
        value: finding.value,
        interval: finding.interval,
        shape: Shape::Mark(mark(finding)),
    }
}

fn table(view: &FairnessView, grouping: &GroupingView) -> Markup {
    let ratios = ratios(view, grouping);
    let mut points: Vec<Point> = ratios.iter().map(|finding| point(finding)).collect();
    // The scale has room for the wide intervals too.
    points.extend(ratios.iter().map(|finding| Point {
        interval: finding.simultaneous,
        ..point(finding)
    }));
    let end = |end: &Option<String>| end.as_ref().and_then(|end| end.parse().ok());
    let limits = ratios.first().map_or(Limits::default(), |first| Limits {
        low: end(&first.limit_ends.0),
        high: end(&first.limit_ends.1),
    });
    let axis = Axis::new(Scale::Ratio, &points, limits);
    let known = points.iter().any(|point| point.value.is_some());
    let level = per_cent(view.confidence);
    html! {
        div.measures {
            table.forest.groups {
                caption {
                    h3 { "By " (words::attribute(&grouping.name)) }
                    p.note { (reference(grouping)) (unknown(grouping)) }
                }
                thead {
                    tr {
                        th scope="col" { "Group" }
                        th.num scope="col" { "n" }
                        th.num scope="col" { "Favoured" }
                        th.num scope="col" { "Rate, per cent [" (level) "]" }
                        th.plot scope="col" { @if known { (axis.head("Scale: impact ratio")) } }
                        th.num scope="col" { "Impact ratio [" (level) "]" span.all-at-once { "for all at once" } }
                        th scope="col" { "Result" }
                    }
                }
                tbody { @for group in &grouping.groups { (row(&axis, grouping, group, &ratios)) } }
            }
        }
    }
}

fn row(axis: &Axis, grouping: &GroupingView, group: &GroupRow, ratios: &[&FindingView]) -> Markup {
    let name = words::group(&grouping.name, &group.name);
    let finding = ratios.iter().find(|finding| finding.group == group.name);
    let is_reference = grouping.reference.as_deref() == Some(&group.name);
    html! {
        tr {
            th.group scope="row" { (name) }
            td.num.n data-label="n" { (count(group.n)) }
            td.num.k data-label="favoured" { (count(group.k)) }
            td.rate data-label="rate" { (figure(Scale::Rate, group.rate, group.interval)) }
            td.plot {
                @if let Some(finding) = finding { (axis.strip_within(&name, &point(finding), finding.simultaneous)) }
                @else if is_reference {
                    (axis.strip(&name, &Point { value: Some(1.0), interval: None, shape: Shape::Reference }))
                }
            }
            td.num.figure data-label="ratio" {
                @match finding {
                    Some(finding) => {
                        (figure(Scale::Ratio, finding.value, finding.interval))
                        @if let Some(wide) = finding.simultaneous { " " span.all-at-once { "all: " (Scale::Ratio.bracket(wide)) } }
                    }
                    None => { @if is_reference { "1" } }
                }
            }
            td.outcome {
                @match finding { Some(finding) => { (mark(finding).label()) } None => { @if is_reference { "reference" } } }
            }
        }
    }
}

fn reference(grouping: &GroupingView) -> Markup {
    html! {
        @match (&grouping.reference, grouping.is_chosen) {
            (Some(reference), true) => { "Reference: " strong { (words::group(&grouping.name, reference)) } ", chosen by the data." }
            (Some(reference), false) => { "Reference: " strong { (words::group(&grouping.name, reference)) } "." }
            (None, _) => { "Without a reference: nothing to compare with." }
        }
    }
}

fn unknown(grouping: &GroupingView) -> Markup {
    html! {
        @if grouping.n_unknown > 0 { " " (count(grouping.n_unknown)) " rows of unknown group are in no comparison." }
    }
}
