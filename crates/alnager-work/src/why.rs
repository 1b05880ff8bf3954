//! Why a requirement stands and fares as it does.

use std::path::Path;

use alnager_law::explain::{Explanation, explain};
use alnager_law::read::nearest;
use alnager_office::assess::Assessment;
use alnager_office::decide::preview;
use alnager_office::gate::{Gate, Judged};
use alnager_office::state::State;
use alnager_probe::Progress;
use alnager_store::Desk;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::library::Library;
use crate::review::{declaration_file, draft, measure, read_declaration, recorded};

/// The answer to "why?".
pub struct Why {
    /// The proof and what follows from it.
    pub explanation: Explanation,
    /// How the requirement fares.
    pub judged: Option<Judged>,
    /// The law in use.
    pub library: Library,
    /// The state the answer was read from.
    pub state: State,
    /// Where the answer was read from, in words.
    pub source: String,
}

/// Explains a requirement for a system: one of the desk by its id, as last reviewed, or a folder with a `system.toml`, read and
/// measured as a review would but sealing nothing. With `--recorded` it is always the desk's record.
pub async fn why(
    flags: &Flags,
    requirement: &str,
    system: &str,
    progress: &dyn Fn(Progress),
) -> Result<Why, JobError> {
    let acting = Acting::begin(flags)?;
    let found = match of_desk(&acting, system).await? {
        Some(found) => found,
        None => {
            let file = declaration_file(Path::new(system))?;
            if acting.looks_back() {
                let id = read_declaration(&acting.library, &file)?.id;
                of_desk(&acting, &id).await?.ok_or_else(|| {
                    JobError::Input(format!("`{id}` was not in the desk by then; name a later entry or instant with --recorded"))
                })?
            } else {
                declared(&acting, &file, progress).await?
            }
        }
    };
    let (state, assessment, source) = found;
    let book = &acting.library.book;
    let known = state.systems.get(&assessment.declaration.id);
    let facts = known
        .map(|system| system.law_facts(book, &state.counsel))
        .unwrap_or_default();
    let explanation = explain(book, &facts, assessment.when, requirement).ok_or_else(|| {
        let texts = book.packs().flat_map(|pack| &pack.requirements);
        let hint = nearest(requirement, texts.map(|text| text.id.as_str()));
        JobError::Input(format!(
            "there is no requirement `{requirement}` in the packs in use; {hint}"
        ))
    })?;
    let mut judged = assessment.judged.into_iter();
    let judged = judged.find(|judged| judged.requirement.text().id == requirement);
    Ok(Why {
        explanation,
        judged,
        library: acting.library,
        state,
        source,
    })
}

type Found = (State, Assessment, String);

/// A declared system, on top of what the desk already knows about it, if there is a desk.
async fn declared(
    acting: &Acting,
    file: &Path,
    progress: &dyn Fn(Progress),
) -> Result<Found, JobError> {
    let mut draft = draft(acting, file, Gate::Launch)?;
    let desk = acting.desk_or_new().await?;
    let with = acting.context(&desk, Some(&draft.declaration))?;
    measure(&mut draft, &desk.state(), &with, file, progress)?;
    let (state, assessment) = preview(&desk.state(), &draft, &with)?;
    let source = format!("read from {}; nothing is sealed", file.display());
    Ok((state, assessment, source))
}

/// A system of the desk as last reviewed; `None` where the name is a path, or no system of the desk has it.
async fn of_desk(acting: &Acting, id: &str) -> Result<Option<Found>, JobError> {
    if id.contains(['/', '\\', '.']) || !Desk::exists(acting.place()).await {
        return Ok(None);
    }
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let Some(system) = state.systems.get(id) else {
        return Ok(None);
    };
    let source = match &system.review {
        Some(review) => format!("read from the desk, as reviewed in entry {}", review.at),
        None => "read from the desk".to_owned(),
    };
    let (assessment, _) = recorded(acting, &desk, &state, id, Gate::Launch).await?;
    Ok(Some((state, assessment, source)))
}
