//! Copies of a desk: backup, restoring, and moving between SQLite and PostgreSQL are the same replay, row by row, in order.

use std::path::{Path, PathBuf};

use alnager_journal::entry::Entry;
use alnager_journal::merkle::{Hash, leaf_hash};

use crate::database::{Database, Durability};
use crate::desk::{Desk, only_head};
use crate::edge::Edge;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, Found};
use crate::place::Place;
use crate::schema::{CHUNK, Kind};

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
pub type Progress<'p> = &'p (dyn Fn(u64, u64) + Send + Sync);

impl Desk {
    /// Copies the journal and its blobs to a place where there is none. Keys and secrets are not in the copy.
    ///
    /// The copy is as the journal was at one moment; others may go on writing. It is made under another name and appears when it is
    /// whole.
    pub async fn backup(from: &Place, to: &Path, progress: Progress<'_>) -> Result<Copied, StoreError> {
        if folder::is_there(to)? {
            return Err(StoreError::Exists { path: to.to_owned() });
        }
        let mut unfinished = to.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        if unfinished.is_dir() {
            std::fs::remove_dir_all(&unfinished)
                .map_err(|error| StoreError::io(&unfinished, error))?;
        }
        folder::create_dir(&unfinished)?;
        let place = Place::from(unfinished.clone());
        place.prepare_journal()?;
        let copied = copy_journal(from, &place, progress).await?;
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
        to.set_aside().await?;
        to.prepare_journal()?;
        copy_journal(&from, to, progress).await
    }

    /// Copies a whole desk, keys and all, to another place where there is none: from SQLite to PostgreSQL, or back.
    pub async fn move_to(
        from: &Place,
        to: &Place,
        progress: Progress<'_>,
    ) -> Result<Copied, StoreError> {
        if to.look().await? == Found::Desk {
            return Err(StoreError::Exists { path: to.shown() });
        }
        to.make_room()?;
        to.prepare_keys()?;
        copy_keys(from, to).await?;
        copy_secrets(from.home(), to.home())?;
        to.prepare_journal()?;
        copy_journal(from, to, progress).await
    }
}

/// Copies every table of the journal and every blob; ends with the same root or not at all.
async fn copy_journal(
    from: &Place,
    to: &Place,
    progress: Progress<'_>,
) -> Result<Copied, StoreError> {
    let faults = Faults::default();
    let mut source = Database::open(&from.journal(), Kind::Journal, faults.clone()).await?;
    let (from_blobs, to_blobs) = (from.blobs()?, to.blobs()?);
    let mut target = Database::create(&to.journal(), Kind::Journal, faults.clone()).await?;
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
                    "blob `{}` of entry `{}` is missing",
                    blob.name, blob.seq
                ))
            })?;
            if Hash::of(&bytes) != blob.sha256 {
                return Err(StoreError::damaged(format!(
                    "blob `{}` of entry `{}` is not what was written",
                    blob.name, blob.seq
                )));
            }
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
