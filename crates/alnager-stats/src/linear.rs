//! Linear regression with robust standard errors.

use std::f64::consts::PI;

use crate::matrix::{Coefficient, Design, FitError, Triangle, check_finite};
use crate::normal::ln_two_sided;

/// A linear regression by ordinary least squares, see [`fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// With classical standard errors, t statistics and p-values of Student's t with
    /// `degrees_of_freedom`; the intercept first.
    pub classical: Vec<Coefficient>,
    /// With standard errors that hold under unequal variances (HC1), and normal p-values.
    pub robust: Vec<Coefficient>,
    /// The share of the outcome's variance that the columns explain, 0..=1.
    pub r2: f64,
    /// The standard deviation of what is left, in units of the outcome.
    pub residual_sd: f64,
    /// Rows less columns.
    pub degrees_of_freedom: usize,
    /// The triangle of the columns.
    triangle: Triangle,
}

impl Linear {
    /// The coefficients alone, the intercept first.
    pub fn values(&self) -> Vec<f64> {
        self.classical.iter().map(|c| c.value).collect()
    }

    /// The classical variance of Σ `weights`·b, one weight a column: s²·w'(X'X)⁻¹w.
    pub(crate) fn variance_of(&self, weights: &[f64]) -> f64 {
        let half = self.triangle.solve_transposed(weights);
        self.residual_sd.powi(2) * half.iter().map(|part| part * part).sum::<f64>()
    }
}

/// Ordinary least squares of `outcome` on the columns of `design`.
///
/// Errors: lengths that differ, values that are not finite, no more rows than columns, a constant or
/// collinear column, a constant outcome.
///
/// Formula: b = R⁻¹Q'y; classical variance s²(X'X)⁻¹, s² = Σe²/(n-p); HC1
/// n/(n-p) · (X'X)⁻¹(Σe²xx')(X'X)⁻¹; R² = 1 - Σe²/Σ(y-ȳ)².
/// Source: HC1, MacKinnon and White 1985, Journal of Econometrics 29, 305-325.
/// Cost: about 4np² operations.
pub fn fit(design: &Design, outcome: &[f64]) -> Result<Linear, FitError> {
    design.check_length("outcome", outcome.len())?;
    check_finite("outcome", outcome)?;
    design.check_fit(|_| true)?;
    if outcome.iter().all(|y| *y == outcome[0]) {
        return Err(FitError::ConstantOutcome);
    }
    let p = design.columns();
    let mut columns = design.all();
    columns.push(outcome);
    let whole = Triangle::of(&columns, None);
    let triangle = whole.leading(p);
    if let Some(position) = triangle.collinear() {
        return Err(design.collinear(position));
    }
    // The outcome as last column: its part in the triangle is Q'y, then the length of the residual.
    // The first column is the intercept, so the other parts are the outcome's spread about its mean.
    let along: Vec<f64> = (0..p).map(|i| whole.at(i, p)).collect();
    let b = triangle.solve(&along);
    let left = whole.at(p, p).powi(2);
    let explained: f64 = along[1..].iter().map(|part| part * part).sum();
    let degrees_of_freedom = design.rows() - p;
    let residual_sd = (left / degrees_of_freedom as f64).sqrt();

    let fitted = design.times(&b);
    let residuals: Vec<f64> = outcome.iter().zip(fitted).map(|(y, f)| y - f).collect();
    let meat = Triangle::of(&design.all(), Some(&residuals));
    let correction = (design.rows() as f64 / degrees_of_freedom as f64).sqrt();

    let table = |spreads: Vec<f64>, factor: f64, ln_p: &dyn Fn(f64) -> f64| {
        let names = design.names().iter().zip(&b).zip(spreads);
        names
            .map(|((name, value), spread)| Coefficient::new(name, *value, factor * spread, ln_p))
            .collect()
    };
    Ok(Linear {
        classical: table(triangle.spreads(), residual_sd, &|t| {
            ln_student(t, degrees_of_freedom as f64)
        }),
        robust: table(triangle.spreads_around(&meat), correction, &ln_two_sided),
        r2: explained / (explained + left),
        residual_sd,
        degrees_of_freedom,
        triangle,
    })
}

/// ln P(|T| >= |t|) for Student's t with `df` degrees of freedom, also where the probability underflows.
///
/// Formula: the regularized incomplete beta function I_x(df/2, 1/2) at x = df/(df + t²), by its
/// continued fraction on the side where that converges fast.
/// Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.7.1 and 26.5.8.
pub(crate) fn ln_student(t: f64, df: f64) -> f64 {
    let square = t * t;
    if square == 0.0 {
        return 0.0;
    }
    let a = df / 2.0;
    // x = df/(df + t²) in logarithms, exact also where t² is tiny beside df.
    let ln_x = -(square / df).ln_1p();
    let rest = square / (df + square);
    let ln_front = a * ln_x + 0.5 * rest.ln() - ln_beta_half(a);
    if df / (df + square) < (a + 1.0) / (a + 2.5) {
        ln_front - a.ln() - continued(a, 0.5, df / (df + square)).ln()
    } else {
        let inside = ln_front.exp() / 0.5 / continued(0.5, a, rest);
        (-inside.min(1.0)).ln_1p()
    }
}

/// ln B(a, 1/2), a > 0.
///
/// Source: for a from 20 on the series of ln Γ(a + 1/2) - ln Γ(a) from Abramowitz and Stegun 1964,
/// 6.1.47; three terms leave under 1e-12 there. Below, the recurrence B(a, b) = B(a+1, b)·(a+b)/a.
fn ln_beta_half(mut a: f64) -> f64 {
    let mut product = 1.0;
    while a < 20.0 {
        product *= (a + 0.5) / a;
        a += 1.0;
    }
    let aa = a * a;
    let ln_ratio = 0.5 * a.ln()
        - (1.0 / 8.0 - (1.0 / 192.0 - (1.0 / 640.0 - 17.0 / 14336.0 / aa) / aa) / aa) / a;
    0.5 * PI.ln() - ln_ratio + f64::ln(product)
}

/// The continued fraction of the incomplete beta function, by Lentz' method; 1 at x = 0.
fn continued(a: f64, b: f64, x: f64) -> f64 {
    let (mut c, mut d) = (1.0, 0.0);
    let mut value = 1.0;
    for step in 1..100_000 {
        let m = f64::from(step / 2);
        let term = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        d = 1.0 / (1.0 + term * d);
        c = 1.0 + term / c;
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
