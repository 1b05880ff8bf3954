//! The guard: the last signed checkpoint, kept apart from the data, so that an older journal put in its place is noticed.
//!
//! The journal is written first and the guard after it, while the journal's next writer waits. A process that ends in
//! between leaves a guard that is behind but consistent; the next one moves it on. A guard that is ahead, or that has another
//! root, means that the journal is not the one that was signed.

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::Hash;
use alnager_journal::note::VerifyingKey;
use alnager_office::log::{Fork, OwnLog};
use uuid::Uuid;

use crate::database::Database;
use crate::error::StoreError;
use crate::schema::Signed;

/// How a guard stands to a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the journal's head.
    Level,
    /// It is an earlier state of the journal.
    Behind,
    /// It has seen more entries than there are.
    Ahead,
    /// It has seen other entries.
    Other,
}

/// Compares a guard with a journal of `size` entries, in which the first `guard.size` have the root `known`; `None` when
/// there are fewer.
///
/// What a fork in the journal says the guard had seen is behind it.
pub(crate) fn standing(guard: &Signed, known: Option<Hash>, size: u64, own: &OwnLog) -> Standing {
    let is_settled =
        |fork: &Fork| fork.seen_size == guard.size && fork.seen_root == guard.root.to_base64();
    let standing = match known {
        None => Standing::Ahead,
        Some(root) if root != guard.root => Standing::Other,
        Some(_) if guard.size < size => Standing::Behind,
        Some(_) => Standing::Level,
    };
    match standing {
        Standing::Ahead | Standing::Other if own.forks.iter().any(is_settled) => Standing::Behind,
        standing => standing,
    }
}

/// Why a journal of `size` entries with this guard must not be written; `None` when it may.
pub(crate) fn fork(standing: Standing, guard: &Signed, size: u64) -> Option<String> {
    let seen = guard.size;
    match standing {
        Standing::Level | Standing::Behind => None,
        Standing::Ahead => Some(format!(
            "it holds `{size}` entries, and `{seen}` were signed; an older copy seems to have been put back"
        )),
        Standing::Other => Some(format!(
            "its first `{seen}` entries are others than those that were signed"
        )),
    }
}

/// The guard as it stands there, not checked.
pub(crate) async fn find(keys: &mut Database, org: Uuid) -> Result<Signed, StoreError> {
    keys.guard(org).await?.ok_or_else(missing)
}

pub(crate) fn missing() -> StoreError {
    StoreError::damaged("`keys.db` has no guard for this journal")
}

/// Checks a guard that was read.
pub(crate) fn check_read(guard: &Signed, known: &[VerifyingKey]) -> Result<(), StoreError> {
    check_note(guard, known).map(drop).map_err(|reason| {
        StoreError::damaged(format!(
            "the guard in `keys.db` is not what was written: {reason}"
        ))
    })
}

/// Whether a head or guard says in its signed note what it says in its columns; the reason if not.
pub(crate) fn check_note(
    signed: &Signed,
    known: &[VerifyingKey],
) -> Result<SignedCheckpoint, &'static str> {
    let note = SignedCheckpoint::parse(signed.checkpoint.as_bytes())
        .map_err(|_| "its checkpoint cannot be read")?;
    check_signature(&note, known)?;
    let stated = note.checkpoint();
    if (stated.origin(), stated.size(), stated.root())
        != (signed.origin.as_str(), signed.size, signed.root)
    {
        return Err("its checkpoint states another origin, size or root");
    }
    Ok(note)
}

/// Whether a checkpoint is signed by a key of its own log.
pub(crate) fn check_signature(
    signed: &SignedCheckpoint,
    known: &[VerifyingKey],
) -> Result<(), &'static str> {
    let origin = signed.checkpoint().origin();
    let own: Vec<VerifyingKey> = known
        .iter()
        .filter(|key| key.name() == origin)
        .cloned()
        .collect();
    signed
        .note()
        .verify(&own)
        .map(drop)
        .map_err(|_| "its checkpoint is not signed by the key in `log.key`")
}
