//! Decisions about law itself: frameworks the organisation adopts, readings of its counsel, and official texts a requirement is held against.

use std::collections::BTreeSet;

use alnager_law::pack::{PackKind, RequirementText};
use alnager_law::read::nearest;
use imbl::OrdMap;
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
    /// What was read: its words, condition and citation. Should they change, counsel is asked again.
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
    /// The requirements of the packs in use that were written against another wording.
    pub stale: Vec<StaleProvision>,
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counsel {
    /// The latest decision about each voluntary pack.
    pub frameworks: OrdMap<String, FrameworkAdopted>,
    /// The latest reading of each requirement.
    pub readings: OrdMap<String, ReadingRecorded>,
    /// The latest import of each work.
    pub texts: OrdMap<String, TextImported>,
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

    /// The provisions of a requirement that read differently than when it was written, and that nobody has confirmed since.
    pub fn stale(&self, requirement: &str) -> Vec<&StaleProvision> {
        let confirmed = self
            .confirmed
            .get(requirement)
            .map_or(&[][..], |confirmed| &confirmed.against);
        let open = |stale: &&StaleProvision| {
            stale.requirement == requirement
                && !confirmed
                    .iter()
                    .any(|known| known.provision == stale.provision && known.is == stale.is)
        };
        self.texts
            .values()
            .flat_map(|text| &text.stale)
            .filter(open)
            .collect()
    }

    /// Every requirement that is stale.
    pub fn all_stale(&self) -> BTreeSet<&str> {
        self.texts
            .values()
            .flat_map(|text| &text.stale)
            .map(|stale| stale.requirement.as_str())
            .filter(|requirement| !self.stale(requirement).is_empty())
            .collect()
    }
}

impl State {
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
                self.counsel
                    .texts
                    .insert(text.work.clone(), (**text).clone());
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
        let same =
            |known: &TextImported| known.sha256 == import.sha256 && known.stale == import.stale;
        let known = self.state.counsel.texts.get(&import.work);
        if known.is_some_and(same) {
            return Ok(());
        }
        let newer = known.and_then(|known| known.valid_from);
        if let (Some(newer), Some(older)) = (newer, import.valid_from)
            && older < newer
        {
            return Err(Refused::OlderText {
                work: import.work.clone(),
                older,
                newer,
            });
        }
        self.adopt_book();
        let imported = TextImported {
            work: import.work.clone(),
            file: import.file.clone(),
            valid_from: import.valid_from,
            sha256: import.sha256.clone(),
            n_provisions: import.n_provisions,
            stale: import.stale.clone(),
            by: self.acting(),
            on: self.with.today,
        };
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
        // All that the texts say of it now, confirmed before or not: this confirmation takes the place of the last one.
        let texts = counsel.texts.values().flat_map(|text| &text.stale);
        let of_it = texts.filter(|stale| stale.requirement == requirement);
        let against: Vec<StaleProvision> = of_it.cloned().collect();
        if counsel.stale(requirement).is_empty() {
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
    fn need_outsider(&self, what: &str) -> Result<(), Refused> {
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
    /// What it makes stale.
    pub stale: Vec<StaleProvision>,
    /// The tree: the blob `provisions.json`.
    pub tree: Blob,
}

fn need_reason(text: &str, flag: &'static str) -> Result<(), Refused> {
    if text.trim().is_empty() {
        return Err(Refused::NoReason { flag });
    }
    Ok(())
}

/// What a reading is about: the requirement's words, condition and citation.
fn wording(text: &RequirementText) -> String {
    let exceptions = text.unless.iter().map(|unless| unless.text.as_str());
    let parts = [
        text.what.as_str(),
        text.cite.as_str(),
        text.when.text.as_str(),
    ];
    parts
        .into_iter()
        .chain(exceptions)
        .collect::<Vec<_>>()
        .join("\n")
}
