//! What an audit found: every test of the policy held against its limit, with what a careful reader asks next.
//!
//! Two questions are kept apart. *Practical*: does the interval lie inside or beyond the limit? *Statistical*: could the gap be
//! chance, given how many comparisons were made? A finding that accuses somebody stands only with an interval that holds for
//! the whole family of comparisons at once.

mod person;
mod weight;

use std::collections::BTreeMap;

use alnager_stats::bootstrap;
use alnager_stats::compare;
use alnager_stats::correct;
use alnager_stats::power::Study;
use alnager_stats::proportion::{Interval, Proportion};

use crate::declared::{Audit, Missing};
use crate::figures::{Group, Groups, P_HELD, group_name, groups};
use crate::finding::person::Drawn;
use crate::finding::weight::by_weight;
use crate::judge::{Outcome, TestResult, held, held_share, interval_at, judge};
use crate::measures::{Measures, wider};
use crate::plan::Plan;
use crate::policy::Metric;
use crate::table::Cell;

/// How many comparisons are allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Correction {
    /// Holm: bounds the chance of any false alarm.
    #[default]
    Holm,
    /// Bonferroni: the same, simpler and weaker.
    Bonferroni,
    /// Benjamini and Hochberg: bounds the expected share of false alarms among the alarms.
    BenjaminiHochberg,
}

impl Correction {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Correction::Holm => "holm",
            Correction::Bonferroni => "bonferroni",
            Correction::BenjaminiHochberg => "benjamini_hochberg",
        }
    }

    fn adjust(self, p: &[Option<f64>]) -> Vec<Option<f64>> {
        match self {
            Correction::Holm => correct::holm(p),
            Correction::Bonferroni => correct::bonferroni(p),
            Correction::BenjaminiHochberg => correct::benjamini_hochberg(p),
        }
    }
}

/// How findings are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Method {
    /// The correction for many comparisons.
    pub correction: Correction,
    /// Replicates of every bootstrap.
    pub n_replicates: u64,
    /// The seed of every bootstrap.
    pub seed: u64,
    /// The power at which the smallest detectable ratio is given, 0..1; `None` leaves it out.
    pub power: Option<f64>,
}

impl Default for Method {
    fn default() -> Self {
        Method {
            correction: Correction::Holm,
            n_replicates: 2_000,
            seed: 1,
            power: Some(0.8),
        }
    }
}

/// One test of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The figure, its own interval, and how it stands to the limit.
    pub result: TestResult,
    /// The interval that holds for all comparisons of its family at once.
    pub simultaneous: Option<Interval>,
    /// How that interval stands to the limit.
    pub outcome: Outcome,
    /// The number of comparisons in the family.
    pub n_family: usize,
    /// The decimal logarithm of the p-value.
    pub log10_p: Option<f64>,
    /// The p-value corrected for the family.
    pub p_adjusted: Option<f64>,
    /// Whether the corrected p-value lies at or below 1 less the confidence.
    pub is_significant: Option<bool>,
    /// For an impact ratio that is judged: ratios at or below this would have been found with the stated power, all comparisons
    /// allowed for.
    pub detectable: Option<f64>,
    /// For an impact ratio with unknown groups: the lowest and highest it could be were they known.
    pub bounds: Option<Interval>,
}

/// The ratio that stands for the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// Its place among the findings.
    pub at: usize,
    /// Where the data chose the reference: the percentile interval of the smallest ratio of its grouping, the reference chosen
    /// anew in each replicate.
    pub bootstrap: Option<Interval>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Every test of every group.
    pub findings: Vec<Finding>,
    /// The ratio that stands for the whole; `None` where no group is large enough.
    pub headline: Option<Headline>,
    /// Fail where a comparison fails with an interval that holds for its whole family; pass where groups were compared and every
    /// judged figure passes; inconclusive otherwise.
    pub outcome: Outcome,
    /// What a reader must know before relying on them. Whole sentences.
    pub cautions: Vec<String>,
}

/// The lower and upper end of an interval.
pub fn ends(interval: Option<Interval>) -> Option<(f64, f64)> {
    interval.map(|interval| (interval.low, interval.high))
}

/// Judges an audit.
pub fn find(plan: &Plan, audit: &Audit, measures: &Measures, method: Method) -> Findings {
    let all = Shares::of(plan, audit, measures);
    let mut findings: Vec<Finding> = judge(plan, std::slice::from_ref(measures))
        .into_iter()
        .map(|result| all.finding(audit, result))
        .collect();
    by_weight(plan, audit, measures, &all, &mut findings);
    let drawn = measures
        .persons
        .as_ref()
        .map(|persons| Drawn::of(audit, persons, &findings, method));
    if let Some(drawn) = &drawn {
        drawn.judge(plan, &mut findings);
    }
    let counted = Counted {
        audit,
        measures,
        all: &all,
        drawn: drawn.as_ref(),
    };
    for question in ["bias", "performance"] {
        family(plan, question, &counted, &mut findings, method);
    }
    let headline = headline(plan, &counted, &findings, method);
    Findings {
        outcome: outcome(&findings),
        headline,
        cautions: cautions(plan, audit, measures, &all),
        findings,
    }
}

/// The groups of every grouping.
struct Shares {
    groups: BTreeMap<String, Groups>,
    /// Rows whose group is unknown, by decision.
    unknown: BTreeMap<String, Cell>,
    /// All rows.
    everybody: Group,
}

impl Shares {
    fn of(plan: &Plan, audit: &Audit, measures: &Measures) -> Self {
        let mut shares = Shares {
            groups: BTreeMap::new(),
            unknown: BTreeMap::new(),
            everybody: Group {
                name: String::new(),
                cell: measures.table.total(),
            },
        };
        for grouping in audit.groupings() {
            let mut unknown = Cell::default();
            for (key, cell) in measures.table.by(&grouping.columns).unwrap_or_default() {
                if group_name(key, audit.missing).is_none() {
                    unknown.add(&cell);
                }
            }
            let name = grouping.name.clone();
            shares.unknown.insert(name.clone(), unknown);
            let groups = groups(measures, &grouping, audit, plan.reference_min);
            shares.groups.insert(name, groups);
        }
        shares
    }

    /// The shares that a result compares; the first is that of all rows where it compares no groups.
    fn shares(
        &self,
        audit: &Audit,
        result: &TestResult,
    ) -> (Option<Proportion>, Option<Proportion>) {
        let share = |group| held_share(result.metric, group, audit.decision.favourable);
        if !result.metric.compares_groups() {
            return (share(&self.everybody), None);
        }
        let named = |name: &String| {
            let groups = &self.groups.get(&result.attribute)?.groups;
            share(groups.iter().find(|group| group.name == *name)?)
        };
        (
            named(&result.group),
            result.reference.as_ref().and_then(named),
        )
    }

    fn finding(&self, audit: &Audit, result: TestResult) -> Finding {
        let favourable = audit.decision.favourable;
        let (ours, theirs) = self.shares(audit, &result);
        let shares = ours.zip(theirs);
        // The logarithm of a probability that `f64` holds needs no second exact test.
        let log10_p = match result.p {
            Some(p) if p > P_HELD => Some(p.log10()),
            Some(_) => shares
                .and_then(|(ours, theirs)| compare::fisher(ours, theirs))
                .map(|test| test.two_sided.log10),
            None => None,
        };
        let is_ratio = result.metric == Metric::ImpactRatio;
        let unknown = self
            .unknown
            .get(&result.attribute)
            .copied()
            .unwrap_or_default();
        Finding {
            simultaneous: None,
            outcome: Outcome::NotMeasured,
            n_family: 1,
            log10_p,
            p_adjusted: None,
            is_significant: None,
            detectable: None,
            bounds: shares
                .filter(|_| is_ratio && unknown.n() > 0)
                .and_then(|(ours, theirs)| bounds(ours, theirs, &unknown, favourable)),
            result,
        }
    }
}

/// The lowest and highest the ratio could be if the unknown rows were known: those without the favourable decision all in one of
/// the two groups, those with it all in the other.
fn bounds(
    ours: Proportion,
    theirs: Proportion,
    unknown: &Cell,
    favourable: u8,
) -> Option<Interval> {
    let good = unknown.decided(usize::from(favourable));
    let bad = unknown.decided(usize::from(1 - favourable));
    let with = |share: Proportion, good: u64, bad: u64| {
        Proportion::new(share.k() + good, share.n() + good + bad)
    };
    let ratio =
        |ours: Option<Proportion>, theirs: Option<Proportion>| compare::ratio(ours?, theirs?);
    Some(Interval {
        low: ratio(with(ours, 0, bad), with(theirs, good, 0))?,
        high: ratio(with(ours, good, 0), with(theirs, 0, bad))?,
    })
}

/// What findings are made from.
struct Counted<'a> {
    audit: &'a Audit,
    measures: &'a Measures,
    all: &'a Shares,
    drawn: Option<&'a Drawn>,
}

impl Counted<'_> {
    /// The interval of every finding at the confidence of the plan.
    fn intervals(&self, plan: &Plan, findings: &[Finding]) -> Vec<Option<Interval>> {
        if let Some(drawn) = self.drawn {
            return drawn.intervals(plan.confidence, findings);
        }
        let mut wide = findings.to_vec();
        for finding in &mut wide {
            let (ours, theirs) = self.all.shares(self.audit, &finding.result);
            let metric = finding.result.metric;
            finding.result.interval = interval_at(plan.confidence, metric, ours, theirs);
        }
        by_weight(plan, self.audit, self.measures, self.all, &mut wide);
        wide.into_iter()
            .map(|finding| finding.result.interval)
            .collect()
    }
}

/// Corrects all comparisons of one question that are judged and are evidence, and gives each the interval that holds for all of
/// them: the same method at 1 less an equal part of the error (Dunn 1961).
fn family(
    plan: &Plan,
    question: &str,
    counted: &Counted<'_>,
    findings: &mut [Finding],
    method: Method,
) {
    let (audit, all) = (counted.audit, counted.all);
    let belongs = |finding: &Finding| {
        let result = &finding.result;
        result.question == question && result.is_judged && !result.is_what_if
    };
    let members: Vec<usize> = (0..findings.len())
        .filter(|at| belongs(&findings[*at]))
        .collect();
    // Where the data chose the reference, every pair of groups might have been the one compared. The pairs not shown are taken
    // as the least remarkable of all, which is on the safe side for each correction.
    let n_unseen = unseen(plan, &members, findings, all);
    let n_family = (members.len() + n_unseen).max(1);
    let mut p: Vec<Option<f64>> = members.iter().map(|at| findings[*at].result.p).collect();
    p.resize(members.len() + n_unseen, Some(1.0));
    let adjusted = method.correction.adjust(&p);
    let mut stricter = plan.clone();
    stricter.confidence = 1.0 - (1.0 - plan.confidence) / n_family as f64;
    let wide = counted.intervals(&stricter, findings);
    for (at, p) in members.into_iter().zip(adjusted) {
        let interval = wide[at];
        let finding = &mut findings[at];
        finding.detectable = detectable(&stricter, audit, all, finding, method);
        finding.n_family = n_family;
        finding.p_adjusted = p;
        finding.is_significant = p.map(|p| p <= 1.0 - plan.confidence);
        finding.simultaneous = interval;
        finding.outcome = match finding.result.outcome {
            Outcome::NotMeasured => Outcome::NotMeasured,
            Outcome::Pass | Outcome::Inconclusive | Outcome::Fail => {
                held(interval, &finding.result.limit)
            }
        };
    }
}

/// How many comparisons the choice of references by the data stands for besides those shown: of `m` groups large enough to be
/// compared, m(m-1)/2 pairs, of which m-1 are shown, for each metric.
fn unseen(plan: &Plan, members: &[usize], findings: &[Finding], all: &Shares) -> usize {
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for at in members {
        let result = &findings[*at].result;
        let test = (result.test.as_str(), result.attribute.as_str());
        let groups = all.groups.get(&result.attribute);
        let is_chosen = groups.is_some_and(|groups| groups.grouping.reference.is_none());
        if is_chosen && !chosen.contains(&test) {
            chosen.push(test);
        }
    }
    let pairs = chosen.iter().map(|(_, attribute)| {
        let groups = all
            .groups
            .get(*attribute)
            .map_or(&[] as &[Group], |groups| &groups.groups);
        let m = groups
            .iter()
            .filter(|group| group.n() >= plan.min_group)
            .count();
        m.saturating_sub(1) * m.saturating_sub(2) / 2
    });
    pairs.sum()
}

/// The smallest impact ratio that the test, at the error of the plan, finds with the power asked for.
fn detectable(
    plan: &Plan,
    audit: &Audit,
    all: &Shares,
    finding: &Finding,
    method: Method,
) -> Option<f64> {
    let by_counts = ["katz-log/1", "clopper-pearson-ratio/1"].contains(&finding.result.method);
    if finding.result.metric != Metric::ImpactRatio || !by_counts {
        return None;
    }
    let (power, (ours, theirs)) = (method.power?, all.shares(audit, &finding.result));
    let study = Study::new(ours?.n(), theirs?.n(), 1.0 - plan.confidence)?;
    study.detectable(theirs?.value()?, power)?.below
}

/// Among judged impact ratios the worst by the interval for the whole family, and of those the farthest from 1.
fn headline(
    plan: &Plan,
    counted: &Counted<'_>,
    findings: &[Finding],
    method: Method,
) -> Option<Headline> {
    let distance = |finding: &Finding| match finding.result.value {
        Some(value) if value > 0.0 => value.ln().abs(),
        Some(_) => f64::INFINITY,
        None => 0.0,
    };
    let ratios = findings.iter().enumerate().filter(|(_, finding)| {
        let result = &finding.result;
        result.is_judged && !result.is_what_if && result.metric == Metric::ImpactRatio
    });
    let (at, finding) = ratios.max_by(|(_, one), (_, other)| {
        let worse = one.outcome.cmp(&other.outcome);
        worse.then(distance(one).total_cmp(&distance(other)))
    })?;
    let groups = counted.all.groups.get(&finding.result.attribute)?;
    // Rows that are weighted or a person's are no independent people to draw anew.
    let are_people = counted.drawn.is_none() && counted.measures.table.weights.is_empty();
    let bootstrap = if are_people && groups.grouping.reference.is_none() {
        let large = groups
            .groups
            .iter()
            .filter(|group| group.n() >= plan.min_group);
        let shares: Vec<Proportion> = large
            .filter_map(|group| group.favourable(counted.audit.decision.favourable))
            .collect();
        let (n, seed) = (method.n_replicates, method.seed);
        bootstrap::impact_ratios(&shares, plan.reference_min, n, seed, plan.confidence)
            .and_then(|ratios| ratios.smallest.interval)
    } else {
        None
    };
    Some(Headline { at, bootstrap })
}

/// Fail where a comparison fails for its whole family. Pass where groups were compared and everything judged passes: an audit in
/// which every group is too small has judged no fairness, however accurate the system is.
fn outcome(findings: &[Finding]) -> Outcome {
    let judged = || {
        findings
            .iter()
            .filter(|finding| finding.result.is_judged && !finding.result.is_what_if)
    };
    if judged().any(|finding| finding.outcome == Outcome::Fail) {
        Outcome::Fail
    } else if judged().any(|finding| finding.result.metric.compares_groups())
        && judged().all(|finding| finding.result.outcome == Outcome::Pass)
    {
        Outcome::Pass
    } else {
        Outcome::Inconclusive
    }
}

/// What a reader must know before relying on the findings.
fn cautions(plan: &Plan, audit: &Audit, measures: &Measures, all: &Shares) -> Vec<String> {
    let mut cautions = Vec::new();
    for (name, groups) in &all.groups {
        let small: Vec<&str> = groups
            .groups
            .iter()
            .filter(|group| group.n() < plan.min_group)
            .map(|group| group.name.as_str())
            .collect();
        if !small.is_empty() {
            cautions.push(format!(
                "`{name}`: {} of {} groups have fewer than {} rows each, reported and not judged: {}.",
                small.len(),
                groups.groups.len(),
                plan.min_group,
                small.join(", ")
            ));
        }
        if groups.n_unknown > 0 && audit.missing == Missing::Apart {
            cautions.push(format!(
                "`{name}`: {} rows have no known group; they are counted apart, and bounds say what they could change.",
                groups.n_unknown
            ));
        }
        cautions.extend(reference_caution(plan, audit, name, groups));
    }
    cautions.extend(label_caution(audit, measures));
    cautions.extend(threshold_cautions(audit, measures));
    if measures.persons.is_some() {
        cautions.push(
            "Several rows may be one person's: intervals come from drawing whole persons anew, sizes are of persons, and exact \
             tests, which take rows for people, are left out."
                .to_owned(),
        );
    }
    if !measures.table.weights.is_empty() {
        cautions.push(
            "Rows are weighted: selection is compared by the effective number of rows, exact tests are left out, and error \
             rates are not judged."
                .to_owned(),
        );
    }
    cautions
}

/// Where the data choose the reference: which one, and which smaller group has a higher rate.
fn reference_caution(plan: &Plan, audit: &Audit, name: &str, groups: &Groups) -> Option<String> {
    if groups.grouping.reference.is_some() {
        return None;
    }
    let favourable = audit.decision.favourable;
    let Some(reference) = groups.reference.map(|at| &groups.groups[at]) else {
        return Some(format!(
            "`{name}`: no group has the {} rows that a reference needs; name one.",
            plan.reference_min
        ));
    };
    let highest = crate::figures::best(&groups.groups, favourable, 1).map(|at| &groups.groups[at]);
    let aside = match highest {
        Some(highest) if highest.name != reference.name => format!(
            " {} has a higher rate, but only {} rows; it is not taken as the reference.",
            highest.name,
            highest.n()
        ),
        Some(_) | None => String::new(),
    };
    Some(format!(
        "`{name}`: the data chose the reference, {}, the highest favourable rate among groups of at least {} rows; that it is \
         the highest is partly chance, and all pairs of groups are allowed for.{aside}",
        reference.name, plan.reference_min
    ))
}

/// Where outcomes are known for people with one decision only, error rates speak of them alone.
fn label_caution(audit: &Audit, measures: &Measures) -> Option<String> {
    if audit.label.is_none() {
        return Some(
            "No outcome was named, so error rates and accuracy are not measured; the answer is about selection alone.".to_owned(),
        );
    }
    let cell = measures.table.total();
    let known = |decision: usize| cell.counts[0][decision] + cell.counts[1][decision];
    let unknown = |decision: usize| cell.counts[2][decision];
    let good = usize::from(audit.decision.favourable);
    if known(1 - good) == 0 && unknown(1 - good) > 0 {
        return Some(
            "Outcomes are known only for people with the favourable decision: TPR, FPR, PPV and accuracy are among approved, \
             and say nothing of those turned down."
                .to_owned(),
        );
    }
    let n_unknown = unknown(0) + unknown(1);
    (n_unknown > 0).then(|| {
        format!("{n_unknown} rows have no known outcome; error rates are of the others, selection is of all.")
    })
}

/// Decisions that part the scores of two groups at different places follow thresholds of their own: different treatment, whatever
/// it does to the rates.
fn threshold_cautions(audit: &Audit, measures: &Measures) -> Vec<String> {
    let Some(columns) = Some(audit.key_columns()).filter(|_| !measures.ranges.is_empty()) else {
        return Vec::new();
    };
    let mut cautions = Vec::new();
    for attribute in &audit.attributes {
        let Some(at) = columns
            .iter()
            .position(|column| *column == attribute.column)
        else {
            continue;
        };
        let mut groups: BTreeMap<&str, Ranges> = BTreeMap::new();
        for (key, ranges) in &measures.ranges {
            let Some(group) = key[at].as_deref() else {
                continue;
            };
            let joined = groups.entry(group).or_default();
            for (joined, range) in joined.iter_mut().zip(ranges) {
                *joined = wider(*joined, *range);
            }
        }
        // A high score may stand for decision 1, or for decision 0, as the risk of a loan does.
        let parted = [0, 1].into_iter().find_map(|low| parted(&groups, low));
        if let Some(parted) = parted {
            cautions.push(format!(
                "`{}`: decisions follow a threshold of their own in each group ({parted}). Thresholds by a protected \
                 characteristic are different treatment in law, whatever they do to the rates; ask counsel before use.",
                attribute.column
            ));
        }
    }
    cautions
}

/// The lowest and the highest score of each decision in a group.
type Ranges = [Option<(f64, f64)>; 2];

/// Where each group gives decision `low` below a threshold and the other decision from it on, and no one threshold serves all:
/// two groups that show it, in words.
fn parted(groups: &BTreeMap<&str, Ranges>, low: usize) -> Option<String> {
    let high = 1 - low;
    // A group's threshold lies above the highest score on the low side and at or below the lowest one on the high side.
    let cut = |ranges: &Ranges| {
        let ((_, below), (from, _)) = (ranges[low]?, ranges[high]?);
        (below < from).then_some((below, from))
    };
    let mut cuts: Vec<(&str, f64, f64)> = Vec::with_capacity(groups.len());
    for (group, ranges) in groups {
        let (below, from) = cut(ranges)?;
        cuts.push((group, below, from));
    }
    let (one, above, _) = cuts.iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let (other, _, at_most) = cuts.iter().min_by(|one, other| one.2.total_cmp(&other.2))?;
    (at_most <= above).then(|| {
        format!(
            "{one} has decision {low} at a score of {above}, {other} has decision {high} from {at_most} on"
        )
    })
}
