//! The document of the API, OpenAPI 3.1: every route is added together with what is told of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::handler::Handler;
use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, ToSchema};

use crate::access::Action;
use crate::api::{self, BASE, shape};
use crate::house::House;
use crate::problem::{self, Problem};
use crate::route::{Kind, Routes};

/// The document's own path.
pub(super) const PATH: &str = "/{org}/api/v1/openapi.json";

/// The routes of the API in the making, with their document.
pub(super) struct Api {
    routes: Routes,
    paths: Map<String, Value>,
    schemas: BTreeMap<String, Value>,
}

/// What is told of an operation.
pub(super) struct Told {
    tag: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    body: Map<String, Value>,
    status: u16,
    answer: Map<String, Value>,
    headers: Map<String, Value>,
    problems: Vec<(u16, &'static str)>,
    schemas: BTreeMap<String, Value>,
}

/// The document of the API. The house it is made for needs no organisation.
pub fn document(house: Arc<House>) -> Value {
    api::all(Api::new(Routes::new(house))).whole().1
}

impl Api {
    /// No routes of the API yet.
    pub(super) fn new(routes: Routes) -> Api {
        Api {
            routes,
            paths: Map::new(),
            schemas: BTreeMap::new(),
        }
    }

    /// Adds a route that changes nothing.
    pub(super) fn get<H, T>(self, path: &'static str, action: Action, told: Told, handler: H) -> Api
    where
        H: Handler<T, Arc<House>>,
        T: 'static,
    {
        self.add(Method::GET, path, action, told, handler)
    }

    /// Adds a route. There is no other way to add one of the API, so that the document has each.
    pub(super) fn add<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        action: Action,
        told: Told,
        handler: H,
    ) -> Api
    where
        H: Handler<T, Arc<House>>,
        T: 'static,
    {
        self.tell(&method, path, action, told);
        self.routes = self.routes.add(Kind::Api, method, path, action, handler);
        self
    }

    fn tell(&mut self, method: &Method, path: &'static str, action: Action, mut told: Told) {
        for (name, schema) in std::mem::take(&mut told.schemas) {
            put(&mut self.schemas, name, schema);
        }
        let within = path.strip_prefix(BASE).unwrap_or(path);
        let item = self.paths.entry(within).or_insert_with(|| json!({}));
        item[method.as_str().to_ascii_lowercase()] = told.operation(within, action);
    }

    /// The routes, with one more for the document.
    pub(super) fn into_routes(self) -> Routes {
        let (routes, document) = self.whole();
        let document = Arc::new(document);
        let handler = move |Path(org): Path<String>| {
            let document = Arc::clone(&document);
            async move {
                let mut document = Value::clone(&document);
                document["servers"] = json!([{ "url": BASE.replace("{org}", &org) }]);
                Json(document)
            }
        };
        routes.add(Kind::Api, Method::GET, PATH, Action::Enter, handler)
    }

    fn whole(mut self) -> (Routes, Value) {
        let told = Told::new("Me", "readOpenApi", "This document. It needs no token.");
        let told = Told {
            answer: content("application/json", json!({ "type": "object" })),
            ..told
        };
        self.tell(&Method::GET, PATH, Action::Enter, told);
        add_schema::<Problem>(&mut self.schemas);
        add_schema::<shape::Receipt>(&mut self.schemas);
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Alnager",
                "description": "Everything a page can do, a token can do. A token is made on the page of one's own account, with the scopes it is for; \
        send it as `Authorization: Bearer TOKEN`. What is refused is answered with a problem document (RFC 9457).",
                "version": "1",
                "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            },
            "servers": [{
                "url": BASE,
                "variables": { "org": { "default": "example-group", "description": "The organisation's word in addresses." } },
            }],
            "paths": self.paths,
            "components": {
                "schemas": self.schemas,
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "A personal token; the words after it are the scope it needs." } },
            },
        });
        (self.routes, document)
    }
}

impl Told {
    /// An operation: its subject, its name, and what it does in a sentence.
    pub(super) fn new(tag: &'static str, id: &'static str, summary: &'static str) -> Told {
        Told {
            tag,
            id,
            summary,
            parameters: Vec::new(),
            body: Map::new(),
            status: 200,
            answer: Map::new(),
            headers: Map::new(),
            problems: Vec::new(),
            schemas: BTreeMap::new(),
        }
    }

    /// It understands these parameters of a query.
    pub(super) fn query<Q: IntoParams>(mut self) -> Told {
        let parameters = Q::into_params(|| Some(ParameterIn::Query));
        self.parameters.extend(parameters.iter().map(value));
        self.problems.push((422, "A parameter is wrong."));
        self
    }

    /// It takes a body.
    pub(super) fn takes<T: ToSchema>(mut self) -> Told {
        let schema = self.schema::<T>();
        self.body.append(&mut content("application/json", schema));
        self.problems.extend([
            (400, "The body is no JSON."),
            (409, "Somebody else changed it meanwhile."),
            (413, "The body is too large."),
            (415, "The body has another media type."),
            (
                422,
                "Something about the request is wrong; `field` says what.",
            ),
            (503, "The desk cannot be used now."),
        ]);
        self.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Any text of at most 200 bytes, without personal data: the same request under the same key is entered once, and answered alike.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
        }));
        self
    }

    /// It takes a whole `system.toml` as well.
    pub(super) fn or_toml(mut self) -> Told {
        let mut toml = content(api::ask::TOML, json!({ "type": "string" }));
        self.body.append(&mut toml);
        self
    }

    /// Its answer is a record.
    pub(super) fn gives<T: ToSchema>(mut self) -> Told {
        self.answer = content("application/json", self.schema::<T>());
        self
    }

    /// Its answer is a list.
    pub(super) fn lists<T: ToSchema>(mut self) -> Told {
        let row = self.schema::<T>();
        let schema = json!({
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": { "type": "array", "items": row },
                "next": { "type": ["string", "null"], "description": "The cursor of the next page; `null` at the end." },
            },
        });
        self.answer = content("application/json", schema);
        self
    }

    /// Its answer is the receipt and what was made.
    pub(super) fn makes<T: ToSchema>(mut self, status: u16) -> Told {
        let made = self.schema::<T>();
        let schema = json!({
            "type": "object",
            "required": ["receipt", "made"],
            "properties": { "receipt": reference::<shape::Receipt>(), "made": made },
        });
        self.answer = content("application/json", schema);
        self.status = status;
        self
    }

    /// Its answer is plain text.
    pub(super) fn gives_text(mut self) -> Told {
        self.answer = content("text/plain", json!({ "type": "string" }));
        self
    }

    /// Its answer is a file.
    pub(super) fn gives_bytes(mut self, media: &str) -> Told {
        self.answer = content(media, json!({}));
        self
    }

    /// Its answer has an `ETag`.
    pub(super) fn with_etag(self) -> Told {
        self.with_header("ETag", "The version of the record, for `If-Match`.")
    }

    /// Its answer has a header.
    pub(super) fn with_header(mut self, name: &str, what: &str) -> Told {
        let header =
            json!({ "description": what, "required": true, "schema": { "type": "string" } });
        self.headers.insert(name.to_owned(), header);
        self
    }

    /// A record may be changed under the condition that it is still the one that was read.
    pub(super) fn may_match(self) -> Told {
        self.matching(false)
    }

    /// A record is changed only under that condition.
    pub(super) fn needs_match(mut self) -> Told {
        self.problems.push((428, "`If-Match` is missing."));
        self.matching(true)
    }

    fn matching(mut self, is_required: bool) -> Told {
        self.parameters.push(json!({
            "name": "If-Match", "in": "header", "required": is_required,
            "description": "The `ETag` of the record as it was read.",
            "schema": { "type": "string", "pattern": "^\"[0-9a-f]+\"$" },
        }));
        self.problems
            .push((412, "What was read has changed since."));
        self
    }

    fn schema<T: ToSchema>(&mut self) -> Value {
        add_schema::<T>(&mut self.schemas);
        reference::<T>()
    }

    fn operation(mut self, path: &str, action: Action) -> Value {
        let named = path.split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            Some(json!({ "name": name, "in": "path", "required": true, "description": part_of(name), "schema": { "type": "string" } }))
        });
        self.parameters.splice(0..0, named);
        let is_open = action == Action::Enter;
        if !is_open {
            self.problems.extend([
                (401, "There is no such token."),
                (403, "The person or the token may not."),
            ]);
        }
        self.problems.extend([
            (404, "There is no such thing in this organisation."),
            (405, "The path has other methods."),
        ]);
        let mut responses = BTreeMap::new();
        let answer = json!({ "description": "It was done.", "content": self.answer, "headers": self.headers });
        responses.insert(self.status.to_string(), answer);
        if self.headers.contains_key("ETag") && self.id != "showSystem" && self.id != "showGate" {
            let unchanged = json!({ "description": "It is what `If-None-Match` says.", "headers": self.headers });
            responses.insert("304".to_owned(), unchanged);
        }
        for (status, what) in self.problems {
            let content = content(problem::MEDIA, reference::<Problem>());
            let response = json!({ "description": what, "content": content });
            responses.entry(status.to_string()).or_insert(response);
        }
        let mut operation = json!({
            "tags": [self.tag],
            "operationId": self.id,
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": responses,
            "security": match is_open {
                true => json!([]),
                false => json!([{ "token": [action.word()] }]),
            },
        });
        if !self.body.is_empty() {
            operation["requestBody"] = json!({ "required": true, "content": self.body });
        }
        operation
    }
}

/// What a part of an address names.
fn part_of(name: &str) -> &'static str {
    match name {
        "system" => "A system, by its id.",
        "evidence" => "A piece of evidence, such as `E7`.",
        "task" => "A task, such as `T7`.",
        "exception" => "An exception, such as `X7`.",
        "requirement" => "A requirement, such as `EUAIA-9`.",
        "pack" => "A pack, such as `eu-ai-act`.",
        "fact" => "A fact, such as `is_ai_system`.",
        "entry" => "An entry of the journal, by its index from 0.",
        _ => "",
    }
}

fn content(media: &str, schema: Value) -> Map<String, Value> {
    let mut content = Map::new();
    content.insert(media.to_owned(), json!({ "schema": schema }));
    content
}

fn reference<T: ToSchema>() -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn add_schema<T: ToSchema>(schemas: &mut BTreeMap<String, Value>) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        put(schemas, name, value(&schema));
    }
}

/// Two types of one name would stand for each other in the document.
fn put(schemas: &mut BTreeMap<String, Value>, name: String, schema: Value) {
    let known = schemas.get(&name);
    debug_assert!(
        known.is_none_or(|known| *known == schema),
        "two types of the API are named `{name}`"
    );
    schemas.insert(name, schema);
}

/// A part of the document as JSON. What derives makes can always be written.
fn value(part: &impl serde::Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}
