//! A page for the public: counts, rates and ratios by group, small counts kept back.

use maud::{Markup, html};

use super::{document, title};
use crate::audit::profile::ProfileView;
use crate::audit::view::{FairnessView, GroupRow, GroupingView};
use crate::html::words::{self, Scale, count, undefined};

/// The whole page.
pub(super) fn page(view: &FairnessView, profile: &ProfileView) -> String {
    let title = title(profile);
    let small = profile.small_cell;
    let body = html! {
        header.top.plain-top {
            h1 { (title) }
            p.lead { (count(view.data.n_counted())) " people or cases, by group." }
        }
        section.part #groups aria-labelledby="groups-title" {
            h2 #groups-title { "Groups" }
            p.note {
                "Groups with a count from 1 to " (small.saturating_sub(1)) " are not shown, for privacy, nor is one more where a single one could be "
                "computed from the others. The ratio is the favourable rate of the group over that of the reference."
            }
            @for grouping in &view.groupings { (table(grouping, small)) }
        }
        section.part #read aria-labelledby="read-title" {
            h2 #read-title { "How it was read" }
            ul { @for line in &view.reading { li { (words::prose(line)) } } }
        }
    };
    document(title, body)
}

fn table(grouping: &GroupingView, small: u64) -> Markup {
    let counts: Vec<(u64, u64)> = grouping
        .groups
        .iter()
        .map(|group| (group.k, group.n))
        .collect();
    let hidden = hidden(&counts, small);
    let reference = grouping
        .groups
        .iter()
        .zip(&hidden)
        .find(|(group, hidden)| grouping.reference.as_ref() == Some(&group.name) && !**hidden)
        .map(|(group, _)| group);
    html! {
        table.stacks.published {
            caption {
                h3 { "By " (words::attribute(&grouping.name)) }
                p.note {
                    @if let Some(reference) = reference { "Reference: " (words::group(&grouping.name, &reference.name)) ". " }
                    (shown_count(grouping.n_unknown, Some(small).filter(|small| is_small(grouping.n_unknown, *small)))) " of unknown group."
                }
            }
            thead { tr { th scope="col" { "Group" } @for name in ["n", "Favoured", "Rate", "Ratio"] { th.num scope="col" { (name) } } } }
            tbody {
                @for (group, hidden) in grouping.groups.iter().zip(hidden) { (row(grouping, group, reference, Some(small).filter(|_| hidden))) }
            }
        }
    }
}

fn row(
    grouping: &GroupingView,
    group: &GroupRow,
    reference: Option<&GroupRow>,
    small: Option<u64>,
) -> Markup {
    let ratio = group
        .rate
        .zip(reference.and_then(|reference| reference.rate))
        .filter(|(_, theirs)| *theirs > 0.0)
        .map(|(ours, theirs)| ours / theirs);
    let shown = |scale: Scale, value: Option<f64>| {
        html! { @match (value, small) { (_, Some(_)) => "not shown", (Some(value), None) => { (scale.said(value)) } (None, None) => (undefined()) } }
    };
    html! {
        tr {
            th scope="row" { (words::group(&grouping.name, &group.name)) }
            td.num data-label="n" { (shown_count(group.n, small)) }
            td.num data-label="Favoured" { (shown_count(group.k, small)) }
            td.num data-label="Rate" { (shown(Scale::Rate, group.rate)) }
            td.num data-label="Ratio" { (shown(Scale::Ratio, ratio)) }
        }
    }
}

fn is_small(n: u64, small: u64) -> bool {
    (1..small).contains(&n)
}

/// A count, or words where it is kept back.
pub(super) fn shown_count(n: u64, small: Option<u64>) -> Markup {
    html! {
        @match small {
            None => { (count(n)) }
            Some(small) if is_small(n, small) => { "fewer than " (small) }
            Some(_) => "not shown",
        }
    }
}

/// Which rows are kept back: those with a count from 1 to `small - 1`, of chosen or of others; and where that is a single one, the
/// smallest of the rest too, so that it does not follow from a total.
pub(super) fn hidden(counts: &[(u64, u64)], small: u64) -> Vec<bool> {
    let mut hidden: Vec<bool> = counts
        .iter()
        .map(|(k, n)| [*k, *n, n - k].into_iter().any(|n| is_small(n, small)))
        .collect();
    if hidden.iter().filter(|hidden| **hidden).count() == 1 {
        let rest = (0..counts.len()).filter(|at| !hidden[*at] && counts[*at].1 > 0);
        if let Some(at) = rest.min_by_key(|at| counts[*at].1) {
            hidden[at] = true;
        }
    }
    hidden
}
