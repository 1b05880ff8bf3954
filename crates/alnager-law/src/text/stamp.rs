//! Stamps: which provisions a requirement was written against, by address and hash. `packs/law/<id>/provisions.toml`.
//!
//! The text itself is not kept; an address and a hash are enough to see that a provision is no longer what it was. A requirement
//! whose provision changed is stale until a person has read the new text and confirmed it.

use std::collections::BTreeMap;
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
    /// The works it was stamped against.
    pub texts: Vec<StampedText>,
    /// One stamp per requirement that names a provision of them, in the order of the pack.
    pub stamps: Vec<Stamp>,
}

/// A text that a pack was stamped against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampedText {
    /// The work.
    pub work: String,
    /// Its language; `None` in files older than this field.
    pub language: Option<String>,
    /// The hash of the whole text.
    pub sha256: Hash,
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
    let texts = trees.iter().map(|tree| StampedText {
        work: tree.work.clone(),
        language: Some(tree.language.clone()),
        sha256: tree.root_hash(),
    });
    Stamps {
        pack: pack.id.clone(),
        texts: texts.collect(),
        stamps,
    }
}

/// How the provisions of one text read: what stamps are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The work.
    pub work: String,
    /// The language; `und` where the text does not say.
    pub language: String,
    /// The hash of each provision with everything below it, by address.
    pub provisions: BTreeMap<String, Hash>,
}

impl Wording {
    /// How a text reads.
    pub fn of(tree: &ProvisionTree) -> Wording {
        let provisions = tree.provisions.iter().skip(1);
        Wording {
            work: tree.work.clone(),
            language: tree.language.clone(),
            provisions: provisions.map(|p| (p.id.clone(), p.subtree)).collect(),
        }
    }

    /// Whether a provision lies in this work.
    fn has(&self, id: &str) -> bool {
        // US provisions lie beside the part, below its title: us/cfr/t12/s1002.9 belongs to us/cfr/t12/p1002.
        let mut part = self.work.split_once("/p").into_iter();
        let below = |within: &str| {
            let rest = id.strip_prefix(within);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        below(&self.work) || part.any(|(title, part)| id.starts_with(&format!("{title}/s{part}.")))
    }

    /// Whether a provision lies in an annex, and this is the act without its annexes.
    fn lacks_annex_of(&self, id: &str) -> bool {
        let annexes = format!("{}/anx", self.work);
        let from = self.provisions.range(annexes.clone()..).next();
        id.starts_with(&annexes) && !from.is_some_and(|(first, _)| first.starts_with(&annexes))
    }
}

/// What a text says about stamps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// What it contradicts.
    pub stale: Vec<Stale>,
    /// What it says nothing about.
    pub unjudged: Vec<Unjudged>,
}

/// A provision a requirement cites and that a text of its work cannot be held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// The requirement.
    pub requirement: String,
    /// The provision's address, or the citation where none is known.
    pub provision: String,
    /// Why.
    pub why: NotJudged,
}

/// Why a provision is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotJudged {
    /// It is cited in a later wording than the stamped text had, so it has no hash.
    LaterWording,
    /// It was not in the stamped text.
    NotStamped,
    /// It lies in an annex, and the text is the act without its annexes.
    NoAnnexes,
}

impl NotJudged {
    /// Every reason.
    pub const ALL: [NotJudged; 3] = [
        NotJudged::LaterWording,
        NotJudged::NotStamped,
        NotJudged::NoAnnexes,
    ];

    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            NotJudged::LaterWording => "later_wording",
            NotJudged::NotStamped => "not_stamped",
            NotJudged::NoAnnexes => "no_annexes",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            NotJudged::LaterWording => "cited in a later wording than the pack was stamped with",
            NotJudged::NotStamped => "not in the text the pack was stamped with",
            NotJudged::NoAnnexes => "in an annex, and this is the act without its annexes",
        }
    }
}

/// What a text says about the stamp of one requirement. Provisions of other works are passed over.
pub fn hold(stamp: &Stamp, wording: &Wording) -> Held {
    let mut held = Held::default();
    for stamped in &stamp.provisions {
        if !wording.has(&stamped.id) {
            continue;
        }
        let unjudged = |why| Unjudged {
            requirement: stamp.requirement.clone(),
            provision: stamped.id.clone(),
            why,
        };
        let Some(was) = stamped.sha256 else {
            held.unjudged.push(unjudged(NotJudged::LaterWording));
            continue;
        };
        if wording.lacks_annex_of(&stamped.id) {
            held.unjudged.push(unjudged(NotJudged::NoAnnexes));
            continue;
        }
        let is = wording.provisions.get(&stamped.id).copied();
        if is != Some(was) {
            held.stale.push(Stale {
                requirement: stamp.requirement.clone(),
                provision: stamped.id.clone(),
                was,
                is,
            });
        }
    }
    held
}

impl Stamps {
    /// What a text says about all of them.
    pub fn hold(&self, wording: &Wording) -> Held {
        let mut all = Held::default();
        let is_stamped = self.texts.iter().any(|text| text.work == wording.work);
        for stamp in &self.stamps {
            let held = hold(stamp, wording);
            all.stale.extend(held.stale);
            all.unjudged.extend(held.unjudged);
            // Whether it is in the text now is nothing a hash could tell.
            let missing = stamp.missing.iter().filter(|_| is_stamped);
            all.unjudged.extend(missing.map(|cite| Unjudged {
                requirement: stamp.requirement.clone(),
                provision: cite.clone(),
                why: NotJudged::NotStamped,
            }));
        }
        all
    }

    /// The language they were made from, if it is another than that of a text of the same work: every hash would differ.
    pub fn other_language(&self, work: &str, language: &str) -> Option<&str> {
        let mut texts = self.texts.iter().filter(|text| text.work == work);
        let stamped = texts.find_map(|text| text.language.as_deref());
        stamped.filter(|stamped| *stamped != language)
    }
}

/// The file, the same bytes for the same stamps.
pub fn write(stamps: &Stamps) -> String {
    let mut out = String::from(
        "# Which provisions each requirement was written against. Written by `alnager law stamp`; the format: docs/formats/provisions.md\n",
    );
    // Writing to a text cannot fail.
    let pack = quoted(&stamps.pack);
    let _ = writeln!(out, "schema = \"{SCHEMA}\"\npack = {pack}");
    for text in &stamps.texts {
        let _ = writeln!(out, "\n[[text]]\nwork = {}", quoted(&text.work));
        if let Some(language) = &text.language {
            let _ = writeln!(out, "language = {}", quoted(language));
        }
        let _ = writeln!(out, "sha256 = \"{}\"", text.sha256);
    }
    for stamp in &stamps.stamps {
        let id = quoted(&stamp.requirement);
        let _ = writeln!(out, "\n[[requirement]]\nid = {id}");
        if !stamp.provisions.is_empty() {
            let _ = writeln!(out, "provisions = [");
            for stamped in &stamp.provisions {
                let id = quoted(&stamped.id);
                let _ = match stamped.sha256 {
                    Some(sha256) => writeln!(out, "  {{ id = {id}, sha256 = \"{sha256}\" }},"),
                    None => writeln!(out, "  {{ id = {id} }},"),
                };
            }
            let _ = writeln!(out, "]");
        }
        if !stamp.missing.is_empty() {
            let missing: Vec<String> = stamp.missing.iter().map(|cite| quoted(cite)).collect();
            let _ = writeln!(out, "missing = [{}]", missing.join(", "));
        }
    }
    out
}

/// A basic string of TOML, quotation marks included.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Control characters have no place in a basic string, tabs excepted; one escape serves for all.
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
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
        node.only(&["work", "language", "sha256"])?;
        let language = node.get("language")?.map(read::Node::words).transpose()?;
        Ok(StampedText {
            work: node.need("work")?.words()?,
            language,
            sha256: hash(node.need("sha256")?)?,
        })
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
