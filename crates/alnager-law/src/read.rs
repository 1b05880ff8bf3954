//! Reads a TOML file so that every complaint names file, line and field.
//!
//! Packs, declarations and policies are all written by people; each is read through [`Node`], which remembers where every value
//! stands. A wrong or missing field ends in a [`ReadError`] with what was expected and the nearest valid name.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use toml::de::{DeTable, DeValue};

/// What was wrong in a file written by a person, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ReadError {
    /// The file's name as the reader was told it.
    pub file: String,
    /// The line, counted from 1; 0 where the complaint is about the whole file.
    pub line: usize,
    /// The dotted path of the field, such as `audit[0].label`; empty for the whole file.
    pub field: String,
    /// What was wrong and what to do, in one sentence.
    pub problem: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, ", field `{}`", self.field)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// The value of one field, with the place it stands at.
#[derive(Debug, Clone)]
pub struct Node {
    file: Arc<str>,
    line: usize,
    path: String,
    item: Item,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Item {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A calendar day.
    Date(Date),
    /// A list.
    List(Vec<Node>),
    /// A table, in the order of the file.
    Table(Vec<Field>),
}

/// One named value of a table.
#[derive(Debug, Clone)]
pub struct Field {
    /// The name.
    pub key: String,
    /// The line the name stands on, counted from 1.
    pub line: usize,
    /// The value.
    pub node: Node,
}

/// Reads a TOML text; a byte-order mark at the start is accepted.
pub fn read(file: &str, text: &str) -> Result<Node, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::new(text);
    let root = DeTable::parse(text).map_err(|error| ReadError {
        file: file.to_owned(),
        line: error.span().map_or(0, |span| lines.of(span.start)),
        field: String::new(),
        problem: format!("this is not TOML: {}", error.message()),
    })?;
    let file: Arc<str> = Arc::from(file);
    let item = Item::Table(fields(&file, &lines, "", root.get_ref())?);
    Ok(Node {
        file,
        line: 0,
        path: String::new(),
        item,
    })
}

/// Maps a byte offset to its line.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Lines(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect(),
        )
    }

    fn of(&self, offset: usize) -> usize {
        self.0.partition_point(|newline| *newline < offset) + 1
    }
}

fn fields(
    file: &Arc<str>,
    lines: &Lines,
    path: &str,
    table: &DeTable<'_>,
) -> Result<Vec<Field>, ReadError> {
    let mut fields = Vec::with_capacity(table.len());
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let inner = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let line = lines.of(key.span().start);
        let node = node(
            file,
            lines,
            inner,
            lines.of(value.span().start).max(line),
            value.get_ref(),
        )?;
        fields.push(Field {
            key: name,
            line,
            node,
        });
    }
    fields.sort_by_key(|field| field.line);
    Ok(fields)
}

fn node(
    file: &Arc<str>,
    lines: &Lines,
    path: String,
    line: usize,
    value: &DeValue<'_>,
) -> Result<Node, ReadError> {
    let wrong = |problem: String| ReadError {
        file: file.to_string(),
        line,
        field: path.clone(),
        problem,
    };
    let item = match value {
        DeValue::String(text) => Item::Text(text.to_string()),
        DeValue::Integer(number) => Item::Integer(
            i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
                wrong(format!(
                    "the number `{number}` is too large; whole numbers here have at most 18 digits"
                ))
            })?,
        ),
        DeValue::Float(number) => Item::Float(
            number
                .as_str()
                .parse()
                .map_err(|_| wrong(format!("`{number}` is not a number")))?,
        ),
        DeValue::Boolean(yes) => Item::Bool(*yes),
        DeValue::Datetime(at) => match (at.date, at.time) {
            (Some(date), None) => Item::Date(
                Date::new(date.year as i16, date.month as i8, date.day as i8)
                    .map_err(|_| wrong(format!("`{at}` is not a day of the calendar")))?,
            ),
            _ => {
                return Err(wrong(format!(
                    "`{at}` is not a day; write it as 2026-11-23"
                )));
            }
        },
        DeValue::Array(list) => {
            let mut nodes = Vec::with_capacity(list.len());
            for (index, value) in list.iter().enumerate() {
                let line = lines.of(value.span().start).max(line);
                nodes.push(node(
                    file,
                    lines,
                    format!("{path}[{index}]"),
                    line,
                    value.get_ref(),
                )?);
            }
            Item::List(nodes)
        }
        DeValue::Table(table) => Item::Table(fields(file, lines, &path, table)?),
    };
    Ok(Node {
        file: file.clone(),
        line,
        path,
        item,
    })
}

impl Node {
    /// What the field holds.
    pub fn item(&self) -> &Item {
        &self.item
    }

    /// The line the value stands on, counted from 1 (0 for the whole file).
    pub fn line(&self) -> usize {
        self.line
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// A complaint about this value.
    pub fn wrong(&self, problem: impl Into<String>) -> ReadError {
        ReadError {
            file: self.file.to_string(),
            line: self.line,
            field: self.path.clone(),
            problem: problem.into(),
        }
    }

    fn expected(&self, what: &str) -> ReadError {
        let found = match &self.item {
            Item::Text(text) => format!("the text `{}`", shorten(text)),
            Item::Integer(number) => format!("the number {number}"),
            Item::Float(number) => format!("the number {number}"),
            Item::Bool(yes) => format!("`{yes}`"),
            Item::Date(date) => format!("the date {date}"),
            Item::List(_) => "a list".to_owned(),
            Item::Table(_) => "a table".to_owned(),
        };
        self.wrong(format!("expected {what}, found {found}"))
    }

    /// The fields of a table, in the order of the file.
    pub fn table(&self) -> Result<&[Field], ReadError> {
        match &self.item {
            Item::Table(fields) => Ok(fields),
            _ => Err(self.expected("a table")),
        }
    }

    /// The field `key` of a table, if it is there.
    pub fn get(&self, key: &str) -> Result<Option<&Node>, ReadError> {
        Ok(self
            .table()?
            .iter()
            .find(|field| field.key == key)
            .map(|field| &field.node))
    }

    /// The field `key` of a table; an error when it is missing.
    pub fn need(&self, key: &str) -> Result<&Node, ReadError> {
        self.get(key)?
            .ok_or_else(|| self.wrong(format!("the field `{key}` is missing")))
    }

    /// Refuses fields outside `known`, naming the nearest valid one.
    pub fn only(&self, known: &[&str]) -> Result<(), ReadError> {
        for field in self.table()? {
            if !known.contains(&field.key.as_str()) {
                let hint = nearest(&field.key, known.iter().copied());
                return Err(ReadError {
                    file: self.file.to_string(),
                    line: field.line,
                    field: field.node.path.clone(),
                    problem: format!("there is no field `{}` here; {hint}", field.key),
                });
            }
        }
        Ok(())
    }

    /// A text.
    pub fn text(&self) -> Result<String, ReadError> {
        match &self.item {
            Item::Text(text) => Ok(text.clone()),
            _ => Err(self.expected("a text in quotes")),
        }
    }

    /// A text that is not blank.
    pub fn words(&self) -> Result<String, ReadError> {
        let text = self.text()?;
        if text.trim().is_empty() {
            Err(self.wrong("this must not be empty"))
        } else {
            Ok(text)
        }
    }

    /// One of `values`; the nearest is named when it is none of them.
    pub fn one_of<'v>(
        &self,
        values: impl IntoIterator<Item = &'v str> + Clone,
    ) -> Result<String, ReadError> {
        let text = self.text()?;
        if values.clone().into_iter().any(|value| value == text) {
            return Ok(text);
        }
        Err(self.wrong(format!(
            "`{}` is not a valid value; {}",
            shorten(&text),
            nearest(&text, values)
        )))
    }

    /// True or false.
    pub fn bool(&self) -> Result<bool, ReadError> {
        match self.item {
            Item::Bool(yes) => Ok(yes),
            _ => Err(self.expected("true or false, without quotes")),
        }
    }

    /// A whole number.
    pub fn integer(&self) -> Result<i64, ReadError> {
        match self.item {
            Item::Integer(number) => Ok(number),
            _ => Err(self.expected("a whole number")),
        }
    }

    /// A finite number.
    pub fn number(&self) -> Result<f64, ReadError> {
        match self.item {
            Item::Integer(number) => Ok(number as f64),
            Item::Float(number) if number.is_finite() => Ok(number),
            _ => Err(self.expected("a number")),
        }
    }

    /// A day, written without quotes.
    pub fn date(&self) -> Result<Date, ReadError> {
        match self.item {
            Item::Date(date) => Ok(date),
            _ => Err(self.expected("a day such as 2026-11-23, without quotes")),
        }
    }

    /// A list.
    pub fn list(&self) -> Result<&[Node], ReadError> {
        match &self.item {
            Item::List(nodes) => Ok(nodes),
            _ => Err(self.expected("a list")),
        }
    }

    /// Reads each item of the list under `key`; nothing where there is no such list.
    pub fn each<T>(
        &self,
        key: &str,
        read: impl Fn(&Node) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        match self.get(key)? {
            Some(node) => node.list()?.iter().map(read).collect(),
            None => Ok(Vec::new()),
        }
    }

    /// A list of texts.
    pub fn texts(&self) -> Result<Vec<String>, ReadError> {
        self.list()?.iter().map(Node::text).collect()
    }
}

/// Says which of `known` a mistyped word most likely meant, or lists them when they are few.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let wanted = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted, &name.to_lowercase());
    // A word inside a name, or a name inside a word, says more than a few letters exchanged.
    let holds = |name: &&&str| {
        let name = name.to_lowercase();
        wanted.len() > 2 && name.len() > 2 && (name.contains(&wanted) || wanted.contains(&name))
    };
    let close = known.iter().copied().min_by_key(|name| distance(name));
    let close = close.filter(|name| distance(name) <= (name.len().min(word.len()) / 3).max(1));
    let inside = || {
        known
            .iter()
            .filter(holds)
            .min_by_key(|name| name.len())
            .copied()
    };
    match close.or_else(inside) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "nothing is valid here".to_owned(),
        None if known.len() <= 20 => format!("valid are `{}`", known.join("`, `")),
        None => {
            let name = known.iter().min_by_key(|name| distance(name)).copied();
            format!(
                "the nearest of {} valid names is `{}`",
                known.len(),
                name.unwrap_or_default()
            )
        }
    }
}

/// A pack defines what is already defined otherwise.
pub(crate) fn clash(file: &str, name: &str) -> ReadError {
    ReadError {
        file: file.to_owned(),
        line: 0,
        field: String::new(),
        problem: format!(
            "`{name}` is already defined, and otherwise; use it as it is, or give yours another name"
        ),
    }
}

/// At most 60 characters of a text, for a message.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(text: &str, act: impl Fn(&Node) -> Result<(), ReadError>, want: Expect) {
        let seen = match read("system.toml", text).and_then(|node| act(&node)) {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        want.assert_eq(&seen);
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        check(
            "id = \"a\"\nname = ",
            |_| Ok(()),
            expect![
                "system.toml, line 2: this is not TOML: string values must be quoted, expected literal string"
            ],
        );
    }

    #[test]
    fn an_unknown_field_names_the_nearest() {
        check(
            "id = 'a'\n\nowmer = 'b'",
            |node| node.only(&["id", "owner"]),
            expect![
                "system.toml, line 3, field `owmer`: there is no field `owmer` here; did you mean `owner`?"
            ],
        );
    }

    #[test]
    fn a_wrong_type_says_what_it_found() {
        check(
            "[a]\nb = \"yes\"",
            |node| node.need("a")?.need("b")?.bool().map(drop),
            expect![
                "system.toml, line 2, field `a.b`: expected true or false, without quotes, found the text `yes`"
            ],
        );
    }

    #[test]
    fn a_missing_field_names_the_table() {
        check(
            "[[audit]]\nname = 'x'",
            |node| node.need("audit")?.list()?[0].need("label").map(drop),
            expect!["system.toml, line 1, field `audit[0]`: the field `label` is missing"],
        );
    }

    #[test]
    fn a_byte_order_mark_is_accepted() {
        check(
            "\u{feff}id = 'a'",
            |node| node.need("id")?.text().map(drop),
            expect!["ok"],
        );
    }
}
