//! What the environment says about the desk: where its parts lie, what opens its secrets, and who asks a server.

use std::env;
use std::path::PathBuf;

use alnager_store::{Place, Settings, Unlock};
use alnager_work::error::JobError;

/// Address of the database of keys and guard, where the desk is on PostgreSQL.
const KEYS: &str = "ALNAGER_KEYS";
/// The folder of the secrets, where the desk is on PostgreSQL.
const HOME: &str = "ALNAGER_HOME";
/// Where blobs lie, where the desk is on PostgreSQL: a folder, or `s3://bucket/prefix?…`.
const BLOBS: &str = "ALNAGER_BLOBS";
/// A file whose first line is the passphrase.
const PASSPHRASE_FILE: &str = "ALNAGER_PASSPHRASE_FILE";
/// A key of 32 bytes, in base64.
const KEK: &str = "ALNAGER_KEK";

/// A token for a server.
const TOKEN: &str = "ALNAGER_TOKEN";
/// A file with the certificates of a private authority, in PEM.
const CA_FILE: &str = "ALNAGER_CA_FILE";

/// The token for a server.
pub(crate) fn token() -> Result<Option<String>, JobError> {
    Ok(text(TOKEN)?.filter(|token| !token.trim().is_empty()))
}

/// The certificates of a private authority that certifies a server.
pub(crate) fn certificates() -> Result<Option<Vec<u8>>, JobError> {
    let Some(path) = env::var_os(CA_FILE) else {
        return Ok(None);
    };
    let read = std::fs::read(&path);
    let wrong = |error| {
        JobError::Input(format!(
            "{CA_FILE}: `{}` cannot be read: {error}",
            PathBuf::from(&path).display()
        ))
    };
    read.map(Some).map_err(wrong)
}

/// The place that `--desk` names.
pub(crate) fn place(desk: &str) -> Result<Place, JobError> {
    let settings = Settings {
        keys: text(KEYS)?,
        home: env::var_os(HOME).map(PathBuf::from),
        blobs: text(BLOBS)?,
        unlock: unlock()?,
    };
    Ok(Place::parse(desk, &settings)?)
}

fn unlock() -> Result<Unlock, JobError> {
    match (env::var_os(PASSPHRASE_FILE), text(KEK)?) {
        (Some(_), Some(_)) => Err(JobError::Input(format!(
            "both {PASSPHRASE_FILE} and {KEK} are set; set the one that seals this desk"
        ))),
        (Some(path), None) => Ok(Unlock::passphrase_file(&PathBuf::from(path))?),
        (None, Some(key)) => Unlock::key(&key).ok_or_else(|| {
            // Never the value itself.
            JobError::Input(format!("{KEK} is not 32 bytes in base64"))
        }),
        (None, None) => Ok(Unlock::Open),
    }
}

fn text(name: &str) -> Result<Option<String>, JobError> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(JobError::Input(format!("{name} is not text"))),
    }
}
