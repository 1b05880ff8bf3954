//! What a review shows, in the order it is shown: finished strings and numbers that documents only place.

use std::collections::BTreeMap;

use alnager_audit::judge::{self, Alternative, Outcome, TestResult};
use alnager_audit::model::ModelStamp;
use alnager_audit::policy::Metric;
use alnager_law::book::Book;
use alnager_law::conflict::ConflictPair;
use alnager_law::explain::{self, Flip};
use alnager_law::fact::{Facts, Value};
use alnager_law::pack::{Pack, Phase};
use alnager_law::requirement::Standing;
use alnager_law::rule::Truth;
use alnager_office::assess::{Assessment, Counts, Proposal};
use alnager_office::gate::{Blocker, Gate, Judged, Status, Verdict};

use crate::remark::{Remark, remarks};

/// Everything a review shows.
#[derive(Debug, Clone)]
pub struct ReviewView {
    /// The system's id.
    pub system: String,
    /// The system's name.
    pub name: String,
    /// The organisation.
    pub organisation: String,
    /// What the system is for.
    pub purpose: String,
    /// Its stage.
    pub stage: String,
    /// Who answers for it.
    pub owner: String,
    /// Why the declaration is hypothetical, if it is.
    pub what_if: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether neither law nor policy asked for anything.
    pub nothing_required: bool,
    /// What the verdict means, in one sentence.
    pub verdict_words: String,
    /// What the gate looked at.
    pub gate: Gate,
    /// The day judged, as 2026-11-23.
    pub judged_on: String,
    /// The day of knowledge, as 2026-11-23.
    pub known: String,
    /// Numbers of requirements.
    pub counts: Counts,
    /// The next day on which a binding requirement begins.
    pub next_day: Option<String>,
    /// The highest fine, with its citation and the requirement it belongs to.
    pub fine: Option<Fine>,
    /// The audits measured.
    pub audits: Vec<AuditView>,
    /// Every test result, in the order judged.
    pub results: Vec<ResultView>,
    /// The result that stands for the whole: a position in `results`.
    pub headline: Option<usize>,
    /// Tests the gate looks at: how many, and how many failed, were inconclusive or not measured.
    pub tests: TestCounts,
    /// Each test on each attribute, by its worst judged group.
    pub outcomes: Vec<OutcomeView>,
    /// What would change the picture.
    pub changes: Vec<Change>,
    /// The requirements, in the order of the packs; those that do not concern the system are left out.
    pub requirements: Vec<RequirementView>,
    /// Duties that pull against each other, for counsel; they change no verdict.
    pub conflicts: Vec<ConflictView>,
    /// What stands in the way: what holds first.
    pub blockers: Vec<BlockerView>,
    /// Facts that are missing or unconfirmed, with what asks for them.
    pub open_facts: Vec<OpenFact>,
    /// The policy in use, in one line.
    pub policy: String,
    /// The confidence of every interval, as `95 %`.
    pub confidence: String,
    /// The smallest group that is judged.
    pub min_group: u64,
    /// The packs in use: id, version, confidence.
    pub packs: Vec<PackView>,
    /// The methods used, with what they are.
    pub methods: Vec<String>,
    /// Warnings of the measurement.
    pub warnings: Vec<String>,
}

/// The highest fine.
#[derive(Debug, Clone)]
pub struct Fine {
    /// The maximum in words.
    pub max: String,
    /// Its citation.
    pub cite: String,
    /// The requirement whose breach it punishes.
    pub requirement: String,
}

/// An audit measured.
#[derive(Debug, Clone)]
pub struct AuditView {
    /// Its name.
    pub name: String,
    /// The data file.
    pub data: String,
    /// SHA-256 of the data, hexadecimal.
    pub sha256: String,
    /// Its rows.
    pub n_rows: u64,
    /// The model that was asked of them, where the decision or score is no column of the data.
    pub model: Option<ModelStamp>,
    /// What counts as the favourable decision, in words.
    pub favourable: String,
    /// Rows with an unknown group, by grouping; groupings without any are left out.
    pub unknown: Vec<(String, u64)>,
    /// Groups of every grouping with their favourable rate.
    pub groups: Vec<GroupView>,
}

/// One group's favourable rate.
#[derive(Debug, Clone)]
pub struct GroupView {
    /// The grouping.
    pub attribute: String,
    /// The group.
    pub group: String,
    /// Rows.
    pub n: u64,
    /// Favourable decisions.
    pub k: u64,
    /// The favourable rate, 0..=1.
    pub rate: Option<f64>,
    /// Its Wilson interval.
    pub interval: Option<(f64, f64)>,
    /// Whether it is the reference.
    pub is_reference: bool,
    /// Whether it is large enough to be judged.
    pub is_judged: bool,
}

/// One test result.
#[derive(Debug, Clone)]
pub struct ResultView {
    /// The policy's test.
    pub test: String,
    /// What the test asks, in words.
    pub what: String,
    /// The audit.
    pub audit: String,
    /// The attribute; empty over all rows.
    pub attribute: String,
    /// The group; empty over all rows.
    pub group: String,
    /// The reference.
    pub reference: Option<String>,
    /// The metric's name.
    pub metric: &'static str,
    /// Its value.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// Rows of the group.
    pub n: u64,
    /// The lowest value that passes, exact.
    pub limit_low: Option<String>,
    /// The highest value that passes, exact.
    pub limit_high: Option<String>,
    /// Where the limit comes from: law, policy, yardstick or system.
    pub limit_source: &'static str,
    /// The limit's citation.
    pub limit_cite: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Whether group and reference are large enough to be judged.
    pub is_judged: bool,
    /// Whether it is a what-if, and no evidence.
    pub is_what_if: bool,
    /// Whether the policy asks for it.
    pub is_required: bool,
    /// Fisher's exact p-value.
    pub p: Option<f64>,
    /// The same after Holm's correction.
    pub p_holm: Option<f64>,
    /// The requirements whose evidence it is.
    pub requirements: Vec<String>,
    /// The method.
    pub method: &'static str,
}

/// Numbers of tests: one test on one attribute counts once, by its worst judged group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestCounts {
    /// All.
    pub n: usize,
    /// Failed.
    pub failed: usize,
    /// Inconclusive.
    pub inconclusive: usize,
    /// Not measured.
    pub not_measured: usize,
}

/// How a test came out on one attribute.
#[derive(Debug, Clone)]
pub struct OutcomeView {
    /// The policy's test.
    pub test: String,
    /// The audit; empty where none measured it.
    pub audit: String,
    /// The attribute; empty over all rows.
    pub attribute: String,
    /// The outcome.
    pub outcome: Outcome,
    /// What stands in the way, where it does.
    pub blocker: Option<BlockerView>,
}

/// What would change the picture, in one sentence.
#[derive(Debug, Clone)]
pub struct Change {
    /// `law` or `measurement`.
    pub kind: &'static str,
    /// The sentence.
    pub words: String,
}

/// A requirement that concerns the system, or may.
#[derive(Debug, Clone)]
pub struct RequirementView {
    /// Its id.
    pub id: String,
    /// Its pack.
    pub pack: String,
    /// The pack's title.
    pub pack_title: String,
    /// What it asks.
    pub what: String,
    /// One line for the developer.
    pub how: String,
    /// The pin-cite with its instrument.
    pub cite: String,
    /// How it fares.
    pub status: Status,
    /// Why.
    pub why: String,
    /// What to do next.
    pub next: String,
    /// Who owns it.
    pub owner: String,
    /// The first day it governs.
    pub from: Option<String>,
    /// When in a system's life it is met.
    pub phase: &'static str,
    /// Whether it binds only where adopted.
    pub is_voluntary: bool,
    /// What about it is not confirmed; empty unless *preview*.
    pub preview: Vec<String>,
    /// What to do, what shows it, by when, and what is special about it.
    pub remarks: Vec<Remark>,
    /// What a breach may cost, with its citation.
    pub penalty: Option<(String, String)>,
    /// Positions in `results` of the results that bear on it.
    pub results: Vec<usize>,
}

/// Two duties that pull against each other.
#[derive(Debug, Clone)]
pub struct ConflictView {
    /// The requirement that comes first in the book.
    pub one: String,
    /// Its pin-cite with its instrument.
    pub one_cite: String,
    /// The other one.
    pub other: String,
    /// Its pin-cite with its instrument.
    pub other_cite: String,
    /// Why, in words.
    pub why: String,
    /// Whether it follows from the figures of both; otherwise a pack names it.
    pub is_computed: bool,
}

/// Something that stands in the way.
#[derive(Debug, Clone)]
pub struct BlockerView {
    /// The requirement's id or the test's.
    pub id: String,
    /// What it is.
    pub what: String,
    /// The citation.
    pub citation: String,
    /// Who must act.
    pub owner: String,
    /// What to do next.
    pub next: String,
    /// Whether it holds the gate, or leaves it undecided.
    pub holds: bool,
}

/// One thing to do, and everything it would settle.
#[derive(Debug)]
pub struct Step<'v> {
    /// What stands in the way, the first of it.
    pub first: &'v BlockerView,
    /// The others' ids.
    pub others: Vec<&'v str>,
}

/// What stands in the way, joined where the same person must do the same thing.
pub fn steps(blockers: &[BlockerView]) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for blocker in blockers {
        let same = |step: &&mut Step<'_>| {
            step.first.owner == blocker.owner && step.first.next == blocker.next
        };
        match steps.iter_mut().find(same) {
            Some(step) => step.others.push(&blocker.id),
            None => steps.push(Step {
                first: blocker,
                others: Vec::new(),
            }),
        }
    }
    steps
}

/// A fact that is missing or not confirmed.
#[derive(Debug, Clone)]
pub struct OpenFact {
    /// Its name.
    pub name: String,
    /// Its question.
    pub question: String,
    /// Whether it is answered but not confirmed.
    pub awaits_confirmation: bool,
    /// The requirements that rest on it.
    pub requirements: Vec<String>,
}

/// A pack in use.
#[derive(Debug, Clone)]
pub struct PackView {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// How well its sources were read.
    pub confidence: String,
    /// The day up to which the law was read.
    pub known_as_of: String,
}

/// What the view is made of.
pub struct Source<'a> {
    /// What was found.
    pub assessment: &'a Assessment,
    /// The system's facts as the law reads them.
    pub facts: &'a Facts,
    /// The book.
    pub book: &'a Book,
    /// The policy in one line.
    pub policy: String,
    /// The name behind a person's id, or a pseudonym.
    pub name: &'a dyn Fn(&str) -> String,
    /// Warnings of the measurement.
    pub warnings: Vec<String>,
}

/// Builds the view. Pure: the same assessment gives the same view.
pub fn review(source: &Source<'_>) -> ReviewView {
    let assessment = source.assessment;
    let declaration = &assessment.declaration;
    let results: Vec<ResultView> = assessment
        .results
        .iter()
        .map(|result| result_view(result, assessment))
        .collect();
    let headline = judge::headline(&assessment.results);
    let position = |wanted: &TestResult| {
        assessment
            .results
            .iter()
            .position(|result| std::ptr::eq(result, wanted))
    };
    ReviewView {
        system: declaration.id.clone(),
        name: declaration.name.clone(),
        organisation: declaration.organisation.clone(),
        purpose: declaration.purpose.clone(),
        stage: declaration.stage.word().replace('_', " "),
        owner: (source.name)(&declaration.owner),
        what_if: declaration.what_if.clone(),
        verdict: assessment.verdict,
        nothing_required: assessment.nothing_required,
        verdict_words: verdict_words(assessment),
        gate: assessment.gate,
        judged_on: assessment.when.valid.to_string(),
        known: assessment.when.known.to_string(),
        counts: assessment.counts(),
        next_day: assessment.next_day().map(|day| day.to_string()),
        fine: assessment.highest_fine().map(|(judged, penalty)| Fine {
            max: penalty.max.clone(),
            cite: judged.requirement.pack().cited(&penalty.cite),
            requirement: judged.requirement.text().id.clone(),
        }),
        audits: audits(assessment),
        tests: test_counts(assessment),
        changes: changes(source, headline),
        requirements: requirements(source),
        conflicts: assessment
            .conflicts()
            .into_iter()
            .map(|pair| conflict_view(pair, assessment))
            .collect(),
        blockers: assessment
            .blockers()
            .into_iter()
            .map(|blocker| blocker_view(blocker, source))
            .collect(),
        outcomes: assessment
            .outcomes
            .iter()
            .map(|outcome| OutcomeView {
                test: outcome.test.clone(),
                audit: outcome.audit.clone(),
                attribute: outcome.attribute.clone(),
                outcome: outcome.outcome,
                blocker: assessment
                    .test_blocker(outcome)
                    .map(|blocker| blocker_view(blocker, source)),
            })
            .collect(),
        open_facts: open_facts(source),
        policy: source.policy.clone(),
        confidence: format!("{} %", (assessment.plan.confidence * 1000.0).round() / 10.0),
        min_group: assessment.plan.min_group,
        packs: source
            .book
            .packs()
            .map(|pack| PackView {
                id: pack.id.clone(),
                version: pack.version.clone(),
                title: pack.title.clone(),
                confidence: pack.confidence.clone(),
                known_as_of: pack.known_as_of.to_string(),
            })
            .collect(),
        methods: methods(assessment),
        warnings: source
            .warnings
            .iter()
            .cloned()
            .chain(assessment.proposals.iter().map(proposal_words))
            .chain(not_covered(source))
            .collect(),
        headline: headline.and_then(position),
        results,
    }
}

fn blocker_view(blocker: Blocker, source: &Source<'_>) -> BlockerView {
    BlockerView {
        id: blocker.id,
        what: blocker.what,
        citation: blocker.citation,
        owner: (source.name)(&blocker.owner),
        next: blocker.next,
        holds: blocker.holds,
    }
}

/// Places whose law no pack in use states: their duties were not looked at.
fn not_covered(source: &Source<'_>) -> Option<String> {
    let position = source.book.vocabulary.position("places")?;
    let Value::Set(places) = &source.facts.answer(position)?.value else {
        return None;
    };
    // A bill, a framework, or a pack of deadlines alone says nothing about what binds there.
    let covers = |pack: &&Pack| pack.binding && !pack.requirements.is_empty();
    let covered = |place: &&String| {
        let mut packs = source.book.packs().filter(covers);
        packs.any(|pack| pack.jurisdiction == **place)
    };
    let open: Vec<&str> = places
        .iter()
        .filter(|place| !covered(place))
        .map(String::as_str)
        .collect();
    (!open.is_empty()).then(|| {
        format!(
            "not covered: no law pack in use is of {}; what is asked there was not looked at",
            open.join(", ")
        )
    })
}

fn proposal_words(proposal: &Proposal) -> String {
    let Proposal {
        fact,
        stands,
        proposed,
    } = proposal;
    format!(
        "the declaration proposes `{proposed}` for `{fact}`; the confirmed answer `{stands}` stands until someone outside the team confirms the new one"
    )
}

fn verdict_words(assessment: &Assessment) -> String {
    if assessment.nothing_required {
        return "nothing required: none of the packs in use and no policy asks for anything on the declared facts, and unknown never passes".to_owned();
    }
    if assessment.gate == Gate::Tests {
        return match assessment.verdict {
            Verdict::Clear => "every test passes; requirements were not looked at",
            Verdict::Hold => "a test fails; requirements were not looked at",
            Verdict::Undecided => {
                "a test is inconclusive or not measured; requirements were not looked at"
            }
        }
        .to_owned();
    }
    match assessment.verdict {
        Verdict::Clear => "nothing stands in the way: ready for a person's decision".to_owned(),
        Verdict::Hold => "a gap or a failed test stands in the way".to_owned(),
        Verdict::Undecided => {
            "no gap is known, but something is unknown or inconclusive".to_owned()
        }
    }
}

fn result_view(result: &TestResult, assessment: &Assessment) -> ResultView {
    let planned = assessment
        .plan
        .tests
        .iter()
        .find(|planned| planned.test.id == result.test);
    ResultView {
        test: result.test.clone(),
        what: planned
            .map(|planned| planned.test.what.clone())
            .unwrap_or_default(),
        audit: result.audit.clone(),
        attribute: result.attribute.clone(),
        group: result.group.clone(),
        reference: result.reference.clone(),
        metric: result.metric.word(),
        value: result.value,
        interval: result
            .interval
            .map(|interval| (interval.low, interval.high)),
        n: result.n,
        limit_low: result.limit.low.as_ref().map(ToString::to_string),
        limit_high: result.limit.high.as_ref().map(ToString::to_string),
        limit_source: result.limit.source.word(),
        limit_cite: result.limit.cite.clone(),
        outcome: result.outcome,
        is_judged: result.is_judged,
        is_what_if: result.is_what_if,
        is_required: result.required != Truth::False,
        p: result.p,
        p_holm: result.p_holm,
        requirements: result.requirements.iter().cloned().collect(),
        method: result.method,
    }
}

fn audits(assessment: &Assessment) -> Vec<AuditView> {
    let z = judge::z(&assessment.plan);
    let mut views = Vec::new();
    for (audit, measures) in assessment.plan.audits.iter().zip(&assessment.measures) {
        let mut groups = Vec::new();
        let mut unknown = Vec::new();
        for grouping in audit.groupings() {
            let found = alnager_audit::figures::groups(
                measures,
                &grouping,
                audit,
                assessment.plan.reference_min,
            );
            if found.n_unknown > 0 {
                unknown.push((grouping.name.clone(), found.n_unknown));
            }
            for (at, group) in found.groups.iter().enumerate() {
                let share = group.favourable_share(audit.decision.favourable, z);
                groups.push(GroupView {
                    attribute: grouping.name.clone(),
                    group: group.name.clone(),
                    n: group.n(),
                    k: share.k,
                    rate: share.rate,
                    interval: share.interval,
                    is_reference: found.reference == Some(at),
                    is_judged: group.n() >= assessment.plan.min_group,
                });
            }
        }
        views.push(AuditView {
            name: audit.name.clone(),
            data: measures.data.name.clone(),
            sha256: measures.data.sha256.clone(),
            n_rows: measures.data.n_rows,
            model: measures.data.model.clone(),
            favourable: favourable_words(audit),
            unknown,
            groups,
        });
    }
    views
}

fn favourable_words(audit: &alnager_audit::declared::Audit) -> String {
    use alnager_audit::declared::DecisionBy;
    match &audit.decision.by {
        DecisionBy::Column(binary) => {
            format!("{} = {}", binary.column, audit.decision.favourable_name)
        }
        DecisionBy::Threshold { column, at_least } if audit.decision.favourable == 1 => {
            format!("{column} at least {at_least}")
        }
        DecisionBy::Threshold { column, at_least } => format!("{column} below {at_least}"),
    }
}

fn test_counts(assessment: &Assessment) -> TestCounts {
    let mut counts = TestCounts::default();
    for outcome in assessment.outcomes.iter() {
        counts.n += 1;
        match outcome.outcome {
            Outcome::Pass => {}
            Outcome::Fail => counts.failed += 1,
            Outcome::Inconclusive => counts.inconclusive += 1,
            Outcome::NotMeasured => counts.not_measured += 1,
        }
    }
    counts
}

/// At most this many sentences about the law: the nearest dates matter most.
const LAW_CHANGES_MAX: usize = 3;

fn changes(source: &Source<'_>, headline: Option<&TestResult>) -> Vec<Change> {
    let mut changes = law_changes(source);
    if let Some(headline) = headline {
        changes.extend(measurement_changes(source.assessment, headline));
    }
    changes
}

/// What begins next, and the single answer that would keep it away.
fn law_changes(source: &Source<'_>) -> Vec<Change> {
    let mut by_day: BTreeMap<(String, String), Vec<&Judged>> = BTreeMap::new();
    for judged in source
        .assessment
        .judged
        .iter()
        .filter(|judged| judged.status == Status::Ahead && !judged.requirement.is_voluntary())
    {
        let certain = matches!(judged.requirement.standing, Standing::Ahead { .. });
        if let (Some(from), true) = (judged.from(), certain) {
            by_day
                .entry((from.to_string(), judged.requirement.pack().id.clone()))
                .or_default()
                .push(judged);
        }
    }
    let mut changes = Vec::new();
    for ((day, _), group) in by_day.into_iter().take(LAW_CHANGES_MAX) {
        let first = &group[0].requirement;
        let explanation = explain::explain(
            source.book,
            source.facts,
            source.assessment.when,
            &first.text().id,
        );
        let unless = explanation
            .and_then(|explanation| keeping_away(source, &explanation.flips))
            .map_or(String::new(), |words| format!(", unless {words}"));
        let (more, begin) = match group.len() {
            1 => (String::new(), "begins"),
            n => (format!(" and {} more", n - 1), "begin"),
        };
        changes.push(Change {
            kind: "law",
            words: format!(
                "{}{more} {begin} to bind on {day}{unless}",
                first.pack().cited(&first.text().id)
            ),
        });
    }
    changes
}

/// The single answer that would keep a requirement away, as words: a day before all others, then what the system is used for;
/// what was asked last lies closest to the system.
fn keeping_away(source: &Source<'_>, flips: &[Flip]) -> Option<String> {
    let away = flips
        .iter()
        .filter(|flip| matches!(flip.standing, Standing::NotApplicable(_)));
    let rank = |flip: &&Flip| match flip.value {
        Value::Date(_) => 2,
        Value::Set(_) => 1,
        Value::Bool(_) | Value::Number(_) | Value::One(_) | Value::None => 0,
    };
    let flip = away.max_by_key(rank)?;
    let name = &source.book.vocabulary.kinds()[flip.fact].name;
    let now = source.facts.answer(flip.fact).map(|answer| &answer.value);
    Some(match (now, &flip.value) {
        (Some(Value::Set(now)), Value::Set(then)) if then.is_subset(now) => {
            let gone: Vec<&str> = now.difference(then).map(String::as_str).collect();
            format!("`{name}` no longer holds `{}`", gone.join("`, `"))
        }
        (_, value) => format!("`{name}` is `{value}`"),
    })
}

/// The headline at the next threshold that helps the group, and at the first where its test passes.
fn measurement_changes(assessment: &Assessment, headline: &TestResult) -> Vec<Change> {
    let Some(at) = assessment
        .plan
        .audits
        .iter()
        .position(|audit| audit.name == headline.audit)
    else {
        return Vec::new();
    };
    let (audit, Some(measures)) = (&assessment.plan.audits[at], assessment.measures.get(at)) else {
        return Vec::new();
    };
    let alnager_audit::declared::DecisionBy::Threshold { at_least, .. } = audit.decision.by else {
        return Vec::new();
    };
    if headline.metric != Metric::ImpactRatio || headline.outcome == Outcome::Pass {
        return Vec::new();
    }
    let mut alternatives = judge::alternatives(&assessment.plan, audit, measures, headline);
    alternatives.sort_by(|one, other| {
        (one.at_least - at_least)
            .abs()
            .total_cmp(&(other.at_least - at_least).abs())
    });
    let nearness = |alternative: &Alternative| {
        alternative
            .value
            .map_or(f64::INFINITY, |value| value.ln().abs())
    };
    let today = headline
        .value
        .map_or(f64::INFINITY, |value| value.ln().abs());
    let better = alternatives
        .iter()
        .find(|alternative| nearness(alternative) < today);
    let passes = alternatives
        .iter()
        .find(|alternative| alternative.outcome == Outcome::Pass);
    let mut shown: Vec<&Alternative> = better.into_iter().collect();
    shown.extend(
        passes.filter(|passes| better.is_none_or(|better| better.at_least != passes.at_least)),
    );
    shown
        .into_iter()
        .map(|alternative| {
            let interval = alternative.interval.map_or(String::new(), |interval| {
                format!(" [{}, {}]", ratio(interval.low), ratio(interval.high))
            });
            let accuracy = alternative.accuracy_change.map_or(String::new(), |change| {
                format!(", accuracy {}", signed(change))
            });
            let value = alternative.value.map_or("undefined".to_owned(), ratio);
            let words = format!(
                "at a threshold of {} the impact ratio of {} is {value}{interval}: {}{accuracy}",
                alternative.at_least,
                headline.group.replace('|', "×"),
                alternative.outcome.word()
            );
            Change {
                kind: "measurement",
                words,
            }
        })
        .collect()
}

/// A ratio with three decimals.
pub fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

/// A change with its sign and three decimals; a real minus sign.
pub fn signed(value: f64) -> String {
    let rounded = format!("{:.3}", value.abs());
    if rounded.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        return format!("±{rounded}");
    }
    format!("{}{rounded}", if value < 0.0 { "−" } else { "+" })
}

fn conflict_view(pair: &ConflictPair, assessment: &Assessment) -> ConflictView {
    let cite = |id: &str| {
        let found = assessment.asked().find(|asked| asked.text().id == id);
        found.map_or(String::new(), |asked| {
            asked.pack().cited(&asked.text().cite)
        })
    };
    ConflictView {
        one_cite: cite(&pair.one),
        other_cite: cite(&pair.other),
        one: pair.one.clone(),
        other: pair.other.clone(),
        why: pair.why.clone(),
        is_computed: pair.is_computed,
    }
}

fn requirements(source: &Source<'_>) -> Vec<RequirementView> {
    let assessment = source.assessment;
    let concerns = assessment.judged.iter().filter(|judged| {
        // What an overlay pack or counsel took out stays in sight.
        let taken_out = judged.reading.is_some() || !judged.requirement.overlays().is_empty();
        judged.status != Status::NotApplicable || taken_out
    });
    concerns
        .map(|judged| {
            let text = judged.requirement.text();
            let bears = |result: &TestResult| result.requirements.contains(&text.id);
            RequirementView {
                id: text.id.clone(),
                pack: judged.requirement.pack().id.clone(),
                pack_title: judged.requirement.pack().title.clone(),
                what: text.what.clone(),
                how: text.how.clone(),
                cite: judged.requirement.pack().cited(&text.cite),
                status: judged.status,
                why: judged.why.clone(),
                next: judged.next.clone(),
                owner: (source.name)(&judged.owner),
                from: judged.from().map(|from| from.to_string()),
                phase: Phase::word(text.phase),
                is_voluntary: judged.requirement.is_voluntary(),
                preview: judged.requirement.preview.clone(),
                remarks: remarks(
                    &judged.requirement,
                    judged.reading.as_ref(),
                    &judged.conflicts,
                    &|kind| source.book.evidence.title(kind).to_owned(),
                    &|id| (source.name)(id),
                ),
                penalty: judged.requirement.penalty().map(|penalty| {
                    (
                        penalty.max.clone(),
                        judged.requirement.pack().cited(&penalty.cite),
                    )
                }),
                results: (0..assessment.results.len())
                    .filter(|at| bears(&assessment.results[*at]))
                    .collect(),
            }
        })
        .collect()
}

fn open_facts(source: &Source<'_>) -> Vec<OpenFact> {
    let mut open: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let asks = |judged: &&Judged| judged.status != Status::Noted;
    for judged in source.assessment.judged.iter().filter(asks) {
        if let Standing::Unknown { missing, .. } = &judged.requirement.standing {
            for fact in missing.iter() {
                open.entry(*fact)
                    .or_default()
                    .push(judged.requirement.text().id.clone());
            }
        }
    }
    let kinds = source.book.vocabulary.kinds();
    let mut facts: Vec<OpenFact> = open
        .into_iter()
        .map(|(fact, requirements)| OpenFact {
            name: kinds[fact].name.clone(),
            question: kinds[fact].question.clone(),
            awaits_confirmation: source.facts.answer(fact).is_some(),
            requirements,
        })
        .collect();
    facts.sort_by(|one, other| {
        other
            .requirements
            .len()
            .cmp(&one.requirements.len())
            .then(one.name.cmp(&other.name))
    });
    facts
}

fn methods(assessment: &Assessment) -> Vec<String> {
    let used = |method: &str| {
        assessment
            .results
            .iter()
            .any(|result| result.method == method)
    };
    let mut methods = vec!["wilson/1: Wilson score interval of a rate (Wilson 1927)".to_owned()];
    for (method, words) in [
        (
            "katz-log/1",
            "katz-log/1: interval of a ratio on the log scale (Katz et al. 1978)",
        ),
        (
            "newcombe-10/1",
            "newcombe-10/1: interval of a difference from two Wilson intervals (Newcombe 1998, method 10)",
        ),
        (
            "clopper-pearson-ratio/1",
            "clopper-pearson-ratio/1: where nobody in the group was favoured, two exact bounds at half the error each",
        ),
    ] {
        if used(method) {
            methods.push(words.to_owned());
        }
    }
    methods.push("fisher-two-sided/1: Fisher's exact test, two-sided".to_owned());
    methods
        .push("holm/1: Holm's correction over all groups and metrics of one question".to_owned());
    methods
}
