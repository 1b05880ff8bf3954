//! Comments: what people say about systems, requirements, evidence and tasks.

use alnager_office::comment::{About as KnownAbout, Comment as Known};
use alnager_office::decide::Command;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Action;
use crate::api::ask::{Ask, Asked, list as listed};
use crate::api::cursor;
use crate::api::shape::Person;
use crate::at::At;
use crate::refusal::Refusal;

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Comment {
    /// Its id.
    id: String,
    #[serde(flatten)]
    about: About,
    /// What it says.
    text: String,
    /// Who made it.
    by: Person,
    /// When.
    on: Date,
    /// The entry.
    at: u64,
}

/// What a comment is about: a system, a requirement (of a system or by itself), evidence, or a task.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct About {
    /// The system.
    system: Option<String>,
    /// The requirement.
    requirement: Option<String>,
    /// The evidence.
    evidence: Option<String>,
    /// The task.
    task: Option<String>,
}

impl Comment {
    fn of(at: &At, comment: &Known) -> Comment {
        let made = &comment.made;
        let nothing = About {
            system: None,
            requirement: None,
            evidence: None,
            task: None,
        };
        let about = match made.about.clone() {
            KnownAbout::System(system) => About {
                system: Some(system),
                ..nothing
            },
            KnownAbout::Requirement {
                system,
                requirement,
            } => About {
                system,
                requirement: Some(requirement),
                ..nothing
            },
            KnownAbout::Evidence(evidence) => About {
                evidence: Some(evidence),
                ..nothing
            },
            KnownAbout::Task(task) => About {
                task: Some(task),
                ..nothing
            },
        };
        Comment {
            id: made.comment.clone(),
            about,
            text: made.text.clone(),
            by: Person::of(at, &made.by),
            on: made.on,
            at: comment.at,
        }
    }
}

/// Which comments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Number of rows, 50 without it.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those on this system; with a requirement, those on what it asks of this system.
    system: Option<String>,
    /// Those on this requirement.
    requirement: Option<String>,
    /// Those on this evidence.
    evidence: Option<String>,
    /// Those on this task.
    task: Option<String>,
}

/// Lists comments.
pub(super) async fn list(at: At, Ask(wanted): Ask<Wanted>) -> Result<Response, Refusal> {
    let names = [
        &wanted.system,
        &wanted.requirement,
        &wanted.evidence,
        &wanted.task,
    ];
    let about = match names.iter().any(|name| name.is_some()) {
        true => Some(about([
            wanted.system,
            wanted.requirement,
            wanted.evidence,
            wanted.task,
        ])?),
        false => None,
    };
    let rows = at.state().comments.iter();
    let rows = rows.filter(|(_, comment)| {
        about
            .as_ref()
            .is_none_or(|about| comment.made.about == *about)
    });
    let key = |comment: &Known, id: &String| (cursor::indexed(comment.at), id.clone());
    let rows = rows
        .map(|(id, comment)| (key(comment, id), comment))
        .collect();
    let (rows, next) = cursor::page("comments", rows, wanted.cursor.as_deref(), wanted.limit)?;
    let rows = rows.into_iter().map(|comment| Comment::of(&at, comment));
    listed((rows.collect(), next))
}

/// What `system`, `requirement`, `evidence` and `task` name together.
fn about(names: [Option<String>; 4]) -> Result<KnownAbout, Refusal> {
    match names {
        [system, Some(requirement), None, None] => Ok(KnownAbout::Requirement {
            system,
            requirement,
        }),
        [Some(system), None, None, None] => Ok(KnownAbout::System(system)),
        [None, None, Some(evidence), None] => Ok(KnownAbout::Evidence(evidence)),
        [None, None, None, Some(task)] => Ok(KnownAbout::Task(task)),
        _ => Err(Refusal::Invalid(
            "a comment is about one thing: name a `system`, a `requirement` (with or without a `system`), `evidence`, or a `task`".to_owned(),
        )),
    }
}

/// A comment to make, about one thing: a system, a requirement (of a system or by itself), evidence, or a task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewComment {
    /// The system.
    system: Option<String>,
    /// The requirement.
    requirement: Option<String>,
    /// The evidence.
    evidence: Option<String>,
    /// The task.
    task: Option<String>,
    /// What it says, without anybody's name.
    #[schema(min_length = 1, max_length = 10000)]
    text: String,
}

/// Makes a comment.
pub(super) async fn make(asked: Asked) -> Result<Response, Refusal> {
    let new: NewComment = asked.json()?;
    let about = about([new.system, new.requirement, new.evidence, new.task])?;
    // The rest is the office's to say: it names what is not there.
    let system = asked.at.state().system_of(&about);
    let known = system.filter(|system| asked.at.state().systems.contains_key(*system));
    if let Some(system) = known {
        asked.at.need(Action::Comment, system)?;
    }
    let command = Command::Comment {
        about,
        text: new.text,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let mut known = at.state().comments.values();
    let made = known.find(|one| (receipt.first..receipt.end).contains(&one.at));
    let made = Comment::of(&at, made.ok_or(Refusal::Internal)?);
    asked.written(StatusCode::CREATED, &receipt, made)
}
