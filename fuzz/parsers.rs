//! One function for each parser of bytes that strangers hand us. None may panic, and what is read is written as the same
//! bytes again. The fuzz targets and the test that replays the corpus call the same functions.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "each target uses one function, and a failure is a panic"
)]

use std::sync::OnceLock;

use alnager_audit::policy::Policy as AuditPolicy;
use alnager_journal::canonical as json;
use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::dossier::{Limits, read, write};
use alnager_journal::entry::Entry;
use alnager_journal::note::Note;
use alnager_journal::policy::Policy;
use alnager_journal::proof::Proof;
use alnager_journal::segment::RowProof;
use alnager_journal::tile::{Tile, encode_bundle};
use alnager_journal::verify::{Trust, verify};
use alnager_law::book::Book;
use alnager_law::fact::Vocabulary;
use alnager_law::pack::Register;
use alnager_office::declaration::Declaration;

/// A parser by its name, which is also that of its target and of its corpus.
pub(crate) type Parser = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const ALL: [Parser; 11] = [
    ("note", note),
    ("checkpoint", checkpoint),
    ("tile", tile),
    ("bundle", bundle),
    ("proof", proof),
    ("row_proof", row_proof),
    ("dossier", dossier),
    ("entry", entry),
    ("canonical", canonical),
    ("policy", policy),
    ("declaration", declaration),
];

pub(crate) fn note(bytes: &[u8]) {
    if let Ok(read) = Note::parse(bytes) {
        assert_eq!(read.to_string().as_bytes(), bytes);
    }
}

/// A checkpoint with its signatures, and the text alone.
pub(crate) fn checkpoint(bytes: &[u8]) {
    if let Ok(read) = SignedCheckpoint::parse(bytes) {
        assert_eq!(read.to_string().as_bytes(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(read) = Checkpoint::parse(text)
    {
        assert_eq!(read.to_string(), text);
    }
}

/// A tile's path, a newline, its bytes.
pub(crate) fn tile(bytes: &[u8]) {
    let Some((path, content)) = parted(bytes) else {
        return;
    };
    let Ok(tile) = Tile::parse(path) else { return };
    assert_eq!(tile.path(), path);
    if let Ok(hashes) = tile.decode(content) {
        let again: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        assert_eq!(again, content);
    }
}

/// A bundle's path, a newline, its bytes.
pub(crate) fn bundle(bytes: &[u8]) {
    let Some((path, content)) = parted(bytes) else {
        return;
    };
    let Ok(tile) = Tile::parse_bundle(path) else {
        return;
    };
    assert_eq!(tile.bundle_path(), path);
    if let Ok(entries) = tile.decode_bundle(content) {
        let again = encode_bundle(entries.iter().map(Vec::as_slice)).expect("entries fit");
        assert_eq!(again, content);
    }
}

fn parted(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, &bytes[at + 1..]))
}

pub(crate) fn proof(bytes: &[u8]) {
    if let Ok(read) = Proof::parse(bytes) {
        assert_eq!(read.to_string().as_bytes(), bytes);
        let _ = read.verify(bytes);
    }
}

pub(crate) fn row_proof(bytes: &[u8]) {
    if let Ok(read) = RowProof::parse(bytes) {
        assert_eq!(read.to_bytes().expect("it was read"), bytes);
        let _ = read.verify(&Trust::Unstated);
    }
}

/// Two compressions of one archive may differ, so what is compared is what is read. A bound of 1 MiB keeps runs short.
pub(crate) fn dossier(bytes: &[u8]) {
    let limits = Limits {
        len_max: 1 << 20,
        ratio_max: 1_000,
    };
    if let Ok(found) = read(bytes, limits) {
        let again = write(&found).expect("what was read can be written");
        assert!(read(&again, Limits::default()).is_ok_and(|again| again == found));
        let _ = verify(&found, &Trust::Unstated);
    }
}

pub(crate) fn entry(bytes: &[u8]) {
    if let Ok(read) = Entry::parse(bytes) {
        assert_eq!(read.to_bytes().expect("it was read"), bytes);
    }
}

pub(crate) fn canonical(bytes: &[u8]) {
    if let Ok(read) = json::parse(bytes) {
        assert_eq!(json::to_bytes(&read).expect("it was read"), bytes);
    }
}

/// A policy, held against a checkpoint that nobody has signed.
pub(crate) fn policy(bytes: &[u8]) {
    const UNSIGNED: &str =
        "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— log AAAAAAA=\n";
    if let Ok(read) = Policy::parse(bytes) {
        let checkpoint = SignedCheckpoint::parse(UNSIGNED.as_bytes()).expect("it is well-formed");
        assert!(read.accept(&checkpoint).is_err());
    }
}

/// `system.toml`, read with the shipped names and the shipped policy, and no law.
pub(crate) fn declaration(bytes: &[u8]) {
    static LAW: OnceLock<(Book, AuditPolicy)> = OnceLock::new();
    let (book, policy) = LAW.get_or_init(|| {
        let policy = include_str!("../packs/policy/default/pack.toml");
        let policy = AuditPolicy::parse("policy", policy).expect("it is shipped");
        let facts = Vocabulary::parse("facts", include_str!("../packs/facts.toml"));
        let evidence = include_str!("../packs/evidence.toml");
        let evidence = Register::parse("evidence", evidence, "kind").expect("it is shipped");
        let controls = include_str!("../packs/controls.toml");
        let controls = Register::parse("controls", controls, "control").expect("it is shipped");
        let facts = facts.expect("it is shipped");
        let book = Book::new(facts, evidence, controls, vec![policy.pack.clone()]);
        (book.expect("it is shipped"), policy)
    });
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Declaration::parse("system.toml", text, book, policy);
    }
}
