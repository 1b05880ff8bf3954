#![allow(clippy::unwrap_used)]

use super::*;

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(1),
    bytes_max: 1_024,
    pages_max: 1,
    attempts_max: 1,
    backoff: Duration::ZERO,
    wait_max: Duration::ZERO,
};

#[test]
fn a_base_address_is_a_host_and_perhaps_a_path() {
    for (text, want) in [
        ("https://www.ecfr.gov", true),
        ("http://127.0.0.1:8080", true),
        ("https://mirror.example/law/us", true),
        ("https://user@www.ecfr.gov", false),
        ("https://www.ecfr.gov?x=1", false),
        ("https://www.ecfr.gov/#a", false),
        ("ftp://www.ecfr.gov", false),
        ("www.ecfr.gov", false),
        ("https://", false),
        ("", false),
    ] {
        assert_eq!(is_base(text), want, "{text}");
    }
}

#[test]
fn an_address_leads_on_only_at_its_own_host() {
    let client = Client::new("http://law.example", LIMITS, &|_| None).unwrap();
    for (from, to, want) in [
        (
            "http://law.example/a",
            "/b?x=1",
            Some("http://law.example/b?x=1"),
        ),
        (
            "http://law.example/a",
            "http://LAW.example/b",
            Some("http://LAW.example/b"),
        ),
        (
            "http://law.example/a",
            "https://law.example/b",
            Some("https://law.example/b"),
        ),
        ("https://law.example/a", "http://law.example/b", None),
        ("http://law.example/a", "http://law.example:8080/b", None),
        ("http://law.example:8080/a", "https://law.example/b", None),
        ("http://law.example/a", "http://other.example/b", None),
        (
            "http://law.example/a",
            "http://law.example.other.example/b",
            None,
        ),
        (
            "http://law.example/a",
            "http://law.example@other.example/b",
            None,
        ),
        (
            "http://law.example/a",
            "http://other.example@law.example/b",
            None,
        ),
        ("http://law.example/a", "//other.example/b", None),
        ("http://law.example/a", "file:///etc/passwd", None),
        ("http://law.example/a", "b", None),
        ("http://law.example/a", "", None),
    ] {
        assert_eq!(client.beside(from, to).as_deref(), want, "{from} to {to}");
    }
}

#[test]
fn what_is_asked_for_is_escaped() {
    let client = Client::new("http://law.example/mirror", LIMITS, &|_| None).unwrap();
    assert_eq!(
        client.url("/d.json", &[("conditions[term]", "a & b=é"), ("page", "1")]),
        "http://law.example/mirror/d.json?conditions%5Bterm%5D=a%20%26%20b%3D%C3%A9&page=1"
    );
}

#[test]
fn a_source_may_ask_for_a_pause_in_seconds_or_until_an_instant() {
    let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
    for (text, want) in [
        ("0", Some(0)),
        ("120", Some(120)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
        ("", None),
    ] {
        assert_eq!(
            retry_after(text, now),
            want.map(Duration::from_secs),
            "{text}"
        );
    }
}

/// The proxy for a base address in an environment of `NAME=value` words: its host and port, and whether `law.example` is asked through it.
#[track_caller]
fn check_proxy(base: &str, environment: &str, want: &str) {
    let find = |name: &str| {
        let pairs = environment
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    let seen = match proxy(base, &find) {
        Ok(None) => "direct".to_owned(),
        Ok(Some(proxy)) => {
            let direct = proxy.is_no_proxy(&"https://law.example/a".parse().unwrap());
            let name = proxy
                .username()
                .map_or(String::new(), |name| format!("{name}@"));
            format!(
                "{name}{}:{}{}",
                proxy.host(),
                proxy.port(),
                if direct { ", not for this host" } else { "" }
            )
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(seen, want, "{base} with {environment}");
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    check_proxy("https://law.example", "", "direct");
    check_proxy(
        "https://law.example",
        "HTTPS_PROXY=http://p.example:3128",
        "p.example:3128",
    );
    check_proxy(
        "https://law.example",
        "https_proxy=http://u:w@p.example:3128",
        "u@p.example:3128",
    );
    check_proxy(
        "https://law.example",
        "HTTP_PROXY=http://p.example:3128",
        "direct",
    );
    check_proxy(
        "http://law.example",
        "HTTP_PROXY=http://p.example:3128",
        "p.example:3128",
    );
    check_proxy(
        "http://law.example",
        "HTTPS_PROXY=http://p.example:3128",
        "direct",
    );
    check_proxy(
        "http://law.example",
        "ALL_PROXY=http://p.example:3128",
        "p.example:3128",
    );
    check_proxy(
        "https://law.example",
        "HTTPS_PROXY=http://p.example NO_PROXY=a.example,law.example",
        "p.example:80, not for this host",
    );
    check_proxy(
        "https://law.example",
        "HTTPS_PROXY=http://p.example NO_PROXY=a.example",
        "p.example:80",
    );
    check_proxy(
        "https://law.example",
        "HTTPS_PROXY=://",
        "the proxy in `HTTPS_PROXY` is not an address such as http://proxy.example:3128; correct it",
    );
}
