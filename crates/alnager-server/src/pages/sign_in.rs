//! Signing in: with a password, or once with a link.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use alnager_store::{NewAccount, password};
use axum::Form;
use axum::extract::{ConnectInfo, Path, Query, RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde::Deserialize;

use crate::demo::ENTER;
use crate::form::Fields;
use crate::house::House;
use crate::organisation::Organisation;
use crate::page::{self, complaint, field};
use crate::pages::setup::password_field;
use crate::refusal::Refusal;
use crate::route::is_same_origin;
use crate::secret::Secret;
use crate::session;
use crate::words::EN;

/// What a link for one use is for.
pub(super) const WELCOME: &str = "welcome";

/// Where to go after signing in.
#[derive(Deserialize)]
pub(super) struct Onward {
    #[serde(default)]
    next: String,
}

/// What the form asks for.
#[derive(Deserialize)]
pub(super) struct Given {
    login: String,
    password: String,
}

/// The form.
pub(super) async fn form(
    Path(org): Path<String>,
    State(house): State<Arc<House>>,
) -> Result<Response, Refusal> {
    organisation(&house, &org)?;
    Ok(shown("", None).into_response())
}

/// Signs somebody in.
pub(super) async fn enter(
    Path(org): Path<String>,
    Query(onward): Query<Onward>,
    State(house): State<Arc<House>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response, Refusal> {
    let organisation = organisation(&house, &org)?;
    if !is_same_origin(&house, &headers) {
        return Err(Refusal::Forbidden(EN.refusal.other_form.to_owned()));
    }
    match known(&house, organisation, &given, peer).await {
        Ok(person) => {
            let path = own_path(&org, &onward.next);
            session::begin(&house, organisation, &person, &path).await
        }
        Err(refusal) => {
            let page = shown(&given.login, Some(&refusal));
            Ok(page.with_status(refusal.status()).into_response())
        }
    }
}

/// The person who has this name and password. Failures are counted by name and by address, and take as long as successes.
async fn known(
    house: &House,
    organisation: &Organisation,
    given: &Given,
    peer: SocketAddr,
) -> Result<String, Refusal> {
    let counted = [
        format!(
            "{}/{}",
            organisation.slug,
            given.login.trim().to_lowercase()
        ),
        format!("from {}", peer.ip()),
    ];
    let now = Instant::now();
    if let Some(wait) = counted
        .iter()
        .filter_map(|name| house.limits.wait(name, now))
        .max()
    {
        let minutes = wait.as_secs().div_ceil(60);
        return Err(Refusal::TooOften { minutes });
    }
    let account = organisation.accounts.by_login(&given.login).await?;
    let account = account.filter(|account| !account.is_closed());
    let stored = account
        .as_ref()
        .and_then(|account| account.password.clone());
    let typed = given.password.clone();
    let is_right = off_thread(move || password::verify(&typed, stored.as_deref())).await?;
    match (account, is_right) {
        (Some(account), true) => {
            house.limits.forget(&counted[0]);
            Ok(account.person)
        }
        (Some(_) | None, _) => {
            counted.iter().for_each(|name| house.limits.fail(name, now));
            Err(Refusal::Invalid(EN.sign_in.wrong.to_owned()))
        }
    }
}

/// Runs a calculation that takes long on a thread of its own.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Refusal::Internal)
}

/// The page asked for before signing in, if it is one of this organisation.
fn own_path(org: &str, next: &str) -> String {
    let home = format!("/{org}/");
    match next.starts_with(&home) && !next.contains(['\\', '\r', '\n']) {
        true => next.to_owned(),
        false => format!("{home}today"),
    }
}

fn shown(login: &str, refusal: Option<&Refusal>) -> page::Page {
    let words = &EN.sign_in;
    page::bare(
        words.title,
        html! {
            (complaint(refusal))
            form method="post" {
                (field("login", words.login, login, None))
                div.field {
                    label for="password" { (words.password) }
                    input type="password" id="password" name="password" autocomplete="current-password" required;
                }
                p { button type="submit" { (words.enter) } }
            }
        },
    )
}

/// Where a link for one use leads: who has it chooses how to sign in from now on, or signs in at once. Looking at it does not use it
/// up, since programs that check links look, too.
pub(super) async fn welcome(
    Path((org, link)): Path<(String, String)>,
    State(house): State<Arc<House>>,
) -> Result<Response, Refusal> {
    let organisation = organisation(&house, &org)?;
    let hash = Secret::carried(&link).hash();
    let now = session::now();
    let at_once = organisation.accounts.invitation(&hash, ENTER, now).await?;
    Ok(match at_once.and_then(|invitation| invitation.person) {
        Some(person) => entering(&organisation.moment().state.name(&person)).into_response(),
        None => choosing("", None).into_response(),
    })
}

/// Uses the link up, and signs in.
pub(super) async fn settle(
    Path((org, link)): Path<(String, String)>,
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Result<Response, Refusal> {
    let organisation = organisation(&house, &org)?;
    if !is_same_origin(&house, &headers) {
        return Err(Refusal::Forbidden(EN.refusal.other_form.to_owned()));
    }
    let fields = Fields::read(&body);
    match settled(organisation, &link, &fields).await {
        Ok(person) => session::begin(&house, organisation, &person, &format!("/{org}/today")).await,
        Err(refusal) => {
            let page = choosing(fields.text("login"), Some(&refusal));
            Ok(page
                .with_status(StatusCode::UNPROCESSABLE_ENTITY)
                .into_response())
        }
    }
}

async fn settled(
    organisation: &Organisation,
    link: &str,
    fields: &Fields,
) -> Result<String, Refusal> {
    let accounts = &organisation.accounts;
    let hash = Secret::carried(link).hash();
    let now = session::now();
    let spent = || Refusal::Invalid(EN.sign_in.link_spent.to_owned());
    let at_once = accounts.redeem(&hash, ENTER, now).await?;
    if let Some(person) = at_once.and_then(|invitation| invitation.person) {
        return Ok(person);
    }
    // Checked before the link is used up.
    let invited = accounts.invitation(&hash, WELCOME, now).await?;
    let invited = invited
        .and_then(|invitation| invitation.person)
        .ok_or_else(spent)?;
    let chosen = Chosen::check(fields.text("login"), fields.text("password"))?;
    let taken = accounts.by_login(&chosen.login).await?;
    if taken.is_some_and(|account| account.person != invited) {
        return Err(Refusal::Invalid(EN.sign_in.login_taken.to_owned()));
    }
    let redeemed = accounts.redeem(&hash, WELCOME, now).await?;
    let person = redeemed
        .and_then(|invitation| invitation.person)
        .ok_or_else(spent)?;
    add_account(organisation, &person, chosen).await?;
    Ok(person)
}

fn entering(name: &str) -> page::Page {
    let words = &EN.sign_in;
    page::bare(
        words.link_title,
        html! {
            p.lead { (name) }
            form method="post" { p { button type="submit" { (words.enter) } } }
        },
    )
}

fn choosing(login: &str, refusal: Option<&Refusal>) -> page::Page {
    let words = &EN.sign_in;
    page::bare(
        words.link_title,
        html! {
            p.lead { (words.link_lead) }
            (complaint(refusal))
            form method="post" {
                (field("login", words.login, login, Some(EN.setup.login_note)))
                (password_field(words.password))
                p { button type="submit" { (words.enter) } }
            }
        },
    )
}

/// How somebody chose to sign in, checked.
pub(super) struct Chosen {
    login: String,
    password: String,
}

impl Chosen {
    /// Checks a name and a password.
    pub(super) fn check(login: &str, password: &str) -> Result<Chosen, Refusal> {
        let login = login.trim();
        if login.is_empty() {
            return Err(Refusal::Invalid(EN.sign_in.login_missing.to_owned()));
        }
        password::check(password, login).map_err(|error| Refusal::Invalid(error.to_string()))?;
        Ok(Chosen {
            login: login.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// Gives a person an account, or another password where they have one.
pub(super) async fn add_account(
    organisation: &Organisation,
    person: &str,
    chosen: Chosen,
) -> Result<(), Refusal> {
    let password = chosen.password;
    let login = chosen.login.clone();
    let hashed = off_thread(move || password::hash(&password, &login)).await?;
    let hashed = hashed.map_err(|error| Refusal::Invalid(error.to_string()))?;
    let at = session::now();
    let accounts = &organisation.accounts;
    if accounts.of_person(person).await?.is_some() {
        return Ok(accounts
            .set_login(person, &chosen.login, &hashed, at)
            .await?);
    }
    let account = NewAccount {
        person: person.to_owned(),
        login: chosen.login,
        password: Some(hashed),
        at,
    };
    Ok(accounts.add(&account).await?)
}

/// The organisation of an address, once its desk exists.
pub(super) fn organisation<'h>(house: &'h House, org: &str) -> Result<&'h Organisation, Refusal> {
    let seat = house.seats.get(org).ok_or(Refusal::NotFound)?;
    let organisation = seat.organisation().ok_or(Refusal::NotFound)?;
    Ok(organisation.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_sent_on_to_pages_of_the_same_organisation_only() {
        assert_eq!(own_path("acme", "/acme/law?at=1"), "/acme/law?at=1");
        for other in [
            "",
            "/other/law",
            "//evil.example",
            "/acme",
            "https://evil.example",
            "/acme/\\evil",
        ] {
            assert_eq!(own_path("acme", other), "/acme/today", "{other}");
        }
    }
}
