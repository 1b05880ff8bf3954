//! Law: packs, requirements, and how the organisation reads them.

use alnager_law::pack::{
    Pack as KnownPack, PackKind as KnownKind, RequirementKind as KnownNorm, RequirementText,
};
use alnager_office::counsel::Opinion as KnownOpinion;
use alnager_office::decide::Command;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::ask::{Ask, Asked, list as listed, record, tag_of};
use crate::api::cursor;
use crate::api::shape::{Paging, Person};
use crate::at::At;
use crate::refusal::Refusal;

/// The kind of instrument a pack holds.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PackKind {
    /// An act of a legislature.
    Statute,
    /// A regulation.
    Regulation,
    /// The law of a city or county.
    LocalLaw,
    /// An authority's guidance.
    Guidance,
    /// A standard.
    Standard,
    /// A framework.
    Framework,
    /// A bill, not law.
    Bill,
    /// The organisation's own policy.
    Policy,
}

/// A pack as a row.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PackSummary {
    /// Its id.
    id: String,
    /// Its version.
    version: String,
    /// Its title.
    title: String,
    /// Its short title.
    short: String,
    /// Where it governs.
    jurisdiction: String,
    /// What it is.
    kind: PackKind,
    /// Whether it binds by itself.
    is_binding: bool,
    /// Whether the organisation adopted it, where it does not.
    is_adopted: bool,
    /// The citation.
    citation: String,
    /// The day up to which it knows the law.
    known_as_of: Date,
    /// Number of requirements.
    n_requirements: usize,
}

/// A pack.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Pack {
    #[serde(flatten)]
    summary: PackSummary,
    /// Its requirements.
    requirements: Vec<RequirementSummary>,
}

/// A requirement as a row.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequirementSummary {
    /// Its id.
    id: String,
    /// What kind of norm it is.
    kind: Norm,
    /// What it asks.
    what: String,
    /// The citation.
    citation: String,
}

/// What kind of norm a requirement is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Norm {
    /// Something to do.
    Duty,
    /// Something not to do.
    Prohibition,
    /// Something to do if one does something else.
    Condition,
    /// Something that protects whoever does it.
    SafeHarbour,
    /// A risk the text names.
    Risk,
    /// A gap the text leaves.
    Gap,
}

/// A requirement in our words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Requirement {
    #[serde(flatten)]
    summary: RequirementSummary,
    /// Its pack.
    pack: String,
    /// Whom it is for.
    who: Vec<String>,
    /// How it is met.
    how: String,
    /// The condition under which it concerns a system.
    when: String,
    /// What exempts from it.
    unless: Vec<String>,
    /// When in a system's life it is met.
    phase: String,
    /// The kinds of evidence that show it.
    evidence: Vec<String>,
    /// The role that owns it.
    role: String,
    /// By when, in words.
    deadline: Option<String>,
    /// How often, in words.
    frequency: Option<String>,
    /// What a breach may cost, in words.
    penalty: Option<String>,
    /// What about it is not confirmed.
    unconfirmed: Option<String>,
    /// How the organisation reads it.
    reading: Option<Reading>,
    /// How it stands across systems, by their numbers.
    across: Across,
}

/// How a requirement stands across systems.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Across {
    /// Met.
    met: usize,
    /// Gaps.
    gap: usize,
    /// Unknown.
    unknown: usize,
    /// Ahead or waiting.
    ahead: usize,
}

/// What counsel found.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Opinion {
    /// It binds as the pack says.
    Adopted,
    /// It does not bind the organisation.
    Rejected,
}

/// How the organisation reads a requirement.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reading {
    /// What counsel found.
    opinion: Opinion,
    /// The interpretation.
    text: String,
    /// Who.
    by: Person,
    /// When.
    on: Date,
}

/// A reading to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReading {
    /// What counsel found.
    opinion: Opinion,
    /// The interpretation, in counsel's words.
    #[schema(min_length = 1)]
    text: String,
}

impl PackSummary {
    fn of(at: &At, pack: &KnownPack) -> PackSummary {
        PackSummary {
            id: pack.id.clone(),
            version: pack.version.clone(),
            title: pack.title.clone(),
            short: pack.short.clone(),
            jurisdiction: pack.jurisdiction.clone(),
            kind: match pack.kind {
                KnownKind::Statute => PackKind::Statute,
                KnownKind::Regulation => PackKind::Regulation,
                KnownKind::LocalLaw => PackKind::LocalLaw,
                KnownKind::Guidance => PackKind::Guidance,
                KnownKind::Standard => PackKind::Standard,
                KnownKind::Framework => PackKind::Framework,
                KnownKind::Bill => PackKind::Bill,
                KnownKind::Policy => PackKind::Policy,
            },
            is_binding: pack.binding,
            is_adopted: at.state().counsel.adopts(&pack.id),
            citation: pack.citation.clone(),
            known_as_of: pack.known_as_of,
            n_requirements: pack.requirements.len(),
        }
    }
}

impl RequirementSummary {
    fn of(pack: &KnownPack, text: &RequirementText) -> RequirementSummary {
        RequirementSummary {
            id: text.id.clone(),
            kind: match text.kind {
                KnownNorm::Duty => Norm::Duty,
                KnownNorm::Prohibition => Norm::Prohibition,
                KnownNorm::Condition => Norm::Condition,
                KnownNorm::SafeHarbour => Norm::SafeHarbour,
                KnownNorm::Risk => Norm::Risk,
                KnownNorm::Gap => Norm::Gap,
            },
            what: text.what.clone(),
            citation: pack.cited(&text.cite),
        }
    }
}

impl Requirement {
    fn named(at: &At, id: &str) -> Result<Requirement, Refusal> {
        let mut packs = at.moment.library.book.packs();
        let found = packs.find_map(|pack| {
            let text = pack.requirements.iter().find(|text| text.id == id)?;
            Some((pack, text))
        });
        let (pack, text) = found.ok_or(Refusal::NotFound)?;
        Ok(Requirement::of(at, pack, text))
    }

    fn of(at: &At, pack: &KnownPack, text: &RequirementText) -> Requirement {
        let across = at.moment.digest.requirements.get(text.id.as_str());
        let across = across.copied().unwrap_or_default();
        let penalty = text.penalty.as_ref();
        let penalty = penalty.and_then(|name| pack.penalties.get(name));
        let reading = at.state().counsel.readings.get(&text.id);
        Requirement {
            summary: RequirementSummary::of(pack, text),
            pack: pack.id.clone(),
            who: text.who.clone(),
            how: text.how.clone(),
            when: text.when.text.clone(),
            unless: text.unless.iter().map(|one| one.text.clone()).collect(),
            phase: text.phase.word().to_owned(),
            evidence: text.evidence.clone(),
            role: text.role.clone(),
            deadline: text.deadline.clone(),
            frequency: text.frequency.clone(),
            penalty: penalty.map(|penalty| penalty.max.clone()),
            unconfirmed: text.unconfirmed.clone(),
            reading: reading.map(|reading| Reading {
                opinion: match reading.opinion {
                    KnownOpinion::Adopted => Opinion::Adopted,
                    KnownOpinion::Rejected => Opinion::Rejected,
                },
                text: reading.text.clone(),
                by: Person::of(at, &reading.by),
                on: reading.on,
            }),
            across: Across {
                met: across.met,
                gap: across.gap,
                unknown: across.unknown,
                ahead: across.ahead,
            },
        }
    }
}

/// Lists packs.
pub(super) async fn packs(at: At, Ask(wanted): Ask<Paging>) -> Result<Response, Refusal> {
    let rows = at.moment.library.book.packs();
    let rows = rows
        .map(|pack| ((String::new(), pack.id.clone()), pack))
        .collect();
    let (rows, next) = cursor::page("packs", rows, wanted.cursor.as_deref(), wanted.limit)?;
    let rows = rows.into_iter().map(|pack| PackSummary::of(&at, pack));
    listed((rows.collect(), next))
}

/// Shows a pack.
pub(super) async fn pack(at: At, headers: HeaderMap) -> Result<Response, Refusal> {
    let mut packs = at.moment.library.book.packs();
    let found = packs.find(|pack| pack.id == at.named("pack"));
    let found = found.ok_or(Refusal::NotFound)?;
    let requirements = found.requirements.iter();
    let pack = Pack {
        summary: PackSummary::of(&at, found),
        requirements: requirements
            .map(|text| RequirementSummary::of(found, text))
            .collect(),
    };
    record(&headers, &pack)
}

/// Shows a requirement.
pub(super) async fn requirement(at: At, headers: HeaderMap) -> Result<Response, Refusal> {
    let requirement = Requirement::named(&at, at.named("requirement"))?;
    record(&headers, &requirement)
}

/// Records a reading.
pub(super) async fn read(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("requirement").to_owned();
    let new: NewReading = asked.json()?;
    asked.check_match(&tag_of(&Requirement::named(&asked.at, &id)?)?)?;
    let command = Command::RecordReading {
        requirement: id.clone(),
        opinion: match new.opinion {
            Opinion::Adopted => KnownOpinion::Adopted,
            Opinion::Rejected => KnownOpinion::Rejected,
        },
        text: new.text,
    };
    let receipt = asked.enter(command).await?;
    let made = Requirement::named(&asked.at.again(), &id)?;
    asked.written(StatusCode::CREATED, &receipt, made)
}
