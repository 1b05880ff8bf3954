//! The right edge of the log's tree: all that is kept of it in memory, whatever its size.

use alnager_journal::merkle::{CompactRange, Hash, Nodes, Range, Subtree};
use alnager_journal::tile::{Tile, WIDTH_FULL, root};

use crate::schema::TileRow;

/// Bits of a tile's width.
const TILE_BITS: u32 = 8;

/// The peaks of the tree and the hashes of its unfinished tiles, at most 255 on each level.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    range: CompactRange,
    partial: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of a log of `size` entries from the hashes of its unfinished tiles, level by level. `None` when a level has
    /// another number of hashes than that size leaves.
    pub(crate) fn from_partial(size: u64, partial: Vec<Vec<Hash>>) -> Option<Edge> {
        let edge = Edge {
            range: CompactRange::new(),
            partial,
        };
        let fits = |(level, (from, to)): (usize, (u64, u64))| {
            edge.partial.get(level).map_or(0, Vec::len) as u64 == to - from
        };
        if !Edge::unfinished(size).into_iter().enumerate().all(fits) {
            return None;
        }
        let peaks: Option<Vec<Hash>> = Range::first(size)
            .subtrees()
            .map(|peak| edge.node_at(size, peak))
            .collect();
        Some(Edge {
            range: CompactRange::from_parts(size, peaks?)?,
            ..edge
        })
    }

    /// Which hashes of each level, from 0 up, the unfinished tiles of a log of `size` entries hold: from and to.
    pub(crate) fn unfinished(size: u64) -> Vec<(u64, u64)> {
        let mut levels = Vec::new();
        let mut count = size;
        while count > 0 {
            levels.push((count & !(u64::from(WIDTH_FULL) - 1), count));
            count >>= TILE_BITS;
        }
        levels
    }

    /// How many full tiles a log of `size` entries has.
    pub(crate) fn n_tiles(size: u64) -> u64 {
        Edge::unfinished(size)
            .iter()
            .map(|(_, count)| count >> TILE_BITS)
            .sum()
    }

    pub(crate) fn size(&self) -> u64 {
        self.range.size()
    }

    pub(crate) fn root(&self) -> Hash {
        self.range.root()
    }

    /// Appends a leaf; tiles that it fills go to `full`.
    pub(crate) fn push(&mut self, leaf: Hash, full: &mut Vec<TileRow>) {
        self.range.push(leaf);
        let (mut hash, mut level) = (leaf, 0);
        loop {
            if self.partial.len() == level {
                self.partial.push(Vec::new());
            }
            let Some(tile) = self.partial.get_mut(level) else {
                return;
            };
            tile.push(hash);
            if tile.len() < usize::from(WIDTH_FULL) {
                return;
            }
            let hashes = std::mem::take(tile);
            // Just filled, so it is as wide as a tile is.
            let Some(over) = root(&hashes) else { return };
            hash = over;
            let count = self.range.size() >> (TILE_BITS as usize * (level + 1));
            full.push(TileRow {
                // 64 bits of size leave eight levels.
                level: u8::try_from(level).unwrap_or(u8::MAX),
                index: count - 1,
                root: hash,
                hashes: hashes.iter().flat_map(|hash| hash.0).collect(),
            });
            level += 1;
        }
    }

    /// The bytes of an unfinished tile.
    pub(crate) fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        let level = usize::from(tile.level());
        let (from, _) = *Edge::unfinished(self.size()).get(level)?;
        if tile.width() == WIDTH_FULL || tile.index() != from >> TILE_BITS {
            return None;
        }
        let hashes = self.partial.get(level)?.get(..usize::from(tile.width()))?;
        Some(hashes.iter().flat_map(|hash| hash.0).collect())
    }

    fn node_at(&self, size: u64, subtree: Subtree) -> Option<Hash> {
        let level = usize::try_from(subtree.level / TILE_BITS).ok()?;
        let within = subtree.level % TILE_BITS;
        let (base, _) = *Edge::unfinished(size).get(level)?;
        let first = usize::try_from(subtree.index.checked_shl(within)?.checked_sub(base)?).ok()?;
        let hashes = self
            .partial
            .get(level)?
            .get(first..first.checked_add(1 << within)?)?;
        root(hashes)
    }
}

impl Nodes for Edge {
    /// Subtrees within the unfinished tiles.
    fn node(&self, subtree: Subtree) -> Option<Hash> {
        self.node_at(self.size(), subtree)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use alnager_journal::merkle::{Tree, leaf_hash, root_at};
    use alnager_journal::tile::Tile;

    use super::*;

    #[test]
    fn an_edge_grows_as_the_tree_does_and_gives_the_tiles() {
        let (mut edge, mut tree, mut full) = (Edge::default(), Tree::new(), Vec::new());
        for n in 0..70_000_u32 {
            let leaf = leaf_hash(&n.to_be_bytes());
            edge.push(leaf, &mut full);
            tree.push(leaf);
            if n % 997 == 0 || n > 69_800 {
                assert_eq!(edge.root(), tree.root());
                assert_eq!(full.len() as u64, Edge::n_tiles(edge.size()));
                assert_eq!(root_at(&edge, edge.size()), Some(tree.root()));
                let again = Edge::from_partial(edge.size(), edge.partial.clone()).unwrap();
                assert_eq!(again.root(), edge.root());
            }
        }
        for row in full {
            let tile = Tile::new(row.level, row.index, WIDTH_FULL).unwrap();
            assert_eq!(tile.encode(&tree).unwrap(), row.hashes);
            let subtree = Subtree {
                level: u32::from(row.level) * 8 + 8,
                index: row.index,
            };
            assert_eq!(tree.node(subtree.level, subtree.index), Some(row.root));
        }
    }

    #[test]
    fn an_edge_of_another_size_is_refused() {
        assert!(Edge::from_partial(2, vec![vec![leaf_hash(b"")]]).is_none());
        assert!(Edge::from_partial(256, vec![Vec::new()]).is_none());
        assert_eq!(Edge::from_partial(0, Vec::new()).unwrap().size(), 0);
    }
}
