//! Audits asked on the command line: one file per command.

mod fairness;
mod table;

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use clap::Subcommand;

use crate::arguments::Format;

/// Measure a table of decisions.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Audit decisions for fairness: every rate, interval and test, by group and intersection
    Fairness(Box<fairness::FairnessArguments>),
    /// Every figure of one 2x2 table: selected and not selected, of a group and of the reference
    Table(table::TableArguments),
}

impl AuditCommand {
    /// Whether it needs the law in use.
    pub(crate) fn uses_law(&self) -> bool {
        match self {
            AuditCommand::Fairness(_) => true,
            AuditCommand::Table(_) => false,
        }
    }
}

pub(crate) fn run(flags: &Flags, command: &AuditCommand, format: Format) -> Result<u8, JobError> {
    match command {
        AuditCommand::Fairness(arguments) => fairness::run(flags, arguments, format),
        AuditCommand::Table(arguments) => table::run(arguments, format),
    }
}
