//! What a page about a fairness audit shows: finished strings and numbers.

use alnager_audit::declared::{Audit, DecisionBy};
use alnager_audit::figures::groups;
use alnager_audit::finding::{Finding, Findings, Method, ends};
use alnager_audit::judge::{self, Outcome};
use alnager_audit::measures::{DataStamp, Measures};
use alnager_audit::plan::Plan;
use alnager_audit::policy::Metric;
use serde_json::Value;

/// What a view is made from.
pub struct Source<'a> {
    /// The audit.
    pub audit: &'a Audit,
    /// What it was judged by.
    pub plan: &'a Plan,
    /// The policy in words.
    pub policy: &'a str,
    /// What was counted.
    pub measures: &'a Measures,
    /// Every figure of the catalogue.
    pub figures: &'a Value,
    /// Every test.
    pub findings: &'a Findings,
    /// How findings were made.
    pub method: Method,
    /// What a person should look at in the data.
    pub warnings: &'a [String],
}

/// A fairness audit, ready to be placed.
#[derive(Debug, Clone, PartialEq)]
pub struct FairnessView {
    /// What was counted.
    pub data: DataStamp,
    /// How the decision, its favourable value, and the label were read, in words.
    pub reading: Vec<String>,
    /// The policy in words.
    pub policy: String,
    /// The confidence of every interval, 0..1.
    pub confidence: f64,
    /// Groups smaller than this are reported, not judged.
    pub min_group: u64,
    /// How findings were made.
    pub method: Method,
    /// How people were divided, with every group.
    pub groupings: Vec<GroupingView>,
    /// Every test of every group.
    pub findings: Vec<FindingView>,
    /// The ratio that stands for the whole.
    pub headline: Option<HeadlineView>,
    /// Comparisons within strata.
    pub stratified: Vec<StratifiedRow>,
    /// Impact ratios period by period.
    pub periods: Vec<PeriodRow>,
    /// What became of the whole.
    pub outcome: Outcome,
    /// What a reader must know before relying on it.
    pub cautions: Vec<String>,
    /// What a person should look at in the data.
    pub warnings: Vec<String>,
}

/// How people were divided.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupingView {
    /// The attribute, or attributes joined by `*`.
    pub name: String,
    /// The reference of the tests.
    pub reference: Option<String>,
    /// Whether the data chose it.
    pub is_chosen: bool,
    /// Rows whose group is unknown.
    pub n_unknown: u64,
    /// The groups.
    pub groups: Vec<GroupRow>,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub n: u64,
    /// Rows with the favourable decision.
    pub k: u64,
    /// The favourable rate; `None` is undefined.
    pub rate: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// One test of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingView {
    /// The policy's test.
    pub test: String,
    /// The figure's word.
    pub metric: &'static str,
    /// How people were divided; empty for a figure over all rows.
    pub grouping: String,
    /// The group; empty for a figure over all rows.
    pub group: String,
    /// The group it is compared with.
    pub reference: Option<String>,
    /// Rows of the group and of the reference.
    pub n: (u64, u64),
    /// The figure; `None` is undefined.
    pub value: Option<f64>,
    /// Its own interval.
    pub interval: Option<(f64, f64)>,
    /// The interval that holds for the whole family.
    pub simultaneous: Option<(f64, f64)>,
    /// The comparisons of the family.
    pub n_family: usize,
    /// The limit in words.
    pub limit: String,
    /// Its lower and upper end, exact.
    pub limit_ends: (Option<String>, Option<String>),
    /// Where the limit comes from, and its citation.
    pub limit_source: String,
    /// How the figure's own interval stands to the limit.
    pub practical: Outcome,
    /// How the interval for the family stands to it.
    pub practical_family: Outcome,
    /// The p-value, its decimal logarithm, and corrected for the family.
    pub p: Option<f64>,
    /// The decimal logarithm of the p-value.
    pub log10_p: Option<f64>,
    /// The p-value corrected for the family.
    pub p_adjusted: Option<f64>,
    /// Whether it is statistically significant.
    pub is_significant: Option<bool>,
    /// The smallest impact ratio this sample could have detected.
    pub detectable: Option<f64>,
    /// What unknown groups could make of it.
    pub bounds: Option<(f64, f64)>,
    /// Whether both groups are large enough to be judged.
    pub is_judged: bool,
    /// Whether a special category was counted without its lawful basis.
    pub is_what_if: bool,
    /// The method with its version.
    pub method: &'static str,
}

/// The ratio that stands for the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadlineView {
    /// Its place among the findings.
    pub at: usize,
    /// The percentile interval with the reference chosen anew.
    pub bootstrap: Option<(f64, f64)>,
}

/// The impact ratio of a group in each period.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodRow {
    /// How people were divided.
    pub grouping: String,
    /// The group.
    pub group: String,
    /// Each period with the group's rows and its impact ratio; `None` is undefined.
    pub ratios: Vec<(String, u64, Option<f64>)>,
}

/// One comparison within strata, beside the crude one.
#[derive(Debug, Clone, PartialEq)]
pub struct StratifiedRow {
    /// How people were divided.
    pub grouping: String,
    /// The group.
    pub group: String,
    /// The column of strata.
    pub by: String,
    /// Strata compared.
    pub n_strata: u64,
    /// The crude impact ratio.
    pub crude_ratio: Option<f64>,
    /// The p-value of Fisher's test of the crude table.
    pub crude_p: Option<f64>,
    /// The impact ratio within strata: the Mantel-Haenszel risk ratio of favourable decisions.
    pub risk_ratio: Option<f64>,
    /// Its interval.
    pub risk_ratio_interval: Option<(f64, f64)>,
    /// The p-value of Cochran, Mantel and Haenszel's test.
    pub cmh_p: Option<f64>,
    /// The p-value of Breslow and Day's test with Tarone's correction: does the odds ratio differ between strata?
    pub homogeneity_p: Option<f64>,
}

/// The view of an audit.
pub fn view(source: &Source<'_>) -> FairnessView {
    let findings = source.findings;
    FairnessView {
        data: source.measures.data.clone(),
        reading: reading(source.audit),
        policy: source.policy.to_owned(),
        confidence: source.plan.confidence,
        min_group: source.plan.min_group,
        method: source.method,
        groupings: groupings(source),
        findings: findings.findings.iter().map(finding).collect(),
        headline: findings.headline.as_ref().map(|headline| HeadlineView {
            at: headline.at,
            bootstrap: ends(headline.bootstrap),
        }),
        stratified: stratified(source),
        periods: periods(source.figures),
        outcome: findings.outcome,
        cautions: findings.cautions.clone(),
        warnings: source.warnings.to_vec(),
    }
}

/// How the columns were read, so that nothing is guessed silently.
fn reading(audit: &Audit) -> Vec<String> {
    let favourable = audit.decision.favourable;
    let decision = match &audit.decision.by {
        DecisionBy::Column(binary) => format!(
            "decision: `{}`, 1 is `{}`; favourable is `{}` (class {favourable})",
            binary.column, binary.positive, audit.decision.favourable_name
        ),
        DecisionBy::Threshold { column, at_least } => format!(
            "decision: 1 where `{column}` is at least {at_least}; favourable is class {favourable}"
        ),
    };
    let label = match &audit.label {
        Some(label) => format!("outcome: `{}`, 1 is `{}`", label.column, label.positive),
        None => "outcome: none, so only selection is measured".to_owned(),
    };
    let mut reading = vec![decision, label];
    if let Some(score) = &audit.score {
        reading.push(format!("score: `{}`", score.column));
    }
    if let Some(condition) = &audit.filter {
        reading.push(format!("rows: only where `{condition}`"));
    }
    for derived in &audit.derived {
        reading.push(format!(
            "derived: `{}` from `{}`",
            derived.column, derived.from
        ));
    }
    reading
}

fn groupings(source: &Source<'_>) -> Vec<GroupingView> {
    let z = judge::z(source.plan);
    let favourable = source.audit.decision.favourable;
    let of = |grouping: alnager_audit::declared::Grouping| {
        let found = groups(
            source.measures,
            &grouping,
            source.audit,
            source.plan.reference_min,
        );
        let rows = found.groups.iter().map(|group| {
            let share = group.favourable_share(favourable, z);
            GroupRow {
                name: group.name.clone(),
                n: group.n(),
                k: share.k,
                rate: share.rate,
                interval: share.interval,
            }
        });
        GroupingView {
            groups: rows.collect(),
            reference: found.reference.map(|at| found.groups[at].name.clone()),
            is_chosen: grouping.reference.is_none(),
            n_unknown: found.n_unknown,
            name: grouping.name,
        }
    };
    source.audit.groupings().into_iter().map(of).collect()
}

fn finding(finding: &Finding) -> FindingView {
    let result = &finding.result;
    let limit = match (&result.limit.low, &result.limit.high) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => "none".to_owned(),
    };
    FindingView {
        test: result.test.clone(),
        metric: result.metric.word(),
        grouping: result.attribute.clone(),
        group: result.group.clone(),
        reference: result.reference.clone(),
        n: (result.n, result.n_reference),
        value: result.value,
        interval: ends(result.interval),
        simultaneous: ends(finding.simultaneous),
        n_family: finding.n_family,
        limit,
        limit_ends: (
            result.limit.low.as_ref().map(ToString::to_string),
            result.limit.high.as_ref().map(ToString::to_string),
        ),
        limit_source: format!("{}: {}", result.limit.source.word(), result.limit.cite),
        practical: result.outcome,
        practical_family: finding.outcome,
        p: result.p,
        log10_p: finding.log10_p,
        p_adjusted: finding.p_adjusted,
        is_significant: finding.is_significant,
        detectable: finding.detectable,
        bounds: ends(finding.bounds),
        is_judged: result.is_judged,
        is_what_if: result.is_what_if,
        method: result.method,
    }
}

fn periods(figures: &Value) -> Vec<PeriodRow> {
    let Some(attrs) = figures["attrs"].as_object() else {
        return Vec::new();
    };
    let mut rows: Vec<PeriodRow> = Vec::new();
    for (grouping, figures) in attrs {
        let (Some(periods), Some(versus)) = (
            figures["periods"].as_object(),
            figures["vs_reference"].as_object(),
        ) else {
            continue;
        };
        for group in versus.keys() {
            let of_period = |(period, groups): (&String, &Value)| {
                let figures = groups.get(group)?;
                let ratio = figures["impact_ratio"].as_f64();
                Some((period.clone(), figures["n"].as_u64()?, ratio))
            };
            rows.push(PeriodRow {
                grouping: grouping.clone(),
                group: group.clone(),
                ratios: periods.iter().filter_map(of_period).collect(),
            });
        }
    }
    rows
}

fn stratified(source: &Source<'_>) -> Vec<StratifiedRow> {
    let Some(attrs) = source.figures["attrs"].as_object() else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (grouping, figures) in attrs {
        let Some(versus) = figures["vs_reference"].as_object() else {
            continue;
        };
        for (group, figures) in versus {
            let stratified = &figures["stratified"];
            let Some(by) = stratified["by"].as_str() else {
                continue;
            };
            let favourable = &stratified["favorable"];
            let interval = &favourable["mh_rr_ci_greenland_robins"];
            rows.push(StratifiedRow {
                grouping: grouping.clone(),
                group: group.clone(),
                by: by.to_owned(),
                n_strata: stratified["n_strata"].as_u64().unwrap_or(0),
                crude_ratio: figures["air"]["value"].as_f64(),
                crude_p: figures["selection_rate"]["fisher_p"].as_f64(),
                risk_ratio: favourable["mh_risk_ratio"].as_f64(),
                risk_ratio_interval: interval[0].as_f64().zip(interval[1].as_f64()),
                cmh_p: stratified["cmh_p"].as_f64(),
                homogeneity_p: stratified["breslow_day_tarone_p"].as_f64(),
            });
        }
    }
    rows
}

impl FindingView {
    /// Whether the figure is a ratio, of which 1 is no gap; else a difference, of which 0 is none.
    pub fn is_ratio(&self) -> bool {
        self.metric == Metric::ImpactRatio.word()
    }
}
