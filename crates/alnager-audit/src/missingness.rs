//! What is missing, of whom, and what it could hide.
//!
//! A rate among rows whose outcome is known says little of the others where outcomes are missing more often in one group. Nothing
//! in the data says how the missing ones would have come out, so every answer is allowed for: the bounds hold whatever it is, and
//! no assumption narrows them.
//! Source: Manski 1989, Journal of Human Resources 24, 343-360; Manski 2003, Partial Identification of Probability Distributions.

use alnager_stats::compare;
use alnager_stats::correct;
use alnager_stats::proportion::{Interval, Proportion};

use crate::declared::UNKNOWN_GROUP;
use crate::texts::Texts;

/// How a row may have come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It counts, as a success or not.
    Known(bool),
    /// It counts, and nobody knows as what: a decision whose rightness is unknown.
    Either,
    /// It is a success, or it does not count: of a false-positive rate, a positive decision whose label is unknown.
    SuccessOrOut,
    /// It is a failure, or it does not count.
    FailureOrOut,
    /// It does not count, for sure.
    Out,
}

/// Rows by fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// Known successes.
    pub successes: u64,
    /// Known failures.
    pub failures: u64,
    /// Rows of [`Fate::Either`].
    pub either: u64,
    /// Rows of [`Fate::SuccessOrOut`].
    pub success_or_out: u64,
    /// Rows of [`Fate::FailureOrOut`].
    pub failure_or_out: u64,
}

impl Fates {
    fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Known(true) => self.successes += 1,
            Fate::Known(false) => self.failures += 1,
            Fate::Either => self.either += 1,
            Fate::SuccessOrOut => self.success_or_out += 1,
            Fate::FailureOrOut => self.failure_or_out += 1,
            Fate::Out => {}
        }
    }

    fn plus(self, other: Fates) -> Fates {
        Fates {
            successes: self.successes + other.successes,
            failures: self.failures + other.failures,
            either: self.either + other.either,
            success_or_out: self.success_or_out + other.success_or_out,
            failure_or_out: self.failure_or_out + other.failure_or_out,
        }
    }

    /// The share among known rows; `None` beyond what is counted.
    pub fn known(self) -> Option<Proportion> {
        Proportion::new(self.successes, self.successes + self.failures)
    }

    /// The lowest and the highest rate that some answer to what is unknown would give; `None` where nothing could count.
    ///
    /// `strangers` are rows that may or may not belong here as well.
    fn bounds(self, strangers: Fates) -> Option<Interval> {
        let share = |k: u64, others: u64| (k + others > 0).then(|| k as f64 / (k + others) as f64);
        let most = self.successes + self.either + self.success_or_out;
        let most_strange = strangers.successes + strangers.either + strangers.success_or_out;
        let least = self.failures + self.either + self.failure_or_out;
        let least_strange = strangers.failures + strangers.either + strangers.failure_or_out;
        let high = share(most + most_strange, self.failures);
        let low = share(least + least_strange, self.successes).map(|failing| 1.0 - failing);
        match (low, high) {
            (Some(low), Some(high)) => Some(Interval {
                low: low.min(high),
                high,
            }),
            // Nothing that could fail, or nothing that could succeed, is there: the rate is what the rest says.
            (None, Some(one)) => Some(Interval {
                low: one,
                high: one,
            }),
            (Some(one), None) => Some(Interval {
                low: one,
                high: one,
            }),
            (None, None) => None,
        }
    }
}

/// A group, and what its missing outcomes could hide.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its rows by fate.
    pub fates: Fates,
    /// The same of everybody else whose group is known.
    pub rest: Fates,
    /// The group's rate less everybody else's, among known outcomes; `None` where one is undefined.
    pub difference: Option<f64>,
    /// The lowest and highest rate of the group, whatever is missing.
    pub rate: Option<Interval>,
    /// Everybody else's.
    pub rate_rest: Option<Interval>,
    /// The lowest and highest difference. Nothing outside is possible; where rows lack both outcome and group, the ends
    /// themselves may not be.
    pub difference_bounds: Option<Interval>,
    /// The lowest and highest ratio of the group's rate to everybody else's; a `high` of infinity means that there is no end.
    pub ratio_bounds: Option<Interval>,
}

/// The groups of an attribute with bounds, by name; `fates` one a row. Rows of unknown group may belong to any.
///
/// `None` if the lengths differ.
pub fn groups(attribute: &Texts, fates: &[Fate]) -> Option<Vec<Group>> {
    if attribute.n_rows() != fates.len() {
        return None;
    }
    let mut by_group = vec![Fates::default(); attribute.values().len()];
    let mut strangers = Fates::default();
    for (row, &fate) in fates.iter().enumerate() {
        match attribute.at(row) {
            Some(group) => by_group[group].add(fate),
            None => strangers.add(fate),
        }
    }
    let all = by_group
        .iter()
        .fold(Fates::default(), |all, group| all.plus(*group));
    let of_group = |(name, &fates): (&String, &Fates)| {
        let rest = less(all, fates);
        let difference = || compare::difference(fates.known()?, rest.known()?);
        let rate = fates.bounds(strangers);
        let rate_rest = rest.bounds(strangers);
        let both = rate.zip(rate_rest);
        Group {
            name: name.clone(),
            fates,
            rest,
            difference: difference(),
            rate,
            rate_rest,
            difference_bounds: both.map(|(rate, rest)| Interval {
                low: rate.low - rest.high,
                high: rate.high - rest.low,
            }),
            ratio_bounds: both
                .filter(|(_, rest)| rest.high > 0.0)
                .map(|(rate, rest)| Interval {
                    low: rate.low / rest.high,
                    high: if rest.low > 0.0 {
                        rate.high / rest.low
                    } else {
                        f64::INFINITY
                    },
                }),
        }
    };
    Some(
        attribute
            .values()
            .iter()
            .zip(&by_group)
            .map(of_group)
            .collect(),
    )
}

fn less(all: Fates, part: Fates) -> Fates {
    Fates {
        successes: all.successes - part.successes,
        failures: all.failures - part.failures,
        either: all.either - part.either,
        success_or_out: all.success_or_out - part.success_or_out,
        failure_or_out: all.failure_or_out - part.failure_or_out,
    }
}

/// How often a column is missing in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// The column that has missing values.
    pub column: String,
    /// The attribute whose groups are compared.
    pub attribute: String,
    /// The group; `(unknown)` for rows in which the attribute itself is missing.
    pub group: String,
    /// Rows of the group without a value, of all its rows.
    pub missing: Proportion,
    /// The same of all other rows.
    pub missing_rest: Proportion,
    /// Fisher's exact test of the two; `None` where there are no other rows.
    pub p: Option<f64>,
    /// The same, corrected for every comparison of [`shares`] (Holm).
    pub p_holm: Option<f64>,
}

/// Which rows of a column have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The name of the column.
    pub column: String,
    /// Whether each row has a value.
    pub is_known: Vec<bool>,
}

/// Each column that lacks a value somewhere, by each group of each other attribute.
///
/// Where an attribute has two groups, testing one against the other is testing the other against the one: the test is made, and
/// counted, once.
pub fn shares(columns: &[Presence], attributes: &[Texts]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    let mut is_counted: Vec<bool> = Vec::new();
    for column in columns
        .iter()
        .filter(|column| column.is_known.contains(&false))
    {
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.column() != column.column)
        {
            let counts = counts(column, attribute);
            let all = counts
                .iter()
                .fold((0, 0), |all, (_, (k, n))| (all.0 + k, all.1 + n));
            let n_groups = counts.len();
            for (at, (group, (k, n))) in counts.into_iter().enumerate() {
                let both = Proportion::new(k, n).zip(Proportion::new(all.0 - k, all.1 - n));
                let Some((missing, missing_rest)) = both else {
                    continue;
                };
                let fisher = compare::fisher(missing, missing_rest);
                shares.push(Share {
                    column: column.column.clone(),
                    attribute: attribute.column().to_owned(),
                    group,
                    missing,
                    missing_rest,
                    p: fisher.map(|fisher| fisher.two_sided.value),
                    p_holm: None,
                });
                is_counted.push(n_groups != 2 || at == 0);
            }
        }
    }
    let p: Vec<Option<f64>> = shares
        .iter()
        .zip(&is_counted)
        .map(|(share, counted)| share.p.filter(|_| *counted))
        .collect();
    let mut last = None;
    for ((share, corrected), counted) in shares.iter_mut().zip(correct::holm(&p)).zip(is_counted) {
        share.p_holm = if counted { corrected } else { last };
        last = share.p_holm;
    }
    shares
}

/// Of each group with rows: those without a value of the column, and all.
fn counts(column: &Presence, attribute: &Texts) -> Vec<(String, (u64, u64))> {
    let mut counts = vec![(0_u64, 0_u64); attribute.values().len() + 1];
    for (row, is_known) in column.is_known.iter().enumerate() {
        let count = &mut counts[attribute.at(row).unwrap_or(attribute.values().len())];
        count.0 += u64::from(!is_known);
        count.1 += 1;
    }
    let names = attribute
        .values()
        .iter()
        .cloned()
        .chain([UNKNOWN_GROUP.to_owned()]);
    names.zip(counts).filter(|(_, (_, n))| *n > 0).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_are_those_of_the_worst_answers() {
        // Of the group, 3 of 4 known are wrong and 2 are unknown; of the others 1 of 4, and 1 is unknown.
        let attribute = Texts::of_rows(
            "g",
            &["a", "a", "a", "a", "a", "a", "b", "b", "b", "b", "b"],
        );
        let known = |yes: u8| Fate::Known(yes == 1);
        let fates = [
            known(1),
            known(1),
            known(1),
            known(0),
            Fate::Either,
            Fate::Either,
            known(1),
            known(0),
            known(0),
            known(0),
            Fate::Either,
        ];
        let groups = groups(&attribute, &fates).unwrap();
        let a = &groups[0];
        assert_eq!(a.difference, Some(0.5));
        let near = |found: Option<Interval>, low: f64, high: f64| {
            let found = found.unwrap();
            (found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12
        };
        assert!(near(a.rate, 0.5, 5.0 / 6.0), "{a:?}");
        assert!(near(a.rate_rest, 0.2, 0.4), "{a:?}");
        let bounds = a.difference_bounds.unwrap();
        assert!(
            (bounds.low - 0.1).abs() < 1e-12 && (bounds.high - (5.0 / 6.0 - 0.2)).abs() < 1e-12
        );
        let ratio = a.ratio_bounds.unwrap();
        assert!((ratio.low - 1.25).abs() < 1e-12 && (ratio.high - 25.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_false_positive_rate_has_rows_that_may_not_count() {
        // 2 of 10 known negatives are false positives; of 4 unknown labels 3 had a positive decision.
        let fates = Fates {
            successes: 2,
            failures: 8,
            success_or_out: 3,
            failure_or_out: 1,
            either: 0,
        };
        let bounds = fates.bounds(Fates::default()).unwrap();
        assert!((bounds.low - 2.0 / 11.0).abs() < 1e-12);
        assert!((bounds.high - 5.0 / 13.0).abs() < 1e-12);
        assert_eq!(Fates::default().bounds(Fates::default()), None);
        let none_known = Fates {
            either: 4,
            ..Fates::default()
        };
        assert_eq!(
            none_known.bounds(Fates::default()),
            Some(Interval {
                low: 0.0,
                high: 1.0
            })
        );
    }

    #[test]
    fn shares_are_compared_group_by_group_and_a_pair_counts_once() {
        let label = Presence {
            column: "y".to_owned(),
            is_known: (0..40).map(|row| row >= 8).collect(),
        };
        let sex: Vec<&str> = (0..40)
            .map(|row| if row < 20 { "f" } else { "m" })
            .collect();
        let shares = shares(&[label], &[Texts::of_rows("sex", &sex)]);
        // 8 of 20 against 0 of 20: 2·C(20,8)/C(40,8), by hand.
        let p = 2.0 * 125_970.0 / 76_904_685.0;
        for share in &shares {
            assert!((share.p.unwrap() - p).abs() < 1e-12, "{share:?}");
            assert_eq!(share.p, share.p_holm);
        }
        assert_eq!(
            (
                shares[0].group.as_str(),
                shares[0].missing.k(),
                shares[0].missing_rest.k()
            ),
            ("f", 8, 0)
        );
        assert_eq!(shares.len(), 2);
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            Just(Fate::Known(true)),
            Just(Fate::Known(false)),
            Just(Fate::Either),
            Just(Fate::SuccessOrOut),
            Just(Fate::FailureOrOut),
            Just(Fate::Out),
        ]
    }

    proptest! {
        /// Every answer to up to six unknown rows, of which some have no group: no rate or difference lies outside, and without
        /// rows of unknown group each end of a rate is reached.
        #[test]
        fn no_answer_lies_outside(rows in prop::collection::vec((0_usize..3, fate()), 1..9)) {
            let names: Vec<&str> = rows.iter().map(|(group, _)| ["a", "b", ""][*group]).collect();
            let fates: Vec<Fate> = rows.iter().map(|(_, fate)| *fate).collect();
            let found = groups(&Texts::of_rows("g", &names), &fates).unwrap();
            let Some(a) = found.iter().find(|group| group.name == "a") else { return Ok(()) };
            let mut reached: Option<(f64, f64)> = None;
            // Two bits a row: how it came out, and which group it is of.
            for answer in 0..4_u32.pow(rows.len() as u32) {
                let (mut of_a, mut of_b) = ((0.0, 0.0), (0.0, 0.0));
                for (at, (group, fate)) in rows.iter().enumerate() {
                    let bits = answer >> (2 * at) & 3;
                    let group = if *group == 2 { (bits >> 1) as usize } else { *group };
                    let success = match (fate, bits & 1) {
                        (Fate::Known(yes), _) => Some(*yes),
                        (Fate::Either, bit) => Some(bit == 1),
                        (Fate::SuccessOrOut, 1) => Some(true),
                        (Fate::FailureOrOut, 1) => Some(false),
                        (Fate::SuccessOrOut | Fate::FailureOrOut | Fate::Out, _) => None,
                    };
                    let to = if group == 0 { &mut of_a } else { &mut of_b };
                    if let Some(success) = success {
                        to.0 += f64::from(u8::from(success));
                        to.1 += 1.0;
                    }
                }
                if of_a.1 > 0.0 {
                    let rate = of_a.0 / of_a.1;
                    let bounds = a.rate.unwrap();
                    prop_assert!(bounds.low - 1e-12 <= rate && rate <= bounds.high + 1e-12);
                    reached = Some(reached.map_or((rate, rate), |(low, high)| (rate.min(low), rate.max(high))));
                    if of_b.1 > 0.0 && found.len() == 2 {
                        let bounds = a.difference_bounds.unwrap();
                        let difference = rate - of_b.0 / of_b.1;
                        prop_assert!(bounds.low - 1e-12 <= difference && difference <= bounds.high + 1e-12);
                    }
                }
            }
            if let (Some((low, high)), Some(bounds)) = (reached, a.rate) {
                prop_assert!((low - bounds.low).abs() < 1e-12 && (high - bounds.high).abs() < 1e-12);
            }
        }
    }
}
