//! RegML, the XML of the Consumer Financial Protection Bureau's regulations and their official interpretations.
//!
//! Every provision carries a label (`1002-9-b-2`, `1002-9-b-2-Interp-1`); the address follows from it. Element names: the bureau's
//! regulations schema, <https://github.com/cfpb/regulations-schema>.

use super::tree::{ProvisionKind, ProvisionTree, SourceFormat, TreeBuilder, normalised};
use super::xml::{At, Piece};
use super::{ImportError, wrong};

/// Reads a regulation.
pub(super) fn read(file: &str, root: At<'_, '_>) -> Result<ProvisionTree, ImportError> {
    let inside = |element: &str, name| {
        let found = root.child(element).and_then(|at| at.child(name));
        found.map(|at| normalised(&text_of(at)))
    };
    let (Some(title), Some(part)) = (inside("fdsys", "cfrTitleNum"), root.child("part")) else {
        return Err(wrong(
            file,
            "this regulation has no `cfrTitleNum` or no `part`, so its provisions have no address",
        ));
    };
    let Some(number) = part.attribute("label") else {
        return Err(wrong(
            file,
            "the `part` has no label, so its provisions have no address",
        ));
    };
    let prefix = format!("us/cfr/t{title}");
    let work = format!("{prefix}/p{number}");
    let mut reader = RegMl {
        tree: TreeBuilder::new(file, &work),
        prefix,
        part: number.into_owned(),
    };
    for at in part.elements().filter(|at| at.name() == "content") {
        reader.contents(at)?;
    }
    Ok(ProvisionTree {
        work,
        title: inside("fdsys", "title").unwrap_or_default(),
        language: "en".to_owned(),
        format: SourceFormat::RegMl,
        valid_from: inside("preamble", "effectiveDate").and_then(|day| day.parse().ok()),
        provisions: reader.tree.finish(),
    })
}

struct RegMl {
    tree: TreeBuilder,
    /// `us/cfr/t12`.
    prefix: String,
    /// `1002`.
    part: String,
}

impl RegMl {
    fn contents(&mut self, at: At<'_, '_>) -> Result<(), ImportError> {
        for part in at.elements() {
            let kind = match part.name() {
                "subpart" => ProvisionKind::Division,
                "section" => ProvisionKind::Section,
                "paragraph" => ProvisionKind::Paragraph,
                "appendix" => ProvisionKind::Appendix,
                "appendixSection" => ProvisionKind::Division,
                "interpretations" | "interpSection" | "interpParagraph" => {
                    ProvisionKind::Interpretation
                }
                "subject" | "title" | "appendixTitle" => {
                    self.tree.heading(&text_of(part));
                    continue;
                }
                // A subpart and the whole part wrap their provisions in a `content` of their own.
                "content" if part.elements().any(|at| is_provision(at.name())) => {
                    self.contents(part)?;
                    continue;
                }
                "content" => {
                    self.tree.block(&text_of(part))?;
                    continue;
                }
                _ => continue,
            };
            match part.attribute("label").filter(|label| !label.is_empty()) {
                Some(label) => {
                    let id = address(&self.prefix, &self.part, &label);
                    let marker = part.attribute("marker").unwrap_or_default();
                    self.tree.open_at(kind, id, &marker, label.into_owned())?;
                    self.contents(part)?;
                    self.tree.close();
                }
                // A paragraph without a label is a further block of text.
                None => self.contents(part)?,
            }
        }
        Ok(())
    }
}

fn is_provision(name: &str) -> bool {
    matches!(
        name,
        "subpart"
            | "section"
            | "paragraph"
            | "appendix"
            | "appendixSection"
            | "interpretations"
            | "interpSection"
            | "interpParagraph"
    )
}

/// `us/cfr/t12/s1002.9/b/2` from `1002-9-b-2`; `…/interp/1` where the label says `Interp`.
fn address(prefix: &str, part: &str, label: &str) -> String {
    let rest = label
        .strip_prefix(part)
        .unwrap_or(label)
        .trim_start_matches('-');
    let mut words = rest.split('-').map(|word| match word {
        "Interp" => "interp",
        "Subpart" => "subpart",
        other => other,
    });
    let first = words.next().unwrap_or_default();
    let mut id = if first.starts_with(|c: char| c.is_ascii_digit()) {
        format!("{prefix}/s{part}.{first}")
    } else if matches!(first, "interp" | "subpart" | "") {
        format!("{prefix}/p{part}/{first}")
    } else {
        format!("{prefix}/p{part}/app_{first}")
    };
    for word in words {
        id.push('/');
        id.push_str(word);
    }
    id
}

fn text_of(at: At<'_, '_>) -> String {
    let mut line = String::new();
    for piece in at.pieces() {
        match piece {
            Piece::Text(text) => line.push_str(text),
            // Where an image lies on the web says nothing about the law.
            Piece::Element(part) if matches!(part.name(), "url" | "altText") => {}
            Piece::Element(part) => line.push_str(&text_of(part)),
        }
    }
    line
}
