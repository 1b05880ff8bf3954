//! The guard: the last signed checkpoint, kept apart from the data, so that an older journal put in its place is noticed.
//!
//! The journal is written first and the guard after it, while the journal's next writer waits. A process that ends in
//! between leaves a guard that is behind but consistent; the next one moves it on. A guard that is ahead, or that has another
//! root, means that the journal is not the one that was signed.

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::Tree;
use alnager_journal::note::VerifyingKey;
use uuid::Uuid;

use crate::error::StoreError;
use crate::schema::{Database, Signed};

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

/// Compares a guard with the journal.
pub(crate) fn standing(guard: &Signed, tree: &Tree) -> Standing {
    match tree.root_at(guard.size) {
        None => Standing::Ahead,
        Some(root) if root != guard.root => Standing::Other,
        Some(_) if guard.size < tree.size() => Standing::Behind,
        Some(_) => Standing::Level,
    }
}

/// Whether the guard lets the journal be written: `true` when it must be moved on first.
pub(crate) fn check(guard: &Signed, tree: &Tree) -> Result<bool, StoreError> {
    let (seen, size) = (guard.size, tree.size());
    match standing(guard, tree) {
        Standing::Level => Ok(false),
        Standing::Behind => Ok(true),
        Standing::Ahead => Err(StoreError::Forked {
            what: format!(
                "it holds `{size}` entries, and `{seen}` were signed; an older copy seems to have been put back"
            ),
        }),
        Standing::Other => Err(StoreError::Forked {
            what: format!("its first `{seen}` entries are others than those that were signed"),
        }),
    }
}

/// Reads the guard. A desk without one, or with one that was not signed by its key, is damaged.
pub(crate) async fn read(
    keys: &mut Database,
    org: Uuid,
    key: &VerifyingKey,
) -> Result<Signed, StoreError> {
    let guard = keys
        .guard(org)
        .await?
        .ok_or_else(|| StoreError::damaged("`keys.db` has no guard for this journal"))?;
    let checked = check_note(&guard, key);
    checked.map_err(|reason| {
        StoreError::damaged(format!(
            "the guard in `keys.db` is not what was written: {reason}"
        ))
    })?;
    Ok(guard)
}

/// Whether a head or guard says in its signed note what it says in its columns; the reason if not.
pub(crate) fn check_note(
    signed: &Signed,
    key: &VerifyingKey,
) -> Result<SignedCheckpoint, &'static str> {
    let note = SignedCheckpoint::parse(signed.checkpoint.as_bytes())
        .map_err(|_| "its checkpoint cannot be read")?;
    note.note()
        .verify(std::slice::from_ref(key))
        .map_err(|_| "its checkpoint is not signed by the key in `log.key`")?;
    let stated = note.checkpoint();
    if (stated.origin(), stated.size(), stated.root())
        != (signed.origin.as_str(), signed.size, signed.root)
    {
        return Err("its checkpoint states another origin, size or root");
    }
    Ok(note)
}
