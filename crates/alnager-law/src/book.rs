//! The book: the packs in use, bound to the vocabulary of facts.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::bounds;
use crate::clock::Clock;
use crate::code::{Code, FactSet, Questions};
use crate::fact::{Facts, Vocabulary};
use crate::figure::FigureKind;
use crate::pack::{Condition, Derive, Pack, PackKind, Register};
use crate::read::{ReadError, nearest};
use crate::rule::{Rule, Truth};
use crate::schedule::Timetable;
use crate::text::stamp::{Stamp, Stamps};
use crate::theory::Theories;

/// The law, frameworks and policy in use, bound and checked.
#[derive(Debug, Clone)]
pub struct Book {
    /// The facts conditions may ask about.
    pub vocabulary: Vocabulary,
    /// The kinds of evidence.
    pub evidence: Register,
    /// The common controls.
    pub controls: Register,
    /// The kinds of figures that laws set.
    pub figures: BTreeMap<String, FigureKind>,
    /// What the requirements were written against, by requirement.
    stamps: BTreeMap<String, Stamp>,
    /// What fairness tests are for; none in a book sealed before they were kept.
    theories: Theories,
    packs: Vec<Arc<BoundPack>>,
    derived: Vec<Derived>,
    derived_names: BTreeMap<String, usize>,
    questions: Questions,
}

/// A pack whose conditions are bound to facts.
#[derive(Debug)]
pub struct BoundPack {
    /// The pack as written.
    pub pack: Pack,
    /// The condition of each requirement, exceptions included.
    pub(crate) conditions: Vec<Rule>,
    /// The same, ready to be asked.
    pub(crate) codes: Vec<Code>,
    /// When the requirements govern.
    pub(crate) timetable: Timetable,
    /// For each requirement, which of the distinct pairs of condition and dates it has; counted in the order of the pack.
    pub(crate) alike: Vec<usize>,
    /// Its place in the book.
    pub(crate) at: usize,
    /// For each requirement, the derived facts its condition rests on that are not confirmed in some version.
    pub(crate) doubtful: Vec<Vec<usize>>,
    /// What other packs changed about each requirement.
    pub(crate) overlays: Vec<Vec<Overlay>>,
}

/// What an overlay pack changed about a requirement of another pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The pack that changed it.
    pub pack: String,
    /// What it changed.
    pub what: String,
    /// Its source.
    pub cite: String,
}

/// A derived fact of the book.
#[derive(Debug, Clone)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// The pack that defines it.
    pub pack: String,
    /// The default and its exceptions, as known last.
    pub rule: Rule,
    /// Every version, in the order of knowledge; before the first the fact is false: nobody had made it law.
    pub(crate) versions: Vec<Version>,
    /// The place of its pack in the book.
    home: usize,
    /// What is not confirmed about everything its pack says; it is a doubt of other packs that use the fact.
    secondary: Option<String>,
}

/// A derived fact as known in one span of knowledge.
#[derive(Debug, Clone)]
pub struct Version {
    /// The default and its exceptions.
    pub rule: Rule,
    /// The source; may be empty.
    pub cite: String,
    /// A remark for the reader.
    pub note: Option<String>,
    /// What about it is not confirmed.
    pub unconfirmed: Option<String>,
    known: Option<Date>,
    until_known: Option<Date>,
    code: Code,
}

impl Derived {
    /// The rule as known on a day; `None` where the fact was not law yet, or no longer.
    pub fn rule_at(&self, known: Date) -> Option<&Rule> {
        self.version(known).map(|version| &version.rule)
    }

    /// The version that counts on a day of knowledge; `None` where the fact was not law yet, or no longer.
    pub fn version(&self, known: Date) -> Option<&Version> {
        self.versions.iter().rev().find(|version| {
            version.known.is_none_or(|from| from <= known)
                && version.until_known.is_none_or(|until| known < until)
        })
    }

    /// What is not confirmed about a version of it, for the pack at this place of the book.
    fn doubts<'d>(
        &'d self,
        version: &'d Version,
        asker: usize,
    ) -> impl Iterator<Item = &'d String> {
        let foreign = self.secondary.iter().filter(move |_| self.home != asker);
        version.unconfirmed.iter().chain(foreign)
    }
}

/// Binds conditions, and keeps the list of distinct questions.
pub(crate) struct Binder<'a> {
    vocabulary: &'a Vocabulary,
    derived: &'a BTreeMap<String, usize>,
    questions: RefCell<Questions>,
}

impl Binder<'_> {
    /// A condition, parsed and made ready.
    pub(crate) fn bind(&self, condition: &Condition) -> Result<(Rule, Code), ReadError> {
        let rule = condition.bind(self.vocabulary, self.derived)?;
        let code = self.questions.borrow_mut().code(&rule);
        Ok((rule, code))
    }

    /// `when`, and none of the exceptions: its own, and those that overlay packs add.
    fn with_exceptions(
        &self,
        when: &Condition,
        exceptions: &[Condition],
        added: &[usize],
    ) -> Result<(Rule, Code), ReadError> {
        let mut rules = vec![when.bind(self.vocabulary, self.derived)?];
        for exception in exceptions {
            let exception = exception.bind(self.vocabulary, self.derived)?;
            rules.push(Rule::Not(Box::new(exception)));
        }
        let added = added.iter().map(|at| Rule::Derived(*at));
        rules.extend(added.map(|rule| Rule::Not(Box::new(rule))));
        let rule = if rules.len() == 1 {
            rules.remove(0)
        } else {
            Rule::All(rules)
        };
        let code = self.questions.borrow_mut().code(&rule);
        Ok((rule, code))
    }
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
        let mut packs = packs;
        let overlays = overlays(&mut packs)?;
        let derived_names = derived_names(&vocabulary, &packs)?;
        let binder = Binder {
            vocabulary: &vocabulary,
            derived: &derived_names,
            questions: RefCell::new(Questions::default()),
        };
        let derived = derived_facts(&binder, &derived_names, &packs, &overlays)?;
        check_circles(&derived)?;
        let mut bound = Vec::with_capacity(packs.len());
        for (at, pack) in packs.into_iter().enumerate() {
            bound.push(Arc::new(bind(at, pack, &binder, &derived, &overlays)?));
        }
        let questions = binder.questions.into_inner();
        let book = Book {
            vocabulary,
            evidence,
            controls,
            figures: BTreeMap::new(),
            stamps: BTreeMap::new(),
            theories: Theories::default(),
            packs: bound,
            derived,
            derived_names,
            questions,
        };
        for pack in book.packs() {
            book.check_registers(pack)?;
        }
        book.check_ids()?;
        book.check_clocks()?;
        Ok(book)
    }

    /// The same book with the kinds of figures. Fails on a figure whose kind is not among them.
    pub fn with_figures(
        mut self,
        figures: BTreeMap<String, FigureKind>,
    ) -> Result<Self, ReadError> {
        for pack in self.packs() {
            for text in &pack.requirements {
                let mut kinds = text.figures.iter().map(|figure| &figure.kind);
                if let Some(kind) = kinds.find(|kind| !figures.contains_key(*kind)) {
                    let hint = nearest(kind, figures.keys().map(String::as_str));
                    return Err(file_error(
                        pack,
                        format!(
                            "requirement `{}` names the kind of figure `{kind}`, which is not listed; {hint}",
                            text.id
                        ),
                    ));
                }
            }
        }
        self.figures = figures;
        Ok(self)
    }

    /// The same book with the stamps of its packs. Fails on a stamp of a requirement that the pack does not have.
    pub fn with_stamps(mut self, all: Vec<Stamps>) -> Result<Self, ReadError> {
        let mut kept = BTreeMap::new();
        for stamps in all {
            let wrong = |problem: String| ReadError {
                file: format!("{}/provisions.toml", stamps.pack),
                line: 0,
                field: String::new(),
                problem: format!("{problem}; write it anew with `alnager law stamp`"),
            };
            let Some(pack) = self.packs().find(|pack| pack.id == stamps.pack) else {
                return Err(wrong(format!("there is no pack `{}` in use", stamps.pack)));
            };
            for stamp in stamps.stamps {
                let id = stamp.requirement.clone();
                if !pack.requirements.iter().any(|text| text.id == id) {
                    return Err(wrong(format!("the pack has no requirement `{id}`")));
                }
                if kept.insert(id.clone(), stamp).is_some() {
                    return Err(wrong(format!("the requirement `{id}` is stamped twice")));
                }
            }
        }
        self.stamps = kept;
        Ok(self)
    }

    /// The same book with the theories that tests serve. Fails on a theory whose requirements are not in one pack of the book, or that
    /// names a kind of decision nobody is asked about.
    pub fn with_theories(mut self, theories: Theories) -> Result<Self, ReadError> {
        theories.check(&self)?;
        self.theories = theories;
        Ok(self)
    }

    /// The theories that tests serve.
    pub fn theories(&self) -> &Theories {
        &self.theories
    }

    /// What a requirement was written against; `None` where its pack was never stamped.
    pub fn stamp(&self, requirement: &str) -> Option<&Stamp> {
        self.stamps.get(requirement)
    }

    /// Every stamp of the packs in use, by requirement.
    pub fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        self.stamps.values()
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

    /// The packs in use.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().map(|bound| &bound.pack)
    }

    pub(crate) fn bound(&self) -> &[Arc<BoundPack>] {
        &self.packs
    }

    /// A statutory clock by its id, or by one it was known by.
    pub fn clock(&self, id: &str) -> Option<(&Pack, &Clock)> {
        let clocks = || {
            self.packs()
                .flat_map(|pack| pack.clocks.iter().map(move |clock| (pack, clock)))
        };
        clocks().find(|(_, clock)| clock.id == id).or_else(|| {
            clocks().find(|(_, clock)| clock.also_known_as.iter().any(|name| name == id))
        })
    }

    /// Clocks have ids of their own, their conditions bind, and what caps them exists.
    fn check_clocks(&self) -> Result<(), ReadError> {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for pack in self.packs() {
            for clock in &pack.clocks {
                for id in clock.also_known_as.iter().chain([&clock.id]) {
                    if let Some(other) = seen.insert(id, &pack.id) {
                        return Err(clock.wrong(format!(
                            "the clock id `{id}` is already used in the pack `{other}`"
                        )));
                    }
                }
                clock
                    .conditions()
                    .try_for_each(|condition| self.bind_condition(condition).map(drop))?;
            }
        }
        let ids = seen.keys().copied();
        for pack in self.packs() {
            for text in &pack.requirements {
                if let Some(id) = text
                    .clocks
                    .iter()
                    .find(|id| !seen.contains_key(id.as_str()))
                {
                    let hint = nearest(id, ids);
                    return Err(file_error(
                        pack,
                        format!(
                            "requirement `{}` runs on the clock `{id}`, which does not exist; {hint}",
                            text.id
                        ),
                    ));
                }
            }
        }
        for clock in self.packs().flat_map(|pack| &pack.clocks) {
            if let Some(cap) = &clock.cap
                && !seen.contains_key(cap.clock.as_str())
            {
                let hint = nearest(&cap.clock, ids);
                return Err(clock.wrong(format!("there is no clock `{}`; {hint}", cap.clock)));
            }
        }
        Ok(())
    }

    /// Binds a condition that stands outside the packs, such as a policy test's `when`.
    pub fn bind_condition(&self, condition: &Condition) -> Result<Rule, ReadError> {
        condition.bind(&self.vocabulary, &self.derived_names)
    }

    /// Everything about the core of a requirement that is not confirmed, whatever the facts and days; `None` where the book has no
    /// such requirement.
    pub fn doubts(&self, requirement: &str) -> Option<Vec<String>> {
        let (pack, index) = self.packs.iter().find_map(|pack| {
            let mut texts = pack.pack.requirements.iter();
            texts
                .position(|text| text.id == requirement)
                .map(|index| (pack, index))
        })?;
        let text = &pack.pack.requirements[index];
        let groups = text.applies.iter().flat_map(|group| {
            let choices = pack.pack.choose.get(group).into_iter().flatten();
            std::iter::once(group).chain(choices.map(|choice| &choice.group))
        });
        let rows = groups.filter_map(|group| pack.pack.applies.get(group));
        let mut doubts: Vec<String> = text.unconfirmed.iter().cloned().collect();
        doubts.extend(rows.flatten().filter_map(|row| row.unconfirmed.clone()));
        let mut derived: BTreeSet<usize> = pack.doubtful[index].iter().copied().collect();
        for rule in pack.timetable.rules_of(index) {
            derived.extend(derived_in(rule, &self.derived));
        }
        for at in derived {
            let derived = &self.derived[at];
            for version in &derived.versions {
                doubts.extend(derived.doubts(version, pack.at).cloned());
            }
        }
        doubts.extend(pack.pack.secondary());
        let mut distinct: Vec<String> = Vec::new();
        for doubt in doubts {
            if !distinct.contains(&doubt) {
                distinct.push(doubt);
            }
        }
        Some(distinct)
    }

    /// A derived fact by position.
    pub fn derived(&self, at: usize) -> &Derived {
        &self.derived[at]
    }

    /// All derived facts.
    pub fn derived_facts(&self) -> &[Derived] {
        &self.derived
    }

    /// Reads conditions against one system's facts with the law published by a day, remembering what was worked out.
    pub fn reader<'a>(&'a self, facts: &'a Facts, known: Date) -> Reader<'a> {
        Reader {
            book: self,
            facts,
            known,
            derived: vec![Cell::new(None); self.derived.len()],
            answers: vec![Cell::new(None); self.questions.atoms().len()],
            missing: vec![OnceCell::new(); self.derived.len()],
            confirmed: OnceCell::new(),
        }
    }
}

/// The exceptions that overlay packs add, by the derived fact or requirement they are added to, each a derived fact of its own; and
/// the changed wordings.
struct Overlays {
    exceptions: BTreeMap<String, Vec<String>>,
    marks: BTreeMap<String, Vec<Overlay>>,
}

/// Collects what overlay packs change, and changes the wordings.
fn overlays(packs: &mut [Pack]) -> Result<Overlays, ReadError> {
    let mut found = Overlays {
        exceptions: BTreeMap::new(),
        marks: BTreeMap::new(),
    };
    let (mut rewordings, mut added) = (Vec::new(), Vec::new());
    for (at, pack) in packs.iter().enumerate() {
        may_overlay(pack, packs)?;
        for exception in &pack.exceptions {
            let known = packs.iter().any(|other| {
                let derives = other.derives.iter().map(|derive| &derive.fact);
                let requirements = other.requirements.iter().map(|text| &text.id);
                derives
                    .chain(requirements)
                    .any(|name| *name == exception.to)
            });
            if !known {
                return Err(file_error(
                    pack,
                    format!(
                        "an exception is added to `{}`, which is neither a derived fact nor a requirement of any pack in use",
                        exception.to
                    ),
                ));
            }
            let list = found.exceptions.entry(exception.to.clone()).or_default();
            let n = list.len() + 1;
            let derive = Derive {
                fact: format!("{}, exception {n} added by {}", exception.to, pack.id),
                rule: exception.unless.clone(),
                unless: Vec::new(),
                cite: exception.cite.clone(),
                note: None,
                unconfirmed: pack.secondary(),
                known: Some(exception.known),
                until_known: exception.until_known,
            };
            list.push(derive.fact.clone());
            added.push((at, derive));
            found.mark(&exception.to, pack, "an exception", &exception.cite);
        }
        for rewording in &pack.rewordings {
            rewordings.push(rewording.clone());
            found.mark(&rewording.requirement, pack, "its wording", &rewording.cite);
        }
    }
    for (at, derive) in added {
        packs[at].derives.push(derive);
    }
    for rewording in rewordings {
        let text = packs
            .iter_mut()
            .flat_map(|pack| &mut pack.requirements)
            .find(|text| text.id == rewording.requirement);
        let Some(text) = text else {
            return Err(rewording.node.wrong(format!(
                "there is no requirement `{}` in the packs in use",
                rewording.requirement
            )));
        };
        rewording.change(text);
    }
    Ok(found)
}

/// Refuses a pack that changes others without being law, or that changes the policy.
fn may_overlay(pack: &Pack, packs: &[Pack]) -> Result<(), ReadError> {
    if pack.exceptions.is_empty() && pack.rewordings.is_empty() {
        return Ok(());
    }
    if !pack.binding || pack.kind == PackKind::Bill {
        return Err(file_error(
            pack,
            "it changes another pack, and is itself no binding law; only binding law or counsel's own pack may".to_owned(),
        ));
    }
    let policy = packs.iter().filter(|other| other.kind == PackKind::Policy);
    let mut own = policy.flat_map(|other| &other.requirements);
    let changes = |id: &String| {
        pack.exceptions.iter().any(|exception| exception.to == *id)
            || pack
                .rewordings
                .iter()
                .any(|rewording| rewording.requirement == *id)
    };
    match own.find(|text| changes(&text.id)) {
        Some(text) => Err(file_error(
            pack,
            format!(
                "it changes `{}`, which the organisation's policy asks for; change the policy instead",
                text.id
            ),
        )),
        None => Ok(()),
    }
}

impl Overlays {
    fn mark(&mut self, name: &str, pack: &Pack, what: &str, cite: &str) {
        let mark = Overlay {
            pack: pack.id.clone(),
            what: what.to_owned(),
            cite: pack.cited(cite),
        };
        self.marks.entry(name.to_owned()).or_default().push(mark);
    }

    /// The positions of the exceptions added to a derived fact or a requirement.
    fn exceptions(&self, name: &str, names: &BTreeMap<String, usize>) -> Vec<usize> {
        let added = self.exceptions.get(name).into_iter().flatten();
        added.filter_map(|name| names.get(name).copied()).collect()
    }
}

/// The derived facts by name, with their positions. A fact may have several versions in one pack, each known in its own time.
fn derived_names(
    vocabulary: &Vocabulary,
    packs: &[Pack],
) -> Result<BTreeMap<String, usize>, ReadError> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for pack in packs {
        for (at, derive) in pack.derives.iter().enumerate() {
            let twice = vocabulary.get(&derive.fact).is_some()
                || owners
                    .get(derive.fact.as_str())
                    .is_some_and(|owner| *owner != pack.id);
            let overlaps = pack.derives[..at].iter().any(|earlier| {
                earlier.fact == derive.fact
                    && derive
                        .known
                        .is_none_or(|known| earlier.until_known.is_none_or(|until| until > known))
            });
            if twice || overlaps {
                return Err(file_error(
                    pack,
                    format!(
                        "the fact `{}` is defined twice; give the derived one another name, or `known` and `until_known` that do not overlap",
                        derive.fact
                    ),
                ));
            }
            owners.insert(&derive.fact, &pack.id);
            let next = names.len();
            names.entry(derive.fact.clone()).or_insert(next);
        }
    }
    Ok(names)
}

fn derived_facts(
    binder: &Binder<'_>,
    names: &BTreeMap<String, usize>,
    packs: &[Pack],
    overlays: &Overlays,
) -> Result<Vec<Derived>, ReadError> {
    let mut derived: Vec<Option<Derived>> = vec![None; names.len()];
    for (home, pack) in packs.iter().enumerate() {
        for derive in &pack.derives {
            let added = overlays.exceptions(&derive.fact, names);
            let (rule, code) = binder.with_exceptions(&derive.rule, &derive.unless, &added)?;
            let version = Version {
                rule: rule.clone(),
                cite: derive.cite.clone(),
                note: derive.note.clone(),
                unconfirmed: derive.unconfirmed.clone(),
                known: derive.known,
                until_known: derive.until_known,
                code,
            };
            let slot = &mut derived[names[&derive.fact]];
            let mut versions = slot
                .take()
                .map_or_else(Vec::new, |earlier| earlier.versions);
            versions.push(version);
            *slot = Some(Derived {
                name: derive.fact.clone(),
                pack: pack.id.clone(),
                rule,
                versions,
                home,
                secondary: pack.secondary(),
            });
        }
    }
    Ok(derived.into_iter().flatten().collect())
}

fn bind(
    at: usize,
    pack: Pack,
    binder: &Binder<'_>,
    derived: &[Derived],
    overlays: &Overlays,
) -> Result<BoundPack, ReadError> {
    let (mut conditions, mut codes) = (Vec::new(), Vec::new());
    let (mut doubtful, mut marks) = (Vec::new(), Vec::new());
    for text in &pack.requirements {
        let added = overlays.exceptions(&text.id, binder.derived);
        let (rule, code) = binder.with_exceptions(&text.when, &text.unless, &added)?;
        doubtful.push(doubtful_in(&rule, derived, at));
        let mut own = overlays.marks.get(&text.id).cloned().unwrap_or_default();
        for at in derived_in(&rule, derived) {
            own.extend(
                overlays
                    .marks
                    .get(&derived[at].name)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        marks.push(own);
        conditions.push(rule);
        codes.push(code);
    }
    let mut timetable = Timetable::bind(&pack, binder)?;
    let rests_on_doubt = timetable
        .rules()
        .any(|rule| !doubtful_in(rule, derived, at).is_empty());
    timetable.rests_on_doubt = rests_on_doubt;
    Ok(BoundPack {
        alike: alike(&codes, &timetable),
        pack,
        conditions,
        codes,
        timetable,
        at,
        doubtful,
        overlays: marks,
    })
}

/// Which requirements share condition and dates. Quadratic; packs have under 100 requirements.
fn alike(codes: &[Code], timetable: &Timetable) -> Vec<usize> {
    let mut distinct: Vec<(&Code, usize)> = Vec::new();
    let pairs = codes.iter().enumerate();
    let pairs = pairs.map(|(index, code)| (code, timetable.schedule_of(index)));
    pairs
        .map(|pair| {
            let known = distinct.iter().position(|other| *other == pair);
            known.unwrap_or_else(|| {
                distinct.push(pair);
                distinct.len() - 1
            })
        })
        .collect()
}

/// The derived facts a rule rests on, in any version, through each other.
fn derived_in(rule: &Rule, derived: &[Derived]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = named_in(rule);
    while let Some(at) = open.pop() {
        if found.insert(at) {
            let versions = derived[at].versions.iter();
            open.extend(versions.flat_map(|version| named_in(&version.rule)));
        }
    }
    found
}

/// The derived facts a rule names itself.
fn named_in(rule: &Rule) -> Vec<usize> {
    let mut named = Vec::new();
    rule.leaves(&mut |leaf| {
        if let Rule::Derived(at) = leaf {
            named.push(*at);
        }
    });
    named
}

/// The derived facts a rule of the pack at this place rests on that are not confirmed in some version.
fn doubtful_in(rule: &Rule, derived: &[Derived], asker: usize) -> Vec<usize> {
    let is_doubtful = |at: &usize| {
        let derived = &derived[*at];
        let mut versions = derived.versions.iter();
        versions.any(|version| derived.doubts(version, asker).next().is_some())
    };
    let found = derived_in(rule, derived).into_iter();
    found.filter(is_doubtful).collect()
}

/// Refuses derived facts that define each other in a circle, or in a chain so long that following it could exhaust the stack.
fn check_circles(derived: &[Derived]) -> Result<(), ReadError> {
    let wrong = |at: usize, problem: String| ReadError {
        file: derived[at].pack.clone(),
        line: 0,
        field: "derive".to_owned(),
        problem,
    };
    let below: Vec<Vec<usize>> = derived
        .iter()
        .map(|one| {
            let versions = one.versions.iter();
            versions
                .flat_map(|version| named_in(&version.rule))
                .collect()
        })
        .collect();
    for (at, length) in bounds::chains(&below).into_iter().enumerate() {
        let name = &derived[at].name;
        if length > bounds::CHAIN_MAX {
            return Err(wrong(at, bounds::too_long(name, length)));
        }
        // Without a length it rests on a circle; whose part it is itself is named.
        let rests_on_itself = || {
            let mut rules = derived[at].versions.iter().map(|version| &version.rule);
            rules.any(|rule| derived_in(rule, derived).contains(&at))
        };
        if length == 0 && rests_on_itself() {
            return Err(wrong(
                at,
                format!("the derived fact `{name}` depends on itself; break the circle"),
            ));
        }
    }
    Ok(())
}

fn file_error(pack: &Pack, problem: String) -> ReadError {
    ReadError {
        file: pack.file().to_owned(),
        line: 0,
        field: String::new(),
        problem,
    }
}

/// The pack that asked last, and what it was told.
type Told = Cell<Option<(usize, Truth)>>;

/// Evaluates rules for one system; every question and every derived fact is worked out once.
pub struct Reader<'a> {
    book: &'a Book,
    facts: &'a Facts,
    known: Date,
    derived: Vec<Cell<Option<Truth>>>,
    answers: Vec<Cell<Option<Truth>>>,
    missing: Vec<OnceCell<FactSet>>,
    /// For each derived fact, whether it holds by what is confirmed; made where something is not.
    confirmed: OnceCell<Vec<Told>>,
}

impl Reader<'_> {
    /// Whether a rule holds.
    pub fn truth(&self, rule: &Rule) -> Truth {
        match rule {
            Rule::Constant(yes) => Truth::from(*yes),
            Rule::All(rules) => all(rules.iter().map(|rule| self.truth(rule))),
            Rule::Any(rules) => any(rules.iter().map(|rule| self.truth(rule))),
            Rule::Not(rule) => self.truth(rule).not(),
            Rule::Atom(atom) => atom
                .truth(self.facts, &self.book.vocabulary)
                .map_or(Truth::Unknown, Truth::from),
            Rule::Derived(at) => self.derived(*at),
        }
    }

    /// Whether a rule of the book holds.
    pub(crate) fn holds(&self, code: &Code) -> Truth {
        match code {
            Code::Constant(yes) => Truth::from(*yes),
            Code::All(codes) => all(codes.iter().map(|code| self.holds(code))),
            Code::Any(codes) => any(codes.iter().map(|code| self.holds(code))),
            Code::Not(code) => self.holds(code).not(),
            Code::Question(at) => self.answer(*at as usize),
            Code::Derived(at) => self.derived(*at as usize),
        }
    }

    fn answer(&self, at: usize) -> Truth {
        if let Some(truth) = self.answers[at].get() {
            return truth;
        }
        let truth = self.book.questions.atoms()[at]
            .truth(self.facts, &self.book.vocabulary)
            .map_or(Truth::Unknown, Truth::from);
        self.answers[at].set(Some(truth));
        truth
    }

    /// Whether a rule of the book holds when every derived fact that is not confirmed counts as unknown; for the pack at this place
    /// of the book, to which what other packs derive from secondary sources is not confirmed.
    pub(crate) fn holds_confirmed(&self, code: &Code, asker: usize) -> Truth {
        let each = |code: &Code| self.holds_confirmed(code, asker);
        match code {
            Code::Constant(yes) => Truth::from(*yes),
            Code::All(codes) => all(codes.iter().map(each)),
            Code::Any(codes) => any(codes.iter().map(each)),
            Code::Not(code) => each(code).not(),
            Code::Question(at) => self.answer(*at as usize),
            Code::Derived(at) => self.derived_confirmed(*at as usize, asker),
        }
    }

    fn derived_confirmed(&self, at: usize, asker: usize) -> Truth {
        let known = self
            .confirmed
            .get_or_init(|| vec![Cell::new(None); self.derived.len()]);
        if let Some((_, truth)) = known[at].get().filter(|(asked, _)| *asked == asker) {
            return truth;
        }
        let derived = self.book.derived(at);
        let truth = match derived.version(self.known) {
            None => Truth::False,
            Some(version) if derived.doubts(version, asker).next().is_some() => Truth::Unknown,
            Some(version) => self.holds_confirmed(&version.code, asker),
        };
        known[at].set(Some((asker, truth)));
        truth
    }

    /// Adds what is not confirmed about the derived facts that a rule of the book rests on, as known.
    pub(crate) fn doubts_in(&self, code: &Code, asker: usize, doubts: &mut Vec<String>) {
        let (mut open, mut seen) = (Vec::new(), BTreeSet::new());
        code.derived(&mut open);
        while let Some(at) = open.pop() {
            let derived = self.book.derived(at);
            if !seen.insert(at) {
                continue;
            }
            if let Some(version) = derived.version(self.known) {
                for doubt in derived.doubts(version, asker) {
                    if !doubts.contains(doubt) {
                        doubts.push(doubt.clone());
                    }
                }
                version.code.derived(&mut open);
            }
        }
    }

    /// Whether a derived fact holds.
    pub fn derived(&self, at: usize) -> Truth {
        if let Some(truth) = self.derived[at].get() {
            return truth;
        }
        let version = self.book.derived(at).version(self.known);
        let truth = version.map_or(Truth::False, |version| self.holds(&version.code));
        self.derived[at].set(Some(truth));
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
            Rule::Derived(at) => missing.extend(self.missing_of(*at).iter()),
        }
    }

    /// Adds the facts that keep a rule of the book unknown; nothing where it is settled.
    pub(crate) fn missing_in(&self, code: &Code, missing: &mut FactSet) {
        match code {
            Code::Constant(_) => {}
            Code::All(codes) | Code::Any(codes) => {
                if self.holds(code) == Truth::Unknown {
                    codes.iter().for_each(|code| self.missing_in(code, missing));
                }
            }
            Code::Not(code) => self.missing_in(code, missing),
            Code::Question(at) => {
                if self.answer(*at as usize) == Truth::Unknown {
                    missing.insert(self.book.questions.atoms()[*at as usize].fact);
                }
            }
            Code::Derived(at) => {
                if self.derived(*at as usize) == Truth::Unknown {
                    missing.join(self.missing_of(*at as usize));
                }
            }
        }
    }

    /// The facts that keep a derived fact unknown, worked out once.
    fn missing_of(&self, at: usize) -> &FactSet {
        self.missing[at].get_or_init(|| {
            let mut missing = FactSet::default();
            if let Some(version) = self.book.derived(at).version(self.known) {
                self.missing_in(&version.code, &mut missing);
            }
            missing
        })
    }

    /// The book read.
    pub fn book(&self) -> &Book {
        self.book
    }

    /// The facts read.
    pub fn facts(&self) -> &Facts {
        self.facts
    }

    /// Law published by the end of this day counts.
    pub fn known(&self) -> Date {
        self.known
    }
}

/// Kleene's `and` over many; stops at the first false.
fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut whole = Truth::True;
    for truth in truths {
        whole = whole.and(truth);
        if whole == Truth::False {
            break;
        }
    }
    whole
}

/// Kleene's `or` over many; stops at the first true.
fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut whole = Truth::False;
    for truth in truths {
        whole = whole.or(truth);
        if whole == Truth::True {
            break;
        }
    }
    whole
}

#[cfg(test)]
mod tests;
