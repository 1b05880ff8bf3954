//! What is committed: size, this machine's paths, unfinished code, and the lints of every crate.

use std::path::Path;

use anyhow::{Context, Result};

use super::layers::Crate;
use super::read;

/// Largest file that is committed, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// First folders of a path that means nothing on another machine.
const PRIVATE: [&str; 3] = ["work", "root", "home"];

/// Code that is not there yet, or a test that never runs. In two halves, so that this file does not find itself.
const UNFINISHED: [&str; 3] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
];

pub(super) fn check(root: &Path, crates: &[Crate], files: &[String]) -> Result<Vec<String>> {
    let mut problems = lints(&read(root, "Cargo.toml")?, "Cargo.toml", Place::Workspace)?;
    for one in crates {
        let path = format!("{}/Cargo.toml", one.folder);
        problems.extend(lints(&read(root, &path)?, &path, Place::Crate)?);
    }
    for path in files {
        let full = root.join(path);
        let n_bytes = full
            .metadata()
            .with_context(|| format!("cannot read `{path}`"))?
            .len();
        if n_bytes > BYTES_MAX {
            problems.push(format!(
                "{path}: {n_bytes} bytes, more than {BYTES_MAX}; keep it outside"
            ));
            continue;
        }
        let bytes = std::fs::read(&full).with_context(|| format!("cannot read `{path}`"))?;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            problems.extend(words(path, text));
        }
    }
    Ok(problems)
}

/// Whether a manifest is the workspace's or that of one crate.
#[derive(Clone, Copy)]
enum Place {
    Workspace,
    Crate,
}

/// `unsafe` is forbidden once, in the workspace, and every crate takes the workspace's lints.
fn lints(manifest: &str, path: &str, place: Place) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest
        .parse()
        .with_context(|| format!("`{path}` is not TOML"))?;
    let at = |keys: &[&str]| {
        let mut value = manifest.get(*keys.first()?)?;
        for key in &keys[1..] {
            value = value.get(key)?;
        }
        Some(value)
    };
    let problem = match place {
        Place::Workspace => {
            let level = at(&["workspace", "lints", "rust", "unsafe_code"]);
            (level.and_then(toml::Value::as_str) != Some("forbid"))
                .then_some("`unsafe_code` is not `forbid` in [workspace.lints.rust]")
        }
        Place::Crate => {
            let inherits = at(&["lints", "workspace"]).and_then(toml::Value::as_bool);
            (inherits != Some(true))
                .then_some("does not take the workspace's lints; add `[lints] workspace = true`")
        }
    };
    Ok(problem
        .map(|problem| format!("{path}: {problem}"))
        .into_iter()
        .collect())
}

/// Words that are not committed: private paths anywhere but in lock files, unfinished code in Rust.
fn words(path: &str, text: &str) -> Vec<String> {
    let is_page = path.ends_with(".md");
    let is_rust = path.ends_with(".rs");
    let has_private = !path.ends_with(".lock");
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", index + 1);
        if has_private {
            // The temporary folder is real on every machine; in a page it is a trace of the writer's own.
            let folders = PRIVATE.iter().copied().chain(is_page.then_some("tmp"));
            for folder in folders.filter(|folder| has_path(line, folder)) {
                problems.push(format!(
                    "{place}: a path of one machine, `/{folder}/`; write a relative path"
                ));
            }
        }
        if is_rust {
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                problems.push(format!("{place}: `{word}`; finish it or take it out"));
            }
        }
    }
    problems
}

/// Whether the line names a path that begins with the folder. Such a part inside an address or a longer path
/// (`example.org/work/`, `../work/`) is another thing.
fn has_path(line: &str, folder: &str) -> bool {
    let start = format!("/{folder}/");
    line.match_indices(&start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_words(path: &str, line: &str, want: usize) {
        let problems = words(path, line);
        assert_eq!(problems.len(), want, "{path}: {line}: {problems:?}");
    }

    #[test]
    fn a_private_path_is_found_and_an_address_is_not() {
        let private = format!("see /{}/main/x", "work");
        check_words("a.toml", &private, 1);
        check_words("a.html", &format!("\"/{}/x\"", "root"), 1);
        check_words("Cargo.lock", &private, 0);
        check_words("a.md", "https://example.org/work/x and ../work/x", 0);
        check_words("a.md", &format!("{{}}/{}/x", "work"), 0);
        check_words("a.md", "homework/root", 0);
    }

    #[test]
    fn the_temporary_folder_is_private_in_pages_only() {
        let line = format!("--desk /{}/desk", "tmp");
        check_words("a.md", &line, 1);
        check_words("a.rs", &line, 0);
    }

    #[test]
    fn unfinished_code_is_found_in_rust_only() {
        for word in UNFINISHED {
            check_words("a.rs", &format!("    {word}"), 1);
            check_words("a.md", &format!("    {word}"), 0);
        }
        check_words("a.rs", "let ignored = todos(1);", 0);
    }

    #[track_caller]
    fn check_lints(place: Place, manifest: &str, is_fine: bool) -> Result<()> {
        assert_eq!(
            lints(manifest, "Cargo.toml", place)?.is_empty(),
            is_fine,
            "{manifest}"
        );
        Ok(())
    }

    #[test]
    fn every_manifest_forbids_unsafe() -> Result<()> {
        check_lints(
            Place::Workspace,
            "[workspace.lints.rust]\nunsafe_code = 'forbid'",
            true,
        )?;
        check_lints(
            Place::Workspace,
            "[workspace.lints.rust]\nunsafe_code = 'deny'",
            false,
        )?;
        check_lints(Place::Workspace, "[workspace]", false)?;
        check_lints(Place::Crate, "[lints]\nworkspace = true", true)?;
        check_lints(Place::Crate, "[lints.rust]\nunsafe_code = 'forbid'", false)?;
        check_lints(Place::Crate, "[package]\nname = 'a'", false)
    }
}
