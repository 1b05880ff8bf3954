//! Where a desk is: a folder, or databases of a PostgreSQL server with a folder for its secrets.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::blobs::Blobs;
use crate::database::{Address, Database, Server};
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, ACCOUNTS, BLOBS, Found, JOURNAL, KEK, KEYS, LOG_KEY};
use crate::schema::Kind;
use crate::secret::Unlock;

/// Where a desk is, and what opens its secrets.
#[derive(Clone, Debug)]
pub struct Place {
    at: At,
    unlock: Unlock,
}

/// Where a desk is.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// A folder: SQLite databases, blobs and secrets.
    Folder(PathBuf),
    /// Two databases of PostgreSQL servers.
    Server(Box<ServerPlace>),
}

/// A desk on PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct ServerPlace {
    journal: Server,
    keys: Server,
    home: PathBuf,
    blobs: Option<String>,
}

/// What `--desk` does not say: where the parts of a desk on PostgreSQL lie, and what opens its secrets.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Address of the database for keys and guard; without it the journal's with `_keys` behind its name.
    pub keys: Option<String>,
    /// The folder of `kek` and `log.key`; without it `.alnager-<database>` in the working folder.
    pub home: Option<PathBuf>,
    /// Where blobs lie: a folder, or `s3://bucket/prefix?…`; without it `blobs` in the home folder.
    pub blobs: Option<String>,
    /// What opens sealed secrets.
    pub unlock: Unlock,
}

impl Default for Place {
    /// The folder `.alnager` of the working folder.
    fn default() -> Place {
        Place::from(PathBuf::from(".alnager"))
    }
}

impl From<&Path> for Place {
    fn from(dir: &Path) -> Place {
        Place::from(dir.to_owned())
    }
}

impl From<PathBuf> for Place {
    fn from(dir: PathBuf) -> Place {
        Place {
            at: At::Folder(dir),
            unlock: Unlock::Open,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.shown().display())
    }
}

impl Place {
    /// Whether this names a database rather than a folder.
    pub fn is_server(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads what `--desk` was given: a folder, or the address of a PostgreSQL database.
    pub fn parse(text: &str, settings: &Settings) -> Result<Place, StoreError> {
        if !Place::is_server(text) {
            return Ok(Place {
                at: At::Folder(PathBuf::from(text)),
                unlock: settings.unlock.clone(),
            });
        }
        let (journal, database) = server(text)?;
        let keys = match &settings.keys {
            Some(keys) => server(keys)?.0,
            None => {
                let name = format!("{database}_keys");
                let shown = format!("{}_keys", journal.shown);
                let options = journal.options.clone().database(&name);
                Server { options, shown }
            }
        };
        let home = settings.home.clone();
        let at = At::Server(Box::new(ServerPlace {
            home: home.unwrap_or_else(|| PathBuf::from(format!(".alnager-{database}"))),
            blobs: settings.blobs.clone(),
            journal,
            keys,
        }));
        Ok(Place {
            at,
            unlock: settings.unlock.clone(),
        })
    }

    /// The same desk in another folder: where a new one is made.
    pub(crate) fn moved(&self, dir: &Path) -> Place {
        Place {
            at: At::Folder(dir.to_owned()),
            unlock: self.unlock.clone(),
        }
    }

    /// The folder, where the desk is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.at {
            At::Folder(dir) => Some(dir),
            At::Server(_) => None,
        }
    }

    pub(crate) fn at(&self) -> &At {
        &self.at
    }

    pub(crate) fn unlock(&self) -> &Unlock {
        &self.unlock
    }

    /// The same place with other secrets to open it.
    pub fn unlocked(&self, unlock: Unlock) -> Place {
        Place {
            at: self.at.clone(),
            unlock,
        }
    }

    /// What messages call it: never with a user or a password.
    pub fn shown(&self) -> PathBuf {
        match &self.at {
            At::Folder(dir) => dir.clone(),
            At::Server(place) => PathBuf::from(&place.journal.shown),
        }
    }

    /// The folder of the secrets, and of whatever else is kept in files.
    pub fn home(&self) -> &Path {
        match &self.at {
            At::Folder(dir) => dir,
            At::Server(place) => &place.home,
        }
    }

    pub(crate) fn journal(&self) -> Address {
        match &self.at {
            At::Folder(dir) => Address::File(dir.join(JOURNAL)),
            At::Server(place) => Address::Server(Box::new(place.journal.clone())),
        }
    }

    pub(crate) fn keys(&self) -> Address {
        match &self.at {
            At::Folder(dir) => Address::File(dir.join(KEYS)),
            At::Server(place) => Address::Server(Box::new(place.keys.clone())),
        }
    }

    /// Accounts lie in a file of their own, or beside the keys.
    pub(crate) fn accounts(&self) -> Address {
        match &self.at {
            At::Folder(dir) => Address::File(dir.join(ACCOUNTS)),
            At::Server(_) => self.keys(),
        }
    }

    pub(crate) fn blobs(&self) -> Result<Blobs, StoreError> {
        match &self.at {
            At::Folder(dir) => Ok(Blobs::new(dir.join(BLOBS))),
            At::Server(place) => match &place.blobs {
                Some(blobs) => Blobs::at(blobs),
                None => Ok(Blobs::new(place.home.join(BLOBS))),
            },
        }
    }

    /// Looks whether there is a desk. A folder of something else is an error, and so is one that may not be looked into.
    pub(crate) async fn look(&self) -> Result<Found, StoreError> {
        match &self.at {
            At::Folder(dir) => folder::look(dir),
            At::Server(_) => {
                let mut journal = Database::connect(&self.journal(), Faults::default()).await?;
                // Tables without a head were left by a maker that ended.
                let found = match journal.has_tables(Kind::Journal).await?
                    && !journal.heads().await?.is_empty()
                {
                    true => Found::Desk,
                    false => Found::Nothing,
                };
                journal.close().await?;
                Ok(found)
            }
        }
    }

    /// Puts the secrets of a new desk in their place, and the files of its databases.
    pub(crate) fn prepare(&self, secrets: &[(&str, Vec<u8>)]) -> Result<(), StoreError> {
        self.make_room()?;
        self.prepare_journal()?;
        self.prepare_keys()?;
        for (name, bytes) in secrets {
            folder::create_file(&self.home().join(name), bytes)?;
        }
        folder::sync_dir(self.home())
    }

    /// Becomes the only one who makes a desk in a server's database, until the connection is closed.
    pub(crate) async fn hold_making(&self) -> Result<Database, StoreError> {
        let mut journal = Database::connect(&self.journal(), Faults::default()).await?;
        journal.lock_making(Kind::Journal).await?;
        Ok(journal)
    }

    /// Refuses to make a desk beside the secrets of another: two logs of one name and key would be a fork.
    pub(crate) fn check_home(&self) -> Result<(), StoreError> {
        let home = self.home();
        match folder::is_there(&home.join(KEK))? || folder::is_there(&home.join(LOG_KEY))? {
            true => Err(StoreError::HomeTaken {
                home: home.to_owned(),
                path: self.shown(),
            }),
            false => Ok(()),
        }
    }

    /// Makes the home folder, if it is not there.
    pub(crate) fn make_room(&self) -> Result<(), StoreError> {
        match self.home().is_dir() {
            true => Ok(()),
            false => folder::create_dir(self.home()),
        }
    }

    /// Makes what a new database for the journal needs, and the folder of blobs.
    pub(crate) fn prepare_journal(&self) -> Result<(), StoreError> {
        let home = self.home();
        if let At::Folder(_) = self.at {
            folder::create_file(&home.join(JOURNAL), &[])?;
        }
        let named = match &self.at {
            At::Server(place) => place.blobs.as_ref(),
            At::Folder(_) => None,
        };
        if !matches!(self.blobs()?, Blobs::S3(_)) {
            let blobs = named.map_or_else(|| home.join(BLOBS), PathBuf::from);
            if !folder::is_there(&blobs)? {
                folder::create_dir(&blobs)?;
                folder::sync_dir(folder::parent(&blobs))?;
            }
        }
        folder::sync_dir(home)
    }

    /// Makes what a new database for the keys needs.
    pub(crate) fn prepare_keys(&self) -> Result<(), StoreError> {
        match &self.at {
            At::Folder(dir) => folder::create_file(&dir.join(KEYS), &[]),
            At::Server(_) => Ok(()),
        }
    }

    /// Whether the key-encryption key and the log's key are there.
    pub(crate) fn has_secrets(&self) -> Result<bool, StoreError> {
        Ok(folder::is_there(&self.home().join(KEK))?
            && folder::is_there(&self.home().join(LOG_KEY))?)
    }

    /// Puts the journal that is there aside, so that another one can take its place.
    pub(crate) async fn set_aside(&self) -> Result<(), StoreError> {
        match &self.at {
            At::Folder(dir) => {
                // One of the two alone: an interrupted restore.
                if !folder::is_there(&dir.join(JOURNAL))? && !folder::is_there(&dir.join(BLOBS))? {
                    return Ok(());
                }
                // Whatever its write-ahead file holds goes into it first.
                let opened =
                    Database::look(&self.journal(), Kind::Journal, Faults::default()).await;
                if let Ok((database, _)) = opened {
                    database.close().await?;
                }
                let aside = (1..)
                    .map(|number: u32| dir.join(format!("before-restore-{number}")))
                    .find(|path| !path.exists())
                    .unwrap_or_else(|| dir.join("before-restore"));
                folder::create_dir(&aside)?;
                for name in [
                    JOURNAL,
                    "journal.db-wal",
                    "journal.db-shm",
                    "journal.db-journal",
                    BLOBS,
                ] {
                    let path = dir.join(name);
                    if folder::is_there(&path)? {
                        std::fs::rename(&path, aside.join(name))
                            .map_err(|error| StoreError::io(&path, error))?;
                    }
                }
                folder::sync_dir(&aside)?;
                folder::sync_dir(dir)
            }
            At::Server(place) => {
                let mut journal = Database::connect(&self.journal(), Faults::default()).await?;
                let has_desk =
                    journal.has_tables(Kind::Journal).await? && !journal.heads().await?.is_empty();
                journal.close().await?;
                match has_desk {
                    false => Ok(()),
                    true => Err(StoreError::Exists {
                        path: PathBuf::from(&place.journal.shown),
                    }),
                }
            }
        }
    }
}

/// A server's address and the name of its database.
fn server(text: &str) -> Result<(Server, String), StoreError> {
    let wrong = |reason: &str| StoreError::Address {
        // The address may hold a password.
        reason: reason.to_owned(),
    };
    let options = PgConnectOptions::from_str(text)
        .map_err(|_| wrong("it is not of the form postgres://user@host:port/database"))?;
    let database = options
        .get_database()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| wrong("it names no database"))?
        .to_owned();
    let shown = format!(
        "postgres://{}:{}/{database}",
        options.get_host(),
        options.get_port()
    );
    let mut options = options.application_name("alnager").options([
        // A server that froze while it held the head must not hold up the others for ever.
        ("lock_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "60s"),
    ]);
    let host = options.get_host();
    let is_near = host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host);
    // Not the whole address: a password may hold anything.
    let query = text.split_once('?').map_or("", |(_, query)| query);
    if !is_near && !query.contains("sslmode=") && !query.contains("ssl-mode=") {
        // Never in plain text over a network unless the address says so.
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    Ok((Server { options, shown }, database))
}
