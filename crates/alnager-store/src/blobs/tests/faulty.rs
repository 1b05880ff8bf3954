//! A server that goes wrong as it is told, alone or in front of a real one.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It reaches the real server, and the answer comes back.
    Pass,
    /// The connection ends before anything is read.
    Drop,
    /// Half of the body reaches the server, then the connection ends.
    CutRequest,
    /// One byte of the body is another one when it reaches the server.
    ChangeRequest,
    /// The request is carried out, and the connection ends before its answer.
    LoseAnswer,
    /// The connection ends in the middle of the answer: of its body, or of its head when it has none.
    CutAnswer,
    /// The last byte of the answer is another one.
    ChangeAnswer,
    /// Nothing happens for longer than anybody waits.
    Stall,
    /// This answer, whatever was asked.
    Answer(Vec<u8>),
}

impl Act {
    pub(super) fn answer(status: u16, body: &str) -> Act {
        Act::answer_with(status, "", body)
    }

    pub(super) fn answer_with(status: u16, headers: &str, body: &str) -> Act {
        let len = match status {
            204 => String::new(),
            _ => format!("content-length: {}\r\n", body.len()),
        };
        Act::Answer(
            format!("HTTP/1.1 {status} x\r\n{headers}{len}connection: close\r\n\r\n{body}")
                .into_bytes(),
        )
    }
}

#[derive(Default)]
struct Script {
    next: VecDeque<Act>,
    last: Option<Act>,
    asked: Vec<String>,
}

/// One request per connection.
pub(super) struct Faulty {
    host: String,
    script: Arc<Mutex<Script>>,
}

impl Faulty {
    /// Without a server behind it.
    pub(super) fn alone() -> Faulty {
        Faulty::new(None)
    }

    /// In front of `host`, an address with port.
    pub(super) fn before(host: &str) -> Faulty {
        Faulty::new(Some(host.to_owned()))
    }

    fn new(behind: Option<String>) -> Faulty {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (script, behind) = (Arc::clone(&shared), behind.clone());
                // A connection that breaks is what this is for.
                std::thread::spawn(move || serve(client.unwrap(), &script, behind.as_deref()));
            }
        });
        Faulty { host, script }
    }

    pub(super) fn host(&self) -> String {
        self.host.clone()
    }

    /// The next requests meet `acts`, one each, and all later ones `last`.
    pub(super) fn then(&self, acts: &[Act], last: Act) {
        let mut script = self.script.lock().unwrap();
        script.next = acts.iter().cloned().collect();
        script.last = Some(last);
    }

    /// Method and address of every request.
    pub(super) fn asked(&self) -> Vec<String> {
        self.script.lock().unwrap().asked.clone()
    }

    pub(super) fn n_requests(&self) -> usize {
        self.script.lock().unwrap().asked.len()
    }
}

fn serve(client: TcpStream, script: &Mutex<Script>, behind: Option<&str>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let act = {
        let mut script = script.lock().unwrap();
        let asked = head.lines().next().unwrap_or_default();
        script.asked.push(asked.to_owned());
        let next = script.next.pop_front();
        next.or_else(|| script.last.clone()).unwrap()
    };
    if act == Act::Drop {
        return client.shutdown(Shutdown::Both);
    }
    let len = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_len = name.eq_ignore_ascii_case("content-length");
        is_len.then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; len.unwrap_or(0)];
    reader.read_exact(&mut body)?;

    let answer = match &act {
        Act::Answer(answer) => answer.clone(),
        Act::Stall => {
            std::thread::sleep(Duration::from_secs(5));
            return Ok(());
        }
        _ => {
            let half = body.len() / 2;
            match act {
                Act::CutRequest => body.truncate(half),
                Act::ChangeRequest if !body.is_empty() => body[half] ^= 1,
                _ => {}
            }
            let is_cut = act == Act::CutRequest && half > 0;
            let answer = pass(&head, &body, is_cut, behind.unwrap())?;
            match act {
                Act::CutRequest if is_cut => return client.shutdown(Shutdown::Both),
                Act::LoseAnswer => return client.shutdown(Shutdown::Both),
                Act::CutAnswer => answer[..cut(&answer)].to_vec(),
                Act::ChangeAnswer => {
                    let mut answer = answer;
                    *answer.last_mut().unwrap() ^= 1;
                    answer
                }
                _ => answer,
            }
        }
    };
    (&client).write_all(&answer)?;
    client.shutdown(Shutdown::Both)
}

/// Sends a request on, and reads the answer to its end.
fn pass(head: &str, body: &[u8], is_cut: bool, behind: &str) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(behind)?;
    let (line, rest) = head.split_once("\r\n").unwrap();
    write!(server, "{line}\r\nconnection: close\r\n{rest}")?;
    server.write_all(body)?;
    if is_cut {
        // The server sees that no more comes; it would wait otherwise.
        server.shutdown(Shutdown::Write)?;
    }
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Where an answer is cut off: in the middle of its body, or of its head when it has none.
fn cut(answer: &[u8]) -> usize {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = end.unwrap() + 4;
    match answer.len() - body {
        0 => body / 2,
        len => body + len / 2,
    }
}
