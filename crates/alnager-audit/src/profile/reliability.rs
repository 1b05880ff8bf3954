//! What happened against what a score said, by group: the points of a reliability plot.

use serde_json::Value;

/// Score against outcome of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The group.
    pub group: String,
    /// The bins that hold people, of ten of equal width.
    pub bins: Vec<Bin>,
}

/// One bin of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Where it begins and ends.
    pub ends: (f64, f64),
    /// People with a known outcome.
    pub n: u64,
    /// Their mean score.
    pub score: f64,
    /// Their share of outcome 1.
    pub outcome: f64,
    /// Its interval (Wilson).
    pub interval: Option<(f64, f64)>,
}

/// The curve of each group of a grouping, from its figures in the catalogue; empty where no outcome is known or a score is no
/// probability.
pub fn curves(figures: &Value) -> Vec<Curve> {
    let groups = figures["groups"].as_object().into_iter().flatten();
    let curve = |(group, figures): (&String, &Value)| {
        let bins = figures["reliability"].as_array()?;
        Some(Curve {
            group: group.clone(),
            bins: bins.iter().filter_map(point).collect(),
        })
    };
    groups.filter_map(curve).collect()
}

fn point(bin: &Value) -> Option<Bin> {
    let interval = &bin["ci_wilson"];
    Some(Bin {
        ends: (bin["low"].as_f64()?, bin["high"].as_f64()?),
        n: bin["n"].as_u64()?,
        score: bin["mean_score"].as_f64()?,
        outcome: bin["mean_label"].as_f64()?,
        interval: interval[0].as_f64().zip(interval[1].as_f64()),
    })
}
