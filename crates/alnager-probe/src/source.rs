//! Sources, and the door every file comes through.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::error::ProbeError;

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file; what its name ends in says the format: `.csv` or `.parquet`, in any case.
    File {
        /// Its path.
        path: PathBuf,
    },
}

/// The most bytes one record of a text file may have. A longer one is an error, found before it fills the memory.
pub const RECORD_BYTES_MAX: u64 = 16 << 20;

/// How far a measurement is.
///
/// A CSV file is hashed while it is counted (bytes); a Parquet file is hashed first (bytes), then counted (rows).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Done so far, at most `total`.
    pub done: u64,
    /// All there is to do.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
}

/// What [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of the file.
    Bytes,
    /// Rows of the table.
    Rows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Parquet,
}

/// A file that is there, can be read, and is what its name says.
pub(crate) struct Opened {
    /// The path as messages show it.
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) n_bytes: u64,
    modified: Option<SystemTime>,
    file: File,
}

impl Opened {
    pub(crate) fn open(path: &Path) -> Result<Self, ProbeError> {
        let name = path.display().to_string();
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ProbeError::Absent { file: name.clone() },
            _ => ProbeError::Unreadable {
                file: name.clone(),
                source,
            },
        };
        let metadata = path.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(ProbeError::Directory { file: name });
        }
        // A pipe would be waited for, and could not be read a second time to find a line.
        if !metadata.is_file() {
            return Err(ProbeError::NotAFile { file: name });
        }
        let format = format(path, &name)?;
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.len() == 0 {
            return Err(ProbeError::Empty { file: name });
        }
        let mut head = Vec::new();
        Read::by_ref(&mut file)
            .take(4)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        match (format, head == b"PAR1") {
            (Format::Csv, true) => return Err(ProbeError::IsParquet { file: name }),
            (Format::Parquet, false) => return Err(ProbeError::IsNotParquet { file: name }),
            (Format::Csv, false) | (Format::Parquet, true) => {}
        }
        Ok(Opened {
            name,
            format,
            n_bytes: metadata.len(),
            modified: modified(&metadata),
            file,
        })
    }

    /// The file, to be read from its first byte.
    pub(crate) fn rewound(&self) -> Result<&File, ProbeError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))
            .map_err(|source| self.unreadable(source))?;
        Ok(file)
    }

    pub(crate) fn unreadable(&self, source: io::Error) -> ProbeError {
        ProbeError::Unreadable {
            file: self.name.clone(),
            source,
        }
    }

    /// Refuses a file that was written to since it was opened: hash and counts might belong to different bytes.
    pub(crate) fn unchanged(&self) -> Result<(), ProbeError> {
        let now = self
            .file
            .metadata()
            .map_err(|source| self.unreadable(source))?;
        if now.len() == self.n_bytes && modified(&now) == self.modified {
            Ok(())
        } else {
            Err(ProbeError::Changed {
                file: self.name.clone(),
            })
        }
    }

    /// SHA-256 of the whole file, hexadecimal, by a pass of its own.
    pub(crate) fn sha256(&self, progress: &dyn Fn(Progress)) -> Result<String, ProbeError> {
        let mut file = self.rewound()?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut done = 0;
        loop {
            let n = match file.read(&mut buffer) {
                Ok(0) => return Ok(hex(hash)),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unreadable(error)),
            };
            hash.update(&buffer[..n]);
            done += n as u64;
            progress(Progress {
                done: done.min(self.n_bytes),
                total: self.n_bytes,
                unit: Unit::Bytes,
            });
        }
    }
}

fn format(path: &Path, name: &str) -> Result<Format, ProbeError> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "csv" => Ok(Format::Csv),
        "parquet" => Ok(Format::Parquet),
        _ => Err(ProbeError::Unsupported {
            file: name.to_owned(),
            extension,
        }),
    }
}

fn modified(metadata: &Metadata) -> Option<SystemTime> {
    // Some file systems keep no times; the length is then all there is to compare.
    metadata.modified().ok()
}

pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
