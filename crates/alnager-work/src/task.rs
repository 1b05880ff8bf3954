//! Opening tasks and saying that they are done.

use std::collections::BTreeSet;

use alnager_office::decide::Command;
use alnager_office::state::State;
use alnager_office::task::NewTask;
use jiff::civil::Date;

use crate::acting::{Acting, Flags, new_ids};
use crate::error::JobError;
use crate::records::{About, Entered, enter};

/// Opens tasks, all in one commit: all of them or, when one is refused, none. What is open already is not opened again.
///
/// An owner is a name, or the id of a person the desk knows. Today is taken where the desk's first system runs.
pub async fn open(flags: &Flags, tasks: Vec<NewTask>) -> Result<Entered, JobError> {
    let acting = Acting::to_enter(flags)?;
    let mut desk = acting.desk().await?;
    let state = desk.state();
    let first = state
        .systems
        .values()
        .next()
        .map(|system| &system.declaration);
    let mut with = acting.context(&desk, first)?;
    let owners: BTreeSet<&str> = tasks.iter().map(|task| task.owner.as_str()).collect();
    with.ids.extend(new_ids(acting.now, owners.len())?);
    let receipt = acting
        .commit(&mut desk, &Command::OpenTasks(tasks), &with)
        .await?;
    Ok(Entered {
        receipt,
        state: desk.state(),
        actor: acting.actor.clone(),
    })
}

/// Says that a task is done.
pub async fn finish(flags: &Flags, task: &str, note: &str) -> Result<Entered, JobError> {
    let command = Command::FinishTask {
        task: task.to_owned(),
        note: note.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}

/// The tasks of a desk, as of `--recorded` or now.
pub struct Tasks {
    /// The state that holds them.
    pub state: State,
    /// The day on which one is overdue or not: `--at`, or today where the desk's first system runs.
    pub on: Date,
}

/// Reads the tasks of the desk.
pub async fn list(flags: &Flags) -> Result<Tasks, JobError> {
    let acting = Acting::begin(flags)?;
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let first = state.systems.values().next();
    let zone = first.and_then(|system| system.declaration.time_zone.clone());
    Ok(Tasks {
        on: acting.as_of(None, zone.as_deref()).valid,
        state,
    })
}

/// The name of who acts: `--as`, or the operating system's user.
pub fn actor(flags: &Flags) -> Result<String, JobError> {
    Ok(Acting::begin(flags)?.actor)
}

#[cfg(test)]
mod tests;
