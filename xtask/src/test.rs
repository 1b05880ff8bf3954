//! `cargo xtask test`: every test of the workspace. Needs nothing but the toolchain.

use std::path::Path;

use anyhow::Result;

use crate::{cargo, output, run};

pub(crate) fn test(root: &Path) -> Result<()> {
    let has_nextest = output(cargo(root).args(["nextest", "--version"])).is_ok();
    if has_nextest {
        run(cargo(root).args(["nextest", "run", "--workspace"]))?;
        // nextest runs no examples in documentation.
        run(cargo(root).args(["test", "--quiet", "--workspace", "--doc"]))
    } else {
        run(cargo(root).args(["test", "--workspace"]))
    }
}
