//! Looking after a desk: backup and restoring, moving, forks, other secrets, derived tables.

use std::path::Path;

use alnager_office::decide::Command;
use alnager_office::people::Basis;
use alnager_store::{By, Copied, Desk, Fork, Order, Place, Progress, Rebuilt, Receipt, Unlock};

use crate::acting::{Acting, Flags, instant, new_ids};
use crate::error::JobError;

/// A fork that was entered.
#[derive(Debug)]
pub struct Forked {
    /// Its receipt, under the new origin.
    pub receipt: Receipt,
    /// The origin that never signs again.
    pub old: String,
    /// Ids of people who were erased before, and whose erasure was entered anew.
    pub erased: Vec<String>,
    /// Who acted.
    pub actor: String,
}

/// A change of the log's key.
#[derive(Debug)]
pub struct Rotated {
    /// Its receipt.
    pub receipt: Receipt,
    /// The key that signs from now on, as a `vkey`.
    pub key: String,
}

/// Copies the desk's journal and blobs to a new folder, and its keys to another one where that is named.
pub async fn backup(
    flags: &Flags,
    to: &Path,
    keys: Option<&Path>,
    progress: Progress<'_>,
) -> Result<Copied, JobError> {
    if let Some(keys) = keys
        && (keys.starts_with(to) || to.starts_with(keys))
    {
        return Err(JobError::Input(
            "keys must not lie with the journal they open: an old copy of both brings back whoever was erased since; name a folder elsewhere with --keys"
                .to_owned(),
        ));
    }
    needs_desk(flags).await?;
    let copied = Desk::backup(&flags.desk, to, progress).await?;
    if let Some(keys) = keys {
        Desk::backup_keys(&flags.desk, keys).await?;
    }
    Ok(copied)
}

/// Puts a backup in the place of the desk's journal; its keys too, where a copy of them is named.
pub async fn restore(
    flags: &Flags,
    from: &Path,
    keys: Option<&Path>,
    progress: Progress<'_>,
) -> Result<(Copied, Option<String>), JobError> {
    let copied = Desk::restore(from, keys, &flags.desk, progress).await?;
    let desk = Desk::open(&flags.desk).await?;
    Ok((copied, desk.forked().map(str::to_owned)))
}

/// Moves the desk, keys and all, to another place.
pub async fn move_to(
    flags: &Flags,
    to: &Place,
    progress: Progress<'_>,
) -> Result<Copied, JobError> {
    needs_desk(flags).await?;
    Ok(Desk::move_to(&flags.desk, to, progress).await?)
}

/// Makes tiles and snapshot anew from the entries.
pub async fn rebuild(flags: &Flags, progress: Progress<'_>) -> Result<Rebuilt, JobError> {
    let mut desk = Acting::to_enter(flags)?.desk().await?;
    Ok(desk.rebuild(progress).await?)
}

/// Lets a journal that is not the one last signed go on under a new origin. Who was erased before is erased in it as well.
pub async fn fork(flags: &Flags, origin: Option<&str>, reason: &str) -> Result<Forked, JobError> {
    let acting = Acting::to_enter(flags)?;
    let mut desk = acting.desk().await?;
    let old = desk.origin().to_owned();
    let at = instant(acting.now);
    let with = acting.context(&desk, None)?;
    let by = By {
        id: new_ids(acting.now, 1)?[0],
        at: &at,
        with: &with,
    };
    let fork = Fork { by, origin, reason };
    let receipt = desk.fork(&fork).await?;
    let mut erased = Vec::new();
    for person in desk.buried_people().await? {
        let (person, ids) = (person.to_string(), new_ids(acting.now, 2)?);
        let with = acting.context(&desk, None)?;
        let command = Command::ErasePerson {
            person: person.clone(),
            basis: Basis::Other,
            reason: "erased before; the journal was restored from a copy that is older than that"
                .to_owned(),
        };
        let request = Order {
            id: ids[0],
            at: &at,
            command: &command,
            with: &with,
            expected: None,
        };
        let finish = By {
            id: ids[1],
            at: &at,
            with: &with,
        };
        desk.erase(&person, &request, &finish).await?;
        erased.push(person);
    }
    Ok(Forked {
        receipt,
        old,
        erased,
        actor: acting.actor.clone(),
    })
}

/// Gives the log a new key; the old one signs beside it until it is dropped.
pub async fn rotate_log_key(flags: &Flags, reason: &str) -> Result<Rotated, JobError> {
    change_key(flags, reason, true).await
}

/// Ends the key before: it signs no more, and its seed is deleted.
pub async fn drop_log_key(flags: &Flags, reason: &str) -> Result<Rotated, JobError> {
    change_key(flags, reason, false).await
}

async fn change_key(flags: &Flags, reason: &str, is_new: bool) -> Result<Rotated, JobError> {
    let acting = Acting::to_enter(flags)?;
    let mut desk = acting.desk().await?;
    let with = acting.context(&desk, None)?;
    let order = By {
        id: new_ids(acting.now, 1)?[0],
        at: &instant(acting.now),
        with: &with,
    };
    let receipt = match is_new {
        true => desk.rotate_log_key(&order, reason).await?,
        false => desk.drop_log_key(&order, reason).await?,
    };
    Ok(Rotated {
        receipt,
        key: desk.verifier_key().to_string(),
    })
}

/// Wraps every data key under a new key-encryption key.
pub async fn rotate_kek(flags: &Flags) -> Result<(), JobError> {
    let mut desk = Acting::to_enter(flags)?.desk().await?;
    Ok(desk.rotate_kek().await?)
}

/// Seals the secrets under a passphrase or a key, or lays them open.
pub async fn seal(flags: &Flags, unlock: Unlock) -> Result<(), JobError> {
    let mut desk = Acting::to_enter(flags)?.desk().await?;
    Ok(desk.seal_secrets(unlock).await?)
}

async fn needs_desk(flags: &Flags) -> Result<(), JobError> {
    // Opening it says what is wrong with it.
    Acting::begin(flags)?.desk().await?.close().await?;
    Ok(())
}
