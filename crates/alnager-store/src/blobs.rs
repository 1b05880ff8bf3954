//! Blobs: sealed bytes under the hash of themselves, in a folder or in an object store.
//!
//! A blob never changes, so writing it twice is the same as once, and whoever reads it can tell whether it is whole.

mod folder;
mod s3;

use std::path::PathBuf;

use alnager_journal::merkle::Hash;

use crate::error::StoreError;
use crate::fault::Faults;

use folder::Folder;
use s3::S3;

pub use s3::ObjectStoreError;

/// Where the blobs of a desk lie. Its `Debug` form names the place and no secret.
#[derive(Debug)]
pub(crate) enum Blobs {
    Folder(Folder),
    S3(Box<S3>),
}

/// What lies in a place of blobs.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The names of all blobs, in order, each once.
    pub(crate) names: Vec<Hash>,
    /// Number of files or objects whose names are none of a blob.
    pub(crate) others: u64,
}

impl Blobs {
    /// The blobs in the folder `root`.
    pub(crate) fn new(root: PathBuf) -> Blobs {
        Blobs::Folder(Folder::new(root))
    }

    /// The same, with the faults of a test.
    pub(crate) fn with_faults(self, faults: Faults) -> Blobs {
        match self {
            Blobs::Folder(folder) => Blobs::Folder(folder.with_faults(faults)),
            s3 @ Blobs::S3(_) => s3,
        }
    }

    /// The blobs at a place a user wrote: `s3://bucket/prefix?endpoint=https://host:port&region=eu-central-1`, or a folder.
    /// Asks nobody yet; reads the credentials that the environment holds or names.
    pub(crate) fn at(place: &str) -> Result<Blobs, StoreError> {
        match place.starts_with(s3::SCHEME) {
            true => Ok(Blobs::S3(Box::new(S3::at(place, |name| {
                std::env::var_os(name)
            })?))),
            false => Ok(Blobs::new(PathBuf::from(place))),
        }
    }

    /// Writes sealed bytes durably, each under its hash; to be called before anything refers to them.
    pub(crate) fn write(&self, sealed: &[Vec<u8>]) -> Result<(), StoreError> {
        match self {
            Blobs::Folder(folder) => folder.write(sealed),
            Blobs::S3(s3) => s3.write(sealed),
        }
    }

    /// The sealed bytes of this name; `None` when there are none. Bytes that do not have the hash they are named by are
    /// [`StoreError::Damaged`].
    pub(crate) fn read(&self, name: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Blobs::Folder(folder) => folder.read(name),
            Blobs::S3(s3) => s3.read(name),
        }
    }

    /// Removes the blob of this name durably, with every older version that an object store keeps of it. That there is none
    /// is no error, so this can be repeated.
    pub(crate) fn remove(&self, name: Hash) -> Result<(), StoreError> {
        match self {
            Blobs::Folder(folder) => folder.remove(name),
            Blobs::S3(s3) => s3.remove(name),
        }
    }

    /// Everything that lies there.
    pub(crate) fn names(&self) -> Result<Names, StoreError> {
        let mut found = match self {
            Blobs::Folder(folder) => folder.names()?,
            Blobs::S3(s3) => s3.names()?,
        };
        found.names.sort_unstable();
        found.names.dedup();
        Ok(found)
    }

    /// Number of files or objects that are none of `is_known`: left by a commit that did not happen.
    pub(crate) fn count_orphans(&self, is_known: impl Fn(Hash) -> bool) -> Result<u64, StoreError> {
        let found = self.names()?;
        let unknown = found.names.iter().filter(|name| !is_known(**name));
        Ok(found.others + unknown.count() as u64)
    }
}

/// Whether these are the bytes that were written under `name`, not torn and not others.
fn is_whole(name: Hash, bytes: &[u8]) -> bool {
    Hash::of(bytes) == name
}

#[cfg(test)]
mod tests;
