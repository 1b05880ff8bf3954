//! The space of possible answers: decides, exactly, whether a condition can hold.
//!
//! Every fact falls into finitely many cases that the conditions can tell apart: the two answers to a question, the values of an
//! enum, each value of a set, the spans between the limits a number or a day is held against, and `none`. A condition becomes a
//! decision diagram over these cases (R. E. Bryant, *Graph-based algorithms for Boolean function manipulation*, IEEE Transactions on
//! Computers C-35(8), 1986, here with as many branches as a fact has cases): equal conditions become the same node, and one that can
//! never hold becomes the node `NEVER`. What is decided is decided for complete answers; a budget of steps bounds the work.

use std::collections::{BTreeMap, HashMap};

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::fact::{FactType, Value, Vocabulary};
use crate::rule::{Atom, Rule, Test};

/// A condition as a node of the diagram.
pub(crate) type Node = u32;

/// Never holds.
pub(crate) const NEVER: Node = 0;
/// Always holds.
pub(crate) const ALWAYS: Node = 1;

/// Branch on the case of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Branch {
    variable: u32,
    children: Vec<Node>,
}

/// How the answers to one fact are told apart.
enum Cases {
    /// One variable, a value for each of its cases.
    One(u32, Vec<Value>),
    /// A set: one variable of two cases (out, in) for each value.
    Each(BTreeMap<String, u32>),
}

/// The possible answers to the facts, and the conditions over them.
pub(crate) struct Space {
    facts: Vec<Cases>,
    /// Derived facts by position: their rule, and their node once made.
    derived: Vec<Derived>,
    branches: Vec<Branch>,
    known: HashMap<Branch, Node>,
    both: HashMap<(Node, Node), Node>,
    negated: HashMap<Node, Node>,
    /// Holds for the answers that exist: a set that names `US-CO` names `US`.
    real: Node,
    /// The steps that may still be made: a step is one node asked for, one of its branches, or one question whether two nodes hold.
    n_left: usize,
    has_ended: bool,
}

enum Derived {
    /// Its rule cannot be read, or it defines itself in a circle.
    Undecided,
    Rule(Rule),
    Made(Node),
}

impl Space {
    /// The space in which `rules` and the derived facts can be told apart. A derived fact without a rule is never decided.
    pub(crate) fn new<'r>(
        vocabulary: &Vocabulary,
        derived: Vec<Option<Rule>>,
        rules: impl Iterator<Item = &'r Rule>,
        n_steps: usize,
    ) -> Space {
        let mut limits = Limits::default();
        for rule in derived.iter().flatten() {
            limits.gather(rule);
        }
        rules.for_each(|rule| limits.gather(rule));
        let mut next = 0;
        let mut variable = || {
            next += 1;
            next - 1
        };
        let cases = vocabulary.kinds().iter().enumerate().map(|(fact, kind)| {
            let values = match &kind.of {
                FactType::Set(values) => {
                    let each = values.iter().map(|value| (value.clone(), variable()));
                    return Cases::Each(each.collect());
                }
                FactType::Bool => vec![Value::Bool(false), Value::Bool(true)],
                FactType::Enum(values) => values.iter().cloned().map(Value::One).collect(),
                FactType::Number => limits.numbers(fact),
                FactType::Date => limits.dates(fact),
            };
            Cases::One(variable(), values)
        });
        let derived = derived.into_iter().map(|rule| match rule {
            Some(rule) => Derived::Rule(rule),
            None => Derived::Undecided,
        });
        let terminal = Branch {
            variable: u32::MAX,
            children: Vec::new(),
        };
        let mut space = Space {
            facts: cases.collect(),
            derived: derived.collect(),
            branches: vec![terminal.clone(), terminal],
            known: HashMap::new(),
            both: HashMap::new(),
            negated: HashMap::new(),
            real: ALWAYS,
            n_left: n_steps,
            has_ended: false,
        };
        // Should the budget end here, the space stays larger than what exists: a condition is then at worst thought possible.
        space.real = space.within(vocabulary).unwrap_or(ALWAYS);
        space
    }

    /// The node of a condition; `None` where the budget ended, or a derived fact in it cannot be read.
    pub(crate) fn node(&mut self, rule: &Rule) -> Option<Node> {
        match rule {
            Rule::Constant(yes) => Some(if *yes { ALWAYS } else { NEVER }),
            Rule::All(rules) => {
                let mut node = ALWAYS;
                for rule in rules {
                    let other = self.node(rule)?;
                    node = self.and(node, other)?;
                }
                Some(node)
            }
            Rule::Any(rules) => {
                let mut node = NEVER;
                for rule in rules {
                    let other = self.node(rule)?;
                    node = self.or(node, other)?;
                }
                Some(node)
            }
            Rule::Not(rule) => {
                let node = self.node(rule)?;
                self.not(node)
            }
            Rule::Atom(atom) => self.atom(atom),
            Rule::Derived(at) => {
                let state = std::mem::replace(self.derived.get_mut(*at)?, Derived::Undecided);
                let made = match state {
                    Derived::Undecided => None,
                    Derived::Made(node) => Some(node),
                    Derived::Rule(rule) => self.node(&rule),
                };
                if let Some(node) = made {
                    self.derived[*at] = Derived::Made(node);
                }
                made
            }
        }
    }

    /// Whether the budget has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// The steps that are left of the budget.
    pub(crate) fn n_left(&self) -> usize {
        self.n_left
    }

    /// Takes steps off the budget; `None` where it ends.
    fn spend(&mut self, n_steps: usize) -> Option<()> {
        match self.n_left.checked_sub(n_steps) {
            Some(left) => self.n_left = left,
            None => {
                self.n_left = 0;
                self.has_ended = true;
                return None;
            }
        }
        Some(())
    }

    /// Whether answers exist for which the node holds.
    pub(crate) fn can_hold(&mut self, node: Node) -> Option<bool> {
        Some(self.and(node, self.real)? != NEVER)
    }

    /// Whether it holds whatever the answers.
    pub(crate) fn must_hold(&mut self, node: Node) -> Option<bool> {
        let not = self.not(node)?;
        Some(!self.can_hold(not)?)
    }

    /// Both hold.
    pub(crate) fn and(&mut self, one: Node, other: Node) -> Option<Node> {
        match (one, other) {
            (NEVER, _) | (_, NEVER) => return Some(NEVER),
            (ALWAYS, node) | (node, ALWAYS) => return Some(node),
            (one, other) if one == other => return Some(one),
            _ => {}
        }
        self.spend(1)?;
        let key = (one.min(other), one.max(other));
        if let Some(node) = self.both.get(&key) {
            return Some(*node);
        }
        let (left, right) = (self.branch(one), self.branch(other));
        let variable = left.variable.min(right.variable);
        let n_cases = if left.variable == variable {
            left.children.len()
        } else {
            right.children.len()
        };
        let child = |branch: &Branch, node: Node, at: usize| {
            if branch.variable == variable {
                branch.children[at]
            } else {
                node
            }
        };
        let mut children = Vec::with_capacity(n_cases);
        for at in 0..n_cases {
            children.push(self.and(child(&left, one, at), child(&right, other, at))?);
        }
        let node = self.make(variable, children)?;
        self.both.insert(key, node);
        Some(node)
    }

    /// One holds at least.
    pub(crate) fn or(&mut self, one: Node, other: Node) -> Option<Node> {
        let (one, other) = (self.not(one)?, self.not(other)?);
        let neither = self.and(one, other)?;
        self.not(neither)
    }

    /// It does not hold.
    pub(crate) fn not(&mut self, node: Node) -> Option<Node> {
        match node {
            NEVER => return Some(ALWAYS),
            ALWAYS => return Some(NEVER),
            _ => {}
        }
        if let Some(known) = self.negated.get(&node) {
            return Some(*known);
        }
        let Branch { variable, children } = self.branch(node);
        let children = children.into_iter().map(|child| self.not(child));
        let children = children.collect::<Option<Vec<_>>>()?;
        let made = self.make(variable, children)?;
        self.negated.insert(node, made);
        self.negated.insert(made, node);
        Some(made)
    }

    fn branch(&self, node: Node) -> Branch {
        self.branches[node as usize].clone()
    }

    /// The node with these children; the same one whenever asked again.
    fn make(&mut self, variable: u32, children: Vec<Node>) -> Option<Node> {
        self.spend(1 + children.len())?;
        if children.windows(2).all(|pair| pair[0] == pair[1]) {
            return children.first().copied();
        }
        let branch = Branch { variable, children };
        if let Some(node) = self.known.get(&branch) {
            return Some(*node);
        }
        let node = Node::try_from(self.branches.len()).ok()?;
        self.branches.push(branch.clone());
        self.known.insert(branch, node);
        Some(node)
    }

    fn atom(&mut self, atom: &Atom) -> Option<Node> {
        let of = |yes: bool| if yes { ALWAYS } else { NEVER };
        match &self.facts[atom.fact] {
            Cases::One(variable, values) => {
                let children = values.iter().map(|value| of(atom.holds(value))).collect();
                self.make(*variable, children)
            }
            Cases::Each(variables) => {
                let Test::HasAny(wanted) = &atom.test else {
                    return Some(NEVER);
                };
                let wanted: Vec<u32> = wanted
                    .iter()
                    .filter_map(|value| variables.get(value).copied())
                    .collect();
                let mut node = NEVER;
                for variable in wanted {
                    let has = self.make(variable, vec![NEVER, ALWAYS])?;
                    node = self.or(node, has)?;
                }
                Some(node)
            }
        }
    }

    /// Whoever names a value that lies within another names both.
    fn within(&mut self, vocabulary: &Vocabulary) -> Option<Node> {
        let mut real = ALWAYS;
        for (fact, kind) in vocabulary.kinds().iter().enumerate() {
            let Cases::Each(variables) = &self.facts[fact] else {
                continue;
            };
            let pairs: Vec<(u32, u32)> = kind
                .within
                .iter()
                .filter_map(|(inner, outer)| Some((*variables.get(inner)?, *variables.get(outer)?)))
                .collect();
            for (inner, outer) in pairs {
                let out = self.make(inner, vec![ALWAYS, NEVER])?;
                let has = self.make(outer, vec![NEVER, ALWAYS])?;
                let both = self.or(out, has)?;
                real = self.and(real, both)?;
            }
        }
        Some(real)
    }
}

/// The limits that numbers and days are held against.
#[derive(Default)]
struct Limits {
    numbers: BTreeMap<usize, Vec<f64>>,
    dates: BTreeMap<usize, Vec<Date>>,
}

impl Limits {
    fn gather(&mut self, rule: &Rule) {
        rule.leaves(&mut |leaf| {
            let Rule::Atom(Atom { fact, test }) = leaf else {
                return;
            };
            match test {
                Test::Number(_, limit) => self.numbers.entry(*fact).or_default().push(*limit),
                Test::Date(_, limit) => self.dates.entry(*fact).or_default().push(*limit),
                Test::IsTrue | Test::HasAny(_) | Test::IsOneOf(_) | Test::IsNot(_) => {}
            }
        });
    }

    /// One value of every case of a number: none, each limit, and one between each two and beyond the outermost.
    fn numbers(&mut self, fact: usize) -> Vec<Value> {
        let mut limits = self.numbers.remove(&fact).unwrap_or_default();
        limits.sort_by(f64::total_cmp);
        limits.dedup();
        let mut values = Vec::new();
        if let (Some(first), Some(last)) = (limits.first(), limits.last()) {
            values.push(first - first.abs().max(1.0));
            values.push(last + last.abs().max(1.0));
        }
        values.extend(
            limits
                .windows(2)
                .map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0),
        );
        values.extend(limits);
        values.sort_by(f64::total_cmp);
        values.dedup();
        let none = std::iter::once(Value::None);
        none.chain(values.into_iter().map(Value::Number)).collect()
    }

    /// The same for a day; between two days that follow each other there is none.
    fn dates(&mut self, fact: usize) -> Vec<Value> {
        let limits = self.dates.remove(&fact).unwrap_or_default();
        let beside = |limit: &Date| {
            let around = [limit.checked_sub(1.day()), limit.checked_add(1.day())];
            around.into_iter().flatten().chain([*limit])
        };
        let mut values: Vec<Date> = limits.iter().flat_map(beside).collect();
        values.sort();
        values.dedup();
        let none = std::iter::once(Value::None);
        none.chain(values.into_iter().map(Value::Date)).collect()
    }
}
