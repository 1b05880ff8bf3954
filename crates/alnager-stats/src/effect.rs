//! Average marginal effects of a fitted logistic regression.

use crate::logit::{self, Logit, probability};
use crate::matrix::{Coefficient, Design, FitError, dot};
use crate::normal::ln_two_sided;

/// How far each variable moves the probability, the others held as they are in each row.
///
/// One figure per variable of `design` in its order, without the intercept. Of a variable that is 0
/// or 1 in every row: the mean over all rows of P(x=1) - P(x=0), in points of probability (-1..=1). Of any
/// other: the mean of the slope β·p(1-p), in probability per unit of the variable. `weights` are those
/// of the fit and weight the mean. Standard errors by the delta method; they take the rows as given.
///
/// A category coded in several 0/1 columns needs [`of_category`], because setting one column to 1
/// would leave another at 1; a variable that enters in two columns (a square, a product) has no
/// figure of its own here.
///
/// Formula: standard error √(g'(X'WX)⁻¹g), g the derivative of the effect by the coefficients.
/// Source: Greene 2012, Econometric Analysis, 7th edition, chapter 17.
pub fn average_marginal_effects(
    design: &Design,
    fit: &Logit,
    weights: Option<&[f64]>,
) -> Result<Vec<Coefficient>, FitError> {
    let model = Model::new(design, fit, weights)?;
    let one = |position: usize| {
        let column = design.all()[position];
        if column.iter().all(|&x| x == 0.0 || x == 1.0) {
            model.switched(position, &[position])
        } else {
            model.sloped(position)
        }
    };
    Ok((1..design.columns()).map(one).collect())
}

/// The effect of each category of a set of 0/1 columns that are never 1 together, against the
/// category without a column (all 0).
///
/// One figure per entry of `positions`: the mean over all rows of P(this category) - P(the one
/// without a column), in points of probability. Otherwise as [`average_marginal_effects`].
pub fn of_category(
    design: &Design,
    fit: &Logit,
    weights: Option<&[f64]>,
    positions: &[usize],
) -> Result<Vec<Coefficient>, FitError> {
    let model = Model::new(design, fit, weights)?;
    check_exclusive(design, positions)?;
    let effects = positions.iter().map(|&at| model.switched(at, positions));
    Ok(effects.collect())
}

/// The raw effect of each category of a set of 0/1 columns: [`of_category`] in the model with these
/// columns alone, which is the plain difference of rates from the category without a column.
pub fn raw(
    design: &Design,
    outcome: &[bool],
    weights: Option<&[f64]>,
    positions: &[usize],
) -> Result<Vec<Coefficient>, FitError> {
    let alone = design.with_only(positions)?;
    let fit = logit::fit(&alone, outcome, weights)?;
    let all: Vec<usize> = (1..alone.columns()).collect();
    of_category(&alone, &fit, weights, &all)
}

fn check_exclusive(design: &Design, positions: &[usize]) -> Result<(), FitError> {
    let mut taken = vec![false; design.rows()];
    for &position in positions {
        design.check_variable(position)?;
        for (row, &x) in design.all()[position].iter().enumerate() {
            if x != 0.0 && (x != 1.0 || taken[row]) {
                let name = design.names()[position].clone();
                return Err(FitError::NotExclusive { name, row });
            }
            taken[row] |= x == 1.0;
        }
    }
    Ok(())
}

struct Model<'a> {
    design: &'a Design,
    fit: &'a Logit,
    weights: Vec<f64>,
    weight_sum: f64,
    coefficients: Vec<f64>,
    eta: Vec<f64>,
}

impl<'a> Model<'a> {
    fn new(
        design: &'a Design,
        fit: &'a Logit,
        weights: Option<&[f64]>,
    ) -> Result<Model<'a>, FitError> {
        let coefficients = fit.values();
        if coefficients.len() != design.columns() {
            return Err(FitError::LengthsDiffer {
                name: "coefficients".to_owned(),
                rows: coefficients.len(),
                expected: design.columns(),
            });
        }
        let weights = weights.map_or_else(|| vec![1.0; design.rows()], <[f64]>::to_vec);
        design.check_length("weights", weights.len())?;
        Ok(Model {
            eta: design.times(&coefficients),
            design,
            fit,
            weight_sum: weights.iter().sum(),
            weights,
            coefficients,
        })
    }

    /// Column `position` set to 1 and the others of its set to 0, against all of the set at 0.
    fn switched(&self, position: usize, set: &[usize]) -> Coefficient {
        let columns = self.design.all();
        let mut off = self.eta.clone();
        for &j in set {
            for (eta, x) in off.iter_mut().zip(columns[j]) {
                *eta -= self.coefficients[j] * x;
            }
        }
        let b = self.coefficients[position];
        let (mut value, mut on_slope) = (0.0, 0.0);
        let mut apart = Vec::with_capacity(off.len());
        for (&off, &weight) in off.iter().zip(&self.weights) {
            let (with, without) = (probability(off + b), probability(off));
            let (steep, flat) = (slope(off + b), slope(off));
            value += weight * (with - without);
            on_slope += weight * steep;
            apart.push(weight * (steep - flat));
        }
        let gradient = (0..columns.len()).map(|j| {
            if j == position {
                on_slope
            } else if set.contains(&j) {
                0.0
            } else {
                dot(&apart, columns[j])
            }
        });
        self.effect(position, value, gradient.collect())
    }

    /// The mean slope of a variable that takes any number.
    fn sloped(&self, position: usize) -> Coefficient {
        let b = self.coefficients[position];
        let rows = self.eta.iter().zip(&self.weights);
        let slopes: f64 = rows.clone().map(|(&eta, weight)| weight * slope(eta)).sum();
        // The derivative of p(1-p) by the log odds: p(1-p)(1-2p) = -p(1-p)·tanh(η/2).
        let bends: Vec<f64> = rows
            .map(|(&eta, weight)| -weight * slope(eta) * (eta / 2.0).tanh())
            .collect();
        let gradient = self
            .design
            .all()
            .into_iter()
            .enumerate()
            .map(|(j, column)| {
                let own = if j == position { slopes } else { 0.0 };
                own + b * dot(&bends, column)
            });
        self.effect(position, b * slopes, gradient.collect())
    }

    /// The figure whose sum over rows and whose derivatives' sums are given.
    fn effect(&self, position: usize, sum: f64, gradient: Vec<f64>) -> Coefficient {
        let spread = self.fit.information.spread(&gradient);
        Coefficient::new(
            &self.design.names()[position],
            sum / self.weight_sum,
            spread / self.weight_sum,
            ln_two_sided,
        )
    }
}

/// p(1-p) at the log odds η.
fn slope(eta: f64) -> f64 {
    probability(eta) * probability(-eta)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
