//! The report: one HTML file that needs nothing else. No script, no network; it reads on a screen, a telephone and paper.

mod brief;
mod measures;
pub(crate) mod plot;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod words;

use alnager_audit::judge::{Outcome, TestResult};
use alnager_audit::policy::Decimal;
use alnager_office::gate::{Gate, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::measures::{Placed, cross_link, links, runs, test_anchor, worst};
use self::plot::{Axis, Limits, Point, Shape};
use self::words::{Mark, Scale, anchor, count, prose, several};
use crate::view::{BlockerView, OpenFact, ResultView, ReviewView};
use crate::wrap::turns;

/// The form of the page, sealed with every review so that a verifier knows whether it can render the same bytes. Raise it when a
/// released page changes.
pub const FORM: &str = "report/2";

/// What is known of the journal when the report is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The journal's origin.
    pub origin: String,
    /// The index of the review's entry; `None` where it is not known.
    pub index: Option<u64>,
    /// The number of entries of the tree that holds it; `None` in the sealed copy, which is written before that tree exists.
    pub size: Option<u64>,
    /// The root of that tree, base64 as in its checkpoint; `None` in the sealed copy.
    pub root: Option<String>,
    /// The checkpoint before: size and root; `None` where the journal was empty.
    pub previous: Option<(u64, String)>,
    /// Which copy this is.
    pub copy: Copy,
}

/// Which copy of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    /// The one in the journal: people are pseudonyms, and what seals it lies ahead.
    Sealed,
    /// The one on disk: people have names, and the receipt is known.
    Named,
}

/// Forbids all that a report does not need, so that a hostile string that slipped through could still do nothing.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// A review as one HTML document. Pure: the same view and seal give the same bytes.
pub fn review(view: &ReviewView, seal: &Seal) -> String {
    let verdict = words::capital(view.verdict.word());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (verdict) ": " (view.name) ", judged on " (view.judged_on) }
                style { (PreEscaped(include_str!("html/style.css"))) }
            }
            body {
                a.skip href="#measurements" { "Skip to the measurements" }
                main {
                    (top(view))
                    (contents(view))
                    div.columns {
                        (measures::column(view))
                        (brief::column(view))
                    }
                    (unknown(view))
                    (changes(view))
                    (conflicts(view))
                    (act(view))
                    (computed(view))
                    (seal_part(seal))
                }
            }
        }
    };
    visible(page.into_string())
}

/// Writes out the characters that turn the direction of writing, wherever they stand: a name that carries one could otherwise
/// make the words after it read backwards, and our own words are meant as they stand.
pub(crate) fn visible(page: String) -> String {
    if !page.contains(turns) {
        return page;
    }
    let mut shown = String::with_capacity(page.len());
    for letter in page.chars() {
        if turns(letter) {
            shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(letter)));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// The two columns of a report, measurements and legal brief, for a page that has a frame of its own. Their links lead to places of the
/// same page.
pub fn columns(view: &ReviewView) -> (Markup, Markup) {
    (measures::column(view), brief::column(view))
}

/// One result as a drawing by itself: figure and interval against the limit, on a scale that holds both.
pub fn strip(result: &TestResult) -> Markup {
    let bound = |limit: &Option<Decimal>| limit.as_ref().map(Decimal::value);
    let interval = result
        .interval
        .map(|interval| (interval.low, interval.high));
    let limits = (bound(&result.limit.low), bound(&result.limit.high));
    let mark = Mark::by(result.outcome, result.is_judged);
    strip_of(result.metric.word(), result.value, interval, limits, mark)
}

/// One figure as a drawing by itself; `limits` are the lowest and the highest value that passes, `outcome` its word.
pub fn strip_said(
    metric: &str,
    value: Option<f64>,
    interval: Option<(f64, f64)>,
    limits: (Option<f64>, Option<f64>),
    (outcome, is_judged): (&str, bool),
) -> Markup {
    let outcomes = [
        Outcome::Pass,
        Outcome::NotMeasured,
        Outcome::Inconclusive,
        Outcome::Fail,
    ];
    let found = outcomes.into_iter().find(|known| known.word() == outcome);
    let mark = Mark::by(found.unwrap_or(Outcome::NotMeasured), is_judged);
    strip_of(metric, value, interval, limits, mark)
}

fn strip_of(
    metric: &str,
    value: Option<f64>,
    interval: Option<(f64, f64)>,
    (low, high): (Option<f64>, Option<f64>),
    mark: Mark,
) -> Markup {
    let point = Point {
        value,
        interval,
        shape: Shape::Mark(mark),
    };
    let axis = Axis::new(
        Scale::of(metric),
        std::slice::from_ref(&point),
        Limits { low, high },
    );
    axis.strip(&words::metric(metric), &point)
}

/// Verdict and dates first, then whose and what.
fn top(view: &ReviewView) -> Markup {
    let gate = match view.gate {
        Gate::Launch => "before use: requirements and tests",
        Gate::Tests => "measurements alone",
    };
    html! {
        header.top {
            h1 {
                span.verdict { (words::verdict(view.verdict)) }
                span.dates {
                    span.unseen { ": " }
                    span { "judged on " time { (view.judged_on) } } span.dot { " · " } span { "law as known on " time { (view.known) } }
                }
            }
            p.lead { (words::capital(&view.verdict_words)) "." }
            @if let Some(what_if) = &view.what_if {
                div.what-if role="note" aria-label="What-if" {
                    p { strong { "What-if." } " This declaration is hypothetical: " (what_if) }
                }
            }
            div.facts {
                dl {
                    dt { "System" } dd { strong { (view.name) } " (" (view.system) ")" }
                    dt { "Organisation" } dd { (view.organisation) }
                    dt { "Owner" } dd { (view.owner) }
                    dt { "Purpose" } dd { (view.purpose) }
                    dt { "Stage" } dd { (view.stage) }
                    dt { "Gate" } dd { (gate) }
                }
                (tally(view))
            }
        }
    }
}

/// The counts, and what a breach may cost.
fn tally(view: &ReviewView) -> Markup {
    let (counts, tests) = (view.counts, view.tests);
    let passed = tests
        .n
        .saturating_sub(tests.failed + tests.inconclusive + tests.not_measured);
    let holding = view.blockers.iter().filter(|blocker| blocker.holds).count();
    html! {
        dl.tally {
            dt { "Requirements" }
            dd {
                "in force " strong { (counts.in_force) } ": met " (counts.met) ", gap " strong { (counts.gap) } ", unknown " (counts.unknown)
                @if counts.may_apply > 0 { " · may apply " (counts.may_apply) }
                " · ahead " (counts.ahead) @if let Some(day) = &view.next_day { " (next " time { (day) } ")" }
                @if counts.waiting > 0 { " · waiting " (counts.waiting) }
                " · voluntary " (counts.voluntary)
            }
            dt { "Tests" }
            dd {
                strong { (tests.n) } ": failed " strong { (tests.failed) } ", inconclusive " (tests.inconclusive)
                ", not measured " (tests.not_measured) ", passed " (passed)
            }
            dt { "In the way" }
            dd {
                @if view.blockers.is_empty() && view.verdict == Verdict::Clear { "nothing" }
                @else if view.blockers.is_empty() { "no single item" }
                @else {
                    (holding) " to hold it, " (view.blockers.len() - holding) " to leave it undecided: " a href="#act" { "who must act" }
                }
            }
            dt { "Highest fine" }
            dd {
                @match &view.fine {
                    Some(fine) => { (fine.max) " (" (fine.cite) "), for " (links(view, std::slice::from_ref(&fine.requirement))) }
                    None => "none stated in the packs in use"
                }
            }
        }
    }
}

/// The parts of the page, for keyboard and screen reader; left out on paper.
fn contents(view: &ReviewView) -> Markup {
    let parts = [
        ("measurements", "Measurements"),
        ("brief", "Legal brief"),
        ("unknown", "What is unknown"),
        ("changes", "What would change this"),
        ("conflicts", "Conflicts for counsel"),
        ("act", "Who must act"),
        ("computed", "How it was computed"),
        ("seal", "Hashes and seal"),
    ];
    let is_there = |id: &str| id != "conflicts" || !view.conflicts.is_empty();
    html! {
        nav.contents aria-label="Parts of this report" {
            ul { @for (id, title) in parts.iter().filter(|(id, _)| is_there(id)) { li { a href={ "#" (id) } { (title) } } } }
        }
    }
}

fn part(id: &str, title: &str, body: Markup) -> Markup {
    html! {
        section.part id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            (body)
        }
    }
}

fn unknown(view: &ReviewView) -> Markup {
    let results: Vec<Placed<'_>> = view.results.iter().enumerate().collect();
    let mut open: Vec<Placed<'_>> = Vec::new();
    for (_, run) in runs(&results, |result| {
        (
            result.audit.as_str(),
            result.test.as_str(),
            result.attribute.as_str(),
        )
    }) {
        let is_open = |result: &ResultView| {
            !result.is_judged
                || matches!(result.outcome, Outcome::Inconclusive | Outcome::NotMeasured)
        };
        open.extend(worst(&run).filter(|(_, result)| is_open(result)));
    }
    let small = small_groups(view);
    let rows_unknown: Vec<(&str, &(String, u64))> = view
        .audits
        .iter()
        .flat_map(|audit| {
            audit
                .unknown
                .iter()
                .map(|unknown| (audit.name.as_str(), unknown))
        })
        .collect();
    let previews: Vec<_> = view
        .requirements
        .iter()
        .filter(|requirement| !requirement.preview.is_empty())
        .collect();
    let is_settled = view.open_facts.is_empty()
        && small.is_empty()
        && rows_unknown.is_empty()
        && open.is_empty()
        && previews.is_empty();
    part(
        "unknown",
        "What is unknown",
        html! {
            p.note { "Unknown never passes: each line is a question or a task." }
            @if is_settled { p { "Nothing that was asked for is unknown." } }
            @if !view.open_facts.is_empty() { (open_facts(view)) }
            div.blocks {
                @if !small.is_empty() {
                    div {
                        h3 { "Groups too small to judge" }
                        p.note { "Fewer than " (count(view.min_group)) " people. Shown hollow, never the headline." }
                        ul { @for (place, groups) in &small { li { (place) ": " (groups) } } }
                    }
                }
                @if !rows_unknown.is_empty() {
                    div {
                        h3 { "Rows without a group" }
                        ul {
                            @for (audit, (attribute, n)) in &rows_unknown {
                                li { (audit) ", by " (words::attribute(attribute)) ": " (count(*n)) " rows in no group" }
                            }
                        }
                    }
                }
                @if !open.is_empty() {
                    div {
                        h3 { "Tests without an answer" }
                        ul { @for result in &open { li { (words::metric(result.1.metric)) ", " (cross_link(*result)) } } }
                    }
                }
                @if !previews.is_empty() {
                    div {
                        h3 { "Requirements in preview" }
                        ul {
                            @for requirement in &previews {
                                li { (links(view, std::slice::from_ref(&requirement.id))) ": " (requirement.preview.join("; ")) }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// Per audit and attribute: its groups below the smallest size, with their rows.
fn small_groups(view: &ReviewView) -> Vec<(String, String)> {
    let mut small: Vec<(String, String)> = Vec::new();
    for audit in &view.audits {
        for group in audit.groups.iter().filter(|group| !group.is_judged) {
            let place = format!("{}, by {}", audit.name, words::attribute(&group.attribute));
            let words = format!(
                "{} ({})",
                words::group(&group.attribute, &group.group),
                count(group.n)
            );
            match small.iter_mut().find(|(known, _)| *known == place) {
                Some((_, groups)) => groups.push_str(&format!(", {words}")),
                None => small.push((place, words)),
            }
        }
    }
    small
}

fn open_facts(view: &ReviewView) -> Markup {
    let settle = |fact: &OpenFact| {
        if fact.awaits_confirmation {
            "answered, awaits confirmation"
        } else {
            "not answered"
        }
    };
    html! {
        table.stacks {
            caption { h3 { "Open facts" } }
            thead {
                tr { th scope="col" { "Fact" } th scope="col" { "Question" } th scope="col" { "State" } th scope="col" { "What rests on it" } }
            }
            tbody {
                @for fact in &view.open_facts {
                    tr {
                        th scope="row" { code { (fact.name) } }
                        td { (prose(&fact.question)) }
                        td data-label="State" { (settle(fact)) }
                        td.ids data-label="Rests on it" {
                            (several(fact.requirements.len(), "requirement", "requirements")) ": " (ids(view, &fact.requirements))
                        }
                    }
                }
            }
        }
    }
}

/// Links to requirements by id alone.
fn ids(view: &ReviewView, ids: &[String]) -> Markup {
    let is_known = |id: &String| {
        view.requirements
            .iter()
            .any(|requirement| requirement.id == *id)
    };
    html! {
        @for (at, id) in ids.iter().enumerate() {
            @if at > 0 { ", " }
            @if is_known(id) { a href={ "#" (anchor("req", id)) } { (id) } } @else { (id) }
        }
    }
}

fn changes(view: &ReviewView) -> Markup {
    part(
        "changes",
        "What would change this",
        html! {
            @if view.changes.is_empty() { p { "Nothing that can be computed from these data and packs." } }
            dl.changes {
                @for change in &view.changes { dt { (words::capital(change.kind)) } dd { (prose(&words::capital(&change.words))) "." } }
            }
        },
    )
}

/// Duties that pull against each other; the part is left out where there are none.
fn conflicts(view: &ReviewView) -> Markup {
    if view.conflicts.is_empty() {
        return html! {};
    }
    let side =
        |id: &String, cite: &str| html! { (links(view, std::slice::from_ref(id))) ", " (cite) };
    part(
        "conflicts",
        "Conflicts for counsel",
        html! {
            p.note { "Duties that concern this system and pull against each other. They change no verdict: counsel says how both are met, or which gives way." }
            table.stacks {
                thead { tr { th scope="col" { "Duty" } th scope="col" { "Against" } th scope="col" { "Why" } th scope="col" { "Found" } } }
                tbody {
                    @for conflict in &view.conflicts {
                        tr {
                            th scope="row" { (side(&conflict.one, &conflict.one_cite)) }
                            td data-label="Against" { (side(&conflict.other, &conflict.other_cite)) }
                            td data-label="Why" { (prose(&conflict.why)) }
                            td data-label="Found" { @if conflict.is_computed { "computed from the figures" } @else { "named in a pack" } }
                        }
                    }
                }
            }
        },
    )
}

fn act(view: &ReviewView) -> Markup {
    let mut owners: Vec<(&str, Vec<&BlockerView>)> = Vec::new();
    for blocker in &view.blockers {
        match owners.iter_mut().find(|(owner, _)| *owner == blocker.owner) {
            Some((_, known)) => known.push(blocker),
            None => owners.push((&blocker.owner, vec![blocker])),
        }
    }
    part(
        "act",
        "Who must act",
        html! {
            @if owners.is_empty() && view.verdict == Verdict::Clear { p { "Nobody: nothing stands in the way of a person's decision." } }
            @else if owners.is_empty() { p { "No single item stands in the way: " (view.verdict_words) "." } }
            @else {
                table.stacks.act {
                    caption { "What stands in the way, by owner: what holds the gate first" }
                    thead { tr { th scope="col" { "What" } th scope="col" { "Next action" } th scope="col" { "Citation" } } }
                    @for (owner, blockers) in &owners {
                        tbody {
                            tr.by { th colspan="3" scope="rowgroup" { (owner) " " span.quiet { (several(blockers.len(), "item", "items")) } } }
                            @for blocker in blockers { (blocker_row(view, blocker)) }
                        }
                    }
                }
            }
        },
    )
}

fn blocker_row(view: &ReviewView, blocker: &BlockerView) -> Markup {
    let test = view.results.iter().find(|result| result.test == blocker.id);
    let target = if view
        .requirements
        .iter()
        .any(|requirement| requirement.id == blocker.id)
    {
        Some(anchor("req", &blocker.id))
    } else {
        test.map(|result| test_anchor(&result.audit, &result.test))
    };
    html! {
        tr {
            th scope="row" {
                @if blocker.holds { (words::sign("bad", "✕", "holds")) } @else { (words::sign("open", "●", "undecided")) }
                " "
                @match &target { Some(target) => { a href={ "#" (target) } { (blocker.id) } } None => { (blocker.id) } }
                span.detail { (prose(&blocker.what)) }
            }
            td data-label="Next" { (prose(&words::capital(&blocker.next))) }
            td.cite data-label="Citation" { (blocker.citation) }
        }
    }
}

fn computed(view: &ReviewView) -> Markup {
    let exact = view
        .results
        .iter()
        .filter(|result| result.p.is_some())
        .count();
    part(
        "computed",
        "How it was computed",
        html! {
            @if !view.warnings.is_empty() {
                div.warnings role="note" { h3 { "Warnings" } ul { @for warning in &view.warnings { li { (prose(warning)) } } } }
            }
            dl.settings {
                dt { "Policy" } dd { (view.policy) }
                dt { "Confidence" } dd { (view.confidence) " for every interval" }
                dt { "Smallest group" } dd { (count(view.min_group)) " people" }
                dt { "Exact tests made" } dd { (exact) }
                dt { "Methods" } dd { ul { @for method in &view.methods { li { (method) } } } }
            }
            @if !view.audits.is_empty() {
                table.stacks {
                    caption { h3 { "Data" } }
                    thead { tr { th scope="col" { "File" } th scope="col" { "Audit" } th.num scope="col" { "Rows" } th scope="col" { "SHA-256" } } }
                    tbody {
                        @for audit in &view.audits {
                            tr {
                                th scope="row" { (audit.data) }
                                td data-label="Audit" { (audit.name) }
                                td.num data-label="Rows" { (count(audit.n_rows)) }
                                td.hash data-label="SHA-256" { (audit.sha256) }
                            }
                            @if let Some(model) = &audit.model {
                                tr {
                                    th scope="row" { (model.name) " (model, " (model.kind) @if let Some(version) = &model.version { ", version " (version) } ")" }
                                    td data-label="Audit" { (audit.name) }
                                    td.num data-label="Rows" {}
                                    td.hash data-label="SHA-256" { (model.sha256) }
                                }
                            }
                        }
                    }
                }
            }
            table.stacks {
                caption { h3 { "Packs" } p.note { "Confidence: how well the sources were read, A the best." } }
                thead {
                    tr { th scope="col" { "Pack" } th scope="col" { "Id" } th scope="col" { "Version" } th scope="col" { "Law read up to" } th scope="col" { "Confidence" } }
                }
                tbody {
                    @for pack in &view.packs {
                        tr {
                            th scope="row" { (pack.title) }
                            td data-label="Id" { (pack.id) }
                            td data-label="Version" { (pack.version) }
                            td data-label="Read up to" { time { (pack.known_as_of) } }
                            td data-label="Confidence" { (pack.confidence) }
                        }
                    }
                }
            }
        },
    )
}

fn seal_part(seal: &Seal) -> Markup {
    let unknown = html! { span.quiet { "not known to this copy" } };
    let number = |known: Option<u64>| known.map_or(unknown.clone(), |known| html! { (known) });
    let (copy, index) = match seal.copy {
        Copy::Sealed => (
            "the sealed one: people are pseudonyms; the tree that holds it did not exist when it was written",
            "Will be entry",
        ),
        Copy::Named => (
            "the named one, outside the journal: people have names; it carries the receipt",
            "Entry",
        ),
    };
    part(
        "seal",
        "Hashes and seal",
        html! {
            dl.settings {
                dt { "This copy" } dd { (copy) }
                dt { "Journal" } dd { (seal.origin) }
                dt { (index) } dd { (number(seal.index)) }
                dt { "Tree size" } dd { (number(seal.size)) }
                dt { "Root" } dd.hash { @match &seal.root { Some(root) => { (root) } None => { (unknown) } } }
                dt { "Checkpoint before" }
                dd.hash {
                    @match &seal.previous { Some((size, root)) => { "size " (size) ", root " (root) } None => "none: the journal was empty" }
                }
                dt { "To verify" } dd { code { "alnager verify dossier.tar.zst" } }
            }
            p {
                "The log proves that history was not altered after the oldest checkpoint held outside; it cannot prove that what was "
                "entered was true, nor that something was never entered. Count tables are sealed with the review, so anyone with the "
                "dossier can recompute its figures without the rows; nobody can tell from it that the rows were the right ones."
            }
        },
    )
}
