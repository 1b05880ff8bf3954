//! Scores of people as counts by distinct value: the empirical distribution every score metric follows from.

use std::hint::select_unpredictable;

use crate::proportion::COUNT_MAX;

/// The distinct scores of some people, ascending, with how many people have each.
///
/// Values are finite, -0.0 is 0.0, every count is above 0. A sample may be empty: then every figure made from it is
/// `None`. Size, mean and variance are worked out once, when the sample is made, in order of value; so they do not depend on
/// the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    counts: Vec<u64>,
    n: u64,
    mean: Option<f64>,
    variance: Option<f64>,
}

impl Sample {
    /// From scores with their counts, in any order; equal scores are added up and counts of 0 dropped.
    ///
    /// `None` if a score is not finite or the total is above [`COUNT_MAX`].
    pub fn from_counts(scores: impl IntoIterator<Item = (f64, u64)>) -> Option<Sample> {
        let mut pairs: Vec<(f64, u64)> = scores
            .into_iter()
            .map(|(value, count)| (value + 0.0, count))
            .collect();
        if pairs.iter().any(|(value, _)| !value.is_finite()) {
            return None;
        }
        pairs.retain(|&(_, count)| count > 0);
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (mut values, mut counts) = (Vec::<f64>::new(), Vec::<u64>::new());
        let mut n = 0_u64;
        for (value, count) in pairs {
            n = n.checked_add(count).filter(|&n| n <= COUNT_MAX)?;
            match counts.last_mut() {
                Some(last) if values.last() == Some(&value) => *last += count,
                _ => {
                    values.push(value);
                    counts.push(count);
                }
            }
        }
        Some(Sample::new(values, counts))
    }

    /// From one score per person, already ascending.
    ///
    /// `None` if a score is not finite or lies below the one before it, or if there are more than [`COUNT_MAX`].
    pub fn from_sorted_values(mut scores: Vec<f64>) -> Option<Sample> {
        if scores.len() as u64 > COUNT_MAX {
            return None;
        }
        let mut counts: Vec<u64> = Vec::new();
        let mut previous = f64::NEG_INFINITY;
        for i in 0..scores.len() {
            let value = scores[i] + 0.0;
            if !(value.is_finite() && value >= previous) {
                return None;
            }
            match counts.last_mut() {
                // Equality of two scores as they were given, not of two results.
                Some(last) if value == previous => *last += 1,
                _ => {
                    // There are at most `i` distinct values so far, so nothing unread is overwritten.
                    scores[counts.len()] = value;
                    counts.push(1);
                }
            }
            previous = value;
        }
        scores.truncate(counts.len());
        Some(Sample::new(scores, counts))
    }

    /// All people of several samples as one sample.
    ///
    /// The cost is the number of distinct values times the logarithm of the number of samples. The total may exceed
    /// [`COUNT_MAX`], as many times as there are samples.
    pub fn merged(samples: &[&Sample]) -> Sample {
        let room = samples.iter().map(|sample| sample.values.len()).sum();
        let (mut values, mut counts) = (Vec::with_capacity(room), Vec::with_capacity(room));
        if let [a, b] = samples {
            walk(a, b, |value, of_a, of_b| {
                values.push(value);
                counts.push(of_a + of_b);
            });
        } else {
            walk_all(samples, |alike| {
                values.push(alike[0].value);
                counts.push(alike.iter().map(|entry| entry.count).sum());
            });
        }
        Sample::new(values, counts)
    }

    /// The number of people.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The distinct scores, ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many people have each of [`Sample::values`]; all above 0.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Each distinct score with its count, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (f64, u64)> + ExactSizeIterator + '_ {
        self.values.iter().copied().zip(self.counts.iter().copied())
    }

    /// The lowest score; `None` if empty.
    pub fn min(&self) -> Option<f64> {
        self.values.first().copied()
    }

    /// The highest score; `None` if empty.
    pub fn max(&self) -> Option<f64> {
        self.values.last().copied()
    }

    /// The arithmetic mean, between lowest and highest score; `None` if empty or if the sum leaves the range of `f64`.
    pub fn mean(&self) -> Option<f64> {
        self.mean
    }

    /// The variance with n - 1 below, in squared units of the score; `None` for fewer than two people or where it
    /// leaves the range of `f64`.
    ///
    /// Formula: Σ c(v - mean)² / (n - 1), in two passes, so a mean far from 0 costs no digits.
    pub fn variance(&self) -> Option<f64> {
        self.variance
    }

    /// The standard deviation, the root of [`Sample::variance`], in units of the score.
    pub fn sd(&self) -> Option<f64> {
        self.variance.map(f64::sqrt)
    }

    /// The score below which a share `q` of the people lie, linear between two people.
    ///
    /// Formula: position (n - 1)q in the ascending order of people, counted from 0; between two positions in proportion.
    /// Source: Hyndman and Fan 1996, The American Statistician 50, 361-365, definition 7.
    ///
    /// `None` if empty or unless 0 <= `q` <= 1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.quantiles(&[q])?.first().copied()
    }

    /// The middle score: [`Sample::quantile`] at one half.
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// Several quantiles in one pass, for shares that do not fall; `None` if empty or if a share falls or is outside 0..=1.
    pub fn quantiles(&self, shares: &[f64]) -> Option<Vec<f64>> {
        let inside = shares.iter().all(|q| (0.0..=1.0).contains(q));
        if self.is_empty() || !inside || !shares.is_sorted() {
            return None;
        }
        let mut seat = Seat {
            sample: self,
            index: 0,
            before: 0,
        };
        let last = self.n - 1;
        let quantile = |&q: &f64| {
            let position = last as f64 * q;
            let rank = (position.floor() as u64).min(last);
            let part = position - rank as f64;
            let low = seat.score(rank);
            // The seat moves on for good, so the neighbour above is read without moving it.
            let high = seat.score_after(rank);
            between(low, high, part)
        };
        Some(shares.iter().map(quantile).collect())
    }

    /// How many people have a score strictly above `score`; 0 where `score` is not a number.
    pub fn count_above(&self, score: f64) -> u64 {
        if score.is_nan() {
            return 0;
        }
        self.n_from(self.values.partition_point(|&value| value <= score))
    }

    /// How many people have this score or a higher one; 0 where `score` is not a number.
    pub fn count_at_or_above(&self, score: f64) -> u64 {
        if score.is_nan() {
            return 0;
        }
        self.n_from(self.values.partition_point(|&value| value < score))
    }

    /// `values` are finite and strictly ascending, `counts` as many and above 0.
    fn new(values: Vec<f64>, counts: Vec<u64>) -> Sample {
        let n = counts.iter().sum();
        let mut sample = Sample {
            values,
            counts,
            n,
            mean: None,
            variance: None,
        };
        sample.mean = sample.worked_out_mean();
        sample.variance = sample.worked_out_variance();
        sample
    }

    fn worked_out_mean(&self) -> Option<f64> {
        let (min, max) = (self.min()?, self.max()?);
        let n = self.n as f64;
        let rough = sum(self.iter().map(|(value, count)| count as f64 * value)) / n;
        // What the first pass lost to rounding is small enough to be summed without loss.
        let lost = sum(self
            .iter()
            .map(|(value, count)| count as f64 * (value - rough)))
            / n;
        let mean = rough + lost;
        mean.is_finite().then(|| mean.clamp(min, max))
    }

    fn worked_out_variance(&self) -> Option<f64> {
        let mean = self.mean?;
        if self.n < 2 {
            return None;
        }
        let squares = self.iter().map(|(value, count)| {
            let off = value - mean;
            count as f64 * (off * off)
        });
        let variance = sum(squares) / (self.n - 1) as f64;
        variance.is_finite().then_some(variance)
    }

    /// The people from the distinct value at `index` on.
    fn n_from(&self, index: usize) -> u64 {
        if self.n == self.values.len() as u64 {
            return self.n - index as u64;
        }
        self.counts[index..].iter().sum()
    }
}

/// Calls `visit` with each distinct value of two samples, ascending, and how many people have it in the first and in the
/// second (one of the two may be 0).
pub(crate) fn walk(a: &Sample, b: &Sample, mut visit: impl FnMut(f64, u64, u64)) {
    let (n_a, n_b) = (a.values.len(), b.values.len());
    // The same length for both slices of a sample spares the loop a check.
    let (a_values, a_counts) = (&a.values[..], &a.counts[..n_a]);
    let (b_values, b_counts) = (&b.values[..], &b.counts[..n_b]);
    let (mut i, mut j) = (0, 0);
    while i < n_a && j < n_b {
        let (left, right) = (a_values[i], b_values[j]);
        // No branch depends on the data here: which sample comes next cannot be predicted.
        let (in_a, in_b) = (left <= right, right <= left);
        let of_a = select_unpredictable(in_a, a_counts[i], 0);
        let of_b = select_unpredictable(in_b, b_counts[j], 0);
        visit(if left < right { left } else { right }, of_a, of_b);
        i += usize::from(in_a);
        j += usize::from(in_b);
    }
    for (&value, &count) in a_values[i..].iter().zip(&a_counts[i..]) {
        visit(value, count, 0);
    }
    for (&value, &count) in b_values[j..].iter().zip(&b_counts[j..]) {
        visit(value, 0, count);
    }
}

/// How many people of one sample have a value.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) value: f64,
    pub(crate) count: u64,
    /// The position of the sample.
    pub(crate) of: usize,
}

/// Calls `visit` with each distinct value of several samples, ascending: one entry for each sample that has it, in order.
///
/// Works through the values in stretches that fit the cache: those of each sample are put one after the other and sorted,
/// which merges runs that are already ascending.
pub(crate) fn walk_all(samples: &[&Sample], mut visit: impl FnMut(&[Entry])) {
    /// At most so many and one values of each sample at a time.
    const STRETCH: usize = 1024;
    let mut at = vec![0; samples.len()];
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let reach = |(sample, &at): (&&Sample, &usize)| {
            let last = sample
                .values
                .len()
                .checked_sub(1)
                .filter(|&last| at <= last)?;
            Some(sample.values[last.min(at + STRETCH)])
        };
        let Some(until) = samples.iter().zip(&at).filter_map(reach).reduce(f64::min) else {
            return;
        };
        entries.clear();
        for (of, (sample, at)) in samples.iter().zip(&mut at).enumerate() {
            let left = &sample.values[*at..];
            let near = &left[..left.len().min(STRETCH + 1)];
            let end = *at + near.partition_point(|&value| value <= until);
            let pairs = sample.values[*at..end].iter().zip(&sample.counts[*at..end]);
            entries.extend(pairs.map(|(&value, &count)| Entry { value, count, of }));
            *at = end;
        }
        entries.sort_by(|a, b| a.value.total_cmp(&b.value));
        entries
            .chunk_by(|a, b| a.value == b.value)
            .for_each(&mut visit);
    }
}

/// A sum in the given order whose rounding does not grow with the number of terms: plain within short blocks, with
/// Neumaier's compensation between them.
///
/// Source: Neumaier 1974, Zeitschrift für Angewandte Mathematik und Mechanik 54, 39-51.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
    block: f64,
    in_block: u32,
}

impl Sum {
    /// Adds one term.
    pub(crate) fn add(&mut self, term: f64) {
        self.block += term;
        self.in_block += 1;
        if self.in_block == 64 {
            self.close_block();
        }
    }

    /// The sum so far.
    pub(crate) fn value(mut self) -> f64 {
        self.close_block();
        // Where a sum has left the range of f64, what was lost is not a number.
        if self.lost.is_finite() {
            self.total + self.lost
        } else {
            self.total
        }
    }

    fn close_block(&mut self) {
        let next = self.total + self.block;
        self.lost += if self.total.abs() >= self.block.abs() {
            (self.total - next) + self.block
        } else {
            (self.block - next) + self.total
        };
        self.total = next;
        self.block = 0.0;
        self.in_block = 0;
    }
}

/// The sum of all terms, see [`Sum`].
pub(crate) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    terms.for_each(|term| sum.add(term));
    sum.value()
}

/// A place in the ascending order of people; it only moves up.
struct Seat<'a> {
    sample: &'a Sample,
    /// The distinct value the person has.
    index: usize,
    /// How many people have a lower one.
    before: u64,
}

impl Seat<'_> {
    /// The score of the person at `rank`, counted from 0; at least the rank asked for before, below n.
    fn score(&mut self, rank: u64) -> f64 {
        if self.sample.n == self.sample.values.len() as u64 {
            self.index = rank as usize;
            self.before = rank;
        }
        while self.before + self.sample.counts[self.index] <= rank {
            self.before += self.sample.counts[self.index];
            self.index += 1;
        }
        self.sample.values[self.index]
    }

    /// The score of the person after `rank`, where this seat is; the last person's own score for the last rank.
    fn score_after(&self, rank: u64) -> f64 {
        let ends = self.before + self.sample.counts[self.index];
        let next = if ends <= rank + 1 && ends < self.sample.n {
            self.index + 1
        } else {
            self.index
        };
        self.sample.values[next]
    }
}

/// The point a `part` of the way from `low` to `high`, counted from the nearer end, so that both ends are met exactly and
/// the point never falls when `part` rises.
fn between(low: f64, high: f64, part: f64) -> f64 {
    let apart = high - low;
    if apart.is_infinite() {
        return low * (1.0 - part) + high * part;
    }
    if part < 0.5 {
        low + apart * part
    } else {
        high - apart * (1.0 - part)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
