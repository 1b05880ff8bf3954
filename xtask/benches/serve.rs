//! What a page costs: a desk with many systems, read by 16 clients at once; with a bare axum "hello" beside it, asked by the same clients
//! in the same run. Started by `cargo xtask bench serve`.
//!
//! The server is the program as it ships, in a process of its own. *Server time* is what it logs of itself: from the request's head to the
//! answer, waiting for a thread included. *At the client* is what 16 clients without a pause see on the same machine.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alnager_office::decide::{Command, OfferedEvidence};
use alnager_office::declaration::{Declaration, DeclaredEvidence};
use alnager_office::role::Role;
use alnager_office::system::NewDeclaration;
use alnager_store::{Accounts, Desk, NewAccount, NewSession, Order, Place};
use alnager_work::acting::{Acting, Flags, instant, new_ids};
use alnager_work::review;
use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Systems, unless an argument says otherwise.
const N_SYSTEMS: usize = 10_000;
/// Clients at once, each with a connection of its own.
const N_CLIENTS: usize = 16;
/// Requests of each client for each page.
const N_REQUESTS: usize = 60;
/// Systems declared, or documents submitted, in one group.
const GROUP: usize = 250;
/// Who reads.
const OFFICER: &str = "Ines Marchetti";
/// The session of whoever reads: as secret as this file, for a desk that is deleted at the end.
const SESSION: &str = "a-session-of-the-benchmark";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(program) = arguments.iter().position(|argument| argument == "hello") {
        let port = arguments.get(program + 1).context("no port")?.parse()?;
        return hello(port);
    }
    let n_systems = arguments.iter().find_map(|argument| argument.parse().ok());
    let n_systems = n_systems.unwrap_or(N_SYSTEMS);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = root.parent().context("no folder above")?;
    let program = std::env::var_os("ALNAGER_BENCH_PROGRAM").context("no program")?;
    let folder = tempfile::Builder::new()
        .prefix("alnager-bench-")
        .tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    idle(&program, folder.path())?;
    let place = folder.path().join("desk");
    let began = Instant::now();
    runtime.block_on(fill(root, &place, n_systems))?;
    println!(
        "{n_systems} systems declared in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let server = Server::start(&program, &place, folder.path())?;
    let began = Instant::now();
    while !get(&server.address, "/readyz", "")?.is_ok() {
        ensure!(began.elapsed() < Duration::from_secs(600), "never ready");
        std::thread::sleep(Duration::from_millis(200));
    }
    println!(
        "every system worked out {:.1} s after the start, {} MB",
        began.elapsed().as_secs_f64(),
        server.memory_mb()?
    );
    read(&server, n_systems)
}

/// What the server takes with an empty desk.
fn idle(program: &std::ffi::OsStr, folder: &Path) -> Result<()> {
    let server = Server::start(program, &folder.join("empty"), folder)?;
    std::thread::sleep(Duration::from_secs(2));
    println!("an empty desk: {} MB", server.memory_mb()?);
    Ok(())
}

/// Declares the systems, each like one of the demonstration's, with a document each.
async fn fill(root: &Path, place: &Path, n_systems: usize) -> Result<()> {
    let place = Place::from(place);
    let flags = Flags {
        desk: place.clone(),
        actor: Some(OFFICER.to_owned()),
        ..Flags::default()
    };
    let acting = Acting::begin(&flags)?;
    let patterns = patterns(root, &acting)?;
    let mut desk = acting.desk_or_new().await?;
    let organisation = patterns[0].organisation.clone();
    let mut first = vec![Command::OpenDesk { organisation }];
    first.push(Command::GrantRoles {
        person: OFFICER.to_owned(),
        roles: vec![Role::Officer, Role::Administrator],
        reason: "benchmark".to_owned(),
    });
    for command in first {
        enter(&acting, &mut desk, &[command]).await?;
    }
    let declared: Vec<Command> = (0..n_systems)
        .map(|n| {
            let mut declaration = patterns[n % patterns.len()].clone();
            declaration.id = format!("{}-{n}", declaration.id);
            declaration.name = format!("{} {n}", declaration.name);
            Command::DeclareSystem(Box::new(NewDeclaration {
                declaration,
                expected: None,
            }))
        })
        .collect();
    for group in declared.chunks(GROUP) {
        enter(&acting, &mut desk, group).await?;
    }
    let offered: Vec<Command> = (0..n_systems)
        .map(|n| document(&patterns[n % patterns.len()], n))
        .collect();
    for group in offered.chunks(GROUP) {
        enter(&acting, &mut desk, group).await?;
    }
    let person = desk
        .state()
        .person(OFFICER)
        .context("no officer")?
        .to_owned();
    desk.close().await?;
    let accounts = Accounts::open(&place).await?;
    let now = Timestamp::now().as_microsecond();
    let account = NewAccount {
        person: person.clone(),
        login: "officer".to_owned(),
        password: None,
        at: now,
    };
    accounts.add(&account).await?;
    let session = NewSession {
        hash: Sha256::digest(SESSION.as_bytes()).into(),
        person,
        at: now,
        expires: now + 3_600_000_000,
    };
    Ok(accounts.begin_session(&session).await?)
}

fn document(pattern: &Declaration, n: usize) -> Command {
    let bytes = format!("document {n}").into_bytes();
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    Command::AddEvidence {
        system: format!("{}-{n}", pattern.id),
        offered: OfferedEvidence {
            declared: DeclaredEvidence {
                file: format!("literacy-{n}.md"),
                kind: "literacy_plan".to_owned(),
                requirements: vec!["EUAIA-4".to_owned()],
                effective: jiff::civil::date(2026, 1, 1),
                expires: None,
                submitted_by: OFFICER.to_owned(),
                signature: None,
            },
            sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: Arc::new(bytes),
            note: None,
        },
    }
}

fn patterns(root: &Path, acting: &Acting) -> Result<Vec<Declaration>> {
    let demo = root.join("crates/alnager-server/src/demo");
    let names = [
        "cv-screen",
        "support-assistant",
        "meeting-notes",
        "fraud-watch",
    ];
    let read = |name: &str| {
        let path = demo.join(format!("{name}.toml"));
        review::read_declaration(&acting.library, &path)
    };
    Ok(names.into_iter().map(read).collect::<Result<_, _>>()?)
}

async fn enter(acting: &Acting, desk: &mut Desk, commands: &[Command]) -> Result<()> {
    let at = instant(acting.now);
    let withs = commands.iter().map(|command| {
        let declaration = match command {
            Command::DeclareSystem(new) => Some(&new.declaration),
            _ => None,
        };
        acting.context(desk, declaration)
    });
    let withs = withs.collect::<Result<Vec<_>, _>>()?;
    let ids = new_ids(acting.now, commands.len())?;
    let orders: Vec<Order<'_>> = commands
        .iter()
        .zip(&withs)
        .zip(ids)
        .map(|((command, with), id)| Order {
            id,
            at: &at,
            command,
            with,
            expected: None,
        })
        .collect();
    for entered in desk.enter_all(&orders).await {
        entered?;
    }
    Ok(())
}

/// The server in a process of its own; it ends with this value.
struct Server {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Server {
    fn start(program: &std::ffi::OsStr, desk: &Path, folder: &Path) -> Result<Server> {
        let log = folder.join("log");
        let mut child = Program::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--desk"])
            .arg(desk)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log)?)
            .spawn()?;
        let said = BufReader::new(child.stdout.take().context("no output")?);
        for line in said.lines() {
            let line = line?;
            if let Some((_, rest)) = line.split_once("http://") {
                let address = rest.split('/').next().unwrap_or_default().to_owned();
                return Ok(Server {
                    child,
                    address,
                    log,
                });
            }
        }
        bail!("the server said no address")
    }

    fn memory_mb(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kb = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kb.context("no memory")?.parse::<u64>()? / 1_024)
    }

    /// Server times by route, in microseconds.
    fn times(&self) -> Result<BTreeMap<String, Vec<u64>>> {
        let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.log)?.lines() {
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else {
                continue;
            };
            if let (Some(route), Some(micros)) = (line["route"].as_str(), line["micros"].as_u64()) {
                times.entry(route.to_owned()).or_default().push(micros);
            }
        }
        Ok(times)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads every page with every client.
fn read(server: &Server, n_systems: usize) -> Result<()> {
    let hello = Hello::start()?;
    let bare = rate(&hello.address, &|_| "/".to_owned())?;
    println!(
        "bare axum: {:.0} answers/s, at the client p50 {:.2} ms, p99 {:.2} ms",
        bare.per_s, bare.p50_ms, bare.p99_ms
    );
    let names = [
        "cv-screen",
        "support-assistant",
        "meeting-notes",
        "fraud-watch",
    ];
    let system = move |n: usize| {
        let n = n * 7_919 % n_systems;
        format!("/desk/systems/{}-{n}", names[n % names.len()])
    };
    let pages = n_systems / 50;
    let list = move |n: usize| format!("/desk/systems?page={}", 1 + n * 31 % pages.max(1));
    let found = |n: usize| format!("/desk/systems?q=screen%20{}&sort=owner", n % 100);
    let today = |_: usize| "/desk/today".to_owned();
    type Path<'p> = (&'p str, &'p str, &'p (dyn Fn(usize) -> String + Sync));
    let all: [Path<'_>; 4] = [
        ("Today", "/{org}/today", &today),
        ("Systems, any page", "/{org}/systems", &list),
        ("Systems, searched and sorted", "/{org}/systems", &found),
        ("System", "/{org}/systems/{system}", &system),
    ];
    for (name, route, path) in all {
        let page = get(&server.address, &path(1), "")?;
        ensure!(page.is_ok(), "{name}: {}", page.head);
        let packed = get(&server.address, &path(1), "Accept-Encoding: gzip\r\n")?;
        let before = server.times()?.get(route).map_or(0, Vec::len);
        let seen = rate(&server.address, path)?;
        let mut times = server.times()?.remove(route).unwrap_or_default();
        let mut times = times.split_off(before);
        times.sort_unstable();
        let ms = |part: f64| quantile(&times, part) as f64 / 1_000.0;
        println!(
            "{name}: server time p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({}); at the client p50 {:.1} ms, p99 {:.1} ms; {:.0} answers/s, 1/{:.0} of bare axum; {} kB, {} kB packed",
            ms(0.5),
            ms(0.99),
            ms(1.0),
            times.len(),
            seen.p50_ms,
            seen.p99_ms,
            seen.per_s,
            bare.per_s / seen.per_s,
            page.n_bytes / 1_000,
            packed.n_bytes / 1_000,
        );
    }
    println!("{} MB after all", server.memory_mb()?);
    Ok(())
}

struct Rate {
    per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Asks with every client at once.
fn rate(address: &str, path: &(dyn Fn(usize) -> String + Sync)) -> Result<Rate> {
    let began = Instant::now();
    let mut waits = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..N_CLIENTS)
            .map(|client| {
                scope.spawn(move || -> Result<Vec<u64>> {
                    let mut connection = Connection::open(address)?;
                    let mut waits = Vec::new();
                    for n in 0..N_REQUESTS {
                        let asked = Instant::now();
                        let answer = connection.get(&path(client * N_REQUESTS + n), "")?;
                        ensure!(answer.is_ok(), "{}", answer.head);
                        waits.push(u64::try_from(asked.elapsed().as_micros())?);
                    }
                    Ok(waits)
                })
            })
            .collect();
        let mut waits = Vec::new();
        for client in clients {
            let found = client.join();
            waits.extend(found.map_err(|_| anyhow::anyhow!("a client broke"))??);
        }
        anyhow::Ok(waits)
    })?;
    waits.sort_unstable();
    Ok(Rate {
        per_s: waits.len() as f64 / began.elapsed().as_secs_f64(),
        p50_ms: quantile(&waits, 0.5) as f64 / 1_000.0,
        p99_ms: quantile(&waits, 0.99) as f64 / 1_000.0,
    })
}

/// Of sorted numbers.
fn quantile(sorted: &[u64], part: f64) -> u64 {
    let at = ((sorted.len().max(1) - 1) as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

struct Answer {
    head: String,
    n_bytes: usize,
}

impl Answer {
    fn is_ok(&self) -> bool {
        self.head.starts_with("HTTP/1.1 200")
    }
}

fn get(address: &str, path: &str, headers: &str) -> Result<Answer> {
    Connection::open(address)?.get(path, headers)
}

/// A connection that is kept, as a browser keeps it.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> Result<Connection> {
        let address: SocketAddr = address.parse()?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Connection(BufReader::new(stream)))
    }

    fn get(&mut self, path: &str, headers: &str) -> Result<Answer> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: alnager-desk={SESSION}\r\n{headers}\r\n"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            ensure!(self.0.read_line(&mut line)? > 0, "the server hung up");
            if line == "\r\n" {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Answer {
            head,
            n_bytes: length,
        })
    }
}

/// A bare axum server in a process of its own.
struct Hello {
    child: Child,
    address: String,
}

impl Hello {
    fn start() -> Result<Hello> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let child = Program::new(std::env::current_exe()?)
            .args(["hello", &port.to_string()])
            .spawn()?;
        let hello = Hello {
            child,
            address: format!("127.0.0.1:{port}"),
        };
        for _ in 0..100 {
            if TcpStream::connect(&hello.address).is_ok() {
                return Ok(hello);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the bare server does not start")
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hello(port: u16) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let router = axum::Router::new().route("/", axum::routing::get(async || "hello"));
        Ok(axum::serve(listener, router).await?)
    })
}
