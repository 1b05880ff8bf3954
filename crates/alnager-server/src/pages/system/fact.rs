//! One fact of one system: the question, the answer on record, and forms to answer and to confirm it.

use alnager_law::fact::FactKind;
use alnager_office::decide::Command;
use alnager_office::declaration::DeclaredFact;
use alnager_office::system::{Fact, NewAnswer};
use axum::extract::RawForm;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, field, form_fields};
use crate::pages::answer;
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// What was typed, and why it was refused.
#[derive(Default)]
struct Typed {
    refusal: Option<Refusal>,
    chosen: Option<Vec<String>>,
    basis: String,
    confirm_basis: String,
}

/// The page.
pub(crate) async fn show(at: At) -> Result<Page, Refusal> {
    shown(&at, &Typed::default())
}

/// Answers the fact.
pub(crate) async fn answer(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let entered = match answer::read(kind(&at)?, &fields) {
        Ok(value) => at.enter(command(&at, value, &fields), fields.once()).await,
        Err(refusal) => Err(refusal),
    };
    match entered {
        Ok(_) => Ok(back(&at)),
        Err(refusal) => refused(
            &at,
            Typed {
                refusal: Some(refusal),
                chosen: Some(answer::as_sent(&fields)),
                basis: fields.text("basis").to_owned(),
                ..Typed::default()
            },
        ),
    }
}

fn command(at: &At, value: String, fields: &Fields) -> Command {
    let fact = at.named("fact").to_owned();
    Command::AnswerFacts {
        system: at.named("system").to_owned(),
        expected: vec![(fact.clone(), fields.text("seen").parse().ok())],
        answers: vec![NewAnswer {
            fact,
            value,
            basis: fields.text("basis").to_owned(),
        }],
    }
}

/// Confirms an answer.
pub(crate) async fn confirm(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let command = Command::ConfirmFact {
        system: at.named("system").to_owned(),
        fact: at.named("fact").to_owned(),
        value: Some(fields.text("value").to_owned()),
        basis: fields.text("basis").to_owned(),
    };
    match at.enter(command, fields.once()).await {
        Ok(_) => Ok(back(&at)),
        Err(refusal) => refused(
            &at,
            Typed {
                refusal: Some(refusal),
                confirm_basis: fields.text("basis").to_owned(),
                ..Typed::default()
            },
        ),
    }
}

fn back(at: &At) -> Response {
    see_other(&at.link(&format!(
        "/systems/{}#fact-{}",
        at.named("system"),
        at.named("fact")
    )))
}

fn refused(at: &At, typed: Typed) -> Result<Response, Refusal> {
    let status = typed
        .refusal
        .as_ref()
        .map_or(axum::http::StatusCode::OK, Refusal::status);
    // What it says now stands above what was typed.
    let page = shown(&at.again(), &typed)?;
    Ok(page.with_status(status).into_response())
}

fn kind(at: &At) -> Result<&FactKind, Refusal> {
    let vocabulary = &at.moment.library.book.vocabulary;
    vocabulary.get(at.named("fact")).ok_or(Refusal::NotFound)
}

fn shown(at: &At, typed: &Typed) -> Result<Page, Refusal> {
    let (words, id) = (&EN.system, at.named("system"));
    let kind = kind(at)?;
    let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
    let fact = system.facts.get(&kind.name);
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } " · " a href=(at.link(&format!("/systems/{id}#facts"))) { (system.declaration.name) } }
        h1 { (kind.question) }
        (complaint(typed.refusal.as_ref()))
        p.note { code { (kind.name) } " · " (words.asked_by) " " (kind.serves.join(", ")) }
        @if let Some(cite) = &kind.guard_cite { p.note { (words.guarded) " " code { (kind.guarded.join(", ")) } ". " cite { (cite) } } }
        @match fact {
            None => p { (words.no_answer) },
            Some(fact) => (on_record(at, kind, fact)),
        }
        @if kind.adopts.is_some() { p { (words.adopted) " " a href=(at.link("/law")) { (Room::Law.title()) } } }
        @else {
            @if let Some(fact) = fact { (confirm_form(at, kind, fact, &typed.confirm_basis)) }
            @if at.may_to(Action::Answer, id) { (answer_form(at, kind, fact, typed)) }
        }
    };
    Ok(page::page(at, Room::Systems, &kind.question, body))
}

fn on_record(at: &At, kind: &FactKind, fact: &Fact) -> Markup {
    let words = &EN.system;
    let given = |answer: &DeclaredFact| {
        html! {
            strong { (answer::words(Some(kind), &answer.value)) } ", " (at.name(&answer.by)) ", " (day(answer.on)) ": " (answer.basis)
        }
    };
    html! {
        dl.facts {
            dt { (words.answer) } dd { (given(&fact.answer)) }
            dt { (words.confirmed) } dd { @match &fact.confirmed_by { Some(person) => (at.name(person)), None => span.quiet { (words.not_confirmed) } } }
            @if let Some(proposal) = &fact.proposal { dt { (words.proposed) } dd { (given(proposal)) } }
        }
    }
}

/// Lets somebody confirm the answer proposed, or the one that stands unconfirmed.
fn confirm_form(at: &At, kind: &FactKind, fact: &Fact, basis: &str) -> Markup {
    let (words, id) = (&EN.system, at.named("system"));
    let waiting = fact
        .proposal
        .as_ref()
        .or(fact.confirmed_by.is_none().then_some(&fact.answer));
    let system = at.state().systems.get(id);
    let Some((waiting, system)) = waiting.zip(system) else {
        return kept(basis);
    };
    if !at.may_to(Action::Confirm, id) {
        return html! {};
    }
    html! {
        section {
            h2 { (words.confirm) ": " (answer::words(Some(kind), &waiting.value)) }
            @if system.may_confirm(&at.who.person, Some(&waiting.by)) {
                form method="post" action=(at.link(&format!("/systems/{id}/facts/{}/confirm", kind.name))) {
                    (form_fields(at))
                    input type="hidden" name="value" value=(waiting.value);
                    div.field {
                        label for="confirm-basis" { (words.basis) }
                        input type="text" id="confirm-basis" name="basis" value=(basis) required;
                    }
                    p { button type="submit" { (words.confirm) } }
                }
            } @else { p.quiet { (words.own_answer) } (kept(basis)) }
        }
    }
}

/// What somebody typed for a confirmation that there is nothing left to give for.
fn kept(basis: &str) -> Markup {
    html! { @if !basis.is_empty() { p { (EN.system.typed) " " q.words { (basis) } } } }
}

fn answer_form(at: &At, kind: &FactKind, fact: Option<&Fact>, typed: &Typed) -> Markup {
    let words = &EN.system;
    let recorded = fact.map(|fact| answer::of_record(kind, &fact.answer.value));
    let chosen = typed.chosen.clone().or(recorded).unwrap_or_default();
    html! {
        section {
            h2 { (words.give_answer) }
            form method="post" action=(at.link(&format!("/systems/{}/facts/{}", at.named("system"), kind.name))) {
                (form_fields(at))
                input type="hidden" name="seen" value=(fact.map_or(String::new(), |fact| fact.set_at.to_string()));
                (answer::inputs(kind, &chosen))
                (field("basis", words.basis, &typed.basis, None))
                p { button type="submit" { (words.give_answer) } }
            }
        }
    }
}
