//! Adverse impact by job and stage: the bottom line of each job first.

use alnager_audit::profile::eeoc::{Job, JobGroup, JobTable, Versus, n_family, pending_words};
use maud::{Markup, html};

use super::parts::{number, p};
use crate::audit::view::FairnessView;
use crate::html::words::{self, count, several, sign, undefined};

/// The part of every job.
pub(super) fn jobs(view: &FairnessView, jobs: &[Job]) -> Markup {
    let n = n_family(jobs);
    html! {
        p.note {
            "Rate over the rate of the highest group; four fifths is decided in integers and is a yardstick of the guidelines, not a law (29 CFR 1607.4(D)). "
            "p: Fisher's exact test, two-sided; corrected by Holm for all " (several(n, "comparison", "comparisons")) " shown here. SD: standard deviations from what chance would give "
            "(hypergeometric). Shortfall: people more who would have been let through at the reference's rate. Flip-one: would one person more of the group and one fewer of the "
            "reference make the group's rate the higher one? (44 FR 11996)"
        }
        p.note {
            "The bottom line is the whole process: let through by the last stage, of all who applied. A good bottom line need not end the matter, so every stage is here. "
            "The parts after this one are of the bottom line of all jobs together; Within strata compares people who applied for the same job."
        }
        @for (at, job) in jobs.iter().enumerate() { (one(view, job, at, jobs.len() > 1)) }
        h3 { "Asked, never computed" }
        ul {
            li { "Whether the pool of applicants was typical, or shaped by special recruiting, and whether anybody was discouraged from applying." }
            li { "Where numbers are small: whether evidence over a longer time, or of the same procedure elsewhere, can be looked at." }
            li { "Whether the procedure is valid and needed for the job, and which alternatives there were." }
        }
    }
}

fn one(view: &FairnessView, job: &Job, at: usize, is_one_of_many: bool) -> Markup {
    let name = match &job.name {
        Some(name) => name.as_str(),
        None if is_one_of_many => "Unknown job",
        None => "All applicants",
    };
    let (whole, stages): (Vec<&JobTable>, Vec<&JobTable>) =
        job.tables.iter().partition(|table| table.is_bottom_line);
    let is_below = whole
        .iter()
        .flat_map(|table| &table.groups)
        .filter_map(|group| group.versus)
        .any(|versus| versus.is_below_four_fifths == Some(true));
    html! {
        div.job id={ "job-" (at) } {
            h3 { (name) span.quiet { ", " (count(job.n)) " applied" } }
            @for pending in &job.pending { p.note { (pending_words(pending.n, &pending.passed, &pending.stage)) "." } }
            @for table in whole { (stage(view, table)) }
            @if !stages.is_empty() {
                details open[is_below] {
                    summary { "Each stage of " (name) @if is_below { ", for the bottom line is below four fifths" } }
                    @for table in stages { (stage(view, table)) }
                }
            }
        }
    }
}

fn stage(view: &FairnessView, table: &JobTable) -> Markup {
    html! {
        table.stacks.figures-table {
            caption {
                h4 {
                    @if table.is_bottom_line { "Bottom line" } @else { "Stage " (table.stage) }
                    ", by " (words::attribute(&table.grouping))
                }
                p.note {
                    @match &table.reference {
                        Some(reference) => { "Reference: " strong { (words::group(&table.grouping, reference)) } ", the highest rate." }
                        None => "Nobody is here.",
                    }
                    @if let Some(higher) = &table.higher_but_small { " " (words::group(&table.grouping, higher)) " has a higher rate and is too small to be the reference." }
                    @if table.n_unknown > 0 { " " (count(table.n_unknown)) " people of unknown group." }
                }
            }
            thead {
                tr {
                    th scope="col" { "Group" }
                    th.num scope="col" { @if table.is_bottom_line { "Applied" } @else { "Reached it" } }
                    @for name in ["Share", "Let through", "Rate", "Impact ratio"] { th.num scope="col" { (name) } }
                    th scope="col" { "Four fifths" }
                    @for name in ["SD", "p", "p, corrected", "Shortfall", "to four fifths"] { th.num scope="col" { (name) } }
                    th scope="col" { "Flip-one" }
                }
            }
            tbody { @for group in &table.groups { (row(view, &table.grouping, group)) } }
        }
    }
}

fn row(view: &FairnessView, grouping: &str, group: &JobGroup) -> Markup {
    let rate = |value: Option<f64>| html! { @match value { Some(value) => { (format!("{:.1} %", value * 100.0)) } None => (undefined()) } };
    html! {
        tr {
            th scope="row" { (words::group(grouping, &group.name)) }
            td.num data-label="People" { (count(group.share.n())) }
            td.num data-label="Share" { (rate(group.of_all.value())) }
            td.num data-label="Let through" { (count(group.share.k())) }
            td.num data-label="Rate" { (rate(group.share.value())) }
            @match &group.versus {
                Some(versus) => { (compared(view, versus)) }
                None => { td.num data-label="Impact ratio" { "1" } td { "reference" } td {} td {} td {} td {} td {} td {} }
            }
        }
    }
}

fn compared(view: &FairnessView, versus: &Versus) -> Markup {
    let people = |value: Option<f64>| html! { @match value { Some(value) => { (format!("{value:.1}").replace('-', "−")) } None => (undefined()) } };
    html! {
        td.num data-label="Impact ratio" { (number(versus.impact_ratio)) }
        td.wrap data-label="Four fifths" {
            @match versus.is_below_four_fifths {
                Some(true) => { (sign("bad", "✕", "below")) @if is_weak(view, versus) { span.small-print { "not significant: small numbers may be all there is to it" } } }
                Some(false) => { (sign("good", "✓", "not below")) @if is_significant(view, versus) { span.small-print { "significant nonetheless" } } }
                None => (undefined()),
            }
        }
        td.num data-label="SD" { (format_sd(versus.sd_units)) }
        td.num data-label="p" { (p(versus.p, versus.log10_p)) }
        td.num data-label="p, corrected" { (p(versus.p_adjusted, None)) }
        td.num data-label="Shortfall" { (people(versus.shortfall)) }
        td.num data-label="To four fifths" { (people(versus.shortfall_at_80)) }
        td data-label="Flip-one" {
            @match versus.flips_with_one { Some(true) => "yes, higher", Some(false) => "no", None => (undefined()) }
        }
    }
}

fn is_significant(view: &FairnessView, versus: &Versus) -> bool {
    versus.p.is_some_and(|p| p <= 1.0 - view.confidence)
}

fn is_weak(view: &FairnessView, versus: &Versus) -> bool {
    versus.p.is_some_and(|p| p > 1.0 - view.confidence)
}

fn format_sd(value: Option<f64>) -> Markup {
    html! { @match value { Some(value) => { (format!("{value:+.2}").replace('-', "−")) } None => (undefined()) } }
}
