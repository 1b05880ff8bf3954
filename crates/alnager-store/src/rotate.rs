//! Changing secrets: another key for the log, another key-encryption key, another passphrase.
//!
//! A change of files is prepared whole in the folder `next`, and takes their place file by file. Whoever opens a desk with such a folder
//! finishes the change, or undoes it where the databases do not know it yet.

use std::path::Path;

use alnager_journal::note::KeyKind;
use alnager_office::decide::Command;

use crate::database::Durability;
use crate::desk::{Desk, Files};
use crate::error::{CommitError, StoreError};
use crate::folder::{self, KEK, LOG_KEY, LOG_KEY_OLD};
use crate::group::{Order, Receipt};
use crate::place::Place;
use crate::schema::Tombstone;
use crate::seal::Keyring;
use crate::secret::{Secrets, Unlock};

/// The folder of secrets that are about to take their place.
const NEXT: &str = "next";
/// Written last: says that the folder is whole, and what the change is.
const READY: &str = "ready";

/// What a prepared change waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Nothing: the same secrets, sealed in another way.
    Seal,
    /// The data keys being wrapped anew.
    Kek,
    /// The journal saying that the log has another key.
    LogKey,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Change::Seal => "seal",
            Change::Kek => "kek",
            Change::LogKey => "log-key",
        }
    }

    fn parse(bytes: &[u8]) -> Option<Change> {
        [Change::Seal, Change::Kek, Change::LogKey]
            .into_iter()
            .find(|change| change.word().as_bytes() == bytes)
    }
}

impl Desk {
    /// Gives the log a new key. The journal says so in an entry that the old key signs; from then on checkpoints carry both
    /// signatures, until [`Desk::drop_log_key`].
    pub async fn rotate_log_key(
        &mut self,
        order: &Order<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        if self.signers.old().is_some() {
            return Err(StoreError::TwoKeys.into());
        }
        let next = self.secrets.with_new_seed(&mut self.entropy)?;
        let origin = self.origin().to_owned();
        let new = next.signers(&origin)?;
        let command = Command::RotateLogKey {
            old: self.key.to_string(),
            new: new.current().verifying_key(KeyKind::Ed25519).to_string(),
            reason: reason.to_owned(),
        };
        prepare(&self.place, &next, Change::LogKey, &mut self.entropy)?;
        let entered = self
            .enter(&Order {
                command: &command,
                ..*order
            })
            .await;
        match &entered {
            Ok(_) => {
                take_over(self.place.home())?;
                self.use_secrets(next)?;
            }
            Err(_) => undo(self.place.home())?,
        }
        entered
    }

    /// Ends the old key: it signs no more, and its seed is deleted.
    pub async fn drop_log_key(
        &mut self,
        order: &Order<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        let Some(old) = self.signers.old() else {
            return Err(StoreError::OneKey.into());
        };
        let command = Command::DropLogKey {
            key: old.verifying_key(KeyKind::Ed25519).to_string(),
            reason: reason.to_owned(),
        };
        let receipt = self
            .enter(&Order {
                command: &command,
                ..*order
            })
            .await?;
        folder::remove_file(&self.place.home().join(LOG_KEY_OLD))?;
        let secrets = self.secrets.without_old();
        self.use_secrets(secrets)?;
        Ok(receipt)
    }

    /// Wraps every data key under a new key-encryption key.
    pub async fn rotate_kek(&mut self) -> Result<(), StoreError> {
        let next = self.secrets.with_new_kek(&mut self.entropy)?;
        prepare(&self.place, &next, Change::Kek, &mut self.entropy)?;
        let wrapped = self.rewrap(&next).await;
        self.rollback().await;
        if let Err(error) = wrapped {
            undo(self.place.home())?;
            return Err(error);
        }
        take_over(self.place.home())?;
        self.use_secrets(next)
    }

    /// Seals the secrets under a passphrase or a key, or lays them open.
    pub fn seal_secrets(&mut self, unlock: Unlock) -> Result<(), StoreError> {
        let place = self.place.unlocked(unlock);
        prepare(&place, &self.secrets, Change::Seal, &mut self.entropy)?;
        take_over(place.home())?;
        self.place = place;
        Ok(())
    }

    async fn rewrap(&mut self, next: &Secrets) -> Result<(), StoreError> {
        let org = self.log.org;
        let Desk {
            files,
            ring,
            entropy,
            ..
        } = self;
        let Files { keys, .. } = files.get_mut();
        keys.begin(Durability::Full).await?;
        let mut wrapped = Vec::new();
        for key in keys.keys(org).await? {
            let rewrapped = ring.rewrap(&key, next.kek(), entropy)?;
            keys.rewrap_key(org, &rewrapped).await?;
            wrapped.push(rewrapped);
        }
        keys.commit().await?;
        let tombstones = keys.tombstones(org).await?;
        keys.forget(&["data_key"]).await?;
        let mut fresh = Keyring::new(org, next.kek());
        for Tombstone { id, owner } in tombstones {
            fresh.bury(Tombstone { id, owner });
        }
        for key in &wrapped {
            fresh.unwrap(key).ok_or_else(|| {
                StoreError::damaged("a data key does not open under its new key-encryption key")
            })?;
        }
        *ring = fresh;
        Ok(())
    }

    fn use_secrets(&mut self, secrets: Secrets) -> Result<(), StoreError> {
        let origin = self.origin().to_owned();
        self.signers = secrets.signers(&origin)?;
        self.known = self.signers.verifying_keys(&origin);
        self.key = self.signers.current().verifying_key(KeyKind::Ed25519);
        self.secrets = secrets;
        Ok(())
    }

    /// Finishes or undoes a change of secrets that was interrupted.
    pub(crate) async fn settle_secrets(&mut self) -> Result<(), StoreError> {
        let home = self.place.home().to_owned();
        let next = home.join(NEXT);
        if !folder::is_there(&next)? {
            return Ok(());
        }
        let ready = next.join(READY);
        let change = match folder::is_there(&ready)? {
            true => std::fs::read(&ready).map_err(|error| StoreError::io(&ready, error))?,
            false => Vec::new(),
        };
        let is_done = match Change::parse(&change) {
            None => false,
            Some(Change::Seal) => true,
            Some(change) => {
                let secrets = Secrets::read(&next, self.place.unlock())?;
                match change {
                    Change::Kek => self.opens_under(&secrets).await?,
                    _ => {
                        let signers = secrets.signers(self.origin())?;
                        let new = signers.current().verifying_key(KeyKind::Ed25519).to_string();
                        let retired = &self.log.state.log.retired;
                        retired.values().any(|key| key.replaced_by == new)
                    }
                }
            }
        };
        match is_done {
            true => take_over(&home)?,
            false => undo(&home)?,
        }
        let secrets = Secrets::read(&home, self.place.unlock())?;
        let org = self.log.org;
        self.use_secrets(secrets)?;
        if self.ring.key_of(org).is_none() {
            self.ring = Keyring::new(org, self.secrets.kek());
        }
        Ok(())
    }

    async fn opens_under(&mut self, secrets: &Secrets) -> Result<bool, StoreError> {
        let org = self.log.org;
        let mut ring = Keyring::new(org, secrets.kek());
        let keys = self.files.get_mut().keys.keys(org).await?;
        Ok(keys.first().is_some_and(|key| ring.unwrap(key).is_some()))
    }
}

fn prepare(
    place: &Place,
    secrets: &Secrets,
    change: Change,
    entropy: &mut crate::entropy::Entropy,
) -> Result<(), StoreError> {
    undo(place.home())?;
    let next = place.home().join(NEXT);
    folder::create_dir(&next)?;
    for (name, bytes) in secrets.files(place.unlock(), entropy)? {
        folder::create_file(&next.join(name), &bytes)?;
    }
    folder::sync_dir(&next)?;
    folder::create_file(&next.join(READY), change.word().as_bytes())?;
    folder::sync_dir(&next)?;
    folder::sync_dir(place.home())
}

/// Lets prepared secrets take their place. May be repeated.
fn take_over(home: &Path) -> Result<(), StoreError> {
    let next = home.join(NEXT);
    // The old seed first: while both lie there, whoever reads finds a key that signs.
    for name in [LOG_KEY_OLD, LOG_KEY, KEK] {
        let path = next.join(name);
        if folder::is_there(&path)? {
            folder::replace_file(&home.join(name), &folder::read_secret(&path)?)?;
        }
    }
    undo(home)
}

/// Removes prepared secrets; their mark first, so that half of them is never taken for all.
fn undo(home: &Path) -> Result<(), StoreError> {
    let next = home.join(NEXT);
    if !folder::is_there(&next)? {
        return Ok(());
    }
    folder::remove_file(&next.join(READY))?;
    for name in [LOG_KEY_OLD, LOG_KEY, KEK] {
        folder::remove_file(&next.join(name))?;
    }
    std::fs::remove_dir(&next).map_err(|error| StoreError::io(&next, error))?;
    folder::sync_dir(home)
}
