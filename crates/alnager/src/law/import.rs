//! `alnager law import`.

use std::path::PathBuf;

use alnager_law::text::stamp::NotJudged;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::write_whole;
use alnager_work::law::counsel::{EnteredText, enter_text};
use alnager_work::law::text::{Imported, import};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// What to import.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The official text: Formex 4, EUR-Lex XHTML, eCFR XML or RegML, packed or not; an act before its annexes
    #[arg(required = true)]
    pub(crate) file: Vec<PathBuf>,
    /// Write the provision tree to this file
    #[arg(long, value_name = "FILE.json")]
    pub(crate) out: Option<PathBuf>,
    /// Let it take the place of a later text that the desk holds; not for who builds a system
    #[arg(long, requires = "reason")]
    pub(crate) replace: bool,
    /// Why it takes the place of a later text
    #[arg(long, value_name = "TEXT", requires = "replace")]
    pub(crate) reason: Option<String>,
}

/// Imports and prints what was found.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &ImportArguments,
    format: Format,
) -> Result<u8, JobError> {
    let imported = import(&arguments.file)?;
    let entered = enter_text(
        flags,
        &arguments.file,
        &imported,
        arguments.reason.as_deref(),
    )
    .await?;
    if let Some(out) = &arguments.out {
        write_whole(out, &imported.json)?;
    }
    say(&match format {
        Format::Text => words(flags, &imported, &entered, arguments),
        Format::Json => pretty(&summary(&imported, &entered)),
    });
    Ok(CLEAR)
}

fn summary(imported: &Imported, entered: &EnteredText) -> Value {
    let tree = &imported.tree;
    let kinds: Map<String, Value> = tree
        .counts()
        .into_iter()
        .map(|(kind, n)| (kind.word().to_owned(), json!(n)))
        .collect();
    json!({
        "work": tree.work,
        "title": tree.title,
        "language": tree.language,
        "format": tree.format.word(),
        "valid_from": tree.valid_from.map(|day| day.to_string()),
        "n_provisions": tree.provisions.len() - 1,
        "kinds": kinds,
        "sha256": tree.root_hash().to_string(),
        "stale": entered.stale,
        "n_not_judged": entered.unjudged.len(),
        "not_judged": entered.unjudged.iter().map(|one| json!({
            "requirement": one.requirement,
            "provision": one.provision,
            "why": one.why.word(),
        })).collect::<Vec<_>>(),
        "journal": entered.entered.as_ref().map(|entered| json!({
            "origin": entered.receipt.origin,
            "size": entered.receipt.size,
            "root": entered.receipt.root.to_base64(),
        })),
    })
}

fn words(
    flags: &Flags,
    imported: &Imported,
    entered: &EnteredText,
    arguments: &ImportArguments,
) -> String {
    let tree = &imported.tree;
    let valid = tree
        .valid_from
        .map(|day| format!(", valid from {day}"))
        .unwrap_or_default();
    let mut lines = vec![
        format!(
            "{} ({}, {}{valid})",
            tree.work,
            tree.format.word(),
            tree.language
        ),
        tree.title.clone(),
    ];
    // The work itself is the root of the tree, not a provision.
    lines.push(format!("{} provisions", tree.provisions.len() - 1));
    for (kind, n) in tree.counts().into_iter().skip(1) {
        lines.push(format!("  {n:>6}  {}", kind.word()));
    }
    lines.push(format!("sha256 {}", tree.root_hash()));
    if let Some(out) = &arguments.out {
        lines.push(format!("written to {}", out.display()));
    }
    let mut requirements: Vec<&str> = entered
        .stale
        .iter()
        .map(|stale| stale.requirement.as_str())
        .collect();
    requirements.dedup();
    lines.push(match requirements.len() {
        0 => "no requirement of the packs in use was written against another wording".to_owned(),
        n => format!(
            "{n} requirements were written against another wording and are stale until confirmed (`alnager law confirm ID --reason TEXT`): {}",
            requirements.join(", ")
        ),
    });
    if !entered.unjudged.is_empty() {
        lines.push(format!(
            "{} cited provisions are not judged by this text:",
            entered.unjudged.len()
        ));
    }
    for why in NotJudged::ALL {
        let of_it = entered.unjudged.iter().filter(|one| one.why == why);
        let named: Vec<String> = of_it
            .map(|one| format!("{} ({})", one.requirement, one.provision))
            .collect();
        if !named.is_empty() {
            let n = named.len();
            lines.push(format!("  {n} {}: {}", why.words(), named.join(", ")));
        }
    }
    lines.push(match &entered.entered {
        Some(entered) => format!(
            "entered as entry {} of {}",
            entered.receipt.end - 1,
            entered.receipt.origin
        ),
        None => format!("nothing was entered: there is no desk at {}", flags.desk),
    });
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}
