//! Lists of named things a pack may refer to: kinds of evidence, and common controls.

use std::collections::BTreeMap;

use crate::read::{self, Node, ReadError};

/// A list of named things a pack may refer to: evidence kinds or common controls.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// The things by id.
    pub items: BTreeMap<String, RegisterItem>,
}

/// One kind of evidence, or one common control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterItem {
    /// The title.
    pub title: String,
    /// The question whose passed, bound test counts as this evidence (evidence kinds only).
    pub measured_by: Option<String>,
    /// The kinds of evidence that show it (controls only).
    pub evidence: Vec<String>,
    /// Who must have signed it for it to count (evidence kinds only).
    pub signed_by: Option<Signer>,
    /// How far one piece of it may be proposed for other requirements (evidence kinds only).
    pub reuse: Reuse,
}

/// Who must have signed a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// An auditor with no part in the system and no interest in the organisation.
    IndependentAuditor,
}

/// How far evidence of a kind may be proposed for other requirements that a common control serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// For any of them: what it shows does not depend on who asks.
    #[default]
    Anywhere,
    /// For those met at the same time of a system's life: it says how a thing is done, and not what.
    SamePhase,
    /// For those of the same pack: it was given to one authority, or about one law.
    SamePack,
}

fn reuse(node: &Node) -> Result<Reuse, ReadError> {
    let how = node.one_of(["anywhere", "same_phase", "same_pack"])?;
    Ok(match how.as_str() {
        "same_phase" => Reuse::SamePhase,
        "same_pack" => Reuse::SamePack,
        _ => Reuse::Anywhere,
    })
}

impl Register {
    /// The title of an item, or its id where it is not listed.
    pub fn title<'a>(&'a self, id: &'a str) -> &'a str {
        self.items.get(id).map_or(id, |item| item.title.as_str())
    }

    /// Reads `packs/evidence.toml` (`table` = `kind`) or `packs/controls.toml` (`table` = `control`).
    pub fn parse(file: &str, text: &str, table: &str) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        root.only(&["schema", "version", table])?;
        root.need("schema")?
            .one_of(["alnager.evidence/1", "alnager.controls/1"])?;
        let mut items = BTreeMap::new();
        for field in root.need(table)?.table()? {
            field.node.only(&[
                "title",
                "what",
                "measured_by",
                "signed_by",
                "reuse",
                "evidence",
            ])?;
            let item = RegisterItem {
                title: field.node.need("title")?.words()?,
                measured_by: field
                    .node
                    .get("measured_by")?
                    .map(|node| node.one_of(["bias", "performance"]))
                    .transpose()?,
                evidence: field
                    .node
                    .get("evidence")?
                    .map(Node::texts)
                    .transpose()?
                    .unwrap_or_default(),
                signed_by: field
                    .node
                    .get("signed_by")?
                    .map(|node| node.one_of(["independent_auditor"]))
                    .transpose()?
                    .map(|_| Signer::IndependentAuditor),
                reuse: field
                    .node
                    .get("reuse")?
                    .map(reuse)
                    .transpose()?
                    .unwrap_or_default(),
            };
            if item.measured_by.is_some() && item.signed_by.is_some() {
                return Err(field.node.wrong(
                    "what an outsider must sign is not shown by a measurement of one's own; keep one of `measured_by` and `signed_by`",
                ));
            }
            items.insert(field.key.clone(), item);
        }
        Ok(Register { items })
    }

    /// Adds what a pack brings along; the same thing said twice is one, two definitions of one id are an error.
    pub fn merge(&mut self, file: &str, other: Register) -> Result<(), ReadError> {
        for (id, item) in other.items {
            match self.items.get(&id) {
                Some(known) if *known != item => return Err(read::clash(file, &id)),
                Some(_) => {}
                None => drop(self.items.insert(id, item)),
            }
        }
        Ok(())
    }
}
