//! Audit opinions: what an independent auditor concludes about a system, on a state of the journal that is named. An opinion changes no
//! verdict. A later one takes its place, and whoever gave it may withdraw it; the journal keeps them all.

use alnager_journal::merkle::Hash;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::role::Role;
use crate::signature::{SignatureProblem, Stated};
use crate::state::{Meta, State};

/// The longest basis of an opinion, in characters.
pub const CHARACTERS_MAX: usize = 20_000;

/// The first line of the text that an auditor signs.
pub const FORMAT: &str = "alnager audit opinion v1";

/// What an auditor concludes: the four conclusions of the international standards on auditing.
///
/// Source: ISA 700 (Revised) 16-17, ISA 705 (Revised) 7-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// The record shows what it claims, in all that matters.
    Unmodified,
    /// It does, except for what the basis names.
    Qualified,
    /// It does not, and what is wrong pervades it.
    Adverse,
    /// There was not enough to go by, so there is no opinion.
    Disclaimer,
}

/// An auditor gave an opinion on a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionGiven {
    /// Its id in the desk, such as `O7`.
    pub opinion: String,
    /// The system.
    pub system: String,
    /// What is concluded.
    pub conclusion: Conclusion,
    /// On what basis; without anybody's name.
    pub basis: String,
    /// The entries of the journal that the auditor read: the first so many.
    pub size: u64,
    /// The root hash over them, base64.
    pub root: String,
    /// Who gave it.
    pub by: String,
    /// When.
    pub on: Date,
    /// The auditor's own signature, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<OpinionSignature>,
}

/// An auditor's own signature on an opinion, made outside the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionSignature {
    /// The key the note is verified with, as a `vkey`.
    pub key: String,
    /// The signed note, whole.
    pub note: String,
}

/// An opinion was withdrawn by who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionWithdrawn {
    /// The opinion.
    pub opinion: String,
    /// Who withdrew it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// An opinion as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditOpinion {
    /// What was given.
    pub given: OpinionGiven,
    /// How it was withdrawn, where it was.
    pub withdrawn: Option<OpinionWithdrawn>,
    /// The entry that gave it.
    pub at: u64,
}

/// An opinion to enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditOpinion {
    /// The system, by its id.
    pub system: String,
    /// What is concluded.
    pub conclusion: Conclusion,
    /// On what basis: 1 to [`CHARACTERS_MAX`] characters.
    pub basis: String,
    /// The entries of the journal that the auditor read.
    pub size: u64,
    /// The root hash over them. Whoever passes this on has held it against the journal.
    pub root: Hash,
    /// The text of the auditor's own signed note, where there is one.
    pub note: Option<String>,
}

/// How far the record has gone on since the state an opinion was given on: the latest entry about the system, and about what is the
/// organisation's (law in use, evidence for all systems). `None`: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// About the system.
    pub system: Option<u64>,
    /// About the organisation.
    pub organisation: Option<u64>,
}

impl Conclusion {
    /// All of them.
    pub const ALL: [Conclusion; 4] = [
        Conclusion::Unmodified,
        Conclusion::Qualified,
        Conclusion::Adverse,
        Conclusion::Disclaimer,
    ];

    /// The word for it, as commands and payloads have it.
    pub fn word(self) -> &'static str {
        match self {
            Conclusion::Unmodified => "unmodified",
            Conclusion::Qualified => "qualified",
            Conclusion::Adverse => "adverse",
            Conclusion::Disclaimer => "disclaimer",
        }
    }

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Conclusion> {
        let mut all = Conclusion::ALL.into_iter();
        all.find(|conclusion| conclusion.word() == word)
    }

    /// What it means, in a few words.
    pub fn what(self) -> &'static str {
        match self {
            Conclusion::Unmodified => "the record shows what it claims, in all that matters",
            Conclusion::Qualified => {
                "the record shows what it claims, except for what the basis names"
            }
            Conclusion::Adverse => {
                "the record does not show what it claims, and what is wrong pervades it"
            }
            Conclusion::Disclaimer => "there was not enough to go by, so there is no opinion",
        }
    }
}

impl Moved {
    /// Whether it has gone on at all.
    pub fn is_any(self) -> bool {
        self.system.is_some() || self.organisation.is_some()
    }
}

/// The text that an auditor signs with a key of their own.
pub fn document(
    organisation: &str,
    system: &str,
    conclusion: Conclusion,
    read: (u64, &str),
    basis: &str,
) -> String {
    let (size, root) = read;
    format!(
        "{FORMAT}\norganisation {organisation}\nsystem {system}\nconclusion {}\nentries {size}\nroot {root}\n\n{basis}\n",
        conclusion.word()
    )
}

/// What the note of an opinion states; `None` where it has none. A problem where it does not hold, or is about something else.
pub fn stated(
    given: &OpinionGiven,
    organisation: &str,
) -> Result<Option<Stated>, SignatureProblem> {
    let Some(signature) = &given.signature else {
        return Ok(None);
    };
    let stated = Stated::open(&signature.note)?;
    if stated.key.to_string() != signature.key {
        return Err(SignatureProblem::OtherKey);
    }
    let text = document(
        organisation,
        &given.system,
        given.conclusion,
        (given.size, &given.root),
        &given.basis,
    );
    let found = Hash::of(text.as_bytes()).to_string();
    if stated.document != found {
        return Err(SignatureProblem::OtherDocument {
            signed: stated.document,
            found,
        });
    }
    if stated.on > given.on {
        return Err(SignatureProblem::NotYet { on: stated.on });
    }
    Ok(Some(stated))
}

impl State {
    /// The opinions on a system, the latest last.
    pub fn opinions_on(&self, system: &str) -> &[AuditOpinion] {
        self.opinions.get(system).map_or(&[], Vec::as_slice)
    }

    /// The opinion on a system that stands: the latest, unless it was withdrawn.
    pub fn opinion_on(&self, system: &str) -> Option<&AuditOpinion> {
        let last = self.opinions_on(system).last();
        last.filter(|opinion| opinion.withdrawn.is_none())
    }

    /// An opinion by its id.
    pub fn opinion(&self, id: &str) -> Option<&AuditOpinion> {
        let mut all = self.opinions.values().flatten();
        all.find(|opinion| opinion.given.opinion == id)
    }

    /// How far the record has gone on since the first `size` entries. Comments, tasks and opinions themselves do not count.
    pub fn moved_since(&self, system: &str, size: u64) -> Moved {
        let later = |subject: &str| self.moved.get(subject).copied().filter(|at| *at >= size);
        let subject = self
            .systems
            .get(system)
            .map(|system| system.subject.as_str());
        let organisation = self
            .organisation
            .as_ref()
            .map(|organisation| organisation.id.as_str());
        Moved {
            system: subject.and_then(later),
            organisation: organisation.and_then(later),
        }
    }

    pub(crate) fn give_opinion(&mut self, given: &OpinionGiven, meta: &Meta) {
        let opinions = self.opinions.entry(given.system.clone()).or_default();
        opinions.push(AuditOpinion {
            given: given.clone(),
            withdrawn: None,
            at: meta.index,
        });
    }

    /// Takes a withdrawal; that of an unknown opinion changes nothing.
    pub(crate) fn withdraw_opinion(&mut self, withdrawn: &OpinionWithdrawn) {
        let known = self.opinion(&withdrawn.opinion);
        let Some(system) = known.map(|known| known.given.system.clone()) else {
            return;
        };
        let opinions = self.opinions.entry(system).or_default();
        let same = |one: &&mut AuditOpinion| one.given.opinion == withdrawn.opinion;
        if let Some(opinion) = opinions.iter_mut().find(same) {
            opinion.withdrawn = Some(withdrawn.clone());
        }
    }
}

impl Draft<'_> {
    /// Enters an opinion: of an auditor who had no hand in the system or its record, on a state of the journal that there is.
    pub(crate) fn give_opinion(&mut self, new: &NewAuditOpinion) -> Result<(), Refused> {
        self.system(&new.system)?;
        self.need_auditor()?;
        let deeds = self.state.deeds_of(&new.system, self.actor_id());
        if !deeds.is_empty() {
            return Err(Refused::NotIndependent {
                system: new.system.clone(),
                deeds,
            });
        }
        if new.size == 0 || new.size > self.state.size {
            return Err(Refused::NotRead {
                size: new.size,
                n_entries: self.state.size,
            });
        }
        let basis = new.basis.trim();
        if basis.is_empty() || basis.chars().count() > CHARACTERS_MAX {
            return Err(Refused::Unfit {
                what: "the basis of an audit opinion",
                rule: "has 1 to 20,000 characters",
            });
        }
        let mut given = OpinionGiven {
            opinion: format!("O{}", self.n_opinions() + 1),
            system: new.system.clone(),
            conclusion: new.conclusion,
            basis: basis.to_owned(),
            size: new.size,
            root: new.root.to_base64(),
            by: self.actor_id().to_owned(),
            on: self.with.today,
            signature: None,
        };
        self.sign_opinion(&mut given, new.note.as_deref())?;
        if let Some(stands) = self.state.opinion_on(&new.system) {
            let same = OpinionGiven {
                opinion: stands.given.opinion.clone(),
                on: stands.given.on,
                ..given.clone()
            };
            if same == stands.given {
                return Err(Refused::AlreadyDecided {
                    what: format!("`{}` says this already", stands.given.opinion),
                });
            }
        }
        given.by = self.acting();
        let subjects = self.subjects(&new.system, &[]);
        let event = Event::OpinionGiven(Box::new(given));
        self.push(event, subjects, Vec::new(), Vec::new());
        Ok(())
    }

    /// Withdraws an opinion: that of who acts, while it stands.
    pub(crate) fn withdraw_opinion(&mut self, opinion: &str, reason: &str) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let Some(known) = self.state.opinion(opinion).cloned() else {
            return Err(Refused::NoOpinion {
                opinion: opinion.to_owned(),
                hint: match self.n_opinions() {
                    0 => "none was given yet".to_owned(),
                    n => format!("there are `O1` to `O{n}`"),
                },
            });
        };
        if known.given.by != self.actor_id() {
            return Err(Refused::NotOwnOpinion {
                opinion: opinion.to_owned(),
            });
        }
        if let Some(withdrawn) = &known.withdrawn {
            return Err(Refused::AlreadyDecided {
                what: format!("`{opinion}` was withdrawn on {}", withdrawn.on),
            });
        }
        if let Some(later) = self.state.opinion_on(&known.given.system)
            && later.at > known.at
        {
            return Err(Refused::AlreadyDecided {
                what: format!("`{}` took the place of `{opinion}`", later.given.opinion),
            });
        }
        let subjects = self.subjects(&known.given.system, &[]);
        let withdrawn = OpinionWithdrawn {
            opinion: opinion.to_owned(),
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push(
            Event::OpinionWithdrawn(withdrawn),
            subjects,
            Vec::new(),
            Vec::new(),
        );
        Ok(())
    }

    fn n_opinions(&self) -> usize {
        self.state.opinions.values().map(Vec::len).sum()
    }

    fn need_auditor(&self) -> Result<(), Refused> {
        let roles = self.state.roles_of(self.actor_id());
        match roles.contains(&Role::Auditor) {
            true => Ok(()),
            false => Err(Refused::NotAuditor),
        }
    }

    /// Takes the auditor's own note over, once it holds and is about this very opinion.
    fn sign_opinion(&self, given: &mut OpinionGiven, note: Option<&str>) -> Result<(), Refused> {
        let Some(note) = note else {
            return Ok(());
        };
        let refused = |problem| Refused::Signature {
            what: "the opinion cannot be given".to_owned(),
            problem,
        };
        let key = Stated::open(note).map_err(refused)?.key.to_string();
        given.signature = Some(OpinionSignature {
            key,
            note: note.to_owned(),
        });
        stated(given, &self.with.organisation).map_err(refused)?;
        Ok(())
    }
}
