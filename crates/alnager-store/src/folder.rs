//! The desk's folder: its files, their modes, and how a new one appears whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use alnager_journal::merkle::Hash;

use crate::entropy::random;
use crate::error::StoreError;

pub(crate) const JOURNAL: &str = "journal.db";
pub(crate) const KEYS: &str = "keys.db";
/// Accounts and whatever else is no part of the journal; there once somebody opened it.
pub(crate) const ACCOUNTS: &str = "accounts.db";
pub(crate) const LOG_KEY: &str = "log.key";
/// The seed of the key before, while both sign.
pub(crate) const LOG_KEY_OLD: &str = "log.key.old";
pub(crate) const KEK: &str = "kek";
pub(crate) const BLOBS: &str = "blobs";

/// What lies at a desk's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Desk,
    Nothing,
}

/// Looks whether there is a desk. A folder of something else is an error, and so is one that may not be looked into.
pub(crate) fn look(dir: &Path) -> Result<Found, StoreError> {
    let foreign = |reason| StoreError::Foreign {
        path: dir.to_owned(),
        reason,
    };
    match fs::metadata(dir.join(JOURNAL)) {
        Ok(journal) if journal.is_file() => return Ok(Found::Desk),
        Ok(_) => return Err(foreign("its `journal.db` is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(foreign("it is not a folder"));
        }
        Err(error) => return Err(StoreError::io(dir, error)),
    }
    match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(StoreError::io(dir, error)),
        Ok(mut files) => match files.next() {
            None => Ok(Found::Nothing),
            Some(_) => Err(foreign("it holds files but no `journal.db`")),
        },
    }
}

/// Creates a folder that only its owner may look into.
pub(crate) fn create_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(|error| StoreError::io(dir, error))
}

/// Writes a new file that only its owner may read, durably but for its name: see [`sync_dir`].
pub(crate) fn create_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| StoreError::io(path, error))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    // Other systems cannot open a folder; theirs make names durable by themselves.
    if cfg!(unix) {
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|error| StoreError::io(dir, error))?;
    }
    Ok(())
}

/// The most that a file of a secret may hold.
const SECRET_LEN_MAX: usize = 4_096;

/// Reads a secret: 32 bytes or a short text.
pub(crate) fn read_secret(path: &Path) -> Result<Vec<u8>, StoreError> {
    let name = || path.file_name().unwrap_or_default().display();
    match fs::read(path) {
        Ok(bytes) if bytes.len() < 32 || bytes.len() > SECRET_LEN_MAX => {
            let len = bytes.len();
            Err(StoreError::damaged(format!(
                "`{}` has `{len}` bytes, not 32",
                name()
            )))
        }
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::damaged_by(
            format!("`{}` is missing", name()),
            error,
        )),
        Err(error) => Err(StoreError::io(path, error)),
    }
}

/// Whether there is such a file.
pub(crate) fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists()
        .map_err(|error| StoreError::io(path, error))
}

/// The file that whoever holds a desk open has locked, shared.
const LOCK: &str = "lock";

/// Says that the desk is open here. `None` where no lock can be had: a disk that is read-only, or cannot lock.
pub(crate) fn share(home: &Path) -> Result<Option<File>, StoreError> {
    match lock_file(home) {
        Err(_) => Ok(None),
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                home: home.to_owned(),
            }),
            Err(TryLockError::Error(_)) => Ok(None),
        },
    }
}

/// Makes sure that the desk is open nowhere else on this machine while the file is held.
pub(crate) fn hold(home: &Path) -> Result<File, StoreError> {
    let file = lock_file(home)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            home: home.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::io(home, error)),
    }
}

fn lock_file(home: &Path) -> Result<File, StoreError> {
    let path = home.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&path)
        .map_err(|error| StoreError::io(&path, error))
}

/// Puts a file in the place of one of the same name, durably: whoever looks finds the one or the other.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let suffix = Hash::of(&random::<32>()?).to_string();
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{UNFINISHED}{}", &suffix[..16]));
    let unfinished = PathBuf::from(name);
    let written = create_file(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, path).map_err(|error| StoreError::io(path, error)));
    if written.is_err() {
        // The first failure is the one to tell; an unfinished file does no harm.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    sync_dir(parent(path))
}

/// Gives a file that is whole a second name, durably; where another one has that name already, that one stays.
pub(crate) fn link_file(whole: &Path, path: &Path) -> Result<(), StoreError> {
    match fs::hard_link(whole, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // Some disks have no second names. There two makers of the same moment are not kept apart.
        Err(_) if is_there(path)? => {}
        Err(_) => fs::rename(whole, path).map_err(|error| StoreError::io(path, error))?,
    }
    sync_dir(parent(path))
}

/// Removes a file durably; one that is not there is removed.
pub(crate) fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => sync_dir(parent(path)),
    }
}

/// Whether others than the owner may do anything with the file.
pub(crate) fn is_open_to_others(path: &Path) -> Result<bool, StoreError> {
    let metadata = fs::metadata(path).map_err(|error| StoreError::io(path, error))?;
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    // Other systems have no such mode; there the folder's own protection counts.
    #[cfg(not(unix))]
    let mode = {
        drop(metadata);
        0
    };
    Ok(mode & 0o077 != 0)
}

/// A desk in the making: a folder beside its place, removed when dropped unless it appeared.
///
/// It is locked while it exists. One that is not locked belongs to a process that ended; the next maker removes it.
pub(crate) struct Aside {
    path: PathBuf,
    place: PathBuf,
    appeared: bool,
    _lock: Option<File>,
}

impl Aside {
    /// Makes the folder `<place>.new-<16 hexadecimal digits>`.
    pub(crate) fn new(place: &Path) -> Result<Aside, StoreError> {
        let Some(name) = place.file_name() else {
            return Err(StoreError::Foreign {
                path: place.to_owned(),
                reason: "its path does not end in a name",
            });
        };
        let parent = parent(place);
        let locked = match File::open(parent) {
            Ok(parent) => parent,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoParent {
                    parent: parent.to_owned(),
                });
            }
            Err(error) => return Err(StoreError::io(parent, error)),
        };
        // Between making a folder and locking it, nobody else may sweep. Some network disks cannot lock a folder; there
        // nothing is ever swept, and what a killed process left stays behind.
        let can_lock = locked.lock().is_ok();
        if can_lock {
            sweep(parent, place)?;
        }
        let suffix = Hash::of(&random::<32>()?).to_string();
        let mut name = name.to_owned();
        name.push(format!("{ASIDE}{}", &suffix[..ASIDE_DIGITS]));
        let path = parent.join(name);
        create_dir(&path)?;
        let aside = |lock| Aside {
            path: path.clone(),
            place: place.to_owned(),
            appeared: false,
            _lock: lock,
        };
        if !can_lock {
            return Ok(aside(None));
        }
        let lock = File::open(&path)
            .and_then(|dir| dir.lock().map(|()| dir))
            .map_err(|error| StoreError::io(&path, error))?;
        Ok(aside(Some(lock)))
    }

    /// Where it lies until it appears.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it will appear.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Puts the folder in its place, durably. `false` when another desk was faster.
    pub(crate) fn appear(&mut self) -> Result<bool, StoreError> {
        sync_dir(&self.path)?;
        match fs::rename(&self.path, &self.place) {
            Ok(()) => {
                self.appeared = true;
                sync_dir(parent(&self.place))?;
                Ok(true)
            }
            Err(error) => match look(&self.place)? {
                Found::Desk => Ok(false),
                Found::Nothing => Err(StoreError::io(&self.place, error)),
            },
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.appeared {
            // Nobody is left to tell; what stays behind is swept by the next maker.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

const UNFINISHED: &str = ".unfinished-";
const ASIDE: &str = ".new-";
const ASIDE_DIGITS: usize = 16;

pub(crate) fn parent(place: &Path) -> &Path {
    match place.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Removes what makers that ended left beside `place`.
fn sweep(parent: &Path, place: &Path) -> Result<(), StoreError> {
    let name = place
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for found in fs::read_dir(parent).map_err(|error| StoreError::io(parent, error))? {
        let path = found.map_err(|error| StoreError::io(parent, error))?.path();
        let file_name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let suffix = file_name
            .strip_prefix(&name)
            .and_then(|rest| rest.strip_prefix(ASIDE));
        if !suffix.is_some_and(|digits| {
            digits.len() == ASIDE_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }) {
            continue;
        }
        match File::open(&path).map(|dir| dir.try_lock().map(|()| dir)) {
            Ok(Ok(_lock)) => {
                fs::remove_dir_all(&path).map_err(|error| StoreError::io(&path, error))?
            }
            Ok(Err(TryLockError::WouldBlock)) => {}
            Ok(Err(TryLockError::Error(error))) => return Err(StoreError::io(&path, error)),
            // It appeared, or its maker removed it, in this moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io(&path, error)),
        }
    }
    Ok(())
}
