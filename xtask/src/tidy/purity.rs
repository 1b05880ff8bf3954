//! Ground and core calculate; they do not act. No clock, file, environment, socket, thread or randomness.
//!
//! Clippy enforces it, told by a `clippy.toml` in each of these crates. This check makes sure that every one
//! has that file, word for word, and reads the sources once more for what a lint list cannot hold, such as a
//! whole module. Tests and programs (`src/bin`) may act.

use std::path::Path;

use anyhow::Result;

use super::layers::Crate;
use super::read;

/// The text that every ground and core crate repeats in its own `clippy.toml`.
const SHARED: &str = "xtask/clippy-pure.toml";

/// Paths, or ends of paths, that a pure crate does not name.
const ACTS: &[(&str, &str)] = &[
    ("std::fs", "a file"),
    ("io::stdin", "a file"),
    ("io::stdout", "a file"),
    ("io::stderr", "a file"),
    ("std::env", "the environment"),
    ("TimeZone::system", "the environment"),
    ("std::net", "a socket"),
    ("std::os", "the operating system"),
    ("std::process", "a process"),
    ("std::thread", "a thread"),
    ("tokio", "a thread"),
    ("std::time::SystemTime", "a clock"),
    ("SystemTime::now", "a clock"),
    ("std::time::Instant", "a clock"),
    ("Instant::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("Timestamp::now", "a clock"),
    ("now_v7", "a clock"),
    ("new_v4", "randomness"),
    ("getrandom", "randomness"),
    ("rand::", "randomness"),
    ("OsRng", "randomness"),
];

pub(super) fn check(
    root: &Path,
    architecture: &str,
    crates: &[Crate],
    files: &[String],
) -> Result<Vec<String>> {
    let shared = read(root, SHARED)?;
    let names = pure_crates(architecture);
    let mut problems = Vec::new();
    if names.is_empty() {
        problems.push(
            "ARCHITECTURE.md: no line of the layer diagram begins with `ground` or `core`".into(),
        );
    }
    for one in crates
        .iter()
        .filter(|one| names.contains(&one.name.as_str()))
    {
        let lints = format!("{}/clippy.toml", one.folder);
        if read(root, &lints).ok().as_deref() != Some(&shared) {
            problems.push(format!(
                "{lints}: differs from `{SHARED}`; copy that file here"
            ));
        }
        let sources = sources(root, &one.folder, files)?;
        for (path, text) in sources.iter().filter(|(path, _)| !is_test(path, &sources)) {
            problems.extend(acts(text).into_iter().map(|(line, what, name)| {
                format!("{path}:{line}: {what} (`{name}`) in a pure crate; take the value as an argument")
            }));
        }
    }
    Ok(problems)
}

/// The crates that the layer diagram puts on its lines `core` and `ground`.
fn pure_crates(architecture: &str) -> Vec<&str> {
    let layers = architecture.lines().filter(|line| {
        matches!(line.split_whitespace().next(), Some("core" | "ground"))
            && line.contains("alnager-")
    });
    layers
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("alnager-"))
        .collect()
}

/// Path and text of every Rust source of a crate's library.
fn sources(root: &Path, folder: &str, files: &[String]) -> Result<Vec<(String, String)>> {
    let library = format!("{folder}/src/");
    let programs = format!("{folder}/src/bin/");
    files
        .iter()
        .filter(|path| path.starts_with(&library) && !path.starts_with(&programs))
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Ok((path.clone(), read(root, path)?)))
        .collect()
}

/// Whether a file is a module that another file declares for tests only, or lies in the folder of one.
fn is_test(path: &str, sources: &[(String, String)]) -> bool {
    sources.iter().any(|(parent, text)| {
        test_modules(text).iter().any(|module| {
            let folder = match parent.rsplit_once('/') {
                Some((folder, "lib.rs" | "mod.rs")) => folder.to_owned(),
                _ => parent.trim_end_matches(".rs").to_owned(),
            };
            let module = format!("{folder}/{module}");
            path == format!("{module}.rs") || path.starts_with(&format!("{module}/"))
        })
    })
}

/// Names of the modules declared as `#[cfg(test)] mod name;`.
fn test_modules(text: &str) -> Vec<&str> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            continue;
        }
        let item = lines
            .by_ref()
            .find(|line| !line.starts_with("#[") && !line.starts_with("//"));
        let name = item.and_then(|item| item.strip_prefix("mod ")?.strip_suffix(';'));
        names.extend(name);
    }
    names
}

/// Line, what is acted on, and the name that stands there.
fn acts(text: &str) -> Vec<(usize, &'static str, String)> {
    let code = without_tests_and_comments(text);
    let mut found = Vec::new();
    for (index, line) in code.iter().enumerate() {
        found.extend(named(line).map(|(name, what)| (index + 1, what, name.to_owned())));
    }
    for (line, path) in imports(&code) {
        found.extend(named(&path).map(|(name, what)| (line, what, name.to_owned())));
    }
    found.sort();
    found.dedup();
    found
}

/// The forbidden names that stand in a piece of code as whole words.
fn named(code: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    ACTS.iter().copied().filter(move |(name, _)| {
        code.match_indices(name).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            let after = code[at + name.len()..].chars().next();
            !before.is_some_and(is_word) && (name.ends_with(':') || !after.is_some_and(is_word))
        })
    })
}

/// The lines of a formatted source; those of comments and of test modules written in place are blank.
fn without_tests_and_comments(text: &str) -> Vec<&str> {
    let mut is_test = false;
    let mut after_cfg = false;
    let mut code = Vec::new();
    for line in text.lines() {
        let was_test = is_test;
        if after_cfg && line.starts_with("mod ") && line.ends_with('{') {
            is_test = true;
        }
        after_cfg = line == "#[cfg(test)]" || (after_cfg && line.starts_with("#["));
        code.push(if was_test || is_test {
            ""
        } else {
            without_comment(line)
        });
        // The formatter puts the closing brace of a module, and no other, in the first column.
        if was_test && line == "}" {
            is_test = false;
        }
    }
    code
}

/// A `//` after a colon is an address inside a string, not a comment.
fn without_comment(line: &str) -> &str {
    let comment = line
        .match_indices("//")
        .find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Every path that a `use` names, written out, with the line it begins on: `use std::{fs, io::Read}` gives
/// `std::fs` and `std::io::Read`.
fn imports(code: &[&str]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in code.iter().enumerate() {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        if let Some(start) = line.strip_prefix("use ") {
            let rest = std::iter::once(start).chain(code[index + 1..].iter().copied());
            let tree: String = rest
                .flat_map(str::chars)
                .take_while(|c| *c != ';')
                .collect();
            let mut paths = Vec::new();
            write_out("", tree.trim(), &mut paths);
            found.extend(paths.into_iter().map(|path| (index + 1, path)));
        }
    }
    found
}

fn write_out(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, group)) = tree.split_once('{') else {
        paths.push(format!("{prefix}{tree}"));
        return;
    };
    let group = group.strip_suffix('}').unwrap_or(group);
    let prefix = format!("{prefix}{head}");
    let mut depth = 0;
    for part in group.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    }) {
        write_out(&prefix, part.trim(), paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_source(text: &str, want: &[(usize, &str)]) {
        let found = acts(text);
        let found: Vec<(usize, &str)> = found
            .iter()
            .map(|(line, _, name)| (*line, name.as_str()))
            .collect();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn acting_is_found_however_it_is_written() {
        check_source("let text = std::fs::read(path);", &[(1, "std::fs")]);
        check_source("use std::fs;", &[(1, "std::fs")]);
        check_source("use std::{collections::BTreeMap, fs};", &[(1, "std::fs")]);
        check_source(
            "use std::{\n    io::{self, Read},\n    env,\n};",
            &[(1, "std::env")],
        );
        check_source(
            "\npub use std::{time::{Duration, Instant}};",
            &[(2, "std::time::Instant")],
        );
        check_source("let now = Timestamp::now();", &[(1, "Timestamp::now")]);
        check_source("let id = Uuid::now_v7();", &[(1, "now_v7")]);
        check_source("let x = rand::random::<u8>();", &[(1, "rand::")]);
    }

    #[test]
    fn calculating_is_left_alone() {
        check_source("use std::collections::BTreeMap;", &[]);
        check_source("let brand::Name = operand;", &[]);
        check_source("let version = env!(\"CARGO_PKG_VERSION\");", &[]);
        check_source("// not std::fs here", &[]);
        check_source("let two = 1; // std::env", &[]);
        check_source("struct SystemTimeline;", &[]);
    }

    #[test]
    fn a_comment_ends_the_code_but_an_address_does_not() {
        check_source(
            "let a = \"https://example.org\"; std::env::args();",
            &[(1, "std::env")],
        );
    }

    #[test]
    fn tests_in_place_may_act_and_what_follows_them_may_not() {
        check_source(
            "fn a() {}\n\n#[cfg(test)]\n#[expect(dead_code)]\nmod tests {\n    use std::fs;\n}\nuse std::env;\n",
            &[(8, "std::env")],
        );
        check_source("#[cfg(test)]\nuse std::fs;\n", &[(2, "std::fs")]);
    }

    #[test]
    fn a_test_module_of_its_own_is_known_by_its_parent() {
        let sources = [
            ("c/src/lib.rs", "#[cfg(test)]\nmod reference;\nmod rule;\n"),
            (
                "c/src/rule.rs",
                "#[cfg(test)]\n#[path = \"x\"]\nmod tests;\n",
            ),
        ];
        let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
        for (path, want) in [
            ("c/src/lib.rs", false),
            ("c/src/reference.rs", true),
            ("c/src/rule.rs", false),
            ("c/src/rule/tests.rs", true),
            ("c/src/rule/tests/more.rs", true),
            ("c/src/tests.rs", false),
        ] {
            assert_eq!(is_test(path, &sources), want, "{path}");
        }
    }

    #[test]
    fn pure_crates_are_those_of_the_two_lower_layers() {
        let page = "```text\nedge     alnager-probe\ncore     alnager-law   alnager-audit\n\
                    ground   alnager-stats      use nothing of ours\n```\nthe core of it\n";
        assert_eq!(
            pure_crates(page),
            ["alnager-law", "alnager-audit", "alnager-stats"]
        );
    }
}
