//! What drives a gap between two groups: strata, features, proxies.

use alnager_audit::drivers::{self, Asked, is_feature};
use alnager_audit::factor::listed;
use alnager_audit::texts::Texts;
use alnager_probe::Progress;
use serde_json::Value;

use super::rows::{self, Outcome, Rows, mistake};
use crate::error::JobError;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The protected attribute.
    pub attribute: String,
    /// The group compared with.
    pub reference: String,
    /// The group; `None` for the other of two values.
    pub group: Option<String>,
    /// The column of the decision and the value that is good for the person.
    pub decision: Option<(String, String)>,
    /// The column of the score, numbers.
    pub score: Option<String>,
    /// The column of the strata.
    pub strata: Option<String>,
    /// The features.
    pub features: Vec<String>,
    /// Parts the rows, and starts the bootstrap.
    pub seed: u64,
    /// The confidence of intervals.
    pub confidence: f64,
}

/// Reads and computes.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    let mut columns: Vec<&str> = vec![&request.attribute];
    columns.extend(request.features.iter().map(String::as_str));
    columns.extend(request.strata.as_deref());
    columns.extend(request.decision.as_ref().map(|(column, _)| column.as_str()));
    let score: Vec<&str> = request.score.iter().map(String::as_str).collect();
    let rows = rows::read(&request.rows, &columns, &score, progress)?;
    let (attribute, others) = rows.texts.split_first().ok_or_else(mistake)?;
    let (features, others) = others
        .split_at_checked(request.features.len())
        .ok_or_else(mistake)?;
    let mut others = others.iter();
    let strata = request.strata.as_ref().and_then(|_| others.next());
    let decision = request.decision.as_ref().zip(others.next());

    let group = group(&rows, attribute, request)?;
    let of = |name: &str| attribute.position(name);
    let (in_group, in_reference) = (of(&group), of(&request.reference));
    let keep: Vec<bool> = (0..attribute.n_rows())
        .map(|row| {
            attribute.at(row).is_some() && [in_group, in_reference].contains(&attribute.at(row))
        })
        .collect();
    let kept_rows: Vec<usize> = (0..keep.len()).filter(|row| keep[*row]).collect();
    for texts in features {
        if !is_feature(texts) {
            let problem = format!(
                "{} different texts; a feature has numbers, or 2 to 50 texts",
                texts.values().len()
            );
            return Err(rows.wrong("--features", texts.column(), &problem));
        }
    }
    if let Some(strata) = strata {
        rows.check_few(strata)?;
    }
    let favourable = decision.map(|((_, value), texts)| {
        Outcome::new(value, None).check(&rows, "--decision", texts, value)?;
        let good = texts.position(value);
        let of_row = |row: &usize| texts.at(*row).map(|found| Some(found) == good);
        Ok::<_, JobError>(kept_rows.iter().map(of_row).collect::<Vec<Option<bool>>>())
    });
    let favourable = favourable.transpose()?;
    let (name, outcome) = outcome(request, &rows, &kept_rows, favourable.as_deref())?;
    let features: Vec<Texts> = features.iter().map(|texts| texts.kept(&keep)).collect();
    let strata = strata.map(|texts| texts.kept(&keep));
    let is_in = |row: &usize| attribute.at(*row) == in_group;
    let asked = Asked {
        attribute: &request.attribute,
        groups: [&group, &request.reference],
        in_group: &kept_rows.iter().map(is_in).collect::<Vec<bool>>(),
        favourable: favourable.as_deref(),
        outcome: (name, &outcome),
        strata: strata.as_ref(),
        features: &features,
        seed: request.seed,
        confidence: request.confidence,
        n_left_out: (keep.len() - kept_rows.len()) as u64,
    };
    Ok(rows.stamped(drivers::figures(&asked)))
}

/// The outcome that the model explains: the score, or without one whether the decision is favourable.
fn outcome<'r>(
    request: &'r Request,
    rows: &Rows,
    kept_rows: &[usize],
    favourable: Option<&[Option<bool>]>,
) -> Result<(&'r str, Vec<f64>), JobError> {
    match (
        &request.score,
        rows.numbers.first(),
        favourable,
        &request.decision,
    ) {
        (Some(name), Some(scores), _, _) => {
            Ok((name, kept_rows.iter().map(|row| scores[*row]).collect()))
        }
        (None, _, Some(favourable), Some((name, _))) => {
            let number = |yes: &Option<bool>| yes.map_or(f64::NAN, |yes| f64::from(u8::from(yes)));
            Ok((name, favourable.iter().map(number).collect()))
        }
        (_, _, _, _) => Err(mistake()),
    }
}

/// The group beside the reference.
fn group(rows: &Rows, attribute: &Texts, request: &Request) -> Result<String, JobError> {
    rows.check_value("--ref", attribute, &request.reference)?;
    let others: Vec<String> = attribute
        .values()
        .iter()
        .filter(|value| **value != request.reference)
        .cloned()
        .collect();
    match (&request.group, others.as_slice()) {
        (Some(group), _) if *group == request.reference => {
            let problem = format!("`{group}` is the reference; name another group");
            Err(rows.wrong("--group", attribute.column(), &problem))
        }
        (Some(group), _) => {
            rows.check_value("--group", attribute, group)?;
            Ok(group.clone())
        }
        (None, [only]) => Ok(only.clone()),
        (None, others) => {
            let problem = format!(
                "beside `{}` there are {}; name one in --group",
                request.reference,
                listed(others)
            );
            Err(rows.wrong("--group", attribute.column(), &problem))
        }
    }
}
