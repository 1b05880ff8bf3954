//! The journal: what happened, in words, with the proof of every entry.

use std::collections::HashMap;

use alnager_journal::entry::Entry;
use alnager_office::event::Event;
use axum::extract::RawQuery;
use jiff::Timestamp;
use maud::{Markup, html};
use uuid::Uuid;

use crate::access::Action;
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, field};
use crate::pages::shared::{ROWS, head, holds, searched, system_link, with_field};
use crate::refusal::Refusal;
use crate::route::Routes;
use crate::words::EN;
use crate::words::journal::GROUPS;

mod dossiers;
mod entry;
mod told;
mod verify;

/// Most entries that are looked at for one page of those that fit a filter.
const LOOKED_AT_MAX: u64 = 20_000;

/// The same, where what each entry says is searched: that is opened and decrypted.
const SEARCHED_MAX: u64 = 1_000;

/// Entries read at once.
const READ: u64 = 500;

/// The routes of the room.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/{org}/journal", Action::Prove, list)
        .get("/{org}/journal/{entry}", Action::Prove, entry::show)
        .get("/{org}/journal/{entry}/proof", Action::Prove, entry::proof)
        .get(
            "/{org}/journal/checkpoint",
            Action::Prove,
            entry::checkpoint,
        )
        .get("/{org}/journal/dossiers", Action::Prove, dossiers::list)
        .post("/{org}/journal/dossiers", Action::Prove, dossiers::draw_for)
        .get(
            "/{org}/journal/dossiers/{system}",
            Action::Prove,
            dossiers::take,
        )
        .get("/{org}/journal/verify", Action::Prove, verify::show)
        .upload(
            "/{org}/journal/verify",
            Action::Prove,
            verify::FORM_BYTES_MAX,
            verify::upload,
        )
        .post("/{org}/journal/verify/log", Action::Prove, verify::own_log)
}

/// What a query asks for.
struct Wanted {
    /// What the kinds begin with; empty for all.
    kind: String,
    /// The system's subject, where only entries about it are wanted.
    subject: Option<Uuid>,
    words: Vec<String>,
    /// The newest entry to look at; `None` for the latest there is.
    from: Option<u64>,
}

/// Entries that fit, the latest first.
struct Found {
    rows: Vec<Row>,
    /// The entries that were looked at: the newest and the oldest.
    looked: Option<(u64, u64)>,
    /// Where to look on.
    next: Option<u64>,
}

/// One entry with what it tells.
struct Row {
    index: u64,
    entry: Entry,
    particulars: String,
}

/// What subjects are, for people.
struct Subjects<'a> {
    systems: HashMap<&'a str, &'a str>,
}

impl<'a> Subjects<'a> {
    fn of(at: &'a At) -> Subjects<'a> {
        let systems = at.state().systems.iter();
        Subjects {
            systems: systems
                .map(|(id, system)| (system.subject.as_str(), id.as_str()))
                .collect(),
        }
    }

    fn system(&self, subject: &Uuid) -> Option<&'a str> {
        self.systems.get(subject.to_string().as_str()).copied()
    }
}

/// The subject that is neither a system nor a person.
fn is_organisation(at: &At, subject: &Uuid) -> bool {
    let organisation = at.state().organisation.as_ref();
    organisation.is_some_and(|organisation| organisation.id == subject.to_string())
}

/// The history.
async fn list(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let subjects = Subjects::of(&at);
    let (found, refusal) = match wanted(&at, &query) {
        Ok(wanted) => (looked_up(&at, &wanted, &subjects).await?, None),
        Err(refusal) => (Found::nothing(), Some(refusal)),
    };
    let words = &EN.journal;
    let is_narrowed = ["kind", "system", "q"]
        .iter()
        .any(|name| query.optional(name).is_some());
    let body = html! {
        h1 { (Room::Journal.title()) }
        p.lead { (words.lead) }
        p { a href=(at.link("/journal/dossiers")) { (words.dossiers) } " · " a href=(at.link("/journal/verify")) { (words.verify) } " · " a href=(at.link("/journal/checkpoint")) { (words.take_checkpoint) } }
        (page::complaint(refusal.as_ref()))
        (filter(&at, &query))
        @if found.rows.is_empty() { p.quiet { (words.none_here) } }
        @else { (table(&at, &found.rows, &subjects)) }
        (further(&at, &query, &found, is_narrowed))
    };
    let page = page::page(&at, Room::Journal, Room::Journal.title(), body);
    Ok(match refusal {
        Some(refusal) => page.with_status(refusal.status()),
        None => page,
    })
}

impl Found {
    fn nothing() -> Found {
        Found {
            rows: Vec::new(),
            looked: None,
            next: None,
        }
    }
}

fn wanted(at: &At, query: &Fields) -> Result<Wanted, Refusal> {
    let subject = match query.optional("system") {
        Some(system) => {
            let known = at.state().systems.get(system);
            let subject = known.and_then(|known| known.subject.parse().ok());
            let missing = || Refusal::Invalid(format!("{}: `{system}`", EN.journal.no_system));
            Some(subject.ok_or_else(missing)?)
        }
        None => None,
    };
    Ok(Wanted {
        kind: query.text("kind").to_owned(),
        subject,
        words: searched(query),
        from: query.text("from").parse().ok(),
    })
}

async fn looked_up(at: &At, wanted: &Wanted, subjects: &Subjects<'_>) -> Result<Found, Refusal> {
    match wanted.subject {
        Some(subject) => along(at, wanted, subject, subjects).await,
        None => back(at, wanted, subjects).await,
    }
}

/// Looks back through all entries, some hundreds at a time; the reader is free between them.
async fn back(at: &At, wanted: &Wanted, subjects: &Subjects<'_>) -> Result<Found, Refusal> {
    let size = at.state().size;
    let (most, step) = match (wanted.kind.is_empty(), wanted.words.is_empty()) {
        (true, true) => (ROWS as u64, ROWS as u64),
        (_, false) => (SEARCHED_MAX, READ / 5),
        (false, true) => (LOOKED_AT_MAX, READ),
    };
    let newest = wanted
        .from
        .map_or(size, |from| from.saturating_add(1))
        .min(size);
    let floor = newest.saturating_sub(most);
    let mut end = newest;
    let mut rows = Vec::new();
    while end > floor && rows.len() < ROWS {
        let start = end.saturating_sub(step).max(floor);
        let desk = at.organisation.reader().await?;
        let mut entries = desk.entries(start, end).await?;
        while let Some((index, entry)) = entries.pop() {
            end = index;
            if let Some(row) = row(at, &desk, wanted, subjects, index, entry).await? {
                rows.push(row);
            }
            if rows.len() == ROWS {
                break;
            }
        }
        if rows.len() < ROWS {
            end = start;
        }
    }
    Ok(Found {
        rows,
        looked: (newest > end).then(|| (newest - 1, end)),
        next: end.checked_sub(1),
    })
}

/// Follows the entries about one subject, each of which names the one before.
async fn along(
    at: &At,
    wanted: &Wanted,
    subject: Uuid,
    subjects: &Subjects<'_>,
) -> Result<Found, Refusal> {
    let latest = at.state().heads.get(&subject.to_string()).copied();
    let desk = at.organisation.reader().await?;
    let mut next = latest;
    if let Some(from) = wanted.from
        && let Some(entry) = desk.entry(from).await?
        && entry.about(subject).is_some()
    {
        next = Some(from);
    }
    let (mut rows, mut looked, mut n_looked) = (Vec::new(), None, 0);
    while let Some(index) = next
        && rows.len() < ROWS
        && n_looked < SEARCHED_MAX
    {
        let entry = desk.entry(index).await?.ok_or(Refusal::Internal)?;
        next = entry
            .about(subject)
            .and_then(|about| about.prev)
            .filter(|prev| *prev < index);
        let newest = looked.map_or(index, |(newest, _)| newest);
        looked = Some((newest, index));
        n_looked += 1;
        rows.extend(row(at, &desk, wanted, subjects, index, entry).await?);
    }
    Ok(Found { rows, looked, next })
}

/// An entry that fits, with what it tells.
async fn row(
    at: &At,
    desk: &alnager_store::Desk,
    wanted: &Wanted,
    subjects: &Subjects<'_>,
    index: u64,
    entry: Entry,
) -> Result<Option<Row>, Refusal> {
    let rest = entry.kind.strip_prefix(wanted.kind.as_str());
    let is_kind =
        wanted.kind.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if !is_kind {
        return Ok(None);
    }
    let particulars = match desk.payload(index).await? {
        Some(payload) => match Event::from_payload(&entry.kind, &payload.bytes) {
            Ok(event) => told::particulars(at, &event),
            Err(_) => EN.journal.unreadable.to_owned(),
        },
        None => EN.journal.erased.to_owned(),
    };
    let fits = wanted.words.is_empty() || {
        let names = entry.subjects.iter();
        let names = names.filter_map(|about| subjects.system(&about.id));
        let text = format!(
            "{index} {} {} {particulars} {} {} {}",
            entry.kind,
            EN.journal.happened(&entry.kind),
            at.name(&entry.actor.to_string()),
            names.collect::<Vec<_>>().join(" "),
            entry.at
        );
        holds(&text, &wanted.words)
    };
    Ok(fits.then_some(Row {
        index,
        entry,
        particulars,
    }))
}

fn filter(at: &At, query: &Fields) -> Markup {
    let words = &EN.journal;
    let chosen = query.text("kind");
    html! {
        form.row method="get" action=(at.link("/journal")) role="search" aria-label=(words.filter) {
            div.field {
                label for="kind" { (words.kind) }
                select id="kind" name="kind" {
                    option value="" { (words.any_kind) }
                    @for (kind, title) in GROUPS { option value=(kind) selected[kind == chosen] { (title) } }
                    @if !chosen.is_empty() && GROUPS.iter().all(|(kind, _)| *kind != chosen) { option value=(chosen) selected { (chosen) } }
                }
            }
            (field("system", words.system, query.text("system"), Some(words.system_note)))
            div.field {
                label for="q" { (EN.shared.search) }
                input type="search" id="q" name="q" value=(query.text("q")) aria-describedby="q-note";
                p.note #q-note { (words.search_note) }
            }
            p { button type="submit" { (words.show) } }
        }
    }
}

fn table(at: &At, rows: &[Row], subjects: &Subjects<'_>) -> Markup {
    let words = &EN.journal;
    html! {
        table.ledger.stacks {
            (head(&[words.entry, words.what, words.about, words.who, words.when]))
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" { a href=(at.link(&format!("/journal/{}", row.index))) { (EN.number(row.index)) } }
                        td data-label=(words.what) {
                            (page::sentence(&words.happened(&row.entry.kind)))
                            @if !row.particulars.is_empty() { br; span.note { (short(&row.particulars)) } }
                        }
                        td data-label=(words.about) { (abouts(at, &row.entry, subjects)) }
                        td data-label=(words.who) { (at.name(&row.entry.actor.to_string())) }
                        td data-label=(words.when) { (moment(&row.entry.at)) }
                    }
                }
            }
        }
    }
}

/// At most so much of a line as a row of a list has room for.
fn short(text: &str) -> String {
    match text.char_indices().nth(240) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// What an entry is about, with links.
fn abouts(at: &At, entry: &Entry, subjects: &Subjects<'_>) -> Markup {
    html! {
        @for (n, about) in entry.subjects.iter().enumerate() {
            @if n > 0 { ", " }
            @match subjects.system(&about.id) {
                Some(system) => (system_link(at, system)),
                None => {
                    @if is_organisation(at, &about.id) { (EN.journal.organisation) }
                    @else { (at.name(&about.id.to_string())) }
                }
            }
        }
    }
}

/// When something happened: day and minute, in UTC as the journal has it.
fn moment(at: &str) -> Markup {
    let day = at
        .parse::<Timestamp>()
        .map(|instant| instant.to_zoned(jiff::tz::TimeZone::UTC).date());
    let minute = at.get(11..16).unwrap_or_default();
    html! {
        time datetime=(at) {
            @match day { Ok(day) => (EN.day(day)), Err(_) => (at) }
            " " (minute) " UTC"
        }
    }
}

fn further(at: &At, query: &Fields, found: &Found, is_narrowed: bool) -> Markup {
    let words = &EN.journal;
    let path = at.link("/journal");
    let on = if is_narrowed && found.rows.len() < ROWS {
        words.goes_on
    } else {
        words.older
    };
    html! {
        nav.pages aria-label=(EN.shared.pages) {
            @if query.optional("from").is_some() { a href=(with_field(&path, query, "from", "")) rel="prev" { (words.newest) } " · " }
            @if let Some((newest, oldest)) = found.looked { (words.looked) " " (EN.number(newest)) " – " (EN.number(oldest)) " · " }
            @match found.next {
                Some(next) => a href=(with_field(&path, query, "from", &next.to_string())) rel="next" { (on) },
                None => span.quiet { (words.end) },
            }
        }
    }
}

#[cfg(test)]
mod tests;
