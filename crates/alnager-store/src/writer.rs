//! A desk with a thread of its own and a queue: many submit, one writes.

use std::sync::Arc;
use std::time::Duration;

use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_office::decide::{Blob, Command, Context};
use alnager_office::event::BookStamp;
use alnager_office::state::State;
use jiff::civil::Date;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::desk::Desk;
use crate::error::{CommitError, StoreError};
use crate::group::{Order, Receipt};
use crate::place::Place;

/// Most commands of one group.
pub const GROUP_MAX: usize = 1_024;

/// Most commands that wait; whoever submits further ones waits with them.
const QUEUE: usize = 16 * GROUP_MAX;

/// How often a writer without work looks what other processes have entered.
const LOOK: Duration = Duration::from_millis(200);

/// The law and policy under which commands are submitted.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The law in use.
    pub book: Book,
    /// The policy in use.
    pub policy: Policy,
    /// What the book consists of.
    pub stamp: BookStamp,
    /// The texts of the book.
    pub texts: Blob,
}

/// A command that is handed to a [`Writer`].
#[derive(Clone, Debug)]
pub struct Submission {
    /// The idempotency key.
    pub id: Uuid,
    /// The instant, RFC 3339 in UTC with six decimals.
    pub at: String,
    /// What is asked for.
    pub command: Command,
    /// The law and policy in use.
    pub standing: Arc<Standing>,
    /// Who asks, by name.
    pub actor: String,
    /// Today in the organisation's time zone.
    pub today: Date,
    /// New ids, more than can be needed.
    pub ids: Vec<Uuid>,
    /// The number of entries that the command was decided on, if that matters.
    pub expected: Option<u64>,
}

type Answer = Result<Receipt, CommitError>;

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Answer>,
}

/// The way into a desk for many at once. Clones share it.
///
/// What is submitted while a group is made durable is in the next group. An answer is given after its group is durable and the
/// state that holds it is published. The thread ends when the last clone is dropped, after it has answered everybody.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
    state: watch::Receiver<Arc<State>>,
}

impl Writer {
    /// Gives a desk a thread.
    pub fn start(mut desk: Desk) -> std::io::Result<Writer> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (publish, state) = watch::channel(desk.state());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .enable_io()
            .build()?;
        std::thread::Builder::new()
            .name("alnager-writer".to_owned())
            .spawn(move || runtime.block_on(write(&mut desk, waiting, &publish)))?;
        Ok(Writer { queue, state })
    }

    /// Opens a desk and gives it a thread.
    pub async fn open(place: &Place) -> Result<Writer, StoreError> {
        let desk = Desk::open(place).await?;
        Writer::start(desk).map_err(|error| StoreError::io(&place.shown(), error))
    }

    /// Submits a command and waits until it is durable, or refused.
    pub async fn submit(&self, submission: Submission) -> Answer {
        let (answer, told) = oneshot::channel();
        let waiting = Waiting { submission, answer };
        let is_gone = || CommitError::Store(StoreError::Stopped);
        self.queue.send(waiting).await.map_err(|_| is_gone())?;
        told.await.map_err(|_| is_gone())?
    }

    /// The newest durable state, also of what other processes have entered, a moment later.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// Waits for a state of at least `size` entries.
    pub async fn state_from(&self, size: u64) -> Option<Arc<State>> {
        let mut state = self.state.clone();
        let found = state.wait_for(|state| state.size >= size).await.ok()?;
        Some(Arc::clone(&found))
    }
}

/// Writes group after group until nobody can submit any more.
async fn write(
    desk: &mut Desk,
    mut waiting: mpsc::Receiver<Waiting>,
    publish: &watch::Sender<Arc<State>>,
) {
    let mut news = desk.news().await;
    let mut group = Vec::with_capacity(GROUP_MAX);
    loop {
        let came = tokio::select! {
            biased;
            came = waiting.recv_many(&mut group, GROUP_MAX) => Some(came),
            () = news.wait(LOOK) => None,
        };
        match came {
            Some(0) => return,
            Some(_) => {
                let answers = enter(desk, &group).await;
                publish.send_replace(desk.state());
                for (waiting, answer) in group.drain(..).zip(answers) {
                    // Whoever stopped waiting finds the command entered.
                    let _ = waiting.answer.send(answer);
                }
                // A snapshot is a cache: without one the next start takes longer.
                let _ = desk.keep_snapshot().await;
            }
            None => {
                // What cannot be read now is told to whoever submits next.
                if desk.catch_up().await.is_ok() && desk.size() > publish.borrow().size {
                    publish.send_replace(desk.state());
                }
            }
        }
    }
}

async fn enter(desk: &mut Desk, group: &[Waiting]) -> Vec<Answer> {
    let organisation = desk.org().to_string();
    let contexts: Vec<Context<'_>> = group
        .iter()
        .map(|waiting| {
            let Submission {
                standing,
                actor,
                today,
                ids,
                ..
            } = &waiting.submission;
            Context {
                book: &standing.book,
                policy: &standing.policy,
                stamp: standing.stamp.clone(),
                texts: standing.texts.clone(),
                organisation: organisation.clone(),
                actor: actor.clone(),
                today: *today,
                ids: ids.clone(),
            }
        })
        .collect();
    let orders: Vec<Order<'_>> = group
        .iter()
        .zip(&contexts)
        .map(|(waiting, with)| Order {
            id: waiting.submission.id,
            at: &waiting.submission.at,
            command: &waiting.submission.command,
            with,
            expected: waiting.submission.expected,
        })
        .collect();
    desk.enter_all(&orders).await
}
