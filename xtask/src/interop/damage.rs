//! What may be wrong with a log, one thing at a time.

use std::path::Path;

use alnager_journal::merkle::Hash;
use alnager_journal::published::{File, files};
use anyhow::{Context, Result};

use super::log::{Log, consistency_text, proven, put};

/// Where a damage lies, and so which check can find it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Tile,
    Bundle,
    Checkpoint,
    LogSignature,
    WitnessSignature,
    Inclusion,
    Consistency,
}

impl Part {
    pub(super) fn words(self) -> &'static str {
        match self {
            Part::Tile => "tiles",
            Part::Bundle => "bundles",
            Part::Checkpoint => "checkpoints",
            Part::LogSignature => "the log's signature",
            Part::WitnessSignature => "the witness's cosignature",
            Part::Inclusion => "inclusion proofs",
            Part::Consistency => "consistency proofs",
        }
    }
}

/// One damaged copy of a log: the files in which it differs.
pub(super) struct Damage {
    /// One of [`super::KINDS`].
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) part: Part,
    files: Vec<(String, Vec<u8>)>,
}

impl Damage {
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        self.files
            .iter()
            .try_for_each(|(path, bytes)| put(folder, path, bytes))
    }
}

/// Every damage of the log's first `size` entries.
pub(super) fn of(log: &Log, size: u64) -> Result<Vec<Damage>> {
    let mut damages = static_files(log, size)?;
    damages.extend(checkpoints(log, size)?);
    damages.extend(inclusion(log, size)?);
    damages.extend(consistency(log, size)?);
    Ok(damages)
}

fn damage(kind: &'static str, name: &str, part: Part, files: Vec<(String, Vec<u8>)>) -> Damage {
    Damage {
        kind,
        name: format!("{kind}-{name}"),
        part,
        files,
    }
}

/// A flipped bit in the first and the last bundle, in the first and the last tile of the lowest level, and in the last
/// tile of the highest.
fn static_files(log: &Log, size: u64) -> Result<Vec<Damage>> {
    let all: Vec<File> = files(0, size).collect();
    let is_low = |file: &&File| matches!(file, File::Tile(tile) if tile.level() == 0);
    let is_bundle = |file: &&File| matches!(file, File::Bundle(_));
    let is_tile = |file: &&File| matches!(file, File::Tile(_));
    let chosen = [
        ("tile", "first", all.iter().find(is_low)),
        ("tile", "last", all.iter().rfind(is_low)),
        ("tile", "top", all.iter().rfind(is_tile)),
        ("bundle", "first", all.iter().find(is_bundle)),
        ("bundle", "last", all.iter().rfind(is_bundle)),
    ];
    let mut damages = Vec::new();
    for (kind, name, file) in chosen {
        let file = *file.context("every log has tiles")?;
        let part = if kind == "tile" {
            Part::Tile
        } else {
            Part::Bundle
        };
        let mut bytes = log.file(file, size)?;
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let path = format!("published/{}", file.path());
        damages.push(damage(kind, name, part, vec![(path, bytes)]));
    }
    Ok(damages)
}

/// Another root, another size and other signatures, wherever the checkpoint stands.
fn checkpoints(log: &Log, size: u64) -> Result<Vec<Damage>> {
    let text = log.checkpoint(size)?.to_string();
    let lines: Vec<&str> = text.split('\n').collect();
    // Origin, size, root, empty line, the log's signature, the witness's.
    let with = |at: usize, line: String| {
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        changed[at] = line;
        changed.join("\n")
    };
    let mut root = log.root(size)?;
    root.0[31] ^= 1;
    let changed = [
        ("root", "bit", Part::Checkpoint, with(2, root.to_base64())),
        (
            "size",
            "more",
            Part::Checkpoint,
            with(1, (size + 1).to_string()),
        ),
        (
            "size",
            "less",
            Part::Checkpoint,
            with(1, (size - 1).to_string()),
        ),
        (
            "sign",
            "log",
            Part::LogSignature,
            with(4, other_end(lines[4])),
        ),
        (
            "sign",
            "witness",
            Part::WitnessSignature,
            with(5, other_end(lines[5])),
        ),
    ];
    let mut damages = Vec::new();
    for (kind, name, part, checkpoint) in changed {
        let mut files = vec![(
            "published/checkpoint".to_owned(),
            checkpoint.clone().into_bytes(),
        )];
        for (n, index) in proven(size).into_iter().enumerate() {
            let proof = log
                .proof(index, size)?
                .to_string()
                .replace(&text, &checkpoint);
            files.push((format!("{n}.tlog-proof"), proof.into_bytes()));
        }
        let body = consistency_text(size, &log.consistency(size)?, &log.checkpoint(size)?);
        let body = body.replace(&text, &checkpoint);
        files.push(("consistency".to_owned(), body.into_bytes()));
        damages.push(damage(kind, name, part, files));
    }
    Ok(damages)
}

/// A signature line with another character in the middle of its signature, still base64.
fn other_end(line: &str) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let at = bytes.len() - 20;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Hashes changed, left out and added; another entry; another index.
fn inclusion(log: &Log, size: u64) -> Result<Vec<Damage>> {
    let indexes = proven(size);
    let n = indexes.len() / 2;
    let index = indexes[n];
    let path = format!("{n}.tlog-proof");
    let proof = log.proof(index, size)?;
    let mut damages = Vec::new();
    for (kind, name, hashes) in altered(&proof.hashes) {
        let mut changed = proof.clone();
        changed.hashes = hashes;
        let files = vec![(path.clone(), changed.to_string().into_bytes())];
        damages.push(damage(kind, name, Part::Inclusion, files));
    }
    let other = log.entry(index + 1)?.to_vec();
    let files = vec![(format!("{n}.entry"), other)];
    damages.push(damage("leaf", "entry", Part::Inclusion, files));
    for (name, other) in [
        ("before", index.checked_sub(1)),
        ("behind", Some(index + 1)),
    ] {
        let Some(other) = other else { continue };
        let mut changed = proof.clone();
        changed.index = other;
        let files = vec![(path.clone(), changed.to_string().into_bytes())];
        damages.push(damage("leaf", name, Part::Inclusion, files));
    }
    Ok(damages)
}

fn consistency(log: &Log, size: u64) -> Result<Vec<Damage>> {
    let checkpoint = log.checkpoint(size)?;
    let changed = altered(&log.consistency(size)?).into_iter();
    let damages = changed.map(|(kind, name, hashes)| {
        let body = consistency_text(size, &hashes, &checkpoint);
        let files = vec![("consistency".to_owned(), body.into_bytes())];
        damage(
            kind,
            &format!("consistency-{name}"),
            Part::Consistency,
            files,
        )
    });
    Ok(damages.collect())
}

/// The ways in which a proof's hashes can be wrong; a proof without hashes can only have too many.
fn altered(hashes: &[Hash]) -> Vec<(&'static str, &'static str, Vec<Hash>)> {
    let mut ways = vec![("length", "more", [hashes, &[Hash::of(b"more")]].concat())];
    let Some(last) = hashes.len().checked_sub(1) else {
        return ways;
    };
    for (name, at) in [("first", 0), ("last", last)] {
        let mut changed = hashes.to_vec();
        changed[at].0[0] ^= 0x80;
        ways.push(("hash", name, changed));
        let mut shorter = hashes.to_vec();
        shorter.remove(at);
        ways.push(("length", name, shorter));
    }
    ways
}
