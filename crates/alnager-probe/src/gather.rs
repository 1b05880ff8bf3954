//! What is gathered row by row besides counts: scores by value, and sums that do not depend on the order of the rows.

/// Scores gathered before they are sorted into what is there.
const FRESH_MIN: usize = 1 << 15;

/// The scores of a cell: distinct values with their counts, and those not sorted in yet.
///
/// As large as the number of different values, never as the number of rows: fresh scores are sorted in once there are as many of
/// them as different ones are known.
#[derive(Default)]
pub(crate) struct Scores {
    values: Vec<f64>,
    counts: Vec<u64>,
    fresh: Vec<f64>,
}

impl Scores {
    /// Takes in a finite score.
    pub(crate) fn push(&mut self, score: f64) {
        // Minus zero is zero.
        self.fresh.push(score + 0.0);
        if self.fresh.len() >= FRESH_MIN && self.fresh.len() >= self.values.len() {
            self.settle();
        }
    }

    /// Takes in the scores of another cell.
    pub(crate) fn join(&mut self, other: Scores) {
        self.settle();
        let (values, counts) = other.finish();
        self.merge(&values, &counts);
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

    /// The distinct scores, ascending, and how often each occurs.
    pub(crate) fn finish(mut self) -> (Vec<f64>, Vec<u64>) {
        self.settle();
        (self.values, self.counts)
    }

    fn settle(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable_by(f64::total_cmp);
        let (mut values, mut counts): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
        for score in &fresh {
            match values.last() {
                Some(last) if last == score => {
                    if let Some(n) = counts.last_mut() {
                        *n += 1;
                    }
                }
                Some(_) | None => {
                    values.push(*score);
                    counts.push(1);
                }
            }
        }
        fresh.clear();
        self.fresh = fresh;
        self.merge(&values, &counts);
    }

    fn merge(&mut self, values: &[f64], counts: &[u64]) {
        if self.values.is_empty() {
            self.values = values.to_vec();
            self.counts = counts.to_vec();
            return;
        }
        let n_most = self.values.len() + values.len();
        let (mut merged, mut numbers) = (Vec::with_capacity(n_most), Vec::with_capacity(n_most));
        let (mut mine, mut theirs) = (0, 0);
        while mine < self.values.len() || theirs < values.len() {
            let left = self.values.get(mine).copied().unwrap_or(f64::INFINITY);
            let right = values.get(theirs).copied().unwrap_or(f64::INFINITY);
            let score = left.min(right);
            let mut n = 0;
            if left == score {
                n += self.counts[mine];
                mine += 1;
            }
            if right == score {
                n += counts[theirs];
                theirs += 1;
            }
            merged.push(score);
            numbers.push(n);
        }
        self.values = merged;
        self.counts = numbers;
    }
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
        assert!(scores.values.len() <= 1000);
        let (values, counts) = scores.finish();
        assert_eq!(values.len(), 1000);
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(counts.iter().sum::<u64>(), n as u64);
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
