//! What a profile adds to an audit: which parts are shown, for whom, and what each test serves.

use alnager_audit::profile::Profile;
use alnager_audit::profile::eeoc;
use alnager_audit::profile::ll144::Summary;
use serde_json::{Map, Value, json};

use super::details::Details;

/// Everything a page shows besides the audit itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileView {
    /// What the profile alone shows.
    pub part: Part,
    /// Error rates and scores.
    pub details: Details,
    /// What each test serves.
    pub theories: Theories,
    /// Whether a page for the public is wanted beside the private one.
    pub is_public: bool,
    /// Counts below this are not shown to the public.
    pub small_cell: u64,
}

/// What a profile alone shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Nothing more.
    General,
    /// New York City's Local Law 144.
    Ll144(Box<SummaryView>),
    /// Jobs and stages.
    Eeoc(Vec<eeoc::Job>),
    /// Credit.
    Ecoa(EcoaView),
    /// The EU AI Act.
    Eu(EuView),
}

/// The public summary of Local Law 144.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryView {
    /// The tables.
    pub summary: Summary,
    /// The tool; `None` where it was not stated, as below.
    pub tool: Option<String>,
    /// Source and explanation of the data.
    pub source: Option<String>,
    /// The day the employer or agency began to use the tool.
    pub distribution_date: Option<String>,
    /// The day of the audit.
    pub audit_date: Option<String>,
    /// Why small categories are left out of the ratios; `None` where none is.
    pub justification: Option<String>,
    /// Counts below this are not shown; `None` shows all.
    pub small_cell: Option<u64>,
    /// The independent auditor whose signed audit is sealed.
    pub signed_by: Option<SignedBy>,
}

/// What every page of the profile `ll144` says unless an independent auditor's signed audit is sealed.
pub const SELF_TEST: &str = "self-test, not a bias audit under 6 RCNY 5-301";

/// An independent auditor's signature that is sealed in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The auditor.
    pub auditor: String,
    /// The day of the signature.
    pub signed_on: String,
    /// The entry of the journal.
    pub entry: u64,
}

/// What the credit profile adds.
#[derive(Debug, Clone, PartialEq)]
pub struct EcoaView {
    /// The day of the decisions, which decides the theory.
    pub judged_on: String,
    /// Raw and controlled figures as `alnager audit lending` makes them; `None` where no control was named.
    pub controlled: Option<Value>,
}

/// What the EU profile adds.
#[derive(Debug, Clone, PartialEq)]
pub struct EuView {
    /// The ground on which people were counted by a special category; `None` where none was stated.
    pub lawful_basis: Option<String>,
    /// The attributes counted by.
    pub attributes: Vec<String>,
}

/// What each test serves, and what was looked for in vain.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Theories {
    /// The day judged.
    pub judged_on: String,
    /// Law known by this day.
    pub known_on: String,
    /// The places asked about; empty asks about all.
    pub places: Vec<String>,
    /// The kind of decision; `None` asks about all.
    pub domain: Option<String>,
    /// One entry for each test and theory.
    pub list: Vec<TheoryView>,
    /// Title, and why it is not there.
    pub absent: Vec<(String, String)>,
}

/// A theory that a test serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TheoryView {
    /// The test.
    pub test: String,
    /// The theory's id, and its title.
    pub id: String,
    /// The title.
    pub theory: String,
    /// The source.
    pub cite: String,
    /// Where it governs.
    pub jurisdiction: String,
    /// How it stands on the day judged, in words.
    pub standing: String,
    /// Whether it is known to govern then.
    pub is_in_force: bool,
    /// The only number its text names, and whether that is law; or why there is none.
    pub limit: String,
    /// What counsel must decide.
    pub counsel: String,
    /// What happened to it, and what is printed beside this test.
    pub notes: Vec<String>,
}

impl ProfileView {
    /// Its profile.
    pub fn profile(&self) -> Profile {
        match self.part {
            Part::General => Profile::General,
            Part::Ll144(_) => Profile::Ll144,
            Part::Eeoc(_) => Profile::Eeoc,
            Part::Ecoa(_) => Profile::Ecoa,
            Part::Eu(_) => Profile::Eu,
        }
    }
}

/// What a profile adds to the JSON of an audit: `profile`, `theories`, and its own part (`public_summary`, `jobs`, `controlled`,
/// `special_category`).
pub fn profile_json(view: &ProfileView) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("profile".to_owned(), json!(view.profile().word()));
    document.insert("theories".to_owned(), theories(&view.theories));
    match &view.part {
        Part::General => {}
        Part::Ll144(summary) => {
            document.insert("public_summary".to_owned(), public_summary(summary));
        }
        Part::Eeoc(jobs) => {
            document.insert("jobs".to_owned(), eeoc::json(jobs));
        }
        Part::Ecoa(part) => {
            document.insert("controlled".to_owned(), json!(part.controlled));
        }
        Part::Eu(part) => {
            let basis = json!({ "attributes": part.attributes, "lawful_basis": part.lawful_basis });
            document.insert("special_category".to_owned(), basis);
        }
    }
    document
}

fn public_summary(view: &SummaryView) -> Value {
    let mut summary = tables(view);
    summary.extend([
        (
            "notice".to_owned(),
            json!(view.signed_by.is_none().then_some(SELF_TEST)),
        ),
        (
            "independent_audit".to_owned(),
            json!(view.signed_by.as_ref().map(|signed| &signed.auditor)),
        ),
    ]);
    Value::Object(summary)
}

/// What an auditor signs: the tables and what is published with them, and the hash of the data they were counted from. The same
/// audit of the same data gives the same bytes.
pub fn signed_document(view: &SummaryView, sha256: &str) -> Vec<u8> {
    let mut document = tables(view);
    document.insert("data_sha256".to_owned(), json!(sha256));
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    format!("{text}\n").into_bytes()
}

fn tables(view: &SummaryView) -> Map<String, Value> {
    let mut summary = match alnager_audit::profile::ll144::json(&view.summary) {
        Value::Object(summary) => summary,
        _ => Map::new(),
    };
    summary.extend([
        ("tool".to_owned(), json!(view.tool)),
        ("source".to_owned(), json!(view.source)),
        (
            "distribution_date".to_owned(),
            json!(view.distribution_date),
        ),
        ("audit_date".to_owned(), json!(view.audit_date)),
        ("justification".to_owned(), json!(view.justification)),
    ]);
    summary
}

fn theories(theories: &Theories) -> Value {
    let one = |theory: &TheoryView| {
        json!({
            "test": theory.test,
            "theory": theory.id,
            "title": theory.theory,
            "cite": theory.cite,
            "jurisdiction": theory.jurisdiction,
            "standing": theory.standing,
            "in_force": theory.is_in_force,
            "limit": theory.limit,
            "counsel": theory.counsel,
            "notes": theory.notes,
        })
    };
    let absent = |(title, why): &(String, String)| json!({ "title": title, "why": why });
    json!({
        "judged_on": theories.judged_on,
        "known_on": theories.known_on,
        "places": theories.places,
        "domain": theories.domain,
        "serving": theories.list.iter().map(one).collect::<Vec<_>>(),
        "absent": theories.absent.iter().map(absent).collect::<Vec<_>>(),
    })
}
