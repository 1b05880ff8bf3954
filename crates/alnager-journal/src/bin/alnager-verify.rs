//! `alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]`: checks evidence from a journal.
//!
//! A dossier: signatures, proofs, commitments and wholeness. A `.tlog-proof` with its entry: that the entry is in the
//! log. A `.row-proof`: that the row is in its segment, and the segment in the log. The folder of a published log: all of it. Needs no desk, no network and no account. Exit code 0: consistent; 1:
//! not; 2: wrong use, or a file that cannot be read. It never says "authentic": whether a key is the right one, only the
//! reader can know.

#![expect(
    clippy::disallowed_methods,
    reason = "the verifier's main reads its words and the files they name"
)]

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::dossier::{self, Limits};
use alnager_journal::merkle::Hash;
use alnager_journal::note::VerifyingKey;
use alnager_journal::policy::{Accepted, Cosigned, Policy};
use alnager_journal::proof::{self, Proof};
use alnager_journal::published;
use alnager_journal::segment::{RowProof, VerifiedRow};
use alnager_journal::verify::{self, Status, Trust, Verified};

const USAGE: &str = "use: alnager-verify FILE|FOLDER [--entry FILE] [--key VKEY] [--policy FILE]";

/// What the words asked for.
struct Asked {
    path: String,
    entry: Option<String>,
    trust: Trust,
}

/// Why there is nothing good to say: the exit code and the words.
type Complaint = (u8, String);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let asked = read_arguments(&arguments).map_err(|complaint| (2, complaint));
    match asked.and_then(|asked| judge(&asked)) {
        Ok(screen) => {
            print!("{screen}");
            ExitCode::SUCCESS
        }
        Err((code, complaint)) => end(code, &complaint),
    }
}

/// Checks what the path names, by its kind.
fn judge(asked: &Asked) -> Result<String, Complaint> {
    let refused = |error: &dyn std::error::Error| (1, format!("refused: {}", chain(error)));
    let is_folder = Path::new(&asked.path).is_dir();
    let bytes = match is_folder {
        true => Vec::new(),
        false => read_file(&asked.path).map_err(|complaint| (2, complaint))?,
    };
    let is_proof = bytes.starts_with(proof::FIRST_LINE.as_bytes());
    if asked.entry.is_some() && !is_proof {
        return Err((
            2,
            "`--entry` goes with a `.tlog-proof`; leave it out".to_owned(),
        ));
    }
    if is_folder {
        let mut read = |path: &str| read_file(&format!("{}/{path}", asked.path));
        let checked = published::check(&mut read, &asked.trust, &mut |_, _| ());
        let checked = checked.map_err(|error| refused(&error))?;
        let mut screen = signed(checked.signed.as_ref(), &checked.checkpoint);
        screen += &format!("{} files, {} bytes\n", checked.n_files, checked.n_bytes);
        return Ok(screen);
    }
    if is_proof {
        let entry = asked.entry.as_ref().ok_or((
            2,
            "a proof is checked with its entry; name the entry's file with `--entry`".to_owned(),
        ))?;
        let entry = read_file(entry).map_err(|complaint| (2, complaint))?;
        let proof = Proof::parse(&bytes).map_err(|error| refused(&error))?;
        proof.verify(&entry).map_err(|error| refused(&error))?;
        let accepted = verify::signed(&proof.checkpoint, &asked.trust);
        let accepted = accepted.map_err(|error| refused(&error))?;
        let mut screen = signed(accepted.as_ref(), &proof.checkpoint);
        screen += &format!("the entry is entry {} of the log\n", proof.index);
        return Ok(screen);
    }
    if RowProof::may_be(&bytes) {
        let proof = RowProof::parse(&bytes).map_err(|error| refused(&error))?;
        let verified = proof.verify(&asked.trust);
        return Ok(row_screen(&verified.map_err(|error| refused(&error))?));
    }
    let read = dossier::read(&bytes, Limits::default()).map_err(|error| refused(&error))?;
    let verified = verify::verify(&read, &asked.trust).map_err(|error| refused(&error))?;
    Ok(screen(&verified))
}

fn end(code: u8, complaint: &str) -> ExitCode {
    eprintln!("{complaint}");
    ExitCode::from(code)
}

/// What is wrong with the words given, or what they ask for.
fn read_arguments(arguments: &[String]) -> Result<Asked, String> {
    let (mut path, mut entry, mut trust) = (None, None, None);
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
            "--entry" if entry.is_none() => {
                entry = Some(words.next().ok_or(USAGE)?.to_owned());
                continue;
            }
            option if option.starts_with("--") && option != "--entry" => {
                return Err(format!("unknown option `{}`\n{USAGE}", printable(option)));
            }
            _ if path.is_some() => return Err(USAGE.to_owned()),
            word => {
                path = Some(word.to_owned());
                continue;
            }
        };
        if trust.replace(trusted).is_some() {
            return Err(format!(
                "give one `--key` or one `--policy`, not both\n{USAGE}"
            ));
        }
    }
    Ok(Asked {
        path: path.ok_or(USAGE)?,
        entry,
        trust: trust.unwrap_or(Trust::Unstated),
    })
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

/// What is said of a consistent checkpoint outside of a dossier, which brings no key along.
fn signed(accepted: Option<&Accepted>, checkpoint: &SignedCheckpoint) -> String {
    let by = match accepted {
        Some(accepted) => format!(
            "signed by {}, which you trust",
            printable(&accepted.log.to_string())
        ),
        None => "its signature was not checked, for you named no key".to_owned(),
    };
    let checkpoint = checkpoint.checkpoint();
    let mut lines = vec![
        format!("consistent; {by}"),
        format!(
            "log {}, {} entries, root {}",
            printable(checkpoint.origin()),
            checkpoint.size(),
            checkpoint.root().to_base64()
        ),
    ];
    lines.extend(accepted.map_or(Vec::new(), |accepted| cosigned(&accepted.witnesses)));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn cosigned(witnesses: &[Cosigned]) -> Vec<String> {
    let line = |witness: &Cosigned| {
        let name = printable(&String::from_utf8_lossy(&witness.name));
        format!(
            "cosigned by {name} at {} s after 1970-01-01 UTC",
            witness.unix_s
        )
    };
    witnesses.iter().map(line).collect()
}

/// The first lines of what is said of evidence that brings its key along.
fn signed_inside(
    (signer, trusted): (&VerifyingKey, bool),
    (origin, size, root): (&str, u64, Hash),
    witnesses: &[Cosigned],
) -> Vec<String> {
    let key = printable(&signer.to_string());
    let trust = if trusted {
        "which you trust"
    } else {
        "which you have not said you trust"
    };
    let mut lines = vec![
        format!("consistent; signed by {key}, {trust}"),
        format!(
            "log {}, {size} entries, root {}",
            printable(origin),
            root.to_base64()
        ),
    ];
    lines.extend(cosigned(witnesses));
    lines
}

/// What is said of a row that is in the log.
fn row_screen(verified: &VerifiedRow) -> String {
    let mut lines = signed_inside(
        (&verified.signer, verified.trusted),
        (&verified.origin, verified.size, verified.root),
        &verified.witnesses,
    );
    lines.push(printable(&format!(
        "system {:?}: row {} of the {} rows, from 0, that entry {} sealed at {}",
        verified.system, verified.index, verified.stated.n_rows, verified.entry, verified.at
    )));
    for column in &verified.stated.columns {
        let value = verified.row.get(column).and_then(Option::as_deref);
        let value = value.map_or("(none)".to_owned(), |value| format!("{value:?}"));
        lines.push(format!("  {}: {}", printable(column), printable(&value)));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What is said of a consistent dossier.
fn screen(verified: &Verified) -> String {
    let mut lines = signed_inside(
        (&verified.signer, verified.trusted),
        (&verified.origin, verified.size, verified.root),
        &verified.witnesses,
    );
    if !verified.unchecked.is_empty() {
        lines.push(printable(&format!(
            "signed also by {}, which was not checked, for you named no such key",
            verified.unchecked.join(", ")
        )));
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
