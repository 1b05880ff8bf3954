//! Rows put to an endpoint over HTTP: every answer is kept before it counts, and an interrupted run goes on where it ended.
//!
//! **What is promised.** An answer is appended to the answers file and on the disk before its thread puts the next request. A row
//! whose answer is kept is never put again, by this run or a later one over the same file. A run that is asked to stop, or that
//! ends as inconclusive, begins no further request and keeps the answers of those under way; nothing answered is lost then. A run
//! that is killed outright, or a machine that loses power, loses the answers under way: at most `concurrency` requests, which the
//! next run puts again. A request that fails (no answer, a cut one, a status that asks for patience) is repeated as it was.
//!
//! **Canary rows** are the first rows with different inputs. They are put as any rows are, with nothing that marks them: twice
//! before the rows, once when a run goes on, once at the end. Where the first two rounds are alike the endpoint is taken as
//! deterministic: rows with the same inputs are then put once, and a canary that is answered otherwise later ends the run. Where
//! they differ, or there are no canaries, every row is put by itself.

mod client;
mod look;
mod problem;
mod protocol;
mod rows;
mod secret;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::Duration;

use alnager_audit::canary::Answer;
use alnager_audit::model::{Endpoint, Input, ModelStamp, Protocol};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use look::{CANARIES_SCHEMA, LookRequest, look};
pub use problem::{EndpointProblem, KeptProblem, Reason};

use crate::asked::{Answers, Asked};
use crate::error::ProbeError;
use crate::lines::Lines;
use crate::source::{Progress, Unit, hex};
use client::{Client, Failed};
use protocol::{Form, Said};

/// What the first line of an answers file is called.
pub const ANSWERS_SCHEMA: &str = "alnager.answers/1";

/// How a run asks, besides what the endpoint's declaration says.
#[derive(Clone)]
pub struct AskSettings<'a> {
    /// The folder that a secret's file is relative to: that of the declaration.
    pub folder: PathBuf,
    /// The environment: the secret and the proxy by their names.
    pub environment: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Becomes true when the run is to stop: no further request then begins.
    pub stop: &'a AtomicBool,
    /// The pause before a request is tried again; it doubles each time.
    pub backoff: Duration,
    /// Longest pause that the endpoint may ask for.
    pub wait_max: Duration,
}

/// How whoever runs the program stops it between requests.
#[derive(Debug)]
pub struct Stopping {
    /// Set to true, no further request begins; the answers of those under way are kept.
    pub stop: Arc<AtomicBool>,
    /// Whether nobody is asked just now, so that the program can be ended at once.
    pub is_idle: Arc<AtomicBool>,
}

/// The one of this process.
pub static STOPPING: LazyLock<Stopping> = LazyLock::new(|| Stopping {
    stop: Arc::new(AtomicBool::new(false)),
    is_idle: Arc::new(AtomicBool::new(true)),
});

/// Where the answers of a run are kept, and what they belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswersFile {
    /// The file; it is made, or gone on with.
    pub path: PathBuf,
    /// SHA-256 of the data that the rows come from, hexadecimal.
    pub data_sha256: String,
}

impl AnswersFile {
    /// Beside a declaration, under the name of the audit: `NAME.answers.jsonl`.
    pub fn beside(folder: &Path, audit: &str, data_sha256: &str) -> AnswersFile {
        AnswersFile {
            path: folder.join(format!("{audit}.answers.jsonl")),
            data_sha256: data_sha256.to_owned(),
        }
    }
}

/// The usual pause before a request is tried again.
pub const BACKOFF: Duration = Duration::from_millis(500);

/// The usual longest pause that an endpoint may ask for.
pub const WAIT_MAX: Duration = Duration::from_secs(300);

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// One answer a row, in the order of the rows.
    pub answers: Answers,
    /// The version stated with every answer.
    pub version: Option<String>,
    /// The canary rounds, in the order asked; each has one answer a canary row.
    pub canaries: Vec<Vec<Answer>>,
    /// Whether all canary rounds are alike; `None` without canaries.
    pub is_deterministic: Option<bool>,
    /// Rows that were put: all of them, or those with different inputs where the endpoint is deterministic.
    pub n_put: usize,
    /// Requests made by this run; 0 where all answers were in the file.
    pub n_requests: u64,
    /// Those of them that repeated a failed one.
    pub n_retries: u64,
}

impl Answered {
    /// What is sealed of it.
    pub fn stamp(&self, endpoint: &Endpoint, inputs: &[Input]) -> ModelStamp {
        let is_alike = self.is_deterministic == Some(true);
        let first = self.canaries.first().filter(|_| is_alike);
        ModelStamp {
            kind: kind(&endpoint.protocol).to_owned(),
            name: endpoint.url.clone(),
            sha256: match &self.answers {
                Answers::Numbers(numbers) => {
                    fingerprint(numbers.iter().map(|number| Answer::Number(*number)))
                }
                Answers::Texts(texts) => {
                    fingerprint(texts.iter().map(|text| Answer::Text(text.clone())))
                }
            },
            version: self.version.clone(),
            canaries: first.map(|round| fingerprint(round.iter().cloned())),
            inputs: columns(inputs),
        }
    }
}

/// The word for a protocol.
fn kind(protocol: &Protocol) -> &'static str {
    match protocol {
        Protocol::Mlflow { .. } => "mlflow",
        Protocol::Kserve { .. } => "kserve",
        Protocol::Json { .. } => "json",
    }
}

fn columns(inputs: &[Input]) -> BTreeMap<String, String> {
    let pairs = inputs.iter();
    pairs
        .map(|input| (input.name.clone(), input.column.clone()))
        .collect()
}

/// SHA-256 over answers, one JSON line each, hexadecimal.
pub fn fingerprint(answers: impl Iterator<Item = Answer>) -> String {
    let mut hash = Sha256::new();
    for answer in answers {
        hash.update(as_json(&answer).to_string());
        hash.update("\n");
    }
    hex(hash)
}

fn as_json(answer: &Answer) -> Value {
    match answer {
        Answer::Number(number) => json!(number),
        Answer::Text(text) => json!(text),
    }
}

/// Asks an endpoint about every row, and tells `progress` how many are answered.
///
/// Answers that an earlier run kept in the answers file are taken from there; where that run came to its end, nothing is asked.
pub(crate) fn ask(
    endpoint: &Endpoint,
    inputs: &[Input],
    asked: &Asked,
    answers_file: &AnswersFile,
    settings: &AskSettings<'_>,
    progress: &dyn Fn(Progress),
) -> Result<Answered, ProbeError> {
    let wrong = |problem| ProbeError::Endpoint {
        url: endpoint.url.clone(),
        problem: Box::new(problem),
    };
    let kept = |problem| ProbeError::Kept {
        file: answers_file.path.display().to_string(),
        problem: Box::new(problem),
    };
    let mut form = Form::new(endpoint, inputs).map_err(wrong)?;
    let head = head(endpoint, inputs, asked, &answers_file.data_sha256);
    let (lines, found) = Lines::open(&answers_file.path, ANSWERS_SCHEMA, &head).map_err(kept)?;
    let mut run = Run::new(endpoint, asked, lines);
    for (at, line) in found.iter().enumerate() {
        run.replay(line).map_err(|why| {
            let why = why.to_owned();
            kept(KeptProblem::Damaged { line: at + 2, why })
        })?;
    }
    let inconclusive = |run: &Run, reason| ProbeError::Inconclusive {
        url: endpoint.url.clone(),
        n_answered: run.n_answered,
        n_rows: run.order.len(),
        kept: Some(answers_file.path.display().to_string()),
        reason: Box::new(reason),
    };
    if let Some((n_differ, n)) = run.changed {
        return Err(inconclusive(&run, Reason::Changed { n_differ, n }));
    }
    let (mut n_requests, mut n_retries) = (0, 0);
    if !run.is_complete {
        let client = Client::new(endpoint, settings).map_err(wrong)?;
        let done = go_on(&mut run, &mut form, &client, endpoint, progress);
        n_requests = client.n_requests.load(Ordering::Relaxed);
        n_retries = client.n_retries.load(Ordering::Relaxed);
        match done {
            Ok(()) => {}
            Err(Ended::Problem(problem)) => return Err(wrong(problem)),
            Err(Ended::Reason(reason)) => return Err(inconclusive(&run, reason)),
            Err(Ended::Kept(problem)) => return Err(kept(problem)),
        }
    }
    run.answered(n_requests, n_retries).ok_or_else(|| {
        kept(KeptProblem::Damaged {
            line: 1,
            why: "it says that all rows are answered, and some are not".to_owned(),
        })
    })
}

/// The first line of an answers file: what it belongs to.
fn head(endpoint: &Endpoint, inputs: &[Input], asked: &Asked, data_sha256: &str) -> Value {
    json!({
        "schema": ANSWERS_SCHEMA,
        "url": endpoint.url,
        "protocol": endpoint.protocol,
        "version": endpoint.version,
        "columns": columns(inputs),
        "data": data_sha256,
        "inputs": asked.sha256(inputs, 0..asked.n_rows),
        "n_rows": asked.n_rows,
        "canaries": endpoint.canaries,
    })
}

/// Why a run ends before its end.
enum Ended {
    Problem(EndpointProblem),
    Reason(Reason),
    Kept(KeptProblem),
}

impl From<Failed> for Ended {
    fn from(failed: Failed) -> Ended {
        match failed {
            Failed::Problem(problem) => Ended::Problem(problem),
            Failed::Reason(reason) => Ended::Reason(reason),
        }
    }
}

/// A run: what is known so far, all of which lies in the file too.
struct Run<'a> {
    asked: &'a Asked,
    lines: Lines,
    declared: Option<&'a str>,
    /// The rows that are put, in order.
    order: Vec<usize>,
    /// For each row the place in `order` that answers it.
    place_of_row: Vec<usize>,
    /// The canary rows.
    canaries: Vec<usize>,
    rounds: Vec<Vec<Answer>>,
    /// The version of the first answer, once there is one.
    version: Option<Option<String>>,
    /// Whether `order` was settled, for the life of the file.
    is_settled: bool,
    answers: Vec<Option<Answer>>,
    n_answered: usize,
    /// Whether answers are numbers, once there is one.
    is_number: Option<bool>,
    /// How many canaries of how many were answered otherwise, where that ended a run.
    changed: Option<(usize, usize)>,
    is_complete: bool,
}

impl<'a> Run<'a> {
    fn new(endpoint: &'a Endpoint, asked: &'a Asked, lines: Lines) -> Run<'a> {
        let (mut canaries, _) = asked.distinct();
        canaries.truncate(endpoint.canaries);
        let mut run = Run {
            asked,
            lines,
            declared: endpoint.version.as_deref(),
            order: Vec::new(),
            place_of_row: Vec::new(),
            canaries,
            rounds: Vec::new(),
            version: None,
            is_settled: false,
            answers: Vec::new(),
            n_answered: 0,
            is_number: None,
            changed: None,
            is_complete: false,
        };
        run.settle(false);
        run.is_settled = false;
        run
    }

    /// Settles which rows are put: those with different inputs, or all.
    fn settle(&mut self, is_distinct: bool) {
        (self.order, self.place_of_row) = match is_distinct {
            true => self.asked.distinct(),
            false => (
                (0..self.asked.n_rows).collect(),
                (0..self.asked.n_rows).collect(),
            ),
        };
        self.answers = vec![None; self.order.len()];
        self.is_settled = true;
    }

    /// Takes over a line of the file. What is wrong with it is said.
    fn replay(&mut self, line: &Value) -> Result<(), &'static str> {
        let answers = |value: &Value| -> Result<Vec<Answer>, &'static str> {
            let list = value.as_array().ok_or("a list of answers is missing")?;
            let read = |value: &Value| serde_json::from_value(value.clone());
            let answers: Result<Vec<Answer>, _> = list.iter().map(read).collect();
            answers.map_err(|_| "an answer is neither a number nor a text")
        };
        if let Some(version) = line.get("version") {
            self.version = Some(version.as_str().map(str::to_owned));
        }
        if let Some(round) = line.get("canaries") {
            let round = answers(round)?;
            if round.len() != self.canaries.len() {
                return Err("a round has another number of canary rows");
            }
            self.is_number = round.first().map(is_number).or(self.is_number);
            self.rounds.push(round);
        } else if let Some(way) = line.get("asks") {
            match way.as_str() {
                Some("distinct") => self.settle(true),
                Some("each") => self.settle(false),
                _ => return Err("`asks` is neither `distinct` nor `each`"),
            }
        } else if let Some(first) = line.get("first") {
            let first = first.as_u64().ok_or("`first` is no position")?;
            let first = usize::try_from(first).map_err(|_| "`first` is no position")?;
            let found = answers(&line["answers"])?;
            self.is_number = found.first().map(is_number).or(self.is_number);
            self.take(first, found)?;
        } else if let Some(n_differ) = line.get("changed") {
            let n_differ = n_differ.as_u64().ok_or("`changed` is no number")?;
            self.changed = Some((n_differ as usize, self.canaries.len()));
        } else if line.get("complete").is_some() {
            self.is_complete = true;
        } else {
            return Err("it is no line of answers");
        }
        Ok(())
    }

    fn take(&mut self, first: usize, answers: Vec<Answer>) -> Result<(), &'static str> {
        let end = first.checked_add(answers.len());
        let places = end.and_then(|end| self.answers.get_mut(first..end));
        let places = places.ok_or("it answers rows that are not asked")?;
        for (place, answer) in places.iter_mut().zip(answers) {
            if place.is_some() {
                return Err("it answers a row twice");
            }
            *place = Some(answer);
            self.n_answered += 1;
        }
        Ok(())
    }

    /// Whether the canary rounds so far are alike; `None` before the second.
    fn is_deterministic(&self) -> Option<bool> {
        let (first, others) = self.rounds.split_first()?;
        (!others.is_empty() && !first.is_empty()).then(|| others.iter().all(|round| round == first))
    }

    /// Holds the version and the kind of an answer against those before.
    fn check(&mut self, said: &Said) -> Result<(), Reason> {
        if let (Some(declared), Some(version)) = (self.declared, &said.version)
            && declared != version
        {
            return Err(Reason::OtherVersion {
                declared: declared.to_owned(),
                said: crate::error::shown(version),
            });
        }
        let before = self.version.get_or_insert_with(|| said.version.clone());
        if *before != said.version {
            let words = |version: &Option<String>| match version {
                None => "none stated".to_owned(),
                Some(version) => format!("`{}`", crate::error::shown(version)),
            };
            return Err(Reason::VersionChanged {
                before: words(before),
                after: words(&said.version),
            });
        }
        let mut kinds = said.answers.iter().map(is_number);
        let of = match self.is_number {
            Some(of) => of,
            None => match kinds.clone().next() {
                Some(of) => *self.is_number.insert(of),
                None => return Ok(()),
            },
        };
        match kinds.all(|kind| kind == of) {
            true => Ok(()),
            false => Err(Reason::Malformed {
                why: "some answers are numbers and some are texts".to_owned(),
            }),
        }
    }

    fn keep(&mut self, line: &Value) -> Result<(), Ended> {
        let kept = self.lines.append(line);
        kept.map_err(|error| Ended::Kept(KeptProblem::Io(error)))
    }

    /// The places that are not answered, in batches that do not skip one.
    fn batches(&self, rows_max: usize) -> VecDeque<(usize, usize)> {
        let mut batches: VecDeque<(usize, usize)> = VecDeque::new();
        for (place, answer) in self.answers.iter().enumerate() {
            if answer.is_some() {
                continue;
            }
            match batches.back_mut() {
                Some((first, end)) if *end == place && place - *first < rows_max => *end += 1,
                _ => batches.push_back((place, place + 1)),
            }
        }
        batches
    }

    fn answered(self, n_requests: u64, n_retries: u64) -> Option<Answered> {
        let answers: Option<Vec<Answer>> = self.answers.iter().cloned().collect();
        let answers = answers?;
        let is_deterministic = self.is_deterministic();
        let mut numbers = Vec::new();
        let mut texts = Vec::new();
        for place in &self.place_of_row {
            match answers.get(*place)? {
                Answer::Number(number) => numbers.push(*number),
                Answer::Text(text) => texts.push(text.clone()),
            }
        }
        let answers = match (numbers.len(), texts.len()) {
            (_, 0) => Answers::Numbers(numbers),
            (0, _) => Answers::Texts(texts),
            _ => return None,
        };
        Some(Answered {
            answers,
            version: self.version.flatten(),
            canaries: self.rounds,
            is_deterministic,
            n_put: self.order.len(),
            n_requests,
            n_retries,
        })
    }
}

fn is_number(answer: &Answer) -> bool {
    match answer {
        Answer::Number(_) => true,
        Answer::Text(_) => false,
    }
}

/// Asks what is not answered yet: canaries, rows, canaries.
fn go_on(
    run: &mut Run<'_>,
    form: &mut Form<'_>,
    client: &Client<'_>,
    endpoint: &Endpoint,
    progress: &dyn Fn(Progress),
) -> Result<(), Ended> {
    describe(form, client)?;
    let mut has_asked_canaries = false;
    if !run.canaries.is_empty() {
        loop {
            canary_round(run, form, client)?;
            has_asked_canaries = true;
            if run.rounds.len() >= 2 {
                break;
            }
        }
    }
    if !run.is_settled {
        let is_distinct = run.is_deterministic() == Some(true);
        run.settle(is_distinct);
        let way = if is_distinct { "distinct" } else { "each" };
        let n = run.order.len();
        run.keep(&json!({ "asks": way, "n": n }))?;
    }
    let batches = run.batches(form.rows_max);
    if !batches.is_empty() {
        put_all(
            run,
            form,
            client,
            endpoint.concurrency.max(1),
            batches,
            progress,
        )?;
        has_asked_canaries = false;
    }
    if !run.canaries.is_empty() && !has_asked_canaries {
        canary_round(run, form, client)?;
    }
    run.keep(&json!({ "complete": true }))?;
    run.is_complete = true;
    Ok(())
}

/// Asks the model about its inputs, where the protocol has a place for that.
fn describe(form: &mut Form<'_>, client: &Client<'_>) -> Result<(), Ended> {
    let Some(at) = form.described_at().map(str::to_owned) else {
        return Ok(());
    };
    if let Some(body) = client.get(&at)? {
        form.described(&body).map_err(Ended::Problem)?;
    }
    Ok(())
}

/// Puts the canary rows once, keeps the answers, and holds them against the first round of a deterministic endpoint.
fn canary_round(run: &mut Run<'_>, form: &Form<'_>, client: &Client<'_>) -> Result<(), Ended> {
    let said = put_rows(form, client, run.asked, &run.canaries)?;
    for part in &said {
        run.check(part).map_err(Ended::Reason)?;
    }
    let version = run.version.clone().flatten();
    let round: Vec<Answer> = said.into_iter().flat_map(|part| part.answers).collect();
    let n_differ = match (run.is_deterministic(), run.rounds.first()) {
        (Some(true), Some(first)) => {
            let pairs = first.iter().zip(&round);
            pairs.filter(|(before, now)| before != now).count()
        }
        _ => 0,
    };
    let values: Vec<Value> = round.iter().map(as_json).collect();
    if n_differ > 0 {
        let line = json!({ "changed": n_differ, "answers": values, "version": version });
        run.keep(&line)?;
        let n = round.len();
        run.changed = Some((n_differ, n));
        return Err(Ended::Reason(Reason::Changed { n_differ, n }));
    }
    run.keep(&json!({ "canaries": values, "version": version }))?;
    run.rounds.push(round);
    Ok(())
}

/// Puts some rows, one request after the other.
fn put_rows(
    form: &Form<'_>,
    client: &Client<'_>,
    asked: &Asked,
    rows: &[usize],
) -> Result<Vec<Said>, Ended> {
    let mut said = Vec::new();
    for batch in rows.chunks(form.rows_max) {
        said.push(put(form, client, asked, batch)?);
    }
    Ok(said)
}

fn put(form: &Form<'_>, client: &Client<'_>, asked: &Asked, rows: &[usize]) -> Result<Said, Ended> {
    let body = form.request(asked, rows).map_err(Ended::Problem)?;
    let salt = rows.first().map_or(0, |row| *row as u64);
    let answer = client.post(&form.url, &body, salt)?;
    form.read(&answer, rows.len()).map_err(Ended::Reason)
}

/// Puts all batches, several at once; each is kept before its thread takes the next.
fn put_all(
    run: &mut Run<'_>,
    form: &Form<'_>,
    client: &Client<'_>,
    n_threads: usize,
    batches: VecDeque<(usize, usize)>,
    progress: &dyn Fn(Progress),
) -> Result<(), Ended> {
    let (asked, order) = (run.asked, run.order.clone());
    let total = order.len() as u64;
    let tell = |n_answered: usize| {
        progress(Progress {
            done: n_answered as u64,
            total,
            unit: Unit::Answers,
        });
    };
    tell(run.n_answered);
    let n_threads = n_threads.min(batches.len());
    let batches = Mutex::new(batches);
    let shared = Mutex::new(run);
    let (sender, receiver) = mpsc::channel();
    let one = |(first, end): (usize, usize)| -> Result<usize, Ended> {
        let said = put(form, client, asked, &order[first..end])?;
        let mut run = shared.lock().unwrap_or_else(|error| error.into_inner());
        run.check(&said).map_err(Ended::Reason)?;
        let values: Vec<Value> = said.answers.iter().map(as_json).collect();
        run.keep(&json!({ "first": first, "answers": values, "version": said.version }))?;
        let taken = run.take(first, said.answers);
        debug_assert!(taken.is_ok(), "{taken:?}");
        Ok(run.n_answered)
    };
    let next = || {
        let mut batches = batches.lock().unwrap_or_else(|error| error.into_inner());
        batches.pop_front()
    };
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            let sender = sender.clone();
            let (one, next) = (&one, &next);
            scope.spawn(move || {
                while let Some(batch) = next() {
                    let outcome = one(batch);
                    let has_failed = outcome.is_err();
                    if has_failed {
                        client.end();
                    }
                    // The receiver lives until all threads are done.
                    let _ = sender.send(outcome);
                    if has_failed {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut first_failure: Option<Ended> = None;
        for outcome in receiver {
            match outcome {
                Ok(n_answered) => tell(n_answered),
                Err(ended) => {
                    // A thread that was only told to end says less than the one that made it end.
                    let is_stop = matches!(ended, Ended::Reason(Reason::Stopped));
                    match &first_failure {
                        Some(Ended::Reason(Reason::Stopped)) if !is_stop => {
                            first_failure = Some(ended);
                        }
                        Some(_) => {}
                        None => first_failure = Some(ended),
                    }
                }
            }
        }
        first_failure.map_or(Ok(()), Err)
    })
}

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
