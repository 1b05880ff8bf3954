//! Models that are asked for the decision or score of each row: an ONNX file, or an endpoint over HTTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
