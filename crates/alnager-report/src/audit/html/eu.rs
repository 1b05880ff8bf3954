//! The EU AI Act: on which ground people were counted, who is in the data, and what is missing.

use maud::{Markup, html};

use crate::audit::profile::EuView;
use crate::audit::view::{FairnessView, GroupingView};
use crate::html::words::{self, Scale, count, undefined};

/// Ground, representativeness, gaps.
pub(super) fn part(view: &FairnessView, part: &EuView) -> Markup {
    html! {
        h3 { "Ground" }
        p {
            "Counted by: " (part.attributes.join(", ")) ". "
            @match &part.lawful_basis {
                Some(basis) => { "Stated ground: " strong { (basis) } "." }
                None => { strong { "No ground was stated." } " Where one of these is a special category of personal data, people may be counted by it only on a ground of AI Act Article 4a and GDPR Article 9(2): state it." }
            }
        }
        h3 { "Who is in the data" }
        p.note {
            "Shares of the rows whose group is known. Whether they are representative of the people concerned (Article 10(3)) is held against a population that these data do not contain."
        }
        table.stacks.figures-table.narrow {
            thead { tr { th scope="col" { "Group" } @for name in ["n", "Share of known"] { th.num scope="col" { (name) } } } }
            @for grouping in &view.groupings { (shares(grouping)) }
        }
        h3 { "What is missing" }
        (missing(view))
        h3 { "What the Act asks to be declared" }
        p {
            "Accuracy and its metrics are declared in the instructions for use (Article 15(3)): the line All rows of the errors below is that declaration, the lines by group say for whom it does not hold. "
            "The Act names no measure and no number; an appropriate level is for the provider to state."
        }
    }
}

fn shares(grouping: &GroupingView) -> Markup {
    let n_known: u64 = grouping.groups.iter().map(|group| group.n).sum();
    html! {
        tbody {
            tr.by { th colspan="3" scope="rowgroup" { "By " (words::attribute(&grouping.name)) } }
            @for group in &grouping.groups {
                tr {
                    th scope="row" { (words::group(&grouping.name, &group.name)) }
                    td.num data-label="n" { (count(group.n)) }
                    td.num data-label="Share" {
                        @if n_known > 0 { (Scale::Rate.said(group.n as f64 / n_known as f64)) } @else { (undefined()) }
                    }
                }
            }
            @if grouping.n_unknown > 0 {
                tr { th scope="row" { "unknown" } td.num data-label="n" { (count(grouping.n_unknown)) } td.num data-label="Share" { "in no share" } }
            }
        }
    }
}

/// What unknown groups could change.
fn missing(view: &FairnessView) -> Markup {
    let bounded: Vec<_> = view
        .findings
        .iter()
        .filter(|finding| finding.bounds.is_some())
        .collect();
    let n_unknown: u64 = view
        .groupings
        .iter()
        .map(|grouping| grouping.n_unknown)
        .sum();
    html! {
        @if n_unknown == 0 { p { "Every row has a known group." } }
        @else if bounded.is_empty() { p { "Rows of unknown group are counted above; no impact ratio is bounded." } }
        @else {
            p { "Were the unknown groups known, these impact ratios could lie anywhere between:" }
            ul {
                @for finding in bounded {
                    @if let Some((low, high)) = finding.bounds {
                        li {
                            (words::attribute(&finding.grouping)) ", " (words::group(&finding.grouping, &finding.group)) ": "
                            (Scale::Ratio.number(low)) " and " (Scale::Ratio.number(high))
                        }
                    }
                }
            }
        }
        @if view.data.n_rows > view.data.n_counted() {
            p { (count(view.data.n_rows - view.data.n_counted())) " rows were left out by the condition on rows." }
        }
    }
}
