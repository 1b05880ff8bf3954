//! Findings about rows of which several may be one person's: whole persons are drawn anew.

use alnager_stats::bootstrap::{self, Cluster, Replicates};
use alnager_stats::compare;
use alnager_stats::proportion::{Interval, z_for};

use super::{Finding, Method};
use crate::declared::Audit;
use crate::figures::{Group, group_name};
use crate::judge::{Outcome, held, held_share};
use crate::measures::Persons;
use crate::plan::Plan;
use crate::policy::Metric;
use crate::table::Cell;

/// Below this many replicates in each tail, a percentile is hardly more than the farthest replicate.
const TAIL_MIN: f64 = 5.0;

/// More replicates without a figure than this share: too few persons to say anything.
const UNDEFINED_MAX: f64 = 0.01;

/// Every figure in every replicate, and how many persons stand behind it.
pub(super) struct Drawn {
    /// By finding, then by replicate.
    replicates: Vec<Vec<Option<f64>>>,
    /// Persons of the group and of the reference, by finding.
    n_persons: Vec<(u64, u64)>,
}

impl Drawn {
    /// Draws the persons once for all findings.
    pub(super) fn of(
        audit: &Audit,
        persons: &Persons,
        findings: &[Finding],
        method: Method,
    ) -> Self {
        let places = places(audit, persons, findings);
        let clusters: Vec<Cluster> = persons
            .rows
            .iter()
            .map(|(id, cells)| Cluster {
                id: *id,
                cells: cells
                    .iter()
                    .map(|(cell, n)| (*cell as usize, u64::from(*n)))
                    .collect(),
            })
            .collect();
        let n_cells = persons.cells.len();
        let mut replicates = vec![Vec::new(); findings.len()];
        // `None` means more rows than can be drawn; every figure then stays without an interval.
        let _ = bootstrap::resample_clusters(
            &clusters,
            n_cells,
            method.n_replicates,
            method.seed,
            |cells| {
                for (figures, place) in replicates.iter_mut().zip(&places) {
                    figures.push(place.figure(cells));
                }
            },
        );
        let n_persons = places
            .iter()
            .map(|place| place.n_persons(persons))
            .collect();
        Drawn {
            replicates,
            n_persons,
        }
    }

    /// Gives findings the interval of persons, and judges only where there are enough of them.
    pub(super) fn judge(&self, plan: &Plan, findings: &mut [Finding]) {
        let intervals = self.intervals(plan.confidence, findings);
        for (at, (finding, interval)) in findings.iter_mut().zip(intervals).enumerate() {
            let (n, n_reference) = self.n_persons[at];
            let result = &mut finding.result;
            (result.p, finding.log10_p, finding.detectable) = (None, None, None);
            (result.n, result.n_reference) = (n, n_reference);
            result.interval = interval;
            result.method = "person-bootstrap/1";
            let compares = result.metric.compares_groups();
            result.is_judged &= n >= plan.min_group && (!compares || n_reference >= plan.min_group);
            if result.outcome != Outcome::NotMeasured {
                result.outcome = held(interval, &result.limit);
            }
        }
    }

    /// The interval of every finding: the percentiles of the replicates, or, where a confidence asks for more replicates than there
    /// are, the normal interval with their standard deviation (of the logarithm of a ratio).
    pub(super) fn intervals(&self, confidence: f64, findings: &[Finding]) -> Vec<Option<Interval>> {
        let drawn = self.replicates.iter().zip(findings);
        drawn
            .map(|(figures, finding)| interval(figures, finding, confidence))
            .collect()
    }
}

fn interval(figures: &[Option<f64>], finding: &Finding, confidence: f64) -> Option<Interval> {
    let replicates = Replicates::new(figures.iter().copied());
    let n = figures.len() as f64;
    if n == 0.0 || replicates.undefined() as f64 > UNDEFINED_MAX * n {
        return None;
    }
    let is_ratio = finding.result.metric == Metric::ImpactRatio;
    if n * (1.0 - confidence) / 2.0 >= TAIL_MIN {
        return replicates.percentile(confidence);
    }
    let (value, z) = (finding.result.value?, z_for(confidence)?);
    if n < 100.0 || (is_ratio && value <= 0.0) {
        return None;
    }
    if !is_ratio {
        let reach = z * replicates.standard_deviation()?;
        return Some(Interval {
            low: value - reach,
            high: value + reach,
        });
    }
    let logarithms = figures
        .iter()
        .map(|figure| figure.filter(|value| *value > 0.0).map(f64::ln));
    let logarithms = Replicates::new(logarithms);
    if logarithms.undefined() as f64 > UNDEFINED_MAX * n {
        return None;
    }
    let reach = z * logarithms.standard_deviation()?;
    Some(Interval {
        low: value * (-reach).exp(),
        high: value * reach.exp(),
    })
}

/// Which cells a finding's shares are made of.
struct CellsOf {
    metric: Metric,
    favourable: u8,
    /// The cells of the group, and of the reference, with label and decision.
    group: Vec<(usize, usize, usize)>,
    reference: Vec<(usize, usize, usize)>,
}

fn places(audit: &Audit, persons: &Persons, findings: &[Finding]) -> Vec<CellsOf> {
    let key_columns = audit.key_columns();
    let groupings = audit.groupings();
    let of = |finding: &Finding| {
        let grouping = groupings
            .iter()
            .find(|grouping| grouping.name == finding.result.attribute);
        let columns = grouping.map_or(&[] as &[String], |grouping| &grouping.columns);
        let at: Vec<usize> = columns
            .iter()
            .filter_map(|column| key_columns.iter().position(|name| name == column))
            .collect();
        let cells = |name: &str| {
            let cells = persons.cells.iter().enumerate();
            cells
                .filter(|(_, (key, _, _))| {
                    let key = at.iter().map(|at| key[*at].clone()).collect();
                    group_name(key, audit.missing).as_deref() == Some(name)
                })
                .map(|(cell, (_, label, decision))| (cell, *label, *decision))
                .collect()
        };
        CellsOf {
            metric: finding.result.metric,
            favourable: audit.decision.favourable,
            group: cells(&finding.result.group),
            reference: finding
                .result
                .reference
                .as_deref()
                .map(cells)
                .unwrap_or_default(),
        }
    };
    findings.iter().map(of).collect()
}

impl CellsOf {
    fn figure(&self, counts: &[u64]) -> Option<f64> {
        let share = |cells: &[(usize, usize, usize)]| {
            let mut cell = Cell::default();
            for (at, label, decision) in cells {
                cell.counts[*label][*decision] += counts[*at];
            }
            let group = Group {
                name: String::new(),
                cell,
            };
            held_share(self.metric, &group, self.favourable)
        };
        let ours = share(&self.group)?;
        match self.metric {
            Metric::Accuracy => ours.value(),
            Metric::ImpactRatio => compare::ratio(ours, share(&self.reference)?),
            Metric::SelectionDifference
            | Metric::TprDifference
            | Metric::FprDifference
            | Metric::PpvDifference
            | Metric::AccuracyDifference => compare::difference(ours, share(&self.reference)?),
        }
    }

    /// Persons with at least one row in the group, and in the reference.
    fn n_persons(&self, persons: &Persons) -> (u64, u64) {
        let count = |cells: &[(usize, usize, usize)]| {
            let mut is_ours = vec![false; persons.cells.len()];
            cells.iter().for_each(|(cell, _, _)| is_ours[*cell] = true);
            let has = |cells: &[(u32, u32)]| cells.iter().any(|(cell, _)| is_ours[*cell as usize]);
            persons.rows.iter().filter(|(_, cells)| has(cells)).count() as u64
        };
        (count(&self.group), count(&self.reference))
    }
}
