//! What the server counts of itself, as Prometheus reads it.
//!
//! Asked from this machine, or with a token of any organisation that may `read`. Behind a proxy every request comes from this machine, so
//! one that says it was forwarded needs a token too. The figures name routes and organisations, never people or things.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::access::Action;
use crate::house::House;
use crate::refusal::Refusal;
use crate::route::bearer;
use crate::{problem, session};

/// Where they are.
pub const PATH: &str = "/metrics";

/// The media type of the format.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper ends of the classes of latency, in microseconds; above the last one there is one more.
const BOUNDS: [u64; 10] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

/// Counts since the server began.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<Route, Requests>,
    sessions: BTreeMap<String, u64>,
}

/// A method, a route as declared, and the first digit of the status.
type Route = (&'static str, &'static str, u16);

#[derive(Debug, Default)]
struct Requests {
    n: u64,
    micros: u64,
    /// How many took at most as long as each bound.
    within: [u64; BOUNDS.len()],
}

impl Metrics {
    /// Counts an answer. `method` and `route`: as declared, so that there are only so many.
    pub fn answered(&self, method: &str, route: &'static str, status: u16, took: Duration) {
        let method = match method {
            "GET" => "GET",
            "PUT" => "PUT",
            "POST" => "POST",
            _ => "other",
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = counts
            .requests
            .entry((method, route, status / 100))
            .or_default();
        requests.n += 1;
        requests.micros = requests.micros.saturating_add(micros);
        for (bound, n) in BOUNDS.iter().zip(&mut requests.within) {
            *n += u64::from(micros <= *bound);
        }
    }

    /// Counts a session that began.
    pub fn began_session(&self, organisation: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.sessions.entry(organisation.to_owned()).or_default() += 1;
    }

    fn write_requests(&self, text: &mut String) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        head(
            text,
            "alnager_request_duration_seconds",
            "histogram",
            "How long answers took.",
        );
        for ((method, route, class), requests) in &counts.requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{class}xx\"");
            let name = "alnager_request_duration_seconds";
            for (bound, n) in BOUNDS.iter().zip(requests.within) {
                let bound = seconds(*bound);
                line(
                    text,
                    &format!("{name}_bucket{{{labels},le=\"{bound}\"}} {n}"),
                );
            }
            let n = requests.n;
            line(text, &format!("{name}_bucket{{{labels},le=\"+Inf\"}} {n}"));
            line(
                text,
                &format!("{name}_sum{{{labels}}} {}", seconds(requests.micros)),
            );
            line(text, &format!("{name}_count{{{labels}}} {n}"));
        }
        head(
            text,
            "alnager_sessions_begun_total",
            "counter",
            "Sessions begun.",
        );
        for (organisation, n) in &counts.sessions {
            line(
                text,
                &format!("alnager_sessions_begun_total{{organisation=\"{organisation}\"}} {n}"),
            );
        }
    }
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, &format!("# HELP {name} {help}"));
    line(text, &format!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Shows them.
pub async fn show(
    State(house): State<Arc<House>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let is_near =
        peer.is_some_and(|Extension(ConnectInfo(peer))| peer.ip().to_canonical().is_loopback());
    match may_see(&house, is_near, &headers).await {
        Ok(()) => ([(header::CONTENT_TYPE, MEDIA)], written(&house)).into_response(),
        Err(refusal) => problem::document(&refusal),
    }
}

async fn may_see(house: &House, is_near: bool, headers: &HeaderMap) -> Result<(), Refusal> {
    if is_near && !is_forwarded(headers) {
        return Ok(());
    }
    let secret = bearer(headers).ok_or(Refusal::SignIn)?;
    for organisation in house.seats.values().filter_map(|seat| seat.organisation()) {
        let found = session::token(organisation, &secret).await?;
        let Some((person, scopes)) = found else {
            continue;
        };
        let has_role = !organisation.moment().state.roles_of(&person).is_empty();
        return match has_role && scopes.contains(&Action::Read) {
            true => Ok(()),
            false => Err(Refusal::Forbidden(
                crate::words::EN.refusal.may_not.to_owned(),
            )),
        };
    }
    Err(Refusal::SignIn)
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    let names = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
        "via",
    ];
    names.iter().any(|name| headers.contains_key(*name))
}

fn written(house: &House) -> String {
    let mut text = String::new();
    house.metrics.write_requests(&mut text);
    let organisations = house.seats.values().filter_map(|seat| seat.organisation());
    let moments: Vec<_> = organisations
        .map(|organisation| (&organisation.slug, organisation.moment()))
        .collect();
    type Figure = fn(&crate::moment::Moment) -> u64;
    let figures: [(&str, &str, Figure); 3] = [
        ("alnager_entries", "Entries of the journal.", |moment| {
            moment.state.size
        }),
        ("alnager_systems", "Systems.", |moment| {
            count(moment.state.systems.len())
        }),
        (
            "alnager_derive_backlog",
            "Systems whose standing is still to be worked out.",
            |moment| count(moment.n_behind),
        ),
    ];
    for (name, help, figure) in figures {
        head(&mut text, name, "gauge", help);
        for (slug, moment) in &moments {
            line(
                &mut text,
                &format!("{name}{{organisation=\"{slug}\"}} {}", figure(moment)),
            );
        }
    }
    text
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::StatusCode;

    use super::*;
    use crate::tests::Street;

    #[test]
    fn a_histogram_counts_up() {
        let metrics = Metrics::default();
        for millis in [1, 2, 30, 9_000] {
            metrics.answered("GET", "/x", 204, Duration::from_millis(millis));
        }
        let mut text = String::new();
        metrics.write_requests(&mut text);
        for want in [
            "_bucket{method=\"GET\",route=\"/x\",status=\"2xx\",le=\"0.001000\"} 1\n",
            "le=\"0.002500\"} 2\n",
            "le=\"0.050000\"} 3\n",
            "le=\"+Inf\"} 4\n",
            "_sum{method=\"GET\",route=\"/x\",status=\"2xx\"} 9.033000\n",
        ] {
            assert!(text.contains(want), "{want} in {text}");
        }
    }

    #[tokio::test]
    async fn figures_are_for_this_machine_or_a_token_that_reads() {
        let street = Street::open(&["one"]).await;
        let near = street.stranger("one");
        let text = near.get("//metrics").await.is(200).text();
        for want in [
            "alnager_entries{organisation=\"one\"} ",
            "alnager_derive_backlog{organisation=\"one\"} 0\n",
        ] {
            assert!(text.contains(want), "{want} in {text}");
        }
        let forwarded = (
            header::HeaderName::from_static("x-forwarded-for"),
            "203.0.113.9",
        );
        let asked = async |token: Option<String>| {
            let token = token.map(|token| format!("Bearer {token}"));
            let mut headers = vec![forwarded.clone()];
            headers.extend(token.as_deref().map(|token| (header::AUTHORIZATION, token)));
            near.send(axum::http::Method::GET, "//metrics", &headers, Vec::new())
                .await
                .status
        };
        let reads = street.token("one", "Ines Marchetti", &[Action::Read]).await;
        let proves = street
            .token("one", "Ines Marchetti", &[Action::Prove])
            .await;
        assert_eq!(asked(None).await, StatusCode::UNAUTHORIZED);
        assert_eq!(asked(Some(reads)).await, StatusCode::OK);
        assert_eq!(asked(Some(proves)).await, StatusCode::FORBIDDEN);
        assert_eq!(asked(Some("x".to_owned())).await, StatusCode::UNAUTHORIZED);
    }
}
