//! Witnesses (C2SP `tlog-witness` v1.0.0): the request for a cosignature, the answers, and who may be answered how.
//!
//! A witness remembers, for each log it knows, the latest checkpoint it cosigned, and cosigns only what is consistent with it.
//! [`judge`] is that rule; keeping what it accepts, durably and before the answer, is up to who calls it. The other half reads a
//! witness's answer: [`Reply::read`] believes nothing that the witness's key has not signed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::decimal;
use crate::merkle::{self, Hash, ProofError};
use crate::note::{Note, NoteError, Signature, VerifyingKey};

/// Longest request, bytes: the longest proof, and a checkpoint with a score of post-quantum signatures.
pub const REQUEST_LEN_MAX: usize = 128 << 10;

/// Longest answer that is read, bytes.
pub const REPLY_LEN_MAX: usize = 64 << 10;

/// Most hashes in a request's proof, as the specification has it.
pub const PROOF_HASHES_MAX: usize = 63;

/// Media type of the answer that tells the size a witness holds.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// How far a cosignature's instant may lie ahead of our clock, seconds.
pub const AHEAD_S_MAX: u64 = 300;

const OLD: &str = "old ";

/// A checkpoint offered to a witness, with the proof that it continues the one of size `old`.
///
/// Shown as the body of `add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Size of the latest checkpoint that the witness cosigned, as far as the sender knows; 0 for none.
    pub old: u64,
    /// The consistency proof from `old` to the checkpoint; at most [`PROOF_HASHES_MAX`], none when `old` is 0.
    pub proof: Vec<Hash>,
    /// What is to be cosigned.
    pub checkpoint: SignedCheckpoint,
}

/// Why a request is malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request is too long.
    #[error(
        "the request has more than `{REQUEST_LEN_MAX}` bytes; leave out signatures nobody checks"
    )]
    TooLong,
    /// The text breaks the format.
    #[error("the request is malformed: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// What follows the empty line is no checkpoint.
    #[error("the request holds no checkpoint")]
    Checkpoint(#[from] CheckpointError),
}

impl Request {
    /// Reads a request, checking neither proof nor signature. Printing it again gives the same bytes.
    pub fn parse(bytes: &[u8]) -> Result<Request, RequestError> {
        let malformed = |reason| RequestError::Malformed { reason };
        if bytes.len() > REQUEST_LEN_MAX {
            return Err(RequestError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(malformed("no empty line comes before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix(OLD))
            .and_then(decimal::parse)
            .ok_or(malformed(
                "its first line is not `old` with a number without leading zeros",
            ))?;
        let proof = lines
            .take(PROOF_HASHES_MAX + 1)
            .map(Hash::from_base64)
            .collect::<Option<Vec<Hash>>>()
            .ok_or(malformed("a line of its proof is not 32 bytes in base64"))?;
        if proof.len() > PROOF_HASHES_MAX {
            return Err(malformed("its proof has more than 63 lines"));
        }
        Ok(Request {
            old,
            proof,
            checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())?,
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD}{}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// What a witness remembers of a log: the latest checkpoint it cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Number of entries.
    pub size: u64,
    /// Root hash over them.
    pub root: Hash,
}

impl Held {
    /// What is held of a log that was never cosigned.
    pub fn nothing() -> Held {
        Held {
            size: 0,
            root: merkle::empty_root(),
        }
    }

    /// What is held once this checkpoint is cosigned.
    pub fn of(checkpoint: &Checkpoint) -> Held {
        Held {
            size: checkpoint.size(),
            root: checkpoint.root(),
        }
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    /// No known log has the checkpoint's origin.
    #[error("this witness does not know the log of this checkpoint")]
    UnknownLog,
    /// None of the log's known keys has signed, or a signature by one of them does not fit.
    #[error("the checkpoint is not signed by a key that this witness knows for the log")]
    Unsigned(#[source] NoteError),
    /// The checkpoint is older than the one it is said to continue.
    #[error("the old size `{old}` is larger than the checkpoint's size `{size}`")]
    OldAboveSize {
        /// The size it is said to continue.
        old: u64,
        /// Its own size.
        size: u64,
    },
    /// It continues another checkpoint than the latest that was cosigned.
    #[error("the latest cosigned checkpoint has size `{size}`")]
    OtherSize {
        /// The latest cosigned size; 0 for none.
        size: u64,
    },
    /// The proof does not show that it continues what was cosigned.
    #[error("the checkpoint is not shown to continue the one that was cosigned last")]
    Inconsistent(#[source] ProofError),
}

impl Refusal {
    /// The status code of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) | Refusal::OldAboveSize { .. } => 400,
            Refusal::Unsigned(_) => 403,
            Refusal::UnknownLog => 404,
            Refusal::OtherSize { .. } => 409,
            Refusal::Inconsistent(_) => 422,
        }
    }

    /// Media type and text of the answer: the size for 409, else words.
    pub fn body(&self) -> (&'static str, String) {
        match self {
            Refusal::OtherSize { size } => (SIZE_MEDIA_TYPE, format!("{size}\n")),
            other => {
                let mut words = other.to_string();
                let mut cause = std::error::Error::source(other);
                while let Some(error) = cause {
                    words.push_str(&format!(": {error}"));
                    cause = error.source();
                }
                ("text/plain; charset=utf-8", format!("{words}\n"))
            }
        }
    }
}

/// What a witness may cosign, and holds from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The checkpoint's size and root.
    pub held: Held,
    /// The checkpoint with those of its signatures that are by known keys of the log; what strangers added is gone.
    pub note: Note,
}

/// Whether a witness that holds this of the log, and knows these keys of logs, may cosign the request's checkpoint.
///
/// Between reading `held` and keeping what is accepted, nothing else may be accepted of the same log; and what is accepted is kept
/// before the cosignature leaves.
pub fn judge(request: &Request, logs: &[VerifyingKey], held: Held) -> Result<Accepted, Refusal> {
    let checkpoint = request.checkpoint.checkpoint();
    let known: Vec<VerifyingKey> = logs
        .iter()
        .filter(|log| log.name() == checkpoint.origin())
        .cloned()
        .collect();
    if known.is_empty() {
        return Err(Refusal::UnknownLog);
    }
    let note = request.checkpoint.note();
    note.verify(&known).map_err(Refusal::Unsigned)?;
    let (old, size) = (request.old, checkpoint.size());
    if old > size {
        return Err(Refusal::OldAboveSize { old, size });
    }
    if old != held.size {
        return Err(Refusal::OtherSize { size: held.size });
    }
    merkle::verify_consistency(old, held.root, size, checkpoint.root(), &request.proof)
        .map_err(Refusal::Inconsistent)?;
    let by_known = |line: &&Signature| known.iter().any(|key| is_by(line, key));
    let lines = note.signatures().iter().filter(by_known).cloned().collect();
    Ok(Accepted {
        held: Held::of(checkpoint),
        note: Note::new(note.text().to_owned(), lines).map_err(Refusal::Unsigned)?,
    })
}

/// What a witness answered, as far as it can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It cosigned; the line fits the checkpoint and the witness's key.
    Cosigned(Cosignature),
    /// It holds another size than the request said: a proof from there is wanted.
    Holds {
        /// The size it says to hold.
        size: u64,
    },
}

/// A cosignature that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The signature line.
    pub line: Signature,
    /// The instant it states, seconds since 1970-01-01 UTC.
    pub unix_s: u64,
}

/// Why an answer gives no cosignature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The request was not understood.
    #[error("it did not understand the request (400); one of the two programs may be too old")]
    Malformed,
    /// The log's key is not the one the witness knows.
    #[error(
        "it knows another key for this log (403); give its operator the key that `alnager desk key` prints"
    )]
    Unsigned,
    /// The witness does not know the log.
    #[error(
        "it does not know this log (404); give its operator the key that `alnager desk key` prints"
    )]
    UnknownLog,
    /// The witness holds another history.
    #[error(
        "it holds ANOTHER HISTORY of this log (422): what it cosigned is not continued by this journal; find out which copy of the desk was used before, and write nothing until then"
    )]
    Inconsistent,
    /// The witness has a size of this log that the journal does not reach.
    #[error(
        "it has cosigned {held} entries and this journal has only {size}: an OLDER COPY of the desk is in use; put the newer one back, and write nothing until then"
    )]
    Ahead {
        /// The size it says to hold.
        held: u64,
        /// The size of the journal.
        size: u64,
    },
    /// Another status.
    #[error("it answered {status}; ask again later, or ask its operator")]
    Status {
        /// The status.
        status: u16,
    },
    /// The answer is not in the protocol's form.
    #[error("its answer cannot be read: {reason}; check its address")]
    Garbage {
        /// What is wrong.
        reason: &'static str,
    },
    /// No line is by the witness's key.
    #[error("it answered without a cosignature by the key you gave for it; nothing was kept")]
    NotByKey,
    /// A line is by the witness's key and does not fit.
    #[error("its cosignature does not fit this checkpoint; nothing was kept")]
    BadSignature,
    /// The instant lies in the future, or is none.
    #[error(
        "its cosignature states the instant {unix_s}, now is {now_s} (seconds since 1970-01-01 UTC); nothing was kept, compare the two clocks"
    )]
    Instant {
        /// The stated instant.
        unix_s: u64,
        /// Our instant.
        now_s: u64,
    },
}

impl Reply {
    /// Reads an answer to a request for this checkpoint. `now_s` is in seconds since 1970-01-01 UTC.
    ///
    /// Lines by other keys are ignored. Where several lines are by the witness's key, all must fit, and the newest is taken.
    pub fn read(
        status: u16,
        media_type: &str,
        body: &[u8],
        checkpoint: &SignedCheckpoint,
        key: &VerifyingKey,
        now_s: u64,
    ) -> Result<Reply, ReplyError> {
        let garbage = |reason| ReplyError::Garbage { reason };
        if body.len() > REPLY_LEN_MAX {
            return Err(garbage("it is too long"));
        }
        match status {
            200 => {}
            400 => return Err(ReplyError::Malformed),
            403 => return Err(ReplyError::Unsigned),
            404 => return Err(ReplyError::UnknownLog),
            409 => return holds(media_type, body, checkpoint.checkpoint().size()),
            422 => return Err(ReplyError::Inconsistent),
            status => return Err(ReplyError::Status { status }),
        }
        let lines = std::str::from_utf8(body)
            .ok()
            .and_then(|text| text.strip_suffix('\n'))
            .ok_or(garbage("it is no text that ends in a newline"))?;
        let lines = lines
            .split('\n')
            .map(Signature::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| garbage("a line is no signature"))?;
        let text = checkpoint.note().text();
        let cosigned = cosigned(text, &lines, key)?.ok_or(ReplyError::NotByKey)?;
        let unix_s = cosigned.unix_s;
        if unix_s == 0 || unix_s > now_s.saturating_add(AHEAD_S_MAX) {
            return Err(ReplyError::Instant { unix_s, now_s });
        }
        Ok(Reply::Cosigned(cosigned))
    }
}

/// The size in an answer of status 409. Earlier drafts of the protocol answer 409 to another root of the same size, too.
fn holds(media_type: &str, body: &[u8], size: u64) -> Result<Reply, ReplyError> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(SIZE_MEDIA_TYPE) {
        return Err(ReplyError::Status { status: 409 });
    }
    let held = std::str::from_utf8(body)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
        .and_then(decimal::parse);
    match held {
        None => Err(ReplyError::Garbage {
            reason: "it holds no size",
        }),
        Some(held) if held > size => Err(ReplyError::Ahead { held, size }),
        Some(size) => Ok(Reply::Holds { size }),
    }
}

/// The newest cosignature by `key` among these lines over a checkpoint's text; `None` without one. All of the key's lines must fit.
fn cosigned(
    text: &str,
    lines: &[Signature],
    key: &VerifyingKey,
) -> Result<Option<Cosignature>, ReplyError> {
    let own: Vec<Signature> = lines
        .iter()
        .filter(|line| is_by(line, key))
        .cloned()
        .collect();
    if own.is_empty() {
        return Ok(None);
    }
    let bad = |_| ReplyError::BadSignature;
    let note = Note::new(text.to_owned(), own).map_err(bad)?;
    let checked = note.verify(std::slice::from_ref(key)).map_err(bad)?;
    let fits = note.signatures().iter().zip(checked);
    let dated = fits.filter_map(|(line, checked)| {
        checked.unix_s.map(|unix_s| Cosignature {
            line: line.clone(),
            unix_s,
        })
    });
    Ok(dated.max_by_key(|cosignature| cosignature.unix_s))
}

/// The newest fitting cosignature by each of the keys, in the order of the keys, among lines kept for a checkpoint's text. Lines that
/// do not fit count for nothing.
pub fn newest(text: &str, lines: &[Signature], keys: &[VerifyingKey]) -> Vec<Cosignature> {
    let of_key = |key: &VerifyingKey| {
        let one = |line| {
            cosigned(text, std::slice::from_ref(line), key)
                .ok()
                .flatten()
        };
        lines
            .iter()
            .filter_map(one)
            .max_by_key(|found| found.unix_s)
    };
    keys.iter().filter_map(of_key).collect()
}

/// The line with the latest stated instant of each key, in ascending order of key name and id: a checkpoint that was submitted often
/// keeps one cosignature by each witness, and stays within the number of lines that a note may have.
///
/// Nothing is checked here, because no key is at hand: whoever reads the checkpoint does that.
pub fn latest(lines: Vec<Signature>) -> Vec<Signature> {
    let mut latest: BTreeMap<(String, u32), Signature> = BTreeMap::new();
    for line in lines {
        let stated = latest.entry((line.name().to_owned(), line.key_id()));
        match stated {
            Entry::Vacant(free) => drop(free.insert(line)),
            // The instant stands first, big-endian.
            Entry::Occupied(mut earlier) if line.bytes() > earlier.get().bytes() => {
                earlier.insert(line);
            }
            Entry::Occupied(_) => {}
        }
    }
    latest.into_values().collect()
}

/// When the checkpoint was last anchored outside: the latest instant at which one of the witnesses cosigned it, seconds since
/// 1970-01-01 UTC. `None` when none did.
pub fn anchored_unix_s(text: &str, lines: &[Signature], keys: &[VerifyingKey]) -> Option<u64> {
    newest(text, lines, keys)
        .iter()
        .map(|found| found.unix_s)
        .max()
}

fn is_by(line: &Signature, key: &VerifyingKey) -> bool {
    line.name() == key.name() && line.key_id() == key.id()
}

#[cfg(test)]
mod tests;
