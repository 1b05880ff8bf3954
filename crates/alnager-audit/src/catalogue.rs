//! The catalogue: every figure that follows from the tables of an audit, under the names of the field.
//!
//! The shape is that of [`crate::figures`], which a review seals, with more members in the same objects: what a group's score
//! tells, exact intervals and every test of a comparison, comparisons within strata, tables of NYC's Local Law 144, tests over
//! all groups at once. `null` is undefined. A p-value has its decimal logarithm beside it (`…_log10_p`), which keeps its digits
//! where the value itself underflows.

mod pair;
mod period;
mod score;
pub mod strata;
pub mod tables;
pub(crate) mod weight;

use std::borrow::Cow;
use std::collections::BTreeMap;

use alnager_stats::compare::PValue;
use alnager_stats::confusion::{Confusion, Rate};
use alnager_stats::contingency::{self, Table};
use alnager_stats::inequality;
use alnager_stats::proportion::{self, Interval};
use alnager_stats::rank;
use alnager_stats::sample::Sample;
use alnager_stats::score::{Auc, ByLabel, RocCurve};
use serde_json::{Map, Value, json};

use crate::declared::Audit;
use crate::figures::{self, Group, Groups, group_name, groups, interval, number};
use crate::measures::Measures;
use crate::table::SampleTable;

/// What the figures are computed with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The smallest group that may become the reference where none is declared.
    pub reference_min: u64,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
}

/// The scores of one group by label (0, 1, unknown), and all together.
pub(crate) struct GroupScores<'a> {
    pub(crate) labels: [Cow<'a, Sample>; 3],
    pub(crate) all: Sample,
}

impl<'a> GroupScores<'a> {
    fn new(labels: [Cow<'a, Sample>; 3]) -> Self {
        let all = Sample::merged(&[&labels[0], &labels[1], &labels[2]]);
        GroupScores { labels, all }
    }

    pub(crate) fn by_label(&self) -> ByLabel<'_> {
        ByLabel {
            negative: &self.labels[0],
            positive: &self.labels[1],
        }
    }
}

/// The scores of an audit, where every value is counted.
struct Scores<'a> {
    table: &'a SampleTable,
    /// All rows, those of unknown groups too.
    whole: GroupScores<'a>,
    are_probabilities: bool,
}

impl<'a> Scores<'a> {
    fn new(table: &'a SampleTable) -> Option<Self> {
        let whole = GroupScores::new(table.by(&[])?.into_values().next()?);
        Some(Scores {
            are_probabilities: alnager_stats::score::are_probabilities(&whole.all),
            table,
            whole,
        })
    }
}

/// A ROC curve and the area under it.
pub(crate) struct Curve<'a> {
    pub(crate) curve: RocCurve<'a>,
    pub(crate) auc: Auc,
}

impl<'a> Curve<'a> {
    fn of(scores: ByLabel<'a>) -> Option<Self> {
        let curve = RocCurve::new(scores)?;
        Some(Curve {
            auc: curve.auc(),
            curve,
        })
    }
}

/// The scores of the groups of one grouping.
struct Scored<'a> {
    by_group: &'a BTreeMap<String, GroupScores<'a>>,
    /// The ROC curve of each group that has one, with the area under it.
    curves: BTreeMap<&'a str, Curve<'a>>,
    /// Everybody of a known group.
    known: Cow<'a, Sample>,
    /// Everybody.
    everybody: &'a Sample,
    are_probabilities: bool,
}

impl<'a> Scored<'a> {
    fn new(
        scores: &'a Scores<'_>,
        by_group: &'a BTreeMap<String, GroupScores<'a>>,
        n_unknown: u64,
        labelled: bool,
    ) -> Self {
        let curve = |(name, scores): (&'a String, &'a GroupScores<'a>)| {
            Some((name.as_str(), Curve::of(scores.by_label())?))
        };
        Scored {
            by_group,
            curves: by_group
                .iter()
                .filter(|_| labelled)
                .filter_map(curve)
                .collect(),
            known: match n_unknown {
                0 => Cow::Borrowed(&scores.whole.all),
                _ => Cow::Owned(score::known(by_group.values())),
            },
            everybody: &scores.whole.all,
            are_probabilities: scores.are_probabilities,
        }
    }
}

/// Every figure of an audit: `attrs` by grouping, and `overall`.
pub fn catalogue(audit: &Audit, measures: &Measures, settings: Settings) -> Value {
    let table = sample_table(audit, measures);
    let scores = table.as_deref().and_then(Scores::new);
    let mut attrs = Map::new();
    for grouping in audit.groupings() {
        let groups = groups(measures, &grouping, audit, settings.reference_min);
        attrs.insert(
            grouping.name.clone(),
            attribute(audit, measures, &groups, scores.as_ref(), settings),
        );
    }
    json!({
        "audit": audit.name,
        "rows": measures.data.n_rows,
        "rows_counted": measures.data.n_counted(),
        "favorable": audit.decision.favourable,
        "attrs": attrs,
        "overall": overall(audit, measures, scores.as_ref(), settings),
    })
}

/// The scores by value: counted so, or counted at cuts that are all the values there are.
fn sample_table<'a>(audit: &Audit, measures: &'a Measures) -> Option<Cow<'a, SampleTable>> {
    let by_value = audit
        .score
        .as_ref()
        .is_some_and(|score| score.cuts.is_empty());
    match (&measures.samples, &measures.scores) {
        (Some(samples), _) => Some(Cow::Borrowed(samples)),
        (None, Some(levels)) if by_value => levels.samples().map(Cow::Owned),
        (None, _) => None,
    }
}

fn z(settings: Settings) -> f64 {
    proportion::z_for(settings.confidence).unwrap_or(proportion::Z95)
}

fn attribute(
    audit: &Audit,
    measures: &Measures,
    groups: &Groups,
    scores: Option<&Scores<'_>>,
    settings: Settings,
) -> Value {
    let (favourable, labelled, z) = (
        audit.decision.favourable,
        audit.label.is_some(),
        z(settings),
    );
    let mut figures = into_map(figures::attribute(groups, favourable, labelled, z));
    let by_group = scores.map(|scores| by_group(audit, groups, scores));
    let scored = scores
        .zip(by_group.as_ref())
        .map(|(scores, by_group)| Scored::new(scores, by_group, groups.n_unknown, labelled));
    for group in &groups.groups {
        let ours = child(&mut figures, "groups", &group.name);
        exact_intervals(ours, group, settings);
        weight::group(ours, audit, measures, groups, group, z);
        if let Some(scored) = &scored
            && let Some(of_group) = scored.by_group.get(&group.name)
        {
            let curve = scored.curves.get(group.name.as_str());
            score::group(ours, of_group, curve, labelled, scored.are_probabilities, z);
        }
    }
    against_reference(&mut figures, audit, measures, groups, scored.as_ref(), z);
    aggregate(&mut figures, groups, favourable, labelled, scored.as_ref());
    figures.insert(
        "ll144_selection".to_owned(),
        tables::selection(groups, favourable),
    );
    if let Some(scored) = &scored
        && let Some(table) = tables::scoring(groups, scored.by_group, scored.everybody)
    {
        figures.insert("ll144_scoring".to_owned(), table);
    }
    if let Some(periods) = period::by_period(audit, measures, groups, z) {
        figures.insert("periods".to_owned(), periods);
    }
    if groups.grouping.reference.is_none() {
        figures.insert(
            "reference_rule".to_owned(),
            json!("highest favourable rate, ties by larger n"),
        );
    }
    Value::Object(figures)
}

/// Adds to `vs_reference` of every group what a review does not seal of it.
fn against_reference(
    figures: &mut Map<String, Value>,
    audit: &Audit,
    measures: &Measures,
    groups: &Groups,
    scored: Option<&Scored<'_>>,
    z: f64,
) {
    let Some(reference) = groups.reference.map(|at| &groups.groups[at]) else {
        return;
    };
    let labelled = audit.label.is_some();
    let strata = strata::by_stratum(audit, measures, groups);
    for group in groups.groups.iter().filter(|group| *group != reference) {
        let versus = child(figures, "vs_reference", &group.name);
        pair::compare(versus, group, reference, labelled, z);
        weight::compare(versus, audit, measures, groups, group, reference, z);
        let names = [&group.name, &reference.name];
        if let Some(scored) = scored
            && let [Some(ours), Some(theirs)] = names.map(|name| scored.by_group.get(name))
        {
            let mut of_scores = score::compare(ours, theirs, &scored.known);
            if labelled {
                let curves = names.map(|name| scored.curves.get(name.as_str()));
                score::errors(&mut of_scores, ours, theirs, curves);
            }
            versus.insert("score".to_owned(), Value::Object(of_scores));
        }
        if let Some(strata) = &strata {
            let stratified = strata.compare(&group.name, &reference.name, z);
            versus.insert("stratified".to_owned(), stratified);
        }
    }
}

/// The scores of each group of a grouping.
fn by_group<'a>(
    audit: &Audit,
    groups: &Groups,
    scores: &Scores<'a>,
) -> BTreeMap<String, GroupScores<'a>> {
    let sums = scores
        .table
        .by(&groups.grouping.columns)
        .unwrap_or_default();
    sums.into_iter()
        .filter_map(|(key, labels)| {
            Some((group_name(key, audit.missing)?, GroupScores::new(labels)))
        })
        .collect()
}

fn overall(
    audit: &Audit,
    measures: &Measures,
    scores: Option<&Scores<'_>>,
    settings: Settings,
) -> Value {
    let all = Group {
        name: String::new(),
        cell: measures.table.total(),
    };
    let labelled = audit.label.is_some();
    let mut figures = into_map(figures::group_figures(&all, None, labelled, z(settings)));
    exact_intervals(&mut figures, &all, settings);
    if let Some(scores) = scores {
        let curve = Curve::of(scores.whole.by_label());
        let are_probabilities = scores.are_probabilities;
        let whole = &scores.whole;
        score::group(
            &mut figures,
            whole,
            curve.as_ref(),
            labelled,
            are_probabilities,
            z(settings),
        );
    }
    if labelled {
        let benefits = [benefit(&all, audit.decision.favourable)];
        for (name, value) in [
            ("theil_index", inequality::theil_index(&benefits)),
            (
                "generalized_entropy_2",
                inequality::generalized_entropy(&benefits, 2.0),
            ),
            (
                "coefficient_of_variation",
                inequality::coefficient_of_variation(&benefits),
            ),
        ] {
            put(&mut figures, name, value);
        }
    }
    Value::Object(figures)
}

/// Counts with the favourable decision as class 1.
fn benefit(group: &Group, favourable: u8) -> Confusion {
    let counts = group.confusion();
    if favourable == 1 {
        counts
    } else {
        counts.swapped()
    }
}

fn exact_intervals(figures: &mut Map<String, Value>, group: &Group, settings: Settings) {
    let alpha = 1.0 - settings.confidence;
    let exact = group
        .selection()
        .and_then(|share| proportion::clopper_pearson(share, alpha));
    figures.insert(
        "ci_clopper_pearson".to_owned(),
        json!({ Rate::SelectionRate.name(): interval(exact) }),
    );
}

fn aggregate(
    figures: &mut Map<String, Value>,
    groups: &Groups,
    favourable: u8,
    labelled: bool,
    scored: Option<&Scored<'_>>,
) {
    let Some(aggregate) = figures.get_mut("aggregate").and_then(Value::as_object_mut) else {
        return;
    };
    let selected = |group: &Group| vec![group.cell.decided(1), group.cell.decided(0)];
    let table = Table::new(groups.groups.iter().map(selected).collect());
    let chi2 = table.as_ref().and_then(contingency::chi2);
    let g_test = table.as_ref().and_then(contingency::g_test);
    put(aggregate, "chi2", chi2.map(|test| test.statistic));
    aggregate.insert("chi2_df".to_owned(), json!(chi2.map(|test| test.df)));
    put_p(aggregate, "chi2", chi2.map(|test| test.p));
    put(
        aggregate,
        "cramers_v",
        table.as_ref().and_then(contingency::cramers_v),
    );
    put(
        aggregate,
        "min_expected_count",
        table.as_ref().and_then(contingency::min_expected_count),
    );
    put(aggregate, "g_test", g_test.map(|test| test.statistic));
    put_p(aggregate, "g_test", g_test.map(|test| test.p));
    let information = table
        .as_ref()
        .and_then(contingency::mutual_information_nats);
    put(aggregate, "mutual_information_nats", information);
    if labelled {
        let benefits: Vec<Confusion> = groups
            .groups
            .iter()
            .map(|group| benefit(group, favourable))
            .collect();
        let theil = inequality::between_group_theil_index(&benefits);
        put(aggregate, "between_group_theil_index", theil);
        let entropy = inequality::between_group_generalized_entropy(&benefits, 2.0);
        put(aggregate, "between_group_generalized_entropy_2", entropy);
    }
    if let Some(scored) = scored {
        let samples: Vec<&Sample> = scored.by_group.values().map(|scores| &scores.all).collect();
        let kruskal = rank::kruskal_wallis(&samples, &scored.known);
        put(aggregate, "kruskal_h", kruskal.map(|test| test.h));
        put_p(aggregate, "kruskal", kruskal.map(|test| test.p));
        if labelled {
            let names = scored.by_group.keys();
            let aucs: Vec<Option<f64>> = names
                .map(|name| Some(scored.curves.get(name.as_str())?.auc.value))
                .collect();
            let spread = alnager_stats::impact::spread(&aucs);
            let difference = spread.map(|spread| spread.difference);
            put(aggregate, "auc_difference", difference);
        }
    }
}

pub(crate) fn put(figures: &mut Map<String, Value>, name: &str, value: Option<f64>) {
    figures.insert(name.to_owned(), number(value));
}

/// `NAME_p`, and `NAME_log10_p` beside it.
pub(crate) fn put_p(figures: &mut Map<String, Value>, name: &str, p: Option<PValue>) {
    put_p_of(figures, name, "", p);
}

/// `NAME_pKIND`, such as `fisher_p_less`, and `NAME_log10_pKIND` beside it.
pub(crate) fn put_p_of(
    figures: &mut Map<String, Value>,
    name: &str,
    kind: &str,
    p: Option<PValue>,
) {
    put(figures, &format!("{name}_p{kind}"), p.map(|p| p.value));
    put(
        figures,
        &format!("{name}_log10_p{kind}"),
        p.map(|p| p.log10),
    );
}

pub(crate) fn put_interval(figures: &mut Map<String, Value>, name: &str, value: Option<Interval>) {
    figures.insert(name.to_owned(), interval(value));
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// The object `figures[outer][inner]`, made where it is not there.
fn child<'f>(
    figures: &'f mut Map<String, Value>,
    outer: &str,
    inner: &str,
) -> &'f mut Map<String, Value> {
    let outer = object(figures.entry(outer).or_insert(Value::Null));
    object(outer.entry(inner).or_insert(Value::Null))
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        // Just made an object.
        _ => unreachable!("the value is an object"),
    }
}
