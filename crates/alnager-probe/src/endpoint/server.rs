//! A model server for tests, as faulty as a test wants it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// What came in.
pub(super) struct Request {
    /// Requests before this one.
    pub(super) n: usize,
    /// `POST /score`.
    pub(super) line: String,
    pub(super) body: Value,
}

/// What goes out.
pub(super) enum Reply {
    /// 200 with this body.
    Ok(String),
    /// A status, further header lines (each ending in a line break), and a body.
    Status(u16, String, String),
    /// 200 and this body, after a pause.
    Late(Duration, String),
    /// 200 with less than it announced.
    Cut(String),
    /// The connection is closed without a word.
    Dropped,
}

#[derive(Default)]
pub(super) struct Log {
    /// Heads of all requests.
    pub(super) heads: Vec<String>,
    /// Bodies of all requests.
    pub(super) bodies: Vec<Value>,
}

pub(super) struct Server {
    pub(super) url: String,
    pub(super) log: Arc<Mutex<Log>>,
    /// Most requests that were under way at once.
    pub(super) most_at_once: Arc<AtomicUsize>,
}

impl Server {
    /// Listens at a free port, a thread for each connection, and ends with the process.
    pub(super) fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            url: format!("http://{}", listener.local_addr().unwrap()),
            log: Arc::default(),
            most_at_once: Arc::default(),
        };
        let (log, most) = (Arc::clone(&server.log), Arc::clone(&server.most_at_once));
        let (reply, at_once) = (Arc::new(reply), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, most) = (Arc::clone(&log), Arc::clone(&most));
                let (reply, at_once) = (Arc::clone(&reply), Arc::clone(&at_once));
                std::thread::spawn(move || {
                    let Some((mut stream, request)) = receive(stream.unwrap(), &log) else {
                        return;
                    };
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let answer = reply(&request);
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    send(&mut stream, answer);
                });
            }
        });
        server
    }

    /// How often each row was asked for, by the `id` in its objects.
    pub(super) fn asked(&self, n_rows: usize) -> Vec<usize> {
        let mut asked = vec![0; n_rows];
        for body in &self.log.lock().unwrap().bodies {
            for id in ids(body) {
                asked[id] += 1;
            }
        }
        asked
    }

    pub(super) fn n_requests(&self) -> usize {
        self.log.lock().unwrap().bodies.len()
    }
}

/// The ids of the rows of a request in the form of the tests.
pub(super) fn ids(body: &Value) -> Vec<usize> {
    let rows = body["rows"].as_array().into_iter().flatten();
    rows.map(|row| row["id"].as_u64().unwrap() as usize)
        .collect()
}

fn receive(stream: TcpStream, log: &Mutex<Log>) -> Option<(TcpStream, Request)> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let line = head.lines().next()?;
    let line = line.rsplit_once(' ')?.0.to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut log = log.lock().unwrap();
    let n = log.heads.len();
    log.heads.push(head);
    log.bodies.push(body.clone());
    Some((stream, Request { n, line, body }))
}

fn send(stream: &mut TcpStream, reply: Reply) {
    let (status, header, body, announced) = match reply {
        Reply::Dropped => return,
        Reply::Late(pause, body) => {
            std::thread::sleep(pause);
            (200, String::new(), body.clone(), body.len())
        }
        Reply::Ok(body) => (200, String::new(), body.clone(), body.len()),
        Reply::Status(status, header, body) => (status, header, body.clone(), body.len()),
        Reply::Cut(body) => (200, String::new(), body.clone(), body.len() + 100),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{header}content-length: {announced}\r\nconnection: close\r\n\r\n"
    );
    // Who does not want the answer may hang up.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()));
}
