//! The gate: whether a system may go before a person's decision, and if not, what stands in the way.
//!
//! Any gap or failed test: *hold*. Else anything unknown or inconclusive: *undecided*. Else *clear*, which means ready for a
//! person's decision. Nothing asked for is *undecided* too: unknown never passes.

use std::collections::BTreeSet;

use alnager_audit::judge::{Outcome, TestResult};
use alnager_audit::measures::DataStamp;
use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::conflict::{ConflictPair, conflicts};
use alnager_law::pack::{Phase, RequirementKind, RequirementText};
use alnager_law::requirement::{AsOf, Force, Requirement, Standing};
use alnager_law::rule::Truth;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::{Opinion, ReadingRecorded};
use crate::declaration::Declaration;
use crate::event::BookStamp;
use crate::evidence::{Evidence, Standing as EvidenceStanding};
use crate::signature;
use crate::state::State;

/// The kind of evidence that shows readiness for what happens later.
const READINESS: &str = "procedure";

/// What is said of a requirement for an independent auditor's work where there is none that counts.
const NO_SIGNED_AUDIT: &str = "no bias audit signed by an independent auditor is sealed; what was measured here is a self-test";

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ready for a person's decision.
    Clear,
    /// A gap or a failed test stands in the way.
    Hold,
    /// Something is unknown or inconclusive, or nothing was asked for.
    Undecided,
}

/// What the gate looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Requirements and tests, before use.
    Launch,
    /// The measurements alone, for the model team's pipeline.
    Tests,
}

/// How a requirement fares on the day judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every kind of evidence it needs is accepted and in date, or measured.
    Met,
    /// Its absence is stated, its evidence was rejected or has expired, or its test failed.
    Gap,
    /// Neither shown nor denied.
    Unknown,
    /// It governs from a later day.
    Ahead,
    /// Its day has come, but not its trigger.
    Waiting,
    /// It no longer governs.
    Ended,
    /// It does not concern the system.
    NotApplicable,
    /// A risk, a gap of the law or a safe harbour: shown, never blocking.
    Noted,
}

/// A requirement, and how it fares.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The requirement.
    pub requirement: Requirement,
    /// How it fares.
    pub status: Status,
    /// Why, in words.
    pub why: String,
    /// What to do next, in words; empty where there is nothing to do.
    pub next: String,
    /// Who owns it: a person's id.
    pub owner: String,
    /// The evidence that was looked at.
    pub evidence: Vec<String>,
    /// Whether it may stand in the way: law and policy may; a framework only where it is adopted and the policy says so.
    pub binds: bool,
    /// Counsel's reading, where one counts.
    pub reading: Option<ReadingRecorded>,
    /// The duties of the system it pulls against, for counsel. They change no verdict.
    pub conflicts: Vec<ConflictPair>,
}

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The requirement's id, or the test's.
    pub id: String,
    /// What it is, in words.
    pub what: String,
    /// The citation.
    pub citation: String,
    /// Who must act: a person's id.
    pub owner: String,
    /// What to do next.
    pub next: String,
    /// Whether it holds the gate, or leaves it undecided.
    pub holds: bool,
}

/// A system was reviewed: verdict and figures as claims that can be recomputed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemReviewed {
    /// The system.
    pub system: String,
    /// What the gate looked at.
    pub gate: Gate,
    /// The day judged.
    pub judged_on: Date,
    /// Law published by this day counted.
    pub known: Date,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether neither law nor policy asked for anything.
    pub nothing_required: bool,
    /// The law and policy in use.
    pub book: BookStamp,
    /// How every requirement fared.
    pub requirements: Vec<RequirementClaim>,
    /// Every test result.
    pub results: Vec<ResultClaim>,
    /// What was counted.
    pub data: Vec<DataStamp>,
    /// The methods used, with their versions.
    pub methods: Vec<String>,
    /// Warnings of the measurement.
    pub warnings: Vec<String>,
    /// What the report sealed with the review was rendered with.
    pub report: ReportStamp,
}

/// What a sealed report was rendered with besides the claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportStamp {
    /// The form of the report, with its version.
    pub form: String,
    /// The journal before the review: its size and root, base64; `None` in a new desk.
    pub previous: Option<(u64, String)>,
}

/// How one requirement fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementClaim {
    /// Its id.
    pub id: String,
    /// Its pack.
    pub pack: String,
    /// How it fared.
    pub status: Status,
    /// The first day it governs, where it governs.
    pub from: Option<Date>,
    /// Who owns it: a person's id.
    pub owner: String,
}

/// One test result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultClaim {
    /// The test.
    pub test: String,
    /// The audit.
    pub audit: String,
    /// The attribute.
    pub attribute: String,
    /// The group.
    pub group: String,
    /// The reference.
    pub reference: Option<String>,
    /// The figure.
    pub metric: String,
    /// Its value.
    pub value: Option<f64>,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
    /// Rows of the group.
    pub n: u64,
    /// Holm's p-value.
    pub p_holm: Option<f64>,
    /// The outcome's word.
    pub result: String,
    /// Whether the group is large enough to be judged.
    pub is_judged: bool,
    /// The method.
    pub method: String,
}

impl Verdict {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Clear => "clear",
            Verdict::Hold => "hold",
            Verdict::Undecided => "undecided",
        }
    }
}

impl Status {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Status::Met => "met",
            Status::Gap => "gap",
            Status::Unknown => "unknown",
            Status::Ahead => "ahead",
            Status::Waiting => "waiting",
            Status::Ended => "ended",
            Status::NotApplicable => "not applicable",
            Status::Noted => "noted",
        }
    }

    /// Whether it stands in the way of a launch.
    pub fn blocks(self) -> bool {
        matches!(self, Status::Gap | Status::Unknown)
    }
}

impl Judged {
    /// Whether it counts for the gate: binding, and in force or possibly so.
    pub fn counts(&self) -> bool {
        self.binds && matches!(self.status, Status::Met | Status::Gap | Status::Unknown)
    }

    /// Whether it is known to concern the system and asks for something: in force, from a later day, or waiting.
    pub fn asks(&self) -> bool {
        match self.status {
            Status::Met | Status::Gap | Status::Unknown | Status::Ahead | Status::Waiting => {
                self.requirement.concerns()
            }
            Status::Ended | Status::NotApplicable | Status::Noted => false,
        }
    }

    /// Whether it is known to be in force; what counts and is not may apply, once a fact is settled.
    pub fn is_in_force(&self) -> bool {
        matches!(self.requirement.standing, Standing::InForce { .. })
    }

    /// The first day it governs, where it governs.
    pub fn from(&self) -> Option<Date> {
        match &self.requirement.standing {
            Standing::InForce { from } | Standing::Ahead { from } => Some(*from),
            Standing::Waiting { until, .. } => Some(*until),
            Standing::Unknown { from, .. } => *from,
            Standing::Ended { .. } | Standing::NotApplicable(_) => None,
        }
    }
}

impl ResultClaim {
    /// The claim a result makes.
    pub fn of(result: &TestResult) -> Self {
        ResultClaim {
            test: result.test.clone(),
            audit: result.audit.clone(),
            attribute: result.attribute.clone(),
            group: result.group.clone(),
            reference: result.reference.clone(),
            metric: result.metric.word().to_owned(),
            value: result.value,
            low: result.interval.map(|interval| interval.low),
            high: result.interval.map(|interval| interval.high),
            n: result.n,
            p_holm: result.p_holm,
            result: result.outcome.word().to_owned(),
            is_judged: result.is_judged,
            method: result.method.to_owned(),
        }
    }
}

/// What the gate knows besides the requirements.
pub struct GateInput<'a> {
    /// The organisation.
    pub state: &'a State,
    /// The declaration under review.
    pub declaration: &'a Declaration,
    /// The book.
    pub book: &'a Book,
    /// The policy.
    pub policy: &'a Policy,
    /// What became of the tests, by attribute.
    pub outcomes: &'a [TestOutcome],
    /// The day judged and the day of knowledge.
    pub when: AsOf,
}

/// How every requirement fares.
pub fn fare(requirements: Vec<Requirement>, input: &GateInput<'_>) -> Vec<Judged> {
    let judged = requirements
        .into_iter()
        .map(|requirement| fares(requirement, input));
    let mut judged: Vec<Judged> = judged.collect();
    let asked = judged.iter().filter(|judged| judged.asks());
    let pairs = conflicts(asked.map(|judged| &judged.requirement), &input.book.figures);
    for pair in &pairs {
        let sides = judged
            .iter_mut()
            .filter(|judged| pair.against(&judged.requirement.text().id).is_some());
        sides.for_each(|side| side.conflicts.push(pair.clone()));
    }
    judged
}

fn fares(requirement: Requirement, input: &GateInput<'_>) -> Judged {
    let text = requirement.text();
    let counsel = &input.state.counsel;
    let pack = &requirement.pack().id;
    let is_adopted = !requirement.is_voluntary() || counsel.adopts(pack);
    let binds = !requirement.is_voluntary() || (is_adopted && input.policy.blocking.contains(pack));
    let reading = input.state.reading_for(&requirement, &input.declaration.id);
    let reading = reading.cloned();
    let is_open = reading.is_none() && binds;
    let governs = |status, why: String| (status, why, String::new(), Vec::new());
    // A risk, a gap of the law or a safe harbour asks for nothing; nor does a framework nobody adopted.
    let asks = is_adopted
        && match text.kind {
            RequirementKind::SafeHarbour | RequirementKind::Risk | RequirementKind::Gap => false,
            RequirementKind::Duty | RequirementKind::Prohibition | RequirementKind::Condition => {
                true
            }
        };
    let mut owner = input.declaration.owner_of(&text.id, &text.role).to_owned();
    let (status, why, next, evidence) = match &requirement.standing {
        // It is ruled out by what is not confirmed: what rules it out is for counsel like what binds.
        Standing::NotApplicable(_) if is_open && asks && !requirement.for_counsel.is_empty() => {
            owner = input.declaration.owner_of(&text.id, "legal").to_owned();
            for_counsel(&requirement)
        }
        Standing::NotApplicable(_) => governs(
            Status::NotApplicable,
            "it does not concern the system".to_owned(),
        ),
        // Nobody knows yet whether its day has come, or gone.
        Standing::Ended { .. } | Standing::Ahead { .. } | Standing::Waiting { .. }
            if is_open && asks && requirement.is_date_unconfirmed =>
        {
            owner = input.declaration.owner_of(&text.id, "legal").to_owned();
            for_counsel(&requirement)
        }
        Standing::Ended { on } => governs(Status::Ended, format!("it ended on {on}")),
        Standing::InForce { .. }
            if binds && asks && !counsel.stale(input.book, &text.id).is_empty() =>
        {
            stale_words(text, input)
        }
        _ if reading
            .as_ref()
            .is_some_and(|reading| reading.opinion == Opinion::Rejected) =>
        {
            governs(
                Status::NotApplicable,
                "counsel's reading: it does not bind the organisation".to_owned(),
            )
        }
        _ if !is_adopted => governs(
            Status::Noted,
            match requirement.force {
                Force::Bill => "a bill: what would apply if it became law".to_owned(),
                _ => "voluntary, and not adopted by the organisation".to_owned(),
            },
        ),
        Standing::InForce { .. } | Standing::Unknown { .. } if !asks => {
            governs(Status::Noted, "shown, never blocking".to_owned())
        }
        Standing::Waiting { until, .. } => governs(
            Status::Waiting,
            format!("its trigger cannot exist before {until}"),
        ),
        Standing::Ahead { from } => governs(Status::Ahead, format!("it governs from {from}")),
        // The day that is not confirmed may have come.
        Standing::Unknown { from, .. }
            if is_open
                && requirement.is_date_unconfirmed
                && from.is_some_and(|from| from > input.when.valid) =>
        {
            owner = input.declaration.owner_of(&text.id, "legal").to_owned();
            for_counsel(&requirement)
        }
        Standing::Unknown { from, missing } if from.is_none_or(|from| from > input.when.valid) => {
            let (why, next) = missing_words(missing, input);
            (
                Status::Ahead,
                format!("it may govern later; {why}"),
                next,
                Vec::new(),
            )
        }
        Standing::Unknown { missing, .. } => {
            let (why, next) = missing_words(missing, input);
            (Status::Unknown, why, next, Vec::new())
        }
        Standing::InForce { .. } if reading.is_none() && !requirement.for_counsel.is_empty() => {
            owner = input.declaration.owner_of(&text.id, "legal").to_owned();
            for_counsel(&requirement)
        }
        Standing::InForce { .. } => shown(&requirement, input),
    };
    Judged {
        requirement,
        status,
        why,
        next,
        owner,
        evidence,
        binds,
        reading,
        conflicts: Vec::new(),
    }
}

/// A requirement whose core is not confirmed: counsel adopts or rejects it, and until then nobody knows whether it is met.
fn for_counsel(requirement: &Requirement) -> (Status, String, String, Vec<String>) {
    let id = &requirement.text().id;
    (
        Status::Unknown,
        format!(
            "for counsel, not confirmed: {}",
            requirement.for_counsel.join("; ")
        ),
        format!(
            "have counsel adopt or reject it (`alnager law reading adopt {id} --text TEXT --as NAME`, or `reject`)"
        ),
        Vec::new(),
    )
}

/// A requirement whose official text has changed since it was written, and that nobody has confirmed since.
fn stale_words(
    text: &RequirementText,
    input: &GateInput<'_>,
) -> (Status, String, String, Vec<String>) {
    let id = &text.id;
    let stale = input.state.counsel.stale(input.book, id);
    let provisions: Vec<&str> = stale.iter().map(|stale| stale.provision.as_str()).collect();
    (
        Status::Unknown,
        format!(
            "stale: the official text differs from the one it was written against ({})",
            provisions.join(", ")
        ),
        format!(
            "compare the text, then confirm or replace the requirement (`alnager law confirm {id} --reason TEXT`)"
        ),
        Vec::new(),
    )
}

/// What is missing, and the question or confirmation that would settle it.
fn missing_words(missing: &BTreeSet<usize>, input: &GateInput<'_>) -> (String, String) {
    let kinds = input.book.vocabulary.kinds();
    let names: Vec<&str> = missing.iter().map(|at| kinds[*at].name.as_str()).collect();
    let system = input.state.systems.get(&input.declaration.id);
    let claimed = missing
        .iter()
        .find(|at| system.is_some_and(|system| system.facts.contains_key(&kinds[**at].name)));
    let next = match (claimed, missing.first()) {
        (Some(at), _) => format!(
            "have `{}` confirmed by someone outside the building team (`alnager fact confirm {} {} --basis TEXT --as NAME`)",
            kinds[*at].name, input.declaration.id, kinds[*at].name
        ),
        (None, Some(at)) => format!(
            "answer `{}` in the declaration: {}",
            kinds[*at].name, kinds[*at].question
        ),
        (None, None) => String::new(),
    };
    (format!("it rests on `{}`", names.join("`, `")), next)
}

/// How a requirement in force is shown to be met.
fn shown(
    requirement: &Requirement,
    input: &GateInput<'_>,
) -> (Status, String, String, Vec<String>) {
    let text = requirement.text();
    if let Some(absence) = input
        .declaration
        .absences
        .iter()
        .find(|absence| absence.requirement == text.id)
    {
        return (
            Status::Gap,
            format!("stated as absent: {}", absence.why),
            text.how.clone(),
            Vec::new(),
        );
    }
    let kinds = kinds_needed(text);
    let shown: Vec<Shown> = kinds
        .iter()
        .map(|kind| kind_shown(kind, requirement, input))
        .collect();
    let evidence = shown
        .iter()
        .flat_map(|shown| shown.evidence.clone())
        .collect();
    let worst = shown.iter().max_by_key(|shown| rank(shown.status));
    let (status, why, next) = match worst {
        Some(shown) if shown.status != Status::Met => {
            (shown.status, shown.why.clone(), shown.next.clone())
        }
        _ => (
            Status::Met,
            shown
                .iter()
                .map(|shown| shown.why.as_str())
                .collect::<Vec<_>>()
                .join("; "),
            String::new(),
        ),
    };
    if text.kind == RequirementKind::Prohibition && status != Status::Met {
        let why = format!("the declared facts match a prohibited practice; {why}");
        return (
            Status::Gap,
            why,
            format!("stop, or show with counsel that it is not caught: {next}"),
            evidence,
        );
    }
    (status, why, next, evidence)
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Gap => 2,
        Status::Unknown => 1,
        Status::Met
        | Status::Ahead
        | Status::Waiting
        | Status::Ended
        | Status::NotApplicable
        | Status::Noted => 0,
    }
}

struct Shown {
    status: Status,
    why: String,
    next: String,
    evidence: Vec<String>,
}

/// How one kind of evidence stands for a requirement: a bound test that failed outweighs any document, an accepted document or
/// a passed test meets it, and anything else is a gap or unknown.
fn kind_shown(kind: &str, requirement: &Requirement, input: &GateInput<'_>) -> Shown {
    let id = &requirement.text().id;
    let item = input.book.evidence.items.get(kind);
    let title = item.map_or(kind, |item| item.title.as_str());
    if item.is_some_and(|item| item.signed_by.is_some()) {
        return signed_shown(kind, title, requirement, input);
    }
    let question = item.and_then(|item| item.measured_by.as_deref());
    let bound = question.map_or(Outcome::NotMeasured, |question| {
        bound_outcome(input.outcomes, id, question)
    });
    let offered: Vec<(EvidenceStanding, String)> = offered(kind, requirement, input)
        .into_iter()
        .map(|evidence| {
            let standing = standing_of(evidence, id, input);
            (standing, evidence.submitted.evidence.clone())
        })
        .collect();
    let found = |standing: EvidenceStanding| -> Vec<String> {
        let like = offered.iter().filter(|(other, _)| *other == standing);
        like.map(|(_, evidence)| evidence.clone()).collect()
    };
    let accepted = found(EvidenceStanding::Accepted);
    let (status, words, next, evidence) = if bound == Outcome::Fail {
        let next = "mend what the failed test shows, or have counsel decide on the use";
        let words = "a bound test failed".to_owned();
        (Status::Gap, words, next.to_owned(), Vec::new())
    } else if !accepted.is_empty() {
        let words = format!("{} accepted", accepted.join(", "));
        (Status::Met, words, String::new(), accepted)
    } else if bound == Outcome::Pass {
        let words = "measured and passed".to_owned();
        (Status::Met, words, String::new(), Vec::new())
    } else if let Some((words, next, evidence)) = refused(&found) {
        (Status::Gap, words, next, evidence)
    } else {
        let measured = question.map(|_| bound);
        let (words, next, evidence) = awaited(kind, requirement, input, measured, &found);
        (Status::Unknown, words, next, evidence)
    };
    Shown {
        status,
        why: format!("{title}: {words}"),
        next,
        evidence,
    }
}

/// How a kind stands that counts only when an independent auditor has signed it. Whether such a document is in the desk is known, so its
/// absence is a gap and no open question, whatever was measured.
fn signed_shown(
    kind: &str,
    title: &str,
    requirement: &Requirement,
    input: &GateInput<'_>,
) -> Shown {
    let text = requirement.text();
    let place = signature::Place {
        requirement: text,
        pack: requirement.pack(),
        system: &input.declaration.id,
        day: input.when.valid,
    };
    let offered = offered(kind, requirement, input);
    let (mut counting, mut others, mut waiting) = (Vec::new(), Vec::new(), None);
    for evidence in &offered {
        let id = evidence.submitted.evidence.clone();
        let decision = evidence.decisions.get(&text.id);
        let why = match (standing_of(evidence, &text.id, input), decision) {
            (EvidenceStanding::Accepted, Some(decision)) => {
                match signature::counts(evidence, &decision.by, &place, input.state) {
                    Ok(stated) => {
                        counting.push((id, stated.key));
                        continue;
                    }
                    Err(problem) => format!("{id} does not count: {problem}"),
                }
            }
            (EvidenceStanding::Accepted | EvidenceStanding::Submitted, _) => {
                waiting.get_or_insert_with(|| id.clone());
                format!("{id} awaits a decision")
            }
            (EvidenceStanding::NotYetEffective, _) => format!("{id} takes effect later"),
            (EvidenceStanding::Expired, _) => format!("{id} has expired"),
            (EvidenceStanding::Rejected, _) => format!("{id} was rejected"),
        };
        others.push((id, why));
    }
    if !counting.is_empty() {
        let words: Vec<String> = counting
            .iter()
            .map(|(id, key)| format!("{id} accepted, signed with {key}"))
            .collect();
        return Shown {
            status: Status::Met,
            why: format!("{title}: {}", words.join(", ")),
            next: String::new(),
            evidence: counting.into_iter().map(|(id, _)| id).collect(),
        };
    }
    let mut words = vec![NO_SIGNED_AUDIT.to_owned()];
    words.extend(others.iter().map(|(_, why)| why.clone()));
    let next = match waiting {
        Some(id) => format!(
            "have someone outside the team compare its key with what the auditor says, and accept it (`alnager evidence accept {id} {} --reason TEXT --as NAME`)",
            text.id
        ),
        None => format!(
            "have an independent auditor sign their audit (`alnager audit sign`), submit it (kind `{kind}`) and have someone outside the team accept it: {}",
            text.how
        ),
    };
    Shown {
        status: Status::Gap,
        why: format!("{title}: {}", words.join("; ")),
        next,
        evidence: others.into_iter().map(|(id, _)| id).collect(),
    }
}

/// What was looked at, what to do next, and the evidence concerned.
type Finding = (String, String, Vec<String>);

/// Evidence that was rejected or has expired.
fn refused(found: &dyn Fn(EvidenceStanding) -> Vec<String>) -> Option<Finding> {
    let kinds = [
        (
            EvidenceStanding::Rejected,
            "was rejected",
            "submit a corrected version and have it accepted",
        ),
        (
            EvidenceStanding::Expired,
            "has expired",
            "submit a renewed version and have it accepted",
        ),
    ];
    kinds.into_iter().find_map(|(standing, word, next)| {
        let ids = found(standing);
        let words = format!("{} {word}", ids.join(", "));
        (!ids.is_empty()).then(|| (words, next.to_owned(), ids))
    })
}

/// Evidence that is not there yet: it awaits a decision, takes effect later, was not conclusive, or was never submitted.
/// `measured` is what became of the bound tests, where this kind can be measured.
fn awaited(
    kind: &str,
    requirement: &Requirement,
    input: &GateInput<'_>,
    measured: Option<Outcome>,
    found: &dyn Fn(EvidenceStanding) -> Vec<String>,
) -> Finding {
    let text = requirement.text();
    let waiting = found(EvidenceStanding::Submitted);
    if let Some(first) = waiting.first() {
        let words = format!("{} awaits a decision", waiting.join(", "));
        let next = format!(
            "have it accepted by someone other than who submitted it (`alnager evidence accept {first} {} --reason TEXT --as NAME`)",
            text.id
        );
        return (words, next, waiting);
    }
    let later = found(EvidenceStanding::NotYetEffective);
    if !later.is_empty() {
        let words = format!("{} takes effect later", later.join(", "));
        return (words, "wait, or bring the date forward".to_owned(), later);
    }
    let (words, next) = match measured {
        Some(Outcome::Inconclusive) => (
            "the bound test is inconclusive",
            "measure on more people, or submit the document and have it accepted".to_owned(),
        ),
        Some(_) if input.declaration.audits.is_empty() => (
            "not measured",
            "declare an audit on representative data and review again".to_owned(),
        ),
        Some(_) => (
            "not measured",
            "complete the audit (see its tests), or submit the document and have it accepted"
                .to_owned(),
        ),
        None => (
            "nothing submitted",
            format!(
                "submit it (kind `{kind}`), then have someone else accept it: {}",
                text.how
            ),
        ),
    };
    (words.to_owned(), next, Vec::new())
}

/// How evidence stands for a requirement. A new version that awaits a decision does not undo the rejection or expiry of the
/// one it replaces: that stands until someone accepts the new one.
fn standing_of(evidence: &Evidence, requirement: &str, input: &GateInput<'_>) -> EvidenceStanding {
    let standing = evidence.standing(requirement, input.when.valid);
    let earlier = evidence.submitted.replaces.as_ref();
    match (
        standing,
        earlier.and_then(|id| input.state.evidence.get(id)),
    ) {
        (EvidenceStanding::Submitted, Some(earlier)) => {
            match standing_of(earlier, requirement, input) {
                EvidenceStanding::Rejected => EvidenceStanding::Rejected,
                EvidenceStanding::Expired => EvidenceStanding::Expired,
                EvidenceStanding::Accepted
                | EvidenceStanding::Submitted
                | EvidenceStanding::NotYetEffective => standing,
            }
        }
        (standing, _) => standing,
    }
}

/// The evidence of a kind that is offered for a requirement.
fn offered<'s>(
    kind: &str,
    requirement: &'s Requirement,
    input: &'s GateInput<'_>,
) -> Vec<&'s Evidence> {
    let offered = input
        .state
        .evidence_for(requirement.text(), &input.declaration.id);
    offered
        .filter(|evidence| evidence.submitted.kind == kind)
        .collect()
}

/// The kinds of evidence the gate looks for. Before launch an event cannot have happened: what is asked for is readiness.
pub fn kinds_needed(text: &RequirementText) -> Vec<String> {
    match text.phase {
        Phase::InUse | Phase::OnEvent => vec![READINESS.to_owned()],
        Phase::Organisation | Phase::BeforeUse => text.evidence.clone(),
    }
}

/// The kinds of evidence the gate would look for and that nobody has accepted for a requirement of a system on a day. What is
/// measured is not looked at.
pub fn kinds_lacking(
    text: &RequirementText,
    state: &State,
    system: &str,
    day: Date,
) -> Vec<String> {
    let is_accepted = |kind: &String| {
        state.evidence_for(text, system).any(|evidence| {
            evidence.submitted.kind == *kind
                && evidence.standing(&text.id, day) == EvidenceStanding::Accepted
        })
    };
    let mut kinds = kinds_needed(text);
    kinds.retain(|kind| !is_accepted(kind));
    kinds
}

/// The kinds of evidence a requirement takes: those it needs and, for duties in use or on event, the procedure that shows
/// readiness. `None` where the book has no such requirement.
pub fn kinds_taken(book: &Book, requirement: &str) -> Option<Vec<String>> {
    let mut texts = book.packs().flat_map(|pack| &pack.requirements);
    let text = texts.find(|text| text.id == requirement)?;
    Some(kinds_of(text))
}

/// The kinds of evidence a requirement with this wording takes.
pub(crate) fn kinds_of(text: &RequirementText) -> Vec<String> {
    let mut kinds = text.evidence.clone();
    for needed in kinds_needed(text) {
        if !kinds.contains(&needed) {
            kinds.push(needed);
        }
    }
    kinds
}

/// Whether evidence serves a duty of the organisation, which every system inherits.
pub fn serves_organisation(requirements: &[String], book: &Book) -> bool {
    let mut texts = book.packs().flat_map(|pack| &pack.requirements);
    texts.any(|text| text.phase == Phase::Organisation && requirements.contains(&text.id))
}

/// What became of the tests bound to a requirement: the worst outcome over all attributes; not measured where nothing counts
/// as evidence.
fn bound_outcome(outcomes: &[TestOutcome], requirement: &str, question: &str) -> Outcome {
    outcomes
        .iter()
        .filter(|outcome| {
            outcome.required != Truth::False
                && outcome.question == question
                && outcome.requirements.contains(requirement)
        })
        .map(|outcome| outcome.outcome)
        .max()
        .unwrap_or(Outcome::NotMeasured)
}

/// The worst outcome of one test on one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct TestOutcome {
    /// The test.
    pub test: String,
    /// `bias` or `performance`.
    pub question: String,
    /// The requirements whose evidence it is.
    pub requirements: BTreeSet<String>,
    /// The audit; empty where no audit was declared.
    pub audit: String,
    /// The attribute; empty for a figure over all rows.
    pub attribute: String,
    /// The worst judged outcome; inconclusive where no group is large enough.
    pub outcome: Outcome,
    /// Whether the policy asks for it.
    pub required: Truth,
    /// Whether it is a what-if, and no evidence.
    pub is_what_if: bool,
    /// The worst judged result, if there is one.
    pub worst: Option<TestResult>,
}

/// The outcomes by test and attribute. A what-if is no evidence, so it counts as not measured; a test the policy asks for and no
/// audit measures is among them.
pub fn test_outcomes(plan: &alnager_audit::plan::Plan, results: &[TestResult]) -> Vec<TestOutcome> {
    let mut outcomes: Vec<TestOutcome> = Vec::new();
    for result in results {
        let key = |other: &&mut TestOutcome| {
            other.test == result.test
                && other.audit == result.audit
                && other.attribute == result.attribute
        };
        let counts =
            !result.is_what_if && (result.is_judged || result.outcome == Outcome::NotMeasured);
        match outcomes.iter_mut().find(key) {
            Some(known) => {
                if counts
                    && known
                        .worst
                        .as_ref()
                        .is_none_or(|worst| worst.outcome < result.outcome)
                {
                    known.outcome = result.outcome;
                    known.worst = Some(result.clone());
                }
            }
            None => outcomes.push(TestOutcome {
                test: result.test.clone(),
                question: result.question.clone(),
                requirements: result.requirements.clone(),
                audit: result.audit.clone(),
                attribute: result.attribute.clone(),
                outcome: match (counts, result.is_what_if) {
                    (true, _) => result.outcome,
                    (false, true) => Outcome::NotMeasured,
                    (false, false) => Outcome::Inconclusive,
                },
                required: result.required,
                is_what_if: result.is_what_if,
                worst: counts.then(|| result.clone()),
            }),
        }
    }
    for planned in &plan.tests {
        let measured = outcomes
            .iter()
            .any(|outcome| outcome.test == planned.test.id);
        if planned.required != Truth::False && !measured {
            outcomes.push(TestOutcome {
                test: planned.test.id.clone(),
                question: planned.test.question.clone(),
                requirements: planned.requirements.clone(),
                audit: String::new(),
                attribute: String::new(),
                outcome: Outcome::NotMeasured,
                required: planned.required,
                is_what_if: false,
                worst: None,
            });
        }
    }
    outcomes
}

/// The verdict, and whether nothing was asked for.
pub fn verdict(gate: Gate, judged: &[Judged], outcomes: &[TestOutcome]) -> (Verdict, bool) {
    let tests: Vec<Outcome> = outcomes
        .iter()
        .filter(|outcome| gate == Gate::Tests || outcome.required != Truth::False)
        .map(|outcome| outcome.outcome)
        .collect();
    let statuses: Vec<Status> = match gate {
        Gate::Launch => judged
            .iter()
            .filter(|judged| judged.counts())
            .map(|judged| judged.status)
            .collect(),
        Gate::Tests => Vec::new(),
    };
    let nothing = tests.is_empty() && statuses.is_empty();
    let verdict = if statuses.contains(&Status::Gap) || tests.contains(&Outcome::Fail) {
        Verdict::Hold
    } else if nothing
        || statuses.contains(&Status::Unknown)
        || tests.iter().any(|outcome| *outcome != Outcome::Pass)
    {
        Verdict::Undecided
    } else {
        Verdict::Clear
    };
    (verdict, nothing)
}
