//! Decisions with more than two classes.
//!
//! A [`Table`] has one row per group and one column per class, the classes in a declared order, say the
//! best first. Cumulative figures mean "this class or one before it". Whether chance explains the differences,
//! [`contingency`](crate::contingency) answers for the same table.

use crate::compare::ratio;
use crate::contingency::Table;
use crate::impact::{Spread, spread};
use crate::proportion::Proportion;

/// The share of each class within a group, in the declared order; `None` if the table has no such row.
///
/// Each is undefined if the group is empty.
pub fn shares(table: &Table, group: usize) -> Option<Vec<Proportion>> {
    let row = table.rows().get(group)?;
    Some(of_total(row, row.iter().copied()))
}

/// The share of each class or one before it within a group; the last is all of it.
///
/// `None` if the table has no such row.
pub fn cumulative_shares(table: &Table, group: usize) -> Option<Vec<Proportion>> {
    let row = table.rows().get(group)?;
    let sums = row.iter().scan(0, |sum, &count| {
        *sum += count;
        Some(*sum)
    });
    Some(of_total(row, sums))
}

/// The group's share of each class over the reference's, each 0 and above.
///
/// The outer `None` if the table lacks a row; an inner one if a group is empty or the reference has
/// nobody in the class.
pub fn ratios(table: &Table, group: usize, reference: usize) -> Option<Vec<Option<f64>>> {
    Some(each_ratio(
        &shares(table, group)?,
        &shares(table, reference)?,
    ))
}

/// The group's share of each class or one before it over the reference's, each 0 and above: an impact
/// ratio at every cut of the order; the last is 1.
///
/// `None` as for [`ratios`].
pub fn cumulative_ratios(
    table: &Table,
    group: usize,
    reference: usize,
) -> Option<Vec<Option<f64>>> {
    let [group, reference] = [group, reference].map(|row| cumulative_shares(table, row));
    Some(each_ratio(&group?, &reference?))
}

/// The widest gap among the groups for each class: how far the largest share lies above the smallest.
///
/// `None` in place of each class if every group is empty; empty groups are listed as undefined.
///
/// Source: for two classes Agarwal et al. 2018, A reductions approach to fair classification (ICML); here
/// class by class.
pub fn class_spreads(table: &Table) -> Vec<Option<Spread>> {
    let groups: Vec<Vec<Option<f64>>> = (0..table.rows().len())
        .filter_map(|group| shares(table, group))
        .map(|shares| shares.into_iter().map(Proportion::value).collect())
        .collect();
    (0..table.column_totals().len())
        .map(|class| {
            let of_class: Vec<Option<f64>> = groups.iter().map(|shares| shares[class]).collect();
            spread(&of_class)
        })
        .collect()
}

/// Counts of a row that are at most its total, which a table bounds.
fn of_total(row: &[u64], counts: impl Iterator<Item = u64>) -> Vec<Proportion> {
    let n = row.iter().sum();
    counts
        .map(|count| Proportion::saturated(count, n))
        .collect()
}

fn each_ratio(group: &[Proportion], reference: &[Proportion]) -> Vec<Option<f64>> {
    let pairs = group.iter().zip(reference);
    pairs
        .map(|(&group, &reference)| ratio(group, reference))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
