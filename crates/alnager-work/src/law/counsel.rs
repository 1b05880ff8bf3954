//! Decisions about law itself: adopting frameworks, recording readings, confirming wordings.

use std::path::PathBuf;
use std::sync::Arc;

use alnager_law::text::ProvisionTree;
use alnager_law::text::stamp;
use alnager_office::counsel::{NewText, Opinion, StaleProvision};
use alnager_office::decide::{Blob, Command};
use alnager_store::Desk;

use crate::acting::Flags;
use crate::error::JobError;
use crate::law::text::Imported;
use crate::library::{Files, pack_file, sha256};
use crate::records::{About, Entered, enter};

/// Adopts a voluntary framework, or drops it.
pub async fn adopt(
    flags: &Flags,
    pack: &str,
    is_adopted: bool,
    reason: &str,
) -> Result<Entered, JobError> {
    let command = Command::AdoptFramework {
        pack: pack.to_owned(),
        is_adopted,
        reason: reason.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}

/// Records counsel's reading of a requirement.
pub async fn read(
    flags: &Flags,
    requirement: &str,
    opinion: Opinion,
    text: &str,
) -> Result<Entered, JobError> {
    let command = Command::RecordReading {
        requirement: requirement.to_owned(),
        opinion,
        text: text.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}

/// Confirms that a stale requirement still says what the official text says.
pub async fn confirm(flags: &Flags, requirement: &str, reason: &str) -> Result<Entered, JobError> {
    let command = Command::ConfirmWording {
        requirement: requirement.to_owned(),
        reason: reason.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}

/// An official text, and what it made stale.
pub struct EnteredText {
    /// The requirements of the packs in use that were written against another wording.
    pub stale: Vec<StaleProvision>,
    /// The receipt; `None` where there is no desk to enter it in.
    pub entered: Option<Entered>,
}

/// Holds the packs in use against an official text, and enters the text in the desk, if there is one.
pub async fn enter_text(
    flags: &Flags,
    files: &[PathBuf],
    imported: &Imported,
) -> Result<EnteredText, JobError> {
    let stale = stale(&flags.files(), &imported.tree)?;
    if !Desk::exists(&flags.desk) {
        return Ok(EnteredText {
            stale,
            entered: None,
        });
    }
    let file = files
        .first()
        .and_then(|file| file.file_name())
        .map(|name| name.to_string_lossy().into_owned());
    let text = NewText {
        work: imported.tree.work.clone(),
        file: file.unwrap_or_default(),
        valid_from: imported.tree.valid_from,
        sha256: sha256(&imported.json),
        // The work itself is the root of the tree, not a provision.
        n_provisions: imported.tree.provisions.len().saturating_sub(1) as u64,
        stale: stale.clone(),
        tree: Blob {
            name: "provisions.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::new(imported.json.clone()),
        },
    };
    let command = Command::ImportText(Box::new(text));
    let entered = enter(flags, About::Organisation, |_, _| Ok(command)).await?;
    Ok(EnteredText {
        stale,
        entered: Some(entered),
    })
}

/// The provisions that read differently than when the requirements of these packs were written against them.
fn stale(files: &Files, tree: &ProvisionTree) -> Result<Vec<StaleProvision>, JobError> {
    let mut found = Vec::new();
    for (name, text) in files {
        if pack_file(name).is_none_or(|(_, file)| file != "provisions.toml") {
            continue;
        }
        for stale in stamp::stale(&stamp::parse(name, text)?, tree) {
            found.push(StaleProvision {
                requirement: stale.requirement,
                provision: stale.provision,
                was: stale.was.to_string(),
                is: stale.is.map(|hash| hash.to_string()),
            });
        }
    }
    Ok(found)
}
