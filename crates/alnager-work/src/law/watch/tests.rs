//! Watchers against a server of the test: what it sends becomes signals once, or a complaint, and never law.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;

/// What the server does with a request.
enum Reply {
    /// Answers: status, further header lines, body.
    Send(u16, String, Vec<u8>),
    /// Answers 200 with less than it announced.
    Cut(String),
    /// Answers nothing.
    Silent,
}

fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Send(200, String::new(), body.into())
}

fn status(status: u16, header: &str) -> Reply {
    Reply::Send(status, format!("{header}\r\n"), Vec::new())
}

/// A server at a free port. It is asked by threads of the test only and ends with the process.
struct Server {
    base: String,
    /// Each request: its head.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `reply` gets the count of earlier requests, the path with its query, and the base address.
    fn start(reply: impl Fn(usize, &str, &str) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heads, own) = (Arc::clone(&asked), base.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let n = heads.lock().unwrap().len();
                heads.lock().unwrap().push(head);
                let (status, header, body, announced) = match reply(n, &path, &own) {
                    Reply::Send(status, header, body) => (status, header, body.clone(), body.len()),
                    Reply::Cut(body) => (
                        200,
                        String::new(),
                        body.clone().into_bytes(),
                        body.len() + 100,
                    ),
                    Reply::Silent => {
                        // Kept open until the other side gives up.
                        let _ = reader.read_line(&mut String::new());
                        continue;
                    }
                };
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{header}content-length: {announced}\r\nconnection: close\r\n\r\n"
                );
                // Who does not want the answer may hang up.
                let _ = stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(&body));
            }
        });
        Server { base, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The path and query of each request, unescaped.
    fn paths(&self) -> Vec<String> {
        let path = |head: &String| {
            head.split(' ')
                .nth(1)
                .unwrap_or_default()
                .replace("%5B", "[")
                .replace("%5D", "]")
                .replace("%20", " ")
        };
        self.asked().iter().map(path).collect()
    }
}

/// A desk in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Place {
            folder: tempfile::tempdir().unwrap(),
        };
        place.block(async {
            let acting = Acting::begin(&place.flags()).unwrap();
            let mut desk = acting.desk_or_new().await.unwrap();
            let with = acting.context(&desk, None).unwrap();
            // A desk appears with its first entry.
            let first = Look {
                watcher: "first".to_owned(),
                source: "none".to_owned(),
                asked: String::new(),
                from: with.today,
                to: with.today,
                is_whole: true,
                seen: Vec::new(),
            };
            acting
                .commit(&mut desk, &Command::Watch(vec![first]), &with)
                .await
                .unwrap();
            desk.close().await.unwrap();
        });
        place
    }

    fn flags(&self) -> Flags {
        Flags {
            desk: self.folder.path().join("desk").into(),
            actor: Some("Rita".to_owned()),
            ..Flags::default()
        }
    }

    fn block<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(work)
    }

    /// Writes `watch.toml` and looks.
    fn watch(&self, config: &str) -> Watched {
        std::fs::write(
            self.flags().desk.home().join(CONFIG),
            format!("schema = 'alnager.watch/1'\n{config}"),
        )
        .unwrap();
        self.block(watch(&self.flags(), None)).unwrap()
    }

    /// The state of the desk, read anew.
    fn state(&self) -> State {
        self.block(crate::records::state(&self.flags())).unwrap()
    }
}

/// A watcher's table with small bounds; later lines may not repeat its fields.
fn table(kind: &str, base: &str, more: &str) -> String {
    let bounds = "timeout_ms = 5_000\nbackoff_ms = 1\nwait_s_max = 1\nbytes_max = 200_000";
    format!(
        "[[watcher]]\nkind = '{kind}'\nenabled = true\nbase_url = '{base}'\npacks = []\n{bounds}\n{more}\n"
    )
}

/// How a watched file went, one line per watcher, then each signal raised; the server's address is left out.
fn words(watched: &Watched, base: &str) -> String {
    let mut lines = Vec::new();
    for report in &watched.watchers {
        lines.push(match &report.outcome {
            Outcome::Off => format!("{}: off", report.name),
            Outcome::Looked { n_items, .. } => format!("{}: {n_items} items", report.name),
            Outcome::CutShort { n_items, .. } => {
                format!("{}: cut short after {n_items} items", report.name)
            }
            Outcome::Failed { why } => format!("{}: {why}", report.name),
        });
    }
    for id in &watched.raised {
        let raised = &watched.state.signals[id].raised;
        let item = &raised.item;
        lines.push(format!(
            "{id} {} [{}] {} ({}) {}",
            item.id,
            item.packs.join(" "),
            item.title,
            item.stage,
            raised.changed.join(" ")
        ));
    }
    let text = lines.join("\n");
    if base.is_empty() {
        text
    } else {
        text.replace(base, "BASE")
    }
}

/// Looks once with a server that answers as `reply` says; shows what came of it.
#[track_caller]
fn check(
    kind: &str,
    more: &str,
    reply: impl Fn(usize, &str, &str) -> Reply + Send + 'static,
    want: Expect,
) {
    let server = Server::start(reply);
    let watched = Place::new().watch(&table(kind, &server.base, more));
    want.assert_eq(
        &words(&watched, &server.base)
            .split("?")
            .next()
            .unwrap()
            .replace("\u{1b}", "ESC"),
    );
}

const REG_B: &str = "titles = ['12 CFR 1002']";

fn document(number: &str, title: &str) -> String {
    format!(
        r#"{{"document_number":"{number}","title":"{title}","abstract":"About credit.","type":"Rule","action":"Final rule.",
        "html_url":"https://www.federalregister.gov/d/{number}","publication_date":"2026-04-22","effective_on":"2026-07-21",
        "cfr_references":[{{"title":12,"part":"1002","chapter":null,"citation_url":null}}]}}"#
    )
}

fn documents(documents: &[String], next: Option<&str>) -> String {
    let next = next.map_or(String::new(), |next| {
        format!(r#","next_page_url":"{next}""#)
    });
    format!(
        r#"{{"count":{},"results":[{}]{next}}}"#,
        documents.len(),
        documents.join(",")
    )
}

#[test]
fn nothing_is_asked_unless_enabled() {
    let server = Server::start(|_, _, _| ok("{}"));
    let place = Place::new();
    let without = place.block(watch(&place.flags(), None)).unwrap();
    assert_eq!(words(&without, ""), "");
    let all: String = ["federal_register", "ecfr", "cellar"]
        .iter()
        .map(|kind| {
            table(kind, &server.base, "")
                .replace("enabled = true\n", "")
                .replace("packs = []\n", "")
        })
        .collect();
    let size = place.state().size;
    expect!["federal_register: off\necfr: off\ncellar: off"]
        .assert_eq(&words(&place.watch(&all), &server.base));
    assert_eq!(server.asked(), Vec::<String>::new());
    assert_eq!(place.state().size, size);
}

#[test]
fn all_pages_are_read_and_every_document_is_raised_once() {
    let server = Server::start(|_, path, base| {
        if path.contains("page=2") {
            return ok(documents(
                &[document("2026-3", "Three"), document("2026-1", "One")],
                None,
            ));
        }
        ok(documents(
            &[document("2026-1", "One"), document("2026-2", "Two")],
            Some(&format!("{base}/api/v1/documents?page=2")),
        ))
    });
    let place = Place::new();
    let config = table("federal_register", &server.base, REG_B);
    expect![[r#"
        federal_register: 3 items
        S1 2026-1 [us-ecoa-regb] One (Rule) 
        S2 2026-2 [us-ecoa-regb] Two (Rule) 
        S3 2026-3 [us-ecoa-regb] Three (Rule) "#]]
    .assert_eq(&words(&place.watch(&config), &server.base));
    let first = &server.paths()[0];
    for part in [
        "/api/v1/documents.json?",
        "per_page=100",
        "conditions[cfr][title]=12",
        "conditions[cfr][part]=1002",
        "conditions[publication_date][gte]=20",
    ] {
        assert!(first.contains(part), "{first}");
    }
    assert!(
        server.asked()[0]
            .to_lowercase()
            .contains(concat!("user-agent: alnager/", env!("CARGO_PKG_VERSION")))
    );
    let size = place.state().size;
    expect!["federal_register: 3 items"].assert_eq(&words(&place.watch(&config), &server.base));
    assert_eq!(
        place.state().size,
        size,
        "looking again the same day enters nothing"
    );
}

#[test]
fn a_changed_document_is_raised_again() {
    let server = Server::start(|n, _, _| {
        let later = document("2026-1", "One").replace("2026-07-21", "2026-10-01");
        ok(documents(
            &[if n == 0 {
                document("2026-1", "One")
            } else {
                later
            }],
            None,
        ))
    });
    let place = Place::new();
    let config = table("federal_register", &server.base, REG_B);
    place.watch(&config);
    expect![[r#"
        federal_register: 1 items
        S2 2026-1 [us-ecoa-regb] One (Rule) effective"#]]
    .assert_eq(&words(&place.watch(&config), &server.base));
    let state = place.state();
    assert_eq!(state.signals["S1"].replaced_by.as_deref(), Some("S2"));
    assert_eq!(state.book, None, "a watcher adopts no law");
}

#[test]
fn words_are_asked_for_and_may_concern_no_pack() {
    let place = Place::new();
    let server = Server::start(|_, _, _| {
        ok(documents(
            &[document("2026-1", "One").replace("1002", "9999")],
            None,
        ))
    });
    let watched = place.watch(&table(
        "federal_register",
        &server.base,
        "terms = ['artificial intelligence']",
    ));
    expect![[r#"
        federal_register: 1 items
        S1 2026-1 [] One (Rule) "#]]
    .assert_eq(&words(&watched, &server.base));
    assert!(
        server.paths()[0].contains("conditions[term]=artificial intelligence"),
        "{:?}",
        server.paths()
    );
}

#[test]
fn what_the_packs_cite_is_asked_for() {
    let server = Server::start(|_, _, _| ok(r#"{"count":0}"#));
    let config = table("federal_register", &server.base, "")
        .replace("packs = []", "packs = ['us-ecoa-regb']");
    expect!["federal_register: 0 items"]
        .assert_eq(&words(&Place::new().watch(&config), &server.base));
    assert_eq!(server.paths().len(), 1);
    assert!(
        server.paths()[0].contains("conditions[cfr][part]=1002"),
        "{:?}",
        server.paths()
    );
}

#[test]
fn a_busy_source_is_asked_again_and_then_left_alone() {
    let after = |n_bad: usize, bad: u16, header: &'static str| {
        move |n: usize, _: &str, _: &str| {
            if n < n_bad {
                status(bad, header)
            } else {
                ok(r#"{"count":0}"#)
            }
        }
    };
    let kind = "federal_register";
    check(
        kind,
        REG_B,
        after(1, 429, "retry-after: 0"),
        expect!["federal_register: 0 items"],
    );
    check(
        kind,
        REG_B,
        after(2, 500, "x: y"),
        expect!["federal_register: 0 items"],
    );
    check(
        kind,
        REG_B,
        after(9, 503, "retry-after: 0"),
        expect!["federal_register: `BASE/api/v1/documents.json"],
    );
    let server = Server::start(after(9, 503, "retry-after: 0"));
    let watched = Place::new().watch(&table(kind, &server.base, REG_B));
    assert!(
        words(&watched, "").ends_with("was answered 503 3 times; ask again later"),
        "{watched:?}"
    );
    assert_eq!(server.asked().len(), 3);
}

/// Looks once; shows the end of the complaint, and how often was asked.
#[track_caller]
fn complaint(
    kind: &str,
    more: &str,
    reply: impl Fn(usize, &str, &str) -> Reply + Send + 'static,
    want: Expect,
) {
    let server = Server::start(reply);
    let place = Place::new();
    let watched = place.watch(&table(kind, &server.base, more));
    let Outcome::Failed { why } = &watched.watchers[0].outcome else {
        panic!("{}", words(&watched, &server.base));
    };
    let (_, end) = why.split_once("` ").unwrap_or(("", why));
    want.assert_eq(&format!(
        "{} (asked {})",
        end.replace(&server.base, "BASE"),
        server.asked().len()
    ));
    let state = place.state();
    assert!(
        state.signals.is_empty() && !state.looks.contains_key(kind),
        "a failed look enters nothing"
    );
}

#[test]
fn a_source_that_asks_for_a_long_pause_or_refuses_is_left_alone() {
    let kind = "federal_register";
    complaint(
        kind,
        REG_B,
        |_, _, _| status(429, "retry-after: 3600"),
        expect![
            "was answered 429: come back in 3600 s, longer than `wait_s_max`; ask again then (asked 1)"
        ],
    );
    complaint(
        kind,
        REG_B,
        |_, _, _| status(404, "x: y"),
        expect!["was answered 404; check `base_url` and what is asked for (asked 1)"],
    );
    // We never ask "only if changed", so "not changed" answers nothing.
    complaint(
        kind,
        REG_B,
        |_, _, _| status(304, "x: y"),
        expect!["was answered 304; check `base_url` and what is asked for (asked 1)"],
    );
}

#[test]
fn a_slow_source_is_given_up() {
    let server = Server::start(|_, _, _| Reply::Silent);
    let config =
        table("ecfr", &server.base, REG_B).replace("timeout_ms = 5_000", "timeout_ms = 100");
    let began = std::time::Instant::now();
    let seen = words(&Place::new().watch(&config), &server.base);
    assert!(
        seen.ends_with("was not answered within 100 ms; ask again later, or raise `timeout_ms`"),
        "{seen}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_source_that_is_not_there_is_said_to_be_so() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let seen = words(
        &Place::new().watch(&table("ecfr", &format!("http://{free}"), REG_B)),
        "",
    );
    assert!(
        seen.contains("could not be asked; check network, address and proxy"),
        "{seen}"
    );
}

#[test]
fn what_is_no_answer_of_the_source_is_refused_whole() {
    let form = |kind: &str, more: &str, body: &'static [u8], want: Expect| {
        complaint(kind, more, move |_, _, _| ok(body), want)
    };
    let feed = "celex = ['32024R1689']";
    form(
        "federal_register",
        REG_B,
        b"<html>maintenance</html>",
        expect![
            "is not what this source sends: it is not whole JSON (expected value at line 1 column 1); if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "federal_register",
        REG_B,
        br#"{"count":1,"results":[{"document_number":"2026-1","#,
        expect![
            "is not what this source sends: it is not whole JSON (EOF while parsing a value at line 1 column 50); if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "federal_register",
        REG_B,
        br#"{"errors":"nope"}"#,
        expect![
            "is not what this source sends: it has no list `results`; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "federal_register",
        REG_B,
        br#"{"count":1,"results":[{"title":"no number"}]}"#,
        expect![
            "is not what this source sends: a document has no `document_number`; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "ecfr",
        REG_B,
        b"\xff\xfe",
        expect![
            "is not what this source sends: it is not UTF-8 text; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "ecfr",
        REG_B,
        br#"{"content_versions":[{"identifier":"1002.6"}]}"#,
        expect![
            "is not what this source sends: a version has no `amendment_date`; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "cellar",
        feed,
        b"{}",
        expect![
            "is not what this source sends: it is not an Atom feed; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "cellar",
        feed,
        b"<feed><entry><updated>2026",
        expect![
            "is not what this source sends: it ends in the middle; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "cellar",
        feed,
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><feed>&b;</feed>",
        expect![
            "is not what this source sends: it has a document type; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    form(
        "cellar",
        feed,
        b"<feed><title>&b;</title></feed>",
        expect![
            "is not what this source sends: it uses an entity that XML does not define; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
    complaint(
        "cellar",
        feed,
        |_, _, _| ok("<a>".repeat(10_000)),
        expect![
            "is not what this source sends: its elements are nested too deeply; if its form has changed, a newer version may read it (asked 1)"
        ],
    );
}

#[test]
fn an_answer_that_is_cut_off_or_endless_is_refused() {
    let seen = |reply: fn(usize, &str, &str) -> Reply| {
        let server = Server::start(reply);
        words(&Place::new().watch(&table("ecfr", &server.base, REG_B)), "")
    };
    let cut = seen(|_, _, _| Reply::Cut(r#"{"content_versions":[]}"#.to_owned()));
    assert!(cut.contains("was cut off; ask again later"), "{cut}");
    let long = seen(|_, _, _| ok(vec![b' '; 200_001]));
    assert!(long.contains("has more than 200000 bytes"), "{long}");
}

#[test]
fn a_source_may_lead_on_at_its_own_host_only() {
    check(
        "federal_register",
        REG_B,
        |n, _, _| {
            if n == 0 {
                status(302, "location: /new")
            } else {
                ok(r#"{"count":0}"#)
            }
        },
        expect!["federal_register: 0 items"],
    );
    check(
        "federal_register",
        REG_B,
        |_, _, _| status(302, "location: /round"),
        expect!["federal_register: `BASE/api/v1/documents.json"],
    );
    let other = Server::start(|_, _, _| ok(documents(&[document("2026-9", "Planted")], None)));
    for by_header in [true, false] {
        let there = format!("{}/x", other.base);
        let server = Server::start(move |_, _, _| match by_header {
            true => status(301, &format!("location: {there}")),
            false => ok(documents(&[document("2026-1", "One")], Some(&there))),
        });
        let watched = Place::new().watch(&table("federal_register", &server.base, REG_B));
        let seen = words(&watched, &other.base);
        assert!(
            seen.contains(
                "leads to `BASE/x`, which is another host or no address; nothing was asked there"
            ),
            "{seen}"
        );
        assert_eq!(server.asked().len(), 1);
    }
    assert_eq!(
        other.asked(),
        Vec::<String>::new(),
        "nothing is asked of another host"
    );
}

#[test]
fn hostile_words_are_printed_plain() {
    check(
        "federal_register",
        REG_B,
        |_, _, _| {
            ok(documents(
                &[document("2026-1", r"\u001b[2J\u202eOne\u0007\n")],
                None,
            ))
        },
        expect![[r#"
            federal_register: 1 items
            S1 2026-1 [us-ecoa-regb] [2JOne (Rule) "#]],
    );
    complaint(
        "federal_register",
        REG_B,
        |_, _, _| status(301, "location: http://\u{e9}\t.example/"),
        expect![
            "leads to ``, which is another host or no address; nothing was asked there. If the source has moved, correct `base_url` (asked 1)"
        ],
    );
}

fn version_of(identifier: &str, amended: &str, more: &str) -> String {
    format!(
        r#"{{"date":"{amended}","amendment_date":"{amended}","issue_date":"2999-01-01","identifier":"{identifier}",
        "name":"\u00a7 {identifier} Rules.","part":"1002","substantive":true,"removed":false,"subpart":null,"title":"12","type":"section"{more}}}"#
    )
}

fn versions(versions: &[String], n_pages: u32) -> String {
    format!(
        r#"{{"content_versions":[{}],"meta":{{"total_pages":"{n_pages}"}}}}"#,
        versions.join(",")
    )
}

#[test]
fn of_each_section_the_latest_amendment_is_raised() {
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let day = move |days: i64| today.saturating_sub(days.days()).to_string();
    let server = Server::start(move |_, path, _| {
        ok(match path.contains("page=2") {
            false => versions(
                &[
                    version_of("1002.6", &day(9), ""),
                    version_of("1002.6", &day(20), ""),
                    // Issued again, not amended.
                    version_of("1002.1", "2016-12-19", ""),
                ],
                2,
            ),
            true => versions(
                &[version_of("1002.7", &day(9), "")
                    .replace("\"removed\":false", "\"removed\":true")],
                2,
            ),
        })
    });
    let watched = Place::new().watch(&table("ecfr", &server.base, REG_B));
    expect![[r#"
        ecfr: 2 items
        S1 12 CFR 1002.6 [us-ecoa-regb] § 1002.6 Rules. (amended) 
        S2 12 CFR 1002.7 [us-ecoa-regb] § 1002.7 Rules. (removed) "#]]
    .assert_eq(&words(&watched, &server.base));
    let item = &watched.state.signals["S1"].raised.item;
    assert_eq!(
        item.url,
        format!("{}/current/title-12/part-1002/section-1002.6", server.base)
    );
    assert_eq!(item.effective, Some(today.saturating_sub(9.days())));
    let paths = server.paths();
    assert!(
        paths[0].starts_with("/api/versioner/v1/versions/title-12.json?issue_date[gte]=20"),
        "{paths:?}"
    );
    assert!(
        paths[0].ends_with("&part=1002") && paths[1].ends_with("&part=1002&page=2"),
        "{paths:?}"
    );
}

/// An entry as the feed sends it, its unfilled title and link included.
fn notice(updated: &str, action: &str, identifiers: &[&str]) -> String {
    let identifiers: String = identifiers
        .iter()
        .map(|id| format!("<n:identifier>{id}</n:identifier>"))
        .collect();
    format!(
        "<entry><id>${{item.cellarUri}}_{updated}</id><title>$item.title</title><link href=\"$item.cellarUri\"/><updated>{updated}</updated>\
         <n:cellarId>cellar:a</n:cellarId><n:type>{action}</n:type><n:identifiers>{identifiers}</n:identifiers></entry>"
    )
}

fn feed(entries: &[String], has_more: bool) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:n=\"http://publications.europa.eu/atom/notificationEntry\" xmlns:r=\"http://publications.europa.eu/atom/notificationRequest\">\
         <title>Ingestion &amp; so on</title><r:moreEntries>{has_more}</r:moreEntries>{}</feed>",
        entries.concat()
    )
}

#[test]
fn notices_about_the_acts_asked_for_are_raised() {
    let server = Server::start(|_, path, _| {
        ok(match path.ends_with("page=1") {
            true => feed(
                &[
                    notice(
                        "2026-08-05T10:03:48.434+02:00",
                        "update",
                        &[
                            "consolidation:2024R1689%2F20260727",
                            "celex:02024R1689-20260727",
                            "eli:reg:2024:1689",
                        ],
                    ),
                    notice(
                        "2026-08-05T10:09:48.434+02:00",
                        "update",
                        &["celex:02024R1689%2D20260727"],
                    ),
                    notice(
                        "2026-08-05T10:00:00.000+02:00",
                        "create",
                        &["celex:32026R9999"],
                    ),
                    notice("2026-08-05T10:00:00.000+02:00", "create", &[]),
                ],
                true,
            ),
            false => feed(
                &[notice(
                    "2026-08-06T10:00:00.000+02:00",
                    "update",
                    &["celex:32024R1689"],
                )],
                false,
            ),
        })
    });
    let place = Place::new();
    let config = table("cellar", &server.base, "celex = ['32024R1689']");
    let watched = place.watch(&config);
    expect![[r#"
        cellar: 2 items
        S1 02024R1689-20260727 [eu-ai-act] consolidated text of 02024R1689, as of 20260727 (update) 
        S2 32024R1689 [eu-ai-act] act 32024R1689 (update) "#]]
    .assert_eq(&words(&watched, &server.base));
    let item = &watched.state.signals["S1"].raised.item;
    assert_eq!(
        item.url,
        "https://eur-lex.europa.eu/legal-content/EN/ALL/?uri=CELEX:02024R1689-20260727"
    );
    assert_eq!(item.published, Some("2026-08-05".parse().unwrap()));
    assert!(
        server.asked()[0].contains("accept: application/atom+xml"),
        "{:?}",
        server.asked()
    );
    assert!(
        server.paths()[0].starts_with("/webapi/notification/ingestion?startDate=20"),
        "{:?}",
        server.paths()
    );
    expect!["cellar: 2 items"].assert_eq(&words(&place.watch(&config), &server.base));
}

#[test]
fn a_work_notified_again_on_another_day_is_raised_again() {
    let server = Server::start(|n, _, _| {
        ok(feed(
            &[notice(
                &format!("2026-08-0{}T10:00:00+02:00", 5 + n / 2),
                "update",
                &["celex:32024R1689"],
            )],
            false,
        ))
    });
    let place = Place::new();
    let config = table("cellar", &server.base, "celex = ['32024R1689']");
    let seen: Vec<String> = (0..4)
        .map(|_| place.watch(&config).raised.join(" "))
        .collect();
    assert_eq!(seen, ["S1", "", "S2", ""]);
}

#[test]
fn a_look_that_reads_too_many_pages_is_cut_short_and_taken_up_again() {
    let server = Server::start(|n, _, base| {
        ok(documents(
            &[document(&format!("2026-{n}"), "One")],
            Some(&format!("{base}/more")),
        ))
    });
    let place = Place::new();
    let config = table(
        "federal_register",
        &server.base,
        &format!("{REG_B}\npages_max = 2"),
    );
    expect![[r#"
        federal_register: cut short after 2 items
        S1 2026-0 [us-ecoa-regb] One (Rule) 
        S2 2026-1 [us-ecoa-regb] One (Rule) "#]]
    .assert_eq(&words(&place.watch(&config), &server.base));
    assert_eq!(server.asked().len(), 2);
    let state = place.state();
    assert!(!state.looks.contains_key("federal_register"));
    assert_eq!(state.signals.len(), 2);
}

#[test]
fn one_source_that_fails_does_not_keep_the_others() {
    let bad = Server::start(|_, _, _| ok("nothing"));
    let good = Server::start(|_, _, _| ok(documents(&[document("2026-1", "One")], None)));
    let place = Place::new();
    let config = format!(
        "{}{}",
        table("ecfr", &bad.base, REG_B),
        table("federal_register", &good.base, REG_B)
    );
    let watched = place.watch(&config);
    assert!(matches!(
        watched.watchers[0].outcome,
        Outcome::Failed { .. }
    ));
    assert_eq!(watched.raised, ["S1"]);
    let state = place.state();
    assert!(!state.looks.contains_key("ecfr") && state.looks.contains_key("federal_register"));
}

#[test]
fn a_look_begins_where_the_last_whole_one_ended() {
    let server = Server::start(|_, _, _| ok(r#"{"count":0}"#));
    let place = Place::new();
    let config = table("federal_register", &server.base, REG_B);
    let begin = |watched: &Watched| match watched.watchers[0].outcome {
        Outcome::Looked { from, .. } => from,
        Outcome::Off | Outcome::CutShort { .. } | Outcome::Failed { .. } => panic!("{watched:?}"),
    };
    let from = begin(&place.watch(&config));
    let last = place.state().looks["federal_register"].clone();
    assert_eq!(
        (last.from, last.from),
        (from, last.to.saturating_sub(30.days()))
    );
    // A week of overlap, so that a document dated back is not lost.
    assert_eq!(
        begin(&place.watch(&config)),
        last.to.saturating_sub(7.days())
    );
    // Who asks for something else looks back from the start.
    let from = begin(&place.watch(&format!("{config}days = 400\nterms = ['credit']")));
    assert_eq!(
        from,
        place.state().looks["federal_register"]
            .to
            .saturating_sub(400.days())
    );
}

#[track_caller]
fn wrong(config: &str, want: Expect) {
    let place = Place::new();
    std::fs::write(place.flags().desk.home().join(CONFIG), config).unwrap();
    let refused = place.block(watch(&place.flags(), None)).unwrap_err();
    assert!(refused.is_input());
    let words = refused.to_string();
    want.assert_eq(
        words
            .rsplit_once("watch.toml")
            .map_or(&words, |(_, end)| end),
    );
}

#[test]
fn a_wrong_file_is_complained_about_by_line() {
    let file = |more: &str| {
        format!(
            "schema = 'alnager.watch/1'\n[[watcher]]\nkind = 'ecfr'\nbase_url = 'https://www.ecfr.gov'\n{more}\n"
        )
    };
    wrong("[[watcher]]", expect![": the field `schema` is missing"]);
    wrong(
        &file("enable = true"),
        expect![
            ", line 5, field `watcher[0].enable`: there is no field `enable` here; did you mean `enabled`?"
        ],
    );
    wrong(
        &file("terms = ['x']"),
        expect![
            ", line 5, field `watcher[0].terms`: there is no field `terms` here; valid are `name`, `kind`, `enabled`, `base_url`, `packs`, `days`, `titles`, `timeout_ms`, `bytes_max`, `pages_max`, `attempts_max`, `backoff_ms`, `wait_s_max`"
        ],
    );
    wrong(
        &file("titles = ['99']"),
        expect![
            ", line 5, field `watcher[0].titles[0]`: expected a title or a part of the Code of Federal Regulations, such as `12` or `12 CFR 1002`"
        ],
    );
    wrong(
        &file("packs = ['us-ecoa-regd']"),
        expect![
            ", line 5, field `watcher[0].packs[0]`: no pack `us-ecoa-regd` is in use; did you mean `us-ecoa-regb`?"
        ],
    );
    wrong(
        &file("enabled = true\npacks = []"),
        expect![
            ", line 2, field `watcher[0]`: this watcher has nothing to ask for; name `titles`, or `packs` that cite such law"
        ],
    );
    wrong(
        &file("timeout_ms = 0"),
        expect![
            ", line 5, field `watcher[0].timeout_ms`: expected a number from 1 to 600000, found 0"
        ],
    );
    wrong(
        &file("name = 'a b'"),
        expect![
            ", line 5, field `watcher[0].name`: a watcher's name has 1 to 60 letters, digits, `-`, `_` and `.`"
        ],
    );
    wrong(
        &file("").replace("https://www.ecfr.gov", "www.ecfr.gov"),
        expect![
            ", line 4, field `watcher[0].base_url`: expected the address of the source, such as https://www.federalregister.gov: http or https, a host, perhaps a path, and nothing else"
        ],
    );
    wrong(
        &file("").replace("'ecfr'", "'fr'"),
        expect![
            ", line 3, field `watcher[0].kind`: `fr` is not a valid value; valid are `federal_register`, `ecfr`, `cellar`"
        ],
    );
    wrong(
        &format!(
            "{}{}",
            file(""),
            file("").replace("schema = 'alnager.watch/1'\n", "")
        ),
        expect![
            ", line 6, field `watcher[1]`: there are two watchers `ecfr`; give each a `name` of its own"
        ],
    );
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let place = Place::new();
    let missing = place.folder.path().join("other.toml");
    let refused = place
        .block(watch(&place.flags(), Some(&missing)))
        .unwrap_err();
    assert!(refused.is_input(), "{refused}");
}

#[test]
fn the_file_of_the_guide_is_valid() {
    let guide = include_str!("../../../../../docs/guide/watch-the-law.md");
    let (_, text) = guide.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let cited = Cited::new(&crate::library::shipped().unwrap().book);
    let watchers = config::parse("watch.toml", text, &cited).unwrap();
    assert_eq!(watchers.len(), 3);
    assert_eq!(watchers[0].asks.len(), 2, "a part by its pack, and a term");
    assert!(watchers.iter().all(|watcher| watcher.is_enabled));
}
