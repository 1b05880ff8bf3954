//! `alnager dossier`.

use std::path::PathBuf;

use alnager_work::acting::{Acting, Flags};
use alnager_work::dossier::{Drawn, Under, draw, enter_drawing};
use alnager_work::error::JobError;
use alnager_work::files::{refuse_existing, write_whole};
use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// Of what a dossier is drawn, and at which checkpoint.
#[derive(Debug, Args)]
pub(crate) struct DossierArguments {
    /// The system's id
    system: String,
    /// Where the dossier goes, a new file; without it `<SYSTEM>.alnager`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Enter first that it is drawn, for this organisation or office (no person's name): it then holds all that the last review rests on
    #[arg(long = "for", value_name = "WHOM", requires = "reason")]
    recipient: Option<String>,
    /// Why it is drawn, without anybody's name
    #[arg(long, requires = "recipient")]
    reason: Option<String>,
    /// Draw it at the newest checkpoint that a witness has cosigned, which must cover the last entry about the system
    #[arg(long, conflicts_with_all = ["recipient", "earliest"])]
    cosigned: bool,
    /// Draw it at the earliest signed checkpoint that covers the last entry about the system
    #[arg(long, conflicts_with = "recipient")]
    earliest: bool,
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &DossierArguments,
    format: Format,
) -> Result<u8, JobError> {
    let system = &arguments.system;
    let path = match &arguments.out {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{system}.alnager")),
    };
    refuse_existing(&path)?;
    if let (Some(recipient), Some(reason)) = (&arguments.recipient, &arguments.reason) {
        enter_drawing(flags, system, recipient, reason).await?;
    }
    let desk = Acting::begin(flags)?.desk().await?;
    let under = match (arguments.cosigned, arguments.earliest) {
        (true, _) => Under::Cosigned,
        (false, true) => Under::Earliest,
        (false, false) => Under::Last,
    };
    let drawn = draw(&desk, system, under).await?;
    write_whole(&path, &drawn.bytes)?;
    let file = path.display().to_string();
    say(&match format {
        Format::Text => words(&drawn, system, &file),
        Format::Json => pretty(&to_json(&drawn, &file)),
    });
    Ok(CLEAR)
}

fn words(drawn: &Drawn, system: &str, file: &str) -> String {
    let checkpoint = drawn.checkpoint.checkpoint();
    let size = checkpoint.size();
    let mut lines = vec![
        format!(
            "the dossier of `{system}` is in `{file}`, {} bytes",
            drawn.bytes.len()
        ),
        format!(
            "as of the first {size} entries of {}; entry {} is the last about the system",
            checkpoint.origin(),
            drawn.head
        ),
    ];
    match drawn.n_entries - size {
        0 => {}
        n => lines.push(format!(
            "{n} more were entered since, of which this file says nothing; none of them is about the system"
        )),
    }
    if !drawn.holds_law {
        lines.push("that entry does not refer to the organisation's own entries, so the law that reviews were judged under is not in the file; --for and --reason enter a drawing that does".to_owned());
    }
    lines.push(match drawn.witnesses.as_slice() {
        [] => "no witness has cosigned this checkpoint (`alnager journal submit`, then `alnager dossier --cosigned`)".to_owned(),
        names => format!(
            "bears the signatures of {}, not checked here",
            names.join(", ").escape_default()
        ),
    });
    lines.join("\n")
}

fn to_json(drawn: &Drawn, file: &str) -> Value {
    let checkpoint = drawn.checkpoint.checkpoint();
    json!({
        "file": file, "bytes": drawn.bytes.len(), "origin": checkpoint.origin(), "size": checkpoint.size(),
        "root": checkpoint.root().to_base64(), "head": drawn.head, "entries": drawn.n_entries, "witnesses": drawn.witnesses,
        "holds_law": drawn.holds_law,
    })
}
