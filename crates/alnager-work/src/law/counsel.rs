//! Decisions about law itself: adopting frameworks, recording readings, confirming wordings.

use std::path::PathBuf;
use std::sync::Arc;

use alnager_law::text::stamp::{self, Held, Unjudged, Wording};
use alnager_office::counsel::{NewText, Opinion, StaleProvision};
use alnager_office::decide::{Blob, Command};
use alnager_store::Desk;

use crate::acting::Flags;
use crate::error::JobError;
use crate::law::text::Imported;
use crate::library::{Files, STAMPS, pack_file, sha256};
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
    /// What their requirements cite of this work and the text says nothing about.
    pub unjudged: Vec<Unjudged>,
    /// The receipt; `None` where there is no desk to enter it in.
    pub entered: Option<Entered>,
}

/// Holds the packs in use against an official text, and enters the text in the desk, if there is one. With a reason, it takes the
/// place of a later text that the desk holds.
pub async fn enter_text(
    flags: &Flags,
    files: &[PathBuf],
    imported: &Imported,
    replaces: Option<&str>,
) -> Result<EnteredText, JobError> {
    let wording = Wording::of(&imported.tree);
    let Held { stale, unjudged } = held(&flags.files(), &wording)?;
    let stale: Vec<StaleProvision> = stale.into_iter().map(StaleProvision::from).collect();
    if !Desk::exists(&flags.desk).await {
        return Ok(EnteredText {
            stale,
            unjudged,
            entered: None,
        });
    }
    let file = files
        .first()
        .and_then(|file| file.file_name())
        .map(|name| name.to_string_lossy().into_owned());
    let hashes = wording.provisions.iter();
    let hashes = hashes.map(|(id, hash)| (id.clone(), hash.to_string()));
    let text = NewText {
        work: imported.tree.work.clone(),
        file: file.unwrap_or_default(),
        valid_from: imported.tree.valid_from,
        sha256: sha256(&imported.json),
        // The work itself is the root of the tree, not a provision.
        n_provisions: imported.tree.provisions.len().saturating_sub(1) as u64,
        language: wording.language,
        provisions: hashes.collect(),
        stale: stale.clone(),
        replaces: replaces.map(str::to_owned),
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
        unjudged,
        entered: Some(entered),
    })
}

/// What a text says about the stamps of these packs. A text in another language than they were stamped with is refused.
fn held(files: &Files, wording: &Wording) -> Result<Held, JobError> {
    let mut all = Held::default();
    for (name, text) in files {
        if pack_file(name).is_none_or(|(_, file)| file != STAMPS) {
            continue;
        }
        let stamps = stamp::parse(name, text)?;
        if let Some(language) = stamps.other_language(&wording.work, &wording.language) {
            return Err(JobError::Input(format!(
                "the pack `{}` was stamped with `{}` in the language `{language}`, and this text is in `{}`, so every provision would look changed; import the text in `{language}`",
                stamps.pack, wording.work, wording.language
            )));
        }
        let held = stamps.hold(wording);
        all.stale.extend(held.stale);
        all.unjudged.extend(held.unjudged);
    }
    Ok(all)
}
