//! Questions to the law alone: what would bind a system with these facts.

use std::collections::BTreeMap;
use std::path::Path;

use alnager_law::book::Book;
use alnager_law::fact::{Answer, FactKind, Facts, Value as Fact};
use alnager_law::read::nearest;
use alnager_law::requirement::{AsOf, Standing, requirements};
use alnager_law::rule::Truth;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::files::read_text;

/// What would bind a system, by how it stands on the day judged. Every requirement of the packs is in exactly one place.
#[derive(Debug, Clone, Default)]
pub struct LawMap {
    /// The day judged and the day of knowledge.
    pub when: Option<AsOf>,
    /// Derived facts; `None` is unknown.
    pub derived: BTreeMap<String, Option<bool>>,
    /// In force.
    pub in_force: Vec<String>,
    /// Begins later, with the day.
    pub upcoming: BTreeMap<String, Date>,
    /// Its day has come and its trigger has not, with the day it can first exist.
    pub waiting: BTreeMap<String, Date>,
    /// Does not concern the system.
    pub not_applicable: Vec<String>,
    /// No longer governs.
    pub ended: Vec<String>,
    /// Facts are missing, by name.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// Something about it is not confirmed.
    pub preview: Vec<String>,
}

/// Maps a file of facts: a JSON object of answers, or one that holds them under `facts`. With `closed_world` an unlisted fact is
/// false, empty, or fails every comparison. Nothing is read from or written to a desk.
pub fn map(flags: &Flags, file: &Path, closed_world: bool) -> Result<LawMap, JobError> {
    let acting = Acting::begin(flags)?;
    let book = &acting.library.book;
    let facts = facts(book, file, closed_world)?;
    let when = acting.as_of(None, None);
    let mut map = LawMap {
        when: Some(when),
        ..LawMap::default()
    };
    for requirement in requirements(book, &facts, when) {
        let id = requirement.text().id.clone();
        let concerns = !matches!(
            requirement.standing,
            Standing::NotApplicable(_) | Standing::Ended { .. }
        );
        if concerns && !requirement.preview.is_empty() {
            map.preview.push(id.clone());
        }
        match requirement.standing {
            Standing::InForce { .. } => map.in_force.push(id),
            Standing::Ahead { from } => drop(map.upcoming.insert(id, from)),
            Standing::Waiting { until, .. } => drop(map.waiting.insert(id, until)),
            Standing::Ended { .. } => map.ended.push(id),
            Standing::NotApplicable(_) => map.not_applicable.push(id),
            Standing::Unknown { missing, .. } => {
                let names = missing
                    .iter()
                    .map(|at| book.vocabulary.kinds()[*at].name.clone());
                map.unknown.insert(id, names.collect());
            }
        }
    }
    let reader = book.reader(&facts);
    for (at, derived) in book.derived_facts().iter().enumerate() {
        let truth = match reader.derived(at) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown => None,
        };
        map.derived.insert(derived.name.clone(), truth);
    }
    Ok(map)
}

fn facts(book: &Book, file: &Path, closed_world: bool) -> Result<Facts, JobError> {
    let text = read_text(file)?;
    let wrong = |problem: String| JobError::Input(format!("{}: {problem}", file.display()));
    let value: Value =
        serde_json::from_str(&text).map_err(|error| wrong(format!("this is not JSON: {error}")))?;
    let object = value.get("facts").unwrap_or(&value);
    let object: &Map<String, Value> = object
        .as_object()
        .ok_or_else(|| wrong("an object of facts is expected".to_owned()))?;
    let mut facts = Facts::hypothetical(closed_world);
    for (name, value) in object {
        let position = book.vocabulary.position(name).ok_or_else(|| {
            let hint = nearest(name, book.vocabulary.names());
            wrong(format!("there is no fact `{name}`; {hint}"))
        })?;
        let kind = &book.vocabulary.kinds()[position];
        let answer = answer(kind, value).ok_or_else(|| {
            wrong(format!(
                "`{name}` cannot be answered `{value}`; it asks: {}",
                kind.question
            ))
        })?;
        facts.set(position, Some(Answer::bare(answer)));
    }
    Ok(facts)
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
