//! Blobs on disk: sealed bytes under the hash of themselves.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use alnager_journal::merkle::Hash;

use crate::error::StoreError;
use crate::folder::{create_dir, create_file, sync_dir};
use crate::entropy::random;

/// How a file that is being written is named; one left behind was never referred to.
const UNFINISHED: &str = "unfinished-";

/// The folder of blobs.
pub(crate) struct Blobs {
    root: PathBuf,
}

impl Blobs {
    pub(crate) fn new(root: PathBuf) -> Blobs {
        Blobs { root }
    }

    /// Writes sealed bytes durably, each under its hash; to be called before anything refers to them.
    pub(crate) fn write(&self, sealed: &[Vec<u8>]) -> Result<(), StoreError> {
        let mut folders = BTreeSet::new();
        for bytes in sealed {
            let path = self.path(Hash::of(bytes));
            self.write_one(&path, bytes)?;
            folders.insert(folder(&path).to_owned());
        }
        folders.iter().try_for_each(|folder| sync_dir(folder))?;
        // The folder itself may be new, made by this process or by one that ended.
        if folders.is_empty() {
            Ok(())
        } else {
            sync_dir(&self.root)
        }
    }

    fn write_one(&self, path: &Path, sealed: &[u8]) -> Result<(), StoreError> {
        match create_dir(folder(path)) {
            Ok(()) => {}
            Err(_) if folder(path).is_dir() => {}
            Err(error) => return Err(error),
        }
        let suffix = Hash::of(&random::<32>()?);
        let unfinished = self.root.join(format!("{UNFINISHED}{suffix}"));
        let written = create_file(&unfinished, sealed).and_then(|()| {
            fs::rename(&unfinished, path).map_err(|error| StoreError::io(path, error))
        });
        if written.is_err() {
            // The first failure is the one to tell; an unfinished file does no harm.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// The sealed bytes of this name; `None` when there is no such file. The bytes are not checked against the name.
    pub(crate) fn read(&self, name: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(&path, error)),
        }
    }

    /// Removes a file durably; one that is not there is removed.
    pub(crate) fn remove(&self, name: Hash) -> Result<(), StoreError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => sync_dir(folder(&path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io(&path, error)),
        }
    }

    /// Number of files that are none of `known`: left by a commit that did not happen.
    pub(crate) fn count_orphans(&self, is_known: impl Fn(Hash) -> bool) -> Result<u64, StoreError> {
        let mut orphans = 0;
        for found in self.files()? {
            let known = Hash::from_hex(&found.file_name().unwrap_or_default().to_string_lossy())
                .is_some_and(&is_known);
            orphans += u64::from(!known);
        }
        Ok(orphans)
    }

    fn files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut files = Vec::new();
        for path in list(&self.root)? {
            if path.is_dir() {
                files.extend(list(&path)?);
            } else {
                files.push(path);
            }
        }
        Ok(files)
    }

    fn path(&self, name: Hash) -> PathBuf {
        let name = name.to_string();
        self.root.join(&name[..2]).join(&name)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let paths = fs::read_dir(dir).and_then(|found| {
        found
            .map(|file| Ok(file?.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    paths.map_err(|error| StoreError::io(dir, error))
}
