//! A pack's folder, read from disk or from a signed file.

use std::path::{Path, PathBuf};

use alnager_law::pack::{Pack, PackKind};
use alnager_law::read;
use jiff::civil::Date;

use super::signed::{Contents, FILES};
use crate::error::JobError;
use crate::files::read_text;
use crate::library::Files;

/// The texts of one pack.
pub(super) struct PackFolder {
    /// Where it was read.
    pub(super) path: PathBuf,
    /// The pack's id.
    pub(super) id: String,
    /// The pack's version; empty where it says none.
    pub(super) version: String,
    /// The day up to which its law was read; the first day there is where it says none.
    pub(super) known_as_of: Date,
    /// Its folder in `packs/`, such as `law/gdpr`.
    pub(super) name: String,
    /// Its files by their names in the folder.
    pub(super) files: Files,
}

impl PackFolder {
    /// Reads a folder: the files a pack may have; anything else in it is no part of the pack.
    pub(super) fn read(path: &Path) -> Result<PackFolder, JobError> {
        if !path.join("pack.toml").is_file() {
            return Err(JobError::Input(format!(
                "`{}` holds no pack.toml; name the folder of a pack",
                path.display()
            )));
        }
        let mut files = Files::new();
        for name in FILES {
            let file = path.join(name);
            if file.is_file() {
                files.insert(name.to_owned(), read_text(&file)?);
            }
        }
        // As the folder is named on the command line, without a slash at its end.
        let path: PathBuf = path.components().collect();
        let (id, version, known_as_of, kind) = header(&path, &files)?;
        Ok(PackFolder {
            name: format!("{kind}/{id}"),
            path,
            id,
            version,
            known_as_of,
            files,
        })
    }

    /// Takes the contents of a signed file, whose manifest must say what its pack says.
    pub(super) fn of_contents(file: &Path, contents: Contents) -> Result<PackFolder, JobError> {
        let name = format!("{}: pack.toml", file.display());
        let pack = Pack::parse(
            &name,
            contents.files.get("pack.toml").map_or("", String::as_str),
        )?;
        let (id, version) = (&contents.id, &contents.version);
        if (&pack.id, &pack.version, pack.known_as_of) != (id, version, contents.known_as_of) {
            return Err(JobError::Input(format!(
                "{}: it was signed as `{id}` {version} and holds `{}` {}; have it signed again",
                file.display(),
                pack.id,
                pack.version
            )));
        }
        // An id names a folder: nothing that could reach for another pack's.
        if !is_plain(id) {
            return Err(JobError::Input(format!(
                "{}: `{}` is no id of a pack, which has small letters, digits and `-` only",
                file.display(),
                id.escape_default()
            )));
        }
        Ok(PackFolder {
            path: file.to_owned(),
            name: format!("{}/{}", kind_folder(pack.kind), pack.id),
            id: pack.id,
            version: pack.version,
            known_as_of: pack.known_as_of,
            files: contents.files,
        })
    }

    /// Its files by their names in `packs/`.
    pub(super) fn named(&self) -> Files {
        let named = self.files.iter();
        named
            .map(|(file, text)| (format!("{}/{file}", self.name), text.clone()))
            .collect()
    }

    /// A file as messages name it.
    pub(super) fn shown(&self, file: &str) -> String {
        self.path.join(file).display().to_string()
    }
}

/// Id, version, day and kind as far as they can be read: what is wrong with a pack is for its check to say, all of it.
fn header(path: &Path, files: &Files) -> Result<(String, String, Date, &'static str), JobError> {
    let file = path.join("pack.toml").display().to_string();
    let root = read::read(&file, &files["pack.toml"])?;
    let text = |key: &str| {
        root.get(key)
            .ok()
            .flatten()
            .and_then(|node| node.text().ok())
    };
    let id = root.need("id")?.words()?;
    if !is_plain(&id) {
        return Err(root
            .need("id")?
            .wrong("an id has small letters, digits and `-` only, such as `us-nyc-ll144`")
            .into());
    }
    let kind = match text("kind").as_deref() {
        Some("standard") => kind_folder(PackKind::Standard),
        Some("framework") => kind_folder(PackKind::Framework),
        _ => "law",
    };
    let status = root.get("status").ok().flatten();
    let known = status.and_then(|status| status.get("known_as_of").ok().flatten());
    let known = known.and_then(|node| node.date().ok()).unwrap_or(Date::MIN);
    Ok((id, text("version").unwrap_or_default(), known, kind))
}

fn is_plain(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !id.is_empty() && id.chars().all(is_plain)
}

/// Where packs of a kind lie in `packs/`.
fn kind_folder(kind: PackKind) -> &'static str {
    match kind {
        PackKind::Standard | PackKind::Framework => "framework",
        PackKind::Statute
        | PackKind::Regulation
        | PackKind::LocalLaw
        | PackKind::Guidance
        | PackKind::Bill
        | PackKind::Policy => "law",
    }
}
