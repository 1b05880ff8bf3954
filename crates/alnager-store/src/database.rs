//! One connection to a database, SQLite or PostgreSQL, and the one function through which every statement goes.
//!
//! Statements are written once, in SQL that both understand: `$n` for arguments, and three types of values, integers of 64
//! bits, bytes, and text.
//!
//! SQLite runs in WAL mode: one `fsync` per commit, and readers never wait for a writer. Between commits of the last process
//! that holds it a database is a single file again. `secure_delete`: what is erased is gone from the file once the write-ahead
//! file is emptied ([`Database::forget`]).

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Decode, PgConnection, Postgres, Row as _,
    SqlSafeStr as _, Sqlite, SqliteConnection, Type,
};

use crate::error::StoreError;
use crate::fault::Faults;

/// How long to wait for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// How often, and with which first pause, a lost server is looked for again. The pauses double: 6 s in all.
const RECONNECTS: u32 = 6;
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// The number of a transaction that begins and ends now. PostgreSQL 13 and later.
const NOW: &str = "SELECT CAST(pg_current_xact_id() AS TEXT)";

/// How many may still read what was there before that transaction: snapshots in this database and of standby servers, and
/// whichever transaction of the whole server is still writing, because every new snapshot reaches back to it.
const COUNT_OLDER: &str = "
SELECT (SELECT count(*)
          FROM pg_stat_activity
         WHERE (datname IS NULL OR datname = current_database()) AND pid <> pg_backend_pid()
           AND age(backend_xmin) > age(CAST(CAST(CAST($1 AS TEXT) AS XID8) AS XID)))
     + CASE WHEN pg_snapshot_xmin(pg_current_snapshot()) <= CAST(CAST($1 AS TEXT) AS XID8)
            THEN 1 ELSE 0 END";

/// Whether a commit must be on disk when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It is durable.
    Full,
    /// It is atomic; a power cut may undo it. For the guard, which may fall behind but never go wrong.
    Lazy,
}

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    File(PathBuf),
    Server(Box<Server>),
}

/// A database of a PostgreSQL server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) options: PgConnectOptions,
    /// Host and database without user and password, for messages.
    pub(crate) shown: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    /// What messages call it.
    pub(crate) fn shown(&self) -> PathBuf {
        match self {
            Address::File(path) => path.clone(),
            Address::Server(server) => PathBuf::from(&server.shown),
        }
    }
}

enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    /// It was taken out to be closed.
    Closed,
}

/// An argument of a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    /// One that may be null.
    MaybeInt(Option<i64>),
    MaybeBytes(Option<&'a [u8]>),
    MaybeText(Option<&'a str>),
}

/// A row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What both databases can give.
pub(crate) trait Value:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Value for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl Row {
    /// The value of a column, counted from 0.
    pub(crate) fn get<T: Value>(&self, at: usize) -> sqlx::Result<T> {
        match self {
            Row::Sqlite(row) => row.try_get(at),
            Row::Postgres(row) => row.try_get(at),
        }
    }

    /// Bytes of a known length.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> sqlx::Result<[u8; N]> {
        let bytes: &[u8] = match self {
            Row::Sqlite(row) => row.try_get(at)?,
            Row::Postgres(row) => row.try_get(at)?,
        };
        bytes
            .try_into()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }

    /// Bytes where they lie; `None` for null.
    pub(crate) fn bytes(&self, at: usize) -> sqlx::Result<Option<&[u8]>> {
        match self {
            Row::Sqlite(row) => row.try_get(at),
            Row::Postgres(row) => row.try_get(at),
        }
    }

    /// What `length` says, which SQLite counts in 64 bits and PostgreSQL in 32; `None` for null.
    pub(crate) fn length(&self, at: usize) -> sqlx::Result<Option<i64>> {
        match self {
            Row::Sqlite(row) => row.try_get(at),
            Row::Postgres(row) => {
                let length: Option<i32> = row.try_get(at)?;
                Ok(length.map(i64::from))
            }
        }
    }

    /// A number that is not negative.
    pub(crate) fn natural(&self, at: usize) -> sqlx::Result<u64> {
        let number: i64 = self.get(at)?;
        u64::try_from(number).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }
}

/// An answer that is still to be read, which may be done elsewhere.
pub(crate) struct Answer<T> {
    rows: Vec<Row>,
    read: fn(&Row) -> sqlx::Result<T>,
    shown: PathBuf,
}

impl<T> Answer<T> {
    /// Its rows.
    pub(crate) fn read(self) -> Result<Vec<T>, StoreError> {
        let read: sqlx::Result<Vec<T>> = self.rows.iter().map(self.read).collect();
        read.map_err(|error| StoreError::database(&self.shown, error))
    }
}

/// An open database.
pub(crate) struct Database {
    address: Address,
    shown: PathBuf,
    link: Link,
    in_transaction: bool,
    durability: Durability,
    /// The server went away; the next transaction connects again.
    is_lost: bool,
    /// It has an older format and lies where nothing may be written; tables it lacks are empty.
    pub(crate) is_older: bool,
    faults: Faults,
}

impl Database {
    pub(crate) async fn connect(address: &Address, faults: Faults) -> Result<Database, StoreError> {
        Ok(Database {
            link: connect(address).await?,
            shown: address.shown(),
            address: address.clone(),
            in_transaction: false,
            durability: Durability::Full,
            is_lost: false,
            is_older: false,
            faults,
        })
    }

    /// The faults of a test.
    pub(crate) fn faults(&self) -> Faults {
        self.faults.clone()
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(crate) fn is_server(&self) -> bool {
        matches!(self.link, Link::Postgres(_))
    }

    /// Writes the argument of this number, from 1, of a statement with very many, which has them in order. SQLite understands `$n`, too,
    /// but searches a list for each that has a name.
    pub(crate) fn put_place(&self, sql: &mut String, number: usize) {
        match self.is_server() {
            true => sql.push_str(&format!("${number}")),
            false => sql.push('?'),
        }
    }

    /// Another connection to the same database.
    pub(crate) async fn again(&self) -> Result<Database, StoreError> {
        Database::connect(&self.address, self.faults()).await
    }

    /// Closes the connection, so that nobody waits for a lock of it.
    pub(crate) async fn close(mut self) -> Result<(), StoreError> {
        self.shut().await
    }

    /// Closes the connection and leaves the rest, which answers nothing any more.
    pub(crate) async fn shut(&mut self) -> Result<(), StoreError> {
        let closed = match std::mem::replace(&mut self.link, Link::Closed) {
            Link::Sqlite(link) => link.close().await,
            Link::Postgres(link) => link.close().await,
            Link::Closed => Ok(()),
        };
        closed.map_err(|error| StoreError::database(&self.shown, error))
    }

    /// Begins a transaction. On SQLite its holder is the only writer at once, waiting for another if need be; on PostgreSQL a
    /// row lock makes it that.
    pub(crate) async fn begin(&mut self, durability: Durability) -> Result<(), StoreError> {
        let begun = self.begin_as(durability).await;
        if begun.is_err() {
            // It may have begun all the same, and nobody else could write until it ends.
            self.rollback().await;
        }
        begun
    }

    async fn begin_as(&mut self, durability: Durability) -> Result<(), StoreError> {
        // A commit whose future was dropped half-way leaves its transaction behind.
        self.rollback().await;
        self.restore_link().await?;
        let is_server = self.is_server();
        if !is_server && durability != self.durability {
            self.query(
                match durability {
                    Durability::Full => "PRAGMA synchronous = FULL",
                    Durability::Lazy => "PRAGMA synchronous = NORMAL",
                },
                &[],
            )
            .await?;
            self.durability = durability;
        }
        self.start(if is_server {
            "BEGIN"
        } else {
            "BEGIN IMMEDIATE"
        })
        .await?;
        if is_server && durability == Durability::Lazy {
            self.query("SET LOCAL synchronous_commit = off", &[])
                .await?;
        }
        Ok(())
    }

    /// Begins to read: all that follows, until [`Database::rollback`], is as it was at one moment.
    pub(crate) async fn begin_reading(&mut self) -> Result<(), StoreError> {
        self.rollback().await;
        self.restore_link().await?;
        self.start(match self.is_server() {
            true => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            false => "BEGIN",
        })
        .await?;
        self.take_time().await
    }

    async fn start(&mut self, sql: &'static str) -> Result<(), StoreError> {
        self.in_transaction = true;
        let begun = self.query(sql, &[]).await;
        // A server that was started anew since answers nothing on an old connection, and nothing had begun.
        match begun {
            Err(_) if self.is_lost && self.is_server() => {
                self.restore_link().await?;
                self.in_transaction = true;
                self.query(sql, &[]).await.map(drop)
            }
            begun => begun.map(drop),
        }
    }

    /// Lets this transaction wait for other things as long as it must: a copy writes blobs meanwhile.
    pub(crate) async fn take_time(&mut self) -> Result<(), StoreError> {
        match self.is_server() {
            true => {
                let sql = "SET LOCAL idle_in_transaction_session_timeout = 0";
                self.query(sql, &[]).await.map(drop)
            }
            false => Ok(()),
        }
    }

    /// Ends the transaction for good.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.query("COMMIT", &[]).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Undoes the transaction; without one, nothing.
    pub(crate) async fn rollback(&mut self) {
        if self.in_transaction {
            // The database may have rolled back already, when the disk was full for instance; it then refuses this. A
            // transaction that could not be rolled back ends with the connection.
            let _ = self.ask("ROLLBACK".into(), true, &[]).await;
            self.in_transaction = false;
        }
    }

    /// Runs a statement and gives its rows. Outside of a transaction it only reads, so that it can be asked again where the
    /// connection to a server broke.
    pub(crate) async fn query(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        if self.in_transaction || !self.is_server() {
            return self.stepped(sql.into(), true, args).await;
        }
        self.restore_link().await?;
        match self.stepped(sql.into(), true, args).await {
            Err(_) if self.is_lost => {
                self.restore_link().await?;
                self.stepped(sql.into(), true, args).await
            }
            answer => answer,
        }
    }

    /// Runs a statement that was put together here, of parts that are all ours. `keep`: it will be asked again, so the database should
    /// remember how.
    pub(crate) async fn query_made(
        &mut self,
        sql: String,
        keep: bool,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.stepped(sql.into(), keep, args).await
    }

    /// Runs several statements without arguments.
    pub(crate) async fn script(&mut self, sql: String) -> Result<(), StoreError> {
        self.faults.before()?;
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        let done = match &mut self.link {
            Link::Sqlite(link) => sql.execute(link).await.map(drop),
            Link::Postgres(link) => sql.execute(link).await.map(drop),
            Link::Closed => Err(sqlx::Error::WorkerCrashed),
        };
        self.told(done)?;
        self.faults.after()
    }

    /// Runs a statement; the number of rows it changed.
    pub(crate) async fn change(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<u64, StoreError> {
        if !self.in_transaction {
            self.restore_link().await?;
        }
        self.faults.before()?;
        let changed = match &mut self.link {
            Link::Sqlite(link) => bound!(Sqlite, sql, args)
                .execute(link)
                .await
                .map(|done| done.rows_affected()),
            Link::Postgres(link) => bound!(Postgres, sql, args)
                .execute(link)
                .await
                .map(|done| done.rows_affected()),
            Link::Closed => Err(sqlx::Error::WorkerCrashed),
        };
        let changed = self.told(changed)?;
        self.faults.after()?;
        Ok(changed)
    }

    async fn stepped(
        &mut self,
        sql: std::borrow::Cow<'static, str>,
        keep: bool,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.faults.before()?;
        let rows = self.ask(sql, keep, args).await?;
        self.faults.after()?;
        Ok(rows)
    }

    async fn ask(
        &mut self,
        sql: std::borrow::Cow<'static, str>,
        keep: bool,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let sql = AssertSqlSafe(sql).into_sql_str();
        let rows = match &mut self.link {
            Link::Sqlite(link) => bound!(Sqlite, sql, args)
                .persistent(keep)
                .fetch_all(link)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Link::Postgres(link) => bound!(Postgres, sql, args)
                .persistent(keep)
                .fetch_all(link)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
            Link::Closed => Err(sqlx::Error::WorkerCrashed),
        };
        self.told(rows)
    }

    fn told<T>(&mut self, answer: sqlx::Result<T>) -> Result<T, StoreError> {
        answer.map_err(|error| {
            self.is_lost |= is_lost(&error);
            StoreError::database(&self.shown, error)
        })
    }

    /// Connects again to a server that went away.
    pub(crate) async fn restore_link(&mut self) -> Result<(), StoreError> {
        if !self.is_lost || !self.is_server() {
            return Ok(());
        }
        let mut pause = RECONNECT_PAUSE;
        for attempt in 0..=RECONNECTS {
            match connect(&self.address).await {
                Ok(link) => {
                    self.link = link;
                    self.in_transaction = false;
                    self.is_lost = false;
                    return Ok(());
                }
                Err(error) if attempt == RECONNECTS => return Err(error),
                Err(_) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
        Ok(())
    }

    /// Rows of a statement, read.
    pub(crate) async fn all<T>(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
        read: fn(&Row) -> sqlx::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.answer(sql, args, read).await?.read()
    }

    /// Like [`Database::all`]; the rows are read later.
    pub(crate) async fn answer<T>(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
        read: fn(&Row) -> sqlx::Result<T>,
    ) -> Result<Answer<T>, StoreError> {
        Ok(Answer {
            rows: self.query(sql, args).await?,
            read,
            shown: self.shown.clone(),
        })
    }

    pub(crate) fn read<T>(
        &self,
        rows: &[Row],
        read: fn(&Row) -> sqlx::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let read: sqlx::Result<Vec<T>> = rows.iter().map(read).collect();
        read.map_err(|error| StoreError::database(&self.shown, error))
    }

    /// Removes what was deleted from the files of the database as well.
    ///
    /// SQLite: the write-ahead file is written back and emptied. Waits for readers. PostgreSQL: the tables are written anew, because a
    /// plain vacuum leaves the bytes of a page's last row where they were; what its own write-ahead log and backups hold is the
    /// server's to let go (`docs/formats/desk.md`).
    pub(crate) async fn forget(&mut self, tables: &[&'static str]) -> Result<(), StoreError> {
        if self.is_server() {
            self.outlast_readers().await?;
            for table in tables {
                self.query_made(format!("VACUUM FULL {table}"), false, &[])
                    .await?;
            }
            return Ok(());
        }
        let rows = self.query("PRAGMA wal_checkpoint(TRUNCATE)", &[]).await?;
        let busy: i64 = match rows.first() {
            Some(row) => row
                .get(0)
                .map_err(|error| StoreError::database(&self.shown, error))?,
            None => 0,
        };
        match busy {
            0 => Ok(()),
            _ => Err(StoreError::StillRead {
                path: self.shown.clone(),
            }),
        }
    }

    /// Writes a file anew from its rows: when rows move between pages, `secure_delete` leaves copies of them in the gaps. For small
    /// files. On a server, nothing: [`Database::forget`] does it there.
    pub(crate) async fn write_anew(&mut self) -> Result<(), StoreError> {
        if self.is_server() {
            return Ok(());
        }
        // Not by way of a temporary file, of which the disk would keep the bytes.
        self.query("PRAGMA temp_store = MEMORY", &[]).await?;
        self.query("VACUUM", &[]).await.map(drop)
    }

    /// Waits until nobody may read any more what was deleted before this call: such rows a table that is written anew keeps.
    async fn outlast_readers(&mut self) -> Result<(), StoreError> {
        let now: Vec<String> = self.all(NOW, &[], |row| row.get(0)).await?;
        let now = now.first().map(String::as_str).unwrap_or_default();
        let deadline = tokio::time::Instant::now() + BUSY_TIMEOUT;
        loop {
            let older = self
                .all(COUNT_OLDER, &[Arg::Text(now)], |row| row.natural(0))
                .await?;
            if older.first() == Some(&0) {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err(StoreError::StillRead {
                    path: self.shown.clone(),
                });
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    /// SQLite's first complaint about the file; `None` when it is whole, and on a server.
    pub(crate) async fn complaint(&mut self) -> Result<Option<String>, StoreError> {
        if self.is_server() {
            return Ok(None);
        }
        let found: Vec<String> = self
            .all("PRAGMA integrity_check(1)", &[], |row| row.get(0))
            .await?;
        Ok(found.into_iter().next().filter(|found| found != "ok"))
    }
}

impl Drop for Database {
    /// Closes a file before anybody goes on: its write-ahead file is written back, and it is a single file again.
    fn drop(&mut self) {
        if let Link::Sqlite(link) = std::mem::replace(&mut self.link, Link::Closed) {
            // A thread of its own, because whoever drops may be inside a runtime already.
            let closing = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                runtime.map(|runtime| runtime.block_on(link.close()))
            });
            // A file that could not be written back is whole all the same; the next one who opens it does that.
            let _ = closing.join();
        }
    }
}

/// A statement with its arguments.
macro_rules! bound {
    ($database:ty, $sql:expr, $args:expr) => {{
        let mut query = sqlx::query::<$database>($sql);
        for arg in $args {
            query = match *arg {
                Arg::Int(number) => query.bind(number),
                Arg::Bytes(bytes) => query.bind(bytes),
                Arg::Text(text) => query.bind(text),
                Arg::MaybeInt(number) => query.bind(number),
                Arg::MaybeBytes(bytes) => query.bind(bytes),
                Arg::MaybeText(text) => query.bind(text),
            };
        }
        query
    }};
}
use bound;

async fn connect(address: &Address) -> Result<Link, StoreError> {
    let shown = address.shown();
    let link = match address {
        Address::File(path) => match sqlite(path)
            .journal_mode(SqliteJournalMode::Wal)
            .connect()
            .await
        {
            Err(error) if is_unwritable(&error) && lies_alone(path) => {
                // Nobody can write where it lies, so it is read as it is, without the files that sharing needs.
                let alone = sqlite(path).read_only(true).immutable(true);
                let alone = alone.pragma("temp_store", "MEMORY").connect().await;
                alone.or(Err(error)).map(Link::Sqlite)
            }
            link => link.map(Link::Sqlite),
        },
        Address::Server(server) => server
            .options
            .clone()
            .disable_statement_logging()
            .connect()
            .await
            .map(Link::Postgres),
    };
    link.map_err(|error| StoreError::database(&shown, error))
}

fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        // What is written back from the write-ahead file at once, and what is kept in memory: pages of 4 kB, and KiB.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("cache_size", "-32768")
        .pragma("secure_delete", "ON")
        // A file from elsewhere must not be able to run code of its own choice: https://www.sqlite.org/security.html
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Rows that may wait to be taken: a chunk is read ahead while the one before is worked on.
        .row_buffer_size(4_096)
        .disable_statement_logging()
}

/// Whether SQLite says that it may not write, or cannot make a file beside the database.
fn is_unwritable(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 8 | 14))
}

/// Whether all of a database is in its own file.
fn lies_alone(path: &Path) -> bool {
    ["-wal", "-journal"].iter().all(|behind| {
        let mut name = path.as_os_str().to_owned();
        name.push(behind);
        std::fs::metadata(name).map_or(true, |file| file.len() == 0)
    })
}

fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // Class 57: an operator ended it, or the server is starting or shutting down. Class 08: the connection broke.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.len() == 5 && (code.starts_with("57P") || code.starts_with("08"))
        }),
        _ => false,
    }
}

#[cfg(test)]
impl Database {
    /// Sets a pragma that makes this connection fail later.
    pub(crate) async fn pragma(&mut self, sql: &'static str) {
        let set = self.ask(sql.into(), false, &[]).await;
        assert!(set.is_ok(), "{sql}");
    }
}
