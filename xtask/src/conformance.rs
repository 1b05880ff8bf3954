//! `cargo xtask conformance SHARED`: our figures and our law against a reference that others made.

mod figures;
mod law;

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// `shared` holds `reference/fairness/compas/expected.json` and `law/cases/cases.json`.
pub(crate) fn conformance(root: &Path, shared: &Path) -> Result<()> {
    let figures = figures::compas(root, shared)?;
    let law = law::law_cases(root, shared)?;
    if figures + law > 0 {
        bail!("{figures} figures and {law} statements of law differ from the reference");
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))
}
