//! Random vocabularies, rules and answers from a seed: the same seed, the same ones, on every machine.

use alnager_law::fact::{Answer, FactKind, FactType, Facts, Value, Vocabulary};
use alnager_law::rule::{Atom, Comparison, Rule, Test};
use jiff::civil::Date;

/// A sequence of numbers that look random. Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
/// generators" (OOPSLA 2014), `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `n` − 1. The remainder's bias is below one in 10¹⁵ for the small `n` used here.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Yes in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of some.
    pub(crate) fn pick<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// Each of some with this chance.
    fn part<'a>(&mut self, some: &'a [String], percent: usize) -> Vec<&'a String> {
        some.iter().filter(|_| self.chance(percent)).collect()
    }
}

/// Few, so that equality is met; with the ends that a binary fraction, a large or a negative number has.
const NUMBERS: [f64; 9] = [-1.5, 0.0, 0.1, 1.0, 2.5, 500.0, 1e15, 1e25, 3.5e25];

const DAYS: [&str; 6] = [
    "1999-12-31",
    "2024-02-29",
    "2025-08-02",
    "2026-08-01",
    "2026-08-02",
    "2027-12-02",
];

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::AtMost,
    Comparison::More,
    Comparison::AtLeast,
];

fn day(random: &mut Random) -> Date {
    let text = random.pick(&DAYS);
    text.parse().unwrap_or(Date::ZERO)
}

/// Two to four facts of each type as `packs/facts.toml` would say them; sets and enums have one to four values, and some values of a
/// set lie within others.
pub(crate) fn vocabulary(random: &mut Random) -> Vocabulary {
    let mut text = "schema = 'alnager.facts/1'\nversion = '1'\n".to_owned();
    for of in ["bool", "number", "date", "enum", "set"] {
        for at in 0..2 + random.below(3) {
            text +=
                &format!("[fact.{of}_{at}]\ntype = '{of}'\nquestion = 'q?'\nserves = ['all']\n");
            if of == "enum" || of == "set" {
                let n_values = 1 + random.below(4);
                let values: Vec<String> = (0..n_values).map(|value| format!("v{value}")).collect();
                text += &format!("values = {values:?}\n");
                if of == "set" && n_values > 1 && random.chance(30) {
                    text += "within = { v1 = 'v0' }\n";
                }
            }
        }
    }
    Vocabulary::parse("random", &text).unwrap_or_default()
}

/// A rule of at most `depth` levels that may ask for the first `n_derived` derived facts.
pub(crate) fn rule(
    random: &mut Random,
    vocabulary: &Vocabulary,
    n_derived: usize,
    depth: usize,
) -> Rule {
    let leaf = depth == 0 || random.chance(25);
    if leaf {
        return match random.below(20) {
            0 => Rule::Constant(random.chance(50)),
            1..=3 if n_derived > 0 => Rule::Derived(random.below(n_derived)),
            _ => Rule::Atom(atom(random, vocabulary)),
        };
    }
    let several = |random: &mut Random| {
        let n = 2 + random.below(3);
        (0..n)
            .map(|_| rule(random, vocabulary, n_derived, depth - 1))
            .collect()
    };
    match random.below(5) {
        0 | 1 => Rule::All(several(random)),
        2 | 3 => Rule::Any(several(random)),
        _ => Rule::Not(Box::new(rule(random, vocabulary, n_derived, depth - 1))),
    }
}

fn atom(random: &mut Random, vocabulary: &Vocabulary) -> Atom {
    let fact = random.below(vocabulary.kinds().len());
    let test = match &vocabulary.kinds()[fact].of {
        FactType::Bool => Test::IsTrue,
        FactType::Number => Test::Number(*random.pick(&COMPARISONS), *random.pick(&NUMBERS)),
        FactType::Date => Test::Date(*random.pick(&COMPARISONS), day(random)),
        FactType::Enum(values) if random.chance(30) => Test::IsNot(random.pick(values).clone()),
        FactType::Enum(values) => Test::IsOneOf(some(random, values)),
        FactType::Set(values) => Test::HasAny(some(random, values)),
    };
    Atom { fact, test }
}

/// At least one of the values.
fn some(random: &mut Random, values: &[String]) -> Vec<String> {
    let mut some: Vec<String> = random.part(values, 40).into_iter().cloned().collect();
    if some.is_empty() {
        some.push(random.pick(values).clone());
    }
    some
}

/// An answer to a fact's question; one date or number in eight is `none`.
pub(crate) fn value(random: &mut Random, kind: &FactKind) -> Value {
    match &kind.of {
        FactType::Bool => Value::Bool(random.chance(50)),
        FactType::Number | FactType::Date if random.chance(12) => Value::None,
        FactType::Number => Value::Number(*random.pick(&NUMBERS)),
        FactType::Date => Value::Date(day(random)),
        FactType::Enum(values) => Value::One(random.pick(values).clone()),
        FactType::Set(values) => {
            let set = random.part(values, 40).into_iter().cloned().collect();
            Value::Set(kind.closed(set))
        }
    }
}

/// Answers to `percent` of 100 questions, added to facts that are still empty.
pub(crate) fn answer(
    random: &mut Random,
    vocabulary: &Vocabulary,
    percent: usize,
    facts: &mut Facts,
) {
    for (at, kind) in vocabulary.kinds().iter().enumerate() {
        if random.chance(percent) {
            let mut answer = Answer::bare(value(random, kind));
            answer.by = "random".to_owned();
            facts.set(at, Some(answer));
        }
    }
}

/// Every answer to a fact's question that rules can tell apart: of a set, the closed ones; of a number or a day, all that rules
/// compare with, and `none`.
pub(crate) fn every_value(kind: &FactKind) -> Vec<Value> {
    match &kind.of {
        FactType::Bool => vec![Value::Bool(false), Value::Bool(true)],
        FactType::Number => {
            let numbers = NUMBERS.iter().map(|number| Value::Number(*number));
            numbers.chain([Value::None]).collect()
        }
        FactType::Date => {
            let days = DAYS.iter().filter_map(|day| kind.parse(day));
            days.chain([Value::None]).collect()
        }
        FactType::Enum(values) => values.iter().cloned().map(Value::One).collect(),
        FactType::Set(values) => {
            let subsets = (0..1_usize << values.len()).map(|subset| {
                let values = values.iter().enumerate();
                let values = values.filter(|(at, _)| subset >> at & 1 == 1);
                Value::Set(kind.closed(values.map(|(_, value)| value.clone()).collect()))
            });
            subsets.collect()
        }
    }
}
