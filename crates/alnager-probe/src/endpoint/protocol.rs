//! How rows are put to an endpoint and how its answers are read. No network here: texts in, texts out.

use alnager_audit::canary::Answer;
use alnager_audit::model::{Endpoint, Input, InputKind, Protocol, Template};
use serde_json::{Map, Number, Value, json};

use super::rows::AskedValue;
use super::{EndpointProblem, Reason};
use crate::asked::Asked;

/// Longest answer for one row, in bytes. A decision is a word, not an essay.
const TEXT_BYTES_MAX: usize = 1000;

/// How one endpoint is asked.
#[derive(Debug, Clone)]
pub(super) struct Form<'a> {
    inputs: &'a [Input],
    kind: Kind<'a>,
    /// The address that rows are put to.
    pub(super) url: String,
    /// Most rows of one request.
    pub(super) rows_max: usize,
}

#[derive(Debug, Clone)]
enum Kind<'a> {
    Mlflow {
        answer: &'a str,
    },
    Kserve {
        output: Option<&'a str>,
        at: Option<usize>,
        tensor: Option<&'a str>,
        /// What the model says of its inputs, where it says anything.
        tensors: Vec<Tensor>,
    },
    Json {
        template: Template,
        answers: &'a str,
        answer: &'a str,
        version: Option<&'a str>,
    },
}

/// What a model says of one of its inputs.
#[derive(Debug, Clone)]
struct Tensor {
    name: String,
    datatype: String,
    rank: usize,
}

/// What one answer says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// One answer a row, in the order asked.
    pub(super) answers: Vec<Answer>,
    /// The version stated.
    pub(super) version: Option<String>,
}

impl<'a> Form<'a> {
    pub(super) fn new(
        endpoint: &'a Endpoint,
        inputs: &'a [Input],
    ) -> Result<Form<'a>, EndpointProblem> {
        if inputs.is_empty() {
            return Err(EndpointProblem::NoInputs);
        }
        let base = endpoint.url.trim_end_matches('/');
        let mut rows_max = endpoint.batch.max(1);
        let (kind, url) = match &endpoint.protocol {
            Protocol::Mlflow { answer } => {
                let url = match base.ends_with("/invocations") || base.contains('?') {
                    true => base.to_owned(),
                    false => format!("{base}/invocations"),
                };
                (Kind::Mlflow { answer }, url)
            }
            Protocol::Kserve {
                model,
                output,
                at,
                tensor,
            } => {
                let kind = Kind::Kserve {
                    output: output.as_deref(),
                    at: *at,
                    tensor: tensor.as_deref(),
                    tensors: Vec::new(),
                };
                if let (Some(tensor), Some(input)) = (tensor, texts(inputs).next()) {
                    return Err(EndpointProblem::TextInTensor {
                        input: input.name.clone(),
                        tensor: tensor.clone(),
                    });
                }
                (kind, format!("{base}/v2/models/{}/infer", escaped(model)))
            }
            Protocol::Json {
                request,
                answers,
                answer,
                version,
            } => {
                let template =
                    Template::read(request).map_err(|why| EndpointProblem::Request { why })?;
                if !template.takes_rows {
                    rows_max = 1;
                }
                let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
                if let Some(name) = template.names().find(|name| !names.contains(name)) {
                    let why = format!(
                        "there is no input `{name}`; {}",
                        alnager_law::read::nearest(name, names.iter().copied())
                    );
                    return Err(EndpointProblem::Request { why });
                }
                let kind = Kind::Json {
                    template,
                    answers,
                    answer,
                    version: version.as_deref(),
                };
                (kind, endpoint.url.clone())
            }
        };
        Ok(Form {
            inputs,
            kind,
            url,
            rows_max,
        })
    }

    /// Where the model describes its inputs, if the protocol has such a place.
    pub(super) fn described_at(&self) -> Option<&str> {
        match &self.kind {
            Kind::Kserve { .. } => self.url.strip_suffix("/infer"),
            Kind::Mlflow { .. } | Kind::Json { .. } => None,
        }
    }

    /// Takes over what the model says of its inputs: types and shapes. A description without inputs changes nothing.
    pub(super) fn described(&mut self, body: &[u8]) -> Result<(), EndpointProblem> {
        let Kind::Kserve {
            tensor, tensors, ..
        } = &mut self.kind
        else {
            return Ok(());
        };
        let described: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let found = described["inputs"].as_array().into_iter().flatten();
        let found: Vec<Tensor> = found.filter_map(Tensor::read).collect();
        if found.is_empty() {
            return Ok(());
        }
        let needed: Vec<&str> = match tensor {
            Some(tensor) => vec![*tensor],
            None => self
                .inputs
                .iter()
                .map(|input| input.name.as_str())
                .collect(),
        };
        let is_there = |name: &str| found.iter().any(|tensor| tensor.name == name);
        if let Some(name) = needed.iter().find(|name| !is_there(name)) {
            let names = found.iter().take(16);
            let names: Vec<String> = names
                .map(|tensor| format!("`{}`", crate::error::shown(&tensor.name)))
                .collect();
            return Err(EndpointProblem::NoInput {
                input: (*name).to_owned(),
                found: names.join(", "),
            });
        }
        *tensors = found;
        Ok(())
    }

    /// The body of a request for some rows.
    pub(super) fn request(&self, asked: &Asked, rows: &[usize]) -> Result<String, EndpointProblem> {
        let n_inputs = self.inputs.len();
        let row = |row: usize| {
            let columns = asked.columns.iter().take(n_inputs);
            columns.map(move |column| column.value(row))
        };
        Ok(match &self.kind {
            Kind::Mlflow { .. } => {
                let names: Vec<&str> = self
                    .inputs
                    .iter()
                    .map(|input| input.name.as_str())
                    .collect();
                let data: Vec<Vec<Value>> = rows
                    .iter()
                    .map(|at| row(*at).map(as_json).collect())
                    .collect();
                json!({ "dataframe_split": { "columns": names, "data": data } }).to_string()
            }
            Kind::Kserve {
                tensor, tensors, ..
            } => {
                self.check_complete(asked, rows)?;
                let of = |name: &str| tensors.iter().find(|tensor| tensor.name == name);
                let inputs = match tensor {
                    Some(name) => {
                        let data: Vec<Value> =
                            rows.iter().flat_map(|at| row(*at).map(as_json)).collect();
                        let datatype = of(name).map_or("FP64", |tensor| &tensor.datatype);
                        let shape = [rows.len(), self.inputs.len()];
                        json!([{ "name": name, "shape": shape, "datatype": datatype, "data": data }])
                    }
                    None => {
                        let columns = self.inputs.iter().zip(&asked.columns);
                        let tensors = columns.map(|(input, column)| {
                            let data: Vec<Value> =
                                rows.iter().map(|at| as_json(column.value(*at))).collect();
                            let usual = match input.kind {
                                InputKind::Number => "FP64",
                                InputKind::Text => "BYTES",
                            };
                            let said = of(&input.name);
                            let mut shape = vec![rows.len()];
                            shape.resize(said.map_or(2, |tensor| tensor.rank.max(1)), 1);
                            json!({
                                "name": input.name,
                                "shape": shape,
                                "datatype": said.map_or(usual, |tensor| &tensor.datatype),
                                "data": data,
                            })
                        });
                        tensors.collect()
                    }
                };
                json!({ "inputs": inputs }).to_string()
            }
            Kind::Json { template, .. } => {
                let object = |at: usize| -> Value {
                    let names = self.inputs.iter().map(|input| input.name.clone());
                    Value::Object(names.zip(row(at).map(as_json)).collect::<Map<_, _>>())
                };
                let first = rows.first().map_or(Value::Null, |at| object(*at));
                let list = match template.takes_rows {
                    true => Value::Array(rows.iter().map(|at| object(*at)).collect()).to_string(),
                    false => String::new(),
                };
                template.filled(&list, |name| first[name].clone())
            }
        })
    }

    /// A tensor has no place for what is missing.
    fn check_complete(&self, asked: &Asked, rows: &[usize]) -> Result<(), EndpointProblem> {
        for row in rows {
            for (input, column) in self.inputs.iter().zip(&asked.columns) {
                match column.value(*row) {
                    AskedValue::Number(Some(_)) | AskedValue::Text(Some(_)) => {}
                    AskedValue::Number(None) | AskedValue::Text(None) => {
                        return Err(EndpointProblem::Missing {
                            row: row + 1,
                            input: input.name.clone(),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// What an answer to `n_rows` rows says.
    pub(super) fn read(&self, body: &[u8], n_rows: usize) -> Result<Said, Reason> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            malformed(format!(
                "it is not JSON (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        let (answers, version) = match &self.kind {
            Kind::Mlflow { answer } => {
                let list = list_at(&body, "/predictions", n_rows)?;
                (each(list, answer)?, None)
            }
            Kind::Kserve { output, at, .. } => (
                read_tensor(&body, *output, *at, n_rows)?,
                body.get("model_version"),
            ),
            Kind::Json {
                template,
                answers,
                answer,
                version,
            } => {
                let read = match template.takes_rows {
                    true => each(list_at(&body, answers, n_rows)?, answer)?,
                    false => {
                        let at = format!("{answers}{answer}");
                        let found = body
                            .pointer(&at)
                            .ok_or_else(|| malformed(format!("it has nothing at `{at}`")))?;
                        vec![answer_of(found)?]
                    }
                };
                (read, version.and_then(|version| body.pointer(version)))
            }
        };
        let version = match version {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.len() <= TEXT_BYTES_MAX => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => return Err(malformed("its version is no short text".to_owned())),
        };
        Ok(Said { answers, version })
    }
}

impl Tensor {
    fn read(value: &Value) -> Option<Tensor> {
        Some(Tensor {
            name: value["name"].as_str()?.to_owned(),
            datatype: value["datatype"].as_str()?.to_owned(),
            rank: value["shape"].as_array()?.len(),
        })
    }
}

fn texts(inputs: &[Input]) -> impl Iterator<Item = &Input> {
    inputs.iter().filter(|input| input.kind == InputKind::Text)
}

/// A whole number is written without a point, as it stands in most data; a missing or infinite one as null.
fn as_json(value: AskedValue<'_>) -> Value {
    /// Beyond this not every whole number has a float of its own: 2^53.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    match value {
        AskedValue::Text(text) => text.map_or(Value::Null, Value::from),
        AskedValue::Number(None) => Value::Null,
        AskedValue::Number(Some(number)) => {
            if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
                Value::from(number as i64)
            } else {
                Number::from_f64(number).map_or(Value::Null, Value::Number)
            }
        }
    }
}

fn malformed(why: String) -> Reason {
    Reason::Malformed { why }
}

fn list_at<'v>(body: &'v Value, path: &str, n_rows: usize) -> Result<&'v [Value], Reason> {
    match body.pointer(path) {
        Some(Value::Array(list)) if list.len() == n_rows => Ok(list),
        Some(Value::Array(list)) => Err(malformed(format!(
            "it has {} answers to {n_rows} rows",
            list.len()
        ))),
        Some(_) => Err(malformed(format!("what it has at `{path}` is no list"))),
        None => Err(malformed(format!("it has nothing at `{path}`"))),
    }
}

fn each(list: &[Value], path: &str) -> Result<Vec<Answer>, Reason> {
    let answers = list.iter().enumerate().map(|(at, element)| {
        let found = element
            .pointer(path)
            .ok_or_else(|| malformed(format!("answer {} has nothing at `{path}`", at + 1)))?;
        answer_of(found)
    });
    answers.collect()
}

/// One answer: a finite number, or a short text; true and false are texts.
fn answer_of(value: &Value) -> Result<Answer, Reason> {
    let wrong = |what: &str| {
        malformed(format!(
            "an answer is {what}; a number or a short text is needed"
        ))
    };
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(number) if number.is_finite() => Ok(Answer::Number(number)),
            _ => Err(wrong("no finite number")),
        },
        Value::String(text) if text.len() <= TEXT_BYTES_MAX => Ok(Answer::Text(text.clone())),
        Value::String(_) => Err(wrong("a long text")),
        Value::Bool(yes) => Ok(Answer::Text(yes.to_string())),
        Value::Null => Err(wrong("null")),
        Value::Array(_) => Err(wrong("a list")),
        Value::Object(_) => Err(wrong("an object")),
    }
}

/// The answers in an output tensor: flat or nested data in row-major order, with the rows along the first axis.
fn read_tensor(
    body: &Value,
    output: Option<&str>,
    at: Option<usize>,
    n_rows: usize,
) -> Result<Vec<Answer>, Reason> {
    let outputs = body["outputs"]
        .as_array()
        .ok_or_else(|| malformed("it has no list `outputs`".to_owned()))?;
    let found = match output {
        None => outputs.first(),
        Some(name) => outputs.iter().find(|output| output["name"] == *name),
    };
    let tensor = found.ok_or_else(|| {
        malformed(match output {
            None => "`outputs` is empty".to_owned(),
            Some(name) => format!("it has no output `{name}`"),
        })
    })?;
    let shape: Option<Vec<usize>> = tensor["shape"].as_array().and_then(|axes| {
        let axes = axes.iter().map(|axis| usize::try_from(axis.as_u64()?).ok());
        axes.collect()
    });
    let shape = shape.ok_or_else(|| malformed("an output has no `shape`".to_owned()))?;
    let n_first = shape.first().copied().unwrap_or(1);
    if n_first != n_rows {
        return Err(malformed(format!(
            "it has {n_first} answers to {n_rows} rows"
        )));
    }
    let width = shape
        .iter()
        .skip(1)
        .try_fold(1_usize, |all, axis| all.checked_mul(*axis));
    let width = width.unwrap_or(0);
    let mut flat = Vec::new();
    flatten(&tensor["data"], &mut flat);
    if width == 0 || Some(flat.len()) != width.checked_mul(n_rows) {
        return Err(malformed(format!(
            "an output of shape {shape:?} has {} values",
            flat.len()
        )));
    }
    let at = match (at, width) {
        (None, 1) => 0,
        (Some(at), _) if at < width => at,
        (None, _) => {
            return Err(malformed(format!(
                "a row of the output has {width} values; say with `at` which one is the answer"
            )));
        }
        (Some(at), _) => {
            return Err(malformed(format!(
                "a row of the output has {width} values, none at position {at}"
            )));
        }
    };
    let answers = (0..n_rows).map(|row| answer_of(flat[row * width + at]));
    answers.collect()
}

fn flatten<'v>(value: &'v Value, flat: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, flat)),
        other => flat.push(other),
    }
}

/// Escapes all but letters, digits and `-._~` (RFC 3986, section 2.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
