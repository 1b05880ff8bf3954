//! The left column: what was measured, as plot and table in one.

use maud::{Markup, html};

use super::plot::{Axis, Limits, Point, Shape};
use super::words::{self, Mark, Scale, anchor, count, figure, limits, p_value, said};
use crate::view::{AuditView, GroupView, RequirementView, ResultView, ReviewView};

/// A result and its position in the view, which is its address on the page.
pub(super) type Placed<'v> = (usize, &'v ResultView);

/// The address of a result.
pub(super) fn result_anchor(at: usize) -> String {
    format!("result-{at}")
}

/// The address of a test of an audit.
pub(super) fn test_anchor(audit: &str, test: &str) -> String {
    format!("{}-{}", anchor("test", audit), anchor("of", test))
}

/// The results of one key after another, in the order first met.
pub(super) fn runs<'v, K: PartialEq>(
    results: &[Placed<'v>],
    key: impl Fn(&'v ResultView) -> K,
) -> Vec<(K, Vec<Placed<'v>>)> {
    let mut runs: Vec<(K, Vec<Placed<'v>>)> = Vec::new();
    for (at, result) in results {
        let wanted = key(result);
        match runs.iter_mut().find(|(known, _)| *known == wanted) {
            Some((_, run)) => run.push((*at, result)),
            None => runs.push((wanted, vec![(*at, result)])),
        }
    }
    runs
}

/// The result that a test on one attribute stands or falls by: the worst judged one, and of those the farthest from equality.
pub(super) fn worst<'v>(results: &[Placed<'v>]) -> Option<Placed<'v>> {
    let distance = |result: &ResultView| match (Scale::of(result.metric), result.value) {
        (Scale::Ratio, Some(value)) => value.ln().abs(),
        (Scale::Difference | Scale::Rate, Some(value)) => value.abs(),
        (_, None) => 0.0,
    };
    let order = |one: &&Placed<'v>, other: &&Placed<'v>| {
        let marks = Mark::of(one.1).cmp(&Mark::of(other.1));
        // Of equals the first, so that the order of the table decides.
        marks
            .then(distance(one.1).total_cmp(&distance(other.1)))
            .then(other.0.cmp(&one.0))
    };
    results.iter().max_by(order).copied()
}

/// The whole column.
pub(super) fn column(view: &ReviewView) -> Markup {
    let results: Vec<Placed<'_>> = view.results.iter().enumerate().collect();
    let undeclared: Vec<Placed<'_>> = results
        .iter()
        .copied()
        .filter(|(_, result)| view.audits.iter().all(|audit| audit.name != result.audit))
        .collect();
    html! {
        section.measures #measurements aria-labelledby="measurements-title" {
            h2 #measurements-title { "Measurements" }
            @if view.audits.is_empty() && results.is_empty() {
                p { "Nothing was measured: no audit is declared. A figure that is not there is not a good figure." }
            } @else {
                @if let Some(headline) = view.headline.and_then(|at| results.get(at)) { (headline_box(*headline)) }
                (key())
            }
            @for audit in &view.audits {
                @let own: Vec<Placed<'_>> = results.iter().copied().filter(|(_, result)| result.audit == audit.name).collect();
                h3 { "Audit " (audit.name) }
                p.note {
                    (audit.data) ", " (count(audit.n_rows)) " rows. "
                    @if let Some(model) = &audit.model { "Answered by " (model.name) ". " }
                    "Favourable: " (audit.favourable) "."
                }
                @if own.is_empty() { p { "No test was held against these data." } }
                @for (test, run) in runs(&own, |result| result.test.as_str()) { (test_table(view, Some(audit), test, &run)) }
                (rates(view, audit))
            }
            @for (name, run) in runs(&undeclared, |result| result.audit.as_str()) {
                h3 { @if name.is_empty() { "No audit" } @else { "Audit " (name) } }
                @for (test, run) in runs(&run, |result| result.test.as_str()) { (test_table(view, None, test, &run)) }
            }
        }
    }
}

/// The one result that stands for the whole, large.
fn headline_box((at, result): Placed<'_>) -> Markup {
    let scale = Scale::of(result.metric);
    html! {
        div.headline {
            p.kicker { "Headline result" }
            p.figure { (figure(scale, result.value, result.interval)) " " (Mark::of(result).label()) }
            p {
                (words::metric(result.metric)) " of "
                @if result.group.is_empty() { "all rows" } @else { strong { (words::group(&result.attribute, &result.group)) } }
                " (n " (count(result.n)) ")"
                @if let Some(reference) = &result.reference { " against " strong { (words::group(&result.attribute, reference)) } }
                @if !result.attribute.is_empty() { ", by " (words::attribute(&result.attribute)) }
                ". Limit: " (limits(scale, result.limit_low.as_deref(), result.limit_high.as_deref()))
                " (" (result.limit_source) "). "
                a.on-screen href={ "#" (result_anchor(at)) } { "Its row" }
            }
        }
    }
}

/// What the shapes mean.
fn key() -> Markup {
    html! {
        p.key {
            (Mark::Fail.label()) ": the interval lies wholly beyond the limit · "
            (Mark::Inconclusive.label()) ": it crosses the limit · "
            (Mark::Pass.label()) ": wholly inside · "
            (words::sign("small", "○", "hollow")) ": too small to judge · "
            "arrowhead: the interval goes on · shaded: what passes · — undefined"
        }
    }
}

/// One test of an audit: a row per group, by attribute.
fn test_table(
    view: &ReviewView,
    audit: Option<&AuditView>,
    test: &str,
    run: &[Placed<'_>],
) -> Markup {
    let Some((_, first)) = run.first() else {
        return html! {};
    };
    let scale = Scale::of(first.metric);
    let point = |result: &ResultView| Point {
        value: result.value,
        interval: result.interval,
        shape: Shape::Mark(Mark::of(result)),
    };
    let points: Vec<Point> = run.iter().map(|(_, result)| point(result)).collect();
    let bound = |limit: &Option<String>| limit.as_ref().and_then(|limit| limit.parse().ok());
    let axis = Axis::new(
        scale,
        &points,
        Limits {
            low: bound(&first.limit_low),
            high: bound(&first.limit_high),
        },
    );
    let bears_on_the_same = run
        .iter()
        .all(|(_, result)| result.requirements == first.requirements);
    let method = run
        .iter()
        .map(|(_, result)| result.method)
        .find(|method| *method != "none")
        .unwrap_or("none");
    html! {
        table.forest id=(test_anchor(&first.audit, test)) {
            (caption(view, first, scale, method, bears_on_the_same))
            (head(points.iter().any(|point| point.value.is_some()).then_some(&axis), scale, view))
            @for (attribute, rows) in runs(run, |result| result.attribute.as_str()) {
                tbody {
                    (rowgroup(audit, attribute, rows.iter().find_map(|(_, result)| result.reference.as_deref())))
                    @for (at, result) in rows {
                        (row(view, &axis, (at, result), &point(result), Others { method, bears_on_the_same }))
                    }
                }
            }
        }
    }
}

fn caption(
    view: &ReviewView,
    first: &ResultView,
    scale: Scale,
    method: &str,
    bears_on_the_same: bool,
) -> Markup {
    html! {
        caption {
            h4 { (words::metric(first.metric)) }
            @if !first.what.is_empty() { p { (first.what) } }
            p.note {
                "Test " (first.test) ". Limit: " strong { (limits(scale, first.limit_low.as_deref(), first.limit_high.as_deref())) }
                " (" (first.limit_source) @if !first.limit_cite.is_empty() { ": " (first.limit_cite) } ")."
                @if method != "none" { " Method: " (method) "." }
                @if !first.is_required { " Not asked for by the policy." }
            }
            @if bears_on_the_same && !first.requirements.is_empty() {
                p.note { "Evidence for: " (links(view, &first.requirements)) }
            }
        }
    }
}

/// Links to requirements, each with its status.
pub(super) fn links(view: &ReviewView, ids: &[String]) -> Markup {
    let known = |id: &String| {
        view.requirements
            .iter()
            .find(|requirement| requirement.id == *id)
    };
    html! {
        @for (at, id) in ids.iter().enumerate() {
            @if at > 0 { ", " }
            @if let Some(requirement) = known(id) { (link(requirement)) } @else { (id) }
        }
    }
}

fn link(requirement: &RequirementView) -> Markup {
    html! {
        a href={ "#" (anchor("req", &requirement.id)) } { (requirement.id) }
        " (" (words::status(requirement.status)) ")"
    }
}

/// The column heads; the scale only where something is drawn on it.
fn head(axis: Option<&Axis>, scale: Scale, view: &ReviewView) -> Markup {
    html! {
        thead {
            tr {
                th scope="col" { "Group" }
                th.num scope="col" { "n" }
                th.plot scope="col" { @if let Some(axis) = axis { (axis.head(&format!("Scale: {}", scale.column().to_lowercase()))) } }
                th.num scope="col" { (scale.column()) " [" (view.confidence) "]" }
                th.num scope="col" { "p, Holm" }
                th scope="col" { "Result" }
            }
        }
    }
}

/// The line above the rows of one attribute: it names the reference, and how it fared itself.
fn rowgroup(audit: Option<&AuditView>, attribute: &str, reference: Option<&str>) -> Markup {
    let known = |name: &str| {
        let mut groups = audit.into_iter().flat_map(|audit| &audit.groups);
        groups.find(|group| group.attribute == attribute && group.group == name)
    };
    html! {
        @if !attribute.is_empty() {
            tr.by {
                th colspan="6" scope="rowgroup" {
                    "By " (words::attribute(attribute))
                    span.quiet {
                        @match reference {
                            Some(name) => {
                                ", against " strong { (words::group(attribute, name)) }
                                @if let Some(group) = known(name) { " (n " (count(group.n)) ")" }
                            }
                            None => ", without a reference: nothing to compare with"
                        }
                    }
                }
            }
        }
    }
}

/// What the caption has said already.
#[derive(Clone, Copy)]
struct Others<'a> {
    method: &'a str,
    bears_on_the_same: bool,
}

fn row(
    view: &ReviewView,
    axis: &Axis,
    (at, result): Placed<'_>,
    point: &Point,
    said: Others<'_>,
) -> Markup {
    let scale = Scale::of(result.metric);
    let mark = Mark::of(result);
    let name = match (result.group.as_str(), mark) {
        ("", Mark::NotMeasured) => "Not measured".to_owned(),
        ("", _) => "All rows".to_owned(),
        (group, _) => words::group(&result.attribute, group),
    };
    html! {
        tr id=(result_anchor(at)) {
            th.group scope="row" { (name) }
            td.num.n data-label="n" { (count(result.n)) }
            td.plot { @if mark != Mark::NotMeasured { (axis.strip(&name, point)) } }
            td.num.figure {
                (figure(scale, result.value, result.interval))
                @if result.method != said.method && result.method != "none" { span.small-print { (result.method) } }
            }
            td.num.p data-label="p" { (p_value(result.p_holm)) }
            td.outcome {
                (mark.label())
                @if result.is_what_if { span.small-print { "no evidence: no lawful basis named" } }
                @if !said.bears_on_the_same && !result.requirements.is_empty() {
                    span.small-print { "for " (links(view, &result.requirements)) }
                }
            }
        }
    }
}

/// The figures behind the plots: every group's favourable rate.
fn rates(view: &ReviewView, audit: &AuditView) -> Markup {
    let shape = |group: &GroupView| match (group.is_reference, group.is_judged) {
        (true, _) => Shape::Reference,
        (false, true) => Shape::Plain,
        (false, false) => Shape::Mark(Mark::Small),
    };
    let axis = Axis::new(Scale::Rate, &[], Limits::default());
    let mut attributes: Vec<&str> = Vec::new();
    for group in &audit.groups {
        if !attributes.contains(&group.attribute.as_str()) {
            attributes.push(&group.attribute);
        }
    }
    html! {
        @if !audit.groups.is_empty() {
            table.forest.rates id=(anchor("rates", &audit.name)) {
                caption {
                    h4 { "Favourable rate by group" }
                    p { "The figures behind the plots." }
                    p.note {
                        "Favourable: " (audit.favourable) ". Method: wilson/1. Diamond: the reference. Hollow: fewer than "
                        (count(view.min_group)) " people, not judged."
                    }
                }
                thead {
                    tr {
                        th scope="col" { "Group" }
                        th.num scope="col" { "n" }
                        th.num scope="col" { "Favoured" }
                        th.plot scope="col" { (axis.head("Scale: per cent")) }
                        th.num scope="col" { "Per cent [" (view.confidence) "]" }
                    }
                }
                @for attribute in attributes {
                    tbody {
                        tr.by { th colspan="5" scope="rowgroup" { "By " (words::attribute(attribute)) } }
                        @for group in audit.groups.iter().filter(|group| group.attribute == attribute) {
                            @let point = Point { value: group.rate, interval: group.interval, shape: shape(group) };
                            tr {
                                th.group scope="row" {
                                    (words::group(attribute, &group.group))
                                    @if group.is_reference { " " span.small-print { "reference" } }
                                    @if !group.is_judged { " " span.small-print { "too small to judge" } }
                                }
                                td.num.n data-label="n" { (count(group.n)) }
                                td.num.k data-label="favoured" { (count(group.k)) }
                                td.plot { (axis.strip(&words::group(attribute, &group.group), &point)) }
                                td.num.figure { (figure(Scale::Rate, group.rate, group.interval)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A result in a sentence, as a link to its row: sign, place, value and interval.
pub(super) fn cross_link((at, result): Placed<'_>) -> Markup {
    let place = if result.attribute.is_empty() {
        "all rows".to_owned()
    } else {
        words::attribute(&result.attribute)
    };
    let mark = Mark::of(result);
    html! {
        (words::sign(mark.class(), mark.sign(), &place)) " "
        a href={ "#" (result_anchor(at)) } {
            @if mark == Mark::NotMeasured { "not measured" } @else {
                @if !result.group.is_empty() { (words::group(&result.attribute, &result.group)) " " }
                (said(Scale::of(result.metric), result.value, result.interval))
            }
        }
        @if mark == Mark::Small { " too small" } @else if mark != Mark::NotMeasured { " " (mark.word()) }
        @if result.is_what_if { " (no evidence: no lawful basis named)" }
    }
}
