//! `cargo xtask bench texts SHARED`: importing the AI Act from Formex, beside a bare loop over the events of the same bytes.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use alnager_law::text::import;
use anyhow::{Context, Result, bail};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::{N_RUNS, cpu_s, summary};
use crate::{cargo, run, target_directory};

/// Importing the act stays below this many CPU seconds.
const IMPORT_CPU_S_MAX: f64 = 0.050;

/// Passes in one measured run: one pass is shorter than the kernel's tick.
const N_PASSES: u32 = 100;

/// Measures both as children of their own.
pub(crate) fn texts(root: &Path, shared: &Path) -> Result<()> {
    run(cargo(root).args(["build", "--release", "--quiet", "-p", "xtask"]))?;
    let program = target_directory(root)?.join("release/xtask");
    let file = shared.join("law/texts/eu-ai-act/L_202401689EN.000101.fmx.xml");
    let n_bytes = std::fs::metadata(&file)
        .with_context(|| format!("no `{}`", file.display()))?
        .len();
    let measure = |what: &str| -> Result<f64> {
        let mut per_pass = Vec::new();
        for _ in 0..N_RUNS {
            let mut command = Command::new(&program);
            command
                .current_dir(root)
                .args(["bench-text", what])
                .arg(&file);
            per_pass.push(cpu_s(&mut command, &[0])? / f64::from(N_PASSES));
        }
        Ok(summary(&mut per_pass).median)
    };
    let (import_cpu_s, events_cpu_s) = (measure("import")?, measure("events")?);
    println!(
        "import of the AI Act from Formex, {n_bytes} bytes, release, {N_RUNS} runs of {N_PASSES} passes"
    );
    println!("  CPU ms    {:.2} per import", import_cpu_s * 1e3);
    println!(
        "  floor     {:.2} (the events of the same bytes, nothing kept)",
        events_cpu_s * 1e3
    );
    println!("  ratio     {:.1} × the floor", import_cpu_s / events_cpu_s);
    println!("  target    < {:.0} CPU ms", IMPORT_CPU_S_MAX * 1e3);
    if import_cpu_s >= IMPORT_CPU_S_MAX {
        bail!(
            "the import needs {:.1} CPU ms, the target is below {:.0}",
            import_cpu_s * 1e3,
            IMPORT_CPU_S_MAX * 1e3
        );
    }
    Ok(())
}

/// The child: one of both, many times.
pub(crate) fn pass(what: &str, file: &Path) -> Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    for _ in 0..N_PASSES {
        match what {
            "import" => drop(black_box(import("act.xml", &bytes)?)),
            "events" => events(std::str::from_utf8(&bytes)?)?,
            other => bail!("`{other}` is not measured"),
        }
    }
    Ok(())
}

fn events(text: &str) -> Result<()> {
    let mut reader = Reader::from_str(text);
    while !matches!(black_box(reader.read_event()?), Event::Eof) {}
    Ok(())
}
