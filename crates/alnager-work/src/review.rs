//! The review: declare → map → plan → measure → judge → decide → seal → report.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alnager_audit::declared::Audit;
use alnager_audit::measures::{DataStamp, Measures};
use alnager_office::assess::{Assessment, assess};
use alnager_office::decide::{Command, OfferedEvidence, Refused, Review, preview};
use alnager_office::declaration::Declaration;
use alnager_office::gate::{Gate, ReportStamp};
use alnager_office::people::pseudonym;
use alnager_office::state::State;
use alnager_office::system::System;
use alnager_probe::{Progress, measure_beside};
use alnager_report::html::{self, Copy, Seal};
use alnager_report::view::{self, ReviewView};
use alnager_store::{CommitError, Desk, Receipt};
use jiff::civil::Date;
use serde_json::Value;

use crate::acting::{Acting, Flags, blob, instant, new_ids};
use crate::dossier;
use crate::error::JobError;
use crate::files::{EVIDENCE_BYTES_MAX, inside, read_bytes, read_text, write_whole};
use crate::found::Found;
use crate::library::{Library, sha256};
use crate::new::{ORGANISATION_TO_SAY, PURPOSE_TO_SAY};
use crate::source;

/// What to review.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder that holds `system.toml`, or the file itself.
    pub system: PathBuf,
    /// What the gate looks at.
    pub gate: Gate,
    /// Where report and dossier go; without it `reviews/<system>/<entry>` in the current folder.
    pub out: Option<PathBuf>,
}

/// A review, sealed and reported.
pub struct Reviewed {
    /// What it found.
    pub found: Found,
    /// The report on disk.
    pub report: PathBuf,
    /// The dossier on disk; `None` where the review looked back and sealed nothing.
    pub dossier: Option<PathBuf>,
    /// The receipt; `None` where nothing was sealed.
    pub receipt: Option<Receipt>,
}

/// The name of the dossier on disk.
pub(crate) const DOSSIER: &str = "dossier.tar.zst";

/// The name of the report on disk.
pub(crate) const REPORT: &str = "report.html";

/// How often a review is judged anew when others write to the same desk meanwhile.
pub const N_TRIES: usize = 8;

/// Reviews a system. Nothing is entered unless everything is: the desk gains the whole review or nothing.
///
/// A review may take long. When the law in use is changed meanwhile, it is made again under the law as it then is, once.
pub async fn review(
    request: &Request,
    flags: &Flags,
    progress: &dyn Fn(Progress),
) -> Result<Reviewed, JobError> {
    match review_once(request, flags, progress).await {
        Err(JobError::Refused(Refused::LawChanged { .. })) => {
            let flags = Flags {
                law: None,
                ..flags.clone()
            };
            review_once(request, &flags.at_desk().await?, progress).await
        }
        other => other,
    }
}

async fn review_once(
    request: &Request,
    flags: &Flags,
    progress: &dyn Fn(Progress),
) -> Result<Reviewed, JobError> {
    let acting = Acting::begin(flags)?;
    let file = declaration_file(&request.system)?;
    if acting.looks_back() {
        let declaration = read_declaration(&acting.library, &file)?;
        return look_back(&acting, &declaration.id, request).await;
    }
    let mut draft = draft(&acting, &file, request.gate)?;
    said(&file, &draft.declaration)?;
    let mut desk = acting.desk_or_new().await?;
    let with = acting.context(&desk, Some(&draft.declaration))?;
    measure(&mut draft, &desk.state(), &with, &file, progress)?;
    place_for(request)?;

    let (receipt, assessment) = seal(&acting, &mut desk, &mut draft, &with).await?;
    report_on(
        &acting.library,
        &desk,
        request,
        &assessment,
        &draft,
        receipt,
    )
    .await
}

/// The journal that a review is entered on: it must still be there when it is.
pub struct On<'a> {
    /// Its origin line.
    pub origin: &'a str,
    /// Its root hash, base64.
    pub root: String,
    /// What it says.
    pub state: &'a State,
}

/// Judges a review that was measured on what stands, and renders the report that is sealed with it.
pub fn prepare(
    library: &Library,
    on: &On<'_>,
    draft: &mut Review,
    with: &alnager_office::decide::Context<'_>,
) -> Result<Assessment, Refused> {
    let size = on.state.size;
    draft.report.previous = (size > 0).then(|| (size, on.root.clone()));
    draft.documents.clear();
    let (after, assessment) = preview(on.state, draft, with)?;
    let report = sealed_report(library, on.origin, &after, &assessment, draft);
    draft
        .documents
        .push(blob("report.html", "text/html", report));
    Ok(assessment)
}

/// Enters a review that was measured: judged on what stands, with its report, whole or not at all.
pub async fn seal(
    acting: &Acting,
    desk: &mut Desk,
    draft: &mut Review,
    with: &alnager_office::decide::Context<'_>,
) -> Result<(Receipt, Assessment), JobError> {
    for _ in 0..N_TRIES {
        let state = desk.state();
        let on = On {
            origin: desk.origin(),
            root: desk.checkpoint().checkpoint().root().to_base64(),
            state: &state,
        };
        let assessment = prepare(&acting.library, &on, draft, with)?;
        let command = Command::Review(Box::new(draft.clone()));
        let id = new_ids(acting.now, 1)?[0];
        let at = instant(acting.now);
        match desk
            .commit_expecting(id, &at, &command, with, state.size)
            .await
        {
            Ok(receipt) => return Ok((receipt, assessment)),
            // Someone else entered something meanwhile: judge again on what stands now.
            Err(CommitError::Conflict { .. }) => desk.catch_up().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobError::Internal(
        "others keep writing to this desk; try again when it is quiet".to_owned(),
    ))
}

/// Makes sure, before anything is sealed, that report and dossier will find a place and overwrite no other.
pub(crate) fn place_for(request: &Request) -> Result<(), JobError> {
    let folder = request
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("reviews"));
    if folder.exists() && !folder.is_dir() {
        return Err(JobError::Input(format!(
            "`{}` is a file; name a folder for report and dossier",
            folder.display()
        )));
    }
    if request.out.is_some() && is_taken(&folder) {
        return Err(JobError::Input(format!(
            "`{}` holds the report or dossier of an earlier review; name another folder with --out",
            folder.display()
        )));
    }
    let trial = folder.join(format!(".trial.{}", std::process::id()));
    write_whole(&trial, b"")?;
    std::fs::remove_file(&trial).map_err(|source| JobError::File {
        path: trial,
        doing: "cannot be removed",
        source,
        is_input: false,
    })
}

fn is_taken(folder: &Path) -> bool {
    folder.join(DOSSIER).exists() || folder.join(REPORT).exists()
}

/// The folder of a review: the one asked for, or the first free one named after its entry. Another desk may have used the
/// same number before.
pub(crate) fn folder_for(request: &Request, system: &str, index: u64) -> PathBuf {
    if let Some(folder) = &request.out {
        return folder.clone();
    }
    let all = PathBuf::from("reviews").join(system);
    let mut folder = all.join(index.to_string());
    let mut again = 2;
    while is_taken(&folder) {
        folder = all.join(format!("{index}-{again}"));
        again += 1;
    }
    folder
}

/// `system.toml` of a folder, or the file named.
pub fn declaration_file(path: &Path) -> Result<PathBuf, JobError> {
    if path.is_dir() {
        let file = path.join("system.toml");
        if file.is_file() {
            return Ok(file);
        }
        return Err(JobError::Input(format!(
            "`{}` holds no `system.toml`; name the folder of a declared system",
            path.display()
        )));
    }
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(JobError::Input(format!(
        "`{}` is neither a system of the desk, nor a folder with a `system.toml`, nor such a file",
        path.display()
    )))
}

/// Reads and checks a declaration.
pub fn read_declaration(library: &Library, file: &Path) -> Result<Declaration, JobError> {
    let text = read_text(file)?;
    let name = file.display().to_string();
    Ok(Declaration::parse(
        &name,
        &text,
        &library.book,
        &library.policy,
    )?)
}

pub(crate) fn folder(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Refuses a declaration that still has a blank of `alnager new` where a review would seal it.
pub fn said(file: &Path, declaration: &Declaration) -> Result<(), JobError> {
    let blanks = [
        (
            "organisation",
            &declaration.organisation,
            ORGANISATION_TO_SAY,
        ),
        ("purpose", &declaration.purpose, PURPOSE_TO_SAY),
    ];
    match blanks.into_iter().find(|(_, said, blank)| said == blank) {
        Some((field, _, blank)) => Err(JobError::Input(format!(
            "{}: `{field}` still says `{blank}`; write what is so, since a review seals it",
            file.display()
        ))),
        None => Ok(()),
    }
}

/// A review of a declaration as it lies on disk, not measured yet.
pub fn draft(acting: &Acting, file: &Path, gate: Gate) -> Result<Review, JobError> {
    let declaration = read_declaration(&acting.library, file)?;
    let evidence = evidence(folder(file), &declaration)?;
    necessity_records(folder(file), file, &declaration.audits)?;
    let zone = declaration.time_zone.as_deref();
    let when = acting.as_of(gate_day(&declaration), zone);
    Ok(Review {
        warnings: late(&declaration, acting.today(zone)),
        declaration,
        evidence,
        measures: Vec::new(),
        when,
        gate,
        report: stamp(),
        documents: Vec::new(),
    })
}

/// What the report of a review is rendered with, before it is.
pub fn stamp() -> ReportStamp {
    ReportStamp {
        form: html::FORM.to_owned(),
        previous: None,
    }
}

/// Warns of a day of going live that has passed.
pub fn late(declaration: &Declaration, today: Date) -> Vec<String> {
    let is_past = gate_day(declaration).is_some_and(|day| day < today);
    let words = "`go_live_on` lies in the past; a system in use is judged for today once its declaration says `stage = \"in_use\"`";
    is_past.then(|| words.to_owned()).into_iter().collect()
}

/// The day the gate judges: that of going live, or today once the system is in use.
pub fn gate_day(declaration: &Declaration) -> Option<Date> {
    declaration.gate_day()
}

fn evidence(folder: &Path, declaration: &Declaration) -> Result<Vec<OfferedEvidence>, JobError> {
    let mut offered = Vec::new();
    for declared in &declaration.evidence {
        let path = inside(folder, &declared.file)?;
        let bytes = read_bytes(&path, EVIDENCE_BYTES_MAX, "cannot be read")?;
        let note = match &declared.signature {
            Some(signature) => Some(read_text(&inside(folder, &signature.file)?)?),
            None => None,
        };
        offered.push(OfferedEvidence {
            declared: declared.clone(),
            sha256: sha256(&bytes),
            bytes: Arc::new(bytes),
            note,
        });
    }
    Ok(offered)
}

/// A special category may be counted on a named necessity record, and the record must be there.
pub(crate) fn necessity_records(
    folder: &Path,
    file: &Path,
    audits: &[Audit],
) -> Result<(), JobError> {
    for attribute in audits.iter().flat_map(|audit| &audit.attributes) {
        let Some(special) = &attribute.special_category else {
            continue;
        };
        if !folder.join(&special.necessity).is_file() {
            return Err(JobError::Input(format!(
                "{}: the necessity record `{}` for counting `{}` is not there; add it, or leave out `special_category` (the figures are then a what-if)",
                file.display(),
                special.necessity,
                attribute.column
            )));
        }
    }
    Ok(())
}

/// Plans on the state, then measures what the plan names: every declared audit.
pub fn measure(
    draft: &mut Review,
    state: &State,
    with: &alnager_office::decide::Context<'_>,
    file: &Path,
    progress: &dyn Fn(Progress),
) -> Result<(), JobError> {
    let (_, planned) = preview(state, draft, with)?;
    for audit in &planned.plan.audits {
        draft
            .measures
            .push(count(audit, folder(file), &mut draft.warnings, progress)?);
    }
    Ok(())
}

pub(crate) fn count(
    audit: &Audit,
    folder: &Path,
    warnings: &mut Vec<String>,
    progress: &dyn Fn(Progress),
) -> Result<Measures, JobError> {
    let data = Path::new(&audit.data);
    let local = source::local(folder, data, audit.relation.as_ref(), progress)?;
    let found = measure_beside(audit, local.source(), folder, progress)?;
    warnings.extend(found.warnings);
    let data = DataStamp {
        name: audit.data.clone(),
        ..found.measures.data
    };
    Ok(Measures {
        data,
        ..found.measures
    })
}

/// The view of an assessment; `name` gives a name or a pseudonym.
pub fn make_view(
    library: &Library,
    state: &State,
    assessment: &Assessment,
    warnings: &[String],
    name: &dyn Fn(&str) -> String,
) -> ReviewView {
    let system = state.systems.get(&assessment.declaration.id);
    let facts = system
        .map(|system| system.law_facts(&library.book, &state.counsel))
        .unwrap_or_default();
    view::review(&view::Source {
        assessment,
        facts: &facts,
        book: &library.book,
        policy: library.policy_words(),
        name,
        warnings: warnings.to_vec(),
    })
}

/// The report that is sealed with the review: people as pseudonyms, and the journal up to the entry before.
fn sealed_report(
    library: &Library,
    origin: &str,
    after: &State,
    assessment: &Assessment,
    draft: &Review,
) -> Vec<u8> {
    let seal = sealed_seal(origin, after.size, draft.report.previous.clone());
    render_sealed(library, after, assessment, &draft.warnings, &seal)
}

/// What a sealed report says of the journal: the index of its own entry, and the checkpoint before its review.
pub fn sealed_seal(origin: &str, index: u64, previous: Option<(u64, String)>) -> Seal {
    Seal {
        origin: origin.to_owned(),
        index: Some(index),
        size: None,
        root: None,
        previous,
        copy: Copy::Sealed,
    }
}

/// What the named copy of a sealed report says of the journal.
pub fn named_seal(receipt: &Receipt) -> Seal {
    Seal {
        index: receipt.end.checked_sub(1),
        size: Some(receipt.size),
        root: Some(receipt.root.to_base64()),
        ..unsealed(&receipt.origin)
    }
}

/// The same of a report that is not sealed.
pub fn unsealed(origin: &str) -> Seal {
    Seal {
        origin: origin.to_owned(),
        index: None,
        size: None,
        root: None,
        previous: None,
        copy: Copy::Named,
    }
}

/// Renders the sealed copy of a report. The verifier renders it again from what a dossier discloses.
pub fn render_sealed(
    library: &Library,
    state: &State,
    assessment: &Assessment,
    warnings: &[String],
    seal: &Seal,
) -> Vec<u8> {
    let view = make_view(library, state, assessment, warnings, &pseudonym);
    html::review(&view, seal).into_bytes()
}

/// Writes the named report and the dossier, outside the desk.
async fn report_on(
    library: &Library,
    desk: &Desk,
    request: &Request,
    assessment: &Assessment,
    draft: &Review,
    receipt: Receipt,
) -> Result<Reviewed, JobError> {
    let state = desk.state();
    let name = |id: &str| state.name(id);
    let found = Found::of(library, &state, assessment, &draft.warnings, &name);
    let index = receipt.end - 1;
    let system = &found.view.system;
    let folder = folder_for(request, system, index);
    let seal = named_seal(&receipt);
    let sealed = |error| unwritten(error, index);
    let bytes = dossier::build(desk, system, &receipt)
        .await
        .map_err(sealed)?;
    let (report, dossier) = (folder.join(REPORT), folder.join(DOSSIER));
    write_whole(&report, found.report(&seal).as_bytes()).map_err(sealed)?;
    write_whole(&dossier, &bytes).map_err(sealed)?;
    Ok(Reviewed {
        found,
        report,
        dossier: Some(dossier),
        receipt: Some(receipt),
    })
}

pub(crate) fn first_figures(assessment: &Assessment) -> Value {
    let mut figures = assessment.figures().into_iter();
    figures.next().map_or(Value::Null, |(_, figures)| figures)
}

/// The review is sealed by then: what is missing is only a copy on disk.
pub(crate) fn unwritten(error: JobError, index: u64) -> JobError {
    match error {
        JobError::File { path, source, .. } => JobError::Internal(format!(
            "the review is sealed as entry {index}, but `{}` could not be written ({source}); free space or name another folder with --out, and review again",
            path.display()
        )),
        other => other,
    }
}

/// The system as an earlier record had it, judged on what was last measured by then. Seals nothing.
async fn look_back(acting: &Acting, id: &str, request: &Request) -> Result<Reviewed, JobError> {
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let (assessment, warnings) = recorded(acting, &desk, &state, id, request.gate).await?;
    let names = desk.state();
    let name = |id: &str| names.name(id);
    let found = Found::of(&acting.library, &state, &assessment, &warnings, &name);
    let folder = request.out.clone().unwrap_or_else(|| {
        let folder = PathBuf::from("reviews").join(&found.view.system);
        folder.join(format!("looking-back-{}", state.size))
    });
    let seal = unsealed(desk.origin());
    let report = folder.join(REPORT);
    write_whole(&report, found.report(&seal).as_bytes())?;
    Ok(Reviewed {
        found,
        report,
        dossier: None,
        receipt: None,
    })
}

/// A system of the record, assessed on the tables its last review sealed.
pub async fn recorded(
    acting: &Acting,
    desk: &Desk,
    state: &State,
    id: &str,
    gate: Gate,
) -> Result<(Assessment, Vec<String>), JobError> {
    let unknown = || {
        JobError::Input(format!(
            "`{id}` was not in the desk by then; name a later entry or instant with --recorded"
        ))
    };
    let system: &System = state.systems.get(id).ok_or_else(unknown)?;
    let declaration = &system.declaration;
    let (measures, warnings) = match &system.review {
        Some(review) => dossier::sealed_measures(desk, review.at, &declaration.audits).await?,
        None => (Vec::new(), Vec::new()),
    };
    let when = acting.as_of(gate_day(declaration), declaration.time_zone.as_deref());
    let (book, policy) = (&acting.library.book, &acting.library.policy);
    let found = assess(state, id, book, policy, measures, when, gate)?;
    Ok((found.ok_or_else(unknown)?, warnings))
}
