//! One requirement: our norm beside the official text, its dates, the systems it concerns, counsel's reading, what people say.

use std::sync::Arc;

use alnager_law::pack::{DateRow, Pack, RequirementText};
use alnager_law::requirement::Requirement;
use alnager_office::comment::About;
use alnager_office::derived::DerivedRequirement;
use alnager_office::gate::{Status, kinds_taken};
use axum::extract::RawQuery;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, status};
use crate::pages::law::{
    OnDay, across, asked, days_form, fares, for_nobody, limited, preview, provision, reading,
    with_refusal,
};
use crate::pages::shared::{Paging, comments, encoded, head, requirement_link, system_link};
use crate::pages::today;
use crate::refusal::Refusal;
use crate::words::EN;

/// The page.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    shown(&at, &query, None, &Fields::default()).await
}

/// The page, with what is wrong with a form on it and what was typed.
pub(super) async fn shown(
    at: &At,
    query: &Fields,
    refusal: Option<&Refusal>,
    typed: &Fields,
) -> Result<Page, Refusal> {
    let id = at.named("requirement");
    let (pack, text) = today::requirement(at, id).ok_or(Refusal::NotFound)?;
    let (when, wrong) = asked(at, query);
    let judged = for_nobody(at, when);
    let judged = judged.iter().find(|judged| judged.text().id == id);
    let judged = judged.ok_or(Refusal::NotFound)?;
    let path = at.link(&format!("/law/requirements/{}", encoded(id)));
    let about = About::Requirement {
        system: None,
        requirement: id.to_owned(),
    };
    let body = html! {
        p.crumbs { a href=(at.link("/law")) { (Room::Law.title()) } " · " a href=(at.link(&format!("/law/{}", encoded(&pack.id)))) { (pack.title) } }
        h1 { (text.id) ": " (text.what) }
        (complaint(wrong.as_ref().or(refusal)))
        p {
            cite { (pack.cited(&text.cite)) } " · " (OnDay::of(judged, when.valid).tag())
            @if let Some(limited) = limited(&judged.force) { " · " (limited) }
            " " (preview(&text.id, &judged.preview))
        }
        (days_form(&path, query, when))
        div.spread {
            section aria-labelledby="ours" { h2 #ours { (EN.law.ours) } (norm(at, pack, text, judged)) }
            section.law aria-labelledby="official" { h2 #official { (EN.law.official) } (provision::official(at, text).await?) (reading::wording(at, text, typed)) }
        }
        (dates(pack, text, when.known))
        (systems(at, id, &path, query))
        (reading::section(at, text, typed))
        (comments(at, &about))
    };
    let page = page::page(at, Room::Law, id, body);
    Ok(with_refusal(page, wrong.as_ref()))
}

fn norm(at: &At, pack: &Pack, text: &RequirementText, judged: &Requirement) -> Markup {
    let words = &EN.law;
    let book = &at.moment.library.book;
    let kinds = kinds_taken(book, &text.id).unwrap_or_default();
    let penalty = text
        .penalty
        .as_ref()
        .and_then(|name| pack.penalties.get(name));
    let listed = |titles: &[&str]| match titles.is_empty() {
        true => words.none.to_owned(),
        false => titles.join(", "),
    };
    let kinds: Vec<&str> = kinds.iter().map(|kind| book.evidence.title(kind)).collect();
    let controls = text.controls.iter();
    let controls: Vec<&str> = controls
        .map(|control| book.controls.title(control))
        .collect();
    html! {
        p { (text.what) }
        dl.facts {
            dt { (words.norm) } dd { (words.norm(text.kind)) }
            @if !text.who.is_empty() { dt { (words.for_whom) } dd { (text.who.join(", ")) } }
            dt { (words.how) } dd { (text.how) }
            dt { (words.when) } dd { code { (flat(&text.when.text)) } }
            @for unless in &text.unless { dt { (words.unless) } dd { code { (flat(&unless.text)) } } }
            dt { (words.phase) } dd { (text.phase.word()) }
            dt { (words.evidence) } dd { (listed(&kinds)) }
            dt { (words.controls) } dd { (listed(&controls)) }
            dt { (words.owner) } dd { (text.role) }
            @if let Some(deadline) = &text.deadline { dt { (words.deadline) } dd { (deadline) } }
            @if let Some(frequency) = &text.frequency { dt { (words.frequency) } dd { (frequency) } }
            @if let Some(penalty) = penalty { dt { (words.penalty) } dd { (penalty.max) " (" (pack.cited(&penalty.cite)) ")" } }
            @for conflict in &text.conflicts { dt { (words.conflicts) } dd { (requirement_link(at, &conflict.with)) ": " (conflict.why) } }
            @for overlay in judged.overlays() { dt { (words.change) } dd { (overlay.what) " (" (overlay.pack) ", " (overlay.cite) ")" } }
        }
    }
}

/// A condition on one line.
fn flat(condition: &str) -> String {
    condition.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The statements of when it governs that are known by a day, with when each became known.
fn dates(pack: &Pack, text: &RequirementText, known: Date) -> Markup {
    let words = &EN.law;
    let groups = text.applies.iter().flat_map(|group| {
        let choices = pack.choose.get(group).into_iter().flatten();
        let chosen = choices.map(|choice| (&choice.group, choice.when.as_ref()));
        std::iter::once((group, None)).chain(chosen)
    });
    let counts =
        |row: &DateRow| row.known <= known && row.until_known.is_none_or(|until| known < until);
    let mut rows: Vec<(&DateRow, Vec<String>)> = Vec::new();
    for (group, chosen) in groups {
        let own = pack.applies.get(group).into_iter().flatten();
        rows.extend(own.filter(|row| counts(row)).map(|row| {
            let conditions = chosen.into_iter().chain(&row.when);
            (row, conditions.map(|when| flat(&when.text)).collect())
        }));
    }
    html! {
        section aria-labelledby="dates" {
            h2 #dates { (words.dates) }
            @if rows.is_empty() { p { (page::sentence(words.no_date)) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.governs_from, words.governs_until, words.known_since, words.condition, words.citation]))
                    tbody {
                        @for (row, conditions) in &rows {
                            tr {
                                th scope="row" { (day(row.from)) @if let Some(reason) = &row.reason { br; span.note { (reason) } } }
                                td data-label=(words.governs_until) { @match row.to { Some(to) => (day(to)), None => span.quiet { (words.until_further) } } }
                                td data-label=(words.known_since) { (day(row.known)) @if let Some(doubt) = &row.unconfirmed { " " (preview(&text.id, std::slice::from_ref(doubt))) } }
                                td data-label=(words.condition) { @if conditions.is_empty() { (EN.law.by_facts) } @for condition in conditions { code { (condition) } " " } }
                                td data-label=(words.citation) { cite { (pack.cited(&row.cite)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The systems it concerns today, what needs somebody first.
fn systems(at: &At, id: &str, path: &str, query: &Fields) -> Markup {
    let words = &EN.law;
    let mut rows: Vec<(u8, &String, &DerivedRequirement)> = Vec::new();
    for (system, standing) in at.moment.derived.systems() {
        let own = standing.requirements.iter();
        let found = own.filter(|one| Arc::as_ref(&one.id) == id);
        rows.extend(found.filter_map(|one| Some((urgency(one.status)?, system, one))));
    }
    rows.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let paging = Paging::of(query, rows.len());
    html! {
        section aria-labelledby="systems" {
            h2 #systems { (words.systems) @if !rows.is_empty() { " (" (EN.number(rows.len() as u64)) ")" } }
            @if rows.is_empty() { p.quiet { (words.systems_none) } }
            @else {
                p { (fares(across(at, id))) }
                table.ledger.stacks {
                    (head(&[words.system, words.stands, words.governs_from, EN.system.owner]))
                    tbody {
                        @for (_, system, one) in paging.rows(&rows) {
                            tr data-of=(system) {
                                th scope="row" { (system_link(at, system)) }
                                td data-label=(words.stands) { a href=(at.link(&format!("/systems/{}/requirements/{}", encoded(system), encoded(id)))) { (status(one.status)) } }
                                td data-label=(words.governs_from) { @match one.from { Some(from) => (day(from)), None => span.quiet { (words.no_date) } } }
                                td data-label=(EN.system.owner) { (at.name(&one.owner)) }
                            }
                        }
                    }
                }
                (paging.links(path, query))
            }
        }
    }
}

/// What needs somebody first; `None` for what does not concern a system.
fn urgency(status: Status) -> Option<u8> {
    match status {
        Status::Gap => Some(0),
        Status::Unknown => Some(1),
        Status::Ahead | Status::Waiting => Some(2),
        Status::Met => Some(3),
        Status::Noted => Some(4),
        Status::Ended | Status::NotApplicable => None,
    }
}
