//! Is a vendor's model still the one that was audited? Its canary rows, asked again.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use alnager_audit::canary::{Look, Settings, figures};
use alnager_audit::declared::Audit;
use alnager_audit::model::{Endpoint, Model, ModelBy};
use alnager_law::read::{self, nearest};
use alnager_probe::endpoint::{AskSettings, BACKOFF, LookRequest, WAIT_MAX, fingerprint, look};
use alnager_probe::{Progress, Wanted};
use serde_json::{Value, json};

use crate::error::JobError;
use crate::files::read_text;
use crate::review::declaration_file;
use crate::source;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The declared system: its folder or its file.
    pub system: PathBuf,
    /// The audit whose model is asked; without it the only one that asks an endpoint.
    pub audit: Option<String>,
    /// Where looks are kept.
    pub record: PathBuf,
    /// How often the canary rows are asked, from 1.
    pub n_rounds: usize,
    /// How looks are judged.
    pub settings: Settings,
}

/// Asks, adds the look to the record, and judges all looks. `environment` gives the secret and the proxy, by their names.
///
/// The figures of [`figures`] behind `audit`, `url`, `record`, and `fingerprint`: SHA-256 of the answers as it is sealed with an
/// audit, null where the rounds of this look differ.
pub fn examine(
    request: &Request,
    environment: &(dyn Fn(&str) -> Option<String> + Sync),
    progress: &dyn Fn(Progress),
) -> Result<Value, JobError> {
    let file = declaration_file(&request.system)?;
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let audit = find(&file, request.audit.as_deref())?;
    let (model, endpoint) = endpoint(&audit)?;
    let wanted = Wanted {
        columns: Vec::new(),
        filter: audit.filter.clone(),
        derived: audit.derived.clone(),
        unknown: audit.unknown.clone(),
    };
    let data = Path::new(&audit.data);
    let local = source::local(folder, data, audit.relation.as_ref(), progress)?;
    let never = AtomicBool::new(false);
    let how = AskSettings {
        folder: folder.to_owned(),
        environment,
        stop: &never,
        backoff: BACKOFF,
        wait_max: WAIT_MAX,
    };
    let looks = look(
        endpoint,
        &model.inputs,
        LookRequest {
            wanted,
            source: local.source(),
            record: &request.record,
            n_rounds: request.n_rounds,
        },
        &how,
        progress,
    )?;
    let found = figures(&looks, &request.settings).ok_or_else(|| {
        JobError::Input(
            "the looks of the record do not fit together, or --alpha is not between 0 and 1"
                .to_owned(),
        )
    })?;
    let mut all = json!({
        "audit": audit.name,
        "url": endpoint.url,
        "record": request.record.display().to_string(),
        "fingerprint": looks.last().and_then(sealed_as),
    });
    if let (Some(all), Value::Object(found)) = (all.as_object_mut(), found) {
        all.extend(found);
    }
    Ok(all)
}

/// The fingerprint of a look whose rounds are all alike.
fn sealed_as(look: &Look) -> Option<String> {
    let (first, others) = look.rounds.split_first()?;
    let is_alike = others.iter().all(|round| round == first);
    is_alike.then(|| fingerprint(first.iter().cloned()))
}

/// The audit of this name, or the only one that asks an endpoint. Only the audits of the declaration are read: its law does not matter here.
fn find(file: &Path, name: Option<&str>) -> Result<Audit, JobError> {
    let shown = file.display();
    let audits = read::read(&shown.to_string(), &read_text(file)?)?.each("audit", Audit::read)?;
    let names: Vec<&str> = audits.iter().map(|audit| audit.name.as_str()).collect();
    if let Some(name) = name {
        let found = audits.iter().find(|audit| audit.name == name).cloned();
        return found.ok_or_else(|| {
            let hint = nearest(name, names);
            JobError::Input(format!("--audit: {shown} has no audit `{name}`; {hint}"))
        });
    }
    let mut asking = audits.iter().filter(|audit| endpoint(audit).is_ok());
    match (asking.next(), asking.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(JobError::Input(format!(
            "{shown}: no audit asks an endpoint; declare `[audit.model.endpoint]`"
        ))),
        (Some(_), Some(_)) => Err(JobError::Input(format!(
            "{shown}: several audits ask an endpoint; name one with --audit"
        ))),
    }
}

/// The endpoint that an audit asks.
fn endpoint(audit: &Audit) -> Result<(&Model, &Endpoint), JobError> {
    let model = audit.model.as_ref().ok_or_else(|| {
        JobError::Input(format!(
            "the audit `{}` has no model to ask; declare `[audit.model.endpoint]`",
            audit.name
        ))
    })?;
    match &model.by {
        ModelBy::Endpoint(endpoint) => Ok((model, endpoint)),
        ModelBy::Onnx(_) => Err(JobError::Input(format!(
            "the model of the audit `{}` is a file, which cannot change behind anybody's back; its hash is sealed",
            audit.name
        ))),
    }
}
