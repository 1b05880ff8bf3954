//! `alnager law adopt`, `drop`, `reading` and `confirm`: decisions about law itself.

use alnager_law::book::Book;
use alnager_office::counsel::{Counsel, Opinion};
use alnager_office::state::State;
use alnager_work::acting::{Acting, Flags};
use alnager_work::error::JobError;
use alnager_work::law::counsel;
use alnager_work::records;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::arguments::Format;
use crate::run::{CLEAR, acknowledge, pretty};
use crate::terminal::say;

/// A framework to adopt or drop.
#[derive(Debug, Args)]
pub(crate) struct FrameworkArguments {
    /// The pack, such as iso-42001
    pub(crate) pack: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}

/// A requirement to confirm.
#[derive(Debug, Args)]
pub(crate) struct ConfirmArguments {
    /// The requirement, such as EUAIA-9
    pub(crate) requirement: String,
    /// Why it still holds
    #[arg(long)]
    pub(crate) reason: String,
}

/// Counsel's readings.
#[derive(Debug, Subcommand)]
pub(crate) enum ReadingCommand {
    /// It binds as the pack says
    Adopt(ReadingArguments),
    /// It does not bind the organisation
    Reject(ReadingArguments),
    /// List readings, adopted frameworks and stale requirements
    List,
}

/// A reading.
#[derive(Debug, Args)]
pub(crate) struct ReadingArguments {
    /// The requirement
    pub(crate) requirement: String,
    /// The interpretation, in counsel's words
    #[arg(long)]
    pub(crate) text: String,
}

/// Adopts or drops a framework.
pub(crate) async fn adopt(
    flags: &Flags,
    arguments: &FrameworkArguments,
    is_adopted: bool,
    format: Format,
) -> Result<u8, JobError> {
    let pack = &arguments.pack;
    let entered = counsel::adopt(flags, pack, is_adopted, &arguments.reason).await?;
    let word = if is_adopted { "adopted" } else { "dropped" };
    acknowledge(
        &entered,
        &format!("`{pack}` is {word} by {}", entered.actor),
        format,
    )
}

/// Confirms a requirement against the text as it reads now.
pub(crate) async fn confirm(
    flags: &Flags,
    arguments: &ConfirmArguments,
    format: Format,
) -> Result<u8, JobError> {
    let requirement = &arguments.requirement;
    let entered = counsel::confirm(flags, requirement, &arguments.reason).await?;
    let words = format!(
        "`{requirement}` is confirmed against the text as it reads now by {}",
        entered.actor
    );
    acknowledge(&entered, &words, format)
}

/// Records or lists readings.
pub(crate) async fn reading(
    flags: &Flags,
    command: &ReadingCommand,
    format: Format,
) -> Result<u8, JobError> {
    let (arguments, opinion, word) = match command {
        ReadingCommand::Adopt(arguments) => (arguments, Opinion::Adopted, "adopted"),
        ReadingCommand::Reject(arguments) => (arguments, Opinion::Rejected, "rejected"),
        ReadingCommand::List => {
            let state = records::state(flags).await?;
            let book = Acting::begin(flags)?.library.book;
            say(&match format {
                Format::Text => list_words(&state, &book),
                Format::Json => pretty(&list_json(&state, &book)),
            });
            return Ok(CLEAR);
        }
    };
    let requirement = &arguments.requirement;
    let entered = counsel::read(flags, requirement, opinion, &arguments.text).await?;
    let words = format!("`{requirement}` is {word} by {}", entered.actor);
    acknowledge(&entered, &words, format)
}

fn opinion_word(opinion: Opinion) -> &'static str {
    match opinion {
        Opinion::Adopted => "binds as the pack says",
        Opinion::Rejected => "does not bind the organisation",
    }
}

fn list_words(state: &State, book: &Book) -> String {
    let counsel: &Counsel = &state.counsel;
    let mut lines = Vec::new();
    for decision in counsel.frameworks.values() {
        let word = if decision.is_adopted {
            "adopted"
        } else {
            "dropped"
        };
        let by = state.name(&decision.by);
        lines.push(format!(
            "framework {}: {word} on {} by {by}: {}",
            decision.pack, decision.on, decision.reason
        ));
    }
    for reading in counsel.readings.values() {
        lines.push(format!(
            "reading {}: {}, on {} by {}: {}",
            reading.requirement,
            opinion_word(reading.opinion),
            reading.on,
            state.name(&reading.by),
            reading.text
        ));
    }
    for text in counsel.texts.values() {
        lines.push(format!(
            "text {}: {} provisions, imported on {} by {}",
            text.work,
            text.n_provisions,
            text.on,
            state.name(&text.by)
        ));
    }
    for (requirement, stale) in counsel.all_stale(book) {
        let provisions: Vec<&str> = stale.iter().map(|one| one.provision.as_str()).collect();
        lines.push(format!("stale {requirement}: {}", provisions.join(", ")));
    }
    if lines.is_empty() {
        lines.push(
            "no framework is adopted, no reading is recorded, no official text is imported"
                .to_owned(),
        );
    }
    lines.join("\n")
}

fn list_json(state: &State, book: &Book) -> serde_json::Value {
    let counsel: &Counsel = &state.counsel;
    let frameworks = counsel.frameworks.values().map(|decision| {
        json!({
            "pack": decision.pack, "adopted": decision.is_adopted, "on": decision.on,
            "by": state.name(&decision.by), "reason": decision.reason,
        })
    });
    let readings = counsel.readings.values().map(|reading| {
        json!({
            "requirement": reading.requirement, "opinion": reading.opinion, "text": reading.text,
            "settles": reading.settles, "on": reading.on, "by": state.name(&reading.by),
        })
    });
    let texts = counsel.texts.values().map(|text| {
        json!({
            "work": text.work, "file": text.file, "sha256": text.sha256,
            "provisions": text.n_provisions, "on": text.on, "by": state.name(&text.by),
        })
    });
    let stale = counsel.all_stale(book).into_iter();
    let stale = stale
        .map(|(requirement, stale)| json!({ "requirement": requirement, "provisions": stale }));
    json!({
        "frameworks": frameworks.collect::<Vec<_>>(),
        "readings": readings.collect::<Vec<_>>(),
        "texts": texts.collect::<Vec<_>>(),
        "stale": stale.collect::<Vec<_>>(),
    })
}
