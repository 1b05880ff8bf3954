//! Ranked lists: who stands near the top, and who is seen.

use std::cmp::Ordering;

use crate::compare::ratio;
use crate::mass::{cross_difference, deviance};
use crate::proportion::{COUNT_MAX, Proportion};
use crate::total::total;

/// The group at each position of a list, best position first.
///
/// Ties must have been broken before, by a rule that is stated: another order of tied people gives other
/// figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    groups: Vec<usize>,
    n_by_group: Vec<u64>,
}

impl Ranking {
    /// `groups[i]` is the group at rank i + 1, of the groups `0..n_groups`; `None` if one is not.
    ///
    /// A group may have no member; its figures are then undefined.
    pub fn new(groups: Vec<usize>, n_groups: usize) -> Option<Ranking> {
        if groups.len() as u64 > COUNT_MAX {
            return None;
        }
        let mut n_by_group = vec![0; n_groups];
        for &group in &groups {
            *n_by_group.get_mut(group)? += 1;
        }
        Some(Ranking { groups, n_by_group })
    }

    /// The length of the list.
    pub fn n(&self) -> u64 {
        self.groups.len() as u64
    }

    /// The number of members of each group.
    pub fn n_by_group(&self) -> &[u64] {
        &self.n_by_group
    }

    /// The number of members of each group among the first `k`; `None` unless 1 <= `k` <= the length.
    fn in_top(&self, k: usize) -> Option<Vec<u64>> {
        let top = self.groups.get(..k).filter(|top| !top.is_empty())?;
        let mut counts = vec![0; self.n_by_group.len()];
        for &group in top {
            counts[group] += 1;
        }
        Some(counts)
    }
}

/// The share of each group among the first `k`; `None` unless 1 <= `k` <= the length of the list.
pub fn topk_share(ranking: &Ranking, k: usize) -> Option<Vec<Proportion>> {
    let in_top = ranking.in_top(k)?;
    let share = |&count: &u64| Proportion::saturated(count, k as u64);
    Some(in_top.iter().map(share).collect())
}

/// The share of each group's members who stand among the first `k`: a selection rate, if the first `k`
/// are selected. `None` unless 1 <= `k` <= the length of the list.
pub fn topk_rate(ranking: &Ranking, k: usize) -> Option<Vec<Proportion>> {
    let in_top = ranking.in_top(k)?;
    let rates = in_top.iter().zip(&ranking.n_by_group);
    Some(
        rates
            .map(|(&count, &n)| Proportion::saturated(count, n))
            .collect(),
    )
}

/// [`topk_rate`] of each group over the highest one, 0..=1, 1 for the group that has it.
///
/// `None` unless 1 <= `k` <= the length; in place of a group if it has no members. Groups of any
/// size can be the highest; leave out a tiny one by leaving its members out of the list.
///
/// Source: 29 CFR 1607.4(D), with the first `k` as the selected.
pub fn impact_ratio_topk(ranking: &Ranking, k: usize) -> Option<Vec<Option<f64>>> {
    let rates = topk_rate(ranking, k)?;
    let defined = rates.iter().copied().filter(|rate| rate.n() > 0);
    let highest = defined.reduce(|highest, rate| match by_value(rate, highest) {
        Ordering::Greater => rate,
        Ordering::Less | Ordering::Equal => highest,
    })?;
    Some(rates.iter().map(|&rate| ratio(rate, highest)).collect())
}

/// How over- or under-represented the groups are among the first `k`, see [`skew`].
#[derive(Debug, Clone, PartialEq)]
pub struct Skew {
    /// One per group; 0 is as in the whole list, negative is too few. `None` for a group without members, and
    /// for one with nobody among the first `k`, where it would be minus infinity.
    pub by_group: Vec<Option<f64>>,
    /// The smallest; `None` if a group that has members has nobody among the first `k`, since the worst case
    /// then has no number.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Places of the groups that have members but nobody among the first `k`.
    pub absent: Vec<usize>,
}

/// The skew at `k`: the logarithm of each group's share among the first `k` over its share of the list.
///
/// `None` unless 1 <= `k` <= the length of the list.
///
/// Formula: ln((k_g/k) / (n_g/n)).
/// Source: Geyik, Ambler and Kenthapadi 2019, 25th ACM SIGKDD Conference, 2221-2231, with the group's share
/// of the whole list as the desired one.
pub fn skew(ranking: &Ranking, k: usize) -> Option<Skew> {
    let in_top = ranking.in_top(k)?;
    let n = ranking.n() as f64;
    let skew_of = |count: u64, members: u64| {
        (count > 0).then(|| (count as f64 * n / (k as f64 * members as f64)).ln())
    };
    let pairs = || in_top.iter().zip(&ranking.n_by_group);
    let by_group: Vec<Option<f64>> = pairs().map(|(&c, &m)| skew_of(c, m)).collect();
    let absent: Vec<usize> = pairs()
        .enumerate()
        .filter(|&(_, (&count, &members))| count == 0 && members > 0)
        .map(|(group, _)| group)
        .collect();
    let defined = || by_group.iter().copied().flatten();
    let min = defined().reduce(f64::min).filter(|_| absent.is_empty());
    let max = defined().reduce(f64::max);
    Some(Skew {
        by_group,
        min,
        max,
        absent,
    })
}

/// The normalized discounted cumulative divergence of the list, in nats, 0 and above: how far the first
/// 1, 2, 3, … are from the whole list, the top counting most. Never quite 0 with two groups: the
/// first place has only one.
///
/// `None` for an empty list.
///
/// Formula: Σ_i KL(D_i‖D)/log2(i+1) / Σ_i 1/log2(i+1), D_i the shares of the groups among the first i, D in the
/// whole list, KL with natural logarithms.
/// Source: Geyik, Ambler and Kenthapadi 2019, 25th ACM SIGKDD Conference, 2221-2231.
/// Cost: positions times groups.
pub fn ndkl(ranking: &Ranking) -> Option<f64> {
    let mut counts = vec![0; ranking.n_by_group.len()];
    let mut terms = Vec::with_capacity(ranking.groups.len());
    for (i, &group) in (1..).zip(&ranking.groups) {
        counts[group] += 1;
        terms.push(divergence(&counts, i, ranking) * exposure(i));
    }
    let discounts = total((1..=ranking.n()).map(exposure));
    (!terms.is_empty()).then(|| total(terms) / discounts)
}

/// The mean exposure of each group's members, each above 0 and at most 1; `None` in place of a group
/// without members.
///
/// Formula: mean of 1/log2(rank + 1).
/// Source: Singh and Joachims 2018, 24th ACM SIGKDD Conference, 2219-2228.
pub fn mean_exposure(ranking: &Ranking) -> Vec<Option<f64>> {
    let n_groups = ranking.n_by_group.len();
    let mut by_group: Vec<Vec<f64>> = vec![Vec::new(); n_groups];
    for (i, &group) in (1..).zip(&ranking.groups) {
        by_group[group].push(exposure(i));
    }
    let mean = |seen: Vec<f64>| {
        let n = seen.len() as f64;
        (n > 0.0).then(|| total(seen) / n)
    };
    by_group.into_iter().map(mean).collect()
}

/// [`mean_exposure`] of each group over the highest one, above 0 and at most 1.
pub fn exposure_ratio_vs_max(ranking: &Ranking) -> Vec<Option<f64>> {
    let exposures = mean_exposure(ranking);
    let highest = exposures.iter().copied().flatten().fold(0.0, f64::max);
    let over = |exposure: Option<f64>| exposure.map(|exposure| exposure / highest);
    exposures.into_iter().map(over).collect()
}

/// 1/log2(rank + 1).
fn exposure(rank: u64) -> f64 {
    1.0 / ((rank + 1) as f64).log2()
}

/// KL of the shares among the first `i` from those of the whole list.
fn divergence(counts: &[u64], i: u64, ranking: &Ranking) -> f64 {
    let n = ranking.n();
    let groups = counts.iter().zip(&ranking.n_by_group);
    let terms = groups
        .filter(|&(_, &members)| members > 0)
        .map(|(&count, &members)| {
            let expected = i as f64 * members as f64 / n as f64;
            let off = cross_difference(count, n, i, members) as f64 / n as f64;
            deviance(count as f64, expected, off)
        });
    terms.sum::<f64>() / i as f64
}

/// Compares two defined shares in integers.
fn by_value(one: Proportion, other: Proportion) -> Ordering {
    cross_difference(one.k(), other.n(), other.k(), one.n()).cmp(&0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
