//! The journal in memory: tree and state, as far as it was read; and new entries in the making.

use std::collections::BTreeSet;
use std::sync::Arc;

use alnager_journal::entry::{self, Blob, Entry, Subject, VERSION};
use alnager_journal::merkle::{Hash, leaf_hash};
use alnager_office::decide::Decided;
use alnager_office::event::{Event, EventError};
use alnager_office::state::{Meta, State};
use uuid::Uuid;

use crate::database::Database;
use crate::edge::Edge;
use crate::entropy::Entropy;
use crate::error::StoreError;
use crate::schema::{BlobRow, CHUNK, EntryRow, TileRow};
use crate::seal::{Keyring, What};

/// The kinds of entries that a person's own key seals.
const PERSON_KINDS: &str = "person.";

/// What is known of the journal.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) org: Uuid,
    pub(crate) edge: Edge,
    pub(crate) state: Arc<State>,
    /// Entries in a snapshot whose payloads are gone; an entry behind it must say that they were erased.
    pub(crate) owed: BTreeSet<u64>,
    /// Entries whose payloads later entries, which are not read here, say were erased.
    pub(crate) gone: BTreeSet<u64>,
}

/// Entries that follow those known, already durable or about to be.
pub(crate) struct Advance {
    edge: Edge,
    state: State,
    tiles: Vec<TileRow>,
}

/// Rows and files to be written, and the journal after them.
pub(crate) struct Drafts {
    /// Those that were not handed to the database yet.
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) blobs: Vec<BlobRow>,
    /// The sealed bytes of `blobs`, in the same order.
    pub(crate) files: Vec<Vec<u8>>,
    advance: Advance,
}

impl Drafts {
    /// Size of the journal after them.
    pub(crate) fn size(&self) -> u64 {
        self.advance.edge.size()
    }

    /// Root of the journal after them.
    pub(crate) fn root(&self) -> Hash {
        self.advance.edge.root()
    }

    /// The state after them.
    pub(crate) fn state(&self) -> &State {
        &self.advance.state
    }

    /// The tiles they fill.
    pub(crate) fn tiles(&self) -> &[TileRow] {
        &self.advance.tiles
    }
}

/// The command that entries come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) command: Uuid,
    pub(crate) at: &'a str,
    pub(crate) unix_ms: u64,
}

/// Entries of one command, not yet taken into the drafts.
struct Draft {
    entry: Entry,
    row: EntryRow,
    event: Event,
    blobs: Vec<BlobRow>,
    files: Vec<Vec<u8>>,
}

impl Log {
    pub(crate) fn new(org: Uuid) -> Log {
        Log {
            org,
            edge: Edge::default(),
            state: Arc::default(),
            owed: BTreeSet::new(),
            gone: BTreeSet::new(),
        }
    }

    /// One that is read only up to some entry, though later ones are known: payloads erased since then are not missed.
    pub(crate) fn before(org: Uuid, now: &State) -> Log {
        let entries = now
            .erased
            .keys()
            .filter_map(|id| now.person_entries.get(id));
        Log {
            gone: entries.flatten().copied().collect(),
            ..Log::new(org)
        }
    }

    /// Folds in the entries below `size`, whose root is `root`, that are not known yet. An error leaves everything as it was.
    pub(crate) async fn catch_up(
        &mut self,
        size: u64,
        root: Hash,
        journal: &mut Database,
        keys: &mut Database,
        ring: &mut Keyring,
    ) -> Result<(), StoreError> {
        let known = self.edge.size();
        if size < known {
            let what = format!("it holds `{size}` entries, and `{known}` were there a moment ago");
            return Err(StoreError::Forked { what });
        }
        if size == known && self.edge.root() == root && self.owed.is_empty() {
            return Ok(());
        }
        let mut advance = self.advance();
        let mut missing = self.owed.clone();
        while advance.edge.size() < size {
            let from = advance.edge.size();
            let unread = journal.entries_unread(self.org, from, size.min(from + CHUNK), true);
            let rows = unread.await?.read()?;
            load_keys(
                rows.iter().filter_map(|row| Some(row.payload.as_ref()?.0)),
                keys,
                ring,
            )
            .await?;
            if rows.is_empty() {
                return Err(StoreError::damaged(format!("entry `{from}` is missing")));
            }
            let (org, ring) = (self.org, &*ring);
            let opened = in_parallel(&rows, &|row| (leaf_hash(&row.entry), read(row, org, ring)));
            for (row, (leaf, read)) in rows.iter().zip(opened) {
                let (index, read) = (advance.edge.size(), read?);
                if row.seq != index {
                    return Err(StoreError::damaged(format!("entry `{index}` is missing")));
                }
                match &read.payload {
                    Held::Event(event) => {
                        if let Event::ErasureRequested(erasure) = &**event {
                            missing.retain(|index| !erasure.entries.contains(index));
                        }
                        advance.push(&read.entry, leaf, event);
                    }
                    Held::Nothing => {
                        missing.insert(index);
                        advance.pass(&read.entry, leaf);
                    }
                    Held::Buried => advance.pass(&read.entry, leaf),
                }
            }
            // They are in the database already, or are made anew on request.
            advance.tiles.clear();
        }
        missing.retain(|index| !self.gone.contains(index));
        if let Some(index) = missing.first() {
            return Err(StoreError::damaged(format!(
                "the payload of entry `{index}` is missing"
            )));
        }
        if advance.edge.root() != root {
            return Err(StoreError::damaged(
                "the entries do not have the root hash that its head states",
            ));
        }
        self.owed = missing;
        self.take_advance(advance);
        Ok(())
    }

    /// New entries follow the journal as it is now.
    pub(crate) fn drafts(&self) -> Drafts {
        Drafts {
            entries: Vec::new(),
            blobs: Vec::new(),
            files: Vec::new(),
            advance: self.advance(),
        }
    }

    /// Turns what was decided into entries, sealed, behind those drafted already: all of them or, with an error, none. Writes
    /// nothing.
    pub(crate) fn draft(
        &self,
        drafts: &mut Drafts,
        decided: &[Decided],
        origin: Origin<'_>,
        ring: &Keyring,
        entropy: &mut Entropy,
    ) -> Result<(), StoreError> {
        let mut made: Vec<Draft> = Vec::with_capacity(decided.len());
        for decided in decided {
            let seq = drafts.size() + made.len() as u64;
            let prev = |subject: Uuid| {
                let earlier = made
                    .iter()
                    .rev()
                    .find(|draft| draft.entry.about(subject).is_some());
                earlier
                    .map(|draft| draft.row.seq)
                    .or_else(|| drafts.state().heads.get(&subject.to_string()).copied())
            };
            let draft = self.draft_one(seq, &prev, decided, origin, ring, entropy)?;
            made.push(draft);
        }
        for draft in made {
            let leaf = leaf_hash(&draft.row.entry);
            drafts.advance.push(&draft.entry, leaf, &draft.event);
            drafts.entries.push(draft.row);
            drafts.blobs.extend(draft.blobs);
            drafts.files.extend(draft.files);
        }
        Ok(())
    }

    /// Takes entries that are durable now.
    pub(crate) fn take(&mut self, drafts: Drafts) {
        self.take_advance(drafts.advance);
    }

    fn draft_one(
        &self,
        seq: u64,
        prev: &dyn Fn(Uuid) -> Option<u64>,
        decided: &Decided,
        origin: Origin<'_>,
        ring: &Keyring,
        entropy: &mut Entropy,
    ) -> Result<Draft, StoreError> {
        let kind = decided.event.kind();
        let id = entropy.id(origin.unix_ms)?;
        let key = ring.key_of(owner(decided, self.org)?);
        let key =
            key.ok_or_else(|| StoreError::damaged("the organisation's data key is missing"))?;
        let unreadable = || StoreError::Payload {
            kind: kind.to_owned(),
        };

        let payload = decided.event.to_payload().map_err(|_| unreadable())?;
        // What is folded is what was written: an event that cannot be read back must not get into the journal.
        let event = Event::from_payload(kind, &payload).map_err(|_| unreadable())?;
        let payload = entropy.salted(payload)?;
        let mut entry = Entry {
            v: VERSION,
            kind: kind.to_owned(),
            id,
            org: self.org,
            actor: parse_id(&decided.actor, kind)?,
            subjects: subjects(&decided.subjects, kind, prev)?,
            at: origin.at.to_owned(),
            command: origin.command,
            commit: entry::commit(&payload.salt, &payload.bytes),
            blobs: Vec::new(),
            refs: decided.refs.clone(),
        };
        entry.refs.sort_unstable();
        entry.refs.dedup();
        let (mut blobs, mut files) = (Vec::new(), Vec::new());
        for blob in &decided.blobs {
            let salted = entropy.salted(blob.bytes.to_vec())?;
            let name = blob.name.clone();
            let what = What::Blob { kind, name: &name };
            let sealed = ring.seal(key, what, id, &salted, entropy)?;
            let sha256 = Hash::of(&sealed.bytes);
            entry.blobs.push(Blob {
                name: name.clone(),
                commit: entry::commit(&salted.salt, &salted.bytes),
                len: salted.bytes.len() as u64,
                media: blob.media.clone(),
            });
            let nonce = sealed.nonce;
            blobs.push(BlobRow {
                seq,
                name,
                key,
                nonce,
                sha256,
            });
            files.push(sealed.bytes);
        }
        entry
            .blobs
            .sort_by(|left, right| left.name.cmp(&right.name));

        let bytes = entry.to_bytes().map_err(|source| StoreError::Entry {
            kind: kind.to_owned(),
            source,
        })?;
        let sealed = ring.seal(key, What::Payload { kind }, id, &payload, entropy)?;
        let row = EntryRow {
            seq,
            id,
            command: origin.command,
            entry: bytes,
            payload: Some((key, sealed)),
        };
        Ok(Draft {
            entry,
            row,
            event,
            blobs,
            files,
        })
    }

    fn advance(&self) -> Advance {
        Advance {
            edge: self.edge.clone(),
            state: (*self.state).clone(),
            tiles: Vec::new(),
        }
    }

    fn take_advance(&mut self, advance: Advance) {
        if advance.edge.size() == self.edge.size() {
            return;
        }
        self.edge = advance.edge;
        self.state = Arc::new(advance.state);
    }
}

impl Advance {
    fn push(&mut self, entry: &Entry, leaf: Hash, event: &Event) {
        self.state.apply(event, &self.meta(entry));
        self.edge.push(leaf, &mut self.tiles);
    }

    /// Takes an entry whose payload was erased.
    fn pass(&mut self, entry: &Entry, leaf: Hash) {
        self.state.pass(&self.meta(entry), &entry.kind);
        self.edge.push(leaf, &mut self.tiles);
    }

    fn meta(&self, entry: &Entry) -> Meta {
        Meta {
            index: self.edge.size(),
            subjects: entry
                .subjects
                .iter()
                .map(|about| about.id.to_string())
                .collect(),
            actor: entry.actor.to_string(),
        }
    }
}

/// Fewer rows than this are read by one thread.
const PARALLEL_MIN: usize = 128;

/// What `each` gives for every row, in order: by as many threads as there are processors.
pub(crate) fn in_parallel<R: Sync, T: Send>(rows: &[R], each: &(dyn Fn(&R) -> T + Sync)) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if rows.len() < PARALLEL_MIN || threads == 1 {
        return rows.iter().map(each).collect();
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = rows
            .chunks(rows.len().div_ceil(threads))
            .map(|part| scope.spawn(move || part.iter().map(each).collect::<Vec<T>>()))
            .collect();
        let mut all = Vec::with_capacity(rows.len());
        for part in parts {
            match part.join() {
                Ok(part) => all.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// An entry that was read, with its payload.
pub(crate) struct Read {
    pub(crate) entry: Entry,
    pub(crate) payload: Held,
}

/// What is there of a payload.
pub(crate) enum Held {
    /// All of it.
    Event(Box<Event>),
    /// Nothing: it was erased, if a later `erasure.requested` says so, or it is lost.
    Nothing,
    /// Ciphertext whose key was destroyed: an older copy of the journal was put back after an erasure.
    Buried,
}

pub(crate) fn read(row: &EntryRow, org: Uuid, ring: &Keyring) -> Result<Read, StoreError> {
    let index = row.seq;
    let damaged =
        |what: &str| StoreError::damaged(format!("{what} `{index}` is not what was written"));
    let entry = Entry::parse(&row.entry).map_err(|error| {
        StoreError::damaged_by(format!("entry `{index}` cannot be read"), error)
    })?;
    if entry.org != org || entry.id != row.id || entry.command != row.command {
        return Err(damaged("the row of entry"));
    }
    let Some((key, sealed)) = &row.payload else {
        return Ok(Read {
            entry,
            payload: Held::Nothing,
        });
    };
    if ring.is_buried(*key) {
        return Ok(Read {
            entry,
            payload: Held::Buried,
        });
    }
    let opened = ring.open(*key, What::Payload { kind: &entry.kind }, entry.id, sealed);
    let payload = opened.ok_or_else(|| damaged("the payload of entry"))?;
    if entry::commit(&payload.salt, &payload.bytes) != entry.commit {
        return Err(damaged("the payload of entry"));
    }
    match Event::from_payload(&entry.kind, &payload.bytes) {
        Ok(event) => Ok(Read {
            entry,
            payload: Held::Event(Box::new(event)),
        }),
        Err(EventError::UnknownKind(kind)) => Err(StoreError::UnknownKind { index, kind }),
        // The reader's own words may quote the payload.
        Err(EventError::Form { .. }) => Err(StoreError::damaged(format!(
            "the payload of entry `{index}` does not have the form of its kind"
        ))),
    }
}

/// Makes sure that keys another process made are at hand.
pub(crate) async fn load_keys(
    needed: impl Iterator<Item = Uuid>,
    keys: &mut Database,
    ring: &mut Keyring,
) -> Result<(), StoreError> {
    let mut needed = needed;
    if needed.all(|key| ring.has(key) || ring.is_buried(key)) {
        return Ok(());
    }
    load_all_keys(keys, ring).await
}

/// Takes every key that is not at hand yet.
pub(crate) async fn load_all_keys(
    keys: &mut Database,
    ring: &mut Keyring,
) -> Result<(), StoreError> {
    for wrapped in keys.keys(ring.org()).await? {
        let is_known = ring.has(wrapped.id) || ring.is_buried(wrapped.id);
        if !is_known && ring.unwrap(&wrapped).is_none() {
            return Err(StoreError::damaged(
                "a data key in `keys.db` does not open under `kek`; the two do not belong together",
            ));
        }
    }
    // After the keys: one that an erasure takes away in between is among these.
    for tombstone in keys.tombstones(ring.org()).await? {
        ring.bury(tombstone);
    }
    Ok(())
}

/// Whose key seals an event: a person's for `person.*`, else the organisation's.
pub(crate) fn owner(decided: &Decided, org: Uuid) -> Result<Uuid, StoreError> {
    if !decided.event.kind().starts_with(PERSON_KINDS) {
        return Ok(org);
    }
    assert!(
        decided.subjects.len() == 1,
        "a `person.*` event is about one person"
    );
    decided
        .subjects
        .first()
        .map_or(Ok(org), |person| parse_id(person, decided.event.kind()))
}

/// The subjects of an entry, each once, with the entry before about it.
fn subjects(
    ids: &[String],
    kind: &str,
    prev: &dyn Fn(Uuid) -> Option<u64>,
) -> Result<Vec<Subject>, StoreError> {
    let mut subjects: Vec<Subject> = Vec::new();
    for id in ids {
        let id = parse_id(id, kind)?;
        if subjects.iter().all(|about| about.id != id) {
            subjects.push(Subject { id, prev: prev(id) });
        }
    }
    Ok(subjects)
}

fn parse_id(text: &str, kind: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(|_| StoreError::Id {
        kind: kind.to_owned(),
    })
}
