//! Files of somebody else's are read in a process of their own, that may take so much memory and time and no more.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use crate::refusal::Refusal;
use crate::words::EN;

/// The variable that bounds the memory of a process of this program, in bytes.
pub const MEMORY_MAX: &str = "ALNAGER_MEMORY_MAX";

/// The variable that makes a process of this program tell its progress, and the word such lines begin with.
pub const PROGRESS: &str = "ALNAGER_PROGRESS";

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Exit codes with a result: pass, fail, inconclusive.
const RESULTS: [i32; 3] = [0, 1, 3];

/// What a process may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of memory.
    pub memory: u64,
    /// Time from beginning to end.
    pub time: Duration,
}

/// Runs this program on a file and reads its answer, a JSON document. `progress` is told how far it is, and of how much.
pub async fn run(
    program: &Path,
    arguments: &[String],
    folder: &Path,
    bounds: Bounds,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Value, Refusal> {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env(MEMORY_MAX, bounds.memory.to_string())
        .env(PROGRESS, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            crate::log::error("child", &error.to_string());
            Refusal::Internal
        })?;
    let (Some(out), Some(told)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Refusal::Internal);
    };
    let answered = async {
        let mut answer = Vec::new();
        let mut out = out.take(ANSWER_BYTES_MAX);
        let (read, complaint) = tokio::join!(out.read_to_end(&mut answer), listen(told, progress));
        let status = child.wait().await;
        (read.is_ok(), answer, complaint, status)
    };
    let too_long = |_| Refusal::Invalid(EN.lab.too_long.to_owned());
    let (is_read, answer, complaint, status) = tokio::time::timeout(bounds.time, answered)
        .await
        .map_err(too_long)?;
    let code = status.ok().and_then(|status| status.code());
    match code {
        Some(code) if is_read && RESULTS.contains(&code) => {
            serde_json::from_slice(&answer).map_err(|_| Refusal::Internal)
        }
        Some(_) if !complaint.is_empty() => Err(Refusal::Invalid(complaint)),
        // A process that was ended by the system, or by itself for want of memory, has no word for it.
        Some(_) | None => Err(Refusal::Invalid(EN.lab.too_large.to_owned())),
    }
}

/// Listens to what a process tells: its progress, and in the end what is wrong.
async fn listen(told: tokio::process::ChildStderr, progress: &(dyn Fn(u64, u64) + Sync)) -> String {
    let mut lines = BufReader::new(told.take(1 << 20)).lines();
    let mut complaint = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split(' ');
        if words.next() == Some(PROGRESS) {
            let mut number = || words.find_map(|word| word.parse::<u64>().ok());
            if let (Some(done), Some(total)) = (number(), number()) {
                progress(done, total);
            }
        } else {
            complaint.push_str(line.trim_start_matches("alnager: "));
            complaint.push(' ');
        }
    }
    complaint.trim().to_owned()
}
