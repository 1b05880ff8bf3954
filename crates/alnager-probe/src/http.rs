//! What all outgoing calls have in common: the proxy of the environment, and pauses that a server asks for.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use ureq::Proxy;

/// The proxy in the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the proxy in `{variable}` is not an address such as http://proxy.example:3128; correct it"
)]
pub struct ProxyError {
    /// The environment variable.
    pub variable: String,
}

/// The pause a `Retry-After` header asks for: seconds, or an instant (RFC 9110, section 10.2.3). `None` for anything else.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    let seconds = at.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The proxy for a base address: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, else `ALL_PROXY`; hosts of `NO_PROXY` are asked directly.
/// A value that is no address is an error: silently asking without the proxy would be what the person wanted to avoid.
pub fn proxy(
    base: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, ProxyError> {
    let own = match base.starts_with("https:") {
        true => ["HTTPS_PROXY", "https_proxy"],
        false => ["HTTP_PROXY", "http_proxy"],
    };
    let set = |name: &&str| {
        environment(name)
            .filter(|value| !value.trim().is_empty())
            .map(|value| (name.to_string(), value))
    };
    let Some((variable, value)) = own.iter().chain(&["ALL_PROXY", "all_proxy"]).find_map(set)
    else {
        return Ok(None);
    };
    let wrong = |_| ProxyError {
        variable: variable.clone(),
    };
    let given = Proxy::new(value.trim()).map_err(wrong)?;
    let mut proxy = Proxy::builder(given.protocol())
        .host(given.host())
        .port(given.port());
    if let Some(name) = given.username() {
        proxy = proxy.username(name);
    }
    if let Some(word) = given.password() {
        proxy = proxy.password(word);
    }
    let direct = ["NO_PROXY", "no_proxy"]
        .iter()
        .find_map(set)
        .map(|(_, hosts)| hosts);
    for host in direct
        .iter()
        .flat_map(|hosts| hosts.split(','))
        .map(str::trim)
        .filter(|host| !host.is_empty())
    {
        proxy = proxy.no_proxy(host);
    }
    proxy.build().map(Some).map_err(wrong)
}
