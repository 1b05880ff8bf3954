//! Tasks: what someone must do by a day, opened by a person, a signal or an impact run.

use std::collections::{BTreeMap, HashSet};

use alnager_law::read::nearest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// A task was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOpened {
    /// Its id in the desk, such as `T7`.
    pub task: String,
    /// What is to be done.
    pub what: String,
    /// What it comes from.
    pub why: Why,
    /// The system it concerns; without one it concerns the organisation.
    pub system: Option<String>,
    /// The requirement it concerns.
    pub requirement: Option<String>,
    /// Who must do it.
    pub owner: String,
    /// The last day to do it.
    pub due: Date,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub on: Date,
}

/// What a task comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// A comparison of two states of the law, in words: which ones, and for which day.
    Impact(String),
    /// A signal, by its id.
    Signal(String),
    /// A person's reason.
    Reason(String),
}

/// A task was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDone {
    /// The task.
    pub task: String,
    /// Who says so.
    pub by: String,
    /// When.
    pub on: Date,
    /// What was done, or why nothing needs to be done.
    pub note: String,
}

/// A task as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What was opened.
    pub opened: TaskOpened,
    /// How it ended, once it did.
    pub done: Option<TaskDone>,
    /// The entry that opened it.
    pub opened_at: u64,
}

/// A task to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// What is to be done; not blank.
    pub what: String,
    /// What it comes from.
    pub why: Why,
    /// The system it concerns, by its id; it must be in the desk.
    pub system: Option<String>,
    /// The requirement it concerns. It is not looked up: it may belong to a pack that is not in use yet.
    pub requirement: Option<String>,
    /// Who must do it: a name, or the id of a person the desk knows.
    pub owner: String,
    /// The last day to do it: today or later.
    pub due: Date,
}

/// What makes two open tasks one: the same thing, for the same reason, about the same system and requirement.
type Same = (String, Why, Option<String>, Option<String>);

impl Task {
    /// Whether its last day has passed and nobody has said it is done.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.done.is_none() && self.opened.due < today
    }
}

impl TaskOpened {
    fn same(&self) -> Same {
        (
            self.what.clone(),
            self.why.clone(),
            self.system.clone(),
            self.requirement.clone(),
        )
    }
}

impl NewTask {
    fn same(&self) -> Same {
        (
            self.what.clone(),
            self.why.clone(),
            self.system.clone(),
            self.requirement.clone(),
        )
    }
}

impl State {
    /// The open task that is the same as this one: the same thing, for the same reason, about the same system and requirement.
    pub fn open_task(&self, new: &NewTask) -> Option<&Task> {
        let same = new.same();
        self.tasks
            .values()
            .find(|task| task.done.is_none() && task.opened.same() == same)
    }

    pub(crate) fn open(&mut self, opened: &TaskOpened, meta: &Meta) {
        let task = Task {
            opened: opened.clone(),
            done: None,
            opened_at: meta.index,
        };
        self.tasks.insert(opened.task.clone(), task);
    }

    /// Takes the end of a task; that of an unknown one changes nothing.
    pub(crate) fn finish(&mut self, done: &TaskDone) {
        if let Some(task) = self.tasks.get_mut(&done.task) {
            task.done = Some(done.clone());
        }
    }
}

impl Draft<'_> {
    /// Opens tasks: all of them or, when one is refused, none. One that is open already is not opened again.
    pub(crate) fn open_tasks(&mut self, tasks: &[NewTask]) -> Result<(), Refused> {
        for task in tasks {
            self.check_task(task)?;
        }
        let open = self.state.tasks.values().filter(|task| task.done.is_none());
        let mut open: HashSet<Same> = open.map(|task| task.opened.same()).collect();
        // Names are folded to be compared; over thousands of tasks each is looked up once.
        let mut owners: BTreeMap<&str, String> = BTreeMap::new();
        for task in tasks {
            if !open.insert(task.same()) {
                continue;
            }
            let opened_by = self.acting();
            let owner = match owners.get(task.owner.as_str()) {
                Some(owner) => owner.clone(),
                None => {
                    let owner = self.person(&task.owner);
                    owners.insert(&task.owner, owner.clone());
                    owner
                }
            };
            let opened = TaskOpened {
                task: format!("T{}", self.state.tasks.len() + 1),
                what: task.what.clone(),
                why: task.why.clone(),
                system: task.system.clone(),
                requirement: task.requirement.clone(),
                owner,
                due: task.due,
                opened_by,
                on: self.with.today,
            };
            self.push_work(Event::TaskOpened(opened), task.system.as_deref());
        }
        Ok(())
    }

    fn check_task(&self, task: &NewTask) -> Result<(), Refused> {
        if task.what.trim().is_empty() {
            return Err(Refused::NoTaskWords {
                what: "what is to be done",
                flag: "--what",
            });
        }
        if task.owner.trim().is_empty() {
            return Err(Refused::NoTaskWords {
                what: "who must do it",
                flag: "--owner",
            });
        }
        match &task.why {
            Why::Signal(signal) => drop(self.known_signal(signal)?),
            Why::Impact(words) | Why::Reason(words) if words.trim().is_empty() => {
                return Err(Refused::NoTaskWords {
                    what: "what it comes from",
                    flag: "--why",
                });
            }
            Why::Impact(_) | Why::Reason(_) => {}
        }
        if let Some(system) = &task.system {
            self.system(system)?;
        }
        if task.due < self.with.today {
            return Err(Refused::DuePassed {
                what: task.what.clone(),
                due: task.due,
            });
        }
        Ok(())
    }

    /// Says that a task is done.
    pub(crate) fn finish(&mut self, task: &str, note: &str) -> Result<(), Refused> {
        if note.trim().is_empty() {
            return Err(Refused::NoReason { flag: "--note" });
        }
        let known = self.known_task(task)?.clone();
        if let Some(done) = known.done {
            return Err(Refused::AlreadyDone {
                task: task.to_owned(),
                on: done.on,
            });
        }
        let done = TaskDone {
            task: task.to_owned(),
            by: self.acting(),
            on: self.with.today,
            note: note.to_owned(),
        };
        self.push_work(Event::TaskDone(done), known.opened.system.as_deref());
        Ok(())
    }

    /// A task of the desk.
    pub(crate) fn known_task(&self, task: &str) -> Result<&Task, Refused> {
        self.state.tasks.get(task).ok_or_else(|| Refused::NoTask {
            task: task.to_owned(),
            hint: match self.state.tasks.is_empty() {
                true => "no task was opened yet (`alnager task open`)".to_owned(),
                false => nearest(task, self.state.tasks.keys().map(String::as_str)),
            },
        })
    }

    /// Enters an event about work, such as a task: its subject is the system it concerns, or the desk's diary.
    pub(crate) fn push_work(&mut self, event: Event, system: Option<&str>) {
        match system {
            Some(system) => {
                let subjects = self.subjects(system, &[]);
                self.push(event, subjects, Vec::new(), Vec::new());
            }
            None => self.push_diary(event),
        }
    }
}
