#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::merkle::{Hash, Tree, leaf_hash};
use alnager_journal::note::{KeyKind, SigningKey, VerifyingKey};
use alnager_journal::policy::Policy;
use alnager_journal::witness::{Cosignature, REQUEST_LEN_MAX, Refusal, Request, SIZE_MEDIA_TYPE};
use expect_test::{Expect, expect};
use tokio::sync::oneshot;

use super::ask::{AskError, Asked, ask};
use super::folder::{self, Witness};
use super::listed::{self, Listed};
use super::serve::{self, Happened, Limits};
use super::submit::settle;
use super::system_clock;
use crate::verify::with_causes;

const LOG: &str = "example.org/log";
const PATIENCE: Duration = Duration::from_secs(20);

/// A log whose entries are these bytes, one each.
struct Log {
    key: SigningKey,
    tree: Tree,
}

impl Log {
    fn new(origin: &str, seed: u8, entries: &[u8]) -> Log {
        Log {
            key: SigningKey::new(origin, &[seed; 32]).unwrap(),
            tree: entries.iter().map(|entry| leaf_hash(&[*entry])).collect(),
        }
    }

    fn vkey(&self) -> VerifyingKey {
        self.key.verifying_key(KeyKind::Ed25519)
    }

    fn checkpoint(&self) -> SignedCheckpoint {
        let (size, root) = (self.tree.size(), self.tree.root());
        let checkpoint = Checkpoint::new(self.vkey().name(), size, root).unwrap();
        SignedCheckpoint::sign(checkpoint, &[&self.key]).unwrap()
    }

    fn request(&self, old: u64) -> Vec<u8> {
        let request = Request {
            old,
            proof: self.prove(old),
            checkpoint: self.checkpoint(),
        };
        request.to_string().into_bytes()
    }

    fn prove(&self, old: u64) -> Vec<Hash> {
        self.tree.consistency_proof(old, self.tree.size()).unwrap()
    }

    /// Asks witnesses, with the system's clock.
    fn ask(&self, witnesses: &[Listed], patience: Duration) -> Vec<Asked> {
        let runtime = runtime();
        let prove = async |old| Ok(self.prove(old));
        let checkpoint = self.checkpoint();
        let asked = ask(
            &checkpoint,
            witnesses,
            patience,
            system_clock,
            &|_| None,
            prove,
        );
        runtime.block_on(asked).unwrap()
    }

    /// Shows what each witness answered.
    #[track_caller]
    fn check(&self, witnesses: &[Listed], want: Expect) {
        let asked = self.ask(witnesses, PATIENCE);
        let shown = asked.iter().map(|asked| match &asked.answer {
            Ok(cosignature) => {
                let line = vec![cosignature.line.clone()];
                let cosigned = self.checkpoint().with(line).unwrap();
                let key = std::slice::from_ref(&asked.witness.key);
                assert!(cosigned.note().verify(key).is_ok());
                assert!(cosignature.unix_s.abs_diff(system_clock()) < 60);
                format!("{}: cosigned {}\n", asked.witness.name, self.tree.size())
            }
            Err(error) => format!("{}: {}\n", asked.witness.name, with_causes(error)),
        });
        want.assert_eq(&shown.collect::<String>());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A new witness's folder that knows this log.
fn folder(dir: &Path, name: &str, log: &Log) {
    folder::init(dir, name).unwrap();
    folder::add(dir, &log.vkey().to_string()).unwrap();
}

/// A witness that serves at a free port until it is dropped.
struct Running {
    listed: Listed,
    happened: Arc<Mutex<Vec<Happened>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(dir: &Path, limits: Limits) -> Running {
        let witness = Witness::open(dir).unwrap();
        let key = witness.key();
        let (stop, stopped) = oneshot::channel::<()>();
        let (send, address) = std::sync::mpsc::channel();
        let happened = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&happened);
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let (listener, address) = serve::bind("127.0.0.1:0").await.unwrap();
                send.send(address).unwrap();
                let tell = move |event| told.lock().unwrap().push(event);
                let stop = async move { drop(stopped.await) };
                serve::serve(witness, listener, limits, system_clock, tell, stop)
                    .await
                    .unwrap();
            });
        });
        let listed = Listed {
            name: key.name().to_owned(),
            key,
            url: format!("http://{}", address.recv().unwrap()),
        };
        Running {
            listed,
            happened,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn address(&self) -> &str {
        self.listed.url.strip_prefix("http://").unwrap()
    }

    /// Sends bytes over a connection of its own, and gives all that comes back until the witness closes it.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut back = Vec::new();
        // A connection that is reset has said all it will say.
        let _ = stream.read_to_end(&mut back);
        String::from_utf8(back).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A server that gives every request the same answer, made of the request, until the test ends; an empty one leaves it hanging.
fn answering(name: &str, seed: u8, answer: impl Fn(&str) -> String + Send + 'static) -> Listed {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut hanging = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut part = [0; 4096];
            // Our requests end with the log's signature line.
            while !(String::from_utf8_lossy(&bytes).contains("\n\u{2014} ")
                && bytes.ends_with(b"\n"))
            {
                let n = stream.read(&mut part).unwrap();
                bytes.extend_from_slice(&part[..n]);
            }
            let text = answer(&String::from_utf8(bytes).unwrap());
            stream.write_all(text.as_bytes()).unwrap();
            if text.is_empty() {
                hanging.push(stream);
            }
        }
    });
    let key = SigningKey::new(name, &[seed; 32]).unwrap();
    Listed {
        name: name.to_owned(),
        key: key.verifying_key(KeyKind::Cosignature),
        url,
    }
}

fn http(status: &str, media_type: &str, body: &str) -> String {
    let len = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[test]
fn two_witnesses_cosign_a_log_that_grows() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    let witnesses = ["one", "two"].map(|name| {
        folder(&place.path().join(name), &format!("{name}.example/w"), &log);
        Running::start(&place.path().join(name), Limits::default())
    });
    let listed = [witnesses[0].listed.clone(), witnesses[1].listed.clone()];
    log.check(
        &listed,
        expect![[r#"
        one.example/w: cosigned 3
        two.example/w: cosigned 3
    "#]],
    );
    // The same again, and once more after it grew.
    log.check(
        &listed[..1],
        expect![[r#"
        one.example/w: cosigned 3
    "#]],
    );
    let grown = Log::new(LOG, 1, b"abcdefgh");
    grown.check(
        &listed,
        expect![[r#"
        one.example/w: cosigned 8
        two.example/w: cosigned 8
    "#]],
    );

    // Both cosignatures together satisfy a policy that asks for both.
    let lines = grown
        .ask(&listed, PATIENCE)
        .into_iter()
        .map(|asked| asked.answer.unwrap().line);
    let cosigned = grown.checkpoint().with(lines.collect()).unwrap();
    let policy = format!(
        "log {}\nwitness one {}\nwitness two {}\ngroup both all one two\nquorum both\n",
        log.vkey(),
        listed[0].key,
        listed[1].key
    );
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    assert_eq!(policy.accept(&cosigned).unwrap().witnesses.len(), 2);
    assert!(policy.accept(&grown.checkpoint()).is_err());

    let happened = witnesses[1].happened.lock().unwrap();
    let sizes = happened.iter().map(|happened| match happened {
        Happened::Cosigned { origin, size } if origin == LOG => *size,
        other => panic!("{other:?}"),
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [3, 8, 8]);
}

#[test]
fn a_log_that_goes_back_forks_or_is_unknown_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abcde");
    folder(place.path(), "one.example/w", &log);
    let witness = Running::start(place.path(), Limits::default());
    let listed = [witness.listed.clone()];
    log.check(
        &listed,
        expect![[r#"
        one.example/w: cosigned 5
    "#]],
    );
    Log::new(LOG, 1, b"abc").check(&listed, expect![[r#"
        one.example/w: it has cosigned 5 entries and this journal has only 3: an OLDER COPY of the desk is in use; put the newer one back, and write nothing until then
    "#]]);
    Log::new(LOG, 1, b"abXdefg").check(&listed, expect![[r#"
        one.example/w: it holds ANOTHER HISTORY of this log (422): what it cosigned is not continued by this journal; find out which copy of the desk was used before, and write nothing until then
    "#]]);
    Log::new(LOG, 1, b"abXde").check(&listed, expect![[r#"
        one.example/w: it holds ANOTHER HISTORY of this log (422): what it cosigned is not continued by this journal; find out which copy of the desk was used before, and write nothing until then
    "#]]);
    Log::new(LOG, 9, b"abcdef").check(&listed, expect![[r#"
        one.example/w: it knows another key for this log (403); give its operator the key that `alnager desk key` prints
    "#]]);
    Log::new("example.org/other", 1, b"abcdef").check(&listed, expect![[r#"
        one.example/w: it does not know this log (404); give its operator the key that `alnager desk key` prints
    "#]]);
    // What it refused has left no trace, but for the operator's evidence.
    Log::new(LOG, 1, b"abcdef").check(
        &listed,
        expect![[r#"
        one.example/w: cosigned 6
    "#]],
    );
    let happened = witness.happened.lock().unwrap();
    let evidence = happened.iter().filter(|happened| matches!(happened, Happened::Inconsistent { request } if Request::parse(request.as_bytes()).is_ok()));
    assert_eq!(evidence.count(), 2);
}

#[test]
fn a_witness_that_lies_or_breaks_costs_its_own_line_only() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "honest.example/w", &log);
    let honest = Running::start(place.path(), Limits::default());
    let text = log.checkpoint().note().text().to_owned();
    let signer = |name: &str, seed| SigningKey::new(name, &[seed; 32]).unwrap();
    let ok = |line: &dyn std::fmt::Display| http("200 OK", "text/plain", &format!("{line}\n"));

    let another_text = ok(&signer("text.example/w", 11).cosign("another text\n", 5));
    let another_key = ok(&signer("key.example/w", 99).cosign(&text, 5));
    let another_name = ok(&signer("else.example/w", 12).cosign(&text, 5));
    let tomorrow = ok(&signer("clock.example/w", 15).cosign(&text, system_clock() + 86_400));
    let closed = Listed {
        url: "http://127.0.0.1:1".to_owned(),
        ..honest.listed.clone()
    };
    let listed = [
        answering("text.example/w", 11, move |_| another_text.clone()),
        answering("key.example/w", 12, move |_| another_key.clone()),
        answering("name.example/w", 12, move |_| another_name.clone()),
        answering("page.example/w", 13, |_| {
            http("200 OK", "text/html", "<html></html>\n")
        }),
        answering("bytes.example/w", 13, |_| "\u{1}\u{2}nonsense\n".repeat(9)),
        answering("long.example/w", 13, |_| {
            http("200 OK", "text/plain", &"x".repeat(1 << 20))
        }),
        answering("elsewhere.example/w", 13, |_| {
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
        }),
        answering("again.example/w", 13, |_| {
            http("409 Conflict", SIZE_MEDIA_TYPE, "2\n")
        }),
        answering("size.example/w", 13, |_| {
            http("409 Conflict", SIZE_MEDIA_TYPE, "many\n")
        }),
        honest.listed.clone(),
    ];
    log.check(&listed, expect![[r#"
        text.example/w: its cosignature does not fit this checkpoint; nothing was kept
        key.example/w: it answered without a cosignature by the key you gave for it; nothing was kept
        name.example/w: it answered without a cosignature by the key you gave for it; nothing was kept
        page.example/w: its answer cannot be read: a line is no signature; check its address
        bytes.example/w: it could not be asked; check network, address and proxy: protocol: http parse fail: invalid HTTP version
        long.example/w: its answer cannot be read: it is too long; check its address
        elsewhere.example/w: it answered 302; ask again later, or ask its operator
        again.example/w: it cosigned another checkpoint meanwhile; submit again
        size.example/w: its answer cannot be read: it holds no size; check its address
        honest.example/w: cosigned 3
    "#]]);
    let refused = log.ask(&[closed], PATIENCE);
    let words = with_causes(refused[0].answer.as_ref().unwrap_err());
    assert!(words.starts_with("it could not be asked"), "{words}");
    let ahead = answering("clock.example/w", 15, move |_| tomorrow.clone());
    let refused = log.ask(&[ahead], PATIENCE);
    let words = with_causes(refused[0].answer.as_ref().unwrap_err());
    assert!(words.ends_with("compare the two clocks"), "{words}");
}

#[test]
fn a_witness_that_hangs_is_waited_for_no_longer_than_said() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "honest.example/w", &log);
    let honest = Running::start(place.path(), Limits::default());
    let hanging = ["a.example/w", "b.example/w", "c.example/w"]
        .map(|name| answering(name, 13, |_| String::new()));
    let all: Vec<Listed> = hanging.into_iter().chain([honest.listed.clone()]).collect();
    let patience = Duration::from_secs(2);
    let start = Instant::now();
    let asked = log.ask(&all, patience);
    // All at the same time: three that hang cost one wait.
    assert!(start.elapsed() < 2 * patience, "{:?}", start.elapsed());
    for hung in &asked[..3] {
        let words = with_causes(hung.answer.as_ref().unwrap_err());
        assert_eq!(words, "it did not answer within 2 s; ask again later");
    }
    assert!(asked[3].answer.is_ok());
}

#[test]
fn a_cosignature_whose_answer_was_lost_is_given_when_asked_again() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "one.example/w", &log);
    // Kept, and then the process ends before it answers.
    let witness = Witness::open(place.path()).unwrap();
    drop(
        witness
            .add_checkpoint(&log.request(0), system_clock())
            .unwrap()
            .unwrap(),
    );
    drop(witness);

    let witness = Witness::open(place.path()).unwrap();
    let again = witness
        .add_checkpoint(&log.request(0), system_clock())
        .unwrap();
    assert_eq!(again.unwrap_err(), Refusal::OtherSize { size: 3 });
    let then = witness
        .add_checkpoint(&log.request(3), system_clock())
        .unwrap();
    assert_eq!(then.unwrap().size, 3);
    drop(witness);
    let running = Running::start(place.path(), Limits::default());
    log.check(
        std::slice::from_ref(&running.listed),
        expect![[r#"
        one.example/w: cosigned 3
    "#]],
    );
}

#[test]
fn what_cannot_be_kept_is_not_cosigned() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "one.example/w", &log);
    let witness = Witness::open(place.path()).unwrap();
    let hash = Hash::of(LOG.as_bytes()).to_string();
    let state = place.path().join("logs").join(&hash);
    // The file that is written first is a folder.
    let aside = state.join(format!(".checkpoint.{}.tmp", std::process::id()));
    std::fs::create_dir_all(&aside).unwrap();
    assert!(witness.add_checkpoint(&log.request(0), 1_000).is_err());
    assert_eq!(witness.checkpoint(&hash).unwrap(), None);
    std::fs::remove_dir(&aside).unwrap();
    assert!(
        witness
            .add_checkpoint(&log.request(0), 1_000)
            .unwrap()
            .is_ok()
    );

    // What a killed process left half-written is written over.
    let grown = Log::new(LOG, 1, b"abcd");
    std::fs::write(&aside, "example.org/log\n9").unwrap();
    assert!(
        witness
            .add_checkpoint(&log.request(3), 1_000)
            .unwrap()
            .is_ok()
    );
    std::fs::create_dir(&aside).unwrap();
    assert!(witness.add_checkpoint(&grown.request(3), 1_000).is_err());
    let kept = witness.checkpoint(&hash).unwrap().unwrap();
    assert!(kept.starts_with("example.org/log\n3\n"), "{kept}");
}

#[test]
fn of_requests_at_the_same_time_one_history_is_cosigned() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"");
    folder(place.path(), "one.example/w", &log);
    let witness = Witness::open(place.path()).unwrap();
    let mut history = Vec::new();
    for round in 0..20_u8 {
        // Eight forks of what was cosigned so far.
        let forks = [0, 1, 2, 3, 4, 5, 6, 7].map(|fork| [&history[..], &[fork]].concat());
        let won = std::thread::scope(|scope| {
            let threads = forks.each_ref().map(|entries| {
                scope.spawn(|| {
                    let request = Log::new(LOG, 1, entries).request(u64::from(round));
                    witness.add_checkpoint(&request, 1_000).unwrap().is_ok()
                })
            });
            threads.map(|thread| thread.join().unwrap())
        });
        let won: Vec<_> = forks.into_iter().zip(won).filter(|(_, won)| *won).collect();
        assert_eq!(won.len(), 1, "round {round}");
        history = won[0].0.clone();
    }
}

#[test]
fn a_witness_does_not_sign_an_earlier_instant() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "one.example/w", &log);
    let witness = Witness::open(place.path()).unwrap();
    let at = |now_s: u64, old: u64| {
        let answer = witness.add_checkpoint(&log.request(old), now_s).unwrap();
        let bytes = answer.unwrap().line.bytes()[..8].to_vec();
        u64::from_be_bytes(bytes.try_into().unwrap())
    };
    assert_eq!(at(5_000, 0), 5_000);
    assert_eq!(at(4_990, 3), 5_000);
    assert_eq!(at(5_010, 3), 5_010);
    let error = witness.add_checkpoint(&log.request(3), 1_000).unwrap_err();
    assert!(with_causes(&error).contains("set it right"), "{error}");
}

#[test]
fn one_process_at_a_time_serves_from_a_folder() {
    let place = tempfile::tempdir().unwrap();
    folder(place.path(), "one.example/w", &Log::new(LOG, 1, b""));
    let first = Witness::open(place.path()).unwrap();
    let error = Witness::open(place.path()).unwrap_err();
    assert!(with_causes(&error).contains("serves from"), "{error}");
    // Looking and adding are for everyone, meanwhile.
    let other = Log::new("example.org/other", 4, b"x");
    assert!(
        folder::add(place.path(), &other.vkey().to_string())
            .unwrap()
            .1
    );
    assert!(
        !folder::add(place.path(), &other.vkey().to_string())
            .unwrap()
            .1
    );
    assert!(
        first
            .add_checkpoint(&other.request(0), 7_000)
            .unwrap()
            .is_ok()
    );
    let (key, known) = folder::list(place.path()).unwrap();
    assert_eq!(key, first.key());
    let known: Vec<_> = known
        .iter()
        .map(|log| (log.key.name(), log.latest))
        .collect();
    assert_eq!(
        known,
        [(LOG, None), ("example.org/other", Some((1, 7_000)))]
    );
    drop(first);
    assert!(Witness::open(place.path()).is_ok());
}

#[test]
fn a_state_that_the_witness_did_not_write_stops_it() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "one.example/w", &log);
    let witness = Witness::open(place.path()).unwrap();
    assert!(
        witness
            .add_checkpoint(&log.request(0), 1_000)
            .unwrap()
            .is_ok()
    );
    let hash = Hash::of(LOG.as_bytes()).to_string();
    let file = place.path().join("logs").join(hash).join("checkpoint");
    let text = std::fs::read_to_string(&file).unwrap();
    for damaged in [
        String::new(),
        log.checkpoint().to_string(),
        text.replacen("\n3\n", "\n2\n", 1),
        text.replacen(LOG, "example.org/lag", 1),
        "x".repeat(2 << 20),
    ] {
        std::fs::write(&file, &damaged).unwrap();
        let grown = Log::new(LOG, 1, b"abcd");
        assert!(witness.add_checkpoint(&grown.request(3), 1_000).is_err());
    }
    drop(witness);
    assert!(Witness::open(place.path()).is_err());
    std::fs::write(&file, &text).unwrap();
    assert!(Witness::open(place.path()).is_ok());
}

#[test]
fn a_witness_is_made_once_and_its_key_is_its_own() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("new");
    let key = folder::init(&dir, "one.example/w").unwrap();
    assert_eq!(key.kind(), KeyKind::Cosignature);
    assert!(folder::init(&dir, "one.example/w").is_err());
    assert!(folder::init(&place.path().join("other"), "two words").is_err());
    let refused = |log: &str| with_causes(&folder::add(&dir, log).unwrap_err());
    assert!(refused("nonsense").contains("malformed"));
    assert!(refused(&key.to_string()).contains("key of a witness"));
    let secret = std::fs::read_to_string(dir.join("witness.key")).unwrap();
    let own = SigningKey::parse(secret.trim_end()).unwrap();
    let own = own.verifying_key(KeyKind::Ed25519).to_string();
    assert!(refused(&own).contains("signs nothing else"));
    assert!(Witness::open(&place.path().join("nowhere")).is_err());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join("witness.key"))), (0o700, 0o600));
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(dir.join("witness.key"), open).unwrap();
        assert!(Witness::open(&dir).is_err());
    }
}

#[test]
fn the_latest_checkpoint_is_there_for_everyone() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "one.example/w", &log);
    let witness = Running::start(place.path(), Limits::default());
    let hash = Hash::of(LOG.as_bytes());
    let get = |path: &str| {
        witness.send(
            format!("GET /{path}/checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
    };
    assert!(get(&hash.to_string()).starts_with("HTTP/1.1 404"));
    log.check(
        std::slice::from_ref(&witness.listed),
        expect![[r#"
        one.example/w: cosigned 3
    "#]],
    );
    let answer = get(&hash.to_string());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        head.contains("text/plain; charset=utf-8") && head.contains("no-cache"),
        "{head}"
    );
    let signed = SignedCheckpoint::parse(body.as_bytes()).unwrap();
    let known = [log.vkey(), witness.listed.key.clone()];
    assert_eq!(signed.note().verify(&known).unwrap().len(), 2);
    for other in [
        "",
        "..%2f..",
        &hash.to_string().to_uppercase(),
        &Hash::of(b"x").to_string(),
    ] {
        assert!(get(other).starts_with("HTTP/1.1 404"), "{other}");
    }
}

#[test]
fn a_request_is_bounded_in_length_and_time() {
    let place = tempfile::tempdir().unwrap();
    let log = Log::new(LOG, 1, b"abc");
    folder(place.path(), "one.example/w", &log);
    let limits = Limits {
        n_connections_max: 2,
        connection: Duration::from_secs(3),
        request: Duration::from_millis(500),
    };
    let witness = Running::start(place.path(), limits);
    let head = |len: usize| {
        format!(
            "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n"
        )
    };
    let body = "x".repeat(REQUEST_LEN_MAX + 1);
    let long = witness.send(format!("{}{body}", head(body.len())).as_bytes());
    assert!(long.starts_with("HTTP/1.1 413"), "{long}");
    let slow = witness.send(format!("{}old 0\n", head(100)).as_bytes());
    assert!(slow.starts_with("HTTP/1.1 408"), "{slow}");
    let nonsense = witness.send(format!("{}old 0\n", head(6)).as_bytes());
    assert!(nonsense.starts_with("HTTP/1.1 400"), "{nonsense}");
    assert!(
        witness
            .send(b"GET /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 405")
    );

    // Peers that send nothing take every place, for a while.
    let start = Instant::now();
    let silent = [(); 2].map(|()| TcpStream::connect(witness.address()).unwrap());
    log.check(
        std::slice::from_ref(&witness.listed),
        expect![[r#"
        one.example/w: cosigned 3
    "#]],
    );
    assert!(
        start.elapsed() >= Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    drop(silent);
}

/// Shows a desk's list after it was changed.
#[track_caller]
fn check_list(desk: &Path, want: Expect) {
    let mut text = std::fs::read_to_string(desk.join(listed::FILE)).unwrap();
    for listed in listed::list(desk).unwrap() {
        text = text.replace(&listed.key.to_string(), &format!("{}+KEY", listed.name));
    }
    want.assert_eq(&text);
}

#[test]
fn the_list_of_a_desk_is_a_policy_that_may_be_edited() {
    let place = tempfile::tempdir().unwrap();
    let desk = place.path();
    let key = |name: &str, seed| SigningKey::new(name, &[seed; 32]).unwrap();
    let vkey = |name, seed| {
        key(name, seed)
            .verifying_key(KeyKind::Cosignature)
            .to_string()
    };
    assert_eq!(listed::list(desk).unwrap(), []);
    let one = listed::add(desk, "https://one.example/w/", &vkey("one.example/w", 1)).unwrap();
    assert_eq!(one.url, "https://one.example/w");
    let two = listed::add(desk, "http://127.0.0.1:8731", &vkey("two.example/w", 2)).unwrap();
    assert_eq!(listed::list(desk).unwrap(), [one, two.clone()]);
    check_list(
        desk,
        expect![[r#"
        # The witnesses that `alnager journal submit` asks (C2SP tlog-policy).
        witness one.example/w one.example/w+KEY https://one.example/w
        witness two.example/w two.example/w+KEY http://127.0.0.1:8731
        quorum none
    "#]],
    );
    // A person asks for one of the two; a third comes before the group, and a member is not simply taken out.
    let text = std::fs::read_to_string(desk.join(listed::FILE)).unwrap();
    let text = text.replace(
        "quorum none\n",
        "group g any one.example/w two.example/w\nquorum g\n",
    );
    std::fs::write(desk.join(listed::FILE), text).unwrap();
    listed::add(desk, "https://three.example", &vkey("three.example/w", 3)).unwrap();
    check_list(
        desk,
        expect![[r#"
        # The witnesses that `alnager journal submit` asks (C2SP tlog-policy).
        witness one.example/w one.example/w+KEY https://one.example/w
        witness two.example/w two.example/w+KEY http://127.0.0.1:8731
        witness three.example/w three.example/w+KEY https://three.example
        group g any one.example/w two.example/w
        quorum g
    "#]],
    );
    let refused = listed::remove(desk, "one.example/w").unwrap_err();
    assert!(
        refused.to_string().contains("a member is not defined"),
        "{refused}"
    );
    listed::remove(desk, "three.example/w").unwrap();
    assert_eq!(listed::list(desk).unwrap().len(), 2);

    for (url, key, want) in [
        ("one.example", vkey("new.example/w", 4), "is no address"),
        (
            "https://a@one.example",
            vkey("new.example/w", 4),
            "is no address",
        ),
        (
            "https://one.example",
            vkey("one.example/w", 5),
            "is listed already",
        ),
        (
            "https://one.example",
            vkey("new.example/w", 1),
            "stands on an earlier line",
        ),
        ("https://one.example", "nonsense".to_owned(), "malformed"),
        (
            "https://one.example",
            key("a.example/log", 6)
                .verifying_key(KeyKind::Ed25519)
                .to_string(),
            "key of a log",
        ),
    ] {
        let refused = listed::add(desk, url, &key).unwrap_err().to_string();
        assert!(refused.contains(want), "{refused}");
    }
    let refused = listed::remove(desk, "nobody").unwrap_err().to_string();
    assert!(
        refused.contains("no witness `nobody` is listed"),
        "{refused}"
    );
    std::fs::write(
        desk.join(listed::FILE),
        format!("witness a {}\nquorum none\n", two.key),
    )
    .unwrap();
    let refused = listed::list(desk).unwrap_err().to_string();
    assert!(refused.contains("does not end in an address"), "{refused}");
}

/// Shows how a checkpoint stands with these kept lines, `W1` and `W2` as the witnesses of the list, when only the first has cosigned
/// now; gives how many lines it has.
#[track_caller]
fn check_standing(kept: &[(&str, u8, u64)], policy: Option<&str>, want: Expect) -> usize {
    let log = Log::new(LOG, 1, b"abc");
    let text = log.checkpoint().note().text().to_owned();
    let witness = |seed: u8| SigningKey::new(&format!("w{seed}.example"), &[seed; 32]).unwrap();
    let asked = [2, 3].map(|seed| Asked {
        witness: Listed {
            name: format!("w{seed}"),
            key: witness(seed).verifying_key(KeyKind::Cosignature),
            url: "http://127.0.0.1:1".to_owned(),
        },
        answer: match seed {
            2 => Ok(Cosignature {
                line: witness(2).cosign(&text, 5),
                unix_s: 5,
            }),
            _ => Err(AskError::Moved),
        },
    });
    let policy = policy.map(|policy| {
        let mut filled = policy.replace("LOG", &log.vkey().to_string());
        for seed in 2..=4 {
            let key = witness(seed).verifying_key(KeyKind::Cosignature);
            filled = filled.replace(&format!("W{seed}"), &key.to_string());
        }
        Policy::parse(filled.as_bytes()).unwrap()
    });
    let kept = kept.iter().map(|(over, seed, at)| match *over {
        "this" => witness(*seed).cosign(&text, *at),
        over => witness(*seed).cosign(over, *at),
    });
    let settled = settle(
        log.checkpoint(),
        kept.collect(),
        asked.into(),
        policy.as_ref(),
    )
    .unwrap();
    want.assert_eq(&format!("{:?}", settled.standing));
    settled.checkpoint.note().signatures().len()
}

#[test]
fn what_is_enough_is_every_witness_or_what_the_policy_says() {
    let one = [("this", 2, 5)];
    assert_eq!(check_standing(&one, None, expect!["Missing { n: 1 }"]), 2);
    // Cosigned before, which counts for a policy, and not for "now".
    let both = [("this", 2, 5), ("this", 3, 4)];
    assert_eq!(check_standing(&both, None, expect!["Missing { n: 1 }"]), 3);
    let all = Some("log LOG\nwitness a W2\nwitness b W3\ngroup g all a b\nquorum g\n");
    check_standing(
        &one,
        all,
        expect![[r#"Refused(Quorum { n_cosigned: 1, missing: "`b`" })"#]],
    );
    check_standing(&both, all, expect!["Accepted"]);
    // A witness of the policy that is not on the list; the newest of several lines; lines that do not fit count for nothing.
    let kept = [
        ("another text\n", 3, 9),
        ("this", 2, 5),
        ("this", 2, 6),
        ("this", 4, 4),
    ];
    let other = Some("log LOG\nwitness c W4\nquorum c\n");
    assert_eq!(check_standing(&kept, other, expect!["Accepted"]), 3);
    check_standing(
        &kept,
        all,
        expect![[r#"Refused(Quorum { n_cosigned: 1, missing: "`b`" })"#]],
    );
}
