//! The commands of the audit lab.

use alnager_work::error::JobError;
use clap::Subcommand;

use crate::arguments::Format;

mod sign;

/// Commands of the audit lab.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Make a key that signs audits, as an independent auditor
    Key(sign::KeyArguments),
    /// Sign an audit, as an independent auditor; needs no desk
    Sign(sign::SignArguments),
}

impl AuditCommand {
    /// Whether it asks the law in use.
    pub(crate) fn uses_law(&self) -> bool {
        match self {
            AuditCommand::Key(_) | AuditCommand::Sign(_) => false,
        }
    }
}

/// Does what was asked.
pub(crate) fn run(command: &AuditCommand, format: Format) -> Result<u8, JobError> {
    match command {
        AuditCommand::Key(arguments) => sign::key(arguments, format),
        AuditCommand::Sign(arguments) => sign::sign(arguments, format),
    }
}
