//! The server's log: one JSON object a line on standard error. No personal data, no secrets, no query strings.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::json;

/// Something went wrong that whoever runs the server should see.
pub fn error(what: &str, words: &str) {
    write("error", what, words);
}

/// Something worth knowing.
pub fn note(what: &str, words: &str) {
    write("info", what, words);
}

fn write(level: &str, what: &str, words: &str) {
    let at = Timestamp::now().to_string();
    line(&json!({ "at": at, "level": level, "what": what, "words": words }));
}

/// A request was answered. The route as declared, never the address: that may hold what somebody searched for.
pub fn request(method: &str, route: &str, status: u16, micros: u128) {
    let at = Timestamp::now().to_string();
    line(&json!({
        "at": at, "level": "info", "what": "request",
        "method": method, "route": route, "status": status, "micros": micros as u64,
    }));
}

fn line(line: &serde_json::Value) {
    // Where nobody can be told, nobody is.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
