//! `alnager journal`.

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use clap::Subcommand;

use crate::arguments::Format;
use crate::witness::{self, ListedCommand, SubmitArguments};

/// Commands about the journal.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// List whom `submit` asks, and change the list
    #[command(subcommand)]
    Witness(ListedCommand),
    /// Submit the journal's checkpoint to the desk's witnesses, and keep what they cosign
    Submit(SubmitArguments),
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &JournalCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        JournalCommand::Witness(command) => witness::listed(flags, command, format),
        JournalCommand::Submit(arguments) => witness::submit(flags, arguments, format).await,
    }
}
