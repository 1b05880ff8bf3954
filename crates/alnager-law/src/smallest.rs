//! The fewest answers that would have to change before a requirement stands differently, where no single one suffices.
//!
//! Works down the rule instead of trying combinations: what makes a rule hold is a list of wishes about facts, those of its parts
//! are joined, and only the shortest are kept. Every list is tried on the real facts before it is told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::book::{Book, Reader};
use crate::fact::{Answer, FactKind, FactType, Facts, Value};
use crate::requirement::Standing;
use crate::rule::{Atom, Rule, Test, Truth};

/// Several answers that together would change how a requirement stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// The facts by position, with their other answers.
    pub answers: Vec<(usize, Value)>,
    /// How the requirement would then stand.
    pub standing: Standing,
}

/// Lists kept at each step of a rule: the shortest ones.
const N_KEPT: usize = 24;
/// Values of one set tried for one question; the others are alike.
const N_VALUES: usize = 4;

/// What must be asked of some facts: each question with the answer it must get.
type Wishes = BTreeMap<usize, Vec<(Atom, bool)>>;

/// The smallest joint changes, all of one size. Each goal is a rule and what it should be; where a goal is reached and the
/// requirement still does not stand differently, the `obstacles` are what may be in its way. Empty where nothing would do.
pub(crate) fn smallest(
    reader: &Reader<'_>,
    goals: &[(&Rule, bool)],
    obstacles: &[&Rule],
    now: &Standing,
    judge: impl Fn(&Facts) -> Standing,
) -> Vec<Joint> {
    let mut known = Known::new();
    let mut lists = Vec::new();
    for (rule, wanted) in goals {
        lists.extend(ways(reader, rule, *wanted, &mut known));
    }
    let settles = |standing: &Standing| {
        std::mem::discriminant(standing) != std::mem::discriminant(now)
            && !matches!(standing, Standing::Unknown { .. })
    };
    let mut found: Vec<Joint> = Vec::new();
    for wishes in lists.into_iter().filter(|wishes| !wishes.is_empty()) {
        let Some((facts, answers)) = grant_all(reader, &wishes) else {
            continue;
        };
        let standing = judge(&facts);
        if settles(&standing) {
            found.push(Joint { answers, standing });
            continue;
        }
        // The goal is reached, and something else stands in the way.
        let next = reader.book().reader(&facts, reader.known());
        let mut further = vec![Wishes::new()];
        let mut known = Known::new();
        for obstacle in obstacles {
            let more = ways(&next, obstacle, false, &mut known);
            further = joined(&next, &further, &more);
        }
        for more in further.iter().filter(|more| !more.is_empty()) {
            let Some((facts, _)) = grant_all(&next, more) else {
                continue;
            };
            let standing = judge(&facts);
            if settles(&standing) {
                let changed = wishes.keys().chain(more.keys()).collect::<BTreeSet<_>>();
                let answers = changed.into_iter().filter_map(|fact| {
                    let answer = facts.answer(*fact)?;
                    Some((*fact, answer.value.clone()))
                });
                found.push(Joint {
                    answers: answers.collect(),
                    standing,
                });
            }
        }
    }
    let fewest = found.iter().map(|joint| joint.answers.len()).min();
    let mut distinct: Vec<Joint> = Vec::new();
    for joint in found {
        if Some(joint.answers.len()) == fewest && !distinct.contains(&joint) {
            distinct.push(joint);
        }
    }
    distinct
}

/// The facts with every wish granted, and the new answers; `None` where wishes contradict each other.
fn grant_all(reader: &Reader<'_>, wishes: &Wishes) -> Option<(Facts, Vec<(usize, Value)>)> {
    let mut facts = reader.facts().clone();
    let mut answers = Vec::new();
    for (fact, wanted) in wishes {
        let value = granted(reader.book(), reader.facts(), *fact, wanted)?;
        let mut answer = Answer::bare(value.clone());
        answer.confirmed_by = Some(String::new());
        facts.set(*fact, Some(answer));
        answers.push((*fact, value));
    }
    Some((facts, answers))
}

/// What is known already of derived facts: the lists of each, for it to hold and for it not to.
type Known = BTreeMap<(usize, bool), Vec<Wishes>>;

/// The shortest lists of wishes after which a rule would be as wanted; one empty list where it is so already.
fn ways(reader: &Reader<'_>, rule: &Rule, wanted: bool, known: &mut Known) -> Vec<Wishes> {
    if reader.truth(rule) == Truth::from(wanted) {
        return vec![Wishes::new()];
    }
    match (rule, wanted) {
        (Rule::Constant(_), _) => Vec::new(),
        (Rule::Not(rule), _) => ways(reader, rule, !wanted, known),
        (Rule::All(rules), true) | (Rule::Any(rules), false) => {
            let mut whole = vec![Wishes::new()];
            for rule in rules {
                let more = ways(reader, rule, wanted, known);
                whole = joined(reader, &whole, &more);
            }
            whole
        }
        (Rule::All(rules), false) | (Rule::Any(rules), true) => {
            let mut lists: Vec<Wishes> = rules
                .iter()
                .flat_map(|rule| ways(reader, rule, wanted, known))
                .collect();
            shorten(&mut lists);
            lists
        }
        (Rule::Atom(atom), _) => match (&atom.test, wanted) {
            (Test::HasAny(values), true) => values
                .iter()
                .take(N_VALUES)
                .map(|value| {
                    let one = Atom {
                        fact: atom.fact,
                        test: Test::HasAny(vec![value.clone()]),
                    };
                    Wishes::from([(atom.fact, vec![(one, true)])])
                })
                .collect(),
            _ => vec![Wishes::from([(atom.fact, vec![(atom.clone(), wanted)])])],
        },
        (Rule::Derived(at), _) => {
            if let Some(lists) = known.get(&(*at, wanted)) {
                return lists.clone();
            }
            let lists = match reader.book().derived(*at).rule_at(reader.known()) {
                Some(rule) => ways(reader, rule, wanted, known),
                None => Vec::new(),
            };
            known.insert((*at, wanted), lists.clone());
            lists
        }
    }
}

/// Every list of the one with every list of the other, but for those that wish of one fact what no answer grants: they would take
/// the place of longer ones that can be granted.
fn joined(reader: &Reader<'_>, one: &[Wishes], other: &[Wishes]) -> Vec<Wishes> {
    let mut lists = Vec::new();
    for left in one {
        for right in other {
            let mut both = left.clone();
            let mut can_be_granted = true;
            for (fact, more) in right {
                let wanted = both.entry(*fact).or_default();
                let is_new = wanted.is_empty();
                for wish in more {
                    if !wanted.contains(wish) {
                        wanted.push(wish.clone());
                    }
                }
                can_be_granted &=
                    is_new || granted(reader.book(), reader.facts(), *fact, wanted).is_some();
            }
            if can_be_granted {
                lists.push(both);
            }
        }
    }
    shorten(&mut lists);
    lists
}

fn shorten(lists: &mut Vec<Wishes>) {
    lists.sort_by_key(|wishes| wishes.len());
    lists.truncate(N_KEPT);
}

/// An answer that grants every wish about one fact; `None` where there is none.
fn granted(book: &Book, facts: &Facts, fact: usize, wanted: &[(Atom, bool)]) -> Option<Value> {
    let kind = &book.vocabulary.kinds()[fact];
    let grants = |value: &Value| wanted.iter().all(|(atom, yes)| atom.holds(value) == *yes);
    candidates(kind, facts, fact, wanted)
        .into_iter()
        .find(grants)
}

fn candidates(kind: &FactKind, facts: &Facts, fact: usize, wanted: &[(Atom, bool)]) -> Vec<Value> {
    match &kind.of {
        FactType::Bool => vec![Value::Bool(true), Value::Bool(false)],
        FactType::Enum(values) => values.iter().cloned().map(Value::One).collect(),
        FactType::Number => {
            let limits = wanted.iter().filter_map(|(atom, _)| match &atom.test {
                Test::Number(_, limit) => Some(*limit),
                _ => None,
            });
            let mut limits: Vec<f64> = limits.collect();
            limits.sort_by(f64::total_cmp);
            // On the limits, the nearest beyond them, and between them: what other questions ask of the number stays likely.
            let step = |limit: f64| match limit.fract() == 0.0 && limit.abs() < 1e6 {
                true => 1.0,
                false => limit.abs().max(1e-3) * 1e-3,
            };
            let near = limits
                .iter()
                .flat_map(|limit| [*limit, limit + step(*limit), limit - step(*limit)]);
            let between = limits.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
            near.chain(between).map(Value::Number).collect()
        }
        FactType::Date => {
            let limits = wanted.iter().filter_map(|(atom, _)| match &atom.test {
                Test::Date(_, limit) => Some(*limit),
                _ => None,
            });
            let around = |limit: Date| [Ok(limit), limit.yesterday(), limit.tomorrow()];
            limits.flat_map(around).flatten().map(Value::Date).collect()
        }
        FactType::Set(_) => {
            let mut set = match facts.answer(fact).map(|answer| &answer.value) {
                Some(Value::Set(set)) => set.clone(),
                _ => BTreeSet::new(),
            };
            for (atom, yes) in wanted {
                if let Test::HasAny(values) = &atom.test {
                    if *yes {
                        set.extend(values.iter().cloned());
                    } else {
                        set.retain(|value| {
                            !kind
                                .closed(BTreeSet::from([value.clone()]))
                                .iter()
                                .any(|outer| values.contains(outer))
                        });
                    }
                }
            }
            vec![Value::Set(kind.closed(set))]
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use expect_test::{Expect, expect};
    use jiff::civil::date;

    use crate::book::Book;
    use crate::explain::explain;
    use crate::fact::{Answer, Facts, Vocabulary};
    use crate::pack::{Pack, Register};
    use crate::requirement::AsOf;

    const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.a]
type = 'bool'
question = 'a?'
serves = ['all']
[fact.b]
type = 'bool'
question = 'b?'
serves = ['all']
[fact.uses]
type = 'set'
values = ['x', 'y', 'z']
question = 'uses?'
serves = ['all']
[fact.n]
type = 'number'
question = 'n?'
serves = ['all']
";

    /// The joint changes for a requirement with this condition, every fact answered false, empty or 0.
    fn check(when: &str, want: Expect) {
        let pack = format!(
            "schema = 'alnager.pack/1'\nid = 'x'\nversion = '1'\ntitle = 'X'\nshort = 'X'\njurisdiction = 'X'\nkind = 'statute'\nbinding = true\ncitation = 'X'\nconfidence = 'A'\nstatus = {{ state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }}\n[[applies.main]]\nfrom = 2025-01-01\nknown = 2024-01-01\ncite = 'c'\n[[requirement]]\nid = 'X-1'\nwhat = 'w'\nhow = 'h'\ncite = 'c'\nwhen = \"{when}\"\napplies = ['main']\nphase = 'before_use'\nevidence = ['e']\nrole = 'legal'\n"
        );
        let evidence =
            "schema = 'alnager.evidence/1'\nversion = '1'\n[kind.e]\ntitle = 't'\nwhat = 'w'\n";
        let book = Book::new(
            Vocabulary::parse("f", FACTS).unwrap(),
            Register::parse("e", evidence, "kind").unwrap(),
            Register::default(),
            vec![Pack::parse("p", &pack).unwrap()],
        )
        .unwrap();
        let mut facts = Facts::hypothetical(false);
        for (name, text) in [("a", "false"), ("b", "false"), ("uses", ""), ("n", "0")] {
            let position = book.vocabulary.position(name).unwrap();
            let value = book.vocabulary.kinds()[position].parse(text).unwrap();
            facts.set(position, Some(Answer::bare(value)));
        }
        let day = AsOf {
            valid: date(2026, 1, 1),
            known: date(2026, 1, 1),
        };
        let found = explain(&book, &facts, day, "X-1").unwrap();
        let lines: Vec<String> = found
            .joint
            .iter()
            .map(|joint| {
                let answers = joint.answers.iter().map(|(fact, value)| {
                    format!("{}={value}", book.vocabulary.kinds()[*fact].name)
                });
                answers.collect::<Vec<_>>().join(" ")
            })
            .collect();
        want.assert_eq(&format!(
            "{} single; {}",
            found.flips.len(),
            lines.join(" | ")
        ));
    }

    #[test]
    fn the_fewest_answers_that_settle_it_otherwise_are_named() {
        check("a", expect!["1 single; "]);
        check("a && b", expect!["0 single; a=yes b=yes"]);
        check(
            "a && b && 'x' in uses",
            expect!["0 single; a=yes b=yes uses=x"],
        );
        check(
            "(a && b && n > 3) || (a && has_any(uses, ['x', 'y']))",
            expect!["0 single; a=yes uses=x | a=yes uses=y"],
        );
        check("a && n > 3 && n < 5", expect!["0 single; a=yes n=4"]);
        // Of the shortest lists most contradict themselves; they do not crowd out the one that can be granted.
        let any = |from: i32, to: i32| {
            let parts = (from..=to).map(|limit| format!("n == {limit}"));
            parts.collect::<Vec<_>>().join(" || ")
        };
        check(
            &format!("a && ({}) && ({})", any(1, 20), any(20, 50)),
            expect!["0 single; a=yes n=20"],
        );
        // Nothing can make these hold.
        check("a && !a && b", expect!["0 single; "]);
        check("b && n > 3 && n < 2", expect!["0 single; "]);
    }
}
