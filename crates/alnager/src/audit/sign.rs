//! `alnager audit key` and `alnager audit sign`: what an independent auditor does, without a desk.

use std::path::PathBuf;

use alnager_work::audit::sign::{self, Signing};
use alnager_work::error::JobError;
use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use super::Shown;
use crate::arguments::Format;

/// A key to make.
#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    /// Where the secret key goes: a new file that only its owner may read
    #[arg(long, value_name = "KEYFILE")]
    new: PathBuf,
    /// The name of the key, such as auditor.example/bias; the firm's, not a person's
    #[arg(long, value_name = "ORIGIN")]
    name: String,
}

/// What to sign.
#[derive(Debug, Args)]
pub(crate) struct SignArguments {
    /// The audit as it is handed over: one file with the tables and the summary as published
    document: PathBuf,
    /// The statement of independence, as it is handed over
    #[arg(long, value_name = "FILE")]
    statement: PathBuf,
    /// The file of the secret key, as `audit key` wrote it
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    /// The name of the key
    #[arg(long, value_name = "ORIGIN")]
    name: String,
    /// The day of the audit; without it today
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
    /// Where the signed note goes; without it DOCUMENT.note
    #[arg(long, value_name = "NOTE")]
    out: Option<PathBuf>,
}

/// Makes a key and prints what it is verified with.
pub(crate) fn key(arguments: &KeyArguments, format: Format) -> Result<Shown, JobError> {
    let key = sign::new_key(&arguments.name, &arguments.new)?.to_string();
    let file = arguments.new.display().to_string();
    let text = match format {
        Format::Text => format!(
            "{key}\nthe secret key lies in {file}; whoever is audited compares the line above with what you tell them, and nobody needs the file"
        ),
        Format::Json => String::new(),
    };
    Ok(Shown::reported(json!({ "key": key, "file": file }), text))
}

/// Signs and prints what was signed.
pub(crate) fn sign(arguments: &SignArguments, format: Format) -> Result<Shown, JobError> {
    let signed = sign::sign(&Signing {
        document: arguments.document.clone(),
        statement: arguments.statement.clone(),
        key: arguments.key.clone(),
        name: arguments.name.clone(),
        on: arguments.on,
        out: arguments.out.clone(),
    })?;
    let (stated, note) = (&signed.stated, signed.note.display().to_string());
    let text = match format {
        Format::Text => format!(
            "the audit of {} is signed: {note}\nverify it with {}\nhand over the document, the statement of independence and the note, each unchanged",
            stated.on, stated.key
        ),
        Format::Json => String::new(),
    };
    let figures = json!({
        "note": note, "key": stated.key.to_string(), "date": stated.on, "document": stated.document,
        "statement": stated.statement,
    });
    Ok(Shown::reported(figures, text))
}
