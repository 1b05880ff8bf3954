//! New York City's Local Law 144: the summary for the public, and what heads the private annex.
//!
//! No ratio here passes or fails, meets or breaches: the law sets no pass mark.

use alnager_audit::profile::ll144::{Basis, Row, Table, TableKind};
use maud::{Markup, html};

use super::document;
use super::public::{Counts, hidden, shown_count};
use crate::audit::profile::{SELF_TEST, SignedBy, SummaryView, Theories};
use crate::audit::view::FairnessView;
use crate::html::words::{count, undefined};

/// What stands on every page: no bias audit, unless an independent auditor's signed one is sealed.
pub(super) fn banner(signed: Option<&SignedBy>) -> Markup {
    html! {
        div.banner role="note" {
            @match signed {
                None => p { strong { "This is a " (SELF_TEST) "." } " No audit signed by an independent auditor is sealed." },
                Some(signed) => p {
                    "Independent auditor: " strong { (signed.auditor) } ", signed on " time { (signed.signed_on) } ", sealed as entry " (signed.entry) "."
                },
            }
        }
    }
}

/// The page to be published.
pub(super) fn summary(view: &FairnessView, summary: &SummaryView, theories: &Theories) -> String {
    let title = match &summary.tool {
        Some(tool) => format!("Selection and impact ratios of {tool}"),
        None => "Selection and impact ratios of an automated employment decision tool".to_owned(),
    };
    let body = html! {
        (banner(summary.signed_by.as_ref()))
        header.top.plain-top {
            h1 { (title) }
            p.lead { "No ratio here meets or breaches Local Law 144: the law sets no pass mark." }
            div.facts { (facts(view, summary)) }
        }
        (tables(summary))
        section.part #meaning aria-labelledby="meaning-title" {
            h2 #meaning-title { "What the figures mean" }
            (meaning(summary))
            p.note { "Made on the data file with SHA-256 " span.hash { (view.data.sha256) } ". Judged on " time { (theories.judged_on) } "." }
        }
    };
    document(&title, body)
}

fn facts(view: &FairnessView, summary: &SummaryView) -> Markup {
    let stated = |value: &Option<String>| {
        html! { @match value { Some(value) => (value), None => strong { "not stated; the summary needs it" } } }
    };
    html! {
        dl {
            dt { "Tool" } dd { (stated(&summary.tool)) }
            dt { "Date of the audit" } dd { (stated(&summary.audit_date)) }
            dt { "Distribution date" } dd { (stated(&summary.distribution_date)) " (the first day the tool was used)" }
            dt { "Source and explanation of the data" } dd { (stated(&summary.source)) }
        }
        dl {
            dt { "People assessed" } dd { (count(summary.summary.n_people)) }
            dt { "In no intersectional ratio" }
            dd { (count(summary.summary.n_unknown)) " people, because sex or race/ethnicity is unknown" }
            @if view.data.n_rows > view.data.n_counted() {
                dt { "Left out of the data" } dd { (count(view.data.n_rows - view.data.n_counted())) " rows that a condition excluded" }
            }
        }
    }
}

fn tables(summary: &SummaryView) -> Markup {
    let counts: Vec<Counts<'_>> = summary
        .summary
        .tables
        .iter()
        .map(|table| Counts {
            columns: match table.kind {
                TableKind::Sex => "sex",
                TableKind::RaceEthnicity => "race",
                TableKind::Intersectional => "race*sex",
            },
            rows: table
                .rows
                .iter()
                .map(|row| (row.category.as_str(), row.share.k(), row.share.n()))
                .collect(),
        })
        .collect();
    // Without a smallest count nothing is kept back: no count lies from 1 to 0.
    let hidden = hidden(&counts, summary.small_cell.unwrap_or(0));
    html! {
        @for (table, hidden) in summary.summary.tables.iter().zip(&hidden) { (published(summary, table, hidden)) }
    }
}

fn heading(kind: TableKind) -> (&'static str, &'static str) {
    match kind {
        TableKind::Sex => ("sex", "By sex"),
        TableKind::RaceEthnicity => ("race", "By race/ethnicity"),
        TableKind::Intersectional => ("intersectional", "By race/ethnicity and sex"),
    }
}

fn published(summary: &SummaryView, table: &Table, hidden: &[bool]) -> Markup {
    let (id, title) = heading(table.kind);
    let (selected, rate) = match summary.summary.basis {
        Basis::Selection => ("Selected", "Selection rate"),
        Basis::Scoring { .. } => ("Above the median", "Scoring rate"),
    };
    // A ratio beside its rate would give away the highest rate.
    let is_highest_hidden = table
        .rows
        .iter()
        .zip(hidden)
        .any(|(row, hidden)| *hidden && row.highest == Some(row.share));
    html! {
        section.part id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            p.note { (count(table.n_unknown)) " people are in no category of this table." }
            table.stacks.published {
                thead {
                    tr {
                        th scope="col" { "Category" }
                        th.num scope="col" { "Applicants" }
                        th.num scope="col" { (selected) }
                        th.num scope="col" { (rate) }
                        th.num scope="col" { "Impact ratio" }
                    }
                }
                tbody {
                    @for (row, hidden) in table.rows.iter().zip(hidden) {
                        (category(row, [selected, rate], summary.small_cell.filter(|_| *hidden), is_highest_hidden))
                    }
                }
            }
            @if let Some(why) = summary.justification.as_ref().filter(|_| table.rows.iter().any(|row| row.is_excluded)) {
                p { strong { "Left out of the ratios: " } (why) }
            }
        }
    }
}

/// One category; `small` is set where its figures are not shown. No ratio is where the highest rate is not.
fn category(row: &Row, names: [&str; 2], small: Option<u64>, is_highest_hidden: bool) -> Markup {
    html! {
        tr {
            th scope="row" { (row.category.replace('|', ", ")) }
            td.num data-label="Applicants" { (shown_count(row.share.n(), small)) }
            td.num data-label=(names[0]) { (shown_count(row.share.k(), small)) }
            td.num data-label=(names[1]) {
                @match (row.rate_text(), small) { (_, Some(_)) => "not shown", (Some(rate), None) => { (rate) " %" } (None, None) => (undefined()) }
            }
            td.num data-label="Impact ratio" {
                @if row.is_excluded { "left out" }
                @else if is_highest_hidden { "not shown" }
                @else { @match (row.impact_ratio_text(), small) { (_, Some(_)) => "not shown", (Some(ratio), None) => (ratio), (None, None) => (undefined()) } }
            }
        }
    }
}

fn meaning(summary: &SummaryView) -> Markup {
    html! {
        @match summary.summary.basis {
            Basis::Selection => p { "Selection rate: those selected to move forward, or given a class, of those in the category." },
            Basis::Scoring { median } => p {
                "Scoring rate: the share of the category with a score above the median of the full sample, " (median)
                "; a score on the median is not above it. People of unknown category count in the median."
            },
        }
        p { "Impact ratio: the rate of the category over that of the category with the highest rate in the same table, from unrounded rates, to three decimals." }
        p { "— undefined: nobody is in the category, or nobody was chosen in any." }
        @match summary.small_cell {
            Some(small) => p { "Categories with a count from 1 to " (small - 1) " are not shown, for privacy, nor is one more where a single one could be computed from the others. "
                "The rule asks for these counts: which of the two gives way is for counsel." },
            None => p { "All counts are shown, as the rule asks, small ones too; small numbers vary by chance." },
        }
    }
}

/// What heads the annex: which questions the published tables leave open.
pub(super) fn annex(summary: &SummaryView) -> Markup {
    let unnamed = alnager_audit::profile::ll144::unnamed(&summary.summary);
    let small: Vec<&str> = summary
        .summary
        .tables
        .iter()
        .flat_map(|table| &table.rows)
        .filter(|row| row.is_small())
        .map(|row| row.category.as_str())
        .collect();
    html! {
        p { "This annex is private. It holds intervals and tests; none of them is asked for by Local Law 144, and four fifths is no limit of it." }
        ul {
            @if !small.is_empty() {
                li { "Under 2 % of the people whose category is known: " (small.join("; ").replace('|', ", ")) ". An independent auditor may leave such a category out of the ratios; the program never does by itself." }
            }
            @if !unnamed.is_empty() {
                li { "Categories that component 1 of the EEO-1 report does not name in these words: " (unnamed.join("; ")) ". The rule takes its categories from there." }
            }
            @for (what, value) in [("the tool", &summary.tool), ("the date of the audit", &summary.audit_date), ("the distribution date", &summary.distribution_date), ("source and explanation of the data", &summary.source)] {
                @if value.is_none() { li { "The summary does not state " (what) "." } }
            }
            li { "The summary is published before use, on the employment section of the website, and stays for six months after the last use; the audit is no older than a year when the tool is used." }
        }
        (tables_without_heading(summary))
    }
}

fn tables_without_heading(summary: &SummaryView) -> Markup {
    html! {
        table.stacks.figures-table {
            thead { tr { th scope="col" { "Category" } @for name in ["Applicants", "Chosen", "Rate", "Share of known", "Impact ratio"] { th.num scope="col" { (name) } } } }
            @for table in &summary.summary.tables {
                tbody {
                    tr.by { th colspan="6" scope="rowgroup" { (heading(table.kind).1) } }
                    @for row in &table.rows {
                        tr {
                            th scope="row" { (row.category.replace('|', ", ")) }
                            td.num data-label="Applicants" { (count(row.share.n())) }
                            td.num data-label="Chosen" { (count(row.share.k())) }
                            td.num data-label="Rate" { @match row.rate_text() { Some(rate) => { (rate) " %" } None => (undefined()) } }
                            td.num data-label="Share of known" { @match row.of_known.value() { Some(share) => { (format!("{:.1} %", share * 100.0)) } None => (undefined()) } }
                            td.num data-label="Impact ratio" {
                                @if row.is_excluded { "left out" } @else { @match row.impact_ratio_text() { Some(ratio) => (ratio), None => (undefined()) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
