//! Visitors: the server as a browser or a program sees it, without a network.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use alnager_office::role::Role;
use alnager_store::{NewToken, Place};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use jiff::tz::TimeZone;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::access::Action;
use crate::demo;
use crate::house::{House, Options};
use crate::pages;
use crate::route::Declared;
use crate::secret::{FormKey, Secret};
use crate::session;

mod hostile;
mod isolation;

/// A house with one organisation or several, each of them the demonstration's.
pub(crate) struct Street {
    pub(crate) house: Arc<House>,
    pub(crate) router: Router,
    pub(crate) declared: Vec<Declared>,
    _folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) media: String,
    pub(crate) etag: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// Somebody with a browser.
pub(crate) struct Visitor {
    router: Router,
    slug: String,
    cookie: String,
}

impl Street {
    /// Opens the demonstration under these words.
    pub(crate) async fn open(slugs: &[&str]) -> Street {
        Street::open_with(slugs, "alnager".into()).await
    }

    /// The same, where uploaded files are read by this program.
    pub(crate) async fn open_with(slugs: &[&str], program: PathBuf) -> Street {
        let folder = tempfile::tempdir().unwrap();
        let mut places = Vec::new();
        for slug in slugs {
            let place = Place::from(folder.path().join(slug).as_path());
            demo::fill(&place).await.unwrap();
            places.push(place);
        }
        Street::of(places, folder, program).await
    }

    async fn of(places: Vec<Place>, folder: TempDir, program: PathBuf) -> Street {
        let options = Options {
            public: None,
            zone: TimeZone::UTC,
            program,
        };
        let house = Arc::new(House::open(places, options).await.unwrap());
        for seat in house.seats.values() {
            if let Some(organisation) = seat.organisation() {
                organisation.moment_from(0).await;
            }
        }
        let routes = pages::routes(Arc::clone(&house));
        Street {
            declared: routes.declared().to_vec(),
            router: routes.into_router(),
            house,
            _folder: folder,
        }
    }

    /// Somebody who is signed in, by name.
    pub(crate) async fn visitor(&self, slug: &str, name: &str) -> Visitor {
        let organisation = self.house.seats[slug].organisation().unwrap();
        let person = demo::settle(organisation, name).await.unwrap();
        let response = session::begin(&self.house, organisation, &person, "/").await;
        let response = response.unwrap();
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        Visitor {
            router: self.router.clone(),
            slug: slug.to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    /// Somebody with a role, of the demonstration.
    pub(crate) async fn with_role(&self, slug: &str, role: Role) -> Visitor {
        let name = match role {
            Role::Officer | Role::Administrator => "Ines Marchetti",
            Role::Legal => "Henrik Lund",
            Role::PrivacyOfficer => "Clara Osei",
            Role::Engineer => "Tomas Beran",
            Role::SystemOwner => "Ruth Ansorge",
            Role::Validator => "Vera Novak",
            Role::Auditor => "Aiko Tanaka",
            Role::Board => "Johanna Brandt",
        };
        self.visitor(slug, name).await
    }

    /// A token of somebody, for what they name.
    pub(crate) async fn token(&self, slug: &str, name: &str, scopes: &[Action]) -> String {
        let organisation = self.house.seats[slug].organisation().unwrap();
        let secret = Secret::new().unwrap();
        let token = NewToken {
            id: secret.reveal()[..8].to_owned(),
            person: demo::settle(organisation, name).await.unwrap(),
            name: "test".to_owned(),
            hash: secret.hash(),
            scopes: scopes
                .iter()
                .map(|action| action.word().to_owned())
                .collect(),
            at: session::now(),
            expires: None,
        };
        organisation.accounts.add_token(&token).await.unwrap();
        secret.reveal().to_owned()
    }

    /// Somebody who is not signed in.
    pub(crate) fn stranger(&self, slug: &str) -> Visitor {
        Visitor {
            router: self.router.clone(),
            slug: slug.to_owned(),
            cookie: String::new(),
        }
    }
}

impl Visitor {
    /// Opens a page within the organisation.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Sends a form with the token of the session.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token();
        let fields = [&[("form", token.as_str())], fields].concat();
        self.post_bare(path, &fields).await
    }

    /// Sends a form as it is.
    pub(crate) async fn post_bare(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", session::escaped(value)))
            .collect();
        let media = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(Method::POST, path, &[media], pairs.join("&").into_bytes())
            .await
    }

    /// The token for a form of this session.
    pub(crate) fn form_token(&self) -> String {
        let secret = self.cookie.split_once('=').map_or("", |(_, secret)| secret);
        FormKey::of(&Secret::carried(secret).hash())
            .token()
            .unwrap()
    }

    /// Sends a request; a path that starts with `//` is one of the whole server.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let uri = match path.strip_prefix("//") {
            Some(rest) => format!("/{rest}"),
            None => format!("/{}{path}", self.slug),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::HOST, "desk.test");
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, &self.cookie);
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let text = |name: header::HeaderName| {
            let value = response.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let (location, media) = (text(header::LOCATION), text(header::CONTENT_TYPE));
        let etag = Some(text(header::ETAG)).filter(|tag| !tag.is_empty());
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        Answer {
            status,
            location,
            media,
            etag,
            bytes: bytes.to_vec(),
        }
    }
}

impl Answer {
    /// Its text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Makes sure of its status, showing the text where it is another.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}
