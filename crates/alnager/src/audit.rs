//! Audits asked on the command line: one file per command.

mod check_summary;
mod fairness;
mod profile;
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
    /// Compute anyone's published summary of a bias audit again, and list what does not add up
    CheckSummary(check_summary::CheckSummaryArguments),
}

impl AuditCommand {
    /// Whether it needs the law in use.
    pub(crate) fn uses_law(&self) -> bool {
        match self {
            AuditCommand::Fairness(_) => true,
            AuditCommand::Table(_) | AuditCommand::CheckSummary(_) => false,
        }
    }
}

pub(crate) fn run(flags: &Flags, command: &AuditCommand, format: Format) -> Result<u8, JobError> {
    match command {
        AuditCommand::Fairness(arguments) => fairness::run(flags, arguments, format),
        AuditCommand::Table(arguments) => table::run(arguments, format),
        AuditCommand::CheckSummary(arguments) => check_summary::run(arguments, format),
    }
}
