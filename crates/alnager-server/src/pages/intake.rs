//! Intake: a new use of AI is proposed, and the interview finds the law that bears on it.

use std::collections::BTreeMap;

use alnager_office::decide::Command;
use alnager_office::declaration::{Declaration, DeclaredFact, Stage};
use alnager_office::system::NewDeclaration;
use axum::extract::{RawForm, RawQuery};
use axum::response::Response;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::access::Action;
use crate::at::At;
use crate::form::Fields;
use crate::import::{check_name, is_id, slug};
use crate::inventory::{STAGES, SystemRow};
use crate::page::{self, Page, Room, complaint, day, field, form_fields, text_field};
use crate::pages::answer;
use crate::pages::shared::{Paging, answered, day_field, day_of, head};
use crate::pages::systems::stage_words;
use crate::refusal::Refusal;
use crate::route::{Routes, see_other};
use crate::words::EN;

mod interview;

/// The fact that a proposal answers at once.
const PLACES: &str = "places";
/// Names offered while somebody types one.
const NAMES_MAX: usize = 200;

/// Adds the room.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/{org}/intake", Action::Declare, show)
        .post("/{org}/intake", Action::Declare, propose)
        .get("/{org}/intake/{system}", Action::Read, interview::show)
        .post("/{org}/intake/{system}", Action::Answer, interview::answer)
}

/// The page.
async fn show(at: At, RawQuery(query): RawQuery) -> Page {
    let query = Fields::read(query.unwrap_or_default().as_bytes());
    shown(&at, &query, None, &Fields::default())
}

/// Declares what is proposed, and leads to its interview.
async fn propose(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let entered = match declaration(&at, &fields) {
        Ok(declaration) => declare(&at, declaration, &fields).await,
        Err(refusal) => Err(refusal),
    };
    match entered {
        Ok(id) => Ok(see_other(&at.link(&format!("/intake/{id}")))),
        Err(refusal) => {
            let page = shown(&at.again(), &Fields::default(), Some(&refusal), &fields);
            Ok(answered(page, Some(&refusal)))
        }
    }
}

async fn declare(at: &At, declaration: Declaration, fields: &Fields) -> Result<String, Refusal> {
    let id = declaration.id.clone();
    // An id for the system, and one for each person the desk may not know.
    let n_ids = 2 + declaration.team.len();
    let new = NewDeclaration {
        declaration,
        expected: None,
    };
    let command = Command::DeclareSystem(Box::new(new));
    at.enter_with(command, fields.once(), n_ids).await?;
    Ok(id)
}

/// What the form says, as a declaration. `Err`: the first thing that is wrong with it.
fn declaration(at: &At, fields: &Fields) -> Result<Declaration, Refusal> {
    let words = &EN.intake;
    let needed = |name: &str, missing: &str| match fields.optional(name) {
        Some(text) => Ok(text.to_owned()),
        None => Err(Refusal::Invalid(missing.to_owned())),
    };
    let name = needed("name", words.no_name)?;
    let purpose = needed("purpose", words.no_purpose)?;
    let owner = needed("owner", words.no_owner)?;
    let id = match fields.optional("id") {
        Some(id) => id.to_owned(),
        None => slug(&name),
    };
    if !is_id(&id) {
        return Err(Refusal::Invalid(words.no_id.to_owned()));
    }
    let team = listed(fields.text("team"));
    let team = match team.is_empty() {
        true => vec![owner.clone()],
        false => team,
    };
    for one in team.iter().chain([&owner, &name]) {
        check_name(one).map_err(Refusal::Invalid)?;
    }
    let stage = STAGES
        .into_iter()
        .find(|stage| stage.word() == fields.text("stage"));
    let organisation = at.state().organisation.as_ref();
    Ok(Declaration {
        id,
        name,
        organisation: organisation.map_or(String::new(), |known| known.name.clone()),
        owner,
        team,
        purpose,
        stage: stage.ok_or_else(|| Refusal::Invalid(words.no_stage.to_owned()))?,
        go_live_on: day_of(fields, "goes-live", words.goes_live)?,
        time_zone: None,
        what_if: None,
        owners: BTreeMap::new(),
        facts: places(at, fields)?,
        audits: Vec::new(),
        limits: Vec::new(),
        evidence: Vec::new(),
        absences: Vec::new(),
    })
}

/// The names of a field with one a line; commas part them, too.
fn listed(text: &str) -> Vec<String> {
    let names = text.split(['\n', ',', ';']).map(str::trim);
    let mut listed: Vec<String> = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !listed.iter().any(|known| known == name) {
            listed.push(name.to_owned());
        }
    }
    listed
}

/// Where it is sold, run, or affects people; unknown where nothing was chosen.
fn places(at: &At, fields: &Fields) -> Result<BTreeMap<String, DeclaredFact>, Refusal> {
    let kind = at.moment.library.book.vocabulary.get(PLACES);
    let Some(kind) = kind.filter(|_| !answer::as_sent(fields).is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let answer = DeclaredFact {
        value: answer::read(kind, fields)?,
        by: at.name(&at.who.person),
        on: at.today(),
        basis: EN.intake.places_basis.to_owned(),
    };
    Ok(BTreeMap::from([(PLACES.to_owned(), answer)]))
}

/// A proposal whose requirements are not all settled.
struct Waiting<'a> {
    row: &'a SystemRow,
    n_answers: usize,
    goes_live: Option<Date>,
    /// How many binding requirements wait for an answer; `None` while that is worked out.
    n_wait: Option<usize>,
}

/// Proposals with questions open, by their ids.
fn waiting(at: &At) -> Vec<Waiting<'_>> {
    let rows = at.moment.digest.inventory.rows.iter();
    let proposed = rows.filter(|row| row.stage == Stage::Proposed);
    let found = proposed.filter_map(|row| {
        let system = at.state().systems.get(&row.id)?;
        let standing = at.moment.standing(&row.id);
        Some(Waiting {
            row,
            n_answers: system.facts.len(),
            goes_live: system.declaration.go_live_on,
            n_wait: standing.map(|standing| standing.counts.may_apply),
        })
    });
    found.filter(|waiting| waiting.n_wait != Some(0)).collect()
}

fn shown(at: &At, query: &Fields, refusal: Option<&Refusal>, typed: &Fields) -> Page {
    let words = &EN.intake;
    let body = html! {
        h1 { (Room::Intake.title()) }
        (complaint(refusal))
        p.lead { (words.lead) }
        div.spread {
            section aria-labelledby="propose" { h2 #propose { (words.propose) } (form(at, typed)) }
            (list(at, query))
        }
    };
    page::page(at, Room::Intake, Room::Intake.title(), body)
}

fn list(at: &At, query: &Fields) -> Markup {
    let words = &EN.intake;
    let waiting = waiting(at);
    let paging = Paging::of(query, waiting.len());
    html! {
        section aria-labelledby="waiting" {
            h2 #waiting { (words.waiting) @if !waiting.is_empty() { " (" (EN.number(waiting.len() as u64)) ")" } }
            @if waiting.is_empty() { p.quiet { (words.waiting_none) } }
            @else {
                p.note { (words.waiting_note) }
                table.ledger.stacks {
                    (head(&[words.system, words.owner, words.goes_live, words.answers, words.wait]))
                    tbody { @for one in paging.rows(&waiting) { (line(at, one)) } }
                }
                (paging.links(&at.link(Room::Intake.path()), query))
            }
        }
    }
}

fn line(at: &At, waiting: &Waiting<'_>) -> Markup {
    let (words, id) = (&EN.intake, &waiting.row.id);
    html! {
        tr data-of=(id) {
            th scope="row" {
                a href=(at.link(&format!("/systems/{id}"))) { (waiting.row.name) } br;
                a href=(at.link(&format!("/intake/{id}"))) { (words.go_on) span.unseen { ": " (waiting.row.name) } }
            }
            td data-label=(words.owner) { (waiting.row.owner) }
            td data-label=(words.goes_live) { @match waiting.goes_live { Some(on) => (day(on)), None => span.quiet { (words.no_day) } } }
            td.figure data-label=(words.answers) { (EN.number(waiting.n_answers as u64)) }
            td.figure data-label=(words.wait) { @match waiting.n_wait { Some(n) => (EN.number(n as u64)), None => span.quiet { (words.working) } } }
        }
    }
}

fn form(at: &At, typed: &Fields) -> Markup {
    let words = &EN.intake;
    let is_fresh = typed.optional("once").is_none() && typed.optional("name").is_none();
    let own = at.name(&at.who.person);
    let owner = if is_fresh {
        own.as_str()
    } else {
        typed.text("owner")
    };
    let stage = typed.optional("stage").unwrap_or(Stage::Proposed.word());
    let places = at.moment.library.book.vocabulary.get(PLACES);
    html! {
        form method="post" action=(at.link(Room::Intake.path())) {
            (form_fields(at))
            (field("name", words.name, typed.text("name"), None))
            (field("id", words.id, typed.text("id"), Some(words.id_note)))
            (text_field("purpose", words.purpose, typed.text("purpose"), Some(words.purpose_note)))
            div.field {
                label for="owner" { (words.owner) }
                input type="text" id="owner" name="owner" value=(owner) list="names";
                datalist #names { @for name in names(at) { option value=(name) {} } }
            }
            (text_field("team", words.team, typed.text("team"), Some(words.team_note)))
            div.row {
                (page::select_field("stage", words.stage, STAGES.map(|one| (one.word(), stage_words(one))), stage, None))
                (day_field("goes-live", words.goes_live, typed.text("goes-live"), Some(words.goes_live_note)))
            }
            @if let Some(places) = places { (answer::inputs(places, &answer::as_sent(typed))) }
            p { button type="submit" { (words.send) } }
        }
    }
}

/// Names of people with a role, in the order of the alphabet.
fn names(at: &At) -> Vec<String> {
    let people = at.state().people.keys();
    let mut names: Vec<String> = people
        .filter(|person| !at.state().roles_of(person).is_empty())
        .map(|person| at.name(person))
        .collect();
    names.sort();
    names.truncate(NAMES_MAX);
    names
}

#[cfg(test)]
mod tests;
