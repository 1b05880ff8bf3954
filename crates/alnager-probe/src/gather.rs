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
    /// Scores that came with their counts, not sorted in yet.
    fresh_counted: Vec<(f64, u64)>,
    /// Fresh scores at which they are sorted in.
    limit: usize,
}

/// Room to sort in, used again and again.
#[derive(Default)]
pub(crate) struct Room(Vec<u64>);

impl Scores {
    /// Takes in a finite score.
    pub(crate) fn push(&mut self, score: f64) {
        // Minus zero is zero.
        self.fresh.push(score + 0.0);
        if self.fresh.len() >= self.limit.max(FRESH_MIN) {
            self.make_room();
        }
    }

    /// Takes in a finite score that `n` rows have.
    pub(crate) fn push_times(&mut self, score: f64, n: u64) {
        self.fresh_counted.push((score + 0.0, n));
    }

    /// Takes in the scores of another cell.
    pub(crate) fn join(&mut self, mut other: Scores, room: &mut Room) {
        self.settle(room);
        other.settle(room);
        self.merge(other.values, other.counts);
    }

    /// The same with every score sorted in.
    pub(crate) fn settled(mut self, room: &mut Room) -> Scores {
        self.settle(room);
        self
    }

    /// The lowest and the highest score sorted in.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        Some((*self.values.first()?, *self.values.last()?))
    }

    /// The distinct scores, ascending, and how often each occurs; no counts where each occurs once.
    pub(crate) fn finish(mut self) -> (Vec<f64>, Vec<u64>) {
        self.settle(&mut Room::default());
        (self.values, self.counts)
    }

    /// Sorts the fresh scores in, and says how many more may be gathered before that is done again.
    fn make_room(&mut self) {
        let n_before = self.values.len();
        let n_fresh = self.fresh.len();
        self.settle(&mut Room::default());
        let mostly_differ = 2 * (self.values.len() - n_before) > n_fresh;
        let n_many = if mostly_differ { FRESH_MANY } else { 0 };
        self.limit = self.values.len().max(n_many);
        if self.counts.is_empty() && self.values.len() < n_many {
            // None came twice: they are sorted once more with those to come, which is less work than merging the two.
            std::mem::swap(&mut self.fresh, &mut self.values);
        }
    }

    fn settle(&mut self, room: &mut Room) {
        if !self.fresh_counted.is_empty() {
            let mut counted = std::mem::take(&mut self.fresh_counted);
            counted.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
            let (mut values, mut counts) = (Vec::new(), Vec::<u64>::new());
            for (value, n) in counted {
                match counts.last_mut() {
                    Some(count) if values.last() == Some(&value) => *count += n,
                    _ => {
                        values.push(value);
                        counts.push(n);
                    }
                }
            }
            self.merge(values, counts);
        }
        if self.fresh.is_empty() {
            return;
        }
        let (values, counts) = counted(sorted(std::mem::take(&mut self.fresh), room));
        self.merge(values, counts);
    }

    /// Takes in distinct ascending values with their counts.
    fn merge(&mut self, mut values: Vec<f64>, mut counts: Vec<u64>) {
        if values.first() < self.values.first() {
            std::mem::swap(&mut self.values, &mut values);
            std::mem::swap(&mut self.counts, &mut counts);
        }
        let (Some(last), Some(first)) = (self.values.last(), values.first()) else {
            if self.values.is_empty() {
                (self.values, self.counts) = (values, counts);
            }
            return;
        };
        let is_plain = self.counts.is_empty() && counts.is_empty();
        if last < first && is_plain {
            self.values.extend(values);
        } else if is_plain {
            (self.values, self.counts) = counted(interleaved(&self.values, &values));
        } else {
            let mine = filled(std::mem::take(&mut self.counts), self.values.len());
            let theirs = filled(counts, values.len());
            let old = std::mem::take(&mut self.values);
            (self.values, self.counts) = merged((&old, &mine), (&values, &theirs));
        }
    }
}

/// The distinct values of ascending ones, and how often each occurs; no counts where each occurs once.
fn counted(mut values: Vec<f64>) -> (Vec<f64>, Vec<u64>) {
    let n_again = values.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if n_again == 0 {
        return (values, Vec::new());
    }
    let mut counts = Vec::with_capacity(values.len() - n_again);
    let runs = values.chunk_by(|one, other| one == other);
    counts.extend(runs.map(|run| run.len() as u64));
    values.dedup();
    (values, counts)
}

/// Sorts finite numbers, by their leading bytes where there are many of them.
///
/// The bits of a number at or above zero rise with it; those of one below fall, and are turned round.
fn sorted(mut numbers: Vec<f64>, room: &mut Room) -> Vec<f64> {
    if numbers.len() < RADIX_MIN {
        numbers.sort_unstable_by(f64::total_cmp);
        return numbers;
    }
    const SIGN: u64 = 1 << 63;
    let key = |number: f64| match number.to_bits() {
        bits if bits & SIGN == 0 => bits | SIGN,
        bits => !bits,
    };
    let number = |key: u64| f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN });
    // Both ways in place: numbers and keys are of one size.
    let keys = sorted_keys(numbers.into_iter().map(key).collect(), room);
    keys.into_iter().map(number).collect()
}

/// Sorts by the five leading bytes, from the last of them to the first; the few that agree in those are then sorted by comparing.
fn sorted_keys(mut keys: Vec<u64>, room: &mut Room) -> Vec<u64> {
    const LEADING: usize = 5;
    const REST: u32 = 64 - 8 * LEADING as u32;
    let digit = |key: u64, place: usize| (key >> REST >> (8 * place)) as usize & 255;
    let mut counts = [[0_usize; 256]; LEADING];
    for key in &keys {
        for (place, counts) in counts.iter_mut().enumerate() {
            counts[digit(*key, place)] += 1;
        }
    }
    let other = &mut room.0;
    other.resize(keys.len().max(other.len()), 0);
    let n = keys.len();
    let mut is_turned = false;
    for (place, counts) in counts.iter().enumerate() {
        // Where all have the same byte there is nothing to move.
        if counts.contains(&n) {
            continue;
        }
        let mut starts = [0; 256];
        let mut start = 0;
        for (begins, n) in starts.iter_mut().zip(counts) {
            *begins = start;
            start += n;
        }
        let (from, to) = match is_turned {
            false => (&keys[..n], &mut other[..n]),
            true => (&other[..n], &mut keys[..n]),
        };
        for key in from {
            let begins = &mut starts[digit(*key, place)];
            to[*begins] = *key;
            *begins += 1;
        }
        is_turned = !is_turned;
    }
    if is_turned {
        keys.copy_from_slice(&other[..n]);
    }
    for alike in keys.chunk_by_mut(|one, other| one >> REST == other >> REST) {
        if alike.len() > 1 {
            alike.sort_unstable();
        }
    }
    keys
}

fn filled(counts: Vec<u64>, n: usize) -> Vec<u64> {
    if counts.is_empty() {
        vec![1; n]
    } else {
        counts
    }
}

/// All values of two ascending lists, ascending; neither is empty.
fn interleaved(one: &[f64], other: &[f64]) -> Vec<f64> {
    let mut values = Vec::with_capacity(one.len() + other.len());
    let (mut mine, mut theirs) = (0, 0);
    while mine < one.len() && theirs < other.len() {
        let (left, right) = (one[mine], other[theirs]);
        let is_theirs = right < left;
        values.push(if is_theirs { right } else { left });
        mine += usize::from(!is_theirs);
        theirs += usize::from(is_theirs);
    }
    values.extend_from_slice(&one[mine..]);
    values.extend_from_slice(&other[theirs..]);
    values
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

    /// Adds `n` times a number, exactly as long as `n` is below 2^53.
    pub(crate) fn add_times(&mut self, number: f64, n: u64) {
        let n = n as f64;
        let high = number * n;
        self.add_parts(high, number.mul_add(n, -high));
    }

    /// Adds `n` times the square of a number.
    pub(crate) fn add_square_times(&mut self, number: f64, n: u64) {
        let n = n as f64;
        let square = number * number;
        let rest = number.mul_add(number, -square);
        let high = square * n;
        self.add_parts(high, square.mul_add(n, -high) + rest * n);
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
    fn a_score_with_its_count_is_that_score_so_often() {
        let (mut counted, mut each) = (Scores::default(), Scores::default());
        for (score, n) in [(0.5, 3), (-1.0, 1), (0.25, 70_000), (0.5, 2)] {
            counted.push_times(score, n);
            (0..n).for_each(|_| each.push(score));
        }
        counted.push(0.25);
        each.push(0.25);
        let (values, counts) = counted.finish();
        assert_eq!(
            (&values, &counts),
            (&vec![-1.0, 0.25, 0.5], &vec![1, 70_001, 5])
        );
        assert_eq!((values, counts), each.finish());

        let (mut times, mut one_by_one) = ([Sum::default(); 2], [Sum::default(); 2]);
        for (weight, n) in [(0.1, 7), (3.5, 1), (1e-3, 10_000)] {
            times[0].add_times(weight, n);
            times[1].add_square_times(weight, n);
            for _ in 0..n {
                one_by_one[0].add(weight);
                one_by_one[1].add_square(weight);
            }
        }
        let value = |sum: Sum| sum.value();
        assert_eq!(times.map(value), one_by_one.map(value));
    }

    #[test]
    fn scores_that_all_differ_are_gathered_on() {
        let mut scores = Scores::default();
        let n = FRESH_MIN + 100;
        (0..n).for_each(|at| scores.push(((at * 7919) % n) as f64));
        assert!(scores.values.is_empty() && scores.limit == FRESH_MANY);
        scores.push(5.0);
        let (values, counts) = scores.finish();
        assert!(
            values
                .iter()
                .enumerate()
                .all(|(at, value)| *value == at as f64)
        );
        assert_eq!((values.len(), counts[5], counts[6]), (n, 2, 1));
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
            one.join(of(parts[1]), &mut Room::default());
            one.finish()
        };
        assert_eq!(
            joined([&[2.0, 1.0], &[4.0, 3.0]]),
            (vec![1.0, 2.0, 3.0, 4.0], vec![])
        );
        assert_eq!(joined([&[1.0, 3.0], &[2.0]]), (vec![1.0, 2.0, 3.0], vec![]));
        assert_eq!(
            joined([&[4.0, 3.0], &[2.0, 1.0]]),
            (vec![1.0, 2.0, 3.0, 4.0], vec![])
        );
        assert_eq!(
            joined([&[1.0, 2.0, 3.0], &[3.0, 2.0]]),
            (vec![1.0, 2.0, 3.0], vec![1, 2, 2])
        );
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
        // Many that differ in their last bytes only, and room that is larger than needed.
        numbers
            .extend((0..2000_u64).map(|at| f64::from_bits(1.5_f64.to_bits() + (at * 7919) % 2000)));
        let mut want = numbers.clone();
        want.sort_by(f64::total_cmp);
        let mut room = Room(vec![7; 2 * numbers.len()]);
        assert_eq!(sorted(numbers, &mut room), want);
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
