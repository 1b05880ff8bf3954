//! Setting an organisation up: its name and its first administrator, with the link that the server's start printed.

use std::sync::Arc;

use alnager_office::decide::Command;
use alnager_office::role::Role;
use alnager_store::{Place, password};
use alnager_work::acting::{Acting, Flags};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::house::{House, Seat};
use crate::page::{self, complaint, field};
use crate::pages::sign_in::{Chosen, add_account, off_thread, organisation};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::session;
use crate::words::EN;

/// The secret of the link.
#[derive(Deserialize)]
pub(super) struct Key {
    #[serde(default)]
    key: String,
}

/// What the form asks for.
#[derive(Clone, Deserialize)]
pub(super) struct First {
    organisation: String,
    name: String,
    login: String,
    password: String,
}

/// The form.
pub(super) async fn form(
    Path(org): Path<String>,
    Query(key): Query<Key>,
    State(house): State<Arc<House>>,
) -> Result<Response, Refusal> {
    vacant(&house, &org, &key)?;
    Ok(shown(["", "", ""], None).into_response())
}

/// Opens the desk.
pub(super) async fn open(
    Path(org): Path<String>,
    Query(key): Query<Key>,
    State(house): State<Arc<House>>,
    Form(first): Form<First>,
) -> Result<Response, Refusal> {
    vacant(&house, &org, &key)?;
    let (own, slug, given) = (Arc::clone(&house), org.clone(), first.clone());
    // A desk belongs to one thread while it is made and opened.
    let runtime = tokio::runtime::Handle::current();
    let opened = off_thread(move || runtime.block_on(opened(&own, &slug, &given))).await?;
    match opened {
        Ok(person) => {
            let organisation = organisation(&house, &org)?;
            session::begin(&house, organisation, &person, &format!("/{org}/today")).await
        }
        Err(refusal) => {
            let typed = [&first.organisation, &first.name, &first.login].map(String::as_str);
            let page = shown(typed, Some(&refusal));
            Ok(page
                .with_status(StatusCode::UNPROCESSABLE_ENTITY)
                .into_response())
        }
    }
}

/// The place that this link may set up.
fn vacant<'h>(house: &'h House, org: &str, key: &Key) -> Result<&'h Seat, Refusal> {
    let seat = house.seats.get(org).ok_or(Refusal::NotFound)?;
    match seat.setup.is(&Secret::carried(&key.key)) && seat.is_vacant() {
        true => Ok(seat),
        false => Err(Refusal::Forbidden(EN.setup.link_used.to_owned())),
    }
}

/// Opens the desk of a place, with its organisation, its first administrator and their account: the administrator's id.
async fn opened(house: &House, slug: &str, first: &First) -> Result<String, Refusal> {
    let seat = house.seats.get(slug).ok_or(Refusal::NotFound)?;
    let chosen = Chosen::check(&first.login, &first.password)?;
    let actor = first.name.trim();
    if actor.is_empty() {
        return Err(Refusal::Invalid(EN.setup.name_missing.to_owned()));
    }
    let (person, size) = make(&seat.place, &first.organisation, actor).await?;
    let organisation = seat.fill(&house.options).await?;
    organisation.moment_from(size).await;
    add_account(organisation, &person, chosen).await?;
    Ok(person)
}

/// Makes the desk, with its organisation and its first administrator: their id, and the number of entries.
async fn make(place: &Place, organisation: &str, actor: &str) -> Result<(String, u64), Refusal> {
    let flags = Flags {
        desk: place.clone(),
        actor: Some(actor.to_owned()),
        ..Flags::default()
    };
    let acting = Acting::begin(&flags)?;
    let mut desk = acting.desk_or_new().await?;
    if desk.state().organisation.is_none() {
        let command = Command::OpenDesk {
            organisation: organisation.trim().to_owned(),
        };
        let with = acting.context(&desk, None)?;
        acting.commit(&mut desk, &command, &with).await?;
    }
    let command = Command::GrantRoles {
        person: actor.to_owned(),
        roles: vec![Role::Officer, Role::Administrator],
        reason: EN.setup.reason.to_owned(),
    };
    let with = acting.context(&desk, None)?;
    acting.commit(&mut desk, &command, &with).await?;
    let (person, size) = (desk.state().person(actor).map(str::to_owned), desk.size());
    desk.close().await?;
    Ok((person.ok_or(Refusal::Internal)?, size))
}

fn shown([organisation, name, login]: [&str; 3], refusal: Option<&Refusal>) -> page::Page {
    let words = &EN.setup;
    page::bare(
        words.title,
        html! {
            p.lead { (words.lead) }
            (complaint(refusal))
            form method="post" {
                (field("organisation", words.organisation, organisation, None))
                (field("name", words.name, name, None))
                (field("login", words.login, login, Some(words.login_note)))
                (password_field(words.password))
                p { button type="submit" { (words.begin) } }
            }
        },
    )
}

/// A field for a new password.
pub(super) fn password_field(label: &str) -> Markup {
    html! {
        div.field {
            label for="password" { (label) }
            input type="password" id="password" name="password" autocomplete="new-password" minlength=(password::LEN_MIN) required aria-describedby="password-note";
            p.note id="password-note" { (EN.setup.password_note) }
        }
    }
}
