//! Findings about weighted rows.

use alnager_stats::proportion::Proportion;
use alnager_stats::weighted::{self, Weighted};

use super::{Finding, Shares};
use crate::catalogue::weight::selected;
use crate::declared::Audit;
use crate::figures::group_weights;
use crate::judge::{Outcome, TestResult, held, interval_at, z};
use crate::measures::Measures;
use crate::plan::Plan;
use crate::policy::Metric;

/// Weighted rows: selection by Kish's effective number of rows; no exact test, and nothing else is judged.
pub(super) fn by_weight(
    plan: &Plan,
    audit: &Audit,
    measures: &Measures,
    all: &Shares,
    findings: &mut [Finding],
) {
    if measures.table.weights.is_empty() {
        return;
    }
    for finding in findings {
        let decision = match finding.result.metric {
            Metric::ImpactRatio => Some(usize::from(audit.decision.favourable)),
            Metric::SelectionDifference => Some(1),
            Metric::TprDifference
            | Metric::FprDifference
            | Metric::PpvDifference
            | Metric::AccuracyDifference
            | Metric::Accuracy => None,
        };
        let result = &mut finding.result;
        (result.value, result.interval, result.p) = (None, None, None);
        (finding.log10_p, finding.bounds) = (None, None);
        result.outcome = Outcome::NotMeasured;
        let pair =
            decision.and_then(|decision| weighted_pair(audit, measures, all, result, decision));
        let Some((ours, theirs)) = pair else {
            result.is_judged = false;
            continue;
        };
        let z = z(plan);
        (result.value, result.interval) = match result.metric {
            Metric::ImpactRatio => (
                weighted::ratio(ours, theirs),
                match exact(ours, theirs) {
                    Some((ours, theirs)) => interval_at(
                        plan.confidence,
                        Metric::ImpactRatio,
                        Some(ours),
                        Some(theirs),
                    ),
                    None => weighted::ratio_katz(ours, theirs, z),
                },
            ),
            Metric::SelectionDifference
            | Metric::TprDifference
            | Metric::FprDifference
            | Metric::PpvDifference
            | Metric::AccuracyDifference
            | Metric::Accuracy => (
                weighted::difference(ours, theirs),
                weighted::difference_newcombe(ours, theirs, z),
            ),
        };
        let test = weighted::z_pooled(ours, theirs);
        result.method = "kish-effective-n/1";
        result.p = test.map(|test| test.p.value);
        finding.log10_p = test.map(|test| test.p.log10);
        result.outcome = held(result.interval, &result.limit);
    }
}

/// The weighted shares of a decision in the two groups of a result.
fn weighted_pair(
    audit: &Audit,
    measures: &Measures,
    all: &Shares,
    result: &TestResult,
    decision: usize,
) -> Option<(Weighted, Weighted)> {
    let groups = all.groups.get(&result.attribute)?;
    let sums = group_weights(measures, &groups.grouping, audit.missing);
    let of = |name: &str| selected(sums.get(name)?, decision);
    Some((of(&result.group)?, of(result.reference.as_ref()?)?))
}

/// Where nobody in the group was favoured, or everybody in both was, the logarithm says nothing: the shares as counts of the
/// effective number of rows, rounded down, for the exact bounds that unweighted rows get there.
fn exact(ours: Weighted, theirs: Weighted) -> Option<(Proportion, Proportion)> {
    let (rate, other) = (ours.value()?, theirs.value()?);
    if rate > 0.0 && (rate < 1.0 || other < 1.0) {
        return None;
    }
    let counts = |share: Weighted, rate: f64| {
        let n = share.effective_n()?.floor();
        Proportion::new((rate * n).round() as u64, n as u64)
    };
    Some((counts(ours, rate)?, counts(theirs, other)?))
}
