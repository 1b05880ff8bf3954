//! Questions to the law: one file per command.

mod calendar;
mod clock;
mod counsel;
mod coverage;
mod diff;
mod explain;
mod impact;
mod import;
mod interview;
mod map;
mod pack;
mod stamp;
mod strictest;
mod watch;

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use clap::Subcommand;

use crate::arguments::Format;

/// Questions to the law.
#[derive(Debug, Subcommand)]
pub(crate) enum LawCommand {
    /// Map a file of facts, or many systems: what is in force, ahead, waiting, ended, unknown
    Map(map::MapArguments),
    /// Prove in words why a requirement stands as it does for a file of facts (for a declared system: `alnager why`)
    Explain(explain::ExplainArguments),
    /// List what begins, wakes, ends or becomes enforceable, when, and for which systems
    Calendar(calendar::CalendarArguments),
    /// Show what a change of law does to every system, and open a task for each change
    Impact(impact::ImpactArguments),
    /// Run a statutory clock: the time to plan on, the outer limit, and why
    Clock(clock::ClockArguments),
    /// Answer the questions that settle most, one by one; every answer is written at once
    Interview(interview::InterviewArguments),
    /// Adopt a standard, framework or guidance: from then on it is asked for
    Adopt(counsel::FrameworkArguments),
    /// Drop an adopted framework
    Drop(counsel::FrameworkArguments),
    /// Record counsel's reading of a requirement
    #[command(subcommand)]
    Reading(counsel::ReadingCommand),
    /// Show how far the systems of the desk meet what is asked, by regime or by common control
    Coverage(coverage::CoverageArguments),
    /// Name the strictest of the figures that the laws of one system set
    Strictest(strictest::StrictestArguments),
    /// Read an official text into a tree of provisions, and hold the packs against it
    Import(import::ImportArguments),
    /// Show what changed between two versions of an official text, provision by provision, or of packs
    Diff(diff::DiffArguments),
    /// Check, test, sign, install and pin packs, and trust keys that sign them
    #[command(subcommand)]
    Pack(pack::PackCommand),
    /// Write down which provisions a pack's requirements were written against
    Stamp(stamp::StampArguments),
    /// Confirm a stale requirement against the official text as it reads now
    Confirm(counsel::ConfirmArguments),
    /// Ask official sources what is new, and raise signals; nothing is asked unless enabled
    Watch(watch::WatchArguments),
    /// List open signals
    Signals(watch::SignalsArguments),
    /// Settle a signal
    #[command(subcommand)]
    Signal(watch::SignalCommand),
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &LawCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        LawCommand::Map(arguments) => map::run(flags, arguments, format).await,
        LawCommand::Calendar(arguments) => calendar::run(flags, arguments, format).await,
        LawCommand::Impact(arguments) => impact::run(flags, arguments, format).await,
        LawCommand::Explain(arguments) => explain::run(flags, arguments, format),
        LawCommand::Coverage(arguments) => coverage::run(flags, arguments, format).await,
        LawCommand::Strictest(arguments) => strictest::run(flags, arguments, format).await,
        LawCommand::Import(arguments) => import::run(flags, arguments, format).await,
        LawCommand::Diff(arguments) => diff::run(arguments, format),
        LawCommand::Stamp(arguments) => stamp::run(arguments, format),
        LawCommand::Pack(command) => pack::run(flags, command, format).await,
        LawCommand::Clock(arguments) => clock::run(flags, arguments, format),
        LawCommand::Interview(arguments) => interview::run(flags, arguments, format).await,
        LawCommand::Adopt(arguments) => counsel::adopt(flags, arguments, true, format).await,
        LawCommand::Drop(arguments) => counsel::adopt(flags, arguments, false, format).await,
        LawCommand::Reading(command) => counsel::reading(flags, command, format).await,
        LawCommand::Confirm(arguments) => counsel::confirm(flags, arguments, format).await,
        LawCommand::Watch(arguments) => watch::run(flags, arguments, format).await,
        LawCommand::Signals(arguments) => watch::signals(flags, arguments, format).await,
        LawCommand::Signal(command) => watch::signal(flags, command, format).await,
    }
}

impl LawCommand {
    /// Whether it asks the law in use; the others read texts and packs alone, or look after the desk's packs themselves.
    pub(crate) fn uses_law(&self) -> bool {
        !matches!(
            self,
            LawCommand::Diff(_) | LawCommand::Stamp(_) | LawCommand::Pack(_)
        )
    }
}
