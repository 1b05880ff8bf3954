//! What a bootstrap of the cells costs: 2,000 replicates of 160 cells, at few rows and at very many. Started by
//! `cargo xtask bench audit SHARED`.
//!
//! CPU = time this thread ran, as the kernel's scheduler counts it.

use std::hint::black_box;

use alnager_stats::bootstrap::{Replicates, resample};
use anyhow::{Context, Result, ensure};

/// Replicates of one bootstrap.
const N_REPLICATES: u64 = 2_000;

/// Cells of the table: 40 groups by label and decision.
const N_CELLS: u64 = 160;

/// Times that a job is run; the median counts.
const N_RUNS: usize = 9;

/// 2,000 replicates stay below this many CPU seconds, at any number of rows.
const CPU_S_MAX: f64 = 0.1;

fn main() -> Result<()> {
    println!(
        "bootstrap of {N_CELLS} cells, {N_REPLICATES} replicates, the widest gap in selection and its interval"
    );
    for rows_a_cell in [6, 6_000, 60_000_000, 250_000_000_000] {
        let cells: Vec<u64> = (0..N_CELLS)
            .map(|at| rows_a_cell + rows_a_cell * (at % 7) / 6)
            .collect();
        let mut seconds = Vec::new();
        for _ in 0..N_RUNS {
            let before = cpu_s()?;
            let gaps = resample(&cells, N_REPLICATES, 1, widest_gap).context("too many rows")?;
            black_box(Replicates::new(gaps).percentile(0.95));
            seconds.push(cpu_s()? - before);
        }
        seconds.sort_by(f64::total_cmp);
        let median = seconds[N_RUNS / 2];
        let rows: u64 = cells.iter().sum();
        println!("  {rows:>15} rows   median {median:.4} CPU s  (target ≤ {CPU_S_MAX})");
        ensure!(median <= CPU_S_MAX, "the bootstrap needs {median:.3} CPU s");
    }
    Ok(())
}

/// Highest less lowest selection rate of 40 groups of four cells.
fn widest_gap(cells: &[u64]) -> Option<f64> {
    let rates = cells.chunks(4).filter_map(|cells| {
        let n: u64 = cells.iter().sum();
        (n > 0).then(|| (cells[1] + cells[3]) as f64 / n as f64)
    });
    let rates: Vec<f64> = rates.collect();
    let high = rates.iter().copied().reduce(f64::max)?;
    Some(high - rates.iter().copied().reduce(f64::min)?)
}

/// CPU seconds of this thread so far.
fn cpu_s() -> Result<f64> {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("the bench needs Linux")?;
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|first| first.parse::<f64>().ok());
    Ok(nanoseconds.context("`schedstat` has an unknown form")? / 1e9)
}
