//! A gap between two groups, split into what their characteristics explain and what they do not.
//!
//! Explained does not mean justified: a characteristic may itself carry the disadvantage. Unexplained
//! does not mean discrimination: what was not measured is in it too.

use crate::linear::{self, Linear};
use crate::matrix::{Design, FitError, dot, kept};

/// The parts of a gap between the protected group's mean outcome and the reference group's, in units
/// of the outcome; see [`decompose`].
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// Mean outcome of the protected group less that of the reference group.
    pub gap: f64,
    /// With the reference group's coefficients: what its own rules would make of the difference.
    pub reference: Twofold,
    /// With coefficients fitted to both groups together, without a column for the group. These take
    /// up part of the gap, so too much seems explained where the group itself has an effect.
    pub pooled: Twofold,
    /// With coefficients fitted to both groups together, with a column for the group.
    pub pooled_with_group: Twofold,
    /// The split in three.
    pub threefold: Threefold,
    /// How exactly the parts are known.
    pub standard_errors: StandardErrors,
}

/// Standard errors of the parts that rest on the reference group's coefficients, and of the split in three; in units of the
/// outcome, 0 and above. The characteristics are taken as sampled, the outcome's variance within a group as the same throughout.
///
/// Formula, with V the variances of coefficients and of means: of the explained part d'V(β_B)d + β_B'(V(x̄_A) + V(x̄_B))β_B with
/// d = x̄_A - x̄_B; of the unexplained x̄_A'(V(β_A) + V(β_B))x̄_A + δ'V(x̄_A)δ with δ = β_A - β_B; of the coefficients the same at
/// x̄_B; of the interaction d'(V(β_A) + V(β_B))d + δ'(V(x̄_A) + V(x̄_B))δ.
/// Source: Jann 2008, Stata Journal 8, 453-479, equations 9 and 10, without products of two variances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StandardErrors {
    /// Of the part explained with the reference group's coefficients; of the endowments as well.
    pub explained: f64,
    /// Of the rest.
    pub unexplained: f64,
    /// Of the coefficients' part.
    pub coefficients: f64,
    /// Of the interaction.
    pub interaction: f64,
}

/// A gap in two parts whose sum it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Twofold {
    /// What follows from different characteristics.
    pub explained: f64,
    /// The rest.
    pub unexplained: f64,
    /// The explained part by variable, named, in the order of the design.
    pub explained_by: Vec<(String, f64)>,
}

/// A gap in three parts whose sum it is, seen from the reference group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threefold {
    /// Different characteristics at the reference group's coefficients.
    pub endowments: f64,
    /// Different coefficients at the reference group's characteristics.
    pub coefficients: f64,
    /// Both at once.
    pub interaction: f64,
}

/// The decomposition of Oaxaca and Blinder by linear regressions of `outcome` on `design`.
///
/// `protected` says of each row whether it belongs to the protected group; all others are the
/// reference group. The design holds no column for the group. A 0/1 outcome is a linear probability model.
///
/// Errors: as [`linear::fit`], for each group alone too.
///
/// Formula, A protected and B reference: explained (x̄_A - x̄_B)'β, with β of B, of both pooled, or of
/// both pooled beside a group column; unexplained is the rest. Endowments (x̄_A - x̄_B)'β_B, coefficients
/// x̄_B'(β_A - β_B), interaction (x̄_A - x̄_B)'(β_A - β_B).
/// Source: Oaxaca 1973, International Economic Review 14, 693-709; Blinder 1973, Journal of Human
/// Resources 8, 436-455; pooled, Neumark 1988, Journal of Human Resources 23, 279-295; with a group
/// column and threefold, Jann 2008, Stata Journal 8, 453-479.
pub fn decompose(
    design: &Design,
    outcome: &[f64],
    protected: &[bool],
) -> Result<Decomposition, FitError> {
    design.check_length("outcome", outcome.len())?;
    design.check_length("protected", protected.len())?;
    let others: Vec<bool> = protected.iter().map(|p| !p).collect();
    let (of_a, fit_a) = part(design, outcome, protected, true)?;
    let (of_b, fit_b) = part(design, outcome, &others, false)?;
    let pooled = linear::fit(design, outcome)?;
    let mut with_group = design.clone();
    let group: Vec<f64> = protected.iter().map(|&p| f64::from(u8::from(p))).collect();
    with_group.push("group", &group)?;
    let beside_group = linear::fit(&with_group, outcome)?;

    let gap = mean(&kept(outcome, protected)) - mean(&kept(outcome, &others));
    let (mean_a, mean_b) = (means(&of_a), means(&of_b));
    let apart: Vec<f64> = mean_a.iter().zip(&mean_b).map(|(a, b)| a - b).collect();
    let (a, b) = (fit_a.values(), fit_b.values());
    let bent: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    Ok(Decomposition {
        gap,
        reference: twofold(design, gap, &apart, &b),
        pooled: twofold(design, gap, &apart, &pooled.values()),
        pooled_with_group: twofold(design, gap, &apart, &beside_group.values()),
        threefold: Threefold {
            endowments: dot(&apart, &b),
            coefficients: dot(&mean_b, &bent),
            interaction: dot(&apart, &bent),
        },
        standard_errors: standard_errors((&of_a, &fit_a), (&of_b, &fit_b)),
    })
}

fn standard_errors(
    (of_a, fit_a): (&Design, &Linear),
    (of_b, fit_b): (&Design, &Linear),
) -> StandardErrors {
    let (mean_a, mean_b) = (means(of_a), means(of_b));
    let apart: Vec<f64> = mean_a.iter().zip(&mean_b).map(|(a, b)| a - b).collect();
    let (a, b) = (fit_a.values(), fit_b.values());
    let bent: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let of_both = |weights: &[f64]| fit_a.variance_of(weights) + fit_b.variance_of(weights);
    let of_means = |b: &[f64]| variance_of_mean(of_a, b) + variance_of_mean(of_b, b);
    StandardErrors {
        explained: (fit_b.variance_of(&apart) + of_means(&b)).sqrt(),
        unexplained: (of_both(&mean_a) + variance_of_mean(of_a, &bent)).sqrt(),
        coefficients: (of_both(&mean_b) + variance_of_mean(of_b, &bent)).sqrt(),
        interaction: (of_both(&apart) + of_means(&bent)).sqrt(),
    }
}

/// The variance of the mean of Σ b·x over the rows, b'V(x̄)b; the intercept adds nothing. A fit has more than one row.
fn variance_of_mean(design: &Design, b: &[f64]) -> f64 {
    let fitted = design.times(b);
    let n = fitted.len() as f64;
    let centre = mean(&fitted);
    let squares: f64 = fitted.iter().map(|x| (x - centre).powi(2)).sum();
    squares / (n - 1.0) / n
}

/// The rows of one group, and the regression on them.
fn part(
    design: &Design,
    outcome: &[f64],
    keep: &[bool],
    protected: bool,
) -> Result<(Design, Linear), FitError> {
    let part = design.with_rows(keep);
    let fit = linear::fit(&part, &kept(outcome, keep)).map_err(|cause| FitError::InGroup {
        protected,
        cause: Box::new(cause),
    })?;
    Ok((part, fit))
}

/// The means of both groups differ by `apart`, whose first entry, the intercept's, is 0.
fn twofold(design: &Design, gap: f64, apart: &[f64], coefficients: &[f64]) -> Twofold {
    let names = design.names().iter().zip(apart).zip(coefficients).skip(1);
    let explained_by: Vec<(String, f64)> = names
        .map(|((name, apart), b)| (name.clone(), apart * b))
        .collect();
    let explained = explained_by.iter().map(|(_, part)| part).sum();
    Twofold {
        explained,
        unexplained: gap - explained,
        explained_by,
    }
}

fn means(design: &Design) -> Vec<f64> {
    design.all().into_iter().map(mean).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
