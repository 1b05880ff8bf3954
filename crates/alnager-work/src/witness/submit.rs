//! Submitting a desk's checkpoint to its witnesses, keeping what they cosigned, and saying whether that is enough.

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::note::{Signature, VerifyingKey};
use alnager_journal::policy::{Policy, PolicyError};
use alnager_journal::witness::{anchored_unix_s, newest};
use alnager_store::Desk;

use super::ask::{Asked, PATIENCE, ask};
use super::listed::Listed;
use super::{listed, system_clock};
use crate::acting::{Acting, Flags};
use crate::error::JobError;

/// What came of submitting.
#[derive(Debug)]
pub struct Submitted {
    /// The checkpoint, with the cosignatures that are kept for it.
    pub checkpoint: SignedCheckpoint,
    /// Each witness of the desk's list, in its order.
    pub asked: Vec<Asked>,
    /// Whether it is cosigned well enough.
    pub standing: Standing,
}

/// Whether a checkpoint is cosigned well enough.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every witness of the list has cosigned now; no policy was given.
    All,
    /// Some witnesses of the list have not; no policy was given.
    Missing {
        /// How many have not.
        n: usize,
    },
    /// The policy accepts it.
    Accepted,
    /// The policy does not accept it.
    Refused(PolicyError),
}

impl Standing {
    /// Whether nothing is missing.
    pub fn is_enough(&self) -> bool {
        match self {
            Standing::All | Standing::Accepted => true,
            Standing::Missing { .. } | Standing::Refused(_) => false,
        }
    }
}

/// Submits the desk's checkpoint to every witness of its list, and keeps the cosignatures that fit. Without a policy every witness of
/// the list is needed; with one, its quorum, of what is kept now and what was before.
pub async fn submit(flags: &Flags, policy: Option<&Policy>) -> Result<Submitted, JobError> {
    let mut desk = Acting::begin(flags)?.desk().await?;
    let witnesses = listed::list(flags.desk.home())?;
    if witnesses.is_empty() {
        return Err(JobError::Input(
            "this desk lists no witness; `alnager journal witness add URL VKEY` adds one"
                .to_owned(),
        ));
    }
    if policy.is_some_and(|policy| !policy.logs().contains(desk.verifier_key())) {
        return Err(JobError::Input(format!(
            "--policy: the policy does not list this journal; add the line `log {}`",
            desk.verifier_key()
        )));
    }
    let checkpoint = desk.checkpoint().clone();
    let size = checkpoint.checkpoint().size();
    let environment = |name: &str| std::env::var(name).ok();
    let prove = async |old| {
        let proof = desk.consistency_proof(old, size).await?;
        let missing = || JobError::Internal(format!("no proof leads from {old} to {size} entries"));
        proof.ok_or_else(missing)
    };
    let asked = ask(
        &checkpoint,
        &witnesses,
        PATIENCE,
        system_clock,
        &environment,
        prove,
    )
    .await?;
    desk.add_cosignatures(size, new_lines(&asked)).await?;
    let kept = desk.cosignatures(size).await?;
    settle(checkpoint, kept, asked, policy)
}

/// The newest checkpoint that a witness holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchored {
    /// Its number of entries.
    pub size: u64,
    /// The latest instant at which a witness cosigned it, seconds since 1970-01-01 UTC.
    pub unix_s: u64,
}

/// When the journal was last anchored outside, by the witnesses of the list; `None` when none of them has cosigned the newest
/// checkpoint that anybody has.
pub async fn anchored(desk: &Desk, witnesses: &[Listed]) -> Result<Option<Anchored>, JobError> {
    let Some(size) = desk.cosigned().await? else {
        return Ok(None);
    };
    let Some(checkpoint) = desk.checkpoint_at(size).await? else {
        return Ok(None);
    };
    let lines = desk.cosignatures(size).await?;
    let keys: Vec<VerifyingKey> = witnesses.iter().map(|listed| listed.key.clone()).collect();
    let unix_s = anchored_unix_s(checkpoint.note().text(), &lines, &keys);
    Ok(unix_s.map(|unix_s| Anchored { size, unix_s }))
}

/// The lines that this submission brought.
fn new_lines(asked: &[Asked]) -> Vec<Signature> {
    let answers = asked.iter().filter_map(|asked| asked.answer.as_ref().ok());
    answers
        .map(|cosignature| cosignature.line.clone())
        .collect()
}

/// The checkpoint with the newest of the kept lines by each key of the list and of the policy, and whether that is enough.
pub(crate) fn settle(
    checkpoint: SignedCheckpoint,
    kept: Vec<Signature>,
    asked: Vec<Asked>,
    policy: Option<&Policy>,
) -> Result<Submitted, JobError> {
    let listed = asked.iter().map(|asked| &asked.witness.key);
    let trusted = policy
        .iter()
        .flat_map(|policy| policy.witnesses())
        .map(|witness| &witness.key);
    let mut keys: Vec<VerifyingKey> = Vec::new();
    for key in listed.chain(trusted) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let lines = newest(checkpoint.note().text(), &kept, &keys);
    let lines = lines
        .into_iter()
        .map(|cosignature| cosignature.line)
        .collect();
    let checkpoint = checkpoint
        .with(lines)
        .map_err(|error| JobError::Internal(error.to_string()))?;
    let n_missing = asked.iter().filter(|asked| asked.answer.is_err()).count();
    let standing = match policy {
        Some(policy) => match policy.accept(&checkpoint) {
            Ok(_) => Standing::Accepted,
            Err(error) => Standing::Refused(error),
        },
        None if n_missing == 0 => Standing::All,
        None => Standing::Missing { n: n_missing },
    };
    Ok(Submitted {
        checkpoint,
        asked,
        standing,
    })
}
