//! The dossier: one `.tar.zst` that an outsider can check alone. Here is the container; [`crate::verify`] judges it.
//!
//! The tar archive has exactly one form for a given content, and the reader refuses every other. The zstd frame
//! around it is only a container: two frames that hold the same archive are the same dossier.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use serde::{Deserialize, Serialize};

use crate::canonical::{self, CanonicalError};
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::decimal;
use crate::entry::{Entry, EntryError};
use crate::merkle::Hash;
use crate::note::{NoteError, VerifyingKey};
use crate::proof::{Proof, ProofFileError};
use crate::scope::SubjectHead;

/// Name and version of the format, as the manifest states it.
pub const FORMAT: &str = "alnager.dossier/1";

/// Compression level of the writer. The reader does not care.
const ZSTD_LEVEL: i32 = 3;

/// Up to this length a dossier may be compressed however well; ratios only tell of an attack in larger ones.
const RATIO_FREE_LEN: u64 = 16 * 1024 * 1024;

/// A log's checkpoint and the entries it proves, with what is disclosed of their payloads and blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The log's key, as the dossier states it. Nobody need trust it.
    pub log: VerifyingKey,
    /// The checkpoint that every proof leads to.
    pub checkpoint: SignedCheckpoint,
    /// The main subject first, then the others by ascending id: see [`crate::scope::scope`].
    pub subjects: Vec<SubjectHead>,
    /// The entries by their index.
    pub entries: BTreeMap<u64, Item>,
}

/// One entry of a dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The entry.
    pub entry: Entry,
    /// Its inclusion proof, the leaf's sibling first.
    pub proof: Vec<Hash>,
    /// Its payload; `None` when it is withheld or was erased.
    pub payload: Option<Disclosed>,
    /// Those of its blobs that are disclosed, by name.
    pub blobs: BTreeMap<String, Disclosed>,
}

/// Bytes that an entry commits to, with the salt that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// The salt of the commitment.
    pub salt: [u8; 32],
    /// The bytes, as they were sealed.
    pub bytes: Vec<u8>,
}

/// Bounds that a reader sets before it unpacks a stranger's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest archive after decompression, bytes.
    pub len_max: u64,
    /// Highest ratio of the archive's length to the file's, for archives of more than 16 MiB.
    pub ratio_max: u64,
}

impl Default for Limits {
    /// 256 MiB, and a ratio of 1,000.
    fn default() -> Limits {
        Limits {
            len_max: 256 * 1024 * 1024,
            ratio_max: 1_000,
        }
    }
}

/// Why a file is no dossier, or a dossier cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    /// The file is not the one kind of zstd frame that a dossier is.
    #[error("the file is no dossier: {reason}")]
    Frame {
        /// What is wrong.
        reason: &'static str,
    },
    /// The frame does not decompress.
    #[error("the file is damaged: its compressed content cannot be read")]
    Compressed(#[source] io::Error),
    /// The archive is too long.
    #[error(
        "the dossier unpacks to `{len}` bytes, more than `{len_max}`; split it, or raise the limit if you expected that"
    )]
    TooLong {
        /// Its length after decompression, bytes.
        len: u64,
        /// The limit, bytes.
        len_max: u64,
    },
    /// The archive is compressed too well to be honest.
    #[error(
        "the dossier unpacks to `{len}` bytes from `{file_len}`, a higher ratio than `{ratio_max}`; raise the limit if you expected that"
    )]
    Ratio {
        /// Its length after decompression, bytes.
        len: u64,
        /// Length of the file, bytes.
        file_len: u64,
        /// The limit.
        ratio_max: u64,
    },
    /// The archive is no tar file.
    #[error("the dossier's archive cannot be read")]
    Tar(#[source] io::Error),
    /// The archive differs from its canonical form.
    #[error("the dossier's archive differs from its canonical form at byte `{at}`")]
    NotCanonical {
        /// Offset of the first byte that differs, after decompression.
        at: usize,
    },
    /// A member that must be there is not.
    #[error("the dossier has no member `{name}`")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A member has a name that no dossier has, or belongs to an entry or a blob that is not there.
    #[error("the dossier has a member `{name}` that belongs to nothing in it")]
    Unknown {
        /// Its name, with unusual characters escaped.
        name: String,
    },
    /// The checkpoint is malformed.
    #[error("member `checkpoint` is refused")]
    Checkpoint(#[from] CheckpointError),
    /// An entry is malformed.
    #[error("member `entries/{index}.json` is refused")]
    Entry {
        /// Index of the entry.
        index: u64,
        /// Why.
        source: EntryError,
    },
    /// A proof file is malformed.
    #[error("member `proofs/{index}.tlog-proof` is refused")]
    Proof {
        /// Index of the entry.
        index: u64,
        /// Why.
        source: ProofFileError,
    },
    /// A proof file is about another entry, carries another checkpoint, or carries extra data.
    #[error(
        "member `proofs/{index}.tlog-proof` is not the proof of entry `{index}` under the dossier's checkpoint"
    )]
    OtherProof {
        /// Index of the entry.
        index: u64,
    },
    /// A salt is malformed.
    #[error("member `{name}` is no salt: 64 lower-case hexadecimal digits and a newline")]
    Salt {
        /// Name of the member.
        name: String,
    },
    /// The manifest is malformed.
    #[error("member `manifest.json` is not canonical JSON")]
    ManifestSpelling(#[from] CanonicalError),
    /// The manifest has other fields.
    #[error("member `manifest.json` has other fields than a manifest, or of other types")]
    ManifestShape(#[source] serde_json::Error),
    /// The key in the manifest is malformed.
    #[error("the log's key in `manifest.json` is refused")]
    ManifestKey(#[source] NoteError),
    /// The manifest does not describe the other members.
    #[error(
        "`manifest.json` does not describe the other members; the dossier was altered, first at byte `{at}` of it"
    )]
    ManifestDiffers {
        /// Offset of the first byte of the manifest that differs from the one the members ask for.
        at: usize,
    },
    /// A disclosed blob is not among those of its entry.
    #[error("a disclosed blob of entry `{index}` is not among the blobs that the entry states")]
    StrayBlob {
        /// Index of the entry.
        index: u64,
    },
}

/// What `manifest.json` states. It repeats what the other members say, so that a reader sees at once what is there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    log: String,
    origin: String,
    size: u64,
    subjects: Vec<SubjectHead>,
    entries: Vec<u64>,
    members: Vec<Member>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    name: String,
    sha256: Hash,
    len: u64,
}

/// The files of the archive by name.
type Members = BTreeMap<String, Vec<u8>>;

/// The bytes of the dossier. Refuses what [`read`] with the default [`Limits`] would refuse; does not judge the
/// content: see [`crate::verify::verify`].
pub fn write(dossier: &Dossier) -> Result<Vec<u8>, DossierError> {
    let mut members = members(dossier)?;
    let manifest = manifest(
        &dossier.log,
        &dossier.checkpoint,
        &dossier.subjects,
        dossier.entries.keys(),
        &members,
    )?;
    members.insert(MANIFEST.to_owned(), manifest);
    let archive = pack(&members).map_err(DossierError::Tar)?;
    let bytes = compress(&archive).map_err(DossierError::Compressed)?;
    check_limits(archive.len() as u64, bytes.len() as u64, Limits::default())?;
    Ok(bytes)
}

/// Reads a dossier within `limits`. Whatever this accepts has, after decompression, exactly the bytes that
/// [`write()`] packs for the result; the content is not judged: see [`crate::verify::verify`].
pub fn read(bytes: &[u8], limits: Limits) -> Result<Dossier, DossierError> {
    let archive = decompress(bytes, limits)?;
    let mut members = unpack(&archive)?;
    if let Some(at) =
        canonical::first_difference(&pack(&members).map_err(DossierError::Tar)?, &archive)
    {
        return Err(DossierError::NotCanonical { at });
    }
    let manifest_bytes = take(&mut members, MANIFEST)?;
    let stated: Manifest = serde_json::from_value(canonical::parse(&manifest_bytes)?)
        .map_err(DossierError::ManifestShape)?;
    let log = VerifyingKey::parse(&stated.log).map_err(DossierError::ManifestKey)?;
    let checkpoint =
        SignedCheckpoint::parse(members.get(CHECKPOINT).ok_or_else(|| missing(CHECKPOINT))?)?;
    let indexes: Vec<u64> = members
        .keys()
        .filter_map(|name| entry_index(name))
        .collect();
    let rebuilt = manifest(
        &log,
        &checkpoint,
        &stated.subjects,
        sorted(&indexes).iter(),
        &members,
    )?;
    if let Some(at) = canonical::first_difference(&rebuilt, &manifest_bytes) {
        return Err(DossierError::ManifestDiffers { at });
    }

    members.remove(CHECKPOINT);
    let mut entries = BTreeMap::new();
    for index in indexes {
        entries.insert(index, read_item(&mut members, index, &checkpoint)?);
    }
    match members.into_keys().next() {
        None => Ok(Dossier {
            log,
            checkpoint,
            subjects: stated.subjects,
            entries,
        }),
        Some(name) => Err(DossierError::Unknown { name: shown(&name) }),
    }
}

const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint";

fn entry_name(index: u64) -> String {
    format!("entries/{index}.json")
}

fn entry_index(name: &str) -> Option<u64> {
    decimal::parse(name.strip_prefix("entries/")?.strip_suffix(".json")?)
}

fn proof_name(index: u64) -> String {
    format!("proofs/{index}.tlog-proof")
}

fn payload_names(index: u64) -> (String, String) {
    (
        format!("payloads/{index}.bin"),
        format!("salts/{index}.txt"),
    )
}

fn blob_names(index: u64, name: &str) -> (String, String) {
    (
        format!("blobs/{index}/{name}"),
        format!("salts/{index}/{name}"),
    )
}

fn sorted(indexes: &[u64]) -> Vec<u64> {
    let mut sorted = indexes.to_vec();
    sorted.sort_unstable();
    sorted
}

fn missing(name: &str) -> DossierError {
    DossierError::Missing { name: shown(name) }
}

fn take(members: &mut Members, name: &str) -> Result<Vec<u8>, DossierError> {
    members.remove(name).ok_or_else(|| missing(name))
}

/// A stranger's text made safe for a terminal.
fn shown(name: &str) -> String {
    name.chars()
        .take(100)
        .flat_map(char::escape_default)
        .collect()
}

/// All members but the manifest.
fn members(dossier: &Dossier) -> Result<Members, DossierError> {
    let mut members = Members::new();
    members.insert(
        CHECKPOINT.to_owned(),
        dossier.checkpoint.to_string().into_bytes(),
    );
    for (&index, item) in &dossier.entries {
        let entry = item
            .entry
            .to_bytes()
            .map_err(|source| DossierError::Entry { index, source })?;
        members.insert(entry_name(index), entry);
        members.insert(
            proof_name(index),
            proof(dossier, index, item).to_string().into_bytes(),
        );
        if let Some(payload) = &item.payload {
            disclose(&mut members, payload_names(index), payload);
        }
        for (name, blob) in &item.blobs {
            if item.entry.blobs.iter().all(|stated| stated.name != *name) {
                return Err(DossierError::StrayBlob { index });
            }
            disclose(&mut members, blob_names(index, name), blob);
        }
    }
    Ok(members)
}

fn proof(dossier: &Dossier, index: u64, item: &Item) -> Proof {
    Proof {
        extra: None,
        index,
        hashes: item.proof.clone(),
        checkpoint: dossier.checkpoint.clone(),
    }
}

fn disclose(members: &mut Members, (name, salt_name): (String, String), disclosed: &Disclosed) {
    members.insert(name, disclosed.bytes.clone());
    members.insert(
        salt_name,
        format!("{}\n", Hash(disclosed.salt)).into_bytes(),
    );
}

fn manifest<'i>(
    log: &VerifyingKey,
    checkpoint: &SignedCheckpoint,
    subjects: &[SubjectHead],
    indexes: impl Iterator<Item = &'i u64>,
    members: &Members,
) -> Result<Vec<u8>, DossierError> {
    let describe = |(name, bytes): (&String, &Vec<u8>)| Member {
        name: name.clone(),
        sha256: Hash::of(bytes),
        len: bytes.len() as u64,
    };
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        log: log.to_string(),
        origin: checkpoint.checkpoint().origin().to_owned(),
        size: checkpoint.checkpoint().size(),
        subjects: subjects.to_vec(),
        entries: indexes.copied().collect(),
        members: members.iter().map(describe).collect(),
    };
    let value = serde_json::to_value(&manifest).map_err(DossierError::ManifestShape)?;
    Ok(canonical::to_bytes(&value)?)
}

/// Takes the members that belong to one entry.
fn read_item(
    members: &mut Members,
    index: u64,
    checkpoint: &SignedCheckpoint,
) -> Result<Item, DossierError> {
    let entry = Entry::parse(&take(members, &entry_name(index))?);
    let entry = entry.map_err(|source| DossierError::Entry { index, source })?;
    let proof = Proof::parse(&take(members, &proof_name(index))?);
    let proof = proof.map_err(|source| DossierError::Proof { index, source })?;
    if proof.index != index || proof.checkpoint != *checkpoint || proof.extra.is_some() {
        return Err(DossierError::OtherProof { index });
    }
    let payload = read_disclosed(members, payload_names(index))?;
    let mut blobs = BTreeMap::new();
    for blob in &entry.blobs {
        if let Some(disclosed) = read_disclosed(members, blob_names(index, &blob.name))? {
            blobs.insert(blob.name.clone(), disclosed);
        }
    }
    Ok(Item {
        entry,
        proof: proof.hashes,
        payload,
        blobs,
    })
}

/// Bytes and salt are there together or not at all.
fn read_disclosed(
    members: &mut Members,
    (name, salt_name): (String, String),
) -> Result<Option<Disclosed>, DossierError> {
    let Some(bytes) = members.remove(&name) else {
        return Ok(None);
    };
    let salt = take(members, &salt_name)?;
    let salt = std::str::from_utf8(&salt)
        .ok()
        .and_then(|text| Hash::from_hex(text.strip_suffix('\n')?));
    let Hash(salt) = salt.ok_or(DossierError::Salt { name: salt_name })?;
    Ok(Some(Disclosed { salt, bytes }))
}

/// The archive: plain ustar headers, names in ascending order of bytes, two zero blocks at the end.
fn pack(members: &Members) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_path(name)?;
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(bytes.len() as u64);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        builder.append(&header, bytes.as_slice())?;
    }
    builder.into_inner()
}

/// Reads an archive loosely; [`read`] packs the result again and compares.
fn unpack(archive: &[u8]) -> Result<Members, DossierError> {
    let mut members = Members::new();
    let mut reader = tar::Archive::new(archive);
    // Raw: extensions such as long names arrive as members of their own and are refused by their type.
    for member in reader.entries().map_err(DossierError::Tar)?.raw(true) {
        let mut member = member.map_err(DossierError::Tar)?;
        if member.header().entry_type() != tar::EntryType::Regular {
            return Err(DossierError::Unknown {
                name: shown(&String::from_utf8_lossy(&member.path_bytes())),
            });
        }
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).map_err(DossierError::Tar)?;
        members.insert(name, bytes);
    }
    Ok(members)
}

/// One zstd frame of a single segment, with content size and checksum.
fn compress(archive: &[u8]) -> io::Result<Vec<u8>> {
    use zstd::zstd_safe::CParameter;
    let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    // A window as large as the content makes zstd write a single segment, whose header has no free choice in it.
    let window_log = (archive.len() as u64)
        .next_power_of_two()
        .trailing_zeros()
        .clamp(10, 31);
    compressor.set_parameter(CParameter::WindowLog(window_log))?;
    compressor.compress(archive)
}

fn decompress(bytes: &[u8], limits: Limits) -> Result<Vec<u8>, DossierError> {
    let refused = |reason| DossierError::Frame { reason };
    // RFC 8878, 3.1.1: magic number, then the descriptor. Bits 7 and 6 give the width of the content size; the others
    // must be: single segment, unused 0, reserved 0, checksum, no dictionary.
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..] = bytes else {
        return Err(refused("it does not start as a zstd frame"));
    };
    if descriptor & 0b0011_1111 != 0b0010_0100 {
        return Err(refused(
            "its zstd frame is not a single segment with checksum and without dictionary",
        ));
    }
    let damaged = || DossierError::Compressed(io::Error::from(io::ErrorKind::InvalidData));
    let frame_len = zstd::zstd_safe::find_frame_compressed_size(bytes).map_err(|_| damaged())?;
    if frame_len != bytes.len() {
        return Err(refused("bytes follow its zstd frame"));
    }
    let len = zstd::zstd_safe::get_frame_content_size(bytes)
        .ok()
        .flatten();
    let len = len.ok_or(refused(
        "its zstd frame does not state the length of its content",
    ))?;
    check_limits(len, bytes.len() as u64, limits)?;
    let capacity = usize::try_from(len).map_err(|_| damaged())?;
    zstd::bulk::decompress(bytes, capacity).map_err(DossierError::Compressed)
}

fn check_limits(len: u64, file_len: u64, limits: Limits) -> Result<(), DossierError> {
    let Limits { len_max, ratio_max } = limits;
    if len > len_max {
        return Err(DossierError::TooLong { len, len_max });
    }
    if len > RATIO_FREE_LEN && len / ratio_max > file_len {
        return Err(DossierError::Ratio {
            len,
            file_len,
            ratio_max,
        });
    }
    Ok(())
}
