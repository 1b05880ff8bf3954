//! How unevenly a decision benefits people, and how much of that lies between groups.
//!
//! The benefit of one row is b = decision - label + 1, where 1 stands for the favourable class: 2 for a
//! favourable decision the label did not call for, 1 for a right decision, 0 for a favourable one denied.
//! Each slice holds one [`Confusion`] per group, in which class 1 is the favourable one: where class 0 is,
//! pass [`Confusion::swapped`]. One group is enough for the figures over all rows.
//!
//! Source: Speicher et al. 2018, A unified approach to quantifying algorithmic unfairness, 24th ACM SIGKDD
//! Conference, 2239-2248.

use crate::confusion::Confusion;
use crate::mass::cross_difference;
use crate::proportion::COUNT_MAX;

/// Theil's index of the benefits, 0 where all are equal; [`generalized_entropy`] with `alpha` 1.
///
/// `None` if there are no rows or nobody benefits.
///
/// Formula: mean of (b/μ)·ln(b/μ), μ = mean b, 0·ln 0 = 0.
/// Source: Theil 1967, Economics and Information Theory, chapter 4.
pub fn theil_index(groups: &[Confusion]) -> Option<f64> {
    entropy(&people(groups), 1.0)
}

/// The generalized entropy of the benefits, 0 where all are equal.
///
/// The larger `alpha`, the more the largest benefits weigh; 2 is half the squared [`coefficient_of_variation`],
/// 1 is [`theil_index`], 0 the mean logarithmic deviation. `None` if there are no rows, nobody benefits,
/// or the figure is not finite: so for `alpha` of 0 or below as soon as one benefit is 0.
///
/// Formula: mean of ((b/μ)^α - 1) / (α(α-1)); its limits at 0 and 1.
/// Source: Shorrocks 1980, Econometrica 48, 613-625.
pub fn generalized_entropy(groups: &[Confusion], alpha: f64) -> Option<f64> {
    entropy(&people(groups), alpha)
}

/// The standard deviation of the benefits over their mean, 0 where all are equal.
///
/// `None` if there are no rows or nobody benefits.
///
/// Formula: √(2·GE(2)).
pub fn coefficient_of_variation(groups: &[Confusion]) -> Option<f64> {
    generalized_entropy(groups, 2.0).map(|entropy| (2.0 * entropy).sqrt())
}

/// [`theil_index`] with every benefit replaced by the mean of its group: the part between groups.
pub fn between_group_theil_index(groups: &[Confusion]) -> Option<f64> {
    entropy(&means(groups), 1.0)
}

/// [`generalized_entropy`] with every benefit replaced by the mean of its group: the part between groups.
///
/// For `alpha` of 0 or below it is undefined only if a whole group has no benefit.
pub fn between_group_generalized_entropy(groups: &[Confusion], alpha: f64) -> Option<f64> {
    entropy(&means(groups), alpha)
}

/// [`coefficient_of_variation`] with every benefit replaced by the mean of its group.
pub fn between_group_coefficient_of_variation(groups: &[Confusion]) -> Option<f64> {
    between_group_generalized_entropy(groups, 2.0).map(|entropy| (2.0 * entropy).sqrt())
}

/// So many rows, with this benefit in all; each row has the same part of it.
struct Share {
    rows: u64,
    benefit: u64,
}

/// The rows by their own benefit.
fn people(groups: &[Confusion]) -> Vec<Share> {
    let sum = |count: fn(&Confusion) -> [u64; 2]| {
        cut(groups.iter().flat_map(count).fold(0, u64::saturating_add))
    };
    let denied = sum(|group| [group.fn_, 0]);
    let right = sum(|group| [group.tp, group.tn]);
    let favoured = sum(|group| [group.fp, 0]);
    full([(denied, 0), (right, right), (favoured, 2 * favoured)])
}

/// The rows by the mean benefit of their group.
fn means(groups: &[Confusion]) -> Vec<Share> {
    full(groups.iter().map(|group| {
        let [right, favoured] = [cut(group.tp).saturating_add(cut(group.tn)), cut(group.fp)];
        let rows = right + favoured + cut(group.fn_);
        (rows, right + 2 * favoured)
    }))
}

/// No table of people reaches this count, see [`Confusion`].
fn cut(count: u64) -> u64 {
    count.min(COUNT_MAX)
}

fn full(shares: impl IntoIterator<Item = (u64, u64)>) -> Vec<Share> {
    shares
        .into_iter()
        .filter(|&(rows, _)| rows > 0)
        .map(|(rows, benefit)| Share { rows, benefit })
        .collect()
}

fn entropy(shares: &[Share], alpha: f64) -> Option<f64> {
    let sum = |part: fn(&Share) -> u64| shares.iter().map(part).fold(0, u64::saturating_add);
    let rows = sum(|share| share.rows);
    let benefit = sum(|share| share.benefit);
    // Products of sums beyond this, which no table reaches, would not be exact.
    if benefit == 0 || rows.max(benefit) > 1 << 62 {
        return None;
    }
    let mut sum = 0.0;
    for share in shares {
        // b/μ - 1, from integers, so that a mean close to the others keeps its digits.
        let apart = cross_difference(share.benefit, rows, benefit, share.rows) as f64;
        let off = apart / (share.rows as f64 * benefit as f64);
        let part = share.rows as f64 / rows as f64;
        sum += part * term(off, share.benefit == 0, alpha);
    }
    sum.is_finite().then_some(sum)
}

/// (x^α - 1 - α(x-1)) / (α(α-1)) for x = 1 + `off`, never below 0.
///
/// The part α(x-1) is 0 on average; with it no term has to cancel another. `is_zero` says that x is 0.
fn term(off: f64, is_zero: bool, alpha: f64) -> f64 {
    if is_zero {
        return if alpha > 0.0 {
            1.0 / alpha
        } else {
            f64::INFINITY
        };
    }
    if off.abs() <= 0.1 && (alpha * off).abs() <= 1.0 {
        return near_one(off, alpha);
    }
    let ln = off.ln_1p();
    // (x^β - 1)/β, which is ln x at β = 0.
    let power = |beta: f64| {
        if beta == 0.0 {
            ln
        } else {
            (beta * ln).exp_m1() / beta
        }
    };
    // Two forms of the same: one is steady about α = 1, the other about α = 0.
    if alpha > 0.5 {
        ((1.0 + off) * power(alpha - 1.0) - off) / alpha
    } else {
        (power(alpha) - off) / (alpha - 1.0)
    }
}

/// The binomial series of the same: off²/2 · (1 + (α-2)/3·off · (1 + (α-3)/4·off · …)).
fn near_one(off: f64, alpha: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 2.0);
    loop {
        term *= (alpha - k) / (k + 1.0) * off;
        let next = sum + term;
        if next == sum || !next.is_finite() {
            return off * off / 2.0 * next;
        }
        sum = next;
        k += 1.0;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
