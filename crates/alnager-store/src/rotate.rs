//! Changing secrets: another key for the log, another key-encryption key, another passphrase.
//!
//! A change of files is prepared whole in the folder `next`, and takes their place file by file. Whoever opens a desk with such a folder
//! finishes the change, or undoes it where the databases do not know it yet.

use std::path::Path;

use alnager_journal::note::KeyKind;
use alnager_office::decide::Command;
use uuid::Uuid;

use crate::database::{Database, Durability};
use crate::desk::{Desk, Files};
use crate::entropy::Entropy;
use crate::error::{CommitError, StoreError};
use crate::folder::{self, KEK, LOG_KEY, LOG_KEY_OLD};
use crate::group::{By, Receipt};
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
        self.prepare(&next, Change::LogKey(by.id)).await?;
        let entered = self.enter(&by.order(&command)).await;
        // Whether it was entered the journal knows, also where the answer was lost.
        self.settle_secrets().await?;
        entered
    }

    /// Ends the old key: it signs no more, and its seed is deleted.
    pub async fn drop_log_key(
        &mut self,
        by: &By<'_>,
        reason: &str,
    ) -> Result<Receipt, CommitError> {
        let Some(old) = self.signers.old() else {
            return Err(StoreError::OneKey.into());
        };
        let command = Command::DropLogKey {
            key: old.verifying_key(KeyKind::Ed25519).to_string(),
            reason: reason.to_owned(),
        };
        let receipt = self.enter(&by.order(&command)).await?;
        folder::remove_file(&self.place.home().join(LOG_KEY_OLD))?;
        let secrets = self.secrets.without_old();
        self.use_secrets(secrets)?;
        Ok(receipt)
    }

    /// Wraps every data key under a new key-encryption key.
    pub async fn rotate_kek(&mut self) -> Result<(), StoreError> {
        let next = self.secrets.with_new_kek(&mut self.entropy)?;
        self.prepare(&next, Change::Kek).await?;
        let wrapped = self.rewrap(&next).await;
        self.rollback().await;
        // Whether it was done the keys know, also where the answer was lost.
        self.settle_secrets().await?;
        wrapped?;
        self.files.get_mut().keys.forget(&["data_key"]).await
    }

    /// Seals the secrets under a passphrase or a key, or lays them open.
    pub async fn seal_secrets(&mut self, unlock: Unlock) -> Result<(), StoreError> {
        let place = self.place.unlocked(unlock);
        let before = std::mem::replace(&mut self.place, place);
        let secrets = self.secrets.clone();
        let prepared = self.prepare(&secrets, Change::Seal).await;
        if prepared.is_err() {
            self.place = before;
        }
        prepared?;
        self.settle_secrets().await
    }

    async fn rewrap(&mut self, next: &Secrets) -> Result<(), StoreError> {
        let org = self.log.org;
        let Desk {
            files,
            ring,
            entropy,
            ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        // Nobody makes a key meanwhile: that is done under the journal's lock.
        journal.begin(Durability::Full).await?;
        journal.heads_locked().await?;
        keys.begin(Durability::Full).await?;
        for key in keys.keys(org).await? {
            let rewrapped = ring.rewrap(&key, next.kek(), entropy)?;
            keys.rewrap_key(org, &rewrapped).await?;
        }
        keys.commit().await
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

    /// Reads the secrets again where another process has changed them. Called by whoever has the journal's lock.
    pub(crate) async fn refresh_secrets(&mut self) -> Result<(), StoreError> {
        let is_retired = |desk: &Desk| {
            let retired = desk.log.state.log.retired.get(&desk.key.to_string());
            retired.map(|key| key.dropped_at.is_some())
        };
        if is_retired(self).is_none() {
            return Ok(());
        }
        let org = self.log.org;
        let Files { journal, keys } = self.files.get_mut();
        settle(&self.place, org, journal, keys).await?;
        let secrets = Secrets::read(self.place.home(), self.place.unlock())?;
        self.use_secrets(secrets)?;
        match is_retired(self) {
            // Not dropped yet: elsewhere checkpoints carry both signatures, here one of them.
            Some(false) | None => Ok(()),
            Some(true) => Err(StoreError::OldKey {
                home: self.place.home().to_owned(),
            }),
        }
    }

    async fn prepare(&mut self, secrets: &Secrets, change: Change) -> Result<(), StoreError> {
        let Files { journal, .. } = self.files.get_mut();
        journal.begin(Durability::Full).await?;
        let locked = journal.heads_locked().await;
        let prepared = match locked {
            Ok(_) => prepare(&self.place, secrets, change, &mut self.entropy),
            Err(error) => Err(error),
        };
        self.files.get_mut().journal.rollback().await;
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
        // Whoever changes them holds this lock from the first file to the last.
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
async fn settle(
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
    match is_done {
        true => take_over(home),
        false => undo(home),
    }
}

/// Prepares a change. One that is prepared already is another process's.
fn prepare(
    place: &Place,
    secrets: &Secrets,
    change: Change,
    entropy: &mut Entropy,
) -> Result<(), StoreError> {
    if folder::is_there(&place.home().join(NEXT))? {
        return Err(StoreError::InUse {
            home: place.home().to_owned(),
        });
    }
    let next = place.home().join(NEXT);
    folder::create_dir(&next)?;
    for (name, bytes) in secrets.files(place.unlock(), entropy)? {
        folder::create_file(&next.join(name), &bytes)?;
    }
    folder::sync_dir(&next)?;
    folder::create_file(&next.join(READY), change.to_string().as_bytes())?;
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
