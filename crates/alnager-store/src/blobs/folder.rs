//! Blobs in a folder: `7f/7f3a…`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use alnager_journal::merkle::Hash;

use crate::entropy::random;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{create_dir, create_file, sync_dir};

use super::Names;

/// How a file that is being written is named; one left behind was never referred to.
const UNFINISHED: &str = "unfinished-";

/// A folder of blobs.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    faults: Faults,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Folder {
        Folder {
            root,
            faults: Faults::default(),
        }
    }

    pub(super) fn with_faults(self, faults: Faults) -> Folder {
        Folder { faults, ..self }
    }

    pub(super) fn write(&self, sealed: &[Vec<u8>]) -> Result<(), StoreError> {
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
        let is_torn = self.faults.tears();
        let created = self
            .faults
            .write(sealed, |bytes| create_file(&unfinished, bytes));
        let written = created.and_then(|()| {
            fs::rename(&unfinished, path).map_err(|error| StoreError::io(path, error))
        });
        if written.is_err() && !is_torn {
            // The first failure is the one to tell; an unfinished file does no harm.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    pub(super) fn read(&self, name: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) if super::is_whole(name, &bytes) => Ok(Some(bytes)),
            Ok(_) => Err(StoreError::damaged(format!(
                "the file `{}` does not have the hash it is named by",
                path.display()
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(&path, error)),
        }
    }

    pub(super) fn remove(&self, name: Hash) -> Result<(), StoreError> {
        self.faults.step(|| Folder::remove_one(&self.path(name)))
    }

    fn remove_one(path: &Path) -> Result<(), StoreError> {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io(path, error)),
        }
        // Also where the file was gone: who removed it may have ended before this.
        match folder(path).is_dir() {
            true => sync_dir(folder(path)),
            false => Ok(()),
        }
    }

    pub(super) fn names(&self) -> Result<Names, StoreError> {
        let mut found = Names::default();
        for path in self.files()? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match Hash::from_hex(&name) {
                Some(name) if path == self.path(name) => found.names.push(name),
                _ => found.others += 1,
            }
        }
        Ok(found)
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
