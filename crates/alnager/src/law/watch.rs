//! `alnager law watch`, `signals` and `signal settle`.

use std::path::PathBuf;

use alnager_office::signal::{Signal, plain};
use alnager_office::state::State;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::watch::{self, Outcome, Watched, WatcherReport};
use alnager_work::records;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, COULD_NOT_FINISH, acknowledge, pretty};
use crate::terminal::say;

/// Longest text of a signal that is printed, in bytes.
const PRINTED_BYTES_MAX: usize = 400;

/// Which watchers to run.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The watchers (docs/guide/watch-the-law.md); without it `watch.toml` in the desk's folder
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Which signals to list.
#[derive(Debug, Args)]
pub(crate) struct SignalsArguments {
    /// Also those that are settled or replaced
    #[arg(long)]
    pub(crate) all: bool,
}

/// Commands about one signal.
#[derive(Debug, Subcommand)]
pub(crate) enum SignalCommand {
    /// Settle a signal: say what was done about it, or why nothing needs to be done
    Settle {
        /// The signal, such as S7
        signal: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// Asks the sources, raises signals.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &WatchArguments,
    format: Format,
) -> Result<u8, JobError> {
    let watched = watch::watch(flags, arguments.config.as_deref()).await?;
    let failed = |report: &&WatcherReport| {
        matches!(
            report.outcome,
            Outcome::Failed { .. } | Outcome::CutShort { .. }
        )
    };
    let n_failed = watched.watchers.iter().filter(failed).count();
    say(&match format {
        Format::Text => watched_words(&watched),
        Format::Json => pretty(&watched_json(&watched)),
    });
    Ok(if n_failed == 0 {
        CLEAR
    } else {
        COULD_NOT_FINISH
    })
}

/// Lists signals.
pub(crate) async fn signals(
    flags: &Flags,
    arguments: &SignalsArguments,
    format: Format,
) -> Result<u8, JobError> {
    let state = records::state(flags).await?;
    let mut signals: Vec<&Signal> = state.signals.values().collect();
    signals.retain(|signal| arguments.all || signal.is_open());
    signals.sort_by_key(|signal| signal.raised_at);
    say(&match format {
        Format::Text if signals.is_empty() => {
            "no signal is open; `alnager law watch` asks the sources".to_owned()
        }
        Format::Text => {
            let words = signals.iter().map(|signal| signal_words(signal, &state));
            words.collect::<Vec<_>>().join("\n")
        }
        Format::Json => {
            let rows: Vec<Value> = signals
                .iter()
                .map(|signal| signal_json(signal, &state))
                .collect();
            pretty(&json!({ "signals": rows }))
        }
    });
    Ok(CLEAR)
}

/// Settles a signal.
pub(crate) async fn signal(
    flags: &Flags,
    command: &SignalCommand,
    format: Format,
) -> Result<u8, JobError> {
    let SignalCommand::Settle { signal, reason } = command;
    let entered = watch::settle(flags, signal, reason).await?;
    acknowledge(
        &entered,
        &format!("{signal} is settled by {}", entered.actor),
        format,
    )
}

fn watched_words(watched: &Watched) -> String {
    let mut lines = Vec::new();
    for report in &watched.watchers {
        let outcome = match &report.outcome {
            Outcome::Off => "off".to_owned(),
            Outcome::Looked { from, n_items } => format!("{n_items} items since {from}"),
            Outcome::CutShort { from, n_items } => format!(
                "{n_items} items since {from}, and more that were not read; raise `pages_max`, or ask for less"
            ),
            Outcome::Failed { why } => format!("FAILED: {why}"),
        };
        lines.push(format!("{} ({}): {outcome}", report.name, report.source));
    }
    let is_off = |report: &WatcherReport| report.outcome == Outcome::Off;
    if watched.watchers.iter().all(is_off) {
        lines.push(
            "no watcher is enabled, so nothing was asked; docs/guide/watch-the-law.md says how to enable one"
                .to_owned(),
        );
        return lines.join("\n");
    }
    lines.push(match watched.raised.len() {
        0 => "no new signal".to_owned(),
        1 => "1 new signal".to_owned(),
        n_raised => format!("{n_raised} new signals"),
    });
    for signal in watched
        .raised
        .iter()
        .filter_map(|id| watched.state.signals.get(id))
    {
        lines.push(signal_words(signal, &watched.state));
    }
    lines.join("\n")
}

fn watched_json(watched: &Watched) -> Value {
    let watchers = watched.watchers.iter().map(|report| {
        let (outcome, from, n_items, why) = match &report.outcome {
            Outcome::Off => ("off", None, None, None),
            Outcome::Looked { from, n_items } => ("looked", Some(from), Some(n_items), None),
            Outcome::CutShort { from, n_items } => ("cut_short", Some(from), Some(n_items), None),
            Outcome::Failed { why } => ("failed", None, None, Some(why)),
        };
        json!({
            "name": report.name, "source": report.source, "outcome": outcome,
            "from": from, "n_items": n_items, "why": why,
        })
    });
    let raised = watched
        .raised
        .iter()
        .filter_map(|id| watched.state.signals.get(id));
    json!({
        "watchers": watchers.collect::<Vec<_>>(),
        "raised": raised.map(|signal| signal_json(signal, &watched.state)).collect::<Vec<_>>(),
    })
}

/// A signal in words. Texts of the source are made plain once more: the journal may have been written by another program.
fn signal_words(signal: &Signal, state: &State) -> String {
    let raised = &signal.raised;
    let item = &raised.item;
    let text = |text: &str| plain(text, PRINTED_BYTES_MAX);
    let packs = match item.packs.is_empty() {
        true => "no pack in use cites it".to_owned(),
        false => format!("concerns {}", text(&item.packs.join(", "))),
    };
    let stands = match (&signal.settled, &signal.replaced_by) {
        (Some(settled), _) => format!(
            "settled by {} on {}: {}",
            state.name(&settled.by),
            settled.on,
            text(&settled.reason)
        ),
        (None, Some(newer)) => format!("replaced by {newer}"),
        (None, None) => "open".to_owned(),
    };
    let change = match &raised.replaces {
        Some(earlier) => format!(
            "changed since {earlier}: {}",
            text(&raised.changed.join(", "))
        ),
        None => "new".to_owned(),
    };
    let day = |word: &str, day: Option<_>| {
        day.map_or(String::new(), |day: jiff::civil::Date| {
            format!(", {word} {day}")
        })
    };
    let stage = text(&item.stage);
    let stage = if stage.is_empty() {
        String::new()
    } else {
        format!(", {stage}")
    };
    let mut lines = vec![
        format!("{:<5} {}", raised.signal, text(&item.title)),
        format!(
            "      {} {}{stage}{}{}; {change}",
            text(&item.source),
            text(&item.id),
            day("published", item.published),
            day("effective", item.effective)
        ),
        format!("      {packs}; raised {}; {stands}", raised.on),
    ];
    if !item.url.is_empty() {
        lines.push(format!("      {}", plain(&item.url, 500)));
    }
    lines.join("\n")
}

fn signal_json(signal: &Signal, state: &State) -> Value {
    let raised = &signal.raised;
    let item = &raised.item;
    let settled = signal.settled.as_ref().map(|settled| {
        json!({ "by": state.name(&settled.by), "on": settled.on, "reason": settled.reason })
    });
    json!({
        "id": raised.signal, "open": signal.is_open(), "watcher": raised.watcher, "raised_on": raised.on,
        "source": item.source, "item": item.id, "title": item.title, "abstract": item.summary,
        "stage": item.stage, "url": item.url, "published": item.published, "effective": item.effective,
        "cited": item.cited, "packs": item.packs, "replaces": raised.replaces, "changed": raised.changed,
        "replaced_by": signal.replaced_by, "settled": settled,
    })
}
