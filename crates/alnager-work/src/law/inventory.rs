//! Many systems: those of the desk, or one JSON object of facts a line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use alnager_law::book::Book;
use alnager_law::fact::{Answer, FactKind, Facts, Value as Fact};
use alnager_law::read::nearest;
use alnager_law::requirement::Requirement;
use alnager_office::declaration::Stage;
use alnager_office::state::State;
use serde_json::{Map, Value};

use crate::acting::Acting;
use crate::error::JobError;
use crate::files::{read_bytes, read_text};

/// Longest file of systems, in bytes.
pub const SYSTEMS_BYTES_MAX: u64 = 256 << 20;

/// The systems asked about.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// The systems: of the desk by id, of a file in its order.
    pub members: Vec<Member>,
    /// The desk's state, where the systems are its own.
    pub state: Option<State>,
}

/// One system.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its id; unique.
    pub id: String,
    given: Given,
}

#[derive(Debug, Clone)]
enum Given {
    /// The desk has its facts.
    Desk,
    /// They are listed in a file.
    Listed(Listed),
}

/// Facts listed as a JSON object, not yet held against a book.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Where they stand, in words.
    at: String,
    answers: Map<String, Value>,
}

impl Inventory {
    /// The systems of a JSON lines file or, without one, those of the desk that are not retired.
    pub async fn open(acting: &Acting, file: Option<&Path>) -> Result<Self, JobError> {
        match file {
            Some(file) => Inventory::lines(file),
            None => {
                let mut desk = acting.desk().await?;
                Ok(Inventory::of_desk(acting.state(&mut desk).await?))
            }
        }
    }

    /// The systems of a desk that are not retired.
    pub fn of_desk(state: State) -> Self {
        let members = state
            .systems
            .iter()
            .filter(|(_, system)| system.declaration.stage != Stage::Retired)
            .map(|(id, _)| Member {
                id: id.clone(),
                given: Given::Desk,
            });
        Inventory {
            members: members.collect(),
            state: Some(state),
        }
    }

    /// One system of a desk.
    pub fn of_one(state: State, id: &str) -> Result<Self, JobError> {
        if !state.systems.contains_key(id) {
            let hint = nearest(id, state.systems.keys().map(String::as_str));
            return Err(JobError::Input(format!(
                "the desk has no system `{id}`; {hint}"
            )));
        }
        Ok(Inventory {
            members: vec![Member {
                id: id.to_owned(),
                given: Given::Desk,
            }],
            state: Some(state),
        })
    }

    /// Whether counsel of the desk found that a requirement does not bind a system; never outside a desk.
    pub fn sets_aside(&self, book: &Book, requirement: &Requirement, member: &Member) -> bool {
        let state = self.state.as_ref();
        state.is_some_and(|state| state.is_set_aside(book, requirement, &member.id))
    }

    /// One system: a JSON object of facts, or one that holds them under `facts`. Its id is the file's name.
    pub fn of_file(file: &Path) -> Result<Self, JobError> {
        let name = file
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        Ok(Inventory {
            members: vec![Member {
                id: name.unwrap_or_default(),
                given: Given::Listed(Listed::read(file)?),
            }],
            state: None,
        })
    }

    /// A JSON object a line, with an `id` and the facts beside it or under `facts`; blank lines are skipped.
    fn lines(file: &Path) -> Result<Self, JobError> {
        let bytes = read_bytes(
            file,
            SYSTEMS_BYTES_MAX,
            "cannot be read; name a file with one JSON object of facts a line",
        )?;
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let at = format!("{}, line {}", file.display(), index + 1);
            let wrong = |problem: String| JobError::Input(format!("{at}: {problem}"));
            let value: Value = serde_json::from_slice(line)
                .map_err(|error| wrong(format!("this is not a JSON object: {error}")))?;
            let Value::Object(mut answers) = value else {
                return Err(wrong("an object of facts is expected".to_owned()));
            };
            let id = match answers.remove("id") {
                Some(Value::String(id)) if !id.trim().is_empty() => id,
                _ => return Err(wrong("`id` is missing; name the system".to_owned())),
            };
            if !seen.insert(id.clone()) {
                return Err(wrong(format!("the id `{id}` occurs twice; keep one")));
            }
            let answers = match answers.remove("facts") {
                None => answers,
                Some(Value::Object(facts)) => facts,
                Some(_) => return Err(wrong("`facts` must be an object of facts".to_owned())),
            };
            members.push(Member {
                id,
                given: Given::Listed(Listed { at, answers }),
            });
        }
        if members.is_empty() {
            return Err(JobError::Input(format!(
                "{}: there is no system in it; write one JSON object of facts a line",
                file.display()
            )));
        }
        Ok(Inventory {
            members,
            state: None,
        })
    }

    /// A system's facts as one of several books reads them. A fact or an answer that only another of the books knows is left out;
    /// one that none knows is an error.
    pub fn facts(
        &self,
        member: &Member,
        books: &[&Book],
        which: usize,
        closed_world: bool,
    ) -> Result<Facts, JobError> {
        match (&member.given, &self.state) {
            (Given::Listed(listed), _) => listed.facts(books, which, closed_world),
            (Given::Desk, Some(state)) => Ok(state
                .systems
                .get(&member.id)
                .map_or_else(Facts::new, |system| {
                    system.law_facts(books[which], &state.counsel)
                })),
            (Given::Desk, None) => Ok(Facts::new()),
        }
    }

    /// The time zone of a system, where the desk knows one.
    pub fn zone(&self, member: &Member) -> Option<&str> {
        let system = self.state.as_ref()?.systems.get(&member.id)?;
        system.declaration.time_zone.as_deref()
    }

    /// The time zone of the desk's first system, in which the organisation's days are counted.
    pub fn first_zone(&self) -> Option<&str> {
        let system = self.state.as_ref()?.systems.values().next()?;
        system.declaration.time_zone.as_deref()
    }
}

impl Listed {
    /// Reads a JSON object of facts, or one that holds them under `facts`.
    pub fn read(file: &Path) -> Result<Self, JobError> {
        let text = read_text(file)?;
        let at = PathBuf::from(file).display().to_string();
        let wrong = |problem: String| JobError::Input(format!("{at}: {problem}"));
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("this is not JSON: {error}")))?;
        let object = value.get("facts").unwrap_or(&value);
        let answers = object
            .as_object()
            .ok_or_else(|| wrong("an object of facts is expected".to_owned()))?
            .clone();
        Ok(Listed { at, answers })
    }

    /// The facts as one of several books reads them; see [`Inventory::facts`].
    pub fn facts(
        &self,
        books: &[&Book],
        which: usize,
        closed_world: bool,
    ) -> Result<Facts, JobError> {
        let wrong = |problem: String| JobError::Input(format!("{}: {problem}", self.at));
        let read = |book: &Book, name: &str, value: &Value| -> Option<(usize, Fact)> {
            let position = book.vocabulary.position(name)?;
            let fact = answer(&book.vocabulary.kinds()[position], value)?;
            Some((position, fact))
        };
        let mut facts = Facts::hypothetical(closed_world);
        for (name, value) in &self.answers {
            if let Some((position, fact)) = read(books[which], name, value) {
                facts.set(position, Some(Answer::bare(fact)));
                continue;
            }
            if books.iter().any(|book| read(book, name, value).is_some()) {
                continue;
            }
            let kind = books.iter().find_map(|book| book.vocabulary.get(name));
            return Err(wrong(match kind {
                None => {
                    let hint = nearest(name, books[which].vocabulary.names());
                    format!("there is no fact `{name}`; {hint}")
                }
                Some(kind) => format!(
                    "`{name}` cannot be answered `{value}`; it asks: {}",
                    kind.question
                ),
            }));
        }
        Ok(facts)
    }
}

fn answer(kind: &FactKind, value: &Value) -> Option<Fact> {
    let text = match value {
        Value::Array(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            texts?.join(",")
        }
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Object(_) => return None,
    };
    kind.parse(&text)
}
