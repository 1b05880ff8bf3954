//! What New York City's Local Law 144 wants published: three tables of counts, rates and impact ratios.
//!
//! The law sets no limit, so nothing here passes or fails. Source: 6 RCNY 5-300 to 5-303, as the pack `us-nyc-ll144` has them.

use std::cmp::Ordering;

use alnager_stats::proportion::Proportion;
use alnager_stats::sample::Sample;
use serde_json::{Value, json};

use super::rounded;
use crate::declared::{Audit, Grouping};
use crate::figures::{group_name, groups};
use crate::measures::Measures;

/// The columns that hold the two characteristics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Sex.
    pub sex: String,
    /// Race or ethnicity.
    pub race: String,
}

impl Columns {
    /// The name of their intersection among the groupings of an audit.
    pub fn intersection(&self) -> Vec<String> {
        vec![self.race.clone(), self.sex.clone()]
    }
}

/// What the rates are of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// Those selected, or given the favourable class.
    Selection,
    /// Those with a score above the median of the full sample; a score on the median is not above it.
    Scoring {
        /// The median of everybody's score, of people of unknown category too.
        median: f64,
    },
}

/// The tables as they are to be published.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// What the rates are of.
    pub basis: Basis,
    /// Sex, race/ethnicity, and the two together, each with a highest category of its own.
    pub tables: Vec<Table>,
    /// Everybody assessed.
    pub n_people: u64,
    /// Those of unknown sex or unknown race/ethnicity; they are not in the intersectional table, and not in the table of what is
    /// unknown of them.
    pub n_unknown: u64,
}

/// Which of the three tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// By sex.
    Sex,
    /// By race/ethnicity.
    RaceEthnicity,
    /// By both.
    Intersectional,
}

impl TableKind {
    /// Its word in files.
    pub fn word(self) -> &'static str {
        match self {
            TableKind::Sex => "sex",
            TableKind::RaceEthnicity => "race_ethnicity",
            TableKind::Intersectional => "intersectional",
        }
    }
}

/// One of the three tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Which.
    pub kind: TableKind,
    /// People who are in none of its categories.
    pub n_unknown: u64,
    /// Its categories, by name.
    pub rows: Vec<Row>,
}

/// One category.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name; of two characteristics joined by `|`.
    pub category: String,
    /// Selected, or above the median, of all its people.
    pub share: Proportion,
    /// Its people of all people of known category.
    pub of_known: Proportion,
    /// Whether it is left out of the ratios; count and rate stay.
    pub is_excluded: bool,
    /// The highest share among categories that are not left out; `None` where this one is.
    pub highest: Option<Proportion>,
}

impl Row {
    /// Whether it holds less than 2 % of the people of known category, decided in integers.
    pub fn is_small(&self) -> bool {
        50 * u128::from(self.of_known.k()) < u128::from(self.of_known.n())
    }

    /// The impact ratio, unrounded; `None` where the category is left out or the highest rate is 0.
    pub fn impact_ratio(&self) -> Option<f64> {
        alnager_stats::impact::impact_ratio(self.share, self.highest?)
    }

    /// The impact ratio to three decimals, from the counts; `None` as above.
    pub fn impact_ratio_text(&self) -> Option<String> {
        let highest = self.highest?;
        let product = |one: u64, other: u64| u128::from(one) * u128::from(other);
        let below = product(self.share.n(), highest.k());
        rounded(product(self.share.k(), highest.n()), below, 3)
    }

    /// The rate in per cent to one decimal, from the counts.
    pub fn rate_text(&self) -> Option<String> {
        rounded(
            100 * u128::from(self.share.k()),
            u128::from(self.share.n()),
            1,
        )
    }
}

/// The three tables. Rates are of scores where the audit has one. `None` where a column was not counted.
pub fn summary(
    audit: &Audit,
    measures: &Measures,
    columns: &Columns,
    excludes_small: bool,
) -> Option<Summary> {
    let median = match &measures.samples {
        Some(samples) if audit.score.is_some() => {
            let whole = samples.by(&[])?.into_values().next()?;
            Sample::merged(&[&whole[0], &whole[1], &whole[2]]).median()
        }
        Some(_) | None => None,
    };
    let one = |kind, columns: Vec<String>| table(audit, measures, kind, columns, median);
    let mut tables = vec![
        one(TableKind::Sex, vec![columns.sex.clone()])?,
        one(TableKind::RaceEthnicity, vec![columns.race.clone()])?,
        one(TableKind::Intersectional, columns.intersection())?,
    ];
    for table in &mut tables {
        compare(&mut table.rows, excludes_small);
    }
    Some(Summary {
        basis: median.map_or(Basis::Selection, |median| Basis::Scoring { median }),
        n_people: measures.data.n_counted(),
        n_unknown: tables.last()?.n_unknown,
        tables,
    })
}

fn table(
    audit: &Audit,
    measures: &Measures,
    kind: TableKind,
    columns: Vec<String>,
    median: Option<f64>,
) -> Option<Table> {
    measures.table.by(&columns)?;
    let grouping = Grouping {
        name: columns.join("*"),
        columns,
        reference: None,
    };
    let groups = groups(measures, &grouping, audit, 1);
    let shares: Vec<(String, Proportion)> = match median {
        None => {
            let of = |group: &crate::figures::Group| {
                Some((
                    group.name.clone(),
                    group.favourable(audit.decision.favourable)?,
                ))
            };
            groups.groups.iter().filter_map(of).collect()
        }
        Some(median) => scored(audit, measures, &grouping, median)?,
    };
    let n_known = shares.iter().map(|(_, share)| share.n()).sum();
    let rows = shares.into_iter().filter_map(|(category, share)| {
        Some(Row {
            of_known: Proportion::new(share.n(), n_known)?,
            category,
            share,
            is_excluded: false,
            highest: None,
        })
    });
    Some(Table {
        kind,
        n_unknown: groups.n_unknown,
        rows: rows.collect(),
    })
}

fn scored(
    audit: &Audit,
    measures: &Measures,
    grouping: &Grouping,
    median: f64,
) -> Option<Vec<(String, Proportion)>> {
    let sums = measures.samples.as_ref()?.by(&grouping.columns)?;
    let mut shares: Vec<(String, Proportion)> = sums
        .into_iter()
        .filter_map(|(key, labels)| {
            let n_above = labels.iter().map(|sample| sample.count_above(median)).sum();
            let share = Proportion::new(n_above, labels.iter().map(|sample| sample.n()).sum())?;
            Some((group_name(key, audit.missing)?, share))
        })
        .collect();
    shares.sort_by(|one, other| one.0.cmp(&other.0));
    Some(shares)
}

/// Which rows are left out, and the highest rate of the others.
fn compare(rows: &mut [Row], excludes_small: bool) {
    for row in rows.iter_mut() {
        row.is_excluded = excludes_small && row.is_small();
    }
    let highest = rows
        .iter()
        .filter(|row| !row.is_excluded && row.share.n() > 0)
        .map(|row| row.share)
        .max_by(|one, other| by_rate(*one, *other));
    for row in rows.iter_mut().filter(|row| !row.is_excluded) {
        row.highest = highest;
    }
}

/// Which rate is higher, decided in integers; of two shares of nobody neither is.
pub(super) fn by_rate(one: Proportion, other: Proportion) -> Ordering {
    let product = |k: u64, n: u64| u128::from(k) * u128::from(n);
    product(one.k(), other.n()).cmp(&product(other.k(), one.n()))
}

/// The summary for programs: `basis`, `n_people`, `n_unknown`, and `tables` with their `rows`. Rates and ratios are unrounded;
/// `…_text` beside them is what the page prints.
pub fn json(summary: &Summary) -> Value {
    let row = |row: &Row| {
        json!({
            "category": row.category,
            "n": row.share.n(),
            "selected": row.share.k(),
            "rate": row.share.value(),
            "rate_text": row.rate_text().map(|rate| format!("{rate}%")),
            "impact_ratio": row.impact_ratio(),
            "impact_ratio_text": row.impact_ratio_text(),
            "share": row.of_known.value(),
            "excluded": row.is_excluded,
        })
    };
    let table = |table: &Table| {
        json!({
            "table": table.kind.word(),
            "n_unknown": table.n_unknown,
            "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    let (basis, median) = match summary.basis {
        Basis::Selection => ("selection_rate", None),
        Basis::Scoring { median } => ("scoring_rate", Some(median)),
    };
    json!({
        "basis": basis,
        "median_full_sample": median,
        "n_people": summary.n_people,
        "n_unknown": summary.n_unknown,
        "tables": summary.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

/// The categories of component 1 of the EEO-1 report that a table names (6 RCNY 5-300, "category"). A name of the data that is
/// not among them is for a person to look at.
const CATEGORIES: [&str; 9] = [
    "Male",
    "Female",
    "Hispanic or Latino",
    "White",
    "Black or African American",
    "Native Hawaiian or Pacific Islander",
    "Asian",
    "Native American or Alaska Native",
    "Two or More Races",
];

/// The categories of the tables by sex and by race/ethnicity that the rule does not name, in the order of the tables.
pub fn unnamed(summary: &Summary) -> Vec<&str> {
    let single = summary
        .tables
        .iter()
        .filter(|table| table.kind != TableKind::Intersectional);
    let names = single
        .flat_map(|table| &table.rows)
        .map(|row| row.category.as_str());
    names
        .filter(|name| {
            CATEGORIES
                .iter()
                .all(|known| !known.eq_ignore_ascii_case(name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rows(counts: &[(u64, u64)], excludes_small: bool) -> Vec<Option<String>> {
        let n_known = counts.iter().map(|(_, n)| n).sum();
        let mut rows: Vec<Row> = counts
            .iter()
            .map(|(k, n)| Row {
                category: String::new(),
                share: Proportion::new(*k, *n).unwrap(),
                of_known: Proportion::new(*n, n_known).unwrap(),
                is_excluded: false,
                highest: None,
            })
            .collect();
        compare(&mut rows, excludes_small);
        rows.iter().map(Row::impact_ratio_text).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn ratios_are_of_unrounded_rates_to_three_decimals() {
        // 0.6/0.75 is 0.8 exactly, not 0.7999.
        assert_eq!(
            rows(&[(60, 100), (75, 100)], false),
            [some("0.800"), some("1.000")]
        );
        assert_eq!(
            rows(&[(2191, 5441), (2654, 6282)], false),
            [some("0.953"), some("1.000")]
        );
    }

    #[test]
    fn a_small_category_is_left_out_only_on_request() {
        let counts = [(1, 1), (50, 100)];
        assert_eq!(rows(&counts, false), [some("1.000"), some("0.500")]);
        assert_eq!(rows(&counts, true), [None, some("1.000")]);
        // Exactly 2 % is not less than 2 %.
        assert_eq!(
            rows(&[(2, 2), (49, 98)], true),
            [some("1.000"), some("0.500")]
        );
    }

    #[test]
    fn nobody_selected_leaves_ratios_undefined() {
        assert_eq!(rows(&[(0, 10), (0, 20), (0, 0)], false), [None, None, None]);
    }
}
