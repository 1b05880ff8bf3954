//! Dossiers: everything an outsider needs to check one system, in one file.

use std::collections::BTreeMap;

use alnager_audit::declared::Audit;
use alnager_audit::measures::Measures;
use alnager_audit::table::{CountTable, SampleTable, ScoreTable};
use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::dossier::{Dossier, Item, write};
use alnager_journal::entry::Entry;
use alnager_journal::note::VerifyingKey;
use alnager_journal::scope::scope;
use alnager_journal::segment::SEGMENT_SEALED;
use alnager_office::event::Event;
use alnager_store::{Desk, Receipt};
use uuid::Uuid;

use crate::error::JobError;

/// Builds the dossier of a system at a receipt: its entries and the organisation's that its last review rests on, with what
/// they disclose. People's names are withheld.
pub async fn build(desk: &Desk, system: &str, receipt: &Receipt) -> Result<Vec<u8>, JobError> {
    let checkpoint = SignedCheckpoint::parse(receipt.checkpoint.as_bytes())
        .map_err(|error| internal(&error.to_string()))?;
    build_under(desk, system, checkpoint).await
}

/// Builds the dossier of a system at a checkpoint of the desk, as [`build`] does at a receipt.
pub async fn build_under(
    desk: &Desk,
    system: &str,
    checkpoint: SignedCheckpoint,
) -> Result<Vec<u8>, JobError> {
    let size = checkpoint.checkpoint().size();
    let state = desk.state();
    let subject = state
        .systems
        .get(system)
        .map(|system| system.subject.as_str())
        .ok_or_else(|| internal("the system is not in the desk"))?;
    let main: Uuid = subject
        .parse()
        .map_err(|_| internal("the system has no subject id"))?;
    let log: VerifyingKey = desk.verifier_key().clone();

    let entries = needed(desk, main, size).await?;
    let head = entries
        .iter()
        .rev()
        .find(|(_, entry)| entry.about(main).is_some())
        .map(|(index, _)| *index);
    let head = head.ok_or_else(|| internal("no entry is about the system"))?;
    let scope = scope(main, head, size, |index| entries.get(&index))
        .map_err(|error| internal(&error.to_string()))?;
    let organisation = state
        .organisation
        .as_ref()
        .and_then(|organisation| organisation.id.parse::<Uuid>().ok());
    let last_book = scope
        .entries
        .iter()
        .rev()
        .find(|index| entries[*index].kind == "book.adopted")
        .copied();
    // Later entries about the system, such as a decision on going live, take nothing away from what its last review discloses.
    let reviewed = |index: &&u64| {
        let entry = &entries[*index];
        entry.kind == "system.reviewed" && entry.about(main).is_some()
    };
    let last_review = scope.entries.iter().rev().find(reviewed).copied();
    let mut items = BTreeMap::new();
    for index in &scope.entries {
        let entry = entries[index].clone();
        let proof = desk
            .inclusion_proof(*index, size)
            .await?
            .ok_or_else(|| internal("an entry has no proof"))?;
        let mut item = Item {
            proof,
            payload: None,
            blobs: BTreeMap::new(),
            entry,
        };
        let concerns = item.entry.about(main).is_some();
        // What another system of the organisation holds for itself stays with it, and no verdict rests on a task or comment.
        let of_all = organisation.is_some_and(|id| item.entry.about(id).is_some());
        let kind = item.entry.kind.as_str();
        let is_work = kind.starts_with("task.") || kind.starts_with("comment.");
        let shared = of_all
            && matches!(
                item.entry.kind.as_str(),
                "desk.opened"
                    | "book.adopted"
                    | "framework.adopted"
                    | "reading.recorded"
                    | "text.imported"
                    | "wording.confirmed"
                    | "evidence.submitted"
                    | "evidence.offered"
                    | "evidence.accepted"
                    | "evidence.rejected"
                    | "pack.trusted"
                    | "pack.installed"
                    | "pack.pinned"
                    | "pack.unpinned"
                    | "key.rotated"
                    | "key.dropped"
                    | "log.forked"
            );
        if (concerns && !is_work) || shared {
            item.payload = desk.payload(*index).await?;
        }
        let discloses = match item.entry.kind.as_str() {
            "book.adopted" => Some(*index) == last_book,
            "system.reviewed" => Some(*index) == last_review,
            // What a system decided about people; a row is shown by a proof of its own.
            SEGMENT_SEALED => false,
            _ => concerns && !is_work,
        };
        if discloses {
            for blob in item.entry.blobs.clone() {
                if let Some(disclosed) = desk.blob(*index, &blob.name).await? {
                    item.blobs.insert(blob.name, disclosed);
                }
            }
        }
        items.insert(*index, item);
    }
    write(&Dossier {
        log,
        checkpoint,
        subjects: scope.subjects,
        entries: items,
    })
    .map_err(|error| internal(&error.to_string()))
}

fn internal(what: &str) -> JobError {
    JobError::Internal(format!("the dossier cannot be built: {what}"))
}

/// The entries a dossier may need: those about the system and, through its last entry's references, about what it rests on.
async fn needed(desk: &Desk, main: Uuid, size: u64) -> Result<BTreeMap<u64, Entry>, JobError> {
    let mut entries: BTreeMap<u64, Entry> = desk
        .entries_about(main)
        .await?
        .into_iter()
        .filter(|(index, _)| *index < size)
        .collect();
    let Some((head, last)) = entries
        .last_key_value()
        .map(|(index, entry)| (*index, entry.clone()))
    else {
        return Ok(entries);
    };
    let mut subjects: Vec<Uuid> = last.subjects.iter().map(|about| about.id).collect();
    for index in &last.refs {
        let entry = entry(desk, *index).await?;
        subjects.extend(entry.subjects.iter().map(|about| about.id));
        entries.insert(*index, entry);
    }
    for subject in subjects.into_iter().filter(|subject| *subject != main) {
        entries.extend(
            desk.entries_about(subject)
                .await?
                .into_iter()
                .filter(|(index, _)| *index < size),
        );
    }
    for index in head + 1..size {
        entries.insert(index, entry(desk, index).await?);
    }
    Ok(entries)
}

async fn entry(desk: &Desk, index: u64) -> Result<Entry, JobError> {
    let entry = desk.entry(index).await?;
    entry.ok_or_else(|| {
        JobError::Internal(format!(
            "entry {index} is not in the desk; run `alnager desk verify`"
        ))
    })
}

/// The measures a review was judged on, from its sealed tables, and its warnings.
pub async fn sealed_measures(
    desk: &Desk,
    review: u64,
    audits: &[Audit],
) -> Result<(Vec<Measures>, Vec<String>), JobError> {
    let entry = entry(desk, review).await?;
    let mut blobs = BTreeMap::new();
    for blob in &entry.blobs {
        if let Some(disclosed) = desk.blob(review, &blob.name).await? {
            blobs.insert(blob.name.clone(), disclosed.bytes);
        }
    }
    let Some(payload) = desk.payload(review).await? else {
        return Ok((Vec::new(), Vec::new()));
    };
    match Event::from_payload(&entry.kind, &payload.bytes) {
        Ok(Event::SystemReviewed(reviewed)) => {
            let blob = |name: &str| blobs.get(name).map(Vec::as_slice);
            let measures = measures(audits, &reviewed.data, blob).map_err(JobError::Internal)?;
            Ok((measures, reviewed.warnings))
        }
        Ok(_) | Err(_) => Err(JobError::Internal(format!(
            "entry {review} is not a review this version can read; use a newer one"
        ))),
    }
}

/// Reads measures back from the tables sealed with a review; a table that is not disclosed ends the list.
pub fn measures<'b>(
    audits: &[Audit],
    data: &[alnager_audit::measures::DataStamp],
    blob: impl Fn(&str) -> Option<&'b [u8]>,
) -> Result<Vec<Measures>, String> {
    let mut found = Vec::new();
    for (at, (audit, data)) in audits.iter().zip(data).enumerate() {
        let text = |name: String| -> Result<Option<&'b str>, String> {
            blob(&name)
                .map(|bytes| {
                    std::str::from_utf8(bytes)
                        .map_err(|_| format!("the sealed table `{name}` is not text"))
                })
                .transpose()
        };
        let Some(table) = text(format!("counts-{at}.csv"))? else {
            break;
        };
        let table = CountTable::from_csv(table).map_err(|error| error.to_string())?;
        let scores = text(format!("scores-{at}.csv"))?
            .map(ScoreTable::from_csv)
            .transpose()
            .map_err(|error| error.to_string())?;
        let samples = text(format!("samples-{at}.csv"))?
            .map(SampleTable::from_csv)
            .transpose()
            .map_err(|error| error.to_string())?;
        found.push(Measures {
            audit: audit.name.clone(),
            data: data.clone(),
            table,
            scores,
            samples,
            ranges: BTreeMap::new(),
            persons: None,
        });
    }
    Ok(found)
}
