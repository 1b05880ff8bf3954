//! Watchers, as a person uses them: off until enabled, signals once, settled with a reason.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::{Place, Ran};

/// A server at a free port that answers every request with the same text, and keeps the first line of each.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let first = head.lines().next().unwrap_or_default().to_owned();
                lines.lock().unwrap().push(first);
                let reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(reply.as_bytes());
            }
        });
        Server { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const RULE: &str = r#"{"count":1,"results":[{"document_number":"2026-07804","title":"Equal Credit \u001b[31mOpportunity",
    "abstract":"The rule.","type":"Rule","action":"Final rule.","html_url":"https://www.federalregister.gov/d/2026-07804",
    "publication_date":"2026-04-22","effective_on":"2026-07-21","cfr_references":[{"title":12,"part":"1002"}]}]}"#;

/// Writes a file with one watcher of the Federal Register.
fn configure(place: &Place, base: &str, enabled: &str) {
    let text = format!(
        "schema = 'alnager.watch/1'\n[[watcher]]\nkind = 'federal_register'\nbase_url = '{base}'\npacks = ['us-ecoa-regb']\n{enabled}\n\
         attempts_max = 1\ntimeout_ms = 20_000\n"
    );
    place.write(".alnager/watch.toml", text);
}

/// Runs in an environment without a proxy, and with these variables.
fn run(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = place.command(arguments);
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    crate::ran(command.output().unwrap())
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let ran = run(place, &[arguments, &["--format", "json"]].concat(), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn nothing_is_asked_unless_enabled() {
    let server = Server::start(RULE);
    let place = Place::with("credit");
    place.review(&[]);
    let none = run(&place, &["law", "watch"], &[]);
    assert_eq!(none.code, 0, "{}", none.err);
    assert!(none.out.contains("nothing was asked"), "{}", none.out);
    configure(&place, &format!("http://{}", server.address), "");
    let off = run(&place, &["law", "watch"], &[]);
    assert_eq!((off.code, off.err.as_str()), (0, ""));
    assert!(
        off.out
            .starts_with("federal_register (federal_register): off\n"),
        "{}",
        off.out
    );
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn a_signal_is_raised_once_listed_and_settled() {
    let server = Server::start(RULE);
    let place = Place::with("credit");
    place.review(&[]);
    configure(
        &place,
        &format!("http://{}", server.address),
        "enabled = true",
    );
    let first = run(&place, &["law", "watch"], &[]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    assert!(
        first
            .out
            .contains("1 new signal\nS1    Equal Credit [31mOpportunity"),
        "{}",
        first.out
    );
    assert!(first.out.contains("concerns us-ecoa-regb"), "{}", first.out);
    assert!(!first.out.contains('\u{1b}'));
    let again = run(&place, &["law", "watch"], &[]);
    assert!(again.out.ends_with("no new signal\n"), "{}", again.out);

    let listed = json(&place, &["law", "signals"]);
    assert_eq!(listed["signals"][0]["item"], "2026-07804");
    assert_eq!(listed["signals"][0]["open"], true);

    let unexplained = run(
        &place,
        &["law", "signal", "settle", "S1", "--reason", " "],
        &[],
    );
    assert_eq!(unexplained.code, 2, "{}", unexplained.out);
    let settled = run(
        &place,
        &[
            "law",
            "signal",
            "settle",
            "S1",
            "--reason",
            "the pack has it",
            "--as",
            "Vera Novak",
        ],
        &[],
    );
    assert_eq!(settled.code, 0, "{}", settled.err);
    assert_eq!(
        json(&place, &["law", "signals"])["signals"],
        Value::Array(Vec::new())
    );
    let all = run(&place, &["law", "signals", "--all"], &[]);
    assert!(
        all.out.contains("settled by Vera Novak on") && all.out.contains(": the pack has it"),
        "{}",
        all.out
    );

    let whole = run(&place, &["desk", "verify"], &[]);
    assert_eq!(whole.code, 0, "{}", whole.out);
}

#[test]
fn what_a_watcher_saw_changes_no_verdict_and_dossiers_still_verify() {
    let server = Server::start(RULE);
    let place = Place::with("credit");
    let (code, before) = place.review(&[]);
    configure(
        &place,
        &format!("http://{}", server.address),
        "enabled = true",
    );
    run(&place, &["law", "watch"], &[]);
    run(
        &place,
        &[
            "task",
            "open",
            "--what",
            "read",
            "--signal",
            "S1",
            "--due",
            "2999-01-01",
        ],
        &[],
    );
    let (code_after, after) = place.review(&[]);
    assert_eq!(
        (code, &before["requirements"]),
        (code_after, &after["requirements"])
    );
    let dossier = after["dossier"].as_str().unwrap();
    let verified = run(&place, &["verify", dossier], &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn a_source_that_fails_is_said_and_ends_the_command_with_4() {
    let server = Server::start("<html>maintenance</html>");
    let place = Place::with("credit");
    place.review(&[]);
    configure(
        &place,
        &format!("http://{}", server.address),
        "enabled = true",
    );
    let ran = run(&place, &["law", "watch"], &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("FAILED: the answer to `http://"),
        "{}",
        ran.out
    );
}

#[test]
fn a_proxy_is_asked_and_the_source_is_not() {
    let proxy = Server::start("no");
    let place = Place::with("credit");
    place.review(&[]);
    configure(&place, "https://law.example", "enabled = true");
    let ran = run(
        &place,
        &["law", "watch"],
        &[("HTTPS_PROXY", &format!("http://{}", proxy.address))],
    );
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert_eq!(proxy.asked(), ["CONNECT law.example:443 HTTP/1.1"]);
}

#[test]
fn a_wrong_file_is_wrong_input() {
    let place = Place::with("credit");
    place.review(&[]);
    configure(&place, "www.federalregister.gov", "enabled = true");
    let ran = run(&place, &["law", "watch"], &[]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("watch.toml, line 4, field `watcher[0].base_url`"),
        "{}",
        ran.err
    );
    let ran = run(&place, &["law", "watch", "--config", "nowhere.toml"], &[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}
