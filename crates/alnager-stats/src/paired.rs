//! The same people decided or scored twice: could the change be chance, and how large is it.

use crate::compare::PValue;
use crate::mass::Binomial;
use crate::proportion::Interval;
use crate::sample::Sample;
use crate::tail::student;
use crate::total::total;

/// McNemar's exact test, see [`mcnemar`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Twice the tail of the rarer change, at most 1.
    pub exact: PValue,
    /// The same with half the weight on the counts observed.
    pub midp: PValue,
}

/// Whether `gained` pairs that change one way and `lost` pairs that change the other way could be the same coin.
///
/// Pairs that do not change say nothing and are not asked for. `None` without any that changes.
///
/// Formula: with m the lesser of the two and X binomial of their sum n and ½, exact = min(1, 2·P(X <= m)),
/// mid-p = 2·P(X <= m) - P(X = m), and 1 - ½·P(X = m) where both are alike.
/// Source: McNemar 1947, Psychometrika 12, 153-157; Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91.
pub fn mcnemar(gained: u64, lost: u64) -> Option<McNemar> {
    let n = gained.checked_add(lost)?;
    if n == 0 {
        return None;
    }
    let least = gained.min(lost);
    let changes = Binomial::new(n, 0.5);
    let (ln_mass, ln_tail) = (changes.ln_mass(least), changes.ln_at_most(least));
    let ln_twice = ln_tail + std::f64::consts::LN_2;
    if gained == lost {
        return Some(McNemar {
            exact: PValue::from_ln(0.0),
            midp: PValue::from_ln((-0.5 * ln_mass.exp()).ln_1p()),
        });
    }
    Some(McNemar {
        exact: PValue::from_ln(ln_twice),
        // The mass is at most the tail, so at most half of twice the tail.
        midp: PValue::from_ln(ln_twice + (-(ln_mass - ln_twice).exp()).ln_1p()),
    })
}

/// Shifts of paired numbers, see [`shift`]; in the unit of the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// The number of pairs.
    pub n: u64,
    /// The mean of second minus first.
    pub mean: f64,
    /// The confidence interval of the mean; `None` with fewer than two pairs.
    pub interval: Option<Interval>,
    /// The standard deviation (n - 1); `None` with fewer than two pairs.
    pub sd: Option<f64>,
    /// Student's t of a mean of 0, n - 1 degrees of freedom; `None` where all shifts are alike.
    pub t: Option<f64>,
    /// Its two-sided p-value.
    pub p: Option<PValue>,
    /// The shifts, by value.
    pub shifts: Sample,
}

/// How far paired numbers move, `second[i]` being the same person's as `first[i]`; all finite.
///
/// Where all shifts are alike the interval is that one value, and no test is made: there is nothing by which to judge it.
/// `None` without pairs, if the lists differ in length, if a number is not finite, or unless 0 < `confidence` < 1.
///
/// Formula: mean ± t·sd/√n.
/// Source: Student 1908, Biometrika 6, 1-25.
pub fn shift(first: &[f64], second: &[f64], confidence: f64) -> Option<Shift> {
    if first.len() != second.len() || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let mut shifts: Vec<f64> = first
        .iter()
        .zip(second)
        // Minus zero is zero.
        .map(|(first, second)| second - first + 0.0)
        .collect();
    if shifts.is_empty() || !shifts.iter().all(|shift| shift.is_finite()) {
        return None;
    }
    shifts.sort_unstable_by(f64::total_cmp);
    let n = shifts.len() as f64;
    let is_one_value = shifts.first() == shifts.last();
    let mean = match is_one_value {
        true => shifts[0],
        false => total(shifts.iter().copied()) / n,
    };
    let squares = total(shifts.iter().map(|shift| (shift - mean) * (shift - mean)));
    let several = shifts.len() > 1;
    let sd = several.then(|| (squares / (n - 1.0)).sqrt());
    let error = sd.map(|sd| sd / n.sqrt());
    let interval = error.map(|error| {
        let reach = if error == 0.0 {
            0.0
        } else {
            t_for(confidence, n - 1.0) * error
        };
        Interval {
            low: mean - reach,
            high: mean + reach,
        }
    });
    let t = error.filter(|error| *error > 0.0).map(|error| mean / error);
    Some(Shift {
        n: shifts.len() as u64,
        mean,
        interval,
        sd,
        t,
        p: t.map(|t| student(t, n - 1.0)),
        shifts: Sample::from_sorted_values(shifts)?,
    })
}

/// The two-sided point t of Student's distribution: P(|T| <= t) = `confidence`, strictly between 0 and 1; to 1e-12 relative.
fn t_for(confidence: f64, df: f64) -> f64 {
    let outside = 1.0 - confidence;
    let (mut low, mut high) = (0.0, 1.0);
    while student(high, df).value > outside && high < 1e300 {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-13 * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if student(middle, df).value > outside {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
