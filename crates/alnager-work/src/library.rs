//! The library: law, policy and registers in use, from the program or from a dossier.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::calendar::Almanac;
use alnager_law::fact::Vocabulary;
use alnager_law::figure::{self, FigureKind};
use alnager_law::pack::{Pack, Register};
use alnager_law::read::ReadError;
use alnager_law::text::stamp;
use alnager_law::theory::Theories;
use alnager_office::decide::Blob;
use alnager_office::event::{BookFile, BookStamp};
use sha2::{Digest, Sha256};

mod shipped {
    include!(concat!(env!("OUT_DIR"), "/packs.rs"));
}

/// The law and policy in use, bound and stamped.
#[derive(Debug, Clone)]
pub struct Library {
    /// The book.
    pub book: Book,
    /// The calendars and holidays that clocks count by; empty in dossiers older than they are.
    pub almanac: Almanac,
    /// The policy.
    pub policy: Policy,
    /// What they consist of.
    pub stamp: BookStamp,
    /// Their texts, as one blob: an object from the stamp's names to texts.
    pub texts: Blob,
}

/// The library shipped with the program.
pub fn shipped() -> Result<Library, ReadError> {
    of_files(&shipped_files())
}

/// The part of the shipped law that theories of fairness tests rest on, and the shipped policy: all that an audit without a
/// desk asks, in a fraction of the time that the whole takes to read.
pub fn shipped_theories() -> Result<(Book, Policy), ReadError> {
    let files = shipped_files();
    let policy = Policy::parse(POLICY, need(&files, POLICY)?)?;
    Ok((theories_of(&files)?, policy))
}

/// A book of the packs that some theory names a requirement of, with every register. What a pack without one says does not
/// change how a theory stands.
fn theories_of(files: &Files) -> Result<Book, ReadError> {
    let theories = Theories::parse(THEORIES, need(files, THEORIES)?)?;
    let named = theories
        .all()
        .iter()
        .flat_map(|theory| &theory.requirements);
    let named: BTreeSet<&str> = named.map(String::as_str).collect();
    let rests_on = |text: &str| {
        let ids = text.lines().filter_map(|line| line.strip_prefix("id = "));
        ids.map(|id| id.trim_matches('"'))
            .any(|id| named.contains(id))
    };
    let registers = Registers::of(files)?;
    let packs = packs_among(files).filter(|(_, text)| rests_on(text));
    let packs = packs.map(|(name, text)| Pack::parse(name, text));
    Book::new(
        registers.vocabulary,
        registers.evidence,
        registers.controls,
        packs.collect::<Result<_, _>>()?,
    )?
    .with_theories(theories)
}

/// Name and text of every pack of law, and of frameworks.
fn packs_among(files: &Files) -> impl Iterator<Item = (&str, &str)> {
    let is_pack = |name: &str| pack_file(name).is_some_and(|(_, file)| file == "pack.toml");
    let files = files.iter().filter(move |(name, _)| is_pack(name));
    files.map(|(name, text)| (name.as_str(), text.as_str()))
}

/// Every file of `packs/` shipped with the program, by name: the law in use, and the cases that test it.
pub fn shipped_files() -> Files {
    let files = shipped::FILES.iter();
    files
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// The name of the policy in use.
pub const POLICY: &str = "policy/default/pack.toml";

/// Files by name, as they lie in `packs/`.
pub type Files = BTreeMap<String, String>;

/// The library that files make: the law, the policy and the registers among them.
pub fn of_files(files: &Files) -> Result<Library, ReadError> {
    let files = files.iter().filter(|(name, _)| in_use(name));
    from_texts(
        files
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect(),
    )
}

/// The lists that conditions and requirements take their names from; a pack may bring some of its own.
pub const REGISTERS: [&str; 5] = [
    "facts.toml",
    "evidence.toml",
    "controls.toml",
    "figures.toml",
    THEORIES,
];

/// What fairness tests are for. A pack brings none of its own: a theory names statistics, which a law pack knows nothing of.
const THEORIES: &str = "theories.toml";

/// Which provisions the requirements of a pack were written against.
pub const STAMPS: &str = "provisions.toml";

/// Cases test a pack; they are no part of the law in use, as the calendars are.
fn in_use(name: &str) -> bool {
    name.ends_with("/pack.toml")
        || REGISTERS.contains(&name)
        || name.starts_with("calendar/")
        || pack_file(name).is_some_and(|(_, file)| {
            file == STAMPS || (file != THEORIES && REGISTERS.contains(&file))
        })
}

/// The folder of a pack and the file in it, for a name such as `law/gdpr/pack.toml`.
pub fn pack_file(name: &str) -> Option<(&str, &str)> {
    let (folder, file) = name.rsplit_once('/')?;
    let (kind, _) = folder.split_once('/')?;
    (kind == "law" || kind == "framework").then_some((folder, file))
}

/// The registers, with what the packs bring along.
#[derive(Debug, Clone)]
pub struct Registers {
    /// The facts.
    pub vocabulary: Vocabulary,
    /// The kinds of evidence.
    pub evidence: Register,
    /// The common controls.
    pub controls: Register,
    /// The kinds of figures; `None` in a book sealed before they were kept.
    pub figures: Option<BTreeMap<String, FigureKind>>,
}

impl Registers {
    /// Reads the registers among these files; two definitions of one name are an error.
    pub fn of(files: &Files) -> Result<Registers, ReadError> {
        let evidence = |file: &str, text: &str| Register::parse(file, text, "kind");
        let controls = |file: &str, text: &str| Register::parse(file, text, "control");
        let mut registers = Registers {
            vocabulary: Vocabulary::parse("facts.toml", need(files, "facts.toml")?)?,
            evidence: evidence("evidence.toml", need(files, "evidence.toml")?)?,
            controls: controls("controls.toml", need(files, "controls.toml")?)?,
            figures: None,
        };
        if let Some(text) = files.get("figures.toml") {
            registers.figures = Some(figure::kinds("figures.toml", text)?);
        }
        for (name, text) in files {
            let Some((_, file)) = pack_file(name) else {
                continue;
            };
            match file {
                "facts.toml" => {
                    let brought = Vocabulary::parse(name, text)?;
                    registers.vocabulary.merge(name, brought)?;
                }
                "evidence.toml" => registers.evidence.merge(name, evidence(name, text)?)?,
                "controls.toml" => registers.controls.merge(name, controls(name, text)?)?,
                "figures.toml" => {
                    let kinds = registers.figures.get_or_insert_default();
                    figure::merge(kinds, name, figure::kinds(name, text)?)?;
                }
                _ => {}
            }
        }
        Ok(registers)
    }
}

fn need<'f>(files: &'f Files, name: &str) -> Result<&'f str, ReadError> {
    let text = files.get(name).ok_or_else(|| ReadError {
        file: name.to_owned(),
        line: 0,
        field: String::new(),
        problem: "this file is missing among the packs".to_owned(),
    })?;
    Ok(text)
}

/// Reads a library from its texts by name, as they lie in `packs/` or in a dossier.
pub fn from_texts(texts: Files) -> Result<Library, ReadError> {
    let registers = Registers::of(&texts)?;
    let policy = Policy::parse(POLICY, need(&texts, POLICY)?)?;
    let mut packs = Vec::new();
    for (name, text) in packs_among(&texts) {
        packs.push(Pack::parse(name, text)?);
    }
    packs.push(policy.pack.clone());
    // What binds stands first on every page.
    packs.sort_by_key(|pack| !pack.binding);
    let mut book = Book::new(
        registers.vocabulary,
        registers.evidence,
        registers.controls,
        packs,
    )?;
    if let Some(figures) = registers.figures {
        book = book.with_figures(figures)?;
    }
    book = book.with_stamps(stamps(&texts)?)?;
    // A book sealed before they were kept has none.
    if let Some(text) = texts.get(THEORIES) {
        book = book.with_theories(Theories::parse(THEORIES, text)?)?;
    }
    for condition in policy.conditions() {
        book.bind_condition(condition)?;
    }
    policy.check_blocking(&book)?;
    let almanac = almanac(&texts)?;
    if !almanac.is_empty() {
        almanac.check(&book)?;
    }
    let files = texts.iter().map(|(name, text)| BookFile {
        name: name.clone(),
        sha256: sha256(text.as_bytes()),
    });
    let stamp = BookStamp {
        files: files.collect(),
    };
    let object: serde_json::Map<String, serde_json::Value> = texts
        .into_iter()
        .map(|(name, text)| (name, serde_json::Value::String(text)))
        .collect();
    let bytes = serde_json::Value::Object(object).to_string().into_bytes();
    let texts = Blob {
        name: "book.json".to_owned(),
        media: "application/json".to_owned(),
        bytes: Arc::new(bytes),
    };
    Ok(Library {
        book,
        almanac,
        policy,
        stamp,
        texts,
    })
}

/// The stamps among the texts, each of the pack in whose folder it lies.
fn stamps(texts: &Files) -> Result<Vec<stamp::Stamps>, ReadError> {
    let mut all = Vec::new();
    for (name, text) in texts {
        let Some((folder, STAMPS)) = pack_file(name) else {
            continue;
        };
        let stamps = stamp::parse(name, text)?;
        if !folder.ends_with(&format!("/{}", stamps.pack)) {
            return Err(ReadError {
                file: name.clone(),
                line: 0,
                field: "pack".to_owned(),
                problem: format!(
                    "these are the stamps of `{}`, and they lie in the folder of another pack",
                    stamps.pack
                ),
            });
        }
        all.push(stamps);
    }
    Ok(all)
}

/// The calendars among the texts; none where there are none.
fn almanac(texts: &BTreeMap<String, String>) -> Result<Almanac, ReadError> {
    const RULES: &str = "calendar/rules.toml";
    let Some(rules) = texts.get(RULES) else {
        return Ok(Almanac::default());
    };
    let sets = texts
        .iter()
        .filter(|(name, _)| name.starts_with("calendar/holidays/"))
        .map(|(name, text)| (name.as_str(), text.as_str()));
    Almanac::parse(RULES, rules, sets)
}

/// Reads a library from the blob it was sealed as.
pub fn from_blob(bytes: &[u8]) -> Result<Library, ReadError> {
    let texts = serde_json::from_slice(bytes).map_err(|error| ReadError {
        file: "book.json".to_owned(),
        line: error.line(),
        field: String::new(),
        problem: "this is not an object from names to texts".to_owned(),
    })?;
    from_texts(texts)
}

impl Library {
    /// The policy in one line, for reports.
    pub fn policy_words(&self) -> String {
        format!(
            "{} {}, approved by {} ({}) on {}",
            self.policy.pack.title,
            self.policy.version,
            self.policy.approved_by,
            self.policy.approved_role,
            self.policy.approved_on
        )
    }
}

/// SHA-256 of bytes, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
