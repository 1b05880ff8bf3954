//! `alnager desk`, and the commands that look after the journal.

use std::path::PathBuf;

use alnager_store::{Contents, Copied, Depth, Desk, Place, StoreError, Unlock};
use alnager_work::acting::{Acting, Flags};
use alnager_work::error::JobError;
use alnager_work::segment;
use alnager_work::upkeep::{self, Forked, Rotated};
use alnager_work::verify::with_causes;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, pretty};
use crate::segment::segments;
use crate::settings;
use crate::terminal::{Bar, say};

/// Commands about the desk.
#[derive(Debug, Subcommand)]
pub(crate) enum DeskCommand {
    /// Check every entry, payload, blob, tile, signature, every checkpoint ever signed, and the refolded state
    Verify {
        /// Leave payloads and blobs closed and the state as it is: check the log alone, in a fraction of the time
        #[arg(long)]
        log_only: bool,
    },
    /// Print the log key that signs this desk's checkpoints
    Key,
    /// Copy the journal and its blobs to a new folder, as they are at one moment, while others go on working
    Backup {
        /// The folder; it must not be there yet
        dir: PathBuf,
        /// Copy the keys, too, to this folder: keep it apart from the journal, and only for a short time
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
    },
    /// Put a backup in the place of the journal; what lay there stays beside it
    Restore {
        /// The backup
        dir: PathBuf,
        /// A copy of the keys, where the desk has none
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
    },
    /// Move the desk, keys and all, to another folder or to PostgreSQL, or back
    Move {
        /// Where to: a folder, or postgres://user@host/database
        #[arg(value_name = "DIR|URL")]
        to: String,
    },
    /// Change keys
    #[command(subcommand)]
    Rotate(RotateCommand),
    /// End the log's old key: it signs no more, and its seed is deleted
    DropKey {
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Seal the secrets of the desk under a passphrase or a key, or lay them open
    Seal(SealArguments),
}

/// Which key to change.
#[derive(Debug, Subcommand)]
pub(crate) enum RotateCommand {
    /// Give the log a new key; checkpoints carry both signatures until the old one is dropped
    LogKey {
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Wrap all data keys under a new key-encryption key
    Kek,
}

/// How to seal the secrets.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SealArguments {
    /// Under the passphrase in the first line of this file; later commands find it by ALNAGER_PASSPHRASE_FILE
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Under the key of 32 bytes, base64, in this environment variable; later commands find it in ALNAGER_KEK
    #[arg(long, value_name = "VARIABLE")]
    key_from: Option<String>,
    /// Not at all: the files' mode alone protects them
    #[arg(long)]
    open: bool,
}

/// Why a journal goes on under a new origin.
#[derive(Debug, Args)]
pub(crate) struct ForkArguments {
    /// Why, such as the accident and the backup that was put back
    #[arg(long)]
    pub(crate) reason: String,
    /// The new origin; without it the old one with a number behind it
    #[arg(long)]
    pub(crate) origin: Option<String>,
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &DeskCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        DeskCommand::Verify { log_only } => return verify(&flags.desk, *log_only, format).await,
        DeskCommand::Key => {
            let key = Acting::begin(flags)?.desk().await?;
            let key = key.verifier_key().to_string();
            say(&match format {
                Format::Text => key,
                Format::Json => json!({ "key": key }).to_string(),
            });
        }
        DeskCommand::Backup { dir, keys } => {
            let bar = Bar::new();
            let show = |done, total| bar.steps("copying", "entries", done, total);
            let copied = upkeep::backup(flags, dir, keys.as_deref(), &show).await;
            bar.done();
            let kept = match keys {
                Some(keys) => format!("its keys lie in `{}`", keys.display()),
                None => "its keys are not in it".to_owned(),
            };
            copied_words(
                &copied?,
                &format!("is copied to `{}`; {kept}", dir.display()),
                format,
            );
        }
        DeskCommand::Restore { dir, keys } => {
            let bar = Bar::new();
            let show = |done, total| bar.steps("restoring", "entries", done, total);
            let restored = upkeep::restore(flags, dir, keys.as_deref(), &show).await;
            bar.done();
            let (copied, forked) = restored?;
            let words = match &forked {
                None => "is restored".to_owned(),
                Some(what) => format!(
                    "is restored and can be read: {what}\n\
                     nothing is entered until `alnager journal fork --reason …` lets it go on under a new origin"
                ),
            };
            copied_words(&copied, &words, format);
        }
        DeskCommand::Move { to } => {
            let to = settings::place(to)?;
            let bar = Bar::new();
            let show = |done, total| bar.steps("moving", "entries", done, total);
            let copied = upkeep::move_to(flags, &to, &show).await;
            bar.done();
            let words = format!("is moved to `{to}`; here it can only be read from now on");
            copied_words(&copied?, &words, format);
        }
        DeskCommand::Rotate(RotateCommand::LogKey { reason }) => {
            let rotated = upkeep::rotate_log_key(flags, reason).await?;
            rotated_words(&rotated, "signs from now on, beside the old one", format);
        }
        DeskCommand::Rotate(RotateCommand::Kek) => {
            upkeep::rotate_kek(flags).await?;
            done(
                "every data key is wrapped under a new key-encryption key; copies of the old `kek` open nothing written from now on, and older copies of `keys.db` as before",
                format,
            );
        }
        DeskCommand::DropKey { reason } => {
            let rotated = upkeep::drop_log_key(flags, reason).await?;
            rotated_words(&rotated, "signs alone from now on", format);
        }
        DeskCommand::Seal(how) => {
            let (unlock, words) = sealing(how)?;
            upkeep::seal(flags, unlock).await?;
            done(words, format);
        }
    }
    Ok(CLEAR)
}

/// Lets a journal go on under a new origin.
pub(crate) async fn fork(
    flags: &Flags,
    arguments: &ForkArguments,
    format: Format,
) -> Result<u8, JobError> {
    let forked = upkeep::fork(flags, arguments.origin.as_deref(), &arguments.reason).await?;
    let Forked {
        receipt,
        old,
        erased,
        actor,
    } = &forked;
    say(&match format {
        Format::Json => pretty(&json!({
            "old": old, "origin": receipt.origin, "entry": receipt.first, "by": actor, "erased_anew": erased,
        })),
        Format::Text => {
            let mut lines = vec![format!(
                "the journal goes on as {} from entry {}; {old} never signs again",
                receipt.origin, receipt.first
            )];
            if !erased.is_empty() {
                lines.push(format!(
                    "{} people who were erased before are erased in it as well",
                    erased.len()
                ));
            }
            lines.join("\n")
        }
    });
    Ok(CLEAR)
}

/// Makes derived tables anew.
pub(crate) async fn rebuild(flags: &Flags, format: Format) -> Result<u8, JobError> {
    let bar = Bar::new();
    let show = |done, total| bar.steps("rebuilding", "entries", done, total);
    let rebuilt = upkeep::rebuild(flags, &show).await;
    bar.done();
    let rebuilt = rebuilt?;
    say(&match format {
        Format::Text => format!(
            "{} tiles and the snapshot are made anew from {} entries",
            rebuilt.tiles, rebuilt.size
        ),
        Format::Json => json!({ "size": rebuilt.size, "tiles": rebuilt.tiles }).to_string(),
    });
    Ok(CLEAR)
}

fn sealing(how: &SealArguments) -> Result<(Unlock, &'static str), JobError> {
    match how {
        SealArguments {
            passphrase_file: Some(path),
            ..
        } => Ok((
            Unlock::passphrase_file(path)?,
            "the secrets are sealed under the passphrase; set ALNAGER_PASSPHRASE_FILE from now on, and keep the passphrase: without it nothing opens",
        )),
        SealArguments {
            key_from: Some(name),
            ..
        } => {
            let text = std::env::var(name).unwrap_or_default();
            let unlock = Unlock::key(&text).ok_or_else(|| {
                JobError::Input(format!(
                    "--key-from: {name} is not set to 32 bytes in base64"
                ))
            })?;
            Ok((
                unlock,
                "the secrets are sealed under the key; set ALNAGER_KEK from now on, and keep the key: without it nothing opens",
            ))
        }
        _ => Ok((
            Unlock::Open,
            "the secrets lie open; the mode of their files protects them",
        )),
    }
}

fn done(words: &str, format: Format) {
    say(&match format {
        Format::Text => words.to_owned(),
        Format::Json => json!({ "done": words }).to_string(),
    });
}

fn copied_words(copied: &Copied, words: &str, format: Format) {
    let root = copied.root.to_base64();
    say(&match format {
        Format::Text => format!(
            "{} {words}\n{} entries and {} blobs, root {root}",
            copied.origin, copied.size, copied.blobs
        ),
        Format::Json => pretty(&json!({
            "origin": copied.origin, "size": copied.size, "blobs": copied.blobs, "root": root, "words": words,
        })),
    });
}

fn rotated_words(rotated: &Rotated, words: &str, format: Format) {
    let Rotated { receipt, key } = rotated;
    say(&match format {
        Format::Text => format!("{key}\n{words} (entry {})", receipt.end - 1),
        Format::Json => json!({ "key": key, "entry": receipt.end - 1 }).to_string(),
    });
}

async fn verify(desk: &Place, log_only: bool, format: Format) -> Result<u8, JobError> {
    let depth = match log_only {
        true => Depth::Log,
        false => Depth::Full,
    };
    let bar = Bar::new();
    let show = |done, total| bar.steps("checking", "entries", done, total);
    let report = Desk::verify_with(desk, depth, &show).await;
    let report = match report {
        Ok(report) => report,
        // So damaged that there is nothing left to check with: an answer, not a failure to give one.
        Err(error @ (StoreError::Damaged { .. } | StoreError::Forked { .. })) => {
            bar.done();
            let words = with_causes(&error);
            say(&match format {
                Format::Json => pretty(&json!({ "consistent": false, "problems": [words] })),
                Format::Text => format!("the desk is NOT whole\nproblem: {words}"),
            });
            return Ok(HOLD);
        }
        Err(error) => return Err(error.into()),
    };
    let mut problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| with_causes(problem))
        .collect();
    // The rows of segments are Parquet, which the store does not read. A desk with problems may not open.
    let checked = match !log_only && problems.is_empty() {
        true => {
            let show = |done, total| bar.steps("checking", "segments", done, total);
            Some(segment::check(desk, &show).await?)
        }
        false => None,
    };
    bar.done();
    problems.extend(checked.iter().flat_map(|checked| checked.problems.clone()));
    let consistent = problems.is_empty();
    let notes: Vec<String> = report.notes.iter().map(ToString::to_string).collect();
    say(&match format {
        Format::Json => pretty(&json!({
            "consistent": consistent, "origin": report.origin, "size": report.size, "root": report.root.to_base64(),
            "payloads": report.contents.map(|contents| contents.payloads), "blobs": report.contents.map(|contents| contents.blobs),
            "erased": report.contents.map(|contents| contents.erased), "checkpoints": report.checkpoints,
            "segments": checked.as_ref().map(|checked| checked.n_segments),
            "tiles": report.tiles, "cosigned": report.cosigned, "problems": problems, "notes": notes,
        })),
        Format::Text => {
            let mut lines = Vec::new();
            match consistent {
                true => lines.push(format!("the desk is whole: {}", report.origin)),
                false => lines.push(format!(
                    "the desk is NOT whole: {} problems",
                    problems.len()
                )),
            }
            lines.push(format!(
                "{} entries, root {}",
                report.size,
                report.root.to_base64()
            ));
            lines.push(match report.contents {
                Some(Contents {
                    payloads, blobs, ..
                }) => format!(
                    "{payloads} payloads and {blobs} blobs opened and held against their commitments"
                ),
                None => {
                    "payloads, blobs and state were not looked at; without --log-only they are"
                        .to_owned()
                }
            });
            lines.push(format!(
                "{} checkpoints that were signed and {} full tiles held against the entries",
                report.checkpoints, report.tiles
            ));
            if checked.is_none() {
                lines.push("segments were not checked".to_owned());
            }
            if let Some(checked) = checked.as_ref().filter(|checked| checked.n_segments > 0) {
                let n_segments = usize::try_from(checked.n_segments).unwrap_or(usize::MAX);
                lines.push(format!(
                    "{} rows of {} held against the roots that their entries state",
                    checked.n_rows,
                    segments(n_segments)
                ));
            }
            if let Some(Contents {
                erased: erased @ 1..,
                ..
            }) = report.contents
            {
                lines.push(format!("{erased} payloads were erased"));
            }
            if let Some(size) = report.cosigned {
                lines.push(format!("witnesses have cosigned the first {size} entries"));
            }
            lines.extend(problems.iter().map(|problem| format!("problem: {problem}")));
            lines.extend(notes.iter().map(|note| format!("note: {note}")));
            lines.join("\n")
        }
    });
    Ok(if consistent { CLEAR } else { HOLD })
}
