//! `cargo xtask bench proof`: what it costs to check one entry of a million: proof file, signature, path.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use alnager_journal::checkpoint::{Checkpoint, SignedCheckpoint};
use alnager_journal::merkle::{Tree, leaf_hash};
use alnager_journal::note::{KeyKind, SigningKey};
use alnager_journal::proof::Proof;
use anyhow::{Context, Result, bail, ensure};

use super::{N_RUNS, cpu_s, summary};
use crate::{Scratch, cargo, run, target_directory};

/// Entries of the log.
const N_ENTRIES: u64 = 1_000_000;

/// Hashes of the longest path in such a log.
const N_HASHES: usize = 20;

/// A proof file of such a log has at most so many bytes.
const PROOF_BYTES_MAX: u64 = 1_200;

/// Checking it takes less than this, CPU seconds.
const CHECK_CPU_S_MAX: f64 = 100e-6;

/// Checks in one measured run: one is far shorter than the kernel's tick.
const N_PASSES: u32 = 20_000;

/// Name of the log, as long as a desk's own.
const ORIGIN: &str = "alnager.local/019ab000-0000-7000-8000-000000000001";

/// Makes the proof and measures its checks, in children.
pub(crate) fn proof(root: &Path) -> Result<()> {
    run(cargo(root).args(["build", "--release", "--quiet", "-p", "xtask"]))?;
    let program = target_directory(root)?.join("release/xtask");
    let scratch = Scratch::new("proof")?;
    let file = scratch.0.join("0.tlog-proof");
    let child = |what: &str| {
        let mut command = Command::new(&program);
        command
            .current_dir(root)
            .args(["bench-proof", what])
            .arg(&file);
        command
    };
    let make_cpu_s = cpu_s(&mut child("make"), &[0])?;
    let n_bytes = std::fs::metadata(&file).context("no proof was made")?.len();
    let mut check_cpu_s = Vec::new();
    for _ in 0..N_RUNS {
        check_cpu_s.push(cpu_s(&mut child("check"), &[0])? / f64::from(N_PASSES));
    }
    let check = summary(&mut check_cpu_s);
    println!("one entry of {N_ENTRIES}, release, {N_RUNS} runs of {N_PASSES} checks");
    println!("  file      {n_bytes} bytes, {N_HASHES} hashes  (target ≤ {PROOF_BYTES_MAX})");
    println!(
        "  CPU µs    median {:.1}  min {:.1}  max {:.1} per check: file parsed, signature, path  (target < {:.0})",
        check.median * 1e6,
        check.min * 1e6,
        check.max * 1e6,
        CHECK_CPU_S_MAX * 1e6
    );
    println!("  beside    {make_cpu_s:.2} CPU s to build the tree of all entries");
    if n_bytes > PROOF_BYTES_MAX || check.median >= CHECK_CPU_S_MAX {
        bail!("the proof misses a target");
    }
    Ok(())
}

fn entry(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn key() -> Result<SigningKey> {
    Ok(SigningKey::new(ORIGIN, &[7; 32])?)
}

/// The child: makes the proof of the first entry, or checks it many times.
pub(crate) fn pass(what: &str, file: &Path) -> Result<()> {
    match what {
        "make" => {
            let tree: Tree = (0..N_ENTRIES)
                .map(|index| leaf_hash(&entry(index)))
                .collect();
            let checkpoint = Checkpoint::new(ORIGIN, N_ENTRIES, tree.root())?;
            let hashes = tree
                .inclusion_proof(0, N_ENTRIES)
                .context("the log is too short")?;
            ensure!(hashes.len() == N_HASHES, "{} hashes", hashes.len());
            let proof = Proof {
                extra: None,
                index: 0,
                hashes,
                checkpoint: SignedCheckpoint::sign(checkpoint, &[&key()?])?,
            };
            std::fs::write(file, proof.to_string()).context("cannot write the proof")
        }
        "check" => {
            let bytes = std::fs::read(file).context("cannot read the proof")?;
            let known = [key()?.verifying_key(KeyKind::Ed25519)];
            for _ in 0..N_PASSES {
                let proof = Proof::parse(black_box(&bytes))?;
                black_box(proof.checkpoint.note().verify(&known)?);
                proof.verify(&entry(0))?;
            }
            Ok(())
        }
        other => bail!("`{other}` is not measured"),
    }
}
