//! What may be written on the command line.

use std::path::PathBuf;

use alnager_work::acting::Recorded;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use crate::audit::AuditArguments;
use crate::desk::DeskCommand;
use crate::dossier::DossierArguments;
use crate::journal::JournalCommand;
use crate::law::LawCommand;
use crate::new::NewArguments;
use crate::opinion::OpinionCommand;
use crate::people::{EraseArguments, HoldCommand, PeopleCommand};
use crate::review::{GateArguments, ReviewArguments};
use crate::segment::SegmentCommand;
use crate::serve::{DemoArguments, ServeArguments};
use crate::task::TaskCommand;
use crate::witness::WitnessCommand;

/// An AI compliance officer: declares, maps, measures, judges and seals AI systems.
///
/// Exit codes: 0 clear, 1 hold, 3 undecided, 2 wrong use or input, 4 could not finish.
#[derive(Debug, Parser)]
#[command(name = "alnager", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What every command understands.
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// The desk where none is named.
pub(crate) const DESK: &str = "./.alnager";

/// Flags every command understands.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// The desk: the folder that holds journal, blobs and keys, or postgres://user@host/database; for `review` and `gate` also
    /// https://host/organisation
    #[arg(
        long,
        global = true,
        value_name = "DIR|URL",
        default_value = DESK
    )]
    pub(crate) desk: String,
    /// Who acts; without it the operating system's user
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// The day judged, such as 2027-12-02; without it the day of going live, or today
    #[arg(long, global = true, value_name = "DAY")]
    pub(crate) at: Option<Date>,
    /// Law as published by this day; without it today
    #[arg(long, global = true, value_name = "DAY")]
    pub(crate) known: Option<Date>,
    /// The record as it was: an entry's index, or an instant such as 2026-11-23T08:00:00Z
    #[arg(long, global = true, value_name = "ENTRY|INSTANT")]
    pub(crate) recorded: Option<Recorded>,
    /// How to print
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs (docs/formats/review.md; for audits docs/guide/audit-lab.md)
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a new declaration, with every field explained
    New(NewArguments),
    /// Review a declared system: map the law, measure, judge, seal, report
    ///
    /// With --desk https://host/organisation the data are measured here, and a server judges and seals what was counted.
    Review(ReviewArguments),
    /// Say how the gate of a system stands on a desk, by exit code; seals nothing
    ///
    /// With --desk https://host/organisation a server is asked.
    Gate(GateArguments),
    /// Prove in words why a requirement stands and fares as it does
    Why {
        /// The requirement, such as EUAIA-9
        requirement: String,
        /// The system: its id in the desk, or the folder that holds `system.toml`
        #[arg(long, value_name = "ID|DIR")]
        system: String,
    },
    /// Confirm facts
    #[command(subcommand)]
    Fact(FactCommand),
    /// Submit evidence, and decide on it
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Draw the dossier of a system: one file with everything an outsider needs to check it
    Dossier(DossierArguments),
    /// Verify a dossier, or the proof of a row; needs no desk, no network and no account
    Verify {
        /// The dossier, or a `.row-proof`
        dossier: PathBuf,
        /// The log key you trust, as `alnager desk key` prints it
        #[arg(long, value_name = "VKEY", conflicts_with = "policy")]
        key: Option<String>,
        /// A trust policy file of your own (C2SP tlog-policy)
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Count the rows of this data file again
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
    },
    /// Audit a table of decisions, and sign audits
    Audit(AuditArguments),
    /// Ask the law alone
    #[command(subcommand)]
    Law(LawCommand),
    /// List people, held or erased
    #[command(subcommand)]
    People(PeopleCommand),
    /// Erase a person: key, salts and ciphertexts go, every proof stays valid
    Erase(EraseArguments),
    /// Keep people from being erased while the law asks for it
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Open tasks, and say that they are done
    #[command(subcommand)]
    Task(TaskCommand),
    /// Give audit opinions on systems, and list them
    #[command(subcommand)]
    Opinion(OpinionCommand),
    /// Seal decision logs, and prove one record of them
    #[command(subcommand)]
    Segment(SegmentCommand),
    /// Let outsiders check the journal: publish it, prove entries, have it cosigned, check what was published
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Look after the desk
    #[command(subcommand)]
    Desk(DeskCommand),
    /// Witness the journals of others: cosign what continues what was cosigned before
    #[command(subcommand)]
    Witness(WitnessCommand),
    /// Serve the desk in the browser
    Serve(ServeArguments),
    /// Serve the desk of a made-up organisation, to look around; gone when it ends, unless --desk names a folder
    Demo(DemoArguments),
}

/// Commands about facts.
#[derive(Debug, Subcommand)]
pub(crate) enum FactCommand {
    /// Confirm a fact, as someone outside the team that builds the system
    Confirm {
        /// The system's id
        system: String,
        /// The fact
        fact: String,
        /// The answer confirmed; without it the one declared last
        #[arg(long)]
        value: Option<String>,
        /// On what basis
        #[arg(long)]
        basis: String,
    },
}

/// Commands about evidence.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Submit a document for requirements of a system
    Add {
        /// The system's id
        system: String,
        /// The document
        file: PathBuf,
        /// The kind of evidence (docs/reference/evidence-kinds.md)
        #[arg(long)]
        kind: String,
        /// The requirements it is offered for
        #[arg(
            long = "for",
            value_name = "REQUIREMENT,…",
            required = true,
            value_delimiter = ','
        )]
        requirements: Vec<String>,
        /// The first day it counts; without it today
        #[arg(long, value_name = "DAY")]
        effective: Option<Date>,
        /// The first day it no longer counts
        #[arg(long, value_name = "DAY")]
        expires: Option<Date>,
        /// The note with which an independent auditor signed the document
        #[arg(long, value_name = "NOTE", requires = "auditor")]
        signature: Option<PathBuf>,
        /// The auditor who signed it
        #[arg(long, value_name = "NAME", requires = "signature")]
        auditor: Option<String>,
    },
    /// List what accepted evidence may be used for again, and what differs there
    Proposals {
        /// Only for this system, and for the organisation
        #[arg(long, value_name = "ID")]
        system: Option<String>,
    },
    /// Offer evidence for further requirements; someone other than who submitted it decides
    Offer {
        /// The evidence, such as E7
        evidence: String,
        /// The requirements; each takes this kind of evidence
        #[arg(required = true)]
        requirements: Vec<String>,
    },
    /// Accept evidence, as someone other than who submitted it; a proposal is offered and accepted in one step
    Accept(Ruling),
    /// Reject evidence or a proposal, as someone other than who submitted it
    Reject(Ruling),
    /// List the evidence of the desk
    List {
        /// Only that of this system
        #[arg(long, value_name = "ID")]
        system: Option<String>,
    },
}

/// A decision about evidence.
#[derive(Debug, Args)]
pub(crate) struct Ruling {
    /// The evidence, such as E7
    pub(crate) evidence: String,
    /// The requirements decided on; without any, all it is offered for
    pub(crate) requirements: Vec<String>,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}
