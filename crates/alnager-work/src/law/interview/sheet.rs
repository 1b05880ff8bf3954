//! The file the answers stand in: a declaration, whose comments and layout stay, or a JSON object of facts.

use std::fs::File;
use std::path::{Path, PathBuf};

use alnager_law::fact::{Answer, FactKind, Facts, Value};
use alnager_law::read::nearest;
use alnager_office::declaration::{Declaration, DeclaredFact};
use jiff::civil::Date;
use serde_json::{Map, Value as Json};
use toml_edit::{DocumentMut, Item, Table};

use crate::error::JobError;
use crate::files::{read_text, replace_durably};
use crate::library::Library;

/// The file the answers stand in.
#[derive(Debug)]
pub(super) enum Sheet {
    /// A `system.toml`, as last read.
    Declared(PathBuf, Box<Declaration>),
    /// A JSON object of facts, or one that holds them under `facts`.
    Object(PathBuf, Map<String, Json>),
}

/// An answer to write.
#[derive(Debug, Clone)]
pub(super) struct Given<'a> {
    pub(super) value: &'a Value,
    pub(super) by: &'a str,
    pub(super) on: Date,
    pub(super) basis: &'a str,
}

impl Sheet {
    /// Reads a declaration.
    pub(super) fn declared(path: PathBuf, library: &Library) -> Result<Self, JobError> {
        let declaration = parse(&path, &read_text(&path)?, library)?;
        Ok(Sheet::Declared(path, Box::new(declaration)))
    }

    /// Reads a JSON object of facts.
    pub(super) fn object(path: PathBuf) -> Result<Self, JobError> {
        let text = read_text(&path)?;
        let wrong = |problem: String| JobError::Input(format!("{}: {problem}", path.display()));
        let whole: Json = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("this is not JSON: {error}")))?;
        let whole = match whole {
            Json::Object(whole) => whole,
            _ => return Err(wrong("an object of facts is expected".to_owned())),
        };
        if whole.get("facts").is_some_and(|facts| !facts.is_object()) {
            return Err(wrong("`facts` must be an object".to_owned()));
        }
        Ok(Sheet::Object(path, whole))
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        match self {
            Sheet::Declared(path, _) | Sheet::Object(path, _) => path,
        }
    }

    /// The answers. Those of a declaration count under guard; those of a JSON file are a what-if and count as they stand.
    pub(super) fn facts(&self, library: &Library) -> Result<Facts, JobError> {
        let vocabulary = &library.book.vocabulary;
        match self {
            Sheet::Declared(_, declaration) => {
                let mut facts = Facts::new();
                for (name, fact) in &declaration.facts {
                    let Some(at) = vocabulary.position(name) else {
                        continue;
                    };
                    let value = vocabulary.kinds()[at].parse(&fact.value);
                    facts.set(at, value.map(|value| answer(value, fact)));
                }
                Ok(facts)
            }
            Sheet::Object(path, whole) => {
                let wrong =
                    |problem: String| JobError::Input(format!("{}: {problem}", path.display()));
                let mut facts = Facts::hypothetical(false);
                for (name, value) in object(whole) {
                    let at = vocabulary.position(name).ok_or_else(|| {
                        let hint = nearest(name, vocabulary.names());
                        wrong(format!("there is no fact `{name}`; {hint}"))
                    })?;
                    let kind = &vocabulary.kinds()[at];
                    let value = from_json(kind, value).ok_or_else(|| {
                        let question = &kind.question;
                        wrong(format!(
                            "`{name}` cannot be answered `{value}`; it asks: {question}"
                        ))
                    })?;
                    facts.set(at, Some(Answer::bare(value)));
                }
                Ok(facts)
            }
        }
    }

    /// Writes one answer, or takes one away; what stands in the file is read anew first, so that nothing written meanwhile is
    /// lost. When this returns the answer is on the disk.
    pub(super) fn write(
        &mut self,
        library: &Library,
        kind: &FactKind,
        given: Option<&Given<'_>>,
    ) -> Result<(), JobError> {
        // Two interviews about one system take turns; where folders cannot be locked, each is on its own.
        let folder = self.path().parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let lock = File::open(folder.unwrap_or(Path::new(".")));
        let _lock = lock.and_then(|folder| folder.lock().map(|()| folder));
        match self {
            Sheet::Declared(path, declaration) => {
                let text = read_text(path)?;
                let before = parse(path, &text, library)?;
                let (text, after) = edit(path, &text, library, &before, kind, given)?;
                replace_durably(path, text.as_bytes())?;
                **declaration = after;
            }
            Sheet::Object(path, whole) => {
                let Sheet::Object(_, mut now) = Sheet::object(path.clone())? else {
                    return Ok(());
                };
                let facts = match now.get_mut("facts").and_then(Json::as_object_mut) {
                    Some(facts) => facts,
                    None => &mut now,
                };
                match given {
                    Some(given) => drop(facts.insert(kind.name.clone(), to_json(given.value))),
                    None => drop(facts.shift_remove(&kind.name)),
                }
                let text = serde_json::to_string_pretty(&now)
                    .map_err(|error| JobError::Internal(error.to_string()))?;
                replace_durably(path, format!("{text}\n").as_bytes())?;
                *whole = now;
            }
        }
        Ok(())
    }
}

fn object(whole: &Map<String, Json>) -> &Map<String, Json> {
    whole
        .get("facts")
        .and_then(Json::as_object)
        .unwrap_or(whole)
}

fn answer(value: Value, fact: &DeclaredFact) -> Answer {
    Answer {
        value,
        by: fact.by.clone(),
        on: Some(fact.on),
        basis: fact.basis.clone(),
        confirmed_by: None,
    }
}

fn parse(path: &Path, text: &str, library: &Library) -> Result<Declaration, JobError> {
    let file = path.display().to_string();
    Ok(Declaration::parse(
        &file,
        text,
        &library.book,
        &library.policy,
    )?)
}

/// The text with one answer set or taken away, and what it then declares. Nothing else may change: the result is read back and
/// compared.
fn edit(
    path: &Path,
    text: &str,
    library: &Library,
    before: &Declaration,
    kind: &FactKind,
    given: Option<&Given<'_>>,
) -> Result<(String, Declaration), JobError> {
    let mut want = before.clone();
    match given {
        Some(given) => drop(want.facts.insert(kind.name.clone(), declared(given))),
        None => drop(want.facts.remove(&kind.name)),
    }
    let is_new = !before.facts.contains_key(&kind.name);
    let uncommented = given
        .filter(|_| is_new)
        .and_then(|given| uncommented(text, &kind.name, &line(&kind.name, given)));
    let edited = edited(path, text, &kind.name, given)?;
    for text in uncommented.into_iter().chain([edited]) {
        if let Ok(after) = parse(path, &text, library)
            && after == want
        {
            return Ok((text, after));
        }
    }
    Err(JobError::Internal(format!(
        "`{}`: the answer to `{}` cannot be entered without changing something else; write it by hand",
        path.display(),
        kind.name
    )))
}

fn declared(given: &Given<'_>) -> DeclaredFact {
    DeclaredFact {
        value: given.value.to_text(),
        by: given.by.to_owned(),
        on: given.on,
        basis: given.basis.to_owned(),
    }
}

/// The text with the line that holds the fact commented out replaced by the answer; `None` where there is no such line.
fn uncommented(text: &str, name: &str, answer: &str) -> Option<String> {
    let start = format!("# {name} = ");
    let mut found = false;
    let lines = text.split_inclusive('\n').map(|line| {
        if found || !line.starts_with(&start) {
            return line.to_owned();
        }
        found = true;
        let end = &line[line.trim_end_matches(['\n', '\r']).len()..];
        format!("{answer}{end}")
    });
    let text: String = lines.collect();
    found.then_some(text)
}

fn edited(
    path: &Path,
    text: &str,
    name: &str,
    given: Option<&Given<'_>>,
) -> Result<String, JobError> {
    let wrong = |problem: String| JobError::Input(format!("{}: {problem}", path.display()));
    let parse = |text: &str| {
        text.parse::<DocumentMut>()
            .map_err(|error| wrong(error.to_string()))
    };
    let mark = if text.starts_with('\u{feff}') {
        "\u{feff}"
    } else {
        ""
    };
    let mut document = parse(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let facts = document.entry("facts").or_insert(Item::Table(Table::new()));
    let facts = facts
        .as_table_like_mut()
        .ok_or_else(|| wrong("`facts` must be a table".to_owned()))?;
    match given {
        None => drop(facts.remove(name)),
        Some(given) => {
            let mut new = parse(&line(name, given))?;
            let mut new = new.remove(name).unwrap_or_default();
            // A comment behind the old answer stays where it is.
            let old = facts.get(name).and_then(Item::as_value);
            if let (Some(old), Some(new)) = (old, new.as_value_mut()) {
                *new.decor_mut() = old.decor().clone();
            }
            drop(facts.insert(name, new));
        }
    }
    Ok(format!("{mark}{document}"))
}

/// The answer as a declaration writes it.
fn line(name: &str, given: &Given<'_>) -> String {
    let text = |text: &str| toml_edit::Value::from(text).to_string();
    let value = match given.value {
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        // The shortest form that reads back as the same number, such as `12.5` or `3e25`.
        Value::Number(number) => format!("{number:?}"),
        Value::Date(day) => day.to_string(),
        Value::One(value) => text(value),
        Value::Set(set) => {
            let values: Vec<String> = set.iter().map(|value| text(value)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::None => text("none"),
    };
    format!(
        "{name} = {{ value = {value}, by = {}, on = {}, basis = {} }}",
        text(given.by),
        given.on,
        text(given.basis)
    )
}

fn from_json(kind: &FactKind, value: &Json) -> Option<Value> {
    let text = match value {
        Json::Array(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(Json::as_str).collect();
            texts?.join(",")
        }
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::Null | Json::Object(_) => return None,
    };
    kind.parse(&text)
}

/// An answer as the JSON files of facts write it.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(yes) => Json::Bool(*yes),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Json::from(*number as i64)
        }
        Value::Number(number) => Json::from(*number),
        Value::Date(day) => Json::String(day.to_string()),
        Value::One(value) => Json::String(value.clone()),
        Value::Set(set) => set.iter().cloned().map(Json::String).collect(),
        Value::None => Json::String("none".to_owned()),
    }
}

#[cfg(test)]
mod tests;
