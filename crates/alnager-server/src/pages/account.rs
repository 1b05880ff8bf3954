//! One's own account: roles, password, tokens for programs.

use alnager_store::{NewToken, Token, password};
use axum::Form;
use axum::extract::RawForm;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;

use crate::access::{Action, Resource};
use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Room, complaint, field, form_fields};
use crate::pages::setup::password_field;
use crate::pages::shared;
use crate::pages::sign_in::off_thread;
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::secret::{Secret, random};
use crate::session;
use crate::words::EN;

const DAY: i64 = 24 * 3_600 * 1_000_000;

/// How many days a token works where nothing else is said.
const DAYS: u16 = 90;

/// What a token starts with, so that one found in a text is known for what it is.
const TOKEN_MARK: &str = "alnager_";

/// The page.
pub(super) async fn show(at: At) -> Result<Response, Refusal> {
    Ok(shown(&at, None, html! {}, &Fields::default())
        .await?
        .into_response())
}

/// Ends the session.
pub(super) async fn sign_out(at: At) -> Result<Response, Refusal> {
    session::end(&at).await
}

/// A change of password.
#[derive(Deserialize)]
pub(super) struct Change {
    old: String,
    password: String,
}

/// Changes the password, and ends every session; this browser gets a new one.
pub(super) async fn change_password(
    at: At,
    Form(change): Form<Change>,
) -> Result<Response, Refusal> {
    match changed(&at, change).await {
        Ok(()) => {
            let path = at.link("/account");
            session::begin(&at.house, &at.organisation, &at.who.person, &path).await
        }
        Err(refusal) => {
            let page = shown(&at, Some(&refusal), html! {}, &Fields::default()).await?;
            Ok(page
                .with_status(StatusCode::UNPROCESSABLE_ENTITY)
                .into_response())
        }
    }
}

async fn changed(at: &At, change: Change) -> Result<(), Refusal> {
    let accounts = &at.organisation.accounts;
    let account = accounts.of_person(&at.who.person).await?;
    let account = account.ok_or(Refusal::NotFound)?;
    let (old, stored) = (change.old, account.password);
    if !off_thread(move || password::verify(&old, stored.as_deref())).await? {
        return Err(Refusal::Invalid(EN.sign_in.wrong.to_owned()));
    }
    password::check(&change.password, &account.login)
        .map_err(|error| Refusal::Invalid(error.to_string()))?;
    let new = change.password;
    let hashed = off_thread(move || password::hash(&new, &account.login)).await?;
    let hashed = hashed.map_err(|error| Refusal::Invalid(error.to_string()))?;
    accounts
        .set_password(&at.who.person, &hashed, session::now())
        .await?;
    Ok(())
}

/// Makes a token and shows it, once.
pub(super) async fn add_token(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let days: u16 = fields.text("days").parse().unwrap_or(DAYS);
    let secret = Secret::carried(&format!("{TOKEN_MARK}{}", Secret::new()?.reveal()));
    let scopes: Result<Vec<Action>, Refusal> = fields
        .text("scopes")
        .split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| scope(&at, word))
        .collect();
    let id = alnager_work::library::hex(&random::<6>()?);
    let now = session::now();
    let token = scopes.map(|scopes| NewToken {
        id,
        person: at.who.person.clone(),
        name: fields.text("name").to_owned(),
        hash: secret.hash(),
        scopes: scopes
            .iter()
            .map(|action| action.word().to_owned())
            .collect(),
        at: now,
        expires: Some(now + i64::from(days.clamp(1, 366)) * DAY),
    });
    let added = match token {
        Ok(token) => at
            .organisation
            .accounts
            .add_token(&token)
            .await
            .map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    let page = match added {
        Ok(()) => {
            let notice = html! {
                (page::notice(html! { p { (EN.account.token_shown) } p { code { (secret.reveal()) } } }))
            };
            shown(&at, None, notice, &Fields::default()).await?
        }
        Err(refusal) => shown(&at, Some(&refusal), html! {}, &fields)
            .await?
            .with_status(refusal.status()),
    };
    Ok(page.into_response())
}

/// What a word of the form lets a token do: only what the person may do somewhere.
fn scope(at: &At, word: &str) -> Result<Action, Refusal> {
    let unknown = || {
        let known: Vec<&str> = scopes(at).map(Action::word).collect();
        Refusal::Invalid(format!(
            "`{word}` is nothing a token of yours can be for; choose among `{}`",
            known.join("`, `")
        ))
    };
    let action = Action::of(word).ok_or_else(unknown)?;
    match scopes(at).any(|known| known == action) {
        true => Ok(action),
        false => Err(unknown()),
    }
}

fn scopes(at: &At) -> impl Iterator<Item = Action> {
    Action::ALL.into_iter().filter(|action| {
        !matches!(action, Action::Enter | Action::Account)
            && at.may(*action, Resource::Organisation)
    })
}

/// Ends a token of one's own.
pub(super) async fn end_token(at: At) -> Result<Response, Refusal> {
    let accounts = &at.organisation.accounts;
    match accounts
        .end_token(&at.who.person, at.named("token"))
        .await?
    {
        true => Ok(see_other(&at.link("/account"))),
        false => Err(Refusal::NotFound),
    }
}

/// The page; `typed` is what the form of a token held that was refused.
async fn shown(
    at: &At,
    refusal: Option<&Refusal>,
    notice: Markup,
    typed: &Fields,
) -> Result<page::Page, Refusal> {
    let words = &EN.account;
    let tokens = at.organisation.accounts.tokens_of(&at.who.person).await?;
    let all: Vec<&str> = scopes(at).map(Action::word).collect();
    let all = all.join(", ");
    let days = typed
        .optional("days")
        .map_or(DAYS.to_string(), str::to_owned);
    let roles: Vec<&str> = at.who.roles.iter().map(|role| EN.role(*role)).collect();
    let body = html! {
        h1 { (words.title) }
        (complaint(refusal))
        (notice)
        p { strong { (at.name(&at.who.person)) } ", " (words.roles) ": " (roles.join(", ")) }
        section {
            h2 { (words.password) }
            form method="post" action=(at.link("/account/password")) {
                (form_fields(at))
                div.field {
                    label for="old" { (words.old_password) }
                    input type="password" id="old" name="old" autocomplete="current-password" required;
                }
                (password_field(words.new_password))
                p { button type="submit" { (words.change) } }
            }
        }
        section {
            h2 { (words.tokens) }
            p.note { (words.tokens_lead) }
            (token_table(at, &tokens))
            form method="post" action=(at.link("/account/tokens")) {
                (form_fields(at))
                (field("name", words.token_name, typed.text("name"), None))
                (field("scopes", words.token_scopes, typed.optional("scopes").unwrap_or(&all), None))
                (page::labelled("days", words.token_days, html! { input type="number" id="days" name="days" value=(days) min="1" max="366"; }, None))
                p { button type="submit" { (words.token_new) } }
            }
        }
        form method="post" action=(at.link("/sign-out")) {
            (form_fields(at))
            p { button.plain type="submit" { (words.sign_out) } }
        }
    };
    Ok(page::page(at, Room::Account, words.title, body))
}

fn token_table(at: &At, tokens: &[Token]) -> Markup {
    let words = &EN.account;
    html! {
        @if tokens.is_empty() { p { (words.no_tokens) } }
        @else {
            table.ledger.stacks {
                (shared::head(&[words.token_name, words.token_scopes, words.token_expires, words.token_used, ""]))
                tbody {
                    @for token in tokens {
                        tr {
                            th scope="row" { (token.name) }
                            td data-label=(words.token_scopes) { (token.scopes.join(", ")) }
                            td data-label=(words.token_expires) { (instant(token.expires)) }
                            td data-label=(words.token_used) { @match token.used_at { Some(_) => (instant(token.used_at)), None => (words.token_never) } }
                            td {
                                form method="post" action=(at.link(&format!("/account/tokens/{}/end", token.id))) {
                                    (form_fields(at))
                                    button.plain type="submit" { (words.token_end) span.unseen { " " (token.name) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The day of an instant given in microseconds.
fn instant(micros: Option<i64>) -> Markup {
    let instant = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    html! { @if let Some(instant) = instant { (page::day(instant.to_zoned(TimeZone::UTC).date())) } }
}
