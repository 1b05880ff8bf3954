//! Who may use an object store: from the environment, or from a file that it names.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rusty_s3::Credentials;

use super::ObjectStoreError;
use crate::error::StoreError;
use crate::folder::is_open_to_others;

const FILE: &str = "ALNAGER_S3_CREDENTIALS";
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

/// Where the credentials come from.
pub(super) enum Source {
    Given(Credentials),
    /// Read anew for each request, so that a token that expires can be replaced while the program runs.
    File(PathBuf),
}

impl Source {
    /// `variable` reads the environment. A file that is named is read at once, so that a mistake in it is told early.
    pub(super) fn find(variable: impl Fn(&str) -> Option<OsString>) -> Result<Source, StoreError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if let Some(path) = set(FILE) {
            let source = Source::File(PathBuf::from(path));
            source.read()?;
            return Ok(source);
        }
        let text = |name: &str| match set(name) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(value) if is_value(&value) => Ok(Some(value)),
                _ => Err(ObjectStoreError::Credentials {
                    reason: format!("the variable `{name}` holds something else than a key"),
                }),
            },
        };
        let given = credentials(text(ACCESS_KEY)?, text(SECRET_KEY)?, text(TOKEN)?);
        let given = given.ok_or_else(|| ObjectStoreError::Credentials {
            reason: format!(
                "set `{ACCESS_KEY}` and `{SECRET_KEY}`, or name a file that holds them in `{FILE}`"
            ),
        })?;
        Ok(Source::Given(given))
    }

    pub(super) fn read(&self) -> Result<Credentials, StoreError> {
        match self {
            Source::Given(credentials) => Ok(credentials.clone()),
            Source::File(path) => read(path),
        }
    }
}

/// Lines `NAME=value`, with the names of the variables; empty lines and lines that begin with `#` say nothing.
fn read(path: &Path) -> Result<Credentials, StoreError> {
    let shown = path.display();
    let wrong = |reason: String| StoreError::from(ObjectStoreError::Credentials { reason });
    if is_open_to_others(path)? {
        return Err(wrong(format!(
            "the file `{shown}` may be read by others; take that away with `chmod 600`"
        )));
    }
    let text = fs::read_to_string(path).map_err(|error| StoreError::io(path, error))?;
    let (mut access, mut secret, mut token) = (None, None, None);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong_line = |what: &str| wrong(format!("line {} of `{shown}` {what}", index + 1));
        let pair = line
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        let (slot, value) = match pair {
            Some((ACCESS_KEY, value)) => (&mut access, value),
            Some((SECRET_KEY, value)) => (&mut secret, value),
            Some((TOKEN, value)) => (&mut token, value),
            _ => {
                return Err(wrong_line(&format!(
                    "is none of `{ACCESS_KEY}=…`, `{SECRET_KEY}=…` and `{TOKEN}=…`"
                )));
            }
        };
        if !is_value(value) {
            return Err(wrong_line(
                "has no plain value; write it without quotes and spaces",
            ));
        }
        if slot.replace(value.to_owned()).is_some() {
            return Err(wrong_line("says something a second time"));
        }
    }
    credentials(access, secret, token).ok_or_else(|| {
        wrong(format!(
            "the file `{shown}` lacks `{ACCESS_KEY}` or `{SECRET_KEY}`"
        ))
    })
}

fn credentials(
    access: Option<String>,
    secret: Option<String>,
    token: Option<String>,
) -> Option<Credentials> {
    let (access, secret) = (access?, secret?);
    Some(match token {
        None => Credentials::new(access, secret),
        Some(token) => Credentials::new_with_token(access, secret, token),
    })
}

fn is_value(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\'')
}
