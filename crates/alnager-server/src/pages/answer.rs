//! Answers to facts: the inputs a question is answered with, and what was sent with them.

use alnager_law::fact::{FactKind, FactType};
use maud::{Markup, html};

use crate::form::Fields;
use crate::page;
use crate::refusal::Refusal;
use crate::words::EN;

/// The field of an answer.
const NAME: &str = "answer";
/// What stands for none of a set's values.
const NONE_OF_THEM: &str = "-";
/// What stands for no number and no day.
const NONE: &str = "none";

/// What is chosen in the inputs where an answer is on record.
pub(super) fn of_record(kind: &FactKind, value: &str) -> Vec<String> {
    match &kind.of {
        FactType::Bool | FactType::Number | FactType::Date | FactType::Enum(_) => {
            vec![value.to_owned()]
        }
        FactType::Set(_) if value.is_empty() => vec![NONE_OF_THEM.to_owned()],
        FactType::Set(_) => value.split(',').map(str::to_owned).collect(),
    }
}

/// What was chosen in the inputs, as sent.
pub(super) fn as_sent(fields: &Fields) -> Vec<String> {
    let sent = fields.all(NAME).filter(|value| !value.is_empty());
    sent.map(str::to_owned).collect()
}

/// The answer sent, in its text form.
pub(super) fn read(kind: &FactKind, fields: &Fields) -> Result<String, Refusal> {
    let words = &EN.answer;
    let sent = as_sent(fields);
    let invalid = |words: &str| Err(Refusal::Invalid(words.to_owned()));
    let text = match (&kind.of, sent.as_slice()) {
        (_, []) => return invalid(words.choose),
        (FactType::Set(_), [only]) if only == NONE_OF_THEM => String::new(),
        (FactType::Set(_), several) if several.iter().any(|one| one == NONE_OF_THEM) => {
            return invalid(words.none_or_some);
        }
        (FactType::Set(_), several) => several.join(","),
        (FactType::Bool | FactType::Enum(_) | FactType::Number | FactType::Date, [one]) => {
            one.clone()
        }
        (FactType::Bool | FactType::Enum(_) | FactType::Number | FactType::Date, _) => {
            return invalid(words.none_or_one);
        }
    };
    match kind.parse(&text) {
        Some(value) => Ok(value.to_text()),
        None => invalid(match kind.of {
            FactType::Number => words.no_number,
            FactType::Date => words.no_day,
            FactType::Bool | FactType::Enum(_) | FactType::Set(_) => words.choose,
        }),
    }
}

/// The inputs under their question.
pub(super) fn inputs(kind: &FactKind, chosen: &[String]) -> Markup {
    let words = &EN.answer;
    let is = |value: &str| chosen.iter().any(|one| one == value);
    html! {
        @match &kind.of {
            FactType::Bool => fieldset {
                legend { (kind.question) }
                (radio("true", words.yes, is("true")))
                (radio("false", words.no, is("false")))
            },
            FactType::Enum(values) => fieldset {
                legend { (kind.question) }
                @for value in values { (radio(value, &shown(value), is(value))) }
            },
            FactType::Set(values) => fieldset {
                legend { (kind.question) }
                p.note { (words.complete) }
                @for value in values { (check(value, &shown(value), is(value))) }
                (check(NONE_OF_THEM, words.none_of_them, is(NONE_OF_THEM)))
            },
            FactType::Number => { (line(kind, "text", Some("decimal"), chosen)) (check(NONE, words.none, is(NONE))) },
            FactType::Date => { (line(kind, "date", None, chosen)) (check(NONE, words.none, is(NONE))) },
        }
    }
}

fn line(kind: &FactKind, of: &str, mode: Option<&str>, chosen: &[String]) -> Markup {
    let value = chosen
        .iter()
        .find(|one| *one != NONE)
        .map_or("", String::as_str);
    // Numbers are on record as `2.5e3`.
    let plain = value
        .parse()
        .ok()
        .filter(|_| of == "text")
        .map(|number: f64| number.to_string());
    html! {
        div.field {
            label for=(NAME) { (kind.question) }
            input type=(of) id=(NAME) name=(NAME) value=(plain.as_deref().unwrap_or(value)) inputmode=[mode];
        }
    }
}

fn radio(value: &str, words: &str, is_chosen: bool) -> Markup {
    boxed("radio", value, words, is_chosen)
}

fn check(value: &str, words: &str, is_chosen: bool) -> Markup {
    boxed("checkbox", value, words, is_chosen)
}

fn boxed(of: &str, value: &str, words: &str, is_chosen: bool) -> Markup {
    let id = format!("{NAME}-{value}");
    html! {
        (page::boxed(of, (&id, NAME, value), words, is_chosen))
    }
}

/// A value as a person reads it.
fn shown(value: &str) -> String {
    value.replace('_', " ")
}

/// An answer on record as a person reads it.
pub(super) fn words(kind: Option<&FactKind>, value: &str) -> String {
    let read = kind.and_then(|kind| kind.parse(value));
    read.map_or_else(|| value.to_owned(), |value| shown(&value.to_string()))
}
