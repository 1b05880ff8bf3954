//! The audit lab: upload a table, confirm what its columns are, measure, read, seal.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use alnager_office::audit::{NewAudit, RESULT};
use alnager_office::decide::Command;
use alnager_work::acting::blob;
use alnager_work::audit::record::hashes_of;
use alnager_work::library::sha256;
use axum::extract::{Multipart, RawForm};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::at::At;
use crate::child::{self, Bounds};
use crate::form::Fields;
use crate::lab::{Outcome, Run, Upload};
use crate::page::{self, Page, Room};
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::secret::random;
use crate::words::EN;

mod view;

pub(super) use view::outcome;

/// Most bytes of a file.
const FILE_BYTES_MAX: u64 = 500 << 20;

/// Most bytes of a form with a file.
pub(super) const UPLOAD_BYTES_MAX: usize = 501 << 20;

/// What a first look at a file may take.
const LOOK: Bounds = Bounds {
    memory: 256 << 20,
    time: Duration::from_secs(10),
};

/// What an audit of a file may take.
const MEASURE: Bounds = Bounds {
    memory: 512 << 20,
    time: Duration::from_secs(600),
};

/// How the names of tables end.
const ENDINGS: [&str; 7] = [
    ".csv", ".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather",
];

/// The lab.
pub(super) async fn show(at: At) -> Result<Page, Refusal> {
    front(&at, None)
}

fn front(at: &At, refusal: Option<&Refusal>) -> Result<Page, Refusal> {
    let action = format!("{}?form={}", at.link("/lab"), at.form_token()?);
    Ok(page::page(
        at,
        Room::Lab,
        Room::Lab.title(),
        view::front(at, &action, refusal),
    ))
}

/// Takes a file, and looks at its columns in a process of its own.
pub(super) async fn upload(at: At, parts: Multipart) -> Result<Response, Refusal> {
    let id = alnager_work::library::hex(&random::<9>()?);
    match taken(&at, &id, parts).await {
        Ok(()) => Ok(see_other(&at.link(&format!("/lab/{id}")))),
        Err(refusal) => {
            at.organisation.lab.forget(&id);
            let page = front(&at, Some(&refusal))?;
            Ok(page.with_status(refusal.status()).into_response())
        }
    }
}

async fn taken(at: &At, id: &str, mut parts: Multipart) -> Result<(), Refusal> {
    let lab = &at.organisation.lab;
    let folder = lab.folder(id);
    let broken = |_| Refusal::Invalid(EN.lab.no_file.to_owned());
    let mut part = loop {
        match parts.next_field().await.map_err(broken)? {
            Some(part) if part.name() == Some("file") => break part,
            Some(_) => {}
            None => return Err(Refusal::Invalid(EN.lab.no_file.to_owned())),
        }
    };
    let name = file_name(part.file_name().unwrap_or_default())?;
    let failed = |error: std::io::Error| {
        crate::log::error("upload", &error.to_string());
        Refusal::Internal
    };
    std::fs::create_dir(&folder).map_err(failed)?;
    let mut file = std::fs::File::create_new(folder.join(&name)).map_err(failed)?;
    let mut n_bytes = 0;
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        n_bytes += chunk.len() as u64;
        if n_bytes > FILE_BYTES_MAX {
            return Err(Refusal::TooLarge(EN.lab.file_too_large.to_owned()));
        }
        file.write_all(&chunk).map_err(failed)?;
    }
    drop(file);
    let arguments = ["audit", "columns", &name, "--format", "json"].map(str::to_owned);
    let program = &at.house.options.program;
    let columns = child::run(program, &arguments, &folder, LOOK, &|_, _| {}).await?;
    lab.keep(id, &at.who.person, &name, columns);
    Ok(())
}

/// A name for a file of ours: letters, digits, dots, hyphens and underscores, ending as tables do.
fn file_name(given: &str) -> Result<String, Refusal> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => letter,
        _ => '_',
    };
    let name: String = last.chars().map(safe).collect();
    let name = name.trim_start_matches(['.', '-']).to_owned();
    let lower = name.to_lowercase();
    let plain = lower
        .strip_suffix(".gz")
        .or_else(|| lower.strip_suffix(".zst"))
        .unwrap_or(&lower);
    let ending = ENDINGS.iter().find(|ending| plain.ends_with(*ending));
    match ending {
        Some(ending) if plain.len() > ending.len() && name.len() <= 120 => Ok(name),
        Some(_) | None => Err(Refusal::Invalid(match given.is_empty() {
            true => EN.lab.no_file.to_owned(),
            false => EN.lab.file_kind.to_owned(),
        })),
    }
}

fn own(at: &At) -> Result<Upload, Refusal> {
    let upload = at
        .organisation
        .lab
        .upload(at.named("upload"), &at.who.person);
    upload.ok_or(Refusal::NotFound)
}

/// An upload: its columns to choose among, the measuring under way, or what came out.
pub(super) async fn show_upload(at: At) -> Result<Response, Refusal> {
    let upload = own(&at)?;
    let (title, body) = match &upload.run {
        None => (
            EN.lab.choose,
            view::choose(&at, &upload, &Fields::default(), None),
        ),
        Some(run) => match &run.outcome {
            Outcome::Measuring(done, total) => {
                (EN.lab.measuring, view::measuring(&at, *done, *total))
            }
            Outcome::Failed(refusal) => (
                EN.lab.choose,
                view::choose(&at, &upload, &Fields::default(), Some(refusal)),
            ),
            Outcome::Done(found) => (EN.lab.verdict, view::result(&at, &upload, run, found)),
        },
    };
    let is_measuring = title == EN.lab.measuring;
    let mut response = page::page(&at, Room::Lab, title, body).into_response();
    if is_measuring {
        // Without script the browser looks again by itself.
        let refresh = HeaderValue::from_static("2");
        response.headers_mut().insert("refresh", refresh);
    }
    Ok(response)
}

/// Starts measuring with the columns that were confirmed.
pub(super) async fn measure(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let upload = own(&at)?;
    let fields = Fields::read(&body);
    let here = at.link(&format!("/lab/{}", at.named("upload")));
    match arguments(&upload, &fields) {
        Ok(asked) => {
            let spots = fields.text("spots") == "yes";
            tokio::spawn(measured(at, upload, asked, spots));
            Ok(see_other(&here))
        }
        Err(refusal) => {
            let body = view::choose(&at, &upload, &fields, Some(&refusal));
            let page = page::page(&at, Room::Lab, EN.lab.choose, body);
            let page = page.with_status(StatusCode::UNPROCESSABLE_ENTITY);
            Ok(page.into_response())
        }
    }
}

/// The flags of the command that measures this: what fairness and blind spots have in common, and what is fairness' own.
struct Asked {
    shared: Vec<String>,
    own: Vec<String>,
}

fn arguments(upload: &Upload, fields: &Fields) -> Result<Asked, Refusal> {
    let known = |name: &str| {
        let mut columns = upload.columns["columns"].as_array().into_iter().flatten();
        columns.any(|column| column["name"] == name)
    };
    let column = |field: &str| {
        let name = fields.optional(field);
        match name {
            Some(name) if !known(name) => {
                Err(Refusal::Invalid(format!("the file has no column `{name}`")))
            }
            name => Ok(name),
        }
    };
    let mut shared = Vec::new();
    let decision =
        column("decision")?.ok_or_else(|| Refusal::Invalid(EN.lab.decision_note.to_owned()))?;
    shared.push(match fields.optional("at_least") {
        Some(number) => format!("--decision={decision}>={number}"),
        None => format!("--decision={decision}"),
    });
    let favourable = fields
        .optional("favourable")
        .ok_or_else(|| Refusal::Invalid(EN.lab.favourable_note.to_owned()))?;
    shared.push(format!("--favorable={favourable}"));
    if let Some(label) = column("label")? {
        shared.push(format!("--label={label}"));
        if let Some(positive) = fields.optional("label_positive") {
            shared.push(format!("--label-positive={positive}"));
        }
    }
    let attributes: Vec<&str> = fields.all("attribute").filter(|name| known(name)).collect();
    if attributes.is_empty() {
        return Err(Refusal::Invalid(EN.lab.wrong_attribute.to_owned()));
    }
    shared.push(format!("--attr={}", attributes.join(",")));
    let mut own = Vec::new();
    if let Some(score) = column("score")? {
        own.push(format!("--score={score}"));
    }
    if let Some(strata) = column("strata")? {
        own.push(format!("--strata={strata}"));
    }
    Ok(Asked { shared, own })
}

/// Measures in a process of its own, noting how far it is.
async fn measured(at: At, upload: Upload, asked: Asked, spots: bool) {
    let lab = &at.organisation.lab;
    let id = at.named("upload");
    let line = |audit: &str, flags: &[&[String]]| -> Vec<String> {
        let head = ["audit", audit, &upload.name].map(str::to_owned);
        head.into_iter().chain(flags.concat()).collect()
    };
    let fairness = line("fairness", &[&asked.shared, &asked.own]);
    let blind = line("blind-spots", &[&asked.shared]);
    let mut command = shown(&fairness);
    if spots {
        command.push_str(&format!("\n{}", shown(&blind)));
    }
    let note = |outcome: Outcome| {
        let command = command.clone();
        lab.note(id, Run { command, outcome });
    };
    note(Outcome::Measuring(0, 0));
    let folder = lab.folder(id);
    let program = &at.house.options.program;
    let run = async |mut arguments: Vec<String>, report: bool| {
        arguments.extend(["--format=json".to_owned()]);
        if report {
            arguments.extend(["--out=report".to_owned()]);
        }
        let progress = |done, total| lab.progress(id, done, total);
        child::run(program, &arguments, &folder, MEASURE, &progress).await
    };
    let _ = std::fs::remove_dir_all(folder.join("report"));
    let mut found = run(fairness, true).await;
    if let (true, Ok(figures)) = (spots, &mut found) {
        match run(blind, false).await {
            Ok(spots) => figures["blind_spots"] = spots,
            Err(refusal) => found = Err(refusal),
        }
    }
    note(match found {
        Ok(figures) => Outcome::Done(Arc::new(figures)),
        Err(refusal) => Outcome::Failed(refusal),
    });
}

/// A command as somebody would type it.
fn shown(arguments: &[String]) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=.,/+".contains(letter);
    let quoted = arguments.iter().map(|argument| {
        match argument.chars().all(plain) && !argument.is_empty() {
            true => argument.clone(),
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    });
    format!("alnager {}", quoted.collect::<Vec<_>>().join(" "))
}

/// The whole report, a page of its own with its style within.
pub(super) async fn report(at: At) -> Result<Response, Refusal> {
    own(&at)?;
    let folder = at.organisation.lab.folder(at.named("upload"));
    let report = std::fs::read(folder.join("report/report.html"));
    let report = report.map_err(|_| Refusal::NotFound)?;
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox",
    );
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((headers, report).into_response())
}

/// Forgets the choice of columns, to make another one.
pub(super) async fn again(at: At) -> Result<Response, Refusal> {
    let upload = own(&at)?;
    let id = at.named("upload");
    let columns = upload.columns.as_ref().clone();
    let lab = &at.organisation.lab;
    lab.keep(id, &at.who.person, &upload.name, columns);
    Ok(see_other(&at.link(&format!("/lab/{id}"))))
}

/// Seals what came out.
pub(super) async fn seal(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let upload = own(&at)?;
    let fields = Fields::read(&body);
    let Some(Run {
        outcome: Outcome::Done(found),
        ..
    }) = &upload.run
    else {
        return Err(Refusal::NotFound);
    };
    let text = format!("{found:#}\n");
    let mut outcome = found["outcome"].as_str().unwrap_or("inconclusive");
    if outcome == "not measured" {
        outcome = "inconclusive";
    }
    let new = NewAudit {
        kind: "fairness".to_owned(),
        system: fields.optional("system").map(str::to_owned),
        outcome: outcome.to_owned(),
        data: hashes_of(found),
        sha256: sha256(text.as_bytes()),
        result: blob(RESULT, "application/json", text.into_bytes()),
    };
    let command = Command::RecordAudit(Box::new(new));
    at.enter(command, fields.once()).await?;
    Ok(see_other(&at.link("/lab#recorded")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_keeps_a_harmless_name() {
        for (given, name) in [
            ("decisions.csv", "decisions.csv"),
            ("C:\\data\\My table (1).CSV", "My_table__1_.CSV"),
            ("../../etc/passwd.parquet", "passwd.parquet"),
            ("-rf.csv.gz", "rf.csv.gz"),
        ] {
            assert_eq!(file_name(given).unwrap(), name);
        }
        for given in ["", ".csv", "a.exe", "a.csv.zip", "s3://bucket/a"] {
            assert!(file_name(given).is_err(), "{given}");
        }
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let arguments = ["audit", "--decision=score>=0.5", "--favorable=it's"];
        assert_eq!(
            shown(&arguments.map(str::to_owned)),
            r"alnager audit '--decision=score>=0.5' '--favorable=it'\''s'"
        );
    }
}
