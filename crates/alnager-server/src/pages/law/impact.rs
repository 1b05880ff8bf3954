//! What changes between two days for each system, by its own facts.

use std::sync::Arc;

use alnager_law::agenda::agenda;
use alnager_work::law::impact::impact_of;
use alnager_work::law::inventory::Inventory;
use alnager_work::law::version::Law;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::day;
use crate::pages::law::changes::Span;
use crate::pages::shared::{Paging, encoded, head, system_link};
use crate::refusal::Refusal;
use crate::words::EN;

/// Most lines of changes for one system.
const LINES_MAX: usize = 40;

/// Something that happens to requirements of a system.
#[derive(PartialEq, Eq)]
struct Change {
    /// The day it happens, where it has one.
    on: Option<Date>,
    words: String,
}

/// What a change meets.
struct Met {
    /// The requirement, or the clock.
    id: String,
    is_clock: bool,
    evidence_missing: Vec<String>,
}

/// What changes for one system; what happens alike stands together.
struct Changed {
    system: String,
    changes: Vec<(Change, Vec<Met>)>,
}

impl Changed {
    fn add(&mut self, change: Change, met: Met) {
        match self.changes.iter_mut().find(|(known, _)| *known == change) {
            Some((_, all)) => all.push(met),
            None => self.changes.push((change, vec![met])),
        }
    }
}

/// The systems of one page of the inventory with what changes for them. Worked out in a thread that may block: some milliseconds a
/// system, so no more than a page of them at a time.
pub(super) async fn section(at: &At, query: &Fields, span: Span) -> Result<Markup, Refusal> {
    let words = &EN.law;
    let mut inventory = Inventory::of_desk(at.state().clone());
    let paging = Paging::of(query, inventory.members.len());
    inventory.members = paging.rows(&inventory.members).to_vec();
    let library = Arc::clone(&at.moment.library);
    let worked = tokio::task::spawn_blocking(move || {
        let law = |known: Date| Law {
            words: String::new(),
            library: library.as_ref().clone(),
            known,
        };
        worked_out(&inventory, &law, span)
    });
    let found = worked.await.map_err(|_| Refusal::Internal)??;
    Ok(html! {
        section aria-labelledby="impact" {
            h2 #impact { (words.impact) }
            p.note { (words.impact_lead) }
            @if found.is_empty() { p.quiet { (words.impact_none) } }
            @else {
                table.ledger.stacks {
                    (head(&[words.system, words.change]))
                    tbody { @for one in &found { (line(at, one)) } }
                }
            }
            (paging.links(&at.link("/law/changes"), query))
        }
    })
}

fn worked_out(
    inventory: &Inventory,
    law: &dyn Fn(Date) -> Law,
    span: Span,
) -> Result<Vec<Changed>, Refusal> {
    let mut found: Vec<Changed> = Vec::new();
    let Some(state) = &inventory.state else {
        return Ok(found);
    };
    let after = law(span.after.known);
    let book = &after.library.book;
    let next = |day: Date| day.tomorrow().unwrap_or(day);
    let (first, end) = (next(span.before.valid), next(span.after.valid));
    for member in &inventory.members {
        found.push(Changed {
            system: member.id.clone(),
            changes: Vec::new(),
        });
    }
    if span.before.known < span.after.known {
        // The two laws are compared on the first day, the second, and the next between them on which anything begins.
        let horizon = span.after.valid.max(first);
        let before = law(span.before.known);
        let impact = impact_of(inventory, before, after.clone(), span.before.valid, horizon)?;
        for (changed, impact) in found.iter_mut().zip(impact.systems) {
            for shift in impact.shifts {
                let kind = shift.kind.word().replace('_', " ");
                let change = Change {
                    on: None,
                    words: format!("{kind}: {} → {}", shift.before, shift.after),
                };
                let met = Met {
                    id: shift.id,
                    is_clock: shift.is_clock,
                    evidence_missing: shift.evidence_missing,
                };
                changed.add(change, met);
            }
        }
    }
    for (changed, member) in found.iter_mut().zip(&inventory.members) {
        let Some(system) = state.systems.get(&member.id) else {
            continue;
        };
        let facts = system.law_facts(book, &state.counsel);
        let reader = book.reader(&facts, span.after.known);
        for item in agenda(&reader, first, end) {
            if inventory.sets_aside(book, &item.requirement, member) {
                continue;
            }
            let change = Change {
                on: Some(item.day),
                words: item.turn.word().to_owned(),
            };
            let met = Met {
                id: item.requirement.text().id.clone(),
                is_clock: false,
                evidence_missing: Vec::new(),
            };
            changed.add(change, met);
        }
    }
    found.retain(|changed| !changed.changes.is_empty());
    Ok(found)
}

fn line(at: &At, changed: &Changed) -> Markup {
    let words = &EN.law;
    let n = changed.changes.len();
    html! {
        tr data-of=(changed.system) {
            th scope="row" { (system_link(at, &changed.system)) }
            td data-label=(words.change) {
                ul {
                    @for (change, all) in changed.changes.iter().take(LINES_MAX) {
                        li {
                            @if let Some(on) = change.on { (day(on)) " " }
                            (change.words) ": "
                            @for (n, met) in all.iter().enumerate() { @if n > 0 { ", " } (one(at, &changed.system, met)) }
                        }
                    }
                }
                @if n > LINES_MAX { p.note { (EN.number((n - LINES_MAX) as u64)) " " (words.more) } }
            }
        }
    }
}

/// A requirement of a system that a change meets; a clock has no page.
fn one(at: &At, system: &str, met: &Met) -> Markup {
    let register = &at.moment.library.book.evidence;
    let missing = met.evidence_missing.iter();
    let missing: Vec<&str> = missing.map(|kind| register.title(kind)).collect();
    let path = format!(
        "/systems/{}/requirements/{}",
        encoded(system),
        encoded(&met.id)
    );
    html! {
        @if met.is_clock { (met.id) } @else { a href=(at.link(&path)) { (met.id) } }
        @if !missing.is_empty() { span.note { " (" (EN.law.evidence_missing) ": " (missing.join(", ")) ")" } }
    }
}
