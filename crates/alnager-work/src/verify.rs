//! Verifying a dossier: the journal's part, and every claim the sealed tables allow to recompute.

use std::path::Path;

use alnager_audit::declared::Audit;
use alnager_audit::measures::Measures;
use alnager_audit::model::{Model, ModelBy};
use alnager_journal::dossier::{Dossier, Item, Limits, read};
use alnager_journal::segment::ROWS;
use alnager_journal::verify::{Trust, Verified, verify};
use alnager_law::requirement::AsOf;
use alnager_office::assess::{Assessment, assess};
use alnager_office::audit::RESULT;
use alnager_office::counsel::{ReadingRecorded, TextImported, wording};
use alnager_office::event::Event;
use alnager_office::evidence::EvidenceAccepted;
use alnager_office::gate::{SystemReviewed, Verdict};
use alnager_office::launch::{LaunchDecided, LaunchDecision};
use alnager_office::log::{KeyDropped, KeyRotated};
use alnager_office::opinion::OpinionGiven;
use alnager_office::segment::SegmentSealed;
use alnager_office::signature;
use alnager_office::state::{Meta, State};
use alnager_office::system::{FactConfirmed, System};
use alnager_probe::{Source, measure_beside};
use alnager_report::html;
use serde_json::Value;

use crate::dossier;
use crate::error::JobError;
use crate::files::{DOSSIER_BYTES_MAX, read_bytes, sha256_of};
use crate::library::{self, Library, sha256};
use crate::review::{render_sealed, sealed_seal};
use crate::segment;

/// What a dossier showed.
#[derive(Debug)]
pub struct Verification {
    /// The journal's part: entries, proofs, signature, completeness.
    pub journal: Verified,
    /// The systems reviewed in it, with the verdict claimed: entry, system, verdict, day judged.
    pub reviews: Vec<(u64, String, String, String)>,
    /// Claims recomputed and found equal.
    pub n_recomputed: usize,
    /// Claims that need the rows or a withheld table.
    pub n_withheld: usize,
    /// Claims that recomputation contradicts, in words.
    pub differs: Vec<String>,
    /// Count tables counted again from the rows given.
    pub n_recounted: usize,
    /// The law and policy the last review was judged under; `None` where they are withheld.
    pub law: Option<LawUsed>,
    /// What is worth knowing and no contradiction.
    pub notes: Vec<String>,
}

/// The law and policy of a dossier, held against those shipped with this program.
#[derive(Debug)]
pub struct LawUsed {
    /// Packs in use: id and version.
    pub packs: Vec<String>,
    /// The policy in one line.
    pub policy: String,
    /// Files that are not the shipped ones.
    pub foreign: Vec<String>,
}

/// Why a dossier is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Inconsistent(pub String);

/// What verifying came to: a finding either way, or a file that could not be read.
pub type Outcome = Result<Result<Verification, Inconsistent>, JobError>;

/// Floating-point figures agree within this, relative to the larger.
const TOLERANCE: f64 = 1e-9;

/// Methods this version recomputes. A changed method gets a new id and the old one stays.
pub const METHODS: [&str; 8] = [
    "wilson/1",
    "katz-log/1",
    "newcombe-10/1",
    "clopper-pearson-ratio/1",
    "fisher-two-sided/1",
    "holm/1",
    "law/1",
    "gate/1",
];

/// Verifies a dossier. Needs no desk, no network and no account. With `data`, the count tables are counted again from that file.
pub fn verify_dossier(path: &Path, trust: &Trust, data: Option<&Path>) -> Outcome {
    let bytes = read_bytes(path, DOSSIER_BYTES_MAX, "cannot be read; name a dossier")?;
    verify_bytes(&bytes, Limits::default(), trust, data)
}

/// Verifies a dossier by its bytes; `limits` bound what it may unpack to.
pub fn verify_bytes(bytes: &[u8], limits: Limits, trust: &Trust, data: Option<&Path>) -> Outcome {
    let refused = |error: &dyn std::error::Error| Inconsistent(with_causes(error));
    let dossier = match read(bytes, limits) {
        Ok(dossier) => dossier,
        Err(error) => return Ok(Err(refused(&error))),
    };
    let journal = match verify(&dossier, trust) {
        Ok(journal) => journal,
        Err(error) => return Ok(Err(refused(&error))),
    };
    let check = match Check::of(&dossier, &journal.origin, data) {
        Ok(check) => check,
        Err(Problem::Claims(problem)) => return Ok(Err(Inconsistent(problem))),
        Err(Problem::Job(error)) => return Err(error),
    };
    Ok(Ok(Verification {
        journal,
        reviews: check.reviews,
        n_recomputed: check.n_recomputed,
        n_withheld: check.n_withheld,
        differs: check.differs,
        n_recounted: check.n_recounted,
        law: check.law,
        notes: check.notes,
    }))
}

/// An error with its causes, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[derive(Debug)]
enum Problem {
    Claims(String),
    Job(JobError),
}

#[derive(Debug)]
struct Check {
    origin: String,
    law: Option<LawUsed>,
    notes: Vec<String>,
    reviews: Vec<(u64, String, String, String)>,
    n_recomputed: usize,
    n_withheld: usize,
    n_recounted: usize,
    differs: Vec<String>,
}

impl Check {
    /// Checks every claim of a dossier that the journal's part has found whole.
    fn of(dossier: &Dossier, origin: &str, data: Option<&Path>) -> Result<Check, Problem> {
        let mut check = Check {
            origin: origin.to_owned(),
            law: None,
            notes: Vec::new(),
            differs: Vec::new(),
            n_recomputed: 0,
            n_withheld: 0,
            n_recounted: 0,
            reviews: Vec::new(),
        };
        check.claims(dossier, data)?;
        Ok(check)
    }

    /// Folds the disclosed entries and repeats every review on the way.
    fn claims(&mut self, dossier: &Dossier, data: Option<&Path>) -> Result<(), Problem> {
        let mut state = State::default();
        let mut library: Option<Library> = None;
        for (index, item) in &dossier.entries {
            let Some(payload) = &item.payload else {
                continue;
            };
            let event = Event::from_payload(&item.entry.kind, &payload.bytes).map_err(|error| {
                Problem::Claims(format!("entry {index}: {}", with_causes(&error)))
            })?;
            match &event {
                Event::BookAdopted(adopted) => {
                    library = match item.blobs.get("book.json") {
                        Some(text) => {
                            Some(library::from_blob(&text.bytes).map_err(|error| {
                                Problem::Claims(format!("entry {index}: {error}"))
                            })?)
                        }
                        None => None,
                    };
                    if library
                        .as_ref()
                        .is_some_and(|library| library.stamp != adopted.book)
                    {
                        self.differs.push(format!(
                            "entry {index}: the packs are not those it says were adopted"
                        ));
                    }
                }
                Event::EvidenceSubmitted(submitted) => {
                    if let Some(document) = item.blobs.get("document") {
                        self.equal(sha256(&document.bytes) == submitted.sha256, || {
                            format!(
                                "entry {index}: the document of {} is another one",
                                submitted.evidence
                            )
                        });
                    }
                    if submitted.signature.is_some() {
                        let problem = signature::stated(submitted).err();
                        self.equal(problem.is_none(), || {
                            format!(
                                "entry {index}: {}: {}",
                                submitted.evidence,
                                problem.map_or(String::new(), |problem| problem.to_string())
                            )
                        });
                    }
                }
                Event::SystemReviewed(reviewed) => {
                    let claimed = (
                        *index,
                        reviewed.system.clone(),
                        reviewed.verdict.word().to_owned(),
                        reviewed.judged_on.to_string(),
                    );
                    self.reviews.push(claimed);
                    self.review(*index, item, reviewed, &state, library.as_ref(), data)?;
                }
                Event::FactConfirmed(confirmed) => {
                    let fits = may_confirm(&state, confirmed) && acted(item, &confirmed.by);
                    self.equal(fits, || {
                        let fact = &confirmed.fact;
                        format!("entry {index}: `{fact}` is not confirmed by a second person")
                    });
                }
                Event::EvidenceOffered(offered) => {
                    self.equal(acted(item, &offered.by), || {
                        let evidence = &offered.evidence;
                        format!("entry {index}: `{evidence}` is offered in another person's name")
                    });
                }
                Event::EvidenceAccepted(accepted) => {
                    self.second_person(*index, item, &state, &accepted.evidence, &accepted.by);
                    self.signed(*index, accepted, &state, library.as_ref());
                }
                Event::EvidenceRejected(rejected) => {
                    self.second_person(*index, item, &state, &rejected.evidence, &rejected.by);
                }
                Event::ReadingRecorded(reading) => {
                    self.outsider(*index, item, &state, &reading.by, &reading.requirement);
                    self.reading(*index, reading, library.as_ref());
                }
                Event::WordingConfirmed(confirmed) => {
                    self.outsider(*index, item, &state, &confirmed.by, &confirmed.requirement);
                }
                Event::FrameworkAdopted(adopted) if !adopted.is_adopted => {
                    self.outsider(*index, item, &state, &adopted.by, &adopted.pack);
                }
                Event::FrameworkAdopted(adopted) => {
                    self.equal(acted(item, &adopted.by), || {
                        let pack = &adopted.pack;
                        format!("entry {index}: `{pack}` is decided on in another person's name")
                    });
                }
                Event::TextImported(imported) => {
                    self.text(*index, item, imported, &state, library.as_ref());
                }
                Event::KeyTrusted(trusted) => {
                    self.outsider(*index, item, &state, &trusted.by, &trusted.key);
                }
                Event::PackInstalled(installed) => {
                    self.outsider(*index, item, &state, &installed.by, &installed.id);
                    self.equal(state.keys.contains_key(&installed.key), || {
                        let id = &installed.id;
                        format!("entry {index}: `{id}` is signed with a key that is not trusted")
                    });
                }
                Event::PackPinned(pinned) => {
                    self.outsider(*index, item, &state, &pinned.by, &pinned.id);
                }
                Event::PackUnpinned(unpinned) => {
                    self.outsider(*index, item, &state, &unpinned.by, &unpinned.id);
                }
                Event::KeyRotated(KeyRotated { by, .. })
                | Event::KeyDropped(KeyDropped { by, .. }) => {
                    self.equal(acted(item, by), || {
                        format!("entry {index}: a key is decided on in another person's name")
                    });
                }
                Event::AuditRecorded(recorded) => {
                    self.equal(acted(item, &recorded.by), || {
                        let audit = &recorded.audit;
                        format!("entry {index}: `{audit}` is recorded in another person's name")
                    });
                    if let Some(result) = item.blobs.get(RESULT) {
                        self.equal(sha256(&result.bytes) == recorded.sha256, || {
                            let audit = &recorded.audit;
                            format!(
                                "entry {index}: the result of `{audit}` is not the one recorded"
                            )
                        });
                    }
                }
                Event::LogForked(forked) => {
                    self.equal(acted(item, &forked.by), || {
                        format!("entry {index}: a fork is decided on in another person's name")
                    });
                }
                Event::FactAnswered(answered) => {
                    self.equal(acted(item, &answered.by), || {
                        let fact = &answered.fact;
                        format!("entry {index}: `{fact}` is answered in another person's name")
                    });
                }
                Event::RolesGranted(granted) => {
                    self.equal(acted(item, &granted.by), || {
                        format!("entry {index}: roles are granted in another person's name")
                    });
                }
                Event::LaunchDecided(decided) => self.launch(*index, item, decided, &state),
                Event::ExceptionGranted(granted) => {
                    let fits = outside_team(&state, &granted.system, &granted.by);
                    self.equal(fits && acted(item, &granted.by), || {
                        let exception = &granted.exception;
                        format!("entry {index}: `{exception}` is granted by who builds the system")
                    });
                }
                Event::ExceptionEnded(ended) => {
                    self.equal(acted(item, &ended.by), || {
                        let exception = &ended.exception;
                        format!("entry {index}: `{exception}` is ended in another person's name")
                    });
                }
                Event::CommentMade(made) => {
                    self.equal(acted(item, &made.by), || {
                        let comment = &made.comment;
                        format!("entry {index}: `{comment}` is made in another person's name")
                    });
                }
                Event::OpinionGiven(given) => self.opinion(*index, item, given, &state),
                Event::SegmentSealed(sealed) => self.segment(*index, item, sealed),
                Event::OpinionWithdrawn(withdrawn) => {
                    let known = state.opinion(&withdrawn.opinion);
                    let own = known.is_some_and(|known| known.given.by == withdrawn.by);
                    self.equal(own && acted(item, &withdrawn.by), || {
                        let opinion = &withdrawn.opinion;
                        format!("entry {index}: `{opinion}` is withdrawn by who did not give it")
                    });
                }
                Event::DossierDrawn(drawn) => {
                    self.equal(acted(item, &drawn.by), || {
                        let system = &drawn.system;
                        format!("entry {index}: the dossier of `{system}` is drawn in another person's name")
                    });
                }
                Event::DeskOpened(_)
                | Event::PersonNamed(_)
                | Event::SystemDeclared(_)
                | Event::WatchLooked(_)
                | Event::SignalRaised(_)
                | Event::SignalSettled(_)
                | Event::TaskOpened(_)
                | Event::TaskDone(_)
                | Event::ErasureRequested(_)
                | Event::ErasureExecuted(_)
                | Event::HoldPlaced(_)
                | Event::HoldReleased(_) => {}
            }
            let subjects = item
                .entry
                .subjects
                .iter()
                .map(|about| about.id.to_string())
                .collect();
            state.apply(
                &event,
                &Meta {
                    index: *index,
                    subjects,
                    actor: item.entry.actor.to_string(),
                },
            );
        }
        Ok(())
    }

    /// A launch is decided on by someone outside the team, on the latest review, and nothing but a clear one is approved without conditions.
    fn launch(&mut self, index: u64, item: &Item, decided: &LaunchDecided, state: &State) {
        let fits = outside_team(state, &decided.system, &decided.by);
        self.equal(fits && acted(item, &decided.by), || {
            let system = &decided.system;
            format!("entry {index}: the launch of `{system}` is decided on by who builds it")
        });
        let system = state.systems.get(&decided.system);
        let review = system.and_then(|system| system.review.as_ref());
        let is_latest = review
            .is_some_and(|review| review.at == decided.review && review.verdict == decided.verdict);
        let is_clear = decided.verdict == Verdict::Clear.word();
        let may_be = decided.decision != LaunchDecision::Approve || is_clear;
        self.equal(is_latest && may_be, || {
            let system = &decided.system;
            format!("entry {index}: the latest review of `{system}` does not bear this decision")
        });
    }

    /// An opinion is given by whoever acted and had no hand in the system, on entries before it; and its auditor's own signature, where there is
    /// one, is on this very opinion.
    fn opinion(&mut self, index: u64, item: &Item, given: &OpinionGiven, state: &State) {
        let opinion = &given.opinion;
        let deeds = state.deeds_of(&given.system, &given.by);
        self.equal(acted(item, &given.by) && deeds.is_empty(), || {
            format!("entry {index}: `{opinion}` is given by who had a hand in the system")
        });
        self.equal(given.size > 0 && given.size <= index, || {
            format!("entry {index}: `{opinion}` is given on entries that were not there yet")
        });
        let problem = alnager_office::opinion::stated(given, &item.entry.org.to_string()).err();
        self.equal(problem.is_none(), || {
            let problem = problem.map_or(String::new(), |problem| problem.to_string());
            format!("entry {index}: `{opinion}`: {problem}")
        });
    }

    /// A segment is sealed by whoever acted, states what one can, and where its rows are there, they give what it states.
    fn segment(&mut self, index: u64, item: &Item, sealed: &SegmentSealed) {
        self.equal(acted(item, &sealed.by), || {
            format!("entry {index}: a segment is sealed in another person's name")
        });
        let fits = sealed.stated().check();
        let is_segment = fits.is_ok();
        self.equal(is_segment, || {
            let problem = fits.map_or_else(|problem| problem.to_string(), |()| String::new());
            format!("entry {index}: {problem}")
        });
        match item.blobs.get(ROWS) {
            None => self.n_withheld += 1,
            // No rows can give what no segment states.
            Some(_) if !is_segment => {}
            Some(rows) => {
                let fits = segment::rows_fit(sealed, rows.bytes.clone());
                self.equal(fits.is_ok(), || {
                    let why = fits.err().unwrap_or_default();
                    format!("entry {index}: the rows are not those it states: {why}")
                });
            }
        }
    }

    /// A text turns no clock back, and settles nothing for who builds under it.
    fn text(
        &mut self,
        index: u64,
        item: &Item,
        imported: &TextImported,
        state: &State,
        library: Option<&Library>,
    ) {
        let TextImported {
            work, by, sha256, ..
        } = imported;
        let counsel = &state.counsel;
        if imported.replaces.is_none() {
            let why = counsel.turns_back(work, sha256, imported.valid_from);
            self.equal(why.is_none(), || {
                format!("entry {index}: {}", why.unwrap_or_default())
            });
        }
        let settles = library.is_some_and(|library| counsel.is_settled_by(&library.book, imported));
        if settles || imported.replaces.is_some() {
            self.outsider(index, item, state, by, work);
        } else {
            self.equal(acted(item, by), || {
                format!("entry {index}: `{work}` is imported in another person's name")
            });
        }
    }

    /// A decision about the law itself, taken by whoever acted and by nobody who built a system then.
    fn outsider(&mut self, index: u64, item: &Item, state: &State, by: &str, requirement: &str) {
        let builds = |system: &System| system.builders.contains(by);
        let fits = acted(item, by) && !state.systems.values().any(builds);
        self.equal(fits, || {
            format!("entry {index}: `{requirement}` is decided on by who builds the system")
        });
    }

    /// Counsel read the words of the book in use then, and settled no more than was in doubt about them.
    fn reading(&mut self, index: u64, reading: &ReadingRecorded, library: Option<&Library>) {
        let Some(book) = library.map(|library| &library.book) else {
            self.n_withheld += 1;
            return;
        };
        let requirement = &reading.requirement;
        let mut texts = book.packs().flat_map(|pack| &pack.requirements);
        let read = texts.find(|text| text.id == *requirement);
        let doubts = book.doubts(requirement).unwrap_or_default();
        let fits = read.is_some_and(|text| wording(text) == reading.wording)
            && reading
                .settles
                .iter()
                .all(|settled| doubts.contains(settled));
        self.equal(fits, || {
            format!("entry {index}: the reading of `{requirement}` is not about the words and doubts of the packs")
        });
    }

    /// Evidence is decided on by someone other than who submitted it.
    fn second_person(&mut self, index: u64, item: &Item, state: &State, evidence: &str, by: &str) {
        // Evidence of another system, submitted in an entry that is withheld, cannot be looked at here.
        let Some(known) = state.evidence.get(evidence) else {
            self.n_withheld += 1;
            return;
        };
        self.equal(known.may_be_decided_by(by) && acted(item, by), || {
            format!("entry {index}: {evidence} is not decided on by a second person")
        });
    }

    /// What an independent auditor must have signed was accepted only with a signature that counts.
    fn signed(
        &mut self,
        index: u64,
        accepted: &EvidenceAccepted,
        state: &State,
        library: Option<&Library>,
    ) {
        let Some(known) = state.evidence.get(&accepted.evidence) else {
            return;
        };
        let Some(book) = library.map(|library| &library.book) else {
            self.n_withheld += usize::from(known.submitted.signature.is_some());
            return;
        };
        if !signature::is_needed(book, &known.submitted.kind) {
            return;
        }
        let found = book.packs().find_map(|pack| {
            let mut texts = pack.requirements.iter();
            let text = texts.find(|text| text.id == accepted.requirement)?;
            Some((pack, text))
        });
        let problem = match found {
            Some((pack, requirement)) => {
                let place = signature::Place {
                    requirement,
                    pack,
                    system: &known.submitted.system,
                    day: accepted.on,
                };
                signature::counts(known, &accepted.by, &place, state)
                    .err()
                    .map(|problem| problem.to_string())
            }
            None => Some(format!("there is no `{}`", accepted.requirement)),
        };
        self.equal(problem.is_none(), || {
            let evidence = &accepted.evidence;
            let problem = problem.unwrap_or_default();
            format!("entry {index}: {evidence} is accepted as signed: {problem}")
        });
    }

    fn equal(&mut self, agrees: bool, words: impl FnOnce() -> String) {
        if agrees {
            self.n_recomputed += 1;
        } else {
            self.differs.push(words());
        }
    }

    fn review(
        &mut self,
        index: u64,
        item: &Item,
        claimed: &SystemReviewed,
        state: &State,
        library: Option<&Library>,
        data: Option<&Path>,
    ) -> Result<(), Problem> {
        let n_claims = 1 + claimed.requirements.len() + claimed.results.len();
        let unknown = claimed
            .methods
            .iter()
            .find(|method| !METHODS.contains(&method.as_str()));
        if let Some(method) = unknown {
            return Err(Problem::Claims(format!(
                "entry {index}: the method `{method}` is not known to this version; use a newer one"
            )));
        }
        let audits = state
            .systems
            .get(&claimed.system)
            .map(|system| system.declaration.audits.clone())
            .unwrap_or_default();
        if claimed.data.len() != audits.len() {
            let n = audits.len();
            self.differs.push(format!(
                "entry {index}: {n} audits are declared, and {} were measured",
                claimed.data.len()
            ));
            return Ok(());
        }
        let blob = |name: &str| item.blobs.get(name).map(|blob| blob.bytes.as_slice());
        let measures = dossier::measures(&audits, &claimed.data, blob)
            .map_err(|error| Problem::Claims(format!("entry {index}: {error}")))?;
        let (Some(library), true) = (library, measures.len() == claimed.data.len()) else {
            self.n_withheld += n_claims;
            return Ok(());
        };
        for (audit, measures) in audits.iter().zip(&measures) {
            let agrees = measures.agree(audit);
            self.equal(agrees.is_ok(), || {
                let problem = agrees.err().unwrap_or_default();
                format!("entry {index}, audit `{}`: {problem}", audit.name)
            });
        }
        if let Some(data) = data {
            self.recount(index, &audits, &measures, data)?;
        }
        self.law = law_used(library);
        if library.stamp != claimed.book {
            self.differs.push(format!(
                "entry {index}: it was judged under other packs than those adopted"
            ));
        }
        let when = AsOf {
            valid: claimed.judged_on,
            known: claimed.known,
        };
        let found = assess(
            state,
            &claimed.system,
            &library.book,
            &library.policy,
            measures,
            when,
            claimed.gate,
        )
        .map_err(|error| Problem::Claims(format!("entry {index}: {error}")))?;
        match found {
            Some(found) => {
                self.compare(index, claimed, &found, blob("figures.json"));
                self.report(index, claimed, &found, state, library, blob("report.html"));
            }
            None => self.differs.push(format!(
                "entry {index}: it reviews `{}`, which was never declared",
                claimed.system
            )),
        }
        Ok(())
    }

    fn compare(
        &mut self,
        index: u64,
        claimed: &SystemReviewed,
        found: &Assessment,
        figures: Option<&[u8]>,
    ) {
        let ours = found.claims(claimed.book.clone(), &claimed.warnings, &claimed.report);
        self.equal(
            ours.verdict == claimed.verdict && ours.nothing_required == claimed.nothing_required,
            || {
                format!(
                    "entry {index}: the verdict is claimed as `{}`, recomputed as `{}`",
                    claimed.verdict.word(),
                    ours.verdict.word()
                )
            },
        );
        self.equal(ours.methods == claimed.methods, || {
            format!("entry {index}: the methods claimed are not those the figures need")
        });
        self.equal(
            ours.requirements.len() == claimed.requirements.len(),
            || format!("entry {index}: requirements are missing among the claims, or too many"),
        );
        for (ours, claim) in ours.requirements.iter().zip(&claimed.requirements) {
            self.equal(ours == claim, || {
                let (id, status) = (&claim.id, claim.status.word());
                format!(
                    "entry {index}: `{id}` is claimed as `{status}`, recomputed `{}` as `{}`",
                    ours.id,
                    ours.status.word()
                )
            });
        }
        self.equal(ours.results.len() == claimed.results.len(), || {
            format!("entry {index}: test results are missing among the claims")
        });
        for (ours, claim) in ours.results.iter().zip(&claimed.results) {
            let agrees = match (serde_json::to_value(ours), serde_json::to_value(claim)) {
                (Ok(ours), Ok(claim)) => first_difference("", &ours, &claim).is_none(),
                _ => false,
            };
            self.equal(agrees, || {
                format!(
                    "entry {index}: the result of `{}` for `{}` differs",
                    claim.test, claim.group
                )
            });
        }
        let Some(sealed) = figures else {
            self.n_withheld += 1;
            return;
        };
        let ours = Value::Object(found.figures().into_iter().collect());
        let difference = match serde_json::from_slice(sealed) {
            Ok(sealed) => first_difference("", &ours, &sealed),
            Err(_) => Some("they are not JSON".to_owned()),
        };
        match difference {
            None => self.n_recomputed += leaves(&ours),
            Some(difference) => self.differs.push(format!(
                "entry {index}: the sealed figures differ: {difference}"
            )),
        }
    }

    /// Renders the sealed report again; only the form it was rendered with can give the same bytes.
    fn report(
        &mut self,
        index: u64,
        claimed: &SystemReviewed,
        found: &Assessment,
        state: &State,
        library: &Library,
        sealed: Option<&[u8]>,
    ) {
        let Some(sealed) = sealed else {
            self.n_withheld += 1;
            return;
        };
        if claimed.report.form != html::FORM {
            self.notes.push(format!(
                "entry {index}: the sealed report has the form `{}`, which this version does not render; it was not compared with the claims",
                claimed.report.form
            ));
            return;
        }
        let seal = sealed_seal(&self.origin, index, claimed.report.previous.clone());
        let ours = render_sealed(library, state, found, &claimed.warnings, &seal);
        self.equal(ours == sealed, || {
            format!("entry {index}: the sealed report is not what its claims give")
        });
    }

    /// Counts the rows again and holds the table against the sealed one.
    fn recount(
        &mut self,
        index: u64,
        audits: &[Audit],
        sealed: &[Measures],
        data: &Path,
    ) -> Result<(), Problem> {
        let hash = sha256_of(data).map_err(Problem::Job)?;
        if sealed.iter().all(|measures| measures.data.sha256 != hash) {
            let counted: Vec<String> = sealed
                .iter()
                .map(|measures| {
                    format!(
                        "`{}` (SHA-256 {})",
                        measures.data.name, measures.data.sha256
                    )
                })
                .collect();
            return Err(Problem::Job(JobError::Input(format!(
                "`{}` is not the data that was counted in entry {index}: {} (yours has {hash}); name that file with --data, or leave it out",
                data.display(),
                counted.join(", ")
            ))));
        }
        for (audit, sealed) in audits
            .iter()
            .zip(sealed)
            .filter(|(_, sealed)| sealed.data.sha256 == hash)
        {
            let folder = data.parent().unwrap_or(Path::new(""));
            if let Some(model) = &audit.model
                && let Some(why) = cannot_ask(model, folder)
            {
                self.notes.push(format!(
                    "entry {index}: the rows of `{}` were not counted again: {why}",
                    audit.name
                ));
                continue;
            }
            let source = Source::Files {
                path: data.to_owned(),
            };
            let found = measure_beside(audit, &source, folder, &|_| {})
                .map_err(|error| Problem::Job(error.into()))?;
            if found.measures.data.model != sealed.data.model {
                return Err(Problem::Job(JobError::Input(format!(
                    "the model beside `{}` is not the one that was asked in entry {index}; put that one there, or take it away",
                    data.display()
                ))));
            }
            if found.measures.table == sealed.table && found.measures.scores == sealed.scores {
                self.n_recounted += 1;
            } else {
                self.differs.push(format!(
                    "entry {index}: the count table of `{}` is not what the rows give",
                    audit.name
                ));
            }
        }
        Ok(())
    }
}

/// Why a model is not asked again. A service never is: it may have changed since, and verifying calls nobody.
fn cannot_ask(model: &Model, folder: &Path) -> Option<String> {
    match &model.by {
        ModelBy::Onnx(onnx) if folder.join(&onnx.file).is_file() => None,
        ModelBy::Onnx(onnx) => Some(format!(
            "the model `{}` is not beside the data; put it there to have its answers counted",
            onnx.file
        )),
        ModelBy::Endpoint(endpoint) => Some(format!(
            "the answers came from `{}`, which is not asked again",
            endpoint.url
        )),
    }
}

/// Whether the entry was written by the person it names.
fn acted(item: &Item, by: &str) -> bool {
    item.entry.actor.to_string() == by
}

/// Whether somebody is outside the team of a known system, and always was.
fn outside_team(state: &State, system: &str, person: &str) -> bool {
    let system = state.systems.get(system);
    system.is_some_and(|system| !system.builders.contains(person))
}

/// Whether a fact was confirmed by someone outside the building team who did not give the answer.
fn may_confirm(state: &State, confirmed: &FactConfirmed) -> bool {
    let Some(system) = state.systems.get(&confirmed.system) else {
        return false;
    };
    let given = system.given(&confirmed.fact, &confirmed.value);
    given.is_some_and(|answer| system.may_confirm(&confirmed.by, Some(&answer.by)))
}

fn law_used(library: &Library) -> Option<LawUsed> {
    let shipped = library::shipped().ok()?;
    let foreign = library
        .stamp
        .files
        .iter()
        .filter(|file| !shipped.stamp.files.contains(file));
    Some(LawUsed {
        packs: library
            .book
            .packs()
            .map(|pack| format!("{} {}", pack.id, pack.version))
            .collect(),
        policy: library.policy_words(),
        foreign: foreign.map(|file| file.name.clone()).collect(),
    })
}

/// The first place where two JSON values differ: numbers by more than the tolerance, everything else exactly.
fn first_difference(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Number(one), Value::Number(other)) => {
            let close = match (one.as_f64(), other.as_f64()) {
                (Some(one), Some(other)) => {
                    one == other || (one - other).abs() <= TOLERANCE * one.abs().max(other.abs())
                }
                _ => one == other,
            };
            (!close).then(|| format!("{path} is {other}, recomputed {one}"))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(at, (one, other))| first_difference(&format!("{path}[{at}]"), one, other)),
        (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
            one.iter().find_map(|(key, value)| match other.get(key) {
                Some(theirs) => first_difference(&format!("{path}/{key}"), value, theirs),
                None => Some(format!("{path}/{key} is missing")),
            })
        }
        _ if ours == theirs => None,
        _ => Some(format!("{path} is {theirs}, recomputed {ours}")),
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(fields) => fields.values().map(leaves).sum(),
        Value::Number(_) | Value::Null => 1,
        Value::Bool(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
mod tests;
