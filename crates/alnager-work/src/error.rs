//! Why a job did not do what was asked: wrong use or input, or the machine's fault.

use std::io;
use std::path::PathBuf;

use alnager_law::read::ReadError;
use alnager_office::decide::Refused;
use alnager_probe::ProbeError;
use alnager_store::{CommitError, StoreError};

/// Why a job ended without its result. Nothing was acknowledged and the desk is as it was, unless the message says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A file written by a person is wrong.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A data file cannot be measured.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The office refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The desk cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else about the input is wrong.
    #[error("{0}")]
    Input(String),
    /// A file cannot be read or written.
    #[error("`{path}`: {doing}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was being done, and what to do.
        doing: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
        /// Whether the person can mend it by naming another file.
        is_input: bool,
    },
    /// The machine did not do its part.
    #[error("{0}")]
    Internal(String),
}

impl JobError {
    /// Whether nothing is wrong with what was asked, and there is no result all the same (exit code 3): an endpoint gave no answers
    /// that can be relied on.
    pub fn is_inconclusive(&self) -> bool {
        matches!(self, JobError::Probe(error) if error.is_inconclusive())
    }

    /// Whether the person can mend it (exit code 2), or the machine failed (exit code 4).
    pub fn is_input(&self) -> bool {
        match self {
            JobError::Read(_) | JobError::Probe(_) | JobError::Refused(_) | JobError::Input(_) => {
                true
            }
            JobError::Store(error) => matches!(
                error,
                StoreError::Absent { .. }
                    | StoreError::NoParent { .. }
                    | StoreError::Foreign { .. }
                    | StoreError::Newer { .. }
                    | StoreError::Address { .. }
                    | StoreError::Locked { .. }
                    | StoreError::NoPassphrase { .. }
                    | StoreError::NotForked
                    | StoreError::OriginUsed { .. }
                    | StoreError::Origin { .. }
                    | StoreError::TwoKeys
                    | StoreError::OneKey
                    | StoreError::Exists { .. }
                    | StoreError::KeysMissing { .. }
                    | StoreError::Moved
                    | StoreError::InUse { .. }
            ),
            JobError::File { is_input, .. } => *is_input,
            JobError::Internal(_) => false,
        }
    }
}

impl From<CommitError> for JobError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refused) => JobError::Refused(*refused),
            CommitError::Conflict { .. } => JobError::Internal(error.to_string()),
            CommitError::Store(store) => JobError::Store(store),
        }
    }
}
