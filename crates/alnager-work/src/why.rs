//! Why a requirement stands and fares as it does.

use std::path::Path;

use alnager_law::explain::{Explanation, explain};
use alnager_law::read::nearest;
use alnager_office::assess::assess;
use alnager_office::decide::{Review, preview};
use alnager_office::declaration::{Declaration, Stage};
use alnager_office::gate::{Gate, Judged};
use alnager_office::state::State;

use crate::acting::{Acting, Flags};
use crate::dossier;
use crate::error::JobError;
use crate::library::Library;
use crate::review::declaration_file;

/// The answer to "why?".
pub struct Why {
    /// The proof and what follows from it.
    pub explanation: Explanation,
    /// How the requirement fares, where a desk or declaration says so.
    pub judged: Option<Judged>,
    /// The law in use.
    pub library: Library,
    /// The state the answer was read from.
    pub state: State,
}

/// Explains a requirement for a system: one in the desk by its id, or a folder with a `system.toml`, read as if it were reviewed now.
pub async fn why(flags: &Flags, requirement: &str, system: &str) -> Result<Why, JobError> {
    let acting = Acting::begin(flags)?;
    let (state, id, measures) = match declaration_file(Path::new(system)) {
        Ok(file) => declared(&acting, &file).await?,
        Err(_) => {
            let mut desk = acting.desk().await?;
            let state = acting.state(&mut desk).await?;
            let known = state.systems.get(system).ok_or_else(|| {
                let hint = nearest(system, state.systems.keys().map(String::as_str));
                JobError::Input(format!("`{system}` is neither a folder with a `system.toml` nor a system of the desk; {hint}"))
            })?;
            let measures = match &known.review {
                Some(review) => {
                    dossier::sealed_measures(&desk, review.at, &known.declaration.audits).await?
                }
                None => Vec::new(),
            };
            (state.clone(), system.to_owned(), measures)
        }
    };
    let Some(known) = state.systems.get(&id) else {
        return Err(JobError::Input(format!(
            "`{id}` was not in the desk by then; name a later entry or instant with --recorded"
        )));
    };
    let declaration = &known.declaration;
    let day = declaration
        .go_live_on
        .filter(|_| declaration.stage != Stage::InUse);
    let when = acting.as_of(day, declaration.time_zone.as_deref());
    let facts = known.law_facts(&acting.library.book);
    let explanation =
        explain(&acting.library.book, &facts, when, requirement).ok_or_else(|| {
            let ids = acting
                .library
                .book
                .packs()
                .flat_map(|pack| &pack.requirements)
                .map(|text| text.id.as_str());
            JobError::Input(format!(
                "there is no requirement `{requirement}` in the packs in use; {}",
                nearest(requirement, ids)
            ))
        })?;
    let found = assess(
        &state,
        &id,
        &acting.library.book,
        &acting.library.policy,
        measures,
        when,
        Gate::Launch,
    )?;
    let judged = found.and_then(|found| {
        found
            .judged
            .into_iter()
            .find(|judged| judged.requirement.text().id == requirement)
    });
    Ok(Why {
        explanation,
        judged,
        library: acting.library,
        state,
    })
}

type Found = (State, String, Vec<alnager_audit::measures::Measures>);

/// A declared system, on top of what the desk already knows about it, if there is a desk.
async fn declared(acting: &Acting, file: &Path) -> Result<Found, JobError> {
    let text = std::fs::read_to_string(file).map_err(|source| JobError::File {
        path: file.to_owned(),
        doing: "cannot be read as UTF-8 text",
        source,
        is_input: true,
    })?;
    let declaration = Declaration::parse(
        &file.display().to_string(),
        &text,
        &acting.library.book,
        &acting.library.policy,
    )?;
    let id = declaration.id.clone();
    let mut desk = acting.desk_or_new().await?;
    let state = acting.state(&mut desk).await?;
    if acting.looks_back() {
        return Ok((state, id, Vec::new()));
    }
    let measures = match state
        .systems
        .get(&id)
        .and_then(|system| system.review.as_ref())
    {
        Some(review) => dossier::sealed_measures(&desk, review.at, &declaration.audits).await?,
        None => Vec::new(),
    };
    let review = Review {
        when: acting.as_of(None, None),
        declaration,
        evidence: Vec::new(),
        measures: Vec::new(),
        gate: Gate::Launch,
        documents: Vec::new(),
    };
    let with = acting.context(&desk, None)?;
    let (state, _) = preview(&state, &review, &with)?;
    Ok((state, id, measures))
}
