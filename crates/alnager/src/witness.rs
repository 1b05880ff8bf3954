//! `alnager witness`, and the commands of `alnager journal` that are about witnesses.

use std::path::PathBuf;

use alnager_work::acting::{Acting, Flags};
use alnager_work::error::JobError;
use alnager_work::verify::with_causes;
use alnager_work::witness::ask::Asked;
use alnager_work::witness::folder::{self, Witness};
use alnager_work::witness::listed::{self, Listed};
use alnager_work::witness::serve::{self, Happened, Limits};
use alnager_work::witness::submit::{self, Anchored, Standing};
use alnager_work::witness::system_clock;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, pretty, read_policy};
use crate::terminal::{complain, say};

/// Commands of someone who witnesses the journals of others.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make a witness: a folder with a new key. Prints the key, for those whose journals it will cosign
    Init {
        /// The folder; it is the witness's memory, and an older copy of it must never be put back
        dir: PathBuf,
        /// The witness's name for good, such as witness.example.org/w1: no spaces, no `+`
        #[arg(long)]
        name: String,
    },
    /// Add a log that the witness cosigns
    Add {
        /// The folder
        dir: PathBuf,
        /// The log's key, as `alnager desk key` prints it
        #[arg(value_name = "VKEY")]
        log: String,
    },
    /// Serve until interrupted; prints the address first
    Serve {
        /// The folder
        dir: PathBuf,
        /// Where to listen; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8731")]
        listen: String,
    },
    /// List the logs the witness knows, and what it cosigned last
    List {
        /// The folder
        dir: PathBuf,
    },
}

/// Whom a desk asks to cosign.
#[derive(Debug, Subcommand)]
pub(crate) enum ListedCommand {
    /// Add a witness
    Add {
        /// Its address, such as https://witness.example.org
        url: String,
        /// Its key, as `alnager witness init` prints it
        #[arg(value_name = "VKEY")]
        key: String,
    },
    /// Take a witness off the list; what it cosigned stays
    Remove {
        /// Its name
        name: String,
    },
    /// List the witnesses, and when the journal was last anchored outside
    List,
}

/// How to submit.
#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    /// A trust policy file (C2SP tlog-policy) whose quorum is enough; without it every witness of the list is needed
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Does what was asked.
pub(crate) async fn run(command: &WitnessCommand, format: Format) -> Result<u8, JobError> {
    match command {
        WitnessCommand::Init { dir, name } => {
            let key = folder::init(dir, name)?;
            say(&match format {
                Format::Text => key.to_string(),
                Format::Json => json!({ "key": key.to_string() }).to_string(),
            });
        }
        WitnessCommand::Add { dir, log } => {
            let (log, is_new) = folder::add(dir, log)?;
            say(&match (format, is_new) {
                (Format::Json, _) => {
                    json!({ "log": log.name(), "key": log.to_string(), "new": is_new }).to_string()
                }
                (Format::Text, true) => format!("{} is cosigned from now on", log.name()),
                (Format::Text, false) => format!("{} is known with this key already", log.name()),
            });
        }
        WitnessCommand::Serve { dir, listen } => serve(dir.clone(), listen, format).await?,
        WitnessCommand::List { dir } => {
            let (key, logs) = folder::list(dir)?;
            let rows = logs.iter().map(|log| {
                let latest = log.latest.map(|(size, unix_s)| (size, instant(unix_s)));
                (log.key.to_string(), latest)
            });
            say(&match format {
                Format::Json => {
                    let rows: Vec<Value> = rows
                        .map(|(key, latest)| json!({ "key": key, "size": latest.as_ref().map(|(size, _)| size), "cosigned_at": latest.map(|(_, at)| at) }))
                        .collect();
                    pretty(&json!({ "key": key.to_string(), "logs": rows }))
                }
                Format::Text => {
                    let rows = rows.map(|(key, latest)| match latest {
                        Some((size, at)) => format!("{key}\n  {size} entries cosigned at {at}"),
                        None => format!("{key}\n  nothing cosigned yet"),
                    });
                    let head = format!("witness {key}");
                    [head]
                        .into_iter()
                        .chain(rows)
                        .collect::<Vec<_>>()
                        .join("\n")
                }
            });
        }
    }
    Ok(CLEAR)
}

async fn serve(dir: PathBuf, listen: &str, format: Format) -> Result<(), JobError> {
    let witness = Witness::open(&dir)?;
    let (listener, address) = serve::bind(listen).await?;
    say(&match format {
        Format::Text => format!("listening at http://{address}"),
        Format::Json => json!({ "listening": format!("http://{address}") }).to_string(),
    });
    let stop = async {
        // Where no signal can be waited for, the witness serves until it is killed, which it survives.
        if let Err(error) = serve::stop_asked().await {
            complain(&with_causes(&error));
            std::future::pending::<()>().await;
        }
    };
    let tell = move |happened| match (happened, format) {
        (Happened::Cosigned { origin, size }, Format::Text) => {
            say(&format!("cosigned {origin} at {size} entries"));
        }
        (Happened::Cosigned { origin, size }, Format::Json) => {
            say(&json!({ "cosigned": origin, "size": size }).to_string());
        }
        (Happened::Inconsistent { request }, _) => complain(&format!(
            "a log offered what does not continue what was cosigned, or a wrong proof; this may be evidence against it:\n{request}"
        )),
        (Happened::Failed { why }, _) => complain(&why),
    };
    serve::serve(
        witness,
        listener,
        Limits::default(),
        system_clock,
        tell,
        stop,
    )
    .await
}

/// Shows or changes the list of a desk's witnesses.
pub(crate) async fn listed(
    flags: &Flags,
    command: &ListedCommand,
    format: Format,
) -> Result<u8, JobError> {
    // A list beside no desk would be asked by nobody.
    let opened = Acting::begin(flags)?.desk().await?;
    let desk = flags.desk.home();
    match command {
        ListedCommand::Add { url, key } => {
            let added = listed::add(desk, url, key)?;
            say(&match format {
                Format::Text => format!("{} is asked at {} from now on", added.name, added.url),
                Format::Json => row(&added).to_string(),
            });
        }
        ListedCommand::Remove { name } => {
            listed::remove(desk, name)?;
            say(&match format {
                Format::Text => format!("{name} is not asked any more; what it cosigned stays"),
                Format::Json => json!({ "removed": name }).to_string(),
            });
        }
        ListedCommand::List => {
            let witnesses = listed::list(desk)?;
            let anchored = submit::anchored(&opened, &witnesses).await?;
            let last = match anchored {
                Some(Anchored { size, unix_s }) => {
                    format!(
                        "last anchored outside at {}, {size} entries",
                        instant(unix_s)
                    )
                }
                None => "not anchored outside yet".to_owned(),
            };
            let words = witnesses
                .iter()
                .map(|listed| format!("{}\n  {}", listed.key, listed.url));
            say(&match format {
                Format::Json => {
                    let rows: Vec<Value> = witnesses.iter().map(row).collect();
                    let anchored = anchored.map(
                        |anchored| json!({ "size": anchored.size, "at": instant(anchored.unix_s) }),
                    );
                    pretty(&json!({ "witnesses": rows, "anchored": anchored }))
                }
                Format::Text if witnesses.is_empty() => {
                    "no witness is listed; `alnager journal witness add URL VKEY` adds one"
                        .to_owned()
                }
                Format::Text => words.chain([last]).collect::<Vec<_>>().join("\n"),
            });
        }
    }
    Ok(CLEAR)
}

fn row(listed: &Listed) -> Value {
    json!({ "name": listed.name, "key": listed.key.to_string(), "url": listed.url })
}

/// Submits the desk's checkpoint.
pub(crate) async fn submit(
    flags: &Flags,
    arguments: &SubmitArguments,
    format: Format,
) -> Result<u8, JobError> {
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let submitted = submit::submit(flags, policy.as_ref()).await?;
    let checkpoint = submitted.checkpoint.checkpoint();
    let why = match &submitted.standing {
        Standing::All => "every witness has cosigned".to_owned(),
        Standing::Missing { n } => format!("NOT enough: cosignatures of {n} witnesses are missing"),
        Standing::Accepted => "the policy accepts it".to_owned(),
        Standing::Refused(error) => format!("NOT enough: {}", with_causes(error)),
    };
    say(&match format {
        Format::Json => pretty(&json!({
            "origin": checkpoint.origin(),
            "size": checkpoint.size(),
            "enough": submitted.standing.is_enough(),
            "why": why,
            "witnesses": submitted.asked.iter().map(asked_row).collect::<Vec<_>>(),
            "checkpoint": submitted.checkpoint.to_string(),
        })),
        Format::Text => {
            let head = format!("{}, {} entries", checkpoint.origin(), checkpoint.size());
            let witnesses = submitted.asked.iter().map(asked_words);
            let lines = [head].into_iter().chain(witnesses).chain([why]);
            lines.collect::<Vec<_>>().join("\n")
        }
    });
    Ok(match submitted.standing.is_enough() {
        true => CLEAR,
        false => HOLD,
    })
}

fn asked_words(asked: &Asked) -> String {
    let Listed { name, url, .. } = &asked.witness;
    match &asked.answer {
        Ok(cosignature) => format!(
            "{name} at {url}: cosigned at {}",
            instant(cosignature.unix_s)
        ),
        Err(error) => format!("{name} at {url}: {}", with_causes(error)),
    }
}

fn asked_row(asked: &Asked) -> Value {
    let mut row = row(&asked.witness);
    let (cosigned_at, problem) = match &asked.answer {
        Ok(cosignature) => (Some(instant(cosignature.unix_s)), None),
        Err(error) => (None, Some(with_causes(error))),
    };
    row["cosigned_at"] = json!(cosigned_at);
    row["problem"] = json!(problem);
    row
}

/// Seconds since 1970-01-01 UTC as RFC 3339; instants past the calendar's end as the number.
fn instant(unix_s: u64) -> String {
    let at = i64::try_from(unix_s)
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok());
    at.map_or_else(|| unix_s.to_string(), |at| at.to_string())
}
