//! Audits asked on the command line: one file per command.

mod alternatives;
mod blind_spots;
mod canary;
mod check_summary;
mod classes;
mod columns;
mod compare;
mod drift;
mod drivers;
mod fairness;
mod flips;
mod lending;
mod numeric;
mod oaxaca;
mod profile;
mod proxy;
mod ranking;
mod reweigh;
mod rows;
mod sign;
mod sql;
mod strata;
mod table;

use alnager_work::acting::Flags;
use alnager_work::audit::record::{Recorded, Recording, record};
use alnager_work::error::JobError;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, pretty};
use crate::terminal::say;

/// Measure a table of decisions.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    command: AuditCommand,
    /// Enter the result into the journal, with what it rests on: for the organisation, or with --seal=SYSTEM for a system
    #[arg(
        long,
        global = true,
        value_name = "SYSTEM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    seal: Option<String>,
}

/// What an audit shows.
pub(crate) struct Shown {
    /// The figures, as JSON.
    pub(crate) figures: Value,
    /// What they say in words, where words are asked for.
    pub(crate) text: String,
    /// The exit code.
    pub(crate) code: u8,
    /// Whether the exit code is a judgement.
    pub(crate) is_judged: bool,
}

impl Shown {
    /// Figures that nothing is judged by.
    pub(crate) fn reported(figures: Value, text: String) -> Self {
        Shown {
            figures,
            text,
            code: CLEAR,
            is_judged: false,
        }
    }

    fn outcome(&self) -> &'static str {
        match self.code {
            _ if !self.is_judged => "reported",
            CLEAR => "pass",
            HOLD => "fail",
            _ => "inconclusive",
        }
    }
}

/// Which audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Audit decisions for fairness: every rate, interval and test, by group and intersection
    Fairness(Box<fairness::FairnessArguments>),
    /// What the columns of a table hold: names, different values, which are numbers
    Columns(columns::ColumnsArguments),
    /// The counts of a fairness audit as one SQL query, for a database to answer
    Sql(Box<sql::SqlArguments>),
    /// Every figure of one 2x2 table: selected and not selected, of a group and of the reference
    Table(table::TableArguments),
    /// Compute anyone's published summary of a bias audit again, and list what does not add up
    CheckSummary(check_summary::CheckSummaryArguments),
    /// Decisions of more than two classes: shares by group, ratios to the reference, at every cut of their order
    Classes(classes::ClassesArguments),
    /// Predicted numbers beside what came true: errors, bias and distances by group
    Numeric(numeric::NumericArguments),
    /// A ranked list: who stands among the first, and how exposed each group is
    Ranking(ranking::RankingArguments),
    /// Fair lending: raw gaps of a decision beside gaps with other factors held fixed
    Lending(lending::LendingArguments),
    /// A gap in mean outcomes taken apart: what follows from different factors, and what does not (Oaxaca-Blinder)
    Oaxaca(oaxaca::OaxacaArguments),
    /// Change a protected attribute or a proxy of each row and ask the model again: which decisions flip
    Flips(Box<flips::FlipsArguments>),
    /// Weights that make group and label independent, for training data
    Reweigh(reweigh::ReweighArguments),
    /// A search for less discriminatory alternatives: other cut-offs and models, confirmed on held-out rows
    Alternatives(Box<alternatives::AlternativesArguments>),
    /// What has changed since a baseline, and since when: inputs, scores, decisions, errors, impact ratios
    Drift(Box<drift::DriftArguments>),
    /// Two audits side by side: what became better or worse
    Compare(Box<compare::CompareArguments>),
    /// Race and ethnicity estimated by surname and place (BISG), and rates weighted with the estimates
    Proxy(proxy::ProxyArguments),
    /// Blind spots: subgroups whose decisions differ most, combinations the data hardly know, and what is missing of whom
    BlindSpots(Box<blind_spots::BlindSpotsArguments>),
    /// What drives a gap: strata (Kitagawa), features in a model of the score, and features that stand in for the attribute
    Drivers(drivers::DriversArguments),
    /// 2x2 tables in strata: the gap among alike people beside the crude one (Cochran-Mantel-Haenszel)
    Strata(strata::StrataArguments),
    /// Ask a vendor's model about its canary rows again: is it still the one that was audited?
    Canary(canary::CanaryArguments),
    /// Make a key that signs audits, as an independent auditor
    Key(sign::KeyArguments),
    /// Sign an audit, as an independent auditor; needs no desk
    Sign(sign::SignArguments),
}

impl AuditArguments {
    /// Whether it needs the law in use.
    pub(crate) fn uses_law(&self) -> bool {
        self.seal.is_some() || matches!(self.command, AuditCommand::Fairness(_))
    }
}

impl AuditCommand {
    /// Its name on the command line.
    fn name(&self) -> &'static str {
        match self {
            AuditCommand::Fairness(_) => "fairness",
            AuditCommand::Columns(_) => "columns",
            AuditCommand::Sql(_) => "sql",
            AuditCommand::Table(_) => "table",
            AuditCommand::CheckSummary(_) => "check-summary",
            AuditCommand::Classes(_) => "classes",
            AuditCommand::Numeric(_) => "numeric",
            AuditCommand::Ranking(_) => "ranking",
            AuditCommand::Lending(_) => "lending",
            AuditCommand::Oaxaca(_) => "oaxaca",
            AuditCommand::Flips(_) => "flips",
            AuditCommand::Reweigh(_) => "reweigh",
            AuditCommand::Alternatives(_) => "alternatives",
            AuditCommand::Drift(_) => "drift",
            AuditCommand::Compare(_) => "compare",
            AuditCommand::Proxy(_) => "proxy",
            AuditCommand::BlindSpots(_) => "blind-spots",
            AuditCommand::Drivers(_) => "drivers",
            AuditCommand::Strata(_) => "strata",
            AuditCommand::Canary(_) => "canary",
            AuditCommand::Key(_) => "key",
            AuditCommand::Sign(_) => "sign",
        }
    }
}

pub(crate) async fn run(
    flags: &Flags,
    arguments: &AuditArguments,
    format: Format,
) -> Result<u8, JobError> {
    let AuditArguments { command, seal } = arguments;
    let measures_nothing = matches!(
        command,
        AuditCommand::Columns(_)
            | AuditCommand::Sql(_)
            | AuditCommand::Key(_)
            | AuditCommand::Sign(_)
    );
    if seal.is_some() && measures_nothing {
        return Err(JobError::Input(format!(
            "`alnager audit {}` measures nothing that could be sealed; leave out --seal",
            command.name()
        )));
    }
    let mut shown = examined(flags, command, format).await?;
    if let Some(system) = seal {
        let recording = Recording {
            kind: command.name(),
            system: Some(system.as_str()).filter(|system| !system.is_empty()),
            outcome: shown.outcome(),
            figures: &shown.figures,
        };
        let Recorded { audit, receipt } = match record(flags, recording).await {
            Ok(recorded) => recorded,
            // What was found is not lost with the seal.
            Err(error) => {
                if format == Format::Text {
                    say(&shown.text);
                }
                return Err(error);
            }
        };
        let (at, root) = (receipt.end - 1, receipt.root.to_base64());
        if let Some(figures) = shown.figures.as_object_mut() {
            let sealed =
                json!({ "audit": audit, "entry": at, "origin": receipt.origin, "root": root });
            figures.insert("sealed".to_owned(), sealed);
        }
        let origin = receipt.origin;
        shown.text.truncate(shown.text.trim_end().len());
        shown.text.push_str(&format!(
            "\nSealed as {audit}: entry {at} of {origin}, root {root}"
        ));
    }
    say(&match format {
        Format::Json => pretty(&shown.figures),
        Format::Text => shown.text,
    });
    Ok(shown.code)
}

async fn examined(
    flags: &Flags,
    command: &AuditCommand,
    format: Format,
) -> Result<Shown, JobError> {
    match command {
        AuditCommand::Fairness(arguments) => fairness::run(flags, arguments, format).await,
        AuditCommand::Columns(arguments) => columns::run(arguments, format),
        AuditCommand::Sql(arguments) => sql::run(arguments, format),
        AuditCommand::Table(arguments) => table::run(arguments, format),
        AuditCommand::CheckSummary(arguments) => check_summary::run(arguments, format),
        AuditCommand::Classes(arguments) => classes::run(arguments, format),
        AuditCommand::Numeric(arguments) => numeric::run(arguments, format),
        AuditCommand::Ranking(arguments) => ranking::run(arguments, format),
        AuditCommand::Lending(arguments) => lending::run(arguments, format),
        AuditCommand::Oaxaca(arguments) => oaxaca::run(arguments, format),
        AuditCommand::Flips(arguments) => flips::run(arguments, format),
        AuditCommand::Reweigh(arguments) => reweigh::run(arguments, format),
        AuditCommand::Alternatives(arguments) => alternatives::run(arguments, format),
        AuditCommand::Drift(arguments) => drift::run(arguments, format),
        AuditCommand::Compare(arguments) => compare::run(arguments, format),
        AuditCommand::Proxy(arguments) => proxy::run(arguments, format),
        AuditCommand::BlindSpots(arguments) => blind_spots::run(arguments, format),
        AuditCommand::Drivers(arguments) => drivers::run(arguments, format),
        AuditCommand::Strata(arguments) => strata::run(arguments, format),
        AuditCommand::Canary(arguments) => canary::run(arguments, format),
        AuditCommand::Key(arguments) => sign::key(arguments, format),
        AuditCommand::Sign(arguments) => sign::sign(arguments, format),
    }
}
