//! One system: everything about it on one page, as of today or another day.

use alnager_law::book::Derived;
use alnager_law::explain::{decisive, prove};
use alnager_law::fact::Facts;
use alnager_law::requirement::AsOf;
use alnager_law::rule::Truth;
use alnager_office::assess::{Assessment, cited};
use alnager_office::comment::About;
use alnager_office::gate::{Judged, Status};
use alnager_office::system::{Fact, System};
use alnager_report::view::{ReviewView, steps};
use alnager_work::review::make_view;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use maud::{Markup, html};
use uuid::Uuid;

use crate::access::Action;
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, status, verdict};
use crate::pages::answer;
use crate::pages::shared;
use crate::pages::shared::comments;
use crate::pages::systems::{launch, page_number, stage_words};
use crate::refusal::{Refusal, for_browsers};
use crate::words::EN;

pub(super) mod fact;
pub(super) mod measures;
pub(super) mod opinion;
pub(super) mod requirement;

/// How far the slider goes back and ahead, in days.
const SLIDE_BACK: i64 = 365;
const SLIDE_AHEAD: i64 = 3 * 365;
/// Entries of a page of the history.
const ENTRIES_MAX: usize = 50;
/// Rows of a list that is not the page's own subject.
const SHORT_MAX: usize = 40;
/// Steps named on the page; the gate has them all.
const STEPS_MAX: usize = 5;

/// Everything a page of a system is made of.
struct Seen<'a> {
    at: &'a At,
    id: &'a str,
    system: &'a System,
    facts: Facts,
    /// What it comes to; `None` where the law in use cannot be read.
    found: Option<(Assessment, ReviewView)>,
    /// The days, where they are not those of today's standing.
    other: Option<AsOf>,
    when: AsOf,
}

/// What an address asks of the page.
#[derive(Default)]
struct Asked {
    other: Option<AsOf>,
    refusal: Option<Refusal>,
    /// The page of the history, where that is asked for.
    history: Option<usize>,
}

/// The page.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let asked = asked(&at, &fields)?;
    let page = shown(&at, &asked).await?;
    let status = asked.refusal.as_ref().map(Refusal::status);
    Ok(match status {
        Some(status) => page.with_status(status).into_response(),
        None => page.into_response(),
    })
}

fn asked(at: &At, fields: &Fields) -> Result<Asked, Refusal> {
    let system = at
        .state()
        .systems
        .get(at.named("system"))
        .ok_or(Refusal::NotFound)?;
    let own = at.moment.when(system);
    let history = (!fields.text("history").is_empty()).then(|| page_number(fields));
    match as_of(at.today(), own, fields) {
        Ok(when) => Ok(Asked {
            other: Some(when).filter(|when| *when != own),
            refusal: None,
            history,
        }),
        Err(refusal) => Ok(Asked {
            refusal: Some(refusal),
            history,
            ..Asked::default()
        }),
    }
}

/// The days asked for: a date, or a number of days from today as the slider has it; and by when law was published.
fn as_of(today: Date, own: AsOf, fields: &Fields) -> Result<AsOf, Refusal> {
    let wrong = || Refusal::Invalid(EN.system.as_of_wrong.to_owned());
    let date = |name: &str| {
        fields
            .optional(name)
            .map(|text| text.parse::<Date>().map_err(|_| wrong()))
            .transpose()
    };
    let slid = fields
        .optional("days")
        .map(|text| -> Result<Date, Refusal> {
            let days: i64 = text.parse().map_err(|_| wrong())?;
            let span = Span::new().try_days(days).map_err(|_| wrong())?;
            today.checked_add(span).map_err(|_| wrong())
        });
    let when = AsOf {
        valid: date("at")?.or(slid.transpose()?).unwrap_or(own.valid),
        known: date("known")?.unwrap_or(own.known),
    };
    match when.known > today {
        true => Err(wrong()),
        false => Ok(when),
    }
}

/// The classes that law puts the system of the address in, as on its page.
pub(super) fn classes(at: &At) -> Result<Markup, Refusal> {
    Ok(classification(&seen(at, None)?))
}

/// Everything the page of the system that the address names is made of. `other`: the days, where they are not its own.
fn seen(at: &At, other: Option<AsOf>) -> Result<Seen<'_>, Refusal> {
    let id = at.named("system");
    let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
    let library = &at.moment.library;
    let found = at.moment.assessment(id, other).map(|assessment| {
        let warnings = at.moment.warnings(id);
        let view = make_view(library, at.state(), &assessment, &warnings, &|person| {
            at.name(person)
        });
        (assessment, view)
    });
    Ok(Seen {
        at,
        id,
        system,
        facts: system.law_facts(&library.book, &at.state().counsel),
        found,
        other,
        when: other.unwrap_or_else(|| at.moment.when(system)),
    })
}

async fn shown(at: &At, asked: &Asked) -> Result<Page, Refusal> {
    let seen = seen(at, asked.other)?;
    let (id, system) = (seen.id, seen.system);
    let history = match asked.history {
        Some(page) => history(&seen, page).await?,
        None => history_link(&seen),
    };
    let words = &EN.system;
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } }
        (complaint(asked.refusal.as_ref()))
        (head(&seen))
        (as_of_form(&seen))
        (facts(&seen))
        (classification(&seen))
        (timeline(&seen))
        (measures::section(&seen))
        (gate(&seen))
        (opinion::section(at, id))
        (comments(at, &About::System(id.to_owned())))
        section #history aria-labelledby="history-title" { h2 #history-title { (words.history) } (history) }
    };
    Ok(page::page(
        at,
        Room::Systems,
        &system.declaration.name,
        body,
    ))
}

/// Verdict and days first, then whose and what, then what would change it.
fn head(seen: &Seen<'_>) -> Markup {
    let (at, words, declaration) = (seen.at, &EN.system, &seen.system.declaration);
    let sections = [
        ("facts", words.facts),
        ("classification", words.classification),
        ("timeline", words.timeline),
        ("audits", words.audits),
        ("gate", words.gate),
        ("opinions", EN.opinion.title),
        ("comments", words.comments),
        ("history", words.history),
    ];
    html! {
        h1 { (declaration.name) }
        (looking(seen))
        @match &seen.found {
            None => p { (words.working) },
            Some((assessment, view)) => {
                p.lead { (verdict(assessment.verdict)) " · " (page::sentence(&view.verdict_words)) }
                p.note { (words.judged) " " (day(seen.when.valid)) " · " (words.known) " " (day(seen.when.known)) " · " (launch(&at.state().launch_standing(seen.id, at.today()))) }
                (counts(assessment))
            }
        }
        nav aria-label=(words.sections) { p { @for (anchor, title) in sections { a href={ "#" (anchor) } { (title) } " · " } a href=(at.link(&format!("/intake/{}", seen.id))) { (words.interview) } } }
        @if let Some(why) = &declaration.what_if { p { strong { (words.what_if) } " " (why) } }
        p { (declaration.purpose) }
        dl.facts {
            dt { (words.owner) } dd { (at.name(&declaration.owner)) }
            dt { (words.team) } dd { (declaration.team.iter().map(|person| at.name(person)).collect::<Vec<_>>().join(", ")) }
            dt { (words.stage) } dd { (stage_words(declaration.stage)) }
            dt { (words.goes_live) } dd { @match declaration.go_live_on { Some(on) => (day(on)), None => span.quiet { (words.no_day) } } }
            dt { (words.id) } dd { code { (seen.id) } }
            @if let Some((assessment, view)) = &seen.found {
                @if let Some(next) = assessment.next_day() { dt { (words.next_day) } dd { (day(next)) } }
                @if let Some(fine) = &view.fine { dt { (words.fine) } dd { (fine.max) " " cite { (fine.cite) } } }
            }
        }
        @if let Some((_, view)) = &seen.found { (in_the_way(at, view)) (changes(view)) }
    }
}

/// That another day is looked at, where it is.
fn looking(seen: &Seen<'_>) -> Markup {
    let words = &EN.system;
    html! {
        @if let Some(other) = seen.other {
            (page::notice(html! {
                p { strong { (words.looking) } " " (day(other.valid)) ", " (words.known) " " (day(other.known)) ". " (words.looking_note) " " a href=(seen.at.link(&format!("/systems/{}", seen.id))) { (words.as_of_now) } }
            }))
        }
    }
}

fn counts(assessment: &Assessment) -> Markup {
    let (words, counts) = (&EN.system, assessment.counts());
    let parts = [
        (counts.in_force, words.in_force),
        (counts.met, words.met),
        (counts.gap, words.gaps),
        (counts.unknown, words.unknown),
        (counts.ahead + counts.waiting, words.ahead),
    ];
    html! { ul.tally { @for (n, what) in parts { li { strong { (EN.number(n as u64)) } " " (what) } } } }
}

/// What must be done, the most urgent first: the same step of the same person once.
fn in_the_way(at: &At, view: &ReviewView) -> Markup {
    let words = &EN.system;
    let steps = steps(&view.blockers);
    html! {
        h2 { (words.in_the_way) " (" (view.blockers.len()) ")" }
        @if steps.is_empty() { p { (words.nothing_in_the_way) } }
        ol.brief {
            @for step in steps.iter().take(STEPS_MAX) {
                @let blocker = step.first;
                li {
                    strong { (blocker.id) } " " (blocker.what) br;
                    cite { (blocker.citation) } " · " (blocker.owner) br;
                    span.flip { (words.next) ": " (page::worded(&for_browsers(&blocker.next))) }
                    @if !step.others.is_empty() { br; span.note { (words.settles) " " (step.others.join(", ")) } }
                }
            }
        }
        @if steps.len() > STEPS_MAX {
            p { a href=(at.link(&format!("/gate/{}", view.system))) { (EN.count(steps.len() - STEPS_MAX, words.more_step, words.more_steps)) } }
        }
    }
}

fn changes(view: &ReviewView) -> Markup {
    html! {
        @if !view.changes.is_empty() {
            h2 { (EN.system.changes) }
            @for change in &view.changes { p.flip { (page::worded(&page::sentence(&change.words))) } }
        }
    }
}

/// The days to look at: a slider with the days on which requirements begin, and fields that need none.
fn as_of_form(seen: &Seen<'_>) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let path = at.link(&format!("/systems/{}", seen.id));
    let offset = |on: Date| {
        at.today()
            .until(on)
            .map_or(0, |span| i64::from(span.get_days()))
    };
    let judged = seen
        .found
        .iter()
        .flat_map(|(assessment, _)| &assessment.judged);
    let mut days: Vec<i64> = judged
        .filter(|judged| judged.binds)
        .filter_map(Judged::from)
        .map(offset)
        .filter(|days| (-SLIDE_BACK..=SLIDE_AHEAD).contains(days))
        .collect();
    days.sort_unstable();
    days.dedup();
    let from = at.today().saturating_sub(SLIDE_BACK.days());
    html! {
        details open[seen.other.is_some()] {
            summary { (words.as_of) }
            p.note { (words.as_of_lead) }
            form method="get" action=(path) {
                div.field {
                    label for="days" { (words.as_of_slide) " " output for="days" {} }
                    input type="range" id="days" name="days" min=(-SLIDE_BACK) max=(SLIDE_AHEAD) value=(offset(seen.when.valid).clamp(-SLIDE_BACK, SLIDE_AHEAD)) list="days-marked" data-from=(from);
                    datalist #days-marked { @for days in &days { option value=(days) {} } }
                }
                p { button type="submit" { (words.as_of_show) } }
            }
            form method="get" action=(path) {
                div.row {
                    div.field { label for="at" { (words.as_of_day) } input type="date" id="at" name="at" value=(seen.when.valid); }
                    div.field { label for="known" { (words.as_of_known) } input type="date" id="known" name="known" value=(seen.when.known) max=(at.today()); }
                }
                p { button type="submit" { (words.as_of_show) } }
            }
        }
    }
}

fn facts(seen: &Seen<'_>) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let vocabulary = &at.moment.library.book.vocabulary;
    let open = seen.found.iter().flat_map(|(_, view)| &view.open_facts);
    let open: Vec<_> = open.filter(|fact| !fact.awaits_confirmation).collect();
    let answers = at.may_to(Action::Answer, seen.id);
    html! {
        section aria-labelledby="facts" {
            h2 #facts { (words.facts) }
            @if seen.system.facts.is_empty() { p { (words.facts_none) } }
            @else {
                table.ledger.stacks {
                    (shared::head(&[words.question, words.answer, words.by, words.basis, words.confirmed]))
                    tbody {
                        @for (name, fact) in &seen.system.facts {
                            tr #{ "fact-" (name) } {
                                th scope="row" {
                                    a href=(at.link(&format!("/systems/{}/facts/{name}", seen.id))) {
                                        (vocabulary.get(name).map_or(name.as_str(), |kind| kind.question.as_str()))
                                    }
                                }
                                td data-label=(words.answer) { (answer::words(vocabulary.get(name), &fact.answer.value)) (proposal(seen, name, fact)) }
                                td data-label=(words.by) { (at.name(&fact.answer.by)) ", " (day(fact.answer.on)) }
                                td data-label=(words.basis) { (fact.answer.basis) }
                                td data-label=(words.confirmed) { (confirmed(seen, name, fact)) }
                            }
                        }
                    }
                }
            }
            @if !open.is_empty() {
                h3 { (words.open_facts) " (" (open.len()) ")" }
                p.note {
                    (words.open_facts_note) " "
                    @if answers { a href=(at.link(&format!("/intake/{}", seen.id))) { (words.interview) } }
                }
                ul {
                    @for fact in open.iter().take(SHORT_MAX) {
                        li {
                            a href=(at.link(&format!("/systems/{}/facts/{}", seen.id, fact.name))) { (fact.question) }
                            " · " (EN.count(fact.requirements.len(), "requirement", "requirements"))
                        }
                    }
                }
                @if open.len() > SHORT_MAX { p.note { "… " (EN.count(open.len() - SHORT_MAX, "more", "more")) } }
            }
        }
    }
}

fn proposal(seen: &Seen<'_>, name: &str, fact: &Fact) -> Markup {
    let vocabulary = &seen.at.moment.library.book.vocabulary;
    html! {
        @if let Some(proposal) = &fact.proposal {
            br; (page::tag("undecided", "◐", answer::words(vocabulary.get(name), &proposal.value)))
            " " (EN.system.proposed) ", " (seen.at.name(&proposal.by)) ", " (day(proposal.on))
        }
    }
}

/// Who confirmed an answer; where nobody did, whether somebody must.
fn confirmed(seen: &Seen<'_>, name: &str, fact: &Fact) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let kind = at.moment.library.book.vocabulary.get(name);
    let is_guarded = kind.is_some_and(|kind| {
        let value = kind.parse(&fact.answer.value);
        value.is_some_and(|value| kind.is_guarded(&value))
    });
    html! {
        @match (&fact.confirmed_by, is_guarded) {
            (Some(person), _) => (at.name(person)),
            (None, true) => (page::tag("undecided", "◐", words.needs_confirmation)),
            (None, false) => span.quiet { (words.not_confirmed) },
        }
    }
}

/// The classes that law puts the system in, each with what decided it.
fn classification(seen: &Seen<'_>) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let book = &at.moment.library.book;
    let reader = book.reader(&seen.facts, seen.when.known);
    let concerning: Vec<&str> = seen
        .found
        .iter()
        .flat_map(|(assessment, _)| &assessment.judged)
        .filter(|judged| judged.asks() || judged.counts())
        .map(|judged| judged.requirement.pack().id.as_str())
        .collect();
    let (mut holds, mut open): (Vec<&Derived>, Vec<&Derived>) = (Vec::new(), Vec::new());
    for (position, derived) in book.derived_facts().iter().enumerate() {
        match reader.derived(position) {
            Truth::True => holds.push(derived),
            Truth::Unknown if concerning.contains(&derived.pack.as_str()) => open.push(derived),
            Truth::Unknown | Truth::False => {}
        }
    }
    let fact = |position: usize| {
        let kind = &book.vocabulary.kinds()[position];
        let given = seen.system.facts.get(&kind.name);
        let given = given.map(|fact| answer::words(Some(kind), &fact.answer.value));
        html! { a href=(at.link(&format!("/systems/{}/facts/{}", seen.id, kind.name))) { code { (kind.name) } } @if let Some(given) = given { ": " (given) } }
    };
    html! {
        section aria-labelledby="classification" {
            h2 #classification { (words.classification) }
            @if holds.is_empty() { p { (words.classification_none) } }
            @else {
                table.ledger.stacks {
                    (shared::head(&[words.class, words.pack, words.rests_on]))
                    tbody {
                        @for derived in &holds {
                            @if let Some(version) = derived.version(seen.when.known) {
                                tr {
                                    th scope="row" { (derived.name.replace('_', " ")) }
                                    td data-label=(words.pack) { (derived.pack) @if !version.cite.is_empty() { ", " cite { (version.cite) } } }
                                    td data-label=(words.rests_on) {
                                        (page::why(&derived.name, html! {
                                            ul { @for position in decisive(&prove(&reader, &version.rule)) { li { (fact(position)) } } }
                                            @if let Some(note) = &version.note { p { (note) } }
                                        }))
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if !open.is_empty() {
                details {
                    summary { (words.open_classes) " (" (open.len()) ")" }
                    ul { @for derived in open.iter().take(SHORT_MAX) { li { (derived.name.replace('_', " ")) " · " span.quiet { (derived.pack) } } } }
                }
            }
        }
    }
}

/// The requirements by the day they govern.
fn timeline(seen: &Seen<'_>) -> Markup {
    let words = &EN.system;
    let judged = seen
        .found
        .iter()
        .flat_map(|(assessment, _)| &assessment.judged);
    let (mut now, mut later, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for judged in judged.filter(|judged| judged.asks() || judged.counts()) {
        match judged.status {
            Status::Met | Status::Gap | Status::Unknown => now.push(judged),
            Status::Ahead => later.push(judged),
            Status::Waiting => waiting.push(judged),
            Status::Ended | Status::NotApplicable | Status::Noted => {}
        }
    }
    let rank = |judged: &&Judged| match judged.status {
        Status::Gap => 0,
        Status::Unknown => 1,
        Status::Met => 2,
        Status::Ahead | Status::Waiting | Status::Ended | Status::NotApplicable | Status::Noted => {
            3
        }
    };
    now.sort_by_key(rank);
    for list in [&mut later, &mut waiting] {
        list.sort_by_key(|judged| (judged.from().is_none(), judged.from()));
    }
    html! {
        section aria-labelledby="timeline" {
            h2 #timeline { (words.timeline) }
            @if now.is_empty() && later.is_empty() && waiting.is_empty() { p { (words.timeline_none) } }
            @for (title, list) in [(words.now, now), (words.later, later), (words.waiting, waiting)] {
                @if !list.is_empty() {
                    h3 { (title) " (" (list.len()) ")" }
                    table.ledger.stacks {
                        (shared::head(&[words.requirement, words.status, words.from, words.owner, words.evidence]))
                        tbody { @for judged in list { (requirement_row(seen, judged)) } }
                    }
                }
            }
        }
    }
}

fn requirement_row(seen: &Seen<'_>, judged: &Judged) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let text = judged.requirement.text();
    html! {
        tr data-of=(text.id) {
            th scope="row" {
                a href=(at.link(&format!("/systems/{}/requirements/{}", seen.id, text.id))) { (text.id) } " "
                (text.what)
                br; cite { (cited(judged)) } " "
                (page::why(&text.id, html! {
                    p { (page::sentence(&judged.why)) }
                    @if !judged.next.is_empty() { p.flip { (words.next) ": " (page::worded(&for_browsers(&judged.next))) } }
                    p { a href=(at.link(&format!("/systems/{}/requirements/{}", seen.id, text.id))) { (words.proof) } }
                }))
            }
            td data-label=(words.status) { (status(judged.status)) }
            td data-label=(words.from) { @if let Some(from) = judged.from() { (day(from)) } }
            td data-label=(words.owner) { (at.name(&judged.owner)) }
            td data-label=(words.evidence) {
                @for id in &judged.evidence { a href=(at.link(&format!("/evidence/{id}"))) { (id) } " " }
                @if judged.evidence.is_empty() { span.quiet { (words.evidence_none) } }
            }
        }
    }
}

fn gate(seen: &Seen<'_>) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let launches = at.state().launches.get(seen.id);
    html! {
        section aria-labelledby="gate" {
            h2 #gate { (words.gate) }
            p { (launch(&at.state().launch_standing(seen.id, at.today()))) }
            @if let Some(last) = launches.and_then(|launches| launches.last()) {
                p.note { (last.decided.decision.word()) ", " (words.decided_by) " " (at.name(&last.decided.by)) ", " (day(last.decided.on)) ": " (last.decided.reason) }
            }
            p { a href=(at.link(&format!("/gate/{}", seen.id))) { (words.gate_open) } }
        }
    }
}

fn history_link(seen: &Seen<'_>) -> Markup {
    let path = seen.at.link(&format!("/systems/{}?history=1", seen.id));
    html! {
        p { a href={ (path) "#history" } hx-get=(path) hx-select="#history" hx-target="#history" hx-swap="outerHTML" { (EN.system.history_show) } }
    }
}

/// The entries about the system, the newest first.
async fn history(seen: &Seen<'_>, page: usize) -> Result<Markup, Refusal> {
    let (at, words) = (seen.at, &EN.system);
    let subject: Uuid = seen.system.subject.parse().map_err(|_| Refusal::Internal)?;
    let entries = {
        let desk = at.organisation.reader().await?;
        desk.entries_about(subject).await?
    };
    let n = entries.len();
    let page = page.min(n.div_ceil(ENTRIES_MAX).max(1));
    let proves = at.may(Action::Prove, crate::access::Resource::Organisation);
    Ok(html! {
        table.ledger.stacks {
            (shared::head(&[words.entry, words.kind, words.day, words.who]))
            tbody {
                @for (index, entry) in entries.iter().rev().skip((page - 1) * ENTRIES_MAX).take(ENTRIES_MAX) {
                    tr {
                        th scope="row" { @if proves { a href=(at.link(&format!("/journal/{index}"))) { (index) } } @else { (index) } }
                        td data-label=(words.kind) { code { (entry.kind) } }
                        td data-label=(words.day) { (instant(&entry.at)) }
                        td data-label=(words.who) { (at.name(&entry.actor.to_string())) }
                    }
                }
            }
        }
        (shared::pager(page, n.div_ceil(ENTRIES_MAX), &|page| at.link(&format!("/systems/{}?history=1&page={page}#history", seen.id))))
    })
}

/// The day of an entry's instant; as it stands where it is none.
fn instant(text: &str) -> Markup {
    let read = text.parse::<Timestamp>().ok();
    html! { @match read { Some(at) => (day(at.to_zoned(TimeZone::UTC).date())), None => (text) } }
}

#[cfg(test)]
mod tests;
