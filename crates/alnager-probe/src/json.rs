//! JSON lines: one object a line, its members being the columns.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::{ProbeError, Problem, Row, choices};
use crate::intake::{self, ROWS_COLUMN, Sink};
use crate::source::{Opened, Progress, RECORD_BYTES_MAX, Unit, hex};

/// Takes in the rows of a file and hashes its bytes on the way; gives the SHA-256.
///
/// A member that is absent or `null` is an empty cell; a number is called as it is written, `true` and `false` by these words.
pub(crate) fn read(
    sink: &mut dyn Sink,
    opened: &Opened,
    progress: &dyn Fn(Progress),
) -> Result<String, ProbeError> {
    sink.intake().compare_floats(&|_| false);
    let (hash, n_read) = (RefCell::new(Sha256::new()), Cell::new(0_u64));
    let text = opened.unpacked(|bytes| {
        hash.borrow_mut().update(bytes);
        n_read.set(n_read.get() + bytes.len() as u64);
    })?;
    let mut reader = BufReader::with_capacity(256 << 10, text);
    let columns = sink.intake().columns().to_vec();
    let (mut line, mut n_line, mut n_told) = (Vec::new(), 0, 0);
    let mut seen = vec![false; columns.len()];
    let mut others: Vec<String> = Vec::new();
    loop {
        line.clear();
        let mut limited = reader.by_ref().take(RECORD_BYTES_MAX + 1);
        let n = limited
            .read_until(b'\n', &mut line)
            .map_err(|source| opened.unreadable(source))?;
        if n == 0 {
            break;
        }
        n_line += 1;
        let wrong = |column: Option<&str>, problem| {
            ProbeError::content(&opened.name, Some(Row::Line(n_line)), column, problem)
        };
        if n as u64 > RECORD_BYTES_MAX {
            return Err(wrong(None, Problem::LongRecord));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let fields = fields(&line, &columns, &mut seen, &mut others)
            .map_err(|(column, problem)| wrong(column.as_deref(), problem))?;
        if others.iter().any(|name| name == ROWS_COLUMN) {
            return Err(ProbeError::CountsAsCsv {
                file: opened.name.clone(),
            });
        }
        if let Err(fault) = intake::row(sink, &|column| fields[column].as_bytes(), None) {
            let column = fault.column.map(|column| columns[column].as_str());
            return Err(wrong(column, fault.problem));
        }
        if n_read.get() > n_told {
            n_told = n_read.get();
            progress(Progress {
                done: n_told.min(opened.n_bytes),
                total: opened.n_bytes,
                unit: Unit::Bytes,
            });
        }
    }
    drop(reader);
    // A column that no line has is a misspelt name.
    if n_line > 0
        && let Some(at) = seen.iter().position(|seen| !seen)
    {
        let names: Vec<&str> = others.iter().map(String::as_str).collect();
        return Err(ProbeError::NoColumn {
            file: opened.name.clone(),
            column: columns[at].clone(),
            hint: choices(&columns[at], "members", &names),
        });
    }
    sink.flush()
        .map_err(|fault| ProbeError::content(&opened.name, None, None, fault.problem))?;
    Ok(hex(hash.into_inner()))
}

/// The texts of the columns in one line.
fn fields(
    line: &[u8],
    columns: &[String],
    seen: &mut [bool],
    others: &mut Vec<String>,
) -> Result<Vec<String>, (Option<String>, Problem)> {
    let not_json = |problem: String| (None, Problem::NotAnObject { problem });
    let text = std::str::from_utf8(line).map_err(|_| (None, Problem::NotUtf8))?;
    let members: HashMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|error| not_json(error.to_string()))?;
    if others.is_empty() {
        others.extend(members.keys().cloned());
        others.sort();
    }
    let mut fields = vec![String::new(); columns.len()];
    for (at, column) in columns.iter().enumerate() {
        let Some(member) = members.get(column) else {
            continue;
        };
        seen[at] = true;
        fields[at] = match member.get().as_bytes().first() {
            Some(b'n') => String::new(),
            Some(b'"') => {
                serde_json::from_str(member.get()).map_err(|error| not_json(error.to_string()))?
            }
            Some(b'{' | b'[') => return Err((Some(column.clone()), Problem::NotAValue)),
            Some(_) | None => member.get().to_owned(),
        };
    }
    Ok(fields)
}
