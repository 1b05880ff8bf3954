//! `cargo xtask bench`: CPU seconds of a job, beside the floor that the same work has on the same machine.
//!
//! CPU = user + system time of the finished child, as the kernel counts it. Wall time is left out: other
//! programs on the machine change it.

mod audit;
mod proof;
mod spots;
mod texts;

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::postgres::{Durability, Postgres};
use crate::{Scratch, cargo, run, target_directory};

pub(crate) use audit::audit;
pub(crate) use proof::{pass as proof_pass, proof};
pub(crate) use spots::spots;
pub(crate) use texts::{pass as text_pass, texts};

/// Times that a job is run; the median counts.
const N_RUNS: usize = 15;

/// A review from nothing, desk creation included, stays below this many CPU seconds.
const REVIEW_CPU_S_MAX: f64 = 1.0;

/// Passes of the floor in one run: one pass is shorter than the kernel's tick.
const N_FLOOR_PASSES: u32 = 50;

/// Ticks per second in which Linux reports the times of a process, on every architecture we build for.
const TICKS_PER_S: f64 = 100.0;

/// `alnager review examples/recidivism` with a new desk each time.
pub(crate) fn review(root: &Path) -> Result<()> {
    run(cargo(root).args([
        "build",
        "--release",
        "--quiet",
        "-p",
        "alnager",
        "-p",
        "xtask",
    ]))?;
    let programs = target_directory(root)?.join("release");
    let scratch = Scratch::new("bench")?;

    let mut review_cpu_s = Vec::new();
    let mut n_bytes_desk = 0;
    for index in 0..N_RUNS {
        let place = scratch.0.join(index.to_string());
        let desk = place.join("desk");
        std::fs::create_dir(&place).context("cannot make a folder for the desk")?;
        let mut command = Command::new(programs.join("alnager"));
        command
            .current_dir(root)
            .args(["review", "examples/recidivism", "--desk"]);
        command.arg(&desk).arg("--out").arg(place.join("out"));
        // 0 clear, 1 hold, 3 undecided: the verdict is not what is measured.
        review_cpu_s.push(cpu_s(&mut command, &[0, 1, 3])?);
        n_bytes_desk = n_bytes(&desk)?;
    }

    let csv = data_file(&root.join("examples/recidivism"))?;
    let mut floor_cpu_s = Vec::new();
    for _ in 0..N_RUNS {
        let mut command = Command::new(programs.join("xtask"));
        command
            .current_dir(root)
            .arg("bench-floor")
            .arg(&csv)
            .arg(&scratch.0);
        command.arg(n_bytes_desk.to_string());
        floor_cpu_s.push(cpu_s(&mut command, &[0])? / f64::from(N_FLOOR_PASSES));
    }

    let (review, floor) = (summary(&mut review_cpu_s), summary(&mut floor_cpu_s));
    println!("review examples/recidivism, release, {N_RUNS} runs, a new desk each");
    println!(
        "  CPU s     median {:.3}  min {:.3}  max {:.3}",
        review.median, review.min, review.max
    );
    println!(
        "  floor     median {:.5}  (read and split the CSV, write and sync the desk's {n_bytes_desk} bytes)",
        floor.median
    );
    println!(
        "  ratio     {:.0} × the floor",
        review.median / floor.median
    );
    println!("  target    < {REVIEW_CPU_S_MAX} CPU s");
    if review.median >= REVIEW_CPU_S_MAX {
        bail!(
            "review needs {:.3} CPU s, the target is below {REVIEW_CPU_S_MAX}",
            review.median
        );
    }
    Ok(())
}

/// Every random rule beside the crate `cel`, then what mapping costs; both are built for release.
///
/// They are a test and a benchmark target, because `cel` is wanted there alone: xtask itself builds without it.
pub(crate) fn law(root: &Path) -> Result<()> {
    run(cargo(root).args([
        "test",
        "--release",
        "--quiet",
        "-p",
        "xtask",
        "--test",
        "oracle",
    ]))?;
    run(cargo(root).args(["bench", "--quiet", "-p", "xtask", "--bench", "law"]))
}

/// PostgreSQL as a source: a server of its own, told of in the environment.
pub(crate) fn counts(root: &Path, rows: Option<&str>) -> Result<()> {
    let server = Postgres::start(Durability::Memory)?;
    // The password stands in the environment: an address with one is refused.
    let (before, place) = server
        .url()
        .split_once('@')
        .context("no user in the address")?;
    let (user, password) = before
        .rsplit_once(':')
        .context("no password in the address")?;
    let mut command = cargo(root);
    command.args(["bench", "--quiet", "-p", "xtask", "--bench", "counts"]);
    if let Some(rows) = rows {
        command.args(["--", rows]);
    }
    command.env("ALNAGER_BENCH_POSTGRES", format!("{user}@{place}"));
    run(command.env("PGPASSWORD", password))
}

/// The journal under many submitters and at a million entries, or at another number; or one of the two, by its name.
pub(crate) fn journal(root: &Path, words: &[&str]) -> Result<()> {
    let mut command = cargo(root);
    command.args(["bench", "--quiet", "-p", "xtask", "--bench", "journal"]);
    run(command.arg("--").args(words))
}

/// Models asked of a million rows, beside counting a file of their answers.
pub(crate) fn models(root: &Path) -> Result<()> {
    run(cargo(root).args(["bench", "--quiet", "-p", "xtask", "--bench", "models"]))
}

/// The desk in the browser with 10,000 systems, or another number, read by 16 clients beside a bare axum server.
pub(crate) fn serve(root: &Path, size: Option<&str>) -> Result<()> {
    run(cargo(root).args(["build", "--release", "--quiet", "-p", "alnager"]))?;
    let program = target_directory(root)?.join("release").join("alnager");
    let mut command = cargo(root);
    command.env("ALNAGER_BENCH_PROGRAM", program);
    command.args(["bench", "--quiet", "-p", "xtask", "--bench", "serve"]);
    run(command.arg("--").args(size))
}

/// What no program can do without: read the file, look at every byte, split it into fields, and write as much
/// as the desk holds durably. Run as a child of its own, so that it is measured as the review is.
pub(crate) fn floor(csv: &Path, folder: &Path, n_bytes: &str) -> Result<()> {
    let n_bytes: usize = n_bytes
        .parse()
        .context("the size of the desk is a number of bytes")?;
    let desk = vec![0_u8; n_bytes];
    let target = folder.join("floor");
    for _ in 0..N_FLOOR_PASSES {
        let text =
            std::fs::read(csv).with_context(|| format!("cannot read `{}`", csv.display()))?;
        let lines = text.split(|byte| *byte == b'\n');
        let n_bytes_longest = lines
            .flat_map(|line| line.split(|byte| *byte == b','))
            .map(<[u8]>::len)
            .max();
        black_box(n_bytes_longest);
        let mut file = File::create(&target)
            .with_context(|| format!("cannot write `{}`", target.display()))?;
        file.write_all(&desk)?;
        file.sync_all()?;
    }
    Ok(())
}

/// CPU seconds of a command that runs to its end; an error when its exit code is none of `codes`.
fn cpu_s(command: &mut Command, codes: &[i32]) -> Result<f64> {
    let before = ticks_of_children()?;
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", command.get_program().to_string_lossy()))?;
    let after = ticks_of_children()?;
    if !output
        .status
        .code()
        .is_some_and(|code| codes.contains(&code))
    {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "the measured program ended with {}: {}",
            output.status,
            said.trim()
        );
    }
    Ok((after - before) as f64 / TICKS_PER_S)
}

/// User and system ticks of all children that this process has waited for.
fn ticks_of_children() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("the bench needs Linux")?;
    parse_ticks(&stat).context("`/proc/self/stat` has an unknown form")
}

/// Fields 16 and 17 of proc_pid_stat(5), `cutime` and `cstime`. Field 2, the program's name, is in brackets and
/// may hold spaces, so counting starts behind it.
fn parse_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Middle and ends of some measurements.
struct Summary {
    median: f64,
    min: f64,
    max: f64,
}

/// `values` has at least one value; of an even number the upper middle one is the median.
fn summary(values: &mut [f64]) -> Summary {
    values.sort_by(f64::total_cmp);
    Summary {
        median: values[values.len() / 2],
        min: values[0],
        max: values[values.len() - 1],
    }
}

/// Size of all files under a folder, in bytes.
fn n_bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("no desk in `{}`", folder.display()))?
    {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() {
            n_bytes(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(sum)
}

/// The one CSV file of an example.
fn data_file(example: &Path) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in
        std::fs::read_dir(example).with_context(|| format!("no `{}`", example.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            found.push(path);
        }
    }
    ensure!(
        found.len() == 1,
        "`{}` has {} CSV files, expected 1",
        example.display(),
        found.len()
    );
    Ok(found.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_brackets() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 90 80 0 0 11 12 13 14 20 0 1 0 5";
        assert_eq!(parse_ticks(stat), Some(27));
        assert_eq!(parse_ticks("7 (a) S 1"), None);
    }

    #[test]
    fn the_middle_value_is_the_median() {
        let summary = summary(&mut [3.0, 1.0, 2.0]);
        assert_eq!([summary.min, summary.median, summary.max], [1.0, 2.0, 3.0]);
    }
}
