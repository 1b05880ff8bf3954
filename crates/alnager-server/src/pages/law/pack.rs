//! One pack: its requirements with their dates, whom they concern, and whether the organisation adopts it.

use alnager_law::agenda::is_law;
use alnager_law::pack::{Pack, PackKind};
use alnager_law::requirement::{AsOf, Requirement};
use alnager_office::decide::Command;
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, form_fields, text_field};
use crate::pages::law::{
    OnDay, across, asked, binds, days_form, fares, for_nobody, limited, preview, with_refusal,
};
use crate::pages::shared::{
    self, Paging, answered, encoded, head, holds, requirement_link, searched,
};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// The page.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Page, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    shown(&at, &query, None, &Fields::default())
}

fn named(at: &At) -> Result<&Pack, Refusal> {
    let mut packs = at.moment.library.book.packs();
    packs
        .find(|pack| pack.id == at.named("pack"))
        .ok_or(Refusal::NotFound)
}

/// Adopts a voluntary pack, or drops it.
pub(super) async fn adopt(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let pack = named(&at)?.id.clone();
    let fields = Fields::read(&body);
    // The words of the button say what whoever sends it saw: another state is somebody else's decision.
    let adopts = at.state().counsel.adopts(&pack);
    let entered = match fields.text("decision") {
        "adopt" if adopts => Err(Refusal::Conflict(EN.law.changed.to_owned())),
        "drop" if !adopts => Err(Refusal::Conflict(EN.law.changed.to_owned())),
        word @ ("adopt" | "drop") => {
            let command = Command::AdoptFramework {
                pack: pack.clone(),
                is_adopted: word == "adopt",
                reason: fields.text("reason").to_owned(),
            };
            at.enter(command, fields.once()).await.map(drop)
        }
        _ => Err(Refusal::Invalid(EN.law.adoption_lead.to_owned())),
    };
    match entered {
        Ok(()) => Ok(see_other(&at.link(&format!("/law/{}", encoded(&pack))))),
        Err(refusal) => {
            let page = shown(&at.again(), &Fields::default(), Some(&refusal), &fields)?;
            Ok(answered(page, Some(&refusal)))
        }
    }
}

fn shown(
    at: &At,
    query: &Fields,
    refusal: Option<&Refusal>,
    typed: &Fields,
) -> Result<Page, Refusal> {
    let words = &EN.law;
    let pack = named(at)?;
    let (when, wrong) = asked(at, query);
    let judged = for_nobody(at, when);
    let sought = searched(query);
    let own = judged.iter().filter(|one| one.pack().id == pack.id);
    let rows: Vec<&Requirement> = own
        .filter(|one| {
            let text = one.text();
            holds(&format!("{} {} {}", text.id, text.what, text.cite), &sought)
        })
        .collect();
    let paging = Paging::of(query, rows.len());
    let path = at.link(&format!("/law/{}", encoded(&pack.id)));
    let body = html! {
        p.crumbs { a href=(at.link("/law")) { (Room::Law.title()) } }
        h1 { (pack.title) }
        (complaint(wrong.as_ref().or(refusal)))
        (facts(at, pack, when))
        (adoption(at, pack, typed))
        section aria-labelledby="requirements" {
            h2 #requirements { (words.requirements) }
            (days_form(&path, query, when))
            (shared::search(&path, query, EN.shared.search))
            @if rows.is_empty() { p.quiet { (EN.shared.none_match) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.requirement, words.norm, words.on_day, words.fares]))
                    tbody { @for row in paging.rows(&rows) { (line(at, row, when)) } }
                }
                p.note { (words.for_some) " " (words.fares_note) }
                (paging.links(&path, query))
            }
        }
    };
    let page = page::page(at, Room::Law, &pack.title, body);
    Ok(with_refusal(page, wrong.as_ref()))
}

fn facts(at: &At, pack: &Pack, when: AsOf) -> Markup {
    let words = &EN.law;
    let rows = pack.enforcement.iter();
    let rows = rows.filter(|row| row.known <= when.known);
    html! {
        dl.facts {
            dt { (words.norm) } dd { (words.kind(pack.kind)) ", " (pack.jurisdiction) }
            dt { (words.standing) } dd { (binds(at, pack)) }
            dt { (words.citation) } dd { cite { (pack.citation) } }
            dt { (words.source) } dd { (pack.confidence) }
            dt { (words.version) } dd { (pack.version) }
            dt { (words.read_to) } dd { (day(pack.known_as_of)) @if pack.known_as_of < when.known { " · " (words.read_after) } }
            @for row in rows {
                dt { (words.enforcement) }
                dd {
                    (row.state.word()) ", "
                    @if let Some(from) = row.from { (words.from) " " (day(from)) " " }
                    @match row.until { Some(until) => { (words.until) " " (day(until)) } None => (words.until_further), }
                    " (" (pack.cited(&row.cite)) ")"
                    @if let Some(note) = &row.note { ": " (note) }
                }
            }
        }
    }
}

fn line(at: &At, row: &Requirement, when: AsOf) -> Markup {
    let words = &EN.law;
    let text = row.text();
    let doubts: Vec<String> = row.preview.clone();
    html! {
        tr {
            th scope="row" { (requirement_link(at, &text.id)) " " (text.what) br; span.note { cite { (text.cite) } } }
            td data-label=(words.norm) { (words.norm(text.kind)) }
            td data-label=(words.on_day) {
                (OnDay::of(row, when.valid).tag())
                @if let Some(limited) = limited(&row.force) { br; span.note { (limited) } }
                " " (preview(&text.id, &doubts))
            }
            td data-label=(words.fares) { (fares(across(at, &text.id))) }
        }
    }
}

/// The decision about a voluntary pack, and a form to make another.
fn adoption(at: &At, pack: &Pack, typed: &Fields) -> Markup {
    let words = &EN.law;
    if is_law(pack) || pack.binding || pack.kind == PackKind::Bill {
        return html! {};
    }
    let counsel = &at.state().counsel;
    let (word, title) = match counsel.adopts(&pack.id) {
        true => ("drop", words.drop),
        false => ("adopt", words.adopt),
    };
    html! {
        section aria-labelledby="adoption" {
            h2 #adoption { (words.adoption) }
            @if let Some(decision) = counsel.frameworks.get(&pack.id) {
                p { (binds(at, pack)) " · " (words.decided) " " (day(decision.on)) ", " (at.name(&decision.by)) }
                p.words { (decision.reason) }
            }
            @if at.may(Action::Advise, Resource::Organisation) {
                form method="post" action=(at.link(&format!("/law/{}/adoption", encoded(&pack.id)))) {
                    (form_fields(at))
                    (text_field("reason", EN.frame.reason, typed.text("reason"), Some(words.adoption_lead)))
                    p { button type="submit" name="decision" value=(word) { (title) } }
                }
            } @else { p.note { (words.adoption_lead) } }
        }
    }
}
