//! Decisions: a command becomes events, or is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alnager_audit::measures::Measures;
use alnager_audit::policy::Policy;
use alnager_journal::segment::SegmentError;
use alnager_law::book::Book;
use alnager_law::read::{ReadError, nearest};
use alnager_law::requirement::AsOf;
use jiff::civil::Date;
use uuid::Uuid;

use crate::assess::{Assessment, assess};
use crate::audit::NewAudit;
use crate::comment::About;
use crate::counsel::{NewText, Opinion};
use crate::declaration::{Declaration, DeclaredEvidence};
use crate::deed::{self, Deed};
use crate::event::{BookAdopted, BookStamp, DeskOpened, Event};
use crate::evidence::{EvidenceAccepted, EvidenceRejected, EvidenceSubmitted};
use crate::exception::NewException;
use crate::gate::{Gate, ReportStamp, serves_organisation};
use crate::launch::NewLaunch;
use crate::log::NewFork;
use crate::opinion::NewAuditOpinion;
use crate::packs::{NewPack, Pin};
use crate::people::{Basis, PersonNamed};
use crate::role::Role;
use crate::segment::NewSegment;
use crate::signal::Look;
use crate::signature::{self, AuditSignature, SignatureProblem, Stated};
use crate::state::{Meta, State, folded, is_invisible};
use crate::system::{FactConfirmed, NewAnswer, NewDeclaration, SystemDeclared};
use crate::task::NewTask;

/// What a person asks the office to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// Enter a declaration with its evidence and measures, and judge it.
    Review(Box<Review>),
    /// Confirm a fact.
    ConfirmFact {
        /// The system.
        system: String,
        /// The fact.
        fact: String,
        /// The answer confirmed; without it the proposed one, or else the one that stands.
        value: Option<String>,
        /// On what basis.
        basis: String,
    },
    /// Submit evidence outside a declaration.
    AddEvidence {
        /// The system.
        system: String,
        /// What is submitted.
        offered: OfferedEvidence,
    },
    /// Offer evidence on record for further requirements.
    OfferEvidence {
        /// The evidence's id.
        evidence: String,
        /// The requirements; each takes this kind of evidence.
        requirements: Vec<String>,
    },
    /// Accept evidence.
    AcceptEvidence(EvidenceRuling),
    /// Reject evidence.
    RejectEvidence(EvidenceRuling),
    /// Adopt a voluntary framework, or drop it.
    AdoptFramework {
        /// The pack.
        pack: String,
        /// Whether it is adopted; `false` drops it.
        is_adopted: bool,
        /// Why.
        reason: String,
    },
    /// Record counsel's reading of a requirement.
    RecordReading {
        /// The requirement.
        requirement: String,
        /// What counsel found.
        opinion: Opinion,
        /// The interpretation.
        text: String,
    },
    /// Enter an official text.
    ImportText(Box<NewText>),
    /// Confirm a stale requirement against the text as it reads now.
    ConfirmWording {
        /// The requirement.
        requirement: String,
        /// Why.
        reason: String,
    },
    /// Trust a key to sign packs, or end that.
    TrustKey {
        /// The key, as a `vkey`.
        key: String,
        /// Whether it is trusted from now on.
        is_trusted: bool,
        /// Why.
        reason: String,
    },
    /// Install a pack from a signed file.
    InstallPack(Box<NewPack>),
    /// Keep a version of a pack in use.
    PinPack(Box<Pin>),
    /// Let newer versions of a pack in again.
    UnpinPack {
        /// The pack's id.
        pack: String,
    },
    /// Enter what watchers saw: new and changed items become signals, once.
    Watch(Vec<Look>),
    /// Settle a signal.
    SettleSignal {
        /// The signal's id.
        signal: String,
        /// What was done about it, or why nothing needs to be done.
        reason: String,
    },
    /// Open tasks: all of them or, when one is refused, none. What is open already is not opened again.
    ///
    /// Needs a new id for the actor and for each owner the desk does not know.
    OpenTasks(Vec<NewTask>),
    /// Say that a task is done.
    FinishTask {
        /// The task's id.
        task: String,
        /// What was done, or why nothing needs to be done.
        note: String,
    },
    /// Record an audit made outside a review.
    RecordAudit(Box<NewAudit>),
    /// Ask for a person's erasure. Asked again before it is done, it enters nothing.
    ErasePerson {
        /// The person, by name or id.
        person: String,
        /// The ground.
        basis: Basis,
        /// Why, in words; without the person's name.
        reason: String,
    },
    /// Say that an erasure is done. Said again, it enters nothing.
    FinishErasure {
        /// The entry that asked for it, as [`State::erased`] has it.
        requested: u64,
        /// How many payloads were deleted.
        n_payloads: u64,
        /// How many blobs were deleted.
        n_blobs: u64,
    },
    /// Place a legal hold on a person.
    PlaceHold {
        /// The person, by name or id.
        person: String,
        /// Why.
        reason: String,
    },
    /// Release the legal hold on a person.
    ReleaseHold {
        /// The person, by name or id.
        person: String,
        /// Why.
        reason: String,
    },
    /// Say that another key signs the log from now on.
    RotateLogKey {
        /// The old key, as a `vkey`.
        old: String,
        /// The new key, as a `vkey` of the same name.
        new: String,
        /// Why.
        reason: String,
    },
    /// Say that a replaced key signs no more.
    DropLogKey {
        /// The key, as a `vkey`.
        key: String,
        /// Why.
        reason: String,
    },
    /// Say that the log goes on under a new origin.
    ForkLog(Box<NewFork>),
    /// Give a person roles: the whole set from now on.
    GrantRoles {
        /// The person, by name or id; may be new.
        person: String,
        /// The roles; empty ends them all.
        roles: Vec<Role>,
        /// Why.
        reason: String,
    },
    /// Open a desk that belongs to nobody yet.
    OpenDesk {
        /// The organisation: 1 to 200 visible characters.
        organisation: String,
    },
    /// Enter a declaration without a review.
    ///
    /// Needs a new id for the system and for each person the desk does not know.
    DeclareSystem(Box<NewDeclaration>),
    /// Answer facts of a system: all or, when one is refused, none.
    AnswerFacts {
        /// The system.
        system: String,
        /// The answers.
        answers: Vec<NewAnswer>,
        /// For each fact that was looked at, the entry that last changed it, [`Fact::set_at`](crate::system::Fact::set_at); `None` where it
        /// had no answer.
        expected: Vec<(String, Option<u64>)>,
    },
    /// Decide on a launch.
    DecideLaunch(Box<NewLaunch>),
    /// Grant an exception.
    GrantException(Box<NewException>),
    /// End an exception before its day.
    EndException {
        /// The exception's id.
        exception: String,
        /// Why.
        reason: String,
    },
    /// Comment on something.
    Comment {
        /// What it is about.
        about: About,
        /// What it says: 1 to 10,000 characters.
        text: String,
    },
    /// Give an audit opinion on a system.
    GiveOpinion(Box<NewAuditOpinion>),
    /// Say that a dossier is drawn.
    DrawDossier {
        /// The system.
        system: String,
        /// For whom: an organisation or an office.
        recipient: String,
        /// Why.
        reason: String,
    },
    /// Withdraw an audit opinion.
    WithdrawOpinion {
        /// The opinion's id.
        opinion: String,
        /// Why.
        reason: String,
    },
    /// Seal a segment of a system's decision log.
    SealSegment(Box<NewSegment>),
}

impl Command {
    /// Whether it is decided by the law in use. Those that change that law, and those about the desk itself, are not.
    fn rests_on_law(&self) -> bool {
        match self {
            Command::Review(_)
            | Command::ConfirmFact { .. }
            | Command::AddEvidence { .. }
            | Command::OfferEvidence { .. }
            | Command::AcceptEvidence(_)
            | Command::RejectEvidence(_)
            | Command::AdoptFramework { .. }
            | Command::RecordReading { .. }
            | Command::ImportText(_)
            | Command::ConfirmWording { .. }
            | Command::DeclareSystem(_)
            | Command::AnswerFacts { .. }
            | Command::DecideLaunch(_)
            | Command::GrantException(_) => true,
            Command::TrustKey { .. }
            | Command::InstallPack(_)
            | Command::PinPack(_)
            | Command::UnpinPack { .. }
            | Command::Watch(_)
            | Command::SettleSignal { .. }
            | Command::OpenTasks(_)
            | Command::FinishTask { .. }
            | Command::RecordAudit(_)
            | Command::ErasePerson { .. }
            | Command::FinishErasure { .. }
            | Command::PlaceHold { .. }
            | Command::ReleaseHold { .. }
            | Command::RotateLogKey { .. }
            | Command::DropLogKey { .. }
            | Command::ForkLog(_)
            | Command::GrantRoles { .. }
            | Command::OpenDesk { .. }
            | Command::EndException { .. }
            | Command::Comment { .. }
            | Command::GiveOpinion(_)
            | Command::WithdrawOpinion { .. }
            | Command::DrawDossier { .. }
            | Command::SealSegment(_) => false,
        }
    }
}

/// A declaration to be entered and judged.
#[derive(Debug, Clone)]
pub struct Review {
    /// The declaration, people by name.
    pub declaration: Declaration,
    /// The evidence it offers, read from its files.
    pub evidence: Vec<OfferedEvidence>,
    /// What was measured.
    pub measures: Vec<Measures>,
    /// The day judged and the day of knowledge.
    pub when: AsOf,
    /// What the gate looks at.
    pub gate: Gate,
    /// Warnings of the measurement.
    pub warnings: Vec<String>,
    /// What the report is rendered with.
    pub report: ReportStamp,
    /// Documents sealed with the review: the report.
    pub documents: Vec<Blob>,
}

/// Evidence with its bytes.
#[derive(Debug, Clone)]
pub struct OfferedEvidence {
    /// What is declared about it.
    pub declared: DeclaredEvidence,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
    /// The text of the auditor's signed note, where the declaration names one.
    pub note: Option<String>,
}

/// A decision about evidence.
#[derive(Debug, Clone)]
pub struct EvidenceRuling {
    /// The evidence's id.
    pub evidence: String,
    /// The requirements decided on; empty: all it is offered for.
    pub requirements: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Bytes that belong to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The name, unique in the entry.
    pub name: String,
    /// The media type.
    pub media: String,
    /// The bytes.
    pub bytes: Arc<Vec<u8>>,
}

/// Who acts, when, and under which law and policy.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The law in use.
    pub book: &'a Book,
    /// The policy in use.
    pub policy: &'a Policy,
    /// What the book consists of.
    pub stamp: BookStamp,
    /// The texts of the book: the blob `book.json`, an object from the stamp's names to texts.
    pub texts: Blob,
    /// The organisation's id, given when the desk was made.
    pub organisation: String,
    /// Who acts, by name.
    pub actor: String,
    /// Today in the organisation's time zone.
    pub today: Date,
    /// New ids, more than can be needed.
    pub ids: Vec<Uuid>,
}

/// An event with everything its entry needs.
#[derive(Debug, Clone)]
pub struct Decided {
    /// What happened.
    pub event: Event,
    /// The ids of the subjects of its entry.
    pub subjects: Vec<String>,
    /// Entries it rests on besides its subjects' own.
    pub refs: Vec<u64>,
    /// Bytes that belong to it.
    pub blobs: Vec<Blob>,
    /// Who acted: a person's id.
    pub actor: String,
}

/// Why the office does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No such system.
    #[error("the desk has no system `{system}`; {hint}")]
    NoSystem {
        /// What was asked for.
        system: String,
        /// The nearest that exists.
        hint: String,
    },
    /// The system has no such fact.
    #[error("`{system}` declares no fact `{fact}`; {hint}")]
    NoFact {
        /// The system.
        system: String,
        /// What was asked for.
        fact: String,
        /// The nearest that exists.
        hint: String,
    },
    /// The answer to confirm is not the one given.
    #[error(
        "`{fact}` is answered `{stands}`{proposed}, not `{value}`; confirm what is declared, or change the declaration first"
    )]
    OtherValue {
        /// The fact.
        fact: String,
        /// The answer that stands.
        stands: String,
        /// The proposed answer, in words.
        proposed: String,
        /// What was asked to be confirmed.
        value: String,
    },
    /// The actor builds the system.
    #[error(
        "`{fact}` must be confirmed by someone outside the team that builds `{system}`; act as another person with --as NAME"
    )]
    Builder {
        /// The system.
        system: String,
        /// The fact.
        fact: String,
    },
    /// No such evidence.
    #[error("the desk has no evidence `{evidence}`; {hint}")]
    NoEvidence {
        /// What was asked for.
        evidence: String,
        /// The nearest that exists.
        hint: String,
    },
    /// The evidence is not offered for the requirement.
    #[error("`{evidence}` is not offered for `{requirement}`; {hint}")]
    NotOffered {
        /// The evidence.
        evidence: String,
        /// The requirement.
        requirement: String,
        /// What it is offered for.
        hint: String,
    },
    /// The requirement takes other kinds of evidence.
    #[error("`{requirement}` asks for `{taken}`, not for `{kind}`")]
    OtherKind {
        /// The requirement.
        requirement: String,
        /// The kinds it takes.
        taken: String,
        /// The evidence's kind.
        kind: String,
    },
    /// The actor submitted the evidence.
    #[error(
        "`{evidence}` was submitted by the same person; someone else must decide on it (act as another person with --as NAME)"
    )]
    OwnEvidence {
        /// The evidence.
        evidence: String,
    },
    /// A document that an independent auditor must have signed carries no signature that counts.
    #[error("{what}: {problem}")]
    Signature {
        /// What is not done.
        what: String,
        /// Why.
        problem: SignatureProblem,
    },
    /// A newer version replaced the evidence.
    #[error("`{evidence}` was replaced by `{newer}`; decide on that one")]
    Replaced {
        /// The evidence.
        evidence: String,
        /// What replaced it.
        newer: String,
    },
    /// The key is not trusted.
    #[error(
        "`{key}` is not trusted to sign packs on this desk; whoever builds no system trusts it, once it was compared with what its owner says: `alnager law pack trust {key} --reason WHY`"
    )]
    KeyNotTrusted {
        /// The key.
        key: String,
    },
    /// Another key signed the pack until now.
    #[error(
        "`{pack}` was signed with `{was}` until now, and this with `{key}`, which was trusted before that and not for this pack; if its owner changed the key, trust the new one again: `alnager law pack trust {key} --reason WHY`"
    )]
    OtherKey {
        /// The pack.
        pack: String,
        /// The key of the version installed last.
        was: String,
        /// The key of the version offered.
        key: String,
    },
    /// The law in use was replaced since it was read.
    #[error("the law in use changed while you worked: `{pack}`; run it again")]
    LawChanged {
        /// The pack that changed.
        pack: String,
    },
    /// The pack stays at a version.
    #[error(
        "`{pack}` is pinned to version {version}; `alnager law pack unpin {pack}` lets newer ones in"
    )]
    PackPinned {
        /// The pack.
        pack: String,
        /// The version it stays at.
        version: String,
    },
    /// The pack is older than the one in use.
    #[error(
        "`{pack}` {offered} is older than {version}, which is in use; to go back, pin the earlier version with `alnager law pack pin`"
    )]
    PackOlder {
        /// The pack.
        pack: String,
        /// The version offered.
        offered: String,
        /// The version in use.
        version: String,
    },
    /// The pack says something else under the version in use.
    #[error(
        "`{pack}` {version} is in use with other content; give the changed pack a newer version and sign it again"
    )]
    PackDiffers {
        /// The pack.
        pack: String,
        /// The version.
        version: String,
    },
    /// The pack is not pinned.
    #[error("`{pack}` is not pinned; {hint}")]
    NotPinned {
        /// The pack.
        pack: String,
        /// What is.
        hint: String,
    },
    /// No such signal.
    #[error("the desk has no signal `{signal}`; {hint}")]
    NoSignal {
        /// What was asked for.
        signal: String,
        /// The nearest that exists.
        hint: String,
    },
    /// A later version of the same item raised another signal.
    #[error(
        "`{signal}` was replaced by `{newer}`, a later version of the same item; settle that one"
    )]
    SignalReplaced {
        /// The signal.
        signal: String,
        /// What replaced it.
        newer: String,
    },
    /// The signal was settled before.
    #[error("`{signal}` is settled already; `alnager law signals --all` says by whom")]
    AlreadySettled {
        /// The signal.
        signal: String,
    },
    /// No such task.
    #[error("the desk has no task `{task}`; {hint}")]
    NoTask {
        /// What was asked for.
        task: String,
        /// The nearest that exists.
        hint: String,
    },
    /// The task was done before.
    #[error("`{task}` was done on {on}; open another task if there is more to do")]
    AlreadyDone {
        /// The task.
        task: String,
        /// When it was done.
        on: Date,
    },
    /// A task does not say what, why or who.
    #[error("a task says {what}; give it with {flag}")]
    NoTaskWords {
        /// What is missing.
        what: &'static str,
        /// The flag.
        flag: &'static str,
    },
    /// A task would be overdue the day it is opened.
    #[error(
        "the task `{what}` is due on {due}, a day that has passed; name today or a later day with --due"
    )]
    DuePassed {
        /// The task.
        what: String,
        /// The day it is due.
        due: Date,
    },
    /// No such person.
    #[error("the desk knows no person `{person}`; {hint}")]
    NoPerson {
        /// What was asked for.
        person: String,
        /// The nearest that exists.
        hint: String,
    },
    /// The person was erased before.
    #[error("`{person}` is erased under entry {at}; there is nothing left to erase or to hold")]
    AlreadyErased {
        /// The person's id.
        person: String,
        /// The entry.
        at: u64,
    },
    /// A legal hold keeps the person.
    #[error(
        "`{person}` is under a legal hold, placed on {on} by `{by}`: {reason}; release it first: `alnager hold release {person:?} --reason WHY`"
    )]
    Held {
        /// The person.
        person: String,
        /// Who placed it.
        by: String,
        /// When.
        on: Date,
        /// Why.
        reason: String,
    },
    /// Whoever acts would be erased, and the record of it would name them.
    #[error(
        "nobody erases themselves, because the record says who did it; have someone else act (--as NAME)"
    )]
    OwnErasure,
    /// An erased person would act.
    #[error("who acts is erased under entry {at}; name someone else with --as NAME")]
    ErasedActor {
        /// The entry.
        at: u64,
    },
    /// No such erasure.
    #[error(
        "entry {requested} asks for no erasure; `alnager people list` shows what was asked for"
    )]
    NoErasure {
        /// What was named.
        requested: u64,
    },
    /// The text is no key that can sign a log.
    #[error("`{key}` is not an Ed25519 log key; give it as a `vkey`: name+hash+base64")]
    NoLogKey {
        /// The text.
        key: String,
    },
    /// The key belongs to another log.
    #[error("`{key}` is not named after the log `{origin}`; make a key with that name")]
    OtherLog {
        /// The key.
        key: String,
        /// The log's origin.
        origin: String,
    },
    /// The key signed the log before.
    #[error("`{key}` has signed this log before; rotate to a fresh key")]
    UsedKey {
        /// The key.
        key: String,
    },
    /// The key was never replaced.
    #[error(
        "`{key}` was not replaced by another key, so it cannot be dropped; rotate the key first"
    )]
    KeyInUse {
        /// The key.
        key: String,
    },
    /// No such pack.
    #[error("there is no pack `{pack}` in use; {hint}")]
    NoPack {
        /// What was asked for.
        pack: String,
        /// The nearest voluntary one.
        hint: String,
    },
    /// The pack binds by itself, or is a bill.
    #[error(
        "`{pack}` is law or a bill; only a standard, framework or guidance is adopted or dropped"
    )]
    Binding {
        /// The pack.
        pack: String,
    },
    /// No such requirement.
    #[error("there is no requirement `{requirement}` in the packs in use; {hint}")]
    NoRequirement {
        /// What was asked for.
        requirement: String,
        /// The nearest that exists.
        hint: String,
    },
    /// The decision is taken, or there is nothing to decide.
    #[error("{what}; there is nothing to decide")]
    AlreadyDecided {
        /// What is so already.
        what: String,
    },
    /// The actor builds a system and would decide on the law it is built under.
    #[error(
        "you build `{system}`, so you cannot decide on `{what}`; have someone outside the team do it (--as NAME)"
    )]
    BuilderDecides {
        /// What would be decided on: a requirement or a pack.
        what: String,
        /// The system.
        system: String,
    },
    /// The evidence was submitted for one system, and the duty is the organisation's.
    #[error(
        "`{evidence}` was submitted for `{system}` alone, and `{requirement}` is a duty of the organisation, which every system inherits; submit it for that duty (`alnager evidence add {system} FILE --kind KIND --for {requirement}`)"
    )]
    OneSystemOnly {
        /// The evidence.
        evidence: String,
        /// The system it was submitted for.
        system: String,
        /// The organisation's duty.
        requirement: String,
    },
    /// The desk holds a later version of the text.
    #[error(
        "{why}; compare the two with `alnager law diff`, and if it is right all the same, have someone who builds no system import it with --replace --reason TEXT"
    )]
    OlderText {
        /// Which text it holds.
        why: String,
    },
    /// A reason or basis is missing.
    #[error("a decision needs its reason; give one with {flag}")]
    NoReason {
        /// The flag.
        flag: &'static str,
    },
    /// The same desk holds another organisation.
    #[error(
        "this desk belongs to `{desk}`, and the declaration says `{declared}`; use another desk with --desk DIR"
    )]
    OtherOrganisation {
        /// The desk's organisation.
        desk: String,
        /// The declaration's.
        declared: String,
    },
    /// Somebody changed it since it was read.
    #[error("somebody else changed {what} in entry {at} meanwhile; look at it and decide again")]
    Changed {
        /// What changed.
        what: String,
        /// The entry.
        at: u64,
    },
    /// A system that was to be new is there.
    #[error(
        "the desk has a system `{system}` already, declared in entry {at}; change that one, or give the new one another id"
    )]
    SystemExists {
        /// The system.
        system: String,
        /// The entry.
        at: u64,
    },
    /// The fact takes no such answer.
    #[error("`{value}` is no answer to `{fact}`; write {allowed}")]
    NoAnswer {
        /// The fact.
        fact: String,
        /// The answer.
        value: String,
        /// The answers it takes, in words.
        allowed: String,
    },
    /// The fact is not one that a person answers.
    #[error("`{fact}` cannot be answered: {why}")]
    NotAsked {
        /// The fact.
        fact: String,
        /// Why, and what to do.
        why: String,
    },
    /// Words that are missing, too long or not of their form.
    #[error("{what} {rule}")]
    Unfit {
        /// What it is.
        what: &'static str,
        /// What it must be like.
        rule: &'static str,
    },
    /// The actor is no administrator.
    #[error("only an administrator of this desk grants roles; ask one to do it")]
    NotAdministrator,
    /// The first roles of a desk would go to somebody else.
    #[error(
        "nobody has a role yet; make yourself an administrator first, then grant roles to others"
    )]
    FirstAdministrator,
    /// Nobody could grant roles any more.
    #[error("`{person}` is the only administrator; make somebody else one first")]
    LastAdministrator {
        /// The person.
        person: String,
    },
    /// The system was never reviewed.
    #[error("`{system}` was not reviewed yet; review it, then decide")]
    NoReview {
        /// The system.
        system: String,
    },
    /// The latest review did not look at requirements.
    #[error(
        "the latest review of `{system}` looked at its tests alone; review it for its launch, then decide"
    )]
    TestsOnly {
        /// The system.
        system: String,
    },
    /// The verdict is not `clear`.
    #[error(
        "the verdict on `{system}` is `{verdict}`, and only `clear` can be approved; see to what stands in the way, or approve under conditions with an exception for each"
    )]
    NotClear {
        /// The system.
        system: String,
        /// The verdict.
        verdict: String,
    },
    /// Something stands in the way of an approval.
    #[error(
        "these stand in the way of `{system}`: `{blockers}`; see to them, or approve under conditions with an exception for each"
    )]
    InTheWay {
        /// The system.
        system: String,
        /// What stands in the way, by id.
        blockers: String,
    },
    /// Something stands in the way without an exception.
    #[error(
        "these stand in the way of `{system}` without an exception that somebody else granted: `{blockers}`; see to them, or have one granted for each"
    )]
    NotExcepted {
        /// The system.
        system: String,
        /// What stands in the way, by id.
        blockers: String,
    },
    /// A day on which something is to end does not fit.
    #[error("it cannot end on {expires}; name a day after today and not after {latest}")]
    Expiry {
        /// The day.
        expires: Date,
        /// The last one possible.
        latest: Date,
    },
    /// A prohibition would be excepted from.
    #[error(
        "`{requirement}` is a prohibition, and nobody can grant an exception from one; stop what it forbids"
    )]
    NeverExcepted {
        /// The requirement.
        requirement: String,
    },
    /// What would be excepted from is neither a requirement nor a test.
    #[error(
        "`{subject}` is neither a requirement of the packs in use nor a test of the policy; {hint}"
    )]
    NothingToExcept {
        /// What was asked for.
        subject: String,
        /// The nearest that exists.
        hint: String,
    },
    /// No such exception.
    #[error("the desk has no exception `{exception}`; {hint}")]
    NoException {
        /// What was asked for.
        exception: String,
        /// The nearest that exists.
        hint: String,
    },
    /// Who would give an audit opinion is no auditor of the desk.
    #[error(
        "only an auditor gives an audit opinion, and you do not have that role; an administrator grants it"
    )]
    NotAuditor,
    /// Who would give an audit opinion had a hand in what it is about.
    #[error(
        "an audit opinion on `{system}` comes from somebody who had no hand in it, and you {}; have an independent auditor give it (--as NAME)",
        deed::words(deeds)
    )]
    NotIndependent {
        /// The system.
        system: String,
        /// What they did.
        deeds: Vec<Deed>,
    },
    /// An audit opinion would be given on a state of the journal that there is not.
    #[error(
        "an audit opinion is given on entries of the journal that were read, and {size} cannot have been: it has {n_entries}"
    )]
    NotRead {
        /// The entries named.
        size: u64,
        /// The entries there are.
        n_entries: u64,
    },
    /// No such audit opinion.
    #[error("the desk has no audit opinion `{opinion}`; {hint}")]
    NoOpinion {
        /// What was asked for.
        opinion: String,
        /// What there is.
        hint: String,
    },
    /// Somebody else gave the audit opinion.
    #[error(
        "`{opinion}` was given by somebody else, who alone can withdraw it; give an opinion of your own, which takes its place"
    )]
    NotOwnOpinion {
        /// The opinion.
        opinion: String,
    },
    /// The rows are no segment.
    #[error(transparent)]
    Segment(Box<SegmentError>),
    /// The policy's conditions do not bind to the book.
    #[error(transparent)]
    Policy(#[from] ReadError),
}

/// Turns a command into events. Pure: nothing is written, and a refusal changes nothing.
pub fn decide(
    state: &State,
    command: &Command,
    with: &Context<'_>,
) -> Result<Vec<Decided>, Refused> {
    let mut desk = Draft::new(state, with);
    if let Some(erased) = state.erased.get(&desk.actor) {
        return Err(Refused::ErasedActor { at: erased.under() });
    }
    if command.rests_on_law() {
        desk.need_current_law()?;
    }
    match command {
        Command::Review(review) => {
            let assessment = desk.enter(review)?;
            desk.seal(review, &assessment);
        }
        Command::ConfirmFact {
            system,
            fact,
            value,
            basis,
        } => desk.confirm_fact(system, fact, value.as_deref(), basis)?,
        Command::AddEvidence { system, offered } => {
            desk.system(system)?;
            desk.adopt_book();
            let by = desk.person(&offered.declared.submitted_by);
            desk.submit(system, offered, by)?;
        }
        Command::OfferEvidence {
            evidence,
            requirements,
        } => desk.offer_evidence(evidence, requirements)?,
        Command::AcceptEvidence(ruling) => desk.rule(ruling, true)?,
        Command::RejectEvidence(ruling) => desk.rule(ruling, false)?,
        Command::AdoptFramework {
            pack,
            is_adopted,
            reason,
        } => desk.adopt_framework(pack, *is_adopted, reason)?,
        Command::RecordReading {
            requirement,
            opinion,
            text,
        } => desk.record_reading(requirement, *opinion, text)?,
        Command::ImportText(import) => desk.import_text(import)?,
        Command::ConfirmWording {
            requirement,
            reason,
        } => desk.confirm_wording(requirement, reason)?,
        Command::TrustKey {
            key,
            is_trusted,
            reason,
        } => desk.trust_key(key, *is_trusted, reason)?,
        Command::InstallPack(new) => desk.install_pack(new)?,
        Command::PinPack(pin) => desk.pin_pack(pin)?,
        Command::UnpinPack { pack } => desk.unpin_pack(pack)?,
        Command::Watch(looks) => desk.watch(looks),
        Command::SettleSignal { signal, reason } => desk.settle(signal, reason)?,
        Command::OpenTasks(tasks) => desk.open_tasks(tasks)?,
        Command::FinishTask { task, note } => desk.finish(task, note)?,
        Command::RecordAudit(audit) => desk.record_audit(audit)?,
        Command::ErasePerson {
            person,
            basis,
            reason,
        } => desk.erase(person, *basis, reason)?,
        Command::FinishErasure {
            requested,
            n_payloads,
            n_blobs,
        } => desk.finish_erasure(*requested, *n_payloads, *n_blobs)?,
        Command::PlaceHold { person, reason } => desk.place_hold(person, reason)?,
        Command::ReleaseHold { person, reason } => desk.release_hold(person, reason)?,
        Command::RotateLogKey { old, new, reason } => desk.rotate_key(old, new, reason)?,
        Command::DropLogKey { key, reason } => desk.drop_log_key(key, reason)?,
        Command::ForkLog(fork) => desk.fork_log(fork)?,
        Command::GrantRoles {
            person,
            roles,
            reason,
        } => desk.grant_roles(person, roles, reason)?,
        Command::OpenDesk { organisation } => desk.open_desk(organisation)?,
        Command::DeclareSystem(new) => desk.declare_system(new)?,
        Command::AnswerFacts {
            system,
            answers,
            expected,
        } => desk.answer_facts(system, answers, expected)?,
        Command::DecideLaunch(new) => desk.decide_launch(new)?,
        Command::GrantException(new) => desk.grant_exception(new)?,
        Command::EndException { exception, reason } => desk.end_exception(exception, reason)?,
        Command::Comment { about, text } => desk.comment(about, text)?,
        Command::GiveOpinion(new) => desk.give_opinion(new)?,
        Command::WithdrawOpinion { opinion, reason } => desk.withdraw_opinion(opinion, reason)?,
        Command::DrawDossier {
            system,
            recipient,
            reason,
        } => desk.draw_dossier(system, recipient, reason)?,
        Command::SealSegment(new) => desk.seal_segment(new)?,
    }
    Ok(desk.decided)
}

/// What a review will find, without entering it: the same calculation `decide` makes.
pub fn preview(
    state: &State,
    review: &Review,
    with: &Context<'_>,
) -> Result<(State, Assessment), Refused> {
    let mut desk = Draft::new(state, with);
    let assessment = desk.enter(review)?;
    Ok((desk.state, assessment))
}

/// Events in the making, applied to a copy of the state as they come.
pub(crate) struct Draft<'a> {
    pub(crate) state: State,
    pub(crate) with: &'a Context<'a>,
    ids: std::slice::Iter<'a, Uuid>,
    actor: String,
    decided: Vec<Decided>,
}

impl<'a> Draft<'a> {
    fn new(state: &State, with: &'a Context<'a>) -> Self {
        let mut desk = Draft {
            state: state.clone(),
            with,
            ids: with.ids.iter(),
            actor: String::new(),
            decided: Vec::new(),
        };
        let known = desk.state.known_person(&with.actor).map(str::to_owned);
        desk.actor = known.unwrap_or_else(|| desk.new_id());
        desk
    }

    fn new_id(&mut self) -> String {
        let id = self.ids.next();
        assert!(id.is_some(), "a command is given more ids than it can need");
        id.map(Uuid::to_string).unwrap_or_default()
    }

    pub(crate) fn push(
        &mut self,
        event: Event,
        subjects: Vec<String>,
        refs: Vec<u64>,
        blobs: Vec<Blob>,
    ) {
        let meta = Meta {
            index: self.state.size,
            subjects: subjects.clone(),
            actor: self.actor.clone(),
        };
        self.state.apply(&event, &meta);
        self.decided.push(Decided {
            event,
            subjects,
            refs,
            blobs,
            actor: self.actor.clone(),
        });
    }

    /// Enters an event about the desk's running work (signals, tasks, roles, comments). It has a subject of its own, so that no dossier carries it.
    pub(crate) fn push_diary(&mut self, event: Event) {
        let diary = match &self.state.diary {
            Some(diary) => diary.clone(),
            None => self.new_id(),
        };
        self.push(event, vec![diary], Vec::new(), Vec::new());
    }

    /// Enters an event about the organisation as a whole.
    pub(crate) fn push_organisation(&mut self, event: Event) {
        let subjects = vec![self.with.organisation.clone()];
        self.push(event, subjects, Vec::new(), Vec::new());
    }

    /// The id of who acts, naming them in the journal when they are new.
    pub(crate) fn acting(&mut self) -> String {
        let with = self.with;
        self.person(&with.actor)
    }

    /// The id of a person, named or given by the id that the desk knows them under, naming them in the journal when they are new.
    pub(crate) fn person(&mut self, name: &str) -> String {
        // Most often it is who acts, whose name was looked up already.
        if name == self.with.actor && self.state.is_person(&self.actor) {
            return self.actor.clone();
        }
        if let Some(id) = self.state.known_person(name) {
            return id.to_owned();
        }
        let id = if self.is_actor(name) {
            self.actor.clone()
        } else {
            self.new_id()
        };
        let named = PersonNamed {
            person: id.clone(),
            name: name.to_owned(),
        };
        self.push(
            Event::PersonNamed(named),
            vec![id.clone()],
            Vec::new(),
            Vec::new(),
        );
        id
    }

    /// Whether a name is that of who acts.
    pub(crate) fn is_actor(&self, name: &str) -> bool {
        folded(name) == folded(&self.with.actor)
    }

    /// The id of who acts, named or not.
    pub(crate) fn actor_id(&self) -> &str {
        &self.actor
    }

    pub(crate) fn adopt_book(&mut self) {
        if self.state.book.as_ref() != Some(&self.with.stamp) {
            let adopted = BookAdopted {
                book: self.with.stamp.clone(),
            };
            let subjects = vec![self.with.organisation.clone()];
            self.push(
                Event::BookAdopted(adopted),
                subjects,
                Vec::new(),
                vec![self.with.texts.clone()],
            );
        }
    }

    /// Opens the desk for an organisation, which no other one has opened.
    pub(crate) fn open_desk(&mut self, organisation: &str) -> Result<(), Refused> {
        if let Some(desk) = &self.state.organisation {
            return Err(Refused::AlreadyDecided {
                what: format!("this desk belongs to `{}` already", desk.name),
            });
        }
        let name = organisation.trim();
        let n_characters = name.chars().count();
        if !(1..=200).contains(&n_characters) || name.chars().any(is_invisible) {
            return Err(Refused::Unfit {
                what: "the name of an organisation",
                rule: "has 1 to 200 characters, all of them visible",
            });
        }
        self.push_desk(name);
        self.acting();
        Ok(())
    }

    fn push_desk(&mut self, organisation: &str) {
        let opened = DeskOpened {
            id: self.with.organisation.clone(),
            organisation: organisation.to_owned(),
        };
        self.push_organisation(Event::DeskOpened(opened));
    }

    /// Enters a declaration that differs from the one on record, and what it rests on: the desk, the book, the people.
    pub(crate) fn declare(&mut self, declaration: &Declaration) -> Result<(), Refused> {
        let organisation = &declaration.organisation;
        match &self.state.organisation {
            None => self.push_desk(organisation),
            Some(desk) if desk.name != *organisation => {
                return Err(Refused::OtherOrganisation {
                    desk: desk.name.clone(),
                    declared: organisation.clone(),
                });
            }
            Some(_) => {}
        }
        self.adopt_book();
        self.acting();
        let declaration = self.with_ids(declaration);
        let known = self.state.systems.get(&declaration.id);
        if known.is_some_and(|system| system.declaration == declaration) {
            return Ok(());
        }
        let known = known.map(|known| known.subject.clone());
        let subject = known.unwrap_or_else(|| self.new_id());
        let declared = SystemDeclared {
            subject: subject.clone(),
            declaration,
        };
        self.push(
            Event::SystemDeclared(Box::new(declared)),
            vec![subject],
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    fn enter(&mut self, review: &Review) -> Result<Assessment, Refused> {
        self.declare(&review.declaration)?;
        let system = review.declaration.id.clone();
        for offered in &review.evidence {
            let by = self.person(&offered.declared.submitted_by);
            self.submit(&system, offered, by)?;
        }
        let found = assess(
            &self.state,
            &system,
            self.with.book,
            self.with.policy,
            review.measures.clone(),
            review.when,
            review.gate,
        )?;
        found.ok_or_else(|| self.no_system(&system))
    }

    fn with_ids(&mut self, declaration: &Declaration) -> Declaration {
        let mut named = declaration.clone();
        let mut ids = BTreeMap::new();
        named.people(&mut |name| {
            ids.insert(name.clone(), String::new());
        });
        for (name, id) in &mut ids {
            *id = self.person(name);
        }
        named.people(&mut |name| {
            if let Some(id) = ids.get(name) {
                name.clone_from(id);
            }
        });
        named
    }

    fn seal(&mut self, review: &Review, assessment: &Assessment) {
        let mut blobs = review.documents.clone();
        let text = |name: String, text: String| Blob {
            name,
            media: "text/csv".to_owned(),
            bytes: Arc::new(text.into_bytes()),
        };
        for (at, measures) in assessment.measures.iter().enumerate() {
            blobs.push(text(format!("counts-{at}.csv"), measures.table.to_csv()));
            if let Some(scores) = &measures.scores {
                blobs.push(text(format!("scores-{at}.csv"), scores.to_csv()));
            }
            if let Some(samples) = &measures.samples {
                blobs.push(text(format!("samples-{at}.csv"), samples.to_csv()));
            }
        }
        let figures: serde_json::Map<String, serde_json::Value> =
            assessment.figures().into_iter().collect();
        let bytes = Arc::new(serde_json::Value::Object(figures).to_string().into_bytes());
        blobs.push(Blob {
            name: "figures.json".to_owned(),
            media: "application/json".to_owned(),
            bytes,
        });
        blobs.sort_by(|one, other| one.name.cmp(&other.name));
        let claims = assessment.claims(self.with.stamp.clone(), &review.warnings, &review.report);
        let refs = self.rests_on(&claims.system);
        let subjects = self.subjects(&claims.system, &[]);
        self.push(
            Event::SystemReviewed(Box::new(claims)),
            subjects,
            refs,
            blobs,
        );
    }

    /// What a verdict on a system rests on besides the system's own entries: the law in use and the organisation's evidence; and that
    /// people whom the record names were erased, so that whoever reads the dossier is told.
    pub(crate) fn rests_on(&self, system: &str) -> Vec<u64> {
        let erased = self.state.erased_in(system);
        let others = erased.into_iter().chain([self.with.organisation.as_str()]);
        let heads = others.filter_map(|id| self.state.heads.get(id).copied());
        heads.collect::<BTreeSet<u64>>().into_iter().collect()
    }

    /// Enters evidence unless the same document was submitted before on the same terms. A signature that does not hold is refused here
    /// already, so that nobody is asked to decide on it.
    fn submit(
        &mut self,
        system: &str,
        offered: &OfferedEvidence,
        submitted_by: String,
    ) -> Result<(), Refused> {
        let refused = |problem| Refused::Signature {
            what: format!("`{}` cannot be submitted", offered.declared.file),
            problem,
        };
        let declared = &offered.declared;
        let mut submitted = EvidenceSubmitted {
            evidence: format!("E{}", self.state.evidence.len() + 1),
            system: system.to_owned(),
            file: declared.file.clone(),
            kind: declared.kind.clone(),
            requirements: declared.requirements.clone(),
            effective: declared.effective,
            expires: declared.expires,
            submitted_by,
            sha256: offered.sha256.clone(),
            replaces: None,
            signature: self.signature(offered).map_err(refused)?,
        };
        signature::may_be_submitted(&submitted, self.with.book).map_err(refused)?;
        let mut was_shared = false;
        if let Some(earlier) = self.state.latest_evidence(&submitted) {
            let same = EvidenceSubmitted {
                evidence: earlier.submitted.evidence.clone(),
                replaces: earlier.submitted.replaces.clone(),
                ..submitted.clone()
            };
            if same == earlier.submitted {
                return Ok(());
            }
            submitted.replaces = Some(earlier.submitted.evidence.clone());
            was_shared = earlier.is_shared;
        }
        let mut subjects = self.subjects(system, &declared.requirements);
        // Whoever saw the earlier version sees that there is a newer one.
        if was_shared && !subjects.contains(&self.with.organisation) {
            subjects.push(self.with.organisation.clone());
        }
        let blob = Blob {
            name: "document".to_owned(),
            media: "application/octet-stream".to_owned(),
            bytes: offered.bytes.clone(),
        };
        self.push(
            Event::EvidenceSubmitted(submitted),
            subjects,
            Vec::new(),
            vec![blob],
        );
        Ok(())
    }

    /// The signature of a document on offer, its auditor as a person's id.
    fn signature(
        &mut self,
        offered: &OfferedEvidence,
    ) -> Result<Option<AuditSignature>, SignatureProblem> {
        let (declared, note) = match (&offered.declared.signature, &offered.note) {
            (None, None) => return Ok(None),
            (Some(declared), Some(note)) => (declared, note),
            (Some(_), None) | (None, Some(_)) => return Err(SignatureProblem::Missing),
        };
        let key = Stated::open(note)?.key.to_string();
        Ok(Some(AuditSignature {
            auditor: self.person(&declared.auditor),
            key,
            note: note.clone(),
        }))
    }

    fn confirm_fact(
        &mut self,
        system: &str,
        fact: &str,
        value: Option<&str>,
        basis: &str,
    ) -> Result<(), Refused> {
        if basis.trim().is_empty() {
            return Err(Refused::NoReason { flag: "--basis" });
        }
        let known = self.system(system)?;
        let Some(stands) = known.facts.get(fact).cloned() else {
            let hint = nearest(fact, known.facts.keys().map(String::as_str));
            return Err(Refused::NoFact {
                system: system.to_owned(),
                fact: fact.to_owned(),
                hint,
            });
        };
        let proposed = stands
            .proposal
            .as_ref()
            .map(|proposal| proposal.value.clone());
        let wanted = value
            .map(str::to_owned)
            .or(proposed.clone())
            .unwrap_or(stands.answer.value.clone());
        let Some(given) = known.given(fact, &wanted) else {
            let proposed =
                proposed.map_or(String::new(), |value| format!(" (proposed: `{value}`)"));
            return Err(Refused::OtherValue {
                fact: fact.to_owned(),
                stands: stands.answer.value,
                proposed,
                value: wanted,
            });
        };
        if !known.may_confirm(&self.actor, Some(&given.by)) {
            return Err(Refused::Builder {
                system: system.to_owned(),
                fact: fact.to_owned(),
            });
        }
        let by = self.person(&self.with.actor.clone());
        let confirmed = FactConfirmed {
            system: system.to_owned(),
            fact: fact.to_owned(),
            value: wanted,
            by,
            on: self.with.today,
            basis: basis.to_owned(),
        };
        self.push(
            Event::FactConfirmed(confirmed),
            self.subjects(system, &[]),
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    fn rule(&mut self, ruling: &EvidenceRuling, is_accepted: bool) -> Result<(), Refused> {
        if ruling.reason.trim().is_empty() {
            return Err(Refused::NoReason { flag: "--reason" });
        }
        let evidence = self.current_evidence(&ruling.evidence)?;
        self.take_up(&evidence, &ruling.requirements, is_accepted)?;
        if !evidence.may_be_decided_by(&self.actor) {
            return Err(Refused::OwnEvidence {
                evidence: ruling.evidence.clone(),
            });
        }
        let by = self.acting();
        let requirements = if ruling.requirements.is_empty() {
            evidence.requirements().cloned().collect()
        } else {
            ruling.requirements.clone()
        };
        for requirement in requirements {
            if is_accepted {
                self.need_signature(&evidence, &requirement)?;
            }
            let subjects = self.subjects(
                &evidence.submitted.system,
                std::slice::from_ref(&requirement),
            );
            let (evidence, by, on, reason) = (
                ruling.evidence.clone(),
                by.clone(),
                self.with.today,
                ruling.reason.clone(),
            );
            let event = if is_accepted {
                Event::EvidenceAccepted(EvidenceAccepted {
                    evidence,
                    requirement,
                    by,
                    on,
                    reason,
                })
            } else {
                Event::EvidenceRejected(EvidenceRejected {
                    evidence,
                    requirement,
                    by,
                    on,
                    reason,
                })
            };
            self.push(event, subjects, Vec::new(), Vec::new());
        }
        Ok(())
    }

    pub(crate) fn system(&self, system: &str) -> Result<&crate::system::System, Refused> {
        self.state
            .systems
            .get(system)
            .ok_or_else(|| self.no_system(system))
    }

    /// The subjects of an entry about a system: itself, and the organisation where evidence serves one of its duties.
    pub(crate) fn subjects(&self, system: &str, requirements: &[String]) -> Vec<String> {
        let mut subjects: Vec<String> = self
            .state
            .systems
            .get(system)
            .map(|system| system.subject.clone())
            .into_iter()
            .collect();
        if serves_organisation(requirements, self.with.book) {
            subjects.push(self.with.organisation.clone());
        }
        subjects
    }

    fn no_system(&self, system: &str) -> Refused {
        let hint = match self.state.systems.is_empty() {
            true => "review one first (`alnager review DIR`)".to_owned(),
            false => nearest(system, self.state.systems.keys().map(String::as_str)),
        };
        Refused::NoSystem {
            system: system.to_owned(),
            hint,
        }
    }
}

#[cfg(test)]
mod tests;
