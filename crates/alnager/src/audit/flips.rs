//! `alnager audit flips`: a column of each row is changed, and the model is asked again.

use std::path::{Path, PathBuf};

use alnager_audit::declared::{Audit, Decision, DecisionBy};
use alnager_audit::derived::Derived;
use alnager_audit::flips::words;
use alnager_audit::model::{Input, InputKind, Model, ModelBy, Onnx};
use alnager_law::read::{self, nearest};
use alnager_probe::Flip;
use alnager_work::audit::flips::{Request, examine};
use alnager_work::audit::rows;
use alnager_work::error::JobError;
use alnager_work::files::read_text;
use clap::Args;

use super::Shown;
use super::rows::{confidence, decision, once, show, wrong};
use crate::arguments::Format;

/// What to change, and which model to ask.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    alnager audit flips applicants.csv --model scorer.onnx --inputs age,income,sex:text --answer-at 1 --decision 'score>=0.5' \
    --favorable at_least --flip sex=Male,Female --attr age_band\n  \
    alnager audit flips --system system.toml --audit approval --flip first_name=@names.txt")]
pub(crate) struct FlipsArguments {
    /// The rows: a file, a folder of files, or a pattern in quotes; with --system, in the place of those declared
    data: Option<PathBuf>,
    /// The model: an ONNX file
    #[arg(long, value_name = "FILE", conflicts_with = "system")]
    model: Option<PathBuf>,
    /// The model's inputs in its order, columns of numbers; 'branch:text' for texts, 'income=eur' where the model has its own name
    #[arg(
        long,
        value_name = "INPUT,…",
        value_delimiter = ',',
        conflicts_with = "system"
    )]
    inputs: Vec<String>,
    /// The output of the model that is the answer; without it the only one, or the first of floating-point numbers
    #[arg(long, value_name = "NAME", conflicts_with = "system")]
    output: Option<String>,
    /// The place of the answer in a row of the output, from 0, where it has several
    #[arg(long = "answer-at", value_name = "N", conflicts_with = "system")]
    place: Option<usize>,
    /// Take model, inputs, rows, condition and decision from a declaration: a `system.toml` or its folder
    #[arg(long, value_name = "FILE", requires = "audit")]
    system: Option<PathBuf>,
    /// The name of the declared audit that has the model
    #[arg(long, value_name = "NAME", requires = "system")]
    audit: Option<String>,
    /// What to change: 'sex=Male,Female', or 'first_name=@names.txt' for a file of one value a line; may be repeated
    #[arg(long = "flip", value_name = "COLUMN=VALUES", required = true)]
    flips: Vec<String>,
    /// Columns by whose groups the flips are counted too; without them the columns changed
    #[arg(long = "attr", value_name = "COLUMN,…", value_delimiter = ',')]
    attributes: Vec<String>,
    /// How the answer is a decision: 'score>=0.5', or a name for it where the model answers with a label
    #[arg(long, value_name = "COLUMN")]
    decision: Option<String>,
    /// The decision that is good for the person: at_least or below a threshold, or the label; required without --system
    #[arg(
        long,
        alias = "favourable",
        value_name = "VALUE",
        requires = "decision"
    )]
    favorable: Option<String>,
    /// The label that counts as 1; without it `1`, or the favourable one where that is neither 0 nor 1
    #[arg(long, value_name = "VALUE", requires = "decision")]
    positive: Option<String>,
    /// Take only rows that meet this condition, such as "age >= 40 && kind == 'loan'"
    #[arg(long = "where", value_name = "CONDITION")]
    filter: Option<String>,
    /// A TOML file of derived columns: bins, labels, thresholds (docs/guide/audit-lab.md)
    #[arg(long, value_name = "FILE")]
    derive: Option<PathBuf>,
    /// Spellings that mean unknown, besides the empty cell
    #[arg(long, value_name = "SPELLING,…", value_delimiter = ',')]
    unknown: Vec<String>,
    /// The confidence of intervals
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

pub(crate) fn run(arguments: &FlipsArguments, format: Format) -> Result<Shown, JobError> {
    let request = request(arguments)?;
    show(|progress| examine(&request, progress), words, format)
}

fn request(arguments: &FlipsArguments) -> Result<Request, JobError> {
    let flips = arguments
        .flips
        .iter()
        .map(|text| flip(text))
        .collect::<Result<Vec<Flip>, _>>()?;
    let decided = match (&arguments.decision, &arguments.favorable) {
        (Some(text), Some(favorable)) => {
            Some(decision(text, favorable, arguments.positive.as_deref())?)
        }
        (Some(_), None) => {
            return Err(wrong(
                "--favorable",
                "says which decision is good for the person; it is never guessed",
            ));
        }
        (None, _) => None,
    };
    let derived = match &arguments.derive {
        Some(path) => Derived::read_all(&path.display().to_string(), &read_text(path)?)?,
        None => Vec::new(),
    };
    let base = match (&arguments.system, &arguments.audit) {
        (Some(system), Some(name)) => declared(system, name, decided)?,
        (_, _) => named(arguments, decided)?,
    };
    let groups = if arguments.attributes.is_empty() {
        flips.iter().map(|flip| flip.column.clone()).collect()
    } else {
        once("--attr", &arguments.attributes)?
    };
    let rows = rows::Request {
        data: match &arguments.data {
            Some(data) => data.clone(),
            None => base.rows.data,
        },
        filter: arguments.filter.clone().or(base.rows.filter),
        unknown: [base.rows.unknown, arguments.unknown.clone()].concat(),
        derived: [base.rows.derived, derived].concat(),
    };
    Ok(Request {
        rows,
        groups,
        flips,
        confidence: confidence(arguments.confidence)?,
        ..base
    })
}

/// The model that flags name.
fn named(arguments: &FlipsArguments, decided: Option<Decision>) -> Result<Request, JobError> {
    let need = |flag: &str, what: &str| {
        wrong(
            flag,
            &format!("{what}; or name a declaration with --system"),
        )
    };
    let Some(file) = &arguments.model else {
        return Err(need("--model", "names the ONNX file to ask"));
    };
    if arguments.data.is_none() {
        return Err(need("DATA", "names the rows, a file or folder"));
    }
    if arguments.inputs.is_empty() {
        return Err(need(
            "--inputs",
            "lists the model's inputs, such as age,income,sex:text",
        ));
    }
    let decided = decided.ok_or_else(|| {
        need(
            "--decision",
            "says how the answer is a decision, such as 'score>=0.5'",
        )
    })?;
    let inputs = arguments
        .inputs
        .iter()
        .map(|text| input(text))
        .collect::<Result<Vec<Input>, _>>()?;
    let model = Model {
        gives: answered(&decided).to_owned(),
        inputs,
        by: ModelBy::Onnx(Onnx {
            file: file.display().to_string(),
            output: arguments.output.clone(),
            at: arguments.place,
        }),
    };
    let names: Vec<String> = model
        .inputs
        .iter()
        .map(|input| input.name.clone())
        .collect();
    once("--inputs", &names)?;
    Ok(Request {
        rows: rows::Request::default(),
        model,
        folder: PathBuf::new(),
        decision: decided,
        flips: Vec::new(),
        groups: Vec::new(),
        confidence: arguments.confidence,
    })
}

/// The model of a declared audit, with its rows and, unless another is given, its decision.
fn declared(system: &Path, name: &str, decided: Option<Decision>) -> Result<Request, JobError> {
    let file = match system.is_dir() {
        true => system.join("system.toml"),
        false => system.to_owned(),
    };
    let shown = file.display().to_string();
    let root = read::read(&shown, &read_text(&file)?)?;
    let audits: Vec<Audit> = root.each("audit", Audit::read)?;
    let names: Vec<&str> = audits.iter().map(|audit| audit.name.as_str()).collect();
    let Some(audit) = audits.iter().find(|audit| audit.name == name) else {
        let hint = nearest(name, names);
        return Err(wrong(
            "--audit",
            &format!("{shown} declares no audit `{name}`; {hint}"),
        ));
    };
    let Some(model) = audit.model.clone() else {
        let problem = format!("the audit `{name}` of {shown} has no `[audit.model]` to ask");
        return Err(wrong("--audit", &problem));
    };
    let decision = decided.unwrap_or_else(|| audit.decision.clone());
    if answered(&decision) != model.gives {
        let problem = format!(
            "the model gives `{}`, and the decision is by `{}`; say how the answer is a decision, such as '{}>=0.5'",
            model.gives,
            answered(&decision),
            model.gives
        );
        return Err(wrong("--decision", &problem));
    }
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Request {
        rows: rows::Request {
            data: folder.join(&audit.data),
            filter: audit.filter.clone(),
            unknown: audit.unknown.clone(),
            derived: audit.derived.clone(),
        },
        model,
        folder,
        decision,
        flips: Vec::new(),
        groups: Vec::new(),
        confidence: 0.95,
    })
}

/// The column that holds what a decision is made of.
fn answered(decision: &Decision) -> &str {
    match &decision.by {
        DecisionBy::Column(binary) => &binary.column,
        DecisionBy::Threshold { column, .. } => column,
    }
}

/// `sex=Male,Female`, or `first_name=@names.txt`.
fn flip(text: &str) -> Result<Flip, JobError> {
    let Some((column, values)) = text.split_once('=') else {
        let problem =
            format!("`{text}` names no values; write sex=Male,Female or first_name=@names.txt");
        return Err(wrong("--flip", &problem));
    };
    let values: Vec<String> = match values.strip_prefix('@') {
        Some(file) => {
            let listed = read_text(Path::new(file))?;
            let lines = listed.lines().map(|line| line.trim_end_matches('\r'));
            lines
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect()
        }
        None => values.split(',').map(str::to_owned).collect(),
    };
    if let Some(empty) = values.iter().position(String::is_empty) {
        let problem = format!("value {} of `{}` is empty", empty + 1, column.trim());
        return Err(wrong("--flip", &problem));
    }
    Ok(Flip {
        column: column.trim().to_owned(),
        values,
    })
}

/// `age`, `branch:text` or `income=eur`.
fn input(text: &str) -> Result<Input, JobError> {
    let (named, kind) = match text.rsplit_once(':') {
        Some((named, word)) => match InputKind::of(word) {
            Some(kind) => (named, kind),
            None => {
                let problem = format!(
                    "`{word}` in `{text}` is no kind of input; {}",
                    nearest(word, InputKind::WORDS)
                );
                return Err(wrong("--inputs", &problem));
            }
        },
        None => (text, InputKind::Number),
    };
    let (name, column) = named.split_once('=').unwrap_or((named, named));
    let (name, column) = (name.trim(), column.trim());
    if name.is_empty() || column.is_empty() {
        return Err(wrong(
            "--inputs",
            &format!("`{text}` names no column; write age,income,sex:text"),
        ));
    }
    Ok(Input {
        name: name.to_owned(),
        column: column.to_owned(),
        kind,
    })
}
