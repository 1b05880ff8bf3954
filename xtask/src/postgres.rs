//! A throw-away PostgreSQL server for tests. `cargo xtask test` starts one and hands its address to every test as
//! `ALNAGER_TEST_POSTGRES=postgres://postgres:…@127.0.0.1:…/postgres`.
//!
//! By hand: `cargo xtask postgres` prints the address and keeps the server until ctrl-c. Then, in another shell,
//! `ALNAGER_TEST_POSTGRES='postgres://…' cargo test -p alnager-store`. A test reads the variable and, where it is not set,
//! prints `not run: <test> needs ALNAGER_TEST_POSTGRES; cargo xtask test sets it` and returns. With `ALNAGER_TEST_ALL=1`, as
//! in CI, a test whose server is missing must fail instead. Each test makes databases of its own, named
//! `alnager_test_<random>`, on a connection to the database of the address, and drops them (`DROP DATABASE … WITH (FORCE)`); the
//! user is a superuser. Nothing needs cleaning up when a test fails: the whole server is deleted.
//!
//! The server does not wait for the disk (`fsync = off`). A killed server, or a killed client, loses nothing by that; only a
//! power cut would. `cargo xtask postgres durable` waits for the disk, for measuring.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::keeper::{self, Keeper, as_user, free_port, random};
use crate::{output, run};

/// Where the tests find the server.
pub(crate) const VARIABLE: &str = "ALNAGER_TEST_POSTGRES";

/// Whom Debian's package makes; PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// `$1` programs, `$2` data, `$3` the whole folder.
const KEEP: &str = r#"
read -r _
"$1/pg_ctl" stop --silent --mode immediate --pgdata "$2" 2>/dev/null
cd /
rm -rf "$3"
"#;

/// How often another port is tried when someone was faster.
const N_PORTS: u32 = 3;

/// A running server; dropped, it is stopped and its files are removed.
pub(crate) struct Postgres {
    url: String,
    _keeper: Keeper,
}

/// Whether the server waits for the disk at each commit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It does not: three times as fast, and safe from everything but a power cut.
    Memory,
    /// It does.
    Disk,
}

impl Postgres {
    /// Installs PostgreSQL where that is possible, makes a new cluster and starts it.
    pub(crate) fn start(durability: Durability) -> Result<Postgres> {
        let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
        let programs = programs(is_root)?;
        let user = is_root.then_some(USER);
        let folder = keeper::folder("postgres")?;
        if let Some(user) = user {
            run(Command::new("chown").arg(user).arg(&folder))?;
        }
        let data = folder.join("data");
        let arguments = [&programs, &data, &folder].map(|path| path.to_string_lossy().into_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let keeper = Keeper::start(KEEP, user, &folder, &arguments)?;

        let server = Server {
            programs,
            user,
            data,
            folder,
        };
        let password = random()?;
        server.init(&password, durability)?;
        let port = server.listen()?;
        Ok(Postgres {
            url: format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres"),
            _keeper: keeper,
        })
    }

    /// The address of its database `postgres`, with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// `cargo xtask postgres`: a server until ctrl-c.
pub(crate) fn keep(durability: Durability) -> Result<()> {
    let server = Postgres::start(durability)?;
    println!("{VARIABLE}='{}'", server.url());
    eprintln!("PostgreSQL runs until ctrl-c; its data is then deleted");
    // Ctrl-c ends this process; the keeper does the rest.
    loop {
        std::thread::park();
    }
}

struct Server {
    programs: PathBuf,
    user: Option<&'static str>,
    data: PathBuf,
    folder: PathBuf,
}

impl Server {
    /// Makes the cluster. Whoever connects needs the password: the user of a database is close to the user of the machine.
    fn init(&self, password: &str, durability: Durability) -> Result<()> {
        let file = self.folder.join("password");
        std::fs::write(&file, password).context("cannot write the password of the test server")?;
        if let Some(user) = self.user {
            run(Command::new("chown").arg(user).arg(&file))?;
        }
        let mut init = self.command("initdb");
        init.args(["--auth=password", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--username", USER])
            .arg("--pwfile")
            .arg(&file)
            .arg("--pgdata")
            .arg(&self.data);
        output(&mut init)?;

        let mut settings = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
timezone = 'UTC'
"
        .to_owned();
        if durability == Durability::Memory {
            settings.push_str("fsync = off\nfull_page_writes = off\n");
        }
        let path = self.data.join("postgresql.conf");
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(settings.as_bytes()))
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Starts the server and returns the port it listens on.
    fn listen(&self) -> Result<u16> {
        let log = self.folder.join("log");
        for _ in 0..N_PORTS {
            let port = free_port()?;
            let mut start = self.command("pg_ctl");
            start
                .args(["start", "--silent", "--wait", "--timeout", "60"])
                .arg("--log")
                .arg(&log)
                .arg("--options")
                .arg(format!("-p {port}"))
                .arg("--pgdata")
                .arg(&self.data);
            if start.status().is_ok_and(|status| status.success()) {
                return Ok(port);
            }
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        bail!("PostgreSQL did not start; it said: {}", said.trim());
    }

    fn command(&self, program: &str) -> Command {
        let mut command = as_user(self.user, self.programs.join(program));
        // The user may not be allowed to look into the folder this program was started in.
        command.current_dir(&self.folder);
        command
    }
}

/// The folder of PostgreSQL's programs, which are installed when they are missing and may be.
fn programs(is_root: bool) -> Result<PathBuf> {
    if let Some(folder) = installed() {
        return Ok(folder);
    }
    let has_apt = Command::new("apt-get").arg("--version").output().is_ok();
    if is_root && has_apt {
        eprintln!("installing PostgreSQL with `apt-get install postgresql`");
        let apt = |words: &[&str]| {
            run(Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["-qq", "-y"])
                .args(words))
        };
        apt(&["update"])?;
        apt(&["install", "--no-install-recommends", "postgresql"])?;
    }
    installed().context(
        "there is no PostgreSQL server here; install it (`apt-get install postgresql`, `dnf install postgresql-server`, \
         `brew install postgresql`), or put the folder of its program `initdb` into PATH",
    )
}

/// Looks in PATH, then where Debian keeps every version; the newest one there.
fn installed() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path: Vec<PathBuf> = std::env::split_paths(&in_path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut versions: Vec<(u32, PathBuf)> = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| {
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let versions = versions.into_iter().map(|(_, folder)| folder);
    in_path
        .into_iter()
        .chain(versions)
        .find(|folder| is_complete(folder))
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}
