//! Favourable rates and impact ratios period by period: does a gap open or close?

use std::collections::BTreeMap;

use alnager_stats::compare;
use alnager_stats::impact::impact_ratio;
use alnager_stats::proportion::Proportion;
use serde_json::{Map, Value, json};

use crate::declared::Audit;
use crate::figures::{Groups, group_name, interval, number};
use crate::measures::Measures;
use crate::table::Cell;

/// By period and group: rows, favourable decisions, rate, and the impact ratio against the same reference in every period.
///
/// `None` where no period is counted, or where it is among the groups' own columns.
pub(super) fn by_period(
    audit: &Audit,
    measures: &Measures,
    groups: &Groups,
    z: f64,
) -> Option<Value> {
    let by = audit.period.clone()?;
    if groups.grouping.columns.contains(&by) {
        return None;
    }
    let mut columns = groups.grouping.columns.clone();
    columns.push(by);
    let mut cells: BTreeMap<String, BTreeMap<String, Cell>> = BTreeMap::new();
    for (mut key, cell) in measures.table.by(&columns)? {
        let period = key.pop().flatten();
        if let Some((period, group)) = period.zip(group_name(key, audit.missing)) {
            let groups = cells.entry(period).or_default();
            groups.entry(group).or_default().add(&cell);
        }
    }
    let reference = groups.reference.map(|at| groups.groups[at].name.as_str());
    let decision = usize::from(audit.decision.favourable);
    let share = |cell: &Cell| Proportion::new(cell.decided(decision), cell.n());
    let of_period = |groups: BTreeMap<String, Cell>| {
        let theirs = reference.and_then(|name| share(groups.get(name)?));
        let rows = groups.iter().filter_map(|(name, cell)| {
            let ours = share(cell)?;
            let against = theirs.filter(|_| Some(name.as_str()) != reference);
            let ratio = against.and_then(|theirs| impact_ratio(ours, theirs));
            let katz = against.and_then(|theirs| compare::ratio_katz(ours, theirs, z));
            let figures = json!({
                "n": ours.n(),
                "favorable": ours.k(),
                "rate": number(ours.value()),
                "impact_ratio": number(ratio),
                "ci_katz": interval(katz),
            });
            Some((name.clone(), figures))
        });
        Value::Object(rows.collect::<Map<_, _>>())
    };
    let periods = cells.into_iter();
    Some(Value::Object(
        periods
            .map(|(period, groups)| (period, of_period(groups)))
            .collect::<Map<_, _>>(),
    ))
}
