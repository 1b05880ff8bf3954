//! `alnager task`.

use alnager_office::state::State;
use alnager_office::task::{NewTask, Task, Why};
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::task::{self, Tasks};
use clap::{ArgGroup, Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, acknowledge, pretty};
use crate::terminal::say;

/// Commands about tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List tasks, the first due first
    List(ListArguments),
    /// Open a task
    Open(OpenArguments),
    /// Say that a task is done
    Done {
        /// The task, such as T7
        task: String,
        /// What was done, or why nothing needs to be done
        #[arg(long)]
        note: String,
    },
}

/// Which tasks to list.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only those about this system
    #[arg(long, value_name = "ID")]
    pub(crate) system: Option<String>,
    /// Only those of this person
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// Also those that are done
    #[arg(long)]
    pub(crate) all: bool,
}

/// A task to open.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["why", "signal"]))]
pub(crate) struct OpenArguments {
    /// What is to be done
    #[arg(long)]
    pub(crate) what: String,
    /// Why
    #[arg(long)]
    pub(crate) why: Option<String>,
    /// The signal it comes from, such as S7
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) signal: Option<String>,
    /// The system it concerns
    #[arg(long, value_name = "ID")]
    pub(crate) system: Option<String>,
    /// The requirement it concerns
    #[arg(long, value_name = "ID")]
    pub(crate) requirement: Option<String>,
    /// Who must do it; without it who acts
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
    /// The last day to do it
    #[arg(long, value_name = "DAY")]
    pub(crate) due: Date,
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &TaskCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        TaskCommand::List(arguments) => {
            let tasks = task::list(flags).await?;
            say(&list(&tasks, arguments, format));
            Ok(CLEAR)
        }
        TaskCommand::Open(arguments) => open(flags, arguments, format).await,
        TaskCommand::Done { task, note } => {
            let entered = task::finish(flags, task, note).await?;
            acknowledge(
                &entered,
                &format!("{task} is done, says {}", entered.actor),
                format,
            )
        }
    }
}

async fn open(flags: &Flags, arguments: &OpenArguments, format: Format) -> Result<u8, JobError> {
    let why = match (&arguments.signal, &arguments.why) {
        (Some(signal), _) => Why::Signal(signal.clone()),
        (None, why) => Why::Reason(why.clone().unwrap_or_default()),
    };
    let new = NewTask {
        what: arguments.what.clone(),
        why,
        system: arguments.system.clone(),
        requirement: arguments.requirement.clone(),
        owner: match &arguments.owner {
            Some(owner) => owner.trim().to_owned(),
            None => task::actor(flags)?,
        },
        due: arguments.due,
    };
    let entered = task::open(flags, vec![new.clone()]).await?;
    let words = match entered.state.open_task(&new) {
        Some(task) if task.opened_at >= entered.receipt.first => format!(
            "{} is opened for {}, due {}",
            task.opened.task,
            entered.state.name(&task.opened.owner),
            task.opened.due
        ),
        Some(task) => format!("{} is open already; nothing was entered", task.opened.task),
        None => "nothing was entered".to_owned(),
    };
    acknowledge(&entered, &words, format)
}

fn list(tasks: &Tasks, arguments: &ListArguments, format: Format) -> String {
    let state = &tasks.state;
    let owner = arguments.owner.as_ref();
    let owner = owner.map(|name| state.person(name).unwrap_or_default());
    let wanted = |task: &&Task| {
        let opened = &task.opened;
        (arguments.all || task.done.is_none())
            && owner.is_none_or(|owner| opened.owner == owner)
            && (arguments.system.is_none() || opened.system == arguments.system)
    };
    let mut known: Vec<&Task> = state.tasks.values().filter(wanted).collect();
    known.sort_by_key(|task| (task.done.is_some(), task.opened.due, task.opened_at));
    if format == Format::Json {
        let rows: Vec<Value> = known
            .iter()
            .map(|task| row(task, state, tasks.on))
            .collect();
        return pretty(&json!({ "tasks": rows }));
    }
    if known.is_empty() {
        return "no such task is open; `alnager task open` opens one".to_owned();
    }
    let words = known.iter().map(|task| words(task, state, tasks.on));
    words.collect::<Vec<_>>().join("\n")
}

fn words(task: &Task, state: &State, on: Date) -> String {
    let opened = &task.opened;
    let stands = match &task.done {
        Some(done) => format!(
            "done on {}, says {}: {}",
            done.on,
            state.name(&done.by),
            done.note
        ),
        None if task.is_overdue(on) => format!("OVERDUE since {}", opened.due),
        None => format!("due {}", opened.due),
    };
    let about: Vec<&str> = opened
        .system
        .iter()
        .chain(&opened.requirement)
        .map(String::as_str)
        .collect();
    let about = match about.is_empty() {
        true => String::new(),
        false => format!(" ({})", about.join(", ")),
    };
    let why = match &opened.why {
        Why::Impact(words) => format!("from the comparison {words}"),
        Why::Signal(signal) => format!("from signal {signal}"),
        Why::Reason(words) => words.clone(),
    };
    format!(
        "{:<5} {}{about}\n      {stands}; {}; {why}",
        opened.task,
        opened.what,
        state.name(&opened.owner)
    )
}

fn row(task: &Task, state: &State, on: Date) -> Value {
    let opened = &task.opened;
    let done = task
        .done
        .as_ref()
        .map(|done| json!({ "by": state.name(&done.by), "on": done.on, "note": done.note }));
    let (source, why) = match &opened.why {
        Why::Impact(words) => ("impact", words),
        Why::Signal(signal) => ("signal", signal),
        Why::Reason(words) => ("reason", words),
    };
    json!({
        "id": opened.task, "what": opened.what, "why": { (source): why }, "system": opened.system,
        "requirement": opened.requirement, "owner": state.name(&opened.owner), "due": opened.due,
        "overdue": task.is_overdue(on), "opened_by": state.name(&opened.opened_by), "opened_on": opened.on,
        "done": done,
    })
}
