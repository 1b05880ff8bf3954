#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::entry::Subject;
use crate::merkle::{
    Tree, consistency_path, consistency_proof, inclusion_path, inclusion_proof, root_at,
};
use crate::note::{KeyKind, SigningKey};
use crate::policy::Policy;
use crate::tile::encode_bundle;

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
fn check_proofs(tree: &Tree, size: u64, index: u64, old: u64) {
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
            check_proofs(&tree, size, index, index + 1);
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
        check_proofs(&tree, size, index % size, old % (size + 1));
    }
}

fn id(n: u64) -> Uuid {
    Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0000 | u128::from(n))
}

/// Entry `index` of a log about two subjects in turn.
fn entry(index: u64) -> Entry {
    Entry {
        v: 1,
        kind: "system.declared".to_owned(),
        id: id(index),
        org: id(1 << 20),
        actor: id(1 << 21),
        subjects: vec![Subject {
            id: id((1 << 22) + index % 2),
            prev: index.checked_sub(2),
        }],
        at: "2026-11-23T08:14:00.000000Z".to_owned(),
        command: id((1 << 23) + index),
        commit: Hash::of(&index.to_be_bytes()),
        blobs: Vec::new(),
        refs: Vec::new(),
    }
}

fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size)
        .map(|index| entry(index).to_bytes().unwrap())
        .collect()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::new("example.org/log", &[seed; 32]).unwrap()
}

/// A web server's folder.
type Folder = BTreeMap<String, Vec<u8>>;

/// Publishes the first `new` of the entries where the first `old` are published.
fn publish(folder: &mut Folder, entries: &[Vec<u8>], old: u64, new: u64) {
    let tree: Tree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    for file in files(old, new) {
        let bytes = match file {
            File::Tile(tile) => tile.encode(&tree).unwrap(),
            File::Bundle(tile) => {
                let first = tile.index() as usize * 256;
                let its = &entries[first..first + usize::from(tile.width())];
                encode_bundle(its.iter().map(Vec::as_slice)).unwrap()
            }
            File::Checkpoint => {
                let root = tree.root_at(new).unwrap();
                let checkpoint = Checkpoint::new("example.org/log", new, root).unwrap();
                let signed = SignedCheckpoint::sign(checkpoint, &[&key(7)]).unwrap();
                signed.to_string().into_bytes()
            }
        };
        let before = folder.insert(file.path(), bytes);
        assert!(before.is_none() || file == File::Checkpoint, "{file:?}");
    }
    for outgrown in outgrown(old, new) {
        folder.retain(|path, _| !path.starts_with(&format!("{outgrown}/")));
    }
}

fn published(entries: &[Vec<u8>]) -> Folder {
    let mut folder = Folder::new();
    publish(&mut folder, entries, 0, entries.len() as u64);
    folder
}

fn checked(folder: &Folder, trust: &Trust) -> Result<Checked, PublishedError> {
    let mut read = |path: &str| folder.get(path).cloned().ok_or("there is none".to_owned());
    super::check(&mut read, trust, &mut |_, _| ())
}

#[track_caller]
fn refused(folder: &Folder, want: Expect) {
    let trust = Trust::Key(key(7).verifying_key(KeyKind::Ed25519));
    want.assert_eq(&checked(folder, &trust).unwrap_err().to_string());
}

#[test]
fn a_log_is_published_in_an_order_that_never_promises_what_is_not_there() {
    let paths: Vec<String> = files(256, 513).map(File::path).collect();
    assert_eq!(
        paths,
        [
            "tile/entries/001",
            "tile/0/001",
            "tile/entries/002.p/1",
            "tile/0/002.p/1",
            "tile/1/000.p/2",
            "checkpoint",
        ]
    );
    let only_signed_anew: Vec<File> = files(513, 513).collect();
    assert_eq!(only_signed_anew, [File::Checkpoint]);
    assert_eq!(files(0, 0).collect::<Vec<File>>(), [File::Checkpoint]);
    assert_eq!(
        outgrown(300, 65_536),
        ["tile/0/001.p", "tile/entries/001.p", "tile/1/000.p"]
    );
    assert_eq!(outgrown(0, 65_536), [""; 0]);
    assert_eq!(outgrown(256, 300), [""; 0]);
}

#[test]
fn a_published_log_is_whole_at_every_size() {
    let entries = entries(600);
    let trust = Trust::Key(key(7).verifying_key(KeyKind::Ed25519));
    for size in [0, 1, 2, 255, 256, 257, 600] {
        let folder = published(&entries[..size]);
        let whole = checked(&folder, &trust).unwrap();
        assert_eq!(whole.checkpoint.checkpoint().size(), size as u64);
        assert_eq!(whole.n_files, folder.len() as u64);
        let n_bytes: usize = folder.values().map(Vec::len).sum();
        assert_eq!(whole.n_bytes, n_bytes as u64);
        assert!(checked(&folder, &Trust::Unstated).unwrap().signed.is_none());
    }
}

#[test]
fn a_log_that_grew_holds_what_one_published_at_once_holds() {
    let entries = entries(600);
    let at_once = published(&entries);
    let mut grown = Folder::new();
    for (old, new) in [(0, 3), (3, 3), (3, 256), (256, 300), (300, 513), (513, 600)] {
        publish(&mut grown, &entries, old, new);
        checked(&grown, &Trust::Unstated).unwrap();
    }
    let mut earlier = BTreeSet::new();
    for (path, bytes) in &grown {
        let wider = File::parse(path).unwrap().grown(600).unwrap();
        assert!(at_once[&wider.path()].starts_with(bytes), "{path}");
        if wider.path() != *path {
            earlier.insert(path.as_str());
        }
    }
    let partial = ["tile/0/002.p/1", "tile/1/000.p/1", "tile/entries/002.p/1"];
    assert_eq!(earlier, BTreeSet::from(partial));
    assert_eq!(File::parse("tile/0/003").unwrap().grown(600), None);
    assert_eq!(File::parse("tile/0/3"), None);
}

#[test]
fn every_flipped_bit_is_refused() {
    let folder = published(&entries(300));
    let trust = Trust::Key(key(7).verifying_key(KeyKind::Ed25519));
    let mut seed = 1_u64;
    for path in folder.keys() {
        for _ in 0..20 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut damaged = folder.clone();
            let bytes = damaged.get_mut(path).unwrap();
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] ^= 1 << (seed >> 20 & 7);
            let error = checked(&damaged, &trust).unwrap_err().to_string();
            // A broken checkpoint may ask for files that are not there; a bundle is missed in its tile.
            let named = error.contains(&format!("`{path}`")) || path == CHECKPOINT;
            assert!(named, "seed {seed}, {path}, byte {at}: {error}");
        }
    }
}

#[test]
fn damage_is_named_with_its_file() {
    let whole = published(&entries(600));
    let damaged = |path: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut folder = whole.clone();
        change(folder.get_mut(path).unwrap());
        folder
    };
    let mut without = whole.clone();
    without.remove("tile/1/000.p/2");
    refused(
        &without,
        expect!["`tile/1/000.p/2` cannot be read: there is none"],
    );
    refused(
        &damaged("tile/0/001", &|bytes| bytes[32 * 9] ^= 1),
        expect![[
            "`tile/0/001` and `tile/entries/001` contradict each other at hash `9`; one of them was altered, so fetch both again"
        ]],
    );
    refused(
        &damaged("tile/1/000.p/2", &|bytes| bytes[63] ^= 1),
        expect![[
            "`tile/1/000.p/2` and `tile/0/001` contradict each other at hash `1`; one of them was altered, so fetch both again"
        ]],
    );
    refused(
        &damaged("tile/0/002.p/88", &|bytes| bytes.truncate(32)),
        expect!["`tile/0/002.p/88` is refused"],
    );
    refused(
        &damaged("tile/entries/000", &|bytes| bytes.push(0)),
        expect!["`tile/entries/000` is refused"],
    );
    refused(
        &damaged("checkpoint", &|bytes| bytes.truncate(9)),
        expect!["`checkpoint` is refused"],
    );

    let mut left_out = entries(600);
    left_out.remove(400);
    refused(
        &published(&left_out),
        expect![[
            "`tile/entries/001` is refused: entry `401` does not name the entry before it about the same subject"
        ]],
    );
    let mut forward = entries(3);
    let mut changed = entry(1);
    changed.refs = vec![1];
    forward[1] = changed.to_bytes().unwrap();
    refused(
        &published(&forward),
        expect![[
            "`tile/entries/000.p/3` is refused: entry `1` refers to an entry that does not come before it"
        ]],
    );
    let mut loose = entries(3);
    loose[2] = [loose[2].as_slice(), b" "].concat();
    refused(
        &published(&loose),
        expect!["`tile/entries/000.p/3` is refused: entry `2` is malformed"],
    );

    // Another root hash, size or key under a signature that fits: everything below is intact.
    let signed = |size: u64, root: Hash, seed: u8| {
        let checkpoint = Checkpoint::new("example.org/log", size, root).unwrap();
        let signed = SignedCheckpoint::sign(checkpoint, &[&key(seed)]).unwrap();
        damaged("checkpoint", &|bytes| {
            *bytes = signed.to_string().into_bytes()
        })
    };
    let tree: Tree = entries(600).iter().map(|entry| leaf_hash(entry)).collect();
    refused(
        &signed(600, Hash::of(b"other"), 7),
        expect![[
            "`checkpoint` states another root hash than its `600` entries lead to; take both again from the log"
        ]],
    );
    refused(
        &signed(u64::MAX, tree.root(), 7),
        expect!["`tile/entries/002` cannot be read: there is none"],
    );
    refused(
        &signed(600, tree.root(), 8),
        expect!["`checkpoint` is refused"],
    );
}

#[test]
fn a_policy_asks_for_its_witness() {
    let mut folder = published(&entries(3));
    let witness = SigningKey::new("witness.example.org", &[9; 32]).unwrap();
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        key(7).verifying_key(KeyKind::Ed25519),
        witness.verifying_key(KeyKind::Cosignature)
    );
    let trust = Trust::Policy(Policy::parse(policy.as_bytes()).unwrap());
    assert!(checked(&folder, &trust).is_err());
    let bytes = folder.get_mut(CHECKPOINT).unwrap();
    let checkpoint = SignedCheckpoint::parse(bytes).unwrap();
    let cosignature = witness.cosign(checkpoint.note().text(), 1_700_000_000);
    *bytes = checkpoint
        .with(vec![cosignature])
        .unwrap()
        .to_string()
        .into_bytes();
    let by = checked(&folder, &trust).unwrap().signed.unwrap();
    assert_eq!(by.witnesses.len(), 1);
}
