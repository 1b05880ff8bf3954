//! Verifying: a dossier that somebody uploads, and this desk's own journal.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use alnager_journal::note::VerifyingKey;
use alnager_store::{Depth, Desk, DeskReport};
use alnager_work::verify::with_causes;
use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::at::At;
use crate::child::{self, Bounds};
use crate::folder::Folder;
use crate::page::{self, Page, Room, complaint, field, form_fields};
use crate::refusal::Refusal;
use crate::words::EN;

/// Most bytes of a dossier.
const DOSSIER_BYTES_MAX: u64 = 64 << 20;

/// Most bytes of a form with a dossier.
pub(super) const FORM_BYTES_MAX: usize = 65 << 20;

/// What verifying a dossier may take.
const VERIFY: Bounds = Bounds {
    memory: 256 << 20,
    time: Duration::from_secs(10),
};

/// How long checking this desk's own journal may take.
const CHECK: Duration = Duration::from_secs(300);

/// Dossiers verified at once on a server; further ones wait.
static VERIFYING: Semaphore = Semaphore::const_new(2);

/// Journals checked at once on a server.
static CHECKING: Semaphore = Semaphore::const_new(1);

/// The name of an uploaded dossier in its folder.
const FILE: &str = "dossier.alnager";

/// What the form says beside the file.
#[derive(Default)]
struct Typed {
    trust: String,
    key: String,
}

/// What the page shows beside its form.
#[derive(Default)]
struct Shown {
    typed: Typed,
    refusal: Option<Refusal>,
    /// What came out, and the command that does the same.
    found: Option<(Value, String)>,
    own: Option<Own>,
}

/// What checking every entry of this desk's journal came to.
struct Own {
    report: Option<DeskReport>,
    problems: Vec<String>,
}

/// The page.
pub(super) async fn show(at: At) -> Result<Page, Refusal> {
    shown(&at, &Shown::default()).await
}

/// Verifies a dossier that is uploaded.
pub(super) async fn upload(
    at: At,
    sent: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let mut typed = Typed::default();
    let found = verified(&at, sent, &mut typed).await;
    let (found, refusal) = match found {
        Ok(found) => (Some(found), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let status = refusal.as_ref().map_or(StatusCode::OK, Refusal::status);
    let came = Shown {
        typed,
        refusal,
        found,
        own: None,
    };
    Ok(shown(&at, &came).await?.with_status(status).into_response())
}

async fn verified(
    at: &At,
    sent: Result<Multipart, MultipartRejection>,
    typed: &mut Typed,
) -> Result<(Value, String), Refusal> {
    let folder = Folder::new()?;
    let sent = sent.map_err(|_| Refusal::Invalid(EN.journal.no_file.to_owned()))?;
    take(sent, folder.path(), typed).await?;
    let mut arguments = vec!["verify".to_owned(), FILE.to_owned()];
    if let Some(key) = trusted(at, typed).await? {
        arguments.push(format!("--key={key}"));
    }
    let command = format!("alnager {}", arguments.join(" "));
    arguments.push("--format=json".to_owned());
    let _one = VERIFYING.acquire().await.map_err(|_| Refusal::Internal)?;
    let program = &at.house.options.program;
    let found = child::run(program, &arguments, folder.path(), VERIFY, &|_, _| {}).await;
    Ok((found.map_err(in_our_words)?, command))
}

/// What a process of its own ran out of, said of a dossier.
fn in_our_words(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Invalid(words) if words == EN.lab.too_long => {
            Refusal::Invalid(EN.journal.too_long.to_owned())
        }
        Refusal::Invalid(words) if words == EN.lab.too_large => {
            Refusal::Invalid(EN.journal.too_much.to_owned())
        }
        refusal => refusal,
    }
}

/// Takes the form apart, the file into a folder.
async fn take(mut sent: Multipart, folder: &Path, typed: &mut Typed) -> Result<(), Refusal> {
    let broken = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge(EN.journal.too_large.to_owned()),
        _ => Refusal::Invalid(EN.journal.no_file.to_owned()),
    };
    let failed = |error: std::io::Error| {
        crate::log::error("upload", &error.to_string());
        Refusal::Internal
    };
    let mut n_bytes = 0;
    while let Some(mut part) = sent.next_field().await.map_err(broken)? {
        match part.name() {
            Some("trust") => typed.trust = part.text().await.map_err(broken)?,
            Some("key") => typed.key = part.text().await.map_err(broken)?.trim().to_owned(),
            Some("file") if n_bytes == 0 => {
                let mut file = std::fs::File::create(folder.join(FILE)).map_err(failed)?;
                while let Some(chunk) = part.chunk().await.map_err(broken)? {
                    n_bytes += chunk.len() as u64;
                    if n_bytes > DOSSIER_BYTES_MAX {
                        return Err(Refusal::TooLarge(EN.journal.too_large.to_owned()));
                    }
                    file.write_all(&chunk).map_err(failed)?;
                }
            }
            Some(_) | None => {}
        }
    }
    match n_bytes {
        0 => Err(Refusal::Invalid(EN.journal.no_file.to_owned())),
        _ => Ok(()),
    }
}

/// The key that must have signed it; `None` where anybody may have.
async fn trusted(at: &At, typed: &Typed) -> Result<Option<String>, Refusal> {
    match typed.trust.as_str() {
        "any" => Ok(None),
        "key" => {
            if typed.key.is_empty() {
                return Err(Refusal::Invalid(EN.journal.key_missing.to_owned()));
            }
            let key = VerifyingKey::parse(&typed.key);
            let key = key.map_err(|error| Refusal::Invalid(with_causes(&error)))?;
            Ok(Some(key.to_string()))
        }
        _ => {
            let desk = at.organisation.reader().await?;
            Ok(Some(desk.verifier_key().to_string()))
        }
    }
}

/// Checks every entry of this desk's own journal.
pub(super) async fn own_log(at: At) -> Result<Response, Refusal> {
    let one = CHECKING.try_acquire();
    let one = one.map_err(|_| Refusal::Unavailable(EN.journal.own_busy.to_owned()))?;
    let place = at.organisation.place.clone();
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        runtime.block_on(tokio::time::timeout(
            CHECK,
            Desk::verify_with(&place, Depth::Log, &|_, _| {}),
        ))
    });
    let checked = checked.await.map_err(|_| Refusal::Internal)?;
    drop(one);
    let checked = checked.map_err(|_| Refusal::Unavailable(EN.journal.own_busy.to_owned()))?;
    let own = match checked {
        Ok(report) => Own {
            problems: report.problems.iter().map(|one| with_causes(one)).collect(),
            report: Some(report),
        },
        Err(error) => Own {
            problems: vec![with_causes(&error)],
            report: None,
        },
    };
    let came = Shown {
        own: Some(own),
        ..Shown::default()
    };
    Ok(shown(&at, &came).await?.into_response())
}

async fn shown(at: &At, shown: &Shown) -> Result<Page, Refusal> {
    let words = &EN.journal;
    let body = html! {
        p.crumbs { a href=(at.link("/journal")) { (Room::Journal.title()) } " · " a href=(at.link("/journal/dossiers")) { (words.dossiers) } }
        h1 { (words.verify) }
        p.lead { (words.verify_lead) }
        (complaint(shown.refusal.as_ref()))
        @if let Some((found, command)) = &shown.found { (verdict(found, command)) }
        (form(at, &shown.typed)?)
        (own(at, shown.own.as_ref()).await?)
    };
    Ok(page::page(at, Room::Journal, words.verify, body))
}

fn form(at: &At, typed: &Typed) -> Result<Markup, Refusal> {
    let words = &EN.journal;
    let action = format!("{}?form={}", at.link("/journal/verify"), at.form_token()?);
    let chosen = match typed.trust.as_str() {
        "any" => "any",
        "key" => "key",
        _ => "own",
    };
    let answers = [
        ("own", words.trust_own),
        ("key", words.trust_key),
        ("any", words.trust_any),
    ];
    Ok(html! {
        section aria-labelledby="upload" {
            h2 #upload { (words.dossier) }
            form method="post" enctype="multipart/form-data" action=(action) {
                fieldset {
                    legend { (words.trust) }
                    @for (value, title) in answers {
                        (page::boxed("radio", (&format!("trust-{value}"), "trust", value), title, value == chosen))
                    }
                    (field("key", words.key, &typed.key, Some(words.key_note)))
                }
                (page::file_field("file", words.dossier, true, Some(words.dossier_note)))
                p { button type="submit" { (words.verify_send) } }
            }
        }
    })
}

/// What verifying a dossier came to.
fn verdict(found: &Value, command: &str) -> Markup {
    let words = &EN.journal;
    let number = |value: &Value| value.as_u64().map_or("?".to_owned(), |n| EN.number(n));
    let is_consistent = found["consistent"] == true;
    let texts = |name: &str| -> Vec<String> {
        let all = found[name].as_array().into_iter().flatten();
        all.filter_map(|one| one.as_str().map(str::to_owned))
            .collect()
    };
    let refused = found["refused"].as_str();
    let (differs, notes) = (texts("differs"), texts("notes"));
    let unchecked = texts("unchecked");
    let reviews: &[Value] = found["reviews"].as_array().map_or(&[], Vec::as_slice);
    html! {
        section aria-labelledby="verdict" {
            h2 #verdict { (words.verdict) }
            @if let Some(refused) = refused {
                p { (page::tag("hold", "✕", words.refused)) " · " (page::sentence(refused)) }
            } @else {
                p {
                    @if is_consistent { (page::tag("clear", "○", words.consistent)) }
                    @else { (page::tag("hold", "●", words.inconsistent)) }
                    " · " @if found["trusted"] == true { (page::sentence(words.trusted)) } @else { (page::sentence(words.untrusted)) }
                }
                @if !differs.is_empty() {
                    h3 { (words.differs) }
                    ul { @for one in &differs { li { (one) } } }
                }
                dl.facts {
                    dt { (words.log) } dd { code { (found["journal"]["origin"].as_str().unwrap_or_default()) } ", " (number(&found["journal"]["size"])) " " (words.entries_long) }
                    dt { (words.root) } dd { code { (found["journal"]["root"].as_str().unwrap_or_default()) } }
                    dt { (words.signed_by) } dd { code { (found["signer"].as_str().unwrap_or_default()) } }
                    @if !unchecked.is_empty() { dt { (words.unchecked) } dd { (unchecked.join(", ")) " " span.quiet { (words.unchecked_note) } } }
                    dt { (words.entries) } dd { (number(&found["entries"])) }
                    dt { (words.payloads) } dd { (number(&found["payloads"]["intact"])) " " (words.intact) ", " (number(&found["payloads"]["withheld"])) " " (words.withheld) ", " (number(&found["payloads"]["erased"])) " " (words.gone) }
                    dt { (words.claims) } dd { (number(&found["recomputed"])) " " (words.recomputed) ", " (number(&found["withheld"])) " " (words.not_here) ", " (EN.number(differs.len() as u64)) " " (words.differs) }
                    dt { (words.law) } dd { (law(&found["law"])) }
                }
                @if !reviews.is_empty() {
                    h3 { (words.reviews) }
                    ul {
                        @for review in reviews {
                            li { (words.entry) " " (number(&review["entry"])) ": " (review["system"].as_str().unwrap_or_default()) ", " (review["verdict"].as_str().unwrap_or_default()) " (" (review["judged_on"].as_str().unwrap_or_default()) ")" }
                        }
                    }
                }
                @if !notes.is_empty() { h3 { (words.notes) } ul { @for note in &notes { li { (note) } } } }
            }
            h3 { (words.same_by_hand) }
            pre.words tabindex="0" { (command) }
        }
    }
}

fn law(law: &Value) -> Markup {
    let words = &EN.journal;
    let foreign = law["not_as_shipped"].as_array();
    html! {
        @match foreign {
            None => (words.law_withheld),
            Some(foreign) => {
                (EN.count(law["packs"].as_array().map_or(0, Vec::len), "pack", "packs")) ", "
                @if foreign.is_empty() { (words.law_shipped) }
                @else { strong { (words.law_foreign) } ": " (foreign.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")) }
                @if let Some(policy) = law["policy"].as_str() { br; (policy) }
            }
        }
    }
}

/// This desk's own journal: its checkpoint held against its tree now, and every entry where that was asked for.
async fn own(at: &At, checked: Option<&Own>) -> Result<Markup, Refusal> {
    let words = &EN.journal;
    let desk = at.organisation.reader().await?;
    let key = desk.verifier_key().clone();
    let signed = desk.checkpoint();
    let checkpoint = signed.checkpoint();
    let is_signed = signed
        .note()
        .verify(std::slice::from_ref(&key))
        .is_ok_and(|checked| !checked.is_empty());
    let holds = is_signed && desk.root_at(checkpoint.size()).await? == Some(checkpoint.root());
    let cosigned = desk.cosigned().await?;
    Ok(html! {
        section aria-labelledby="own" {
            h2 #own { (words.own) }
            @if holds { p { (page::tag("clear", "○", words.own_holds)) } }
            @else { p { (page::tag("hold", "●", words.own_fails)) } }
            dl.facts {
                dt { (words.log) } dd { code { (checkpoint.origin()) } ", " (EN.number(checkpoint.size())) " " (words.entries_long) }
                dt { (words.root) } dd { code { (checkpoint.root().to_base64()) } }
                dt { (words.signed_by) } dd { code { (key) } }
                dt { (words.cosigned) } dd { @match cosigned { Some(size) => (EN.number(size)), None => span.quiet { (words.not_cosigned) } } }
            }
            @if let Some(own) = checked { (whole(own)) }
            form method="post" action=(at.link("/journal/verify/log")) {
                (form_fields(at))
                p { button.plain type="submit" aria-describedby="own-note" { (words.own_all) } }
                p.note #own-note { (words.own_note) }
            }
        }
    })
}

fn whole(own: &Own) -> Markup {
    let words = &EN.journal;
    html! {
        div.notice role="status" tabindex="-1" autofocus {
            @if own.problems.is_empty() { p { (page::tag("clear", "○", words.own_whole)) } }
            @else {
                p { (page::tag("hold", "●", words.own_broken)) }
                ul { @for problem in &own.problems { li { (problem) } } }
            }
            @if let Some(report) = &own.report {
                dl.facts {
                    dt { (words.entries) } dd { (EN.number(report.size)) }
                    dt { (words.checkpoints) } dd { (EN.number(report.checkpoints)) }
                    dt { (words.tiles) } dd { (EN.number(report.tiles)) }
                }
                @if !report.notes.is_empty() { ul { @for note in &report.notes { li { (note) } } } }
            }
        }
    }
}
