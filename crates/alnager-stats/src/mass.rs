//! Probabilities of counts, in logarithms, exact to about 1e-13 for counts up to 1e14.
//!
//! ln Γ loses nine digits at a count of 1e8. So every factorial is split by Stirling's formula into
//! a main part, which is combined over the cells into deviances before anything is rounded, and a
//! small remainder.
//! Source: Loader 2000, Fast and accurate computation of binomial probabilities (Lucent Bell
//! Laboratories); the four-cell form for the hypergeometric distribution follows the same way.

use std::f64::consts::{PI, TAU};

/// The number of successes in `n` trials with a given chance each.
pub(crate) struct Binomial {
    n: u64,
    share: f64,
}

impl Binomial {
    /// `share` lies strictly between 0 and 1.
    pub(crate) fn new(n: u64, share: f64) -> Binomial {
        Binomial { n, share }
    }

    /// ln P(X = k), for `k <= n`.
    pub(crate) fn ln_mass(&self, k: u64) -> f64 {
        let (n, k) = (self.n as f64, k as f64);
        let (mean, rest) = (n * self.share, n * (1.0 - self.share));
        if k == 0.0 {
            return n * (-self.share).ln_1p();
        }
        if k == n {
            return n * self.share.ln();
        }
        stirling_rest(n)
            - stirling_rest(k)
            - stirling_rest(n - k)
            - deviance(k, mean, k - mean)
            - deviance(n - k, rest, mean - k)
            + 0.5 * (n / (TAU * k * (n - k))).ln()
    }

    /// ln P(X >= k); `k` is at least the mean.
    pub(crate) fn ln_at_least(&self, k: u64) -> f64 {
        let odds = self.share / (1.0 - self.share);
        let n = self.n;
        let series = outward_sum((k..n).map(|x| (n - x) as f64 / (x + 1) as f64 * odds));
        (self.ln_mass(k) + series.ln()).min(0.0)
    }

    /// ln P(X <= k); `k` is at most the mean.
    pub(crate) fn ln_at_most(&self, k: u64) -> f64 {
        let odds = (1.0 - self.share) / self.share;
        let n = self.n;
        let series = outward_sum((1..=k).rev().map(|x| x as f64 / (n - x + 1) as f64 * odds));
        (self.ln_mass(k) + series.ln()).min(0.0)
    }
}

/// The count in the first cell of a 2x2 table whose margins are given.
///
/// `n1` and `n2` are the row totals, `m1` the total of the first column, at most their sum. The
/// sum of `n1` and `n2` is below 2^63.
pub(crate) struct Hypergeometric {
    n1: u64,
    n2: u64,
    m1: u64,
}

impl Hypergeometric {
    /// The distribution of the first cell.
    pub(crate) fn new(n1: u64, n2: u64, m1: u64) -> Hypergeometric {
        Hypergeometric { n1, n2, m1 }
    }

    /// The smallest possible count.
    pub(crate) fn low(&self) -> u64 {
        self.m1.saturating_sub(self.n2)
    }

    /// The largest possible count.
    pub(crate) fn high(&self) -> u64 {
        self.n1.min(self.m1)
    }

    /// A most probable count.
    pub(crate) fn mode(&self) -> u64 {
        let product = u128::from(self.n1 + 1) * u128::from(self.m1 + 1);
        let mode = product / u128::from(self.n1 + self.n2 + 2);
        // The mode is at most `high`, a u64.
        (mode as u64).clamp(self.low(), self.high())
    }

    /// ln P(X = x), for `x` from `low` to `high`.
    pub(crate) fn ln_mass(&self, x: u64) -> f64 {
        if self.low() == self.high() {
            return 0.0;
        }
        let (n1, n2, m1) = (self.n1 as f64, self.n2 as f64, self.m1 as f64);
        let n = n1 + n2;
        let m2 = (self.n1 + self.n2 - self.m1) as f64;
        let cells = [x, self.n1 - x, self.m1 - x, self.n2 + x - self.m1];
        let means = [n1 * m1 / n, n1 * m2 / n, n2 * m1 / n, n2 * m2 / n];
        // All four cells are off their mean by the same amount; in integers it keeps every digit.
        let off = cross_difference(cells[0], cells[3], cells[1], cells[2]) as f64 / n;
        let offs = [off, -off, -off, off];
        let mut ln = stirling_rest(n1) + stirling_rest(n2) + stirling_rest(m1) + stirling_rest(m2)
            - stirling_rest(n);
        let mut cell_product = 1.0;
        let mut n_cells = -3;
        for ((cell, mean), off) in cells.into_iter().zip(means).zip(offs) {
            let cell = cell as f64;
            ln -= deviance(cell, mean, off);
            if cell > 0.0 {
                ln -= stirling_rest(cell);
                cell_product *= cell;
                n_cells += 1;
            }
        }
        ln + 0.5 * ((n1 / n * n2 * m1 * m2 / cell_product).ln() - f64::from(n_cells) * TAU.ln())
    }

    /// ln P(X <= x); `x` is at most the mode.
    pub(crate) fn ln_at_most(&self, x: u64) -> f64 {
        let series = outward_sum((self.low()..x).rev().map(|x| 1.0 / self.step_up(x)));
        (self.ln_mass(x) + series.ln()).min(0.0)
    }

    /// ln P(X >= x); `x` is at least the mode.
    pub(crate) fn ln_at_least(&self, x: u64) -> f64 {
        let series = outward_sum((x..self.high()).map(|x| self.step_up(x)));
        (self.ln_mass(x) + series.ln()).min(0.0)
    }

    /// P(X = x + 1) / P(X = x).
    fn step_up(&self, x: u64) -> f64 {
        (self.n1 - x) as f64 * (self.m1 - x) as f64
            / ((x + 1) as f64 * (self.n2 + x + 1 - self.m1) as f64)
    }
}

/// a·d - b·c, exactly; each below 2^63.
pub(crate) fn cross_difference(a: u64, d: u64, b: u64, c: u64) -> i128 {
    i128::from(a) * i128::from(d) - i128::from(b) * i128::from(c)
}

/// 1 + r₁ + r₁r₂ + … for ratios that fall; stops when what is left no longer changes the sum.
fn outward_sum(ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        // The ratios fall, so a geometric series bounds the rest.
        if term * ratio < 1e-17 * sum * (1.0 - ratio) {
            break;
        }
    }
    sum
}

/// x·ln(x/mean) - (x - mean) >= 0, where `off` = x - mean is known better than its two parts.
pub(crate) fn deviance(x: f64, mean: f64, off: f64) -> f64 {
    if x == 0.0 {
        return mean;
    }
    let v = off / (x + mean);
    if v.abs() > 0.1 {
        return x * (x / mean).ln() - off;
    }
    // x/mean = (1 + v)/(1 - v), so the logarithm is 2·artanh(v); its first term joins `off`.
    let (mut sum, mut power, mut j) = (off * v, 2.0 * x * v, 1.0);
    loop {
        power *= v * v;
        j += 2.0;
        let next = sum + power / j;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// ln n! - (n ln n - n + ½ ln 2πn) for a whole `n`; 0 for `n` = 0, whose factorial needs no main part.
///
/// Source: Abramowitz and Stegun 1964, 6.1.42; its first dropped term is below 2e-16 from 16 on.
pub(crate) fn stirling_rest(n: f64) -> f64 {
    if n == 0.0 {
        return 0.0;
    }
    if n < 16.0 {
        let mut factorial = 1.0;
        let mut i = 2.0;
        while i <= n {
            factorial *= i;
            i += 1.0;
        }
        let ln_factorial: f64 = f64::ln(factorial);
        return ln_factorial - (n * n.ln() - n + 0.5 * (2.0 * PI * n).ln());
    }
    let nn = n * n;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / nn) / nn) / nn) / nn)
        / n
}
