//! Comments: what people say about a system, a requirement, evidence or a task. They decide nothing.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// The longest comment, in characters.
pub const CHARACTERS_MAX: usize = 10_000;

/// What a comment is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// A system, by its id.
    System(String),
    /// A requirement, of one system or by itself.
    Requirement {
        /// The system; without one the requirement itself is meant.
        system: Option<String>,
        /// The requirement's id.
        requirement: String,
    },
    /// Evidence, by its id.
    Evidence(String),
    /// A task, by its id.
    Task(String),
}

/// A comment was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentMade {
    /// Its id in the desk, such as `C7`.
    pub comment: String,
    /// What it is about.
    pub about: About,
    /// What it says; without anybody's name.
    pub text: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// A comment as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// What was made.
    pub made: CommentMade,
    /// The entry.
    pub at: u64,
}

impl State {
    /// The comments on one thing, in the order they were made.
    pub fn comments_on(&self, about: &About) -> Vec<&Comment> {
        let comments = self.comments.values();
        let mut on: Vec<&Comment> = comments.filter(|one| one.made.about == *about).collect();
        on.sort_by_key(|comment| comment.at);
        on
    }

    /// The system that something commented on belongs to; `None` where it is the organisation's.
    pub fn system_of<'a>(&'a self, about: &'a About) -> Option<&'a str> {
        match about {
            About::System(system) => Some(system),
            About::Requirement { system, .. } => system.as_deref(),
            About::Evidence(evidence) => {
                let evidence = self.evidence.get(evidence);
                evidence.map(|evidence| evidence.submitted.system.as_str())
            }
            About::Task(task) => self.tasks.get(task)?.opened.system.as_deref(),
        }
    }

    pub(crate) fn comment(&mut self, made: &CommentMade, meta: &Meta) {
        if self.system_of(&made.about).is_none() {
            self.keep_diary(meta);
        }
        let comment = Comment {
            made: made.clone(),
            at: meta.index,
        };
        self.comments.insert(made.comment.clone(), comment);
    }
}

impl Draft<'_> {
    /// Makes a comment on something the desk knows.
    pub(crate) fn comment(&mut self, about: &About, text: &str) -> Result<(), Refused> {
        match about {
            About::System(system) => drop(self.system(system)?),
            About::Requirement {
                system,
                requirement,
            } => {
                if let Some(system) = system {
                    self.system(system)?;
                }
                if self.with.book.doubts(requirement).is_none() {
                    return Err(self.no_requirement(requirement));
                }
            }
            About::Evidence(evidence) => drop(self.known_evidence(evidence)?),
            About::Task(task) => drop(self.known_task(task)?),
        }
        let text = text.trim();
        if text.is_empty() || text.chars().count() > CHARACTERS_MAX {
            return Err(Refused::Unfit {
                what: "a comment",
                rule: "has 1 to 10,000 characters",
            });
        }
        let made = CommentMade {
            comment: format!("C{}", self.state.comments.len() + 1),
            about: about.clone(),
            text: text.to_owned(),
            by: self.acting(),
            on: self.with.today,
        };
        let system = self.state.system_of(about).map(str::to_owned);
        self.push_work(Event::CommentMade(made), system.as_deref());
        Ok(())
    }
}
