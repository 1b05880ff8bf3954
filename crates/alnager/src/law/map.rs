//! `alnager law map`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::map::{LawMap, map, map_many};
use clap::Args;
use jiff::civil::Date;
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
        Format::Text => law_words(&map),
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

fn law_words(map: &LawMap) -> String {
    let dated = |days: &BTreeMap<String, Date>| -> Vec<String> {
        days.iter()
            .map(|(id, day)| format!("{id} ({day})"))
            .collect()
    };
    let unknown = map
        .unknown
        .iter()
        .map(|(id, facts)| format!("{id} (needs {})", facts.join(", ")));
    let mut lines = Vec::new();
    if let Some(when) = map.when {
        lines.push(format!("on {}, law as known on {}", when.valid, when.known));
    }
    for (word, ids) in [
        ("in force", map.in_force.clone()),
        ("ahead", dated(&map.upcoming)),
        ("waiting", dated(&map.waiting)),
        ("ended", map.ended.clone()),
        ("unknown", unknown.collect()),
        ("preview", map.preview.clone()),
        ("for counsel", map.for_counsel.clone()),
        (
            "not simply enforceable",
            map.force
                .iter()
                .map(|(id, words)| format!("{id} ({words})"))
                .collect(),
        ),
    ] {
        let list = if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        };
        lines.push(format!("{word} {}: {list}", ids.len()));
    }
    lines.push(format!("not applicable {}", map.not_applicable.len()));
    lines.join("\n")
}
