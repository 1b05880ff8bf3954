//! `cargo xtask reference`: the pages of `docs/reference` that are made from packs and from the program.
//!
//! Tidy makes them again in memory and compares, so that no page tells something the program no longer does.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::{alnager, output};

/// Stands at the top of every generated page.
const MARK: &str = "<!-- Written by `cargo xtask reference`; edit the source, not this page. -->";

/// Where the pages lie.
const FOLDER: &str = "docs/reference";

/// Columns in which the help is set.
const HELP_WIDTH: &str = "100";

/// A page, from the root, and what makes its text.
type Page = (&'static str, fn(&Path) -> Result<String>);

const PAGES: &[Page] = &[
    ("docs/reference/cli.md", cli),
    ("docs/reference/evidence-kinds.md", |root| {
        Ok(evidence_kinds(&pack(root, "packs/evidence.toml")?))
    }),
    ("docs/reference/facts.md", |root| {
        Ok(facts(&pack(root, "packs/facts.toml")?))
    }),
    ("docs/reference/system.schema.json", system_schema),
    ("docs/reference/policy-default.md", |root| {
        Ok(whole_pack(
            "The default policy",
            "packs/policy/default/pack.toml",
            &pack(root, "packs/policy/default/pack.toml")?,
        ))
    }),
];

/// Writes every page anew.
pub(crate) fn write(root: &Path) -> Result<()> {
    std::fs::create_dir_all(root.join(FOLDER))
        .with_context(|| format!("cannot make `{FOLDER}`"))?;
    for (path, page) in PAGES {
        let text = page(root).with_context(|| format!("cannot make `{path}`"))?;
        std::fs::write(root.join(path), text).with_context(|| format!("cannot write `{path}`"))?;
        println!("{path}");
    }
    Ok(())
}

/// Pages that are not what would be written now.
pub(crate) fn stale(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for (path, page) in PAGES {
        match page(root) {
            Ok(text) if std::fs::read_to_string(root.join(path)).is_ok_and(|old| old == text) => {}
            Ok(_) => problems.push(format!("{path}: stale; run `cargo xtask reference`")),
            Err(error) => problems.push(format!("{path}: cannot be made: {error:#}")),
        }
    }
    // Without the folder every page is missing, which has been said.
    for entry in std::fs::read_dir(root.join(FOLDER)).into_iter().flatten() {
        let path = format!("{FOLDER}/{}", entry?.file_name().to_string_lossy());
        let is_written =
            std::fs::read_to_string(root.join(&path)).is_ok_and(|text| text.contains(MARK));
        if is_written && !PAGES.iter().any(|(known, _)| *known == path) {
            problems.push(format!(
                "{path}: nothing writes this page any more; delete it"
            ));
        }
    }
    Ok(problems)
}

fn pack(root: &Path, path: &str) -> Result<Table> {
    let text = std::fs::read_to_string(root.join(path))
        .with_context(|| format!("cannot read `{path}`"))?;
    text.parse()
        .with_context(|| format!("`{path}` is not TOML"))
}

fn head(title: &str, source: &str) -> String {
    format!("# {title}\n\n{MARK}\n\nFrom `{source}`")
}

/// `[kind.NAME]` tables with `title`, `what` and perhaps `measured_by`.
fn evidence_kinds(pack: &Table) -> String {
    let mut page = head("Kinds of evidence", "packs/evidence.toml");
    page.push_str(&format!(
        ", version {}. A requirement names the kinds it needs; `[[evidence]]` in `system.toml` names the kind \
         of a file.\n\n| kind | title | what it holds | measured by | signed by |\n|---|---|---|---|---|\n",
        cell(pack.get("version"))
    ));
    for (name, kind) in tables(pack, "kind") {
        page.push_str(&format!(
            "| `{name}` | {} | {} | {} | {} |\n",
            cell(kind.get("title")),
            cell(kind.get("what")),
            cell(kind.get("measured_by")),
            cell(kind.get("signed_by"))
        ));
    }
    page
}

/// `[fact.NAME]` tables with `type`, `question`, and perhaps `values`, `guarded`, `guard_cite`, `serves`.
fn facts(pack: &Table) -> String {
    let mut page = head("Facts", "packs/facts.toml");
    page.push_str(&format!(
        ", version {}. Every fact that a condition may ask about; a fact that is not answered is unknown, which \
         is not *no*. A guarded answer removes a duty or lowers the class: it counts as unknown until someone \
         outside the building team confirms it.\n",
        cell(pack.get("version"))
    ));
    for (name, fact) in tables(pack, "fact") {
        page.push_str(&format!(
            "\n## `{name}`\n\n{}\n\n",
            cell(fact.get("question"))
        ));
        page.push_str(&format!("- type: {}", cell(fact.get("type"))));
        if let Some(values) = fact.get("values").and_then(Value::as_array) {
            let values: Vec<String> = values
                .iter()
                .map(|value| format!("`{}`", word(value)))
                .collect();
            page.push_str(&format!(", of {}", values.join(", ")));
        }
        page.push('\n');
        if let Some(guarded) = fact.get("guarded") {
            page.push_str(&format!(
                "- guarded: {} ({})\n",
                cell(Some(guarded)),
                cell(fact.get("guard_cite"))
            ));
        }
        if let Some(serves) = fact.get("serves") {
            page.push_str(&format!("- asked by: {}\n", cell(Some(serves))));
        }
    }
    page
}

/// Any pack, whole: single values as a list, tables and rows of tables each under its own heading.
fn whole_pack(title: &str, source: &str, pack: &Table) -> String {
    let mut page = head(title, source);
    page.push_str(".\n\n");
    section(&mut page, "", pack);
    page
}

fn section(page: &mut String, name: &str, table: &Table) {
    let (deep, flat): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| is_deep(value));
    for (key, value) in &flat {
        page.push_str(&format!("- {key}: {}\n", cell(Some(value))));
    }
    for (key, value) in deep {
        let name = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        page.push_str(&format!("\n## `{name}`\n\n"));
        match value {
            Value::Table(table) => section(page, &name, table),
            Value::Array(rows) => grid(page, rows),
            _ => {}
        }
    }
}

/// Rows of tables as one table; columns in this order, the others after them by name.
fn grid(page: &mut String, rows: &[Value]) {
    const FIRST: [&str; 8] = [
        "id", "title", "what", "question", "test", "metric", "limit", "source",
    ];
    let rows: Vec<&Table> = rows.iter().filter_map(Value::as_table).collect();
    let keys: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.keys().map(String::as_str))
        .collect();
    let first = FIRST.into_iter().filter(|key| keys.contains(key));
    let columns: Vec<&str> = first
        .chain(keys.iter().copied().filter(|key| !FIRST.contains(key)))
        .collect();
    page.push_str(&format!(
        "| {} |\n|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    ));
    for row in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| cell(row.get(*column)))
            .collect();
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

fn is_deep(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(rows) => rows.first().is_some_and(Value::is_table),
        _ => false,
    }
}

/// The tables `[group.NAME]`, by name.
fn tables<'a>(pack: &'a Table, group: &str) -> impl Iterator<Item = (&'a String, &'a Table)> {
    let group = pack.get(group).and_then(Value::as_table);
    group
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_table()?)))
}

/// A value as one line that may stand in a table; empty for none.
fn cell(value: Option<&Value>) -> String {
    let text = value.map(word).unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(word).collect::<Vec<_>>().join(", "),
        Value::Table(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key}: {}", word(value)))
                .collect();
            pairs.join(", ")
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            value.to_string()
        }
    }
}

/// The help of the program and of every command under it.
fn cli(root: &Path) -> Result<String> {
    let program = alnager(root)?;
    cli_page(&|words| {
        output(
            Command::new(&program)
                .current_dir(root)
                .args(words)
                .arg("--help")
                .env("COLUMNS", HELP_WIDTH)
                .env("NO_COLOR", "1")
                .stdin(Stdio::null()),
        )
    })
}

/// The JSON Schema of the declaration, as the program prints it.
fn system_schema(root: &Path) -> Result<String> {
    let program = alnager(root)?;
    output(
        Command::new(&program)
            .current_dir(root)
            // Without a desk, so that the law is the shipped one.
            .args([
                "new",
                "--schema",
                "--desk",
                "target/no-desk",
                "--as",
                "cargo xtask",
            ])
            .stdin(Stdio::null()),
    )
}

/// `help` prints the help of the command that the words name.
fn cli_page(help: &dyn Fn(&[&str]) -> Result<String>) -> Result<String> {
    let mut page =
        format!("# The command line\n\n{MARK}\n\nWhat `--help` prints, for every command.\n");
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let text = help(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        let title = [&["alnager".to_owned()], words.as_slice()]
            .concat()
            .join(" ");
        if text.trim().is_empty() {
            bail!("`{title} --help` prints nothing");
        }
        page.push_str(&format!("\n## `{title}`\n\n```text\n"));
        for line in text.trim_end().lines() {
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page.push_str("```\n");
        // Last in, first out: put them on in reverse, and they are read in the order of the help.
        let below = commands(&text).into_iter().rev();
        open.extend(below.map(|command| [words.as_slice(), &[command.to_owned()]].concat()));
    }
    Ok(page)
}

/// Names under `Commands:`, indented by two spaces; a longer indent is a wrapped description.
fn commands(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with("  "))
        .filter_map(|line| {
            line.strip_prefix("  ")
                .filter(|rest| !rest.starts_with(' '))
        })
        .filter_map(|rest| rest.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_page(make: fn(&Table) -> String, pack: &str, want: &[&str]) -> Result<()> {
        let page = make(&pack.parse()?);
        for line in want {
            assert!(
                page.lines().any(|found| found == *line),
                "no line `{line}` in:\n{page}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_kind_of_evidence_is_one_row() -> Result<()> {
        check_page(
            evidence_kinds,
            "version = '1'\n[kind.log]\ntitle = 'Log'\nwhat = 'a | b'\nmeasured_by = 'bias'\n[kind.note]\ntitle = 'Note'",
            &[
                "| `log` | Log | a \\| b | bias |  |",
                "| `note` | Note |  |  |  |",
            ],
        )
    }

    #[test]
    fn a_fact_shows_its_answers_and_its_guard() -> Result<()> {
        check_page(
            facts,
            "version = '1'\n[fact.a]\ntype = 'set'\nvalues = ['x', 'y']\nquestion = 'Which?'\nguarded = ['x']\n\
             guard_cite = 'Art 2'\nserves = ['all']",
            &[
                "## `a`",
                "Which?",
                "- type: set, of `x`, `y`",
                "- guarded: x (Art 2)",
                "- asked by: all",
            ],
        )
    }

    #[test]
    fn a_whole_pack_keeps_every_value() -> Result<()> {
        check_page(
            |pack| whole_pack("Policy", "pack.toml", pack),
            "id = 'p'\non = 2026-01-02\n[status]\nstate = 'x'\n[[test]]\nmetric = 'm'\nid = 't'\n[[test]]\nid = 'u'\nn = 0.5",
            &[
                "- id: p",
                "- on: 2026-01-02",
                "## `status`",
                "- state: x",
                "| id | metric | n |",
                "| t | m |  |",
                "| u |  | 0.5 |",
            ],
        )
    }

    #[test]
    fn every_command_has_its_help_in_the_order_of_the_program() -> Result<()> {
        let page = cli_page(&|words| {
            Ok(match words {
                [] => "Usage: alnager\n\nCommands:\n  why   Prints\n        more\n  fact  Facts\n  help  Help\n\nOptions:\n  -x  X\n",
                ["fact"] => "Usage: fact\n\nCommands:\n  confirm  Confirms  \n",
                _ => "Usage: leaf\n",
            }
            .to_owned())
        })?;
        let titles: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(
            titles,
            [
                "## `alnager`",
                "## `alnager why`",
                "## `alnager fact`",
                "## `alnager fact confirm`"
            ]
        );
        assert!(
            page.contains("  confirm  Confirms\n"),
            "spaces at line ends are cut:\n{page}"
        );
        Ok(())
    }
}
