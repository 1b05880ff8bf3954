//! Forks: a desk whose guard has seen more than its journal holds goes on under a new origin, or not at all.

use alnager_journal::note::{KeyKind, VerifyingKey};
use alnager_office::decide::{Command, Context, decide};
use alnager_office::log::NewFork;
use alnager_office::state::State;
use jiff::Timestamp;

use crate::desk::Desk;
use crate::error::{CommitError, StoreError};
use crate::group::{By, Receipt};
use crate::guard::{self, Standing};
use crate::log::Origin;
use crate::schema::Signed;
use crate::secret::Signers;

/// What a fork needs besides the desk.
#[derive(Clone, Copy, Debug)]
pub struct Fork<'a> {
    /// Who decides it, and when.
    pub by: By<'a>,
    /// The new origin; without it the old one with the next free number behind it.
    pub origin: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
}

impl Desk {
    /// Why the desk can be read but not written: the guard has seen another journal. `None` when it can be written.
    pub fn forked(&self) -> Option<&str> {
        self.forked.as_deref()
    }

    /// Lets a journal that is not the one last signed go on under a new origin: its next entry pins the last good checkpoint
    /// and what the guard had seen. Refused where nothing has forked.
    pub async fn fork(&mut self, fork: &Fork<'_>) -> Result<Receipt, CommitError> {
        let forked = self.fork_locked(fork).await;
        self.rollback().await;
        forked
    }

    async fn fork_locked(&mut self, fork: &Fork<'_>) -> Result<Receipt, CommitError> {
        let head = self.lock_head().await?;
        if let Some(receipt) = self.entered_before(fork.by.id, fork.by.at).await? {
            return Ok(receipt);
        }
        // Also whether the desk was moved.
        let guard = self.lock_guard().await?;
        self.files.get_mut().keys.rollback().await;
        let known = self.known_root(&guard).await?;
        if matches!(
            self.standing(&guard, known),
            Standing::Level | Standing::Behind
        ) {
            return Err(StoreError::NotForked.into());
        }
        let origin = match fork.origin {
            Some(origin) => origin.to_owned(),
            None => next_origin(&head.origin, &guard.origin, &self.log.state),
        };
        if is_used(&origin, &head.origin, &guard.origin, &self.log.state) {
            return Err(StoreError::OriginUsed { origin }.into());
        }
        let signers = self.secrets.signers(&origin)?;
        let instant = || StoreError::Instant {
            at: fork.by.at.to_owned(),
        };
        let at: Timestamp = fork.by.at.parse().map_err(|_| instant())?;
        let unix_ms = u64::try_from(at.as_millisecond()).map_err(|_| instant())?;
        let command = Command::ForkLog(Box::new(NewFork {
            origin: head.origin.clone(),
            size: head.size,
            root: head.root.to_base64(),
            checkpoint: head.checkpoint.clone(),
            seen_size: guard.size,
            seen_root: guard.root.to_base64(),
            seen_checkpoint: guard.checkpoint.clone(),
            reason: fork.reason.to_owned(),
        }));
        let with = Context {
            organisation: self.log.org.to_string(),
            ..fork.by.with.clone()
        };
        let mut drafts = self.log.drafts();
        let decided = decide(drafts.state(), &command, &with)?;
        self.make_keys(&decided, unix_ms).await?;
        let order = Origin {
            command: fork.by.id,
            at: fork.by.at,
            unix_ms,
        };
        let Desk {
            log, ring, entropy, ..
        } = self;
        log.draft(&mut drafts, &decided, order, ring, entropy)?;
        let first = head.size;
        // From here on the log has its new name; when the commit fails it gets the old one back.
        let key = signers.current().verifying_key(KeyKind::Ed25519);
        let known = signers.verifying_keys(&origin);
        let old = (
            std::mem::replace(&mut self.signers, signers),
            std::mem::replace(&mut self.key, key),
            std::mem::replace(&mut self.known, known),
        );
        match self.write(&head, &guard, drafts).await {
            Ok(()) | Err(StoreError::GuardBehind { .. }) => {}
            Err(error) => {
                (self.signers, self.key, self.known) = old;
                return Err(error.into());
            }
        }
        self.forked = None;
        Ok(Receipt {
            first,
            end: self.size(),
            size: self.size(),
            origin: self.origin().to_owned(),
            root: self.log.edge.root(),
            checkpoint: self.checkpoint.to_string(),
            at: fork.by.at.to_owned(),
            already: false,
        })
    }

    /// The log's keys under an origin: its own, one it had before, or one that a backup knows nothing of.
    pub(crate) fn known_as(&self, origin: &str) -> Vec<VerifyingKey> {
        keys_under(origin, &self.signers, &self.log.state)
    }

    /// How the guard stands to the journal.
    pub(crate) fn standing(
        &self,
        guard: &Signed,
        known: Option<alnager_journal::merkle::Hash>,
    ) -> Standing {
        guard::standing(guard, known, self.size(), &self.log.state.log)
    }
}

/// The keys that a log has and had, as they are called under an origin. None where that cannot name a log.
pub(crate) fn keys_under(origin: &str, signers: &Signers, state: &State) -> Vec<VerifyingKey> {
    let mut known = signers.verifying_keys(origin);
    for retired in state.log.retired.keys() {
        let key = VerifyingKey::parse(retired).ok();
        let key = key.and_then(|key| VerifyingKey::new(origin, key.kind(), &key.to_bytes()).ok());
        known.extend(key);
    }
    known
}

/// Whether the log has, or may have had, this origin. Of numbered ones every number up to that which the guard has seen is taken: the
/// journal that used it may be the one that is lost.
fn is_used(origin: &str, head: &str, seen: &str, state: &State) -> bool {
    let (base, number) = numbered(origin);
    let is_passed = [head, seen].into_iter().any(|other| {
        let (other, reached) = numbered(other);
        base == other && number <= reached
    });
    is_passed || state.log.forks.iter().any(|fork| fork.origin == origin)
}

/// The origin without the number behind it, and the number, 1 without one.
fn numbered(origin: &str) -> (&str, u64) {
    let number = origin.rsplit_once('/').and_then(|(base, number)| {
        let parsed = number.parse().ok()?;
        Some((base, parsed))
    });
    number.unwrap_or((origin, 1))
}

/// The origin with `/2` behind it, or the number after the one it has.
fn next_origin(origin: &str, seen: &str, state: &State) -> String {
    let (base, mut number) = numbered(origin);
    loop {
        number += 1;
        let next = format!("{base}/{number}");
        if !is_used(&next, origin, seen, state) {
            return next;
        }
    }
}
