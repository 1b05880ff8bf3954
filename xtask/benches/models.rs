//! What a model costs that is asked of a million rows, beside counting a file of its answers. Started by `cargo xtask bench models`.
//!
//! CPU = user + system time of all threads of this process, as the kernel counts it.

use std::fmt::Write as _;
use std::path::Path;

use alnager_audit::declared::Audit;
use alnager_probe::{Source, measure_beside};
use anyhow::{Context, Result, ensure};

/// Rows of the table.
const N_ROWS: usize = 1_000_000;

/// Times that a job is run; the median counts.
const N_RUNS: usize = 5;

/// Rows a second and core that a model is asked at least, reading and counting them included.
const ROWS_A_CORE_S_MIN: f64 = 100_000.0;

/// Asking and counting takes at most this many times what counting the answers in a file takes.
const RATIO_MAX: f64 = 10.0;

const AUDIT: &str = "
    name = 'bench'
    data = 'rows'
    decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }
    score = { column = 'score', cuts = [0.1, 0.3, 0.5, 0.7, 0.9] }
    attribute = [{ column = 'sex', characteristic = 'sex' }]
    ";

fn main() -> Result<()> {
    let package = std::env::var("CARGO_MANIFEST_DIR").context("the bench is started by cargo")?;
    let models = Path::new(&package).join("../crates/alnager-probe/tests/models");
    let folder = tempfile::tempdir()?;
    let (rows, predictions) = (
        folder.path().join("rows.csv"),
        folder.path().join("predictions.csv"),
    );
    let (plain, with_score) = tables();
    std::fs::write(&rows, plain)?;
    std::fs::write(&predictions, with_score)?;
    let told = audit(AUDIT)?;
    let floor = median(|| {
        let source = Source::Files {
            path: predictions.clone(),
        };
        measure_beside(&told, &source, &models, &|_| ()).map(|_| ())
    })?;
    println!("{N_ROWS} rows of text, two groups, a score with five cuts, {N_RUNS} runs");
    println!("  counting a file of answers          {floor:.2} CPU s");
    for (name, file) in [
        ("logistic regression, scaled", "logit.onnx"),
        ("50 trees of depth 4", "boosted.onnx"),
    ] {
        let model = format!(
            "{AUDIT}\n[model]\ngives = 'score'\ninputs = ['age', 'income', 'debt']\nonnx = '{file}'\nat = 1\n"
        );
        let asked = audit(&model)?;
        let cpu_s = median(|| {
            let source = Source::Files { path: rows.clone() };
            measure_beside(&asked, &source, &models, &|_| ()).map(|_| ())
        })?;
        let (rate, ratio) = (N_ROWS as f64 / cpu_s, cpu_s / floor);
        println!(
            "  asking {name:<27}  {cpu_s:.2} CPU s  {:>9.0} rows a CPU s (target ≥ {ROWS_A_CORE_S_MIN})  {ratio:.1} × counting (target ≤ \
             {RATIO_MAX})",
            rate
        );
        ensure!(rate >= ROWS_A_CORE_S_MIN, "{name}: {rate:.0} rows a CPU s");
        ensure!(
            ratio <= RATIO_MAX,
            "{name}: {ratio:.1} times what counting takes"
        );
    }
    Ok(())
}

fn audit(text: &str) -> Result<Audit> {
    Ok(Audit::read(&alnager_law::read::read("bench.toml", text)?)?)
}

/// The rows, and the rows with a score.
fn tables() -> (String, String) {
    let (mut plain, mut with_score) = (
        "age,income,debt,sex\n".to_owned(),
        "age,income,debt,sex,score\n".to_owned(),
    );
    let mut state = 20_261_130_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..N_ROWS {
        let (age, income, debt) = (18 + next(60), 500 + next(5_000), next(3_000));
        let (cents, sex) = (next(100), ["Male", "Female"][next(2) as usize]);
        let score = next(10_000_000) as f64 / 1e7;
        // Writing to a text does not fail.
        let _ = writeln!(plain, "{age},{income}.{cents:02},{debt},{sex}");
        let _ = writeln!(with_score, "{age},{income}.{cents:02},{debt},{sex},{score}");
    }
    (plain, with_score)
}

/// The middle of the CPU seconds of some runs.
fn median<E>(job: impl Fn() -> Result<(), E>) -> Result<f64>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut seconds = Vec::with_capacity(N_RUNS);
    for _ in 0..N_RUNS {
        let before = cpu_s()?;
        job()?;
        seconds.push(cpu_s()? - before);
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[N_RUNS / 2])
}

/// CPU seconds of this process so far: fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
fn cpu_s() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("the bench needs Linux")?;
    let behind = stat.rsplit_once(')').map(|(_, behind)| behind);
    let mut fields = behind.unwrap_or_default().split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok());
    let (user, system) = (ticks(), ticks());
    let all = user.zip(system).map(|(user, system)| user + system);
    Ok(all.context("`/proc/self/stat` has an unknown form")? / 100.0)
}
