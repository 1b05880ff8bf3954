//! Sessions: who is signed in on which browser, and the cookies that say so.

use alnager_store::{NewSession, Session};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use crate::access::Action;
use crate::at::{At, By};
use crate::house::House;
use crate::organisation::Organisation;
use crate::page;
use crate::refusal::Refusal;
use crate::route::{Declared, Kind, see_other};
use crate::secret::Secret;
use crate::words::EN;

/// The route that sets an organisation up.
pub const SETUP: &str = "/{org}/setup";

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// How long a session lasts without being used, in microseconds.
const IDLE: i64 = 12 * HOUR;
/// How long a session lasts in any case, in microseconds: whoever comes back every day signs in once a week.
const LASTS: i64 = 7 * 24 * HOUR;
/// After how long a session gets another secret, in microseconds.
const ROTATE: i64 = HOUR;
/// How long the old secret still works, for requests under way, in microseconds.
const GRACE: i64 = 60 * SECOND;

/// Now, in microseconds since 1970.
pub fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// The name of an organisation's cookie.
fn cookie_name(slug: &str) -> String {
    format!("alnager-{slug}")
}

/// The secret in the organisation's cookie.
pub fn cookie(headers: &HeaderMap, slug: &str) -> Option<Secret> {
    let name = cookie_name(slug);
    let all = headers.get_all(header::COOKIE).iter();
    let mut pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(known, _)| *known == name)
        .map(|(_, secret)| Secret::carried(secret))
}

/// The header that gives a browser a session's secret, or takes it away.
fn set_cookie(house: &House, slug: &str, secret: Option<&Secret>) -> Option<HeaderValue> {
    let (value, age) = match secret {
        Some(secret) => (secret.reveal(), LASTS / SECOND),
        None => ("", 0),
    };
    let secure = if house.is_secure() { "; Secure" } else { "" };
    let name = cookie_name(slug);
    let text =
        format!("{name}={value}; Path=/{slug}; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The session behind a secret, and notes that it is used; `None` where it has ended.
pub async fn of(organisation: &Organisation, secret: &Secret) -> Result<Option<Session>, Refusal> {
    let (hash, now) = (secret.hash(), now());
    let found = organisation.accounts.session(&hash, now).await?;
    let session = found.filter(|session| now - session.seen_at < IDLE);
    if session.is_some() {
        organisation.accounts.touch_session(&hash, now).await?;
    }
    Ok(session)
}

/// The person behind a token, and what it may be used for; `None` where there is none.
pub async fn token(
    organisation: &Organisation,
    secret: &Secret,
) -> Result<Option<(String, Vec<Action>)>, Refusal> {
    let (hash, now) = (secret.hash(), now());
    let found = organisation.accounts.token(&hash, now).await?;
    if found.is_some() {
        organisation.accounts.touch_token(&hash, now).await?;
    }
    Ok(found.map(|token| {
        let scopes = token.scopes.iter().filter_map(|word| Action::of(word));
        (token.person, scopes.collect())
    }))
}

/// Begins a session, and sends the browser to a page of the organisation.
pub async fn begin(
    house: &House,
    organisation: &Organisation,
    person: &str,
    path: &str,
) -> Result<Response, Refusal> {
    let secret = Secret::new()?;
    let at = now();
    let session = NewSession {
        hash: secret.hash(),
        person: person.to_owned(),
        at,
        expires: at + LASTS,
    };
    organisation.accounts.begin_session(&session).await?;
    house.metrics.began_session(&organisation.slug);
    let mut response = see_other(path);
    if let Some(cookie) = set_cookie(house, &organisation.slug, Some(&secret)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Ends the session of a request.
pub async fn end(at: &At) -> Result<Response, Refusal> {
    if let By::Session(secret, _) = &at.who.by {
        at.organisation.accounts.end_session(&secret.hash()).await?;
    }
    let mut response = see_other(&at.link("/sign-in"));
    if let Some(cookie) = set_cookie(&at.house, &at.organisation.slug, None) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Gives a session that has been used for a while another secret, with the answer to a page.
pub async fn renew(at: &At, declared: &Declared, response: &mut Response) {
    let By::Session(secret, _) = &at.who.by else {
        return;
    };
    if declared.kind != Kind::Page || response.headers().contains_key(header::SET_COOKIE) {
        return;
    }
    // A session that cannot be renewed now is renewed with the next page.
    let _ = renew_now(at, secret, response).await;
}

async fn renew_now(at: &At, secret: &Secret, response: &mut Response) -> Result<(), Refusal> {
    let accounts = &at.organisation.accounts;
    let now = now();
    let hash = secret.hash();
    let Some(session) = accounts.session(&hash, now).await? else {
        return Ok(());
    };
    if now - session.issued_at < ROTATE {
        return Ok(());
    }
    let next = Secret::new()?;
    let is_rotated = accounts
        .rotate_session(&hash, &next.hash(), now, now + GRACE)
        .await?;
    if let (true, Some(cookie)) = (
        is_rotated,
        set_cookie(&at.house, &at.organisation.slug, Some(&next)),
    ) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(())
}

/// Sends a browser without a session to where one begins, and back afterwards.
pub fn to_sign_in(house: &House, asked: &Uri) -> Response {
    let path = asked.path();
    let slug = path.split('/').nth(1).unwrap_or_default();
    if !house.seats.contains_key(slug) {
        return page::bare_refusal(&Refusal::NotFound).into_response();
    }
    let back = asked.path_and_query().map_or(path, |whole| whole.as_str());
    see_other(&format!("/{slug}/sign-in?next={}", escaped(back)))
}

/// A text as part of a query.
pub fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
    let parts = text.bytes().map(|byte| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    parts.collect()
}

/// What a place says that has no desk yet.
pub fn not_set_up() -> Response {
    page::bare(EN.setup.title, maud::html! { p { (EN.setup.not_yet) } }).into_response()
}
