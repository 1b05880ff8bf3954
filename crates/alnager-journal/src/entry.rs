//! Entries: what the journal holds, as canonical JSON without personal data, and the commitments in them.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::{Uuid, Variant};

use crate::canonical::{self, CanonicalError, INTEGER_MAX};
use crate::merkle::Hash;

mod read;

/// Longest entry, bytes of canonical JSON. (The bundle format would allow 65,535.)
pub const ENTRY_LEN_MAX: usize = 8_192;

/// The version of the entry format; it has been 1 from the first entry ever written.
pub const VERSION: u64 = 1;

/// The kind of the entry that says: the payloads of the entries in `refs` were erased.
pub const ERASURE_EXECUTED: &str = "erasure.executed";

/// One entry. Its payload lies beside it, encrypted; here is only the commitment.
///
/// It never holds personal data: organisation, actor and subjects are random ids, and the commitments are salted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Version of the format, [`VERSION`].
    pub v: u64,
    /// What happened: words of `a-z`, `0-9` and `_`, joined by dots, at most 64 bytes, such as `evidence.accepted`.
    pub kind: String,
    /// The entry's own id, UUID version 7, unique in the journal.
    pub id: Uuid,
    /// The organisation, UUID version 7.
    pub org: Uuid,
    /// Who acted, UUID version 7.
    pub actor: Uuid,
    /// What it is about, each id once; may be empty.
    pub subjects: Vec<Subject>,
    /// When it was written: RFC 3339, UTC, six decimals, such as `2026-11-23T08:14:00.000000Z`.
    pub at: String,
    /// The command's idempotency key, a UUID of versions 1 to 8; no personal data may be derived from it.
    pub command: Uuid,
    /// Commitment to the payload: see [`commit`].
    pub commit: Hash,
    /// Files that belong to it, by ascending name, each name once.
    pub blobs: Vec<Blob>,
    /// Indexes of earlier entries that it builds on, ascending, each once.
    pub refs: Vec<u64>,
}

/// Something an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The subject, UUID version 7.
    pub id: Uuid,
    /// Index of the previous entry about it; `None` for the first.
    pub prev: Option<u64>,
}

/// A file that belongs to an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// File name: `a-z`, `0-9`, `.`, `_` and `-`, a letter or digit at both ends, at most 64 bytes.
    pub name: String,
    /// Commitment to the file's bytes before encryption: see [`commit`].
    pub commit: Hash,
    /// Length before encryption, bytes, at most 2^53 - 1.
    pub len: u64,
    /// Media type without parameters, lower case, such as `text/html`; at most 127 bytes.
    pub media: String,
}

/// Why an entry is refused.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The entry is too long.
    #[error(
        "the entry has `{len}` bytes, more than `{ENTRY_LEN_MAX}`; put the content into its payload or a blob"
    )]
    TooLong {
        /// Its length, bytes.
        len: usize,
    },
    /// The bytes are not canonical JSON.
    #[error("the entry is not canonical JSON")]
    Canonical(#[from] CanonicalError),
    /// The JSON has other fields than an entry, or of other types.
    #[error("the JSON is no entry; see the journal format for its fields")]
    Shape(#[source] serde_json::Error),
    /// A field breaks its rule.
    #[error("field `{field}` of the entry must be {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What the field must be.
        expected: &'static str,
    },
}

impl Entry {
    /// The canonical bytes, which the log hashes. Refuses an entry that [`Entry::parse`] would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryError> {
        self.check()?;
        let bytes = self.written()?;
        if bytes.len() > ENTRY_LEN_MAX {
            return Err(EntryError::TooLong { len: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads canonical bytes; refuses anything that would be written differently by a single byte.
    pub fn parse(bytes: &[u8]) -> Result<Entry, EntryError> {
        if bytes.len() > ENTRY_LEN_MAX {
            return Err(EntryError::TooLong { len: bytes.len() });
        }
        // Only of what is not an entry is the reason looked for.
        if let Some(entry) = read::spelled(bytes)
            && entry.check().is_ok()
        {
            return Ok(entry);
        }
        let value = canonical::parse(bytes)?;
        let entry: Entry = serde_json::from_value(value).map_err(EntryError::Shape)?;
        match canonical::first_difference(&entry.to_bytes()?, bytes) {
            None => Ok(entry),
            Some(at) => Err(CanonicalError::Spelling { at }.into()),
        }
    }

    /// The canonical bytes, field by field in their order: what `canonical::to_bytes` makes of the same value, in a fraction of
    /// the time.
    fn written(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut out = Vec::with_capacity(640);
        let field = |out: &mut Vec<u8>, name: &str, text: &str| {
            out.extend_from_slice(name.as_bytes());
            canonical::write_string(out, text);
        };
        let hash = |out: &mut Vec<u8>, name: &str, hash: Hash| {
            out.extend_from_slice(name.as_bytes());
            out.push(b'"');
            out.extend_from_slice(&hash.hex());
            out.push(b'"');
        };
        let id = |out: &mut Vec<u8>, name: &str, id: Uuid| {
            field(
                out,
                name,
                id.hyphenated().encode_lower(&mut Uuid::encode_buffer()),
            );
        };
        id(&mut out, "{\"actor\":", self.actor);
        field(&mut out, ",\"at\":", &self.at);
        out.extend_from_slice(b",\"blobs\":[");
        for (at, blob) in self.blobs.iter().enumerate() {
            let open = if at > 0 { ",{" } else { "{" };
            out.extend_from_slice(open.as_bytes());
            hash(&mut out, "\"commit\":", blob.commit);
            out.extend_from_slice(b",\"len\":");
            canonical::write_natural(&mut out, blob.len)?;
            field(&mut out, ",\"media\":", &blob.media);
            field(&mut out, ",\"name\":", &blob.name);
            out.push(b'}');
        }
        id(&mut out, "],\"command\":", self.command);
        hash(&mut out, ",\"commit\":", self.commit);
        id(&mut out, ",\"id\":", self.id);
        field(&mut out, ",\"kind\":", &self.kind);
        id(&mut out, ",\"org\":", self.org);
        out.extend_from_slice(b",\"refs\":[");
        for (at, index) in self.refs.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            canonical::write_natural(&mut out, *index)?;
        }
        out.extend_from_slice(b"],\"subjects\":[");
        for (at, about) in self.subjects.iter().enumerate() {
            let open = if at > 0 { ",{\"id\":" } else { "{\"id\":" };
            id(&mut out, open, about.id);
            out.extend_from_slice(b",\"prev\":");
            match about.prev {
                Some(index) => canonical::write_natural(&mut out, index)?,
                None => out.extend_from_slice(b"null"),
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"],\"v\":");
        canonical::write_natural(&mut out, self.v)?;
        out.push(b'}');
        Ok(out)
    }

    /// Whether the entry is about `subject`, and if so which entry about it came before.
    pub fn about(&self, subject: Uuid) -> Option<&Subject> {
        self.subjects.iter().find(|about| about.id == subject)
    }

    fn check(&self) -> Result<(), EntryError> {
        let rules = [
            ("v", self.v == VERSION, "1"),
            (
                "kind",
                is_kind(&self.kind),
                "words of `a-z`, `0-9` and `_`, joined by dots, at most 64 bytes",
            ),
            ("id", is_v7(self.id), "a UUID of version 7"),
            ("org", is_v7(self.org), "a UUID of version 7"),
            ("actor", is_v7(self.actor), "a UUID of version 7"),
            (
                "subjects",
                self.subjects.iter().all(|about| is_v7(about.id)),
                "UUIDs of version 7",
            ),
            (
                "subjects",
                each_once(&self.subjects),
                "a list with each id once",
            ),
            (
                "at",
                is_instant(&self.at),
                "an instant like `2026-11-23T08:14:00.000000Z`",
            ),
            ("command", is_uuid(self.command), "a UUID"),
            (
                "blobs.name",
                self.blobs.iter().all(|blob| is_file_name(&blob.name)),
                "a short file name of `a-z`, `0-9`, `.`, `_`, `-`",
            ),
            (
                "blobs.media",
                self.blobs.iter().all(|blob| is_media(&blob.media)),
                "a media type like `text/html`",
            ),
            (
                "blobs",
                self.blobs
                    .is_sorted_by(|left, right| left.name < right.name),
                "sorted by name, each name once",
            ),
            (
                "refs",
                self.refs.is_sorted_by(|left, right| left < right),
                "ascending, each index once",
            ),
            (
                "refs",
                self.refs.iter().all(|index| *index <= INTEGER_MAX),
                "indexes up to 2^53 - 1",
            ),
        ];
        match rules.into_iter().find(|(_, kept, _)| !kept) {
            None => Ok(()),
            Some((field, _, expected)) => Err(EntryError::Field { field, expected }),
        }
    }
}

/// The commitment to a payload or a blob: `SHA-256("alnager/payload/v1" || 0x00 || salt || bytes)`.
///
/// The salt is 32 fresh random bytes for every payload and every blob; without it the commitment says nothing about
/// the bytes, so deleting the salt with them erases them.
pub fn commit(salt: &[u8; 32], bytes: &[u8]) -> Hash {
    let hash = Sha256::new()
        .chain_update(b"alnager/payload/v1\0")
        .chain_update(salt)
        .chain_update(bytes)
        .finalize();
    Hash(hash.into())
}

fn is_kind(kind: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    kind.len() <= 64 && kind.split('.').all(is_word)
}

fn is_uuid(id: Uuid) -> bool {
    id.get_variant() == Variant::RFC4122 && (1..=8).contains(&id.get_version_num())
}

fn is_v7(id: Uuid) -> bool {
    id.get_variant() == Variant::RFC4122 && id.get_version_num() == 7
}

/// Quadratic; an entry of 8 kB has at most some hundred subjects.
fn each_once(subjects: &[Subject]) -> bool {
    subjects
        .iter()
        .enumerate()
        .all(|(at, about)| subjects[..at].iter().all(|before| before.id != about.id))
}

/// Whether a name can be a blob's: it becomes a file name in a dossier, on any system.
fn is_file_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes.iter().all(|b| plain(*b) || b"._-".contains(b))
        && bytes.first().is_some_and(|b| plain(*b))
        && bytes.last().is_some_and(|b| plain(*b))
}

fn is_media(media: &str) -> bool {
    // RFC 6838, 4.2: restricted names; we write them in lower case.
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
    };
    media.len() <= 127
        && media
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

/// Whether the text is `YYYY-MM-DDThh:mm:ss.ffffffZ` with a day and a time that exist. A leap second is refused: the
/// clocks we read do not show it.
fn is_instant(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd.ddddddZ";
    let fits = |(is, want): (u8, &u8)| {
        if *want == b'd' {
            is.is_ascii_digit()
        } else {
            is == *want
        }
    };
    if text.len() != shape.len() || !text.bytes().zip(shape).all(fits) {
        return false;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .bytes()
            .fold(0_u32, |n, b| n * 10 + u32::from(b - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let is_leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => 0,
    };
    (1..=days).contains(&day) && number(11, 13) < 24 && number(14, 16) < 60 && number(17, 19) < 60
}

#[cfg(test)]
mod tests;
