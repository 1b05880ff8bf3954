//! `alnager law diff` for packs.

use std::collections::BTreeMap;
use std::path::Path;

use alnager_work::error::JobError;
use alnager_work::law::change::{Operation, PackDiff, diff_packs};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// Compares and prints.
pub(super) fn run(old: &Path, new: &Path, format: Format) -> Result<u8, JobError> {
    let found = diff_packs(old, new)?;
    say(&match format {
        Format::Text => readable(&found),
        Format::Json => pretty(&document(&found)),
    });
    Ok(CLEAR)
}

fn document(found: &PackDiff) -> Value {
    let packs = |packs: &[(String, String)]| -> Vec<Value> {
        let packs = packs.iter();
        packs
            .map(|(id, version)| json!({ "pack": id, "version": version }))
            .collect()
    };
    let operation = |operation: &Operation| {
        let change = &operation.change;
        json!({
            "label": change.label,
            "kind": change.kind.word(),
            "pack": change.pack,
            "subject": change.subject.word(),
            "before": change.before,
            "after": change.after,
            "before_sha256": operation.before_sha256,
            "after_sha256": operation.after_sha256,
        })
    };
    json!({
        "old": packs(&found.old),
        "new": packs(&found.new),
        "operations": found.operations.iter().map(operation).collect::<Vec<_>>(),
    })
}

fn readable(found: &PackDiff) -> String {
    let named = |packs: &[(String, String)]| match packs {
        [(id, version)] => format!("{id} {version}"),
        many => format!("{} packs", many.len()),
    };
    let mut lines = vec![format!("{} → {}", named(&found.old), named(&found.new))];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in &found.operations {
        *counts.entry(operation.change.kind.word()).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(kind, n)| format!("{n} {}", kind.replace('_', " ")))
        .collect();
    lines.push(match found.operations.len() {
        0 => "nothing changed".to_owned(),
        n => format!("{n} changes: {}", counts.join(", ")),
    });
    let is_one = found.new.len() == 1;
    for Operation { change, .. } in &found.operations {
        let pack = match is_one {
            true => String::new(),
            false => format!("  {}", change.pack),
        };
        let kind = change.kind.word().replace('_', " ");
        lines.push(String::new());
        lines.push(format!(
            "{kind}{pack}  {} {}",
            change.subject.word(),
            change.label
        ));
        lines.extend(sides(change.before.as_deref(), change.after.as_deref()));
    }
    lines.join("\n")
}

/// The lines that only one side has.
fn sides(before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let lines = |side: Option<&str>| -> Vec<String> {
        side.map(|text| text.lines().map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let (before, after) = (lines(before), lines(after));
    let gone = before.iter().filter(|line| !after.contains(line));
    let new = after.iter().filter(|line| !before.contains(line));
    gone.filter(|line| !line.is_empty())
        .map(|line| format!("    - {line}"))
        .chain(
            new.filter(|line| !line.is_empty())
                .map(|line| format!("    + {line}")),
        )
        .collect()
}
