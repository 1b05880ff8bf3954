//! `cargo xtask schemathesis [EXAMPLES]`: the API under requests made of its own document. The program comes from PyPI, pinned; the test
//! that starts a server and asks it is in `crates/alnager/tests/it/schemathesis.rs`.

use std::path::Path;

use anyhow::Result;

use crate::python;
use crate::{cargo, run, target_directory};

const PACKAGES: [&str; 1] = ["schemathesis==4.32.5"];

/// Requests of each operation in each phase, unless told otherwise.
const EXAMPLES: &str = "50";

/// Installs it and runs it against a server of the demonstration.
pub(crate) fn schemathesis(root: &Path, examples: Option<&str>) -> Result<()> {
    let folder = target_directory(root)?.join("schemathesis");
    let python = python::with(&folder, &PACKAGES)?;
    let mut command = cargo(root);
    command
        .args(["test", "--quiet", "-p", "alnager", "--test", "it"])
        .args(["--", "schemathesis::", "--nocapture"])
        .env(
            "ALNAGER_TEST_SCHEMATHESIS",
            python.with_file_name("schemathesis"),
        )
        .env("ALNAGER_TEST_EXAMPLES", examples.unwrap_or(EXAMPLES));
    run(&mut command)
}
