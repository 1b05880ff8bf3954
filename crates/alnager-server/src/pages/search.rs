//! Search across rooms: where the palette leads, and a page of its own where there is no script.

use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room};
use crate::pages::shared::encoded;
use crate::pages::sign_in::off_thread;
use crate::refusal::Refusal;
use crate::words::EN;

/// Most hits of an answer.
const HITS_MAX: usize = 20;
/// Most characters of what is searched for; what is longer fits nothing.
const CHARACTERS_MAX: usize = 200;
/// The header of a request that asks for a fragment.
const FRAGMENT: &str = "hx-request";

/// How well something fits: the beginning of its name or id first, then the beginning of a word, then anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Begins,
    Word,
    Within,
}

/// What something is, in the order of hits that fit alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Room,
    System,
    Requirement,
    Evidence,
    Person,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    fit: Fit,
    kind: Kind,
    /// Its name.
    name: String,
    /// Its id, where that is another one.
    id: String,
    path: String,
}

/// The words searched for, in small letters.
struct Sought {
    whole: String,
    words: Vec<String>,
}

/// Answers a search: a fragment for the palette, a page for everybody else.
pub(super) async fn show(
    at: At,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let typed = fields.text("q").to_owned();
    let (asked, sought) = (at.clone(), Sought::of(&typed));
    // Many systems are looked through.
    let hits = off_thread(move || found(&asked, &sought)).await?;
    Ok(match headers.contains_key(FRAGMENT) {
        true => fragment(&hits),
        false => whole(&at, &typed, &hits).into_response(),
    })
}

impl Sought {
    fn of(typed: &str) -> Sought {
        let whole = typed.trim().to_lowercase();
        Sought {
            words: whole.split_whitespace().map(str::to_owned).collect(),
            whole,
        }
    }

    /// How well names fit; `None`: they do not. `names` are in small letters. Without words everything fits.
    fn fit(&self, names: &[&str]) -> Option<Fit> {
        if names.iter().any(|name| name.starts_with(&self.whole)) {
            return Some(Fit::Begins);
        }
        let has = |word: &String| names.iter().any(|name| name.contains(word.as_str()));
        if !self.words.iter().all(has) {
            return None;
        }
        let begins = |word: &String| {
            let mut words = names
                .iter()
                .flat_map(|name| name.split(|letter: char| !letter.is_alphanumeric()));
            words.any(|known| known.starts_with(word.as_str()))
        };
        Some(match self.words.iter().all(begins) {
            true => Fit::Word,
            false => Fit::Within,
        })
    }
}

/// The best hits, in their order. Without words: the rooms.
fn found(at: &At, sought: &Sought) -> Vec<Hit> {
    if sought.whole.chars().count() > CHARACTERS_MAX {
        return Vec::new();
    }
    let mut hits = rooms(at, sought);
    if !sought.words.is_empty() {
        hits.extend(systems(at, sought));
        hits.extend(requirements(at, sought));
        hits.extend(evidence(at, sought));
        hits.extend(people(at, sought));
    }
    // Only what is shown needs its order.
    if hits.len() > HITS_MAX {
        hits.select_nth_unstable(HITS_MAX);
        hits.truncate(HITS_MAX);
    }
    hits.sort();
    if sought.words.is_empty() {
        hits.sort_by_key(|hit| Room::ALL.iter().position(|room| room.title() == hit.name));
    }
    hits
}

fn rooms(at: &At, sought: &Sought) -> Vec<Hit> {
    let rooms = Room::open_to(at);
    let hits = rooms.filter_map(|room| {
        Some(Hit {
            fit: sought.fit(&[&room.title().to_lowercase()])?,
            kind: Kind::Room,
            name: room.title().to_owned(),
            id: String::new(),
            path: at.link(room.path()),
        })
    });
    hits.collect()
}

fn systems(at: &At, sought: &Sought) -> Vec<Hit> {
    let rows = at.moment.digest.inventory.rows.iter();
    let hits = rows.filter_map(|row| {
        Some(Hit {
            fit: sought.fit(&[row.name_in_small(), &row.id])?,
            kind: Kind::System,
            name: row.name.clone(),
            id: row.id.clone(),
            path: at.link(&format!("/systems/{}", row.id)),
        })
    });
    hits.collect()
}

fn requirements(at: &At, sought: &Sought) -> Vec<Hit> {
    let packs = at.moment.library.book.packs();
    let hits = packs
        .flat_map(|pack| &pack.requirements)
        .filter_map(|text| {
            let fit = sought.fit(&[&text.what.to_lowercase(), &text.id.to_lowercase()])?;
            Some(Hit {
                fit,
                kind: Kind::Requirement,
                name: text.what.clone(),
                id: text.id.clone(),
                path: at.link(&format!("/law/requirements/{}", encoded(&text.id))),
            })
        });
    hits.collect()
}

fn evidence(at: &At, sought: &Sought) -> Vec<Hit> {
    let hits = at.state().evidence.iter().filter_map(|(id, evidence)| {
        let file = &evidence.submitted.file;
        Some(Hit {
            fit: sought.fit(&[&file.to_lowercase(), &id.to_lowercase()])?,
            kind: Kind::Evidence,
            name: file.clone(),
            id: id.clone(),
            path: at.link(&format!("/evidence/{}", encoded(id))),
        })
    });
    hits.collect()
}

/// People, for whoever looks after them.
fn people(at: &At, sought: &Sought) -> Vec<Hit> {
    if !at.may(Action::Administer, Resource::Organisation) {
        return Vec::new();
    }
    let people = at.state().people.keys();
    let hits = people.filter_map(|person| {
        let name = at.name(person);
        Some(Hit {
            fit: sought.fit(&[&name.to_lowercase()])?,
            kind: Kind::Person,
            name,
            id: String::new(),
            path: at.link(Room::People.path()),
        })
    });
    hits.collect()
}

fn kind(kind: Kind) -> &'static str {
    let words = &EN.search;
    match kind {
        Kind::Room => words.room,
        Kind::System => words.system,
        Kind::Requirement => words.requirement,
        Kind::Evidence => words.evidence,
        Kind::Person => words.person,
    }
}

fn words(hit: &Hit) -> Markup {
    html! {
        (hit.name)
        @if !hit.id.is_empty() { " " code { (hit.id) } }
        " " span.note { (kind(hit.kind)) }
    }
}

/// The choices of the palette.
fn fragment(hits: &[Hit]) -> Response {
    let choices = html! {
        @for (n, hit) in hits.iter().enumerate() {
            a role="option" id={ "hit-" (n) } tabindex="-1" aria-selected="false" href=(hit.path) { (words(hit)) }
        }
        @if hits.is_empty() { p.quiet { (EN.search.none) } }
    };
    let media = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (media, choices.into_string()).into_response()
}

fn whole(at: &At, typed: &str, hits: &[Hit]) -> Page {
    let texts = &EN.search;
    let body = html! {
        h1 { (texts.title) }
        form.row method="get" action=(at.link("/search")) role="search" {
            div.field {
                label for="q" { (texts.label) }
                input type="search" id="q" name="q" value=(typed);
            }
            p { button type="submit" { (EN.shared.search) } }
        }
        @if hits.is_empty() { p { (texts.none) } }
        @else {
            h2 { (texts.hits) }
            ol { @for hit in hits { li { a href=(hit.path) { (words(hit)) } } } }
        }
    };
    page::page(at, Room::Account, texts.title, body)
}

#[cfg(test)]
mod tests;
