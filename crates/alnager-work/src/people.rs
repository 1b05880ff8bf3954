//! People: erasure, and the legal holds that keep it off.

use std::sync::Arc;

use alnager_office::decide::Command;
use alnager_office::people::Basis;
use alnager_office::state::State;
use alnager_store::{By, Erasure, Order};

use crate::acting::{Acting, Flags, instant, new_ids};
use crate::error::JobError;
use crate::records::{About, Entered, enter};

/// An erasure that is done.
pub struct Erased {
    /// What was erased, under which entries.
    pub erasure: Erasure,
    /// The state after it.
    pub state: Arc<State>,
    /// Who acted.
    pub actor: String,
}

/// Erases a person, given by name or id: enters the request, deletes key, salts and ciphertexts, and enters that it is done. What was
/// interrupted goes on when the same is asked for again, by the person's id.
pub async fn erase(
    flags: &Flags,
    person: &str,
    basis: Basis,
    reason: &str,
) -> Result<Erased, JobError> {
    let acting = Acting::to_enter(flags)?;
    let mut desk = acting.desk().await?;
    let state = desk.state();
    let first = state.systems.values().next();
    let with = acting.context(&desk, first.map(|system| &system.declaration))?;
    let (ids, at) = (new_ids(acting.now, 2)?, instant(acting.now));
    let command = Command::ErasePerson {
        person: person.to_owned(),
        basis,
        reason: reason.to_owned(),
    };
    let request = Order {
        id: ids[0],
        at: &at,
        command: &command,
        with: &with,
        expected: None,
    };
    let finish = By {
        id: ids[1],
        at: &at,
        with: &with,
    };
    let id = state.person(person).unwrap_or(person.trim());
    let erasure = desk.erase(id, &request, &finish).await?;
    Ok(Erased {
        erasure,
        state: desk.state(),
        actor: acting.actor.clone(),
    })
}

/// Places a legal hold on a person, given by name or id: until it is released nobody erases them.
pub async fn place_hold(flags: &Flags, person: &str, reason: &str) -> Result<Entered, JobError> {
    let command = Command::PlaceHold {
        person: person.to_owned(),
        reason: reason.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}

/// Releases the legal hold on a person, given by name or id.
pub async fn release_hold(flags: &Flags, person: &str, reason: &str) -> Result<Entered, JobError> {
    let command = Command::ReleaseHold {
        person: person.to_owned(),
        reason: reason.to_owned(),
    };
    enter(flags, About::Organisation, |_, _| Ok(command)).await
}
