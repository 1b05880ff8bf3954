//! `alnager desk verify`: everything in a desk against everything else, without changing it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::dossier::Disclosed;
use alnager_journal::entry::{self, Blob, Entry};
use alnager_journal::merkle::{Hash, empty_root, leaf_hash};
use alnager_journal::note::{KeyKind, VerifyingKey};
use alnager_office::event::{Event, EventError};
use alnager_office::snapshot::STATE_FORMAT;
use alnager_office::state::{Meta, State};
use uuid::Uuid;

use crate::blobs::Blobs;
use crate::database::Database;
use crate::desk::{Desk, only_head};
use crate::edge::Edge;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, ACCOUNTS, Found, JOURNAL, KEK, KEYS, LOG_KEY};
use crate::fork::keys_under;
use crate::guard::{self, Standing};
use crate::log::Held;
use crate::place::{At, Place};
use crate::rotate;
use crate::schema::{
    BlobRow, CHUNK, EntryRow, Kind, Signed, SnapshotRow, TileRow, Unread, tile_path,
};
use crate::seal::{Keyring, Sealed, What};
use crate::secret::Signers;
use crate::snapshot;

/// What was found in a desk.
#[derive(Debug)]
pub struct DeskReport {
    /// Name of the log.
    pub origin: String,
    /// The key that its checkpoints are checked against, from `log.key`.
    pub key: VerifyingKey,
    /// Number of entries, as the head states it.
    pub size: u64,
    /// Root hash over the entries that are there.
    pub root: Hash,
    /// The head's signed note.
    pub checkpoint: String,
    /// What was found behind the entries. `None` where the log alone was checked.
    pub contents: Option<Contents>,
    /// Signed checkpoints that the entries were held against.
    pub checkpoints: u64,
    /// Full tiles that were held against the entries.
    pub tiles: u64,
    /// The newest size that a witness has cosigned.
    pub cosigned: Option<u64>,
    /// What is wrong, in the order it was found; empty when the desk is sound.
    pub problems: Vec<Problem>,
    /// What is worth knowing but not wrong.
    pub notes: Vec<Note>,
}

/// How much of a desk is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything: payloads and blobs are opened, the state is folded anew.
    Full,
    /// The log alone: entries and their order, tiles, head, guard and every signed checkpoint. Payloads and blobs stay closed.
    Log,
}

/// What lies behind the entries, and is what was sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Payloads that were opened.
    pub payloads: u64,
    /// Blobs that were opened.
    pub blobs: u64,
    /// Payloads that were erased, as a later entry or a tombstone says.
    pub erased: u64,
}

/// Something in a desk that is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A database file is damaged as a file.
    #[error("SQLite finds `{file}` damaged: {complaint}")]
    Database {
        /// The file.
        file: &'static str,
        /// SQLite's words.
        complaint: String,
    },
    /// A part of a database cannot be read at all.
    #[error("a part of the desk cannot be read")]
    Unreadable(#[source] StoreError),
    /// An entry is not there.
    #[error("entry `{index}` is missing")]
    EntryMissing {
        /// Index of the entry.
        index: u64,
    },
    /// An entry is not canonical, or breaks a rule of its format.
    #[error("entry `{index}` is no entry")]
    Entry {
        /// Index of the entry.
        index: u64,
        /// Why.
        source: entry::EntryError,
    },
    /// The columns beside an entry do not repeat what it says.
    #[error("the row of entry `{index}` names another {column} than the entry itself")]
    Row {
        /// Index of the entry.
        index: u64,
        /// The column.
        column: &'static str,
    },
    /// Two entries have the same id.
    #[error("entry `{index}` has the id of an earlier one")]
    SameId {
        /// Index of the entry.
        index: u64,
    },
    /// An audit opinion names a state that the journal never signed.
    #[error(
        "the audit opinion in entry `{index}` was given on {size} entries with another root than a checkpoint of this journal states"
    )]
    OpinionRead {
        /// Index of the entry.
        index: u64,
        /// The entries it was given on.
        size: u64,
    },
    /// A command was entered twice.
    #[error("entry `{index}` belongs to a command that was entered before")]
    SameCommand {
        /// Index of the entry.
        index: u64,
    },
    /// An entry names another predecessor about a subject than the one that is there.
    #[error("entry `{index}` does not name the previous entry about subject `{subject}`")]
    Chain {
        /// Index of the entry.
        index: u64,
        /// The subject.
        subject: Uuid,
    },
    /// An entry refers to itself or to a later one.
    #[error("entry `{index}` refers to entry `{target}`, which does not come before it")]
    NotEarlier {
        /// Index of the entry.
        index: u64,
        /// The index it refers to.
        target: u64,
    },
    /// A payload is not there.
    #[error("the payload of entry `{index}` is missing")]
    PayloadMissing {
        /// Index of the entry.
        index: u64,
    },
    /// A payload does not open, or does not fit its commitment.
    #[error("the payload of entry `{index}` is not what was sealed")]
    Payload {
        /// Index of the entry.
        index: u64,
    },
    /// A payload is of a kind that only newer versions know.
    #[error(
        "entry `{index}` is of kind `{kind}`, which this version does not know; use a newer version of alnager"
    )]
    UnknownKind {
        /// Index of the entry.
        index: u64,
        /// Its kind.
        kind: String,
    },
    /// A payload does not have the form of its kind.
    #[error("the payload of entry `{index}` does not have the form of its kind, `{kind}`")]
    Form {
        /// Index of the entry.
        index: u64,
        /// Its kind.
        kind: String,
    },
    /// A blob, or the row that says where it lies, is not there.
    #[error("blob `{name}` of entry `{index}` is missing")]
    BlobMissing {
        /// Index of the entry.
        index: u64,
        /// Name of the blob.
        name: String,
    },
    /// A blob does not open, or does not fit its commitment, its length or the name of its file.
    #[error("blob `{name}` of entry `{index}` is not what was sealed")]
    Blob {
        /// Index of the entry.
        index: u64,
        /// Name of the blob.
        name: String,
    },
    /// There is a row for a blob that the entry does not state.
    #[error("there is a blob `{name}` of entry `{index}` that the entry does not state")]
    BlobStray {
        /// Index of the entry.
        index: u64,
        /// Name of the blob.
        name: String,
    },
    /// There are rows that belong to nothing.
    #[error("`journal.db` has `{count}` rows that belong to no entry below its head")]
    Strays {
        /// How many.
        count: u64,
    },
    /// A data key does not open under the key-encryption key.
    #[error("data key `{id}` does not open under `kek`")]
    Key {
        /// Id of the key.
        id: Uuid,
    },
    /// The root over the entries is not that of the head.
    #[error(
        "the `{size}` entries have the root `{found}`, and the head states `{stated}` for `{stated_size}`"
    )]
    Root {
        /// Number of entries that are there.
        size: u64,
        /// Root hash over them.
        found: Hash,
        /// The size that the head states.
        stated_size: u64,
        /// The root that the head states.
        stated: Hash,
    },
    /// The head's checkpoint is wrong.
    #[error("the head is not what was signed: {reason}")]
    Head {
        /// What is wrong.
        reason: &'static str,
    },
    /// There is no guard.
    #[error("`keys.db` has no guard for this journal")]
    GuardMissing,
    /// The guard's checkpoint is wrong.
    #[error("the guard is not what was signed: {reason}")]
    Guard {
        /// What is wrong.
        reason: &'static str,
    },
    /// The guard has seen another journal.
    #[error(
        "the guard has seen `{size}` signed entries that this journal does not have; an older or another journal was put in its place"
    )]
    Forked {
        /// The size that the guard has seen.
        size: u64,
    },
    /// A signed checkpoint is not that of these entries.
    #[error("the checkpoint of `{size}` entries that was signed is not theirs: {reason}")]
    Checkpoint {
        /// The size it states.
        size: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A tile is not what the entries give.
    #[error(
        "`{path}` is not what the entries give; `alnager journal rebuild` makes the tiles anew"
    )]
    Tile {
        /// Its path, as a published log has it.
        path: String,
    },
    /// There are more or fewer tiles than the entries give.
    #[error(
        "there are `{found}` full tiles, and the entries give `{expected}`; `alnager journal rebuild` makes them anew"
    )]
    Tiles {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// A snapshot says something else than the entries.
    #[error(
        "the snapshot at entry `{size}` is not what the entries add up to; `alnager journal rebuild` throws it away"
    )]
    Snapshot {
        /// Its size.
        size: u64,
    },
    /// The state that the payloads add up to does not have the journal's size.
    #[error("the payloads add up to a state of `{found}` entries, not `{size}`")]
    State {
        /// Size of the state.
        found: u64,
        /// Size of the journal.
        size: u64,
    },
}

/// Something in a desk that is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// Files that no entry refers to.
    #[error(
        "`{count}` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted"
    )]
    Orphans {
        /// How many.
        count: u64,
    },
    /// The guard waits to be moved.
    #[error(
        "the guard is at `{guard}` of `{size}` entries; a command was interrupted, and the next one moves it on"
    )]
    GuardBehind {
        /// The size that the guard has seen.
        guard: u64,
        /// Size of the journal.
        size: u64,
    },
    /// An erasure was begun and is not finished.
    #[error(
        "the erasure of `{person}` under entry `{requested}` is not finished; run `alnager erase {person}` again"
    )]
    Unfinished {
        /// The person's id.
        person: String,
        /// The entry that asked for it.
        requested: u64,
    },
    /// The desk is of an older format, and cannot be brought up to date where it lies.
    #[error("the desk has an older format; the next command that writes brings it up to date")]
    OlderFormat,
    /// A secret is readable by others.
    #[error("`{file}` can be read by others; `chmod 600` it")]
    OpenToOthers {
        /// The file.
        file: &'static str,
    },
}

impl DeskReport {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Desk {
    /// Checks a desk from end to end and reports all that is wrong. Nothing is changed, apart from a database undoing what a
    /// killed process left half-way, and a desk of an older format being brought up to date.
    ///
    /// An error means that there was nothing to check with: no desk, no access, no keys, no head, or a newer format.
    pub async fn verify(place: &Place) -> Result<DeskReport, StoreError> {
        Desk::verify_with(place, Depth::Full, &|_, _| {}).await
    }

    /// Like [`Desk::verify`], as deep as asked; `progress` is told how many entries are done, and of how many.
    pub async fn verify_with(
        place: &Place,
        depth: Depth,
        progress: &dyn Fn(u64, u64),
    ) -> Result<DeskReport, StoreError> {
        loop {
            let report = Desk::verify_once(place, depth, progress).await?;
            if report.is_sound() {
                return Ok(report);
            }
            // An erasure that was asked for meanwhile takes payloads that the head then still counted on.
            let faults = Faults::default();
            let mut journal = Database::open(&place.journal(), Kind::Journal, faults).await?;
            if only_head(&mut journal).await?.size == report.size {
                return Ok(report);
            }
        }
    }

    async fn verify_once(
        place: &Place,
        depth: Depth,
        progress: &dyn Fn(u64, u64),
    ) -> Result<DeskReport, StoreError> {
        if place.look().await? == Found::Nothing {
            return Err(StoreError::Absent { dir: place.shown() });
        }
        let faults = Faults::default();
        let mut journal = Database::open(&place.journal(), Kind::Journal, faults.clone()).await?;
        let mut keys = Database::open(&place.keys(), Kind::Keys, faults.clone()).await?;
        let org = only_head(&mut journal).await?.org;
        let (guard, head, secrets) = loop {
            // The guard follows the head: read in this order, a guard that is ahead is never a commit that is under way.
            let guard = keys.guard(org).await;
            let head = only_head(&mut journal).await?;
            let secrets = rotate::read_secrets(place, org, &mut journal, &mut keys).await?;
            let known = secrets.signers(&head.origin)?.verifying_keys(&head.origin);
            // Another process may have changed the log's key in this moment.
            if guard::check_note(&head, &known).is_ok() || only_head(&mut journal).await? == head {
                break (guard, head, secrets);
            }
        };
        let signers = secrets.signers(&head.origin)?;
        let key = signers.current().verifying_key(KeyKind::Ed25519);

        let mut ring = Keyring::new(org, secrets.kek());
        let mut check = Check::new(org, place.blobs()?);
        check.keys(&mut keys, &mut ring).await?;
        if let Some(Ok(guard)) = guard.as_ref().ok().map(|guard| guard.as_ref().ok_or(())) {
            check.sizes.insert(guard.size, None);
        }
        let read = check.checkpoint_sizes(&mut journal).await;
        check.readable(read)?;
        let sizes = match depth {
            Depth::Full => check.readable(journal.snapshot_sizes(org).await)?,
            Depth::Log => None,
        };
        // One of another form is thrown away by whoever writes the next.
        let sizes = sizes.into_iter().flatten();
        let of_today = sizes.filter(|(_, format)| *format == i64::from(STATE_FORMAT));
        check.snapshot_sizes = of_today.map(|(size, _)| size).collect();
        // What the databases say of their files takes as long as reading them: they are asked meanwhile, over another connection.
        let mut beside = journal.again().await.ok();
        let (read, told) = tokio::join!(
            check.entries(&mut journal, head.size, depth, &ring, progress),
            async {
                match &mut beside {
                    Some(beside) => Some(told(beside, &mut keys, org, head.size, depth).await),
                    None => None,
                }
            }
        );
        let (complaints, strays) = match told {
            Some(told) => told,
            // A server may have no connection left to give.
            None => self::told(&mut journal, &mut keys, org, head.size, depth).await,
        };
        check.readable(read)?;
        for (file, complaint) in complaints {
            if let Some(Some(complaint)) = check.readable(complaint)? {
                check.problems.push(Problem::Database { file, complaint });
            }
        }
        check.repeated();
        check.payloads_missing();
        check.opinions_read();
        let strays = check.readable(strays)?.unwrap_or(0);
        if strays > 0 {
            check.problems.push(Problem::Strays { count: strays });
        }
        let read = check.tiles(&mut journal).await;
        check.readable(read)?;
        check.head(&head, &signers.verifying_keys(&head.origin), depth);
        let known = check.known_keys(&signers, &head.origin);
        let read = check.checkpoints(&mut journal, &known).await;
        check.readable(read)?;
        if let Some(guard) = check.readable(guard)? {
            let origin = guard.as_ref().map_or("", |guard| &guard.origin);
            let known = [known, keys_under(origin, &signers, &check.state)].concat();
            check.guard(guard.as_ref(), &known);
        }
        for size in check.snapshot_sizes.clone() {
            // Each is large, so one is read at a time.
            let row = check.readable(journal.snapshot(org, size).await)?.flatten();
            // Another process may have thrown this one away meanwhile; then an earlier one is found.
            if let Some(row) = row.filter(|row| row.size == size) {
                check.snapshot(&row, &ring);
            }
        }
        check.folder(place, depth).await?;
        let cosigned = check
            .readable(journal.cosigned(org, head.size).await)?
            .flatten();
        Ok(DeskReport {
            origin: head.origin,
            key,
            size: head.size,
            root: check.edge.root(),
            checkpoint: head.checkpoint,
            contents: (depth == Depth::Full).then_some(check.contents),
            checkpoints: check.n_checkpoints,
            tiles: check.n_tiles,
            cosigned,
            problems: check.problems,
            notes: check.notes,
        })
    }
}

/// Complaints about the files of the two databases, and the number of rows that belong to no entry.
type Told = (
    Vec<(&'static str, Result<Option<String>, StoreError>)>,
    Result<u64, StoreError>,
);

/// What the databases say of themselves.
async fn told(
    journal: &mut Database,
    keys: &mut Database,
    org: Uuid,
    size: u64,
    depth: Depth,
) -> Told {
    let complaints = match depth {
        Depth::Full => vec![
            (JOURNAL, journal.complaint().await),
            (KEYS, keys.complaint().await),
        ],
        // Of the log every byte is held against its hashes; whether the file is whole as a file costs a pass of its own.
        Depth::Log => Vec::new(),
    };
    (complaints, journal.strays(org, size).await)
}

/// What was seen so far.
struct Check {
    org: Uuid,
    blobs: Blobs,
    edge: Edge,
    full: Vec<TileRow>,
    state: State,
    /// The ids of entries, and the commands, each with the entry it was seen in; of a command the first of those that follow one another.
    ids: Vec<(Uuid, u64)>,
    commands: Vec<(Uuid, u64)>,
    command: Option<Uuid>,
    last: HashMap<Uuid, u64>,
    files: HashSet<Hash>,
    /// Where an audit opinion was given: its entry, the entries it was given on, and their root.
    opinions: Vec<(u64, u64, String)>,
    /// The roots at the sizes that somebody signed.
    sizes: BTreeMap<u64, Option<Hash>>,
    /// Entries without a payload that no erasure has named yet.
    missing: BTreeSet<u64>,
    snapshot_sizes: BTreeSet<u64>,
    /// The state and the root at each snapshot's size.
    at_snapshots: BTreeMap<u64, (State, Hash)>,
    contents: Contents,
    n_checkpoints: u64,
    n_tiles: u64,
    problems: Vec<Problem>,
    notes: Vec<Note>,
}

impl Check {
    fn new(org: Uuid, blobs: Blobs) -> Check {
        Check {
            org,
            blobs,
            edge: Edge::default(),
            full: Vec::new(),
            state: State::default(),
            ids: Vec::new(),
            commands: Vec::new(),
            command: None,
            last: HashMap::new(),
            files: HashSet::new(),
            opinions: Vec::new(),
            sizes: BTreeMap::new(),
            missing: BTreeSet::new(),
            snapshot_sizes: BTreeSet::new(),
            at_snapshots: BTreeMap::new(),
            contents: Contents::default(),
            n_checkpoints: 0,
            n_tiles: 0,
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Damage is a finding; any other error ends the check.
    fn readable<T>(&mut self, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ StoreError::Damaged { .. }) => {
                self.problems.push(Problem::Unreadable(error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn keys(&mut self, keys: &mut Database, ring: &mut Keyring) -> Result<(), StoreError> {
        let wrapped = keys.keys(self.org).await;
        for wrapped in self.readable(wrapped)?.unwrap_or_default() {
            if ring.unwrap(&wrapped).is_none() {
                self.problems.push(Problem::Key { id: wrapped.id });
            }
        }
        // After the keys: one that an erasure takes away in between is among these.
        let tombstones = keys.tombstones(self.org).await;
        for tombstone in self.readable(tombstones)?.unwrap_or_default() {
            ring.bury(tombstone);
        }
        Ok(())
    }

    async fn entries(
        &mut self,
        journal: &mut Database,
        size: u64,
        depth: Depth,
        ring: &Keyring,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(), StoreError> {
        let org = self.org;
        let part = |at: u64| (size.min(at * CHUNK), size.min((at + 1) * CHUNK));
        let mut opened = read_chunk(journal, org, part(0), depth).await?.open(ring)?;
        let mut read = read_chunk(journal, org, part(1), depth).await?;
        for at in 0..size.div_ceil(CHUNK) {
            self.open_about_log(&mut opened, journal, ring).await?;
            // While these are held against each other, the next are opened, and the database reads those behind them.
            let (ahead, (next, done)) =
                tokio::join!(read_chunk(journal, org, part(at + 2), depth), async {
                    std::thread::scope(|scope| {
                        let opener = scope.spawn(|| read.open(ring));
                        let done = self.chunk(opened, part(at), ring);
                        match opener.join() {
                            Ok(next) => (next, done),
                            Err(panic) => std::panic::resume_unwind(panic),
                        }
                    })
                });
            done?;
            (opened, read) = (next?, ahead?);
            let full = std::mem::take(&mut self.full);
            self.compare_tiles(journal, full).await?;
            progress(part(at).1, size);
        }
        Ok(())
    }

    /// Opens what tells of the log's own keys and origins, where payloads stay closed: checkpoints are checked with it.
    async fn open_about_log(
        &mut self,
        opened: &mut OpenedChunk,
        journal: &mut Database,
        ring: &Keyring,
    ) -> Result<(), StoreError> {
        for (row, opened) in &mut opened.rows {
            let Ok((entry, payload @ Payload::Closed)) = &mut opened.entry else {
                continue;
            };
            if !is_about_log(&entry.kind) {
                continue;
            }
            let found = journal.entries(self.org, row.seq, row.seq + 1).await?;
            if let Some(row) = found.first() {
                *payload = Payload::of(row, entry, ring);
            }
        }
        Ok(())
    }

    fn chunk(
        &mut self,
        chunk: OpenedChunk,
        (from, end): (u64, u64),
        ring: &Keyring,
    ) -> Result<(), StoreError> {
        let mut blobs: HashMap<u64, Vec<BlobRow>> = HashMap::new();
        for row in chunk.blobs {
            blobs.entry(row.seq).or_default().push(row);
        }
        let mut next = from;
        for (row, opened) in chunk.rows {
            self.missing(next, row.seq);
            let blobs = blobs.remove(&row.seq).unwrap_or_default();
            self.entry(row, opened, blobs, ring)?;
            next = row.seq + 1;
        }
        self.missing(next, end);
        Ok(())
    }

    /// The tiles that the entries have filled against those that are kept.
    async fn compare_tiles(
        &mut self,
        journal: &mut Database,
        full: Vec<TileRow>,
    ) -> Result<(), StoreError> {
        if journal.is_older {
            return Ok(());
        }
        let levels: BTreeSet<u8> = full.iter().map(|tile| tile.level).collect();
        for level in levels {
            let filled: Vec<&TileRow> = full.iter().filter(|tile| tile.level == level).collect();
            // Entries fill the tiles of a level one after another.
            let (Some(first), Some(last)) = (filled.first(), filled.last()) else {
                continue;
            };
            let kept = journal
                .tiles(self.org, level, first.index, last.index + 1)
                .await?;
            for tile in filled {
                if kept.contains(tile) {
                    self.n_tiles += 1;
                } else {
                    self.problems.push(Problem::Tile {
                        path: tile_path(level, tile.index),
                    });
                }
            }
        }
        Ok(())
    }

    async fn tiles(&mut self, journal: &mut Database) -> Result<(), StoreError> {
        if journal.is_older {
            self.notes.push(Note::OlderFormat);
            return Ok(());
        }
        let (found, expected) = (
            journal.count_tiles(self.org).await?,
            Edge::n_tiles(self.edge.size()),
        );
        if found != expected {
            self.problems.push(Problem::Tiles { found, expected });
        }
        Ok(())
    }

    /// The sizes of all checkpoints that were signed, so that the roots at these sizes are remembered.
    async fn checkpoint_sizes(&mut self, journal: &mut Database) -> Result<(), StoreError> {
        let mut after = -1;
        loop {
            let some = journal.checkpoints(self.org, after).await?;
            let Some((last, _)) = some.last() else {
                return Ok(());
            };
            after = i64::try_from(*last).unwrap_or(i64::MAX);
            self.sizes
                .extend(some.into_iter().map(|(size, _)| (size, None)));
        }
    }

    /// Every checkpoint that was signed against the entries.
    async fn checkpoints(
        &mut self,
        journal: &mut Database,
        known: &[VerifyingKey],
    ) -> Result<(), StoreError> {
        let mut after = -1;
        loop {
            let some = journal.checkpoints(self.org, after).await?;
            let Some((last, _)) = some.last() else {
                return Ok(());
            };
            after = i64::try_from(*last).unwrap_or(i64::MAX);
            for (size, note) in some {
                match self.checkpoint(size, &note, known) {
                    Ok(()) => self.n_checkpoints += 1,
                    Err(reason) => self.problems.push(Problem::Checkpoint { size, reason }),
                }
            }
        }
    }

    fn checkpoint(
        &self,
        size: u64,
        note: &str,
        known: &[VerifyingKey],
    ) -> Result<(), &'static str> {
        let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|_| "it cannot be read")?;
        let stated = signed.checkpoint();
        if stated.size() != size {
            return Err("it states another size than its row");
        }
        if self.root_at(size) != Some(stated.root()) {
            return Err("the entries have another root");
        }
        guard::check_signature(&signed, known)
    }

    /// The root over the first `size` entries, if it was remembered.
    fn root_at(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(empty_root()),
            _ if size == self.edge.size() => Some(self.edge.root()),
            _ => self.sizes.get(&size).copied().flatten(),
        }
    }

    /// The log's key, those it had before, and its key under earlier origins.
    fn known_keys(&self, signers: &Signers, origin: &str) -> Vec<VerifyingKey> {
        let earlier = self.state.log.forks.iter().map(|fork| fork.origin.as_str());
        std::iter::once(origin)
            .chain(earlier)
            .flat_map(|origin| keys_under(origin, signers, &self.state))
            .collect()
    }

    /// Ids that several entries have, and commands that were entered more than once. All at once: looking each up among those before
    /// takes longer than everything else about it.
    fn repeated(&mut self) {
        let repeated = |mut seen: Vec<(Uuid, u64)>| -> BTreeSet<u64> {
            seen.sort_unstable();
            let pairs = seen.windows(2).filter_map(|pair| match pair {
                [before, after] => (before.0 == after.0).then_some(after.1),
                _ => None,
            });
            pairs.collect()
        };
        let ids = repeated(std::mem::take(&mut self.ids));
        let commands = repeated(std::mem::take(&mut self.commands));
        let ids = ids.into_iter().map(|index| Problem::SameId { index });
        let commands = commands.into_iter();
        self.problems.extend(ids);
        self.problems
            .extend(commands.map(|index| Problem::SameCommand { index }));
    }

    /// Every audit opinion was given on a state that the journal had when it was signed.
    fn opinions_read(&mut self) {
        for (index, size, root) in std::mem::take(&mut self.opinions) {
            if self.root_at(size).map(Hash::to_base64) != Some(root) {
                self.problems.push(Problem::OpinionRead { index, size });
            }
        }
    }

    /// What is missing and was not erased.
    fn payloads_missing(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        self.problems.extend(
            missing
                .into_iter()
                .map(|index| Problem::PayloadMissing { index }),
        );
        for (person, erased) in &self.state.erased {
            if erased.executed.is_none() {
                self.notes.push(Note::Unfinished {
                    person: person.clone(),
                    requested: erased.requested,
                });
            }
        }
    }

    fn snapshot(&mut self, row: &SnapshotRow, ring: &Keyring) {
        // One that does not open, or has another number, is thrown away by whoever opens the desk.
        let Some(state) = snapshot::open(row, ring) else {
            return;
        };
        let then = self.at_snapshots.get(&row.size);
        let agrees = then.is_some_and(|(then, root)| {
            *root == row.root && state.to_snapshot() == then.to_snapshot()
        });
        // Who was erased since is still in the state of then, and its names are not in the snapshot.
        if !agrees {
            self.problems.push(Problem::Snapshot { size: row.size });
        }
    }

    fn missing(&mut self, from: u64, to: u64) {
        self.problems
            .extend((from..to).map(|index| Problem::EntryMissing { index }));
    }

    fn entry(
        &mut self,
        row: Beside,
        opened: Opened,
        blobs: Vec<BlobRow>,
        ring: &Keyring,
    ) -> Result<(), StoreError> {
        let index = row.seq;
        self.edge.push(opened.leaf, &mut self.full);
        let (size, root) = (self.edge.size(), &self.edge);
        if let Some(at) = self.sizes.get_mut(&size) {
            *at = Some(root.root());
        }
        let (entry, payload) = match opened.entry {
            Ok(opened) => opened,
            Err(source) => {
                self.problems.push(Problem::Entry { index, source });
                return Ok(());
            }
        };
        self.columns(&entry, row);
        self.order(&entry, row.seq);
        if matches!(payload, Payload::Closed) {
            return Ok(());
        }
        let subjects = entry
            .subjects
            .iter()
            .map(|about| about.id.to_string())
            .collect();
        let meta = Meta {
            index,
            subjects,
            actor: entry.actor.to_string(),
        };
        let held = self.payload(&entry, index, payload);
        match &held {
            Held::Event(event) => {
                if let Event::ErasureRequested(erasure) = &**event {
                    let named = erasure.entries.iter();
                    let erased = named.filter(|index| self.missing.remove(index)).count();
                    self.contents.erased += erased as u64;
                }
                if let Event::OpinionGiven(given) = &**event {
                    self.opinions.push((index, given.size, given.root.clone()));
                }
                self.state.apply(event, &meta);
            }
            // What became of the payload is reported; the entry itself is there.
            Held::Nothing | Held::Buried => self.state.pass(&meta, &entry.kind),
        }
        if self.snapshot_sizes.contains(&(index + 1)) {
            let then = (self.state.clone(), self.edge.root());
            self.at_snapshots.insert(index + 1, then);
        }
        match held {
            Held::Event(_) => self.entry_blobs(&entry, index, blobs, ring),
            // The blobs of an erased payload are gone with it, or can no longer be opened.
            Held::Nothing | Held::Buried => {
                self.files.extend(blobs.iter().map(|row| row.sha256));
                Ok(())
            }
        }
    }

    fn columns(&mut self, entry: &Entry, row: Beside) {
        let columns = [
            ("organisation", entry.org == self.org),
            ("id", entry.id == row.id),
            ("command", entry.command == row.command),
        ];
        let wrong = columns.into_iter().filter(|(_, same)| !same);
        self.problems.extend(wrong.map(|(column, _)| Problem::Row {
            index: row.seq,
            column,
        }));
    }

    fn order(&mut self, entry: &Entry, index: u64) {
        self.ids.push((entry.id, index));
        // The entries of one command follow one another.
        if self.command.replace(entry.command) != Some(entry.command) {
            self.commands.push((entry.command, index));
        }
        for about in &entry.subjects {
            if self.last.insert(about.id, index) != about.prev {
                self.problems.push(Problem::Chain {
                    index,
                    subject: about.id,
                });
            }
        }
        let later = entry.refs.iter().filter(|target| **target >= index);
        self.problems
            .extend(later.map(|target| Problem::NotEarlier {
                index,
                target: *target,
            }));
    }

    fn payload(&mut self, entry: &Entry, index: u64, payload: Payload) -> Held {
        match payload {
            Payload::Closed => Held::Nothing,
            Payload::Missing => {
                self.missing.insert(index);
                Held::Nothing
            }
            Payload::Buried => {
                self.contents.erased += 1;
                Held::Buried
            }
            Payload::Altered => {
                self.problems.push(Problem::Payload { index });
                Held::Nothing
            }
            Payload::Opened(Ok(event)) => {
                self.contents.payloads += 1;
                Held::Event(event)
            }
            Payload::Opened(Err(error)) => {
                self.contents.payloads += 1;
                // The reader's own words may quote the payload, and with it a name.
                let kind = entry.kind.clone();
                self.problems.push(match error {
                    EventError::UnknownKind(_) => Problem::UnknownKind { index, kind },
                    EventError::Form { .. } => Problem::Form { index, kind },
                });
                Held::Nothing
            }
        }
    }

    fn entry_blobs(
        &mut self,
        entry: &Entry,
        index: u64,
        rows: Vec<BlobRow>,
        ring: &Keyring,
    ) -> Result<(), StoreError> {
        self.files.extend(rows.iter().map(|row| row.sha256));
        for stated in &entry.blobs {
            match rows.iter().find(|row| row.name == stated.name) {
                Some(row) => self.blob(entry, index, stated, row, ring)?,
                None => self.problems.push(Problem::BlobMissing {
                    index,
                    name: stated.name.clone(),
                }),
            }
        }
        for row in rows {
            if entry.blobs.iter().all(|stated| stated.name != row.name) {
                self.problems.push(Problem::BlobStray {
                    index,
                    name: row.name,
                });
            }
        }
        Ok(())
    }

    fn blob(
        &mut self,
        entry: &Entry,
        index: u64,
        stated: &Blob,
        row: &BlobRow,
        ring: &Keyring,
    ) -> Result<(), StoreError> {
        let name = stated.name.clone();
        let bytes = match self.blobs.read(row.sha256) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.problems.push(Problem::BlobMissing { index, name });
                return Ok(());
            }
            Err(StoreError::Damaged { .. }) => {
                self.problems.push(Problem::Blob { index, name });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let sealed = Sealed {
            nonce: row.nonce,
            bytes,
        };
        let opened = ring.open(
            row.key,
            What::Blob {
                kind: &entry.kind,
                name: &name,
            },
            entry.id,
            &sealed,
        );
        let is_whole = opened.is_some_and(|blob| {
            fits(&blob, stated.commit) && blob.bytes.len() as u64 == stated.len
        });
        if is_whole {
            self.contents.blobs += 1;
        } else {
            self.problems.push(Problem::Blob { index, name });
        }
        Ok(())
    }

    fn head(&mut self, head: &Signed, known: &[VerifyingKey], depth: Depth) {
        let (size, found) = (self.edge.size(), self.edge.root());
        if (size, found) != (head.size, head.root) {
            self.problems.push(Problem::Root {
                size,
                found,
                stated_size: head.size,
                stated: head.root,
            });
        }
        if let Err(reason) = guard::check_note(head, known) {
            self.problems.push(Problem::Head { reason });
        }
        if depth == Depth::Full && self.state.size != head.size {
            self.problems.push(Problem::State {
                found: self.state.size,
                size: head.size,
            });
        }
    }

    fn guard(&mut self, guard: Option<&Signed>, known: &[VerifyingKey]) {
        let Some(guard) = guard else {
            self.problems.push(Problem::GuardMissing);
            return;
        };
        if let Err(reason) = guard::check_note(guard, known) {
            self.problems.push(Problem::Guard { reason });
        }
        let size = self.edge.size();
        match guard::standing(guard, self.root_at(guard.size), size, &self.state.log) {
            Standing::Level => {}
            Standing::Behind => self.notes.push(Note::GuardBehind {
                guard: guard.size,
                size,
            }),
            Standing::Ahead | Standing::Other => {
                self.problems.push(Problem::Forked { size: guard.size })
            }
        }
    }

    async fn folder(&mut self, place: &Place, depth: Depth) -> Result<(), StoreError> {
        let count = match depth {
            Depth::Full => self
                .blobs
                .count_orphans(|name| self.files.contains(&name))?,
            Depth::Log => 0,
        };
        if count > 0 {
            self.notes.push(Note::Orphans { count });
        }
        let files: &[&'static str] = match place.at() {
            At::Folder(_) => &[KEK, LOG_KEY, KEYS, JOURNAL],
            At::Server(_) => &[KEK, LOG_KEY],
        };
        let accounts = match place.folder() {
            Some(dir) if folder::is_there(&dir.join(ACCOUNTS))? => Some(&ACCOUNTS),
            Some(_) | None => None,
        };
        for file in files.iter().chain(accounts) {
            if folder::is_open_to_others(&place.home().join(file))? {
                self.notes.push(Note::OpenToOthers { file });
            }
        }
        Ok(())
    }
}

/// Entries that are checked together, and where their blobs lie.
struct Chunk {
    rows: Unread,
    blobs: Vec<BlobRow>,
    depth: Depth,
}

/// What a row says beside its entry.
#[derive(Clone, Copy)]
struct Beside {
    seq: u64,
    id: Uuid,
    command: Uuid,
}

/// The same, opened.
struct OpenedChunk {
    rows: Vec<(Beside, Opened)>,
    blobs: Vec<BlobRow>,
}

impl Chunk {
    fn open(self, ring: &Keyring) -> Result<OpenedChunk, StoreError> {
        let depth = self.depth;
        let rows = self.rows.read()?.into_iter().map(|row| {
            let EntryRow {
                seq, id, command, ..
            } = row;
            (Beside { seq, id, command }, Opened::of(&row, ring, depth))
        });
        Ok(OpenedChunk {
            rows: rows.collect(),
            blobs: self.blobs,
        })
    }
}

/// The entries from `from` to below `end`.
async fn read_chunk(
    journal: &mut Database,
    org: Uuid,
    (from, end): (u64, u64),
    depth: Depth,
) -> Result<Chunk, StoreError> {
    let is_full = depth == Depth::Full;
    Ok(Chunk {
        rows: journal.entries_unread(org, from, end, is_full).await?,
        blobs: match is_full && from < end {
            true => journal.blobs(org, from, end).await?,
            false => Vec::new(),
        },
        depth,
    })
}

/// Whether entries of this kind tell of the log's own keys and origins.
fn is_about_log(kind: &str) -> bool {
    ["key.rotated", "key.dropped", "log.forked"].contains(&kind)
}

/// A row, as far as it can be read by itself.
struct Opened {
    leaf: Hash,
    entry: Result<(Entry, Payload), entry::EntryError>,
}

/// What is there of a payload.
enum Payload {
    /// Not looked at.
    Closed,
    Missing,
    Buried,
    Altered,
    Opened(Result<Box<Event>, EventError>),
}

impl Opened {
    fn of(row: &EntryRow, ring: &Keyring, depth: Depth) -> Opened {
        let entry = Entry::parse(&row.entry).map(|entry| {
            let payload = match depth {
                Depth::Full => Payload::of(row, &entry, ring),
                Depth::Log => Payload::Closed,
            };
            (entry, payload)
        });
        Opened {
            leaf: leaf_hash(&row.entry),
            entry,
        }
    }
}

impl Payload {
    fn of(row: &EntryRow, entry: &Entry, ring: &Keyring) -> Payload {
        let Some((key, sealed)) = &row.payload else {
            return Payload::Missing;
        };
        if ring.is_buried(*key) {
            return Payload::Buried;
        }
        let opened = ring.open(*key, What::Payload { kind: &entry.kind }, entry.id, sealed);
        match opened.filter(|payload| fits(payload, entry.commit)) {
            None => Payload::Altered,
            Some(payload) => {
                Payload::Opened(Event::from_payload(&entry.kind, &payload.bytes).map(Box::new))
            }
        }
    }
}

fn fits(disclosed: &Disclosed, commit: Hash) -> bool {
    entry::commit(&disclosed.salt, &disclosed.bytes) == commit
}
