//! Files that only grow, one JSON line at a time: answers of an endpoint, rounds of canary rows.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::endpoint::KeptProblem;

/// An open file of lines, which nobody else writes to.
#[derive(Debug)]
pub(crate) struct Lines {
    file: File,
    n_bytes: u64,
}

impl Lines {
    /// Opens a file, or makes it with `head` as its first line, and gives the lines behind the first.
    ///
    /// `head` is an object with a member `schema`; a file whose first line has another value in any member is refused and left
    /// as it is. A last line that was not written to its end is cut off.
    pub(crate) fn open(
        path: &Path,
        schema: &'static str,
        head: &Value,
    ) -> Result<(Lines, Vec<Value>), KeptProblem> {
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(KeptProblem::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(KeptProblem::InUse),
            Err(TryLockError::Error(error)) => return Err(KeptProblem::Io(error)),
        }
        if is_new && let Some(folder) = path.parent() {
            sync_folder(folder).map_err(KeptProblem::Io)?;
        }
        let mut lines = Lines { file, n_bytes: 0 };
        let mut bytes = Vec::new();
        lines
            .file
            .read_to_end(&mut bytes)
            .map_err(KeptProblem::Io)?;
        let first = format!("{head}\n");
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            // Empty, or the first line was not written to its end.
            if !first.as_bytes().starts_with(&bytes) {
                return Err(KeptProblem::Foreign { schema });
            }
            lines.cut(0).map_err(KeptProblem::Io)?;
            lines.append(head).map_err(KeptProblem::Io)?;
            return Ok((lines, Vec::new()));
        };
        check_head(&bytes[..end], schema, head)?;
        let mut found = Vec::new();
        let mut at = end + 1;
        while let Some(n) = bytes[at..].iter().position(|byte| *byte == b'\n') {
            match serde_json::from_slice(&bytes[at..at + n]) {
                Ok(value) => found.push(value),
                // A crash may leave any bytes where the last line should be.
                Err(_) if at + n + 1 == bytes.len() => break,
                Err(error) => {
                    return Err(KeptProblem::Damaged {
                        line: found.len() + 2,
                        why: format!("it is not JSON ({error})"),
                    });
                }
            }
            at += n + 1;
        }
        lines.cut(at as u64).map_err(KeptProblem::Io)?;
        Ok((lines, found))
    }

    /// Writes a line and has the disk keep it. After an error the file is as it was.
    pub(crate) fn append(&mut self, line: &Value) -> io::Result<()> {
        let text = format!("{line}\n");
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.n_bytes += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Should this fail too, the torn line is cut off when the file is opened again.
                let _ = self.cut(self.n_bytes);
                Err(error)
            }
        }
    }

    fn cut(&mut self, n_bytes: u64) -> io::Result<()> {
        if self.file.metadata()?.len() != n_bytes {
            self.file.set_len(n_bytes)?;
            self.file.sync_data()?;
        }
        self.file.seek(SeekFrom::Start(n_bytes))?;
        self.n_bytes = n_bytes;
        Ok(())
    }
}

/// Holds the first line of a file against the one expected, member by member.
fn check_head(line: &[u8], schema: &'static str, head: &Value) -> Result<(), KeptProblem> {
    let found: Value = serde_json::from_slice(line).map_err(|_| KeptProblem::Foreign { schema })?;
    if found["schema"] != head["schema"] {
        return Err(KeptProblem::Foreign { schema });
    }
    let members = head.as_object().into_iter().flatten();
    for (name, now) in members {
        if found[name] != *now {
            return Err(KeptProblem::Bound {
                member: name.clone(),
                holds: shown(&found[name]),
                now: shown(now),
            });
        }
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => crate::error::shown(text),
        other => crate::error::shown(&other.to_string()),
    }
}

/// Makes the name of a new file last.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the name is then as durable as the system makes it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    const SCHEMA: &str = "alnager.test/1";

    fn head() -> Value {
        json!({ "schema": SCHEMA, "of": "a" })
    }

    #[test]
    fn a_torn_line_is_cut_off_wherever_it_tears() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let (mut lines, found) = Lines::open(&path, SCHEMA, &head()).unwrap();
        assert!(found.is_empty());
        lines.append(&json!({ "n": 1 })).unwrap();
        lines.append(&json!({ "n": 2 })).unwrap();
        drop(lines);
        let whole = std::fs::read(&path).unwrap();
        for len in 0..=whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            let (mut lines, found) = Lines::open(&path, SCHEMA, &head()).unwrap();
            let n_whole = whole[..len].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(found.len(), n_whole.saturating_sub(1), "{len}");
            for n in found.len()..2 {
                lines.append(&json!({ "n": n + 1 })).unwrap();
            }
            drop(lines);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{len}");
        }
    }

    #[test]
    fn another_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut other = head();
        other["of"] = json!("b");
        let damaged = format!("{}\nx\n{{}}\n", head());
        for (text, want) in [
            (
                "age,sex\n1,F\n".to_owned(),
                "does not hold `alnager.test/1`",
            ),
            ("notes".to_owned(), "does not hold `alnager.test/1`"),
            (format!("{other}\n"), "belongs to another `of` (b, now a)"),
            (damaged, "line 2 cannot be read"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let error = Lines::open(&path, SCHEMA, &head()).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn two_runs_do_not_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let held = Lines::open(&path, SCHEMA, &head()).unwrap();
        assert!(matches!(
            Lines::open(&path, SCHEMA, &head()),
            Err(KeptProblem::InUse)
        ));
        drop(held);
        Lines::open(&path, SCHEMA, &head()).unwrap();
    }
}
