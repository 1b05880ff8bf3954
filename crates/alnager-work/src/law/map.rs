//! Questions to the law alone: what would bind a system with these facts.

use std::collections::BTreeMap;
use std::path::Path;

use alnager_law::book::Book;
use alnager_law::fact::Facts;
use alnager_law::requirement::{AsOf, Force, Standing, requirements_on};
use alnager_law::rule::Truth;
use jiff::civil::Date;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::law::inventory::{Inventory, Listed};

/// What would bind a system, by how it stands on the day judged. Every requirement of the packs is in exactly one place.
#[derive(Debug, Clone, Default)]
pub struct LawMap {
    /// The day judged and the day of knowledge.
    pub when: Option<AsOf>,
    /// Derived facts; `None` is unknown.
    pub derived: BTreeMap<String, Option<bool>>,
    /// In force.
    pub in_force: Vec<String>,
    /// Begins later, with the day.
    pub upcoming: BTreeMap<String, Date>,
    /// Its day has come and its trigger has not, with the day it can first exist.
    pub waiting: BTreeMap<String, Date>,
    /// Does not concern the system.
    pub not_applicable: Vec<String>,
    /// No longer governs.
    pub ended: Vec<String>,
    /// Facts are missing, by name.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// Something about it is not confirmed.
    pub preview: Vec<String>,
    /// Of those, the ones whose core is not confirmed.
    pub for_counsel: Vec<String>,
    /// In force or ahead, and not simply enforceable: in words, such as `grace until 2027-01-22` or `voluntary`.
    pub force: BTreeMap<String, String>,
}

/// Maps a file of facts: a JSON object of answers, or one that holds them under `facts`. With `closed_world` an unlisted fact is
/// false, empty, or fails every comparison. Nothing is read from or written to a desk.
pub fn map(flags: &Flags, file: &Path, closed_world: bool) -> Result<LawMap, JobError> {
    let acting = Acting::begin(flags)?;
    let book = &acting.library.book;
    let facts = facts(book, file, closed_world)?;
    Ok(map_one(book, &facts, acting.as_of(None, None)))
}

/// Maps many systems, one after the other: those of a JSON lines file, or without one those of the desk that are not retired.
/// `each` is given the system's id and its map, and how many systems there are. Nothing is written.
pub async fn map_many(
    flags: &Flags,
    systems: Option<&Path>,
    closed_world: bool,
    each: &mut dyn FnMut(&str, LawMap, usize),
) -> Result<(), JobError> {
    let acting = Acting::begin(flags)?;
    let inventory = Inventory::open(&acting, systems).await?;
    let book = &acting.library.book;
    for member in &inventory.members {
        let facts = inventory.facts(member, &[book], 0, closed_world)?;
        let when = acting.as_of(None, inventory.zone(member));
        each(
            &member.id,
            map_one(book, &facts, when),
            inventory.members.len(),
        );
    }
    Ok(())
}

/// Maps one system.
pub fn map_one(book: &Book, facts: &Facts, when: AsOf) -> LawMap {
    let reader = book.reader(facts, when.known);
    let mut map = LawMap {
        when: Some(when),
        ..LawMap::default()
    };
    for requirement in requirements_on(&reader, when.valid) {
        let id = requirement.text().id.clone();
        let concerns = !matches!(
            requirement.standing,
            Standing::NotApplicable(_) | Standing::Ended { .. }
        );
        if concerns && !requirement.preview.is_empty() {
            map.preview.push(id.clone());
        }
        if concerns && !requirement.for_counsel.is_empty() {
            map.for_counsel.push(id.clone());
        }
        if concerns && requirement.force != Force::Enforceable {
            map.force.insert(id.clone(), requirement.force.words());
        }
        match requirement.standing {
            Standing::InForce { .. } => map.in_force.push(id),
            Standing::Ahead { from } => drop(map.upcoming.insert(id, from)),
            Standing::Waiting { until, .. } => drop(map.waiting.insert(id, until)),
            Standing::Ended { .. } => map.ended.push(id),
            Standing::NotApplicable(_) => map.not_applicable.push(id),
            Standing::Unknown { missing, .. } => {
                let names = missing
                    .iter()
                    .map(|at| book.vocabulary.kinds()[*at].name.clone());
                map.unknown.insert(id, names.collect());
            }
        }
    }
    for (at, derived) in book.derived_facts().iter().enumerate() {
        let truth = match reader.derived(at) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown => None,
        };
        map.derived.insert(derived.name.clone(), truth);
    }
    map
}

/// A requirement of the law in use, for a page that shows more than its id.
#[derive(Debug, Clone)]
pub struct Named {
    /// The title of its pack.
    pub pack: String,
    /// Its id.
    pub id: String,
    /// What it asks.
    pub what: String,
}

/// Every requirement of the law in use, in the order of the packs.
pub fn named(flags: &Flags) -> Result<Vec<Named>, JobError> {
    let acting = Acting::begin(flags)?;
    let packs = acting.library.book.packs();
    Ok(packs
        .flat_map(|pack| {
            pack.requirements.iter().map(|text| Named {
                pack: pack.title.clone(),
                id: text.id.clone(),
                what: text.what.clone(),
            })
        })
        .collect())
}

/// A file of facts, as [`map`] takes it.
pub(crate) fn facts(book: &Book, file: &Path, closed_world: bool) -> Result<Facts, JobError> {
    Listed::read(file)?.facts(&[book], 0, closed_world)
}
