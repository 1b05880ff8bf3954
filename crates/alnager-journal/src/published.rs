//! A published log (C2SP `tlog-tiles`): static files that any web server can hand out and anyone can check.
//!
//! Nothing here touches a file: whoever writes or reads the folder passes paths and bytes.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::entry::{Entry, EntryError};
use crate::merkle::{self, Hash, Nodes, Range, Subtree, leaf_hash};
use crate::policy::Accepted;
use crate::tile::{self, Tile, TileError, WIDTH_FULL};
use crate::verify::{self, Trust, VerifyError};

/// Path of the checkpoint.
const CHECKPOINT: &str = "checkpoint";

/// One file of a published log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum File {
    /// The entries of a tile of level 0: see [`crate::tile::encode_bundle`].
    Bundle(Tile),
    /// Hashes: see [`Tile::encode`].
    Tile(Tile),
    /// The signed note.
    Checkpoint,
}

impl File {
    /// Path below the log's prefix, with `/` between folders.
    pub fn path(self) -> String {
        match self {
            File::Bundle(tile) => tile.bundle_path(),
            File::Tile(tile) => tile.path(),
            File::Checkpoint => CHECKPOINT.to_owned(),
        }
    }

    /// Reads a path; only the spelling of [`File::path`] is accepted.
    pub fn parse(path: &str) -> Option<File> {
        if path == CHECKPOINT {
            return Some(File::Checkpoint);
        }
        let bundle = Tile::parse_bundle(path).map(File::Bundle);
        bundle.or_else(|_| Tile::parse(path).map(File::Tile)).ok()
    }

    /// The file at the same place in a log of `size` entries. When it is the file itself, the log has it; when it is
    /// wider, the file is from an earlier size and its bytes are the beginning of that one's; else the file is from
    /// a later size. `None` when the log has nothing at this place.
    pub fn grown(self, size: u64) -> Option<File> {
        let grown = |tile: Tile| Tile::in_log(tile.level(), tile.index(), size);
        match self {
            File::Bundle(tile) => grown(tile).map(File::Bundle),
            File::Tile(tile) => grown(tile).map(File::Tile),
            File::Checkpoint => Some(File::Checkpoint),
        }
    }

    /// Number of hashes or entries in the file; 0 for the checkpoint.
    pub fn width(self) -> u16 {
        match self {
            File::Bundle(tile) | File::Tile(tile) => tile.width(),
            File::Checkpoint => 0,
        }
    }
}

/// The files to write when a log that was published with `old` entries has grown to `new`, in the order in which they
/// must appear: bundles, tiles from below, and the checkpoint last. With `old` 0 that is the whole log.
///
/// A file that was published is never written again, except the checkpoint. `old` is at most `new`.
pub fn files(old: u64, new: u64) -> impl Iterator<Item = File> {
    let tiles = Tile::grown(old, new).flat_map(|tile| {
        let bundle = (tile.level() == 0).then_some(File::Bundle(tile));
        bundle.into_iter().chain([File::Tile(tile)])
    });
    tiles.chain([File::Checkpoint])
}

/// Folders of partial tiles and bundles that may be deleted once the log of `new` entries is published where it had
/// `old`: the full tile is there. Paths such as `tile/0/001.p`.
pub fn outgrown(old: u64, new: u64) -> Vec<String> {
    let mut folders = Vec::new();
    for tile in Tile::grown(old, new).filter(|tile| tile.width() == WIDTH_FULL) {
        // Only the first tile that has grown on a level can have been partial before.
        let was_partial = Tile::in_log(tile.level(), tile.index(), old).is_some();
        if was_partial {
            folders.push(format!("{}.p", tile.path()));
            if tile.level() == 0 {
                folders.push(format!("{}.p", tile.bundle_path()));
            }
        }
    }
    folders
}

/// What is true of a published log that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The checkpoint, whose root hash all entries lead to.
    pub checkpoint: SignedCheckpoint,
    /// Who signed it; `None` when the reader named nobody, for the folder does not say with which key to check.
    pub signed: Option<Accepted>,
    /// Files read.
    pub n_files: u64,
    /// Bytes read.
    pub n_bytes: u64,
}

/// Why a published log is refused. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// A file cannot be had.
    #[error("`{path}` cannot be read: {reason}")]
    Read {
        /// Its path.
        path: String,
        /// What the reader of files said.
        reason: String,
    },
    /// The checkpoint breaks its format.
    #[error("`checkpoint` is refused")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is not signed by whom it should be.
    #[error("`checkpoint` is refused")]
    Signature(#[from] VerifyError),
    /// A tile or bundle breaks its format.
    #[error("`{path}` is refused")]
    Tile {
        /// Its path.
        path: String,
        /// Why.
        source: TileError,
    },
    /// An entry breaks its format.
    #[error("`{path}` is refused: entry `{index}` is malformed")]
    Entry {
        /// Path of the bundle.
        path: String,
        /// Index of the entry.
        index: u64,
        /// Why.
        source: EntryError,
    },
    /// An entry does not continue the ones before it.
    #[error("`{path}` is refused: entry `{index}` {reason}")]
    Chain {
        /// Path of the bundle.
        path: String,
        /// Index of the entry.
        index: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A hash in a tile is not that of the entry or the tile below it.
    #[error(
        "`{path}` and `{below}` contradict each other at hash `{place}`; one of them was altered, so fetch both again"
    )]
    Hash {
        /// Path of the tile.
        path: String,
        /// Path of the bundle or tile below it that the hash is about.
        below: String,
        /// Place of the hash in the tile, from 0.
        place: usize,
    },
    /// The entries lead to another root hash.
    #[error(
        "`checkpoint` states another root hash than its `{size}` entries lead to; take both again from the log"
    )]
    Root {
        /// Number of entries.
        size: u64,
    },
}

/// Checks a published log whole: every entry is canonical and continues the ones before it about the same subject,
/// every hash of every tile is that of its entry or of the tile below, and all together lead to the root hash of the
/// checkpoint, which is signed by whom the reader trusts.
///
/// `read` hands over the bytes of a path or says why it cannot; each file is asked for once, and one bundle and at
/// most nine tiles are held at a time, beside one number for each subject. `progress` hears after each bundle how many
/// entries are checked, and of how many.
pub fn check(
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    trust: &Trust,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Checked, PublishedError> {
    let mut walk = Walk {
        read,
        rows: Vec::new(),
        heads: BTreeMap::new(),
        n_files: 0,
        n_bytes: 0,
    };
    let checkpoint = SignedCheckpoint::parse(&walk.file(CHECKPOINT)?)?;
    let signed = verify::signed(&checkpoint, trust)?;
    let size = checkpoint.checkpoint().size();
    for tile in Tile::all(size).take_while(|tile| tile.level() == 0) {
        walk.bundle(tile)?;
        progress(walk.rows.first().map_or(0, Row::n_before), size);
    }
    if walk.root()? != Some(checkpoint.checkpoint().root()) {
        return Err(PublishedError::Root { size });
    }
    Ok(Checked {
        checkpoint,
        signed,
        n_files: walk.n_files,
        n_bytes: walk.n_bytes,
    })
}

/// The state of a check.
struct Walk<'r> {
    read: &'r mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    /// For each level the tile that is not yet full.
    rows: Vec<Row>,
    /// The last entry about each subject.
    heads: BTreeMap<Uuid, u64>,
    n_files: u64,
    n_bytes: u64,
}

/// The hashes of a tile so far, as they follow from what lies below.
#[derive(Default)]
struct Row {
    index: u64,
    hashes: Vec<Hash>,
}

impl Row {
    /// Number of hashes on the level up to the end of this row.
    fn n_before(&self) -> u64 {
        self.index * u64::from(WIDTH_FULL) + self.hashes.len() as u64
    }
}

impl Walk<'_> {
    fn file(&mut self, path: &str) -> Result<Vec<u8>, PublishedError> {
        let bytes = (self.read)(path).map_err(|reason| PublishedError::Read {
            path: path.to_owned(),
            reason,
        })?;
        self.n_files += 1;
        self.n_bytes += bytes.len() as u64;
        Ok(bytes)
    }

    /// Takes in the entries of a tile of level 0, and checks the tiles that they fill.
    fn bundle(&mut self, tile: Tile) -> Result<(), PublishedError> {
        let path = tile.bundle_path();
        let bytes = self.file(&path)?;
        let entries = tile
            .decode_bundle(&bytes)
            .map_err(|source| PublishedError::Tile {
                path: path.clone(),
                source,
            })?;
        let first = tile.index() * u64::from(WIDTH_FULL);
        for (index, bytes) in (first..).zip(&entries) {
            self.entry(&path, index, bytes)?;
        }
        self.push(0, entries.iter().map(|bytes| leaf_hash(bytes)).collect())
    }

    fn entry(&mut self, path: &str, index: u64, bytes: &[u8]) -> Result<(), PublishedError> {
        let entry = Entry::parse(bytes).map_err(|source| PublishedError::Entry {
            path: path.to_owned(),
            index,
            source,
        })?;
        let refused = |reason| PublishedError::Chain {
            path: path.to_owned(),
            index,
            reason,
        };
        if entry.refs.iter().any(|target| *target >= index) {
            return Err(refused("refers to an entry that does not come before it"));
        }
        for about in &entry.subjects {
            if self.heads.insert(about.id, index) != about.prev {
                return Err(refused(
                    "does not name the entry before it about the same subject",
                ));
            }
        }
        Ok(())
    }

    /// Adds hashes to a level; a row that is full is compared with its tile, and its root goes one level up.
    fn push(&mut self, level: u8, hashes: Vec<Hash>) -> Result<(), PublishedError> {
        let at = usize::from(level);
        if at == self.rows.len() {
            self.rows.push(Row::default());
        }
        self.rows[at].hashes.extend(hashes);
        if self.rows[at].hashes.len() < usize::from(WIDTH_FULL) {
            return Ok(());
        }
        let (_, hashes) = self.compare(level)?;
        self.rows[at].index += 1;
        self.push(level + 1, tile::root(&hashes).into_iter().collect())
    }

    /// Compares the row of a level with its tile, and empties the row.
    fn compare(&mut self, level: u8) -> Result<(Tile, Vec<Hash>), PublishedError> {
        let row = &mut self.rows[usize::from(level)];
        let (index, hashes) = (row.index, std::mem::take(&mut row.hashes));
        let tile = Tile::at(level, index, row.n_before() + hashes.len() as u64);
        let tile = tile.ok_or(PublishedError::Root {
            size: row.n_before(),
        })?;
        let path = tile.path();
        let bytes = self.file(&path)?;
        let stated = tile.decode(&bytes).map_err(|source| PublishedError::Tile {
            path: path.clone(),
            source,
        })?;
        if let Some(place) = stated.iter().zip(&hashes).position(|(is, want)| is != want) {
            let below = match level.checked_sub(1) {
                None => Some(tile.bundle_path()),
                Some(level) => {
                    let index = index * u64::from(WIDTH_FULL) + place as u64;
                    Tile::new(level, index, WIDTH_FULL).map(Tile::path)
                }
            };
            return Err(PublishedError::Hash {
                path,
                below: below.unwrap_or_default(),
                place,
            });
        }
        Ok((tile, hashes))
    }

    /// Compares what is left on every level with its partial tile; the root over everything. The subtrees that the
    /// root is made of all lie in the last tiles of their levels.
    fn root(&mut self) -> Result<Option<Hash>, PublishedError> {
        let size = self.rows.first().map_or(0, Row::n_before);
        let mut edge = Tiles::new();
        for level in 0..self.rows.len() {
            if !self.rows[level].hashes.is_empty() {
                let (tile, hashes) = self.compare(level as u8)?;
                edge.keep(tile, hashes);
            }
        }
        Ok(merkle::root_at(&edge, size))
    }
}

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
        self.keep(tile, tile.decode(bytes)?);
        Ok(())
    }

    fn keep(&mut self, tile: Tile, hashes: Vec<Hash>) {
        let place = (tile.level(), tile.index());
        self.tiles.insert(place, (tile, hashes));
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
