//! `cargo xtask fuzz [MINUTES] [TARGET…]`: random input for every parser of a stranger's bytes.
//!
//! The targets lie in `fuzz/`, in the layout of `cargo fuzz`, which may run them too. Here they are built with the
//! project's own toolchain: libFuzzer needs the compiler's coverage counters, which are stable flags, and no sanitizer,
//! since no code of ours is unsafe.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{cargo, output, run, target_directory};

/// Coverage as `cargo fuzz` asks for it.
const COVERAGE: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// Longest input, bytes; no format has a limit that a shorter one could not reach, except notes.
const INPUT_BYTES_MAX: u32 = 16_384;

/// Minutes for each target, unless told otherwise.
const MINUTES: u32 = 10;

/// Builds the targets and runs those named, or all, one after another. What a run finds is kept in the target folder;
/// only a crash is worth a place in `fuzz/corpus`.
pub(crate) fn fuzz(root: &Path, words: &[&str]) -> Result<()> {
    let (minutes, named) = match words.split_first() {
        None => (MINUTES, words),
        Some((first, rest)) => match first.parse() {
            Ok(minutes) => (minutes, rest),
            Err(_) => (MINUTES, words),
        },
    };
    let folder = root.join("fuzz");
    let place = target_directory(root)?.join("fuzz");
    let host = output(Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say for what it compiles")?;
    // With a target named, build scripts and macros are left without coverage.
    run(cargo(&folder)
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--bins",
            "--target",
            host,
        ])
        .env("CARGO_TARGET_DIR", &place)
        .env("RUSTFLAGS", COVERAGE.join(" ")))?;
    let known = targets(&folder)?;
    if let Some(other) = named
        .iter()
        .find(|name| !known.contains(&(**name).to_owned()))
    {
        bail!(
            "there is no target `{other}`; there are {}",
            known.join(", ")
        );
    }
    let wanted = known
        .iter()
        .filter(|name| named.is_empty() || named.contains(&name.as_str()));
    for name in wanted {
        let found = place.join("found").join(name);
        std::fs::create_dir_all(&found).context("cannot make a folder for what is found")?;
        let crashes = place.join("crashes");
        std::fs::create_dir_all(&crashes).context("cannot make a folder for crashes")?;
        let mut command = Command::new(place.join(host).join("release").join(name));
        command
            .arg(&found)
            .arg(folder.join("corpus").join(name))
            .arg(format!("-max_total_time={}", 60 * minutes))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg("-timeout=10")
            .arg("-rss_limit_mb=2048")
            .arg(format!("-artifact_prefix={}/{name}-", crashes.display()));
        let ran = command
            .output()
            .with_context(|| format!("cannot start the target `{name}`"))?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure!(
            ran.status.success(),
            "{name} failed; put the input from `{}` into `fuzz/corpus/{name}` and mend the parser:\n{said}",
            crashes.display()
        );
        let end = said.lines().rev().find(|line| line.starts_with("Done "));
        println!("{name:<12} {}", end.unwrap_or("ended without a word"));
    }
    Ok(())
}

/// The names of the targets, sorted.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(folder.join("fuzz_targets")).context("there are no targets")?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        let name = path.file_stem().context("a file without a name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
