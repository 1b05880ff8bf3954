//! The audit lab's bench: files that were uploaded, what is asked of them, and what came out. Nothing here outlives the server.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alnager_work::error::JobError;
use serde_json::Value;

use crate::folder::Folder;
use crate::refusal::Refusal;

/// How long an upload is kept after it was last looked at.
const KEPT: Duration = Duration::from_secs(3_600);

/// Most uploads kept at once for a person.
const UPLOADS_MAX: usize = 5;

/// The files that are being audited.
pub struct Lab {
    folder: Folder,
    uploads: Mutex<HashMap<String, Upload>>,
}

/// A file that somebody uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Who.
    pub person: String,
    /// Its name, as it was called.
    pub name: String,
    /// What its columns hold, as `alnager audit columns` says it.
    pub columns: Arc<Value>,
    /// What is asked of it, and what came out.
    pub run: Option<Run>,
    seen: Instant,
}

/// An audit under way, or done.
#[derive(Debug, Clone)]
pub struct Run {
    /// The command that does the same.
    pub command: String,
    /// How it stands.
    pub outcome: Outcome,
}

/// How an audit stands.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is measuring: how far, and of how much.
    Measuring(u64, u64),
    /// What came out, as `alnager audit fairness` says it.
    Done(Arc<Value>),
    /// What went wrong.
    Failed(Refusal),
}

impl Lab {
    /// An empty one.
    pub fn open() -> Result<Lab, JobError> {
        Ok(Lab {
            folder: Folder::new()?,
            uploads: Mutex::default(),
        })
    }

    /// The folder of an upload.
    pub fn folder(&self, id: &str) -> PathBuf {
        self.folder.path().join(id)
    }

    /// Keeps an upload, and lets go of what nobody has looked at for long.
    pub fn keep(&self, id: &str, person: &str, name: &str, columns: Value) {
        let mut uploads = self.uploads();
        let mut own: Vec<(Instant, String)> = uploads
            .iter()
            .filter(|(_, upload)| upload.person == person)
            .map(|(id, upload)| (upload.seen, id.clone()))
            .collect();
        own.sort();
        let many = own.len().saturating_sub(UPLOADS_MAX - 1);
        let old = uploads
            .iter()
            .filter(|(_, upload)| upload.seen.elapsed() > KEPT)
            .map(|(id, _)| id.clone());
        let gone: Vec<String> = old
            .chain(own.into_iter().take(many).map(|(_, id)| id))
            .collect();
        for id in gone {
            uploads.remove(&id);
            remove(&self.folder(&id));
        }
        let upload = Upload {
            person: person.to_owned(),
            name: name.to_owned(),
            columns: Arc::new(columns),
            run: None,
            seen: Instant::now(),
        };
        uploads.insert(id.to_owned(), upload);
    }

    /// An upload of a person; another's is not there.
    pub fn upload(&self, id: &str, person: &str) -> Option<Upload> {
        let mut uploads = self.uploads();
        let upload = uploads
            .get_mut(id)
            .filter(|upload| upload.person == person)?;
        upload.seen = Instant::now();
        Some(upload.clone())
    }

    /// Notes how the audit of an upload stands.
    pub fn note(&self, id: &str, run: Run) {
        if let Some(upload) = self.uploads().get_mut(id) {
            upload.run = Some(run);
        }
    }

    /// Notes how far the audit of an upload is.
    pub fn progress(&self, id: &str, done: u64, total: u64) {
        if let Some(Run { outcome, .. }) = self
            .uploads()
            .get_mut(id)
            .and_then(|upload| upload.run.as_mut())
        {
            *outcome = Outcome::Measuring(done, total);
        }
    }

    /// Lets go of an upload that cannot be used.
    pub fn forget(&self, id: &str) {
        self.uploads().remove(id);
        remove(&self.folder(id));
    }

    fn uploads(&self) -> std::sync::MutexGuard<'_, HashMap<String, Upload>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(folder: &Path) {
    // What stays behind goes with the whole folder, when the server ends.
    let _ = std::fs::remove_dir_all(folder);
}
