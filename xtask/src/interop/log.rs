//! A log made for the run, and what outsiders get of its beginning.

use std::path::Path;

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::entry::{Entry, Subject};
use alnager_journal::merkle::{Hash, Tree, leaf_hash};
use alnager_journal::note::{KeyKind, SigningKey};
use alnager_journal::proof::Proof;
use alnager_journal::published::{File, files};
use alnager_journal::tile::{Tile, encode_bundle};
use anyhow::{Context, Result};
use uuid::Uuid;

/// Name of the log and of its key.
const ORIGIN: &str = "example.org/interop";

/// The instant that the witness states: 2026-11-23T08:14:00Z.
const WITNESSED_UNIX_S: u64 = 1_795_421_640;

/// All entries that any size needs, their tree, and the run's keys.
pub(super) struct Log {
    entries: Vec<Vec<u8>>,
    tree: Tree,
    key: SigningKey,
    witness: SigningKey,
}

impl Log {
    /// A log of so many entries and one more, which is in none of the logs published.
    pub(super) fn new(size: u64) -> Result<Log> {
        let entries: Vec<Vec<u8>> = (0..=size)
            .map(|index| entry(index).to_bytes().context("an entry is malformed"))
            .collect::<Result<_>>()?;
        Ok(Log {
            tree: entries.iter().map(|entry| leaf_hash(entry)).collect(),
            entries,
            key: SigningKey::new(ORIGIN, &random()?)?,
            witness: SigningKey::new("witness.example.org", &random()?)?,
        })
    }

    /// Bytes of an entry.
    pub(super) fn entry(&self, index: u64) -> Result<&[u8]> {
        let entry = self.entries.get(usize::try_from(index)?);
        entry.map(Vec::as_slice).context("there is no such entry")
    }

    /// Signed by the log and its witness.
    pub(super) fn checkpoint(&self, size: u64) -> Result<SignedCheckpoint> {
        let root = self.root(size)?;
        let signed = SignedCheckpoint::sign(Checkpoint::new(ORIGIN, size, root)?, &[&self.key])?;
        let cosignature = self.witness.cosign(signed.note().text(), WITNESSED_UNIX_S);
        Ok(signed.with(vec![cosignature])?)
    }

    pub(super) fn root(&self, size: u64) -> Result<Hash> {
        self.tree.root_at(size).context("the log is too short")
    }

    pub(super) fn proof(&self, index: u64, size: u64) -> Result<Proof> {
        let hashes = self.tree.inclusion_proof(index, size);
        Ok(Proof {
            extra: None,
            index,
            hashes: hashes.context("the log is too short")?,
            checkpoint: self.checkpoint(size)?,
        })
    }

    /// The hashes that prove the beginning of [`earlier`] entries.
    pub(super) fn consistency(&self, size: u64) -> Result<Vec<Hash>> {
        let hashes = self.tree.consistency_proof(earlier(size), size);
        hashes.context("the log is too short")
    }

    /// Bytes of a published file of a log of this size.
    pub(super) fn file(&self, file: File, size: u64) -> Result<Vec<u8>> {
        match file {
            File::Tile(tile) => tile.encode(&self.tree).context("the log is too short"),
            File::Bundle(tile) => self.bundle(tile),
            File::Checkpoint => Ok(self.checkpoint(size)?.to_string().into_bytes()),
        }
    }

    fn bundle(&self, tile: Tile) -> Result<Vec<u8>> {
        let first = usize::try_from(tile.index() * 256)?;
        let entries = self.entries.get(first..first + usize::from(tile.width()));
        let entries = entries.context("the log is too short")?;
        Ok(encode_bundle(entries.iter().map(Vec::as_slice))?)
    }

    /// Writes the first `size` entries as a published log, with the two keys, proofs of three entries, and a proof of
    /// an earlier size.
    pub(super) fn publish(&self, size: u64, folder: &Path) -> Result<()> {
        for file in files(0, size) {
            let path = format!("published/{}", file.path());
            put(folder, &path, &self.file(file, size)?)?;
        }
        let key = self.key.verifying_key(KeyKind::Ed25519);
        put(folder, "key", format!("{key}\n").as_bytes())?;
        let witness = self.witness.verifying_key(KeyKind::Cosignature);
        put(folder, "witness", format!("{witness}\n").as_bytes())?;
        for (n, index) in proven(size).into_iter().enumerate() {
            let proof = self.proof(index, size)?.to_string();
            put(folder, &format!("{n}.tlog-proof"), proof.as_bytes())?;
            put(folder, &format!("{n}.entry"), self.entry(index)?)?;
        }
        let old_root = self.root(earlier(size))?.to_base64();
        put(folder, "old-root", format!("{old_root}\n").as_bytes())?;
        let body = consistency_text(size, &self.consistency(size)?, &self.checkpoint(size)?);
        put(folder, "consistency", body.as_bytes())
    }
}

/// The entries proven: the first, one in the middle, the last.
pub(super) fn proven(size: u64) -> Vec<u64> {
    let mut indexes = vec![0, size / 2, size - 1];
    indexes.dedup();
    indexes
}

/// The earlier size that is proven to be a beginning: for even sizes a complete subtree, else a ragged one.
pub(super) fn earlier(size: u64) -> u64 {
    if size.is_multiple_of(2) {
        1 << (size / 2).ilog2()
    } else {
        (size / 3).max(1)
    }
}

/// What a witness is sent (C2SP tlog-witness).
pub(super) fn consistency_text(
    size: u64,
    hashes: &[Hash],
    checkpoint: &SignedCheckpoint,
) -> String {
    let lines: String = hashes
        .iter()
        .map(|hash| format!("{}\n", hash.to_base64()))
        .collect();
    format!("old {}\n{lines}\n{checkpoint}", earlier(size))
}

/// Writes a file, with the folders above it.
pub(super) fn put(folder: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(path);
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above)
            .with_context(|| format!("cannot make `{}`", above.display()))?;
    }
    std::fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}

fn random() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(seed)
}

fn id(n: u64) -> Uuid {
    Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0000 | u128::from(n))
}

fn entry(index: u64) -> Entry {
    Entry {
        v: 1,
        kind: "fact.confirmed".to_owned(),
        id: id(index),
        org: id(1 << 40),
        actor: id(1 << 41),
        subjects: vec![Subject {
            id: id(1 << 42),
            prev: index.checked_sub(1),
        }],
        at: "2026-11-23T08:14:00.000000Z".to_owned(),
        command: id((1 << 43) + index),
        commit: Hash::of(&index.to_be_bytes()),
        blobs: Vec::new(),
        refs: Vec::new(),
    }
}
