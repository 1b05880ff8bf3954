//! Official texts: read from the formats in which authorities publish them into a tree of addressed provisions.
//!
//! Pure: bytes come in, a tree or a clear error comes out. The texts themselves are never shipped; what the packs keep of them are
//! addresses and hashes ([`stamp`]). The format of the tree and of its addresses: `docs/formats/provisions.md`.

pub mod cite;
pub mod diff;
mod ecfr;
mod eu;
mod formex;
mod regml;
pub mod stamp;
mod tree;
mod xhtml;
mod xml;

pub use tree::{
    Hash, PROVISIONS_MAX, Provision, ProvisionKind, ProvisionTree, SourceFormat, normalised,
};

use std::fmt;

/// Longest official text, in bytes, unpacked; title 26 of the eCFR, the longest title, has less.
pub const TEXT_BYTES_MAX: usize = 64 << 20;

/// Why a file was not imported. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ImportError {
    /// The file's name as the reader was told it.
    pub file: String,
    /// The line, counted from 1; 0 where the complaint is about the whole file.
    pub line: usize,
    /// What was wrong and what to do, in one sentence.
    pub problem: String,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Reads an official text. The format is found by what the file holds, not by its name; `file` is for messages only.
pub fn import(file: &str, bytes: &[u8]) -> Result<ProvisionTree, ImportError> {
    let text = decode(file, bytes)?;
    let imported = if let Some((part, line)) = xhtml::part(text) {
        if !text.trim_end().ends_with("</html>") {
            return Err(ImportError {
                file: file.to_owned(),
                line: text.lines().count(),
                problem: "the page is cut off: `</html>` is missing at its end; save it again from EUR-Lex".to_owned(),
            });
        }
        let part = xhtml::without_scripts(part);
        let document = xml::read(file, &part, line)?;
        xhtml::read(file, document.root())?
    } else {
        let document = xml::read(file, text, 1)?;
        let root = document.root();
        match root.name() {
            name if formex::is_root(name) => formex::read(file, root)?,
            "regulation" => regml::read(file, root)?,
            name if ecfr::is_root(name) => ecfr::read(file, root)?,
            name => return Err(wrong(file, &foreign(name))),
        }
    };
    if imported.provisions.len() < 2 {
        return Err(wrong(
            file,
            &format!(
                "no provision was found, though it looks like {}; take the whole text from the official source",
                imported.format.word()
            ),
        ));
    }
    Ok(imported)
}

/// Reads several files. Those of one work, such as an act and its annexes in Formex, become one tree; the act comes first.
pub fn import_works(files: &[(&str, &[u8])]) -> Result<Vec<ProvisionTree>, ImportError> {
    let mut works: Vec<ProvisionTree> = Vec::new();
    for (file, bytes) in files {
        let part = import(file, bytes)?;
        match works.iter_mut().find(|whole| tree::is_part(whole, &part)) {
            Some(whole) => tree::join(whole, part).map_err(|problem| wrong(file, &problem))?,
            None => works.push(part),
        }
    }
    Ok(works)
}

/// Bytes as text: UTF-8, with or without a byte-order mark.
fn decode<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, ImportError> {
    if bytes.len() > TEXT_BYTES_MAX {
        let max = TEXT_BYTES_MAX >> 20;
        return Err(wrong(
            file,
            &format!("the text is longer than {max} MiB; import its parts"),
        ));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong(
            file,
            "the file is empty; fetch it again from the official source",
        ));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(wrong(file, "the file is UTF-16; save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        ImportError {
            file: file.to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            problem: "this is not UTF-8 text (another encoding, or not a text at all); save it as UTF-8, or name the XML or HTML file".to_owned(),
        }
    })?;
    if !text.trim_start().starts_with('<') {
        return Err(wrong(
            file,
            &format!("this is neither XML nor HTML; {READ}"),
        ));
    }
    Ok(text)
}

/// What can be read, for messages.
const READ: &str = "Formex 4, EUR-Lex XHTML, eCFR XML and RegML can be imported";

fn foreign(root: &str) -> String {
    match root {
        "notice" => "this RegML file is a notice: it holds changes, not the regulation; name the regulation's file".to_owned(),
        "FEDREG" | "RULE" | "PRORULE" | "NOTICE" => format!("this is an issue or document of the Federal Register, which announces changes and is no codified text; {READ}"),
        "pLaw" | "bill" | "resolution" | "uscDoc" | "lawDoc" => format!("this is USLM, which is not read yet; {READ}"),
        "html" => format!("this page has no act of the Union in the form EUR-Lex publishes; {READ}"),
        other => format!("`<{}>` is the root of no format known here; {READ}", crate::read::shorten(other)),
    }
}

fn wrong(file: &str, problem: &str) -> ImportError {
    ImportError {
        file: file.to_owned(),
        line: 0,
        problem: problem.to_owned(),
    }
}

/// The kind of act in a European Legislation Identifier, from the first word of an English title. `act` where the text does not say,
/// as in an annex on its own.
fn eu_type(title: &str) -> &'static str {
    let title = title.to_lowercase();
    let first = title.split_whitespace().find_map(|word| match word {
        "regulation" => Some("reg"),
        "directive" => Some("dir"),
        "decision" => Some("dec"),
        "recommendation" => Some("reco"),
        _ => None,
    });
    first.unwrap_or("act")
}

#[cfg(test)]
mod tests;
