//! `alnager journal`.

use std::path::PathBuf;

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::{refuse_existing, write_whole};
use alnager_work::journal::{self, Broken, Consistency, Proven, Published, Whole};
use alnager_work::verify::with_causes;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::desk::{self, ForkArguments};
use crate::run::{CLEAR, HOLD, cosigned_json, cosigned_words, pretty, trust};
use crate::terminal::{Bar, say};
use crate::witness::{self, ListedCommand, SubmitArguments};

/// Commands about the journal, for outsiders.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Write the journal as static files that any web server can hand out, or what is new in it
    Publish {
        /// The folder, of its own; made when it is not there
        dir: PathBuf,
    },
    /// Check a published journal whole; needs no desk, no network and no account
    Check(CheckArguments),
    /// Print the signed checkpoint
    Checkpoint,
    /// Prove that an entry is in the journal
    Proof(ProofArguments),
    /// Prove that an earlier journal is the beginning of this one; prints what a witness is sent
    Consistency {
        /// Number of entries of the earlier one
        old: u64,
        /// Number of entries of the later one; without it that of the last checkpoint
        new: Option<u64>,
    },
    /// Let a journal that is not the one last signed go on under a new origin
    Fork(ForkArguments),
    /// Make tiles and snapshot anew from the entries
    Rebuild,
    /// List whom `submit` asks, and change the list
    #[command(subcommand)]
    Witness(ListedCommand),
    /// Submit the journal's checkpoint to the desk's witnesses, and keep what they cosign
    Submit(SubmitArguments),
}

/// What to check, and whom to believe.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The published folder, or a copy of it
    pub(crate) dir: PathBuf,
    /// The log key you trust, as `alnager desk key` prints it
    #[arg(long, value_name = "VKEY", conflicts_with = "policy")]
    pub(crate) key: Option<String>,
    /// A trust policy file of your own (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// What to prove.
#[derive(Debug, Args)]
pub(crate) struct ProofArguments {
    /// Index of the entry, from 0
    pub(crate) index: u64,
    /// Number of entries of the checkpoint; without it the last one
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u64>,
    /// Where the proof goes, such as entry-7.tlog-proof; without it it is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Where the entry itself goes, which is needed to check the proof
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &JournalCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        JournalCommand::Publish { dir } => {
            let bar = Bar::new();
            let show = |done, total| bar.steps("publishing", "files", done, total);
            let published = journal::publish(flags, dir, &show).await;
            bar.done();
            let published = published?;
            let shown = dir.display().to_string();
            say(&match format {
                Format::Text => publish_words(&published, &shown),
                Format::Json => pretty(&publish_json(&published, &shown)),
            });
            Ok(CLEAR)
        }
        JournalCommand::Check(arguments) => check(arguments, format),
        JournalCommand::Checkpoint => {
            let checkpoint = journal::checkpoint(flags).await?.to_string();
            say(&match format {
                Format::Text => checkpoint,
                Format::Json => json!({ "checkpoint": checkpoint }).to_string(),
            });
            Ok(CLEAR)
        }
        JournalCommand::Proof(arguments) => proof(flags, arguments, format).await,
        JournalCommand::Consistency { old, new } => {
            let proven = journal::consistency(flags, *old, *new).await?;
            say(&match format {
                Format::Text => consistency_words(&proven),
                Format::Json => pretty(&consistency_json(&proven)),
            });
            Ok(CLEAR)
        }
        JournalCommand::Fork(arguments) => desk::fork(flags, arguments, format).await,
        JournalCommand::Rebuild => desk::rebuild(flags, format).await,
        JournalCommand::Witness(command) => witness::listed(flags, command, format).await,
        JournalCommand::Submit(arguments) => witness::submit(flags, arguments, format).await,
    }
}

fn check(arguments: &CheckArguments, format: Format) -> Result<u8, JobError> {
    let trust = trust(arguments.key.as_deref(), arguments.policy.as_deref())?;
    let bar = Bar::new();
    let found = journal::check(&arguments.dir, &trust, &|done, total| {
        bar.steps("checking", "entries", done, total);
    });
    bar.done();
    let found = found?;
    say(&match format {
        Format::Text => check_words(&found),
        Format::Json => pretty(&check_json(&found)),
    });
    Ok(if found.is_ok() { CLEAR } else { HOLD })
}

async fn proof(flags: &Flags, arguments: &ProofArguments, format: Format) -> Result<u8, JobError> {
    for path in arguments.out.iter().chain(&arguments.entry) {
        refuse_existing(path)?;
    }
    let Proven { proof, entry } = journal::prove(flags, arguments.index, arguments.size).await?;
    if let Some(path) = &arguments.entry {
        write_whole(path, &entry)?;
    }
    let text = proof.to_string();
    let checkpoint = proof.checkpoint.checkpoint();
    if let Some(path) = &arguments.out {
        write_whole(path, text.as_bytes())?;
    }
    say(&match (format, &arguments.out) {
        (Format::Text, None) => text,
        (Format::Text, Some(path)) => format!(
            "entry {} of {} is proven in `{}` ({} hashes)",
            proof.index,
            checkpoint.size(),
            path.display(),
            proof.hashes.len()
        ),
        (Format::Json, _) => pretty(&json!({
            "index": proof.index, "size": checkpoint.size(), "root": checkpoint.root().to_base64(), "proof": text,
        })),
    });
    Ok(CLEAR)
}

fn publish_words(published: &Published, dir: &str) -> String {
    let checkpoint = published.checkpoint.checkpoint();
    let removed = match published.n_removed {
        0 => String::new(),
        n => format!(", {n} folders of outgrown files removed"),
    };
    format!(
        "{} of {} entries are new in `{dir}`: {} files written{removed}\n\
         log {}, root {}\n\
         whoever checks it needs the key {}",
        checkpoint.size() - published.n_before,
        checkpoint.size(),
        published.n_written,
        checkpoint.origin(),
        checkpoint.root().to_base64(),
        published.key
    )
}

fn publish_json(published: &Published, dir: &str) -> Value {
    let checkpoint = published.checkpoint.checkpoint();
    json!({
        "dir": dir, "origin": checkpoint.origin(), "size": checkpoint.size(), "root": checkpoint.root().to_base64(),
        "key": published.key.to_string(), "n_before": published.n_before, "n_written": published.n_written,
        "n_removed": published.n_removed,
    })
}

/// The body of `add-checkpoint` (C2SP tlog-witness): old size, proof, empty line, checkpoint.
fn consistency_words(proven: &Consistency) -> String {
    let hashes: String = proven
        .hashes
        .iter()
        .map(|hash| format!("{}\n", hash.to_base64()))
        .collect();
    format!("old {}\n{hashes}\n{}", proven.old, proven.checkpoint)
}

fn consistency_json(proven: &Consistency) -> Value {
    let checkpoint = proven.checkpoint.checkpoint();
    let hashes: Vec<String> = proven.hashes.iter().map(|hash| hash.to_base64()).collect();
    json!({
        "old": { "size": proven.old, "root": proven.old_root.to_base64() },
        "new": { "size": checkpoint.size(), "root": checkpoint.root().to_base64() },
        "proof": hashes, "checkpoint": proven.checkpoint.to_string(),
    })
}

fn check_words(found: &Result<Whole, Broken>) -> String {
    let whole = match found {
        Ok(whole) => whole,
        Err(broken) => return format!("refused: {}", with_causes(broken)),
    };
    let checked = &whole.checked;
    let checkpoint = checked.checkpoint.checkpoint();
    let signed = match &checked.signed {
        Some(signed) => format!("signed by {}, which you trust", signed.log),
        None => "its signature was not checked, for no key was named (--key, --policy)".to_owned(),
    };
    let mut lines = vec![
        format!("consistent; {signed}"),
        format!(
            "log {}, {} entries, root {}",
            checkpoint.origin(),
            checkpoint.size(),
            checkpoint.root().to_base64()
        ),
    ];
    let accepted = checked.signed.iter();
    lines.extend(accepted.flat_map(|signed| cosigned_words(&signed.witnesses)));
    lines.push(format!(
        "{} files, {} bytes; {} more from earlier sizes",
        checked.n_files, checked.n_bytes, whole.n_earlier
    ));
    if let Some(first) = whole.others.first() {
        lines.push(format!(
            "{} files are none of this checkpoint's and were not checked, such as `{first}`",
            whole.others.len()
        ));
    }
    lines.join("\n")
}

fn check_json(found: &Result<Whole, Broken>) -> Value {
    let whole = match found {
        Ok(whole) => whole,
        Err(broken) => return json!({ "consistent": false, "refused": with_causes(broken) }),
    };
    let checked = &whole.checked;
    let checkpoint = checked.checkpoint.checkpoint();
    let signed = checked.signed.as_ref();
    let witnesses = signed.map_or(Vec::new(), |signed| cosigned_json(&signed.witnesses));
    json!({
        "consistent": true, "origin": checkpoint.origin(), "size": checkpoint.size(),
        "root": checkpoint.root().to_base64(), "signer": signed.map(|signed| signed.log.to_string()),
        "witnesses": witnesses, "n_files": checked.n_files, "n_bytes": checked.n_bytes,
        "n_earlier": whole.n_earlier, "others": whole.others,
    })
}
