//! Copies of a desk: backup, restoring, and moving between SQLite and PostgreSQL are the same replay, row by row, in order.

use std::path::{Path, PathBuf};

use alnager_journal::entry::Entry;
use alnager_journal::merkle::{Hash, leaf_hash};

use crate::database::{Database, Durability};
use crate::desk::{Desk, only_head};
use crate::edge::Edge;
use crate::entropy::random;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, BLOBS, Found, JOURNAL};
use crate::place::Place;
use crate::schema::{CHUNK, Kind, Tombstone};

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root over them: the same in both places.
    pub root: Hash,
    /// Number of blobs.
    pub blobs: u64,
}

/// Progress of a copy: entries done and to be done.
pub type Progress<'p> = &'p dyn Fn(u64, u64);

impl Desk {
    /// Copies the journal and its blobs to a place where there is none. Keys and secrets are not in the copy.
    ///
    /// The copy is as the journal was at one moment; others may go on writing. It is made under another name and appears when it is
    /// whole.
    pub async fn backup(from: &Place, to: &Path, progress: Progress<'_>) -> Result<Copied, StoreError> {
        if folder::is_there(to)? {
            return Err(StoreError::Exists { path: to.to_owned() });
        }
        let suffix = Hash::of(&random::<32>()?).to_string();
        let mut unfinished = to.as_os_str().to_owned();
        unfinished.push(format!(".unfinished-{}", &suffix[..16]));
        let unfinished = PathBuf::from(unfinished);
        folder::create_dir(&unfinished)?;
        let place = Place::from(unfinished.clone());
        place.prepare_journal()?;
        let copied = copy_journal(from, &place, progress).await;
        if copied.is_err() {
            // The first failure is the one to tell.
            let _ = std::fs::remove_dir_all(&unfinished);
        }
        let copied = copied?;
        std::fs::rename(&unfinished, to).map_err(|error| StoreError::io(to, error))?;
        folder::sync_dir(folder::parent(to))?;
        Ok(copied)
    }

    /// Copies the keys, the guard and the secrets to a folder where there are none.
    ///
    /// Such a copy brings back whoever is erased after it was made: keep it apart from backups of the journal, and only for a short
    /// time.
    pub async fn backup_keys(from: &Place, to: &Path) -> Result<(), StoreError> {
        if folder::is_there(to)? {
            return Err(StoreError::Exists { path: to.to_owned() });
        }
        folder::create_dir(to)?;
        let place = Place::from(to.to_owned());
        place.prepare_keys()?;
        copy_keys(from, &place).await?;
        copy_secrets(from.home(), to)
    }

    /// Puts a backup of the journal in the place of the journal of a desk whose keys are there, or that has none yet.
    ///
    /// What lay there before stays beside it, in `before-restore-<size>`. Keys and guard are not touched: where they have seen more than
    /// the backup holds, the desk can be read until it is forked, and whoever was erased since stays erased.
    pub async fn restore(
        backup: &Path,
        keys: Option<&Path>,
        to: &Place,
        progress: Progress<'_>,
    ) -> Result<Copied, StoreError> {
        let from = Place::from(backup.to_owned());
        if from.look().await? == Found::Nothing {
            return Err(StoreError::Absent {
                dir: backup.to_owned(),
            });
        }
        to.make_room()?;
        if let Some(keys) = keys {
            to.prepare_keys()?;
            copy_keys(&Place::from(keys.to_owned()), to).await?;
            copy_secrets(keys, to.home())?;
        }
        if !to.has_secrets()? {
            return Err(StoreError::KeysMissing {
                home: to.home().to_owned(),
            });
        }
        let held = folder::hold(to.home())?;
        let copied = match to.folder() {
            None => {
                to.set_aside().await?;
                to.prepare_journal()?;
                copy_journal(&from, to, progress).await?
            }
            // Made beside it, so that what is there stays until the copy is whole.
            Some(dir) => {
                let beside = dir.join(RESTORING);
                if beside.is_dir() {
                    std::fs::remove_dir_all(&beside)
                        .map_err(|error| StoreError::io(&beside, error))?;
                }
                folder::create_dir(&beside)?;
                let place = Place::from(beside.clone());
                place.prepare_journal()?;
                let copied = copy_journal(&from, &place, progress).await?;
                to.set_aside().await?;
                for name in [BLOBS, JOURNAL] {
                    let path = dir.join(name);
                    std::fs::rename(beside.join(name), &path)
                        .map_err(|error| StoreError::io(&path, error))?;
                }
                folder::sync_dir(dir)?;
                std::fs::remove_dir(&beside).map_err(|error| StoreError::io(&beside, error))?;
                copied
            }
        };
        drop(held);
        Ok(copied)
    }

    /// Copies a whole desk, keys and all, to another place where there is none: from SQLite to PostgreSQL, or back.
    ///
    /// From then on the desk can only be read where it was: two places that go on writing would be a fork.
    pub async fn move_to(
        from: &Place,
        to: &Place,
        progress: Progress<'_>,
    ) -> Result<Copied, StoreError> {
        if to.look().await? == Found::Desk {
            return Err(StoreError::Exists { path: to.shown() });
        }
        // Nobody writes meanwhile, nor makes a key, and afterwards nobody may.
        let faults = Faults::default();
        let mut source = Database::open(&from.journal(), Kind::Journal, faults.clone()).await?;
        source.begin(Durability::Full).await?;
        source.take_time().await?;
        let org = source.heads_locked().await?;
        let org = org
            .first()
            .ok_or_else(|| StoreError::damaged("it has no head"))?
            .org;
        to.make_room()?;
        to.prepare_keys()?;
        copy_keys(from, to).await?;
        copy_secrets(from.home(), to.home())?;
        to.prepare_journal()?;
        let copied = copy_journal(from, to, progress).await?;
        // Fails where the lock was lost meanwhile.
        source.heads_locked().await?;
        let mut keys = Database::open(&from.keys(), Kind::Keys, faults).await?;
        keys.begin(Durability::Full).await?;
        let moved = Tombstone {
            id: org,
            owner: org,
        };
        keys.insert_tombstone(org, moved).await?;
        keys.commit().await?;
        keys.close().await?;
        source.rollback().await;
        source.close().await?;
        Ok(copied)
    }
}

/// The folder in which a restored journal is made.
const RESTORING: &str = "restoring";

/// Copies every table of the journal and every blob; ends with the same root or not at all.
async fn copy_journal(
    from: &Place,
    to: &Place,
    progress: Progress<'_>,
) -> Result<Copied, StoreError> {
    let faults = Faults::default();
    let mut source = Database::open(&from.journal(), Kind::Journal, faults.clone()).await?;
    let (from_blobs, to_blobs) = (from.blobs()?, to.blobs()?);
    let mut target = Database::create(&to.journal(), Kind::Journal, faults).await?;
    source.begin_reading().await?;
    let head = only_head(&mut source).await?;
    let org = head.org;
    let mut edge = Edge::default();
    let mut n_blobs = 0;
    target.begin(Durability::Full).await?;
    while edge.size() < head.size {
        let start = edge.size();
        let end = head.size.min(start + CHUNK);
        let rows = source.entries(org, start, end).await?;
        let mut full = Vec::new();
        for row in &rows {
            if row.seq != edge.size() {
                return Err(StoreError::damaged(format!(
                    "entry `{}` is missing",
                    edge.size()
                )));
            }
            Entry::parse(&row.entry).map_err(|error| {
                StoreError::damaged_by(format!("entry `{}` cannot be read", row.seq), error)
            })?;
            edge.push(leaf_hash(&row.entry), &mut full);
        }
        if rows.is_empty() {
            return Err(StoreError::damaged(format!("entry `{start}` is missing")));
        }
        target.insert_entries(org, &rows).await?;
        target.insert_tiles(org, &full).await?;
        let blobs = source.blobs(org, start, edge.size()).await?;
        for blob in &blobs {
            let bytes = from_blobs.read(blob.sha256)?.ok_or_else(|| {
                StoreError::damaged(format!(
                    "blob `{}` of entry `{}` is missing, or was erased while it was copied; copy once more",
                    blob.name, blob.seq
                ))
            })?;
            to_blobs.write(&[bytes])?;
            n_blobs += 1;
        }
        target.insert_blobs(org, &blobs).await?;
        progress(edge.size(), head.size);
    }
    if edge.root() != head.root {
        return Err(StoreError::damaged(
            "the entries do not have the root hash that its head states",
        ));
    }
    let mut after = -1;
    loop {
        let some = source.checkpoints(org, after).await?;
        let Some((last, _)) = some.last() else { break };
        after = i64::try_from(*last).unwrap_or(i64::MAX);
        for (size, note) in some.iter().filter(|(size, _)| *size <= head.size) {
            target.insert_checkpoint(org, *size, note).await?;
            for line in source.cosignatures(org, *size).await? {
                target.insert_cosignature(org, *size, &line).await?;
            }
        }
    }
    target.insert_head(&head).await?;
    target.commit().await?;
    target.close().await?;
    source.rollback().await;
    source.close().await?;
    Ok(Copied {
        origin: head.origin,
        size: head.size,
        root: head.root,
        blobs: n_blobs,
    })
}

/// Copies data keys, tombstones and guard.
async fn copy_keys(from: &Place, to: &Place) -> Result<(), StoreError> {
    let faults = Faults::default();
    let mut source = Database::open(&from.keys(), Kind::Keys, faults.clone()).await?;
    let mut target = Database::create(&to.keys(), Kind::Keys, faults).await?;
    target.begin(Durability::Full).await?;
    for guard in source.guards().await? {
        for key in source.keys(guard.org).await? {
            target.insert_key(guard.org, &key).await?;
        }
        for tombstone in source.tombstones(guard.org).await? {
            target.insert_tombstone(guard.org, tombstone).await?;
        }
        target.insert_guard(&guard).await?;
    }
    target.commit().await?;
    target.close().await?;
    source.close().await
}

fn copy_secrets(from: &Path, to: &Path) -> Result<(), StoreError> {
    for name in [folder::KEK, folder::LOG_KEY, folder::LOG_KEY_OLD] {
        let path = from.join(name);
        if folder::is_there(&path)? {
            folder::create_file(&to.join(name), &folder::read_secret(&path)?)?;
        }
    }
    folder::sync_dir(to)
}
