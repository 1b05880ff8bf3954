//! Drift between a baseline and later rows, in one file by period or in two files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alnager_audit::drift::{self, Attribute, Column, Decisions, Settings, Tally, Watched};
use alnager_audit::texts::Texts;
use alnager_probe::{Progress, Unit};
use serde_json::{Value, json};

use super::rows::{self, Outcome, Rows, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The rows of the baseline, or, without `current`, all rows.
    pub rows: rows::Request,
    /// The later rows, where they lie elsewhere.
    pub current: Option<PathBuf>,
    /// The column that says when; required without `current`.
    pub period: Option<String>,
    /// The periods that make the baseline where all rows are in one place; empty for the first one.
    pub baseline: Vec<String>,
    /// Columns whose distribution is watched; numbers where every text is one.
    pub features: Vec<String>,
    /// Of them, those that are categories although they read as numbers.
    pub as_category: Vec<String>,
    /// A column of scores, watched like a feature of numbers.
    pub score: Option<String>,
    /// The column of decisions and its favourable value.
    pub decision: Option<(String, String)>,
    /// The value of the decision that counts as 1, where it is not plain from the favourable one.
    pub positive: Option<String>,
    /// The column of the label and the value that counts as 1.
    pub label: Option<(String, String)>,
    /// Protected attributes, each with its reference group where one is declared.
    pub attributes: Vec<(String, Option<String>)>,
    /// Levels and sizes.
    pub settings: Settings,
}

/// A column of categories with more values than this is an identifier or a number in disguise.
const CATEGORIES_MAX: usize = 1_000;

/// Everything read of one source.
struct Source {
    rows: Rows,
    features: Vec<Texts>,
    decision: Option<Texts>,
    label: Option<Texts>,
    attributes: Vec<Texts>,
    period: Option<Texts>,
    scores: Option<Vec<f64>>,
}

/// Reads, computes and watches.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let first = read(request, &request.rows, request.current.is_none(), progress)?;
    let later = match &request.current {
        Some(path) => {
            let rows = rows::Request {
                data: path.clone(),
                ..request.rows.clone()
            };
            Some(read(request, &rows, true, progress)?)
        }
        None => None,
    };
    let parted = match &later {
        Some(later) => apart(&first, later, request)?,
        None => within(&first, request)?,
    };
    let watched = watched(&parted, request)?;
    let figures = drift::figures(&watched, request.settings, &|done, total| {
        progress(Progress {
            done: done as u64,
            total: total as u64,
            unit: Unit::Steps,
        });
    });
    let mut stamped = first.rows.stamped(json!({
        "current": later.as_ref().map(|later| later.rows.stamped(json!({}))),
        "baseline": parted.baseline,
        "period_column": request.period,
        "period_order": parted.order,
        "rows_without_period": parted.n_without,
        "decision": request.decision.as_ref().map(|(column, favourable)| json!({"column": column, "favorable": favourable})),
        "label": request.label.as_ref().map(|(column, positive)| json!({"column": column, "positive": positive})),
        "attrs": watched.decisions.as_ref().map(|decisions| {
            let references = decisions.attributes.iter().map(|attribute| {
                let reference = drift::reference_of(attribute, request.settings.min_group);
                (attribute.name.clone(), json!({"reference": reference, "chosen_by_baseline": attribute.reference.is_none()}))
            });
            Value::Object(references.collect())
        }),
    }));
    if let (Some(stamped), Value::Object(figures)) = (stamped.as_object_mut(), figures) {
        stamped.extend(figures);
    }
    Ok(stamped)
}

fn read(
    request: &Request,
    rows: &rows::Request,
    has_period: bool,
    progress: &dyn Fn(Progress),
) -> Result<Source, JobError> {
    let mut columns: Vec<&str> = request.features.iter().map(String::as_str).collect();
    columns.extend(request.decision.iter().map(|(column, _)| column.as_str()));
    columns.extend(request.label.iter().map(|(column, _)| column.as_str()));
    columns.extend(request.attributes.iter().map(|(column, _)| column.as_str()));
    let period = request.period.as_deref().filter(|_| has_period);
    columns.extend(period);
    let numbers: Vec<&str> = request.score.iter().map(String::as_str).collect();
    let mut rows = rows::read(rows, &columns, &numbers, progress)?;
    if rows.data.n_counted() == 0 {
        return Err(JobError::Input(format!(
            "{}: no row is left to compare; check --where",
            rows.data.name
        )));
    }
    let mut texts = std::mem::take(&mut rows.texts).into_iter();
    let features = texts.by_ref().take(request.features.len()).collect();
    let decision = request.decision.as_ref().and_then(|_| texts.next());
    let label = request.label.as_ref().and_then(|_| texts.next());
    let attributes: Vec<Texts> = texts.by_ref().take(request.attributes.len()).collect();
    let period = period.and_then(|_| texts.next());
    let scores = std::mem::take(&mut rows.numbers).into_iter().next();
    let source = Source {
        rows,
        features,
        decision,
        label,
        attributes,
        period,
        scores,
    };
    source.check(request)?;
    Ok(source)
}

impl Source {
    fn check(&self, request: &Request) -> Result<(), JobError> {
        for groups in &self.attributes {
            self.rows.check_few(groups)?;
        }
        if let (Some(decision), Some((_, favourable))) = (&self.decision, &request.decision) {
            self.rows.check_two("--decision", decision)?;
            // A period without a favourable decision is possible; a misspelt value in both places is caught by the caller.
            self.rows.check_few(decision)?;
            if request.current.is_none() {
                self.rows.check_value("--favorable", decision, favourable)?;
            }
        }
        if let Some(label) = &self.label {
            self.rows.check_two("--label", label)?;
        }
        Ok(())
    }
}

/// The rows of each part: of the baseline and of every period, as (source, rows).
struct Parted<'a> {
    sources: Vec<&'a Source>,
    /// For each part the source and the rows of it.
    parts: Vec<(usize, Vec<usize>)>,
    periods: Vec<String>,
    baseline: Vec<String>,
    order: &'static str,
    n_without: u64,
}

/// Two sources: the whole first one is the baseline.
fn apart<'a>(
    first: &'a Source,
    later: &'a Source,
    request: &Request,
) -> Result<Parted<'a>, JobError> {
    let n_rows = |source: &Source| source.rows.data.n_counted() as usize;
    let mut parts = vec![(0, (0..n_rows(first)).collect())];
    let (periods, order, n_without) = match &later.period {
        Some(texts) => {
            later.rows.check_few(texts)?;
            let (names, order) = ordered(texts);
            let (by, n_without) = by_period(texts, &names);
            parts.extend(by.into_iter().map(|rows| (1, rows)));
            (names, order, n_without)
        }
        None => {
            parts.push((1, (0..n_rows(later)).collect()));
            (vec![later.rows.data.name.clone()], "one period", 0)
        }
    };
    if let (Some((_, favourable)), Some(one), Some(other)) =
        (&request.decision, &first.decision, &later.decision)
        && one.position(favourable).is_none()
        && other.position(favourable).is_none()
    {
        first.rows.check_value("--favorable", one, favourable)?;
    }
    Ok(Parted {
        sources: vec![first, later],
        parts,
        periods,
        baseline: vec![first.rows.data.name.clone()],
        order,
        n_without,
    })
}

/// One source: the baseline is among its periods.
fn within<'a>(source: &'a Source, request: &Request) -> Result<Parted<'a>, JobError> {
    let texts = source.period.as_ref().ok_or_else(mistake)?;
    source.rows.check_few(texts)?;
    let (names, order) = ordered(texts);
    for name in &request.baseline {
        source.rows.check_value("--baseline", texts, name)?;
    }
    let is_baseline = |name: &String| match request.baseline.as_slice() {
        [] => Some(name) == names.first(),
        named => named.contains(name),
    };
    let (by, n_without) = by_period(texts, &names);
    let mut baseline: (Vec<String>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut periods, mut parts) = (Vec::new(), Vec::new());
    for (name, rows) in names.iter().zip(by) {
        if is_baseline(name) {
            baseline.0.push(name.clone());
            baseline.1.extend(rows);
        } else {
            periods.push(name.clone());
            parts.push((0, rows));
        }
    }
    if periods.is_empty() {
        let problem = "every period belongs to the baseline; nothing is left to compare with it";
        return Err(source.rows.wrong("--period", texts.column(), problem));
    }
    parts.insert(0, (0, baseline.1));
    Ok(Parted {
        sources: vec![source],
        parts,
        periods,
        baseline: baseline.0,
        order,
        n_without,
    })
}

/// The periods in order: as numbers where all are numbers, else as texts, as which dates like 2025-07 sort rightly.
fn ordered(texts: &Texts) -> (Vec<String>, &'static str) {
    let mut names = texts.values().to_vec();
    let number = |text: &String| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|number| !number.is_nan())
    };
    if names.iter().all(|name| number(name).is_some()) {
        let key = |name: &String| number(name).unwrap_or(f64::NAN);
        names.sort_by(|one, other| key(one).total_cmp(&key(other)));
        (names, "as numbers")
    } else {
        (names, "as texts")
    }
}

fn by_period(texts: &Texts, names: &[String]) -> (Vec<Vec<usize>>, u64) {
    let places: Vec<usize> = texts
        .values()
        .iter()
        .map(|value| names.iter().position(|name| name == value).unwrap_or(0))
        .collect();
    let (mut by, mut n_without) = (vec![Vec::new(); names.len()], 0);
    for row in 0..texts.n_rows() {
        match texts.at(row) {
            Some(at) => by[places[at]].push(row),
            None => n_without += 1,
        }
    }
    (by, n_without)
}

fn watched(parted: &Parted<'_>, request: &Request) -> Result<Watched, JobError> {
    let mut columns = Vec::new();
    if let Some(name) = &request.score {
        let mut values = Vec::new();
        for (source, rows) in &parted.parts {
            let scores = parted.sources[*source]
                .scores
                .as_ref()
                .ok_or_else(mistake)?;
            values.push(rows.iter().map(|row| scores[*row]).collect());
        }
        columns.push((name.clone(), Column::Numbers(values)));
    }
    for (at, name) in request.features.iter().enumerate() {
        columns.push((name.clone(), feature(parted, at, name, request)?));
    }
    Ok(Watched {
        periods: parted.periods.clone(),
        columns,
        decisions: decisions(parted, request),
    })
}

fn feature(
    parted: &Parted<'_>,
    at: usize,
    name: &String,
    request: &Request,
) -> Result<Column, JobError> {
    let texts: Vec<&Texts> = parted
        .sources
        .iter()
        .filter_map(|source| source.features.get(at))
        .collect();
    let numbers: Option<Vec<Vec<f64>>> = texts.iter().map(|texts| texts.numbers()).collect();
    if let (Some(numbers), false) = (numbers, request.as_category.contains(name)) {
        let of = |(source, rows): &(usize, Vec<usize>)| {
            rows.iter().map(|row| numbers[*source][*row]).collect()
        };
        return Ok(Column::Numbers(parted.parts.iter().map(of).collect()));
    }
    for (texts, source) in texts.iter().zip(&parted.sources) {
        if texts.values().len() > CATEGORIES_MAX {
            let problem = format!(
                "{} different texts are too many for categories; leave it out, or put it into bins with --derive",
                texts.values().len()
            );
            return Err(source.rows.wrong("--features", name, &problem));
        }
    }
    let of = |(source, rows): &(usize, Vec<usize>)| {
        let (mut counts, mut n_missing) = (BTreeMap::new(), 0);
        for row in rows {
            match texts[*source].at(*row) {
                Some(at) => {
                    let text = texts[*source].values()[at].clone();
                    *counts.entry(text).or_insert(0) += 1;
                }
                None => n_missing += 1,
            }
        }
        (counts, n_missing)
    };
    Ok(Column::Texts(parted.parts.iter().map(of).collect()))
}

fn decisions(parted: &Parted<'_>, request: &Request) -> Option<Decisions> {
    let (_, favourable) = request.decision.as_ref()?;
    let outcome = Outcome::new(favourable, request.positive.as_deref());
    let n_parts = parted.parts.len();
    let mut all = vec![Tally::default(); n_parts];
    let mut groups: Vec<BTreeMap<String, Vec<Tally>>> =
        vec![BTreeMap::new(); request.attributes.len()];
    for (part, (source, rows)) in parted.parts.iter().enumerate() {
        let source = parted.sources[*source];
        let decision = source.decision.as_ref()?;
        for row in rows {
            let Some(decided) = decision.at(*row) else {
                continue;
            };
            let decided = &decision.values()[decided];
            let is_wrong = request.label.as_ref().zip(source.label.as_ref());
            let is_wrong = is_wrong.and_then(|((_, positive), label)| {
                let labelled = &label.values()[label.at(*row)?];
                Some((*decided == outcome.event) != (labelled == positive))
            });
            let is_favourable = decided == favourable;
            all[part].add(is_favourable, is_wrong);
            for (groups, texts) in groups.iter_mut().zip(&source.attributes) {
                if let Some(group) = texts.at(*row) {
                    let name = &texts.values()[group];
                    if !groups.contains_key(name) {
                        groups.insert(name.clone(), vec![Tally::default(); n_parts]);
                    }
                    if let Some(tallies) = groups.get_mut(name) {
                        tallies[part].add(is_favourable, is_wrong);
                    }
                }
            }
        }
    }
    let attributes = request.attributes.iter().zip(groups);
    let attributes = attributes.map(|((name, reference), groups)| Attribute {
        name: name.clone(),
        reference: reference.clone(),
        groups,
    });
    Some(Decisions {
        all,
        attributes: attributes.collect(),
    })
}
