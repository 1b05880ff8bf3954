//! Official texts: how many provisions, the same addresses in two formats, the agency's own diff, and a file that is cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use alnager_law::text::diff::{Operation, OperationKind, diff};
use alnager_law::text::{Provision, ProvisionKind, ProvisionTree, import, import_works};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::read_json;
use crate::{Scratch, alnager};

/// Addressed provisions the main file of the AI Act has at least: articles, paragraphs and points.
const N_PROVISIONS_MIN: usize = 1_079;

/// What the agency's diff of Regulation B and ours may differ in, by its label, its word and ours; the reasons are in
/// `docs/formats/provisions.md`. Whatever else differs fails.
const EXPLAINED: [(&str, &str, &str); 6] = [
    ("1002-5-a-2-Interp-1", "deleted", "moved"),
    ("1002-12-b-Interp-1", "deleted", "moved"),
    ("1002-13-a-Interp-1", "deleted", "moved"),
    ("1002-13-b-Interp-1", "deleted", "replaced"),
    ("1002-13-c-Interp-1", "deleted", "replaced"),
    ("1002-13-c-Interp-c", "added", "replaced"),
];

/// Prints what was found; returns how much differs without an explanation.
pub(super) fn texts(root: &Path, shared: &Path) -> Result<usize> {
    let folder = shared.join("law/texts");
    let act = act(&folder.join("eu-ai-act"))?;
    Ok(addresses(root, &folder, &act)? + golden(&folder.join("regulation-b"))? + cut(&folder)?)
}

/// The AI Act from Formex, its annexes behind it.
fn act(folder: &Path) -> Result<ProvisionTree> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("no `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_manifest = name.ends_with(".doc.fmx.xml") || name.ends_with(".toc.fmx.xml");
        if name.ends_with(".fmx.xml") && !is_manifest {
            paths.push(path);
        }
    }
    paths.sort();
    let mut files = Vec::new();
    for path in &paths {
        files.push((path.display().to_string(), read(path)?));
    }
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let mut works = import_works(&files)?;
    ensure!(
        works.len() == 1,
        "the AI Act's files belong to {} works",
        works.len()
    );
    Ok(works.remove(0))
}

/// The page is packed, so the program itself reads it, through the command line.
fn addresses(root: &Path, folder: &Path, formex: &ProvisionTree) -> Result<usize> {
    let main = folder.join("eu-ai-act/L_202401689EN.000101.fmx.xml");
    let main = import(&main.display().to_string(), &read(&main)?)?;
    let addressed = |provision: &&Provision| {
        matches!(
            provision.kind,
            ProvisionKind::Article | ProvisionKind::Paragraph | ProvisionKind::Point
        )
    };
    let n_addressed = main.provisions.iter().filter(addressed).count();
    println!(
        "texts: the AI Act's main file has {n_addressed} articles, paragraphs and points (at least {N_PROVISIONS_MIN}), {} provisions in all; {} with its annexes",
        main.provisions.len() - 1,
        formex.provisions.len() - 1
    );

    let scratch = Scratch::new("conformance-texts")?;
    let out = scratch.0.join("act.json");
    let mut command = Command::new(alnager(root)?);
    command.stdin(Stdio::null()).args(["law", "import"]);
    command
        .arg(folder.join("eu-ai-act/32024R1689.html.gz"))
        .arg("--out")
        .arg(&out);
    let output = command.output().context("cannot start `alnager`")?;
    ensure!(
        output.status.success(),
        "`alnager law import` of the page failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let page = read_json(&out)?;
    let own = |provision: &Value| {
        let text = |key: &str| provision[key].as_str().unwrap_or_default().to_owned();
        (text("id"), text("own_sha256"))
    };
    let page: BTreeMap<String, String> = page["provisions"]
        .as_array()
        .into_iter()
        .flatten()
        .skip(1)
        .map(own)
        .collect();
    // The first is the work itself.
    let ours = formex
        .provisions
        .iter()
        .skip(1)
        .map(|provision| (provision.id.clone(), provision.own.to_string()));
    let ours: BTreeMap<String, String> = ours.collect();

    let mut differ: Vec<String> = Vec::new();
    differ.extend(
        ours.keys()
            .filter(|id| !page.contains_key(*id))
            .map(|id| format!("{id}: in Formex alone")),
    );
    differ.extend(
        page.keys()
            .filter(|id| !ours.contains_key(*id))
            .map(|id| format!("{id}: on the page alone")),
    );
    let texts = ours
        .iter()
        .filter_map(|(id, own)| page.get(id).map(|other| (id, own == other)));
    let (same, other): (Vec<_>, Vec<_>) = texts.partition(|(_, same)| *same);
    println!(
        "texts: Formex and page: {} addresses in both, {} in one alone; {} texts agree, {} differ",
        same.len() + other.len(),
        differ.len(),
        same.len(),
        other.len()
    );
    differ.extend(
        other
            .iter()
            .map(|(id, _)| format!("{id}: the text differs")),
    );
    for difference in &differ {
        println!("  {difference}");
    }
    Ok(differ.len() + usize::from(n_addressed < N_PROVISIONS_MIN))
}

/// Our diff of two versions of Regulation B beside the agency's.
fn golden(folder: &Path) -> Result<usize> {
    let version = |name: &str| -> Result<ProvisionTree> {
        let path = folder.join(name);
        Ok(import(&path.display().to_string(), &read(&path)?)?)
    };
    let (old, new) = (
        version("1002_2016-16301.xml")?,
        version("1002_2017-20417_20180101.xml")?,
    );
    let theirs = read_json(&folder.join("diff_1002_2016-16301_to_2017-20417_20180101.json"))?;
    let theirs = theirs
        .as_object()
        .context("the agency's diff is not an object")?;
    let operations = diff(&old, &new);
    let mut ours: BTreeMap<&str, &Operation> = BTreeMap::new();
    for operation in &operations {
        for side in [&operation.before, &operation.after].into_iter().flatten() {
            ours.insert(&side.label, operation);
        }
    }
    let labels: BTreeSet<&str> = theirs
        .keys()
        .map(String::as_str)
        .chain(ours.keys().copied())
        .collect();
    let (mut n_same, mut n_explained, mut unexplained) = (0, 0, Vec::new());
    for label in labels {
        let their = theirs
            .get(label)
            .and_then(|node| node["op"].as_str())
            .unwrap_or("nothing");
        let our = ours
            .get(label)
            .map_or("nothing", |operation| operation.kind.word());
        if ours
            .get(label)
            .is_some_and(|operation| word_of(operation.kind) == their)
        {
            n_same += 1;
        } else if EXPLAINED.contains(&(label, their, our)) {
            n_explained += 1;
            println!("  {label}: the agency says {their}, we say {our} (explained)");
        } else {
            unexplained.push(format!("{label}: the agency says {their}, we say {our}"));
        }
    }
    println!(
        "texts: Regulation B: {} operations of the agency, {} of ours; {n_same} labels agree, {n_explained} differ as explained, {} differ otherwise",
        theirs.len(),
        operations.len(),
        unexplained.len()
    );
    for difference in &unexplained {
        println!("  {difference}");
    }
    Ok(unexplained.len())
}

/// The agency's word for what we found. It has none for a provision that only moved or got another number.
fn word_of(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Inserted => "added",
        OperationKind::Deleted => "deleted",
        OperationKind::Replaced | OperationKind::DateShifted => "modified",
        OperationKind::Renumbered | OperationKind::Moved => "",
    }
}

fn cut(folder: &Path) -> Result<usize> {
    let path = folder.join("ecfr/FR-2024-02-12_first200kB_truncated.xml");
    match import("the cut file", &read(&path)?) {
        Err(error) if error.problem.contains("cut off") => {
            println!("texts: refused: {error}");
            Ok(0)
        }
        Err(error) => {
            println!("texts: the cut file is refused for another reason: {error}");
            Ok(1)
        }
        Ok(tree) => {
            println!(
                "texts: the cut file was imported with {} provisions",
                tree.provisions.len()
            );
            Ok(1)
        }
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
