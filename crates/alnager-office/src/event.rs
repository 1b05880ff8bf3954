//! Events: what happened, as the journal's payloads hold it. A payload, once written, is read forever: fields are only added.

use alnager_journal::segment::SEGMENT_SEALED;
use serde::{Deserialize, Serialize};

use crate::audit::AuditRecorded;
use crate::comment::CommentMade;
use crate::counsel::{FrameworkAdopted, ReadingRecorded, TextImported, WordingConfirmed};
use crate::dossier::DossierDrawn;
use crate::evidence::{EvidenceAccepted, EvidenceOffered, EvidenceRejected, EvidenceSubmitted};
use crate::exception::{ExceptionEnded, ExceptionGranted};
use crate::gate::SystemReviewed;
use crate::launch::LaunchDecided;
use crate::log::{KeyDropped, KeyRotated, LogForked};
use crate::opinion::{OpinionGiven, OpinionWithdrawn};
use crate::packs::{KeyTrusted, PackInstalled, PackPinned, PackUnpinned};
use crate::people::{ErasureExecuted, ErasureRequested, HoldPlaced, HoldReleased, PersonNamed};
use crate::role::RolesGranted;
use crate::segment::SegmentSealed;
use crate::signal::{SignalRaised, SignalSettled, WatchLooked};
use crate::system::{FactAnswered, FactConfirmed, SystemDeclared};
use crate::task::{TaskDone, TaskOpened};
use crate::upcast;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The desk was opened.
    DeskOpened(DeskOpened),
    /// A person got a name.
    PersonNamed(PersonNamed),
    /// Law and policy in use changed.
    BookAdopted(BookAdopted),
    /// A system was declared.
    SystemDeclared(Box<SystemDeclared>),
    /// A fact was answered outside a declaration.
    FactAnswered(FactAnswered),
    /// A fact was confirmed.
    FactConfirmed(FactConfirmed),
    /// Evidence was submitted.
    EvidenceSubmitted(EvidenceSubmitted),
    /// Evidence was offered for further requirements.
    EvidenceOffered(EvidenceOffered),
    /// Evidence was accepted for a requirement.
    EvidenceAccepted(EvidenceAccepted),
    /// Evidence was rejected for a requirement.
    EvidenceRejected(EvidenceRejected),
    /// A system was reviewed.
    SystemReviewed(Box<SystemReviewed>),
    /// The organisation adopted a voluntary framework, or dropped it.
    FrameworkAdopted(FrameworkAdopted),
    /// Counsel recorded a reading of a requirement.
    ReadingRecorded(ReadingRecorded),
    /// An official text was imported.
    TextImported(Box<TextImported>),
    /// A person confirmed a requirement against the text as it reads now.
    WordingConfirmed(Box<WordingConfirmed>),
    /// A key was trusted to sign packs, or is trusted no longer.
    KeyTrusted(KeyTrusted),
    /// A pack was installed.
    PackInstalled(Box<PackInstalled>),
    /// A version of a pack was pinned.
    PackPinned(Box<PackPinned>),
    /// A pack was unpinned.
    PackUnpinned(PackUnpinned),
    /// A watcher looked at its source.
    WatchLooked(WatchLooked),
    /// A signal was raised.
    SignalRaised(Box<SignalRaised>),
    /// A signal was settled.
    SignalSettled(SignalSettled),
    /// A task was opened.
    TaskOpened(TaskOpened),
    /// An audit was recorded.
    AuditRecorded(AuditRecorded),
    /// A task was done.
    TaskDone(TaskDone),
    /// A person is to be erased.
    ErasureRequested(ErasureRequested),
    /// What belonged to a person is gone.
    ErasureExecuted(ErasureExecuted),
    /// A legal hold was placed on a person.
    HoldPlaced(HoldPlaced),
    /// A legal hold was released.
    HoldReleased(HoldReleased),
    /// Another key signs the log.
    KeyRotated(KeyRotated),
    /// A key of the log signs no more.
    KeyDropped(KeyDropped),
    /// The log went on under a new origin.
    LogForked(Box<LogForked>),
    /// A person got roles, or lost them.
    RolesGranted(RolesGranted),
    /// A person decided on a launch.
    LaunchDecided(Box<LaunchDecided>),
    /// An exception was granted.
    ExceptionGranted(ExceptionGranted),
    /// An exception ended.
    ExceptionEnded(ExceptionEnded),
    /// A comment was made.
    CommentMade(CommentMade),
    /// An auditor gave an opinion on a system.
    OpinionGiven(Box<OpinionGiven>),
    /// An opinion was withdrawn.
    OpinionWithdrawn(OpinionWithdrawn),
    /// A dossier was drawn.
    DossierDrawn(DossierDrawn),
    /// A segment of a decision log was sealed.
    SegmentSealed(SegmentSealed),
}

/// The desk was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskOpened {
    /// The organisation's id: the subject of entries about it as a whole.
    pub id: String,
    /// Its name.
    pub organisation: String,
}

/// Law and policy in use changed. The texts are the entry's blob `book.json`: an object from name to text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookAdopted {
    /// What is in use.
    pub book: BookStamp,
}

/// Which law and policy were in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookStamp {
    /// Each file in use: name and SHA-256 of its text, hexadecimal; sorted by name.
    pub files: Vec<BookFile>,
}

/// One file of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFile {
    /// Its name, such as `law/gdpr/pack.toml`.
    pub name: String,
    /// SHA-256 of its text, hexadecimal.
    pub sha256: String,
}

/// A payload that is not what its entry's kind says.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The kind is not known to this version.
    #[error("the kind of entry `{0}` is not known to this version; use a newer one")]
    UnknownKind(String),
    /// The payload does not have the kind's form.
    #[error("the payload of a `{kind}` entry does not have the form of its kind")]
    Form {
        /// The kind.
        kind: String,
        /// What was wrong.
        #[source]
        source: serde_json::Error,
    },
}

impl Event {
    /// The kind as entries name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::DeskOpened(_) => "desk.opened",
            Event::PersonNamed(_) => "person.named",
            Event::BookAdopted(_) => "book.adopted",
            Event::SystemDeclared(_) => "system.declared",
            Event::FactConfirmed(_) => "fact.confirmed",
            Event::EvidenceSubmitted(_) => "evidence.submitted",
            Event::EvidenceOffered(_) => "evidence.offered",
            Event::EvidenceAccepted(_) => "evidence.accepted",
            Event::EvidenceRejected(_) => "evidence.rejected",
            Event::SystemReviewed(_) => "system.reviewed",
            Event::FrameworkAdopted(_) => "framework.adopted",
            Event::ReadingRecorded(_) => "reading.recorded",
            Event::TextImported(_) => "text.imported",
            Event::WordingConfirmed(_) => "wording.confirmed",
            Event::KeyTrusted(_) => "pack.trusted",
            Event::PackInstalled(_) => "pack.installed",
            Event::PackPinned(_) => "pack.pinned",
            Event::PackUnpinned(_) => "pack.unpinned",
            Event::WatchLooked(_) => "watch.looked",
            Event::SignalRaised(_) => "signal.raised",
            Event::SignalSettled(_) => "signal.settled",
            Event::TaskOpened(_) => "task.opened",
            Event::TaskDone(_) => "task.done",
            Event::AuditRecorded(_) => "audit.recorded",
            Event::ErasureRequested(_) => "erasure.requested",
            Event::ErasureExecuted(_) => "erasure.executed",
            Event::HoldPlaced(_) => "hold.placed",
            Event::HoldReleased(_) => "hold.released",
            Event::KeyRotated(_) => "key.rotated",
            Event::KeyDropped(_) => "key.dropped",
            Event::LogForked(_) => "log.forked",
            Event::RolesGranted(_) => "roles.granted",
            Event::FactAnswered(_) => "fact.answered",
            Event::LaunchDecided(_) => "launch.decided",
            Event::ExceptionGranted(_) => "exception.granted",
            Event::ExceptionEnded(_) => "exception.ended",
            Event::CommentMade(_) => "comment.made",
            Event::OpinionGiven(_) => "opinion.given",
            Event::OpinionWithdrawn(_) => "opinion.withdrawn",
            Event::DossierDrawn(_) => "dossier.drawn",
            Event::SegmentSealed(_) => SEGMENT_SEALED,
        }
    }

    /// The payload's bytes. They are never serialised again: what was written is kept.
    pub fn to_payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Event::DeskOpened(event) => serde_json::to_vec(event),
            Event::PersonNamed(event) => serde_json::to_vec(event),
            Event::BookAdopted(event) => serde_json::to_vec(event),
            Event::SystemDeclared(event) => serde_json::to_vec(event),
            Event::FactConfirmed(event) => serde_json::to_vec(event),
            Event::EvidenceSubmitted(event) => serde_json::to_vec(event),
            Event::EvidenceOffered(event) => serde_json::to_vec(event),
            Event::EvidenceAccepted(event) => serde_json::to_vec(event),
            Event::EvidenceRejected(event) => serde_json::to_vec(event),
            Event::SystemReviewed(event) => serde_json::to_vec(event),
            Event::FrameworkAdopted(event) => serde_json::to_vec(event),
            Event::ReadingRecorded(event) => serde_json::to_vec(event),
            Event::TextImported(event) => serde_json::to_vec(event),
            Event::WordingConfirmed(event) => serde_json::to_vec(event),
            Event::KeyTrusted(event) => serde_json::to_vec(event),
            Event::PackInstalled(event) => serde_json::to_vec(event),
            Event::PackPinned(event) => serde_json::to_vec(event),
            Event::PackUnpinned(event) => serde_json::to_vec(event),
            Event::WatchLooked(event) => serde_json::to_vec(event),
            Event::SignalRaised(event) => serde_json::to_vec(event),
            Event::SignalSettled(event) => serde_json::to_vec(event),
            Event::TaskOpened(event) => serde_json::to_vec(event),
            Event::AuditRecorded(event) => serde_json::to_vec(event),
            Event::TaskDone(event) => serde_json::to_vec(event),
            Event::ErasureRequested(event) => serde_json::to_vec(event),
            Event::ErasureExecuted(event) => serde_json::to_vec(event),
            Event::HoldPlaced(event) => serde_json::to_vec(event),
            Event::HoldReleased(event) => serde_json::to_vec(event),
            Event::KeyRotated(event) => serde_json::to_vec(event),
            Event::KeyDropped(event) => serde_json::to_vec(event),
            Event::LogForked(event) => serde_json::to_vec(event),
            Event::RolesGranted(event) => serde_json::to_vec(event),
            Event::FactAnswered(event) => serde_json::to_vec(event),
            Event::LaunchDecided(event) => serde_json::to_vec(event),
            Event::ExceptionGranted(event) => serde_json::to_vec(event),
            Event::ExceptionEnded(event) => serde_json::to_vec(event),
            Event::CommentMade(event) => serde_json::to_vec(event),
            Event::OpinionGiven(event) => serde_json::to_vec(event),
            Event::OpinionWithdrawn(event) => serde_json::to_vec(event),
            Event::DossierDrawn(event) => serde_json::to_vec(event),
            Event::SegmentSealed(event) => serde_json::to_vec(event),
        }
    }

    /// Reads a payload back, whichever version of the program wrote it.
    pub fn from_payload(kind: &str, payload: &[u8]) -> Result<Self, EventError> {
        fn read<'p, T: Deserialize<'p>>(kind: &str, payload: &'p [u8]) -> Result<T, EventError> {
            serde_json::from_slice(payload).map_err(|source| EventError::Form {
                kind: kind.to_owned(),
                source,
            })
        }
        let upcast = upcast::to_current(upcast::STEPS, kind, payload);
        let (kind, changed) = upcast.map_err(|source| EventError::Form {
            kind: kind.to_owned(),
            source,
        })?;
        let payload = changed.as_deref().unwrap_or(payload);
        Ok(match kind {
            "desk.opened" => Event::DeskOpened(read(kind, payload)?),
            "person.named" => Event::PersonNamed(read(kind, payload)?),
            "book.adopted" => Event::BookAdopted(read(kind, payload)?),
            "system.declared" => Event::SystemDeclared(read(kind, payload)?),
            "fact.confirmed" => Event::FactConfirmed(read(kind, payload)?),
            "evidence.submitted" => Event::EvidenceSubmitted(read(kind, payload)?),
            "evidence.offered" => Event::EvidenceOffered(read(kind, payload)?),
            "evidence.accepted" => Event::EvidenceAccepted(read(kind, payload)?),
            "evidence.rejected" => Event::EvidenceRejected(read(kind, payload)?),
            "system.reviewed" => Event::SystemReviewed(read(kind, payload)?),
            "framework.adopted" => Event::FrameworkAdopted(read(kind, payload)?),
            "reading.recorded" => Event::ReadingRecorded(read(kind, payload)?),
            "text.imported" => Event::TextImported(read(kind, payload)?),
            "wording.confirmed" => Event::WordingConfirmed(read(kind, payload)?),
            "pack.trusted" => Event::KeyTrusted(read(kind, payload)?),
            "pack.installed" => Event::PackInstalled(read(kind, payload)?),
            "pack.pinned" => Event::PackPinned(read(kind, payload)?),
            "pack.unpinned" => Event::PackUnpinned(read(kind, payload)?),
            "watch.looked" => Event::WatchLooked(read(kind, payload)?),
            "signal.raised" => Event::SignalRaised(read(kind, payload)?),
            "signal.settled" => Event::SignalSettled(read(kind, payload)?),
            "task.opened" => Event::TaskOpened(read(kind, payload)?),
            "audit.recorded" => Event::AuditRecorded(read(kind, payload)?),
            "task.done" => Event::TaskDone(read(kind, payload)?),
            "erasure.requested" => Event::ErasureRequested(read(kind, payload)?),
            "erasure.executed" => Event::ErasureExecuted(read(kind, payload)?),
            "hold.placed" => Event::HoldPlaced(read(kind, payload)?),
            "hold.released" => Event::HoldReleased(read(kind, payload)?),
            "key.rotated" => Event::KeyRotated(read(kind, payload)?),
            "key.dropped" => Event::KeyDropped(read(kind, payload)?),
            "log.forked" => Event::LogForked(read(kind, payload)?),
            "roles.granted" => Event::RolesGranted(read(kind, payload)?),
            "fact.answered" => Event::FactAnswered(read(kind, payload)?),
            "launch.decided" => Event::LaunchDecided(read(kind, payload)?),
            "exception.granted" => Event::ExceptionGranted(read(kind, payload)?),
            "exception.ended" => Event::ExceptionEnded(read(kind, payload)?),
            "comment.made" => Event::CommentMade(read(kind, payload)?),
            "opinion.given" => Event::OpinionGiven(read(kind, payload)?),
            "opinion.withdrawn" => Event::OpinionWithdrawn(read(kind, payload)?),
            "dossier.drawn" => Event::DossierDrawn(read(kind, payload)?),
            SEGMENT_SEALED => Event::SegmentSealed(read(kind, payload)?),
            _ => return Err(EventError::UnknownKind(kind.to_owned())),
        })
    }
}
