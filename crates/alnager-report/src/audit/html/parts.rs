//! What every private page has: outcome, headline, cautions, how it was computed.

use alnager_audit::judge::Outcome;
use maud::{Markup, html};

use crate::audit::view::{FairnessView, FindingView};
use crate::html::words::{self, Mark, Scale, count, figure, prose};

/// A part of a page under its heading.
pub(super) fn part(id: &str, title: &str, body: &Markup) -> Markup {
    html! {
        section.part id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            (body)
        }
    }
}

/// The mark of a finding: fail only with the interval that holds for all comparisons at once.
pub(super) fn mark(finding: &FindingView) -> Mark {
    match (finding.practical, finding.practical_family) {
        (Outcome::NotMeasured, _) => Mark::NotMeasured,
        (Outcome::Pass | Outcome::Inconclusive | Outcome::Fail, _) if !finding.is_judged => {
            Mark::Small
        }
        (_, Outcome::Fail) => Mark::Fail,
        (Outcome::Pass, _) => Mark::Pass,
        (Outcome::Inconclusive | Outcome::Fail, _) => Mark::Inconclusive,
    }
}

fn outcome_mark(outcome: Outcome) -> Mark {
    match outcome {
        Outcome::Pass => Mark::Pass,
        Outcome::NotMeasured => Mark::NotMeasured,
        Outcome::Inconclusive => Mark::Inconclusive,
        Outcome::Fail => Mark::Fail,
    }
}

/// The outcome in a sentence.
fn lead(view: &FairnessView) -> &'static str {
    let compares_groups = view
        .findings
        .iter()
        .any(|finding| finding.is_judged && finding.reference.is_some());
    match view.outcome {
        Outcome::Pass if !compares_groups => {
            "No group is large enough to be compared, so nothing is said of fairness; what else was tested lies within its limits."
        }
        Outcome::Pass => "Every judged comparison lies wholly within the policy's limits.",
        Outcome::Fail => {
            "At least one comparison lies wholly beyond its limit, with an interval that holds for all comparisons at once."
        }
        Outcome::Inconclusive | Outcome::NotMeasured => {
            "These data do not settle every comparison. Inconclusive is not a pass."
        }
    }
}

/// The outcome first, then of what.
pub(super) fn top(view: &FairnessView, title: &str) -> Markup {
    let mark = outcome_mark(view.outcome);
    let data = &view.data;
    html! {
        header.top {
            h1 {
                span.verdict { (words::sign(mark.class(), mark.sign(), &words::capital(mark.word()))) }
                span.dates { span.unseen { ": " } (title) }
            }
            p.lead { (lead(view)) }
            div.facts {
                dl {
                    dt { "Data" } dd { strong { (data.name) } ", " (count(data.n_counted())) " rows counted"
                        @if data.n_rows > data.n_counted() { ", " (count(data.n_rows - data.n_counted())) " left out" } }
                    dt { "Policy" } dd { (view.policy) }
                    dt { "Confidence" } dd { (per_cent(view.confidence)) " for every interval; for all comparisons of a question at once where it says so" }
                }
                dl {
                    @for line in &view.reading {
                        @let (what, how) = line.split_once(": ").unwrap_or(("reading", line));
                        dt { (words::capital(what)) } dd { (prose(how)) }
                    }
                }
            }
        }
    }
}

/// The ratio that stands for the whole.
pub(super) fn headline(view: &FairnessView) -> Markup {
    let Some((headline, finding)) = view
        .headline
        .as_ref()
        .and_then(|headline| Some((headline, view.findings.get(headline.at)?)))
    else {
        return html! { p.note { "No headline: no group is large enough to be compared." } };
    };
    html! {
        div.headline {
            p.kicker { "Headline result" }
            p.figure { (figure(Scale::Ratio, finding.value, finding.interval)) " " (mark(finding).label()) }
            p {
                (words::metric(finding.metric)) " of " strong { (words::group(&finding.grouping, &finding.group)) } " (n " (count(finding.n.0)) ")"
                @if let Some(reference) = &finding.reference { " against " strong { (words::group(&finding.grouping, reference)) } " (n " (count(finding.n.1)) ")" }
                ", by " (words::attribute(&finding.grouping)) ". Limit: " (finding.limit) " (" (finding.limit_source) ")."
            }
            p.note {
                @if let Some(wide) = finding.simultaneous.filter(|_| finding.n_family > 1) {
                    "For all " (finding.n_family) " comparisons of the question at once: " (Scale::Ratio.bracket(wide)) ". "
                }
                @if let Some(wide) = headline.bootstrap {
                    "Smallest ratio with the reference chosen anew in each of " (count(view.method.n_replicates)) " replicates: " (Scale::Ratio.bracket(wide)) "."
                }
            }
        }
    }
}

/// What a reader must know first.
pub(super) fn cautions(view: &FairnessView) -> Markup {
    html! {
        @if view.cautions.is_empty() && view.warnings.is_empty() { p { "Nothing stood out." } }
        ul { @for caution in &view.cautions { li { (prose(caution)) } } }
        @if !view.warnings.is_empty() {
            h3 { "Look at the data" }
            ul { @for warning in &view.warnings { li { (prose(warning)) } } }
        }
    }
}

/// Settings, methods and data, so that another can do it again.
pub(super) fn computed(view: &FairnessView) -> Markup {
    let mut methods: Vec<&str> = view.findings.iter().map(|finding| finding.method).collect();
    methods.retain(|method| *method != "none");
    // The intervals of rates.
    methods.push("wilson/1");
    methods.sort_unstable();
    methods.dedup();
    let data = &view.data;
    html! {
        dl.settings {
            dt { "Policy" } dd { (view.policy) }
            dt { "Confidence" } dd { (per_cent(view.confidence)) }
            dt { "Smallest group" } dd { (count(view.min_group)) " rows; smaller ones are reported, not judged" }
            dt { "Correction" } dd { (words::capital(&view.method.correction.name().replace('_', " "))) ", over all groups and tests of one question" }
            dt { "Bootstrap" } dd { (count(view.method.n_replicates)) " replicates, seed " (view.method.seed) }
            @if let Some(power) = view.method.power {
                dt { "Power" } dd { (per_cent(power)) " for the smallest ratio that could have been found" }
            }
            dt { "Methods" }
            dd { ul { @for method in methods { li { (method) } } li { "Fisher's exact test, two-sided, for p" } } }
        }
        table.stacks {
            caption { h3 { "Data" } }
            thead { tr { th scope="col" { "File" } th.num scope="col" { "Rows" } th.num scope="col" { "Bytes" } th scope="col" { "SHA-256" } } }
            tbody {
                tr {
                    th scope="row" { (data.name) }
                    td.num data-label="Rows" { (count(data.n_rows)) }
                    td.num data-label="Bytes" { (count(data.n_bytes)) }
                    td.hash data-label="SHA-256" { (data.sha256) }
                }
                @for file in &data.files {
                    tr {
                        th scope="row" { (file.name) }
                        td.num {}
                        td.num data-label="Bytes" { (count(file.n_bytes)) }
                        td.hash data-label="SHA-256" { (file.sha256) }
                    }
                }
            }
        }
    }
}

/// A share in per cent without needless decimals.
pub(super) fn per_cent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// A p-value; by its logarithm where it underflows.
pub(super) fn p(p: Option<f64>, log10: Option<f64>) -> Markup {
    html! {
        @match (p, log10) {
            (None, _) => (words::undefined()),
            (Some(p), Some(log10)) if p < 1e-300 => { "10" sup { (format!("{log10:.1}").replace('-', "−")) } }
            (Some(p), _) if p < 0.0001 => { (format!("{p:.1e}").replace("e-", "e−")) }
            (Some(p), _) => { (format!("{p:.4}")) }
        }
    }
}

/// A number with three decimals, or a dash.
pub(super) fn number(value: Option<f64>) -> Markup {
    html! {
        @match value {
            Some(value) => { (format!("{value:.3}").replace('-', "−")) }
            None => (words::undefined()),
        }
    }
}
