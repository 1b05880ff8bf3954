//! Logistic regression by Newton's method.

use std::f64::consts::LN_2;

use crate::compare::PValue;
use crate::matrix::{Coefficient, Design, FitError, Separation, Triangle, dot};
use crate::normal::ln_two_sided;
use crate::proportion::Interval;
use crate::tail;
use crate::weighted;

/// A logistic regression, see [`fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Logit {
    /// In log odds per unit of the column, with z statistics; the intercept first.
    pub coefficients: Vec<Coefficient>,
    /// ln of the likelihood at the solution, below 0.
    pub log_likelihood: f64,
    /// The same with the intercept alone.
    pub null_log_likelihood: f64,
    /// The Newton steps made.
    pub steps: u32,
    /// The triangle of √W·X, whose square is Fisher's information.
    pub(crate) information: Triangle,
}

impl Logit {
    /// McFadden's pseudo R²: 1 - ln L / ln L₀, 0..1.
    ///
    /// Source: McFadden 1974, in Zarembka (editor), Frontiers in Econometrics, 105-142.
    pub fn pseudo_r2(&self) -> f64 {
        (self.null_log_likelihood - self.log_likelihood) / self.null_log_likelihood
    }

    /// The likelihood ratio statistic against the intercept alone, 2(ln L - ln L₀), 0 and above.
    pub fn likelihood_ratio(&self) -> f64 {
        (2.0 * (self.log_likelihood - self.null_log_likelihood)).max(0.0)
    }

    /// The chance of such a statistic were all variables without effect: chi-square with one degree of
    /// freedom per variable; `None` if there is no variable.
    pub fn likelihood_ratio_p(&self) -> Option<PValue> {
        let variables = self.coefficients.len() - 1;
        (variables > 0).then(|| tail::chi2(self.likelihood_ratio(), variables as f64))
    }

    /// The odds ratio per unit of the column at a position, above 0; `None` beyond the last column.
    pub fn odds_ratio(&self, position: usize) -> Option<f64> {
        Some(self.coefficients.get(position)?.value.exp())
    }

    /// Wald's interval of the odds ratio; `None` beyond the last column or unless `z` is positive and finite.
    pub fn odds_ratio_interval(&self, position: usize, z: f64) -> Option<Interval> {
        let interval = self.coefficients.get(position)?.interval(z)?;
        Some(Interval {
            low: interval.low.exp(),
            high: interval.high.exp(),
        })
    }

    pub(crate) fn values(&self) -> Vec<f64> {
        self.coefficients.iter().map(|c| c.value).collect()
    }
}

/// The log odds of `outcome` as a linear function of the columns of `design`, by maximum likelihood.
///
/// `weights`, one per row and 0 or above, count a row as that many; a row of weight 0 does not count
/// at all. Standard errors take them as counts, so sampling weights need a bootstrap instead.
///
/// Errors: lengths that differ, a bad weight, no more rows than columns, a constant or collinear
/// column, a constant outcome, complete or quasi-complete separation, no convergence.
///
/// Formula: Newton steps (X'WX)δ = X'(y - p), W = p(1-p), halved while the likelihood falls; standard
/// errors from (X'WX)⁻¹ at the solution.
/// Source: McCullagh and Nelder 1989, Generalized Linear Models, 2nd edition, chapter 4; separation,
/// Albert and Anderson 1984, Biometrika 71, 1-10.
/// Cost: about 2np² operations a step; five to eight steps are usual.
pub fn fit(design: &Design, outcome: &[bool], weights: Option<&[f64]>) -> Result<Logit, FitError> {
    let data = Rows::new(design, outcome, weights)?;
    let columns = design.all();
    let mut b = vec![0.0; design.columns()];
    let mut eta = vec![0.0; design.rows()];
    let mut height = -LN_2 * data.weight_sum();
    for steps in 1..=STEPS_MAX {
        let information = Triangle::of(&columns, Some(&data.information_roots(&eta)));
        if let Some(position) = information.collinear() {
            return Err(design.collinear(position));
        }
        let slope = data.slope(&eta);
        let score: Vec<f64> = columns.iter().map(|column| dot(column, &slope)).collect();
        let half = information.solve_transposed(&score);
        let step = information.solve(&half);
        let along = design.times(&step);
        if let Some(separation) = data.separation(&along, steps) {
            let name = heaviest(design, &step);
            return Err(FitError::Separated { separation, name });
        }
        let gain = dot(&half, &half);
        let (share, raised) = data.climb(&eta, &along, height);
        for (b, step) in b.iter_mut().zip(&step) {
            *b += share * step;
        }
        eta = design.times(&b);
        height = raised;
        if gain <= GAIN_MIN {
            let information = Triangle::of(&columns, Some(&data.information_roots(&eta)));
            return Ok(finished(design, &data, &b, &eta, information, steps));
        }
    }
    Err(FitError::NotConverged { steps: STEPS_MAX })
}

/// Steps after which a fit is given up; a regular one needs under ten.
const STEPS_MAX: u32 = 60;

/// Twice the likelihood that the last step could still gain: it then moves no coefficient by more
/// than 1e-8 standard errors, and Newton's next error is the square of that.
const GAIN_MIN: f64 = 1e-16;

fn finished(
    design: &Design,
    data: &Rows<'_>,
    b: &[f64],
    eta: &[f64],
    information: Triangle,
    steps: u32,
) -> Logit {
    let spreads = information.spreads();
    let coefficients = design.names().iter().zip(b).zip(spreads);
    Logit {
        coefficients: coefficients
            .map(|((name, value), se)| Coefficient::new(name, *value, se, ln_two_sided))
            .collect(),
        log_likelihood: data.height(eta),
        null_log_likelihood: data.null_height(),
        steps,
        information,
    }
}

/// The column that moves the log odds most: |step| times the column's standard deviation.
fn heaviest(design: &Design, step: &[f64]) -> String {
    let moved = |j: usize| {
        let column = design.all()[j];
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let square: f64 = column.iter().map(|x| (x - mean).powi(2)).sum();
        step[j].abs() * (square / n).sqrt()
    };
    let positions = (0..design.columns()).max_by(|&a, &b| moved(a).total_cmp(&moved(b)));
    design.names()[positions.unwrap_or(0)].clone()
}

/// 1/(1 + e^-η), without overflow.
pub(crate) fn probability(eta: f64) -> f64 {
    if eta >= 0.0 {
        1.0 / (1.0 + (-eta).exp())
    } else {
        let odds = eta.exp();
        odds / (1.0 + odds)
    }
}

/// The outcome with its weights.
struct Rows<'a> {
    outcome: &'a [bool],
    weights: Option<&'a [f64]>,
}

impl<'a> Rows<'a> {
    fn new(
        design: &Design,
        outcome: &'a [bool],
        weights: Option<&'a [f64]>,
    ) -> Result<Rows<'a>, FitError> {
        design.check_length("outcome", outcome.len())?;
        if let Some(weights) = weights {
            design.check_length("weights", weights.len())?;
            weighted::check(weights).map_err(|bad| FitError::Weight { row: Some(bad.row) })?;
            if weights.iter().all(|w| *w == 0.0) {
                return Err(FitError::Weight { row: None });
            }
        }
        let rows = Rows { outcome, weights };
        design.check_fit(|row| rows.weight(row) > 0.0)?;
        let mut counted = (0..outcome.len()).filter(|&row| rows.weight(row) > 0.0);
        let first = counted.next().map(|row| outcome[row]);
        if counted.all(|row| Some(outcome[row]) == first) {
            return Err(FitError::ConstantOutcome);
        }
        Ok(rows)
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    fn weight_sum(&self) -> f64 {
        let n = self.outcome.len() as f64;
        self.weights.map_or(n, |weights| weights.iter().sum())
    }

    /// The log-likelihood at the log odds `eta`.
    fn height(&self, eta: &[f64]) -> f64 {
        let rows = self.outcome.iter().zip(eta).enumerate();
        rows.map(|(row, (&y, &eta))| {
            let toward = if y { eta } else { -eta };
            // ln(1/(1 + e^-t)) without overflow.
            self.weight(row) * (toward.min(0.0) - (-toward.abs()).exp().ln_1p())
        })
        .sum()
    }

    /// The log-likelihood of the intercept alone.
    fn null_height(&self) -> f64 {
        let all = self.weight_sum();
        let yes: f64 = (0..self.outcome.len())
            .filter(|&row| self.outcome[row])
            .map(|row| self.weight(row))
            .sum();
        yes * (yes / all).ln() + (all - yes) * ((all - yes) / all).ln()
    }

    /// weight · (y - p), one per row.
    fn slope(&self, eta: &[f64]) -> Vec<f64> {
        let rows = self.outcome.iter().zip(eta).enumerate();
        rows.map(|(row, (&y, &eta))| {
            // 1 - p is the probability of the other outcome: no cancellation.
            let off = if y {
                probability(-eta)
            } else {
                -probability(eta)
            };
            self.weight(row) * off
        })
        .collect()
    }

    /// √(weight · p(1-p)), one per row.
    fn information_roots(&self, eta: &[f64]) -> Vec<f64> {
        let rows = eta.iter().enumerate();
        rows.map(|(row, &eta)| (self.weight(row) * probability(eta) * probability(-eta)).sqrt())
            .collect()
    }

    /// The share of the step that raises the likelihood, by halving, and the height reached.
    fn climb(&self, eta: &[f64], along: &[f64], height: f64) -> (f64, f64) {
        let mut share = 1.0;
        for _ in 0..40 {
            let moved: Vec<f64> = eta.iter().zip(along).map(|(e, a)| e + share * a).collect();
            let raised = self.height(&moved);
            // Near the solution the gain drowns in the rounding of the sum.
            if raised >= height - 1e-12 * height.abs() {
                return (share, raised);
            }
            share /= 2.0;
        }
        (0.0, height)
    }

    /// Whether a direction (one value per row) never points away from an outcome: along it the
    /// likelihood rises forever. Newton's steps come to be such a direction where one exists; where
    /// none exists, none is found. Rows on the border come to rest only after some steps, so
    /// quasi-complete separation is not looked for earlier.
    fn separation(&self, along: &[f64], steps: u32) -> Option<Separation> {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for (row, (&y, &along)) in self.outcome.iter().zip(along).enumerate() {
            if self.weight(row) > 0.0 {
                let toward = if y { along } else { -along };
                least = least.min(toward);
                most = most.max(toward);
            }
        }
        if most >= 0.1 && least > BORDER * most {
            Some(Separation::Complete)
        } else if most >= 0.1 && least >= -BORDER * most && steps >= 8 {
            Some(Separation::QuasiComplete)
        } else {
            None
        }
    }
}

/// Rows within this part of the longest move count as on the border of a separation.
const BORDER: f64 = 1e-6;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
