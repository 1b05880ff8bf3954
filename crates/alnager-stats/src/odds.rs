//! How far apart the errors made on a group and on the reference are.
//!
//! All on class 1. Where class 0 is the favourable decision, pass
//! [`Confusion::swapped`](crate::confusion::Confusion::swapped): TNR then stands for TPR and FNR
//! for FPR, as in AIF360.

use crate::confusion::{Confusion, Rate};

/// ((FPR_g - FPR_r) + (TPR_g - TPR_r)) / 2, -1..=1; `None` if one of the four is undefined.
///
/// Gaps of opposite sign cancel; see [`average_abs_odds_difference`].
///
/// Source: Bellamy et al. 2019, IBM Journal of Research and Development 63, 4:1-4:15.
pub fn average_odds_difference(group: &Confusion, reference: &Confusion) -> Option<f64> {
    let (tpr, fpr) = gaps(group, reference)?;
    Some((tpr + fpr) / 2.0)
}

/// The mean of |TPR_g - TPR_r| and |FPR_g - FPR_r|, 0..=1; `None` if one of the four is undefined.
///
/// Source: Bellamy et al. 2019, IBM Journal of Research and Development 63, 4:1-4:15.
pub fn average_abs_odds_difference(group: &Confusion, reference: &Confusion) -> Option<f64> {
    let (tpr, fpr) = gaps(group, reference)?;
    Some((tpr.abs() + fpr.abs()) / 2.0)
}

/// The larger of |TPR_g - TPR_r| and |FPR_g - FPR_r|, 0..=1; `None` if one of the four is undefined.
///
/// Source: Hardt, Price and Srebro 2016, Equality of opportunity in supervised learning (NIPS 29).
pub fn equalized_odds_gap(group: &Confusion, reference: &Confusion) -> Option<f64> {
    let (tpr, fpr) = gaps(group, reference)?;
    Some(tpr.abs().max(fpr.abs()))
}

/// FN/FP of the group minus FN/FP of the reference; `None` if either has no FP.
///
/// Source: Berk et al. 2021, Sociological Methods and Research 50, 3-44.
pub fn treatment_equality_difference(group: &Confusion, reference: &Confusion) -> Option<f64> {
    Some(group.fn_fp_ratio()? - reference.fn_fp_ratio()?)
}

/// TPR_g - TPR_r and FPR_g - FPR_r.
fn gaps(group: &Confusion, reference: &Confusion) -> Option<(f64, f64)> {
    let gap = |rate| Some(group.rate(rate)? - reference.rate(rate)?);
    Some((gap(Rate::Tpr)?, gap(Rate::Fpr)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
