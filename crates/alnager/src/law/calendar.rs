//! `alnager law calendar`.

use std::path::PathBuf;

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::write_whole;
use alnager_work::law::calendar::{Asked, Entry, LawCalendar, Whose, calendar, named};
use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::{Bar, say};

/// Whose days, and which.
#[derive(Debug, Args)]
pub(crate) struct CalendarArguments {
    /// The first day; without it today
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// The last day; without it two years after the first
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
    /// For one system: a JSON object of facts, or one that holds them under `facts`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["system", "systems"])]
    facts: Option<PathBuf>,
    /// For one system of the desk
    #[arg(long, value_name = "ID", conflicts_with = "systems")]
    system: Option<String>,
    /// For the systems of a file with one JSON object of facts a line, each with an `id`
    #[arg(long, value_name = "FILE")]
    systems: Option<PathBuf>,
    /// Take what a file does not list as false, empty, or failing every comparison
    #[arg(long)]
    closed_world: bool,
    /// Write the days to an iCalendar file as well
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
}

/// Collects and prints; without a file or a system all systems of the desk, and without a desk the dates of the whole book.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &CalendarArguments,
    format: Format,
) -> Result<u8, JobError> {
    let whose = match (&arguments.facts, &arguments.system, &arguments.systems) {
        (Some(file), _, _) => Whose::Facts(file.clone()),
        (None, Some(id), _) => Whose::System(id.clone()),
        (None, None, Some(file)) => Whose::Systems(file.clone()),
        (None, None, None) => Whose::All,
    };
    let asked = Asked {
        whose,
        closed_world: arguments.closed_world,
        from: arguments.from,
        until: arguments.until,
    };
    let bar = Bar::new();
    let found = calendar(flags, &asked, &|done, total| bar.count(done, total)).await;
    bar.done();
    let found = found?;
    if let Some(file) = &arguments.ics {
        write_whole(file, found.ics().as_bytes())?;
    }
    say(&match format {
        Format::Text => readable(&found),
        Format::Json => pretty(&document(&found)),
    });
    Ok(CLEAR)
}

fn document(found: &LawCalendar) -> Value {
    let entry = |entry: &Entry| {
        json!({
            "turn": entry.turn.word(),
            "pack": entry.pack,
            "requirements": entry.requirements,
            "what": entry.what,
            "cite": entry.cite,
            "when": entry.when,
            "force": entry.force,
            "systems": entry.systems,
        })
    };
    let days = found.days().into_iter().map(|(day, entries)| {
        json!({ "day": day, "items": entries.into_iter().map(entry).collect::<Vec<_>>() })
    });
    json!({
        "schema": "alnager.calendar/1",
        "from": found.from,
        "until": found.until,
        "known": found.known,
        "systems": found.n_systems,
        "days": days.collect::<Vec<_>>(),
    })
}

fn readable(found: &LawCalendar) -> String {
    let whom = match found.n_systems {
        None => "whomever it concerns".to_owned(),
        Some(1) => "1 system".to_owned(),
        Some(n) => format!("{n} systems"),
    };
    let mut lines = vec![format!(
        "{} to {}, law as known on {}: {whom}",
        found.from, found.until, found.known
    )];
    if found.entries.is_empty() {
        lines.push("nothing begins, wakes, ends or becomes enforceable".to_owned());
    }
    for (day, entries) in found.days() {
        lines.push(String::new());
        lines.push(day.to_string());
        for entry in entries {
            let ids = entry.requirements.join(", ");
            let when = entry
                .when
                .as_ref()
                .map_or(String::new(), |when| format!("; when {when}"));
            let force = entry
                .force
                .as_ref()
                .map_or(String::new(), |force| format!("; {force}"));
            let systems = match (found.n_systems, entry.systems.is_empty()) {
                (Some(n), false) if n > 1 => format!(": {}", named(&entry.systems)),
                _ => String::new(),
            };
            lines.push(format!(
                "  {:12}  {ids} ({}{when}{force}){systems}",
                entry.turn.word(),
                entry.cite
            ));
        }
    }
    lines.join("\n")
}
