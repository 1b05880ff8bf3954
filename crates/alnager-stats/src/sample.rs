//! Scores of people as counts by distinct value: the empirical distribution every score metric follows from.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use crate::proportion::COUNT_MAX;

/// The distinct scores of some people, ascending, with how many people have each.
///
/// Values are finite, -0.0 is 0.0, every count is above 0. A sample may be empty: then every figure made from it is
/// `None`. Mean and variance are worked out once, when one of them is first asked for, in order of value; so they do not depend
/// on the order of the rows.
#[derive(Debug, Clone)]
pub struct Sample {
    values: Vec<f64>,
    /// How many people score below each value, and at the end how many there are. `None` where no two people have the same
    /// score, as is usual with fine scores: then it is the position, which costs neither memory nor time.
    below: Option<Vec<u64>>,
    n: u64,
    moments: OnceLock<Moments>,
}

/// Mean and variance, where they are defined.
#[derive(Debug, Clone, Copy)]
struct Moments {
    mean: Option<f64>,
    variance: Option<f64>,
}

/// The same scores, each with the same number of people.
impl PartialEq for Sample {
    fn eq(&self, other: &Sample) -> bool {
        self.values == other.values && self.below == other.below
    }
}

impl Sample {
    /// From scores with their counts, in any order; equal scores are added up and counts of 0 dropped.
    ///
    /// `None` if a score is not finite or the total is above [`COUNT_MAX`]. Scores that already ascend are not sorted.
    pub fn from_counts(scores: impl IntoIterator<Item = (f64, u64)>) -> Option<Sample> {
        let mut scores = scores.into_iter();
        let mut gathered = Gathered::with_room(scores.size_hint().0);
        for (value, count) in scores.by_ref().filter(|&(_, count)| count > 0) {
            if !gathered.push(value, count)? {
                let mut pairs: Vec<(f64, u64)> = gathered.pairs().collect();
                pairs.push((value, count));
                pairs.extend(scores.filter(|&(_, count)| count > 0));
                return Sample::from_unsorted(pairs);
            }
        }
        Some(gathered.sample())
    }

    fn from_unsorted(mut pairs: Vec<(f64, u64)>) -> Option<Sample> {
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut gathered = Gathered::with_room(pairs.len());
        for (value, count) in pairs {
            // Nothing is out of order any more: -0.0, which comes before 0.0, is made equal to it.
            gathered.push(value, count)?.then_some(())?;
        }
        Some(gathered.sample())
    }

    /// From one score per person, already ascending.
    ///
    /// `None` if a score is not finite or lies below the one before it, or if there are more than [`COUNT_MAX`].
    pub fn from_sorted_values(mut scores: Vec<f64>) -> Option<Sample> {
        let ends_are_finite = |ends: (&f64, &f64)| ends.0.is_finite() && ends.1.is_finite();
        let ends = scores.first().zip(scores.last());
        if scores.len() as u64 > COUNT_MAX || !ends.is_none_or(ends_are_finite) {
            return None;
        }
        if !scores.is_sorted_by(|a, b| a < b) {
            return Sample::from_ascending_with_ties(scores);
        }
        let zero = scores.partition_point(|&score| score < 0.0);
        scores
            .iter_mut()
            .skip(zero)
            .take(1)
            .for_each(|score| *score += 0.0);
        Some(Sample::new(scores, None))
    }

    fn from_ascending_with_ties(mut values: Vec<f64>) -> Option<Sample> {
        let mut below = vec![0; values.len() + 1];
        let (mut n, mut previous, mut ascends) = (0, f64::NEG_INFINITY, true);
        for from in 0..values.len() {
            let value = values[from] + 0.0;
            ascends &= value >= previous;
            // The same value again is overwritten by the next one.
            values[n] = value;
            below[n] = from as u64;
            n += usize::from(value > previous);
            previous = value;
        }
        below[n] = values.len() as u64;
        values.truncate(n);
        below.truncate(n + 1);
        values.shrink_to_fit();
        below.shrink_to_fit();
        ascends.then(|| Sample::new(values, Some(below)))
    }

    /// All people of several samples as one sample.
    ///
    /// The cost is the number of distinct values times the logarithm of the number of samples. The total may exceed
    /// [`COUNT_MAX`], as many times as there are samples.
    pub fn merged(samples: &[&Sample]) -> Sample {
        /// So many values of the longest sample are merged at a time that all of it stays in the cache.
        const STRETCH: usize = 4096;
        let samples: Vec<&Sample> = samples
            .iter()
            .copied()
            .filter(|sample| !sample.is_empty())
            .collect();
        match samples.as_slice() {
            [only] => return (*only).clone(),
            [one, other] => return merge(one, other),
            _ => {}
        }
        let n_values = |sample: &&Sample| sample.values.len();
        let longest = samples.iter().copied().max_by_key(n_values);
        let cuts = longest.map_or(&[][..], |longest| &longest.values);
        let cuts = cuts.iter().step_by(STRETCH).skip(1).map(Some);
        let mut gathered = Gathered::with_room(samples.iter().map(n_values).sum());
        let mut at = vec![0; samples.len()];
        for cut in cuts.chain([None]) {
            let next_part = |(sample, at): (&&Sample, &mut usize)| {
                let left = &sample.values[*at..];
                let n = cut.map_or(left.len(), |cut| left.partition_point(|value| value < cut));
                let part = sample.part(*at..*at + n);
                *at += n;
                part
            };
            gathered.append(merge_all(
                samples.iter().zip(&mut at).map(next_part).collect(),
            ));
        }
        gathered.sample()
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
    pub fn counts(&self) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + '_ {
        (0..self.values.len()).map(|index| self.count(index))
    }

    /// Each distinct score with its count, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (f64, u64)> + ExactSizeIterator + '_ {
        self.values.iter().copied().zip(self.counts())
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
        self.moments().mean
    }

    /// The variance with n - 1 below, in squared units of the score; `None` for fewer than two people or where it
    /// leaves the range of `f64`.
    ///
    /// Formula: Σ c(v - mean)² / (n - 1), in two passes, so a mean far from 0 costs no digits; the second makes good what the
    /// first lost.
    /// Source: Chan, Golub and LeVeque 1983, The American Statistician 37, 242-247.
    pub fn variance(&self) -> Option<f64> {
        self.moments().variance
    }

    /// The standard deviation, the root of [`Sample::variance`], in units of the score.
    pub fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
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

    /// Several quantiles, for shares that do not fall; `None` if empty or if a share falls or is outside 0..=1.
    pub fn quantiles(&self, shares: &[f64]) -> Option<Vec<f64>> {
        let inside = shares.iter().all(|q| (0.0..=1.0).contains(q));
        if self.is_empty() || !inside || !shares.is_sorted() {
            return None;
        }
        let last = self.n - 1;
        let quantile = |&q: &f64| {
            let position = last as f64 * q;
            let rank = (position.floor() as u64).min(last);
            let (low, high) = (self.score_at(rank), self.score_at((rank + 1).min(last)));
            between(low, high, position - rank as f64)
        };
        Some(shares.iter().map(quantile).collect())
    }

    /// How many people have a score strictly above `score`; 0 where `score` is not a number.
    pub fn count_above(&self, score: f64) -> u64 {
        if score.is_nan() {
            return 0;
        }
        self.n - self.below(self.values.partition_point(|&value| value <= score))
    }

    /// How many people have this score or a higher one; 0 where `score` is not a number.
    pub fn count_at_or_above(&self, score: f64) -> u64 {
        if score.is_nan() {
            return 0;
        }
        self.n - self.below(self.values.partition_point(|&value| value < score))
    }

    /// How many people score below the distinct value at `index`, all where `index` is the number of values.
    pub(crate) fn below(&self, index: usize) -> u64 {
        match &self.below {
            None => index as u64,
            Some(below) => below[index],
        }
    }

    /// How many people have the distinct value at `index`.
    pub(crate) fn count(&self, index: usize) -> u64 {
        match &self.below {
            None => 1,
            Some(below) => below[index + 1] - below[index],
        }
    }

    /// How many people have `value`, if it is the distinct value at `index`; else 0.
    pub(crate) fn count_if(&self, index: usize, value: f64) -> u64 {
        match self.values.get(index) {
            Some(&own) if own == value => self.count(index),
            _ => 0,
        }
    }

    /// [`Sample::below`] of every index, the number of values included.
    fn all_below(&self) -> Cow<'_, [u64]> {
        match &self.below {
            None => Cow::Owned((0..=self.n).collect()),
            Some(below) => Cow::Borrowed(below),
        }
    }

    /// Whether no two people have the same score.
    pub(crate) fn has_no_ties(&self) -> bool {
        self.below.is_none()
    }

    /// The people with the distinct values at `range`.
    fn part(&self, range: Range<usize>) -> Sample {
        let n = self.below(range.end) - self.below(range.start);
        let tied = self.below.as_ref().filter(|_| n > range.len() as u64);
        let below = tied.map(|below| {
            let below = &below[range.start..=range.end];
            below.iter().map(|n| n - below[0]).collect()
        });
        Sample::new(self.values[range].to_vec(), below)
    }

    /// Sums over the distinct values at `range`: of what `term` makes of a value and how many people have it.
    pub(crate) fn sums<const K: usize>(
        &self,
        range: Range<usize>,
        term: impl Fn(f64, f64) -> [f64; K],
    ) -> [f64; K] {
        let mut sums = [Sum::default(); K];
        for start in range.clone().step_by(BLOCK) {
            let end = range.end.min(start + BLOCK);
            let mut block = [0.0; K];
            let mut add = |value, count| {
                for (sum, term) in block.iter_mut().zip(term(value, count)) {
                    *sum += term;
                }
            };
            let values = &self.values[start..end];
            match &self.below {
                None => values.iter().for_each(|&value| add(value, 1.0)),
                Some(below) => {
                    let counts = below[start..=end].windows(2).map(|pair| pair[1] - pair[0]);
                    let pairs = values.iter().zip(counts);
                    pairs.for_each(|(&value, count)| add(value, count as f64));
                }
            }
            for (sum, block) in sums.iter_mut().zip(block) {
                sum.add_block(block);
            }
        }
        sums.map(Sum::value)
    }

    /// `values` are finite and strictly ascending, `below` as the field says.
    fn new(values: Vec<f64>, below: Option<Vec<u64>>) -> Sample {
        let last = below.as_ref().map(|below| below.last().copied());
        Sample {
            n: last.map_or(values.len() as u64, Option::unwrap_or_default),
            values,
            below,
            moments: OnceLock::new(),
        }
    }

    fn moments(&self) -> Moments {
        *self.moments.get_or_init(|| self.work_out_moments())
    }

    /// Mean and variance, in two passes.
    fn work_out_moments(&self) -> Moments {
        let (Some(min), Some(max)) = (self.min(), self.max()) else {
            return Moments {
                mean: None,
                variance: None,
            };
        };
        let (n, all) = (self.n as f64, 0..self.values.len());
        let [total] = self.sums(all.clone(), |value, count| [count * value]);
        let rough = total / n;
        // What the first pass lost to rounding is small enough to be summed without loss.
        let [lost, squares] = self.sums(all, |value, count| {
            let off = value - rough;
            [count * off, count * (off * off)]
        });
        let mean = rough + lost / n;
        // Where all are alike the variance is 0, not almost 0.
        let squares = match self.values.len() {
            1 => 0.0,
            _ => squares - lost * (lost / n),
        };
        // Unlike `max`, this leaves what is not a number as it is.
        let variance = squares.clamp(0.0, f64::INFINITY) / (n - 1.0);
        Moments {
            mean: mean.is_finite().then(|| mean.clamp(min, max)),
            variance: (self.n > 1 && variance.is_finite()).then_some(variance),
        }
    }

    /// The score of the person at `rank` in ascending order, counted from 0 and below n.
    fn score_at(&self, rank: u64) -> f64 {
        match &self.below {
            None => self.values[rank as usize],
            Some(below) => self.values[below.partition_point(|&below| below <= rank) - 1],
        }
    }
}

/// Values that ascend so far, and how many people have each.
struct Gathered {
    values: Vec<f64>,
    /// As in [`Sample`], but without the end.
    below: Option<Vec<u64>>,
    n: u64,
}

impl Gathered {
    fn with_room(n_values: usize) -> Gathered {
        Gathered {
            values: Vec::with_capacity(n_values),
            below: None,
            n: 0,
        }
    }

    /// Adds `count` people, above 0; false, with nothing added, where `value` is below the last one.
    ///
    /// `None` if it is not finite or there are too many people.
    fn push(&mut self, value: f64, count: u64) -> Option<bool> {
        let value = value + 0.0;
        if !value.is_finite() {
            return None;
        }
        let n = self.n.checked_add(count).filter(|&n| n <= COUNT_MAX)?;
        let last = self.values.last().copied().unwrap_or(f64::NEG_INFINITY);
        if value < last {
            return Some(false);
        }
        let is_new = value > last;
        if self.below.is_none() && self.n == self.values.len() as u64 && (count > 1 || !is_new) {
            self.below = Some((0..self.n).collect());
        }
        if is_new {
            self.values.push(value);
            self.below.iter_mut().for_each(|below| below.push(self.n));
        }
        self.n = n;
        Some(true)
    }

    /// Adds the people of a sample whose values are all above the last one.
    fn append(&mut self, part: Sample) {
        if self.below.is_none() && part.below.is_some() {
            self.below = Some((0..self.n).collect());
        }
        if let Some(below) = &mut self.below {
            let part_below = part.all_below();
            let without_end = &part_below[..part.values.len()];
            below.extend(without_end.iter().map(|below| self.n + below));
        }
        self.values.extend_from_slice(&part.values);
        self.n += part.n;
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let below = |index: usize| match &self.below {
            None => index as u64,
            Some(below) => below.get(index).copied().unwrap_or(self.n),
        };
        let values = self.values.iter().enumerate();
        values.map(move |(index, &value)| (value, below(index + 1) - below(index)))
    }

    fn sample(mut self) -> Sample {
        self.below.iter_mut().for_each(|below| below.push(self.n));
        Sample::new(self.values, self.below)
    }
}

/// All people of several samples as one; always the two shortest are merged.
fn merge_all(mut samples: Vec<Sample>) -> Sample {
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.values.len()));
    while let Some(shortest) = samples.pop() {
        let Some(next) = samples.pop() else {
            return shortest;
        };
        let both = merge(&next, &shortest);
        let place = samples.partition_point(|sample| sample.values.len() > both.values.len());
        samples.insert(place, both);
    }
    Sample::new(Vec::new(), None)
}

/// All people of two samples as one; the first is not empty.
fn merge(a: &Sample, b: &Sample) -> Sample {
    let mut values = vec![0.0; a.values.len() + b.values.len()];
    if a.has_no_ties() && b.has_no_ties() {
        interleave(&a.values, &b.values, |next| {
            values[next.i + next.j] = next.value;
        });
        if values.is_sorted_by(|a, b| a < b) {
            return Sample::new(values, None);
        }
    }
    let mut below = vec![0; values.len() + 1];
    let (below_a, below_b) = (a.all_below(), b.all_below());
    interleave(&a.values, &b.values, |next| {
        values[next.i + next.j] = next.value;
        below[next.i + next.j] = below_a[next.i] + below_b[next.j];
    });
    // A value of both stands there twice, the first time with those below it.
    let (mut n, mut previous) = (0, f64::NEG_INFINITY);
    for from in 0..values.len() {
        let value = values[from];
        values[n] = value;
        below[n] = below[from];
        // The first of two alike stays, the second is overwritten by what comes next.
        n += usize::from(value > previous);
        previous = value;
    }
    below[n] = a.n + b.n;
    values.truncate(n);
    below.truncate(n + 1);
    Sample::new(values, Some(below))
}

/// Calls `visit` with each distinct value of `sample`, ascending: its position, and the position in `other` of the first value
/// that is not below.
pub(crate) fn standings(sample: &Sample, other: &Sample, mut visit: impl FnMut(usize, usize)) {
    /// So many values are looked up at a time that their places stay in the cache.
    const STRETCH: usize = 8192;
    let (mut index, mut from) = (0, 0);
    for stretch in sample.values.chunks(STRETCH) {
        let left = &other.values[from..];
        let last = stretch[stretch.len() - 1];
        let near = &left[..left.partition_point(|&value| value < last)];
        for place in places(stretch, near) {
            visit(index, from + place);
            index += 1;
        }
        from += near.len();
    }
}

/// For each of `values`, how many of `others` are below; both ascend.
fn places(values: &[f64], others: &[f64]) -> Vec<usize> {
    /// Where others are so many times more, halving finds a place sooner than going through them.
    const SPARSE: usize = 20;
    let mut places = vec![0; values.len()];
    if others.len() / SPARSE > values.len() {
        let mut from = 0;
        for (place, &value) in places.iter_mut().zip(values) {
            from = first_not_below(others, from, value);
            *place = from;
        }
    } else {
        // The last that is noted of a value is noted when its own turn has come.
        interleave(values, others, |next| {
            if next.goes_on {
                places[next.i] = next.j;
            }
        });
    }
    places
}

/// The position of the first of ascending `values` that is not below `value`, where those before `from` are: in steps that
/// double, then by halving the last one.
fn first_not_below(values: &[f64], mut from: usize, value: f64) -> usize {
    let mut step = 1;
    while values.get(from + step).is_some_and(|&other| other < value) {
        from += step;
        step *= 2;
    }
    let near = &values[from..values.len().min(from + step + 1)];
    from + near.partition_point(|&other| other < value)
}

/// One of the values of two ascending lists, see [`interleave`].
struct Next {
    /// How many of the first list come before it.
    i: usize,
    /// How many of the second come before it.
    j: usize,
    value: f64,
    /// Whether the first list goes on at `i` in this stretch: its value there comes now or later.
    goes_on: bool,
}

/// Calls `visit` with each value of both lists: where it comes in the ascending order of all, of equal ones that of the first
/// list before.
///
/// Not in ascending order: which list has the next value cannot be predicted, and to find out takes a processor longer than
/// all else; so several stretches of the lists are gone through side by side, none with a branch that depends on a value.
fn interleave(first: &[f64], second: &[f64], mut visit: impl FnMut(Next)) {
    const LANES: usize = 6;
    let start = |lane: usize| {
        let i = first.len() * lane / LANES;
        let j = match first.get(i) {
            Some(_) if lane == 0 => 0,
            Some(&value) => second.partition_point(|&other| other < value),
            None => second.len(),
        };
        (i, j)
    };
    let end = |lane: usize| match lane + 1 {
        LANES => (first.len(), second.len()),
        next => start(next),
    };
    let starts: [(usize, usize); LANES] = std::array::from_fn(start);
    let ends: [(usize, usize); LANES] = std::array::from_fn(end);
    // How many of the first list each lane has gone through, and how many of both: one step each, whichever list it is.
    let mut of_first = starts.map(|(i, _)| i);
    let mut of_both = starts.map(|(i, j)| i + j);
    loop {
        let left = |lane: usize| {
            let (i, j) = (of_first[lane], of_both[lane] - of_first[lane]);
            usize::min(ends[lane].0 - i, ends[lane].1 - j)
        };
        // So many steps can be made in every lane before one of its lists may end.
        let n_steps = (0..LANES).map(left).min().unwrap_or(0);
        if n_steps < 8 {
            break;
        }
        for step in 0..n_steps {
            for lane in 0..LANES {
                let i = of_first[lane];
                let j = of_both[lane] + step - i;
                let (one, other) = (first[i], second[j]);
                let is_second = other < one;
                visit(Next {
                    i,
                    j,
                    // In this form it is one instruction, the lesser of two.
                    value: if other < one { other } else { one },
                    goes_on: true,
                });
                of_first[lane] = i + usize::from(!is_second);
            }
        }
        of_both.iter_mut().for_each(|n| *n += n_steps);
    }
    for lane in 0..LANES {
        let (mut i, mut j) = (of_first[lane], of_both[lane] - of_first[lane]);
        while i < ends[lane].0 {
            let other = second.get(j).filter(|_| j < ends[lane].1);
            let other = other.filter(|&&other| other < first[i]);
            visit(Next {
                i,
                j,
                value: *other.unwrap_or(&first[i]),
                goes_on: true,
            });
            i += usize::from(other.is_none());
            j += usize::from(other.is_some());
        }
        for (j, &value) in (j..).zip(&second[j..ends[lane].1]) {
            visit(Next {
                i,
                j,
                value,
                goes_on: false,
            });
        }
    }
}

/// So many terms are summed plainly before the rounding of their sum is made good.
const BLOCK: usize = 64;

/// A sum in the given order whose rounding does not grow with the number of terms: plain within short blocks, with
/// Neumaier's compensation between them.
///
/// Source: Neumaier 1974, Zeitschrift für Angewandte Mathematik und Mechanik 54, 39-51.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
    block: f64,
    in_block: usize,
}

impl Sum {
    /// Adds one term.
    pub(crate) fn add(&mut self, term: f64) {
        self.block += term;
        self.in_block += 1;
        if self.in_block == BLOCK {
            self.close_block();
        }
    }

    /// Adds the plain sum of some terms.
    pub(crate) fn add_block(&mut self, block: f64) {
        self.block += block;
        self.close_block();
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
