//! `cargo xtask bench audit SHARED`: a fairness audit of ten million rows, beside what others need for the same file in the same run.
//!
//! The peers come from a package registry into a folder of the target directory; their scripts lie in `SHARED/peers/fairness`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{cpu_s, summary};
use crate::{cargo, output, run, target_directory};

/// Times that a job is run; the median counts.
const N_RUNS: usize = 9;

/// The audit of ten million rows: every rate, interval and test of 40 intersections.
const TEN_MILLION_CPU_S_MAX: f64 = 0.4;
const TEN_MILLION_MB_MAX: f64 = 150.0;
/// The same against DuckDB's bare count of the same file.
const DUCKDB_RATIO_MAX: f64 = 1.3;
/// One million rows against Fairlearn's MetricFrame with eight metrics.
const FAIRLEARN_RATIO_MIN: f64 = 400.0;
/// Score metrics by group on ten million scores.
const SCORES_CPU_S_MAX: f64 = 1.5;

/// Python packages with the versions measured against.
const PEERS: [&str; 4] = ["fairlearn==0.15.0", "duckdb==2.0.1", "pandas", "pyarrow"];

/// The intersections audited, and the references, named beforehand as they should be.
const INTERSECTIONS: [&str; 10] = [
    "--intersect",
    "race*sex*age",
    "--ref",
    "race=white",
    "--ref",
    "sex=male",
    "--ref",
    "age=30-44",
    "--ref",
    "race*sex*age=white|male|30-44",
];

/// Rows of one file of the table in a hundred files.
const N_ROWS_PART: u64 = 1_000_000;

/// Measures everything and fails where a target is missed.
pub(crate) fn audit(root: &Path, shared: &Path) -> Result<()> {
    run(cargo(root).args(["build", "--release", "--quiet", "-p", "alnager"]))?;
    let target = target_directory(root)?;
    let place = target.join("bench-audit");
    std::fs::create_dir_all(&place).context("cannot make a folder for the data")?;
    let bench = Bench {
        program: target.join("release/alnager"),
        python: peers(&place)?,
        scripts: shared.join("peers/fairness"),
    };
    let ten = bench.table(&place, 10_000_000, 7)?;
    let one = bench.table(&place, N_ROWS_PART, 7)?;
    let mut missed = Vec::new();
    bench.ten_million(&ten, &mut missed)?;
    bench.fairlearn(&one, &mut missed)?;
    bench.scores(&ten, &mut missed)?;
    bench.many_files(&place)?;
    run(cargo(root).args(["bench", "--quiet", "-p", "xtask", "--bench", "bootstrap"]))?;
    if !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    Ok(())
}

struct Bench {
    program: PathBuf,
    python: PathBuf,
    scripts: PathBuf,
}

/// A Python with the peers, made once.
fn peers(place: &Path) -> Result<PathBuf> {
    let folder = place.join("peers");
    let python = folder.join("bin/python");
    if !python.is_file() {
        println!("installing the peers ({}) …", PEERS.join(", "));
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(PEERS))?;
    }
    Ok(python)
}

impl Bench {
    /// A synthetic table of this many rows, made once.
    fn table(&self, place: &Path, n_rows: u64, seed: u64) -> Result<PathBuf> {
        let file = place.join(format!("rows-{n_rows}-{seed}.parquet"));
        if !file.is_file() {
            run(Command::new(&self.python)
                .arg(self.scripts.join("gen.py"))
                .args([
                    "--rows",
                    &n_rows.to_string(),
                    "--seed",
                    &seed.to_string(),
                    "--out",
                ])
                .arg(&file)
                .stdout(Stdio::null()))?;
        }
        Ok(file)
    }

    fn fairness(&self, data: &Path, attributes: &str, more: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["audit", "fairness"]).arg(data);
        command.args([
            "--label",
            "y_true",
            "--decision",
            "y_pred",
            "--favorable",
            "1",
        ]);
        command
            .args(["--attr", attributes, "--format", "json"])
            .args(more);
        command
    }

    /// One line of JSON that a peer prints of its own time.
    fn peer(&self, name: &str, data: &Path) -> Result<Value> {
        let mut command = Command::new(&self.python);
        command.arg(self.scripts.join("bench_peer.py"));
        command.args(["--peer", name, "--data"]).arg(data);
        serde_json::from_str(&output(&mut command)?)
            .with_context(|| format!("`{name}` printed no JSON"))
    }

    fn ten_million(&self, data: &Path, missed: &mut Vec<String>) -> Result<()> {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..N_RUNS {
            let mut command = self.fairness(data, "race,sex,age", &INTERSECTIONS);
            // 0 pass, 1 fail, 3 inconclusive: the verdict is not what is measured.
            let own = cpu_s(&mut command, &[0, 1, 3])?;
            let peer = self.peer("duckdb", data)?["cpu_s"].as_f64();
            let peer = peer.context("duckdb told no time")?;
            ours.push(own);
            theirs.push(peer);
            ratios.push(own / peer);
        }
        let peak = peak_mb(&mut self.fairness(data, "race,sex,age", &INTERSECTIONS))?;
        let (ours, theirs, ratio) = (
            summary(&mut ours),
            summary(&mut theirs),
            summary(&mut ratios),
        );
        println!(
            "10 million rows, 3 attributes and their 40 intersections: every rate, interval and test"
        );
        println!(
            "  CPU s     median {:.3}  min {:.3}  max {:.3}  (target ≤ {TEN_MILLION_CPU_S_MAX})",
            ours.median, ours.min, ours.max
        );
        println!("  peak      {peak:.0} MB  (target ≤ {TEN_MILLION_MB_MAX})");
        println!(
            "  duckdb    median {:.3}  (bare counts of the same file)",
            theirs.median
        );
        println!(
            "  ratio     {:.2} × duckdb, median of {N_RUNS}  (target ≤ {DUCKDB_RATIO_MAX})",
            ratio.median
        );
        miss(
            missed,
            "CPU seconds of 10 million rows",
            ours.median <= TEN_MILLION_CPU_S_MAX,
        );
        miss(
            missed,
            "memory of 10 million rows",
            peak <= TEN_MILLION_MB_MAX,
        );
        miss(
            missed,
            "the ratio to duckdb",
            ratio.median <= DUCKDB_RATIO_MAX,
        );
        Ok(())
    }

    fn fairlearn(&self, data: &Path, missed: &mut Vec<String>) -> Result<()> {
        let mut ours = Vec::new();
        for _ in 0..N_RUNS {
            ours.push(cpu_s(
                &mut self.fairness(data, "race,sex,age", &INTERSECTIONS),
                &[0, 1, 3],
            )?);
        }
        let ours = summary(&mut ours).median;
        let theirs = self.peer("fairlearn", data)?["cpu_s"].as_f64();
        let theirs = theirs.context("fairlearn told no time")?;
        println!("1 million rows: Fairlearn's MetricFrame with 8 metrics, no intervals");
        println!("  CPU s     ours {ours:.3}, fairlearn {theirs:.1} (one run)");
        println!(
            "  ratio     {:.0} × less  (target ≥ {FAIRLEARN_RATIO_MIN})",
            theirs / ours
        );
        miss(
            missed,
            "the ratio to fairlearn",
            theirs / ours >= FAIRLEARN_RATIO_MIN,
        );
        Ok(())
    }

    fn scores(&self, data: &Path, missed: &mut Vec<String>) -> Result<()> {
        let mut ours = Vec::new();
        for _ in 0..5 {
            ours.push(cpu_s(
                &mut self.fairness(data, "race", &["--score", "score", "--ref", "race=white"]),
                &[0, 1, 3],
            )?);
        }
        let ours = summary(&mut ours);
        println!(
            "10 million different scores, 5 groups: AUC with DeLong, KS, W1, PSI, ECE, Brier, ABROCA and the rest"
        );
        println!(
            "  CPU s     median {:.2}  min {:.2}  max {:.2}  (target ≤ {SCORES_CPU_S_MAX})",
            ours.median, ours.min, ours.max
        );
        miss(
            missed,
            "CPU seconds of 10 million scores",
            ours.median <= SCORES_CPU_S_MAX,
        );
        Ok(())
    }

    /// 100 million rows in 100 files: time grows with the rows, memory does not.
    fn many_files(&self, place: &Path) -> Result<()> {
        println!("one table in many files of a million rows");
        println!("  files   rows, million   CPU s   CPU s a million   peak MB");
        let folder = place.join("parts");
        std::fs::create_dir_all(&folder).context("cannot make a folder for the parts")?;
        let mut n_made = 0;
        for n_files in [1, 10, 25, 50, 100] {
            while n_made < n_files {
                let part = folder.join(format!("part-{n_made:03}.parquet"));
                let made = self.table(place, N_ROWS_PART, 100 + n_made)?;
                if !part.exists() {
                    std::fs::hard_link(&made, &part).context("cannot place a part")?;
                }
                n_made += 1;
            }
            let of_many = folder.join(format!("first-{n_files}"));
            std::fs::create_dir_all(&of_many)?;
            for at in 0..n_files {
                let name = format!("part-{at:03}.parquet");
                let link = of_many.join(&name);
                if !link.exists() {
                    std::fs::hard_link(folder.join(&name), &link)?;
                }
            }
            let command = || self.fairness(&of_many, "race,sex,age", &INTERSECTIONS);
            let cpu = cpu_s(&mut command(), &[0, 1, 3])?;
            let peak = peak_mb(&mut command())?;
            println!(
                "  {n_files:>5}   {n_files:>13}   {cpu:>5.2}   {:>15.3}   {peak:>7.0}",
                cpu / n_files as f64
            );
        }
        Ok(())
    }
}

fn miss(missed: &mut Vec<String>, what: &str, is_met: bool) {
    if !is_met {
        missed.push(what.to_owned());
    }
}

/// The most memory a command held, as the kernel counts it while it runs.
fn peak_mb(command: &mut Command) -> Result<f64> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start the measured program")?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0.0_f64;
    // The high-water mark only rises, so the last look before the end is enough to a millisecond.
    while child.try_wait()?.is_none() {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            peak_kb = peak_kb.max(kb.unwrap_or(0.0));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    ensure!(
        peak_kb > 0.0,
        "the measured program ended before its memory was seen"
    );
    Ok(peak_kb / 1024.0)
}
