//! Reachability: every requirement, exception, alternative, row, choice and transition can come true.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::pack::{Choice, DateRow};
use crate::read::shorten;
use crate::rule::Rule;

use super::sketch::{At, Named};
use super::space::{ALWAYS, NEVER, Node, Space};
use super::{Check, Conditions, DerivedFacts, Finding, Severity, When};

/// Most steps of all diagrams of a pack: twenty times what the largest law in `packs/` needs, and about a second's work.
const STEPS_MAX: usize = 5_000_000;

/// What to do about parts that exclude each other.
const EXCLUDE: &str = "its parts exclude each other; correct them, or remove it";

/// What to do about an alternative that a later one covers.
const LAST_WINS: &str = "its condition never holds, or a later one holds wherever it does; the last that holds wins: put the default first";

/// Checks every branch of a pack, under every state of knowledge: a branch is reached if it is reached under one of them.
pub(super) fn check(check: &mut Check<'_>, derived: &DerivedFacts) {
    let epochs: Vec<Date> = derived.epochs(check.bound.rules()).into_iter().collect();
    let (mut reached, mut dead) = (BTreeSet::new(), Vec::new());
    let mut undecided = BTreeMap::new();
    let mut n_left = STEPS_MAX;
    for (at, from) in epochs.iter().enumerate() {
        let mut reach = Reach {
            space: Space::new(
                check.with.vocabulary,
                derived.known_on(*from),
                check.bound.rules(),
                n_left,
            ),
            from: *from,
            until: epochs.get(at + 1).copied(),
            check,
            reached: &mut reached,
            dead: &mut dead,
            undecided: &mut undecided,
        };
        let governed = reach.requirements();
        reach.derives();
        reach.choices();
        reach.transitions();
        reach.exceptions();
        reach.clocks();
        reach.rows(&governed);
        n_left = reach.space.n_left();
    }
    dead.retain(|finding| !reached.contains(finding));
    check.findings.append(&mut dead);
    for (line, what) in undecided {
        check.warn(
            line,
            format!("not decided within the budget whether {what} can hold"),
            "make the condition simpler, or name parts of it with [[derive]]",
        );
    }
}

/// The branches of a pack in one span of knowledge.
struct Reach<'r, 'c> {
    space: Space,
    from: Date,
    until: Option<Date>,
    check: &'r Check<'c>,
    /// What would have been found of branches that are reached.
    reached: &'r mut BTreeSet<Finding>,
    /// What is found of branches that are not reached here.
    dead: &'r mut Vec<Finding>,
    undecided: &'r mut BTreeMap<usize, String>,
}

/// Requirements that name the same date groups: when one of them concerns a system.
struct Governed<'c> {
    groups: &'c [String],
    /// `None` where that is not decided.
    node: Option<Node>,
}

/// A row that may date a requirement, under one state of knowledge.
struct Candidate {
    group: usize,
    row: usize,
    /// `None` where one of its conditions is not decided.
    node: Option<Node>,
}

impl<'c> Reach<'_, 'c> {
    /// The requirements; gives, for each distinct list of date groups, when any of its requirements concerns a system.
    fn requirements(&mut self) -> Vec<Governed<'c>> {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        let mut governed: Vec<Governed<'c>> = Vec::new();
        for (text, conditions) in sketch.requirements.iter().zip(&bound.requirements) {
            let lines: Vec<usize> = text.it.unless.iter().map(|unless| unless.line()).collect();
            let name = format!("condition of `{}`", text.it.id);
            let node = self.both(&name, text.it.when.line(), conditions, &lines);
            let known = governed
                .iter_mut()
                .find(|known| known.groups == text.it.applies);
            match known {
                Some(known) => {
                    known.node = known
                        .node
                        .zip(node)
                        .and_then(|(one, other)| self.space.or(one, other));
                }
                None => governed.push(Governed {
                    groups: &text.it.applies,
                    node,
                }),
            }
        }
        governed
    }

    fn derives(&mut self) {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        for (derive, conditions) in sketch.derives.iter().zip(&bound.derives) {
            let unless = derive.it.unless.iter();
            let lines: Vec<usize> = unless.map(|unless| unless.line()).collect();
            let (name, line) = (
                format!("rule of `{}`", derive.it.fact),
                derive.it.rule.line(),
            );
            let node = self.both(&name, line, conditions, &lines);
            if let Some(must) = node.and_then(|node| self.space.must_hold(node)) {
                let what = format!("`{}` holds whatever the answers", derive.it.fact);
                let advice = "remove the derived fact, or correct its rule";
                self.judge(!must, Severity::Warning, line, what, advice);
            }
        }
    }

    /// Exceptions added to other packs' rules.
    fn exceptions(&mut self) {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        for (exception, rule) in sketch.exceptions.iter().zip(&bound.exceptions) {
            let Some(rule) = rule else {
                continue;
            };
            let (name, line) = (
                format!("exception to `{}`", exception.it.to),
                exception.it.unless.line(),
            );
            self.alternatives(&name, line, rule);
            let can = self
                .space
                .node(rule)
                .and_then(|node| self.space.can_hold(node));
            if let Some(can) = can {
                self.judge(
                    can,
                    Severity::Error,
                    line,
                    format!("the {name} can never hold"),
                    EXCLUDE,
                );
            }
        }
    }

    /// The conditions of clocks.
    fn clocks(&mut self) {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        for (clock, rules) in sketch.clocks.iter().zip(&bound.clocks) {
            for (condition, rule) in clock.it.conditions().zip(rules) {
                let name = format!("condition of the clock `{}`", clock.it.id);
                let conditions = Conditions {
                    rule: rule.clone(),
                    unless: Vec::new(),
                };
                self.both(&name, condition.line(), &conditions, &[]);
            }
        }
    }

    /// Notes a branch as reached, or as not reached under this state of knowledge.
    fn judge(
        &mut self,
        is_reached: bool,
        severity: Severity,
        line: usize,
        what: String,
        advice: &str,
    ) {
        let finding = Finding {
            file: self.check.sketch.file.clone(),
            line,
            severity,
            what,
            advice: advice.to_owned(),
        };
        if is_reached {
            self.reached.insert(finding);
        } else {
            self.dead.push(finding);
        }
    }

    /// A default with its exceptions: the node of the whole; `None` where it does not read or is not decided.
    fn both(
        &mut self,
        name: &str,
        line: usize,
        conditions: &Conditions,
        lines: &[usize],
    ) -> Option<Node> {
        let node = self.decide(name, line, conditions, lines);
        if node.is_none() && self.space.has_ended() {
            self.undecided.insert(line, format!("the {name}"));
        }
        node
    }

    fn decide(
        &mut self,
        name: &str,
        line: usize,
        conditions: &Conditions,
        lines: &[usize],
    ) -> Option<Node> {
        let rule = conditions.rule.as_ref()?;
        self.alternatives(name, line, rule);
        let whole = self.space.node(rule)?;
        let can = self.space.can_hold(whole)?;
        self.judge(
            can,
            Severity::Error,
            line,
            format!("the {name} can never hold"),
            EXCLUDE,
        );
        if !can {
            return Some(NEVER);
        }
        let (mut left, mut nodes, mut texts) = (whole, Vec::new(), Vec::new());
        for (exception, line) in conditions.unless.iter().zip(lines) {
            let exception = exception.as_ref()?;
            let within = format!("exception `{}` to the {name}", self.text(exception));
            self.alternatives(&within, *line, exception);
            let node = self.space.node(exception)?;
            let not = self.space.not(node)?;
            left = self.space.and(left, not)?;
            nodes.push(node);
            texts.push(within);
        }
        for (at, line) in lines.iter().enumerate() {
            self.exception(&texts[at], *line, whole, &nodes, at)?;
        }
        let some = self.space.can_hold(left)?;
        let what = format!("the exceptions to the {name} leave nothing of it");
        self.judge(
            some,
            Severity::Error,
            line,
            what,
            "correct them, or remove it",
        );
        Some(left)
    }

    /// Whether an exception takes something away, and something the others do not.
    fn exception(
        &mut self,
        name: &str,
        line: usize,
        whole: Node,
        nodes: &[Node],
        at: usize,
    ) -> Option<()> {
        let can = self.space.can_hold(nodes[at])?;
        let what = format!("the {name} can never hold");
        self.judge(can, Severity::Error, line, what, EXCLUDE);
        if !can {
            return Some(());
        }
        let mut taken = self.space.and(whole, nodes[at])?;
        let takes = self.space.can_hold(taken)?;
        let what = format!("the {name} takes nothing away: both never hold together");
        self.judge(
            takes,
            Severity::Error,
            line,
            what,
            "correct it, or remove it",
        );
        if !takes {
            return Some(());
        }
        for (other, node) in nodes.iter().enumerate() {
            if other != at {
                let not = self.space.not(*node)?;
                taken = self.space.and(taken, not)?;
            }
        }
        let alone = self.space.can_hold(taken)?;
        let what = format!("the {name} takes away only what the others take away");
        self.judge(
            alone,
            Severity::Warning,
            line,
            what,
            "remove it, or correct the others",
        );
        Some(())
    }

    /// The alternatives within a condition: each can hold, and not only where another one does.
    fn alternatives(&mut self, name: &str, line: usize, rule: &Rule) {
        match rule {
            Rule::Constant(_) | Rule::Atom(_) | Rule::Derived(_) => {}
            Rule::Not(inner) => self.alternatives(name, line, inner),
            Rule::All(rules) => {
                for rule in rules {
                    self.alternatives(name, line, rule);
                }
            }
            Rule::Any(rules) => {
                for rule in rules {
                    self.alternatives(name, line, rule);
                }
                // What is not decided here is said of the whole condition.
                let _ = self.any(name, line, rules);
            }
        }
    }

    fn any(&mut self, name: &str, line: usize, rules: &[Rule]) -> Option<()> {
        let nodes = rules.iter().map(|rule| self.space.node(rule));
        let nodes = nodes.collect::<Option<Vec<_>>>()?;
        let mut rest = vec![true; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let text = self.text(&rules[at]);
            let can = self.space.can_hold(*node)?;
            let what = format!("in the {name}, the alternative `{text}` can never hold");
            self.judge(can, Severity::Error, line, what, EXCLUDE);
            if !can {
                rest[at] = false;
                continue;
            }
            let mut alone = *node;
            for (other, node) in nodes.iter().enumerate() {
                if other != at && rest[other] {
                    let not = self.space.not(*node)?;
                    alone = self.space.and(alone, not)?;
                }
            }
            // Of two that say the same, one is superfluous, not both.
            rest[at] = self.space.can_hold(alone)?;
            let what = format!(
                "in the {name}, the alternative `{text}` adds nothing: another holds wherever it does"
            );
            self.judge(
                rest[at],
                Severity::Warning,
                line,
                what,
                "remove it, or correct the others",
            );
        }
        Some(())
    }

    fn text(&self, rule: &Rule) -> String {
        let names = &self.check.names.derived;
        let derived = |at: usize| {
            let name = names.iter().find(|(_, known)| **known == at);
            name.map(|(name, _)| name.clone()).unwrap_or_default()
        };
        shorten(&rule.text(self.check.with.vocabulary, &derived))
    }

    fn when(&mut self, when: &When) -> Option<Node> {
        match when {
            When::Always => Some(ALWAYS),
            When::Rule(rule) => self.space.node(rule),
            When::Unread => None,
        }
    }

    /// Of the groups an alias may stand for, the last whose condition holds wins: each can be the one.
    fn choices(&mut self) {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        for (alias, whens) in sketch.choose.iter().zip(&bound.choices) {
            // A choice that does not read is already a finding; nothing is said of an alias with one.
            let nodes = whens.iter().map(|when| self.when(when));
            let Some(nodes) = nodes.collect::<Option<Vec<_>>>() else {
                continue;
            };
            if nodes.len() == alias.items.len() {
                self.last_wins(alias, &nodes);
            }
        }
    }

    fn last_wins(&mut self, alias: &Named<Choice>, nodes: &[Node]) {
        let mut later = NEVER;
        for (choice, node) in alias.items.iter().zip(nodes).rev() {
            if let Some(reached) = self.not_covered(*node, later) {
                let what = format!("`{}` can never stand for `{}`", alias.name, choice.it.group);
                self.judge(reached, Severity::Error, choice.line, what, LAST_WINS);
            }
            match self.space.or(later, *node) {
                Some(node) => later = node,
                None => return,
            }
        }
    }

    fn not_covered(&mut self, node: Node, cover: Node) -> Option<bool> {
        let not = self.space.not(cover)?;
        let rest = self.space.and(node, not)?;
        self.space.can_hold(rest)
    }

    /// Of the transitions over a group, the first whose condition holds wins.
    fn transitions(&mut self) {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        let rules = &bound.transitions;
        for (at, (transition, rule)) in sketch.transitions.iter().zip(rules).enumerate() {
            let Some(node) = rule.as_ref().and_then(|rule| self.space.node(rule)) else {
                continue;
            };
            let mut reached = false;
            for group in &transition.it.groups {
                let mut earlier = NEVER;
                for (other, rule) in sketch.transitions[..at].iter().zip(rules) {
                    let same = other.it.groups.contains(group);
                    let rule = rule.as_ref().filter(|_| same);
                    let node = rule.and_then(|rule| self.space.node(rule));
                    let or = node.and_then(|node| self.space.or(earlier, node));
                    earlier = or.unwrap_or(earlier);
                }
                reached |= self.not_covered(node, earlier) != Some(false);
            }
            let what = "this transition can never take effect".to_owned();
            let advice = "its condition never holds, or an earlier one over the same groups holds wherever it does";
            self.judge(reached, Severity::Error, transition.line, what, advice);
        }
    }

    /// Rows: each dates some requirement under some state of knowledge.
    fn rows(&mut self, governed: &[Governed<'c>]) {
        let sketch = self.check.sketch;
        let days = self.days();
        let everywhere: Vec<Governed<'c>> = governed
            .iter()
            .map(|one| Governed {
                groups: one.groups,
                node: Some(ALWAYS),
            })
            .collect();
        let (Some(possible), Some(reached)) = (
            self.reached(&everywhere, &days),
            self.reached(governed, &days),
        ) else {
            return;
        };
        let used = self.used(governed.iter());
        let alive = self.used(governed.iter().filter(|one| one.node != Some(NEVER)));
        for (at, group) in sketch.groups.iter().enumerate() {
            if !used.contains(group.name.as_str()) {
                continue;
            }
            let is_governed = alive.contains(group.name.as_str());
            for (row_at, row) in group.items.iter().enumerate() {
                let row_words =
                    format!("the row of `{}` that begins on {}", group.name, row.it.from);
                let is_possible = possible.contains(&(at, row_at));
                let what = format!("{row_words} can never be the one that counts");
                self.judge(is_possible, Severity::Error, row.line, what, LAST_WINS);
                if is_possible && is_governed {
                    let what = format!("{row_words} never dates one of its requirements");
                    let advice = "the conditions of these requirements exclude its own; correct them, or remove it";
                    let is_reached = reached.contains(&(at, row_at));
                    self.judge(is_reached, Severity::Warning, row.line, what, advice);
                }
            }
        }
    }

    /// The groups that date some requirement, through an alias or by themselves.
    fn used<'g>(&self, governed: impl Iterator<Item = &'g Governed<'c>>) -> BTreeSet<&'c str>
    where
        'c: 'g,
    {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        used.extend(governed.flat_map(|one| one.groups).map(String::as_str));
        for alias in &self.check.sketch.choose {
            if used.contains(alias.name.as_str()) {
                used.extend(alias.items.iter().map(|choice| choice.it.group.as_str()));
            }
        }
        used
    }

    /// Days of this span on which knowledge of a date changes, and its first.
    fn days(&self) -> BTreeSet<Date> {
        let rows = self
            .check
            .sketch
            .groups
            .iter()
            .flat_map(|group| &group.items);
        let days = rows.flat_map(|row| [Some(row.it.known), row.it.until_known]);
        let here = |day: &Date| *day >= self.from && self.until.is_none_or(|until| *day < until);
        days.flatten().filter(here).chain([self.from]).collect()
    }

    /// The rows, as group and position, that date something in `governed`. `None` where that is not decided.
    fn reached(
        &mut self,
        governed: &[Governed<'c>],
        known: &BTreeSet<Date>,
    ) -> Option<BTreeSet<(usize, usize)>> {
        let mut reached = BTreeSet::new();
        for one in governed {
            let context = one.node?;
            // Requirements that concern nobody are findings of their own.
            if context == NEVER {
                continue;
            }
            for day in known {
                let mut open = context;
                for candidate in self.candidates(one.groups, *day).into_iter().rev() {
                    let node = candidate.node?;
                    let here = self.space.and(open, node)?;
                    if self.space.can_hold(here)? {
                        reached.insert((candidate.group, candidate.row));
                    }
                    let not = self.space.not(node)?;
                    open = self.space.and(open, not)?;
                }
            }
        }
        Some(reached)
    }

    /// The rows that count under this knowledge, in the order of [`crate::requirement`]: the last that holds wins.
    fn candidates(&mut self, groups: &[String], day: Date) -> Vec<Candidate> {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        let mut candidates = Vec::new();
        for name in groups {
            let alias = sketch.choose.iter().position(|alias| alias.name == *name);
            let Some(alias) = alias else {
                self.current(name, Some(ALWAYS), day, &mut candidates);
                continue;
            };
            let choices = sketch.choose[alias].items.iter().zip(&bound.choices[alias]);
            for (choice, when) in choices {
                let node = self.when(when);
                self.current(&choice.it.group, node, day, &mut candidates);
            }
        }
        candidates
    }

    /// The rows of one group that count: of rows with the same condition only the latest known.
    fn current(
        &mut self,
        group: &str,
        chosen: Option<Node>,
        day: Date,
        candidates: &mut Vec<Candidate>,
    ) {
        let (sketch, bound) = (self.check.sketch, self.check.bound);
        let Some(at) = sketch.groups.iter().position(|known| known.name == group) else {
            return;
        };
        let counts = |row: &At<DateRow>| {
            row.it.known <= day && row.it.until_known.is_none_or(|until| day < until)
        };
        let rows = &sketch.groups[at].items;
        let mut current: Vec<usize> = (0..rows.len()).filter(|row| counts(&rows[*row])).collect();
        current.sort_by_key(|row| rows[*row].it.known);
        for (nth, row) in current.iter().enumerate() {
            let when = &bound.rows[at][*row];
            let same = |later: &usize| match (&bound.rows[at][*later], when) {
                (When::Always, When::Always) => true,
                (When::Rule(one), When::Rule(other)) => one == other,
                _ => false,
            };
            if current[nth + 1..].iter().any(same) {
                continue;
            }
            let node = self.when(when).zip(chosen);
            candidates.push(Candidate {
                group: at,
                row: *row,
                node: node.and_then(|(one, other)| self.space.and(one, other)),
            });
        }
    }
}
