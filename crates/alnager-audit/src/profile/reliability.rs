//! What happened against what a score said, by group: the points of a reliability plot.

use std::collections::BTreeMap;

use alnager_stats::proportion::{self, Proportion};
use alnager_stats::sample::Sample;
use alnager_stats::score::{self, ByLabel};

use crate::declared::{Audit, Grouping};
use crate::figures::group_name;
use crate::measures::Measures;

/// Score against outcome of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The group.
    pub group: String,
    /// The bins that hold people, of ten of equal width.
    pub bins: Vec<Bin>,
}

/// One bin of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Where it begins and ends.
    pub ends: (f64, f64),
    /// People with a known outcome.
    pub n: u64,
    /// Their mean score.
    pub score: f64,
    /// Their share of outcome 1.
    pub outcome: f64,
    /// Its interval (Wilson).
    pub interval: Option<(f64, f64)>,
}

/// The curve of each group of a grouping, by name; `None` where no outcome is known or a score is no probability.
pub fn curves(
    audit: &Audit,
    measures: &Measures,
    grouping: &Grouping,
    z: f64,
) -> Option<Vec<Curve>> {
    audit.label.as_ref()?;
    let sums = measures.samples.as_ref()?.by(&grouping.columns)?;
    let parts: Vec<&Sample> = sums.values().flatten().collect();
    if !score::are_probabilities(&Sample::merged(&parts)) {
        return None;
    }
    let mut groups: BTreeMap<String, [Vec<&Sample>; 2]> = BTreeMap::new();
    for (key, [no, yes, _]) in &sums {
        if let Some(name) = group_name(key.clone(), audit.missing) {
            let of_group = groups.entry(name).or_default();
            of_group[0].push(no);
            of_group[1].push(yes);
        }
    }
    let curve = |(group, [no, yes]): (String, [Vec<&Sample>; 2])| {
        let (negative, positive) = (Sample::merged(&no), Sample::merged(&yes));
        let by_label = ByLabel {
            negative: &negative,
            positive: &positive,
        };
        let bins = score::reliability(by_label, 10)?;
        Some(Curve {
            group,
            bins: bins.iter().filter_map(|bin| point(bin, z)).collect(),
        })
    };
    Some(groups.into_iter().filter_map(curve).collect())
}

fn point(bin: &score::ReliabilityBin, z: f64) -> Option<Bin> {
    let share = Proportion::new(bin.n_positive, bin.n)?;
    let interval = proportion::wilson(share, z);
    Some(Bin {
        ends: (bin.low, bin.high),
        n: bin.n,
        score: bin.mean_score?,
        outcome: share.value()?,
        interval: interval.map(|interval| (interval.low, interval.high)),
    })
}
