//! The journal in memory: tree and state, as far as it was read; and new entries in the making.

use std::sync::Arc;

use alnager_journal::entry::{self, Blob, Entry, Subject, VERSION};
use alnager_journal::merkle::{CompactRange, Hash, Tree, leaf_hash};
use alnager_office::decide::Decided;
use alnager_office::event::{Event, EventError};
use alnager_office::state::{Meta, State};
use uuid::Uuid;

use crate::error::StoreError;
use crate::schema::{BlobRow, CHUNK, Database, EntryRow};
use crate::seal::{self, Keyring, What};

/// The kinds of entries that a person's own key seals.
const PERSON_KINDS: &str = "person.";

/// What is known of the journal.
pub(crate) struct Log {
    pub(crate) org: Uuid,
    pub(crate) tree: Tree,
    pub(crate) state: Arc<State>,
}

/// Entries that follow those known, already durable or about to be.
struct Advance {
    edge: CompactRange,
    leaves: Vec<Hash>,
    state: State,
}

/// Rows and files to be written, and the journal after them.
pub(crate) struct Drafts {
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
}

/// The command that entries come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) command: Uuid,
    pub(crate) at: &'a str,
    pub(crate) unix_ms: u64,
}

impl Log {
    pub(crate) fn new(org: Uuid) -> Log {
        Log {
            org,
            tree: Tree::new(),
            state: Arc::default(),
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
        let known = self.tree.size();
        if size < known {
            let what = format!("it holds `{size}` entries, and `{known}` were there a moment ago");
            return Err(StoreError::Forked { what });
        }
        let mut advance = self.advance();
        while advance.edge.size() < size {
            let from = advance.edge.size();
            let rows = journal
                .entries(self.org, from, size.min(from + CHUNK))
                .await?;
            load_keys(
                rows.iter().filter_map(|row| Some(row.payload.as_ref()?.0)),
                keys,
                ring,
            )
            .await?;
            if rows.is_empty() {
                return Err(StoreError::damaged(format!("entry `{from}` is missing")));
            }
            for row in &rows {
                let (index, read) = (advance.edge.size(), read(row, self.org, ring)?);
                if row.seq != index {
                    return Err(StoreError::damaged(format!("entry `{index}` is missing")));
                }
                advance.push(&read.entry, &row.entry, &read.event);
            }
        }
        if advance.edge.root() != root {
            return Err(StoreError::damaged(
                "the entries do not have the root hash that its head states",
            ));
        }
        self.take_advance(advance);
        Ok(())
    }

    /// Turns what was decided into entries, sealed. Writes nothing.
    pub(crate) fn draft(
        &self,
        decided: &[Decided],
        origin: Origin<'_>,
        ring: &Keyring,
    ) -> Result<Drafts, StoreError> {
        let mut drafts = Drafts {
            entries: Vec::new(),
            blobs: Vec::new(),
            files: Vec::new(),
            advance: self.advance(),
        };
        for decided in decided {
            self.draft_one(&mut drafts, decided, origin, ring)?;
        }
        Ok(drafts)
    }

    /// Takes entries that are durable now.
    pub(crate) fn take(&mut self, drafts: Drafts) {
        self.take_advance(drafts.advance);
    }

    fn draft_one(
        &self,
        drafts: &mut Drafts,
        decided: &Decided,
        origin: Origin<'_>,
        ring: &Keyring,
    ) -> Result<(), StoreError> {
        let (kind, seq) = (decided.event.kind(), drafts.size());
        let id = seal::new_id(origin.unix_ms)?;
        let key = ring.key_of(owner(decided, self.org)?);
        let key =
            key.ok_or_else(|| StoreError::damaged("the organisation's data key is missing"))?;
        let unreadable = || StoreError::Payload {
            kind: kind.to_owned(),
        };

        let payload = decided.event.to_payload().map_err(|_| unreadable())?;
        // What is folded is what was written: an event that cannot be read back must not get into the journal.
        let event = Event::from_payload(kind, &payload).map_err(|_| unreadable())?;
        let payload = seal::salted(payload)?;
        let mut entry = Entry {
            v: VERSION,
            kind: kind.to_owned(),
            id,
            org: self.org,
            actor: parse_id(&decided.actor, kind)?,
            subjects: subjects(&decided.subjects, kind, &drafts.advance.state)?,
            at: origin.at.to_owned(),
            command: origin.command,
            commit: entry::commit(&payload.salt, &payload.bytes),
            blobs: Vec::new(),
            refs: decided.refs.clone(),
        };
        entry.refs.sort_unstable();
        entry.refs.dedup();
        for blob in &decided.blobs {
            let salted = seal::salted(blob.bytes.to_vec())?;
            let name = blob.name.clone();
            let what = What::Blob { kind, name: &name };
            let sealed = ring.seal(key, what, id, &salted)?;
            let sha256 = Hash::of(&sealed.bytes);
            entry.blobs.push(Blob {
                name: name.clone(),
                commit: entry::commit(&salted.salt, &salted.bytes),
                len: salted.bytes.len() as u64,
                media: blob.media.clone(),
            });
            let nonce = sealed.nonce;
            drafts.blobs.push(BlobRow {
                seq,
                name,
                key,
                nonce,
                sha256,
            });
            drafts.files.push(sealed.bytes);
        }
        entry
            .blobs
            .sort_by(|left, right| left.name.cmp(&right.name));

        let bytes = entry.to_bytes().map_err(|source| StoreError::Entry {
            kind: kind.to_owned(),
            source,
        })?;
        drafts.advance.push(&entry, &bytes, &event);
        let sealed = ring.seal(key, What::Payload { kind }, id, &payload)?;
        drafts.entries.push(EntryRow {
            seq,
            id,
            command: origin.command,
            entry: bytes,
            payload: Some((key, sealed)),
        });
        Ok(())
    }

    fn advance(&self) -> Advance {
        Advance {
            edge: edge(&self.tree),
            leaves: Vec::new(),
            state: (*self.state).clone(),
        }
    }

    fn take_advance(&mut self, advance: Advance) {
        if advance.leaves.is_empty() {
            return;
        }
        for leaf in advance.leaves {
            self.tree.push(leaf);
        }
        self.state = Arc::new(advance.state);
    }
}

impl Advance {
    fn push(&mut self, entry: &Entry, bytes: &[u8], event: &Event) {
        let subjects = entry
            .subjects
            .iter()
            .map(|about| about.id.to_string())
            .collect();
        self.state.apply(
            event,
            &Meta {
                index: self.edge.size(),
                subjects,
            },
        );
        let leaf = leaf_hash(bytes);
        self.edge.push(leaf);
        self.leaves.push(leaf);
    }
}

/// An entry that was read, with its payload's event.
struct Read {
    entry: Entry,
    event: Event,
}

fn read(row: &EntryRow, org: Uuid, ring: &Keyring) -> Result<Read, StoreError> {
    let index = row.seq;
    let damaged =
        |what: &str| StoreError::damaged(format!("{what} `{index}` is not what was written"));
    let entry = Entry::parse(&row.entry).map_err(|error| {
        StoreError::damaged_by(format!("entry `{index}` cannot be read"), error)
    })?;
    if entry.org != org || entry.id != row.id || entry.command != row.command {
        return Err(damaged("the row of entry"));
    }
    let (key, sealed) = row
        .payload
        .as_ref()
        .ok_or_else(|| StoreError::damaged(format!("the payload of entry `{index}` is missing")))?;
    let opened = ring.open(*key, What::Payload { kind: &entry.kind }, entry.id, sealed);
    let payload = opened.ok_or_else(|| damaged("the payload of entry"))?;
    if entry::commit(&payload.salt, &payload.bytes) != entry.commit {
        return Err(damaged("the payload of entry"));
    }
    match Event::from_payload(&entry.kind, &payload.bytes) {
        Ok(event) => Ok(Read { entry, event }),
        Err(EventError::UnknownKind(kind)) => Err(StoreError::UnknownKind { index, kind }),
        // The reader's own words may quote the payload.
        Err(EventError::Form { .. }) => Err(StoreError::damaged(format!(
            "the payload of entry `{index}` does not have the form of its kind"
        ))),
    }
}

/// Makes sure that keys another process made are at hand.
async fn load_keys(
    needed: impl Iterator<Item = Uuid>,
    keys: &mut Database,
    ring: &mut Keyring,
) -> Result<(), StoreError> {
    let mut needed = needed;
    if needed.all(|key| ring.has(key)) {
        return Ok(());
    }
    for wrapped in keys.keys(ring.org()).await? {
        if !ring.has(wrapped.id) && ring.unwrap(&wrapped).is_none() {
            return Err(StoreError::damaged(
                "a data key in `keys.db` does not open under `kek`; the two do not belong together",
            ));
        }
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
fn subjects(ids: &[String], kind: &str, state: &State) -> Result<Vec<Subject>, StoreError> {
    let mut subjects: Vec<Subject> = Vec::new();
    for id in ids {
        let id = parse_id(id, kind)?;
        if subjects.iter().all(|about| about.id != id) {
            let prev = state.heads.get(&id.to_string()).copied();
            subjects.push(Subject { id, prev });
        }
    }
    Ok(subjects)
}

fn parse_id(text: &str, kind: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(|_| StoreError::Id {
        kind: kind.to_owned(),
    })
}

/// The right edge of a tree, to which leaves can be appended without touching the tree.
fn edge(tree: &Tree) -> CompactRange {
    let size = tree.size();
    let levels = (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1);
    let nodes: Option<Vec<Hash>> = levels
        .map(|level| tree.node(level, (size >> level) - 1))
        .collect();
    let edge = nodes.and_then(|nodes| CompactRange::from_parts(size, nodes));
    assert!(
        edge.is_some(),
        "a tree has all complete subtrees of its size"
    );
    edge.unwrap_or_default()
}
