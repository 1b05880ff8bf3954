//! Audits asked on the command line: one file per command.

mod alternatives;
mod blind_spots;
mod canary;
mod check_summary;
mod classes;
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
mod strata;
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

impl AuditCommand {
    /// Whether it needs the law in use.
    pub(crate) fn uses_law(&self) -> bool {
        match self {
            AuditCommand::Fairness(_) => true,
            AuditCommand::Table(_)
            | AuditCommand::CheckSummary(_)
            | AuditCommand::Classes(_)
            | AuditCommand::Numeric(_)
            | AuditCommand::Ranking(_)
            | AuditCommand::Lending(_)
            | AuditCommand::Oaxaca(_)
            | AuditCommand::Flips(_)
            | AuditCommand::Reweigh(_)
            | AuditCommand::Alternatives(_)
            | AuditCommand::Drift(_)
            | AuditCommand::Compare(_)
            | AuditCommand::Proxy(_)
            | AuditCommand::BlindSpots(_)
            | AuditCommand::Drivers(_)
            | AuditCommand::Strata(_)
            | AuditCommand::Canary(_)
            | AuditCommand::Key(_)
            | AuditCommand::Sign(_) => false,
        }
    }
}

pub(crate) async fn run(
    flags: &Flags,
    command: &AuditCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        AuditCommand::Fairness(arguments) => fairness::run(flags, arguments, format).await,
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
