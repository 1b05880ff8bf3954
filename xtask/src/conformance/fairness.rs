//! `reference/fairness`: every given case of an audit, asked of the program as a person would ask it.

mod kinds;
mod printed;
mod rows;
mod tables;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::figures::{Rules, TOLERANCE, Tally, ZERO, compare};
use super::read_json;
use crate::{Scratch, alnager};

/// What is needed to run a case.
struct Bench {
    program: PathBuf,
    /// `reference/fairness`.
    cases: PathBuf,
    shared: PathBuf,
    scratch: Scratch,
}

/// What became of a case.
enum Ran {
    /// Compared: each run with what it is called.
    Compared(Vec<(String, Tally)>),
    /// Something it needs is not there; what could be compared all the same.
    NotRun {
        why: String,
        instead: Vec<(String, Tally)>,
    },
}

/// Runs every case and prints what was found; returns the number of values that differ.
pub(super) fn fairness(root: &Path, shared: &Path) -> Result<usize> {
    let bench = Bench {
        program: alnager(root)?,
        cases: shared.join("reference/fairness"),
        shared: shared.to_owned(),
        scratch: Scratch::new("conformance-fairness")?,
    };
    let mut names = Vec::new();
    for entry in
        std::fs::read_dir(&bench.cases).context("cannot list the cases of `reference/fairness`")?
    {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    ensure!(
        !names.is_empty(),
        "`{}` holds no case",
        bench.cases.display()
    );
    let (mut whole, mut n_not_run) = (Tally::default(), 0);
    for name in &names {
        let ran = match run(&bench, name).with_context(|| format!("case `{name}`"))? {
            Ran::Compared(ran) => ran,
            Ran::NotRun { why, instead } => {
                n_not_run += 1;
                println!("fairness {name}: NOT RUN: {why}");
                instead
            }
        };
        for (what, tally) in ran {
            say(name, &what, &tally);
            whole.add(tally);
        }
    }
    println!(
        "fairness: {} cases, {n_not_run} not run; {} values compared, {} differ; {} values of the reference are known to be wrong, and ours were held against exact ones",
        names.len(),
        whole.n_compared,
        whole.differences.len(),
        whole.n_known_wrong
    );
    Ok(whole.differences.len())
}

/// Prints one line, and what differs below it.
fn say(name: &str, what: &str, tally: &Tally) {
    let known = match tally.n_known_wrong {
        0 => String::new(),
        n => format!(", {n} known wrong in the reference held against exact values"),
    };
    println!(
        "fairness {name} {what}: {} compared, {} differ{known}",
        tally.n_compared,
        tally.differences.len()
    );
    for difference in &tally.differences {
        println!("  {difference}");
    }
}

fn run(bench: &Bench, name: &str) -> Result<Ran> {
    let folder = bench.cases.join(name);
    let expected = read_json(&folder.join("expected.json"))?;
    if folder.join("case.json").exists() {
        let case = read_json(&folder.join("case.json"))?;
        return rows::case(bench, &folder, &case, &expected).map(Ran::Compared);
    }
    let one = |what: &str, tally: Result<Tally>| Ok(Ran::Compared(vec![(what.to_owned(), tally?)]));
    match name {
        "multiclass_compas" => one("audit classes", kinds::classes(bench, &expected)),
        "regression_law_school" => one("audit numeric", kinds::numeric(bench, &expected)),
        "ranking_law_school" => one("audit ranking", kinds::ranking(bench, &expected)),
        "fair_lending_boston_hmda" => one("audit lending", kinds::lending(bench, &expected)),
        "oaxaca_boston_hmda" => one("audit oaxaca", kinds::oaxaca(bench, &expected)),
        "reweighing_adult_race" => one("audit reweigh", kinds::reweigh(bench, "adult", &expected)),
        "reweighing_german_sex" => one("audit reweigh", kinds::reweigh(bench, "german", &expected)),
        "bisg_zip" => one("audit proxy", kinds::proxy(bench, &expected)),
        "tables2x2" => one("audit table", tables::tables(bench, &expected)),
        "ucb_admissions" => one("audit strata", tables::strata(bench, &expected)),
        "dcwp_rule" => one("audit fairness", printed::rule(bench, &expected)),
        "llm_crows_toy" => printed::crows_pairs(bench, &expected),
        "llm_bbq_religion" => Ok(printed::bbq()),
        _ => bail!("nobody runs it; add it to `xtask/src/conformance/fairness.rs`"),
    }
}

impl Bench {
    /// What `alnager audit … --format json` prints.
    fn audit(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.program);
        // In the scratch folder, so that no desk of the caller is looked at.
        command.current_dir(&self.scratch.0).stdin(Stdio::null());
        command
            .arg("audit")
            .args(arguments)
            .args(["--format", "json"]);
        let output = command.output().context("cannot start `alnager`")?;
        // 0 pass, 1 fail, 3 inconclusive: whatever the outcome, the figures are there.
        if !matches!(output.status.code(), Some(0 | 1 | 3)) {
            bail!(
                "`alnager audit {}` ended with {}: {}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        serde_json::from_slice(&output.stdout).context("`alnager audit` did not print JSON")
    }

    /// A data file of a case, as an absolute path.
    fn data(&self, case: &str, file: &str) -> Result<String> {
        let path = self.cases.join(case).join(file);
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot find `{}`", path.display()))?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// Writes a passing file; its path.
    fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.scratch.0.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path.to_string_lossy().into_owned())
    }
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.n_compared += other.n_compared;
        self.n_lacking += other.n_lacking;
        self.n_own += other.n_own;
        self.n_known_wrong += other.n_known_wrong;
        self.differences.extend(other.differences);
    }

    /// One value compared outside the trees.
    fn check(&mut self, what: &str, agrees: bool, ours: &Value, expected: &Value) {
        self.n_compared += 1;
        if !agrees {
            self.differences
                .push(format!("{what}: {ours}, expected {expected}"));
        }
    }
}

/// Everything the reference has must be there and agree to nine digits.
const EXACT: Rules<'static> = Rules {
    relative: &|_| TOLERANCE,
    absolute: ZERO,
    rounded: 0.0,
    provenance: &[],
    known_wrong: &[],
    must_have_all: true,
};

fn compared(ours: &Value, expected: &Value, rules: &Rules) -> Result<Tally> {
    let mut tally = Tally::default();
    compare("", ours, expected, rules, &mut tally);
    ensure!(
        tally.n_compared > 0,
        "no value was compared; is the output in the shape of the reference?"
    );
    Ok(tally)
}

/// The text of a member.
fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str> {
    value[name]
        .as_str()
        .with_context(|| format!("the reference has no text `{name}`"))
}

/// The texts of a member that is a list.
fn texts<'v>(value: &'v Value, name: &str) -> Result<Vec<&'v str>> {
    let list = value[name]
        .as_array()
        .with_context(|| format!("the reference has no list `{name}`"))?;
    Ok(list.iter().filter_map(Value::as_str).collect())
}

/// The names of the members of a member.
fn names<'v>(value: &'v Value, name: &str) -> Result<Vec<&'v str>> {
    let members = value[name]
        .as_object()
        .with_context(|| format!("the reference has no object `{name}`"))?;
    Ok(members.keys().map(String::as_str).collect())
}

/// The whole number of a member.
fn whole(value: &Value, name: &str) -> Result<u64> {
    value[name]
        .as_u64()
        .with_context(|| format!("the reference has no whole number `{name}`"))
}
