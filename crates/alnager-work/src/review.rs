//! The review: declare → map → plan → measure → judge → decide → seal → report.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alnager_audit::declared::Audit;
use alnager_audit::measures::Measures;
use alnager_law::requirement::AsOf;
use alnager_office::assess::Assessment;
use alnager_office::decide::{Command, OfferedEvidence, Review, preview};
use alnager_office::declaration::{Declaration, Stage};
use alnager_office::gate::Gate;
use alnager_office::state::State;
use alnager_probe::{Progress, Source, measure_with};
use alnager_report::html::{self, Copy, Seal};
use alnager_report::view::{self, ReviewView};
use alnager_store::{CommitError, Desk, Receipt};
use serde_json::Value;

use crate::acting::{Acting, Flags, blob, pseudonym};
use crate::dossier;
use crate::error::JobError;
use crate::library::sha256;

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
    /// What it shows, with names.
    pub view: ReviewView,
    /// The figures of the first audit, in the shape of the reference tables; null without an audit.
    pub figures: Value,
    /// The report on disk.
    pub report: PathBuf,
    /// The dossier on disk; `None` where the review looked back and sealed nothing.
    pub dossier: Option<PathBuf>,
    /// The receipt; `None` where nothing was sealed.
    pub receipt: Option<Receipt>,
}

/// Evidence and declarations longer than this are refused: they are read into memory whole.
const EVIDENCE_BYTES_MAX: u64 = 64 << 20;
const DECLARATION_BYTES_MAX: u64 = 4 << 20;

/// How often a review is judged anew when others write to the same desk meanwhile.
const N_TRIES: usize = 8;

/// Reviews a system. Nothing is entered unless everything is: the desk gains the whole review or nothing.
pub async fn review(
    request: &Request,
    flags: &Flags,
    progress: &dyn Fn(Progress),
) -> Result<Reviewed, JobError> {
    let acting = Acting::begin(flags)?;
    let file = declaration_file(&request.system)?;
    let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
    let text = read_text(&file)?;
    let declaration = Declaration::parse(
        &shown(&file),
        &text,
        &acting.library.book,
        &acting.library.policy,
    )?;
    if acting.looks_back() {
        return look_back(&acting, &declaration, request).await;
    }
    let evidence = evidence(&folder, &declaration)?;
    necessity_records(&folder, &file, &declaration)?;
    let zone = declaration.time_zone.clone();
    let day = declaration
        .go_live_on
        .filter(|_| declaration.stage != Stage::InUse);
    let when = acting.as_of(day, zone.as_deref());
    let mut draft = Review {
        declaration,
        evidence,
        measures: Vec::new(),
        when,
        gate: request.gate,
        documents: Vec::new(),
    };

    let mut desk = acting.desk_or_new().await?;
    let with = acting.context(&desk, zone.as_deref())?;
    let (_, planned) = preview(&desk.state(), &draft, &with)?;
    let (measures, warnings) = measure(&planned.plan.audits, &folder, progress)?;
    draft.measures = measures;

    for _ in 0..N_TRIES {
        let state = desk.state();
        let (after, assessment) = preview(&state, &draft, &with)?;
        draft.documents = vec![blob(
            "report.html",
            "text/html",
            sealed_report(&acting, &desk, &after, &assessment, &warnings),
        )];
        let command = Command::Review(Box::new(draft.clone()));
        let id = crate::acting::new_ids(acting.now, 1)?[0];
        match desk
            .commit_expecting(
                id,
                &crate::acting::instant(acting.now),
                &command,
                &with,
                state.size,
            )
            .await
        {
            Ok(receipt) => {
                return report(&acting, &desk, request, &assessment, warnings, receipt).await;
            }
            Err(CommitError::Conflict { .. }) => draft.documents.clear(),
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobError::Internal(
        "others keep writing to this desk; try again when it is quiet".to_owned(),
    ))
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
        "`{}` is neither a folder with a `system.toml` nor such a file",
        path.display()
    )))
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// A text file of ours, bounded in length, with the line named where it is not UTF-8.
fn read_text(file: &Path) -> Result<String, JobError> {
    let bytes = read_bytes(file, DECLARATION_BYTES_MAX, "cannot be read")?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        JobError::Input(format!(
            "{}, line {line}: this is not UTF-8 text (Latin-1, perhaps); save the file as UTF-8",
            shown(file)
        ))
    })
}

fn read_bytes(file: &Path, max: u64, doing: &'static str) -> Result<Vec<u8>, JobError> {
    let error = |source| JobError::File {
        path: file.to_owned(),
        doing,
        source,
        is_input: true,
    };
    let length = std::fs::metadata(file).map_err(error)?.len();
    if length > max {
        return Err(JobError::Input(format!(
            "`{}` is {length} bytes long; at most {max} are read",
            file.display()
        )));
    }
    std::fs::read(file).map_err(error)
}

fn evidence(folder: &Path, declaration: &Declaration) -> Result<Vec<OfferedEvidence>, JobError> {
    let mut offered = Vec::new();
    for declared in &declaration.evidence {
        let path = folder.join(&declared.file);
        let bytes = read_bytes(
            &path,
            EVIDENCE_BYTES_MAX,
            "named as evidence in the declaration, cannot be read; correct `file`, or add the document",
        )?;
        offered.push(OfferedEvidence {
            declared: declared.clone(),
            sha256: sha256(&bytes),
            bytes: Arc::new(bytes),
        });
    }
    Ok(offered)
}

/// A special category may be counted on a named necessity record, and the record must be there.
fn necessity_records(
    folder: &Path,
    file: &Path,
    declaration: &Declaration,
) -> Result<(), JobError> {
    for attribute in declaration
        .audits
        .iter()
        .flat_map(|audit| &audit.attributes)
    {
        let Some(special) = &attribute.special_category else {
            continue;
        };
        if !folder.join(&special.necessity).is_file() {
            return Err(JobError::Input(format!(
                "{}: the necessity record `{}` for counting `{}` is not there; add it, or leave out `special_category` (the figures are then a what-if)",
                shown(file),
                special.necessity,
                attribute.column
            )));
        }
    }
    Ok(())
}

/// Measures every declared audit.
pub fn measure(
    audits: &[Audit],
    folder: &Path,
    progress: &dyn Fn(Progress),
) -> Result<(Vec<Measures>, Vec<String>), JobError> {
    let (mut measures, mut warnings) = (Vec::new(), Vec::new());
    for audit in audits {
        let found = measure_with(
            audit,
            &Source::File {
                path: folder.join(&audit.data),
            },
            progress,
        )?;
        warnings.extend(found.warnings);
        measures.push(Measures {
            data: alnager_audit::measures::DataStamp {
                name: audit.data.clone(),
                ..found.measures.data
            },
            ..found.measures
        });
    }
    Ok((measures, warnings))
}

fn make_view(
    acting: &Acting,
    state: &State,
    assessment: &Assessment,
    warnings: &[String],
    name: &dyn Fn(&str) -> String,
) -> ReviewView {
    let book = &acting.library.book;
    let facts = state
        .systems
        .get(&assessment.declaration.id)
        .map(|system| system.law_facts(book))
        .unwrap_or_default();
    view::review(&view::Source {
        assessment,
        facts: &facts,
        book,
        policy: acting.library.policy_words(),
        name,
        warnings: warnings.to_vec(),
    })
}

/// The report that is sealed with the review: people as pseudonyms, and the journal up to the entry before.
fn sealed_report(
    acting: &Acting,
    desk: &Desk,
    after: &State,
    assessment: &Assessment,
    warnings: &[String],
) -> Vec<u8> {
    let view = make_view(acting, after, assessment, warnings, &pseudonym);
    let seal = Seal {
        origin: desk.origin().to_owned(),
        index: Some(after.size),
        size: None,
        root: None,
        previous: (desk.state().size > 0)
            .then(|| (desk.state().size, desk.tree().root().to_base64())),
        copy: Copy::Sealed,
    };
    html::review(&view, &seal).into_bytes()
}

/// Writes the named report and the dossier, outside the desk.
async fn report(
    acting: &Acting,
    desk: &Desk,
    request: &Request,
    assessment: &Assessment,
    warnings: Vec<String>,
    receipt: Receipt,
) -> Result<Reviewed, JobError> {
    let state = desk.state();
    let name = |id: &str| state.name(id).to_owned();
    let view = make_view(acting, &state, assessment, &warnings, &name);
    let index = receipt.size - 1;
    let folder = match &request.out {
        Some(folder) => folder.clone(),
        None => PathBuf::from("reviews")
            .join(&view.system)
            .join(index.to_string()),
    };
    let seal = Seal {
        origin: receipt.origin.clone(),
        index: Some(index),
        size: Some(receipt.size),
        root: Some(receipt.root.to_base64()),
        previous: None,
        copy: Copy::Named,
    };
    let sealed = |error| unwritten(error, index);
    let bytes = dossier::build(desk, &view.system, &receipt)
        .await
        .map_err(sealed)?;
    let (report, dossier) = (folder.join("report.html"), folder.join("dossier.tar.zst"));
    write_whole(&report, html::review(&view, &seal).as_bytes()).map_err(sealed)?;
    write_whole(&dossier, &bytes).map_err(sealed)?;
    let figures = assessment
        .figures()
        .into_iter()
        .next()
        .map_or(Value::Null, |(_, figures)| figures);
    Ok(Reviewed {
        view,
        figures,
        report,
        dossier: Some(dossier),
        receipt: Some(receipt),
    })
}

/// The review is sealed by then: what is missing is only a copy on disk.
fn unwritten(error: JobError, index: u64) -> JobError {
    match error {
        JobError::File { path, source, .. } => JobError::Internal(format!(
            "the review is sealed as entry {index}, but `{}` could not be written ({source}); free space or name another folder with --out, and review again",
            path.display()
        )),
        other => other,
    }
}

/// Writes a file so that it appears whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), JobError> {
    let error = |source| JobError::File {
        path: path.to_owned(),
        doing: "cannot be written",
        source,
        is_input: false,
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(error)?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let aside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = std::fs::write(&aside, bytes).and_then(|()| std::fs::rename(&aside, path));
    written.map_err(|source| {
        // The half-written file is ours to remove; that it may already be gone does not matter.
        let _ = std::fs::remove_file(&aside);
        error(source)
    })
}

/// The system as an earlier record had it, judged on what was last measured by then. Seals nothing.
async fn look_back(
    acting: &Acting,
    declaration: &Declaration,
    request: &Request,
) -> Result<Reviewed, JobError> {
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let Some(system) = state.systems.get(&declaration.id) else {
        return Err(JobError::Input(format!(
            "`{}` was not in the desk by then; name a later entry or instant with --recorded",
            declaration.id
        )));
    };
    let measures = match &system.review {
        Some(review) => {
            dossier::sealed_measures(&desk, review.at, &system.declaration.audits).await?
        }
        None => Vec::new(),
    };
    let day = system
        .declaration
        .go_live_on
        .filter(|_| system.declaration.stage != Stage::InUse);
    let when: AsOf = acting.as_of(day, system.declaration.time_zone.as_deref());
    let (book, policy) = (&acting.library.book, &acting.library.policy);
    let found = alnager_office::assess::assess(
        &state,
        &declaration.id,
        book,
        policy,
        measures,
        when,
        request.gate,
    )?;
    let Some(assessment) = found else {
        return Err(JobError::Internal(
            "the system vanished from the record".to_owned(),
        ));
    };
    let names = desk.state();
    let view = make_view(acting, &state, &assessment, &[], &|id: &str| {
        names.name(id).to_owned()
    });
    let folder = request.out.clone().unwrap_or_else(|| {
        PathBuf::from("reviews")
            .join(&view.system)
            .join(format!("looking-back-{}", state.size))
    });
    let seal = Seal {
        origin: desk.origin().to_owned(),
        index: None,
        size: None,
        root: None,
        previous: None,
        copy: Copy::Named,
    };
    let report = folder.join("report.html");
    write_whole(&report, html::review(&view, &seal).as_bytes())?;
    let figures = assessment
        .figures()
        .into_iter()
        .next()
        .map_or(Value::Null, |(_, figures)| figures);
    Ok(Reviewed {
        view,
        figures,
        report,
        dossier: None,
        receipt: None,
    })
}
