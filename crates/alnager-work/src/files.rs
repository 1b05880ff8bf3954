//! Files: read with a bound, written whole.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::JobError;
use crate::library::hex;

/// Longest declaration, in bytes.
pub const DECLARATION_BYTES_MAX: u64 = 4 << 20;

/// Longest document offered as evidence, in bytes.
pub const EVIDENCE_BYTES_MAX: u64 = 64 << 20;

/// Longest dossier, in bytes.
pub const DOSSIER_BYTES_MAX: u64 = 256 << 20;

/// Reads a file of at most `max` bytes; anything but a plain file (a folder, a pipe, a device) is refused.
pub fn read_bytes(path: &Path, max: u64, doing: &'static str) -> Result<Vec<u8>, JobError> {
    let error = |source| JobError::File {
        path: path.to_owned(),
        doing,
        source,
        is_input: true,
    };
    if !std::fs::metadata(path).map_err(error)?.is_file() {
        return Err(JobError::Input(format!(
            "`{}` is not a plain file; name one",
            path.display()
        )));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(error)?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > max {
        return Err(JobError::Input(format!(
            "`{}` is longer than {max} bytes, the most that is read",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Reads a text file written by a person; names the line where it is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, JobError> {
    let bytes = read_bytes(path, DECLARATION_BYTES_MAX, "cannot be read")?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        JobError::Input(format!(
            "{}, line {line}: this is not UTF-8 text (Latin-1, perhaps); save the file as UTF-8",
            path.display()
        ))
    })
}

/// The path of a document that must lie in the folder of its declaration: what is offered there is sealed and handed on, so a
/// declaration cannot reach for other files of the machine.
pub fn inside(folder: &Path, name: &str) -> Result<PathBuf, JobError> {
    let path = folder.join(name);
    let error = |source| JobError::File {
        path: path.clone(),
        doing: "cannot be read, though the declaration offers it as evidence; correct `file`, or add the document",
        source,
        is_input: true,
    };
    let found = path.canonicalize().map_err(error)?;
    let within = folder.canonicalize().map_err(error)?;
    if found.starts_with(&within) {
        return Ok(found);
    }
    Err(JobError::Input(format!(
        "`{name}` lies outside the folder of its declaration; copy it there, or submit it with `alnager evidence add`"
    )))
}

/// SHA-256 of a file of any length, hexadecimal.
pub fn sha256_of(path: &Path) -> Result<String, JobError> {
    let error = |source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be read; name the data file",
        source,
        is_input: true,
    };
    let mut file = File::open(path).map_err(error)?;
    let mut hash = Sha256::new();
    let mut part = vec![0_u8; 1 << 16];
    loop {
        let n = file.read(&mut part).map_err(error)?;
        if n == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&part[..n]);
    }
}

/// Makes sure, before anything is written, that no file of this name is there: neither a key nor a document is overwritten.
pub fn refuse_existing(path: &Path) -> Result<(), JobError> {
    // A link that leads nowhere is there as well.
    match path.symlink_metadata() {
        Ok(_) => Err(JobError::Input(format!(
            "`{}` is already there and is never overwritten; name a new file with --out",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(JobError::File {
            path: path.to_owned(),
            doing: "cannot be looked at; name another file with --out",
            source,
            is_input: true,
        }),
    }
}

/// Writes a file so that it appears whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), JobError> {
    put(path, |aside| std::fs::write(aside, bytes))
}

/// Writes a file so that it appears whole or not at all, and its bytes are on the disk. That its name lasts, the caller sees to
/// with [`sync_folder`], once for many files.
pub fn write_lasting(path: &Path, bytes: &[u8]) -> Result<(), JobError> {
    put(path, |aside| {
        let mut out = File::create(aside)?;
        out.write_all(bytes)?;
        out.sync_all()
    })
}

/// Like [`write_lasting`], and its name lasts too: a crash leaves what was there, or the new bytes whole.
pub(crate) fn put_durably(path: &Path, bytes: &[u8]) -> Result<(), JobError> {
    write_lasting(path, bytes)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    sync_folder(folder).map_err(|source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be made to last",
        source,
        is_input: false,
    })
}

fn put(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), JobError> {
    let error = |source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be written",
        source,
        is_input: false,
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(error)?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let aside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write(&aside).and_then(|()| std::fs::rename(&aside, path));
    written.map_err(|source| {
        // The half-written file is ours to remove; that it may already be gone does not matter.
        let _ = std::fs::remove_file(&aside);
        error(source)
    })
}

/// Replaces a file so that the new text is on the disk when this returns, and a crash leaves the old text or the new one whole.
/// A link is followed; the file's permissions stay.
pub fn replace_durably(path: &Path, bytes: &[u8]) -> Result<(), JobError> {
    let error = |source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be written; it is as it was",
        source,
        is_input: false,
    };
    let file = path.canonicalize().map_err(error)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let aside = folder.join(format!(
        ".{}.{}.tmp",
        name.unwrap_or_default(),
        std::process::id()
    ));
    let replaced = write_synced(&aside, &file, bytes).and_then(|()| std::fs::rename(&aside, &file));
    if let Err(source) = replaced {
        // The half-written file is ours to remove; that it may already be gone does not matter.
        let _ = std::fs::remove_file(&aside);
        return Err(error(source));
    }
    sync_folder(folder).map_err(error)
}

fn write_synced(aside: &Path, like: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut out = File::create(aside)?;
    out.set_permissions(std::fs::metadata(like)?.permissions())?;
    out.write_all(bytes)?;
    out.sync_all()
}

/// Makes the renames in a folder last.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the rename is then as durable as the system makes it.
#[cfg(not(unix))]
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
