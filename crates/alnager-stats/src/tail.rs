//! Upper tails of the chi-square distribution, in logarithms.

use statrs::function::gamma::{gamma_ur, ln_gamma};

use crate::compare::PValue;

/// P(X >= `statistic`) for X chi-square with `df` degrees of freedom, `df` > 0; 1 for a statistic of 0 or below.
///
/// Formula: Q(df/2, statistic/2), the upper regularized gamma function; where it would underflow, the logarithm of Legendre's
/// continued fraction.
/// Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 6.5.31 and 26.4.
pub(crate) fn chi2(statistic: f64, df: f64) -> PValue {
    if statistic <= 0.0 {
        return PValue::from_ln(0.0);
    }
    let (a, x) = (df / 2.0, statistic / 2.0);
    if x < a + 1.0 || x < 300.0 {
        return PValue::from_ln(gamma_ur(a, x).ln());
    }
    // Lentz' method; x lies far above a here, so a few dozen terms are enough.
    let mut b = x + 1.0 - a;
    let mut d = 1.0 / b;
    let (mut c, mut h) = (1e300, d);
    for i in 1..10_000 {
        let i = f64::from(i);
        let term = -i * (i - a);
        b += 2.0;
        d = 1.0 / (term * d + b);
        c = b + term / c;
        let factor = d * c;
        h *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    PValue::from_ln(-x + a * x.ln() - ln_gamma(a) + h.ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::ln_two_sided;

    #[test]
    fn one_degree_of_freedom_is_the_square_of_a_normal() {
        for z in [0.3, 1.0, 1.96, 5.0, 20.0, 24.4, 24.6, 40.0, 200.0] {
            let p = chi2(z * z, 1.0);
            let want = ln_two_sided(z) / std::f64::consts::LN_10;
            assert!(
                (p.log10 - want).abs() <= 1e-12 * want.abs().max(1.0),
                "{z}: {} {want}",
                p.log10
            );
        }
    }

    #[test]
    fn the_known_points_are_met() {
        // Two degrees of freedom: exp(-x/2); four: exp(-x/2)(1 + x/2).
        for x in [0.5, 3.0, 50.0, 700.0, 2_000.0_f64] {
            let two = -x / 2.0 / std::f64::consts::LN_10;
            assert!((chi2(x, 2.0).log10 - two).abs() < 1e-12 * two.abs().max(1.0));
            let four = (-x / 2.0 + (1.0 + x / 2.0).ln()) / std::f64::consts::LN_10;
            assert!((chi2(x, 4.0).log10 - four).abs() < 1e-12 * four.abs().max(1.0));
        }
    }
}
