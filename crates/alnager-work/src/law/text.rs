//! Official texts: files into provision trees, trees into files, and what changed between two of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use alnager_journal::canonical;
use alnager_law::pack::Pack;
use alnager_law::text::stamp::{self, Stamps};
use alnager_law::text::{
    Hash, ImportError, Provision, ProvisionKind, ProvisionTree, SourceFormat, TEXT_BYTES_MAX,
    import_works,
};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::error::JobError;
use crate::files::{read_bytes, read_text, write_whole};

/// The schema of a tree as JSON.
pub const SCHEMA: &str = "alnager.provisions/1";

impl From<ImportError> for JobError {
    fn from(error: ImportError) -> Self {
        JobError::Input(error.to_string())
    }
}

/// A text read from files.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The tree.
    pub tree: ProvisionTree,
    /// The tree as canonical JSON (`alnager.provisions/1`), the same bytes for the same text; this is what a desk stores.
    pub json: Vec<u8>,
}

/// Reads the files of one work: an act and its annexes, or one file. Packed files (gzip) are unpacked. Nothing is stored.
pub fn import(files: &[PathBuf]) -> Result<Imported, JobError> {
    let mut works = works(files)?;
    let tree = works.remove(0);
    if tree.is_annex_alone() {
        return Err(JobError::Input(format!(
            "{}: this is an annex without its act, and says nothing of the articles; name the act first, then its annexes",
            files
                .first()
                .map_or_else(String::new, |file| file.display().to_string())
        )));
    }
    if let Some(other) = works.first() {
        return Err(JobError::Input(format!(
            "the files belong to two works, `{}` and `{}`; import each on its own, an act before its annexes",
            tree.work, other.work
        )));
    }
    let json = canonical::to_bytes(&to_json(&tree))
        .map_err(|error| JobError::Internal(error.to_string()))?;
    Ok(Imported { tree, json })
}

/// Reads files of any number of works, at least one. A tree that `import` wrote is taken as the work it is.
pub fn works(files: &[PathBuf]) -> Result<Vec<ProvisionTree>, JobError> {
    let mut texts = Vec::new();
    let mut trees = Vec::new();
    for file in files {
        let bytes = unpacked(file)?;
        if bytes.trim_ascii_start().starts_with(b"{") {
            trees.push(from_json(file, &bytes)?);
        } else {
            texts.push((file.display().to_string(), bytes));
        }
    }
    let texts: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let mut works = import_works(&texts)?;
    works.extend(trees);
    if works.is_empty() {
        return Err(JobError::Input(
            "no file was named; name an official text".to_owned(),
        ));
    }
    Ok(works)
}

/// The bytes of a file, unpacked where it is a gzip file. Never more than the longest text, however small the packed file is.
fn unpacked(file: &Path) -> Result<Vec<u8>, JobError> {
    let bytes = read_bytes(
        file,
        TEXT_BYTES_MAX as u64,
        "cannot be read; name an official text",
    )?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    let most = TEXT_BYTES_MAX as u64 + 1;
    let unpacked = MultiGzDecoder::new(bytes.as_slice())
        .take(most)
        .read_to_end(&mut text);
    unpacked.map_err(|_| {
        JobError::Input(format!(
            "{}: the packed file is damaged or cut off; fetch it again from the official source",
            file.display()
        ))
    })?;
    Ok(text)
}

/// The tree as JSON, `alnager.provisions/1`.
pub fn to_json(tree: &ProvisionTree) -> Value {
    let provisions = tree.provisions.iter().map(|provision| {
        let parent = provision.parent.map(|at| tree.provisions[at].id.as_str());
        json!({
            "id": provision.id,
            "source_label": provision.source_label,
            "label": provision.label,
            "kind": provision.kind.word(),
            "heading": provision.heading,
            "text": provision.text,
            "parent": parent,
            "own_sha256": provision.own.to_string(),
            "sha256": provision.subtree.to_string(),
        })
    });
    json!({
        "schema": SCHEMA,
        "work": tree.work,
        "title": tree.title,
        "language": tree.language,
        "format": tree.format.word(),
        "valid_from": tree.valid_from.map(|day| day.to_string()),
        "sha256": tree.root_hash().to_string(),
        "provisions": provisions.collect::<Vec<_>>(),
    })
}

/// A tree from JSON; every hash is computed again, and a tree that differs from its hashes is refused.
pub fn from_json(file: &Path, bytes: &[u8]) -> Result<ProvisionTree, JobError> {
    let wrong = |problem: &str| {
        JobError::Input(format!(
            "{}: {problem}; write it anew with `alnager law import FILE --out`",
            file.display()
        ))
    };
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| wrong(&format!("this is not JSON: {error}")))?;
    if value["schema"] != SCHEMA {
        return Err(wrong(&format!("this JSON is no `{SCHEMA}`")));
    }
    let tree = read_tree(&value)
        .ok_or_else(|| wrong("a field is missing or has a value that is not known"))?;
    tree.check().map_err(|at| {
        let id = tree
            .provisions
            .get(at)
            .map_or("", |provision| provision.id.as_str());
        wrong(&format!("the provision `{id}` is not what its hash says"))
    })?;
    Ok(tree)
}

fn read_tree(value: &Value) -> Option<ProvisionTree> {
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    let format = text(value, "format")?;
    let mut positions = std::collections::HashMap::new();
    let mut provisions = Vec::new();
    for (at, value) in value["provisions"].as_array()?.iter().enumerate() {
        let kind = text(value, "kind")?;
        let id = text(value, "id")?;
        let parent = match &value["parent"] {
            Value::Null => None,
            parent => Some(*positions.get(parent.as_str()?)?),
        };
        positions.insert(id.clone(), at);
        provisions.push(Provision {
            id,
            source_label: text(value, "source_label")?,
            label: text(value, "label")?,
            kind: ProvisionKind::ALL
                .into_iter()
                .find(|known| known.word() == kind)?,
            heading: text(value, "heading")?,
            text: text(value, "text")?,
            parent,
            own: Hash::from_hex(&text(value, "own_sha256")?)?,
            subtree: Hash::from_hex(&text(value, "sha256")?)?,
        });
    }
    Some(ProvisionTree {
        work: text(value, "work")?,
        title: text(value, "title")?,
        language: text(value, "language")?,
        format: SourceFormat::ALL
            .into_iter()
            .find(|known| known.word() == format)?,
        valid_from: match &value["valid_from"] {
            Value::Null => None,
            day => Some(day.as_str()?.parse().ok()?),
        },
        provisions,
    })
}

/// Stamps a pack against texts and writes `provisions.toml` into its folder.
pub fn stamp(folder: &Path, texts: &[PathBuf]) -> Result<Stamps, JobError> {
    let file = folder.join("pack.toml");
    let pack = Pack::parse(&file.display().to_string(), &read_text(&file)?)?;
    let stamps = stamp::make(&pack, &works(texts)?);
    if stamps
        .stamps
        .iter()
        .all(|stamp| stamp.provisions.is_empty())
    {
        return Err(JobError::Input(format!(
            "no requirement of `{}` cites a provision of these texts; name the texts of the law it is about",
            pack.id
        )));
    }
    write_whole(
        &folder.join("provisions.toml"),
        stamp::write(&stamps).as_bytes(),
    )?;
    Ok(stamps)
}

#[cfg(test)]
mod tests;
