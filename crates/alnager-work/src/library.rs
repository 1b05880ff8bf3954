//! The library: law, policy and registers in use, from the program or from a dossier.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::fact::Vocabulary;
use alnager_law::pack::{Pack, Register};
use alnager_law::read::ReadError;
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
    /// The policy.
    pub policy: Policy,
    /// What they consist of.
    pub stamp: BookStamp,
    /// Their texts, as one blob: an object from the stamp's names to texts.
    pub texts: Blob,
}

/// The cases of the shipped packs: file name and text.
pub fn shipped_cases() -> Vec<(&'static str, &'static str)> {
    shipped::FILES
        .iter()
        .copied()
        .filter(|(name, _)| name.ends_with("/cases.toml"))
        .collect()
}

/// The library shipped with the program.
pub fn shipped() -> Result<Library, ReadError> {
    let files = shipped::FILES.iter().filter(|(name, _)| in_use(name));
    from_texts(
        files
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
    )
}

/// Cases test a pack; they are no part of the law in use.
fn in_use(name: &str) -> bool {
    name.ends_with("/pack.toml") || ["facts.toml", "evidence.toml", "controls.toml"].contains(&name)
}

/// Reads a library from its texts by name, as they lie in `packs/` or in a dossier.
pub fn from_texts(texts: BTreeMap<String, String>) -> Result<Library, ReadError> {
    let need = |name: &str| {
        texts.get(name).ok_or_else(|| ReadError {
            file: name.to_owned(),
            line: 0,
            field: String::new(),
            problem: "this file is missing among the packs".to_owned(),
        })
    };
    let vocabulary = Vocabulary::parse("facts.toml", need("facts.toml")?)?;
    let evidence = Register::parse("evidence.toml", need("evidence.toml")?, "kind")?;
    let controls = Register::parse("controls.toml", need("controls.toml")?, "control")?;
    let policy = Policy::parse(
        "policy/default/pack.toml",
        need("policy/default/pack.toml")?,
    )?;
    let mut packs = Vec::new();
    for (name, text) in texts
        .iter()
        .filter(|(name, _)| name.starts_with("law/") || name.starts_with("framework/"))
    {
        packs.push(Pack::parse(name, text)?);
    }
    packs.push(policy.pack.clone());
    let book = Book::new(vocabulary, evidence, controls, packs)?;
    for test in &policy.tests {
        book.bind_condition(&test.when)?;
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
        policy,
        stamp,
        texts,
    })
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
