//! Witnesses, as people use them: a company's journal, cosigned by others.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::dossier;
use alnager_journal::merkle::{Tree, leaf_hash};
use alnager_journal::note::{KeyKind, SigningKey};
use alnager_journal::witness::Request;

use serde_json::Value;

use crate::{Place, Ran, copy};

/// The key of another log: the example of C2SP `signed-note`.
const OTHER_LOG: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// A witness that serves at a free port, until it is stopped or dropped.
pub(crate) struct Serving {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Serving {
    pub(crate) fn start(place: &Place, dir: &str) -> Serving {
        let arguments = ["witness", "serve", dir, "--listen", "127.0.0.1:0"];
        let mut command = place.command(&arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let url = first.trim_end().strip_prefix("listening at ").unwrap();
        Serving {
            url: url.to_owned(),
            child,
            lines,
        }
    }

    /// Interrupts it, as ctrl-c does; gives its exit code and what else it printed.
    pub(crate) fn stop(mut self) -> (Option<i32>, Vec<String>) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let code = self.child.wait().unwrap().code();
        let lines = self.lines.by_ref().lines().map(Result::unwrap);
        (code, lines.collect())
    }

    /// Ends it without asking.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn key(ran: &Ran) -> String {
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim_end().to_owned()
}

/// Makes a witness that knows the desk's log, and puts it on the desk's list; gives its key.
fn witness(place: &Place, name: &str) -> (Serving, String) {
    let vkey = key(&place.run(&[
        "witness",
        "init",
        name,
        "--name",
        &format!("{name}.example/w"),
    ]));
    let log = key(&place.run(&["desk", "key"]));
    assert_eq!(place.run(&["witness", "add", name, &log]).code, 0);
    let serving = Serving::start(place, name);
    let added = place.run(&["journal", "witness", "add", &serving.url, &vkey]);
    assert_eq!(added.code, 0, "{}", added.err);
    (serving, vkey)
}

/// Submits, asking no proxy; gives the exit code and what was printed as JSON.
#[track_caller]
fn submit(place: &Place, more: &[&str]) -> (i32, Value) {
    let arguments = [&["journal", "submit", "--format", "json"], more].concat();
    let ran = crate::ran(
        place
            .command(&arguments)
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap(),
    );
    assert!([0, 1].contains(&ran.code), "{}{}", ran.out, ran.err);
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

fn grow(place: &Place, what: &str) {
    let open = [
        "task",
        "open",
        "--what",
        what,
        "--why",
        "a test",
        "--due",
        "2027-01-01",
    ];
    let ran = place.run(&open);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

fn problem(submitted: &Value, at: usize) -> String {
    submitted["witnesses"][at]["problem"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_journal_is_cosigned_as_it_grows_and_an_older_copy_is_found_out() {
    let place = Place::with("credit");
    place.review(&[]);
    let unlisted = place.run(&["journal", "submit"]);
    assert_eq!(unlisted.code, 2, "{}", unlisted.out);
    let (one, one_key) = witness(&place, "one");
    let (two, two_key) = witness(&place, "two");

    let (code, first) = submit(&place, &[]);
    assert_eq!(code, 0, "{first}");
    let older = place.path("older");
    copy(&place.path(".alnager"), &older);
    grow(&place, "compare");
    let (code, second) = submit(&place, &[]);
    assert_eq!(code, 0, "{second}");
    let list = place.run(&["journal", "witness", "list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list.out).unwrap();
    assert_eq!(list["anchored"]["size"], second["size"], "{list}");
    assert_eq!(
        second["size"].as_u64(),
        first["size"].as_u64().map(|size| size + 1)
    );
    // The log's line, and one by each witness.
    let checkpoint = second["checkpoint"].as_str().unwrap();
    assert_eq!(checkpoint.matches("\n\u{2014} ").count(), 3, "{checkpoint}");
    let log = key(&place.run(&["desk", "key"]));
    let any = format!(
        "log {log}\nwitness one {one_key}\nwitness two {two_key}\ngroup g any one two\nquorum g\n"
    );
    place.write("any.policy", &any);
    place.write("both.policy", any.replace(" any ", " all "));
    place.write("other.policy", any.replace(&log, OTHER_LOG));

    // A second server on the same folder is refused; then one of the two witnesses is gone.
    let again = place.run(&["witness", "serve", "two", "--listen", "127.0.0.1:0"]);
    assert_eq!(again.code, 2, "{}", again.out);
    let (code, lines) = two.stop();
    assert_eq!(code, Some(0));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.starts_with("cosigned ")),
        "{lines:?}"
    );
    grow(&place, "compare again");
    let (code, third) = submit(&place, &[]);
    assert_eq!(
        (code, third["enough"].as_bool()),
        (1, Some(false)),
        "{third}"
    );
    assert!(
        problem(&third, 1).starts_with("it could not be asked"),
        "{third}"
    );
    assert_eq!(submit(&place, &["--policy", "any.policy"]).0, 0);
    assert_eq!(submit(&place, &["--policy", "both.policy"]).0, 1);
    let unlisted = place.run(&["journal", "submit", "--policy", "other.policy"]);
    assert_eq!(unlisted.code, 2, "{}", unlisted.out);

    // Back again, killed, and back: it remembers, and both are enough.
    Serving::start(&place, "two").kill();
    let two = Serving::start(&place, "two");
    assert_eq!(
        place
            .run(&["journal", "witness", "remove", "two.example/w"])
            .code,
        0
    );
    let added = place.run(&["journal", "witness", "add", &two.url, &two_key]);
    assert_eq!(added.code, 0, "{}", added.err);
    assert_eq!(submit(&place, &["--policy", "both.policy"]).0, 0);

    // An older copy of the whole desk is consistent in itself; the witnesses know better.
    let list = place.read(".alnager/witnesses.policy");
    std::fs::rename(place.path(".alnager"), place.path("newer")).unwrap();
    std::fs::rename(&older, place.path(".alnager")).unwrap();
    place.write(".alnager/witnesses.policy", list);
    let (code, rolled_back) = submit(&place, &[]);
    assert_eq!(code, 1);
    for at in [0, 1] {
        assert!(
            problem(&rolled_back, at).contains("an OLDER COPY of the desk is in use"),
            "{rolled_back}"
        );
    }
    for n in 1..4 {
        grow(&place, &format!("another history {n}"));
    }
    let (code, forked) = submit(&place, &[]);
    assert_eq!(code, 1);
    for at in [0, 1] {
        assert!(problem(&forked, at).contains("ANOTHER HISTORY"), "{forked}");
    }
    drop(one);
}

/// Draws a dossier; gives what was printed as JSON.
#[track_caller]
fn draw(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[&["dossier", "credit", "--format", "json"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn verify(place: &Place, file: &str, more: &[&str]) -> (i32, Value) {
    let ran = place.run(&[&["verify", file, "--format", "json"], more].concat());
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

/// Writes a dossier anew with other lines under its checkpoint.
fn resign(place: &Place, from: &str, to: &str, lines: impl Fn(&str) -> String) {
    let bytes = std::fs::read(place.path(from)).unwrap();
    let mut read = dossier::read(&bytes, dossier::Limits::default()).unwrap();
    let checkpoint = lines(&read.checkpoint.to_string());
    read.checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).unwrap();
    std::fs::write(place.path(to), dossier::write(&read).unwrap()).unwrap();
}

#[test]
fn a_dossier_carries_what_witnesses_have_signed() {
    let place = Place::with("credit");
    place.review(&[]);
    let (_one, one_key) = witness(&place, "one");
    let (_two, two_key) = witness(&place, "two");
    let never = key(&place.run(&["witness", "init", "third", "--name", "third.example/w"]));
    let log = key(&place.run(&["desk", "key"]));
    let policy = format!("log {log}\nwitness one {one_key}\nwitness two {two_key}\n");
    place.write(
        "both.policy",
        format!("{policy}group g all one two\nquorum g\n"),
    );
    let more = format!("{policy}witness third {never}\ngroup g all one two third\nquorum g\n");
    place.write("three.policy", more);
    let both = ["--policy", "both.policy"];

    let refused = place.run(&["dossier", "credit", "--cosigned"]);
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(
        refused.err.contains("no witness has cosigned"),
        "{}",
        refused.err
    );
    // Submitted often, it keeps the latest line of each witness.
    for _ in 0..3 {
        assert_eq!(submit(&place, &[]).0, 0);
    }
    let drawn = draw(&place, &["--out", "now.alnager"]);
    let witnesses = serde_json::json!(["one.example/w", "two.example/w"]);
    assert_eq!(drawn["witnesses"], witnesses, "{drawn}");
    let (code, found) = verify(&place, "now.alnager", &both);
    assert_eq!(code, 0, "{found}");
    assert_eq!(found["witnesses"][1]["name"], "two", "{found}");
    let (code, found) = verify(&place, "now.alnager", &["--policy", "three.policy"]);
    assert_eq!(code, 1, "{found}");
    let words = found["refused"].as_str().unwrap();
    assert!(
        words.ends_with(
            "`2` witnesses have cosigned, and these that the quorum counts have not: `third`"
        ),
        "{words}"
    );
    let (code, found) = verify(&place, "now.alnager", &[]);
    assert_eq!((code, &found["unchecked"]), (0, &witnesses), "{found}");

    // Another's line is ignored, as the rules of signed notes have it; one that does not fit its witness spoils the note.
    let stranger = SigningKey::new("stranger.example/w", &[9; 32]).unwrap();
    resign(&place, "now.alnager", "more.alnager", |note| {
        format!("{note}{}\n", stranger.cosign("another text\n", 7))
    });
    let (code, found) = verify(&place, "more.alnager", &both);
    assert_eq!(code, 0, "{found}");
    assert_eq!(found["unchecked"][0], "stranger.example/w");
    resign(&place, "now.alnager", "bad.alnager", |note| {
        let (before, after) = note.split_at(note.rfind("two.example/w").unwrap() + 40);
        let swapped = if after.starts_with('A') { "B" } else { "A" };
        format!("{before}{swapped}{}", &after[1..])
    });
    let (code, found) = verify(&place, "bad.alnager", &both);
    assert_eq!(code, 1, "{found}");
    assert!(
        found["refused"]
            .as_str()
            .unwrap()
            .contains("do not satisfy the policy"),
        "{found}"
    );
    assert_eq!(verify(&place, "bad.alnager", &["--key", &log]).0, 0);

    // The journal goes on: what is drawn now nobody has cosigned, and the dossier of before is drawn again.
    grow(&place, "compare");
    let last = draw(&place, &["--out", "last.alnager"]);
    assert_eq!(last["witnesses"], serde_json::json!([]));
    let (code, found) = verify(&place, "last.alnager", &both);
    let words = found["refused"].as_str().unwrap_or_default();
    assert!(
        code == 1 && words.contains("have not: `one`, `two`"),
        "{found}"
    );
    let earlier = draw(&place, &["--cosigned", "--out", "earlier.alnager"]);
    assert_eq!(
        (&earlier["size"], &earlier["witnesses"]),
        (&drawn["size"], &witnesses)
    );
    assert_eq!(
        earlier["entries"].as_u64(),
        earlier["size"].as_u64().map(|n| n + 1)
    );
    assert_eq!(verify(&place, "earlier.alnager", &both).0, 0);
    let words = place.run(&["dossier", "credit", "--cosigned"]).out;
    assert!(
        words.contains("1 more were entered since, of which this file says nothing"),
        "{words}"
    );
    let again = place.run(&["dossier", "credit", "--cosigned"]);
    assert_eq!(again.code, 2, "an existing file is kept");

    // An entry about the system that no witness has seen.
    let open = [
        "task",
        "open",
        "--what",
        "see",
        "--why",
        "a test",
        "--due",
        "2027-01-01",
        "--system",
        "credit",
    ];
    assert_eq!(place.run(&open).code, 0);
    let refused = place.run(&["dossier", "credit", "--cosigned", "--out", "none.alnager"]);
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(
        refused.err.contains("is about `credit`, too"),
        "{}",
        refused.err
    );
}

#[test]
fn the_parts_of_witnessing_say_what_is_wrong() {
    let place = Place::with("credit");
    place.review(&[]);
    let vkey = key(&place.run(&["witness", "init", "one", "--name", "one.example/w"]));
    let refused = |arguments: &[&str], want: &str| {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains(want), "{}", ran.err);
    };
    refused(
        &["witness", "init", "one", "--name", "one.example/w"],
        "never overwritten",
    );
    refused(&["witness", "add", "one", &vkey], "key of a witness");
    refused(
        &["witness", "serve", "nowhere"],
        "there is no witness in `nowhere`",
    );
    refused(
        &["witness", "serve", "one", "--listen", "somewhere"],
        "cannot be listened at",
    );
    refused(
        &["journal", "witness", "add", "one.example", &vkey],
        "is no address",
    );
    refused(
        &["journal", "witness", "remove", "one"],
        "no witness `one` is listed",
    );
    refused(
        &["journal", "witness", "list", "--desk", "nowhere"],
        "there is no desk",
    );

    let log = key(&place.run(&["desk", "key"]));
    let listed = |arguments: &[&str]| -> Value {
        let ran = place.run(&[arguments, &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    };
    // A log that the witness does not know yet, and then does, while it serves.
    let serving = Serving::start(&place, "one");
    place.run(&["journal", "witness", "add", &serving.url, &vkey]);
    let (code, unknown) = submit(&place, &[]);
    assert_eq!(code, 1);
    assert!(
        problem(&unknown, 0).contains("does not know this log"),
        "{unknown}"
    );
    place.run(&["witness", "add", "one", &log]);
    assert_eq!(
        listed(&["witness", "list", "one"])["logs"][0]["size"],
        Value::Null
    );
    assert_eq!(submit(&place, &[]).0, 0);
    let known = listed(&["witness", "list", "one"]);
    assert_eq!(
        (&known["key"], &known["logs"][0]["key"]),
        (&vkey.into(), &log.into())
    );
    assert!(known["logs"][0]["size"].as_u64() > Some(1), "{known}");
    assert_eq!(
        listed(&["journal", "witness", "list"])["witnesses"][0]["url"],
        serving.url.as_str()
    );
    assert!(Path::new(&place.path("one/witness.key")).exists());
}

/// A log that grows by one entry with each checkpoint it submits, over a connection of its own.
struct Log {
    key: SigningKey,
    tree: Tree,
}

impl Log {
    fn new() -> Log {
        Log {
            key: SigningKey::new("example.org/log", &[1; 32]).unwrap(),
            tree: Tree::new(),
        }
    }

    /// The status of the answer; `None` when there was none.
    fn submit(&self, address: &str, old: u64) -> Option<(u16, String)> {
        let (size, root) = (self.tree.size(), self.tree.root());
        let checkpoint = Checkpoint::new("example.org/log", size, root).unwrap();
        let request = Request {
            old,
            proof: self.tree.consistency_proof(old, size).unwrap(),
            checkpoint: SignedCheckpoint::sign(checkpoint, &[&self.key]).unwrap(),
        };
        let body = request.to_string();
        let head = format!(
            "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(address).ok()?;
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        Some((status, body.to_owned()))
    }
}

#[test]
fn a_witness_killed_again_and_again_forgets_nothing_it_cosigned() {
    let place = Place::new();
    let mut log = Log::new();
    let log_key = log.key.verifying_key(KeyKind::Ed25519).to_string();
    key(&place.run(&["witness", "init", "one", "--name", "one.example/w"]));
    assert_eq!(place.run(&["witness", "add", "one", &log_key]).code, 0);
    // The largest size that an answer has cosigned, and what the log believes the witness holds.
    let acknowledged = AtomicU64::new(0);
    let mut held = 0;
    for cycle in 0..25_u64 {
        let serving = Serving::start(&place, "one");
        let address = serving.url.strip_prefix("http://").unwrap().to_owned();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    log.tree.push(leaf_hash(&log.tree.size().to_be_bytes()));
                    match log.submit(&address, held) {
                        Some((200, _)) => {
                            held = log.tree.size();
                            acknowledged.store(held, Ordering::SeqCst);
                        }
                        // An answer was lost: the witness says what it holds, which the log has sent.
                        Some((409, size)) => {
                            held = size.trim_end().parse().unwrap();
                            assert!(held >= acknowledged.load(Ordering::SeqCst));
                            assert!(held < log.tree.size());
                        }
                        Some((status, body)) => panic!("{status}: {body}"),
                        None => break,
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(10 + 7 * cycle % 40));
            serving.kill();
        });
        let listed = place.run(&["witness", "list", "one", "--format", "json"]);
        let listed: Value = serde_json::from_str(&listed.out).unwrap();
        let size = listed["logs"][0]["size"].as_u64().unwrap_or(0);
        assert!(
            size >= acknowledged.load(Ordering::SeqCst),
            "cycle {cycle}: {listed}"
        );
    }
    assert!(acknowledged.load(Ordering::SeqCst) > 25, "{acknowledged:?}");
}
