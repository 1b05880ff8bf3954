//! Systems: the inventory, with filters, saved views, export and import.

use alnager_office::declaration::Stage;
use alnager_office::launch::LaunchStanding;
use axum::extract::RawQuery;
use axum::response::Response;
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::export;
use crate::form::Fields;
use crate::inventory::{Made, Next, Query, STAGES, Sort, SystemRow, VERDICTS};
use crate::page::{self, Page, Room, day, field, verdict};
use crate::pages::{shared, views};
use crate::refusal::Refusal;
use crate::words::EN;

pub(super) mod import;

/// Rows of a page.
const ROWS_MAX: usize = 50;

/// The page.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let views = views::section(&at, views::List::Systems, &fields).await?;
    Ok(shown(
        &at,
        &Query::read(&fields),
        page_number(&fields),
        &views,
    ))
}

/// The page asked for, from 1.
pub(super) fn page_number(fields: &Fields) -> usize {
    fields.text("page").parse().unwrap_or(1).clamp(1, 1_000_000)
}

/// The same systems as a file.
pub(super) async fn csv(at: At, RawQuery(query): RawQuery) -> Response {
    let query = Query::read(&Fields::read(query.unwrap_or_default().as_bytes()));
    let found = at.moment.digest.inventory.find(&query, &at.moment.derived);
    let head = Sort::ALL.map(|sort| title(sort).to_owned()).to_vec();
    let rows = found.into_iter().map(csv_row);
    export::csv("systems.csv", std::iter::once(head).chain(rows))
}

/// A row of the file, in the order of the columns.
fn csv_row(row: &SystemRow) -> Vec<String> {
    let next = row.next.map_or(String::new(), |(day, _)| day.to_string());
    vec![
        row.name.clone(),
        row.id.clone(),
        row.stage.word().to_owned(),
        row.owner.clone(),
        row.verdict
            .map_or("", |verdict| EN.verdict(verdict))
            .to_owned(),
        row.places.join(" "),
        row.n_blockers.to_string(),
        next,
        launch_words(&row.launch).to_owned(),
        made(row.made).to_owned(),
    ]
}

/// The address of the list as asked for.
fn list_link(at: &At, query: &Query, page: usize) -> String {
    let mut fields = query.fields();
    if page > 1 {
        let mark = if fields.is_empty() { "" } else { "&" };
        fields.push_str(&format!("{mark}page={page}"));
    }
    match fields.as_str() {
        "" => at.link("/systems"),
        fields => at.link(&format!("/systems?{fields}")),
    }
}

fn shown(at: &At, query: &Query, page: usize, views: &Markup) -> Page {
    let words = &EN.systems;
    let inventory = &at.moment.digest.inventory;
    let found = inventory.find(query, &at.moment.derived);
    let page = page.min(found.len().div_ceil(ROWS_MAX).max(1));
    let declares = at.may(Action::Declare, Resource::Organisation);
    let body = html! {
        h1 { (Room::Systems.title()) }
        @if inventory.rows.is_empty() {
            (page::empty(words.empty, declares.then_some((at.link("/intake").as_str(), words.propose))))
            @if declares { p { a href=(at.link("/systems/import")) { (words.import) } } }
        } @else {
            (filter(at, query))
            @if found.is_empty() { p { (words.none_found) } }
            @else {
                (table(at, query, &found, page))
                p.note { (EN.count(found.len(), "system", "systems")) }
                (shared::pager(page, found.len().div_ceil(ROWS_MAX), &|page| list_link(at, query, page)))
            }
            p {
                a href=(at.link(&format!("/systems.csv?{}", query.fields()))) { (words.export) }
                @if declares { " · " a href=(at.link("/systems/import")) { (words.import) } }
            }
            (views)
        }
    };
    page::page(at, Room::Systems, Room::Systems.title(), body)
}

fn filter(at: &At, query: &Query) -> Markup {
    let words = &EN.systems;
    let places = &at.moment.digest.inventory.places;
    html! {
        form method="get" action=(at.link("/systems")) role="search" aria-label=(words.filter) {
            (field("q", words.search, &query.words, None))
            div.row {
                (choice("verdict", words.verdict, VERDICTS.map(|verdict| (verdict.word(), EN.verdict(verdict))), query.verdict.map_or("", |verdict| verdict.word())))
                (choice("stage", words.stage, STAGES.map(|stage| (stage.word(), stage_words(stage))), query.stage.map_or("", |stage| stage.word())))
                (choice("place", words.place, places.iter().map(|place| (place.as_str(), place.as_str())), &query.place))
                (choice("made", words.made, Made::ALL.map(|of| (of.word(), made(of))), query.made.map_or("", Made::word)))
            }
            div.row {
                (field("owner", words.owner, &query.owner, None))
                (field("binds", words.binds, &query.binds, Some(words.binds_note)))
            }
            @if query.sort != Sort::default() { input type="hidden" name="sort" value=(query.sort.word()); }
            @if query.is_down { input type="hidden" name="down" value="1"; }
            p {
                button type="submit" { (words.apply) }
                @if query.is_filtered() { " " a href=(at.link("/systems")) { (words.all) } }
            }
        }
    }
}

/// A choice of one value, or of any.
fn choice<'a>(
    name: &str,
    label: &str,
    values: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: &str,
) -> Markup {
    let any = [("", EN.systems.any)].into_iter();
    page::select_field(name, label, any.chain(values), chosen, None)
}

fn table(at: &At, query: &Query, found: &[&SystemRow], page: usize) -> Markup {
    let words = &EN.systems;
    html! {
        table.ledger.stacks {
            thead { tr { @for sort in Sort::ALL { (head(at, query, sort)) } } }
            tbody {
                @for row in found.iter().skip((page - 1) * ROWS_MAX).take(ROWS_MAX) {
                    tr data-of=(row.id) {
                        th scope="row" { a href=(at.link(&format!("/systems/{}", row.id))) { (row.name) } }
                        td data-label=(words.id) { code { (row.id) } }
                        td data-label=(words.stage) { (stage_words(row.stage)) }
                        td data-label=(words.owner) { (row.owner) }
                        td data-label=(words.verdict) {
                            @match row.verdict { Some(of) => (verdict(of)), None => span.quiet { (words.working) } }
                        }
                        td data-label=(words.place) { (unanswered(&row.places.join(", "))) }
                        td.figure data-label=(words.blockers) { (EN.number(row.n_blockers as u64)) }
                        td data-label=(words.next) {
                            @if let Some((on, what)) = row.next {
                                (day(on)) " "
                                span.quiet { (match what { Next::Use => words.next_use, Next::Requirement => words.next_requirement }) }
                            }
                        }
                        td data-label=(words.launch) { (launch(&row.launch)) }
                        td data-label=(words.made) { @if row.made == Made::Unknown { (unanswered("")) } @else { (made(row.made)) } }
                    }
                }
            }
        }
        p.note { (words.made) ": " (words.made_why) }
    }
}

fn head(at: &At, query: &Query, sort: Sort) -> Markup {
    let is_own = query.sort == sort;
    let (order, words) = match query.is_down {
        false => ("ascending", EN.systems.upwards),
        true => ("descending", EN.systems.downwards),
    };
    html! {
        th scope="col" aria-sort=[is_own.then_some(order)] {
            a href=(list_link(at, &query.sorted(sort), 1)) {
                span.unseen { (EN.systems.sort_by) " " } (title(sort))
                @if is_own { span aria-hidden="true" { (if query.is_down { " ↓" } else { " ↑" }) } span.unseen { ", " (words) } }
            }
        }
    }
}

fn title(sort: Sort) -> &'static str {
    let words = &EN.systems;
    match sort {
        Sort::Id => words.id,
        Sort::Name => words.name,
        Sort::Stage => words.stage,
        Sort::Owner => words.owner,
        Sort::Verdict => words.verdict,
        Sort::Place => words.place,
        Sort::Blockers => words.blockers,
        Sort::Next => words.next,
        Sort::Launch => words.launch,
        Sort::Made => words.made,
    }
}

/// What was answered, or that nobody did.
fn unanswered(text: &str) -> Markup {
    html! { @if text.is_empty() { span.quiet { (EN.systems.unanswered) } } @else { (text) } }
}

/// A stage in words.
pub(super) fn stage_words(stage: Stage) -> &'static str {
    let words = &EN.systems;
    match stage {
        Stage::Proposed => words.proposed,
        Stage::Development => words.development,
        Stage::Validation => words.validation,
        Stage::InUse => words.in_use,
        Stage::Retired => words.retired,
    }
}

fn made(made: Made) -> &'static str {
    let words = &EN.systems;
    match made {
        Made::Built => words.built,
        Made::Embedded => words.embedded,
        Made::Bought => words.bought,
        Made::Unknown => words.unanswered,
    }
}

/// How the decision on going live stands, in words.
pub(super) fn launch_words(launch: &LaunchStanding) -> &'static str {
    let words = &EN.systems;
    match launch {
        LaunchStanding::NotDecided => words.not_decided,
        LaunchStanding::NeedsSecond { .. } => words.needs_second,
        LaunchStanding::Approved => words.approved,
        LaunchStanding::Conditional { .. } => words.conditional,
        LaunchStanding::Refused => words.refused,
        LaunchStanding::Withdrawn => words.withdrawn,
        LaunchStanding::Lapsed { .. } => words.lapsed,
        LaunchStanding::Superseded { .. } => words.superseded,
    }
}

/// The same with the day it turns on.
pub(super) fn launch(launch: &LaunchStanding) -> Markup {
    html! {
        (launch_words(launch))
        @match launch {
            LaunchStanding::Conditional { expires, .. } => { " " (EN.systems.until) " " (day(*expires)) }
            LaunchStanding::Lapsed { expired_on } => { " " (day(*expired_on)) }
            LaunchStanding::NotDecided
            | LaunchStanding::NeedsSecond { .. }
            | LaunchStanding::Approved
            | LaunchStanding::Refused
            | LaunchStanding::Withdrawn
            | LaunchStanding::Superseded { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
