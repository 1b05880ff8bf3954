//! One share `k` of `n` and how exactly it is known.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::erfc_inv;

use crate::mass::Binomial;
use crate::normal::two_sided;

/// The largest count a [`Proportion`] accepts: 2^47, about 1.4e14.
///
/// The product of two counts and a 32-bit numerator then fits 127 bits, so limits are decided in
/// integers without overflow, and every count is exact as `f64`.
pub const COUNT_MAX: u64 = 1 << 47;

/// The two-sided 95 % point of the standard normal distribution, to the last digit of `f64`.
pub const Z95: f64 = 1.959_963_984_540_054;

/// `k` successes in `n` trials, `k <= n <= COUNT_MAX`.
///
/// `n` may be 0: the share is then undefined, and so is every figure made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proportion {
    k: u64,
    n: u64,
}

impl Proportion {
    /// `k` of `n`; `None` if `k > n` or `n > COUNT_MAX`.
    pub fn new(k: u64, n: u64) -> Option<Proportion> {
        (k <= n && n <= COUNT_MAX).then_some(Proportion { k, n })
    }

    /// `k` of `n` where the caller has already cut both at `COUNT_MAX`.
    pub(crate) fn saturated(k: u64, n: u64) -> Proportion {
        assert!(k <= n && n <= COUNT_MAX, "a count exceeds its total");
        Proportion { k, n }
    }

    /// The number of successes.
    pub fn k(self) -> u64 {
        self.k
    }

    /// The number of trials.
    pub fn n(self) -> u64 {
        self.n
    }

    /// The share k/n, 0..=1; `None` if `n` is 0.
    pub fn value(self) -> Option<f64> {
        (self.n > 0).then(|| self.k as f64 / self.n as f64)
    }

    /// The failures: `n - k` of `n`.
    pub fn complement(self) -> Proportion {
        Proportion {
            k: self.n - self.k,
            n: self.n,
        }
    }
}

/// A range with both ends included, `low <= high`, in the unit of the figure it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies between the ends or on one of them.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The two-sided point `z` of the standard normal distribution: P(|Z| <= z) = `confidence`.
///
/// `None` unless 0 < `confidence` < 1. `z_for(0.95)` is [`Z95`] to 1e-15; digits are lost only for
/// confidences under 0.001.
///
/// Formula: z = √2 · erfc⁻¹(1 - confidence), with one Newton step to the last digits.
/// Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.2.
pub fn z_for(confidence: f64) -> Option<f64> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let outside = 1.0 - confidence;
    let z = SQRT_2 * erfc_inv(outside);
    // The derivative of P(|Z| >= z) is minus twice the normal density.
    let slope = -(2.0 / PI).sqrt() * (-z * z / 2.0).exp();
    Some(z - (two_sided(z) - outside) / slope)
}

/// Wilson's score interval of a share, without continuity correction; within 0..=1.
///
/// `z` is the two-sided normal point, see [`Z95`] and [`z_for`]. `None` if `n` is 0 or `z` is not a
/// positive number with a finite square. The lower end is exactly 0 at `k = 0`, the upper exactly 1 at `k = n`.
///
/// Formula: (k + z²/2 ± z·√(k(n-k)/n + z²/4)) / (n + z²).
/// Source: Wilson 1927, Journal of the American Statistical Association 22, 209-212.
pub fn wilson(p: Proportion, z: f64) -> Option<Interval> {
    p.value()?;
    if !(z > 0.0 && (z * z).is_finite()) {
        return None;
    }
    let (k, n) = (p.k as f64, p.n as f64);
    let root = (k * (n - k) / n + z * z / 4.0).sqrt();
    let upper = k + z * z / 2.0 + z * root;
    // The product of both ends is k²/n/(n + z²): dividing keeps the digits of a small lower end,
    // which subtracting would lose.
    let low = k * k / n / upper;
    let high = if p.k == p.n { 1.0 } else { upper / (n + z * z) };
    Some(Interval {
        low: low.min(k / n),
        high: high.clamp(k / n, 1.0),
    })
}

/// The exact interval of Clopper and Pearson; within 0..=1.
///
/// `alpha` is the total error allowed, 0.05 for an interval of 95 %. `None` if `n` is 0 or unless
/// 0 < `alpha` < 1. The lower end is exactly 0 at `k = 0`, the upper exactly 1 at `k = n`.
///
/// Formula: low = Beta⁻¹(α/2; k, n-k+1), high = Beta⁻¹(1-α/2; k+1, n-k); that is, P(X >= k) = α/2
/// at the lower end and P(X <= k) = α/2 at the upper, for X binomial.
/// Source: Clopper and Pearson 1934, Biometrika 26, 404-413.
/// Cost: about ten standard deviations of X per step, a few steps; 1 ms at a million trials.
pub fn clopper_pearson(p: Proportion, alpha: f64) -> Option<Interval> {
    let value = p.value()?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let ln_half = (alpha / 2.0).ln();
    Some(Interval {
        low: lower_end(p, ln_half).clamp(0.0, value),
        high: upper_end(p, ln_half).clamp(value, 1.0),
    })
}

/// The share at which `k` or more successes have the log-probability `ln_target`.
fn lower_end(p: Proportion, ln_target: f64) -> f64 {
    if p.k == 0 {
        return 0.0;
    }
    if p.k == p.n {
        return (ln_target / p.n as f64).exp();
    }
    share_where(p, -f64::INFINITY, logit(p), |share| {
        let x = Binomial::new(p.n, share);
        let ln_tail = x.ln_at_least(p.k);
        let slope = p.k as f64 * (1.0 - share) * (x.ln_mass(p.k) - ln_tail).exp();
        (ln_tail - ln_target, slope)
    })
}

/// The share at which `k` or fewer successes have the log-probability `ln_target`.
fn upper_end(p: Proportion, ln_target: f64) -> f64 {
    if p.k == p.n {
        return 1.0;
    }
    if p.k == 0 {
        return -(ln_target / p.n as f64).exp_m1();
    }
    share_where(p, logit(p), f64::INFINITY, |share| {
        let x = Binomial::new(p.n, share);
        let ln_tail = x.ln_at_most(p.k);
        let slope = -((p.n - p.k) as f64) * share * (x.ln_mass(p.k) - ln_tail).exp();
        (ln_tail - ln_target, slope)
    })
}

fn logit(p: Proportion) -> f64 {
    (p.k as f64 / (p.n - p.k) as f64).ln()
}

/// The root of `f` between two log odds, of which one is that of `p` itself.
///
/// `f` gives height and slope (per unit of log odds) at a share; Newton steps, halved into the
/// bracket where they leave it. The log of a tail is close to straight in log odds, so five or six
/// steps are usual.
fn share_where(p: Proportion, low: f64, high: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let start = logit(p);
    let spread = (1.0 / p.k as f64 + 1.0 / (p.n - p.k) as f64).sqrt();
    let outward = if low.is_infinite() { -1.0 } else { 1.0 };
    let (mut low, mut high) = (low.max(start - 1500.0), high.min(start + 1500.0));
    let mut odds = start + outward * 2.0 * spread;
    for _ in 0..200 {
        let (height, slope) = f(share(odds));
        // Both tails are at least 1/2 at `p` and vanish far out, so a positive height means that
        // the root lies further out.
        if (height > 0.0) == (outward > 0.0) {
            low = odds;
        } else {
            high = odds;
        }
        let step = odds - height / slope;
        let next = if step > low && step < high {
            step
        } else {
            0.5 * (low + high)
        };
        let moved = (next - odds).abs();
        odds = next;
        if moved <= 1e-15 * odds.abs().max(1.0) {
            break;
        }
    }
    share(odds)
}

fn share(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
