//! The book: the packs in use, bound to the vocabulary of facts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fact::{Facts, Vocabulary};
use crate::pack::{Condition, Pack, Register};
use crate::read::{ReadError, nearest};
use crate::rule::{Rule, Truth};

/// The law, frameworks and policy in use, bound and checked.
#[derive(Debug, Clone)]
pub struct Book {
    /// The facts conditions may ask about.
    pub vocabulary: Vocabulary,
    /// The kinds of evidence.
    pub evidence: Register,
    /// The common controls.
    pub controls: Register,
    packs: Vec<Arc<BoundPack>>,
    derived: Vec<Derived>,
    derived_names: BTreeMap<String, usize>,
}

/// A pack whose conditions are bound to facts.
#[derive(Debug)]
pub struct BoundPack {
    /// The pack as written.
    pub pack: Pack,
    /// The condition of each requirement, exceptions included.
    pub(crate) conditions: Vec<Rule>,
    /// The conditions of each date row, by group.
    pub(crate) applies: BTreeMap<String, Vec<Option<Rule>>>,
    /// The groups an alias may stand for.
    pub(crate) choose: BTreeMap<String, Vec<(String, Option<Rule>)>>,
    /// The condition of each transition.
    pub(crate) transitions: Vec<Rule>,
}

/// A derived fact of the book.
#[derive(Debug, Clone)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// The pack that defines it.
    pub pack: String,
    /// The source; may be empty.
    pub cite: String,
    /// A remark for the reader.
    pub note: Option<String>,
    /// What about it is not confirmed.
    pub unconfirmed: Option<String>,
    /// The default and its exceptions.
    pub rule: Rule,
}

impl Book {
    /// Binds packs to the vocabulary. Fails on the first condition that does not parse or type, name that is not defined, fact
    /// derived twice, or derived facts that define each other in a circle.
    pub fn new(
        vocabulary: Vocabulary,
        evidence: Register,
        controls: Register,
        packs: Vec<Pack>,
    ) -> Result<Self, ReadError> {
        let mut derived_names = BTreeMap::new();
        for pack in &packs {
            for derive in &pack.derives {
                if vocabulary.get(&derive.fact).is_some()
                    || derived_names.contains_key(&derive.fact)
                {
                    return Err(file_error(
                        pack,
                        format!(
                            "the fact `{}` is defined twice; give the derived one another name",
                            derive.fact
                        ),
                    ));
                }
                derived_names.insert(derive.fact.clone(), derived_names.len());
            }
        }
        let mut derived = Vec::with_capacity(derived_names.len());
        for pack in &packs {
            for derive in &pack.derives {
                let rule =
                    with_exceptions(&derive.rule, &derive.unless, &vocabulary, &derived_names)?;
                derived.push(Derived {
                    name: derive.fact.clone(),
                    pack: pack.id.clone(),
                    cite: derive.cite.clone(),
                    note: derive.note.clone(),
                    unconfirmed: derive.unconfirmed.clone(),
                    rule,
                });
            }
        }
        let mut book = Book {
            vocabulary,
            evidence,
            controls,
            packs: Vec::new(),
            derived,
            derived_names,
        };
        book.check_circles()?;
        for pack in packs {
            book.check_registers(&pack)?;
            let bound = book.bind(pack)?;
            book.packs.push(Arc::new(bound));
        }
        book.check_ids()?;
        Ok(book)
    }

    fn bind(&self, pack: Pack) -> Result<BoundPack, ReadError> {
        let bind = |condition: &Condition| condition.bind(&self.vocabulary, &self.derived_names);
        let conditions = pack
            .requirements
            .iter()
            .map(|text| {
                with_exceptions(
                    &text.when,
                    &text.unless,
                    &self.vocabulary,
                    &self.derived_names,
                )
            })
            .collect::<Result<_, _>>()?;
        let mut applies = BTreeMap::new();
        for (group, rows) in &pack.applies {
            let bound = rows
                .iter()
                .map(|row| row.when.as_ref().map(bind).transpose())
                .collect::<Result<_, _>>()?;
            applies.insert(group.clone(), bound);
        }
        let mut choose = BTreeMap::new();
        for (alias, choices) in &pack.choose {
            let bound = choices.iter().map(|choice| {
                Ok((
                    choice.group.clone(),
                    choice.when.as_ref().map(bind).transpose()?,
                ))
            });
            choose.insert(alias.clone(), bound.collect::<Result<_, ReadError>>()?);
        }
        let transitions = pack
            .transitions
            .iter()
            .map(|transition| bind(&transition.when))
            .collect::<Result<_, _>>()?;
        Ok(BoundPack {
            pack,
            conditions,
            applies,
            choose,
            transitions,
        })
    }

    fn check_registers(&self, pack: &Pack) -> Result<(), ReadError> {
        for text in &pack.requirements {
            for (register, names, what) in [
                (&self.evidence, &text.evidence, "kind of evidence"),
                (&self.controls, &text.controls, "control"),
            ] {
                if let Some(name) = names
                    .iter()
                    .find(|name| !register.items.contains_key(*name))
                {
                    let hint = nearest(name, register.items.keys().map(String::as_str));
                    return Err(file_error(
                        pack,
                        format!(
                            "requirement `{}` names the {what} `{name}`, which is not listed; {hint}",
                            text.id
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_ids(&self) -> Result<(), ReadError> {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for pack in self.packs() {
            for text in &pack.requirements {
                if let Some(other) = seen.insert(&text.id, &pack.id) {
                    return Err(file_error(
                        pack,
                        format!(
                            "the requirement id `{}` is already used in the pack `{other}`",
                            text.id
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_circles(&self) -> Result<(), ReadError> {
        let mut state = vec![0_u8; self.derived.len()];
        for at in 0..self.derived.len() {
            if let Some(name) = self.circle(at, &mut state) {
                return Err(ReadError {
                    file: self.derived[at].pack.clone(),
                    line: 0,
                    field: "derive".to_owned(),
                    problem: format!(
                        "the derived fact `{name}` depends on itself; break the circle"
                    ),
                });
            }
        }
        Ok(())
    }

    fn circle(&self, at: usize, state: &mut [u8]) -> Option<String> {
        match state[at] {
            2 => return None,
            1 => return Some(self.derived[at].name.clone()),
            _ => state[at] = 1,
        }
        let mut inner = Vec::new();
        self.derived[at].rule.leaves(&mut |leaf| {
            if let Rule::Derived(other) = leaf {
                inner.push(*other);
            }
        });
        let found = inner
            .into_iter()
            .find_map(|other| self.circle(other, state));
        state[at] = 2;
        found
    }

    /// The packs in use.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().map(|bound| &bound.pack)
    }

    pub(crate) fn bound(&self) -> &[Arc<BoundPack>] {
        &self.packs
    }

    /// Binds a condition that stands outside the packs, such as a policy test's `when`.
    pub fn bind_condition(&self, condition: &Condition) -> Result<Rule, ReadError> {
        condition.bind(&self.vocabulary, &self.derived_names)
    }

    /// A derived fact by position.
    pub fn derived(&self, at: usize) -> &Derived {
        &self.derived[at]
    }

    /// All derived facts.
    pub fn derived_facts(&self) -> &[Derived] {
        &self.derived
    }

    /// Reads conditions against one system's facts, remembering derived facts.
    pub fn reader<'a>(&'a self, facts: &'a Facts) -> Reader<'a> {
        Reader {
            book: self,
            facts,
            memo: RefCell::new(vec![None; self.derived.len()]),
        }
    }
}

/// `when`, and none of the exceptions.
fn with_exceptions(
    when: &Condition,
    unless: &[Condition],
    vocabulary: &Vocabulary,
    derived: &BTreeMap<String, usize>,
) -> Result<Rule, ReadError> {
    let mut rules = vec![when.bind(vocabulary, derived)?];
    for exception in unless {
        rules.push(Rule::Not(Box::new(exception.bind(vocabulary, derived)?)));
    }
    Ok(if rules.len() == 1 {
        rules.remove(0)
    } else {
        Rule::All(rules)
    })
}

fn file_error(pack: &Pack, problem: String) -> ReadError {
    ReadError {
        file: pack.file().to_owned(),
        line: 0,
        field: String::new(),
        problem,
    }
}

/// Evaluates rules for one system; each derived fact is worked out once.
pub struct Reader<'a> {
    book: &'a Book,
    facts: &'a Facts,
    memo: RefCell<Vec<Option<Truth>>>,
}

impl Reader<'_> {
    /// Whether a rule holds.
    pub fn truth(&self, rule: &Rule) -> Truth {
        match rule {
            Rule::Constant(yes) => Truth::from(*yes),
            Rule::All(rules) => {
                let mut truth = Truth::True;
                for rule in rules {
                    truth = truth.and(self.truth(rule));
                    if truth == Truth::False {
                        break;
                    }
                }
                truth
            }
            Rule::Any(rules) => {
                let mut truth = Truth::False;
                for rule in rules {
                    truth = truth.or(self.truth(rule));
                    if truth == Truth::True {
                        break;
                    }
                }
                truth
            }
            Rule::Not(rule) => self.truth(rule).not(),
            Rule::Atom(atom) => atom
                .truth(self.facts, &self.book.vocabulary)
                .map_or(Truth::Unknown, Truth::from),
            Rule::Derived(at) => self.derived(*at),
        }
    }

    /// Whether a derived fact holds.
    pub fn derived(&self, at: usize) -> Truth {
        if let Some(truth) = self.memo.borrow()[at] {
            return truth;
        }
        let truth = self.truth(&self.book.derived(at).rule);
        self.memo.borrow_mut()[at] = Some(truth);
        truth
    }

    /// Adds the facts that keep a rule unknown; nothing where it is settled.
    pub fn missing(&self, rule: &Rule, missing: &mut BTreeSet<usize>) {
        if self.truth(rule) != Truth::Unknown {
            return;
        }
        match rule {
            Rule::Constant(_) => {}
            Rule::All(rules) | Rule::Any(rules) => {
                rules.iter().for_each(|rule| self.missing(rule, missing))
            }
            Rule::Not(rule) => self.missing(rule, missing),
            Rule::Atom(atom) => {
                missing.insert(atom.fact);
            }
            Rule::Derived(at) => self.missing(&self.book.derived(*at).rule, missing),
        }
    }

    /// The book read.
    pub fn book(&self) -> &Book {
        self.book
    }

    /// The facts read.
    pub fn facts(&self) -> &Facts {
        self.facts
    }
}
