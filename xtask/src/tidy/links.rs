//! Links between the project's own pages: every relative target exists, every anchor is a heading.
//!
//! Addresses on the network are not asked: tidy needs no network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::read;

pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for path in files.iter().filter(|path| path.ends_with(".md")) {
        pages.insert(path.as_str(), read(root, path)?);
    }
    let folders: BTreeSet<&str> = files.iter().flat_map(|path| folders_of(path)).collect();
    let exists = |path: &str| folders.contains(path) || files.iter().any(|file| file == path);
    Ok(broken(&pages, &exists))
}

/// `pages` maps the path of each page to its text; `exists` knows every file and folder.
fn broken(pages: &BTreeMap<&str, String>, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in pages {
        for (line, target) in targets(text) {
            if let Some(problem) = problem(path, &target, pages, exists) {
                problems.push(format!("{path}:{line}: link `{target}`: {problem}"));
            }
        }
    }
    problems
}

fn problem(
    page: &str,
    target: &str,
    pages: &BTreeMap<&str, String>,
    exists: &dyn Fn(&str) -> bool,
) -> Option<String> {
    if has_scheme(target) {
        return None;
    }
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (target, None),
    };
    let Some(file) = resolve(page, file) else {
        return Some("leaves the repository".into());
    };
    if !exists(&file) {
        return Some(format!("no file `{file}`"));
    }
    let (text, anchor) = (pages.get(file.as_str())?, anchor?);
    (!anchors(text).contains(anchor)).then(|| format!("no heading `#{anchor}` in `{file}`"))
}

/// `https:`, `mailto:` and the like, or an address without its scheme.
fn has_scheme(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    target.starts_with("//")
        || scheme
            .is_some_and(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// The path from the root that a link in a page means; the page itself for an empty one, `None` when it leads
/// out of the repository. The empty path is the root.
fn resolve(page: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(page.to_owned());
    }
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Every folder above a file, the root as the empty path.
fn folders_of(path: &str) -> Vec<&str> {
    let cuts = path.match_indices('/').map(|(at, _)| &path[..at]);
    std::iter::once("").chain(cuts).collect()
}

/// Link targets with their lines: `[a](b)`, `![a](b)`, `[a]: b`, `href="b"`, `src="b"`.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        let mut inside = |start: &str, end: &[char]| {
            for (at, _) in prose.match_indices(start) {
                let rest = prose[at + start.len()..].trim_start_matches('<');
                // A title may stand after the target: [a](b "title").
                let target = rest.split(end).next().unwrap_or_default();
                found.push((line, target.to_owned()));
            }
        };
        inside("](", &[')', ' ', '>']);
        inside("href=\"", &['"']);
        inside("src=\"", &['"']);
        let definition = prose
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "));
        if let Some((name, target)) = definition
            && !name.contains(']')
        {
            found.push((
                line,
                target
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            ));
        }
    }
    found
}

/// The names a link may use after `#`: one per heading, by the rule of the usual hosts (lower case, spaces to
/// hyphens, other punctuation dropped, repeats numbered), and every `id="…"`.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (_, line) in lines_outside_fences(text) {
        for (at, start) in line.match_indices("id=\"") {
            anchors.extend(
                line[at + start.len()..]
                    .split('"')
                    .next()
                    .map(str::to_owned),
            );
        }
        let title = line.trim_start_matches('#');
        let depth = line.len() - title.len();
        if !(1..=6).contains(&depth) || !title.starts_with(' ') {
            continue;
        }
        let slug = slug(title.trim());
        let repeats = seen.entry(slug.clone()).or_default();
        anchors.insert(if *repeats == 0 {
            slug
        } else {
            format!("{slug}-{repeats}")
        });
        *repeats += 1;
    }
    anchors
}

fn slug(title: &str) -> String {
    // Of a link in a heading only its text counts.
    let mut text = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Numbered lines without code: no fenced blocks, code spans blanked.
fn prose(text: &str) -> Vec<(usize, String)> {
    let spans = |line: &str| line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    lines_outside_fences(text)
        .into_iter()
        .map(|(line, text)| (line, spans(text)))
        .collect()
}

fn lines_outside_fences(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        match fence {
            Some(mark) if start.starts_with(mark) => fence = None,
            Some(_) => {}
            None => match ["```", "~~~"]
                .into_iter()
                .find(|mark| start.starts_with(mark))
            {
                Some(mark) => fence = Some(mark),
                None => lines.push((index + 1, line)),
            },
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pages and a picture; `line` stands in `docs/a.md` under its heading.
    #[track_caller]
    fn check_link(line: &str, want: &[&str]) {
        let pages = BTreeMap::from([
            ("docs/a.md", format!("# Page A\n{line}\n")),
            (
                "b.md",
                "# Page `B`, again\n\n## Two\n\n## Two\n\n```\n# not a heading\n```\n".to_owned(),
            ),
        ]);
        let exists = |path: &str| ["", "docs", "docs/a.md", "b.md", "docs/p.svg"].contains(&path);
        assert_eq!(broken(&pages, &exists), want, "{line}");
    }

    #[test]
    fn targets_that_exist_are_fine() {
        for line in [
            "[b](../b.md) and ![p](p.svg \"title\") and [root](..) and [again](/docs/p.svg)",
            "[top](#page-a), [b](../b.md#page-b-again), [b](../b.md#two-1)",
            "[w](https://example.org/x) <a href=\"mailto:a@example.org\">",
            "[b]: ../b.md",
            "`[code](nowhere.md)` is not a link",
            "```\n[code](nowhere.md)\n```",
            "<a id=\"here\"></a>[here](#here)",
        ] {
            check_link(line, &[]);
        }
    }

    #[test]
    fn a_missing_file_is_found() {
        check_link(
            "[c](c.md)",
            &["docs/a.md:2: link `c.md`: no file `docs/c.md`"],
        );
        check_link(
            "![c](c.png)",
            &["docs/a.md:2: link `c.png`: no file `docs/c.png`"],
        );
        check_link(
            "<img src=\"c.png\">",
            &["docs/a.md:2: link `c.png`: no file `docs/c.png`"],
        );
        check_link(
            "[c]: c.md",
            &["docs/a.md:2: link `c.md`: no file `docs/c.md`"],
        );
    }

    #[test]
    fn a_missing_heading_is_found() {
        check_link(
            "[a](#page)",
            &["docs/a.md:2: link `#page`: no heading `#page` in `docs/a.md`"],
        );
        check_link(
            "[b](../b.md#not-a-heading)",
            &["docs/a.md:2: link `../b.md#not-a-heading`: no heading `#not-a-heading` in `b.md`"],
        );
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        check_link(
            "[x](../../x.md)",
            &["docs/a.md:2: link `../../x.md`: leaves the repository"],
        );
    }

    #[test]
    fn folders_are_known_by_their_files() {
        assert_eq!(folders_of("a/b/c.md"), ["", "a", "a/b"]);
    }
}
