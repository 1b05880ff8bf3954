//! Comparisons within strata: does the gap remain once people are compared with their like?

use std::collections::BTreeMap;

use alnager_stats::contingency::ChiSquare;
use alnager_stats::proportion::Proportion;
use alnager_stats::stratified::{self, Strata, Stratum};
use serde_json::{Map, Value, json};

use super::{put, put_interval, put_p};
use crate::declared::Audit;
use crate::figures::{Groups, group_name, interval};
use crate::measures::Measures;
use crate::table::Cell;

/// The counts of every group in every stratum.
pub(crate) struct ByStratum {
    by: String,
    cells: BTreeMap<String, BTreeMap<String, Cell>>,
    /// Rows of known groups whose stratum is unknown; they are in no stratum.
    n_unknown: u64,
    favourable: u8,
}

/// The strata of a grouping; `None` where there are none, or where they are among the groups' own columns.
pub(crate) fn by_stratum(audit: &Audit, measures: &Measures, groups: &Groups) -> Option<ByStratum> {
    let by = audit.strata.clone()?;
    if groups.grouping.columns.contains(&by) {
        return None;
    }
    let mut columns = groups.grouping.columns.clone();
    columns.push(by.clone());
    let mut found = ByStratum {
        by,
        cells: BTreeMap::new(),
        n_unknown: 0,
        favourable: audit.decision.favourable,
    };
    for (mut key, cell) in measures.table.by(&columns)? {
        let stratum = key.pop().flatten();
        match (stratum, group_name(key, audit.missing)) {
            (Some(stratum), Some(group)) => {
                let groups = found.cells.entry(stratum).or_default();
                groups.entry(group).or_default().add(&cell);
            }
            (None, Some(_)) => found.n_unknown += cell.n(),
            (_, None) => {}
        }
    }
    Some(found)
}

impl ByStratum {
    /// The tables of a group and another in each stratum, `decision` being the success.
    pub(crate) fn tables(&self, group: &str, reference: &str, decision: usize) -> Vec<Stratum> {
        let share = |groups: &BTreeMap<String, Cell>, name: &str| {
            let cell = groups.get(name).copied().unwrap_or_default();
            Proportion::new(cell.decided(decision), cell.n())
        };
        self.cells
            .values()
            .filter_map(|groups| {
                Some(Stratum {
                    group: share(groups, group)?,
                    reference: share(groups, reference)?,
                })
            })
            .collect()
    }

    /// `stratified` of a comparison.
    pub(super) fn compare(&self, group: &str, reference: &str, z: f64) -> Value {
        let tables = self.tables(group, reference, 1);
        let mut figures = stratified(&tables, z);
        figures.insert("by".to_owned(), json!(self.by));
        figures.insert("n_unknown_stratum".to_owned(), json!(self.n_unknown));
        let favourable = self.tables(group, reference, usize::from(self.favourable));
        let disparity = stratified::conditional_demographic_disparity(&favourable);
        let value = disparity.map(|disparity| disparity.value);
        put(&mut figures, "conditional_demographic_disparity", value);
        figures.insert("favorable".to_owned(), ratios(&favourable, z));
        Value::Object(figures)
    }
}

/// The common ratios of favourable decisions: what the crude impact ratio becomes within strata.
fn ratios(tables: &[Stratum], z: f64) -> Value {
    let strata = Strata::new(tables);
    let mut figures = Map::new();
    let risk_ratio = stratified::mh_risk_ratio(&strata);
    put(&mut figures, "mh_risk_ratio", risk_ratio);
    let greenland = stratified::mh_risk_ratio_greenland_robins(&strata, z);
    put_interval(&mut figures, "mh_rr_ci_greenland_robins", greenland);
    put(
        &mut figures,
        "mh_odds_ratio",
        stratified::mh_odds_ratio(&strata),
    );
    let rbg = stratified::mh_odds_ratio_rbg(&strata, z);
    put_interval(&mut figures, "mh_or_ci_rbg", rbg);
    Value::Object(figures)
}

/// Every figure of some 2x2 tables in strata.
pub fn stratified(tables: &[Stratum], z: f64) -> Map<String, Value> {
    let strata = Strata::new(tables);
    let mut figures = Map::new();
    figures.insert(
        "rule".to_owned(),
        json!("strata with a zero row or column total are dropped"),
    );
    figures.insert("n_strata".to_owned(), json!(strata.n_strata()));
    figures.insert("n_dropped".to_owned(), json!(strata.n_dropped()));
    let odds_ratio = stratified::mh_odds_ratio(&strata);
    put(&mut figures, "mh_odds_ratio", odds_ratio);
    let rbg = match stratified::mh_odds_ratio_rbg(&strata, z) {
        // An odds ratio of 0 has no logarithm to build an interval around: both ends are undefined, the figure itself is not.
        None if odds_ratio.is_some() => json!([null, null]),
        rbg => interval(rbg),
    };
    figures.insert("mh_or_ci_rbg".to_owned(), rbg);
    put(
        &mut figures,
        "mh_risk_ratio",
        stratified::mh_risk_ratio(&strata),
    );
    let greenland = stratified::mh_risk_ratio_greenland_robins(&strata, z);
    put_interval(&mut figures, "mh_rr_ci_greenland_robins", greenland);
    let cmh = stratified::cmh_chi2(&strata);
    put(&mut figures, "cmh_chi2", cmh.map(|test| test.statistic));
    put_p(&mut figures, "cmh", cmh.map(|test| test.p));
    let corrected = stratified::cmh_chi2_corrected(&strata);
    put(
        &mut figures,
        "cmh_chi2_cc",
        corrected.map(|test| test.statistic),
    );
    put(&mut figures, "cmh_p_cc", corrected.map(|test| test.p.value));
    let mut homogeneity = |name: &str, test: Option<ChiSquare>| {
        put(&mut figures, name, test.map(|test| test.statistic));
        put_p(&mut figures, name, test.map(|test| test.p));
    };
    homogeneity("breslow_day", stratified::breslow_day(&strata));
    homogeneity(
        "breslow_day_tarone",
        stratified::breslow_day_tarone(&strata),
    );
    figures
}
