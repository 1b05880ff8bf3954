//! What several rooms show in the same way: pages of a list, filters, comments, files to take away.

use alnager_office::comment::{About, CHARACTERS_MAX};
use alnager_office::decide::Command;
use axum::body::Body;
use axum::extract::RawForm;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use maud::{Markup, html};

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Page, Room, complaint, day, form_fields};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::words::EN;

/// Rows on one page of a list.
pub(super) const ROWS: usize = 50;

/// One page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paging {
    /// The page shown, from 1.
    page: usize,
    /// Number of rows in all.
    n: usize,
}

impl Paging {
    /// The page that a query asks for, of a list with `n` rows; the last one where there are not so many.
    pub(super) fn of(query: &Fields, n: usize) -> Paging {
        let last = n.div_ceil(ROWS).max(1);
        let asked: usize = query.text("page").parse().unwrap_or(1);
        Paging {
            page: asked.clamp(1, last),
            n,
        }
    }

    /// The rows on it.
    pub(super) fn rows<'r, T>(&self, rows: &'r [T]) -> &'r [T] {
        let first = (self.page - 1) * ROWS;
        let end = rows.len().min(first + ROWS);
        rows.get(first..end).unwrap_or_default()
    }

    /// The links to the pages beside it; nothing where one page holds the list. The query's other fields are kept.
    pub(super) fn links(&self, path: &str, query: &Fields) -> Markup {
        pager(self.page, self.n.div_ceil(ROWS), &|page| {
            with_field(path, query, "page", &page.to_string())
        })
    }
}

/// The links from one page of a list to those beside it; nothing where one page holds the list.
pub(super) fn pager(page: usize, last: usize, to: &dyn Fn(usize) -> String) -> Markup {
    html! {
        @if last > 1 {
            nav.pages aria-label=(EN.shared.pages) {
                @if page > 1 { a href=(to(page - 1)) rel="prev" { (EN.shared.earlier) } " · " }
                (EN.shared.page) " " (EN.number(page as u64)) " " (EN.shared.of) " " (EN.number(last as u64))
                @if page < last { " · " a href=(to(page + 1)) rel="next" { (EN.shared.later) } }
            }
        }
    }
}

/// An address with a query in which one field has another value; empty fields are left out.
pub(super) fn with_field(path: &str, query: &Fields, name: &str, value: &str) -> String {
    let kept = query
        .pairs()
        .filter(|(known, value)| *known != name && *known != "page" && !value.is_empty());
    let pairs = kept.chain(
        [(name, value)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty()),
    );
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", pairs.join("&")),
    }
}

/// A text as a part of an address or a query.
pub(super) fn encoded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                shown.push(char::from(byte));
            }
            _ => shown.push_str(&format!("%{byte:02X}")),
        }
    }
    shown
}

/// A choice among the values of one field of the query, as links; the chosen one is marked. `choices`: value, words.
pub(super) fn choices(
    path: &str,
    query: &Fields,
    name: &str,
    label: &str,
    choices: &[(&str, String)],
) -> Markup {
    let chosen = query.text(name);
    html! {
        nav.choices aria-label=(label) {
            ul {
                @for (value, words) in choices {
                    li { a href=(with_field(path, query, name, value)) aria-current=[(*value == chosen).then_some("true")] { (words) } }
                }
            }
        }
    }
}

/// A field that searches a list; the query's other fields are kept.
pub(super) fn search(path: &str, query: &Fields, label: &str) -> Markup {
    let kept = query
        .pairs()
        .filter(|(name, value)| *name != "q" && *name != "page" && !value.is_empty());
    html! {
        form.row method="get" action=(path) role="search" {
            @for (name, value) in kept { input type="hidden" name=(name) value=(value); }
            div.field {
                label for="q" { (label) }
                input type="search" id="q" name="q" value=(query.text("q"));
            }
            p { button type="submit" { (EN.shared.search) } }
        }
    }
}

/// Whether a text holds every word that is searched for, whatever its capitals.
pub(super) fn holds(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

/// The words searched for.
pub(super) fn searched(query: &Fields) -> Vec<String> {
    let text = query.text("q").to_lowercase();
    text.split_whitespace().map(str::to_owned).collect()
}

/// A page as an answer: with the status of what is wrong with the form on it, where something is.
pub(super) fn answered(page: Page, refusal: Option<&Refusal>) -> Response {
    let status = match refusal {
        None => StatusCode::OK,
        Some(Refusal::Conflict(_) | Refusal::Stale) => StatusCode::CONFLICT,
        Some(Refusal::Forbidden(_)) => StatusCode::FORBIDDEN,
        Some(refusal) => match refusal.status() {
            status if status.is_server_error() => status,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        },
    };
    page.with_status(status).into_response()
}

/// A file to take away. A browser never shows it as a page of ours.
pub(super) fn attachment(name: &str, media: &'static str, bytes: Vec<u8>) -> Response {
    let plain: String = name
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => letter,
            _ => '_',
        })
        .collect();
    let value = format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        encoded(name)
    );
    let disposition =
        HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"));
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}

/// A day that a form gives; what is no day is said with the field's label.
pub(super) fn day_of(fields: &Fields, name: &str, label: &str) -> Result<Option<Date>, Refusal> {
    fields
        .optional(name)
        .map(|text| {
            text.parse().map_err(|_| {
                Refusal::Invalid(format!(
                    "`{text}` is no day for `{label}`; write one such as 2026-12-31"
                ))
            })
        })
        .transpose()
}

/// A labelled field for a day.
pub(super) fn day_field(name: &str, label: &str, value: &str, note: Option<&str>) -> Markup {
    let described = page::described(name, note);
    let input = html! { input type="date" id=(name) name=(name) value=(value) aria-describedby=[described]; };
    page::labelled(name, label, input, note)
}

/// A system's name; its id where it is gone.
pub(super) fn system_name<'a>(at: &'a At, id: &'a str) -> &'a str {
    let system = at.state().systems.get(id);
    system.map_or(id, |system| system.declaration.name.as_str())
}

/// A system by name, with a link to its page.
pub(super) fn system_link(at: &At, id: &str) -> Markup {
    html! { a href=(at.link(&format!("/systems/{}", encoded(id)))) { (system_name(at, id)) } }
}

/// A requirement by id, with a link to its page where the book has it.
pub(super) fn requirement_link(at: &At, id: &str) -> Markup {
    html! {
        @if super::today::requirement(at, id).is_some() { a href=(at.link(&format!("/law/requirements/{}", encoded(id)))) { (id) } }
        @else { (id) }
    }
}

/// A table's head.
pub(super) fn head(columns: &[&str]) -> Markup {
    html! { thead { tr { @for column in columns { th scope="col" { (column) } } } } }
}

/// The entry of the journal that recorded something; a link for whoever may read the journal.
pub(super) fn entry_link(at: &At, index: u64) -> Markup {
    html! {
        @if at.may(Action::Prove, Resource::Organisation) {
            a href=(at.link(&format!("/journal/{index}"))) { (EN.shared.entry) " " (EN.number(index)) }
        } @else { (EN.shared.entry) " " (EN.number(index)) }
    }
}

/// What is said about something, and a form to say more.
pub(super) fn comments(at: &At, about: &About) -> Markup {
    let comments = at.state().comments_on(about);
    html! {
        section.comments aria-labelledby="comments" {
            h2 #comments { (EN.shared.comments) @if !comments.is_empty() { " (" (comments.len()) ")" } }
            @if comments.is_empty() { p.quiet { (EN.shared.no_comments) } }
            ol.brief {
                @for comment in comments {
                    li {
                        p.words { (comment.made.text) }
                        p.note { (at.name(&comment.made.by)) " · " (day(comment.made.on)) " · " (entry_link(at, comment.at)) }
                    }
                }
            }
            @if may_comment(at, about) { (comment_form(at, about, "")) }
        }
    }
}

fn may_comment(at: &At, about: &About) -> bool {
    match at.state().system_of(about) {
        Some(system) => at.may_to(Action::Comment, system),
        None => at.may(Action::Comment, Resource::Organisation),
    }
}

fn comment_form(at: &At, about: &About, text: &str) -> Markup {
    html! {
        form method="post" action=(at.link("/comments")) {
            (form_fields(at))
            input type="hidden" name="about" value=(word(about));
            div.field {
                label for="comment" { (EN.shared.comment) }
                textarea id="comment" name="text" rows="3" required maxlength=(CHARACTERS_MAX) aria-describedby="comment-note" { (text) }
                p.note #comment-note { (EN.shared.comment_note) }
            }
            p { button type="submit" { (EN.shared.comment_send) } }
        }
    }
}

/// Comments on something. What is wrong is said on a page of its own, with what was typed.
pub(super) async fn comment(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let about = about(fields.text("about")).ok_or(Refusal::NotFound)?;
    if !may_comment(&at, &about) {
        return Err(Refusal::Forbidden(EN.refusal.may_not.to_owned()));
    }
    let command = Command::Comment {
        about: about.clone(),
        text: fields.text("text").to_owned(),
    };
    match at.enter(command, fields.once()).await {
        Ok(_) => Ok(see_other(&format!("{}#comments", at.link(&path(&about))))),
        Err(refusal) => {
            let body = html! {
                h1 { (EN.shared.comment) }
                (complaint(Some(&refusal)))
                (comment_form(&at, &about, fields.text("text")))
                p { a href=(at.link(&path(&about))) { (EN.frame.cancel) } }
            };
            let page = page::page(&at, Room::Today, EN.shared.comment, body);
            Ok(answered(page, Some(&refusal)))
        }
    }
}

/// What a comment is about, as a form carries it. Ids hold no `/`.
fn word(about: &About) -> String {
    match about {
        About::System(system) => format!("system/{system}"),
        About::Requirement {
            system: None,
            requirement,
        } => format!("requirement/{requirement}"),
        About::Requirement {
            system: Some(system),
            requirement,
        } => format!("requirement/{requirement}/{system}"),
        About::Evidence(evidence) => format!("evidence/{evidence}"),
        About::Task(task) => format!("task/{task}"),
    }
}

fn about(word: &str) -> Option<About> {
    let (kind, id) = word.split_once('/')?;
    match kind {
        "system" => Some(About::System(id.to_owned())),
        "requirement" => {
            let (requirement, system) = match id.split_once('/') {
                Some((requirement, system)) => (requirement, Some(system.to_owned())),
                None => (id, None),
            };
            Some(About::Requirement {
                system,
                requirement: requirement.to_owned(),
            })
        }
        "evidence" => Some(About::Evidence(id.to_owned())),
        "task" => Some(About::Task(id.to_owned())),
        _ => None,
    }
}

/// Where what a comment is about is shown.
fn path(about: &About) -> String {
    match about {
        About::System(system) => format!("/systems/{}", encoded(system)),
        About::Requirement {
            system: Some(system),
            requirement,
        } => format!(
            "/systems/{}/requirements/{}",
            encoded(system),
            encoded(requirement)
        ),
        About::Requirement {
            system: None,
            requirement,
        } => format!("/law/requirements/{}", encoded(requirement)),
        About::Evidence(evidence) => format!("/evidence/{}", encoded(evidence)),
        About::Task(task) => format!("/tasks/{}", encoded(task)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_page_that_is_not_there_is_the_last_one() {
        let rows: Vec<usize> = (0..120).collect();
        let shown = |query: &str| {
            let paging = Paging::of(&Fields::read(query.as_bytes()), rows.len());
            let rows = paging.rows(&rows);
            (rows.first().copied(), rows.len())
        };
        assert_eq!(shown(""), (Some(0), 50));
        assert_eq!(shown("page=3"), (Some(100), 20));
        assert_eq!(shown("page=99"), (Some(100), 20));
        assert_eq!(shown("page=0"), (Some(0), 50));
        assert_eq!(shown("page=-1"), (Some(0), 50));
        let none = Paging::of(&Fields::default(), 0);
        assert!(none.rows::<usize>(&[]).is_empty());
        assert_eq!(none.links("/a", &Fields::default()).into_string(), "");
    }

    #[test]
    fn another_filter_keeps_the_others_and_begins_at_the_first_page() {
        let query = Fields::read(b"q=a+b&page=4&verdict=hold");
        assert_eq!(
            with_field("/g", &query, "verdict", "clear"),
            "/g?q=a%20b&verdict=clear"
        );
        assert_eq!(with_field("/g", &query, "verdict", ""), "/g?q=a%20b");
        assert_eq!(with_field("/g", &Fields::default(), "q", ""), "/g");
    }

    #[test]
    fn a_file_name_cannot_end_its_header() {
        let response = attachment("a\"\r\nx: é.pdf", "application/octet-stream", Vec::new());
        let value = response.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap();
        assert_eq!(
            value,
            "attachment; filename=\"a___x:__.pdf\"; filename*=UTF-8''a%22%0D%0Ax%3A%20%C3%A9.pdf"
                .replace("a___x:", "a___x_")
        );
    }

    #[test]
    fn what_a_comment_is_about_comes_back_from_its_form() {
        for about_it in [
            About::System("s".to_owned()),
            About::Evidence("E1".to_owned()),
            About::Task("T1".to_owned()),
            About::Requirement {
                system: None,
                requirement: "R-1".to_owned(),
            },
            About::Requirement {
                system: Some("s".to_owned()),
                requirement: "R-1".to_owned(),
            },
        ] {
            assert_eq!(about(&word(&about_it)), Some(about_it));
        }
        assert_eq!(about("person/p"), None);
    }
}
