//! Commits whose outcome is unknown: a proxy breaks the connection at the commit.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::super::{AT, PEOPLE, World, id, shown};
use super::Databases;
use crate::{CommitError, Desk, StoreError};

/// What happens to the next commit.
enum Act {
    Pass,
    /// It does not reach the server.
    Before,
    /// It is done, then this, and its answer does not reach the client.
    After(Box<dyn FnOnce() + Send>),
    /// It is done, its answer does not reach the client, and from then on nothing does.
    Gone,
}

/// Passes connections on to the server of the tests.
struct Proxy {
    port: u16,
    act: Arc<Mutex<Act>>,
}

impl Proxy {
    fn start(databases: &Databases) -> Proxy {
        let (_, rest) = databases.address().rsplit_once('@').unwrap();
        let (server, _) = rest.split_once('/').unwrap();
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let act = Arc::new(Mutex::new(Act::Pass));
        let shared = Arc::clone(&act);
        // It ends with the process.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if matches!(*shared.lock().unwrap(), Act::Gone) {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                for is_asking in [true, false] {
                    let client = client.try_clone().unwrap();
                    let server = server.try_clone().unwrap();
                    let act = Arc::clone(&shared);
                    std::thread::spawn(move || match is_asking {
                        true => pass(client, server, &act, true),
                        false => pass(server, client, &act, false),
                    });
                }
            }
        });
        Proxy { port, act }
    }

    fn url(&self, databases: &Databases) -> String {
        let url = databases.url(&databases.journal);
        let (user, rest) = url.rsplit_once('@').unwrap();
        let (_, database) = rest.split_once('/').unwrap();
        format!("{user}@127.0.0.1:{}/{database}", self.port)
    }

    fn set(&self, act: Act) {
        *self.act.lock().unwrap() = act;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, act: &Mutex<Act>, is_asking: bool) {
    // An answer says it with a zero behind, and so does a statement; but only the one side is looked at.
    let word = b"COMMIT\0";
    let mut bytes = [0; 65_536];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        let read = &bytes[..read];
        let is_commit = read.windows(word.len()).any(|window| window == word);
        if is_commit && is_struck(act, is_asking) || read.is_empty() || to.write_all(read).is_err()
        {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn is_struck(act: &Mutex<Act>, is_asking: bool) -> bool {
    let planned = std::mem::replace(&mut *act.lock().unwrap(), Act::Pass);
    match planned {
        Act::Before if is_asking => true,
        Act::After(then) if !is_asking => {
            then();
            true
        }
        planned => {
            let is_gone = matches!(planned, Act::Gone);
            *act.lock().unwrap() = planned;
            is_gone && !is_asking
        }
    }
}

/// A desk whose journal is behind a proxy.
struct Broken {
    world: World,
    proxy: Proxy,
    desk: Desk,
}

impl Broken {
    fn new(test: &str) -> Option<Broken> {
        let world = World::on_server(test)?;
        world.closed(0);
        let databases = world.databases();
        let proxy = Proxy::start(databases);
        let place = databases.place_through(&proxy.url(databases), &world.dir());
        let desk = world.run(Desk::open(&place)).unwrap();
        Some(Broken { world, proxy, desk })
    }

    fn commit(&mut self, command: Uuid) -> Result<crate::Receipt, CommitError> {
        let evidence = self.world.evidence(0);
        self.world.commit(&mut self.desk, command, &evidence)
    }

    /// The same command again has the receipt of the one entry, and all is whole.
    fn check(mut self, command: Uuid, size: u64) {
        self.proxy.set(Act::Pass);
        let again = self.commit(command).unwrap();
        assert_eq!((again.first, again.end), (6, 7));
        self.world.run(self.desk.catch_up()).unwrap();
        assert_eq!(self.desk.size(), size);
        drop(self.desk);
        let report = self.world.verify();
        assert!(report.is_sound(), "{}", shown(&report));
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_entered_and_answered() {
    let test = "a_commit_whose_answer_is_lost_is_entered_and_answered";
    let Some(mut broken) = Broken::new(test) else {
        return;
    };
    broken.proxy.set(Act::After(Box::new(|| {})));
    let command = id();
    let receipt = broken.commit(command).unwrap();
    assert_eq!((receipt.first, receipt.already), (6, false));
    // The guard is there as well.
    assert_eq!(shown(&broken.world.verify()), "");
    broken.check(command, 7);
}

#[test]
fn a_commit_whose_answer_is_lost_while_others_go_on_is_entered_and_answered() {
    let test = "a_commit_whose_answer_is_lost_while_others_go_on_is_entered_and_answered";
    let Some(mut broken) = Broken::new(test) else {
        return;
    };
    let place = broken.world.place();
    let (is_open, opened) = mpsc::channel();
    let (go, start) = mpsc::channel();
    let other = std::thread::spawn(move || {
        let here = World::new();
        let mut desk = here.run(Desk::open(&place)).unwrap();
        is_open.send(()).unwrap();
        start.recv().unwrap();
        let evidence = here.evidence(1);
        here.run(desk.commit(id(), AT, &evidence, &here.context(PEOPLE[0])))
    });
    opened.recv().unwrap();
    broken.proxy.set(Act::After(Box::new(move || {
        go.send(()).unwrap();
        // By then it holds the head and waits for the guard.
        std::thread::sleep(Duration::from_millis(700));
    })));
    let began = Instant::now();
    let command = id();
    let receipt = broken.commit(command).unwrap();
    assert_eq!((receipt.first, receipt.already), (6, false));
    assert_eq!(other.join().unwrap().unwrap().first, 7);
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "one waited for the other: {took:?}"
    );
    broken.check(command, 8);
}

#[test]
fn a_commit_that_never_arrived_is_not_entered() {
    let Some(mut broken) = Broken::new("a_commit_that_never_arrived_is_not_entered") else {
        return;
    };
    broken.proxy.set(Act::Before);
    let command = id();
    let refused = broken.commit(command).unwrap_err();
    assert!(
        matches!(refused, CommitError::Store(StoreError::Unreachable { .. })),
        "{refused:?}"
    );
    assert_eq!(broken.world.open().unwrap().size(), 6);
    broken.check(command, 7);
}

#[test]
fn a_commit_after_which_the_server_is_gone_has_no_known_outcome() {
    let test = "a_commit_after_which_the_server_is_gone_has_no_known_outcome";
    let Some(mut broken) = Broken::new(test) else {
        return;
    };
    broken.proxy.set(Act::Gone);
    let command = id();
    let refused = broken.commit(command).unwrap_err();
    assert!(
        matches!(refused, CommitError::Store(StoreError::Unknown { .. })),
        "{refused:?}"
    );
    broken.check(command, 7);
}
