//! Adverse impact by job and by stage of the selection process, the bottom line first.
//!
//! Source: 29 CFR 1607.4(A)-(D); flip-one: EEOC and others, 44 FR 11996 (1979), questions and answers on 29 CFR 1607.

use std::collections::{BTreeMap, HashMap};

use alnager_stats::compare;
use alnager_stats::correct;
use alnager_stats::impact;
use alnager_stats::proportion::Proportion;
use serde_json::{Value, json};

use super::ll144::by_rate;
use crate::declared::Audit;
use crate::figures::{group_name, number};
use crate::measures::Measures;
use crate::table::{Cell, CountTable};
use crate::texts::Texts;
use crate::two_by_two::flip_one;

/// Which people: the job, and the value of each attribute; `None` is unknown, and also the job where none is told apart.
pub type Who = (Option<String>, Vec<Option<String>>);

/// People who reached a stage, and those it let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// Those who reached it.
    pub n: u64,
    /// Those let through.
    pub k: u64,
}

/// One stage of the selection process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Whether it is the whole process: let through by the last stage, of all who applied.
    pub is_bottom_line: bool,
    /// Its counts.
    pub counts: BTreeMap<Who, Reached>,
    /// By job, where there are any: people the stage before let through, with no decision here nor later. They are pending, and count
    /// as not selected in the bottom line.
    pub n_pending: BTreeMap<Option<String>, u64>,
}

/// The stages of wide data, counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The bottom line, then each stage in its order.
    pub stages: Vec<Stage>,
    /// The bottom line by attributes and job, as a count table without labels.
    pub table: CountTable,
    /// What a person should look at. Whole sentences.
    pub warnings: Vec<String>,
}

/// Counts wide data: one column of decisions a stage, unknown where the person did not reach it. `favourable` is the decision that
/// lets through. The answer says which column holds what it should not.
pub fn counted(
    audit: &Audit,
    attributes: &[Texts],
    job: Option<&Texts>,
    stages: &[(String, Texts)],
    favourable: &str,
) -> Result<Counted, String> {
    let mut warnings = Vec::new();
    let mut passes = Vec::new();
    for (name, texts) in stages {
        passes.push(passing(name, texts, favourable, &mut warnings)?);
    }
    // People by the codes of job and attributes, so that texts are touched once a cell.
    let mut cells: HashMap<Vec<Option<usize>>, Vec<Met>> = HashMap::new();
    let n_rows = attributes.first().map_or(0, Texts::n_rows);
    let mut n_skipped = vec![0_u64; stages.len()];
    let mut n_pending = vec![0_u64; stages.len()];
    for row in 0..n_rows {
        let keys = job.into_iter().chain(attributes);
        let key: Vec<Option<usize>> = keys.map(|texts| texts.at(row)).collect();
        let cell = cells
            .entry(key)
            .or_insert_with(|| vec![Met::default(); stages.len() + 1]);
        let mut pending_at = None;
        let mut came_here = true;
        let mut passed = false;
        for (at, (_, texts)) in stages.iter().enumerate() {
            let decision = texts.at(row);
            let here = decision.is_some();
            passed = here && decision == passes[at];
            n_skipped[at] += u64::from(here && !came_here);
            cell[at + 1].reached.n += u64::from(here);
            cell[at + 1].reached.k += u64::from(passed);
            if here {
                pending_at = None;
            } else if came_here && at > 0 {
                pending_at = Some(at);
            }
            came_here = passed;
        }
        if let Some(at) = pending_at {
            cell[at + 1].n_pending += 1;
            n_pending[at] += 1;
        }
        cell[0].reached.n += 1;
        cell[0].reached.k += u64::from(passed);
    }
    for (pair, n) in stages.windows(2).zip(n_pending.iter().skip(1)) {
        if *n > 0 {
            warnings.push(pending_words(*n, &pair[0].0, &pair[1].0));
        }
    }
    for ((name, _), n) in stages.iter().zip(n_skipped) {
        if n > 0 {
            warnings.push(format!(
                "stage `{name}`: {n} rows have a decision here though the stage before did not let them through"
            ));
        }
    }
    let names: Vec<&[String]> = job
        .into_iter()
        .chain(attributes)
        .map(Texts::values)
        .collect();
    Ok(gathered(
        audit,
        &names,
        job.is_some(),
        stages,
        cells,
        warnings,
    ))
}

/// People at one stage, while they are counted.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    reached: Reached,
    n_pending: u64,
}

/// What is said of people who passed one stage and have no decision at the next one.
pub fn pending_words(n: u64, passed: &str, stage: &str) -> String {
    let (people, have) = match n {
        1 => ("1 person".to_owned(), "has"),
        _ => (format!("{n} people"), "have"),
    };
    format!(
        "{people} passed `{passed}` and {have} no decision at `{stage}`; they count as not selected in the bottom line"
    )
}

/// The position of the decision that lets through; `None` where nobody was.
fn passing(
    stage: &str,
    texts: &Texts,
    favourable: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<usize>, String> {
    let at = texts.position(favourable);
    let shown = || {
        let names: Vec<&str> = texts.values().iter().take(4).map(String::as_str).collect();
        names.join("`, `")
    };
    if texts.values().len() > 2 {
        return Err(format!(
            "stage `{stage}` has {} different decisions, among them `{}`; it needs two, and an empty cell for who did not reach it",
            texts.values().len(),
            shown()
        ));
    }
    match (at, texts.values().len()) {
        (Some(at), _) => Ok(Some(at)),
        (None, 2) => Err(format!(
            "stage `{stage}` has the decisions `{}`, and neither is the favourable one, `{favourable}`; correct --favorable",
            shown()
        )),
        (None, _) => {
            warnings.push(format!(
                "stage `{stage}` let nobody through; look at the spelling of `{favourable}`"
            ));
            Ok(None)
        }
    }
}

fn gathered(
    audit: &Audit,
    names: &[&[String]],
    has_job: bool,
    stages: &[(String, Texts)],
    cells: HashMap<Vec<Option<usize>>, Vec<Met>>,
    warnings: Vec<String>,
) -> Counted {
    let mut found: Vec<Stage> = std::iter::once(BOTTOM_LINE)
        .chain(stages.iter().map(|(name, _)| name.as_str()))
        .enumerate()
        .map(|(at, name)| Stage {
            name: name.to_owned(),
            is_bottom_line: at == 0,
            ..Stage::default()
        })
        .collect();
    let key_columns = audit.key_columns();
    let mut table = CountTable {
        columns: key_columns
            .iter()
            .map(|column| (*column).to_owned())
            .collect(),
        ..CountTable::default()
    };
    for (codes, met) in cells {
        let texts = codes.iter().zip(names);
        let mut values: Vec<Option<String>> = texts
            .map(|(at, names)| names.get((*at)?).cloned())
            .collect();
        let job = if has_job { values.remove(0) } else { None };
        let mut key = values.clone();
        // The job, as strata, follows the attributes unless it is one of them.
        key.extend((key_columns.len() > values.len()).then(|| job.clone()));
        let mut cell = Cell::default();
        let whole = met[0].reached;
        cell.counts[2] = [whole.n - whole.k, whole.k];
        table.cells.entry(key).or_default().add(&cell);
        for (stage, met) in found.iter_mut().zip(met) {
            let who = (job.clone(), values.clone());
            stage.counts.insert(who, met.reached);
            if met.n_pending > 0 {
                *stage.n_pending.entry(job.clone()).or_default() += met.n_pending;
            }
        }
    }
    Counted {
        stages: found,
        table,
        warnings,
    }
}

/// The name of the whole process.
pub const BOTTOM_LINE: &str = "bottom line";

/// The only stage of data with one decision, from its counts; `job` is a key column of the table. `None` where it is not.
pub fn single(audit: &Audit, measures: &Measures, job: Option<&str>) -> Option<Stage> {
    let attributes = audit
        .attributes
        .iter()
        .map(|attribute| attribute.column.clone());
    let columns: Vec<String> = attributes.chain(job.map(str::to_owned)).collect();
    let favourable = usize::from(audit.decision.favourable);
    let mut stage = Stage {
        name: BOTTOM_LINE.to_owned(),
        is_bottom_line: true,
        ..Stage::default()
    };
    for (mut key, cell) in measures.table.by(&columns)? {
        let job = if job.is_some() {
            key.pop().flatten()
        } else {
            None
        };
        let reached = stage.counts.entry((job, key)).or_default();
        reached.n += cell.n();
        reached.k += cell.decided(favourable);
    }
    Some(stage)
}

/// The tables of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name; `None` where jobs are not told apart, or the job is unknown.
    pub name: Option<String>,
    /// All who applied.
    pub n: u64,
    /// People without a decision at a stage though the one before let them through; stages where there are none are left out.
    pub pending: Vec<Pending>,
    /// By stage and grouping: the bottom line first.
    pub tables: Vec<JobTable>,
}

/// People who passed one stage and have no decision at the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The stage they passed.
    pub passed: String,
    /// The stage that has not decided.
    pub stage: String,
    /// How many.
    pub n: u64,
}

/// One stage of one job by one grouping.
#[derive(Debug, Clone, PartialEq)]
pub struct JobTable {
    /// The stage.
    pub stage: String,
    /// Whether it is the whole process.
    pub is_bottom_line: bool,
    /// The attribute, or attributes joined by `*`.
    pub grouping: String,
    /// People of unknown group, in no comparison.
    pub n_unknown: u64,
    /// The group with the highest rate among groups large enough; of all groups where none is.
    pub reference: Option<String>,
    /// A group with a higher rate that is too small to be the reference.
    pub higher_but_small: Option<String>,
    /// The groups by name.
    pub groups: Vec<JobGroup>,
}

/// One group at one stage of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobGroup {
    /// Its name.
    pub name: String,
    /// Let through, of those who reached the stage.
    pub share: Proportion,
    /// Its people of all of known group at the stage.
    pub of_all: Proportion,
    /// Against the reference; `None` for the reference itself.
    pub versus: Option<Versus>,
}

/// A group against the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Versus {
    /// Rate over rate.
    pub impact_ratio: Option<f64>,
    /// Whether that lies below four fifths, decided in integers.
    pub is_below_four_fifths: Option<bool>,
    /// Fisher's exact two-sided p-value.
    pub p: Option<f64>,
    /// Its decimal logarithm.
    pub log10_p: Option<f64>,
    /// The same, corrected for every comparison of the report (Holm).
    pub p_adjusted: Option<f64>,
    /// The difference in standard deviations (hypergeometric).
    pub sd_units: Option<f64>,
    /// People more who would have been let through at the reference's rate.
    pub shortfall: Option<f64>,
    /// People more who would bring the rate to four fifths of the reference's.
    pub shortfall_at_80: Option<f64>,
    /// Whether one person more of the group and one fewer of the reference would make the group's rate the higher one; `None` where
    /// it is not lower to begin with.
    pub flips_with_one: Option<bool>,
}

/// Every job, by name; the one that is unknown last. `reference_min` is the size a reference should have.
pub fn jobs(audit: &Audit, stages: &[Stage], reference_min: u64) -> Vec<Job> {
    let mut names: Vec<Option<String>> = Vec::new();
    for (job, _) in stages.iter().flat_map(|stage| stage.counts.keys()) {
        if !names.contains(job) {
            names.push(job.clone());
        }
    }
    names.sort_by_key(|name| (name.is_none(), name.clone()));
    let mut jobs: Vec<Job> = names
        .into_iter()
        .map(|name| {
            let tables = stages.iter().flat_map(|stage| {
                let of = |grouping| table(audit, stage, &name, &grouping, reference_min);
                audit.groupings().into_iter().map(of).collect::<Vec<_>>()
            });
            let first = stages.first().into_iter().flat_map(|stage| &stage.counts);
            Job {
                n: first
                    .filter(|(who, _)| who.0 == name)
                    .map(|(_, reached)| reached.n)
                    .sum(),
                pending: pending(stages, &name),
                tables: tables.collect(),
                name,
            }
        })
        .collect();
    correct_all(&mut jobs);
    jobs
}

fn pending(stages: &[Stage], job: &Option<String>) -> Vec<Pending> {
    let pairs = stages.windows(2);
    let of_pair = |pair: &[Stage]| {
        Some(Pending {
            passed: pair[0].name.clone(),
            stage: pair[1].name.clone(),
            n: *pair[1].n_pending.get(job)?,
        })
    };
    pairs.filter_map(of_pair).collect()
}

fn table(
    audit: &Audit,
    stage: &Stage,
    job: &Option<String>,
    grouping: &crate::declared::Grouping,
    reference_min: u64,
) -> JobTable {
    let at: Vec<usize> = grouping
        .columns
        .iter()
        .filter_map(|column| {
            audit
                .attributes
                .iter()
                .position(|attribute| attribute.column == *column)
        })
        .collect();
    let mut sums: BTreeMap<String, Reached> = BTreeMap::new();
    let mut n_unknown = 0;
    for ((_, values), reached) in stage.counts.iter().filter(|(who, _)| who.0 == *job) {
        let key = at.iter().map(|at| values[*at].clone()).collect();
        match group_name(key, audit.missing) {
            Some(name) => {
                let sum = sums.entry(name).or_default();
                sum.n += reached.n;
                sum.k += reached.k;
            }
            None => n_unknown += reached.n,
        }
    }
    let shares: Vec<(String, Proportion)> = sums
        .into_iter()
        .filter_map(|(name, sum)| Some((name, Proportion::new(sum.k, sum.n)?)))
        .collect();
    let highest = |n_min: u64| {
        let large = shares.iter().filter(|(_, share)| share.n() >= n_min.max(1));
        large.max_by(|one, other| {
            by_rate(one.1, other.1)
                .then(one.1.n().cmp(&other.1.n()))
                .then(other.0.cmp(&one.0))
        })
    };
    let any = highest(1);
    let reference = highest(reference_min).or(any);
    let higher = any
        .zip(reference)
        .filter(|(any, reference)| by_rate(any.1, reference.1).is_gt());
    let n_known = shares.iter().map(|(_, share)| share.n()).sum();
    let groups = shares.iter().filter_map(|(name, share)| {
        let versus = reference.filter(|(other, _)| other != name);
        Some(JobGroup {
            name: name.clone(),
            share: *share,
            of_all: Proportion::new(share.n(), n_known)?,
            versus: versus.map(|(_, reference)| compared(*share, *reference)),
        })
    });
    JobTable {
        stage: stage.name.clone(),
        is_bottom_line: stage.is_bottom_line,
        grouping: grouping.name.clone(),
        n_unknown,
        groups: groups.collect(),
        reference: reference.map(|(name, _)| name.clone()),
        higher_but_small: higher.map(|(any, _)| any.0.clone()),
    }
}

fn compared(ours: Proportion, theirs: Proportion) -> Versus {
    let fisher = compare::fisher(ours, theirs).map(|test| test.two_sided);
    Versus {
        impact_ratio: impact::impact_ratio(ours, theirs),
        is_below_four_fifths: impact::below_four_fifths(ours, theirs),
        p: fisher.map(|p| p.value),
        log10_p: fisher.map(|p| p.log10),
        p_adjusted: None,
        sd_units: compare::sd_units_hypergeometric(ours, theirs),
        shortfall: impact::shortfall(ours, theirs),
        shortfall_at_80: impact::shortfall_at_80(ours, theirs),
        flips_with_one: flip_one(ours, theirs)["group_would_be_higher"].as_bool(),
    }
}

/// One family: every comparison that is shown.
fn correct_all(jobs: &mut [Job]) {
    let mut all: Vec<&mut Versus> = jobs
        .iter_mut()
        .flat_map(|job| &mut job.tables)
        .flat_map(|table| &mut table.groups)
        .filter_map(|group| group.versus.as_mut())
        .collect();
    let p: Vec<Option<f64>> = all.iter().map(|versus| versus.p).collect();
    for (versus, p) in all.iter_mut().zip(correct::holm(&p)) {
        versus.p_adjusted = p;
    }
}

/// The number of comparisons with a p-value.
pub fn n_family(jobs: &[Job]) -> usize {
    let tables = jobs.iter().flat_map(|job| &job.tables);
    let all = tables.flat_map(|table| &table.groups);
    all.filter(|group| group.versus.is_some_and(|versus| versus.p.is_some()))
        .count()
}

/// The jobs for programs: `job`, `n`, `pending` and `tables` with `stage`, `attr`, `reference` and `groups`.
pub fn json(jobs: &[Job]) -> Value {
    let n_family = n_family(jobs);
    let group = |group: &JobGroup| {
        let mut figures = json!({
            "n": group.share.n(),
            "selected": group.share.k(),
            "rate": number(group.share.value()),
            "share_of_known": number(group.of_all.value()),
        });
        if let Some(versus) = group.versus
            && let Some(figures) = figures.as_object_mut()
        {
            figures.extend([
                ("impact_ratio".to_owned(), number(versus.impact_ratio)),
                (
                    "below_four_fifths".to_owned(),
                    json!(versus.is_below_four_fifths),
                ),
                ("fisher_p".to_owned(), number(versus.p)),
                ("fisher_log10_p".to_owned(), number(versus.log10_p)),
                ("fisher_p_holm".to_owned(), number(versus.p_adjusted)),
                ("n_family".to_owned(), json!(n_family)),
                (
                    "sd_units_hypergeometric".to_owned(),
                    number(versus.sd_units),
                ),
                ("shortfall".to_owned(), number(versus.shortfall)),
                ("shortfall_at_80".to_owned(), number(versus.shortfall_at_80)),
                (
                    "flip_one_group_would_be_higher".to_owned(),
                    json!(versus.flips_with_one),
                ),
            ]);
        }
        (group.name.clone(), figures)
    };
    let table = |table: &JobTable| {
        json!({
            "stage": table.stage,
            "bottom_line": table.is_bottom_line,
            "attr": table.grouping,
            "n_unknown": table.n_unknown,
            "reference": table.reference,
            "higher_but_too_small": table.higher_but_small,
            "groups": table.groups.iter().map(group).collect::<serde_json::Map<_, _>>(),
        })
    };
    let pending = |pending: &Pending| json!({ "passed": pending.passed, "stage": pending.stage, "n": pending.n });
    let job = |job: &Job| {
        json!({
            "job": job.name,
            "n": job.n,
            "pending": job.pending.iter().map(pending).collect::<Vec<_>>(),
            "tables": job.tables.iter().map(table).collect::<Vec<_>>(),
        })
    };
    jobs.iter().map(job).collect()
}

#[cfg(test)]
mod tests;
