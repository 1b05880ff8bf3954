//! Tiles and entry bundles (C2SP `tlog-tiles` v0.1.0): the log as static files of 256 hashes or entries each.

use crate::decimal;
use crate::merkle::{Hash, Nodes, Subtree, node_hash};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH_FULL: u16 = 256;

/// Highest level the format can name.
pub const LEVEL_MAX: u8 = 63;

/// Longest entry a bundle can hold, bytes.
pub const BUNDLED_ENTRY_LEN_MAX: usize = 65_535;

/// One tile: `width` hashes from place `index * 256` of level `level`. On level 0 these are leaf hashes; each hash of
/// level `l + 1` is the root over one full tile of level `l`.
///
/// A bundle of entries is named by the tile of level 0 with their leaf hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// Why a path, a tile or a bundle is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The path names no tile.
    #[error(
        "the path names no tile; it looks like `tile/0/x001/234/067` or `tile/entries/000.p/5`"
    )]
    Path,
    /// The tile has not the length of its width.
    #[error("the tile has `{found}` bytes where its width needs `{expected}`; fetch it again")]
    TileLength {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The bundle has not the number of entries of its width.
    #[error("the bundle does not hold exactly `{expected}` entries; fetch it again")]
    BundleLength {
        /// Entries needed.
        expected: u16,
    },
    /// An entry is too long for a bundle.
    #[error("an entry has `{len}` bytes, more than a bundle can hold (`{BUNDLED_ENTRY_LEN_MAX}`)")]
    EntryTooLong {
        /// Its length, bytes.
        len: usize,
    },
}

const WIDTH: u64 = WIDTH_FULL as u64;

/// Number of hashes that a log of `size` entries has on a level of tiles.
fn hashes(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The root over a row of hashes whose number is a power of two, else `None`. Over the hashes of a full tile it is the
/// hash that stands for the tile one level up.
pub fn root(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let pairs = row.chunks_exact(2);
        row = pairs.map(|pair| node_hash(pair[0], pair[1])).collect();
    }
    row.first().copied()
}

impl Tile {
    /// A tile of `level` 0 to [`LEVEL_MAX`] and `width` 1 to [`WIDTH_FULL`]; else `None`.
    pub fn new(level: u8, index: u64, width: u16) -> Option<Tile> {
        (level <= LEVEL_MAX && (1..=WIDTH_FULL).contains(&width)).then_some(Tile {
            level,
            index,
            width,
        })
    }

    /// All tiles of a log of `size` entries, lowest level first, each level from its start. The last of a level is
    /// partial unless its 256 hashes are all there; there are no empty ones.
    pub fn all(size: u64) -> impl Iterator<Item = Tile> {
        Tile::grown(0, size)
    }

    /// The tiles that a log of `new` entries has and did not have with `old`, in the order of [`Tile::all`]. On each
    /// level only the first of them can have been there before, partial and narrower.
    pub fn grown(old: u64, new: u64) -> impl Iterator<Item = Tile> {
        (0..=LEVEL_MAX).flat_map(move |level| {
            let (old, new) = (hashes(level, old), hashes(level, new));
            // Where nothing was added the range is empty.
            let first = if old < new { old / WIDTH } else { u64::MAX };
            (first..new.div_ceil(WIDTH)).filter_map(move |index| Tile::at(level, index, new))
        })
    }

    /// The tile at a place in a log of `size` entries; `None` when the log has none there.
    pub fn in_log(level: u8, index: u64, size: u64) -> Option<Tile> {
        Tile::at(level, index, hashes(level, size))
    }

    /// The tile at a place of a level that has so many hashes; `None` when it would be empty.
    pub(crate) fn at(level: u8, index: u64, hashes: u64) -> Option<Tile> {
        let width = hashes.checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH) as u16;
        Tile::new(level, index, width)
    }

    /// Level, 0 for leaf hashes.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Place of the tile on its level, from 0.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Number of hashes, 1 to [`WIDTH_FULL`].
    pub fn width(self) -> u16 {
        self.width
    }

    /// Path below the log's prefix, such as `tile/0/x001/234/067` or `tile/1/000.p/17`.
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// Path of the bundle with the entries of a tile of level 0, such as `tile/entries/x001/234/067`.
    pub fn bundle_path(self) -> String {
        format!("tile/entries/{}", self.place())
    }

    fn place(self) -> String {
        let mut place = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            place = format!("x{:03}/{place}", rest % 1_000);
            rest /= 1_000;
        }
        if self.width < WIDTH_FULL {
            place.push_str(&format!(".p/{}", self.width));
        }
        place
    }

    /// Reads the path of a tile; only the spelling of [`Tile::path`] is accepted.
    pub fn parse(path: &str) -> Result<Tile, TileError> {
        let (level, place) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(TileError::Path)?;
        let level = decimal::parse(level)
            .and_then(|level| u8::try_from(level).ok())
            .ok_or(TileError::Path)?;
        let tile = Tile::parse_place(level, place).ok_or(TileError::Path)?;
        if tile.path() == path {
            Ok(tile)
        } else {
            Err(TileError::Path)
        }
    }

    /// Reads the path of a bundle; only the spelling of [`Tile::bundle_path`] is accepted.
    pub fn parse_bundle(path: &str) -> Result<Tile, TileError> {
        let place = path.strip_prefix("tile/entries/").ok_or(TileError::Path)?;
        let tile = Tile::parse_place(0, place).ok_or(TileError::Path)?;
        if tile.bundle_path() == path {
            Ok(tile)
        } else {
            Err(TileError::Path)
        }
    }

    /// Reads loosely; the callers compare the spelling.
    fn parse_place(level: u8, place: &str) -> Option<Tile> {
        let (groups, width) = match place.split_once(".p/") {
            None => (place, WIDTH_FULL),
            Some((groups, width)) => (groups, u16::try_from(decimal::parse(width)?).ok()?),
        };
        let mut index = 0_u64;
        for group in groups.split('/') {
            let digits = group.trim_start_matches('x');
            let number = digits
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| digits.parse::<u64>().ok())??;
            index = index.checked_mul(1_000)?.checked_add(number)?;
        }
        Tile::new(level, index, width)
    }

    /// The tile that holds a complete subtree in a log of `size` entries; `None` when the log does not have its leaves.
    ///
    /// Tiles lie eight levels of the tree apart: the subtree at level `8 * l + j` (`j` of 0 to 7) and place `i` is the
    /// root over the `2^j` hashes from place `i * 2^j` of tile level `l`, which are all in tile `i >> (8 - j)`.
    pub fn holding(subtree: Subtree, size: u64) -> Option<Tile> {
        let (level, step) = (subtree.level / 8, subtree.level % 8);
        let level = u8::try_from(level).ok()?;
        let hashes = hashes(level, size);
        if subtree.index >= hashes >> step {
            return None;
        }
        let index = subtree.index >> (8 - step);
        Tile::at(level, index, hashes)
    }

    /// The root of a subtree that this tile holds, from the tile's own hashes (see [`Tile::holding`]); `None` when the
    /// subtree lies in another tile or `hashes` has too few.
    pub fn node(self, hashes: &[Hash], subtree: Subtree) -> Option<Hash> {
        let step = subtree.level % 8;
        if subtree.level / 8 != u32::from(self.level) || subtree.index >> (8 - step) != self.index {
            return None;
        }
        let n_hashes = 1_usize << step;
        let first = (subtree.index & ((1 << (8 - step)) - 1)) as usize * n_hashes;
        root(hashes.get(first..first + n_hashes)?)
    }

    /// The tile's bytes: its hashes, 32 bytes each. `None` when `nodes` does not hold all of them.
    pub fn encode(self, nodes: &impl Nodes) -> Option<Vec<u8>> {
        let first = self.index.checked_mul(WIDTH)?;
        let level = 8 * u32::from(self.level);
        let mut bytes = Vec::with_capacity(usize::from(self.width) * 32);
        for place in 0..u64::from(self.width) {
            let index = first.checked_add(place)?;
            bytes.extend_from_slice(&nodes.node(Subtree { level, index })?.0);
        }
        Some(bytes)
    }

    /// Reads the bytes of this tile: exactly `width` hashes.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
        let expected = usize::from(self.width) * 32;
        if bytes.len() != expected {
            return Err(TileError::TileLength {
                expected,
                found: bytes.len(),
            });
        }
        Ok(bytes
            .as_chunks::<32>()
            .0
            .iter()
            .copied()
            .map(Hash)
            .collect())
    }

    /// Reads the bytes of this tile's bundle: exactly `width` entries.
    pub fn decode_bundle(self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TileError> {
        let wrong = TileError::BundleLength {
            expected: self.width,
        };
        let mut entries = Vec::with_capacity(usize::from(self.width));
        let mut rest = bytes;
        for _ in 0..self.width {
            let (len, after) = rest.split_first_chunk::<2>().ok_or_else(|| wrong.clone())?;
            let len = usize::from(u16::from_be_bytes(*len));
            let (entry, after) = after.split_at_checked(len).ok_or_else(|| wrong.clone())?;
            entries.push(entry.to_vec());
            rest = after;
        }
        if rest.is_empty() {
            Ok(entries)
        } else {
            Err(wrong)
        }
    }
}

/// The bytes of a bundle: each entry after its length, two bytes, big-endian.
pub fn encode_bundle<'e>(
    entries: impl IntoIterator<Item = &'e [u8]>,
) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let len =
            u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong { len: entry.len() })?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::{CompactRange, Tree, leaf_hash};

    /// Shows, for a log of this size, each level's number of full tiles and its partial one.
    #[track_caller]
    fn check_levels(size: u64, want: Expect) {
        let mut levels: Vec<String> = Vec::new();
        for level in 0..=LEVEL_MAX {
            let tiles: Vec<Tile> = Tile::all(size)
                .filter(|tile| tile.level() == level)
                .collect();
            let Some(last) = tiles.last() else { continue };
            let n_full = tiles
                .iter()
                .filter(|tile| tile.width() == WIDTH_FULL)
                .count();
            levels.push(format!("{level}: {n_full} full, last {}", last.path()));
        }
        want.assert_eq(&levels.join("; "));
    }

    #[test]
    fn a_log_has_these_tiles() {
        check_levels(0, expect![""]);
        check_levels(1, expect!["0: 0 full, last tile/0/000.p/1"]);
        check_levels(255, expect!["0: 0 full, last tile/0/000.p/255"]);
        check_levels(
            256,
            expect!["0: 1 full, last tile/0/000; 1: 0 full, last tile/1/000.p/1"],
        );
        check_levels(
            257,
            expect!["0: 1 full, last tile/0/001.p/1; 1: 0 full, last tile/1/000.p/1"],
        );
        check_levels(
            70_000,
            expect![
                "0: 273 full, last tile/0/273.p/112; 1: 1 full, last tile/1/001.p/17; 2: 0 full, last tile/2/000.p/1"
            ],
        );
        check_levels(
            200_001,
            expect![
                "0: 781 full, last tile/0/781.p/65; 1: 3 full, last tile/1/003.p/13; 2: 0 full, last tile/2/000.p/3"
            ],
        );
    }

    #[test]
    fn tiles_lead_to_the_root_and_hold_the_roots_below() {
        for size in [1, 255, 256, 257, 70_000] {
            let tree: Tree = (0..size)
                .map(|index: u64| leaf_hash(&index.to_be_bytes()))
                .collect();
            let mut range = CompactRange::new();
            for tile in Tile::all(size) {
                let hashes = tile.decode(&tile.encode(&tree).unwrap()).unwrap();
                for (place, hash) in hashes.iter().enumerate() {
                    if tile.level() == 0 {
                        range.push(*hash);
                    } else {
                        let below = Tile::new(
                            tile.level() - 1,
                            tile.index() * 256 + place as u64,
                            WIDTH_FULL,
                        )
                        .unwrap();
                        let below = below.decode(&below.encode(&tree).unwrap()).unwrap();
                        let by_tree: Tree = below.iter().copied().collect();
                        assert_eq!((root(&below), by_tree.root()), (Some(*hash), *hash));
                    }
                }
            }
            assert_eq!(range.root(), tree.root());
            assert_eq!(
                Tile::new(0, size / 256, (size % 256 + 1) as u16)
                    .unwrap()
                    .encode(&tree),
                None
            );
        }
    }

    #[test]
    fn only_a_power_of_two_of_hashes_has_a_root_here() {
        let hashes: Vec<Hash> = (0..8_u8).map(|index| leaf_hash(&[index])).collect();
        for n in [1, 2, 4, 8] {
            let tree: Tree = hashes[..n].iter().copied().collect();
            assert_eq!(root(&hashes[..n]), Some(tree.root()));
        }
        assert_eq!((root(&[]), root(&hashes[..3])), (None, None));
    }

    #[test]
    fn paths_have_one_spelling() {
        assert_eq!(
            Tile::new(0, 1_234_067, 256).unwrap().path(),
            "tile/0/x001/x234/067"
        );
        assert_eq!(
            Tile::new(0, 1_234_067, 8).unwrap().bundle_path(),
            "tile/entries/x001/x234/067.p/8"
        );
        assert_eq!(
            Tile::new(63, u64::MAX, 1).unwrap().path(),
            "tile/63/x018/x446/x744/x073/x709/x551/615.p/1"
        );
        assert_eq!(
            (
                Tile::new(64, 0, 1),
                Tile::new(0, 0, 0),
                Tile::new(0, 0, 257)
            ),
            (None, None, None)
        );
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x1/002",
            "tile/00/001",
            "tile/64/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p",
            "tile/0/001/",
            "/tile/0/001",
            "tile/entries/001",
            "tile/0/xx01/002",
            "tile/0/+01",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(path), Err(TileError::Path), "{path}");
        }
        assert_eq!(Tile::parse_bundle("tile/0/001"), Err(TileError::Path));
    }

    #[test]
    fn a_bundle_holds_exactly_its_entries() {
        let long = vec![7; BUNDLED_ENTRY_LEN_MAX];
        let entries: [&[u8]; 3] = [b"", b"two", &long];
        let bytes = encode_bundle(entries).unwrap();
        assert_eq!(bytes[..7], [0, 0, 0, 3, b't', b'w', b'o']);
        let bundle = |width| Tile::new(0, 0, width).unwrap();
        assert_eq!(bundle(3).decode_bundle(&bytes).unwrap(), entries);
        assert!(bundle(2).decode_bundle(&bytes).is_err());
        assert!(bundle(4).decode_bundle(&bytes).is_err());
        assert!(bundle(3).decode_bundle(&bytes[..bytes.len() - 1]).is_err());
        assert!(bundle(3).decode_bundle(&[bytes, vec![0]].concat()).is_err());
        let longer = vec![7; BUNDLED_ENTRY_LEN_MAX + 1];
        assert_eq!(
            encode_bundle([longer.as_slice()]),
            Err(TileError::EntryTooLong { len: 65_536 })
        );
        assert!(bundle(2).decode(&[0; 63]).is_err());
    }

    proptest! {
        #[test]
        fn a_path_is_read_as_it_was_written(level in 0_u8..=LEVEL_MAX, index in any::<u64>(), width in 1_u16..=WIDTH_FULL) {
            let tile = Tile::new(level, index, width).unwrap();
            prop_assert_eq!(Tile::parse(&tile.path()), Ok(tile));
            if level == 0 {
                prop_assert_eq!(Tile::parse_bundle(&tile.bundle_path()), Ok(tile));
            }
        }

        #[test]
        fn nothing_makes_the_readers_panic(path in "tile/([0-9]{1,3}|entries)/[x/.p0-9é]{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..200), width in 1_u16..=WIDTH_FULL) {
            if let Ok(tile) = Tile::parse(&path) {
                prop_assert_eq!(tile.path(), path.clone());
            }
            let _ = Tile::parse_bundle(&path);
            let tile = Tile::new(0, 0, width).unwrap();
            let _ = tile.decode(&bytes);
            if let Ok(entries) = tile.decode_bundle(&bytes) {
                prop_assert_eq!(encode_bundle(entries.iter().map(Vec::as_slice)).unwrap(), bytes);
            }
        }
    }
}
