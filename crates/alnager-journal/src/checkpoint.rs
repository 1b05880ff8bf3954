//! Checkpoints (C2SP `tlog-checkpoint` v1.0.0): a log's origin, size and root hash, signed as a note.

use std::fmt;

use crate::decimal;
use crate::merkle::Hash;
use crate::note::{self, Note, NoteError, Signature, SigningKey};

/// What a log states when it signs: all its entries, in one hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The text breaks the format.
    #[error("the checkpoint is malformed: {reason}; take it again from the log")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// The note around it breaks the format.
    #[error("the checkpoint is no signed note")]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// A checkpoint of a log of `size` entries with this root hash. The origin names the log for good: a name like
    /// `example.org/log`, without spaces or `+`, which is also the name of the log's key.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Checkpoint, NoteError> {
        note::check_name(origin)?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size,
            root,
            extensions: Vec::new(),
        })
    }

    /// Reads the text of a note. Printing it again gives the same text.
    pub fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
        let malformed = |reason| CheckpointError::Malformed { reason };
        let lines = text
            .strip_suffix('\n')
            .ok_or(malformed("it does not end in a newline"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("it has fewer than three lines"));
        };
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if origin.is_empty() || extensions.iter().any(String::is_empty) {
            return Err(malformed("it has an empty line"));
        }
        let size =
            decimal::parse(size).ok_or(malformed("its size is no number without leading zeros"))?;
        let root =
            Hash::from_base64(root).ok_or(malformed("its root hash is not 32 bytes in base64"))?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size,
            root,
            extensions,
        })
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root hash over the entries.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// Further lines, which other logs may add; ours never do.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl fmt::Display for Checkpoint {
    /// The text of the note, with its final newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            self.root.to_base64()
        )?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with its signature lines. Shown as the note. That it was read does not mean that a signature fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs with the log's keys: one, or two while a key is being replaced. At least one is needed.
    ///
    /// A log must never sign a checkpoint that is inconsistent with one it signed before; whoever calls this has
    /// compared it with the last one.
    pub fn sign(
        checkpoint: Checkpoint,
        keys: &[&SigningKey],
    ) -> Result<SignedCheckpoint, NoteError> {
        let text = checkpoint.to_string();
        let signatures = keys.iter().map(|key| key.sign(&text)).collect();
        let note = Note::new(text, signatures)?;
        Ok(SignedCheckpoint { checkpoint, note })
    }

    /// Reads a checkpoint with its signatures, checking none. Printing it again gives the same bytes.
    pub fn parse(bytes: &[u8]) -> Result<SignedCheckpoint, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(SignedCheckpoint { checkpoint, note })
    }

    /// The same checkpoint with further signature lines, such as a witness's.
    pub fn with(self, signatures: Vec<Signature>) -> Result<SignedCheckpoint, NoteError> {
        let note = self.note.with(signatures)?;
        Ok(SignedCheckpoint {
            checkpoint: self.checkpoint,
            note,
        })
    }

    /// What was signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note around it.
    pub fn note(&self) -> &Note {
        &self.note
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::empty_root;

    #[track_caller]
    fn check(text: &str, want: Expect) {
        want.assert_eq(&match Checkpoint::parse(text) {
            Ok(read) => {
                assert_eq!(read.to_string(), text);
                format!(
                    "{} {} {} {:?}",
                    read.origin(),
                    read.size(),
                    read.root(),
                    read.extensions()
                )
            }
            Err(error) => error.to_string(),
        });
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        // The example in C2SP tlog-checkpoint.
        check(
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            expect![
                "example.com/behind-the-sofa 20852163 0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62 []"
            ],
        );
    }

    #[test]
    fn a_checkpoint_has_one_spelling() {
        const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        check(
            &format!("log\n0\n{ROOT}\n"),
            expect![[
                r#"log 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 []"#
            ]],
        );
        check(
            &format!("a log\n1\n{ROOT}\nmore\n"),
            expect![[
                r#"a log 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ["more"]"#
            ]],
        );
        check(
            &format!("log\n0\n{ROOT}"),
            expect![
                "the checkpoint is malformed: it does not end in a newline; take it again from the log"
            ],
        );
        check(
            "log\n0\n",
            expect![
                "the checkpoint is malformed: it has fewer than three lines; take it again from the log"
            ],
        );
        check(
            &format!("\n0\n{ROOT}\n"),
            expect![
                "the checkpoint is malformed: it has an empty line; take it again from the log"
            ],
        );
        check(
            &format!("log\n0\n{ROOT}\n\n"),
            expect![
                "the checkpoint is malformed: it has an empty line; take it again from the log"
            ],
        );
        check(
            &format!("log\n00\n{ROOT}\n"),
            expect![
                "the checkpoint is malformed: its size is no number without leading zeros; take it again from the log"
            ],
        );
        check(
            &format!("log\n0\n{}\n", &ROOT[..43]),
            expect![
                "the checkpoint is malformed: its root hash is not 32 bytes in base64; take it again from the log"
            ],
        );
    }

    #[test]
    fn a_log_may_sign_with_two_keys_while_one_is_replaced() {
        let checkpoint = Checkpoint::new("example.org/log", 0, empty_root()).unwrap();
        let keys = [1, 2].map(|seed| SigningKey::new("example.org/log", &[seed; 32]).unwrap());
        let signed = SignedCheckpoint::sign(checkpoint, &[&keys[0], &keys[1]]).unwrap();
        for key in &keys {
            let known = [key.verifying_key(note::KeyKind::Ed25519)];
            assert_eq!(signed.note().verify(&known).unwrap().len(), 1);
        }
        assert_eq!(
            SignedCheckpoint::parse(signed.to_string().as_bytes()),
            Ok(signed.clone())
        );
        assert!(SignedCheckpoint::sign(signed.checkpoint().clone(), &[]).is_err());
        assert!(Checkpoint::new("example.org/a log", 0, empty_root()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "([a-z/]{1,3}\n)?([0-9]{1,3}\n)?([A-Za-z0-9+/=]{43,44}\n)?.{0,9}\n?") {
            if let Ok(read) = Checkpoint::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
