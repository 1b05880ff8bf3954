//! Declarations: what a system's team says about it, in `system.toml` (format: `docs/formats/system.md`).

use std::collections::BTreeMap;

use alnager_audit::declared::Audit;
use alnager_audit::policy::{Decimal, Limit, LimitSource, Policy, decimal};
use alnager_law::book::Book;
use alnager_law::pack::ROLES;
use alnager_law::read::{self, Node, ReadError, nearest};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::gate::kinds_taken;
use crate::signature;

/// What a system's team declares. People are names when read from a file and ids once entered in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// The permanent id: lower-case letters, digits and hyphens.
    pub id: String,
    /// The name people use.
    pub name: String,
    /// The organisation.
    pub organisation: String,
    /// Who answers for it.
    pub owner: String,
    /// The team that builds it; they cannot confirm their own exceptions.
    pub team: Vec<String>,
    /// What it is for.
    pub purpose: String,
    /// Where it stands in its life.
    pub stage: Stage,
    /// The day it goes into use, on which the gate judges it.
    pub go_live_on: Option<Date>,
    /// The organisation's time zone, an IANA name; UTC without it.
    pub time_zone: Option<String>,
    /// Why the declaration is hypothetical, if it is.
    pub what_if: Option<String>,
    /// Owners by role or by requirement id.
    pub owners: BTreeMap<String, String>,
    /// The facts.
    pub facts: BTreeMap<String, DeclaredFact>,
    /// The audits.
    pub audits: Vec<Audit>,
    /// Limits stricter than the policy's.
    pub limits: Vec<OwnLimit>,
    /// Evidence offered with the declaration.
    pub evidence: Vec<DeclaredEvidence>,
    /// Requirements the team says it does not meet.
    pub absences: Vec<Absence>,
}

/// Where a system stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// An idea.
    Proposed,
    /// Being built.
    Development,
    /// Being tested.
    Validation,
    /// In use.
    InUse,
    /// No longer in use.
    Retired,
}

/// A fact as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredFact {
    /// The answer in its text form.
    pub value: String,
    /// Who answered.
    pub by: String,
    /// When.
    pub on: Date,
    /// On what basis.
    pub basis: String,
}

/// A limit of the system's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLimit {
    /// The policy's test.
    pub test: String,
    /// The lowest value that passes, exact.
    pub low: Option<String>,
    /// The highest value that passes, exact.
    pub high: Option<String>,
    /// Why it is stricter.
    pub why: String,
}

/// Evidence offered with a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredEvidence {
    /// The file, relative to the declaration.
    pub file: String,
    /// The kind.
    pub kind: String,
    /// The requirements it is offered for.
    pub requirements: Vec<String>,
    /// The first day it counts.
    pub effective: Date,
    /// The first day it no longer counts.
    pub expires: Option<Date>,
    /// Who submits it.
    pub submitted_by: String,
    /// An independent auditor's signature, where there is one. Left out where there is none, as in entries older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<DeclaredSignature>,
}

/// An independent auditor's signature on a document offered with a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredSignature {
    /// The file of the signed note, relative to the declaration.
    pub file: String,
    /// The auditor.
    pub auditor: String,
}

/// A requirement the team says it does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The requirement.
    pub requirement: String,
    /// Who states it.
    pub stated_by: String,
    /// When.
    pub on: Date,
    /// What is missing, and until when.
    pub why: String,
}

impl Stage {
    /// The words a declaration may use.
    pub const WORDS: [&str; 5] = ["proposed", "development", "validation", "in_use", "retired"];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Proposed => "proposed",
            Stage::Development => "development",
            Stage::Validation => "validation",
            Stage::InUse => "in_use",
            Stage::Retired => "retired",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "proposed" => Stage::Proposed,
            "development" => Stage::Development,
            "validation" => Stage::Validation,
            "in_use" => Stage::InUse,
            _ => Stage::Retired,
        }
    }
}

/// An audit that a review may judge. Weighted rows and rows of one person are judged from more than the sealed counts.
fn declared_audit(node: &Node) -> Result<Audit, ReadError> {
    for key in ["weight", "person"] {
        if let Some(found) = node.get(key)? {
            return Err(found.wrong(format!(
                "`{key}` is for `alnager audit fairness --{key}`; a review judges counted rows, so leave it out here"
            )));
        }
    }
    Audit::read(node)
}

/// What a declaration says of the files beside it.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The audits, with the data they are measured on.
    pub audits: Vec<Audit>,
    /// The documents offered as evidence, each with the note of its signature where it has one.
    pub documents: Vec<(String, Option<String>)>,
}

impl Beside {
    /// Reads these parts of a `system.toml` alone: they need no law, so that whoever has no desk can measure and send.
    pub fn parse(file: &str, text: &str) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        Ok(Beside {
            audits: root.each("audit", declared_audit)?,
            documents: root.each("evidence", |node| {
                let signature = node.get("signature")?;
                let note = signature.map(|signature| signature.need("file")?.words());
                Ok((node.need("file")?.words()?, note.transpose()?))
            })?,
        })
    }
}

impl Declaration {
    /// The day its gate judges: that of going live, until the system is in use. `None`: today.
    pub fn gate_day(&self) -> Option<Date> {
        self.go_live_on.filter(|_| self.stage != Stage::InUse)
    }

    /// Reads `system.toml`. Names of facts, evidence kinds and requirements are checked against the book, limits against the
    /// policy; every complaint names file, line and field.
    pub fn parse(file: &str, text: &str, book: &Book, policy: &Policy) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        root.only(&[
            "schema",
            "id",
            "name",
            "organisation",
            "owner",
            "team",
            "purpose",
            "stage",
            "go_live_on",
            "time_zone",
            "what_if",
            "owners",
            "facts",
            "audit",
            "limit",
            "evidence",
            "absence",
        ])?;
        root.need("schema")?.one_of(["alnager.system/1"])?;
        let owner = root.need("owner")?.words()?;
        let audits = root.each("audit", declared_audit)?;
        if let Some(at) = (1..audits.len()).find(|at| {
            audits[..*at]
                .iter()
                .any(|other| other.name == audits[*at].name)
        }) {
            return Err(root.need("audit")?.list()?[at].wrong(format!(
                "the audit name `{}` is used twice",
                audits[at].name
            )));
        }
        if let Some(team) = root
            .get("team")?
            .filter(|team| team.list().is_ok_and(<[Node]>::is_empty))
        {
            return Err(team.wrong("name at least one person who builds the system, or leave `team` out: it is then the owner"));
        }
        let declaration = Declaration {
            id: slug(root.need("id")?)?,
            name: root.need("name")?.words()?,
            organisation: root.need("organisation")?.words()?,
            team: root
                .get("team")?
                .map(Node::texts)
                .transpose()?
                .unwrap_or_else(|| vec![owner.clone()]),
            owner,
            purpose: root.need("purpose")?.words()?,
            stage: Stage::of(&root.need("stage")?.one_of(Stage::WORDS)?),
            go_live_on: root.get("go_live_on")?.map(Node::date).transpose()?,
            time_zone: root.get("time_zone")?.map(time_zone).transpose()?,
            what_if: root.get("what_if")?.map(Node::words).transpose()?,
            owners: owners(&root, book)?,
            facts: facts(&root, book)?,
            audits,
            limits: root.each("limit", own_limit)?,
            evidence: root.each("evidence", |node| declared_evidence(node, book))?,
            absences: root.each("absence", |node| absence(node, book))?,
        };
        for (at, own) in declaration.limits.iter().enumerate() {
            let node = &root.need("limit")?.list()?[at];
            if declaration.limits[..at]
                .iter()
                .any(|other| other.test == own.test)
            {
                return Err(node.wrong(format!("`{}` has a limit already; keep one", own.test)));
            }
            policy.check_stricter(&own.test, &own.limit(), node)?;
        }
        let same = |one: &DeclaredEvidence, other: &DeclaredEvidence| {
            one.file == other.file
                && one.kind == other.kind
                && one.requirements == other.requirements
        };
        for (at, evidence) in declaration.evidence.iter().enumerate() {
            if declaration.evidence[..at]
                .iter()
                .any(|other| same(other, evidence))
            {
                let node = &root.need("evidence")?.list()?[at];
                return Err(node.wrong(
                    "the same document is offered twice for the same requirements; keep one",
                ));
            }
        }
        Ok(declaration)
    }

    /// The policy with this system's own limits where those are stricter.
    pub fn policy(&self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        for own in &self.limits {
            if let Some(test) = policy.tests.iter_mut().find(|test| test.id == own.test) {
                test.tighten(&own.limit());
            }
        }
        policy
    }

    /// Calls `visit` for every person it names, so that names can become ids.
    pub fn people(&mut self, visit: &mut dyn FnMut(&mut String)) {
        visit(&mut self.owner);
        self.team.iter_mut().for_each(&mut *visit);
        self.owners.values_mut().for_each(&mut *visit);
        self.facts.values_mut().for_each(|fact| visit(&mut fact.by));
        for evidence in &mut self.evidence {
            visit(&mut evidence.submitted_by);
            if let Some(signature) = &mut evidence.signature {
                visit(&mut signature.auditor);
            }
        }
        self.absences
            .iter_mut()
            .for_each(|absence| visit(&mut absence.stated_by));
    }

    /// Who owns a requirement: named for it, named for its role, or the system's owner.
    pub fn owner_of(&self, requirement: &str, role: &str) -> &str {
        self.owners
            .get(requirement)
            .or_else(|| self.owners.get(role))
            .unwrap_or(&self.owner)
    }
}

impl OwnLimit {
    fn limit(&self) -> Limit {
        let decimal = |text: &Option<String>| text.as_deref().and_then(Decimal::parse);
        Limit {
            low: decimal(&self.low),
            high: decimal(&self.high),
            source: LimitSource::System,
            cite: format!("the system's declaration: {}", self.why),
        }
    }
}

fn time_zone(node: &Node) -> Result<String, ReadError> {
    let name = node.words()?;
    match jiff::tz::TimeZone::get(&name) {
        Ok(_) => Ok(name),
        Err(_) => Err(node.wrong(format!(
            "`{name}` is not a time zone; write an IANA name such as `Europe/Berlin`"
        ))),
    }
}

fn slug(node: &Node) -> Result<String, ReadError> {
    let text = node.words()?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.len() <= 64 && text.bytes().all(fits) && !text.starts_with('-') {
        Ok(text)
    } else {
        Err(node.wrong("an id has at most 64 lower-case letters, digits and hyphens, such as `credit-scorecard`"))
    }
}

fn facts(root: &Node, book: &Book) -> Result<BTreeMap<String, DeclaredFact>, ReadError> {
    let mut facts = BTreeMap::new();
    let Some(table) = root.get("facts")? else {
        return Ok(facts);
    };
    for field in table.table()? {
        let Some(kind) = book.vocabulary.get(&field.key) else {
            let problem = format!(
                "there is no fact `{}`; {}",
                field.key,
                nearest(&field.key, book.vocabulary.names())
            );
            return Err(ReadError {
                line: field.line,
                ..field.node.wrong(problem)
            });
        };
        field.node.only(&["value", "by", "on", "basis"])?;
        let fact = DeclaredFact {
            value: kind.read(field.node.need("value")?)?.to_text(),
            by: field.node.need("by")?.words()?,
            on: field.node.need("on")?.date()?,
            basis: field.node.need("basis")?.words()?,
        };
        facts.insert(field.key.clone(), fact);
    }
    Ok(facts)
}

fn owners(root: &Node, book: &Book) -> Result<BTreeMap<String, String>, ReadError> {
    let mut owners = BTreeMap::new();
    let Some(table) = root.get("owners")? else {
        return Ok(owners);
    };
    for field in table.table()? {
        if !ROLES.contains(&field.key.as_str()) && !requirement_ids(book).any(|id| id == field.key)
        {
            let hint = nearest(
                &field.key,
                ROLES.iter().copied().chain(requirement_ids(book)),
            );
            return Err(field.node.wrong(format!(
                "`{}` is neither a role nor a requirement; {hint}",
                field.key
            )));
        }
        owners.insert(field.key.clone(), field.node.words()?);
    }
    Ok(owners)
}

fn requirement_ids(book: &Book) -> impl Iterator<Item = &str> {
    book.packs()
        .flat_map(|pack| pack.requirements.iter().map(|text| text.id.as_str()))
}

fn requirement_id(node: &Node, book: &Book) -> Result<String, ReadError> {
    let id = node.text()?;
    if requirement_ids(book).any(|known| known == id) {
        return Ok(id);
    }
    Err(node.wrong(format!(
        "there is no requirement `{id}` in the packs in use; {}",
        nearest(&id, requirement_ids(book))
    )))
}

fn own_limit(node: &Node) -> Result<OwnLimit, ReadError> {
    node.only(&["test", "low", "high", "why"])?;
    let text = |key: &str| {
        node.get(key)?
            .map(|node| decimal(node).map(|decimal| decimal.to_string()))
            .transpose()
    };
    Ok(OwnLimit {
        test: node.need("test")?.words()?,
        low: text("low")?,
        high: text("high")?,
        why: node.need("why")?.words()?,
    })
}

/// Reads one `[[evidence]]` table.
fn declared_evidence(node: &Node, book: &Book) -> Result<DeclaredEvidence, ReadError> {
    node.only(&[
        "file",
        "kind",
        "requirements",
        "effective",
        "expires",
        "submitted_by",
        "signature",
        "auditor",
    ])?;
    let requirements = node.need("requirements")?;
    let ids: Vec<String> = requirements
        .list()?
        .iter()
        .map(|id| requirement_id(id, book))
        .collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Err(requirements.wrong("name at least one requirement this is evidence for"));
    }
    let kind = node.need("kind")?;
    let name = kind.one_of(
        book.evidence
            .items
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    )?;
    for id in &ids {
        let taken = kinds_taken(book, id).unwrap_or_default();
        if !taken.contains(&name) {
            return Err(kind.wrong(format!(
                "`{id}` asks for `{}`, not for `{name}`",
                taken.join("`, `")
            )));
        }
    }
    let effective = node.need("effective")?.date()?;
    let expires = node.get("expires")?.map(Node::date).transpose()?;
    if let Some(expires) = expires.filter(|expires| *expires <= effective) {
        return Err(node.wrong(format!("it takes effect on {effective} but expires on {expires}; put the earlier date in `effective`")));
    }
    Ok(DeclaredEvidence {
        file: node.need("file")?.words()?,
        kind: name,
        requirements: ids,
        effective,
        expires,
        submitted_by: node.need("submitted_by")?.words()?,
        signature: declared_signature(node, kind, book)?,
    })
}

/// Reads `signature` and `auditor`, which a kind with `signed_by` needs and no other takes.
fn declared_signature(
    node: &Node,
    kind: &Node,
    book: &Book,
) -> Result<Option<DeclaredSignature>, ReadError> {
    let name = kind.text()?;
    match (
        node.get("signature")?,
        node.get("auditor")?,
        signature::is_needed(book, &name),
    ) {
        (Some(file), Some(auditor), true) => Ok(Some(DeclaredSignature {
            file: file.words()?,
            auditor: auditor.words()?,
        })),
        (None, None, false) => Ok(None),
        (_, _, true) => Err(kind.wrong(format!(
            "a `{name}` counts only when an independent auditor has signed it; name the note in `signature` and the auditor in `auditor`"
        ))),
        (_, _, false) => Err(kind.wrong(format!(
            "a `{name}` takes no auditor's signature; leave out `signature` and `auditor`"
        ))),
    }
}

fn absence(node: &Node, book: &Book) -> Result<Absence, ReadError> {
    node.only(&["requirement", "stated_by", "on", "why"])?;
    Ok(Absence {
        requirement: requirement_id(node.need("requirement")?, book)?,
        stated_by: node.need("stated_by")?.words()?,
        on: node.need("on")?.date()?,
        why: node.need("why")?.words()?,
    })
}
