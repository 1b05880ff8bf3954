//! Changing secrets: another key for the log, another key-encryption key, another passphrase.
//!
//! A change of files is prepared whole in the folder `next`, and takes their place file by file. Whoever opens a desk with such a folder
//! finishes the change, or undoes it where the databases do not know it yet.

use std::path::Path;

use alnager_journal::note::{KeyKind, VerifyingKey};
use alnager_office::decide::Command;
use alnager_office::log::RetiredKey;
use uuid::Uuid;

use crate::database::{Database, Durability};
use crate::desk::{Desk, Files};
use crate::entropy::Entropy;
use crate::error::{CommitError, StoreError};
use crate::fault::Faults;
use crate::folder::{self, KEK, LOG_KEY, LOG_KEY_OLD};
use crate::group::{By, Receipt, only_answer};
use crate::place::Place;
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
    /// The journal having the command that says that the log has another key.
    LogKey(Uuid),
}

impl Change {
    fn parse(text: &str) -> Option<Change> {
        match text.split_once(' ') {
            None if text == "seal" => Some(Change::Seal),
            None if text == "kek" => Some(Change::Kek),
            Some(("log-key", command)) => Uuid::try_parse(command).ok().map(Change::LogKey),
            _ => None,
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Change::Seal => f.write_str("seal"),
            Change::Kek => f.write_str("kek"),
            Change::LogKey(command) => write!(f, "log-key {command}"),
        }
    }
}

impl Desk {
    /// Gives the log a new key. The journal says so in an entry that the old key signs; from then on checkpoints carry both
    /// signatures, until [`Desk::drop_log_key`].
    pub async fn rotate_log_key(
        &mut self,
        by: &By<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        let entered = self.rotate_log_key_locked(by, reason).await;
        self.rollback().await;
        // Whether it was entered the journal knows, also where the answer was lost.
        let settled = self.settle_secrets().await;
        let receipt = entered?;
        settled?;
        Ok(receipt)
    }

    async fn rotate_log_key_locked(
        &mut self,
        by: &By<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        let head = self.lock().await?;
        if let Some(receipt) = self.entered_before(by.id, by.at).await? {
            return Ok(receipt);
        }
        self.renew_secrets().await?;
        if self.signers.old().is_some() {
            return Err(StoreError::TwoKeys.into());
        }
        let next = self.secrets.with_new_seed(&mut self.entropy)?;
        let new = next.signers(self.origin())?;
        let command = Command::RotateLogKey {
            old: self.key.to_string(),
            new: new.current().verifying_key(KeyKind::Ed25519).to_string(),
            reason: reason.to_owned(),
        };
        self.prepare(&next, Change::LogKey(by.id))?;
        let mut answers = self.enter_under(&head, &[by.order(&command)]).await?;
        only_answer(&mut answers)
    }

    /// Ends the old key: it signs no more, and its seed is deleted.
    pub async fn drop_log_key(
        &mut self,
        by: &By<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        let dropped = self.drop_log_key_locked(by, reason).await;
        self.rollback().await;
        let receipt = dropped?;
        // Whoever locks the journal next deletes its seed.
        let locked = self.lock().await;
        self.rollback().await;
        locked?;
        Ok(receipt)
    }

    async fn drop_log_key_locked(
        &mut self,
        by: &By<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        let head = self.lock().await?;
        if let Some(receipt) = self.entered_before(by.id, by.at).await? {
            return Ok(receipt);
        }
        let Some(old) = self.signers.old() else {
            return Err(StoreError::OneKey.into());
        };
        let old = old.verifying_key(KeyKind::Ed25519);
        // The journal calls it by the name that the log had when it was replaced.
        let key = self
            .retired(&old)
            .map_or_else(|| old.to_string(), |(key, _)| key.clone());
        let command = Command::DropLogKey {
            key,
            reason: reason.to_owned(),
        };
        let mut answers = self.enter_under(&head, &[by.order(&command)]).await?;
        only_answer(&mut answers)
    }

    /// Wraps every data key under a new key-encryption key.
    pub async fn rotate_kek(&mut self) -> Result<(), StoreError> {
        let wrapped = self.rotate_kek_locked().await;
        self.rollback().await;
        // Whether it was done the keys know, also where the answer was lost.
        let settled = self.settle_secrets().await;
        wrapped?;
        settled?;
        self.files.get_mut().keys.forget(&["data_key"]).await
    }

    async fn rotate_kek_locked(&mut self) -> Result<(), StoreError> {
        // Nobody makes a data key meanwhile: that is done under the journal's lock.
        self.lock_head().await?;
        self.renew_secrets().await?;
        let next = self.secrets.with_new_kek(&mut self.entropy)?;
        self.prepare(&next, Change::Kek)?;
        let org = self.log.org;
        let Desk {
            files,
            ring,
            entropy,
            ..
        } = self;
        let keys = &mut files.get_mut().keys;
        keys.begin(Durability::Full).await?;
        for key in keys.keys(org).await? {
            let rewrapped = ring.rewrap(&key, next.kek(), entropy)?;
            keys.rewrap_key(org, &rewrapped).await?;
        }
        keys.commit().await
    }

    /// Seals the secrets under a passphrase or a key, or lays them open.
    pub async fn seal_secrets(&mut self, unlock: Unlock) -> Result<(), StoreError> {
        let sealed = self.seal_secrets_locked(unlock).await;
        self.rollback().await;
        sealed
    }

    async fn seal_secrets_locked(&mut self, unlock: Unlock) -> Result<(), StoreError> {
        self.lock_head().await?;
        self.renew_secrets().await?;
        let place = self.place.unlocked(unlock);
        let before = std::mem::replace(&mut self.place, place);
        let secrets = self.secrets.clone();
        if let Err(error) = self.prepare(&secrets, Change::Seal) {
            self.place = before;
            return Err(error);
        }
        self.renew_secrets().await.map(drop)
    }

    fn use_secrets(&mut self, secrets: Secrets) -> Result<(), StoreError> {
        let origin = self.origin().to_owned();
        self.signers = secrets.signers(&origin)?;
        self.known = self.signers.verifying_keys(&origin);
        self.key = self.signers.current().verifying_key(KeyKind::Ed25519);
        self.ring.set_kek(secrets.kek());
        self.secrets = secrets;
        Ok(())
    }

    /// Finishes or undoes a change of secrets, and uses what is there then.
    async fn settle_secrets(&mut self) -> Result<(), StoreError> {
        let org = self.log.org;
        let Files { journal, keys } = self.files.get_mut();
        let secrets = read_secrets(&self.place, org, journal, keys).await?;
        self.use_secrets(secrets)
    }

    /// Reads the secrets again, after a change that was interrupted is finished or undone; whether they are others than before.
    ///
    /// In a transaction that has the journal's lock, or outside of one.
    pub(crate) async fn renew_secrets(&mut self) -> Result<bool, StoreError> {
        let org = self.log.org;
        let Files { journal, keys } = self.files.get_mut();
        let secrets = if journal.is_in_transaction() {
            settle(&self.place, org, journal, keys).await?;
            Secrets::read(self.place.home(), self.place.unlock())?
        } else {
            read_secrets(&self.place, org, journal, keys).await?
        };
        let are_others = secrets != self.secrets;
        if are_others {
            self.use_secrets(secrets)?;
        }
        Ok(are_others)
    }

    /// Reads the secrets again where another process has changed them. Called by whoever has the journal's lock.
    pub(crate) async fn refresh_secrets(&mut self) -> Result<(), StoreError> {
        self.forget_dropped().await?;
        if self.retired(&self.key).is_none() {
            return Ok(());
        }
        self.renew_secrets().await?;
        match self.retired(&self.key) {
            // Not dropped yet: elsewhere checkpoints carry both signatures, here one of them.
            Some((_, key)) if key.dropped_at.is_some() => Err(StoreError::OldKey {
                home: self.place.home().to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// What the journal says of a key that was replaced, and the name it has there. The log may have had another origin then.
    fn retired(&self, key: &VerifyingKey) -> Option<(&String, &RetiredKey)> {
        let mut retired = self.log.state.log.retired.iter();
        retired.find(|(text, _)| {
            VerifyingKey::parse(text).is_ok_and(|known| known.to_bytes() == key.to_bytes())
        })
    }

    /// Deletes the seed of a key that the journal says was dropped, by this command, another process, or one that was interrupted.
    /// Called by whoever has the journal's lock.
    async fn forget_dropped(&mut self) -> Result<(), StoreError> {
        if !self.has_dropped_key() {
            return Ok(());
        }
        // The key may have been replaced again since, and then the old seed that lies there still signs.
        self.renew_secrets().await?;
        if !self.has_dropped_key() {
            return Ok(());
        }
        let path = self.place.home().join(LOG_KEY_OLD);
        self.faults.step(|| folder::remove_file(&path))?;
        let secrets = self.secrets.without_old();
        self.use_secrets(secrets)
    }

    /// Whether the seed of a key that was dropped is still in memory.
    fn has_dropped_key(&self) -> bool {
        let old = self
            .signers
            .old()
            .map(|old| old.verifying_key(KeyKind::Ed25519));
        let retired = old.and_then(|old| self.retired(&old));
        retired.is_some_and(|(_, key)| key.dropped_at.is_some())
    }

    /// Prepares a change. The caller has the journal's lock, and keeps it until the databases know of the change.
    fn prepare(&mut self, secrets: &Secrets, change: Change) -> Result<(), StoreError> {
        let home = self.place.home();
        let prepared = prepare(
            &self.place,
            secrets,
            change,
            &mut self.entropy,
            &self.faults,
        );
        if prepared.is_err() {
            // The first failure is the one to tell; what stays behind is undone by the next one who looks.
            let _ = undo(home, &self.faults);
        }
        prepared
    }
}

/// The secrets of a desk, after a change that was interrupted is finished or undone.
pub(crate) async fn read_secrets(
    place: &Place,
    org: Uuid,
    journal: &mut Database,
    keys: &mut Database,
) -> Result<Secrets, StoreError> {
    if folder::is_there(&place.home().join(NEXT))? {
        // Whoever changes them has this lock from the first file until the databases know.
        journal.begin(Durability::Full).await?;
        let settled = match journal.heads_locked().await {
            Ok(_) => settle(place, org, journal, keys).await,
            Err(error) => Err(error),
        };
        journal.rollback().await;
        settled?;
    }
    Secrets::read(place.home(), place.unlock())
}

/// Finishes a prepared change that the databases know, and undoes another one. The caller has the journal's lock.
pub(crate) async fn settle(
    place: &Place,
    org: Uuid,
    journal: &mut Database,
    keys: &mut Database,
) -> Result<(), StoreError> {
    let home = place.home();
    let next = home.join(NEXT);
    if !folder::is_there(&next)? {
        return Ok(());
    }
    let ready = next.join(READY);
    let change = match folder::is_there(&ready)? {
        true => std::fs::read_to_string(&ready).map_err(|error| StoreError::io(&ready, error))?,
        false => String::new(),
    };
    let is_done = match Change::parse(&change) {
        None => false,
        Some(Change::Seal) => true,
        Some(Change::LogKey(command)) => journal.command(org, command).await?.is_some(),
        Some(Change::Kek) => {
            let secrets = Secrets::read(&next, place.unlock())?;
            let ring = Keyring::new(org, secrets.kek());
            let found = keys.keys(org).await?;
            found.first().is_some_and(|key| ring.opens(key))
        }
    };
    let faults = journal.faults();
    match is_done {
        true => take_over(home, &faults),
        false => undo(home, &faults),
    }
}

/// Writes prepared secrets; last the mark that says that they are whole.
fn prepare(
    place: &Place,
    secrets: &Secrets,
    change: Change,
    entropy: &mut Entropy,
    faults: &Faults,
) -> Result<(), StoreError> {
    let next = place.home().join(NEXT);
    faults.step(|| folder::create_dir(&next))?;
    let files = secrets.files(place.unlock(), entropy)?;
    for (name, bytes) in &files {
        faults.write(bytes, |bytes| folder::create_file(&next.join(name), bytes))?;
    }
    folder::sync_dir(&next)?;
    let mark = change.to_string();
    faults.write(mark.as_bytes(), |bytes| {
        folder::create_file(&next.join(READY), bytes)
    })?;
    folder::sync_dir(&next)?;
    folder::sync_dir(place.home())
}

/// Lets prepared secrets take their place. May be repeated.
fn take_over(home: &Path, faults: &Faults) -> Result<(), StoreError> {
    let next = home.join(NEXT);
    // The old seed first: while both lie there, whoever reads finds a key that signs.
    for name in [LOG_KEY_OLD, LOG_KEY, KEK] {
        let path = next.join(name);
        if folder::is_there(&path)? {
            let bytes = folder::read_secret(&path)?;
            faults.step(|| folder::replace_file(&home.join(name), &bytes))?;
        }
    }
    undo(home, faults)
}

/// Removes prepared secrets; their mark first, so that half of them is never taken for all.
fn undo(home: &Path, faults: &Faults) -> Result<(), StoreError> {
    let next = home.join(NEXT);
    if !folder::is_there(&next)? {
        return Ok(());
    }
    for name in [READY, LOG_KEY_OLD, LOG_KEY, KEK] {
        let path = next.join(name);
        faults.step(|| folder::remove_file(&path))?;
    }
    let remove = || std::fs::remove_dir(&next).map_err(|error| StoreError::io(&next, error));
    faults.step(remove)?;
    folder::sync_dir(home)
}
