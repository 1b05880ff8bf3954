//! The classification cases of the reference against the packs of this project.
//!
//! The reference knows more packs than are here: an id or a derived fact of a pack that has not come yet is
//! counted and named as skipped, never as right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use alnager_law::book::Book;
use alnager_law::cases::{Case, Expect, run};
use alnager_law::fact::{FactKind, Value as Fact, Vocabulary};
use alnager_law::pack::{Pack, Register};
use alnager_law::requirement::AsOf;
use anyhow::{Context, Result};
use serde_json::Value;

use super::read_json;

/// Compares every case and prints what was found; returns the number of statements that differ.
pub(super) fn law_cases(root: &Path, shared: &Path) -> Result<usize> {
    let book = book(&root.join("packs"))?;
    let cases = read_json(&shared.join("law/cases/cases.json"))?;
    let cases = cases["cases"]
        .as_array()
        .context("the cases have no list `cases`")?;

    let (mut n_compared, mut differences, mut skipped) = (0, Vec::new(), BTreeSet::new());
    for case in cases {
        let id = case["id"].as_str().context("a case has no `id`")?;
        let case = read(&book.vocabulary, id, case).with_context(|| format!("case `{id}`"))?;
        let shown = run(&book, &case);
        n_compared += shown.n_compared;
        differences.extend(shown.differences);
        skipped.extend(shown.skipped);
    }
    println!(
        "law: {} cases, {n_compared} statements compared, {} differ",
        cases.len(),
        differences.len()
    );
    for difference in &differences {
        println!("  {difference}");
    }
    let skipped: Vec<String> = skipped.into_iter().collect();
    println!(
        "  skipped, of packs that are not here: {}",
        skipped.join(" ")
    );
    Ok(differences.len())
}

/// The packs of `packs/law` and `packs/framework`, in the order of their folders.
pub(super) fn book(packs: &Path) -> Result<Book> {
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok::<_, anyhow::Error>((path.display().to_string(), text))
    };
    let register = |name: &str, table: &str| {
        let (file, text) = read(&packs.join(name))?;
        Ok::<_, anyhow::Error>(Register::parse(&file, &text, table)?)
    };
    let (file, text) = read(&packs.join("facts.toml"))?;
    let vocabulary = Vocabulary::parse(&file, &text)?;

    let mut folders = Vec::new();
    for kind in ["law", "framework"] {
        let entries = std::fs::read_dir(packs.join(kind))
            .with_context(|| format!("no folder `packs/{kind}`"))?;
        for entry in entries {
            folders.push(entry?.path());
        }
    }
    folders.sort();
    let mut laws = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let (file, text) = read(&folder.join("pack.toml"))?;
        laws.push(Pack::parse(&file, &text)?);
    }
    let (evidence, controls) = (
        register("evidence.toml", "kind")?,
        register("controls.toml", "control")?,
    );
    Ok(Book::new(vocabulary, evidence, controls, laws)?)
}

/// A case of the reference, which is a closed world: what is not listed is false or empty.
fn read(vocabulary: &Vocabulary, id: &str, case: &Value) -> Result<Case> {
    let mut facts = BTreeMap::new();
    for (name, value) in case["facts"].as_object().context("no `facts`")? {
        let kind = vocabulary
            .get(name)
            .with_context(|| format!("no fact `{name}`"))?;
        facts.insert(name.clone(), answer(kind, value)?);
    }
    let day = |value: &Value| {
        let text = value.as_str().context("a date is missing")?;
        text.parse()
            .with_context(|| format!("`{text}` is not a date"))
    };
    let expect = &case["expect"];
    let ids = |list: &str| {
        let ids = expect[list].as_array().into_iter().flatten();
        ids.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut upcoming = BTreeMap::new();
    for (id, from) in expect["upcoming"].as_object().into_iter().flatten() {
        upcoming.insert(id.clone(), day(from)?);
    }
    let mut derived = BTreeMap::new();
    for (name, truth) in expect["derived"].as_object().into_iter().flatten() {
        let truth = truth.as_bool().context("a derived fact is true or false")?;
        derived.insert(name.clone(), truth);
    }
    Ok(Case {
        id: id.to_owned(),
        when: AsOf {
            valid: day(&case["at"])?,
            known: day(&case["known"])?,
        },
        closed_world: true,
        facts,
        expect: Expect {
            in_force: ids("in_force"),
            not_applicable: ids("not_applicable"),
            upcoming,
            derived,
        },
    })
}

pub(super) fn answer(kind: &FactKind, value: &Value) -> Result<Fact> {
    let text = match value {
        Value::Array(values) => values
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(","),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    kind.parse(&text)
        .with_context(|| format!("fact `{}` cannot be `{text}`", kind.name))
}
