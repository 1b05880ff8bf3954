//! The interview: which unanswered fact is best asked next, who asks it and why, and when there is nothing left to ask.
//!
//! A question is worth what its answers bring: of every requirement that waits on it, the share of the missing facts that an
//! answer makes unnecessary, averaged over the answers the rules tell apart. An answer that removes a duty (guarded) brings
//! nothing until someone outside the building team confirms it, so it does not count; and it is never asked for again: what
//! only its confirmation would settle waits for that, and is reported so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::book::{Book, BoundPack, Reader};
use crate::fact::{Answer, FactKind, FactType, Facts, Value};
use crate::requirement::{AsOf, Requirement, Standing, requirement};
use crate::rule::{Rule, Test, Truth};

/// What an interview is about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The ids of the packs asked for; `None` is every pack of the book.
    pub packs: Option<BTreeSet<String>>,
    /// Positions of facts that are not to be asked (again).
    pub skipped: BTreeSet<usize>,
}

/// How far an interview has come. Every unsettled requirement of the scope is in exactly one of the lists.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Requirements in scope.
    pub n_requirements: usize,
    /// Requirements that a question would settle or bring nearer.
    pub open: Vec<Pending>,
    /// Requirements that are settled once the answers given are confirmed by someone outside the building team.
    pub unconfirmed: Vec<Pending>,
    /// Requirements that need a fact that is not to be asked.
    pub skipped: Vec<Pending>,
}

/// A requirement that is not settled, and the facts it waits for.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The requirement.
    pub requirement: Requirement,
    /// The facts by position: those unanswered, or those answered and not confirmed.
    pub facts: BTreeSet<usize>,
}

/// The question to ask next.
#[derive(Debug, Clone)]
pub struct Question {
    /// The position of the fact.
    pub fact: usize,
    /// The answers the open rules tell apart, and what each would settle.
    pub answers: Vec<Possible>,
    /// The packs that ask, in the order of the book.
    pub asked_by: Vec<Asking>,
    /// The unknown derived facts of these packs that wait on it, by position in the book.
    pub derived: Vec<usize>,
    /// Requirements open before the answer.
    pub n_open: usize,
}

/// A pack that asks a question.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The id of the pack.
    pub pack: String,
    /// Its requirements that wait on the answer.
    pub requirements: Vec<Requirement>,
}

/// A class of answers that the open rules cannot tell apart.
#[derive(Debug, Clone)]
pub struct Possible {
    /// The answer tried; for a set, a number or a day one of several alike.
    pub value: Value,
    /// The answers it stands for, in words.
    pub words: String,
    /// Requirements this answer settles. A guarded answer settles them once it is confirmed.
    pub n_settled: usize,
    /// Whether it counts only once confirmed.
    pub is_guarded: bool,
}

/// Requirements of a pack with the same condition and the same dates: they are unknown together and settled together, so one
/// is evaluated for all.
struct Unsettled {
    pack: Arc<BoundPack>,
    index: usize,
    alike: Vec<Requirement>,
    missing: BTreeSet<usize>,
}

/// A class of answers before it is tried.
struct Class {
    value: Value,
    words: String,
}

/// The unanswered fact that brings most open requirements nearer to an answer; `None` when no requirement of the scope waits
/// for an answer that may be asked. Of equals the first in the vocabulary.
///
/// Pure and without chance: the same book, facts, days and scope give the same question. Facts answered and not confirmed are
/// taken as answered, so that nothing is asked twice.
pub fn next_question(book: &Book, facts: &Facts, when: AsOf, scope: &Scope) -> Option<Question> {
    let answered = as_answered(book, facts);
    let open = open(book, &answered, when, scope);
    let tests = tests_of(book, &book.reader(&answered, when.known), &open);
    let mut best: Option<(f64, usize, Vec<Possible>)> = None;
    for fact in 0..book.vocabulary.kinds().len() {
        let waits = |unsettled: &Unsettled| unsettled.missing.contains(&fact);
        if scope.skipped.contains(&fact) || !open.iter().any(waits) {
            continue;
        }
        let (worth, answers) = worth(book, &answered, when, &open, fact, &tests);
        if best.as_ref().is_none_or(|(most, ..)| worth > *most) {
            best = Some((worth, fact, answers));
        }
    }
    best.map(|(_, fact, answers)| {
        let reader = book.reader(&answered, when.known);
        question(&reader, scope, &open, fact, answers)
    })
}

/// The question about one fact, answered or skipped or not, as if it were unanswered: to look at it, or to answer it anew.
pub fn question_about(
    book: &Book,
    facts: &Facts,
    when: AsOf,
    scope: &Scope,
    fact: usize,
) -> Question {
    let mut answered = as_answered(book, facts);
    answered.set(fact, None);
    let mut scope = scope.clone();
    scope.skipped.remove(&fact);
    let open = open(book, &answered, when, &scope);
    let reader = book.reader(&answered, when.known);
    let tests = tests_of(book, &reader, &open);
    let (_, answers) = worth(book, &answered, when, &open, fact, &tests);
    question(&reader, &scope, &open, fact, answers)
}

/// How far the interview has come: what is open, what waits for a confirmation, what was skipped.
pub fn progress(book: &Book, facts: &Facts, when: AsOf, scope: &Scope) -> Progress {
    let answered = as_answered(book, facts);
    let (counted, taken) = (
        book.reader(facts, when.known),
        book.reader(&answered, when.known),
    );
    let mut progress = Progress::default();
    for pack in packs(book, scope) {
        for index in 0..pack.pack.requirements.len() {
            progress.n_requirements += 1;
            let now = requirement(pack, index, &counted, when);
            let Some(unconfirmed) = missing(&now).cloned() else {
                continue;
            };
            let taken = requirement(pack, index, &taken, when);
            let (list, facts) = match missing(&taken) {
                None => (&mut progress.unconfirmed, answers_in(facts, unconfirmed)),
                Some(missing) if missing.is_subset(&scope.skipped) => {
                    (&mut progress.skipped, missing.clone())
                }
                Some(missing) => (&mut progress.open, missing.clone()),
            };
            list.push(Pending {
                requirement: now,
                facts,
            });
        }
    }
    progress
}

/// The facts whose answer counts only once confirmed, and is not.
fn answers_in(facts: &Facts, mut missing: BTreeSet<usize>) -> BTreeSet<usize> {
    missing.retain(|fact| facts.answer(*fact).is_some());
    missing
}

/// The same answers, as if everyone who must confirm had done so.
fn as_answered(book: &Book, facts: &Facts) -> Facts {
    let mut answered = Facts::hypothetical(facts.is_closed_world());
    for fact in 0..book.vocabulary.kinds().len() {
        if let Some(answer) = facts.answer(fact) {
            answered.set(fact, Some(answer.clone()));
        }
    }
    answered
}

fn packs<'a>(book: &'a Book, scope: &'a Scope) -> impl Iterator<Item = &'a Arc<BoundPack>> {
    let chosen = |id: &str| scope.packs.as_ref().is_none_or(|packs| packs.contains(id));
    book.bound()
        .iter()
        .filter(move |pack| chosen(&pack.pack.id))
}

fn open(book: &Book, answered: &Facts, when: AsOf, scope: &Scope) -> Vec<Unsettled> {
    let reader = book.reader(answered, when.known);
    let mut open: Vec<Unsettled> = Vec::new();
    for pack in packs(book, scope) {
        let first = open.len();
        for (index, text) in pack.pack.requirements.iter().enumerate() {
            let requirement = requirement(pack, index, &reader, when);
            let Some(missing) = missing(&requirement).cloned() else {
                continue;
            };
            if missing.is_subset(&scope.skipped) {
                continue;
            }
            let alike = open[first..].iter_mut().find(|other| {
                pack.pack.requirements[other.index].applies == text.applies
                    && pack.conditions[other.index] == pack.conditions[index]
            });
            match alike {
                Some(other) => other.alike.push(requirement),
                None => open.push(Unsettled {
                    pack: pack.clone(),
                    index,
                    alike: vec![requirement],
                    missing,
                }),
            }
        }
    }
    open
}

/// The facts a requirement waits for; `None` where it is settled.
fn missing(requirement: &Requirement) -> Option<&BTreeSet<usize>> {
    match &requirement.standing {
        Standing::Unknown { missing, .. } => Some(missing),
        Standing::InForce { .. }
        | Standing::Ahead { .. }
        | Standing::Waiting { .. }
        | Standing::Ended { .. }
        | Standing::NotApplicable(_) => None,
    }
}

/// Everything the undecided parts of the open rules ask of each fact, each test once.
fn tests_of<'a>(
    book: &'a Book,
    reader: &Reader<'_>,
    open: &'a [Unsettled],
) -> BTreeMap<usize, Vec<&'a Test>> {
    let mut tests = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut dated: BTreeSet<&str> = BTreeSet::new();
    for unsettled in open {
        let pack = &unsettled.pack;
        collect(
            book,
            reader,
            &pack.conditions[unsettled.index],
            &mut seen,
            &mut tests,
        );
        if dated.insert(&pack.pack.id) {
            for rule in pack.timetable.rules() {
                collect(book, reader, rule, &mut seen, &mut tests);
            }
        }
    }
    tests
}

fn collect<'a>(
    book: &'a Book,
    reader: &Reader<'_>,
    rule: &'a Rule,
    seen: &mut BTreeSet<usize>,
    tests: &mut BTreeMap<usize, Vec<&'a Test>>,
) {
    if reader.truth(rule) != Truth::Unknown {
        return;
    }
    match rule {
        Rule::Constant(_) => {}
        Rule::All(rules) | Rule::Any(rules) => {
            for rule in rules {
                collect(book, reader, rule, seen, tests);
            }
        }
        Rule::Not(rule) => collect(book, reader, rule, seen, tests),
        Rule::Atom(atom) => {
            let asked = tests.entry(atom.fact).or_default();
            if !asked.contains(&&atom.test) {
                asked.push(&atom.test);
            }
        }
        Rule::Derived(at) => {
            let rule = book.derived(*at).rule_at(reader.known());
            if let Some(rule) = rule.filter(|_| seen.insert(*at)) {
                collect(book, reader, rule, seen, tests);
            }
        }
    }
}

/// The answers that these tests tell apart: yes and no; each value of an enum; for a set none of the values asked about, or one
/// of those that are always asked about together; for numbers and days each limit and each stretch between limits; and none.
fn classes(kind: &FactKind, tests: &[&Test]) -> Vec<Class> {
    match &kind.of {
        FactType::Bool => [true, false]
            .map(|yes| class(Value::Bool(yes)))
            .into_iter()
            .collect(),
        FactType::Enum(values) => values
            .iter()
            .map(|value| class(Value::One(value.clone())))
            .collect(),
        FactType::Set(values) => set_classes(kind, values, tests),
        FactType::Number => {
            let mut limits: Vec<f64> = tests.iter().filter_map(|test| number(test)).collect();
            limits.sort_by(f64::total_cmp);
            limits.dedup();
            let near = |limit: f64| limit.abs().max(1.0) * 1e-6;
            stretches(
                &limits,
                ["below", "above"],
                |limit| Some(Value::Number(limit - near(limit))),
                |limit| Some(Value::Number(limit + near(limit))),
                Value::Number,
            )
        }
        FactType::Date => {
            let mut limits: Vec<jiff::civil::Date> =
                tests.iter().filter_map(|test| day(test)).collect();
            limits.sort();
            limits.dedup();
            stretches(
                &limits,
                ["before", "after"],
                |limit| limit.yesterday().ok().map(Value::Date),
                |limit| limit.tomorrow().ok().map(Value::Date),
                Value::Date,
            )
        }
    }
}

fn class(value: Value) -> Class {
    Class {
        words: value.to_string(),
        value,
    }
}

fn number(test: &Test) -> Option<f64> {
    match test {
        Test::Number(_, limit) => Some(*limit),
        Test::IsTrue | Test::HasAny(_) | Test::IsOneOf(_) | Test::IsNot(_) | Test::Date(..) => None,
    }
}

fn day(test: &Test) -> Option<jiff::civil::Date> {
    match test {
        Test::Date(_, limit) => Some(*limit),
        Test::IsTrue | Test::HasAny(_) | Test::IsOneOf(_) | Test::IsNot(_) | Test::Number(..) => {
            None
        }
    }
}

/// None; before the first limit, at each limit, and after each: `limits` are sorted and distinct.
fn stretches<T: Copy>(
    limits: &[T],
    [below, above]: [&str; 2],
    before: impl Fn(T) -> Option<Value>,
    after: impl Fn(T) -> Option<Value>,
    at: impl Fn(T) -> Value,
) -> Vec<Class> {
    let mut classes = vec![class(Value::None)];
    if let Some(first) = limits.first() {
        classes.extend(before(*first).map(|value| Class {
            value,
            words: format!("{below} {}", at(*first)),
        }));
    }
    for (place, limit) in limits.iter().enumerate() {
        classes.push(class(at(*limit)));
        let words = match limits.get(place + 1) {
            Some(next) => format!("between {} and {}", at(*limit), at(*next)),
            None => format!("{above} {}", at(*limit)),
        };
        classes.extend(after(*limit).map(|value| Class { value, words }));
    }
    classes
}

/// One class for the values no test names, the empty set among them, and one for the values that the same tests name.
fn set_classes(kind: &FactKind, values: &[String], tests: &[&Test]) -> Vec<Class> {
    let none: BTreeSet<usize> = BTreeSet::new();
    let mut groups: Vec<(BTreeSet<usize>, Vec<&str>, Value)> =
        vec![(none, Vec::new(), Value::Set(BTreeSet::new()))];
    for value in values {
        let set = kind.closed(BTreeSet::from([value.clone()]));
        let named = |test: &Test| match test {
            Test::HasAny(names) => names.iter().any(|name| set.contains(name)),
            Test::IsTrue
            | Test::IsOneOf(_)
            | Test::IsNot(_)
            | Test::Number(..)
            | Test::Date(..) => false,
        };
        let signature: BTreeSet<usize> = (0..tests.len()).filter(|at| named(tests[*at])).collect();
        match groups.iter_mut().find(|(known, ..)| *known == signature) {
            Some((_, names, _)) => names.push(value),
            None => groups.push((signature, vec![value], Value::Set(set))),
        }
    }
    let words = |signature: &BTreeSet<usize>, names: &[&str]| match (signature.is_empty(), names) {
        (true, []) => "none of them".to_owned(),
        (true, names) => format!("none of them, or only {}", names.join(", ")),
        (false, names) => names.join(", "),
    };
    groups
        .into_iter()
        .map(|(signature, names, value)| Class {
            words: words(&signature, &names),
            value,
        })
        .collect()
}

/// What asking a fact is worth, and what each class of answers settles.
fn worth(
    book: &Book,
    answered: &Facts,
    when: AsOf,
    open: &[Unsettled],
    fact: usize,
    tests: &BTreeMap<usize, Vec<&Test>>,
) -> (f64, Vec<Possible>) {
    let kind = &book.vocabulary.kinds()[fact];
    let waiting: Vec<&Unsettled> = open
        .iter()
        .filter(|unsettled| unsettled.missing.contains(&fact))
        .collect();
    let asked = tests.get(&fact).map_or(&[][..], Vec::as_slice);
    let classes = classes(kind, asked);
    let mut tried = answered.clone();
    let (mut counted, mut all) = ((0.0, 0.0), (0.0, 0.0));
    let mut answers = Vec::with_capacity(classes.len());
    for class in classes {
        tried.set(fact, Some(Answer::bare(class.value.clone())));
        let reader = book.reader(&tried, when.known);
        let (mut gain, mut n_settled) = (0.0, 0);
        for unsettled in &waiting {
            let n_alike = unsettled.alike.len();
            let pack = &unsettled.pack;
            // Most answers settle a requirement by ruling it out; its dates need not be looked at then.
            let is_out = reader.holds(&pack.codes[unsettled.index]) == Truth::False;
            let then = (!is_out).then(|| requirement(pack, unsettled.index, &reader, when));
            match then.as_ref().and_then(missing) {
                None => {
                    gain += n_alike as f64;
                    n_settled += n_alike;
                }
                Some(left) => {
                    let share = left.len() as f64 / unsettled.missing.len() as f64;
                    gain += n_alike as f64 * (1.0 - share);
                }
            }
        }
        let is_guarded = kind.is_guarded(&class.value);
        all = (all.0 + gain, all.1 + 1.0);
        if !is_guarded {
            counted = (counted.0 + gain, counted.1 + 1.0);
        }
        answers.push(Possible {
            value: class.value,
            words: class.words,
            n_settled,
            is_guarded,
        });
    }
    // Where every answer is guarded, they all wait for a confirmation alike.
    let (gain, n) = if counted.1 > 0.0 { counted } else { all };
    (gain / n, answers)
}

fn question(
    reader: &Reader<'_>,
    scope: &Scope,
    open: &[Unsettled],
    fact: usize,
    answers: Vec<Possible>,
) -> Question {
    let mut asked_by: Vec<Asking> = Vec::new();
    for unsettled in open.iter().filter(|open| open.missing.contains(&fact)) {
        let pack = &unsettled.pack.pack.id;
        let alike = unsettled.alike.iter().cloned();
        match asked_by.last_mut().filter(|asking| asking.pack == *pack) {
            Some(asking) => asking.requirements.extend(alike),
            None => asked_by.push(Asking {
                pack: pack.clone(),
                requirements: alike.collect(),
            }),
        }
    }
    let in_scope = |id: &str| scope.packs.as_ref().is_none_or(|packs| packs.contains(id));
    let derived = reader.book().derived_facts().iter().enumerate();
    let derived = derived.filter(|(_, derived)| {
        let mut missing = BTreeSet::new();
        if let Some(rule) = derived.rule_at(reader.known()) {
            reader.missing(rule, &mut missing);
        }
        in_scope(&derived.pack) && missing.contains(&fact)
    });
    Question {
        fact,
        answers,
        asked_by,
        derived: derived.map(|(at, _)| at).collect(),
        n_open: open.iter().map(|unsettled| unsettled.alike.len()).sum(),
    }
}

#[cfg(test)]
mod tests;
