//! Flips: a column of each row is changed, the model is asked again, and the decisions are compared.

use std::path::PathBuf;

use alnager_audit::declared::{Decision, DecisionBy};
use alnager_audit::factor::listed;
use alnager_audit::flips::{self, Outcomes};
use alnager_audit::model::Model;
use alnager_audit::texts::Texts;
use alnager_probe::{Answers, Flip, FlipsWanted, Progress, Source, ask_flipped};
use serde_json::{Value, json};

use super::rows::{self, Rows, mistake};
use crate::error::JobError;

/// The most values of one flip: each pair of them is compared.
pub const VALUES_MAX: usize = 20;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which rows.
    pub rows: rows::Request,
    /// The model that is asked.
    pub model: Model,
    /// The folder that the model's files are relative to.
    pub folder: PathBuf,
    /// How its answer is a decision.
    pub decision: Decision,
    /// What is changed, one column at a time.
    pub flips: Vec<Flip>,
    /// The columns by which rows are told apart.
    pub groups: Vec<String>,
    /// The confidence of intervals.
    pub confidence: f64,
}

/// Asks the model and compares.
pub fn examine(request: &Request, progress: &dyn Fn(Progress)) -> Result<Value, JobError> {
    check(request)?;
    let groups: Vec<&str> = request.groups.iter().map(String::as_str).collect();
    let wanted = FlipsWanted {
        model: &request.model,
        flips: &request.flips,
        texts: &groups,
        filter: request.rows.filter.as_deref(),
        derived: &request.rows.derived,
        unknown: &request.rows.unknown,
    };
    let source = Source::Files {
        path: request.rows.data.clone(),
    };
    let flipped = ask_flipped(&wanted, &source, &request.folder, progress)?;
    let texts = request.groups.iter().zip(flipped.texts);
    let texts: Vec<Texts> = texts
        .map(|(column, (met, codes))| Texts::new(column, met, codes))
        .collect::<Option<_>>()
        .ok_or_else(mistake)?;
    let rows = Rows {
        texts,
        numbers: Vec::new(),
        data: flipped.data,
    };
    for texts in &rows.texts {
        rows.check_few(texts)?;
    }
    check_answers(request, &flipped.original, &flipped.flips)?;
    let of_flip = |(flip, answers): (&Flip, &Option<Vec<Answers>>)| flips::Flip {
        column: flip.column.clone(),
        values: flip.values.clone(),
        outcomes: answers.as_ref().map(|answers| {
            let outcomes = answers
                .iter()
                .map(|answers| outcomes(&request.decision, answers));
            outcomes.collect()
        }),
    };
    let compared: Vec<flips::Flip> = request
        .flips
        .iter()
        .zip(&flipped.flips)
        .map(of_flip)
        .collect();
    let asked = flips::Asked {
        flips: &compared,
        groups: &rows.texts,
        confidence: request.confidence,
    };
    let figures = flips::figures(&asked).ok_or_else(mistake)?;
    let mut all = json!({
        "model": rows.data.model,
        "decision": decision_words(&request.decision),
        "favourable": request.decision.favourable_name,
    });
    if let (Some(all), Value::Object(figures)) = (all.as_object_mut(), figures) {
        all.extend(figures);
    }
    Ok(rows.stamped(all))
}

/// What does not go together, said before anything is asked.
fn check(request: &Request) -> Result<(), JobError> {
    let wrong = |problem: String| Err(JobError::Input(format!("--flip: {problem}")));
    if request.flips.is_empty() {
        return wrong("names nothing to change; write sex=Male,Female".to_owned());
    }
    for (at, flip) in request.flips.iter().enumerate() {
        let column = &flip.column;
        if request.flips[..at]
            .iter()
            .any(|other| other.column == *column)
        {
            return wrong(format!(
                "`{column}` is changed twice; list all its values once"
            ));
        }
        if request
            .rows
            .derived
            .iter()
            .any(|derived| derived.column == *column)
        {
            return wrong(format!(
                "`{column}` is a derived column; change the column it is made from"
            ));
        }
        if *column == request.model.gives {
            return wrong(format!(
                "`{column}` is the model's answer; change one of its inputs"
            ));
        }
        let n = flip.values.len();
        if !(2..=VALUES_MAX).contains(&n) {
            return wrong(format!(
                "`{column}` has {n} values; name 2 to {VALUES_MAX}, each pair of which is compared"
            ));
        }
        if let Some(twice) = (1..n).find(|at| flip.values[..*at].contains(&flip.values[*at])) {
            return wrong(format!(
                "`{column}` has the value `{}` twice; keep one",
                flip.values[twice]
            ));
        }
    }
    Ok(())
}

/// A threshold asks for numbers, and a decision has two values.
fn check_answers(
    request: &Request,
    original: &Answers,
    flips: &[Option<Vec<Answers>>],
) -> Result<(), JobError> {
    let wrong = |problem: String| Err(JobError::Input(format!("--decision: {problem}")));
    let all = || {
        let flips = flips.iter().flatten().flatten();
        std::iter::once(original).chain(flips)
    };
    let DecisionBy::Column(binary) = &request.decision.by else {
        let labels = all().any(|answers| matches!(answers, Answers::Texts(_)));
        return match labels {
            true => wrong(
                "the model answers with texts, which no threshold decides; name the answer alone, and its good value with --favorable"
                    .to_owned(),
            ),
            false => Ok(()),
        };
    };
    let mut met: Vec<String> = Vec::new();
    for answers in all() {
        let n = answers.len();
        for row in 0..n {
            let text = text_of(answers, row);
            if !met.contains(&text) {
                met.push(text);
            }
            if met.len() > 2 {
                met.sort();
                return wrong(format!(
                    "a decision has two values, and the model answers {}; write a threshold such as '{}>=0.5'",
                    listed(&met),
                    binary.column
                ));
            }
        }
    }
    if met.contains(&binary.positive) || met.contains(&request.decision.favourable_name) {
        return Ok(());
    }
    met.sort();
    wrong(format!(
        "the model never answers `{}`; it answers {}",
        request.decision.favourable_name,
        listed(&met)
    ))
}

fn text_of(answers: &Answers, row: usize) -> String {
    match answers {
        Answers::Numbers(numbers) => (numbers[row] + 0.0).to_string(),
        Answers::Texts(texts) => texts[row].clone(),
    }
}

fn outcomes(decision: &Decision, answers: &Answers) -> Outcomes {
    let decides = |row: usize| match (&decision.by, answers) {
        (DecisionBy::Threshold { at_least, .. }, Answers::Numbers(numbers)) => {
            numbers[row] >= *at_least
        }
        (DecisionBy::Threshold { .. }, Answers::Texts(_)) => false,
        (DecisionBy::Column(binary), answers) => text_of(answers, row) == binary.positive,
    };
    let is_good = decision.favourable == 1;
    Outcomes {
        favourable: (0..answers.len())
            .map(|row| decides(row) == is_good)
            .collect(),
        scores: match (&decision.by, answers) {
            (DecisionBy::Threshold { .. }, Answers::Numbers(numbers)) => Some(numbers.clone()),
            (DecisionBy::Threshold { .. }, Answers::Texts(_)) | (DecisionBy::Column(_), _) => None,
        },
    }
}

fn decision_words(decision: &Decision) -> String {
    match &decision.by {
        DecisionBy::Column(binary) => binary.column.clone(),
        DecisionBy::Threshold { column, at_least } => format!("{column}>={at_least}"),
    }
}
