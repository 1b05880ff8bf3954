//! The secret that opens an endpoint: read when it is needed, sent in one header, shown nowhere.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use alnager_audit::model::{Auth, Secret as Place};
use ureq::http::{HeaderName, HeaderValue};

use super::EndpointProblem;

/// A shorter secret could not be told from ordinary words of an answer.
const LEN_MIN: usize = 8;

/// Longest secret.
const LEN_MAX: u64 = 16 << 10;

/// What stands for a secret where a text that holds one is shown.
const HIDDEN: &str = "[secret]";

/// A secret and the header that carries it.
pub(super) struct Secret {
    text: String,
    pub(super) header: HeaderName,
    pub(super) value: HeaderValue,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Secret {
    /// Reads the secret from where the declaration says it is; a file is relative to `folder`.
    pub(super) fn read(
        auth: &Auth,
        folder: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Secret, EndpointProblem> {
        let (place, text) = match &auth.secret {
            Place::Env(name) => {
                let text = environment(name).filter(|text| !text.trim().is_empty());
                let text =
                    text.ok_or_else(|| EndpointProblem::NoVariable { name: name.clone() })?;
                (name.clone(), text)
            }
            Place::File(file) => {
                let path = folder.join(file);
                let mut text = String::new();
                let read = File::open(&path)
                    .and_then(|file| file.take(LEN_MAX + 1).read_to_string(&mut text));
                read.map_err(|source| EndpointProblem::SecretFile {
                    path: path.display().to_string(),
                    source,
                })?;
                (path.display().to_string(), text)
            }
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
        let wrong = |why| EndpointProblem::Secret {
            place: place.clone(),
            why,
        };
        if text.len() as u64 > LEN_MAX {
            return Err(wrong("is longer than 16,384 bytes; is this the right one?"));
        }
        if text.trim().len() < LEN_MIN {
            return Err(wrong("has fewer than 8 characters; is it complete?"));
        }
        let header = HeaderName::from_bytes(auth.header.as_bytes()).map_err(|_| {
            EndpointProblem::Header {
                header: auth.header.clone(),
            }
        })?;
        let sent = format!("{}{text}", auth.prefix);
        let mut value = HeaderValue::from_str(&sent).map_err(|_| {
            wrong("holds signs that a header cannot carry, such as a line break within it")
        })?;
        value.set_sensitive(true);
        Ok(Secret {
            text,
            header,
            value,
        })
    }

    /// Whether a text repeats the secret.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let secret = self.text.trim().as_bytes();
        text.windows(secret.len()).any(|window| window == secret)
    }

    /// A text without the secret.
    pub(super) fn hidden(&self, text: &str) -> String {
        text.replace(self.text.trim(), HIDDEN)
    }
}
