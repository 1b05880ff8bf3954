//! A vendor's model, asked over HTTP: its canary rows again and again, and what is said of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::guide::words;
use crate::{Place, Ran, copy, examples, ran};

const KEY: &str = "vendor-key-0123456789";

/// How the vendor behaves; a test changes it while the server runs.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Honest,
    /// Another model under the same version.
    Silent,
    /// Another model, which says so.
    Announced,
    /// Another answer every time.
    Noisy,
    Down,
    /// Down after so many requests.
    Failing(u64),
}

/// A server that answers as `examples/vendor/server.py` does, with another model.
struct Vendor {
    url: String,
    way: Arc<Mutex<Way>>,
    /// Rows it was asked about.
    n_rows: Arc<AtomicU64>,
}

/// A server on this machine, told of each request's head, in lower case, and its body; gives its address.
pub(crate) fn serve(
    mut answer: impl FnMut(&str, &[u8]) -> (u16, Value) + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length = length.map_or(0, |length| length.trim().parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let (status, answer) = answer(&head, &body);
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                answer.len()
            );
            // Who does not want the answer may hang up.
            let _ = stream.write_all(format!("{head}{answer}").as_bytes());
        }
    });
    url
}

impl Vendor {
    fn start() -> Vendor {
        let way = Arc::new(Mutex::new(Way::Honest));
        let n_rows = Arc::new(AtomicU64::new(0));
        let (own, told, n_answers) = (Arc::clone(&way), Arc::clone(&n_rows), AtomicU64::new(0));
        let url = serve(move |head, body| {
            let mut way = own.lock().unwrap();
            if !head.contains(&format!("bearer {KEY}")) {
                return (401, json!({ "error": "no such key" }));
            }
            if let Way::Failing(left) = &mut *way {
                match left.checked_sub(1) {
                    Some(fewer) => *left = fewer,
                    None => *way = Way::Down,
                }
            }
            if *way == Way::Down {
                return (503, json!({ "error": "down" }));
            }
            let body: Value = serde_json::from_slice(body).unwrap();
            let n = body["rows"].as_array().unwrap().len() as u64;
            told.fetch_add(n, Ordering::Relaxed);
            (200, answer(&body, *way, &n_answers))
        });
        Vendor { url, way, n_rows }
    }

    fn behave(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }
}

fn answer(body: &Value, way: Way, n_answers: &AtomicU64) -> Value {
    let rows = body["rows"].as_array().unwrap();
    let scores = rows.iter().map(|row| {
        let text = format!("{}{}", row["purpose"], row["amount_band"]);
        let score = text.bytes().map(u64::from).sum::<u64>() as f64 / 1e4;
        let n = n_answers.fetch_add(1, Ordering::Relaxed) as f64;
        let score = match way {
            Way::Honest | Way::Down | Way::Failing(_) => score,
            Way::Silent | Way::Announced => score * 0.5,
            Way::Noisy => score + 1e-3 * (n * 1.7).sin(),
        };
        json!({ "score": score })
    });
    let version = if way == Way::Announced {
        "2026.2"
    } else {
        "2026.1"
    };
    json!({ "version": version, "scores": scores.collect::<Vec<_>>() })
}

/// The declared system of the example, at the address of a server.
fn place(vendor: &Vendor) -> Place {
    let place = Place::with("vendor");
    place.edit("http://127.0.0.1:8077", &vendor.url);
    place.edit("per_second = 50\n", "");
    place
}

fn look(place: &Place, more: &[&str], key: Option<&str>) -> Ran {
    let arguments = [
        &[
            "audit",
            "canary",
            "--system",
            "system",
            "--record",
            "canaries.jsonl",
        ],
        more,
    ]
    .concat();
    let mut command = place.command(&arguments);
    command
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("VENDOR_KEY");
    if let Some(key) = key {
        command.env("VENDOR_KEY", key);
    }
    let ran = ran(command.output().unwrap());
    assert!(
        !ran.out.contains(KEY) && !ran.err.contains(KEY),
        "{}{}",
        ran.out,
        ran.err
    );
    ran
}

#[track_caller]
fn check(ran: &Ran, code: i32, words: &str) {
    let all = format!("{}{}", ran.out, ran.err);
    let one_line = all.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ran.code, code, "{all}");
    assert!(one_line.contains(words), "`{words}` is not in: {all}");
}

#[test]
fn a_silent_change_of_a_vendor_s_model_is_seen() {
    let vendor = Vendor::start();
    let place = place(&vendor);
    check(
        &look(&place, &[], Some(KEY)),
        0,
        "Reference: nothing to compare with yet",
    );
    check(
        &look(&place, &[], Some(KEY)),
        0,
        "Alike: nothing has changed that could be seen",
    );
    vendor.behave(Way::Silent);
    let ran = look(&place, &[], Some(KEY));
    check(
        &ran,
        1,
        "Changed: the model behind the address is not the one it was",
    );
    check(&ran, 1, "20 of 20 rows were answered otherwise");
    check(&look(&place, &[], Some(KEY)), 0, "Alike");
    vendor.behave(Way::Announced);
    check(
        &look(&place, &[], Some(KEY)),
        1,
        "the version stated was 2026.1 at the look before",
    );
    let ran = look(&place, &["--format", "json"], Some(KEY));
    let figures: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(figures["has_changed"], false);
    assert_eq!(figures["looks"].as_array().unwrap().len(), 6);
    assert_eq!(figures["fingerprint"].as_str().unwrap().len(), 64);
    let record = place.read("canaries.jsonl");
    assert!(
        record.starts_with("{\"schema\":\"alnager.canaries/1\""),
        "{record}"
    );
    assert!(
        record.lines().count() == 7 && !record.contains(KEY),
        "{record}"
    );
}

#[test]
fn noise_alone_is_no_change() {
    let vendor = Vendor::start();
    vendor.behave(Way::Noisy);
    let place = place(&vendor);
    check(
        &look(&place, &[], Some(KEY)),
        0,
        "Reference: nothing to compare with yet",
    );
    for _ in 0..2 {
        check(
            &look(&place, &[], Some(KEY)),
            0,
            "with a chance of at most 0.05, however often one looks",
        );
    }
    let ran = look(&place, &["--format", "json"], Some(KEY));
    let figures: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&figures["is_deterministic"], &figures["fingerprint"]),
        (&json!(false), &Value::Null)
    );
    assert!(
        figures["power"]["seen_by_look"][4].as_f64().unwrap() > 0.5,
        "{figures}"
    );
}

#[test]
fn a_vendor_that_is_down_is_inconclusive_and_a_wrong_key_is_not() {
    let vendor = Vendor::start();
    let place = place(&vendor);
    place.edit("retries = 2", "retries = 0");
    vendor.behave(Way::Down);
    let ran = look(&place, &["--format", "json"], Some(KEY));
    check(
        &ran,
        3,
        "inconclusive after 0 of 200 rows: it did not answer 1 times in a row",
    );
    let error: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(error["exit"], 3);
    check(
        &look(&place, &[], None),
        2,
        "`VENDOR_KEY`, which holds the secret, is not set",
    );
    check(
        &look(&place, &[], Some("another-key-9876")),
        2,
        "status 401",
    );
    assert_eq!(place.read("canaries.jsonl").lines().count(), 1);
    vendor.behave(Way::Honest);
    check(&look(&place, &[], Some(KEY)), 0, "Reference");
    // The record belongs to these canary rows.
    place.edit("canaries = 20", "canaries = 7");
    check(&look(&place, &[], Some(KEY)), 2, "belongs to another");
    check(
        &look(&place, &["--audit", "approval-by-sex"], Some(KEY)),
        2,
        "has no audit `approval-by-sex`",
    );
}

/// Ctrl-C while a service is asked: what is under way is kept, and the next run goes on where it ended.
#[cfg(unix)]
#[test]
fn an_interrupted_review_goes_on_where_it_ended() {
    let vendor = Vendor::start();
    let place = place(&vendor);
    place.edit("canaries = 20", "canaries = 20\nper_second = 8");
    let review = || {
        let mut command = place.command(&["review", "system", "--known", "2026-11-23"]);
        command.env("NO_PROXY", "127.0.0.1").env("VENDOR_KEY", KEY);
        command
    };
    let running = review()
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let answers = place.path("system/approval-by-age.answers.jsonl");
    let n_lines = || std::fs::read_to_string(&answers).map_or(0, |text| text.lines().count());
    while n_lines() < 4 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let stopped = std::process::Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    let ended = ran(running.wait_with_output().unwrap());
    check(&ended, 3, "inconclusive after");
    assert!(!place.path(".alnager").exists());
    let before = vendor.n_rows.load(Ordering::Relaxed);
    place.edit("\nper_second = 8", "");
    let ended = ran(review().output().unwrap());
    assert!([1, 3].contains(&ended.code), "{}", ended.err);
    assert!(place.path(".alnager").exists(), "{}", ended.err);
    let after = vendor.n_rows.load(Ordering::Relaxed);
    assert!(before >= 20 && after > before, "{before} {after}");
    // 24 rows beside the canaries; those are asked twice at first, once when a run goes on, once at its end.
    assert!(after <= 24 + 20 * 5, "{before} {after}");
}

/// The guide, word for word; its vendor is played by the server of these tests at a free port.
#[test]
fn the_audit_of_a_vendor_can_be_followed_word_for_word() {
    let vendor = Vendor::start();
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let declared = place.read("examples/vendor/system.toml");
    let declared = declared.replace("http://127.0.0.1:8077", &vendor.url);
    place.write("examples/vendor/system.toml", declared);
    let guide = examples().join("../docs/guide/audit-a-vendor.md");
    let (mut n_looks, mut n_reviews) = (0, 0);
    for line in std::fs::read_to_string(guide).unwrap().lines() {
        if line.starts_with("python3 examples/vendor/server.py") {
            vendor.behave(match line {
                _ if line.contains("--release silent") => Way::Silent,
                _ if line.contains("--fail-after 12") => Way::Failing(12),
                _ => Way::Honest,
            });
        }
        if line.starts_with("alnager audit canary") || line.starts_with("alnager review") {
            let (command, code) = line.split_once("    # exit ").unwrap();
            let arguments = words(command);
            let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
            let mut command = place.command(&arguments);
            let ran = ran(command.env("VENDOR_KEY", KEY).output().unwrap());
            // The vendor of these tests has another model, so its verdict is another one.
            let is_judged = line.starts_with("alnager review") && n_reviews == 1;
            assert!(
                ran.code.to_string() == code || is_judged,
                "{line}\n{}{}",
                ran.out,
                ran.err
            );
            if !line.starts_with("alnager review") {
                n_looks += 1;
                continue;
            }
            n_reviews += 1;
            let said = format!("{}{}", ran.out, ran.err);
            let is_first = n_reviews == 1;
            assert_eq!(said.contains("inconclusive after"), is_first, "{said}");
            // Nothing is sealed until everything is answered.
            assert_eq!(place.path(".alnager").exists(), !is_first);
        }
    }
    assert_eq!((n_looks, n_reviews), (3, 2));
    // 44 rows have different inputs, 20 of them are canaries: asked twice before the rows, once when the run goes on, once at its
    // end; a look asks them ten times. No other row is asked twice.
    assert_eq!(
        vendor.n_rows.load(Ordering::Relaxed),
        44 + 20 * (2 + 1 + 1) + 3 * 10 * 20
    );
}
