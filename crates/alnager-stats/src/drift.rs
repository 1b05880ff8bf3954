//! Has the distribution of a column changed between a reference and what came later?
//!
//! Categories and bins are [`Counts`], scores are [`Sample`]s. Sizes (PSI, Jensen-Shannon, total variation, Wasserstein in
//! [`score`](crate::score)) stand beside tests (chi-square, Kolmogorov-Smirnov), because with many rows a change can be certain
//! and small. All of them are tests at one moment; who looks again and again needs [`sequential`](crate::sequential).

use crate::compare::PValue;
use crate::contingency::{self, ChiSquare, Table};
use crate::proportion::COUNT_MAX;
use crate::sample::Sample;
use crate::score::{self, KolmogorovSmirnov, counts_of_bins, inner_ends, psi_of};
use crate::tail;
use crate::total::total;

/// How many of the reference and of the current rows lie in each of the same bins or categories.
///
/// Neither side is empty; a bin that is empty on both sides is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    reference: Vec<u64>,
    current: Vec<u64>,
}

impl Counts {
    /// The counts, one of each side per bin in the same order.
    ///
    /// `None` if the lists differ in length, if a side has no row, or if a side has more than [`COUNT_MAX`].
    pub fn new(reference: &[u64], current: &[u64]) -> Option<Counts> {
        let n = |counts: &[u64]| {
            let sum = counts
                .iter()
                .try_fold(0_u64, |sum, count| sum.checked_add(*count));
            sum.filter(|n| (1..=COUNT_MAX).contains(n))
        };
        n(reference)?;
        n(current)?;
        if reference.len() != current.len() {
            return None;
        }
        let full = reference.iter().zip(current);
        let full = full.filter(|(reference, current)| **reference > 0 || **current > 0);
        let (reference, current) = full.unzip();
        Some(Counts { reference, current })
    }

    /// The reference's count of each bin.
    pub fn reference(&self) -> &[u64] {
        &self.reference
    }

    /// The current count of each bin.
    pub fn current(&self) -> &[u64] {
        &self.current
    }

    /// The reference's rows.
    pub fn n_reference(&self) -> u64 {
        self.reference.iter().sum()
    }

    /// The current rows.
    pub fn n_current(&self) -> u64 {
        self.current.iter().sum()
    }

    /// Each bin's shares of reference and current rows.
    fn shares(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let (n, m) = (self.n_reference() as f64, self.n_current() as f64);
        let pairs = self.reference.iter().zip(&self.current);
        pairs.map(move |(a, b)| (*a as f64 / n, *b as f64 / m))
    }
}

/// Scores in the bins that hold equal shares of the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// The ends between the bins, ascending; each belongs to the bin above it, and the outer bins are open.
    pub ends: Vec<f64>,
    /// How many lie in each.
    pub counts: Counts,
}

/// Two samples in the bins that end at the reference's quantiles 1/n, 2/n, …; equal quantiles make one end.
///
/// `None` if a sample is empty, `n_bins` is below 2, or the reference's quantiles leave fewer than two bins.
pub fn bins(reference: &Sample, current: &Sample, n_bins: u32) -> Option<Bins> {
    let ends = inner_ends(reference, n_bins)?;
    let counts = Counts::new(
        &counts_of_bins(reference, &ends),
        &counts_of_bins(current, &ends),
    )?;
    Some(Bins { ends, counts })
}

/// How many of a sample lie in the bins with these ends: as many counts as ends and one more.
pub fn counts_in(sample: &Sample, ends: &[f64]) -> Vec<u64> {
    counts_of_bins(sample, ends)
}

/// The population stability index beside what chance alone would make of it, see [`psi`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Psi {
    /// Σ (b - a) ln(b/a), 0 and above.
    pub value: f64,
    /// The bins that hold rows.
    pub n_bins: u64,
    /// The index that samples of this size from one distribution exceed with the chance `alpha`.
    pub critical: f64,
    /// The chance of an index at least as large between samples of one distribution, asymptotically.
    pub p: PValue,
}

/// The population stability index of the same bins, with its critical value at the level `alpha`.
///
/// Without a change, PSI/(1/n + 1/m) has asymptotically the chi-square distribution with one degree of freedom less than there
/// are bins. So the convention's 0.1 and 0.25 mean little by themselves: with ten bins and 200 rows on each side a
/// twentieth of all unchanged columns lie above 0.169, with 20,000 above 0.0017. Holds also where the bins are the reference's
/// own quantiles. Rough where a bin expects fewer than 5 rows. A share under 0.0001 is taken as 0.0001.
///
/// `None` with fewer than two bins or unless 0 < `alpha` < 1.
///
/// Source: Yurdakul and Naranjo 2020, Statistical properties of the population stability index, Journal of Risk Model
/// Validation 14(4).
pub fn psi(counts: &Counts, alpha: f64) -> Option<Psi> {
    let df = counts.reference.len().checked_sub(1).filter(|df| *df > 0)? as f64;
    let scale = 1.0 / counts.n_reference() as f64 + 1.0 / counts.n_current() as f64;
    let value = psi_of(&counts.reference, &counts.current);
    Some(Psi {
        value,
        n_bins: counts.reference.len() as u64,
        critical: scale * chi2_critical(df, alpha)?,
        p: tail::chi2(value / scale, df),
    })
}

/// The value that a chi-square variable with `df` degrees of freedom exceeds with the chance `alpha`, to 1e-12 relative.
fn chi2_critical(df: f64, alpha: f64) -> Option<f64> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, df + 10.0);
    while tail::chi2(high, df).value > alpha {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if tail::chi2(middle, df).value > alpha {
            low = middle;
        } else {
            high = middle;
        }
        if high - low <= 1e-13 * high {
            break;
        }
    }
    Some(0.5 * (low + high))
}

/// How far two distributions lie apart by Jensen and Shannon, see [`jensen_shannon`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JensenShannon {
    /// The divergence in bits, 0..=1.
    pub divergence: f64,
    /// Its root, a metric, 0..=1.
    pub distance: f64,
}

/// The Jensen-Shannon divergence of the shares in base 2, and the distance, which is its root.
///
/// Formula: ½ Σ a·log₂(a/m) + ½ Σ b·log₂(b/m), m = (a + b)/2, with 0·log 0 = 0. Both are called Jensen-Shannon elsewhere; SciPy's
/// `jensenshannon` is the distance. Samples of one distribution lie apart too, by chance.
/// Source: Lin 1991, IEEE Transactions on Information Theory 37, 145-151; Endres and Schindelin 2003, the same 49, 1858-1860.
pub fn jensen_shannon(counts: &Counts) -> JensenShannon {
    let term = |x: f64, m: f64| if x > 0.0 { x * (x / m).log2() } else { 0.0 };
    let terms = counts.shares().map(|(a, b)| {
        let m = 0.5 * (a + b);
        0.5 * (term(a, m) + term(b, m))
    });
    let divergence = total(terms).clamp(0.0, 1.0);
    JensenShannon {
        divergence,
        distance: divergence.sqrt(),
    }
}

/// The total variation distance, 0..=1: the share of rows that would have to move to another bin.
///
/// Formula: ½ Σ |a - b|.
pub fn total_variation(counts: &Counts) -> f64 {
    (0.5 * total(counts.shares().map(|(a, b)| (a - b).abs()))).min(1.0)
}

/// Pearson's chi-square test that both sides have the same shares, and the smallest count expected in a bin: rough below 5.
///
/// `None` with fewer than two bins.
pub fn chi2(counts: &Counts) -> Option<(ChiSquare, f64)> {
    let table = Table::new(vec![counts.reference.clone(), counts.current.clone()])?;
    Some((
        contingency::chi2(&table)?,
        contingency::min_expected_count(&table)?,
    ))
}

/// How the p-value of [`kolmogorov_smirnov`] was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KsMethod {
    /// All orders of the pooled rows counted, ties as they are.
    Exact,
    /// By the limit distribution; too high with ties.
    Asymptotic,
}

impl KsMethod {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            KsMethod::Exact => "exact",
            KsMethod::Asymptotic => "asymptotic",
        }
    }
}

/// Above this number of pairs the exact distribution costs more than it gains.
const PAIRS_EXACT_MAX: u64 = 4_000_000;

/// The Kolmogorov-Smirnov test of two samples: exact up to four million pairs of rows, else asymptotic
/// ([`score::kolmogorov_smirnov`]).
///
/// The exact p-value is the share of all orders of the pooled rows whose gap is at least as wide; a gap is taken only after the
/// last of equal scores, so ties cost nothing. `None` if a sample is empty.
///
/// Formula: with U(i, j) the share of orders of i current and j reference rows that have met the gap, U = 1 where
/// |i/n - j/m| >= D at the end of a tie, else U(i-1, j)·i/(i+j) + U(i, j-1)·j/(i+j); only sums of positive terms.
/// Source: Hodges 1958, Arkiv för Matematik 3, 469-486; Schröer and Trenkler 1995, Computational Statistics & Data Analysis
/// 20, 185-202.
pub fn kolmogorov_smirnov(
    current: &Sample,
    reference: &Sample,
) -> Option<(KolmogorovSmirnov, KsMethod)> {
    let test = score::kolmogorov_smirnov(current, reference)?;
    let (n, m) = (current.n(), reference.n());
    if n.checked_mul(m).is_none_or(|pairs| pairs > PAIRS_EXACT_MAX) {
        return Some((test, KsMethod::Asymptotic));
    }
    let all = Sample::merged(&[current, reference]);
    let mut ends_tie = vec![false; (n + m) as usize + 1];
    for index in 1..=all.values().len() {
        ends_tie[all.below(index) as usize] = true;
    }
    // D is a whole number over n·m, which is below 2^53.
    let widest = (test.d * (n * m) as f64).round() as u64;
    let p = met_share(n, m, widest, &ends_tie);
    let test = KolmogorovSmirnov {
        d: test.d,
        p: PValue::from_ln(p.ln()),
    };
    Some((test, KsMethod::Exact))
}

/// The share of the orders of `n` and `m` rows that meet a gap of `widest`/(n·m) at the end of a tie.
fn met_share(n: u64, m: u64, widest: u64, ends_tie: &[bool]) -> f64 {
    if widest == 0 {
        return 1.0;
    }
    let is_met = |i: u64, j: u64| {
        ends_tie.get((i + j) as usize).copied().unwrap_or(false)
            && (i * m).abs_diff(j * n) >= widest
    };
    let mut row: Vec<f64> = vec![0.0; m as usize + 1];
    for i in 0..=n {
        let mut left = 0.0;
        for (j, cell) in row.iter_mut().enumerate() {
            let (j, all) = (j as u64, (i + j as u64) as f64);
            let above = *cell;
            *cell = if is_met(i, j) {
                1.0
            } else if i == 0 && j == 0 {
                0.0
            } else {
                // At the edges the missing neighbour has the weight 0.
                above * (i as f64 / all) + left * (j as f64 / all)
            };
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(1.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
