//! Two shares side by side: how far apart, how surely, and could it be chance.
//!
//! Throughout, the first share is the group's and the second the reference's. Seen as a 2x2 table,
//! the group is the first row and the successes are the first column: a = k_g, b = n_g - k_g,
//! c = k_r, d = n_r - k_r.

use std::f64::consts::{LN_2, LN_10};

use crate::mass::{Hypergeometric, cross_difference};
use crate::normal::ln_two_sided;
use crate::proportion::{Interval, Proportion, clopper_pearson, wilson};

/// A probability under the assumption that both shares are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValue {
    /// The probability, 0..=1; 0 where it is too small for `f64`.
    pub value: f64,
    /// Its decimal logarithm, at most 0; holds its digits where `value` underflows.
    pub log10: f64,
}

impl PValue {
    pub(crate) fn from_ln(ln: f64) -> PValue {
        let ln = ln.min(0.0);
        PValue {
            value: ln.exp(),
            log10: ln / LN_10,
        }
    }
}

/// A test statistic with its two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The statistic: z in standard deviations, or chi-square with one degree of freedom.
    pub statistic: f64,
    /// The chance of a statistic at least this far out.
    pub p: PValue,
}

/// Fisher's exact test of a 2x2 table, see [`fisher`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fisher {
    /// Of tables at most as probable as the one observed.
    pub two_sided: PValue,
    /// The same, with half the weight on tables as probable as the one observed.
    pub midp_two_sided: PValue,
    /// Of tables with at most as many successes in the group.
    pub less: PValue,
    /// Of tables with at least as many successes in the group.
    pub greater: PValue,
}

/// p_g - p_r, -1..=1, positive where the group's share is higher; `None` if a share is undefined.
///
/// Computed from the cross product of the counts, so equal shares differ by exactly 0.
pub fn difference(group: Proportion, reference: Proportion) -> Option<f64> {
    defined(group, reference)?;
    let cross = cross_difference(group.k(), reference.n(), reference.k(), group.n());
    Some(cross as f64 / (group.n() as f64 * reference.n() as f64))
}

/// Newcombe's interval of the difference p_g - p_r from two Wilson intervals ("method 10", square and
/// add, no continuity correction); within -1..=1 and around the difference.
///
/// `z` is the two-sided normal point. `None` if a share is undefined or `z` is not positive and finite.
///
/// Formula: d - √((p_g-l_g)² + (u_r-p_r)²) to d + √((u_g-p_g)² + (p_r-l_r)²).
/// Source: Newcombe 1998, Statistics in Medicine 17, 873-890.
pub fn difference_newcombe(group: Proportion, reference: Proportion, z: f64) -> Option<Interval> {
    let (p_g, p_r) = defined(group, reference)?;
    let (g, r) = (wilson(group, z)?, wilson(reference, z)?);
    let d = difference(group, reference)?;
    Some(Interval {
        low: (d - (p_g - g.low).hypot(r.high - p_r)).max(-1.0),
        high: (d + (g.high - p_g).hypot(p_r - r.low)).min(1.0),
    })
}

/// Wald's interval of the difference p_g - p_r, unpooled; not cut to -1..=1.
///
/// Poor for small counts and for shares near 0 or 1; given because others report it.
/// `None` if a share is undefined or `z` is not positive and finite.
///
/// Formula: d ± z·√(p_g(1-p_g)/n_g + p_r(1-p_r)/n_r).
/// Source: Newcombe 1998, Statistics in Medicine 17, 873-890, method 1.
pub fn difference_wald(group: Proportion, reference: Proportion, z: f64) -> Option<Interval> {
    let (p_g, p_r) = defined(group, reference)?;
    let d = difference(group, reference)?;
    let variance = p_g * (1.0 - p_g) / group.n() as f64 + p_r * (1.0 - p_r) / reference.n() as f64;
    around(z, variance.sqrt(), |reach| d + reach)
}

/// p_g / p_r, 0 and above, 1 where both are equal; `None` if a share is undefined or the reference's is 0.
///
/// Computed from the cross products of the counts, so equal shares have exactly 1.
pub fn ratio(group: Proportion, reference: Proportion) -> Option<f64> {
    defined(group, reference)?;
    let above = group.k() as f64 * reference.n() as f64;
    let below = reference.k() as f64 * group.n() as f64;
    (reference.k() > 0).then(|| above / below)
}

/// Katz's interval of the ratio p_g / p_r; above 0.
///
/// `None` if a share is undefined or 0, or if `z` is not positive and finite.
///
/// Formula: exp(ln ratio ± z·√(1/k_g - 1/n_g + 1/k_r - 1/n_r)).
/// Source: Katz, Baptista, Azen and Pike 1978, Biometrics 34, 469-474.
pub fn ratio_katz(group: Proportion, reference: Proportion, z: f64) -> Option<Interval> {
    let ratio = ratio(group, reference)?;
    if group.k() == 0 {
        return None;
    }
    // 1/k - 1/n as one quotient, so that a share of 1 adds exactly 0.
    let part = |p: Proportion| (p.n() - p.k()) as f64 / (p.k() as f64 * p.n() as f64);
    let se = (part(group) + part(reference)).sqrt();
    around(z, se, |reach| ratio * reach.exp())
}

/// An interval of the ratio p_g / p_r that holds at any size, 0 and above; for where [`ratio_katz`] is undefined or has no width.
///
/// `confidence` is 0..1. `None` if a share is undefined, the reference's is 0, or `confidence` is out of range.
///
/// Formula: low_g/high_r to high_g/low_r, of intervals of Clopper and Pearson each at half the error (Bonferroni); conservative.
pub fn ratio_exact(group: Proportion, reference: Proportion, confidence: f64) -> Option<Interval> {
    ratio(group, reference)?;
    let alpha = (1.0 - confidence) / 2.0;
    if !(alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let group = clopper_pearson(group, alpha)?;
    let reference = clopper_pearson(reference, alpha)?;
    Some(Interval {
        low: group.low / reference.high,
        high: group.high / reference.low,
    })
}

/// Whether [`ratio_katz`] says nothing of a ratio and [`ratio_exact`] does: nobody of the group is a success, or everybody in both is.
pub fn needs_ratio_exact(group: Proportion, reference: Proportion) -> bool {
    let is_everybody = group.k() == group.n() && reference.k() == reference.n();
    ratio(group, reference).is_some() && (group.k() == 0 || is_everybody)
}

/// The odds ratio a·d / (b·c), above 0; `None` if any of the four cells is 0.
///
/// Source: Cornfield 1951, Journal of the National Cancer Institute 11, 1269-1275.
pub fn odds_ratio(group: Proportion, reference: Proportion) -> Option<f64> {
    let [a, b, c, d] = cells(group, reference).map(|cell| cell as f64);
    (a * b * c * d > 0.0).then(|| a * d / (b * c))
}

/// Woolf's interval of the odds ratio; above 0.
///
/// `None` if any of the four cells is 0 or `z` is not positive and finite.
///
/// Formula: exp(ln OR ± z·√(1/a + 1/b + 1/c + 1/d)).
/// Source: Woolf 1955, Annals of Human Genetics 19, 251-253.
pub fn odds_ratio_woolf(group: Proportion, reference: Proportion, z: f64) -> Option<Interval> {
    let odds_ratio = odds_ratio(group, reference)?;
    let variance: f64 = cells(group, reference)
        .iter()
        .map(|&cell| 1.0 / cell as f64)
        .sum();
    around(z, variance.sqrt(), |reach| odds_ratio * reach.exp())
}

/// The odds ratio with half a row added to each cell, above 0 also where a cell is 0.
///
/// `None` if a share is undefined. It is pulled towards 1, so give [`odds_ratio`] where that exists.
///
/// Formula: (a+½)(d+½) / ((b+½)(c+½)).
/// Source: Haldane 1956, Annals of Human Genetics 20, 309-311.
pub fn odds_ratio_haldane(group: Proportion, reference: Proportion) -> Option<f64> {
    defined(group, reference)?;
    let [a, b, c, d] = cells(group, reference).map(|cell| cell as f64 + 0.5);
    Some(a * d / (b * c))
}

/// The correlation phi of row and column, -1..=1, positive where the group's share is higher.
///
/// `None` if a row or column total is 0. Its absolute value is Cramér's V of the table.
///
/// Formula: (ad - bc) / √(n_g·n_r·m_1·m_2).
/// Source: Yule 1912, Journal of the Royal Statistical Society 75, 579-652.
pub fn phi(group: Proportion, reference: Proportion) -> Option<f64> {
    Some(cross(group, reference)?.clamp(-1.0, 1.0))
}

/// Cohen's h, the distance of two shares on the arcsine scale, -π..=π; `None` if a share is undefined.
///
/// Cohen calls 0.2 small, 0.5 medium and 0.8 large.
///
/// Formula: 2·asin√p_g - 2·asin√p_r, taken as one angle from the cells so that shares close together
/// keep their digits: the tangent of half of it is (√(ad) - √(bc)) / (√(bd) + √(ac)).
/// Source: Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapter 6.
pub fn cohens_h(group: Proportion, reference: Proportion) -> Option<f64> {
    defined(group, reference)?;
    let [a, b, c, d] = cells(group, reference);
    let apart = cross_difference(a, d, b, c);
    if apart == 0 {
        return Some(0.0);
    }
    let root = |x: u64, y: u64| (x as f64 * y as f64).sqrt();
    let sine = apart as f64 / (root(a, d) + root(b, c));
    Some(2.0 * sine.atan2(root(b, d) + root(a, c)))
}

/// How many successes the group would have if they fell on both sides alike, the margins given; in
/// people, not rounded. The mean of the distribution of [`fisher`].
///
/// `None` if a share is undefined.
///
/// Formula: n_g·(k_g+k_r)/(n_g+n_r).
pub fn expected_selected(group: Proportion, reference: Proportion) -> Option<f64> {
    defined(group, reference)?;
    let successes = (group.k() + reference.k()) as f64;
    Some(group.n() as f64 * successes / all(group, reference))
}

/// The pooled two-proportion z test; z is positive where the group's share is higher.
///
/// `None` if a share is undefined or if all rows are successes or all failures.
///
/// Formula: z = (p_g - p_r) / √(p(1-p)(1/n_g + 1/n_r)), p = (k_g+k_r)/(n_g+n_r); p-value erfc(|z|/√2).
/// Source: Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, 3rd edition, chapter 3.
pub fn z_pooled(group: Proportion, reference: Proportion) -> Option<Test> {
    let z = cross(group, reference)? * all(group, reference).sqrt();
    Some(normal_test(z, z))
}

/// Pearson's chi-square test of the 2x2 table, one degree of freedom, no correction; the square of
/// [`z_pooled`].
///
/// `None` if a row or column total is 0.
///
/// Formula: N(ad - bc)² / (n_g·n_r·m_1·m_2).
/// Source: Pearson 1900, Philosophical Magazine 50, 157-175.
pub fn chi2(group: Proportion, reference: Proportion) -> Option<Test> {
    let z = cross(group, reference)? * all(group, reference).sqrt();
    Some(normal_test(z * z, z))
}

/// The chi-square test with Yates' continuity correction, one degree of freedom.
///
/// `None` if a row or column total is 0. A difference of less than half a row is taken as 0.
///
/// Formula: N·max(|ad - bc| - N/2, 0)² / (n_g·n_r·m_1·m_2).
/// Source: Yates 1934, Supplement to the Journal of the Royal Statistical Society 1, 217-235.
pub fn chi2_yates(group: Proportion, reference: Proportion) -> Option<Test> {
    let n = all(group, reference);
    let [a, b, c, d] = cells(group, reference);
    let apart = cross_difference(a, d, b, c).unsigned_abs() as f64;
    let z = (apart - n / 2.0).max(0.0) / margin_root(group, reference)? * n.sqrt();
    Some(normal_test(z * z, z))
}

/// Fisher's exact test: with the margins given, how probable is a table at least this uneven?
///
/// The two-sided value adds the tables that are at most as probable as the observed one; tables
/// within 1e-7 of its probability (relative) count as tied with it. `None` if a share is undefined;
/// 1 where the margins leave only one table (the mid-p is then 1/2).
///
/// Source: Fisher 1935, Journal of the Royal Statistical Society 98, 39-82; the mid-p, Lancaster
/// 1961, Journal of the American Statistical Association 56, 223-234.
/// Cost: about ten standard deviations of the first cell, under 1 ms for a million rows.
pub fn fisher(group: Proportion, reference: Proportion) -> Option<Fisher> {
    defined(group, reference)?;
    let table = Hypergeometric::new(group.n(), reference.n(), group.k() + reference.k());
    let ln_observed = table.ln_mass(group.k());
    let tied = |ln: f64| ln <= ln_observed + TIED.ln_1p();
    let rarer = |ln: f64| ln < ln_observed + (-TIED).ln_1p();
    let ln_two_sided = ln_where(&table, tied);
    let ln_midp = ln_add(ln_two_sided, ln_where(&table, rarer)) - LN_2;
    Some(Fisher {
        two_sided: PValue::from_ln(ln_two_sided),
        midp_two_sided: PValue::from_ln(ln_midp),
        less: PValue::from_ln(ln_at_most(&table, group.k())),
        greater: PValue::from_ln(ln_at_least(&table, group.k())),
    })
}

/// How many standard deviations the group's successes lie from what its size lets expect, the
/// margins given; negative where there are fewer. The "number of standard deviations" of the courts.
///
/// `None` if a row or column total is 0.
///
/// Formula: (a - E)/√V, E = n_g·m_1/N, V = n_g·n_r·m_1·m_2 / (N²(N-1)).
/// Source: Castaneda v. Partida, 430 U.S. 482 (1977), note 17; Hazelwood School District v. United
/// States, 433 U.S. 299 (1977), notes 14 and 17, with the hypergeometric variance.
pub fn sd_units_hypergeometric(group: Proportion, reference: Proportion) -> Option<f64> {
    Some(cross(group, reference)? * (all(group, reference) - 1.0).sqrt())
}

/// Tables whose probabilities differ by no more than this (relative) count as tied; wide enough for
/// rounding, narrow enough never to join two tables that differ in a small sample.
const TIED: f64 = 1e-7;

/// Both shares, or `None` if one is undefined.
fn defined(group: Proportion, reference: Proportion) -> Option<(f64, f64)> {
    Some((group.value()?, reference.value()?))
}

/// The cells a, b, c, d of the 2x2 table.
fn cells(group: Proportion, reference: Proportion) -> [u64; 4] {
    [
        group.k(),
        group.n() - group.k(),
        reference.k(),
        reference.n() - reference.k(),
    ]
}

/// The number of rows of the 2x2 table.
fn all(group: Proportion, reference: Proportion) -> f64 {
    (group.n() + reference.n()) as f64
}

/// √(n_g·n_r·m_1·m_2); `None` if a margin is 0.
fn margin_root(group: Proportion, reference: Proportion) -> Option<f64> {
    let [a, b, c, d] = cells(group, reference);
    let product: f64 = [a + b, c + d, a + c, b + d]
        .iter()
        .map(|&margin| margin as f64)
        .product();
    (product > 0.0).then(|| product.sqrt())
}

/// (ad - bc)/√(n_g·n_r·m_1·m_2), the correlation phi of row and column; `None` if a margin is 0.
fn cross(group: Proportion, reference: Proportion) -> Option<f64> {
    let [a, b, c, d] = cells(group, reference);
    Some(cross_difference(a, d, b, c) as f64 / margin_root(group, reference)?)
}

/// The two-sided p-value of a statistic that is standard normal if nothing is there.
pub fn p_of_z(z: f64) -> PValue {
    PValue::from_ln(ln_two_sided(z))
}

pub(crate) fn normal_test(statistic: f64, z: f64) -> Test {
    Test {
        statistic,
        p: PValue::from_ln(ln_two_sided(z)),
    }
}

/// The interval from `end(-z·se)` to `end(z·se)`; `None` unless `z` is positive and finite.
fn around(z: f64, se: f64, end: impl Fn(f64) -> f64) -> Option<Interval> {
    (z > 0.0 && z.is_finite()).then(|| Interval {
        low: end(-z * se),
        high: end(z * se),
    })
}

/// ln of the sum of both tails of `table` whose log-probabilities `belong`.
///
/// `belong` holds below some level. The probabilities rise up to the mode and fall after it, so a
/// bisection on each side finds where each tail begins.
fn ln_where(table: &Hypergeometric, belong: impl Fn(f64) -> bool) -> f64 {
    let mode = table.mode();
    let belongs = |x: u64| belong(table.ln_mass(x));
    if belongs(mode) {
        return 0.0;
    }
    let below = first(table.low(), mode, |x| !belongs(x));
    let above = first(mode, table.high() + 1, belongs);
    let ln_below = if below > table.low() {
        table.ln_at_most(below - 1)
    } else {
        f64::NEG_INFINITY
    };
    let ln_above = if above <= table.high() {
        table.ln_at_least(above)
    } else {
        f64::NEG_INFINITY
    };
    ln_add(ln_below, ln_above)
}

/// The first number in `low..high` where `holds`, which then holds for all later ones; else `high`.
fn first(mut low: u64, mut high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// ln P(X <= x); the far side of the mode is taken as what the other tail leaves.
fn ln_at_most(table: &Hypergeometric, x: u64) -> f64 {
    if x == table.high() {
        0.0
    } else if x <= table.mode() {
        table.ln_at_most(x)
    } else {
        (-table.ln_at_least(x + 1).exp()).ln_1p()
    }
}

/// ln P(X >= x); see [`ln_at_most`].
fn ln_at_least(table: &Hypergeometric, x: u64) -> f64 {
    if x == table.low() {
        0.0
    } else if x >= table.mode() {
        table.ln_at_least(x)
    } else {
        (-table.ln_at_most(x - 1).exp()).ln_1p()
    }
}

/// ln(exp(a) + exp(b)) without leaving the logarithms.
fn ln_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
