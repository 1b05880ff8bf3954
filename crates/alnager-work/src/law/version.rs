//! Versions of the law as a person names them: what is shipped, what the desk uses, what was known on a day, or packs in a folder.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use alnager_law::pack::Pack;
use alnager_law::read::ReadError;
use jiff::civil::Date;

use crate::acting::Flags;
use crate::error::JobError;
use crate::files::read_text;
use crate::library::{self, Files, Library, REGISTERS, pack_file, sha256};

/// Which version of the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// The law shipped with the program.
    Shipped,
    /// The law in use on the desk.
    Desk,
    /// The law in use on the desk, as known on a day.
    Known(Date),
    /// Packs in a folder: one pack, several, or a whole `packs/` folder.
    Packs(PathBuf),
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "shipped" => Version::Shipped,
            "desk" => Version::Desk,
            _ => {
                match text.parse() {
                    Ok(day) => Version::Known(day),
                    Err(_) if text.is_empty() => {
                        return Err("name a folder of packs, `shipped`, `desk`, or a day such as 2026-06-30".to_owned());
                    }
                    Err(_) => Version::Packs(PathBuf::from(text)),
                }
            }
        })
    }
}

/// A version of the law, opened.
#[derive(Debug, Clone)]
pub struct Law {
    /// Which one, in words that stay the same from day to day.
    pub words: String,
    /// The law and policy.
    pub library: Library,
    /// Law published by this day counts.
    pub known: Date,
}

/// Opens a version of the law. Where it names no day of knowledge, `--known` or today counts; single packs stand in the law in
/// use, in the place of those with their ids.
pub fn open(flags: &Flags, version: &Version, today: Date) -> Result<Law, JobError> {
    let known = flags.known.unwrap_or(today);
    let (name, files, known) = match version {
        Version::Shipped => (
            "the shipped law".to_owned(),
            library::shipped_files(),
            known,
        ),
        Version::Desk => (
            "the law in use".to_owned(),
            flags.files().as_ref().clone(),
            known,
        ),
        Version::Known(day) => {
            let library = library::of_files(&flags.files())?;
            return Ok(Law {
                words: format!("the law in use as known on {day}"),
                library,
                known: *day,
            });
        }
        Version::Packs(path) => {
            let (name, files) = in_place(path, &flags.files())?;
            (name, files, known)
        }
    };
    let library = library::of_files(&files)?;
    let stamp: String = library
        .stamp
        .files
        .iter()
        .map(|file| format!("{} {}\n", file.name, file.sha256))
        .collect();
    let as_known = flags
        .known
        .map_or(String::new(), |known| format!(" as known on {known}"));
    Ok(Law {
        words: format!("{name}{as_known} ({})", &sha256(stamp.as_bytes())[..12]),
        library,
        known,
    })
}

/// The packs at a path: a `pack.toml`, a folder with one, a folder of such folders, or a whole `packs/` folder. Sorted by id.
pub fn packs(path: &Path) -> Result<Vec<Pack>, JobError> {
    let mut packs = Vec::new();
    for file in pack_files(path)? {
        packs.push(Pack::parse(
            &file.display().to_string(),
            &read_text(&file)?,
        )?);
    }
    packs.sort_by(|one, other| one.id.cmp(&other.id));
    if let Some(at) = (1..packs.len()).find(|at| packs[at - 1].id == packs[*at].id) {
        return Err(ReadError {
            file: packs[at].file().to_owned(),
            line: 0,
            field: "id".to_owned(),
            problem: format!(
                "the pack `{}` is in `{}` too; keep one",
                packs[at].id,
                packs[at - 1].file()
            ),
        }
        .into());
    }
    Ok(packs)
}

/// Whether a path names packs rather than an official text.
pub fn is_packs(path: &Path) -> bool {
    path.is_dir()
        || path
            .extension()
            .is_some_and(|extension| extension == "toml")
}

fn pack_files(path: &Path) -> Result<Vec<PathBuf>, JobError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    collect(path, 2, &mut files)?;
    files.sort();
    match files.is_empty() {
        false => Ok(files),
        true => Err(JobError::Input(format!(
            "`{}` holds no pack; name a folder with a `pack.toml`, a folder of such folders, or a whole `packs/` folder",
            path.display()
        ))),
    }
}

/// The `pack.toml` of a folder or, where it has none, of the folders in it. A policy is no law.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), JobError> {
    let file = folder.join("pack.toml");
    if file.is_file() {
        files.push(file);
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for path in entries(folder)? {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "policy") {
            collect(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, JobError> {
    let error = |source| JobError::File {
        path: folder.to_owned(),
        doing: "cannot be listed; name a folder of packs",
        source,
        is_input: true,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        paths.push(entry.map_err(error)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The files of the law in use with these packs in their places; of a whole `packs/` folder nothing else stays but what it lacks.
fn in_place(path: &Path, in_use: &Files) -> Result<(String, Files), JobError> {
    let is_whole = path.join("law").is_dir();
    let found = packs(path)?;
    let mut files = in_use.clone();
    if is_whole {
        files.retain(|name, _| pack_file(name).is_none());
        registers(path, "", &mut files)?;
        one(path, library::POLICY, &mut files)?;
        one(path, "calendar/rules.toml", &mut files)?;
        for set in holidays(path)? {
            one(path, &set, &mut files)?;
        }
    }
    for pack in &found {
        let file = Path::new(pack.file());
        let source = file.parent().unwrap_or(Path::new("."));
        let is_it = |name: &&str| name.rsplit_once('/').is_some_and(|(_, id)| id == pack.id);
        let place = in_use
            .keys()
            .filter_map(|name| pack_file(name).map(|(folder, _)| folder));
        let place = place
            .filter(|folder| is_it(folder))
            .map(str::to_owned)
            .next()
            .unwrap_or_else(|| format!("law/{}", pack.id));
        files.retain(|name, _| pack_file(name).is_none_or(|(folder, _)| folder != place));
        files.insert(format!("{place}/pack.toml"), read_text(file)?);
        registers(source, &format!("{place}/"), &mut files)?;
    }
    let name = match found.as_slice() {
        [only] => format!("`{}` {}", only.id, only.version),
        many => format!("{} packs", many.len()),
    };
    Ok((name, files))
}

/// Takes the registers that lie in a folder.
fn registers(folder: &Path, place: &str, files: &mut Files) -> Result<(), JobError> {
    for register in REGISTERS {
        let path = folder.join(register);
        if path.is_file() {
            files.insert(format!("{place}{register}"), read_text(&path)?);
        }
    }
    Ok(())
}

/// Takes one file of a `packs/` folder, where it is there.
fn one(folder: &Path, name: &str, files: &mut Files) -> Result<(), JobError> {
    let path = folder.join(name);
    if path.is_file() {
        files.insert(name.to_owned(), read_text(&path)?);
    }
    Ok(())
}

/// The names of the sets of holidays in a `packs/` folder.
fn holidays(folder: &Path) -> Result<Vec<String>, JobError> {
    let sets = folder.join("calendar/holidays");
    if !sets.is_dir() {
        return Ok(Vec::new());
    }
    let names = entries(&sets)?
        .into_iter()
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .filter(|name| name.ends_with(".toml"));
    Ok(names
        .map(|name| format!("calendar/holidays/{name}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_word_a_day_or_a_folder() {
        let read = |text: &str| text.parse::<Version>();
        assert_eq!(read("shipped"), Ok(Version::Shipped));
        assert_eq!(read("desk"), Ok(Version::Desk));
        assert_eq!(
            read("2026-06-30"),
            Ok(Version::Known(jiff::civil::date(2026, 6, 30)))
        );
        assert_eq!(
            read("packs/law"),
            Ok(Version::Packs(PathBuf::from("packs/law")))
        );
        assert!(read("").is_err());
    }
}
