//! Why a requirement stands and fares as it does.

use std::path::Path;

use alnager_law::explain::{Explanation, explain};
use alnager_law::read::nearest;
use alnager_office::assess::Assessment;
use alnager_office::decide::preview;
use alnager_office::gate::{Gate, Judged};
use alnager_office::state::State;
use alnager_probe::Progress;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::library::Library;
use crate::review::{declaration_file, draft, measure, recorded};

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
}

/// Explains a requirement for a system: a folder with a `system.toml`, read and measured as a review would but sealing nothing, or
/// a system of the desk by its id, as last reviewed. With `--recorded` it is always the desk's record.
pub async fn why(
    flags: &Flags,
    requirement: &str,
    system: &str,
    progress: &dyn Fn(Progress),
) -> Result<Why, JobError> {
    let acting = Acting::begin(flags)?;
    let (state, assessment) = match declaration_file(Path::new(system)) {
        Ok(file) if !acting.looks_back() => declared(&acting, &file, progress).await?,
        Ok(file) => {
            let id = draft(&acting, &file, Gate::Launch)?.declaration.id;
            of_desk(&acting, &id).await?
        }
        Err(_) => of_desk(&acting, system).await?,
    };
    let book = &acting.library.book;
    let known = state.systems.get(&assessment.declaration.id);
    let facts = known
        .map(|system| system.law_facts(book))
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
    })
}

/// A declared system, on top of what the desk already knows about it, if there is a desk.
async fn declared(
    acting: &Acting,
    file: &Path,
    progress: &dyn Fn(Progress),
) -> Result<(State, Assessment), JobError> {
    let mut draft = draft(acting, file, Gate::Launch)?;
    let desk = acting.desk_or_new().await?;
    let with = acting.context(&desk, Some(&draft.declaration))?;
    measure(&mut draft, &desk.state(), &with, file, progress)?;
    Ok(preview(&desk.state(), &draft, &with)?)
}

async fn of_desk(acting: &Acting, id: &str) -> Result<(State, Assessment), JobError> {
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    if !state.systems.contains_key(id) {
        let hint = nearest(id, state.systems.keys().map(String::as_str));
        return Err(JobError::Input(format!(
            "`{id}` is neither a folder with a `system.toml` nor a system of the desk's record; {hint}"
        )));
    }
    let (assessment, _) = recorded(acting, &desk, &state, id, Gate::Launch).await?;
    Ok((state, assessment))
}
