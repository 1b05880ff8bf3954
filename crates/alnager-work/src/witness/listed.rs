//! The witnesses a desk asks: `witnesses.policy` in its folder, a C2SP tlog-policy whose `witness` lines have addresses.
//!
//! Whom the organisation has watch its journal is its own configuration. The file may be edited by hand, with groups and a quorum,
//! and is then at the same time a policy to verify with.

use std::io;
use std::path::Path;

use alnager_journal::note::{KeyKind, VerifyingKey};
use alnager_journal::policy::{POLICY_LEN_MAX, Policy};

use crate::error::JobError;
use crate::files::{put_durably, read_bytes};
use crate::law::watch::http::is_base;
use crate::verify::with_causes;

/// The file in the desk's folder.
pub const FILE: &str = "witnesses.policy";

const HEAD: &str =
    "# The witnesses that `alnager journal submit` asks (C2SP tlog-policy).\nquorum none\n";

/// A witness that is asked to cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name in the file.
    pub name: String,
    /// The key its cosignatures are checked with.
    pub key: VerifyingKey,
    /// The address below which it takes checkpoints, without a slash at the end.
    pub url: String,
}

/// The witnesses of a desk, in the order of the file; none without the file.
pub fn list(desk: &Path) -> Result<Vec<Listed>, JobError> {
    match text(desk)? {
        None => Ok(Vec::new()),
        Some(text) => parse(desk, &text),
    }
}

/// Adds a witness to a desk's list, named after its key. An address is `http` or `https`, a host, perhaps a port and a path.
pub fn add(desk: &Path, url: &str, key: &str) -> Result<Listed, JobError> {
    let key = VerifyingKey::parse(key).map_err(|error| JobError::Input(with_causes(&error)))?;
    if key.kind() != KeyKind::Cosignature {
        return Err(JobError::Input(
            "this is the key of a log; give the key that the witness's operator got from `alnager witness init`".to_owned(),
        ));
    }
    let url = url.trim_end_matches('/');
    if !is_base(url) {
        return Err(JobError::Input(format!(
            "`{url}` is no address such as https://witness.example or http://127.0.0.1:8731"
        )));
    }
    let text = text(desk)?.unwrap_or_else(|| HEAD.to_owned());
    let known = parse(desk, &text)?;
    if let Some(same) = known.iter().find(|listed| listed.name == key.name()) {
        return Err(JobError::Input(format!(
            "a witness `{}` is listed already, at {}; remove it first",
            same.name, same.url
        )));
    }
    // Names come before the groups and the quorum that use them.
    let is_use = |line: &&str| {
        let word = line.split_whitespace().next();
        matches!(word, Some("group" | "quorum"))
    };
    let before: Vec<&str> = text.lines().take_while(|line| !is_use(line)).collect();
    let after: Vec<&str> = text.lines().skip(before.len()).collect();
    let line = format!("witness {} {key} {url}", key.name());
    let lines = before.into_iter().chain([line.as_str()]).chain(after);
    write(desk, lines)?;
    Ok(Listed {
        name: key.name().to_owned(),
        url: url.to_owned(),
        key,
    })
}

/// Takes a witness off a desk's list. Its cosignatures stay.
pub fn remove(desk: &Path, name: &str) -> Result<(), JobError> {
    let text = text(desk)?.unwrap_or_default();
    let is_it = |line: &&str| {
        let mut words = line.split_whitespace();
        words.next() == Some("witness") && words.next() == Some(name)
    };
    if !text.lines().any(|line| is_it(&line)) {
        return Err(JobError::Input(format!(
            "no witness `{name}` is listed; `alnager journal witness list` shows those that are"
        )));
    }
    write(desk, text.lines().filter(|line| !is_it(line)))
}

fn write<'l>(desk: &Path, lines: impl Iterator<Item = &'l str>) -> Result<(), JobError> {
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    parse(desk, &text)?;
    put_durably(&desk.join(FILE), text.as_bytes())
}

fn text(desk: &Path) -> Result<Option<String>, JobError> {
    let file = desk.join(FILE);
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let bytes = read_bytes(&file, POLICY_LEN_MAX as u64, "cannot be read")?;
    let text = String::from_utf8(bytes).map_err(|_| wrong(&file, "it is not UTF-8 text"))?;
    Ok(Some(text))
}

fn parse(desk: &Path, text: &str) -> Result<Vec<Listed>, JobError> {
    let file = desk.join(FILE);
    let policy =
        Policy::parse(text.as_bytes()).map_err(|error| wrong(&file, &with_causes(&error)))?;
    let listed = policy.witnesses().map(|witness| {
        let name = String::from_utf8_lossy(&witness.name).into_owned();
        let url = witness.url.as_deref().and_then(|url| std::str::from_utf8(url).ok());
        let url = url.map(|url| url.trim_end_matches('/')).filter(|url| is_base(url));
        let url = url.ok_or_else(|| {
            let problem = format!("the line of witness `{name}` does not end in an address such as https://witness.example");
            wrong(&file, &problem)
        })?;
        Ok(Listed {
            url: url.to_owned(),
            key: witness.key.clone(),
            name,
        })
    });
    listed.collect()
}

fn wrong(file: &Path, problem: &str) -> JobError {
    JobError::Input(format!("`{}`: {problem}", file.display()))
}
