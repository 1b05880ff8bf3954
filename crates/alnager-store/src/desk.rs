//! The desk: opened or made, written by commands, read as state and entries.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::dossier::Disclosed;
use alnager_journal::entry::{self, Entry};
use alnager_journal::merkle::{Hash, Tree, empty_root};
use alnager_journal::note::{KeyKind, NoteError, SigningKey, VerifyingKey};
use alnager_office::decide::{Command, Context, Decided, decide};
use alnager_office::state::State;
use jiff::Timestamp;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::blobs::Blobs;
use crate::error::{CommitError, StoreError};
use crate::folder::{self, Aside, BLOBS, Found, JOURNAL, KEK, KEYS, LOG_KEY};
use crate::guard;
use crate::log::{Drafts, Log, Origin, owner};
use crate::schema::{Database, Kind, Signed};
use crate::seal::{self, KEY_LEN, Keyring, What};

/// What a new desk is made of. Its keys are made by the desk itself, from the operating system's random bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The organisation's id, UUID version 7.
    pub org: Uuid,
    /// The log's name for good, such as `example.org/alnager`: no spaces, no `+`.
    pub origin: String,
}

/// What a command is acknowledged with. Everything in it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Index of the command's first entry; the size when it entered nothing.
    pub first: u64,
    /// Number of entries in the journal after the command's last.
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

/// An organisation's journal on disk.
///
/// Several processes may hold the same desk. Each sees the others' entries when it commits or calls [`Desk::catch_up`].
pub struct Desk {
    dir: PathBuf,
    signer: SigningKey,
    key: VerifyingKey,
    checkpoint: SignedCheckpoint,
    log: Log,
    ring: Keyring,
    blobs: Blobs,
    files: Mutex<Files>,
    faults: Faults,
    // Last, so that the databases are closed before a folder that never appeared is removed.
    aside: Option<Aside>,
}

struct Files {
    journal: Database,
    keys: Database,
}

/// A command with all that its entries need.
struct Order<'a> {
    id: Uuid,
    at: &'a str,
    command: &'a Command,
    with: &'a Context<'a>,
    expected: Option<u64>,
}

impl Desk {
    /// Whether there is a desk in this folder. `false` too when the folder may not be looked into; [`Desk::open`] tells.
    pub fn exists(dir: &Path) -> bool {
        folder::look(dir).is_ok_and(|found| found == Found::Desk)
    }

    /// Opens the desk in this folder, reads all its entries, and checks them against head and guard.
    pub async fn open(dir: &Path) -> Result<Desk, StoreError> {
        match folder::look(dir)? {
            Found::Desk => Desk::load(dir, None).await,
            Found::Nothing => Err(StoreError::Absent {
                dir: dir.to_owned(),
            }),
        }
    }

    /// Opens the desk in this folder, or makes one that appears there, whole, with its first commit.
    ///
    /// Until then it lies beside its place, in `<dir>.new-<digits>`, and is removed when dropped. `fresh` is ignored when
    /// there is a desk.
    pub async fn open_or_new(dir: &Path, fresh: Fresh) -> Result<Desk, StoreError> {
        match folder::look(dir)? {
            Found::Desk => Desk::load(dir, None).await,
            Found::Nothing => {
                let aside = Aside::new(dir)?;
                create(aside.path(), &fresh).await?;
                let path = aside.path().to_owned();
                Desk::load(&path, Some(aside)).await
            }
        }
    }

    /// Everything the journal says, as far as this handle has read it. Durable, and never changed in place.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.log.state)
    }

    /// What the journal said after its first `size` entries. `None` when it has fewer.
    pub async fn state_at(&mut self, size: u64) -> Result<Option<Arc<State>>, StoreError> {
        let Some(root) = self.log.tree.root_at(size) else {
            return Ok(None);
        };
        let Files { journal, keys } = self.files.get_mut();
        let mut earlier = Log::new(self.log.org);
        earlier
            .catch_up(size, root, journal, keys, &mut self.ring)
            .await?;
        Ok(Some(earlier.state))
    }

    /// The organisation's id.
    pub fn org(&self) -> Uuid {
        self.log.org
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        self.key.name()
    }

    /// The key that checkpoints are checked against; shown as a `vkey`.
    pub fn verifier_key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The checkpoint of the journal as far as this handle has read it; shown as a signed note.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The Merkle tree over the entries, of the same size as [`Desk::checkpoint`]; it makes the inclusion proofs.
    pub fn tree(&self) -> &Tree {
        &self.log.tree
    }

    /// Reads what others have entered since.
    pub async fn catch_up(&mut self) -> Result<(), StoreError> {
        let Desk {
            log,
            ring,
            files,
            key,
            ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        // The guard follows the head: read in this order, a guard that is ahead is never a commit that is under way.
        let guard = guard::read(keys, log.org, key).await?;
        let head = read_head(journal, log.org).await?;
        let checkpoint = check_head(&head, key)?;
        log.catch_up(head.size, head.root, journal, keys, ring)
            .await?;
        self.checkpoint = checkpoint;
        guard::check(&guard, &log.tree).map(drop)
    }

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
        self.enter(&Order {
            id,
            at,
            command,
            with,
            expected: None,
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
        self.enter(&Order {
            id,
            at,
            command,
            with,
            expected: Some(expected),
        })
        .await
    }

    /// The entry of this index. `None` when there is none.
    pub async fn entry(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        Ok(self
            .entries(index, index.saturating_add(1))
            .await?
            .pop()
            .map(|(_, entry)| entry))
    }

    /// The entries from index `from` to below `to`, as far as this handle has read the journal.
    pub async fn entries(&self, from: u64, to: u64) -> Result<Vec<(u64, Entry)>, StoreError> {
        let to = to.min(self.log.tree.size());
        let mut files = self.files.lock().await;
        let rows = files.journal.entries(self.log.org, from, to).await?;
        let parse = |row: &crate::schema::EntryRow| {
            let entry = Entry::parse(&row.entry);
            let entry = entry.map_err(|error| {
                StoreError::damaged_by(format!("entry `{}` cannot be read", row.seq), error)
            })?;
            Ok((row.seq, entry))
        };
        rows.iter().map(parse).collect()
    }

    /// The entries about a subject, oldest first. Empty when nothing is about it.
    pub async fn entries_about(&self, subject: Uuid) -> Result<Vec<(u64, Entry)>, StoreError> {
        let mut entries = Vec::new();
        let mut next = self.log.state.heads.get(&subject.to_string()).copied();
        while let Some(index) = next {
            let entry = self
                .entry(index)
                .await?
                .ok_or_else(|| StoreError::damaged(format!("entry `{index}` is missing")))?;
            next = entry
                .about(subject)
                .and_then(|about| about.prev)
                .filter(|prev| *prev < index);
            entries.push((index, entry));
        }
        entries.reverse();
        Ok(entries)
    }

    /// The payload of an entry with its salt, checked against the entry. `None` when there is no such entry, or it was erased.
    pub async fn payload(&self, index: u64) -> Result<Option<Disclosed>, StoreError> {
        let Some(entry) = self.entry(index).await? else {
            return Ok(None);
        };
        let row = self
            .files
            .lock()
            .await
            .journal
            .entries(self.log.org, index, index + 1)
            .await?
            .pop();
        let Some((key, sealed)) = row.and_then(|row| row.payload) else {
            return Ok(None);
        };
        let opened = self
            .ring
            .open(key, What::Payload { kind: &entry.kind }, entry.id, &sealed);
        let opened =
            opened.filter(|payload| entry::commit(&payload.salt, &payload.bytes) == entry.commit);
        opened.map(Some).ok_or_else(|| {
            StoreError::damaged(format!(
                "the payload of entry `{index}` is not what was written"
            ))
        })
    }

    /// A blob of an entry with its salt, checked against the entry. `None` when there is no such entry or blob, or it was
    /// erased.
    pub async fn blob(&self, index: u64, name: &str) -> Result<Option<Disclosed>, StoreError> {
        let Some(entry) = self.entry(index).await? else {
            return Ok(None);
        };
        let Some(stated) = entry.blobs.iter().find(|blob| blob.name == name) else {
            return Ok(None);
        };
        let rows = self
            .files
            .lock()
            .await
            .journal
            .blobs(self.log.org, index, index + 1)
            .await?;
        let Some(row) = rows.into_iter().find(|row| row.name == name) else {
            return Ok(None);
        };
        let damaged =
            |what| StoreError::damaged(format!("blob `{name}` of entry `{index}` {what}"));
        let bytes = self
            .blobs
            .read(row.sha256)?
            .ok_or_else(|| damaged("is missing"))?;
        let sealed = seal::Sealed {
            nonce: row.nonce,
            bytes,
        };
        let opened = self.ring.open(
            row.key,
            What::Blob {
                kind: &entry.kind,
                name,
            },
            entry.id,
            &sealed,
        );
        let opened = opened.filter(|blob| entry::commit(&blob.salt, &blob.bytes) == stated.commit);
        opened
            .map(Some)
            .ok_or_else(|| damaged("is not what was written"))
    }

    /// Closes the databases. Dropping the desk does the same, a moment later.
    pub async fn close(self) -> Result<(), StoreError> {
        let Files { journal, keys } = self.files.into_inner();
        journal.close().await?;
        keys.close().await
    }

    async fn load(dir: &Path, aside: Option<Aside>) -> Result<Desk, StoreError> {
        let mut journal = Database::open(&dir.join(JOURNAL), Kind::Journal).await?;
        let keys = Database::open(&dir.join(KEYS), Kind::Keys).await?;
        let kek = folder::read_secret(&dir.join(KEK))?;
        let seed = folder::read_secret(&dir.join(LOG_KEY))?;
        let head = only_head(&mut journal).await?;
        let signer = SigningKey::new(&head.origin, &seed);
        let signer =
            signer.map_err(|error| StoreError::damaged_by("its head names no log", error))?;
        let key = signer.verifying_key(KeyKind::Ed25519);
        let mut desk = Desk {
            dir: dir.to_owned(),
            checkpoint: check_head(&head, &key)?,
            ring: Keyring::new(head.org, &kek),
            log: Log::new(head.org),
            signer,
            key,
            blobs: Blobs::new(dir.join(BLOBS)),
            files: Mutex::new(Files { journal, keys }),
            faults: Faults::default(),
            aside,
        };
        desk.catch_up().await?;
        desk.heal().await?;
        Ok(desk)
    }

    /// Moves a guard on that a process left behind when it ended between journal and guard.
    async fn heal(&mut self) -> Result<(), StoreError> {
        let Desk {
            log, files, key, ..
        } = self;
        let guard = guard::read(&mut files.get_mut().keys, log.org, key).await?;
        // A guard that is ahead by now belongs to a commit since; the next one checks it.
        if guard::standing(&guard, &log.tree) != guard::Standing::Behind {
            return Ok(());
        }
        let locked = self.lock().await;
        self.rollback().await;
        match locked {
            // The guard is consistent, so the desk can be read; who writes next moves it on or is told why not.
            Err(
                StoreError::ReadOnly { .. }
                | StoreError::Permission { .. }
                | StoreError::Busy { .. },
            ) => Ok(()),
            locked => locked.map(drop),
        }
    }

    /// Enters a command; with the first one, a new desk appears.
    async fn enter(&mut self, order: &Order<'_>) -> Result<Receipt, CommitError> {
        let receipt = self.enter_here(order).await?;
        let Some(aside) = self.aside.as_mut().filter(|_| receipt.size > 0) else {
            return Ok(receipt);
        };
        let place = aside.place().to_owned();
        let appeared = aside.appear()?;
        let faults = std::mem::take(&mut self.faults);
        *self = Desk {
            faults,
            ..Desk::open(&place).await?
        };
        // Another process made a desk there first: the command goes into that one.
        if appeared {
            Ok(receipt)
        } else {
            self.enter_here(order).await
        }
    }

    /// Enters a command where the desk lies.
    async fn enter_here(&mut self, order: &Order<'_>) -> Result<Receipt, CommitError> {
        let entered = self.enter_locked(order).await;
        self.rollback().await;
        entered
    }

    /// Enters a command; whatever transaction it leaves open is to be rolled back.
    async fn enter_locked(&mut self, order: &Order<'_>) -> Result<Receipt, CommitError> {
        let at: Timestamp = order.at.parse().map_err(|_| StoreError::Instant {
            at: order.at.to_owned(),
        })?;
        let unix_ms = u64::try_from(at.as_millisecond()).map_err(|_| StoreError::Instant {
            at: order.at.to_owned(),
        })?;
        self.faults.step()?;
        let head = self.lock().await?;
        if let Some((first, last)) = self
            .files
            .get_mut()
            .journal
            .command(self.log.org, order.id)
            .await?
        {
            return Ok(self.receipt_again(first, last).await?);
        }
        if let Some(expected) = order.expected.filter(|expected| *expected != head.size) {
            return Err(CommitError::Conflict {
                expected,
                found: head.size,
            });
        }
        // The organisation is this desk's, also where another process made the desk first.
        let with = Context {
            organisation: self.log.org.to_string(),
            ..order.with.clone()
        };
        let decided = decide(&self.log.state, order.command, &with)?;
        if decided.is_empty() {
            return Ok(self.receipt(head.size, head.size, order.at, false)?);
        }
        self.make_keys(&decided, unix_ms).await?;
        self.faults.step()?;
        let origin = Origin {
            command: order.id,
            at: order.at,
            unix_ms,
        };
        let drafts = self.log.draft(&decided, origin, &self.ring)?;
        self.blobs.write(&drafts.files)?;
        self.faults.step()?;
        self.write(&head, drafts).await?;
        Ok(self.receipt(head.size, self.log.tree.size(), order.at, false)?)
    }

    /// Becomes the journal's only writer, reads what others have entered, and sees to it that the guard agrees.
    async fn lock(&mut self) -> Result<Signed, StoreError> {
        let Desk {
            log,
            ring,
            files,
            key,
            ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        journal.begin().await?;
        let head = read_head(journal, log.org).await?;
        let checkpoint = check_head(&head, key)?;
        log.catch_up(head.size, head.root, journal, keys, ring)
            .await?;
        // Whoever wrote before holds this lock until the guard is moved.
        keys.begin().await?;
        let guard = guard::read(keys, log.org, key).await?;
        if guard::check(&guard, &log.tree)? {
            move_guard(keys, &guard, &head).await?;
            keys.commit().await?;
        } else {
            keys.rollback().await;
        }
        self.checkpoint = checkpoint;
        Ok(head)
    }

    /// Makes the data keys that are missing, before anything is sealed under them.
    async fn make_keys(&mut self, decided: &[Decided], unix_ms: u64) -> Result<(), StoreError> {
        let Desk {
            log, ring, files, ..
        } = self;
        let keys = &mut files.get_mut().keys;
        for decided in decided {
            let owner = owner(decided, log.org)?;
            if ring.key_of(owner).is_some() {
                continue;
            }
            keys.begin().await?;
            // A commit that did not happen may have left the key behind.
            let found = keys
                .keys(log.org)
                .await?
                .into_iter()
                .find(|wrapped| wrapped.owner == owner);
            let wrapped = match found {
                Some(wrapped) => wrapped,
                None => {
                    let wrapped = ring.new_key(seal::new_id(unix_ms)?, owner)?;
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

    /// Writes entries and head in one transaction, moves the guard, and only then publishes the new state.
    async fn write(&mut self, head: &Signed, drafts: Drafts) -> Result<(), StoreError> {
        let checkpoint = self.sign(drafts.size(), drafts.root())?;
        let next = Signed {
            size: drafts.size(),
            root: drafts.root(),
            checkpoint: checkpoint.to_string(),
            ..head.clone()
        };
        let Desk {
            log, files, faults, ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        for row in &drafts.entries {
            journal.insert_entry(log.org, row).await?;
        }
        faults.step()?;
        for row in &drafts.blobs {
            journal.insert_blob(log.org, row).await?;
        }
        if !journal.move_head(head, &next).await? {
            return Err(StoreError::damaged(
                "the head moved while the journal was locked",
            ));
        }
        faults.step()?;
        keys.begin().await?;
        faults.step()?;
        settle(journal, log.org, &drafts).await?;
        // From here on the command is entered, whatever happens.
        log.take(drafts);
        self.checkpoint = checkpoint;
        let guarded = match faults.step() {
            Ok(()) => move_guard(keys, head, &next).await,
            failed => failed,
        };
        let guarded = match guarded {
            Ok(()) => keys.commit().await,
            failed => failed,
        };
        guarded.map_err(|source| StoreError::GuardBehind {
            source: Box::new(source),
        })?;
        faults.step()
    }

    async fn rollback(&mut self) {
        let Files { journal, keys } = self.files.get_mut();
        keys.rollback().await;
        journal.rollback().await;
    }

    fn sign(&self, size: u64, root: Hash) -> Result<SignedCheckpoint, StoreError> {
        sign(&self.signer, self.key.name(), size, root)
    }

    /// The receipt of a command whose entries are `first..size`. Signing the same state again gives the same bytes.
    fn receipt(
        &self,
        first: u64,
        size: u64,
        at: &str,
        already: bool,
    ) -> Result<Receipt, StoreError> {
        let root = self.log.tree.root_at(size);
        let root =
            root.ok_or_else(|| StoreError::damaged("a command has entries beyond the head"))?;
        let checkpoint = match self.checkpoint.checkpoint().size() == size {
            true => self.checkpoint.to_string(),
            false => self.sign(size, root)?.to_string(),
        };
        Ok(Receipt {
            first,
            size,
            origin: self.origin().to_owned(),
            root,
            checkpoint,
            at: at.to_owned(),
            already,
        })
    }

    async fn receipt_again(&self, first: u64, last: u64) -> Result<Receipt, StoreError> {
        let entry = self
            .entry(first)
            .await?
            .ok_or_else(|| StoreError::damaged(format!("entry `{first}` is missing")))?;
        self.receipt(first, last + 1, &entry.at, true)
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("dir", &self.dir)
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

/// Fills the folder of a new desk with an empty journal.
async fn create(dir: &Path, fresh: &Fresh) -> Result<(), StoreError> {
    let Fresh { org, origin } = fresh;
    if org.get_version_num() != 7 {
        return Err(StoreError::Organisation);
    }
    let (kek, seed) = (seal::random::<KEY_LEN>()?, seal::random()?);
    let origin_refused = |source: NoteError| StoreError::Origin {
        origin: origin.clone(),
        source,
    };
    let signer = SigningKey::new(origin, &seed).map_err(origin_refused)?;
    let (size, root) = (0, empty_root());
    let checkpoint = sign(&signer, origin, size, root)?.to_string();
    let signed = Signed {
        org: *org,
        origin: origin.clone(),
        size,
        root,
        checkpoint,
    };

    for (name, bytes) in [
        (KEK, &kek[..]),
        (LOG_KEY, &seed[..]),
        (JOURNAL, &[]),
        (KEYS, &[]),
    ] {
        folder::create_file(&dir.join(name), bytes)?;
    }
    folder::create_dir(&dir.join(BLOBS))?;
    let mut keys = Database::create(&dir.join(KEYS), Kind::Keys).await?;
    let mut journal = Database::create(&dir.join(JOURNAL), Kind::Journal).await?;
    // The key's id needs an instant; the organisation's id carries one, bits 0 to 47 of it.
    let unix_ms = u64::try_from(org.as_u128() >> 80).unwrap_or_default();
    keys.insert_key(
        *org,
        &Keyring::new(*org, &kek).new_key(seal::new_id(unix_ms)?, *org)?,
    )
    .await?;
    keys.insert_guard(&signed).await?;
    journal.insert_head(&signed).await?;
    keys.close().await?;
    journal.close().await
}

fn sign(
    signer: &SigningKey,
    origin: &str,
    size: u64,
    root: Hash,
) -> Result<SignedCheckpoint, StoreError> {
    let refused = |source| StoreError::Origin {
        origin: origin.to_owned(),
        source,
    };
    let checkpoint = Checkpoint::new(origin, size, root).map_err(refused)?;
    SignedCheckpoint::sign(checkpoint, &[signer]).map_err(refused)
}

/// Commits the journal. When that fails, a look tells whether it happened all the same.
async fn settle(journal: &mut Database, org: Uuid, drafts: &Drafts) -> Result<(), StoreError> {
    let Err(error) = journal.commit().await else {
        return Ok(());
    };
    journal.rollback().await;
    let Some(first) = drafts.entries.first() else {
        return Err(error);
    };
    match journal.command(org, first.command).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) | Err(_) => Err(error),
    }
}

async fn move_guard(keys: &mut Database, from: &Signed, to: &Signed) -> Result<(), StoreError> {
    match keys.move_guard(from, to).await? {
        true => Ok(()),
        false => Err(StoreError::Forked {
            what: "the guard moved while the journal was locked".to_owned(),
        }),
    }
}

pub(crate) async fn only_head(journal: &mut Database) -> Result<Signed, StoreError> {
    let mut heads = journal.heads().await?;
    match (heads.pop(), heads.is_empty()) {
        (Some(head), true) => Ok(head),
        (Some(_), false) => Err(StoreError::damaged("it has more than one head")),
        (None, _) => Err(StoreError::damaged("it has no head")),
    }
}

async fn read_head(journal: &mut Database, org: Uuid) -> Result<Signed, StoreError> {
    let head = only_head(journal).await?;
    if head.org == org {
        Ok(head)
    } else {
        Err(StoreError::damaged(
            "its head is that of another organisation",
        ))
    }
}

fn check_head(head: &Signed, key: &VerifyingKey) -> Result<SignedCheckpoint, StoreError> {
    guard::check_note(head, key).map_err(|reason| {
        StoreError::damaged(format!("its head is not what was written: {reason}"))
    })
}

/// Lets a test fail one step of a commit. In the program itself there is nothing in it.
#[derive(Default)]
pub(crate) struct Faults {
    /// Steps that still succeed.
    #[cfg(test)]
    pub(crate) steps_left: Option<u32>,
}

impl Faults {
    #[cfg(test)]
    fn step(&mut self) -> Result<(), StoreError> {
        match &mut self.steps_left {
            Some(0) => Err(StoreError::Io {
                path: PathBuf::new(),
                source: std::io::Error::other("a fault of the test"),
            }),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "only tests have faults"
    )]
    fn step(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
impl Desk {
    /// From now on, `steps` steps succeed and the next one fails.
    pub(crate) fn fail_after(&mut self, steps: u32) {
        self.faults.steps_left = Some(steps);
    }

    /// Sets a pragma that makes the journal's connection fail later.
    pub(crate) async fn journal_pragma(&mut self, sql: &'static str) {
        self.files.get_mut().journal.pragma(sql).await;
    }
}
