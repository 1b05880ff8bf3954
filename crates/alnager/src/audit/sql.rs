//! `alnager audit sql`: the counts of an audit as one query, for any database.

use alnager_probe::{Dialect, From, count_query};
use alnager_work::error::JobError;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::Shown;
use super::fairness::{self, FairnessArguments};
use crate::arguments::Format;

/// What to count, and in whose words.
#[derive(Debug, Args)]
#[command(
    after_help = "DATA is the table; with --query it is only a name. A column held against a threshold must hold numbers. Flags that are about judging change nothing here. Save what the database answers as CSV with its header: \
    the file is a source for the same audit, with the same figures as the rows.\n\n\
    Example: alnager audit sql applicants --decision approved --favorable 1 --attr sex --dialect postgres > count.sql\n\
    psql --csv --file count.sql > counts.csv\n\
    alnager audit fairness counts.csv --decision approved --favorable 1 --attr sex"
)]
pub(crate) struct SqlArguments {
    #[command(flatten)]
    what: FairnessArguments,
    /// The database's words
    #[arg(long, value_enum, default_value_t = DialectName::Standard)]
    dialect: DialectName,
}

/// The words in which databases differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DialectName {
    /// DuckDB, Snowflake, Redshift, Trino
    Standard,
    /// PostgreSQL
    Postgres,
    /// BigQuery
    Bigquery,
    /// MySQL, MariaDB: texts that differ in case are one, unless the column has a binary collation
    Mysql,
}

pub(crate) fn run(arguments: &SqlArguments, format: Format) -> Result<Shown, JobError> {
    let (word, dialect) = match arguments.dialect {
        DialectName::Standard => ("standard", Dialect::Standard),
        DialectName::Postgres => ("postgres", Dialect::Postgres),
        DialectName::Bigquery => ("bigquery", Dialect::BigQuery),
        DialectName::Mysql => ("mysql", Dialect::MySql),
    };
    let audit = fairness::audit(&arguments.what)?;
    let from = match arguments.what.query()? {
        Some(query) => From::Query(query),
        None => From::Table(audit.data.clone()),
    };
    let sql = count_query(&audit, &from.words(dialect), dialect)?;
    let text = match format {
        Format::Json => String::new(),
        Format::Text => format!("{sql};"),
    };
    Ok(Shown::reported(
        json!({ "dialect": word, "sql": sql }),
        text,
    ))
}
