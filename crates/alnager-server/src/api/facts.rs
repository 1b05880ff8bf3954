//! Facts: answered, and confirmed by somebody outside the building team.

use std::collections::BTreeMap;

use alnager_law::fact::Value;
use alnager_office::decide::Command;
use alnager_office::declaration::DeclaredFact;
use alnager_office::system::{Fact as KnownFact, NewAnswer as Answer, System};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Value as Item;
use utoipa::ToSchema;

use crate::api::ask::Asked;
use crate::api::shape::Person;
use crate::api::systems;
use crate::at::At;
use crate::refusal::Refusal;

/// An answer: yes or no, a number, a text (a day, or a word of an enum; `none` where there is none), or the words of a set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum FactValue {
    /// Yes or no.
    Truth(bool),
    /// A number.
    Number(f64),
    /// A day, a word, or `none`.
    Text(String),
    /// Words of a set.
    Words(Vec<String>),
}

impl FactValue {
    /// An answer in the text form of the office.
    fn text(self) -> String {
        match self {
            FactValue::Truth(truth) => truth.to_string(),
            FactValue::Number(number) => Value::Number(number).to_text(),
            FactValue::Text(text) => text,
            FactValue::Words(words) => words.join(","),
        }
    }

    /// An answer as TOML has it.
    pub(super) fn item(self) -> Item {
        match self {
            FactValue::Truth(truth) => Item::from(truth),
            FactValue::Number(number) => match whole(number) {
                Some(whole) => Item::from(whole),
                None => Item::from(number),
            },
            FactValue::Text(text) => match text.parse::<Date>() {
                Ok(day) if day.to_string() == text => {
                    text.parse().map_or(Item::from(text), Item::Datetime)
                }
                Ok(_) | Err(_) => Item::from(text),
            },
            FactValue::Words(words) => Item::from(words),
        }
    }

    /// The answer that a text form stands for; the text itself where the law in use knows no such fact any more.
    fn of(at: &At, fact: &str, text: &str) -> FactValue {
        let kind = at.moment.library.book.vocabulary.get(fact);
        match kind.and_then(|kind| kind.parse(text)) {
            Some(Value::Bool(truth)) => FactValue::Truth(truth),
            Some(Value::Number(number)) => FactValue::Number(number),
            Some(Value::Set(words)) => FactValue::Words(words.into_iter().collect()),
            Some(Value::Date(_) | Value::One(_) | Value::None) | None => {
                FactValue::Text(text.to_owned())
            }
        }
    }
}

/// A number without a fraction, as long as it is exact.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// A fact of a system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Fact {
    /// Its name.
    fact: String,
    /// The answer that stands.
    value: FactValue,
    /// Who answered.
    by: Person,
    /// When.
    on: Date,
    /// On what basis.
    basis: String,
    /// Who outside the building team confirmed it.
    confirmed_by: Option<Person>,
    /// Another answer, proposed in place of a confirmed one.
    proposal: Option<Proposal>,
    /// The entry that last changed any of this.
    set_at: u64,
}

/// An answer that is proposed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Proposal {
    /// The answer.
    value: FactValue,
    /// Who gave it.
    by: Person,
    /// When.
    on: Date,
    /// On what basis.
    basis: String,
}

impl Fact {
    /// Every fact of a system.
    pub(super) fn all(at: &At, system: &System) -> Vec<Fact> {
        let facts = system.facts.iter();
        facts.map(|(name, fact)| Fact::of(at, name, fact)).collect()
    }

    fn of(at: &At, name: &str, fact: &KnownFact) -> Fact {
        let answer = &fact.answer;
        let proposal = |proposed: &DeclaredFact| Proposal {
            value: FactValue::of(at, name, &proposed.value),
            by: Person::of(at, &proposed.by),
            on: proposed.on,
            basis: proposed.basis.clone(),
        };
        Fact {
            fact: name.to_owned(),
            value: FactValue::of(at, name, &answer.value),
            by: Person::of(at, &answer.by),
            on: answer.on,
            basis: answer.basis.clone(),
            confirmed_by: fact.confirmed_by.as_ref().map(|by| Person::of(at, by)),
            proposal: fact.proposal.as_ref().map(proposal),
            set_at: fact.set_at,
        }
    }
}

/// Facts of a system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Facts {
    /// The facts that were answered.
    facts: Vec<Fact>,
}

/// Answers to facts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAnswers {
    /// The answers.
    #[schema(min_items = 1)]
    answers: Vec<NewAnswer>,
    /// For each fact that was looked at, its `set_at` then, or `null` where it had no answer: where it is another one now, nothing is
    /// entered.
    seen: Option<BTreeMap<String, Option<u64>>>,
}

/// An answer to a fact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAnswer {
    /// The fact.
    fact: String,
    /// The answer.
    value: FactValue,
    /// On what basis.
    #[schema(min_length = 1)]
    basis: String,
}

/// A confirmation of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConfirmation {
    /// The answer confirmed; without it the proposed one, or else the one that stands.
    value: Option<FactValue>,
    /// On what basis.
    #[schema(min_length = 1)]
    basis: String,
}

/// Answers facts.
pub(super) async fn answer(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("system").to_owned();
    let new: NewAnswers = asked.json()?;
    asked.check_match(&systems::tag(&asked.at, &id)?)?;
    let names: Vec<String> = new.answers.iter().map(|one| one.fact.clone()).collect();
    let answers = new.answers.into_iter().map(|one| Answer {
        fact: one.fact,
        value: one.value.text(),
        basis: one.basis,
    });
    let command = Command::AnswerFacts {
        system: id.clone(),
        answers: answers.collect(),
        expected: new.seen.unwrap_or_default().into_iter().collect(),
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let system = at.state().systems.get(&id).ok_or(Refusal::NotFound)?;
    let mut facts = Fact::all(&at, system);
    facts.retain(|fact| names.contains(&fact.fact));
    asked.written(StatusCode::CREATED, &receipt, Facts { facts })
}

/// Confirms an answer.
pub(super) async fn confirm(asked: Asked) -> Result<Response, Refusal> {
    let id = asked.at.named("system").to_owned();
    let fact = asked.at.named("fact").to_owned();
    let new: NewConfirmation = asked.json()?;
    asked.check_match(&systems::tag(&asked.at, &id)?)?;
    let kind = asked.at.moment.library.book.vocabulary.get(&fact);
    let value = new.value.map(FactValue::text);
    // A number may be written in more than one way.
    let value = value.map(|text| {
        let known = kind.and_then(|kind| kind.parse(&text));
        known.map_or(text, |value| value.to_text())
    });
    let command = Command::ConfirmFact {
        system: id.clone(),
        fact: fact.clone(),
        value,
        basis: new.basis,
    };
    let receipt = asked.enter(command).await?;
    let at = asked.at.again();
    let system = at.state().systems.get(&id).ok_or(Refusal::NotFound)?;
    let known = system.facts.get(&fact).ok_or(Refusal::NotFound)?;
    asked.written(StatusCode::OK, &receipt, Fact::of(&at, &fact, known))
}
