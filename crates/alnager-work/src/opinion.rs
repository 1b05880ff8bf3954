//! Audit opinions: given on a state of the journal that was signed, and withdrawn.

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::Hash;
use alnager_office::decide::Command;
use alnager_office::opinion::{Conclusion, NewAuditOpinion, document};
use alnager_store::Desk;
use uuid::Uuid;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::journal::checkpoint_of;
use crate::records::{About, Entered, enter};

/// An opinion to give.
#[derive(Debug, Clone)]
pub struct Giving {
    /// The system's id.
    pub system: String,
    /// What is concluded.
    pub conclusion: Conclusion,
    /// On what basis.
    pub basis: String,
    /// The checkpoint of what was read; without it the journal as it is now.
    pub checkpoint: Option<SignedCheckpoint>,
    /// The auditor's own signed note, where there is one.
    pub note: Option<String>,
}

/// A state of the journal that somebody read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Number of entries.
    pub size: u64,
    /// The root hash over them.
    pub root: Hash,
}

/// The state of a journal over `size` entries, or the last one, held against its signed checkpoint; and against the root that whoever
/// read it names. Refused where it holds nothing about the system.
pub async fn read_in(
    desk: &Desk,
    system: &str,
    size: Option<u64>,
    root: Option<Hash>,
) -> Result<Read, JobError> {
    let signed = checkpoint_of(desk, size).await?;
    let checkpoint = signed.checkpoint();
    let read = Read {
        size: checkpoint.size(),
        root: checkpoint.root(),
    };
    if root.is_some_and(|root| root != read.root) {
        return Err(JobError::Input(format!(
            "the first {} entries of this journal have another root than the one you read; what you read is of another journal",
            read.size
        )));
    }
    let state = desk.state();
    let Some(known) = state.systems.get(system) else {
        // The office names what there is.
        return Ok(read);
    };
    let subject: Uuid = known
        .subject
        .parse()
        .map_err(|_| JobError::Internal("the system has no subject id".to_owned()))?;
    let about = desk.entries_about(subject).await?;
    match about.first().is_some_and(|(first, _)| *first < read.size) {
        true => Ok(read),
        false => Err(JobError::Input(format!(
            "the first {} entries say nothing of `{system}`; name a later state of the journal",
            read.size
        ))),
    }
}

impl Giving {
    async fn read(&self, desk: &Desk) -> Result<Read, JobError> {
        let named = self.checkpoint.as_ref().map(SignedCheckpoint::checkpoint);
        if let Some(named) = named
            && named.origin() != desk.origin()
        {
            return Err(JobError::Input(format!(
                "the checkpoint is of `{}`, and this desk's journal is `{}`",
                named.origin(),
                desk.origin()
            )));
        }
        let (size, root) = (named.map(|one| one.size()), named.map(|one| one.root()));
        read_in(desk, &self.system, size, root).await
    }
}

/// Gives an opinion on behalf of an auditor.
pub async fn give(flags: &Flags, giving: &Giving) -> Result<Entered, JobError> {
    let acting = Acting::to_enter(flags)?;
    let mut desk = acting.desk().await?;
    let read = giving.read(&desk).await?;
    let new = NewAuditOpinion {
        system: giving.system.clone(),
        conclusion: giving.conclusion,
        basis: giving.basis.clone(),
        size: read.size,
        root: read.root,
        note: giving.note.clone(),
    };
    let state = desk.state();
    let known = state.systems.get(&giving.system);
    let with = acting.context(&desk, known.map(|known| &known.declaration))?;
    let command = Command::GiveOpinion(Box::new(new));
    let receipt = acting.commit(&mut desk, &command, &with).await?;
    Ok(Entered {
        receipt,
        state: desk.state(),
        actor: acting.actor.clone(),
    })
}

/// The text of an opinion, for its auditor to sign with a key of their own. Nothing is entered.
pub async fn text(flags: &Flags, giving: &Giving) -> Result<String, JobError> {
    let desk = Acting::begin(flags)?.desk().await?;
    let read = giving.read(&desk).await?;
    Ok(document(
        &desk.org().to_string(),
        &giving.system,
        giving.conclusion,
        (read.size, &read.root.to_base64()),
        giving.basis.trim(),
    ))
}

/// Withdraws an opinion on behalf of who gave it.
pub async fn withdraw(flags: &Flags, opinion: &str, reason: &str) -> Result<Entered, JobError> {
    let command = Command::WithdrawOpinion {
        opinion: opinion.to_owned(),
        reason: reason.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}
