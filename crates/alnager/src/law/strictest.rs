//! `alnager law strictest`.

use std::path::PathBuf;

use alnager_law::strictest::{Ranking, Sourced};
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::strictest::{Strictest, of_facts, of_system};
use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// Whose figures to rank.
#[derive(Debug, Args)]
pub(crate) struct StrictestArguments {
    /// A system of the desk
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "facts",
        conflicts_with = "facts"
    )]
    system: Option<String>,
    /// A JSON object of facts, or one that holds them under `facts`
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Take what is not listed as false, empty, or failing every comparison
    #[arg(long, requires = "facts")]
    closed_world: bool,
}

/// Ranks and prints.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &StrictestArguments,
    format: Format,
) -> Result<u8, JobError> {
    let found = match (&arguments.system, &arguments.facts) {
        (Some(system), _) => of_system(flags, system).await?,
        (None, Some(facts)) => of_facts(flags, facts, arguments.closed_world)?,
        (None, None) => {
            return Err(JobError::Input(
                "name a system of the desk with --system ID, or a file of facts with --facts FILE"
                    .to_owned(),
            ));
        }
    };
    say(&match format {
        Format::Text => words(&found),
        Format::Json => pretty(&document(&found)),
    });
    Ok(CLEAR)
}

fn words(found: &Strictest) -> String {
    let mut lines = vec![format!(
        "on {}, law as known on {}",
        found.when.valid, found.when.known
    )];
    if found.rankings.is_empty() {
        lines.push("nothing that concerns it sets a figure".to_owned());
    }
    for ranking in &found.rankings {
        lines.push(ranking.title.clone());
        let lead = match ranking.heads.len() {
            1 => "strictest",
            _ => "nobody can say which is stricter",
        };
        for head in &ranking.heads {
            let figures: Vec<String> = head.figures.iter().map(sourced).collect();
            lines.push(format!("    {lead}: {}", figures.join(" = ")));
            let covers = head.covers.iter().map(sourced);
            lines.extend(covers.map(|words| format!("        covers {words}")));
        }
        for (one, other, why) in &ranking.apart {
            let (one, other) = (first(ranking, *one), first(ranking, *other));
            lines.push(format!(
                "    not comparable: {one} and {other}: {}",
                why.words()
            ));
        }
    }
    lines.join("\n")
}

fn first(ranking: &Ranking, head: usize) -> String {
    let figure = ranking.heads[head].figures.first();
    figure.map_or(String::new(), |one| one.requirement.clone())
}

fn sourced(one: &Sourced) -> String {
    let ahead = one
        .ahead
        .map_or(String::new(), |day| format!(", from {day}"));
    format!(
        "{} ({}: {}{ahead})",
        one.figure.words(),
        one.requirement,
        one.citation
    )
}

fn document(found: &Strictest) -> Value {
    let figure = |one: &Sourced| {
        json!({
            "requirement": one.requirement, "pack": one.pack, "bound": one.figure.bound.words(),
            "amount": one.figure.amount.to_string(), "citation": one.citation, "ahead": one.ahead,
        })
    };
    let rankings = found.rankings.iter().map(|ranking| {
        let heads = ranking.heads.iter().map(|head| {
            json!({
                "figures": head.figures.iter().map(figure).collect::<Vec<_>>(),
                "covers": head.covers.iter().map(figure).collect::<Vec<_>>(),
            })
        });
        let apart = ranking.apart.iter().map(|(one, other, why)| {
            json!({ "between": [first(ranking, *one), first(ranking, *other)], "why": why.words() })
        });
        json!({
            "kind": ranking.kind, "title": ranking.title, "comparable": ranking.heads.len() == 1,
            "heads": heads.collect::<Vec<_>>(), "not_comparable": apart.collect::<Vec<_>>(),
        })
    });
    json!({
        "on": found.when.valid, "known": found.when.known,
        "figures": rankings.collect::<Vec<_>>(),
    })
}
