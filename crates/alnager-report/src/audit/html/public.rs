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
    let tables: Vec<Counts<'_>> = view
        .groupings
        .iter()
        .map(|grouping| Counts {
            columns: &grouping.name,
            rows: grouping
                .groups
                .iter()
                .map(|group| (group.name.as_str(), group.k, group.n))
                .collect(),
        })
        .collect();
    let hidden = hidden(&tables, small);
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
            @for (grouping, hidden) in view.groupings.iter().zip(&hidden) { (table(grouping, small, hidden)) }
        }
        section.part #read aria-labelledby="read-title" {
            h2 #read-title { "How it was read" }
            ul { @for line in &view.reading { li { (words::prose(line)) } } }
        }
    };
    document(title, body)
}

fn table(grouping: &GroupingView, small: u64, hidden: &[bool]) -> Markup {
    let reference = grouping
        .groups
        .iter()
        .zip(hidden)
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
                @for (group, hidden) in grouping.groups.iter().zip(hidden) { (row(grouping, group, reference, Some(small).filter(|_| *hidden))) }
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

/// The counts of one table: its columns joined by `*`, and of each row its values joined by `|`, those chosen, and all.
pub(super) struct Counts<'v> {
    pub(super) columns: &'v str,
    pub(super) rows: Vec<(&'v str, u64, u64)>,
}

/// Which rows of each table are kept back: those with a count from 1 to `small - 1`, of chosen or of others, and as many more as it
/// takes that none follows from a total, from the other rows of a table, or from a table that crosses it with another column.
pub(super) fn hidden(tables: &[Counts<'_>], small: u64) -> Vec<Vec<bool>> {
    let is_kept =
        |(_, k, n): &(&str, u64, u64)| [*k, *n, n - k].into_iter().any(|n| is_small(n, small));
    let mut hidden: Vec<Vec<bool>> = tables
        .iter()
        .map(|table| table.rows.iter().map(is_kept).collect())
        .collect();
    // Each round hides at least one row more, or is the last.
    loop {
        let before = hidden.clone();
        for (at, table) in tables.iter().enumerate() {
            let all: Vec<usize> = (0..table.rows.len()).collect();
            not_alone(table, &all, &mut hidden[at]);
            for (place, column) in table.columns.split('*').enumerate() {
                let Some(margin) = tables.iter().position(|other| other.columns == column) else {
                    continue;
                };
                if margin == at {
                    continue;
                }
                for (row, (value, _, _)) in tables[margin].rows.iter().enumerate() {
                    let line: Vec<usize> = (0..table.rows.len())
                        .filter(|cell| table.rows[*cell].0.split('|').nth(place) == Some(value))
                        .collect();
                    if hidden[margin][row] {
                        line.iter().for_each(|cell| hidden[at][*cell] = true);
                    }
                    not_alone(table, &line, &mut hidden[at]);
                }
            }
        }
        if hidden == before {
            return hidden;
        }
    }
}

/// A single hidden row of a line follows from the rest of it: the smallest of those is hidden too.
fn not_alone(table: &Counts<'_>, line: &[usize], hidden: &mut [bool]) {
    if line.iter().filter(|row| hidden[**row]).count() != 1 {
        return;
    }
    let rest = line
        .iter()
        .filter(|row| !hidden[**row] && table.rows[**row].2 > 0);
    if let Some(row) = rest.min_by_key(|row| table.rows[**row].2).copied() {
        hidden[row] = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hidden_row_follows_from_the_others() {
        let tables = [
            Counts {
                columns: "race",
                rows: vec![("A", 50, 100), ("B", 20, 40), ("C", 2, 10)],
            },
            Counts {
                columns: "sex",
                rows: vec![("F", 36, 75), ("M", 36, 75)],
            },
            Counts {
                columns: "race*sex",
                rows: vec![
                    ("A|F", 25, 50),
                    ("A|M", 25, 50),
                    ("B|F", 10, 20),
                    ("B|M", 10, 20),
                    ("C|F", 1, 5),
                    ("C|M", 1, 5),
                ],
            },
        ];
        let hidden = hidden(&tables, 5);
        assert_eq!(hidden[0], [false, true, true]);
        assert_eq!(hidden[1], [false, false]);
        assert_eq!(hidden[2], [false, false, true, true, true, true]);
    }

    #[test]
    fn nothing_small_hides_nothing() {
        let tables = [Counts {
            columns: "sex",
            rows: vec![("F", 10, 20), ("M", 0, 20)],
        }];
        assert_eq!(super::hidden(&tables, 5), [[false, false]]);
    }
}
