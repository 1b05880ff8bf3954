//! What changed between two versions of packs: requirements, dates, conditions, penalties, clocks, each with its words before
//! and after.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Begins, Clock, Validity};
use crate::figure::Bound;
use crate::pack::{
    Choice, Condition, DateRow, Derive, Enforcement, Pack, PackKind, Penalty, RequirementKind,
    RequirementText, Rewording, Transition,
};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The pack it stands in: the new one, or the old one where it is gone.
    pub pack: String,
    /// What sort of thing changed.
    pub subject: Subject,
    /// Its id or name: the old one, or the new one where it is new.
    pub label: String,
    /// What happened to it.
    pub kind: ChangeKind,
    /// How it read; `None` where it is new.
    pub before: Option<String>,
    /// How it reads; `None` where it is gone.
    pub after: Option<String>,
}

/// What sort of thing a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The pack as a whole.
    Pack,
    /// A group of dates.
    DateGroup,
    /// A group that stands for others.
    Choice,
    /// An exception over whole date groups.
    Transition,
    /// A derived fact.
    DerivedFact,
    /// A penalty.
    Penalty,
    /// When the law is not enforced.
    Enforcement,
    /// An exception added to another pack's rule.
    Exception,
    /// A wording put in the place of another pack's.
    Rewording,
    /// A requirement.
    Requirement,
    /// A statutory clock.
    Clock,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is new.
    Inserted,
    /// It is gone.
    Deleted,
    /// Another takes its place and says something else.
    Replaced,
    /// Its id is another, and it says the same.
    Renumbered,
    /// It stands in other date groups, or in another pack.
    Moved,
    /// Its dates changed, or dates that became known later were added.
    DateShifted,
    /// Whom it concerns changed.
    Condition,
    /// Its words changed.
    Wording,
    /// The evidence it needs changed.
    Evidence,
    /// The common controls it asks for changed.
    Controls,
    /// What a breach may cost changed.
    Penalty,
    /// A period, frequency or limit changed.
    Figures,
    /// The clocks it runs on, or a clock itself, changed.
    Clocks,
    /// What it is said to conflict with changed.
    Conflicts,
    /// What about it is not confirmed changed.
    Confirmation,
    /// A derived fact is defined otherwise.
    Derived,
    /// When and how far it is enforced changed.
    Enforcement,
    /// The pack's own standing changed: kind, bindingness, citation, confidence.
    Status,
}

impl Subject {
    /// The word used in files and messages.
    pub fn word(self) -> &'static str {
        match self {
            Subject::Pack => "pack",
            Subject::DateGroup => "date group",
            Subject::Choice => "choice",
            Subject::Transition => "transition",
            Subject::DerivedFact => "derived fact",
            Subject::Penalty => "penalty",
            Subject::Enforcement => "enforcement",
            Subject::Exception => "exception",
            Subject::Rewording => "rewording",
            Subject::Requirement => "requirement",
            Subject::Clock => "clock",
        }
    }
}

impl ChangeKind {
    /// The word used in files and messages.
    pub fn word(self) -> &'static str {
        match self {
            ChangeKind::Inserted => "inserted",
            ChangeKind::Deleted => "deleted",
            ChangeKind::Replaced => "replaced",
            ChangeKind::Renumbered => "renumbered",
            ChangeKind::Moved => "moved",
            ChangeKind::DateShifted => "date_shifted",
            ChangeKind::Condition => "condition_changed",
            ChangeKind::Wording => "wording_changed",
            ChangeKind::Evidence => "evidence_changed",
            ChangeKind::Controls => "controls_changed",
            ChangeKind::Penalty => "penalty_changed",
            ChangeKind::Figures => "figures_changed",
            ChangeKind::Clocks => "clocks_changed",
            ChangeKind::Conflicts => "conflicts_changed",
            ChangeKind::Confirmation => "confirmation_changed",
            ChangeKind::Derived => "derived_changed",
            ChangeKind::Enforcement => "enforcement_changed",
            ChangeKind::Status => "status_changed",
        }
    }
}

/// The changes from one version of a pack to another, whatever their ids: its head, dates, choices, transitions, derived facts,
/// penalties, enforcement, overlays, requirements in the order of the new file, clocks.
///
/// A version number, the day of reading and the order of the file are no change. Two aspects of one thing give two changes.
pub fn pack_changes(old: &Pack, new: &Pack) -> Vec<Change> {
    let mut list = List {
        pack: new.id.clone(),
        changes: Vec::new(),
    };
    list.compare(
        Subject::Pack,
        &new.id,
        &[(ChangeKind::Status, head(old), head(new))],
    );
    list.date_groups(old, new);
    list.named(
        Subject::Choice,
        &old.choose,
        &new.choose,
        |list| choices(list),
        |one, other| vec![(ChangeKind::Condition, choices(one), choices(other))],
    );
    list.transitions(&old.transitions, &new.transitions);
    let (before, after) = (by_fact(&old.derives), by_fact(&new.derives));
    list.named(
        Subject::DerivedFact,
        &before,
        &after,
        |versions| versions_of(versions),
        |one, other| vec![(ChangeKind::Derived, versions_of(one), versions_of(other))],
    );
    list.named(
        Subject::Penalty,
        &old.penalties,
        &new.penalties,
        penalty,
        |one, other| vec![(ChangeKind::Penalty, penalty(one), penalty(other))],
    );
    list.enforcement(&old.enforcement, &new.enforcement);
    list.overlays(old, new);
    list.requirements(&old.requirements, &new.requirements);
    list.clocks(&old.clocks, &new.clocks);
    list.changes
}

/// The changes from one set of packs to another; packs are held against each other by their ids, or where each side has only
/// one, as they are. A requirement that left one pack for another has moved.
pub fn book_changes(old: &[Pack], new: &[Pack]) -> Vec<Change> {
    if let ([one], [other]) = (old, new) {
        return pack_changes(one, other);
    }
    let mut changes = Vec::new();
    for after in new {
        match old.iter().find(|before| before.id == after.id) {
            Some(before) => changes.extend(pack_changes(before, after)),
            None => whole(after, ChangeKind::Inserted, &mut changes),
        }
    }
    for before in old {
        if !new.iter().any(|after| after.id == before.id) {
            whole(before, ChangeKind::Deleted, &mut changes);
        }
    }
    join_moved(changes)
}

/// A pack that came or went: the pack itself, and each of its requirements.
fn whole(pack: &Pack, kind: ChangeKind, changes: &mut Vec<Change>) {
    let mut list = List {
        pack: pack.id.clone(),
        changes: Vec::new(),
    };
    let mut one = |subject, label: &str, text| match kind {
        ChangeKind::Inserted => list.add(subject, label, kind, None, Some(text)),
        _ => list.add(subject, label, kind, Some(text), None),
    };
    one(Subject::Pack, &pack.id, head(pack));
    for text in &pack.requirements {
        one(Subject::Requirement, &text.id, requirement(text));
    }
    changes.append(&mut list.changes);
}

/// Makes one change of a requirement that is gone from one pack and new in another.
fn join_moved(changes: Vec<Change>) -> Vec<Change> {
    let is = |change: &Change, kind| change.subject == Subject::Requirement && change.kind == kind;
    let gone: BTreeMap<String, (String, Option<String>)> = changes
        .iter()
        .filter(|change| is(change, ChangeKind::Deleted))
        .map(|change| {
            let from = (change.pack.clone(), change.before.clone());
            (change.label.clone(), from)
        })
        .collect();
    let come: BTreeSet<String> = changes
        .iter()
        .filter(|change| is(change, ChangeKind::Inserted) && gone.contains_key(&change.label))
        .map(|change| change.label.clone())
        .collect();
    let with_pack =
        |pack: &str, text: Option<String>| text.map(|text| format!("pack: {pack}\n{text}"));
    let mut joined = Vec::with_capacity(changes.len());
    for mut change in changes {
        if come.contains(&change.label) {
            if is(&change, ChangeKind::Deleted) {
                continue;
            }
            if is(&change, ChangeKind::Inserted) {
                let (from, before) = gone[&change.label].clone();
                change.kind = ChangeKind::Moved;
                change.before = with_pack(&from, before);
                change.after = with_pack(&change.pack, change.after);
            }
        }
        joined.push(change);
    }
    joined
}

/// An aspect of a thing: the kind of change it makes, and its text before and after.
type Aspect = (ChangeKind, String, String);

/// Changes of one pack in the making.
struct List {
    pack: String,
    changes: Vec<Change>,
}

impl List {
    fn add(
        &mut self,
        subject: Subject,
        label: &str,
        kind: ChangeKind,
        before: Option<String>,
        after: Option<String>,
    ) {
        self.changes.push(Change {
            pack: self.pack.clone(),
            subject,
            label: label.to_owned(),
            kind,
            before,
            after,
        });
    }

    /// Enters the aspects that differ.
    fn compare(&mut self, subject: Subject, label: &str, aspects: &[Aspect]) {
        for (kind, before, after) in aspects {
            if before != after {
                let sides = (Some(before.clone()), Some(after.clone()));
                self.add(subject, label, *kind, sides.0, sides.1);
            }
        }
    }

    /// Enters what came, went, or differs, by name.
    fn named<T>(
        &mut self,
        subject: Subject,
        old: &BTreeMap<String, T>,
        new: &BTreeMap<String, T>,
        text: impl Fn(&T) -> String,
        aspects: impl Fn(&T, &T) -> Vec<Aspect>,
    ) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            match (old.get(name), new.get(name)) {
                (Some(one), Some(other)) => self.compare(subject, name, &aspects(one, other)),
                (None, Some(other)) => {
                    self.add(subject, name, ChangeKind::Inserted, None, Some(text(other)));
                }
                (Some(one), None) => {
                    self.add(subject, name, ChangeKind::Deleted, Some(text(one)), None);
                }
                (None, None) => {}
            }
        }
    }

    fn date_groups(&mut self, old: &Pack, new: &Pack) {
        self.named(
            Subject::DateGroup,
            &old.applies,
            &new.applies,
            |rows| each(rows, row),
            |one, other| {
                let whole = (each(one, row), each(other, row));
                let same = |part: fn(&DateRow) -> String| each(one, part) == each(other, part);
                // The dates first: rows that came with a later knowledge shift the date, whatever else differs.
                let kind = if !same(row_dates) {
                    ChangeKind::DateShifted
                } else if !same(row_condition) {
                    ChangeKind::Condition
                } else if !same(row_doubt) {
                    ChangeKind::Confirmation
                } else {
                    ChangeKind::Wording
                };
                vec![(kind, whole.0, whole.1)]
            },
        );
    }

    /// Transitions have no names: one with the same groups and citation is the same.
    fn transitions(&mut self, old: &[Transition], new: &[Transition]) {
        let label = |one: &Transition| format!("{} ({})", one.groups.join(", "), one.cite);
        self.unnamed(
            Subject::Transition,
            old,
            new,
            label,
            transition,
            |one, other| {
                let dates = |one: &Transition| transition_effect(one);
                let condition = |one: &Transition| format!("when: {}", plain(&one.when));
                vec![
                    (ChangeKind::DateShifted, dates(one), dates(other)),
                    (ChangeKind::Condition, condition(one), condition(other)),
                ]
            },
        );
    }

    /// Enforcement has no names: of one state for the same groups the rows are held against each other in their order.
    fn enforcement(&mut self, old: &[Enforcement], new: &[Enforcement]) {
        let label = |one: &Enforcement| {
            let groups = match one.groups.is_empty() {
                true => "all".to_owned(),
                false => one.groups.join(", "),
            };
            format!("{} ({groups})", one.state.word())
        };
        let before = self.changes.len();
        self.unnamed(
            Subject::Enforcement,
            old,
            new,
            label,
            enforcement,
            |one, other| {
                vec![(
                    ChangeKind::Enforcement,
                    enforcement(one),
                    enforcement(other),
                )]
            },
        );
        // That the law is enforced less, or no longer less, is one kind of change, with one side where a row came or went.
        for change in &mut self.changes[before..] {
            change.kind = ChangeKind::Enforcement;
        }
    }

    /// Enters what came, went or differs among things that have no name of their own: the label stands for one, and of several
    /// under one label the first is held against the first.
    fn unnamed<T>(
        &mut self,
        subject: Subject,
        old: &[T],
        new: &[T],
        label: impl Fn(&T) -> String,
        text: impl Fn(&T) -> String,
        aspects: impl Fn(&T, &T) -> Vec<Aspect>,
    ) {
        let mut left: Vec<Option<&T>> = old.iter().map(Some).collect();
        for after in new {
            let name = label(after);
            let before = left
                .iter_mut()
                .find(|before| before.is_some_and(|before| label(before) == name));
            match before.and_then(Option::take) {
                Some(before) => self.compare(subject, &name, &aspects(before, after)),
                None => self.add(
                    subject,
                    &name,
                    ChangeKind::Inserted,
                    None,
                    Some(text(after)),
                ),
            }
        }
        for before in left.into_iter().flatten() {
            self.add(
                subject,
                &label(before),
                ChangeKind::Deleted,
                Some(text(before)),
                None,
            );
        }
    }

    fn overlays(&mut self, old: &Pack, new: &Pack) {
        self.unnamed(
            Subject::Exception,
            &old.exceptions,
            &new.exceptions,
            |one| format!("{} ({})", one.to, one.cite),
            |one| format!("unless: {}", plain(&one.unless)),
            |one, other| {
                let text = |condition: &Condition| format!("unless: {}", plain(condition));
                vec![(
                    ChangeKind::Condition,
                    text(&one.unless),
                    text(&other.unless),
                )]
            },
        );
        self.unnamed(
            Subject::Rewording,
            &old.rewordings,
            &new.rewordings,
            |one| one.requirement.clone(),
            rewording,
            |one, other| vec![(ChangeKind::Wording, rewording(one), rewording(other))],
        );
    }

    fn requirements(&mut self, old: &[RequirementText], new: &[RequirementText]) {
        let find = |list: &'_ [RequirementText], id: &str| list.iter().any(|text| text.id == id);
        let mut succeeded = BTreeSet::new();
        for after in new {
            if let Some(before) = old.iter().find(|before| before.id == after.id) {
                self.compare(
                    Subject::Requirement,
                    &after.id,
                    &requirement_aspects(before, after),
                );
                continue;
            }
            let earlier: Vec<&RequirementText> = old
                .iter()
                .filter(|before| after.replaces.contains(&before.id))
                .collect();
            let Some(first) = earlier.first() else {
                self.add(
                    Subject::Requirement,
                    &after.id,
                    ChangeKind::Inserted,
                    None,
                    Some(requirement(after)),
                );
                continue;
            };
            succeeded.extend(earlier.iter().map(|before| before.id.as_str()));
            let kind = match earlier.as_slice() {
                [only] if differs_in_number_only(only, after) => ChangeKind::Renumbered,
                _ => ChangeKind::Replaced,
            };
            let before: Vec<String> = earlier.iter().map(|before| requirement(before)).collect();
            self.add(
                Subject::Requirement,
                &first.id,
                kind,
                Some(before.join("\n\n")),
                Some(requirement(after)),
            );
        }
        for before in old {
            if !find(new, &before.id) && !succeeded.contains(before.id.as_str()) {
                self.add(
                    Subject::Requirement,
                    &before.id,
                    ChangeKind::Deleted,
                    Some(requirement(before)),
                    None,
                );
            }
        }
    }

    fn clocks(&mut self, old: &[Clock], new: &[Clock]) {
        let mut succeeded = BTreeSet::new();
        for after in new {
            let known =
                |before: &&Clock| before.id == after.id || after.also_known_as.contains(&before.id);
            let Some(before) = old.iter().find(known) else {
                let text = clock(after);
                self.add(
                    Subject::Clock,
                    &after.id,
                    ChangeKind::Inserted,
                    None,
                    Some(text),
                );
                continue;
            };
            succeeded.insert(before.id.as_str());
            let (one, other) = (before.id.clone(), after.id.clone());
            self.compare(
                Subject::Clock,
                &before.id,
                &[
                    (ChangeKind::Renumbered, one, other),
                    (
                        ChangeKind::DateShifted,
                        clock_dates(before),
                        clock_dates(after),
                    ),
                    (
                        ChangeKind::Condition,
                        clock_condition(before),
                        clock_condition(after),
                    ),
                    (ChangeKind::Clocks, clock_words(before), clock_words(after)),
                ],
            );
        }
        for before in old {
            if !succeeded.contains(before.id.as_str()) {
                let text = clock(before);
                self.add(
                    Subject::Clock,
                    &before.id,
                    ChangeKind::Deleted,
                    Some(text),
                    None,
                );
            }
        }
    }
}

/// Whether a requirement says the same under another id and citation.
fn differs_in_number_only(one: &RequirementText, other: &RequirementText) -> bool {
    let mut other = other.clone();
    other.cite.clone_from(&one.cite);
    other.replaces.clone_from(&one.replaces);
    requirement_aspects(one, &other)
        .iter()
        .all(|(_, before, after)| before == after)
}

fn requirement_aspects(one: &RequirementText, other: &RequirementText) -> Vec<Aspect> {
    let (before, after) = (aspects(one), aspects(other));
    let pairs = before.into_iter().zip(after);
    pairs
        .map(|((kind, before), (_, after))| (kind, before, after))
        .collect()
}

/// The aspects of a requirement, each as a text.
fn aspects(text: &RequirementText) -> [(ChangeKind, String); 10] {
    let figures = text.figures.iter().map(|figure| {
        let bound = match figure.bound {
            Bound::AtLeast => "at least",
            Bound::AtMost => "at most",
        };
        format!(
            "figure: {} {bound} {} ({})",
            figure.kind, figure.amount, figure.cite
        )
    });
    let conflicts = text
        .conflicts
        .iter()
        .map(|conflict| format!("conflict: {}: {}", conflict.with, conflict.why));
    [
        (ChangeKind::Moved, list("dates", &text.applies)),
        (ChangeKind::Condition, condition(&text.when, &text.unless)),
        (ChangeKind::Wording, wording(text)),
        (ChangeKind::Evidence, set("evidence", &text.evidence)),
        (ChangeKind::Controls, set("controls", &text.controls)),
        (
            ChangeKind::Penalty,
            lines([field("penalty", text.penalty.as_deref())]),
        ),
        (ChangeKind::Figures, figures.collect::<Vec<_>>().join("\n")),
        (ChangeKind::Clocks, set("clocks", &text.clocks)),
        (
            ChangeKind::Conflicts,
            conflicts.collect::<Vec<_>>().join("\n"),
        ),
        (
            ChangeKind::Confirmation,
            lines([
                field("unconfirmed", text.unconfirmed.as_deref()),
                field("unconfirmed detail", text.unconfirmed_detail.as_deref()),
            ]),
        ),
    ]
}

fn wording(text: &RequirementText) -> String {
    lines([
        Some(format!("kind: {}", norm(text.kind))),
        Some(list("who", &text.who)),
        field("what", Some(&text.what)),
        field("how", Some(&text.how)),
        field("cite", Some(&text.cite)),
        Some(format!("phase: {}", text.phase.word())),
        field("role", Some(&text.role)),
        field("deadline", text.deadline.as_deref()),
        field("frequency", text.frequency.as_deref()),
        Some(list("replaces", &text.replaces)),
    ])
}

/// A requirement as one text: its id, and every aspect.
fn requirement(text: &RequirementText) -> String {
    let aspects = aspects(text).map(|(_, aspect)| Some(aspect));
    let id = Some(format!("id: {}", text.id));
    lines(std::iter::once(id).chain(aspects))
}

fn norm(kind: RequirementKind) -> &'static str {
    match kind {
        RequirementKind::Duty => "duty",
        RequirementKind::Prohibition => "prohibition",
        RequirementKind::Condition => "condition",
        RequirementKind::SafeHarbour => "safe harbour",
        RequirementKind::Risk => "risk",
        RequirementKind::Gap => "gap",
    }
}

fn head(pack: &Pack) -> String {
    let kind = match pack.kind {
        PackKind::Statute => "statute",
        PackKind::Regulation => "regulation",
        PackKind::LocalLaw => "local law",
        PackKind::Guidance => "guidance",
        PackKind::Standard => "standard",
        PackKind::Framework => "framework",
        PackKind::Bill => "bill",
        PackKind::Policy => "policy",
    };
    lines([
        Some(format!("id: {}", pack.id)),
        field("title", Some(&pack.title)),
        field("short", Some(&pack.short)),
        field("jurisdiction", Some(&pack.jurisdiction)),
        Some(format!("kind: {kind}")),
        Some(format!("binding: {}", pack.binding)),
        field("citation", Some(&pack.citation)),
        field("confidence", Some(&pack.confidence)),
    ])
}

fn row(row: &DateRow) -> String {
    lines([
        Some(row_dates(row)),
        Some(row_condition(row)),
        field("cite", Some(&row.cite)),
        field("reason", row.reason.as_deref()),
        Some(row_doubt(row)),
    ])
}

fn row_dates(row: &DateRow) -> String {
    let to = row.to.map_or(String::new(), |to| format!(" to {to}"));
    let until = row
        .until_known
        .map_or(String::new(), |until| format!(" until {until}"));
    let wakes = row
        .dormant_until
        .as_ref()
        .map_or(String::new(), |group| format!(", asleep until {group}"));
    format!("from {}{to}, known {}{until}{wakes}", row.from, row.known)
}

fn row_condition(row: &DateRow) -> String {
    row.when
        .as_ref()
        .map_or(String::new(), |when| format!("when: {}", plain(when)))
}

fn row_doubt(row: &DateRow) -> String {
    lines([field("unconfirmed", row.unconfirmed.as_deref())])
}

fn choices(list: &[Choice]) -> String {
    each(list, |choice| {
        let when = choice
            .when
            .as_ref()
            .map_or(String::new(), |when| format!(" when {}", plain(when)));
        format!("group: {}{when}", choice.group)
    })
}

fn transition(one: &Transition) -> String {
    format!("{}\nwhen: {}", transition_effect(one), plain(&one.when))
}

fn transition_effect(one: &Transition) -> String {
    one.from
        .map_or("effect: not applicable".to_owned(), |from| {
            format!("from {from}")
        })
}

fn by_fact(derives: &[Derive]) -> BTreeMap<String, Vec<&Derive>> {
    let mut facts: BTreeMap<String, Vec<&Derive>> = BTreeMap::new();
    for derive in derives {
        facts.entry(derive.fact.clone()).or_default().push(derive);
    }
    facts
}

fn versions_of(versions: &[&Derive]) -> String {
    each(versions, |derive| {
        let day =
            |name: &str, day: Option<jiff::civil::Date>| day.map(|day| format!("{name}: {day}"));
        lines([
            day("known", derive.known),
            day("until known", derive.until_known),
            Some(condition(&derive.rule, &derive.unless)),
            field("cite", Some(&derive.cite)),
            field("note", derive.note.as_deref()),
            field("unconfirmed", derive.unconfirmed.as_deref()),
        ])
    })
}

fn penalty(one: &Penalty) -> String {
    let amount = one.amount.map(|amount| {
        let currency = one.currency.as_deref().unwrap_or_default();
        format!("amount: {amount} {currency}").trim_end().to_owned()
    });
    lines([
        field("max", Some(&one.max)),
        field("cite", Some(&one.cite)),
        amount,
        one.turnover_percent
            .map(|percent| format!("turnover: {percent} %")),
    ])
}

fn enforcement(one: &Enforcement) -> String {
    let day = |name: &str, day: Option<jiff::civil::Date>| day.map(|day| format!("{name}: {day}"));
    lines([
        Some(format!("state: {}", one.state.word())),
        day("from", one.from),
        day("until", one.until),
        day("known", Some(one.known)),
        field("cite", Some(&one.cite)),
        field("note", one.note.as_deref()),
        Some(list("groups", &one.groups)),
    ])
}

fn rewording(one: &Rewording) -> String {
    let names = |name: &str, names: Option<&Vec<String>>| {
        names.map(|names| format!("{name}: {}", names.join(", ")))
    };
    lines([
        field("what", one.what.as_deref()),
        field("how", one.how.as_deref()),
        names("evidence", one.evidence.as_ref()),
        names("controls", one.controls.as_ref()),
        field("role", one.role.as_deref()),
        field("cite", Some(&one.cite)),
    ])
}

/// A clock as one text, so that two books can be asked whether a clock is the same in both.
pub fn clock(one: &Clock) -> String {
    lines([
        Some(format!("id: {}", one.id)),
        Some(clock_words(one)),
        Some(clock_condition(one)),
        Some(clock_dates(one)),
    ])
}

fn clock_words(one: &Clock) -> String {
    let begins = match one.begins {
        Begins::Event => "event",
        Begins::Awareness => "awareness",
        Begins::EndOfYear => "end of calendar year",
    };
    let cap = one.cap.as_ref().map(|cap| {
        let unless = cap.unless_passed.as_ref();
        let unless = unless.map_or(String::new(), |cite| format!(", unless passed ({cite})"));
        format!("cap: {}{unless}", cap.clock)
    });
    lines([
        field("to", Some(&one.to)),
        field("start", Some(&one.start)),
        Some(format!("begins: {begins}")),
        Some(format!("within: {}", one.limit)),
        field("calendar", Some(&one.calendar)),
        cap,
        field("cite", Some(&one.cite)),
        field("trigger", one.trigger.as_deref()),
        field("also", one.also.as_deref()),
        Some(format!("phased: {}", one.phased)),
        field("note", one.note.as_deref()),
        field("exception", one.exception.as_deref()),
        field("unconfirmed", one.unconfirmed.as_deref()),
    ])
}

fn clock_condition(one: &Clock) -> String {
    let when = one
        .when
        .as_ref()
        .map(|when| format!("when: {}", plain(when)));
    let relief = one.no_roll_over.as_ref();
    let relief =
        relief.map(|relief| format!("no roll-over: {} ({})", plain(&relief.when), relief.cite));
    lines([when, relief])
}

fn clock_dates(one: &Clock) -> String {
    each(&one.valid, validity)
}

fn validity(one: &Validity) -> String {
    let day = |name: &str, day: Option<jiff::civil::Date>| day.map(|day| format!("{name} {day}"));
    let days = [
        day("from", one.from),
        day("to", one.to),
        day("known", one.known),
        day("until known", one.until_known),
        day("waiting until", one.waiting_until),
    ];
    lines([
        Some(days.into_iter().flatten().collect::<Vec<_>>().join(", ")),
        field("stayed", one.stayed.as_deref()),
        field("cite", Some(&one.cite)),
    ])
}

fn condition(when: &Condition, unless: &[Condition]) -> String {
    let unless = unless
        .iter()
        .map(|unless| Some(format!("unless: {}", plain(unless))));
    let when = Some(format!("when: {}", plain(when)));
    lines(std::iter::once(when).chain(unless))
}

/// A condition on one line: how it is broken over lines says nothing.
fn plain(condition: &Condition) -> String {
    spaced(&condition.text)
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn field(name: &str, text: Option<&str>) -> Option<String> {
    let text = spaced(text?);
    (!text.is_empty()).then(|| format!("{name}: {text}"))
}

fn list(name: &str, items: &[String]) -> String {
    match items.is_empty() {
        true => String::new(),
        false => format!("{name}: {}", items.join(", ")),
    }
}

/// A list whose order says nothing.
fn set(name: &str, items: &[String]) -> String {
    let mut items = items.to_vec();
    items.sort();
    list(name, &items)
}

/// Lines, without the empty ones.
fn lines(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

fn each<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
