//! Is a model still the one that was measured? Its answers on a few fixed rows, asked again and again.
//!
//! The *canary rows* are asked in *rounds*: one answer a row. A *look* is some rounds asked at one time. While nothing changes,
//! rounds are exchangeable: their order says nothing. Rows within a round may depend on each other in any way, for instance because
//! one of two servers answered them all; what is assumed is that no round depends on another.
//!
//! **An endpoint whose rounds have all been alike**, at least two, is taken as deterministic: a look whose rounds agree with each
//! other and differ from them in one answer is a change. That is certain for a deterministic endpoint. One that answers a round
//! otherwise with the chance r passes for deterministic over n rounds with the chance (1 - r)^n, and a look of k rounds then cries
//! wolf with the chance r^k. A look whose own rounds differ shows that the endpoint is not deterministic, and is judged as below.
//!
//! **Any other endpoint** is judged by a test martingale. At each look the newest rounds are held against all rounds since the last
//! change by a permutation test, whose p-value is uniform and independent of the earlier ones while rounds are exchangeable. A
//! gambler bets against that: wealth is multiplied by κ·p^(κ-1). Who starts with 1 and reaches 1/α with the chance α at most, at
//! any time and however often one looks (Ville's inequality), so the wealth is evidence that may be read at every look. The bets
//! are averaged over κ = 0.1, 0.3, 0.6 and over the look c = 1, 2, … at which betting begins, with the weights 1/(c(c+1)), so that a
//! long quiet time costs little. After a change is confirmed, the next look is the new reference.
//!
//! Sources: test martingales, Shafer, Shen, Vereshchagin and Vovk 2011, Statistical Science 26, 84-101; Ramdas, Grünwald, Vovk and
//! Shafer 2023, Statistical Science 38, 576-601; betting, Waudby-Smith and Ramdas 2024, Journal of the Royal Statistical Society B
//! 86, 1-27; bets on p-values, Vovk and Wang 2021, Annals of Statistics 49, 1736-1754; independent ranks of exchangeable data,
//! Vovk, Gammerman and Shafer 2022, Algorithmic Learning in a Random World, second edition, chapter 8; permutation p-values by
//! sampling, Phipson and Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9, 39; a look with scores of
//! location and spread, Lepage 1971, Biometrika 58, 213-217.

use crate::random::Random;

/// An answer to one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// A finite number.
    Number(f64),
    /// A text, as the number of its kind.
    Category(u64),
}

/// The answers to the canary rows, one a row, always in the same order.
pub type Round = Vec<Answer>;

/// How looks are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The chance of a false alarm between two confirmed changes, over all time: above 0, below 1.
    pub alpha: f64,
    /// The seed of the permutations.
    pub seed: u64,
    /// Permutations of a look, from 1. The smallest p-value is about one over this.
    pub n_permutations: u32,
}

/// What a look showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The first look, or the first after a change: what later ones are held against.
    Reference,
    /// Nothing has changed that could be seen.
    Alike,
    /// A change is confirmed.
    Changed,
}

/// A look, judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What it showed.
    pub state: State,
    /// The look that the reference begins with, from 0.
    pub reference: usize,
    /// Rounds since then, those of this look included.
    pub n_rounds: usize,
    /// Whether all earlier rounds since then were alike; `None` where there are not two.
    pub is_deterministic: Option<bool>,
    /// Rows of this look whose answers are not all those of the reference, where that was deterministic.
    pub n_rows_differ: Option<usize>,
    /// The p-value of this look alone, where it was tested.
    pub p: Option<f64>,
    /// The evidence of all looks since the reference, at least 0, where this one was tested; 1 is none, `1/alpha` confirms.
    pub evidence: Option<f64>,
    /// For a change: the first look that shows it, as far as can be told.
    pub since: Option<usize>,
}

/// κ of the bets.
const KAPPA: [f64; 3] = [0.1, 0.3, 0.6];

/// Judges looks in their order, each by what came before it.
///
/// `None` where there is no round, a look without rounds, a round with another number of answers than the first, no answer at all,
/// or where the settings are out of range.
pub fn follow(looks: &[Vec<Round>], settings: &Settings) -> Option<Vec<Judged>> {
    let n_rows = looks.first()?.first()?.len();
    let is_whole =
        |look: &Vec<Round>| !look.is_empty() && look.iter().all(|round| round.len() == n_rows);
    if n_rows == 0 || !looks.iter().all(is_whole) || !is_valid(settings) {
        return None;
    }
    let mut judged = Vec::with_capacity(looks.len());
    let mut episode = Episode::new(0);
    for (at, look) in looks.iter().enumerate() {
        let mut random = Random::stream(settings.seed, at as u64);
        let found = episode.look(at, look, settings, &mut random);
        if found.state == State::Changed {
            // A deterministic endpoint has shown its new answers for certain. Otherwise this look stood out partly by luck, so the
            // next one is the reference.
            episode = Episode::new(at + 1);
            if found.p.is_none() {
                episode = Episode::new(at);
                episode.take(look);
            }
        }
        judged.push(found);
    }
    Some(judged)
}

/// The rounds since the last change, and what was bet on them.
#[derive(Clone)]
struct Episode<'a> {
    begins: usize,
    rounds: Vec<&'a Round>,
    /// ln of the wealth of each bet, by the test it began with and κ.
    wealth: Vec<[f64; KAPPA.len()]>,
    /// The look of each test.
    tests: Vec<usize>,
}

impl<'a> Episode<'a> {
    fn new(begins: usize) -> Self {
        Episode {
            begins,
            rounds: Vec::new(),
            wealth: Vec::new(),
            tests: Vec::new(),
        }
    }

    fn take(&mut self, look: &'a [Round]) {
        self.rounds.extend(look);
    }

    /// Whether all rounds so far are alike.
    fn is_deterministic(&self) -> Option<bool> {
        let (first, others) = self.rounds.split_first()?;
        (!others.is_empty()).then(|| others.iter().all(|round| round == first))
    }

    fn look(
        &mut self,
        at: usize,
        look: &'a [Round],
        settings: &Settings,
        random: &mut Random,
    ) -> Judged {
        let is_deterministic = self.is_deterministic();
        let first = self.rounds.first().copied();
        self.take(look);
        let mut judged = Judged {
            state: State::Alike,
            reference: self.begins,
            n_rounds: self.rounds.len(),
            is_deterministic,
            n_rows_differ: None,
            p: None,
            evidence: None,
            since: None,
        };
        let Some(first) = first else {
            judged.state = State::Reference;
            return judged;
        };
        let n_rows_differ = n_rows_differ(first, look);
        if is_deterministic == Some(true) {
            judged.n_rows_differ = Some(n_rows_differ);
        }
        if is_deterministic != Some(false) && n_rows_differ == 0 {
            return judged;
        }
        if is_deterministic == Some(true) && look.iter().all(|round| *round == look[0]) {
            judged.state = State::Changed;
            judged.since = Some(at);
            return judged;
        }
        let p = p_value(
            &self.rounds,
            look.len(),
            settings.n_permutations,
            None,
            random,
        );
        let evidence = self.bet(at, p);
        judged.p = Some(p);
        judged.evidence = Some(evidence);
        if evidence >= 1.0 / settings.alpha {
            judged.state = State::Changed;
            judged.since = self.likeliest();
        }
        judged
    }

    /// Bets on a p-value; gives the wealth.
    fn bet(&mut self, at: usize, p: f64) -> f64 {
        self.tests.push(at);
        self.wealth.push([0.0; KAPPA.len()]);
        for wealth in &mut self.wealth {
            for (wealth, kappa) in wealth.iter_mut().zip(KAPPA) {
                *wealth += kappa.ln() + (kappa - 1.0) * p.ln();
            }
        }
        // Bets that begin later are still what they were.
        let not_begun = 1.0 / (self.wealth.len() as f64 + 1.0);
        let begun: f64 = (0..self.wealth.len()).map(|c| self.weighed(c)).sum();
        not_begun + begun
    }

    /// The wealth of the bets that began with test `c`, from 0, with its weight.
    fn weighed(&self, c: usize) -> f64 {
        let wealth = self.wealth[c]
            .iter()
            .map(|wealth| wealth.exp())
            .sum::<f64>();
        let c = c as f64 + 1.0;
        wealth / KAPPA.len() as f64 / (c * (c + 1.0))
    }

    /// The look of the test with which the richest bets began.
    fn likeliest(&self) -> Option<usize> {
        let richest =
            (0..self.wealth.len()).max_by(|a, b| self.weighed(*a).total_cmp(&self.weighed(*b)))?;
        self.tests.get(richest).copied()
    }
}

fn is_valid(settings: &Settings) -> bool {
    settings.alpha > 0.0 && settings.alpha < 1.0 && settings.n_permutations > 0
}

fn n_rows_differ(first: &Round, look: &[Round]) -> usize {
    let differs = |row: &usize| look.iter().any(|round| round[*row] != first[*row]);
    (0..first.len()).filter(differs).count()
}

/// The p-value of the newest `n_new` rounds among all: how rarely as many rounds, drawn at random, stand apart as far.
///
/// Distance: within each row, rounds are ranked; the sums of the ranks and of their squared distances from the middle, over the
/// newest rounds, are squared, scaled and added over the rows. Texts are counted by kind. Ties are broken by a random number, so
/// that the p-value is uniform. With `enough`, no more is drawn once that many rounds stood apart farther; the p-value is then
/// coarse and no longer exact.
fn p_value(
    rounds: &[&Round],
    n_new: usize,
    n_permutations: u32,
    enough: Option<u32>,
    random: &mut Random,
) -> f64 {
    let scores = scores(rounds);
    let n = rounds.len();
    let n_scores = scores.len();
    // Either way gives the same sums; the cheaper one is taken.
    let by_products = n_permutations as f64 * (n_new * n_scores) as f64
        > n as f64 * (n * n_scores) as f64 + n_permutations as f64 * (n_new * n_new) as f64;
    let table = match by_products {
        true => products(&scores, n),
        false => by_round(&scores, n),
    };
    let mut sums = vec![0.0; n_scores];
    let mut apart = |set: &[usize]| -> f64 {
        if by_products {
            let mut sum = 0.0;
            for (at, i) in set.iter().enumerate() {
                sum += table[i * n + i];
                for j in &set[..at] {
                    sum += 2.0 * table[i * n + j];
                }
            }
            return sum;
        }
        sums.fill(0.0);
        for round in set {
            let scores = &table[round * n_scores..(round + 1) * n_scores];
            for (sum, score) in sums.iter_mut().zip(scores) {
                *sum += score;
            }
        }
        sums.iter().map(|sum| sum * sum).sum()
    };
    let newest: Vec<usize> = (n - n_new..n).collect();
    let seen = apart(&newest);
    // The same set may be added up in another order.
    let tolerance = 1e-9 * seen.abs().max(1.0);
    let (mut n_farther, mut n_alike, mut n_drawn) = (0_u32, 0_u32, 0_u32);
    let mut order: Vec<usize> = (0..n).collect();
    while n_drawn < n_permutations && enough.is_none_or(|enough| n_farther < enough) {
        for at in 0..n_new {
            let left = (n - at) as f64;
            // Below `left`, because the uniform number is below 1 and `left` is far below 2^53.
            let other = at + (random.uniform() * left) as usize;
            order.swap(at, other.min(n - 1));
        }
        let drawn = apart(&order[..n_new]);
        if drawn > seen + tolerance {
            n_farther += 1;
        } else if drawn >= seen - tolerance {
            n_alike += 1;
        }
        n_drawn += 1;
    }
    // The set seen is one of those that could be drawn. A uniform number of 0 would make the p-value 0.
    let share = 1.0 - random.uniform();
    (f64::from(n_farther) + share * f64::from(n_alike + 1)) / f64::from(n_drawn + 1)
}

/// For each two rounds the product of their scores, summed over the scores; row-major.
fn products(scores: &[Vec<f64>], n: usize) -> Vec<f64> {
    let mut products = vec![0.0; n * n];
    for scores in scores {
        for (i, a) in scores.iter().enumerate() {
            for (j, b) in scores.iter().enumerate() {
                products[i * n + j] += a * b;
            }
        }
    }
    products
}

/// The scores of each round, one round after the other.
fn by_round(scores: &[Vec<f64>], n: usize) -> Vec<f64> {
    let mut table = Vec::with_capacity(n * scores.len());
    for round in 0..n {
        table.extend(scores.iter().map(|scores| scores[round]));
    }
    table
}

/// Scores of location and spread of each row, one number a round, centred and scaled alike.
fn scores(rounds: &[&Round]) -> Vec<Vec<f64>> {
    let n = rounds.len();
    let mut all: Vec<Vec<f64>> = Vec::new();
    let mut add = |scores: &[f64], weight: f64| {
        let square: f64 = scores.iter().map(|score| score * score).sum();
        if square > 0.0 {
            let scale = (weight * n as f64 / square).sqrt();
            all.push(scores.iter().map(|score| score * scale).collect());
        }
    };
    for row in 0..rounds.first().map_or(0, |round| round.len()) {
        let answers: Vec<Answer> = rounds.iter().map(|round| round[row]).collect();
        match numbers(&answers) {
            Some(numbers) => {
                let middle = (n as f64 + 1.0) / 2.0;
                let place: Vec<f64> = ranks(&numbers).iter().map(|rank| rank - middle).collect();
                add(&place, 1.0);
                let spread: Vec<f64> = place.iter().map(|place| place * place).collect();
                let mean = spread.iter().sum::<f64>() / n as f64;
                let spread: Vec<f64> = spread.iter().map(|spread| spread - mean).collect();
                // With two values or symmetric ranks all rounds may spread alike, up to rounding.
                if spread.iter().any(|spread| spread.abs() > 1e-9 * mean) {
                    add(&spread, 1.0);
                }
            }
            None => {
                let mut kinds: Vec<Answer> = Vec::new();
                for answer in &answers {
                    if !kinds.contains(answer) {
                        kinds.push(*answer);
                    }
                }
                let weight = 1.0 / (kinds.len().max(2) - 1) as f64;
                for kind in &kinds {
                    let n_kind = answers.iter().filter(|answer| *answer == kind).count();
                    let share = n_kind as f64 / n as f64;
                    let score = |answer: &Answer| f64::from(u8::from(answer == kind)) - share;
                    add(&answers.iter().map(score).collect::<Vec<_>>(), weight);
                }
            }
        }
    }
    all
}

/// The numbers, where all answers are.
fn numbers(answers: &[Answer]) -> Option<Vec<f64>> {
    let number = |answer: &Answer| match answer {
        Answer::Number(number) => Some(*number),
        Answer::Category(_) => None,
    };
    answers.iter().map(number).collect()
}

/// Ranks from 1; equal numbers share the mean of theirs.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut at = 0;
    while at < order.len() {
        let n_alike = order[at..]
            .iter()
            .take_while(|other| numbers[**other] == numbers[order[at]])
            .count();
        let mean = at as f64 + (n_alike as f64 + 1.0) / 2.0;
        for other in &order[at..at + n_alike] {
            ranks[*other] = mean;
        }
        at += n_alike;
    }
    ranks
}

/// A change that is to be seen, for [`power`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Each row's numbers move up or down by so many of their own standard deviations.
    pub deviations: f64,
    /// Each text becomes another one with this chance.
    pub share: f64,
}

/// How soon a change is seen, by simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// Simulated changes.
    pub n_runs: u32,
    /// The share of them that is confirmed at the first look after the change, at the second or before, and so on.
    pub by_look: Vec<f64>,
    /// Looks until a change is confirmed, on average; `None` where some were not confirmed within `by_look`.
    pub looks_mean: Option<f64>,
}

/// How soon a change would be seen by looks of `n_new` rounds against these rounds as the reference, from the first test on.
///
/// Rounds after the change are drawn from `reference`, with replacement, and changed. `None` where a round has another number of
/// answers than the first, there are fewer than two rounds, or `n_new`, `n_runs` or `looks_max` is 0. The p-values of looks in
/// which nothing stands out are coarse, which changes the figures little and saves most of the work.
pub fn power(
    reference: &[Round],
    n_new: usize,
    shift: &Shift,
    settings: &Settings,
    n_runs: u32,
    looks_max: usize,
) -> Option<Power> {
    /// Permutations that stand apart farther, after which a look counts as not standing out.
    const ENOUGH: u32 = 50;
    let n_rows = reference.first()?.len();
    let is_whole = reference.iter().all(|round| round.len() == n_rows);
    if !is_whole
        || reference.len() < 2
        || n_new == 0
        || n_runs == 0
        || looks_max == 0
        || !is_valid(settings)
    {
        return None;
    }
    let deviations: Vec<f64> = (0..n_rows).map(|row| deviation(reference, row)).collect();
    let mut by_look = vec![0.0; looks_max];
    let mut n_looks = 0;
    let mut all_seen = true;
    for run in 0..n_runs {
        let mut random = Random::stream(!settings.seed, u64::from(run));
        let sign = |random: &mut Random| if random.uniform() < 0.5 { -1.0 } else { 1.0 };
        let moves: Vec<f64> = deviations
            .iter()
            .map(|deviation| sign(&mut random) * deviation * shift.deviations)
            .collect();
        let looks: Vec<Vec<Round>> = (0..looks_max)
            .map(|_| {
                let rounds = (0..n_new).map(|_| changed(reference, &moves, shift, &mut random));
                rounds.collect()
            })
            .collect();
        let mut episode = Episode::new(0);
        episode.take(reference);
        let seen = looks.iter().enumerate().position(|(at, look)| {
            episode.take(look);
            let n = settings.n_permutations;
            let p = p_value(&episode.rounds, n_new, n, Some(ENOUGH), &mut random);
            episode.bet(at, p) >= 1.0 / settings.alpha
        });
        match seen {
            Some(seen) => {
                by_look[seen..].iter_mut().for_each(|share| *share += 1.0);
                n_looks += seen + 1;
            }
            None => all_seen = false,
        }
    }
    let n = f64::from(n_runs);
    by_look.iter_mut().for_each(|share| *share /= n);
    Some(Power {
        n_runs,
        by_look,
        looks_mean: all_seen.then(|| n_looks as f64 / n),
    })
}

/// The chance that one look at `n_rows` canaries of a deterministic endpoint shows a change of this share of all answers, as far as
/// the canaries stand for them.
///
/// Formula: 1 - (1 - share)^n. `None` unless 0 <= `share` <= 1.
pub fn chance_seen(share: f64, n_rows: u64) -> Option<f64> {
    (0.0..=1.0)
        .contains(&share)
        .then(|| 1.0 - (1.0 - share).powf(n_rows as f64))
}

/// A round as it could be after the change.
fn changed(reference: &[Round], moves: &[f64], shift: &Shift, random: &mut Random) -> Round {
    let at = (random.uniform() * reference.len() as f64) as usize;
    let round = &reference[at.min(reference.len() - 1)];
    let answers = round.iter().enumerate();
    answers
        .map(|(row, answer)| match answer {
            Answer::Number(number) => Answer::Number(number + moves[row]),
            Answer::Category(kind) if random.uniform() < shift.share => {
                other_kind(reference, row, *kind)
            }
            Answer::Category(kind) => Answer::Category(*kind),
        })
        .collect()
}

/// Another kind that the row was answered with, or one that never occurred.
fn other_kind(reference: &[Round], row: usize, kind: u64) -> Answer {
    let mut others = reference.iter().map(|round| round[row]);
    let other = others.find(|answer| *answer != Answer::Category(kind));
    other.unwrap_or(Answer::Category(u64::MAX))
}

/// The standard deviation of a row's numbers; 0 for texts.
fn deviation(rounds: &[Round], row: usize) -> f64 {
    let answers: Vec<Answer> = rounds.iter().map(|round| round[row]).collect();
    let Some(numbers) = numbers(&answers) else {
        return 0.0;
    };
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let square: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    (square / (n - 1.0)).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
