//! `alnager audit canary`: is a vendor's model still the one that was audited?

use std::path::PathBuf;

use alnager_audit::canary::{Settings, words};
use alnager_work::audit::canary::{Request, examine};
use alnager_work::error::JobError;
use clap::Args;

use super::Shown;
use super::rows::{show_judged, wrong};
use crate::arguments::Format;
use crate::run::{CLEAR, HOLD};

/// Whom to ask, and what to hold the answers against.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing has changed that could be seen, 1 changed, 3 the endpoint gave no answers to judge.\n\nExample: alnager audit canary --system vendor --record canaries.jsonl"
)]
pub(crate) struct CanaryArguments {
    /// The declared system: its folder or its system.toml
    #[arg(long, value_name = "PATH")]
    system: PathBuf,
    /// The audit whose model is asked; needed where several ask an endpoint
    #[arg(long, value_name = "NAME")]
    audit: Option<String>,
    /// The record of all looks, which this one is added to; made where it is not there
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    /// How often the canary rows are asked at this look
    #[arg(long, value_name = "N", default_value_t = 10)]
    rounds: usize,
    /// The chance of a false alarm between two confirmed changes, however often one looks
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    alpha: f64,
    /// The seed of the permutations
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Most rounds of a look.
const ROUNDS_MAX: usize = 100;

pub(crate) fn run(arguments: &CanaryArguments, format: Format) -> Result<Shown, JobError> {
    if !(1..=ROUNDS_MAX).contains(&arguments.rounds) {
        return Err(wrong("--rounds", "a number from 1 to 100 is needed"));
    }
    if !(arguments.alpha > 0.0 && arguments.alpha < 1.0) {
        return Err(wrong("--alpha", "lies between 0 and 1, such as 0.05"));
    }
    let request = Request {
        system: arguments.system.clone(),
        audit: arguments.audit.clone(),
        record: arguments.record.clone(),
        n_rounds: arguments.rounds,
        settings: Settings {
            alpha: arguments.alpha,
            seed: arguments.seed,
        },
    };
    let environment = |name: &str| std::env::var(name).ok();
    let code = |figures: &serde_json::Value| match figures["has_changed"] == true {
        true => HOLD,
        false => CLEAR,
    };
    show_judged(
        |progress| examine(&request, &environment, progress),
        words,
        code,
        format,
    )
}
