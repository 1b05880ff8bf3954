//! What a sample of this size could have found.
//!
//! A test that finds nothing says little where it could hardly have found anything: print the smallest gap it
//! would have found beside it.

use crate::mass::{Binomial, Hypergeometric};
use crate::normal::two_sided;
use crate::proportion::{COUNT_MAX, z_for};

/// Which test the power belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Fisher's two-sided exact test, its power summed over the tables; where both sides have under
    /// 2,000 people.
    FisherExact,
    /// The pooled two-proportion z test, its power by the normal approximation.
    NormalZ,
}

/// A two-sided test of two groups of given sizes at a given error rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    n_group: u64,
    n_reference: u64,
    z: f64,
    /// For each total of successes, the successes of the group that Fisher's test does not reject; `None`
    /// with the z test.
    kept: Option<Vec<(u64, u64)>>,
}

/// The impact ratios nearest to 1 that a study finds with the power asked for, see [`Study::detectable`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detectable {
    /// Ratios at or below this are found, 0..1; `None` if not even 0 is.
    pub below: Option<f64>,
    /// Ratios at or above this are found, above 1; `None` if not even a rate of 1 in the group is.
    pub above: Option<f64>,
    /// The test supposed.
    pub method: Method,
}

/// The smallest groups that find an impact ratio, see [`n_per_group`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSize {
    /// People in each of the two groups.
    pub n: u64,
    /// The test supposed.
    pub method: Method,
}

/// Sizes under this, of both sides, are worked out exactly.
const EXACT_BELOW: u64 = 2000;

impl Study {
    /// `n_group` and `n_reference` people, both above 0 and at most 2^47; a test that errs with the
    /// probability `alpha` at most (z: about).
    ///
    /// `None` if a size is out of range or unless 1e-12 <= `alpha` < 1.
    /// Cost: where exact, about 10 ms at 2,000 people on both sides, then under 1 ms for each power.
    pub fn new(n_group: u64, n_reference: u64, alpha: f64) -> Option<Study> {
        let sizes = 1..=COUNT_MAX;
        if !(sizes.contains(&n_group) && sizes.contains(&n_reference) && alpha >= 1e-12) {
            return None;
        }
        let z = z_for(1.0 - alpha)?;
        let exact = n_group < EXACT_BELOW && n_reference < EXACT_BELOW;
        let totals = 0..=n_group + n_reference;
        let kept = exact.then(|| {
            totals
                .map(|total| not_rejected(n_group, n_reference, total, alpha))
                .collect()
        });
        Some(Study {
            n_group,
            n_reference,
            z,
            kept,
        })
    }

    /// The test supposed.
    pub fn method(&self) -> Method {
        match self.kept {
            Some(_) => Method::FisherExact,
            None => Method::NormalZ,
        }
    }

    /// The chance that the test rejects where these are the true rates; `None` unless both are 0..=1.
    ///
    /// With equal rates it is the true error rate. With the z test, a rate of 0 or 1 on both sides is
    /// never rejected.
    ///
    /// Formula (z): Φ((|d| - z·s₀)/s₁) + Φ((-|d| - z·s₀)/s₁), s₀ pooled and s₁ unpooled.
    /// Source: Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, 3rd edition, chapter 4.
    pub fn power(&self, rate_group: f64, rate_reference: f64) -> Option<f64> {
        let rates = 0.0..=1.0;
        if !(rates.contains(&rate_group) && rates.contains(&rate_reference)) {
            return None;
        }
        Some(match &self.kept {
            Some(kept) => self.power_exact(kept, rate_group, rate_reference),
            None => self.power_normal(rate_group, rate_reference),
        })
    }

    /// The impact ratios nearest to 1, on either side, that are found with the probability `power` where
    /// the reference's rate is `rate_reference`.
    ///
    /// `None` unless 0 < `rate_reference` <= 1 and 0 < `power` < 1. The power is taken to rise with the distance
    /// of the rates. To 1e-10.
    pub fn detectable(&self, rate_reference: f64, power: f64) -> Option<Detectable> {
        let reference = rate_reference;
        if !(reference > 0.0 && reference <= 1.0 && power > 0.0 && power < 1.0) {
            return None;
        }
        let found = |rate: f64| self.power(rate, reference).is_some_and(|p| p >= power);
        let nearest = |end: f64| {
            if end == reference || !found(end) {
                return None;
            }
            let (mut far, mut near) = (end, reference);
            while (far - near).abs() > 1e-10 * reference {
                let middle = 0.5 * (far + near);
                if found(middle) {
                    far = middle;
                } else {
                    near = middle;
                }
            }
            Some(far / reference)
        };
        Some(Detectable {
            below: nearest(0.0),
            above: nearest(1.0),
            method: self.method(),
        })
    }

    fn power_normal(&self, p_g: f64, p_r: f64) -> f64 {
        let (n_g, n_r) = (self.n_group as f64, self.n_reference as f64);
        let pooled = (n_g * p_g + n_r * p_r) / (n_g + n_r);
        let under_null = (pooled * (1.0 - pooled) * (1.0 / n_g + 1.0 / n_r)).sqrt();
        let true_sd = (p_g * (1.0 - p_g) / n_g + p_r * (1.0 - p_r) / n_r).sqrt();
        let (apart, limit) = ((p_g - p_r).abs(), self.z * under_null);
        if true_sd == 0.0 {
            return if apart > limit { 1.0 } else { 0.0 };
        }
        upper((limit - apart) / true_sd) + upper((limit + apart) / true_sd)
    }

    fn power_exact(&self, kept: &[(u64, u64)], p_g: f64, p_r: f64) -> f64 {
        let (first_g, group) = masses(self.n_group, p_g);
        let (first_r, reference) = masses(self.n_reference, p_r);
        let mut power = 0.0;
        for (k_r, mass_r) in (first_r..).zip(&reference) {
            let rejected = (first_g..).zip(&group).filter(|(k_g, _)| {
                let (low, high) = kept[(k_g + k_r) as usize];
                *k_g < low || *k_g > high
            });
            power += mass_r * rejected.map(|(_, mass)| mass).sum::<f64>();
        }
        power.min(1.0)
    }
}

/// The smallest equal group sizes with which an impact ratio is found with the probability `power`.
///
/// `ratio` is the true ratio, not 1; `rate_reference` the true rate of the reference, above 0;
/// `ratio` times it is at most 1. `None` if an argument is out of range or if no size up to 2^46 is enough.
/// Exact where fewer than 2,000 in each group are enough; since a count is whole, a slightly
/// larger group can then fall short again by a hair.
///
/// Source: see [`Study::power`].
/// Cost: up to a tenth of a second where exact.
pub fn n_per_group(ratio: f64, rate_reference: f64, alpha: f64, power: f64) -> Option<SampleSize> {
    let rate = ratio * rate_reference;
    let in_range = rate_reference > 0.0 && rate_reference <= 1.0 && (0.0..=1.0).contains(&rate);
    if !in_range || ratio == 1.0 || !(power > 0.0 && power < 1.0) {
        return None;
    }
    Study::new(1, 1, alpha)?;
    let found = |n: u64| {
        let chance = Study::new(n, n, alpha).and_then(|study| study.power(rate, rate_reference));
        chance.is_some_and(|chance| chance >= power)
    };
    let (mut short, mut enough) = (0, 1);
    while !found(enough) {
        if enough >= COUNT_MAX / 2 {
            return None;
        }
        (short, enough) = (enough, enough * 2);
    }
    while enough - short > 1 {
        let middle = short + (enough - short) / 2;
        if found(middle) {
            enough = middle;
        } else {
            short = middle;
        }
    }
    let method = Study::new(enough, enough, alpha)?.method();
    Some(SampleSize { n: enough, method })
}

/// The successes of the group, from and to, that Fisher's two-sided test keeps at `alpha`, given the
/// total of successes.
///
/// The masses fall from the mode to both ends, so those with the smallest p-values are taken away from the
/// ends, the rarer first and ties together, as long as they sum to at most `alpha`.
fn not_rejected(n_group: u64, n_reference: u64, total: u64, alpha: f64) -> (u64, u64) {
    let table = Hypergeometric::new(n_group, n_reference, total);
    let mode = table.mode();
    let (n1, n2, m1) = (n_group as f64, n_reference as f64, total as f64);
    let up = |x: f64| (n1 - x) * (m1 - x) / ((x + 1.0) * (n2 + x + 1.0 - m1));
    let (first, masses) = around_mode(table.low(), mode, table.high(), 1.0, up);
    let all: f64 = masses.iter().sum();
    let (mut low, mut high, mut sum) = (0, masses.len() - 1, 0.0);
    while low < high {
        let (left, right) = (masses[low], masses[high]);
        let tied = (left - right).abs() <= 1e-7 * left.max(right);
        let next = if tied { left + right } else { left.min(right) };
        if sum + next > alpha * all * (1.0 + 1e-12) {
            break;
        }
        sum += next;
        if tied || left < right {
            low += 1;
        }
        if tied || right < left {
            high -= 1;
        }
    }
    (first + low as u64, first + high as u64)
}

/// The likely numbers of successes: the first, and the masses from it on.
fn masses(n: u64, share: f64) -> (u64, Vec<f64>) {
    if share == 0.0 || share == 1.0 {
        return (if share == 0.0 { 0 } else { n }, vec![1.0]);
    }
    let mode = (((n + 1) as f64 * share) as u64).min(n);
    let height = Binomial::new(n, share).ln_mass(mode).exp();
    let odds = share / (1.0 - share);
    let up = |x: f64| (n as f64 - x) / (x + 1.0) * odds;
    around_mode(0, mode, n, height, up)
}

/// The masses from the mode outward by the ratio of neighbours, up to where they no longer matter (1e-20 of
/// the mode's): the first place, and the masses from it on.
fn around_mode(
    low: u64,
    mode: u64,
    high: u64,
    height: f64,
    up: impl Fn(f64) -> f64,
) -> (u64, Vec<f64>) {
    let mut masses = Vec::new();
    let (mut at, mut mass) = (mode, height);
    while at > low {
        mass /= up((at - 1) as f64);
        if mass < 1e-20 * height {
            break;
        }
        at -= 1;
        masses.push(mass);
    }
    masses.reverse();
    masses.push(height);
    mass = height;
    for x in mode..high {
        mass *= up(x as f64);
        if mass < 1e-20 * height {
            break;
        }
        masses.push(mass);
    }
    (at, masses)
}

/// P(Z >= z).
fn upper(z: f64) -> f64 {
    let tail = two_sided(z) / 2.0;
    if z >= 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
