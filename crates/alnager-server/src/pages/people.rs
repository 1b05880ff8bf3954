//! People: who has which roles, and the links they sign in with first.

use std::collections::BTreeMap;

use alnager_office::decide::Command;
use alnager_office::role::Role;
use axum::extract::RawForm;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use imbl::OrdSet;
use maud::{Markup, html};

use crate::at::At;
use crate::form::Fields;
use crate::page::{self, Room, complaint, field, form_fields};
use crate::pages::shared;
use crate::pages::sign_in::WELCOME;
use crate::refusal::Refusal;
use crate::route::see_other;
use crate::secret::Secret;
use crate::session;
use crate::words::EN;

const DAY: i64 = 24 * 3_600 * 1_000_000;

/// How long a link for one use works, in microseconds.
const LINK: i64 = 7 * DAY;

/// The page.
pub(super) async fn show(at: At) -> Result<Response, Refusal> {
    let nothing = Fields::default();
    Ok(shown(&at, None, html! {}, &nothing).await?.into_response())
}

/// Grants somebody their first roles, and makes the link they sign in with.
pub(super) async fn invite(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let name = fields.text("name").to_owned();
    match invited(&at, &fields, &name).await {
        Ok(notice) => {
            let at = at.again();
            let nothing = Fields::default();
            Ok(shown(&at, None, notice, &nothing).await?.into_response())
        }
        Err(refusal) => refused(&at, &refusal, &fields).await,
    }
}

async fn invited(at: &At, fields: &Fields, name: &str) -> Result<Markup, Refusal> {
    grant(at, name, fields).await?;
    let moment = at.organisation.moment();
    let person = moment.state.person(name).ok_or(Refusal::Internal)?;
    link(at, person).await
}

/// Changes somebody's roles.
pub(super) async fn change_roles(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    match grant(&at, at.named("person"), &fields).await {
        Ok(()) => Ok(see_other(&at.link("/people"))),
        Err(refusal) => refused(&at, &refusal, &Fields::default()).await,
    }
}

async fn grant(at: &At, person: &str, fields: &Fields) -> Result<(), Refusal> {
    let roles = fields.all("role").filter_map(Role::of).collect();
    let command = Command::GrantRoles {
        person: person.to_owned(),
        roles,
        reason: fields.text("reason").to_owned(),
    };
    at.enter(command, fields.once()).await.map(drop)
}

/// Makes a new link for somebody: for whoever lost their password.
pub(super) async fn new_link(at: At) -> Result<Response, Refusal> {
    let notice = link(&at, at.named("person")).await?;
    let nothing = Fields::default();
    Ok(shown(&at, None, notice, &nothing).await?.into_response())
}

async fn link(at: &At, person: &str) -> Result<Markup, Refusal> {
    let secret = Secret::new()?;
    let expires = session::now() + LINK;
    at.organisation
        .accounts
        .invite(&secret.hash(), Some(person), WELCOME, expires)
        .await?;
    let path = at.link(&format!("/welcome/{}", secret.reveal()));
    let public = at.house.options.public.as_deref().unwrap_or_default();
    Ok(html! {
        (page::notice(html! {
            p { (at.organisation.moment().state.name(person)) ": " (EN.people.invited) }
            p { code { (public) (path) } }
        }))
    })
}

/// Closes somebody's account, or opens it again.
pub(super) async fn close(at: At, RawForm(body): RawForm) -> Result<Response, Refusal> {
    let fields = Fields::read(&body);
    let person = at.named("person");
    if person == at.who.person {
        let refusal = Refusal::Invalid(EN.people.not_own.to_owned());
        return refused(&at, &refusal, &Fields::default()).await;
    }
    let is_closed = fields.text("closed") == "yes";
    at.organisation
        .accounts
        .set_closed(person, is_closed, session::now())
        .await?;
    Ok(see_other(&at.link("/people")))
}

async fn refused(at: &At, refusal: &Refusal, typed: &Fields) -> Result<Response, Refusal> {
    let page = shown(at, Some(refusal), html! {}, typed).await?;
    Ok(page
        .with_status(match refusal.status() {
            StatusCode::CONFLICT => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        })
        .into_response())
}

/// The page; `typed` is what an invitation held that was refused.
async fn shown(
    at: &At,
    refusal: Option<&Refusal>,
    notice: Markup,
    typed: &Fields,
) -> Result<page::Page, Refusal> {
    let words = &EN.people;
    let accounts = at.organisation.accounts.all().await?;
    let accounts: BTreeMap<&str, _> = accounts
        .iter()
        .map(|account| (account.person.as_str(), account))
        .collect();
    let mut people: Vec<(&String, &String)> = at.state().people.iter().collect();
    people.sort_by_key(|(_, name)| name.to_lowercase());
    let body = html! {
        h1 { (words.title) }
        p.lead { (words.lead) }
        (complaint(refusal))
        (notice)
        table.ledger.stacks {
            (shared::head(&[words.person, words.login, words.roles, ""]))
            tbody {
                @for (id, name) in people {
                    @let account = accounts.get(id.as_str());
                    @let roles = at.state().roles_of(id);
                    tr {
                        th scope="row" { (name) }
                        td data-label=(words.login) {
                            @match account {
                                Some(account) if account.is_closed() => { (account.login) " (" (words.closed) ")" }
                                Some(account) => (account.login),
                                None => span.quiet { (words.no_account) },
                            }
                        }
                        td data-label=(words.roles) {
                            @if roles.is_empty() { span.quiet { (words.no_roles) } }
                            @else { (roles.iter().map(|role| EN.role(*role)).collect::<Vec<_>>().join(", ")) }
                        }
                        td { (deeds(at, id, name, &roles, account.map(|account| account.is_closed()))) }
                    }
                }
            }
        }
        section {
            h2 { (words.invite) }
            p.note { (words.invite_lead) }
            form method="post" action=(at.link("/people")) {
                (form_fields(at))
                (field("name", words.person, typed.text("name"), None))
                (role_boxes("new", &typed.all("role").filter_map(Role::of).collect()))
                (field("reason", EN.frame.reason, typed.text("reason"), None))
                p { button type="submit" { (words.invite) } }
            }
        }
    };
    Ok(page::page(at, Room::People, words.title, body))
}

/// What an administrator can do about a person. `is_closed`: whether their account is; `None` where they have none.
fn deeds(at: &At, id: &str, name: &str, roles: &OrdSet<Role>, is_closed: Option<bool>) -> Markup {
    let words = &EN.people;
    let path = |what: &str| at.link(&format!("/people/{id}/{what}"));
    html! {
        details {
            summary { (words.change) span.unseen { " " (name) } }
            form method="post" action=(path("roles")) {
                (form_fields(at))
                (role_boxes(id, roles))
                div.field {
                    label for={ "reason-" (id) } { (EN.frame.reason) }
                    input type="text" id={ "reason-" (id) } name="reason" required;
                }
                p { button type="submit" { (words.change) } }
            }
            form method="post" action=(path("link")) {
                (form_fields(at))
                p { button.plain type="submit" { (words.new_link) } }
            }
            @if let Some(is_closed) = is_closed {
                form method="post" action=(path("close")) {
                    (form_fields(at))
                    input type="hidden" name="closed" value=(if is_closed { "no" } else { "yes" });
                    p { button.plain type="submit" { (if is_closed { words.reopen } else { words.close }) } }
                }
            }
        }
    }
}

fn role_boxes(of: &str, roles: &OrdSet<Role>) -> Markup {
    html! {
        fieldset {
            legend { (EN.people.roles) }
            @for role in Role::ALL {
                @let id = format!("role-{of}-{}", role.word());
                (page::boxed("checkbox", (&id, "role", role.word()), EN.role(role), roles.contains(&role)))
            }
        }
    }
}
