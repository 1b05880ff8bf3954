//! `alnager people`, `hold` and `erase`.

use alnager_office::people::Basis;
use alnager_office::state::State;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::people;
use alnager_work::records;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, acknowledge, pretty};
use crate::terminal::say;

/// Commands about people.
#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// List everyone the desk knows: name, id, legal hold, erasure
    List,
}

/// Commands about legal holds.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Place a legal hold on a person: until it is released nobody erases them
    Place(HoldArguments),
    /// Release the legal hold on a person
    Release(HoldArguments),
    /// List the people under a legal hold
    List,
}

/// A person and a reason.
#[derive(Debug, Args)]
pub(crate) struct HoldArguments {
    /// The person, by name or id
    pub(crate) person: String,
    /// Why, such as the claim for which the data are kept
    #[arg(long)]
    pub(crate) reason: String,
}

/// Whom to erase, and why.
#[derive(Debug, Args)]
pub(crate) struct EraseArguments {
    /// The person, by name or id
    pub(crate) person: String,
    /// On what ground; the first six are those of GDPR Art 17(1)
    #[arg(long, value_parser = bases())]
    pub(crate) basis: Basis,
    /// Why, without the person's name: the reason stays
    #[arg(long)]
    pub(crate) reason: String,
}

fn bases() -> impl TypedValueParser<Value = Basis> {
    let values = Basis::ALL.map(|basis| PossibleValue::new(basis.word()).help(basis.what()));
    PossibleValuesParser::new(values)
        .try_map(|word| Basis::of(&word).ok_or("there is no such ground"))
}

/// Erases a person.
pub(crate) async fn erase(
    flags: &Flags,
    arguments: &EraseArguments,
    format: Format,
) -> Result<u8, JobError> {
    let EraseArguments {
        person,
        basis,
        reason,
    } = arguments;
    let erased = people::erase(flags, person, *basis, reason).await?;
    let (erasure, receipt) = (&erased.erasure, &erased.erasure.receipt);
    let id = erasure.person.to_string();
    let words = erased.state.name(&id);
    say(&match format {
        Format::Text => format!(
            "{words}, id {id}: {} payloads and {} blobs are deleted, as {} asked in entry {}\n\
             whatever else names the person (declarations, documents, reasons, copies of reports) is yours to change",
            erasure.n_payloads, erasure.n_blobs, erased.actor, erasure.requested
        ),
        Format::Json => json!({
            "done": words, "person": id, "basis": basis.word(), "requested": erasure.requested,
            "payloads": erasure.n_payloads, "blobs": erasure.n_blobs,
            "journal": { "origin": receipt.origin, "size": receipt.size, "root": receipt.root.to_base64() },
        })
        .to_string(),
    });
    Ok(CLEAR)
}

/// Lists people.
pub(crate) async fn list(flags: &Flags, format: Format) -> Result<u8, JobError> {
    let state = records::state(flags).await?;
    show(&state, &known(&state), "the desk knows nobody yet", format);
    Ok(CLEAR)
}

/// Places, releases or lists legal holds.
pub(crate) async fn hold(
    flags: &Flags,
    command: &HoldCommand,
    format: Format,
) -> Result<u8, JobError> {
    let (entered, arguments, word) = match command {
        HoldCommand::Place(arguments) => {
            let entered = people::place_hold(flags, &arguments.person, &arguments.reason).await?;
            (entered, arguments, "placed on")
        }
        HoldCommand::Release(arguments) => {
            let entered = people::release_hold(flags, &arguments.person, &arguments.reason).await?;
            (entered, arguments, "released from")
        }
        HoldCommand::List => {
            let state = records::state(flags).await?;
            let mut held = known(&state);
            held.retain(|id| state.holds.contains_key(*id));
            show(&state, &held, "nobody is under a legal hold", format);
            return Ok(CLEAR);
        }
    };
    let words = format!(
        "a legal hold is {word} {} by {}",
        arguments.person, entered.actor
    );
    acknowledge(&entered, &words, format)
}

/// The ids of everyone the desk knows, by name; who has none comes last.
fn known(state: &State) -> Vec<&str> {
    let mut ids: Vec<&str> = state.person_entries.keys().map(String::as_str).collect();
    ids.sort_by_key(|id| {
        let name = state.people.get(*id).map(|name| name.to_lowercase());
        (name.is_none(), name, *id)
    });
    ids
}

fn show(state: &State, ids: &[&str], nobody: &str, format: Format) {
    say(&match format {
        Format::Text if ids.is_empty() => nobody.to_owned(),
        Format::Text => {
            let lines = ids.iter().map(|id| words(state, id));
            lines.collect::<Vec<_>>().join("\n")
        }
        Format::Json => {
            let rows: Vec<Value> = ids.iter().map(|id| row(state, id)).collect();
            pretty(&json!({ "people": rows }))
        }
    });
}

fn words(state: &State, id: &str) -> String {
    let mut lines = vec![format!("{id} {}", shown(state, id))];
    if let Some(hold) = state.holds.get(id) {
        lines.push(format!(
            "  HELD since {} by {}: {} (entry {})",
            hold.on,
            state.name(&hold.by),
            hold.reason,
            hold.placed_at
        ));
    }
    if let Some(erased) = state.erased.get(id) {
        let cite = erased.basis.cite();
        let cite = cite.map_or(String::new(), |cite| format!(", {cite}"));
        let stands = match erased.executed {
            Some(_) => String::new(),
            None => {
                format!("; NOT FINISHED: ask again, `alnager erase {id}` with --basis and --reason")
            }
        };
        lines.push(format!(
            "  asked for on {} in entry {}: {}{cite}{stands}",
            erased.on,
            erased.requested,
            erased.basis.word()
        ));
    }
    lines.join("\n")
}

fn row(state: &State, id: &str) -> Value {
    let hold = state.holds.get(id).map(|hold| {
        json!({
            "reason": hold.reason, "by": state.name(&hold.by), "on": hold.on, "entry": hold.placed_at,
        })
    });
    let erased = state.erased.get(id).map(|erased| {
        json!({
            "basis": erased.basis.word(), "cite": erased.basis.cite(), "on": erased.on,
            "requested": erased.requested, "executed": erased.executed,
        })
    });
    json!({ "id": id, "name": shown(state, id), "hold": hold, "erased": erased })
}

/// The name, or words in its place.
fn shown(state: &State, id: &str) -> String {
    let is_named = state.people.contains_key(id) || state.erased.contains_key(id);
    match is_named {
        true => state.name(id),
        false => "(no name can be read; `alnager desk verify` says why)".to_owned(),
    }
}
