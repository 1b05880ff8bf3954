//! ONNX files, run here.

mod operators;
mod trees;

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use alnager_audit::model::{Input, InputKind, Model, Onnx};
use sha2::{Digest, Sha256};
use tract_onnx::pb::{ModelProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, TValue, TVec, Tensor,
    TractResult, TypedRunnableModel, tvec,
};
use tract_onnx::tract_hir::internal::{DimFact, IntoTValue, ShapeFactoid, ToDim};
use tract_onnx::tract_hir::tract_ndarray::{ArrayD, IxDyn};

use crate::asked::{Answers, Asked, AskedColumn};
use crate::error::{ProbeError, choices};
use crate::source::hex;

/// Rows put to a model at once where its file does not say how many.
const BATCH_ROWS: usize = 1024;

/// The largest model file.
const MODEL_BYTES_MAX: u64 = 1 << 30;

/// A model that is ready to be asked.
pub(crate) struct Session {
    /// The path as messages show it.
    name: String,
    /// SHA-256 of the file, hexadecimal.
    sha256: String,
    plan: Arc<TypedRunnableModel>,
    feeds: Vec<Feed>,
    /// Rows put at once.
    batch: usize,
    /// What the answer is called in the file, and the place within a row of it.
    output: String,
    at: Option<usize>,
}

/// One input of the model's graph.
struct Feed {
    name: String,
    datum: DatumType,
    /// The inputs that fill it, in the order of its second axis.
    inputs: Vec<usize>,
    /// Its shape: rows, or rows and inputs.
    shape: Vec<usize>,
}

/// What the file says of one input of its graph.
struct Declared {
    name: String,
    datum: DatumType,
    /// The length of each axis that is fixed; `None` where the file gives no shape.
    shape: Option<Vec<Option<usize>>>,
}

impl Session {
    /// Reads the file and makes it ready for these inputs.
    pub(crate) fn open(path: &Path, model: &Model, onnx: &Onnx) -> Result<Session, ProbeError> {
        let name = path.display().to_string();
        let (bytes, sha256) = read(path, &name)?;
        let wrong = |problem: String| ProbeError::Model {
            file: name.clone(),
            problem,
        };
        let mut framework = tract_onnx::onnx().with_ignore_value_info(true);
        operators::register(&mut framework.op_register);
        let proto = guarded(|| framework.proto_model_for_read(&mut bytes.as_slice()))
            .map_err(|error| wrong(format!("this is not an ONNX file: {error}")))?;
        let declared = check(&proto, &framework.op_register.0).map_err(wrong)?;
        let at_output = output(&proto, onnx).map_err(wrong)?;
        let batch = batch(&declared).map_err(wrong)?;
        let feeds = feeds(&declared, &model.inputs, batch).map_err(wrong)?;
        let plan = guarded(|| {
            let mut graph = framework.model_for_proto_model(&proto)?;
            let outlet = graph.outputs[at_output];
            graph.select_output_outlets(&[outlet])?;
            for (at, feed) in feeds.iter().enumerate() {
                let dims: TVec<DimFact> = feed.shape.iter().map(|n| n.to_dim().into()).collect();
                let fact = InferenceFact::default()
                    .with_datum_type(feed.datum)
                    .with_shape(ShapeFactoid::closed(dims));
                graph.set_input_fact(at, fact)?;
            }
            graph.set_output_fact(0, InferenceFact::default())?;
            graph.into_optimized()?.into_runnable()
        });
        let plan = plan.map_err(|error| {
            wrong(format!(
                "the model cannot be made ready for the inputs {}: {error}",
                listed(&model.inputs)
            ))
        })?;
        Ok(Session {
            sha256,
            plan,
            feeds,
            batch,
            output: proto_outputs(&proto)[at_output].name.clone(),
            at: onnx.at,
            name,
        })
    }

    /// SHA-256 of the file, hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// One answer a row, in their order; `rows` says which row of the data each is, for messages.
    ///
    /// Batches are the same however many threads work on them, and with them the answers.
    pub(crate) fn ask(&self, asked: &Asked, rows: &[u64]) -> Result<Answers, ProbeError> {
        let n_batches = asked.n_rows.div_ceil(self.batch);
        let n_threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(n_batches)
            .max(1);
        let each = n_batches.div_ceil(n_threads) * self.batch;
        let starts: Vec<usize> = (0..asked.n_rows).step_by(each.max(1)).collect();
        let part =
            |start: usize| self.answers(asked, rows, start..(start + each).min(asked.n_rows));
        let parts: Vec<Result<Answers, ProbeError>> = match starts.as_slice() {
            [] => Vec::new(),
            [only] => vec![part(*only)],
            starts => std::thread::scope(|scope| {
                let part = &part;
                let threads: Vec<_> = starts
                    .iter()
                    .map(|start| scope.spawn(move || part(*start)))
                    .collect();
                let joined = threads.into_iter().map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|_| Err(self.wrong("a batch of rows could not be run")))
                });
                joined.collect()
            }),
        };
        let mut all: Option<Answers> = None;
        for part in parts {
            let part = part?;
            match &mut all {
                None => all = Some(part),
                Some(all) => all.extend(part),
            }
        }
        Ok(all.unwrap_or(Answers::Numbers(Vec::new())))
    }

    fn wrong(&self, problem: impl Into<String>) -> ProbeError {
        ProbeError::Model {
            file: self.name.clone(),
            problem: problem.into(),
        }
    }

    fn answers(
        &self,
        asked: &Asked,
        rows: &[u64],
        range: std::ops::Range<usize>,
    ) -> Result<Answers, ProbeError> {
        let mut state = guarded(|| self.plan.spawn())
            .map_err(|error| self.wrong(format!("the model cannot be started: {error}")))?;
        let mut all: Option<Answers> = None;
        for start in range.clone().step_by(self.batch) {
            let end = (start + self.batch).min(range.end);
            let mut tensors: TVec<TValue> = tvec![];
            for feed in &self.feeds {
                let tensor = self.tensor(feed, asked, rows, start..end)?;
                tensors.push(tensor.into_tvalue());
            }
            let found = guarded(|| state.run(tensors)).map_err(|error| {
                let row = rows.get(start).copied().unwrap_or(0);
                self.wrong(format!(
                    "the model cannot be run on the rows from {row} on: {error}"
                ))
            })?;
            let Some(tensor) = found.first() else {
                return Err(self.wrong("the model gives no answer"));
            };
            let part = self.read_answers(tensor, &rows[start..end])?;
            match &mut all {
                None => all = Some(part),
                Some(all) => all.extend(part),
            }
        }
        Ok(all.unwrap_or(Answers::Numbers(Vec::new())))
    }

    /// The rows of a batch as the model takes them; where they are too few, the first is repeated, and its other answers are not
    /// read.
    fn tensor(
        &self,
        feed: &Feed,
        asked: &Asked,
        rows: &[u64],
        range: std::ops::Range<usize>,
    ) -> Result<Tensor, ProbeError> {
        let columns: Vec<&AskedColumn> = feed.inputs.iter().map(|at| &asked.columns[*at]).collect();
        let n = range.len();
        let row_of = |at: usize| range.start + if at < n { at } else { 0 };
        let n_values = self.batch * columns.len();
        let shaped = |tensor: TractResult<Tensor>| {
            tensor.map_err(|error| self.wrong(format!("its input `{}`: {error}", feed.name)))
        };
        if feed.datum == DatumType::String {
            let mut values: Vec<String> = Vec::with_capacity(n_values);
            for at in 0..self.batch {
                for column in &columns {
                    values.push(column.text(row_of(at)));
                }
            }
            return shaped(tensor_of(values, &feed.shape));
        }
        let mut values: Vec<f64> = vec![0.0; n_values];
        for (place, column) in columns.iter().enumerate() {
            let AskedColumn::Numbers(numbers) = column else {
                return Err(self.wrong(format!("its input `{}` takes numbers", feed.name)));
            };
            let places = values.iter_mut().skip(place).step_by(columns.len());
            for (at, value) in places.enumerate() {
                *value = numbers[row_of(at)];
            }
        }
        let wrong_at = |at: usize, problem: &str| {
            let row = rows.get(row_of(at / columns.len())).copied().unwrap_or(0);
            let value = values[at];
            self.wrong(format!(
                "row {row}: its input `{}` takes {problem}, the row has {}",
                feed.name,
                if value.is_nan() {
                    "no value".to_owned()
                } else {
                    format!("`{value}`")
                }
            ))
        };
        // Beyond this a number of 64 bits with a fraction does not hold every whole number.
        let whole = |max: f64| {
            values
                .iter()
                .position(|value| !(value.fract() == 0.0 && value.abs() <= max))
        };
        shaped(match feed.datum {
            DatumType::F32 => tensor_of(values.iter().map(|v| *v as f32).collect(), &feed.shape),
            DatumType::F64 => tensor_of(values, &feed.shape),
            DatumType::I64 => match whole(9_007_199_254_740_992.0) {
                Some(at) => return Err(wrong_at(at, "whole numbers")),
                None => tensor_of(values.iter().map(|v| *v as i64).collect(), &feed.shape),
            },
            DatumType::I32 => match whole(f64::from(i32::MAX)) {
                Some(at) => return Err(wrong_at(at, "whole numbers of 32 bits")),
                None => tensor_of(values.iter().map(|v| *v as i32).collect(), &feed.shape),
            },
            DatumType::Bool => match values.iter().position(|v| *v != 0.0 && *v != 1.0) {
                Some(at) => return Err(wrong_at(at, "0 or 1")),
                None => tensor_of(values.iter().map(|v| *v == 1.0).collect(), &feed.shape),
            },
            other => {
                return Err(self.wrong(format!(
                    "its input `{}` is of the type {other:?}; export it with floats, whole numbers of 64 bits or texts",
                    feed.name
                )));
            }
        })
    }

    /// The answers of the first rows of a batch.
    fn read_answers(&self, tensor: &Tensor, rows: &[u64]) -> Result<Answers, ProbeError> {
        let output = &self.output;
        let shape = tensor.shape();
        let n_places = match shape {
            [n] if *n == self.batch => 1,
            [n, rest @ ..] if *n == self.batch && rest.iter().product::<usize>() > 0 => {
                rest.iter().product()
            }
            _ => {
                return Err(self.wrong(format!(
                    "its output `{output}` has the shape {shape:?} for {} rows; it must have one line a row",
                    self.batch
                )));
            }
        };
        let at = match (self.at, n_places) {
            (None, 1) => 0,
            (Some(at), n) if at < n => at,
            (Some(at), n) => {
                return Err(self.wrong(format!(
                    "its output `{output}` has {n} places a row, and `at` says {at}; the first is 0"
                )));
            }
            (None, n) => {
                return Err(self.wrong(format!(
                    "its output `{output}` has {n} places a row; say which is the answer with `at`, such as `at = 1` for the \
                     probability of the second class"
                )));
            }
        };
        let picked = |error: tract_onnx::prelude::TractError| {
            self.wrong(format!("its output `{output}` cannot be read: {error}"))
        };
        let places = (0..rows.len()).map(|row| row * n_places + at);
        if tensor.datum_type() == DatumType::String {
            let view = tensor.try_as_plain_ram().map_err(picked)?;
            let texts = view.as_slice::<String>().map_err(picked)?;
            return Ok(Answers::Texts(places.map(|at| texts[at].clone()).collect()));
        }
        if tensor.datum_type() == DatumType::F32 {
            let view = tensor.try_as_plain_ram().map_err(picked)?;
            let values = view.as_slice::<f32>().map_err(picked)?;
            let values = places.map(|at| decimal(values[at]));
            return self.finite(values.collect(), rows);
        }
        let wide = tensor.cast_to::<f64>().map_err(picked)?;
        let view = wide.try_as_plain_ram().map_err(picked)?;
        let values = view.as_slice::<f64>().map_err(picked)?;
        self.finite(places.map(|at| values[at]).collect(), rows)
    }

    fn finite(&self, values: Vec<f64>, rows: &[u64]) -> Result<Answers, ProbeError> {
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(Answers::Numbers(values)),
            Some(at) => Err(self.wrong(format!(
                "row {}: the model's answer is `{}`, not a number; look at the row's inputs, of which one may be missing or out \
                 of range",
                rows.get(at).copied().unwrap_or(0),
                values[at]
            ))),
        }
    }
}

/// A number of 32 bits by its shortest decimal form, as a file of predictions would hold it and as columns of such numbers are held
/// against cuts: 0.7 is 0.7, not 0.699999988.
fn decimal(value: f32) -> f64 {
    // Whole numbers of this size are their own decimal form.
    if value.fract() == 0.0 && value.abs() < 16_777_216.0 || !value.is_finite() {
        return value.into();
    }
    value.to_string().parse().unwrap_or(value.into())
}

fn tensor_of<T: tract_onnx::prelude::Datum>(
    values: Vec<T>,
    shape: &[usize],
) -> TractResult<Tensor> {
    Ok(ArrayD::from_shape_vec(IxDyn(shape), values)?.into())
}

/// Runs a step of the runtime. What it panics at is an error of the file, as with the readers of other formats.
fn guarded<T>(step: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(said(&error)),
        Err(_) => Err("the runtime met a state it does not provide for".to_owned()),
    }
}

/// An error with its causes, on one line and not too long: the runtime prints whole graphs.
fn said(error: &tract_onnx::prelude::TractError) -> String {
    let text = format!("{error:#}");
    let line: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(400)
        .collect();
    line.trim_end().to_owned()
}

fn read(path: &Path, name: &str) -> Result<(Vec<u8>, String), ProbeError> {
    let unreadable = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => ProbeError::Model {
            file: name.to_owned(),
            problem: "there is no such file; `onnx` is relative to the declaration".to_owned(),
        },
        _ => ProbeError::Unreadable {
            file: name.to_owned(),
            source,
        },
    };
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(ProbeError::NotAFile {
            file: name.to_owned(),
        });
    }
    let mut bytes = Vec::new();
    file.take(MODEL_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MODEL_BYTES_MAX {
        return Err(ProbeError::Model {
            file: name.to_owned(),
            problem: format!(
                "the file is larger than {} MiB; ask the model where it runs, with `[audit.model.endpoint]`",
                MODEL_BYTES_MAX >> 20
            ),
        });
    }
    let mut hash = Sha256::new();
    hash.update(&bytes);
    Ok((bytes, hex(hash)))
}

fn proto_outputs(proto: &ModelProto) -> &[ValueInfoProto] {
    proto.graph.as_ref().map_or(&[], |graph| &graph.output)
}

/// What the graph is to be told, once it is certain that all of it can be run here.
fn check(
    proto: &ModelProto,
    known: &std::collections::HashMap<String, impl Sized>,
) -> Result<Vec<Declared>, String> {
    let Some(graph) = proto
        .graph
        .as_ref()
        .filter(|graph| !graph.output.is_empty())
    else {
        return Err("this is not an ONNX file with a graph that answers".to_owned());
    };
    let mut unknown: Vec<&str> = graph
        .node
        .iter()
        .map(|node| node.op_type.as_str())
        .filter(|operator| !known.contains_key(*operator))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        return Err(format!(
            "the model uses {}, which cannot be run here; export it with other operators (for scikit-learn: \
             `to_onnx(model, …, target_opset={{\"\": 17, \"ai.onnx.ml\": 3}}, options={{\"zipmap\": False}})`), or ask it where it \
             runs, with `[audit.model.endpoint]`",
            unknown
                .iter()
                .map(|operator| format!("`{}`", crate::error::shown(operator)))
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    if graph
        .initializer
        .iter()
        .any(|weights| !weights.external_data.is_empty())
    {
        return Err(
            "the model keeps its weights in another file, which its hash would not cover; save it as one file"
                .to_owned(),
        );
    }
    let given = graph.input.iter().filter(|input| {
        !graph
            .initializer
            .iter()
            .any(|weights| weights.name == input.name)
    });
    given.map(declared).collect()
}

fn declared(input: &ValueInfoProto) -> Result<Declared, String> {
    let value = input.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = value else {
        return Err(format!(
            "its input `{}` is no tensor; export it with one tensor of floats, or one a column",
            input.name
        ));
    };
    let datum = tract_onnx::pb::tensor_proto::DataType::try_from(tensor.elem_type)
        .ok()
        .and_then(|kind| DatumType::try_from(kind).ok())
        .ok_or_else(|| format!("its input `{}` is of an unknown type", input.name))?;
    let length = |dimension: &tensor_shape_proto::Dimension| match &dimension.value {
        Some(tensor_shape_proto::dimension::Value::DimValue(n)) => usize::try_from(*n).ok(),
        Some(tensor_shape_proto::dimension::Value::DimParam(_)) | None => None,
    };
    Ok(Declared {
        name: input.name.clone(),
        datum,
        shape: tensor
            .shape
            .as_ref()
            .map(|shape| shape.dim.iter().map(length).collect()),
    })
}

/// The output that holds the answers: the one named, else the only one, the first of floating-point numbers, or the first.
fn output(proto: &ModelProto, onnx: &Onnx) -> Result<usize, String> {
    let outputs = proto_outputs(proto);
    if let Some(name) = &onnx.output {
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        return names
            .iter()
            .position(|output| output == name)
            .ok_or_else(|| {
                format!(
                    "the model has no output `{name}`; {}",
                    choices(name, "outputs", &names)
                )
            });
    }
    // A map of probabilities has no type that the runtime reads; it is the one of numbers.
    let is_of_floats = |output: &ValueInfoProto| {
        let value = output.r#type.as_ref().and_then(|kind| kind.value.as_ref());
        match value {
            Some(type_proto::Value::TensorType(tensor)) => {
                use tract_onnx::pb::tensor_proto::DataType;
                [DataType::Float, DataType::Double, DataType::Float16]
                    .iter()
                    .any(|kind| *kind as i32 == tensor.elem_type)
            }
            None => true,
        }
    };
    Ok(outputs.iter().position(is_of_floats).unwrap_or(0))
}

/// Rows put at once: the number that the file fixes, or [`BATCH_ROWS`].
fn batch(declared: &[Declared]) -> Result<usize, String> {
    let fixed: Vec<usize> = declared
        .iter()
        .filter_map(|input| input.shape.as_ref()?.first().copied().flatten())
        .collect();
    match fixed.as_slice() {
        [] => Ok(BATCH_ROWS),
        [first, rest @ ..] if *first > 0 && rest.iter().all(|n| n == first) => Ok(*first),
        _ => Err(
            "its inputs fix different numbers of rows; export it with a free first axis".to_owned(),
        ),
    }
}

/// Which inputs fill which input of the graph.
fn feeds(declared: &[Declared], inputs: &[Input], batch: usize) -> Result<Vec<Feed>, String> {
    let kind_of = |datum: DatumType| match datum {
        DatumType::String => InputKind::Text,
        _ => InputKind::Number,
    };
    let feed = |declared: &Declared, filled: Vec<usize>| {
        let n = filled.len();
        let shape = match declared.shape.as_deref() {
            Some([_]) if n == 1 => vec![batch],
            None | Some([_, None]) => vec![batch, n],
            Some([_, Some(width)]) if *width == n => vec![batch, n],
            Some([_, Some(width)]) => {
                return Err(format!(
                    "its input `{}` takes {width} columns, and `inputs` lists {n}: {}",
                    declared.name,
                    listed(inputs)
                ));
            }
            Some(_) => {
                return Err(format!(
                    "its input `{}` is no table of rows and columns; export it with one row a person",
                    declared.name
                ));
            }
        };
        let wrong = filled
            .iter()
            .find(|at| inputs[**at].kind != kind_of(declared.datum));
        if let Some(at) = wrong {
            let (takes, is) = match inputs[*at].kind {
                InputKind::Number => ("texts", "number"),
                InputKind::Text => ("numbers", "text"),
            };
            return Err(format!(
                "its input `{}` takes {takes}, and `{}` is declared with the kind `{is}`",
                declared.name, inputs[*at].name
            ));
        }
        Ok(Feed {
            name: declared.name.clone(),
            datum: declared.datum,
            inputs: filled,
            shape,
        })
    };
    if let [only] = declared {
        return Ok(vec![feed(only, (0..inputs.len()).collect())?]);
    }
    let names: Vec<&str> = declared.iter().map(|input| input.name.as_str()).collect();
    if let Some(extra) = inputs
        .iter()
        .find(|input| !names.contains(&input.name.as_str()))
    {
        return Err(format!(
            "the model has no input `{}`; {}",
            extra.name,
            choices(&extra.name, "inputs", &names)
        ));
    }
    declared
        .iter()
        .map(|declared| {
            let at = inputs.iter().position(|input| input.name == declared.name);
            let at = at.ok_or_else(|| {
                format!(
                    "the model's input `{}` is not listed in `inputs`; add {{ name = \"{}\", column = \"…\" }}",
                    declared.name, declared.name
                )
            })?;
            feed(declared, vec![at])
        })
        .collect()
}

fn listed(inputs: &[Input]) -> String {
    let names: Vec<String> = inputs
        .iter()
        .map(|input| format!("`{}`", input.name))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
