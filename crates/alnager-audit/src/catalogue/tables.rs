//! The tables of New York City's Local Law 144: counts, rates and impact ratios by category.
//!
//! Source: 6 RCNY 5-300 and 5-301, as the pack `us-nyc-ll144` has them. The law sets no limit: no ratio meets or breaches it.

use std::collections::BTreeMap;

use alnager_stats::impact::impact_ratio;
use alnager_stats::proportion::Proportion;
use alnager_stats::sample::Sample;
use serde_json::{Map, Value, json};

use super::GroupScores;
use crate::figures::{Groups, number};

/// One category of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// People selected (or above the median), of all of them.
    pub share: Proportion,
    /// Whether it holds under 2 % of the people of known category, which an auditor may then leave out of the ratios.
    pub is_small: bool,
}

/// The categories of a grouping by favourable decision.
pub fn selected(groups: &Groups, favourable: u8) -> Vec<Category> {
    let shares = groups
        .groups
        .iter()
        .filter_map(|group| Some((group.name.clone(), group.favourable(favourable)?)));
    categories(shares)
}

fn categories(shares: impl Iterator<Item = (String, Proportion)>) -> Vec<Category> {
    let shares: Vec<(String, Proportion)> = shares.collect();
    let n_known: u64 = shares.iter().map(|(_, share)| share.n()).sum();
    let small = |share: Proportion| 50 * u128::from(share.n()) < u128::from(n_known);
    shares
        .into_iter()
        .map(|(name, share)| Category {
            name,
            share,
            is_small: small(share),
        })
        .collect()
}

/// The impact ratio of each category: its rate over the highest rate among the categories that count; `None` for those that do
/// not, and where the highest rate is 0.
pub fn impact_ratios(
    categories: &[Category],
    counts: impl Fn(&Category) -> bool,
) -> Vec<Option<f64>> {
    let rate = |category: &&Category| category.share.value().unwrap_or(0.0);
    let highest = categories
        .iter()
        .filter(|category| counts(category))
        .max_by(|one, other| rate(one).total_cmp(&rate(other)));
    categories
        .iter()
        .map(|category| {
            let highest = highest.filter(|_| counts(category))?;
            impact_ratio(category.share, highest.share)
        })
        .collect()
}

/// `ll144_selection`: by favourable decision.
pub(super) fn selection(groups: &Groups, favourable: u8) -> Value {
    table(&selected(groups, favourable))
}

/// `ll144_scoring`: by score above the median of everybody, unknown groups too.
pub(super) fn scoring(
    groups: &Groups,
    by_group: &BTreeMap<String, GroupScores<'_>>,
    everybody: &Sample,
) -> Option<Value> {
    let median = everybody.median()?;
    let by = |count: &dyn Fn(&Sample) -> u64| {
        let shares = groups.groups.iter().filter_map(|group| {
            let sample = &by_group.get(&group.name)?.all;
            Some((
                group.name.clone(),
                Proportion::new(count(sample), sample.n())?,
            ))
        });
        table(&categories(shares))
    };
    Some(json!({
        "median_full_sample": median,
        "rule": "scoring rate = share with score strictly greater than the median of the full sample (unknowns included in the median)",
        "table": by(&|sample| sample.count_above(median)),
        "table_at_or_above_median": by(&|sample| sample.count_at_or_above(median)),
    }))
}

fn table(categories: &[Category]) -> Value {
    let n_known: u64 = categories.iter().map(|category| category.share.n()).sum();
    let without_small = impact_ratios(categories, |category| !category.is_small);
    let of_all = impact_ratios(categories, |_| true);
    let rows = categories.iter().zip(without_small).zip(of_all);
    let row = |((category, ratio), of_all): ((&Category, Option<f64>), Option<f64>)| {
        let of_known = Proportion::new(category.share.n(), n_known);
        let figures = json!({
            "n": category.share.n(),
            "selected": category.share.k(),
            "rate": number(category.share.value()),
            "share": number(of_known.and_then(Proportion::value)),
            "excluded": category.is_small,
            "impact_ratio": number(ratio),
            "impact_ratio_no_exclusion": number(of_all),
        });
        (category.name.clone(), figures)
    };
    Value::Object(rows.map(row).collect::<Map<_, _>>())
}
