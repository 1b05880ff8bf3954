//! Routes: every one declares what it is for, and passes through one guard before its handler runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};

use crate::access::{Action, Resource};
use crate::at::{At, By, Who};
use crate::house::House;
use crate::moment::Moment;
use crate::organisation::Organisation;
use crate::refusal::Refusal;
use crate::secret::{FormKey, Secret};
use crate::session;
use crate::{log, page, problem, respond};

/// Most bytes of a form's fields.
pub const FORM_BYTES_MAX: usize = 1 << 20;

/// The field and the header that carry the token of a form.
pub const FORM_TOKEN: &str = "form";
const FORM_TOKEN_HEADER: &str = "x-form";

/// A route as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The method.
    pub method: Method,
    /// The path, with the names of its parts in braces.
    pub path: &'static str,
    /// What it is for.
    pub action: Action,
    /// What its answers are.
    pub kind: Kind,
}

/// What the answers of a route are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Pages, for people with a session.
    Page,
    /// JSON, for programs with a token.
    Api,
}

/// Routes in the making.
pub struct Routes {
    house: Arc<House>,
    router: Router<Arc<House>>,
    declared: Vec<Declared>,
}

#[derive(Clone)]
struct Gate {
    house: Arc<House>,
    declared: Declared,
}

impl Routes {
    /// No routes.
    pub fn new(house: Arc<House>) -> Routes {
        Routes {
            house,
            router: Router::new(),
            declared: Vec::new(),
        }
    }

    /// Adds a page.
    pub fn get<H, T>(self, path: &'static str, action: Action, handler: H) -> Routes
    where
        H: Handler<T, Arc<House>>,
        T: 'static,
    {
        self.add(Kind::Page, Method::GET, path, action, handler)
    }

    /// Adds what a form of a page does.
    pub fn post<H, T>(self, path: &'static str, action: Action, handler: H) -> Routes
    where
        H: Handler<T, Arc<House>>,
        T: 'static,
    {
        self.add(Kind::Page, Method::POST, path, action, handler)
    }

    /// Adds what a form of a page does that carries files: at most so many bytes. Its token comes in the query.
    pub fn upload<H, T>(
        self,
        path: &'static str,
        action: Action,
        bytes_max: usize,
        handler: H,
    ) -> Routes
    where
        H: Handler<T, Arc<House>>,
        T: 'static,
    {
        // The guard's own limit on forms does not look at what carries its token in the query.
        let limited = handler.layer(DefaultBodyLimit::max(bytes_max));
        self.add(Kind::Page, Method::POST, path, action, limited)
    }

    /// Adds a route. There is no other way to add one, so that each has said what it is for.
    pub fn add<H, T>(
        mut self,
        kind: Kind,
        method: Method,
        path: &'static str,
        action: Action,
        handler: H,
    ) -> Routes
    where
        H: Handler<T, Arc<House>>,
        T: 'static,
    {
        let declared = Declared {
            method: method.clone(),
            path,
            action,
            kind,
        };
        let gate = Gate {
            house: self.house.clone(),
            declared: declared.clone(),
        };
        // Every method used here has a filter.
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::GET);
        let guarded = on(filter, handler).layer(from_fn_with_state(gate, guard));
        self.router = self.router.route(path, guarded);
        self.declared.push(declared);
        self
    }

    /// What was declared.
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// The router, with what holds for every answer.
    pub fn into_router(self) -> Router {
        let house = self.house.clone();
        self.router
            .fallback(nothing)
            .with_state(house)
            .layer(axum::middleware::from_fn(respond::finish))
    }
}

async fn nothing(request: Request) -> Response {
    // Programs get a problem document, wherever they are lost in the API.
    if request.uri().path().split('/').nth(2) == Some("api") {
        return problem::document(&Refusal::NotFound);
    }
    page::bare_refusal(&Refusal::NotFound).into_response()
}

/// What every request passes through: who asks, whether the form is ours, whether what is named exists, whether they may.
async fn guard(
    State(gate): State<Gate>,
    params: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let declared = &gate.declared;
    if declared.kind == Kind::Api && !is_method(&declared.method, request.method()) {
        return problem::document(&Refusal::Method);
    }
    let named: HashMap<String, String> = params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let path = request.uri().clone();
    let (at, answer) = pass(&gate, named, request, next).await;
    let refusal = answer.extensions().get::<Refusal>().cloned();
    let response = match (refusal, gate.declared.kind) {
        (None, _) => answer,
        (Some(refusal), Kind::Api) => problem::document(&refusal),
        (Some(Refusal::SignIn), Kind::Page) => session::to_sign_in(&gate.house, &path),
        (Some(refusal), Kind::Page) => page::refusal(at.as_ref(), &refusal),
    };
    gate.house.metrics.answered(
        gate.declared.method.as_str(),
        gate.declared.path,
        response.status().as_u16(),
        began.elapsed(),
    );
    log::request(
        gate.declared.method.as_str(),
        gate.declared.path,
        response.status().as_u16(),
        began.elapsed().as_micros(),
    );
    response
}

/// Whether a route of this method answers that one.
fn is_method(declared: &Method, asked: &Method) -> bool {
    declared == asked || (*declared == Method::GET && *asked == Method::HEAD)
}

async fn pass(
    gate: &Gate,
    named: HashMap<String, String>,
    request: Request,
    next: Next,
) -> (Option<At>, Response) {
    let Some(slug) = named.get("org") else {
        return (None, next.run(request).await);
    };
    let seat = gate.house.seats.get(slug);
    let Some(seat) = seat else {
        return (None, Refusal::NotFound.into_response());
    };
    // Before an organisation has its desk only setting it up is there, and that asks for its own secret.
    let Some(organisation) = seat.organisation().cloned() else {
        return match gate.declared.path == session::SETUP {
            true => (None, next.run(request).await),
            false => (None, session::not_set_up().into_response()),
        };
    };
    if gate.declared.action == Action::Enter {
        return (None, next.run(request).await);
    }
    match enter(gate, &organisation, named, request).await {
        Ok((at, mut request)) => {
            request.extensions_mut().insert(at.clone());
            let mut response = next.run(request).await;
            session::renew(&at, &gate.declared, &mut response).await;
            (Some(at), response)
        }
        Err((at, refusal)) => (at, refusal.into_response()),
    }
}

type Entered = Result<(At, Request), (Option<At>, Refusal)>;

async fn enter(
    gate: &Gate,
    organisation: &Arc<Organisation>,
    named: HashMap<String, String>,
    request: Request,
) -> Entered {
    let moment = organisation.moment();
    let who = who(gate, organisation, &moment, request.headers()).await;
    let who = who.map_err(|refusal| (None, refusal))?;
    let at = At {
        house: gate.house.clone(),
        organisation: Arc::clone(organisation),
        moment,
        who,
        path: request.uri().path().to_owned(),
        named: Arc::new(named),
        action: gate.declared.action,
    };
    let refused = |refusal: Refusal| (Some(at.clone()), refusal);
    let request = match (&at.who.by, request.method().is_safe()) {
        (By::Session(_, key), false) => ours(gate, key, request).await.map_err(refused)?,
        (By::Session(..) | By::Token(_), _) => request,
    };
    exists(&at).map_err(refused)?;
    let is_allowed = match at.named.get("system") {
        Some(system) => at.may_to(gate.declared.action, system),
        None => at.may(gate.declared.action, Resource::Organisation),
    };
    match is_allowed {
        true => Ok((at, request)),
        false => {
            let words = at.words().refusal.may_not.to_owned();
            Err(refused(Refusal::Forbidden(words)))
        }
    }
}

/// Who asks: by the session's cookie on pages, by a token in the API. Neither works for the other, so that no page can make a browser
/// use the API.
async fn who(
    gate: &Gate,
    organisation: &Organisation,
    moment: &Moment,
    headers: &HeaderMap,
) -> Result<Who, Refusal> {
    let (person, by) = match gate.declared.kind {
        Kind::Page => {
            let secret = session::cookie(headers, &organisation.slug).ok_or(Refusal::SignIn)?;
            let found = session::of(organisation, &secret).await?;
            let session = found.ok_or(Refusal::SignIn)?;
            let key = FormKey::of(&session.first_hash);
            (session.person, By::Session(secret, key))
        }
        Kind::Api => {
            let secret = bearer(headers).ok_or(Refusal::SignIn)?;
            let found = session::token(organisation, &secret).await?;
            let (person, scopes) = found.ok_or(Refusal::SignIn)?;
            (person, By::Token(scopes))
        }
    };
    let roles = moment.state.roles_of(&person);
    // An account whose person has no role any more opens nothing.
    if roles.is_empty() {
        return Err(Refusal::SignIn);
    }
    Ok(Who { person, roles, by })
}

/// The token that a request carries.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::carried(secret.trim()))
}

/// Makes sure that a form was sent by a page of this session: from the same origin, with the token of its session.
async fn ours(gate: &Gate, key: &FormKey, request: Request) -> Result<Request, Refusal> {
    let refused = || Refusal::Forbidden(crate::words::EN.refusal.other_form.to_owned());
    if !is_same_origin(&gate.house, request.headers()) {
        return Err(refused());
    }
    let header = request.headers().get(FORM_TOKEN_HEADER);
    let header = header
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let token = header.or_else(|| field(request.uri().query().unwrap_or_default(), FORM_TOKEN));
    if let Some(token) = token {
        return match key.is_key_of(&token) {
            true => Ok(request),
            false => Err(refused()),
        };
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| Refusal::TooLarge(crate::words::EN.refusal.form_too_large.to_owned()))?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    match field(text, FORM_TOKEN).is_some_and(|token| key.is_key_of(&token)) {
        true => Ok(Request::from_parts(parts, Body::from(bytes))),
        false => Err(refused()),
    }
}

/// A field among the fields of a form or a query. Tokens need no decoding.
fn field(fields: &str, name: &str) -> Option<String> {
    let mut pairs = fields.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Whether a request that changes something comes from a page of this house. A program that says nothing about it has to know the form's
/// token all the same.
pub fn is_same_origin(house: &House, headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    let own = house.options.public.as_deref();
    let host = text(header::HOST).unwrap_or_default();
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    own == Some(origin) || (own.is_none() && authority == Some(host))
}

/// Whether everything that the address names is there. Another organisation's things are not.
fn exists(at: &At) -> Result<(), Refusal> {
    let state = at.state();
    let book = &at.moment.library.book;
    for (what, name) in at.named.iter() {
        let is_there = match what.as_str() {
            "system" => state.systems.contains_key(name),
            "evidence" => state.evidence.contains_key(name),
            "task" => state.tasks.contains_key(name),
            "exception" => state.exceptions.contains_key(name),
            "opinion" => state.opinion(name).is_some(),
            "signal" => state.signals.contains_key(name),
            "person" => state.people.contains_key(name),
            "pack" => book.packs().any(|pack| pack.id == *name),
            "requirement" => book
                .packs()
                .flat_map(|pack| &pack.requirements)
                .any(|text| text.id == *name),
            "fact" => book.vocabulary.position(name).is_some(),
            "entry" => name.parse::<u64>().is_ok_and(|index| index < state.size),
            // What belongs to one person is looked up by its handler among that person's own.
            _ => true,
        };
        if !is_there {
            return Err(Refusal::NotFound);
        }
    }
    Ok(())
}

/// An answer that sends the browser elsewhere, after a form.
pub fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}
