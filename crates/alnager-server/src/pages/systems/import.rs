//! Importing a list of systems: send a file, look at what it becomes, confirm.

use std::sync::Arc;

use alnager_office::decide::Command;
use alnager_office::system::NewDeclaration;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{RawForm, RawQuery};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::{page_number, stage_words};
use crate::at::At;
use crate::form::Fields;
use crate::import::{BYTES_MAX, Preview, With, place, read};
use crate::page::{self, Page, Room, complaint, day, form_fields, text_field};
use crate::pages::shared;
use crate::pages::sign_in::off_thread;
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::uploads::Upload;
use crate::words::EN;

/// Most bytes of a form with a file.
pub(crate) const FORM_BYTES_MAX: usize = BYTES_MAX + (64 << 10);
/// Rows of a page.
const ROWS_MAX: usize = 50;
/// Rows of a list beside the systems.
const SHORT_MAX: usize = 200;

/// The form.
pub(crate) async fn form(at: At) -> Page {
    shown(&at, None, "")
}

/// Takes a file or a pasted text, and leads to what it becomes.
pub(crate) async fn send(
    at: At,
    sent: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let (upload, pasted) = match received(sent).await {
        Ok(received) => received,
        Err(refusal) => return refused(&at, &refusal, ""),
    };
    let looked = upload.clone();
    // A file that cannot be read is refused at once.
    let readable = off_thread(move || read(&looked.file, &looked.bytes).map(drop)).await?;
    match readable {
        Err(error) => refused(&at, &Refusal::Invalid(error.to_string()), &pasted),
        Ok(()) => {
            let key = at.organisation.uploads.hold(&at.who.person, upload)?;
            Ok(see_other(&at.link(&format!("/systems/import/{key}"))))
        }
    }
}

fn refused(at: &At, refusal: &Refusal, pasted: &str) -> Result<Response, Refusal> {
    let page = shown(at, Some(refusal), pasted);
    Ok(page.with_status(refusal.status()).into_response())
}

/// The file of a form, or the text pasted in its place; and that text.
async fn received(
    sent: Result<Multipart, MultipartRejection>,
) -> Result<(Upload, String), Refusal> {
    let mut sent = sent.map_err(|_| Refusal::Invalid(EN.import.nothing_sent.to_owned()))?;
    let (mut upload, mut pasted) = (None, String::new());
    while let Some(field) = sent.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = file_name(field.file_name().unwrap_or_default());
        let bytes = field.bytes().await.map_err(broken)?;
        match name.as_str() {
            "file" if !bytes.is_empty() => {
                upload = Some(Upload {
                    file,
                    bytes: Arc::new(bytes.to_vec()),
                });
            }
            "text" => pasted = String::from_utf8_lossy(&bytes).trim().to_owned(),
            _ => {}
        }
    }
    let of_text = || {
        let bytes = Arc::new(pasted.clone().into_bytes());
        let file = EN.import.pasted.to_owned();
        (!pasted.is_empty()).then_some(Upload { file, bytes })
    };
    let upload = upload.or_else(of_text);
    let upload = upload.ok_or_else(|| Refusal::Invalid(EN.import.nothing_sent.to_owned()))?;
    Ok((upload, pasted))
}

/// What a form with a file that did not arrive whole is answered with.
pub(crate) fn broken(error: MultipartError) -> Refusal {
    match error.status() {
        axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::TooLarge(EN.import.too_large.to_owned())
        }
        _ => Refusal::Invalid(EN.import.nothing_sent.to_owned()),
    }
}

/// The last part of a file's name, at most 120 characters of it.
pub(crate) fn file_name(said: &str) -> String {
    let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = last.chars().filter(|letter| !letter.is_control());
    visible.take(120).collect()
}

fn shown(at: &At, refusal: Option<&Refusal>, pasted: &str) -> Page {
    let words = &EN.import;
    let token = at.form_token().unwrap_or_default();
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } }
        h1 { (words.title) }
        (complaint(refusal))
        p.lead { (words.lead) }
        form method="post" enctype="multipart/form-data" action=(at.link(&format!("/systems/import?form={token}"))) {
            (page::file_field("file", words.file, false, Some(words.file_note)))
            (text_field("text", words.text, pasted, Some(words.text_note)))
            p { button type="submit" { (words.look) } }
        }
        h2 { (words.columns_title) }
        p { (words.columns) }
    };
    page::page(at, Room::Systems, words.title, body)
}

/// The file that the address names, and what it becomes now.
async fn preview(at: &At) -> Result<(Upload, Preview), Refusal> {
    let upload = at
        .organisation
        .uploads
        .get(&at.who.person, at.named("import"));
    let upload = upload.ok_or_else(|| Refusal::Invalid(EN.import.gone.to_owned()))?;
    let (at, looked) = (at.clone(), upload.clone());
    let preview = off_thread(move || {
        let organisation = at.state().organisation.as_ref();
        let table = read(&looked.file, &looked.bytes)?;
        Ok(place(
            &table,
            &With {
                vocabulary: &at.moment.library.book.vocabulary,
                organisation: organisation.map_or("", |organisation| organisation.name.as_str()),
                importer: &at.name(&at.who.person),
                today: at.today(),
                file: &looked.file,
                is_known: &|id| at.state().systems.contains_key(id),
            },
        ))
    })
    .await?;
    let preview =
        preview.map_err(|error: crate::import::ImportError| Refusal::Invalid(error.to_string()))?;
    Ok((upload, preview))
}

/// What a file becomes.
pub(crate) async fn look(at: At, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    match preview(&at).await {
        Err(refusal) => refused(&at, &refusal, ""),
        Ok((upload, preview)) => {
            Ok(previewed(&at, &upload, &preview, page_number(&fields)).into_response())
        }
    }
}

fn previewed(at: &At, upload: &Upload, preview: &Preview, page: usize) -> Page {
    let words = &EN.import;
    let here = at.link(&format!("/systems/import/{}", at.named("import")));
    let n = preview.systems.len();
    let page = page.min(n.div_ceil(ROWS_MAX).max(1));
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } " · " a href=(at.link("/systems/import")) { (words.title) } }
        h1 { (words.becomes) " " (upload.file) }
        ul.tally {
            li { strong { (EN.number(n as u64)) } " " (words.new) }
            li { strong { (EN.number(preview.existing.len() as u64)) } " " (words.known) }
            li { strong { (EN.number(preview.refused.len() as u64)) } " " (words.refused) }
            li { strong { (EN.number(preview.n_unplaced as u64)) } " " (words.unplaced) }
        }
        @for remark in &preview.remarks { p.note { (page::sentence(remark)) } }
        @if n > 0 {
            form method="post" action=(here) {
                (form_fields(at))
                p { button type="submit" { (words.confirm) " " (EN.count(n, "system", "systems")) } " " a href=(at.link("/systems/import")) { (EN.frame.cancel) } }
                p.note { (words.confirm_note) }
            }
        }
        (columns(preview))
        (refusals(preview))
        (unplaced(preview))
        (known(at, preview))
        (systems(preview, page))
        (shared::pager(page, n.div_ceil(ROWS_MAX), &|page| format!("{here}?page={page}")))
    };
    page::page(at, Room::Systems, words.title, body)
}

fn columns(preview: &Preview) -> Markup {
    let words = &EN.import;
    html! {
        h2 { (words.columns_become) }
        table.ledger.stacks {
            (shared::head(&[words.column, words.field, words.filled]))
            tbody {
                @for column in &preview.columns {
                    tr {
                        th scope="row" { @if column.name.is_empty() { span.quiet { (words.nameless) } } @else { (column.name) } }
                        td data-label=(words.field) {
                            @match column.field {
                                Some(_) => { code { (column.words) } }
                                None => { (page::tag("undecided", "◐", words.not_placed)) " " (column.words) }
                            }
                        }
                        td.figure data-label=(words.filled) { (EN.number(column.n_filled as u64)) }
                    }
                }
            }
        }
    }
}

fn refusals(preview: &Preview) -> Markup {
    let words = &EN.import;
    html! {
        @if !preview.refused.is_empty() {
            h2 { (words.refused_title) }
            table.ledger.stacks {
                (shared::head(&[words.row, words.reason]))
                tbody {
                    @for (row, why) in preview.refused.iter().take(SHORT_MAX) {
                        tr { th scope="row" { (row) } td data-label=(words.reason) { (page::sentence(why)) } }
                    }
                }
            }
            (more(preview.refused.len()))
        }
    }
}

fn unplaced(preview: &Preview) -> Markup {
    let words = &EN.import;
    // What stands in a column without a field was said with the column.
    html! {
        @if preview.n_unplaced > 0 {
            h2 { (words.unplaced_title) }
            p.note { (words.unplaced_note) }
            table.ledger.stacks {
                (shared::head(&[words.row, words.column, words.value, words.reason]))
                tbody {
                    @for unplaced in preview.unplaced.iter().take(SHORT_MAX) {
                        tr {
                            th scope="row" { (unplaced.row) }
                            td data-label=(words.column) { (unplaced.column) }
                            td data-label=(words.value) { (unplaced.value) }
                            td data-label=(words.reason) { (page::sentence(&unplaced.why)) }
                        }
                    }
                }
            }
            (more(preview.n_unplaced))
        }
    }
}

fn more(n: usize) -> Markup {
    html! { @if n > SHORT_MAX { p.note { "… " (EN.count(n - SHORT_MAX, "more", "more")) ". " (EN.import.more) } } }
}

fn known(at: &At, preview: &Preview) -> Markup {
    let words = &EN.import;
    html! {
        @if !preview.existing.is_empty() {
            h2 { (words.known_title) }
            p.note { (words.known_note) }
            ul {
                @for (row, id) in preview.existing.iter().take(SHORT_MAX) {
                    li { (words.row) " " (row) ": " a href=(at.link(&format!("/systems/{id}"))) { (id) } }
                }
            }
            (more(preview.existing.len()))
        }
    }
}

fn systems(preview: &Preview, page: usize) -> Markup {
    let (words, of) = (&EN.import, &EN.systems);
    html! {
        h2 { (words.systems) }
        @if preview.systems.is_empty() { p { (words.no_systems) } }
        @else {
            table.ledger.stacks {
                (shared::head(&[of.name, words.row, of.id, words.purpose, of.owner, of.stage, words.go_live, words.answers]))
                tbody {
                    @for (row, declared) in preview.systems.iter().skip((page - 1) * ROWS_MAX).take(ROWS_MAX) {
                        tr {
                            th scope="row" { (declared.name) }
                            td data-label=(words.row) { (row) }
                            td data-label=(of.id) { code { (declared.id) } }
                            td data-label=(words.purpose) { (declared.purpose) }
                            td data-label=(of.owner) { (declared.owner) }
                            td data-label=(of.stage) { (stage_words(declared.stage)) }
                            td data-label=(words.go_live) { @if let Some(on) = declared.go_live_on { (day(on)) } }
                            td data-label=(words.answers) { @for (name, fact) in &declared.facts { code { (name) } ": " (fact.value) br; } }
                        }
                    }
                }
            }
        }
    }
}

/// Declares what a file becomes: each system by itself.
pub(crate) async fn confirm(at: At, RawForm(_): RawForm) -> Result<Response, Refusal> {
    let (_, preview) = match preview(&at).await {
        Ok(found) => found,
        Err(refusal) => return refused(&at, &refusal, ""),
    };
    at.organisation.uploads.release(at.named("import"));
    let ids: Vec<(usize, String)> = preview
        .systems
        .iter()
        .map(|(row, declared)| (*row, declared.id.clone()))
        .collect();
    let commands = preview.systems.into_iter().map(|(_, declaration)| {
        // An id for the system, and one for each person the desk may not know.
        let n_ids = 2 + declaration.team.len();
        let new = NewDeclaration {
            declaration,
            expected: None,
        };
        (Command::DeclareSystem(Box::new(new)), n_ids)
    });
    let answers = at
        .organisation
        .enter_each(&at.who.person, commands.collect())
        .await;
    let mut refused: Vec<(usize, String)> = Vec::new();
    let n = answers.len();
    for ((row, id), answer) in ids.into_iter().zip(answers) {
        if let Err(error) = answer {
            refused.push((row, format!("`{id}`: {}", Refusal::from(error))));
        }
    }
    Ok(confirmed(&at.again(), n - refused.len(), &refused).into_response())
}

fn confirmed(at: &At, n: usize, refused: &[(usize, String)]) -> Page {
    let words = &EN.import;
    let body = html! {
        h1 { (words.title) }
        (page::notice(html! { p { (EN.count(n, "system is", "systems are")) " " (words.declared) } }))
        @if !refused.is_empty() {
            h2 { (words.refused_title) }
            ul { @for (row, why) in refused.iter().take(SHORT_MAX) { li { (words.row) " " (row) ": " (page::sentence(why)) } } }
            (more(refused.len()))
        }
        p { a.button href=(at.link("/systems")) { (Room::Systems.title()) } }
    };
    page::page(at, Room::Systems, words.title, body)
}
