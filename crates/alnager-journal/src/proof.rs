//! Inclusion proofs as files (C2SP `tlog-proof`): an index, a path and the checkpoint they lead to.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::decimal;
use crate::merkle::{self, Hash};

/// Longest path: a log of 2^64 entries has no more.
pub const HASHES_MAX: usize = 64;

/// Longest extra data, bytes.
pub const EXTRA_LEN_MAX: usize = 65_536;

/// How every proof file begins.
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// Evidence that one entry is in a log: to be stored as `*.tlog-proof` and checked offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Data that nobody has signed and nothing should trust; our own proofs have none.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry, from 0.
    pub index: u64,
    /// The path from the leaf's sibling to the root's child; at most [`HASHES_MAX`].
    pub hashes: Vec<Hash>,
    /// The checkpoint whose root hash the path leads to.
    pub checkpoint: SignedCheckpoint,
}

/// Why a proof file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// The text breaks the format.
    #[error("the proof is malformed: {reason}; take it again from the log")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// The checkpoint in it breaks the format.
    #[error("the proof holds no checkpoint")]
    Checkpoint(#[from] CheckpointError),
}

impl Proof {
    /// Reads a proof, checking neither path nor signature. Printing it again gives the same bytes.
    pub fn parse(bytes: &[u8]) -> Result<Proof, ProofFileError> {
        let malformed = |reason| ProofFileError::Malformed { reason };
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(malformed("no empty line comes before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("its first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            None => None,
            Some(base64) if base64.len() > EXTRA_LEN_MAX.div_ceil(3) * 4 => {
                return Err(malformed("its extra data is too long"));
            }
            Some(base64) => {
                lines.next();
                Some(
                    STANDARD
                        .decode(base64)
                        .map_err(|_| malformed("its extra data is not base64"))?,
                )
            }
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal::parse);
        let index = index.ok_or(malformed(
            "it has no line `index` with a number without leading zeros",
        ))?;
        let hashes = lines
            .take(HASHES_MAX + 1)
            .map(Hash::from_base64)
            .collect::<Option<Vec<Hash>>>();
        let hashes = hashes.ok_or(malformed("a line of its path is not 32 bytes in base64"))?;
        if hashes.len() > HASHES_MAX {
            return Err(malformed("its path is too long"));
        }
        Ok(Proof {
            extra,
            index,
            hashes,
            checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// Checks that `entry`, by its bytes, is at the index in the log of the checkpoint.
    ///
    /// The checkpoint's signatures are not checked here: see [`crate::note::Note::verify`].
    pub fn verify(&self, entry: &[u8]) -> Result<(), merkle::ProofError> {
        let checkpoint = self.checkpoint.checkpoint();
        let leaf = merkle::leaf_hash(entry);
        merkle::verify_inclusion(
            leaf,
            self.index,
            checkpoint.size(),
            &self.hashes,
            checkpoint.root(),
        )
    }
}

impl fmt::Display for Proof {
    /// The file's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::merkle::{Tree, leaf_hash};
    use crate::note::SigningKey;

    fn entry(index: u64) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    fn proof(index: u64, size: u64, extra: Option<Vec<u8>>) -> Proof {
        let tree: Tree = (0..size).map(|index| leaf_hash(&entry(index))).collect();
        let key = SigningKey::new("example.org/log", &[7; 32]).unwrap();
        let checkpoint = Checkpoint::new("example.org/log", size, tree.root()).unwrap();
        let checkpoint = SignedCheckpoint::sign(checkpoint, &[&key]).unwrap();
        Proof {
            extra,
            index,
            hashes: tree.inclusion_proof(index, size).unwrap(),
            checkpoint,
        }
    }

    #[test]
    fn a_proof_is_read_as_it_was_written_and_proves_its_entry() {
        for (index, size, extra) in [
            (0, 1, None),
            (3, 8, Some(vec![])),
            (6, 7, Some(b"extra".to_vec())),
        ] {
            let proof = proof(index, size, extra);
            let text = proof.to_string();
            let read = Proof::parse(text.as_bytes()).unwrap();
            assert_eq!((&read, read.to_string()), (&proof, text));
            read.verify(&entry(index)).unwrap();
            read.verify(&entry(index + 1)).unwrap_err();
        }
    }

    #[test]
    fn a_proof_at_a_million_entries_has_at_most_1200_bytes() {
        let mut proof = proof(0, 1_000, None);
        proof.hashes = vec![proof.hashes[0]; merkle::inclusion_proof_len(0, 1_000_000).unwrap()];
        let len = proof.to_string().len();
        assert!(len <= 1_200, "{len}");
    }

    #[test]
    fn other_spellings_are_refused() {
        let text = proof(3, 8, None).to_string();
        for (from, to) in [
            ("tlog-proof@v1", "tlog-proof@v2"),
            ("index 3", "index 03"),
            ("index 3", "index"),
            ("index 3\n", ""),
            ("index 3", "extra AA\nindex 3"),
            ("index 3", "extra AAA=\nextra AAA=\nindex 3"),
            ("\n\n", "\nAAA=\n\n"),
            ("\n\n", "\n"),
            ("example.org/log\n", ""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(
                Proof::parse(changed.as_bytes()).is_err(),
                "{from:?} -> {to:?}"
            );
        }
        let longer = text.replacen(
            "\n\n",
            &format!(
                "{}\n\n",
                format!("\n{}", merkle::empty_root().to_base64()).repeat(62)
            ),
            1,
        );
        assert!(Proof::parse(longer.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn a_change_is_refused_or_read_as_such(at in 0_usize..600, byte in any::<u8>()) {
            let proof = proof(3, 8, None);
            let mut bytes = proof.to_string().into_bytes();
            let at = at % bytes.len();
            let changed = bytes[at] != byte;
            bytes[at] = byte;
            if let Ok(read) = Proof::parse(&bytes) {
                prop_assert_eq!(read.to_string().into_bytes(), bytes);
                prop_assert_eq!(read == proof, !changed);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Proof::parse(&bytes).is_err());
        }
    }
}
