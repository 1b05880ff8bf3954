//! Subgroups that a decision treats worst: found on one half of the rows, confirmed on the other.
//!
//! A slice fixes the values of up to three features, protected or not. On the exploring half every slice with enough rows is
//! counted; the most remarkable ones that say something of their own are carried over. On the held-out half each of them is held
//! against everybody else, corrected for their number. So the search itself can raise no alarm: rows that were looked at confirm
//! nothing, and only what they suggested is asked of the others.
//!
//! To say something of its own a slice must differ by three comparisons: from everybody else; from the rest of each slice that is
//! one feature wider; and from everybody else again without the rows of the slices named before it. All three are made on both
//! halves, and the largest of their p-values counts (an intersection-union test: Berger 1982, Technometrics 24, 295-300), so a part
//! of a conspicuous slice, or a slice that only holds one, is not confirmed for that alone.
//!
//! What makes a slice remarkable is the score statistic of its difference to everybody else: a wider slice dilutes what is there
//! and a narrower one has fewer rows, so it is largest where the slice is the one that matters (as a scan statistic, Kulldorff 1997,
//! Communications in Statistics 26, 1481-1496). Slices below a minimum of rows are never made longer, which loses nothing
//! (SliceLine, Sagadeeva and Boehm 2021, ACM SIGMOD, 2290-2299). Every other slice is counted, none is estimated.

use std::collections::BTreeMap;

use alnager_stats::compare;
use alnager_stats::correct;
use alnager_stats::proportion::{Interval, Proportion, z_for};
use alnager_stats::random::is_held_out;
use alnager_stats::rank;
use alnager_stats::sample::Sample;

use crate::declared::UNKNOWN_GROUP;
use crate::texts::Texts;

/// The most features a slice fixes.
pub const DEPTH_MAX: usize = 3;

/// Standard errors that are more than noise: of a slice to be carried over, of a deeper slice beside each slice that is one
/// feature wider, and of what is left of a slice without those already taken.
pub const NOISE_SE: f64 = 2.0;

/// Slices that share at least this part of their rows are two descriptions of one.
pub const ALIKE_JACCARD: f64 = 0.5;

/// Remarkable slices kept while counting; the least remarkable are dropped beyond twice as many.
const CANDIDATES_MAX: usize = 20_000;

/// Remarkable slices looked at one by one before the list counts as full.
const EXAMINED_MAX: usize = 2_000;

/// Other descriptions of a slice that are kept.
const ALIKE_MAX: usize = 3;

/// A column as slices use it: one of few levels a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The name of the column.
    pub name: String,
    /// The names of its levels: its texts, or ranges of its numbers, or `(unknown)`.
    pub levels: Vec<String>,
    /// The level of each row, a position in `levels`.
    pub codes: Vec<u16>,
    /// Where the ranges of a column of numbers part; empty for texts. A range begins with its cut.
    pub cuts: Vec<f64>,
}

impl Feature {
    /// The texts as levels; those unknown are a level of their own, where there are any. `None` above 65,534 different texts.
    pub fn categories(texts: &Texts) -> Option<Feature> {
        let n_values = u16::try_from(texts.values().len())
            .ok()
            .filter(|n| *n < u16::MAX)?;
        let codes: Vec<u16> = (0..texts.n_rows())
            .map(|row| texts.at(row).map_or(n_values, |at| at as u16))
            .collect();
        let mut levels = texts.values().to_vec();
        if codes.contains(&n_values) {
            levels.push(UNKNOWN_GROUP.to_owned());
        }
        Some(Feature {
            name: texts.column().to_owned(),
            levels,
            codes,
            cuts: Vec::new(),
        })
    }

    /// Numbers parted into about `n_bins` ranges of equally many rows of the exploring half, none of under `rows_min` of them;
    /// NaN is unknown.
    ///
    /// From the lowest number on, a range ends with the number that fills it, or before it where many rows share that number; so a
    /// number of most rows has a range of its own. What is left above is one range, or goes to the last where it is too small.
    pub fn bins(name: &str, numbers: &[f64], seed: u64, n_bins: usize, rows_min: u64) -> Feature {
        let mut explored: Vec<f64> = numbers
            .iter()
            .enumerate()
            .filter(|(row, number)| !number.is_nan() && !is_held_out(*row as u64, seed))
            .map(|(_, number)| number + 0.0)
            .collect();
        explored.sort_unstable_by(f64::total_cmp);
        let cuts = cuts(&explored, n_bins, rows_min as usize);
        let mut levels = range_names(&cuts);
        let n_ranges = levels.len() as u16;
        let code = |number: &f64| match number.is_nan() {
            true => n_ranges,
            false => cuts.partition_point(|cut| cut <= number) as u16,
        };
        let codes: Vec<u16> = numbers.iter().map(code).collect();
        if codes.contains(&n_ranges) {
            levels.push(UNKNOWN_GROUP.to_owned());
        }
        Feature {
            name: name.to_owned(),
            levels,
            codes,
            cuts,
        }
    }
}

/// The numbers at which a range begins, of numbers that ascend.
fn cuts(ascending: &[f64], n_bins: usize, rows_min: usize) -> Vec<f64> {
    let n_all = ascending.len();
    let rows_min = rows_min.max(1);
    let n_full = n_all.div_ceil(n_bins.max(1)).max(rows_min);
    let mut cuts = Vec::new();
    let mut start = 0;
    while n_all - start > n_full {
        let last = ascending[start + n_full - 1];
        // A number that several rows share goes to one range: to this one, or to the next where that leaves this one fuller.
        let before = ascending.partition_point(|number| *number < last) - start;
        let after = ascending.partition_point(|number| *number <= last) - start;
        let goes_on =
            before >= rows_min && (n_full - before < after - n_full || start + after == n_all);
        start += if goes_on { before } else { after };
        // The rest is a range of its own only where it is large enough.
        if n_all - start < rows_min {
            break;
        }
        cuts.push(ascending[start]);
    }
    cuts
}

/// `below 25`, `25 to below 45`, `45 and above`; `any number` without cuts.
fn range_names(cuts: &[f64]) -> Vec<String> {
    let (Some(first), Some(last)) = (cuts.first(), cuts.last()) else {
        return vec!["any number".to_owned()];
    };
    let between = cuts
        .windows(2)
        .map(|pair| format!("{} to below {}", pair[0], pair[1]));
    std::iter::once(format!("below {first}"))
        .chain(between)
        .chain([format!("{last} and above")])
        .collect()
}

/// What is measured of each row.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// Yes or no, such as a wrong decision; `None` for a row that does not count.
    Rate(&'a [Option<bool>]),
    /// A number, such as a score or a loss; NaN for a row that does not count.
    Mean(&'a [f64]),
}

impl Outcome<'_> {
    fn n_rows(self) -> usize {
        match self {
            Outcome::Rate(rows) => rows.len(),
            Outcome::Mean(rows) => rows.len(),
        }
    }

    /// The number of a row, 0 or 1 for a rate; `None` where the row does not count.
    fn at(self, row: usize) -> Option<f64> {
        match self {
            Outcome::Rate(rows) => rows[row].map(|yes| f64::from(u8::from(yes))),
            Outcome::Mean(rows) => Some(rows[row]).filter(|number| number.is_finite()),
        }
    }
}

/// Which way a slice must differ from everybody else to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Higher than everybody else.
    Higher,
    /// Lower.
    Lower,
    /// Either.
    Both,
}

impl Side {
    fn admits(self, difference: f64) -> bool {
        match self {
            Side::Higher => difference > 0.0,
            Side::Lower => difference < 0.0,
            Side::Both => difference != 0.0,
        }
    }
}

/// What is searched.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What is measured.
    pub outcome: Outcome<'a>,
    /// The features, as long as the outcome.
    pub features: &'a [Feature],
    /// The most features a slice fixes, 1..=[`DEPTH_MAX`].
    pub depth: usize,
    /// The rows a slice has at least, and leaves at least; half of them in the exploring half. 2 and above.
    pub rows_min: u64,
    /// The most slices carried over to the held-out half.
    pub tested_max: usize,
    /// Parts the rows, see [`is_held_out`].
    pub seed: u64,
    /// Which differences count.
    pub side: Side,
    /// 1 less the chance of a false alarm in the whole search, 0..1.
    pub confidence: f64,
}

/// A slice beside everybody else, in one half of the rows; only rows that count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The rows of the slice.
    pub n: u64,
    /// The rate or mean of the slice; `None` without rows.
    pub mean: Option<f64>,
    /// Everybody else's rows.
    pub n_rest: u64,
    /// Their rate or mean.
    pub mean_rest: Option<f64>,
}

impl Part {
    /// The slice's less everybody else's, in units of the outcome.
    pub fn difference(&self) -> Option<f64> {
        Some(self.mean? - self.mean_rest?)
    }
}

/// A slice that was carried over, with what the held-out half says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The features it fixes, ascending, each with its level: positions in [`Asked::features`] and in [`Feature::levels`].
    pub fixed: Vec<(usize, usize)>,
    /// Other slices of mostly the same rows, at most three.
    pub alike: Vec<Vec<(usize, usize)>>,
    /// All its rows, in both halves and whether they count or not.
    pub n_rows: u64,
    /// In the half in which it was found: larger than the truth, because the largest was looked for.
    pub explored: Part,
    /// In the other half.
    pub held_out: Part,
    /// The chance of such a difference to everybody else in the held-out half were there none, two-sided: Fisher's exact test of a
    /// rate, Welch's of a mean. `None` where there are no rows to compare, or no number differs.
    pub p_everybody: Option<f64>,
    /// The largest p of its comparisons in the held-out half, each one-sided: the side is that of the exploring half, so it was
    /// fixed before these rows were looked at. `None` where a comparison could not be made.
    pub p: Option<f64>,
    /// The same, corrected for the number of slices carried over (Holm).
    pub p_holm: Option<f64>,
    /// Of the difference to everybody else in the held-out half, for all slices carried over at once: Newcombe's of a rate, Welch's standard error
    /// with the normal point for a mean, each at 1 less an equal part of the error (Bonferroni).
    pub interval: Option<Interval>,
    /// Whether the corrected p is at most the error allowed.
    pub is_confirmed: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The slices carried over, the most remarkable of the exploring half first.
    pub slices: Vec<Slice>,
    /// Rows that count in the exploring half.
    pub n_explored: u64,
    /// Rows that count in the held-out half.
    pub n_held_out: u64,
    /// Slices with enough rows, all of which were counted.
    pub n_searched: u64,
}

/// Searches and confirms.
///
/// `None` if a feature differs in length, the depth is not 1..=3, the confidence is not 0..1 or the minimum is under 2.
/// Cost: one pass over the exploring half per set of up to `depth` features, and up to 2,000 passes over bits to sort out what
/// says the same; linear in the rows. `progress` is told how many sets of features were counted, and of how many.
pub fn search(asked: &Asked, progress: &dyn Fn(u64, u64)) -> Option<Found> {
    let n_rows = asked.outcome.n_rows();
    let fit = asked
        .features
        .iter()
        .all(|feature| feature.codes.len() == n_rows);
    let depths = 1..=DEPTH_MAX;
    if !fit
        || !depths.contains(&asked.depth)
        || !(0.0..1.0).contains(&asked.confidence)
        || asked.rows_min < 2
    {
        return None;
    }
    let explored = Half::of(asked, false);
    let mut candidates = Candidates::new(asked);
    explored.count_all(asked, &mut candidates, progress);
    let n_searched = candidates.n_searched;
    let chosen = choose(asked, &explored, candidates.ranked());
    let held_out = Half::of(asked, true);
    let slices = confirm(asked, &held_out, &explored, &chosen);
    Some(Found {
        slices,
        n_explored: explored.values.len() as u64,
        n_held_out: held_out.values.len() as u64,
        n_searched,
    })
}

// ---------------------------------------------------------------------------------------------------------------------------
// Counting

/// The rows of one half that count.
struct Half<'a> {
    features: &'a [Feature],
    /// Their numbers in the data.
    rows: Vec<u32>,
    /// Their values, less the mean.
    values: Vec<f64>,
    mean: f64,
    /// The mean of the squares of `values`.
    variance: f64,
}

/// The rows of a slice and the sum of their values, less what as many rows have on the average.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    n: u32,
    sum: f64,
}

/// A feature's levels as far as they have enough rows; the others share the last place.
struct Levels {
    /// Of each row of the half.
    codes: Vec<u32>,
    /// The level at each place but the last.
    levels: Vec<usize>,
}

impl<'a> Half<'a> {
    fn of(asked: &Asked<'a>, held_out: bool) -> Half<'a> {
        let n_rows = asked.outcome.n_rows();
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for row in 0..n_rows {
            if is_held_out(row as u64, asked.seed) == held_out
                && let Some(value) = asked.outcome.at(row)
            {
                rows.push(row as u32);
                values.push(value);
            }
        }
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        values.iter_mut().for_each(|value| *value -= mean);
        let variance = values.iter().map(|value| value * value).sum::<f64>() / n;
        Half {
            features: asked.features,
            rows,
            values,
            mean,
            variance,
        }
    }

    /// Standard errors of the difference between two sets of rows, were all rows alike; 0 where one is empty or nothing varies.
    fn z(&self, one: Tally, other: Tally) -> f64 {
        let (n_one, n_other) = (f64::from(one.n), f64::from(other.n));
        let se = (self.variance * (1.0 / n_one + 1.0 / n_other)).sqrt();
        let z = (one.sum / n_one - other.sum / n_other) / se;
        if z.is_finite() { z } else { 0.0 }
    }

    fn all(&self) -> Tally {
        Tally {
            n: self.values.len() as u32,
            sum: self.values.iter().sum(),
        }
    }

    /// Counts every slice of every set of up to `depth` features.
    fn count_all(&self, asked: &Asked, candidates: &mut Candidates, progress: &dyn Fn(u64, u64)) {
        let rows_min = rows_min_explored(asked);
        let all = self.all();
        let features: Vec<Levels> = (0..self.features.len())
            .map(|at| self.levels(at, rows_min))
            .collect();
        let n_sets = features.len() * features.len();
        let mut room = Vec::new();
        for (one, levels_one) in features.iter().enumerate() {
            self.count(None, levels_one, &mut room);
            for (place, &level) in levels_one.levels.iter().enumerate() {
                candidates.meet(self, &[(one, level)], room[place], all);
            }
            if asked.depth < 2 || levels_one.levels.is_empty() {
                continue;
            }
            for (two, levels_two) in features.iter().enumerate().skip(one + 1) {
                progress((one * features.len() + two) as u64, n_sets as u64);
                let pairs = self.count(Some(levels_one), levels_two, &mut room);
                let (joint, met) = frequent(&pairs, &room, levels_one, levels_two, rows_min);
                for &(first, second, tally) in &met {
                    candidates.meet(self, &[(one, first), (two, second)], tally, all);
                }
                if asked.depth < 3 || met.is_empty() {
                    continue;
                }
                for (three, levels_three) in features.iter().enumerate().skip(two + 1) {
                    self.count(Some(&joint), levels_three, &mut room);
                    let width = levels_three.levels.len() + 1;
                    for (place, tallies) in room.chunks(width).take(met.len()).enumerate() {
                        let (first, second, _) = met[place];
                        for (&third, &tally) in levels_three.levels.iter().zip(tallies) {
                            if tally.n >= rows_min {
                                let fixed = [(one, first), (two, second), (three, third)];
                                candidates.meet(self, &fixed, tally, all);
                            }
                        }
                    }
                }
            }
        }
    }

    fn levels(&self, feature: usize, rows_min: u32) -> Levels {
        let feature = &self.features[feature];
        let mut counts = vec![0_u32; feature.levels.len()];
        for &row in &self.rows {
            counts[usize::from(feature.codes[row as usize])] += 1;
        }
        let levels: Vec<usize> = (0..counts.len())
            .filter(|level| counts[*level] >= rows_min)
            .collect();
        let mut places = vec![levels.len() as u32; counts.len()];
        for (place, level) in levels.iter().enumerate() {
            places[*level] = place as u32;
        }
        let of_row = |row: &u32| places[usize::from(feature.codes[*row as usize])];
        Levels {
            codes: self.rows.iter().map(of_row).collect(),
            levels,
        }
    }

    /// Tallies the rows by place into `room`: by `below` alone, or by both, `below` running fastest; gives the place of each row.
    fn count(&self, above: Option<&Levels>, below: &Levels, room: &mut Vec<Tally>) -> Vec<u32> {
        let width = below.levels.len() as u32 + 1;
        let height = above.map_or(1, |above| above.levels.len() + 1);
        room.clear();
        room.resize(height * width as usize, Tally::default());
        let mut add = |place: u32, value: f64| {
            let tally = &mut room[place as usize];
            tally.n += 1;
            tally.sum += value;
        };
        match above {
            None => {
                for (&place, &value) in below.codes.iter().zip(&self.values) {
                    add(place, value);
                }
                Vec::new()
            }
            Some(above) => {
                let codes = above.codes.iter().zip(&below.codes);
                let places: Vec<u32> = codes.map(|(one, two)| one * width + two).collect();
                for (&place, &value) in places.iter().zip(&self.values) {
                    add(place, value);
                }
                places
            }
        }
    }
}

/// The rows a slice has at least in the exploring half.
fn rows_min_explored(asked: &Asked) -> u32 {
    u32::try_from(asked.rows_min.div_ceil(2))
        .unwrap_or(u32::MAX)
        .max(1)
}

/// The pairs of levels with enough rows, and the two features as one of which only these have a place.
fn frequent(
    places: &[u32],
    tallies: &[Tally],
    one: &Levels,
    two: &Levels,
    rows_min: u32,
) -> (Levels, Vec<(usize, usize, Tally)>) {
    let width = two.levels.len() + 1;
    let mut met = Vec::new();
    let mut new_places = vec![u32::MAX; tallies.len()];
    for (at_one, &first) in one.levels.iter().enumerate() {
        for (at_two, &second) in two.levels.iter().enumerate() {
            let place = at_one * width + at_two;
            if tallies[place].n >= rows_min {
                new_places[place] = met.len() as u32;
                met.push((first, second, tallies[place]));
            }
        }
    }
    let others = met.len() as u32;
    let joint = Levels {
        codes: places
            .iter()
            .map(|place| new_places[*place as usize].min(others))
            .collect(),
        levels: (0..met.len()).collect(),
    };
    (joint, met)
}

/// A slice as it was counted.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    fixed: [(usize, usize); DEPTH_MAX],
    n_fixed: usize,
    z: f64,
}

impl Candidate {
    fn fixed(&self) -> &[(usize, usize)] {
        &self.fixed[..self.n_fixed]
    }
}

/// The most remarkable slices so far.
struct Candidates {
    kept: Vec<Candidate>,
    n_searched: u64,
    rows_min: u32,
    side: Side,
}

impl Candidates {
    fn new(asked: &Asked) -> Candidates {
        Candidates {
            kept: Vec::new(),
            n_searched: 0,
            rows_min: rows_min_explored(asked),
            side: asked.side,
        }
    }

    fn meet(&mut self, half: &Half, fixed: &[(usize, usize)], tally: Tally, all: Tally) {
        let rest = Tally {
            n: all.n - tally.n,
            sum: all.sum - tally.sum,
        };
        if tally.n < self.rows_min || rest.n < self.rows_min {
            return;
        }
        self.n_searched += 1;
        let z = half.z(tally, rest);
        if z.abs() < NOISE_SE || !self.side.admits(z) {
            return;
        }
        let mut all_fixed = [(0, 0); DEPTH_MAX];
        all_fixed[..fixed.len()].copy_from_slice(fixed);
        self.kept.push(Candidate {
            fixed: all_fixed,
            n_fixed: fixed.len(),
            z,
        });
        if self.kept.len() >= 2 * CANDIDATES_MAX {
            self.sort();
            self.kept.truncate(CANDIDATES_MAX);
        }
    }

    /// Equal ones in the order of fewer features, then of position.
    fn sort(&mut self) {
        self.kept.sort_unstable_by(|one, other| {
            let by_z = other.z.abs().total_cmp(&one.z.abs());
            by_z.then_with(|| one.n_fixed.cmp(&other.n_fixed))
                .then_with(|| one.fixed.cmp(&other.fixed))
        });
    }

    fn ranked(mut self) -> Vec<Candidate> {
        self.sort();
        self.kept
    }
}

// ---------------------------------------------------------------------------------------------------------------------------
// Choosing

/// A slice chosen, and its rows in the exploring half as bits.
struct Chosen {
    fixed: Vec<(usize, usize)>,
    alike: Vec<Vec<(usize, usize)>>,
    bits: Vec<u64>,
}

/// The rows of each level met so far, as bits.
struct Bits<'h> {
    half: &'h Half<'h>,
    levels: BTreeMap<(usize, usize), Vec<u64>>,
}

impl Bits<'_> {
    fn of_level(&mut self, (feature, level): (usize, usize)) -> &[u64] {
        let half = self.half;
        self.levels.entry((feature, level)).or_insert_with(|| {
            let codes = &half.features[feature].codes;
            let mut bits = vec![0_u64; half.rows.len().div_ceil(64)];
            for (at, &row) in half.rows.iter().enumerate() {
                let is_in = usize::from(codes[row as usize]) == level;
                bits[at / 64] |= u64::from(is_in) << (at % 64);
            }
            bits
        })
    }

    fn of_slice(&mut self, fixed: &[(usize, usize)]) -> Vec<u64> {
        let mut bits = every(self.half.rows.len());
        for &literal in fixed {
            let level = self.of_level(literal);
            bits.iter_mut()
                .zip(level)
                .for_each(|(bits, level)| *bits &= level);
        }
        bits
    }

    fn tally(&self, bits: impl Iterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        for (at, mut word) in bits.enumerate() {
            tally.n += word.count_ones();
            while word != 0 {
                tally.sum += self.half.values[64 * at + word.trailing_zeros() as usize];
                word &= word - 1;
            }
        }
        tally
    }
}

/// Bits for all of `n` rows.
fn every(n: usize) -> Vec<u64> {
    let mut bits = vec![u64::MAX; n.div_ceil(64)];
    if let Some(last) = bits.last_mut()
        && !n.is_multiple_of(64)
    {
        *last = (1 << (n % 64)) - 1;
    }
    bits
}

fn without<'b>(bits: &'b [u64], others: &'b [u64]) -> impl Iterator<Item = u64> + 'b {
    bits.iter().zip(others).map(|(bits, others)| bits & !others)
}

/// Rows in both over rows in either.
fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let (mut both, mut either) = (0_u64, 0_u64);
    for (one, other) in one.iter().zip(other) {
        both += u64::from((one & other).count_ones());
        either += u64::from((one | other).count_ones());
    }
    both as f64 / either.max(1) as f64
}

/// The candidates that say something of their own, the most remarkable first.
fn choose(asked: &Asked, half: &Half, candidates: Vec<Candidate>) -> Vec<Chosen> {
    let mut bits = Bits {
        half,
        levels: BTreeMap::new(),
    };
    let mut chosen: Vec<Chosen> = Vec::new();
    for candidate in candidates.iter().take(EXAMINED_MAX) {
        if chosen.len() == asked.tested_max {
            break;
        }
        let rows = bits.of_slice(candidate.fixed());
        let same = chosen
            .iter_mut()
            .find(|chosen| jaccard(&chosen.bits, &rows) >= ALIKE_JACCARD);
        if let Some(same) = same {
            if same.alike.len() < ALIKE_MAX {
                same.alike.push(candidate.fixed().to_vec());
            }
            continue;
        }
        if is_more_than_noise(asked, &mut bits, candidate, &rows, &chosen) {
            chosen.push(Chosen {
                fixed: candidate.fixed().to_vec(),
                alike: Vec::new(),
                bits: rows,
            });
        }
    }
    chosen
}

/// The rows of a slice, and those it is held against beyond everybody else.
struct Comparison {
    one: Vec<u64>,
    other: Vec<u64>,
}

/// A slice against the rest of each slice that leaves one more feature open, and against everybody else without the rows of the
/// slices `before` it; those wider than it are not taken away, since it is held against them already.
fn comparisons(
    bits: &mut Bits,
    fixed: &[(usize, usize)],
    rows: &[u64],
    before: &[Chosen],
) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for left_out in (0..fixed.len()).filter(|_| fixed.len() > 1) {
        let mut wider = fixed.to_vec();
        wider.remove(left_out);
        let wider = bits.of_slice(&wider);
        comparisons.push(Comparison {
            one: rows.to_vec(),
            other: without(&wider, rows).collect(),
        });
    }
    let mut taken = vec![0_u64; rows.len()];
    let is_wider = |chosen: &&Chosen| chosen.fixed.iter().all(|wider| fixed.contains(wider));
    let narrower: Vec<&Chosen> = before.iter().filter(|chosen| !is_wider(chosen)).collect();
    for chosen in &narrower {
        let rows = bits.of_slice(&chosen.fixed);
        taken
            .iter_mut()
            .zip(rows)
            .for_each(|(taken, rows)| *taken |= rows);
    }
    if !narrower.is_empty() {
        let left: Vec<u64> = without(&every(bits.half.rows.len()), &taken).collect();
        comparisons.push(Comparison {
            one: without(rows, &taken).collect(),
            other: without(&left, rows).collect(),
        });
    }
    comparisons
}

/// Whether a candidate differs by more than noise in every comparison, each of enough rows.
fn is_more_than_noise(
    asked: &Asked,
    bits: &mut Bits,
    candidate: &Candidate,
    rows: &[u64],
    before: &[Chosen],
) -> bool {
    let comparisons = comparisons(bits, candidate.fixed(), rows, before);
    comparisons.iter().all(|comparison| {
        let one = bits.tally(comparison.one.iter().copied());
        let other = bits.tally(comparison.other.iter().copied());
        one.n >= rows_min_explored(asked)
            && bits.half.z(one, other) * candidate.z.signum() >= NOISE_SE
    })
}

// ---------------------------------------------------------------------------------------------------------------------------
// Confirming

/// Whether a row lies in a slice.
fn is_in(features: &[Feature], fixed: &[(usize, usize)], row: usize) -> bool {
    fixed
        .iter()
        .all(|&(feature, level)| usize::from(features[feature].codes[row]) == level)
}

/// Successes of `n` rows whose values are 0 and 1 but for rounding.
fn proportion(values: &[f64]) -> Option<Proportion> {
    let k = values.iter().filter(|value| **value > 0.5).count();
    Proportion::new(k as u64, values.len() as u64)
}

/// The values of the rows that some bits stand for.
fn values(half: &Half, bits: &[u64]) -> Vec<f64> {
    let is_set = |at: &usize| bits[at / 64] >> (at % 64) & 1 == 1;
    let rows = (0..half.values.len()).filter(is_set);
    rows.map(|at| half.values[at] + half.mean).collect()
}

fn part(outcome: Outcome, inside: &[f64], rest: &[f64]) -> Part {
    let mean = |values: &[f64]| match outcome {
        Outcome::Rate(_) => proportion(values).and_then(Proportion::value),
        Outcome::Mean(_) => {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        }
    };
    Part {
        n: inside.len() as u64,
        mean: mean(inside),
        n_rest: rest.len() as u64,
        mean_rest: mean(rest),
    }
}

/// Holds every slice chosen against others in the held-out half.
fn confirm(asked: &Asked, held_out: &Half, explored: &Half, chosen: &[Chosen]) -> Vec<Slice> {
    let error = 1.0 - asked.confidence;
    let z = z_for(1.0 - error / chosen.len().max(1) as f64);
    let mut bits = Bits {
        half: held_out,
        levels: BTreeMap::new(),
    };
    let mut slices: Vec<Slice> = (0..chosen.len())
        .map(|at| confirmed(asked, explored, &mut bits, &chosen[..=at], z))
        .collect();
    // A slice that could not be tested was carried over all the same: it counts as the least remarkable.
    let p: Vec<Option<f64>> = slices
        .iter()
        .map(|slice| Some(slice.p.unwrap_or(1.0)))
        .collect();
    for (slice, corrected) in slices.iter_mut().zip(correct::holm(&p)) {
        slice.p_holm = slice.p.and(corrected);
        slice.is_confirmed = slice.p_holm.is_some_and(|p| p <= error);
    }
    slices
}

/// The last of the slices chosen in the held-out half, not yet corrected.
fn confirmed(
    asked: &Asked,
    explored: &Half,
    bits: &mut Bits,
    chosen: &[Chosen],
    z: Option<f64>,
) -> Slice {
    let (slice, before) = (&chosen[chosen.len() - 1], &chosen[..chosen.len() - 1]);
    let rest = |half: &Half, rows: &[u64]| -> Vec<f64> {
        let rest: Vec<u64> = without(&every(half.rows.len()), rows).collect();
        values(half, &rest)
    };
    let explored = part(
        asked.outcome,
        &values(explored, &slice.bits),
        &rest(explored, &slice.bits),
    );
    let rows = bits.of_slice(&slice.fixed);
    let (inside, others) = (values(bits.half, &rows), rest(bits.half, &rows));
    let held_out = part(asked.outcome, &inside, &others);
    let is_higher = explored
        .difference()
        .is_some_and(|difference| difference > 0.0);
    let first = compared(asked.outcome, &inside, &others, is_higher, z);
    let mut p = first.p_same_way;
    for comparison in comparisons(bits, &slice.fixed, &rows, before) {
        let (one, other) = (
            values(bits.half, &comparison.one),
            values(bits.half, &comparison.other),
        );
        let next = compared(asked.outcome, &one, &other, is_higher, z).p_same_way;
        p = p.zip(next).map(|(p, next)| p.max(next));
    }
    let all = 0..asked.outcome.n_rows();
    let n_rows = all
        .filter(|row| is_in(asked.features, &slice.fixed, *row))
        .count();
    Slice {
        fixed: slice.fixed.clone(),
        alike: slice.alike.clone(),
        n_rows: n_rows as u64,
        explored,
        held_out,
        p_everybody: first.p,
        p,
        p_holm: None,
        interval: first.interval,
        is_confirmed: false,
    }
}

/// Two sets of rows beside each other.
struct Compared {
    /// Two-sided.
    p: Option<f64>,
    /// The chance of a difference as far on the side on which the exploring half has it.
    p_same_way: Option<f64>,
    interval: Option<Interval>,
}

fn compared(
    outcome: Outcome,
    one: &[f64],
    other: &[f64],
    is_higher: bool,
    z: Option<f64>,
) -> Compared {
    let found = match outcome {
        Outcome::Rate(_) => of_rates(one, other, is_higher, z),
        Outcome::Mean(_) => of_means(one, other, is_higher, z),
    };
    found.unwrap_or(Compared {
        p: None,
        p_same_way: None,
        interval: None,
    })
}

/// Fisher's exact p and Newcombe's interval of two rates.
fn of_rates(one: &[f64], other: &[f64], is_higher: bool, z: Option<f64>) -> Option<Compared> {
    let (one, other) = (proportion(one)?, proportion(other)?);
    let fisher = compare::fisher(one, other)?;
    let same_way = if is_higher {
        fisher.greater
    } else {
        fisher.less
    };
    Some(Compared {
        p: Some(fisher.two_sided.value),
        p_same_way: Some(same_way.value),
        interval: z.and_then(|z| compare::difference_newcombe(one, other, z)),
    })
}

/// Welch's p of two means, and an interval with his standard error.
fn of_means(one: &[f64], other: &[f64], is_higher: bool, z: Option<f64>) -> Option<Compared> {
    let sample = |values: &[f64]| Sample::from_counts(values.iter().map(|value| (*value, 1)));
    let (one, other) = (sample(one)?, sample(other)?);
    let welch = rank::welch(&one, &other)?;
    let difference = one.mean()? - other.mean()?;
    let part = |sample: &Sample| Some(sample.variance()? / sample.n() as f64);
    let se = (part(&one)? + part(&other)?).sqrt();
    let half = welch.p.value / 2.0;
    let is_same = (difference > 0.0) == is_higher;
    Some(Compared {
        p: Some(welch.p.value),
        p_same_way: Some(if is_same { half } else { 1.0 - half }),
        interval: z.map(|z| Interval {
            low: difference - z * se,
            high: difference + z * se,
        }),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
