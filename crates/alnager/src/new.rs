//! `alnager new`.

use std::path::PathBuf;

use alnager_work::acting::{Acting, Flags};
use alnager_work::error::JobError;
use alnager_work::new::schema::schema;
use alnager_work::new::{NewSystem, new_system};
use clap::Args;
use serde_json::json;

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// What to declare.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The folder of the system; made if it is missing
    #[arg(value_name = "DIR", required_unless_present = "schema")]
    pub(crate) system: Option<PathBuf>,
    /// The permanent id; without it, made of the name
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// The name people use; without it, the folder's
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Whose system it is
    #[arg(long)]
    pub(crate) organisation: Option<String>,
    /// What it is meant to be used for, in a sentence; a review refuses the blank
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Print the JSON Schema of `system.toml` instead, for editors
    #[arg(long, conflicts_with_all = ["system", "id", "name", "organisation", "purpose"])]
    pub(crate) schema: bool,
}

/// Writes a declaration to fill in, or prints the schema.
pub(crate) fn run(flags: &Flags, arguments: &NewArguments, format: Format) -> Result<u8, JobError> {
    let Some(dir) = arguments.system.as_ref().filter(|_| !arguments.schema) else {
        say(&pretty(&schema(&Acting::begin(flags)?.library)));
        return Ok(CLEAR);
    };
    let new = NewSystem {
        dir: dir.clone(),
        id: arguments.id.clone(),
        name: arguments.name.clone(),
        organisation: arguments.organisation.clone(),
        purpose: arguments.purpose.clone(),
    };
    let made = new_system(flags, &new)?;
    let (file, dir) = (made.file.display(), dir.display());
    say(&match format {
        Format::Json => json!({ "file": made.file, "id": made.id }).to_string(),
        Format::Text => format!(
            "`{file}` declares the system `{}`; fill in its purpose and its people\n\
             next:\n  \
             alnager law interview {dir}    answers the facts that matter, one by one\n  \
             alnager review {dir}           reviews it as far as it is declared",
            made.id
        ),
    });
    Ok(CLEAR)
}
