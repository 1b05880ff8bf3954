//! Formex 4, the format in which the EU Publications Office publishes the Official Journal.
//!
//! Read are `ACT` (an act) and `ANNEX` (one annex of it, a file of its own). `DOC` and `PUBLICATION` are manifests: they list files and
//! hold no law. Element names: the Formex 4 schema, <https://op.europa.eu/en/web/eu-vocabularies/formex>.

use super::eu;
use super::tree::{ProvisionKind, ProvisionTree, SourceFormat, TreeBuilder, normalised};
use super::xml::{At, Piece};
use super::{ImportError, wrong};

/// Whether a root element is Formex.
pub(super) fn is_root(name: &str) -> bool {
    matches!(
        name,
        "ACT" | "ANNEX" | "DOC" | "PUBLICATION" | "CONS.ACT" | "CORR"
    )
}

/// Reads an act or an annex.
pub(super) fn read(file: &str, root: At<'_, '_>) -> Result<ProvisionTree, ImportError> {
    match root.name() {
        "DOC" | "PUBLICATION" => {
            return Err(wrong(
                file,
                "this Formex file is a manifest: it lists the files of a publication and holds no provision; import the act and the annexes it names",
            ));
        }
        "ACT" | "ANNEX" => {}
        other => {
            return Err(wrong(
                file,
                &format!("Formex `{other}` is not read; `ACT` and `ANNEX` are"),
            ));
        }
    }
    let title = root.child("TITLE").and_then(|title| title.child("TI"));
    let title = title
        .map(|title| normalised(&text_of(title)))
        .unwrap_or_default();
    let about = root.child("BIB.INSTANCE");
    let language = about.and_then(|about| about.child("LG.DOC"));
    let language = language.map_or("und".to_owned(), |at| text_of(at).trim().to_lowercase());
    let mut reader = Formex {
        tree: TreeBuilder::new(file, &work(file, root, &title)?),
        n_citations: 0,
    };
    if root.name() == "ANNEX" {
        reader.annex(root)?;
    } else {
        reader.act(root)?;
    }
    let is_annex = root.name() == "ANNEX";
    Ok(ProvisionTree {
        work: reader.tree.work().to_owned(),
        title: if is_annex { String::new() } else { title },
        language,
        format: SourceFormat::Formex,
        valid_from: None,
        provisions: reader.tree.finish(),
    })
}

/// The address of the act, from its number and the first word of its title.
fn work(file: &str, root: At<'_, '_>, title: &str) -> Result<String, ImportError> {
    let number = root
        .child("BIB.INSTANCE")
        .and_then(|about| about.find("NO.DOC"));
    let part = |name| {
        let text = number.and_then(|number| number.child(name)).map(text_of);
        text.map(|text| text.trim().trim_start_matches('0').to_owned())
    };
    let (Some(year), Some(number)) = (part("YEAR"), part("NO.CURRENT")) else {
        return Err(wrong(
            file,
            "the act's number (`NO.DOC` with `YEAR` and `NO.CURRENT`) is missing, so its provisions have no address",
        ));
    };
    Ok(format!("eli/{}/{year}/{number}", super::eu_type(title)))
}

struct Formex {
    tree: TreeBuilder,
    n_citations: usize,
}

impl Formex {
    fn act(&mut self, root: At<'_, '_>) -> Result<(), ImportError> {
        for part in root.elements() {
            match part.name() {
                "PREAMBLE" => self.preamble(part)?,
                "ENACTING.TERMS" => self.contents(part)?,
                "FINAL" => {
                    self.tree
                        .close_until(|open| open.kind == ProvisionKind::Work);
                    if let Some(first) = part.child("P") {
                        self.tree
                            .open(ProvisionKind::Final, "fnp_1", "", "Final".to_owned())?;
                        self.tree.block(&text_of(first))?;
                        self.tree.close();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn annex(&mut self, root: At<'_, '_>) -> Result<(), ImportError> {
        let title = root.child("TITLE");
        // The first line is the annex's number; a heading follows in the same element or in its own.
        let mut lines = Vec::new();
        for part in title.iter().flat_map(|at| at.elements()) {
            lines.extend(part.elements().map(text_of));
        }
        let label = lines
            .first()
            .map(|line| normalised(line))
            .unwrap_or_default();
        eu::open_annex(&mut self.tree, &label)?;
        for line in lines.iter().skip(1) {
            self.tree.heading(line);
        }
        if let Some(contents) = root.child("CONTENTS") {
            self.contents(contents)?;
        }
        Ok(())
    }

    fn preamble(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        for part in at.elements() {
            match part.name() {
                "VISA" => {
                    self.n_citations += 1;
                    eu::open_citation(&mut self.tree, self.n_citations)?;
                    self.tree.block(&text_of(part))?;
                    self.tree.close();
                }
                "CONSID" => self.recital(part)?,
                "GR.VISA" | "GR.CONSID" => self.preamble(part)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn recital(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let Some(numbered) = at.child("NP") else {
            return Ok(());
        };
        eu::open_recital(&mut self.tree, &label_of(numbered))?;
        self.contents(numbered)?;
        self.tree.close();
        Ok(())
    }

    /// Walks what may stand side by side: text that runs on is one block, and each element that begins a line ends it.
    fn contents(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let mut line = String::new();
        for piece in at.pieces() {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Element(part) if is_structure(part.name()) => {
                    self.tree.block(&line)?;
                    line.clear();
                    self.structure(part)?;
                }
                Piece::Element(part) => inline(part, &mut line),
            }
        }
        self.tree.block(&line)
    }

    fn structure(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        match at.name() {
            "DIVISION" => self.division(at),
            "ARTICLE" => self.article(at),
            "PARAG" => {
                let label = at.child("NO.PARAG").map(text_of).unwrap_or_default();
                eu::open_paragraph(&mut self.tree, normalised(&label).as_str())?;
                self.contents(at)?;
                self.tree.close();
                Ok(())
            }
            "ITEM" => self.item(at),
            "NP" => {
                eu::open_item(&mut self.tree, &label_of(at))?;
                self.contents(at)?;
                self.tree.close();
                Ok(())
            }
            "GR.SEQ" => {
                let title = at.child("TITLE");
                let part = |name| title.and_then(|title| title.child(name)).map(text_of);
                eu::open_group(&mut self.tree, &normalised(&part("TI").unwrap_or_default()))?;
                self.tree.heading(&part("STI").unwrap_or_default());
                self.contents(at)?;
                self.tree.close();
                Ok(())
            }
            // The words of another act: law there, text here.
            "QUOT.S" => {
                self.tree.append(&text_of(at), true);
                Ok(())
            }
            "TBL" | "GR.TBL" => self.tree.block(&text_of(at)),
            // Read where their element is opened.
            "TITLE" | "TI.ART" | "STI.ART" | "NO.PARAG" | "NO.P" | "TI" | "STI" => Ok(()),
            _ => self.contents(at),
        }
    }

    fn division(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let title = at.child("TITLE");
        let part = |name| {
            title
                .and_then(|title| title.child(name))
                .map(text_of)
                .unwrap_or_default()
        };
        eu::open_division(&mut self.tree, &normalised(&part("TI")))?;
        self.tree.heading(&part("STI"));
        self.contents(at)
    }

    fn article(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        let label = at.child("TI.ART").map(text_of).unwrap_or_default();
        let identifier = at.attribute("IDENTIFIER").unwrap_or_default();
        eu::open_article(&mut self.tree, &normalised(&label), &identifier)?;
        self.tree
            .heading(&at.child("STI.ART").map(text_of).unwrap_or_default());
        self.contents(at)?;
        self.tree.close();
        Ok(())
    }

    fn item(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        match at.child("NP") {
            Some(numbered) => {
                eu::open_item(&mut self.tree, &label_of(numbered))?;
                for part in at.elements() {
                    self.contents(part)?;
                }
            }
            None => {
                self.tree.open_indent("—")?;
                self.contents(at)?;
            }
        }
        self.tree.close();
        Ok(())
    }
}

fn label_of(numbered: At<'_, '_>) -> String {
    normalised(&numbered.child("NO.P").map(text_of).unwrap_or_default())
}

/// Elements that begin a line of their own. Whatever is not named here runs on within its line.
fn is_structure(name: &str) -> bool {
    matches!(
        name,
        "DIVISION"
            | "ARTICLE"
            | "PARAG"
            | "ALINEA"
            | "SUBDIV"
            | "P"
            | "LIST"
            | "ITEM"
            | "NP"
            | "TXT"
            | "GR.SEQ"
            | "QUOT.S"
            | "TBL"
            | "GR.TBL"
            | "TITLE"
            | "TI.ART"
            | "STI.ART"
            | "NO.PARAG"
            | "NO.P"
            | "TI"
            | "STI"
            | "DLIST"
            | "DLIST.ITEM"
    )
}

/// The text of an element and everything in it, without footnotes.
fn text_of(at: At<'_, '_>) -> String {
    let mut line = String::new();
    for piece in at.pieces() {
        match piece {
            Piece::Text(text) => line.push_str(text),
            Piece::Element(part) if is_structure(part.name()) => {
                line.push(' ');
                line.push_str(&text_of(part));
                line.push(' ');
            }
            Piece::Element(part) => inline(part, &mut line),
        }
    }
    line
}

fn inline(at: At<'_, '_>, line: &mut String) {
    match at.name() {
        "NOTE" => {}
        // The quotation mark is given by its code point.
        "QUOT.START" | "QUOT.END" => {
            let code = at.attribute("CODE").unwrap_or_default();
            let code = u32::from_str_radix(&code, 16).ok();
            line.extend(code.and_then(char::from_u32));
        }
        "HT" if at.attribute("TYPE").is_some_and(|kind| kind == "UC") => {
            line.push_str(&text_of(at).to_uppercase());
        }
        // Given bare, printed in groups of three digits.
        "FT" if at.attribute("TYPE").is_some_and(|kind| kind == "NUMBER") => {
            line.push_str(&grouped(&text_of(at)));
        }
        _ => line.push_str(&text_of(at)),
    }
}

/// `1 500 000` from `1500000`, as the Official Journal prints whole numbers of more than four digits.
fn grouped(number: &str) -> String {
    let number = number.trim();
    if number.len() <= 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut out = String::new();
    for (at, digit) in number.chars().enumerate() {
        if at > 0 && (number.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
