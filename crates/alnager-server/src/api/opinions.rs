//! Audit opinions: given on a state of the journal, and withdrawn.

use alnager_journal::merkle::Hash;
use alnager_office::decide::Command;
use alnager_office::opinion::{
    AuditOpinion as Known, Conclusion as KnownConclusion, NewAuditOpinion,
};
use alnager_work::opinion::read_in;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::ask::{Ask, Asked, list as listed};
use crate::api::cursor;
use crate::api::shape::{Decided, Paging, Person, Reason};
use crate::at::At;
use crate::refusal::Refusal;

/// An audit opinion.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditOpinion {
    /// Its id.
    id: String,
    /// The system.
    system: String,
    /// What is concluded.
    conclusion: Conclusion,
    /// On what basis.
    basis: String,
    /// The entries of the journal that were read: the first so many.
    size: u64,
    /// The root hash over them, base64.
    root: String,
    /// Who gave it.
    by: Person,
    /// When.
    on: Date,
    /// The entry that gave it.
    at: u64,
    /// The auditor's own signed note, where there is one.
    note: Option<String>,
    /// Whether it stands: neither withdrawn nor replaced.
    stands: bool,
    /// How it was withdrawn, where it was.
    withdrawn: Option<Decided>,
    /// The latest entry about the system after what was read; `null` where there is none.
    moved_system: Option<u64>,
    /// The same about the organisation: law in use, and evidence for all systems.
    moved_organisation: Option<u64>,
}

/// What an auditor concludes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Conclusion {
    /// The record shows what it claims, in all that matters.
    Unmodified,
    /// It does, except for what the basis names.
    Qualified,
    /// It does not, and what is wrong pervades it.
    Adverse,
    /// There was not enough to go by.
    Disclaimer,
}

impl Conclusion {
    fn of(known: KnownConclusion) -> Conclusion {
        match known {
            KnownConclusion::Unmodified => Conclusion::Unmodified,
            KnownConclusion::Qualified => Conclusion::Qualified,
            KnownConclusion::Adverse => Conclusion::Adverse,
            KnownConclusion::Disclaimer => Conclusion::Disclaimer,
        }
    }

    fn known(self) -> KnownConclusion {
        match self {
            Conclusion::Unmodified => KnownConclusion::Unmodified,
            Conclusion::Qualified => KnownConclusion::Qualified,
            Conclusion::Adverse => KnownConclusion::Adverse,
            Conclusion::Disclaimer => KnownConclusion::Disclaimer,
        }
    }
}

impl AuditOpinion {
    fn of(at: &At, opinion: &Known) -> AuditOpinion {
        let given = &opinion.given;
        let stands = at.state().opinion_on(&given.system);
        let moved = at.state().moved_since(&given.system, given.size);
        AuditOpinion {
            id: given.opinion.clone(),
            system: given.system.clone(),
            conclusion: Conclusion::of(given.conclusion),
            basis: given.basis.clone(),
            size: given.size,
            root: given.root.clone(),
            by: Person::of(at, &given.by),
            on: given.on,
            at: opinion.at,
            note: given.signature.as_ref().map(|one| one.note.clone()),
            stands: stands.is_some_and(|stands| stands.at == opinion.at),
            withdrawn: opinion.withdrawn.as_ref().map(|withdrawn| Decided {
                by: Person::of(at, &withdrawn.by),
                on: withdrawn.on,
                reason: withdrawn.reason.clone(),
            }),
            moved_system: moved.system,
            moved_organisation: moved.organisation,
        }
    }
}

/// Lists the opinions on a system.
pub(super) async fn list(at: At, Ask(paging): Ask<Paging>) -> Result<Response, Refusal> {
    let rows = at.state().opinions_on(at.named("system")).iter();
    let key = |one: &Known| (cursor::indexed(one.at), one.given.opinion.clone());
    let rows = rows.map(|one| (key(one), one)).collect();
    let (rows, next) = cursor::page("opinions", rows, paging.cursor.as_deref(), paging.limit)?;
    let rows = rows.into_iter().map(|one| AuditOpinion::of(&at, one));
    listed((rows.collect(), next))
}

/// An audit opinion to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOpinion {
    /// What is concluded.
    conclusion: Conclusion,
    /// On what basis, without anybody's name.
    #[schema(min_length = 1, max_length = 20000)]
    basis: String,
    /// The entries of the journal that were read, as a signed checkpoint states them.
    #[schema(minimum = 1)]
    size: u64,
    /// The root hash over them, base64.
    #[schema(min_length = 44, max_length = 44)]
    root: String,
    /// The signed note of the auditor's own key over the text of the opinion, where there is one.
    note: Option<String>,
}

/// Gives an opinion.
pub(super) async fn give(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("system").to_owned();
    let new: NewOpinion = asked.json()?;
    let root = Hash::from_base64(&new.root)
        .ok_or_else(|| Refusal::field("root", "it is no root hash in base64".to_owned()))?;
    let read = {
        let desk = asked.at.organisation.reader().await?;
        read_in(&desk, &id, Some(new.size), Some(root)).await?
    };
    let giving = NewAuditOpinion {
        system: id,
        conclusion: new.conclusion.known(),
        basis: new.basis,
        size: read.size,
        root: read.root,
        note: new.note,
    };
    let receipt = asked.enter(Command::GiveOpinion(Box::new(giving))).await?;
    let at = asked.at.again();
    let opinions = at.state().opinions_on(at.named("system"));
    let made = opinions
        .iter()
        .find(|one| (receipt.first..receipt.end).contains(&one.at));
    let made = AuditOpinion::of(&at, made.ok_or(Refusal::Internal)?);
    asked.written(StatusCode::CREATED, &receipt, made)
}

/// Withdraws an opinion.
pub(super) async fn withdraw(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("opinion").to_owned();
    let new: Reason = asked.json()?;
    let command = Command::WithdrawOpinion {
        opinion: id.clone(),
        reason: new.reason,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let made = at.state().opinion(&id).ok_or(Refusal::Internal)?;
    asked.written(StatusCode::OK, &receipt, AuditOpinion::of(&at, made))
}
