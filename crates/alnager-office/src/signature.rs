//! Signatures of independent auditors: what a signed note states about a document, and when it makes the document count.
//!
//! A kind of evidence with `signed_by` counts only with such a note. Who was audited can never supply it: the auditor is neither who
//! submits, nor who accepts, nor on the team. The form of the note is `docs/formats/audit-signature.md`.

use alnager_journal::note::{KeyKind, Note, NoteError, VerifyingKey};
use alnager_law::book::Book;
use alnager_law::figure::{Bound, Unit};
use alnager_law::pack::{Pack, RequirementText};
use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Draft, Refused};
use crate::evidence::{Evidence, EvidenceSubmitted, Standing};
use crate::state::State;

/// The first line of a note's text.
pub const FORMAT: &str = "alnager audit signature v1";

/// What auditors sign with.
pub const KEY_KIND: KeyKind = KeyKind::Ed25519;

/// The kind of evidence in which an auditor states to be independent.
pub const INDEPENDENCE: &str = "independence_statement";

/// The kind of figure that says how old an audit may be.
const INTERVAL: &str = "audit_interval";

/// An auditor's signature on a document, as it is submitted with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditSignature {
    /// The auditor: a name on offer, and a person's id once entered in the journal.
    pub auditor: String,
    /// The key the note is verified with, as a `vkey`.
    pub key: String,
    /// The signed note, whole.
    pub note: String,
}

/// What an auditor's note states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// SHA-256 of the document, hexadecimal.
    pub document: String,
    /// SHA-256 of the auditor's statement of independence, hexadecimal.
    pub statement: String,
    /// The day of the audit.
    pub on: Date,
    /// The key the auditor signs with.
    pub key: VerifyingKey,
}

/// Why a document does not count as signed by an independent auditor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureProblem {
    /// There is no signature.
    #[error(
        "it carries no auditor's signature; the auditor makes one with `alnager audit sign`, and it is submitted with --signature NOTE --auditor NAME"
    )]
    Missing,
    /// The kind takes none.
    #[error("evidence of this kind takes no auditor's signature; submit it without one")]
    NotTaken,
    /// The note is not what it must be.
    #[error("line {line} of the note is not `{wanted}`; take it again from the auditor")]
    Form {
        /// The line, counted from 1.
        line: usize,
        /// What stands there in a note of an auditor.
        wanted: &'static str,
    },
    /// It is no note, or the signature does not fit.
    #[error("the note does not hold: {0}")]
    Note(NoteError),
    /// The key named with it is not the one in the note.
    #[error("the note states another key than the one it was entered with; submit it again")]
    OtherKey,
    /// The note is about another document.
    #[error(
        "the note was signed for another document (SHA-256 `{signed}`; this one has `{found}`); submit the document as it was signed, or have this one signed"
    )]
    OtherDocument {
        /// The document signed.
        signed: String,
        /// The document submitted.
        found: String,
    },
    /// It is submitted by the auditor.
    #[error(
        "the auditor submits it, and an audit signed by whoever submits it is a self-test; have someone of the organisation submit it"
    )]
    OfSubmitter,
    /// It is accepted by the auditor.
    #[error(
        "the auditor cannot accept what they signed; have someone of the organisation accept it (--as NAME)"
    )]
    OfAcceptor,
    /// It is accepted by who builds the system.
    #[error("who builds `{system}` cannot accept its audit; have someone outside the team do it")]
    AcceptedByBuilder {
        /// The system.
        system: String,
    },
    /// The auditor builds the system.
    #[error(
        "the auditor is on the team that builds `{system}`, so this is a self-test; have an independent auditor do it"
    )]
    OfBuilder {
        /// The system.
        system: String,
    },
    /// The statement of independence is not accepted.
    #[error(
        "the independence statement it names (SHA-256 `{statement}`) is not accepted{place}; submit that very document as `independence_statement` and have it accepted first"
    )]
    NoStatement {
        /// The statement's SHA-256, hexadecimal.
        statement: String,
        /// For which requirement, in words.
        place: String,
    },
    /// It counts from before the audit.
    #[error(
        "it counts from {effective}, before the audit of {on}; submit it with --effective {on} or a later day"
    )]
    TooEarly {
        /// The first day it counts.
        effective: Date,
        /// The day of the audit.
        on: Date,
    },
    /// The day of the audit has not come.
    #[error("its audit is dated {on}, a day that has not come")]
    NotYet {
        /// The day of the audit.
        on: Date,
    },
    /// It counts for too long.
    #[error(
        "an audit of {on} counts for {interval} ({cite}), so it must expire by {until}; submit it with --expires {until} or an earlier day"
    )]
    TooLong {
        /// The day of the audit.
        on: Date,
        /// How old an audit may be, in words.
        interval: String,
        /// The source.
        cite: String,
        /// The latest day on which it may expire.
        until: Date,
    },
}

impl Stated {
    /// The text that the auditor signs.
    pub fn to_text(&self) -> String {
        format!(
            "{FORMAT}\ndocument {}\nstatement {}\ndate {}\nkey {}\n",
            self.document, self.statement, self.on, self.key
        )
    }

    /// Opens a note: it has the form, and its key has signed it.
    pub fn open(note: &str) -> Result<Stated, SignatureProblem> {
        let note = Note::parse(note.as_bytes()).map_err(SignatureProblem::Note)?;
        let stated = Stated::read(note.text())?;
        note.verify(std::slice::from_ref(&stated.key))
            .map_err(SignatureProblem::Note)?;
        Ok(stated)
    }

    fn read(text: &str) -> Result<Stated, SignatureProblem> {
        const WANTED: [&str; 5] = [
            FORMAT,
            "document SHA-256",
            "statement SHA-256",
            "date DAY",
            "key VKEY",
        ];
        let wrong = |at: usize| SignatureProblem::Form {
            line: at + 1,
            wanted: WANTED[at],
        };
        let lines: Vec<&str> = text.lines().collect();
        let field = |at: usize, name: &str| {
            let line = lines.get(at).copied().unwrap_or_default();
            line.strip_prefix(name).ok_or(wrong(at))
        };
        if lines.first() != Some(&FORMAT) {
            return Err(wrong(0));
        }
        let hash = |at: usize, name: &str| {
            let text = field(at, name)?;
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            match text.len() == 64 && text.bytes().all(is_hex) {
                true => Ok(text.to_owned()),
                false => Err(wrong(at)),
            }
        };
        let key = VerifyingKey::parse(field(4, "key ")?).map_err(SignatureProblem::Note)?;
        let stated = Stated {
            document: hash(1, "document ")?,
            statement: hash(2, "statement ")?,
            on: field(3, "date ")?.parse().map_err(|_| wrong(3))?,
            key,
        };
        // One spelling: a note with anything more, or said otherwise, is none.
        match stated.key.kind() == KEY_KIND && stated.to_text() == text {
            true => Ok(stated),
            false => Err(wrong(4)),
        }
    }
}

/// What the note of a submitted document states; a problem where it has none, or where the note is not about this document.
pub fn stated(submitted: &EvidenceSubmitted) -> Result<Stated, SignatureProblem> {
    let signature = submitted
        .signature
        .as_ref()
        .ok_or(SignatureProblem::Missing)?;
    let stated = Stated::open(&signature.note)?;
    if stated.key.to_string() != signature.key {
        return Err(SignatureProblem::OtherKey);
    }
    if stated.document != submitted.sha256 {
        return Err(SignatureProblem::OtherDocument {
            signed: stated.document,
            found: submitted.sha256.clone(),
        });
    }
    if signature.auditor == submitted.submitted_by {
        return Err(SignatureProblem::OfSubmitter);
    }
    Ok(stated)
}

/// Whether evidence of a kind counts only when an independent auditor signed it.
pub fn is_needed(book: &Book, kind: &str) -> bool {
    let item = book.evidence.items.get(kind);
    item.is_some_and(|item| item.signed_by.is_some())
}

/// Whether a document may be submitted: a signature where its kind needs one, and none elsewhere.
pub(crate) fn may_be_submitted(
    submitted: &EvidenceSubmitted,
    book: &Book,
) -> Result<(), SignatureProblem> {
    match (is_needed(book, &submitted.kind), &submitted.signature) {
        (true, _) => stated(submitted).map(drop),
        (false, None) => Ok(()),
        (false, Some(_)) => Err(SignatureProblem::NotTaken),
    }
}

/// Where a signed document is to count.
pub struct Place<'a> {
    /// The requirement.
    pub requirement: &'a RequirementText,
    /// Its pack.
    pub pack: &'a Pack,
    /// The system.
    pub system: &'a str,
    /// The day.
    pub day: Date,
}

/// Whether a signed document counts, accepted by this person: the signature holds, the auditor is independent as far as the desk
/// knows, their statement is accepted, and the audit is not too old when it expires.
///
/// Rests on nothing that a dossier of the system leaves out, so that desk and verifier say the same.
pub fn counts(
    evidence: &Evidence,
    accepted_by: &str,
    place: &Place<'_>,
    state: &State,
) -> Result<Stated, SignatureProblem> {
    let submitted = &evidence.submitted;
    let stated = stated(submitted)?;
    let auditor = submitted
        .signature
        .as_ref()
        .map_or("", |signature| signature.auditor.as_str());
    if auditor == accepted_by {
        return Err(SignatureProblem::OfAcceptor);
    }
    let system = || place.system.to_owned();
    let builders = state.systems.get(place.system).map(|one| &one.builders);
    if builders.is_some_and(|builders| builders.contains(auditor)) {
        return Err(SignatureProblem::OfBuilder { system: system() });
    }
    if builders.is_some_and(|builders| builders.contains(accepted_by)) {
        return Err(SignatureProblem::AcceptedByBuilder { system: system() });
    }
    if stated.on > place.day {
        return Err(SignatureProblem::NotYet { on: stated.on });
    }
    in_date(submitted, &stated, place.requirement)?;
    statement_accepted(&stated, place, state)?;
    Ok(stated)
}

/// A document counts from its audit on, and for no longer than its requirement lets an audit be old.
fn in_date(
    submitted: &EvidenceSubmitted,
    stated: &Stated,
    requirement: &RequirementText,
) -> Result<(), SignatureProblem> {
    let (effective, on) = (submitted.effective, stated.on);
    if effective < on {
        return Err(SignatureProblem::TooEarly { effective, on });
    }
    let limits = requirement.figures.iter();
    let limits = limits.filter(|figure| figure.kind == INTERVAL && figure.bound == Bound::AtMost);
    for figure in limits {
        // Periods of law are whole numbers; one in hours or working days sets no day here.
        let n = figure.amount.number as i64;
        let span = match figure.amount.unit {
            Unit::Days => Span::new().try_days(n),
            Unit::Months => Span::new().try_months(n),
            Unit::Years => Span::new().try_years(n),
            Unit::Hours | Unit::BusinessDays | Unit::One => continue,
        };
        let Ok(until) = span.and_then(|span| on.checked_add(span)) else {
            continue;
        };
        if submitted.expires.is_none_or(|expires| expires > until) {
            return Err(SignatureProblem::TooLong {
                on,
                interval: figure.amount.to_string(),
                cite: figure.cite.clone(),
                until,
            });
        }
    }
    Ok(())
}

/// The statement the auditor names is accepted, in date, for what the same pack asks of it.
fn statement_accepted(
    stated: &Stated,
    place: &Place<'_>,
    state: &State,
) -> Result<(), SignatureProblem> {
    let takes = |text: &&RequirementText| text.evidence.iter().any(|kind| kind == INDEPENDENCE);
    let taking: Vec<&RequirementText> = place.pack.requirements.iter().filter(takes).collect();
    let is_accepted = taking.iter().any(|text| {
        state.evidence_for(text, place.system).any(|evidence| {
            evidence.submitted.kind == INDEPENDENCE
                && evidence.submitted.sha256 == stated.statement
                && evidence.standing(&text.id, place.day) == Standing::Accepted
        })
    });
    if is_accepted {
        return Ok(());
    }
    let ids: Vec<String> = taking.iter().map(|text| format!("`{}`", text.id)).collect();
    Err(SignatureProblem::NoStatement {
        statement: stated.statement.clone(),
        place: match ids.is_empty() {
            true => String::new(),
            false => format!(" for {}", ids.join(" or ")),
        },
    })
}

impl Draft<'_> {
    /// Refuses to accept a document that needs an independent auditor's signature and does not carry one that counts. Nobody who builds
    /// a system of the desk is independent, and nobody who does accepts the key of an auditor.
    pub(crate) fn need_signature(
        &self,
        evidence: &Evidence,
        requirement: &str,
    ) -> Result<(), Refused> {
        let submitted = &evidence.submitted;
        if !is_needed(self.with.book, &submitted.kind) {
            return Ok(());
        }
        let refused = |problem| Refused::Signature {
            what: format!("`{}` cannot be accepted", submitted.evidence),
            problem,
        };
        let found = self.with.book.packs().find_map(|pack| {
            let mut texts = pack.requirements.iter();
            let text = texts.find(|text| text.id == requirement)?;
            Some((pack, text))
        });
        let Some((pack, requirement)) = found else {
            return Err(self.no_requirement(requirement));
        };
        let place = Place {
            requirement,
            pack,
            system: &submitted.system,
            day: self.with.today,
        };
        counts(evidence, self.actor_id(), &place, &self.state).map_err(refused)?;
        let auditor = submitted.signature.as_ref().map(|one| &one.auditor);
        let mut systems = self.state.systems.values();
        let built =
            systems.find(|system| auditor.is_some_and(|auditor| system.builders.contains(auditor)));
        if let Some(system) = built {
            return Err(refused(SignatureProblem::OfBuilder {
                system: system.declaration.id.clone(),
            }));
        }
        self.need_outsider(&submitted.evidence)
    }
}

#[cfg(test)]
mod tests;
