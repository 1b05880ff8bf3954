//! Rates of weighted rows, and how many rows they are worth.
//!
//! Unequal weights make a rate less certain than its number of rows suggests. All figures here are
//! those of an unweighted sample of the effective size (Σw)²/Σw², a real number; with equal weights
//! they are the unweighted ones. Fisher's test needs whole people and has no weighted form.
//! Source: Kish 1965, Survey Sampling; the effective size in tests, Rao and Scott
//! 1992, Biometrics 48, 577-585.

use std::fmt;

use crate::compare::{PValue, Test};
use crate::normal::ln_two_sided;
use crate::proportion::Interval;

/// The first weight that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadWeight {
    /// Its row, from 0.
    pub row: usize,
}

impl fmt::Display for BadWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the weight in row `{}` is negative or not a number; weights are 0 or above",
            self.row
        )
    }
}

impl std::error::Error for BadWeight {}

/// Every weight is a number, 0 or above and at most 1e100 (its square is then a number too).
pub fn check(weights: &[f64]) -> Result<(), BadWeight> {
    match weights.iter().position(|w| !(0.0..=1e100).contains(w)) {
        None => Ok(()),
        Some(row) => Err(BadWeight { row }),
    }
}

/// The weights of the rows of one group, and of the successes among them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighted {
    success: f64,
    failure: f64,
    squares: f64,
}

impl Weighted {
    /// From Σw of the successes, Σw of the failures, and Σw² of all rows.
    ///
    /// `None` if one of them is negative, NaN or above 1e150, or if no weights have these sums: Σw² is at most
    /// the squares of both sums together, and 0 only where both sums are.
    pub fn new(success: f64, failure: f64, squares: f64) -> Option<Weighted> {
        let sums = [success, failure, squares];
        if !sums.iter().all(|s| (0.0..=1e150).contains(s)) {
            return None;
        }
        let most = success * success + failure * failure;
        let possible = squares <= most * (1.0 + 1e-9) && (squares > 0.0 || most == 0.0);
        possible.then_some(Weighted {
            success,
            failure,
            squares,
        })
    }

    /// From rows: a weight, and whether it is a success.
    pub fn from_rows(rows: &[(f64, bool)]) -> Result<Weighted, BadWeight> {
        let weights: Vec<f64> = rows.iter().map(|(w, _)| *w).collect();
        check(&weights)?;
        let sum = |of: bool| rows.iter().filter(|(_, s)| *s == of).map(|(w, _)| w).sum();
        Ok(Weighted {
            success: sum(true),
            failure: sum(false),
            squares: weights.iter().map(|w| w * w).sum(),
        })
    }

    /// The weighted share of successes, 0..=1; `None` if no row has a weight above 0.
    pub fn value(self) -> Option<f64> {
        let all = self.success + self.failure;
        (all > 0.0).then(|| self.success / all)
    }

    /// The effective number of rows, (Σw)²/Σw², at least 1 and at most the rows; `None` if no row has a
    /// weight above 0.
    pub fn effective_n(self) -> Option<f64> {
        let all = self.success + self.failure;
        (all > 0.0).then(|| all / self.squares * all)
    }

    /// Successes and failures, each in effective rows.
    fn effective(self) -> Option<(f64, f64)> {
        let n = self.effective_n()?;
        let all = self.success + self.failure;
        Some((self.success / all * n, self.failure / all * n))
    }
}

/// Wilson's score interval with the effective number of rows; within 0..=1.
///
/// `None` if the share is undefined or `z` is not a positive number with a finite square.
///
/// Formula: see [`crate::proportion::wilson`], k = p·n.
pub fn wilson(share: Weighted, z: f64) -> Option<Interval> {
    let (k, rest) = share.effective()?;
    if !(z > 0.0 && (z * z).is_finite()) {
        return None;
    }
    let (n, value) = (k + rest, share.value()?);
    let upper = k + z * z / 2.0 + z * (k * rest / n + z * z / 4.0).sqrt();
    let low = k * k / n / upper;
    let high = if rest == 0.0 {
        1.0
    } else {
        upper / (n + z * z)
    };
    Some(Interval {
        low: low.min(value),
        high: high.clamp(value, 1.0),
    })
}

/// p_g - p_r, -1..=1; `None` if a share is undefined.
pub fn difference(group: Weighted, reference: Weighted) -> Option<f64> {
    Some(group.value()? - reference.value()?)
}

/// Newcombe's interval of the difference from the two weighted Wilson intervals; within -1..=1.
///
/// `None` if a share is undefined or `z` is not positive and finite.
///
/// Formula and source: see [`crate::compare::difference_newcombe`].
pub fn difference_newcombe(group: Weighted, reference: Weighted, z: f64) -> Option<Interval> {
    let (p_g, p_r) = (group.value()?, reference.value()?);
    let (g, r) = (wilson(group, z)?, wilson(reference, z)?);
    let d = p_g - p_r;
    Some(Interval {
        low: (d - (p_g - g.low).hypot(r.high - p_r)).max(-1.0),
        high: (d + (g.high - p_g).hypot(p_r - r.low)).min(1.0),
    })
}

/// p_g / p_r, 0 and above; `None` if a share is undefined or the reference's is 0.
pub fn ratio(group: Weighted, reference: Weighted) -> Option<f64> {
    let (p_g, p_r) = (group.value()?, reference.value()?);
    (p_r > 0.0).then(|| p_g / p_r)
}

/// Katz's interval of the ratio with the effective numbers of rows; above 0.
///
/// `None` if a share is undefined or 0, or if `z` is not positive and finite.
///
/// Formula and source: see [`crate::compare::ratio_katz`].
pub fn ratio_katz(group: Weighted, reference: Weighted, z: f64) -> Option<Interval> {
    let ratio = ratio(group, reference)?;
    if !(ratio > 0.0 && z > 0.0 && z.is_finite()) {
        return None;
    }
    let part = |(k, rest): (f64, f64)| rest / (k * (k + rest));
    let reach = z * (part(group.effective()?) + part(reference.effective()?)).sqrt();
    Some(Interval {
        low: ratio * (-reach).exp(),
        high: ratio * reach.exp(),
    })
}

/// The pooled two-proportion z test with the effective numbers of rows; z is positive where the
/// group's share is higher.
///
/// `None` if a share is undefined or if all weight is on successes or all on failures.
///
/// Formula and source: see [`crate::compare::z_pooled`].
pub fn z_pooled(group: Weighted, reference: Weighted) -> Option<Test> {
    let ((a, b), (c, d)) = (group.effective()?, reference.effective()?);
    let (successes, failures) = (a + c, b + d);
    if !(successes > 0.0 && failures > 0.0) {
        return None;
    }
    let all = successes + failures;
    let variance = successes / all * (failures / all) * (1.0 / (a + b) + 1.0 / (c + d));
    let statistic = difference(group, reference)? / variance.sqrt();
    Some(Test {
        statistic,
        p: PValue::from_ln(ln_two_sided(statistic)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
