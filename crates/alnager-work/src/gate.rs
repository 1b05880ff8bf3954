//! The gate of a system on a desk: judged now, on what was measured last. Enters nothing.

use alnager_office::gate::Gate;
use alnager_office::launch::LaunchStanding;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::found::Found;
use crate::review::recorded;

/// How a gate stands.
pub struct Stands {
    /// What a review would find.
    pub found: Found,
    /// How the decision on going live stands.
    pub launch: LaunchStanding,
}

/// Judges a system of the desk.
pub async fn gate(system: &str, gate: Gate, flags: &Flags) -> Result<Stands, JobError> {
    let acting = Acting::begin(flags)?;
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let Some(known) = state.systems.get(system) else {
        return Err(unknown(system, flags.recorded.is_some()));
    };
    let today = acting.today(known.declaration.time_zone.as_deref());
    let (assessment, warnings) = recorded(&acting, &desk, &state, system, gate).await?;
    let names = desk.state();
    let name = |id: &str| names.name(id);
    Ok(Stands {
        found: Found::of(&acting.library, &state, &assessment, &warnings, &name),
        launch: state.launch_standing(system, today),
    })
}

fn unknown(system: &str, looks_back: bool) -> JobError {
    JobError::Input(match looks_back {
        true => format!(
            "`{system}` was not in the desk by then; name a later entry or instant with --recorded"
        ),
        false => format!("there is no system `{system}` on this desk; review it first"),
    })
}
