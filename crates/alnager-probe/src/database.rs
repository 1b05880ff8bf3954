//! PostgreSQL as a source: the database counts, and only the counts come over the wire.

use std::fmt;
use std::str::FromStr as _;

use alnager_audit::declared::Audit;
use alnager_audit::measures::FileStamp;
use futures_util::StreamExt as _;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row as _, SqlSafeStr as _};

use crate::cells::CELLS_MAX;
use crate::error::{ProbeError, Row};
use crate::intake::{self, Fault, ROWS_COLUMN, Sink as _};
use crate::kernel::Kernel;
use crate::source::{Progress, Unit, hex};
use crate::sql::{Dialect, count_query};

/// A table or query of a PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    url: String,
    from: From,
    /// Server, database and table or query, without secrets.
    shown: String,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A table or view, its schema before it and a dot: `public.applicants`.
    Table(String),
    /// One `SELECT`.
    Query(String),
}

/// Lines between two words of progress.
const TELL_EVERY: u64 = 1 << 12;

impl Database {
    /// A server's address, `postgres://user@host/database`, and what to count there.
    ///
    /// A password in the address is refused, because addresses end up in declarations, logs and reports; `PGPASSWORD` or a
    /// password file holds it.
    pub fn new(url: &str, from: From) -> Result<Self, ProbeError> {
        let wrong = |problem: &str| ProbeError::Address {
            problem: problem.to_owned(),
        };
        let rest = ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| {
            wrong("an address of a database begins with `postgres://`, as in postgres://user@host/database")
        })?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, host) = place.rsplit_once('@').unwrap_or(("", place));
        let asks_password = query
            .split('&')
            .any(|pair| pair.to_lowercase().starts_with("password"));
        if user.contains(':') || asks_password {
            return Err(wrong(
                "the address of the database holds a password; leave it out and set PGPASSWORD, or keep it in ~/.pgpass",
            ));
        }
        if PgConnectOptions::from_str(url).is_err() {
            return Err(wrong(
                "the address of the database cannot be read; write it as postgres://user@host:port/database",
            ));
        }
        let what = match &from {
            From::Table(table) if table.trim().is_empty() => {
                return Err(wrong("name the table to be counted"));
            }
            From::Table(table) => table.clone(),
            From::Query(query) if query.trim().trim_end_matches(';').trim().is_empty() => {
                return Err(wrong("the query is empty; write one SELECT"));
            }
            From::Query(_) => "a query".to_owned(),
        };
        Ok(Database {
            url: url.to_owned(),
            shown: format!("postgres://{host} ({what})"),
            from,
        })
    }

    /// One whose address is taken as it is, the tests' server having a password in it.
    #[cfg(test)]
    pub(crate) fn trusted(url: &str, from: From) -> Self {
        Database {
            url: url.to_owned(),
            from,
            shown: "the tests' server".to_owned(),
        }
    }

    /// The query that is asked for an audit.
    pub fn query(&self, audit: &Audit) -> Result<String, ProbeError> {
        count_query(
            audit,
            &self.from.words(Dialect::Postgres),
            Dialect::Postgres,
        )
    }

    /// Has the rows counted and takes the counts in. The stamp is that of the counts as comma-separated text.
    pub(crate) fn count(
        &self,
        audit: &Audit,
        kernel: &mut Kernel<'_>,
        progress: &dyn Fn(Progress),
    ) -> Result<FileStamp, ProbeError> {
        if !kernel.takes_counts() {
            return Err(ProbeError::NeedsRows {
                name: self.to_string(),
            });
        }
        let query = self.query(audit)?;
        let (lines, coming) = std::sync::mpsc::sync_channel(TELL_EVERY as usize);
        // A thread of its own, because whoever measures may be inside a runtime already.
        std::thread::scope(|scope| {
            let asking = scope.spawn(move || self.ask(&query, &lines));
            let taken = self.take(kernel, &coming, progress);
            // The one who asks stops when nobody takes any more.
            drop(coming);
            let asked = match asking.join() {
                Ok(asked) => asked,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            let stamp = taken?;
            asked.map(|()| stamp)
        })
    }

    fn take(
        &self,
        kernel: &mut Kernel<'_>,
        coming: &std::sync::mpsc::Receiver<Line>,
        progress: &dyn Fn(Progress),
    ) -> Result<FileStamp, ProbeError> {
        kernel.intake().compare_floats(&|_| false);
        let columns = kernel.intake().columns().to_vec();
        let (mut hash, mut n_bytes, mut n_lines) = (Sha256::new(), 0, 0_u64);
        let mut text = Vec::new();
        let head: Vec<&str> = columns
            .iter()
            .map(String::as_str)
            .chain([ROWS_COLUMN])
            .collect();
        write_line(&mut text, &head);
        for line in coming {
            n_lines += 1;
            if n_lines > CELLS_MAX as u64 {
                return Err(ProbeError::TooManyCounts {
                    name: self.to_string(),
                    columns: format!("`{}`", columns.join("`, `")),
                });
            }
            let number = line.n.to_string();
            let fields = line
                .fields
                .iter()
                .map(|field| field.as_deref().unwrap_or(""));
            write_line(
                &mut text,
                &fields.chain([number.as_str()]).collect::<Vec<_>>(),
            );
            n_bytes += text.len() as u64;
            hash.update(&text);
            text.clear();
            let field = |at: usize| {
                let field = line.fields.get(at).and_then(Option::as_deref);
                field.unwrap_or("").as_bytes()
            };
            intake::row(kernel, &field, Some(line.n))
                .map_err(|fault| self.fault(&columns, n_lines, fault))?;
            if n_lines.is_multiple_of(TELL_EVERY) {
                progress(Progress {
                    done: n_lines,
                    total: n_lines,
                    unit: Unit::Counts,
                });
            }
        }
        n_bytes += text.len() as u64;
        hash.update(&text);
        kernel
            .flush()
            .map_err(|fault| self.fault(&columns, n_lines, fault))?;
        Ok(FileStamp {
            name: self.to_string(),
            sha256: hex(hash),
            n_bytes,
        })
    }

    fn fault(&self, columns: &[String], n_lines: u64, fault: Fault) -> ProbeError {
        let column = fault
            .column
            .and_then(|at| columns.get(at))
            .map(String::as_str);
        ProbeError::content(
            &self.to_string(),
            Some(Row::Line(n_lines)),
            column,
            fault.problem,
        )
    }

    fn ask(
        &self,
        query: &str,
        lines: &std::sync::mpsc::SyncSender<Line>,
    ) -> Result<(), ProbeError> {
        let failed = |said: String| ProbeError::Database {
            name: self.to_string(),
            said,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| failed(error.to_string()))?;
        let asked = runtime.block_on(self.stream(query, lines));
        asked.map_err(|error| {
            let said = error
                .as_database_error()
                .map(|error| error.message().to_owned());
            failed(said.unwrap_or_else(|| error.to_string()))
        })
    }

    async fn stream(
        &self,
        query: &str,
        lines: &std::sync::mpsc::SyncSender<Line>,
    ) -> sqlx::Result<()> {
        let options = PgConnectOptions::from_str(&self.url)?
            .application_name("alnager")
            .disable_statement_logging();
        let mut link: PgConnection = options.connect().await?;
        // All counts are of one moment, and nothing can be changed.
        link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let statement =
            sqlx::query(AssertSqlSafe(query.to_owned()).into_sql_str()).persistent(false);
        let mut rows = statement.fetch(&mut link);
        let mut is_wanted = true;
        while let Some(row) = rows.next().await {
            let line = Line::of(&row?)?;
            if lines.send(line).is_err() {
                is_wanted = false;
                break;
            }
        }
        drop(rows);
        match is_wanted {
            true => link.close().await,
            // The server may have much left to send, which nobody reads.
            false => link.close_hard().await,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl From {
    /// What stands behind FROM.
    pub fn words(&self, dialect: Dialect) -> String {
        match self {
            From::Table(table) => {
                let parts = table.split('.').map(|part| dialect.quoted(part.trim()));
                parts.collect::<Vec<_>>().join(".")
            }
            From::Query(query) => {
                let query = query.trim().trim_end_matches(';').trim_end();
                format!("({query}\n) AS {}", dialect.quoted("alnager_source"))
            }
        }
    }
}

/// One combination of values, and how many rows have it.
struct Line {
    fields: Vec<Option<String>>,
    n: u64,
}

impl Line {
    fn of(row: &PgRow) -> sqlx::Result<Line> {
        let n_fields = row.len().saturating_sub(1);
        let n: i64 = row.try_get(n_fields)?;
        let fields = (0..n_fields).map(|at| row.try_get::<Option<String>, _>(at));
        Ok(Line {
            fields: fields.collect::<sqlx::Result<_>>()?,
            n: n.unsigned_abs(),
        })
    }
}

/// Writes fields as comma-separated text, in quotes where they need them.
fn write_line(text: &mut Vec<u8>, fields: &[&str]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            text.push(b'"');
            text.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            text.push(b'"');
        } else {
            text.extend_from_slice(field.as_bytes());
        }
    }
    text.push(b'\n');
}
