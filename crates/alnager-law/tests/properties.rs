//! What holds for every system, day and state of knowledge under the packs as they are: learning never re-opens, order does not
//! matter, time only goes forward.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "the packs are read as they lie on disk, so that a new one is tested without building the program"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use alnager_law::book::Book;
use alnager_law::cases;
use alnager_law::fact::{Answer, FactKind, FactType, Facts, Value, Vocabulary};
use alnager_law::pack::{Condition, Pack, Register};
use alnager_law::requirement::{AsOf, Requirement, Standing, requirements, requirements_on};
use alnager_law::rule::{Rule, Test, Truth};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// The packs as they lie on disk, and what their conditions compare each fact with.
struct World {
    book: Book,
    rules: Vec<Rule>,
    /// For each fact the answers that its conditions tell apart; empty for a set.
    answers: Vec<Vec<Value>>,
    /// The facts that date rows, choices of groups and transitions ask about.
    dating: Vec<usize>,
    /// The systems of the cases, each fact answered: laws concern few systems drawn from nothing.
    systems: Vec<Given>,
}

/// Answers by position.
type Given = Vec<Option<Value>>;

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let book = book(packs());
    let dates = bound(&book, book.packs().flat_map(dating));
    let mut rules = bound(&book, book.packs().flat_map(concerning));
    let dating = asked(&dates);
    rules.extend(dates);
    let kinds = book.vocabulary.kinds().iter().enumerate();
    let answers = kinds.map(|(at, kind)| answers(at, kind, &rules)).collect();
    let systems = systems(&book);
    World {
        book,
        rules,
        answers,
        dating,
        systems,
    }
});

fn place(name: &str) -> PathBuf {
    // Read when run, not when compiled: clones may share what they compile.
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    root.join("../../packs").join(name)
}

fn text(name: &str) -> String {
    let path = place(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn packs() -> Vec<Pack> {
    let mut packs = Vec::new();
    for kind in ["law", "framework"] {
        for folder in std::fs::read_dir(place(kind)).unwrap() {
            let name = folder.unwrap().file_name();
            let file = format!("{kind}/{}/pack.toml", name.to_string_lossy());
            packs.push(Pack::parse(&file, &text(&file)).unwrap_or_else(|error| panic!("{error}")));
        }
    }
    packs.sort_by(|one, other| one.id.cmp(&other.id));
    packs
}

fn book(packs: Vec<Pack>) -> Book {
    Book::new(
        Vocabulary::parse("facts.toml", &text("facts.toml")).unwrap(),
        Register::parse("evidence.toml", &text("evidence.toml"), "kind").unwrap(),
        Register::parse("controls.toml", &text("controls.toml"), "control").unwrap(),
        packs,
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

/// The conditions on whether requirements concern a system.
fn concerning(pack: &Pack) -> Vec<&Condition> {
    let mut found = Vec::new();
    for derive in &pack.derives {
        found.push(&derive.rule);
        found.extend(&derive.unless);
    }
    for text in &pack.requirements {
        found.push(&text.when);
        found.extend(&text.unless);
    }
    found
}

/// The conditions on when requirements govern.
fn dating(pack: &Pack) -> Vec<&Condition> {
    let rows = pack.applies.values().flatten();
    let choices = pack.choose.values().flatten();
    let mut found: Vec<&Condition> = rows.filter_map(|row| row.when.as_ref()).collect();
    found.extend(choices.filter_map(|choice| choice.when.as_ref()));
    found.extend(pack.transitions.iter().map(|transition| &transition.when));
    found
}

fn bound<'a>(book: &Book, conditions: impl Iterator<Item = &'a Condition>) -> Vec<Rule> {
    conditions
        .map(|one| book.bind_condition(one).unwrap())
        .collect()
}

/// The facts that rules ask about themselves, not through derived facts.
fn asked(rules: &[Rule]) -> Vec<usize> {
    let mut found = BTreeSet::new();
    for rule in rules {
        rule.leaves(&mut |leaf| {
            if let Rule::Atom(atom) = leaf {
                found.insert(atom.fact);
            }
        });
    }
    found.into_iter().collect()
}

/// The answers to a question that conditions may tell apart: for numbers and days each limit, both its sides, and `none`.
fn answers(fact: usize, kind: &FactKind, rules: &[Rule]) -> Vec<Value> {
    let mut found = kind.alternatives();
    for rule in rules {
        rule.leaves(&mut |leaf| {
            let Rule::Atom(atom) = leaf else { return };
            match &atom.test {
                _ if atom.fact != fact => {}
                Test::Number(_, limit) => {
                    found.extend([limit * 0.9, *limit, limit * 1.1].map(Value::Number));
                }
                Test::Date(_, limit) => found.extend(
                    [-1, 0, 1]
                        .map(|days: i64| Value::Date(limit.checked_add(days.days()).unwrap())),
                ),
                Test::IsTrue | Test::HasAny(_) | Test::IsOneOf(_) | Test::IsNot(_) => {}
            }
        });
    }
    found
}

/// The answer that a random choice stands for: of a set every value with a chance of one in four.
fn value(world: &World, fact: usize, choice: u64) -> Value {
    let kind = &world.book.vocabulary.kinds()[fact];
    if let FactType::Set(values) = &kind.of {
        let bits = choice & choice.rotate_left(17);
        let values = values.iter().enumerate();
        let values = values.filter(|(at, _)| bits >> (at % 64) & 1 == 1);
        return Value::Set(kind.closed(values.map(|(_, value)| value.clone()).collect()));
    }
    let answers = &world.answers[fact];
    answers[(choice % answers.len() as u64) as usize].clone()
}

/// The systems of every case; what a case does not list is no, empty, none, or the first value.
fn systems(book: &Book) -> Vec<Given> {
    let kinds = book.vocabulary.kinds();
    let mut found = Vec::new();
    for pack in book.packs() {
        let file = pack.file().replace("pack.toml", "cases.toml");
        if !place(&file).is_file() {
            continue;
        }
        for case in cases::parse(&file, &text(&file), &book.vocabulary).unwrap() {
            let answer = |kind: &FactKind| match (case.facts.get(&kind.name), &kind.of) {
                (Some(value), _) => value.clone(),
                (None, FactType::Bool) => Value::Bool(false),
                (None, FactType::Set(_)) => Value::Set(BTreeSet::new()),
                (None, FactType::Number | FactType::Date) => Value::None,
                (None, FactType::Enum(values)) => Value::One(values[0].clone()),
            };
            found.push(kinds.iter().map(|kind| Some(answer(kind))).collect());
        }
    }
    found
}

/// The facts of a system; a guarded answer counts where it is confirmed.
fn facts(given: &Given, guarded: bool) -> Facts {
    let mut facts = if guarded {
        Facts::new()
    } else {
        Facts::hypothetical(false)
    };
    for (fact, value) in given.iter().enumerate() {
        facts.set(fact, value.clone().map(Answer::bare));
    }
    facts
}

/// Each fact from a case or, with a share of `drawn`, from chance; and unknown with a share of `unknown`.
fn given(drawn: f64, unknown: f64) -> impl Strategy<Value = Given> {
    let chances = || (any::<u64>(), 0.0..1.0, 0.0..1.0);
    let chances = proptest::collection::vec(chances(), WORLD.book.vocabulary.kinds().len());
    (prop::sample::select(&WORLD.systems[..]), chances).prop_map(move |(system, chances)| {
        let facts = system.into_iter().zip(chances).enumerate();
        facts
            .map(
                |(fact, (value, (choice, draws, hides)))| match (draws < drawn, hides < unknown) {
                    (_, true) => None,
                    (true, false) => Some(self::value(&WORLD, fact, choice)),
                    (false, false) => value,
                },
            )
            .collect()
    })
}

/// Cases changed a little or a lot, with none, a few or half of the facts unknown.
fn some() -> impl Strategy<Value = Given> {
    prop_oneof![
        given(0.05, 0.0),
        given(0.05, 0.1),
        given(0.05, 0.5),
        given(1.0, 0.1),
        given(1.0, 0.5),
    ]
}

/// Any fact, and as often one on which dates depend.
fn one() -> impl Strategy<Value = usize> {
    let any_fact = 0..WORLD.book.vocabulary.kinds().len();
    prop_oneof![any_fact, prop::sample::select(&WORLD.dating[..])]
}

/// Every fact answered.
fn all() -> impl Strategy<Value = Given> {
    prop_oneof![given(0.05, 0.0), given(1.0, 0.0)]
}

/// The first two days of a month, where most dates of the packs lie: of any year that they speak of, and more often of those in
/// which most changes.
fn day() -> impl Strategy<Value = Date> {
    let year = prop_oneof![1 => 2009_i16..=2036, 3 => 2024_i16..=2030];
    (year, 1_i8..=12, 1_i8..=2).prop_map(|(year, month, day)| date(year, month, day))
}

fn standings(facts: &Facts, when: AsOf) -> Vec<(String, Standing)> {
    told(&requirements(&WORLD.book, facts, when))
}

fn told(requirements: &[Requirement]) -> Vec<(String, Standing)> {
    let tell = |one: &Requirement| (one.text().id.clone(), one.standing.clone());
    requirements.iter().map(tell).collect()
}

/// Where a standing lies on the way that every requirement goes; `None` where it is not on it.
fn stage(standing: &Standing) -> Option<u8> {
    match standing {
        Standing::Ahead { .. } => Some(0),
        Standing::Waiting { .. } => Some(1),
        Standing::InForce { .. } => Some(2),
        Standing::Ended { .. } => Some(3),
        Standing::NotApplicable(_) | Standing::Unknown { .. } => None,
    }
}

/// Whether the second says what the first said, or says it more closely. That a requirement is in force may be settled before it is
/// known since when; that it does not apply, before it is known why; and that it has ended for everyone, before it is known
/// whether it ever concerned this system.
fn settled_alike(before: &Standing, after: &Standing) -> bool {
    match (before, after) {
        (Standing::InForce { .. }, Standing::InForce { .. })
        | (Standing::NotApplicable(_) | Standing::Ended { .. }, Standing::NotApplicable(_)) => true,
        (before, after) => before == after,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn learning_a_fact_never_reopens_a_settled_requirement(
        mut given in some(), at in one(), learned: u64, guarded: bool, valid in day(), known in day(),
    ) {
        let when = AsOf { valid, known };
        given[at] = None;
        let mut facts = facts(&given, guarded);
        let before = standings(&facts, when);
        let mut answer = Answer::bare(value(&WORLD, at, learned));
        answer.confirmed_by = Some("someone else".to_owned());
        facts.set(at, Some(answer));
        for ((id, before), (_, after)) in before.iter().zip(standings(&facts, when)) {
            match before {
                // What did not wait for this fact goes on waiting for the same.
                Standing::Unknown { missing, .. } if missing.contains(&at) => {}
                Standing::Unknown { .. } => prop_assert_eq!(before, &after, "{} does not wait for it", id),
                _ => prop_assert!(settled_alike(before, &after), "{} was {:?} and becomes {:?}", id, before, after),
            }
        }
    }

    #[test]
    fn with_every_fact_known_nothing_is_open(given in all(), valid in day(), known in day()) {
        for (id, standing) in standings(&facts(&given, false), AsOf { valid, known }) {
            let open = matches!(standing, Standing::Unknown { .. });
            prop_assert!(!open, "{} is {:?}", id, standing);
        }
    }

    #[test]
    fn from_day_to_day_a_requirement_goes_only_forward(given in some(), known in day(), mut days in proptest::collection::vec(day(), 2..8)) {
        days.sort();
        let facts = facts(&given, false);
        let reader = WORLD.book.reader(&facts, known);
        let n_requirements = requirements_on(&reader, days[0]).len();
        let mut reached = vec![0; n_requirements];
        for valid in days {
            let found = requirements_on(&reader, valid);
            for (reached, one) in reached.iter_mut().zip(&found) {
                if let Some(stage) = stage(&one.standing) {
                    prop_assert!(*reached <= stage, "{} is {:?} on {} and was further before", one.text().id, one.standing, valid);
                    *reached = stage;
                }
            }
            // A reader that has been asked about other days says the same as a new one.
            prop_assert_eq!(told(&found), standings(&facts, AsOf { valid, known }));
        }
    }

    #[test]
    fn the_order_of_parts_changes_no_condition(given in some(), known in day()) {
        let facts = facts(&given, true);
        let reader = WORLD.book.reader(&facts, known);
        for rule in &WORLD.rules {
            prop_assert_eq!(reader.truth(rule), reader.truth(&turned(rule)), "{:?}", rule);
        }
    }
}

proptest! {
    // Each case binds all packs anew.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_packs_changes_no_requirement(order in Just(packs()).prop_shuffle(), systems in proptest::collection::vec(some(), 4), valid in day(), known in day()) {
        let other = book(order);
        let when = AsOf { valid, known };
        for given in systems {
            let facts = facts(&given, true);
            let sorted = |book: &Book| {
                let mut found: Vec<String> = requirements(book, &facts, when).iter().map(shown).collect();
                found.sort();
                found
            };
            let found = sorted(&other);
            prop_assert_eq!(&found, &sorted(&WORLD.book));
            // Asked again, the same.
            prop_assert_eq!(found, sorted(&other));
        }
    }
}

/// Everything that follows from facts and days.
fn shown(one: &Requirement) -> String {
    let (id, standing, force) = (&one.text().id, &one.standing, &one.force);
    let (counsel, preview, dated_by) = (&one.for_counsel, &one.preview, &one.dated_by);
    format!("{id} {standing:?} {force:?} {counsel:?} {preview:?} {dated_by:?}")
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
fn every_requirement_is_told_once() {
    let world = &WORLD;
    let found = standings(
        &Facts::new(),
        AsOf {
            valid: Date::MAX,
            known: Date::MAX,
        },
    );
    let ids: BTreeSet<&String> = found.iter().map(|(id, _)| id).collect();
    let n_written: usize = world.book.packs().map(|pack| pack.requirements.len()).sum();
    assert_eq!((found.len(), ids.len()), (n_written, n_written));
}

/// The properties above say something only if random facts reach what they speak of.
#[test]
fn random_facts_reach_every_standing_and_both_answers_of_most_conditions() {
    let world = &WORLD;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut stages = BTreeSet::new();
    let mut seen = vec![BTreeSet::new(); world.rules.len()];
    for _ in 0..1000 {
        let strategy = (all(), day(), day());
        let (given, valid, known) = strategy.new_tree(&mut runner).unwrap().current();
        let facts = facts(&given, false);
        let found = standings(&facts, AsOf { valid, known });
        stages.extend(found.iter().filter_map(|(_, standing)| stage(standing)));
        let reader = world.book.reader(&facts, Date::MAX);
        for (rule, seen) in world.rules.iter().zip(&mut seen) {
            seen.insert(reader.truth(rule) == Truth::True);
        }
    }
    let n_both = seen.iter().filter(|truths| truths.len() == 2).count();
    assert_eq!(stages, BTreeSet::from([0, 1, 2, 3]));
    assert!(
        n_both * 3 > seen.len() * 2,
        "{n_both} of {} conditions came out both ways",
        seen.len()
    );
}
