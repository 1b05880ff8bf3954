//! Two or more samples compared by ranks and by means: Welch, Mann-Whitney, Kruskal-Wallis.

use std::ops::Range;

use crate::compare::{PValue, Test};
use crate::normal::ln_two_sided;
use crate::sample::{Sample, Sum, standings, sum};
use crate::tail;

/// Welch's t test of two means, see [`welch`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The statistic, in standard errors; positive where the group's mean is higher.
    pub t: f64,
    /// Welch's and Satterthwaite's degrees of freedom, a real number of at least 1.
    pub df: f64,
    /// Two-sided.
    pub p: PValue,
}

/// Whether two means differ, the variances being what they are.
///
/// `None` if a sample has fewer than two people or if no score differs within either.
///
/// Formula: t = (mean_g - mean_r)/√(s_g²/n_g + s_r²/n_r), df = 1/(w²/(n_g-1) + (1-w)²/(n_r-1)), w the group's part of
/// the squared standard error.
/// Source: Welch 1947, Biometrika 34, 28-35; Satterthwaite 1946, Biometrics Bulletin 2, 110-114.
pub fn welch(group: &Sample, reference: &Sample) -> Option<Welch> {
    let (n_g, n_r) = (group.n() as f64, reference.n() as f64);
    let of_group = group.variance()? / n_g;
    let of_both = of_group + reference.variance()? / n_r;
    let difference = group.mean()? - reference.mean()?;
    if !(of_both > 0.0 && difference.is_finite()) {
        return None;
    }
    let t = difference / of_both.sqrt();
    let part = of_group / of_both;
    let df = 1.0 / (part * part / (n_g - 1.0) + (1.0 - part).powi(2) / (n_r - 1.0));
    Some(Welch {
        t,
        df,
        p: tail::student(t, df),
    })
}

/// The Mann-Whitney test, see [`mann_whitney`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs of one person each in which the group's person scores higher, pairs of equal scores counted half.
    pub u: f64,
    /// z, positive where the group ranks higher, with continuity and tie correction, and its two-sided p; `None` if all
    /// scores are equal.
    pub test: Option<Test>,
}

/// Whether the group ranks higher or lower than the reference: U of the group with its normal p-value.
///
/// `None` if a sample is empty. U is counted in whole numbers.
///
/// Formula: z = (|U - n_g·n_r/2| - 1/2)/σ with σ² = n_g·n_r/(12·n(n-1)) · Σ t(n-t)(n+t), over groups of t equal scores;
/// the sum is n³ - n less the usual Σ(t³ - t), without its cancellation.
/// Source: Mann and Whitney 1947, Annals of Mathematical Statistics 18, 50-60; ties, Kruskal and Wallis 1952, Journal of the
/// American Statistical Association 47, 583-621.
pub fn mann_whitney(group: &Sample, reference: &Sample) -> Option<MannWhitney> {
    Some(mann_whitney_of(&Pair::new(group, reference)?))
}

pub(crate) fn mann_whitney_of(pair: &Pair) -> MannWhitney {
    let (doubled, pairs) = (pair.doubled_wins, pair.pairs());
    let n = (pair.n.0 + pair.n.1) as f64;
    let variance = pairs as f64 / 12.0 * (pair.untied / (n * (n - 1.0)));
    let off = doubled.abs_diff(pairs) as f64 / 2.0;
    let size = ((off - 0.5) / variance.sqrt()).max(0.0);
    let test = || Test {
        statistic: if doubled < pairs { -size } else { size },
        p: PValue::from_ln(ln_two_sided(size)),
    };
    MannWhitney {
        u: doubled as f64 / 2.0,
        test: (variance > 0.0).then(test),
    }
}

/// What one walk through two samples yields for the tests that compare their order; all but the last in whole numbers.
pub(crate) struct Pair {
    /// The people of the two samples.
    pub(crate) n: (u64, u64),
    /// The largest gap between the cumulative shares, times both numbers of people.
    pub(crate) widest: u128,
    /// Over all pairs of one person each: 2 where that of the first sample scores higher, 1 where both are equal.
    pub(crate) doubled_wins: u128,
    /// Σ t(n-t)(n+t) over groups of t equal scores.
    pub(crate) untied: f64,
}

impl Pair {
    /// `None` if a sample is empty.
    pub(crate) fn new(one: &Sample, other: &Sample) -> Option<Pair> {
        if one.is_empty() || other.is_empty() {
            return None;
        }
        if one.values().len() <= other.values().len() {
            return Some(Pair::walked(one, other));
        }
        let turned = Pair::walked(other, one);
        Some(Pair {
            n: (one.n(), other.n()),
            doubled_wins: 2 * turned.pairs() - turned.doubled_wins,
            ..turned
        })
    }

    /// Pairs of one person each.
    pub(crate) fn pairs(&self) -> u128 {
        u128::from(self.n.0) * u128::from(self.n.1)
    }

    /// Walks through the sample with fewer scores; of the other one, what lies between two of them is taken together.
    fn walked(few: &Sample, many: &Sample) -> Pair {
        let (n_few, n_many) = (i128::from(few.n()), i128::from(many.n()));
        let n = (few.n() + many.n()) as f64;
        let (mut widest, mut doubled_wins) = (0_i128, 0_u128);
        // Where nobody shares a score within a sample, how many do with one of the other tells all.
        let is_plain = few.has_no_ties() && many.has_no_ties();
        let (mut untied, mut n_shared, mut next) = (Sum::default(), 0_usize, 0);
        standings(few, many, |index, place| {
            let (lower, alike) = (few.below(index), few.count(index));
            let lower_many = many.below(place);
            let tied = many.count_if(place, few.values()[index]);
            doubled_wins += u128::from(alike) * u128::from(2 * lower_many + tied);
            // Between two scores of the one sample the gap only falls, so it is widest beside them.
            let before = i128::from(lower) * n_many - i128::from(lower_many) * n_few;
            let change = i128::from(alike) * n_many - i128::from(tied) * n_few;
            widest = widest.max(before.abs()).max((before + change).abs());
            n_shared += usize::from(tied > 0);
            if !is_plain {
                let between = (next..place).map(|index| many.count(index));
                between.for_each(|alone| untied.add(untied_part(alone as f64, n)));
                untied.add(untied_part((alike + tied) as f64, n));
                next = place + usize::from(tied > 0);
            }
        });
        if is_plain {
            let n_alone = few.values().len() + many.values().len() - 2 * n_shared;
            untied.add(n_alone as f64 * untied_part(1.0, n));
            untied.add(n_shared as f64 * untied_part(2.0, n));
        } else {
            untied.add(untied_between(many, next..many.values().len(), n));
        }
        Pair {
            n: (few.n(), many.n()),
            widest: widest.unsigned_abs(),
            doubled_wins,
            untied: untied.value(),
        }
    }
}

/// The Kruskal-Wallis test, see [`kruskal_wallis`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KruskalWallis {
    /// The statistic with tie correction, 0 and above.
    pub h: f64,
    /// One less than the number of samples that are not empty.
    pub df: u64,
    /// The upper tail of chi-square.
    pub p: PValue,
}

/// Whether any of several samples ranks higher than the others.
///
/// `all` holds the people of all samples, and no others ([`Sample::merged`]). Empty samples are left out. `None` if fewer than
/// two are left, all scores are equal, or `all` has another number of people than the samples. Rank sums are counted in
/// whole numbers, as twice their distance from what chance lets expect.
///
/// Formula: H = 3(N-1) Σ e_g²/n_g / Σ t(N-t)(N+t), e_g = Σ over the sample's people (how many score lower - how many
/// score higher) = 2R_g - n_g(N+1), t the sizes of groups of equal scores.
/// Source: Kruskal and Wallis 1952, Journal of the American Statistical Association 47, 583-621.
pub fn kruskal_wallis(samples: &[&Sample], all: &Sample) -> Option<KruskalWallis> {
    let samples: Vec<&Sample> = samples
        .iter()
        .copied()
        .filter(|sample| !sample.is_empty())
        .collect();
    let n = all.n();
    if samples.len() < 2 || samples.iter().map(|sample| sample.n()).sum::<u64>() != n {
        return None;
    }
    let untied = untied_between(all, 0..all.values().len(), n as f64);
    if untied <= 0.0 {
        return None;
    }
    let longest = samples.iter().map(|sample| sample.values().len()).max()?;
    let longest = samples
        .iter()
        .position(|sample| sample.values().len() == longest)?;
    let mut excess: Vec<i128> = samples
        .iter()
        .enumerate()
        .map(|(index, sample)| {
            if index == longest {
                0
            } else {
                excess(sample, all)
            }
        })
        .collect();
    // Over all people it is 0, so the sample that would take longest follows from the others.
    excess[longest] = -excess.iter().sum::<i128>();
    let spread = sum(samples.iter().zip(&excess).map(|(sample, &excess)| {
        let excess = excess as f64;
        excess * excess / sample.n() as f64
    }));
    let h = 3.0 * (n - 1) as f64 * (spread / untied);
    let df = samples.len() as u64 - 1;
    Some(KruskalWallis {
        h,
        df,
        p: tail::chi2(h, df as f64),
    })
}

/// Over the people of a sample: how many of all score lower less how many score higher.
fn excess(sample: &Sample, all: &Sample) -> i128 {
    let mut excess = 0;
    standings(sample, all, |index, place| {
        let lower = all.below(place);
        let higher = all.n() - lower - all.count_if(place, sample.values()[index]);
        excess += i128::from(sample.count(index)) * (i128::from(lower) - i128::from(higher));
    });
    excess
}

/// [`untied_part`] summed over the distinct scores at `range`, for `n` people in all.
fn untied_between(sample: &Sample, range: Range<usize>, n: f64) -> f64 {
    if sample.has_no_ties() {
        return range.len() as f64 * untied_part(1.0, n);
    }
    let [total] = sample.sums(range, |_, tied| [untied_part(tied, n)]);
    total
}

/// What `tied` people with equal scores of `n` leave of n³ - n: t(n-t)(n+t).
fn untied_part(tied: f64, n: f64) -> f64 {
    tied * (n - tied) * (n + tied)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
