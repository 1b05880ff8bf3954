//! `alnager law coverage`.

use std::path::PathBuf;

use alnager_office::coverage::{Coverage, Covered, Tally, matrix};
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::write_whole;
use alnager_work::law::coverage::assessed;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// What to cover.
#[derive(Debug, Args)]
pub(crate) struct CoverageArguments {
    /// One system of the desk; without it all that are not retired
    #[arg(long, value_name = "ID")]
    system: Option<String>,
    /// What the lines stand for
    #[arg(long, value_enum, default_value_t = By::Regime)]
    by: By,
    /// Write the crosswalk as a table: controls by regimes
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// What the lines stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// One line for each law, standard and policy
    Regime,
    /// One line for each common control, with the requirements it serves
    Control,
}

/// Covers and prints.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &CoverageArguments,
    format: Format,
) -> Result<u8, JobError> {
    let found = assessed(flags, arguments.system.as_deref()).await?;
    let coverage = found.coverage();
    if let Some(file) = &arguments.csv {
        write_whole(file, matrix(&coverage).as_bytes())?;
    }
    say(&match format {
        Format::Text => {
            let file = arguments.csv.as_ref();
            let table = file.map_or(String::new(), |file| {
                format!("\ncontrols by regimes: {}", file.display())
            });
            words(&coverage, arguments.by) + &table
        }
        Format::Json => pretty(&document(&coverage)),
    });
    Ok(CLEAR)
}

fn words(coverage: &Coverage, by: By) -> String {
    let mut lines = vec![match coverage.systems.as_slice() {
        [] => "the desk has no system in its care".to_owned(),
        [one] => format!("coverage of {one}"),
        many => format!("coverage of {} systems: {}", many.len(), many.join(", ")),
    }];
    match by {
        By::Regime => {
            for regime in &coverage.regimes {
                let binding = if regime.is_binding { "" } else { ", adopted" };
                lines.push(format!(
                    "{}{binding}: {}",
                    regime.title,
                    tally_words(&regime.tally)
                ));
            }
        }
        By::Control => {
            for control in &coverage.controls {
                lines.push(format!(
                    "{} {}: {}",
                    control.control,
                    control.title,
                    tally_words(&control.tally)
                ));
                let own = control.requirements.iter();
                let own = own.map(|at| &coverage.requirements[*at]);
                lines.extend(own.map(|one| format!("    {}", covered_words(one))));
                let evidence = control.evidence.iter();
                let evidence: Vec<String> = evidence
                    .map(|kind| format!("{} {}/{}", kind.kind, kind.n_shown, kind.n_needed))
                    .collect();
                lines.push(format!(
                    "    evidence shown/needed: {}",
                    evidence.join(", ")
                ));
            }
        }
    }
    for conflict in &coverage.conflicts {
        lines.push(format!(
            "conflict for counsel, {}: {} ⇄ {}: {}",
            conflict.system, conflict.pair.one, conflict.pair.other, conflict.pair.why
        ));
    }
    lines.join("\n")
}

fn tally_words(tally: &Tally) -> String {
    let some = |n: usize, word: &str| match n {
        0 => String::new(),
        n => format!(" · {word} {n}"),
    };
    format!(
        "in force {}: met {}, gap {}, unknown {}, for counsel {}{}{}{}",
        tally.in_force,
        tally.met,
        tally.gap,
        tally.unknown,
        tally.for_counsel,
        some(tally.may_apply, "may apply"),
        some(tally.ahead, "ahead"),
        some(tally.waiting, "waiting"),
    )
}

fn covered_words(one: &Covered) -> String {
    let of = one.system.as_deref().unwrap_or("the organisation");
    let accepted = match one.accepted.is_empty() {
        true => String::new(),
        false => format!(", accepted {}", one.accepted.join(", ")),
    };
    let lacking = match one.lacking.is_empty() {
        true => String::new(),
        false => format!(", lacks {}", one.lacking.join(", ")),
    };
    format!(
        "{} of {} ({of}): {}{accepted}{lacking}",
        one.requirement,
        one.pack,
        one.cover.word()
    )
}

fn document(coverage: &Coverage) -> Value {
    let requirement = |one: &Covered| {
        json!({
            "id": one.requirement, "pack": one.pack, "system": one.system, "status": one.cover.word(),
            "accepted": one.accepted, "lacking": one.lacking, "controls": one.controls,
        })
    };
    let regimes = coverage.regimes.iter().map(|regime| {
        json!({
            "pack": regime.pack, "title": regime.title, "binding": regime.is_binding,
            "counts": counts(&regime.tally),
        })
    });
    let controls = coverage.controls.iter().map(|control| {
        let own = control.requirements.iter();
        let evidence = control.evidence.iter().map(
            |kind| json!({ "kind": kind.kind, "needed": kind.n_needed, "shown": kind.n_shown }),
        );
        json!({
            "control": control.control, "title": control.title, "counts": counts(&control.tally),
            "requirements": own.map(|at| requirement(&coverage.requirements[*at])).collect::<Vec<_>>(),
            "evidence": evidence.collect::<Vec<_>>(),
        })
    });
    let conflicts = coverage.conflicts.iter().map(|conflict| {
        json!({
            "system": conflict.system, "requirements": [conflict.pair.one, conflict.pair.other],
            "why": conflict.pair.why, "computed": conflict.pair.is_computed,
        })
    });
    let uncontrolled = coverage.requirements.iter();
    let uncontrolled = uncontrolled.filter(|one| one.controls.is_empty());
    json!({
        "systems": coverage.systems,
        "regimes": regimes.collect::<Vec<_>>(),
        "controls": controls.collect::<Vec<_>>(),
        "without_control": uncontrolled.map(requirement).collect::<Vec<_>>(),
        "conflicts": conflicts.collect::<Vec<_>>(),
    })
}

fn counts(tally: &Tally) -> Value {
    json!({
        "in_force": tally.in_force, "met": tally.met, "gap": tally.gap, "unknown": tally.unknown,
        "for_counsel": tally.for_counsel, "may_apply": tally.may_apply, "ahead": tally.ahead,
        "waiting": tally.waiting,
    })
}
