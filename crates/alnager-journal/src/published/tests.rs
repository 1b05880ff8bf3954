#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::merkle::{
    Tree, consistency_path, consistency_proof, inclusion_path, inclusion_proof, leaf_hash, root_at,
};

fn tree(size: u64) -> Tree {
    let leaves = (0..size).map(|index| leaf_hash(&index.to_be_bytes()));
    leaves.collect()
}

/// The tiles that some ranges need, and no other, of a log of this size.
fn tiles(ranges: &[Range], tree: &Tree) -> Tiles {
    let mut tiles = Tiles::new();
    for tile in Tiles::needed(ranges, tree.size()).unwrap() {
        tiles.insert(tile, &tile.encode(tree).unwrap()).unwrap();
    }
    tiles
}

/// Proofs and root for the first `size` of the tree's leaves, out of tiles alone, are the tree's own.
#[track_caller]
fn check(tree: &Tree, size: u64, index: u64, old: u64) {
    let ranges = inclusion_path(index, size).unwrap();
    let held = tiles(&ranges, tree);
    assert!(held.tiles.len() <= 8, "{}", held.tiles.len());
    assert_eq!(
        inclusion_proof(&held, index, size),
        tree.inclusion_proof(index, size)
    );
    let ranges = consistency_path(old, size).unwrap();
    assert_eq!(
        consistency_proof(&tiles(&ranges, tree), old, size),
        tree.consistency_proof(old, size)
    );
    let held = tiles(&[Range::first(size)], tree);
    assert_eq!(root_at(&held, size), tree.root_at(size));
}

#[test]
fn proofs_of_every_size_come_out_of_tiles() {
    let tree = tree(70_000);
    for size in [
        1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000,
    ] {
        for index in [0, 1, size / 3, size / 2, size - 1] {
            let index = index.min(size - 1);
            check(&tree, size, index, index + 1);
        }
    }
}

#[test]
fn a_node_lies_in_one_tile() {
    let at = |level, index| Tile::holding(Subtree { level, index }, 70_000).map(Tile::path);
    assert_eq!(at(0, 255).as_deref(), Some("tile/0/000"));
    assert_eq!(at(0, 256).as_deref(), Some("tile/0/001"));
    assert_eq!(at(0, 69_999).as_deref(), Some("tile/0/273.p/112"));
    assert_eq!(at(0, 70_000), None);
    assert_eq!(at(7, 545).as_deref(), Some("tile/0/272"));
    assert_eq!(at(7, 546), None);
    assert_eq!(at(8, 272).as_deref(), Some("tile/1/001.p/17"));
    assert_eq!(at(15, 1).as_deref(), Some("tile/1/000"));
    assert_eq!(at(15, 2), None);
    assert_eq!(at(16, 0).as_deref(), Some("tile/2/000.p/1"));
    assert_eq!(at(u32::MAX, 0), None);
}

#[test]
fn what_is_not_held_is_not_proven() {
    let tree = tree(600);
    let mut held = tiles(&inclusion_path(300, 600).unwrap(), &tree);
    assert_eq!(held.tiles.len(), 3);
    held.tiles.remove(&(0, 1));
    assert_eq!(inclusion_proof(&held, 300, 600), None);
    assert_eq!(Tiles::needed(&[Range::first(601)], 600), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn tiles_and_tree_prove_the_same(size in 1_u64..3_000, index in 0_u64..3_000, old in 0_u64..3_000) {
        let tree = tree(3_000);
        check(&tree, size, index % size, old % (size + 1));
    }
}
