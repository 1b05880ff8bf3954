//! What changes between two days: dates that come, requirements that stand otherwise, systems concerned.

use alnager_law::agenda::{BookDate, book_dates};
use alnager_law::requirement::{AsOf, Requirement};
use axum::extract::RawQuery;
use jiff::ToSpan as _;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day};
use crate::pages::law::{OnDay, across, fares, for_nobody, impact, limited, with_refusal};
use crate::pages::shared::{day_field, day_of, encoded, head, requirement_link};
use crate::refusal::Refusal;
use crate::words::EN;

/// Most rows of a table that has no pages.
const ROWS_MAX: usize = 200;

/// Most requirements named in one row.
const NAMED_MAX: usize = 8;

/// The two points compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The first day, and what was known then.
    pub(super) before: AsOf,
    /// The second.
    pub(super) after: AsOf,
}

/// The page.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let words = &EN.law;
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let (span, refusal) = match span(&at, &query) {
        Ok(span) => (span, None),
        Err(refusal) => (ahead(&at), Some(refusal)),
    };
    let impact = match refusal {
        None => impact::section(&at, &query, span).await?,
        Some(_) => html! {},
    };
    let body = html! {
        p.crumbs { a href=(at.link("/law")) { (Room::Law.title()) } }
        h1 { (words.changes) }
        p.lead { (words.changes_lead) }
        (complaint(refusal.as_ref()))
        (form(&at, &query, span))
        @if refusal.is_none() { (calendar(&at, span)) (differences(&at, span)) (impact) }
    };
    let page = page::page(&at, Room::Law, words.changes, body);
    Ok(with_refusal(page, refusal.as_ref()))
}

/// From today over a year, with the law known today.
fn ahead(at: &At) -> Span {
    let (today, known) = (at.today(), at.today());
    Span {
        before: AsOf {
            valid: today,
            known,
        },
        after: AsOf {
            valid: today.saturating_add(1.year()),
            known,
        },
    }
}

fn span(at: &At, query: &Fields) -> Result<Span, Refusal> {
    let words = &EN.law;
    let ahead = ahead(at);
    let read = |name: &str, label: &str, or: Date| -> Result<Date, Refusal> {
        Ok(day_of(query, name, label)?.unwrap_or(or))
    };
    let from = read("from", words.day_from, ahead.before.valid)?;
    let span = Span {
        before: AsOf {
            valid: from,
            known: read("known_from", words.known_from, ahead.before.known)?,
        },
        after: AsOf {
            valid: read("to", words.day_to, from.saturating_add(1.year()))?,
            known: read("known_to", words.known_to, ahead.after.known)?,
        },
    };
    match span.after.valid < span.before.valid || span.after.known < span.before.known {
        true => Err(Refusal::Invalid(words.order.to_owned())),
        false => Ok(span),
    }
}

fn form(at: &At, query: &Fields, span: Span) -> Markup {
    let words = &EN.law;
    // What cannot be read as a day is shown again as it was typed.
    let shown = |name: &str, day: Date| {
        let typed = query.optional(name);
        typed.map_or_else(|| day.to_string(), str::to_owned)
    };
    html! {
        form.row method="get" action=(at.link("/law/changes")) {
            (day_field("from", words.day_from, &shown("from", span.before.valid), None))
            (day_field("to", words.day_to, &shown("to", span.after.valid), None))
            (day_field("known_from", words.known_from, &shown("known_from", span.before.known), None))
            (day_field("known_to", words.known_to, &shown("known_to", span.after.known), None))
            p { button type="submit" { (words.compare) } }
        }
    }
}

/// What the law in use dates between the days, after the first, up to the second.
fn dated(at: &At, span: Span, known: Date) -> Vec<BookDate> {
    let book = &at.moment.library.book;
    let next = |day: Date| day.tomorrow().unwrap_or(day);
    book_dates(book, known, next(span.before.valid), next(span.after.valid))
}

fn calendar(at: &At, span: Span) -> Markup {
    let words = &EN.law;
    let dates = dated(at, span, span.after.known);
    let before = match span.before.known == span.after.known {
        true => None,
        false => Some(dated(at, span, span.before.known)),
    };
    html! {
        section aria-labelledby="calendar" {
            h2 #calendar { (words.calendar) @if !dates.is_empty() { " (" (EN.number(dates.len() as u64)) ")" } }
            @if dates.is_empty() { p.quiet { (words.calendar_none) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.date, words.happens, words.requirements, words.condition, words.citation]))
                    tbody {
                        @for date in dates.iter().take(ROWS_MAX) {
                            tr {
                                th scope="row" { (day(date.day)) }
                                td data-label=(words.happens) {
                                    a href=(at.link(&format!("/law/{}", encoded(&date.pack)))) { (date.pack) } " " (date.turn.word())
                                    @if before.as_ref().is_some_and(|before| !before.contains(date)) { " " (page::tag("undecided", "◆", html! { (words.learned) " " (EN.day(span.before.known)) })) }
                                }
                                td data-label=(words.requirements) {
                                    @for (n, id) in date.requirements.iter().take(NAMED_MAX).enumerate() { @if n > 0 { ", " } (requirement_link(at, id)) }
                                    @if date.requirements.len() > NAMED_MAX { " … " (EN.count(date.requirements.len() - NAMED_MAX, "more", "more")) }
                                }
                                td data-label=(words.condition) { @match &date.when { Some(when) => code { (when) }, None => (EN.shared.all) } }
                                td data-label=(words.citation) { cite { (date.cite) } }
                            }
                        }
                    }
                }
                (more(dates.len()))
            }
        }
    }
}

fn more(n: usize) -> Markup {
    html! { @if n > ROWS_MAX { p.note { (EN.number((n - ROWS_MAX) as u64)) " " (EN.law.more) } } }
}

/// A requirement that stands otherwise at the second point than at the first.
struct Difference<'a> {
    id: &'a str,
    what: &'a str,
    before: String,
    after: String,
}

fn differences(at: &At, span: Span) -> Markup {
    let words = &EN.law;
    let (before, after) = (for_nobody(at, span.before), for_nobody(at, span.after));
    let found: Vec<Difference<'_>> = before
        .iter()
        .zip(&after)
        .filter_map(|(before, after)| difference(before, after, span))
        .collect();
    html! {
        section aria-labelledby="differences" {
            h2 #differences { (words.differs) @if !found.is_empty() { " (" (EN.number(found.len() as u64)) ")" } }
            @if found.is_empty() { p.quiet { (words.differs_none) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.requirement, words.before, words.after, words.concerns]))
                    tbody {
                        @for one in found.iter().take(ROWS_MAX) {
                            tr {
                                th scope="row" { (requirement_link(at, one.id)) " " (one.what) }
                                td data-label=(words.before) { (one.before) }
                                td data-label=(words.after) { (one.after) }
                                td data-label=(words.concerns) { (fares(across(at, one.id))) }
                            }
                        }
                    }
                }
                (more(found.len()))
                p.note { (words.for_some) }
            }
        }
    }
}

fn difference<'a>(
    before: &'a Requirement,
    after: &'a Requirement,
    span: Span,
) -> Option<Difference<'a>> {
    let (was, is) = (
        OnDay::of(before, span.before.valid),
        OnDay::of(after, span.after.valid),
    );
    let words = |on_day: OnDay, requirement: &Requirement| {
        let mut words = on_day.words();
        if let (OnDay::InForce(_), Some(limited)) = (on_day, limited(&requirement.force)) {
            words.push_str(&format!(", {limited}"));
        }
        words
    };
    let (was, is) = (words(was, before), words(is, after));
    (was != is).then(|| Difference {
        id: &after.text().id,
        what: &after.text().what,
        before: was,
        after: is,
    })
}
