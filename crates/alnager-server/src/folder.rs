//! Temporary folders: for what is uploaded, and for the demonstration.

use std::path::{Path, PathBuf};

use alnager_work::error::JobError;

use crate::secret::random;

/// A temporary folder, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one, that only this user may look into.
    pub fn new() -> Result<Folder, JobError> {
        let name = alnager_work::library::hex(&random::<8>()?);
        let path = std::env::temp_dir().join(format!("alnager-{name}"));
        let mut making = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut making, 0o700);
        making
            .create(&path)
            .map_err(|error| file_error(&path, error))?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What went wrong with a file of ours.
pub fn file_error(path: &Path, source: std::io::Error) -> JobError {
    JobError::File {
        path: path.to_owned(),
        doing: "cannot be written; free space, or name another folder with --desk",
        source,
        is_input: false,
    }
}
