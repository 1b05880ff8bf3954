//! What comes when: the days on which duties begin, wake, end, or become enforceable, for one system or for a whole book.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::book::{Book, Reader};
use crate::pack::{EnforcementState, Pack, PackKind, RequirementText};
use crate::requirement::{AsOf, Force, Requirement, Standing, force, requirement, settle};
use crate::rule::Truth;
use crate::schedule::rows_known;

/// What happens to a requirement on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// It comes into force.
    Begins,
    /// Its own date comes, and what triggers it cannot exist yet.
    Sleeps,
    /// It was waiting and comes into force: what triggers it can exist now.
    Wakes,
    /// It may come into force; facts are missing that decide it.
    MayBegin,
    /// It no longer governs.
    Ends,
    /// It is in force, and enforced less from this day on.
    Limited(EnforcementState),
    /// What kept it from being enforced in full is over.
    Enforceable(EnforcementState),
}

impl Turn {
    /// The word used in files and on the screen, such as `begins` or `grace ends`.
    pub fn word(self) -> &'static str {
        match self {
            Turn::Begins => "begins",
            Turn::Sleeps => "waits",
            Turn::Wakes => "wakes",
            Turn::MayBegin => "may begin",
            Turn::Ends => "ends",
            Turn::Limited(EnforcementState::Grace) => "grace begins",
            Turn::Limited(EnforcementState::Stayed) => "stayed",
            Turn::Limited(EnforcementState::NoFines) => "no fines from now",
            Turn::Enforceable(EnforcementState::Grace) => "grace ends",
            Turn::Enforceable(EnforcementState::Stayed) => "stay ends",
            Turn::Enforceable(EnforcementState::NoFines) => "fines begin",
        }
    }
}

/// Something that happens to a requirement of a system.
#[derive(Debug, Clone)]
pub struct AgendaItem {
    /// The day.
    pub day: Date,
    /// What happens.
    pub turn: Turn,
    /// The requirement, as it stands on that day.
    pub requirement: Requirement,
}

/// What happens to the requirements of a system from one day on until before another, in the order of the days, then of the book.
///
/// Pure: the same book, facts, knowledge and days give the same answer. What began before `from` is not told again.
pub fn agenda(reader: &Reader<'_>, from: Date, until: Date) -> Vec<AgendaItem> {
    let known = reader.known();
    let mut items = Vec::new();
    for pack in reader.book().bound() {
        for (index, text) in pack.pack.requirements.iter().enumerate() {
            let holds = reader.holds(&pack.codes[index]);
            if holds == Truth::False {
                continue;
            }
            let at = pack.timetable.schedule_of(index);
            let outcomes = pack.timetable.outcomes(&pack.pack, at, reader, known);
            let own = outcomes.iter().flat_map(|outcome| outcome.turns());
            let days: BTreeSet<Date> = own
                .chain(limits(&pack.pack, known))
                .filter(|day| (from..until).contains(day))
                .collect();
            for day in days {
                let Ok(eve) = day.yesterday() else { continue };
                let at = |valid| {
                    let limit = force(&pack.pack, text, AsOf { valid, known });
                    (settle(holds, &outcomes, valid), limit)
                };
                let may_begin = || outcomes.iter().any(|outcome| outcome.begins() == Some(day));
                for turn in turns(&at(eve), &at(day), may_begin) {
                    let requirement = requirement(pack, index, reader, AsOf { valid: day, known });
                    items.push(AgendaItem {
                        day,
                        turn,
                        requirement,
                    });
                }
            }
        }
    }
    items.sort_by_key(|item| item.day);
    items
}

/// The days on which the enforcement of a pack changes, as known on a day.
fn limits(pack: &Pack, known: Date) -> impl Iterator<Item = Date> {
    let rows = pack.enforcement.iter();
    rows.filter(move |row| row.known <= known)
        .flat_map(|row| row.from.into_iter().chain(row.until))
}

/// What happens between the eve of a day and the day.
fn turns(
    eve: &(Standing, Force),
    day: &(Standing, Force),
    may_begin: impl Fn() -> bool,
) -> Vec<Turn> {
    match (&eve.0, &day.0) {
        (Standing::InForce { .. }, Standing::InForce { .. }) => limited(&eve.1, &day.1),
        (Standing::Waiting { .. }, Standing::InForce { .. }) => vec![Turn::Wakes],
        (_, Standing::InForce { .. }) => vec![Turn::Begins],
        (Standing::Waiting { .. }, Standing::Waiting { .. }) => Vec::new(),
        (_, Standing::Waiting { .. }) => vec![Turn::Sleeps],
        (Standing::Ended { .. }, Standing::Ended { .. }) => Vec::new(),
        (_, Standing::Ended { .. }) => vec![Turn::Ends],
        (_, Standing::Unknown { .. }) if may_begin() => vec![Turn::MayBegin],
        (_, Standing::Unknown { .. } | Standing::Ahead { .. } | Standing::NotApplicable(_)) => {
            Vec::new()
        }
    }
}

/// What becomes of the enforcement of a requirement that is in force on both days.
fn limited(eve: &Force, day: &Force) -> Vec<Turn> {
    let state = |force: &Force| match force {
        Force::Limited { state, .. } => Some(*state),
        Force::Enforceable | Force::Voluntary | Force::Bill => None,
    };
    match (state(eve), state(day)) {
        (one, other) if one == other => Vec::new(),
        (Some(was), None) => vec![Turn::Enforceable(was)],
        (None, Some(is)) => vec![Turn::Limited(is)],
        (Some(was), Some(is)) => vec![Turn::Enforceable(was), Turn::Limited(is)],
        (None, None) => Vec::new(),
    }
}

/// A date of a book, whomever it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookDate {
    /// The day.
    pub day: Date,
    /// What happens.
    pub turn: Turn,
    /// The pack.
    pub pack: String,
    /// The requirements whose date groups say so, in the order of the pack.
    pub requirements: Vec<String>,
    /// The source.
    pub cite: String,
    /// For whom, where the date is not for all: the condition as written.
    pub when: Option<String>,
}

/// Every date of a book from one day on until before another, as known on a day. Bills and voluntary packs are among them.
///
/// A date says when a group of requirements governs those whom it concerns; for one system ask [`agenda`].
pub fn book_dates(book: &Book, known: Date, from: Date, until: Date) -> Vec<BookDate> {
    let mut dates = Vec::new();
    for pack in book.packs() {
        pack_dates(pack, known, &mut dates);
    }
    dates.retain(|date| (from..until).contains(&date.day) && !date.requirements.is_empty());
    dates.sort_by_key(|date| date.day);
    dates
}

fn pack_dates(pack: &Pack, known: Date, dates: &mut Vec<BookDate>) {
    let mut add = |day, turn, groups: &dyn Fn(&str) -> bool, cite: &str, when: Option<&String>| {
        dates.push(BookDate {
            day,
            turn,
            pack: pack.id.clone(),
            requirements: concerned(pack, groups),
            cite: pack.cited(cite),
            when: when.map(|when| when.split_whitespace().collect::<Vec<_>>().join(" ")),
        });
    };
    for (group, rows) in &pack.applies {
        for row in rows_known(rows, known) {
            let when = row.when.as_ref().map(|when| &when.text);
            let is = |name: &str| name == group;
            let turn = match row.dormant_until {
                Some(_) => Turn::Sleeps,
                None => Turn::Begins,
            };
            add(row.from, turn, &is, &row.cite, when);
            if let Some(to) = row.to {
                add(to, Turn::Ends, &is, &row.cite, when);
            }
        }
    }
    for transition in &pack.transitions {
        if let Some(from) = transition.from {
            let is = |name: &str| transition.groups.iter().any(|group| group == name);
            let when = Some(&transition.when.text);
            add(from, Turn::Begins, &is, &transition.cite, when);
        }
    }
    for row in pack.enforcement.iter().filter(|row| row.known <= known) {
        let is = |name: &str| row.groups.is_empty() || row.groups.iter().any(|group| group == name);
        if let Some(from) = row.from {
            add(from, Turn::Limited(row.state), &is, &row.cite, None);
        }
        if let Some(until) = row.until {
            add(until, Turn::Enforceable(row.state), &is, &row.cite, None);
        }
    }
}

/// The requirements that stand in one of these groups, by name or through a choice.
fn concerned(pack: &Pack, groups: &dyn Fn(&str) -> bool) -> Vec<String> {
    let names = |name: &String| {
        let choices = pack.choose.get(name).into_iter().flatten();
        groups(name) || choices.into_iter().any(|choice| groups(&choice.group))
    };
    let stands = |text: &&RequirementText| text.applies.iter().any(names);
    let texts = pack.requirements.iter().filter(stands);
    texts.map(|text| text.id.clone()).collect()
}

/// Whether what a pack says is law, or would bind only if it were enacted or adopted.
pub fn is_law(pack: &Pack) -> bool {
    pack.binding && pack.kind != PackKind::Bill
}

#[cfg(test)]
mod tests;
