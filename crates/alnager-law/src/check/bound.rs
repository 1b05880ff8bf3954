//! Conditions bound to the facts and derived facts they ask about, in every version.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::bounds;
use crate::fact::Vocabulary;
use crate::pack::{Condition, Derive, Pack};
use crate::rule::Rule;

use super::names::{Names, Place, error_at};
use super::sketch::Sketch;
use super::{Finding, Findings, PackTexts, Surroundings};

/// A default and its exceptions; `None` where one does not parse.
pub(super) struct Conditions {
    pub(super) rule: Option<Rule>,
    pub(super) unless: Vec<Option<Rule>>,
}

impl Conditions {
    /// The whole condition, once all of it parses.
    pub(super) fn whole(&self) -> Option<Rule> {
        let mut rules = vec![self.rule.clone()?];
        for exception in &self.unless {
            rules.push(Rule::Not(Box::new(exception.clone()?)));
        }
        Some(if rules.len() == 1 {
            rules.remove(0)
        } else {
            Rule::All(rules)
        })
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Rule> {
        self.rule.iter().chain(self.unless.iter().flatten())
    }
}

/// The condition of a row or a choice: none written, or the rule, or one that does not parse.
pub(super) enum When {
    Always,
    Rule(Rule),
    Unread,
}

/// The conditions of a pack, bound to facts.
pub(super) struct Bound {
    pub(super) requirements: Vec<Conditions>,
    pub(super) derives: Vec<Conditions>,
    pub(super) rows: Vec<Vec<When>>,
    pub(super) choices: Vec<Vec<When>>,
    pub(super) transitions: Vec<Option<Rule>>,
    pub(super) exceptions: Vec<Option<Rule>>,
    pub(super) clocks: Vec<Vec<Option<Rule>>>,
}

impl Bound {
    pub(super) fn of(
        sketch: &Sketch,
        vocabulary: &Vocabulary,
        names: &Names,
        findings: &mut Findings,
    ) -> Bound {
        let mut bind = |condition: &Condition| match condition.bind(vocabulary, &names.derived) {
            Ok(rule) => Some(rule),
            Err(error) => {
                findings.push(Finding::of(error));
                None
            }
        };
        let mut both = |rule: &Condition, unless: &[Condition]| Conditions {
            rule: bind(rule),
            unless: unless.iter().map(&mut bind).collect(),
        };
        let requirements = sketch.requirements.iter();
        let requirements = requirements
            .map(|text| both(&text.it.when, &text.it.unless))
            .collect();
        let derives = sketch.derives.iter();
        let derives = derives
            .map(|derive| both(&derive.it.rule, &derive.it.unless))
            .collect();
        let mut when = |condition: &Option<Condition>| match condition.as_ref().map(&mut bind) {
            None => When::Always,
            Some(Some(rule)) => When::Rule(rule),
            Some(None) => When::Unread,
        };
        let mut rows = Vec::new();
        for group in &sketch.groups {
            rows.push(group.items.iter().map(|row| when(&row.it.when)).collect());
        }
        let mut choices = Vec::new();
        for alias in &sketch.choose {
            choices.push(
                alias
                    .items
                    .iter()
                    .map(|choice| when(&choice.it.when))
                    .collect(),
            );
        }
        let transitions = sketch.transitions.iter();
        Bound {
            requirements,
            derives,
            rows,
            choices,
            transitions: transitions
                .map(|transition| bind(&transition.it.when))
                .collect(),
            exceptions: sketch
                .exceptions
                .iter()
                .map(|exception| bind(&exception.it.unless))
                .collect(),
            clocks: sketch
                .clocks
                .iter()
                .map(|clock| clock.it.conditions().map(&mut bind).collect())
                .collect(),
        }
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let whens = self.rows.iter().chain(&self.choices).flatten();
        let whens = whens.filter_map(|when| match when {
            When::Rule(rule) => Some(rule),
            When::Always | When::Unread => None,
        });
        let both = self.requirements.iter().chain(&self.derives);
        both.flat_map(Conditions::parts)
            .chain(whens)
            .chain(self.transitions.iter().flatten())
            .chain(self.exceptions.iter().flatten())
            .chain(self.clocks.iter().flatten().flatten())
    }
}

/// A derived fact as known in one span of knowledge.
pub(super) struct Version {
    pub(super) known: Option<Date>,
    pub(super) until_known: Option<Date>,
    /// `None` where it does not parse, or the fact defines itself in a circle.
    pub(super) rule: Option<Rule>,
}

/// The versions of every derived fact, by position.
pub(super) struct DerivedFacts(pub(super) Vec<Vec<Version>>);

impl DerivedFacts {
    pub(super) fn of(
        read: &[(Sketch, &PackTexts)],
        bound: &[Bound],
        names: &Names,
        with: &Surroundings<'_>,
        findings: &mut Findings,
    ) -> DerivedFacts {
        let mut facts: Vec<Vec<Version>> = Vec::new();
        facts.resize_with(names.derived.len(), Vec::new);
        let mut add = |derive: &Derive, rule: Option<Rule>| {
            if let Some(at) = names.derived.get(&derive.fact) {
                facts[*at].push(Version {
                    known: derive.known,
                    until_known: derive.until_known,
                    rule,
                });
            }
        };
        for derive in with.others.iter().flat_map(|pack| &pack.derives) {
            let bind = |condition: &Condition| condition.bind(with.vocabulary, &names.derived).ok();
            let conditions = Conditions {
                rule: bind(&derive.rule),
                unless: derive.unless.iter().map(bind).collect(),
            };
            add(derive, conditions.whole());
        }
        for ((sketch, _), bound) in read.iter().zip(bound) {
            for (derive, conditions) in sketch.derives.iter().zip(&bound.derives) {
                add(&derive.it, conditions.whole());
            }
        }
        let mut derived = DerivedFacts(facts);
        let circular: BTreeSet<usize> = (0..derived.0.len())
            .filter(|at| derived.below(&[*at]).contains(at))
            .collect();
        let lengths = derived.chains();
        let too_long = |at: &usize| lengths[*at] > bounds::CHAIN_MAX;
        for at in (0..lengths.len()).filter(|at| circular.contains(at) || too_long(at)) {
            for version in &mut derived.0[at] {
                version.rule = None;
            }
        }
        for (sketch, _) in read {
            for derive in &sketch.derives {
                let at = names.derived.get(&derive.it.fact);
                let place = || Place {
                    file: sketch.file.clone(),
                    line: derive.line,
                };
                if let Some(at) = at.filter(|at| too_long(at)) {
                    let what = bounds::too_long(&derive.it.fact, lengths[*at]);
                    let (what, advice) = what.split_once("; ").unwrap_or((&what, ""));
                    findings.push(error_at(&place(), what.to_owned(), advice));
                }
                if at.is_some_and(|at| circular.contains(at)) {
                    let what = format!("the derived fact `{}` depends on itself", derive.it.fact);
                    findings.push(error_at(&place(), what, "break the circle"));
                }
            }
        }
        derived
    }

    /// How long the chain of derived facts is that each one rests on.
    fn chains(&self) -> Vec<usize> {
        let named = |versions: &Vec<Version>| {
            let mut named = Vec::new();
            for rule in versions.iter().filter_map(|version| version.rule.as_ref()) {
                rule.leaves(&mut |leaf| {
                    if let Rule::Derived(at) = leaf {
                        named.push(*at);
                    }
                });
            }
            named
        };
        let below: Vec<Vec<usize>> = self.0.iter().map(named).collect();
        bounds::chains(&below)
    }

    /// Every derived fact that the rules of these rest on, in any version, through each other.
    pub(super) fn below(&self, start: &[usize]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = start.to_vec();
        while let Some(at) = open.pop() {
            for rule in self.0[at]
                .iter()
                .filter_map(|version| version.rule.as_ref())
            {
                rule.leaves(&mut |leaf| {
                    if let Rule::Derived(other) = leaf
                        && found.insert(*other)
                    {
                        open.push(*other);
                    }
                });
            }
        }
        found
    }

    /// The rules as known on a day; a fact that is not law then is false. `None` where one cannot be read.
    pub(super) fn known_on(&self, day: Date) -> Vec<Option<Rule>> {
        let at = |versions: &Vec<Version>| {
            let counts = |version: &&Version| {
                version.known.is_none_or(|known| known <= day)
                    && version.until_known.is_none_or(|until| day < until)
            };
            match versions.iter().rev().find(counts) {
                Some(version) => version.rule.clone(),
                None => Some(Rule::Constant(false)),
            }
        };
        self.0.iter().map(at).collect()
    }

    /// The days on which knowledge of a derived fact that these rules rest on changes, and the beginning of time.
    pub(super) fn epochs<'r>(&self, rules: impl Iterator<Item = &'r Rule>) -> BTreeSet<Date> {
        let mut used = Vec::new();
        for rule in rules {
            rule.leaves(&mut |leaf| {
                if let Rule::Derived(at) = leaf {
                    used.push(*at);
                }
            });
        }
        let mut all = self.below(&used);
        all.extend(used);
        let versions = all.into_iter().flat_map(|at| &self.0[at]);
        let days = versions.flat_map(|version| [version.known, version.until_known]);
        days.flatten().chain([Date::MIN]).collect()
    }

    /// The facts a rule rests on, through derived facts.
    pub(super) fn facts_of(&self, rule: &Rule) -> BTreeSet<usize> {
        let mut facts = BTreeSet::new();
        let mut used = Vec::new();
        let mut visit = |leaf: &Rule| match leaf {
            Rule::Atom(atom) => drop(facts.insert(atom.fact)),
            Rule::Derived(at) => used.push(*at),
            Rule::Constant(_) | Rule::All(_) | Rule::Any(_) | Rule::Not(_) => {}
        };
        rule.leaves(&mut visit);
        let mut all = self.below(&used);
        all.extend(used);
        for version in all.into_iter().flat_map(|at| &self.0[at]) {
            if let Some(rule) = &version.rule {
                rule.leaves(&mut |leaf| {
                    if let Rule::Atom(atom) = leaf {
                        facts.insert(atom.fact);
                    }
                });
            }
        }
        facts
    }
}

/// Derived facts that something reads.
pub(super) struct Used(pub(super) BTreeSet<usize>);

impl Used {
    pub(super) fn by(bound: &[Bound], names: &Names, with: &Surroundings<'_>) -> Used {
        let mut used = BTreeSet::new();
        let mut visit = |rule: &Rule| {
            rule.leaves(&mut |leaf| {
                if let Rule::Derived(at) = leaf {
                    used.insert(*at);
                }
            });
        };
        bound.iter().flat_map(Bound::rules).for_each(&mut visit);
        let conditions = with.others.iter().flat_map(conditions).chain(with.outside);
        for condition in conditions {
            if let Ok(rule) = condition.bind(with.vocabulary, &names.derived) {
                visit(&rule);
            }
        }
        Used(used)
    }
}

/// Every condition of a pack.
pub(super) fn conditions(pack: &Pack) -> Vec<&Condition> {
    let mut all: Vec<&Condition> = Vec::new();
    for text in &pack.requirements {
        all.push(&text.when);
        all.extend(&text.unless);
    }
    for derive in &pack.derives {
        all.push(&derive.rule);
        all.extend(&derive.unless);
    }
    all.extend(
        pack.applies
            .values()
            .flatten()
            .filter_map(|row| row.when.as_ref()),
    );
    all.extend(
        pack.choose
            .values()
            .flatten()
            .filter_map(|choice| choice.when.as_ref()),
    );
    all.extend(pack.transitions.iter().map(|transition| &transition.when));
    all.extend(pack.exceptions.iter().map(|exception| &exception.unless));
    all.extend(pack.clocks.iter().flat_map(|clock| clock.conditions()));
    all
}
