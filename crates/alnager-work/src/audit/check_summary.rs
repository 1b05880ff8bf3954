//! Anyone's published summary of a bias audit, computed again.

use std::path::Path;

use alnager_audit::summary::{self, Published, Remark};

use crate::error::JobError;
use crate::files::read_text;

/// What a summary says, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The summary as it was read.
    pub published: Published,
    /// What does not add up, and what is worth knowing.
    pub remarks: Vec<Remark>,
}

impl Checked {
    /// How many things do not add up.
    pub fn n_wrong(&self) -> usize {
        self.remarks.iter().filter(|remark| remark.is_wrong).count()
    }
}

/// Reads and checks a summary.
pub fn check(path: &Path) -> Result<Checked, JobError> {
    let text = read_text(path)?;
    let published = summary::read(&text)
        .map_err(|problem| JobError::Input(format!("{}: {problem}", path.display())))?;
    Ok(Checked {
        remarks: summary::check(&published),
        published,
    })
}
