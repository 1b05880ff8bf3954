//! Where an object store is, as a user writes it: `s3://bucket/prefix?endpoint=https://host:port&region=eu-central-1`.

use rusty_s3::{Bucket, UrlStyle};

use super::ObjectStoreError;

pub(crate) const SCHEME: &str = "s3://";

/// The region that stores outside AWS go by when they have none.
const REGION: &str = "us-east-1";

/// A bucket, and what the keys of all objects begin with.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) bucket: Bucket,
    /// Empty, or ends in `/`.
    pub(super) prefix: String,
    /// What messages call the store: scheme, host, port and path.
    pub(super) endpoint: String,
    /// Whether it is reached without TLS, which only this machine is.
    pub(super) is_plain: bool,
}

impl Address {
    /// Reads a place. What was written is not repeated in the error: a user may have put a secret into it.
    pub(super) fn parse(place: &str) -> Result<Address, ObjectStoreError> {
        let wrong = |reason| ObjectStoreError::Place { reason };
        let rest = place
            .strip_prefix(SCHEME)
            .ok_or(wrong("it does not begin with `s3://`"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        if !is_bucket(name) {
            return Err(wrong(
                "its bucket is not 3 to 63 lower-case letters, digits, `-` and `.`",
            ));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() && !prefix.split('/').all(is_segment) {
            return Err(wrong(
                "its prefix is not names of letters, digits, `-`, `_` and `.` with `/` between them",
            ));
        }
        let (mut endpoint, mut region) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (slot, value) = match pair.split_once('=') {
                Some(("endpoint", value)) => (&mut endpoint, value),
                Some(("region", value)) => (&mut region, value),
                _ => {
                    return Err(wrong(
                        "behind its `?` stands something else than `endpoint=…` and `region=…`; credentials never stand there",
                    ));
                }
            };
            if slot.replace(value).is_some() {
                return Err(wrong("`endpoint` or `region` is there twice"));
            }
        }
        if region.is_some_and(|region| !is_region(region)) {
            return Err(wrong(
                "its region is not lower-case letters, digits and `-`",
            ));
        }
        let (endpoint, region) = match (endpoint, region) {
            (Some(endpoint), region) => (endpoint.to_owned(), region.unwrap_or(REGION)),
            (None, Some(region)) => (format!("https://s3.{region}.amazonaws.com"), region),
            (None, None) => return Err(wrong("it names neither an endpoint nor a region")),
        };
        let unreadable = wrong("its endpoint is no address like `https://host:port`");
        if endpoint.contains(['%', '@', '?', '#', '\\']) {
            return Err(unreadable);
        }
        let Ok(url) = endpoint.parse() else {
            return Err(unreadable);
        };
        let bucket = Bucket::new(url, UrlStyle::Path, name.to_owned(), region.to_owned());
        let Ok(bucket) = bucket else {
            return Err(unreadable);
        };
        let is_plain = bucket.base_url().scheme() == "http";
        if is_plain && !is_this_machine(bucket.base_url().host_str().unwrap_or_default()) {
            return Err(wrong(
                "its endpoint is reached without TLS and lies on another machine; use `https://`",
            ));
        }
        Ok(Address {
            bucket,
            prefix: match prefix {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            is_plain,
        })
    }
}

fn is_bucket(name: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let is_outer = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| is_inner(*b))
        && is_outer(bytes.first())
        && is_outer(bytes.last())
        && !name.contains("..")
}

/// A part of a key that stands for itself in a URL: `.` and `..` would not.
fn is_segment(part: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_plain)
}

fn is_region(region: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !region.is_empty() && region.bytes().all(is_plain)
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<std::net::IpAddr> = host.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}
