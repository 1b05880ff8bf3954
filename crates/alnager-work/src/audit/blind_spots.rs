//! Blind spots: subgroups whose decisions differ most, combinations the data hardly know, and what is missing of whom.

use std::path::Path;

use alnager_audit::blind_spots::{self, Asked, Measure};
use alnager_audit::declared::GROUPS_MAX;
use alnager_audit::missingness::{Fate, Presence};
use alnager_audit::slices::{self, Feature, Side};
use alnager_audit::texts::Texts;
use alnager_probe::{Progress, Unit, column_names};
use serde_json::Value;

use super::rows::{self, Outcome, Rows, mistake};
use crate::error::JobError;
use crate::source;

/// Numbers with at most this many different values are levels as they are; others become ranges.
const LEVELS_MAX: usize = 10;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// What is measured.
    pub measure: Measure,
    /// The column of the decision, the value that is good for the person, and the value that is positive where that is named.
    pub decision: Option<(String, String, Option<String>)>,
    /// The column of the label and the value that is positive.
    pub label: Option<(String, String)>,
    /// The column of the score.
    pub score: Option<String>,
    /// The protected attributes; features as well.
    pub attributes: Vec<String>,
    /// The features; `None` for every other column that can be one.
    pub features: Option<Vec<String>>,
    /// Columns that are never features unless named: what the decision is made from.
    pub behind: Vec<String>,
    /// The most features of a subgroup.
    pub depth: usize,
    /// The rows that make a subgroup worth a look and a combination covered.
    pub rows_min: u64,
    /// The ranges a column of numbers is parted into.
    pub n_bins: usize,
    /// The most subgroups carried over to the held-out half.
    pub tested_max: usize,
    /// Parts the rows.
    pub seed: u64,
    /// Which differences are looked for; `None` for those that are worse for people.
    pub side: Option<Side>,
    /// 1 less the chance of a false alarm.
    pub confidence: f64,
}

/// Reads, searches and confirms.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let mut not_used: Vec<(String, String)> = Vec::new();
    let names = feature_names(request, &mut not_used)?;
    let outcome = outcome_names(request);
    let mut columns: Vec<&str> = names.iter().map(String::as_str).collect();
    columns.extend(&outcome);
    let score: Vec<&str> = request.score.iter().map(String::as_str).collect();
    let rows = rows::read(&request.rows, &columns, &score, progress)?;
    let (texts, outcome) = rows
        .texts
        .split_at_checked(names.len())
        .ok_or_else(mistake)?;

    let features = features(&rows, request, texts, &mut not_used)?;
    let attributes = attributes(request, &features)?;
    let fates = fates(&rows, request, outcome)?;
    let known: Vec<Option<bool>> = fates.iter().map(known).collect();
    let measured = match (request.measure, rows.numbers.first()) {
        (Measure::Score, Some(scores)) => slices::Outcome::Mean(scores),
        (Measure::Score, None) => return Err(mistake()),
        (Measure::Error | Measure::Selection | Measure::Fpr | Measure::Fnr, _) => {
            slices::Outcome::Rate(&known)
        }
    };
    let asked = Asked {
        measure: request.measure,
        slices: slices::Asked {
            outcome: measured,
            features: &features,
            depth: request.depth,
            rows_min: request.rows_min,
            tested_max: request.tested_max,
            seed: request.seed,
            side: request.side.unwrap_or(request.measure.worse()),
            confidence: request.confidence,
        },
        not_used: &not_used,
        attributes: &attributes,
        rows_min: request.rows_min,
        presences: &presences(&rows, request),
        fates: if request.measure == Measure::Score {
            &[]
        } else {
            &fates
        },
    };
    let n_rows = rows.data.n_counted();
    let tell = |done: u64, total: u64| {
        progress(Progress {
            done: (n_rows as f64 * done as f64 / total.max(1) as f64) as u64,
            total: n_rows,
            unit: Unit::Rows,
        });
    };
    let figures = blind_spots::figures(&asked, &tell)
        .map_err(|error| JobError::Input(format!("--attr: {}: {error}", rows.data.name)))?;
    Ok(rows.stamped(figures.ok_or_else(mistake)?))
}

/// The columns that can be features; why the others cannot.
fn features(
    rows: &Rows,
    request: &Request,
    texts: &[Texts],
    not_used: &mut Vec<(String, String)>,
) -> Result<Vec<Feature>, JobError> {
    let mut features = Vec::new();
    for texts in texts {
        match feature(rows, request, texts)? {
            Ok(feature) => features.push(feature),
            Err(why) => not_used.push((texts.column().to_owned(), why)),
        }
    }
    Ok(features)
}

/// The attributes as texts, ranges for numbers; each is a feature.
fn attributes(request: &Request, features: &[Feature]) -> Result<Vec<Texts>, JobError> {
    let attributes = request.attributes.iter().map(|name| {
        let feature = features.iter().find(|feature| feature.name == *name);
        feature.and_then(blind_spots::texts).ok_or_else(mistake)
    });
    attributes.collect()
}

/// Whether a row is a success; `None` where it does not count, or nobody knows.
fn known(fate: &Fate) -> Option<bool> {
    match fate {
        Fate::Known(yes) => Some(*yes),
        Fate::Either | Fate::SuccessOrOut | Fate::FailureOrOut | Fate::Out => None,
    }
}

/// The columns of the outcome.
fn outcome_names(request: &Request) -> Vec<&str> {
    let decision = request
        .decision
        .iter()
        .map(|(column, _, _)| column.as_str());
    let label = request.label.iter().map(|(column, _)| column.as_str());
    decision.chain(label).collect()
}

/// The attributes first, then the other columns that may be features.
fn feature_names(
    request: &Request,
    not_used: &mut Vec<(String, String)>,
) -> Result<Vec<String>, JobError> {
    let mut names = request.attributes.clone();
    let others = match &request.features {
        Some(features) => features.clone(),
        None => {
            rows::no_database(&request.rows)?;
            let local = source::local(Path::new(""), &request.rows.data, None, &|_| {})?;
            let derived = &request.rows.derived;
            let mut others = column_names(local.source())?;
            others.extend(derived.iter().map(|derived| derived.column.clone()));
            let mut outcome = outcome_names(request);
            outcome.extend(request.score.iter().map(String::as_str));
            outcome.extend(request.behind.iter().map(String::as_str));
            others.retain(|name| !outcome.contains(&name.as_str()));
            others
        }
    };
    for name in others {
        if name.contains('*') || name.is_empty() {
            not_used.push((
                name,
                "its name is empty or has a `*`, which joins columns".to_owned(),
            ));
        } else if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// A column as a feature, or why it is none; an error where it was asked for by name.
fn feature(
    rows: &Rows,
    request: &Request,
    texts: &Texts,
) -> Result<Result<Feature, String>, JobError> {
    let name = texts.column();
    let is_attribute = request.attributes.iter().any(|attribute| attribute == name);
    let is_named = is_attribute || request.features.is_some();
    let n_values = texts.values().len();
    let numbers = texts.numbers().filter(|_| n_values > LEVELS_MAX);
    let why_not = match &numbers {
        _ if n_values == 0 => Some("no row has a value".to_owned()),
        _ if n_values == 1 && texts.n_rows() as u64 == texts.n_by_value().iter().sum::<u64>() => {
            Some("every row has the same value".to_owned())
        }
        Some(numbers) if !is_named && are_row_numbers(numbers) => {
            Some("a different whole number in every row, most likely a row's name".to_owned())
        }
        None if n_values > GROUPS_MAX => Some(format!(
            "{n_values} different texts; put them into groups with --derive"
        )),
        Some(_) | None => None,
    };
    match why_not {
        Some(why) if is_named => {
            let flag = if is_attribute { "--attr" } else { "--features" };
            Err(rows.wrong(flag, name, &why))
        }
        Some(why) => Ok(Err(why)),
        None => Ok(Ok(match numbers {
            Some(numbers) => Feature::bins(
                name,
                &numbers,
                request.seed,
                request.n_bins,
                request.rows_min.div_ceil(2),
            ),
            None => Feature::categories(texts).ok_or_else(mistake)?,
        })),
    }
}

/// Whole numbers, another in every row.
fn are_row_numbers(numbers: &[f64]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.iter().all(|number| number.fract() == 0.0)
        && sorted.windows(2).all(|pair| pair[0] < pair[1])
}

/// How each row came out.
fn fates(rows: &Rows, request: &Request, outcome: &[Texts]) -> Result<Vec<Fate>, JobError> {
    let n_rows = rows.data.n_counted() as usize;
    let mut outcome = outcome.iter();
    let mut is_favourable = true;
    let mut decisions = vec![None; n_rows];
    let mut labels = vec![None; n_rows];
    if let Some((_, favourable, positive)) = &request.decision {
        let texts = outcome.next().ok_or_else(mistake)?;
        let modelled = Outcome::new(favourable, positive.as_deref());
        modelled.check(rows, "--decision", texts, favourable)?;
        is_favourable = modelled.is_favourable;
        decisions = is_value(texts, &modelled.event);
    }
    if let Some((_, positive)) = &request.label {
        let texts = outcome.next().ok_or_else(mistake)?;
        rows.check_two("--label", texts)?;
        rows.check_value("--label-positive", texts, positive)?;
        labels = is_value(texts, positive);
    }
    let rows = decisions.into_iter().zip(labels);
    Ok(rows
        .map(|(decision, label)| request.measure.fate(decision, label, is_favourable))
        .collect())
}

fn is_value(texts: &Texts, value: &str) -> Vec<Option<bool>> {
    let at = texts.position(value);
    (0..texts.n_rows())
        .map(|row| texts.at(row).map(|found| Some(found) == at))
        .collect()
}

/// Which rows of each column read have a value.
fn presences(rows: &Rows, request: &Request) -> Vec<Presence> {
    let texts = rows.texts.iter().map(|texts| Presence {
        column: texts.column().to_owned(),
        is_known: (0..texts.n_rows())
            .map(|row| texts.at(row).is_some())
            .collect(),
    });
    let scores = request
        .score
        .iter()
        .zip(&rows.numbers)
        .map(|(name, numbers)| Presence {
            column: name.clone(),
            is_known: numbers.iter().map(|number| !number.is_nan()).collect(),
        });
    texts.chain(scores).collect()
}
