//! Systems: declared and answered facts, which of them are confirmed, and what was last decided.

use alnager_law::book::Book;
use alnager_law::fact::{Answer, FactKind, FactType, Facts, Value};
use alnager_law::read::nearest;
use imbl::{OrdMap, OrdSet};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::Counsel;
use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::declaration::{Declaration, DeclaredFact};
use crate::event::Event;
use crate::gate::Gate;

/// A system was declared, or declared anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemDeclared {
    /// The system's id as a subject of entries; the same in every declaration of the system.
    pub subject: String,
    /// The declaration, people as ids.
    pub declaration: Declaration,
}

/// Someone answered a fact outside a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactAnswered {
    /// The system.
    pub system: String,
    /// The fact.
    pub fact: String,
    /// The answer, in its text form.
    pub value: String,
    /// Who answered.
    pub by: String,
    /// When.
    pub on: Date,
    /// On what basis.
    pub basis: String,
}

/// Someone outside the building team confirmed a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactConfirmed {
    /// The system.
    pub system: String,
    /// The fact.
    pub fact: String,
    /// The answer confirmed, in its text form.
    pub value: String,
    /// Who confirmed it.
    pub by: String,
    /// When.
    pub on: Date,
    /// On what basis.
    pub basis: String,
}

/// A system as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// Its id as a subject of entries.
    pub subject: String,
    /// The latest declaration.
    pub declaration: Declaration,
    /// Everyone who was ever declared to build it; leaving the team does not make an outsider.
    pub builders: OrdSet<String>,
    /// The facts, by name.
    pub facts: OrdMap<String, Fact>,
    /// The entry that declared it last.
    pub declared_at: u64,
    /// The latest review, if there was one.
    pub review: Option<LastReview>,
}

/// A fact as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The answer that stands.
    pub answer: DeclaredFact,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// Another answer, of a later declaration or given outside one, proposed in place of a confirmed one.
    pub proposal: Option<DeclaredFact>,
    /// The entry that last changed any of this.
    pub set_at: u64,
    /// Whether the answer that stands was given outside a declaration, so that a declaration that says nothing about the fact keeps it.
    #[serde(default)]
    pub is_answered: bool,
    /// The same of the proposal.
    #[serde(default)]
    pub is_proposal_answered: bool,
}

/// What a system's latest review decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastReview {
    /// The entry.
    pub at: u64,
    /// The verdict's word.
    pub verdict: String,
    /// The day judged.
    pub judged_on: Date,
    /// What it looked at.
    pub gate: Gate,
}

/// A declaration to enter without a review.
#[derive(Debug, Clone)]
pub struct NewDeclaration {
    /// The declaration, people by name or id.
    pub declaration: Declaration,
    /// The entry that declared the system last, as whoever changed it saw it; `None` for a system that is to be new.
    pub expected: Option<u64>,
}

/// An answer to a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// The fact.
    pub fact: String,
    /// The answer, in its text form.
    pub value: String,
    /// On what basis; not blank.
    pub basis: String,
}

impl System {
    /// A system declared for the first time.
    pub(crate) fn new(subject: &str, declaration: Declaration, index: u64) -> Self {
        let facts = declaration
            .facts
            .iter()
            .map(|(name, answer)| (name.clone(), Fact::new(answer, index)))
            .collect();
        System {
            subject: subject.to_owned(),
            builders: builders(&declaration),
            declaration,
            facts,
            declared_at: index,
            review: None,
        }
    }

    /// A later declaration proposes changes and never overwrites a confirmed fact. What was answered outside declarations stays where it
    /// says nothing about it.
    pub(crate) fn redeclare(&mut self, declaration: Declaration, index: u64) {
        let mut facts = OrdMap::new();
        for (name, fact) in &self.facts {
            let declared = declaration.facts.get(name);
            let kept = match (declared, fact.confirmed_by.is_some()) {
                (Some(answer), true) => Some(fact.proposed(answer, false, index)),
                (Some(answer), false) => (fact.answer == *answer).then(|| fact.clone()),
                (None, true) => Some(fact.without_declared_proposal(index)),
                (None, false) => fact.is_answered.then(|| fact.clone()),
            };
            if let Some(kept) = kept {
                facts.insert(name.clone(), kept);
            }
        }
        for (name, answer) in &declaration.facts {
            if !facts.contains_key(name) {
                facts.insert(name.clone(), Fact::new(answer, index));
            }
        }
        self.facts = facts;
        self.builders = self.builders.clone().union(builders(&declaration));
        self.declaration = declaration;
        self.declared_at = index;
    }

    /// Takes an answer given outside a declaration. In place of a confirmed one it is a proposal.
    pub(crate) fn answer(&mut self, answered: &FactAnswered, index: u64) {
        let answer = DeclaredFact {
            value: answered.value.clone(),
            by: answered.by.clone(),
            on: answered.on,
            basis: answered.basis.clone(),
        };
        let known = self.facts.get(&answered.fact);
        let fact = match known.filter(|fact| fact.confirmed_by.is_some()) {
            Some(fact) => fact.proposed(&answer, true, index),
            None => Fact {
                is_answered: true,
                ..Fact::new(&answer, index)
            },
        };
        self.facts.insert(answered.fact.clone(), fact);
    }

    /// Takes a confirmation; one of a proposed answer makes it the answer that stands.
    pub(crate) fn confirm(&mut self, confirmed: &FactConfirmed, index: u64) {
        let Some(fact) = self.facts.get_mut(&confirmed.fact) else {
            return;
        };
        if let Some(proposal) = fact
            .proposal
            .take_if(|proposal| proposal.value == confirmed.value)
        {
            fact.answer = proposal;
            fact.is_answered = std::mem::take(&mut fact.is_proposal_answered);
        }
        if fact.answer.value == confirmed.value {
            fact.confirmed_by = Some(confirmed.by.clone());
            fact.set_at = index;
        }
    }

    /// The facts as the law reads them. Whether a framework is adopted is the organisation's recorded decision, never the system's
    /// answer.
    pub fn law_facts(&self, book: &Book, counsel: &Counsel) -> Facts {
        let mut facts = Facts::new();
        for (name, fact) in &self.facts {
            let Some(position) = book.vocabulary.position(name) else {
                continue;
            };
            let Some(value) = book.vocabulary.kinds()[position].parse(&fact.answer.value) else {
                continue;
            };
            let answer = Answer {
                value,
                by: fact.answer.by.clone(),
                on: Some(fact.answer.on),
                basis: fact.answer.basis.clone(),
                confirmed_by: fact.confirmed_by.clone(),
            };
            facts.set(position, Some(answer));
        }
        for (position, kind) in book.vocabulary.kinds().iter().enumerate() {
            if let Some(pack) = &kind.adopts {
                facts.set(position, Some(adoption(counsel, pack)));
            }
        }
        facts
    }

    /// The answer to a fact with this value: the one proposed, or the one that stands.
    pub fn given(&self, fact: &str, value: &str) -> Option<&DeclaredFact> {
        let fact = self.facts.get(fact)?;
        let mut answers = fact.proposal.iter().chain([&fact.answer]);
        answers.find(|answer| answer.value == value)
    }

    /// Whether a person may confirm an answer: someone outside the building team who did not give it.
    pub fn may_confirm(&self, person: &str, answered_by: Option<&str>) -> bool {
        !self.builders.contains(person) && answered_by != Some(person)
    }
}

/// The answer to "has the organisation adopted it?".
fn adoption(counsel: &Counsel, pack: &str) -> Answer {
    let decision = counsel.frameworks.get(pack);
    Answer {
        value: Value::Bool(counsel.adopts(pack)),
        by: decision.map_or(String::new(), |decision| decision.by.clone()),
        on: decision.map(|decision| decision.on),
        basis: decision.map_or("no decision is recorded".to_owned(), |decision| {
            decision.reason.clone()
        }),
        confirmed_by: decision.map(|decision| decision.by.clone()),
    }
}

fn builders(declaration: &Declaration) -> OrdSet<String> {
    let team = declaration.team.iter().chain([&declaration.owner]);
    team.cloned().collect()
}

impl Fact {
    fn new(answer: &DeclaredFact, index: u64) -> Self {
        Fact {
            answer: answer.clone(),
            confirmed_by: None,
            proposal: None,
            set_at: index,
            is_answered: false,
            is_proposal_answered: false,
        }
    }

    /// A confirmed fact with another answer proposed; the answer that stands, said again, takes a proposal back.
    fn proposed(&self, answer: &DeclaredFact, is_answered: bool, index: u64) -> Self {
        let proposal = (answer.value != self.answer.value).then(|| answer.clone());
        if proposal == self.proposal {
            return self.clone();
        }
        Fact {
            is_proposal_answered: proposal.is_some() && is_answered,
            proposal,
            set_at: index,
            ..self.clone()
        }
    }

    /// A confirmed fact that a declaration says nothing about: what an earlier one proposed is proposed no longer.
    fn without_declared_proposal(&self, index: u64) -> Self {
        if self.proposal.is_none() || self.is_proposal_answered {
            return self.clone();
        }
        Fact {
            proposal: None,
            set_at: index,
            ..self.clone()
        }
    }

    /// Whether an answer is on record already: as the one proposed or, where nothing is proposed, as the one that stands. Whoever says again
    /// what is confirmed says nothing new.
    fn says(&self, value: &str, basis: &str) -> bool {
        match &self.proposal {
            Some(proposal) => proposal.value == value && proposal.basis == basis,
            None => {
                let is_confirmed = self.confirmed_by.is_some();
                self.answer.value == value && (is_confirmed || self.answer.basis == basis)
            }
        }
    }
}

impl Draft<'_> {
    /// Enters a declaration without a review.
    pub(crate) fn declare_system(&mut self, new: &NewDeclaration) -> Result<(), Refused> {
        let id = &new.declaration.id;
        match (self.state.systems.get(id), new.expected) {
            (None, None) => {}
            (None, Some(_)) => drop(self.system(id)?),
            (Some(known), None) => {
                return Err(Refused::SystemExists {
                    system: id.clone(),
                    at: known.declared_at,
                });
            }
            (Some(known), Some(expected)) if known.declared_at != expected => {
                return Err(Refused::Changed {
                    what: format!("`{id}`"),
                    at: known.declared_at,
                });
            }
            (Some(_), Some(_)) => {}
        }
        self.declare(&new.declaration)
    }

    /// Enters answers to facts: all of them or, when one is refused, none. Those on record already are passed over.
    pub(crate) fn answer_facts(
        &mut self,
        system: &str,
        answers: &[NewAnswer],
        expected: &[(String, Option<u64>)],
    ) -> Result<(), Refused> {
        let known = self.system(system)?;
        for (fact, seen) in expected {
            let now = known.facts.get(fact).map(|fact| fact.set_at);
            if now != *seen {
                return Err(Refused::Changed {
                    what: format!("`{fact}` of `{system}`"),
                    at: now.unwrap_or(known.declared_at),
                });
            }
        }
        let mut new = Vec::new();
        for answer in answers {
            need_reason(&answer.basis, "--basis")?;
            let value = self.checked_value(&answer.fact, &answer.value)?;
            let fact = known.facts.get(&answer.fact);
            if !fact.is_some_and(|fact| fact.says(&value, &answer.basis)) {
                new.push((answer, value));
            }
        }
        if new.is_empty() {
            return Err(Refused::AlreadyDecided {
                what: format!("`{system}` has these answers already"),
            });
        }
        self.adopt_book();
        let by = self.acting();
        for (answer, value) in new {
            let answered = FactAnswered {
                system: system.to_owned(),
                fact: answer.fact.clone(),
                value,
                by: by.clone(),
                on: self.with.today,
                basis: answer.basis.clone(),
            };
            let subjects = self.subjects(system, &[]);
            let event = Event::FactAnswered(answered);
            self.push(event, subjects, Vec::new(), Vec::new());
        }
        Ok(())
    }

    /// An answer in the form that declarations have it; refused where the fact takes no such answer, or none at all.
    fn checked_value(&self, fact: &str, value: &str) -> Result<String, Refused> {
        let book = self.with.book;
        let not_asked = |why: String| Refused::NotAsked {
            fact: fact.to_owned(),
            why,
        };
        let Some(kind) = book.vocabulary.get(fact) else {
            let derived = book.derived_facts().iter();
            let mut derived = derived.filter(|derived| derived.name == fact);
            return Err(not_asked(match derived.next() {
                Some(_) => "it follows from other facts; answer those".to_owned(),
                None => format!(
                    "there is no such fact; {}",
                    nearest(fact, book.vocabulary.names())
                ),
            }));
        };
        if let Some(pack) = &kind.adopts {
            return Err(not_asked(format!(
                "it follows from whether the organisation adopted `{pack}`; decide on that"
            )));
        }
        match kind.parse(value.trim()) {
            Some(value) => Ok(value.to_text()),
            None => Err(Refused::NoAnswer {
                fact: fact.to_owned(),
                value: value.to_owned(),
                allowed: allowed(kind),
            }),
        }
    }
}

/// The answers a fact takes, in words.
fn allowed(kind: &FactKind) -> String {
    match &kind.of {
        FactType::Bool => "`true` or `false`".to_owned(),
        FactType::Number => "a number, or `none`".to_owned(),
        FactType::Date => "a day such as `2026-08-02`, or `none`".to_owned(),
        FactType::Enum(values) => format!("one of `{}`", values.join("`, `")),
        FactType::Set(values) => format!(
            "any of `{}`, parted by commas, or nothing for none of them",
            values.join("`, `")
        ),
    }
}
