//! The signed pack: one text file that names, hashes, signs and holds the files of a pack. The format is
//! `docs/formats/signed-pack.md`.

use std::fmt::Write as _;

use alnager_journal::note::{KeyKind, Note, NoteError, SigningKey, VerifyingKey};
use jiff::civil::Date;

use crate::error::JobError;
use crate::library::{Files, sha256};

/// The first line of a signed pack.
pub const FORMAT: &str = "alnager.signed-pack/1";

/// What packs are signed with.
pub const KEY_KIND: KeyKind = KeyKind::Ed25519;

/// The files a pack may have, in the order in which a signed pack holds them.
pub const FILES: [&str; 7] = [
    "cases.toml",
    "controls.toml",
    "evidence.toml",
    "facts.toml",
    "figures.toml",
    "pack.toml",
    "provisions.toml",
];

/// What a signed pack says and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The day up to which its law was read.
    pub known_as_of: Date,
    /// Its files by their names, from [`FILES`].
    pub files: Files,
}

/// Why a file is no signed pack that counts.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// It is something else.
    #[error(
        "this is no signed pack, which begins with the line `alnager.signed-pack/1`; name the file that `alnager law pack sign` wrote"
    )]
    Format,
    /// It ends before its manifest does.
    #[error("the file is cut off in its manifest; take it again from where it was signed")]
    CutManifest,
    /// The signature is missing, malformed, of another key, or does not fit.
    #[error("the signature does not hold: {0}")]
    Signature(NoteError),
    /// The key signs something else than packs.
    #[error(
        "a pack is signed with an Ed25519 key, and this one only cosigns; use the key that `alnager law pack keygen` printed"
    )]
    KeyKind,
    /// A line of the manifest is not what it must be.
    #[error("line {line} of the manifest is not `{wanted}`; have the pack signed again")]
    Manifest {
        /// The line, counted from 1.
        line: usize,
        /// What stands there in a signed pack.
        wanted: &'static str,
    },
    /// A file that no pack has.
    #[error("`{0}` is no file of a pack, whose files are {files}; it was not signed by this program", files = FILES.join(", "))]
    Name(String),
    /// It ends before its files do.
    #[error(
        "the file is cut off: `{name}` has {len} bytes, and {found} are left; take it again from where it was signed"
    )]
    Cut {
        /// The file that is not whole.
        name: String,
        /// Its length, bytes.
        len: usize,
        /// What is left of it, bytes.
        found: usize,
    },
    /// A file was changed after it was signed.
    #[error("`{0}` is not the file that was signed; take the pack again from where it was signed")]
    Hash(String),
    /// A file is no text.
    #[error("`{0}` is not UTF-8 text; have the pack signed again")]
    Text(String),
    /// Something follows the last file.
    #[error(
        "{0} bytes follow the last file, and nobody signed them; take the pack again from where it was signed"
    )]
    Trailing(usize),
}

/// The bytes of a signed pack. The same contents and key give the same bytes.
pub fn seal(contents: &Contents, key: &SigningKey) -> Result<Vec<u8>, JobError> {
    let text = manifest(contents);
    let signature = key.sign(&text);
    let note = Note::new(text, vec![signature])
        .map_err(|error| JobError::Input(format!("`{}` cannot be signed: {error}", contents.id)))?;
    let mut bytes = format!("{note}\n").into_bytes();
    for text in contents.files.values() {
        bytes.extend_from_slice(text.as_bytes());
    }
    Ok(bytes)
}

/// Opens a signed pack. Whatever this accepts was signed with `key`, file by file and byte by byte.
pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Contents, SignedError> {
    if key.kind() != KEY_KIND {
        return Err(SignedError::KeyKind);
    }
    if !bytes.starts_with(format!("{FORMAT}\n").as_bytes()) {
        return Err(SignedError::Format);
    }
    // The manifest has no empty line: the first ends it, the second ends its signatures.
    let first = empty_line(bytes, 0).ok_or(SignedError::CutManifest)?;
    let second = empty_line(bytes, first + 2).ok_or(SignedError::CutManifest)?;
    let note = Note::parse(&bytes[..=second]).map_err(SignedError::Signature)?;
    note.verify(std::slice::from_ref(key))
        .map_err(SignedError::Signature)?;
    let stated = Stated::read(note.text())?;
    let mut rest = &bytes[second + 2..];
    let mut files = Files::new();
    for file in &stated.files {
        if rest.len() < file.len {
            return Err(SignedError::Cut {
                name: file.name.clone(),
                len: file.len,
                found: rest.len(),
            });
        }
        let (own, after) = rest.split_at(file.len);
        rest = after;
        if sha256(own) != file.sha256 {
            return Err(SignedError::Hash(file.name.clone()));
        }
        let text = std::str::from_utf8(own).map_err(|_| SignedError::Text(file.name.clone()))?;
        files.insert(file.name.clone(), text.to_owned());
    }
    if !rest.is_empty() {
        return Err(SignedError::Trailing(rest.len()));
    }
    Ok(Contents {
        id: stated.id,
        version: stated.version,
        known_as_of: stated.known_as_of,
        files,
    })
}

/// Where the newline before the first empty line from `from` on stands.
fn empty_line(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest.windows(2).position(|pair| pair == b"\n\n")?;
    Some(from + at)
}

fn manifest(contents: &Contents) -> String {
    let mut text = format!(
        "{FORMAT}\nid {}\nversion {}\nknown_as_of {}\n",
        contents.id, contents.version, contents.known_as_of
    );
    for (name, file) in &contents.files {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "file {name} {} {}",
            file.len(),
            sha256(file.as_bytes())
        );
    }
    text
}

/// What a manifest states.
struct Stated {
    id: String,
    version: String,
    known_as_of: Date,
    files: Vec<StatedFile>,
}

struct StatedFile {
    name: String,
    len: usize,
    sha256: String,
}

impl Stated {
    fn read(text: &str) -> Result<Stated, SignedError> {
        let lines: Vec<&str> = text.lines().collect();
        let field = |at: usize, key: &str, wanted: &'static str| {
            let value = lines.get(at).and_then(|line| line.strip_prefix(key));
            let value = value.filter(|value| !value.is_empty() && !value.contains(' '));
            value.ok_or(SignedError::Manifest {
                line: at + 1,
                wanted,
            })
        };
        let mut stated = Stated {
            id: field(1, "id ", "id ID")?.to_owned(),
            version: field(2, "version ", "version VERSION")?.to_owned(),
            known_as_of: field(3, "known_as_of ", "known_as_of DAY")?
                .parse()
                .map_err(|_| SignedError::Manifest {
                    line: 4,
                    wanted: "known_as_of DAY",
                })?,
            files: Vec::new(),
        };
        for (at, line) in lines.iter().enumerate().skip(4) {
            let file = stated_file(line).ok_or(SignedError::Manifest {
                line: at + 1,
                wanted: "file NAME LENGTH SHA-256",
            })?;
            if !FILES.contains(&file.name.as_str()) {
                let shown = file.name.chars().take(100).flat_map(char::escape_default);
                return Err(SignedError::Name(shown.collect()));
            }
            let sorted = stated.files.last().is_none_or(|last| last.name < file.name);
            if !sorted {
                return Err(SignedError::Manifest {
                    line: at + 1,
                    wanted: "the next file by name",
                });
            }
            stated.files.push(file);
        }
        Ok(stated)
    }
}

fn stated_file(line: &str) -> Option<StatedFile> {
    let mut parts = line.strip_prefix("file ")?.split(' ');
    let (name, len, sha256) = (parts.next()?, parts.next()?, parts.next()?);
    let len: usize = len
        .parse()
        .ok()
        .filter(|number: &usize| number.to_string() == len)?;
    parts.next().is_none().then(|| StatedFile {
        name: name.to_owned(),
        len,
        sha256: sha256.to_owned(),
    })
}

#[cfg(test)]
mod tests;
