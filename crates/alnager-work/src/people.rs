//! People: legal holds.

use alnager_office::decide::Command;

use crate::acting::Flags;
use crate::error::JobError;
use crate::records::{About, Entered, enter};

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
