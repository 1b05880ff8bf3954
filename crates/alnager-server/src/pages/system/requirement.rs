//! One requirement of one system: how it stands and why, the evidence offered, and what people say.

use std::sync::Arc;

use alnager_law::explain::explain;
use alnager_law::pack::{Pack, RequirementText};
use alnager_office::assess::Assessment;
use alnager_office::comment::About;
use alnager_office::decide::{Command, OfferedEvidence};
use alnager_office::declaration::{DeclaredEvidence, DeclaredSignature};
use alnager_office::evidence::Evidence;
use alnager_office::gate::{Judged, kinds_taken};
use alnager_report::why;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use maud::{Markup, html};
use uuid::Uuid;

use crate::access::Action;
use crate::at::At;
use crate::page::{self, Page, Room, complaint, day, field, form_fields, status};
use crate::pages::evidence::standing as evidence_standing;
use crate::pages::shared;
use crate::pages::shared::comments;
use crate::pages::systems::import::file_name;
use crate::refusal::{Refusal, for_browsers};
use crate::route::see_other;
use crate::words::EN;

/// Most bytes of a document.
const DOCUMENT_BYTES_MAX: usize = 20 << 20;
/// Most bytes of a form with a document and an auditor's note.
pub(crate) const FORM_BYTES_MAX: usize = DOCUMENT_BYTES_MAX + (1 << 20);

/// What was typed, and why it was refused.
#[derive(Default)]
struct Typed {
    refusal: Option<Refusal>,
    sent: Sent,
}

/// The form of evidence, as sent.
#[derive(Default)]
struct Sent {
    file: String,
    bytes: Vec<u8>,
    note_file: String,
    note: Vec<u8>,
    kind: String,
    effective: String,
    expires: String,
    also: Vec<String>,
    auditor: String,
    once: Option<Uuid>,
}

/// The page.
pub(crate) async fn show(at: At) -> Result<Page, Refusal> {
    shown(&at, &Typed::default())
}

/// Submits evidence.
pub(crate) async fn submit(
    at: At,
    sent: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let sent = match received(sent).await {
        Ok(sent) => sent,
        Err(refusal) => {
            let typed = Typed {
                refusal: Some(refusal),
                ..Typed::default()
            };
            return refused(&at, typed);
        }
    };
    let entered = match offered(&at, &sent) {
        Ok(offered) => {
            let command = Command::AddEvidence {
                system: at.named("system").to_owned(),
                offered,
            };
            at.enter(command, sent.once).await
        }
        Err(refusal) => Err(refusal),
    };
    match entered {
        Ok(_) => Ok(back(&at, "#evidence")),
        Err(refusal) => refused(
            &at,
            Typed {
                refusal: Some(refusal),
                sent,
            },
        ),
    }
}

async fn received(sent: Result<Multipart, MultipartRejection>) -> Result<Sent, Refusal> {
    let words = &EN.system;
    let broken = |status: StatusCode| match status {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge(words.too_large.to_owned()),
        _ => Refusal::Invalid(words.no_file.to_owned()),
    };
    let mut form = sent.map_err(|_| broken(StatusCode::BAD_REQUEST))?;
    let mut sent = Sent::default();
    while let Some(field) = form
        .next_field()
        .await
        .map_err(|error| broken(error.status()))?
    {
        let name = field.name().unwrap_or_default().to_owned();
        let file = file_name(field.file_name().unwrap_or_default());
        let bytes = field
            .bytes()
            .await
            .map_err(|error| broken(error.status()))?;
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "file" => (sent.file, sent.bytes) = (file, bytes.to_vec()),
            "note" => (sent.note_file, sent.note) = (file, bytes.to_vec()),
            "kind" => sent.kind = text(),
            "effective" => sent.effective = text(),
            "expires" => sent.expires = text(),
            "also" => sent.also.push(text()),
            "auditor" => sent.auditor = text(),
            "once" => sent.once = text().parse().ok(),
            _ => {}
        }
    }
    Ok(sent)
}

/// The evidence sent, checked as that of a declaration is.
fn offered(at: &At, sent: &Sent) -> Result<OfferedEvidence, Refusal> {
    let words = &EN.system;
    let invalid = |words: &str| Refusal::Invalid(words.to_owned());
    if sent.bytes.is_empty() || sent.file.is_empty() {
        return Err(invalid(words.no_file));
    }
    if sent.bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(Refusal::TooLarge(words.too_large.to_owned()));
    }
    let mut requirements = vec![at.named("requirement").to_owned()];
    for other in &sent.also {
        if !requirements.contains(other) {
            requirements.push(other.clone());
        }
    }
    for requirement in &requirements {
        let taken = kinds_taken(&at.moment.library.book, requirement).unwrap_or_default();
        if !taken.contains(&sent.kind) {
            return Err(Refusal::Invalid(format!(
                "`{requirement}` {}",
                words.wrong_kind
            )));
        }
    }
    let effective: Date = sent
        .effective
        .parse()
        .map_err(|_| invalid(words.wrong_effective))?;
    let expires = Some(sent.expires.as_str()).filter(|text| !text.is_empty());
    let expires = expires.map(str::parse::<Date>).transpose();
    let expires = expires.map_err(|_| invalid(words.wrong_expires))?;
    if expires.is_some_and(|expires| expires <= effective) {
        return Err(invalid(words.wrong_expires));
    }
    let (signature, note) = match (sent.note.is_empty(), sent.auditor.as_str()) {
        (true, "") => (None, None),
        (false, auditor) if !auditor.is_empty() => {
            let note =
                String::from_utf8(sent.note.clone()).map_err(|_| invalid(words.note_text))?;
            let signature = DeclaredSignature {
                file: sent.note_file.clone(),
                auditor: auditor.to_owned(),
            };
            (Some(signature), Some(note))
        }
        _ => return Err(invalid(words.note_and_auditor)),
    };
    Ok(OfferedEvidence {
        declared: DeclaredEvidence {
            file: sent.file.clone(),
            kind: sent.kind.clone(),
            requirements,
            effective,
            expires,
            submitted_by: at.name(&at.who.person),
            signature,
        },
        sha256: alnager_work::library::sha256(&sent.bytes),
        bytes: Arc::new(sent.bytes.clone()),
        note,
    })
}

fn about(at: &At) -> About {
    About::Requirement {
        system: Some(at.named("system").to_owned()),
        requirement: at.named("requirement").to_owned(),
    }
}

fn back(at: &At, anchor: &str) -> Response {
    let (system, requirement) = (at.named("system"), at.named("requirement"));
    see_other(&at.link(&format!(
        "/systems/{system}/requirements/{requirement}{anchor}"
    )))
}

fn refused(at: &At, typed: Typed) -> Result<Response, Refusal> {
    let status = typed
        .refusal
        .as_ref()
        .map_or(StatusCode::OK, Refusal::status);
    let page = shown(&at.again(), &typed)?;
    Ok(page.with_status(status).into_response())
}

fn shown(at: &At, typed: &Typed) -> Result<Page, Refusal> {
    let (id, requirement) = (at.named("system"), at.named("requirement"));
    let library = &at.moment.library;
    let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
    let (pack, text) =
        crate::pages::today::requirement(at, requirement).ok_or(Refusal::NotFound)?;
    let assessment = at.moment.assessment(id, None);
    let judged = assessment.iter().flat_map(|assessment| &assessment.judged);
    let judged = judged
        .clone()
        .find(|judged| judged.requirement.text().id == requirement);
    let facts = system.law_facts(&library.book, &at.state().counsel);
    let when = at.moment.when(system);
    let proof = explain(&library.book, &facts, when, requirement).map(|explanation| {
        why::words(&explanation, &library.book, judged, &|person| {
            at.name(person)
        })
    });
    let body = html! {
        p.crumbs { a href=(at.link("/systems")) { (Room::Systems.title()) } " · " a href=(at.link(&format!("/systems/{id}#timeline"))) { (system.declaration.name) } }
        h1 { (requirement) ": " (text.what) }
        (complaint(typed.refusal.as_ref()))
        (standing(at, pack, text, judged))
        @if let Some(proof) = proof { h2 { (EN.frame.why) } pre tabindex="0" { (proof) } }
        (evidence(at, text, when.valid))
        @if at.may_to(Action::Submit, id) { (submit_form(at, assessment.as_ref(), &typed.sent)) }
        (comments(at, &about(at)))
    };
    Ok(page::page(at, Room::Systems, requirement, body))
}

fn standing(at: &At, pack: &Pack, text: &RequirementText, judged: Option<&Judged>) -> Markup {
    let words = &EN.system;
    html! {
        p { cite { (pack.cited(&text.cite)) } " · " a href=(at.link(&format!("/law/requirements/{}", text.id))) { (words.law) } }
        p { (text.how) }
        @if let Some(judged) = judged {
            p { (status(judged.status)) " · " (page::sentence(&judged.why)) }
            @if !judged.next.is_empty() { p.flip { (words.next) ": " (page::worded(&for_browsers(&judged.next))) } }
            dl.facts {
                dt { (words.owner) } dd { (at.name(&judged.owner)) }
                @if let Some(from) = judged.from() { dt { (words.from) } dd { (day(from)) } }
            }
        }
    }
}

/// The evidence offered for the requirement, with what was decided about it.
fn evidence(at: &At, text: &RequirementText, on: Date) -> Markup {
    let words = &EN.system;
    let offered: Vec<&Evidence> = at.state().evidence_for(text, at.named("system")).collect();
    html! {
        section aria-labelledby="evidence" {
            h2 #evidence { (words.evidence) }
            @if offered.is_empty() { p { (words.evidence_none) } }
            @else {
                table.ledger.stacks {
                    (shared::head(&[words.file, words.kind_of, words.status, words.effective, words.expires, words.by]))
                    tbody {
                        @for evidence in offered {
                            @let submitted = &evidence.submitted;
                            tr data-of=(submitted.evidence) {
                                th scope="row" { a href=(at.link(&format!("/evidence/{}", submitted.evidence))) { (submitted.evidence) ": " (submitted.file) } }
                                td data-label=(words.kind_of) { (at.moment.library.book.evidence.title(&submitted.kind)) }
                                td data-label=(words.status) { (evidence_standing(evidence.standing(&text.id, on))) }
                                td data-label=(words.effective) { (day(submitted.effective)) }
                                td data-label=(words.expires) { @if let Some(expires) = submitted.expires { (day(expires)) } }
                                td data-label=(words.by) { (at.name(&submitted.submitted_by)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn submit_form(at: &At, assessment: Option<&Assessment>, sent: &Sent) -> Markup {
    let (words, requirement) = (&EN.system, at.named("requirement"));
    let book = &at.moment.library.book;
    let kinds = kinds_taken(book, requirement).unwrap_or_default();
    let token = at.form_token().unwrap_or_default();
    let path = at.link(&format!(
        "/systems/{}/requirements/{requirement}/evidence?form={token}",
        at.named("system")
    ));
    let today = at.today().to_string();
    let effective = if sent.effective.is_empty() {
        &today
    } else {
        &sent.effective
    };
    // Others of the system that take some of the same kinds.
    let judged = assessment
        .into_iter()
        .flat_map(|assessment| &assessment.judged);
    let others: Vec<&RequirementText> = judged
        .filter(|judged| judged.asks() || judged.counts())
        .map(|judged| judged.requirement.text())
        .filter(|text| text.id != requirement)
        .filter(|text| {
            kinds_taken(book, &text.id)
                .is_some_and(|taken| taken.iter().any(|kind| kinds.contains(kind)))
        })
        .collect();
    html! {
        section aria-labelledby="submit" {
            h2 #submit { (words.submit) }
            form method="post" enctype="multipart/form-data" action=(path) {
                (form_fields(at))
                (page::file_field("file", words.file, true, Some(words.file_note)))
                (page::select_field("kind", words.kind_of, kinds.iter().map(|kind| (kind.as_str(), book.evidence.title(kind))), &sent.kind, None))
                div.row {
                    div.field { label for="effective" { (words.effective) } input type="date" id="effective" name="effective" value=(effective) required; }
                    div.field { label for="expires" { (words.expires) } input type="date" id="expires" name="expires" value=(sent.expires) aria-describedby="expires-note"; p.note #expires-note { (words.expires_note) } }
                }
                @if !others.is_empty() {
                    details open[!sent.also.is_empty()] {
                        summary { (words.also_for) }
                        fieldset {
                            legend { (words.also_for) }
                            @for text in &others {
                                @let words = html! { (text.id) " " span.quiet { (text.what) } };
                                (page::boxed("checkbox", (&format!("also-{}", text.id), "also", &text.id), words, sent.also.contains(&text.id)))
                            }
                        }
                    }
                }
                details open[!sent.auditor.is_empty()] {
                    summary { (words.signed_note) }
                    p.note { (words.signed_note_note) }
                    (page::file_field("note", words.signed_note, false, None))
                    (field("auditor", words.auditor, &sent.auditor, None))
                }
                p { button type="submit" { (words.submit) } }
            }
        }
    }
}
