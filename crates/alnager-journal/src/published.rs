//! A published log (C2SP `tlog-tiles`): static files that any web server can hand out and anyone can check.
//!
//! Nothing here touches a file: whoever writes or reads the folder passes paths and bytes.

use std::collections::BTreeMap;

use crate::merkle::{Hash, Nodes, Range, Subtree};
use crate::tile::{Tile, TileError};

/// Some tiles of a log, read: a source of proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiles {
    tiles: BTreeMap<(u8, u64), (Tile, Vec<Hash>)>,
}

impl Tiles {
    /// No tile.
    pub fn new() -> Tiles {
        Tiles::default()
    }

    /// The tiles of a log of `size` entries that hold what these ranges are made of, each tile once.
    ///
    /// For an inclusion proof the ranges are those of [`crate::merkle::inclusion_path`], for a consistency proof those
    /// of [`crate::merkle::consistency_path`], for the root [`Range::first`]. `None` when the log is too short.
    pub fn needed(ranges: &[Range], size: u64) -> Option<Vec<Tile>> {
        let subtrees = ranges.iter().flat_map(|range| range.subtrees());
        let tiles = subtrees.map(|subtree| Tile::holding(subtree, size));
        let mut tiles = tiles.collect::<Option<Vec<Tile>>>()?;
        tiles.sort_unstable();
        tiles.dedup();
        Some(tiles)
    }

    /// Takes in a tile by its bytes; of two at the same place, the later one stays.
    pub fn insert(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), TileError> {
        let hashes = tile.decode(bytes)?;
        self.tiles
            .insert((tile.level(), tile.index()), (tile, hashes));
        Ok(())
    }
}

impl Nodes for Tiles {
    fn node(&self, subtree: Subtree) -> Option<Hash> {
        let level = u8::try_from(subtree.level / 8).ok()?;
        let index = subtree.index >> (8 - subtree.level % 8);
        let (tile, hashes) = self.tiles.get(&(level, index))?;
        tile.node(hashes, subtree)
    }
}

#[cfg(test)]
mod tests;
