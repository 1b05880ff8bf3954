//! Groups of commands: decided one after the other, made durable together, answered one by one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::Hash;
use alnager_office::decide::{Command, Context, Decided, decide};
use jiff::Timestamp;
use uuid::Uuid;

use crate::database::Durability;
use crate::desk::{Desk, Files, Settled, move_guard, settle};
use crate::entropy::Entropy;
use crate::error::{CommitError, StoreError};
use crate::log::{Drafts, Log, Origin, owner};
use crate::schema::Signed;
use crate::seal::Keyring;

/// A command with all that its entries need.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The idempotency key: a command entered before gives its receipt again, and nothing is written.
    pub id: Uuid,
    /// The instant, RFC 3339 in UTC with six decimals.
    pub at: &'a str,
    /// What is asked for.
    pub command: &'a Command,
    /// Who asks, when, and under which law. The organisation is taken from the desk.
    pub with: &'a Context<'a>,
    /// The number of entries that the command was decided on; with it, it is entered only if there are just as many.
    pub expected: Option<u64>,
}

/// An order whose command the desk itself puts in: who orders it, when, and under which key.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The idempotency key.
    pub id: Uuid,
    /// The instant, RFC 3339 in UTC with six decimals.
    pub at: &'a str,
    /// Who orders it.
    pub with: &'a Context<'a>,
}

impl<'a> By<'a> {
    pub(crate) fn order(&self, command: &'a Command) -> Order<'a> {
        Order {
            id: self.id,
            at: self.at,
            command,
            with: self.with,
            expected: None,
        }
    }
}

/// What a command is acknowledged with. Everything in it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Index of the command's first entry; `end` when it entered nothing.
    pub first: u64,
    /// Index behind the command's last entry.
    pub end: u64,
    /// Number of entries under the checkpoint: at least `end`.
    pub size: u64,
    /// Name of the log.
    pub origin: String,
    /// Root hash over the entries below `size`; shown in hexadecimal, `to_base64` as checkpoints have it.
    pub root: Hash,
    /// The signed checkpoint of this size and root.
    pub checkpoint: String,
    /// When the command was entered, RFC 3339 in UTC.
    pub at: String,
    /// Whether it had been entered before, so that nothing was written now.
    pub already: bool,
}

/// What became of an order before anything was written.
enum Outcome {
    Refused(CommitError),
    /// It is, or will be, entries `first..end`.
    Entered {
        first: u64,
        end: u64,
        already: bool,
    },
}

impl Desk {
    /// Lets the office decide a command and enters what it decided: all of it, durably, or nothing.
    ///
    /// `id` is the idempotency key: a command entered before gives its receipt again, and nothing is written. `at` is RFC 3339
    /// in UTC with six decimals. The context's organisation is taken from the desk.
    pub async fn commit(
        &mut self,
        id: Uuid,
        at: &str,
        command: &Command,
        with: &Context<'_>,
    ) -> Result<Receipt, CommitError> {
        let expected = None;
        self.enter(&Order {
            id,
            at,
            command,
            with,
            expected,
        })
        .await
    }

    /// Like [`Desk::commit`], but only if the journal has exactly `expected` entries.
    pub async fn commit_expecting(
        &mut self,
        id: Uuid,
        at: &str,
        command: &Command,
        with: &Context<'_>,
        expected: u64,
    ) -> Result<Receipt, CommitError> {
        let expected = Some(expected);
        self.enter(&Order {
            id,
            at,
            command,
            with,
            expected,
        })
        .await
    }

    /// Enters one order.
    pub async fn enter(&mut self, order: &Order<'_>) -> Result<Receipt, CommitError> {
        let mut answers = self.enter_all(std::slice::from_ref(order)).await;
        only_answer(&mut answers)
    }

    /// Enters orders, each decided on what the ones before it left, with one commit for all: an answer for each, in order.
    ///
    /// An order that is refused leaves the others alone. A failure of the storage is everybody's answer.
    pub async fn enter_all(&mut self, orders: &[Order<'_>]) -> Vec<Result<Receipt, CommitError>> {
        match self.enter_or_appear(orders).await {
            Ok(answers) => answers,
            Err(error) if orders.len() == 1 => vec![Err(error.into())],
            Err(error) => {
                let error = Arc::new(error);
                orders
                    .iter()
                    .map(|_| Err(StoreError::Shared(Arc::clone(&error)).into()))
                    .collect()
            }
        }
    }

    /// Enters orders; with the first entry, a new desk appears.
    async fn enter_or_appear(
        &mut self,
        orders: &[Order<'_>],
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        let answers = self.enter_here(orders).await?;
        let is_empty = self.size() == 0;
        let Some(aside) = self.aside.as_mut().filter(|_| !is_empty) else {
            return Ok(answers);
        };
        let place = aside.place().to_owned();
        // A database is renamed with its folder, so nobody may hold it open.
        let Files { journal, keys } = self.files.get_mut();
        journal.shut().await?;
        keys.shut().await?;
        let appeared = aside.appear()?;
        let (faults, entropy) = (self.faults.clone(), self.entropy.clone());
        *self = Desk {
            entropy,
            ..Desk::open_with(&self.place.moved(&place), faults).await?
        };
        // Another process made a desk there first: the commands go into that one.
        if appeared {
            Ok(answers)
        } else {
            self.enter_here(orders).await
        }
    }

    /// Enters orders where the desk lies.
    async fn enter_here(
        &mut self,
        orders: &[Order<'_>],
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        let entered = self.enter_locked(orders).await;
        self.rollback().await;
        entered
    }

    /// Enters orders; whatever transaction it leaves open is to be rolled back.
    async fn enter_locked(
        &mut self,
        orders: &[Order<'_>],
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        let head = self.lock().await?;
        self.enter_under(&head, orders).await
    }

    /// Enters orders under the lock.
    pub(crate) async fn enter_under(
        &mut self,
        head: &Signed,
        orders: &[Order<'_>],
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
        let org = self.log.org;
        let known = self.files.get_mut().journal.commands(org, &ids).await?;
        let mut known: HashMap<Uuid, (u64, u64)> = known
            .into_iter()
            .map(|(id, first, last)| (id, (first, last + 1)))
            .collect();
        let mut drafts = self.log.drafts();
        let mut outcomes = Vec::with_capacity(orders.len());
        while outcomes.len() < orders.len() {
            // The database takes in some entries while the next ones are decided and sealed.
            let ready = std::mem::take(&mut drafts.entries);
            let Desk {
                log,
                ring,
                files,
                entropy,
                ..
            } = &mut *self;
            let journal = &mut files.get_mut().journal;
            let mut drafter = Drafter { log, ring, entropy };
            let drafted = drafter.draft_some(orders, &mut known, &mut drafts, &mut outcomes);
            let (inserted, drafted) = tokio::join!(journal.insert_entries(org, &ready), drafted);
            inserted?;
            if let Some((decided, unix_ms)) = drafted? {
                self.make_keys(&decided, unix_ms).await?;
            }
        }
        let mut behind = None;
        if drafts.size() > head.size {
            self.blobs.write(&drafts.files)?;
            match self.write(head, head, drafts).await {
                Err(error @ StoreError::GuardBehind { .. }) => behind = Some(Arc::new(error)),
                written => written?,
            }
        }
        // What is entered is entered: from here on each order has an answer of its own.
        let now = self.receipt_of_all();
        let mut answers = Vec::with_capacity(orders.len());
        for (order, outcome) in orders.iter().zip(outcomes) {
            answers.push(match outcome {
                Outcome::Refused(error) => Err(error),
                Outcome::Entered {
                    first,
                    end,
                    already,
                } => match behind.as_ref().filter(|_| first < end && !already) {
                    Some(error) => Err(StoreError::Shared(Arc::clone(error)).into()),
                    None => {
                        let at = order.at.to_owned();
                        let receipt = Receipt {
                            first,
                            end,
                            at,
                            already,
                            ..now.clone()
                        };
                        self.dated(receipt).await.map_err(CommitError::from)
                    }
                },
            });
        }
        Ok(answers)
    }

    /// Makes the data keys that are missing, durably, before anything is sealed under them.
    pub(crate) async fn make_keys(
        &mut self,
        decided: &[Decided],
        unix_ms: u64,
    ) -> Result<(), StoreError> {
        for decided in decided {
            let owner = owner(decided, self.log.org)?;
            if self.ring.key_of(owner).is_some() {
                continue;
            }
            self.check_kek().await?;
            let Desk {
                log,
                ring,
                files,
                entropy,
                ..
            } = &mut *self;
            let keys = &mut files.get_mut().keys;
            keys.begin(Durability::Full).await?;
            let wrapped = keys.keys(log.org).await?;
            // A commit that did not happen may have left the key behind.
            let found = wrapped
                .into_iter()
                .rev()
                .find(|wrapped| wrapped.owner == owner);
            let wrapped = match found {
                Some(wrapped) => wrapped,
                None => {
                    let wrapped = ring.new_key(entropy.id(unix_ms)?, owner, entropy)?;
                    keys.insert_key(log.org, &wrapped).await?;
                    wrapped
                }
            };
            keys.commit().await?;
            let taken = ring.unwrap(&wrapped);
            taken.ok_or_else(|| {
                StoreError::damaged("a data key in `keys.db` does not open under `kek`")
            })?;
        }
        Ok(())
    }

    /// Makes sure that new data keys are wrapped as those that are there; another process may have changed the key-encryption key.
    /// Called under the lock, so that it cannot change again.
    async fn check_kek(&mut self) -> Result<(), StoreError> {
        let org = self.log.org;
        let wrapped = self.files.get_mut().keys.keys(org).await?;
        let current = wrapped.iter().rev().find(|key| key.owner == org);
        let opens = |desk: &Desk| current.is_some_and(|key| desk.ring.opens(key));
        if opens(self) || (self.renew_secrets().await? && opens(self)) {
            return Ok(());
        }
        Err(StoreError::damaged(
            "a data key in `keys.db` does not open under `kek`",
        ))
    }

    /// Writes entries and head in one transaction, moves the guard, and only then publishes the new state. `guard` is where the
    /// guard stands: at the head, unless the log forks.
    pub(crate) async fn write(
        &mut self,
        head: &Signed,
        guard: &Signed,
        drafts: Drafts,
    ) -> Result<(), StoreError> {
        let checkpoint = self.sign(drafts.size(), drafts.root())?;
        let next = Signed {
            size: drafts.size(),
            root: drafts.root(),
            checkpoint: checkpoint.to_string(),
            origin: self.key.name().to_owned(),
            ..head.clone()
        };
        let Desk { log, files, .. } = self;
        let Files { journal, keys } = files.get_mut();
        journal.insert_entries(log.org, &drafts.entries).await?;
        journal.insert_blobs(log.org, &drafts.blobs).await?;
        journal.insert_tiles(log.org, drafts.tiles()).await?;
        journal
            .insert_checkpoint(log.org, next.size, &next.checkpoint)
            .await?;
        if !journal.move_head(head, &next).await? {
            return Err(StoreError::damaged(
                "the head moved while the journal was locked",
            ));
        }
        journal.announce(next.size).await?;
        keys.begin(Durability::Lazy).await?;
        // Whoever writes next waits for this one.
        keys.wait_for_guard(log.org).await?;
        let settled = settle(journal, keys, &next).await?;
        // From here on the commands are entered, whatever happens.
        log.take(drafts);
        self.checkpoint = checkpoint;
        if settled == Settled::Earlier {
            // Whoever wrote since has moved the guard.
            return Ok(());
        }
        let guarded = async {
            if settled == Settled::Found {
                keys.begin(Durability::Lazy).await?;
                keys.wait_for_guard(log.org).await?;
            }
            move_guard(keys, guard, &next).await?;
            keys.commit().await
        };
        guarded.await.map_err(|source| StoreError::GuardBehind {
            source: Box::new(source),
        })
    }

    /// The receipt of a command that is in the journal, `None` when it is not. Called under the lock.
    pub(crate) async fn entered_before(
        &mut self,
        command: Uuid,
        at: &str,
    ) -> Result<Option<Receipt>, StoreError> {
        let org = self.log.org;
        let known = self.files.get_mut().journal.command(org, command).await?;
        match known {
            Some((first, last)) => {
                let receipt = Receipt {
                    first,
                    end: last + 1,
                    at: at.to_owned(),
                    already: true,
                    ..self.receipt_of_all()
                };
                self.dated(receipt).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// The receipt of everything under the present checkpoint.
    fn receipt_of_all(&self) -> Receipt {
        Receipt {
            first: 0,
            end: self.size(),
            size: self.size(),
            origin: self.origin().to_owned(),
            root: self.log.edge.root(),
            checkpoint: self.checkpoint.to_string(),
            at: String::new(),
            already: false,
        }
    }

    /// The receipt, of a command that was entered before, as it was then.
    async fn dated(&mut self, receipt: Receipt) -> Result<Receipt, StoreError> {
        let mut receipt = receipt;
        let (first, end) = (receipt.first, receipt.end);
        if receipt.already && end <= self.size() {
            let org = self.log.org;
            let entry = self.entry(first).await?;
            let entry =
                entry.ok_or_else(|| StoreError::damaged(format!("entry `{first}` is missing")))?;
            receipt.at = entry.at;
            // What was signed then; older desks kept only the last checkpoint.
            let then = self.files.get_mut().journal.checkpoint(org, end).await?;
            if let Some((size, note)) = then {
                let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|error| {
                    StoreError::damaged_by("a signed checkpoint cannot be read", error)
                })?;
                signed.checkpoint().origin().clone_into(&mut receipt.origin);
                receipt.root = signed.checkpoint().root();
                receipt.size = size;
                receipt.checkpoint = note;
            }
        }
        Ok(receipt)
    }
}

/// Entries drafted before the database is given them: enough that its statements are long, and few enough that it has little left to
/// take in at the end.
const READY: usize = 64;

/// Orders drafted before the database is looked after, which waits for its next statement.
const STRETCH: usize = 16;

/// Data keys that are needed first, by what was decided, and the instant they are made at.
type NeedsKeys = (Vec<Decided>, u64);

/// What drafting needs of a desk.
struct Drafter<'d> {
    log: &'d Log,
    ring: &'d Keyring,
    entropy: &'d mut Entropy,
}

impl Drafter<'_> {
    /// Decides the next orders, each on the drafts before it, until there is enough to write or a data key is missing.
    async fn draft_some(
        &mut self,
        orders: &[Order<'_>],
        known: &mut HashMap<Uuid, (u64, u64)>,
        drafts: &mut Drafts,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<Option<NeedsKeys>, StoreError> {
        for (at, order) in orders.iter().enumerate().skip(outcomes.len()) {
            if drafts.entries.len() >= READY {
                break;
            }
            if at % STRETCH == 0 {
                tokio::task::yield_now().await;
            }
            let entered = known.get(&order.id).copied();
            let already = entered.is_some();
            let (first, end) = match entered {
                Some(entered) => entered,
                None => {
                    let first = drafts.size();
                    match self.draft(order, drafts) {
                        Ok(None) => {}
                        Ok(needs) => return Ok(needs),
                        Err(CommitError::Store(error)) if !error.is_about_one_command() => {
                            return Err(error);
                        }
                        Err(error) => {
                            outcomes.push(Outcome::Refused(error));
                            continue;
                        }
                    }
                    (first, drafts.size())
                }
            };
            if !already && end > first {
                known.insert(order.id, (first, end));
            }
            outcomes.push(Outcome::Entered {
                first,
                end,
                already,
            });
        }
        Ok(None)
    }

    /// Decides an order on the drafts and puts its entries behind them, unless a data key must be made first.
    fn draft(
        &mut self,
        order: &Order<'_>,
        drafts: &mut Drafts,
    ) -> Result<Option<NeedsKeys>, CommitError> {
        let instant = || StoreError::Instant {
            at: order.at.to_owned(),
        };
        let at: Timestamp = order.at.parse().map_err(|_| instant())?;
        let unix_ms = u64::try_from(at.as_millisecond()).map_err(|_| instant())?;
        if let Some(expected) = order.expected.filter(|expected| *expected != drafts.size()) {
            return Err(CommitError::Conflict {
                expected,
                found: drafts.size(),
            });
        }
        // The organisation is this desk's, also where another process made the desk first.
        let organisation = self.log.org.to_string();
        let with = match order.with.organisation == organisation {
            true => Cow::Borrowed(order.with),
            false => Cow::Owned(Context {
                organisation,
                ..order.with.clone()
            }),
        };
        let decided = decide(drafts.state(), order.command, &with)?;
        for each in &decided {
            if self.ring.key_of(owner(each, self.log.org)?).is_none() {
                return Ok(Some((decided, unix_ms)));
            }
        }
        let origin = Origin {
            command: order.id,
            at: order.at,
            unix_ms,
        };
        self.log
            .draft(drafts, &decided, origin, self.ring, self.entropy)?;
        Ok(None)
    }
}

/// The answer to a single order.
pub(crate) fn only_answer(
    answers: &mut Vec<Result<Receipt, CommitError>>,
) -> Result<Receipt, CommitError> {
    let answer = answers.pop();
    answer.unwrap_or_else(|| Err(StoreError::damaged("an order has no answer").into()))
}
