//! The interview about one system: the question that settles most, why it is asked, and what the answers lead to.

use std::collections::BTreeSet;

use alnager_law::fact::{FactKind, Facts};
use alnager_law::interview::{
    Asking, Progress, Question, Scope, next_question, progress, question_about,
};
use alnager_law::requirement::AsOf;
use alnager_office::decide::Command;
use alnager_office::system::NewAnswer;
use alnager_work::law::interview::{BASIS, Ending, binding, ending};
use axum::extract::{RawForm, RawQuery};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, field, form_fields};
use crate::pages::answer;
use crate::pages::shared::answered;
use crate::pages::sign_in::off_thread;
use crate::pages::system;
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// The field that carries what somebody does not know, once for each fact.
const SKIP: &str = "skip";
/// Requirements of a pack that a question names with what they ask; the others by id.
const REQUIREMENTS_MAX: usize = 8;
/// Rows of a list of what the answers lead to.
const ROWS_MAX: usize = 60;

/// How an interview stands.
struct Stands {
    facts: Facts,
    when: AsOf,
    question: Option<Question>,
    progress: Progress,
    ending: Ending,
}

/// What was typed, and why it was refused.
#[derive(Default)]
struct Typed {
    refusal: Option<Refusal>,
    fact: Option<usize>,
    chosen: Vec<String>,
    basis: String,
}

/// The question that comes next, or what the answers lead to.
pub(super) async fn show(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let page = shown(&at, &skipped(&at, &fields), Typed::default()).await?;
    Ok(page.into_response())
}

/// Takes an answer, or that somebody does not know, and leads to the next question.
pub(super) async fn answer(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let mut skipped = skipped(&at, &fields);
    let book = &at.moment.library.book;
    let fact = book.vocabulary.position(fields.text("fact"));
    let Some(fact) = fact else {
        let typed = Typed {
            refusal: Some(Refusal::Invalid(EN.intake.no_question.to_owned())),
            ..Typed::default()
        };
        return refused(&at, &skipped, typed).await;
    };
    if fields.text("do") == "skip" {
        skipped.insert(fact);
        return Ok(on(&at, &skipped));
    }
    let kind = &book.vocabulary.kinds()[fact];
    let entered = match answer::read(kind, &fields) {
        Ok(value) => {
            at.enter(command(&at, kind, value, &fields), fields.once())
                .await
        }
        Err(refusal) => Err(refusal),
    };
    match entered {
        Ok(_) => {
            skipped.remove(&fact);
            Ok(on(&at, &skipped))
        }
        Err(refusal) => {
            let typed = Typed {
                refusal: Some(refusal),
                fact: Some(fact),
                chosen: answer::as_sent(&fields),
                basis: fields.text("basis").to_owned(),
            };
            refused(&at, &skipped, typed).await
        }
    }
}

fn command(at: &At, kind: &FactKind, value: String, fields: &Fields) -> Command {
    let seen = fields.text("seen").parse().ok();
    Command::AnswerFacts {
        system: at.named("system").to_owned(),
        expected: vec![(kind.name.clone(), seen)],
        answers: vec![NewAnswer {
            fact: kind.name.clone(),
            value,
            basis: fields.optional("basis").unwrap_or(BASIS).to_owned(),
        }],
    }
}

/// The facts that somebody does not know. What is no fact any more is passed over.
fn skipped(at: &At, fields: &Fields) -> BTreeSet<usize> {
    let vocabulary = &at.moment.library.book.vocabulary;
    let names = fields.all(SKIP);
    names.filter_map(|name| vocabulary.position(name)).collect()
}

/// On to the next question.
fn on(at: &At, skipped: &BTreeSet<usize>) -> Response {
    let kinds = at.moment.library.book.vocabulary.kinds();
    let pairs: Vec<String> = skipped
        .iter()
        .map(|fact| format!("{SKIP}={}", kinds[*fact].name))
        .collect();
    let mark = if pairs.is_empty() { "" } else { "?" };
    see_other(&format!("{}{mark}{}#question", path(at), pairs.join("&")))
}

fn path(at: &At) -> String {
    at.link(&format!("/intake/{}", at.named("system")))
}

async fn refused(at: &At, skipped: &BTreeSet<usize>, typed: Typed) -> Result<Response, Refusal> {
    let refusal = typed.refusal.clone();
    // What it says now stands above what was typed.
    let page = shown(&at.again(), skipped, typed).await?;
    Ok(answered(page, refusal.as_ref()))
}

async fn shown(at: &At, skipped: &BTreeSet<usize>, typed: Typed) -> Result<Page, Refusal> {
    let (asked, skipped, fact) = (at.clone(), skipped.clone(), typed.fact);
    let scope = Scope {
        packs: Some(binding(&at.moment.library.book)),
        skipped,
    };
    // Which question settles most takes many trials.
    let (stands, scope) = off_thread(move || (stands(&asked, &scope, fact), scope)).await?;
    let stands = stands.ok_or(Refusal::NotFound)?;
    let words = &EN.intake;
    let name = at.named("system");
    let name = at
        .state()
        .systems
        .get(name)
        .map(|system| &system.declaration.name);
    let name = name.ok_or(Refusal::NotFound)?;
    let title = format!("{}: {name}", words.title);
    let body = html! {
        p.crumbs {
            @if at.may(Action::Declare, crate::access::Resource::Organisation) { a href=(at.link(Room::Intake.path())) { (Room::Intake.title()) } " · " }
            a href=(at.link(&format!("/systems/{}", at.named("system")))) { (name) }
        }
        h1 { (title) }
        (complaint(typed.refusal.as_ref()))
        (how_far(&stands))
        @match &stands.question {
            Some(question) => {
                (asked_now(at, &stands, question, &scope, &typed))
                details {
                    summary { (words.so_far) " (" (tally(&stands.ending)) ")" }
                    (system::classes(at)?)
                    (requirements(at, &stands.ending))
                }
            }
            None => (finished(at, &stands, &scope)?),
        }
    };
    Ok(page::page(at, Room::Intake, &title, body))
}

/// Works it out. `fact`: what is asked whatever settles most.
fn stands(at: &At, scope: &Scope, fact: Option<usize>) -> Option<Stands> {
    let system = at.state().systems.get(at.named("system"))?;
    let book = &at.moment.library.book;
    let facts = system.law_facts(book, &at.state().counsel);
    let when = at.moment.when(system);
    let question = match fact {
        Some(fact) => Some(question_about(book, &facts, when, scope, fact)),
        None => next_question(book, &facts, when, scope),
    };
    let progress = progress(book, &facts, when, scope);
    let ending = ending(book, &facts, when, scope, &progress);
    Some(Stands {
        facts,
        when,
        question,
        progress,
        ending,
    })
}

fn how_far(stands: &Stands) -> Markup {
    let (words, progress) = (&EN.intake, &stands.progress);
    let [open, unconfirmed, skipped] =
        [&progress.open, &progress.unconfirmed, &progress.skipped].map(Vec::len);
    let settled = progress.n_requirements - open - unconfirmed - skipped;
    html! {
        p.note { (words.judged) " " (day(stands.when.valid)) " · " (words.known) " " (day(stands.when.known)) }
        p {
            progress max=(progress.n_requirements) value=(settled) aria-label=(words.settled) {} " "
            strong { (EN.number(settled as u64)) } " / " (EN.count(progress.n_requirements, "requirement", "requirements")) " " (words.settled)
            @for (n, what) in [(open, words.open), (unconfirmed, words.unconfirmed), (skipped, words.skipped)] {
                @if n > 0 { " · " strong { (EN.number(n as u64)) } " " (what) }
            }
        }
    }
}

fn asked_now(
    at: &At,
    stands: &Stands,
    question: &Question,
    scope: &Scope,
    typed: &Typed,
) -> Markup {
    let (words, vocabulary) = (&EN.intake, &at.moment.library.book.vocabulary);
    let kind = &vocabulary.kinds()[question.fact];
    let system = at.state().systems.get(at.named("system"));
    let fact = system.and_then(|system| system.facts.get(&kind.name));
    html! {
        section.asked #question tabindex="-1" aria-labelledby="asked" {
            h2 #asked { (kind.question) }
            @if let Some(cite) = &kind.guard_cite { p.note { (words.guarded) " " code { (kind.guarded.join(", ")) } ". " cite { (cite) } } }
            @if let Some(fact) = fact {
                p { (EN.system.answer) ": " strong { (answer::words(Some(kind), &fact.answer.value)) } ", " (at.name(&fact.answer.by)) ", " (day(fact.answer.on)) ": " (fact.answer.basis) }
            }
            @if at.may_to(Action::Answer, at.named("system")) {
                form method="post" action=(path(at)) {
                    (form_fields(at))
                    input type="hidden" name="fact" value=(kind.name);
                    input type="hidden" name="seen" value=(fact.map_or(String::new(), |fact| fact.set_at.to_string()));
                    @for skipped in &scope.skipped { input type="hidden" name=(SKIP) value=(vocabulary.kinds()[*skipped].name); }
                    (answer::inputs(kind, &typed.chosen))
                    (field("basis", words.basis, &typed.basis, Some(words.basis_note)))
                    p {
                        button type="submit" name="do" value="answer" { (words.answer) } " "
                        button.plain type="submit" name="do" value="skip" { (words.do_not_know) }
                    }
                }
            } @else { p.quiet { (words.may_not) } }
            (why(at, stands, question))
        }
    }
}

/// Why the question is asked: which law asks, what it helps to decide, and what each answer would settle.
fn why(at: &At, stands: &Stands, question: &Question) -> Markup {
    let (words, book) = (&EN.intake, &at.moment.library.book);
    let derived: Vec<String> = question
        .derived
        .iter()
        .map(|at| book.derived(*at).name.replace('_', " "))
        .collect();
    html! {
        h3 { (words.why) }
        @if stands.facts.answer(question.fact).is_none() && !question.answers.is_empty() {
            ul {
                @for possible in &question.answers {
                    li {
                        (words.if_answered) " " strong { (possible.words.replace('_', " ")) } ": " (words.settles) " " (EN.number(possible.n_settled as u64))
                        @if possible.is_guarded { " " (words.once_confirmed) }
                        ", " (EN.number((question.n_open - possible.n_settled) as u64)) " " (words.stay_open)
                    }
                }
            }
        }
        @if !derived.is_empty() { p { (words.helps) " " (derived.join(", ")) "." } }
        @for asking in &question.asked_by { (asks(at, asking)) }
    }
}

fn asks(at: &At, asking: &Asking) -> Markup {
    let (words, of) = (&EN.intake, &asking.requirements);
    let title = of
        .first()
        .map_or(asking.pack.as_str(), |first| first.pack().title.as_str());
    html! {
        details {
            summary { strong { (title) } " " (words.asked_by) " " (EN.count(of.len(), "requirement", "requirements")) }
            ul {
                @for requirement in of.iter().take(REQUIREMENTS_MAX) {
                    @let text = requirement.text();
                    li { (requirement_link(at, &text.id)) ": " (text.what) " " cite { (requirement.pack().cited(&text.cite)) } }
                }
            }
            @if of.len() > REQUIREMENTS_MAX {
                p.note { @for (n, requirement) in of.iter().skip(REQUIREMENTS_MAX).enumerate() { @if n > 0 { ", " } (requirement_link(at, &requirement.text().id)) } }
            }
        }
    }
}

/// The page of a requirement of this system.
fn requirement_link(at: &At, id: &str) -> Markup {
    html! { a href=(at.link(&format!("/systems/{}/requirements/{id}", at.named("system")))) { (id) } }
}

fn fact_link(at: &At, name: &str) -> Markup {
    let kind = at.moment.library.book.vocabulary.get(name);
    html! { a href=(at.link(&format!("/systems/{}/facts/{name}", at.named("system")))) { (kind.map_or(name, |kind| kind.question.as_str())) } }
}

fn tally(ending: &Ending) -> String {
    let words = &EN.intake;
    format!(
        "{} {}, {} {}, {} {}",
        EN.number(ending.in_force.len() as u64),
        words.in_force.to_lowercase(),
        EN.number(ending.ahead.len() as u64),
        words.ahead.to_lowercase(),
        EN.number(ending.n_not_applicable as u64),
        words.not_applicable,
    )
}

/// The requirements that the answers lead to.
fn requirements(at: &At, ending: &Ending) -> Markup {
    let words = &EN.intake;
    html! {
        h3 { (words.in_force) " (" (EN.number(ending.in_force.len() as u64)) ")" }
        @if ending.in_force.is_empty() { p.quiet { (words.nothing) } }
        ul { @for (id, what) in ending.in_force.iter().take(ROWS_MAX) { li { (requirement_link(at, id)) ": " (what) } } }
        (more(ending.in_force.len()))
        h3 { (words.ahead) " (" (EN.number(ending.ahead.len() as u64)) ")" }
        @if ending.ahead.is_empty() { p.quiet { (words.nothing) } }
        ul { @for (id, from, what) in ending.ahead.iter().take(ROWS_MAX) { li { (requirement_link(at, id)) ": " (what) " " span.note { (words.ahead_from) " " (day(*from)) } } } }
        (more(ending.ahead.len()))
        p.note { (EN.count(ending.n_not_applicable, "requirement", "requirements")) " " (words.not_applicable) "." }
    }
}

fn more(n: usize) -> Markup {
    html! { @if n > ROWS_MAX { p.note { "… " (EN.count(n - ROWS_MAX, "more", "more")) } } }
}

/// What the answers lead to, once nothing is left to ask.
fn finished(at: &At, stands: &Stands, scope: &Scope) -> Result<Markup, Refusal> {
    let (words, id, ending) = (&EN.intake, at.named("system"), &stands.ending);
    let is_settled = ending.unanswered.is_empty() && ending.unconfirmed.is_empty();
    let classes = system::classes(at)?;
    Ok(html! {
        section #question tabindex="-1" aria-labelledby="done" {
            h2 #done { (words.done) }
            @if is_settled { p.lead { (words.done_lead) } }
            @if !ending.unanswered.is_empty() { p.lead { (words.left_open) } }
            p { (tally(ending)) "." }
            h3 { (words.next) }
            ol {
                @if !ending.unconfirmed.is_empty() { li { a href="#to-confirm" { (words.to_confirm) " (" (ending.unconfirmed.len()) ")" } } }
                @if !scope.skipped.is_empty() { li { a href={ (path(at)) "#question" } { (words.ask_again) } } }
                li { a href=(at.link(&format!("/systems/{id}#timeline"))) { (words.next_evidence) } }
                li { a href=(at.link(&format!("/gate/{id}"))) { (words.next_gate) } }
                li { a href=(at.link(&format!("/systems/{id}"))) { (words.next_system) } }
            }
        }
        @if !ending.unconfirmed.is_empty() {
            h2 #to-confirm { (words.to_confirm) }
            p.note { (words.to_confirm_note) }
            ul { @for (fact, ids) in &ending.unconfirmed { li { (fact_link(at, fact)) " · " (EN.count(ids.len(), "requirement", "requirements")) } } }
        }
        @if !ending.unanswered.is_empty() {
            h2 { (words.unanswered) }
            ul { @for (fact, ids) in &ending.unanswered { li { (fact_link(at, fact)) " · " (EN.count(ids.len(), "requirement", "requirements")) } } }
        }
        (classes)
        (requirements(at, ending))
    })
}
