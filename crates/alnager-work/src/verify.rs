//! Verifying a dossier: the journal's part, and every claim the sealed tables allow to recompute.

use std::collections::BTreeMap;
use std::path::Path;

use alnager_audit::declared::Audit;
use alnager_audit::measures::Measures;
use alnager_journal::dossier::{Dossier, Item, Limits, read};
use alnager_journal::verify::{Trust, Verified, verify};
use alnager_law::requirement::AsOf;
use alnager_office::assess::{Assessment, assess};
use alnager_office::event::Event;
use alnager_office::gate::SystemReviewed;
use alnager_office::state::{Meta, State};
use alnager_probe::{Source, measure};
use serde_json::Value;

use crate::dossier;
use crate::error::JobError;
use crate::library::{self, Library, sha256};

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
    let bytes = std::fs::read(path).map_err(|source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be read; name a dossier",
        source,
        is_input: true,
    })?;
    let refused = |error: &dyn std::error::Error| Inconsistent(with_causes(error));
    let dossier = match read(&bytes, Limits::default()) {
        Ok(dossier) => dossier,
        Err(error) => return Ok(Err(refused(&error))),
    };
    let journal = match verify(&dossier, trust) {
        Ok(journal) => journal,
        Err(error) => return Ok(Err(refused(&error))),
    };
    let mut check = Check {
        differs: Vec::new(),
        n_recomputed: 0,
        n_withheld: 0,
        n_recounted: 0,
        reviews: Vec::new(),
    };
    if let Err(problem) = check.claims(&dossier, data) {
        return match problem {
            Problem::Claims(problem) => Ok(Err(Inconsistent(problem))),
            Problem::Job(error) => Err(error),
        };
    }
    Ok(Ok(Verification {
        journal,
        reviews: check.reviews,
        n_recomputed: check.n_recomputed,
        n_withheld: check.n_withheld,
        differs: check.differs,
        n_recounted: check.n_recounted,
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

enum Problem {
    Claims(String),
    Job(JobError),
}

struct Check {
    reviews: Vec<(u64, String, String, String)>,
    n_recomputed: usize,
    n_withheld: usize,
    n_recounted: usize,
    differs: Vec<String>,
}

impl Check {
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
                Event::DeskOpened(_)
                | Event::PersonNamed(_)
                | Event::SystemDeclared(_)
                | Event::FactConfirmed(_)
                | Event::EvidenceAccepted(_)
                | Event::EvidenceRejected(_) => {}
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
                },
            );
        }
        Ok(())
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
        let blob = |name: &str| item.blobs.get(name).map(|blob| blob.bytes.as_slice());
        let measures = dossier::measures(&audits, &claimed.data, blob)
            .map_err(|error| Problem::Claims(format!("entry {index}: {error}")))?;
        let (Some(library), true) = (library, measures.len() == claimed.data.len()) else {
            self.n_withheld += n_claims;
            return Ok(());
        };
        if let Some(data) = data {
            self.recount(index, &audits, &measures, data)?;
        }
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
            Some(found) => self.compare(index, claimed, &found, blob("figures.json")),
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
        let ours = found.claims(claimed.book.clone());
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
        let by_id: BTreeMap<&str, _> = ours
            .requirements
            .iter()
            .map(|claim| (claim.id.as_str(), claim))
            .collect();
        for claim in &claimed.requirements {
            self.equal(by_id.get(claim.id.as_str()) == Some(&claim), || {
                format!(
                    "entry {index}: `{}` is claimed as `{}`",
                    claim.id,
                    claim.status.word()
                )
            });
        }
        self.equal(by_id.len() == claimed.requirements.len(), || {
            format!("entry {index}: requirements are missing among the claims")
        });
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

    /// Counts the rows again and holds the table against the sealed one.
    fn recount(
        &mut self,
        index: u64,
        audits: &[Audit],
        sealed: &[Measures],
        data: &Path,
    ) -> Result<(), Problem> {
        let bytes = std::fs::read(data).map_err(|source| {
            Problem::Job(JobError::File {
                path: data.to_owned(),
                doing: "cannot be read; name the data file",
                source,
                is_input: true,
            })
        })?;
        let hash = sha256(&bytes);
        let fitting: Vec<usize> = (0..sealed.len())
            .filter(|at| sealed[*at].data.sha256 == hash)
            .collect();
        if fitting.is_empty() {
            self.differs.push(format!(
                "entry {index}: no audit counted this data file (SHA-256 {hash})"
            ));
        }
        for at in fitting {
            let found = measure(
                &audits[at],
                &Source::File {
                    path: data.to_owned(),
                },
            )
            .map_err(|error| Problem::Job(error.into()))?;
            let same = found.measures.table == sealed[at].table
                && found.measures.scores == sealed[at].scores;
            if same {
                self.n_recounted += 1;
            } else {
                self.differs.push(format!(
                    "entry {index}: the count table of `{}` is not what the rows give",
                    audits[at].name
                ));
            }
        }
        Ok(())
    }
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
