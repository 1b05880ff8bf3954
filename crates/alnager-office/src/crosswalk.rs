//! The crosswalk: evidence accepted for one requirement is proposed for others that its common controls serve.
//!
//! A proposal is derived from what is accepted now and never stored. Nothing counts before a person has accepted it there: an
//! Article 26(11) notice does not meet New York's ten business days.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use alnager_law::book::Book;
use alnager_law::figure::Figure;
use alnager_law::pack::{Pack, Phase, RequirementText, Reuse};
use alnager_law::read::nearest;

use crate::assess::Assessment;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::evidence::{Evidence, EvidenceOffered, Standing};
use crate::gate::{Status, kinds_of, serves_organisation};
use crate::state::State;

/// Evidence that may also serve a requirement it is not offered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceProposal {
    /// The evidence.
    pub evidence: String,
    /// Its kind.
    pub kind: String,
    /// The system it would serve; `None` for a duty of the organisation.
    pub system: Option<String>,
    /// The requirement it is accepted for. Where there are several, the one with the least that differs.
    pub from: String,
    /// The requirement it is proposed for.
    pub to: String,
    /// The common controls both ask for.
    pub controls: Vec<String>,
    /// What the requirement asks differently and must be looked at.
    pub differs: Vec<Difference>,
}

/// What two requirements say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about, such as the title of a kind of figure.
    pub about: String,
    /// What the evidence was accepted against; `None` where nothing is said.
    pub accepted: Option<String>,
    /// What the requirement it is proposed for asks; `None` where nothing is said.
    pub asked: Option<String>,
}

impl Difference {
    /// In words: what is asked, against what the evidence was accepted for.
    pub fn words(&self) -> String {
        let or_nothing = |words: &Option<String>| words.clone().unwrap_or("nothing".to_owned());
        let (asked, accepted) = (or_nothing(&self.asked), or_nothing(&self.accepted));
        format!("{}: {asked}, against {accepted}", self.about)
    }
}

/// A requirement as its pack words it.
pub type Norm<'b> = (&'b Pack, &'b RequirementText);

/// The common controls through which evidence of a kind, accepted for one requirement, could serve the other; none where it could
/// not.
///
/// Both must be duties of the organisation, or neither; and the kind must reach from one to the other ([`Reuse`]).
pub fn shared_controls<'b>(book: &Book, from: Norm<'_>, to: Norm<'b>, kind: &str) -> Vec<&'b str> {
    let item = book.evidence.items.get(kind);
    let (one_pack, other_pack) = (&from.0.id, &to.0.id);
    let (from, to) = (from.1, to.1);
    let is_organisation = |text: &RequirementText| text.phase == Phase::Organisation;
    let reaches = from.id != to.id
        && is_organisation(from) == is_organisation(to)
        && match item.map(|item| item.reuse).unwrap_or_default() {
            Reuse::Anywhere => true,
            Reuse::SamePhase => from.phase == to.phase,
            Reuse::SamePack => one_pack == other_pack,
        }
        && kinds_of(to).iter().any(|taken| taken == kind);
    if !reaches {
        return Vec::new();
    }
    let shared = to
        .controls
        .iter()
        .filter(|control| from.controls.contains(control));
    shared.map(String::as_str).collect()
}

/// What may be reused, for the systems assessed: in the order of the systems, the requirements and the evidence. A proposal for a
/// duty of the organisation occurs once.
pub fn proposals(state: &State, book: &Book, assessed: &[&Assessment]) -> Vec<EvidenceProposal> {
    let texts = Texts::of(book);
    let shelf = Shelf::of(state, &texts);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for assessment in assessed {
        let (system, day) = (&assessment.declaration.id, assessment.when.valid);
        for judged in assessment.judged.iter().filter(|judged| judged.asks()) {
            let to = judged.requirement.text();
            let is_organisation = to.phase == Phase::Organisation;
            for kind in kinds_of(to) {
                // A passed test has shown it; a document would add nothing.
                let is_measured = |kind: &str| {
                    let item = book.evidence.items.get(kind);
                    item.is_some_and(|item| item.measured_by.is_some())
                };
                let accepted = |evidence: &Evidence| {
                    evidence.submitted.kind == kind
                        && evidence.standing(&to.id, day) == Standing::Accepted
                };
                if (judged.status == Status::Met && is_measured(&kind))
                    || state.evidence_for(to, system).any(accepted)
                {
                    continue;
                }
                for evidence in shelf.held(is_organisation, system, &kind) {
                    let id = &evidence.submitted.evidence;
                    if evidence.is_offered_for(&to.id)
                        || evidence.decisions.contains_key(&to.id)
                        || (is_organisation && seen.contains(&(id.clone(), to.id.clone())))
                    {
                        continue;
                    }
                    let counts = |id: &str| evidence.standing(id, day) == Standing::Accepted;
                    let source = texts.nearest_source(evidence, &to.id, &counts, book);
                    let Some(source) = source else { continue };
                    seen.insert((id.clone(), to.id.clone()));
                    found.push(EvidenceProposal {
                        evidence: id.clone(),
                        kind: kind.clone(),
                        system: (!is_organisation).then(|| system.clone()),
                        from: source.from,
                        to: to.id.clone(),
                        controls: source.controls,
                        differs: source.differs,
                    });
                }
            }
        }
    }
    found
}

/// Whether evidence that was accepted for something, in date or not, may be proposed for a requirement.
fn is_proposed(evidence: &Evidence, requirement: &str, book: &Book) -> bool {
    let counts = |id: &str| {
        let decision = evidence.decisions.get(id);
        decision.is_some_and(|decision| decision.is_accepted)
    };
    let source = Texts::of(book).nearest_source(evidence, requirement, &counts, book);
    source.is_some()
}

/// What evidence was accepted for, seen from the requirement it is proposed for.
struct Source {
    from: String,
    controls: Vec<String>,
    differs: Vec<Difference>,
}

/// The wordings of the book by id.
struct Texts<'b>(BTreeMap<&'b str, Norm<'b>>);

impl<'b> Texts<'b> {
    fn of(book: &'b Book) -> Self {
        let texts = book.packs().flat_map(|pack| {
            let texts = pack.requirements.iter();
            texts.map(move |text| (text.id.as_str(), (pack, text)))
        });
        Texts(texts.collect())
    }

    /// The requirement that differs least from this one, of those the evidence is accepted for and that count.
    fn nearest_source(
        &self,
        evidence: &Evidence,
        to: &str,
        counts: &dyn Fn(&str) -> bool,
        book: &Book,
    ) -> Option<Source> {
        let to = *self.0.get(to)?;
        let accepted = evidence.decisions.keys().filter(|id| counts(id));
        let sources = accepted.filter_map(|id| {
            let from = *self.0.get(id.as_str())?;
            let controls = shared_controls(book, from, to, &evidence.submitted.kind);
            (!controls.is_empty()).then(|| Source {
                from: id.clone(),
                controls: controls.into_iter().map(str::to_owned).collect(),
                differs: differences(from, to, book),
            })
        });
        sources.min_by_key(|source| (source.differs.len(), Reverse(source.controls.len())))
    }
}

/// Evidence that is accepted for something, by what it can be reused for.
struct Shelf<'s> {
    organisation: BTreeMap<&'s str, Vec<&'s Evidence>>,
    systems: BTreeMap<&'s str, BTreeMap<&'s str, Vec<&'s Evidence>>>,
}

impl<'s> Shelf<'s> {
    fn of(state: &'s State, texts: &Texts<'_>) -> Self {
        let mut shelf = Shelf {
            organisation: BTreeMap::new(),
            systems: BTreeMap::new(),
        };
        for evidence in state.evidence.values() {
            if evidence.replaced_by.is_some() {
                continue;
            }
            let submitted = &evidence.submitted;
            let accepted = evidence.decisions.iter();
            let accepted = accepted.filter(|(_, decision)| decision.is_accepted);
            let phases: Vec<Phase> = accepted
                .filter_map(|(id, _)| texts.0.get(id.as_str()).map(|(_, text)| text.phase))
                .collect();
            if evidence.is_shared && phases.contains(&Phase::Organisation) {
                let of_kind = shelf.organisation.entry(&submitted.kind).or_default();
                of_kind.push(evidence);
            }
            if phases.iter().any(|phase| *phase != Phase::Organisation) {
                let own = shelf.systems.entry(&submitted.system).or_default();
                own.entry(&submitted.kind).or_default().push(evidence);
            }
        }
        shelf
    }

    fn held(&self, is_organisation: bool, system: &str, kind: &str) -> &[&'s Evidence] {
        let held = match is_organisation {
            true => self.organisation.get(kind),
            false => self.systems.get(system).and_then(|own| own.get(kind)),
        };
        held.map_or(&[], Vec::as_slice)
    }
}

/// What the second requirement asks differently than the first.
fn differences((_, from): Norm<'_>, (_, to): Norm<'_>, book: &Book) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut say = |about: &str, accepted: Option<String>, asked: Option<String>| {
        if accepted != asked {
            let about = about.to_owned();
            found.push(Difference {
                about,
                accepted,
                asked,
            });
        }
    };
    let figures = from.figures.iter().chain(&to.figures);
    let kinds: BTreeSet<&str> = figures.map(|figure| figure.kind.as_str()).collect();
    for kind in kinds {
        let title = book.figures.get(kind).map_or(kind, |kind| &kind.title);
        let of = |text: &RequirementText| {
            let own = text.figures.iter().filter(|figure| figure.kind == kind);
            let words: Vec<String> = own.map(Figure::words).collect();
            Some(if words.is_empty() {
                "no figure".to_owned()
            } else {
                words.join(", ")
            })
        };
        say(title, of(from), of(to));
    }
    say("deadline", from.deadline.clone(), to.deadline.clone());
    say("how often", from.frequency.clone(), to.frequency.clone());
    let who = |text: &RequirementText| {
        let mut who: Vec<&str> = text.who.iter().map(String::as_str).collect();
        who.sort_unstable();
        (!who.is_empty()).then(|| who.join(", ").replace('_', " "))
    };
    say("who", who(from), who(to));
    let phase = |text: &RequirementText| Some(text.phase.word().to_owned());
    say("when", phase(from), phase(to));
    found
}

impl Draft<'_> {
    /// Offers evidence on record for further requirements that take its kind.
    pub(crate) fn offer_evidence(
        &mut self,
        evidence: &str,
        requirements: &[String],
    ) -> Result<(), Refused> {
        let known = self.current_evidence(evidence)?;
        for requirement in requirements {
            self.need_shared(&known, requirement)?;
            let taken = self.kinds_taken(requirement)?;
            if !taken.contains(&known.submitted.kind) {
                return Err(Refused::OtherKind {
                    requirement: requirement.clone(),
                    taken: taken.join("`, `"),
                    kind: known.submitted.kind.clone(),
                });
            }
        }
        let is_new = |requirement: &&String| !known.is_offered_for(requirement);
        let mut further: Vec<String> = requirements.iter().filter(is_new).cloned().collect();
        further.dedup();
        if further.is_empty() {
            return Err(Refused::AlreadyDecided {
                what: format!(
                    "`{evidence}` is offered for `{}` already",
                    requirements.join("`, `")
                ),
            });
        }
        self.adopt_book();
        self.push_offer(&known, further);
        Ok(())
    }

    /// Readies a decision on what the evidence is not offered for: what is proposed may be accepted or rejected at once, anything
    /// else is refused. Accepting offers it; a rejected proposal is no offer, so it leaves no gap behind.
    pub(crate) fn take_up(
        &mut self,
        evidence: &Evidence,
        requirements: &[String],
        is_accepted: bool,
    ) -> Result<(), Refused> {
        let id = &evidence.submitted.evidence;
        let is_new = |requirement: &&String| !evidence.is_offered_for(requirement);
        let mut further: Vec<String> = requirements.iter().filter(is_new).cloned().collect();
        further.dedup();
        for requirement in &further {
            self.need_shared(evidence, requirement)?;
            if is_proposed(evidence, requirement, self.with.book) {
                continue;
            }
            let takes = self.kinds_taken(requirement);
            let hint = match takes {
                Ok(taken) if taken.contains(&evidence.submitted.kind) => {
                    format!("offer it first (`alnager evidence offer {id} {requirement}`)")
                }
                _ => {
                    let offered = evidence.requirements().map(String::as_str);
                    nearest(requirement, offered)
                }
            };
            return Err(Refused::NotOffered {
                evidence: id.clone(),
                requirement: requirement.clone(),
                hint,
            });
        }
        if is_accepted && !further.is_empty() {
            self.adopt_book();
            self.push_offer(evidence, further);
        }
        Ok(())
    }

    /// Refuses evidence of one system for a duty that every system inherits: whoever checks another system could not see it.
    fn need_shared(&self, evidence: &Evidence, requirement: &str) -> Result<(), Refused> {
        let of_all = serves_organisation(&[requirement.to_owned()], self.with.book);
        if of_all && !evidence.is_shared {
            return Err(Refused::OneSystemOnly {
                evidence: evidence.submitted.evidence.clone(),
                system: evidence.submitted.system.clone(),
                requirement: requirement.to_owned(),
            });
        }
        Ok(())
    }

    /// Evidence of the desk that no newer version replaced.
    pub(crate) fn current_evidence(&self, evidence: &str) -> Result<Evidence, Refused> {
        let known = self.known_evidence(evidence)?;
        match &known.replaced_by {
            Some(newer) => Err(Refused::Replaced {
                evidence: evidence.to_owned(),
                newer: newer.clone(),
            }),
            None => Ok(known.clone()),
        }
    }

    /// Evidence of the desk, replaced or not.
    pub(crate) fn known_evidence(&self, evidence: &str) -> Result<&Evidence, Refused> {
        let known = &self.state.evidence;
        known.get(evidence).ok_or_else(|| Refused::NoEvidence {
            evidence: evidence.to_owned(),
            hint: match known.is_empty() {
                true => "none was submitted yet (`alnager evidence add`)".to_owned(),
                false => nearest(evidence, known.keys().map(String::as_str)),
            },
        })
    }

    fn kinds_taken(&self, requirement: &str) -> Result<Vec<String>, Refused> {
        crate::gate::kinds_taken(self.with.book, requirement)
            .ok_or_else(|| self.no_requirement(requirement))
    }

    fn push_offer(&mut self, evidence: &Evidence, requirements: Vec<String>) {
        let offered = EvidenceOffered {
            evidence: evidence.submitted.evidence.clone(),
            requirements: requirements.clone(),
            by: self.acting(),
            on: self.with.today,
        };
        let subjects = self.subjects(&evidence.submitted.system, &requirements);
        let event = Event::EvidenceOffered(offered);
        self.push(event, subjects, Vec::new(), Vec::new());
    }
}

#[cfg(test)]
pub(crate) mod tests;
