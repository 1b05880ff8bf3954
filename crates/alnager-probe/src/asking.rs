//! Between rows and models: the inputs of the rows that meet a condition are read and put to the model; its answers come back in the
//! order of the rows.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use alnager_audit::declared::Audit;
use alnager_audit::derived::Derived;
use alnager_audit::measures::{DataStamp, LeftOut};
use alnager_audit::model::{Endpoint, Input, InputKind, Model, ModelBy, ModelStamp};

use crate::asked::{Answers, Asked, AskedColumn};
use crate::coder::{Coder, Gathered, TextKind, Texts, Unknown};
use crate::endpoint::{self, AnswersFile, AskSettings, BACKOFF, STOPPING, WAIT_MAX};
use crate::error::{ProbeError, Problem};
use crate::intake::{Fault, Intake, Sink};
use crate::onnx;
use crate::role::{Purpose, Role};
use crate::source::{Progress, Source};
use crate::{read_files, stamp};

/// Rows gathered before an ONNX file is asked: enough for every thread, few enough that memory does not grow with the data.
const ROWS_GATHERED: usize = 1 << 16;

/// A model that is ready to be asked.
pub(crate) enum Asker {
    /// An ONNX file, run here, and its name as declared.
    Onnx(Box<onnx::Session>, String),
    /// A service, asked over HTTP.
    Endpoint(Box<Service>),
}

/// A service whose answers are kept, for each set of rows in a file of its own.
pub(crate) struct Service {
    endpoint: Endpoint,
    inputs: Vec<Input>,
    folder: PathBuf,
    /// What it answered first.
    stamp: RefCell<Option<ModelStamp>>,
}

/// Rows of a service that is asked outside an audit are kept under this name.
const UNNAMED: &str = "asked";

impl Asker {
    /// Makes a model ready; files are relative to `folder`.
    pub(crate) fn open(model: &Model, folder: &Path) -> Result<Self, ProbeError> {
        match &model.by {
            ModelBy::Onnx(onnx) => {
                let path = folder.join(&onnx.file);
                let session = onnx::Session::open(&path, model, onnx)?;
                Ok(Asker::Onnx(Box::new(session), onnx.file.clone()))
            }
            ModelBy::Endpoint(endpoint) => Ok(Asker::Endpoint(Box::new(Service {
                endpoint: (**endpoint).clone(),
                inputs: model.inputs.clone(),
                folder: folder.to_owned(),
                stamp: RefCell::default(),
            }))),
        }
    }

    /// The most rows that it is told at once; one that must see all of them together says `usize::MAX`.
    pub(crate) fn n_rows_max(&self) -> usize {
        match self {
            Asker::Onnx(..) => ROWS_GATHERED,
            Asker::Endpoint(_) => usize::MAX,
        }
    }

    /// One answer a row, in their order; `rows` are their numbers in the data, for messages.
    pub(crate) fn ask(
        &self,
        asked: &Asked,
        rows: &[u64],
        progress: &dyn Fn(Progress),
    ) -> Result<Answers, ProbeError> {
        match self {
            Asker::Onnx(session, _) => session.ask(asked, rows),
            Asker::Endpoint(service) => {
                let hash = asked.sha256(&service.inputs, 0..asked.n_rows);
                let (short, _) = hash.split_at_checked(12).unwrap_or((&hash, ""));
                service.ask(&format!("{UNNAMED}-{short}"), &hash, asked, progress)
            }
        }
    }

    /// What answered, to be sealed with what is made of the answers.
    pub(crate) fn stamp(&self, model: &Model) -> ModelStamp {
        let inputs = model.inputs.iter();
        let inputs = inputs.map(|input| (input.name.clone(), input.column.clone()));
        match self {
            Asker::Onnx(session, file) => ModelStamp {
                kind: "onnx".to_owned(),
                name: file.clone(),
                sha256: session.sha256().to_owned(),
                version: None,
                canaries: None,
                inputs: inputs.collect(),
            },
            Asker::Endpoint(service) => service.stamp(),
        }
    }
}

impl Service {
    fn ask(
        &self,
        name: &str,
        data_sha256: &str,
        asked: &Asked,
        progress: &dyn Fn(Progress),
    ) -> Result<Answers, ProbeError> {
        let file = AnswersFile::beside(&self.folder, name, data_sha256);
        let settings = AskSettings {
            folder: self.folder.clone(),
            environment: &|name| std::env::var(name).ok(),
            stop: &STOPPING.stop,
            backoff: BACKOFF,
            wait_max: WAIT_MAX,
        };
        let Service {
            endpoint, inputs, ..
        } = self;
        STOPPING.is_idle.store(false, Ordering::Relaxed);
        let answered = endpoint::ask(endpoint, inputs, asked, &file, &settings, progress);
        STOPPING.is_idle.store(true, Ordering::Relaxed);
        let answered = answered?;
        let stamp = answered.stamp(endpoint, inputs);
        self.stamp.borrow_mut().get_or_insert(stamp);
        Ok(answered.answers)
    }

    /// What answered first; an address alone where nothing was asked.
    fn stamp(&self) -> ModelStamp {
        let stamp = self.stamp.borrow().clone();
        stamp.unwrap_or_else(|| ModelStamp {
            kind: "endpoint".to_owned(),
            name: self.endpoint.url.clone(),
            sha256: String::new(),
            version: None,
            canaries: None,
            inputs: BTreeMap::new(),
        })
    }
}

/// Which rows a model is told of.
pub(crate) struct Which<'a> {
    pub(crate) filter: Option<&'a str>,
    pub(crate) derived: &'a [Derived],
    pub(crate) unknown: &'a [String],
}

/// What was read while the model was asked.
pub(crate) struct Read {
    /// The files; their name is that of the source.
    pub(crate) data: DataStamp,
    /// Why no row met the condition, if none did.
    pub(crate) why_none: String,
    /// The further columns wanted: the different texts, and for each row one more than the position of its text, 0 where it is
    /// unknown.
    pub(crate) texts: Vec<(Vec<String>, Vec<u32>)>,
}

/// Takes rows in and hands on their inputs.
struct Questions<'a> {
    intake: Intake,
    n_inputs: usize,
    asked: Asked,
    rows: Vec<u64>,
    codes: Vec<Vec<u32>>,
    n_rows_max: usize,
    take: &'a mut Take<'a>,
    /// Why the rows could not be handed on.
    failed: Option<ProbeError>,
}

/// Takes the inputs of some rows, whose numbers in the data stand beside them.
pub(crate) type Take<'a> = dyn FnMut(&Asked, &[u64]) -> Result<(), ProbeError> + 'a;

impl Sink for Questions<'_> {
    fn intake(&mut self) -> &mut Intake {
        &mut self.intake
    }

    fn takes_counts(&self) -> bool {
        false
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let (inputs, others) = self.intake.roles().split_at(self.n_inputs);
        for (role, column) in inputs.iter().zip(&mut self.asked.columns) {
            match column {
                AskedColumn::Numbers(numbers) => numbers.extend_from_slice(&role.numbers),
                AskedColumn::Texts(_, codes) => codes.extend_from_slice(&role.codes),
            }
        }
        for (role, codes) in others.iter().zip(&mut self.codes) {
            codes.extend_from_slice(&role.codes);
        }
        self.rows.extend_from_slice(self.intake.numbers());
        self.asked.n_rows = self.rows.len();
        self.intake.clear();
        if self.rows.len() >= self.n_rows_max && !self.hand_on() {
            return Err(Fault {
                row: 0,
                column: None,
                problem: Problem::Stopped,
            });
        }
        Ok(())
    }
}

impl Questions<'_> {
    /// Hands on what was gathered; false where that failed.
    fn hand_on(&mut self) -> bool {
        if self.rows.is_empty() {
            return true;
        }
        for (role, column) in self.intake.roles().iter().zip(&mut self.asked.columns) {
            if let (AskedColumn::Texts(values, _), Some(met)) = (column, texts_of(role)) {
                values.extend_from_slice(&met[values.len()..]);
            }
        }
        if let Err(error) = (self.take)(&self.asked, &self.rows) {
            self.failed = Some(error);
            return false;
        }
        for column in &mut self.asked.columns {
            match column {
                AskedColumn::Numbers(numbers) => numbers.clear(),
                AskedColumn::Texts(_, codes) => codes.clear(),
            }
        }
        self.rows.clear();
        self.asked.n_rows = 0;
        true
    }
}

fn texts_of(role: &Role) -> Option<&[String]> {
    match &role.coder {
        Coder::Texts(texts) => Some(&texts.values),
        Coder::Levels(_)
        | Coder::Numbers(_)
        | Coder::Gathered(_)
        | Coder::Persons
        | Coder::Truths(_) => None,
    }
}

/// Reads the inputs of the rows that meet the condition and hands them to `take`, at most about `n_rows_max` at a time. Besides them
/// it reads `texts`, columns in which the spellings of `which.unknown` are unknown.
///
/// A model is told what the data hold: an empty number is NaN, and so is a spelling of unknown that is no number; a spelling that is
/// one is that number. A text is told as it is written, an empty one as an empty text.
pub(crate) fn read_inputs(
    model: &Model,
    which: &Which<'_>,
    texts: &[&str],
    source: &Source,
    progress: &dyn Fn(Progress),
    n_rows_max: usize,
    take: &mut Take<'_>,
) -> Result<Read, ProbeError> {
    let mut intake = Intake::new(which.filter, which.derived, which.unknown)?;
    intake.keep_numbers();
    let gaps: Vec<String> = which
        .unknown
        .iter()
        .filter(|spelling| spelling.trim().parse::<f64>().is_err())
        .cloned()
        .collect();
    let gaps = Unknown::new(&gaps);
    for input in &model.inputs {
        let coder = match input.kind {
            InputKind::Number => Coder::Gathered(Gathered::Number),
            InputKind::Text => text_coder(&intake, &input.column, &[]),
        };
        intake.add_with(&input.column, Purpose::Key, coder, &gaps);
    }
    for column in texts {
        let coder = text_coder(&intake, column, which.unknown);
        intake.add(column, Purpose::Key, coder);
    }
    let columns = model.inputs.iter().map(|input| match input.kind {
        InputKind::Number => AskedColumn::Numbers(Vec::new()),
        InputKind::Text => AskedColumn::Texts(Vec::new(), Vec::new()),
    });
    // The borrow of `take` is as long as the sink's own.
    let mut take = |asked: &Asked, rows: &[u64]| take(asked, rows);
    let mut questions = Questions {
        intake,
        n_inputs: model.inputs.len(),
        asked: Asked {
            n_rows: 0,
            columns: columns.collect(),
        },
        rows: Vec::new(),
        codes: vec![Vec::new(); texts.len()],
        n_rows_max,
        take: &mut take,
        failed: None,
    };
    let read = read_files(&mut questions, source, progress);
    if read.is_ok() {
        questions.hand_on();
    }
    if let Some(error) = questions.failed {
        return Err(error);
    }
    let name = source.name();
    let (n_rows, left_out) = (questions.intake.n_rows(), questions.intake.left_out());
    let others = questions.intake.roles()[questions.n_inputs..].iter();
    let met = others.map(|role| texts_of(role).unwrap_or_default().to_vec());
    Ok(Read {
        data: stamp(&name, read?, n_rows, left_out),
        why_none: questions.intake.why_none(),
        texts: met.zip(questions.codes).collect(),
    })
}

fn text_coder(intake: &Intake, column: &str, unknown: &[String]) -> Coder {
    let labels = intake
        .derived(column)
        .filter(|derived| !derived.reads_number());
    Coder::Texts(Texts::new(unknown, TextKind::Stratum, labels.cloned()))
}

impl Read {
    /// Refuses a source of which no row was put to the model.
    pub(crate) fn check(&self, condition: Option<&str>) -> Result<(), ProbeError> {
        let LeftOut {
            n_unmet,
            n_undecided,
        } = self.data.left_out;
        let file = self.data.name.clone();
        match (self.data.n_rows, condition) {
            (0, _) => Err(ProbeError::NoRows { file }),
            (n_rows, Some(condition)) if n_rows == n_unmet + n_undecided => {
                Err(ProbeError::NoRowMeets {
                    file,
                    condition: condition.to_owned(),
                    hint: self.why_none.clone(),
                })
            }
            (_, _) => Ok(()),
        }
    }
}

/// What a model answered to the rows of an audit.
pub(crate) struct Asking {
    pub(crate) answers: Answers,
    pub(crate) stamp: ModelStamp,
    /// What was read meanwhile: the rows that are counted next must be the same.
    pub(crate) data: DataStamp,
}

/// Asks a model of every row that an audit counts.
pub(crate) fn ask_all(
    audit: &Audit,
    model: &Model,
    source: &Source,
    folder: &Path,
    progress: &dyn Fn(Progress),
) -> Result<Asking, ProbeError> {
    let asker = Asker::open(model, folder)?;
    let which = Which {
        filter: audit.filter.as_deref(),
        derived: &audit.derived,
        unknown: &audit.unknown,
    };
    if let Asker::Endpoint(service) = &asker {
        return ask_service(audit, model, service, &which, source, progress);
    }
    let mut answers: Option<Answers> = None;
    let mut take = |asked: &Asked, rows: &[u64]| {
        let more = asker.ask(asked, rows, &|_| {})?;
        match &mut answers {
            None => answers = Some(more),
            Some(answers) => answers.extend(more),
        }
        Ok(())
    };
    let n_rows_max = asker.n_rows_max();
    let read = read_inputs(model, &which, &[], source, progress, n_rows_max, &mut take)?;
    read.check(audit.filter.as_deref())?;
    Ok(Asking {
        answers: answers.unwrap_or(Answers::Numbers(Vec::new())),
        stamp: asker.stamp(model),
        data: read.data,
    })
}

/// Asks a service: all rows are read before the first is put, because its answers are kept under the hash of the data.
fn ask_service(
    audit: &Audit,
    model: &Model,
    service: &Service,
    which: &Which<'_>,
    source: &Source,
    progress: &dyn Fn(Progress),
) -> Result<Asking, ProbeError> {
    let mut all = Asked::default();
    let mut take = |asked: &Asked, _: &[u64]| {
        all = asked.clone();
        Ok(())
    };
    let read = read_inputs(model, which, &[], source, progress, usize::MAX, &mut take)?;
    read.check(which.filter)?;
    let answers = service.ask(&audit.name, &read.data.sha256, &all, progress)?;
    Ok(Asking {
        answers,
        stamp: service.stamp(),
        data: read.data,
    })
}

#[cfg(test)]
mod tests;
