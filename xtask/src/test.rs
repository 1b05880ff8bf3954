//! `cargo xtask test`: every test of the workspace, with a throw-away PostgreSQL server, an S3-compatible server and a browser beside it.
//!
//! Tests that need a server find it through an environment variable, and say so on a line of their own where it is not set. With
//! `ALNAGER_TEST_ALL=1`, as in CI, a server that cannot be started is an error.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::browser::{self, Browser};
use crate::object_store::{self, ObjectStore};
use crate::postgres::{self, Durability, Postgres};
use crate::{cargo, output, run};

/// Set to `1`: no test may be left out.
const ALL: &str = "ALNAGER_TEST_ALL";

pub(crate) fn test(root: &Path) -> Result<()> {
    let postgres = server(postgres::VARIABLE, || Postgres::start(Durability::Memory))?;
    let object_store = server(object_store::VARIABLE, || ObjectStore::start(root))?;
    let browser = server(browser::VARIABLE, Browser::start)?;
    let with_servers = |command: &mut Command| {
        if let Some(server) = &postgres {
            command.env(postgres::VARIABLE, server.url());
        }
        if let Some(server) = &object_store {
            command.env(object_store::VARIABLE, server.address());
        }
        if let Some(browser) = &browser {
            command.env(browser::VARIABLE, browser.address());
        }
        run(command)
    };

    let has_nextest = output(cargo(root).args(["nextest", "--version"])).is_ok();
    if has_nextest {
        with_servers(cargo(root).args(["nextest", "run", "--workspace"]))?;
        // nextest runs no examples in documentation.
        run(cargo(root).args(["test", "--quiet", "--workspace", "--doc"]))
    } else {
        with_servers(cargo(root).args(["test", "--workspace"]))
    }
}

/// Starts a server unless its variable names one already. `None` when that one is used, or when there is none and tests
/// may be left out.
fn server<T>(variable: &str, start: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    if std::env::var_os(variable).is_some() {
        return Ok(None);
    }
    match start() {
        Ok(server) => Ok(Some(server)),
        Err(error) if std::env::var_os(ALL).is_some_and(|value| value == "1") => {
            Err(error).with_context(|| format!("{ALL} is 1, so no test may be left out"))
        }
        Err(error) => {
            eprintln!("not run: the tests that need {variable}: {error:#}");
            Ok(None)
        }
    }
}
