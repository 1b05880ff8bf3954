//! Systems: declared facts, which of them are confirmed, and what was last decided.

use alnager_law::book::Book;
use alnager_law::fact::{Answer, Facts, Value};
use imbl::{OrdMap, OrdSet};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::Counsel;
use crate::declaration::{Declaration, DeclaredFact};

/// A system was declared, or declared anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemDeclared {
    /// The system's id as a subject of entries; the same in every declaration of the system.
    pub subject: String,
    /// The declaration, people as ids.
    pub declaration: Declaration,
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
    /// Another answer a later declaration proposes in place of a confirmed one.
    pub proposal: Option<DeclaredFact>,
    /// The entry that set it.
    pub set_at: u64,
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

    /// A later declaration proposes changes and never overwrites a confirmed fact.
    pub(crate) fn redeclare(&mut self, declaration: Declaration, index: u64) {
        let mut facts = OrdMap::new();
        for (name, fact) in &self.facts {
            if fact.confirmed_by.is_some() {
                let proposal = declaration
                    .facts
                    .get(name)
                    .filter(|answer| answer.value != fact.answer.value)
                    .cloned();
                facts.insert(
                    name.clone(),
                    Fact {
                        proposal,
                        ..fact.clone()
                    },
                );
            }
        }
        for (name, answer) in &declaration.facts {
            if !facts.contains_key(name) {
                let kept = self
                    .facts
                    .get(name)
                    .filter(|fact| fact.answer == *answer)
                    .cloned();
                facts.insert(
                    name.clone(),
                    kept.unwrap_or_else(|| Fact::new(answer, index)),
                );
            }
        }
        self.facts = facts;
        self.builders = self.builders.clone().union(builders(&declaration));
        self.declaration = declaration;
        self.declared_at = index;
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
        }
    }
}
