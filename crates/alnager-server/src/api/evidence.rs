//! Evidence: submitted, offered, accepted or rejected.

use std::sync::Arc;

use alnager_law::read::nearest;
use alnager_office::decide::{Command, EvidenceRuling, OfferedEvidence};
use alnager_office::declaration::{DeclaredEvidence, DeclaredSignature};
use alnager_office::evidence::{Evidence as Known, Standing as KnownStanding};
use alnager_office::gate::kinds_taken;
use alnager_work::library::sha256;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Action;
use crate::api::ask::{Ask, Asked, list as listed, record, tag_of};
use crate::api::cursor;
use crate::api::shape::{Decided, Person};
use crate::api::systems;
use crate::at::At;
use crate::refusal::Refusal;

/// Most bytes of a document.
pub(super) const DOCUMENT_BYTES_MAX: usize = 20_000_000;

/// Most bytes of a body with a document in base64.
const BODY_BYTES_MAX: usize = 28_000_000;

/// The longest name of a file, in bytes.
const FILE_BYTES_MAX: usize = 255;

/// How evidence stands for a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// Accepted and in date.
    Accepted,
    /// Submitted; nobody has decided.
    Submitted,
    /// Accepted, but it takes effect later.
    NotYetEffective,
    /// Accepted, but no longer in date.
    Expired,
    /// Rejected.
    Rejected,
}

impl Standing {
    fn of(standing: KnownStanding) -> Standing {
        match standing {
            KnownStanding::Accepted => Standing::Accepted,
            KnownStanding::Submitted => Standing::Submitted,
            KnownStanding::NotYetEffective => Standing::NotYetEffective,
            KnownStanding::Expired => Standing::Expired,
            KnownStanding::Rejected => Standing::Rejected,
        }
    }
}

/// A piece of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Evidence {
    /// Its id.
    id: String,
    /// The system it was submitted with.
    system: String,
    /// The file's name.
    file: String,
    /// The kind.
    kind: String,
    /// The requirements it is offered for or was decided on, and how it stands for each.
    requirements: Vec<ForRequirement>,
    /// The first day it counts.
    effective: Date,
    /// The first day it no longer counts.
    expires: Option<Date>,
    /// Who submitted it.
    submitted_by: Person,
    /// The entry that submitted it.
    submitted_at: u64,
    /// SHA-256 of the document, hexadecimal.
    sha256: String,
    /// The evidence it replaces.
    replaces: Option<String>,
    /// The evidence that replaced it.
    replaced_by: Option<String>,
    /// Whether other systems of the organisation see it.
    is_shared: bool,
    /// Whether an independent auditor signed it.
    is_signed: bool,
}

/// How evidence stands for one requirement.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForRequirement {
    /// The requirement.
    requirement: String,
    /// How it stands.
    standing: Standing,
    /// What was decided last.
    decided: Option<Decided>,
}

impl Evidence {
    fn of(at: &At, evidence: &Known) -> Evidence {
        let submitted = &evidence.submitted;
        let requirements = evidence.considered().map(|requirement| ForRequirement {
            requirement: requirement.clone(),
            standing: Standing::of(evidence.standing(requirement, at.today())),
            decided: evidence.decisions.get(requirement).map(|decision| Decided {
                by: Person::of(at, &decision.by),
                on: decision.on,
                reason: decision.reason.clone(),
            }),
        });
        Evidence {
            id: submitted.evidence.clone(),
            system: submitted.system.clone(),
            file: submitted.file.clone(),
            kind: submitted.kind.clone(),
            requirements: requirements.collect(),
            effective: submitted.effective,
            expires: submitted.expires,
            submitted_by: Person::of(at, &submitted.submitted_by),
            submitted_at: evidence.submitted_at,
            sha256: submitted.sha256.clone(),
            replaces: submitted.replaces.clone(),
            replaced_by: evidence.replaced_by.clone(),
            is_shared: evidence.is_shared,
            is_signed: submitted.signature.is_some(),
        }
    }

    fn named(at: &At, id: &str) -> Result<Evidence, Refusal> {
        let known = at.state().evidence.get(id).ok_or(Refusal::NotFound)?;
        Ok(Evidence::of(at, known))
    }
}

/// Which evidence.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Number of rows, 50 without it.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// That of this system.
    system: Option<String>,
    /// That of this kind.
    kind: Option<String>,
    /// That offered for this requirement.
    requirement: Option<String>,
    /// That which stands like this for one of its requirements.
    #[param(inline)]
    standing: Option<Standing>,
    /// What was replaced as well.
    replaced: Option<bool>,
}

impl Wanted {
    fn fits(&self, evidence: &Known, today: Date) -> bool {
        let submitted = &evidence.submitted;
        let is = |wanted: &Option<String>, known: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == known)
        };
        let offered = self.requirement.as_deref();
        let stands = |wanted: Standing| {
            let mut requirements = evidence.considered();
            requirements.any(|one| Standing::of(evidence.standing(one, today)) == wanted)
        };
        is(&self.system, &submitted.system)
            && is(&self.kind, &submitted.kind)
            && offered.is_none_or(|requirement| evidence.is_offered_for(requirement))
            && self.standing.is_none_or(stands)
            && (self.replaced == Some(true) || evidence.replaced_by.is_none())
    }
}

/// Lists evidence.
pub(super) async fn list(at: At, Ask(wanted): Ask<Wanted>) -> Result<Response, Refusal> {
    let rows = at.state().evidence.iter();
    let rows = rows.filter(|(_, evidence)| wanted.fits(evidence, at.today()));
    let key = |evidence: &Known, id: &String| (cursor::indexed(evidence.submitted_at), id.clone());
    let rows = rows
        .map(|(id, evidence)| (key(evidence, id), evidence))
        .collect();
    let (rows, next) = cursor::page("evidence", rows, wanted.cursor.as_deref(), wanted.limit)?;
    let rows = rows.into_iter().map(|evidence| Evidence::of(&at, evidence));
    listed((rows.collect(), next))
}

/// Shows a piece of evidence.
pub(super) async fn show(at: At, headers: HeaderMap) -> Result<Response, Refusal> {
    let evidence = Evidence::named(&at, at.named("evidence"))?;
    record(&headers, &evidence)
}

/// Sends a document, as a file that no browser opens by itself.
pub(super) async fn document(at: At) -> Result<Response, Refusal> {
    let known = at.state().evidence.get(at.named("evidence"));
    let known = known.ok_or(Refusal::NotFound)?;
    let desk = at.organisation.reader().await?;
    let found = desk.blob(known.submitted_at, "document").await?;
    let found = found.ok_or(Refusal::NotFound)?;
    Ok(file(&known.submitted.file, found.bytes))
}

/// Bytes as a file with a name.
pub(super) fn file(name: &str, bytes: Vec<u8>) -> Response {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name: String = name
        .chars()
        .map(|letter| if plain(letter) { letter } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}

/// Evidence to submit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEvidence {
    /// The file's name, without a path.
    #[schema(min_length = 1, max_length = 255, pattern = "^[^/\\\\\\x00-\\x1f]+$")]
    file: String,
    /// The kind.
    kind: String,
    /// The requirements it is offered for; each takes this kind.
    #[schema(min_items = 1)]
    requirements: Vec<String>,
    /// The first day it counts; today without it.
    effective: Option<Date>,
    /// The first day it no longer counts.
    expires: Option<Date>,
    /// The document, base64: at most 20 MB before it.
    #[schema(content_encoding = "base64")]
    document: String,
    /// An independent auditor's signature, where there is one.
    signature: Option<NewSignature>,
}

/// An independent auditor's signature.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSignature {
    /// The auditor's name.
    #[schema(min_length = 1)]
    auditor: String,
    /// The text of the signed note.
    note: String,
}

/// Submits evidence.
pub(super) async fn submit(asked: Asked<BODY_BYTES_MAX>) -> Result<Response, Refusal> {
    let system = asked.at.named("system").to_owned();
    let new: NewEvidence = asked.json()?;
    asked.check_match(&systems::tag(&asked.at, &system)?)?;
    let offered = new.offered(&asked.at)?;
    let sha256 = offered.sha256.clone();
    let command = Command::AddEvidence {
        system: system.clone(),
        offered,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let entered = receipt.first..receipt.end;
    let mut known = at.state().evidence.values();
    // What is on record already enters nothing.
    let made = known.find(|one| match entered.is_empty() {
        true => {
            one.submitted.sha256 == sha256
                && one.submitted.system == system
                && one.replaced_by.is_none()
        }
        false => entered.contains(&one.submitted_at),
    });
    let made = Evidence::of(&at, made.ok_or(Refusal::Internal)?);
    asked.written(StatusCode::CREATED, &receipt, made)
}

impl NewEvidence {
    fn offered(self, at: &At) -> Result<OfferedEvidence, Refusal> {
        let effective = self.effective.unwrap_or_else(|| at.today());
        self.check(at, effective)?;
        let bytes = STANDARD.decode(self.document.as_bytes());
        let bytes = bytes.map_err(|_| {
            Refusal::field(
                "document",
                "it is no base64 (RFC 4648, section 4)".to_owned(),
            )
        })?;
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(Refusal::TooLarge(
                "the document has more than 20 MB; submit the parts that show what is asked for"
                    .to_owned(),
            ));
        }
        let (signature, note) = match self.signature {
            Some(signature) => {
                let declared = DeclaredSignature {
                    file: format!("{}.note", self.file),
                    auditor: signature.auditor.trim().to_owned(),
                };
                (Some(declared), Some(signature.note))
            }
            None => (None, None),
        };
        Ok(OfferedEvidence {
            sha256: sha256(&bytes),
            declared: DeclaredEvidence {
                file: self.file,
                kind: self.kind,
                requirements: self.requirements,
                effective,
                expires: self.expires,
                submitted_by: at.who.person.clone(),
                signature,
            },
            bytes: Arc::new(bytes),
            note,
        })
    }

    /// Refuses what no declaration could offer either.
    fn check(&self, at: &At, effective: Date) -> Result<(), Refusal> {
        let book = &at.moment.library.book;
        let is_path = self.file.contains(['/', '\\']) || self.file.chars().any(char::is_control);
        if self.file.trim().is_empty() || is_path || self.file.len() > FILE_BYTES_MAX {
            return Err(Refusal::field(
                "file",
                format!("give a file's name of at most {FILE_BYTES_MAX} bytes, without a path"),
            ));
        }
        if !book.evidence.items.contains_key(&self.kind) {
            let hint = nearest(&self.kind, book.evidence.items.keys().map(String::as_str));
            return Err(Refusal::field(
                "kind",
                format!("there is no kind of evidence `{}`; {hint}", self.kind),
            ));
        }
        if self.requirements.is_empty() {
            return Err(Refusal::field(
                "requirements",
                "name at least one requirement that it is offered for".to_owned(),
            ));
        }
        for (position, id) in self.requirements.iter().enumerate() {
            let field = format!("requirements[{position}]");
            let Some(taken) = kinds_taken(book, id) else {
                let ids = book.packs().flat_map(|pack| &pack.requirements);
                let hint = nearest(id, ids.map(|text| text.id.as_str()));
                return Err(Refusal::Field {
                    field,
                    words: format!("there is no requirement `{id}`; {hint}"),
                });
            };
            if !taken.contains(&self.kind) {
                return Err(Refusal::Field {
                    field,
                    words: format!(
                        "`{id}` asks for `{}`, not for `{}`",
                        taken.join("`, `"),
                        self.kind
                    ),
                });
            }
        }
        if self
            .signature
            .as_ref()
            .is_some_and(|one| one.auditor.trim().is_empty())
        {
            return Err(Refusal::field(
                "signature.auditor",
                "an auditor has a name".to_owned(),
            ));
        }
        match self.expires {
            Some(expires) if expires <= effective => Err(Refusal::field(
                "expires",
                format!("the evidence would expire before it takes effect on {effective}"),
            )),
            Some(_) | None => Ok(()),
        }
    }
}

/// A decision about evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRuling {
    /// Whether it is accepted, or rejected.
    accept: bool,
    /// The requirements decided on; without them all it is offered for.
    requirements: Option<Vec<String>>,
    /// Why.
    #[schema(min_length = 1)]
    reason: String,
}

/// Accepts or rejects evidence.
pub(super) async fn rule(asked: Asked) -> Result<Response, Refusal> {
    let id = changeable(&asked, Action::Rule)?;
    let new: NewRuling = asked.json()?;
    let ruling = EvidenceRuling {
        evidence: id.clone(),
        requirements: new.requirements.unwrap_or_default(),
        reason: new.reason,
    };
    let command = match new.accept {
        true => Command::AcceptEvidence(ruling),
        false => Command::RejectEvidence(ruling),
    };
    let receipt = asked.enter(command).await?;
    let made = Evidence::named(&asked.at.again(), &id)?;
    asked.written(StatusCode::CREATED, &receipt, made)
}

/// An offer for further requirements.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOffer {
    /// The requirements; each takes this kind of evidence.
    #[schema(min_items = 1)]
    requirements: Vec<String>,
}

/// Offers evidence for further requirements.
pub(super) async fn offer(asked: Asked) -> Result<Response, Refusal> {
    let id = changeable(&asked, Action::Submit)?;
    let new: NewOffer = asked.json()?;
    if new.requirements.is_empty() {
        return Err(Refusal::field(
            "requirements",
            "name at least one requirement that it is offered for".to_owned(),
        ));
    }
    let command = Command::OfferEvidence {
        evidence: id.clone(),
        requirements: new.requirements,
    };
    let receipt = asked.enter(command).await?;
    let made = Evidence::named(&asked.at.again(), &id)?;
    asked.written(StatusCode::CREATED, &receipt, made)
}

/// The evidence of the address, where whoever asks may do this to its system and it is what they read.
fn changeable(asked: &Asked, action: Action) -> Result<String, Refusal> {
    let at = &asked.at;
    let id = at.named("evidence");
    let known = at.state().evidence.get(id).ok_or(Refusal::NotFound)?;
    at.need(action, &known.submitted.system)?;
    asked.check_match(&tag_of(&Evidence::of(at, known))?)?;
    Ok(id.to_owned())
}
