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

impl Desk {
    /// Begins with the snapshot instead of the first entry, where there is one that can be used.
    pub(crate) async fn take_snapshot(&mut self, head: &Signed) -> Result<(), StoreError> {
        let org = self.log.org;
        let Files { journal, keys } = self.files.get_mut();
        let Some(row) = journal.snapshot(org).await? else {
            return Ok(());
        };
        if row.size == 0 || row.size > head.size {
            return Ok(());
        }
        load_keys(std::iter::once(row.key), keys, &mut self.ring).await?;
        let Some(mut state) = open(&row, &self.ring) else {
            return Ok(());
        };
        let Some(edge) = read_edge(journal, org, row.size).await? else {
            return Ok(());
        };
        if edge.root() != row.root {
            return Ok(());
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
                load_keys(keys_needed, keys, &mut self.ring).await?;
                match found.first() {
                    Some(found) => match read(found, org, &self.ring)?.payload {
                        Held::Event(event) => state.recall(&event),
                        Held::Nothing => drop(owed.insert(index)),
                        Held::Buried => {}
                    },
                    None => return Ok(()),
                }
            }
        }
        self.log = Log {
            org,
            edge,
            state: Arc::new(state),
            owed,
            gone: BTreeSet::new(),
        };
        self.snapshot_size = row.size;
        Ok(())
    }

    /// Keeps the present state, so that the next one who opens the desk need not fold everything. `false` when that was not worth
    /// its while yet, or the disk cannot be written to.
    pub async fn keep_snapshot(&mut self) -> Result<bool, StoreError> {
        if self.size() < self.snapshot_size + WORTH {
            return Ok(false);
        }
        self.write_snapshot().await.map(|()| true)
    }

    pub(crate) async fn write_snapshot(&mut self) -> Result<(), StoreError> {
        let (size, root) = (self.size(), self.log.edge.root());
        let Desk {
            log,
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
        let written = match journal.replace_snapshot(log.org, &row).await {
            Ok(()) => journal.commit().await,
            failed => failed,
        };
        journal.rollback().await;
        written?;
        self.snapshot_size = size;
        Ok(())
    }
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
