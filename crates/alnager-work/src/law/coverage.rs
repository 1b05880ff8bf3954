//! How far the systems of a desk meet what is asked of them, and what their evidence may be reused for.

use alnager_law::read::nearest;
use alnager_office::assess::Assessment;
use alnager_office::coverage::{self, Coverage};
use alnager_office::crosswalk::{self, EvidenceProposal};
use alnager_office::declaration::Stage;
use alnager_office::gate::Gate;
use alnager_office::state::State;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::library::Library;
use crate::review::recorded;

/// Systems of the desk as last reviewed.
pub struct Assessed {
    /// The law in use.
    pub library: Library,
    /// The desk's state.
    pub state: State,
    /// One assessment for each system.
    pub systems: Vec<Assessment>,
}

/// Assesses one system of the desk, or all that are not retired, on what was last measured. Seals nothing.
pub async fn assessed(flags: &Flags, system: Option<&str>) -> Result<Assessed, JobError> {
    let acting = Acting::begin(flags)?;
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let ids: Vec<String> = match system {
        Some(id) if state.systems.contains_key(id) => vec![id.to_owned()],
        Some(id) => {
            let hint = nearest(id, state.systems.keys().map(String::as_str));
            return Err(JobError::Input(format!(
                "the desk has no system `{id}`; {hint}"
            )));
        }
        None => {
            let systems = state.systems.iter();
            let live = systems.filter(|(_, known)| known.declaration.stage != Stage::Retired);
            live.map(|(id, _)| id.clone()).collect()
        }
    };
    let mut systems = Vec::with_capacity(ids.len());
    for id in ids {
        let (assessment, _) = recorded(&acting, &desk, &state, &id, Gate::Launch).await?;
        systems.push(assessment);
    }
    Ok(Assessed {
        library: acting.library,
        state,
        systems,
    })
}

impl Assessed {
    /// How far what is asked is met.
    pub fn coverage(&self) -> Coverage {
        let systems: Vec<&Assessment> = self.systems.iter().collect();
        coverage::coverage(&self.state, &self.library.book, &systems)
    }

    /// What accepted evidence may be reused for.
    pub fn proposals(&self) -> Vec<EvidenceProposal> {
        let systems: Vec<&Assessment> = self.systems.iter().collect();
        crosswalk::proposals(&self.state, &self.library.book, &systems)
    }
}
