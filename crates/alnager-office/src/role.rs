//! Roles: what a person answers for at this desk. Administrators grant them; who may do what with which role is the server's to say.

use std::collections::BTreeSet;

use imbl::OrdSet;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// What a person answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs compliance with the law on AI.
    Officer,
    /// Reads law.
    Legal,
    /// Builds and measures systems.
    Engineer,
    /// Answers for a system.
    SystemOwner,
    /// Examines systems without building them.
    Validator,
    /// Answers for the protection of personal data.
    #[serde(rename = "data-protection-officer")]
    PrivacyOfficer,
    /// Reads everything and changes nothing.
    Auditor,
    /// Oversees from the board.
    Board,
    /// Grants roles.
    Administrator,
}

/// A person has these roles from now on, and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesGranted {
    /// The person's id.
    pub person: String,
    /// The whole set, sorted; empty where the last role ends.
    pub roles: Vec<Role>,
    /// Who granted them.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why; without anybody's name.
    pub reason: String,
}

impl Role {
    /// All of them, in the order pages list them.
    pub const ALL: [Role; 9] = [
        Role::Officer,
        Role::Legal,
        Role::Engineer,
        Role::SystemOwner,
        Role::Validator,
        Role::PrivacyOfficer,
        Role::Auditor,
        Role::Board,
        Role::Administrator,
    ];

    /// The word for it, as commands and payloads have it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Officer => "officer",
            Role::Legal => "legal",
            Role::Engineer => "engineer",
            Role::SystemOwner => "system-owner",
            Role::Validator => "validator",
            Role::PrivacyOfficer => "data-protection-officer",
            Role::Auditor => "auditor",
            Role::Board => "board",
            Role::Administrator => "administrator",
        }
    }

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Role::Officer => "AI compliance officer",
            Role::Legal => "Legal counsel",
            Role::Engineer => "Engineer",
            Role::SystemOwner => "System owner",
            Role::Validator => "Independent validator",
            Role::PrivacyOfficer => "Data protection officer",
            Role::Auditor => "Auditor",
            Role::Board => "Member of the board",
            Role::Administrator => "Administrator",
        }
    }
}

impl State {
    /// The roles of a person, by id; empty for whoever has none.
    pub fn roles_of(&self, person: &str) -> OrdSet<Role> {
        self.roles.get(person).cloned().unwrap_or_default()
    }

    /// Whether a person, by id, is the only administrator.
    pub fn is_last_administrator(&self, person: &str) -> bool {
        let is_administrator = |roles: &OrdSet<Role>| roles.contains(&Role::Administrator);
        let others = self.roles.iter().filter(|(other, _)| *other != person);
        is_administrator(&self.roles_of(person))
            && !others.into_iter().any(|(_, roles)| is_administrator(roles))
    }

    /// Takes a set of roles; an erased person gets none.
    pub(crate) fn grant_roles(&mut self, granted: &RolesGranted, meta: &Meta) {
        self.keep_diary(meta);
        if granted.roles.is_empty() || self.erased.contains_key(&granted.person) {
            self.roles.remove(&granted.person);
        } else {
            let roles = granted.roles.iter().copied().collect();
            self.roles.insert(granted.person.clone(), roles);
        }
    }
}

impl Draft<'_> {
    /// Gives a person these roles and no others. Whoever grants the first roles of a desk makes themselves an administrator.
    pub(crate) fn grant_roles(
        &mut self,
        person: &str,
        roles: &[Role],
        reason: &str,
    ) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let person = person.trim();
        if person.is_empty() {
            return Err(Refused::Unfit {
                what: "a grant of roles",
                rule: "names the person who gets them",
            });
        }
        if let Some(erased) = self.state.erased.get(person) {
            return Err(Refused::NoPerson {
                person: person.to_owned(),
                hint: format!("they are erased under entry {}", erased.under()),
            });
        }
        let roles: BTreeSet<Role> = roles.iter().copied().collect();
        self.may_grant(person, &roles)?;
        let by = self.acting();
        let person = self.person(person);
        let granted = RolesGranted {
            person,
            roles: roles.into_iter().collect(),
            by,
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_diary(Event::RolesGranted(granted));
        Ok(())
    }

    fn may_grant(&self, person: &str, roles: &BTreeSet<Role>) -> Result<(), Refused> {
        let actor = self.actor_id();
        let known = self.state.known_person(person);
        if self.state.roles.is_empty() {
            let is_actor = known == Some(actor) || self.is_actor(person);
            return match is_actor && roles.contains(&Role::Administrator) {
                true => Ok(()),
                false => Err(Refused::FirstAdministrator),
            };
        }
        if !self.state.roles_of(actor).contains(&Role::Administrator) {
            return Err(Refused::NotAdministrator);
        }
        let now = known.map(|id| self.state.roles_of(id)).unwrap_or_default();
        if now.iter().eq(roles) {
            return Err(Refused::AlreadyDecided {
                what: format!("`{person}` has these roles and no others already"),
            });
        }
        let is_last = known.is_some_and(|id| self.state.is_last_administrator(id));
        if is_last && !roles.contains(&Role::Administrator) {
            return Err(Refused::LastAdministrator {
                person: person.to_owned(),
            });
        }
        Ok(())
    }
}
