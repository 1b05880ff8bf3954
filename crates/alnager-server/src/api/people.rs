//! People: who has which roles.

use std::collections::HashMap;

use alnager_office::decide::Command;
use alnager_office::role::Role as KnownRole;
use alnager_store::Account;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::ask::{Ask, Asked, list as listed};
use crate::api::cursor;
use crate::api::shape::{Paging, Person};
use crate::at::At;
use crate::refusal::Refusal;

/// What a person answers for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
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
    DataProtectionOfficer,
    /// Reads everything and changes nothing.
    Auditor,
    /// Oversees from the board.
    Board,
    /// Grants roles.
    Administrator,
}

impl Role {
    fn of(role: KnownRole) -> Role {
        match role {
            KnownRole::Officer => Role::Officer,
            KnownRole::Legal => Role::Legal,
            KnownRole::Engineer => Role::Engineer,
            KnownRole::SystemOwner => Role::SystemOwner,
            KnownRole::Validator => Role::Validator,
            KnownRole::PrivacyOfficer => Role::DataProtectionOfficer,
            KnownRole::Auditor => Role::Auditor,
            KnownRole::Board => Role::Board,
            KnownRole::Administrator => Role::Administrator,
        }
    }

    fn known(self) -> KnownRole {
        match self {
            Role::Officer => KnownRole::Officer,
            Role::Legal => KnownRole::Legal,
            Role::Engineer => KnownRole::Engineer,
            Role::SystemOwner => KnownRole::SystemOwner,
            Role::Validator => KnownRole::Validator,
            Role::DataProtectionOfficer => KnownRole::PrivacyOfficer,
            Role::Auditor => KnownRole::Auditor,
            Role::Board => KnownRole::Board,
            Role::Administrator => KnownRole::Administrator,
        }
    }
}

/// A person of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Member {
    /// The person.
    person: Person,
    /// Their roles.
    roles: Vec<Role>,
    /// The name they sign in with; `null` where they have no account yet.
    login: Option<String>,
    /// Whether their account is closed.
    is_closed: bool,
}

impl Member {
    fn of(at: &At, id: &str, account: Option<&Account>) -> Member {
        Member {
            person: Person::of(at, id),
            roles: at.state().roles_of(id).into_iter().map(Role::of).collect(),
            login: account.map(|account| account.login.clone()),
            is_closed: account.is_some_and(|account| account.is_closed()),
        }
    }
}

/// Lists people.
pub(super) async fn list(at: At, Ask(wanted): Ask<Paging>) -> Result<Response, Refusal> {
    let accounts = at.organisation.accounts.all().await?;
    let accounts: HashMap<&str, &Account> = accounts
        .iter()
        .map(|account| (account.person.as_str(), account))
        .collect();
    let rows = at.state().people.iter();
    let rows = rows
        .map(|(id, _)| ((String::new(), id.clone()), id))
        .collect();
    let (rows, next) = cursor::page("people", rows, wanted.cursor.as_deref(), wanted.limit)?;
    let rows = rows.into_iter().map(|id: &String| {
        let account = accounts.get(id.as_str()).copied();
        Member::of(&at, id, account)
    });
    listed((rows.collect(), next))
}

/// Roles to grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoles {
    /// The person, by name or id; may be new.
    #[schema(min_length = 1)]
    person: String,
    /// The whole set from now on; empty ends them all.
    roles: Vec<Role>,
    /// Why, without anybody's name.
    #[schema(min_length = 1)]
    reason: String,
}

/// Grants roles. Whoever is new signs in with a link that an administrator makes on the page of people.
pub(super) async fn grant(asked: Asked) -> Result<Response, Refusal> {
    let new: NewRoles = asked.json()?;
    let command = Command::GrantRoles {
        person: new.person.clone(),
        roles: new.roles.into_iter().map(Role::known).collect(),
        reason: new.reason,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let name = new.person.trim();
    let id = at.state().person(name).unwrap_or(name);
    let account = at.organisation.accounts.of_person(id).await?;
    let made = Member::of(&at, id, account.as_ref());
    asked.written(StatusCode::CREATED, &receipt, made)
}
