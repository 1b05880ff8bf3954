//! Operators of `ai.onnx.ml` that the runtime lacks or answers otherwise than the format says: trees, linear classifiers, scaling,
//! filling gaps, codes of categories, and the maps that classifiers wrap their probabilities in.
//!
//! Source: ONNX, operators of the domain `ai.onnx.ml`, version 3.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_ndarray::{ArrayD, IxDyn};

use super::trees::{Listed, Trees};

/// Adds the operators to those of the runtime, in the place of its own where it has one.
pub(super) fn register(operators: &mut OnnxOpRegister) {
    // Its own takes the less likely label where all leaves add to one class, and trusts the file that children exist.
    operators.insert("TreeEnsembleClassifier", classifier);
    operators.insert("TreeEnsembleRegressor", regressor);
    // Its own takes no labels that are texts.
    operators.insert("LinearClassifier", linear);
    operators.insert("Scaler", scaler);
    operators.insert("Imputer", imputer);
    operators.insert("OneHotEncoder", one_hot);
    operators.insert("LabelEncoder", label_encoder);
    operators.insert("ZipMap", zip_map);
}

/// One of the operators, shared by the copies that the runtime makes.
#[derive(Debug, Clone)]
struct Operator(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Classifier(Classifier),
    Regressor(Regressor),
    Linear(Linear),
    /// (x - offset) * scale, by feature or the same for all.
    Scaler {
        offset: Vec<f32>,
        scale: Vec<f32>,
    },
    /// What stands for a missing number, by feature or the same for all; `replaced` says which number is missing, if it is not NaN.
    Imputer {
        fill: Vec<f32>,
        replaced: f32,
    },
    OneHot {
        categories: Keys,
        zeros: bool,
    },
    Encoder {
        keys: Keys,
        values: Values,
    },
    /// Probabilities stay a tensor: a row's map is its row, the keys in their order being the places.
    ZipMap,
}

#[derive(Debug)]
struct Classifier {
    trees: Trees,
    base: Vec<f32>,
    link: Link,
    labels: Values,
}

#[derive(Debug)]
struct Regressor {
    trees: Trees,
    base: Vec<f32>,
    link: Link,
    is_mean: bool,
}

/// Sums of weighted features and an intercept, by class.
#[derive(Debug)]
struct Linear {
    /// Row by row: the weights of each sum.
    weights: Vec<f32>,
    intercepts: Vec<f32>,
    link: Link,
    labels: Values,
}

/// What is made of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    None,
    Logistic,
    Softmax,
}

/// Texts or numbers that are looked up, with their place in the list. NaN is its own key.
#[derive(Debug)]
enum Keys {
    Texts(HashMap<String, usize>),
    Wholes(HashMap<i64, usize>),
    Floats(HashMap<u32, usize>),
}

/// Texts or numbers that are given out by their place; the last one where nothing was found, if there is one.
#[derive(Debug)]
enum Values {
    Texts(Vec<String>),
    Wholes(Vec<i64>),
    Floats(Vec<f32>),
}

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Operator {}

type Built = TractResult<(Box<dyn InferenceOp>, Vec<String>)>;

fn built(kind: Kind) -> Built {
    Ok((expand(Operator(Arc::new(kind))), Vec::new()))
}

impl Link {
    fn of(node: &NodeProto) -> TractResult<Link> {
        match node.get_attr_opt::<&str>("post_transform")? {
            None | Some("NONE") => Ok(Link::None),
            Some("LOGISTIC") => Ok(Link::Logistic),
            Some("SOFTMAX") => Ok(Link::Softmax),
            Some(other) => bail!("the link `{other}` of its sums is not provided for"),
        }
    }

    fn apply(self, row: &mut [f32]) {
        match self {
            Link::None => {}
            Link::Logistic => row.iter_mut().for_each(|sum| *sum = logistic(*sum)),
            Link::Softmax => {
                let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                row.iter_mut().for_each(|sum| *sum = (*sum - most).exp());
                let total: f32 = row.iter().sum();
                row.iter_mut().for_each(|sum| *sum /= total);
            }
        }
    }
}

fn logistic(sum: f32) -> f32 {
    1.0 / (1.0 + (-sum).exp())
}

/// The trees of a node; `leaf` is what the names of its leaves' attributes begin with.
fn trees(node: &NodeProto, leaf: &str, n_outputs: usize) -> TractResult<Trees> {
    if let Some(double) = node
        .attribute
        .iter()
        .find(|attribute| attribute.name.ends_with("_as_tensor"))
    {
        bail!(
            "trees in double precision (`{}`) are not provided for; export the model with inputs of 32-bit floats",
            double.name
        );
    }
    let named = |name: &str| format!("{leaf}_{name}");
    let (leaf_trees, leaf_nodes) = (named("treeids"), named("nodeids"));
    let (leaf_outputs, leaf_weights) = (named("ids"), named("weights"));
    let listed = Listed {
        tree_ids: node.get_attr_slice("nodes_treeids")?,
        node_ids: node.get_attr_slice("nodes_nodeids")?,
        features: node.get_attr_slice("nodes_featureids")?,
        modes: node.get_attr_vec("nodes_modes")?,
        values: node.get_attr_slice("nodes_values")?,
        true_ids: node.get_attr_slice("nodes_truenodeids")?,
        false_ids: node.get_attr_slice("nodes_falsenodeids")?,
        missing_true: node
            .get_attr_opt_slice("nodes_missing_value_tracks_true")?
            .unwrap_or_default(),
        leaf_trees: node.get_attr_slice(&leaf_trees)?,
        leaf_nodes: node.get_attr_slice(&leaf_nodes)?,
        leaf_outputs: node.get_attr_slice(&leaf_outputs)?,
        leaf_weights: node.get_attr_slice(&leaf_weights)?,
    };
    Trees::new(&listed, n_outputs).map_err(TractError::msg)
}

fn base_values(node: &NodeProto) -> TractResult<Vec<f32>> {
    Ok(node
        .get_attr_opt_slice("base_values")?
        .unwrap_or_default()
        .to_vec())
}

fn classifier(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let labels = match (
        node.get_attr_opt_slice::<i64>("classlabels_int64s")?,
        node.get_attr_opt_vec::<String>("classlabels_strings")?,
    ) {
        (Some(wholes), None) => Values::Wholes(wholes.to_vec()),
        (None, Some(texts)) => Values::Texts(texts),
        (None, None) | (Some(_), Some(_)) => bail!("its labels are neither numbers nor texts"),
    };
    let n_labels = labels.len();
    let trees = trees(node, "class", n_labels)?;
    let base = base_values(node)?;
    let is_one_sided = n_labels == 2 && trees.only_output().is_some();
    let fits = match base.len() {
        0 => true,
        1 => is_one_sided,
        n => n == n_labels,
    };
    if !fits {
        bail!(
            "its trees have {} base values for {n_labels} classes",
            base.len()
        );
    }
    built(Kind::Classifier(Classifier {
        trees,
        base,
        link: Link::of(node)?,
        labels,
    }))
}

fn regressor(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let n_targets = node.get_attr_opt::<usize>("n_targets")?.unwrap_or(1);
    let is_mean = match node.get_attr_opt::<&str>("aggregate_function")? {
        None | Some("SUM") => false,
        Some("AVERAGE") => true,
        Some(other) => bail!("trees joined by `{other}` are not provided for"),
    };
    if n_targets == 0 {
        bail!("its trees have no target");
    }
    let base = base_values(node)?;
    if !(base.is_empty() || base.len() == n_targets) {
        bail!(
            "its trees have {} base values for {n_targets} targets",
            base.len()
        );
    }
    built(Kind::Regressor(Regressor {
        trees: trees(node, "target", n_targets)?,
        base,
        link: Link::of(node)?,
        is_mean,
    }))
}

fn linear(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let labels = match (
        node.get_attr_opt_slice::<i64>("classlabels_ints")?,
        node.get_attr_opt_vec::<String>("classlabels_strings")?,
    ) {
        (Some(wholes), None) => Values::Wholes(wholes.to_vec()),
        (None, Some(texts)) => Values::Texts(texts),
        (None, None) | (Some(_), Some(_)) => bail!("its labels are neither numbers nor texts"),
    };
    let weights = node.get_attr_slice::<f32>("coefficients")?.to_vec();
    let n_labels = labels.len();
    let intercepts = match node.get_attr_opt_slice::<f32>("intercepts")? {
        Some(intercepts) if !intercepts.is_empty() => intercepts.to_vec(),
        Some(_) | None => vec![0.0; n_labels],
    };
    let n_sums = intercepts.len();
    let link = Link::of(node)?;
    let is_one_sided = n_sums == 1 && n_labels == 2 && link == Link::Logistic;
    if weights.is_empty() || weights.len() % n_sums != 0 || !(n_sums == n_labels || is_one_sided) {
        bail!(
            "it has {} weights and {n_sums} intercepts for {n_labels} classes",
            weights.len()
        );
    }
    built(Kind::Linear(Linear {
        weights,
        intercepts,
        link,
        labels,
    }))
}

fn scaler(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let offset = node.get_attr_opt_slice::<f32>("offset")?;
    let scale = node.get_attr_opt_slice::<f32>("scale")?;
    let some = |numbers: Option<&[f32]>, none| match numbers {
        None | Some([]) => vec![none],
        Some(numbers) => numbers.to_vec(),
    };
    built(Kind::Scaler {
        offset: some(offset, 0.0),
        scale: some(scale, 1.0),
    })
}

fn imputer(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let Some(fill) = node.get_attr_opt_slice::<f32>("imputed_value_floats")? else {
        bail!(
            "gaps that are filled with whole numbers are not provided for; export the model with inputs of 32-bit floats"
        );
    };
    if fill.is_empty() {
        bail!("nothing is given to fill gaps with");
    }
    built(Kind::Imputer {
        fill: fill.to_vec(),
        replaced: node
            .get_attr_opt::<f32>("replaced_value_float")?
            .unwrap_or(0.0),
    })
}

fn one_hot(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let categories = match (
        node.get_attr_opt_slice::<i64>("cats_int64s")?,
        node.get_attr_opt_vec::<String>("cats_strings")?,
    ) {
        (Some(wholes), None) => Keys::wholes(wholes),
        (None, Some(texts)) => Keys::texts(texts),
        (None, None) | (Some(_), Some(_)) => bail!("its categories are neither numbers nor texts"),
    };
    built(Kind::OneHot {
        categories,
        zeros: node.get_attr_opt::<i64>("zeros")?.unwrap_or(1) != 0,
    })
}

fn label_encoder(_: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let keys = match (
        node.get_attr_opt_slice::<i64>("keys_int64s")?,
        node.get_attr_opt_vec::<String>("keys_strings")?,
        node.get_attr_opt_slice::<f32>("keys_floats")?,
    ) {
        (Some(wholes), None, None) => Keys::wholes(wholes),
        (None, Some(texts), None) => Keys::texts(texts),
        (None, None, Some(floats)) => Keys::floats(floats),
        _ => bail!("its keys are not of one known type; export it for ai.onnx.ml version 3"),
    };
    let values = match (
        node.get_attr_opt_slice::<i64>("values_int64s")?,
        node.get_attr_opt_vec::<String>("values_strings")?,
        node.get_attr_opt_slice::<f32>("values_floats")?,
    ) {
        (Some(wholes), None, None) => {
            let other = node.get_attr_opt::<i64>("default_int64")?.unwrap_or(-1);
            Values::Wholes(wholes.iter().copied().chain([other]).collect())
        }
        (None, Some(texts), None) => {
            let other = node.get_attr_opt::<String>("default_string")?;
            let other = other.unwrap_or_else(|| "_Unused".to_owned());
            Values::Texts(texts.into_iter().chain([other]).collect())
        }
        (None, None, Some(floats)) => {
            let other = node.get_attr_opt::<f32>("default_float")?.unwrap_or(-0.0);
            Values::Floats(floats.iter().copied().chain([other]).collect())
        }
        _ => bail!("its values are not of one known type; export it for ai.onnx.ml version 3"),
    };
    if keys.len() + 1 != values.len() {
        bail!("it has another number of keys than of values, or a key twice");
    }
    built(Kind::Encoder { keys, values })
}

fn zip_map(_: &ParsingContext<'_>, _: &NodeProto) -> Built {
    built(Kind::ZipMap)
}

/// Minus zero is zero, and one NaN is any other.
fn bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}

impl Keys {
    fn texts(texts: Vec<String>) -> Keys {
        Keys::Texts(texts.into_iter().zip(0..).collect())
    }

    fn wholes(wholes: &[i64]) -> Keys {
        Keys::Wholes(wholes.iter().copied().zip(0..).collect())
    }

    fn floats(floats: &[f32]) -> Keys {
        Keys::Floats(floats.iter().copied().map(bits).zip(0..).collect())
    }

    fn len(&self) -> usize {
        match self {
            Keys::Texts(texts) => texts.len(),
            Keys::Wholes(wholes) => wholes.len(),
            Keys::Floats(floats) => floats.len(),
        }
    }

    /// The place of each value of a tensor in the list.
    fn places(&self, input: &Tensor) -> TractResult<Vec<Option<usize>>> {
        Ok(match self {
            Keys::Texts(texts) => {
                let values = input.try_as_plain_ram()?.as_slice::<String>()?;
                values.iter().map(|text| texts.get(text).copied()).collect()
            }
            // Numbers of another type are whole where the format says so.
            Keys::Wholes(wholes) => {
                let input = input.cast_to::<f64>()?;
                let values = input.try_as_plain_ram()?.as_slice::<f64>()?;
                let place = |value: &f64| {
                    let whole = *value as i64;
                    wholes
                        .get(&whole)
                        .copied()
                        .filter(|_| whole as f64 == *value)
                };
                values.iter().map(place).collect()
            }
            Keys::Floats(floats) => {
                let input = input.cast_to::<f32>()?;
                let values = input.try_as_plain_ram()?.as_slice::<f32>()?;
                values
                    .iter()
                    .map(|value| floats.get(&bits(*value)).copied())
                    .collect()
            }
        })
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::Texts(texts) => texts.len(),
            Values::Wholes(wholes) => wholes.len(),
            Values::Floats(floats) => floats.len(),
        }
    }

    fn datum(&self) -> DatumType {
        match self {
            Values::Texts(_) => DatumType::String,
            Values::Wholes(_) => DatumType::I64,
            Values::Floats(_) => DatumType::F32,
        }
    }

    /// The values at these places.
    fn at(&self, places: impl Iterator<Item = usize>, shape: &[usize]) -> TractResult<Tensor> {
        Ok(match self {
            Values::Texts(texts) => tensor(places.map(|at| texts[at].clone()).collect(), shape)?,
            Values::Wholes(wholes) => tensor(places.map(|at| wholes[at]).collect(), shape)?,
            Values::Floats(floats) => tensor(places.map(|at| floats[at]).collect(), shape)?,
        })
    }
}

fn tensor<T: Datum>(values: Vec<T>, shape: &[usize]) -> TractResult<Tensor> {
    Ok(ArrayD::from_shape_vec(IxDyn(shape), values)?.into_tensor())
}

/// Rows and features of a tensor of one or two axes; one axis is one row.
fn sides(input: &Tensor) -> TractResult<(usize, usize)> {
    match input.shape() {
        [width] => Ok((1, *width)),
        [n, width] => Ok((*n, *width)),
        shape => bail!(
            "it is given a tensor of {} axes, not of rows and features",
            shape.len()
        ),
    }
}

/// The sums of the trees, row by row.
fn sums(trees: &Trees, input: &Tensor) -> TractResult<(usize, Vec<f32>)> {
    let (n, width) = sides(input)?;
    if width < trees.n_features().max(1) {
        bail!(
            "its trees ask for feature {}, rows have {width}",
            trees.n_features()
        );
    }
    let mut sums = vec![0.0; n * trees.n_outputs()];
    match input.datum_type() {
        DatumType::F32 => {
            let rows = input.try_as_plain_ram()?.as_slice::<f32>()?;
            trees.add(rows, width, &mut sums);
        }
        _ => {
            let input = input.cast_to::<f64>()?;
            let rows = input.try_as_plain_ram()?.as_slice::<f64>()?;
            trees.add(rows, width, &mut sums);
        }
    }
    Ok((n, sums))
}

impl Classifier {
    fn answer(&self, input: &Tensor) -> TractResult<TVec<TValue>> {
        let n_labels = self.labels.len();
        let (n, mut scores) = sums(&self.trees, input)?;
        let mut winners = Vec::with_capacity(n);
        let only = self.trees.only_output().filter(|_| n_labels == 2);
        for row in scores.chunks_exact_mut(n_labels) {
            let winner = match only {
                Some(only) => self.one_sided(row, only as usize),
                None => self.many_sided(row),
            };
            winners.push(winner);
        }
        let labels = self.labels.at(winners.into_iter(), &[n])?;
        let scores = tensor(scores, &[n, n_labels])?;
        Ok(tvec!(labels.into_tvalue(), scores.into_tvalue()))
    }

    /// All leaves add to one class of two: the sum speaks for the second label, what it lacks for the first.
    fn one_sided(&self, row: &mut [f32], only: usize) -> usize {
        let sum = row[only] + self.base.last().copied().unwrap_or(0.0);
        let (pair, is_second) = match self.link {
            Link::Logistic => ([logistic(-sum), logistic(sum)], sum > 0.0),
            // A sum that can be but positive is a share of one.
            Link::None if self.trees.only_adds() => ([1.0 - sum, sum], sum > 0.5),
            Link::None => ([-sum, sum], sum > 0.0),
            Link::Softmax => {
                let mut pair = [-sum, sum];
                self.link.apply(&mut pair);
                (pair, sum > 0.0)
            }
        };
        row.copy_from_slice(&pair);
        usize::from(is_second)
    }

    /// The label of the greatest sum, the first of several.
    fn many_sided(&self, row: &mut [f32]) -> usize {
        for (sum, base) in row.iter_mut().zip(&self.base) {
            *sum += base;
        }
        let winner = greatest(row);
        self.link.apply(row);
        winner
    }
}

impl Linear {
    fn answer(&self, input: &Tensor) -> TractResult<TVec<TValue>> {
        let (n, width) = sides(input)?;
        if width * self.intercepts.len() != self.weights.len() {
            bail!("its weights are for another number of features than the {width} it is given");
        }
        let cast = input.cast_to::<f32>()?;
        let rows = cast.try_as_plain_ram()?.as_slice::<f32>()?;
        let n_labels = self.labels.len();
        let mut scores = vec![0.0_f32; n * n_labels];
        let mut winners = Vec::with_capacity(n);
        let sum = |row: &[f32], weights: &[f32], intercept: f32| {
            let terms = row.iter().zip(weights);
            let terms = terms.map(|(value, weight)| f64::from(*value) * f64::from(*weight));
            (terms.sum::<f64>() + f64::from(intercept)) as f32
        };
        for (row, scores) in rows
            .chunks_exact(width)
            .zip(scores.chunks_exact_mut(n_labels))
        {
            let sums = self.weights.chunks_exact(width).zip(&self.intercepts);
            let sums = sums.map(|(weights, intercept)| sum(row, weights, *intercept));
            if self.intercepts.len() < n_labels {
                let sum: f32 = sums.sum();
                scores.copy_from_slice(&[logistic(-sum), logistic(sum)]);
                winners.push(usize::from(sum > 0.0));
                continue;
            }
            scores
                .iter_mut()
                .zip(sums)
                .for_each(|(score, sum)| *score = sum);
            winners.push(greatest(scores));
            self.link.apply(scores);
        }
        let labels = self.labels.at(winners.into_iter(), &[n])?;
        let scores = tensor(scores, &[n, n_labels])?;
        Ok(tvec!(labels.into_tvalue(), scores.into_tvalue()))
    }
}

/// The place of the greatest number, the first of several.
fn greatest(row: &[f32]) -> usize {
    let mut winner = 0;
    for at in 1..row.len() {
        if row[at] > row[winner] {
            winner = at;
        }
    }
    winner
}

impl Regressor {
    fn answer(&self, input: &Tensor) -> TractResult<TVec<TValue>> {
        let n_targets = self.trees.n_outputs();
        let (n, mut values) = sums(&self.trees, input)?;
        let share = if self.is_mean {
            1.0 / self.trees.n_trees() as f32
        } else {
            1.0
        };
        for row in values.chunks_exact_mut(n_targets) {
            for (at, value) in row.iter_mut().enumerate() {
                *value = *value * share + self.base.get(at).copied().unwrap_or(0.0);
            }
            self.link.apply(row);
        }
        Ok(tvec!(tensor(values, &[n, n_targets])?.into_tvalue()))
    }
}

/// Each number with that of its feature.
fn by_feature(
    input: &Tensor,
    numbers: &[&[f32]],
    change: impl Fn(f32, usize) -> f32,
) -> TractResult<TVec<TValue>> {
    let (_, width) = sides(input)?;
    if width == 0
        || numbers
            .iter()
            .any(|numbers| numbers.len() != 1 && numbers.len() != width)
    {
        bail!("it is made for another number of features than the {width} it is given");
    }
    let cast = input.cast_to::<f32>()?;
    let values = cast.try_as_plain_ram()?.as_slice::<f32>()?;
    let changed = values
        .iter()
        .enumerate()
        .map(|(at, value)| change(*value, at % width))
        .collect();
    Ok(tvec!(tensor(changed, input.shape())?.into_tvalue()))
}

/// The number of a feature, or that of all.
fn of_feature(numbers: &[f32], feature: usize) -> f32 {
    match numbers {
        [all] => *all,
        numbers => numbers[feature],
    }
}

impl Kind {
    fn answer(&self, input: &Tensor) -> TractResult<TVec<TValue>> {
        match self {
            Kind::Classifier(classifier) => classifier.answer(input),
            Kind::Regressor(regressor) => regressor.answer(input),
            Kind::Linear(linear) => linear.answer(input),
            Kind::Scaler { offset, scale } => {
                by_feature(input, &[offset, scale], |value, feature| {
                    (value - of_feature(offset, feature)) * of_feature(scale, feature)
                })
            }
            Kind::Imputer { fill, replaced } => by_feature(input, &[fill], |value, feature| {
                let is_missing = value == *replaced || (value.is_nan() && replaced.is_nan());
                if is_missing {
                    of_feature(fill, feature)
                } else {
                    value
                }
            }),
            Kind::OneHot { categories, zeros } => {
                let places = categories.places(input)?;
                let n = categories.len();
                let mut values = vec![0.0_f32; places.len() * n];
                for (place, row) in places.iter().zip(values.chunks_exact_mut(n)) {
                    match place {
                        Some(place) => row[*place] = 1.0,
                        None if *zeros => {}
                        None => bail!(
                            "a row has a category that the model does not know, and it provides for none"
                        ),
                    }
                }
                let mut shape = input.shape().to_vec();
                shape.push(n);
                Ok(tvec!(tensor(values, &shape)?.into_tvalue()))
            }
            Kind::Encoder { keys, values } => {
                let other = values.len() - 1;
                let places = keys.places(input)?.into_iter();
                let places = places.map(|place| place.unwrap_or(other));
                Ok(tvec!(values.at(places, input.shape())?.into_tvalue()))
            }
            Kind::ZipMap => Ok(tvec!(input.clone().into_tvalue())),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Kind::Classifier(_) => "TreeEnsembleClassifier",
            Kind::Regressor(_) => "TreeEnsembleRegressor",
            Kind::Linear(_) => "LinearClassifier",
            Kind::Scaler { .. } => "Scaler",
            Kind::Imputer { .. } => "Imputer",
            Kind::OneHot { .. } => "OneHotEncoder",
            Kind::Encoder { .. } => "LabelEncoder",
            Kind::ZipMap => "ZipMap",
        }
    }
}

impl Expansion for Operator {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(match *self.0 {
            Kind::Classifier(_) | Kind::Linear(_) => 2,
            Kind::Regressor(_)
            | Kind::Scaler { .. }
            | Kind::Imputer { .. }
            | Kind::OneHot { .. }
            | Kind::Encoder { .. }
            | Kind::ZipMap => 1,
        })
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        if inputs.len() != 1 {
            bail!(
                "`{}` is given {} tensors, not one",
                self.0.name(),
                inputs.len()
            );
        }
        match &*self.0 {
            Kind::Classifier(Classifier { labels, .. }) | Kind::Linear(Linear { labels, .. }) => {
                s.equals(&outputs[0].datum_type, labels.datum())?;
                s.equals(&outputs[0].rank, 1)?;
                s.equals(&outputs[0].shape[0], &inputs[0].shape[0])?;
                s.equals(&outputs[1].datum_type, DatumType::F32)?;
                s.equals(&outputs[1].rank, 2)?;
                s.equals(&outputs[1].shape[0], &inputs[0].shape[0])?;
                s.equals(&outputs[1].shape[1], labels.len().to_dim())
            }
            Kind::Regressor(regressor) => {
                s.equals(&outputs[0].datum_type, DatumType::F32)?;
                s.equals(&outputs[0].rank, 2)?;
                s.equals(&outputs[0].shape[0], &inputs[0].shape[0])?;
                s.equals(&outputs[0].shape[1], regressor.trees.n_outputs().to_dim())
            }
            Kind::Scaler { .. } | Kind::Imputer { .. } => {
                s.equals(&outputs[0].datum_type, DatumType::F32)?;
                s.equals(&outputs[0].shape, &inputs[0].shape)
            }
            Kind::Encoder { values, .. } => {
                s.equals(&outputs[0].datum_type, values.datum())?;
                s.equals(&outputs[0].shape, &inputs[0].shape)
            }
            Kind::OneHot { categories, .. } => {
                let n = categories.len();
                s.equals(&outputs[0].datum_type, DatumType::F32)?;
                s.given(&inputs[0].shape, move |s, mut shape| {
                    shape.push(n.to_dim());
                    s.equals(&outputs[0].shape, shape)
                })
            }
            Kind::ZipMap => {
                s.equals(&outputs[0].datum_type, &inputs[0].datum_type)?;
                s.equals(&outputs[0].shape, &inputs[0].shape)
            }
        }
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for Operator {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    op_as_typed_op!();
}

impl EvalOp for Operator {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        match inputs.as_slice() {
            [input] => self.0.answer(input),
            inputs => bail!(
                "`{}` is given {} tensors, not one",
                self.0.name(),
                inputs.len()
            ),
        }
    }
}

impl TypedOp for Operator {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [input] = inputs else {
            bail!(
                "`{}` is given {} tensors, not one",
                self.0.name(),
                inputs.len()
            );
        };
        let Some(n) = input.shape.first() else {
            bail!("`{}` is given a single number, not rows", self.0.name());
        };
        Ok(match &*self.0 {
            Kind::Classifier(Classifier { labels, .. }) | Kind::Linear(Linear { labels, .. }) => {
                tvec!(
                    labels.datum().fact([n.clone()]),
                    f32::fact([n.clone(), labels.len().to_dim()])
                )
            }
            Kind::Regressor(regressor) => {
                tvec!(f32::fact([n.clone(), regressor.trees.n_outputs().to_dim()]))
            }
            Kind::Scaler { .. } | Kind::Imputer { .. } => tvec!(f32::fact(input.shape.iter())),
            Kind::Encoder { values, .. } => tvec!(values.datum().fact(input.shape.iter())),
            Kind::OneHot { categories, .. } => {
                let dims = input.shape.iter().cloned();
                tvec!(f32::fact(
                    dims.chain([categories.len().to_dim()]).collect::<Vec<_>>()
                ))
            }
            Kind::ZipMap => tvec!(input.datum_type.fact(input.shape.iter())),
        })
    }

    as_op!();
}
