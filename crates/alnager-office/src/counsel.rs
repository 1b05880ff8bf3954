//! Decisions about law itself: frameworks the organisation adopts, readings of its counsel, and official texts a requirement is held against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alnager_law::book::Book;
use alnager_law::pack::{PackKind, RequirementText};
use alnager_law::read::nearest;
use alnager_law::requirement::Requirement;
use alnager_law::text::Hash;
use alnager_law::text::stamp::{self, Wording};
use imbl::{OrdMap, OrdSet};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decide::{Blob, Draft, Refused};
use crate::event::Event;
use crate::state::State;

/// The organisation adopted a voluntary framework, or dropped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkAdopted {
    /// The pack.
    pub pack: String,
    /// Whether it is adopted; `false` drops it.
    pub is_adopted: bool,
    /// Who decided.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// Counsel recorded how the organisation reads a requirement. It wins over the pack's own words, and is marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingRecorded {
    /// The requirement.
    pub requirement: String,
    /// What counsel found.
    pub opinion: Opinion,
    /// The interpretation, in counsel's words.
    pub text: String,
    /// What was not confirmed about the requirement then. Should other doubts come up, counsel is asked again.
    pub settles: Vec<String>,
    /// What was read: its words, citation, dates and condition. Should they change, counsel is asked again.
    #[serde(default)]
    pub wording: String,
    /// Who: a person's id.
    pub by: String,
    /// When.
    pub on: Date,
}

/// What counsel found about a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// It binds as the pack says.
    Adopted,
    /// It does not bind the organisation.
    Rejected,
}

/// An official text was imported. The provision tree is the entry's blob `provisions.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextImported {
    /// The work, such as `eli/reg/2024/1689`.
    pub work: String,
    /// The file's name.
    pub file: String,
    /// The first day this wording governs, where the text says so.
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// SHA-256 of the provision tree's bytes, hexadecimal.
    pub sha256: String,
    /// How many provisions it has.
    pub n_provisions: u64,
    /// The language; empty in entries older than this field.
    #[serde(default)]
    pub language: String,
    /// SHA-256 of each provision with everything below it, hexadecimal, by address: what the stamps in use are held against whenever
    /// a system is judged. Empty in entries older than this field, which `stale` speaks for.
    #[serde(default)]
    pub provisions: BTreeMap<String, String>,
    /// The requirements of the packs in use that were written against another wording, as found on import.
    pub stale: Vec<StaleProvision>,
    /// Why it takes the place of a later text, where it does.
    #[serde(default)]
    pub replaces: Option<String>,
    /// Who imported it: a person's id.
    pub by: String,
    /// When.
    pub on: Date,
}

/// A provision that reads differently than when a requirement was written against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleProvision {
    /// The requirement.
    pub requirement: String,
    /// The provision.
    pub provision: String,
    /// SHA-256 of the text it was written against, hexadecimal.
    pub was: String,
    /// SHA-256 of the imported text; `None` where the provision is gone.
    pub is: Option<String>,
}

/// A person confirmed that a requirement still says what the changed text says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordingConfirmed {
    /// The requirement.
    pub requirement: String,
    /// What was confirmed: the provisions as they read now.
    pub against: Vec<StaleProvision>,
    /// Who: a person's id.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// What the organisation decided about law itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counsel {
    /// The latest decision about each voluntary pack.
    pub frameworks: OrdMap<String, FrameworkAdopted>,
    /// The latest reading of each requirement.
    pub readings: OrdMap<String, ReadingRecorded>,
    /// The latest import of each work.
    pub texts: OrdMap<String, Arc<TextImported>>,
    /// How the latest import of each work reads; none for an entry without hashes. Follows from `texts`.
    #[serde(skip)]
    wordings: OrdMap<String, Arc<Wording>>,
    /// The hash of every text of each work that was imported, the latest included.
    imported: OrdMap<String, OrdSet<String>>,
    /// What was confirmed about each requirement's wording last.
    pub confirmed: OrdMap<String, WordingConfirmed>,
}

impl Counsel {
    /// Whether a voluntary pack is adopted.
    pub fn adopts(&self, pack: &str) -> bool {
        self.frameworks
            .get(pack)
            .is_some_and(|decision| decision.is_adopted)
    }

    /// The reading that counts for a requirement with these doubts; one made before doubts or words changed does not.
    pub fn reading(&self, text: &RequirementText, doubts: &[String]) -> Option<&ReadingRecorded> {
        let settled = |reading: &&ReadingRecorded| {
            doubts.iter().all(|doubt| reading.settles.contains(doubt))
                && reading.wording == wording(text)
        };
        self.readings.get(&text.id).filter(settled)
    }

    /// What the texts say of a requirement: its provisions that read differently than when it was written, confirmed or not.
    fn contradicted(&self, book: &Book, requirement: &str) -> Vec<StaleProvision> {
        let mut all = Vec::new();
        for (work, text) in &self.texts {
            match (self.wordings.get(work), book.stamp(requirement)) {
                (Some(wording), Some(stamp)) => {
                    let stale = stamp::hold(stamp, wording).stale;
                    all.extend(stale.into_iter().map(StaleProvision::from));
                }
                (Some(_), None) => {}
                (None, _) => {
                    let of_it = text
                        .stale
                        .iter()
                        .filter(|one| one.requirement == requirement);
                    all.extend(of_it.cloned());
                }
            }
        }
        all
    }

    /// The provisions of a requirement that read differently than when it was written, and that nobody has confirmed since.
    pub fn stale(&self, book: &Book, requirement: &str) -> Vec<StaleProvision> {
        let mut open = self.contradicted(book, requirement);
        if let Some(confirmed) = self.confirmed.get(requirement) {
            // Confirmed was what it was written against and how it read; another of either is a new question.
            open.retain(|stale| !confirmed.against.contains(stale));
        }
        open
    }

    /// Every requirement that is stale, with its provisions.
    pub fn all_stale(&self, book: &Book) -> BTreeMap<String, Vec<StaleProvision>> {
        let stamped = book.stamps().map(|stamp| &stamp.requirement);
        let frozen = self.texts.values().flat_map(|text| &text.stale);
        let named: BTreeSet<&String> = stamped
            .chain(frozen.map(|stale| &stale.requirement))
            .collect();
        let stale = named
            .into_iter()
            .map(|id| (id.clone(), self.stale(book, id)));
        stale.filter(|(_, stale)| !stale.is_empty()).collect()
    }

    /// Why a text would take the place of a later one; `None` if it does not.
    pub fn turns_back(&self, work: &str, sha256: &str, valid_from: Option<Date>) -> Option<String> {
        let known = self.texts.get(work)?;
        if let (Some(newer), Some(older)) = (known.valid_from, valid_from)
            && older < newer
        {
            return Some(format!(
                "the desk holds `{work}` as it governs from {newer}, and this text governs from {older}"
            ));
        }
        let before = self.imported.get(work)?.contains(sha256);
        (before && known.sha256 != sha256).then(|| {
            let on = known.on;
            format!("the desk held this text of `{work}` before, and another since {on}")
        })
    }

    /// Whether a text would settle what is stale, so that nobody is asked to confirm it.
    pub fn is_settled_by(&self, book: &Book, text: &TextImported) -> bool {
        let mut after = self.clone();
        after.hold(text);
        let mut before = self.all_stale(book).into_iter();
        before.any(|(id, stale)| {
            let left = after.stale(book, &id);
            stale
                .iter()
                .any(|stale| !left.iter().any(|left| left.provision == stale.provision))
        })
    }

    /// Reads the wordings of the texts it holds, which no snapshot repeats.
    pub(crate) fn read_wordings(&mut self) {
        let wordings = self.texts.iter();
        let wordings = wordings.filter_map(|(work, text)| Some((work.clone(), text.wording()?)));
        self.wordings = wordings.collect();
    }

    /// Takes a text.
    fn hold(&mut self, text: &TextImported) {
        let work = &text.work;
        match text.wording() {
            Some(wording) => drop(self.wordings.insert(work.clone(), wording)),
            None => drop(self.wordings.remove(work)),
        }
        let mut imported = self.imported.get(work).cloned().unwrap_or_default();
        imported.insert(text.sha256.clone());
        self.imported.insert(work.clone(), imported);
        self.texts.insert(work.clone(), Arc::new(text.clone()));
    }
}

impl TextImported {
    /// How it reads; `None` for an entry without hashes.
    fn wording(&self) -> Option<Arc<Wording>> {
        let hashes = self.provisions.iter();
        let hashes = hashes.filter_map(|(id, hex)| Some((id.clone(), Hash::from_hex(hex)?)));
        let wording = Wording {
            work: self.work.clone(),
            language: self.language.clone(),
            provisions: hashes.collect(),
        };
        (!self.provisions.is_empty()).then(|| Arc::new(wording))
    }
}

impl From<stamp::Stale> for StaleProvision {
    fn from(stale: stamp::Stale) -> Self {
        StaleProvision {
            requirement: stale.requirement,
            provision: stale.provision,
            was: stale.was.to_string(),
            is: stale.is.map(|hash| hash.to_string()),
        }
    }
}

impl State {
    /// The reading that counts for a system: whoever builds it does not read its law, nor did before joining the team.
    pub fn reading_for(&self, requirement: &Requirement, system: &str) -> Option<&ReadingRecorded> {
        let builds = |person: &str| {
            let system = self.systems.get(system);
            system.is_some_and(|system| system.builders.contains(person))
        };
        let reading = self
            .counsel
            .reading(requirement.text(), &requirement.for_counsel);
        reading.filter(|reading| !builds(&reading.by))
    }

    /// Whether counsel found that a requirement does not bind a system. A text that changed since then asks counsel again.
    pub fn is_set_aside(&self, book: &Book, requirement: &Requirement, system: &str) -> bool {
        let reading = self.reading_for(requirement, system);
        reading.is_some_and(|reading| reading.opinion == Opinion::Rejected)
            && self.counsel.stale(book, &requirement.text().id).is_empty()
    }

    /// Takes an event about law itself.
    pub(crate) fn advise(&mut self, event: &Event) {
        match event {
            Event::FrameworkAdopted(adopted) => {
                self.counsel
                    .frameworks
                    .insert(adopted.pack.clone(), adopted.clone());
            }
            Event::ReadingRecorded(reading) => {
                self.counsel
                    .readings
                    .insert(reading.requirement.clone(), reading.clone());
            }
            Event::TextImported(text) => {
                self.counsel.hold(text);
            }
            Event::WordingConfirmed(confirmed) => {
                self.counsel
                    .confirmed
                    .insert(confirmed.requirement.clone(), (**confirmed).clone());
            }
            _ => {}
        }
    }
}

impl Draft<'_> {
    /// Adopts or drops a voluntary framework.
    pub(crate) fn adopt_framework(
        &mut self,
        pack: &str,
        is_adopted: bool,
        reason: &str,
    ) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let known = self.with.book.packs().find(|known| known.id == pack);
        let Some(known) = known else {
            let voluntary = self.with.book.packs().filter(|known| !known.binding);
            let hint = nearest(pack, voluntary.map(|known| known.id.as_str()));
            return Err(Refused::NoPack {
                pack: pack.to_owned(),
                hint,
            });
        };
        if !is_adopted {
            self.need_outsider(pack)?;
        }
        if known.binding || known.kind == PackKind::Bill {
            return Err(Refused::Binding {
                pack: pack.to_owned(),
            });
        }
        if self.state.counsel.adopts(pack) == is_adopted {
            return Err(Refused::AlreadyDecided {
                what: if is_adopted {
                    format!("`{pack}` is adopted already")
                } else {
                    format!("`{pack}` is not adopted")
                },
            });
        }
        self.adopt_book();
        let adopted = FrameworkAdopted {
            pack: pack.to_owned(),
            is_adopted,
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_organisation(Event::FrameworkAdopted(adopted));
        Ok(())
    }

    /// Records counsel's reading of a requirement. Whoever builds a system records none.
    pub(crate) fn record_reading(
        &mut self,
        requirement: &str,
        opinion: Opinion,
        text: &str,
    ) -> Result<(), Refused> {
        need_reason(text, "--text")?;
        let book = self.with.book;
        let mut texts = book.packs().flat_map(|pack| &pack.requirements);
        let read = texts.find(|known| known.id == requirement);
        let (Some(read), Some(settles)) = (read, book.doubts(requirement)) else {
            return Err(self.no_requirement(requirement));
        };
        self.need_outsider(requirement)?;
        self.adopt_book();
        let reading = ReadingRecorded {
            requirement: requirement.to_owned(),
            opinion,
            text: text.to_owned(),
            settles,
            wording: wording(read),
            by: self.acting(),
            on: self.with.today,
        };
        self.push_organisation(Event::ReadingRecorded(reading));
        Ok(())
    }

    /// Enters an official text with what it made stale. The same text twice is one entry.
    pub(crate) fn import_text(&mut self, import: &NewText) -> Result<(), Refused> {
        let counsel = &self.state.counsel;
        let same = |known: &Arc<TextImported>| {
            known.sha256 == import.sha256 && known.provisions == import.provisions
        };
        if counsel.texts.get(&import.work).is_some_and(same) {
            return Ok(());
        }
        match &import.replaces {
            Some(reason) => {
                need_reason(reason, "--reason")?;
                self.need_outsider(&import.work)?;
            }
            None => {
                let why = counsel.turns_back(&import.work, &import.sha256, import.valid_from);
                if let Some(why) = why {
                    return Err(Refused::OlderText { why });
                }
            }
        }
        let by = self.acting();
        let imported = TextImported {
            work: import.work.clone(),
            file: import.file.clone(),
            valid_from: import.valid_from,
            sha256: import.sha256.clone(),
            n_provisions: import.n_provisions,
            language: import.language.clone(),
            provisions: import.provisions.clone(),
            stale: import.stale.clone(),
            replaces: import.replaces.clone(),
            by,
            on: self.with.today,
        };
        let counsel = &self.state.counsel;
        if counsel.is_settled_by(self.with.book, &imported) {
            self.need_outsider(&import.work)?;
        }
        self.adopt_book();
        let subjects = vec![self.with.organisation.clone()];
        self.push(
            Event::TextImported(Box::new(imported)),
            subjects,
            Vec::new(),
            vec![import.tree.clone()],
        );
        Ok(())
    }

    /// Confirms that a stale requirement still says what the text says.
    pub(crate) fn confirm_wording(
        &mut self,
        requirement: &str,
        reason: &str,
    ) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        if self.with.book.doubts(requirement).is_none() {
            return Err(self.no_requirement(requirement));
        }
        self.need_outsider(requirement)?;
        let counsel = &self.state.counsel;
        let book = self.with.book;
        // All that the texts say of it now, confirmed before or not: this confirmation takes the place of the last one.
        let against = counsel.contradicted(book, requirement);
        if counsel.stale(book, requirement).is_empty() {
            return Err(Refused::AlreadyDecided {
                what: format!("`{requirement}` is not stale"),
            });
        }
        let confirmed = WordingConfirmed {
            requirement: requirement.to_owned(),
            against,
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_organisation(Event::WordingConfirmed(Box::new(confirmed)));
        Ok(())
    }

    /// Refuses who builds a system of the desk: nobody sets aside or confirms the law they build under.
    pub(crate) fn need_outsider(&self, what: &str) -> Result<(), Refused> {
        let mut systems = self.state.systems.values();
        match systems.find(|system| system.builders.contains(self.actor_id())) {
            Some(system) => Err(Refused::BuilderDecides {
                what: what.to_owned(),
                system: system.declaration.id.clone(),
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn no_requirement(&self, requirement: &str) -> Refused {
        let texts = self.with.book.packs().flat_map(|pack| &pack.requirements);
        Refused::NoRequirement {
            requirement: requirement.to_owned(),
            hint: nearest(requirement, texts.map(|text| text.id.as_str())),
        }
    }
}

/// An official text to enter.
#[derive(Debug, Clone)]
pub struct NewText {
    /// The work.
    pub work: String,
    /// The file's name.
    pub file: String,
    /// The first day this wording governs, where the text says so.
    pub valid_from: Option<Date>,
    /// SHA-256 of the tree's bytes, hexadecimal.
    pub sha256: String,
    /// How many provisions it has.
    pub n_provisions: u64,
    /// The language.
    pub language: String,
    /// SHA-256 of each provision with everything below it, hexadecimal, by address.
    pub provisions: BTreeMap<String, String>,
    /// What it makes stale.
    pub stale: Vec<StaleProvision>,
    /// Why it may take the place of a later text.
    pub replaces: Option<String>,
    /// The tree: the blob `provisions.json`.
    pub tree: Blob,
}

pub(crate) fn need_reason(text: &str, flag: &'static str) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::NoReason { flag });
    }
    Ok(())
}

/// What a reading is about: the requirement's words, citation, date groups, condition and exceptions, one below the other.
pub fn wording(text: &RequirementText) -> String {
    let exceptions = text.unless.iter().map(|unless| unless.text.as_str());
    let dates = text.applies.join(", ");
    let parts = [
        text.what.as_str(),
        text.cite.as_str(),
        dates.as_str(),
        text.when.text.as_str(),
    ];
    parts
        .into_iter()
        .chain(exceptions)
        .collect::<Vec<_>>()
        .join("\n")
}
