//! Who asks.

use alnager_office::role::Role;
use axum::Json;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Action;
use crate::api::shape::Person;
use crate::at::{At, By};

/// Who a token stands for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The person.
    person: Person,
    /// Their roles.
    roles: Vec<String>,
    /// What the token may be used for, as far as the roles allow it.
    scopes: Vec<String>,
    /// The organisation's word in addresses.
    organisation: String,
    /// The organisation's name; `null` before it has one.
    organisation_name: Option<String>,
    /// Today in the organisation's time zone.
    today: Date,
}

/// Shows it.
pub(super) async fn show(at: At) -> Json<Me> {
    let scopes = match &at.who.by {
        By::Session(..) => Vec::new(),
        By::Token(scopes) => scopes.iter().copied().map(Action::word).collect(),
    };
    let organisation = at.state().organisation.as_ref();
    Json(Me {
        person: Person::of(&at, &at.who.person),
        roles: words(at.who.roles.iter().copied().map(Role::word)),
        scopes: words(scopes.into_iter()),
        organisation: at.organisation.slug.clone(),
        organisation_name: organisation.map(|known| known.name.clone()),
        today: at.today(),
    })
}

fn words(words: impl Iterator<Item = &'static str>) -> Vec<String> {
    words.map(str::to_owned).collect()
}
