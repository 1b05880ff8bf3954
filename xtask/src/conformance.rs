//! `cargo xtask conformance SHARED`: our figures and our law against a reference that others made.

mod clocks;
mod fairness;
mod figures;
mod law;
mod texts;

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// `shared` holds `reference/fairness/*/expected.json` and `law/cases/{cases,clocks}.json` and `law/texts`.
pub(crate) fn conformance(root: &Path, shared: &Path) -> Result<()> {
    let figures = figures::compas(root, shared)?;
    let audits = fairness::fairness(root, shared)?;
    let law = law::law_cases(root, shared)?;
    let clocks = clocks::clock_cases(root, shared)?;
    let texts = texts::texts(root, shared)?;
    if figures + audits + law + clocks + texts > 0 {
        bail!(
            "{figures} figures of the review, {audits} values of audits, {law} statements of law, {clocks} times of clocks and {texts} statements about texts differ from the reference"
        );
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))
}
