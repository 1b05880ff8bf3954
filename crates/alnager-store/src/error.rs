//! What can go wrong with a desk, and what to do then.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use alnager_journal::entry::EntryError;
use alnager_journal::note::NoteError;
use alnager_office::decide::Refused;

use crate::blobs::ObjectStoreError;
use crate::schema::FORMAT;

/// Why a command was not entered. Nothing was written unless [`StoreError::GuardBehind`] says so.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The office refuses the command.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// Someone else entered something since.
    #[error(
        "the desk has `{found}` entries, not `{expected}`: something was entered since; look at it and decide again"
    )]
    Conflict {
        /// The size that the command was decided on.
        expected: u64,
        /// The size now.
        found: u64,
    },
    /// The desk cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refused> for CommitError {
    fn from(refused: Refused) -> CommitError {
        CommitError::Refused(Box::new(refused))
    }
}

type Cause = Box<dyn Error + Send + Sync>;

/// Why a desk cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no desk.
    #[error("there is no desk in `{}`; the first review makes one, or name another with --desk DIR", dir.display())]
    Absent {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder that should hold the desk is not there.
    #[error("there is no folder `{}` to make a desk in; create it first, or name another desk with --desk DIR", parent.display())]
    NoParent {
        /// The folder that is missing.
        parent: PathBuf,
    },
    /// Something else lies there.
    #[error("`{}` is no desk: {reason}; name another with --desk DIR", path.display())]
    Foreign {
        /// The folder or file.
        path: PathBuf,
        /// What is there instead.
        reason: &'static str,
    },
    /// A newer version wrote it.
    #[error("`{}` has format `{found}`, and this version reads `{FORMAT}`; use a newer version of alnager", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// The operating system refuses access.
    #[error("`{}` may not be opened by this user; correct its owner or mode, or name another desk with --desk DIR", path.display())]
    Permission {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: Cause,
    },
    /// It can be read but not written.
    #[error("`{}` cannot be written to: it, its folder or its disk is read-only; make it writable, or name another desk with --desk DIR", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: Cause,
    },
    /// No space is left.
    #[error("the disk that holds `{}` is full, so nothing was entered; free some space and run the same command again", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Cause,
    },
    /// The server does not answer.
    #[error("the database server at `{}` does not answer; start it, or correct the address in --desk", path.display())]
    Unreachable {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: Cause,
    },
    /// The server has no such database.
    #[error("the database server has no database `{}`; create it (`createdb`), or correct the address in --desk or ALNAGER_KEYS", path.display())]
    NoDatabase {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: Cause,
    },
    /// The secrets are sealed.
    #[error("the secrets of this desk are sealed; it needs {needed}")]
    Locked {
        /// What is missing.
        needed: &'static str,
    },
    /// A file that should hold a passphrase holds none.
    #[error("the first line of `{}` is empty, and it should be the passphrase", path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The address of a database is no address.
    #[error("the address of the database cannot be used: {reason}")]
    Address {
        /// What is wrong with it; never the address itself, which may hold a password.
        reason: String,
    },
    /// The connection broke while the command was entered, and the server cannot be asked what became of it.
    #[error(
        "the connection broke while the command was entered, so it is not known whether it was; run the same command again: it is entered once"
    )]
    Unknown {
        /// The cause.
        source: Box<StoreError>,
    },
    /// A reader keeps what was erased.
    #[error(
        "what was erased is still in the files of `{}`, because another process is reading; run the same command again",
        path.display()
    )]
    StillRead {
        /// The database.
        path: PathBuf,
    },
    /// The desk was moved.
    #[error(
        "this desk was moved to another place, and is only read here; name that place with --desk"
    )]
    Moved,
    /// Another process holds the desk open.
    #[error("another process has the desk `{}` open; stop it, and run the same command again", home.display())]
    InUse {
        /// Its folder.
        home: PathBuf,
    },
    /// The log's key was dropped.
    #[error("the log has another key since, and `{}` does not hold it; copy `log.key` from where it was rotated", home.display())]
    OldKey {
        /// The folder.
        home: PathBuf,
    },
    /// Nothing has forked.
    #[error("the journal is the one last signed, so there is nothing to fork")]
    NotForked,
    /// An origin that the log had before.
    #[error(
        "the log was called `{origin}` before, and must never be again; name another with --origin"
    )]
    OriginUsed {
        /// The origin.
        origin: String,
    },
    /// The log has two keys already.
    #[error(
        "the log still has the key before this one; drop that first with `alnager desk drop-key`"
    )]
    TwoKeys,
    /// The log has one key.
    #[error("the log has one key only, so there is none to drop")]
    OneKey,
    /// Something lies where a copy is to be made.
    #[error("`{}` is there already, and nothing is written over; name another place", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// The home of a new desk holds secrets already.
    #[error(
        "`{}` holds the secrets of a desk, and `{}` holds no desk: name the database they belong to, or another home with ALNAGER_HOME",
        home.display(), path.display()
    )]
    HomeTaken {
        /// The folder.
        home: PathBuf,
        /// The database.
        path: PathBuf,
    },
    /// A restored journal has no keys.
    #[error("`{}` holds no keys, and a journal cannot be read without them; name a copy of them with --keys DIR", home.display())]
    KeysMissing {
        /// The folder.
        home: PathBuf,
    },
    /// The writer's thread has ended.
    #[error("the desk is being closed, so the command was not entered; run it again")]
    Stopped,
    /// What befell the whole group of commands.
    #[error(transparent)]
    Shared(std::sync::Arc<StoreError>),
    /// Another process holds the desk.
    #[error("another process has held `{}` for too long; wait until it has finished, and run the same command again", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: Cause,
    },
    /// What is there is not what was written.
    #[error(
        "the desk is damaged: {what}; see what `alnager desk verify` still finds sound, or put a backup in its place"
    )]
    Damaged {
        /// What is wrong.
        what: String,
        /// The cause.
        source: Option<Cause>,
    },
    /// The journal is not a continuation of what was signed last.
    #[error(
        "the journal is not the one last signed: {what}; it can be read, and nothing is entered: put the newer journal back, or let it go on under a new origin with `alnager journal fork --reason …`"
    )]
    Forked {
        /// What does not fit.
        what: String,
    },
    /// The entries are in the journal; the guard is one step behind.
    #[error(
        "the command was entered, but the guard in `keys.db` could not be brought up to it; run the same command again for its receipt"
    )]
    GuardBehind {
        /// The cause.
        source: Box<StoreError>,
    },
    /// An event does not fit into an entry.
    #[error("an entry of kind `{kind}` cannot be written")]
    Entry {
        /// Its kind.
        kind: String,
        /// The cause.
        source: EntryError,
    },
    /// An event cannot be read back from its payload, so it is not written. (The reader's own words may quote the payload, and
    /// with it a name; so they are left out.)
    #[error(
        "the payload of a `{kind}` entry cannot be read back, so nothing was entered; this is a fault of the program, please report it"
    )]
    Payload {
        /// Its kind.
        kind: String,
    },
    /// An entry is of a kind that only newer versions know.
    #[error(
        "entry `{index}` is of kind `{kind}`, which this version does not know; use a newer version of alnager"
    )]
    UnknownKind {
        /// Index of the entry.
        index: u64,
        /// Its kind.
        kind: String,
    },
    /// The id of an actor or of a subject is not one.
    #[error("the actor or a subject of a `{kind}` entry has an id that is no UUID of version 7")]
    Id {
        /// Kind of the entry.
        kind: String,
    },
    /// The instant is malformed.
    #[error("`{at}` is no instant like `2026-11-23T08:14:00.000000Z`")]
    Instant {
        /// What was given.
        at: String,
    },
    /// The origin is no name of a log.
    #[error("`{origin}` cannot name a log; use a name like `example.org/alnager`")]
    Origin {
        /// What was given.
        origin: String,
        /// The cause.
        source: NoteError,
    },
    /// The organisation's id is no UUID of version 7.
    #[error("an organisation's id must be a UUID of version 7")]
    Organisation,
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes, so nothing can be encrypted; try again")]
    Random(#[source] getrandom::Error),
    /// Any other failure of a file.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The object store that holds the blobs does not do what it is asked.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// Any other failure of a database.
    #[error("the database `{}` does not answer as it should", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: sqlx::Error,
    },
}

impl StoreError {
    /// Whether it is the command's own fault, so that other commands of its group are not touched by it.
    pub(crate) fn is_about_one_command(&self) -> bool {
        matches!(
            self,
            StoreError::Entry { .. }
                | StoreError::Payload { .. }
                | StoreError::Id { .. }
                | StoreError::Instant { .. }
        )
    }

    /// The operating system's answer about `path`, in the user's words.
    pub(crate) fn io(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied => StoreError::Permission {
                path,
                source: source.into(),
            },
            io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly {
                path,
                source: source.into(),
            },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull {
                path,
                source: source.into(),
            },
            _ => StoreError::Io { path, source },
        }
    }

    /// SQLite's answer about the database `path`, in the user's words.
    pub(crate) fn database(path: &Path, source: sqlx::Error) -> StoreError {
        let path = path.to_owned();
        if let Some(error) = StoreError::server(&path, &source) {
            return error(source.into());
        }
        // The low byte of SQLite's code is the kind of failure: https://www.sqlite.org/rescode.html
        let code = source
            .as_database_error()
            .and_then(|error| error.code()?.parse::<u32>().ok())
            .map(|code| code & 0xff);
        match (code, &source) {
            (Some(SQLITE_BUSY | SQLITE_LOCKED), _) => StoreError::Busy {
                path,
                source: source.into(),
            },
            (Some(SQLITE_READONLY), _) => StoreError::ReadOnly {
                path,
                source: source.into(),
            },
            (Some(SQLITE_FULL), _) => StoreError::DiskFull {
                path,
                source: source.into(),
            },
            (Some(SQLITE_PERM | SQLITE_CANTOPEN | SQLITE_AUTH), _) => StoreError::Permission {
                path,
                source: source.into(),
            },
            (Some(SQLITE_NOTADB), _) => StoreError::damaged_by(
                format!("`{}` is no SQLite database", path.display()),
                source,
            ),
            (Some(SQLITE_CORRUPT), _) => {
                StoreError::damaged_by(format!("SQLite cannot read `{}`", path.display()), source)
            }
            (_, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
                StoreError::damaged_by(
                    format!("a row of `{}` does not have its form", path.display()),
                    source,
                )
            }
            _ => StoreError::Database { path, source },
        }
    }

    /// PostgreSQL's answer, where it is one of those a user can do something about.
    fn server(
        path: &Path,
        source: &sqlx::Error,
    ) -> Option<impl FnOnce(Cause) -> StoreError + use<>> {
        let path = path.to_owned();
        let is_lost = matches!(
            source,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)
        );
        let code = source.as_database_error().and_then(|error| error.code());
        // SQLite's codes are numbers of at most four digits: https://www.postgresql.org/docs/current/errcodes-appendix.html
        let code = code
            .filter(|code| code.len() == 5)
            .unwrap_or_default()
            .into_owned();
        let make: fn(PathBuf, Cause) -> StoreError = match code.as_str() {
            _ if is_lost => |path, source| StoreError::Unreachable { path, source },
            "53100" => |path, source| StoreError::DiskFull { path, source },
            "25006" => |path, source| StoreError::ReadOnly { path, source },
            "28000" | "28P01" | "42501" => |path, source| StoreError::Permission { path, source },
            "55P03" => |path, source| StoreError::Busy { path, source },
            "3D000" => |path, source| StoreError::NoDatabase { path, source },
            "57P01" | "57P02" | "57P03" | "53300" => {
                |path, source| StoreError::Unreachable { path, source }
            }
            _ => return None,
        };
        Some(move |source| make(path, source))
    }

    pub(crate) fn damaged(what: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            what: what.into(),
            source: None,
        }
    }

    pub(crate) fn damaged_by(what: impl Into<String>, source: impl Into<Cause>) -> StoreError {
        StoreError::Damaged {
            what: what.into(),
            source: Some(source.into()),
        }
    }
}

const SQLITE_PERM: u32 = 3;
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_READONLY: u32 = 8;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_AUTH: u32 = 23;
const SQLITE_NOTADB: u32 = 26;
