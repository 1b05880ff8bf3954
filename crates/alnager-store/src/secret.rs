//! The two secrets of a desk and how they lie in its home: as they are, or sealed.
//!
//! `kek` holds the key-encryption key: 32 bytes, or a text in which it is sealed under a passphrase (Argon2id, RFC 9106) or
//! under a key that the environment hands in. `log.key` holds the seed of the log's key, and `log.key.old` that of the key before
//! it while both sign: 32 bytes each or, where `kek` is sealed, a text in which the seed is sealed under the key-encryption key.

use std::path::Path;

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::merkle::Hash;
use alnager_journal::note::{KeyKind, SigningKey, VerifyingKey};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};

use crate::entropy::Entropy;
use crate::error::StoreError;
use crate::folder::{self, KEK, LOG_KEY, LOG_KEY_OLD};
use crate::seal::{KEY_LEN, Sealed, decrypt, encrypt};

const KEK_FORM: &str = "alnager-kek/1";
const SEED_FORM: &str = "alnager-log-key/1";
const KEK_AAD: &[u8] = b"alnager/kek/v1";
const SEED_AAD: &[u8] = b"alnager/log-key/v1";

/// Memory in KiB, passes and lanes of Argon2id: the second recommended option of RFC 9106, section 4.
const PASSPHRASE_COST: (u32, u32, u32) = (65_536, 3, 4);
const PASSPHRASE_SALT_LEN: usize = 16;

/// The most that a file may ask for, so that a forged one cannot exhaust the machine: 1 GiB, 16 passes, 16 lanes.
const COST_MAX: (u32, u32, u32) = (1 << 20, 16, 16);

/// What opens a sealed `kek`. Never shown.
#[derive(Clone, Default)]
pub enum Unlock {
    /// Nothing: the secrets lie as they are.
    #[default]
    Open,
    /// A passphrase.
    Passphrase(String),
    /// A key of 32 bytes, from a key-management system for instance.
    Key([u8; KEY_LEN]),
}

impl Unlock {
    /// The passphrase in the first line of a file.
    pub fn passphrase_file(path: &Path) -> Result<Unlock, StoreError> {
        let text = std::fs::read_to_string(path).map_err(|error| StoreError::io(path, error))?;
        let first = text.lines().next().unwrap_or_default();
        if first.is_empty() {
            return Err(StoreError::NoPassphrase {
                path: path.to_owned(),
            });
        }
        Ok(Unlock::Passphrase(first.to_owned()))
    }

    /// A key of 32 bytes in base64; `None` when it is none.
    pub fn key(text: &str) -> Option<Unlock> {
        let key = STANDARD.decode(text.trim()).ok()?;
        Some(Unlock::Key(key.try_into().ok()?))
    }
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unlock::Open => "Open",
            Unlock::Passphrase(_) => "Passphrase",
            Unlock::Key(_) => "Key",
        })
    }
}

/// The secrets, opened. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secrets {
    kek: [u8; KEY_LEN],
    seed: [u8; KEY_LEN],
    /// The seed of the key before, while both sign.
    old: Option<[u8; KEY_LEN]>,
}

impl Secrets {
    pub(crate) fn new(kek: [u8; KEY_LEN], seed: [u8; KEY_LEN]) -> Secrets {
        Secrets {
            kek,
            seed,
            old: None,
        }
    }

    /// Fresh ones.
    pub(crate) fn make(entropy: &mut Entropy) -> Result<Secrets, StoreError> {
        Ok(Secrets::new(entropy.bytes()?, entropy.bytes()?))
    }

    /// The same with another seed; the one of now is the old one.
    pub(crate) fn with_new_seed(&self, entropy: &mut Entropy) -> Result<Secrets, StoreError> {
        Ok(Secrets {
            kek: self.kek,
            seed: entropy.bytes()?,
            old: Some(self.seed),
        })
    }

    /// The same without the old seed.
    pub(crate) fn without_old(&self) -> Secrets {
        Secrets::new(self.kek, self.seed)
    }

    /// The same with another key-encryption key.
    pub(crate) fn with_new_kek(&self, entropy: &mut Entropy) -> Result<Secrets, StoreError> {
        Ok(Secrets {
            kek: entropy.bytes()?,
            seed: self.seed,
            old: self.old,
        })
    }

    pub(crate) fn read(home: &Path, unlock: &Unlock) -> Result<Secrets, StoreError> {
        let kek = read_kek(&home.join(KEK), unlock)?;
        let old = home.join(LOG_KEY_OLD);
        Ok(Secrets {
            seed: read_seed(&home.join(LOG_KEY), &kek)?,
            old: match folder::is_there(&old)? {
                true => Some(read_seed(&old, &kek)?),
                false => None,
            },
            kek,
        })
    }

    pub(crate) fn kek(&self) -> &[u8; KEY_LEN] {
        &self.kek
    }

    pub(crate) fn seed(&self) -> &[u8; KEY_LEN] {
        &self.seed
    }

    /// The keys that sign checkpoints of this origin.
    pub(crate) fn signers(&self, origin: &str) -> Result<Signers, StoreError> {
        let signer = |seed: &[u8; KEY_LEN]| {
            SigningKey::new(origin, seed)
                .map_err(|error| StoreError::damaged_by("its head names no log", error))
        };
        Ok(Signers {
            current: signer(&self.seed)?,
            old: self.old.as_ref().map(signer).transpose()?,
            seeds: std::iter::once(self.seed).chain(self.old).collect(),
        })
    }

    /// The files of these secrets: names and bytes. `unlock` says how they are to be sealed.
    pub(crate) fn files(
        &self,
        unlock: &Unlock,
        entropy: &mut Entropy,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, StoreError> {
        let mut files = vec![(KEK, self.kek_file(unlock, entropy)?)];
        files.push((LOG_KEY, self.seed_file(&self.seed, unlock, entropy)?));
        if let Some(old) = &self.old {
            files.push((LOG_KEY_OLD, self.seed_file(old, unlock, entropy)?));
        }
        Ok(files)
    }

    fn kek_file(&self, unlock: &Unlock, entropy: &mut Entropy) -> Result<Vec<u8>, StoreError> {
        let (how, key) = match unlock {
            Unlock::Open => return Ok(self.kek.to_vec()),
            Unlock::Key(key) => ("external".to_owned(), *key),
            Unlock::Passphrase(passphrase) => {
                let (m, t, p) = PASSPHRASE_COST;
                let salt = entropy.bytes::<PASSPHRASE_SALT_LEN>()?;
                let how = format!("argon2id m={m} t={t} p={p} salt={}", STANDARD.encode(salt));
                (how, stretch(passphrase, PASSPHRASE_COST, &salt)?)
            }
        };
        let sealed = encrypt(
            &XChaCha20Poly1305::new(&key.into()),
            &[KEK_AAD, b"\0", how.as_bytes()].concat(),
            self.kek.to_vec(),
            entropy,
        )?;
        Ok(format!("{KEK_FORM}\n{how}\n{}\n", sealed_text(&sealed)).into_bytes())
    }

    /// The file of a seed, sealed under the key-encryption key where that is sealed itself.
    pub(crate) fn seed_file(
        &self,
        seed: &[u8; KEY_LEN],
        unlock: &Unlock,
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        if matches!(unlock, Unlock::Open) {
            return Ok(seed.to_vec());
        }
        let cipher = XChaCha20Poly1305::new(&self.kek.into());
        let sealed = encrypt(&cipher, SEED_AAD, seed.to_vec(), entropy)?;
        Ok(format!("{SEED_FORM}\n{}\n", sealed_text(&sealed)).into_bytes())
    }
}

/// The keys that sign a log's checkpoints.
pub(crate) struct Signers {
    current: SigningKey,
    old: Option<SigningKey>,
    seeds: Vec<[u8; KEY_LEN]>,
}

impl Signers {
    pub(crate) fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Whether the key before still signs beside the current one.
    pub(crate) fn old(&self) -> Option<&SigningKey> {
        self.old.as_ref()
    }

    /// The keys that these seeds have under an origin; none where that cannot name a log.
    pub(crate) fn verifying_keys(&self, origin: &str) -> Vec<VerifyingKey> {
        self.seeds
            .iter()
            .filter_map(|seed| SigningKey::new(origin, seed).ok())
            .map(|signer| signer.verifying_key(KeyKind::Ed25519))
            .collect()
    }

    pub(crate) fn sign(
        &self,
        origin: &str,
        size: u64,
        root: Hash,
    ) -> Result<SignedCheckpoint, StoreError> {
        let refused = |source| StoreError::Origin {
            origin: origin.to_owned(),
            source,
        };
        let checkpoint = Checkpoint::new(origin, size, root).map_err(refused)?;
        let mut signers = vec![&self.current];
        signers.extend(&self.old);
        SignedCheckpoint::sign(checkpoint, &signers).map_err(refused)
    }
}

fn read_kek(path: &Path, unlock: &Unlock) -> Result<[u8; KEY_LEN], StoreError> {
    let bytes = folder::read_secret(path)?;
    if let Ok(kek) = <[u8; KEY_LEN]>::try_from(bytes.as_slice()) {
        return Ok(kek);
    }
    let (how, sealed) = match lines(&bytes).as_deref() {
        Some([form, how, sealed]) if *form == KEK_FORM => ((*how).to_owned(), *sealed),
        _ => return Err(no_secret(KEK)),
    };
    let sealed = parse_sealed(sealed).ok_or_else(|| no_secret(KEK))?;
    let key = match (unlock, how.as_str()) {
        (Unlock::Key(key), "external") => *key,
        (Unlock::Passphrase(passphrase), how) if how != "external" => {
            let (cost, salt) = parse_cost(how).ok_or_else(|| no_secret(KEK))?;
            stretch(passphrase, cost, &salt)?
        }
        (_, "external") => {
            return Err(StoreError::Locked {
                needed: "a key of 32 bytes in ALNAGER_KEK, in base64",
            });
        }
        _ => {
            return Err(StoreError::Locked {
                needed: "its passphrase, in a file named by ALNAGER_PASSPHRASE_FILE",
            });
        }
    };
    let cipher = XChaCha20Poly1305::new(&key.into());
    let aad = [KEK_AAD, b"\0", how.as_bytes()].concat();
    decrypt(&cipher, &aad, &sealed)
        .and_then(|kek| kek.try_into().ok())
        .ok_or(StoreError::Locked {
            needed: "another passphrase or key: this one does not open it",
        })
}

fn read_seed(path: &Path, kek: &[u8; KEY_LEN]) -> Result<[u8; KEY_LEN], StoreError> {
    let bytes = folder::read_secret(path)?;
    if let Ok(seed) = <[u8; KEY_LEN]>::try_from(bytes.as_slice()) {
        return Ok(seed);
    }
    let sealed = match lines(&bytes).as_deref() {
        Some([form, sealed]) if *form == SEED_FORM => parse_sealed(sealed),
        _ => None,
    };
    sealed
        .and_then(|sealed| decrypt(&XChaCha20Poly1305::new(&(*kek).into()), SEED_AAD, &sealed))
        .and_then(|seed| seed.try_into().ok())
        .ok_or_else(|| no_secret(LOG_KEY))
}

fn no_secret(name: &str) -> StoreError {
    StoreError::damaged(format!(
        "`{name}` is neither 32 bytes nor a secret that this version can open"
    ))
}

/// The lines of a text, each of which ends in a newline.
fn lines(bytes: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_suffix('\n')?.split('\n').collect())
}

fn sealed_text(sealed: &Sealed) -> String {
    STANDARD.encode([&sealed.nonce[..], &sealed.bytes].concat())
}

fn parse_sealed(text: &str) -> Option<Sealed> {
    let bytes = STANDARD.decode(text).ok()?;
    let (nonce, bytes) = bytes.split_first_chunk()?;
    Some(Sealed {
        nonce: *nonce,
        bytes: bytes.to_vec(),
    })
}

/// Reads `argon2id m=… t=… p=… salt=…`.
fn parse_cost(how: &str) -> Option<((u32, u32, u32), Vec<u8>)> {
    let mut words = how.split(' ');
    if words.next() != Some("argon2id") {
        return None;
    }
    let mut value = |name: &str| words.next()?.strip_prefix(name);
    let m: u32 = value("m=")?.parse().ok()?;
    let t: u32 = value("t=")?.parse().ok()?;
    let p: u32 = value("p=")?.parse().ok()?;
    let salt = STANDARD.decode(value("salt=")?).ok()?;
    let is_bearable = m <= COST_MAX.0 && t <= COST_MAX.1 && p <= COST_MAX.2;
    (words.next().is_none() && is_bearable).then_some(((m, t, p), salt))
}

fn stretch(
    passphrase: &str,
    (m, t, p): (u32, u32, u32),
    salt: &[u8],
) -> Result<[u8; KEY_LEN], StoreError> {
    let mut key = [0; KEY_LEN];
    let params = Params::new(m, t, p, Some(KEY_LEN));
    params
        .and_then(|params| {
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
                passphrase.as_bytes(),
                salt,
                &mut key,
            )
        })
        .map_err(|_| no_secret(KEK))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn written(unlock: &Unlock) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let secrets = Secrets::new([7; 32], [9; 32]);
        for (name, bytes) in secrets.files(unlock, &mut Entropy::system()).unwrap() {
            folder::create_file(&home.path().join(name), &bytes).unwrap();
        }
        home
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_alone() {
        let passphrase = || Unlock::Passphrase("correct horse".to_owned());
        for (how, unlock, wrong) in [
            (
                "passphrase",
                passphrase(),
                Unlock::Passphrase("correct hors".to_owned()),
            ),
            ("passphrase", passphrase(), Unlock::Key([1; 32])),
            ("key", Unlock::Key([1; 32]), Unlock::Key([2; 32])),
            ("key", Unlock::Key([1; 32]), Unlock::Open),
        ] {
            let home = written(&unlock);
            let secrets = Secrets::read(home.path(), &unlock).unwrap();
            assert_eq!((secrets.kek, secrets.seed), ([7; 32], [9; 32]), "{how}");
            let refused = Secrets::read(home.path(), &wrong).err().unwrap();
            assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
            for name in [KEK, LOG_KEY] {
                let bytes = std::fs::read(home.path().join(name)).unwrap();
                assert!(
                    !bytes
                        .windows(4)
                        .any(|some| some == [7; 4] || some == [9; 4])
                );
            }
        }
        let open = written(&Unlock::Open);
        // A passphrase that is not needed does no harm.
        let secrets = Secrets::read(open.path(), &passphrase()).unwrap();
        assert_eq!(secrets.kek, [7; 32]);
    }

    #[test]
    fn a_changed_file_of_secrets_does_not_open() {
        let unlock = Unlock::Key([1; 32]);
        let home = written(&unlock);
        for name in [KEK, LOG_KEY] {
            let path = home.path().join(name);
            let whole = std::fs::read(&path).unwrap();
            for at in 0..whole.len() {
                let mut changed = whole.clone();
                changed[at] ^= 1;
                std::fs::write(&path, &changed).unwrap();
                assert!(Secrets::read(home.path(), &unlock).is_err(), "{name} {at}");
            }
            std::fs::write(&path, &whole).unwrap();
        }
        let greedy = "alnager-kek/1\nargon2id m=4294967295 t=1 p=1 salt=AAAA\nAAAA\n";
        std::fs::write(home.path().join(KEK), greedy).unwrap();
        assert!(Secrets::read(home.path(), &Unlock::Passphrase(String::new())).is_err());
    }

    #[test]
    fn debugging_shows_no_secret() {
        let shown = format!("{:?}", Unlock::Passphrase("canary".to_owned()));
        assert_eq!(shown, "Passphrase");
    }
}
