//! The right column: the legal brief, each requirement beside the figures that bear on it.

use alnager_office::gate::{Gate, Status};
use maud::{Markup, html};

use super::measures::{Placed, cross_link, runs, worst};
use super::words::{self, anchor, prose, several};
use crate::view::{RequirementView, ReviewView};

/// Where a requirement stands in the brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Open, or resting on figures: shown in full.
    Shown,
    /// Met on documents alone: folded.
    Met,
    /// From a later day, or waiting for its trigger: folded by date.
    Later,
    /// Ended, or shown but never blocking: folded.
    Aside,
}

fn place(requirement: &RequirementView) -> Place {
    match requirement.status {
        Status::Gap | Status::Unknown => Place::Shown,
        Status::Met if requirement.results.is_empty() => Place::Met,
        Status::Met => Place::Shown,
        Status::Ahead | Status::Waiting => Place::Later,
        Status::Ended | Status::NotApplicable | Status::Noted => Place::Aside,
    }
}

/// What needs an eye first.
fn rank(status: Status) -> u8 {
    match status {
        Status::Gap => 0,
        Status::Unknown => 1,
        Status::Met => 2,
        Status::Ahead => 3,
        Status::Waiting => 4,
        Status::Noted => 5,
        Status::Ended => 6,
        Status::NotApplicable => 7,
    }
}

/// The whole column.
pub(super) fn column(view: &ReviewView) -> Markup {
    let at = |wanted: Place| {
        view.requirements
            .iter()
            .filter(move |requirement| place(requirement) == wanted)
    };
    let mut on_figures: Vec<&RequirementView> = at(Place::Shown)
        .filter(|requirement| !requirement.results.is_empty())
        .collect();
    // Packs stay in their order: the sort is stable and looks at the status alone within a pack.
    let packs = packs(view);
    let pack_rank =
        |requirement: &RequirementView| packs.iter().position(|(id, _)| *id == requirement.pack);
    on_figures.sort_by_key(|requirement| (pack_rank(requirement), rank(requirement.status)));
    html! {
        section.brief #brief aria-labelledby="brief-title" {
            h2 #brief-title { "The legal brief" }
            div.entries {
                @if view.gate == Gate::Tests {
                    p.note { "This gate judges the measurements alone: the requirements are shown, and do not count." }
                }
                @if view.requirements.is_empty() {
                    p { "No requirement of the packs in use concerns this system on the declared facts." }
                }
                @if !on_figures.is_empty() {
                    h3 { "Resting on the figures" }
                    @for requirement in &on_figures { (full(view, requirement)) }
                }
                @for (pack, title) in &packs { (pack_part(view, pack, title)) }
                (later(view))
            }
        }
    }
}

/// The packs that have requirements here: id and title, in order.
fn packs(view: &ReviewView) -> Vec<(&str, &str)> {
    let mut packs: Vec<(&str, &str)> = Vec::new();
    for requirement in &view.requirements {
        if packs.iter().all(|(id, _)| *id != requirement.pack) {
            packs.push((&requirement.pack, &requirement.pack_title));
        }
    }
    packs
}

fn pack_part(view: &ReviewView, pack: &str, title: &str) -> Markup {
    let own = |wanted: Place| {
        let mut own: Vec<&RequirementView> = view
            .requirements
            .iter()
            .filter(|requirement| requirement.pack == pack && place(requirement) == wanted)
            .collect();
        own.sort_by_key(|requirement| rank(requirement.status));
        own
    };
    let shown: Vec<&RequirementView> = own(Place::Shown)
        .into_iter()
        .filter(|requirement| requirement.results.is_empty())
        .collect();
    let (met, aside) = (own(Place::Met), own(Place::Aside));
    html! {
        @if !shown.is_empty() || !met.is_empty() || !aside.is_empty() {
            h3 { (title) }
            @for requirement in &shown { (full(view, requirement)) }
            (folded(view, &met, html! { (words::status(Status::Met)) ": " (several(met.len(), "requirement", "requirements")) }))
            (folded(view, &aside, html! { "noted or ended, never blocking: " (several(aside.len(), "requirement", "requirements")) }))
        }
    }
}

fn folded(view: &ReviewView, requirements: &[&RequirementView], summary: Markup) -> Markup {
    html! {
        @if !requirements.is_empty() {
            details {
                summary { (summary) }
                @for requirement in requirements { (full(view, requirement)) }
            }
        }
    }
}

/// What begins later, by date.
fn later(view: &ReviewView) -> Markup {
    let mut later: Vec<&RequirementView> = view
        .requirements
        .iter()
        .filter(|requirement| place(requirement) == Place::Later)
        .collect();
    // Undated last: `None` is not the earliest day.
    let day = |requirement: &RequirementView| {
        (
            requirement.from.is_none(),
            requirement.from.clone(),
            rank(requirement.status),
        )
    };
    later.sort_by_key(|requirement| day(requirement));
    let mut days: Vec<Vec<&RequirementView>> = Vec::new();
    for requirement in later {
        match days.last_mut() {
            Some(known) if day(known[0]) == day(requirement) => known.push(requirement),
            Some(_) | None => days.push(vec![requirement]),
        }
    }
    html! {
        @if !days.is_empty() {
            h3 { "Ahead and waiting" }
            p.note { "Not in force on the day judged: these cannot block, and are counted." }
            @for group in &days {
                (folded(view, group, html! {
                    (words::status(group[0].status)) " "
                    @match &group[0].from { Some(from) => { "from " time { (from) } } None => "without a date yet" }
                    ": " (several(group.len(), "requirement", "requirements"))
                }))
            }
        }
    }
}

fn full(view: &ReviewView, requirement: &RequirementView) -> Markup {
    html! {
        article.requirement id=(anchor("req", &requirement.id)) {
            h4 { (words::status(requirement.status)) " " span.id { (requirement.id) } }
            p.what { (prose(&requirement.what)) }
            p.note {
                (requirement.cite)
                @if let Some(from) = &requirement.from { " · from " time { (from) } }
                " · " (requirement.phase.replace('_', " "))
                @if requirement.is_voluntary { " · voluntary" }
            }
            @if !requirement.preview.is_empty() {
                p.preview { strong { "Preview" } ", not confirmed: " (requirement.preview.join("; ")) }
            }
            dl {
                @if !requirement.why.is_empty() { dt { "Why" } dd { (prose(&requirement.why)) } }
                (figures(view, requirement))
                @if !requirement.next.is_empty() { dt { "Next" } dd { (prose(&requirement.next)) } }
                // What to do is not said twice.
                @for remark in requirement.remarks.iter().filter(|remark| !requirement.next.contains(&remark.text)) { dt { (remark.label) } dd { (prose(&remark.text)) } }
                dt { "Owner" } dd { (requirement.owner) }
                @if let Some((max, cite)) = &requirement.penalty { dt { "Penalty" } dd { (max) " (" (cite) ")" } }
            }
        }
    }
}

/// The figures that bear on a requirement: per test, the worst judged group of each attribute.
fn figures(view: &ReviewView, requirement: &RequirementView) -> Markup {
    let bearing: Vec<Placed<'_>> = requirement
        .results
        .iter()
        .filter_map(|at| Some((*at, view.results.get(*at)?)))
        .collect();
    html! {
        @if !bearing.is_empty() {
            dt { "Figures" }
            dd {
                ul.figures {
                    @for ((audit, test), run) in runs(&bearing, |result| (result.audit.as_str(), result.test.as_str())) {
                        li {
                            (run.first().map_or(test.to_owned(), |(_, first)| words::metric(first.metric)))
                            @if view.audits.len() > 1 { " (" (audit) ")" }
                            ul {
                                @for (_, rows) in runs(&run, |result| result.attribute.as_str()) {
                                    @if let Some(result) = worst(&rows) { li { (cross_link(result)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
