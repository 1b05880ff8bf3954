//! Who may see and do what: every route, every role, and things of another organisation.

use alnager_office::role::Role;
use axum::http::{Method, header};

use super::*;
use crate::access::{Action, Actor, Resource, authorize};
use crate::route::Kind;

/// A path with its named parts filled: those of the system `credit` and what belongs to it.
pub(super) fn filled(path: &str, slug: &str, person: &str) -> String {
    path.replace("{org}", slug)
        .replace("{system}", "credit")
        .replace("{evidence}", "E1")
        .replace("{task}", "T1")
        .replace("{exception}", "X1")
        .replace("{opinion}", "O1")
        .replace("{requirement}", "EUAIA-9")
        .replace("{pack}", "eu-ai-act")
        .replace("{fact}", "is_ai_system")
        .replace("{entry}", "0")
        .replace("{person}", person)
        .replace(['{', '}'], "")
}

#[tokio::test]
async fn every_route_answers_every_role_as_declared() {
    let street = Street::open(&["one"]).await;
    let state = street.house.seats["one"].organisation().unwrap().moment();
    let state = &state.state;
    for role in Role::ALL {
        let visitor = street.with_role("one", role).await;
        let roles = match role {
            Role::Administrator => continue,
            _ => role_set(state, role),
        };
        for declared in &street.declared {
            let is_other = declared.action == Action::Enter || declared.kind == Kind::Api;
            // Whoever signs out sees nothing more.
            if is_other || declared.path.ends_with("/sign-out") {
                continue;
            }
            let person = state.person("Vera Novak").unwrap();
            let path = filled(declared.path, "one", person);
            let path = format!("/{path}");
            let answer = match declared.method {
                Method::GET => visitor.get(&path).await,
                _ => visitor.post(&path, &[]).await,
            };
            let own = state.person(name_of(role)).unwrap();
            let actor = Actor {
                person: own,
                roles: &roles,
            };
            let resource = match declared.path.contains("{system}") {
                true => Resource::System(&state.systems["credit"]),
                false => Resource::Organisation,
            };
            let may = authorize(actor, declared.action, resource);
            let is_refused = answer.status == StatusCode::FORBIDDEN;
            // What is about evidence or a task is decided by its system, in the handler.
            if declared.path.contains("{evidence}") || declared.path.contains("{task}") {
                assert!(may || is_refused, "{role:?} {path}: {}", answer.status);
                continue;
            }
            assert_eq!(!may, is_refused, "{role:?} {} {path}", declared.method);
            assert!(!answer.status.is_server_error(), "{role:?} {path}");
        }
    }
}

fn name_of(role: Role) -> &'static str {
    match role {
        Role::Officer | Role::Administrator => "Ines Marchetti",
        Role::Legal => "Henrik Lund",
        Role::PrivacyOfficer => "Clara Osei",
        Role::Engineer => "Tomas Beran",
        Role::SystemOwner => "Ruth Ansorge",
        Role::Validator => "Vera Novak",
        Role::Auditor => "Aiko Tanaka",
        Role::Board => "Johanna Brandt",
    }
}

fn role_set(state: &alnager_office::state::State, role: Role) -> imbl::OrdSet<Role> {
    let person = state.person(name_of(role)).unwrap();
    state.roles_of(person)
}

#[tokio::test]
async fn nobody_sees_anything_of_another_organisation() {
    let street = Street::open(&["one", "two"]).await;
    let visitor = street.with_role("one", Role::Officer).await;
    for declared in &street.declared {
        if declared.action == Action::Enter {
            continue;
        }
        let path = format!("/{}", filled(declared.path, "two", "nobody"));
        let answer = visitor
            .send(declared.method.clone(), &path, &[], Vec::new())
            .await;
        // The cookie of one organisation is nothing to another: one is asked to sign in there.
        let is_nothing = answer.status == StatusCode::NOT_FOUND
            || answer.status == StatusCode::UNAUTHORIZED
            || answer.location.starts_with("/two/sign-in");
        assert!(is_nothing, "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_form_without_its_token_or_from_elsewhere_changes_nothing() {
    let street = Street::open(&["one"]).await;
    let visitor = street.with_role("one", Role::Officer).await;
    let size = || {
        let organisation = street.house.seats["one"].organisation();
        organisation.unwrap().moment().state.size
    };
    let before = size();
    for declared in &street.declared {
        if declared.method == Method::GET
            || declared.action == Action::Enter
            || declared.kind == Kind::Api
        {
            continue;
        }
        let path = format!("/{}", filled(declared.path, "one", "x"));
        visitor.post_bare(&path, &[]).await.is(403);
        let token = visitor.form_token();
        let other = [(header::ORIGIN, "https://evil.example")];
        let body = format!("form={token}").into_bytes();
        visitor
            .send(Method::POST, &path, &other, body)
            .await
            .is(403);
    }
    assert_eq!(size(), before);
}

#[tokio::test]
async fn every_page_has_the_headers_that_keep_a_browser_safe() {
    let street = Street::open(&["one"]).await;
    let visitor = street.with_role("one", Role::Officer).await;
    let page = visitor.get("/today").await.is(200);
    assert!(page.media.starts_with("text/html"));
    let text = page.text();
    for inline in ["<style", "style=\"", "onclick", "javascript:"] {
        assert!(!text.contains(inline), "{inline}");
    }
    street.stranger("one").get("/today").await.is(303);
    street.stranger("three").get("/today").await.is(404);
}
