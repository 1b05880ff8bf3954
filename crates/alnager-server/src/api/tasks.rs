//! Tasks: opened, and finished.

use alnager_office::decide::Command;
use alnager_office::task::{NewTask as Opening, Task as Known, Why as KnownWhy};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Action;
use crate::api::ask::{Ask, Asked, list as listed};
use crate::api::cursor;
use crate::api::shape::{Decided, Person};
use crate::at::At;
use crate::refusal::Refusal;

/// A task.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Task {
    /// Its id.
    id: String,
    /// What is to be done.
    what: String,
    /// What it comes from.
    why: Why,
    /// The system it concerns.
    system: Option<String>,
    /// The requirement it concerns.
    requirement: Option<String>,
    /// Who must do it.
    owner: Person,
    /// The last day to do it.
    due: Date,
    /// Whether that day has passed and nobody has said it is done.
    is_overdue: bool,
    /// Who opened it.
    opened_by: Person,
    /// When.
    opened_on: Date,
    /// The entry that opened it.
    opened_at: u64,
    /// How it ended, once it did.
    done: Option<Decided>,
}

/// What a task comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Why {
    /// A comparison of two states of the law, a signal, or a person's reason.
    kind: WhyKind,
    /// The comparison in words, the signal's id, or the reason.
    text: String,
}

/// Kinds of what a task comes from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WhyKind {
    /// A comparison of two states of the law.
    Impact,
    /// A signal of a watcher.
    Signal,
    /// A person's reason.
    Reason,
}

impl Task {
    fn of(at: &At, task: &Known) -> Task {
        let opened = &task.opened;
        let (kind, text) = match &opened.why {
            KnownWhy::Impact(text) => (WhyKind::Impact, text),
            KnownWhy::Signal(text) => (WhyKind::Signal, text),
            KnownWhy::Reason(text) => (WhyKind::Reason, text),
        };
        Task {
            id: opened.task.clone(),
            what: opened.what.clone(),
            why: Why {
                kind,
                text: text.clone(),
            },
            system: opened.system.clone(),
            requirement: opened.requirement.clone(),
            owner: Person::of(at, &opened.owner),
            due: opened.due,
            is_overdue: task.is_overdue(at.today()),
            opened_by: Person::of(at, &opened.opened_by),
            opened_on: opened.on,
            opened_at: task.opened_at,
            done: task.done.as_ref().map(|done| Decided {
                by: Person::of(at, &done.by),
                on: done.on,
                reason: done.note.clone(),
            }),
        }
    }
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Number of rows, 50 without it.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those that are done, or those that are open; both without it.
    done: Option<bool>,
    /// Those of this system.
    system: Option<String>,
    /// Those of this person, by id or name.
    owner: Option<String>,
}

/// Lists tasks.
pub(super) async fn list(at: At, Ask(wanted): Ask<Wanted>) -> Result<Response, Refusal> {
    let owner = wanted.owner.as_deref();
    let owner = owner.map(|owner| at.state().person(owner).unwrap_or(owner));
    let fits = |task: &Known| {
        let system = wanted.system.as_ref();
        wanted.done.is_none_or(|done| task.done.is_some() == done)
            && system.is_none_or(|system| task.opened.system.as_ref() == Some(system))
            && owner.is_none_or(|owner| task.opened.owner == owner)
    };
    let rows = at.state().tasks.iter().filter(|(_, task)| fits(task));
    let key = |task: &Known, id: &String| (cursor::indexed(task.opened_at), id.clone());
    let rows = rows.map(|(id, task)| (key(task, id), task)).collect();
    let (rows, next) = cursor::page("tasks", rows, wanted.cursor.as_deref(), wanted.limit)?;
    let rows = rows.into_iter().map(|task| Task::of(&at, task));
    listed((rows.collect(), next))
}

/// A task to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTask {
    /// What is to be done.
    #[schema(min_length = 1)]
    what: String,
    /// Why.
    #[schema(min_length = 1)]
    reason: String,
    /// The system it concerns.
    system: Option<String>,
    /// The requirement it concerns.
    requirement: Option<String>,
    /// Who must do it: a name, or the id of a person.
    #[schema(min_length = 1)]
    owner: String,
    /// The last day to do it: today or later.
    due: Date,
}

/// Opens a task.
pub(super) async fn open(asked: Asked) -> Result<Response, Refusal> {
    let new: NewTask = asked.json()?;
    if let Some(system) = &new.system {
        if !asked.at.state().systems.contains_key(system) {
            let words = format!("the desk has no system `{system}`");
            return Err(Refusal::field("system", words));
        }
        asked.at.need(Action::Task, system)?;
    }
    let opening = Opening {
        what: new.what,
        why: KnownWhy::Reason(new.reason),
        system: new.system,
        requirement: new.requirement,
        owner: new.owner,
        due: new.due,
    };
    let receipt = asked
        .enter(Command::OpenTasks(vec![opening.clone()]))
        .await?;
    let at = asked.at.again();
    let entered = receipt.first..receipt.end;
    let mut tasks = at.state().tasks.values();
    // What is open already is not opened again.
    let made = match entered.is_empty() {
        true => at.state().open_task(&opening),
        false => tasks.find(|task| entered.contains(&task.opened_at)),
    };
    let made = Task::of(&at, made.ok_or(Refusal::Internal)?);
    asked.written(StatusCode::CREATED, &receipt, made)
}

/// The end of a task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Finished {
    /// What was done, or why nothing needs to be done.
    #[schema(min_length = 1)]
    note: String,
}

/// Says that a task is done.
pub(super) async fn finish(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("task").to_owned();
    let known = asked.at.state().tasks.get(&id).ok_or(Refusal::NotFound)?;
    if let Some(system) = &known.opened.system {
        asked.at.need(Action::Task, system)?;
    }
    let new: Finished = asked.json()?;
    let command = Command::FinishTask {
        task: id.clone(),
        note: new.note,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let made = at.state().tasks.get(&id).ok_or(Refusal::Internal)?;
    asked.written(StatusCode::OK, &receipt, Task::of(&at, made))
}
