//! One entry of the journal: what it says, the bytes that are sealed, and the proof to take away.

use alnager_journal::dossier::Disclosed;
use alnager_journal::entry::Entry;
use alnager_journal::merkle::leaf_hash;
use alnager_office::event::Event;
use alnager_work::journal::{Proven, checkpoint_of, prove_in};
use axum::extract::RawQuery;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room};
use crate::pages::journal::{Subjects, abouts, moment, told};
use crate::pages::shared::{attachment, head};
use crate::refusal::Refusal;
use crate::words::EN;

/// Most bytes of a payload that a page shows.
const SHOWN_BYTES_MAX: usize = 64 << 10;

fn named(at: &At) -> Result<u64, Refusal> {
    at.named("entry").parse().map_err(|_| Refusal::NotFound)
}

/// One entry, with its proof.
pub(super) async fn show(at: At) -> Result<Page, Refusal> {
    let index = named(&at)?;
    let desk = at.organisation.reader().await?;
    let entry = desk.entry(index).await?.ok_or(Refusal::NotFound)?;
    let payload = desk.payload(index).await?;
    let proven = prove_in(&desk, index, None).await?;
    let key = desk.verifier_key().to_string();
    drop(desk);
    let words = &EN.journal;
    let subjects = Subjects::of(&at);
    let is_last = index + 1 >= at.state().size;
    let title = format!("{} {}", words.entry, EN.number(index));
    let body = html! {
        p.crumbs {
            a href=(at.link("/journal")) { (Room::Journal.title()) }
            @if index > 0 { " · " a href=(at.link(&format!("/journal/{}", index - 1))) rel="prev" { (words.before) } }
            @if !is_last { " · " a href=(at.link(&format!("/journal/{}", index + 1))) rel="next" { (words.after) } }
        }
        h1 { (title) }
        p.lead { (page::sentence(&words.happened(&entry.kind))) }
        dl.facts {
            dt { (words.about) } dd { (abouts(&at, &entry, &subjects)) }
            dt { (words.who) } dd { (at.name(&entry.actor.to_string())) }
            dt { (words.when) } dd { (moment(&entry.at)) }
            @if !entry.refs.is_empty() {
                dt { (words.builds_on) }
                dd { @for (n, index) in entry.refs.iter().enumerate() { @if n > 0 { ", " } a href=(at.link(&format!("/journal/{index}"))) { (index) } } }
            }
            dt { (words.command) } dd { code { (entry.command) } }
        }
        (says(&at, &entry, payload.as_ref()))
        (files(&entry))
        (sealed(&proven))
        (proof_of(&at, index, &proven, &key))
    };
    Ok(page::page(&at, Room::Journal, &title, body))
}

/// What an entry says, where that was not erased.
fn says(at: &At, entry: &Entry, payload: Option<&Disclosed>) -> Markup {
    let words = &EN.journal;
    let event = payload.map(|payload| Event::from_payload(&entry.kind, &payload.bytes));
    let shown: Option<String> = payload.map(|payload| {
        let value: Result<Value, _> = serde_json::from_slice(&payload.bytes);
        value.map_or_else(
            |_| String::from_utf8_lossy(&payload.bytes).into_owned(),
            |value| format!("{value:#}"),
        )
    });
    html! {
        section aria-labelledby="payload" {
            h2 #payload { (words.payload) }
            @match &event {
                None => p { (words.payload_erased) },
                Some(Err(_)) => p { (page::sentence(words.unreadable)) },
                Some(Ok(event)) => {
                    @let particulars = told::particulars(at, event);
                    @if !particulars.is_empty() { p.words { (particulars) } }
                }
            }
            @if let Some(shown) = &shown {
                p.note { (words.payload_note) }
                pre.words tabindex="0" { (cut(shown)) }
                @if shown.len() > SHOWN_BYTES_MAX { p.note { (words.payload_cut) } }
            }
        }
    }
}

/// The beginning of a text, ended at a letter's end.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(SHOWN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn files(entry: &Entry) -> Markup {
    let words = &EN.journal;
    html! {
        @if !entry.blobs.is_empty() {
            section aria-labelledby="files" {
                h2 #files { (words.files) }
                table.ledger.stacks {
                    (head(&[words.file, words.bytes, words.media]))
                    tbody {
                        @for blob in &entry.blobs {
                            tr {
                                th scope="row" { (blob.name) }
                                td data-label=(words.bytes) { (EN.number(blob.len)) }
                                td data-label=(words.media) { (blob.media) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sealed(proven: &Proven) -> Markup {
    let words = &EN.journal;
    html! {
        section aria-labelledby="sealed" {
            h2 #sealed { (words.sealed) }
            p.note { (words.sealed_note) }
            pre.words tabindex="0" { (String::from_utf8_lossy(&proven.entry)) }
        }
    }
}

/// The proof, checked again before it is shown.
fn proof_of(at: &At, index: u64, proven: &Proven, key: &str) -> Markup {
    let words = &EN.journal;
    let checkpoint = proven.proof.checkpoint.checkpoint();
    let holds = proven.proof.verify(&proven.entry).is_ok();
    html! {
        section aria-labelledby="proof" {
            h2 #proof { (words.proof) }
            @if holds { p { (page::tag("clear", "○", words.proof_holds)) } }
            @else { p { (page::tag("hold", "●", words.proof_fails)) } }
            dl.facts {
                dt { (words.leaf) } dd { code { (leaf_hash(&proven.entry).to_base64()) } }
                dt { (words.proof_steps) } dd { (EN.number(proven.proof.hashes.len() as u64)) }
                dt { (words.root) } dd { code { (checkpoint.root().to_base64()) } " (" (EN.count(usize::try_from(checkpoint.size()).unwrap_or(usize::MAX), "entry", "entries")) ")" }
                dt { (words.signed_by) } dd { code { (key) } }
            }
            pre.words tabindex="0" { (proven.proof) }
            p {
                a.button href=(at.link(&format!("/journal/{index}/proof"))) { (words.take_proof) } " "
                a.button href=(at.link("/journal/checkpoint")) { (words.take_checkpoint) }
            }
            p.note { (words.take_note) }
        }
    }
}

/// The proof as a file.
pub(super) async fn proof(at: At) -> Result<Response, Refusal> {
    let index = named(&at)?;
    let desk = at.organisation.reader().await?;
    let proven = prove_in(&desk, index, None).await?;
    let name = format!("{}-{index}.tlog-proof", at.organisation.slug);
    let text = proven.proof.to_string();
    Ok(attachment(
        &name,
        "application/octet-stream",
        text.into_bytes(),
    ))
}

/// The checkpoint signed last, as a file; `?size=` asks for the one over so many entries.
pub(super) async fn checkpoint(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    let size = query.optional("size").map(str::parse::<u64>).transpose();
    let size = size.map_err(|_| Refusal::NotFound)?;
    let desk = at.organisation.reader().await?;
    let signed = checkpoint_of(&desk, size).await?;
    let name = format!("{}.checkpoint", at.organisation.slug);
    let text = signed.to_string();
    Ok(attachment(
        &name,
        "application/octet-stream",
        text.into_bytes(),
    ))
}
