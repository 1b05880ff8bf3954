//! 2x2 tables, alone and in strata.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, EXACT, compared};
use crate::conformance::figures::{KnownWrong, Rules, Tally};

/// The mid-p of tables whose probabilities are small: the reference counts every table within 1e-8 of the observed one's
/// probability as tied with it, and so adds tables that are far more probable. For the first its mid-p is above its p, which
/// cannot be (crates/alnager-stats/reference/README.md). The exact values are from 60 digits.
const MIDP: [KnownWrong<'static>; 3] = [
    KnownWrong {
        path: "/8/fisher_midp_two_sided",
        expected: 7.204_789_585_681_212e-8,
        exact: 1.939_597_031_867_552_4e-8,
    },
    KnownWrong {
        path: "/13/fisher_midp_two_sided",
        expected: 5.264_153_575_461_291e-6,
        exact: 5.235_884_535_922_239e-6,
    },
    KnownWrong {
        path: "/crude/fisher_midp_two_sided",
        expected: 2.663_956_589_824_855_2e-8,
        exact: 4.179_102_887_528_531_3e-22,
    },
];

pub(super) fn tables(bench: &Bench, expected: &Value) -> Result<Tally> {
    let tables = expected.as_array().context("the reference is no list")?;
    let mut ours = Vec::with_capacity(tables.len());
    for table in tables {
        let counts = counts(&table["table"])?;
        let mut arguments = vec!["table"];
        arguments.extend(counts.iter().map(String::as_str));
        ours.push(bench.audit(&arguments)?);
    }
    compared(
        &Value::Array(ours),
        expected,
        &Rules {
            known_wrong: &MIDP,
            ..EXACT
        },
    )
}

pub(super) fn strata(bench: &Bench, expected: &Value) -> Result<Tally> {
    let tables = expected["tables"]
        .as_array()
        .context("the reference has no list `tables`")?;
    let mut arguments = vec!["strata".to_owned()];
    for table in tables {
        arguments.extend(["--table".to_owned(), counts(table)?.join(",")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ours = bench.audit(&arguments)?;
    let rules = Rules {
        known_wrong: &MIDP,
        provenance: &["source", "rows", "strata"],
        ..EXACT
    };
    compared(&ours, expected, &rules)
}

/// The four counts of a table.
fn counts(table: &Value) -> Result<Vec<String>> {
    let rows = table.as_array().into_iter().flatten();
    let cells = rows.filter_map(Value::as_array).flatten();
    let counts: Vec<String> = cells
        .filter_map(Value::as_f64)
        .map(|count| format!("{count}"))
        .collect();
    anyhow::ensure!(counts.len() == 4, "`{table}` is no 2x2 table");
    Ok(counts)
}
