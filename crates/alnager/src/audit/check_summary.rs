//! `alnager audit check-summary`: anyone's published table, computed again.

use std::path::PathBuf;

use alnager_audit::summary::Remark;
use alnager_work::audit::check_summary::{self, Checked};
use alnager_work::error::JobError;
use clap::Args;
use serde_json::json;

use super::Shown;
use crate::arguments::Format;
use crate::run::{CLEAR, HOLD};

/// The summary.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing is wrong, 1 something does not add up, 2 it cannot be read, 4 could not finish.\n\n\
    The file is a CSV with columns such as category, applicants, selected, rate and impact ratio, in any order, several tables \
    told apart by a column `table` or a blank line; or the JSON of `alnager audit fairness --profile ll144`."
)]
pub(crate) struct CheckSummaryArguments {
    /// The published summary: CSV, or JSON with `public_summary`
    file: PathBuf,
}

pub(crate) fn run(arguments: &CheckSummaryArguments, format: Format) -> Result<Shown, JobError> {
    let checked = check_summary::check(&arguments.file)?;
    let figures = json!({
            "schema": "alnager.check_summary/1",
            "tables": checked.published.tables.len(),
            "categories": n_lines(&checked),
            "n_unknown": checked.published.n_unknown,
            "wrong": checked.n_wrong(),
            "remarks": checked.remarks.iter().map(|remark| json!({
                "table": remark.table,
                "category": remark.category,
                "wrong": remark.is_wrong,
                "what": remark.what,
            })).collect::<Vec<_>>(),
    });
    let text = match format {
        Format::Json => String::new(),
        Format::Text => words(&checked),
    };
    Ok(Shown {
        figures,
        text,
        code: if checked.n_wrong() == 0 { CLEAR } else { HOLD },
        is_judged: true,
    })
}

fn n_lines(checked: &Checked) -> usize {
    let tables = checked.published.tables.iter();
    tables.map(|table| table.lines.len()).sum()
}

fn words(checked: &Checked) -> String {
    let tables = checked.published.tables.len();
    let read = format!(
        "{} in {}",
        several(n_lines(checked), "category", "categories"),
        several(tables, "table", "tables")
    );
    let mut lines = vec![match checked.n_wrong() {
        0 => format!("✓ everything adds up: {read}"),
        n => format!(
            "✕ {} up: {read}",
            several(n, "thing does not add", "things do not add")
        ),
    }];
    lines.extend(checked.remarks.iter().map(line));
    lines.join("\n")
}

fn line(remark: &Remark) -> String {
    let sign = if remark.is_wrong { "✕" } else { "·" };
    let place = match (remark.table.as_str(), remark.category.as_str()) {
        ("", _) => "summary".to_owned(),
        (table, "") => table.to_owned(),
        (table, category) => format!("{table}, {category}"),
    };
    format!("  {sign} {place}: {}", remark.what)
}

fn several(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}
