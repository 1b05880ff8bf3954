//! Tails of the standard normal distribution.

use std::f64::consts::PI;

use statrs::function::gamma::gamma_ur;

/// P(|Z| >= |z|), to 2e-13 relative; 0 where it underflows.
///
/// Formula: Q(1/2, z²/2), the upper regularized gamma function; the same as erfc(|z|/√2), for which
/// `statrs` is only good to 1e-10.
/// Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 6.5.17.
pub(crate) fn two_sided(z: f64) -> f64 {
    ln_two_sided(z).exp()
}

/// ln P(|Z| >= |z|), also where the probability itself underflows.
///
/// Beyond z²/2 = x² = 600: the logarithm of erfc(x) = exp(-x²)/(x√π) · (1 - 1/(2x²) + 1·3/(2x²)² - …).
/// Source: Abramowitz and Stegun 1964, 7.1.23; seven terms leave under 1e-14 there.
pub(crate) fn ln_two_sided(z: f64) -> f64 {
    let square = z * z / 2.0;
    if square == 0.0 {
        return 0.0;
    }
    if square < 600.0 {
        return gamma_ur(0.5, square).ln();
    }
    let step = 1.0 / (2.0 * square);
    let (mut sum, mut term) = (1.0, 1.0);
    for odd in [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0] {
        term *= -odd * step;
        sum += term;
    }
    -square - 0.5 * (square * PI).ln() + f64::ln(sum)
}
