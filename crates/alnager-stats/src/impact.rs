//! Ratios against a limit, decided in integers, and the largest gap among several groups.

use std::cmp::Ordering;

use crate::compare::ratio;
use crate::confusion::{Confusion, Rate};
use crate::proportion::Proportion;

/// A limit on a ratio as a fraction of whole numbers, so that nothing is decided by rounding:
/// 0.80 is 80/100 or 4/5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    numer: u32,
    denom: u32,
}

impl Limit {
    /// Four fifths, the yardstick of 29 CFR 1607.4(D).
    pub const FOUR_FIFTHS: Limit = Limit { numer: 4, denom: 5 };

    /// `numer` / `denom`; `None` if either is 0.
    pub fn new(numer: u32, denom: u32) -> Option<Limit> {
        (numer > 0 && denom > 0).then_some(Limit { numer, denom })
    }

    /// The limit from the other side: 5/4 for 4/5.
    pub fn reciprocal(self) -> Limit {
        Limit {
            numer: self.denom,
            denom: self.numer,
        }
    }

    /// The limit as a number, for display and for comparing with an interval's end.
    pub fn value(self) -> f64 {
        f64::from(self.numer) / f64::from(self.denom)
    }
}

/// The impact ratio (adverse impact ratio, disparate impact): the group's favourable rate over the
/// reference's, 0 and above.
///
/// Both shares count favourable decisions. `None` if a share is undefined or the reference's is 0:
/// the ratio is then undefined, not zero.
///
/// Source: 29 CFR 1607.4(D); 6 RCNY 5-300 ("impact ratio"); Feldman et al. 2015, 21st ACM SIGKDD
/// Conference, 259-268.
pub fn impact_ratio(group: Proportion, reference: Proportion) -> Option<f64> {
    ratio(group, reference)
}

/// Whether the impact ratio lies below, on or above the limit, decided exactly.
///
/// `None` where [`impact_ratio`] is. In floating point 0.6/0.75 is below 0.8; here it is equal.
///
/// Formula: denom·k_g·n_r against numer·k_r·n_g, in integers.
pub fn compare_with_limit(
    group: Proportion,
    reference: Proportion,
    limit: Limit,
) -> Option<Ordering> {
    let (have, need) = sides(group, reference, limit)?;
    Some(have.cmp(&need))
}

/// Whether the impact ratio is below four fifths: 5·k_g·n_r < 4·k_r·n_g, in integers.
///
/// `None` where [`impact_ratio`] is.
///
/// Source: 29 CFR 1607.4(D) ("four-fifths rule").
pub fn below_four_fifths(group: Proportion, reference: Proportion) -> Option<bool> {
    compare_with_limit(group, reference, Limit::FOUR_FIFTHS).map(Ordering::is_lt)
}

/// How many more favourable decisions the group would have had at the reference's rate; in people,
/// negative where the group has more.
///
/// `None` if a share is undefined.
///
/// Formula: n_g·(k_r/n_r) - k_g.
/// Source: expected against observed as in Castaneda v. Partida, 430 U.S. 482 (1977), note 17, with
/// the reference's rate as the expectation.
pub fn shortfall(group: Proportion, reference: Proportion) -> Option<f64> {
    shortfall_to(group, reference, Limit { numer: 1, denom: 1 })
}

/// How many more favourable decisions would bring the group to four fifths of the reference's
/// rate; in people, 0 where it is there already.
///
/// `None` if a share is undefined.
///
/// Formula: max(0, 0.8·n_g·k_r/n_r - k_g).
pub fn shortfall_at_80(group: Proportion, reference: Proportion) -> Option<f64> {
    shortfall_to(group, reference, Limit::FOUR_FIFTHS).map(|people| people.max(0.0))
}

/// The widest gap in a rate among several groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Highest minus lowest rate, 0..=1.
    pub difference: f64,
    /// Lowest over highest rate, 0..=1; `None` if the highest is 0.
    pub ratio: Option<f64>,
    /// The groups left out because a rate is undefined there, as positions, rising.
    pub undefined: Vec<usize>,
}

/// The widest gap among rates; groups without a rate are left out and listed.
///
/// `None` if no rate is defined.
pub fn spread(rates: &[Option<f64>]) -> Option<Spread> {
    let known = || rates.iter().copied().flatten();
    let high = known().reduce(f64::max)?;
    let low = known().reduce(f64::min)?;
    Some(Spread {
        difference: high - low,
        ratio: (high > 0.0).then(|| low / high),
        undefined: (0..rates.len()).filter(|&g| rates[g].is_none()).collect(),
    })
}

/// Demographic parity: the widest gap in selection rate (class 1).
///
/// `None` if every group is empty. For favourable rates where class 0 is the favourable decision, pass
/// [`Confusion::swapped`].
///
/// Source: Agarwal et al. 2018, A reductions approach to fair classification (ICML); "demographic
/// parity difference" and "ratio" as in Weerts et al. 2023, Journal of Machine Learning Research 24.
pub fn demographic_parity(groups: &[Confusion]) -> Option<Spread> {
    spread(&rates(groups, Rate::SelectionRate))
}

/// Equalized odds: the wider of the gaps in TPR and in FPR, and the smaller of the two ratios.
///
/// A group without a TPR or FPR is listed as undefined and left out of that rate's gap only; it is
/// never counted as 0. `None` if no group has a TPR or none has an FPR; `ratio` is `None` if either
/// rate is 0 everywhere.
///
/// Source: Hardt, Price and Srebro 2016, Equality of opportunity in supervised learning (NIPS 29);
/// aggregated as in Weerts et al. 2023, Journal of Machine Learning Research 24.
pub fn equalized_odds(groups: &[Confusion]) -> Option<Spread> {
    let tpr = spread(&rates(groups, Rate::Tpr))?;
    let fpr = spread(&rates(groups, Rate::Fpr))?;
    let mut undefined = [tpr.undefined, fpr.undefined].concat();
    undefined.sort_unstable();
    undefined.dedup();
    Some(Spread {
        difference: tpr.difference.max(fpr.difference),
        ratio: tpr.ratio.zip(fpr.ratio).map(|(tpr, fpr)| tpr.min(fpr)),
        undefined,
    })
}

fn rates(groups: &[Confusion], rate: Rate) -> Vec<Option<f64>> {
    groups.iter().map(|group| group.rate(rate)).collect()
}

/// denom·k_g·n_r and numer·k_r·n_g; `None` where the ratio is undefined.
///
/// Each is at most 2^47 · 2^47 · 2^32, see `COUNT_MAX`.
fn sides(group: Proportion, reference: Proportion, limit: Limit) -> Option<(i128, i128)> {
    if group.n() == 0 || reference.k() == 0 {
        return None;
    }
    Some(products(group, reference, limit))
}

fn products(group: Proportion, reference: Proportion, limit: Limit) -> (i128, i128) {
    let have = i128::from(group.k()) * i128::from(reference.n()) * i128::from(limit.denom);
    let need = i128::from(reference.k()) * i128::from(group.n()) * i128::from(limit.numer);
    (have, need)
}

/// limit·n_g·k_r/n_r - k_g, with the difference taken in integers; `None` if a share is undefined.
fn shortfall_to(group: Proportion, reference: Proportion, limit: Limit) -> Option<f64> {
    if group.n() == 0 || reference.n() == 0 {
        return None;
    }
    let (have, need) = products(group, reference, limit);
    Some((need - have) as f64 / (reference.n() as f64 * f64::from(limit.denom)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
