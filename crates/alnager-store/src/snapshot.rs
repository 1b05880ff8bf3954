//! Snapshots: the state at some entry, sealed. A cache, thrown away in doubt.

use std::collections::BTreeSet;
use std::sync::Arc;

use alnager_journal::merkle::{Hash, leaf_hash};
use alnager_office::snapshot::STATE_FORMAT;
use alnager_office::state::State;
use uuid::Uuid;

use crate::database::{Database, Durability};
use crate::desk::{Desk, Files};
use crate::edge::Edge;
use crate::error::StoreError;
use crate::log::{Held, Log, load_keys, read};
use crate::schema::{Signed, SnapshotRow};
use crate::seal::{Keyring, What};

/// A snapshot is worth its while once this many entries were folded since the last one.
const WORTH: u64 = 4_096;

/// The state in a snapshot, without people's names. `None` when it does not open, or is of another version.
pub(crate) fn open(row: &SnapshotRow, ring: &Keyring) -> Option<State> {
    if row.format != i64::from(STATE_FORMAT) {
        return None;
    }
    let SnapshotRow { size, root, .. } = *row;
    let what = What::Snapshot { size, root };
    let opened = ring.open(row.key, what, Uuid::nil(), &row.sealed)?;
    let state = State::from_snapshot(&opened.bytes).ok()?;
    (state.size == size).then_some(state)
}

/// Which snapshots go, of those of these sizes in ascending order: the newest stays, and of the earlier ones so many that the way from one to the
/// next is at most as long as half the way from the earlier to the newest, or [`WORTH`], where there were as many.
///
/// So a state of long ago is found by folding at most half of what lies between it and now, and twenty snapshots reach over a thousand
/// times [`WORTH`].
pub(crate) fn superfluous(sizes: &[u64]) -> Vec<u64> {
    let mut superfluous = Vec::new();
    let Some((newest, earlier)) = sizes.split_last() else {
        return superfluous;
    };
    let mut kept = *newest;
    for (at, size) in earlier.iter().enumerate().rev() {
        let next = at.checked_sub(1).and_then(|at| earlier.get(at));
        let is_bridged = next.is_some_and(|next| kept - next <= ((newest - next) / 2).max(WORTH));
        if is_bridged {
            superfluous.push(*size);
        } else {
            kept = *size;
        }
    }
    superfluous
}

/// The journal as the nearest snapshot of at most `size` entries has it, with people's names from the entries that hold them. `None` where no
/// snapshot can be used.
async fn begun(
    org: Uuid,
    size: u64,
    journal: &mut Database,
    keys: &mut Database,
    ring: &mut Keyring,
) -> Result<Option<Log>, StoreError> {
    let mut at_most = size;
    while let Some(row) = journal.snapshot(org, at_most).await? {
        if let Some(log) = begin_from(&row, org, journal, keys, ring).await? {
            return Ok(Some(log));
        }
        // An earlier one may be whole.
        match row.size.checked_sub(1) {
            Some(earlier) => at_most = earlier,
            None => break,
        }
    }
    Ok(None)
}

/// The journal as a snapshot has it. `None` where that does not open, is of another form, or does not lead to the root it states.
async fn begin_from(
    row: &SnapshotRow,
    org: Uuid,
    journal: &mut Database,
    keys: &mut Database,
    ring: &mut Keyring,
) -> Result<Option<Log>, StoreError> {
    if row.size == 0 || row.format != i64::from(STATE_FORMAT) {
        return Ok(None);
    }
    load_keys(std::iter::once(row.key), keys, ring).await?;
    let Some(mut state) = open(row, ring) else {
        return Ok(None);
    };
    let Some(edge) = read_edge(journal, org, row.size).await? else {
        return Ok(None);
    };
    if edge.root() != row.root {
        return Ok(None);
    }
    // Names are not in it; they are where they were entered.
    let mut owed = BTreeSet::new();
    let people = state.person_entries.clone();
    for (person, entries) in people {
        if state.erased.contains_key(&person) {
            continue;
        }
        for index in entries {
            let found = journal.entries(org, index, index + 1).await?;
            let keys_needed = found.iter().filter_map(|row| Some(row.payload.as_ref()?.0));
            load_keys(keys_needed, keys, ring).await?;
            match found.first() {
                Some(found) => match read(found, org, ring)?.payload {
                    Held::Event(event) => state.recall(&event),
                    Held::Nothing => drop(owed.insert(index)),
                    Held::Buried => {}
                },
                None => return Ok(None),
            }
        }
    }
    Ok(Some(Log {
        org,
        edge,
        state: Arc::new(state),
        owed,
        gone: BTreeSet::new(),
    }))
}

impl Desk {
    /// Begins with the newest snapshot that can be used instead of the first entry, where there is one.
    pub(crate) async fn take_snapshot(&mut self, head: &Signed) -> Result<(), StoreError> {
        let org = self.log.org;
        let Files { journal, keys } = self.files.get_mut();
        let log = begun(org, head.size, journal, keys, &mut self.ring).await?;
        if let Some(log) = log {
            self.snapshot_size = log.edge.size();
            self.log = log;
        }
        Ok(())
    }

    /// What the journal said after its first `size` entries. `None` when it has fewer.
    ///
    /// Begins with the nearest snapshot before them. Where that was farther away than snapshots are kept apart, the state is kept for whoever
    /// looks back so far next.
    pub async fn state_at(&mut self, size: u64) -> Result<Option<Arc<State>>, StoreError> {
        if size == self.log.edge.size() {
            return Ok(Some(self.state()));
        }
        let Some(root) = self.root_at(size).await? else {
            return Ok(None);
        };
        let Desk {
            log, ring, files, ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        let from_first = Log::before(log.org, &log.state);
        let begun = begun(log.org, size, journal, keys, ring).await?;
        // Payloads that were erased since are not missed in a snapshot either.
        let mut earlier = begun.map_or_else(
            || from_first.clone(),
            |begun| Log {
                gone: from_first.gone.clone(),
                ..begun
            },
        );
        let mut from = earlier.edge.size();
        match earlier.catch_up(size, root, journal, keys, ring).await {
            // The snapshot may be what is wrong, or the tiles under it: everything is folded.
            Err(StoreError::Damaged { .. }) if from > 0 => {
                (earlier, from) = (from_first, 0);
                earlier.catch_up(size, root, journal, keys, ring).await?;
            }
            caught_up => caught_up?,
        }
        // Nearer ones would be thrown away again.
        let now = self.size();
        if self.forked.is_none() && size - from > ((now - from) / 2).max(WORTH) {
            // A cache: without it the next look takes as long.
            let _ = self.write_snapshot_of(&earlier).await;
        }
        Ok(Some(earlier.state))
    }

    /// Keeps the present state, so that the next one who opens the desk need not fold everything. `false` when that was not worth
    /// its while yet, or the disk cannot be written to.
    pub async fn keep_snapshot(&mut self) -> Result<bool, StoreError> {
        if self.forked.is_some() || self.size() < self.snapshot_size + WORTH {
            return Ok(false);
        }
        self.write_snapshot().await.map(|()| true)
    }

    pub(crate) async fn write_snapshot(&mut self) -> Result<(), StoreError> {
        let log = self.log.clone();
        self.write_snapshot_of(&log).await?;
        self.snapshot_size = log.edge.size();
        Ok(())
    }

    /// Keeps the state of a log, and throws away the snapshots that are then too many.
    async fn write_snapshot_of(&mut self, log: &Log) -> Result<(), StoreError> {
        let (size, root) = (log.edge.size(), log.edge.root());
        let Desk {
            ring,
            files,
            entropy,
            ..
        } = self;
        let key = ring
            .key_of(log.org)
            .ok_or_else(|| StoreError::damaged("the organisation's data key is missing"))?;
        let salted = entropy.salted(log.state.to_snapshot())?;
        let what = What::Snapshot { size, root };
        let row = SnapshotRow {
            size,
            root,
            format: i64::from(STATE_FORMAT),
            key,
            sealed: ring.seal(key, what, Uuid::nil(), &salted, entropy)?,
        };
        let Files { journal, .. } = files.get_mut();
        journal.begin(Durability::Lazy).await?;
        let written = match replace(journal, log.org, &row).await {
            Ok(()) => journal.commit().await,
            failed => failed,
        };
        journal.rollback().await;
        written
    }
}

/// Writes a snapshot, and deletes those of another form and those that are too many now.
async fn replace(journal: &mut Database, org: Uuid, row: &SnapshotRow) -> Result<(), StoreError> {
    journal.replace_snapshot(org, row).await?;
    let (of_today, others): (Vec<_>, Vec<_>) = journal
        .snapshot_sizes(org)
        .await?
        .into_iter()
        .partition(|(_, format)| *format == row.format);
    let of_today: Vec<u64> = of_today.into_iter().map(|(size, _)| size).collect();
    let others = others.into_iter().map(|(size, _)| size);
    for size in others.chain(superfluous(&of_today)) {
        journal.delete_snapshot(org, size).await?;
    }
    Ok(())
}

/// The edge of the log at this size, from tiles and the entries behind the last full one. `None` when they do not give it.
async fn read_edge(
    journal: &mut Database,
    org: Uuid,
    size: u64,
) -> Result<Option<Edge>, StoreError> {
    let mut partial = Vec::new();
    for (level, (from, to)) in Edge::unfinished(size).into_iter().enumerate() {
        let hashes: Vec<Hash> = match u8::try_from(level)
            .ok()
            .and_then(|level| level.checked_sub(1))
        {
            None => {
                let rows = journal.entries(org, from, to).await?;
                rows.iter().map(|row| leaf_hash(&row.entry)).collect()
            }
            Some(below) => {
                let roots = journal.tile_roots(org, below, from, to).await?;
                roots.into_iter().map(|(_, root)| root).collect()
            }
        };
        partial.push(hashes);
    }
    Ok(Edge::from_partial(size, partial))
}
