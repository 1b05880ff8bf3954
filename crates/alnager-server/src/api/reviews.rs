//! Reviews: measured where the data are, judged and sealed here.

use std::sync::Arc;

use alnager_audit::declared::Audit;
use alnager_audit::measures::{DataStamp, DecisionRanges, Measures};
use alnager_audit::table::{CountTable, SampleTable, ScoreTable, TableError};
use alnager_law::requirement::AsOf;
use alnager_office::decide::{OfferedEvidence, Review as Draft};
use alnager_office::declaration::{Declaration, DeclaredEvidence};
use alnager_office::gate::Gate as LooksAt;
use alnager_report::html::Seal;
use alnager_report::json::JournalHead;
use alnager_report::screen::Style;
use alnager_work::found::{Found, head};
use alnager_work::library::sha256;
use alnager_work::review::{gate_day, late, named_seal, said, stamp, unsealed};
use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::access::{Action, Resource};
use crate::api::ask::{Ask, Asked, worked_out};
use crate::api::evidence::DOCUMENT_BYTES_MAX;
use crate::api::gate::{Launch, X_GATE};
use crate::api::shape::Verdict;
use crate::api::systems::parsed;
use crate::at::At;
use crate::refusal::Refusal;

/// Most bytes of a whole review: its documents in base64, its counts.
pub(super) const BODY_BYTES_MAX: usize = 64 << 20;

/// Most warnings of a measurement, and most characters of one.
const WARNINGS_MAX: usize = 100;
const WARNING_CHARACTERS_MAX: usize = 2_000;

/// How the words are laid out: for the log of a CI.
const STYLE: Style = Style {
    colour: false,
    width: 100,
};

/// What a gate looks at.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GateName {
    /// Requirements and tests, before use.
    #[default]
    Launch,
    /// The measurements alone.
    Tests,
}

/// A declaration to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPlan {
    /// The text of `system.toml`.
    declaration: String,
}

/// What a review of a declaration needs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Plan {
    /// The system.
    system: String,
    /// Whether it was not declared before.
    is_new: bool,
    /// The audits to be measured, in the order in which they are sent.
    audits: Vec<String>,
    /// The files to be sent as evidence.
    documents: Vec<String>,
}

/// A review: what was declared, and what was measured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReview {
    /// The text of `system.toml`.
    declaration: String,
    /// What the gate looks at; without it requirements and tests.
    #[serde(default)]
    gate: Option<GateName>,
    /// The day judged; without it the day of going live, or today.
    at: Option<Date>,
    /// Law published by this day counts; without it today.
    known: Option<Date>,
    /// The documents that the declaration offers as evidence, each once.
    #[serde(default)]
    evidence: Vec<NewDocument>,
    /// The measures of every declared audit, in their order.
    #[serde(default)]
    measures: Vec<NewMeasures>,
    /// Warnings of the measurement.
    #[serde(default)]
    warnings: Vec<String>,
}

/// A document that the declaration offers as evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDocument {
    /// The file, as declared.
    file: String,
    /// The document, base64: at most 20 MB before it.
    #[schema(content_encoding = "base64")]
    document: String,
    /// The text of the auditor's signed note, where one is declared.
    signature: Option<String>,
}

/// What was counted for one audit, in the canonical tables that are sealed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMeasures {
    /// The audit's name.
    audit: String,
    /// What was counted: the data's name as declared, SHA-256, bytes and rows.
    #[schema(value_type = Object)]
    data: DataStamp,
    /// Counts by group, label and decision, as CSV.
    counts: String,
    /// Counts by group, label and score level, as CSV.
    scores: Option<String>,
    /// Counts by group, label and score, as CSV.
    samples: Option<String>,
}

/// What is wanted of a review.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// What the gate looks at; without it requirements and tests.
    #[serde(default)]
    gate: Option<GateName>,
}

/// What a review finds, in every form.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewFound {
    /// The verdict.
    verdict: Verdict,
    /// The exit code that the command line has for it: 0 clear, 1 hold, 3 undecided.
    exit_code: u8,
    /// How the decision on going live stands.
    launch: Launch,
    /// For programs, as the command line writes it with `--format json`.
    #[schema(value_type = Object)]
    review: Value,
    /// For people, 100 characters a line.
    words: String,
    /// For a CI: JUnit XML.
    junit: String,
    /// For a browser: the report, one HTML file.
    report: String,
}

impl GateName {
    fn known(self) -> LooksAt {
        match self {
            GateName::Launch => LooksAt::Launch,
            GateName::Tests => LooksAt::Tests,
        }
    }
}

/// Checks a declaration.
pub(super) async fn plan(asked: Asked) -> Result<Response, Refusal> {
    let new: NewPlan = asked.json()?;
    let declaration = declared(&asked.at, &new.declaration)?;
    let plan = Plan {
        is_new: !asked.at.state().systems.contains_key(&declaration.id),
        audits: names(&declaration.audits, |audit| &audit.name),
        documents: names(&declaration.evidence, |evidence| &evidence.file),
        system: declaration.id,
    };
    Ok(Json(plan).into_response())
}

/// Judges and seals a review.
pub(super) async fn make(asked: Asked<BODY_BYTES_MAX>) -> Result<Response, Refusal> {
    let new: NewReview = asked.json()?;
    let declaration = declared(&asked.at, &new.declaration)?;
    let gate = new.gate.unwrap_or_default().known();
    let draft = new.draft(&asked.at, declaration, gate)?;
    let sealed = asked.seal(draft).await?;
    let receipt = &sealed.receipt;
    let at = asked.at.again();
    let seal = named_seal(receipt);
    let id = sealed.assessment.declaration.id.clone();
    let (assessment, warnings, shown) = (sealed.assessment, sealed.warnings, at.clone());
    let found = worked_out(move || {
        let name = |id: &str| shown.name(id);
        Found::of(
            &shown.moment.library,
            shown.state(),
            &assessment,
            &warnings,
            &name,
        )
    });
    let made = ReviewFound::of(&at, &id, &found.await?, &seal, Some(head(receipt)))?;
    let verdict = made.verdict;
    told(verdict, asked.written(StatusCode::CREATED, receipt, made)?)
}

/// Shows what a review would find now.
pub(super) async fn show(at: At, Ask(wanted): Ask<Wanted>) -> Result<Response, Refusal> {
    let id = at.named("system").to_owned();
    let gate = wanted.gate.unwrap_or_default().known();
    let seal = unsealed(at.organisation.reader().await?.origin());
    let (shown, system) = (at.clone(), id.clone());
    let found = worked_out(move || {
        let assessment = shown.moment.assessment_at(&system, None, gate)?;
        let name = |id: &str| shown.name(id);
        Some(Found::of(
            &shown.moment.library,
            shown.state(),
            &assessment,
            &shown.moment.warnings(&system),
            &name,
        ))
    });
    let found = found.await?.ok_or(Refusal::NotFound)?;
    let review = ReviewFound::of(&at, &id, &found, &seal, None)?;
    told(review.verdict, Json(review).into_response())
}

impl ReviewFound {
    fn of(
        at: &At,
        system: &str,
        found: &Found,
        seal: &Seal,
        journal: Option<JournalHead>,
    ) -> Result<ReviewFound, Refusal> {
        let verdict = Verdict::of(found.view.verdict);
        Ok(ReviewFound {
            verdict,
            exit_code: verdict.exit_code(),
            launch: Launch::of(at, system),
            review: found.json(None, None, journal),
            words: found.words(STYLE),
            junit: found.junit()?,
            report: found.report(seal),
        })
    }
}

impl NewReview {
    fn draft(self, at: &At, declaration: Declaration, gate: LooksAt) -> Result<Draft, Refusal> {
        let long = |text: &String| text.chars().count() > WARNING_CHARACTERS_MAX;
        if self.warnings.len() > WARNINGS_MAX || self.warnings.iter().any(long) {
            let words = format!(
                "at most {WARNINGS_MAX} warnings of {WARNING_CHARACTERS_MAX} characters each"
            );
            return Err(Refusal::field("warnings", words));
        }
        let today = at.today();
        let mut warnings = late(&declaration, today);
        warnings.extend(self.warnings);
        let when = AsOf {
            valid: self.at.or(gate_day(&declaration)).unwrap_or(today),
            known: self.known.unwrap_or(today),
        };
        Ok(Draft {
            evidence: evidence(self.evidence, &declaration.evidence)?,
            measures: measures(self.measures, &declaration.audits)?,
            declaration,
            when,
            gate,
            warnings,
            report: stamp(),
            documents: Vec::new(),
        })
    }
}

/// A declaration that whoever asks may have reviewed.
fn declared(at: &At, text: &str) -> Result<Declaration, Refusal> {
    let declaration = parsed(at, text, true)?;
    said("system.toml".as_ref(), &declaration)?;
    let resource = match at.state().systems.get(&declaration.id) {
        Some(system) => Resource::System(system),
        None => Resource::Organisation,
    };
    match at.may(Action::Review, resource) {
        true => Ok(declaration),
        false => Err(Refusal::Forbidden(format!(
            "`{}` is built by others; whoever builds it, or the officer, may have it reviewed",
            declaration.id
        ))),
    }
}

/// The documents of a declaration, in its order.
fn evidence(
    sent: Vec<NewDocument>,
    declared: &[DeclaredEvidence],
) -> Result<Vec<OfferedEvidence>, Refusal> {
    let files = names(declared, |evidence| &evidence.file);
    if !sent.iter().map(|document| &document.file).eq(&files) {
        return Err(Refusal::field("evidence", listed("documents", &files)));
    }
    let pairs = sent.into_iter().zip(declared).enumerate();
    let offered = pairs.map(|(at, (sent, declared))| {
        let wrong = |field: &str, words: &str| {
            Refusal::field(&format!("evidence[{at}].{field}"), words.to_owned())
        };
        let bytes = STANDARD.decode(sent.document.as_bytes());
        let bytes =
            bytes.map_err(|_| wrong("document", "it is no base64 (RFC 4648, section 4)"))?;
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(wrong("document", "a document has at most 20 MB"));
        }
        if sent.signature.is_some() != declared.signature.is_some() {
            return Err(wrong(
                "signature",
                "send the note where one is declared, and only there",
            ));
        }
        Ok(OfferedEvidence {
            declared: declared.clone(),
            sha256: sha256(&bytes),
            bytes: Arc::new(bytes),
            note: sent.signature,
        })
    });
    offered.collect()
}

/// What was measured of every audit of a declaration, in its order.
fn measures(sent: Vec<NewMeasures>, audits: &[Audit]) -> Result<Vec<Measures>, Refusal> {
    let wanted = names(audits, |audit| &audit.name);
    if !sent.iter().map(|measures| &measures.audit).eq(&wanted) {
        return Err(Refusal::field(
            "measures",
            listed("measures of the audits", &wanted),
        ));
    }
    let pairs = sent.into_iter().zip(audits).enumerate();
    pairs
        .map(|(at, (sent, audit))| sent.read(audit, &format!("measures[{at}]")))
        .collect()
}

impl NewMeasures {
    fn read(self, audit: &Audit, field: &str) -> Result<Measures, Refusal> {
        let wrong = |part: &str, error: TableError| {
            Refusal::field(&format!("{field}.{part}"), error.to_string())
        };
        let table = CountTable::from_csv(&self.counts).map_err(|error| wrong("counts", error))?;
        let scores = self.scores.as_deref().map(ScoreTable::from_csv).transpose();
        let samples = self.samples.as_deref().map(SampleTable::from_csv);
        let measures = Measures {
            audit: self.audit,
            data: self.data,
            table,
            scores: scores.map_err(|error| wrong("scores", error))?,
            samples: samples
                .transpose()
                .map_err(|error| wrong("samples", error))?,
            ranges: DecisionRanges::new(),
            persons: None,
        };
        let fits = measures.fit(audit);
        fits.map_err(|problem| Refusal::field(field, problem.to_owned()))?;
        Ok(measures)
    }
}

fn names<T>(all: &[T], name: impl Fn(&T) -> &String) -> Vec<String> {
    all.iter().map(|one| name(one).clone()).collect()
}

fn listed(what: &str, names: &[String]) -> String {
    match names.is_empty() {
        true => format!("the declaration has no {what}; send none"),
        false => format!("send the {what} in their order: `{}`", names.join("`, `")),
    }
}

fn told(verdict: Verdict, mut response: Response) -> Result<Response, Refusal> {
    let word = HeaderValue::from_static(verdict.word());
    response.headers_mut().insert(X_GATE, word);
    Ok(response)
}
