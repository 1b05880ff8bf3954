//! What an independent auditor does, without a desk: make a key, and sign an audit with it.

use std::path::{Path, PathBuf};

use alnager_journal::note::{Note, VerifyingKey};
use alnager_office::signature::{KEY_KIND, Stated};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::JobError;
use crate::files::{EVIDENCE_BYTES_MAX, read_bytes, refuse_existing, write_whole};
use crate::law::pack;
use crate::library::sha256;

/// What to sign, and with what.
#[derive(Debug, Clone)]
pub struct Signing {
    /// The audit as it is handed over: one file.
    pub document: PathBuf,
    /// The auditor's statement of independence, as it is handed over.
    pub statement: PathBuf,
    /// The file of the secret key.
    pub key: PathBuf,
    /// The name the key must have.
    pub name: String,
    /// The day of the audit; without it today (UTC).
    pub on: Option<Date>,
    /// Where the note goes, a new file; without it beside the document, with `.note` at the end of its name.
    pub out: Option<PathBuf>,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What the note states.
    pub stated: Stated,
    /// The note on disk.
    pub note: PathBuf,
}

/// Makes a key that signs audits and writes it to a new file that only its owner may read. Gives the key it is verified with.
pub fn new_key(name: &str, file: &Path) -> Result<VerifyingKey, JobError> {
    pack::keygen(name, file)
}

/// Signs an audit: writes a signed note over the hashes of the document and of the statement of independence, and the day.
pub fn sign(signing: &Signing) -> Result<Signed, JobError> {
    let out = signing.out.clone().unwrap_or_else(|| {
        let mut name = signing.document.clone().into_os_string();
        name.push(".note");
        PathBuf::from(name)
    });
    refuse_existing(&out)?;
    let hash = |path: &Path, doing| -> Result<String, JobError> {
        Ok(sha256(&read_bytes(path, EVIDENCE_BYTES_MAX, doing)?))
    };
    let document = hash(&signing.document, "cannot be read; name the audit to sign")?;
    let statement = hash(
        &signing.statement,
        "cannot be read; name the statement of independence",
    )?;
    if document == statement {
        return Err(JobError::Input(
            "the audit and the statement of independence are the same document; name two files"
                .to_owned(),
        ));
    }
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let on = signing.on.unwrap_or(today);
    if on > today {
        return Err(JobError::Input(format!(
            "an audit of {on} has not taken place yet; name today or an earlier day with --on"
        )));
    }
    let key = pack::signing_key(&signing.key)?;
    let public = key.verifying_key(KEY_KIND);
    if public.name() != signing.name {
        return Err(JobError::Input(format!(
            "the key in `{}` is `{}`, not `{}`; name its own name with --name, or another key",
            signing.key.display(),
            public.name(),
            signing.name
        )));
    }
    let stated = Stated {
        document,
        statement,
        on,
        key: public,
    };
    let text = stated.to_text();
    let signature = key.sign(&text);
    let note = Note::new(text, vec![signature])
        .map_err(|error| JobError::Internal(format!("the audit cannot be signed: {error}")))?;
    write_whole(&out, note.to_string().as_bytes())?;
    Ok(Signed { stated, note: out })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        new_key("auditor.example", &place("key")).unwrap();
        std::fs::write(place("audit.txt"), "the audit").unwrap();
        std::fs::write(place("statement.txt"), "independent").unwrap();
        let signing = |out: Option<&str>| Signing {
            document: place("audit.txt"),
            statement: place("statement.txt"),
            key: place("key"),
            name: "auditor.example".to_owned(),
            on: None,
            out: out.map(place),
        };
        let read = |name: &str| std::fs::read(place(name)).unwrap();
        for name in ["key", "audit.txt", "statement.txt"] {
            let before = read(name);
            let error = sign(&signing(Some(name))).unwrap_err().to_string();
            assert!(error.contains(&*place(name).to_string_lossy()), "{error}");
            assert_eq!(read(name), before);
        }
        assert_eq!(sign(&signing(None)).unwrap().note, place("audit.txt.note"));
        assert!(sign(&signing(None)).is_err());
        assert!(sign(&signing(Some("another.note"))).is_ok());
    }
}
