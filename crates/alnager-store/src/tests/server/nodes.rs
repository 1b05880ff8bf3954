//! Servers that are killed while they write: two processes on one database, each with clients of its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alnager_journal::merkle::Hash;
use alnager_office::decide;
use uuid::Uuid;

use super::super::{World, id, shown};
use super::submission;
use crate::entropy::random;
use crate::{Desk, Place, Settings, Writer};

pub(super) const JOURNAL: &str = "ALNAGER_TEST_JOURNAL";
pub(super) const KEYS: &str = "ALNAGER_TEST_KEYS";
pub(super) const HOME: &str = "ALNAGER_TEST_HOME";
/// Set in the processes that are servers: how long a client waits between two commands, in milliseconds.
const PAUSE: &str = "ALNAGER_TEST_PAUSE";

/// `1`: five minutes; any other number: so many minutes.
const LONG: &str = "ALNAGER_LONG";

const CLIENTS: usize = 32;

/// The journal's address, and what else a process started by a test was told about its desk.
pub(super) fn place_of_this_process() -> (String, Settings) {
    let variable = |name| std::env::var(name).unwrap();
    let settings = Settings {
        keys: Some(variable(KEYS)),
        home: Some(PathBuf::from(variable(HOME))),
        ..Settings::default()
    };
    (variable(JOURNAL), settings)
}

/// A server: submits until it is killed, and prints what was acknowledged. Without [`PAUSE`], nothing.
#[test]
fn a_node() {
    let Ok(pause) = std::env::var(PAUSE) else {
        return;
    };
    let pause = Duration::from_millis(pause.parse().unwrap());
    let (journal, settings) = place_of_this_process();
    let place = Place::parse(&journal, &settings).unwrap();
    let world = World::new();
    let standing = world.standing();
    let template = world.evidence(0);
    world.run(async {
        // The server of the database may be starting.
        let writer = loop {
            match Writer::open(&place).await {
                Ok(writer) => break writer,
                Err(error) => {
                    eprintln!("cannot open: {error}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        };
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            let (writer, standing) = (writer.clone(), Arc::clone(&standing));
            let template = template.clone();
            clients.spawn(async move {
                loop {
                    let command_id = id();
                    let command = unlike(&template, command_id);
                    let receipt = loop {
                        let submitted = submission(&standing, command_id, command.clone());
                        match writer.submit(submitted).await {
                            Ok(receipt) => break receipt,
                            Err(error) => eprintln!("again: {error}"),
                        }
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    };
                    let size = writer.state().size;
                    assert!(size >= receipt.size, "older than its own write");
                    let line = format!("\nacknowledged {command_id} {} .\n", receipt.first);
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                    tokio::time::sleep(pause).await;
                }
            });
        }
        // None ends but by failing.
        clients.join_next().await.unwrap().unwrap();
    });
}

/// The same evidence in another file.
fn unlike(template: &decide::Command, id: Uuid) -> decide::Command {
    let mut command = template.clone();
    if let decide::Command::AddEvidence { offered, .. } = &mut command {
        offered.declared.file = format!("minutes-{id}.md");
        offered.sha256 = Hash::of(id.as_bytes()).to_string();
        offered.bytes = Arc::new(id.as_bytes().to_vec());
    }
    command
}

type Acknowledged = Arc<Mutex<Vec<(u64, Uuid)>>>;

struct Node {
    child: Child,
}

impl Node {
    fn start(world: &World, pause: Duration, acknowledged: &Acknowledged) -> Node {
        let databases = world.databases();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::server::nodes::a_node", "--nocapture"])
            .env(JOURNAL, databases.url(&databases.journal))
            .env(KEYS, databases.url(&databases.keys))
            .env(HOME, world.dir())
            .env(PAUSE, pause.as_millis().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let acknowledged = Arc::clone(acknowledged);
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let words: Vec<&str> = line.split(' ').collect();
                // A line that the kill cut short was not heard.
                if let ["acknowledged", id, index, "."] = words[..] {
                    let heard = (index.parse().unwrap(), id.parse().unwrap());
                    acknowledged.lock().unwrap().push(heard);
                }
            }
        });
        Node { child }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every acknowledged command is where it was said to be, and every command is there once, without a gap.
pub(super) fn check_history(world: &World, desk: &Desk, acknowledged: &[(u64, Uuid)]) {
    let mut found: HashMap<Uuid, Vec<u64>> = HashMap::new();
    let mut next = 6;
    while next < desk.size() {
        let entries = world.run(desk.entries(next, next + 1_024)).unwrap();
        assert!(!entries.is_empty());
        for (index, entry) in entries {
            assert_eq!(index, next, "a gap");
            found.entry(entry.command).or_default().push(index);
            next += 1;
        }
    }
    for (command, indexes) in &found {
        assert_eq!(
            indexes.len(),
            1,
            "command {command} is there twice: {indexes:?}"
        );
    }
    for (index, command) in acknowledged {
        let found = found.get(command).map(Vec::as_slice);
        assert_eq!(
            found,
            Some(&[*index][..]),
            "command {command} was acknowledged"
        );
    }
}

#[test]
fn servers_that_are_killed_lose_nothing_and_double_nothing() {
    let test = "servers_that_are_killed_lose_nothing_and_double_nothing";
    let Some(world) = World::on_server(test) else {
        return;
    };
    let minutes: Option<u64> = std::env::var(LONG).ok().map(|text| match text.as_str() {
        "1" => 5,
        number => number.parse().unwrap(),
    });
    let (time, pause) = match minutes {
        None => (Duration::from_secs(20), Duration::from_millis(50)),
        Some(minutes) => (
            Duration::from_secs(60 * minutes),
            Duration::from_millis(500),
        ),
    };
    world.closed(0);
    let acknowledged = Acknowledged::default();
    let mut nodes = [(), ()].map(|()| Node::start(&world, pause, &acknowledged));
    let end = Instant::now() + time;
    let mut restart_at = minutes.map(|_| Instant::now() + time / 2);
    let (mut kills, mut ended, mut restarts) = (0, 0, 0);
    let mut lengths = Vec::new();
    while Instant::now() < end {
        let [one, two, three] = random::<3>().unwrap();
        std::thread::sleep(Duration::from_millis(500 + 8 * u64::from(one)));
        lengths.push(acknowledged.lock().unwrap().len());
        if restart_at.is_some_and(|at| at < Instant::now()) {
            restart_at = None;
            restarts += u32::from(restart(&world));
        } else if two < 160 {
            let node = &mut nodes[usize::from(three % 2)];
            node.kill();
            *node = Node::start(&world, pause, &acknowledged);
            kills += 1;
        } else {
            let databases = world.databases();
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM (
                   SELECT pid FROM pg_stat_activity
                    WHERE datname IN ('{}', '{}') AND pid <> pg_backend_pid()
                    ORDER BY random() LIMIT 1) AS one",
                databases.journal, databases.keys
            );
            ended += world.run(databases.admin(&sql));
        }
    }
    for node in &mut nodes {
        node.kill();
    }
    std::thread::sleep(Duration::from_millis(200));
    let acknowledged = acknowledged.lock().unwrap().clone();
    let desk = world.open().unwrap();
    eprintln!(
        "{time:?}: {kills} servers killed, {ended} connections ended, {restarts} restarts of the database; {} acknowledged, {} entries",
        acknowledged.len(),
        desk.size(),
    );
    assert!(
        acknowledged.len() > 100 && kills > 0,
        "too little happened: {lengths:?}"
    );
    check_history(&world, &desk, &acknowledged);
    assert_eq!(desk.forked(), None);
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

/// Stops the database server as a crash would, and starts it again. `false` where that is not allowed.
fn restart(world: &World) -> bool {
    let databases = world.databases();
    let data = PathBuf::from(world.run(databases.data_directory()));
    let Ok(owner) = std::fs::metadata(&data) else {
        return false;
    };
    let Ok(pid) = std::fs::read_to_string(data.join("postmaster.pid")) else {
        return false;
    };
    let pid = pid.lines().next().unwrap_or_default();
    let Ok(program) = std::fs::read_link(Path::new("/proc").join(pid).join("exe")) else {
        return false;
    };
    let done = Command::new(program.with_file_name("pg_ctl"))
        .args(["restart", "--silent", "--wait", "--mode", "immediate"])
        .arg("--pgdata")
        .arg(&data)
        .arg("--log")
        .arg(data.join("log-of-the-restart"))
        .current_dir("/")
        .uid(owner.uid())
        .gid(owner.gid())
        .stdout(Stdio::null())
        .status();
    assert!(done.unwrap().success(), "the server did not start again");
    true
}
