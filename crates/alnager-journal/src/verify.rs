//! The judgement of a dossier: is it consistent in itself, is it whole, and by whom is it signed.

use std::collections::BTreeMap;

use crate::checkpoint::SignedCheckpoint;
use crate::dossier::{Disclosed, Dossier, Item};
use crate::entry::{self, ERASURE_EXECUTED, EntryError};
use crate::merkle::{self, Hash};
use crate::note::{KeyKind, NoteError, VerifyingKey};
use crate::policy::{Accepted, Cosigned, Policy, PolicyError};
use crate::scope::{self, ScopeError, SubjectHead};

/// Whom the reader believes.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Nobody was named: the dossier is checked against the key that lies in it, which proves nothing about who made it.
    Unstated,
    /// The log with this key.
    Key(VerifyingKey),
    /// The logs and witnesses of this policy.
    Policy(Policy),
}

/// What is true of a dossier that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Name of the log.
    pub origin: String,
    /// Number of entries in the log.
    pub size: u64,
    /// Root hash over them.
    pub root: Hash,
    /// The key that signed the checkpoint.
    pub signer: VerifyingKey,
    /// Whether the reader has said to trust that key. Without it, anyone may have made the dossier.
    pub trusted: bool,
    /// Witnesses of the policy that have cosigned; empty without a policy.
    pub witnesses: Vec<Cosigned>,
    /// Names of the keys whose signatures under the checkpoint were not checked, because the reader named no such key; each once.
    pub unchecked: Vec<String>,
    /// What the dossier is about: the main subject first.
    pub subjects: Vec<SubjectHead>,
    /// The entries by ascending index.
    pub entries: Vec<VerifiedEntry>,
    /// How many of what.
    pub counts: Counts,
}

/// One entry that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEntry {
    /// Its index.
    pub index: u64,
    /// Its kind.
    pub kind: String,
    /// When it was written, as it states.
    pub at: String,
    /// What became of its payload.
    pub payload: Status,
    /// What became of its blobs, in the entry's order.
    pub blobs: Vec<(String, Status)>,
}

/// What became of a payload or a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is in the dossier and is what was sealed.
    Intact,
    /// It is not in the dossier; nothing says why.
    Withheld,
    /// It is not in the dossier, and entry `under` says that it was erased.
    Erased {
        /// Index of the first entry of kind `erasure.executed` that refers to it.
        under: u64,
    },
}

/// Totals over the entries of a dossier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Payloads that are what was sealed.
    pub intact: usize,
    /// Payloads that are not there, without a word.
    pub withheld: usize,
    /// Payloads that were erased.
    pub erased: usize,
    /// Blobs that are what was sealed.
    pub blobs_intact: usize,
    /// Blobs that are not there, withheld or erased.
    pub blobs_absent: usize,
}

/// Why a dossier does not hold together, or is not by whom it should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The signature does not fit the key in the dossier.
    #[error("the checkpoint is not signed by the key that came with it")]
    Signature(#[source] NoteError),
    /// The signature does not fit the key the reader trusts.
    #[error("the checkpoint is not signed by the key you trust, `{key}`")]
    NotTrusted {
        /// The key the reader trusts.
        key: String,
        /// Why.
        source: NoteError,
    },
    /// The reader's policy does not accept the checkpoint.
    #[error("your policy does not accept the checkpoint")]
    Policy(#[from] PolicyError),
    /// The key is not named after the log.
    #[error(
        "the key is named `{name}` but the log is `{origin}`; a log's key carries the log's name"
    )]
    KeyName {
        /// Name of the key.
        name: String,
        /// Name of the log.
        origin: String,
    },
    /// The key does not sign checkpoints as a log does.
    #[error("a log's key must be of type `0x01`")]
    KeyType,
    /// An entry cannot be written as bytes.
    #[error("entry `{index}` is malformed")]
    Entry {
        /// Index of the entry.
        index: u64,
        /// Why.
        source: EntryError,
    },
    /// An entry is not in the log.
    #[error("entry `{index}` is not proven to be in the log")]
    NotIncluded {
        /// Index of the entry.
        index: u64,
        /// Why.
        source: merkle::ProofError,
    },
    /// A payload is not what was sealed.
    #[error("the payload of entry `{index}` is not what was sealed")]
    Payload {
        /// Index of the entry.
        index: u64,
    },
    /// A blob is not what was sealed.
    #[error("blob `{name}` of entry `{index}` is not what was sealed")]
    Blob {
        /// Index of the entry.
        index: u64,
        /// Name of the blob.
        name: String,
    },
    /// An entry points at itself or at a later one.
    #[error("entry `{index}` refers to entry `{target}`, which does not come before it")]
    NotEarlier {
        /// Index of the entry.
        index: u64,
        /// The index it refers to.
        target: u64,
    },
    /// The dossier names no subject.
    #[error("the dossier does not say what it is about")]
    NoSubject,
    /// The entries are no whole history.
    #[error("the dossier is not whole")]
    Incomplete(#[from] ScopeError),
    /// The dossier names other subjects than its entries ask for.
    #[error(
        "the dossier must name the subjects of its last entry and of the entries it refers to, with their heads; it names others"
    )]
    Subjects,
    /// An entry does not belong in this dossier.
    #[error("entry `{index}` does not belong in this dossier")]
    Foreign {
        /// Index of the entry.
        index: u64,
    },
}

/// Judges a dossier: the checkpoint's signature, every inclusion proof, every commitment, and that no entry is left
/// out or added (see [`scope::scope`]).
///
/// It does not judge what the payloads say. A result says that history was not altered after this checkpoint was
/// signed; it cannot say that what was entered was true, nor that something was never entered.
pub fn verify(dossier: &Dossier, trust: &Trust) -> Result<Verified, VerifyError> {
    let signed = signed_by(&dossier.checkpoint, &dossier.log, trust)?;
    let checkpoint = dossier.checkpoint.checkpoint();
    for (&index, item) in &dossier.entries {
        check_included(dossier, index, item)?;
        check_earlier(index, item)?;
    }
    check_whole(dossier)?;
    let erased = erasures(dossier);
    let entries = dossier
        .entries
        .iter()
        .map(|(index, item)| judge(*index, item, erased.get(index).copied()));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    Ok(Verified {
        origin: checkpoint.origin().to_owned(),
        size: checkpoint.size(),
        root: checkpoint.root(),
        signer: signed.log,
        trusted: !matches!(trust, Trust::Unstated),
        witnesses: signed.witnesses,
        unchecked: unchecked(dossier, trust),
        subjects: dossier.subjects.clone(),
        counts: count(&entries),
        entries,
    })
}

/// Checks that a checkpoint is signed by the key that came with it, in any case, and by whom the reader trusts, where somebody was named.
pub(crate) fn signed_by(
    checkpoint: &SignedCheckpoint,
    log: &VerifyingKey,
    trust: &Trust,
) -> Result<Accepted, VerifyError> {
    check_log_key(checkpoint, log)?;
    let note = checkpoint.note();
    note.verify(std::slice::from_ref(log))
        .map_err(VerifyError::Signature)?;
    let by_inside = || Accepted {
        log: log.clone(),
        witnesses: Vec::new(),
    };
    Ok(signed(checkpoint, trust)?.unwrap_or_else(by_inside))
}

/// Names of the keys that have signed the checkpoint and that neither the dossier nor the reader names, in the note's order.
fn unchecked(dossier: &Dossier, trust: &Trust) -> Vec<String> {
    let mut known = vec![&dossier.log];
    match trust {
        Trust::Unstated => {}
        Trust::Key(key) => known.push(key),
        Trust::Policy(policy) => {
            known.extend(policy.logs());
            known.extend(policy.witnesses().map(|witness| &witness.key));
        }
    }
    let mut names: Vec<String> = Vec::new();
    for line in dossier.checkpoint.note().signatures() {
        let is_known = known
            .iter()
            .any(|key| key.name() == line.name() && key.id() == line.key_id());
        if !is_known && names.iter().all(|name| name != line.name()) {
            names.push(line.name().to_owned());
        }
    }
    names
}

/// Checks that a checkpoint is signed by whom the reader trusts; `None` when the reader has named nobody, and then
/// nothing was checked.
pub fn signed(
    checkpoint: &SignedCheckpoint,
    trust: &Trust,
) -> Result<Option<Accepted>, VerifyError> {
    match trust {
        Trust::Unstated => Ok(None),
        Trust::Key(key) => {
            check_log_key(checkpoint, key)?;
            let checked = checkpoint.note().verify(std::slice::from_ref(key));
            checked.map_err(|source| VerifyError::NotTrusted {
                key: key.to_string(),
                source,
            })?;
            Ok(Some(Accepted {
                log: key.clone(),
                witnesses: Vec::new(),
            }))
        }
        Trust::Policy(policy) => Ok(Some(policy.accept(checkpoint)?)),
    }
}

fn check_log_key(checkpoint: &SignedCheckpoint, key: &VerifyingKey) -> Result<(), VerifyError> {
    let origin = checkpoint.checkpoint().origin();
    if key.kind() != KeyKind::Ed25519 {
        return Err(VerifyError::KeyType);
    }
    if key.name() != origin {
        return Err(VerifyError::KeyName {
            name: key.name().to_owned(),
            origin: origin.to_owned(),
        });
    }
    Ok(())
}

fn check_included(dossier: &Dossier, index: u64, item: &Item) -> Result<(), VerifyError> {
    let checkpoint = dossier.checkpoint.checkpoint();
    let bytes = item
        .entry
        .to_bytes()
        .map_err(|source| VerifyError::Entry { index, source })?;
    let leaf = merkle::leaf_hash(&bytes);
    merkle::verify_inclusion(
        leaf,
        index,
        checkpoint.size(),
        &item.proof,
        checkpoint.root(),
    )
    .map_err(|source| VerifyError::NotIncluded { index, source })
}

fn check_earlier(index: u64, item: &Item) -> Result<(), VerifyError> {
    let previous = item.entry.subjects.iter().filter_map(|about| about.prev);
    match previous
        .chain(item.entry.refs.iter().copied())
        .find(|target| *target >= index)
    {
        None => Ok(()),
        Some(target) => Err(VerifyError::NotEarlier { index, target }),
    }
}

fn check_whole(dossier: &Dossier) -> Result<(), VerifyError> {
    let main = dossier.subjects.first().ok_or(VerifyError::NoSubject)?;
    let size = dossier.checkpoint.checkpoint().size();
    let entry_at = |index: u64| dossier.entries.get(&index).map(|item| &item.entry);
    let scope = scope::scope(main.id, main.head, size, entry_at)?;
    if let Some(index) = dossier
        .entries
        .keys()
        .find(|index| !scope.entries.contains(index))
    {
        return Err(VerifyError::Foreign { index: *index });
    }
    if scope.subjects != dossier.subjects {
        return Err(VerifyError::Subjects);
    }
    Ok(())
}

/// For each entry said to be erased, the first entry that says so.
fn erasures(dossier: &Dossier) -> BTreeMap<u64, u64> {
    let mut erased = BTreeMap::new();
    for (&under, item) in dossier
        .entries
        .iter()
        .filter(|(_, item)| item.entry.kind == ERASURE_EXECUTED)
    {
        for &index in &item.entry.refs {
            erased.entry(index).or_insert(under);
        }
    }
    erased
}

fn judge(index: u64, item: &Item, erased_under: Option<u64>) -> Result<VerifiedEntry, VerifyError> {
    let absent = erased_under.map_or(Status::Withheld, |under| Status::Erased { under });
    let status = |disclosed: Option<&Disclosed>, commit: Hash| match disclosed {
        None => Some(absent),
        Some(shown) if entry::commit(&shown.salt, &shown.bytes) == commit => Some(Status::Intact),
        Some(_) => None,
    };
    let payload =
        status(item.payload.as_ref(), item.entry.commit).ok_or(VerifyError::Payload { index })?;
    let mut blobs = Vec::with_capacity(item.entry.blobs.len());
    for blob in &item.entry.blobs {
        let shown = item.blobs.get(&blob.name);
        let is_len = shown.is_none_or(|shown| shown.bytes.len() as u64 == blob.len);
        let judged = status(shown, blob.commit).filter(|_| is_len);
        let judged = judged.ok_or_else(|| VerifyError::Blob {
            index,
            name: blob.name.clone(),
        })?;
        blobs.push((blob.name.clone(), judged));
    }
    // A file that the entry does not state proves nothing and must not travel under its name.
    if let Some(name) = item
        .blobs
        .keys()
        .find(|name| item.entry.blobs.iter().all(|blob| blob.name != **name))
    {
        return Err(VerifyError::Blob {
            index,
            name: name.clone(),
        });
    }
    Ok(VerifiedEntry {
        index,
        kind: item.entry.kind.clone(),
        at: item.entry.at.clone(),
        payload,
        blobs,
    })
}

fn count(entries: &[VerifiedEntry]) -> Counts {
    let mut counts = Counts::default();
    for entry in entries {
        match entry.payload {
            Status::Intact => counts.intact += 1,
            Status::Withheld => counts.withheld += 1,
            Status::Erased { .. } => counts.erased += 1,
        }
        let n_intact = entry
            .blobs
            .iter()
            .filter(|(_, status)| *status == Status::Intact)
            .count();
        counts.blobs_intact += n_intact;
        counts.blobs_absent += entry.blobs.len() - n_intact;
    }
    counts
}

impl Verified {
    /// The subject the dossier is about, with the last entry about it.
    pub fn main(&self) -> Option<SubjectHead> {
        self.subjects.first().copied()
    }
}
