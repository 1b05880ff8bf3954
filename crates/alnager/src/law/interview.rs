//! `alnager law interview`.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use alnager_law::fact::{FactKind, FactType, Value as Answer};
use alnager_law::interview::Question;
use alnager_law::read::nearest;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::interview::{
    Ending, Interview, Packs, Place, Request, read_answer, to_json,
};
use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::{self, complain, say};

/// Requirements printed with what they ask; the others by id.
const N_SHOWN: usize = 12;

/// Stands for a space at which no line breaks: a number and its answer stay together.
const TIED: char = '\u{a0}';

/// What the interview is about.
#[derive(Debug, Args)]
pub(crate) struct InterviewArguments {
    /// The folder that holds `system.toml`; every answer is written there at once
    #[arg(value_name = "DIR", required_unless_present = "facts")]
    pub(crate) system: Option<PathBuf>,
    /// Instead: a JSON object of facts, or one that holds them under `facts`
    #[arg(long, value_name = "FILE", conflicts_with = "system")]
    pub(crate) facts: Option<PathBuf>,
    /// Only these packs, such as eu-ai-act,gdpr; without it, all law that binds
    #[arg(long, value_name = "PACK,…", value_delimiter = ',')]
    pub(crate) packs: Vec<String>,
    /// Standards, frameworks, guidance and bills too
    #[arg(long, conflicts_with = "packs")]
    pub(crate) all: bool,
    /// On what basis answers are given that name none of their own (`answer # basis`)
    #[arg(long, value_name = "TEXT")]
    pub(crate) basis: Option<String>,
}

/// What a line says.
enum Said<'l> {
    Nothing,
    Why,
    Unknown,
    Back,
    Quit,
    Given {
        fact: usize,
        answer: Option<Answer>,
        basis: Option<&'l str>,
    },
}

/// Where the loop goes on.
enum Then {
    Ask,
    Again,
    Stop,
}

/// Asks until nothing is open, or prints the next question as JSON.
pub(crate) async fn run(
    flags: &Flags,
    arguments: &InterviewArguments,
    format: Format,
) -> Result<u8, JobError> {
    let place = match (&arguments.facts, &arguments.system) {
        (Some(facts), _) => Place::Facts(facts.clone()),
        (None, Some(system)) => Place::Declared(system.clone()),
        (None, None) => Place::Declared(PathBuf::from(".")),
    };
    let packs = match (arguments.all, arguments.packs.as_slice()) {
        (true, _) => Packs::All,
        (false, []) => Packs::Binding,
        (false, names) => Packs::Named(names.to_vec()),
    };
    let request = Request {
        place,
        packs,
        basis: arguments.basis.clone(),
    };
    let mut interview = Interview::begin(flags, &request).await?;
    match format {
        Format::Json => say(&pretty(&next_json(&interview))),
        Format::Text => {
            converse(&mut interview)?;
            let ending = interview.ending();
            say(&ending_words(
                &interview,
                &ending,
                &next_command(&request, &interview, &ending),
            ));
        }
    }
    Ok(CLEAR)
}

/// Asks and listens until nothing is open or the person stops. On a terminal a wrong answer is asked again; elsewhere it ends the
/// command, and what was answered before stands.
fn converse(interview: &mut Interview) -> Result<(), JobError> {
    let is_terminal = std::io::stdin().is_terminal();
    let mut lines = std::io::stdin().lock().lines();
    let (mut n_line, mut asked): (usize, Vec<usize>) = (0, Vec::new());
    let mut revisited: Option<usize> = None;
    loop {
        let question = match revisited.take() {
            Some(fact) => Some(interview.question_about(fact)),
            None => interview.question(),
        };
        let Some(question) = question else {
            return Ok(());
        };
        say(&question_words(interview, &question, is_terminal));
        loop {
            let line = match lines.next() {
                None => return Ok(()),
                Some(line) => line.map_err(|error| {
                    JobError::Input(format!("line {} of the answers: {error}", n_line + 1))
                })?,
            };
            n_line += 1;
            let heard = listen(interview, &question, &line)
                .and_then(|said| follow(interview, &question, said, &mut asked, &mut revisited));
            match heard {
                Ok(Then::Ask) => break,
                Ok(Then::Again) => {}
                Ok(Then::Stop) => return Ok(()),
                Err(error) if is_terminal && error.is_input() => complain(&error.to_string()),
                Err(JobError::Input(problem)) => {
                    return Err(JobError::Input(format!(
                        "line {n_line} of the answers: {problem}; the answers before it are written"
                    )));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Understands a line: a word of the interview, an answer to the question, or `fact = answer`.
fn listen<'l>(
    interview: &Interview,
    question: &Question,
    line: &'l str,
) -> Result<Said<'l>, JobError> {
    let (text, basis) = match line.split_once(" #") {
        Some((text, basis)) => (text.trim(), Some(basis)),
        None => (line.trim(), None),
    };
    let vocabulary = &interview.book().vocabulary;
    let (fact, text) = match text.split_once('=') {
        None => (question.fact, text),
        Some((name, text)) => {
            let name = name.trim();
            let fact = vocabulary.position(name).ok_or_else(|| {
                let hint = nearest(name, vocabulary.names());
                JobError::Input(format!("there is no fact `{name}`; {hint}"))
            })?;
            (fact, text.trim())
        }
    };
    Ok(match text {
        "" => Said::Nothing,
        _ if text.starts_with('#') => Said::Nothing,
        "?" => Said::Why,
        "back" => Said::Back,
        "quit" => Said::Quit,
        "unknown" if fact == question.fact => Said::Unknown,
        "unknown" => Said::Given {
            fact,
            answer: None,
            basis,
        },
        text => {
            let answer = read_answer(interview.kind(fact), text).map_err(JobError::Input)?;
            Said::Given {
                fact,
                answer: Some(answer),
                basis,
            }
        }
    })
}

fn follow(
    interview: &mut Interview,
    question: &Question,
    said: Said<'_>,
    asked: &mut Vec<usize>,
    revisited: &mut Option<usize>,
) -> Result<Then, JobError> {
    match said {
        Said::Nothing => Ok(Then::Again),
        Said::Quit => Ok(Then::Stop),
        Said::Why => {
            say(&why_words(interview, question));
            Ok(Then::Again)
        }
        Said::Back => match asked.pop() {
            None => Err(JobError::Input("this is the first question".to_owned())),
            Some(fact) => {
                *revisited = Some(fact);
                Ok(Then::Ask)
            }
        },
        Said::Unknown => {
            interview.leave_unknown(question.fact)?;
            say(&format!(
                "{}: left unknown",
                interview.kind(question.fact).name
            ));
            asked.push(question.fact);
            Ok(Then::Ask)
        }
        Said::Given {
            fact, answer: None, ..
        } => {
            interview.leave_unknown(fact)?;
            say(&format!("{}: left unknown", interview.kind(fact).name));
            asked.push(fact);
            Ok(Then::Ask)
        }
        Said::Given {
            fact,
            answer: Some(answer),
            basis,
        } => {
            interview.answer(fact, &answer, basis)?;
            let kind = interview.kind(fact);
            let waits = if interview.system().is_some() && kind.is_guarded(&answer) {
                "; it counts once someone outside the team confirms it"
            } else {
                ""
            };
            say(&format!("{}: {answer}, written{waits}", kind.name));
            asked.push(fact);
            Ok(Then::Ask)
        }
    }
}

fn question_words(interview: &Interview, question: &Question, is_terminal: bool) -> String {
    let kind = interview.kind(question.fact);
    let progress = interview.progress();
    let mut lines = vec![
        String::new(),
        format!(
            "{} answered, {} requirements open",
            interview.n_answered(),
            progress.open.len()
        ),
        format!("{} [{}]", one_line(&kind.question), kind.name),
    ];
    if let Some(answer) = interview.answer_of(question.fact) {
        lines.push(format!("  so far: {}", answer.value));
    }
    lines.push(format!("  {}", expected(kind)));
    if is_terminal {
        lines.push("  (? why · unknown · back · quit · add ` # basis` to an answer)".to_owned());
    }
    wrapped(&lines)
}

/// The answers a question takes.
fn expected(kind: &FactKind) -> String {
    let numbered = |values: &[String]| {
        let numbered = values.iter().enumerate();
        let numbered = numbered.map(|(at, value)| format!("{}{TIED}{value}", at + 1));
        numbered.collect::<Vec<_>>().join(" · ")
    };
    match &kind.of {
        FactType::Bool => "1 yes · 2 no".to_owned(),
        FactType::Number => "a number, or none".to_owned(),
        FactType::Date => "a day such as 2026-08-02, or none".to_owned(),
        FactType::Enum(values) => format!("one of: {}", numbered(values)),
        FactType::Set(values) => format!("all that apply, or none: {}", numbered(values)),
    }
}

fn why_words(interview: &Interview, question: &Question) -> String {
    let kind = interview.kind(question.fact);
    let book = interview.book();
    let mut lines = Vec::new();
    for asking in &question.asked_by {
        let pack = asking.requirements.first().map(|first| first.pack());
        let title = pack.map_or(asking.pack.as_str(), |pack| pack.title.as_str());
        lines.push(format!(
            "asked by {title}, for {}:",
            asking.requirements.len()
        ));
        for requirement in asking.requirements.iter().take(N_SHOWN) {
            let text = requirement.text();
            lines.push(format!(
                "  {} ({}): {}",
                text.id,
                text.cite,
                one_line(&text.what)
            ));
        }
        let ids = asking.requirements.iter().skip(N_SHOWN);
        let ids: Vec<&str> = ids
            .map(|requirement| requirement.text().id.as_str())
            .collect();
        if !ids.is_empty() {
            lines.push(format!("  and {}", ids.join(", ")));
        }
    }
    if !question.derived.is_empty() {
        let names = question.derived.iter();
        let names: Vec<&str> = names.map(|at| book.derived(*at).name.as_str()).collect();
        lines.push(format!("it helps decide {}", names.join(", ")));
    }
    for answer in &question.answers {
        let once = if answer.is_guarded && interview.system().is_some() {
            ", once confirmed"
        } else {
            ""
        };
        let left = question.n_open - answer.n_settled;
        lines.push(format!(
            "  {}: settles {}{once}, {left} stay open",
            answer.words, answer.n_settled
        ));
    }
    if let Some(cite) = &kind.guard_cite {
        let answers = kind.guarded.join(", ");
        lines.push(format!(
            "`{answers}` counts once someone outside the team confirms it: {}",
            one_line(cite)
        ));
    }
    wrapped(&lines)
}

fn next_json(interview: &Interview) -> Value {
    let progress = interview.progress();
    let question = interview
        .question()
        .map(|question| question_json(interview, &question));
    json!({
        "question": question,
        "open": progress.open.len(),
        "answered": interview.n_answered(),
        "requirements": progress.n_requirements,
        "unconfirmed": progress.unconfirmed.len(),
    })
}

fn question_json(interview: &Interview, question: &Question) -> Value {
    let kind = interview.kind(question.fact);
    let (of, values) = match &kind.of {
        FactType::Bool => ("bool", None),
        FactType::Number => ("number", None),
        FactType::Date => ("date", None),
        FactType::Enum(values) => ("enum", Some(values)),
        FactType::Set(values) => ("set", Some(values)),
    };
    let answers: Vec<Value> = question
        .answers
        .iter()
        .map(|answer| {
            json!({
                "answer": to_json(&answer.value),
                "words": answer.words,
                "settles": answer.n_settled,
                "open": question.n_open - answer.n_settled,
                "guarded": answer.is_guarded,
            })
        })
        .collect();
    let asked_by: Vec<Value> = question
        .asked_by
        .iter()
        .map(|asking| {
            let requirements: Vec<Value> = asking
                .requirements
                .iter()
                .map(|requirement| {
                    let text = requirement.text();
                    json!({ "id": text.id, "cite": text.cite, "what": one_line(&text.what) })
                })
                .collect();
            json!({ "pack": asking.pack, "requirements": requirements })
        })
        .collect();
    let derived = question.derived.iter();
    let derived: Vec<&str> = derived
        .map(|at| interview.book().derived(*at).name.as_str())
        .collect();
    json!({
        "fact": kind.name,
        "question": one_line(&kind.question),
        "type": of,
        "values": values,
        "answers": answers,
        "asked_by": asked_by,
        "derived": derived,
    })
}

fn ending_words(interview: &Interview, ending: &Ending, next: &[String]) -> String {
    let mut lines = vec![
        String::new(),
        format!(
            "on {}, law as known on {}: {} answered",
            ending.when.valid,
            ending.when.known,
            interview.n_answered()
        ),
    ];
    lines.push(format!("in force {}", ending.in_force.len()));
    for (id, what) in ending.in_force.iter().take(N_SHOWN) {
        lines.push(format!("  {id}: {}", one_line(what)));
    }
    let rest = ending
        .in_force
        .iter()
        .skip(N_SHOWN)
        .map(|(id, _)| id.as_str());
    push_rest(&mut lines, rest);
    lines.push(format!("ahead {}", ending.ahead.len()));
    for (id, day, what) in ending.ahead.iter().take(N_SHOWN) {
        lines.push(format!("  {id} from {day}: {}", one_line(what)));
    }
    let rest = ending
        .ahead
        .iter()
        .skip(N_SHOWN)
        .map(|(id, _, _)| id.as_str());
    push_rest(&mut lines, rest);
    lines.push(format!("not applicable {}", ending.n_not_applicable));
    if !ending.unconfirmed.is_empty() {
        lines.push("waiting for confirmation by someone outside the team:".to_owned());
    }
    for (fact, ids) in &ending.unconfirmed {
        lines.push(format!("  {fact}: {}", ids.join(", ")));
    }
    if !ending.unanswered.is_empty() {
        lines.push("open for want of an answer:".to_owned());
    }
    let mut unanswered: Vec<(&String, usize)> = ending
        .unanswered
        .iter()
        .map(|(fact, ids)| (fact, ids.len()))
        .collect();
    unanswered.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (fact, n) in unanswered.iter().take(N_SHOWN) {
        lines.push(format!("  {fact}: {n} requirements"));
    }
    push_rest(
        &mut lines,
        unanswered
            .iter()
            .skip(N_SHOWN)
            .map(|(fact, _)| fact.as_str()),
    );
    lines.push("next:".to_owned());
    lines.extend(next.iter().map(|command| format!("  {command}")));
    wrapped(&lines)
}

fn push_rest<'i>(lines: &mut Vec<String>, rest: impl Iterator<Item = &'i str>) {
    let rest: Vec<&str> = rest.collect();
    if !rest.is_empty() {
        lines.push(format!("  and {}", rest.join(", ")));
    }
}

/// What to do next.
fn next_command(request: &Request, interview: &Interview, ending: &Ending) -> Vec<String> {
    let mut next = Vec::new();
    match (&request.place, interview.system()) {
        (Place::Declared(path), Some(system)) => {
            if !ending.unanswered.is_empty() {
                let packs = match &request.packs {
                    Packs::Binding => String::new(),
                    Packs::All => " --all".to_owned(),
                    Packs::Named(names) => format!(" --packs {}", names.join(",")),
                };
                next.push(format!("alnager law interview {}{packs}", path.display()));
            }
            next.push(format!("alnager review {}", path.display()));
            let facts = ending.unconfirmed.keys();
            next.extend(facts.map(|fact| {
                format!("alnager fact confirm {system} {fact} --basis TEXT --as NAME")
            }));
        }
        (Place::Declared(path) | Place::Facts(path), _) => {
            next.push(format!("alnager law map --facts {}", path.display()));
        }
    }
    next
}

/// Lines of at most the terminal's width; what runs over is indented by four.
fn wrapped(lines: &[String]) -> String {
    let width = terminal::style().width;
    let mut page: Vec<String> = Vec::new();
    for line in lines {
        let mut part = " ".repeat(line.len() - line.trim_start().len());
        let mut is_first = true;
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            if !is_first && part.chars().count() + 1 + word.chars().count() > width {
                page.push(std::mem::replace(&mut part, " ".repeat(4)));
            } else if !is_first {
                part.push(' ');
            }
            part.push_str(word);
            is_first = false;
        }
        page.push(part);
    }
    page.join("\n").replace(TIED, " ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
