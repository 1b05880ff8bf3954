//! What was measured of a system: the worst figure of each test on its page, and every figure beside the law on one of its own.

use alnager_audit::judge::TestResult;
use alnager_office::assess::Assessment;
use alnager_office::gate::TestOutcome;
use alnager_report::html::columns;
use axum::extract::RawQuery;
use axum::response::Response;
use maud::{Markup, html};

use super::{Asked, Seen, asked, looking, seen};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint};
use crate::pages::shared;
use crate::pages::shared::answered;
use crate::pages::today::{interval, limit, outcome};
use crate::refusal::Refusal;
use crate::words::EN;

/// The page with every figure beside the law.
pub(crate) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let asked = asked(&at, &fields)?;
    let page = shown(&at, &asked)?;
    Ok(answered(page, asked.refusal.as_ref()))
}

fn shown(at: &At, asked: &Asked) -> Result<Page, Refusal> {
    let seen = seen(at, asked.other)?;
    let words = &EN.system;
    let name = &seen.system.declaration.name;
    let title = format!("{}: {name}", words.audits);
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } " · " a href=(at.link(&format!("/systems/{}#audits", seen.id))) { (name) } }
        h1 { (title) }
        (complaint(asked.refusal.as_ref()))
        (looking(&seen))
        @match &seen.found {
            None => p { (words.working) },
            Some((_, view)) => {
                @let (measures, law) = columns(view);
                div.spread { (measures) div.law { (law) } }
            }
        }
    };
    Ok(page::page(at, Room::Systems, &title, body))
}

/// The worst figure of each test, as a part of the system's page.
pub(super) fn section(seen: &Seen<'_>) -> Markup {
    let (at, words) = (seen.at, &EN.system);
    let path = at.link(&format!("/systems/{}/measures", seen.id));
    let path = match seen.other {
        Some(other) => format!("{path}?at={}&known={}", other.valid, other.known),
        None => path,
    };
    html! {
        section aria-labelledby="audits" {
            h2 #audits { (words.audits) }
            @if let Some((assessment, _)) = &seen.found {
                @if assessment.results.is_empty() { p { (words.nothing_measured) } }
                @if !assessment.outcomes.is_empty() {
                    p.note { (words.worst_note) }
                    table.ledger.stacks {
                        (shared::head(&[words.test, EN.today.figure, EN.today.interval, EN.today.limit, EN.today.result]))
                        tbody { @for of in &assessment.outcomes { (row(assessment, of)) } }
                    }
                }
                p { a href=(path) { (words.audits_all) } }
            }
        }
    }
}

/// The group, where it is one, and the value; undefined is said, never shown as 0.
fn figure(result: &TestResult) -> Markup {
    let value = result
        .value
        .map_or(EN.today.undefined.to_owned(), |value| format!("{value:.3}"));
    html! {
        @if !result.group.is_empty() { (result.group.replace('|', " × ")) ": " }
        strong { (value) }
    }
}

fn row(assessment: &Assessment, of: &TestOutcome) -> Markup {
    let words = &EN.system;
    let worst = assessment.furthest(of);
    let requirements: Vec<&str> = of.requirements.iter().map(String::as_str).collect();
    html! {
        tr data-of=(requirements.join(" ")) {
            th scope="row" {
                (of.test)
                @if !of.attribute.is_empty() { ", " (of.attribute.replace('*', " × ")) }
                @if of.is_what_if { " " span.note { (words.is_what_if) } }
            }
            td data-label=(EN.today.figure) { @match worst { Some(worst) => (figure(worst)), None => span.quiet { (words.no_figure) } } }
            td data-label=(EN.today.interval) { @if let Some(worst) = worst { (interval(worst)) } }
            td data-label=(EN.today.limit) { @if let Some(worst) = worst { (limit(worst)) } }
            td data-label=(EN.today.result) { (outcome(of.outcome)) }
        }
    }
}
