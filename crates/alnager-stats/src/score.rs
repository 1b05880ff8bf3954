//! How a score treats two groups: distance, ranking quality, calibration.
//!
//! Everywhere the group's figure is compared with the reference's: differences are group minus reference.

use crate::compare::{PValue, Test, normal_test};
use crate::impact::impact_ratio;
use crate::kolmogorov;
use crate::mass::Hypergeometric;
use crate::proportion::{Interval, Proportion};
use crate::rank::{MannWhitney, Pair, mann_whitney_of};
use crate::sample::{Sample, Sum, standings, sum};

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
    Some(RocCurve::new(scores)?.auc().value)
}

/// [`auc`] with DeLong's standard error.
///
/// Formula: variance of the positive class' shares of beaten negatives / m + variance of the negative class' shares of
/// positives above / n, each variance with one less below.
/// Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845.
///
/// `None` if a class is empty.
pub fn auc_delong(scores: ByLabel<'_>) -> Option<Auc> {
    Some(RocCurve::new(scores)?.auc())
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
    let all = Sample::merged(&[scores.negative, scores.positive]);
    points.extend(all.values().iter().rev().map(|&threshold| RocPoint {
        threshold,
        fpr: scores.negative.count_at_or_above(threshold) as f64 / n,
        tpr: scores.positive.count_at_or_above(threshold) as f64 / m,
    }));
    Some(points)
}

/// The area between the ROC curves of the group and the reference, see [`RocCurve::area_between`].
///
/// `None` if a class of either is empty.
pub fn abroca(group: ByLabel<'_>, reference: ByLabel<'_>) -> Option<f64> {
    Some(RocCurve::new(group)?.area_between(&RocCurve::new(reference)?))
}

/// The ROC curve of one group, kept for several figures: what takes time is where each score of one class stands in the
/// other, and is found out once.
#[derive(Debug, Clone)]
pub struct RocCurve<'a> {
    scores: ByLabel<'a>,
    /// For each distinct score of the negative class, how many distinct ones of the positive class lie below.
    places: Vec<usize>,
    /// Over all pairs of one person each: 2 where the positive one has the higher score, 1 where both are equal.
    doubled_wins: u128,
}

impl<'a> RocCurve<'a> {
    /// The curve; `None` if a class is empty.
    pub fn new(scores: ByLabel<'a>) -> Option<RocCurve<'a>> {
        let ByLabel { negative, positive } = scores;
        pairs(negative, positive)?;
        let mut places = Vec::with_capacity(negative.values().len());
        let mut doubled_wins = 0;
        standings(negative, positive, |index, place| {
            places.push(place);
            let tied = positive.count_if(place, negative.values()[index]);
            let above = positive.n() - positive.below(place) - tied;
            doubled_wins += u128::from(negative.count(index)) * u128::from(2 * above + tied);
        });
        Some(RocCurve {
            scores,
            places,
            doubled_wins,
        })
    }

    /// The area under it with its standard error, see [`auc_delong`].
    pub fn auc(&self) -> Auc {
        let ByLabel { negative, positive } = self.scores;
        let (n, m) = (negative.n() as f64, positive.n() as f64);
        let wins = self.doubled_wins as f64;
        let scale = 2.0 * n * m;
        let variance = || {
            let (of_positive, of_negative) = self.squares();
            of_positive / (m - 1.0) / m + of_negative / (n - 1.0) / n
        };
        Auc {
            value: wins / scale,
            se: (negative.n() > 1 && positive.n() > 1).then(|| variance().sqrt() / scale),
        }
    }

    /// The sums of squares of DeLong's components of the positive and of the negative class about their means, the
    /// components taken times 2·n·m: they are whole numbers then, exact as f64 up to 1e8 people.
    fn squares(&self) -> (f64, f64) {
        let ByLabel { negative, positive } = self.scores;
        let (n, m) = (negative.n() as f64, positive.n() as f64);
        let wins = self.doubled_wins as f64;
        let (mut of_positive, mut of_negative) = (Sum::default(), Sum::default());
        let mut seen = 0;
        let of_people = |people: u64, doubled_wins: u64, others: f64| {
            let off = doubled_wins as f64 * others - wins;
            people as f64 * (off * off)
        };
        for (index, &place) in self.places.iter().enumerate() {
            let (below, alike) = (negative.below(index), negative.count(index));
            let lower = positive.below(place);
            let tied = positive.count_if(place, negative.values()[index]);
            let higher = positive.n() - lower - tied;
            of_negative.add(of_people(alike, 2 * higher + tied, n));
            // The positives since the last negative score, then those with this one.
            of_positive.add(of_people(lower - seen, 2 * below, m));
            if tied > 0 {
                of_positive.add(of_people(tied, 2 * below + alike, m));
            }
            seen = lower + tied;
        }
        of_positive.add(of_people(positive.n() - seen, 2 * negative.n(), m));
        (of_positive.value(), of_negative.value())
    }

    /// The area between this curve and the other, 0..=1: how differently the score ranks within each group, also where
    /// the curves cross and their areas agree. Exact on the two broken lines, with their crossings.
    ///
    /// Formula: ∫₀¹ |ROC_g - ROC_r| dFPR.
    /// Source: Gardner, Brooks and Baker 2019, Evaluating the fairness of predictive student models through slicing
    /// analysis (9th International Conference on Learning Analytics and Knowledge).
    pub fn area_between(&self, other: &RocCurve<'_>) -> f64 {
        let scale = self.scales();
        let scale_other = other.scales();
        let (mut left, mut left_other) = (self.places.len(), other.places.len());
        let (mut a, mut b) = (Piece::default(), Piece::default());
        let (mut area, mut from) = (Sum::default(), 0.0);
        loop {
            if a.to <= from {
                let Some(next) = left.checked_sub(1) else {
                    break;
                };
                (a, left) = (self.piece(next, scale_other), next);
            }
            if b.to <= from {
                let Some(next) = left_other.checked_sub(1) else {
                    break;
                };
                (b, left_other) = (other.piece(next, scale), next);
            }
            let to = f64::min(a.to, b.to);
            area.add(if a.is_level() && b.is_level() {
                (to - from) * (a.high - b.high).abs()
            } else {
                let start = a.height(from) - b.height(from);
                area_between(to - from, start, a.height(to) - b.height(to))
            });
            from = to;
        }
        area.value() / (scale.0 * scale_other.0) / (scale.1 * scale_other.1)
    }

    /// The numbers of negatives and of positives.
    fn scales(&self) -> (f64, f64) {
        let ByLabel { negative, positive } = self.scores;
        (negative.n() as f64, positive.n() as f64)
    }

    /// The piece that takes in the negatives with the distinct score at `index`. FPR and TPR are taken times the people of
    /// both curves: whole numbers, exact as f64 up to 1e8 people.
    fn piece(&self, index: usize, scale_other: (f64, f64)) -> Piece {
        let ByLabel { negative, positive } = self.scores;
        let place = self.places[index];
        let tied = positive.count_if(place, negative.values()[index]);
        let reached = positive.n() - positive.below(place);
        Piece {
            from: (negative.n() - negative.below(index + 1)) as f64 * scale_other.0,
            to: (negative.n() - negative.below(index)) as f64 * scale_other.0,
            low: (reached - tied) as f64 * scale_other.1,
            high: reached as f64 * scale_other.1,
        }
    }
}

/// A piece of an ROC curve that is not upright: from one FPR to another, from one TPR to another.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
}

impl Piece {
    /// Whether no positive has the score of the negatives.
    fn is_level(&self) -> bool {
        self.low >= self.high
    }

    /// The TPR at an FPR within the piece.
    fn height(&self, fpr: f64) -> f64 {
        if fpr >= self.to || self.is_level() {
            return self.high;
        }
        self.low + (self.high - self.low) * ((fpr - self.from) / (self.to - self.from))
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
/// Software 39(11). Above a number of 1e6 SciPy changes to a shortened exponential, which is less exact; the two differ
/// there, by 2e-5 of the value at 3e6 people and D = 0.002.
pub fn kolmogorov_smirnov(group: &Sample, reference: &Sample) -> Option<KolmogorovSmirnov> {
    let pair = Pair::new(group, reference)?;
    Some(kolmogorov_smirnov_of(&pair))
}

fn kolmogorov_smirnov_of(pair: &Pair) -> KolmogorovSmirnov {
    let d = pair.widest as f64 / pair.pairs() as f64;
    // In the same order whichever of the two is the group.
    let (few, many) = (pair.n.0.min(pair.n.1), pair.n.0.max(pair.n.1));
    let ln_p = if pair.widest == pair.pairs() {
        std::f64::consts::LN_2 + Hypergeometric::new(few, many, few).ln_mass(few)
    } else {
        let n = pair.pairs() as f64 / (few + many) as f64;
        kolmogorov::ln_two_sided(n.round_ties_even().max(1.0), d)
    };
    KolmogorovSmirnov {
        d,
        p: PValue::from_ln(ln_p),
    }
}

/// How far each person's score would have to move, on average, to turn one sample into the other: Wasserstein's distance
/// of order 1, in units of the score, 0 and above.
///
/// `None` if a sample is empty or the distance leaves the range of `f64`. For scores that are all higher in one sample it
/// is the difference of means.
///
/// Formula: ∫ |F_g - F_r| ds = ∫₀¹ |Q_g - Q_r| du, Q the quantile functions; the second is worked out.
/// Source: Vallender 1974, Theory of Probability and Its Applications 18, 784-786.
pub fn wasserstein(group: &Sample, reference: &Sample) -> Option<f64> {
    let pairs = pairs(group, reference)?;
    let (mut g, mut r) = (ends(group, reference.n()), ends(reference, group.n()));
    let (mut of_group, mut of_reference) = (g.next()?, r.next()?);
    let (mut area, mut from) = (Sum::default(), 0.0);
    loop {
        let to = f64::min(of_group.1, of_reference.1);
        area.add((to - from) * (of_group.0 - of_reference.0).abs());
        from = to;
        if of_group.1 <= to {
            let Some(next) = g.next() else { break };
            of_group = next;
        }
        if of_reference.1 <= to {
            let Some(next) = r.next() else { break };
            of_reference = next;
        }
    }
    let distance = area.value() / pairs;
    distance.is_finite().then_some(distance)
}

/// Each distinct score and how many people have it or a lower one, times `scale`: exact as f64 up to 1e8 people.
fn ends(sample: &Sample, scale: u64) -> impl Iterator<Item = (f64, f64)> + '_ {
    let scale = scale as f64;
    let values = sample.values().iter().enumerate();
    values.map(move |(index, &value)| (value, sample.below(index + 1) as f64 * scale))
}

/// What compares the scores of a group with the reference's, see [`against`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Against {
    /// See [`kolmogorov_smirnov`].
    pub ks: KolmogorovSmirnov,
    /// See [`wasserstein`]; `None` where it leaves the range of `f64`.
    pub wasserstein: Option<f64>,
    /// See [`mann_whitney`](crate::rank::mann_whitney).
    pub mann_whitney: MannWhitney,
}

/// [`kolmogorov_smirnov`], [`wasserstein`] and [`mann_whitney`](crate::rank::mann_whitney) together, in less time than one by
/// one.
///
/// `None` if a sample is empty.
pub fn against(group: &Sample, reference: &Sample) -> Option<Against> {
    let pair = Pair::new(group, reference)?;
    Some(Against {
        ks: kolmogorov_smirnov_of(&pair),
        wasserstein: wasserstein(group, reference),
        mann_whitney: mann_whitney_of(&pair),
    })
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
    if group.is_empty() {
        return None;
    }
    let inner = inner_ends(reference, n_bins)?;
    let counts = |sample: &Sample| counts_of_bins(sample, &inner);
    Some(psi_of(&counts(reference), &counts(group)))
}

/// Σ (b - a) ln(b/a) over bins, a share under 0.0001 taken as 0.0001; neither list is all 0.
pub(crate) fn psi_of(reference: &[u64], group: &[u64]) -> f64 {
    const FLOOR: f64 = 1e-4;
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    let (n, m) = (total(reference), total(group));
    let terms = reference.iter().zip(group).map(|(a, b)| {
        let (a, b) = ((*a as f64 / n).max(FLOOR), (*b as f64 / m).max(FLOOR));
        (b - a) * (b / a).ln()
    });
    sum(terms)
}

/// The ends between the bins that hold equal shares of the reference, ascending; `None` if it is empty, `n_bins` is below 2, or
/// its quantiles leave fewer than two bins.
pub(crate) fn inner_ends(reference: &Sample, n_bins: u32) -> Option<Vec<f64>> {
    if n_bins < 2 {
        return None;
    }
    let step = 1.0 / f64::from(n_bins);
    let shares: Vec<f64> = (0..=n_bins)
        .map(|i| (f64::from(i) * step).min(1.0))
        .collect();
    let mut ends = reference.quantiles(&shares)?;
    ends.dedup();
    // The lowest and the highest quantile are opened.
    let inner = ends.get(1..ends.len() - 1)?;
    (!inner.is_empty()).then(|| inner.to_vec())
}

/// How many of the sample lie below the first end, from each end to the next, and from the last end on.
pub(crate) fn counts_of_bins(sample: &Sample, ends: &[f64]) -> Vec<u64> {
    let mut from = 0;
    let mut counts = Vec::with_capacity(ends.len() + 1);
    for &end in ends.iter().chain(&[f64::INFINITY]) {
        let to = sample.values().partition_point(|&value| value < end);
        counts.push(sample.below(to) - sample.below(from));
        from = to;
    }
    counts
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

/// How well a score that is read as a probability agrees with what happened, see [`calibration`].
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// See [`brier`].
    pub brier: f64,
    /// See [`log_loss`].
    pub log_loss: f64,
    /// See [`calibration_in_the_large`].
    pub in_the_large: f64,
    /// See [`ece`].
    pub ece: f64,
    /// See [`reliability`].
    pub bins: Vec<ReliabilityBin>,
}

/// All that calibration is judged by, with `n_bins` bins of equal width from 0 to 1.
///
/// `None` if nobody is labelled, a score is outside 0..=1 or `n_bins` is 0.
pub fn calibration(scores: ByLabel<'_>, n_bins: u32) -> Option<Calibration> {
    let n = labelled_probabilities(scores)?;
    let binned = binned(scores, n_bins)?;
    let off = binned.bins.iter().filter_map(|bin| {
        let apart = bin.mean_label? - bin.mean_score?;
        Some(bin.n as f64 * apart.abs())
    });
    Some(Calibration {
        brier: binned.squares / n,
        log_loss: total_loss(scores) / n,
        in_the_large: binned.off / n,
        ece: sum(off) / n,
        bins: binned.bins,
    })
}

/// The mean squared distance of score and label, 0..=1, lower is better.
///
/// `None` if nobody is labelled or a score is outside 0..=1.
///
/// Source: Brier 1950, Monthly Weather Review 78, 1-3.
pub fn brier(scores: ByLabel<'_>) -> Option<f64> {
    Some(calibration(scores, 1)?.brier)
}

/// The mean negative log-likelihood in nats, 0 and above, lower is better; scores are cut to 1e-15..=1-1e-15.
///
/// `None` if nobody is labelled or a score is outside 0..=1.
///
/// Formula: -mean(y ln s + (1-y) ln(1-s)).
/// Source: Good 1952, Journal of the Royal Statistical Society B 14, 107-114.
pub fn log_loss(scores: ByLabel<'_>) -> Option<f64> {
    let n = labelled_probabilities(scores)?;
    Some(total_loss(scores) / n)
}

/// The mean label minus the mean score: positive where more happens than the score lets expect, -1..=1.
///
/// `None` if nobody is labelled or a score is outside 0..=1.
///
/// Source: Cox 1958, Biometrika 45, 562-565, as a difference of means.
pub fn calibration_in_the_large(scores: ByLabel<'_>) -> Option<f64> {
    Some(calibration(scores, 1)?.in_the_large)
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
    Some(calibration(scores, n_bins)?.bins)
}

/// The expected calibration error: how far mean label and mean score are apart in each of `n_bins` bins of equal width,
/// weighted by people; 0..=1.
///
/// `None` if nobody is labelled, a score is outside 0..=1 or `n_bins` is 0. Depends on the number of bins: state it.
///
/// Formula: Σ n_b/n · |mean y - mean s|, bins as in [`reliability`].
/// Source: Naeini, Cooper and Hauskrecht 2015, 29th AAAI Conference on Artificial Intelligence, 2901-2907.
pub fn ece(scores: ByLabel<'_>, n_bins: u32) -> Option<f64> {
    Some(calibration(scores, n_bins)?.ece)
}

/// [`ece`] with ten bins.
pub fn ece10(scores: ByLabel<'_>) -> Option<f64> {
    ece(scores, 10)
}

/// The number of labelled people; `None` if there are none or a score is outside 0..=1.
fn labelled_probabilities(scores: ByLabel<'_>) -> Option<f64> {
    (scores.n() > 0 && scores.are_probabilities()).then(|| scores.n() as f64)
}

/// Sums over the labelled people, and over those in each bin.
struct Binned {
    bins: Vec<ReliabilityBin>,
    /// Of label minus score.
    off: f64,
    /// Of its square.
    squares: f64,
}

/// Bin by bin, as scores ascend; `None` if there are no bins.
fn binned(scores: ByLabel<'_>, n_bins: u32) -> Option<Binned> {
    let ByLabel { negative, positive } = scores;
    let width = f64::from(n_bins);
    let mut bins = Vec::with_capacity(n_bins as usize);
    let (mut above, mut below) = (Sum::default(), Sum::default());
    let mut squares = Sum::default();
    let (mut from_negative, mut from_positive) = (0, 0);
    let last = n_bins.checked_sub(1)?;
    for bin in 0..n_bins {
        let end = |sample: &Sample, from: usize| {
            let left = &sample.values()[from..];
            let inside = |&score: &f64| bin == last || score * width < f64::from(bin + 1);
            from + left.partition_point(inside)
        };
        let to_negative = end(negative, from_negative);
        let to_positive = end(positive, from_positive);
        let [score, square] = negative.sums(from_negative..to_negative, |score, count| {
            [count * score, count * (score * score)]
        });
        let [positive_score, short, positive_square] =
            positive.sums(from_positive..to_positive, |score, count| {
                let off = 1.0 - score;
                [count * score, count * off, count * (off * off)]
            });
        above.add(score);
        below.add(short);
        squares.add(square);
        squares.add(positive_square);
        let n_positive = positive.below(to_positive) - positive.below(from_positive);
        let n = n_positive + negative.below(to_negative) - negative.below(from_negative);
        bins.push(ReliabilityBin {
            low: f64::from(bin) / width,
            high: f64::from(bin + 1) / width,
            n,
            n_positive,
            mean_score: (n > 0).then(|| (score + positive_score) / n as f64),
            mean_label: (n > 0).then(|| n_positive as f64 / n as f64),
        });
        (from_negative, from_positive) = (to_negative, to_positive);
    }
    Some(Binned {
        bins,
        off: below.value() - above.value(),
        squares: squares.value(),
    })
}

/// -Σ ln of the chance that the score gave to the label, see [`log_loss`].
fn total_loss(scores: ByLabel<'_>) -> f64 {
    const CUT: f64 = 1e-15;
    let cut = |score: f64| score.clamp(CUT, 1.0 - CUT);
    let negative = |score| 1.0 - cut(score);
    let ln_negative = |score| (-cut(score)).ln_1p();
    -ln_chances(scores.negative, negative, ln_negative)
        - ln_chances(scores.positive, cut, |score| cut(score).ln())
}

/// The sum over all people of `ln_chance` of their score, where `chance` of it rises or falls and is 1e-15 or more.
///
/// A logarithm costs as much as 20 products, so one is taken of the product of several chances, unless they are so near 1
/// that the product would lose digits.
fn ln_chances(sample: &Sample, chance: impl Fn(f64) -> f64, ln_chance: impl Fn(f64) -> f64) -> f64 {
    /// So many factors of 1e-15 stay within the range of `f64`.
    const FACTORS: usize = 16;
    let mut total = Sum::default();
    for (values, start) in sample.values().chunks(FACTORS).zip((0..).step_by(FACTORS)) {
        let end = start + values.len();
        let n = sample.below(end) - sample.below(start);
        let highest = f64::max(chance(values[0]), chance(values[values.len() - 1]));
        if n == values.len() as u64 && highest < 0.999 {
            let product: f64 = values.iter().map(|&score| chance(score)).product();
            total.add(product.ln());
        } else {
            let indices = start..end;
            let terms = indices.zip(values);
            terms.for_each(|(index, &score)| {
                total.add(sample.count(index) as f64 * ln_chance(score))
            });
        }
    }
    total.value()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
