//! Encryption: data keys, what they seal, and the key that wraps them.
//!
//! A salt lies inside the ciphertext, before the bytes it salts. Whoever has the journal but not the keys then cannot
//! guess a short payload, such as a name, and compare it with the commitment.

use std::collections::BTreeMap;

use alnager_journal::dossier::Disclosed;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use uuid::{Builder, Uuid};

use crate::error::StoreError;

/// Bytes that only a data key, or the key-encryption key, opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Fresh random bytes.
    pub(crate) nonce: [u8; NONCE_LEN],
    /// Ciphertext with its tag of 16 bytes at the end.
    pub(crate) bytes: Vec<u8>,
}

pub(crate) const NONCE_LEN: usize = 24;
pub(crate) const KEY_LEN: usize = 32;
const SALT_LEN: usize = 32;

/// What is sealed: part of the associated data, so that one thing cannot be put in another's place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What<'a> {
    /// The payload of the entry `id`, of this kind.
    Payload { kind: &'a str },
    /// A blob of the entry `id`, of this kind and name.
    Blob { kind: &'a str, name: &'a str },
    /// The data key `id`, of this owner.
    Key { owner: Uuid },
}

/// A data key as it lies in `keys.db`.
#[derive(Clone, Debug)]
pub(crate) struct WrappedKey {
    pub(crate) id: Uuid,
    /// The organisation's id, or a person's.
    pub(crate) owner: Uuid,
    pub(crate) sealed: Sealed,
}

/// The keys of one organisation. Wiped from memory when dropped, never shown.
pub(crate) struct Keyring {
    org: Uuid,
    kek: XChaCha20Poly1305,
    keys: BTreeMap<Uuid, XChaCha20Poly1305>,
    by_owner: BTreeMap<Uuid, Uuid>,
}

impl Keyring {
    pub(crate) fn new(org: Uuid, kek: &[u8; KEY_LEN]) -> Keyring {
        Keyring {
            org,
            kek: XChaCha20Poly1305::new(kek.into()),
            keys: BTreeMap::new(),
            by_owner: BTreeMap::new(),
        }
    }

    pub(crate) fn org(&self) -> Uuid {
        self.org
    }

    /// Makes a data key, wrapped; it can be used only after [`Keyring::unwrap`].
    pub(crate) fn new_key(&self, id: Uuid, owner: Uuid) -> Result<WrappedKey, StoreError> {
        let sealed = encrypt(
            &self.kek,
            &self.associated(What::Key { owner }, id),
            &random::<KEY_LEN>()?,
        )?;
        Ok(WrappedKey { id, owner, sealed })
    }

    /// Takes a data key; `None` when the key-encryption key does not open it.
    pub(crate) fn unwrap(&mut self, wrapped: &WrappedKey) -> Option<()> {
        let WrappedKey { id, owner, sealed } = wrapped;
        let key = decrypt(
            &self.kek,
            &self.associated(What::Key { owner: *owner }, *id),
            sealed,
        )?;
        self.keys
            .insert(*id, XChaCha20Poly1305::new_from_slice(&key).ok()?);
        self.by_owner.insert(*owner, *id);
        Some(())
    }

    /// The data key of the organisation, or of a person, if it has one.
    pub(crate) fn key_of(&self, owner: Uuid) -> Option<Uuid> {
        self.by_owner.get(&owner).copied()
    }

    pub(crate) fn has(&self, key: Uuid) -> bool {
        self.keys.contains_key(&key)
    }

    /// Seals salt and bytes under a data key of this ring.
    pub(crate) fn seal(
        &self,
        key: Uuid,
        what: What<'_>,
        id: Uuid,
        salted: &Disclosed,
    ) -> Result<Sealed, StoreError> {
        let cipher = self.keys.get(&key);
        assert!(
            cipher.is_some(),
            "a key is taken into the ring before something is sealed under it"
        );
        let mut plain = salted.salt.to_vec();
        plain.extend_from_slice(&salted.bytes);
        cipher.map_or(
            Err(StoreError::damaged("a data key is missing")),
            |cipher| encrypt(cipher, &self.associated(what, id), &plain),
        )
    }

    /// Opens what [`Keyring::seal`] sealed; `None` when the key is not in the ring or anything was altered.
    pub(crate) fn open(
        &self,
        key: Uuid,
        what: What<'_>,
        id: Uuid,
        sealed: &Sealed,
    ) -> Option<Disclosed> {
        let plain = decrypt(self.keys.get(&key)?, &self.associated(what, id), sealed)?;
        let (salt, bytes) = plain.split_first_chunk::<SALT_LEN>()?;
        Some(Disclosed {
            salt: *salt,
            bytes: bytes.to_vec(),
        })
    }

    /// `"alnager/seal/v1" 00 what 00 org[16] id[16] rest`; see `docs/formats/desk.md`.
    fn associated(&self, what: What<'_>, id: Uuid) -> Vec<u8> {
        let (word, rest): (&str, Vec<u8>) = match what {
            What::Payload { kind } => ("payload", kind.into()),
            What::Blob { kind, name } => {
                ("blob", [kind.as_bytes(), &[0], name.as_bytes()].concat())
            }
            What::Key { owner } => ("key", owner.as_bytes().into()),
        };
        [
            b"alnager/seal/v1\0",
            word.as_bytes(),
            &[0],
            self.org.as_bytes(),
            id.as_bytes(),
            &rest,
        ]
        .concat()
    }
}

/// Bytes with a fresh salt.
pub(crate) fn salted(bytes: Vec<u8>) -> Result<Disclosed, StoreError> {
    Ok(Disclosed {
        salt: random()?,
        bytes,
    })
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
    Ok(bytes)
}

/// A new UUID of version 7 for the instant `unix_ms`, milliseconds since 1970-01-01 UTC.
pub(crate) fn new_id(unix_ms: u64) -> Result<Uuid, StoreError> {
    Ok(Builder::from_unix_timestamp_millis(unix_ms, &random()?).into_uuid())
}

fn encrypt(cipher: &XChaCha20Poly1305, aad: &[u8], msg: &[u8]) -> Result<Sealed, StoreError> {
    let nonce = random::<NONCE_LEN>()?;
    let bytes = cipher.encrypt(&XNonce::from(nonce), Payload { msg, aad });
    // The cipher's only limit is 256 GiB (RFC 8439, 2.8), far beyond what fits into memory.
    let bytes =
        bytes.map_err(|_| StoreError::damaged("a payload or blob is too long to be encrypted"))?;
    Ok(Sealed { nonce, bytes })
}

fn decrypt(cipher: &XChaCha20Poly1305, aad: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    cipher
        .decrypt(
            &XNonce::from(sealed.nonce),
            Payload {
                msg: &sealed.bytes,
                aad,
            },
        )
        .ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn ring(kek: u8) -> Keyring {
        Keyring::new(id(1), &[kek; KEY_LEN])
    }

    #[test]
    fn a_seal_opens_only_in_its_own_place() {
        let mut ring = ring(7);
        for (key, owner) in [(2, 1), (3, 9)] {
            let key = ring.new_key(id(key), id(owner)).unwrap();
            ring.unwrap(&key).unwrap();
        }
        assert_eq!(ring.key_of(id(9)), Some(id(3)));
        let plain = salted(b"words".to_vec()).unwrap();
        let what = What::Blob {
            kind: "a.b",
            name: "c",
        };
        let sealed = ring.seal(id(2), what, id(4), &plain).unwrap();
        assert_eq!(ring.open(id(2), what, id(4), &sealed), Some(plain));

        assert_eq!(ring.open(id(3), what, id(4), &sealed), None, "another key");
        assert_eq!(
            ring.open(id(5), what, id(4), &sealed),
            None,
            "a key that is not there"
        );
        assert_eq!(
            ring.open(id(2), what, id(5), &sealed),
            None,
            "another entry"
        );
        for other in [
            What::Blob {
                kind: "a.b",
                name: "d",
            },
            What::Blob {
                kind: "a",
                name: "b",
            },
            What::Payload { kind: "a.b" },
            What::Key { owner: id(1) },
        ] {
            assert_eq!(ring.open(id(2), other, id(4), &sealed), None, "{other:?}");
        }
        for at in 0..sealed.bytes.len() {
            let mut flipped = sealed.clone();
            flipped.bytes[at] ^= 1;
            assert_eq!(ring.open(id(2), what, id(4), &flipped), None, "byte {at}");
        }
    }

    #[test]
    fn a_data_key_opens_only_under_its_own_key_and_owner() {
        let key = ring(7).new_key(id(2), id(1)).unwrap();
        assert!(ring(7).unwrap(&key).is_some());
        assert!(ring(8).unwrap(&key).is_none());
        assert!(
            ring(7)
                .unwrap(&WrappedKey {
                    owner: id(9),
                    ..key.clone()
                })
                .is_none()
        );
        assert!(ring(7).unwrap(&WrappedKey { id: id(3), ..key }).is_none());
    }

    #[test]
    fn the_layout_of_the_associated_data_is_fixed() {
        let aad = ring(7).associated(
            What::Blob {
                kind: "k",
                name: "n",
            },
            id(2),
        );
        let mut want = b"alnager/seal/v1\0blob\0".to_vec();
        want.extend(
            [[0; 15], [0; 15]]
                .map(|zeros| zeros.to_vec())
                .iter()
                .zip([1, 2])
                .flat_map(|(zeros, last)| {
                    let mut bytes = zeros.clone();
                    bytes.push(last);
                    bytes
                }),
        );
        want.extend(b"k\0n");
        assert_eq!(aad, want);
    }

    #[test]
    fn new_ids_are_of_version_7() {
        let ids = [
            new_id(1_795_000_000_000).unwrap(),
            new_id(1_795_000_000_000).unwrap(),
        ];
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids.map(|id| id.get_version_num()), [7, 7]);
    }
}
