//! The examples of `docs/formats/journal.md` are what the program writes and reads.

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::merkle::{Tree, leaf_hash};
use alnager_journal::note::{KeyKind, Note, SigningKey};
use alnager_journal::policy::Policy;
use alnager_journal::proof::Proof;
use alnager_journal::tile::{Tile, encode_bundle};

const PAGE: &str = include_str!("../../../../docs/formats/journal.md");

/// The fenced block behind this sentence of the page, without its indentation of hexadecimal digits.
#[track_caller]
fn block(after: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(after).expect("the page has the sentence");
    let (_, rest) = rest.split_once("```text\n").expect("a block follows");
    let (block, _) = rest.split_once("```").expect("the block ends");
    block
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

/// The page's eight entries.
fn entries() -> Vec<Vec<u8>> {
    let (_, rest) = PAGE.split_once("the first one empty: ").unwrap();
    let (list, _) = rest.split_once(".\n").unwrap();
    list.split(',')
        .map(|entry| bytes(entry.trim().trim_matches(['`', '"'])))
        .collect()
}

fn tree() -> Tree {
    entries().iter().map(|entry| leaf_hash(entry)).collect()
}

fn witness() -> SigningKey {
    SigningKey::new("witness.example.org", &[2; 32]).unwrap()
}

/// The checkpoint over the eight entries, signed by the page's key and cosigned by its witness.
fn checkpoint() -> SignedCheckpoint {
    let key = SigningKey::new("example.org/journal", &[1; 32]).unwrap();
    let checkpoint = Checkpoint::new("example.org/journal", 8, tree().root()).unwrap();
    let signed = SignedCheckpoint::sign(checkpoint, &[&key]).unwrap();
    let line = witness().cosign(signed.note().text(), 1_795_421_640);
    signed.with(vec![line]).unwrap()
}

#[test]
fn the_cosignature_is_the_program_s() {
    let printed = block("Test vector of a cosignature:");
    assert_eq!(printed, checkpoint().to_string());
    let vkey = witness().verifying_key(KeyKind::Cosignature);
    assert!(PAGE.contains(&format!("`{vkey}`")), "{vkey}");
    let checked = Note::parse(printed.as_bytes()).unwrap();
    let known = [vkey];
    let checked = checked.verify(&known).unwrap();
    assert_eq!(checked[0].unix_s, Some(1_795_421_640));
}

#[test]
fn the_proof_file_is_the_program_s() {
    let printed = block("Test vector of a proof file:");
    let proof = Proof {
        extra: None,
        index: 3,
        hashes: tree().inclusion_proof(3, 8).unwrap(),
        checkpoint: checkpoint(),
    };
    assert_eq!(printed, proof.to_string());
    let read = Proof::parse(printed.as_bytes()).unwrap();
    read.verify(&entries()[3]).unwrap();
    let policy = block("A policy that accepts the examples of this page:");
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert_eq!(policy.accept(&read.checkpoint).unwrap().witnesses.len(), 1);
}

#[test]
fn the_tile_and_the_bundle_are_the_program_s() {
    let tile = Tile::new(0, 0, 8).unwrap();
    assert!(PAGE.contains(&format!("`{}`", tile.path())));
    let printed = bytes(block("Test vector of a tile:"));
    assert_eq!(printed, tile.encode(&tree()).unwrap());
    let entries = entries();
    let bundle = encode_bundle(entries.iter().map(Vec::as_slice)).unwrap();
    let printed = bytes(block("Test vector of a bundle:"));
    assert_eq!(printed, bundle);
    assert_eq!(tile.decode_bundle(&printed).unwrap(), entries);
}
