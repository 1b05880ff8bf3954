//! Where a request stands: which organisation, who asks, and at which moment.

use std::collections::HashMap;
use std::sync::Arc;

use alnager_office::decide::Command;
use alnager_office::role::Role;
use alnager_store::Receipt;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use imbl::OrdSet;
use jiff::civil::Date;
use uuid::Uuid;

use crate::access::{Action, Actor, Resource, authorize};
use crate::house::House;
use crate::moment::Moment;
use crate::organisation::{Asked, Organisation};
use crate::refusal::Refusal;
use crate::secret::{FormKey, Secret};
use crate::words::{EN, Words};

/// Where a request stands. Made by the guard of a route; a handler takes it as its first argument.
#[derive(Clone)]
pub struct At {
    /// The house.
    pub house: Arc<House>,
    /// The organisation.
    pub organisation: Arc<Organisation>,
    /// The organisation at the moment of the request.
    pub moment: Arc<Moment>,
    /// Who asks.
    pub who: Who,
    /// The parts of the address that name something, such as the system.
    pub named: Arc<HashMap<String, String>>,
    /// The path asked for.
    pub path: String,
    /// What the route is for.
    pub action: Action,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Who {
    /// The person's id.
    pub person: String,
    /// Their roles now.
    pub roles: OrdSet<Role>,
    /// How they are known.
    pub by: By,
}

/// How whoever asks is known.
#[derive(Debug, Clone)]
pub enum By {
    /// A session: the secret in its cookie, and the key of its forms.
    Session(Secret, FormKey),
    /// A token, with what it may be used for.
    Token(Vec<Action>),
}

impl At {
    /// The state.
    pub fn state(&self) -> &alnager_office::state::State {
        &self.moment.state
    }

    /// Today in the organisation's time zone.
    pub fn today(&self) -> Date {
        self.moment.today
    }

    /// The texts of the pages.
    pub fn words(&self) -> &'static Words {
        &EN
    }

    /// A part of the address that names something.
    pub fn named(&self, what: &str) -> &str {
        self.named.get(what).map_or("", String::as_str)
    }

    /// An address within the organisation.
    pub fn link(&self, path: &str) -> String {
        format!("/{}{path}", self.organisation.slug)
    }

    /// The same place at the moment after what was entered here.
    pub fn again(&self) -> At {
        At {
            moment: self.organisation.moment(),
            ..self.clone()
        }
    }

    /// The name of a person.
    pub fn name(&self, person: &str) -> String {
        self.state().name(person)
    }

    /// Whether whoever asks may do something to something.
    pub fn may(&self, action: Action, resource: Resource<'_>) -> bool {
        self.who.may(action, resource)
    }

    /// Whether whoever asks may do something to a system.
    pub fn may_to(&self, action: Action, system: &str) -> bool {
        let system = self.state().systems.get(system);
        system.is_some_and(|system| self.may(action, Resource::System(system)))
    }

    /// Refuses what whoever asks may not do to a system; one that is not there is not found.
    pub fn need(&self, action: Action, system: &str) -> Result<(), Refusal> {
        let system = self.state().systems.get(system);
        let system = system.ok_or(Refusal::NotFound)?;
        match self.may(action, Resource::System(system)) {
            true => Ok(()),
            false => Err(Refusal::Forbidden(self.words().refusal.may_not.to_owned())),
        }
    }

    /// The token for the forms of a page.
    pub fn form_token(&self) -> Result<String, Refusal> {
        match &self.who.by {
            By::Session(_, key) => Ok(key.token()?),
            By::Token(_) => Ok(String::new()),
        }
    }

    /// Enters a command for whoever asks. `id`: the idempotency key of a form or a request.
    pub async fn enter(&self, command: Command, id: Option<Uuid>) -> Result<Receipt, Refusal> {
        self.enter_with(command, id, 0).await
    }

    /// The same, for a command that may need more new ids than a few.
    pub async fn enter_with(
        &self,
        command: Command,
        id: Option<Uuid>,
        n_ids: usize,
    ) -> Result<Receipt, Refusal> {
        let asked = Asked {
            command,
            person: &self.who.person,
            id,
            n_ids,
        };
        Ok(self.organisation.enter(asked).await?)
    }
}

impl Who {
    /// Whether they may do something to something.
    pub fn may(&self, action: Action, resource: Resource<'_>) -> bool {
        let is_in_scope = match &self.by {
            By::Session(..) => true,
            By::Token(scopes) => action == Action::Enter || scopes.contains(&action),
        };
        let actor = Actor {
            person: &self.person,
            roles: &self.roles,
        };
        is_in_scope && authorize(actor, action, resource)
    }
}

impl<S: Sync> FromRequestParts<S> for At {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts
            .extensions
            .get::<At>()
            .cloned()
            .ok_or(Refusal::Internal)
    }
}
