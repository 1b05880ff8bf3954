//! Why a requirement stands as it does for a file of facts.

use std::path::Path;

use alnager_law::explain::{self, Explanation};
use alnager_law::read::nearest;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::law::map;
use crate::library::Library;

/// Explains a requirement for a file of facts, as `alnager law map` reads it. Nothing is read from or written to a journal.
pub fn explain(
    flags: &Flags,
    requirement: &str,
    file: &Path,
    closed_world: bool,
) -> Result<(Explanation, Library), JobError> {
    let acting = Acting::begin(flags)?;
    let book = &acting.library.book;
    let facts = map::facts(book, file, closed_world)?;
    let when = acting.as_of(None, None);
    let found = explain::explain(book, &facts, when, requirement).ok_or_else(|| {
        let texts = book.packs().flat_map(|pack| &pack.requirements);
        let hint = nearest(requirement, texts.map(|text| text.id.as_str()));
        JobError::Input(format!(
            "there is no requirement `{requirement}` in the packs in use; {hint}"
        ))
    })?;
    Ok((found, acting.library))
}
