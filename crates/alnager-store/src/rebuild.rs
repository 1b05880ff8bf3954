//! What follows from the entries, made anew: tiles and snapshot.

use alnager_journal::merkle::{Hash, leaf_hash};

use crate::database::Durability;
use crate::desk::{Desk, Files};
use crate::edge::Edge;
use crate::error::StoreError;
use crate::schema::CHUNK;

/// What was made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Number of entries.
    pub size: u64,
    /// Full tiles.
    pub tiles: u64,
}

impl Desk {
    /// Makes the derived tables anew from the entries: tiles, and one snapshot in the place of all. `progress` is told the entries done and to be done.
    ///
    /// Nothing is changed unless the entries have the root that was signed.
    pub async fn rebuild(&mut self, progress: &dyn Fn(u64, u64)) -> Result<Rebuilt, StoreError> {
        let rebuilt = self.rebuild_tiles(progress).await;
        self.rollback().await;
        let rebuilt = rebuilt?;
        self.write_snapshot().await?;
        Ok(rebuilt)
    }

    pub(crate) async fn rebuild_tiles(
        &mut self,
        progress: &dyn Fn(u64, u64),
    ) -> Result<Rebuilt, StoreError> {
        let (org, size, root) = (self.log.org, self.size(), self.log.edge.root());
        let Files { journal, .. } = self.files.get_mut();
        journal.begin(Durability::Full).await?;
        // Others wait; whoever waits longest is told that the desk is busy.
        let heads = journal.heads_locked().await?;
        let head = heads.first().filter(|head| head.size >= size);
        let head = head.ok_or_else(|| StoreError::damaged("it has lost its head"))?;
        let signed = [(size, root), (head.size, head.root)];
        journal.delete_tiles().await?;
        journal.delete_snapshots().await?;
        let mut edge = Edge::default();
        let mut n_tiles = 0;
        let until = head.size;
        while edge.size() < until {
            let from = edge.size();
            let rows = journal.entries(org, from, until.min(from + CHUNK)).await?;
            if rows.first().is_none_or(|row| row.seq != from) {
                return Err(StoreError::damaged(format!("entry `{from}` is missing")));
            }
            let mut full = Vec::new();
            for row in &rows {
                edge.push(leaf_hash(&row.entry), &mut full);
                let is_other =
                    |(size, root): &(u64, Hash)| edge.size() == *size && edge.root() != *root;
                if signed.iter().any(is_other) {
                    return Err(StoreError::damaged(
                        "the entries do not have the root hash that its head states",
                    ));
                }
            }
            n_tiles += full.len() as u64;
            journal.insert_tiles(org, &full).await?;
            progress(edge.size(), until);
        }
        journal.commit().await?;
        Ok(Rebuilt {
            size: until,
            tiles: n_tiles,
        })
    }
}
