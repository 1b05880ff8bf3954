//! Has something changed, asked after every period for as long as one likes?
//!
//! A fixed-sample test may be made once: made every month, it cries wolf sooner or later. What stands here holds at all times
//! together: a *confidence sequence* contains the truth at every look with the confidence stated, and an *e-value* has, without a
//! change, an expectation of at most 1 whenever one stops, so that it reaches 1/α with a chance of at most α (Ville 1939).
//!
//! Logarithms are natural.

use statrs::function::beta::ln_beta;

use crate::compare::ratio_exact;
use crate::proportion::{COUNT_MAX, Interval, Proportion, clopper_pearson};

/// The beta distribution of the alternatives that an e-value bets on. Any is valid that does not depend on the values themselves;
/// a good one finds a change sooner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    ones: f64,
    zeros: f64,
}

impl Mix {
    /// Beta(½, ½), Jeffreys' choice: nothing is known beforehand.
    pub const JEFFREYS: Mix = Mix {
        ones: 0.5,
        zeros: 0.5,
    };

    /// Around the share of earlier rows, with the weight of 30 rows: small changes are likelier than large ones.
    pub fn around(share: Proportion) -> Mix {
        const WEIGHT: f64 = 30.0;
        let value = share.value().unwrap_or(0.5);
        Mix {
            ones: Mix::JEFFREYS.ones + WEIGHT * value,
            zeros: Mix::JEFFREYS.zeros + WEIGHT * (1.0 - value),
        }
    }

    /// ln of the mixed likelihood of a sum and what is missing to the number of values.
    fn ln_mixture(self, sum: f64, rest: f64) -> f64 {
        ln_beta(self.ones + sum, self.zeros + rest) - ln_beta(self.ones, self.zeros)
    }
}

/// The logarithm of the e-value against the mean `mean`, from the sum of `n` values of 0..=1.
///
/// Valid at every n at once where each value has the expectation `mean` given those before it: 0 and 1, or anything between.
/// `None` unless 0 <= `sum` <= `n` <= [`COUNT_MAX`] and 0 <= `mean` <= 1. +∞ where the mean is impossible (0 with a sum above 0).
///
/// Formula: B(a + s, b + n - s)/B(a, b) / (mˢ(1 - m)ⁿ⁻ˢ), the mixture with Beta(a, b). For values between 0 and 1 each factor is
/// convex in the value, and so at most its chord.
/// Source: Robbins 1970, Annals of Mathematical Statistics 41, 1397-1409; Howard, Ramdas, McAuliffe and Sekhon 2021, Annals of
/// Statistics 49, 1055-1080.
pub fn ln_e_mean(sum: f64, n: u64, mean: f64, mix: Mix) -> Option<f64> {
    let rest = n as f64 - sum;
    if !(sum >= 0.0 && rest >= 0.0 && n <= COUNT_MAX && (0.0..=1.0).contains(&mean)) {
        return None;
    }
    Some(mix.ln_mixture(sum, rest) - ln_likelihood(sum, rest, mean))
}

/// s·ln m + r·ln(1 - m), with 0·ln 0 = 0.
fn ln_likelihood(sum: f64, rest: f64, mean: f64) -> f64 {
    let part = |count: f64, ln: f64| if count > 0.0 { count * ln } else { 0.0 };
    part(sum, mean.ln()) + part(rest, (-mean).ln_1p())
}

/// The confidence sequence of a mean of values of 0..=1 at this moment: the means whose e-value is below 1/`alpha`.
///
/// In a share of at least 1 - `alpha` of all runs the intervals of all moments contain the true mean. 0 to 1 without values.
/// `None` as for [`ln_e_mean`] or unless 0 < `alpha` < 1.
pub fn mean_sequence(sum: f64, n: u64, alpha: f64) -> Option<Interval> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    if n == 0 {
        return Some(Interval {
            low: 0.0,
            high: 1.0,
        });
    }
    let centre = (sum / n as f64).clamp(0.0, 1.0);
    ln_e_mean(sum, n, centre, Mix::JEFFREYS)?;
    let rest = n as f64 - sum;
    let mixture = Mix::JEFFREYS.ln_mixture(sum, rest);
    let limit = -alpha.ln();
    let is_held = |mean: f64| mixture - ln_likelihood(sum, rest, mean) < limit;
    // The e-value rises from the centre to either side.
    let end = |far: f64| {
        if is_held(far) {
            return far;
        }
        let (mut inside, mut outside) = (centre, far);
        for _ in 0..100 {
            let middle = 0.5 * (inside + outside);
            if is_held(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        outside
    };
    Some(Interval {
        low: end(0.0),
        high: end(1.0),
    })
}

/// The confidence sequence of a share, see [`mean_sequence`].
pub fn share_sequence(share: Proportion, alpha: f64) -> Option<Interval> {
    mean_sequence(share.k() as f64, share.n(), alpha)
}

/// The logarithm of the e-value that the share has left `baseline`, the range in which the true share of earlier rows lies.
///
/// The smallest of the e-values against the shares of that range: at most 0 or so where the new share lies inside. `None` as for
/// [`ln_e_mean`].
pub fn ln_e_left(share: Proportion, baseline: Interval, mix: Mix) -> Option<f64> {
    let Some(value) = share.value() else {
        return Some(0.0);
    };
    let nearest = value.clamp(baseline.low, baseline.high);
    ln_e_mean(share.k() as f64, share.n(), nearest, mix)
}

/// Favourable outcomes of two groups in one block of rows, such as a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The group's share.
    pub group: Proportion,
    /// The reference's share.
    pub reference: Proportion,
}

/// The logarithms of the e-values, after each block, that two groups do not have the same share.
///
/// Valid at every block at once, exactly, for any block sizes; the sizes may depend on earlier blocks. An empty side of a block
/// adds nothing. The first block serves to learn what to bet on: its e-value is 1.
///
/// Formula: Π over blocks of p(y|θ_g)·p(y|θ_r)/p(y|θ_0), where θ_g and θ_r are (½ + k)/(1 + n) over the blocks before, and
/// θ_0 their mean weighted with the sizes of this block.
/// Source: Turner, Ly and Grünwald 2024, Generic E-variables for exact sequential k-sample tests that allow for optional stopping,
/// Journal of Statistical Planning and Inference 230, 106116.
pub fn ln_e_two_shares(blocks: &[Block]) -> Vec<f64> {
    let (mut before, mut ln_e) = ([(0.0, 0.0); 2], 0.0);
    let mut course = Vec::with_capacity(blocks.len());
    for (at, block) in blocks.iter().enumerate() {
        let sides =
            [block.group, block.reference].map(|share| (share.k() as f64, share.n() as f64));
        let bets = before.map(|(k, n)| (0.5 + k) / (1.0 + n));
        let n: f64 = sides.iter().map(|(_, n)| n).sum();
        // Before anything is known both bets are one half, and the e-value stays 1.
        if at > 0 && sides.iter().all(|(_, n)| *n > 0.0) {
            let mean = (sides[0].1 * bets[0] + sides[1].1 * bets[1]) / n;
            for ((k, n), bet) in sides.iter().zip(bets) {
                ln_e += ln_likelihood(*k, n - k, bet) - ln_likelihood(*k, n - k, mean);
            }
        }
        for (sum, side) in before.iter_mut().zip(sides) {
            sum.0 += side.0;
            sum.1 += side.1;
        }
        course.push(ln_e);
    }
    course
}

/// The evidence that the ratio of two shares has left the range `ratios`.
///
/// The logarithm of the smallest e-value against any pair of shares whose ratio lies in `ratios`; `mixes` are those of group and
/// reference. Valid at every moment at once where the rows of both groups are independent. `None` if a side is empty or the range
/// is not within 0..∞.
pub fn ln_e_ratio_left(block: Block, ratios: Interval, mixes: [Mix; 2]) -> Option<f64> {
    let (group, reference) = (block.group.value()?, block.reference.value()?);
    if !(ratios.low >= 0.0 && ratios.low <= ratios.high) {
        return None;
    }
    // group/reference beside the range, without dividing by a reference of 0.
    let likeliest = if group < ratios.low * reference {
        ln_likelihood_on_ratio(block, ratios.low)
    } else if group > ratios.high * reference {
        ln_likelihood_on_ratio(block, ratios.high)
    } else {
        let of = |share: Proportion, mean| {
            let k = share.k() as f64;
            ln_likelihood(k, share.n() as f64 - k, mean)
        };
        of(block.group, group) + of(block.reference, reference)
    };
    Some(ln_mixtures(block, mixes) - likeliest)
}

fn ln_mixtures(block: Block, mixes: [Mix; 2]) -> f64 {
    let shares = [block.group, block.reference].into_iter().zip(mixes);
    let of = |(share, mix): (Proportion, Mix)| {
        mix.ln_mixture(share.k() as f64, (share.n() - share.k()) as f64)
    };
    shares.map(of).sum()
}

/// The largest ln likelihood of the pairs of shares (ratio·r, r), over r.
///
/// Formula: r is the smaller root of ρN·r² - (S(1 + ρ) + ρf_g + f_r)·r + S = 0, S all successes, f the failures of each side.
/// Source: Miettinen and Nurminen 1985, Statistics in Medicine 4, 213-226.
fn ln_likelihood_on_ratio(block: Block, ratio: f64) -> f64 {
    let side = |share: Proportion| (share.k() as f64, (share.n() - share.k()) as f64);
    let ((k_g, f_g), (k_r, f_r)) = (side(block.group), side(block.reference));
    let all = k_g + k_r;
    let n = all + f_g + f_r;
    let b = all * (1.0 + ratio) + ratio * f_g + f_r;
    let root = (b * b - 4.0 * ratio * n * all).max(0.0).sqrt();
    let r = if all > 0.0 {
        (2.0 * all / (b + root)).min(1.0)
    } else {
        0.0
    };
    ln_likelihood(k_g, f_g, (ratio * r).min(1.0)) + ln_likelihood(k_r, f_r, r)
}

/// The confidence sequence of the ratio of two shares: the ratios that no pair of shares speaks against at 1/`alpha`.
///
/// `high` is +∞ where the reference's share may be 0. `None` if a side is empty or unless 0 < `alpha` < 1.
pub fn ratio_sequence(block: Block, alpha: f64) -> Option<Interval> {
    let (group, reference) = (block.group.value()?, block.reference.value()?);
    if !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let limit = -alpha.ln();
    let mixture = ln_mixtures(block, [Mix::JEFFREYS; 2]);
    let is_held = |ratio: f64| mixture - ln_likelihood_on_ratio(block, ratio) < limit;
    let centre = if reference > 0.0 {
        group / reference
    } else {
        f64::INFINITY
    };
    let low = if is_held(0.0) {
        0.0
    } else {
        let mut outside = 0.0;
        let mut inside = if centre.is_finite() {
            centre
        } else {
            1.0 / f64::EPSILON
        };
        for _ in 0..80 {
            let middle = 0.5 * (outside + inside);
            if is_held(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        outside
    };
    let mut outside = centre.max(f64::MIN_POSITIVE) * 2.0;
    while outside.is_finite() && outside < 1e12 && is_held(outside) {
        outside *= 2.0;
    }
    let high = if outside < 1e12 {
        let mut inside = centre;
        for _ in 0..80 {
            let middle = 0.5 * (outside + inside);
            if is_held(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        outside
    } else {
        f64::INFINITY
    };
    Some(Interval { low, high })
}

/// What has become of a series that is looked at after every period.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// After each period: the logarithm of the e-value that something changed at one of the periods so far.
    pub ln_e: Vec<f64>,
    /// The logarithm of 1/α, which `ln_e` reaches in a share of at most α of all unchanged series, however long they run.
    pub limit: f64,
    /// The first period at which it is reached, counted from 0.
    pub alarm: Option<usize>,
    /// The period from which on the change is most evident, at the alarm; counted from 0.
    pub from: Option<usize>,
    /// After each period: the logarithm of the e-detector, the sum over all starts.
    pub ln_detector: Vec<f64>,
    /// The first period at which the detector reaches the run length.
    pub alarm_by_run_length: Option<usize>,
}

/// Watches a series of `n_periods` for a change at any of them, at the level `alpha`, and with the average run length
/// `run_length` in periods.
///
/// `ln_e(start, now)` is the logarithm of an e-value of the periods `start..=now` alone, against no change; it must not depend
/// on later periods. Two alarms come of it. The first weighs the starts with 4/((j + 4)(j + 5)), which sum to at most 1: without
/// a change it is ever raised with a chance of at most `alpha`. The second adds all starts up (an e-detector of the kind of
/// Shiryaev and Roberts): without a change it is raised after `run_length` periods or more on average, and it finds a late
/// change sooner. `None` unless 0 < `alpha` < 1 and `run_length` >= 1. Quadratic in the periods.
///
/// Source: Shin, Ramdas and Rinaldo 2024, E-detectors: a nonparametric framework for sequential change detection, New England
/// Journal of Statistics in Data Science 2, 229-260.
pub fn watch(
    n_periods: usize,
    alpha: f64,
    run_length: f64,
    ln_e: impl Fn(usize, usize) -> f64,
) -> Option<Watch> {
    if !(alpha > 0.0 && alpha < 1.0 && run_length >= 1.0 && run_length.is_finite()) {
        return None;
    }
    let limit = -alpha.ln();
    let mut watch = Watch {
        ln_e: Vec::with_capacity(n_periods),
        limit,
        alarm: None,
        from: None,
        ln_detector: Vec::with_capacity(n_periods),
        alarm_by_run_length: None,
    };
    for now in 0..n_periods {
        let starts: Vec<f64> = (0..=now).map(|start| ln_e(start, now)).collect();
        let weighted = starts.iter().enumerate().map(|(start, ln_e)| {
            let j = start as f64;
            ln_e - ((j + 4.0) * (j + 5.0) / 4.0).ln()
        });
        let weighted = ln_sum(weighted);
        let detector = ln_sum(starts.iter().copied());
        if watch.alarm.is_none() && weighted >= limit {
            watch.alarm = Some(now);
            let most = starts.iter().enumerate();
            watch.from = most
                .max_by(|one, other| one.1.total_cmp(other.1))
                .map(|(start, _)| start);
        }
        if watch.alarm_by_run_length.is_none() && detector >= run_length.ln() {
            watch.alarm_by_run_length = Some(now);
        }
        watch.ln_e.push(weighted);
        watch.ln_detector.push(detector);
    }
    Some(watch)
}

/// ln Σ exp; -∞ of nothing.
fn ln_sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let terms: Vec<f64> = terms.into_iter().collect();
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + terms
        .iter()
        .map(|term| (term - most).exp())
        .sum::<f64>()
        .ln()
}

/// Watches a share, period by period, against the earlier rows' share.
///
/// Half of `alpha` goes to the interval of the baseline (Clopper and Pearson), half to the e-values: without a change an
/// alarm is ever raised with a chance of at most `alpha`. The run length holds where the baseline's interval contains the
/// truth, with a chance of at least 1 - `alpha`/2. `None` if the baseline is empty, or as for [`watch`].
pub fn watch_share(
    baseline: Proportion,
    periods: &[Proportion],
    alpha: f64,
    run_length: f64,
) -> Option<Watch> {
    baseline.value()?;
    let range = clopper_pearson(baseline, alpha / 2.0)?;
    let sums = summed(periods)?;
    let mix = Mix::around(baseline);
    watch(periods.len(), alpha / 2.0, run_length, |start, now| {
        between(&sums, start, now)
            .and_then(|share| ln_e_left(share, range, mix))
            .unwrap_or(0.0)
    })
}

/// Watches the shares of several bins at once, period by period, against the earlier rows' shares: each period one count a bin.
///
/// The e-value is the mean of the bins' own. Holds also where the bins end at quantiles of the baseline itself: the true share
/// of such a bin has the beta distribution that the interval of Clopper and Pearson is made of. `None` if the baseline is
/// empty, a period has another number of bins, or as for [`watch`].
pub fn watch_shares(
    baseline: &[u64],
    periods: &[Vec<u64>],
    alpha: f64,
    run_length: f64,
) -> Option<Watch> {
    let n_bins = baseline.len();
    if n_bins == 0 || periods.iter().any(|counts| counts.len() != n_bins) {
        return None;
    }
    let n: u64 = baseline.iter().sum();
    let mut bins = Vec::with_capacity(n_bins);
    for (bin, count) in baseline.iter().enumerate() {
        let share = Proportion::new(*count, n)?;
        share.value()?;
        let range = clopper_pearson(share, alpha / (2.0 * n_bins as f64))?;
        let of_bin: Vec<Proportion> = periods
            .iter()
            .map(|counts| Proportion::new(counts[bin], counts.iter().sum()))
            .collect::<Option<_>>()?;
        bins.push((range, Mix::around(share), summed(&of_bin)?));
    }
    watch(periods.len(), alpha / 2.0, run_length, |start, now| {
        let of_bins = bins.iter().map(|(range, mix, sums)| {
            between(sums, start, now)
                .and_then(|share| ln_e_left(share, *range, *mix))
                .unwrap_or(0.0)
        });
        ln_sum(of_bins) - (n_bins as f64).ln()
    })
}

/// Watches the ratio of two shares, period by period, against the earlier rows' ratio.
///
/// Half of `alpha` goes to the interval of the baseline's ratio ([`ratio_exact`]), half to the e-values. `None` if the ratio of
/// the baseline is undefined, or as for [`watch`].
pub fn watch_ratio(
    baseline: Block,
    periods: &[Block],
    alpha: f64,
    run_length: f64,
) -> Option<Watch> {
    let range = ratio_exact(baseline.group, baseline.reference, 1.0 - alpha / 2.0)?;
    let of = |side: fn(&Block) -> Proportion| summed(&periods.iter().map(side).collect::<Vec<_>>());
    let (group, reference) = (of(|block| block.group)?, of(|block| block.reference)?);
    let mixes = [baseline.group, baseline.reference].map(Mix::around);
    watch(periods.len(), alpha / 2.0, run_length, |start, now| {
        let block = between(&group, start, now).zip(between(&reference, start, now));
        block
            .and_then(|(group, reference)| {
                ln_e_ratio_left(Block { group, reference }, range, mixes)
            })
            .unwrap_or(0.0)
    })
}

/// The counts of the periods before each, and of all at the end; `None` above [`COUNT_MAX`].
fn summed(periods: &[Proportion]) -> Option<Vec<(u64, u64)>> {
    let mut sums = vec![(0, 0)];
    let mut sum = (0_u64, 0_u64);
    for share in periods {
        sum = (sum.0 + share.k(), sum.1.checked_add(share.n())?);
        sums.push(sum);
    }
    (sum.1 <= COUNT_MAX).then_some(sums)
}

/// The share over the periods `start..=now`.
fn between(sums: &[(u64, u64)], start: usize, now: usize) -> Option<Proportion> {
    let (from, to) = (sums.get(start)?, sums.get(now + 1)?);
    Proportion::new(to.0 - from.0, to.1 - from.1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
