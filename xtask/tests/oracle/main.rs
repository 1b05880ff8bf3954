//! The rule engine against two others on the same random rules: the crate `cel` where every fact is known, and a plain reading of
//! Kleene's tables where some are not.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cel;
mod random;

use std::fmt::Write;

use ::cel::{Context, Program};
use alnager_law::book::Book;
use alnager_law::fact::{Answer, Facts, Value, Vocabulary};
use alnager_law::pack::{Pack, Register};
use alnager_law::requirement::{AsOf, Ruled, Standing, requirements};
use alnager_law::rule::{Atom, Rule, Test, Truth};
use jiff::civil::date;

use crate::random::Random;

/// Seed of the first book; book number `n` has this plus `n`.
const SEED: u64 = 20_261_123;

/// Rules in a book, each another one.
const N_RULES: usize = 50;

/// Books compared with the crate `cel`: 100,000 rules when built for release, as `cargo xtask bench law` does, and 5,000 else,
/// because cel's parser without optimisation takes over two CPU minutes for the whole.
const N_BOOKS_CEL: u64 = if cfg!(debug_assertions) { 100 } else { 2_000 };

/// Books compared with Kleene's tables.
const N_BOOKS_KLEENE: u64 = 200;

/// Sets of answers that each rule is read against.
const N_ANSWERS: usize = 2;

/// Ways to answer what is missing, at most, that are all tried.
const N_COMPLETIONS_MAX: usize = 300;

const HEAD: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
[[applies.main]]
from = 2025-01-01
known = 2024-01-01
cite = 'c'
";

const WHEN: AsOf = AsOf {
    valid: date(2026, 11, 23),
    known: date(2026, 11, 23),
};

/// Random rules over a random vocabulary.
#[derive(Debug, Clone)]
struct Set {
    vocabulary: Vocabulary,
    /// Each may ask for those before it.
    derived: Vec<Rule>,
    rules: Vec<Rule>,
}

impl Set {
    fn random(random: &mut Random, n_rules: usize) -> Set {
        let vocabulary = random::vocabulary(random);
        let mut derived = Vec::new();
        for _ in 0..random.below(4) {
            derived.push(random::rule(random, &vocabulary, derived.len(), 2));
        }
        let mut rules = Vec::new();
        for _ in 0..n_rules {
            let depth = random.below(5);
            rules.push(random::rule(random, &vocabulary, derived.len(), depth));
        }
        Set {
            vocabulary,
            derived,
            rules,
        }
    }

    /// A rule as a pack has it.
    fn text(&self, rule: &Rule) -> String {
        rule.text(&self.vocabulary, &|at| format!("derived_{at}"))
    }

    /// The rules as the requirements of one pack, in order.
    fn book(&self) -> Book {
        let mut text = HEAD.to_owned();
        for (at, rule) in self.derived.iter().enumerate() {
            let rule = self.text(rule);
            writeln!(text, "[[derive]]\nfact = 'derived_{at}'\nrule = \"{rule}\"").unwrap();
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let when = self.text(rule);
            writeln!(
                text,
                "[[requirement]]\nid = 'X-{at}'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = \"{when}\"\napplies = ['main']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'"
            )
            .unwrap();
        }
        let evidence =
            "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n";
        Book::new(
            self.vocabulary.clone(),
            Register::parse("e", evidence, "kind").unwrap(),
            Register::default(),
            vec![Pack::parse("x", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))],
        )
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// A rule in CEL, with the rules of derived facts in their places.
    fn cel(&self, rule: &Rule) -> String {
        cel::text(rule, &self.vocabulary, &|at| self.cel(&self.derived[at]))
    }

    fn facts(&self, random: &mut Random, percent: usize) -> Facts {
        let mut facts = Facts::hypothetical(false);
        random::answer(random, &self.vocabulary, percent, &mut facts);
        facts
    }
}

/// What the engine says of every rule of a book: through the requirement, whose condition is compiled, and through its tree.
fn ours(book: &Book, facts: &Facts) -> Vec<[Truth; 2]> {
    let reader = book.reader(facts, WHEN.known);
    let found = requirements(book, facts, WHEN);
    found
        .iter()
        .map(|one| {
            let ready = match &one.standing {
                Standing::InForce { .. } => Truth::True,
                Standing::NotApplicable(Ruled::ByFacts) => Truth::False,
                Standing::Unknown { .. } => Truth::Unknown,
                other => panic!("{other:?}"),
            };
            let tree = reader.truth(&book.bind_condition(&one.text().when).unwrap());
            [ready, tree]
        })
        .collect()
}

/// Kleene's tables, read off: `&&` is false if a part is false, else unknown if a part is unknown, else true; `||` the other way.
fn naive(set: &Set, rule: &Rule, facts: &Facts) -> Truth {
    let each = |rules: &[Rule]| -> Vec<Truth> {
        rules.iter().map(|rule| naive(set, rule, facts)).collect()
    };
    let first = |truths: Vec<Truth>, wins: Truth, else_: Truth| {
        if truths.contains(&wins) {
            wins
        } else if truths.contains(&Truth::Unknown) {
            Truth::Unknown
        } else {
            else_
        }
    };
    match rule {
        Rule::Constant(true) => Truth::True,
        Rule::Constant(false) => Truth::False,
        Rule::All(rules) => first(each(rules), Truth::False, Truth::True),
        Rule::Any(rules) => first(each(rules), Truth::True, Truth::False),
        Rule::Not(rule) => match naive(set, rule, facts) {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        },
        Rule::Atom(atom) => match atom.truth(facts, &set.vocabulary) {
            Ok(true) => Truth::True,
            Ok(false) => Truth::False,
            Err(_) => Truth::Unknown,
        },
        Rule::Derived(at) => naive(set, &set.derived[*at], facts),
    }
}

/// The answers as variables of CEL; every fact has one.
fn context(vocabulary: &Vocabulary, facts: &Facts) -> Context<'static, 'static> {
    let mut context = Context::default();
    for (at, kind) in vocabulary.kinds().iter().enumerate() {
        let value = cel::value(&facts.answer(at).unwrap().value);
        context.add_variable_from_value(kind.name.clone(), value);
    }
    context
}

/// What the crate says; an error, or an answer of another type, in its own words.
fn theirs(program: &Program, context: &Context<'_, '_>) -> Result<Truth, String> {
    match program.execute(context) {
        Ok(::cel::Value::Bool(yes)) => Ok(Truth::from(yes)),
        other => Err(format!("{other:?}")),
    }
}

fn compiled(text: &str) -> Program {
    Program::compile(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Reads the first rule of a set and says how the answers differ; `None` where they agree.
type Differs = dyn Fn(&Set, &Facts) -> Option<String>;

/// Fails with the smallest rule that still differs under these facts.
fn fail(seed: u64, set: &Set, rule: &Rule, facts: &Facts, differs: &Differs) -> ! {
    let with = |rule: Rule| Set {
        rules: vec![rule],
        ..set.clone()
    };
    let mut smallest = with(rule.clone());
    let mut said = differs(&smallest, facts);
    while let Some((next, now)) = smaller(&smallest.rules[0], &set.derived)
        .into_iter()
        .find_map(|rule| differs(&with(rule.clone()), facts).map(|now| (with(rule), now)))
    {
        (smallest, said) = (next, Some(now));
    }
    let answers = set.vocabulary.kinds().iter().enumerate();
    let answers = answers.filter_map(|(at, kind)| {
        let answer = facts.answer(at)?;
        Some(format!("{}={}", kind.name, answer.value.to_text()))
    });
    panic!(
        "seed {seed}: {}\nwith {}\n{}\nfirst seen in {}",
        smallest.text(&smallest.rules[0]),
        answers.collect::<Vec<_>>().join(" "),
        said.unwrap_or_default(),
        set.text(rule),
    )
}

/// Every rule that is this one with one thing less.
fn smaller(rule: &Rule, derived: &[Rule]) -> Vec<Rule> {
    let mut found = Vec::new();
    match rule {
        Rule::Constant(_) | Rule::Atom(_) => {}
        Rule::Derived(at) => found.push(derived[*at].clone()),
        Rule::Not(inner) => {
            found.push((**inner).clone());
            let inner = smaller(inner, derived).into_iter();
            found.extend(inner.map(|rule| Rule::Not(Box::new(rule))));
        }
        Rule::All(rules) | Rule::Any(rules) => {
            let again = |rules: Vec<Rule>| match rule {
                Rule::All(_) => Rule::All(rules),
                _ => Rule::Any(rules),
            };
            found.extend(rules.iter().cloned());
            for at in 0..rules.len() {
                let mut without = rules.clone();
                let part = without.remove(at);
                if without.len() > 1 {
                    found.push(again(without));
                }
                for part in smaller(&part, derived) {
                    let mut with = rules.clone();
                    with[at] = part;
                    found.push(again(with));
                }
            }
        }
    }
    found
}

fn differs_from_cel(set: &Set, facts: &Facts) -> Option<String> {
    let [ready, tree] = ours(&set.book(), facts)[0];
    let text = set.cel(&set.rules[0]);
    let theirs = theirs(&compiled(&text), &context(&set.vocabulary, facts));
    (Ok(ready) != theirs || tree != ready)
        .then(|| format!("ready {ready:?}, tree {tree:?}, cel {theirs:?}: {text}"))
}

#[test]
fn on_complete_facts_random_rules_equal_the_crate_cel() {
    let (mut n_true, mut n_false) = (0, 0);
    for seed in SEED..SEED + N_BOOKS_CEL {
        let mut random = Random(seed);
        let set = Set::random(&mut random, N_RULES);
        let book = set.book();
        let programs = set.rules.iter().map(|rule| compiled(&set.cel(rule)));
        let programs: Vec<Program> = programs.collect();
        for _ in 0..N_ANSWERS {
            let facts = set.facts(&mut random, 100);
            let context = context(&set.vocabulary, &facts);
            for (at, [ready, tree]) in ours(&book, &facts).into_iter().enumerate() {
                if Ok(ready) != theirs(&programs[at], &context) || tree != ready {
                    fail(seed, &set, &set.rules[at], &facts, &differs_from_cel);
                }
                match ready {
                    Truth::True => n_true += 1,
                    Truth::False => n_false += 1,
                    Truth::Unknown => {}
                }
            }
        }
    }
    let n = N_BOOKS_CEL as usize * N_RULES * N_ANSWERS;
    assert_eq!(n_true + n_false, n, "a rule is unknown on complete facts");
    assert!(
        n_true > n / 4 && n_false > n / 4,
        "{n_true} hold, {n_false} do not: too one-sided to compare anything"
    );
}

fn differs_from_kleene(set: &Set, facts: &Facts) -> Option<String> {
    let [ready, tree] = ours(&set.book(), facts)[0];
    let naive = naive(set, &set.rules[0], facts);
    (ready != naive || tree != naive)
        .then(|| format!("ready {ready:?}, tree {tree:?}, Kleene {naive:?}"))
}

#[test]
fn on_missing_facts_random_rules_follow_kleene_in_any_order() {
    let mut n_unknown = 0;
    for seed in SEED..SEED + N_BOOKS_KLEENE {
        let mut random = Random(seed);
        let set = Set::random(&mut random, N_RULES);
        let turned = Set {
            derived: set.derived.iter().map(turned).collect(),
            rules: set.rules.iter().map(turned).collect(),
            ..set.clone()
        };
        let (book, turned) = (set.book(), turned.book());
        for percent in [30, 70] {
            let facts = set.facts(&mut random, percent);
            let found = ours(&book, &facts);
            for (at, [ready, tree]) in found.iter().enumerate() {
                let naive = naive(&set, &set.rules[at], &facts);
                if *ready != naive || *tree != naive {
                    fail(seed, &set, &set.rules[at], &facts, &differs_from_kleene);
                }
                n_unknown += usize::from(naive == Truth::Unknown);
            }
            assert_eq!(ours(&turned, &facts), found, "seed {seed}, turned round");
        }
    }
    let n = N_BOOKS_KLEENE as usize * N_RULES * 2;
    assert!(
        n_unknown > n / 5 && n_unknown < n - n / 5,
        "{n_unknown} of {n} are unknown: too one-sided to compare anything"
    );
}

/// The same rule with the parts of every `&&` and `||` in the opposite order.
fn turned(rule: &Rule) -> Rule {
    let each = |rules: &[Rule]| rules.iter().rev().map(turned).collect();
    match rule {
        Rule::Constant(_) | Rule::Atom(_) | Rule::Derived(_) => rule.clone(),
        Rule::Not(inner) => Rule::Not(Box::new(turned(inner))),
        Rule::All(rules) => Rule::All(each(rules)),
        Rule::Any(rules) => Rule::Any(each(rules)),
    }
}

#[test]
fn a_settled_rule_is_what_every_completion_of_the_facts_says() {
    let (mut n_settled, mut n_completions) = (0, 0);
    for seed in SEED..SEED + N_BOOKS_KLEENE {
        let mut random = Random(seed);
        let set = Set::random(&mut random, 10);
        let book = set.book();
        let facts = set.facts(&mut random, 85);
        let Some(completions) = completions(&set.vocabulary, &facts) else {
            continue;
        };
        let before = ours(&book, &facts);
        for complete in &completions {
            for (at, rule) in set.rules.iter().enumerate() {
                let [ready, tree] = before[at];
                assert_eq!(ready, tree);
                let truth = naive(&set, rule, complete);
                assert_ne!(truth, Truth::Unknown);
                assert!(
                    ready == Truth::Unknown || ready == truth,
                    "seed {seed}: {} was {ready:?} and becomes {truth:?}",
                    set.text(rule)
                );
            }
        }
        n_completions += completions.len();
        n_settled += before
            .iter()
            .filter(|[ready, _]| *ready != Truth::Unknown)
            .count();
    }
    assert!(
        n_settled > 500 && n_completions > 2_000,
        "{n_settled} settled, {n_completions} completions"
    );
}

/// Every way to answer what is missing; `None` where there are too many.
fn completions(vocabulary: &Vocabulary, facts: &Facts) -> Option<Vec<Facts>> {
    let mut found = vec![facts.clone()];
    for (at, kind) in vocabulary.kinds().iter().enumerate() {
        if facts.answer(at).is_some() {
            continue;
        }
        let values = random::every_value(kind);
        if found.len() * values.len() > N_COMPLETIONS_MAX {
            return None;
        }
        let with = |facts: &Facts, value: &Value| {
            let mut facts = facts.clone();
            facts.set(at, Some(Answer::bare(value.clone())));
            facts
        };
        found = found
            .iter()
            .flat_map(|facts| values.iter().map(move |value| with(facts, value)))
            .collect();
    }
    Some(found)
}

/// The tables as they are printed: rows are the left side, columns the right one, in the order false, unknown, true.
#[test]
fn the_tables_of_and_or_not_are_kleenes() {
    let text = "schema = 'alnager.facts/1'\nversion = '1'\n[fact.a]\ntype = 'bool'\nquestion = 'a?'\nserves = ['all']\n[fact.b]\ntype = 'bool'\nquestion = 'b?'\nserves = ['all']\n";
    let is_true = |fact| {
        Rule::Atom(Atom {
            fact,
            test: Test::IsTrue,
        })
    };
    let (a, b) = (is_true(0), is_true(1));
    let set = Set {
        vocabulary: Vocabulary::parse("f", text).unwrap(),
        derived: Vec::new(),
        rules: vec![
            Rule::All(vec![a.clone(), b.clone()]),
            Rule::Any(vec![a.clone(), b]),
            Rule::Not(Box::new(a)),
        ],
    };
    let book = set.book();
    let mut tables = [String::new(), String::new(), String::new()];
    let three = [Some(false), None, Some(true)];
    for left in three {
        for right in three {
            let mut facts = Facts::hypothetical(false);
            facts.set(0, left.map(|yes| Answer::bare(Value::Bool(yes))));
            facts.set(1, right.map(|yes| Answer::bare(Value::Bool(yes))));
            for (table, [ready, tree]) in tables.iter_mut().zip(ours(&book, &facts)) {
                assert_eq!(ready, tree);
                table.push(match ready {
                    Truth::False => 'F',
                    Truth::Unknown => 'U',
                    Truth::True => 'T',
                });
            }
        }
        tables.iter_mut().for_each(|table| table.push(' '));
    }
    assert_eq!(tables, ["FFF FUU FUT ", "FUT UUT TTT ", "TTT UUU FFF "]);
}
