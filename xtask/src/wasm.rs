//! `cargo xtask wasm`: the journal's library, which the small verifier is made of, compiles for `wasm32-unknown-unknown`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{cargo, output, run};

const TARGET: &str = "wasm32-unknown-unknown";

/// Compiles it where the target is installed, and says so where it is not.
pub(crate) fn wasm(root: &Path) -> Result<()> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let installed = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if !installed.is_dir() {
        println!(
            "not checked: the toolchain has no {TARGET}; `rustup target add {TARGET}` brings it"
        );
        return Ok(());
    }
    run(cargo(root).args([
        "build",
        "-p",
        "alnager-journal",
        "--lib",
        "--target",
        TARGET,
    ]))?;
    println!("alnager-journal compiles for {TARGET}");
    Ok(())
}
