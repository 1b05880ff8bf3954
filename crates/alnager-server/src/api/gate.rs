//! The gate: what stands in the way, the decision on going live, and exceptions.

use alnager_office::decide::Command;
use alnager_office::exception::{Exception as KnownException, NewException as Granting};
use alnager_office::launch::{self, LaunchDecision, LaunchStanding, NewLaunch as Deciding};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Action;
use crate::api::ask::{Asked, tagged};
use crate::api::shape::{Decided, Person, Reason, Verdict};
use crate::api::systems;
use crate::at::At;
use crate::refusal::Refusal;

/// The header with the verdict's word.
pub(super) const X_GATE: HeaderName = HeaderName::from_static("x-gate");

/// The gate of a system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gate {
    /// The system.
    system: String,
    /// The verdict.
    verdict: Verdict,
    /// The exit code that the command line has for it: 0 clear, 1 hold, 3 undecided.
    exit_code: u8,
    /// The day judged.
    judged_on: Date,
    /// Whether neither law nor policy asked for anything.
    nothing_required: bool,
    /// What stands in the way: what holds first.
    blockers: Vec<Blocker>,
    /// Exceptions in force.
    exceptions: Vec<Exception>,
    /// How the decision on going live stands.
    launch: Launch,
    /// The entry of the latest review: what a decision on going live names.
    review: Option<u64>,
    /// Whether two people must decide.
    needs_two: bool,
}

/// Something that stands in the way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Blocker {
    /// The requirement's id, or the test's.
    id: String,
    /// What it is, in words.
    what: String,
    /// The citation.
    citation: String,
    /// Who must act.
    owner: Person,
    /// What to do next.
    next: String,
    /// Whether it holds the gate, or leaves it undecided.
    holds: bool,
}

/// An exception.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Exception {
    /// Its id.
    id: String,
    /// The system.
    system: String,
    /// The requirement or test it excepts from.
    subject: String,
    /// Why.
    reason: String,
    /// What is done instead.
    measures: String,
    /// The first day it no longer counts.
    expires: Date,
    /// Who granted it.
    by: Person,
    /// When.
    on: Date,
    /// The entry that granted it.
    granted_at: u64,
    /// How it ended, where somebody ended it.
    ended: Option<Decided>,
    /// Whether it counts today.
    is_in_force: bool,
}

/// How the decision on going live stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Launch {
    /// What the decisions come to.
    state: LaunchState,
    /// Whether the system may be live.
    may_be_live: bool,
    /// Who approved, where a second one must.
    by: Option<Person>,
    /// What must be kept.
    conditions: Vec<String>,
    /// The first day it may no longer be live, or could not any more.
    expires: Option<Date>,
    /// The entry of the later review that nobody decided on.
    review: Option<u64>,
}

/// What the decisions on going live come to.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum LaunchState {
    /// Nobody decided.
    NotDecided,
    /// One person approved, and a second one must.
    NeedsSecond,
    /// It may be live.
    Approved,
    /// It may be live under conditions.
    Conditional,
    /// It may not be live.
    Refused,
    /// The approval was taken back.
    Withdrawn,
    /// The approval, or an exception it relied on, ended.
    Lapsed,
    /// The system was reviewed again since.
    Superseded,
}

impl Launch {
    /// How the decision on a system stands.
    pub(super) fn of(at: &At, system: &str) -> Launch {
        let standing = at.state().launch_standing(system, at.today());
        let launch = |state| Launch {
            state,
            may_be_live: standing.may_be_live(),
            by: None,
            conditions: Vec::new(),
            expires: None,
            review: None,
        };
        match &standing {
            LaunchStanding::NotDecided => launch(LaunchState::NotDecided),
            LaunchStanding::NeedsSecond { by, .. } => Launch {
                by: Some(Person::of(at, by)),
                ..launch(LaunchState::NeedsSecond)
            },
            LaunchStanding::Approved => launch(LaunchState::Approved),
            LaunchStanding::Conditional {
                conditions,
                expires,
            } => Launch {
                conditions: conditions.clone(),
                expires: Some(*expires),
                ..launch(LaunchState::Conditional)
            },
            LaunchStanding::Refused => launch(LaunchState::Refused),
            LaunchStanding::Withdrawn => launch(LaunchState::Withdrawn),
            LaunchStanding::Lapsed { expired_on } => Launch {
                expires: Some(*expired_on),
                ..launch(LaunchState::Lapsed)
            },
            LaunchStanding::Superseded { review } => Launch {
                review: Some(*review),
                ..launch(LaunchState::Superseded)
            },
        }
    }
}

impl Gate {
    fn of(at: &At, id: &str) -> Result<Gate, Refusal> {
        let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
        let standing = at.moment.standing(id).ok_or_else(|| {
            Refusal::Unavailable(format!(
                "how `{id}` stands is being worked out; ask again in a moment"
            ))
        })?;
        let verdict = Verdict::of(standing.verdict);
        let blockers = standing.blockers.iter().map(|blocker| Blocker {
            id: blocker.id.to_string(),
            what: blocker.what.to_string(),
            citation: blocker.citation.to_string(),
            owner: Person::of(at, &blocker.owner),
            next: blocker.next.to_string(),
            holds: blocker.holds,
        });
        let exceptions = at.state().exceptions_of(id, at.today());
        Ok(Gate {
            system: id.to_owned(),
            verdict,
            exit_code: verdict.exit_code(),
            judged_on: standing.key.when.valid,
            nothing_required: standing.nothing_required,
            blockers: blockers.collect(),
            exceptions: exceptions
                .iter()
                .map(|one| Exception::of(at, one))
                .collect(),
            launch: Launch::of(at, id),
            review: system.review.as_ref().map(|review| review.at),
            needs_two: needs_two(at, id),
        })
    }
}

impl Exception {
    fn of(at: &At, exception: &KnownException) -> Exception {
        let granted = &exception.granted;
        Exception {
            id: granted.exception.clone(),
            system: granted.system.clone(),
            subject: granted.subject.clone(),
            reason: granted.reason.clone(),
            measures: granted.measures.clone(),
            expires: granted.expires,
            by: Person::of(at, &granted.by),
            on: granted.on,
            granted_at: exception.granted_at,
            ended: exception.ended.as_ref().map(|ended| Decided {
                by: Person::of(at, &ended.by),
                on: ended.on,
                reason: ended.reason.clone(),
            }),
            is_in_force: exception.is_in_force(at.today()),
        }
    }
}

fn needs_two(at: &At, id: &str) -> bool {
    let library = &at.moment.library;
    let system = at.state().systems.get(id);
    system.is_none_or(|system| {
        let facts = system.law_facts(&library.book, &at.state().counsel);
        launch::needs_two(
            &library.policy,
            &library.book,
            &facts,
            at.moment.when(system),
        )
    })
}

/// What somebody decides about going live.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decision {
    /// It may go live.
    Approve,
    /// It may go live under conditions, until a day.
    Conditional,
    /// It may not go live.
    Refuse,
    /// An approval is taken back.
    Withdraw,
}

/// A decision on going live.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLaunch {
    /// What is decided.
    decision: Decision,
    /// The entry of the review that was looked at.
    review: u64,
    /// Why.
    #[schema(min_length = 1)]
    reason: String,
    /// What must be kept; for a conditional decision alone.
    conditions: Option<Vec<String>>,
    /// The first day it no longer counts; a conditional decision has one.
    expires: Option<Date>,
}

/// An exception to grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewException {
    /// The requirement's id, or that of a test of the policy.
    subject: String,
    /// Why.
    #[schema(min_length = 1)]
    reason: String,
    /// What is done instead.
    #[schema(min_length = 1)]
    measures: String,
    /// The first day it no longer counts: after today and at most a year away.
    expires: Date,
}

/// Shows the gate.
pub(super) async fn show(at: At) -> Result<Response, Refusal> {
    let id = at.named("system");
    let gate = Gate::of(&at, id)?;
    // The verdict changes with the day as well, so it is always sent.
    let mut response = tagged(&HeaderMap::new(), &systems::tag(&at, id)?, &gate)?;
    let word = HeaderValue::from_static(gate.verdict.word());
    response.headers_mut().insert(X_GATE, word);
    Ok(response)
}

/// Decides on going live.
pub(super) async fn launch(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("system").to_owned();
    let new: NewLaunch = asked.json()?;
    asked.check_match(&systems::tag(&asked.at, &id)?)?;
    let gate = Gate::of(&asked.at, &id)?;
    let deciding = Deciding {
        decision: match new.decision {
            Decision::Approve => LaunchDecision::Approve,
            Decision::Conditional => LaunchDecision::Conditional,
            Decision::Refuse => LaunchDecision::Refuse,
            Decision::Withdraw => LaunchDecision::Withdraw,
        },
        conditions: new.conditions.unwrap_or_default(),
        expires: new.expires,
        reason: new.reason,
        review: new.review,
        blockers: gate.blockers.into_iter().map(|one| one.id).collect(),
        needs_two: gate.needs_two,
        system: id.clone(),
    };
    let command = Command::DecideLaunch(Box::new(deciding));
    let receipt = asked.enter(command).await?;
    let made = Gate::of(&asked.at.again(), &id)?;
    asked.written(StatusCode::CREATED, &receipt, made)
}

/// Grants an exception.
pub(super) async fn except(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("system").to_owned();
    let new: NewException = asked.json()?;
    asked.check_match(&systems::tag(&asked.at, &id)?)?;
    let granting = Granting {
        system: id,
        subject: new.subject,
        reason: new.reason,
        measures: new.measures,
        expires: new.expires,
    };
    let command = Command::GrantException(Box::new(granting));
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let mut known = at.state().exceptions.values();
    let made = known.find(|one| (receipt.first..receipt.end).contains(&one.granted_at));
    let made = made.ok_or(Refusal::Internal)?;
    asked.written(StatusCode::CREATED, &receipt, Exception::of(&at, made))
}

/// Ends an exception.
pub(super) async fn end_exception(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("exception").to_owned();
    let known = asked.at.state().exceptions.get(&id);
    let known = known.ok_or(Refusal::NotFound)?;
    asked.at.need(Action::Except, &known.granted.system)?;
    let new: Reason = asked.json()?;
    let command = Command::EndException {
        exception: id.clone(),
        reason: new.reason,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let made = at.state().exceptions.get(&id).ok_or(Refusal::Internal)?;
    asked.written(StatusCode::OK, &receipt, Exception::of(&at, made))
}
