//! Conditions made ready to be asked thousands of times: every question about a fact is answered once a system, however many
//! conditions share it.

use crate::rule::{Atom, Rule};

/// A rule whose questions are positions in the book's list of distinct questions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Code {
    /// `true` or `false`.
    Constant(bool),
    /// All hold.
    All(Box<[Code]>),
    /// One holds.
    Any(Box<[Code]>),
    /// It does not hold.
    Not(Box<Code>),
    /// A question about one fact.
    Question(u32),
    /// A derived fact.
    Derived(u32),
}

impl Code {
    /// Adds the derived facts it names.
    pub(crate) fn derived(&self, named: &mut Vec<usize>) {
        match self {
            Code::Constant(_) | Code::Question(_) => {}
            Code::All(codes) | Code::Any(codes) => {
                codes.iter().for_each(|code| code.derived(named));
            }
            Code::Not(code) => code.derived(named),
            Code::Derived(at) => named.push(*at as usize),
        }
    }
}

/// Facts by position, one bit each: the facts that many requirements wait for are joined word by word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FactSet(Vec<u64>);

impl FactSet {
    pub(crate) fn insert(&mut self, fact: usize) {
        let word = fact / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (fact % 64);
    }

    /// Adds every fact of another set.
    pub(crate) fn join(&mut self, other: &FactSet) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// The facts in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// The distinct questions of a book.
#[derive(Debug, Clone, Default)]
pub(crate) struct Questions {
    atoms: Vec<Atom>,
    /// Positions by fact, so that a new question is compared only with those about the same fact.
    by_fact: Vec<Vec<u32>>,
}

impl Questions {
    /// Makes a rule ready.
    pub(crate) fn code(&mut self, rule: &Rule) -> Code {
        let mut each =
            |rules: &[Rule]| -> Box<[Code]> { rules.iter().map(|rule| self.code(rule)).collect() };
        match rule {
            Rule::Constant(yes) => Code::Constant(*yes),
            Rule::All(rules) => Code::All(each(rules)),
            Rule::Any(rules) => Code::Any(each(rules)),
            Rule::Not(rule) => Code::Not(Box::new(self.code(rule))),
            Rule::Atom(atom) => Code::Question(self.position(atom)),
            Rule::Derived(at) => Code::Derived(*at as u32),
        }
    }

    fn position(&mut self, atom: &Atom) -> u32 {
        if self.by_fact.len() <= atom.fact {
            self.by_fact.resize(atom.fact + 1, Vec::new());
        }
        let known = &mut self.by_fact[atom.fact];
        if let Some(at) = known.iter().find(|at| self.atoms[**at as usize] == *atom) {
            return *at;
        }
        let at = self.atoms.len() as u32;
        known.push(at);
        self.atoms.push(atom.clone());
        at
    }

    /// The questions in the order of their positions.
    pub(crate) fn atoms(&self) -> &[Atom] {
        &self.atoms
    }
}
