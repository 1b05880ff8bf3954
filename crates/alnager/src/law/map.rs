//! `alnager law map`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use alnager_report::wrap::hung;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::map::{LawMap, Named, map, map_many, named};
use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::{Bar, say};

/// What to map.
#[derive(Debug, Args)]
pub(crate) struct MapArguments {
    /// One system: a JSON object of facts, or one that holds them under `facts`; without it and without --systems, every system of the desk
    #[arg(long, value_name = "FILE", conflicts_with = "systems")]
    pub(crate) facts: Option<PathBuf>,
    /// Many systems: a file with one JSON object of facts a line, each with an `id`
    #[arg(long, value_name = "FILE")]
    pub(crate) systems: Option<PathBuf>,
    /// Take what a file does not list as false, empty, or failing every comparison
    #[arg(long)]
    pub(crate) closed_world: bool,
}

/// Columns of the screen.
const WIDTH: usize = 100;

/// Maps and prints: one system in full, many as one line each.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &MapArguments,
    format: Format,
) -> Result<u8, JobError> {
    let Some(facts) = &arguments.facts else {
        return many(flags, arguments, format).await;
    };
    let map = map(flags, facts, arguments.closed_world)?;
    say(&match format {
        Format::Text => law_words(&map, &named(flags)?),
        Format::Json => pretty(&law_json(&map)),
    });
    Ok(CLEAR)
}

async fn many(flags: &Flags, arguments: &MapArguments, format: Format) -> Result<u8, JobError> {
    // On a terminal the lines themselves show how far it has come.
    let bar = (!std::io::stdout().is_terminal()).then(Bar::new);
    let mut n_done = 0_u64;
    let mut each = |id: &str, map: LawMap, n_systems: usize| {
        if n_done == 0 && format == Format::Text {
            say("in force  ahead  waiting  unknown  ended  not applicable  system");
        }
        say(&match format {
            Format::Text => counts(id, &map),
            Format::Json => {
                let mut line = json!({ "id": id });
                if let (Value::Object(line), Value::Object(map)) = (&mut line, law_json(&map)) {
                    line.extend(map);
                }
                line.to_string()
            }
        });
        n_done += 1;
        if let Some(bar) = &bar {
            bar.count(n_done, n_systems as u64);
        }
    };
    let systems = arguments.systems.as_deref();
    let done = map_many(flags, systems, arguments.closed_world, &mut each).await;
    if let Some(bar) = &bar {
        bar.done();
    }
    done?;
    Ok(CLEAR)
}

fn counts(id: &str, map: &LawMap) -> String {
    format!(
        "{:8}  {:5}  {:7}  {:7}  {:5}  {:14}  {id}",
        map.in_force.len(),
        map.upcoming.len(),
        map.waiting.len(),
        map.unknown.len(),
        map.ended.len(),
        map.not_applicable.len()
    )
}

fn law_json(map: &LawMap) -> Value {
    json!({
        "derived": map.derived,
        "in_force": map.in_force,
        "upcoming": map.upcoming,
        "waiting": map.waiting,
        "not_applicable": map.not_applicable,
        "ended": map.ended,
        "unknown": map.unknown,
        "preview": map.preview,
        "for_counsel": map.for_counsel,
        "force": map.force,
    })
}

/// An open requirement that waits for at most so many facts is told by itself: an answer settles it.
const N_FACTS_NEAR: usize = 2;

/// Facts that most open requirements wait for, named on the screen.
const N_FACTS_NAMED: usize = 12;

/// One system in full, by pack in the order of the packs; what is open is told by the facts it waits for.
fn law_words(map: &LawMap, named: &[Named]) -> String {
    let mut page = String::new();
    if let Some(when) = map.when {
        page.push_str(&format!(
            "on {}, law as known on {}\n",
            when.valid, when.known
        ));
    }
    page.push_str(&format!(
        "in force {} · ahead {} · waiting {} · unknown {} · ended {} · not applicable {}\n",
        map.in_force.len(),
        map.upcoming.len(),
        map.waiting.len(),
        map.unknown.len(),
        map.ended.len(),
        map.not_applicable.len()
    ));
    let mut pack = "";
    for one in named {
        let Some(standing) = standing(map, &one.id) else {
            continue;
        };
        if pack != one.pack {
            page.push_str(&format!("\n{}\n", one.pack));
            pack = &one.pack;
        }
        let mut notes = String::new();
        if let Some(facts) = map.unknown.get(&one.id) {
            notes.push_str(&format!(" [needs {}]", facts.join(", ")));
        }
        if let Some(words) = map.force.get(&one.id) {
            notes.push_str(&format!(" [{words}]"));
        }
        if map.for_counsel.contains(&one.id) {
            notes.push_str(" [for counsel: its core is not confirmed]");
        } else if map.preview.contains(&one.id) {
            notes.push_str(" [a side note is not confirmed]");
        }
        let lead = format!("  {standing}  {}: ", one.id);
        page.push_str(&hung(&lead, 6, &format!("{}{notes}", one.what), WIDTH));
    }
    page.push_str(&open_words(map));
    page.trim_end().to_owned()
}

/// How a requirement that concerns the system stands; `None` where it does not, no longer does, or is far from settled.
fn standing(map: &LawMap, id: &str) -> Option<String> {
    if map.in_force.iter().any(|other| other == id) {
        return Some("in force".to_owned());
    }
    if let Some(day) = map.upcoming.get(id) {
        return Some(format!("ahead, from {day}"));
    }
    if let Some(day) = map.waiting.get(id) {
        return Some(format!("waiting until {day}"));
    }
    let facts = map.unknown.get(id)?;
    // What nobody has adopted waits for that decision, not for an answer about the system.
    let voluntary = |words: &String| words == "voluntary" || words.starts_with("what-if");
    let asked = !map.force.get(id).is_some_and(voluntary);
    (asked && facts.len() <= N_FACTS_NEAR).then(|| "unknown".to_owned())
}

/// What is open, counted by the facts it waits for.
fn open_words(map: &LawMap) -> String {
    if map.unknown.is_empty() {
        return String::new();
    }
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in map.unknown.values().flatten() {
        *waiting.entry(fact).or_default() += 1;
    }
    let mut facts: Vec<(&str, usize)> = waiting.into_iter().collect();
    facts.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    let named: Vec<String> = facts
        .iter()
        .take(N_FACTS_NAMED)
        .map(|(name, n)| format!("{name} ({n})"))
        .collect();
    let more = match facts.len().saturating_sub(N_FACTS_NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let text = format!(
        "{} wait for {} facts: {}{more}. `alnager law interview --facts FILE` asks them in the order that settles most; `--format json` names those of each requirement.",
        map.unknown.len(),
        facts.len(),
        named.join(", ")
    );
    format!("\n{}", hung("unknown: ", 2, &text, WIDTH))
}
