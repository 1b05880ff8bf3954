//! Segments: rows of a decision log under one root, and the proof of one row without the others.
//!
//! A segment is up to [`ROWS_MAX`] rows of texts. Its entry, of kind [`SEGMENT_SEALED`], commits to a payload that states the columns,
//! the number of rows and the Merkle root over them; the rows themselves lie in a blob of the entry. Every leaf is salted, and all salts
//! follow from one secret of the segment, so that whoever is shown one row with its salt learns nothing of the others:
//! `docs/formats/segment.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::canonical::{self, CanonicalError};
use crate::entry::{self, Entry, EntryError};
use crate::merkle::{self, Hash, Tree, leaf_hash};
use crate::note::VerifyingKey;
use crate::policy::Cosigned;
use crate::proof::{Proof, ProofFileError};
use crate::verify::{self, Trust, VerifyError};

/// The kind of the entry that states a segment.
pub const SEGMENT_SEALED: &str = "segment.sealed";

/// The blob of that entry that holds the rows.
pub const ROWS: &str = "rows.parquet";

/// Most rows of a segment.
pub const ROWS_MAX: usize = 10_000;

/// Most columns of a segment.
pub const COLUMNS_MAX: usize = 1_000;

/// Longest name of a column, bytes.
pub const COLUMN_LEN_MAX: usize = 200;

/// Longest row, bytes of canonical JSON.
pub const ROW_LEN_MAX: usize = 1 << 20;

/// Longest proof of a row, bytes: a row, a payload, and a note of the longest kind, with room for escapes.
pub const PROOF_LEN_MAX: usize = 8 << 20;

/// The value of the field `format`.
pub const FORMAT: &str = "alnager.row-proof/1";

/// A row: the text of each column, or none.
pub type Row = BTreeMap<String, Option<String>>;

/// Rows with the secret that their salts follow from.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    /// The columns, in the order of the file they came from.
    pub columns: Vec<String>,
    /// The rows, each with one text, or none, for every column.
    pub rows: Vec<Vec<Option<String>>>,
    /// 32 fresh random bytes. Whoever has them can test guesses of any row of this segment, so they lie with the rows and nowhere else.
    pub secret: [u8; 32],
}

/// What the entry of a segment states of its rows: three fields of its payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The columns.
    pub columns: Vec<String>,
    /// Number of rows, 1 to [`ROWS_MAX`].
    pub n_rows: u64,
    /// Merkle root over the rows.
    pub root: Hash,
}

/// One row out of a segment, with all that shows its place under the segment's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRow {
    /// Its place in the segment, from 0.
    pub index: u64,
    /// The row.
    pub row: Row,
    /// Its salt.
    pub salt: Hash,
    /// The hashes from its leaf's sibling to the root's child.
    pub path: Vec<Hash>,
}

/// The proof of a row, on two levels: the row in its segment, and the segment's entry in the log. A file `*.row-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProof {
    /// The row under the segment's root.
    pub opened: OpenedRow,
    /// The segment's entry.
    pub entry: Entry,
    /// The payload of that entry, as it was sealed.
    pub payload: String,
    /// The salt of the payload's commitment.
    pub payload_salt: Hash,
    /// The entry in the log.
    pub proof: Proof,
    /// The key that signed the checkpoint.
    pub log: VerifyingKey,
}

/// A row that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRow {
    /// The row.
    pub row: Row,
    /// Its place in the segment, from 0.
    pub index: u64,
    /// What the segment's entry states.
    pub stated: Stated,
    /// The id of the system whose log it is from, as that entry states.
    pub system: String,
    /// Index of the segment's entry.
    pub entry: u64,
    /// When the entry was written, as it states.
    pub at: String,
    /// Name of the log.
    pub origin: String,
    /// Number of entries under the checkpoint.
    pub size: u64,
    /// Root hash over them.
    pub root: Hash,
    /// The key that signed the checkpoint.
    pub signer: VerifyingKey,
    /// Whether the reader has said to trust that key. Without it, anyone may have made the proof.
    pub trusted: bool,
    /// Witnesses of the reader's policy that have cosigned.
    pub witnesses: Vec<Cosigned>,
}

/// Why rows are no segment, or a proof shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// There is no row.
    #[error("a segment has at least one row; there is none")]
    Empty,
    /// There are too many rows.
    #[error("a segment has at most `{ROWS_MAX}` rows, not `{n_rows}`; part them")]
    TooManyRows {
        /// How many there are.
        n_rows: usize,
    },
    /// The columns break their rule.
    #[error(
        "a segment has 1 to {COLUMNS_MAX} columns, each named once in 1 to {COLUMN_LEN_MAX} bytes; rename or leave out columns"
    )]
    Columns,
    /// A row has not one value for each column.
    #[error("row `{index}` has `{found}` values for `{expected}` columns")]
    Ragged {
        /// Its place, from 0.
        index: usize,
        /// How many values it has.
        found: usize,
        /// How many columns there are.
        expected: usize,
    },
    /// A row is too long.
    #[error("row `{index}` has more than `{ROW_LEN_MAX}` bytes; leave long texts out of it")]
    LongRow {
        /// Its place, from 0.
        index: u64,
    },
    /// There is no such row.
    #[error("the segment has rows `0` to `{last}`, and none of number `{index}`")]
    NoRow {
        /// What was asked for.
        index: u64,
        /// The last there is.
        last: u64,
    },
    /// A value has no canonical form.
    #[error("it has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// The file is too long.
    #[error(
        "the proof has `{len}` bytes, more than `{PROOF_LEN_MAX}`; a proof of one row is smaller"
    )]
    TooLong {
        /// Its length, bytes.
        len: usize,
    },
    /// The file has other fields, or of other types.
    #[error("the file is no proof of a row; it has other fields than one")]
    Shape(#[source] serde_json::Error),
    /// The file is of another version.
    #[error(
        "the file is a proof of the form `{found}`, and this version reads `{FORMAT}`; use a newer one"
    )]
    Format {
        /// What it says.
        found: String,
    },
    /// The proof of the entry breaks its format.
    #[error("the proof of the segment's entry cannot be read")]
    EntryProof(#[from] ProofFileError),
    /// The proof of the entry holds what nobody has signed.
    #[error(
        "the proof of the segment's entry has a line `extra`, which nobody has signed; take the proof again"
    )]
    Extra,
    /// The key is no key.
    #[error("the key of the log that the proof states cannot be read")]
    Key,
    /// The checkpoint is not signed by whom it should be.
    #[error("the checkpoint does not hold")]
    Signature(#[from] VerifyError),
    /// The entry is malformed.
    #[error("the segment's entry is malformed")]
    Entry(#[from] EntryError),
    /// The entry is of another kind.
    #[error("the entry is of the kind `{kind}`, and no segment")]
    OtherKind {
        /// Its kind.
        kind: String,
    },
    /// The entry is not in the log.
    #[error("the segment's entry is not proven to be in the log")]
    NotInLog(#[source] merkle::ProofError),
    /// The payload is not what was sealed.
    #[error("what is stated of the segment is not what was sealed with its entry")]
    Payload,
    /// The payload states no segment.
    #[error("the payload of the entry states no segment")]
    NotStated(#[source] serde_json::Error),
    /// The row has other columns.
    #[error("the row has other columns than its segment")]
    OtherColumns,
    /// The row is not in the segment.
    #[error("the row is not proven to be in the segment")]
    NotInSegment(#[source] merkle::ProofError),
}

/// The salt of a row: `SHA-256("alnager/row-salt/v1" || 0x00 || secret || u64 index)`.
///
/// All inputs have one length, so that none can be made longer; without the secret a salt says nothing about the next.
pub fn row_salt(secret: &[u8; 32], index: u64) -> Hash {
    let hash = Sha256::new()
        .chain_update(b"alnager/row-salt/v1\0")
        .chain_update(secret)
        .chain_update(index.to_be_bytes())
        .finalize();
    Hash(hash.into())
}

/// The leaf of a row: the hash of an entry (RFC 6962) whose bytes are `"alnager/row/v1" || 0x00 || salt || canonical row`.
pub fn row_leaf(salt: Hash, row: &[u8]) -> Hash {
    let mut bytes = Vec::with_capacity(15 + 32 + row.len());
    bytes.extend_from_slice(b"alnager/row/v1\0");
    bytes.extend_from_slice(&salt.0);
    bytes.extend_from_slice(row);
    leaf_hash(&bytes)
}

/// The canonical bytes of a row: canonical JSON of an object with every column, its value a text or `null`.
pub fn row_bytes(row: &Row) -> Result<Vec<u8>, CanonicalError> {
    canonical::to_bytes(&row_value(row))
}

fn row_value(row: &Row) -> Value {
    let fields = row.iter();
    let fields = fields.map(|(column, value)| (column.clone(), Value::from(value.clone())));
    Value::Object(fields.collect())
}

impl Segment {
    /// What an entry states of these rows.
    pub fn stated(&self) -> Result<Stated, SegmentError> {
        Ok(Stated {
            columns: self.columns.clone(),
            n_rows: self.rows.len() as u64,
            root: self.tree()?.root(),
        })
    }

    /// One row with its salt and path.
    pub fn open(&self, index: u64) -> Result<OpenedRow, SegmentError> {
        let tree = self.tree()?;
        let no_row = || SegmentError::NoRow {
            index,
            last: tree.size() - 1,
        };
        let path = tree.inclusion_proof(index, tree.size());
        let path = path.ok_or_else(no_row)?;
        let at = usize::try_from(index).map_err(|_| no_row())?;
        let row = self.rows.get(at).map(|values| self.row(values));
        Ok(OpenedRow {
            index,
            row: row.ok_or_else(no_row)?,
            salt: row_salt(&self.secret, index),
            path,
        })
    }

    fn row(&self, values: &[Option<String>]) -> Row {
        let columns = self.columns.iter().cloned();
        columns.zip(values.iter().cloned()).collect()
    }

    fn tree(&self) -> Result<Tree, SegmentError> {
        match self.rows.len() {
            0 => return Err(SegmentError::Empty),
            n_rows if n_rows > ROWS_MAX => return Err(SegmentError::TooManyRows { n_rows }),
            _ => {}
        }
        if !are_columns(&self.columns) {
            return Err(SegmentError::Columns);
        }
        let leaf = |(index, values): (usize, &Vec<Option<String>>)| {
            if values.len() != self.columns.len() {
                return Err(SegmentError::Ragged {
                    index,
                    found: values.len(),
                    expected: self.columns.len(),
                });
            }
            let index = index as u64;
            let row = row_bytes(&self.row(values))?;
            if row.len() > ROW_LEN_MAX {
                return Err(SegmentError::LongRow { index });
            }
            Ok(row_leaf(row_salt(&self.secret, index), &row))
        };
        self.rows.iter().enumerate().map(leaf).collect()
    }
}

impl std::fmt::Debug for Segment {
    /// Neither rows nor secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("columns", &self.columns)
            .field("n_rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// Whether names can be the columns of a segment.
pub fn are_columns(columns: &[String]) -> bool {
    let each_once: BTreeSet<&String> = columns.iter().collect();
    (1..=COLUMNS_MAX).contains(&columns.len())
        && each_once.len() == columns.len()
        && columns
            .iter()
            .all(|column| (1..=COLUMN_LEN_MAX).contains(&column.len()))
}

impl Stated {
    /// Reads what the payload of a segment's entry states; its other fields are left alone.
    pub fn parse(payload: &[u8]) -> Result<Stated, SegmentError> {
        let stated: Stated = serde_json::from_slice(payload).map_err(SegmentError::NotStated)?;
        stated.check()?;
        Ok(stated)
    }

    /// Whether it can be that of a segment.
    pub fn check(&self) -> Result<(), SegmentError> {
        if self.n_rows == 0 {
            return Err(SegmentError::Empty);
        }
        let n_rows = usize::try_from(self.n_rows).unwrap_or(usize::MAX);
        if n_rows > ROWS_MAX {
            return Err(SegmentError::TooManyRows { n_rows });
        }
        match are_columns(&self.columns) {
            true => Ok(()),
            false => Err(SegmentError::Columns),
        }
    }

    /// Checks that a row is where it says it is.
    pub fn verify(&self, opened: &OpenedRow) -> Result<(), SegmentError> {
        let stated: BTreeSet<&String> = self.columns.iter().collect();
        if !stated.into_iter().eq(opened.row.keys()) {
            return Err(SegmentError::OtherColumns);
        }
        let row = row_bytes(&opened.row)?;
        if row.len() > ROW_LEN_MAX {
            return Err(SegmentError::LongRow {
                index: opened.index,
            });
        }
        let leaf = row_leaf(opened.salt, &row);
        merkle::verify_inclusion(leaf, opened.index, self.n_rows, &opened.path, self.root)
            .map_err(SegmentError::NotInSegment)
    }
}

/// The field of a segment's payload that says whose log it is.
#[derive(Deserialize)]
struct OfSystem {
    system: String,
}

/// The fields of a proof's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    entry: Value,
    format: String,
    index: u64,
    log: String,
    path: Vec<Hash>,
    payload: String,
    payload_salt: Hash,
    proof: String,
    row: Row,
    salt: Hash,
}

impl RowProof {
    /// Whether a file may be the proof of a row, by its first byte: nothing else that is verified begins with it.
    pub fn may_be(bytes: &[u8]) -> bool {
        bytes.first() == Some(&b'{')
    }

    /// Reads a proof, checking neither paths nor signature. Writing it again gives the same bytes.
    pub fn parse(bytes: &[u8]) -> Result<RowProof, SegmentError> {
        if bytes.len() > PROOF_LEN_MAX {
            return Err(SegmentError::TooLong { len: bytes.len() });
        }
        let value = canonical::parse(bytes)?;
        if let Some(Value::String(found)) = value.get("format")
            && found != FORMAT
        {
            return Err(SegmentError::Format {
                found: found.clone(),
            });
        }
        let fields: Fields = serde_json::from_value(value).map_err(SegmentError::Shape)?;
        if fields.format != FORMAT {
            return Err(SegmentError::Format {
                found: fields.format,
            });
        }
        let read = RowProof {
            opened: OpenedRow {
                index: fields.index,
                row: fields.row,
                salt: fields.salt,
                path: fields.path,
            },
            entry: Entry::parse(&canonical::to_bytes(&fields.entry)?)?,
            payload: fields.payload,
            payload_salt: fields.payload_salt,
            proof: Proof::parse(fields.proof.as_bytes())?,
            log: VerifyingKey::parse(&fields.log).map_err(|_| SegmentError::Key)?,
        };
        match canonical::first_difference(&read.to_bytes()?, bytes) {
            None => Ok(read),
            Some(at) => Err(CanonicalError::Spelling { at }.into()),
        }
    }

    /// The file: canonical JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SegmentError> {
        let entry = canonical::parse(&self.entry.to_bytes()?)?;
        let path = self.opened.path.iter().map(Hash::to_string);
        let value = serde_json::json!({
            "entry": entry,
            "format": FORMAT,
            "index": self.opened.index,
            "log": self.log.to_string(),
            "path": path.collect::<Vec<_>>(),
            "payload": self.payload,
            "payload_salt": self.payload_salt.to_string(),
            "proof": self.proof.to_string(),
            "row": row_value(&self.opened.row),
            "salt": self.opened.salt.to_string(),
        });
        Ok(canonical::to_bytes(&value)?)
    }

    /// Judges a proof: the checkpoint's signature, the entry in the log, what it states of its segment, and the row in that.
    ///
    /// A result says that this row, letter for letter, was in the journal when the checkpoint was signed; it cannot say that the row was
    /// true, nor that there was no other.
    pub fn verify(&self, trust: &Trust) -> Result<VerifiedRow, SegmentError> {
        if self.proof.extra.is_some() {
            return Err(SegmentError::Extra);
        }
        let signed = verify::signed_by(&self.proof.checkpoint, &self.log, trust)?;
        if self.entry.kind != SEGMENT_SEALED {
            return Err(SegmentError::OtherKind {
                kind: self.entry.kind.clone(),
            });
        }
        let proven = self.proof.verify(&self.entry.to_bytes()?);
        proven.map_err(SegmentError::NotInLog)?;
        let payload = self.payload.as_bytes();
        if entry::commit(&self.payload_salt.0, payload) != self.entry.commit {
            return Err(SegmentError::Payload);
        }
        let stated = Stated::parse(payload)?;
        let of: OfSystem = serde_json::from_slice(payload).map_err(SegmentError::NotStated)?;
        stated.verify(&self.opened)?;
        let checkpoint = self.proof.checkpoint.checkpoint();
        Ok(VerifiedRow {
            row: self.opened.row.clone(),
            index: self.opened.index,
            stated,
            system: of.system,
            entry: self.proof.index,
            at: self.entry.at.clone(),
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: checkpoint.root(),
            signer: signed.log,
            trusted: !matches!(trust, Trust::Unstated),
            witnesses: signed.witnesses,
        })
    }
}

#[cfg(test)]
mod tests;
