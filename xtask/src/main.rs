//! The project's chores: test, postgres, s3, tidy, bench, conformance, interop, schemathesis, fuzz, wasm, reference.

mod bench;
mod browser;
mod conformance;
mod fuzz;
mod interop;
mod keeper;
mod object_store;
mod postgres;
mod python;
mod reference;
mod schemathesis;
mod test;
mod tidy;
mod wasm;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test                 run every test of the workspace, with a PostgreSQL and an S3 server and a browser of their own
  postgres [durable]   run a throw-away PostgreSQL server until ctrl-c, for tests by hand
  s3                   run a throw-away S3-compatible server until ctrl-c, for tests by hand
  browser              run a driver for browsers until ctrl-c, for tests by hand
  pictures             take the pictures of the README and the guide anew
  tidy                 check layers, purity, links, reference pages and what is committed
  reference            write the generated pages of docs/reference anew
  bench [review]       build for release and measure CPU seconds beside a physical floor
  bench law            hold 100,000 random rules against the crate cel, measure mapping beside it
  bench counts [ROWS]  PostgreSQL counts 10,000,000 rows for an audit: bytes over the wire, and beside the same count by hand
  bench journal [N] [submitters|large] [unordered]
                       append from many submitters, then N entries (1,000,000), beside raw fsync and bare SQLite; both, or one;
                       with ids of now, or in no order
  bench audit SHARED   audit ten million rows beside the peers of the folder SHARED
  bench models         ask two models of a million rows beside counting a file of their answers
  bench proof          check the proof of one entry of a million, size and CPU
  bench serve [N]      read the desk of 10,000 systems with 16 clients beside a bare axum server
  bench spots [SHARED] search Adult for blind spots, and planted data whose truth is known
  bench texts SHARED   import the AI Act from the folder SHARED beside a bare loop over its events
  interop              show our logs, intact and damaged, to log libraries of others (Rust, Python, Go)
  schemathesis [N]     N requests (50) of each operation of the API, made from its own document
  fuzz [MINUTES] [TARGET…]
                       random input for every parser of a stranger's bytes, 10 minutes each
  wasm                 compile the verifier's library for wasm32-unknown-unknown, where that is installed
  conformance SHARED   compare our figures and law cases with the reference in the folder SHARED";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test"] => test::test(&root()),
        ["postgres"] => postgres::keep(postgres::Durability::Memory),
        ["postgres", "durable"] => postgres::keep(postgres::Durability::Disk),
        ["s3"] => object_store::keep(&root()),
        ["browser"] => browser::keep(),
        ["pictures"] => browser::pictures(&root()),
        ["tidy"] => tidy::tidy(&root()),
        ["reference"] => reference::write(&root()),
        ["bench"] | ["bench", "review"] => bench::review(&root()),
        ["bench", "law"] => bench::law(&root()),
        ["bench", "counts"] => bench::counts(&root(), None),
        ["bench", "counts", rows] => bench::counts(&root(), Some(rows)),
        ["bench", "journal", words @ ..] => bench::journal(&root(), words),
        ["bench", "audit", shared] => bench::audit(&root(), Path::new(shared)),
        ["bench", "models"] => bench::models(&root()),
        ["bench", "proof"] => bench::proof(&root()),
        ["bench", "serve"] => bench::serve(&root(), None),
        ["bench", "serve", size] => bench::serve(&root(), Some(size)),
        ["bench", "spots"] => bench::spots(&root(), None),
        ["bench", "spots", shared] => bench::spots(&root(), Some(Path::new(shared))),
        ["bench", "texts", shared] => bench::texts(&root(), Path::new(shared)),
        // Not chores: the children that `bench` measures, built for release like their rivals.
        ["bench-proof", what, file] => bench::proof_pass(what, Path::new(file)),
        ["bench-text", what, file] => bench::text_pass(what, Path::new(file)),
        ["bench-floor", csv, folder, n_bytes] => {
            bench::floor(Path::new(csv), Path::new(folder), n_bytes)
        }
        ["fuzz", words @ ..] => fuzz::fuzz(&root(), words),
        ["interop"] => interop::interop(&root()),
        ["schemathesis"] => schemathesis::schemathesis(&root(), None),
        ["schemathesis", examples] => schemathesis::schemathesis(&root(), Some(examples)),
        ["wasm"] => wasm::wasm(&root()),
        ["conformance", shared] => conformance::conformance(&root(), Path::new(shared)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
///
/// Read when run, not when compiled: clones may share a target folder, and then the compiled-in
/// path would be that of the other clone.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .and_then(|dir| Path::new(&dir).parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}

/// A cargo command in the workspace.
///
/// The variables that the outer `cargo run` set for this program are taken away: build scripts that
/// watch them would otherwise run again, and so rebuild, at every change between `cargo xtask` and `cargo`.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command.current_dir(root).stdin(Stdio::null());
    command
}

/// Runs a command with its output shown; an error when it fails.
fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed; an error with its standard error when it fails.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} failed ({}): {}",
            shown(command),
            output.status,
            said.trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something that is not UTF-8", shown(command)))
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    format!("`{}`", words.join(" "))
}

/// What cargo knows about the workspace's own crates; asks no network.
fn metadata(root: &Path) -> Result<Value> {
    let text = output(cargo(root).args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
    ]))?;
    serde_json::from_str(&text).context("cargo metadata did not print JSON")
}

/// Path of the command line program of the development build, built first when it is not up to date.
///
/// Builds the whole workspace with all targets although one program is wanted: a smaller selection has
/// other features, and cargo would compile the dependencies a second time.
fn alnager(root: &Path) -> Result<PathBuf> {
    run(cargo(root).args(["build", "--quiet", "--workspace", "--all-targets"]))?;
    Ok(target_directory(root)?.join("debug").join("alnager"))
}

/// Where cargo puts what it builds.
fn target_directory(root: &Path) -> Result<PathBuf> {
    let metadata = metadata(root)?;
    let directory = metadata["target_directory"]
        .as_str()
        .context("no target directory")?;
    Ok(PathBuf::from(directory))
}

/// A folder for passing files, removed with its content at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(purpose: &str) -> Result<Scratch> {
        let name = format!("alnager-{purpose}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it: the system clears its temporary folder itself.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
