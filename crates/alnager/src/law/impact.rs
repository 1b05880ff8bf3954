//! `alnager law impact`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::impact::{Asked, Impact, Shift, ShiftKind, SystemImpact, impact};
use alnager_work::law::version::Version;
use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::{Bar, say};

/// Systems shown in full as text; `--format json` has all.
const SYSTEMS_SHOWN: usize = 20;

/// Requirements shown in the totals as text.
const TOTALS_SHOWN: usize = 40;

/// What to compare, and for whom.
#[derive(Debug, Args)]
pub(crate) struct ImpactArguments {
    /// The law before: a day (the law in use as known on it, such as 2026-06-30), `shipped`, `desk`, or a folder of packs
    #[arg(value_name = "OLD")]
    old: Version,
    /// The law after
    #[arg(value_name = "NEW")]
    new: Version,
    /// A file with one JSON object of facts a line, each with an `id`; without it the systems of the desk
    #[arg(long, value_name = "FILE")]
    systems: Option<PathBuf>,
    /// Take what such a file does not list as false, empty, or failing every comparison
    #[arg(long, requires = "systems")]
    closed_world: bool,
    /// The last of the three days looked at; without it two years on
    #[arg(long, value_name = "DAY")]
    horizon: Option<Date>,
    /// Open a task for each change, once, with its owner and a day
    #[arg(long)]
    open_tasks: bool,
    /// Days between the day a task is due and the day the duty begins
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(i32).range(0..=3650))]
    lead: i32,
}

/// Compares and prints.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &ImpactArguments,
    format: Format,
) -> Result<u8, JobError> {
    let asked = Asked {
        old: arguments.old.clone(),
        new: arguments.new.clone(),
        systems: arguments.systems.clone(),
        closed_world: arguments.closed_world,
        horizon: arguments.horizon,
        open_tasks: arguments.open_tasks.then_some(arguments.lead),
    };
    let bar = Bar::new();
    let found = impact(flags, &asked, &|done, total| bar.count(done, total)).await;
    bar.done();
    let found = found?;
    say(&match format {
        Format::Text => readable(&found),
        Format::Json => pretty(&document(&found)),
    });
    Ok(CLEAR)
}

fn document(found: &Impact) -> Value {
    let law = |(words, known): &(String, Date)| json!({ "law": words, "known": known });
    let counts = |counts: &BTreeMap<ShiftKind, usize>| -> Value {
        let counts = counts.iter();
        counts
            .map(|(kind, n)| (kind.word().to_owned(), Value::from(*n)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let by = |map: &BTreeMap<String, BTreeMap<ShiftKind, usize>>| -> Value {
        let map = map.iter();
        map.map(|(name, kinds)| (name.clone(), counts(kinds)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let system = |system: &SystemImpact| {
        json!({
            "id": system.id,
            "changes": system.shifts.iter().map(shift_json).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": "alnager.impact/1",
        "old": law(&found.old),
        "new": law(&found.new),
        "dates": { "today": found.today, "next": found.next, "horizon": found.horizon },
        "systems": found.systems.iter().map(system).collect::<Vec<_>>(),
        "totals": {
            "systems": found.systems.len(),
            "changed": found.n_changed(),
            "by_kind": counts(&found.by_kind),
            "by_pack": by(&found.by_pack),
            "by_requirement": by(&found.by_requirement),
        },
        "tasks": found.tasks.as_ref().map(|tasks| json!({
            "opened": tasks.opened, "known": tasks.n_known,
        })),
    })
}

fn shift_json(shift: &Shift) -> Value {
    json!({
        "kind": shift.kind.word(),
        "id": shift.id,
        "is_clock": shift.is_clock,
        "pack": shift.pack,
        "from": shift.from,
        "to": shift.to,
        "before": shift.before,
        "after": shift.after,
        "on": shift.on,
        "evidence_missing": shift.evidence_missing,
        "asks": shift.asks,
    })
}

fn readable(found: &Impact) -> String {
    let next = found
        .next
        .map_or("nothing begins or ends until then".to_owned(), |next| {
            format!("{next} (next day on which anything begins or ends)")
        });
    let mut lines = vec![
        format!("{} → {}", found.old.0, found.new.0),
        format!(
            "looked at {} (today), {next}, {} (horizon)",
            found.today, found.horizon
        ),
        format!(
            "{} of {} systems are concerned: {}",
            found.n_changed(),
            found.systems.len(),
            kinds(&found.by_kind)
        ),
    ];
    if !found.by_pack.is_empty() {
        lines.push(String::new());
        lines.extend(totals("by pack", &found.by_pack));
    }
    if found.systems.len() > 1 && !found.by_requirement.is_empty() {
        lines.push(String::new());
        lines.extend(totals("by requirement", &found.by_requirement));
    }
    let changed = || {
        let systems = found.systems.iter();
        systems.filter(|system| !system.shifts.is_empty())
    };
    for system in changed().take(SYSTEMS_SHOWN) {
        lines.push(String::new());
        lines.push(system.id.clone());
        lines.extend(system.shifts.iter().map(|shift| shift_words(shift, found)));
    }
    let more = changed().count().saturating_sub(SYSTEMS_SHOWN);
    if more > 0 {
        lines.push(String::new());
        lines.push(format!("and {more} more systems (--format json has all)"));
    }
    if let Some(tasks) = &found.tasks {
        lines.push(String::new());
        let opened = match (tasks.opened.first(), tasks.opened.last()) {
            (Some(first), Some(last)) if first != last => {
                format!("{} tasks opened, {first} to {last}", tasks.opened.len())
            }
            (Some(only), _) => format!("1 task opened, {only}"),
            _ => "no task opened".to_owned(),
        };
        lines.push(match tasks.n_known {
            0 => opened,
            n => format!("{opened}; {n} had been opened before"),
        });
    }
    lines.join("\n")
}

fn kinds(counts: &BTreeMap<ShiftKind, usize>) -> String {
    if counts.is_empty() {
        return "nothing changes".to_owned();
    }
    let counts = counts
        .iter()
        .map(|(kind, n)| format!("{n} {}", kind.word().replace('_', " ")));
    counts.collect::<Vec<_>>().join(", ")
}

fn totals(title: &str, map: &BTreeMap<String, BTreeMap<ShiftKind, usize>>) -> Vec<String> {
    let width = map
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = vec![title.to_owned()];
    let rows = map.iter().take(TOTALS_SHOWN);
    lines.extend(rows.map(|(name, counts)| format!("  {name:width$}  {}", kinds(counts))));
    let more = map.len().saturating_sub(TOTALS_SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more (--format json has all)"));
    }
    lines
}

fn shift_words(shift: &Shift, found: &Impact) -> String {
    let what = match (shift.kind, shift.from, shift.to) {
        (ShiftKind::Moved, Some(from), Some(to)) => format!("{from} → {to}"),
        _ => format!("{} → {}", shift.before, shift.after),
    };
    let evidence = match shift.evidence_missing.as_slice() {
        [] => String::new(),
        kinds => format!("; evidence missing: {}", kinds.join(", ")),
    };
    let n_days = 2 + usize::from(found.next.is_some());
    let days = match shift.on.len() {
        n if n == n_days => String::new(),
        _ => {
            let days: Vec<String> = shift.on.iter().map(Date::to_string).collect();
            format!("  [on {}]", days.join(", "))
        }
    };
    let kind = shift.kind.word().replace('_', " ");
    format!("  {kind:14}  {:16}  {what}{evidence}{days}", shift.id)
}
