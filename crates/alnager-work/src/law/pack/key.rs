//! Keys that sign packs, audits and cosignatures: made, kept in files for their owner alone, read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use alnager_journal::note::{SigningKey, VerifyingKey};

use super::signed::KEY_KIND;
use crate::error::JobError;
use crate::files::read_text;

/// Makes a key that signs packs or audits, or cosigns, and writes it to a new file that only its owner may read. Gives the key it is verified with.
pub fn keygen(name: &str, file: &Path) -> Result<VerifyingKey, JobError> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(|error| {
        JobError::Internal(format!("the system gives no random numbers: {error}"))
    })?;
    let wrong = |error| JobError::Input(format!("`{name}` cannot name a key: {error}"));
    let key = SigningKey::new(name, &seed).map_err(wrong)?;
    let text = format!("{}\n", key.to_secret_text());
    create(file, text.as_bytes()).map_err(|source| JobError::File {
        path: file.to_owned(),
        doing: match source.kind() {
            io::ErrorKind::AlreadyExists => {
                "is there already, and a key is never overwritten; name another file"
            }
            _ => "cannot be written; name another file",
        },
        is_input: true,
        source,
    })?;
    Ok(key.verifying_key(KEY_KIND))
}

/// Reads a key that signs packs or audits, or cosigns. A file that others may read is refused: whoever reads it can sign.
pub fn signing_key(file: &Path) -> Result<SigningKey, JobError> {
    if is_open_to_others(file)? {
        return Err(JobError::Input(format!(
            "others than its owner may read `{0}`, so the key in it may have been copied; make a new one, or, if you are sure it was not, take the right away with `chmod 600 {0}`",
            file.display()
        )));
    }
    let text = read_text(file)?;
    let wrong = || {
        JobError::Input(format!(
            "`{}` holds no secret key; make one with `alnager law pack keygen` to sign packs, with `alnager audit key` to sign audits, or with `alnager witness init` to witness logs",
            file.display()
        ))
    };
    SigningKey::parse(text.trim_end()).map_err(|_| wrong())
}

fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn is_open_to_others(path: &Path) -> Result<bool, JobError> {
    let metadata = File::open(path).and_then(|file| file.metadata());
    let metadata = metadata.map_err(|source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be read; name the file of a secret key",
        source,
        is_input: true,
    })?;
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
