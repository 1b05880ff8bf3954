//! Where the rows of an audit are: files, objects of a store, a table or query of a database.

use std::path::{Path, PathBuf};

use alnager_audit::declared::Relation;
use alnager_probe::{Database, Fetched, From, Objects, Progress, Source};

use crate::error::JobError;

/// A source at hand, with what must be kept while it is read.
pub(crate) struct Local {
    source: Source,
    /// What it is called where it is stamped.
    name: String,
    /// The files of objects that were fetched.
    _fetched: Option<Fetched>,
}

impl Local {
    /// The source.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// What it is called, wherever its files lie just now.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// Whether this is the address of a database.
pub(crate) fn is_database(data: &Path) -> bool {
    let data = data.to_string_lossy();
    data.starts_with("postgres://") || data.starts_with("postgresql://")
}

/// The source at a path, or at the address of objects or of a database; paths are relative to `folder`.
pub(crate) fn local(
    folder: &Path,
    data: &Path,
    relation: Option<&Relation>,
    progress: &dyn Fn(Progress),
) -> Result<Local, JobError> {
    let address = data.to_string_lossy();
    if is_database(data) {
        let from = match relation {
            Some(Relation::Table(table)) => From::Table(table.clone()),
            Some(Relation::Query(query)) => From::Query(query.clone()),
            None => {
                return Err(JobError::Input(format!(
                    "say what of the database to count: a table or a query (--table, --query; in a declaration `table` or `query`), for `{}`",
                    without_user(&address)
                )));
            }
        };
        let source = Source::Database(Database::new(&address, from)?);
        return Ok(Local {
            name: address.into_owned(),
            source,
            _fetched: None,
        });
    }
    if relation.is_some() {
        return Err(JobError::Input(format!(
            "a table or query belongs to a database, and `{address}` is none; its address begins with `postgres://`"
        )));
    }
    if address.starts_with(Objects::SCHEME) {
        let fetched = Objects::new(&address)?.fetch(progress)?;
        return Ok(Local {
            name: address.into_owned(),
            source: fetched.source().clone(),
            _fetched: Some(fetched),
        });
    }
    let path = folder.join(data);
    Ok(Local {
        name: path.display().to_string(),
        source: Source::Files { path },
        _fetched: None,
    })
}

/// An address without who signs in, and without what may be a password.
fn without_user(address: &str) -> String {
    let place = address.split('?').next().unwrap_or(address);
    match place.rsplit_once('@') {
        Some((_, host)) => format!("postgres://{host}"),
        None => place.to_owned(),
    }
}

/// The relation that flags name: a table, or the SELECT of a file.
pub fn relation(
    table: Option<&str>,
    query: Option<&PathBuf>,
) -> Result<Option<Relation>, JobError> {
    Ok(match (table, query) {
        (Some(table), None) => Some(Relation::Table(table.to_owned())),
        (None, Some(file)) => Some(Relation::Query(crate::files::read_text(file)?)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(JobError::Input(
                "--table and --query both say what to count; give one".to_owned(),
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    fn wrong(data: &str, relation: Option<Relation>) -> String {
        match local(Path::new(""), Path::new(data), relation.as_ref(), &|_| {}) {
            Ok(_) => panic!("{data} is taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_database_needs_a_table_and_a_file_none() {
        let error = wrong("postgres://user@host/db?password=x", None);
        assert!(
            error.contains("--table") && !error.contains("user") && !error.contains('x'),
            "{error}"
        );
        let table = || Some(Relation::Table("t".to_owned()));
        assert!(wrong("data.csv", table()).contains("belongs to a database"));
        assert!(wrong("postgres://u:secret@h/d", table()).contains("holds a password"));
        let found = local(Path::new("folder"), Path::new("data.csv"), None, &|_| {}).unwrap();
        let path = PathBuf::from("folder/data.csv");
        assert_eq!(*found.source(), Source::Files { path });
    }
}
