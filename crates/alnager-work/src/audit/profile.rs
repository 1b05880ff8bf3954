//! The profile of a fairness audit: what it asks besides the audit itself, and its pages.

use std::path::{Path, PathBuf};

use alnager_audit::declared::{Audit, DecisionBy, Missing};
use alnager_audit::measures::{DataStamp, DecisionRanges, Measures};
use alnager_audit::policy::Policy;
use alnager_audit::profile::eeoc::{self, Stage};
use alnager_audit::profile::ll144::{self, Columns};
use alnager_audit::texts::Texts;
use alnager_law::book::Book;
use alnager_law::requirement::AsOf;
use alnager_office::evidence::Evidence;
use alnager_office::signature;
use alnager_office::state::State;
use alnager_probe::Progress;
use alnager_report::audit::{
    Details, EcoaView, EuView, FairnessView, Page, Part, ProfileView, SignedBy, SummaryView,
    details, pages, signed_document,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::fairness::{self, Examined, REFERENCE_MIN, judge};
use super::theories::{self, Asked};
use super::{lending, rows};
use crate::acting::Flags;
use crate::error::JobError;
use crate::files::write_whole;
use crate::library::sha256;
use crate::records;

/// What is asked of a profile.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the profile alone asks.
    pub part: PartRequest,
    /// Where and for what kind of decision theories are asked about.
    pub theories: Asked,
    /// Whether a page for the public is wanted.
    pub is_public: bool,
    /// Counts below this are kept from the public, where they are.
    pub small_cell: u64,
}

/// What one profile alone asks.
#[derive(Debug, Clone)]
pub enum PartRequest {
    /// Nothing more.
    General,
    /// New York City's Local Law 144.
    Ll144(Box<Ll144>),
    /// Jobs and stages.
    Eeoc(Eeoc),
    /// Credit.
    Ecoa {
        /// The factors held fixed.
        controls: Vec<String>,
    },
    /// The EU AI Act.
    Eu {
        /// The ground on which people are counted by a special category.
        lawful_basis: Option<String>,
    },
}

/// What the summary of Local Law 144 needs.
#[derive(Debug, Clone)]
pub struct Ll144 {
    /// The columns of the two characteristics.
    pub columns: Columns,
    /// Why small categories are left out of the ratios; `None` leaves none out.
    pub justification: Option<String>,
    /// The tool.
    pub tool: Option<String>,
    /// Source and explanation of the data.
    pub source: Option<String>,
    /// The first day the tool was used.
    pub distribution_date: Option<Date>,
    /// The day of the audit.
    pub audit_date: Option<Date>,
    /// Counts below this are not shown; `None` shows all.
    pub small_cell: Option<u64>,
}

/// How jobs and stages are told apart.
#[derive(Debug, Clone, Default)]
pub struct Eeoc {
    /// The column of the job.
    pub job: Option<String>,
    /// Name and column of each stage in its order; empty where one decision is all there is.
    pub stages: Vec<(String, String)>,
}

/// An audit and what its profile needs of the rows.
#[derive(Debug, Clone)]
pub struct Profiled {
    /// The audit.
    pub examined: Examined,
    /// The stages of selection, for the profile of that name.
    pub stages: Vec<Stage>,
}

/// Measures and judges as the profile asks.
pub fn examine(
    audit: &fairness::Request,
    request: &Request,
    policy: &Policy,
    progress: &dyn Fn(Progress),
) -> Result<Profiled, JobError> {
    let PartRequest::Eeoc(part) = &request.part else {
        let examined = fairness::examine(audit, policy, progress)?;
        return Ok(Profiled {
            examined,
            stages: Vec::new(),
        });
    };
    if !part.stages.is_empty() {
        return by_stage(audit, part, policy, progress);
    }
    let examined = fairness::examine(audit, policy, progress)?;
    let stage = eeoc::single(&examined.audit, &examined.measures, part.job.as_deref());
    Ok(Profiled {
        stages: stage.into_iter().collect(),
        examined,
    })
}

/// Wide data: the rows are read once, and every stage is counted from them.
fn by_stage(
    request: &fairness::Request,
    part: &Eeoc,
    policy: &Policy,
    progress: &dyn Fn(Progress),
) -> Result<Profiled, JobError> {
    let audit = &request.audit;
    let attributes = audit.attributes.iter().map(|attribute| &attribute.column);
    let stages = part.stages.iter().map(|(_, column)| column);
    let columns: Vec<&str> = attributes
        .chain(stages)
        .chain(&part.job)
        .map(String::as_str)
        .collect();
    let rows = rows::read(&rows_of(audit), &columns, &[], progress)?;
    let (attributes, rest) = rows.texts.split_at(audit.attributes.len());
    let (stages, job) = rest.split_at(part.stages.len());
    let has_unknown = |texts: &Texts| (0..texts.n_rows()).any(|row| texts.at(row).is_none());
    if audit.missing == Missing::Refuse && attributes.iter().any(has_unknown) {
        return Err(JobError::Input(
            "a row has an unknown group, and --missing refuse allows none".to_owned(),
        ));
    }
    let names = part.stages.iter().map(|(name, _)| name.clone());
    let stages: Vec<(String, Texts)> = names.zip(stages.iter().cloned()).collect();
    let favourable = &audit.decision.favourable_name;
    let counted = eeoc::counted(audit, attributes, job.first(), &stages, favourable)
        .map_err(|problem| JobError::Input(format!("{}: {problem}", audit.data)))?;
    let measures = Measures {
        audit: audit.name.clone(),
        data: rows.data.clone(),
        table: counted.table,
        scores: None,
        samples: None,
        ranges: DecisionRanges::new(),
        persons: None,
    };
    Ok(Profiled {
        examined: judge(request, policy, measures, counted.warnings),
        stages: counted.stages,
    })
}

/// The rows an audit asks for.
fn rows_of(audit: &Audit) -> rows::Request {
    rows::Request {
        data: audit.data.clone().into(),
        filter: audit.filter.clone(),
        unknown: audit.unknown.clone(),
        derived: audit.derived.clone(),
    }
}

/// Raw and controlled figures of the credit profile, from the rows; `None` where no control is named.
pub fn controlled(
    request: &Request,
    profiled: &Profiled,
    progress: &dyn Fn(Progress),
) -> Result<Option<Value>, JobError> {
    let PartRequest::Ecoa { controls } = &request.part else {
        return Ok(None);
    };
    if controls.is_empty() {
        return Ok(None);
    }
    let examined = &profiled.examined;
    let audit = &examined.audit;
    let DecisionBy::Column(decision) = &audit.decision.by else {
        return Err(JobError::Input(
            "--controls: the decision is a threshold on a score; name a column of decisions with --decision, or derive one with --derive".to_owned(),
        ));
    };
    let references = audit.attributes.iter().filter_map(|attribute| {
        let found = &examined.figures["attrs"][&attribute.column]["reference"];
        Some((attribute.column.clone(), found.as_str()?.to_owned()))
    });
    let asked = lending::Request {
        rows: rows_of(audit),
        outcome: decision.column.clone(),
        favourable: audit.decision.favourable_name.clone(),
        positive: Some(decision.positive.clone()),
        protected: audit
            .attributes
            .iter()
            .map(|attribute| attribute.column.clone())
            .collect(),
        references: references.collect(),
        controls: controls.clone(),
        categories: Vec::new(),
        confidence: examined.plan.confidence,
    };
    lending::examine(&asked, progress).map(Some)
}

/// The two days of every question: `--at` or today, and `--known` or today.
pub fn as_of(flags: &Flags) -> AsOf {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    AsOf {
        valid: flags.at.unwrap_or(today),
        known: flags.known.unwrap_or(today),
    }
}

/// What the profile shows. `controlled` holds raw and controlled figures, where controls were named; details are shown on pages
/// alone, and are worked out where there are some.
pub fn view(
    request: &Request,
    profiled: &Profiled,
    controlled: Option<Value>,
    book: &Book,
    when: AsOf,
    has_pages: bool,
) -> Result<ProfileView, JobError> {
    let examined = &profiled.examined;
    let audit = &examined.audit;
    let mut own: Vec<&str> = Vec::new();
    let part = match &request.part {
        PartRequest::General => Part::General,
        PartRequest::Ll144(asked) => {
            if audit.score.is_some() {
                own.push("scoring_rate");
            }
            Part::Ll144(Box::new(summary(asked, examined)?))
        }
        PartRequest::Eeoc(_) => {
            own.push("flip_one");
            Part::Eeoc(eeoc::jobs(audit, &profiled.stages, REFERENCE_MIN))
        }
        PartRequest::Ecoa { .. } => {
            if controlled.is_some() {
                own.push("average_marginal_effect");
            }
            Part::Ecoa(EcoaView {
                judged_on: when.valid.to_string(),
                controlled,
            })
        }
        PartRequest::Eu { lawful_basis } => Part::Eu(EuView {
            lawful_basis: lawful_basis.clone(),
            attributes: audit
                .attributes
                .iter()
                .map(|attribute| attribute.column.clone())
                .collect(),
        }),
    };
    let tests = theories::tests(examined, &own);
    Ok(ProfileView {
        part,
        details: match has_pages {
            true => details(&fairness::source(examined)),
            false => Details::default(),
        },
        theories: theories::serving(book, &tests, &request.theories, when)?,
        is_public: request.is_public,
        small_cell: request.small_cell,
    })
}

fn summary(asked: &Ll144, examined: &Examined) -> Result<SummaryView, JobError> {
    let excludes_small = asked.justification.is_some();
    let summary = ll144::summary(
        &examined.audit,
        &examined.measures,
        &asked.columns,
        excludes_small,
    );
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    Ok(SummaryView {
        summary: summary.ok_or_else(|| {
            JobError::Internal("the tables by sex and race/ethnicity were not counted".to_owned())
        })?,
        tool: asked.tool.clone(),
        source: asked.source.clone(),
        distribution_date: day(asked.distribution_date),
        audit_date: day(asked.audit_date),
        justification: asked.justification.clone(),
        small_cell: asked.small_cell,
        signed_by: None,
    })
}

/// Looks in the desk whether an independent auditor signed these very tables of the system and the signature counts: the document
/// submitted has their bytes, was accepted, and meets its requirement on the day judged. Only then does a page no longer call
/// itself a self-test.
pub async fn find_signature(
    flags: &Flags,
    system: &str,
    book: &Book,
    profile: &mut ProfileView,
    data: &DataStamp,
) -> Result<(), JobError> {
    let Part::Ll144(summary) = &mut profile.part else {
        return Ok(());
    };
    let state = records::state(flags).await?;
    if !state.systems.contains_key(system) {
        return Err(JobError::Input(format!(
            "--system: `{system}` is not in the desk; review it first, or name the desk with --desk"
        )));
    }
    let hash = sha256(&signed_document(summary, &data.sha256));
    let day = as_of(flags).valid;
    let offered = state.evidence.values().filter(|evidence| {
        evidence.submitted.system == system && evidence.submitted.sha256 == hash
    });
    for evidence in offered {
        let expired = evidence
            .submitted
            .expires
            .is_some_and(|expires| expires <= day);
        if expired || evidence.replaced_by.is_some() {
            continue;
        }
        if let Some(signed_on) = counted(evidence, book, system, day, &state) {
            let signature = evidence.submitted.signature.as_ref();
            summary.signed_by = signature.map(|signature| SignedBy {
                auditor: state.name(&signature.auditor),
                signed_on: signed_on.to_string(),
                entry: evidence.submitted_at,
            });
        }
    }
    Ok(())
}

/// The day of an audit that counts for a requirement it is accepted for.
fn counted(
    evidence: &Evidence,
    book: &Book,
    system: &str,
    day: Date,
    state: &State,
) -> Option<Date> {
    let asked = book
        .packs()
        .flat_map(|pack| {
            pack.requirements
                .iter()
                .map(move |requirement| (pack, requirement))
        })
        .filter(|(_, requirement)| requirement.evidence.contains(&evidence.submitted.kind));
    asked.into_iter().find_map(|(pack, requirement)| {
        let decision = evidence.decisions.get(&requirement.id)?;
        let place = signature::Place {
            requirement,
            pack,
            system,
            day,
        };
        let counts = decision.is_accepted && signature::is_needed(book, &evidence.submitted.kind);
        let stated = signature::counts(evidence, &decision.by, &place, state).ok()?;
        counts.then_some(stated.on)
    })
}

/// The pages a profile may write.
const PAGES: [&str; 5] = [
    "report.html",
    "public.html",
    "summary.html",
    "annex.html",
    SIGNED_DOCUMENT,
];

/// The file that an independent auditor signs.
const SIGNED_DOCUMENT: &str = "summary.json";

/// Makes sure, before anything is measured, that the folder holds no earlier report.
pub fn place_for(folder: &Path) -> Result<(), JobError> {
    if folder.exists() && !folder.is_dir() {
        return Err(JobError::Input(format!(
            "`{}` is a file; name a folder for the report with --out",
            folder.display()
        )));
    }
    if PAGES.iter().any(|page| folder.join(page).exists()) {
        return Err(JobError::Input(format!(
            "`{}` holds an earlier report; name another folder with --out",
            folder.display()
        )));
    }
    Ok(())
}

/// Writes the pages, each whole or not at all; the paths in the order written.
pub fn write(
    folder: &Path,
    view: &FairnessView,
    profile: &ProfileView,
) -> Result<Vec<PathBuf>, JobError> {
    place_for(folder)?;
    let write = |page: Page| {
        let path = folder.join(page.name);
        write_whole(&path, page.html.as_bytes())?;
        Ok(path)
    };
    let mut written: Vec<PathBuf> = pages(view, profile)
        .into_iter()
        .map(write)
        .collect::<Result<_, JobError>>()?;
    if let Part::Ll144(summary) = &profile.part {
        let path = folder.join(SIGNED_DOCUMENT);
        write_whole(&path, &signed_document(summary, &view.data.sha256))?;
        written.push(path);
    }
    Ok(written)
}
