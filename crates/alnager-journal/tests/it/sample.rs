//! A small journal and dossiers from it, the same on every run.

use std::collections::BTreeMap;

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::dossier::{Disclosed, Dossier, Item};
use alnager_journal::entry::{self, Blob, Entry, Subject};
use alnager_journal::merkle::{Hash, Tree, leaf_hash};
use alnager_journal::note::{KeyKind, SigningKey};
use alnager_journal::scope::{ScopeError, scope};
use uuid::Uuid;

pub(crate) const ORIGIN: &str = "example.org/journal";

/// A journal in memory: entries with their payloads and blobs in the open.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
    payloads: Vec<Disclosed>,
    blobs: Vec<BTreeMap<String, Disclosed>>,
}

/// Id number `n`, UUID version 7.
pub(crate) fn id(n: u64) -> Uuid {
    Uuid::from_u128(0x019a_b000_0000_7000_8000_0000_0000_0000 | u128::from(n))
}

/// The subject called by this letter.
pub(crate) fn subject(letter: char) -> Uuid {
    id(0x1000 + u64::from(letter))
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::new(ORIGIN, &[seed; 32]).unwrap()
}

fn disclosed(index: usize, text: &str) -> Disclosed {
    let salt = Hash::of(format!("salt {index} {text}").as_bytes()).0;
    Disclosed {
        salt,
        bytes: text.as_bytes().to_vec(),
    }
}

impl Journal {
    /// Appends one entry per line: `kind letters [refs…]`, such as `gate.judged S 2 4`.
    pub(crate) fn of(lines: &[&str]) -> Journal {
        let mut journal = Journal::default();
        for line in lines {
            let mut words = line.split(' ');
            let kind = words.next().unwrap();
            let letters = words.next().unwrap_or("");
            journal.push(
                kind,
                letters,
                words.map(|word| word.parse().unwrap()).collect(),
            );
        }
        journal
    }

    fn push(&mut self, kind: &str, letters: &str, refs: Vec<u64>) {
        let index = self.entries.len();
        let payload = disclosed(
            index,
            &format!("{{\"what\":\"{kind} {letters}\",\"n\":{index}}}"),
        );
        let mut blobs = BTreeMap::new();
        if kind == "gate.judged" {
            blobs.insert(
                "report.html".to_owned(),
                disclosed(index, "<!doctype html><title>report</title>"),
            );
            blobs.insert(
                "counts.csv".to_owned(),
                disclosed(index, "group,n\na,12\nb,30\n"),
            );
        }
        let about = |letter: char| Subject {
            id: subject(letter),
            prev: self.last(subject(letter)),
        };
        self.entries.push(Entry {
            v: 1,
            kind: kind.to_owned(),
            id: id(index as u64),
            org: id(0x2000),
            actor: id(0x3000),
            subjects: letters.chars().map(about).collect(),
            at: format!("2026-11-23T08:14:{index:02}.000000Z"),
            command: id(0x4000 + index as u64),
            commit: entry::commit(&payload.salt, &payload.bytes),
            blobs: blobs
                .iter()
                .map(|(name, blob)| stated(name, blob))
                .collect(),
            refs,
        });
        self.payloads.push(payload);
        self.blobs.push(blobs);
    }

    /// Index of the last entry about a subject.
    pub(crate) fn last(&self, subject: Uuid) -> Option<u64> {
        self.entries
            .iter()
            .rposition(|entry| entry.about(subject).is_some())
            .map(|index| index as u64)
    }

    pub(crate) fn tree(&self) -> Tree {
        self.entries
            .iter()
            .map(|entry| leaf_hash(&entry.to_bytes().unwrap()))
            .collect()
    }

    pub(crate) fn checkpoint(&self, seed: u8) -> SignedCheckpoint {
        let tree = self.tree();
        SignedCheckpoint::sign(
            Checkpoint::new(ORIGIN, tree.size(), tree.root()).unwrap(),
            &[&key(seed)],
        )
        .unwrap()
    }

    /// The dossier about a subject, everything disclosed, signed with the key of seed 1.
    pub(crate) fn dossier(&self, letter: char) -> Result<Dossier, ScopeError> {
        let main = subject(letter);
        let entry_at = |index: u64| self.entries.get(index as usize);
        let scope = scope(
            main,
            self.last(main).unwrap(),
            self.entries.len() as u64,
            entry_at,
        )?;
        Ok(Dossier {
            log: key(1).verifying_key(KeyKind::Ed25519),
            checkpoint: self.checkpoint(1),
            subjects: scope.subjects,
            entries: scope
                .entries
                .into_iter()
                .map(|index| (index, self.item(index)))
                .collect(),
        })
    }

    pub(crate) fn item(&self, index: u64) -> Item {
        let at = index as usize;
        Item {
            entry: self.entries[at].clone(),
            proof: self
                .tree()
                .inclusion_proof(index, self.entries.len() as u64)
                .unwrap(),
            payload: Some(self.payloads[at].clone()),
            blobs: self.blobs[at].clone(),
        }
    }
}

fn stated(name: &str, blob: &Disclosed) -> Blob {
    let media = if name.ends_with(".html") {
        "text/html"
    } else {
        "text/csv"
    };
    let commit = entry::commit(&blob.salt, &blob.bytes);
    Blob {
        name: name.to_owned(),
        commit,
        len: blob.bytes.len() as u64,
        media: media.to_owned(),
    }
}

/// A system `S` with evidence `E` and a pack `P`, another system `T`, and something after the last entry about `S`.
pub(crate) fn journal() -> Journal {
    Journal::of(&[
        "pack.taken P",         // 0
        "system.declared S",    // 1
        "system.declared T",    // 2
        "evidence.submitted E", // 3
        "pack.taken P",         // 4
        "fact.stated S",        // 5
        "evidence.accepted ES", // 6
        "fact.stated T",        // 7
        "erasure.executed S 5", // 8
        "gate.judged S 4 6",    // 9
        "pack.taken P",         // 10
        "fact.stated T",        // 11
    ])
}

/// The dossier about `S`: chain 1 5 6 8 9; evidence 3 6; pack 0 4; tail 10 11. Entry 5 was erased, 0 is withheld.
pub(crate) fn dossier() -> Dossier {
    let mut dossier = journal().dossier('S').unwrap();
    for index in [0, 5] {
        dossier.entries.get_mut(&index).unwrap().payload = None;
    }
    dossier
        .entries
        .get_mut(&9)
        .unwrap()
        .blobs
        .remove("counts.csv");
    dossier
}
