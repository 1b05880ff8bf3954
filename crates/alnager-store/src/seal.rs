//! Encryption: data keys, what they seal, and the key that wraps them.
//!
//! A salt lies inside the ciphertext, before the bytes it salts. Whoever has the journal but not the keys then cannot
//! guess a short payload, such as a name, and compare it with the commitment.

use std::collections::{BTreeMap, BTreeSet};

use alnager_journal::dossier::Disclosed;
use alnager_journal::merkle::Hash;
use chacha20poly1305::{AeadInOut as _, KeyInit, XChaCha20Poly1305, XNonce};
use uuid::Uuid;

use crate::entropy::Entropy;
use crate::error::StoreError;
use crate::schema::Tombstone;

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
pub(crate) const SALT_LEN: usize = 32;
const TAG_LEN: usize = 16;
pub(crate) const MARK_LEN: usize = 16;

/// What parts marks from seals.
const MARK: &[u8] = b"alnager/mark/v1\0";

/// What is sealed: part of the associated data, so that one thing cannot be put in another's place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What<'a> {
    /// The payload of the entry `id`, of this kind.
    Payload { kind: &'a str },
    /// A blob of the entry `id`, of this kind and name.
    Blob { kind: &'a str, name: &'a str },
    /// The data key `id`, of this owner.
    Key { owner: Uuid },
    /// The state after the first `size` entries, whose root is `root`.
    Snapshot { size: u64, root: Hash },
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
    /// The newest key of each owner.
    by_owner: BTreeMap<Uuid, Uuid>,
    /// Keys that were destroyed.
    buried: BTreeSet<Uuid>,
}

impl Keyring {
    pub(crate) fn new(org: Uuid, kek: &[u8; KEY_LEN]) -> Keyring {
        Keyring {
            org,
            kek: XChaCha20Poly1305::new(kek.into()),
            keys: BTreeMap::new(),
            by_owner: BTreeMap::new(),
            buried: BTreeSet::new(),
        }
    }

    pub(crate) fn org(&self) -> Uuid {
        self.org
    }

    /// Makes a data key, wrapped; it can be used only after [`Keyring::unwrap`].
    pub(crate) fn new_key(
        &self,
        id: Uuid,
        owner: Uuid,
        entropy: &mut Entropy,
    ) -> Result<WrappedKey, StoreError> {
        let sealed = encrypt(
            &self.kek,
            &self.associated(What::Key { owner }, id),
            entropy.bytes::<KEY_LEN>()?.to_vec(),
            entropy,
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
        // Ids of version 7 are in the order in which they were made.
        let newest = self.by_owner.entry(*owner).or_insert(*id);
        *newest = (*newest).max(*id);
        Some(())
    }

    /// The same data key, wrapped under another key-encryption key.
    pub(crate) fn rewrap(
        &self,
        wrapped: &WrappedKey,
        kek: &[u8; KEY_LEN],
        entropy: &mut Entropy,
    ) -> Result<WrappedKey, StoreError> {
        let WrappedKey { id, owner, sealed } = wrapped;
        let aad = self.associated(What::Key { owner: *owner }, *id);
        let key = decrypt(&self.kek, &aad, sealed).ok_or_else(|| {
            StoreError::damaged("a data key in `keys.db` does not open under `kek`")
        })?;
        Ok(WrappedKey {
            id: *id,
            owner: *owner,
            sealed: encrypt(&XChaCha20Poly1305::new(kek.into()), &aad, key, entropy)?,
        })
    }

    /// Whether a data key is wrapped under this ring's key-encryption key.
    pub(crate) fn opens(&self, wrapped: &WrappedKey) -> bool {
        let WrappedKey { id, owner, sealed } = wrapped;
        let aad = self.associated(What::Key { owner: *owner }, *id);
        decrypt(&self.kek, &aad, sealed).is_some()
    }

    /// From now on data keys are wrapped under this one; those that are open stay open.
    pub(crate) fn set_kek(&mut self, kek: &[u8; KEY_LEN]) {
        self.kek = XChaCha20Poly1305::new(kek.into());
    }

    /// Forgets a key that was destroyed.
    pub(crate) fn bury(&mut self, tombstone: Tombstone) {
        self.keys.remove(&tombstone.id);
        if self.by_owner.get(&tombstone.owner) == Some(&tombstone.id) {
            self.by_owner.remove(&tombstone.owner);
        }
        self.buried.insert(tombstone.id);
    }

    /// Whether a key was destroyed.
    pub(crate) fn is_buried(&self, key: Uuid) -> bool {
        self.buried.contains(&key)
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
        entropy: &mut Entropy,
    ) -> Result<Sealed, StoreError> {
        let cipher = self.keys.get(&key);
        assert!(
            cipher.is_some(),
            "a key is taken into the ring before something is sealed under it"
        );
        let mut plain = Vec::with_capacity(SALT_LEN + salted.bytes.len() + TAG_LEN);
        plain.extend_from_slice(&salted.salt);
        plain.extend_from_slice(&salted.bytes);
        cipher.map_or(
            Err(StoreError::damaged("a data key is missing")),
            |cipher| encrypt(cipher, &self.associated(what, id), plain, entropy),
        )
    }

    /// Bytes that follow from a message and a data key of this ring: always the same, and without the key nobody can tell of which message
    /// they are. `None` when the key is not in the ring.
    ///
    /// They are key stream of XChaCha20 under a nonce that is a hash of the message. Nonces have 24 bytes and those of seals are random, so
    /// none comes twice.
    pub(crate) fn mark(&self, key: Uuid, message: &[u8]) -> Option<[u8; MARK_LEN]> {
        let hash = Hash::of(&[MARK, self.org.as_bytes(), message].concat());
        let nonce = hash.0.first_chunk::<NONCE_LEN>()?;
        let mut stream = vec![0; MARK_LEN];
        let cipher = self.keys.get(&key)?;
        cipher
            .encrypt_in_place(&XNonce::from(*nonce), MARK, &mut stream)
            .ok()?;
        stream.first_chunk().copied()
    }

    /// Opens what [`Keyring::seal`] sealed; `None` when the key is not in the ring or anything was altered.
    pub(crate) fn open(
        &self,
        key: Uuid,
        what: What<'_>,
        id: Uuid,
        sealed: &Sealed,
    ) -> Option<Disclosed> {
        let mut bytes = decrypt(self.keys.get(&key)?, &self.associated(what, id), sealed)?;
        let salt = *bytes.first_chunk::<SALT_LEN>()?;
        bytes.drain(..SALT_LEN);
        Some(Disclosed { salt, bytes })
    }

    /// `"alnager/seal/v1" 00 what 00 org[16] id[16] rest`; see `docs/formats/desk.md`.
    fn associated(&self, what: What<'_>, id: Uuid) -> Vec<u8> {
        let word: &[u8] = match what {
            What::Payload { .. } => b"payload",
            What::Blob { .. } => b"blob",
            What::Key { .. } => b"key",
            What::Snapshot { .. } => b"snapshot",
        };
        let mut aad = Vec::with_capacity(192);
        let mut put = |bytes: &[u8]| aad.extend_from_slice(bytes);
        put(b"alnager/seal/v1\0");
        put(word);
        put(&[0]);
        put(self.org.as_bytes());
        put(id.as_bytes());
        match what {
            What::Payload { kind } => put(kind.as_bytes()),
            What::Blob { kind, name } => {
                put(kind.as_bytes());
                put(&[0]);
                put(name.as_bytes());
            }
            What::Key { owner } => put(owner.as_bytes()),
            What::Snapshot { size, root } => {
                put(&size.to_be_bytes());
                put(&root.0);
            }
        }
        aad
    }
}

pub(crate) fn encrypt(
    cipher: &XChaCha20Poly1305,
    aad: &[u8],
    plain: Vec<u8>,
    entropy: &mut Entropy,
) -> Result<Sealed, StoreError> {
    let nonce = entropy.bytes::<NONCE_LEN>()?;
    let mut bytes = plain;
    let done = cipher.encrypt_in_place(&XNonce::from(nonce), aad, &mut bytes);
    // The cipher's only limit is 256 GiB (RFC 8439, 2.8), far beyond what fits into memory.
    done.map_err(|_| StoreError::damaged("a payload or blob is too long to be encrypted"))?;
    Ok(Sealed { nonce, bytes })
}

pub(crate) fn decrypt(cipher: &XChaCha20Poly1305, aad: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    let mut bytes = sealed.bytes.clone();
    cipher
        .decrypt_in_place(&XNonce::from(sealed.nonce), aad, &mut bytes)
        .ok()?;
    Some(bytes)
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
            let key = ring
                .new_key(id(key), id(owner), &mut Entropy::system())
                .unwrap();
            ring.unwrap(&key).unwrap();
        }
        assert_eq!(ring.key_of(id(9)), Some(id(3)));
        let plain = Entropy::system().salted(b"words".to_vec()).unwrap();
        let what = What::Blob {
            kind: "a.b",
            name: "c",
        };
        let sealed = ring
            .seal(id(2), what, id(4), &plain, &mut Entropy::system())
            .unwrap();
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
    fn a_mark_follows_from_its_message_and_its_key() {
        let mut ring = ring(7);
        for key in [2, 3] {
            let key = ring
                .new_key(id(key), id(1), &mut Entropy::system())
                .unwrap();
            ring.unwrap(&key).unwrap();
        }
        let mark = |key, message: &str| ring.mark(id(key), message.as_bytes());
        assert!(mark(2, "a").is_some());
        assert_eq!(mark(2, "a"), mark(2, "a"));
        assert_ne!(mark(2, "a"), mark(2, "b"), "another message");
        assert_ne!(mark(2, "a"), mark(3, "a"), "another key");
        assert_eq!(mark(4, "a"), None, "a key that is not there");
    }

    #[test]
    fn a_data_key_opens_only_under_its_own_key_and_owner() {
        let key = ring(7)
            .new_key(id(2), id(1), &mut Entropy::system())
            .unwrap();
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
}
