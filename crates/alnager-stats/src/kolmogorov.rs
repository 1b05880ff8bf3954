//! The distribution of the largest distance between an empirical distribution of `n` values and the true one.
//!
//! Which method answers where follows Simard and L'Ecuyer 2011, Journal of Statistical Software 39(11), as SciPy does, so
//! that p-values agree with SciPy also where the method is an approximation.

use std::f64::consts::{FRAC_PI_2, LN_2, PI, TAU};

use crate::mass::{deviance, stirling_rest};

/// ln P(D >= `x`) for `n` values, a whole number of at least 1; -∞ from `x` = 1 on, where the probability is 0.
pub(crate) fn ln_two_sided(n: f64, x: f64) -> f64 {
    let t = n * x;
    if x >= 1.0 {
        return f64::NEG_INFINITY;
    }
    if t <= 0.5 {
        return 0.0;
    }
    if t <= 1.0 {
        // Ruben and Gambino: n!/nⁿ (2t - 1)ⁿ lie within; the factorial by Stirling's formula.
        let ln_inside = ln_factorial_over_power(n) + n * (2.0 * t - 1.0).ln();
        return (-ln_inside.exp()).ln_1p();
    }
    if t >= n - 1.0 {
        return LN_2 + n * (-x).ln_1p();
    }
    let square = t * x;
    let doubled = x >= 0.5
        || if n <= 140.0 {
            square > 4.0
        } else {
            square >= 2.2
        };
    if doubled {
        // Both sides at once are so rare here that the two-sided value is taken as twice the one-sided.
        return (LN_2 + ln_one_sided(n, x)).min(0.0);
    }
    let inside = if n <= 140.0 || (n <= 100_000.0 && n * x.powf(1.5) <= 1.4) {
        inside_by_matrix(n, x)
    } else {
        inside_by_series(n, x)
    };
    (-inside.clamp(0.0, 1.0)).ln_1p()
}

/// ln(n!/nⁿ) for a whole `n` of at least 1.
fn ln_factorial_over_power(n: f64) -> f64 {
    stirling_rest(n) - n + 0.5 * (TAU * n).ln()
}

/// ln P(D⁺ >= `x`), the one-sided distance, 0 < `x` < 1, exactly.
///
/// Formula: x Σ C(n,j) (x + j/n)^(j-1) (1 - x - j/n)^(n-j) over 0 <= j <= n(1-x). Each term is a binomial mass at j, of mean
/// j + nx, times x/(x + j/n); its logarithm has one peak in j. A few thousand terms are added up; more than that
/// are so smooth that 256 equidistant points on the logistic scale give their sum to the last digits.
/// Source: Birnbaum and Tingey 1951, Annals of Mathematical Statistics 22, 592-596.
fn ln_one_sided(n: f64, x: f64) -> f64 {
    let last = (n * (1.0 - x)).floor();
    let peak = peak_term(n, x, last);
    let ln_peak = ln_term(n, x, peak);
    // Only a sum whose terms vanish towards both ends equals its integral.
    if n > 20_000.0 && ln_term(n, x, 0.0) < ln_peak - 200.0 {
        return ln_smooth_sum(n, x);
    }
    let mut total = 1.0;
    for step in [1.0, -1.0] {
        let mut j = peak + step;
        while (0.0..=last).contains(&j) {
            let term = (ln_term(n, x, j) - ln_peak).exp();
            total += term;
            if term < 1e-20 {
                break;
            }
            j += step;
        }
    }
    ln_peak + f64::ln(total)
}

/// The logarithm of the term at `j`, 0 <= j <= n(1-x); a fraction is allowed from 16 on.
fn ln_term(n: f64, x: f64, j: f64) -> f64 {
    let above = n * x;
    let rest = n - j - above;
    if j <= 0.0 {
        return n * (-x).ln_1p();
    }
    if rest <= 0.0 {
        return f64::NEG_INFINITY;
    }
    stirling_rest(n)
        - stirling_rest(j)
        - stirling_rest(n - j)
        - deviance(j, j + above, -above)
        - deviance(n - j, rest, above)
        + 0.5 * (n / (TAU * j * (n - j))).ln()
        + (above / (j + above)).ln()
}

/// The whole number with the largest term: the terms rise up to it and fall after it.
fn peak_term(n: f64, x: f64, last: f64) -> f64 {
    let (mut low, mut high) = (0.0, last);
    while low < high {
        let middle = ((low + high) / 2.0_f64).floor();
        if ln_term(n, x, middle + 1.0) > ln_term(n, x, middle) {
            low = middle + 1.0;
        } else {
            high = middle;
        }
    }
    low
}

/// The logarithm of the sum of all terms as the integral over j = n(1-x)/(1 + e^-u).
fn ln_smooth_sum(n: f64, x: f64) -> f64 {
    let width = n * (1.0 - x);
    let ln_height = |u: f64| {
        let (share, other) = (1.0 / (1.0 + (-u).exp()), 1.0 / (1.0 + u.exp()));
        ln_term(n, x, width * share) + (width * share * other).ln()
    };
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..200 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if ln_height(left) < ln_height(right) {
            low = left;
        } else {
            high = right;
        }
    }
    let peak = (low + high) / 2.0;
    let ln_peak = ln_height(peak);
    // How far from the peak the terms have become negligible, below (-1) and above (1).
    let end = |side: f64| {
        let (mut near, mut far) = (0.0, 40.0);
        for _ in 0..60 {
            let middle = (near + far) / 2.0;
            if ln_height(peak + side * middle) > ln_peak - 45.0 {
                near = middle;
            } else {
                far = middle;
            }
        }
        peak + side * far
    };
    let (from, to) = (end(-1.0), end(1.0));
    let step = (to - from) / 256.0;
    let total: f64 = (0..=256)
        .map(|i| (ln_height(from + f64::from(i) * step) - ln_peak).exp())
        .sum();
    ln_peak + (total * step).ln()
}

/// P(D < `x`) exactly, as n!/nⁿ times the middle of the n-th power of a matrix with 2⌈nx⌉ - 1 rows.
///
/// Source: Marsaglia, Tsang and Wang 2003, Journal of Statistical Software 8(18).
/// Cost: the cube of the rows; called for at most 115 of them, some 30 ms.
fn inside_by_matrix(n: f64, x: f64) -> f64 {
    let k = (n * x).floor() + 1.0;
    let h = k - n * x;
    let middle = k as usize - 1;
    let size = 2 * middle + 1;
    let mut base = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..size {
            base[i * size + j] = if j <= i + 1 { 1.0 } else { 0.0 };
        }
    }
    for i in 0..size {
        base[i * size] -= h.powi(i as i32 + 1);
        base[(size - 1) * size + i] -= h.powi((size - i) as i32);
    }
    if 2.0 * h > 1.0 {
        base[(size - 1) * size] += (2.0 * h - 1.0).powi(size as i32);
    }
    for i in 0..size {
        let mut factorial = 1.0;
        for j in (0..=i).rev() {
            factorial *= (i + 1 - j) as f64;
            base[i * size + j] /= factorial;
        }
    }
    let mut base = Scaled {
        cells: base,
        ln: 0.0,
    };
    let mut power: Option<Scaled> = None;
    let mut exponent = n as u64;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = Some(match power {
                Some(power) => power.times(&base, size),
                None => base.clone(),
            });
        }
        exponent /= 2;
        if exponent > 0 {
            base = base.times(&base, size);
        }
    }
    power.map_or(0.0, |power| {
        let cell = power.cells[middle * size + middle];
        (cell.ln() + power.ln + ln_factorial_over_power(n)).exp()
    })
}

/// A square matrix times exp(`ln`).
#[derive(Clone)]
struct Scaled {
    cells: Vec<f64>,
    ln: f64,
}

impl Scaled {
    /// The product, scaled so that its largest cell is 1.
    fn times(&self, other: &Scaled, size: usize) -> Scaled {
        let mut cells = vec![0.0; size * size];
        for i in 0..size {
            for k in 0..size {
                let left = self.cells[i * size + k];
                let row = &other.cells[k * size..(k + 1) * size];
                for (cell, right) in cells[i * size..(i + 1) * size].iter_mut().zip(row) {
                    *cell += left * right;
                }
            }
        }
        let largest = cells
            .iter()
            .fold(0.0_f64, |most, cell| most.max(cell.abs()));
        cells.iter_mut().for_each(|cell| *cell /= largest);
        Scaled {
            cells,
            ln: self.ln + other.ln + largest.ln(),
        }
    }
}

/// P(D < `x`) by an expansion in powers of 1/√n up to the third.
///
/// Source: Pelz and Good 1976, Journal of the Royal Statistical Society B 38, 152-156.
fn inside_by_series(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let (z2, z4) = (z * z, z.powi(4));
    let (z6, z8) = (z4 * z2, z4 * z4);
    // The sums run over all whole and all half numbers; both signs are alike, and ten are more than enough for z < 1.5.
    let mut terms = [0.0; 4];
    for k in (0..10).rev() {
        let half = ((f64::from(k) + 0.5) * PI).powi(2);
        let weight = 2.0 * (-half / (2.0 * z2)).exp();
        terms[0] += weight;
        terms[1] += weight * (half - z2);
        terms[2] += weight
            * (6.0 * z6 + 2.0 * z4 + half * (2.0 * z4 - 5.0 * z2) + half * half * (1.0 - 2.0 * z2));
        terms[3] += weight
            * (half.powi(3) * (5.0 - 30.0 * z2)
                + half * half * (212.0 * z4 - 60.0 * z2)
                + half * (135.0 * z4 - 96.0 * z6)
                - 30.0 * z6
                - 90.0 * z8);
        let whole = (f64::from(k) * PI).powi(2);
        let weight = 2.0 * (-whole / (2.0 * z2)).exp();
        terms[2] -= weight * 2.0 * z4 * whole;
        terms[3] += weight * 30.0 * z4 * (3.0 * whole * z2 - whole * whole);
    }
    let root = n.sqrt();
    let factor = FRAC_PI_2.sqrt();
    factor
        * (terms[0] / z
            + terms[1] / (6.0 * z4 * root)
            + terms[2] / (72.0 * z6 * z * n)
            + terms[3] / (6480.0 * z8 * z2 * root * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[n, x, P(D >= x)]` by SciPy 1.17.1, `scipy.stats.kstwo.sf(x, n)`. Above a million values SciPy shortens the
    /// one-sided sum to an exponential that is off by 4nx⁴/9 relative, so only the series is compared there.
    const TABLE: &[[f64; 3]] = &[
        [1.0, 0.7, 0.6000000000000001],
        [5.0, 0.05, 1.0],
        [5.0, 0.15, 0.9988],
        [5.0, 0.6, 0.03008000000000001],
        [7.0, 0.9, 1.999999999999997e-07],
        [100.0, 0.008, 1.0],
        [100.0, 0.08, 0.5182193645480672],
        [100.0, 0.15, 0.019839242125643017],
        [140.0, 0.05, 0.8576480297656114],
        [100.0, 0.19, 0.0012339926382722768],
        [100.0, 0.3, 1.7719869892662917e-08],
        [141.0, 0.03, 0.9992107601012719],
        [141.0, 0.06, 0.6677160791348915],
        [141.0, 0.1, 0.11128445516467944],
        [300.0, 0.7, 7.220857512656351e-148],
        [1000.0, 0.009, 0.9999964462512184],
        [1000.0, 0.02, 0.8108971656895577],
        [1000.0, 0.04, 0.07933956059000224],
        [1000.0, 0.0469, 0.023788979220138784],
        [1000.0, 0.047, 0.023344526390774382],
        [20000.0, 0.011, 0.015697359556906442],
        [20001.0, 0.011, 0.015693561153342396],
        [50000.0, 0.0005, 1.0],
        [50000.0, 0.0008, 0.9999999999999997],
        [50000.0, 0.004, 0.3994316646755731],
        [50000.0, 0.02, 8.35587873542047e-18],
        [100001.0, 0.0015, 0.9777913497778646],
        [900000.0, 0.004, 6.19654215554289e-13],
        [1000000.0, 0.0016, 0.011939282537735608],
        [1000000.0, 0.0183, 2.4682338503787762e-291],
        [3000000.0, 0.0004, 0.7229927521576703],
    ];

    #[test]
    fn scipys_values_are_met() {
        for &[n, x, want] in TABLE {
            let got = ln_two_sided(n, x).exp();
            assert!((got - want).abs() <= 1e-10 * want, "{n} {x}: {got} {want}");
        }
    }

    #[test]
    fn sum_and_integral_agree() {
        for (n, x) in [
            (20_001.0, 0.0105),
            (30_000.0, 0.1),
            (50_000.0, 0.4),
            (1e6, 0.002),
        ] {
            let last = f64::floor(n * (1.0 - x));
            let mut plain = 0.0;
            let peak = ln_term(n, x, peak_term(n, x, last));
            let mut j = 0.0;
            while j <= last {
                plain += (ln_term(n, x, j) - peak).exp();
                j += 1.0;
            }
            let want = peak + f64::ln(plain);
            let got = ln_smooth_sum(n, x);
            assert!(
                (got - want).abs() < 1e-11 * want.abs().max(1.0),
                "{n} {x}: {got} {want}"
            );
        }
    }
}
