//! The crude comparison beside the one within strata.

use maud::{Markup, html};

use super::parts::{number, p};
use crate::audit::view::{FairnessView, StratifiedRow};
use crate::html::words::{self, Scale, figure};

/// One table.
pub(super) fn part(view: &FairnessView) -> Markup {
    let by = view.stratified.first().map_or("", |row| row.by.as_str());
    html! {
        p.note {
            "Strata: " code { (by) } ". Crude: everybody together. Within: people are compared with those of their own stratum "
            "(Mantel-Haenszel; interval of Greenland and Robins). Same everywhere: Breslow and Day's test with Tarone's correction; a "
            "small p says that the gap differs between strata, so one figure does not tell it. Ratios are impact ratios."
        }
        table.stacks.figures-table {
            thead {
                tr {
                    th scope="col" { "Group" }
                    @for name in ["Strata", "Crude ratio", "p", "Ratio within", "p within (CMH)", "p, same everywhere"] { th.num scope="col" { (name) } }
                }
            }
            tbody { @for (at, row) in view.stratified.iter().enumerate() { (one(row, view.stratified.get(at.wrapping_sub(1)))) } }
        }
    }
}

fn one(row: &StratifiedRow, before: Option<&StratifiedRow>) -> Markup {
    html! {
        @if before.is_none_or(|before| before.grouping != row.grouping) {
            tr.by { th colspan="7" scope="rowgroup" { "By " (words::attribute(&row.grouping)) } }
        }
        tr {
            th scope="row" { (words::group(&row.grouping, &row.group)) }
            td.num data-label="Strata" { (row.n_strata) }
            td.num data-label="Crude ratio" { (number(row.crude_ratio)) }
            td.num data-label="p" { (p(row.crude_p, None)) }
            td.num data-label="Ratio within" { (figure(Scale::Ratio, row.risk_ratio, row.risk_ratio_interval)) }
            td.num data-label="p within" { (p(row.cmh_p, None)) }
            td.num data-label="p, same everywhere" { (p(row.homogeneity_p, None)) }
        }
    }
}
