//! Two or more samples compared by ranks and by means: Welch, Mann-Whitney, Kruskal-Wallis.

use crate::compare::{PValue, Test};
use crate::normal::ln_two_sided;
use crate::sample::{Sample, Sum, sum, walk, walk_all};
use crate::tail;

/// Welch's t test of two means, see [`welch`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The statistic, in standard errors; positive where the group's mean is higher.
    pub t: f64,
    /// Welch's and Satterthwaite's degrees of freedom, a real number of at least 1.
    pub df: f64,
    /// Two-sided.
    pub p: PValue,
}

/// Whether two means differ, the variances being what they are.
///
/// `None` if a sample has fewer than two people or if no score differs within either.
///
/// Formula: t = (mean_g - mean_r)/√(s_g²/n_g + s_r²/n_r), df = 1/(w²/(n_g-1) + (1-w)²/(n_r-1)), w the group's part of
/// the squared standard error.
/// Source: Welch 1947, Biometrika 34, 28-35; Satterthwaite 1946, Biometrics Bulletin 2, 110-114.
pub fn welch(group: &Sample, reference: &Sample) -> Option<Welch> {
    let (n_g, n_r) = (group.n() as f64, reference.n() as f64);
    let of_group = group.variance()? / n_g;
    let of_both = of_group + reference.variance()? / n_r;
    let difference = group.mean()? - reference.mean()?;
    if !(of_both > 0.0 && difference.is_finite()) {
        return None;
    }
    let t = difference / of_both.sqrt();
    let part = of_group / of_both;
    let df = 1.0 / (part * part / (n_g - 1.0) + (1.0 - part).powi(2) / (n_r - 1.0));
    Some(Welch {
        t,
        df,
        p: tail::student(t, df),
    })
}

/// The Mann-Whitney test, see [`mann_whitney`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs of one person each in which the group's person scores higher, pairs of equal scores counted half.
    pub u: f64,
    /// z, positive where the group ranks higher, with continuity and tie correction, and its two-sided p; `None` if all
    /// scores are equal.
    pub test: Option<Test>,
}

/// Whether the group ranks higher or lower than the reference: U of the group with its normal p-value.
///
/// `None` if a sample is empty. U is counted in whole numbers.
///
/// Formula: z = (|U - n_g·n_r/2| - 1/2)/σ with σ² = n_g·n_r/(12·n(n-1)) · Σ t(n-t)(n+t), over groups of t equal scores;
/// the sum is n³ - n less the usual Σ(t³ - t), without its cancellation.
/// Source: Mann and Whitney 1947, Annals of Mathematical Statistics 18, 50-60; ties, Kruskal and Wallis 1952, Journal of the
/// American Statistical Association 47, 583-621.
pub fn mann_whitney(group: &Sample, reference: &Sample) -> Option<MannWhitney> {
    if group.is_empty() || reference.is_empty() {
        return None;
    }
    let pairs = u128::from(group.n()) * u128::from(reference.n());
    let n = (group.n() + reference.n()) as f64;
    let (mut doubled, mut below, mut untied) = (0_u128, 0, Sum::default());
    walk(group, reference, |_, of_group, of_reference| {
        doubled += u128::from(of_group) * u128::from(2 * below + of_reference);
        below += of_reference;
        untied.add(untied_part((of_group + of_reference) as f64, n));
    });
    let variance = pairs as f64 / 12.0 * (untied.value() / (n * (n - 1.0)));
    let off = doubled.abs_diff(pairs) as f64 / 2.0;
    let size = ((off - 0.5) / variance.sqrt()).max(0.0);
    let test = || Test {
        statistic: if doubled < pairs { -size } else { size },
        p: PValue::from_ln(ln_two_sided(size)),
    };
    Some(MannWhitney {
        u: doubled as f64 / 2.0,
        test: (variance > 0.0).then(test),
    })
}

/// The Kruskal-Wallis test, see [`kruskal_wallis`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KruskalWallis {
    /// The statistic with tie correction, 0 and above.
    pub h: f64,
    /// One less than the number of samples that are not empty.
    pub df: u64,
    /// The upper tail of chi-square.
    pub p: PValue,
}

/// Whether any of several samples ranks higher than the others.
///
/// Empty samples are left out. `None` if fewer than two are left or all scores are equal. Rank sums are counted in whole
/// numbers, as twice their distance from what chance lets expect.
///
/// Formula: H = 3(N-1) Σ e_g²/n_g / Σ t(N-t)(N+t), e_g = Σ over the sample's people (how many score lower - how many
/// score higher) = 2R_g - n_g(N+1), t the sizes of groups of equal scores.
/// Source: Kruskal and Wallis 1952, Journal of the American Statistical Association 47, 583-621.
pub fn kruskal_wallis(samples: &[&Sample]) -> Option<KruskalWallis> {
    let samples: Vec<&Sample> = samples
        .iter()
        .copied()
        .filter(|sample| !sample.is_empty())
        .collect();
    if samples.len() < 2 {
        return None;
    }
    let n: u64 = samples.iter().map(|sample| sample.n()).sum();
    let mut excess = vec![0_i128; samples.len()];
    let (mut lower, mut untied) = (0, Sum::default());
    walk_all(&samples, |alike| {
        let tied: u64 = alike.iter().map(|entry| entry.count).sum();
        let higher = n - tied - lower;
        let lead = i128::from(lower) - i128::from(higher);
        for entry in alike {
            excess[entry.of] += i128::from(entry.count) * lead;
        }
        untied.add(untied_part(tied as f64, n as f64));
        lower += tied;
    });
    let untied = untied.value();
    if untied <= 0.0 {
        return None;
    }
    let spread = sum(samples.iter().zip(&excess).map(|(sample, &excess)| {
        let excess = excess as f64;
        excess * excess / sample.n() as f64
    }));
    let h = 3.0 * (n - 1) as f64 * (spread / untied);
    let df = samples.len() as u64 - 1;
    Some(KruskalWallis {
        h,
        df,
        p: tail::chi2(h, df as f64),
    })
}

/// What `tied` people with equal scores of `n` leave of n³ - n: t(n-t)(n+t).
fn untied_part(tied: f64, n: f64) -> f64 {
    tied * (n - tied) * (n + tied)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
