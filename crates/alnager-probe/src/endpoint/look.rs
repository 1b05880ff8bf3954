//! Asking the canary rows again, and keeping every round.

use std::path::Path;
use std::sync::atomic::Ordering;

use alnager_audit::canary::{Answer, Look};
use alnager_audit::measures::DataStamp;
use alnager_audit::model::{Endpoint, Input, InputKind};
use jiff::Timestamp;
use serde_json::json;

use super::client::Client;
use super::protocol::Form;
use super::{AskSettings, Ended, KeptProblem, Reason, columns, describe, is_number, put_rows};
use crate::asked::{Asked, AskedColumn};
use crate::error::ProbeError;
use crate::lines::Lines;
use crate::rows::{Rows, Wanted, WantedKind, read_rows};
use crate::source::{Progress, Source, Unit};

/// What the first line of a record of canary rounds is called.
pub const CANARIES_SCHEMA: &str = "alnager.canaries/1";

/// What a look asks about, and where it is kept.
#[derive(Debug, Clone)]
pub struct LookRequest<'a> {
    /// Which rows count, and what means unknown; its columns are set by the inputs.
    pub wanted: Wanted,
    /// The rows, of which the first with different inputs are the canaries.
    pub source: &'a Source,
    /// The record that the look is added to.
    pub record: &'a Path,
    /// How often the canary rows are asked, from 1.
    pub n_rounds: usize,
}

/// Asks the canary rows of a source some rounds and adds a look to the record; gives all looks, this one last.
///
/// The record is made where it is not there, and refused where it belongs to another endpoint or other canary rows. Nothing is added
/// where the endpoint gave no whole look.
pub fn look(
    endpoint: &Endpoint,
    inputs: &[Input],
    request: LookRequest<'_>,
    settings: &AskSettings<'_>,
    progress: &dyn Fn(Progress),
) -> Result<Vec<Look>, ProbeError> {
    let LookRequest {
        wanted,
        source,
        record,
        n_rounds,
    } = request;
    let (asked, _) = read(inputs, wanted, source, progress)?;
    let (mut canaries, _) = asked.distinct();
    canaries.truncate(endpoint.canaries);
    let wrong = |problem| ProbeError::Endpoint {
        url: endpoint.url.clone(),
        problem: Box::new(problem),
    };
    let kept = |problem| ProbeError::Kept {
        file: record.display().to_string(),
        problem: Box::new(problem),
    };
    let head = json!({
        "schema": CANARIES_SCHEMA,
        "url": endpoint.url,
        "protocol": endpoint.protocol,
        "columns": columns(inputs),
        "inputs": asked.sha256(inputs, canaries.iter().copied()),
        "n_canaries": canaries.len(),
    });
    let mut form = Form::new(endpoint, inputs).map_err(wrong)?;
    if canaries.is_empty() {
        return Err(wrong(super::EndpointProblem::NoCanaries));
    }
    let (mut lines, found) = Lines::open(record, CANARIES_SCHEMA, &head).map_err(kept)?;
    let mut looks = Vec::with_capacity(found.len() + 1);
    for (at, line) in found.into_iter().enumerate() {
        let line = serde_json::from_value(line).map_err(|error| error.to_string());
        let line = line.and_then(|look: Look| match look.n_rows() == Some(canaries.len()) {
            true => Ok(look),
            false => Err("a round has another number of canary rows".to_owned()),
        });
        let damaged = |why| kept(KeptProblem::Damaged { line: at + 2, why });
        looks.push(line.map_err(damaged)?);
    }
    let client = Client::new(endpoint, settings).map_err(wrong)?;
    let mut rounds: Vec<Vec<Answer>> = Vec::with_capacity(n_rounds);
    let tell = |n_rounds_asked: usize| {
        progress(Progress {
            done: (n_rounds_asked * canaries.len()) as u64,
            total: (n_rounds * canaries.len()) as u64,
            unit: Unit::Answers,
        });
    };
    let asked = ask_rounds(&mut form, &client, &asked, &canaries, n_rounds, |round| {
        rounds.push(round);
        tell(rounds.len());
    });
    let version = match asked {
        Ok(version) => version,
        Err(Ended::Problem(problem)) => return Err(wrong(problem)),
        Err(Ended::Kept(problem)) => return Err(kept(problem)),
        Err(Ended::Reason(reason)) => {
            return Err(ProbeError::Inconclusive {
                url: endpoint.url.clone(),
                n_answered: rounds.len() * canaries.len(),
                n_rows: n_rounds * canaries.len(),
                kept: None,
                reason: Box::new(reason),
            });
        }
    };
    let now = Timestamp::now();
    let look = Look {
        // To the second; a look takes longer.
        at: Timestamp::from_second(now.as_second()).unwrap_or(now),
        version,
        n_requests: client.n_requests.load(Ordering::Relaxed),
        rounds,
    };
    lines
        .append(&json!(look))
        .map_err(|error| kept(KeptProblem::Io(error)))?;
    looks.push(look);
    Ok(looks)
}

/// Asks all rounds; gives the version that every answer stated.
fn ask_rounds(
    form: &mut Form<'_>,
    client: &Client<'_>,
    asked: &Asked,
    canaries: &[usize],
    n_rounds: usize,
    mut take: impl FnMut(Vec<Answer>),
) -> Result<Option<String>, Ended> {
    describe(form, client)?;
    let mut version: Option<Option<String>> = None;
    let mut kind = None;
    for _ in 0..n_rounds {
        let mut round = Vec::with_capacity(canaries.len());
        for said in put_rows(form, client, asked, canaries)? {
            let first = version.get_or_insert_with(|| said.version.clone());
            if *first != said.version {
                let words = |version: &Option<String>| match version {
                    None => "none stated".to_owned(),
                    Some(version) => format!("`{}`", crate::error::shown(version)),
                };
                return Err(Ended::Reason(Reason::VersionBetween {
                    one: words(first),
                    other: words(&said.version),
                }));
            }
            round.extend(said.answers);
        }
        let first = *kind.get_or_insert_with(|| round.first().is_some_and(is_number));
        if round.iter().any(|answer| is_number(answer) != first) {
            let why = "some answers are numbers and some are texts".to_owned();
            return Err(Ended::Reason(Reason::Malformed { why }));
        }
        take(round);
    }
    Ok(version.flatten())
}

/// Reads the inputs of all rows.
pub(super) fn read(
    inputs: &[Input],
    wanted: Wanted,
    source: &Source,
    progress: &dyn Fn(Progress),
) -> Result<(Asked, DataStamp), ProbeError> {
    let columns = inputs.iter().map(|input| {
        let kind = match input.kind {
            InputKind::Number => WantedKind::Number,
            InputKind::Text => WantedKind::Text,
        };
        (input.column.clone(), kind)
    });
    let wanted = Wanted {
        columns: columns.collect(),
        ..wanted
    };
    let Rows {
        numbers,
        texts,
        data,
    } = read_rows(&wanted, source, progress)?;
    let (mut numbers, mut texts) = (numbers.into_iter(), texts.into_iter());
    let columns = inputs.iter().map(|input| match input.kind {
        InputKind::Number => AskedColumn::Numbers(numbers.next().unwrap_or_default()),
        InputKind::Text => {
            let (met, codes) = texts.next().unwrap_or_default();
            AskedColumn::Texts(met, codes)
        }
    });
    let asked = Asked {
        columns: columns.collect(),
        n_rows: data.n_counted() as usize,
    };
    Ok((asked, data))
}
