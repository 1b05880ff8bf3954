//! What comes into force, wakes, ends or becomes enforceable, when, and for which systems.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use alnager_law::agenda::{AgendaItem, Turn, agenda, book_dates};
use alnager_law::requirement::Force;
use alnager_store::Desk;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::law::ics::{self, IcsEvent};
use crate::law::inventory::Inventory;
use crate::library::sha256;

/// Whose days are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// All systems of the desk or, without a desk, those of the book whomever they concern.
    All,
    /// One system of the desk.
    System(String),
    /// One system with the facts of a file.
    Facts(PathBuf),
    /// The systems of a file with one JSON object of facts a line.
    Systems(PathBuf),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose days.
    pub whose: Whose,
    /// Whether a fact a file does not list is false, empty, or fails every comparison.
    pub closed_world: bool,
    /// The first day; without it `--at` or today.
    pub from: Option<Date>,
    /// The last day; without it two years after the first.
    pub until: Option<Date>,
}

/// The days of a span on which law changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawCalendar {
    /// The first day looked at.
    pub from: Date,
    /// The last day looked at.
    pub until: Date,
    /// Law published by this day counts.
    pub known: Date,
    /// How many systems were looked at; `None` where the book alone was.
    pub n_systems: Option<usize>,
    /// What happens, by day.
    pub entries: Vec<Entry>,
    scope: String,
    made_at: Timestamp,
}

/// Something that happens on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The day.
    pub day: Date,
    /// What happens.
    pub turn: Turn,
    /// The pack.
    pub pack: String,
    /// The requirements it happens to: one for systems, those of a date group for the book.
    pub requirements: Vec<String>,
    /// What the requirement asks, in one line; the pack's title for the book.
    pub what: String,
    /// The citation.
    pub cite: String,
    /// For whom, where the book's date is not for all.
    pub when: Option<String>,
    /// How far it can be enforced from that day on, where not in full.
    pub force: Option<String>,
    /// The systems, sorted; empty for the book.
    pub systems: Vec<String>,
}

/// Collects the days. `watching` is told how many systems are done, of how many.
pub async fn calendar(
    flags: &Flags,
    asked: &Asked,
    watching: &dyn Fn(u64, u64),
) -> Result<LawCalendar, JobError> {
    let acting = Acting::begin(flags)?;
    let (inventory, scope) = match &asked.whose {
        Whose::All if !Desk::exists(acting.place()).await => (None, "book".to_owned()),
        Whose::All => {
            let inventory = Inventory::open(&acting, None).await?;
            (Some(inventory), "desk".to_owned())
        }
        Whose::System(id) => {
            let mut desk = acting.desk().await?;
            let state = acting.state(&mut desk).await?;
            (Some(Inventory::of_one(state, id)?), format!("system {id}"))
        }
        Whose::Facts(file) => (
            Some(Inventory::of_file(file)?),
            format!("facts {}", file.display()),
        ),
        Whose::Systems(file) => {
            let inventory = Inventory::open(&acting, Some(file)).await?;
            (Some(inventory), format!("systems {}", file.display()))
        }
    };
    let zone = inventory.as_ref().and_then(Inventory::first_zone);
    let when = acting.as_of(None, zone);
    let from = asked.from.unwrap_or(when.valid);
    let until = asked
        .until
        .unwrap_or_else(|| from.saturating_add(2.years()));
    if until < from {
        return Err(JobError::Input(format!(
            "{until} is before {from}; put the earlier day in --from"
        )));
    }
    let mut found = LawCalendar {
        from,
        until,
        known: when.known,
        n_systems: inventory.as_ref().map(|inventory| inventory.members.len()),
        entries: Vec::new(),
        scope,
        made_at: acting.now,
    };
    match inventory {
        None => found.of_book(&acting),
        Some(inventory) => found.of_systems(&acting, &inventory, asked.closed_world, watching)?,
    }
    Ok(found)
}

impl LawCalendar {
    /// The first day after the span.
    fn end(&self) -> Date {
        self.until.tomorrow().unwrap_or(self.until)
    }

    fn of_book(&mut self, acting: &Acting) {
        let book = &acting.library.book;
        for date in book_dates(book, self.known, self.from, self.end()) {
            let pack = book.packs().find(|pack| pack.id == date.pack);
            self.entries.push(Entry {
                day: date.day,
                turn: date.turn,
                what: pack.map_or(String::new(), |pack| pack.title.clone()),
                pack: date.pack,
                requirements: date.requirements,
                cite: date.cite,
                when: date.when,
                force: None,
                systems: Vec::new(),
            });
        }
    }

    fn of_systems(
        &mut self,
        acting: &Acting,
        inventory: &Inventory,
        closed_world: bool,
        watching: &dyn Fn(u64, u64),
    ) -> Result<(), JobError> {
        let book = &acting.library.book;
        let total = inventory.members.len() as u64;
        // By day and happening, then by pack and requirement: one entry for all systems it happens to.
        let mut entries: BTreeMap<(Date, Turn, String, String), Entry> = BTreeMap::new();
        for (at, member) in inventory.members.iter().enumerate() {
            let facts = inventory.facts(member, &[book], 0, closed_world)?;
            let reader = book.reader(&facts, self.known);
            for item in agenda(&reader, self.from, self.end()) {
                if inventory.sets_aside(book, &item.requirement, member) {
                    continue;
                }
                let pack = item.requirement.pack().id.clone();
                let id = item.requirement.text().id.clone();
                let entry = entries
                    .entry((item.day, item.turn, pack, id))
                    .or_insert_with(|| entry(&item));
                entry.systems.push(member.id.clone());
            }
            watching(at as u64 + 1, total);
        }
        self.entries = entries.into_values().collect();
        for entry in &mut self.entries {
            entry.systems.sort();
        }
        Ok(())
    }

    /// The days with what happens on each, ascending.
    pub fn days(&self) -> Vec<(Date, Vec<&Entry>)> {
        let mut days: Vec<(Date, Vec<&Entry>)> = Vec::new();
        for entry in &self.entries {
            match days.last_mut() {
                Some((day, entries)) if *day == entry.day => entries.push(entry),
                _ => days.push((entry.day, vec![entry])),
            }
        }
        days
    }

    /// The same as an iCalendar file of all-day events. But for the instant it was made, which each event must name, the same
    /// calendar gives the same file, ids included.
    pub fn ics(&self) -> String {
        let mut seen = BTreeSet::new();
        let mut events = Vec::new();
        for entry in &self.entries {
            let ids = entry.requirements.join(", ");
            let key = format!(
                "{}\n{}\n{}\n{}\n{ids}\n{}",
                self.scope,
                entry.day,
                entry.turn.word(),
                entry.pack,
                entry.when.as_deref().unwrap_or_default()
            );
            // Two rows of a date group may say the same from two sources.
            let mut n = 0;
            let mut uid = sha256(key.as_bytes());
            while !seen.insert(uid.clone()) {
                n += 1;
                uid = sha256(format!("{key}\n{n}").as_bytes());
            }
            let mut lines = vec![entry.what.clone(), entry.cite.clone()];
            lines.extend(entry.when.iter().map(|when| format!("when {when}")));
            lines.extend(entry.force.clone());
            if !entry.systems.is_empty() {
                lines.push(format!("systems: {}", named(&entry.systems)));
            }
            events.push(IcsEvent {
                uid: format!("{}@law.alnager", &uid[..32]),
                day: entry.day,
                summary: format!("{}: {ids}", entry.turn.word()),
                description: lines.join("\n"),
                category: entry.turn.word().to_owned(),
            });
        }
        ics::write(&events, self.made_at)
    }
}

/// The first systems by name, and how many more there are.
pub fn named(systems: &[String]) -> String {
    const SHOWN: usize = 5;
    match systems.len().checked_sub(SHOWN) {
        None | Some(0) => systems.join(", "),
        Some(more) => format!("{} and {more} more", systems[..SHOWN].join(", ")),
    }
}

fn entry(item: &AgendaItem) -> Entry {
    let requirement = &item.requirement;
    let (text, pack) = (requirement.text(), requirement.pack());
    let limited = !matches!(requirement.force, Force::Enforceable);
    Entry {
        day: item.day,
        turn: item.turn,
        pack: pack.id.clone(),
        requirements: vec![text.id.clone()],
        what: text.what.split_whitespace().collect::<Vec<_>>().join(" "),
        cite: pack.cited(&text.cite),
        when: None,
        force: limited.then(|| requirement.force.words()),
        systems: Vec::new(),
    }
}
