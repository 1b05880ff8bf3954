//! The journal: entries, proofs, checkpoints, dossiers.

use alnager_journal::entry::Entry as Known;
use alnager_journal::proof::Proof;
use alnager_office::decide::Command;
use alnager_work::dossier::{Under, draw};
use alnager_work::journal::checkpoint_of;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::ask::{Ask, Asked, list as listed, record};
use crate::api::cursor;
use crate::api::evidence::file;
use crate::api::shape::Person;
use crate::at::At;
use crate::refusal::Refusal;

/// Most entries that are looked at for one page of those of a kind.
const LOOKED_AT_MAX: u64 = 20_000;

/// Entries read at once.
const READ: u64 = 500;

/// An entry of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    /// Its index, from 0.
    index: u64,
    /// What happened.
    kind: String,
    /// Its own id.
    id: String,
    /// Who acted.
    actor: Person,
    /// The ids of what it is about.
    subjects: Vec<String>,
    /// When, RFC 3339 in UTC.
    at: String,
    /// The idempotency key of the command.
    command: String,
    /// Commitment to what it says, base64.
    commit: String,
    /// Files that belong to it.
    blobs: Vec<EntryFile>,
    /// Earlier entries that it builds on.
    refs: Vec<u64>,
}

/// A file that belongs to an entry.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryFile {
    /// The name.
    name: String,
    /// Commitment to its bytes, base64.
    commit: String,
    /// Its length in bytes.
    len: u64,
    /// Its media type.
    media: String,
}

/// An entry with what it says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WholeEntry {
    #[serde(flatten)]
    entry: Entry,
    /// What it says; `null` where it was erased.
    payload: Option<Value>,
}

impl Entry {
    fn of(at: &At, index: u64, entry: &Known) -> Entry {
        let files = entry.blobs.iter().map(|blob| EntryFile {
            name: blob.name.clone(),
            commit: blob.commit.to_base64(),
            len: blob.len,
            media: blob.media.clone(),
        });
        Entry {
            index,
            kind: entry.kind.clone(),
            id: entry.id.to_string(),
            actor: Person::of(at, &entry.actor.to_string()),
            subjects: entry
                .subjects
                .iter()
                .map(|one| one.id.to_string())
                .collect(),
            at: entry.at.clone(),
            command: entry.command.to_string(),
            commit: entry.commit.to_base64(),
            blobs: files.collect(),
            refs: entry.refs.clone(),
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Number of rows, 50 without it. A page may have fewer, and the list still go on.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those from this index on.
    from: Option<u64>,
    /// Those whose kind is this, such as `evidence.accepted`, or begins so, such as `evidence`.
    kind: Option<String>,
    /// Those about this system.
    system: Option<String>,
}

/// Lists entries.
pub(super) async fn list(at: At, Ask(wanted): Ask<Wanted>) -> Result<Response, Refusal> {
    let limit = cursor::rows_wanted(wanted.limit)?;
    let mut next = wanted.from.unwrap_or(0);
    if i64::try_from(next).is_err() {
        let words = "no journal has so many entries".to_owned();
        return Err(Refusal::field("from", words));
    }
    if let Some(cursor) = &wanted.cursor {
        let (_, index) = cursor::read("entries", cursor)?;
        let index: u64 = index.parse().map_err(|_| Refusal::NotFound)?;
        next = next.max(index);
    }
    let subject = match &wanted.system {
        Some(system) => {
            let known = at.state().systems.get(system);
            let known = known.ok_or_else(|| {
                Refusal::field("system", format!("the desk has no system `{system}`"))
            })?;
            Some(known.subject.clone())
        }
        None => None,
    };
    let fits = |entry: &Known| {
        let of_kind = |kind: &String| {
            let rest = entry.kind.strip_prefix(kind.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let about = |subject: &String| {
            entry
                .subjects
                .iter()
                .any(|one| one.id.to_string() == *subject)
        };
        wanted.kind.as_ref().is_none_or(of_kind) && subject.as_ref().is_none_or(about)
    };
    let desk = at.organisation.reader().await?;
    let size = at.state().size;
    let until = size.min(next.saturating_add(LOOKED_AT_MAX));
    let mut rows = Vec::new();
    while next < until && rows.len() < limit {
        for (index, entry) in desk
            .entries(next, until.min(next.saturating_add(READ)))
            .await?
        {
            next = index + 1;
            if fits(&entry) {
                rows.push(Entry::of(&at, index, &entry));
            }
            if rows.len() == limit {
                break;
            }
        }
    }
    let key = (String::new(), next.to_string());
    listed((
        rows,
        (next < size).then(|| cursor::written("entries", &key)),
    ))
}

fn index(at: &At) -> Result<u64, Refusal> {
    at.named("entry").parse().map_err(|_| Refusal::NotFound)
}

/// Shows an entry.
pub(super) async fn show(at: At, headers: HeaderMap) -> Result<Response, Refusal> {
    let index = index(&at)?;
    let desk = at.organisation.reader().await?;
    let entry = desk.entry(index).await?.ok_or(Refusal::NotFound)?;
    let payload = desk.payload(index).await?;
    let payload = payload.and_then(|payload| serde_json::from_slice(&payload.bytes).ok());
    let entry = WholeEntry {
        entry: Entry::of(&at, index, &entry),
        payload,
    };
    record(&headers, &entry)
}

/// Proves that an entry is in the journal.
pub(super) async fn proof(at: At) -> Result<Response, Refusal> {
    let index = index(&at)?;
    let desk = at.organisation.reader().await?;
    let checkpoint = checkpoint_of(&desk, None).await?;
    let size = checkpoint.checkpoint().size();
    let hashes = desk.inclusion_proof(index, size).await?;
    let proof = Proof {
        extra: None,
        index,
        hashes: hashes.ok_or(Refusal::NotFound)?,
        checkpoint,
    };
    Ok(text(proof.to_string()))
}

/// Sends the checkpoint signed last.
pub(super) async fn checkpoint(at: At) -> Result<Response, Refusal> {
    let desk = at.organisation.reader().await?;
    Ok(text(checkpoint_of(&desk, None).await?.to_string()))
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// At which checkpoint a dossier is drawn.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Checkpoint {
    /// The one signed last.
    Last,
    /// The newest one that a witness has cosigned, which must cover the last entry about the system.
    Cosigned,
    /// The first one that covers the last entry about the system.
    Earliest,
}

/// How a dossier is drawn.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DossierWanted {
    /// At which checkpoint; without it the one signed last.
    #[param(inline)]
    checkpoint: Option<Checkpoint>,
}

/// For whom a dossier is drawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDossier {
    /// The organisation or office it is for; no person's name.
    #[schema(min_length = 1, max_length = 200)]
    recipient: String,
    /// Why; without anybody's name.
    #[schema(min_length = 1)]
    reason: String,
}

/// That a dossier is drawn.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DrawnDossier {
    /// The system.
    system: String,
    /// The entry that says so: the last about the system now.
    at: u64,
}

/// Enters that a system's dossier is drawn.
pub(super) async fn draw_dossier(asked: Asked) -> Result<Response, Refusal> {
    let system = asked.at.named("system").to_owned();
    if !asked.at.state().systems.contains_key(&system) {
        return Err(Refusal::NotFound);
    }
    let new: NewDossier = asked.json()?;
    let command = Command::DrawDossier {
        system: system.clone(),
        recipient: new.recipient,
        reason: new.reason,
    };
    let receipt = asked.enter(command).await?;
    let made = DrawnDossier {
        system,
        at: receipt.end.saturating_sub(1),
    };
    asked.written(StatusCode::CREATED, &receipt, made)
}

/// Sends a system's dossier.
pub(super) async fn dossier(at: At, Ask(wanted): Ask<DossierWanted>) -> Result<Response, Refusal> {
    let system = at.named("system");
    if !at.state().systems.contains_key(system) {
        return Err(Refusal::NotFound);
    }
    let under = match wanted.checkpoint {
        None | Some(Checkpoint::Last) => Under::Last,
        Some(Checkpoint::Cosigned) => Under::Cosigned,
        Some(Checkpoint::Earliest) => Under::Earliest,
    };
    let desk = at.organisation.reader().await?;
    let drawn = draw(&desk, system, under).await?;
    Ok(file(&format!("{system}.alnager"), drawn.bytes))
}
