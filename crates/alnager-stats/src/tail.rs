//! Tails of the chi-square and Student's t distributions, in logarithms.

use std::f64::consts::{LN_2, PI};

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

/// P(|T| >= |`t`|) for T of Student's distribution with `df` degrees of freedom, `df` >= 1, not necessarily whole; to 1e-13
/// relative.
///
/// Formula: with u = √df·sinh(v) the tail is 2r/√π · (cosh v₀)^-df ∫₀^∞ (cosh(v₀+δ)/cosh v₀)^-df dδ,
/// r = Γ(df/2 + 1/2)/Γ(df/2). The integrand falls from 1 without end; the double-exponential rule gives its integral to the last
/// digits.
/// Source: Takahasi and Mori 1974, Publications of the Research Institute for Mathematical Sciences 9, 721-741.
pub(crate) fn student(t: f64, df: f64) -> PValue {
    if t == 0.0 {
        return PValue::from_ln(0.0);
    }
    let squared = t / df * t;
    // tanh v₀, and the scale on which the integrand falls.
    let slope = t.abs() / df.sqrt().hypot(t);
    let scale = 1.0 / (df * slope + df.sqrt());
    let ln_height = |s: f64| {
        let delta = scale * s;
        let half = (delta / 2.0).sinh();
        -df * (2.0 * half * half + slope * delta.sinh()).ln_1p()
    };
    const STEP: f64 = 1.0 / 32.0;
    let integral: f64 = (-128..=192)
        .map(|i| {
            let w = f64::from(i) * STEP;
            let s = (w - (-w).exp()).exp();
            ln_height(s).exp() * s * (1.0 + (-w).exp())
        })
        .sum();
    let ln_cosh = 0.5 * squared.ln_1p();
    PValue::from_ln(
        LN_2 - 0.5 * PI.ln() + ln_gamma_half_step(df / 2.0) - df * ln_cosh
            + (scale * STEP * integral).ln(),
    )
}

/// ln(Γ(a + 1/2)/Γ(a)) for `a` >= 1/2, by Stirling's formula for the quotient, since the two logarithms would cancel.
///
/// Source: Abramowitz and Stegun 1964, 6.1.40, for the difference of both; the first dropped term is below 1e-17 from 16 on.
fn ln_gamma_half_step(a: f64) -> f64 {
    let mut shift = 1.0;
    let mut a = a;
    while a < 16.0 {
        shift *= a / (a + 0.5);
        a += 1.0;
    }
    let square = 1.0 / (a * a);
    let rest = (-1.0 / 8.0
        + (1.0 / 192.0
            + (-1.0 / 640.0
                + (17.0 / 14_336.0 + (-31.0 / 18_432.0 + 691.0 / 180_224.0 * square) * square)
                    * square)
                * square)
            * square)
        / a;
    f64::ln(shift) + 0.5 * a.ln() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[t, df, log10 of the two-sided p]` in 50-digit arithmetic (mpmath).
    const STUDENT: &[[f64; 3]] = &[
        [0.001, 1.0, -0.00027656840582179743],
        [0.3, 3.7, -0.10775648927000663],
        [1.0, 1.5, -0.34569312455153717],
        [2.5, 4.0, -1.1754410980500918],
        [1000000.0, 5.0, -28.721696138258498],
        [12.0, 9.3, -6.242142921663772],
        [0.7, 30.0, -0.31040663931133394],
        [4.0, 30.5, -3.427849588058338],
        [60.0, 120.0, -90.6132553220522],
        [1.3, 1000.0, -0.7124210073854279],
        [5.0, 4500.25, -6.22540769411603],
        [50.0, 3000.0, -396.5277710075927],
        [0.02, 10000000.0, -0.006985759064260664],
        [1.96, 10000000.0, -1.3010663213537237],
        [8.0, 10000000.0, -14.90506670369773],
        [40.0, 10000000.0, -349.10814985129196],
        [300.0, 10000000.0, -19458.404424998942],
        [3.0, 10000000000.0, -2.5686690391960143],
        [45.0, 1000000000000.0, -441.4746491359538],
    ];

    #[test]
    fn students_tails_are_met() {
        for &[t, df, want] in STUDENT {
            let got = student(t, df);
            let allowed = 1e-12 * want.abs().max(0.1);
            assert!(
                (got.log10 - want).abs() < allowed,
                "{t} {df}: {} {want}",
                got.log10
            );
            assert_eq!(student(-t, df), got);
        }
    }

    #[test]
    fn one_and_two_degrees_of_freedom_have_closed_forms() {
        for t in [1e-6, 0.1, 1.0, 3.0, 1e3, 1e7_f64] {
            let one = 2.0 / PI * (1.0 / t).atan();
            assert!((student(t, 1.0).value / one - 1.0).abs() < 1e-12, "{t}");
            let root = (2.0 + t * t).sqrt();
            let two = 2.0 / (root * (root + t));
            assert!((student(t, 2.0).value / two - 1.0).abs() < 1e-12, "{t}");
        }
        assert_eq!(student(0.0, 5.0).value, 1.0);
    }
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
