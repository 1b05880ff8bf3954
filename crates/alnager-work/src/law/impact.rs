//! What a change of law does to the systems: every system under both versions, on three dates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use alnager_law::agenda::{AgendaItem, agenda, is_law};
use alnager_law::book::{Book, Reader};
use alnager_law::clock::{Clock, Validity};
use alnager_law::pack::RequirementKind;
use alnager_law::requirement::{Force, Requirement, Standing, requirements_on};
use alnager_law::rule::{Rule, Truth};
use alnager_office::gate::kinds_lacking;
use alnager_office::state::State;
use alnager_office::task::{NewTask, Why};
use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::law::inventory::{Inventory, Member};
use crate::law::version::{self, Law, Version};
use crate::task;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The law before.
    pub old: Version,
    /// The law after.
    pub new: Version,
    /// A file with one JSON object of facts a line; without it the systems of the desk.
    pub systems: Option<PathBuf>,
    /// Whether a fact such a file does not list is false, empty, or fails every comparison.
    pub closed_world: bool,
    /// The last of the three dates; without it two years on.
    pub horizon: Option<Date>,
    /// Opens a task for each change, due so many days before the day that counts.
    pub open_tasks: Option<i32>,
}

/// What the change of law does.
#[derive(Debug, Clone)]
pub struct Impact {
    /// The law before, in words, and its day of knowledge.
    pub old: (String, Date),
    /// The law after.
    pub new: (String, Date),
    /// `--at` or today.
    pub today: Date,
    /// The next day on which anything begins or ends for any of the systems under either law; `None` where nothing does until
    /// the horizon.
    pub next: Option<Date>,
    /// The last day looked at.
    pub horizon: Date,
    /// Every system, in the order of the inventory, with what changes for it.
    pub systems: Vec<SystemImpact>,
    /// Systems whose changes are of a kind, by requirement or clock.
    pub by_requirement: BTreeMap<String, BTreeMap<ShiftKind, usize>>,
    /// Changes of a kind, by pack.
    pub by_pack: BTreeMap<String, BTreeMap<ShiftKind, usize>>,
    /// Changes of a kind over all systems.
    pub by_kind: BTreeMap<ShiftKind, usize>,
    /// What became of the tasks, where they were asked for.
    pub tasks: Option<OpenedTasks>,
}

/// What changes for one system.
#[derive(Debug, Clone)]
pub struct SystemImpact {
    /// The system.
    pub id: String,
    /// What changes, in the order of the new book; each change once, with the days it shows on.
    pub shifts: Vec<Shift>,
}

/// The tasks of an impact run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedTasks {
    /// Those opened now.
    pub opened: Vec<String>,
    /// How many had been opened before, and were not opened again.
    pub n_known: usize,
}

/// What happens to a duty of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShiftKind {
    /// It binds now, or will, and did not.
    Gained,
    /// It bound, or would have, and no longer does.
    Lost,
    /// It begins on another day.
    Moved,
    /// Facts are missing that decide it, and were not before.
    TurnedUnknown,
    /// It is decided, and was not before.
    Settled,
    /// A clock that runs for the system changed, or the clocks a duty runs on.
    Clock,
    /// It is enforced otherwise.
    Enforcement,
    /// A breach may cost something else.
    Penalty,
}

impl ShiftKind {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            ShiftKind::Gained => "gained",
            ShiftKind::Lost => "lost",
            ShiftKind::Moved => "moved",
            ShiftKind::TurnedUnknown => "turned_unknown",
            ShiftKind::Settled => "settled",
            ShiftKind::Clock => "clock_changed",
            ShiftKind::Enforcement => "enforcement_changed",
            ShiftKind::Penalty => "penalty_changed",
        }
    }
}

/// One change for one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// What happens.
    pub kind: ShiftKind,
    /// The requirement's id, or the clock's.
    pub id: String,
    /// Whether it is a clock.
    pub is_clock: bool,
    /// Its pack.
    pub pack: String,
    /// The day it begins under the law before.
    pub from: Option<Date>,
    /// The day it begins under the law after.
    pub to: Option<Date>,
    /// How it stands under the law before, in words.
    pub before: String,
    /// How it stands under the law after.
    pub after: String,
    /// The days looked at on which it shows, ascending.
    pub on: Vec<Date>,
    /// The kinds of evidence of a duty that comes or moves that nobody has accepted for it yet; empty outside a desk.
    pub evidence_missing: Vec<String>,
    /// Who usually owns it.
    pub role: String,
    /// One line on what to do.
    pub how: String,
    /// Whether someone must act on it: law, or an adopted framework; not a bill, and not what is only shown.
    pub asks: bool,
}

/// How far a run has come: systems done, of how many.
pub type Watching<'a> = &'a dyn Fn(u64, u64);

/// Looks at every system under both laws and, where asked, opens a task for each change, all in one commit. A change for which a
/// task was opened before is left alone, whether or not that task is done.
pub async fn impact(
    flags: &Flags,
    asked: &Asked,
    watching: Watching<'_>,
) -> Result<Impact, JobError> {
    let acting = match asked.open_tasks {
        Some(_) => Acting::to_enter(flags)?,
        None => Acting::begin(flags)?,
    };
    if asked.open_tasks.is_some() && asked.systems.is_some() {
        return Err(JobError::Input(
            "tasks are opened for systems of the desk; leave out --systems, or --open-tasks"
                .to_owned(),
        ));
    }
    let inventory = Inventory::open(&acting, asked.systems.as_deref()).await?;
    let today = acting.as_of(None, inventory.first_zone()).valid;
    let of_knowledge = acting.today(inventory.first_zone());
    let old = version::open(flags, &asked.old, of_knowledge)?;
    let new = version::open(flags, &asked.new, of_knowledge)?;
    let horizon = horizon(today, asked.horizon)?;
    let run = Run {
        inventory: &inventory,
        old: Side::of(old)?,
        new: Side::of(new)?,
        closed_world: asked.closed_world,
        watching,
    };
    let mut found = run.impact(today, horizon)?;
    if let (Some(lead), Some(state)) = (asked.open_tasks, &inventory.state) {
        let due_from = acting.today(inventory.first_zone());
        let (tasks, n_known) = new_tasks(&found, state, due_from, lead);
        let size = state.size;
        let mut opened = Vec::new();
        if !tasks.is_empty() {
            let entered = task::open(flags, tasks).await?;
            let fresh = entered.state.tasks.iter();
            let fresh = fresh.filter(|(_, task)| task.opened_at >= size);
            let mut fresh: Vec<_> = fresh.map(|(id, task)| (task.opened_at, id)).collect();
            fresh.sort();
            opened = fresh.into_iter().map(|(_, id)| id.clone()).collect();
        }
        found.tasks = Some(OpenedTasks { opened, n_known });
    }
    Ok(found)
}

/// What the way from one law to another does to systems of a desk, on three dates: today, the next day on which anything begins or ends,
/// and the horizon. Enters nothing.
pub fn impact_of(
    inventory: &Inventory,
    old: Law,
    new: Law,
    today: Date,
    horizon: Date,
) -> Result<Impact, JobError> {
    let run = Run {
        inventory,
        old: Side::of(old)?,
        new: Side::of(new)?,
        closed_world: false,
        watching: &|_, _| {},
    };
    run.impact(today, horizon)
}

/// Two years on, where no other day is named.
fn horizon(today: Date, asked: Option<Date>) -> Result<Date, JobError> {
    let horizon = asked.unwrap_or_else(|| today.saturating_add(2.years()));
    if horizon > today {
        return Ok(horizon);
    }
    Err(JobError::Input(format!(
        "the horizon {horizon} is not after {today}; name a later day with --horizon"
    )))
}

/// A law, with its clocks made ready to be asked.
struct Side {
    law: Law,
    clocks: Vec<BoundClock>,
}

struct BoundClock {
    pack: String,
    clock: Clock,
    when: Option<Rule>,
    role: String,
}

impl Side {
    fn of(law: Law) -> Result<Self, JobError> {
        let book = &law.library.book;
        let mut clocks = Vec::new();
        for pack in book.packs() {
            for clock in &pack.clocks {
                let when = clock.when.as_ref().map(|when| book.bind_condition(when));
                let mut users = pack.requirements.iter();
                let user = users.find(|text| text.clocks.contains(&clock.id));
                clocks.push(BoundClock {
                    pack: pack.id.clone(),
                    clock: clock.clone(),
                    when: when.transpose()?,
                    role: user.map_or("officer".to_owned(), |text| text.role.clone()),
                });
            }
        }
        Ok(Side { law, clocks })
    }

    fn book(&self) -> &Book {
        &self.law.library.book
    }

    /// The clocks that run for a system on a day, by id.
    fn running(&self, reader: &Reader<'_>, day: Date) -> BTreeMap<&str, Running<'_>> {
        let mut running = BTreeMap::new();
        for bound in &self.clocks {
            let concerns = bound
                .when
                .as_ref()
                .is_none_or(|when| reader.truth(when) != Truth::False);
            if !concerns {
                continue;
            }
            if let Some(row) = validity(&bound.clock, self.law.known, day) {
                let waits = row.and_then(|row| row.waiting_until);
                let found = Running {
                    bound,
                    words: words_of(bound, row),
                    waits: waits.filter(|until| day < *until),
                };
                running.insert(bound.clock.id.as_str(), found);
            }
        }
        running
    }
}

/// A clock that runs for a system on a day.
struct Running<'a> {
    bound: &'a BoundClock,
    words: String,
    /// The day before which what it reports cannot exist, where that is to come.
    waits: Option<Date>,
}

/// The statement of a clock's validity that counts on a day, as known on a day; the outer `None` where it does not run then.
fn validity(clock: &Clock, known: Date, day: Date) -> Option<Option<&Validity>> {
    if clock.valid.is_empty() {
        return Some(None);
    }
    let counts = |row: &&Validity| {
        row.known.is_none_or(|from| from <= known)
            && row.until_known.is_none_or(|until| known < until)
    };
    let row = clock
        .valid
        .iter()
        .filter(counts)
        .max_by_key(|row| row.known)?;
    let holds = row.from.is_none_or(|from| from <= day) && row.to.is_none_or(|to| day < to);
    holds.then_some(Some(row))
}

fn words_of(bound: &BoundClock, row: Option<&Validity>) -> String {
    let clock = &bound.clock;
    let mut words = format!(
        "{} to {}, from: {} (calendar {})",
        clock.limit, clock.to, clock.start, clock.calendar
    );
    if let Some(cap) = &clock.cap {
        words.push_str(&format!(", no later than {}", cap.clock));
    }
    if let Some(stayed) = row.and_then(|row| row.stayed.as_ref()) {
        words.push_str(&format!(", not enforced: {stayed}"));
    }
    words
}

/// A comparison under way.
struct Run<'a> {
    inventory: &'a Inventory,
    old: Side,
    new: Side,
    closed_world: bool,
    watching: Watching<'a>,
}

impl Run<'_> {
    fn impact(&self, today: Date, horizon: Date) -> Result<Impact, JobError> {
        let n_systems = self.inventory.members.len() as u64;
        let next = self.next(today, horizon, 2 * n_systems)?;
        let dates: BTreeSet<Date> = [Some(today), next, Some(horizon)]
            .into_iter()
            .flatten()
            .collect();
        let mut found = Impact {
            old: (self.old.law.words.clone(), self.old.law.known),
            new: (self.new.law.words.clone(), self.new.law.known),
            today,
            next,
            horizon,
            systems: Vec::new(),
            by_requirement: BTreeMap::new(),
            by_pack: BTreeMap::new(),
            by_kind: BTreeMap::new(),
            tasks: None,
        };
        for (at, member) in self.inventory.members.iter().enumerate() {
            let shifts = self.system(member, &dates, today)?;
            found.count(&shifts);
            found.systems.push(SystemImpact {
                id: member.id.clone(),
                shifts,
            });
            (self.watching)(n_systems + at as u64 + 1, 2 * n_systems);
        }
        Ok(found)
    }

    /// The next day after today on which anything begins or ends for any system.
    fn next(&self, today: Date, horizon: Date, total: u64) -> Result<Option<Date>, JobError> {
        let Ok(tomorrow) = today.tomorrow() else {
            return Ok(None);
        };
        let mut next = None;
        // Each system is asked only about the days before the earliest found so far.
        let mut until = horizon.tomorrow().unwrap_or(horizon);
        for (at, member) in self.inventory.members.iter().enumerate() {
            for (which, side) in [&self.old, &self.new].into_iter().enumerate() {
                let facts = self.facts(member, which)?;
                let reader = side.book().reader(&facts, side.law.known);
                let items = agenda(&reader, tomorrow, until);
                let mut items = items.iter();
                let binds = |item: &&AgendaItem| {
                    let requirement = &item.requirement;
                    !self.inventory.sets_aside(side.book(), requirement, member)
                };
                if let Some(first) = items.find(binds) {
                    until = first.day;
                    next = Some(first.day);
                }
            }
            (self.watching)(at as u64 + 1, total);
        }
        Ok(next)
    }

    fn facts(&self, member: &Member, which: usize) -> Result<alnager_law::fact::Facts, JobError> {
        let books = [self.old.book(), self.new.book()];
        self.inventory
            .facts(member, &books, which, self.closed_world)
    }

    /// What changes for one system; a change that shows on several days is told once.
    fn system(
        &self,
        member: &Member,
        dates: &BTreeSet<Date>,
        today: Date,
    ) -> Result<Vec<Shift>, JobError> {
        let (old_facts, new_facts) = (self.facts(member, 0)?, self.facts(member, 1)?);
        let old = self.old.book().reader(&old_facts, self.old.law.known);
        let new = self.new.book().reader(&new_facts, self.new.law.known);
        let mut shifts: Vec<Shift> = Vec::new();
        for day in dates {
            let mut seen = self.duties(member, &old, &new, *day);
            self.clocks(&old, &new, *day, &mut seen);
            for shift in seen {
                match shifts.iter_mut().find(|known| known.is_same(&shift)) {
                    Some(known) => known.on.push(*day),
                    None => shifts.push(shift),
                }
            }
        }
        if let Some(state) = &self.inventory.state {
            for shift in &mut shifts {
                self.missing_evidence(shift, state, member, today);
            }
        }
        Ok(shifts)
    }

    /// The duties that differ on a day, in the order of the new book; those it lacks follow.
    fn duties(&self, member: &Member, old: &Reader<'_>, new: &Reader<'_>, day: Date) -> Vec<Shift> {
        let (before, after) = (requirements_on(old, day), requirements_on(new, day));
        let mut left: BTreeMap<&str, &Requirement> = before
            .iter()
            .map(|requirement| (requirement.text().id.as_str(), requirement))
            .collect();
        let mut shifts = Vec::new();
        for requirement in &after {
            let earlier = left.remove(requirement.text().id.as_str());
            self.duty(member, earlier, Some(requirement), day, &mut shifts);
        }
        for requirement in &before {
            if left.contains_key(requirement.text().id.as_str()) {
                self.duty(member, Some(requirement), None, day, &mut shifts);
            }
        }
        shifts
    }

    fn duty(
        &self,
        member: &Member,
        old: Option<&Requirement>,
        new: Option<&Requirement>,
        day: Date,
        shifts: &mut Vec<Shift>,
    ) {
        let Some(shown) = new.or(old) else { return };
        let (before, after) = (
            self.stance(&self.old, old, member),
            self.stance(&self.new, new, member),
        );
        let kind = match (&before, &after) {
            (Stance::None, Stance::None) => return,
            (Stance::None, Stance::Binds { .. }) => Some(ShiftKind::Gained),
            (Stance::Binds { .. }, Stance::None) => Some(ShiftKind::Lost),
            (Stance::Unknown { .. }, Stance::None | Stance::Binds { .. }) => {
                Some(ShiftKind::Settled)
            }
            (Stance::None | Stance::Binds { .. }, Stance::Unknown { .. }) => {
                Some(ShiftKind::TurnedUnknown)
            }
            (Stance::Binds { .. }, Stance::Binds { .. })
            | (Stance::Unknown { .. }, Stance::Unknown { .. }) => {
                (before.begins() != after.begins()).then_some(ShiftKind::Moved)
            }
        };
        let mut add = |kind, words_before: String, words_after: String| {
            shifts.push(Shift {
                kind,
                id: shown.text().id.clone(),
                is_clock: false,
                pack: shown.pack().id.clone(),
                from: before.begins(),
                to: after.begins(),
                before: words_before,
                after: words_after,
                on: vec![day],
                evidence_missing: Vec::new(),
                role: shown.text().role.clone(),
                how: shown.text().how.clone(),
                asks: self.asks(shown),
            });
        };
        if let Some(kind) = kind {
            add(
                kind,
                before.words(old, self.old.book()),
                after.words(new, self.new.book()),
            );
        }
        let (Some(old), Some(new)) = (old, new) else {
            return;
        };
        let in_force =
            |requirement: &Requirement| matches!(requirement.standing, Standing::InForce { .. });
        if in_force(old) && in_force(new) && old.force != new.force {
            let (old, new) = (old.force.words(), new.force.words());
            if old != new {
                add(ShiftKind::Enforcement, old, new);
            }
        }
        if old.penalty() != new.penalty() {
            let (old, new) = (costs(old), costs(new));
            if old != new {
                add(ShiftKind::Penalty, old, new);
            }
        }
        if old.text().clocks != new.text().clocks {
            let clocks = |requirement: &Requirement| match requirement.text().clocks.as_slice() {
                [] => "no clock".to_owned(),
                clocks => clocks.join(", "),
            };
            add(ShiftKind::Clock, clocks(old), clocks(new));
        }
    }

    /// How a requirement stands: what counsel has rejected does not bind.
    fn stance<'r>(
        &self,
        side: &Side,
        requirement: Option<&'r Requirement>,
        member: &Member,
    ) -> Stance<'r> {
        let Some(requirement) = requirement else {
            return Stance::None;
        };
        match &requirement.standing {
            _ if self.inventory.sets_aside(side.book(), requirement, member) => Stance::None,
            Standing::NotApplicable(_) | Standing::Ended { .. } => Stance::None,
            Standing::InForce { from } | Standing::Ahead { from } => Stance::Binds { from: *from },
            Standing::Waiting { until, .. } => Stance::Binds { from: *until },
            Standing::Unknown { missing, from } => Stance::Unknown {
                from: *from,
                missing,
            },
        }
    }

    /// Whether someone must act on it.
    fn asks(&self, requirement: &Requirement) -> bool {
        let pack = requirement.pack();
        let adopted = self
            .inventory
            .state
            .as_ref()
            .is_some_and(|state| state.counsel.adopts(&pack.id));
        (is_law(pack) || (adopted && requirement.force != Force::Bill))
            && match requirement.text().kind {
                RequirementKind::Duty
                | RequirementKind::Prohibition
                | RequirementKind::Condition => true,
                RequirementKind::SafeHarbour | RequirementKind::Risk | RequirementKind::Gap => {
                    false
                }
            }
    }

    /// The clocks that run otherwise on a day.
    fn clocks(&self, old: &Reader<'_>, new: &Reader<'_>, day: Date, shifts: &mut Vec<Shift>) {
        let (before, after) = (self.old.running(old, day), self.new.running(new, day));
        let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for id in ids {
            let (one, other) = (before.get(id), after.get(id));
            let waits = |side: Option<&Running<'_>>| side.and_then(|running| running.waits);
            let waits_otherwise = waits(one) != waits(other);
            let words = |side: Option<&Running<'_>>| match side {
                None => "does not run".to_owned(),
                Some(running) => match running.waits.filter(|_| waits_otherwise) {
                    None => running.words.clone(),
                    Some(until) => format!(
                        "{}, nothing to report can exist before {until}",
                        running.words
                    ),
                },
            };
            if words(one) == words(other) {
                continue;
            }
            let Some(Running { bound, .. }) = other.or(one) else {
                continue;
            };
            shifts.push(Shift {
                kind: ShiftKind::Clock,
                id: id.to_owned(),
                is_clock: true,
                pack: bound.pack.clone(),
                from: None,
                to: None,
                before: words(one),
                after: words(other),
                on: vec![day],
                evidence_missing: Vec::new(),
                role: bound.role.clone(),
                how: String::new(),
                asks: true,
            });
        }
    }

    /// Notes the evidence a duty that comes or moves still lacks on the day it begins, or today where it has begun.
    fn missing_evidence(&self, shift: &mut Shift, state: &State, member: &Member, today: Date) {
        let comes = match shift.kind {
            ShiftKind::Gained | ShiftKind::Moved | ShiftKind::Settled => shift.asks,
            ShiftKind::Lost
            | ShiftKind::TurnedUnknown
            | ShiftKind::Clock
            | ShiftKind::Enforcement
            | ShiftKind::Penalty => false,
        };
        let Some(begins) = shift.to.filter(|_| comes) else {
            return;
        };
        let texts = self.new.book().packs().flat_map(|pack| &pack.requirements);
        if let Some(text) = texts.into_iter().find(|text| text.id == shift.id) {
            shift.evidence_missing = kinds_lacking(text, state, &member.id, begins.max(today));
        }
    }
}

/// What a breach may cost, in words.
fn costs(requirement: &Requirement) -> String {
    let penalty = requirement.penalty();
    penalty.map_or("none named".to_owned(), |penalty| {
        penalty.max.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

/// How a requirement stands, whatever the day.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stance<'r> {
    /// It does not concern the system, is not law yet, or has ended.
    None,
    /// It binds from a day on.
    Binds { from: Date },
    /// Facts are missing; the earliest day it could bind.
    Unknown {
        from: Option<Date>,
        missing: &'r BTreeSet<usize>,
    },
}

impl Stance<'_> {
    fn begins(&self) -> Option<Date> {
        match self {
            Stance::None => None,
            Stance::Binds { from } => Some(*from),
            Stance::Unknown { from, .. } => *from,
        }
    }

    fn words(&self, requirement: Option<&Requirement>, book: &Book) -> String {
        let force = match requirement.map(|requirement| &requirement.force) {
            Some(force @ (Force::Voluntary | Force::Bill)) => format!(" ({})", force.words()),
            _ => String::new(),
        };
        match self {
            Stance::None => match requirement.map(|requirement| &requirement.standing) {
                Some(Standing::Ended { on }) => format!("ended on {on}"),
                _ => "does not bind".to_owned(),
            },
            Stance::Binds { from } => format!("binds from {from}{force}"),
            Stance::Unknown { from, missing } => {
                let kinds = book.vocabulary.kinds();
                let names: Vec<&str> = missing.iter().map(|at| kinds[*at].name.as_str()).collect();
                let from = from.map_or(String::new(), |from| format!(" from {from}"));
                format!("may bind{from}{force}: rests on `{}`", names.join("`, `"))
            }
        }
    }
}

impl Shift {
    /// Whether it is the same change, seen on another day.
    fn is_same(&self, other: &Shift) -> bool {
        self.kind == other.kind
            && self.id == other.id
            && (self.from, self.to) == (other.from, other.to)
            && (&self.before, &self.after) == (&other.before, &other.after)
    }

    /// The day that counts for whoever must act: the day a duty begins, or else the first day on which the change shows.
    fn day(&self) -> Option<Date> {
        let begins = match self.kind {
            ShiftKind::Gained
            | ShiftKind::Moved
            | ShiftKind::Settled
            | ShiftKind::TurnedUnknown => self.to,
            ShiftKind::Lost | ShiftKind::Clock | ShiftKind::Enforcement | ShiftKind::Penalty => {
                None
            }
        };
        begins.or(self.on.first().copied())
    }

    /// What is to be done, in words that are the same in every run.
    fn task(&self) -> String {
        let Shift {
            id, before, after, ..
        } = self;
        let day = |day: Option<Date>| day.map_or("an open day".to_owned(), |day| day.to_string());
        match self.kind {
            ShiftKind::Gained => format!("{id} {after}: {}", self.how),
            ShiftKind::Lost => format!(
                "{id} falls away (before: {before}; now: {after}): decide what of it to keep"
            ),
            ShiftKind::Moved => format!(
                "{id} moves from {} to {}: plan for the new day",
                day(self.from),
                day(self.to)
            ),
            ShiftKind::TurnedUnknown => {
                format!("{id} can no longer be decided ({after}): settle the facts")
            }
            ShiftKind::Settled => format!("{id} is settled ({after}): {}", self.how),
            ShiftKind::Clock if self.is_clock => {
                format!("clock {id} changes ({before} → {after}): mend the procedure")
            }
            ShiftKind::Clock => {
                format!("{id} runs on other clocks ({before} → {after}): mend the procedure")
            }
            ShiftKind::Enforcement => {
                format!("{id} is enforced otherwise ({before} → {after}): review the risk")
            }
            ShiftKind::Penalty => {
                format!("{id} may cost something else ({before} → {after}): review the risk")
            }
        }
    }
}

impl Impact {
    fn count(&mut self, shifts: &[Shift]) {
        for shift in shifts {
            let (id, pack) = (shift.id.clone(), shift.pack.clone());
            for counts in [
                self.by_requirement.entry(id).or_default(),
                self.by_pack.entry(pack).or_default(),
                &mut self.by_kind,
            ] {
                *counts.entry(shift.kind).or_default() += 1;
            }
        }
    }

    /// How many systems the change concerns.
    pub fn n_changed(&self) -> usize {
        let changed = self.systems.iter();
        changed.filter(|system| !system.shifts.is_empty()).count()
    }
}

/// The tasks to open, and how many of them were opened before.
fn new_tasks(found: &Impact, state: &State, today: Date, lead: i32) -> (Vec<NewTask>, usize) {
    let why = Why::Impact(format!("{} → {}", found.old.0, found.new.0));
    let known: BTreeSet<(&str, &Why, Option<&str>)> = state
        .tasks
        .values()
        .map(|task| {
            let opened = &task.opened;
            (opened.what.as_str(), &opened.why, opened.system.as_deref())
        })
        .collect();
    let mut tasks = Vec::new();
    let mut n_known = 0;
    for system in &found.systems {
        let Some(declared) = state.systems.get(&system.id) else {
            continue;
        };
        for shift in system.shifts.iter().filter(|shift| shift.asks) {
            let what = shift.task();
            if known.contains(&(what.as_str(), &why, Some(system.id.as_str()))) {
                n_known += 1;
                continue;
            }
            let day = shift.day().unwrap_or(today);
            tasks.push(NewTask {
                what,
                why: why.clone(),
                system: Some(system.id.clone()),
                requirement: (!shift.is_clock).then(|| shift.id.clone()),
                owner: declared
                    .declaration
                    .owner_of(&shift.id, &shift.role)
                    .to_owned(),
                due: day.saturating_sub(lead.days()).max(today),
            });
        }
    }
    (tasks, n_known)
}
