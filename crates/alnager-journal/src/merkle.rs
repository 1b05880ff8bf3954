//! The Merkle tree of RFC 6962, section 2.1, with SHA-256: hashes, roots, inclusion and consistency proofs.
//!
//! Proofs are checked by the loops of RFC 9162, sections 2.1.3.2 and 2.1.4.2.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 value, 32 bytes. Shown, and written in JSON, as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// SHA-256 of `bytes`, without any prefix.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// Reads exactly 64 lower-case hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Hash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let (mut bytes, mut all) = ([0; 32], 0);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(|digit| HEX[usize::from(digit)]);
            *byte = high << 4 | low & 15;
            all |= high | low;
        }
        (all < 16).then_some(Hash(bytes))
    }

    /// 64 lower-case hexadecimal digits.
    pub(crate) fn hex(self) -> [u8; 64] {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]));
        }
        hex
    }

    /// Reads standard base64 with padding (44 characters, as in checkpoints and proofs); `None` for anything else.
    pub fn from_base64(text: &str) -> Option<Hash> {
        let bytes = STANDARD.decode(text).ok()?;
        Some(Hash(bytes.try_into().ok()?))
    }

    /// Standard base64 with padding, 44 characters.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }
}

/// What each byte counts as a lower-case hexadecimal digit; 255 for one that is none.
const HEX: [u8; 256] = {
    let (mut table, digits) = ([255; 256], b"0123456789abcdef");
    let mut value: u8 = 0;
    while value < 16 {
        table[digits[value as usize] as usize] = value;
        value += 1;
    }
    table
};

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 64 lower-case hexadecimal digits"))
    }
}

/// The hash of a leaf: `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0])
            .chain_update(entry)
            .finalize()
            .into(),
    )
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([1])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Hash::of(b"")
}

/// The right edge of a tree: the roots of its complete subtrees, largest first.
///
/// Enough to append and to compute the root, in 32 bytes per binary digit of the size; it cannot make proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    nodes: Vec<Hash>,
}

impl CompactRange {
    /// The range of the empty tree.
    pub fn new() -> CompactRange {
        CompactRange::default()
    }

    /// A range kept from earlier: one node per 1 in the binary form of `size`, largest subtree first; else `None`.
    pub fn from_parts(size: u64, nodes: Vec<Hash>) -> Option<CompactRange> {
        (nodes.len() == size.count_ones() as usize).then_some(CompactRange { size, nodes })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, largest first.
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// Appends one leaf by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.nodes.pop();
            assert!(left.is_some(), "one node per 1 in the size");
            node = left.map_or(node, |left| node_hash(left, node));
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        let folded = self
            .nodes
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(left, right));
        folded.unwrap_or_else(empty_root)
    }
}

/// A tree in memory: all leaf hashes and the complete subtrees above them, about 64 bytes per leaf.
///
/// Roots and proofs exist for the current size and for every earlier one, each in time logarithmic in the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `levels[k][i]` is the root over leaves `i * 2^k .. (i + 1) * 2^k`; only complete subtrees are kept.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends one leaf by its leaf hash; returns its index.
    pub fn push(&mut self, leaf: Hash) -> u64 {
        let index = self.size();
        let mut node = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            if !nodes.len().is_multiple_of(2) {
                break;
            }
            node = node_hash(nodes[nodes.len() - 2], node);
        }
        index
    }

    /// Drops the leaves from `size` on, for an append that was not committed; no effect when there are fewer.
    pub fn truncate(&mut self, size: u64) {
        for (level, nodes) in self.levels.iter_mut().enumerate() {
            nodes.truncate(usize::try_from(size >> level).unwrap_or(usize::MAX));
        }
        self.levels.retain(|nodes| !nodes.is_empty());
    }

    /// The root of the complete subtree over leaves `index * 2^level .. (index + 1) * 2^level`; `None` when the
    /// tree does not yet hold all of them. Level 0 is the leaf hashes.
    pub fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self.levels
            .get(level as usize)?
            .get(usize::try_from(index).ok()?)
            .copied()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        let root = self.root_at(self.size());
        assert!(root.is_some(), "complete subtrees are kept");
        root.unwrap_or_else(empty_root)
    }

    /// The root over the first `size` leaves; `None` when there are fewer.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        root_at(self, size)
    }

    /// The audit path of leaf `index` in the tree of the first `size` leaves, the leaf's sibling first
    /// (RFC 6962, 2.1.1). `None` unless `index < size` and the tree has `size` leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        (size <= self.size())
            .then(|| inclusion_proof(self, index, size))
            .flatten()
    }

    /// The proof that the first `old` leaves are a prefix of the first `new` leaves (RFC 6962, 2.1.2).
    ///
    /// Empty when the sizes are equal or `old` is 0. `None` unless `old <= new` and the tree has `new` leaves.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        (new <= self.size())
            .then(|| consistency_proof(self, old, new))
            .flatten()
    }
}

impl Nodes for Tree {
    fn node(&self, subtree: Subtree) -> Option<Hash> {
        Tree::node(self, subtree.level, subtree.index)
    }
}

impl FromIterator<Hash> for Tree {
    /// The tree over these leaf hashes, in this order.
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Tree {
        let mut tree = Tree::new();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree
    }
}

/// A complete subtree of a log: the one over leaves `index * 2^level .. (index + 1) * 2^level`.
///
/// Its root is fixed as soon as the log has these leaves, whatever comes after. Level 0 is the leaves themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subtree {
    /// Height above the leaves, 0 to 63.
    pub level: u32,
    /// Place on its level, from 0.
    pub index: u64,
}

/// Where the roots of complete subtrees are looked up: a tree in memory, the tiles of a published log, a database.
///
/// Roots and proofs of every size are made of these alone, by [`root_at`], [`inclusion_proof`] and
/// [`consistency_proof`]. A source that must wait for its hashes asks first for the subtrees of a proof
/// ([`Range::subtrees`] of each of [`inclusion_path`] or [`consistency_path`]), fetches them (the tile that holds one
/// is [`crate::tile::Tile::holding`]), and then answers from memory, for example from [`crate::published::Tiles`].
pub trait Nodes {
    /// The root of this subtree; `None` when the source does not hold it.
    fn node(&self, subtree: Subtree) -> Option<Hash>;
}

/// Leaves `begin..end` of a log, as far as they occur in proofs: `begin` is a multiple of the smallest power of two
/// that is not below the number of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    begin: u64,
    end: u64,
}

impl Range {
    /// The first `size` leaves.
    pub fn first(size: u64) -> Range {
        Range {
            begin: 0,
            end: size,
        }
    }

    /// The complete subtrees that make up the range, largest first, which is also from left to right.
    pub fn subtrees(self) -> impl DoubleEndedIterator<Item = Subtree> {
        let n_leaves = self.end - self.begin;
        let levels = (0..u64::BITS).rev();
        levels
            .filter(move |level| n_leaves >> level & 1 == 1)
            .map(move |level| {
                // Behind the larger subtrees: their sum is what stands above this bit.
                let larger = n_leaves >> level ^ 1;
                Subtree {
                    level,
                    index: (self.begin >> level) + larger,
                }
            })
    }

    /// MTH over the range (RFC 6962, 2.1); `None` when `nodes` lacks one of its subtrees.
    pub fn root(self, nodes: &impl Nodes) -> Option<Hash> {
        let mut root = None;
        for subtree in self.subtrees().rev() {
            let left = nodes.node(subtree)?;
            root = Some(root.map_or(left, |right| node_hash(left, right)));
        }
        Some(root.unwrap_or_else(empty_root))
    }
}

/// The root over the first `size` leaves; `None` when `nodes` lacks one of the subtrees it is made of.
pub fn root_at(nodes: &impl Nodes, size: u64) -> Option<Hash> {
    Range::first(size).root(nodes)
}

/// The ranges whose roots are the audit path of leaf `index` in the tree of `size` leaves, the leaf's sibling first
/// (RFC 6962, 2.1.1); `None` unless `index < size`.
pub fn inclusion_path(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(Range { begin: middle, end });
            end = middle;
        } else {
            path.push(Range { begin, end: middle });
            begin = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The ranges whose roots prove that the first `old` leaves are a prefix of the first `new` leaves (RFC 6962, 2.1.2).
///
/// Empty when the sizes are equal or `old` is 0; `None` unless `old <= new`.
pub fn consistency_path(old: u64, new: u64) -> Option<Vec<Range>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let (mut begin, mut end) = (0, new);
    let mut path = Vec::new();
    while end != old {
        let middle = begin + split(end - begin);
        if old <= middle {
            path.push(Range { begin: middle, end });
            end = middle;
        } else {
            path.push(Range { begin, end: middle });
            begin = middle;
        }
    }
    // The verifier already knows the old root, so the proof names the last subtree only when it is not that root.
    if begin > 0 {
        path.push(Range { begin, end });
    }
    path.reverse();
    Some(path)
}

/// The audit path of leaf `index` in the tree of the first `size` leaves, the leaf's sibling first. `None` unless
/// `index < size` and `nodes` holds the subtrees of [`inclusion_path`].
pub fn inclusion_proof(nodes: &impl Nodes, index: u64, size: u64) -> Option<Vec<Hash>> {
    let path = inclusion_path(index, size)?;
    path.into_iter().map(|range| range.root(nodes)).collect()
}

/// The proof that the first `old` leaves are a prefix of the first `new` leaves. `None` unless `old <= new` and
/// `nodes` holds the subtrees of [`consistency_path`].
pub fn consistency_proof(nodes: &impl Nodes, old: u64, new: u64) -> Option<Vec<Hash>> {
    let path = consistency_path(old, new)?;
    path.into_iter().map(|range| range.root(nodes)).collect()
}

/// The largest power of two below `n`, for `n` of 2 or more.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Why a proof does not prove what it claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf cannot be in a tree of this size.
    #[error(
        "entry `{index}` cannot be in a log of `{size}` entries; check the index and the checkpoint"
    )]
    OutOfRange {
        /// Index of the leaf.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error(
        "a log of `{old}` entries cannot be an earlier state of one with `{new}`; swap the two checkpoints"
    )]
    SizesSwapped {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// The proof has too many or too few hashes.
    #[error(
        "the proof has `{found}` hashes where `{expected}` are needed; ask for a proof at this size"
    )]
    Length {
        /// Number of hashes needed.
        expected: usize,
        /// Number of hashes given.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error(
        "the proof leads to another root hash; the entry, the proof or the checkpoint was altered"
    )]
    Root,
}

/// Number of hashes in the inclusion proof of leaf `index` in a tree of `size` leaves; `None` unless `index < size`.
pub fn inclusion_proof_len(index: u64, size: u64) -> Option<usize> {
    if index >= size {
        return None;
    }
    // Up to the level where the leaf joins the right edge there is a sibling at every level; above it, only where
    // the leaf's subtree hangs to the right.
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    Some((inner + border) as usize)
}

/// Checks that the leaf hash `leaf` is at `index` in the tree of `size` leaves with this `root`
/// (RFC 9162, 2.1.3.2). `proof` is the audit path, the leaf's sibling first.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    let expected =
        inclusion_proof_len(index, size).ok_or(ProofError::OutOfRange { index, size })?;
    if proof.len() != expected {
        return Err(ProofError::Length {
            expected,
            found: proof.len(),
        });
    }
    let (mut leaf_number, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Root);
        }
        if leaf_number & 1 == 1 || leaf_number == last {
            hash = node_hash(*sibling, hash);
            while leaf_number & 1 == 0 && leaf_number != 0 {
                leaf_number >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        leaf_number >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`
/// (RFC 9162, 2.1.4.2). The proof is empty when the sizes are equal or `old` is 0.
pub fn verify_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::SizesSwapped { old, new });
    }
    if old == 0 || old == new {
        let known_root = if old == new { new_root } else { empty_root() };
        return match proof {
            [] if old_root == known_root => Ok(()),
            [] => Err(ProofError::Root),
            _ => Err(ProofError::Length {
                expected: 0,
                found: proof.len(),
            }),
        };
    }
    let expected = consistency_path(old, new).map_or(0, |path| path.len());
    if proof.len() != expected {
        return Err(ProofError::Length {
            expected,
            found: proof.len(),
        });
    }
    // When the old tree is one complete subtree its root starts the path and is not sent.
    let (start, rest) = match proof {
        rest if old.is_power_of_two() => (old_root, rest),
        [first, rest @ ..] => (*first, rest),
        [] => return Err(ProofError::Root),
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Root);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(*sibling, old_hash);
            new_hash = node_hash(*sibling, new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(new_hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && old_hash == old_root && new_hash == new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

#[cfg(test)]
mod tests;
