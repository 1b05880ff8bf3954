//! Judging: figures with intervals held against limits.
//!
//! A test *fails* when its interval lies wholly beyond the limit, *passes* when wholly inside, and is otherwise *inconclusive*.
//! Fisher's exact test with Holm's correction over all groups and metrics of one question stands beside it.

use std::collections::BTreeSet;

use alnager_law::rule::Truth;
use alnager_stats::compare;
use alnager_stats::confusion::Rate;
use alnager_stats::correct;
use alnager_stats::proportion::{self, Interval, Proportion};

use crate::declared::{Audit, DecisionBy, Grouping};
use crate::figures::{Group, Groups, fisher, groups};
use crate::measures::Measures;
use crate::plan::{Plan, PlannedTest};
use crate::policy::{Decimal, Limit, Metric};
use crate::table::Cell;

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The interval lies wholly inside the limit.
    Pass,
    /// It could not be measured on these data.
    NotMeasured,
    /// The interval crosses the limit, or the figure is undefined.
    Inconclusive,
    /// The interval lies wholly beyond the limit.
    Fail,
}

impl TestResult {
    /// How far the figure lies beyond its nearer limit, below zero inside; ratios by their logarithms. `None` where it is undefined.
    pub fn beyond(&self) -> Option<f64> {
        let scaled = |value: f64| match self.metric {
            Metric::ImpactRatio => value.ln(),
            Metric::SelectionDifference
            | Metric::TprDifference
            | Metric::FprDifference
            | Metric::PpvDifference
            | Metric::AccuracyDifference
            | Metric::Accuracy => value,
        };
        let value = scaled(self.value?);
        let bound = |bound: &Option<Decimal>| bound.as_ref().map(|bound| scaled(bound.value()));
        let below = bound(&self.limit.low).map(|low| low - value);
        let above = bound(&self.limit.high).map(|high| value - high);
        below.into_iter().chain(above).max_by(f64::total_cmp)
    }
}

impl Outcome {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::NotMeasured => "not measured",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Fail => "fail",
        }
    }
}

/// One figure held against one limit.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// The policy's test.
    pub test: String,
    /// `bias` or `performance`.
    pub question: String,
    /// The audit.
    pub audit: String,
    /// The attribute, or attributes joined by `*`; empty for a figure over all rows.
    pub attribute: String,
    /// The group; empty for a figure over all rows.
    pub group: String,
    /// The group it is compared with, if any.
    pub reference: Option<String>,
    /// The figure.
    pub metric: Metric,
    /// Its value; `None` is undefined.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Rows of the group.
    pub n: u64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// What it was held against.
    pub limit: Limit,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether group and reference have at least the policy's size; smaller ones are reported, not judged.
    pub is_judged: bool,
    /// Whether a special category was counted without its lawful basis: a what-if, and no evidence.
    pub is_what_if: bool,
    /// Whether the policy asks for it.
    pub required: Truth,
    /// Fisher's exact two-sided p-value.
    pub p: Option<f64>,
    /// The same after Holm's correction over the audit's question.
    pub p_holm: Option<f64>,
    /// The requirements whose evidence it is.
    pub requirements: BTreeSet<String>,
    /// The method of value and interval, with its version.
    pub method: &'static str,
}

/// Holds every figure of the plan against its limit. In the order of audits, tests, groupings and groups.
pub fn judge(plan: &Plan, measures: &[Measures]) -> Vec<TestResult> {
    let z = z(plan);
    let mut results = Vec::new();
    for audit in &plan.audits {
        let Some(measures) = measures
            .iter()
            .find(|measures| measures.audit == audit.name)
        else {
            continue;
        };
        let start = results.len();
        for planned in &plan.tests {
            judge_test(plan, planned, audit, measures, z, &mut results);
        }
        correct_family(&mut results[start..]);
    }
    results
}

/// The standard normal quantile of the plan's confidence.
pub fn z(plan: &Plan) -> f64 {
    z_of(plan.confidence)
}

fn z_of(confidence: f64) -> f64 {
    proportion::z_for(confidence).unwrap_or(proportion::Z95)
}

fn judge_test(
    plan: &Plan,
    planned: &PlannedTest,
    audit: &Audit,
    measures: &Measures,
    z: f64,
    results: &mut Vec<TestResult>,
) {
    let metric = planned.test.metric;
    if metric.needs_label() && audit.label.is_none() {
        let mut result = blank(planned, audit, "", None);
        result.outcome = Outcome::NotMeasured;
        results.push(result);
        return;
    }
    if !metric.compares_groups() {
        results.push(overall(plan, planned, audit, measures, z));
        return;
    }
    for grouping in audit.groupings() {
        let groups = groups(measures, &grouping, audit, plan.reference_min);
        against_reference(plan, planned, audit, &groups, results);
    }
}

fn against_reference(
    plan: &Plan,
    planned: &PlannedTest,
    audit: &Audit,
    groups: &Groups,
    results: &mut Vec<TestResult>,
) {
    let reference = groups.reference.map(|at| &groups.groups[at]);
    let what_if = audit.is_what_if(&groups.grouping.columns);
    if groups.groups.len() < 2 {
        // Nobody to compare with: that is an answer, and not a pass.
        let mut result = blank(planned, audit, &groups.grouping.name, None);
        result.reference = reference.map(|group| group.name.clone());
        result.outcome = Outcome::NotMeasured;
        result.is_what_if = what_if;
        results.push(result);
    }
    for group in groups
        .groups
        .iter()
        .filter(|group| Some(*group) != reference)
    {
        let mut result = blank(planned, audit, &groups.grouping.name, Some(group));
        result.is_what_if = what_if;
        let Some(reference) = reference else {
            results.push(result);
            continue;
        };
        let favourable = audit.decision.favourable;
        let metric = planned.test.metric;
        let [ours, theirs] = [group, reference].map(|group| held_share(metric, group, favourable));
        let figure = compare_groups(plan.confidence, metric, ours, theirs);
        result.reference = Some(reference.name.clone());
        result.n_reference = reference.n();
        result.value = figure.value;
        result.interval = figure.interval;
        result.p = fisher(ours, theirs);
        result.method = figure.method;
        result.outcome = held(figure.interval, &planned.test.limit);
        result.is_judged = group.n() >= plan.min_group && reference.n() >= plan.min_group;
        results.push(result);
    }
}

fn overall(
    plan: &Plan,
    planned: &PlannedTest,
    audit: &Audit,
    measures: &Measures,
    z: f64,
) -> TestResult {
    let all = Group {
        name: String::new(),
        cell: measures.table.total(),
    };
    let accuracy = Rate::Accuracy.of(&all.confusion());
    let mut result = blank(planned, audit, "", Some(&all));
    result.value = accuracy.value();
    result.interval = proportion::wilson(accuracy, z);
    result.n = accuracy.n();
    result.method = "wilson/1";
    result.outcome = held(result.interval, &planned.test.limit);
    result.is_judged = accuracy.n() >= plan.min_group;
    result
}

fn blank(
    planned: &PlannedTest,
    audit: &Audit,
    attribute: &str,
    group: Option<&Group>,
) -> TestResult {
    TestResult {
        test: planned.test.id.clone(),
        question: planned.test.question.clone(),
        audit: audit.name.clone(),
        attribute: attribute.to_owned(),
        group: group.map(|group| group.name.clone()).unwrap_or_default(),
        reference: None,
        metric: planned.test.metric,
        value: None,
        interval: None,
        n: group.map_or(0, Group::n),
        n_reference: 0,
        limit: planned.test.limit.clone(),
        outcome: Outcome::Inconclusive,
        is_judged: false,
        is_what_if: false,
        required: planned.required,
        p: None,
        p_holm: None,
        requirements: planned.requirements.clone(),
        method: "none",
    }
}

struct Figure {
    value: Option<f64>,
    interval: Option<Interval>,
    method: &'static str,
}

fn compare_groups(
    confidence: f64,
    metric: Metric,
    ours: Option<Proportion>,
    theirs: Option<Proportion>,
) -> Figure {
    if metric == Metric::ImpactRatio {
        return impact_ratio(confidence, ours, theirs);
    }
    let pair = ours.zip(theirs);
    let z = z_of(confidence);
    Figure {
        value: pair.and_then(|(group, reference)| compare::difference(group, reference)),
        interval: pair
            .and_then(|(group, reference)| compare::difference_newcombe(group, reference, z)),
        method: "newcombe-10/1",
    }
}

/// The interval of a comparison at another confidence; of a figure over all rows where `theirs` is `None`.
pub(crate) fn interval_at(
    confidence: f64,
    metric: Metric,
    ours: Option<Proportion>,
    theirs: Option<Proportion>,
) -> Option<Interval> {
    if metric.compares_groups() {
        compare_groups(confidence, metric, ours, theirs).interval
    } else {
        proportion::wilson(ours?, z_of(confidence))
    }
}

/// The share of a group that a metric compares.
pub(crate) fn held_share(metric: Metric, group: &Group, favourable: u8) -> Option<Proportion> {
    match metric {
        Metric::ImpactRatio => group.favourable(favourable),
        Metric::SelectionDifference => group.rate(Rate::SelectionRate),
        Metric::TprDifference => group.rate(Rate::Tpr),
        Metric::FprDifference => group.rate(Rate::Fpr),
        Metric::PpvDifference => group.rate(Rate::Ppv),
        Metric::AccuracyDifference | Metric::Accuracy => group.rate(Rate::Accuracy),
    }
}

/// The impact ratio with Katz' interval. Where nobody in the group was favoured, Katz' logarithm is undefined; where everybody in
/// both was, its width is 0 at any size. The interval is then the ratio of exact bounds, each at half the error (Bonferroni), which
/// is conservative.
fn impact_ratio(
    confidence: f64,
    group: Option<Proportion>,
    reference: Option<Proportion>,
) -> Figure {
    let Some((group, reference)) = group.zip(reference) else {
        return Figure {
            value: None,
            interval: None,
            method: "katz-log/1",
        };
    };
    let value = compare::ratio(group, reference);
    if compare::needs_ratio_exact(group, reference) {
        return Figure {
            value,
            interval: compare::ratio_exact(group, reference, confidence),
            method: "clopper-pearson-ratio/1",
        };
    }
    Figure {
        value,
        interval: compare::ratio_katz(group, reference, z_of(confidence)),
        method: "katz-log/1",
    }
}

/// Holds an interval against a limit.
pub fn held(interval: Option<Interval>, limit: &Limit) -> Outcome {
    let Some(interval) = interval else {
        return Outcome::Inconclusive;
    };
    let low = limit
        .low
        .as_ref()
        .map_or(f64::NEG_INFINITY, |low| low.value());
    let high = limit
        .high
        .as_ref()
        .map_or(f64::INFINITY, |high| high.value());
    if interval.high < low || interval.low > high {
        Outcome::Fail
    } else if interval.low >= low && interval.high <= high {
        Outcome::Pass
    } else {
        Outcome::Inconclusive
    }
}

/// Holm's correction over all groups and metrics of one question that are judged and are evidence.
fn correct_family(results: &mut [TestResult]) {
    let questions: BTreeSet<String> = results
        .iter()
        .map(|result| result.question.clone())
        .collect();
    for question in questions {
        let family: Vec<usize> = (0..results.len())
            .filter(|at| {
                results[*at].question == question
                    && results[*at].is_judged
                    && !results[*at].is_what_if
            })
            .collect();
        let p: Vec<Option<f64>> = family.iter().map(|at| results[*at].p).collect();
        for (at, adjusted) in family.into_iter().zip(correct::holm(&p)) {
            results[at].p_holm = adjusted;
        }
    }
}

/// The result that stands for the whole: among judged results that compare groups on the decision, the worst outcome, and of
/// those the ratio farthest from 1. `None` where no group is large enough.
pub fn headline(results: &[TestResult]) -> Option<&TestResult> {
    let distance = |result: &TestResult| {
        result.value.map_or(0.0, |value| {
            if value > 0.0 {
                value.ln().abs()
            } else {
                f64::INFINITY
            }
        })
    };
    let ratios = results.iter().filter(|result| {
        result.is_judged && !result.is_what_if && result.metric == Metric::ImpactRatio
    });
    ratios.max_by(|one, other| {
        one.outcome
            .cmp(&other.outcome)
            .then(distance(one).total_cmp(&distance(other)))
    })
}

/// A result as it would be under another threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// The threshold: decision 1 where the score is at least this.
    pub at_least: f64,
    /// The figure there.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// What the test would say.
    pub outcome: Outcome,
    /// Accuracy over all labelled rows there less accuracy today; `None` without labels.
    pub accuracy_change: Option<f64>,
}

/// The impact ratio of a result at every other threshold counted; empty where the decision is not a threshold on a counted score.
pub fn alternatives(
    plan: &Plan,
    audit: &Audit,
    measures: &Measures,
    result: &TestResult,
) -> Vec<Alternative> {
    let (Some(scores), DecisionBy::Threshold { column, at_least }) =
        (&measures.scores, &audit.decision.by)
    else {
        return Vec::new();
    };
    let same = audit
        .score
        .as_ref()
        .is_some_and(|score| score.column == *column);
    let grouping = audit
        .groupings()
        .into_iter()
        .find(|grouping| grouping.name == result.attribute);
    let (Some(grouping), Some(reference), true, Metric::ImpactRatio) =
        (grouping, &result.reference, same, result.metric)
    else {
        return Vec::new();
    };
    let today = accuracy_at(
        measures,
        &grouping,
        scores.cuts.iter().position(|cut| cut == at_least),
    );
    let mut alternatives = Vec::new();
    for (level, cut) in scores
        .cuts
        .iter()
        .enumerate()
        .filter(|(_, cut)| *cut != at_least)
    {
        let decided = decided_at(measures, &grouping, level);
        let favourable = |name: &str| {
            let cell = decided
                .iter()
                .find(|(group, _)| group.as_deref() == Some(name))
                .map(|(_, cell)| *cell)?;
            Proportion::new(
                cell.decided(usize::from(audit.decision.favourable)),
                cell.n(),
            )
        };
        let figure = impact_ratio(
            plan.confidence,
            favourable(&result.group),
            favourable(reference),
        );
        alternatives.push(Alternative {
            at_least: *cut,
            value: figure.value,
            interval: figure.interval,
            outcome: held(figure.interval, &result.limit),
            accuracy_change: accuracy_at(measures, &grouping, Some(level))
                .zip(today)
                .map(|(there, today)| there - today),
        });
    }
    alternatives
}

/// Counts by group as if the decision were 1 from the cut at position `level` on.
fn decided_at(
    measures: &Measures,
    grouping: &Grouping,
    level: usize,
) -> Vec<(Option<String>, Cell)> {
    let Some(scores) = &measures.scores else {
        return Vec::new();
    };
    let mut groups = Vec::new();
    for (key, levels) in scores.by(&grouping.columns).unwrap_or_default() {
        let mut cell = Cell::default();
        for (at, labels) in levels.iter().enumerate() {
            for (label, n) in labels.iter().enumerate() {
                cell.counts[label][usize::from(at > level)] += n;
            }
        }
        let values: Option<Vec<String>> = key.into_iter().collect();
        groups.push((values.map(|values| values.join("|")), cell));
    }
    groups
}

fn accuracy_at(measures: &Measures, grouping: &Grouping, level: Option<usize>) -> Option<f64> {
    let mut all = Cell::default();
    decided_at(measures, grouping, level?)
        .iter()
        .for_each(|(_, cell)| all.add(cell));
    Rate::Accuracy
        .of(&Group {
            name: String::new(),
            cell: all,
        }
        .confusion())
        .value()
}
