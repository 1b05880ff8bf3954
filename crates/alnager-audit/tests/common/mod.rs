//! Audits and counts made in memory.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

use alnager_audit::declared::Audit;
use alnager_audit::measures::{DataStamp, DecisionRanges, LeftOut, Measures};
use alnager_audit::plan::{Plan, plan};
use alnager_audit::policy::Policy;
use alnager_audit::table::{Cell, CountTable, WeightCell, WeightSum};
use alnager_law::rule::Truth;

const POLICY: &str = "
schema = 'alnager.policy/1'
id = 'test'
version = '1'
title = 'Test'
from = 2026-01-01
known = 2026-01-01
confidence_level = 0.95
min_group = 20
reference_min = 20
approved = { by = 'A', role = 'R', on = 2026-01-01 }
[[test]]
id = 'impact-ratio'
what = 'w'
question = 'bias'
metric = 'impact_ratio'
low = '0.80'
high = '1.25'
source = 'yardstick'
cite = 'c'
when = 'true'
[[test]]
id = 'tpr'
what = 'w'
question = 'bias'
metric = 'tpr_difference'
low = '-0.10'
high = '0.10'
source = 'policy'
cite = 'c'
when = 'true'
";

/// A policy with these tests: an impact ratio, and a TPR difference where rows have labels.
pub(crate) fn planned(audit: &Audit) -> Plan {
    let policy = Policy::parse("policy.toml", POLICY).unwrap();
    let audits = std::slice::from_ref(audit);
    plan(
        &[],
        audits,
        &policy,
        &|_| (Truth::True, Vec::new()),
        &|_| None,
    )
}

/// An audit of the attribute `g`, favourable 1, with a label; `more` is further TOML.
pub(crate) fn audit(more: &str) -> Audit {
    let text = format!(
        "name = 'a'\ndata = 'd.csv'\nlabel = {{ column = 'y', positive = '1' }}\n\
         decision = {{ column = 'd', positive = '1', favourable = '1' }}\n{more}"
    );
    Audit::read(&alnager_law::read::read("audit.toml", &text).unwrap()).unwrap()
}

pub(crate) const G: &str = "attribute = [{ column = 'g', characteristic = 'other' }]";

/// Counts `[tn, fp, fn, tp]` of each group.
pub(crate) fn measures(groups: &[(&str, [u64; 4])]) -> Measures {
    let cells = groups.iter().map(|(name, [tn, fp, fn_, tp])| {
        let cell = Cell {
            counts: [[*tn, *fp], [*fn_, *tp], [0, 0]],
        };
        (vec![Some((*name).to_owned())], cell)
    });
    let table = CountTable {
        columns: vec!["g".to_owned()],
        cells: cells.collect(),
        weights: BTreeMap::new(),
    };
    of_table(table)
}

pub(crate) fn of_table(table: CountTable) -> Measures {
    Measures {
        audit: "a".to_owned(),
        data: DataStamp {
            name: "d.csv".to_owned(),
            sha256: String::new(),
            n_bytes: 0,
            n_rows: table.n(),
            files: Vec::new(),
            left_out: LeftOut::default(),
            model: None,
        },
        table,
        scores: None,
        samples: None,
        ranges: DecisionRanges::new(),
        persons: None,
    }
}

/// The same counts, every row with this weight.
pub(crate) fn weighted(mut measures: Measures, weight: f64) -> Measures {
    for (key, cell) in &measures.table.cells {
        let sum = |n: u64| WeightSum {
            w: n as f64 * weight,
            w2: n as f64 * weight * weight,
        };
        let sums = cell.counts.map(|by_decision| by_decision.map(sum));
        measures
            .table
            .weights
            .insert(key.clone(), WeightCell { sums });
    }
    measures
}
