//! The desk: opened or made, written by commands, read as state and entries.

use std::fs::File;
use std::sync::Arc;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::dossier::Disclosed;
use alnager_journal::entry::{self, Entry};
use alnager_journal::merkle::{self, Hash, Range, empty_root, leaf_hash};
use alnager_journal::note::{KeyKind, Signature, SigningKey, VerifyingKey};
use alnager_journal::published::Tiles;
use alnager_journal::tile::{Tile, WIDTH_FULL};
use alnager_office::state::State;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::blobs::Blobs;
use crate::database::{Database, Durability};
use crate::edge::Edge;
use crate::entropy::Entropy;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, Aside, Found};
use crate::guard::{self, Standing};
use crate::log::{Log, load_all_keys};
use crate::place::{At, Place};
use crate::rotate;
use crate::schema::{CHUNK, EntryRow, Kind, Signed};
use crate::seal::{self, Keyring, What};
use crate::secret::{Secrets, Signers};

/// Two entries about a subject are read together if no more than this lies between them.
const NEAR: u64 = 16;

/// Most entries read at once while the entries about a subject are looked for.
const WIDTH_MAX: u64 = 256;

/// What a new desk is made of. Its keys are made by the desk itself, from the operating system's random bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The organisation's id, UUID version 7.
    pub org: Uuid,
    /// The log's name for good, such as `example.org/alnager`: no spaces, no `+`.
    pub origin: String,
}

/// An organisation's journal on disk.
///
/// Several processes, and on PostgreSQL several servers, may hold the same desk. Each sees the others' entries when it commits or
/// calls [`Desk::catch_up`].
pub struct Desk {
    pub(crate) place: Place,
    pub(crate) secrets: Secrets,
    pub(crate) signers: Signers,
    /// The log's key.
    pub(crate) key: VerifyingKey,
    /// The keys that sign its checkpoints: its own and, for a while, the one before.
    pub(crate) known: Vec<VerifyingKey>,
    pub(crate) checkpoint: SignedCheckpoint,
    pub(crate) log: Log,
    /// Why it cannot be written.
    pub(crate) forked: Option<String>,
    /// The size of the newest snapshot that is kept.
    pub(crate) snapshot_size: u64,
    pub(crate) ring: Keyring,
    pub(crate) blobs: Blobs,
    pub(crate) files: Mutex<Files>,
    pub(crate) entropy: Entropy,
    pub(crate) faults: Faults,
    /// Shared by all who hold the desk open, so that nobody puts another journal in its place meanwhile.
    #[expect(dead_code, reason = "it is held, not read")]
    pub(crate) lock: Option<File>,
    // Last, so that the databases are closed before a folder that never appeared is removed.
    pub(crate) aside: Option<Aside>,
}

pub(crate) struct Files {
    pub(crate) journal: Database,
    pub(crate) keys: Database,
}

impl Desk {
    /// Whether there is a desk in this folder or database. `false` too when it may not be looked into; [`Desk::open`] tells.
    pub async fn exists(place: &Place) -> bool {
        place.look().await.is_ok_and(|found| found == Found::Desk)
    }

    /// Opens the desk in this place, reads what its snapshot does not hold, and checks it against head and guard.
    pub async fn open(place: &Place) -> Result<Desk, StoreError> {
        Desk::open_with(place, Faults::default()).await
    }

    pub(crate) async fn open_with(place: &Place, faults: Faults) -> Result<Desk, StoreError> {
        match place.look().await? {
            Found::Desk => Desk::load(place, faults, None, None).await,
            Found::Nothing => Err(StoreError::Absent { dir: place.shown() }),
        }
    }

    /// Opens the desk once more, beginning with what this handle has read: what the journal says is then held once.
    pub async fn twin(&self) -> Result<Desk, StoreError> {
        let twin = (self.log.clone(), self.snapshot_size);
        Desk::load(&self.place, self.faults.clone(), None, Some(twin)).await
    }

    /// Opens the desk in this place, or makes one that appears there, whole, with its first commit.
    ///
    /// In a folder it lies until then beside its place, in `<dir>.new-<digits>`, and is removed when dropped. `fresh` is ignored when
    /// there is a desk.
    pub async fn open_or_new(place: &Place, fresh: Fresh) -> Result<Desk, StoreError> {
        let entropy = Entropy::system();
        Desk::open_or_new_with(place, fresh, Faults::default(), entropy).await
    }

    pub(crate) async fn open_or_new_with(
        place: &Place,
        fresh: Fresh,
        faults: Faults,
        mut entropy: Entropy,
    ) -> Result<Desk, StoreError> {
        let mut desk = match (place.look().await?, place.at()) {
            (Found::Desk, _) => Desk::load(place, faults, None, None).await?,
            (Found::Nothing, At::Folder(dir)) => {
                let aside = Aside::new(dir)?;
                let path = place.moved(aside.path());
                create(&path, &fresh, &faults, &mut entropy).await?;
                Desk::load(&path, faults, Some(aside), None).await?
            }
            (Found::Nothing, At::Server(_)) => {
                let making = place.hold_making().await?;
                // Whoever waited finds the desk of another maker.
                if place.look().await? == Found::Nothing {
                    place.check_home()?;
                    create(place, &fresh, &faults, &mut entropy).await?;
                }
                making.close().await?;
                Desk::load(place, faults, None, None).await?
            }
        };
        desk.entropy = entropy;
        Ok(desk)
    }

    /// Takes the state of another handle of this desk in place of its own, where both have read as far: what a journal says is the same for
    /// all, and is then held once.
    pub fn share(&mut self, state: &Arc<State>) {
        if state.size == self.log.state.size {
            self.log.state = Arc::clone(state);
        }
    }

    /// Everything the journal says, as far as this handle has read it. Durable, and never changed in place.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.log.state)
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

    /// Number of entries, as far as this handle has read the journal.
    pub fn size(&self) -> u64 {
        self.log.edge.size()
    }

    /// The root over the first `size` entries. `None` when there are fewer.
    pub async fn root_at(&self, size: u64) -> Result<Option<Hash>, StoreError> {
        if size > self.size() {
            return Ok(None);
        }
        // Not from tiles: a damaged one must not keep anybody from reading the journal.
        if size == self.size() {
            return Ok(Some(self.log.edge.root()));
        }
        let tiles = self.tiles(&[Range::first(size)]).await?;
        merkle::root_at(&tiles, size)
            .map(Some)
            .ok_or_else(missing_tile)
    }

    /// The proof that entry `index` is among the first `size` entries, its sibling first. `None` unless `index < size` and
    /// there are that many.
    pub async fn inclusion_proof(
        &self,
        index: u64,
        size: u64,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let Some(path) = merkle::inclusion_path(index, size).filter(|_| size <= self.size()) else {
            return Ok(None);
        };
        let tiles = self.tiles(&path).await?;
        merkle::inclusion_proof(&tiles, index, size)
            .map(Some)
            .ok_or_else(missing_tile)
    }

    /// The proofs that these entries are among the first `size` ones, in the order of `indexes`; each tile is read once. `None` unless
    /// all of them are.
    pub async fn inclusion_proofs(
        &self,
        indexes: &[u64],
        size: u64,
    ) -> Result<Option<Vec<Vec<Hash>>>, StoreError> {
        let paths = indexes
            .iter()
            .map(|index| merkle::inclusion_path(*index, size));
        let paths = paths.collect::<Option<Vec<Vec<Range>>>>();
        let Some(paths) = paths.filter(|_| size <= self.size()) else {
            return Ok(None);
        };
        let tiles = self.tiles(&paths.concat()).await?;
        let proofs = indexes
            .iter()
            .map(|index| merkle::inclusion_proof(&tiles, *index, size));
        proofs
            .collect::<Option<Vec<Vec<Hash>>>>()
            .map(Some)
            .ok_or_else(missing_tile)
    }

    /// The proof that the first `old` entries are a prefix of the first `new` ones. `None` unless `old <= new` and there are
    /// that many.
    pub async fn consistency_proof(
        &self,
        old: u64,
        new: u64,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let Some(path) = merkle::consistency_path(old, new).filter(|_| new <= self.size()) else {
            return Ok(None);
        };
        let tiles = self.tiles(&path).await?;
        merkle::consistency_proof(&tiles, old, new)
            .map(Some)
            .ok_or_else(missing_tile)
    }

    /// The bytes of a tile of the log at its current size: 32 for each hash. `None` when the log has no such tile.
    pub async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(bytes) = self.log.edge.tile(tile) {
            return Ok(Some(bytes));
        }
        if tile.width() != WIDTH_FULL {
            return Ok(None);
        }
        let mut files = self.files.lock().await;
        files
            .journal
            .tile(self.log.org, tile.level(), tile.index())
            .await
    }

    /// The roots over ranges of entries that the journal has.
    pub async fn roots(&self, ranges: &[Range]) -> Result<Vec<Hash>, StoreError> {
        let tiles = self.tiles(ranges).await?;
        let roots = ranges.iter().map(|range| range.root(&tiles));
        roots.collect::<Option<_>>().ok_or_else(missing_tile)
    }

    /// The tiles that these ranges of entries are made of.
    async fn tiles(&self, ranges: &[Range]) -> Result<Tiles, StoreError> {
        let mut tiles = Tiles::new();
        for tile in Tiles::needed(ranges, self.size()).ok_or_else(missing_tile)? {
            let bytes = self.tile(tile).await?.ok_or_else(missing_tile)?;
            tiles
                .insert(tile, &bytes)
                .map_err(|error| StoreError::damaged_by(MISSING_TILE, error))?;
        }
        Ok(tiles)
    }

    /// Reads what others have entered since.
    ///
    /// A journal that is not the one last signed is read all the same, and from then on not written: see [`Desk::forked`].
    pub async fn catch_up(&mut self) -> Result<(), StoreError> {
        self.read_on().await.map(drop)
    }

    /// Reads what others have entered since; how the guard stood to it.
    async fn read_on(&mut self) -> Result<Standing, StoreError> {
        let org = self.log.org;
        // The guard follows the head: read in this order, a guard that is ahead is never a commit that is under way.
        let Files { journal, keys } = self.files.get_mut();
        let guard = guard::find(keys, org).await?;
        let mut head = read_head(journal, org).await?;
        while let Err(error) = self.follow(&head).await {
            // An erasure that was asked for since may have taken payloads that this head still counts on.
            let journal = &mut self.files.get_mut().journal;
            let newer = read_head(journal, org).await?;
            if newer == head || !matches!(error, StoreError::Damaged { .. }) {
                return Err(error);
            }
            head = newer;
        }
        guard::check_read(&guard, &self.known_as(&guard.origin))?;
        let known = self.known_root(&guard).await?;
        let standing = self.standing(&guard, known);
        self.forked = guard::fork(standing, &guard, self.size());
        Ok(standing)
    }

    /// The root over as many entries as the guard has seen. Where the tiles do not give the guard's, the entries themselves are asked,
    /// which were held against the head: a damaged tile is no fork.
    pub(crate) async fn known_root(&mut self, guard: &Signed) -> Result<Option<Hash>, StoreError> {
        let found = self.root_at(guard.size).await;
        let is_certain = |root: &Option<Hash>| root.is_none_or(|root| root == guard.root);
        match found {
            Ok(root) if is_certain(&root) || self.forked.is_some() => return Ok(root),
            Ok(_) | Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
        let org = self.log.org;
        let journal = &mut self.files.get_mut().journal;
        let (mut edge, mut full) = (Edge::default(), Vec::new());
        while edge.size() < guard.size {
            let from = edge.size();
            let rows = journal
                .entries(org, from, guard.size.min(from + CHUNK))
                .await?;
            if rows.first().is_none_or(|row| row.seq != from) {
                return Err(StoreError::damaged(format!("entry `{from}` is missing")));
            }
            for row in &rows {
                edge.push(leaf_hash(&row.entry), &mut full);
            }
            full.clear();
        }
        Ok(Some(edge.root()))
    }

    /// Reads the journal up to a head.
    async fn follow(&mut self, head: &Signed) -> Result<(), StoreError> {
        match self.follow_as_known(head).await {
            // Another process may have changed the secrets.
            Err(error @ StoreError::Damaged { .. }) => match self.renew_secrets().await {
                Ok(true) => self.follow_as_known(head).await,
                Ok(false) | Err(_) => Err(error),
            },
            followed => followed,
        }
    }

    async fn follow_as_known(&mut self, head: &Signed) -> Result<(), StoreError> {
        if head.origin != self.origin() {
            // Another process has forked the log.
            self.signers = self.secrets.signers(&head.origin)?;
            self.known = self.signers.verifying_keys(&head.origin);
            self.key = self.signers.current().verifying_key(KeyKind::Ed25519);
        }
        let Desk {
            log,
            ring,
            files,
            known,
            ..
        } = self;
        let Files { journal, keys } = files.get_mut();
        let checkpoint = check_head(head, known)?;
        log.catch_up(head.size, head.root, journal, keys, ring)
            .await?;
        self.checkpoint = checkpoint;
        Ok(())
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
        let to = to.min(self.size());
        let mut files = self.files.lock().await;
        let rows = files.journal.entries_alone(self.log.org, from, to).await?;
        rows.iter().map(|row| Ok((row.seq, parsed(row)?))).collect()
    }

    /// The entries about a subject, oldest first. Empty when nothing is about it.
    ///
    /// Each names the one before, so they are read backwards: one by one where they lie far apart, many at once where they stand close together.
    pub async fn entries_about(&self, subject: Uuid) -> Result<Vec<(u64, Entry)>, StoreError> {
        let mut entries: Vec<(u64, Entry)> = Vec::new();
        let mut next = self.log.state.heads.get(&subject.to_string()).copied();
        let (mut rows, mut width): (Vec<EntryRow>, u64) = (Vec::new(), 1);
        while let Some(index) = next {
            if rows.binary_search_by_key(&index, |row| row.seq).is_err() {
                let is_near = entries
                    .last()
                    .is_some_and(|(later, _)| later - index <= NEAR);
                width = if is_near {
                    (width * 2).min(WIDTH_MAX)
                } else {
                    1
                };
                let from = (index + 1).saturating_sub(width);
                let mut files = self.files.lock().await;
                let org = self.log.org;
                rows = files.journal.entries_alone(org, from, index + 1).await?;
            }
            let row = rows
                .binary_search_by_key(&index, |row| row.seq)
                .ok()
                .and_then(|at| rows.get(at));
            let row =
                row.ok_or_else(|| StoreError::damaged(format!("entry `{index}` is missing")))?;
            let entry = parsed(row)?;
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
        if index >= self.size() {
            return Ok(None);
        }
        let mut files = self.files.lock().await;
        let found = files.journal.entries(self.log.org, index, index + 1).await;
        drop(files);
        let Some(row) = found?.pop() else {
            return Ok(None);
        };
        let entry = parsed(&row)?;
        let is_buried = |key: Uuid| self.ring.is_buried(key);
        let Some((key, sealed)) = row.payload.filter(|(key, _)| !is_buried(*key)) else {
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
        let row = rows.into_iter().find(|row| row.name == name);
        let Some(row) = row.filter(|row| !self.ring.is_buried(row.key)) else {
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

    /// The idempotency key that follows from what is asked for: the same on every day, for this desk alone. It stands in an entry for good, and
    /// without the desk's keys nobody can tell what was asked for by trying.
    pub async fn command_of(&mut self, asked: &[u8]) -> Result<Uuid, StoreError> {
        let org = self.log.org;
        if self.ring.key_of(org).is_none() {
            load_all_keys(&mut self.files.get_mut().keys, &mut self.ring).await?;
        }
        let key = self.ring.key_of(org);
        let mark = key.and_then(|key| self.ring.mark(key, asked));
        let mark = mark.ok_or_else(|| StoreError::damaged("the organisation's key is missing"))?;
        Ok(uuid::Builder::from_custom_bytes(mark).into_uuid())
    }

    /// The entries of commands, first and last, by their idempotency keys; those that were not entered are left out.
    pub async fn entered(&self, commands: &[Uuid]) -> Result<Vec<(Uuid, u64, u64)>, StoreError> {
        let mut files = self.files.lock().await;
        files.journal.commands(self.log.org, commands).await
    }

    /// What witnesses have signed under the checkpoint of this size, sorted.
    pub async fn cosignatures(&self, size: u64) -> Result<Vec<Signature>, StoreError> {
        let mut files = self.files.lock().await;
        let lines = files.journal.cosignatures(self.log.org, size).await?;
        let parse = |line: &String| {
            Signature::parse(line).map_err(|error| {
                StoreError::damaged_by("the signature of a witness cannot be read", error)
            })
        };
        lines.iter().map(parse).collect()
    }

    /// Keeps what witnesses have signed under the checkpoint of this size; what is there already is kept once.
    pub async fn add_cosignatures(
        &mut self,
        size: u64,
        lines: Vec<Signature>,
    ) -> Result<(), StoreError> {
        let org = self.log.org;
        let journal = &mut self.files.get_mut().journal;
        journal.begin(Durability::Full).await?;
        let mut kept = Ok(());
        for line in &lines {
            kept = journal
                .insert_cosignature(org, size, line.to_string().trim_end())
                .await;
            if kept.is_err() {
                break;
            }
        }
        let kept = match kept {
            Ok(()) => journal.commit().await,
            failed => failed,
        };
        journal.rollback().await;
        kept
    }

    /// The newest size that a witness has signed, as far as this handle has read the journal. `None` when none has.
    pub async fn cosigned(&self) -> Result<Option<u64>, StoreError> {
        let mut files = self.files.lock().await;
        files.journal.cosigned(self.log.org, self.size()).await
    }

    /// The signed checkpoint of exactly this size. `None` when none was signed there, or an older version did not keep it.
    pub async fn checkpoint_at(&self, size: u64) -> Result<Option<SignedCheckpoint>, StoreError> {
        let found = self.checkpoint_from(size).await?;
        Ok(found.filter(|found| found.checkpoint().size() == size))
    }

    /// The first checkpoint that was signed over at least so many entries. `None` when none was, or an older version did not keep it.
    pub async fn checkpoint_from(&self, size: u64) -> Result<Option<SignedCheckpoint>, StoreError> {
        let mut files = self.files.lock().await;
        let Some((_, note)) = files.journal.checkpoint(self.log.org, size).await? else {
            return Ok(None);
        };
        SignedCheckpoint::parse(note.as_bytes())
            .map(Some)
            .map_err(|error| StoreError::damaged_by("a signed checkpoint cannot be read", error))
    }

    /// Closes the databases. Dropping the desk does the same, a moment later.
    pub async fn close(self) -> Result<(), StoreError> {
        let Files { journal, keys } = self.files.into_inner();
        journal.close().await?;
        keys.close().await
    }

    /// `twin`: the journal as another handle has read it, with the size of the snapshot it found.
    async fn load(
        place: &Place,
        faults: Faults,
        aside: Option<Aside>,
        twin: Option<(Log, u64)>,
    ) -> Result<Desk, StoreError> {
        let (journal, keys) = (place.journal(), place.keys());
        let mut journal = Database::open(&journal, Kind::Journal, faults.clone()).await?;
        let mut keys = Database::open(&keys, Kind::Keys, faults.clone()).await?;
        let lock = folder::share(place.home())?;
        let (head, secrets, checkpoint) = loop {
            let head = only_head(&mut journal).await?;
            let secrets = rotate::read_secrets(place, head.org, &mut journal, &mut keys).await?;
            let known = secrets.signers(&head.origin)?.verifying_keys(&head.origin);
            match check_head(&head, &known) {
                Ok(checkpoint) => break (head, secrets, checkpoint),
                // Another process has changed the log's key in this moment.
                Err(_) if only_head(&mut journal).await? != head => {}
                Err(error) => return Err(error),
            }
        };
        let signers = secrets.signers(&head.origin)?;
        let known = signers.verifying_keys(&head.origin);
        let mut desk = Desk {
            checkpoint,
            ring: Keyring::new(head.org, secrets.kek()),
            log: Log::new(head.org),
            forked: None,
            snapshot_size: 0,
            key: signers.current().verifying_key(KeyKind::Ed25519),
            secrets,
            signers,
            known,
            blobs: place.blobs()?.with_faults(faults.clone()),
            files: Mutex::new(Files { journal, keys }),
            place: place.clone(),
            entropy: Entropy::system(),
            faults,
            lock,
            aside,
        };
        let is_twin = twin.is_some();
        match twin {
            Some((log, snapshot_size)) => {
                // What the other handle has read was opened with its own keys.
                load_all_keys(&mut desk.files.get_mut().keys, &mut desk.ring).await?;
                desk.log = log;
                desk.snapshot_size = snapshot_size;
            }
            None => desk.take_snapshot(&head).await?,
        }
        let standing = match desk.read_on().await {
            // The snapshot may be what is wrong, or the tiles under it: everything is folded again.
            Err(StoreError::Damaged { .. } | StoreError::Forked { .. })
                if desk.snapshot_size > 0 || is_twin =>
            {
                desk.log = Log::new(head.org);
                desk.snapshot_size = 0;
                desk.read_on().await?
            }
            standing => standing?,
        };
        desk.complete_tiles().await?;
        if standing == Standing::Behind {
            desk.heal().await?;
        }
        Ok(desk)
    }

    /// Moves a guard on that a process left behind when it ended between journal and guard.
    async fn heal(&mut self) -> Result<(), StoreError> {
        let locked = self.lock().await;
        self.rollback().await;
        match locked {
            // The guard is consistent, so the desk can be read; who writes next moves it on or is told why not.
            Err(
                StoreError::ReadOnly { .. }
                | StoreError::Permission { .. }
                | StoreError::Busy { .. }
                | StoreError::Moved,
            ) => Ok(()),
            locked => locked.map(drop),
        }
    }

    /// Makes the tiles of a desk that has none yet, being of an older format. One that cannot be written to stays without.
    async fn complete_tiles(&mut self) -> Result<(), StoreError> {
        let expected = Edge::n_tiles(self.size());
        if expected == 0 {
            return Ok(());
        }
        let org = self.log.org;
        let journal = &mut self.files.get_mut().journal;
        if journal.count_tiles(org).await? >= expected {
            return Ok(());
        }
        let rebuilt = self.rebuild_tiles(&|_, _| {}).await;
        self.rollback().await;
        match rebuilt {
            Err(StoreError::ReadOnly { .. } | StoreError::Busy { .. }) => Ok(()),
            rebuilt => rebuilt.map(drop),
        }
    }

    /// Becomes the journal's only writer, reads what others have entered, and sees to it that the guard agrees.
    pub(crate) async fn lock(&mut self) -> Result<Signed, StoreError> {
        let head = self.lock_head().await?;
        let keys = &mut self.files.get_mut().keys;
        // Where the guard stands at the head already, nobody is about to move it: the head is locked.
        if keys.guard(head.org).await?.as_ref() == Some(&head) && !keys.is_moved(head.org).await? {
            self.forked = None;
            self.refresh_secrets().await?;
            return Ok(head);
        }
        let guard = self.lock_guard().await?;
        let known = self.known_root(&guard).await?;
        let standing = self.standing(&guard, known);
        self.forked = guard::fork(standing, &guard, self.size());
        if let Some(what) = self.forked.clone() {
            return Err(StoreError::Forked { what });
        }
        let keys = &mut self.files.get_mut().keys;
        if standing == Standing::Behind {
            move_guard(keys, &guard, &head).await?;
            keys.commit().await?;
        } else {
            keys.rollback().await;
        }
        self.refresh_secrets().await?;
        Ok(head)
    }

    /// Begins a transaction on the keys and waits for the guard: whoever wrote before moves it after the journal's lock is free.
    pub(crate) async fn lock_guard(&mut self) -> Result<Signed, StoreError> {
        let org = self.log.org;
        let keys = &mut self.files.get_mut().keys;
        keys.begin(Durability::Lazy).await?;
        let guard = keys.guard_locked(org).await?;
        if keys.is_moved(org).await? {
            return Err(StoreError::Moved);
        }
        let guard = guard.ok_or_else(guard::missing)?;
        guard::check_read(&guard, &self.known_as(&guard.origin))?;
        Ok(guard)
    }

    /// Becomes the journal's only writer and reads what others have entered.
    pub(crate) async fn lock_head(&mut self) -> Result<Signed, StoreError> {
        let journal = &mut self.files.get_mut().journal;
        journal.begin(Durability::Full).await?;
        let head = one_head(journal.heads_locked().await?)?;
        same_org(&head, self.log.org)?;
        self.follow(&head).await?;
        Ok(head)
    }

    pub(crate) async fn rollback(&mut self) {
        let Files { journal, keys } = self.files.get_mut();
        keys.rollback().await;
        journal.rollback().await;
    }

    pub(crate) fn sign(&self, size: u64, root: Hash) -> Result<SignedCheckpoint, StoreError> {
        self.signers.sign(self.key.name(), size, root)
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("place", &self.place)
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

/// Fills the place of a new desk with an empty journal.
async fn create(
    place: &Place,
    fresh: &Fresh,
    faults: &Faults,
    entropy: &mut Entropy,
) -> Result<(), StoreError> {
    let Fresh { org, origin } = fresh;
    if org.get_version_num() != 7 {
        return Err(StoreError::Organisation);
    }
    let secrets = Secrets::make(entropy)?;
    SigningKey::new(origin, secrets.seed()).map_err(|source| StoreError::Origin {
        origin: origin.clone(),
        source,
    })?;
    let (size, root) = (0, empty_root());
    let checkpoint = secrets.signers(origin)?.sign(origin, size, root)?;
    let checkpoint = checkpoint.to_string();
    let signed = Signed {
        org: *org,
        origin: origin.clone(),
        size,
        root,
        checkpoint,
    };

    place.prepare(&secrets.files(place.unlock(), entropy)?)?;
    let mut keys = Database::create(&place.keys(), Kind::Keys, faults.clone()).await?;
    let mut journal = Database::create(&place.journal(), Kind::Journal, faults.clone()).await?;
    // The key's id needs an instant; the organisation's id carries one, bits 0 to 47 of it.
    let unix_ms = u64::try_from(org.as_u128() >> 80).unwrap_or_default();
    let key = Keyring::new(*org, secrets.kek()).new_key(entropy.id(unix_ms)?, *org, entropy)?;
    keys.insert_key(*org, &key).await?;
    keys.insert_guard(&signed).await?;
    journal.insert_head(&signed).await?;
    keys.close().await?;
    journal.close().await
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is the head, and the guard is still locked.
    Head,
    /// It is the head, which had to be looked for: it is locked, and the guard is not.
    Found,
    /// It was made, and others have entered something since.
    Earlier,
}

/// Commits the journal. When that fails, a look under the lock tells whether it happened all the same.
pub(crate) async fn settle(
    journal: &mut Database,
    keys: &mut Database,
    next: &Signed,
) -> Result<Settled, StoreError> {
    let Err(error) = journal.commit().await else {
        return Ok(Settled::Head);
    };
    journal.rollback().await;
    // If it happened, another writer may hold the head by now and wait for the guard.
    keys.rollback().await;
    match look_for(journal, next).await {
        Ok((head, _)) if head == *next => Ok(Settled::Found),
        Ok((_, Some(note))) if note == next.checkpoint => Ok(Settled::Earlier),
        // Nothing of ours is there.
        Ok(_) => Err(error),
        Err(_) => Err(StoreError::Unknown {
            source: Box::new(error),
        }),
    }
}

/// The head, once nobody writes, and what was signed at the size of `next`.
async fn look_for(
    journal: &mut Database,
    next: &Signed,
) -> Result<(Signed, Option<String>), StoreError> {
    journal.restore_link().await?;
    // An old connection that still commits holds the head until it is done.
    journal.begin(Durability::Full).await?;
    let head = one_head(journal.heads_locked().await?)?;
    Ok((head, journal.checkpoint_of(next.org, next.size).await?))
}

/// Moves the guard, in a transaction that has locked it. A guard that is there already is moved.
pub(crate) async fn move_guard(
    keys: &mut Database,
    from: &Signed,
    to: &Signed,
) -> Result<(), StoreError> {
    if keys.move_guard(from, to).await? {
        return Ok(());
    }
    match keys.guard(to.org).await? {
        Some(guard) if guard == *to => Ok(()),
        _ => Err(StoreError::Forked {
            what: "the guard moved while the journal was locked".to_owned(),
        }),
    }
}

pub(crate) async fn only_head(journal: &mut Database) -> Result<Signed, StoreError> {
    one_head(journal.heads().await?)
}

fn one_head(mut heads: Vec<Signed>) -> Result<Signed, StoreError> {
    match (heads.pop(), heads.is_empty()) {
        (Some(head), true) => Ok(head),
        (Some(_), false) => Err(StoreError::damaged("it has more than one head")),
        (None, _) => Err(StoreError::damaged("it has no head")),
    }
}

async fn read_head(journal: &mut Database, org: Uuid) -> Result<Signed, StoreError> {
    let head = only_head(journal).await?;
    same_org(&head, org)?;
    Ok(head)
}

fn same_org(head: &Signed, org: Uuid) -> Result<(), StoreError> {
    if head.org == org {
        Ok(())
    } else {
        Err(StoreError::damaged(
            "its head is that of another organisation",
        ))
    }
}

/// The entry of a row.
fn parsed(row: &EntryRow) -> Result<Entry, StoreError> {
    Entry::parse(&row.entry).map_err(|error| {
        StoreError::damaged_by(format!("entry `{}` cannot be read", row.seq), error)
    })
}

const MISSING_TILE: &str = "a tile of its tree is missing or is not what was written; `alnager journal rebuild` makes the tiles anew from the entries";

fn missing_tile() -> StoreError {
    StoreError::damaged(MISSING_TILE)
}

fn check_head(head: &Signed, known: &[VerifyingKey]) -> Result<SignedCheckpoint, StoreError> {
    guard::check_note(head, known).map_err(|reason| {
        StoreError::damaged(format!("its head is not what was written: {reason}"))
    })
}

#[cfg(test)]
impl Desk {
    /// Sets a pragma that makes the journal's connection fail later.
    pub(crate) async fn journal_pragma(&mut self, sql: &'static str) {
        self.files.get_mut().journal.pragma(sql).await;
    }
}
