//! Dossiers: everything an outsider needs to check one system, in one file.

use std::collections::{BTreeMap, BTreeSet};

use alnager_audit::declared::Audit;
use alnager_audit::measures::Measures;
use alnager_audit::table::{CountTable, SampleTable, ScoreTable};
use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::dossier::{Dossier, Item, write};
use alnager_journal::entry::Entry;
use alnager_journal::note::{Signature, VerifyingKey};
use alnager_journal::scope::{SubjectHead, scope};
use alnager_journal::segment::SEGMENT_SEALED;
use alnager_law::read::nearest;
use alnager_office::decide::Command;
use alnager_office::event::Event;
use alnager_store::{Desk, Receipt};
use uuid::Uuid;

use crate::acting::Flags;
use crate::error::JobError;
use crate::journal::{checkpoint_of, with_cosignatures};
use crate::records::{About, Entered, enter};

/// Entries read at once.
const READ: u64 = 4_096;

/// Most entries after the last one about its system that a dossier holds when it is drawn: about 4 kB each before compression.
pub const LATER_MAX: u64 = 4_096;

/// At which of the desk's checkpoints a dossier is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under {
    /// The one signed last.
    Last,
    /// The newest one that a witness has cosigned, if it covers the last entry about the system.
    Cosigned,
    /// The first one that covers the last entry about the system.
    Earliest,
}

/// A dossier that was drawn.
#[derive(Debug)]
pub struct Drawn {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its checkpoint, with the lines of witnesses under it.
    pub checkpoint: SignedCheckpoint,
    /// The last entry about the system.
    pub head: u64,
    /// Number of entries in the journal, as far as the desk was read: those after the checkpoint are none of the dossier's.
    pub n_entries: u64,
    /// Names of the witnesses' keys whose signatures the checkpoint bears, unchecked, each once, in ascending order.
    pub witnesses: Vec<String>,
    /// Whether it holds the organisation's entries, among them the law that reviews were judged under. It does where the last entry about
    /// the system refers to them, as a review and a drawing do.
    pub holds_law: bool,
}

/// Enters that the dossier of a system is drawn: by whom, for whom, why. That is then the last entry about the system, and refers to what its
/// last review rests on.
pub async fn enter_drawing(
    flags: &Flags,
    system: &str,
    recipient: &str,
    reason: &str,
) -> Result<Entered, JobError> {
    let command = Command::DrawDossier {
        system: system.to_owned(),
        recipient: recipient.to_owned(),
        reason: reason.to_owned(),
    };
    enter(flags, About::System(system), |_, _| Ok(command)).await
}

/// Draws the dossier of a system: its entries and what the last of them refers to, with what they disclose. People's names are withheld.
///
/// Enters nothing. Refused where more than [`LATER_MAX`] entries would be in it only to show that they are not about the system.
pub async fn draw(desk: &Desk, system: &str, under: Under) -> Result<Drawn, JobError> {
    let (main, head) = about(desk, system)?;
    let checkpoint = match under {
        Under::Last => checkpoint_of(desk, None).await?,
        Under::Cosigned => cosigned_over(desk, system, head).await?,
        Under::Earliest => earliest_over(desk, head).await?,
    };
    let n_later = checkpoint.checkpoint().size().saturating_sub(head + 1);
    if n_later > LATER_MAX {
        return Err(JobError::Input(format!(
            "{n_later} entries were made after the last one about `{system}`, and the dossier would hold each of them, at most {LATER_MAX}; enter that it is drawn, and for whom, which is then the last one (--for, --reason), or draw it as of the earliest checkpoint that covers entry {head} (--earliest)"
        )));
    }
    let built = build_under(desk, main, checkpoint.clone()).await?;
    Ok(Drawn {
        bytes: built.bytes,
        holds_law: built.holds_law,
        witnesses: witnesses(&checkpoint),
        checkpoint,
        head,
        n_entries: desk.size(),
    })
}

/// Builds the dossier of a system at a receipt, as [`draw`] does at a checkpoint.
pub async fn build(desk: &Desk, system: &str, receipt: &Receipt) -> Result<Vec<u8>, JobError> {
    let checkpoint = SignedCheckpoint::parse(receipt.checkpoint.as_bytes())
        .map_err(|error| internal(&error.to_string()))?;
    let checkpoint = with_cosignatures(desk, checkpoint).await?;
    let (main, _) = about(desk, system)?;
    Ok(build_under(desk, main, checkpoint).await?.bytes)
}

/// Names of the witnesses' keys under a checkpoint, each once, in ascending order: of the lines that are not the log's own, unchecked.
pub fn witnesses(checkpoint: &SignedCheckpoint) -> Vec<String> {
    let lines = checkpoint.note().signatures().iter();
    let names = lines.map(Signature::name);
    let others = names.filter(|name| *name != checkpoint.checkpoint().origin());
    let each: BTreeSet<&str> = others.collect();
    each.into_iter().map(str::to_owned).collect()
}

/// The subject of a system, and the last entry about it.
fn about(desk: &Desk, system: &str) -> Result<(Uuid, u64), JobError> {
    let state = desk.state();
    let Some(known) = state.systems.get(system) else {
        let hint = nearest(system, state.systems.keys().map(String::as_str));
        return Err(JobError::Input(format!(
            "the desk has no system `{system}`; {hint}"
        )));
    };
    let main = known
        .subject
        .parse()
        .map_err(|_| internal("the system has no subject id"))?;
    let head = state.heads.get(&known.subject).copied();
    let head = head.ok_or_else(|| internal("no entry is about the system"))?;
    Ok((main, head))
}

/// The newest cosigned checkpoint, if it covers the last entry about a system and can still be checked with the log's key.
async fn cosigned_over(desk: &Desk, system: &str, head: u64) -> Result<SignedCheckpoint, JobError> {
    const SUBMIT: &str =
        "submit the journal with `alnager journal submit`, and draw the dossier again";
    let refused = |what: String| JobError::Input(format!("{what}; {SUBMIT}"));
    let Some(size) = desk.cosigned().await? else {
        return Err(refused(
            "no witness has cosigned this journal yet".to_owned(),
        ));
    };
    if size <= head {
        return Err(refused(format!(
            "the newest checkpoint that a witness has cosigned is over {size} entries, and entry {head} is about `{system}`, too"
        )));
    }
    let checkpoint = checkpoint_of(desk, Some(size)).await?;
    match is_of_today(desk, &checkpoint) {
        true => Ok(checkpoint),
        false => Err(refused(format!(
            "the newest checkpoint that a witness has cosigned, over {size} entries, was signed before the log's key or origin was changed"
        ))),
    }
}

/// The first checkpoint that covers an entry and can still be checked with the log's key.
async fn earliest_over(desk: &Desk, head: u64) -> Result<SignedCheckpoint, JobError> {
    let found = desk.checkpoint_from(head + 1).await?;
    let found =
        found.filter(|found| found.checkpoint().size() <= desk.size() && is_of_today(desk, found));
    match found {
        Some(checkpoint) => with_cosignatures(desk, checkpoint).await,
        // It was not kept, or is by another key: the last one is always there.
        None => checkpoint_of(desk, None).await,
    }
}

/// Whether a checkpoint is signed with the key that checks the log today, under its name of today.
fn is_of_today(desk: &Desk, checkpoint: &SignedCheckpoint) -> bool {
    let key = std::slice::from_ref(desk.verifier_key());
    checkpoint.note().verify(key).is_ok() && checkpoint.checkpoint().origin() == desk.origin()
}

struct Built {
    bytes: Vec<u8>,
    holds_law: bool,
}

/// Builds the dossier of a subject at a checkpoint of the desk.
async fn build_under(
    desk: &Desk,
    main: Uuid,
    checkpoint: SignedCheckpoint,
) -> Result<Built, JobError> {
    let size = checkpoint.checkpoint().size();
    let state = desk.state();
    let log: VerifyingKey = desk.verifier_key().clone();
    let entries = needed(desk, main, size).await?;
    let head = entries
        .iter()
        .rev()
        .find(|(_, entry)| entry.about(main).is_some())
        .map(|(index, _)| *index);
    let head = head.ok_or_else(|| {
        JobError::Input(format!(
            "the first {size} entries say nothing of the system; draw the dossier at a later checkpoint"
        ))
    })?;
    let scope = scope(main, head, size, |index| entries.get(&index))
        .map_err(|error| internal(&error.to_string()))?;
    let organisation = state
        .organisation
        .as_ref()
        .and_then(|organisation| organisation.id.parse::<Uuid>().ok());
    // Later entries about the system, such as a decision on going live, take nothing away from what its last review discloses.
    let reviewed = |index: &&u64| {
        let entry = &entries[*index];
        entry.kind == "system.reviewed" && entry.about(main).is_some()
    };
    let last_review = scope.entries.iter().rev().find(reviewed).copied();
    let book_before = |index: u64| {
        let mut earlier = scope.entries.range(..index).rev();
        earlier
            .find(|index| entries[*index].kind == "book.adopted")
            .copied()
    };
    // The law that the last review was judged under, and the law now.
    let books = [last_review.and_then(book_before), book_before(size)];
    let mut items = BTreeMap::new();
    let indexes: Vec<u64> = scope.entries.iter().copied().collect();
    let proofs = desk.inclusion_proofs(&indexes, size).await?;
    let proofs = proofs.ok_or_else(|| internal("an entry has no proof"))?;
    for (index, proof) in scope.entries.iter().zip(proofs) {
        let entry = entries[index].clone();
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
        // For whom it was drawn before is no business of whom it is drawn for now.
        let is_earlier_drawing = kind.starts_with("dossier.") && *index != head;
        let is_work =
            kind.starts_with("task.") || kind.starts_with("comment.") || is_earlier_drawing;
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
            "book.adopted" => books.contains(&Some(*index)),
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
    let is_organisation = |subject: &SubjectHead| Some(subject.id) == organisation;
    let holds_law = scope.subjects.iter().any(is_organisation);
    let bytes = write(&Dossier {
        log,
        checkpoint,
        subjects: scope.subjects,
        entries: items,
    })
    .map_err(|error| internal(&error.to_string()))?;
    Ok(Built { bytes, holds_law })
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
    let mut from = head + 1;
    while from < size {
        let to = size.min(from + READ);
        let read = desk.entries(from, to).await?;
        if read.len() as u64 != to - from {
            return Err(missing(from));
        }
        entries.extend(read);
        from = to;
    }
    Ok(entries)
}

async fn entry(desk: &Desk, index: u64) -> Result<Entry, JobError> {
    let entry = desk.entry(index).await?;
    entry.ok_or_else(|| missing(index))
}

fn missing(index: u64) -> JobError {
    JobError::Internal(format!(
        "an entry from {index} on is not in the desk; run `alnager desk verify`"
    ))
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
