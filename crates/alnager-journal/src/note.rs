//! Signed notes (C2SP `signed-note` v1.0.0): a text with signature lines, and the Ed25519 keys that make and check them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256};

/// Longest note, bytes. Post-quantum signatures have nearly 5 kB, so a hundred of them fit.
pub const NOTE_LEN_MAX: usize = 1_000_000;

/// Most signature lines in one note; the specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 100;

/// How the text of a secret key starts.
const SECRET_START: &str = "PRIVATE+KEY+";

/// How a signature line starts: an em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// Why a note or a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note is too long.
    #[error("the note has `{len}` bytes, more than `{NOTE_LEN_MAX}`; it is no checkpoint of a log")]
    TooLong {
        /// Its length, bytes.
        len: usize,
    },
    /// The note has too many signature lines.
    #[error("the note has more than `{SIGNATURES_MAX}` signatures; leave out those nobody checks")]
    TooManySignatures,
    /// The note breaks the format.
    #[error("the note is malformed: {reason}; take it again from where it was signed")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// The key name breaks the format.
    #[error(
        "a key name must not be empty and must have no spaces, control characters or `+`; use a name like `example.org/log`"
    )]
    Name,
    /// The verifier key breaks the format.
    #[error(
        "the verifier key is malformed: {reason}; it looks like `example.org/log+1a2b3c4d+AQ…`"
    )]
    Key {
        /// What is wrong.
        reason: &'static str,
    },
    /// The text is no secret key.
    #[error(
        "the secret key is malformed; it looks like `PRIVATE+KEY+example.org/packs+1a2b3c4d+AQ…`"
    )]
    SecretKey,
    /// The verifier key is of a type that this version cannot check.
    #[error(
        "the verifier key has signature type `0x{type_byte:02x}`; this version checks `0x01` and `0x04`"
    )]
    KeyType {
        /// The type byte.
        type_byte: u8,
    },
    /// A signature by a known key does not fit the text.
    #[error("the signature by `{key}` does not fit the text; the note was altered")]
    BadSignature {
        /// The verifier key.
        key: String,
    },
    /// No signature is by a known key.
    #[error("the note has no signature by a known key; check which key you were given")]
    NoKnownSignature,
}

/// What a key signs with: the signature types of the specification that this version checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `0x01`: Ed25519 over the note's text. Logs sign with it.
    Ed25519,
    /// `0x04`: Ed25519 over an instant and a checkpoint (C2SP `tlog-cosignature`). Witnesses sign with it.
    Cosignature,
}

impl KeyKind {
    fn type_byte(self) -> u8 {
        match self {
            KeyKind::Ed25519 => 0x01,
            KeyKind::Cosignature => 0x04,
        }
    }
}

/// One signature line: who says to have signed, and the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    key_id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the key's hash, big-endian.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The signature itself, without the key id; at least one byte.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads one line `— name base64`, without its newline.
    pub fn parse(line: &str) -> Result<Signature, NoteError> {
        let malformed = |reason| NoteError::Malformed { reason };
        let rest = line
            .strip_prefix(SIGNATURE_START)
            .ok_or(malformed("a signature line does not start with `— `"))?;
        let (name, base64) = rest
            .split_once(' ')
            .ok_or(malformed("a signature line has no signature"))?;
        check_name(name)?;
        let decoded = STANDARD
            .decode(base64)
            .map_err(|_| malformed("a signature is not base64"))?;
        match decoded.split_first_chunk::<4>() {
            Some((key_id, bytes)) if !bytes.is_empty() => Ok(Signature {
                name: name.to_owned(),
                key_id: u32::from_be_bytes(*key_id),
                bytes: bytes.to_vec(),
            }),
            _ => Err(malformed("a signature is shorter than five bytes")),
        }
    }
}

impl fmt::Display for Signature {
    /// The line, without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(
            f,
            "{SIGNATURE_START}{} {}",
            self.name,
            STANDARD.encode(bytes)
        )
    }
}

/// A text with at least one signature line. Shown as the bytes that were read, or would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// A signature that was checked and fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked<'k> {
    /// The key that signed.
    pub key: &'k VerifyingKey,
    /// For a cosignature, the instant it states, in seconds since 1970-01-01 UTC.
    pub unix_s: Option<u64>,
}

impl Note {
    /// A note of these parts. The text ends in a newline and has no control character but newlines.
    pub fn new(text: String, signatures: Vec<Signature>) -> Result<Note, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed {
                reason: "the text does not end in a newline",
            });
        }
        if text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed {
                reason: "it has a control character",
            });
        }
        if signatures.is_empty() {
            return Err(NoteError::Malformed {
                reason: "it has no signature",
            });
        }
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        let note = Note { text, signatures };
        let len = note.to_string().len();
        if len > NOTE_LEN_MAX {
            return Err(NoteError::TooLong { len });
        }
        Ok(note)
    }

    /// Reads a note. Printing it again gives the same bytes.
    pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
        let malformed = |reason| NoteError::Malformed { reason };
        if bytes.len() > NOTE_LEN_MAX {
            return Err(NoteError::TooLong { len: bytes.len() });
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        // The text may hold empty lines; the last one parts it from the signatures.
        let parting = whole
            .rfind("\n\n")
            .ok_or(malformed("no empty line parts text and signatures"))?;
        let (text, lines) = (&whole[..=parting], &whole[parting + 2..]);
        let lines = lines
            .strip_suffix('\n')
            .ok_or(malformed("the last line does not end in a newline"))?;
        let signatures = lines
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map(Signature::parse)
            .collect::<Result<Vec<_>, _>>()?;
        Note::new(text.to_owned(), signatures)
    }

    /// The signed text, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The same note with further signature lines at its end, such as a witness's.
    pub fn with(mut self, signatures: Vec<Signature>) -> Result<Note, NoteError> {
        self.signatures.extend(signatures);
        Note::new(self.text, self.signatures)
    }

    /// Checks the signatures against the `known` keys, and returns those that are by one of them, in order.
    ///
    /// A signature by an unknown key is ignored, also when only its name or only its id is known. A known key's
    /// signature that does not fit makes the whole note refused, and so does a note without a known signature.
    pub fn verify<'k>(&self, known: &'k [VerifyingKey]) -> Result<Vec<Checked<'k>>, NoteError> {
        let mut checked: Vec<Checked<'k>> = Vec::new();
        for signature in &self.signatures {
            for key in known
                .iter()
                .filter(|key| key.name == signature.name && key.id == signature.key_id)
            {
                let Some(unix_s) = key.check(&self.text, &signature.bytes) else {
                    return Err(NoteError::BadSignature {
                        key: key.to_string(),
                    });
                };
                checked.push(Checked { key, unix_s });
            }
        }
        if checked.is_empty() {
            Err(NoteError::NoKnownSignature)
        } else {
            Ok(checked)
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// A public key with its name: what a signature is checked against.
///
/// Written as a `vkey`: `name+hex8(key id)+base64(type || public key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    kind: KeyKind,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// A key from its 32 bytes (RFC 8032). Refuses bytes that are no point of the curve, and points of small order.
    pub fn new(name: &str, kind: KeyKind, bytes: &[u8; 32]) -> Result<VerifyingKey, NoteError> {
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| NoteError::Key {
            reason: "its bytes are no public key",
        })?;
        if key.is_weak() {
            return Err(NoteError::Key {
                reason: "its point is of small order, so anyone can sign for it",
            });
        }
        Ok(VerifyingKey {
            name: name.to_owned(),
            kind,
            id: key_id(name, kind, bytes),
            key,
        })
    }

    /// Reads a `vkey`. Printing it again gives the same text.
    pub fn parse(text: &str) -> Result<VerifyingKey, NoteError> {
        let wrong = |reason| NoteError::Key { reason };
        // Base64 may hold `+`, a name may not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong("it has not three parts joined by `+`"));
        };
        check_name(name)?;
        let decoded = STANDARD
            .decode(base64)
            .map_err(|_| wrong("its last part is not base64"))?;
        let (type_byte, bytes) = decoded
            .split_first()
            .ok_or(wrong("its last part is empty"))?;
        let kind = match type_byte {
            0x01 => KeyKind::Ed25519,
            0x04 => KeyKind::Cosignature,
            type_byte => {
                return Err(NoteError::KeyType {
                    type_byte: *type_byte,
                });
            }
        };
        let bytes = bytes
            .try_into()
            .map_err(|_| wrong("its public key has not 32 bytes"))?;
        let key = VerifyingKey::new(name, kind, bytes)?;
        if id != format!("{:08x}", key.id) {
            return Err(wrong(
                "its key id is not that of its name and public key, in eight lower-case digits",
            ));
        }
        Ok(key)
    }

    /// Name of the key; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs with.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// First four bytes, big-endian, of `SHA-256(name || 0x0A || type || public key)`.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The public key, 32 bytes (RFC 8032).
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// `None` when the signature does not fit; else the instant that a cosignature states.
    fn check(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        match self.kind {
            KeyKind::Ed25519 => {
                self.fits(text.as_bytes(), signature)?;
                Some(None)
            }
            KeyKind::Cosignature => {
                let (unix_s, signature) = signature.split_first_chunk::<8>()?;
                let unix_s = u64::from_be_bytes(*unix_s);
                // The specification bounds the instant by 2^63 - 1.
                i64::try_from(unix_s).ok()?;
                self.fits(cosigned(text, unix_s).as_bytes(), signature)?;
                Some(Some(unix_s))
            }
        }
    }

    /// The strict check refuses signatures that others may accept (small-order and non-canonical points), so that a
    /// note has one meaning for everyone.
    fn fits(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let signature = ed25519_dalek::Signature::from_bytes(signature.try_into().ok()?);
        self.key.verify_strict(message, &signature).ok()
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.type_byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id,
            STANDARD.encode(bytes)
        )
    }
}

/// A secret key with its name. Its bytes are wiped from memory when it is dropped, and never shown.
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A key from its 32 secret seed bytes (RFC 8032), which must come from a source of strong randomness.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<SigningKey, NoteError> {
        check_name(name)?;
        Ok(SigningKey {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(seed),
        })
    }

    /// Reads a key from the text that [`SigningKey::to_secret_text`] writes.
    pub fn parse(text: &str) -> Result<SigningKey, NoteError> {
        let rest = text
            .strip_prefix(SECRET_START)
            .ok_or(NoteError::SecretKey)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteError::SecretKey);
        };
        let bytes = STANDARD.decode(base64).map_err(|_| NoteError::SecretKey)?;
        let Some((&0x01, seed)) = bytes.split_first() else {
            return Err(NoteError::SecretKey);
        };
        let seed = seed.try_into().map_err(|_| NoteError::SecretKey)?;
        let key = SigningKey::new(name, seed)?;
        if id == format!("{:08x}", key.verifying_key(KeyKind::Ed25519).id) {
            Ok(key)
        } else {
            Err(NoteError::SecretKey)
        }
    }

    /// The secret itself as text, for a file that only its owner may read: `PRIVATE+KEY+name+hex8(key id)+base64(0x01 || seed)`,
    /// as other implementations of signed notes write it.
    pub fn to_secret_text(&self) -> String {
        let mut bytes = vec![KeyKind::Ed25519.type_byte()];
        bytes.extend_from_slice(&self.key.to_bytes());
        let id = self.verifying_key(KeyKind::Ed25519).id;
        format!(
            "{SECRET_START}{}+{id:08x}+{}",
            self.name,
            STANDARD.encode(bytes)
        )
    }

    /// The public key under which a signature of this `kind` is checked.
    ///
    /// A witness must use a key that signs nothing else.
    pub fn verifying_key(&self, kind: KeyKind) -> VerifyingKey {
        let key = self.key.verifying_key();
        let id = key_id(&self.name, kind, key.as_bytes());
        VerifyingKey {
            name: self.name.clone(),
            kind,
            id,
            key,
        }
    }

    /// Signs the text of a note (type `0x01`). Signing the same text twice gives the same bytes.
    pub fn sign(&self, text: &str) -> Signature {
        self.line(
            KeyKind::Ed25519,
            self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        )
    }

    /// Cosigns the text of a checkpoint at an instant (type `0x04`), seconds since 1970-01-01 UTC, at most 2^63 - 1.
    ///
    /// It states that this was the largest consistent tree seen of that log; whoever calls it has checked that.
    pub fn cosign(&self, text: &str, unix_s: u64) -> Signature {
        let mut bytes = unix_s.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(cosigned(text, unix_s).as_bytes()).to_bytes());
        self.line(KeyKind::Cosignature, bytes)
    }

    fn line(&self, kind: KeyKind, bytes: Vec<u8>) -> Signature {
        Signature {
            name: self.name.clone(),
            key_id: self.verifying_key(kind).id,
            bytes,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The message of an Ed25519 cosignature.
fn cosigned(text: &str, unix_s: u64) -> String {
    format!("cosignature/v1\ntime {unix_s}\n{text}")
}

fn key_id(name: &str, kind: KeyKind, public_key: &[u8; 32]) -> u32 {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind.type_byte()])
        .chain_update(public_key)
        .finalize()
        .into();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// The rule for key names, which checkpoint origins of ours keep too.
pub(crate) fn check_name(name: &str) -> Result<(), NoteError> {
    let wrong = |c: char| c.is_whitespace() || c < ' ' || c == '+';
    if name.is_empty() || name.contains(wrong) {
        Err(NoteError::Name)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
