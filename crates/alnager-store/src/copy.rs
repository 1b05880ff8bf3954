//! Copies of a desk: backup, restoring, and moving between SQLite and PostgreSQL are the same replay, row by row, in order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use alnager_journal::entry::Entry;
use alnager_journal::merkle::{Hash, leaf_hash};
use uuid::Uuid;

use crate::database::{Database, Durability};
use crate::desk::{Desk, only_head};
use crate::edge::Edge;
use crate::entropy::random;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, BLOBS, Found, JOURNAL, KEYS};
use crate::place::Place;
use crate::rotate;
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
    pub async fn backup(
        from: &Place,
        to: &Path,
        progress: Progress<'_>,
    ) -> Result<Copied, StoreError> {
        let unfinished = Unfinished::new(to)?;
        let place = Place::from(unfinished.path.clone());
        place.prepare_journal()?;
        let copied = copy_journal(from, &place, progress, &Faults::default()).await?;
        unfinished.appear()?;
        Ok(copied)
    }

    /// Copies the keys, the guard and the secrets to a folder where there are none.
    ///
    /// Such a copy brings back whoever is erased after it was made: keep it apart from backups of the journal, and only for a short
    /// time.
    pub async fn backup_keys(from: &Place, to: &Path) -> Result<(), StoreError> {
        let faults = Faults::default();
        let unfinished = Unfinished::new(to)?;
        let place = Place::from(unfinished.path.clone());
        let mut journal = Database::open(&from.journal(), Kind::Journal, faults.clone()).await?;
        // Nobody changes keys or secrets meanwhile; on a disk that is read-only nobody does anyway.
        match lock_secrets(from, &mut journal).await {
            Ok(_) | Err(StoreError::ReadOnly { .. }) => {}
            Err(error) => return Err(error),
        }
        place.prepare_keys()?;
        copy_keys(from, &place, &faults).await?;
        copy_secrets(from.home(), place.home(), &faults)?;
        journal.rollback().await;
        journal.close().await?;
        unfinished.appear()
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
        Desk::restore_with(backup, keys, to, progress, &Faults::default()).await
    }

    /// Each step leaves what was there whole until the next one has all it needs, so an interrupted restore is simply repeated.
    pub(crate) async fn restore_with(
        backup: &Path,
        keys: Option<&Path>,
        to: &Place,
        progress: Progress<'_>,
        faults: &Faults,
    ) -> Result<Copied, StoreError> {
        let from = Place::from(backup.to_owned());
        if from.look().await? == Found::Nothing {
            return Err(StoreError::Absent {
                dir: backup.to_owned(),
            });
        }
        to.make_room()?;
        let held = folder::hold(to.home())?;
        if let Some(keys) = keys {
            restore_keys(keys, to, faults).await?;
        }
        if !to.has_secrets()? {
            return Err(StoreError::KeysMissing {
                home: to.home().to_owned(),
            });
        }
        let copied = match to.folder() {
            None => {
                to.set_aside().await?;
                to.prepare_journal()?;
                copy_journal(&from, to, progress, faults).await?
            }
            // Made beside it, so that what is there stays until the copy is whole.
            Some(dir) => {
                let beside = dir.join(RESTORING);
                make_anew(&beside)?;
                let place = Place::from(beside.clone());
                place.prepare_journal()?;
                let copied = copy_journal(&from, &place, progress, faults).await?;
                to.set_aside().await?;
                for name in [BLOBS, JOURNAL] {
                    faults.step(|| rename(&beside.join(name), &dir.join(name)))?;
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
    /// From then on the desk can only be read where it was: two places that go on writing would be a fork. A folder appears when it is
    /// whole, and a server's journal is filled in one transaction; where that was interrupted, the desk is moved once more.
    pub async fn move_to(
        from: &Place,
        to: &Place,
        progress: Progress<'_>,
    ) -> Result<Copied, StoreError> {
        if to.look().await? == Found::Desk {
            return Err(StoreError::Exists { path: to.shown() });
        }
        let unfinished = match to.folder() {
            Some(dir) => Some(Unfinished::beside(dir)?),
            None => None,
        };
        let target = match &unfinished {
            Some(unfinished) => to.moved(&unfinished.path),
            None => to.clone(),
        };
        let faults = Faults::default();
        let mut source = Database::open(&from.journal(), Kind::Journal, faults.clone()).await?;
        // Nobody writes meanwhile, not even a data key, and afterwards nobody may.
        let org = lock_secrets(from, &mut source).await?;
        source.take_time().await?;
        target.make_room()?;
        check_secrets(from.home(), target.home())?;
        target.prepare_keys()?;
        copy_keys(from, &target, &faults).await?;
        copy_secrets(from.home(), target.home(), &faults)?;
        target.prepare_journal()?;
        let copied = copy_journal(from, &target, progress, &faults).await?;
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
        if let Some(unfinished) = unfinished {
            unfinished.appear()?;
        }
        Ok(copied)
    }
}

/// A folder in the making: it gets its name when it is whole, and is removed when dropped before that.
struct Unfinished {
    path: PathBuf,
    place: PathBuf,
    appeared: bool,
}

impl Unfinished {
    /// For a place where there is nothing.
    fn new(place: &Path) -> Result<Unfinished, StoreError> {
        if folder::is_there(place)? {
            return Err(StoreError::Exists {
                path: place.to_owned(),
            });
        }
        Unfinished::beside(place)
    }

    /// For a place where there is nothing or an empty folder.
    fn beside(place: &Path) -> Result<Unfinished, StoreError> {
        let suffix = Hash::of(&random::<32>()?).to_string();
        let mut path = place.as_os_str().to_owned();
        path.push(format!(".unfinished-{}", &suffix[..16]));
        let path = PathBuf::from(path);
        folder::create_dir(&path)?;
        Ok(Unfinished {
            path,
            place: place.to_owned(),
            appeared: false,
        })
    }

    fn appear(mut self) -> Result<(), StoreError> {
        rename(&self.path, &self.place)?;
        self.appeared = true;
        folder::sync_dir(folder::parent(&self.place))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.appeared {
            // The first failure is the one to tell; what stays behind says in its name that it is unfinished.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Locks the journal and sees to it that keys and secrets belong together; the organisation.
async fn lock_secrets(place: &Place, journal: &mut Database) -> Result<Uuid, StoreError> {
    let org = only_head(journal).await?.org;
    journal.begin(Durability::Full).await?;
    journal.heads_locked().await?;
    let mut keys = Database::open(&place.keys(), Kind::Keys, journal.faults()).await?;
    rotate::settle(place, org, journal, &mut keys).await?;
    keys.close().await?;
    Ok(org)
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|error| StoreError::io(to, error))
}

/// Makes an empty folder, whatever an interrupted command left there.
fn make_anew(dir: &Path) -> Result<(), StoreError> {
    if dir.is_dir() {
        std::fs::remove_dir_all(dir).map_err(|error| StoreError::io(dir, error))?;
    }
    folder::create_dir(dir)
}

/// The folder in which a restored journal is made.
const RESTORING: &str = "restoring";
/// The folder in which restored keys are made.
const RESTORING_KEYS: &str = "restoring-keys";

const SECRETS: [&str; 3] = [folder::KEK, folder::LOG_KEY, folder::LOG_KEY_OLD];

/// Copies every table of the journal and every blob; ends with the same root or not at all.
async fn copy_journal(
    from: &Place,
    to: &Place,
    progress: Progress<'_>,
    faults: &Faults,
) -> Result<Copied, StoreError> {
    let mut source = Database::open(&from.journal(), Kind::Journal, faults.clone()).await?;
    let (from_blobs, to_blobs) = (from.blobs()?, to.blobs()?.with_faults(faults.clone()));
    let mut target = Database::create(&to.journal(), Kind::Journal, faults.clone()).await?;
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

/// Copies data keys, tombstones and guard. Those that are there already stay.
async fn copy_keys(from: &Place, to: &Place, faults: &Faults) -> Result<(), StoreError> {
    let mut source = Database::open(&from.keys(), Kind::Keys, faults.clone()).await?;
    let mut target = Database::create(&to.keys(), Kind::Keys, faults.clone()).await?;
    source.begin_reading().await?;
    target.begin(Durability::Full).await?;
    for guard in source.guards().await? {
        let org = guard.org;
        // In a server's database a copy that was interrupted may have left them.
        let known = target.keys(org).await?.into_iter().map(|key| key.id);
        let buried = target.tombstones(org).await?.into_iter().map(|key| key.id);
        let there: BTreeSet<Uuid> = known.chain(buried).collect();
        for key in source.keys(org).await? {
            if !there.contains(&key.id) {
                target.insert_key(org, &key).await?;
            }
        }
        for tombstone in source.tombstones(org).await? {
            target.insert_tombstone(org, tombstone).await?;
            // Whoever was erased since then must not keep a key there.
            target.bury_keys(org, tombstone.owner).await?;
        }
        // One that is there has seen as much or less, and is moved on; where it has seen more, the desk must not be written.
        if target.guard(org).await?.is_none() {
            target.insert_guard(&guard).await?;
        }
    }
    target.commit().await?;
    target.close().await?;
    source.rollback().await;
    source.close().await
}

/// Puts a copy of keys and secrets in its place, where there are none, or the same ones: then the keys that are there stay, because
/// they know who was erased since.
async fn restore_keys(keys: &Path, to: &Place, faults: &Faults) -> Result<(), StoreError> {
    check_secrets(keys, to.home())?;
    let from = Place::from(keys.to_owned());
    let Some(dir) = to.folder() else {
        let mut target = Database::create(&to.keys(), Kind::Keys, faults.clone()).await?;
        let has_keys = !target.guards().await?.is_empty();
        target.close().await?;
        if !has_keys {
            copy_keys(&from, to, faults).await?;
        }
        return copy_secrets(keys, to.home(), faults);
    };
    if folder::is_there(&dir.join(KEYS))? {
        return copy_secrets(keys, dir, faults);
    }
    let beside = dir.join(RESTORING_KEYS);
    make_anew(&beside)?;
    let place = Place::from(beside.clone());
    place.prepare_keys()?;
    copy_keys(&from, &place, faults).await?;
    copy_secrets(keys, &beside, faults)?;
    // The database last: where it is, all are.
    for name in SECRETS.into_iter().chain([KEYS]) {
        if folder::is_there(&beside.join(name))? {
            faults.step(|| rename(&beside.join(name), &dir.join(name)))?;
        }
    }
    folder::sync_dir(dir)?;
    std::fs::remove_dir(&beside).map_err(|error| StoreError::io(&beside, error))
}

/// Refuses to copy secrets to where others are.
fn check_secrets(from: &Path, to: &Path) -> Result<(), StoreError> {
    for name in SECRETS {
        let (copy, there) = (from.join(name), to.join(name));
        let is_other = || Ok::<bool, StoreError>(read_if_there(&copy)? != read_if_there(&there)?);
        if folder::is_there(&there)? && is_other()? {
            return Err(StoreError::Exists { path: there });
        }
    }
    Ok(())
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match folder::is_there(path)? {
        true => folder::read_secret(path).map(Some),
        false => Ok(None),
    }
}

/// Copies the files of secrets that are not there yet.
fn copy_secrets(from: &Path, to: &Path, faults: &Faults) -> Result<(), StoreError> {
    for name in SECRETS {
        let (path, copy) = (from.join(name), to.join(name));
        if folder::is_there(&path)? && !folder::is_there(&copy)? {
            let bytes = folder::read_secret(&path)?;
            faults.write(&bytes, |bytes| folder::create_file(&copy, bytes))?;
        }
    }
    folder::sync_dir(to)
}
