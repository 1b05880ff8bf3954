//! Who may use whom: the crate table of `ARCHITECTURE.md` against cargo's own account.

use std::path::Path;

use serde_json::Value;

/// Marks a row whose crate is designed but not yet here.
const PLANNED: &str = "(comes with its issue)";

/// A crate of the workspace.
pub(super) struct Crate {
    pub(super) name: String,
    /// Folder, from the root of the workspace.
    pub(super) folder: String,
    /// Crates of the workspace that it needs to build; what only its tests need is left out.
    pub(super) uses: Vec<String>,
}

/// One row of the table.
struct Row {
    name: String,
    line: usize,
    is_planned: bool,
    may_use: Vec<String>,
}

/// The workspace's crates, from `cargo metadata --no-deps`.
pub(super) fn crates(metadata: &Value, root: &Path) -> Vec<Crate> {
    let packages = list(&metadata["packages"]);
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    packages
        .iter()
        .map(|package| {
            let manifest = Path::new(text(&package["manifest_path"]));
            let folder = manifest.parent().unwrap_or(root);
            let uses = list(&package["dependencies"])
                .iter()
                .filter(|edge| edge["kind"].as_str() != Some("dev"))
                .map(|edge| text(&edge["name"]))
                .filter(|name| names.contains(name));
            Crate {
                name: text(&package["name"]).to_owned(),
                folder: folder
                    .strip_prefix(root)
                    .unwrap_or(folder)
                    .display()
                    .to_string(),
                uses: uses.map(str::to_owned).collect(),
            }
        })
        .collect()
}

/// Edges that the table does not list, and rows and crates without their counterpart.
pub(super) fn check(page: &str, crates: &[Crate]) -> Vec<String> {
    let rows = match rows(page) {
        Ok(rows) => rows,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    for row in &rows {
        let place = format!("ARCHITECTURE.md:{}", row.line);
        let is_here = crates.iter().any(|one| one.name == row.name);
        if !is_here && !row.is_planned {
            problems.push(format!(
                "{place}: no crate `{}` in the workspace; delete the row or mark it {PLANNED}",
                row.name
            ));
        }
        if is_here && row.is_planned {
            problems.push(format!(
                "{place}: `{}` has come; take the mark {PLANNED} away",
                row.name
            ));
        }
        for name in &row.may_use {
            if !rows.iter().any(|other| other.name == *name) {
                problems.push(format!(
                    "{place}: `{}` may use `{name}`, which has no row",
                    row.name
                ));
            }
        }
    }
    for one in crates {
        let Some(row) = rows.iter().find(|row| row.name == one.name) else {
            problems.push(format!(
                "ARCHITECTURE.md: no row for `{}` ({}); add one to the crate table",
                one.name, one.folder
            ));
            continue;
        };
        for used in one.uses.iter().filter(|used| !row.may_use.contains(used)) {
            problems.push(format!(
                "{}/Cargo.toml: `{}` uses `{used}`, which ARCHITECTURE.md:{} does not list",
                one.folder, one.name, row.line
            ));
        }
    }
    problems
}

/// The rows under the header `| crate | one line | may use |`.
///
/// In the last column stand names, with or without `alnager-`; or a dash; or `all above`, the crates of
/// the rows above.
fn rows(page: &str) -> Result<Vec<Row>, String> {
    let mut lines = page.lines().enumerate();
    if !lines.any(|(_, line)| cells(line) == ["crate", "one line", "may use"]) {
        return Err(
            "ARCHITECTURE.md: no table with the header `| crate | one line | may use |`".into(),
        );
    }
    let mut rows: Vec<Row> = Vec::new();
    for (index, line) in lines.skip(1) {
        let [name, one_line, may_use] = cells(line)[..] else {
            break;
        };
        let may_use = match may_use {
            "" | "-" | "–" => Vec::new(),
            "all above" => rows.iter().map(|row| row.name.clone()).collect(),
            names => names
                .split(',')
                .map(|name| full_name(name.trim()))
                .collect(),
        };
        rows.push(Row {
            name: name.trim_matches('`').to_owned(),
            line: index + 1,
            is_planned: one_line.contains(PLANNED),
            may_use,
        });
    }
    Ok(rows)
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line
        .trim()
        .strip_prefix('|')
        .and_then(|line| line.strip_suffix('|'));
    inner
        .map(|inner| inner.split('|').map(str::trim).collect())
        .unwrap_or_default()
}

fn full_name(name: &str) -> String {
    let name = name.trim_matches('`');
    if name.starts_with("alnager") {
        name.to_owned()
    } else {
        format!("alnager-{name}")
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Reads crates as `name: used used`, one a line, and rows as in the page; shows the problems.
    #[track_caller]
    fn check_with(crates: &str, rows: &str, want: &[&str]) {
        let crates: Vec<Crate> = crates
            .lines()
            .map(|line| {
                let (name, uses) = line.split_once(':').unwrap_or((line, ""));
                Crate {
                    name: name.to_owned(),
                    folder: format!("crates/{name}"),
                    uses: uses.split_whitespace().map(str::to_owned).collect(),
                }
            })
            .collect();
        let page =
            format!("# Page\n\n| crate | one line | may use |\n|---|---|---|\n{rows}\n\nend\n");
        assert_eq!(check(&page, &crates), want);
    }

    const TWO: &str = "| `alnager-stats` | Numbers. | – |\n| `alnager-audit` | Plans. | stats |";

    #[test]
    fn a_listed_edge_is_fine() {
        check_with("alnager-stats\nalnager-audit: alnager-stats", TWO, &[]);
    }

    #[test]
    fn an_unlisted_edge_is_found() {
        check_with(
            "alnager-stats: alnager-audit\nalnager-audit",
            TWO,
            &[
                "crates/alnager-stats/Cargo.toml: `alnager-stats` uses `alnager-audit`, \
               which ARCHITECTURE.md:5 does not list",
            ],
        );
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        check_with(
            "alnager-stats\nalnager-audit\nalnager-extra",
            TWO,
            &[
                "ARCHITECTURE.md: no row for `alnager-extra` (crates/alnager-extra); \
               add one to the crate table",
            ],
        );
    }

    #[test]
    fn a_row_without_a_crate_is_found_unless_marked() {
        check_with(
            "alnager-stats",
            TWO,
            &[
                "ARCHITECTURE.md:6: no crate `alnager-audit` in the workspace; \
               delete the row or mark it (comes with its issue)",
            ],
        );
        check_with(
            "alnager-stats",
            "| `alnager-stats` | Numbers. | – |\n| `alnager-audit` | Plans (comes with its issue). | stats |",
            &[],
        );
    }

    #[test]
    fn a_mark_that_outlived_its_reason_is_found() {
        check_with(
            "alnager-stats",
            "| `alnager-stats` | Numbers (comes with its issue). | – |",
            &[
                "ARCHITECTURE.md:5: `alnager-stats` has come; take the mark (comes with its issue) away",
            ],
        );
    }

    #[test]
    fn all_above_means_the_rows_above_and_no_other() {
        let rows = "| `alnager-stats` | Numbers. | – |\n| `alnager` | Program. | all above |\n\
                    | `alnager-late` | Late. | – |";
        check_with(
            "alnager-stats\nalnager: alnager-stats\nalnager-late",
            rows,
            &[],
        );
        check_with(
            "alnager-stats\nalnager: alnager-late\nalnager-late",
            rows,
            &["crates/alnager/Cargo.toml: `alnager` uses `alnager-late`, \
               which ARCHITECTURE.md:6 does not list"],
        );
    }

    #[test]
    fn a_name_that_has_no_row_is_found() {
        check_with(
            "alnager-stats",
            "| `alnager-stats` | Numbers. | sums |",
            &["ARCHITECTURE.md:5: `alnager-stats` may use `alnager-sums`, which has no row"],
        );
    }

    #[test]
    fn a_page_without_the_table_is_found() {
        assert_eq!(
            check("# Page\n", &[]),
            ["ARCHITECTURE.md: no table with the header `| crate | one line | may use |`"]
        );
    }

    #[test]
    fn only_our_own_and_not_test_edges_are_read() {
        let metadata = json!({"packages": [
            {"name": "a", "manifest_path": "/clone/crates/a/Cargo.toml", "dependencies": []},
            {"name": "b", "manifest_path": "/clone/crates/b/Cargo.toml", "dependencies": []},
            {"name": "c", "manifest_path": "/clone/crates/c/Cargo.toml", "dependencies": [
                {"name": "serde", "kind": null},
                {"name": "a", "kind": null},
                {"name": "b", "kind": "dev"},
            ]},
        ]});
        let crates = crates(&metadata, Path::new("/clone"));
        assert_eq!(crates[2].uses, ["a"]);
        assert_eq!(crates[2].folder, "crates/c");
    }
}
