//! The tables of a desk and every statement they are asked.

use std::fmt::Write as _;

use alnager_journal::merkle::Hash;
use alnager_journal::tile::Tile;
use uuid::Uuid;

use crate::accounts;
use crate::database::{Address, Answer, Arg, Database, Row};
use crate::error::StoreError;
use crate::fault::Faults;
use crate::seal::{NONCE_LEN, Sealed, WrappedKey};

/// The number of the desk's format; a desk with a higher one is refused, one with a lower one is brought up to it.
pub(crate) const FORMAT: i64 = 3;

/// The first format with every table there is.
const FORMAT_WHOLE: i64 = 2;

/// The channel on which PostgreSQL tells of new heads.
pub(crate) const CHANNEL: &str = "alnager_head";

/// Most entries read at once.
pub(crate) const CHUNK: u64 = 4_096;

/// The tables of format 1, in SQLite's words; [`Dialect`] turns them into PostgreSQL's.
const JOURNAL_1: &str = "
CREATE TABLE entry (
    org     BLOB    NOT NULL CHECK (length(org) = 16),
    seq     INTEGER NOT NULL CHECK (seq >= 0),
    id      BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    command BLOB    NOT NULL CHECK (length(command) = 16),
    entry   BLOB    NOT NULL,
    PRIMARY KEY (org, seq)
) STRICT;

CREATE INDEX entry_by_command ON entry (org, command, seq);

CREATE TABLE payload (
    org    BLOB    NOT NULL CHECK (length(org) = 16),
    seq    INTEGER NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB    NOT NULL,
    PRIMARY KEY (org, seq),
    FOREIGN KEY (org, seq) REFERENCES entry (org, seq)
) STRICT;

CREATE TABLE blob (
    org    BLOB    NOT NULL CHECK (length(org) = 16),
    seq    INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 24),
    sha256 BLOB    NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (org, seq, name),
    FOREIGN KEY (org, seq) REFERENCES entry (org, seq)
) STRICT;

CREATE TABLE head (
    org        BLOB    NOT NULL PRIMARY KEY CHECK (length(org) = 16),
    origin     TEXT    NOT NULL,
    size       INTEGER NOT NULL CHECK (size >= 0),
    root       BLOB    NOT NULL CHECK (length(root) = 32),
    checkpoint TEXT    NOT NULL
) STRICT;
";

/// What format 2 changes: a row's key is its index alone (a database holds one journal), which spares two trees of keys, and nothing
/// is written twice to be checked (`desk verify` does that). It adds what was signed, and two tables that follow from the entries.
const JOURNAL_2: &str = "
CREATE TABLE payload_2 (
    org    BLOB    NOT NULL CHECK (length(org) = 16),
    seq    INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 0),
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB    NOT NULL
) STRICT;
INSERT INTO payload_2 (org, seq, key, nonce, sealed) SELECT org, seq, key, nonce, sealed FROM payload;
DROP TABLE payload;
ALTER TABLE payload_2 RENAME TO payload;

CREATE TABLE blob_2 (
    org    BLOB    NOT NULL CHECK (length(org) = 16),
    seq    INTEGER NOT NULL CHECK (seq >= 0),
    name   TEXT    NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 24),
    sha256 BLOB    NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (seq, name)
) STRICT;
INSERT INTO blob_2 (org, seq, name, key, nonce, sha256) SELECT org, seq, name, key, nonce, sha256 FROM blob;
DROP TABLE blob;
ALTER TABLE blob_2 RENAME TO blob;

CREATE TABLE entry_2 (
    org     BLOB    NOT NULL CHECK (length(org) = 16),
    seq     INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 0),
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    command BLOB    NOT NULL CHECK (length(command) = 16),
    entry   BLOB    NOT NULL
) STRICT;
INSERT INTO entry_2 (org, seq, id, command, entry) SELECT org, seq, id, command, entry FROM entry;
DROP TABLE entry;
ALTER TABLE entry_2 RENAME TO entry;
CREATE INDEX entry_by_command ON entry (command);
";

/// The tables that format 2 adds.
const JOURNAL_ADDED: &str = "
CREATE TABLE checkpoint (
    org  BLOB    NOT NULL CHECK (length(org) = 16),
    size INTEGER NOT NULL CHECK (size >= 0),
    note TEXT    NOT NULL,
    PRIMARY KEY (org, size)
) STRICT;

CREATE TABLE cosignature (
    org  BLOB    NOT NULL CHECK (length(org) = 16),
    size INTEGER NOT NULL CHECK (size >= 0),
    line TEXT    NOT NULL,
    PRIMARY KEY (org, size, line)
) STRICT;

CREATE TABLE tile (
    org    BLOB    NOT NULL CHECK (length(org) = 16),
    level  INTEGER NOT NULL CHECK (level >= 0),
    idx    INTEGER NOT NULL CHECK (idx >= 0),
    root   BLOB    NOT NULL CHECK (length(root) = 32),
    hashes BLOB    NOT NULL CHECK (length(hashes) = 8192),
    PRIMARY KEY (org, level, idx)
) STRICT;

CREATE TABLE snapshot (
    org    BLOB    NOT NULL PRIMARY KEY CHECK (length(org) = 16),
    size   INTEGER NOT NULL CHECK (size >= 0),
    root   BLOB    NOT NULL CHECK (length(root) = 32),
    format INTEGER NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB    NOT NULL
) STRICT;
";

/// Format 3 lets several snapshots be kept, each of another size.
const JOURNAL_3: &str = "
CREATE TABLE snapshot_3 (
    org    BLOB    NOT NULL CHECK (length(org) = 16),
    size   INTEGER NOT NULL CHECK (size >= 0),
    root   BLOB    NOT NULL CHECK (length(root) = 32),
    format INTEGER NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    nonce  BLOB    NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB    NOT NULL,
    PRIMARY KEY (org, size)
) STRICT;
INSERT INTO snapshot_3 (org, size, root, format, key, nonce, sealed) SELECT org, size, root, format, key, nonce, sealed FROM snapshot;
DROP TABLE snapshot;
ALTER TABLE snapshot_3 RENAME TO snapshot;
";

/// The same on a server, where a table keeps who may read it only if it stays the one it is.
const JOURNAL_3_SERVER: &str = "
ALTER TABLE snapshot DROP CONSTRAINT snapshot_pkey, ADD PRIMARY KEY (org, size);
";

const KEYS_1: &str = "
CREATE TABLE data_key (
    org    BLOB NOT NULL CHECK (length(org) = 16),
    id     BLOB NOT NULL CHECK (length(id) = 16),
    owner  BLOB NOT NULL CHECK (length(owner) = 16),
    nonce  BLOB NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, owner)
) STRICT;

CREATE TABLE guard (
    org        BLOB    NOT NULL PRIMARY KEY CHECK (length(org) = 16),
    origin     TEXT    NOT NULL,
    size       INTEGER NOT NULL CHECK (size >= 0),
    root       BLOB    NOT NULL CHECK (length(root) = 32),
    checkpoint TEXT    NOT NULL
) STRICT;
";

/// Format 2 lets an owner have several keys, one after another, and remembers keys that were destroyed.
const KEYS_2: &str = "
CREATE TABLE data_key_2 (
    org    BLOB NOT NULL CHECK (length(org) = 16),
    id     BLOB NOT NULL CHECK (length(id) = 16),
    owner  BLOB NOT NULL CHECK (length(owner) = 16),
    nonce  BLOB NOT NULL CHECK (length(nonce) = 24),
    sealed BLOB NOT NULL,
    PRIMARY KEY (org, id)
) STRICT;
INSERT INTO data_key_2 (org, id, owner, nonce, sealed) SELECT org, id, owner, nonce, sealed FROM data_key;
DROP TABLE data_key;
ALTER TABLE data_key_2 RENAME TO data_key;
";

/// The table that format 2 adds.
const KEYS_ADDED: &str = "
CREATE TABLE tombstone (
    org   BLOB NOT NULL CHECK (length(org) = 16),
    id    BLOB NOT NULL CHECK (length(id) = 16),
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    PRIMARY KEY (org, id)
) STRICT;
";

const SELECT_HEADS: &str = "SELECT org, origin, size, root, checkpoint FROM head";
const LOCK_HEADS: &str = "SELECT org, origin, size, root, checkpoint FROM head FOR UPDATE";
const INSERT_HEAD: &str =
    "INSERT INTO head (org, origin, size, root, checkpoint) VALUES ($1, $2, $3, $4, $5)";
const MOVE_HEAD: &str = "UPDATE head SET size = $4, root = $5, checkpoint = $6, origin = $7 WHERE org = $1 AND size = $2 AND root = $3";

const SELECT_GUARD: &str = "SELECT org, origin, size, root, checkpoint FROM guard WHERE org = $1";
const LOCK_GUARD: &str =
    "SELECT org, origin, size, root, checkpoint FROM guard WHERE org = $1 FOR UPDATE";
const SELECT_GUARDS: &str = "SELECT org, origin, size, root, checkpoint FROM guard";
const INSERT_GUARD: &str =
    "INSERT INTO guard (org, origin, size, root, checkpoint) VALUES ($1, $2, $3, $4, $5)";
const MOVE_GUARD: &str = "UPDATE guard SET size = $4, root = $5, checkpoint = $6, origin = $7 WHERE org = $1 AND size = $2 AND root = $3";

/// What lies together is read as one value: each value of an answer costs its own memory, twice. A payload that is not there is null. The
/// lengths of the first parts stand beside them, so that bytes cannot pass from one to the next.
const SELECT_ENTRIES: &str = "
SELECT e.seq, e.id || e.command || e.entry, p.key || p.nonce || p.sealed,
       length(e.id), length(e.command), length(p.key), length(p.nonce)
  FROM entry e
  LEFT JOIN payload p ON p.org = e.org AND p.seq = e.seq
 WHERE e.org = $1 AND e.seq >= $2 AND e.seq < $3
 ORDER BY e.seq";
const SELECT_ENTRIES_ALONE: &str = "
SELECT seq, id || command || entry, NULL, length(id), length(command), NULL, NULL FROM entry
 WHERE org = $1 AND seq >= $2 AND seq < $3
 ORDER BY seq";
/// Very many entries as one row, in SQLite's words: a row each costs more than the bytes in it. Values with a part that is null are left out.
/// The last column: how many have ids, commands, keys and nonces of other lengths than they must have, which would pass for one another.
const SELECT_WHOLE: &str = "
SELECT min(e.seq), group_concat(length(e.entry)), group_concat(e.id || e.command || e.entry, ''),
       group_concat(coalesce(length(p.sealed), '')), group_concat(p.key || p.nonce || p.sealed, ''),
       sum(length(e.id) <> 16 OR length(e.command) <> 16 OR length(p.key) <> 16 OR length(p.nonce) <> 24)
  FROM entry e
  LEFT JOIN payload p ON p.org = e.org AND p.seq = e.seq
 WHERE e.org = $1 AND e.seq >= $2 AND e.seq < $3";
const SELECT_WHOLE_ALONE: &str = "
SELECT min(seq), group_concat(length(entry)), group_concat(id || command || entry, ''), NULL, NULL,
       sum(length(id) <> 16 OR length(command) <> 16)
  FROM entry
 WHERE org = $1 AND seq >= $2 AND seq < $3";
const SELECT_COMMAND: &str = "SELECT min(seq), max(seq) FROM entry WHERE org = $1 AND command = $2";
const COUNT_STRAYS: &str = "
SELECT (SELECT count(*) FROM entry   WHERE org <> $1 OR seq >= $2)
     + (SELECT count(*) FROM payload WHERE org <> $1 OR seq >= $2)
     + (SELECT count(*) FROM blob    WHERE org <> $1 OR seq >= $2)";

const SELECT_BLOBS: &str = "
SELECT seq, name, key, nonce, sha256
  FROM blob
 WHERE org = $1 AND seq >= $2 AND seq < $3";
const DELETE_PAYLOAD: &str = "DELETE FROM payload WHERE org = $1 AND seq = $2";
const DELETE_BLOBS: &str = "DELETE FROM blob WHERE org = $1 AND seq = $2";

const SELECT_CHECKPOINTS: &str =
    "SELECT size, note FROM checkpoint WHERE org = $1 AND size > $2 ORDER BY size LIMIT 1024";
const SELECT_CHECKPOINT: &str =
    "SELECT size, note FROM checkpoint WHERE org = $1 AND size >= $2 ORDER BY size LIMIT 1";
const INSERT_CHECKPOINT: &str =
    "INSERT INTO checkpoint (org, size, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const SELECT_COSIGNATURES: &str = "SELECT line FROM cosignature WHERE org = $1 AND size = $2";
const SELECT_COSIGNED: &str = "SELECT max(size) FROM cosignature WHERE org = $1 AND size <= $2";
const INSERT_COSIGNATURE: &str =
    "INSERT INTO cosignature (org, size, line) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const SELECT_TILE: &str = "SELECT hashes FROM tile WHERE org = $1 AND level = $2 AND idx = $3";
const SELECT_TILE_ROOTS: &str = "SELECT idx, root FROM tile WHERE org = $1 AND level = $2 AND idx >= $3 AND idx < $4 ORDER BY idx";
const SELECT_TILES: &str = "
SELECT level, idx, root, hashes
  FROM tile
 WHERE org = $1 AND level = $2 AND idx >= $3 AND idx < $4
 ORDER BY idx";
const COUNT_TILES: &str = "SELECT count(*) FROM tile WHERE org = $1";
const DELETE_TILES: &str = "DELETE FROM tile";

const SELECT_SNAPSHOT: &str = "
SELECT size, root, format, key, nonce, sealed
  FROM snapshot
 WHERE org = $1 AND size <= $2
 ORDER BY size DESC
 LIMIT 1";
const SELECT_SNAPSHOT_SIZES: &str =
    "SELECT size, format FROM snapshot WHERE org = $1 ORDER BY size";
const DELETE_SNAPSHOT: &str = "DELETE FROM snapshot WHERE org = $1 AND size = $2";
const DELETE_SNAPSHOTS: &str = "DELETE FROM snapshot";
const INSERT_SNAPSHOT: &str = "INSERT INTO snapshot (org, size, root, format, key, nonce, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)";

const SELECT_KEYS: &str =
    "SELECT id, owner, nonce, sealed FROM data_key WHERE org = $1 ORDER BY id";
const INSERT_KEY: &str =
    "INSERT INTO data_key (org, id, owner, nonce, sealed) VALUES ($1, $2, $3, $4, $5)";
const UPDATE_KEY: &str = "UPDATE data_key SET nonce = $3, sealed = $4 WHERE org = $1 AND id = $2";
const BURY_KEYS: &str = "
INSERT INTO tombstone (org, id, owner)
SELECT org, id, owner FROM data_key WHERE org = $1 AND owner = $2
    ON CONFLICT DO NOTHING";
const DELETE_KEYS: &str = "DELETE FROM data_key WHERE org = $1 AND owner = $2";
const SELECT_TOMBSTONES: &str =
    "SELECT id, owner FROM tombstone WHERE org = $1 AND id <> $1 ORDER BY id";
const SELECT_MOVED: &str = "SELECT 1 FROM tombstone WHERE org = $1 AND id = $1";
const INSERT_TOMBSTONE: &str =
    "INSERT INTO tombstone (org, id, owner) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// Which set of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Journal,
    Keys,
    /// People who may sign in. On PostgreSQL they lie beside the keys.
    Accounts,
}

impl Kind {
    /// What each format adds to the one before, from the first on.
    fn steps(self) -> [&'static [&'static str]; 3] {
        match self {
            Kind::Journal => [&[JOURNAL_1], &[JOURNAL_2, JOURNAL_ADDED], &[JOURNAL_3]],
            Kind::Keys => [&[KEYS_1], &[KEYS_2, KEYS_ADDED], &[]],
            // Desks of format 1 had none.
            Kind::Accounts => [&[], &[accounts::schema::TABLES], &[]],
        }
    }

    /// Empty tables, for this connection alone, in the place of those that format 1 lacks where nothing may be written. Later ones have
    /// all of them, and what they ask of a reader is the same.
    fn stand_ins(self) -> String {
        let added = match self {
            Kind::Journal => JOURNAL_ADDED,
            Kind::Keys => KEYS_ADDED,
            Kind::Accounts => accounts::schema::TABLES,
        };
        added.replace("CREATE TABLE", "CREATE TEMP TABLE")
    }

    fn application_id(self) -> i64 {
        match self {
            Kind::Journal => 0x416c_6e67,
            Kind::Keys => 0x416c_6e6b,
            Kind::Accounts => 0x416c_6e61,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Journal => "journal",
            Kind::Keys => "keys",
            Kind::Accounts => "accounts",
        }
    }

    /// The statements that bring a database from format `from` to the current one. Either all of them happen or none.
    fn upgrade(self, from: i64, is_server: bool) -> String {
        let done = usize::try_from(from).unwrap_or_default();
        let mut sql = String::from(if is_server {
            "BEGIN;\n"
        } else {
            "BEGIN IMMEDIATE;\n"
        });
        for step in self.steps().into_iter().skip(done).flatten() {
            if is_server && *step == JOURNAL_3 {
                sql.push_str(JOURNAL_3_SERVER);
            } else if is_server {
                let step = step.replace(") STRICT;", ");");
                // Word for word: no name of a table or column holds these.
                sql.push_str(&step.replace("BLOB", "BYTEA").replace("INTEGER", "BIGINT"));
            } else {
                sql.push_str(step);
            }
        }
        let (name, id) = (self.name(), self.application_id());
        let done = if is_server {
            writeln!(
                sql,
                "CREATE TABLE IF NOT EXISTS alnager_{name} (format BIGINT NOT NULL);
                 DELETE FROM alnager_{name};
                 INSERT INTO alnager_{name} (format) VALUES ({FORMAT});"
            )
        } else {
            writeln!(
                sql,
                "PRAGMA application_id = {id};\nPRAGMA user_version = {FORMAT};"
            )
        };
        debug_assert!(done.is_ok(), "a string takes whatever is written to it");
        sql.push_str("COMMIT;");
        sql
    }
}

/// The state of a log that was signed last: the row of `head`, and that of `guard`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) org: Uuid,
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// The signed note.
    pub(crate) checkpoint: String,
}

/// One entry with its payload, if that is there.
#[derive(Clone, Debug)]
pub(crate) struct EntryRow {
    pub(crate) seq: u64,
    pub(crate) id: Uuid,
    pub(crate) command: Uuid,
    pub(crate) entry: Vec<u8>,
    pub(crate) payload: Option<(Uuid, Sealed)>,
}

/// Very many entries, to be taken apart.
pub(crate) enum Unread {
    Rows(Answer<EntryRow>),
    Whole(Whole),
}

/// Entries that follow one another, in one piece.
#[derive(Default)]
pub(crate) struct Whole {
    from: u64,
    /// Bytes of each entry, without id and command.
    lengths: Vec<Option<usize>>,
    entries: Vec<u8>,
    /// Bytes of each sealed payload, without key and nonce; `None` where there is none. Empty where none was asked for.
    lengths_sealed: Vec<Option<usize>>,
    payloads: Vec<u8>,
    /// How many have an id, command, key or nonce of another length.
    n_shifted: i64,
}

impl Whole {
    /// Bytes of id and command, and of key and nonce.
    const BEFORE: (usize, usize) = (32, 16 + NONCE_LEN);

    /// Whether these are all entries from `from` to below `to`, and of the lengths that are stated.
    fn is(&self, from: u64, to: u64) -> bool {
        let sum = |lengths: &[Option<usize>], before: usize| -> usize {
            lengths.iter().flatten().map(|length| length + before).sum()
        };
        self.from == from
            && self.n_shifted == 0
            && self.lengths.len() as u64 == to - from
            && self.lengths.iter().all(Option::is_some)
            && sum(&self.lengths, Self::BEFORE.0) == self.entries.len()
            && sum(&self.lengths_sealed, Self::BEFORE.1) == self.payloads.len()
    }

    fn read(&self) -> sqlx::Result<Vec<EntryRow>> {
        let (mut entries, mut payloads) = (self.entries.as_slice(), self.payloads.as_slice());
        let mut rows = Vec::with_capacity(self.lengths.len());
        for (at, length) in self.lengths.iter().enumerate() {
            let entry = next(&mut entries, length.map(|length| length + Self::BEFORE.0))?;
            let sealed = self.lengths_sealed.get(at).copied().flatten();
            let payload = next(&mut payloads, sealed.map(|length| length + Self::BEFORE.1))?;
            let seq = self.from + at as u64;
            rows.push(entry_of(seq, entry.unwrap_or_default(), payload)?);
        }
        Ok(rows)
    }
}

/// Takes so many bytes off the front.
fn next<'b>(rest: &mut &'b [u8], length: Option<usize>) -> sqlx::Result<Option<&'b [u8]>> {
    let Some(length) = length else {
        return Ok(None);
    };
    let short = || sqlx::Error::Decode("a value is too short".into());
    let (first, after) = rest.split_at_checked(length).ok_or_else(short)?;
    *rest = after;
    Ok(Some(first))
}

impl Unread {
    /// The entries in order; those that are not there are left out.
    pub(crate) fn read(self) -> Result<Vec<EntryRow>, StoreError> {
        match self {
            Unread::Rows(answer) => answer.read(),
            Unread::Whole(whole) => whole
                .read()
                .map_err(|error| StoreError::damaged_by("entries cannot be read", error)),
        }
    }
}

/// Where a blob lies; its sealed bytes are the file of that name.
#[derive(Clone, Debug)]
pub(crate) struct BlobRow {
    pub(crate) seq: u64,
    pub(crate) name: String,
    pub(crate) key: Uuid,
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) sha256: Hash,
}

/// A full tile with the root over its hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TileRow {
    pub(crate) level: u8,
    pub(crate) index: u64,
    pub(crate) root: Hash,
    /// 256 hashes of 32 bytes.
    pub(crate) hashes: Vec<u8>,
}

/// A sealed state.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotRow {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) format: i64,
    pub(crate) key: Uuid,
    pub(crate) sealed: Sealed,
}

/// A data key that was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) id: Uuid,
    pub(crate) owner: Uuid,
}

impl Database {
    /// Makes the tables: in a file that is there and empty, or in a database that has none of them.
    pub(crate) async fn create(
        address: &Address,
        kind: Kind,
        faults: Faults,
    ) -> Result<Database, StoreError> {
        let mut database = Database::connect(address, faults).await?;
        if database.is_server() && database.has_tables(kind).await? {
            // A maker that ended left them, without a head.
            return Ok(database);
        }
        let sql = kind.upgrade(0, database.is_server());
        database.script(sql).await?;
        Ok(database)
    }

    /// Opens a database of this kind and of a format this version knows; an older one is brought up to date.
    pub(crate) async fn open(
        address: &Address,
        kind: Kind,
        faults: Faults,
    ) -> Result<Database, StoreError> {
        let (mut database, found) = Database::look(address, kind, faults).await?;
        if found < FORMAT {
            let sql = kind.upgrade(found, database.is_server());
            if let Err(error) = database.script(sql).await {
                // Another process may have been faster, and a disk that cannot be written to can still be read.
                let _ = database.script("ROLLBACK".to_owned()).await;
                match (database.format(kind).await?, error) {
                    (FORMAT.., _) => {}
                    // Whoever may only read a server's tables may not change them either.
                    (
                        FORMAT_WHOLE..,
                        StoreError::ReadOnly { .. } | StoreError::Permission { .. },
                    ) => {}
                    (_, StoreError::ReadOnly { .. }) => {
                        database.script(kind.stand_ins()).await?;
                        database.is_older = true;
                    }
                    (_, error) => return Err(error),
                }
            }
        }
        Ok(database)
    }

    /// Opens a database as it is; its format.
    pub(crate) async fn look(
        address: &Address,
        kind: Kind,
        faults: Faults,
    ) -> Result<(Database, i64), StoreError> {
        if let Address::File(path) = address {
            let name = path.file_name().unwrap_or_default().display();
            match std::fs::metadata(path) {
                Ok(file) if file.len() == 0 => {
                    return Err(StoreError::damaged(format!("`{name}` is empty")));
                }
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(StoreError::damaged_by(
                        format!("`{name}` is missing"),
                        error,
                    ));
                }
                Err(error) => return Err(StoreError::io(path, error)),
            }
        }
        let mut database = Database::connect(address, faults).await?;
        if !database.is_server()
            && database.number("PRAGMA application_id").await? != kind.application_id()
        {
            return Err(StoreError::Foreign {
                path: address.shown(),
                reason: "it is a database of another program",
            });
        }
        if database.is_server() && !database.has_tables(kind).await? {
            return Err(StoreError::damaged(format!(
                "`{}` holds no {} of a desk",
                address.shown().display(),
                kind.name()
            )));
        }
        let found = database.format(kind).await?;
        if found > FORMAT {
            return Err(StoreError::Newer {
                path: address.shown(),
                found,
            });
        }
        Ok((database, found))
    }

    /// Waits until nobody else makes tables of this kind in this server's database.
    pub(crate) async fn lock_making(&mut self, kind: Kind) -> Result<(), StoreError> {
        let args = [Arg::Int(kind.application_id())];
        self.query("SELECT pg_advisory_lock($1)", &args)
            .await
            .map(drop)
    }

    /// Whether a server's database holds the tables of this kind.
    pub(crate) async fn has_tables(&mut self, kind: Kind) -> Result<bool, StoreError> {
        let name = format!("alnager_{}", kind.name());
        let sql = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1";
        let rows = self.query(sql, &[Arg::Text(&name)]).await?;
        Ok(self
            .read(&rows, |row| row.natural(0))?
            .first()
            .is_some_and(|count| *count > 0))
    }

    async fn format(&mut self, kind: Kind) -> Result<i64, StoreError> {
        match (self.is_server(), kind) {
            (false, _) => self.number("PRAGMA user_version").await,
            (true, Kind::Journal) => self.number("SELECT format FROM alnager_journal").await,
            (true, Kind::Keys) => self.number("SELECT format FROM alnager_keys").await,
            (true, Kind::Accounts) => self.number("SELECT format FROM alnager_accounts").await,
        }
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64, StoreError> {
        let numbers: Vec<i64> = self
            .all(sql, &[], |row| {
                row.get::<i64>(0)
                    .or_else(|_| row.get::<i32>(0).map(i64::from))
            })
            .await?;
        numbers
            .first()
            .copied()
            .ok_or_else(|| StoreError::damaged("it does not say which format it has"))
    }

    pub(crate) async fn heads(&mut self) -> Result<Vec<Signed>, StoreError> {
        self.all(SELECT_HEADS, &[], signed).await
    }

    /// The heads, which nobody else may move until this transaction ends.
    pub(crate) async fn heads_locked(&mut self) -> Result<Vec<Signed>, StoreError> {
        let sql = if self.is_server() {
            LOCK_HEADS
        } else {
            SELECT_HEADS
        };
        self.all(sql, &[], signed).await
    }

    pub(crate) async fn insert_head(&mut self, head: &Signed) -> Result<(), StoreError> {
        self.insert_signed(INSERT_HEAD, head).await
    }

    /// Moves the head from one signed state to the next; `false` when it is not where it should be.
    pub(crate) async fn move_head(
        &mut self,
        from: &Signed,
        to: &Signed,
    ) -> Result<bool, StoreError> {
        self.move_signed(MOVE_HEAD, from, to).await
    }

    pub(crate) async fn guard(&mut self, org: Uuid) -> Result<Option<Signed>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes())];
        Ok(self.all(SELECT_GUARD, &args, signed).await?.pop())
    }

    /// The guard, which nobody else may move until this transaction ends.
    pub(crate) async fn guard_locked(&mut self, org: Uuid) -> Result<Option<Signed>, StoreError> {
        let sql = match self.is_server() {
            true => LOCK_GUARD,
            false => SELECT_GUARD,
        };
        let args = [Arg::Bytes(org.as_bytes())];
        Ok(self.all(sql, &args, signed).await?.pop())
    }

    /// Waits until nobody else moves the guard. On SQLite that is so as soon as the transaction has begun.
    pub(crate) async fn wait_for_guard(&mut self, org: Uuid) -> Result<(), StoreError> {
        match self.is_server() {
            true => self.guard_locked(org).await.map(drop),
            false => Ok(()),
        }
    }

    /// The guards of all organisations.
    pub(crate) async fn guards(&mut self) -> Result<Vec<Signed>, StoreError> {
        self.all(SELECT_GUARDS, &[], signed).await
    }

    pub(crate) async fn insert_guard(&mut self, guard: &Signed) -> Result<(), StoreError> {
        self.insert_signed(INSERT_GUARD, guard).await
    }

    /// Compare and swap; `false` when the guard is not where it should be.
    pub(crate) async fn move_guard(
        &mut self,
        from: &Signed,
        to: &Signed,
    ) -> Result<bool, StoreError> {
        self.move_signed(MOVE_GUARD, from, to).await
    }

    /// Entries `from..to` in order, with their payloads; entries that are not there are left out.
    pub(crate) async fn entries(
        &mut self,
        org: Uuid,
        from: u64,
        to: u64,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let args = range(&org, from, to);
        self.all(SELECT_ENTRIES, &args, entry).await
    }

    /// The same without their payloads.
    pub(crate) async fn entries_alone(
        &mut self,
        org: Uuid,
        from: u64,
        to: u64,
    ) -> Result<Vec<EntryRow>, StoreError> {
        self.entries_unread(org, from, to, false).await?.read()
    }

    /// The same, to be taken apart later, with their payloads or without.
    pub(crate) async fn entries_unread(
        &mut self,
        org: Uuid,
        from: u64,
        to: u64,
        with_payloads: bool,
    ) -> Result<Unread, StoreError> {
        if from == to {
            return Ok(Unread::Whole(Whole::default()));
        }
        let args = range(&org, from, to);
        if !self.is_server() {
            let sql = match with_payloads {
                true => SELECT_WHOLE,
                false => SELECT_WHOLE_ALONE,
            };
            // One that is missing, that does not have the form of a row, or that is too long, is found among the others one by one.
            let found = self.all(sql, &args, whole).await.ok();
            let whole = found.and_then(|mut found| found.pop().flatten());
            if let Some(whole) = whole.filter(|whole| whole.is(from, to)) {
                return Ok(Unread::Whole(whole));
            }
        }
        let sql = match with_payloads {
            true => SELECT_ENTRIES,
            false => SELECT_ENTRIES_ALONE,
        };
        self.answer(sql, &args, entry).await.map(Unread::Rows)
    }

    /// The first and the last entry of a command.
    pub(crate) async fn command(
        &mut self,
        org: Uuid,
        command: Uuid,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Bytes(command.as_bytes())];
        let range = |row: &Row| match (row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?) {
            (Some(_), Some(_)) => Ok(Some((row.natural(0)?, row.natural(1)?))),
            _ => Ok(None),
        };
        Ok(self
            .all(SELECT_COMMAND, &args, range)
            .await?
            .pop()
            .flatten())
    }

    /// Which of these commands are in the journal, with their first and last entries.
    pub(crate) async fn commands(
        &mut self,
        org: Uuid,
        commands: &[Uuid],
    ) -> Result<Vec<(Uuid, u64, u64)>, StoreError> {
        let mut found = Vec::new();
        let mut rest = commands;
        while let [first, ..] = rest {
            if let [command] = rest {
                let range = self.command(org, *command).await?;
                found.extend(range.map(|(first, last)| (*command, first, last)));
                break;
            }
            let n = shape(rest.len(), true);
            let (some, after) = rest.split_at(n.min(rest.len()));
            rest = after;
            let mut sql = "SELECT command, min(seq), max(seq) FROM entry WHERE org = ".to_owned();
            self.put_place(&mut sql, 1);
            for at in 0..n {
                sql.push_str(if at == 0 { " AND command IN (" } else { ", " });
                self.put_place(&mut sql, at + 2);
            }
            sql.push_str(") GROUP BY command");
            // A list that is not full repeats its first.
            let args: Vec<Arg<'_>> = std::iter::once(&org)
                .chain(some)
                .chain(std::iter::repeat(first))
                .take(n + 1)
                .map(|id| Arg::Bytes(id.as_bytes()))
                .collect();
            let rows = self.query_made(sql, true, &args).await?;
            found.extend(self.read(&rows, |row| {
                Ok((uuid(row, 0)?, row.natural(1)?, row.natural(2)?))
            })?);
        }
        Ok(found)
    }

    pub(crate) async fn insert_entries(
        &mut self,
        org: Uuid,
        rows: &[EntryRow],
    ) -> Result<(), StoreError> {
        let org = [Arg::Bytes(org.as_bytes())];
        let columns = &["seq", "id", "command", "entry"];
        let mut entries = Insert::new("entry", ("org", &org), columns, rows.len());
        for row in rows {
            entries.row([
                Arg::Int(integer(row.seq)),
                Arg::Bytes(row.id.as_bytes()),
                Arg::Bytes(row.command.as_bytes()),
                Arg::Bytes(&row.entry),
            ]);
        }
        entries.run(self).await?;
        // Most payloads are under one key, which is then given once.
        let key_of = |row: &EntryRow| row.payload.as_ref().map(|(key, _)| *key);
        for rows in rows.chunk_by(|left, right| key_of(left) == key_of(right)) {
            let Some(key) = rows.first().and_then(key_of) else {
                continue;
            };
            let shared = [org[0], Arg::Bytes(key.as_bytes())];
            let columns = &["seq", "nonce", "sealed"];
            let mut payloads = Insert::new("payload", ("org, key", &shared), columns, rows.len());
            for (row, (_, sealed)) in rows
                .iter()
                .filter_map(|row| Some((row, row.payload.as_ref()?)))
            {
                payloads.row([
                    Arg::Int(integer(row.seq)),
                    Arg::Bytes(&sealed.nonce),
                    Arg::Bytes(&sealed.bytes),
                ]);
            }
            payloads.run(self).await?;
        }
        Ok(())
    }

    /// The blobs of entries `from..to`, by entry and name.
    pub(crate) async fn blobs(
        &mut self,
        org: Uuid,
        from: u64,
        to: u64,
    ) -> Result<Vec<BlobRow>, StoreError> {
        let args = range(&org, from, to);
        let mut rows = self.all(SELECT_BLOBS, &args, blob_row).await?;
        // By bytes: a server sorts text as its language does.
        rows.sort_by(|left, right| (left.seq, &left.name).cmp(&(right.seq, &right.name)));
        Ok(rows)
    }

    pub(crate) async fn insert_blobs(
        &mut self,
        org: Uuid,
        rows: &[BlobRow],
    ) -> Result<(), StoreError> {
        let org = [Arg::Bytes(org.as_bytes())];
        let columns = &["seq", "name", "key", "nonce", "sha256"];
        let mut blobs = Insert::new("blob", ("org", &org), columns, rows.len());
        for row in rows {
            blobs.row([
                Arg::Int(integer(row.seq)),
                Arg::Text(&row.name),
                Arg::Bytes(row.key.as_bytes()),
                Arg::Bytes(&row.nonce),
                Arg::Bytes(&row.sha256.0),
            ]);
        }
        blobs.run(self).await
    }

    /// Deletes the payload of an entry and where its blobs lie.
    pub(crate) async fn delete_payload(&mut self, org: Uuid, seq: u64) -> Result<u64, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(seq))];
        self.change(DELETE_BLOBS, &args).await?;
        self.change(DELETE_PAYLOAD, &args).await
    }

    /// Number of rows that belong to no entry below `size` of this organisation.
    pub(crate) async fn strays(&mut self, org: Uuid, size: u64) -> Result<u64, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(size))];
        let counted = self.all(COUNT_STRAYS, &args, |row| row.natural(0)).await?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    /// Up to 1,024 signed checkpoints of more than `size` entries, the smallest first.
    pub(crate) async fn checkpoints(
        &mut self,
        org: Uuid,
        size: i64,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(size)];
        self.all(SELECT_CHECKPOINTS, &args, sized_text).await
    }

    /// The signed checkpoint of exactly `size` entries.
    pub(crate) async fn checkpoint_of(
        &mut self,
        org: Uuid,
        size: u64,
    ) -> Result<Option<String>, StoreError> {
        let found = self.checkpoint(org, size).await?;
        Ok(found
            .filter(|(found, _)| *found == size)
            .map(|(_, note)| note))
    }

    /// The first signed checkpoint of at least `size` entries.
    pub(crate) async fn checkpoint(
        &mut self,
        org: Uuid,
        size: u64,
    ) -> Result<Option<(u64, String)>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(size))];
        Ok(self.all(SELECT_CHECKPOINT, &args, sized_text).await?.pop())
    }

    pub(crate) async fn insert_checkpoint(
        &mut self,
        org: Uuid,
        size: u64,
        note: &str,
    ) -> Result<(), StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Int(integer(size)),
            Arg::Text(note),
        ];
        self.change(INSERT_CHECKPOINT, &args).await.map(drop)
    }

    /// The signature lines of witnesses under the checkpoint of this size.
    pub(crate) async fn cosignatures(
        &mut self,
        org: Uuid,
        size: u64,
    ) -> Result<Vec<String>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(size))];
        let mut lines: Vec<String> = self
            .all(SELECT_COSIGNATURES, &args, |row| row.get(0))
            .await?;
        lines.sort_unstable();
        Ok(lines)
    }

    /// The greatest size, of at most `size` entries, that a witness has cosigned.
    pub(crate) async fn cosigned(
        &mut self,
        org: Uuid,
        size: u64,
    ) -> Result<Option<u64>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(size))];
        let sizes: Vec<Option<i64>> = self.all(SELECT_COSIGNED, &args, |row| row.get(0)).await?;
        Ok(sizes
            .first()
            .copied()
            .flatten()
            .and_then(|size| u64::try_from(size).ok()))
    }

    pub(crate) async fn insert_cosignature(
        &mut self,
        org: Uuid,
        size: u64,
        line: &str,
    ) -> Result<(), StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Int(integer(size)),
            Arg::Text(line),
        ];
        self.change(INSERT_COSIGNATURE, &args).await.map(drop)
    }

    /// The 256 hashes of a full tile.
    pub(crate) async fn tile(
        &mut self,
        org: Uuid,
        level: u8,
        index: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Int(level.into()),
            Arg::Int(integer(index)),
        ];
        Ok(self.all(SELECT_TILE, &args, |row| row.get(0)).await?.pop())
    }

    /// The roots of the full tiles `from..to` of a level.
    pub(crate) async fn tile_roots(
        &mut self,
        org: Uuid,
        level: u8,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, Hash)>, StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Int(level.into()),
            Arg::Int(integer(from)),
            Arg::Int(integer(to)),
        ];
        self.all(SELECT_TILE_ROOTS, &args, |row| {
            Ok((row.natural(0)?, Hash(row.array(1)?)))
        })
        .await
    }

    /// The full tiles `from..to` of a level, in order.
    pub(crate) async fn tiles(
        &mut self,
        org: Uuid,
        level: u8,
        from: u64,
        to: u64,
    ) -> Result<Vec<TileRow>, StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Int(level.into()),
            Arg::Int(integer(from)),
            Arg::Int(integer(to)),
        ];
        self.all(SELECT_TILES, &args, tile).await
    }

    /// How many full tiles there are.
    pub(crate) async fn count_tiles(&mut self, org: Uuid) -> Result<u64, StoreError> {
        let args = [Arg::Bytes(org.as_bytes())];
        let counted = self.all(COUNT_TILES, &args, |row| row.natural(0)).await?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    pub(crate) async fn insert_tiles(
        &mut self,
        org: Uuid,
        rows: &[TileRow],
    ) -> Result<(), StoreError> {
        let org = [Arg::Bytes(org.as_bytes())];
        let columns = &["level", "idx", "root", "hashes"];
        let mut tiles = Insert::new("tile", ("org", &org), columns, rows.len());
        for row in rows {
            tiles.row([
                Arg::Int(row.level.into()),
                Arg::Int(integer(row.index)),
                Arg::Bytes(&row.root.0),
                Arg::Bytes(&row.hashes),
            ]);
        }
        tiles.run(self).await
    }

    pub(crate) async fn delete_tiles(&mut self) -> Result<(), StoreError> {
        self.change(DELETE_TILES, &[]).await.map(drop)
    }

    /// The snapshot of the most entries that are at most `size`.
    pub(crate) async fn snapshot(
        &mut self,
        org: Uuid,
        size: u64,
    ) -> Result<Option<SnapshotRow>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(size))];
        Ok(self.all(SELECT_SNAPSHOT, &args, snapshot).await?.pop())
    }

    /// The sizes of all snapshots, ascending, each with the number of the state's form.
    pub(crate) async fn snapshot_sizes(
        &mut self,
        org: Uuid,
    ) -> Result<Vec<(u64, i64)>, StoreError> {
        let args = [Arg::Bytes(org.as_bytes())];
        self.all(SELECT_SNAPSHOT_SIZES, &args, |row| {
            Ok((row.natural(0)?, row.get(1)?))
        })
        .await
    }

    /// Puts a snapshot in the place of the one of the same size, if there is one.
    pub(crate) async fn replace_snapshot(
        &mut self,
        org: Uuid,
        row: &SnapshotRow,
    ) -> Result<(), StoreError> {
        self.delete_snapshot(org, row.size).await?;
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Int(integer(row.size)),
            Arg::Bytes(&row.root.0),
            Arg::Int(row.format),
            Arg::Bytes(row.key.as_bytes()),
            Arg::Bytes(&row.sealed.nonce),
            Arg::Bytes(&row.sealed.bytes),
        ];
        self.change(INSERT_SNAPSHOT, &args).await.map(drop)
    }

    pub(crate) async fn delete_snapshot(&mut self, org: Uuid, size: u64) -> Result<(), StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Int(integer(size))];
        self.change(DELETE_SNAPSHOT, &args).await.map(drop)
    }

    pub(crate) async fn delete_snapshots(&mut self) -> Result<(), StoreError> {
        self.change(DELETE_SNAPSHOTS, &[]).await.map(drop)
    }

    pub(crate) async fn keys(&mut self, org: Uuid) -> Result<Vec<WrappedKey>, StoreError> {
        self.all(SELECT_KEYS, &[Arg::Bytes(org.as_bytes())], key)
            .await
    }

    pub(crate) async fn insert_key(
        &mut self,
        org: Uuid,
        key: &WrappedKey,
    ) -> Result<(), StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Bytes(key.id.as_bytes()),
            Arg::Bytes(key.owner.as_bytes()),
            Arg::Bytes(&key.sealed.nonce),
            Arg::Bytes(&key.sealed.bytes),
        ];
        self.change(INSERT_KEY, &args).await.map(drop)
    }

    /// Replaces how a data key is wrapped.
    pub(crate) async fn rewrap_key(
        &mut self,
        org: Uuid,
        key: &WrappedKey,
    ) -> Result<(), StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Bytes(key.id.as_bytes()),
            Arg::Bytes(&key.sealed.nonce),
            Arg::Bytes(&key.sealed.bytes),
        ];
        self.change(UPDATE_KEY, &args).await.map(drop)
    }

    /// Replaces an owner's data keys by tombstones.
    pub(crate) async fn bury_keys(&mut self, org: Uuid, owner: Uuid) -> Result<(), StoreError> {
        let args = [Arg::Bytes(org.as_bytes()), Arg::Bytes(owner.as_bytes())];
        self.change(BURY_KEYS, &args).await?;
        self.change(DELETE_KEYS, &args).await.map(drop)
    }

    pub(crate) async fn tombstones(&mut self, org: Uuid) -> Result<Vec<Tombstone>, StoreError> {
        self.all(SELECT_TOMBSTONES, &[Arg::Bytes(org.as_bytes())], |row| {
            Ok(Tombstone {
                id: uuid(row, 0)?,
                owner: uuid(row, 1)?,
            })
        })
        .await
    }

    /// Whether this desk was moved to another place, and must not be written here any more: its own tombstone says so.
    pub(crate) async fn is_moved(&mut self, org: Uuid) -> Result<bool, StoreError> {
        let args = [Arg::Bytes(org.as_bytes())];
        Ok(!self.query(SELECT_MOVED, &args).await?.is_empty())
    }

    pub(crate) async fn insert_tombstone(
        &mut self,
        org: Uuid,
        tombstone: Tombstone,
    ) -> Result<(), StoreError> {
        let args = [
            Arg::Bytes(org.as_bytes()),
            Arg::Bytes(tombstone.id.as_bytes()),
            Arg::Bytes(tombstone.owner.as_bytes()),
        ];
        self.change(INSERT_TOMBSTONE, &args).await.map(drop)
    }

    /// Tells other servers that the journal has grown, once the transaction is durable.
    pub(crate) async fn announce(&mut self, size: u64) -> Result<(), StoreError> {
        if self.is_server() {
            let args = [Arg::Text(CHANNEL), Arg::Text(&size.to_string())];
            self.query("SELECT pg_notify($1, $2)", &args).await?;
        }
        Ok(())
    }

    async fn insert_signed(&mut self, sql: &'static str, row: &Signed) -> Result<(), StoreError> {
        let args = [
            Arg::Bytes(row.org.as_bytes()),
            Arg::Text(&row.origin),
            Arg::Int(integer(row.size)),
            Arg::Bytes(&row.root.0),
            Arg::Text(&row.checkpoint),
        ];
        self.change(sql, &args).await.map(drop)
    }

    async fn move_signed(
        &mut self,
        sql: &'static str,
        from: &Signed,
        to: &Signed,
    ) -> Result<bool, StoreError> {
        let args = [
            Arg::Bytes(from.org.as_bytes()),
            Arg::Int(integer(from.size)),
            Arg::Bytes(&from.root.0),
            Arg::Int(integer(to.size)),
            Arg::Bytes(&to.root.0),
            Arg::Text(&to.checkpoint),
            Arg::Text(&to.origin),
        ];
        Ok(self.change(sql, &args).await? == 1)
    }
}

/// Rows for one table, written with as few statements as possible.
struct Insert<'a> {
    table: &'static str,
    /// Columns that all rows share, and their values.
    shared: (&'static str, &'a [Arg<'a>]),
    columns: &'static [&'static str],
    args: Vec<Arg<'a>>,
}

impl<'a> Insert<'a> {
    fn new(
        table: &'static str,
        shared: (&'static str, &'a [Arg<'a>]),
        columns: &'static [&'static str],
        n_rows: usize,
    ) -> Insert<'a> {
        Insert {
            table,
            shared,
            columns,
            args: Vec::with_capacity(n_rows * columns.len()),
        }
    }

    fn row<const N: usize>(&mut self, row: [Arg<'a>; N]) {
        debug_assert_eq!(N, self.columns.len(), "a row has as many values as columns");
        self.args.extend(row);
    }

    async fn run(self, database: &mut Database) -> Result<(), StoreError> {
        let width = self.columns.len();
        let mut rest = self.args.as_slice();
        while !rest.is_empty() {
            let n_rows = shape(rest.len() / width, false);
            let (args, after) = rest.split_at(n_rows * width);
            rest = after;
            let sql = self.statement(n_rows, database);
            database
                .query_made(sql, true, &[self.shared.1, args].concat())
                .await?;
        }
        Ok(())
    }

    fn statement(&self, n_rows: usize, database: &Database) -> String {
        let Insert {
            table,
            shared: (shared, values),
            columns,
            ..
        } = self;
        let width = columns.len();
        let mut sql = String::with_capacity(256 + n_rows * width * 4);
        let mut number = 1..;
        let mut places = |sql: &mut String, count: usize| {
            for (at, number) in (0..count).zip(number.by_ref()) {
                sql.push_str(if at > 0 { ", " } else { "" });
                database.put_place(sql, number);
            }
        };
        if database.is_server() {
            sql.extend(["INSERT INTO ", table, " (", shared, ", "]);
            sql.push_str(&columns.join(", "));
            sql.push_str(") VALUES ");
            let mut common = String::new();
            places(&mut common, values.len());
            for row in 0..n_rows {
                sql.push_str(if row > 0 { "), (" } else { "(" });
                sql.extend([common.as_str(), ", "]);
                places(&mut sql, width);
            }
            sql.push(')');
            return sql;
        }
        // Whatever goes wrong, the whole transaction is undone. Told so, SQLite keeps no notes for undoing the statement alone.
        sql.extend(["INSERT OR ROLLBACK INTO ", table, " (", shared, ", "]);
        sql.push_str(&columns.join(", "));
        // Arguments are bound in their order here: those that all rows share are given once.
        sql.push_str(") SELECT ");
        places(&mut sql, values.len());
        for column in 1..=width {
            sql.push_str(&format!(", column{column}"));
        }
        sql.push_str(" FROM (VALUES ");
        for row in 0..n_rows {
            sql.push_str(if row > 0 { "), (" } else { "(" });
            places(&mut sql, width);
        }
        sql.push_str("))");
        sql
    }
}

/// How many rows, or values of a list, the next statement takes of so many that are left: one of a few numbers, so that the database
/// knows the statement already. `padded`: the next larger number where one has them all, else the next smaller.
fn shape(left: usize, padded: bool) -> usize {
    const SHAPES: [usize; 5] = [256, 64, 16, 4, 1];
    let fitting = match padded {
        true => SHAPES.into_iter().rev().find(|shape| *shape >= left),
        false => SHAPES.into_iter().find(|shape| *shape <= left),
    };
    fitting.unwrap_or(SHAPES[0])
}

/// The arguments of a statement about rows `from..to` of a journal.
fn range(org: &Uuid, from: u64, to: u64) -> [Arg<'_>; 3] {
    [
        Arg::Bytes(org.as_bytes()),
        Arg::Int(integer(from)),
        Arg::Int(integer(to)),
    ]
}

fn signed(row: &Row) -> sqlx::Result<Signed> {
    Ok(Signed {
        org: uuid(row, 0)?,
        origin: row.get(1)?,
        size: row.natural(2)?,
        root: Hash(row.array(3)?),
        checkpoint: row.get(4)?,
    })
}

fn entry(row: &Row) -> sqlx::Result<EntryRow> {
    for (column, length) in [(3, 16), (4, 16), (5, 16), (6, NONCE_LEN as i64)] {
        if row.length(column)?.is_some_and(|found| found != length) {
            return Err(sqlx::Error::Decode("a value has another length".into()));
        }
    }
    entry_of(
        row.natural(0)?,
        row.bytes(1)?.unwrap_or_default(),
        row.bytes(2)?,
    )
}

/// An entry from what lies together: id, command and entry; and key, nonce and sealed bytes of its payload.
fn entry_of(seq: u64, bytes: &[u8], payload: Option<&[u8]>) -> sqlx::Result<EntryRow> {
    let (id, bytes) = split(bytes)?;
    let (command, entry) = split(bytes)?;
    let payload = match payload {
        None => None,
        Some(bytes) => {
            let (key, bytes) = split(bytes)?;
            let (nonce, bytes) = split(bytes)?;
            let bytes = bytes.to_vec();
            Some((Uuid::from_bytes(key), Sealed { nonce, bytes }))
        }
    };
    Ok(EntryRow {
        seq,
        id: Uuid::from_bytes(id),
        command: Uuid::from_bytes(command),
        entry: entry.to_vec(),
        payload,
    })
}

/// `None` where there are no entries.
fn whole(row: &Row) -> sqlx::Result<Option<Whole>> {
    let Some(from) = row.get::<Option<i64>>(0)? else {
        return Ok(None);
    };
    let lengths = |text: Option<String>| -> Vec<Option<usize>> {
        let text = text.unwrap_or_default();
        text.split(',').map(|length| length.parse().ok()).collect()
    };
    Ok(Some(Whole {
        from: u64::try_from(from).unwrap_or(u64::MAX),
        lengths: lengths(row.get(1)?),
        entries: row.bytes(2)?.unwrap_or_default().to_vec(),
        lengths_sealed: lengths(row.get(3)?),
        payloads: row.bytes(4)?.unwrap_or_default().to_vec(),
        n_shifted: row.get::<Option<i64>>(5)?.unwrap_or(0),
    }))
}

/// The first bytes of a value in which several lie together, and the rest.
fn split<const N: usize>(bytes: &[u8]) -> sqlx::Result<([u8; N], &[u8])> {
    let short = || sqlx::Error::Decode("a value is too short".into());
    let (first, rest) = bytes.split_first_chunk().ok_or_else(short)?;
    Ok((*first, rest))
}

fn blob_row(row: &Row) -> sqlx::Result<BlobRow> {
    Ok(BlobRow {
        seq: row.natural(0)?,
        name: row.get(1)?,
        key: uuid(row, 2)?,
        nonce: row.array(3)?,
        sha256: Hash(row.array(4)?),
    })
}

fn tile(row: &Row) -> sqlx::Result<TileRow> {
    Ok(TileRow {
        level: u8::try_from(row.natural(0)?)
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        index: row.natural(1)?,
        root: Hash(row.array(2)?),
        hashes: row.get(3)?,
    })
}

fn snapshot(row: &Row) -> sqlx::Result<SnapshotRow> {
    Ok(SnapshotRow {
        size: row.natural(0)?,
        root: Hash(row.array(1)?),
        format: row.get(2)?,
        key: uuid(row, 3)?,
        sealed: sealed(row, 4)?,
    })
}

fn key(row: &Row) -> sqlx::Result<WrappedKey> {
    Ok(WrappedKey {
        id: uuid(row, 0)?,
        owner: uuid(row, 1)?,
        sealed: sealed(row, 2)?,
    })
}

fn sized_text(row: &Row) -> sqlx::Result<(u64, String)> {
    Ok((row.natural(0)?, row.get(1)?))
}

fn sealed(row: &Row, at: usize) -> sqlx::Result<Sealed> {
    Ok(Sealed {
        nonce: row.array(at)?,
        bytes: row.get(at + 1)?,
    })
}

fn uuid(row: &Row, at: usize) -> sqlx::Result<Uuid> {
    Ok(Uuid::from_bytes(row.array(at)?))
}

/// Databases have no larger integers; entries have at most 2^53 - 1 predecessors.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The path of a tile that is a row, for messages.
pub(crate) fn tile_path(level: u8, index: u64) -> String {
    Tile::new(level, index, alnager_journal::tile::WIDTH_FULL)
        .map_or_else(|| format!("tile/{level}/{index}"), Tile::path)
}
