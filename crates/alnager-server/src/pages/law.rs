//! Law: what is in force on a day, whom it concerns and how the systems fare under it.

use alnager_law::agenda::is_law;
use alnager_law::fact::Facts;
use alnager_law::pack::{Pack, PackKind};
use alnager_law::requirement::{AsOf, Force, Requirement, Standing, requirements};
use axum::extract::RawQuery;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::digest::Across;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day};
use crate::pages::shared::{
    self, Paging, choices, day_field, day_of, encoded, head, holds, searched,
};
use crate::refusal::Refusal;
use crate::route::Routes;
use crate::words::EN;

mod changes;
mod impact;
mod pack;
mod provision;
mod reading;
mod requirement;

/// The routes of the room.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/{org}/law", Action::Read, list)
        .get("/{org}/law/changes", Action::Read, changes::show)
        .get("/{org}/law/{pack}", Action::Read, pack::show)
        .post("/{org}/law/{pack}/adoption", Action::Advise, pack::adopt)
        .get(
            "/{org}/law/requirements/{requirement}",
            Action::Read,
            requirement::show,
        )
        .post(
            "/{org}/law/requirements/{requirement}/reading",
            Action::Advise,
            reading::record,
        )
        .post(
            "/{org}/law/requirements/{requirement}/wording",
            Action::Advise,
            reading::confirm,
        )
}

/// How a requirement stands on a day, whomever it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDay {
    /// It governs somebody.
    InForce(Date),
    /// It will.
    Ahead(Date),
    /// It did.
    Ended(Date),
    /// No date is known.
    Undated,
}

impl OnDay {
    /// `requirement`: judged for nobody in particular.
    fn of(requirement: &Requirement, on: Date) -> OnDay {
        match &requirement.standing {
            Standing::InForce { from } => OnDay::InForce(*from),
            Standing::Ahead { from } => OnDay::Ahead(*from),
            Standing::Waiting { until, .. } => OnDay::Ahead(*until),
            Standing::Ended { on } => OnDay::Ended(*on),
            Standing::Unknown {
                from: Some(from), ..
            } if *from <= on => OnDay::InForce(*from),
            Standing::Unknown {
                from: Some(from), ..
            } => OnDay::Ahead(*from),
            Standing::Unknown { from: None, .. } | Standing::NotApplicable(_) => OnDay::Undated,
        }
    }

    /// In words.
    fn words(self) -> String {
        let words = &EN.law;
        match self {
            OnDay::InForce(from) => format!("{} {} {}", words.in_force, words.since, EN.day(from)),
            OnDay::Ahead(from) => format!("{} {}", words.begins, EN.day(from)),
            OnDay::Ended(on) => format!("{} {}", words.ended, EN.day(on)),
            OnDay::Undated => words.no_date.to_owned(),
        }
    }

    /// With its mark.
    fn tag(self) -> Markup {
        let (class, mark) = match self {
            OnDay::InForce(_) => ("clear", "■"),
            OnDay::Ahead(_) => ("ahead", "▷"),
            OnDay::Ended(_) => ("quiet", "·"),
            OnDay::Undated => ("undecided", "◐"),
        };
        page::tag(class, mark, self.words())
    }
}

/// Every requirement of the law in use, judged for nobody in particular: what depends on facts is unknown, from the earliest day it could
/// govern.
fn for_nobody(at: &At, when: AsOf) -> Vec<Requirement> {
    requirements(&at.moment.library.book, &Facts::new(), when)
}

/// The two days that a query asks for, or today; what is wrong with it is said.
fn asked(at: &At, query: &Fields) -> (AsOf, Option<Refusal>) {
    let read = || -> Result<AsOf, Refusal> {
        Ok(AsOf {
            valid: day_of(query, "at", EN.law.day)?.unwrap_or(at.today()),
            known: day_of(query, "known", EN.law.known)?.unwrap_or(at.today()),
        })
    };
    let today = AsOf {
        valid: at.today(),
        known: at.today(),
    };
    match read() {
        Ok(when) => (when, None),
        Err(refusal) => (today, Some(refusal)),
    }
}

/// A page, with the status of what is wrong with its query.
fn with_refusal(page: Page, refusal: Option<&Refusal>) -> Page {
    match refusal {
        Some(refusal) => page.with_status(refusal.status()),
        None => page,
    }
}

/// The fields for the two days of a question to the law; the query's other fields are kept.
fn days_form(path: &str, query: &Fields, when: AsOf) -> Markup {
    let words = &EN.law;
    let kept = query
        .pairs()
        .filter(|(name, value)| !["at", "known", "page"].contains(name) && !value.is_empty());
    html! {
        form.row method="get" action=(path) {
            @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
            (day_field("at", words.day, &when.valid.to_string(), Some(words.day_note)))
            (day_field("known", words.known, &when.known.to_string(), Some(words.known_note)))
            p { button type="submit" { (words.show) } }
        }
    }
}

/// The query of a link to a page of the law that keeps the two days.
fn days_query(query: &Fields) -> String {
    let kept = query
        .pairs()
        .filter(|(name, value)| ["at", "known"].contains(name) && !value.is_empty());
    let kept: Vec<String> = kept
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    match kept.is_empty() {
        true => String::new(),
        false => format!("?{}", kept.join("&")),
    }
}

/// One pack with what a list shows of it.
struct Row<'a> {
    pack: &'a Pack,
    n_in_force: usize,
    n_ahead: usize,
    next: Option<Date>,
    across: Across,
}

/// The packs in use.
async fn list(at: At, RawQuery(query): RawQuery) -> Page {
    let words = &EN.law;
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let (when, refusal) = asked(&at, &query);
    let rows = rows(&at, &query, when);
    let paging = Paging::of(&query, rows.len());
    let path = at.link("/law");
    let kinds = [
        PackKind::Statute,
        PackKind::Regulation,
        PackKind::LocalLaw,
        PackKind::Guidance,
        PackKind::Standard,
        PackKind::Framework,
        PackKind::Bill,
        PackKind::Policy,
    ];
    let kinds = kinds.map(|kind| (words.kind(kind), words.kind(kind).to_owned()));
    let all = [("", EN.shared.all.to_owned())].into_iter();
    let kinds: Vec<(&str, String)> = all.chain(kinds).collect();
    let body = html! {
        h1 { (Room::Law.title()) }
        p.lead { (words.lead) }
        p { a href=(at.link("/law/changes")) { (words.changes) } }
        (complaint(refusal.as_ref()))
        (days_form(&path, &query, when))
        (choices(&path, &query, "kind", words.by_kind, &kinds))
        (shared::search(&path, &query, words.search))
        @if rows.is_empty() { p.quiet { (EN.shared.none_match) } }
        @else {
            table.ledger.stacks {
                (head(&[words.pack, words.where_, words.standing, words.requirements, words.next, words.fares]))
                tbody { @for row in paging.rows(&rows) { (line(&at, row, &query, when)) } }
            }
            p.note { (words.for_some) " " (words.fares_note) }
            (paging.links(&path, &query))
        }
    };
    let page = page::page(&at, Room::Law, Room::Law.title(), body);
    with_refusal(page, refusal.as_ref())
}

fn rows<'a>(at: &'a At, query: &Fields, when: AsOf) -> Vec<Row<'a>> {
    let (kind, sought) = (query.text("kind"), searched(query));
    let judged = for_nobody(at, when);
    let fits = |pack: &&Pack| {
        let text = format!(
            "{} {} {} {}",
            pack.id, pack.title, pack.jurisdiction, pack.citation
        );
        (kind.is_empty() || EN.law.kind(pack.kind) == kind) && holds(&text, &sought)
    };
    let packs = at.moment.library.book.packs().filter(fits);
    packs.map(|pack| row(at, pack, &judged, when)).collect()
}

fn row<'a>(at: &At, pack: &'a Pack, judged: &[Requirement], when: AsOf) -> Row<'a> {
    let mut row = Row {
        pack,
        n_in_force: 0,
        n_ahead: 0,
        next: None,
        across: Across::default(),
    };
    let own = judged.iter().filter(|one| one.pack().id == pack.id);
    for requirement in own {
        match OnDay::of(requirement, when.valid) {
            OnDay::InForce(_) => row.n_in_force += 1,
            OnDay::Ahead(from) => {
                row.n_ahead += 1;
                row.next = Some(row.next.map_or(from, |next| next.min(from)));
            }
            OnDay::Ended(_) | OnDay::Undated => {}
        }
        let across = across(at, &requirement.text().id);
        row.across.met += across.met;
        row.across.gap += across.gap;
        row.across.unknown += across.unknown;
        row.across.ahead += across.ahead;
    }
    row
}

/// How a requirement stands across systems.
fn across(at: &At, requirement: &str) -> Across {
    let known = at.moment.digest.requirements.get(requirement);
    known.copied().unwrap_or_default()
}

fn line(at: &At, row: &Row<'_>, query: &Fields, when: AsOf) -> Markup {
    let words = &EN.law;
    let pack = row.pack;
    let link = at.link(&format!("/law/{}{}", encoded(&pack.id), days_query(query)));
    html! {
        tr data-of=(pack.id) {
            th scope="row" { a href=(link) { (pack.title) } br; span.note { (words.kind(pack.kind)) " · " (pack.id) " " (pack.version) } }
            td data-label=(words.where_) { (pack.jurisdiction) }
            td data-label=(words.standing) { (binds(at, pack)) }
            td data-label=(words.requirements) {
                @if pack.requirements.is_empty() { (EN.count(pack.clocks.len(), "clock", "clocks")) }
                @else { (EN.number(row.n_in_force as u64)) " " (EN.shared.of) " " (EN.number(pack.requirements.len() as u64)) " " (words.in_force) }
                @if row.n_ahead > 0 { ", " (EN.number(row.n_ahead as u64)) " " (words.coming) }
                @if pack.known_as_of < when.known { br; span.note { (words.read_to) " " (day(pack.known_as_of)) } }
            }
            td data-label=(words.next) { @match row.next { Some(next) => (day(next)), None => span.quiet { (words.none) } } }
            td data-label=(words.fares) { @if !pack.requirements.is_empty() { (fares(row.across)) } }
        }
    }
}

/// Whether a pack binds.
fn binds(at: &At, pack: &Pack) -> Markup {
    let words = &EN.law;
    html! {
        @if is_law(pack) { (words.binding) }
        @else if pack.kind == PackKind::Bill { span.quiet { (words.bill) } }
        @else if at.state().counsel.adopts(&pack.id) { (words.adopted) }
        @else { span.quiet { (words.voluntary) } }
    }
}

/// Numbers of requirements of systems, each with the mark of how they fare.
fn fares(across: Across) -> Markup {
    use alnager_office::gate::Status;
    let shown = [
        (across.met, Status::Met),
        (across.gap, Status::Gap),
        (across.unknown, Status::Unknown),
        (across.ahead, Status::Ahead),
    ];
    let is_none = shown.iter().all(|(n, _)| *n == 0);
    html! {
        @if is_none { span.quiet { (EN.law.no_one) } }
        @for (n, status) in shown.into_iter().filter(|(n, _)| *n > 0) { (EN.number(n as u64)) " " (page::status(status)) " " }
    }
}

/// How far a requirement can be enforced, where that is worth saying.
fn limited(force: &Force) -> Option<String> {
    match force {
        Force::Enforceable | Force::Voluntary | Force::Bill => None,
        Force::Limited { .. } => Some(force.words()),
    }
}

/// What is not confirmed about a requirement: marked, and opened for the reasons.
fn preview(of: &str, doubts: &[String]) -> Markup {
    html! {
        @if !doubts.is_empty() {
            details.why {
                summary { (page::tag("undecided", "◐", EN.law.preview)) span.unseen { " " (of) } }
                div { p { (EN.law.preview_note) ":" } ul { @for doubt in doubts { li { (doubt) } } } }
            }
        }
    }
}

#[cfg(test)]
mod tests;
