//! A search for less discriminatory alternatives: other cut-offs and other models, found on one half of the rows and confirmed on
//! the other.
//!
//! Whoever looks at a thousand rules finds one that looks better by luck. So the rules are compared on the exploring half only; the
//! few that look best there are carried to the held-out half and tested anew, corrected for their number. What is not confirmed
//! is not claimed; and a search that finds nothing says so of itself, not of the world.

use std::collections::BTreeSet;

use alnager_stats::bootstrap;
use alnager_stats::compare;
use alnager_stats::correct;
use alnager_stats::proportion::{Interval, Proportion, z_for};
use alnager_stats::random::Random;
use alnager_stats::sample::Sample;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::figures::{interval, number};
use crate::texts::Texts;
use crate::words;

/// What a decision is worth by what comes true, per row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// The score reaches the cut-off and the label is 1.
    pub true_positive: f64,
    /// The score reaches the cut-off and the label is 0.
    pub false_positive: f64,
    /// The score stays below and the label is 0.
    pub true_negative: f64,
    /// The score stays below and the label is 1.
    pub false_negative: f64,
}

impl Worth {
    /// A right decision is worth 1: the mean worth is the accuracy.
    pub const ACCURACY: Worth = Worth {
        true_positive: 1.0,
        false_positive: 0.0,
        true_negative: 1.0,
        false_negative: 0.0,
    };

    fn of(&self, is_reached: bool, label: bool) -> f64 {
        match (is_reached, label) {
            (true, true) => self.true_positive,
            (true, false) => self.false_positive,
            (false, false) => self.true_negative,
            (false, true) => self.false_negative,
        }
    }
}

/// Which cut-offs are tried.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    /// At so many equal steps of each score's distribution in the exploring half.
    Quantiles(u32),
    /// These, of every score.
    Values(Vec<f64>),
}

/// What is searched, and how it is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The cut-off in use, on the first score.
    pub cutoff: f64,
    /// Whether reaching the cut-off is good for the person.
    pub is_favourable_above: bool,
    /// What decisions are worth; `None` for accuracy.
    pub profit: Option<Worth>,
    /// How much worth per row may be lost; `None` for 0.01 of accuracy, or a hundredth of the profit in use.
    pub tolerance: Option<f64>,
    /// The cut-offs.
    pub grid: Grid,
    /// Whether cut-offs of their own for each group are tried too.
    pub per_group: bool,
    /// How many rules are carried to the held-out half.
    pub n_carried: usize,
    /// The chance that any rule is claimed that is no better; 0..1.
    pub alpha: f64,
    /// Groups with fewer rows in a half are left out of the search.
    pub min_group: u64,
    /// Replicates of the bootstrap of impact ratios.
    pub n_replicates: u64,
    /// The seed of the halves and of the bootstrap.
    pub seed: u64,
}

/// The rows: of each its group, its label, and one number per score, the score in use first.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The groups.
    pub groups: &'a Texts,
    /// Whether the label is 1; `None` where it is unknown.
    pub labels: &'a [Option<bool>],
    /// Name and column of each score, and its values, NaN where one is missing.
    pub scores: &'a [(String, Vec<f64>)],
}

/// Why there can be no search.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SearchError {
    /// Fewer than two groups are large enough.
    #[error(
        "fewer than two groups have {min_group} rows in each half of the rows; lower --min-group or bring more rows"
    )]
    Groups {
        /// The smallest size.
        min_group: u64,
    },
    /// The rule in use selects nobody or everybody in both halves.
    #[error(
        "the cut-off in use gives nobody a favourable decision in one half of the rows; check --cutoff and --favorable"
    )]
    Cutoff,
    /// Columns of different lengths.
    #[error("the columns read do not fit together; please report this")]
    Uneven,
}

/// One rule: reach the cut-off of one's group on a score.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    score: usize,
    /// One per group.
    cutoffs: Vec<f64>,
    /// How far the cut-offs of the groups go to the same favourable rate, 0..=1; `None` where all have one cut-off.
    evened: Option<f64>,
}

/// A row that takes part.
#[derive(Debug, Clone, Copy)]
struct Member {
    row: usize,
    group: usize,
    label: bool,
}

/// Scores by score, group and label, ascending, so that a cut-off is a search.
struct Half {
    members: Vec<Member>,
    /// `[score][group][label]`
    sorted: Vec<Vec<[Vec<f64>; 2]>>,
    n_by_group: Vec<u64>,
}

/// What a rule comes to on some rows.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    /// The favourable decisions of each group.
    favourable: Vec<Proportion>,
    /// The mean worth of a row.
    worth: f64,
    /// The lowest favourable rate over the highest.
    worst_ratio: f64,
}

impl Outcome {
    /// The groups with the lowest and the highest favourable rate, the first of several.
    fn worst(&self) -> (usize, usize) {
        let rate = |at: &usize| self.favourable[*at].value().unwrap_or(f64::NAN);
        let all = || 0..self.favourable.len();
        let lowest = all().min_by(|one, other| rate(one).total_cmp(&rate(other)));
        let highest = all()
            .rev()
            .max_by(|one, other| rate(one).total_cmp(&rate(other)));
        (lowest.unwrap_or(0), highest.unwrap_or(0))
    }
}

/// Searches. `progress` hears how many of how many rules are done.
///
/// `search` says what was searched (S), `halves` how the rows were divided, `in_use` the present rule, `front` the rules of the
/// exploring half that none other beats in both respects with their figures in the held-out half, `carried` those tested
/// there, and `finding` the answer in one sentence.
pub fn search(
    rows: Rows<'_>,
    settings: &Settings,
    progress: &dyn Fn(usize, usize),
) -> Result<Value, SearchError> {
    let n_rows = rows.groups.n_rows();
    if rows.labels.len() != n_rows || rows.scores.iter().any(|(_, score)| score.len() != n_rows) {
        return Err(SearchError::Uneven);
    }
    let (kept, members, n_left_out, small) = members(rows, settings)?;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for member in members {
        if explores(settings.seed, member.row) {
            first.push(member);
        } else {
            second.push(member);
        }
    }
    let exploring = Half::new(first, rows, kept.len());
    let held_out = Half::new(second, rows, kept.len());
    let worth = settings.profit.unwrap_or(Worth::ACCURACY);
    let in_use = Rule {
        score: 0,
        cutoffs: vec![settings.cutoff; kept.len()],
        evened: None,
    };
    let (Some(used_exploring), Some(used_held_out)) = (
        exploring.outcome(&in_use, settings, worth),
        held_out.outcome(&in_use, settings, worth),
    ) else {
        return Err(SearchError::Cutoff);
    };
    let tolerance = settings.tolerance.unwrap_or(match settings.profit {
        None => 0.01,
        Some(_) => 0.01 * used_exploring.worth.abs(),
    });
    let rules = rules(&exploring, rows, settings);
    let mut outcomes = Vec::with_capacity(rules.len());
    for (at, rule) in rules.iter().enumerate() {
        outcomes.push(exploring.outcome(rule, settings, worth));
        progress(at + 1, rules.len());
    }
    let judge = Judge {
        rows,
        settings,
        worth,
        tolerance,
        in_use: &in_use,
        worst: used_exploring.worst(),
    };
    let (carried, n_untestable) = judge.carried(&exploring, &rules, &outcomes, &used_exploring);
    let tested = judge.tested(&held_out, &rules, &carried);
    let front = front(&outcomes);
    let describe = |rule: &Rule| described(rule, rows, &kept);
    let on = |half: &Half, rule: &Rule| {
        half.outcome(rule, settings, worth)
            .map(|outcome| half.figures(&outcome, rule, &judge, &kept))
    };
    let front: Vec<Value> = front
        .iter()
        .map(|at| {
            json!({
                "rule": describe(&rules[*at]),
                "exploring": on(&exploring, &rules[*at]),
                "held_out": on(&held_out, &rules[*at]),
            })
        })
        .collect();
    let carried: Vec<Value> = carried
        .iter()
        .zip(&tested)
        .map(|(at, tested)| {
            json!({
                "rule": describe(&rules[*at]),
                "exploring": on(&exploring, &rules[*at]),
                "held_out": on(&held_out, &rules[*at]),
                "test": tested,
            })
        })
        .collect();
    let statement = statement(rows, settings, rules.len(), &exploring, &held_out, &kept);
    let answer = Answer::of(&carried, n_untestable);
    let finding = finding(answer, &carried, &statement, settings);
    Ok(json!({
        "schema": "alnager.alternatives/1",
        "attr": rows.groups.column(),
        "search": statement,
        "n_rules": rules.len(),
        "seed": settings.seed,
        "halves": {
            "by": "hash of the row's number and the seed",
            "n_exploring": exploring.members.len(),
            "n_held_out": held_out.members.len(),
            "n_left_out": n_left_out,
        },
        "groups": kept.iter().enumerate().map(|(at, name)| json!({
            "group": name,
            "n_exploring": exploring.n_by_group[at],
            "n_held_out": held_out.n_by_group[at],
        })).collect::<Vec<_>>(),
        "groups_too_small": small,
        "measure": if settings.profit.is_some() { "profit" } else { "accuracy" },
        "worth": worth_figures(worth),
        "favorable": if settings.is_favourable_above { "at or above the cut-off" } else { "below the cut-off" },
        "method": {
            "alpha": settings.alpha,
            "tolerance": tolerance,
            "tolerance_is": match (settings.tolerance, settings.profit) {
                (Some(_), _) => "as asked",
                (None, None) => "the default for accuracy",
                (None, Some(_)) => "a hundredth of the profit per row in use, of the exploring half",
            },
            "min_group": settings.min_group,
            "n_carried_max": settings.n_carried,
            "correction": "holm",
            "n_replicates": settings.n_replicates,
        },
        "in_use": {
            "rule": describe(&in_use),
            "worst_pair": {
                "lowest": kept.get(judge.worst.0),
                "highest": kept.get(judge.worst.1),
                "held_out_ratio": number(held_out_worst(&used_held_out, judge.worst)),
            },
            "exploring": exploring.figures(&used_exploring, &in_use, &judge, &kept),
            "held_out": held_out.figures(&used_held_out, &in_use, &judge, &kept),
        },
        "front": front,
        "carried": carried,
        "n_looked_better_but_not_testable": n_untestable,
        "found": answer == Answer::Found,
        "outcome": answer.word(),
        "finding": finding,
    }))
}

/// The ratio of the pair that was worst on the exploring half.
fn held_out_worst(used: &Outcome, (lowest, highest): (usize, usize)) -> Option<f64> {
    compare::ratio(
        *used.favourable.get(lowest)?,
        *used.favourable.get(highest)?,
    )
}

fn worth_figures(worth: Worth) -> Value {
    json!({
        "true_positive": worth.true_positive,
        "false_positive": worth.false_positive,
        "true_negative": worth.true_negative,
        "false_negative": worth.false_negative,
    })
}

/// Whether a row belongs to the half that is explored: by a hash of its number and the seed.
pub fn explores(seed: u64, row: usize) -> bool {
    Random::stream(seed, row as u64).bits() >> 63 == 0
}

/// The names of the groups that take part, their rows, how many rows lack something, and the groups too small.
type Members = (Vec<String>, Vec<Member>, u64, Vec<String>);

fn members(rows: Rows<'_>, settings: &Settings) -> Result<Members, SearchError> {
    let names = rows.groups.values();
    let mut all = Vec::new();
    let mut n_left_out = 0;
    let mut sizes = vec![[0_u64; 2]; names.len()];
    for row in 0..rows.groups.n_rows() {
        let is_scored = rows.scores.iter().all(|(_, score)| !score[row].is_nan());
        match (rows.groups.at(row), rows.labels[row]) {
            (Some(group), Some(label)) if is_scored => {
                sizes[group][usize::from(explores(settings.seed, row))] += 1;
                all.push(Member { row, group, label });
            }
            (Some(_) | None, Some(_) | None) => n_left_out += 1,
        }
    }
    let is_large = |at: &usize| sizes[*at].iter().all(|n| *n >= settings.min_group.max(1));
    let large: Vec<usize> = (0..names.len()).filter(is_large).collect();
    if large.len() < 2 {
        return Err(SearchError::Groups {
            min_group: settings.min_group,
        });
    }
    let small = (0..names.len()).filter(|at| !large.contains(at));
    let small = small.map(|at| names[at].clone()).collect();
    let members = all.into_iter().filter_map(|member| {
        let group = large.iter().position(|at| *at == member.group)?;
        Some(Member { group, ..member })
    });
    let kept = large.iter().map(|at| names[*at].clone()).collect();
    Ok((kept, members.collect(), n_left_out, small))
}

impl Half {
    fn new(members: Vec<Member>, rows: Rows<'_>, n_groups: usize) -> Half {
        let mut n_by_group = vec![0; n_groups];
        members
            .iter()
            .for_each(|member| n_by_group[member.group] += 1);
        let by_score = |(_, score): &(String, Vec<f64>)| {
            let mut sorted: Vec<[Vec<f64>; 2]> = vec![[Vec::new(), Vec::new()]; n_groups];
            for member in &members {
                sorted[member.group][usize::from(member.label)].push(score[member.row]);
            }
            for values in sorted.iter_mut().flatten() {
                values.sort_unstable_by(f64::total_cmp);
            }
            sorted
        };
        Half {
            sorted: rows.scores.iter().map(by_score).collect(),
            members,
            n_by_group,
        }
    }

    /// The values of a score in each group, ascending.
    fn sorted_by_group(&self, score: usize) -> Vec<Vec<f64>> {
        let merged = |by_label: &[Vec<f64>; 2]| {
            let mut values = by_label.concat();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        self.sorted[score].iter().map(merged).collect()
    }

    /// `None` where nobody is decided favourably.
    fn outcome(&self, rule: &Rule, settings: &Settings, worth: Worth) -> Option<Outcome> {
        let mut favourable = Vec::with_capacity(rule.cutoffs.len());
        let mut sum = 0.0;
        for ((by_label, cutoff), n) in self.sorted[rule.score]
            .iter()
            .zip(&rule.cutoffs)
            .zip(&self.n_by_group)
        {
            let mut n_reached = 0;
            for (label, values) in by_label.iter().enumerate() {
                let below = values.partition_point(|value| value < cutoff);
                let reached = values.len() - below;
                n_reached += reached as u64;
                sum += reached as f64 * worth.of(true, label == 1)
                    + below as f64 * worth.of(false, label == 1);
            }
            let good = if settings.is_favourable_above {
                n_reached
            } else {
                n - n_reached
            };
            favourable.push(Proportion::new(good, *n)?);
        }
        let rates = || favourable.iter().filter_map(|share| share.value());
        let highest = rates().fold(0.0, f64::max);
        let lowest = rates().fold(f64::INFINITY, f64::min);
        (highest > 0.0).then(|| Outcome {
            worth: sum / self.members.len() as f64,
            worst_ratio: lowest / highest,
            favourable,
        })
    }

    /// The figures of a rule on this half, with intervals.
    fn figures(&self, outcome: &Outcome, rule: &Rule, judge: &Judge<'_>, kept: &[String]) -> Value {
        let settings = judge.settings;
        let smallest = bootstrap::impact_ratios(
            &outcome.favourable,
            1,
            settings.n_replicates,
            settings.seed,
            0.95,
        );
        let (lowest, highest) = outcome.worst();
        let rates = kept.iter().zip(&outcome.favourable);
        let rates = rates.map(|(name, share)| {
            let figures =
                json!({"n": share.n(), "favorable": share.k(), "rate": number(share.value())});
            (name.clone(), figures)
        });
        json!({
            "worth_per_row": number(Some(outcome.worth)),
            "worth_ci": interval(self.worth_interval(outcome, rule, judge)),
            "worst_impact_ratio": number(Some(outcome.worst_ratio)),
            "worst_impact_ratio_ci": interval(smallest.and_then(|ratios| ratios.smallest.interval)),
            "lowest": kept.get(lowest),
            "highest": kept.get(highest),
            "groups": rates.collect::<Map<_, _>>(),
        })
    }

    /// The normal interval of the mean worth, 95 %.
    fn worth_interval(
        &self,
        outcome: &Outcome,
        rule: &Rule,
        judge: &Judge<'_>,
    ) -> Option<Interval> {
        let squares: f64 = self
            .members
            .iter()
            .map(|member| {
                let worth = judge.worth.of(judge.reaches(rule, member), member.label);
                (worth - outcome.worth).powi(2)
            })
            .sum();
        let n = self.members.len() as f64;
        let reach = z_for(0.95)? * (squares / (n - 1.0) / n).sqrt();
        reach.is_finite().then_some(Interval {
            low: outcome.worth - reach,
            high: outcome.worth + reach,
        })
    }
}

/// Every different rule of the search but the one in use.
fn rules(exploring: &Half, rows: Rows<'_>, settings: &Settings) -> Vec<Rule> {
    let n_groups = exploring.n_by_group.len();
    let mut rules: Vec<Rule> = Vec::new();
    // Minus zero and zero are one cut-off.
    let bits = |cutoffs: &[f64]| -> Vec<u64> {
        cutoffs
            .iter()
            .map(|cutoff| (cutoff + 0.0).to_bits())
            .collect()
    };
    let mut met = BTreeSet::from([(0, bits(&vec![settings.cutoff; n_groups]))]);
    let mut add = |rule: Rule| {
        if met.insert((rule.score, bits(&rule.cutoffs))) {
            rules.push(rule);
        }
    };
    for score in 0..rows.scores.len() {
        let cutoffs = cutoffs(exploring, score, &settings.grid);
        for cutoff in &cutoffs {
            add(Rule {
                score,
                cutoffs: vec![*cutoff; n_groups],
                evened: None,
            });
        }
        if settings.per_group {
            let by_group = exploring.sorted_by_group(score);
            for cutoff in &cutoffs {
                for evened in EVENED {
                    if let Some(rule) = evened_rule(&by_group, score, *cutoff, evened) {
                        add(rule);
                    }
                }
            }
        }
    }
    rules
}

/// How far group-specific cut-offs go from one cut-off for all to one rate for all.
const EVENED: [f64; 2] = [0.5, 1.0];

fn cutoffs(exploring: &Half, score: usize, grid: &Grid) -> Vec<f64> {
    let mut cutoffs = match grid {
        Grid::Values(values) => values.clone(),
        Grid::Quantiles(n) => {
            let values = exploring.sorted[score].iter().flatten().flatten();
            let sample = Sample::from_counts(values.map(|value| (*value, 1)));
            let shares: Vec<f64> = (1..=*n).map(|i| f64::from(i) / f64::from(n + 1)).collect();
            let quantiles = sample
                .as_ref()
                .and_then(|sample| sample.quantiles(&shares))
                .unwrap_or_default();
            let values = sample.as_ref().map_or(&[][..], Sample::values);
            // A score that somebody has: two cut-offs between the same scores would be one rule.
            let next = |quantile: &f64| {
                let at = values.partition_point(|value| value < quantile);
                values.get(at).copied()
            };
            quantiles.iter().filter_map(next).collect()
        }
    };
    cutoffs.sort_by(f64::total_cmp);
    cutoffs.dedup();
    cutoffs
}

/// Cut-offs under which each group's share at or above lies a part of the way from its own to that of all.
fn evened_rule(by_group: &[Vec<f64>], score: usize, cutoff: f64, evened: f64) -> Option<Rule> {
    let reached =
        |values: &Vec<f64>| values.len() - values.partition_point(|value| *value < cutoff);
    let n: usize = by_group.iter().map(Vec::len).sum();
    let all = by_group.iter().map(reached).sum::<usize>() as f64 / n as f64;
    let mut cutoffs = Vec::with_capacity(by_group.len());
    for values in by_group {
        let n = values.len();
        let own = reached(values) as f64 / n as f64;
        let wanted = ((1.0 - evened) * own + evened * all) * n as f64;
        // The cut-off that so many reach; above all of them where that is nobody.
        cutoffs.push(match wanted.round() as usize {
            0 => values.last()? + 1.0,
            n_reached => *values.get(n - n_reached.min(n))?,
        });
    }
    Some(Rule {
        score,
        cutoffs,
        evened: Some(evened),
    })
}

/// The rules that no other beats in one respect without losing in the other, by worth from high to low.
fn front(outcomes: &[Option<Outcome>]) -> Vec<usize> {
    let mut order: Vec<(usize, &Outcome)> = outcomes
        .iter()
        .enumerate()
        .filter_map(|(at, outcome)| Some((at, outcome.as_ref()?)))
        .collect();
    order.sort_by(|(one_at, one), (other_at, other)| {
        let by_worth = other.worth.total_cmp(&one.worth);
        by_worth
            .then(other.worst_ratio.total_cmp(&one.worst_ratio))
            .then(one_at.cmp(other_at))
    });
    let (mut front, mut best) = (Vec::new(), f64::NEG_INFINITY);
    for (at, outcome) in order {
        if outcome.worst_ratio > best {
            best = outcome.worst_ratio;
            front.push(at);
        }
    }
    front
}

/// What rules are judged by.
struct Judge<'a> {
    rows: Rows<'a>,
    settings: &'a Settings,
    worth: Worth,
    tolerance: f64,
    in_use: &'a Rule,
    /// The groups with the lowest and the highest favourable rate under the rule in use, in the exploring half.
    worst: (usize, usize),
}

/// The two tests of a rule against the one in use, on the same rows.
struct Tests {
    /// The smallest statistic over all pairs of groups that the impact ratio is higher.
    z_impact: f64,
    /// Of every pair the difference of the logarithms and its standard error.
    gains: Vec<(f64, f64)>,
    /// The statistic that no more than the tolerance is lost.
    z_worth: f64,
    /// The worth lost or won per row, and its standard error.
    change: (f64, f64),
}

impl Tests {
    fn least(&self) -> f64 {
        self.z_impact.min(self.z_worth)
    }
}

/// Fewer favourable decisions than this in a group and the normal distribution of its logarithm does not hold.
const FAVOURABLE_MIN: f64 = 5.0;

impl Judge<'_> {
    fn reaches(&self, rule: &Rule, member: &Member) -> bool {
        self.rows.scores[rule.score].1[member.row] >= rule.cutoffs[member.group]
    }

    /// The rules that look better on the exploring half: of each score and kind the clearest, then the clearest of the rest;
    /// and how many look better but have a group with too few favourable decisions to be tested.
    fn carried(
        &self,
        exploring: &Half,
        rules: &[Rule],
        outcomes: &[Option<Outcome>],
        used: &Outcome,
    ) -> (Vec<usize>, usize) {
        let mut n_untestable = 0;
        let mut better: Vec<(usize, f64)> = rules
            .iter()
            .zip(outcomes)
            .enumerate()
            .filter_map(|(at, (rule, outcome))| {
                let outcome = outcome.as_ref()?;
                let looks_better = outcome.worst_ratio > used.worst_ratio
                    && outcome.worth >= used.worth - self.tolerance;
                if !looks_better {
                    return None;
                }
                let tests = self.tests(exploring, rule);
                n_untestable += usize::from(tests.is_none());
                Some((at, tests?.least()))
            })
            .collect();
        better.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        let mut carried: Vec<usize> = Vec::new();
        let kind = |at: usize| (rules[at].score, rules[at].evened.is_some());
        for (at, _) in &better {
            if carried.len() < self.settings.n_carried
                && carried.iter().all(|other| kind(*other) != kind(*at))
            {
                carried.push(*at);
            }
        }
        for (at, _) in &better {
            if carried.len() < self.settings.n_carried && !carried.contains(at) {
                carried.push(*at);
            }
        }
        (carried, n_untestable)
    }

    /// Holds a rule against the one in use; `None` where a group has too few favourable decisions.
    fn tests(&self, half: &Half, rule: &Rule) -> Option<Tests> {
        // Of each group: favourable under both rules, under the one in use, under the other.
        let mut both = vec![[0.0; 3]; half.n_by_group.len()];
        let (mut sum, mut squares) = (0.0, 0.0);
        for member in &half.members {
            let (old, new) = (
                self.reaches(self.in_use, member),
                self.reaches(rule, member),
            );
            let is_good = |is_reached: bool| is_reached == self.settings.is_favourable_above;
            let counts = &mut both[member.group];
            counts[0] += f64::from(u8::from(is_good(old) && is_good(new)));
            counts[1] += f64::from(u8::from(is_good(old)));
            counts[2] += f64::from(u8::from(is_good(new)));
            let change = self.worth.of(new, member.label) - self.worth.of(old, member.label);
            sum += change;
            squares += change * change;
        }
        let n = half.members.len() as f64;
        let mean = sum / n;
        let se = ((squares / n - mean * mean).max(0.0) / (n - 1.0)).sqrt();
        let room = mean + self.tolerance;
        let z_worth = if se > 0.0 {
            room / se
        } else if room >= 0.0 {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        };
        if both
            .iter()
            .any(|counts| counts[1] < FAVOURABLE_MIN || counts[2] < FAVOURABLE_MIN)
        {
            return None;
        }
        let gains = self.gains(half, &both);
        // The same decisions are no evidence of anything.
        let z = |(gain, se): &(f64, f64)| {
            if *se > 1e-12 {
                gain / se
            } else {
                f64::NEG_INFINITY
            }
        };
        Some(Tests {
            z_impact: gains.iter().map(z).reduce(f64::min)?,
            gains,
            z_worth,
            change: (mean, se),
        })
    }

    /// Of every ordered pair of groups, ln of the rule's ratio over the worst ratio in use, and its standard error.
    ///
    /// The rule's ratio of every pair must lie above the ratio of the pair that was worst under the rule in use. Then the rule's
    /// worst ratio lies above it too, and the worst in use is that or lower. All pairs must pass, so none of them needs a
    /// correction (Berger 1982, Technometrics 24, 295-300); and the pair in use was fixed on the other half.
    /// Formula: normal, of ln(p_a/p_b) - ln(q_g/q_r), rates p of the rule and q of the rule in use; both are taken on the same
    /// rows, so each group's variance counts what both have in common.
    fn gains(&self, half: &Half, both: &[[f64; 3]]) -> Vec<(f64, f64)> {
        let (lowest, highest) = self.worst;
        let rates: Vec<[f64; 3]> = both
            .iter()
            .zip(&half.n_by_group)
            .map(|(counts, n)| counts.map(|count| count / *n as f64))
            .collect();
        let used = (rates[lowest][1] / rates[highest][1]).ln();
        let mut gains = Vec::new();
        for a in 0..rates.len() {
            for b in (0..rates.len()).filter(|b| *b != a) {
                let gain = (rates[a][2] / rates[b][2]).ln() - used;
                let mut variance = 0.0;
                for (group, [both, old, new]) in rates.iter().enumerate() {
                    let sign = |plus: usize, minus: usize| {
                        f64::from(i8::from(group == plus) - i8::from(group == minus))
                    };
                    let (u, v) = (sign(a, b) / new, sign(highest, lowest) / old);
                    let spread = u * u * new * (1.0 - new)
                        + v * v * old * (1.0 - old)
                        + 2.0 * u * v * (both - new * old);
                    variance += spread.max(0.0) / half.n_by_group[group] as f64;
                }
                gains.push((gain, variance.sqrt()));
            }
        }
        gains
    }

    /// The tests of the carried rules on the held-out half, adjusted for their number (Holm).
    fn tested(&self, held_out: &Half, rules: &[Rule], carried: &[usize]) -> Vec<Value> {
        let tests: Vec<Option<Tests>> = carried
            .iter()
            .map(|at| self.tests(held_out, &rules[*at]))
            .collect();
        let p: Vec<Option<f64>> = tests
            .iter()
            .map(|tests| tests.as_ref().map(|tests| upper_tail(tests.least())))
            .collect();
        let adjusted = correct::holm(&p);
        let level = self.settings.alpha / carried.len().max(1) as f64;
        // One-sided.
        let z = z_for(1.0 - 2.0 * level);
        tests
            .iter()
            .zip(adjusted)
            .map(|(tests, adjusted)| {
                let of = |value: fn(&Tests) -> f64| tests.as_ref().map(value);
                // Every pair's bound holds, so the lowest one does.
                let lowest = |reach: f64| {
                    let gains = tests.as_ref()?.gains.iter();
                    gains.map(|(gain, se)| gain - reach * se).reduce(f64::min)
                };
                let worth = tests
                    .as_ref()
                    .zip(z)
                    .map(|(tests, z)| tests.change.0 - z * tests.change.1);
                json!({
                    "gain_factor": number(lowest(0.0).map(f64::exp)),
                    "gain_factor_at_least": number(z.and_then(lowest).map(f64::exp)),
                    "p_impact": number(of(|tests| upper_tail(tests.z_impact))),
                    "worth_change": number(of(|tests| tests.change.0)),
                    "worth_change_at_least": number(worth),
                    "p_worth": number(of(|tests| upper_tail(tests.z_worth))),
                    "p_adjusted": number(adjusted),
                    "confirmed": adjusted.map(|p| p < self.settings.alpha),
                })
            })
            .collect()
    }
}

/// P(Z >= z).
fn upper_tail(z: f64) -> f64 {
    let tail = compare::p_of_z(z.abs()).value / 2.0;
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// What group-specific rules mean, in words that name where the duty stands.
pub const TREATMENT_WARNING: &str = "This rule treats people differently by group. That is disparate treatment on its face, whatever its effect: in the United States \
    42 U.S.C. 2000e-2(a) and (l) (work; no adjusting of scores by race) and 12 CFR 1002.4(a) (credit) stand against it, and other law may. It is shown as a \
    measure of what is possible, not as a rule to use; have counsel look at it.";

fn described(rule: &Rule, rows: Rows<'_>, kept: &[String]) -> Value {
    let cutoffs = match (rule.evened, rule.cutoffs.first()) {
        (None, Some(cutoff)) => json!(cutoff),
        (_, _) => {
            let by_group = kept
                .iter()
                .cloned()
                .zip(rule.cutoffs.iter().map(|c| json!(c)));
            Value::Object(by_group.collect())
        }
    };
    json!({
        "score": rows.scores[rule.score].0,
        "cutoff": cutoffs,
        "per_group": rule.evened.is_some(),
        "evened": rule.evened,
        "warning": rule.evened.map(|_| TREATMENT_WARNING),
    })
}

/// The search space, exactly.
fn statement(
    rows: Rows<'_>,
    settings: &Settings,
    n_rules: usize,
    exploring: &Half,
    held_out: &Half,
    kept: &[String],
) -> String {
    let names: Vec<&str> = rows.scores.iter().map(|(name, _)| name.as_str()).collect();
    let grid = match &settings.grid {
        Grid::Quantiles(n) => {
            format!("the cut-offs at the scores met at {n} inner quantiles of the exploring half")
        }
        Grid::Values(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("{value}")).collect();
            format!("the cut-offs {}", values.join(", "))
        }
    };
    let per_group = if settings.per_group {
        "; and for each of these, cut-offs of each group's own that bring its rate half of the way and all of the way to the common rate"
    } else {
        ", the same for all groups"
    };
    format!(
        "{} ({}); of each, {grid}{per_group}; {n_rules} different rules in all besides the one in use; groups of {}: {}; explored on {} rows, held out {}, seed {}",
        match names.len() {
            1 => "one score".to_owned(),
            n => format!("{n} scores"),
        },
        names.join(", "),
        rows.groups.column(),
        kept.join(", "),
        exploring.members.len(),
        held_out.members.len(),
        settings.seed,
    )
}

/// What a search comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Something is confirmed.
    Found,
    /// Nothing is confirmed, and what looked better was tested.
    NoneFound,
    /// Rules looked better, and some of them could not be tested.
    Inconclusive,
}

impl Answer {
    fn of(carried: &[Value], n_untestable: usize) -> Answer {
        let has = |confirmed: Value| {
            carried
                .iter()
                .any(|rule| rule["test"]["confirmed"] == confirmed)
        };
        if has(Value::Bool(true)) {
            Answer::Found
        } else if n_untestable > 0 || has(Value::Null) {
            Answer::Inconclusive
        } else {
            Answer::NoneFound
        }
    }

    fn word(self) -> &'static str {
        match self {
            Answer::Found => "found",
            Answer::NoneFound => "none_found",
            Answer::Inconclusive => "inconclusive",
        }
    }
}

/// The answer in one sentence.
fn finding(answer: Answer, carried: &[Value], statement: &str, settings: &Settings) -> String {
    let confirmed: Vec<&Value> = carried
        .iter()
        .filter(|rule| rule["test"]["confirmed"] == true)
        .collect();
    match answer {
        Answer::Found => {}
        Answer::NoneFound => {
            return format!(
                "No less discriminatory alternative was found within the search S: {statement}. Outside S there may be one."
            );
        }
        Answer::Inconclusive => {
            return format!(
                "Inconclusive: none is confirmed within the search S, but rules that looked better could not be tested, because a group has fewer than {FAVOURABLE_MIN} favourable \
                decisions; put groups together, or bring more rows. S: {statement}. Outside S there may be one."
            );
        }
    }
    let neutral = confirmed
        .iter()
        .filter(|rule| rule["rule"]["per_group"] == false)
        .count();
    let kinds = match (neutral, confirmed.len() - neutral) {
        (neutral, 0) => format!("{neutral} with one cut-off for all"),
        (0, apart) => format!("{apart}, all with cut-offs by group"),
        (neutral, apart) => {
            format!("{neutral} with one cut-off for all, {apart} with cut-offs by group")
        }
    };
    let names: Vec<String> = confirmed.iter().map(|rule| name(rule)).collect();
    format!(
        "Confirmed on held-out rows as less discriminatory ({kinds}), at a chance of at most {} that any of them is no better: {}. Whether it serves the same purpose is for a \
        person to say. Searched was S: {statement}",
        settings.alpha,
        names.join("; "),
    )
}

/// A rule in words: `score >= 0.5`, or the cut-off of each group.
fn name(rule: &Value) -> String {
    let rule = &rule["rule"];
    let score = words::figure(&rule["score"]);
    match (rule["cutoff"].as_f64(), rule["cutoff"].as_object()) {
        (Some(cutoff), _) => format!("{score} >= {cutoff}"),
        (None, Some(by_group)) => {
            let parts: Vec<String> = by_group
                .iter()
                .map(|(group, cutoff)| format!("{group} {}", words::plain(cutoff)))
                .collect();
            format!("{score} by group (!): {}", parts.join(", "))
        }
        (None, None) => score,
    }
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let measure = words::figure(&figures["measure"]);
    let front = figures["front"].as_array().cloned().unwrap_or_default();
    let carried = figures["carried"].as_array().cloned().unwrap_or_default();
    let mut apart: Vec<&Value> = Vec::new();
    for rule in front.iter().chain(&carried).map(|rule| &rule["rule"]) {
        if rule["per_group"] == true && !apart.contains(&rule) {
            apart.push(rule);
        }
    }
    let short = |rule: &Value| match apart.iter().position(|other| **other == rule["rule"]) {
        Some(at) => format!(
            "{} by group (!{})",
            words::figure(&rule["rule"]["score"]),
            at + 1
        ),
        None => name(rule),
    };
    let row = |name: String, rule: &Value, part: &str, last: String| {
        let of = |member: &str| words::figure(&rule[part][member]);
        vec![
            name,
            of("worth_per_row"),
            of("worth_ci"),
            of("worst_impact_ratio"),
            of("worst_impact_ratio_ci"),
            format!("{} to {}", of("lowest"), of("highest")),
            last,
        ]
    };
    let header = [
        "",
        measure.as_str(),
        "interval",
        "worst impact ratio",
        "interval",
        "of",
        "",
    ];
    let mut rows = vec![row(
        format!("in use: {}", name(&figures["in_use"])),
        &figures["in_use"],
        "held_out",
        String::new(),
    )];
    for rule in &front {
        let tested = carried.iter().find(|other| other["rule"] == rule["rule"]);
        let last = tested.map_or(String::new(), |rule| verdict(&rule["test"]).to_owned());
        rows.push(row(short(rule), rule, "held_out", last));
    }
    let mut text = reading(figures);
    text.push_str(&format!(
        "The Pareto front of {measure} per row and worst impact ratio: chosen on the exploring half, figures of the held-out half\n{}\n",
        words::grid(&header, &rows)
    ));
    text.push_str("The worst impact ratio is the lowest favourable rate of a group over the highest; its bootstrap interval lies too low where groups are close. The front makes no claim; the tests below do.\n\n");
    if carried.is_empty() {
        text.push_str(match figures["n_looked_better_but_not_testable"].as_u64() {
            None | Some(0) => "No rule looked better on the exploring half, so none was carried to the held-out half.\n\n",
            Some(_) => "No rule was carried to the held-out half.\n\n",
        });
    } else {
        let mut rows = Vec::new();
        for rule in &carried {
            let test = &rule["test"];
            let of = |member: &str| words::figure(&test[member]);
            let signed = |member: &str| {
                test[member]
                    .as_f64()
                    .map_or("undefined".to_owned(), |value| format!("{value:+.4}"))
            };
            rows.push(vec![
                short(rule),
                words::figure(&rule["held_out"]["worst_impact_ratio"]),
                format!("x {}", of("gain_factor")),
                format!("x {}", of("gain_factor_at_least")),
                of("p_impact"),
                signed("worth_change"),
                signed("worth_change_at_least"),
                of("p_worth"),
                of("p_adjusted"),
                verdict(test).to_owned(),
            ]);
        }
        let header = [
            "carried over",
            "impact ratio",
            "gain",
            "at least",
            "p",
            measure.as_str(),
            "at least",
            "p",
            "adjusted",
            "",
        ];
        let method = &figures["method"];
        text.push_str(&format!(
            "Held against the rule in use, on the held-out half\n{}\n",
            words::grid(&header, &rows)
        ));
        text.push_str(&format!(
            "Gain is the smallest, over all pairs of groups, of the pair's ratio to that of {} to {}, the worst in use on the exploring half ({} on the held-out half). Confirmed is a \
            higher impact ratio and a loss of {measure} of at most {} per row ({}), both at {} adjusted for {} rules (Holm).\n\n",
            words::figure(&figures["in_use"]["worst_pair"]["lowest"]),
            words::figure(&figures["in_use"]["worst_pair"]["highest"]),
            words::figure(&figures["in_use"]["worst_pair"]["held_out_ratio"]),
            words::figure(&method["tolerance"]),
            words::figure(&method["tolerance_is"]),
            words::plain(&method["alpha"]),
            carried.len(),
        ));
    }
    for (at, rule) in apart.iter().enumerate() {
        let cutoffs = rule["cutoff"].as_object().into_iter().flatten();
        let cutoffs = cutoffs.map(|(group, cutoff)| format!("{group} {}", words::plain(cutoff)));
        text.push_str(&format!(
            "!{}: {} by group: {}\n",
            at + 1,
            words::figure(&rule["score"]),
            cutoffs.collect::<Vec<_>>().join(", ")
        ));
    }
    if !apart.is_empty() {
        text.push_str(&format!("(!) {TREATMENT_WARNING}\n\n"));
    }
    let small = figures["groups_too_small"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if !small.is_empty() {
        let names: Vec<&str> = small.iter().filter_map(Value::as_str).collect();
        text.push_str(&format!(
            "Too small to take part (under {} rows in a half): {}. Nothing here speaks of them.\n",
            words::figure(&figures["method"]["min_group"]),
            names.join(", ")
        ));
    }
    let n_left_out = figures["halves"]["n_left_out"].as_u64().unwrap_or(0);
    if n_left_out > 0 {
        text.push_str(&format!(
            "{n_left_out} rows are left out: group, label or a score unknown.\n"
        ));
    }
    text.push_str(&words::figure(&figures["finding"]));
    if !text.ends_with('.') {
        text.push('.');
    }
    if let Some(warning) = figures["reweighing"]["warning"].as_str() {
        text.push_str(&format!("\n{warning}"));
    }
    text
}

/// What the program understood.
fn reading(figures: &Value) -> String {
    let of = |value: &Value| words::figure(value);
    let label = &figures["label"];
    let right = match label["column"].as_str() {
        Some(column) => format!(
            "a decision is 1 where the score reaches the cut-off, and right where it is 1 and `{column}` is {}, or neither",
            of(&label["positive"])
        ),
        None => "a decision is 1 where the score reaches the cut-off".to_owned(),
    };
    let worth = match figures["measure"].as_str() {
        Some("profit") => {
            let worth = &figures["worth"];
            format!(
                "; worth per row: true positive {}, false positive {}, true negative {}, false negative {}",
                words::plain(&worth["true_positive"]),
                words::plain(&worth["false_positive"]),
                words::plain(&worth["true_negative"]),
                words::plain(&worth["false_negative"]),
            )
        }
        _ => String::new(),
    };
    format!(
        "In use: {}; favourable is {}; {right}{worth}.\n\n",
        name(&figures["in_use"]),
        of(&figures["favorable"])
    )
}

fn verdict(test: &Value) -> &'static str {
    match test["confirmed"].as_bool() {
        Some(true) => "confirmed",
        Some(false) => "not confirmed",
        None => "not measured",
    }
}

#[cfg(test)]
mod tests;
