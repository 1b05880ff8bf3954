//! `alnager opinion`.

use std::path::PathBuf;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_office::opinion::{AuditOpinion, Conclusion, Moved};
use alnager_office::state::State;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::{read_text, refuse_existing, write_whole};
use alnager_work::opinion::{self, Giving};
use alnager_work::records;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, acknowledge, pretty};
use crate::terminal::say;

/// Commands about audit opinions.
#[derive(Debug, Subcommand)]
pub(crate) enum OpinionCommand {
    /// List audit opinions, the latest first
    List {
        /// Only those on this system
        #[arg(long, value_name = "ID")]
        system: Option<String>,
        /// Also those that were withdrawn or replaced
        #[arg(long)]
        all: bool,
    },
    /// Write the text of an opinion, to be signed with `audit sign`
    Text {
        /// The opinion.
        #[command(flatten)]
        opinion: OpinionArguments,
        /// Where the text goes, a new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Give an opinion on a system, as an auditor who had no hand in it
    Give {
        /// The opinion.
        #[command(flatten)]
        opinion: OpinionArguments,
        /// The note with which you signed the text that `opinion text` wrote
        #[arg(long, value_name = "NOTE")]
        signature: Option<PathBuf>,
    },
    /// Withdraw an opinion of your own
    Withdraw {
        /// The opinion, such as O7
        opinion: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// An opinion.
#[derive(Debug, Args)]
pub(crate) struct OpinionArguments {
    /// The system's id
    system: String,
    /// What you conclude
    #[arg(long, value_parser = conclusions())]
    conclusion: Conclusion,
    /// On what basis, without anybody's name
    #[arg(long)]
    basis: String,
    /// The checkpoint of what you read, as a file; without it the journal as it is now
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

fn conclusions() -> impl TypedValueParser<Value = Conclusion> {
    let values = Conclusion::ALL.map(|one| PossibleValue::new(one.word()).help(one.what()));
    PossibleValuesParser::new(values)
        .try_map(|word| Conclusion::of(&word).ok_or("there is no such conclusion"))
}

impl OpinionArguments {
    fn giving(&self, note: Option<&PathBuf>) -> Result<Giving, JobError> {
        let checkpoint = match &self.checkpoint {
            None => None,
            Some(file) => {
                let signed = SignedCheckpoint::parse(read_text(file)?.as_bytes());
                Some(signed.map_err(|error| {
                    JobError::Input(format!(
                        "`{}` is no checkpoint ({error}); take it again with `alnager journal checkpoint`",
                        file.display()
                    ))
                })?)
            }
        };
        Ok(Giving {
            system: self.system.clone(),
            conclusion: self.conclusion,
            basis: self.basis.clone(),
            checkpoint,
            note: note.map(|note| read_text(note)).transpose()?,
        })
    }
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &OpinionCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        OpinionCommand::List { system, all } => {
            let state = records::state(flags).await?;
            say(&list(&state, system.as_deref(), *all, format));
            Ok(CLEAR)
        }
        OpinionCommand::Text { opinion, out } => {
            refuse_existing(out)?;
            let text = opinion::text(flags, &opinion.giving(None)?).await?;
            write_whole(out, text.as_bytes())?;
            let file = out.display().to_string();
            say(&match format {
                Format::Text => format!(
                    "the text is in {file}; sign it with `alnager audit sign`, then give the opinion with --signature and the same words"
                ),
                Format::Json => pretty(&json!({ "file": file, "text": text })),
            });
            Ok(CLEAR)
        }
        OpinionCommand::Give { opinion, signature } => {
            let giving = opinion.giving(signature.as_ref())?;
            let entered = opinion::give(flags, &giving).await?;
            let given = entered.state.opinion_on(&giving.system);
            let words = given.map_or(String::new(), |one| {
                format!(
                    "{} is given: {} on `{}`, on the first {} entries, by {}",
                    one.given.opinion,
                    one.given.conclusion.word(),
                    one.given.system,
                    one.given.size,
                    entered.actor
                )
            });
            acknowledge(&entered, &words, format)
        }
        OpinionCommand::Withdraw { opinion, reason } => {
            let entered = opinion::withdraw(flags, opinion, reason).await?;
            let words = format!("{opinion} is withdrawn by {}", entered.actor);
            acknowledge(&entered, &words, format)
        }
    }
}

fn list(state: &State, system: Option<&str>, all: bool, format: Format) -> String {
    let stands = |one: &&AuditOpinion| {
        let standing = state.opinion_on(&one.given.system);
        standing.is_some_and(|standing| standing.at == one.at)
    };
    let known = state.opinions.values().flatten();
    let mut known: Vec<&AuditOpinion> = known
        .filter(|one| system.is_none_or(|system| one.given.system == system))
        .filter(|one| all || stands(one))
        .collect();
    known.sort_by_key(|one| std::cmp::Reverse(one.at));
    let rows = known.iter().map(|one| (*one, stands(one)));
    if format == Format::Json {
        let rows: Vec<Value> = rows.map(|(one, stands)| row(one, stands, state)).collect();
        return pretty(&json!({ "opinions": rows }));
    }
    if known.is_empty() {
        return "no audit opinion stands; an auditor gives one with `alnager opinion give`"
            .to_owned();
    }
    let words = rows.map(|(one, stands)| words(one, stands, state));
    words.collect::<Vec<_>>().join("\n")
}

fn words(one: &AuditOpinion, is_standing: bool, state: &State) -> String {
    let given = &one.given;
    let stands = match (&one.withdrawn, is_standing) {
        (Some(withdrawn), _) => format!("withdrawn on {}: {}", withdrawn.on, withdrawn.reason),
        (None, false) => "replaced by a later one".to_owned(),
        (None, true) => moved_words(state.moved_since(&given.system, given.size)),
    };
    let signed = match &given.signature {
        Some(signature) => format!("; signed with {}", signature.key),
        None => String::new(),
    };
    format!(
        "{:<5} {} on {}, by {} on {}, entry {}\n      on the first {} entries, root {}{signed}; {stands}\n      {}",
        given.opinion,
        given.conclusion.word(),
        given.system,
        state.name(&given.by),
        given.on,
        one.at,
        given.size,
        given.root,
        given.basis.replace('\n', "\n      ")
    )
}

/// Whether the record has moved since, in words.
fn moved_words(moved: Moved) -> String {
    match (moved.system, moved.organisation) {
        (None, None) => "the record has not moved since".to_owned(),
        (Some(at), None) => format!("THE RECORD HAS MOVED SINCE: entry {at} about the system"),
        (None, Some(at)) => {
            format!("THE RECORD HAS MOVED SINCE: entry {at} about the organisation")
        }
        (Some(at), Some(of_all)) => format!(
            "THE RECORD HAS MOVED SINCE: entry {at} about the system, entry {of_all} about the organisation"
        ),
    }
}

fn row(one: &AuditOpinion, is_standing: bool, state: &State) -> Value {
    let given = &one.given;
    let moved = state.moved_since(&given.system, given.size);
    let withdrawn = one.withdrawn.as_ref();
    let withdrawn = withdrawn.map(|one| json!({ "on": one.on, "reason": one.reason }));
    json!({
        "id": given.opinion, "system": given.system, "conclusion": given.conclusion.word(), "basis": given.basis,
        "size": given.size, "root": given.root, "by": state.name(&given.by), "on": given.on, "entry": one.at,
        "key": given.signature.as_ref().map(|signature| &signature.key), "stands": is_standing, "withdrawn": withdrawn,
        "moved": { "system": moved.system, "organisation": moved.organisation },
    })
}
