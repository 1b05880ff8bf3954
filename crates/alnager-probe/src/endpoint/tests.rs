//! A model server of the test that drops, delays, cuts, limits, changes and lies: each case ends as it is promised to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alnager_audit::measures::DataStamp;
use alnager_audit::model::{Endpoint, InputKind, Model, ModelBy};
use alnager_stats::random::Random;
use jiff::Timestamp;

use super::server::{Reply, Request, Server, ids};
use super::*;

use crate::asked::AskedColumn;
use crate::{Source, Wanted};

const SECRET: &str = "canary-secret-0123456789";

fn no_environment(_: &str) -> Option<String> {
    None
}

/// A run's folder and how it asks.
struct Place {
    folder: tempfile::TempDir,
    stop: Arc<AtomicBool>,
    declared: String,
    wait_max: Duration,
}

impl Place {
    /// Asks the server in the form of the tests; further fields of the declaration may follow.
    fn new(server: &Server, fields: &str) -> Place {
        let declared = format!(
            "url = '{}/score'\nprotocol = 'json'\nrequest = '{{\"rows\": {{{{rows}}}}}}'\nanswers = '/scores'\nversion_at = '/version'\n{fields}",
            server.url
        );
        Place {
            folder: tempfile::tempdir().unwrap(),
            stop: Arc::default(),
            declared,
            wait_max: Duration::from_secs(5),
        }
    }

    fn endpoint(&self) -> Endpoint {
        declared(&self.declared)
    }

    fn file(&self) -> AnswersFile {
        AnswersFile {
            path: self.folder.path().join("a.answers.jsonl"),
            data_sha256: "d4".to_owned(),
        }
    }

    fn settings<'a>(
        &'a self,
        environment: &'a (dyn Fn(&str) -> Option<String> + Sync),
    ) -> AskSettings<'a> {
        AskSettings {
            folder: self.folder.path().to_owned(),
            environment,
            stop: &self.stop,
            backoff: Duration::from_millis(2),
            wait_max: self.wait_max,
        }
    }

    fn ask(&self, asked: &Asked) -> Result<Answered, ProbeError> {
        self.ask_in(asked, &no_environment)
    }

    fn ask_in(
        &self,
        asked: &Asked,
        environment: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Answered, ProbeError> {
        let settings = self.settings(environment);
        ask(
            &self.endpoint(),
            &inputs(),
            asked,
            &self.file(),
            &settings,
            &|_| (),
        )
    }

    fn kept(&self) -> String {
        std::fs::read_to_string(self.file().path).unwrap()
    }
}

/// An endpoint as it is declared for rows with any input that the tests have.
pub(super) fn declared(fields: &str) -> Endpoint {
    let text =
        format!("gives = 'score'\ninputs = ['id', 'age', 'agee', 'job']\n[endpoint]\n{fields}");
    let node = alnager_law::read::read("model.toml", &text).unwrap();
    match Model::read(&node).unwrap().by {
        ModelBy::Endpoint(endpoint) => *endpoint,
        ModelBy::Onnx(onnx) => panic!("{onnx:?}"),
    }
}

fn inputs() -> Vec<Input> {
    let input = |name: &str, kind| Input {
        name: name.to_owned(),
        column: name.to_owned(),
        kind,
    };
    vec![
        input("id", InputKind::Number),
        input("job", InputKind::Text),
    ]
}

/// Rows with the ids from 0.
fn rows(n_rows: usize) -> Asked {
    Asked {
        n_rows,
        columns: vec![
            AskedColumn::Numbers((0..n_rows).map(|id| id as f64).collect()),
            AskedColumn::Texts(
                vec!["smith".to_owned(), "cook".to_owned()],
                (0..n_rows).map(|id| (id % 3) as u32).collect(),
            ),
        ],
    }
}

/// The true answer for an id.
fn score(id: usize) -> f64 {
    (id as f64 * 0.37).sin()
}

fn scores(n_rows: usize) -> Answers {
    Answers::Numbers((0..n_rows).map(score).collect())
}

fn body(ids: &[usize], version: &str, score: impl Fn(usize) -> f64) -> String {
    let scores: Vec<f64> = ids.iter().map(|id| score(*id)).collect();
    json!({ "scores": scores, "version": version }).to_string()
}

fn right(request: &Request) -> String {
    body(&ids(&request.body), "3", score)
}

fn honest(request: &Request) -> Reply {
    Reply::Ok(right(request))
}

/// The reason of an inconclusive run.
#[track_caller]
fn reason(result: Result<Answered, ProbeError>) -> Reason {
    match result {
        Err(ProbeError::Inconclusive { reason, .. }) => *reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_row_is_answered_in_order_and_a_second_run_asks_nothing() {
    let server = Server::start(honest);
    let place = Place::new(&server, "batch = 7\nconcurrency = 3\ncanaries = 4");
    let answered = place.ask(&rows(60)).unwrap();
    assert_eq!(answered.answers, scores(60));
    assert_eq!(answered.version.as_deref(), Some("3"));
    assert_eq!(answered.is_deterministic, Some(true));
    assert_eq!((answered.n_put, answered.canaries.len()), (60, 3));
    // Nine batches, two rounds of canaries before and one after.
    assert_eq!((answered.n_requests, answered.n_retries), (12, 0));
    let n_requests = server.n_requests();
    let again = place.ask(&rows(60)).unwrap();
    assert_eq!(server.n_requests(), n_requests);
    assert_eq!(
        again,
        Answered {
            n_requests: 0,
            ..answered.clone()
        }
    );
    let stamp = answered.stamp(&place.endpoint(), &inputs());
    assert_eq!(
        (stamp.kind.as_str(), stamp.name.as_str()),
        ("json", place.endpoint().url.as_str())
    );
    assert_eq!(
        stamp.canaries,
        Some(fingerprint((0..4).map(|id| Answer::Number(score(id)))))
    );
    assert_eq!(
        stamp.sha256,
        fingerprint((0..60).map(|id| Answer::Number(score(id))))
    );
}

#[test]
fn alike_rows_are_put_once_where_the_endpoint_is_deterministic() {
    let alike = Asked {
        n_rows: 6,
        columns: vec![
            AskedColumn::Numbers(vec![1.0, 2.0, 1.0, 2.0, 0.0, -0.0]),
            AskedColumn::Texts(vec!["a".to_owned()], vec![1, 1, 1, 0, 1, 1]),
        ],
    };
    let server = Server::start(honest);
    let place = Place::new(&server, "canaries = 1");
    let answered = place.ask(&alike).unwrap();
    let want = [1, 2, 1, 2, 0, 0].map(score).to_vec();
    assert_eq!(answered.answers, Answers::Numbers(want.clone()));
    assert_eq!(answered.n_put, 4);
    // Without canaries nobody knows whether alike rows are answered alike.
    let place = Place::new(&server, "canaries = 0");
    let answered = place.ask(&alike).unwrap();
    assert_eq!(
        (answered.answers, answered.n_put),
        (Answers::Numbers(want), 6)
    );
    assert_eq!(answered.is_deterministic, None);
}

#[test]
fn an_endpoint_that_is_not_deterministic_is_asked_about_every_row() {
    let server = Server::start(|request: &Request| {
        let n = request.n as f64;
        Reply::Ok(body(&ids(&request.body), "3", |id| score(id) + n))
    });
    let place = Place::new(&server, "batch = 50\ncanaries = 3");
    let mut alike = rows(10);
    alike.columns[0] = AskedColumn::Numbers(vec![1.0; 10]);
    let answered = place.ask(&alike).unwrap();
    assert_eq!(
        (answered.is_deterministic, answered.n_put),
        (Some(false), 10)
    );
    assert_eq!(answered.stamp(&place.endpoint(), &inputs()).canaries, None);
}

#[test]
fn mlflow_and_kserve_are_asked_over_the_network() {
    let server = Server::start(|request: &Request| match request.line.as_str() {
        "POST /m/invocations" => {
            let data = request.body["dataframe_split"]["data"].as_array().unwrap();
            let ids = data.iter().map(|row| row[0].as_u64().unwrap() as usize);
            Reply::Ok(json!({ "predictions": ids.map(score).collect::<Vec<_>>() }).to_string())
        }
        "GET /v2/models/credit" => Reply::Ok(
            json!({ "inputs": [
                { "name": "id", "datatype": "INT64", "shape": [-1] },
                { "name": "job", "datatype": "BYTES", "shape": [-1] },
            ]})
            .to_string(),
        ),
        "POST /v2/models/credit/infer" => {
            assert_eq!(request.body["inputs"][0]["datatype"], "INT64");
            let ids = request.body["inputs"][0]["data"].as_array().unwrap();
            let answers = ids.iter().map(|id| {
                if id.as_u64().unwrap() % 2 == 0 {
                    "yes"
                } else {
                    "no"
                }
            });
            let answers: Vec<&str> = answers.collect();
            let output = json!({ "name": "o", "shape": [answers.len()], "datatype": "BYTES", "data": answers });
            Reply::Ok(json!({ "model_version": "9", "outputs": [output] }).to_string())
        }
        other => Reply::Status(404, String::new(), other.to_owned()),
    });
    let mut place = Place::new(&server, "");
    place.declared = format!("url = '{}/m'\nprotocol = 'mlflow'\nbatch = 4", server.url);
    assert_eq!(place.ask(&rows(10)).unwrap().answers, scores(10));
    let mut place = Place::new(&server, "");
    place.declared = format!(
        "url = '{}'\nprotocol = 'kserve'\nmodel = 'credit'\nversion = '9'\nbatch = 4",
        server.url
    );
    let mut complete = rows(6);
    complete.columns[1] = AskedColumn::Texts(vec!["smith".to_owned()], vec![1; 6]);
    let answered = place.ask(&complete).unwrap();
    let want = ["yes", "no", "yes", "no", "yes", "no"].map(str::to_owned);
    assert_eq!(answered.answers, Answers::Texts(want.to_vec()));
    assert_eq!(answered.version.as_deref(), Some("9"));
}

#[test]
fn what_may_pass_is_tried_again() {
    let late = Duration::from_millis(700);
    let date = |seconds: i64| {
        let at = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        let at = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!("retry-after: {at}\r\n")
    };
    type Fault = Box<dyn Fn(&Request) -> Reply + Send + Sync>;
    let faults: Vec<(&str, Fault)> = vec![
        ("dropped", Box::new(|_| Reply::Dropped)),
        (
            "late",
            Box::new(move |request| Reply::Late(late, right(request))),
        ),
        ("cut", Box::new(|request| Reply::Cut(right(request)))),
        (
            "408",
            Box::new(|_| Reply::Status(408, String::new(), String::new())),
        ),
        (
            "425",
            Box::new(|_| Reply::Status(425, String::new(), String::new())),
        ),
        (
            "500",
            Box::new(|_| Reply::Status(500, String::new(), "oh".to_owned())),
        ),
        (
            "503",
            Box::new(|_| Reply::Status(503, "retry-after: 0\r\n".to_owned(), String::new())),
        ),
        (
            "429",
            Box::new(|_| Reply::Status(429, "retry-after: 1\r\n".to_owned(), String::new())),
        ),
        (
            "429 until",
            Box::new(move |_| Reply::Status(429, date(2), String::new())),
        ),
    ];
    for (name, fault) in faults {
        // The first batch of rows fails once.
        let server = Server::start(move |request: &Request| match request.n {
            2 => fault(request),
            _ => honest(request),
        });
        let place = Place::new(&server, "batch = 9\ncanaries = 2\ntimeout_s = 0.4");
        let start = Instant::now();
        let answered = place
            .ask(&rows(18))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answered.answers, scores(18), "{name}");
        assert!(answered.n_retries == 1, "{name}: {answered:?}");
        assert_eq!(answered.n_requests, server.n_requests() as u64, "{name}");
        if name.starts_with("429") {
            assert!(
                start.elapsed() > Duration::from_millis(900),
                "{name} did not wait"
            );
        }
    }
}

#[test]
fn an_outage_is_inconclusive_and_nothing_answered_is_lost() {
    let is_up = Arc::new(AtomicBool::new(true));
    let up = Arc::clone(&is_up);
    let server = Server::start(move |request: &Request| {
        if request.n == 6 {
            up.store(false, Ordering::SeqCst);
        }
        match up.load(Ordering::SeqCst) {
            true => honest(request),
            false => Reply::Status(502, String::new(), String::new()),
        }
    });
    let place = Place::new(
        &server,
        "batch = 5\nconcurrency = 1\nretries = 2\ncanaries = 2",
    );
    let error = place.ask(&rows(40)).unwrap_err();
    assert!(error.is_inconclusive());
    let text = error.to_string();
    assert!(
        text.contains("inconclusive after 20 of 40 rows: it did not answer 3 times in a row, the last time because it answered with status 502"),
        "{text}"
    );
    is_up.store(true, Ordering::SeqCst);
    let before = server.n_requests();
    assert_eq!(place.ask(&rows(40)).unwrap().answers, scores(40));
    // A round as it goes on, the four batches left, a round at the end.
    assert_eq!(server.n_requests() - before, 6);
}

#[test]
fn what_cannot_pass_ends_the_run_at_once() {
    type Fault = Box<dyn Fn(&Request) -> Reply + Send + Sync>;
    let ok = |body: &str| -> Fault {
        let body = body.to_owned();
        Box::new(move |_| Reply::Ok(body.clone()))
    };
    let status = |status: u16, header: &str, body: &str| -> Fault {
        let (header, body) = (header.to_owned(), body.to_owned());
        Box::new(move |_| Reply::Status(status, header.clone(), body.clone()))
    };
    let huge = "x".repeat(client::ANSWER_BYTES_MAX as usize + 1);
    let cases: Vec<(Fault, bool, &str)> = vec![
        (ok("{\"scores\": [0.5, 0.5"), true, "it is not JSON"),
        (ok("{\"scores\": [NaN]}"), true, "it is not JSON"),
        (
            ok("{\"scores\": [0.5], \"version\": \"3\"}"),
            true,
            "1 answers to 5 rows",
        ),
        (
            ok("{\"scores\": [1, 2, 3, 4, null], \"version\": \"3\"}"),
            true,
            "an answer is null",
        ),
        (
            ok("{\"scores\": [1, 2, 3, 4, \"x\"], \"version\": \"3\"}"),
            true,
            "some answers are numbers and some are texts",
        ),
        (ok(&huge), true, "more than 33554432 bytes"),
        (
            status(429, "retry-after: 900\r\n", ""),
            true,
            "come back in 900 s",
        ),
        (
            status(400, "", "no column `idd`\u{1b}[31m"),
            false,
            "status 400: no column `idd`\\u{1b}[31m; check `protocol`",
        ),
        (status(401, "", ""), false, "status 401; check `auth`"),
        (status(404, "", ""), false, "check `url`"),
        (
            status(307, "location: http://elsewhere.example/\r\n", ""),
            false,
            "leads to `http://elsewhere.example/`",
        ),
    ];
    for (fault, is_inconclusive, want) in cases {
        // The canaries are answered well.
        let server = Server::start(move |request: &Request| match request.n {
            0 | 1 => honest(request),
            _ => fault(request),
        });
        let place = Place::new(&server, "batch = 5\nconcurrency = 1\ncanaries = 2");
        let error = place.ask(&rows(20)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(want), "{want}: {text}");
        assert_eq!(error.is_inconclusive(), is_inconclusive, "{text}");
        assert_eq!(server.n_requests(), 3, "{want} is not tried again");
        assert!(
            !place.kept().contains("\"first\""),
            "{want}: nothing is kept of it"
        );
    }
}

#[test]
fn a_lie_about_the_version_is_seen() {
    let server = Server::start(honest);
    let place = Place::new(&server, "version = '2'");
    let want = Reason::OtherVersion {
        declared: "2".to_owned(),
        said: "3".to_owned(),
    };
    assert_eq!(reason(place.ask(&rows(9))), want);
    assert_eq!(place.kept().lines().count(), 1, "nothing is kept of it");
    // Another version midway, declared or not; and one that is no longer stated.
    for (fields, other) in [("", "4"), ("version = '3'\n", "4"), ("", "")] {
        let server = Server::start(move |request: &Request| {
            let version = if request.n < 4 { "3" } else { other };
            let text = body(&ids(&request.body), version, score);
            Reply::Ok(text.replace("\"version\":\"\"", "\"version\":null"))
        });
        let place = Place::new(
            &server,
            &format!("{fields}batch = 2\nconcurrency = 1\ncanaries = 1"),
        );
        let seen = reason(place.ask(&rows(20)));
        let is_right = match (fields, &seen) {
            ("", Reason::VersionChanged { before, after }) => {
                before == "`3`" && (after == "`4`" || after == "none stated")
            }
            (_, Reason::OtherVersion { said, .. }) => said == "4",
            _ => false,
        };
        assert!(is_right, "{seen:?}");
        // Two batches were answered before.
        assert_eq!(place.kept().matches("\"first\"").count(), 2);
    }
}

#[test]
fn a_silent_change_midway_ends_the_run_for_good() {
    let n_changed_from = 6;
    let server = Server::start(move |request: &Request| {
        let shift = if request.n < n_changed_from {
            0.0
        } else {
            1e-9
        };
        Reply::Ok(body(&ids(&request.body), "3", |id| score(id) + shift))
    });
    let place = Place::new(&server, "batch = 5\nconcurrency = 1\ncanaries = 3");
    let changed = Reason::Changed { n_differ: 3, n: 3 };
    assert_eq!(reason(place.ask(&rows(40))), changed);
    let n_requests = server.n_requests();
    let kept = place.kept();
    // Answers of two models are never put together, whatever the endpoint answers now.
    assert_eq!(reason(place.ask(&rows(40))), changed);
    assert_eq!((server.n_requests(), place.kept()), (n_requests, kept));
}

#[test]
fn interrupted_ten_times_a_run_asks_no_row_twice_and_ends_the_same() {
    const N_ROWS: usize = 600;
    let fields = "batch = 6\nconcurrency = 3\ncanaries = 5";
    let calm = Server::start(honest);
    let whole = Place::new(&calm, fields);
    let uninterrupted = whole.ask(&rows(N_ROWS)).unwrap();
    for seed in 0..4 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        // The server itself pulls the plug, at a random request of each run.
        let fuse = Arc::new(AtomicUsize::new(usize::MAX));
        let stop = Arc::new(AtomicBool::new(false));
        let (own_fuse, own_stop) = (Arc::clone(&fuse), Arc::clone(&stop));
        let server = Server::start(move |request: &Request| {
            let left =
                own_fuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            if left == Err(0) {
                own_stop.store(true, Ordering::SeqCst);
            }
            honest(request)
        });
        let mut place = Place::new(&server, fields);
        place.stop = Arc::clone(&stop);
        let (mut n_stops, mut n_torn) = (0, 0);
        let resumed = loop {
            let fuse_length = match n_stops {
                10 => usize::MAX,
                _ => (random.uniform() * 9.0) as usize,
            };
            fuse.store(fuse_length, Ordering::SeqCst);
            stop.store(false, Ordering::SeqCst);
            match place.ask(&rows(N_ROWS)) {
                Ok(answered) => break answered,
                Err(error) => assert_eq!(reason(Err(error)), Reason::Stopped),
            }
            n_stops += 1;
            if random.uniform() < 0.5 {
                // As if the next line had been cut off by a crash.
                let mut bytes = std::fs::read(place.file().path).unwrap();
                bytes.extend(b"{\"first\":3,\"answ");
                std::fs::write(place.file().path, bytes).unwrap();
                n_torn += 1;
            }
        };
        assert_eq!(n_stops, 10, "torn {n_torn} times");
        assert_eq!(resumed.answers, uninterrupted.answers);
        assert_eq!(resumed.stamp(&place.endpoint(), &inputs()), {
            let mut stamp = uninterrupted.stamp(&whole.endpoint(), &inputs());
            stamp.name = place.endpoint().url;
            stamp
        });
        let asked = server.asked(N_ROWS);
        assert!(asked[5..].iter().all(|n| *n == 1), "{asked:?}");
        // A canary is asked once as a row, and once a round.
        assert!(
            asked[..5].iter().all(|n| *n == 1 + resumed.canaries.len()),
            "{asked:?}"
        );
        // The files hold the same batches.
        let batches = |place: &Place| -> BTreeSet<String> {
            let text = place.kept();
            let rows = text.lines().filter(|line| line.contains("\"first\""));
            rows.flat_map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let first = line["first"].as_u64().unwrap();
                let answers = line["answers"].as_array().unwrap().clone();
                let answers = answers.into_iter().enumerate();
                answers.map(move |(at, answer)| format!("{} {answer}", first + at as u64))
            })
            .collect()
        };
        assert_eq!(batches(&place), batches(&whole));
    }
}

#[test]
fn a_run_that_was_killed_asks_only_what_was_under_way_again() {
    let server = Server::start(honest);
    let place = Place::new(&server, "batch = 5\nconcurrency = 1\ncanaries = 0");
    place.ask(&rows(30)).unwrap();
    // The last batch was answered, and the line never reached the disk; nor did what follows it.
    let text = place.kept();
    let last = text.rfind("{\"first\"").unwrap();
    std::fs::write(place.file().path, &text[..last]).unwrap();
    let answered = place.ask(&rows(30)).unwrap();
    assert_eq!((answered.answers, answered.n_requests), (scores(30), 1));
    let asked = server.asked(30);
    assert_eq!(asked[..25], [1; 25]);
    assert_eq!(asked[25..], [2; 5]);
    assert_eq!(place.kept(), text);
}

#[test]
fn an_answers_file_of_something_else_is_refused_and_left_alone() {
    let server = Server::start(honest);
    let mut place = Place::new(&server, "canaries = 2\nversion = '3'");
    place.ask(&rows(9)).unwrap();
    let kept = place.kept();
    let error = place.ask(&rows(8)).unwrap_err().to_string();
    assert!(error.contains("belongs to another `inputs`"), "{error}");
    place.declared = place.declared.replace("version = '3'", "version = '4'");
    let error = place.ask(&rows(9)).unwrap_err().to_string();
    assert!(
        error.contains("belongs to another `version` (3, now 4)"),
        "{error}"
    );
    assert_eq!(place.kept(), kept);
}

#[test]
fn no_more_requests_a_second_and_at_once_than_allowed() {
    let slow = |request: &Request| Reply::Late(Duration::from_millis(30), right(request));
    let server = Server::start(slow);
    let place = Place::new(
        &server,
        "batch = 2\nconcurrency = 4\nper_second = 40\ncanaries = 0",
    );
    let start = Instant::now();
    place.ask(&rows(24)).unwrap();
    // Twelve requests have eleven gaps of 25 ms between them.
    assert!(
        start.elapsed() >= Duration::from_millis(275),
        "{:?}",
        start.elapsed()
    );
    let server = Server::start(|request: &Request| {
        std::thread::sleep(Duration::from_millis(30));
        honest(request)
    });
    let place = Place::new(&server, "batch = 2\nconcurrency = 4\ncanaries = 0");
    place.ask(&rows(48)).unwrap();
    let most = server.most_at_once.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most}");
}

#[test]
fn the_secret_is_sent_and_shown_nowhere() {
    // A server that repeats what it was sent in every way it can.
    let server = Server::start(|request: &Request| match request.n {
        0 | 1 => honest(request),
        2 => Reply::Status(
            403,
            String::new(),
            format!("no access with Bearer {SECRET}"),
        ),
        3 => honest(request),
        4 => Reply::Ok(format!("{{\"scores\": [1, 2], \"version\": \"{SECRET}\"}}")),
        5 => honest(request),
        6 => Reply::Status(
            302,
            format!("location: http://evil.example/?{SECRET}\r\n"),
            String::new(),
        ),
        _ => honest(request),
    });
    let fields = "batch = 2\nconcurrency = 1\ncanaries = 1\nauth = { env = 'VENDOR_KEY' }";
    let place = Place::new(&server, fields);
    let environment = |name: &str| (name == "VENDOR_KEY").then(|| SECRET.to_owned());
    let mut shown = String::new();
    for _ in 0..3 {
        let error = place.ask_in(&rows(6), &environment).unwrap_err();
        shown.push_str(&format!("{error} {error:?}\n"));
    }
    assert!(shown.contains("no access with Bearer [secret]"), "{shown}");
    assert!(shown.contains("it repeats the secret"), "{shown}");
    assert!(shown.contains("http://evil.example/?[secret]"), "{shown}");
    let answered = place.ask_in(&rows(6), &environment).unwrap();
    shown.push_str(&format!("{answered:?} {:?}", place.endpoint()));
    let auth = place.endpoint().auth.unwrap();
    let secret = secret::Secret::read(&auth, place.folder.path(), &environment).unwrap();
    shown.push_str(&format!("{secret:?} {:?}", secret.value));
    assert!(
        !shown.contains(SECRET) && !place.kept().contains(SECRET),
        "{shown}"
    );
    let log = server.log.lock().unwrap();
    let want = format!("authorization: bearer {SECRET}");
    assert!(
        log.heads
            .iter()
            .all(|head| head.to_lowercase().contains(&want))
    );
}

#[test]
fn a_secret_that_cannot_be_sent_is_said_without_it() {
    let server = Server::start(honest);
    let at = |fields: &str| Place::new(&server, fields);
    let check = |place: &Place, value: Option<&str>, want: &str| {
        let environment = |_: &str| value.map(str::to_owned);
        let error = place
            .ask_in(&rows(3), &environment)
            .unwrap_err()
            .to_string();
        assert!(error.contains(want), "{error}");
        assert!(value.is_none_or(|value| !error.contains(value)), "{error}");
    };
    // The variable of the proxy is asked too, so a name that only the secret has.
    let variable = at("auth = { env = 'VENDOR_KEY' }");
    check(
        &variable,
        None,
        "the environment variable `VENDOR_KEY`, which holds the secret, is not set",
    );
    check(&variable, Some("abc"), "has fewer than 8 characters");
    check(
        &variable,
        Some("two\nlines of it"),
        "holds signs that a header cannot carry",
    );
    let file = at("auth = { header = 'X-Key', file = 'key' }");
    check(&file, None, "cannot be read; check `file`");
    std::fs::write(file.folder.path().join("key"), format!("{SECRET}\r\n")).unwrap();
    file.ask(&rows(3)).unwrap();
    let head = server
        .log
        .lock()
        .unwrap()
        .heads
        .last()
        .unwrap()
        .to_lowercase();
    assert!(head.contains(&format!("x-key: {SECRET}\r\n")), "{head}");
    let mut open = at("auth = { env = 'VENDOR_KEY' }");
    open.declared = open.declared.replace("127.0.0.1", "vendor.example");
    check(
        &open,
        Some(SECRET),
        "a secret over http could be read on the way",
    );
}

#[test]
fn the_rows_of_a_file_are_asked_and_stamped() {
    let server = Server::start(honest);
    let place = Place::new(&server, "canaries = 2");
    let data = place.folder.path().join("rows.csv");
    std::fs::write(&data, "id,job,kind\n5,smith,a\n7,cook,b\n9,,a\n").unwrap();
    let wanted = Wanted {
        filter: Some("kind == 'a'".to_owned()),
        ..Wanted::default()
    };
    let source = Source::Files { path: data };
    let file = AnswersFile::beside(place.folder.path(), "approval", "").path;
    let settings = place.settings(&no_environment);
    let (answered, data) = ask_source(
        &place.endpoint(),
        &inputs(),
        wanted,
        &source,
        &file,
        &settings,
        &|_| (),
    )
    .unwrap();
    assert_eq!(answered.answers, Answers::Numbers(vec![score(5), score(9)]));
    assert_eq!((data.n_rows, data.n_counted()), (3, 2));
    let kept = std::fs::read_to_string(file).unwrap();
    assert!(kept.contains(&data.sha256), "{kept}");
}

#[test]
fn canaries_are_asked_again_and_every_look_is_kept() {
    let is_new = Arc::new(AtomicBool::new(false));
    let new = Arc::clone(&is_new);
    let server = Server::start(move |request: &Request| {
        let shift = f64::from(u8::from(new.load(Ordering::SeqCst)));
        match request.n {
            2 => Reply::Status(500, String::new(), String::new()),
            4 | 5 => Reply::Dropped,
            _ => Reply::Ok(body(&ids(&request.body), "3", |id| score(id) + shift)),
        }
    });
    let place = Place::new(&server, "canaries = 3\nretries = 1\nversion = '2'");
    let data = place.folder.path().join("rows.csv");
    std::fs::write(&data, "id,job\n0,smith\n0,smith\n1,cook\n2,\n3,cook\n").unwrap();
    let record = place.folder.path().join("record.jsonl");
    let source = Source::Files { path: data };
    let look = || {
        look(
            &place.endpoint(),
            &inputs(),
            LookRequest {
                wanted: Wanted::default(),
                source: &source,
                record: &record,
                n_rounds: 2,
            },
            &place.settings(&no_environment),
            &|_| (),
        )
    };
    let looks = look().unwrap();
    let round = |shift: f64| -> Vec<Answer> {
        (0..3).map(|id| Answer::Number(score(id) + shift)).collect()
    };
    assert_eq!(looks[0].rounds, [round(0.0), round(0.0)]);
    // Another version than declared is what the record is for.
    assert_eq!(looks[0].version.as_deref(), Some("3"));
    // The second look: one request is repeated, then one fails twice. The record stays as it was.
    let kept = std::fs::read(&record).unwrap();
    assert!(look().unwrap_err().is_inconclusive());
    assert_eq!(std::fs::read(&record).unwrap(), kept);
    is_new.store(true, Ordering::SeqCst);
    let looks = look().unwrap();
    assert_eq!(looks.len(), 2);
    assert_eq!(looks[1].rounds, [round(1.0), round(1.0)]);
    let text = std::fs::read_to_string(&record).unwrap();
    assert_eq!(text.lines().count(), looks.len() + 1);
    assert_eq!(
        text.lines()
            .next()
            .map(|line| line.contains(CANARIES_SCHEMA)),
        Some(true)
    );
}

/// Asks an endpoint about the rows of a source, and gives its answers with what was read; see the head of this module.
///
/// `wanted` says which rows count and what means unknown; its columns are set by the inputs.
fn ask_source(
    endpoint: &Endpoint,
    inputs: &[Input],
    wanted: Wanted,
    source: &Source,
    answers_file: &Path,
    settings: &AskSettings<'_>,
    progress: &dyn Fn(Progress),
) -> Result<(Answered, DataStamp), ProbeError> {
    let (asked, data) = look::read(inputs, wanted, source, progress)?;
    let file = AnswersFile {
        path: answers_file.to_owned(),
        data_sha256: data.sha256.clone(),
    };
    let answered = ask(endpoint, inputs, &asked, &file, settings, progress)?;
    Ok((answered, data))
}
