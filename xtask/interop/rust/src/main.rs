//! `interop PEER LOG CASE…`: what other people's crates say of a log of ours, and of damaged copies of it.
//!
//! `LOG` is the folder of an intact log, a `CASE` one with the files that differ. One line for each case: its name, a
//! tab, `accepted` or what was refused. Only the hashing, the proofs, the tiles and the signatures of the peer are
//! believed; this program reads files and splits lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, HashReader, Tile, TileHashReader, TileReader};

type Done = Result<(), String>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [peer, log, cases @ ..] = words.as_slice() else {
        eprintln!("use: interop PEER LOG CASE…");
        std::process::exit(2);
    };
    std::panic::set_hook(Box::new(|_| ()));
    for case in cases {
        let files = Files {
            log: PathBuf::from(log),
            case: PathBuf::from(case),
        };
        // A peer that panics has refused, in its way.
        let done = std::panic::catch_unwind(|| match peer.as_str() {
            "tlog_tiles" => tiles(&files),
            "signed_note" => signature(&files),
            "ct-merkle" => tree(&files),
            other => Err(format!("no peer `{other}`")),
        });
        let done = done.unwrap_or_else(|_| Err("it panicked".to_owned()));
        let name = files.case.file_name().unwrap_or_default();
        let said = done.map_or_else(|refused| refused, |()| "accepted".to_owned());
        println!("{}\t{}", name.to_string_lossy(), said.replace('\n', " "));
    }
}

/// The files of a case: its own, and behind them those of the intact log.
struct Files {
    log: PathBuf,
    case: PathBuf,
}

/// A proof as it lies in a file: what it is about, and its hashes.
struct Proof {
    number: u64,
    hashes: Vec<[u8; 32]>,
    checkpoint: Vec<u8>,
}

impl Files {
    fn path(&self, path: &str) -> PathBuf {
        let own = self.case.join(path);
        if own.exists() {
            own
        } else {
            self.log.join(path)
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.path(path)).map_err(|error| format!("{path}: {error}"))
    }

    fn text(&self, path: &str) -> Result<String, String> {
        String::from_utf8(self.read(path)?).map_err(|error| format!("{path}: {error}"))
    }

    /// Reads `word N`, lines of base64, an empty line and a checkpoint. A `.tlog-proof` has one more line before.
    fn proof(&self, path: &str, word: &str) -> Result<Proof, String> {
        let wrong = |what: &str| format!("{path}: {what}");
        let text = self.text(path)?;
        let text = text
            .strip_prefix("c2sp.org/tlog-proof@v1\n")
            .unwrap_or(&text);
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| wrong("no empty line"))?;
        let mut lines = head.split('\n');
        let number = lines.next().and_then(|line| line.strip_prefix(word));
        let number = number.and_then(|number| number.trim().parse().ok());
        let hashes = lines.map(|line| Hash::parse_hash(line).map(|hash| hash.0));
        Ok(Proof {
            number: number.ok_or_else(|| wrong("no number"))?,
            hashes: hashes
                .collect::<Result<_, _>>()
                .map_err(|error| wrong(&error.to_string()))?,
            checkpoint: checkpoint.as_bytes().to_vec(),
        })
    }

    /// The entries of all bundles that are there.
    fn entries(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut entries = Vec::new();
        for n in 0.. {
            let full = format!("published/{}", c2sp(&Tile::new(8, 0, n, 256, true)));
            let path = if self.path(&full).exists() {
                full
            } else {
                let folder = format!("{full}.p");
                let found = std::fs::read_dir(self.log.join(&folder)).ok();
                let Some(Ok(partial)) = found.and_then(|mut files| files.next()) else {
                    return Ok(entries);
                };
                format!("{folder}/{}", partial.file_name().to_string_lossy())
            };
            entries.extend(split(&self.read(&path)?)?);
        }
        Ok(entries)
    }
}

/// Parts a bundle into its entries.
fn split(mut bundle: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut entries = Vec::new();
    while let Some((len, rest)) = bundle.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, rest) = rest.split_at_checked(len).ok_or("a bundle ends early")?;
        entries.push(entry.to_vec());
        bundle = rest;
    }
    if bundle.is_empty() {
        Ok(entries)
    } else {
        Err("a bundle has a byte too many".to_owned())
    }
}

/// The path of a tile as C2SP has it; the crate puts the height in front and calls bundles `data`.
fn c2sp(tile: &Tile) -> String {
    let path = tile.path();
    path.replacen("tile/8/", "tile/", 1)
        .replacen("tile/data/", "tile/entries/", 1)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn note_text(bytes: &[u8]) -> Result<Vec<u8>, String> {
    Note::from_bytes(bytes)
        .map(|note| note.text().to_vec())
        .map_err(|error| format!("{error:?}"))
}

impl TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile| self.read(&format!("published/{}", c2sp(tile)));
        let all: Result<Vec<_>, String> = tiles.iter().map(read).collect();
        all.map_err(tlog_tiles::Error::InvalidInput)
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Checkpoint, every tile and bundle, both kinds of proof.
fn tiles(files: &Files) -> Done {
    let text = note_text(&files.read("published/checkpoint")?)?;
    let checkpoint = Checkpoint::from_bytes(&text).map_err(said)?;
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    let reader = TileHashReader::new(size, root, files);
    let places: Vec<u64> = (0..size)
        .map(|n| tlog_tiles::stored_hash_index(0, n))
        .collect();
    let leaves = reader.read_hashes(&places).map_err(said)?;
    let mut n_seen = 0;
    for tile in Tile::new_tiles(8, 0, size)
        .iter()
        .filter(|tile| tile.level() == 0)
    {
        let bundle = Tile::new(8, 0, tile.level_index(), tile.width(), true);
        for entry in split(&files.read(&format!("published/{}", c2sp(&bundle)))?)? {
            if leaves.get(n_seen) != Some(&tlog_tiles::record_hash(&entry)) {
                return Err(format!("entry {n_seen} is not that of its tile"));
            }
            n_seen += 1;
        }
    }
    if n_seen as u64 != size {
        return Err(format!("{n_seen} entries instead of {size}"));
    }
    for (name, entry) in proofs(files)? {
        let proof = files.proof(&name, "index")?;
        let at = Checkpoint::from_bytes(&note_text(&proof.checkpoint)?).map_err(said)?;
        let leaf = tlog_tiles::record_hash(&entry);
        let hashes = proof.hashes.into_iter().map(Hash).collect();
        tlog_tiles::check_record(&hashes, at.size(), *at.hash(), proof.number, leaf)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    let proof = files.proof("consistency", "old")?;
    let old = Hash::parse_hash(files.text("old-root")?.trim()).map_err(said)?;
    let hashes = proof.hashes.into_iter().map(Hash).collect();
    tlog_tiles::check_tree(&hashes, size, root, proof.number, old).map_err(said)
}

/// The log's signature on every checkpoint. The witness's line is of a type the crate does not know and is ignored.
fn signature(files: &Files) -> Done {
    let key = files.text("key")?;
    let mut notes = vec![files.read("published/checkpoint")?];
    for name in proofs(files)?.keys() {
        notes.push(files.proof(name, "index")?.checkpoint);
    }
    for bytes in notes {
        let verifier = StandardVerifier::new(key.trim()).map_err(|error| format!("{error:?}"))?;
        let known = VerifierList::new(vec![Box::new(verifier)]);
        let note = Note::from_bytes(&bytes).map_err(|error| format!("{error:?}"))?;
        let (by_log, others) = note.verify(&known).map_err(|error| format!("{error:?}"))?;
        if (by_log.len(), others.len()) != (1, 1) {
            return Err("not one known and one unknown signature".to_owned());
        }
    }
    Ok(())
}

/// The tree over all entries, made anew, and both kinds of proof.
fn tree(files: &Files) -> Done {
    let text = note_text(&files.read("published/checkpoint")?)?;
    let stated = root_of(&Checkpoint::from_bytes(&text).map_err(said)?);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    files
        .entries()?
        .into_iter()
        .for_each(|entry| tree.push(entry));
    if tree.root() != stated {
        return Err("the entries lead to another size or root".to_owned());
    }
    for (name, entry) in proofs(files)? {
        let proof = files.proof(&name, "index")?;
        let at = root_of(&Checkpoint::from_bytes(&note_text(&proof.checkpoint)?).map_err(said)?);
        let path = InclusionProof::try_from_bytes(proof.hashes.concat()).map_err(said)?;
        at.verify_inclusion(&entry, proof.number, &path)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    let proof = files.proof("consistency", "old")?;
    let old = Hash::parse_hash(files.text("old-root")?.trim()).map_err(said)?;
    let old = RootHash::<Sha256>::new(old.0.into(), proof.number);
    let path = ConsistencyProof::try_from_bytes(proof.hashes.concat()).map_err(said)?;
    stated.verify_consistency(&old, &path).map_err(said)
}

fn root_of(checkpoint: &Checkpoint) -> RootHash<Sha256> {
    RootHash::new(checkpoint.hash().0.into(), checkpoint.size())
}

/// Every proof's file name, with its entry's bytes.
fn proofs(files: &Files) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut found = BTreeMap::new();
    for n in 0.. {
        let name = format!("{n}.tlog-proof");
        if !Path::new(&files.path(&name)).exists() {
            break;
        }
        found.insert(name, files.read(&format!("{n}.entry"))?);
    }
    Ok(found)
}
