//! Figures: everything that follows from a count table by arithmetic, under the names of the field.

use std::collections::BTreeMap;

use alnager_stats::compare;
use alnager_stats::confusion::{Confusion, Rate};
use alnager_stats::correct;
use alnager_stats::impact;
use alnager_stats::odds;
use alnager_stats::proportion::{self, Interval, Proportion};
use alnager_stats::weighted::Weighted;
use serde_json::{Map, Value, json};

use crate::catalogue::weight::selected;
use crate::declared::{Audit, Grouping, Missing, UNKNOWN_GROUP};
use crate::measures::Measures;
use crate::table::{Cell, WeightCell};

/// One group of people in an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its values joined by `|`.
    pub name: String,
    /// Its counts.
    pub cell: Cell,
}

/// A share of a group, as a report shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Rows that count.
    pub k: u64,
    /// The rate, 0..=1; `None` is undefined.
    pub rate: Option<f64>,
    /// The lower and upper end of its interval.
    pub interval: Option<(f64, f64)>,
}

/// The groups of one grouping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// How people were divided.
    pub grouping: Grouping,
    /// The groups, sorted by name.
    pub groups: Vec<Group>,
    /// The position of the reference group; `None` where none was declared and no group is large enough.
    pub reference: Option<usize>,
    /// Rows whose group is unknown; counted apart and kept out of every comparison.
    pub n_unknown: u64,
}

impl Group {
    /// All rows of the group.
    pub fn n(&self) -> u64 {
        self.cell.n()
    }

    /// The counts by label and decision; rows without a label are left out.
    pub fn confusion(&self) -> Confusion {
        confusion(&self.cell)
    }

    /// The share of decision 1 over all rows, labelled or not; `None` beyond the largest count that is handled.
    pub fn selection(&self) -> Option<Proportion> {
        Proportion::new(self.cell.decided(1), self.n())
    }

    /// The share of favourable decisions, 0 or 1 being the favourable one.
    pub fn favourable(&self, favourable: u8) -> Option<Proportion> {
        Proportion::new(self.cell.decided(usize::from(favourable)), self.n())
    }

    /// The favourable rate with its count and Wilson interval at `z`.
    pub fn favourable_share(&self, favourable: u8, z: f64) -> Share {
        let share = self.favourable(favourable);
        let interval = share.and_then(|share| proportion::wilson(share, z));
        Share {
            k: self.cell.decided(usize::from(favourable)),
            rate: share.and_then(Proportion::value),
            interval: interval.map(|interval| (interval.low, interval.high)),
        }
    }

    /// A rate's count; selection over all rows, the others over labelled ones.
    pub fn rate(&self, rate: Rate) -> Option<Proportion> {
        if rate == Rate::SelectionRate {
            self.selection()
        } else {
            Some(rate.of(&self.confusion()))
        }
    }
}

fn confusion(cell: &Cell) -> Confusion {
    let [[tn, fp], [fn_, tp], _] = cell.counts;
    Confusion { tp, fp, tn, fn_ }
}

/// Divides the counted people. A reference that was not declared is the group with the highest favourable rate among groups of
/// at least `min_group` rows, so that a tiny group never becomes the reference silently.
pub fn groups(
    measures: &Measures,
    grouping: &Grouping,
    audit: &Audit,
    reference_min: u64,
) -> Groups {
    let mut groups: Vec<Group> = Vec::new();
    let mut n_unknown = 0;
    for (key, cell) in measures.table.by(&grouping.columns).unwrap_or_default() {
        match group_name(key, audit.missing) {
            Some(name) => groups.push(Group { name, cell }),
            None => n_unknown += cell.n(),
        }
    }
    groups.sort_by(|one, other| one.name.cmp(&other.name));
    let reference = match &grouping.reference {
        Some(name) => groups.iter().position(|group| group.name == *name),
        None => chosen(measures, grouping, audit, &groups, reference_min),
    };
    Groups {
        grouping: grouping.clone(),
        groups,
        reference,
        n_unknown,
    }
}

/// The reference that the data choose: by weighted rates where rows have weights.
fn chosen(
    measures: &Measures,
    grouping: &Grouping,
    audit: &Audit,
    groups: &[Group],
    n_min: u64,
) -> Option<usize> {
    let favourable = audit.decision.favourable;
    if measures.table.weights.is_empty() {
        return best(groups, favourable, n_min);
    }
    let sums = group_weights(measures, grouping, audit.missing);
    highest_rate(groups, n_min, |group| {
        let share = selected(sums.get(&group.name)?, usize::from(favourable));
        share.and_then(Weighted::value)
    })
}

/// The summed weights of each group, by its name.
pub(crate) fn group_weights(
    measures: &Measures,
    grouping: &Grouping,
    missing: Missing,
) -> BTreeMap<String, WeightCell> {
    let by = measures.table.weights_by(&grouping.columns);
    let mut sums: BTreeMap<String, WeightCell> = BTreeMap::new();
    for (key, cell) in by.unwrap_or_default() {
        if let Some(name) = group_name(key, missing) {
            sums.entry(name).or_default().add(&cell);
        }
    }
    sums
}

/// The name of a group by its values; `None` where one is unknown and unknowns are no group. Values of an intersection are joined
/// by `|`; a value that holds one has it written `\\|`, so that no two groups share a name.
pub fn group_name(key: Vec<Option<String>>, missing: Missing) -> Option<String> {
    let values: Option<Vec<String>> = key
        .into_iter()
        .map(|value| match missing {
            Missing::Apart | Missing::Refuse => value,
            Missing::Group => value.or_else(|| Some(UNKNOWN_GROUP.to_owned())),
        })
        .collect();
    let escaped = |value: &String| value.replace('\\', "\\\\").replace('|', "\\|");
    values.map(|values| match values.as_slice() {
        [only] => only.clone(),
        many => many.iter().map(escaped).collect::<Vec<_>>().join("|"),
    })
}

/// The group with the highest favourable rate among groups of at least `n_min` rows; of several the largest, then the first by
/// name. `None` where no group is large enough.
pub(crate) fn best(groups: &[Group], favourable: u8, n_min: u64) -> Option<usize> {
    highest_rate(groups, n_min, |group| {
        group.favourable(favourable).and_then(Proportion::value)
    })
}

fn highest_rate(
    groups: &[Group],
    n_min: u64,
    rate: impl Fn(&Group) -> Option<f64>,
) -> Option<usize> {
    let rate = |at: &usize| rate(&groups[*at]).unwrap_or(0.0);
    let size = |at: &usize| groups[*at].n();
    let large = (0..groups.len()).filter(|at| size(at) >= n_min.max(1));
    large.max_by(|one, other| {
        let by_rate = rate(one).total_cmp(&rate(other));
        by_rate
            .then(size(one).cmp(&size(other)))
            .then(other.cmp(one))
    })
}

/// The figures of an audit, in the shape of a reference table: `attrs` → grouping → `groups`, `vs_reference`,
/// `fisher_adjusted`, `aggregate`; `overall`; `null` is undefined.
///
/// `z` is the standard normal quantile of the intervals. Names are those of the reference tables; the formulas stand
/// with their sources in `alnager-stats`.
pub fn figures(audit: &Audit, measures: &Measures, reference_min: u64, z: f64) -> Value {
    let favourable = audit.decision.favourable;
    let mut attrs = Map::new();
    for grouping in audit.groupings() {
        let groups = groups(measures, &grouping, audit, reference_min);
        attrs.insert(
            grouping.name.clone(),
            attribute(&groups, favourable, audit.label.is_some(), z),
        );
    }
    let overall = Group {
        name: String::new(),
        cell: measures.table.total(),
    };
    json!({
        "audit": audit.name,
        "rows": measures.data.n_rows,
        "favorable": favourable,
        "attrs": attrs,
        "overall": group_figures(&overall, None, audit.label.is_some(), z),
    })
}

pub(crate) fn attribute(groups: &Groups, favourable: u8, labelled: bool, z: f64) -> Value {
    let n_selected: u64 = groups
        .groups
        .iter()
        .map(|group| group.cell.decided(1))
        .sum();
    let mut figures = Map::new();
    for group in &groups.groups {
        figures.insert(
            group.name.clone(),
            group_figures(group, Some(n_selected), labelled, z),
        );
    }
    let reference = groups.reference.map(|at| &groups.groups[at]);
    let mut against = Map::new();
    let mut names = Vec::new();
    let mut p_values = Vec::new();
    for group in groups
        .groups
        .iter()
        .filter(|group| Some(*group) != reference)
    {
        let Some(reference) = reference else { break };
        against.insert(
            group.name.clone(),
            versus(group, reference, favourable, labelled, z),
        );
        names.push(group.name.clone());
        p_values.push(fisher(group.selection(), reference.selection()));
    }
    let adjusted = |p: Vec<Option<f64>>| {
        names
            .iter()
            .cloned()
            .zip(p.into_iter().map(number))
            .collect::<Map<_, _>>()
    };
    json!({
        "columns": groups.grouping.columns,
        "n_known": groups.groups.iter().map(Group::n).sum::<u64>(),
        "n_unknown": groups.n_unknown,
        "reference": reference.map(|group| group.name.clone()),
        "highest_favorable_rate_group": highest(groups, favourable),
        "groups": figures,
        "vs_reference": against,
        "fisher_adjusted": {
            "bonferroni": adjusted(correct::bonferroni(&p_values)),
            "holm": adjusted(correct::holm(&p_values)),
            "benjamini_hochberg": adjusted(correct::benjamini_hochberg(&p_values)),
        },
        "aggregate": aggregate(groups, favourable, labelled),
    })
}

fn highest(groups: &Groups, favourable: u8) -> Option<String> {
    best(&groups.groups, favourable, 1).map(|at| groups.groups[at].name.clone())
}

pub(crate) fn group_figures(
    group: &Group,
    n_selected: Option<u64>,
    labelled: bool,
    z: f64,
) -> Value {
    let counts = group.confusion();
    let mut figures = Map::new();
    figures.insert("n".to_owned(), json!(group.n()));
    figures.insert("n_pred_pos".to_owned(), json!(group.cell.decided(1)));
    let rates: &[Rate] = if labelled {
        &Rate::ALL
    } else {
        &[Rate::SelectionRate]
    };
    let mut intervals = Map::new();
    for rate in rates {
        let share = group.rate(*rate);
        figures.insert(
            rate.name().to_owned(),
            number(share.and_then(Proportion::value)),
        );
        intervals.insert(
            rate.name().to_owned(),
            interval(share.and_then(|share| proportion::wilson(share, z))),
        );
    }
    figures.insert("ci_wilson".to_owned(), Value::Object(intervals));
    let share = n_selected
        .and_then(|n| Proportion::new(group.cell.decided(1), n))
        .and_then(Proportion::value);
    figures.insert("pp_share_of_all_selected".to_owned(), number(share));
    if labelled {
        for (name, n) in [
            ("n_pos", counts.n_pos()),
            ("tp", counts.tp),
            ("fp", counts.fp),
            ("tn", counts.tn),
            ("fn", counts.fn_),
        ] {
            figures.insert(name.to_owned(), json!(n));
        }
        for (name, value) in [
            ("balanced_accuracy", counts.balanced_accuracy()),
            ("f1", counts.f1()),
            ("mcc", counts.mcc()),
            ("fn_fp_ratio", counts.fn_fp_ratio()),
        ] {
            figures.insert(name.to_owned(), number(value));
        }
    }
    Value::Object(figures)
}

/// Probabilities above this keep all their digits in `f64`.
pub(crate) const P_HELD: f64 = 1e-300;

pub(crate) const COMPARED: [Rate; 7] = [
    Rate::SelectionRate,
    Rate::Tpr,
    Rate::Fpr,
    Rate::Fnr,
    Rate::Ppv,
    Rate::Npv,
    Rate::Accuracy,
];

pub(crate) fn versus(
    group: &Group,
    reference: &Group,
    favourable: u8,
    labelled: bool,
    z: f64,
) -> Value {
    let mut figures = Map::new();
    let compared: &[Rate] = if labelled {
        &COMPARED
    } else {
        &[Rate::SelectionRate]
    };
    for rate in compared {
        let pair = group.rate(*rate).zip(reference.rate(*rate));
        figures.insert(
            rate.name().to_owned(),
            pair.map_or(Value::Null, |(group, reference)| {
                compared_rate(group, reference, z)
            }),
        );
    }
    let air = group
        .favourable(favourable)
        .zip(reference.favourable(favourable));
    figures.insert(
        "air".to_owned(),
        air.map_or(Value::Null, |(group, reference)| {
            impact_figures(group, reference, z)
        }),
    );
    if labelled {
        let (ours, theirs) = (group.confusion(), reference.confusion());
        let difference = |rate: Rate| compare::difference(rate.of(&ours), rate.of(&theirs));
        for (name, value) in [
            ("equal_opportunity_difference", difference(Rate::Tpr)),
            (
                "average_odds_difference",
                odds::average_odds_difference(&ours, &theirs),
            ),
            (
                "average_abs_odds_difference",
                odds::average_abs_odds_difference(&ours, &theirs),
            ),
            (
                "equalized_odds_gap",
                odds::equalized_odds_gap(&ours, &theirs),
            ),
            (
                "error_rate_difference",
                // Minus zero is zero.
                difference(Rate::Accuracy).map(|difference| 0.0 - difference),
            ),
            ("predictive_parity_difference", difference(Rate::Ppv)),
            (
                "treatment_equality_difference",
                odds::treatment_equality_difference(&ours, &theirs),
            ),
        ] {
            figures.insert(name.to_owned(), number(value));
        }
    }
    Value::Object(figures)
}

fn compared_rate(group: Proportion, reference: Proportion, z: f64) -> Value {
    let pooled = compare::z_pooled(group, reference);
    json!({
        "difference": number(compare::difference(group, reference)),
        "diff_ci_newcombe": interval(compare::difference_newcombe(group, reference, z)),
        "ratio": number(compare::ratio(group, reference)),
        "ratio_ci_katz": interval(compare::ratio_katz(group, reference, z)),
        "fisher_p": number(compare::fisher(group, reference).map(|fisher| fisher.two_sided.value)),
        "z_pooled": number(pooled.map(|test| test.statistic)),
        "z_pooled_p": number(pooled.map(|test| test.p.value)),
    })
}

fn impact_figures(group: Proportion, reference: Proportion, z: f64) -> Value {
    json!({
        "value": number(impact::impact_ratio(group, reference)),
        "ci_katz": interval(compare::ratio_katz(group, reference, z)),
        "favorable_rate": number(group.value()),
        "ref_favorable_rate": number(reference.value()),
        "below_four_fifths": impact::below_four_fifths(group, reference),
        "shortfall": number(impact::shortfall(group, reference)),
        "shortfall_at_80": number(impact::shortfall_at_80(group, reference)),
    })
}

fn aggregate(groups: &Groups, favourable: u8, labelled: bool) -> Value {
    let rates = |rate: Rate| -> Vec<Option<f64>> {
        groups
            .groups
            .iter()
            .map(|group| group.rate(rate).and_then(Proportion::value))
            .collect()
    };
    let favourable: Vec<Option<f64>> = groups
        .groups
        .iter()
        .map(|group| group.favourable(favourable).and_then(Proportion::value))
        .collect();
    let mut figures = Map::new();
    let selection = impact::spread(&rates(Rate::SelectionRate));
    figures.insert(
        "demographic_parity_difference".to_owned(),
        number(selection.as_ref().map(|spread| spread.difference)),
    );
    figures.insert(
        "demographic_parity_ratio".to_owned(),
        number(selection.and_then(|spread| spread.ratio)),
    );
    figures.insert(
        "four_fifths_min_air".to_owned(),
        number(impact::spread(&favourable).and_then(|spread| spread.ratio)),
    );
    if !labelled {
        return Value::Object(figures);
    }
    let (tpr, fpr) = (
        impact::spread(&rates(Rate::Tpr)),
        impact::spread(&rates(Rate::Fpr)),
    );
    let confusions: Vec<Confusion> = groups.groups.iter().map(Group::confusion).collect();
    let odds = impact::equalized_odds(&confusions);
    let gap = |rate: Rate| impact::spread(&rates(rate)).map(|spread| spread.difference);
    for (name, value) in [
        (
            "equal_opportunity_difference",
            tpr.as_ref().map(|spread| spread.difference),
        ),
        (
            "equal_opportunity_ratio",
            tpr.as_ref().and_then(|spread| spread.ratio),
        ),
        (
            "fpr_difference",
            fpr.as_ref().map(|spread| spread.difference),
        ),
        (
            "equalized_odds_difference",
            odds.as_ref().map(|spread| spread.difference),
        ),
        (
            "equalized_odds_ratio",
            odds.as_ref().and_then(|spread| spread.ratio),
        ),
        ("accuracy_difference", gap(Rate::Accuracy)),
        ("ppv_difference", gap(Rate::Ppv)),
    ] {
        figures.insert(name.to_owned(), number(value));
    }
    let undefined: Vec<&str> = groups
        .groups
        .iter()
        .filter(|group| {
            [Rate::Tpr, Rate::Fpr, Rate::Ppv]
                .iter()
                .any(|rate| rate.of(&group.confusion()).value().is_none())
        })
        .map(|group| group.name.as_str())
        .collect();
    figures.insert("groups_with_undefined".to_owned(), json!(undefined));
    Value::Object(figures)
}

/// Fisher's exact two-sided p-value; `None` where a share is undefined.
pub(crate) fn fisher(group: Option<Proportion>, reference: Option<Proportion>) -> Option<f64> {
    let (group, reference) = group.zip(reference)?;
    compare::fisher(group, reference).map(|fisher| fisher.two_sided.value)
}

/// A number for programs; -0 is 0.
pub(crate) fn number(value: Option<f64>) -> Value {
    value
        .filter(|value| value.is_finite())
        .map_or(Value::Null, |value| json!(value + 0.0))
}

pub(crate) fn interval(value: Option<Interval>) -> Value {
    value.map_or(Value::Null, |interval| {
        json!([interval.low + 0.0, interval.high + 0.0])
    })
}
