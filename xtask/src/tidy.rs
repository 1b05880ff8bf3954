//! `cargo xtask tidy`: what neither the compiler nor a test of one crate can see.
//!
//! Each check is a function from text to problems, so that it is tested on small inputs. A problem is one
//! line: where, what, and what to do.

mod content;
mod layers;
mod links;
mod purity;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{metadata, output, reference};

pub(crate) fn tidy(root: &Path) -> Result<()> {
    let files = files(root)?;
    let crates = layers::crates(&metadata(root)?, root);
    let architecture = read(root, "ARCHITECTURE.md")?;

    let mut problems = layers::check(&architecture, &crates);
    problems.extend(purity::check(root, &architecture, &crates, &files)?);
    problems.extend(content::check(root, &crates, &files)?);
    problems.extend(links::check(root, &files)?);
    problems.extend(reference::stale(root)?);

    if problems.is_empty() {
        println!(
            "tidy: {} crates and {} files, nothing to do",
            crates.len(),
            files.len()
        );
        return Ok(());
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    bail!("tidy found {} problems", problems.len())
}

/// Every file that is committed or would be with `git add`, as a path from the root, sorted.
fn files(root: &Path) -> Result<Vec<String>> {
    let listed = output(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let paths: BTreeSet<&str> = listed.split_terminator('\0').collect();
    // A file that was deleted but is still in git's index is no longer ours to check.
    Ok(paths
        .into_iter()
        .filter(|path| root.join(path).is_file())
        .map(str::to_owned)
        .collect())
}

fn read(root: &Path, path: &str) -> Result<String> {
    std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read `{path}`"))
}
