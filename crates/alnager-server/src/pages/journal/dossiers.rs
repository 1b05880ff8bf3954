//! Dossiers: one file with everything an outsider needs to check one system.

use alnager_work::dossier::build_under;
use alnager_work::journal::checkpoint_of;
use axum::extract::RawQuery;
use axum::response::Response;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, day};
use crate::pages::shared::{
    self, Paging, attachment, encoded, entry_link, head, holds, searched, system_link,
};
use crate::refusal::Refusal;
use crate::words::EN;

/// The systems to choose from.
pub(super) async fn list(at: At, RawQuery(query): RawQuery) -> Page {
    let words = &EN.journal;
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let sought = searched(&query);
    let systems = at.state().systems.iter();
    let rows: Vec<&String> = systems
        .filter(|(id, system)| {
            sought.is_empty() || holds(&format!("{id} {}", system.declaration.name), &sought)
        })
        .map(|(id, _)| id)
        .collect();
    let paging = Paging::of(&query, rows.len());
    let path = at.link("/journal/dossiers");
    let body = html! {
        p.crumbs { a href=(at.link("/journal")) { (Room::Journal.title()) } " · " a href=(at.link("/journal/verify")) { (words.verify) } }
        h1 { (words.dossiers) }
        p.lead { (words.dossiers_lead) }
        @if at.state().systems.is_empty() { (page::empty(words.no_systems, Some((&at.link("/systems"), EN.rooms.systems)))) }
        @else {
            (shared::search(&path, &query, words.dossiers_search))
            @if rows.is_empty() { p.quiet { (EN.shared.none_match) } }
            @else {
                table.ledger.stacks {
                    (head(&[EN.evidence.system, words.last_review, words.last_entry, words.dossier]))
                    tbody { @for id in paging.rows(&rows) { (line(&at, id)) } }
                }
                (paging.links(&path, &query))
            }
        }
    };
    page::page(&at, Room::Journal, words.dossiers, body)
}

fn line(at: &At, id: &str) -> Markup {
    let words = &EN.journal;
    let Some(system) = at.state().systems.get(id) else {
        return html! {};
    };
    let latest = at.state().heads.get(&system.subject);
    html! {
        tr data-of=(id) {
            th scope="row" { (system_link(at, id)) }
            td data-label=(words.last_review) {
                @match &system.review {
                    Some(review) => { (review.verdict) ", " (day(review.judged_on)) }
                    None => span.quiet { (words.no_review) },
                }
            }
            td data-label=(words.last_entry) { @if let Some(index) = latest { (entry_link(at, *index)) } }
            td data-label=(words.dossier) { a href=(at.link(&format!("/journal/dossiers/{}", encoded(id)))) { (words.take_dossier) span.unseen { " " (system.declaration.name) } } }
        }
    }
}

/// The dossier of a system at the checkpoint signed last.
pub(super) async fn take(at: At) -> Result<Response, Refusal> {
    let system = at.named("system");
    let desk = at.organisation.reader().await?;
    let checkpoint = checkpoint_of(&desk, None).await?;
    let bytes = build_under(&desk, system, checkpoint).await?;
    let name = format!("{system}.alnager");
    Ok(attachment(&name, "application/octet-stream", bytes))
}
