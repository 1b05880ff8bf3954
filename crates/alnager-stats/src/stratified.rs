//! Two shares side by side within strata: what is left of a gap once like is compared with like.
//!
//! Each stratum is a 2x2 table as in [`compare`](crate::compare): group first, successes first, so
//! a = k_g, b = n_g - k_g, c = k_r, d = n_r - k_r, m_1 = a + c, m_2 = b + d, N = n_g + n_r.

use crate::compare::{PValue, Test};
use crate::contingency::ChiSquare;
use crate::mass::cross_difference;
use crate::normal::ln_two_sided;
use crate::proportion::{Interval, Proportion};

/// One stratum: the same two shares among rows that are alike in something legitimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stratum {
    /// The group's share.
    pub group: Proportion,
    /// The reference's share.
    pub reference: Proportion,
}

/// The strata that can tell something about a gap, and how many could not.
///
/// A stratum with a zero row or column total (one side absent, all selected, or nobody selected) is
/// dropped and counted: both sides cannot be compared in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strata {
    kept: Vec<Cells>,
    n_dropped: usize,
}

impl Strata {
    /// Keeps the strata without a zero margin.
    pub fn new(strata: &[Stratum]) -> Strata {
        let kept: Vec<Cells> = strata
            .iter()
            .map(|&stratum| Cells::of(stratum))
            .filter(|cells| cells.margins().iter().all(|&margin| margin > 0))
            .collect();
        Strata {
            n_dropped: strata.len() - kept.len(),
            kept,
        }
    }

    /// The number of strata in use.
    pub fn n_strata(&self) -> usize {
        self.kept.len()
    }

    /// The number of strata dropped for a zero margin.
    pub fn n_dropped(&self) -> usize {
        self.n_dropped
    }

    fn sum(&self, term: impl Fn(&Cells) -> f64) -> f64 {
        self.kept.iter().map(term).sum()
    }
}

/// The odds ratio common to all strata, 0 and above.
///
/// `None` if no stratum is left, or if b·c is 0 in all of them.
///
/// Formula: Σ(ad/N) / Σ(bc/N).
/// Source: Mantel and Haenszel 1959, Journal of the National Cancer Institute 22, 719-748.
pub fn mh_odds_ratio(strata: &Strata) -> Option<f64> {
    let below = strata.sum(Cells::s);
    (below > 0.0).then(|| strata.sum(Cells::r) / below)
}

/// The interval of [`mh_odds_ratio`]; above 0. Good for a few large strata and for many small ones.
///
/// `z` is the two-sided normal point. `None` if the odds ratio is undefined or 0, or if `z` is not
/// positive and finite.
///
/// Formula: exp(ln OR ± z·√V), V = ΣPR/(2(ΣR)²) + Σ(PS+QR)/(2ΣR·ΣS) + ΣQS/(2(ΣS)²) with P = (a+d)/N,
/// Q = (b+c)/N, R = ad/N, S = bc/N.
/// Source: Robins, Breslow and Greenland 1986, Biometrics 42, 311-323.
pub fn mh_odds_ratio_rbg(strata: &Strata, z: f64) -> Option<Interval> {
    let odds_ratio = mh_odds_ratio(strata)?;
    let (r, s) = (strata.sum(Cells::r), strata.sum(Cells::s));
    let pr = strata.sum(|cells| cells.p() * cells.r());
    let mixed = strata.sum(|cells| cells.p() * cells.s() + cells.q() * cells.r());
    let qs = strata.sum(|cells| cells.q() * cells.s());
    let variance = pr / (2.0 * r * r) + mixed / (2.0 * r * s) + qs / (2.0 * s * s);
    around(odds_ratio, variance, z)
}

/// The ratio of shares common to all strata, 0 and above.
///
/// `None` if no stratum is left, or if the reference has no success in any of them.
///
/// Formula: Σ(a·n_r/N) / Σ(c·n_g/N).
/// Source: Greenland and Robins 1985, Biometrics 41, 55-68.
pub fn mh_risk_ratio(strata: &Strata) -> Option<f64> {
    let below = strata.sum(|cells| cells.c() * cells.group_part());
    (below > 0.0).then(|| strata.sum(|cells| cells.a() * cells.reference_part()) / below)
}

/// The interval of [`mh_risk_ratio`]; above 0.
///
/// `None` if the ratio is undefined or 0, or if `z` is not positive and finite.
///
/// Formula: exp(ln RR ± z·√V), V = Σ((m_1·n_g·n_r - a·c·N)/N²) / (Σ(a·n_r/N)·Σ(c·n_g/N)); the bracket is
/// a·d·n_g + b·c·n_r, which loses no digits.
/// Source: Greenland and Robins 1985, Biometrics 41, 55-68.
pub fn mh_risk_ratio_greenland_robins(strata: &Strata, z: f64) -> Option<Interval> {
    let ratio = mh_risk_ratio(strata)?;
    let above = strata.sum(|cells| cells.a() * cells.reference_part());
    let below = strata.sum(|cells| cells.c() * cells.group_part());
    let spread =
        strata.sum(|cells| cells.r() * cells.group_part() + cells.s() * cells.reference_part());
    around(ratio, spread / above / below, z)
}

/// The Cochran-Mantel-Haenszel test that both shares are equal within every stratum, one degree of
/// freedom, no correction. Blind to gaps of opposite sign that cancel; see [`breslow_day`].
///
/// `None` if no stratum is left.
///
/// Formula: (Σ(a - E))² / ΣV, E = n_g·m_1/N, V = n_g·n_r·m_1·m_2/(N²(N-1)).
/// Source: Cochran 1954, Biometrics 10, 417-451; Mantel and Haenszel 1959, Journal of the National
/// Cancer Institute 22, 719-748.
pub fn cmh_chi2(strata: &Strata) -> Option<Test> {
    cmh(strata, 0.0)
}

/// [`cmh_chi2`] with the continuity correction: |Σ(a - E)| less 0.5, at least 0.
///
/// `None` if no stratum is left. Where the difference is under half a person the statistic is 0;
/// software that squares the negative rest reports a larger one.
///
/// Source: Mantel and Haenszel 1959, Journal of the National Cancer Institute 22, 719-748.
pub fn cmh_chi2_corrected(strata: &Strata) -> Option<Test> {
    cmh(strata, 0.5)
}

/// The test that the odds ratio is the same in all strata.
///
/// A small p says that one common figure hides something. `None` if fewer than two strata are left or
/// if the common odds ratio is undefined or 0.
///
/// Formula: Σ (a - A)²/V with k-1 degrees of freedom for k strata, where A is the first cell that the
/// margins and the odds ratio of [`mh_odds_ratio`] let expect, and 1/V the sum of the reciprocals of the
/// four expected cells.
/// Source: Breslow and Day 1980, Statistical Methods in Cancer Research 1 (IARC Scientific
/// Publications 32), section 4.4.
pub fn breslow_day(strata: &Strata) -> Option<ChiSquare> {
    let fits = fits(strata)?;
    Some(ChiSquare::new(spread(&fits), fits.len() as u64 - 1))
}

/// [`breslow_day`] with Tarone's correction, which makes its distribution right for the
/// Mantel-Haenszel odds ratio.
///
/// Formula: Σ (a - A)²/V - (Σ(a - A))²/ΣV, at least 0.
/// Source: Tarone 1985, Biometrika 72, 91-95.
pub fn breslow_day_tarone(strata: &Strata) -> Option<ChiSquare> {
    let fits = fits(strata)?;
    let off: f64 = fits.iter().map(|fit| fit.off).sum();
    let variance: f64 = fits.iter().map(|fit| fit.variance).sum();
    let statistic = (spread(&fits) - off * off / variance).max(0.0);
    Some(ChiSquare::new(statistic, fits.len() as u64 - 1))
}

/// The group's share among the rejected minus its share among the accepted, -1..=1: positive where
/// the group carries more of the rejections than of the acceptances.
///
/// Successes are acceptances; `reference` holds everybody who is not in the group. `None` if nobody was
/// rejected or nobody accepted.
///
/// Formula: b/m_2 - a/m_1, computed as (bc - ad)/(m_1·m_2).
/// Source: Wachter, Mittelstadt and Russell 2021, Computer Law and Security Review 41, 105567.
pub fn demographic_disparity(stratum: Stratum) -> Option<f64> {
    let cells = Cells::of(stratum);
    let [_, _, m1, m2] = cells.margins();
    let apart = cross_difference(cells.b, cells.c, cells.a, cells.d);
    (m1 > 0 && m2 > 0).then(|| apart as f64 / (m1 as f64 * m2 as f64))
}

/// A mean over strata, see [`conditional_demographic_disparity`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditional {
    /// The mean.
    pub value: f64,
    /// The number of strata in it.
    pub n_strata: usize,
    /// The number of strata left out because the figure is undefined there.
    pub n_dropped: usize,
}

/// The mean of [`demographic_disparity`] over the strata, weighted by their rows; -1..=1.
///
/// Strata where it is undefined are left out, of the weights too, and counted. `None` if none is left.
///
/// Formula: Σ N_i·DD_i / Σ N_i.
/// Source: Wachter, Mittelstadt and Russell 2021, Computer Law and Security Review 41, 105567.
pub fn conditional_demographic_disparity(strata: &[Stratum]) -> Option<Conditional> {
    let defined: Vec<(f64, f64)> = strata
        .iter()
        .filter_map(|&stratum| Some((Cells::of(stratum).n(), demographic_disparity(stratum)?)))
        .collect();
    let rows: f64 = defined.iter().map(|&(n, _)| n).sum();
    let weighted: f64 = defined.iter().map(|&(n, disparity)| n * disparity).sum();
    (!defined.is_empty()).then(|| Conditional {
        value: weighted / rows,
        n_strata: defined.len(),
        n_dropped: strata.len() - defined.len(),
    })
}

/// The four cells of one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cells {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

impl Cells {
    fn of(Stratum { group, reference }: Stratum) -> Cells {
        Cells {
            a: group.k(),
            b: group.n() - group.k(),
            c: reference.k(),
            d: reference.n() - reference.k(),
        }
    }

    /// n_g, n_r, m_1, m_2.
    fn margins(&self) -> [u64; 4] {
        let Cells { a, b, c, d } = *self;
        [a + b, c + d, a + c, b + d]
    }

    fn n(&self) -> f64 {
        (self.a + self.b + self.c + self.d) as f64
    }

    fn a(&self) -> f64 {
        self.a as f64
    }

    fn c(&self) -> f64 {
        self.c as f64
    }

    /// n_g/N.
    fn group_part(&self) -> f64 {
        (self.a + self.b) as f64 / self.n()
    }

    /// n_r/N.
    fn reference_part(&self) -> f64 {
        (self.c + self.d) as f64 / self.n()
    }

    /// (a+d)/N.
    fn p(&self) -> f64 {
        (self.a + self.d) as f64 / self.n()
    }

    /// (b+c)/N.
    fn q(&self) -> f64 {
        (self.b + self.c) as f64 / self.n()
    }

    /// ad/N.
    fn r(&self) -> f64 {
        self.a() * (self.d as f64 / self.n())
    }

    /// bc/N.
    fn s(&self) -> f64 {
        self.c() * (self.b as f64 / self.n())
    }

    /// n_g·n_r·m_1·m_2/(N²(N-1)), for N at least 2, which two full rows have.
    fn variance(&self) -> f64 {
        let [_, _, m1, m2] = self.margins();
        let rows = self.group_part() * self.reference_part();
        rows * m1 as f64 * (m2 as f64 / (self.n() - 1.0))
    }
}

fn cmh(strata: &Strata, correction: f64) -> Option<Test> {
    if strata.kept.is_empty() {
        return None;
    }
    let apart = (excess(strata).abs() - correction).max(0.0);
    let variance = strata.sum(Cells::variance);
    let z = apart / variance.sqrt();
    Some(Test {
        statistic: apart * apart / variance,
        p: PValue::from_ln(ln_two_sided(z)),
    })
}

/// Σ(a - E) = Σ (ad - bc)/N; whole parts are added as integers, so that gaps of opposite sign cancel
/// without loss.
fn excess(strata: &Strata) -> f64 {
    let (mut whole, mut rest) = (0_i128, 0.0);
    for cells in &strata.kept {
        let apart = cross_difference(cells.a, cells.d, cells.b, cells.c);
        let n = i128::from(cells.a + cells.b + cells.c + cells.d);
        whole += apart.div_euclid(n);
        rest += apart.rem_euclid(n) as f64 / n as f64;
    }
    whole as f64 + rest
}

/// How far the first cell of one stratum is from what the common odds ratio lets expect.
struct Fit {
    off: f64,
    variance: f64,
}

/// One fit per stratum; `None` where there is nothing to compare.
fn fits(strata: &Strata) -> Option<Vec<Fit>> {
    let odds_ratio = mh_odds_ratio(strata).filter(|&odds_ratio| odds_ratio > 0.0)?;
    if strata.kept.len() < 2 {
        return None;
    }
    let fit = |cells: &Cells| {
        let [n_g, n_r, m1, m2] = cells.margins().map(|margin| margin as f64);
        let expected = [
            expected_cell(n_g, n_r, m1, m2, odds_ratio),
            expected_cell(n_g, n_r, m2, m1, 1.0 / odds_ratio),
            expected_cell(n_r, n_g, m1, m2, 1.0 / odds_ratio),
            expected_cell(n_r, n_g, m2, m1, odds_ratio),
        ];
        Fit {
            off: cells.a() - expected[0],
            variance: 1.0 / expected.iter().map(|cell| 1.0 / cell).sum::<f64>(),
        }
    };
    Some(strata.kept.iter().map(fit).collect())
}

fn spread(fits: &[Fit]) -> f64 {
    fits.iter()
        .map(|fit| fit.off * (fit.off / fit.variance))
        .sum()
}

/// The cell in a row of `row` and a column of `column` rows, with `other_row` and `other_column`
/// opposite, at which the table has this odds ratio.
///
/// It solves (1-ω)x² + (other_row - column + ω(row+column))x - ω·row·column = 0. The discriminant is
/// written as a sum without negative terms, and the root in the form that does not subtract; each cell of
/// a table is asked for by itself, so that a small one is not what two large ones leave.
fn expected_cell(row: f64, other_row: f64, column: f64, other_column: f64, odds_ratio: f64) -> f64 {
    let linear = other_row - column + odds_ratio * (row + column);
    let root = ((odds_ratio * (row - column)).powi(2)
        + 2.0 * odds_ratio * (row * other_row + column * other_column)
        + (other_row - column).powi(2))
    .sqrt();
    if linear > 0.0 {
        2.0 * odds_ratio * row * column / (linear + root)
    } else {
        // Only for an odds ratio below 1/2, where dividing by 1 - ω is safe.
        (root - linear) / (2.0 * (1.0 - odds_ratio))
    }
}

/// `centre`·exp(±z·√`variance`); `None` if `centre` is 0 or unless `z` is positive and finite.
fn around(centre: f64, variance: f64, z: f64) -> Option<Interval> {
    let reach = z * variance.sqrt();
    (centre > 0.0 && z > 0.0 && z.is_finite()).then(|| Interval {
        low: centre * (-reach).exp(),
        high: centre * reach.exp(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
