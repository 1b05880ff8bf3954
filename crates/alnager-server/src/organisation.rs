//! Organisations: each has its own journal, keys, people and moments; nothing is shared.

use std::sync::Arc;

use alnager_office::decide::Command;
use alnager_store::{Accounts, CommitError, Desk, Place, Receipt, Submission, Writer};
use alnager_work::acting::{instant, new_ids};
use alnager_work::error::JobError;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::api::Onces;
use crate::lab::Lab;
use crate::moment::{Deriver, Moment};
use crate::texts::Texts;
use crate::uploads::Uploads;

/// One organisation, its desk open.
pub struct Organisation {
    /// Its word in addresses.
    pub slug: String,
    /// Where its desk is.
    pub place: Place,
    /// People who may sign in.
    pub accounts: Accounts,
    /// Files that are being audited.
    pub lab: Lab,
    /// Files sent and not confirmed yet.
    pub uploads: Uploads,
    /// Official texts kept opened.
    pub texts: Texts,
    /// What programs asked under which idempotency keys.
    pub onces: Onces,
    /// A second handle of the desk, for reading entries, payloads and documents.
    reader: Mutex<Desk>,
    writer: Writer,
    moments: watch::Receiver<Arc<Moment>>,
    zone: TimeZone,
}

/// A command on its way into the journal.
#[derive(Debug)]
pub struct Asked<'a> {
    /// What is asked for.
    pub command: Command,
    /// Who asks: a person's id.
    pub person: &'a str,
    /// The idempotency key: the same one twice is one entry.
    pub id: Option<Uuid>,
    /// Number of new ids it may need beyond a few.
    pub n_ids: usize,
}

/// New ids at hand for every command.
pub const N_IDS: usize = 4;

/// Commands of many that are under way at a time: the writer enters what waits for it together.
const AT_ONCE: usize = 128;

impl Organisation {
    /// Opens the desk of an organisation and works out how its systems stand.
    pub async fn open(slug: &str, place: Place, zone: TimeZone) -> Result<Organisation, JobError> {
        let desk = Desk::open(&place).await?;
        let reader = desk.twin().await?;
        let deriving = desk.twin().await?;
        let writer = Writer::start(desk)
            .map_err(|error| JobError::Internal(format!("no further thread: {error}")))?;
        let accounts = Accounts::open(&place).await?;
        let moments = Deriver::start(deriving, &writer, zone.clone()).await?;
        Ok(Organisation {
            slug: slug.to_owned(),
            place,
            accounts,
            lab: Lab::open()?,
            uploads: Uploads::default(),
            texts: Texts::default(),
            onces: Onces::default(),
            reader: Mutex::new(reader),
            writer,
            moments,
            zone,
        })
    }

    /// The organisation now.
    pub fn moment(&self) -> Arc<Moment> {
        Arc::clone(&self.moments.borrow())
    }

    /// A moment that holds at least this many entries, and how every system stands with them.
    pub async fn moment_from(&self, size: u64) -> Arc<Moment> {
        let mut moments = self.moments.clone();
        let is_there = |moment: &Arc<Moment>| moment.state.size >= size && moment.n_behind == 0;
        match moments.wait_for(is_there).await {
            Ok(found) => Arc::clone(&found),
            // The thread that makes moments has ended, as the whole server is about to.
            Err(_) => self.moment(),
        }
    }

    /// A handle for reading what the journal holds, caught up.
    pub async fn reader(&self) -> Result<tokio::sync::MutexGuard<'_, Desk>, JobError> {
        let mut desk = self.reader.lock().await;
        desk.catch_up().await?;
        desk.share(&self.writer.state());
        Ok(desk)
    }

    /// Enters many commands of one person, each by itself with the number of new ids it may need: one that is refused keeps none of the
    /// others out. The answers, in the same order, come once what was entered is durable and in the moment; how the systems stand may
    /// still be worked out then.
    pub async fn enter_each(
        self: &Arc<Self>,
        person: &str,
        commands: Vec<(Command, usize)>,
    ) -> Vec<Result<Receipt, CommitError>> {
        // A task that ended early has entered what it entered, and nobody knows what.
        let lost = || Err(CommitError::Store(alnager_store::StoreError::Stopped));
        let mut answers: Vec<Result<Receipt, CommitError>> =
            commands.iter().map(|_| lost()).collect();
        let mut waiting = commands.into_iter().enumerate();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some((at, (command, n_ids))) = waiting.next()
            {
                let (organisation, person) = (Arc::clone(self), person.to_owned());
                under_way.spawn(async move {
                    let asked = Asked {
                        command,
                        person: &person,
                        id: None,
                        n_ids,
                    };
                    (at, organisation.submit(asked).await)
                });
            }
            match under_way.join_next().await {
                Some(Ok((at, answer))) => answers[at] = answer,
                Some(Err(_)) => {}
                None => break,
            }
        }
        let entered = answers.iter().filter_map(|answer| answer.as_ref().ok());
        if let Some(end) = entered.map(|receipt| receipt.end).max() {
            let mut moments = self.moments.clone();
            let _ = moments.wait_for(|moment| moment.state.size >= end).await;
        }
        answers
    }

    /// Enters a command. The answer comes once it is durable and its moment is there: whoever asks next sees it.
    pub async fn enter(&self, asked: Asked<'_>) -> Result<Receipt, CommitError> {
        let receipt = self.submit(asked).await?;
        self.moment_from(receipt.end).await;
        Ok(receipt)
    }

    /// The same, with everything said.
    pub async fn enter_submission(&self, submission: Submission) -> Result<Receipt, CommitError> {
        let receipt = self.writer.submit(submission).await?;
        self.moment_from(receipt.end).await;
        Ok(receipt)
    }

    /// The day of an instant in the organisation's time zone.
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(self.zone.clone()).date()
    }

    async fn submit(&self, asked: Asked<'_>) -> Result<Receipt, CommitError> {
        let moment = self.moment();
        let now = Timestamp::now();
        let ids = new_ids(now, N_IDS + 1 + asked.n_ids).map_err(|_| no_ids())?;
        let (id, ids) = ids.split_first().ok_or_else(no_ids)?;
        let submission = Submission {
            id: asked.id.unwrap_or(*id),
            at: instant(now),
            command: asked.command,
            standing: Arc::clone(&moment.standing),
            actor: asked.person.to_owned(),
            today: self.today(now),
            ids: ids.to_vec(),
            expected: None,
        };
        self.writer.submit(submission).await
    }
}

fn no_ids() -> CommitError {
    CommitError::Store(alnager_store::StoreError::Stopped)
}
