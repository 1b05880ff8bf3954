//! Asking a source over HTTP: bounded in time, length, pages and repetitions, and never anywhere but at the source's own host.

use std::cell::Cell;
use std::time::Duration;

use alnager_office::signal::plain;
use alnager_probe::http::retry_after;
use jiff::Timestamp;
use ureq::http::Uri;
use ureq::{Agent, Proxy};

/// Redirects that are followed, one after the other.
const N_REDIRECTS_MAX: u32 = 3;

/// What a watcher puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For one request, from the first byte sent to the last received.
    pub(crate) timeout: Duration,
    /// Longest answer.
    pub(crate) bytes_max: u64,
    /// Most answers in one look.
    pub(crate) pages_max: u64,
    /// Most requests for one answer, when the source is busy.
    pub(crate) attempts_max: u64,
    /// Pause before the second request; it doubles with each further one.
    pub(crate) backoff: Duration,
    /// Longest pause that the source may ask for.
    pub(crate) wait_max: Duration,
}

/// Why a source could not be read. Texts of the source appear in it only plain and short.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// The proxy in the environment cannot be used.
    #[error(
        "the proxy in `{variable}` is not an address such as http://proxy.example:3128; correct it"
    )]
    Proxy {
        /// The environment variable.
        variable: String,
    },
    /// Nothing was answered.
    #[error("`{url}` could not be asked; check network, address and proxy (HTTPS_PROXY)")]
    Connection {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The answer took too long.
    #[error(
        "`{url}` was not answered within {timeout_ms} ms; ask again later, or raise `timeout_ms`"
    )]
    Slow {
        /// The address.
        url: String,
        /// The bound, in milliseconds.
        timeout_ms: u128,
    },
    /// The answer ended early.
    #[error("the answer to `{url}` was cut off; ask again later")]
    CutOff {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The answer is too long.
    #[error(
        "the answer to `{url}` has more than {bytes_max} bytes; ask for less, or raise `bytes_max`"
    )]
    TooLong {
        /// The address.
        url: String,
        /// The bound.
        bytes_max: u64,
    },
    /// The source is busy.
    #[error("`{url}` was answered {status} {n_attempts} times; ask again later")]
    Busy {
        /// The address.
        url: String,
        /// The last status.
        status: u16,
        /// How often it was asked.
        n_attempts: u64,
    },
    /// The source asks for a longer pause than is allowed.
    #[error(
        "`{url}` was answered {status}: come back in {wait_s} s, longer than `wait_s_max`; ask again then"
    )]
    Later {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// The pause asked for, in seconds.
        wait_s: u64,
    },
    /// The source refuses.
    #[error("`{url}` was answered {status}; check `base_url` and what is asked for")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The source leads elsewhere.
    #[error(
        "`{url}` leads to `{to}`, which is another host or no address; nothing was asked there. If the source has moved, correct `base_url`"
    )]
    Elsewhere {
        /// The address.
        url: String,
        /// Where it leads.
        to: String,
    },
    /// The answer is not in the source's form.
    #[error(
        "the answer to `{url}` is not what this source sends: {problem}; if its form has changed, a newer version may read it"
    )]
    Form {
        /// The address.
        url: String,
        /// What was wrong.
        problem: String,
    },
}

/// Asks one source.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    limits: Limits,
    pages_left: Cell<u64>,
}

impl Client {
    /// A client for the source at this base address. `environment` gives the proxy, by the usual names.
    pub(crate) fn new(
        base: &str,
        limits: Limits,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, WatchError> {
        let config = Agent::config_builder()
            .proxy(proxy(base, environment)?)
            .timeout_global(Some(limits.timeout))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("alnager/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Client {
            agent: Agent::new_with_config(config),
            base: base.to_owned(),
            limits,
            pages_left: Cell::new(limits.pages_max),
        })
    }

    /// An address below the base: a path, and names with values, which are escaped.
    pub(crate) fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let pairs = query
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        format!(
            "{}{path}?{}",
            self.base,
            pairs.collect::<Vec<_>>().join("&")
        )
    }

    /// The base address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The answer to one page, as text. `None` when the look has read as many pages as it may.
    pub(crate) fn page(&self, url: &str, accept: &str) -> Result<Option<String>, WatchError> {
        let Some(left) = self.pages_left.get().checked_sub(1) else {
            return Ok(None);
        };
        self.pages_left.set(left);
        let mut pause = self.limits.backoff;
        let mut n_attempts = 1;
        loop {
            let mut response = self.follow(url, accept)?;
            let (url, status) = (url.to_owned(), response.status().as_u16());
            if status == 200 {
                return self.text(&url, &mut response).map(Some);
            }
            if status != 429 && status < 500 {
                return Err(WatchError::Status { url, status });
            }
            let asked = response
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok());
            let wait = asked
                .and_then(|text| retry_after(text, Timestamp::now()))
                .unwrap_or(pause);
            if wait > self.limits.wait_max {
                let wait_s = wait.as_secs();
                return Err(WatchError::Later {
                    url,
                    status,
                    wait_s,
                });
            }
            if n_attempts >= self.limits.attempts_max {
                return Err(WatchError::Busy {
                    url,
                    status,
                    n_attempts,
                });
            }
            std::thread::sleep(wait);
            n_attempts += 1;
            pause *= 2;
        }
    }

    /// Asks, and follows redirects as long as they stay at the host.
    fn follow(
        &self,
        url: &str,
        accept: &str,
    ) -> Result<ureq::http::Response<ureq::Body>, WatchError> {
        let mut at = url.to_owned();
        for _ in 0..=N_REDIRECTS_MAX {
            let response = self.agent.get(&at).header("accept", accept).call();
            let response = response.map_err(|error| self.failed(url, error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let to = response
                .headers()
                .get("location")
                .and_then(|to| to.to_str().ok())
                .unwrap_or_default();
            at = self.beside(&at, to).ok_or_else(|| elsewhere(url, to))?;
        }
        Err(elsewhere(url, &at))
    }

    /// The address a page leads to, when it lies at the same host; the next page of a list too.
    pub(crate) fn next(&self, url: &str, to: &str) -> Result<String, WatchError> {
        self.beside(url, to).ok_or_else(|| elsewhere(url, to))
    }

    fn beside(&self, url: &str, to: &str) -> Option<String> {
        let from: Uri = url.parse().ok()?;
        let to = match to.starts_with('/') && !to.starts_with("//") {
            true => format!("{}://{}{to}", from.scheme_str()?, from.authority()?),
            false => to.to_owned(),
        };
        let target: Uri = to.parse().ok()?;
        let same_host = from.host()?.eq_ignore_ascii_case(target.host()?);
        let has_user = target.authority()?.as_str().contains('@');
        let (from_scheme, to_scheme) = (from.scheme_str()?, target.scheme_str()?);
        let same_port = from_scheme == to_scheme && port(&from)? == port(&target)?;
        // To the secured port of the same host, and never back.
        let secured = from_scheme == "http"
            && to_scheme == "https"
            && port(&from)? == 80
            && port(&target)? == 443;
        (same_host && !has_user && (same_port || secured)).then_some(to)
    }

    fn text(
        &self,
        url: &str,
        response: &mut ureq::http::Response<ureq::Body>,
    ) -> Result<String, WatchError> {
        let bytes = response
            .body_mut()
            .with_config()
            .limit(self.limits.bytes_max)
            .read_to_vec();
        let bytes = bytes.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(bytes_max) => WatchError::TooLong {
                url: url.to_owned(),
                bytes_max,
            },
            error => self.failed(url, error),
        })?;
        String::from_utf8(bytes).map_err(|_| WatchError::Form {
            url: url.to_owned(),
            problem: "it is not UTF-8 text".to_owned(),
        })
    }

    fn failed(&self, url: &str, error: ureq::Error) -> WatchError {
        let url = url.to_owned();
        match error {
            ureq::Error::Timeout(_) => WatchError::Slow {
                url,
                timeout_ms: self.limits.timeout.as_millis(),
            },
            ureq::Error::Io(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
                WatchError::CutOff {
                    url,
                    source: Box::new(ureq::Error::Io(cause)),
                }
            }
            error => WatchError::Connection {
                url,
                source: Box::new(error),
            },
        }
    }
}

fn elsewhere(url: &str, to: &str) -> WatchError {
    WatchError::Elsewhere {
        url: url.to_owned(),
        to: plain(to, 200),
    }
}

/// Whether a text is an address to ask at: http or https, a host, perhaps a port and a path, and nothing else.
pub(crate) fn is_base(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && !has_user
        && !text.contains(['?', '#'])
}

fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or(match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

/// Escapes all but letters, digits and `-._~` (RFC 3986, section 2.3).
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push_str(&crate::library::hex(&[byte]).to_uppercase());
        }
    }
    escaped
}

/// The proxy for a base address, as [`alnager_probe::http::proxy`] reads it.
pub(crate) fn proxy(
    base: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, WatchError> {
    alnager_probe::http::proxy(base, environment).map_err(|error| WatchError::Proxy {
        variable: error.variable,
    })
}

#[cfg(test)]
mod tests;
