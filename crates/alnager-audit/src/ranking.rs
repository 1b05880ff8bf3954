//! Ranked lists: who stands among the first, and how exposed the groups are.

use std::cmp::Ordering;

use alnager_stats::proportion::{self, Proportion};
use alnager_stats::ranking::{self, Ranking};
use serde_json::{Map, Value, json};

use crate::figures::{interval, number};
use crate::texts::Texts;
use crate::words;

/// A list to be ranked by score, highest first.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name of the score's column.
    pub score_name: &'a str,
    /// The score of each row; NaN where it is missing.
    pub scores: &'a [f64],
    /// What breaks ties, ascending: by number where every text is one, else by text.
    pub ids: Option<&'a Texts>,
    /// The group of each row.
    pub groups: &'a Texts,
    /// The numbers of places looked at, each at least 1.
    pub tops: &'a [usize],
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
}

/// Why a list cannot be ranked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RankingError {
    /// People of different groups share a score, and nothing says who comes first.
    #[error(
        "people of different groups share the score `{score}`, so the list has no certain order; name a column that breaks ties"
    )]
    Tied {
        /// The score.
        score: f64,
    },
    /// The same with an identifier that is there twice.
    #[error(
        "people of different groups share the score `{score}`, and two of them the id `{id}`, so the list has no certain order; give each row an id of its own"
    )]
    SameId {
        /// The score.
        score: f64,
        /// The identifier.
        id: String,
    },
    /// The same, with the group itself as identifier: it would put one group before the other.
    #[error(
        "people of different groups share the score `{score}`, and `{column}`, which is to break ties, is their group; name a column that tells rows apart"
    )]
    GroupAsId {
        /// The score.
        score: f64,
        /// The column of the identifier.
        column: String,
    },
    /// A row without an identifier.
    #[error("{n} rows have no id, which breaks ties; give each row one")]
    NoId {
        /// How many rows.
        n: usize,
    },
    /// More places than people.
    #[error("the first {top} are asked for, and the list has {n}")]
    Short {
        /// The number of places asked for.
        top: usize,
        /// The length of the list.
        n: u64,
    },
    /// Columns of different lengths, or a confidence out of range.
    #[error("columns differ in length, or a confidence is not between 0 and 1")]
    OutOfRange,
}

/// Skew, shares among the first, divergence and exposure; `null` is undefined. Rows of unknown group or score hold no place and
/// are counted.
pub fn figures(asked: &Asked) -> Result<Value, RankingError> {
    let z = proportion::z_for(asked.confidence).ok_or(RankingError::OutOfRange)?;
    let order = order(asked)?;
    let is_tied = order
        .windows(2)
        .any(|pair| asked.scores[pair[0]] == asked.scores[pair[1]]);
    let places = order
        .iter()
        .filter_map(|row| asked.groups.at(*row))
        .collect();
    let ranking =
        Ranking::new(places, asked.groups.values().len()).ok_or(RankingError::OutOfRange)?;
    let named = |values: Vec<Value>| -> Value {
        Value::Object(asked.groups.values().iter().cloned().zip(values).collect())
    };
    let mut tops: [Map<String, Value>; 3] = Default::default();
    for top in asked.tops {
        let figures = of_top(&ranking, *top, z, &named).ok_or(RankingError::Short {
            top: *top,
            n: ranking.n(),
        })?;
        for (tops, figures) in tops.iter_mut().zip(figures) {
            tops.insert(top.to_string(), figures);
        }
    }
    let [skew, topk_share, topk_share_ci] = tops;
    let numbers = |values: Vec<Option<f64>>| named(values.into_iter().map(number).collect());
    let order = match asked.ids {
        Some(ids) => format!(
            "{} descending, ties by {} ascending",
            asked.score_name,
            ids.column()
        ),
        None if is_tied => format!(
            "{} descending; ties are within one group and change no figure",
            asked.score_name
        ),
        None => format!("{} descending, no ties", asked.score_name),
    };
    Ok(json!({
        "attr": asked.groups.column(),
        "order": order,
        "desired": "group share of the whole list",
        "n": ranking.n(),
        "n_left_out": asked.groups.n_rows() as u64 - ranking.n(),
        "n_by_group": named(ranking.n_by_group().iter().map(|n| json!(n)).collect()),
        "skew": skew,
        "topk_share": topk_share,
        "topk_share_ci_wilson": topk_share_ci,
        "ndkl": number(ranking::ndkl(&ranking)),
        "mean_exposure": numbers(ranking::mean_exposure(&ranking)),
        "exposure_ratio_vs_max": numbers(ranking::exposure_ratio_vs_max(&ranking)),
    }))
}

/// The skew, the shares and their intervals among the first `top`.
fn of_top(
    ranking: &Ranking,
    top: usize,
    z: f64,
    named: &dyn Fn(Vec<Value>) -> Value,
) -> Option<[Value; 3]> {
    let skew = ranking::skew(ranking, top)?;
    let ratios = ranking::impact_ratio_topk(ranking, top)?;
    let shares = ranking::topk_share(ranking, top)?;
    let each = |of: &dyn Fn(Proportion) -> Value| named(shares.iter().copied().map(of).collect());
    Some([
        json!({
            "skew": named(skew.by_group.iter().copied().map(number).collect()),
            "min_skew": number(skew.min),
            "max_skew": number(skew.max),
            "impact_ratio_topk": named(ratios.into_iter().map(number).collect()),
        }),
        each(&|share| number(share.value())),
        each(&|share| interval(proportion::wilson(share, z))),
    ])
}

/// The rows that hold a place, first place first.
fn order(asked: &Asked) -> Result<Vec<usize>, RankingError> {
    let n_rows = asked.groups.n_rows();
    if asked.scores.len() != n_rows || asked.ids.is_some_and(|ids| ids.n_rows() != n_rows) {
        return Err(RankingError::OutOfRange);
    }
    let holds_place = |row: &usize| !asked.scores[*row].is_nan() && asked.groups.at(*row).is_some();
    let mut rows: Vec<usize> = (0..n_rows).filter(holds_place).collect();
    let n_without = rows
        .iter()
        .filter(|row| asked.ids.is_some_and(|ids| ids.at(**row).is_none()))
        .count();
    if n_without > 0 {
        return Err(RankingError::NoId { n: n_without });
    }
    let numbers = asked.ids.and_then(Texts::numbers);
    // The texts of a column are in order, and so are their positions.
    let by_text = |one: usize, other: usize| asked.ids.map(|ids| ids.at(one).cmp(&ids.at(other)));
    let by_id = |one: usize, other: usize| {
        let by_number = numbers.as_ref().map(|of| of[one].total_cmp(&of[other]));
        // Whole numbers beyond 2^53 may be one double and differ in their last digits.
        let by_number = by_number.unwrap_or(Ordering::Equal);
        by_number.then_with(|| by_text(one, other).unwrap_or(Ordering::Equal))
    };
    let before = |one: usize, other: usize| {
        // 0 and -0 are one score.
        let scores = asked.scores[other].partial_cmp(&asked.scores[one]);
        scores
            .unwrap_or(Ordering::Equal)
            .then_with(|| by_id(one, other))
    };
    rows.sort_unstable_by(|one, other| {
        before(*one, *other).then_with(|| asked.groups.at(*one).cmp(&asked.groups.at(*other)))
    });
    let ties = rows.chunk_by(|one, other| asked.scores[*one] == asked.scores[*other]);
    for tied in ties {
        let is_uniform = tied
            .windows(2)
            .all(|pair| asked.groups.at(pair[0]) == asked.groups.at(pair[1]));
        if !is_uniform {
            certain(asked, tied, |one, other| before(one, other).is_eq())?;
        }
    }
    Ok(rows)
}

/// Makes sure that an id of its own gives each of some people, who are of different groups and share a score, their place.
fn certain(
    asked: &Asked,
    tied: &[usize],
    is_same: impl Fn(usize, usize) -> bool,
) -> Result<(), RankingError> {
    let score = tied.first().map_or(f64::NAN, |row| asked.scores[*row]);
    let Some(ids) = asked.ids else {
        return Err(RankingError::Tied { score });
    };
    let mut parts = asked.groups.column().split('*');
    if ids.column() == asked.groups.column() || parts.any(|part| part.trim() == ids.column()) {
        return Err(RankingError::GroupAsId {
            score,
            column: ids.column().to_owned(),
        });
    }
    match tied.windows(2).find(|pair| is_same(pair[0], pair[1])) {
        None => Ok(()),
        Some(pair) => Err(RankingError::SameId {
            score,
            id: ids
                .at(pair[0])
                .map(|at| ids.values()[at].clone())
                .unwrap_or_default(),
        }),
    }
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let attribute = figures["attr"].as_str().unwrap_or_default();
    let groups = words::keys(&figures["n_by_group"]);
    let grid = |header: [&str; 5], cells: &dyn Fn(&str) -> Vec<String>| {
        let row = |group: &&str| [vec![(*group).to_owned()], cells(group)].concat();
        let rows: Vec<Vec<String>> = groups.iter().map(row).collect();
        words::grid(&header, &rows)
    };
    let mut parts = vec![format!(
        "Ranked by {}.",
        figures["order"].as_str().unwrap_or_default()
    )];
    let header = [attribute, "people", "exposure", "of the highest", ""];
    parts.push(grid(header, &|group| {
        let names = ["n_by_group", "mean_exposure", "exposure_ratio_vs_max"];
        names
            .map(|name| words::figure(&figures[name][group]))
            .to_vec()
    }));
    for top in words::keys(&figures["skew"]) {
        let of_top = &figures["skew"][top];
        let title = format!("top {top}: share");
        parts.push(grid(
            [attribute, &title, "interval", "skew", "ratio"],
            &|group| {
                vec![
                    words::figure(&figures["topk_share"][top][group]),
                    words::figure(&figures["topk_share_ci_wilson"][top][group]),
                    words::figure(&of_top["skew"][group]),
                    words::figure(&of_top["impact_ratio_topk"][group]),
                ]
            },
        ));
    }
    parts.push(format!(
        "Skew is the logarithm of a group's share of the top over its share of the list; ratio is the group's rate of being in the \
        top over the highest. Divergence of the list (NDKL): {}; 0 is the same everywhere, and the top counts most.{}",
        words::figure(&figures["ndkl"]),
        words::left_out(figures, "group or score unknown; they hold no place"),
    ));
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked<'a>(groups: &'a Texts, ids: Option<&'a Texts>, tops: &'a [usize]) -> Asked<'a> {
        Asked {
            score_name: "score",
            scores: &[3.0, 2.0, 2.0, 1.0, f64::NAN],
            ids,
            groups,
            tops,
            confidence: 0.95,
        }
    }

    #[test]
    fn ties_are_broken_by_number_where_ids_are_numbers() {
        let groups = Texts::of_rows("g", &["a", "b", "a", "b", "a"]);
        // 9 comes before 10 as a number, after it as a text.
        let ids = Texts::of_rows("id", &["1", "10", "9", "4", "5"]);
        let figures = figures(&asked(&groups, Some(&ids), &[2])).unwrap();
        assert_eq!(figures["topk_share"]["2"], json!({"a": 1.0, "b": 0.0}));
        assert_eq!(figures["skew"]["2"]["skew"]["b"], Value::Null);
        assert_eq!(
            (&figures["n"], &figures["n_left_out"]),
            (&json!(4), &json!(1))
        );
        let ids = Texts::of_rows("id", &["1", "10", "9", "x", "5"]);
        let figures = super::figures(&asked(&groups, Some(&ids), &[2])).unwrap();
        assert_eq!(figures["topk_share"]["2"], json!({"a": 0.5, "b": 0.5}));
        assert!(words(&figures).contains("score descending, ties by id ascending"));
    }

    #[test]
    fn an_uncertain_order_is_refused() {
        let groups = Texts::of_rows("g", &["a", "b", "a", "b", "a"]);
        assert_eq!(
            figures(&asked(&groups, None, &[2])),
            Err(RankingError::Tied { score: 2.0 })
        );
        let ids = Texts::of_rows("id", &["1", "7", "7", "4", "5"]);
        let same = RankingError::SameId {
            score: 2.0,
            id: "7".to_owned(),
        };
        assert_eq!(figures(&asked(&groups, Some(&ids), &[2])), Err(same));
        let ids = Texts::of_rows("id", &["1", "", "7", "4", ""]);
        assert_eq!(
            figures(&asked(&groups, Some(&ids), &[2])),
            Err(RankingError::NoId { n: 1 })
        );
        // The group is no id of a person, alone or as a part.
        for column in ["g", "g*h"] {
            let groups = Texts::of_rows(column, &["a", "b", "a", "b", "a"]);
            let ids = Texts::of_rows("g", &["a", "b", "a", "b", "a"]);
            let own = RankingError::GroupAsId {
                score: 2.0,
                column: "g".to_owned(),
            };
            assert_eq!(figures(&asked(&groups, Some(&ids), &[2])), Err(own));
        }
        // Within one group it does not matter who is first.
        let groups = Texts::of_rows("g", &["a", "b", "b", "b", "a"]);
        let within = figures(&asked(&groups, None, &[2])).unwrap();
        assert!(words(&within).contains("descending; ties are within one group"));
        let apart = Asked {
            scores: &[3.0, 2.0, 1.5, 1.0, f64::NAN],
            ..asked(&groups, None, &[2])
        };
        assert!(words(&figures(&apart).unwrap()).contains("no ties"));
        // Two of three who are tied have one id, though of one group.
        let three = Texts::of_rows("g", &["b", "a", "a", "b", "a"]);
        let ids = Texts::of_rows("id", &["1", "7", "7", "9", "5"]);
        let tied = Asked {
            scores: &[3.0, 2.0, 2.0, 2.0, 1.0],
            ..asked(&three, Some(&ids), &[2])
        };
        assert!(matches!(figures(&tied), Err(RankingError::SameId { .. })));
        assert_eq!(
            figures(&asked(&groups, None, &[9])),
            Err(RankingError::Short { top: 9, n: 4 })
        );
    }
}
