//! Stamps: which provisions a requirement was written against, by address and hash. `packs/law/<id>/provisions.toml`.
//!
//! The text itself is not kept; an address and a hash are enough to see that a provision is no longer what it was. A requirement
//! whose provision changed is stale until a person has read the new text and confirmed it.

use std::fmt::Write as _;

use super::cite::Finder;
use super::tree::{Hash, ProvisionTree};
use crate::pack::Pack;
use crate::read::{self, ReadError};

/// The schema named in the file.
pub const SCHEMA: &str = "alnager.stamps/1";

/// The stamps of one pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamps {
    /// The pack's id.
    pub pack: String,
    /// The works it was stamped against, with the hash of each whole text.
    pub texts: Vec<(String, Hash)>,
    /// One stamp per requirement that names a provision of them, in the order of the pack.
    pub stamps: Vec<Stamp>,
}

/// What one requirement was written against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The requirement.
    pub requirement: String,
    /// Its provisions, in the order of its citation.
    pub provisions: Vec<Stamped>,
    /// What its citation names and the texts do not have, as cited.
    pub missing: Vec<String>,
}

/// One provision of a stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The address.
    pub id: String,
    /// The hash of the provision with everything below it; `None` where the requirement is written against a later wording than
    /// the text at hand, which then says nothing about it.
    pub sha256: Option<Hash>,
}

/// A requirement whose provision is no longer what it was written against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The requirement.
    pub requirement: String,
    /// The provision's address.
    pub provision: String,
    /// Its hash when the requirement was written.
    pub was: Hash,
    /// Its hash now; `None` if it is gone.
    pub is: Option<Hash>,
}

/// Stamps every requirement of a pack against texts. Where several texts have a cited provision, the first counts.
pub fn make(pack: &Pack, trees: &[ProvisionTree]) -> Stamps {
    let finders: Vec<Finder<'_>> = trees.iter().map(Finder::new).collect();
    let mut stamps = Vec::new();
    for requirement in &pack.requirements {
        let mut stamp = Stamp {
            requirement: requirement.id.clone(),
            provisions: Vec::new(),
            missing: Vec::new(),
        };
        let by_tree: Vec<_> = finders
            .iter()
            .map(|finder| finder.pins(&requirement.cite))
            .collect();
        for at in 0..by_tree.first().map_or(0, Vec::len) {
            let mut found = trees.iter().zip(&by_tree).filter_map(|(tree, pins)| {
                let pin = pins.get(at)?;
                let provision = &tree.provisions[*pin.found.as_ref().ok()?];
                let sha256 = (!pin.changed).then_some(provision.subtree);
                Some(Stamped {
                    id: provision.id.clone(),
                    sha256,
                })
            });
            match found.next() {
                Some(stamped) if !stamp.provisions.iter().any(|known| known.id == stamped.id) => {
                    stamp.provisions.push(stamped)
                }
                Some(_) => {}
                None => stamp.missing.push(by_tree[0][at].cite.clone()),
            }
        }
        stamps.push(stamp);
    }
    let texts = trees
        .iter()
        .map(|tree| (tree.work.clone(), tree.root_hash()));
    Stamps {
        pack: pack.id.clone(),
        texts: texts.collect(),
        stamps,
    }
}

/// The stamps that a text contradicts. Provisions of other works, and those without a hash, are passed over.
pub fn stale(stamps: &Stamps, tree: &ProvisionTree) -> Vec<Stale> {
    let index = tree.index();
    // US provisions lie beside the part, below its title: us/cfr/t12/s1002.9 belongs to us/cfr/t12/p1002.
    let belongs = |id: &str| {
        let part = tree
            .work
            .split_once("/p")
            .map(|(title, part)| format!("{title}/s{part}."));
        id.starts_with(&format!("{}/", tree.work)) || part.is_some_and(|part| id.starts_with(&part))
    };
    let mut found = Vec::new();
    for stamp in &stamps.stamps {
        for stamped in &stamp.provisions {
            let Some(was) = stamped.sha256.filter(|_| belongs(&stamped.id)) else {
                continue;
            };
            let is = index
                .get(stamped.id.as_str())
                .map(|at| tree.provisions[*at].subtree);
            if is != Some(was) {
                found.push(Stale {
                    requirement: stamp.requirement.clone(),
                    provision: stamped.id.clone(),
                    was,
                    is,
                });
            }
        }
    }
    found
}

/// The file, the same bytes for the same stamps.
pub fn write(stamps: &Stamps) -> String {
    let mut out = String::from(
        "# Which provisions each requirement was written against. Written by `alnager law stamp`; the format: docs/formats/provisions.md\n",
    );
    // Writing to a text cannot fail.
    let _ = writeln!(out, "schema = \"{SCHEMA}\"\npack = \"{}\"", stamps.pack);
    for (work, sha256) in &stamps.texts {
        let _ = writeln!(out, "\n[[text]]\nwork = \"{work}\"\nsha256 = \"{sha256}\"");
    }
    for stamp in &stamps.stamps {
        let _ = writeln!(out, "\n[[requirement]]\nid = \"{}\"", stamp.requirement);
        if !stamp.provisions.is_empty() {
            let _ = writeln!(out, "provisions = [");
            for stamped in &stamp.provisions {
                let _ = match stamped.sha256 {
                    Some(sha256) => writeln!(
                        out,
                        "  {{ id = \"{}\", sha256 = \"{sha256}\" }},",
                        stamped.id
                    ),
                    None => writeln!(out, "  {{ id = \"{}\" }},", stamped.id),
                };
            }
            let _ = writeln!(out, "]");
        }
        if !stamp.missing.is_empty() {
            let quoted: Vec<String> = stamp
                .missing
                .iter()
                .map(|cite| format!("{cite:?}"))
                .collect();
            let _ = writeln!(out, "missing = [{}]", quoted.join(", "));
        }
    }
    out
}

/// Reads the file.
pub fn parse(file: &str, text: &str) -> Result<Stamps, ReadError> {
    let root = read::read(file, text)?;
    root.only(&["schema", "pack", "text", "requirement"])?;
    root.need("schema")?.one_of([SCHEMA])?;
    let hash = |node: &read::Node| {
        let hex = node.text()?;
        Hash::from_hex(&hex).ok_or_else(|| {
            node.wrong(
                "a SHA-256 has 64 hexadecimal digits; write the file anew with `alnager law stamp`",
            )
        })
    };
    let texts = root.each("text", |node| {
        node.only(&["work", "sha256"])?;
        Ok((node.need("work")?.words()?, hash(node.need("sha256")?)?))
    })?;
    let stamps = root.each("requirement", |node| {
        node.only(&["id", "provisions", "missing"])?;
        let provisions = node.each("provisions", |node| {
            node.only(&["id", "sha256"])?;
            let sha256 = node.get("sha256")?.map(hash).transpose()?;
            Ok(Stamped {
                id: node.need("id")?.words()?,
                sha256,
            })
        })?;
        let missing = node
            .get("missing")?
            .map_or(Ok(Vec::new()), read::Node::texts)?;
        Ok(Stamp {
            requirement: node.need("id")?.words()?,
            provisions,
            missing,
        })
    })?;
    Ok(Stamps {
        pack: root.need("pack")?.words()?,
        texts,
        stamps,
    })
}
