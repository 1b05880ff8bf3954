//! Facts: typed answers about a system or its organisation, with who gave them, when and on what basis. Unknown is a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use crate::read::{self, Item, Node, ReadError};

/// Far more facts than any file needs; keeps a hostile one from taking all time and memory.
const FACTS_MAX: usize = 2_000;

/// The type of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactType {
    /// Yes or no.
    Bool,
    /// A number; the question names its unit.
    Number,
    /// A day.
    Date,
    /// One of the values.
    Enum(Vec<String>),
    /// Any of the values; an answered set is complete.
    Set(Vec<String>),
}

/// A question that conditions may ask about.
#[derive(Debug, Clone, PartialEq)]
pub struct FactKind {
    /// The permanent name.
    pub name: String,
    /// The type of its answer.
    pub of: FactType,
    /// The question for a person, in plain words.
    pub question: String,
    /// The packs that read it, or `all`.
    pub serves: Vec<String>,
    /// Answers that remove a duty or lower a class, as text; `any` stands for every answer but `none`, and a set that holds all
    /// of a guarded one's values is guarded too.
    pub guarded: Vec<String>,
    /// The same as values, but for `any`.
    guards: Vec<Value>,
    /// Why those answers are guarded.
    pub guard_cite: Option<String>,
    /// For a set: the value that a value lies within, such as `US` for `US-CO`; whoever names the one means both.
    pub within: BTreeMap<String, String>,
    /// The voluntary pack whose adoption this fact states: a recorded decision of the organisation answers it.
    pub adopts: Option<String>,
}

/// The vocabulary of facts, by position and by name.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    kinds: Vec<FactKind>,
    by_name: BTreeMap<String, usize>,
}

/// The value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A day.
    Date(Date),
    /// One value of an enum.
    One(String),
    /// The complete set.
    Set(BTreeSet<String>),
    /// Asked, and there is none (dates and numbers): known, and every comparison with it is false.
    None,
}

/// An answer to a fact's question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// Who answered: a person's id or a role; empty in cases and what-ifs.
    pub by: String,
    /// When it was answered.
    pub on: Option<Date>,
    /// On what basis.
    pub basis: String,
    /// Who outside the building team confirmed it, if anyone did.
    pub confirmed_by: Option<String>,
}

/// The answers about one system.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    answers: Vec<Option<Answer>>,
    closed_world: bool,
    guard: bool,
}

/// Why a fact does not count as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Nobody answered.
    Unanswered,
    /// Answered, but the answer removes a duty and nobody outside the building team has confirmed it.
    Unconfirmed,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(true) => write!(f, "yes"),
            Value::Bool(false) => write!(f, "no"),
            Value::Number(number) if number.abs() >= 1e15 => write!(f, "{number:e}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Date(date) => write!(f, "{date}"),
            Value::One(value) => write!(f, "{value}"),
            Value::Set(set) if set.is_empty() => write!(f, "none of them"),
            Value::Set(set) => write!(
                f,
                "{}",
                set.iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Value::None => write!(f, "none"),
        }
    }
}

impl Value {
    /// The value as one line of text that [`FactKind::parse`] reads back.
    pub fn to_text(&self) -> String {
        match self {
            Value::Bool(yes) => yes.to_string(),
            Value::Number(number) => format!("{number:e}"),
            Value::Date(date) => date.to_string(),
            Value::One(value) => value.clone(),
            Value::Set(set) => set.iter().map(String::as_str).collect::<Vec<_>>().join(","),
            Value::None => "none".to_owned(),
        }
    }
}

impl FactKind {
    /// Reads an answer from the text form of [`Value::to_text`]; `None` when it does not fit the type.
    pub fn parse(&self, text: &str) -> Option<Value> {
        let known = |values: &[String], value: &str| values.iter().any(|known| known == value);
        match &self.of {
            FactType::Bool => text.parse().ok().map(Value::Bool),
            FactType::Number | FactType::Date if text == "none" => Some(Value::None),
            FactType::Number => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Value::Number),
            FactType::Date => text.parse().ok().map(Value::Date),
            FactType::Enum(values) => known(values, text).then(|| Value::One(text.to_owned())),
            FactType::Set(values) => {
                let set: BTreeSet<String> = text
                    .split(',')
                    .filter(|value| !value.is_empty())
                    .map(str::to_owned)
                    .collect();
                set.iter()
                    .all(|value| known(values, value))
                    .then_some(Value::Set(self.closed(set)))
            }
        }
    }

    /// Reads an answer from a declaration.
    pub fn read(&self, node: &Node) -> Result<Value, ReadError> {
        let none = matches!(node.item(), Item::Text(text) if text == "none");
        Ok(match &self.of {
            FactType::Bool => Value::Bool(node.bool()?),
            FactType::Number if none => Value::None,
            FactType::Number => Value::Number(node.number()?),
            FactType::Date if none => Value::None,
            FactType::Date => Value::Date(node.date()?),
            FactType::Enum(values) => Value::One(node.one_of(values.iter().map(String::as_str))?),
            FactType::Set(values) => {
                let mut set = BTreeSet::new();
                for value in node.list()? {
                    set.insert(value.one_of(values.iter().map(String::as_str))?);
                }
                Value::Set(self.closed(set))
            }
        })
    }

    /// A set with every value that one of its values lies within.
    pub fn closed(&self, mut set: BTreeSet<String>) -> BTreeSet<String> {
        let mut open: Vec<String> = set.iter().cloned().collect();
        while let Some(value) = open.pop() {
            if let Some(outer) = self.within.get(&value)
                && set.insert(outer.clone())
            {
                open.push(outer.clone());
            }
        }
        set
    }

    /// Whether this answer removes a duty or lowers a class, so that it counts only once confirmed.
    pub fn is_guarded(&self, value: &Value) -> bool {
        let any = *value != Value::None && self.guarded.iter().any(|guarded| guarded == "any");
        any || self.guards.iter().any(|guarded| match (guarded, value) {
            // `none of them` is an answer of its own, not a part of every other.
            (Value::Set(guarded), Value::Set(set)) if !guarded.is_empty() => guarded.is_subset(set),
            (guarded, value) => guarded == value,
        })
    }

    /// The answers that could be given, for finding what would change a result. Numbers and dates have none of their own:
    /// the caller adds the values around each comparison.
    pub fn alternatives(&self) -> Vec<Value> {
        match &self.of {
            FactType::Bool => vec![Value::Bool(true), Value::Bool(false)],
            FactType::Number | FactType::Date => vec![Value::None],
            FactType::Enum(values) => values.iter().cloned().map(Value::One).collect(),
            FactType::Set(_) => Vec::new(),
        }
    }
}

impl FactKind {
    /// A kind of fact that is nothing but its name and type, such as the column of a table.
    pub(crate) fn bare(name: &str, of: FactType) -> Self {
        FactKind {
            name: name.to_owned(),
            of,
            question: String::new(),
            serves: Vec::new(),
            guarded: Vec::new(),
            guards: Vec::new(),
            guard_cite: None,
            within: BTreeMap::new(),
            adopts: None,
        }
    }
}

impl Vocabulary {
    /// The vocabulary of these kinds; their names differ.
    pub(crate) fn of(kinds: Vec<FactKind>) -> Self {
        let by_name = kinds.iter().enumerate();
        Vocabulary {
            by_name: by_name.map(|(at, kind)| (kind.name.clone(), at)).collect(),
            kinds,
        }
    }

    /// Reads `packs/facts.toml`.
    pub fn parse(file: &str, text: &str) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        root.only(&["schema", "version", "fact"])?;
        root.need("schema")?.one_of(["alnager.facts/1"])?;
        let mut vocabulary = Vocabulary::default();
        let facts = root.need("fact")?;
        let n_facts = facts.table()?.len();
        if n_facts > FACTS_MAX {
            return Err(facts.wrong(format!(
                "there are {n_facts} facts, and a file may define at most {FACTS_MAX}; remove those that no condition asks"
            )));
        }
        for field in facts.table()? {
            let kind = fact_kind(&field.key, &field.node)?;
            vocabulary
                .by_name
                .insert(kind.name.clone(), vocabulary.kinds.len());
            vocabulary.kinds.push(kind);
        }
        Ok(vocabulary)
    }

    /// Adds the facts a pack brings along, after its own; the same fact said twice is one, two definitions of one name are an
    /// error.
    pub fn merge(&mut self, file: &str, other: Vocabulary) -> Result<(), ReadError> {
        for kind in other.kinds {
            match self.get(&kind.name) {
                Some(known) if *known != kind => return Err(read::clash(file, &kind.name)),
                Some(_) => {}
                None => {
                    self.by_name.insert(kind.name.clone(), self.kinds.len());
                    self.kinds.push(kind);
                }
            }
        }
        Ok(())
    }

    /// The fact kinds in the order of the file.
    pub fn kinds(&self) -> &[FactKind] {
        &self.kinds
    }

    /// The position of a fact.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// A fact by name.
    pub fn get(&self, name: &str) -> Option<&FactKind> {
        self.position(name).map(|at| &self.kinds[at])
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_name.keys().map(String::as_str)
    }
}

fn fact_kind(name: &str, node: &Node) -> Result<FactKind, ReadError> {
    node.only(&[
        "type",
        "values",
        "question",
        "serves",
        "guarded",
        "guard_cite",
        "within",
        "cite",
        "adopts",
    ])?;
    let values = || node.need("values")?.texts();
    let of = match node
        .need("type")?
        .one_of(["bool", "number", "date", "enum", "set"])?
        .as_str()
    {
        "bool" => FactType::Bool,
        "number" => FactType::Number,
        "date" => FactType::Date,
        "enum" => FactType::Enum(values()?),
        _ => FactType::Set(values()?),
    };
    let guarded = node
        .get("guarded")?
        .map(Node::texts)
        .transpose()?
        .unwrap_or_default();
    let guard_cite = node.get("guard_cite")?.map(Node::words).transpose()?;
    if !guarded.is_empty() && guard_cite.is_none() {
        return Err(
            node.wrong("`guarded` needs `guard_cite`: say why these answers must be confirmed")
        );
    }
    let mut within = BTreeMap::new();
    if let Some(table) = node.get("within")? {
        for field in table.table()? {
            within.insert(field.key.clone(), field.node.words()?);
        }
    }
    let mut kind = FactKind {
        name: name.to_owned(),
        of,
        question: node.need("question")?.words()?,
        serves: node.need("serves")?.texts()?,
        guarded,
        guards: Vec::new(),
        guard_cite,
        within,
        adopts: node.get("adopts")?.map(Node::words).transpose()?,
    };
    if let FactType::Set(values) = &kind.of {
        let pairs = kind.within.iter().flat_map(|(inner, outer)| [inner, outer]);
        if let Some(other) = pairs.into_iter().find(|name| !values.contains(name)) {
            return Err(node.wrong(format!("`within` names `{other}`, which is not a value")));
        }
    }
    for text in kind.guarded.iter().filter(|text| *text != "any") {
        let Some(value) = kind.parse(text) else {
            return Err(node.wrong(format!(
                "`guarded` names `{text}`, which is not an answer to this question"
            )));
        };
        kind.guards.push(value);
    }
    Ok(kind)
}

impl Answer {
    /// An answer without provenance, for cases and what-ifs.
    pub fn bare(value: Value) -> Self {
        Answer {
            value,
            by: String::new(),
            on: None,
            basis: String::new(),
            confirmed_by: None,
        }
    }
}

impl Facts {
    /// No answers yet. Guarded answers count only once confirmed.
    pub fn new() -> Self {
        Facts {
            answers: Vec::new(),
            closed_world: false,
            guard: true,
        }
    }

    /// For cases and what-ifs: unlisted facts are false, empty or fail every comparison if `closed_world`, and guarded answers
    /// count without confirmation.
    pub fn hypothetical(closed_world: bool) -> Self {
        Facts {
            answers: Vec::new(),
            closed_world,
            guard: false,
        }
    }

    /// Sets the answer to the fact at `position` of the vocabulary; the same facts with one answer changed.
    pub fn set(&mut self, position: usize, answer: Option<Answer>) {
        if self.answers.len() <= position {
            self.answers.resize(position + 1, None);
        }
        self.answers[position] = answer;
    }

    /// The answer given, whether or not it counts yet.
    pub fn answer(&self, position: usize) -> Option<&Answer> {
        self.answers.get(position).and_then(Option::as_ref)
    }

    /// The answer that counts: unanswered and unconfirmed guarded answers are unknown.
    pub fn counted(&self, vocabulary: &Vocabulary, position: usize) -> Result<&Answer, Unknown> {
        let answer = self.answer(position).ok_or(Unknown::Unanswered)?;
        let waits = self.guard
            && answer.confirmed_by.is_none()
            && vocabulary.kinds[position].is_guarded(&answer.value);
        if waits {
            Err(Unknown::Unconfirmed)
        } else {
            Ok(answer)
        }
    }

    /// Whether unlisted facts count as false or empty.
    pub fn is_closed_world(&self) -> bool {
        self.closed_world
    }
}

#[cfg(test)]
mod tests;
