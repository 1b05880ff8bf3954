//! A witness's folder: its key, the logs it knows, and the latest checkpoint it cosigned of each.
//!
//! ```text
//! witness.key                     the secret key, mode 0600
//! logs.policy                     the keys of the logs it cosigns: `log VKEY` lines of a tlog-policy
//! logs/<hex>/checkpoint           by the SHA-256 of the log's origin: the latest checkpoint it cosigned, with its cosignature
//! serve.lock, add.lock            empty; locked while a witness serves, or while a log is added
//! ```
//!
//! The folder is the witness's memory. An older copy of it put back would cosign a second history.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::Hash;
use alnager_journal::note::{KeyKind, Signature, SigningKey, VerifyingKey};
use alnager_journal::policy::Policy;
use alnager_journal::witness::{self, AHEAD_S_MAX, Held, Refusal, Request};

use crate::error::JobError;
use crate::files::{put_durably, read_bytes, sync_folder};
use crate::law::pack;
use crate::verify::with_causes;

const KEY: &str = "witness.key";
const LOGS: &str = "logs.policy";
const STATES: &str = "logs";
const CHECKPOINT: &str = "checkpoint";

/// Longest file of the folder that is read, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A witness that may cosign: it alone holds its folder.
#[derive(Debug)]
pub struct Witness {
    dir: PathBuf,
    key: SigningKey,
    /// Held from reading what was cosigned last until the next is on disk.
    one_by_one: Mutex<()>,
    /// Keeps other processes out while it is open.
    _lock: File,
}

/// A log that a witness knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLog {
    /// Its key.
    pub key: VerifyingKey,
    /// The size and instant (seconds since 1970-01-01 UTC) of the latest checkpoint cosigned for its origin; `None` without one.
    pub latest: Option<(u64, u64)>,
}

/// Makes a witness's folder with a new key; gives the key its cosignatures are checked with.
pub fn init(dir: &Path, name: &str) -> Result<VerifyingKey, JobError> {
    let file = dir.join(KEY);
    if file.symlink_metadata().is_ok() {
        return Err(JobError::Input(format!(
            "`{}` is a witness's folder already; its key is never overwritten, name another folder",
            dir.display()
        )));
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir.join(STATES))
        .map_err(|source| failed(dir, "cannot be made; name another folder", source))?;
    // The key comes last: a folder with a key is complete.
    put_durably(&dir.join(LOGS), with_log("", None).as_bytes())?;
    pack::keygen(name, &file)?;
    sync_folder(dir).map_err(|source| failed(dir, "cannot be written", source))?;
    Ok(secret(dir)?.verifying_key(KeyKind::Cosignature))
}

/// Adds a log's key to those a witness cosigns for; gives the key, and whether it is new. A witness that serves knows it at once.
pub fn add(dir: &Path, log: &str) -> Result<(VerifyingKey, bool), JobError> {
    let own = secret(dir)?;
    let log = VerifyingKey::parse(log).map_err(|error| JobError::Input(with_causes(&error)))?;
    if log.kind() != KeyKind::Ed25519 {
        return Err(JobError::Input(
            "this is the key of a witness; give the key of the log, which `alnager desk key` prints".to_owned(),
        ));
    }
    if log.to_bytes() == own.verifying_key(KeyKind::Ed25519).to_bytes() {
        return Err(JobError::Input(
            "this is the witness's own key; a witness must use a key that signs nothing else"
                .to_owned(),
        ));
    }
    let _lock = lock(dir, "add.lock")?;
    let text = read(&dir.join(LOGS))?;
    if logs(dir)?.contains(&log) {
        return Ok((log, false));
    }
    let text = with_log(&text, Some(&log));
    Policy::parse(text.as_bytes()).map_err(|error| {
        JobError::Input(format!(
            "`{}`: {}",
            dir.join(LOGS).display(),
            with_causes(&error)
        ))
    })?;
    put_durably(&dir.join(LOGS), text.as_bytes())?;
    Ok((log, true))
}

/// The witness's key, and the logs it knows, in the order they were added. Also while it serves.
pub fn list(dir: &Path) -> Result<(VerifyingKey, Vec<KnownLog>), JobError> {
    let key = secret(dir)?.verifying_key(KeyKind::Cosignature);
    let known = logs(dir)?.into_iter().map(|log| {
        let latest = latest(dir, log.name(), &key)?;
        Ok(KnownLog {
            latest: latest.map(|(held, unix_s, _)| (held.size, unix_s)),
            key: log,
        })
    });
    let known = known.collect::<Result<_, JobError>>()?;
    Ok((key, known))
}

impl Witness {
    /// Takes the folder, until the value is dropped. Everything it has cosigned is read and checked.
    pub fn open(dir: &Path) -> Result<Witness, JobError> {
        let key = secret(dir)?;
        let lock = try_lock(dir)?;
        list(dir)?;
        Ok(Witness {
            dir: dir.to_owned(),
            key,
            one_by_one: Mutex::new(()),
            _lock: lock,
        })
    }

    /// The key its cosignatures are checked with.
    pub fn key(&self) -> VerifyingKey {
        self.key.verifying_key(KeyKind::Cosignature)
    }

    /// Answers one request: what is cosigned is on disk when this returns. `now_s` is in seconds since 1970-01-01 UTC.
    ///
    /// An error means that no cosignature was made, though the checkpoint may be on disk: the sender is then told so when it asks
    /// again.
    pub fn add_checkpoint(
        &self,
        body: &[u8],
        now_s: u64,
    ) -> Result<Result<Cosigned, Refusal>, JobError> {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error.into())),
        };
        let logs = logs(&self.dir)?;
        let origin = request.checkpoint.checkpoint().origin();
        // What counts is on disk, so a thread that panicked has left nothing half-done in memory.
        let _one = self
            .one_by_one
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let latest = latest(&self.dir, origin, &self.key())?;
        let (held, before_s) = latest.map_or((Held::nothing(), 0), |(held, at, _)| (held, at));
        let accepted = match witness::judge(&request, &logs, held) {
            Ok(accepted) => accepted,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // A cosignature says what is the largest tree as of its instant, so instants never go back.
        let unix_s = now_s.max(before_s);
        if unix_s > now_s.saturating_add(AHEAD_S_MAX) {
            return Err(JobError::Internal(format!(
                "the clock shows {now_s} s since 1970-01-01 UTC, earlier than the last cosignature at {before_s} s; set it right"
            )));
        }
        let line = self.key.cosign(accepted.note.text(), unix_s);
        let cosigned = accepted.note.with(vec![line.clone()]);
        let cosigned = cosigned.map_err(|error| JobError::Internal(with_causes(&error)))?;
        self.keep(origin, cosigned.to_string().as_bytes())?;
        Ok(Ok(Cosigned {
            origin: origin.to_owned(),
            size: accepted.held.size,
            line,
        }))
    }

    /// The latest cosigned checkpoint of the log whose origin has this SHA-256 in lower-case hexadecimal digits; `None` without one.
    pub fn checkpoint(&self, origin_sha256: &str) -> Result<Option<String>, JobError> {
        let logs = logs(&self.dir)?;
        let log = logs
            .iter()
            .find(|log| Hash::of(log.name().as_bytes()).to_string() == origin_sha256);
        let Some(log) = log else {
            return Ok(None);
        };
        let latest = latest(&self.dir, log.name(), &self.key())?;
        Ok(latest.map(|(_, _, checkpoint)| checkpoint.to_string()))
    }

    fn keep(&self, origin: &str, bytes: &[u8]) -> Result<(), JobError> {
        let states = self.dir.join(STATES);
        let folder = state_of(&self.dir, origin);
        match std::fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed(&folder, "cannot be made", source)),
        }
        sync_folder(&states).map_err(|source| failed(&states, "cannot be written", source))?;
        put_durably(&folder.join(CHECKPOINT), bytes)
    }
}

/// What a witness has cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The log.
    pub origin: String,
    /// Its number of entries.
    pub size: u64,
    /// The cosignature.
    pub line: Signature,
}

fn secret(dir: &Path) -> Result<SigningKey, JobError> {
    let file = dir.join(KEY);
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(JobError::Input(format!(
            "there is no witness in `{}`; `alnager witness init DIR --name NAME` makes one",
            dir.display()
        ))),
        _ => pack::signing_key(&file),
    }
}

fn logs(dir: &Path) -> Result<Vec<VerifyingKey>, JobError> {
    let file = dir.join(LOGS);
    let policy = Policy::parse(read(&file)?.as_bytes()).map_err(|error| {
        JobError::Input(format!("`{}`: {}", file.display(), with_causes(&error)))
    })?;
    Ok(policy.logs().to_vec())
}

/// The text with one more log, before its last line.
fn with_log(text: &str, log: Option<&VerifyingKey>) -> String {
    const LAST: &str = "quorum none\n";
    let before = match text.is_empty() {
        true => "# The logs this witness cosigns, as `alnager witness add` writes them.\n",
        false => text.strip_suffix(LAST).unwrap_or(text),
    };
    let line = log.map_or(String::new(), |log| format!("log {log}\n"));
    format!("{before}{line}{LAST}")
}

/// Where the state of a log lies. The name is a hash, so no origin leads out of the folder.
fn state_of(dir: &Path, origin: &str) -> PathBuf {
    dir.join(STATES)
        .join(Hash::of(origin.as_bytes()).to_string())
}

/// What was cosigned last of a log, when, and the checkpoint with the cosignature. A file that this witness did not write is an
/// error: who could go on from there could cosign a second history.
fn latest(
    dir: &Path,
    origin: &str,
    key: &VerifyingKey,
) -> Result<Option<(Held, u64, SignedCheckpoint)>, JobError> {
    let file = state_of(dir, origin).join(CHECKPOINT);
    let text = match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => read(&file)?,
    };
    let damaged = || {
        JobError::Input(format!(
            "`{}` is not what this witness wrote; nothing is cosigned until the file is put back as it was",
            file.display()
        ))
    };
    let signed = SignedCheckpoint::parse(text.as_bytes()).map_err(|_| damaged())?;
    let checked = signed.note().verify(std::slice::from_ref(key));
    let unix_s = checked
        .map_err(|_| damaged())?
        .iter()
        .filter_map(|by| by.unix_s)
        .max();
    let unix_s = unix_s.filter(|_| signed.checkpoint().origin() == origin);
    let unix_s = unix_s.ok_or_else(damaged)?;
    Ok(Some((Held::of(signed.checkpoint()), unix_s, signed)))
}

fn read(file: &Path) -> Result<String, JobError> {
    let bytes = read_bytes(file, FILE_BYTES_MAX, "cannot be read")?;
    String::from_utf8(bytes)
        .map_err(|_| JobError::Input(format!("`{}` is not UTF-8 text", file.display())))
}

fn lock(dir: &Path, name: &str) -> Result<File, JobError> {
    let path = dir.join(name);
    let file = File::create(&path).and_then(|file| file.lock().map(|()| file));
    file.map_err(|source| failed(&path, "cannot be locked", source))
}

fn try_lock(dir: &Path) -> Result<File, JobError> {
    let path = dir.join("serve.lock");
    let file = File::create(&path).map_err(|source| failed(&path, "cannot be made", source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JobError::Input(format!(
            "a witness serves from `{}` already; stop it first, two could cosign two histories",
            dir.display()
        ))),
        Err(TryLockError::Error(source)) => Err(failed(&path, "cannot be locked", source)),
    }
}

fn failed(path: &Path, doing: &'static str, source: io::Error) -> JobError {
    JobError::File {
        path: path.to_owned(),
        doing,
        source,
        is_input: false,
    }
}
