//! `alnager law diff`.

mod pack;

use std::path::PathBuf;

use alnager_law::text::ProvisionTree;
use alnager_law::text::diff::{Operation, OperationKind, Side, WordBudget, Words, diff, words};
use alnager_work::error::JobError;
use alnager_work::law::text::works;
use alnager_work::law::version::is_packs;
use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::{say, style};

/// Words shown on each side of a change; what lies between two changes farther apart is left out.
const CONTEXT_WORDS: usize = 8;

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The old version: an official text, a tree written by `alnager law import --out`, or packs: a folder, a `pack.toml`, or a whole `packs/` folder
    pub(crate) old: PathBuf,
    /// The new version
    pub(crate) new: PathBuf,
}

/// Compares and prints.
pub(crate) fn run(arguments: &DiffArguments, format: Format) -> Result<u8, JobError> {
    for path in [&arguments.old, &arguments.new] {
        if !path.exists() {
            return Err(JobError::Input(format!(
                "there is no file or folder `{}`; name an official text, a tree written by `alnager law import --out`, a pack's folder, or a `packs/` folder",
                path.display()
            )));
        }
    }
    match (is_packs(&arguments.old), is_packs(&arguments.new)) {
        (true, true) => return pack::run(&arguments.old, &arguments.new, format),
        (false, false) => {}
        _ => {
            return Err(JobError::Input(
                "packs are compared with packs, and official texts with official texts; name two of a kind"
                    .to_owned(),
            ));
        }
    }
    let (old, new) = (text(&arguments.old)?, text(&arguments.new)?);
    if old.work != new.work {
        return Err(JobError::Input(format!(
            "`{}` and `{}` are two works; name two versions of one",
            old.work, new.work
        )));
    }
    let operations = diff(&old, &new);
    say(&match format {
        Format::Text => readable(&old, &new, &operations),
        Format::Json => pretty(&json!({
            "old": version(&old),
            "new": version(&new),
            "operations": operations.iter().map(operation_json).collect::<Vec<_>>(),
        })),
    });
    Ok(CLEAR)
}

fn text(file: &PathBuf) -> Result<ProvisionTree, JobError> {
    Ok(works(std::slice::from_ref(file))?.remove(0))
}

fn version(tree: &ProvisionTree) -> Value {
    json!({
        "work": tree.work,
        "language": tree.language,
        "valid_from": tree.valid_from.map(|day| day.to_string()),
        "sha256": tree.root_hash().to_string(),
    })
}

fn operation_json(operation: &Operation) -> Value {
    let hash = |side: &Option<Side>| side.as_ref().map(|side| side.own.to_string());
    let id = |side: &Option<Side>| side.as_ref().map(|side| side.id.clone());
    let label = |side: &Option<Side>| side.as_ref().map(|side| side.label.clone());
    json!({
        "label": operation.label(),
        "kind": operation.kind.word(),
        "before": hash(&operation.before),
        "after": hash(&operation.after),
        "before_sha256": hash(&operation.before),
        "after_sha256": hash(&operation.after),
        "id_before": id(&operation.before),
        "id_after": id(&operation.after),
        "label_before": label(&operation.before),
        "label_after": label(&operation.after),
        "dates": operation.dates,
    })
}

fn readable(old: &ProvisionTree, new: &ProvisionTree, operations: &[Operation]) -> String {
    let width = style().width;
    let mut lines = vec![format!("{} → {}", named(old), named(new))];
    let counts = OperationKind::ALL.into_iter().filter_map(|kind| {
        let n = operations
            .iter()
            .filter(|operation| operation.kind == kind)
            .count();
        (n > 0).then(|| format!("{n} {}", kind_words(kind)))
    });
    let counts: Vec<String> = counts.collect();
    lines.push(match operations.len() {
        0 => "no provision changed".to_owned(),
        n => format!("{n} changes: {}", counts.join(", ")),
    });
    if !operations.is_empty() {
        lines.push("[-gone-] {+new+}".to_owned());
    }
    let mut budget = WordBudget::default();
    for operation in operations {
        lines.push(String::new());
        lines.push(headline(old, new, operation));
        let body = wrapped(
            &body(old, new, operation, &mut budget),
            width.saturating_sub(4),
        );
        lines.extend(body.into_iter().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}

fn named(tree: &ProvisionTree) -> String {
    match tree.valid_from {
        Some(day) => format!("{} of {day}", tree.work),
        None => format!("{} ({})", tree.work, &tree.root_hash().to_string()[..12]),
    }
}

fn kind_words(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::DateShifted => "date shifted",
        OperationKind::Inserted
        | OperationKind::Deleted
        | OperationKind::Replaced
        | OperationKind::Renumbered
        | OperationKind::Moved => kind.word(),
    }
}

fn headline(old: &ProvisionTree, new: &ProvisionTree, operation: &Operation) -> String {
    let what = kind_words(operation.kind);
    let (Some(before), Some(after)) = (&operation.before, &operation.after) else {
        return format!("{what}  {}", operation.label());
    };
    let below = |tree: &ProvisionTree, side: &Side| {
        let parent = tree.provisions[side.at].parent;
        parent.map_or(String::new(), |at| tree.provisions[at].source_label.clone())
    };
    if operation.kind == OperationKind::Moved {
        return format!(
            "{what}  {}: from below {} to below {}",
            before.label,
            below(old, before),
            below(new, after)
        );
    }
    if before.label == after.label {
        format!("{what}  {}", before.label)
    } else {
        format!("{what}  {} → {}", before.label, after.label)
    }
}

fn body(
    old: &ProvisionTree,
    new: &ProvisionTree,
    operation: &Operation,
    budget: &mut WordBudget,
) -> String {
    let full = |tree: &ProvisionTree, side: &Side| {
        let provision = &tree.provisions[side.at];
        format!("{} {}", provision.heading, provision.text)
            .trim()
            .to_owned()
    };
    match (&operation.before, &operation.after) {
        (Some(before), None) => marked("[-", &full(old, before), "-]"),
        (None, Some(after)) => marked("{+", &full(new, after), "+}"),
        (Some(before), Some(after)) if before.own != after.own => {
            unified(&words(&full(old, before), &full(new, after), budget))
        }
        (Some(_), Some(_)) | (None, None) => String::new(),
    }
}

fn marked(open: &str, text: &str, close: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{open}{text}{close}")
    }
}

/// The changed words in their place, with some words around them.
fn unified(runs: &[Words]) -> String {
    let last = runs.len().saturating_sub(1);
    let runs = runs.iter().enumerate().map(|(at, run)| match run {
        Words::Gone(text) => marked("[-", text, "-]"),
        Words::New(text) => marked("{+", text, "+}"),
        Words::Same(text) => {
            let words: Vec<&str> = text.split(' ').collect();
            let head = if at == 0 { 0 } else { CONTEXT_WORDS };
            let tail = if at == last { 0 } else { CONTEXT_WORDS };
            if words.len() <= head + tail + 1 {
                return text.clone();
            }
            let (start, end) = (
                words[..head].join(" "),
                words[words.len() - tail..].join(" "),
            );
            format!("{start} … {end}").trim().to_owned()
        }
    });
    runs.collect::<Vec<_>>().join(" ")
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
