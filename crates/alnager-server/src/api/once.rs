//! The same request twice is one entry: what was asked under which `Idempotency-Key`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The longest key, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 200;

/// Most keys remembered; beyond them all are forgotten. The journal knows every key that entered something all the same.
const KEYS_MAX: usize = 10_000;

/// What was asked under a key: SHA-256 of method, path, media type and body.
pub(super) type Fingerprint = [u8; 32];

/// What was asked under the keys of an organisation since the server began: the journal knows a key again, and this what it was for.
#[derive(Debug, Default)]
pub struct Onces {
    asked: Mutex<HashMap<Uuid, Asked>>,
}

#[derive(Debug)]
struct Asked {
    fingerprint: Fingerprint,
    is_entered: bool,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is new, or its request was refused.
    New,
    /// The same was asked and entered.
    Entered,
    /// Something else was asked under it.
    Other,
}

impl Onces {
    /// What is known of a key; remembers what it is for now.
    pub fn ask(&self, id: Uuid, fingerprint: Fingerprint) -> Known {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= KEYS_MAX && !asked.contains_key(&id) {
            asked.clear();
        }
        let known = asked.entry(id).or_insert(Asked {
            fingerprint,
            is_entered: false,
        });
        match (known.fingerprint == fingerprint, known.is_entered) {
            (true, true) => Known::Entered,
            (true, false) => Known::New,
            (false, _) => Known::Other,
        }
    }

    /// What was asked under a key is entered.
    pub fn entered(&self, id: Uuid) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asked.get_mut(&id) {
            known.is_entered = true;
        }
    }

    /// What was asked under a key was refused: the key is free for something else, unless the same was entered.
    pub fn refused(&self, id: Uuid) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.get(&id).is_some_and(|known| !known.is_entered) {
            asked.remove(&id);
        }
    }
}

/// The id of a command from a key: UUID version 8 over SHA-256 of organisation, person and key.
pub(super) fn id(organisation: &str, person: &str, key: &str) -> Uuid {
    let parts = [organisation, person, key];
    let hash = parts.into_iter().fold(
        Sha256::new_with_prefix(b"alnager idempotency key\0"),
        |hash, part| {
            let n_bytes = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.chain_update(n_bytes.to_be_bytes())
                .chain_update(part.as_bytes())
        },
    );
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_request_of_one_person() {
        let one = id("org", "mira", "a");
        assert_eq!(one, id("org", "mira", "a"));
        assert_eq!(one.get_version_num(), 8);
        for (organisation, person, key) in [
            ("org", "mira", "b"),
            ("org", "mir", "aa"),
            ("orgm", "ira", "a"),
            ("other", "mira", "a"),
        ] {
            assert_ne!(
                one,
                id(organisation, person, key),
                "{organisation} {person} {key}"
            );
        }
    }

    #[test]
    fn a_key_is_for_one_thing_once_that_is_entered() {
        let onces = Onces::default();
        let key = Uuid::from_u128(1);
        assert_eq!(onces.ask(key, [1; 32]), Known::New);
        onces.refused(key);
        assert_eq!(onces.ask(key, [2; 32]), Known::New);
        assert_eq!(onces.ask(key, [1; 32]), Known::Other);
        onces.entered(key);
        assert_eq!(onces.ask(key, [2; 32]), Known::Entered);
        onces.refused(key);
        assert_eq!(onces.ask(key, [2; 32]), Known::Entered);
    }
}
