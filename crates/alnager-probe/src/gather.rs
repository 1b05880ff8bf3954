//! What is gathered row by row besides counts: scores by value, and sums that do not depend on the order of the rows.

/// Scores gathered before they are sorted into what is there.
const FRESH_MIN: usize = 1 << 15;

/// Where most scores differ, sorting them in early would save nothing: this many are gathered first, or as many as are known.
const FRESH_MANY: usize = 1 << 22;

/// Fewer scores than this are sorted by comparing them.
const RADIX_MIN: usize = 1 << 12;

/// The scores of a cell: distinct values with their counts, and those not sorted in yet.
///
/// As large as the number of different values, never as the number of rows: fresh scores are sorted in once there are a few times
/// as many of them as different ones are known.
#[derive(Default)]
pub(crate) struct Scores {
    values: Vec<f64>,
    /// How often each occurs; empty where each occurs once.
    counts: Vec<u64>,
    fresh: Vec<f64>,
    /// Fresh scores at which they are sorted in.
    limit: usize,
}

impl Scores {
    /// Takes in a finite score.
    pub(crate) fn push(&mut self, score: f64) {
        // Minus zero is zero.
        self.fresh.push(score + 0.0);
        if self.fresh.len() >= self.limit.max(FRESH_MIN) {
            self.settle();
        }
    }

    /// Takes in the scores of another cell.
    pub(crate) fn join(&mut self, mut other: Scores) {
        self.settle();
        other.settle();
        self.merge(other.values, other.counts);
    }

    /// The same with every score sorted in.
    pub(crate) fn settled(mut self) -> Scores {
        self.settle();
        self
    }

    /// The lowest and the highest score sorted in.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        Some((*self.values.first()?, *self.values.last()?))
    }

    /// The distinct scores, ascending, and how often each occurs; no counts where each occurs once.
    pub(crate) fn finish(mut self) -> (Vec<f64>, Vec<u64>) {
        self.settle();
        (self.values, self.counts)
    }

    fn settle(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        sort(&mut fresh);
        let n_fresh = fresh.len();
        let n_different = 1 + fresh.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let counts = if n_different == n_fresh {
            Vec::new()
        } else {
            let mut counts = Vec::with_capacity(n_different);
            counts.extend(
                fresh
                    .chunk_by(|one, other| one == other)
                    .map(|run| run.len() as u64),
            );
            fresh.dedup();
            counts
        };
        self.merge(fresh, counts);
        let mostly_differ = 2 * n_different > n_fresh;
        self.limit = self
            .values
            .len()
            .max(if mostly_differ { FRESH_MANY } else { 0 });
    }

    /// Takes in distinct ascending values with their counts.
    fn merge(&mut self, values: Vec<f64>, counts: Vec<u64>) {
        let (Some(last), Some(first)) = (self.values.last(), values.first()) else {
            if self.values.is_empty() {
                (self.values, self.counts) = (values, counts);
            }
            return;
        };
        let follows = last < first;
        if follows && self.counts.is_empty() && counts.is_empty() {
            self.values.extend(values);
            return;
        }
        let mine = filled(std::mem::take(&mut self.counts), self.values.len());
        let theirs = filled(counts, values.len());
        let old = std::mem::take(&mut self.values);
        (self.values, self.counts) = merged((&old, &mine), (&values, &theirs));
        if self.counts.iter().all(|n| *n == 1) {
            self.counts = Vec::new();
        }
    }
}

/// Sorts finite numbers, by the bytes of their bits from the last to the first where there are many of them.
///
/// The bits of a number at or above zero rise with it; those of one below fall, and are turned round.
fn sort(numbers: &mut Vec<f64>) {
    if numbers.len() < RADIX_MIN {
        numbers.sort_unstable_by(f64::total_cmp);
        return;
    }
    const SIGN: u64 = 1 << 63;
    let key = |number: f64| match number.to_bits() {
        bits if bits & SIGN == 0 => bits | SIGN,
        bits => !bits,
    };
    let number = |key: u64| f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN });
    let mut keys: Vec<u64> = numbers.iter().map(|number| key(*number)).collect();
    let mut counts = vec![[0_usize; 256]; 8];
    for key in &keys {
        for (place, counts) in counts.iter_mut().enumerate() {
            counts[(key >> (8 * place)) as usize & 255] += 1;
        }
    }
    let mut other = vec![0; keys.len()];
    for (place, counts) in counts.iter().enumerate() {
        // Where all have the same byte there is nothing to move.
        if counts.contains(&keys.len()) {
            continue;
        }
        let mut starts = [0; 256];
        let mut start = 0;
        for (begins, n) in starts.iter_mut().zip(counts) {
            *begins = start;
            start += n;
        }
        for key in &keys {
            let begins = &mut starts[(key >> (8 * place)) as usize & 255];
            other[*begins] = *key;
            *begins += 1;
        }
        std::mem::swap(&mut keys, &mut other);
    }
    numbers.clear();
    numbers.extend(keys.into_iter().map(number));
}

fn filled(counts: Vec<u64>, n: usize) -> Vec<u64> {
    if counts.is_empty() {
        vec![1; n]
    } else {
        counts
    }
}

/// Distinct ascending values with their counts.
type Counted<'a> = (&'a [f64], &'a [u64]);

fn merged(one: Counted<'_>, other: Counted<'_>) -> (Vec<f64>, Vec<u64>) {
    let n_most = one.0.len() + other.0.len();
    let (mut values, mut counts) = (Vec::with_capacity(n_most), Vec::with_capacity(n_most));
    let (mut mine, mut theirs) = (0, 0);
    while mine < one.0.len() || theirs < other.0.len() {
        let left = one.0.get(mine).copied().unwrap_or(f64::INFINITY);
        let right = other.0.get(theirs).copied().unwrap_or(f64::INFINITY);
        let score = left.min(right);
        let mut n = 0;
        if left == score {
            n += one.1[mine];
            mine += 1;
        }
        if right == score {
            n += other.1[theirs];
            theirs += 1;
        }
        values.push(score);
        counts.push(n);
    }
    (values, counts)
}

/// A sum kept in twice the digits of `f64`, so that the order of the terms does not show in the result.
///
/// Source: Dekker 1971, Numerische Mathematik 18, 224-242.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        self.add_parts(term, 0.0);
    }

    /// Adds the square of a number, exactly.
    pub(crate) fn add_square(&mut self, number: f64) {
        let high = number * number;
        self.add_parts(high, number.mul_add(number, -high));
    }

    fn add_parts(&mut self, high: f64, low: f64) {
        let sum = self.high + high;
        let back = sum - self.high;
        let rest = (self.high - (sum - back)) + (high - back) + self.low + low;
        self.high = sum + rest;
        self.low = rest - (self.high - sum);
    }

    pub(crate) fn value(&self) -> f64 {
        self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_scores_are_counted_by_value_in_any_order() {
        let mut scores = Scores::default();
        let n = 3 * FRESH_MIN + 17;
        for at in 0..n {
            scores.push(((at * 7919) % 1000) as f64 - 500.0);
        }
        assert!(scores.values.len() <= 1000 && scores.fresh.len() < 2 * FRESH_MIN);
        let (values, counts) = scores.finish();
        assert_eq!(values.len(), 1000);
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(counts.iter().sum::<u64>(), n as u64);
    }

    #[test]
    fn parts_with_and_without_repeated_scores_join() {
        let of = |scores: &[f64]| {
            let mut gathered = Scores::default();
            scores.iter().for_each(|score| gathered.push(*score));
            gathered
        };
        let joined = |parts: [&[f64]; 2]| {
            let mut one = of(parts[0]);
            one.join(of(parts[1]));
            one.finish()
        };
        assert_eq!(
            joined([&[2.0, 1.0], &[4.0, 3.0]]),
            (vec![1.0, 2.0, 3.0, 4.0], vec![])
        );
        assert_eq!(joined([&[1.0, 3.0], &[2.0]]), (vec![1.0, 2.0, 3.0], vec![]));
        assert_eq!(joined([&[1.0, 1.0], &[2.0]]), (vec![1.0, 2.0], vec![2, 1]));
        assert_eq!(joined([&[1.0], &[1.0, 0.0]]), (vec![0.0, 1.0], vec![1, 2]));
        assert_eq!(joined([&[], &[1.0]]), (vec![1.0], vec![]));
        assert_eq!(joined([&[1.0], &[]]), (vec![1.0], vec![]));
    }

    #[test]
    fn many_numbers_are_sorted_as_few_are() {
        let mut state = 7_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f64::from_bits(state ^ state >> 29)
        };
        let mut numbers: Vec<f64> = (0..3 * RADIX_MIN)
            .map(|_| random())
            .filter(|n| n.is_finite())
            .collect();
        numbers.extend([
            0.0,
            -1.0,
            1.0,
            f64::MIN,
            f64::MAX,
            f64::MIN_POSITIVE,
            -f64::MIN_POSITIVE,
        ]);
        let mut want = numbers.clone();
        want.sort_by(f64::total_cmp);
        sort(&mut numbers);
        assert_eq!(numbers, want);
    }

    #[test]
    fn the_order_of_terms_does_not_show() {
        let terms: Vec<f64> = (1..2000).map(|at| 1.0 / f64::from(at)).collect();
        let sum = |terms: &mut dyn Iterator<Item = &f64>| {
            let mut sum = Sum::default();
            terms.for_each(|term| sum.add(*term));
            sum.value()
        };
        assert_eq!(sum(&mut terms.iter()), sum(&mut terms.iter().rev()));
    }
}
