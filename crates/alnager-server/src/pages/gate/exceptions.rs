//! Exceptions of a system: granted for a while, with other measures in place, and ended.

use alnager_office::decide::Command;
use alnager_office::exception::{Exception, NewException};
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, field, form_fields, text_field};
use crate::pages::shared::{
    answered, day_field, day_of, encoded, entry_link, head, requirement_link, system_name,
};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// Whether whoever looks may grant exceptions for a system: by their roles, and as somebody outside its team.
pub(super) fn may_grant(at: &At, id: &str) -> bool {
    let system = at.state().systems.get(id);
    let builds = system.is_some_and(|system| system.builders.contains(&at.who.person));
    at.may_to(Action::Except, id) && !builds
}

/// The page; `?for=` names what an exception is wanted from.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Page {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    exceptions_page(&at, None, &query, "")
}

/// Grants an exception.
pub(super) async fn grant(at: At, RawForm(body): RawForm) -> Response {
    let fields = Fields::read(&body);
    match granted(&at, &fields).await {
        Ok(()) => see_other(&path(&at, "")),
        Err(refusal) => {
            let page = exceptions_page(&at.again(), Some(&refusal), &fields, "");
            answered(page, Some(&refusal))
        }
    }
}

async fn granted(at: &At, fields: &Fields) -> Result<(), Refusal> {
    let expires = day_of(fields, "expires", EN.gate.expires)?;
    let expires = expires.ok_or_else(|| Refusal::Invalid(EN.gate.expiry_missing.to_owned()))?;
    let new = NewException {
        system: at.named("system").to_owned(),
        subject: fields.text("for").to_owned(),
        reason: fields.text("reason").to_owned(),
        measures: fields.text("measures").to_owned(),
        expires,
    };
    let command = Command::GrantException(Box::new(new));
    at.enter(command, fields.once()).await.map(drop)
}

/// Ends an exception of the system.
pub(super) async fn end(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let exception = at.named("exception").to_owned();
    let known = at.state().exceptions.get(&exception);
    if known.is_none_or(|known| known.granted.system != at.named("system")) {
        return Err(Refusal::NotFound);
    }
    let command = Command::EndException {
        exception: exception.clone(),
        reason: fields.text("reason").to_owned(),
    };
    Ok(match at.enter(command, fields.once()).await {
        Ok(_) => see_other(&path(&at, "")),
        Err(refusal) => {
            let page = exceptions_page(&at.again(), Some(&refusal), &fields, &exception);
            answered(page, Some(&refusal))
        }
    })
}

fn path(at: &At, rest: &str) -> String {
    at.link(&format!(
        "/gate/{}/exceptions{rest}",
        encoded(at.named("system"))
    ))
}

/// The page; `typed` is what a refused form held, `ending` the exception it would have ended.
fn exceptions_page(at: &At, refusal: Option<&Refusal>, typed: &Fields, ending: &str) -> Page {
    let words = &EN.gate;
    let id = at.named("system");
    let all = at.state().exceptions.values();
    let mut all: Vec<&Exception> = all.filter(|one| one.granted.system == id).collect();
    all.sort_by_key(|one| (!one.is_in_force(at.today()), one.granted_at));
    let title = format!("{}: {}", words.exceptions, system_name(at, id));
    let body = html! {
        p.crumbs { a href=(at.link("/gate")) { (Room::Gate.title()) } " · " a href=(at.link(&format!("/gate/{}", encoded(id)))) { (system_name(at, id)) } }
        h1 { (title) }
        p.lead { (words.exceptions_lead) }
        (complaint(refusal))
        @if all.is_empty() { p.quiet { (words.no_exceptions) } }
        @else {
            table.ledger.stacks {
                (head(&[words.exception, words.measures, words.reason, words.until]))
                tbody { @for one in all { (line(at, one, if one.granted.exception == ending { typed.text("reason") } else { "" })) } }
            }
        }
        @if may_grant(at, id) { (form(at, if ending.is_empty() { typed.clone() } else { Fields::default() })) }
    };
    page::page(at, Room::Gate, &title, body)
}

fn line(at: &At, one: &Exception, typed: &str) -> Markup {
    let words = &EN.gate;
    let granted = &one.granted;
    let is_in_force = one.is_in_force(at.today());
    html! {
        tr {
            th scope="row" {
                (granted.exception) " · " (requirement_link(at, &granted.subject)) br;
                span.note { (at.name(&granted.by)) " · " (day(granted.on)) " · " (entry_link(at, one.granted_at)) }
            }
            td data-label=(words.measures) { (granted.measures) }
            td data-label=(words.reason) { (granted.reason) }
            td data-label=(words.until) {
                (day(one.until())) " · "
                @if is_in_force { (page::tag("ahead", "◇", words.in_force)) }
                @else { span.quiet { (words.ended) } }
                @if let Some(ended) = &one.ended { p.note { (at.name(&ended.by)) ": " (ended.reason) } }
                @if is_in_force && at.may_to(Action::Except, &granted.system) {
                    details open[!typed.is_empty()] {
                        summary { (words.end) span.unseen { " " (granted.exception) } }
                        form method="post" action=(path(at, &format!("/{}/end", encoded(&granted.exception)))) {
                            (form_fields(at))
                            div.field {
                                label for={ "end-" (granted.exception) } { (EN.frame.reason) }
                                input type="text" id={ "end-" (granted.exception) } name="reason" value=(typed) required;
                            }
                            p { button.plain type="submit" { (words.end) span.unseen { " " (granted.exception) } } }
                        }
                    }
                }
            }
        }
    }
}

fn form(at: &At, typed: Fields) -> Markup {
    let words = &EN.gate;
    html! {
        section aria-labelledby="grant" {
            h2 #grant { (words.except) }
            form method="post" action=(path(at, "")) {
                (form_fields(at))
                (field("for", words.subject, typed.text("for"), Some(words.subject_note)))
                (text_field("measures", words.measures, typed.text("measures"), Some(words.measures_note)))
                (text_field("reason", EN.frame.reason, typed.text("reason"), Some(words.reason_note)))
                (day_field("expires", words.expires, typed.text("expires"), None))
                p { button type="submit" { (words.grant) } }
            }
        }
    }
}
