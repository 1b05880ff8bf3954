//! Erasure: a person's key, salts and ciphertexts go; entries and proofs stay.

use alnager_journal::entry::Entry;
use alnager_office::decide::Command;
use uuid::Uuid;

use crate::accounts;
use crate::database::Durability;
use crate::desk::{Desk, Files};
use crate::error::{CommitError, StoreError};
use crate::group::{By, Order, Receipt};
use crate::schema::Tombstone;

/// An erasure that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The person's id.
    pub person: Uuid,
    /// The entry that asked for it.
    pub requested: u64,
    /// How many payloads are gone.
    pub n_payloads: u64,
    /// How many blobs are gone.
    pub n_blobs: u64,
    /// The receipt of the entry that says so.
    pub receipt: Receipt,
}

impl Desk {
    /// Erases a person: enters the request, destroys the person's keys, deletes payloads, blobs
    /// and whatever the accounts hold, and enters that it is done.
    ///
    /// Each step is durable before the next one and may be repeated: after an interruption the same call, with the person's id,
    /// goes on where it ended. `request` is a [`Command::ErasePerson`].
    pub async fn erase(
        &mut self,
        person: &str,
        request: &Order<'_>,
        finish: &By<'_>,
    ) -> Result<Erasure, CommitError> {
        let receipt = self.enter(request).await?;
        let state = self.state();
        let is_meant = |id: &str, requested: u64| {
            (receipt.first..receipt.end).contains(&requested) || id == person
        };
        let found = state
            .erased
            .iter()
            .find(|(id, erased)| is_meant(id, erased.requested));
        let (id, erased) = found.ok_or_else(|| {
            StoreError::damaged("an erasure that was asked for is not in the state")
        })?;
        let owner = Uuid::try_parse(id).map_err(|_| StoreError::Id {
            kind: "erasure.requested".to_owned(),
        })?;
        let entries = state.person_entries.get(id).cloned().unwrap_or_default();
        let entries: Vec<u64> = entries.into_iter().collect();
        let (n_payloads, n_blobs) = self.destroy(owner, &entries).await?;
        accounts::forget_in(&self.place, owner, self.faults.clone()).await?;
        let command = Command::FinishErasure {
            requested: erased.requested,
            n_payloads,
            n_blobs,
        };
        let order = finish.order(&command);
        Ok(Erasure {
            person: owner,
            requested: erased.requested,
            n_payloads,
            n_blobs,
            receipt: self.enter(&order).await?,
        })
    }

    /// People whose keys were destroyed, and of whom the journal does not say that they were erased: an older copy of it was put
    /// back since.
    pub async fn buried_people(&mut self) -> Result<Vec<Uuid>, StoreError> {
        let org = self.log.org;
        let tombstones = self.files.get_mut().keys.tombstones(org).await?;
        let state = self.state();
        let mut people: Vec<Uuid> = tombstones
            .into_iter()
            .map(|tombstone| tombstone.owner)
            .filter(|owner| {
                let id = owner.to_string();
                state.person_entries.contains_key(&id) && !state.erased.contains_key(&id)
            })
            .collect();
        people.dedup();
        Ok(people)
    }

    /// Destroys the keys of a person and deletes the payloads and blobs of these entries. How many of each the entries have.
    async fn destroy(&mut self, owner: Uuid, entries: &[u64]) -> Result<(u64, u64), StoreError> {
        let org = self.log.org;
        let Desk {
            ring, files, blobs, ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        // Without the key nothing opens any more, here and in every older copy of the journal.
        keys.begin(Durability::Full).await?;
        let buried = match keys.bury_keys(org, owner).await {
            Ok(()) => keys.commit().await,
            failed => failed,
        };
        keys.rollback().await;
        buried?;
        keys.forget(&["data_key"]).await?;
        for Tombstone { id, owner } in keys.tombstones(org).await? {
            ring.bury(Tombstone { id, owner });
        }

        let mut n_blobs = 0;
        let mut names = Vec::new();
        for index in entries {
            names.extend(
                journal
                    .blobs(org, *index, index + 1)
                    .await?
                    .into_iter()
                    .map(|row| row.sha256),
            );
            let row = journal.entries(org, *index, index + 1).await?.pop();
            let row =
                row.ok_or_else(|| StoreError::damaged(format!("entry `{index}` is missing")))?;
            let entry = Entry::parse(&row.entry).map_err(|error| {
                StoreError::damaged_by(format!("entry `{index}` cannot be read"), error)
            })?;
            n_blobs += entry.blobs.len() as u64;
        }
        // Files first: their names are known from the rows alone.
        for name in names {
            blobs.remove(name)?;
        }
        journal.begin(Durability::Full).await?;
        let mut deleted = Ok(());
        for index in entries {
            deleted = journal.delete_payload(org, *index).await.map(drop);
            if deleted.is_err() {
                break;
            }
        }
        let deleted = match deleted {
            Ok(()) => journal.commit().await,
            failed => failed,
        };
        journal.rollback().await;
        deleted?;
        journal.forget(&["payload", "blob"]).await?;
        Ok((entries.len() as u64, n_blobs))
    }
}
