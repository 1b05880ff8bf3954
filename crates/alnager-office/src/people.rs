//! People: names occur only here; everywhere else a person is an id. A person is erased unless a legal hold is in place.

use std::collections::BTreeSet;

use alnager_law::read::nearest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State, folded};

/// Kinds of entries about one person, sealed under that person's own key, start with this.
pub const PERSON_KINDS: &str = "person.";

/// Most entries that one entry of an erasure refers to: an entry has at most 8,192 bytes.
const N_REFS_MAX: usize = 500;

/// A person got a name. The only event that holds one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonNamed {
    /// The pseudonymous id.
    pub person: String,
    /// The name.
    pub name: String,
}

/// On what ground a person is erased. The GDPR's grounds are a closed list; the deletion right of another law, or the organisation's own
/// rule, is `Other`, and the reason names it.
///
/// Source: Regulation (EU) 2016/679, Art 17(1). What Art 17(3) exempts, such as a legal claim, is a legal hold ([`HoldPlaced`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The data are no longer necessary for their purposes: Art 17(1)(a).
    NoLongerNecessary,
    /// Consent was withdrawn and there is no other legal ground: Art 17(1)(b).
    ConsentWithdrawn,
    /// The person objects and nothing overrides it: Art 17(1)(c).
    Objection,
    /// The data were processed unlawfully: Art 17(1)(d).
    Unlawful,
    /// Union or Member State law obliges the organisation to erase: Art 17(1)(e).
    LegalObligation,
    /// The data were collected when a service was offered to a child: Art 17(1)(f).
    ChildService,
    /// Another law's deletion right, or the organisation's own rule: the reason names it.
    Other,
}

/// A person is to be erased: from now on the name is known to nobody. Keys, salts and ciphertexts go next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureRequested {
    /// The person's id.
    pub person: String,
    /// The ground.
    pub basis: Basis,
    /// Why, in words; without the person's name.
    pub reason: String,
    /// Who asked for it: never the person.
    pub by: String,
    /// When.
    pub on: Date,
    /// The entries whose payloads and blobs are to go, ascending; where they are very many, several requests share them.
    pub entries: Vec<u64>,
}

/// What belonged to a person is gone. The entry's `refs` are the entries whose payloads and blobs were erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureExecuted {
    /// The person's id.
    pub person: String,
    /// The entry that asked for it; the first one where there are several.
    pub requested: u64,
    /// How many payloads the whole erasure deleted.
    pub n_payloads: u64,
    /// How many blobs the whole erasure deleted.
    pub n_blobs: u64,
    /// Who brought it to its end.
    pub by: String,
    /// When.
    pub on: Date,
}

/// A legal hold on a person: until it is released the person is not erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldPlaced {
    /// The person's id.
    pub person: String,
    /// Why, such as a legal claim.
    pub reason: String,
    /// Who placed it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// A legal hold was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldReleased {
    /// The person's id.
    pub person: String,
    /// Why.
    pub reason: String,
    /// Who released it.
    pub by: String,
    /// When.
    pub on: Date,
}

/// An erasure as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The entry that asked for it; the first one where there are several.
    pub requested: u64,
    /// The entry that says it is done; the first one where there are several.
    pub executed: Option<u64>,
    /// The ground.
    pub basis: Basis,
    /// When it was asked for.
    pub on: Date,
}

/// A legal hold in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub by: String,
    /// When.
    pub on: Date,
    /// The entry that placed it.
    pub placed_at: u64,
}

impl Basis {
    /// All of them, in the order of the law.
    pub const ALL: [Basis; 7] = [
        Basis::NoLongerNecessary,
        Basis::ConsentWithdrawn,
        Basis::Objection,
        Basis::Unlawful,
        Basis::LegalObligation,
        Basis::ChildService,
        Basis::Other,
    ];

    /// The word for it, as commands and payloads have it.
    pub fn word(self) -> &'static str {
        match self {
            Basis::NoLongerNecessary => "no-longer-necessary",
            Basis::ConsentWithdrawn => "consent-withdrawn",
            Basis::Objection => "objection",
            Basis::Unlawful => "unlawful",
            Basis::LegalObligation => "legal-obligation",
            Basis::ChildService => "child-service",
            Basis::Other => "other",
        }
    }

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Basis> {
        Basis::ALL.into_iter().find(|basis| basis.word() == word)
    }

    /// The ground in a few words.
    pub fn what(self) -> &'static str {
        match self {
            Basis::NoLongerNecessary => "the data are no longer necessary for their purposes",
            Basis::ConsentWithdrawn => "consent is withdrawn, and there is no other legal ground",
            Basis::Objection => "the person objects, and nothing overrides it",
            Basis::Unlawful => "the data were processed unlawfully",
            Basis::LegalObligation => "Union or Member State law obliges you to erase",
            Basis::ChildService => "the data were collected in offering a service to a child",
            Basis::Other => "another law's deletion right, or your own rule; the reason names it",
        }
    }

    /// Where the law says it; `None` where the reason names the law.
    pub fn cite(self) -> Option<&'static str> {
        match self {
            Basis::NoLongerNecessary => Some("GDPR Art 17(1)(a)"),
            Basis::ConsentWithdrawn => Some("GDPR Art 17(1)(b)"),
            Basis::Objection => Some("GDPR Art 17(1)(c)"),
            Basis::Unlawful => Some("GDPR Art 17(1)(d)"),
            Basis::LegalObligation => Some("GDPR Art 17(1)(e)"),
            Basis::ChildService => Some("GDPR Art 17(1)(f)"),
            Basis::Other => None,
        }
    }
}

impl Erased {
    /// The entry that the erasure is known under: the one that says it is done or, before, the one that asked for it.
    pub fn under(&self) -> u64 {
        self.executed.unwrap_or(self.requested)
    }
}

/// A pseudonym for a person's id: short, and the same everywhere.
pub fn pseudonym(id: &str) -> String {
    let start = id.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
    format!("person {}", &id[start..])
}

impl State {
    /// The name behind an id; for an erased person words that say so; the id where the name is not disclosed.
    pub fn name(&self, id: &str) -> String {
        match (self.erased.get(id), self.people.get(id)) {
            (Some(erased), _) => {
                format!("{} (erased under entry {})", pseudonym(id), erased.under())
            }
            (None, Some(name)) => name.clone(),
            (None, None) => id.to_owned(),
        }
    }

    /// Whether an id is that of a person, named, erased, or no longer readable.
    pub fn is_person(&self, id: &str) -> bool {
        self.people.contains_key(id) || self.person_entries.contains_key(id)
    }

    /// The id of a person the desk knows, given by name or by the id itself.
    pub(crate) fn known_person<'s>(&'s self, given: &'s str) -> Option<&'s str> {
        match self.is_person(given) {
            true => Some(given),
            false => self.person(given),
        }
    }

    /// Takes the name out of an entry that a snapshot counts already; any other event changes nothing.
    pub fn recall(&mut self, event: &Event) {
        if let Event::PersonNamed(named) = event {
            self.name_person(named);
        }
    }

    /// Takes a name, unless the person was erased: whoever still holds a copy of the payload brings nobody back.
    pub(crate) fn name_person(&mut self, named: &PersonNamed) {
        if !self.erased.contains_key(&named.person) {
            self.drop_name(&named.person);
            self.people.insert(named.person.clone(), named.name.clone());
            self.names
                .insert((folded(&named.name), named.person.clone()));
        }
    }

    fn drop_name(&mut self, person: &str) {
        if let Some(name) = self.people.remove(person) {
            self.names.remove(&(folded(&name), person.to_owned()));
        }
    }

    /// Forgets a name, and ends the person's roles. A second request about the same person covers further entries and changes nothing.
    pub(crate) fn forget(&mut self, requested: &ErasureRequested, meta: &Meta) {
        self.drop_name(&requested.person);
        self.roles.remove(&requested.person);
        if !self.erased.contains_key(&requested.person) {
            let erased = Erased {
                requested: meta.index,
                executed: None,
                basis: requested.basis,
                on: requested.on,
            };
            self.erased.insert(requested.person.clone(), erased);
        }
    }

    /// Takes the end of an erasure; that of an unknown one changes nothing.
    pub(crate) fn forgotten(&mut self, executed: &ErasureExecuted, meta: &Meta) {
        if let Some(erased) = self.erased.get_mut(&executed.person) {
            erased.executed.get_or_insert(meta.index);
        }
    }

    /// The erased people whom the record of a system names: who built or declared it, answered, confirmed, submitted,
    /// signed, decided, commented or gave an opinion.
    pub fn erased_in(&self, system: &str) -> BTreeSet<&str> {
        let Some(known) = self.systems.get(system) else {
            return BTreeSet::new();
        };
        let mut named: BTreeSet<String> = known.builders.iter().cloned().collect();
        known.declaration.clone().people(&mut |person| {
            named.insert(person.clone());
        });
        for fact in known.facts.values() {
            let answers = fact.proposal.iter().chain([&fact.answer]);
            named.extend(answers.map(|answer| answer.by.clone()));
            named.extend(fact.confirmed_by.clone());
        }
        for evidence in self.evidence.values() {
            if evidence.submitted.system == system {
                named.insert(evidence.submitted.submitted_by.clone());
                let signature = evidence.submitted.signature.iter();
                named.extend(signature.map(|signature| signature.auditor.clone()));
                named.extend(evidence.decisions.values().map(|one| one.by.clone()));
            }
        }
        let launches = self.launches.get(system).into_iter().flatten();
        named.extend(launches.map(|launch| launch.decided.by.clone()));
        for exception in self.exceptions.values() {
            if exception.granted.system == system {
                named.insert(exception.granted.by.clone());
                named.extend(exception.ended.iter().map(|ended| ended.by.clone()));
            }
        }
        for comment in self.comments.values() {
            if self.system_of(&comment.made.about) == Some(system) {
                named.insert(comment.made.by.clone());
            }
        }
        let opinions = self.opinions_on(system).iter();
        named.extend(opinions.map(|opinion| opinion.given.by.clone()));
        let erased = self.erased.keys().map(String::as_str);
        erased.filter(|person| named.contains(*person)).collect()
    }

    /// Forgets who was erased after this state: an earlier record cannot name them, and says so.
    pub fn forget_erased_since(&mut self, now: &State) {
        for (id, erased) in &now.erased {
            if self.is_person(id) {
                self.drop_name(id);
                self.erased.insert(id.clone(), erased.clone());
            }
        }
    }

    pub(crate) fn hold(&mut self, placed: &HoldPlaced, meta: &Meta) {
        let hold = Hold {
            reason: placed.reason.clone(),
            by: placed.by.clone(),
            on: placed.on,
            placed_at: meta.index,
        };
        self.holds.insert(placed.person.clone(), hold);
    }
}

impl Draft<'_> {
    /// Asks for a person's erasure. Asked again before it is done, it enters nothing.
    pub(crate) fn erase(
        &mut self,
        person: &str,
        basis: Basis,
        reason: &str,
    ) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let person = self.known_person(person)?;
        if let Some(erased) = self.state.erased.get(&person) {
            return match erased.executed {
                None => Ok(()),
                Some(at) => Err(Refused::AlreadyErased { person, at }),
            };
        }
        if let Some(hold) = self.state.holds.get(&person) {
            return Err(Refused::Held {
                person: self.state.name(&person),
                by: self.state.name(&hold.by),
                on: hold.on,
                reason: hold.reason.clone(),
            });
        }
        if person == self.actor_id() {
            return Err(Refused::OwnErasure);
        }
        if self.state.is_last_administrator(&person) {
            return Err(Refused::LastAdministrator {
                person: self.state.name(&person),
            });
        }
        let by = self.acting();
        for entries in self.person_entries(&person) {
            let requested = ErasureRequested {
                person: person.clone(),
                basis,
                reason: reason.to_owned(),
                by: by.clone(),
                on: self.with.today,
                entries: entries.clone(),
            };
            let subjects = vec![person.clone()];
            self.push(
                Event::ErasureRequested(requested),
                subjects,
                entries,
                Vec::new(),
            );
        }
        Ok(())
    }

    /// Says that an erasure is done. Said again, it enters nothing.
    pub(crate) fn finish_erasure(
        &mut self,
        requested: u64,
        n_payloads: u64,
        n_blobs: u64,
    ) -> Result<(), Refused> {
        let mut erasures = self.state.erased.iter();
        let Some((person, erased)) = erasures.find(|(_, erased)| erased.requested == requested)
        else {
            return Err(Refused::NoErasure { requested });
        };
        if erased.executed.is_some() {
            return Ok(());
        }
        let person = person.clone();
        let by = self.acting();
        for entries in self.person_entries(&person) {
            let executed = ErasureExecuted {
                person: person.clone(),
                requested,
                n_payloads,
                n_blobs,
                by: by.clone(),
                on: self.with.today,
            };
            let subjects = vec![person.clone()];
            self.push(
                Event::ErasureExecuted(executed),
                subjects,
                entries,
                Vec::new(),
            );
        }
        Ok(())
    }

    /// Places a legal hold on a person.
    pub(crate) fn place_hold(&mut self, person: &str, reason: &str) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let person = self.known_person(person)?;
        if let Some(erased) = self.state.erased.get(&person) {
            let at = erased.under();
            return Err(Refused::AlreadyErased { person, at });
        }
        if let Some(hold) = self.state.holds.get(&person) {
            let name = self.state.name(&person);
            return Err(Refused::AlreadyDecided {
                what: format!("`{name}` is under a legal hold since {}", hold.on),
            });
        }
        let placed = HoldPlaced {
            by: self.acting(),
            person: person.clone(),
            reason: reason.to_owned(),
            on: self.with.today,
        };
        self.push(
            Event::HoldPlaced(placed),
            vec![person],
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    /// Releases a legal hold.
    pub(crate) fn release_hold(&mut self, person: &str, reason: &str) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let person = self.known_person(person)?;
        if !self.state.holds.contains_key(&person) {
            let name = self.state.name(&person);
            return Err(Refused::AlreadyDecided {
                what: format!("`{name}` is under no legal hold"),
            });
        }
        let released = HoldReleased {
            by: self.acting(),
            person: person.clone(),
            reason: reason.to_owned(),
            on: self.with.today,
        };
        self.push(
            Event::HoldReleased(released),
            vec![person],
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    /// The id of a person the desk knows, given by name or id.
    fn known_person(&self, given: &str) -> Result<String, Refused> {
        let given = given.trim();
        if let Some(id) = self.state.known_person(given) {
            return Ok(id.to_owned());
        }
        let people = &self.state.people;
        Err(Refused::NoPerson {
            person: given.to_owned(),
            hint: match (self.unfinished_erasure(), people.is_empty()) {
                (Some(id), _) => {
                    format!("the erasure of `{id}` is not finished; name it by that id")
                }
                (None, true) => "it knows nobody by name".to_owned(),
                (None, false) => nearest(given, people.values().map(String::as_str)),
            },
        })
    }

    /// Someone whose erasure was asked for and is not done; whoever asks again may know only the name.
    fn unfinished_erasure(&self) -> Option<&String> {
        let mut erased = self.state.erased.iter();
        erased.find_map(|(id, erased)| erased.executed.is_none().then_some(id))
    }

    /// The entries that hold what is said of a person, in parts that one entry can refer to. At least one part.
    fn person_entries(&self, person: &str) -> Vec<Vec<u64>> {
        let entries = self.state.person_entries.get(person);
        let entries: Vec<u64> = entries.into_iter().flatten().copied().collect();
        match entries.is_empty() {
            true => vec![entries],
            false => entries.chunks(N_REFS_MAX).map(<[u64]>::to_vec).collect(),
        }
    }
}
