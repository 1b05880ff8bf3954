//! `alnager serve` as a real process: set up, kept busy, attacked, killed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);

/// A server in a process of its own; it ends with this value.
pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:…`.
    pub(crate) address: String,
    /// The paths it said at its start.
    pub(crate) paths: Vec<String>,
    /// The lines before those with these paths.
    pub(crate) lines: Vec<String>,
}

impl Server {
    pub(crate) fn start(words: &[&str], desk: &Path, listen: &str, n_lines: usize) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alnager"))
            .args(words)
            .args(["--listen", listen, "--desk"])
            .arg(desk)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut address, mut paths, mut said) = (String::new(), Vec::new(), Vec::new());
        let mut before = String::new();
        while paths.len() < n_lines {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("http://") {
                let (host, path) = rest.split_once('/').unwrap();
                host.clone_into(&mut address);
                paths.push(format!("/{path}"));
                said.push(before.clone());
            }
            before = line;
        }
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            child,
            address,
            paths,
            lines: said,
        }
    }

    pub(crate) fn empty(desk: &Path) -> Server {
        Server::start(&["serve"], desk, "127.0.0.1:0", 1)
    }

    pub(crate) fn demo(desk: &Path) -> Server {
        Server::start(&["demo"], desk, "127.0.0.1:0", 8)
    }

    /// The most memory it ever held, in MB.
    fn peak_mb(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, row: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(row)).unwrap();
        let kb = line.split_whitespace().nth(1).unwrap();
        kb.parse::<u64>().unwrap() / 1_024
    }

    /// Signs the first person of the demonstration in: their cookie.
    fn enter(&self) -> Client {
        self.enter_as(0)
    }

    /// The same for another one, in the order the demonstration names them.
    pub(crate) fn enter_as(&self, person: usize) -> Client {
        let mut client = Client::new(&self.address);
        let answer = client.post(&self.paths[person], &[]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The body as it came.
    pub(crate) bytes: Vec<u8>,
}

/// Somebody with a cookie; a connection for each request.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    cookie: String,
}

impl Client {
    pub(crate) fn new(address: &str) -> Client {
        Client {
            address: address.to_owned(),
            cookie: String::new(),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", b"").unwrap()
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.try_post(path, fields).unwrap()
    }

    fn try_post(&mut self, path: &str, fields: &[(&str, &str)]) -> std::io::Result<Answer> {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let media = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send("POST", path, media, body.join("&").as_bytes())
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {}\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            self.cookie,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        // A server that refuses a body may answer before it has read all of it.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let broken = || std::io::Error::other("no whole answer");
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        for line in head.lines() {
            if let Some(cookie) = line.to_ascii_lowercase().strip_prefix("set-cookie: ") {
                let length = cookie.find(';').unwrap_or(cookie.len());
                let start = "set-cookie: ".len();
                self.cookie = line[start..start + length].to_owned();
            }
        }
        Ok(Answer {
            status: status.ok_or_else(broken)?,
            head: head.to_owned(),
            body: body.to_owned(),
            bytes: whole_body(&bytes),
        })
    }

    /// The token of the session's forms, from a page.
    pub(crate) fn token(&mut self, page: &str) -> String {
        let answer = self.get(page);
        let start = answer.body.find("name=\"form\" value=\"").unwrap() + 19;
        let rest = &answer.body[start..];
        rest[..rest.find('"').unwrap()].to_owned()
    }

    fn upload(&mut self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        let token = self.token("/example-group/account");
        let path = format!("{path}?form={token}");
        let head = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, b"\r\n--cut--\r\n"].concat();
        let media = "Content-Type: multipart/form-data; boundary=cut\r\n";
        self.send("POST", &path, media, &body).unwrap()
    }
}

/// What follows the head of an answer.
fn whole_body(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    bytes[end.map_or(bytes.len(), |end| end + 4)..].to_vec()
}

pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let shown = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(shown).collect()
}

/// The first start asks for the first administrator in the browser, and nothing else; afterwards they are signed in.
#[test]
fn an_empty_desk_is_set_up_in_the_browser() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::empty(&folder.path().join("acme"));
    let mut client = Client::new(&server.address);
    assert_eq!(client.get("/acme/today").status, 200);
    assert!(client.get("/acme/today").body.contains("set up"));
    let setup = server.paths[0].clone();
    assert!(setup.starts_with("/acme/setup?key="), "{setup}");
    let fields = |password: &'static str| {
        [
            ("organisation", "Acme <&> Co"),
            ("name", "Ada Lovelace"),
            ("login", "ada"),
            ("password", password),
        ]
    };
    let wrong = client.post("/acme/setup?key=wrong", &fields("a long password"));
    assert_eq!(wrong.status, 403, "{}", wrong.body);
    let short = client.post(&setup, &fields("short"));
    assert_eq!(short.status, 422);
    assert!(
        short.body.contains("Acme &lt;&amp;&gt; Co"),
        "typed words stay"
    );
    let made = client.post(&setup, &fields("a long password"));
    assert_eq!(made.status, 303, "{}", made.body);
    let today = client.get("/acme/today");
    assert_eq!(today.status, 200);
    assert!(today.body.contains("Ada Lovelace"));
    // The link works once.
    assert_eq!(
        Client::new(&server.address)
            .post(&setup, &fields("a long password"))
            .status,
        403
    );
    let mut other = Client::new(&server.address);
    let sign_in = [("login", "ADA"), ("password", "a long password")];
    assert_eq!(other.post("/acme/sign-in", &sign_in).status, 303);
    assert_eq!(other.get("/acme/systems").status, 200);
    let wrong = [("login", "ada"), ("password", "another password")];
    assert_eq!(
        Client::new(&server.address)
            .post("/acme/sign-in", &wrong)
            .status,
        422
    );
}

#[test]
fn the_demonstration_answers_with_every_health_check() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::demo(&folder.path().join("example-group"));
    let mut client = server.enter();
    let today = client.get("/example-group/today");
    assert_eq!(today.status, 200);
    assert!(
        today.head.contains("content-security-policy"),
        "{}",
        today.head
    );
    assert!(today.body.len() < 150_000);
    assert_eq!(client.get("/healthz").body, "ok\n");
    let began = Instant::now();
    while client.get("/readyz").status != 200 {
        assert!(began.elapsed() < PATIENCE);
    }
    let metrics = client.get("/metrics").body;
    assert!(metrics.contains("alnager_entries{organisation=\"example-group\"}"));
    // The link worked once.
    assert_eq!(
        Client::new(&server.address)
            .post(&server.paths[0], &[])
            .status,
        422
    );
}

/// Whoever connects and says nothing, or says it slowly, keeps nobody else waiting.
#[test]
fn two_thousand_slow_connections_hurt_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::demo(&folder.path().join("example-group"));
    let mut client = server.enter();
    let mut slow = Vec::new();
    for n in 0..2_000 {
        // A test may not be allowed so many open files.
        let Ok(mut stream) = TcpStream::connect(&server.address) else {
            break;
        };
        let said: &[u8] = match n % 3 {
            0 => b"",
            1 => b"GET /example-group/today HTTP/1.1\r\nHost: x\r\n",
            _ => b"POST /example-group/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nlogin",
        };
        stream.write_all(said).unwrap();
        slow.push(stream);
    }
    assert!(slow.len() > 500, "{} connections", slow.len());
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(client.get("/example-group/today").status, 200);
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{:?}",
            began.elapsed()
        );
    }
}

/// Files made to exhaust whoever reads them are refused, and the server goes on.
#[test]
fn bombs_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::demo(&folder.path().join("example-group"));
    let mut client = server.enter();
    let zeros = vec![b'0'; 1 << 20];
    let mut packed = zstd::Encoder::new(Vec::new(), 19).unwrap();
    packed.write_all(b"a,b\n").unwrap();
    // 4 GB of one cell in a few hundred kilobytes.
    for _ in 0..4_000 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 2 << 20);
    let deep = "[".repeat(5_000_000);
    let cases: [(&str, &str, &[u8]); 4] = [
        ("/example-group/lab", "bomb.csv.zst", &packed),
        ("/example-group/lab", "bomb.jsonl", deep.as_bytes()),
        (
            "/example-group/lab",
            "bomb.parquet",
            b"PAR1\xff\xff\xff\x7fPAR1",
        ),
        (
            "/example-group/systems/import",
            "bomb.json",
            deep.as_bytes(),
        ),
    ];
    for (path, name, bytes) in cases {
        let began = Instant::now();
        let answer = client.upload(path, name, bytes);
        assert!(
            matches!(answer.status, 413 | 422),
            "{name}: {} {}",
            answer.status,
            answer.body
        );
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{name} {:?}",
            began.elapsed()
        );
        assert_eq!(client.get("/example-group/today").status, 200, "{name}");
    }
    assert!(server.peak_mb() < 400, "{} MB", server.peak_mb());
}

/// Killed again and again while people write: whatever was acknowledged is there afterwards, once.
#[test]
fn a_server_that_is_killed_under_load_loses_nothing() {
    let seconds = std::env::var("ALNAGER_LONG").ok();
    let minutes: Option<u64> = seconds.and_then(|minutes| minutes.parse().ok());
    let lasts = minutes.map_or(Duration::from_secs(12), |minutes| {
        Duration::from_secs(60 * minutes)
    });
    let folder = tempfile::tempdir().unwrap();
    let desk = folder.path().join("example-group");
    let mut server = Server::demo(&desk);
    let client = server.enter();
    let listen = server.address.clone();
    let acknowledged = Mutex::new(BTreeSet::new());
    let (is_over, next) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut n_killed = 0;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut client = client.clone();
            let (acknowledged, is_over, next) = (&acknowledged, &is_over, &next);
            scope.spawn(move || {
                let token = client.token("/example-group/account");
                while !is_over.load(Ordering::Relaxed) {
                    let word = format!("said-{:06}", next.fetch_add(1, Ordering::Relaxed));
                    let fields = [
                        ("form", token.as_str()),
                        ("about", "system/credit"),
                        ("text", &word),
                    ];
                    // Refused connections and broken answers: nothing was acknowledged.
                    match client.try_post("/example-group/comments", &fields) {
                        Ok(answer) if answer.status == 303 => {
                            let mut all =
                                acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
                            all.insert(word);
                        }
                        Ok(answer) => {
                            assert!(answer.status >= 500, "{} {}", answer.status, answer.body)
                        }
                        Err(_) => std::thread::sleep(Duration::from_millis(20)),
                    }
                }
            });
        }
        let began = Instant::now();
        while began.elapsed() < lasts || n_killed < 6 {
            std::thread::sleep(Duration::from_millis(400 + 130 * (n_killed % 7)));
            server.child.kill().unwrap();
            server.child.wait().unwrap();
            server = Server::start(&["serve"], &desk, &listen, 1);
            n_killed += 1;
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let acknowledged = acknowledged
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let page = client.clone().get("/example-group/systems/credit").body;
    for word in &acknowledged {
        assert_eq!(page.matches(word.as_str()).count(), 1, "{word}");
    }
    assert!(
        acknowledged.len() > 20,
        "{n_killed} kills, {} said",
        acknowledged.len()
    );
    drop(server);
    let verified = Command::new(env!("CARGO_BIN_EXE_alnager"))
        .args(["desk", "verify", "--desk"])
        .arg(&desk)
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}
