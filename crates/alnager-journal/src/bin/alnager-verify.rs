//! `alnager-verify FILE [--key VKEY] [--policy FILE]`: checks a dossier's signatures, proofs, commitments and wholeness.
//!
//! Needs no desk, no network and no account. Exit code 0: consistent; 1: not; 2: wrong use, or a file that cannot be
//! read. It never says "authentic": whether a key is the right one, only the reader can know.

#![expect(
    clippy::disallowed_methods,
    reason = "the verifier's main reads its words and one file"
)]

use std::fs;
use std::process::ExitCode;

use alnager_journal::dossier::{self, Limits};
use alnager_journal::note::VerifyingKey;
use alnager_journal::policy::Policy;
use alnager_journal::verify::{self, Status, Trust, Verified};

const USAGE: &str = "use: alnager-verify FILE [--key VKEY] [--policy FILE]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let (file, trust) = match read_arguments(&arguments) {
        Ok(read) => read,
        Err(complaint) => return end(2, &complaint),
    };
    let bytes = match read_file(&file) {
        Ok(bytes) => bytes,
        Err(complaint) => return end(2, &complaint),
    };
    let verified = match dossier::read(&bytes, Limits::default()) {
        Ok(read) => verify::verify(&read, &trust).map_err(|error| chain(&error)),
        Err(error) => Err(chain(&error)),
    };
    match verified {
        Ok(verified) => {
            print!("{}", screen(&verified));
            ExitCode::SUCCESS
        }
        Err(complaint) => end(1, &format!("refused: {complaint}")),
    }
}

fn end(code: u8, complaint: &str) -> ExitCode {
    eprintln!("{complaint}");
    ExitCode::from(code)
}

/// The dossier's path and whom to trust, or what is wrong with the words given.
fn read_arguments(arguments: &[String]) -> Result<(String, Trust), String> {
    let (mut file, mut trust) = (None, None);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let trusted = match word.as_str() {
            "--key" => {
                let key = words.next().ok_or(USAGE)?;
                Trust::Key(
                    VerifyingKey::parse(key)
                        .map_err(|error| format!("--key: {}", chain(&error)))?,
                )
            }
            "--policy" => {
                let policy = read_file(words.next().ok_or(USAGE)?)?;
                Trust::Policy(
                    Policy::parse(&policy)
                        .map_err(|error| format!("--policy: {}", chain(&error)))?,
                )
            }
            option if option.starts_with("--") => {
                return Err(format!("unknown option `{}`\n{USAGE}", printable(option)));
            }
            _ if file.is_some() => return Err(USAGE.to_owned()),
            path => {
                file = Some(path.to_owned());
                continue;
            }
        };
        if trust.replace(trusted).is_some() {
            return Err(format!(
                "give one `--key` or one `--policy`, not both\n{USAGE}"
            ));
        }
    }
    Ok((file.ok_or(USAGE)?, trust.unwrap_or(Trust::Unstated)))
}

fn read_file(path: &str) -> Result<Vec<u8>, String> {
    let complaint = |error| format!("cannot read `{}`: {error}", printable(path));
    let len = fs::metadata(path).map_err(complaint)?.len();
    let len_max = Limits::default().len_max;
    if len > len_max {
        return Err(format!(
            "`{}` has `{len}` bytes, more than `{len_max}`",
            printable(path)
        ));
    }
    fs::read(path).map_err(complaint)
}

/// What is said of a consistent dossier.
fn screen(verified: &Verified) -> String {
    let key = printable(&verified.signer.to_string());
    let trust = if verified.trusted {
        "which you trust"
    } else {
        "which you have not said you trust"
    };
    let mut lines = vec![
        format!("consistent; signed by {key}, {trust}"),
        format!(
            "log {}, {} entries, root {}",
            printable(&verified.origin),
            verified.size,
            verified.root.to_base64()
        ),
    ];
    for witness in &verified.witnesses {
        let name = printable(&String::from_utf8_lossy(&witness.name));
        lines.push(format!(
            "cosigned by {name} at {} s after 1970-01-01 UTC",
            witness.unix_s
        ));
    }
    if let Some(main) = verified.main() {
        lines.push(format!(
            "about subject {}, last entry {}",
            main.id, main.head
        ));
    }
    let counts = verified.counts;
    lines.push(format!(
        "{} entries here: payloads intact {}, withheld {}, erased {}; blobs intact {}, absent {}",
        verified.entries.len(),
        counts.intact,
        counts.withheld,
        counts.erased,
        counts.blobs_intact,
        counts.blobs_absent
    ));
    for entry in &verified.entries {
        if let Status::Erased { under } = entry.payload {
            lines.push(format!(
                "entry {}: payload erased under entry {under}",
                entry.index
            ));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// An error with its causes, one after another.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    printable(&text)
}

/// Keeps a stranger's control characters from the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect()
}
