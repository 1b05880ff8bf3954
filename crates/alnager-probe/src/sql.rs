//! The count table of an audit as one SQL query.
//!
//! What the database counts are combinations of the columns an audit reads, as they are written; conditions, derived columns,
//! labels and groups are worked out here, on the combinations, by the same kernel as for rows. Only numbers that are held
//! against thresholds are put into classes there, so that a score of a million values gives a few lines: each class is told by
//! one number that lies in it.

use std::collections::BTreeMap;

use alnager_audit::declared::Audit;

use crate::coder::Coder;
use crate::error::ProbeError;
use crate::intake::ROWS_COLUMN;
use crate::kernel::Kernel;
use crate::role::Role;

/// The words in which databases differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Names in double quotes, `DOUBLE PRECISION`: DuckDB, Snowflake, Redshift, Trino.
    Standard,
    /// PostgreSQL.
    Postgres,
    /// Names in backticks, `FLOAT64`: BigQuery.
    BigQuery,
    /// Names in backticks, `DOUBLE`: MySQL, MariaDB.
    MySql,
}

impl Dialect {
    /// The words for them.
    pub const WORDS: [&str; 4] = ["standard", "postgres", "bigquery", "mysql"];

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "standard" => Some(Dialect::Standard),
            "postgres" => Some(Dialect::Postgres),
            "bigquery" => Some(Dialect::BigQuery),
            "mysql" => Some(Dialect::MySql),
            _ => None,
        }
    }

    /// A name in quotes.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            Dialect::Standard | Dialect::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
            Dialect::BigQuery | Dialect::MySql => format!("`{}`", name.replace('`', "``")),
        }
    }

    /// A column as a number of 64 bits: by its text, so that a number of 32 bits is what it is written as, and what is empty or
    /// means unknown stays missing.
    fn number(self, column: &str, unknown: &[String]) -> String {
        let (text, number) = match self {
            Dialect::Standard => ("VARCHAR", "DOUBLE PRECISION"),
            Dialect::Postgres => ("text", "double precision"),
            Dialect::BigQuery => ("STRING", "FLOAT64"),
            Dialect::MySql => ("CHAR", "DOUBLE"),
        };
        let text = format!("CAST({column} AS {text})");
        let spellings = unknown.iter().filter(|text| text.parse::<f64>().is_err());
        let missing: Vec<String> = std::iter::once(String::new())
            .chain(spellings.cloned())
            .map(|text| format!("'{}'", text.replace('\'', "''")))
            .collect();
        let missing = missing.join(", ");
        format!("CASE WHEN TRIM({text}) NOT IN ({missing}) THEN CAST({text} AS {number}) END")
    }

    /// A column as it is handed over: PostgreSQL's driver is told that all are texts.
    fn handed_over(self, column: &str) -> String {
        match self {
            Dialect::Postgres => format!("CAST({column} AS text) AS {column}"),
            Dialect::Standard | Dialect::BigQuery | Dialect::MySql => column.to_owned(),
        }
    }
}

/// How a column is counted.
enum Reading {
    /// Every value by itself.
    AsIs,
    /// Numbers in classes: the values that part them, and whether the value itself is a class of its own.
    Classes(BTreeMap<Bound, bool>),
}

/// A finite number, in order.
#[derive(Clone, Copy, PartialEq)]
struct Bound(f64);

impl Eq for Bound {}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Minus zero is zero.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

/// The query that counts what `audit` needs from `from`: a table's name as the database takes it, or a query in parentheses.
///
/// Its result, as comma-separated text with a header, is a source for the same audit. An audit by person needs rows: an error.
pub fn count_query(audit: &Audit, from: &str, dialect: Dialect) -> Result<String, ProbeError> {
    if audit.person.is_some() || audit.model.is_some() {
        return Err(ProbeError::NeedsRows {
            name: from.to_owned(),
        });
    }
    let kernel = Kernel::new(audit, None)?;
    let columns = kernel.columns();
    let (mut numbers, mut read) = (Vec::new(), Vec::new());
    for (at, name) in columns.iter().enumerate() {
        let column = dialect.quoted(name);
        let roles = kernel.all_roles().iter().filter(|role| role.column == at);
        match reading(audit, roles) {
            Reading::AsIs => {
                numbers.push(column.clone());
                read.push(column);
            }
            Reading::Classes(bounds) => {
                let number = dialect.number(&column, &audit.unknown);
                numbers.push(format!("{number} AS {column}"));
                read.push(format!("{} AS {column}", classes(&column, &bounds)));
            }
        }
    }
    let quoted: Vec<String> = columns.iter().map(|name| dialect.quoted(name)).collect();
    let outer: Vec<String> = quoted
        .iter()
        .map(|column| dialect.handed_over(column))
        .collect();
    let names = quoted.join(", ");
    Ok(format!(
        "SELECT {},\n       count(*) AS {}\n  FROM (SELECT {}\n          FROM (SELECT {}\n                  FROM {from}) AS {}) AS {}\n GROUP BY {names}\n ORDER BY {names}",
        outer.join(",\n       "),
        dialect.quoted(ROWS_COLUMN),
        read.join(",\n               "),
        numbers.join(",\n                       "),
        dialect.quoted("alnager_numbers"),
        dialect.quoted("alnager_read"),
    ))
}

/// How a column is counted that these roles read.
fn reading<'r>(audit: &Audit, roles: impl Iterator<Item = &'r Role>) -> Reading {
    let mut bounds: BTreeMap<Bound, bool> = BTreeMap::new();
    let mut cut = |number: f64, is_class: bool| {
        *bounds.entry(Bound(number)).or_default() |= is_class;
    };
    for role in roles {
        match (&role.ranges, &role.coder) {
            (Some(ranges), _) => ranges.levels.cuts().iter().for_each(|at| cut(*at, false)),
            (None, Coder::Levels(levels)) => levels.cuts().iter().for_each(|at| cut(*at, false)),
            (None, Coder::Truths(truths)) => match truths.cut() {
                Some(at) => cut(at, true),
                None => return Reading::AsIs,
            },
            (None, Coder::Texts(_) | Coder::Numbers(_) | Coder::Gathered(_) | Coder::Persons) => {
                return Reading::AsIs;
            }
        }
    }
    // A number that stands for unknown must stay what it is.
    let unknown = audit
        .unknown
        .iter()
        .filter_map(|text| text.parse::<f64>().ok());
    unknown
        .filter(|number| number.is_finite())
        .for_each(|number| cut(number, true));
    Reading::Classes(bounds)
}

/// The class of a number, told by one number in it. What is missing stays missing, what is not finite stays what it is.
fn classes(number: &str, bounds: &BTreeMap<Bound, bool>) -> String {
    const MOST: &str = "1.7976931348623157e308";
    let mut arms = vec![format!(
        "CASE WHEN NOT ({number} BETWEEN -{MOST} AND {MOST}) THEN {number}"
    )];
    let all: Vec<(f64, bool)> = bounds
        .iter()
        .map(|(bound, alone)| (bound.0 + 0.0, *alone))
        .collect();
    if let Some((first, _)) = all.first() {
        arms.push(format!(
            "WHEN {number} < {first} THEN {}",
            between(None, Some(*first))
        ));
    }
    for (at, (bound, alone)) in all.iter().enumerate() {
        let next = all.get(at + 1).map(|(next, _)| *next);
        if *alone {
            arms.push(format!("WHEN {number} = {bound} THEN {bound}"));
        }
        let inside = match alone {
            true => between(Some(*bound), next),
            false => *bound,
        };
        arms.push(match next {
            Some(next) => format!("WHEN {number} < {next} THEN {inside}"),
            None => format!("WHEN {number} >= {bound} THEN {inside}"),
        });
    }
    arms.push("END".to_owned());
    arms.join("\n                    ")
}

/// A number between two others, a short one if there is one.
fn between(low: Option<f64>, high: Option<f64>) -> f64 {
    let fits = |number: &f64| {
        number.is_finite()
            && low.is_none_or(|low| low < *number)
            && high.is_none_or(|high| *number < high)
    };
    let (wished, near) = match (low, high) {
        (None, Some(high)) => (high - 1.0, high.next_down()),
        (Some(low), None) => (low + 1.0, low.next_up()),
        (Some(low), Some(high)) => (low / 2.0 + high / 2.0, low.next_up()),
        (None, None) => (0.0, 0.0),
    };
    if fits(&wished) { wished } else { near }
}

#[cfg(test)]
mod tests;
