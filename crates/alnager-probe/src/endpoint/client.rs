//! One request to an endpoint: bounded in time and length, repeated with growing pauses where that can help.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alnager_audit::model::Endpoint;
use alnager_stats::random::Random;
use jiff::Timestamp;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use super::secret::Secret;
use super::{AskSettings, EndpointProblem, Reason};
use crate::http::{proxy, retry_after};

/// Longest answer, in bytes.
pub(super) const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// Most that is read of a refusal, in bytes.
const REFUSAL_BYTES_MAX: u64 = 64 << 10;

/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Longest pause of our own between two attempts; the endpoint may ask for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// How long a pause lasts before it is looked whether the run was stopped.
const NAP: Duration = Duration::from_millis(20);

/// Asks one endpoint, from several threads at once.
pub(super) struct Client<'a> {
    agent: Agent,
    secret: Option<Secret>,
    timeout_s: f64,
    retries: u32,
    settings: &'a AskSettings<'a>,
    gap: Duration,
    /// When the next request may begin.
    next: Mutex<Instant>,
    has_ended: AtomicBool,
    pub(super) n_requests: AtomicU64,
    pub(super) n_retries: AtomicU64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// Something a person can mend.
    Problem(EndpointProblem),
    /// The endpoint's own doing, or a stop.
    Reason(Reason),
}

/// A status that ends the run, and what was said with it.
type Refusal = (u16, String);

/// What came of one attempt.
enum Attempt {
    Answered(Vec<u8>),
    Refused(u16, String),
    /// What happened, and the pause that the endpoint asks for.
    Again(String, Option<Duration>),
    Ended(Failed),
}

impl<'a> Client<'a> {
    pub(super) fn new(
        endpoint: &Endpoint,
        settings: &'a AskSettings<'a>,
    ) -> Result<Client<'a>, EndpointProblem> {
        let uri: Uri = endpoint.url.parse().map_err(|_| EndpointProblem::Url)?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or(EndpointProblem::Url)?;
        let secret = match &endpoint.auth {
            None => None,
            Some(_) if uri.scheme_str() != Some("https") && !is_this_machine(host) => {
                return Err(EndpointProblem::Readable);
            }
            Some(auth) => Some(Secret::read(auth, &settings.folder, settings.environment)?),
        };
        let timeout = Duration::try_from_secs_f64(endpoint.timeout_s);
        let timeout = timeout.unwrap_or(Duration::from_secs(30));
        let config = Agent::config_builder()
            .proxy(match is_this_machine(host) {
                // What is meant for this machine does not leave it.
                true => None,
                false => proxy(&endpoint.url, settings.environment)?,
            })
            .timeout_global(Some(timeout))
            .timeout_connect(Some(timeout.min(CONNECT_MAX)))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // A server may have closed an idle connection meanwhile, which costs an attempt.
            .max_idle_age(Duration::from_secs(5))
            .max_idle_connections_per_host(endpoint.concurrency.max(1))
            .user_agent(concat!("alnager/", env!("CARGO_PKG_VERSION")))
            .build();
        let gap = endpoint.per_second.map(|rate| 1.0 / rate);
        let gap = gap.and_then(|gap| Duration::try_from_secs_f64(gap).ok());
        Ok(Client {
            agent: Agent::new_with_config(config),
            secret,
            timeout_s: endpoint.timeout_s,
            retries: endpoint.retries,
            settings,
            gap: gap.unwrap_or_default(),
            next: Mutex::new(Instant::now()),
            has_ended: AtomicBool::new(false),
            n_requests: AtomicU64::new(0),
            n_retries: AtomicU64::new(0),
        })
    }

    /// Lets no further request begin.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
    }

    /// Whether no further request may begin.
    pub(super) fn is_stopped(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst) || self.settings.stop.load(Ordering::SeqCst)
    }

    /// Puts a body, and gives the answer. `salt` spreads the pauses of different requests.
    pub(super) fn post(&self, url: &str, body: &str, salt: u64) -> Result<Vec<u8>, Failed> {
        self.repeat(salt, || {
            let request = self
                .agent
                .post(url)
                .header("content-type", "application/json");
            self.with_secret(request)
                .header("accept", "application/json")
                .send(body.as_bytes())
        })?
        .map_err(|(status, said)| Failed::Problem(refusal(status, said)))
    }

    /// Reads a page; `None` where there is none.
    pub(super) fn get(&self, url: &str) -> Result<Option<Vec<u8>>, Failed> {
        let read = self.repeat(u64::MAX, || {
            let request = self.agent.get(url).header("accept", "application/json");
            self.with_secret(request).call()
        })?;
        match read {
            Ok(body) => Ok(Some(body)),
            Err((status @ (401 | 403), said)) => Err(Failed::Problem(refusal(status, said))),
            Err(_) => Ok(None),
        }
    }

    fn with_secret<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.secret {
            None => request,
            Some(secret) => request.header(&secret.header, &secret.value),
        }
    }

    /// Tries until there is an answer or a refusal, or no more attempt is left.
    fn repeat(
        &self,
        salt: u64,
        send: impl Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Result<Vec<u8>, Refusal>, Failed> {
        let mut n_attempts = 0_u32;
        loop {
            self.take_turn()?;
            self.n_requests.fetch_add(1, Ordering::Relaxed);
            let (last, asked) = match self.attempt(send()) {
                Attempt::Answered(body) => return Ok(Ok(body)),
                Attempt::Refused(status, said) => return Ok(Err((status, said))),
                Attempt::Ended(failed) => return Err(failed),
                Attempt::Again(last, asked) => (last, asked),
            };
            n_attempts += 1;
            if let Some(wait) = asked.filter(|wait| *wait > self.settings.wait_max) {
                let wait_s = wait.as_secs();
                return Err(Failed::Reason(Reason::Later { wait_s }));
            }
            if n_attempts > self.retries {
                return Err(Failed::Reason(Reason::Outage { n_attempts, last }));
            }
            self.n_retries.fetch_add(1, Ordering::Relaxed);
            match asked {
                // Whoever asks for a pause gets one from all threads.
                Some(wait) => self.hold(wait),
                None => self.sleep_until(Instant::now() + self.pause(n_attempts, salt))?,
            }
        }
    }

    fn attempt(&self, sent: Result<Response<Body>, ureq::Error>) -> Attempt {
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return self.failed(error),
        };
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        match status {
            200..=299 => {
                let limited = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
                match limited.read_to_vec() {
                    Ok(body)
                        if self
                            .secret
                            .as_ref()
                            .is_some_and(|secret| secret.is_in(&body)) =>
                    {
                        let why = "it repeats the secret, and nothing of it is kept".to_owned();
                        Attempt::Ended(Failed::Reason(Reason::Malformed { why }))
                    }
                    Ok(body) => Attempt::Answered(body),
                    Err(ureq::Error::BodyExceedsLimit(bytes_max)) => {
                        Attempt::Ended(Failed::Reason(Reason::TooLong { bytes_max }))
                    }
                    Err(error @ ureq::Error::Timeout(_)) => self.failed(error),
                    Err(_) => Attempt::Again("its answer was cut off".to_owned(), None),
                }
            }
            300..=399 => Attempt::Ended(Failed::Problem(EndpointProblem::Elsewhere {
                status,
                to: self.plain(&header("location").unwrap_or_default()),
            })),
            408 | 425 | 429 | 500..=599 => {
                let asked = header("retry-after");
                let asked = asked.and_then(|text| retry_after(&text, Timestamp::now()));
                Attempt::Again(format!("it answered with status {status}"), asked)
            }
            _ => {
                let limited = response.body_mut().with_config().limit(REFUSAL_BYTES_MAX);
                let said = limited.read_to_vec().unwrap_or_default();
                let said = self.plain(&String::from_utf8_lossy(&said));
                Attempt::Refused(status, said)
            }
        }
    }

    /// What a failed attempt means.
    fn failed(&self, error: ureq::Error) -> Attempt {
        let again = |last: &str| Attempt::Again(last.to_owned(), None);
        let untrusted =
            |why: String| Attempt::Ended(Failed::Problem(EndpointProblem::Untrusted { why }));
        match error {
            ureq::Error::Timeout(_) => Attempt::Again(
                format!("it did not answer within {} s", self.timeout_s),
                None,
            ),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Attempt::Ended(Failed::Problem(EndpointProblem::Url))
            }
            ureq::Error::Rustls(error) => untrusted(error.to_string()),
            ureq::Error::Tls(error) => untrusted(error.to_owned()),
            // The TLS layer reports a certificate as an error of reading.
            ureq::Error::Io(error) if error.to_string().contains("certificate") => {
                untrusted(error.to_string())
            }
            ureq::Error::Io(error) => {
                Attempt::Again(format!("the connection failed ({error})"), None)
            }
            ureq::Error::HostNotFound => again("its host has no address"),
            ureq::Error::ConnectionFailed => again("no connection could be made"),
            ureq::Error::ConnectProxyFailed(_) => again("the proxy made no connection"),
            ureq::Error::LargeResponseHeader(..) => again("its answer begins with too much"),
            _ => again("what it sent is cut off, or not HTTP"),
        }
    }

    /// Somebody else's text: without the secret, on one line, short.
    fn plain(&self, text: &str) -> String {
        const LEN_MAX: usize = 200;
        let text = match &self.secret {
            None => text.to_owned(),
            Some(secret) => secret.hidden(text),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let words = words.join(" ");
        let mut plain = String::new();
        for char in words.chars().take(LEN_MAX) {
            if char.is_control() {
                plain.extend(char.escape_default());
            } else {
                plain.push(char);
            }
        }
        if words.chars().nth(LEN_MAX).is_some() {
            plain.push('…');
        }
        plain
    }

    /// The pause before attempt `n_attempts` + 1: it doubles each time, up to a bound, and is shortened by up to a half so that
    /// several threads do not come back together. The same request has the same pauses in every run.
    fn pause(&self, n_attempts: u32, salt: u64) -> Duration {
        let doubled = 2_u32.checked_pow(n_attempts - 1).unwrap_or(u32::MAX);
        let pause = self.settings.backoff.checked_mul(doubled);
        let pause = pause.unwrap_or(PAUSE_MAX).min(PAUSE_MAX);
        pause.mul_f64(1.0 - 0.5 * Random::stream(salt, u64::from(n_attempts)).uniform())
    }

    /// Waits for this request's turn, at most so many a second.
    fn take_turn(&self) -> Result<(), Failed> {
        loop {
            let begins = {
                let mut next = self.next.lock().unwrap_or_else(|error| error.into_inner());
                let now = Instant::now();
                if *next <= now {
                    *next = now + self.gap;
                    None
                } else {
                    Some(*next)
                }
            };
            match begins {
                None if self.is_stopped() => return Err(Failed::Reason(Reason::Stopped)),
                None => return Ok(()),
                Some(at) => self.sleep_until(at)?,
            }
        }
    }

    /// Lets nobody begin a request before a pause is over.
    fn hold(&self, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(|error| error.into_inner());
        *next = (*next).max(Instant::now() + wait);
    }

    fn sleep_until(&self, at: Instant) -> Result<(), Failed> {
        loop {
            if self.is_stopped() {
                return Err(Failed::Reason(Reason::Stopped));
            }
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(NAP));
        }
    }
}

fn refusal(status: u16, said: String) -> EndpointProblem {
    let hint = match status {
        401 | 403 => "check `auth` and the secret",
        404 | 405 => "check `url` and `protocol`",
        413 => "lower `batch`",
        _ => "check `protocol`, the inputs and what it says",
    };
    let said = match said.is_empty() {
        true => String::new(),
        false => format!(": {said}"),
    };
    EndpointProblem::Refused { status, said, hint }
}

/// Whether what is sent to a host never leaves this machine.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
