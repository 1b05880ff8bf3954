//! Today: what needs me now; measurements beside the law.

use std::collections::{BTreeMap, BTreeSet};

use alnager_audit::judge::{Outcome, TestResult};
use alnager_audit::policy::Decimal;
use alnager_law::pack::RequirementText;
use alnager_office::derived::DerivedSystem;
use alnager_office::gate::{Status, Verdict};
use alnager_office::launch::LaunchStanding;
use alnager_report::html::strip;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::page::{self, Page, Room, day, days_left, verdict};
use crate::pages::shared;
use crate::pages::shared::system_name;
use crate::pages::system::opinion;
use crate::refusal::for_browsers;
use crate::words::EN;

/// Most rows of a list; the room it comes from has the rest.
const ROWS_MAX: usize = 12;

/// What waits for somebody: the first of it, and how much in all.
#[derive(Debug)]
pub struct Needs {
    first: Vec<Need>,
    n: usize,
}

/// Something that waits for whoever looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    /// By when, where there is a day.
    due: Option<Date>,
    /// What kind of thing: those that hold others up come first.
    rank: u8,
    /// What to do.
    what: String,
    /// To what.
    to: String,
    /// Where it is done.
    path: String,
}

/// The page.
pub(super) async fn show(at: At) -> Page {
    let words = &EN.today;
    let body = if at.state().systems.is_empty() {
        html! {
            h1 { (Room::Today.title()) }
            (page::empty(words.empty, Some((&at.link("/intake"), words.empty_action))))
        }
    } else {
        html! {
            h1 { (Room::Today.title()) ", " (day(at.today())) }
            (tally(&at))
            (needs(&at))
            div.spread {
                section.measures aria-labelledby="measurements" {
                    h2 #measurements { (words.measurements) }
                    (gates(&at))
                    (worst(&at))
                    (ageing(&at))
                    (opinions(&at))
                }
                section.law aria-labelledby="brief" {
                    h2 #brief { (words.brief) }
                    (bites(&at))
                    (coming(&at))
                    (signals(&at))
                }
            }
        }
    };
    page::page(&at, Room::Today, Room::Today.title(), body)
}

fn tally(at: &At) -> Markup {
    let tally = at.moment.digest.tally;
    let parts = [
        (Verdict::Hold, tally.hold),
        (Verdict::Undecided, tally.undecided),
        (Verdict::Clear, tally.clear),
    ];
    html! {
        ul.tally {
            @for (of, n) in parts {
                li { a href=(at.link(&format!("/systems?verdict={}", of.word()))) { strong { (EN.number(n as u64)) } " " (verdict(of)) } }
            }
            @if at.moment.n_behind > 0 {
                li.quiet { strong { (EN.number(at.moment.n_behind as u64)) } " " (EN.today.working) }
            }
        }
    }
}

fn needs(at: &At) -> Markup {
    let words = &EN.today;
    let needs = at.moment.needs.of(&at.who.person, || waiting_for(at));
    let (needs, n) = (&needs.first, needs.n);
    html! {
        section aria-labelledby="needs" {
            h2 #needs { (words.needs) @if n > 0 { " (" (n) ")" } }
            @if needs.is_empty() { p { (words.nothing) } }
            @else {
                table.ledger.stacks {
                    (shared::head(&[words.what, words.due]))
                    tbody {
                        @for need in needs {
                            tr {
                                th scope="row" { (need.what) " " a href=(need.path) { (need.to) } }
                                td { @if let Some(due) = need.due { (day(due)) " · " (days_left(due, at.today())) } }
                            }
                        }
                    }
                }
                @if n > ROWS_MAX { p.note { "… " (EN.count(n - ROWS_MAX, "more", "more")) } }
            }
        }
    }
}

/// What waits for whoever looks: the soonest first, and what has no day after it.
fn waiting_for(at: &At) -> Needs {
    let mut needs = Vec::new();
    evidence_needs(at, &mut needs);
    fact_needs(at, &mut needs);
    launch_needs(at, &mut needs);
    task_needs(at, &mut needs);
    own_needs(at, &mut needs);
    needs.sort_by(|one, other| {
        let soonest = |need: &Need| need.due.unwrap_or(Date::MAX);
        soonest(one)
            .cmp(&soonest(other))
            .then_with(|| one.rank.cmp(&other.rank))
            .then_with(|| one.to.cmp(&other.to))
    });
    let n = needs.len();
    needs.truncate(ROWS_MAX);
    Needs { first: needs, n }
}

/// Evidence to decide on, one line a system.
fn evidence_needs(at: &At, needs: &mut Vec<Need>) {
    let state = at.state();
    let mut systems: BTreeMap<&str, usize> = BTreeMap::new();
    for id in &at.moment.digest.queue {
        let Some(evidence) = state.evidence.get(id) else {
            continue;
        };
        let system = evidence.submitted.system.as_str();
        if evidence.may_be_decided_by(&at.who.person) && at.may_to(Action::Rule, system) {
            *systems.entry(system).or_default() += 1;
        }
    }
    for (id, n) in systems {
        needs.push(Need {
            due: None,
            rank: 1,
            what: EN.today.accept.to_owned(),
            to: format!(
                "{} {} {}",
                EN.count(n, "document", "documents"),
                EN.today.of,
                system_name(at, id)
            ),
            path: at.link(&format!("/evidence?standing=awaiting&system={id}")),
        });
    }
}

fn fact_needs(at: &At, needs: &mut Vec<Need>) {
    for (id, fact) in &at.moment.digest.proposals {
        let Some(system) = at.state().systems.get(id) else {
            continue;
        };
        let by = system
            .facts
            .get(fact)
            .and_then(|fact| fact.proposal.as_ref())
            .map(|proposal| proposal.by.as_str());
        if system.may_confirm(&at.who.person, by) && at.may_to(Action::Confirm, id) {
            needs.push(Need {
                due: None,
                rank: 2,
                what: EN.today.confirm.to_owned(),
                to: format!("{fact} ({})", system_name(at, id)),
                path: at.link(&format!("/systems/{id}#fact-{fact}")),
            });
        }
    }
}

fn launch_needs(at: &At, needs: &mut Vec<Need>) {
    for row in &at.moment.digest.gates {
        let Some(system) = at.state().systems.get(&row.system) else {
            continue;
        };
        if system.builders.contains(&at.who.person) || !at.may_to(Action::Decide, &row.system) {
            continue;
        }
        let what = match &row.launch {
            LaunchStanding::NotDecided | LaunchStanding::Superseded { .. }
                if row.verdict == Verdict::Clear =>
            {
                EN.today.decide
            }
            LaunchStanding::NeedsSecond { by, .. } if *by != at.who.person => EN.today.second,
            LaunchStanding::NotDecided
            | LaunchStanding::NeedsSecond { .. }
            | LaunchStanding::Approved
            | LaunchStanding::Conditional { .. }
            | LaunchStanding::Refused
            | LaunchStanding::Withdrawn
            | LaunchStanding::Lapsed { .. }
            | LaunchStanding::Superseded { .. } => continue,
        };
        needs.push(Need {
            due: system.declaration.go_live_on,
            rank: 0,
            what: what.to_owned(),
            to: system.declaration.name.clone(),
            path: at.link(&format!("/gate/{}", row.system)),
        });
    }
}

fn task_needs(at: &At, needs: &mut Vec<Need>) {
    for id in &at.moment.digest.tasks {
        let Some(task) = at.state().tasks.get(id) else {
            continue;
        };
        if task.opened.owner == at.who.person {
            needs.push(Need {
                due: Some(task.opened.due),
                rank: 0,
                what: EN.today.task.to_owned(),
                to: task.opened.what.clone(),
                path: at.link(&format!("/tasks/{id}")),
            });
        }
    }
}

/// What stands in the way and is for whoever looks to mend, one line a system.
fn own_needs(at: &At, needs: &mut Vec<Need>) {
    let Some(owned) = at.moment.digest.owned.get(at.who.person.as_str()) else {
        return;
    };
    for (id, n) in owned {
        let Some(system) = at.state().systems.get(id.as_ref()) else {
            continue;
        };
        needs.push(Need {
            due: system
                .declaration
                .go_live_on
                .filter(|day| *day >= at.today()),
            rank: 3,
            what: EN.today.act.to_owned(),
            to: format!(
                "{} {} {}",
                EN.count(*n, "blocker", "blockers"),
                EN.today.of,
                system.declaration.name
            ),
            path: at.link(&format!("/gate/{id}")),
        });
    }
}

fn gates(at: &At) -> Markup {
    let words = &EN.today;
    let digest = &at.moment.digest;
    html! {
        h3 { (words.gates) }
        table.ledger.stacks {
            (shared::head(&[words.system, words.verdict, words.judged, words.in_the_way]))
            tbody {
                @for row in digest.gates.iter().take(ROWS_MAX) {
                    @if let Some(standing) = at.moment.standing(&row.system) {
                        tr data-of=(row.system) tabindex="-1" {
                            th scope="row" { a href=(at.link(&format!("/systems/{}", row.system))) { (system_name(at, &row.system)) } }
                            td data-label=(words.verdict) { (verdict(row.verdict)) }
                            td data-label=(words.judged) { (day(row.on)) }
                            td data-label=(words.in_the_way) { (flip(at, standing)) }
                        }
                    }
                }
            }
        }
        @if digest.gates.len() > ROWS_MAX { p { a href=(at.link("/systems")) { (EN.count(digest.gates.len(), "system", "systems")) } } }
    }
}

/// The flip line: what stands in the way first, and what would change that.
fn flip(at: &At, standing: &DerivedSystem) -> Markup {
    let n = standing.blockers.len();
    html! {
        @match standing.blockers.first() {
            None => @if standing.verdict == Verdict::Clear { (EN.today.nothing_in_way) } @else { (EN.today.nothing_asked) },
            Some(first) => {
                (EN.number(n as u64)) " · "
                (page::why(&first.id, html! {
                    p { strong { (first.id) } ": " (first.what) }
                    p { cite { (first.citation) } " · " (at.name(&first.owner)) }
                    p.flip { (EN.today.flip) ": " (page::worded(&for_browsers(&first.next))) }
                }))
            }
        }
    }
}

fn worst(at: &At) -> Markup {
    let words = &EN.today;
    let measured: Vec<(&String, &TestResult)> = at
        .moment
        .digest
        .measured
        .iter()
        .filter_map(|id| Some((id, at.moment.standing(id)?.worst.as_ref()?)))
        .take(ROWS_MAX)
        .collect();
    html! {
        h3 { (words.worst) }
        @if measured.is_empty() { p.quiet { (words.not_measured) } }
        @else {
            p.note { (words.worst_note) }
            table.ledger.stacks {
                (shared::head(&[words.system, words.figure, words.interval, words.limit, words.result]))
                tbody {
                    @for (id, result) in measured {
                        tr data-of=(id) {
                            th scope="row" { a href=(at.link(&format!("/systems/{id}#audits"))) { (system_name(at, id)) } }
                            td data-label=(words.figure) { (figure(result)) }
                            td data-label=(words.interval) { (interval(result)) }
                            td data-label=(words.limit) { (limit(result)) }
                            td data-label=(words.result) { (outcome(result.outcome)) }
                        }
                    }
                }
            }
        }
    }
}

/// What a result is of, with its value; undefined is said, never shown as 0.
fn figure(result: &TestResult) -> Markup {
    let value = result
        .value
        .map_or(EN.today.undefined.to_owned(), |value| format!("{value:.3}"));
    html! {
        (result.metric.word().replace('_', " "))
        @if !result.group.is_empty() { ", " (result.attribute) " " (result.group) }
        ": " strong { (value) }
    }
}

pub(super) fn interval(result: &TestResult) -> Markup {
    html! {
        @match result.interval {
            Some(interval) => { (format!("{:.3} – {:.3}", interval.low, interval.high)) }
            None => span.quiet { (EN.today.undefined) },
        }
        (strip(result))
    }
}

pub(super) fn limit(result: &TestResult) -> Markup {
    let bound = |bound: &Option<Decimal>| bound.as_ref().map(ToString::to_string);
    let (low, high) = (bound(&result.limit.low), bound(&result.limit.high));
    html! {
        @match (low, high) {
            (Some(low), Some(high)) => { (low) " – " (high) }
            (Some(low), None) => { "≥ " (low) }
            (None, Some(high)) => { "≤ " (high) }
            (None, None) => "",
        }
        " " (page::why(&result.test, html! { p { cite { (result.limit.cite) } } p { code { (result.method) } ", n = " (EN.number(result.n)) } }))
    }
}

pub(super) fn outcome(outcome: Outcome) -> Markup {
    let (class, mark) = match outcome {
        Outcome::Pass => ("clear", "○"),
        Outcome::Fail => ("hold", "●"),
        Outcome::Inconclusive | Outcome::NotMeasured => ("undecided", "◐"),
    };
    page::tag(class, mark, outcome.word())
}

fn ageing(at: &At) -> Markup {
    let words = &EN.today;
    let ageing = &at.moment.digest.ageing;
    html! {
        h3 { (words.ageing) }
        @if ageing.is_empty() { p.quiet { (words.ageing_none) } }
        @else {
            table.ledger.stacks {
                (shared::head(&[words.document, words.system, words.until]))
                tbody {
                    @for row in ageing.iter().take(ROWS_MAX) {
                        @if let Some(evidence) = at.state().evidence.get(&row.evidence) {
                            tr data-of=(evidence.submitted.system) {
                                th scope="row" { a href=(at.link(&format!("/evidence/{}", row.evidence))) { (row.evidence) ": " (evidence.submitted.file) } }
                                td data-label=(words.system) { (system_name(at, &evidence.submitted.system)) }
                                td data-label=(words.until) {
                                    (day(row.expires)) " · "
                                    @if row.expires <= at.today() { (page::tag("hold", "●", words.expired)) }
                                    @else { (days_left(row.expires, at.today())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Audit opinions that stand, and whether the record has moved since.
fn opinions(at: &At) -> Markup {
    let words = &EN.opinion;
    let standing = &at.moment.digest.opinions;
    html! {
        @if !standing.is_empty() {
            h3 { (words.title) }
            table.ledger.stacks {
                thead { tr { th scope="col" { (words.system) } th scope="col" { (words.opinion) } th scope="col" { (words.day) } th scope="col" { (words.record) } } }
                tbody {
                    @for id in standing.iter().take(ROWS_MAX) {
                        @if let Some(one) = at.state().opinion_on(id) {
                            tr data-of=(id) {
                                th scope="row" { a href=(at.link(&format!("/systems/{id}#opinions"))) { (system_name(at, id)) } }
                                td data-label=(words.opinion) { (opinion::conclusion(one.given.conclusion)) }
                                td data-label=(words.day) { (day(one.given.on)) }
                                td data-label=(words.record) { (opinion::moved(at, at.state().moved_since(id, one.given.size))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The requirements that stand in the way of most systems, with their citations.
fn bites(at: &At) -> Markup {
    let words = &EN.today;
    let mut systems: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in at.moment.digest.gates.iter().take(ROWS_MAX) {
        let Some(standing) = at.moment.standing(&row.system) else {
            continue;
        };
        let open = standing
            .requirements
            .iter()
            .filter(|requirement| requirement.binds && requirement.status == Status::Gap);
        for requirement in open {
            systems
                .entry(&requirement.id)
                .or_default()
                .insert(&row.system);
        }
    }
    let mut biting: Vec<(&str, BTreeSet<&str>)> = systems.into_iter().collect();
    biting.sort_by(|one, other| other.1.len().cmp(&one.1.len()).then(one.0.cmp(other.0)));
    html! {
        h3 { (words.bites) }
        @if biting.is_empty() { p.quiet { (words.bites_none) } }
        ol.brief {
            @for (id, of) in biting.iter().take(ROWS_MAX) {
                @if let Some((pack, text)) = requirement(at, id) {
                    li data-of=(of.iter().copied().collect::<Vec<_>>().join(" ")) {
                        a href=(at.link(&format!("/law/requirements/{id}"))) { strong { (id) } } " " (text.what)
                        br; cite { (pack.cited(&text.cite)) } " · " (EN.count(of.len(), "system", "systems"))
                    }
                }
            }
        }
    }
}

/// What will bind, a heading a day.
fn coming(at: &At) -> Markup {
    let words = &EN.today;
    let ahead = &at.moment.digest.ahead;
    let shown = &ahead[..ahead.len().min(ROWS_MAX)];
    html! {
        h3 { (words.coming) }
        @if ahead.is_empty() { p.quiet { (words.coming_none) } }
        @for of_day in shown.chunk_by(|one, other| one.from == other.from) {
            @let from = of_day[0].from;
            @let n = ahead.iter().filter(|row| row.from == from).count();
            h4 { (day(from)) " · " (days_left(from, at.today())) " · " (EN.count(n, "requirement", "requirements")) }
            ul.brief {
                @for row in of_day {
                    @if let Some((pack, text)) = requirement(at, &row.requirement) {
                        li data-of=(row.systems.iter().take(ROWS_MAX).cloned().collect::<Vec<_>>().join(" ")) {
                            a href=(at.link(&format!("/law/requirements/{}", row.requirement))) { (row.requirement) } " " (text.what)
                            br; cite { (pack.cited(&text.cite)) } " · " (EN.count(row.systems.len(), "system", "systems"))
                        }
                    }
                }
            }
        }
        @if ahead.len() > ROWS_MAX { p { a href=(at.link("/law")) { (EN.count(ahead.len() - ROWS_MAX, words.more_ahead, words.more_ahead_many)) } } }
    }
}

fn signals(at: &At) -> Markup {
    let open = at
        .state()
        .signals
        .values()
        .filter(|signal| signal.settled.is_none());
    let open: Vec<_> = open.take(ROWS_MAX).collect();
    html! {
        @if !open.is_empty() {
            h3 { (EN.today.signals) }
            ul { @for signal in open { li { (signal.raised.item.title) " " span.quiet { (signal.raised.watcher) } } } }
        }
    }
}

/// A requirement of the book in use.
pub(super) fn requirement<'a>(
    at: &'a At,
    id: &str,
) -> Option<(&'a alnager_law::pack::Pack, &'a RequirementText)> {
    at.moment.library.book.packs().find_map(|pack| {
        let mut texts = pack.requirements.iter();
        Some((pack, texts.find(|text| text.id == id)?))
    })
}
