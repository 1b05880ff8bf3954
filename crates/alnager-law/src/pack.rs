//! Packs: a law, a framework or the organisation's policy as data. The format is `docs/formats/law-pack.md`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::bounds;
use crate::clock::Clock;
use crate::fact::Vocabulary;
use crate::figure::Figure;
use crate::read::{self, Node, ReadError, nearest};
use crate::rule::{self, Names, Rule};

mod parts;
mod register;

pub use parts::ROLES;
pub(crate) use parts::{
    PACK_FIELDS, added_exception, choice, date_row, derive, enforcement, pack_kind, penalty,
    requirement, rewording, transition,
};
pub use register::{Register, RegisterItem, Reuse, Signer};

use parts::condition;

/// A pack whose names are not yet bound to facts; see [`crate::book::Book`].
#[derive(Debug, Clone)]
pub struct Pack {
    /// The permanent id, the name of its folder.
    pub id: String,
    /// The version of our wording.
    pub version: String,
    /// The title.
    pub title: String,
    /// The name in citations; empty for a policy, whose citations name it themselves.
    pub short: String,
    /// Where it governs.
    pub jurisdiction: String,
    /// What kind of instrument it is.
    pub kind: PackKind,
    /// Whether it binds by itself; a voluntary one binds only where adopted.
    pub binding: bool,
    /// The citation of the instrument.
    pub citation: String,
    /// `A` primary text read, `B` good secondary read, `unconfirmed`.
    pub confidence: String,
    /// The day up to which the law was read.
    pub known_as_of: Date,
    /// Date groups by name.
    pub applies: BTreeMap<String, Vec<DateRow>>,
    /// Groups that stand for others, chosen by the facts.
    pub choose: BTreeMap<String, Vec<Choice>>,
    /// Grandfathering over whole groups.
    pub transitions: Vec<Transition>,
    /// Derived facts in the order of the file.
    pub derives: Vec<Derive>,
    /// Penalties by name.
    pub penalties: BTreeMap<String, Penalty>,
    /// Exceptions it adds to derived facts and requirements of other packs.
    pub exceptions: Vec<AddedException>,
    /// Wordings of other packs' requirements it replaces.
    pub rewordings: Vec<Rewording>,
    /// When the law is in force and yet not enforced.
    pub enforcement: Vec<Enforcement>,
    /// The requirements in the order of the file.
    pub requirements: Vec<RequirementText>,
    /// The statutory clocks in the order of the file.
    pub clocks: Vec<Clock>,
    file: String,
}

/// The kind of instrument a pack holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackKind {
    /// An act of a legislature.
    Statute,
    /// A regulation.
    Regulation,
    /// The law of a city or county.
    LocalLaw,
    /// An authority's guidance.
    Guidance,
    /// A standard.
    Standard,
    /// A framework.
    Framework,
    /// A bill, not law.
    Bill,
    /// The organisation's own policy.
    Policy,
}

/// A condition as written, with the place it stands at.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The text.
    pub text: String,
    node: Node,
}

/// One statement of when a group of requirements governs, and when that became known.
#[derive(Debug, Clone)]
pub struct DateRow {
    /// First day it governs.
    pub from: Date,
    /// First day it no longer governs.
    pub to: Option<Date>,
    /// The day this became known.
    pub known: Date,
    /// The first day of knowledge on which this no longer counts.
    pub until_known: Option<Date>,
    /// The source.
    pub cite: String,
    /// A condition on the row.
    pub when: Option<Condition>,
    /// The group whose start wakes the duty.
    pub dormant_until: Option<String>,
    /// Why it sleeps.
    pub reason: Option<String>,
    /// What about the row is not confirmed.
    pub unconfirmed: Option<String>,
}

/// One group a chosen group may stand for.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The group.
    pub group: String,
    /// When it is this one.
    pub when: Option<Condition>,
}

/// An exception over whole date groups.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The groups.
    pub groups: Vec<String>,
    /// When the exception holds.
    pub when: Condition,
    /// The later start, or `None` where the requirements do not apply at all.
    pub from: Option<Date>,
    /// The source.
    pub cite: String,
}

/// A derived fact: a default with exceptions.
#[derive(Debug, Clone)]
pub struct Derive {
    /// Its name.
    pub fact: String,
    /// The default.
    pub rule: Condition,
    /// The exceptions; each takes the default away.
    pub unless: Vec<Condition>,
    /// The source; empty where it only names a combination.
    pub cite: String,
    /// A remark for the reader.
    pub note: Option<String>,
    /// What about it is not confirmed.
    pub unconfirmed: Option<String>,
    /// The first day of knowledge on which this version counts; without it from the start.
    pub known: Option<Date>,
    /// The first day of knowledge on which it no longer counts.
    pub until_known: Option<Date>,
}

/// What a breach may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Penalty {
    /// The maximum in words.
    pub max: String,
    /// The source.
    pub cite: String,
    /// The currency of `amount`.
    pub currency: Option<String>,
    /// The fixed maximum in whole currency units.
    pub amount: Option<i64>,
    /// The maximum in per cent of worldwide annual turnover.
    pub turnover_percent: Option<i64>,
}

/// An exception that an overlay pack adds to another pack's rule: how a delegated act or a counsel's carve-out arrives.
#[derive(Debug, Clone)]
pub struct AddedException {
    /// The derived fact or requirement it is added to.
    pub to: String,
    /// The exception.
    pub unless: Condition,
    /// Its source.
    pub cite: String,
    /// The first day of knowledge on which it counts: the later of its publication and its own first day, so that it frees nobody
    /// before it does in law.
    pub known: Date,
    /// The first day of knowledge on which it no longer counts.
    pub until_known: Option<Date>,
}

/// A wording that an overlay pack puts in the place of another pack's.
#[derive(Debug, Clone)]
pub struct Rewording {
    /// The requirement.
    pub requirement: String,
    /// What it asks, in the overlay's words.
    pub what: Option<String>,
    /// The line for the developer.
    pub how: Option<String>,
    /// The kinds of evidence it needs.
    pub evidence: Option<Vec<String>>,
    /// The common controls it asks for.
    pub controls: Option<Vec<String>>,
    /// Who usually owns it.
    pub role: Option<String>,
    /// Its source.
    pub cite: String,
    pub(crate) node: Node,
}

impl Rewording {
    /// Puts the overlay's words in place of the requirement's.
    pub(crate) fn change(self, text: &mut RequirementText) {
        fn put<T>(new: Option<T>, old: &mut T) {
            if let Some(new) = new {
                *old = new;
            }
        }
        put(self.what, &mut text.what);
        put(self.how, &mut text.how);
        put(self.evidence, &mut text.evidence);
        put(self.controls, &mut text.controls);
        put(self.role, &mut text.role);
    }
}

/// A time in which requirements in force are not, or not fully, enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcement {
    /// What holds.
    pub state: EnforcementState,
    /// The first day it holds; without it from the start.
    pub from: Option<Date>,
    /// The first day it no longer holds; without it until further notice.
    pub until: Option<Date>,
    /// The day this became known.
    pub known: Date,
    /// The source.
    pub cite: String,
    /// A remark for the reader.
    pub note: Option<String>,
    /// The date groups concerned; empty: all.
    pub groups: Vec<String>,
}

/// How far a requirement in force can be enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnforcementState {
    /// The authority has said that it does not enforce yet.
    Grace,
    /// A court or the authority has suspended it.
    Stayed,
    /// It binds, but fines are not possible yet.
    NoFines,
}

impl EnforcementState {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            EnforcementState::Grace => "grace",
            EnforcementState::Stayed => "stayed",
            EnforcementState::NoFines => "no fines",
        }
    }
}

/// Another requirement that pulls the other way, for counsel to reconcile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The other requirement's id.
    pub with: String,
    /// Why, in one line.
    pub why: String,
}

/// What kind of norm a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequirementKind {
    /// Something to do.
    Duty,
    /// Something not to do.
    Prohibition,
    /// Something to do if one does something else.
    Condition,
    /// Something that protects whoever does it.
    SafeHarbour,
    /// A risk the text names.
    Risk,
    /// A gap the text leaves.
    Gap,
}

/// When in a system's life a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Once, by the organisation; every system inherits it.
    Organisation,
    /// Before the system is used.
    BeforeUse,
    /// While it runs.
    InUse,
    /// When something happens: a request, a breach, a decision.
    OnEvent,
}

impl Phase {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Organisation => "organisation",
            Phase::BeforeUse => "before use",
            Phase::InUse => "in use",
            Phase::OnEvent => "on event",
        }
    }
}

/// A requirement as a pack words it.
#[derive(Debug, Clone)]
pub struct RequirementText {
    /// The permanent id.
    pub id: String,
    /// The kind of norm.
    pub kind: RequirementKind,
    /// Whom it addresses, in words.
    pub who: Vec<String>,
    /// What it asks, in our words.
    pub what: String,
    /// One line for the developer.
    pub how: String,
    /// The pin-cite.
    pub cite: String,
    /// When it concerns a system.
    pub when: Condition,
    /// Exceptions.
    pub unless: Vec<Condition>,
    /// Date groups; the last whose condition holds wins.
    pub applies: Vec<String>,
    /// When in a system's life it is met.
    pub phase: Phase,
    /// The kinds of evidence it needs, all of them.
    pub evidence: Vec<String>,
    /// The common controls it asks for.
    pub controls: Vec<String>,
    /// The name of its penalty in the pack.
    pub penalty: Option<String>,
    /// Who usually owns it.
    pub role: String,
    /// The deadline in words.
    pub deadline: Option<String>,
    /// How often, in words.
    pub frequency: Option<String>,
    /// The ids it took the place of when the duty changed.
    pub replaces: Vec<String>,
    /// The statutory clocks it runs on, by id.
    pub clocks: Vec<String>,
    /// The periods, frequencies and limits the text sets.
    pub figures: Vec<Figure>,
    /// Requirements that pull the other way.
    pub conflicts: Vec<Conflict>,
    /// What about its core (whether or what it binds) is not confirmed: for counsel.
    pub unconfirmed: Option<String>,
    /// What about a side note of it is not confirmed.
    pub unconfirmed_detail: Option<String>,
}

impl Pack {
    /// Reads a law pack.
    pub fn parse(file: &str, text: &str) -> Result<Self, ReadError> {
        let root = read::read(file, text)?;
        root.only(&PACK_FIELDS)?;
        root.need("schema")?.one_of(["alnager.pack/1"])?;
        let status = root.need("status")?;
        status.only(&["state", "as_of", "known_as_of", "enforceable", "note"])?;
        let mut pack = Pack {
            short: root.need("short")?.words()?,
            jurisdiction: root.need("jurisdiction")?.words()?,
            kind: pack_kind(root.need("kind")?)?,
            binding: root.need("binding")?.bool()?,
            citation: root.need("citation")?.words()?,
            confidence: root
                .need("confidence")?
                .one_of(["A", "B+", "B", "unconfirmed"])?,
            ..Pack::blank(file, &root, status.need("known_as_of")?.date()?)?
        };
        pack.read_body(&root)?;
        pack.check_dates(&root)?;
        pack.check_chains(&root)?;
        Ok(pack)
    }

    /// A policy's own requirements as a pack that binds from a day on; `root` is the policy's file.
    pub fn of_policy(file: &str, root: &Node, from: Date, known: Date) -> Result<Self, ReadError> {
        let mut pack = Pack::blank(file, root, known)?;
        pack.id = format!("policy-{}", pack.id);
        let row = DateRow {
            from,
            to: None,
            known,
            until_known: None,
            cite: pack.citation.clone(),
            when: None,
            dormant_until: None,
            reason: None,
            unconfirmed: None,
        };
        pack.applies.insert("policy".to_owned(), vec![row]);
        pack.read_body(root)?;
        for requirement in &mut pack.requirements {
            if requirement.applies.is_empty() {
                requirement.applies.push("policy".to_owned());
            }
        }
        Ok(pack)
    }

    /// A pack of the organisation's own, with nothing in it yet.
    fn blank(file: &str, root: &Node, known_as_of: Date) -> Result<Self, ReadError> {
        let title = root.need("title")?.words()?;
        Ok(Pack {
            id: root.need("id")?.words()?,
            version: root.need("version")?.words()?,
            citation: title.clone(),
            title,
            short: String::new(),
            jurisdiction: "organisation".to_owned(),
            kind: PackKind::Policy,
            binding: true,
            confidence: "A".to_owned(),
            known_as_of,
            applies: BTreeMap::new(),
            choose: BTreeMap::new(),
            transitions: Vec::new(),
            derives: Vec::new(),
            penalties: BTreeMap::new(),
            exceptions: Vec::new(),
            rewordings: Vec::new(),
            enforcement: Vec::new(),
            requirements: Vec::new(),
            clocks: Vec::new(),
            file: file.to_owned(),
        })
    }

    fn read_body(&mut self, root: &Node) -> Result<(), ReadError> {
        check_sizes(root)?;
        if let Some(groups) = root.get("applies")? {
            for group in groups.table()? {
                let rows = group
                    .node
                    .list()?
                    .iter()
                    .map(date_row)
                    .collect::<Result<Vec<_>, _>>()?;
                self.applies.insert(group.key.clone(), rows);
            }
        }
        if let Some(groups) = root.get("choose")? {
            for group in groups.table()? {
                let choices = group
                    .node
                    .list()?
                    .iter()
                    .map(choice)
                    .collect::<Result<Vec<_>, _>>()?;
                self.choose.insert(group.key.clone(), choices);
            }
        }
        if let Some(penalties) = root.get("penalty")? {
            for field in penalties.table()? {
                self.penalties
                    .insert(field.key.clone(), penalty(&field.node)?);
            }
        }
        self.transitions = root.each("transition", transition)?;
        self.derives = root.each("derive", derive)?;
        self.exceptions = root.each("exception", added_exception)?;
        self.rewordings = root.each("rewording", rewording)?;
        self.enforcement = root.each("enforcement", enforcement)?;
        self.requirements = root.each("requirement", requirement)?;
        self.clocks = root.each("clock", Clock::read)?;
        self.check_names(root)
    }

    /// Every list of dates says something: what is empty, names itself or names what is not a date would bind nobody, silently.
    fn check_dates(&self, root: &Node) -> Result<(), ReadError> {
        for (key, is_empty) in [
            ("applies", empty_one(&self.applies)),
            ("choose", empty_one(&self.choose)),
        ] {
            if let Some(name) = is_empty {
                return Err(root.need(key)?.wrong(format!(
                    "`{name}` has no entry, so what names it would never govern; write one, or remove it"
                )));
            }
        }
        if let Some(name) = self
            .choose
            .keys()
            .find(|name| self.applies.contains_key(*name))
        {
            return Err(root.need("choose")?.wrong(format!(
                "`{name}` is both a date group and a choice; give one of them another name"
            )));
        }
        for (name, choices) in &self.choose {
            let mut groups = choices.iter().map(|choice| &choice.group);
            if let Some(other) = groups.find(|group| self.choose.contains_key(*group)) {
                return Err(root.need("choose")?.wrong(format!(
                    "`{name}` stands for `{other}`, which is a choice itself; name date groups"
                )));
            }
        }
        for (index, requirement) in self.requirements.iter().enumerate() {
            if requirement.applies.is_empty() {
                return Err(root.need("requirement")?.list()?[index].wrong(format!(
                    "`{}` names no date group, so it never governs; name one in `applies`",
                    requirement.id
                )));
            }
        }
        for (index, transition) in self.transitions.iter().enumerate() {
            if transition.groups.is_empty() {
                return Err(root.need("transition")?.list()?[index]
                    .wrong("it names no date group, so it never holds; name one in `groups`"));
            }
        }
        self.check_sleep(root)
    }

    /// No group sleeps until itself, through choices and others.
    fn check_sleep(&self, root: &Node) -> Result<(), ReadError> {
        let names: Vec<&String> = self.applies.keys().chain(self.choose.keys()).collect();
        let at = |name: &String| names.iter().position(|known| *known == name);
        let below: Vec<Vec<usize>> = names
            .iter()
            .map(|name| {
                let rows = self.applies.get(*name).into_iter().flatten();
                let choices = self.choose.get(*name).into_iter().flatten();
                let wakers = rows.filter_map(|row| row.dormant_until.as_ref());
                let named = wakers.chain(choices.map(|choice| &choice.group));
                named.filter_map(at).collect()
            })
            .collect();
        let lengths = bounds::chains(&below);
        match lengths
            .iter()
            .position(|length| *length == 0 || *length > bounds::CHAIN_MAX)
        {
            Some(at) => Err(root.need("applies")?.wrong(format!(
                "`{}` sleeps until itself, or through more than {} others; correct `dormant_until`",
                names[at],
                bounds::CHAIN_MAX
            ))),
            None => Ok(()),
        }
    }

    /// Derived facts rest on each other in short chains.
    fn check_chains(&self, root: &Node) -> Result<(), ReadError> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for derive in &self.derives {
            let next = places.len();
            places.entry(&derive.fact).or_insert(next);
        }
        let mut below = vec![Vec::new(); places.len()];
        for derive in &self.derives {
            for condition in std::iter::once(&derive.rule).chain(&derive.unless) {
                let names = rule::names_in(&condition.text);
                let named = names
                    .iter()
                    .filter_map(|name| places.get(name.as_str()).copied());
                below[places[derive.fact.as_str()]].extend(named);
            }
        }
        let lengths = bounds::chains(&below);
        for (index, derive) in self.derives.iter().enumerate() {
            let length = lengths[places[derive.fact.as_str()]];
            if length > bounds::CHAIN_MAX {
                let node = &root.need("derive")?.list()?[index];
                return Err(node.wrong(bounds::too_long(&derive.fact, length)));
            }
        }
        Ok(())
    }

    /// Groups and penalties that are named exist; ids occur once.
    fn check_names(&self, root: &Node) -> Result<(), ReadError> {
        let groups = || {
            self.applies
                .keys()
                .chain(self.choose.keys())
                .map(String::as_str)
        };
        let check = |node: &Node, name: &str| {
            if groups().any(|group| group == name) {
                return Ok(());
            }
            Err(node.wrong(format!(
                "there is no date group `{name}`; {}",
                nearest(name, groups())
            )))
        };
        let mut seen = BTreeMap::new();
        for (index, requirement) in self.requirements.iter().enumerate() {
            let node = &root.need("requirement")?.list()?[index];
            for group in &requirement.applies {
                check(node, group)?;
            }
            if let Some(name) = &requirement.penalty
                && !self.penalties.contains_key(name)
            {
                let hint = nearest(name, self.penalties.keys().map(String::as_str));
                return Err(node.wrong(format!("there is no penalty `{name}`; {hint}")));
            }
            if let Some(earlier) = seen.insert(&requirement.id, node.line()) {
                return Err(node.wrong(format!(
                    "the id `{}` is already used on line {earlier}",
                    requirement.id
                )));
            }
        }
        for (index, enforcement) in self.enforcement.iter().enumerate() {
            let node = &root.need("enforcement")?.list()?[index];
            enforcement
                .groups
                .iter()
                .try_for_each(|group| check(node, group))?;
        }
        for (index, transition) in self.transitions.iter().enumerate() {
            let node = &root.need("transition")?.list()?[index];
            transition
                .groups
                .iter()
                .try_for_each(|group| check(node, group))?;
        }
        let rows = self
            .applies
            .values()
            .flatten()
            .filter_map(|row| row.dormant_until.as_ref());
        let choices = self.choose.values().flatten().map(|choice| &choice.group);
        rows.chain(choices).try_for_each(|group| check(root, group))
    }

    /// What is not confirmed about every requirement of a pack that rests on secondary sources.
    pub(crate) fn secondary(&self) -> Option<String> {
        (self.confidence == "unconfirmed")
            .then(|| format!("the pack {} rests on secondary sources", self.id))
    }

    /// A pin-cite with the instrument it belongs to.
    pub fn cited(&self, cite: &str) -> String {
        if self.short.is_empty() {
            cite.to_owned()
        } else {
            format!("{}, {cite}", self.short)
        }
    }

    /// The name of the pack's file.
    pub fn file(&self) -> &str {
        &self.file
    }
}

/// Refuses a file that defines more than any law needs.
pub(crate) fn check_sizes(root: &Node) -> Result<(), ReadError> {
    for (key, most, what) in [
        ("derive", bounds::DERIVED_MAX, "derived facts"),
        ("requirement", bounds::REQUIREMENTS_MAX, "requirements"),
    ] {
        if let Some(node) = root.get(key)? {
            let n = node.list()?.len();
            if n > most {
                return Err(node.wrong(format!(
                    "there are {n} {what}, and a pack may have at most {most}; write several packs"
                )));
            }
        }
    }
    Ok(())
}

/// The name of a list with nothing in it.
fn empty_one<T>(lists: &BTreeMap<String, Vec<T>>) -> Option<&String> {
    let mut lists = lists.iter();
    lists
        .find(|(_, list)| list.is_empty())
        .map(|(name, _)| name)
}

impl Condition {
    /// A condition written in a file.
    pub fn read(node: &Node) -> Result<Self, ReadError> {
        condition(node)
    }

    /// The line it stands on, counted from 1.
    pub fn line(&self) -> usize {
        self.node.line()
    }

    /// Parses and types it; the complaint names the file and line it stands at.
    pub fn bind(
        &self,
        vocabulary: &Vocabulary,
        derived: &BTreeMap<String, usize>,
    ) -> Result<Rule, ReadError> {
        rule::parse(
            &self.text,
            &Names {
                vocabulary,
                derived,
            },
        )
        .map_err(|error| self.node.wrong(error.to_string()))
    }
}

/// The order of two versions such as `2026.11.23`: part by part, as numbers; a part that is no number comes before every number.
pub fn version_order(one: &str, other: &str) -> Ordering {
    let parts = |version: &str| -> Vec<Result<u64, String>> {
        let part = |part: &str| part.parse().map_err(|_| part.to_owned());
        version.split('.').map(part).collect()
    };
    let (mut one, mut other) = (parts(one).into_iter(), parts(other).into_iter());
    loop {
        let order = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(Ok(one)), Some(Ok(other))) => one.cmp(&other),
            (Some(Err(one)), Some(Err(other))) => one.cmp(&other),
            (Some(Err(_)), Some(Ok(_))) => Ordering::Less,
            (Some(Ok(_)), Some(Err(_))) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
