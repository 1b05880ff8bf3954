//! Why a requirement stands as it does: the proof, the facts that decided it, what is missing, and what would change it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::book::{Book, Reader};
use crate::fact::{Answer, FactType, Facts, Unknown, Value};
use crate::requirement::{AsOf, Requirement, Ruled, Standing, requirement};
use crate::rule::{Rule, Test, Truth};
use crate::smallest::{Joint, smallest};

/// One step of a proof.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Whether the step holds.
    pub truth: Truth,
    /// What the step is.
    pub step: Step,
}

/// What a step of a proof is.
#[derive(Debug, Clone)]
pub enum Step {
    /// A constant.
    Constant,
    /// All of these.
    All(Vec<Proof>),
    /// One of these.
    Any(Vec<Proof>),
    /// Not this.
    Not(Box<Proof>),
    /// A question about one fact.
    Atom {
        /// The position of the fact.
        fact: usize,
        /// The question in the language.
        text: String,
        /// The answer given, whether or not it counts.
        answer: Option<Answer>,
        /// Why it does not count.
        unknown: Option<Unknown>,
    },
    /// A derived fact.
    Derived {
        /// Its position in the book.
        at: usize,
        /// Its own proof, shared by all places that ask for the fact: walk it once.
        proof: Arc<Proof>,
    },
}

/// Everything there is to say about one requirement and one system.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The requirement.
    pub requirement: Requirement,
    /// The day judged and the day of knowledge.
    pub when: AsOf,
    /// The proof of its condition.
    pub proof: Proof,
    /// The facts that decided its condition: they suffice, and none of them can be left out.
    pub decisive: BTreeSet<usize>,
    /// The facts that are missing.
    pub missing: BTreeSet<usize>,
    /// The single answers that would change how it stands.
    pub flips: Vec<Flip>,
    /// The fewest answers that together would, where no single one does.
    pub joint: Vec<Joint>,
}

/// One other answer that would change how a requirement stands.
#[derive(Debug, Clone)]
pub struct Flip {
    /// The position of the fact.
    pub fact: usize,
    /// The other answer.
    pub value: Value,
    /// How the requirement would then stand.
    pub standing: Standing,
}

/// Explains the requirement with this id; `None` when the book has none.
pub fn explain(book: &Book, facts: &Facts, when: AsOf, id: &str) -> Option<Explanation> {
    let (pack, index) = book.bound().iter().find_map(|pack| {
        pack.pack
            .requirements
            .iter()
            .position(|text| text.id == id)
            .map(|index| (pack, index))
    })?;
    let reader = book.reader(facts, when.known);
    let found = requirement(pack, index, &reader, when);
    let condition = &pack.conditions[index];
    let proof = prove(&reader, condition);
    let missing = match &found.standing {
        Standing::Unknown { missing, .. } => BTreeSet::clone(missing),
        Standing::InForce { .. }
        | Standing::Ahead { .. }
        | Standing::Waiting { .. }
        | Standing::Ended { .. }
        | Standing::NotApplicable(_) => BTreeSet::new(),
    };
    let mut rules = vec![condition];
    rules.extend(pack.timetable.rules());
    let judge =
        |facts: &Facts| requirement(pack, index, &book.reader(facts, when.known), when).standing;
    let flips = flips(book, facts, &rules, when.known, &found.standing, judge);
    // What its condition would have to become, and which transitions would have to hold or fall.
    let applies = !matches!(found.standing, Standing::NotApplicable(Ruled::ByFacts));
    let mut goals = vec![(condition, !applies)];
    if matches!(found.standing, Standing::Unknown { .. }) {
        goals.push((condition, true));
    }
    for rule in pack.timetable.rules() {
        goals.extend([(rule, true), (rule, false)]);
    }
    let transitions = pack.timetable.transitions.iter();
    let obstacles: Vec<&Rule> = transitions.map(|(rule, _)| rule).collect();
    let joint = if flips.is_empty() {
        smallest(&reader, &goals, &obstacles, &found.standing, judge)
    } else {
        Vec::new()
    };
    Some(Explanation {
        decisive: without_idle(book, facts, condition, when.known, decisive(&proof)),
        requirement: found,
        when,
        proof,
        missing,
        flips,
        joint,
    })
}

/// The proof of a rule.
pub fn prove(reader: &Reader<'_>, rule: &Rule) -> Proof {
    prove_sharing(reader, rule, &mut BTreeMap::new())
}

/// The proof of a rule; what is proved of a derived fact is proved once, or facts that name each other twice would double it at
/// every step.
fn prove_sharing(
    reader: &Reader<'_>,
    rule: &Rule,
    proved: &mut BTreeMap<usize, Arc<Proof>>,
) -> Proof {
    let mut each = |rules: &[Rule]| {
        let parts = rules.iter();
        parts
            .map(|rule| prove_sharing(reader, rule, proved))
            .collect()
    };
    let step = match rule {
        Rule::Constant(_) => Step::Constant,
        Rule::All(rules) => Step::All(each(rules)),
        Rule::Any(rules) => Step::Any(each(rules)),
        Rule::Not(rule) => Step::Not(Box::new(prove_sharing(reader, rule, proved))),
        Rule::Atom(atom) => Step::Atom {
            fact: atom.fact,
            text: atom.text(&reader.book().vocabulary),
            answer: reader.facts().answer(atom.fact).cloned(),
            unknown: atom.truth(reader.facts(), &reader.book().vocabulary).err(),
        },
        Rule::Derived(at) => Step::Derived {
            at: *at,
            proof: prove_derived(reader, *at, proved),
        },
    };
    Proof {
        truth: reader.truth(rule),
        step,
    }
}

fn prove_derived(
    reader: &Reader<'_>,
    at: usize,
    proved: &mut BTreeMap<usize, Arc<Proof>>,
) -> Arc<Proof> {
    if let Some(proof) = proved.get(&at) {
        return proof.clone();
    }
    // A fact that was not law yet is false.
    let proof = match reader.book().derived(at).rule_at(reader.known()) {
        Some(rule) => prove_sharing(reader, rule, proved),
        None => Proof {
            truth: Truth::False,
            step: Step::Constant,
        },
    };
    let proof = Arc::new(proof);
    proved.insert(at, proof.clone());
    proof
}

/// A set of facts that suffices for the proof's answer; empty where it is unknown.
pub fn decisive(proof: &Proof) -> BTreeSet<usize> {
    decisive_in(proof, &mut BTreeMap::new())
}

fn decisive_in(proof: &Proof, found: &mut BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<usize> {
    if proof.truth == Truth::Unknown {
        return BTreeSet::new();
    }
    match (&proof.step, proof.truth) {
        (Step::Constant, _) => BTreeSet::new(),
        (Step::All(parts), Truth::True) | (Step::Any(parts), Truth::False) => {
            let parts = parts.iter();
            parts.flat_map(|part| decisive_in(part, found)).collect()
        }
        (Step::All(parts) | Step::Any(parts), _) => {
            let alike = parts.iter().filter(|part| part.truth == proof.truth);
            alike
                .map(|part| decisive_in(part, found))
                .min_by_key(BTreeSet::len)
                .unwrap_or_default()
        }
        (Step::Not(part), _) => decisive_in(part, found),
        (Step::Atom { fact, .. }, _) => BTreeSet::from([*fact]),
        (Step::Derived { at, proof }, _) => {
            if let Some(known) = found.get(at) {
                return known.clone();
            }
            let facts = decisive_in(proof, found);
            found.insert(*at, facts.clone());
            facts
        }
    }
}

/// The facts that are still needed when each of the others is taken away in turn: one fact may decide several parts at once.
fn without_idle(
    book: &Book,
    facts: &Facts,
    rule: &Rule,
    known: Date,
    found: BTreeSet<usize>,
) -> BTreeSet<usize> {
    let truth = |chosen: &BTreeSet<usize>| {
        let mut some = Facts::hypothetical(facts.is_closed_world());
        for fact in chosen {
            some.set(*fact, facts.answer(*fact).cloned());
        }
        book.reader(&some, known).truth(rule)
    };
    let whole = truth(&found);
    let mut kept = found.clone();
    for fact in found {
        kept.remove(&fact);
        if truth(&kept) != whole {
            kept.insert(fact);
        }
    }
    kept
}

/// Every single other answer after which the requirement stands differently and definitely.
fn flips(
    book: &Book,
    facts: &Facts,
    rules: &[&Rule],
    known: Date,
    now: &Standing,
    judge: impl Fn(&Facts) -> Standing,
) -> Vec<Flip> {
    let mut asked: Vec<(usize, Vec<Test>)> = Vec::new();
    let mut seen = BTreeSet::new();
    for rule in rules {
        questions(book, rule, known, &mut seen, &mut asked);
    }
    let mut flips = Vec::new();
    for (fact, tests) in asked {
        for value in alternatives(book, facts, fact, &tests) {
            let mut other = facts.clone();
            let mut answer = Answer::bare(value.clone());
            answer.confirmed_by = Some(String::new());
            other.set(fact, Some(answer));
            let standing = judge(&other);
            let differs = std::mem::discriminant(&standing) != std::mem::discriminant(now);
            if differs && !matches!(standing, Standing::Unknown { .. }) {
                flips.push(Flip {
                    fact,
                    value,
                    standing,
                });
            }
        }
    }
    flips
}

/// The facts a rule asks about, with everything it asks of each, through derived facts.
fn questions(
    book: &Book,
    rule: &Rule,
    known: Date,
    seen: &mut BTreeSet<usize>,
    asked: &mut Vec<(usize, Vec<Test>)>,
) {
    let mut inner = Vec::new();
    rule.leaves(&mut |leaf| match leaf {
        Rule::Atom(atom) => match asked.iter_mut().find(|(fact, _)| *fact == atom.fact) {
            Some((_, tests)) => tests.push(atom.test.clone()),
            None => asked.push((atom.fact, vec![atom.test.clone()])),
        },
        Rule::Derived(at) => inner.push(*at),
        Rule::Constant(_) | Rule::All(_) | Rule::Any(_) | Rule::Not(_) => {}
    });
    for at in inner {
        if seen.insert(at)
            && let Some(rule) = book.derived(at).rule_at(known)
        {
            questions(book, rule, known, seen, asked);
        }
    }
}

/// The other answers worth trying: for sets one value more or less, or none of those asked about; for numbers and days the
/// values around each limit.
fn alternatives(book: &Book, facts: &Facts, fact: usize, tests: &[Test]) -> Vec<Value> {
    let kind = &book.vocabulary.kinds()[fact];
    let current = facts.answer(fact).map(|answer| answer.value.clone());
    let mut values = kind.alternatives();
    for test in tests {
        match test {
            Test::HasAny(names) => {
                let now = match &current {
                    Some(Value::Set(set)) => set.clone(),
                    _ => BTreeSet::new(),
                };
                for name in names.iter().filter(|name| !now.contains(*name)) {
                    let mut more = now.clone();
                    more.insert(name.clone());
                    values.push(Value::Set(kind.closed(more)));
                }
                let less = now.iter().filter(|name| !names.contains(*name)).cloned();
                values.push(Value::Set(kind.closed(less.collect())));
            }
            Test::Number(_, limit) => {
                let near = limit.abs().max(1.0) * 1e-6;
                values.extend([limit - near, *limit, limit + near].map(Value::Number));
            }
            Test::Date(_, limit) => {
                values.extend(
                    [limit.yesterday(), Ok(*limit), limit.tomorrow()]
                        .into_iter()
                        .flatten()
                        .map(Value::Date),
                );
            }
            Test::IsTrue | Test::IsOneOf(_) | Test::IsNot(_) => {}
        }
    }
    debug_assert!(values.iter().all(|value| matches!(
        (&kind.of, value),
        (FactType::Bool, Value::Bool(_))
            | (FactType::Number, Value::Number(_) | Value::None)
            | (FactType::Date, Value::Date(_) | Value::None)
            | (FactType::Enum(_), Value::One(_))
            | (FactType::Set(_), Value::Set(_))
    )));
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if Some(&value) != current.as_ref() && !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
