//! Dossiers: one file with everything an outsider needs to check one system.

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_office::decide::Command;
use alnager_work::dossier::{LATER_MAX, Under, draw, witnesses};
use alnager_work::journal::checkpoint_of;
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, field, form_fields};
use crate::pages::shared::{
    self, Paging, answered, attachment, encoded, entry_link, head, holds, searched, system_link,
};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// The systems to choose from.
pub(super) async fn list(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    list_page(&at, None, &query, &Fields::default()).await
}

/// Enters that a dossier is drawn, and sends it.
pub(super) async fn draw_for(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let system = fields.text("system").to_owned();
    let command = Command::DrawDossier {
        system: system.clone(),
        recipient: fields.text("recipient").to_owned(),
        reason: fields.text("reason").to_owned(),
    };
    match at.enter(command, fields.once()).await {
        Ok(_) => Ok(see_other(&at.link(&file_path(&system)))),
        Err(refusal) => {
            let page = list_page(&at.again(), Some(&refusal), &Fields::default(), &fields).await?;
            Ok(answered(page, Some(&refusal)))
        }
    }
}

fn file_path(system: &str) -> String {
    format!("/journal/dossiers/{}", encoded(system))
}

async fn list_page(
    at: &At,
    refusal: Option<&Refusal>,
    query: &Fields,
    typed: &Fields,
) -> Result<Page, Refusal> {
    let words = &EN.journal;
    let sought = searched(query);
    let systems = at.state().systems.iter();
    let rows: Vec<&String> = systems
        .filter(|(id, system)| {
            sought.is_empty() || holds(&format!("{id} {}", system.declaration.name), &sought)
        })
        .map(|(id, _)| id)
        .collect();
    let paging = Paging::of(query, rows.len());
    let desk = at.organisation.reader().await?;
    let now = checkpoint_of(&desk, None).await?;
    let cosigned = match desk.cosigned().await? {
        Some(size) => Some(checkpoint_of(&desk, Some(size)).await?),
        None => None,
    };
    let cosigned = cosigned.filter(|one| one.checkpoint() != now.checkpoint());
    let cosigned_size = cosigned.as_ref().map(|one| one.checkpoint().size());
    let path = at.link("/journal/dossiers");
    let body = html! {
        p.crumbs { a href=(at.link("/journal")) { (Room::Journal.title()) } " · " a href=(at.link("/journal/verify")) { (words.verify) } }
        h1 { (words.dossiers) }
        (complaint(refusal))
        p.lead { (words.dossiers_lead) }
        dl.facts {
            dt { (words.witnesses_now) } dd { (signed_by(&now)) }
            @if let Some(cosigned) = &cosigned { dt { (words.witnesses_newest) } dd { (signed_by(cosigned)) } }
        }
        p.note { (words.witnesses_note) }
        @if at.state().systems.is_empty() { (page::empty(words.no_systems, Some((&at.link("/systems"), EN.rooms.systems)))) }
        @else {
            (shared::search(&path, query, words.dossiers_search))
            @if rows.is_empty() { p.quiet { (EN.shared.none_match) } }
            @else {
                table.ledger.stacks {
                    (head(&[EN.evidence.system, words.last_review, words.last_entry, words.dossier]))
                    tbody { @for id in paging.rows(&rows) { (line(at, id, cosigned_size)) } }
                }
                (paging.links(&path, query))
            }
            (drawing_form(at, typed))
        }
    };
    Ok(page::page(at, Room::Journal, words.dossiers, body))
}

/// Draws a dossier for somebody, which is entered.
fn drawing_form(at: &At, typed: &Fields) -> Markup {
    let words = &EN.journal;
    html! {
        section aria-labelledby="draw" {
            h2 #draw { (words.draw) }
            p { (words.draw_lead) }
            form method="post" action=(at.link("/journal/dossiers")) {
                (form_fields(at))
                (field("system", EN.evidence.system, typed.text("system"), Some(words.system_id)))
                (field("recipient", words.recipient, typed.text("recipient"), Some(words.recipient_note)))
                (field("reason", words.draw_reason, typed.text("reason"), Some(words.draw_reason_note)))
                p { button type="submit" { (words.draw_send) } }
            }
        }
    }
}

/// Over how many entries a checkpoint is, and whose signatures it bears, which are not checked here.
fn signed_by(checkpoint: &SignedCheckpoint) -> Markup {
    let words = &EN.journal;
    let names = witnesses(checkpoint);
    html! {
        (EN.number(checkpoint.checkpoint().size())) " " (words.entries_long) ", "
        @if names.is_empty() { span.quiet { (words.no_witness) } }
        @else { (words.bears) " " (names.join(", ")) ", " (words.not_checked_here) }
    }
}

/// A system; `cosigned` is the size of the newest cosigned checkpoint, where the last one is not cosigned.
fn line(at: &At, id: &str, cosigned: Option<u64>) -> Markup {
    let words = &EN.journal;
    let Some(system) = at.state().systems.get(id) else {
        return html! {};
    };
    let latest = at.state().heads.get(&system.subject);
    let file = at.link(&file_path(id));
    let is_covered = latest.is_some_and(|latest| cosigned.is_some_and(|size| size > *latest));
    let n_later = at.state().size - latest.map_or(0, |latest| latest + 1);
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
            td data-label=(words.dossier) {
                @if n_later <= LATER_MAX { a href=(file) { (words.take_dossier) span.unseen { " " (system.declaration.name) } } }
                @else { a href=(format!("{file}?earliest")) { (words.take_earliest) span.unseen { " " (system.declaration.name) } } }
                @if is_covered { " · " a href=(format!("{file}?cosigned")) { (words.take_cosigned) span.unseen { " " (system.declaration.name) } } }
            }
        }
    }
}

/// The dossier of a system at the checkpoint signed last; with `cosigned` in the query at the newest one that a witness has cosigned, with
/// `earliest` at the first one that covers the last entry about the system.
pub(super) async fn take(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let system = at.named("system");
    if !at.state().systems.contains_key(system) {
        return Err(Refusal::NotFound);
    }
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let under = match (query.all("cosigned").next(), query.all("earliest").next()) {
        (Some(_), _) => Under::Cosigned,
        (None, Some(_)) => Under::Earliest,
        (None, None) => Under::Last,
    };
    let desk = at.organisation.reader().await?;
    let drawn = draw(&desk, system, under).await?;
    let name = format!("{system}.alnager");
    Ok(attachment(&name, "application/octet-stream", drawn.bytes))
}
