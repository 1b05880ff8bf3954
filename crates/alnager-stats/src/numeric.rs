//! Predicted numbers against true ones, by group: how far off, in which direction, in which order.

use crate::total::total;

/// Predictions beside what came true, row by row, in the same unit; all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    predicted: Vec<f64>,
    actual: Vec<f64>,
}

impl Predictions {
    /// The pairs; `None` if the lists differ in length or hold a number that is not finite.
    pub fn new(predicted: Vec<f64>, actual: Vec<f64>) -> Option<Predictions> {
        let finite = predicted
            .iter()
            .chain(&actual)
            .all(|value| value.is_finite());
        let even = predicted.len() == actual.len();
        (finite && even).then_some(Predictions { predicted, actual })
    }

    /// The number of rows.
    pub fn n(&self) -> usize {
        self.predicted.len()
    }

    /// Predicted minus true.
    fn residuals(&self) -> Vec<f64> {
        let pairs = self.predicted.iter().zip(&self.actual);
        pairs
            .map(|(predicted, actual)| predicted - actual)
            .collect()
    }
}

/// How good the predictions for one group are, see [`fit`]; in the unit of the predictions where no other is named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The number of rows.
    pub n: usize,
    /// The mean prediction; `None` without rows.
    pub mean_pred: Option<f64>,
    /// The mean of what came true; `None` without rows.
    pub mean_true: Option<f64>,
    /// The mean absolute error; `None` without rows.
    pub mae: Option<f64>,
    /// The root of the mean squared error; `None` without rows.
    pub rmse: Option<f64>,
    /// The mean of predicted minus true, positive where predictions are too high; `None` without rows.
    pub bias: Option<f64>,
    /// 1 - Σ(true - predicted)² / Σ(true - mean true)², at most 1, negative where the group's own mean would
    /// predict better; `None` unless the true values vary.
    pub r2: Option<f64>,
    /// Pearson's correlation of predicted and true, -1..=1; `None` unless both vary.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation, ties at their mean rank, -1..=1; `None` unless both vary.
    pub spearman: Option<f64>,
}

/// How good the predictions for one group are.
///
/// A figure too large for `f64` is `None`, like one that is undefined. The order of rows shows in the last
/// digits at most.
///
/// Source: Pearson 1895, Proceedings of the Royal Society of London 58, 240-242; Spearman 1904, American
/// Journal of Psychology 15, 72-101.
pub fn fit(group: &Predictions) -> Fit {
    let Predictions { predicted, actual } = group;
    let residuals = group.residuals();
    let squares = residuals.iter().map(|residual| residual * residual);
    let squared_error = total(squares.clone());
    let absolute = residuals.iter().map(|residual| residual.abs());
    Fit {
        n: group.n(),
        mean_pred: mean(predicted),
        mean_true: mean(actual),
        mae: finite(total(absolute) / group.n() as f64),
        rmse: finite((squared_error / group.n() as f64).sqrt()),
        bias: mean(&residuals),
        r2: squares_about_mean(actual).and_then(|all| finite(1.0 - squared_error / all)),
        pearson: correlation(predicted, actual),
        spearman: correlation(&mid_ranks(predicted), &mid_ranks(actual)),
    }
}

/// A group's predictions against the reference's, see [`versus`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Versus {
    /// Mean prediction of the group minus the reference's.
    pub mean_pred_difference: Option<f64>,
    /// Mean prediction of the group over the reference's; `None` if that is 0, and without meaning unless the
    /// numbers are amounts, which have a natural zero.
    pub mean_pred_ratio: Option<f64>,
    /// Mean absolute error over the reference's; `None` if that is 0.
    pub mae_ratio: Option<f64>,
    /// Root mean squared error over the reference's; `None` if that is 0.
    pub rmse_ratio: Option<f64>,
    /// Bias of the group minus the reference's; positive where the group is rated too high by comparison.
    pub bias_difference: Option<f64>,
    /// The bias difference in standard deviations of the residuals of all rows (n - 1).
    pub residual_smd_total: Option<f64>,
    /// The difference in mean prediction in standard deviations of the predictions of all rows (n - 1).
    pub score_smd_total: Option<f64>,
    /// Pearson's correlation of the group minus the reference's.
    pub correlation_difference: Option<f64>,
}

/// A group's predictions against the reference's. `all` holds every known row, of other groups too: it gives
/// the yardstick of the two standardized differences.
///
/// A figure is `None` where a part of it is, or where the yardstick is 0.
pub fn versus(group: &Predictions, reference: &Predictions, all: &Predictions) -> Versus {
    let (g, r) = (fit(group), fit(reference));
    let mean_pred_difference = difference(g.mean_pred, r.mean_pred);
    let bias_difference = difference(g.bias, r.bias);
    Versus {
        mean_pred_difference,
        mean_pred_ratio: quotient(g.mean_pred, r.mean_pred),
        mae_ratio: quotient(g.mae, r.mae),
        rmse_ratio: quotient(g.rmse, r.rmse),
        bias_difference,
        residual_smd_total: quotient(bias_difference, standard_deviation(&all.residuals())),
        score_smd_total: quotient(mean_pred_difference, standard_deviation(&all.predicted)),
        correlation_difference: difference(g.pearson, r.pearson),
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn difference(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    finite(one? - other?)
}

fn quotient(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    finite(above? / below?)
}

fn mean(values: &[f64]) -> Option<f64> {
    finite(total(values.iter().copied()) / values.len() as f64)
}

/// Each value less the mean; `None` unless the values vary.
fn off_mean(values: &[f64]) -> Option<Vec<f64>> {
    // A mean may round to beside the one value there is, so that "varies" is not asked of the squares.
    let first = values.first()?;
    if values.iter().all(|value| value == first) {
        return None;
    }
    let mean = mean(values)?;
    Some(values.iter().map(|value| value - mean).collect())
}

/// Σ(value - mean)²; `None` unless the values vary.
fn squares_about_mean(values: &[f64]) -> Option<f64> {
    let off = off_mean(values)?;
    finite(total(off.iter().map(|off| off * off))).filter(|&squares| squares > 0.0)
}

/// The standard deviation with n - 1; `None` unless the values vary.
fn standard_deviation(values: &[f64]) -> Option<f64> {
    let squares = squares_about_mean(values)?;
    finite((squares / (values.len() - 1) as f64).sqrt())
}

fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let (x, y) = (off_mean(one)?, off_mean(other)?);
    let product = total(x.iter().zip(&y).map(|(x, y)| x * y));
    let (xx, yy) = (squares_about_mean(one)?, squares_about_mean(other)?);
    // √(xx·yy), exact where both are equal and without leaving the range of `f64`.
    let width = xx * (yy / xx).sqrt();
    finite(product / width).map(|value| value.clamp(-1.0, 1.0))
}

/// The rank of each value, 1 for the smallest; equal values share the mean of their ranks.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    // -0 and 0 sort apart and are equal; `chunk_by` puts them together.
    for tied in places.chunk_by(|&one, &other| values[one] == values[other]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for &place in tied {
            ranks[place] = rank;
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
