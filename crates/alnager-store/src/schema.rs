//! The two databases of a desk and every statement they are asked.
//!
//! Rollback journal, `TRUNCATE`, `synchronous = FULL`: a commit is durable when it returns (DELETE would need `EXTRA` for
//! that), a killed process is rolled back by the next one, and between commits each database is one file, which can be copied
//! and can be checked on a read-only disk; WAL could not. `secure_delete`: what is erased is gone from the file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alnager_journal::merkle::Hash;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use uuid::Uuid;

use crate::error::StoreError;
use crate::seal::{Sealed, WrappedKey};

/// The number of the desk's format; a desk with a higher one is refused.
pub(crate) const FORMAT: i64 = 1;

/// How long to wait for another process. A review holds the desk for well under a second.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Most entries read at once.
pub(crate) const CHUNK: u64 = 1_024;

const CREATE_JOURNAL: &str = "
BEGIN IMMEDIATE;

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

PRAGMA application_id = 1097625191; -- Alng
PRAGMA user_version = 1;
COMMIT;";

const CREATE_KEYS: &str = "
BEGIN IMMEDIATE;

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

PRAGMA application_id = 1097625195; -- Alnk
PRAGMA user_version = 1;
COMMIT;";

const APPLICATION_ID: &str = "PRAGMA application_id";
const USER_VERSION: &str = "PRAGMA user_version";
const INTEGRITY: &str = "PRAGMA integrity_check(1)";
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

const SELECT_HEADS: &str = "SELECT org, origin, size, root, checkpoint FROM head";
const INSERT_HEAD: &str =
    "INSERT INTO head (org, origin, size, root, checkpoint) VALUES ($1, $2, $3, $4, $5)";
const MOVE_HEAD: &str = "UPDATE head SET size = $4, root = $5, checkpoint = $6 WHERE org = $1 AND size = $2 AND root = $3";

const SELECT_GUARD: &str = "SELECT org, origin, size, root, checkpoint FROM guard WHERE org = $1";
const INSERT_GUARD: &str =
    "INSERT INTO guard (org, origin, size, root, checkpoint) VALUES ($1, $2, $3, $4, $5)";
const MOVE_GUARD: &str = "UPDATE guard SET size = $4, root = $5, checkpoint = $6 WHERE org = $1 AND size = $2 AND root = $3";

const SELECT_ENTRIES: &str = "
SELECT e.seq, e.id, e.command, e.entry, p.key, p.nonce, p.sealed
  FROM entry e
  LEFT JOIN payload p ON p.org = e.org AND p.seq = e.seq
 WHERE e.org = $1 AND e.seq >= $2 AND e.seq < $3
 ORDER BY e.seq";
const INSERT_ENTRY: &str =
    "INSERT INTO entry (org, seq, id, command, entry) VALUES ($1, $2, $3, $4, $5)";
const SELECT_COMMAND: &str = "SELECT min(seq), max(seq) FROM entry WHERE org = $1 AND command = $2";
const COUNT_STRAYS: &str = "
SELECT (SELECT count(*) FROM entry   WHERE org <> $1 OR seq >= $2)
     + (SELECT count(*) FROM payload WHERE org <> $1 OR seq >= $2)
     + (SELECT count(*) FROM blob    WHERE org <> $1 OR seq >= $2)";

const INSERT_PAYLOAD: &str =
    "INSERT INTO payload (org, seq, key, nonce, sealed) VALUES ($1, $2, $3, $4, $5)";

const SELECT_BLOBS: &str = "
SELECT seq, name, key, nonce, sha256
  FROM blob
 WHERE org = $1 AND seq >= $2 AND seq < $3
 ORDER BY seq, name";
const INSERT_BLOB: &str =
    "INSERT INTO blob (org, seq, name, key, nonce, sha256) VALUES ($1, $2, $3, $4, $5, $6)";

const SELECT_KEYS: &str =
    "SELECT id, owner, nonce, sealed FROM data_key WHERE org = $1 ORDER BY id";
const INSERT_KEY: &str =
    "INSERT INTO data_key (org, id, owner, nonce, sealed) VALUES ($1, $2, $3, $4, $5)";

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Journal,
    Keys,
}

impl Kind {
    fn create(self) -> &'static str {
        match self {
            Kind::Journal => CREATE_JOURNAL,
            Kind::Keys => CREATE_KEYS,
        }
    }

    fn application_id(self) -> i64 {
        match self {
            Kind::Journal => 0x416c_6e67,
            Kind::Keys => 0x416c_6e6b,
        }
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

/// Where a blob lies; its sealed bytes are the file of that name.
#[derive(Clone, Debug)]
pub(crate) struct BlobRow {
    pub(crate) seq: u64,
    pub(crate) name: String,
    pub(crate) key: Uuid,
    pub(crate) nonce: [u8; crate::seal::NONCE_LEN],
    pub(crate) sha256: Hash,
}

/// An open database.
pub(crate) struct Database {
    path: PathBuf,
    connection: SqliteConnection,
    in_transaction: bool,
}

impl Database {
    /// Makes the tables in a file that is there and empty.
    pub(crate) async fn create(path: &Path, kind: Kind) -> Result<Database, StoreError> {
        let mut database = Database::connect(path).await?;
        let created = sqlx::raw_sql(kind.create())
            .execute(&mut database.connection)
            .await;
        created.map_err(|error| StoreError::database(path, error))?;
        Ok(database)
    }

    /// Opens a database of this kind and of a format this version knows.
    pub(crate) async fn open(path: &Path, kind: Kind) -> Result<Database, StoreError> {
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
        let mut database = Database::connect(path).await?;
        if database.number(APPLICATION_ID).await? != kind.application_id() {
            return Err(StoreError::Foreign {
                path: path.to_owned(),
                reason: "it is a database of another program",
            });
        }
        let found = database.number(USER_VERSION).await?;
        if found > FORMAT {
            return Err(StoreError::Newer {
                path: path.to_owned(),
                found,
            });
        }
        Ok(database)
    }

    async fn connect(path: &Path) -> Result<Database, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Truncate)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            // A file from elsewhere must not be able to run code of its own choice: https://www.sqlite.org/security.html
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .disable_statement_logging();
        let connection = options
            .connect()
            .await
            .map_err(|error| StoreError::database(path, error))?;
        Ok(Database {
            path: path.to_owned(),
            connection,
            in_transaction: false,
        })
    }

    /// Closes the file, so that nobody waits for a lock of it.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.connection
            .close()
            .await
            .map_err(|error| StoreError::database(&self.path, error))
    }

    /// Becomes the only writer, waiting for another if need be.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        // A commit whose future was dropped half-way leaves its transaction behind.
        self.rollback().await;
        self.in_transaction = true;
        self.run(BEGIN).await
    }

    /// Makes the transaction durable.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.run(COMMIT).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Undoes the transaction; without one, nothing.
    pub(crate) async fn rollback(&mut self) {
        if self.in_transaction {
            // SQLite may have rolled back already, when the disk was full for instance; it then refuses this. A transaction
            // that could not be rolled back ends with the connection.
            let _ = self.run(ROLLBACK).await;
            self.in_transaction = false;
        }
    }

    /// SQLite's first complaint about the file; `None` when it is whole.
    pub(crate) async fn complaint(&mut self) -> Result<Option<String>, StoreError> {
        let found: Result<String, _> = sqlx::query_scalar(INTEGRITY)
            .fetch_one(&mut self.connection)
            .await;
        let found = found.map_err(|error| StoreError::database(&self.path, error))?;
        Ok((found != "ok").then_some(found))
    }

    pub(crate) async fn heads(&mut self) -> Result<Vec<Signed>, StoreError> {
        self.all(sqlx::query(SELECT_HEADS), signed).await
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
        Ok(self
            .all(sqlx::query(SELECT_GUARD).bind(blob(org)), signed)
            .await?
            .pop())
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
        self.all(
            sqlx::query(SELECT_ENTRIES)
                .bind(blob(org))
                .bind(integer(from))
                .bind(integer(to)),
            entry,
        )
        .await
    }

    /// The first and the last entry of a command.
    pub(crate) async fn command(
        &mut self,
        org: Uuid,
        command: Uuid,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let query = sqlx::query(SELECT_COMMAND)
            .bind(blob(org))
            .bind(blob(command));
        let range = |row: &SqliteRow| match (
            row.try_get::<Option<i64>, _>(0)?,
            row.try_get::<Option<i64>, _>(1)?,
        ) {
            (Some(first), Some(last)) => Ok(Some((natural(first)?, natural(last)?))),
            _ => Ok(None),
        };
        Ok(self.all(query, range).await?.pop().flatten())
    }

    pub(crate) async fn insert_entry(
        &mut self,
        org: Uuid,
        row: &EntryRow,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(INSERT_ENTRY)
            .bind(blob(org))
            .bind(integer(row.seq))
            .bind(blob(row.id))
            .bind(blob(row.command));
        self.change(query.bind(row.entry.as_slice())).await?;
        if let Some((key, sealed)) = &row.payload {
            let query = sqlx::query(INSERT_PAYLOAD)
                .bind(blob(org))
                .bind(integer(row.seq))
                .bind(blob(*key));
            self.change(query.bind(&sealed.nonce[..]).bind(sealed.bytes.as_slice()))
                .await?;
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
        self.all(
            sqlx::query(SELECT_BLOBS)
                .bind(blob(org))
                .bind(integer(from))
                .bind(integer(to)),
            blob_row,
        )
        .await
    }

    pub(crate) async fn insert_blob(&mut self, org: Uuid, row: &BlobRow) -> Result<(), StoreError> {
        let query = sqlx::query(INSERT_BLOB)
            .bind(blob(org))
            .bind(integer(row.seq))
            .bind(row.name.as_str());
        self.change(
            query
                .bind(blob(row.key))
                .bind(&row.nonce[..])
                .bind(&row.sha256.0[..]),
        )
        .await
        .map(drop)
    }

    /// Number of rows that belong to no entry below `size` of this organisation.
    pub(crate) async fn strays(&mut self, org: Uuid, size: u64) -> Result<u64, StoreError> {
        let query = sqlx::query(COUNT_STRAYS)
            .bind(blob(org))
            .bind(integer(size));
        Ok(self
            .all(query, |row| natural(row.try_get(0)?))
            .await?
            .pop()
            .unwrap_or(0))
    }

    pub(crate) async fn keys(&mut self, org: Uuid) -> Result<Vec<WrappedKey>, StoreError> {
        self.all(sqlx::query(SELECT_KEYS).bind(blob(org)), key)
            .await
    }

    pub(crate) async fn insert_key(
        &mut self,
        org: Uuid,
        key: &WrappedKey,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(INSERT_KEY)
            .bind(blob(org))
            .bind(blob(key.id))
            .bind(blob(key.owner));
        self.change(
            query
                .bind(&key.sealed.nonce[..])
                .bind(key.sealed.bytes.as_slice()),
        )
        .await
        .map(drop)
    }

    async fn insert_signed(&mut self, sql: &'static str, row: &Signed) -> Result<(), StoreError> {
        let query = sqlx::query(sql)
            .bind(blob(row.org))
            .bind(row.origin.as_str())
            .bind(integer(row.size));
        self.change(query.bind(&row.root.0[..]).bind(row.checkpoint.as_str()))
            .await
            .map(drop)
    }

    async fn move_signed(
        &mut self,
        sql: &'static str,
        from: &Signed,
        to: &Signed,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(sql)
            .bind(blob(from.org))
            .bind(integer(from.size))
            .bind(&from.root.0[..]);
        let moved = self
            .change(
                query
                    .bind(integer(to.size))
                    .bind(&to.root.0[..])
                    .bind(to.checkpoint.as_str()),
            )
            .await?;
        Ok(moved == 1)
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64, StoreError> {
        let number = sqlx::query_scalar(sql)
            .fetch_one(&mut self.connection)
            .await;
        number.map_err(|error| StoreError::database(&self.path, error))
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        self.change(sqlx::query(sql)).await.map(drop)
    }

    /// Runs a statement; the number of rows it changed.
    async fn change(&mut self, query: Query<'_>) -> Result<u64, StoreError> {
        let done = query
            .execute(&mut self.connection)
            .await
            .map_err(|error| StoreError::database(&self.path, error))?;
        Ok(done.rows_affected())
    }

    async fn all<T>(
        &mut self,
        query: Query<'_>,
        read: fn(&SqliteRow) -> sqlx::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = query.fetch_all(&mut self.connection).await;
        let read = rows.and_then(|rows| rows.iter().map(read).collect());
        read.map_err(|error| StoreError::database(&self.path, error))
    }
}

#[cfg(test)]
impl Database {
    /// Sets a pragma that makes this connection fail later.
    pub(crate) async fn pragma(&mut self, sql: &'static str) {
        let set = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        assert!(set.is_ok(), "{sql}");
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn signed(row: &SqliteRow) -> sqlx::Result<Signed> {
    Ok(Signed {
        org: uuid(row, 0)?,
        origin: row.try_get(1)?,
        size: natural(row.try_get(2)?)?,
        root: Hash(array(row, 3)?),
        checkpoint: row.try_get(4)?,
    })
}

fn entry(row: &SqliteRow) -> sqlx::Result<EntryRow> {
    let payload = match row.try_get::<Option<Vec<u8>>, _>(4)? {
        None => None,
        Some(_) => Some((uuid(row, 4)?, sealed(row, 5)?)),
    };
    Ok(EntryRow {
        seq: natural(row.try_get(0)?)?,
        id: uuid(row, 1)?,
        command: uuid(row, 2)?,
        entry: row.try_get(3)?,
        payload,
    })
}

fn blob_row(row: &SqliteRow) -> sqlx::Result<BlobRow> {
    Ok(BlobRow {
        seq: natural(row.try_get(0)?)?,
        name: row.try_get(1)?,
        key: uuid(row, 2)?,
        nonce: array(row, 3)?,
        sha256: Hash(array(row, 4)?),
    })
}

fn key(row: &SqliteRow) -> sqlx::Result<WrappedKey> {
    Ok(WrappedKey {
        id: uuid(row, 0)?,
        owner: uuid(row, 1)?,
        sealed: sealed(row, 2)?,
    })
}

fn sealed(row: &SqliteRow, at: usize) -> sqlx::Result<Sealed> {
    Ok(Sealed {
        nonce: array(row, at)?,
        bytes: row.try_get(at + 1)?,
    })
}

fn uuid(row: &SqliteRow, at: usize) -> sqlx::Result<Uuid> {
    Ok(Uuid::from_bytes(array(row, at)?))
}

fn array<const N: usize>(row: &SqliteRow, at: usize) -> sqlx::Result<[u8; N]> {
    let bytes: &[u8] = row.try_get(at)?;
    bytes
        .try_into()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn natural(number: i64) -> sqlx::Result<u64> {
    u64::try_from(number).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// SQLite has no larger integers; entries have at most 2^53 - 1 predecessors.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn blob(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}
