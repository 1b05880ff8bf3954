//! Sources, and the door every file comes through.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::database::Database;
use crate::error::ProbeError;

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, a folder of files, or a pattern such as `data/2026-*.parquet`; many files are one table, in the order of their
    /// names. What a name ends in says the format, in any case: `.csv`, `.jsonl` or `.ndjson` (also with `.gz` or `.zst`
    /// behind it), `.parquet`, `.arrow`, `.feather`.
    Files {
        /// The path or pattern.
        path: PathBuf,
    },
    /// A table or query of a PostgreSQL server, which is asked for counts, never for rows.
    Database(Database),
}

/// The most bytes one record of a text file may have. A longer one is an error, found before it fills the memory.
pub const RECORD_BYTES_MAX: u64 = 16 << 20;

/// How far a measurement is.
///
/// A text file is hashed while it is counted (bytes); other files are hashed first (bytes), then counted (rows).
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
    /// Files of the source, where there are many.
    Files,
    /// What is computed from rows already read: rules, series.
    Steps,
    /// Rows that an endpoint has answered.
    Answers,
    /// Combinations of values that a database has counted; how many there will be is not known before.
    Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    JsonLines,
    Parquet,
    Arrow,
}

/// How a text file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;

impl Source {
    /// Where the rows are, as messages and stamps show it.
    pub(crate) fn name(&self) -> String {
        match self {
            Source::Files { path } => path.display().to_string(),
            Source::Database(database) => database.to_string(),
        }
    }

    /// The files of the source, sorted by path, and the folder their names are relative to, if they are many.
    pub(crate) fn files(&self) -> Result<(Vec<PathBuf>, Option<PathBuf>), ProbeError> {
        let name = self.name();
        let Source::Files { path } = self else {
            return Err(ProbeError::NeedsRows { name });
        };
        if path.is_dir() {
            let mut files = Vec::new();
            gather(path, &mut files)?;
            files.sort();
            if files.is_empty() {
                return Err(ProbeError::NoData { folder: name });
            }
            return Ok((files, Some(path.clone())));
        }
        if path.exists() || !name.contains(['*', '?', '[']) {
            return Ok((vec![path.clone()], None));
        }
        let found = glob::glob(&name).map_err(|source| ProbeError::Pattern {
            pattern: name.clone(),
            source,
        })?;
        let mut files: Vec<PathBuf> = Vec::new();
        for file in found {
            let file = file.map_err(|error| ProbeError::Unreadable {
                file: error.path().display().to_string(),
                source: error.into(),
            })?;
            if file.is_file() && !is_aside(&file) {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(ProbeError::NoMatch { pattern: name });
        }
        Ok((files, Some(shared_folder(path))))
    }
}

/// The part of a pattern before the first sign that stands for others.
fn shared_folder(pattern: &Path) -> PathBuf {
    let plain = |part: &std::path::Component<'_>| {
        !part.as_os_str().to_string_lossy().contains(['*', '?', '['])
    };
    pattern.components().take_while(plain).collect()
}

/// Whether a name begins with `.` or `_`: such files and folders are no data, by the custom of the tools that write tables.
fn is_aside(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']))
}

/// Whether a name is that of a data file.
pub(crate) fn is_data(path: &Path) -> bool {
    !is_aside(path) && format(path, "").is_ok()
}

/// The data files below a folder; files of other kinds are no data.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), ProbeError> {
    let unreadable = |source| ProbeError::Unreadable {
        file: folder.display().to_string(),
        source,
    };
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_aside(&path) {
            continue;
        }
        if path.is_dir() {
            gather(&path, files)?;
        } else if format(&path, "").is_ok() {
            files.push(path);
        }
    }
    Ok(())
}

/// A file that is there, can be read, and is what its name says.
pub(crate) struct Opened {
    /// The path as messages show it.
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) packing: Packing,
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
        // A pipe would be waited for, and could not be read a second time to find a line.
        if !metadata.is_file() {
            return Err(ProbeError::NotAFile { file: name });
        }
        let (format, packing) = format(path, &name)?;
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
            (Format::Csv | Format::JsonLines | Format::Arrow, true) => {
                return Err(ProbeError::IsParquet { file: name });
            }
            (Format::Parquet, false) => return Err(ProbeError::IsNotParquet { file: name }),
            (Format::Csv | Format::JsonLines | Format::Arrow, false) | (Format::Parquet, true) => {}
        }
        let is_packed = match packing {
            Packing::Plain => true,
            Packing::Gzip => head.starts_with(&[0x1f, 0x8b]),
            Packing::Zstd => head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]),
        };
        if !is_packed {
            return Err(ProbeError::IsNotPacked { file: name });
        }
        Ok(Opened {
            name,
            format,
            packing,
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

    /// What the file says, unpacked, from its first byte; what is read of the file itself is told to `watch`.
    pub(crate) fn unpacked<'f>(
        &'f self,
        watch: impl FnMut(&[u8]) + 'f,
    ) -> Result<Box<dyn Read + 'f>, ProbeError> {
        let watched = Watched {
            file: self.rewound()?,
            watch,
        };
        let unreadable = |source| self.unreadable(source);
        Ok(match self.packing {
            Packing::Plain => Box::new(watched),
            Packing::Gzip => {
                let packed = BufReader::with_capacity(BUFFER_BYTES, watched);
                Box::new(flate2::bufread::MultiGzDecoder::new(packed))
            }
            Packing::Zstd => Box::new(zstd::Decoder::new(watched).map_err(unreadable)?),
        })
    }

    pub(crate) fn unreadable(&self, source: io::Error) -> ProbeError {
        match self.packing {
            Packing::Plain => ProbeError::Unreadable {
                file: self.name.clone(),
                source,
            },
            Packing::Gzip | Packing::Zstd => ProbeError::Unpackable {
                file: self.name.clone(),
                source,
            },
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
        let mut buffer = vec![0; BUFFER_BYTES];
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

/// Reads a file and tells what it read.
struct Watched<'f, W: FnMut(&[u8])> {
    file: &'f File,
    watch: W,
}

impl<W: FnMut(&[u8])> Read for Watched<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        (self.watch)(&buffer[..n]);
        Ok(n)
    }
}

fn format(path: &Path, name: &str) -> Result<(Format, Packing), ProbeError> {
    let lower = |path: &Path| {
        path.extension()
            .map(|extension| extension.to_string_lossy().to_lowercase())
            .unwrap_or_default()
    };
    let last = lower(path);
    let (packing, extension) = match last.as_str() {
        "gz" => (Packing::Gzip, lower(Path::new(&path.with_extension("")))),
        "zst" => (Packing::Zstd, lower(Path::new(&path.with_extension("")))),
        _ => (Packing::Plain, last),
    };
    let format = match (extension.as_str(), packing) {
        ("csv", _) => Format::Csv,
        ("jsonl" | "ndjson", _) => Format::JsonLines,
        ("parquet", Packing::Plain) => Format::Parquet,
        ("arrow" | "feather" | "ipc", Packing::Plain) => Format::Arrow,
        _ => {
            return Err(ProbeError::Unsupported {
                file: name.to_owned(),
                extension: lower(path),
            });
        }
    };
    Ok((format, packing))
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
