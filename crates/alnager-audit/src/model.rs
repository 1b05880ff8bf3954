//! Models that are asked for the decision or score of each row: an ONNX file, or an endpoint over HTTP.

use std::collections::BTreeMap;

use alnager_law::read::{Node, ReadError};
use serde::{Deserialize, Serialize};

use crate::declared::{Audit, DecisionBy};

/// A model whose answers are one more column of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The column that its answers are counted as.
    pub gives: String,
    /// What it is told of each row, in the order it expects.
    pub inputs: Vec<Input>,
    /// Where it is.
    pub by: ModelBy,
}

/// One input of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The model's name for it.
    pub name: String,
    /// The column of the data.
    pub column: String,
    /// What it holds.
    pub kind: InputKind,
}

/// What an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

/// Where a model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelBy {
    /// An ONNX file, run here.
    Onnx(Onnx),
    /// A service, asked over HTTP.
    Endpoint(Box<Endpoint>),
}

/// An ONNX file and the part of its output that is the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onnx {
    /// The file, relative to the declaration.
    pub file: String,
    /// The output; without it the model's only one, or its first of numbers.
    pub output: Option<String>,
    /// The position within the output's last axis, where that is longer than 1.
    pub at: Option<usize>,
}

/// A service that answers rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its address, without secrets.
    pub url: String,
    /// How rows are put and answers are read.
    pub protocol: Protocol,
    /// The version that its maker declares, held against what it says of itself.
    pub version: Option<String>,
    /// Where the secret that opens it is found; never the secret.
    pub auth: Option<Auth>,
    /// Most rows of one request, from 1.
    pub batch: usize,
    /// Most requests under way at once, from 1.
    pub concurrency: usize,
    /// Most requests a second.
    pub per_second: Option<f64>,
    /// Seconds after which a request is given up.
    pub timeout_s: f64,
    /// How often a request is tried again, with growing pauses.
    pub retries: u32,
    /// The number of canary rows: the first rows of the data with different inputs.
    pub canaries: usize,
}

/// How rows are put to an endpoint and answers are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// MLflow's scoring protocol: `dataframe_split` to `/invocations`, `predictions` back.
    Mlflow {
        /// The path to one row's answer within its prediction, as a JSON pointer; empty where the prediction is the answer.
        answer: String,
    },
    /// KServe's version 2, the Open Inference Protocol, as JSON.
    Kserve {
        /// The name of the model.
        model: String,
        /// The output that holds the answers; without it the first.
        output: Option<String>,
        /// The position within a row of the output, where a row has several.
        at: Option<usize>,
    },
    /// JSON of the vendor's own form.
    Json {
        /// The request: a JSON text in which `{{rows}}` stands for the list of rows (objects by input name), or `{{NAME}}` for
        /// one input of a single row.
        request: String,
        /// The path to the list of answers, or for a request of one row to its answer, as a JSON pointer.
        answers: String,
        /// The path from an element of that list to the answer, as a JSON pointer; empty where the element is the answer.
        answer: String,
        /// The path to the version that the answer states, as a JSON pointer.
        version: Option<String>,
    },
}

/// Where the secret of an endpoint is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The header, such as `Authorization`.
    pub header: String,
    /// What stands before the secret in the header, such as `Bearer `.
    pub prefix: String,
    /// Where the secret is.
    pub secret: Secret,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// In an environment variable of this name.
    Env(String),
    /// In a file of this path, relative to the declaration; its last line end is left out.
    File(String),
}

/// What answered the rows of an audit: sealed with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelStamp {
    /// `onnx`, `mlflow`, `kserve` or `json`.
    pub kind: String,
    /// The file's name, or the endpoint's address.
    pub name: String,
    /// SHA-256 of the file, or of all answers as they were counted, hexadecimal.
    pub sha256: String,
    /// The version that the endpoint states of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of the answers on the canary rows, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canaries: Option<String>,
    /// The inputs: the model's name for each and the column it was filled from.
    pub inputs: BTreeMap<String, String>,
}

/// Most rows of one request.
pub const ENDPOINT_ROWS_MAX: i64 = 100_000;

/// Most requests under way at once.
pub const CONCURRENCY_MAX: i64 = 64;

/// Most canary rows.
pub const CANARIES_MAX: i64 = 1000;

impl InputKind {
    /// The words for it.
    pub const WORDS: [&str; 2] = ["number", "text"];

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "number" => Some(InputKind::Number),
            "text" => Some(InputKind::Text),
            _ => None,
        }
    }
}

impl Model {
    /// Reads `[audit.model]`: `gives`, `inputs`, and one of `onnx` (with `output` and `at`) or `endpoint`.
    pub fn read(node: &Node) -> Result<Self, ReadError> {
        node.only(&["gives", "inputs", "onnx", "output", "at", "endpoint"])?;
        let inputs = inputs(node.need("inputs")?)?;
        let by = match (node.get("onnx")?, node.get("endpoint")?) {
            (Some(file), None) => ModelBy::Onnx(Onnx {
                file: file.words()?,
                output: node.get("output")?.map(Node::words).transpose()?,
                at: node.get("at")?.map(place).transpose()?,
            }),
            (None, Some(endpoint)) => {
                for field in ["output", "at"] {
                    if let Some(misplaced) = node.get(field)? {
                        return Err(misplaced.wrong(format!(
                            "`{field}` here belongs to an ONNX file; of an endpoint it stands in `[audit.model.endpoint]`"
                        )));
                    }
                }
                ModelBy::Endpoint(Box::new(Endpoint::read(endpoint, &inputs)?))
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(node.wrong(
                    "a model is in one place: `onnx = \"scorer.onnx\"` or `[audit.model.endpoint]`",
                ));
            }
        };
        Ok(Model {
            gives: node.need("gives")?.words()?,
            inputs,
            by,
        })
    }

    /// Holds the model against the audit it is declared in: its answers are what is decided or scored, and nothing else. The
    /// answer says what is wrong.
    pub fn check(&self, audit: &Audit) -> Result<(), String> {
        let gives = self.gives.as_str();
        if audit.derived.iter().any(|derived| derived.column == gives) {
            return Err(format!(
                "`{gives}` is a derived column and also what the model gives; rename one"
            ));
        }
        let is_answered = |column: &str| {
            column == gives
                || audit
                    .derived
                    .iter()
                    .any(|derived| derived.column == column && derived.from == gives)
        };
        let decided = match &audit.decision.by {
            DecisionBy::Column(binary) => binary.column.as_str(),
            DecisionBy::Threshold { column, .. } => column,
        };
        let score = audit.score.as_ref().map(|score| score.column.as_str());
        if !is_answered(decided) && !score.is_some_and(is_answered) {
            return Err(format!(
                "the model gives `{gives}`, which is neither the decision nor the score, nor what one of them is derived from; \
                 name it in `decision` or `score`"
            ));
        }
        let label = audit.label.iter().map(|label| ("outcome", &label.column));
        let attributes = audit.attributes.iter();
        let others = label
            .chain(attributes.map(|attribute| ("attribute", &attribute.column)))
            .chain(audit.strata.iter().map(|column| ("stratum", column)))
            .chain(audit.period.iter().map(|column| ("period", column)))
            .chain(audit.weight.iter().map(|column| ("weight", column)))
            .chain(audit.person.iter().map(|column| ("person", column)))
            .chain(self.inputs.iter().map(|input| ("input", &input.column)));
        for (part, column) in others {
            if is_answered(column) {
                return Err(format!(
                    "`{column}` is the model's answer and also the {part}; name another column"
                ));
            }
        }
        if let Some(condition) = &audit.filter
            && let Ok((_, vocabulary)) = alnager_law::rule::over_columns(condition)
            && let Some(asked) = vocabulary
                .kinds()
                .iter()
                .find(|kind| is_answered(&kind.name))
        {
            return Err(format!(
                "`where` asks for `{}`, the model's answer, but only rows that meet the condition are put to the model; leave it \
                 out of the condition",
                asked.name
            ));
        }
        Ok(())
    }
}

/// A place within a row of an output, from 0.
fn place(node: &Node) -> Result<usize, ReadError> {
    within(node, 0, 1_000_000).map(|at| at as usize)
}

/// A whole number from `least` to `most`.
fn within(node: &Node, least: i64, most: i64) -> Result<i64, ReadError> {
    match node.integer()? {
        number if (least..=most).contains(&number) => Ok(number),
        number => Err(node.wrong(format!("`{number}` lies outside {least} to {most}"))),
    }
}

/// The inputs: names of columns of numbers, or tables of `name`, `column` and `kind`.
fn inputs(node: &Node) -> Result<Vec<Input>, ReadError> {
    let mut inputs: Vec<Input> = Vec::new();
    for item in node.list()? {
        let input = match item.text() {
            Ok(_) => {
                let column = item.words()?;
                Input {
                    name: column.clone(),
                    column,
                    kind: InputKind::Number,
                }
            }
            Err(_) => {
                item.only(&["name", "column", "kind"])?;
                let column = item.need("column")?.words()?;
                Input {
                    name: match item.get("name")? {
                        Some(name) => name.words()?,
                        None => column.clone(),
                    },
                    kind: match item.get("kind")? {
                        Some(kind) => InputKind::of(&kind.one_of(InputKind::WORDS)?)
                            .unwrap_or(InputKind::Number),
                        None => InputKind::Number,
                    },
                    column,
                }
            }
        };
        if inputs.iter().any(|other| other.name == input.name) {
            return Err(item.wrong(format!(
                "two inputs are called `{}`; give one another `name`",
                input.name
            )));
        }
        inputs.push(input);
    }
    if inputs.is_empty() {
        return Err(node.wrong("a model needs at least one input"));
    }
    Ok(inputs)
}

impl Endpoint {
    /// Reads `[audit.model.endpoint]`.
    fn read(node: &Node, inputs: &[Input]) -> Result<Self, ReadError> {
        let common = [
            "url",
            "protocol",
            "version",
            "auth",
            "batch",
            "concurrency",
            "per_second",
            "timeout_s",
            "retries",
            "canaries",
        ];
        let word = node
            .need("protocol")?
            .one_of(["mlflow", "kserve", "json"])?;
        let own: &[&str] = match word.as_str() {
            "mlflow" => &["answer"],
            "kserve" => &["model", "output", "at"],
            _ => &["request", "answers", "answer", "version_at"],
        };
        node.only(&[&common, own].concat())?;
        let url = node.need("url")?;
        check_url(&url.words()?).map_err(|problem| url.wrong(problem))?;
        let protocol = match word.as_str() {
            "mlflow" => Protocol::Mlflow {
                answer: pointer(node, "answer")?.unwrap_or_default(),
            },
            "kserve" => Protocol::Kserve {
                model: node.need("model")?.words()?,
                output: node.get("output")?.map(Node::words).transpose()?,
                at: node.get("at")?.map(place).transpose()?,
            },
            _ => Protocol::Json {
                request: request(node.need("request")?, inputs)?,
                answers: pointer(node, "answers")?.unwrap_or_default(),
                answer: pointer(node, "answer")?.unwrap_or_default(),
                version: pointer(node, "version_at")?,
            },
        };
        let one_row =
            matches!(&protocol, Protocol::Json { request, .. } if !request.contains(ROWS));
        let whole = |field: &str, least, most, default| match node.get(field)? {
            Some(number) => within(number, least, most),
            None => Ok(default),
        };
        let batch = whole("batch", 1, ENDPOINT_ROWS_MAX, if one_row { 1 } else { 100 })?;
        if let Some(field) = node.get("batch")?
            && one_row
            && batch > 1
        {
            return Err(field.wrong(
                "the request has no `{{rows}}`, so it holds one row; leave `batch` out, or put `{{rows}}` in `request`",
            ));
        }
        Ok(Endpoint {
            url: url.words()?,
            protocol,
            version: node.get("version")?.map(Node::words).transpose()?,
            auth: node.get("auth")?.map(auth).transpose()?,
            batch: batch as usize,
            concurrency: whole("concurrency", 1, CONCURRENCY_MAX, 4)? as usize,
            per_second: node
                .get("per_second")?
                .map(|rate| between(rate, 0.001, 100_000.0))
                .transpose()?,
            timeout_s: match node.get("timeout_s")? {
                Some(seconds) => between(seconds, 0.1, 3600.0)?,
                None => 30.0,
            },
            retries: whole("retries", 0, 20, 5)? as u32,
            canaries: whole("canaries", 0, CANARIES_MAX, 5)? as usize,
        })
    }
}

/// A number from `least` to `most`.
fn between(node: &Node, least: f64, most: f64) -> Result<f64, ReadError> {
    match node.number()? {
        number if (least..=most).contains(&number) => Ok(number),
        number => Err(node.wrong(format!("`{number}` lies outside {least} to {most}"))),
    }
}

/// What stands for the list of rows in a request.
const ROWS: &str = "{{rows}}";

/// The request: JSON once something stands in the place of what is filled in, all of it known.
fn request(node: &Node, inputs: &[Input]) -> Result<String, ReadError> {
    let text = node.words()?;
    let (mut filled, mut rest, mut n_filled) = (String::new(), text.as_str(), 0);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else {
            return Err(node.wrong("`{{` is not closed with `}}`"));
        };
        let is_rows = name == "rows";
        if !is_rows && inputs.iter().all(|input| input.name != name) {
            return Err(node.wrong(format!(
                "`{{{{{name}}}}}` is neither `{ROWS}` nor an input; the inputs are {}",
                inputs
                    .iter()
                    .map(|input| format!("`{}`", input.name))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        if text.contains(ROWS) && !is_rows {
            return Err(node.wrong(format!(
                "the request has `{ROWS}`, whose rows hold every input; leave `{{{{{name}}}}}` out"
            )));
        }
        filled.push_str(before);
        filled.push_str("null");
        n_filled += 1;
        rest = after;
    }
    filled.push_str(rest);
    if n_filled == 0 {
        return Err(node.wrong(format!(
            "the request says nothing of the row; write `{ROWS}` where the list of rows stands, or `{{{{{}}}}}` for an input",
            inputs.first().map_or("NAME", |input| input.name.as_str())
        )));
    }
    match serde_json::from_str::<serde_json::Value>(&filled) {
        Ok(_) => Ok(text),
        Err(error) => Err(node.wrong(format!(
            "the request is not JSON once values stand in it ({error}); write `{ROWS}` and names without quotes around them"
        ))),
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(node: &Node, field: &str) -> Result<Option<String>, ReadError> {
    let Some(node) = node.get(field)? else {
        return Ok(None);
    };
    let text = node.text()?;
    if text.is_empty() || text.starts_with('/') {
        Ok(Some(text))
    } else {
        Err(node.wrong(format!(
            "`{text}` is not a JSON pointer; write `/{text}` for the member `{text}`"
        )))
    }
}

/// Where the secret is; a secret itself has no field.
fn auth(node: &Node) -> Result<Auth, ReadError> {
    node.only(&["header", "prefix", "env", "file"])?;
    let header = match node.get("header")? {
        Some(header) => header.words()?,
        None => "Authorization".to_owned(),
    };
    let is_token = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    if !header.chars().all(is_token) {
        return Err(node.wrong(format!("`{header}` is not the name of an HTTP header")));
    }
    let prefix = match node.get("prefix")? {
        Some(prefix) => prefix.text()?,
        None if header.eq_ignore_ascii_case("authorization") => "Bearer ".to_owned(),
        None => String::new(),
    };
    if prefix.chars().any(char::is_control) {
        return Err(node.wrong("`prefix` is one line of text, such as `Bearer `"));
    }
    let secret = match (node.get("env")?, node.get("file")?) {
        (Some(name), None) => {
            let word = name.words()?;
            if word.contains(['=', '\0']) {
                return Err(
                    name.wrong("`env` is the name of an environment variable, never its value")
                );
            }
            Secret::Env(word)
        }
        (None, Some(file)) => Secret::File(file.words()?),
        (None, None) | (Some(_), Some(_)) => {
            return Err(node.wrong(
                "a secret is in one place: `env = \"SCORER_TOKEN\"` or `file = \"token.txt\"`; it is never written here",
            ));
        }
    };
    Ok(Auth {
        header,
        prefix,
        secret,
    })
}

/// An address that can be sealed and shown: HTTP or HTTPS, with a host, and without a secret.
pub fn check_url(url: &str) -> Result<(), String> {
    let rest = match url.split_once("://") {
        Some((scheme, rest))
            if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
        {
            rest
        }
        _ => return Err("an address begins with `https://` or `http://`".to_owned()),
    };
    if url
        .chars()
        .any(|char| char.is_whitespace() || char.is_control())
    {
        return Err("an address has no white space; write it as `%20`".to_owned());
    }
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(host_end);
    if host.contains('@') {
        return Err(
            "an address here holds no user and password, because it is sealed and shown; name where the secret is in `auth`"
                .to_owned(),
        );
    }
    if host.is_empty() || host.starts_with(':') {
        return Err("the address names no host".to_owned());
    }
    let (path, fragment) = path
        .split_once('#')
        .map_or((path, None), |(path, rest)| (path, Some(rest)));
    if fragment.is_some() {
        return Err("an address that is asked has no part behind `#`; leave it out".to_owned());
    }
    let query = path.split_once('?').map_or("", |(_, query)| query);
    const SECRETS: [&str; 11] = [
        "token",
        "key",
        "secret",
        "password",
        "passwd",
        "pwd",
        "sig",
        "signature",
        "auth",
        "credential",
        "code",
    ];
    for part in query.split(['&', ';']) {
        let name = part
            .split_once('=')
            .map_or(part, |(name, _)| name)
            .to_lowercase();
        let words = name.split(|char: char| !char.is_ascii_alphanumeric());
        let is_secret = words.clone().any(|word| {
            SECRETS.contains(&word) || SECRETS[..6].iter().any(|secret| word.ends_with(secret))
        });
        if is_secret {
            return Err(format!(
                "`{name}` in the address looks like a secret, and the address is sealed and shown; put it in a header, with `auth`"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
