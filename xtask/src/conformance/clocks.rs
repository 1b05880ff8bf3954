//! The clock cases of the reference against the clocks and calendars of this project.

use std::path::Path;

use alnager_law::book::Book;
use alnager_law::calendar::Almanac;
use alnager_law::clock::{Moment, Question, Start, run, show};
use alnager_law::fact::{Answer, Facts};
use anyhow::{Context, Result};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::law::{answer, book};
use super::read_json;

/// The day of knowledge of the reference, where a case names none.
const KNOWN: &str = "2026-11-23";

/// Compares every case and prints what was found; returns the number of times that differ.
pub(super) fn clock_cases(root: &Path, shared: &Path) -> Result<usize> {
    let book = book(&root.join("packs"))?;
    let almanac = almanac(&root.join("packs/calendar"))?;
    let cases = read_json(&shared.join("law/cases/clocks.json"))?;
    let cases = cases["cases"]
        .as_array()
        .context("the clock cases have no list `cases`")?;

    let (mut n_compared, mut differences) = (0, Vec::new());
    for case in cases {
        let id = case["id"].as_str().context("a case has no `id`")?;
        for expect in case["expect"].as_array().context("no `expect`")? {
            let found = compare(&book, &almanac, case, expect, &mut differences);
            n_compared += found.with_context(|| format!("case `{id}`"))?;
        }
    }
    println!(
        "clocks: {} cases, {n_compared} times compared, {} differ",
        cases.len(),
        differences.len()
    );
    for difference in &differences {
        println!("  {difference}");
    }
    Ok(differences.len())
}

/// Compares one clock of a case; returns the number of times compared.
fn compare(
    book: &Book,
    almanac: &Almanac,
    case: &Value,
    expect: &Value,
    differences: &mut Vec<String>,
) -> Result<usize> {
    let text = |key: &str| case[key].as_str();
    let zone = TimeZone::get(text("tz").context("no `tz`")?)?;
    let moment = |text: &str| -> Result<Moment> {
        let wall: DateTime = text
            .parse()
            .with_context(|| format!("`{text}` is no time"))?;
        Moment::local(wall, &zone).context("the time lies beyond the calendar")
    };
    let start = Start {
        event: moment(text("start").context("no `start`")?)?,
        aware: text("aware").map(moment).transpose()?,
    };
    let mut facts = Facts::hypothetical(false);
    for (name, value) in case["facts"].as_object().into_iter().flatten() {
        let at = book.vocabulary.position(name);
        let at = at.with_context(|| format!("no fact `{name}`"))?;
        let value = answer(&book.vocabulary.kinds()[at], value)?;
        facts.set(at, Some(Answer::bare(value)));
    }
    let known: Date = text("known").unwrap_or(KNOWN).parse()?;
    let question = Question {
        start: &start,
        facts: &facts,
        known,
        holidays: text("holidays")
            .and_then(|code| almanac.holidays(code))
            .into_iter()
            .collect(),
    };
    let id = expect["clock"].as_str().context("no `clock`")?;
    let (pack, clock) = book.clock(id).with_context(|| format!("no clock `{id}`"))?;
    let seen = run(book, almanac, pack, clock, &question)?;
    let mut n_compared = 0;
    for (what, seen) in [("strict", seen.strict), ("legal", seen.legal)] {
        let Some(want) = expect.get(what) else {
            continue;
        };
        n_compared += 1;
        let seen = seen.map_or(Value::Null, |at| Value::String(show(at)));
        if seen != *want {
            differences.push(format!(
                "{}: {id}: {what} is {seen} here and {want} in the reference",
                case["id"]
            ));
        }
    }
    Ok(n_compared)
}

fn almanac(folder: &Path) -> Result<Almanac> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(folder.join("holidays")).context("no folder of holidays")? {
        let path = entry?.path();
        sets.push((path.display().to_string(), read(&path)?));
    }
    let rules = folder.join("rules.toml");
    let text = read(&rules)?;
    let sets = sets
        .iter()
        .map(|(file, text)| (file.as_str(), text.as_str()));
    Ok(Almanac::parse(&rules.display().to_string(), &text, sets)?)
}
