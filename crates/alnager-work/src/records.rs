//! Confirming facts, and submitting and deciding on evidence.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alnager_law::read::nearest;
use alnager_office::decide::{Command, EvidenceRuling, OfferedEvidence};
use alnager_office::declaration::{Declaration, DeclaredEvidence, DeclaredSignature};
use alnager_office::gate::kinds_taken;
use alnager_office::state::State;
use alnager_store::Receipt;
use jiff::civil::Date;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::files::{EVIDENCE_BYTES_MAX, read_bytes, read_text};
use crate::library::sha256;

/// Evidence to submit.
#[derive(Debug, Clone)]
pub struct NewEvidence {
    /// The system's id.
    pub system: String,
    /// The document.
    pub file: PathBuf,
    /// The kind.
    pub kind: String,
    /// The requirements it is offered for.
    pub requirements: Vec<String>,
    /// The first day it counts; without it today.
    pub effective: Option<Date>,
    /// The first day it no longer counts.
    pub expires: Option<Date>,
    /// An independent auditor's signature.
    pub signature: Option<NewSignature>,
}

/// An independent auditor's signature on evidence to submit.
#[derive(Debug, Clone)]
pub struct NewSignature {
    /// The signed note.
    pub note: PathBuf,
    /// The auditor's name.
    pub auditor: String,
}

/// What a command entered, for the screen.
pub struct Entered {
    /// The receipt.
    pub receipt: Receipt,
    /// The state after it.
    pub state: Arc<State>,
    /// Who acted.
    pub actor: String,
}

/// Confirms a fact on behalf of someone outside the building team.
pub async fn confirm_fact(
    flags: &Flags,
    system: &str,
    fact: &str,
    value: Option<&str>,
    basis: &str,
) -> Result<Entered, JobError> {
    let command = Command::ConfirmFact {
        system: system.to_owned(),
        fact: fact.to_owned(),
        value: value.map(str::to_owned),
        basis: basis.to_owned(),
    };
    enter(flags, About::System(system), |_, _| Ok(command)).await
}

/// Submits evidence outside a declaration.
pub async fn add_evidence(flags: &Flags, new: &NewEvidence) -> Result<Entered, JobError> {
    let bytes = read_bytes(
        &new.file,
        EVIDENCE_BYTES_MAX,
        "cannot be read; name the document to submit",
    )?;
    let name = file_name(&new.file);
    let note = match &new.signature {
        Some(signature) => Some(read_text(&signature.note)?),
        None => None,
    };
    let signature = new.signature.as_ref();
    let signature = signature.map(|signature| DeclaredSignature {
        file: file_name(&signature.note),
        auditor: signature.auditor.trim().to_owned(),
    });
    if signature.as_ref().is_some_and(|one| one.auditor.is_empty()) {
        return Err(JobError::Input(
            "an auditor has a name; give it with --auditor NAME".to_owned(),
        ));
    }
    enter(flags, About::System(&new.system), |acting, today| {
        let book = &acting.library.book;
        if !book.evidence.items.contains_key(&new.kind) {
            let hint = nearest(&new.kind, book.evidence.items.keys().map(String::as_str));
            return Err(JobError::Input(format!(
                "there is no kind of evidence `{}`; {hint}",
                new.kind
            )));
        }
        let ids = || {
            book.packs()
                .flat_map(|pack| &pack.requirements)
                .map(|text| text.id.as_str())
        };
        if let Some(other) = new
            .requirements
            .iter()
            .find(|id| !ids().any(|known| known == id.as_str()))
        {
            return Err(JobError::Input(format!(
                "there is no requirement `{other}`; {}",
                nearest(other, ids())
            )));
        }
        for id in &new.requirements {
            let taken = kinds_taken(book, id).unwrap_or_default();
            if !taken.contains(&new.kind) {
                let taken = taken.join("`, `");
                let problem = format!("`{id}` asks for `{taken}`, not for `{}`", new.kind);
                return Err(JobError::Input(problem));
            }
        }
        let effective = new.effective.unwrap_or(today);
        if new.expires.is_some_and(|expires| expires <= effective) {
            return Err(JobError::Input(format!(
                "the evidence would expire before it takes effect on {effective}; correct --expires"
            )));
        }
        let declared = DeclaredEvidence {
            file: name.clone(),
            kind: new.kind.clone(),
            requirements: new.requirements.clone(),
            effective,
            expires: new.expires,
            submitted_by: acting.actor.clone(),
            signature,
        };
        let offered = OfferedEvidence {
            declared,
            sha256: sha256(&bytes),
            bytes: Arc::new(bytes.clone()),
            note,
        };
        Ok(Command::AddEvidence {
            system: new.system.clone(),
            offered,
        })
    })
    .await
}

fn file_name(path: &Path) -> String {
    let name = path.file_name();
    name.map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Offers evidence on record for further requirements.
pub async fn offer_evidence(
    flags: &Flags,
    evidence: &str,
    requirements: &[String],
) -> Result<Entered, JobError> {
    let command = Command::OfferEvidence {
        evidence: evidence.to_owned(),
        requirements: requirements.to_vec(),
    };
    enter(flags, About::Evidence(evidence), |_, _| Ok(command)).await
}

/// Accepts or rejects evidence on behalf of someone other than who submitted it.
pub async fn rule_on_evidence(
    flags: &Flags,
    ruling: EvidenceRuling,
    accept: bool,
) -> Result<Entered, JobError> {
    let evidence = ruling.evidence.clone();
    enter(flags, About::Evidence(&evidence), |_, _| {
        Ok(if accept {
            Command::AcceptEvidence(ruling.clone())
        } else {
            Command::RejectEvidence(ruling.clone())
        })
    })
    .await
}

/// The desk's state, as of `--recorded` or now.
pub async fn state(flags: &Flags) -> Result<State, JobError> {
    let acting = Acting::begin(flags)?;
    let mut desk = acting.desk().await?;
    acting.state(&mut desk).await
}

/// What a command is about, so that its day is taken in the right time zone.
pub(crate) enum About<'a> {
    System(&'a str),
    Evidence(&'a str),
    /// The organisation as a whole: the day is taken where its first system runs.
    Organisation,
}

impl About<'_> {
    fn declaration(&self, state: &State) -> Option<Declaration> {
        let system = match self {
            About::System(system) => (*system).to_owned(),
            About::Evidence(evidence) => state.evidence.get(*evidence)?.submitted.system.clone(),
            About::Organisation => state.systems.keys().next()?.clone(),
        };
        Some(state.systems.get(&system)?.declaration.clone())
    }
}

pub(crate) async fn enter(
    flags: &Flags,
    about: About<'_>,
    command: impl FnOnce(&Acting, Date) -> Result<Command, JobError>,
) -> Result<Entered, JobError> {
    let acting = Acting::to_enter(flags)?;
    let mut desk = acting.desk().await?;
    let declaration = about.declaration(&desk.state());
    let with = acting.context(&desk, declaration.as_ref())?;
    let command = command(&acting, with.today)?;
    let receipt = acting.commit(&mut desk, &command, &with).await?;
    Ok(Entered {
        receipt,
        state: desk.state(),
        actor: acting.actor.clone(),
    })
}
