//! The organisation's state: a fold over the journal, held in memory, copied at no cost (persistent maps).

use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};

use crate::audit::RecordedAudit;
use crate::comment::Comment;
use crate::counsel::Counsel;
use crate::deed::Done;
use crate::event::{BookStamp, Event};
use crate::evidence::{Evidence, EvidenceDecision, EvidenceSubmitted, Shelves};
use crate::exception::Exception;
use crate::launch::Launch;
use crate::log::OwnLog;
use crate::opinion::AuditOpinion;
use crate::packs::{DeskPack, TrustedKey};
use crate::people::{Erased, Hold, PERSON_KINDS};
use crate::role::Role;
use crate::segment::Segments;
use crate::signal::{Signal, WatchLooked};
use crate::system::{LastReview, System};
use crate::task::Task;

/// Everything the journal says now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// The organisation, once the desk was opened.
    pub organisation: Option<Organisation>,
    /// Names by person id. An erased person has none. No snapshot holds them.
    #[serde(skip)]
    pub people: OrdMap<String, String>,
    /// The same by [`folded`] name, with the id: what [`State::person`] looks in.
    #[serde(skip)]
    pub(crate) names: OrdSet<(String, String)>,
    /// The entries that hold what is said of a person, by person id, erased or not.
    pub person_entries: OrdMap<String, Vector<u64>>,
    /// People whose erasure was asked for, by id.
    pub erased: OrdMap<String, Erased>,
    /// Legal holds in place, by person id.
    pub holds: OrdMap<String, Hold>,
    /// The law and policy in use.
    pub book: Option<BookStamp>,
    /// Systems by id.
    pub systems: OrdMap<String, System>,
    /// Evidence by id.
    pub evidence: OrdMap<String, Evidence>,
    /// Where evidence is looked for.
    pub shelves: Shelves,
    /// What the organisation decided about law itself.
    pub counsel: Counsel,
    /// Keys trusted to sign packs, by their `vkey`.
    pub keys: OrdMap<String, TrustedKey>,
    /// Packs installed or pinned, by id.
    pub packs: OrdMap<String, DeskPack>,
    /// The subject of signals, roles, and of tasks and comments about no system, once there was one.
    pub diary: Option<String>,
    /// Signals by id.
    pub signals: OrdMap<String, Signal>,
    /// The latest whole look of each watcher, by its name.
    pub looks: OrdMap<String, WatchLooked>,
    /// Tasks by id.
    pub tasks: OrdMap<String, Task>,
    /// Audits recorded outside a review, by id.
    pub audits: OrdMap<String, RecordedAudit>,
    /// Roles by person id; whoever has none is not in it.
    pub roles: OrdMap<String, OrdSet<Role>>,
    /// Decisions on launches by system, the latest last.
    pub launches: OrdMap<String, Vector<Launch>>,
    /// Exceptions by id.
    pub exceptions: OrdMap<String, Exception>,
    /// Comments by id.
    pub comments: OrdMap<String, Comment>,
    /// What people did about each system, by its id, each deed once.
    pub deeds: OrdMap<String, Vec<Done>>,
    /// Audit opinions by system, the latest last.
    pub opinions: OrdMap<String, Vec<AuditOpinion>>,
    /// Decision logs by system: how much of each is sealed.
    pub segments: OrdMap<String, Segments>,
    /// The log's keys and forks.
    pub log: OwnLog,
    /// The entries applied: the next one has this index.
    pub size: u64,
    /// The latest entry about each subject, by its id.
    pub heads: OrdMap<String, u64>,
    /// The latest entry about each subject that says something of it: no comment, task, audit opinion or decision log, and nothing about people.
    pub moved: OrdMap<String, u64>,
}

/// Kinds of entries that say nothing of what their subject is: work and talk about it, opinions on it, what it decided from day to day, and
/// what is about people.
const BESIDE: [&str; 10] = [
    "comment.", "dossier.", "erasure.", "hold.", "opinion.", "person.", "roles.", "segment.",
    "signal.", "task.",
];

/// The organisation a desk belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its id: the subject of entries about it as a whole.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Where in the journal an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The entry's index.
    pub index: u64,
    /// The ids of the subjects it is about.
    pub subjects: Vec<String>,
    /// Who acted: a person's id.
    pub actor: String,
}

impl State {
    /// Takes an event. Total: an event about something unknown changes nothing but the size.
    pub fn apply(&mut self, event: &Event, meta: &Meta) {
        match event {
            Event::DeskOpened(opened) => {
                self.organisation = Some(Organisation {
                    id: opened.id.clone(),
                    name: opened.organisation.clone(),
                });
            }
            Event::PersonNamed(named) => self.name_person(named),
            Event::BookAdopted(adopted) => self.book = Some(adopted.book.clone()),
            Event::SystemDeclared(declared) => {
                let declaration = declared.declaration.clone();
                match self.systems.get_mut(&declaration.id) {
                    Some(system) => system.redeclare(declaration, meta.index),
                    None => {
                        self.systems.insert(
                            declaration.id.clone(),
                            System::new(&declared.subject, declaration, meta.index),
                        );
                    }
                }
            }
            Event::FactAnswered(answered) => {
                if let Some(system) = self.systems.get_mut(&answered.system) {
                    system.answer(answered, meta.index);
                }
            }
            Event::FactConfirmed(confirmed) => {
                if let Some(system) = self.systems.get_mut(&confirmed.system) {
                    system.confirm(confirmed, meta.index);
                }
            }
            Event::EvidenceSubmitted(submitted) => {
                let organisation = self.organisation.as_ref();
                let is_shared = organisation.is_some_and(|known| meta.subjects.contains(&known.id));
                let mut further = Vec::new();
                if let Some(earlier) = submitted
                    .replaces
                    .as_ref()
                    .and_then(|id| self.evidence.get_mut(id))
                {
                    earlier.replaced_by = Some(submitted.evidence.clone());
                    further.clone_from(&earlier.further);
                }
                let evidence = Evidence {
                    submitted: submitted.clone(),
                    further,
                    decisions: OrdMap::new(),
                    replaced_by: None,
                    submitted_at: meta.index,
                    is_shared,
                };
                self.evidence.insert(submitted.evidence.clone(), evidence);
                self.shelve(&submitted.evidence);
            }
            Event::EvidenceOffered(offered) => {
                if let Some(evidence) = self.evidence.get_mut(&offered.evidence) {
                    evidence.offer(&offered.requirements);
                }
                self.shelve(&offered.evidence);
            }
            Event::EvidenceAccepted(accepted) => {
                let decision = EvidenceDecision {
                    is_accepted: true,
                    by: accepted.by.clone(),
                    on: accepted.on,
                    reason: accepted.reason.clone(),
                };
                self.decide_evidence(&accepted.evidence, &accepted.requirement, decision);
            }
            Event::EvidenceRejected(rejected) => {
                let decision = EvidenceDecision {
                    is_accepted: false,
                    by: rejected.by.clone(),
                    on: rejected.on,
                    reason: rejected.reason.clone(),
                };
                self.decide_evidence(&rejected.evidence, &rejected.requirement, decision);
            }
            Event::SystemReviewed(reviewed) => {
                if let Some(system) = self.systems.get_mut(&reviewed.system) {
                    let verdict = reviewed.verdict.word().to_owned();
                    system.review = Some(LastReview {
                        at: meta.index,
                        verdict,
                        judged_on: reviewed.judged_on,
                        gate: reviewed.gate,
                    });
                }
            }
            Event::FrameworkAdopted(_)
            | Event::ReadingRecorded(_)
            | Event::TextImported(_)
            | Event::WordingConfirmed(_) => self.advise(event),
            Event::KeyTrusted(trusted) => self.trust(trusted, meta),
            Event::PackInstalled(installed) => self.install(installed, meta),
            Event::PackPinned(pinned) => self.pin(pinned, meta),
            Event::PackUnpinned(unpinned) => self.unpin(unpinned),
            Event::WatchLooked(looked) => {
                self.keep_diary(meta);
                self.looks.insert(looked.watcher.clone(), looked.clone());
            }
            Event::SignalRaised(raised) => {
                self.keep_diary(meta);
                self.raise(raised, meta);
            }
            Event::SignalSettled(settled) => self.settle(settled),
            Event::TaskOpened(opened) => {
                if opened.system.is_none() {
                    self.keep_diary(meta);
                }
                self.open(opened, meta);
            }
            Event::TaskDone(done) => self.finish(done),
            Event::AuditRecorded(recorded) => self.record(recorded, meta),
            Event::ErasureRequested(requested) => self.forget(requested, meta),
            Event::ErasureExecuted(executed) => self.forgotten(executed, meta),
            Event::HoldPlaced(placed) => self.hold(placed, meta),
            Event::HoldReleased(released) => drop(self.holds.remove(&released.person)),
            Event::KeyRotated(rotated) => self.rotate(rotated, meta),
            Event::KeyDropped(dropped) => self.drop_key(dropped, meta),
            Event::LogForked(forked) => self.fork(forked, meta),
            Event::RolesGranted(granted) => self.grant_roles(granted, meta),
            Event::LaunchDecided(decided) => self.decide_launch(decided, meta),
            Event::ExceptionGranted(granted) => self.except(granted, meta),
            Event::ExceptionEnded(ended) => self.end_exception(ended),
            Event::CommentMade(made) => self.comment(made, meta),
            Event::OpinionGiven(given) => self.give_opinion(given, meta),
            Event::OpinionWithdrawn(withdrawn) => self.withdraw_opinion(withdrawn),
            // It changes nothing; the journal is its record.
            Event::DossierDrawn(_) => {}
            Event::SegmentSealed(sealed) => self.count_segment(sealed, meta),
        }
        self.remember_deeds(event, meta);
        self.pass(meta, event.kind());
    }

    /// Takes an entry whose payload is erased: it counts and has its place, and what it said is gone.
    ///
    /// For entries of erased people the state is the same as if the payload had been applied before the erasure was asked for.
    pub fn pass(&mut self, meta: &Meta, kind: &str) {
        self.size = meta.index + 1;
        let moves = !BESIDE.iter().any(|beside| kind.starts_with(beside));
        for subject in &meta.subjects {
            self.heads.insert(subject.clone(), meta.index);
            if moves {
                self.moved.insert(subject.clone(), meta.index);
            }
            if kind.starts_with(PERSON_KINDS) {
                let entries = self.person_entries.entry(subject.clone()).or_default();
                entries.push_back(meta.index);
            }
        }
    }

    /// Remembers the subject that signals, roles, tasks and comments share.
    pub(crate) fn keep_diary(&mut self, meta: &Meta) {
        if self.diary.is_none() {
            self.diary = meta.subjects.first().cloned();
        }
    }

    fn decide_evidence(&mut self, evidence: &str, requirement: &str, decision: EvidenceDecision) {
        if let Some(evidence) = self.evidence.get_mut(evidence) {
            evidence.decisions.insert(requirement.to_owned(), decision);
        }
    }

    /// The id of the person with this name; spacing and capitals do not make another person.
    pub fn person(&self, name: &str) -> Option<&str> {
        let wanted = (folded(name), String::new());
        let (known, id) = self.names.range::<_, (String, String)>(&wanted..).next()?;
        (*known == wanted.0).then_some(id.as_str())
    }

    /// The latest submission of a document: the same file of a system, as the same kind, for the same requirements.
    pub fn latest_evidence(&self, offered: &EvidenceSubmitted) -> Option<&Evidence> {
        let own = self.shelves.of(&offered.system);
        let mut own = own.filter_map(|id| self.evidence.get(id));
        own.find(|evidence| {
            let submitted = &evidence.submitted;
            submitted.file == offered.file
                && submitted.kind == offered.kind
                && submitted.requirements == offered.requirements
        })
    }
}

/// A name without regard to spacing and capitals.
pub fn folded(name: &str) -> String {
    // The most frequent letters need no tables.
    if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let mut folded = String::with_capacity(name.len());
        for word in name.split(' ').filter(|word| !word.is_empty()) {
            if !folded.is_empty() {
                folded.push(' ');
            }
            folded.push_str(word);
        }
        folded.make_ascii_lowercase();
        return folded;
    }
    let visible: String = name
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .collect();
    visible
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Characters that print nothing: a name with one of them looks like the name without.
pub(crate) fn is_invisible(letter: char) -> bool {
    let hidden = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    hidden || letter.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_folds_the_same_with_and_without_letters_that_print_nothing() {
        for (name, want) in [
            ("Ada Lovelace", "ada lovelace"),
            ("  ADA \u{20}  lovelace ", "ada lovelace"),
            ("A", "a"),
            ("   ", ""),
            ("", ""),
            ("O'Neil-Smith, Jr.", "o'neil-smith, jr."),
        ] {
            assert_eq!(folded(name), want);
            // One invisible letter and the general way is taken.
            assert_eq!(folded(&format!("\u{200b}{name}")), want);
        }
        assert_eq!(folded("ÉMILE\tZola"), "émilezola");
    }
}
