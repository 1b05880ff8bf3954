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

/// Most changes named for one system.
const CHANGES_MAX: usize = 40;

/// One change for a system.
struct Change {
    /// The requirement, or the clock.
    id: String,
    is_clock: bool,
    /// The day it happens, where it has one.
    on: Option<Date>,
    words: String,
    evidence_missing: Vec<String>,
}

/// What changes for one system.
struct Changed {
    system: String,
    changes: Vec<Change>,
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
        let Some(system) = state.systems.get(&member.id) else {
            continue;
        };
        let facts = system.law_facts(book, &state.counsel);
        let reader = book.reader(&facts, span.after.known);
        let items = agenda(&reader, first, end);
        let items = items
            .iter()
            .filter(|item| !inventory.sets_aside(book, &item.requirement, member));
        let changes = items.map(|item| Change {
            id: item.requirement.text().id.clone(),
            is_clock: false,
            on: Some(item.day),
            words: item.turn.word().to_owned(),
            evidence_missing: Vec::new(),
        });
        found.push(Changed {
            system: member.id.clone(),
            changes: changes.collect(),
        });
    }
    if span.before.known < span.after.known {
        // The two laws are compared on the first day, the second, and the next between them on which anything begins.
        let horizon = span.after.valid.max(first);
        let before = law(span.before.known);
        let impact = impact_of(inventory, before, after.clone(), span.before.valid, horizon)?;
        for (changed, impact) in found.iter_mut().zip(impact.systems) {
            let shifts = impact.shifts.into_iter().map(|shift| Change {
                words: format!(
                    "{}: {} → {}",
                    shift.kind.word().replace('_', " "),
                    shift.before,
                    shift.after
                ),
                on: None,
                id: shift.id,
                is_clock: shift.is_clock,
                evidence_missing: shift.evidence_missing,
            });
            changed.changes.extend(shifts);
        }
    }
    found.retain(|changed| !changed.changes.is_empty());
    Ok(found)
}

fn line(at: &At, changed: &Changed) -> Markup {
    let words = &EN.law;
    let n = changed.changes.len();
    let titles = |kinds: &[String]| {
        let register = &at.moment.library.book.evidence;
        let titles = kinds.iter().map(|kind| register.title(kind));
        titles.collect::<Vec<_>>().join(", ")
    };
    html! {
        tr data-of=(changed.system) {
            th scope="row" { (system_link(at, &changed.system)) }
            td data-label=(words.change) {
                ul {
                    @for change in changed.changes.iter().take(CHANGES_MAX) {
                        li {
                            @if let Some(on) = change.on { (day(on)) ": " }
                            @if change.is_clock { (change.id) }
                            @else { a href=(at.link(&format!("/systems/{}/requirements/{}", encoded(&changed.system), encoded(&change.id)))) { (change.id) } }
                            " " (change.words)
                            @if !change.evidence_missing.is_empty() { " · " (words.evidence_missing) ": " (titles(&change.evidence_missing)) }
                        }
                    }
                }
                @if n > CHANGES_MAX { p.note { (EN.number((n - CHANGES_MAX) as u64)) " " (words.more) } }
            }
        }
    }
}
