//! Conditions: a small, total, three-valued rule language (a typed subset of CEL, see `docs/formats/law-pack.md`).
//!
//! Truth follows Kleene's strong logic: unknown `&&` false is false, unknown `||` true is true; everything else that touches
//! unknown stays unknown. Source: S. C. Kleene, *Introduction to Metamathematics* (1952), § 64.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use crate::fact::{FactKind, FactType, Facts, Unknown, Value, Vocabulary};
use crate::read::nearest;

/// The three answers of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not hold.
    False,
    /// Facts that decide it are missing.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Kleene's `and`.
    pub fn and(self, other: Truth) -> Truth {
        self.min(other)
    }

    /// Kleene's `or`.
    pub fn or(self, other: Truth) -> Truth {
        self.max(other)
    }

    /// Kleene's `not`.
    #[expect(
        clippy::should_implement_trait,
        reason = "reads as the logic's own word"
    )]
    pub fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Truth::True } else { Truth::False }
    }
}

/// How two numbers or days are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A parsed and typed condition. Facts and derived facts are positions in the vocabulary and in the book.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// `true` or `false`.
    Constant(bool),
    /// All hold.
    All(Vec<Rule>),
    /// One holds.
    Any(Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
    /// A question about one fact.
    Atom(Atom),
    /// A derived fact.
    Derived(usize),
}

/// A question about one fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom {
    /// Position of the fact in the vocabulary.
    pub fact: usize,
    /// What is asked of it.
    pub test: Test,
}

/// What an atom asks of its fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A bool fact is true.
    IsTrue,
    /// A set fact holds at least one of these.
    HasAny(Vec<String>),
    /// An enum fact is one of these.
    IsOneOf(Vec<String>),
    /// An enum fact is not this.
    IsNot(String),
    /// A number fact compares so.
    Number(Comparison, f64),
    /// A date fact compares so.
    Date(Comparison, Date),
}

/// Names a rule may use.
pub struct Names<'a> {
    /// The facts.
    pub vocabulary: &'a Vocabulary,
    /// Derived facts by name, with their position in the book.
    pub derived: &'a BTreeMap<String, usize>,
}

/// What was wrong with a condition, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("in the condition `{text}`, at character {at}: {problem}")]
pub struct RuleError {
    /// The condition.
    pub text: String,
    /// The character, counted from 1.
    pub at: usize,
    /// What was wrong and what to do.
    pub problem: String,
}

/// Parses and types a condition.
pub fn parse(text: &str, names: &Names<'_>) -> Result<Rule, RuleError> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        names,
        depth: 0,
    };
    let rule = parser.any()?;
    match parser.peek() {
        None => Ok(rule),
        Some(token) => Err(parser.wrong(format!(
            "`{token}` is not expected here; join conditions with `&&` or `||`"
        ))),
    }
}

/// Parses a condition over the columns of a table instead of the facts of a system; gives the vocabulary it was typed with.
///
/// What a column holds follows from how it is asked: `age >= 40` is a number, `status == 'open'` or `status in ['a', 'b']` a
/// text, `seen < date('2026-08-02')` a day, and a column alone is true or false. A column asked in two ways is refused. A name
/// with other signs than letters, digits and `_` stands in backticks.
pub fn over_columns(text: &str) -> Result<(Rule, Vocabulary), RuleError> {
    let tokens = tokens(text)?;
    let texts: Vec<String> = tokens
        .iter()
        .filter_map(|(_, token)| match token {
            Token::Text(text) => Some(text.clone()),
            Token::Name(_) | Token::Number(_) | Token::Mark(_) => None,
        })
        .collect();
    let mut kinds: Vec<FactKind> = Vec::new();
    for (place, (at, token)) in tokens.iter().enumerate() {
        let Token::Name(name) = token else { continue };
        if WORDS.contains(&name.as_str()) {
            continue;
        }
        let of = column_type(&tokens[place + 1..], &texts);
        match kinds.iter().find(|kind| kind.name == *name) {
            None => kinds.push(FactKind::bare(name, of)),
            Some(kind) if kind.of == of => {}
            Some(_) => {
                return Err(RuleError {
                    text: text.to_owned(),
                    at: at + 1,
                    problem: format!(
                        "`{name}` is asked in two ways; compare a column with numbers, texts or days throughout"
                    ),
                });
            }
        }
    }
    let vocabulary = Vocabulary::of(kinds);
    let names = Names {
        vocabulary: &vocabulary,
        derived: &BTreeMap::new(),
    };
    let rule = parse(text, &names)?;
    Ok((rule, vocabulary))
}

/// Words of the language that are no names of facts or columns.
const WORDS: [&str; 5] = ["in", "has_any", "date", "true", "false"];

/// What a column holds, by what stands after its name.
fn column_type(after: &[(usize, Token)], texts: &[String]) -> FactType {
    let token = |at: usize| after.get(at).map(|(_, token)| token);
    match (token(0), token(1)) {
        (Some(Token::Name(word)), _) if word == "in" => FactType::Enum(texts.to_vec()),
        (Some(Token::Mark("==" | "!=" | "<" | "<=" | ">" | ">=")), compared) => match compared {
            Some(Token::Number(_) | Token::Mark("-")) => FactType::Number,
            Some(Token::Name(word)) if word == "date" => FactType::Date,
            Some(Token::Text(_) | Token::Name(_) | Token::Mark(_)) | None => {
                FactType::Enum(texts.to_vec())
            }
        },
        (Some(Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Mark(_)) | None, _) => {
            FactType::Bool
        }
    }
}

/// The names in a condition, facts or not; empty where it does not read.
pub(crate) fn names_in(text: &str) -> Vec<String> {
    let tokens = tokens(text).unwrap_or_default().into_iter();
    let name = |(_, token)| match token {
        Token::Name(name) => Some(name),
        Token::Text(_) | Token::Number(_) | Token::Mark(_) => None,
    };
    tokens.filter_map(name).collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Mark(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Name(name) => write!(f, "{name}"),
            Token::Text(text) => write!(f, "'{text}'"),
            Token::Number(number) => write!(f, "{number}"),
            Token::Mark(mark) => write!(f, "{mark}"),
        }
    }
}

const MARKS: [&str; 15] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", "-",
];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, RuleError> {
    let wrong = |at: usize, problem: String| RuleError {
        text: text.to_owned(),
        at: at + 1,
        problem,
    };
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            at += 1;
        } else if byte == b'\'' || byte == b'"' {
            let end = text[at + 1..]
                .find(byte as char)
                .ok_or_else(|| wrong(at, "the text in quotes has no end".to_owned()))?;
            tokens.push((start, Token::Text(text[at + 1..at + 1 + end].to_owned())));
            at += end + 2;
        } else if byte == b'`' {
            let end = text[at + 1..]
                .find('`')
                .ok_or_else(|| wrong(at, "the name in backticks has no end".to_owned()))?;
            tokens.push((start, Token::Name(text[at + 1..at + 1 + end].to_owned())));
            at += end + 2;
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                at += 1;
            }
            tokens.push((start, Token::Name(text[start..at].to_owned())));
        } else if byte.is_ascii_digit() {
            while at < bytes.len()
                && (bytes[at].is_ascii_alphanumeric()
                    || bytes[at] == b'.'
                    || (matches!(bytes[at], b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E')))
            {
                at += 1;
            }
            let number = text[start..at]
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite());
            let number = number.ok_or_else(|| {
                wrong(
                    start,
                    format!(
                        "`{}` is not a number; write a date as date('2026-08-02')",
                        &text[start..at]
                    ),
                )
            })?;
            tokens.push((start, Token::Number(number)));
        } else if let Some(mark) = MARKS.iter().find(|mark| text[at..].starts_with(**mark)) {
            tokens.push((start, Token::Mark(mark)));
            at += mark.len();
        } else {
            let shown = text[at..].chars().next().unwrap_or(' ');
            return Err(wrong(
                at,
                format!("the character `{shown}` has no meaning in a condition"),
            ));
        }
    }
    Ok(tokens)
}

/// Deeper nesting than any law needs; keeps a hostile pack from exhausting the stack.
const DEPTH_MAX: usize = 64;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    at: usize,
    names: &'a Names<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).map(|(_, token)| token.clone());
        self.at += 1;
        token
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(found)) if *found == mark);
        if found {
            self.at += 1;
        }
        found
    }

    fn need(&mut self, mark: &str) -> Result<(), RuleError> {
        if self.take(mark) {
            Ok(())
        } else {
            Err(self.wrong(format!("`{mark}` is expected here")))
        }
    }

    fn wrong(&self, problem: String) -> RuleError {
        let at = self
            .tokens
            .get(self.at)
            .map_or(self.text.len(), |(at, _)| *at);
        RuleError {
            text: self.text.to_owned(),
            at: at + 1,
            problem,
        }
    }

    fn any(&mut self) -> Result<Rule, RuleError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong(format!(
                "parentheses are nested more than {DEPTH_MAX} deep; name a part with `derive`"
            )));
        }
        let mut rules = vec![self.all()?];
        while self.take("||") {
            rules.push(self.all()?);
        }
        self.depth -= 1;
        Ok(single(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, RuleError> {
        let mut rules = vec![self.not()?];
        while self.take("&&") {
            rules.push(self.not()?);
        }
        Ok(single(rules, Rule::All))
    }

    fn not(&mut self) -> Result<Rule, RuleError> {
        let mut negated = false;
        while self.take("!") {
            negated = !negated;
        }
        let rule = self.atom()?;
        Ok(if negated {
            Rule::Not(Box::new(rule))
        } else {
            rule
        })
    }

    fn atom(&mut self) -> Result<Rule, RuleError> {
        if self.take("(") {
            let rule = self.any()?;
            self.need(")")?;
            return Ok(rule);
        }
        match self.peek().cloned() {
            Some(Token::Text(value)) => {
                self.at += 1;
                match self.next() {
                    Some(Token::Name(word)) if word == "in" => {}
                    _ => {
                        self.at -= 1;
                        return Err(
                            self.wrong(format!("`in` and a set fact are expected after '{value}'"))
                        );
                    }
                }
                let fact = self.fact()?;
                self.set_atom(fact, vec![value])
            }
            Some(Token::Name(name)) if name == "has_any" => {
                self.at += 1;
                self.need("(")?;
                let fact = self.fact()?;
                self.need(",")?;
                let values = self.values()?;
                self.need(")")?;
                self.set_atom(fact, values)
            }
            Some(Token::Name(name)) if name == "true" || name == "false" => {
                self.at += 1;
                Ok(Rule::Constant(name == "true"))
            }
            Some(Token::Name(name)) => {
                if let Some(derived) = self.names.derived.get(&name) {
                    self.at += 1;
                    return Ok(Rule::Derived(*derived));
                }
                let fact = self.fact()?;
                self.fact_atom(fact)
            }
            Some(token) => Err(self.wrong(format!("`{token}` is not expected here; a fact is"))),
            None => Err(self.wrong("the condition ends where a fact is expected".to_owned())),
        }
    }

    fn fact(&mut self) -> Result<usize, RuleError> {
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Err(self.wrong("the name of a fact is expected here".to_owned()));
        };
        let Some(fact) = self.names.vocabulary.position(&name) else {
            let known = self
                .names
                .vocabulary
                .names()
                .chain(self.names.derived.keys().map(String::as_str));
            return Err(self.wrong(format!(
                "there is no fact `{name}`; {}",
                nearest(&name, known)
            )));
        };
        self.at += 1;
        Ok(fact)
    }

    fn values(&mut self) -> Result<Vec<String>, RuleError> {
        self.need("[")?;
        let mut values = Vec::new();
        loop {
            match self.next() {
                Some(Token::Text(value)) => values.push(value),
                _ => {
                    self.at -= 1;
                    return Err(self.wrong("a value in quotes is expected here".to_owned()));
                }
            }
            if !self.take(",") {
                break;
            }
        }
        self.need("]")?;
        Ok(values)
    }

    fn of(&self, fact: usize) -> (&str, &FactType) {
        let kind = &self.names.vocabulary.kinds()[fact];
        (&kind.name, &kind.of)
    }

    fn known(&self, fact: usize, allowed: &[String], values: &[String]) -> Result<(), RuleError> {
        match values.iter().find(|value| !allowed.contains(value)) {
            None => Ok(()),
            Some(value) => Err(self.wrong(format!(
                "`{value}` is not a value of `{}`; {}",
                self.of(fact).0,
                nearest(value, allowed.iter().map(String::as_str))
            ))),
        }
    }

    fn set_atom(&self, fact: usize, values: Vec<String>) -> Result<Rule, RuleError> {
        match self.of(fact) {
            (_, FactType::Set(allowed)) => {
                self.known(fact, allowed, &values)?;
                Ok(Rule::Atom(Atom {
                    fact,
                    test: Test::HasAny(values),
                }))
            }
            (name, _) => Err(self.wrong(format!("`{name}` is not a set"))),
        }
    }

    fn fact_atom(&mut self, fact: usize) -> Result<Rule, RuleError> {
        let of = self.of(fact).1.clone();
        let test = match of {
            FactType::Bool => Test::IsTrue,
            FactType::Enum(allowed) => self.enum_test(fact, &allowed)?,
            FactType::Number => {
                let comparison = self.comparison(fact)?;
                let negative = self.take("-");
                match self.next() {
                    Some(Token::Number(number)) => {
                        Test::Number(comparison, if negative { -number } else { number })
                    }
                    _ => {
                        self.at -= 1;
                        return Err(self.wrong("a number is expected here".to_owned()));
                    }
                }
            }
            FactType::Date => {
                let comparison = self.comparison(fact)?;
                Test::Date(comparison, self.date()?)
            }
            FactType::Set(_) => {
                let name = self.of(fact).0;
                return Err(self.wrong(format!(
                    "`{name}` is a set; write 'value' in {name} or has_any({name}, ['a', 'b'])"
                )));
            }
        };
        Ok(Rule::Atom(Atom { fact, test }))
    }

    fn enum_test(&mut self, fact: usize, allowed: &[String]) -> Result<Test, RuleError> {
        if matches!(self.peek(), Some(Token::Name(word)) if word == "in") {
            self.at += 1;
            let values = self.values()?;
            self.known(fact, allowed, &values)?;
            return Ok(Test::IsOneOf(values));
        }
        let equal = self.take("==");
        if !equal && !self.take("!=") {
            let name = self.of(fact).0;
            return Err(self.wrong(format!(
                "`{name}` has several values; write {name} == 'a' or {name} in ['a', 'b']"
            )));
        }
        match self.next() {
            Some(Token::Text(value)) => {
                self.known(fact, allowed, std::slice::from_ref(&value))?;
                Ok(if equal {
                    Test::IsOneOf(vec![value])
                } else {
                    Test::IsNot(value)
                })
            }
            _ => {
                self.at -= 1;
                Err(self.wrong("a value in quotes is expected here".to_owned()))
            }
        }
    }

    fn comparison(&mut self, fact: usize) -> Result<Comparison, RuleError> {
        for (mark, comparison) in COMPARISONS {
            if self.take(mark) {
                return Ok(comparison);
            }
        }
        let name = self.of(fact).0;
        Err(self.wrong(format!(
            "a comparison such as `<` is expected after `{name}`"
        )))
    }

    fn date(&mut self) -> Result<Date, RuleError> {
        let call = matches!(self.peek(), Some(Token::Name(name)) if name == "date");
        if !call {
            return Err(self.wrong("a day such as date('2026-08-02') is expected here".to_owned()));
        }
        self.at += 1;
        self.need("(")?;
        let date = match self.next() {
            Some(Token::Text(text)) => text.parse().map_err(|_| {
                self.at -= 1;
                self.wrong(format!("`{text}` is not a day of the calendar"))
            })?,
            _ => {
                self.at -= 1;
                return Err(self.wrong("a day in quotes is expected here".to_owned()));
            }
        };
        self.need(")")?;
        Ok(date)
    }
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

fn single(mut rules: Vec<Rule>, many: impl FnOnce(Vec<Rule>) -> Rule) -> Rule {
    if rules.len() == 1 {
        rules.remove(0)
    } else {
        many(rules)
    }
}

impl Comparison {
    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::More => left > right,
            Comparison::AtLeast => left >= right,
        }
    }

    /// The comparison in the language.
    pub fn mark(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
        }
    }
}

impl Atom {
    /// Whether the atom holds; the reason where it is unknown.
    pub fn truth(&self, facts: &Facts, vocabulary: &Vocabulary) -> Result<bool, Unknown> {
        let answer = match facts.counted(vocabulary, self.fact) {
            Ok(answer) => answer,
            // Closed world: what is not listed is false, empty, or fails every comparison.
            Err(Unknown::Unanswered) if facts.is_closed_world() => return Ok(false),
            Err(unknown) => return Err(unknown),
        };
        Ok(self.holds(&answer.value))
    }

    /// Whether it holds for a known value.
    pub fn holds(&self, value: &Value) -> bool {
        match (&self.test, value) {
            (Test::IsTrue, Value::Bool(yes)) => *yes,
            (Test::HasAny(values), Value::Set(set)) => {
                values.iter().any(|value| set.contains(value))
            }
            (Test::IsOneOf(values), Value::One(one)) => values.contains(one),
            (Test::IsNot(value), Value::One(one)) => value != one,
            (Test::Number(comparison, limit), Value::Number(number)) => {
                comparison.holds(number, limit)
            }
            (Test::Date(comparison, limit), Value::Date(date)) => comparison.holds(date, limit),
            // `none` fails every comparison; a value of another type cannot get past the door.
            (
                Test::IsTrue
                | Test::HasAny(_)
                | Test::IsOneOf(_)
                | Test::IsNot(_)
                | Test::Number(..)
                | Test::Date(..),
                _,
            ) => false,
        }
    }

    /// The atom in the language.
    pub fn text(&self, vocabulary: &Vocabulary) -> String {
        let name = &vocabulary.kinds()[self.fact].name;
        let list = |values: &[String]| format!("['{}']", values.join("', '"));
        match &self.test {
            Test::IsTrue => name.clone(),
            Test::HasAny(values) if values.len() == 1 => format!("'{}' in {name}", values[0]),
            Test::HasAny(values) => format!("has_any({name}, {})", list(values)),
            Test::IsOneOf(values) if values.len() == 1 => format!("{name} == '{}'", values[0]),
            Test::IsOneOf(values) => format!("{name} in {}", list(values)),
            Test::IsNot(value) => format!("{name} != '{value}'"),
            Test::Number(comparison, number) => format!("{name} {} {number:e}", comparison.mark()),
            Test::Date(comparison, date) => format!("{name} {} date('{date}')", comparison.mark()),
        }
    }
}

impl Rule {
    /// The rule in the language; `derived` gives the names of derived facts.
    pub fn text(&self, vocabulary: &Vocabulary, derived: &dyn Fn(usize) -> String) -> String {
        let join = |rules: &[Rule], mark: &str| {
            let inner = |rule: &Rule| match rule {
                Rule::Any(_) | Rule::All(_) => format!("({})", rule.text(vocabulary, derived)),
                Rule::Constant(_) | Rule::Not(_) | Rule::Atom(_) | Rule::Derived(_) => {
                    rule.text(vocabulary, derived)
                }
            };
            rules.iter().map(inner).collect::<Vec<_>>().join(mark)
        };
        match self {
            Rule::Constant(yes) => yes.to_string(),
            Rule::All(rules) => join(rules, " && "),
            Rule::Any(rules) => join(rules, " || "),
            Rule::Not(rule) => format!("!{}", join(std::slice::from_ref(rule), "")),
            Rule::Atom(atom) => atom.text(vocabulary),
            Rule::Derived(at) => derived(*at),
        }
    }

    /// Calls `visit` for every atom and derived fact in it.
    pub fn leaves(&self, visit: &mut dyn FnMut(&Rule)) {
        match self {
            Rule::Constant(_) => {}
            Rule::All(rules) | Rule::Any(rules) => rules.iter().for_each(|rule| rule.leaves(visit)),
            Rule::Not(rule) => rule.leaves(visit),
            Rule::Atom(_) | Rule::Derived(_) => visit(self),
        }
    }
}

#[cfg(test)]
mod tests;
