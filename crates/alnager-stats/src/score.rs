//! How a score treats two groups: distance, ranking quality, calibration.
//!
//! Everywhere the group's figure is compared with the reference's: differences are group minus reference.

use crate::compare::{PValue, Test, normal_test};
use crate::impact::impact_ratio;
use crate::kolmogorov;
use crate::mass::Hypergeometric;
use crate::proportion::{Interval, Proportion};
use crate::sample::{Sample, Sum, sum, walk};

/// The scores of one group, split by what was true of each person; rows without a label are in neither.
#[derive(Debug, Clone, Copy)]
pub struct ByLabel<'a> {
    /// Scores of the people with label 0.
    pub negative: &'a Sample,
    /// Scores of the people with label 1.
    pub positive: &'a Sample,
}

impl ByLabel<'_> {
    /// The number of labelled people.
    pub fn n(self) -> u64 {
        self.negative.n() + self.positive.n()
    }

    /// Whether every score lies in 0..=1, so that it can be read as a probability; true where there is none.
    pub fn are_probabilities(self) -> bool {
        are_probabilities(self.negative) && are_probabilities(self.positive)
    }
}

/// Whether every score lies in 0..=1, so that it can be read as a probability; true for an empty sample.
pub fn are_probabilities(scores: &Sample) -> bool {
    scores.min().is_none_or(|min| min >= 0.0) && scores.max().is_none_or(|max| max <= 1.0)
}

// ---------------------------------------------------------------------------------------------------------------------------
// Ranking quality

/// The area under the ROC curve with its standard error, see [`auc_delong`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// The area, 0..=1; 1/2 where the score does not tell the classes apart.
    pub value: f64,
    /// DeLong's standard error; `None` if a class has fewer than two people.
    pub se: Option<f64>,
}

impl Auc {
    /// The area ± z·se, not cut to 0..=1; `None` without a standard error or if `z` is not positive and finite.
    pub fn interval(self, z: f64) -> Option<Interval> {
        let reach = z * self.se?;
        (z > 0.0 && reach.is_finite()).then_some(Interval {
            low: self.value - reach,
            high: self.value + reach,
        })
    }
}

/// A point of the ROC curve, see [`roc`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The score from which on people are taken as positive; +∞ for the first point, where nobody is.
    pub threshold: f64,
    /// The share of the negative class at or above it.
    pub fpr: f64,
    /// The share of the positive class at or above it.
    pub tpr: f64,
}

/// The chance that a person of the positive class scores higher than one of the negative class, equal scores counted half.
///
/// 0..=1. `None` if a class is empty. The Mann-Whitney statistic in whole numbers over the number of pairs, so it is
/// exact to the last digit.
///
/// Source: Hanley and McNeil 1982, Radiology 143, 29-36.
pub fn auc(scores: ByLabel<'_>) -> Option<f64> {
    let pairs = pairs(scores.negative, scores.positive)?;
    Some(doubled_wins(scores.positive, scores.negative) as f64 / (2.0 * pairs))
}

/// [`auc`] with DeLong's standard error.
///
/// Formula: variance of the positive class' shares of beaten negatives / m + variance of the negative class' shares of
/// positives above / n, each variance with one less below.
/// Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845.
///
/// `None` if a class is empty.
pub fn auc_delong(scores: ByLabel<'_>) -> Option<Auc> {
    let pairs = pairs(scores.negative, scores.positive)?;
    let (n, m) = (scores.negative.n(), scores.positive.n());
    let wins = doubled_wins(scores.positive, scores.negative) as f64;
    let value = wins / (2.0 * pairs);
    if n < 2 || m < 2 {
        return Some(Auc { value, se: None });
    }
    let (n, m) = (n as f64, m as f64);
    let (mut of_positive, mut of_negative) = (Sum::default(), Sum::default());
    let (mut below, mut above) = (0, scores.positive.n());
    // Components times 2·m·n less their mean: whole numbers, exact as f64 up to 1e8 people.
    walk(scores.negative, scores.positive, |_, negative, positive| {
        above -= positive;
        let beaten = (2 * below + negative) as f64 * m - wins;
        let beating = (2 * above + positive) as f64 * n - wins;
        of_positive.add(positive as f64 * (beaten * beaten));
        of_negative.add(negative as f64 * (beating * beating));
        below += negative;
    });
    let scale = 2.0 * pairs;
    let variance = of_positive.value() / (m - 1.0) / m + of_negative.value() / (n - 1.0) / n;
    Some(Auc {
        value,
        se: Some(variance.sqrt() / scale),
    })
}

/// AUC of the group minus AUC of the reference.
pub fn auc_difference(group: Auc, reference: Auc) -> f64 {
    group.value - reference.value
}

/// The z test of two AUCs of different people.
///
/// `None` if a standard error is missing or both are 0.
///
/// Formula: z = ΔAUC / √(se_g² + se_r²); two-sided normal p.
/// Source: Hanley and McNeil 1982, Radiology 143, 29-36, with DeLong's standard errors.
pub fn auc_difference_test(group: Auc, reference: Auc) -> Option<Test> {
    let se = group.se?.hypot(reference.se?);
    (se > 0.0).then(|| {
        let z = auc_difference(group, reference) / se;
        normal_test(z, z)
    })
}

/// The ROC curve: one point per distinct score, from (0, 0) to (1, 1), people with equal scores taken together.
///
/// `None` if a class is empty.
///
/// Source: Fawcett 2006, Pattern Recognition Letters 27, 861-874.
pub fn roc(scores: ByLabel<'_>) -> Option<Vec<RocPoint>> {
    pairs(scores.negative, scores.positive)?;
    let (n, m) = (scores.negative.n() as f64, scores.positive.n() as f64);
    let mut points = vec![RocPoint {
        threshold: f64::INFINITY,
        fpr: 0.0,
        tpr: 0.0,
    }];
    let mut curve = Curve::new(scores);
    while let Some(threshold) = curve.step() {
        points.push(RocPoint {
            threshold,
            fpr: curve.false_positives as f64 / n,
            tpr: curve.true_positives as f64 / m,
        });
    }
    Some(points)
}

/// The area between the ROC curves of the group and the reference, 0..=1: how differently the score ranks within each,
/// also where the curves cross and their areas agree.
///
/// `None` if a class of either is empty. Exact on the two broken lines, with their crossings.
///
/// Formula: ∫₀¹ |ROC_g - ROC_r| dFPR.
/// Source: Gardner, Brooks and Baker 2019, Evaluating the fairness of predictive student models through slicing analysis
/// (9th International Conference on Learning Analytics and Knowledge).
pub fn abroca(group: ByLabel<'_>, reference: ByLabel<'_>) -> Option<f64> {
    pairs(group.negative, group.positive)?;
    pairs(reference.negative, reference.positive)?;
    let (mut a, mut b) = (Piece::first(group), Piece::first(reference));
    let mut area = Sum::default();
    let mut from = 0.0;
    loop {
        let to = f64::min(a.to.0, b.to.0);
        let start = a.height(from) - b.height(from);
        let end = a.height(to) - b.height(to);
        area.add(area_between(to - from, start, end));
        if to >= 1.0 {
            return Some(area.value());
        }
        from = to;
        if a.to.0 <= to {
            a.advance();
        }
        if b.to.0 <= to {
            b.advance();
        }
    }
}

/// The area between two lines that are `start` apart at one end and `end` apart at the other.
fn area_between(width: f64, start: f64, end: f64) -> f64 {
    let both = start.abs() + end.abs();
    if start * end < 0.0 {
        width * (start * start + end * end) / (2.0 * both)
    } else {
        width * both / 2.0
    }
}

/// The ROC curve walked from the highest score down.
struct Curve<'a> {
    scores: ByLabel<'a>,
    n_negative_values: usize,
    n_positive_values: usize,
    false_positives: u64,
    true_positives: u64,
}

impl<'a> Curve<'a> {
    fn new(scores: ByLabel<'a>) -> Curve<'a> {
        Curve {
            scores,
            n_negative_values: scores.negative.values().len(),
            n_positive_values: scores.positive.values().len(),
            false_positives: 0,
            true_positives: 0,
        }
    }

    /// Takes in the people with the next lower score, and says which; `None` after the lowest.
    fn step(&mut self) -> Option<f64> {
        let last = |sample: &Sample, left: usize| left.checked_sub(1).map(|i| sample.values()[i]);
        let negative = last(self.scores.negative, self.n_negative_values);
        let positive = last(self.scores.positive, self.n_positive_values);
        let next = match (negative, positive) {
            (Some(negative), Some(positive)) => negative.max(positive),
            (one, other) => one.or(other)?,
        };
        if negative == Some(next) {
            self.n_negative_values -= 1;
            self.false_positives += self.scores.negative.counts()[self.n_negative_values];
        }
        if positive == Some(next) {
            self.n_positive_values -= 1;
            self.true_positives += self.scores.positive.counts()[self.n_positive_values];
        }
        Some(next)
    }

    fn point(&self) -> (f64, f64) {
        (
            self.false_positives as f64 / self.scores.negative.n() as f64,
            self.true_positives as f64 / self.scores.positive.n() as f64,
        )
    }
}

/// A piece of an ROC curve that is not upright, as two points (FPR, TPR).
struct Piece<'a> {
    curve: Curve<'a>,
    from: (f64, f64),
    to: (f64, f64),
}

impl<'a> Piece<'a> {
    /// The piece that starts at FPR 0; both classes have people.
    fn first(scores: ByLabel<'a>) -> Piece<'a> {
        let mut piece = Piece {
            curve: Curve::new(scores),
            from: (0.0, 0.0),
            to: (0.0, 0.0),
        };
        piece.advance();
        piece
    }

    /// The next piece; stays where it is at FPR 1.
    fn advance(&mut self) {
        self.from = self.to;
        while self.curve.step().is_some() {
            let point = self.curve.point();
            if point.0 > self.from.0 {
                self.to = point;
                return;
            }
            self.from = point;
        }
    }

    /// The TPR at an FPR within the piece.
    fn height(&self, fpr: f64) -> f64 {
        if fpr >= self.to.0 {
            return self.to.1;
        }
        let part = (fpr - self.from.0) / (self.to.0 - self.from.0);
        self.from.1 + (self.to.1 - self.from.1) * part
    }
}

/// Over all pairs of one person each: 2 where `sample` has the higher score, 1 where both are equal; in whole numbers.
fn doubled_wins(sample: &Sample, other: &Sample) -> u128 {
    let (mut wins, mut below) = (0_u128, 0_u64);
    walk(sample, other, |_, own, others| {
        wins += u128::from(own) * u128::from(2 * below + others);
        below += others;
    });
    wins
}

/// The number of pairs of one person each; `None` if one of the samples is empty.
fn pairs(a: &Sample, b: &Sample) -> Option<f64> {
    (!a.is_empty() && !b.is_empty()).then(|| a.n() as f64 * b.n() as f64)
}

// ---------------------------------------------------------------------------------------------------------------------------
// Distance of two samples

/// The Kolmogorov-Smirnov test of two samples, see [`kolmogorov_smirnov`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest gap between the two cumulative shares, 0..=1.
    pub d: f64,
    /// The chance of a gap at least this wide between samples of one distribution, asymptotically.
    pub p: PValue,
}

/// The largest gap D between the cumulative distributions of the two samples, with its asymptotic two-sided p-value.
///
/// `None` if a sample is empty. D is found in whole numbers. The p-value is that of one sample of n_g·n_r/(n_g+n_r) people,
/// rounded to a whole number, against a known distribution, as SciPy's `ks_2samp(method="asymp")` has it; it holds
/// for scores without ties and is too high with them. That distribution has nothing at D = 1, where all of one sample
/// lies above all of the other: there the exact value 2/C(n_g+n_r, n_g) is given (SciPy: 0).
///
/// Source: Smirnov 1948, Annals of Mathematical Statistics 19, 279-281; Simard and L'Ecuyer 2011, Journal of Statistical
/// Software 39(11).
pub fn kolmogorov_smirnov(group: &Sample, reference: &Sample) -> Option<KolmogorovSmirnov> {
    let pairs = pairs(group, reference)?;
    let (n_g, n_r) = (i128::from(group.n()), i128::from(reference.n()));
    let (mut below_g, mut below_r, mut widest) = (0_u64, 0_u64, 0_i128);
    walk(group, reference, |_, of_group, of_reference| {
        below_g += of_group;
        below_r += of_reference;
        let gap = i128::from(below_g) * n_r - i128::from(below_r) * n_g;
        widest = widest.max(gap.abs());
    });
    let d = widest as f64 / pairs;
    let ln_p = if widest == n_g * n_r {
        // In the same order whichever of the two is the group.
        let (few, many) = (group.n().min(reference.n()), group.n().max(reference.n()));
        std::f64::consts::LN_2 + Hypergeometric::new(few, many, few).ln_mass(few)
    } else {
        let n = (pairs / (n_g + n_r) as f64).round_ties_even().max(1.0);
        kolmogorov::ln_two_sided(n, d)
    };
    Some(KolmogorovSmirnov {
        d,
        p: PValue::from_ln(ln_p),
    })
}

/// How far each person's score would have to move, on average, to turn one sample into the other: Wasserstein's distance
/// of order 1, in units of the score, 0 and above.
///
/// `None` if a sample is empty or the distance leaves the range of `f64`. For scores that are all higher in one sample it
/// is the difference of means.
///
/// Formula: ∫ |F_g - F_r| ds.
/// Source: Vallender 1974, Theory of Probability and Its Applications 18, 784-786.
pub fn wasserstein(group: &Sample, reference: &Sample) -> Option<f64> {
    let pairs = pairs(group, reference)?;
    let (n_g, n_r) = (group.n() as f64, reference.n() as f64);
    let (mut below_g, mut below_r) = (0_u64, 0_u64);
    let (mut area, mut previous, mut gap) = (Sum::default(), None, 0.0);
    walk(group, reference, |value, of_group, of_reference| {
        // The gap is a whole number, exact as f64 up to 1e8 people.
        area.add(gap * (value - previous.unwrap_or(value)));
        below_g += of_group;
        below_r += of_reference;
        gap = (below_g as f64 * n_r - below_r as f64 * n_g).abs();
        previous = Some(value);
    });
    let distance = area.value() / pairs;
    distance.is_finite().then_some(distance)
}

/// The population stability index over ten bins, see [`psi`].
pub fn psi10(reference: &Sample, group: &Sample) -> Option<f64> {
    psi(reference, group, 10)
}

/// The population stability index: how differently the group fills the bins that hold equal shares of the reference.
///
/// 0 and above, without unit. The bins end at the reference's quantiles 1/n, 2/n, … ([`Sample::quantile`]), each
/// belonging to the bin above it; equal quantiles make one end, and the first and the last bin are open. A share under
/// 0.0001 is taken as 0.0001. `None` if a sample is empty, `n_bins` is below 2, or the reference's quantiles leave fewer
/// than two bins.
///
/// Formula: Σ (b - a) ln(b/a), a and b the bin's shares of reference and group; the symmetric divergence J.
/// Source: Jeffreys 1946, Proceedings of the Royal Society A 186, 453-461; with bins and floor as is usual in credit scoring.
pub fn psi(reference: &Sample, group: &Sample, n_bins: u32) -> Option<f64> {
    const FLOOR: f64 = 1e-4;
    if n_bins < 2 || group.is_empty() {
        return None;
    }
    let step = 1.0 / f64::from(n_bins);
    let shares: Vec<f64> = (0..=n_bins)
        .map(|i| (f64::from(i) * step).min(1.0))
        .collect();
    let mut ends = reference.quantiles(&shares)?;
    ends.dedup();
    // The lowest and the highest quantile are opened.
    let inner = ends
        .get(1..ends.len() - 1)
        .filter(|inner| !inner.is_empty())?;
    let terms = shares_of_bins(reference, inner)
        .into_iter()
        .zip(shares_of_bins(group, inner))
        .map(|(a, b)| {
            let (a, b) = (a.max(FLOOR), b.max(FLOOR));
            (b - a) * (b / a).ln()
        });
    Some(sum(terms))
}

/// The share of the sample below the first end, from each end to the next, and from the last end on; not empty.
fn shares_of_bins(sample: &Sample, ends: &[f64]) -> Vec<f64> {
    let mut from = 0;
    let mut shares = Vec::with_capacity(ends.len() + 1);
    for &end in ends.iter().chain(&[f64::INFINITY]) {
        let to = sample.values().partition_point(|&value| value < end);
        let count: u64 = sample.counts()[from..to].iter().sum();
        shares.push(count as f64 / sample.n() as f64);
        from = to;
    }
    shares
}

/// How many of the sample score strictly above `threshold`, of all in it; `None` if there are more than
/// [`COUNT_MAX`](crate::proportion::COUNT_MAX).
pub fn above(sample: &Sample, threshold: f64) -> Option<Proportion> {
    Proportion::new(sample.count_above(threshold), sample.n())
}

/// How often the group scores above a quantile of all people, over how often the reference does: 0 and above, 1 where both
/// do equally often. At one half it compares scoring rates as 6 RCNY § 5-300 defines them.
///
/// `None` if a sample is empty, nobody of the reference is above, or unless 0 <= `q` <= 1.
pub fn quantile_impact_ratio(
    group: &Sample,
    reference: &Sample,
    all: &Sample,
    q: f64,
) -> Option<f64> {
    let threshold = all.quantile(q)?;
    impact_ratio(above(group, threshold)?, above(reference, threshold)?)
}

/// Mean score of the group minus mean score of the reference, in units of the score; `None` if a sample is empty.
pub fn mean_difference(group: &Sample, reference: &Sample) -> Option<f64> {
    Some(group.mean()? - reference.mean()?)
}

/// The standardized mean difference: [`mean_difference`] in standard deviations of all people whose group is known.
///
/// `None` if a mean is undefined or if `known` has fewer than two people or one score only.
pub fn smd_total(group: &Sample, reference: &Sample, known: &Sample) -> Option<f64> {
    let sd = known.sd().filter(|&sd| sd > 0.0)?;
    Some(mean_difference(group, reference)? / sd)
}

/// Cohen's d: [`mean_difference`] in pooled standard deviations of the two samples.
///
/// `None` if either is empty, both together have fewer than three people, or no score differs within either.
///
/// Formula: Δmean / √(((n_g-1)s_g² + (n_r-1)s_r²) / (n_g+n_r-2)).
/// Source: Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapter 2.
pub fn smd_pooled(group: &Sample, reference: &Sample) -> Option<f64> {
    // One person alone has no spread, and weighs nothing in the pooled one.
    let squares = |sample: &Sample| match sample.n() {
        1 => Some(0.0),
        n => Some(sample.variance()? * (n - 1) as f64),
    };
    let difference = mean_difference(group, reference)?;
    let within = squares(group)? + squares(reference)?;
    let df = (group.n() + reference.n()).checked_sub(2)? as f64;
    (df > 0.0 && within > 0.0).then(|| difference / (within / df).sqrt())
}

/// Balance for the positive class: difference of mean score among those with label 1.
///
/// `None` if either group has nobody with label 1.
///
/// Source: Kleinberg, Mullainathan and Raghavan 2017, Inherent trade-offs in the fair determination of risk scores (8th
/// Innovations in Theoretical Computer Science Conference).
pub fn balance_positive(group: ByLabel<'_>, reference: ByLabel<'_>) -> Option<f64> {
    mean_difference(group.positive, reference.positive)
}

/// Balance for the negative class: difference of mean score among those with label 0; see [`balance_positive`].
pub fn balance_negative(group: ByLabel<'_>, reference: ByLabel<'_>) -> Option<f64> {
    mean_difference(group.negative, reference.negative)
}

// ---------------------------------------------------------------------------------------------------------------------------
// Calibration: only for scores in 0..=1

/// The mean squared distance of score and label, 0..=1, lower is better.
///
/// `None` if nobody is labelled or a score is outside 0..=1.
///
/// Source: Brier 1950, Monthly Weather Review 78, 1-3.
pub fn brier(scores: ByLabel<'_>) -> Option<f64> {
    let n = labelled_probabilities(scores)?;
    let missed = |sample: &Sample, label: f64| {
        sum(sample.iter().map(|(score, count)| {
            let off = score - label;
            count as f64 * (off * off)
        }))
    };
    Some((missed(scores.negative, 0.0) + missed(scores.positive, 1.0)) / n)
}

/// The mean negative log-likelihood in nats, 0 and above, lower is better; scores are cut to 1e-15..=1-1e-15.
///
/// `None` if nobody is labelled or a score is outside 0..=1.
///
/// Formula: -mean(y ln s + (1-y) ln(1-s)).
/// Source: Good 1952, Journal of the Royal Statistical Society B 14, 107-114.
pub fn log_loss(scores: ByLabel<'_>) -> Option<f64> {
    const CUT: f64 = 1e-15;
    let n = labelled_probabilities(scores)?;
    let cut = |score: f64| score.clamp(CUT, 1.0 - CUT);
    let negative = scores.negative.iter();
    let positive = scores.positive.iter();
    let total = sum(negative.map(|(score, count)| count as f64 * (-cut(score)).ln_1p()))
        + sum(positive.map(|(score, count)| count as f64 * cut(score).ln()));
    Some(-total / n)
}

/// The mean label minus the mean score: positive where more happens than the score lets expect, -1..=1.
///
/// `None` if nobody is labelled or a score is outside 0..=1.
///
/// Source: Cox 1958, Biometrika 45, 562-565, as a difference of means.
pub fn calibration_in_the_large(scores: ByLabel<'_>) -> Option<f64> {
    let n = labelled_probabilities(scores)?;
    let missing = scores.positive.iter();
    let excess = scores.negative.iter();
    let off = sum(missing.map(|(score, count)| count as f64 * (1.0 - score)))
        - sum(excess.map(|(score, count)| count as f64 * score));
    Some(off / n)
}

/// One bin of a reliability table, see [`reliability`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Where the bin begins; the score itself is in it.
    pub low: f64,
    /// Where it ends; the score itself is in the next bin, or in this one if it is the last.
    pub high: f64,
    /// Labelled people with a score in the bin.
    pub n: u64,
    /// Those of them with label 1.
    pub n_positive: u64,
    /// Their mean score; `None` if there are none.
    pub mean_score: Option<f64>,
    /// Their mean label; `None` if there are none.
    pub mean_label: Option<f64>,
}

/// What happened against what the score said, in `n_bins` bins of equal width from 0 to 1; empty bins included.
///
/// Bin of a score s: min(⌊n_bins·s⌋, n_bins - 1). `None` if nobody is labelled, a score is outside 0..=1 or `n_bins` is 0.
///
/// Source: Murphy and Winkler 1977, Journal of the Royal Statistical Society C 26, 41-47.
pub fn reliability(scores: ByLabel<'_>, n_bins: u32) -> Option<Vec<ReliabilityBin>> {
    labelled_probabilities(scores)?;
    if n_bins == 0 {
        return None;
    }
    let mut bins = vec![(0_u64, 0_u64, Sum::default()); n_bins as usize];
    let width = f64::from(n_bins);
    let bin = |score: f64| ((score * width) as usize).min(n_bins as usize - 1);
    for (label, sample) in [(0, scores.negative), (1, scores.positive)] {
        for (score, count) in sample.iter() {
            let (n, n_positive, total) = &mut bins[bin(score)];
            *n += count;
            *n_positive += label * count;
            total.add(count as f64 * score);
        }
    }
    let table = bins.into_iter().zip(0_u32..);
    let finished = table.map(|((n, n_positive, total), index)| ReliabilityBin {
        low: f64::from(index) / width,
        high: f64::from(index + 1) / width,
        n,
        n_positive,
        mean_score: (n > 0).then(|| total.value() / n as f64),
        mean_label: (n > 0).then(|| n_positive as f64 / n as f64),
    });
    Some(finished.collect())
}

/// The expected calibration error: how far mean label and mean score are apart in each of `n_bins` bins of equal width,
/// weighted by people; 0..=1.
///
/// `None` if nobody is labelled, a score is outside 0..=1 or `n_bins` is 0. Depends on the number of bins: state it.
///
/// Formula: Σ n_b/n · |mean y - mean s|, bins as in [`reliability`].
/// Source: Naeini, Cooper and Hauskrecht 2015, 29th AAAI Conference on Artificial Intelligence, 2901-2907.
pub fn ece(scores: ByLabel<'_>, n_bins: u32) -> Option<f64> {
    let bins = reliability(scores, n_bins)?;
    let off = bins.iter().filter_map(|bin| {
        let apart = bin.mean_label? - bin.mean_score?;
        Some(bin.n as f64 * apart.abs())
    });
    Some(sum(off) / scores.n() as f64)
}

/// [`ece`] with ten bins.
pub fn ece10(scores: ByLabel<'_>) -> Option<f64> {
    ece(scores, 10)
}

/// The number of labelled people; `None` if there are none or a score is outside 0..=1.
fn labelled_probabilities(scores: ByLabel<'_>) -> Option<f64> {
    (scores.n() > 0 && scores.are_probabilities()).then(|| scores.n() as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
