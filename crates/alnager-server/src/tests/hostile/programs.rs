//! The same texts through the API.

use std::collections::BTreeMap;

use axum::http::{HeaderName, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::corpus::Text;
use crate::access::Action;
use crate::route::Kind;
use crate::tests::{Answer, Street, Visitor};

const OFFICER: &str = "Ines Marchetti";
/// Whoever builds a system could not decide on it.
const OWNER: &str = "Ruth Ansorge";
const AUDITOR: &str = "Aiko Tanaka";
const LAUNCH: &str = "POST /systems/{system}/launch";
const OPINE: &str = "POST /systems/{system}/opinions";
const WITHDRAW: &str = "POST /opinions/{opinion}/withdraw";
const BASE: &str = "/{org}/api/v1";

/// What each operation said where it did not take a text; nothing where it did.
pub(super) type Answers = BTreeMap<String, Option<String>>;

/// What a program sends: the operation, its path, and the body.
type Sent = (&'static str, String, Value);

struct Program {
    visitor: Visitor,
    bearer: String,
}

impl Program {
    async fn of(street: &Street, name: &str) -> Program {
        let token = street.token("one", name, &Action::ALL).await;
        Program {
            visitor: street.stranger("one"),
            bearer: format!("Bearer {token}"),
        }
    }

    async fn send(&self, operation: &str, path: &str, media: &str, body: Vec<u8>) -> Answer {
        let method = operation.split(' ').next().unwrap_or_default();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut headers: Vec<(HeaderName, &str)> = vec![
            (header::AUTHORIZATION, self.bearer.as_str()),
            (header::CONTENT_TYPE, media),
        ];
        let tag = match method {
            Method::PUT => {
                self.visitor
                    .send(Method::GET, path, &headers[..1], Vec::new())
                    .await
                    .etag
            }
            _ => None,
        };
        if let Some(tag) = &tag {
            headers.push((header::IF_MATCH, tag));
        }
        self.visitor.send(method, path, &headers, body).await
    }
}

impl Program {
    /// Size and root of the journal, as its checkpoint states them.
    async fn read(&self) -> (u64, String) {
        let path = "/api/v1/journal/checkpoint";
        let answer = self.send("GET", path, "text/plain", Vec::new()).await;
        let text = answer.text();
        let mut lines = text.lines().skip(1);
        let size = lines.next().unwrap().parse().unwrap();
        (size, lines.next().unwrap().to_owned())
    }
}

/// What is sent with a text in every field that takes one. `id`: for the system that is declared; `read`: the journal as the auditor read it.
fn sent(street: &Street, text: &str, id: &str, read: &(u64, String)) -> Vec<Sent> {
    let moment = street.house.seats["one"].organisation().unwrap().moment();
    let state = &moment.state;
    let soon = moment.today.saturating_add(30.days()).to_string();
    let review = state.systems["credit"]
        .review
        .as_ref()
        .map_or(0, |review| review.at);
    let open = state
        .tasks
        .iter()
        .rev()
        .find(|(_, task)| task.done.is_none());
    let task = open.map_or("T1", |(id, _)| id.as_str());
    let standing = state
        .exceptions
        .iter()
        .rev()
        .find(|(_, one)| one.ended.is_none());
    let exception = standing.map_or("X1", |(id, _)| id.as_str());
    let opinion = state.opinion_on("credit");
    let opinion = opinion.map_or("O1", |opinion| opinion.given.opinion.as_str());
    let reviewed = declaration(text, &format!("{id}-reviewed"));
    let system = |name: &str, owner: &str| {
        json!({
            "id": id, "name": name, "purpose": text, "owner": owner, "stage": "proposed",
            "facts": {"is_ai_system": {"value": true, "basis": text}},
        })
    };
    let base = "/api/v1";
    vec![
        (
            "POST /systems",
            format!("{base}/systems"),
            system("Made by a program", OWNER),
        ),
        (
            "POST /systems",
            format!("{base}/systems"),
            system(text, text),
        ),
        (
            "PUT /systems/{system}",
            format!("{base}/systems/{id}"),
            system("Made by a program", OWNER),
        ),
        (
            "PUT /systems/{system}",
            format!("{base}/systems/{id}"),
            system(text, OWNER),
        ),
        (
            LAUNCH,
            format!("{base}/systems/credit/launch"),
            json!({"decision": "refuse", "review": review, "reason": text}),
        ),
        (
            "POST /systems/{system}/exceptions",
            format!("{base}/systems/{id}/exceptions"),
            json!({"subject": "EUAIA-4", "reason": text, "measures": text, "expires": soon}),
        ),
        (
            "POST /exceptions/{exception}/end",
            format!("{base}/exceptions/{exception}/end"),
            json!({"reason": text}),
        ),
        (
            "POST /systems/{system}/facts",
            format!("{base}/systems/{id}/facts"),
            json!({"answers": [{"fact": "is_generative", "value": false, "basis": text}]}),
        ),
        (
            "POST /systems/{system}/facts/{fact}/confirm",
            format!("{base}/systems/credit/facts/is_ai_system/confirm"),
            json!({"basis": text}),
        ),
        (
            "POST /systems/{system}/evidence",
            format!("{base}/systems/credit/evidence"),
            json!({"file": text.replace(['/', '\\'], "|").replace(char::is_control, " ").chars().take(100).collect::<String>(),
                "kind": "risk_register", "requirements": ["EUAIA-9"], "document": STANDARD.encode(text)}),
        ),
        (
            "POST /evidence/{evidence}/rulings",
            format!("{base}/evidence/E1/rulings"),
            json!({"accept": id.len().is_multiple_of(2), "reason": text}),
        ),
        (
            "POST /evidence/{evidence}/offers",
            format!("{base}/evidence/E1/offers"),
            json!({"requirements": [text]}),
        ),
        (
            "POST /requirements/{requirement}/readings",
            format!("{base}/requirements/EUAIA-9/readings"),
            json!({"opinion": "adopted", "text": text}),
        ),
        (
            "POST /tasks",
            format!("{base}/tasks"),
            json!({"what": text, "reason": text, "owner": OFFICER, "due": soon}),
        ),
        (
            "POST /tasks/{task}/finish",
            format!("{base}/tasks/{task}/finish"),
            json!({"note": text}),
        ),
        (
            "POST /comments",
            format!("{base}/comments"),
            json!({"system": "credit", "text": text.chars().take(9_000).collect::<String>()}),
        ),
        (
            "POST /reviews/plan",
            format!("{base}/reviews/plan"),
            json!({"declaration": reviewed}),
        ),
        (
            "POST /reviews",
            format!("{base}/reviews"),
            json!({"declaration": reviewed, "warnings": [text.chars().take(2_000).collect::<String>()]}),
        ),
        (
            OPINE,
            format!("{base}/systems/credit/opinions"),
            json!({"conclusion": "qualified", "basis": text, "size": read.0, "root": read.1}),
        ),
        (
            WITHDRAW,
            format!("{base}/opinions/{opinion}/withdraw"),
            json!({"reason": text}),
        ),
        (
            "POST /dossiers/{system}",
            format!("{base}/dossiers/credit"),
            json!({"recipient": text.chars().take(200).collect::<String>(), "reason": text}),
        ),
        (
            "POST /people",
            format!("{base}/people"),
            json!({"person": text, "roles": ["board"], "reason": text}),
        ),
        (
            "POST /people",
            format!("{base}/people"),
            json!({"person": "Somebody New", "roles": ["board"], "reason": text}),
        ),
    ]
}

/// A declaration as a file.
fn declaration(text: &str, id: &str) -> String {
    let quoted = |text: &str| Value::from(text).to_string().replace("\u{7f}", "\\u007F");
    format!(
        "schema = \"alnager.system/1\"\nid = \"{id}\"\nname = {name}\norganisation = \"Example Group\"\nowner = \"{OWNER}\"\npurpose = {text}\nstage = \"proposed\"\n\n\
         [facts]\nis_ai_system = {{ value = true, by = \"{OFFICER}\", on = 2026-01-05, basis = {text} }}\n",
        name = quoted(&text.chars().take(60).collect::<String>()),
        text = quoted(text),
    )
}

/// Sends a text in every field of every operation that writes; each operation with what it said where it did not take the text.
pub(super) async fn send_all(street: &Street, text: &Text, id: &str) -> Answers {
    let program = Program::of(street, OFFICER).await;
    // One person decides on a review once.
    let decider = if id == "plain" {
        "Henrik Lund"
    } else {
        "Clara Osei"
    };
    let decider = Program::of(street, decider).await;
    let auditor = Program::of(street, AUDITOR).await;
    let read = auditor.read().await;
    let mut taken = Answers::new();
    for n in 0..sent(street, "", id, &read).len() {
        // What can be ended or finished is known only once it was opened.
        let (operation, path, body) = sent(street, &text.text(), id, &read).swap_remove(n);
        let body = body.to_string().into_bytes();
        let by = match operation {
            LAUNCH => &decider,
            OPINE | WITHDRAW => &auditor,
            _ => &program,
        };
        let answer = by.send(operation, &path, "application/json", body).await;
        check(operation, &answer);
        note(&mut taken, operation, &answer);
    }
    check_complete(street, &taken);
    let file = declaration(&text.text(), &format!("{id}-file")).into_bytes();
    let (operation, path) = ("POST /systems", "/api/v1/systems");
    let answer = program.send(operation, path, "text/toml", file).await;
    check(operation, &answer);
    note(&mut taken, "a declaration as a file", &answer);
    let (operation, path) = ("POST /comments", "/api/v1/comments");
    let raw = program.send(operation, path, "application/json", text.bytes.clone());
    check(operation, &raw.await);
    taken
}

fn note(taken: &mut Answers, operation: &str, answer: &Answer) {
    let said = (!answer.status.is_success()).then(|| answer.text());
    let known = taken.entry(operation.to_owned()).or_insert(said.clone());
    if said.is_none() {
        *known = None;
    }
}

/// Whatever is asked, a program gets JSON that is JSON.
fn check(operation: &str, answer: &Answer) {
    assert!(
        !answer.status.is_server_error(),
        "{operation}: {}",
        answer.text()
    );
    assert!(
        answer.media.ends_with("json"),
        "{operation}: {}",
        answer.media
    );
    let read: Result<Value, _> = serde_json::from_slice(&answer.bytes);
    assert!(read.is_ok(), "{operation}: {}", answer.text());
}

fn check_complete(street: &Street, operations: &Answers) {
    let declared = street
        .declared
        .iter()
        .filter(|declared| declared.kind == Kind::Api && declared.method != Method::GET);
    for declared in declared {
        let path = declared.path.strip_prefix(BASE).unwrap_or_default();
        let operation = format!("{} {path}", declared.method);
        assert!(
            operations.contains_key(&operation),
            "nothing is sent to {operation}: add it"
        );
    }
}
