//! `alnager segment`, and the proof of a row verified.

use std::path::{Path, PathBuf};

use alnager_journal::segment::{Row, VerifiedRow};
use alnager_journal::verify::Trust;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::{refuse_existing, write_whole};
use alnager_work::segment::{self, Listed, Sealed, Sealing, Which};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, cosigned_json, cosigned_words, pretty};
use crate::terminal::{Bar, say};

/// Commands about decision logs.
#[derive(Debug, Subcommand)]
pub(crate) enum SegmentCommand {
    /// Seal the rows of a log in segments of up to 10,000; what is sealed already is not sealed again
    Seal {
        /// The log: .csv, .jsonl (also .gz, .zst), .parquet or .arrow, a row for each record
        file: PathBuf,
        /// The system that decided
        #[arg(long, value_name = "ID")]
        system: String,
        /// The column that says when each record happened; without a zone it is UTC
        #[arg(long, value_name = "COLUMN")]
        time: Option<String>,
        /// The file has grown since it was sealed: seal what is behind the rows sealed already
        #[arg(long)]
        grown: bool,
    },
    /// List the segments on record
    List {
        /// Only those of this system
        #[arg(long, value_name = "ID")]
        system: Option<String>,
    },
    /// Prove that one row was in the log, without showing another
    Prove(ProveArguments),
    /// Write the rows of segments as Parquet, which every audit reads
    Export(ExportArguments),
}

/// Which row to prove.
#[derive(Debug, Args)]
pub(crate) struct ProveArguments {
    /// The segment's entry; without it the row is looked for in all segments of --system
    #[arg(required_unless_present = "system", conflicts_with = "system")]
    entry: Option<u64>,
    /// The system in whose log the row is
    #[arg(long, value_name = "ID", requires = "find")]
    system: Option<String>,
    /// The row's place in the segment, from 0
    #[arg(
        long,
        value_name = "N",
        required_unless_present = "find",
        conflicts_with = "find"
    )]
    row: Option<u64>,
    /// The row that alone has this value in this column
    #[arg(long = "where", id = "find", value_name = "COLUMN=VALUE", value_parser = column_and_value)]
    find: Option<(String, String)>,
    /// Where the proof goes, such as case-7.row-proof
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// What to export, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The segment's entry; without it those of --system
    #[arg(required_unless_present = "system", conflicts_with = "system")]
    entry: Option<u64>,
    /// All segments of this system, into a folder
    #[arg(long, value_name = "ID")]
    system: Option<String>,
    /// Only segments with a record on this day or later (UTC)
    #[arg(long, value_name = "DAY", requires = "system")]
    from: Option<Date>,
    /// Only segments with a record on this day or earlier (UTC)
    #[arg(long, value_name = "DAY", requires = "system")]
    to: Option<Date>,
    /// A new file; with --system a folder
    #[arg(short, long, value_name = "FILE|DIR")]
    out: PathBuf,
}

fn column_and_value(text: &str) -> Result<(String, String), &'static str> {
    let (column, value) = text
        .split_once('=')
        .ok_or("write the column, `=` and the value, such as case=A-17")?;
    Ok((column.to_owned(), value.to_owned()))
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &SegmentCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        SegmentCommand::Seal {
            file,
            system,
            time,
            grown,
        } => {
            let sealing = Sealing {
                file: file.clone(),
                system: system.clone(),
                time: time.clone(),
                grown: *grown,
            };
            let bar = Bar::new();
            let sealed = segment::seal(flags, &sealing, &|progress| bar.show(progress)).await;
            bar.done();
            let sealed = sealed?;
            let words = match format {
                Format::Text => sealed_words(&sealed, system),
                Format::Json => pretty(&sealed_json(&sealed)),
            };
            say(&words);
        }
        SegmentCommand::List { system } => {
            let listed = segment::list(flags, system.as_deref()).await?;
            say(&match format {
                Format::Text => list_words(&listed),
                Format::Json => {
                    let rows: Vec<Value> = listed.iter().map(listed_json).collect();
                    pretty(&json!({ "segments": rows }))
                }
            });
        }
        SegmentCommand::Prove(arguments) => prove(flags, arguments, format).await?,
        SegmentCommand::Export(arguments) => export(flags, arguments, format).await?,
    }
    Ok(CLEAR)
}

async fn prove(flags: &Flags, arguments: &ProveArguments, format: Format) -> Result<(), JobError> {
    refuse_existing(&arguments.out)?;
    let (entry, which) = meant(flags, arguments).await?;
    let proof = segment::prove(flags, entry, &which).await?;
    let bytes = proof
        .to_bytes()
        .map_err(|error| JobError::Internal(error.to_string()))?;
    write_whole(&arguments.out, &bytes)?;
    let file = arguments.out.display().to_string();
    let (row, size) = (
        proof.opened.index,
        proof.proof.checkpoint.checkpoint().size(),
    );
    say(&match format {
        Format::Text => format!(
            "row {row} of entry {entry} is proven under the checkpoint of {size} entries; {file} holds this row and no other\n\
             whoever gets it checks it with `alnager verify {file} --key {}`",
            proof.log
        ),
        Format::Json => pretty(&json!({
            "file": file, "entry": entry, "row": row, "size": size, "key": proof.log.to_string(),
        })),
    });
    Ok(())
}

/// The entry and the row that the words name.
async fn meant(flags: &Flags, arguments: &ProveArguments) -> Result<(u64, Which), JobError> {
    match (arguments.entry, &arguments.system, arguments.row, &arguments.find) {
        (Some(entry), _, Some(row), _) => Ok((entry, Which::Row(row))),
        (Some(entry), _, None, Some((column, value))) => {
            let (column, value) = (column.clone(), value.clone());
            Ok((entry, Which::Where { column, value }))
        }
        (None, Some(system), _, Some((column, value))) => {
            let bar = Bar::new();
            let show = |done, total| bar.steps("searching", "segments", done, total);
            let found = segment::look_up(flags, system, (column, value), &show).await;
            bar.done();
            let (entry, row) = found?;
            Ok((entry, Which::Row(row)))
        }
        (_, _, _, _) => Err(JobError::Input(
            "name a row by --row and its segment's entry, or by --where and the entry or the system"
                .to_owned(),
        )),
    }
}

async fn export(
    flags: &Flags,
    arguments: &ExportArguments,
    format: Format,
) -> Result<(), JobError> {
    let out = &arguments.out;
    let listed = match (arguments.entry, &arguments.system) {
        (Some(entry), _) => vec![segment::export(flags, entry, out).await?],
        (None, Some(system)) => {
            let bar = Bar::new();
            let show = |done, total| bar.steps("exporting", "segments", done, total);
            let days = (arguments.from, arguments.to);
            let exported = segment::export_all(flags, system, days, out, &show).await;
            bar.done();
            exported?
        }
        (None, None) => {
            return Err(JobError::Input(
                "name a segment's entry, or a system with --system".to_owned(),
            ));
        }
    };
    let n_rows: u64 = listed.iter().map(|one| one.sealed.n_rows).sum();
    let shown = out.display();
    say(&match format {
        Format::Text => format!(
            "{n_rows} rows of {} are in {shown}; whoever gets a file gets all its rows",
            segments(listed.len())
        ),
        Format::Json => {
            let rows: Vec<Value> = listed.iter().map(listed_json).collect();
            pretty(&json!({ "out": shown.to_string(), "n_rows": n_rows, "segments": rows }))
        }
    });
    Ok(())
}

fn sealed_words(sealed: &Sealed, system: &str) -> String {
    let n_rows: u64 = sealed.entered.iter().map(|(_, n_rows)| n_rows).sum();
    let mut lines = Vec::new();
    match (&sealed.receipt, sealed.entered.as_slice()) {
        (Some(receipt), [(first, _), .., (last, _)]) => lines.push(format!(
            "{n_rows} rows of `{system}` are sealed by {} in {} segments, entries {first} to {last} of {}",
            sealed.actor,
            sealed.entered.len(),
            receipt.origin
        )),
        (Some(receipt), [(only, _)]) => lines.push(format!(
            "{n_rows} rows of `{system}` are sealed by {} in a segment, entry {only} of {}",
            sealed.actor, receipt.origin
        )),
        (_, _) => lines.push("nothing was entered".to_owned()),
    }
    if let (Some(first), Some(last)) = (sealed.before.iter().min(), sealed.before.iter().max()) {
        let entries = match first == last {
            true => format!("entry {first}"),
            false => format!("entries {first} to {last}"),
        };
        lines.push(format!(
            "{} rows of the file were sealed before, in {entries}",
            sealed.n_rows_before
        ));
    }
    lines.join("\n")
}

fn sealed_json(sealed: &Sealed) -> Value {
    let entered = sealed.entered.iter();
    let entered: Vec<Value> = entered
        .map(|(entry, n_rows)| json!({ "entry": entry, "n_rows": n_rows }))
        .collect();
    let journal = sealed.receipt.as_ref().map(|receipt| {
        json!({ "origin": receipt.origin, "size": receipt.size, "root": receipt.root.to_base64() })
    });
    json!({
        "entered": entered, "sealed_before": { "n_rows": sealed.n_rows_before, "entries": sealed.before },
        "journal": journal,
    })
}

fn list_words(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "no segment is sealed; `alnager segment seal FILE --system ID` seals a log"
            .to_owned();
    }
    let words = listed.iter().map(|one| {
        let sealed = &one.sealed;
        let time = match &sealed.time {
            Some(time) => format!("{} from {} to {}", time.column, time.first, time.last),
            None => format!("sealed on {}, no column says when", sealed.on),
        };
        format!(
            "entry {:<7} {}: {} rows, {} columns; {time}",
            one.entry,
            sealed.system,
            sealed.n_rows,
            sealed.columns.len()
        )
    });
    let n_rows: u64 = listed.iter().map(|one| one.sealed.n_rows).sum();
    let mut lines: Vec<String> = words.collect();
    lines.push(format!("{n_rows} rows in {}", segments(listed.len())));
    lines.join("\n")
}

/// So many segments, in words.
pub(crate) fn segments(n: usize) -> String {
    match n {
        1 => "1 segment".to_owned(),
        n => format!("{n} segments"),
    }
}

fn listed_json(one: &Listed) -> Value {
    let sealed = &one.sealed;
    let time = sealed.time.as_ref().map(|time| {
        json!({ "column": time.column, "first": time.first.to_string(), "last": time.last.to_string() })
    });
    json!({
        "entry": one.entry, "at": one.at, "system": sealed.system, "n_rows": sealed.n_rows,
        "root": sealed.root.to_string(), "columns": sealed.columns, "time": time, "on": sealed.on,
    })
}

/// Verifies a file that is the proof of a row; `None` when it is not.
pub(crate) fn verify(path: &Path, trust: &Trust, format: Format) -> Result<Option<u8>, JobError> {
    let Some(found) = segment::verify(path, trust)? else {
        return Ok(None);
    };
    Ok(Some(match found {
        Ok(found) => {
            say(&match format {
                Format::Text => row_words(&found),
                Format::Json => pretty(&row_json(&found)),
            });
            CLEAR
        }
        Err(refused) => {
            say(&match format {
                Format::Text => format!("refused: {refused}"),
                Format::Json => {
                    pretty(&json!({ "consistent": false, "refused": refused.to_string() }))
                }
            });
            HOLD
        }
    }))
}

fn row_words(found: &VerifiedRow) -> String {
    let signer = found.signer.to_string();
    let signer = signer.escape_default();
    let signed = match found.trusted {
        true => format!("signed by the key you trust, {signer}"),
        false => {
            format!("signed by {signer}, which you have not said you trust (--key, --policy)")
        }
    };
    let mut lines = vec![
        format!("consistent; {signed}"),
        format!(
            "log {}, {} entries, root {}",
            found.origin.escape_default(),
            found.size,
            found.root.to_base64()
        ),
    ];
    lines.extend(cosigned_words(&found.witnesses));
    lines.push(format!(
        "system {:?}: row {} of the {} rows, from 0, that entry {} sealed at {}",
        found.system, found.index, found.stated.n_rows, found.entry, found.at
    ));
    // Quoted, so that what a stranger wrote cannot pass for words of ours.
    lines.extend(found.stated.columns.iter().map(|column| {
        let value = found.row.get(column).and_then(Option::as_deref);
        let value = value.map_or("(none)".to_owned(), |value| format!("{value:?}"));
        format!("  {}: {value}", column.escape_debug())
    }));
    lines.join("\n")
}

fn row_json(found: &VerifiedRow) -> Value {
    let row = |row: &Row| -> Value {
        let fields = row.iter();
        Value::Object(
            fields
                .map(|(column, value)| (column.clone(), json!(value)))
                .collect(),
        )
    };
    json!({
        "consistent": true, "signer": found.signer.to_string(), "trusted": found.trusted,
        "journal": { "origin": found.origin, "size": found.size, "root": found.root.to_base64() },
        "witnesses": cosigned_json(&found.witnesses), "system": found.system,
        "entry": found.entry, "at": found.at, "index": found.index, "n_rows": found.stated.n_rows,
        "row": row(&found.row),
    })
}
