//! Flips: the same rows put to a model again with one column changed and nothing else.

use std::path::Path;

use alnager_audit::derived::Derived;
use alnager_audit::measures::DataStamp;
use alnager_audit::model::{Input, InputKind, Model};

use crate::asked::{Answers, Asked, AskedColumn};
use crate::asking::{Asker, Which, read_inputs};
use crate::error::ProbeError;
use crate::source::{Progress, Source};

/// A column to change, and the values it takes in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// The column of the data.
    pub column: String,
    /// Its values.
    pub values: Vec<String>,
}

/// What is wanted of the rows of a source.
#[derive(Debug, Clone, Copy)]
pub struct FlipsWanted<'a> {
    /// The model to ask.
    pub model: &'a Model,
    /// What to change, one at a time.
    pub flips: &'a [Flip],
    /// Columns of texts to be read beside the model's inputs.
    pub texts: &'a [&'a str],
    /// The condition a row must meet.
    pub filter: Option<&'a str>,
    /// Derived columns.
    pub derived: &'a [Derived],
    /// Spellings that mean unknown in `texts`, besides the empty cell.
    pub unknown: &'a [String],
}

/// What a model answered to rows as they are and with one column changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Flipped {
    /// What was read and what answered.
    pub data: DataStamp,
    /// Of each wanted column of texts the different texts, and for each row one more than the position of its text, 0 where it is
    /// unknown.
    pub texts: Vec<(Vec<String>, Vec<u32>)>,
    /// The answer of each row as it is.
    pub original: Answers,
    /// Of each flip, by value, the answer of each row with that value; `None` where no input of the model is filled from its column,
    /// so that nothing could change.
    pub flips: Vec<Option<Vec<Answers>>>,
}

/// The inputs that a value changes, and what they become.
type Changes = Vec<(usize, Changed)>;

/// What an input becomes.
#[derive(Debug, Clone, PartialEq)]
enum Changed {
    Number(f64),
    Text(String),
}

/// Asks a model of every row that meets the condition, then of the same rows with each value of each flip. A row that has the value
/// already is not asked again: its answer stands.
///
/// A file of the model is relative to `folder`.
pub fn ask_flipped(
    wanted: &FlipsWanted<'_>,
    source: &Source,
    folder: &Path,
    progress: &dyn Fn(Progress),
) -> Result<Flipped, ProbeError> {
    let model = wanted.model;
    let asker = Asker::open(model, folder)?;
    let mut changes: Vec<Option<Vec<Changes>>> = Vec::with_capacity(wanted.flips.len());
    for flip in wanted.flips {
        let values = flip.values.iter();
        let of_flip: Vec<Changes> = values
            .map(|value| changed(model, wanted.derived, &flip.column, value))
            .collect::<Result<_, _>>()?;
        changes.push(
            of_flip
                .iter()
                .all(|some| !some.is_empty())
                .then_some(of_flip),
        );
    }
    let mut original: Option<Answers> = None;
    let mut flips: Vec<Option<Vec<Option<Answers>>>> = changes
        .iter()
        .map(|flip| flip.as_ref().map(|values| vec![None; values.len()]))
        .collect();
    let mut take = |asked: &Asked, rows: &[u64]| {
        let first = asker.ask(asked, rows, progress)?;
        for (changes, answers) in changes.iter().zip(&mut flips) {
            let (Some(changes), Some(answers)) = (changes, answers) else {
                continue;
            };
            for (changes, answers) in changes.iter().zip(answers) {
                let differ = different(asked, changes);
                let mut all = first.clone();
                if !differ.is_empty() {
                    let numbers: Vec<u64> = differ.iter().map(|row| rows[*row]).collect();
                    let again =
                        asker.ask(&changed_rows(asked, changes, &differ), &numbers, progress)?;
                    all.replace(&differ, again);
                }
                add(answers, all);
            }
        }
        add(&mut original, first);
        Ok(())
    };
    let which = Which {
        filter: wanted.filter,
        derived: wanted.derived,
        unknown: wanted.unknown,
    };
    let n_rows_max = asker.n_rows_max();
    let read = read_inputs(
        model,
        &which,
        wanted.texts,
        source,
        progress,
        n_rows_max,
        &mut take,
    )?;
    read.check(wanted.filter)?;
    let none = || Answers::Numbers(Vec::new());
    let flips = flips.into_iter().map(|flip| {
        let values = flip?.into_iter();
        Some(values.map(|answers| answers.unwrap_or_else(none)).collect())
    });
    Ok(Flipped {
        data: DataStamp {
            model: Some(asker.stamp(model)),
            ..read.data
        },
        texts: read.texts,
        original: original.unwrap_or_else(none),
        flips: flips.collect(),
    })
}

fn add(all: &mut Option<Answers>, more: Answers) {
    match all {
        None => *all = Some(more),
        Some(all) => all.extend(more),
    }
}

/// The inputs filled from a column, itself or by a derived column, and what they are with this value of it.
fn changed(
    model: &Model,
    derived: &[Derived],
    column: &str,
    value: &str,
) -> Result<Changes, ProbeError> {
    let mut changes = Vec::new();
    for (at, input) in model.inputs.iter().enumerate() {
        let by = derived
            .iter()
            .find(|derived| derived.column == input.column);
        let text = match by {
            Some(by) if by.from == column => derived_text(by, value),
            Some(_) => continue,
            None if input.column == column => Some(value.to_owned()),
            None => continue,
        };
        let becomes = text.and_then(|text| of_kind(input, text));
        let becomes = becomes.ok_or_else(|| ProbeError::FlipValue {
            column: column.to_owned(),
            value: crate::error::shown(value),
            input: input.name.clone(),
        })?;
        changes.push((at, becomes));
    }
    Ok(changes)
}

/// What a derived column makes of a value; `None` where it asks for a number and the value is none.
fn derived_text(derived: &Derived, value: &str) -> Option<String> {
    if !derived.reads_number() {
        return Some(derived.label(value).unwrap_or(value).to_owned());
    }
    let number: f64 = value.trim().parse().ok()?;
    let (cuts, mut names) = derived.ranges();
    let at = cuts.iter().filter(|cut| **cut <= number).count();
    (at < names.len() && number.is_finite()).then(|| names.swap_remove(at))
}

fn of_kind(input: &Input, text: String) -> Option<Changed> {
    match input.kind {
        InputKind::Text => Some(Changed::Text(text)),
        InputKind::Number => {
            let number: f64 = text.trim().parse().ok()?;
            number.is_finite().then_some(Changed::Number(number))
        }
    }
}

/// The rows, by position, that differ from what they would be with these changes.
fn different(asked: &Asked, changes: &Changes) -> Vec<usize> {
    let is_as = |row: usize, (at, becomes): &(usize, Changed)| match (&asked.columns[*at], becomes)
    {
        (AskedColumn::Numbers(numbers), Changed::Number(number)) => numbers[row] == *number,
        (AskedColumn::Texts(texts, codes), Changed::Text(text)) => {
            match (codes[row] as usize).checked_sub(1) {
                Some(at) => texts[at] == *text,
                None => text.is_empty(),
            }
        }
        (AskedColumn::Numbers(_), Changed::Text(_))
        | (AskedColumn::Texts(..), Changed::Number(_)) => false,
    };
    (0..asked.n_rows)
        .filter(|row| !changes.iter().all(|change| is_as(*row, change)))
        .collect()
}

/// These rows with the changes made.
fn changed_rows(asked: &Asked, changes: &Changes, rows: &[usize]) -> Asked {
    let columns = asked.columns.iter().enumerate().map(|(at, column)| {
        let change = changes.iter().find(|(changed, _)| *changed == at);
        match (change.map(|(_, becomes)| becomes), column) {
            (Some(Changed::Number(number)), _) => AskedColumn::Numbers(vec![*number; rows.len()]),
            (Some(Changed::Text(text)), _) => {
                let code = u32::from(!text.is_empty());
                AskedColumn::Texts(vec![text.clone()], vec![code; rows.len()])
            }
            (None, AskedColumn::Numbers(numbers)) => {
                AskedColumn::Numbers(rows.iter().map(|row| numbers[*row]).collect())
            }
            (None, AskedColumn::Texts(texts, codes)) => {
                let codes = rows.iter().map(|row| codes[*row]).collect();
                AskedColumn::Texts(texts.clone(), codes)
            }
        }
    });
    Asked {
        n_rows: rows.len(),
        columns: columns.collect(),
    }
}

#[cfg(test)]
mod tests;
