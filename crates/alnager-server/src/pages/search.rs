//! Search across rooms: where the palette leads, and a page of its own where there is no script.

use std::borrow::Cow;

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
pub(super) const FRAGMENT: &str = "hx-request";

/// How well something fits: the beginning of its name or id first, then the beginning of a word, then anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Begins,
    Word,
    Within,
}

/// What something is, in the order of hits that fit alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Room,
    System,
    Requirement,
    Evidence,
    Person,
}

/// Something that fits, as it is compared with others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fitting<'a> {
    fit: Fit,
    kind: Kind,
    name: Cow<'a, str>,
    /// Its id; of a room its path; of a person nothing.
    id: &'a str,
}

/// Something that is shown.
pub(super) struct Hit {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Its id; empty where its name says enough.
    pub(super) id: String,
    pub(super) path: String,
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
    let mut fitting: Vec<Fitting<'_>> = rooms(at, sought).collect();
    if !sought.words.is_empty() {
        fitting.extend(systems(at, sought));
        fitting.extend(requirements(at, sought));
        fitting.extend(evidence(at, sought));
        fitting.extend(people(at, sought));
        // Only what is shown needs its order.
        if fitting.len() > HITS_MAX {
            fitting.select_nth_unstable(HITS_MAX);
            fitting.truncate(HITS_MAX);
        }
        fitting.sort();
    }
    fitting.into_iter().map(|found| hit(at, &found)).collect()
}

fn hit(at: &At, found: &Fitting<'_>) -> Hit {
    let id = encoded(found.id);
    let (path, shown) = match found.kind {
        Kind::Room => (found.id.to_owned(), ""),
        Kind::System => (format!("/systems/{id}"), found.id),
        Kind::Requirement => (format!("/law/requirements/{id}"), found.id),
        Kind::Evidence => (format!("/evidence/{id}"), found.id),
        Kind::Person => (Room::People.path().to_owned(), ""),
    };
    Hit {
        kind: found.kind,
        name: found.name.clone().into_owned(),
        id: shown.to_owned(),
        path: at.link(&path),
    }
}

fn rooms<'a>(at: &At, sought: &Sought) -> impl Iterator<Item = Fitting<'a>> {
    Room::open_to(at).filter_map(|room| {
        Some(Fitting {
            fit: sought.fit(&[&room.title().to_lowercase()])?,
            kind: Kind::Room,
            name: Cow::Borrowed(room.title()),
            id: room.path(),
        })
    })
}

fn systems<'a>(at: &'a At, sought: &Sought) -> impl Iterator<Item = Fitting<'a>> {
    let rows = at.moment.digest.inventory.rows.iter();
    rows.filter_map(|row| {
        Some(Fitting {
            fit: sought.fit(&[row.name_in_small(), &row.id])?,
            kind: Kind::System,
            name: Cow::Borrowed(&row.name),
            id: &row.id,
        })
    })
}

fn requirements<'a>(at: &'a At, sought: &Sought) -> impl Iterator<Item = Fitting<'a>> {
    let packs = at.moment.library.book.packs();
    let texts = packs.flat_map(|pack| &pack.requirements);
    texts.filter_map(|text| {
        Some(Fitting {
            fit: sought.fit(&[&text.what.to_lowercase(), &text.id.to_lowercase()])?,
            kind: Kind::Requirement,
            name: Cow::Borrowed(&text.what),
            id: &text.id,
        })
    })
}

fn evidence<'a>(at: &'a At, sought: &Sought) -> impl Iterator<Item = Fitting<'a>> {
    let evidence = at.state().evidence.iter();
    evidence.filter_map(|(id, evidence)| {
        let file = &evidence.submitted.file;
        Some(Fitting {
            fit: sought.fit(&[&file.to_lowercase(), &id.to_lowercase()])?,
            kind: Kind::Evidence,
            name: Cow::Borrowed(file),
            id,
        })
    })
}

/// People, for whoever looks after them.
fn people<'a>(at: &'a At, sought: &Sought) -> impl Iterator<Item = Fitting<'a>> {
    let is_allowed = at.may(Action::Administer, Resource::Organisation);
    let people = at.state().people.keys().filter(move |_| is_allowed);
    people.filter_map(|person| {
        let name = at.name(person);
        Some(Fitting {
            fit: sought.fit(&[&name.to_lowercase()])?,
            kind: Kind::Person,
            name: Cow::Owned(name),
            id: "",
        })
    })
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
pub(super) fn fragment(hits: &[Hit]) -> Response {
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
