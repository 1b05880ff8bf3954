//! Tree ensembles (`TreeEnsembleClassifier`, `TreeEnsembleRegressor` of `ai.onnx.ml`), evaluated batch by batch.
//!
//! Source: ONNX, operators of the domain `ai.onnx.ml`, version 3.

use std::collections::HashMap;

/// Trees whose leaves add weights to classes or targets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trees {
    /// All nodes; a child stands behind its parent, so that a walk ends.
    nodes: Vec<Node>,
    /// The root of each tree.
    roots: Vec<u32>,
    /// What leaves add: class or target, and weight.
    weights: Vec<(u32, f32)>,
    n_outputs: usize,
    n_features: usize,
}

/// A branch, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// The feature held against `value`; [`LEAF`] in a leaf.
    feature: u32,
    test: Test,
    /// Where a missing value goes, whatever the test says of it.
    is_missing_true: bool,
    value: f32,
    /// The children where the test does not hold and where it does; in a leaf the range of its weights.
    next: [u32; 2],
}

const LEAF: u32 = u32::MAX;

/// How a feature is held against a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equals,
    Differs,
}

/// The nodes of an ensemble as its attributes list them, one place a node, and the weights of its leaves, one place a weight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listed<'a> {
    pub(crate) tree_ids: &'a [i64],
    pub(crate) node_ids: &'a [i64],
    pub(crate) features: &'a [i64],
    pub(crate) modes: Vec<&'a str>,
    pub(crate) values: &'a [f32],
    pub(crate) true_ids: &'a [i64],
    pub(crate) false_ids: &'a [i64],
    /// 1 where a missing value goes the way of a test that holds; empty where none does.
    pub(crate) missing_true: &'a [i64],
    pub(crate) leaf_trees: &'a [i64],
    pub(crate) leaf_nodes: &'a [i64],
    pub(crate) leaf_outputs: &'a [i64],
    pub(crate) leaf_weights: &'a [f32],
}

impl Test {
    /// The test of a node's mode; `None` for a leaf.
    fn of(mode: &str) -> Result<Option<Test>, String> {
        Ok(Some(match mode {
            "BRANCH_LEQ" => Test::AtMost,
            "BRANCH_LT" => Test::Below,
            "BRANCH_GTE" => Test::AtLeast,
            "BRANCH_GT" => Test::Above,
            "BRANCH_EQ" => Test::Equals,
            "BRANCH_NEQ" => Test::Differs,
            "LEAF" => return Ok(None),
            other => return Err(format!("a tree has a node of the unknown mode `{other}`")),
        }))
    }

    fn holds(self, value: f64, cut: f64) -> bool {
        match self {
            Test::AtMost => value <= cut,
            Test::Below => value < cut,
            Test::AtLeast => value >= cut,
            Test::Above => value > cut,
            Test::Equals => value == cut,
            Test::Differs => value != cut,
        }
    }
}

/// A node by its tree and its number there.
type NodeId = (i64, i64);

impl Trees {
    /// Builds the trees, whose leaves add to `n_outputs` classes or targets. The answer says what is wrong with them.
    pub(crate) fn new(listed: &Listed<'_>, n_outputs: usize) -> Result<Trees, String> {
        let n = listed.node_ids.len();
        let alike = [
            listed.tree_ids.len(),
            listed.features.len(),
            listed.modes.len(),
            listed.values.len(),
            listed.true_ids.len(),
            listed.false_ids.len(),
        ];
        let missing_fit = listed.missing_true.is_empty() || listed.missing_true.len() == n;
        let n_weights = listed.leaf_weights.len();
        let leaves = [
            listed.leaf_trees.len(),
            listed.leaf_nodes.len(),
            listed.leaf_outputs.len(),
        ];
        if n == 0
            || alike.iter().any(|len| *len != n)
            || !missing_fit
            || leaves.iter().any(|len| *len != n_weights)
        {
            return Err("the lists of its trees' nodes differ in length, or are empty".to_owned());
        }
        let mut places: HashMap<NodeId, usize> = HashMap::with_capacity(n);
        for at in 0..n {
            if places
                .insert((listed.tree_ids[at], listed.node_ids[at]), at)
                .is_some()
            {
                return Err("two nodes of a tree have the same number".to_owned());
            }
        }
        let mut of_leaf: HashMap<NodeId, Vec<(u32, f32)>> = HashMap::new();
        for at in 0..n_weights {
            let output = usize::try_from(listed.leaf_outputs[at])
                .ok()
                .filter(|output| *output < n_outputs)
                .ok_or("a leaf adds to a class or target that is not there")?;
            let id = (listed.leaf_trees[at], listed.leaf_nodes[at]);
            of_leaf
                .entry(id)
                .or_default()
                .push((output as u32, listed.leaf_weights[at]));
        }
        let mut trees = Trees {
            nodes: Vec::with_capacity(n),
            roots: Vec::new(),
            weights: Vec::with_capacity(n_weights),
            n_outputs,
            n_features: 0,
        };
        for root in roots(listed)? {
            trees.roots.push(trees.nodes.len() as u32);
            trees.grow(listed, &places, &of_leaf, root)?;
        }
        if trees.nodes.len() != n {
            return Err("a tree has nodes that no way leads to".to_owned());
        }
        Ok(trees)
    }

    /// Adds the tree below `root`, children behind their parents.
    fn grow(
        &mut self,
        listed: &Listed<'_>,
        places: &HashMap<NodeId, usize>,
        of_leaf: &HashMap<NodeId, Vec<(u32, f32)>>,
        root: usize,
    ) -> Result<(), String> {
        // A node to add, and the place that is to lead to it: a node and which of its two ways.
        let mut open: Vec<(usize, Option<(usize, usize)>)> = vec![(root, None)];
        while let Some((at, from)) = open.pop() {
            if self.nodes.len() == places.len() {
                return Err("the ways through a tree meet again".to_owned());
            }
            let here = self.nodes.len();
            if let Some((parent, way)) = from {
                self.nodes[parent].next[way] = here as u32;
            }
            let (tree, id) = (listed.tree_ids[at], listed.node_ids[at]);
            let Some(test) = Test::of(listed.modes[at])? else {
                let start = self.weights.len() as u32;
                let weights = of_leaf.get(&(tree, id)).map_or(&[][..], Vec::as_slice);
                self.weights.extend_from_slice(weights);
                self.nodes.push(Node {
                    feature: LEAF,
                    test: Test::AtMost,
                    is_missing_true: false,
                    value: 0.0,
                    next: [start, self.weights.len() as u32],
                });
                continue;
            };
            let feature = u32::try_from(listed.features[at])
                .ok()
                .filter(|feature| *feature < LEAF)
                .ok_or("a tree asks for a feature that is not there")?;
            self.n_features = self.n_features.max(feature as usize + 1);
            self.nodes.push(Node {
                feature,
                test,
                is_missing_true: listed.missing_true.get(at).is_some_and(|way| *way != 0),
                value: listed.values[at],
                next: [0, 0],
            });
            for (way, child) in [listed.false_ids[at], listed.true_ids[at]]
                .into_iter()
                .enumerate()
            {
                let child = places
                    .get(&(tree, child))
                    .ok_or("a branch of a tree leads to no node")?;
                open.push((*child, Some((here, way))));
            }
        }
        Ok(())
    }

    /// The number of classes or targets.
    pub(crate) fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// The number of trees.
    pub(crate) fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// The least number of features a row must have.
    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    /// The one class or target that all leaves add to, if there is but one.
    pub(crate) fn only_output(&self) -> Option<u32> {
        let (first, _) = self.weights.first()?;
        let is_only = self.weights.iter().all(|(output, _)| output == first);
        is_only.then_some(*first)
    }

    /// Whether no leaf takes anything away.
    pub(crate) fn only_adds(&self) -> bool {
        self.weights.iter().all(|(_, weight)| *weight >= 0.0)
    }

    /// Adds to `sums`, of [`Trees::n_outputs`] places a row, what the trees say of `rows`, of `width` features each. Trees are
    /// added in their order, in 32 bits, as the runtimes of the format do.
    pub(crate) fn add<T: Copy + Into<f64>>(&self, rows: &[T], width: usize, sums: &mut [f32]) {
        assert!(
            width >= self.n_features.max(1),
            "the number of features is checked when a model is opened"
        );
        for root in &self.roots {
            let rows = rows.chunks_exact(width);
            for (row, sums) in rows.zip(sums.chunks_exact_mut(self.n_outputs)) {
                let mut node = &self.nodes[*root as usize];
                while node.feature != LEAF {
                    let value: f64 = row[node.feature as usize].into();
                    let holds = node.test.holds(value, node.value.into())
                        || (node.is_missing_true && value.is_nan());
                    node = &self.nodes[node.next[usize::from(holds)] as usize];
                }
                for (output, weight) in &self.weights[node.next[0] as usize..node.next[1] as usize]
                {
                    sums[*output as usize] += weight;
                }
            }
        }
    }
}

/// The place of each tree's root, the node that is nobody's child; trees in the order they are listed.
fn roots(listed: &Listed<'_>) -> Result<Vec<usize>, String> {
    let mut children: HashMap<NodeId, ()> = HashMap::new();
    for (at, mode) in listed.modes.iter().enumerate() {
        if *mode != "LEAF" {
            let tree = listed.tree_ids[at];
            children.insert((tree, listed.true_ids[at]), ());
            children.insert((tree, listed.false_ids[at]), ());
        }
    }
    let mut roots: Vec<usize> = Vec::new();
    let mut of_tree: HashMap<i64, usize> = HashMap::new();
    for at in 0..listed.node_ids.len() {
        let tree = listed.tree_ids[at];
        if children.contains_key(&(tree, listed.node_ids[at])) {
            continue;
        }
        if of_tree.insert(tree, at).is_some() {
            return Err("a tree has two roots".to_owned());
        }
        roots.push(at);
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Feature 0 at most 1.5: class 0 gets 2, else feature 1 above 0: class 1 gets 3, else both get 1.
    fn listed() -> Listed<'static> {
        Listed {
            tree_ids: &[7; 5],
            node_ids: &[10, 4, 3, 2, 1],
            features: &[0, 0, 1, 0, 0],
            modes: vec!["BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF"],
            values: &[1.5, 0.0, 0.0, 0.0, 0.0],
            true_ids: &[4, 0, 2, 0, 0],
            false_ids: &[3, 0, 1, 0, 0],
            missing_true: &[0, 0, 1, 0, 0],
            leaf_trees: &[7; 4],
            leaf_nodes: &[4, 2, 1, 1],
            leaf_outputs: &[0, 1, 0, 1],
            leaf_weights: &[2.0, 3.0, 1.0, 1.0],
        }
    }

    #[test]
    fn a_row_goes_from_the_root_to_a_leaf() {
        let trees = Trees::new(&listed(), 2).unwrap();
        let rows = [
            [1.5_f32, 0.0],
            [2.0, 0.5],
            [2.0, 0.0],
            [f32::NAN, 0.0],
            [2.0, f32::NAN],
        ];
        let mut sums = [0.0; 10];
        trees.add(rows.as_flattened(), 2, &mut sums);
        assert_eq!(sums, [2.0, 0.0, 0.0, 3.0, 1.0, 1.0, 1.0, 1.0, 0.0, 3.0]);
        assert_eq!((trees.n_trees(), trees.n_features()), (1, 2));
        assert_eq!(trees.only_output(), None);
    }

    #[test]
    fn a_double_is_not_rounded_before_it_is_compared() {
        let trees = Trees::new(&listed(), 2).unwrap();
        let mut sums = [0.0; 2];
        trees.add(&[1.500_000_000_1_f64, 1.0], 2, &mut sums);
        assert_eq!(sums, [0.0, 3.0]);
    }

    #[test]
    fn trees_that_are_none_are_refused() {
        let wrong = |change: fn(&mut Listed<'static>)| {
            let mut listed = listed();
            change(&mut listed);
            Trees::new(&listed, 2).unwrap_err()
        };
        // Round in a circle: then nobody is the root.
        assert!(wrong(|listed| listed.true_ids = &[10, 0, 2, 0, 0]).contains("no way leads to"));
        assert!(wrong(|listed| listed.true_ids = &[3, 0, 2, 0, 0]).contains("two roots"));
        assert!(wrong(|listed| listed.true_ids = &[99, 0, 2, 0, 0]).contains("two roots"));
        assert!(
            wrong(|listed| listed.false_ids = &[3, 0, 99, 0, 0]).contains("two roots"),
            "a leaf that nothing leads to is another root"
        );
        assert!(wrong(|listed| listed.modes[2] = "BRANCH_MAYBE").contains("BRANCH_MAYBE"));
        assert!(wrong(|listed| listed.leaf_outputs = &[0, 1, 0, 2]).contains("not there"));
        assert!(wrong(|listed| listed.features = &[0, 0, -1, 0, 0]).contains("feature"));
        assert!(wrong(|listed| listed.values = &[0.0]).contains("length"));
        assert!(wrong(|listed| listed.node_ids = &[10, 4, 3, 2, 2]).contains("same number"));
    }
}
