//! The API as a program uses it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use axum::http::{HeaderName, Method, StatusCode, header};
use serde_json::{Value, json};

use super::*;
use crate::route::Kind;
use crate::tests::{Answer, Street};

const OFFICER: &str = "Ines Marchetti";

mod reviews;

/// A program with a token.
struct Program {
    visitor: crate::tests::Visitor,
    bearer: String,
}

impl Program {
    /// One with a token of the officer for everything.
    async fn of_officer(street: &Street, slug: &str) -> Program {
        Program::with(street, slug, OFFICER, &Action::ALL).await
    }

    async fn with(street: &Street, slug: &str, name: &str, scopes: &[Action]) -> Program {
        let token = street.token(slug, name, scopes).await;
        Program {
            visitor: street.stranger(slug),
            bearer: format!("Bearer {token}"),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: &[u8],
    ) -> Answer {
        let own = [(header::AUTHORIZATION, self.bearer.as_str())];
        let headers = [&own[..], headers].concat();
        let path = format!("/api/v1{path}");
        self.visitor
            .send(method, &path, &headers, body.to_vec())
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], &[]).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    async fn post_with(&self, path: &str, headers: &[(HeaderName, &str)], body: &Value) -> Answer {
        let media = [(header::CONTENT_TYPE, "application/json")];
        let headers = [&media[..], headers].concat();
        let body = serde_json::to_vec(body).unwrap();
        self.send(Method::POST, path, &headers, &body).await
    }
}

fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.bytes).unwrap()
}

fn entries(street: &Street) -> u64 {
    let organisation = street.house.seats["one"].organisation();
    organisation.unwrap().moment().state.size
}

#[track_caller]
fn check_problem(answer: Answer, status: u16, word: &str) -> Value {
    let answer = answer.is(status);
    assert_eq!(answer.media, "application/problem+json");
    let problem = read(&answer);
    assert_eq!(problem["status"], status);
    assert!(
        problem["type"].as_str().unwrap().ends_with(word),
        "{problem}"
    );
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    problem
}

#[tokio::test]
async fn the_document_has_every_route_and_every_answer_needs_a_token_but_the_document() {
    let street = Street::open(&["one"]).await;
    let stranger = street.stranger("one");
    let document = read(&stranger.get("/api/v1/openapi.json").await.is(200));
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let declared: BTreeSet<(String, String)> = street
        .declared
        .iter()
        .filter(|declared| declared.kind == Kind::Api)
        .map(|declared| {
            let path = declared.path.strip_prefix(BASE).unwrap();
            (declared.method.to_string(), path.to_owned())
        })
        .collect();
    assert_eq!(described, declared);
    assert!(declared.len() > 30);
    let ids: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), declared.len(), "operation ids are unique");
    for (method, path) in &declared {
        if path == "/openapi.json" {
            continue;
        }
        let path = path.replace("{system}", "credit").replace(['{', '}'], "");
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = stranger
            .send(method, &format!("/api/v1{path}"), &[], Vec::new())
            .await;
        check_problem(answer, 401, "sign-in");
    }
}

#[tokio::test]
async fn a_cookie_opens_no_operation_and_a_token_no_page() {
    let street = Street::open(&["one"]).await;
    let visitor = street.visitor("one", OFFICER).await;
    visitor.get("/today").await.is(200);
    check_problem(visitor.get("/api/v1/systems").await, 401, "sign-in");
    let program = Program::of_officer(&street, "one").await;
    program.get("/systems").await.is(200);
    let bearer = [(header::AUTHORIZATION, program.bearer.as_str())];
    let page = program
        .visitor
        .send(Method::GET, "/today", &bearer, Vec::new())
        .await;
    page.is(303);
}

#[tokio::test]
async fn a_token_does_what_it_is_for_and_what_its_person_may() {
    let street = Street::open(&["one"]).await;
    let reads = Program::with(&street, "one", OFFICER, &[Action::Read]).await;
    reads.get("/systems").await.is(200);
    let task = json!({"what": "Ask", "reason": "why", "owner": OFFICER, "due": "2999-01-01"});
    check_problem(reads.post("/tasks", &task).await, 403, "forbidden");
    let board = Program::with(&street, "one", "Johanna Brandt", &Action::ALL).await;
    check_problem(board.post("/tasks", &task).await, 403, "forbidden");
    let program = Program::of_officer(&street, "one").await;
    program.post("/tasks", &task).await.is(201);
    // Another organisation's token is nobody's here.
    let other = Street::open(&["two"]).await;
    let foreign = Program::of_officer(&other, "two").await;
    let bearer = [(header::AUTHORIZATION, foreign.bearer.as_str())];
    let answer = street
        .stranger("one")
        .send(Method::GET, "/api/v1/systems", &bearer, Vec::new())
        .await;
    check_problem(answer, 401, "sign-in");
}

#[tokio::test]
async fn a_list_goes_on_behind_its_cursor_and_repeats_nothing() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    for path in [
        "/systems",
        "/evidence",
        "/packs",
        "/journal/entries",
        "/people",
    ] {
        let whole = read(&program.get(&format!("{path}?limit=200")).await.is(200));
        let whole: Vec<Value> = whole["items"].as_array().unwrap().clone();
        assert!(whole.len() > 2, "{path}");
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let page = format!("{path}?limit=2{next}");
            let page = read(&program.get(&page).await.is(200));
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            found.extend(items.iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => break,
            }
            assert!(found.len() <= whole.len(), "{path} has no end");
        }
        let n = found.len().min(whole.len());
        assert_eq!(found[..n], whole[..n], "{path}");
        assert!(found.len() >= whole.len());
        for wrong in ["limit=0", "limit=201", "limit=x", "cursor=x", "other=1"] {
            check_problem(
                program.get(&format!("{path}?{wrong}")).await,
                422,
                "invalid",
            );
        }
    }
}

#[tokio::test]
async fn the_same_request_twice_is_one_entry() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    let key = [(HeaderName::from_static("idempotency-key"), "a-key")];
    let said = json!({"system": "credit", "text": "said once"});
    let before = entries(&street);
    let first = program.post_with("/comments", &key, &said).await.is(201);
    let again = program.post_with("/comments", &key, &said).await.is(201);
    assert_eq!(read(&first), read(&again));
    assert_eq!(entries(&street), before + 1);
    let other = json!({"system": "credit", "text": "something else"});
    let problem = program.post_with("/comments", &key, &other).await;
    check_problem(problem, 422, "invalid");
    // Without a key each is one of its own.
    program.post("/comments", &said).await.is(201);
    assert_eq!(entries(&street), before + 2);
    // What was refused may be tried again under its key.
    let key = [(HeaderName::from_static("idempotency-key"), "another")];
    let wrong = json!({"system": "nothing", "text": "x"});
    program.post_with("/comments", &key, &wrong).await.is(404);
    program.post_with("/comments", &key, &said).await.is(201);
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_written_over() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    let declaration = json!({
        "id": "router", "name": "Router", "purpose": "Routes letters.",
        "owner": OFFICER, "stage": "proposed",
    });
    let made = program.post("/systems", &declaration).await.is(201);
    assert_eq!(made.location, "/one/api/v1/systems/router");
    let conflict = program.post("/systems", &declaration).await;
    check_problem(conflict, 422, "invalid");
    let put = async |tag: Option<&str>, name: &str| {
        let mut changed = declaration.clone();
        changed["name"] = json!(name);
        let media = [(header::CONTENT_TYPE, "application/json")];
        let tag = tag.map(|tag| (header::IF_MATCH, tag));
        let headers: Vec<_> = media.into_iter().chain(tag).collect();
        let body = serde_json::to_vec(&changed).unwrap();
        program
            .send(Method::PUT, "/systems/router", &headers, &body)
            .await
    };
    check_problem(put(None, "Router 2").await, 428, "required");
    let read_at = program.get("/systems/router").await.is(200).etag.unwrap();
    put(Some(&read_at), "Router 2").await.is(200);
    check_problem(put(Some(&read_at), "Router 3").await, 412, "stale");
    let now = read(&program.get("/systems/router").await.is(200));
    assert_eq!(now["name"], "Router 2");
}

#[tokio::test]
async fn a_record_that_is_the_same_is_not_sent_again() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    for path in ["/evidence/E1", "/packs/eu-ai-act", "/requirements/EUAIA-9"] {
        let tag = program.get(path).await.is(200).etag.unwrap();
        let known = [(header::IF_NONE_MATCH, tag.as_str())];
        let again = program.send(Method::GET, path, &known, &[]).await.is(304);
        assert!(again.bytes.is_empty());
    }
}

#[tokio::test]
async fn wrong_requests_are_told_which_field_is_wrong() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    let before = entries(&street);
    let media = |media: &'static str| [(header::CONTENT_TYPE, media)];
    let json_media = media("application/json");
    let post = async |headers: &[(HeaderName, &str)], path: &str, body: &[u8]| {
        program.send(Method::POST, path, headers, body).await
    };
    check_problem(post(&json_media, "/comments", b"{").await, 400, "malformed");
    let xml = media("application/xml");
    check_problem(post(&xml, "/comments", b"<a/>").await, 415, "media");
    let large = vec![b' '; 2 << 20];
    check_problem(
        post(&json_media, "/comments", &large).await,
        413,
        "too-large",
    );
    let unknown = json!({"system": "credit", "text": "x", "colour": "red"});
    let problem = check_problem(program.post("/comments", &unknown).await, 422, "invalid");
    assert!(problem["detail"].as_str().unwrap().contains("colour"));
    let task = json!({"what": "", "reason": "why", "owner": OFFICER, "due": "2999-01-01"});
    check_problem(program.post("/tasks", &task).await, 422, "invalid");
    let nothing = program.get("/systems/nothing").await;
    check_problem(nothing, 404, "not-found");
    let method = program
        .send(Method::DELETE, "/systems/credit", &[], &[])
        .await;
    check_problem(method, 405, "method");
    assert_eq!(entries(&street), before);
}

#[tokio::test]
async fn evidence_is_submitted_read_and_ruled_on_by_somebody_else() {
    let street = Street::open(&["one"]).await;
    let engineer = Program::with(&street, "one", "Tomas Beran", &Action::ALL).await;
    let state = street.house.seats["one"].organisation().unwrap().moment();
    let kinds = alnager_office::gate::kinds_taken(&state.library.book, "EUAIA-9").unwrap();
    let document = json!({
        "file": "risks.md", "kind": kinds[0], "requirements": ["EUAIA-9"],
        "document": "cmlza3M=",
    });
    let made = read(
        &engineer
            .post("/systems/credit/evidence", &document)
            .await
            .is(201),
    );
    let id = made["made"]["id"].as_str().unwrap().to_owned();
    let bytes = engineer
        .get(&format!("/evidence/{id}/document"))
        .await
        .is(200)
        .bytes;
    assert_eq!(bytes, b"risks");
    let ruling = json!({"accept": true, "requirements": ["EUAIA-9"], "reason": "read"});
    let path = format!("/evidence/{id}/rulings");
    check_problem(engineer.post(&path, &ruling).await, 403, "forbidden");
    let officer = Program::of_officer(&street, "one").await;
    officer.post(&path, &ruling).await.is(201);
    let found = read(&officer.get(&format!("/evidence/{id}")).await.is(200));
    assert!(found.to_string().contains("accepted"), "{found}");
}

#[tokio::test]
async fn the_journal_proves_its_entries_and_gives_a_dossier() {
    let street = Street::open(&["one"]).await;
    let auditor = Program::with(&street, "one", "Aiko Tanaka", &Action::ALL).await;
    let proof = auditor.get("/journal/entries/3/proof").await.is(200).text();
    assert!(proof.contains("c2sp.org/tlog-proof@v1"), "{proof}");
    let checkpoint = auditor.get("/journal/checkpoint").await.is(200).text();
    assert!(checkpoint.lines().count() > 4, "{checkpoint}");
    check_problem(
        auditor.get("/journal/entries/999999").await,
        404,
        "not-found",
    );
    let dossier = auditor.get("/dossiers/credit").await.is(200);
    assert!(dossier.bytes.len() > 1_000);
    let cosigned = "/dossiers/credit?checkpoint=cosigned";
    check_problem(auditor.get(cosigned).await, 422, "invalid");
    auditor
        .get("/dossiers/credit?checkpoint=earliest")
        .await
        .is(200);
    check_problem(auditor.get("/dossiers/nothing").await, 404, "not-found");
    let drawing = json!({"recipient": "Example Audit Ltd", "reason": "annual audit"});
    let drawn = read(&auditor.post("/dossiers/credit", &drawing).await.is(201));
    let at = &drawn["made"]["at"];
    let entry = read(&auditor.get(&format!("/journal/entries/{at}")).await.is(200));
    assert_eq!(entry["kind"], "dossier.drawn", "{entry}");
    assert_eq!(entry["payload"]["recipient"], "Example Audit Ltd");
    let nobody = json!({"recipient": "", "reason": "annual audit"});
    check_problem(
        auditor.post("/dossiers/credit", &nobody).await,
        422,
        "invalid",
    );
    let reads = Program::with(&street, "one", "Aiko Tanaka", &[Action::Read]).await;
    check_problem(reads.get("/dossiers/credit").await, 403, "forbidden");
    let gate = auditor.get("/systems/recidivism/gate").await.is(200);
    assert_eq!(read(&gate)["verdict"], "hold");
}

/// Ids and headers of any form are refused, never an error of the server.
#[tokio::test]
async fn odd_paths_queries_and_headers_break_nothing() {
    let street = Street::open(&["one"]).await;
    let program = Program::of_officer(&street, "one").await;
    for odd in [
        "%00",
        "%FF%FE",
        "..%2F..",
        "a%0Ab",
        "%F0%9F%A6%80",
        "18446744073709551616",
    ] {
        for path in [
            "/systems/",
            "/evidence/",
            "/journal/entries/",
            "/requirements/",
            "/dossiers/",
        ] {
            let answer = program.get(&format!("{path}{odd}")).await;
            assert!(
                answer.status.is_client_error(),
                "{path}{odd} {}",
                answer.status
            );
        }
        for query in ["search", "owner", "cursor"] {
            let answer = program.get(&format!("/systems?{query}={odd}")).await;
            assert!(!answer.status.is_server_error(), "{query}={odd}");
        }
    }
    for (name, value) in [
        ("if-match", "\"\u{fc}"),
        ("if-match", ","),
        ("idempotency-key", ""),
    ] {
        let named = [(HeaderName::from_static(name), value)];
        let said = json!({"system": "credit", "text": "x"});
        let answer = program.post_with("/comments", &named, &said).await;
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn an_audit_opinion_is_given_on_a_state_that_was_read_listed_and_withdrawn() {
    let street = Street::open(&["one"]).await;
    let auditor = Program::with(&street, "one", "Aiko Tanaka", &Action::ALL).await;
    let officer = Program::of_officer(&street, "one").await;
    let checkpoint = auditor.get("/journal/checkpoint").await.is(200).text();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let root = checkpoint.lines().nth(2).unwrap();
    let new = json!({ "conclusion": "unmodified", "basis": "read", "size": size, "root": root });
    let path = "/systems/credit/opinions";
    check_problem(officer.post(path, &new).await, 403, "forbidden");
    for (field, wrong) in [
        ("size", json!(size + 7)),
        ("size", json!(0)),
        ("root", json!("AA")),
        ("basis", json!(" ")),
    ] {
        let mut other = new.clone();
        other[field] = wrong;
        check_problem(auditor.post(path, &other).await, 422, "invalid");
    }
    let given = read(&auditor.post(path, &new).await.is(201));
    assert_eq!(given["made"]["id"], "O2");
    assert_eq!(given["made"]["stands"], true);
    assert_eq!(given["made"]["moved_system"], Value::Null);
    let listed = read(&officer.get(path).await.is(200));
    let stand: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["stands"])
        .collect();
    assert_eq!(stand, [false, true]);
    let reason = json!({ "reason": "a document came up" });
    let withdrawn = read(&auditor.post("/opinions/O2/withdraw", &reason).await.is(200));
    assert_eq!(
        withdrawn["made"]["withdrawn"]["reason"],
        "a document came up"
    );
    check_problem(
        auditor.post("/opinions/O9/withdraw", &reason).await,
        404,
        "not-found",
    );
}

#[tokio::test]
async fn an_answer_that_changed_meanwhile_is_a_conflict_that_names_the_one_there_is() {
    let street = Street::open(&["one"]).await;
    let vera = Program::with(&street, "one", "Vera Novak", &Action::ALL).await;
    let path = "/systems/credit/facts/is_ai_system/confirm";
    let other = json!({ "value": false, "basis": "read" });
    let problem = check_problem(vera.post(path, &other).await, 409, "conflict");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("is answered `true`"),
        "{problem}"
    );
}
