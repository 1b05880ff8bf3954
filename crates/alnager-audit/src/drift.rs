//! Drift: columns, decisions and errors of a baseline beside those of later periods.
//!
//! Two questions are kept apart. *Is this period different from the baseline?* is a fixed-sample test, corrected for the number of
//! tests made. *Has anything changed, asked after every period?* is answered by e-values and confidence sequences
//! ([`alnager_stats::sequential`]), which share one level however long the watch goes on.

use std::collections::BTreeMap;

use alnager_stats::compare::{self, PValue};
use alnager_stats::correct;
use alnager_stats::drift::{self, Counts};
use alnager_stats::impact::impact_ratio;
use alnager_stats::proportion::{self, Proportion, clopper_pearson};
use alnager_stats::sample::Sample;
use alnager_stats::score;
use alnager_stats::sequential::{self, Block, Watch};
use serde_json::{Map, Value, json};

use crate::figures::{interval, number};
use crate::words;

/// What is asked of a watch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The chance of any false alarm, ever, over all series together; 0..1.
    pub alpha: f64,
    /// The bins of the population stability index, at least 2.
    pub n_bins: u32,
    /// The average number of periods without a change before the detector of a series raises an alarm, at least 1.
    pub run_length: f64,
    /// Groups with fewer rows in the baseline are not watched.
    pub min_group: u64,
}

/// A column: the baseline first, then each period in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers, NaN where one is missing.
    Numbers(Vec<Vec<f64>>),
    /// How many rows have each text, and how many have none.
    Texts(Vec<(BTreeMap<String, u64>, u64)>),
}

/// What became of some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows with a decision.
    pub n: u64,
    /// Of them, those decided favourably.
    pub n_favourable: u64,
    /// Rows with a decision and a label.
    pub n_labelled: u64,
    /// Of them, those whose decision and label differ.
    pub n_wrong: u64,
}

impl Tally {
    /// Adds a row: decided favourably or not, and wrongly or not where that is known.
    pub fn add(&mut self, is_favourable: bool, is_wrong: Option<bool>) {
        self.n += 1;
        self.n_favourable += u64::from(is_favourable);
        self.n_labelled += u64::from(is_wrong.is_some());
        self.n_wrong += u64::from(is_wrong == Some(true));
    }
}

/// The decisions: the baseline first, then each period in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decisions {
    /// All rows.
    pub all: Vec<Tally>,
    /// By attribute: its reference where one is declared, and the groups.
    pub attributes: Vec<Attribute>,
}

/// The groups of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// The reference group; `None` where the baseline chooses it.
    pub reference: Option<String>,
    /// Each group's tallies: baseline, then each period.
    pub groups: BTreeMap<String, Vec<Tally>>,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Watched {
    /// The names of the periods, in order; not the baseline's.
    pub periods: Vec<String>,
    /// The columns by name, in the order asked.
    pub columns: Vec<(String, Column)>,
    /// The decisions, where one is named.
    pub decisions: Option<Decisions>,
}

/// One share, ratio or distribution with all that is known of it.
struct Series {
    figures: Value,
    /// The fixed-sample test of each period.
    p: Vec<Option<PValue>>,
    watch: Option<Watch>,
}

/// What a series is a series of, before the level of each is known.
enum Asked {
    Share {
        name: [Value; 3],
        shares: Vec<Proportion>,
    },
    Ratio {
        name: [Value; 3],
        blocks: Vec<Block>,
    },
    Bins {
        name: [Value; 3],
        counts: Vec<Vec<u64>>,
        parts: Vec<Value>,
        p: Vec<Option<PValue>>,
    },
}

/// The figures of a watch; `progress` hears how many of how many series are done.
///
/// `columns` (reference and all periods together), `series` (each by period, with its watch), `alarms`, and the levels in
/// `method`. `null` is undefined.
pub fn figures(watched: &Watched, settings: Settings, progress: &dyn Fn(usize, usize)) -> Value {
    let mut asked = Vec::new();
    let mut columns = Vec::new();
    for (name, column) in &watched.columns {
        let whole = whole_column(name, column, settings);
        columns.push(whole);
        asked.extend(column_series(name, column, settings));
    }
    if let Some(decisions) = &watched.decisions {
        asked.extend(decision_series(decisions, settings));
    }
    adjust_whole(&mut columns, settings.alpha);
    let n_series = asked.len();
    let alpha = settings.alpha / n_series.max(1) as f64;
    let mut series = Vec::with_capacity(n_series);
    for (at, asked) in asked.into_iter().enumerate() {
        series.push(worked_out(
            asked,
            &watched.periods,
            alpha,
            settings.run_length,
        ));
        progress(at + 1, n_series);
    }
    let alarms = adjusted(&mut series, &watched.periods, settings.alpha);
    let n_tests = series.iter().flat_map(|series| &series.p).flatten().count();
    let n_decided = |part: &Tally| part.n;
    json!({
        "schema": "alnager.drift/1",
        "periods": watched.periods,
        "method": {
            "alpha": settings.alpha,
            "alpha_per_series": alpha,
            "n_series": n_series,
            "run_length": settings.run_length,
            "psi_bins": settings.n_bins,
            "min_group": settings.min_group,
            "n_tests_by_period": n_tests,
            "correction": "holm",
        },
        "rows_decided": watched.decisions.as_ref().map(|decisions| {
            decisions.all.iter().map(n_decided).collect::<Vec<_>>()
        }),
        "columns": columns,
        "series": series.iter().map(|series| series.figures.clone()).collect::<Vec<_>>(),
        "alarms": alarms,
        "outcome": if alarms.is_empty() { "no_alarm" } else { "alarm" },
    })
}

/// The convention's word for a size of the index.
fn convention(psi: f64) -> &'static str {
    match psi {
        ..0.1 => "little",
        0.1..0.25 => "moderate",
        _ => "large",
    }
}

fn sample_of(values: &[f64]) -> Option<Sample> {
    let known = values.iter().copied().filter(|value| !value.is_nan());
    Sample::from_counts(known.map(|value| (value, 1)))
}

fn p_figures(p: Option<PValue>) -> [Value; 2] {
    [number(p.map(|p| p.value)), number(p.map(|p| p.log10))]
}

fn counts_figures(counts: &Counts, alpha: f64) -> Map<String, Value> {
    let psi = drift::psi(counts, alpha);
    let js = drift::jensen_shannon(counts);
    let chi2 = drift::chi2(counts);
    let [p, log10_p] = p_figures(chi2.map(|(test, _)| test.p));
    let [psi_p, psi_log10_p] = p_figures(psi.map(|psi| psi.p));
    let figures = json!({
        "psi": number(psi.map(|psi| psi.value)),
        "psi_bins": psi.map(|psi| psi.n_bins),
        "psi_critical": number(psi.map(|psi| psi.critical)),
        "psi_p": psi_p,
        "psi_log10_p": psi_log10_p,
        "psi_convention": psi.map(|psi| convention(psi.value)),
        "jensen_shannon_distance": number(Some(js.distance)),
        "jensen_shannon_divergence_bits": number(Some(js.divergence)),
        "total_variation": number(Some(drift::total_variation(counts))),
        "chi2": number(chi2.map(|(test, _)| test.statistic)),
        "chi2_df": chi2.map(|(test, _)| test.df),
        "chi2_p": p,
        "chi2_log10_p": log10_p,
        "chi2_min_expected": number(chi2.map(|(_, expected)| expected)),
    });
    figures.as_object().cloned().unwrap_or_default()
}

/// A column with all its periods together against its baseline.
fn whole_column(name: &str, column: &Column, settings: Settings) -> Value {
    let mut figures = Map::new();
    figures.insert("column".to_owned(), json!(name));
    match column {
        Column::Numbers(parts) => {
            let later: Vec<f64> = parts.iter().skip(1).flatten().copied().collect();
            let baseline = parts.first().map_or(&[][..], Vec::as_slice);
            figures.insert("kind".to_owned(), json!("number"));
            number_figures(&mut figures, baseline, &later, settings);
        }
        Column::Texts(parts) => {
            let mut later = (BTreeMap::new(), 0);
            for (counts, n_missing) in parts.iter().skip(1) {
                for (text, n) in counts {
                    *later.0.entry(text.clone()).or_insert(0) += n;
                }
                later.1 += n_missing;
            }
            let nothing = (BTreeMap::new(), 0);
            figures.insert("kind".to_owned(), json!("category"));
            text_figures(
                &mut figures,
                parts.first().unwrap_or(&nothing),
                &later,
                settings,
            );
        }
    }
    Value::Object(figures)
}

fn number_figures(
    figures: &mut Map<String, Value>,
    baseline: &[f64],
    later: &[f64],
    settings: Settings,
) {
    let missing = |values: &[f64]| values.iter().filter(|value| value.is_nan()).count() as u64;
    missing_figures(
        figures,
        (missing(baseline), baseline.len() as u64),
        (missing(later), later.len() as u64),
    );
    let Some((baseline, later)) = sample_of(baseline).zip(sample_of(later)) else {
        return;
    };
    if let Some(bins) = drift::bins(&baseline, &later, settings.n_bins) {
        figures.extend(counts_figures(&bins.counts, settings.alpha));
        figures.insert("bin_ends".to_owned(), json!(bins.ends));
    }
    let ks = drift::kolmogorov_smirnov(&later, &baseline);
    let [p, log10_p] = p_figures(ks.map(|(test, _)| test.p));
    let moved = score::wasserstein(&later, &baseline);
    let sd = baseline.sd().filter(|sd| *sd > 0.0);
    for (name, value) in [
        ("mean_baseline", number(baseline.mean())),
        ("mean_later", number(later.mean())),
        ("ks", number(ks.map(|(test, _)| test.d))),
        ("ks_method", json!(ks.map(|(_, method)| method.name()))),
        ("ks_p", p.clone()),
        ("ks_log10_p", log10_p.clone()),
        ("wasserstein", number(moved)),
        (
            "wasserstein_in_baseline_sd",
            number(moved.zip(sd).map(|(moved, sd)| moved / sd)),
        ),
        ("test", json!("ks")),
        ("p", p),
        ("log10_p", log10_p),
    ] {
        figures.insert(name.to_owned(), value);
    }
}

fn missing_figures(figures: &mut Map<String, Value>, baseline: (u64, u64), later: (u64, u64)) {
    let share = |(k, n)| Proportion::new(k, n);
    let pair = share(later).zip(share(baseline));
    let fisher = pair.and_then(|(later, baseline)| compare::fisher(later, baseline));
    for (name, value) in [
        ("n_baseline", json!(baseline.1 - baseline.0)),
        ("n_later", json!(later.1 - later.0)),
        ("n_missing_baseline", json!(baseline.0)),
        ("n_missing_later", json!(later.0)),
        (
            "missing_fisher_p",
            number(fisher.map(|fisher| fisher.two_sided.value)),
        ),
    ] {
        figures.insert(name.to_owned(), value);
    }
}

type TextCounts = (BTreeMap<String, u64>, u64);

fn text_figures(
    figures: &mut Map<String, Value>,
    baseline: &TextCounts,
    later: &TextCounts,
    settings: Settings,
) {
    let n = |counts: &TextCounts| counts.0.values().sum::<u64>() + counts.1;
    missing_figures(figures, (baseline.1, n(baseline)), (later.1, n(later)));
    let new: Vec<&String> = later
        .0
        .iter()
        .filter(|(text, n)| **n > 0 && baseline.0.get(*text).is_none_or(|n| *n == 0))
        .map(|(text, _)| text)
        .collect();
    figures.insert("new_categories".to_owned(), json!(new));
    let texts: Vec<&String> = names(&[baseline, later]);
    let of = |counts: &TextCounts| -> Vec<u64> {
        let count = |text: &&String| counts.0.get(*text).copied().unwrap_or(0);
        texts.iter().map(count).collect()
    };
    let Some(counts) = Counts::new(&of(baseline), &of(later)) else {
        return;
    };
    let of_counts = counts_figures(&counts, settings.alpha);
    for (name, from) in [("p", "chi2_p"), ("log10_p", "chi2_log10_p")] {
        let value = of_counts.get(from).cloned().unwrap_or(Value::Null);
        figures.insert(name.to_owned(), value);
    }
    figures.insert("test".to_owned(), json!("chi2"));
    figures.extend(of_counts);
}

fn names<'a>(parts: &[&'a TextCounts]) -> Vec<&'a String> {
    let mut texts: Vec<&String> = parts.iter().flat_map(|part| part.0.keys()).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// The tests of whole columns adjusted for their number, and what each column comes to.
fn adjust_whole(columns: &mut [Value], alpha: f64) {
    let p: Vec<Option<f64>> = columns.iter().map(|column| column["p"].as_f64()).collect();
    for (column, adjusted) in columns.iter_mut().zip(correct::holm(&p)) {
        let psi = column["psi"].as_f64();
        let verdict = match (adjusted, psi) {
            (None, _) => "not measured",
            (Some(p), _) if p >= alpha => "no drift shown",
            (Some(_), Some(psi)) if psi < 0.1 => "drift shown, small",
            (Some(_), _) => "drift shown",
        };
        if let Some(column) = column.as_object_mut() {
            column.insert("p_adjusted".to_owned(), number(adjusted));
            column.insert("verdict".to_owned(), json!(verdict));
        }
    }
}

/// The distribution of a column by period, and its missing values where there are any.
fn column_series(name: &str, column: &Column, settings: Settings) -> Vec<Asked> {
    let named = |what: &str| [json!(what), json!(name), Value::Null];
    let mut asked = Vec::new();
    let (counts, missing): (Vec<Vec<u64>>, Vec<(u64, u64)>) = match column {
        Column::Numbers(parts) => {
            let missing = parts.iter().map(|values| {
                let n = values.iter().filter(|value| value.is_nan()).count() as u64;
                (n, values.len() as u64)
            });
            let samples: Option<Vec<Sample>> =
                parts.iter().map(|values| sample_of(values)).collect();
            let samples = samples.unwrap_or_default();
            let ends = samples
                .first()
                .and_then(|baseline| drift::bins(baseline, baseline, settings.n_bins))
                .map(|bins| bins.ends);
            let counts = ends.map_or(Vec::new(), |ends| {
                let counts = samples.iter().map(|sample| drift::counts_in(sample, &ends));
                counts.collect()
            });
            (counts, missing.collect())
        }
        Column::Texts(parts) => {
            let texts = names(&parts.iter().collect::<Vec<_>>());
            let counts = parts.iter().map(|(counts, _)| {
                let count = |text: &&String| counts.get(*text).copied().unwrap_or(0);
                texts.iter().map(count).collect()
            });
            let missing = parts
                .iter()
                .map(|(counts, n_missing)| (*n_missing, counts.values().sum::<u64>() + n_missing));
            (counts.collect(), missing.collect())
        }
    };
    if let Some((baseline, periods)) = counts.split_first() {
        let mut p = Vec::new();
        let mut parts = Vec::new();
        for (at, counts) in periods.iter().enumerate() {
            let compared = Counts::new(baseline, counts);
            let test = match column {
                Column::Numbers(values) => values
                    .first()
                    .and_then(|baseline| sample_of(baseline))
                    .zip(values.get(at + 1).and_then(|values| sample_of(values)))
                    .and_then(|(baseline, now)| drift::kolmogorov_smirnov(&now, &baseline))
                    .map(|(test, _)| test.p),
                Column::Texts(_) => compared
                    .as_ref()
                    .and_then(drift::chi2)
                    .map(|(test, _)| test.p),
            };
            let psi = compared
                .as_ref()
                .and_then(|counts| drift::psi(counts, settings.alpha));
            parts.push(json!({
                "n": counts.iter().sum::<u64>(),
                "psi": number(psi.map(|psi| psi.value)),
                "psi_critical": number(psi.map(|psi| psi.critical)),
            }));
            p.push(test);
        }
        asked.push(Asked::Bins {
            name: named("distribution"),
            counts,
            parts,
            p,
        });
    }
    if missing.iter().any(|(n_missing, _)| *n_missing > 0) {
        let shares: Option<Vec<Proportion>> = missing
            .into_iter()
            .map(|(k, n)| Proportion::new(k, n))
            .collect();
        asked.extend(shares.map(|shares| Asked::Share {
            name: named("missing_share"),
            shares,
        }));
    }
    asked
}

fn favourable(tally: &Tally) -> Option<Proportion> {
    Proportion::new(tally.n_favourable, tally.n)
}

fn wrong(tally: &Tally) -> Option<Proportion> {
    Proportion::new(tally.n_wrong, tally.n_labelled)
}

/// Favourable rates and errors of all rows and of each group, and impact ratios.
fn decision_series(decisions: &Decisions, settings: Settings) -> Vec<Asked> {
    let mut asked = Vec::new();
    let mut rates = |tallies: &[Tally], attribute: Value, group: Value| {
        for (what, share) in [
            (
                "favorable_rate",
                favourable as fn(&Tally) -> Option<Proportion>,
            ),
            ("error_rate", wrong),
        ] {
            let shares: Option<Vec<Proportion>> = tallies.iter().map(share).collect();
            let shares = shares.filter(|shares| shares.first().is_some_and(|first| first.n() > 0));
            asked.extend(shares.map(|shares| Asked::Share {
                name: [json!(what), attribute.clone(), group.clone()],
                shares,
            }));
        }
    };
    rates(&decisions.all, Value::Null, Value::Null);
    for attribute in &decisions.attributes {
        for (group, tallies) in large(attribute, settings.min_group) {
            rates(tallies, json!(attribute.name), json!(group));
        }
    }
    for attribute in &decisions.attributes {
        let Some(reference) = reference_of(attribute, settings.min_group) else {
            continue;
        };
        let Some(theirs) = attribute.groups.get(&reference) else {
            continue;
        };
        for (group, tallies) in large(attribute, settings.min_group) {
            if *group == reference {
                continue;
            }
            let blocks = tallies.iter().zip(theirs).map(|(ours, theirs)| {
                Some(Block {
                    group: favourable(ours)?,
                    reference: favourable(theirs)?,
                })
            });
            let blocks: Option<Vec<Block>> = blocks.collect();
            asked.extend(blocks.map(|blocks| Asked::Ratio {
                name: [
                    json!("impact_ratio"),
                    json!(attribute.name),
                    json!(format!("{group} against {reference}")),
                ],
                blocks,
            }));
        }
    }
    asked
}

/// The groups with enough rows in the baseline.
fn large(attribute: &Attribute, min_group: u64) -> impl Iterator<Item = (&String, &Vec<Tally>)> {
    let is_large = move |(_, tallies): &(&String, &Vec<Tally>)| {
        tallies
            .first()
            .is_some_and(|baseline| baseline.n >= min_group.max(1))
    };
    attribute.groups.iter().filter(is_large)
}

/// The reference: the one declared, else the highest favourable rate of the baseline among groups that are large enough.
pub fn reference_of(attribute: &Attribute, min_group: u64) -> Option<String> {
    if attribute.reference.is_some() {
        return attribute.reference.clone();
    }
    let rate = |tallies: &Vec<Tally>| {
        tallies
            .first()
            .and_then(favourable)
            .and_then(Proportion::value)
            .unwrap_or(0.0)
    };
    let best =
        large(attribute, min_group).max_by(|one, other| rate(one.1).total_cmp(&rate(other.1)));
    best.map(|(group, _)| group.clone())
}

const Z95: f64 = proportion::Z95;

fn worked_out(asked: Asked, periods: &[String], alpha: f64, run_length: f64) -> Series {
    match asked {
        Asked::Share { name, shares } => share_series(&name, &shares, periods, alpha, run_length),
        Asked::Ratio { name, blocks } => ratio_series(&name, &blocks, periods, alpha, run_length),
        Asked::Bins {
            name,
            counts,
            parts,
            p,
        } => {
            let watch = counts.split_first().and_then(|(baseline, periods)| {
                sequential::watch_shares(baseline, periods, alpha, run_length)
            });
            let figures = series_figures(&name, Value::Null, parts, periods, watch.as_ref());
            Series { figures, p, watch }
        }
    }
}

fn share_series(
    name: &[Value; 3],
    shares: &[Proportion],
    periods: &[String],
    alpha: f64,
    run_length: f64,
) -> Series {
    let nothing = Series {
        figures: Value::Null,
        p: Vec::new(),
        watch: None,
    };
    let Some((baseline, later)) = shares.split_first() else {
        return nothing;
    };
    let watch = sequential::watch_share(*baseline, later, alpha, run_length);
    let (mut sum, mut parts, mut p) = ((0, 0), Vec::new(), Vec::new());
    for share in later {
        sum = (sum.0 + share.k(), sum.1 + share.n());
        let so_far = Proportion::new(sum.0, sum.1);
        p.push(compare::fisher(*share, *baseline).map(|fisher| fisher.two_sided));
        parts.push(json!({
            "n": share.n(),
            "k": share.k(),
            "value": number(share.value()),
            "ci": interval(proportion::wilson(*share, Z95)),
            "so_far": number(so_far.and_then(Proportion::value)),
            "so_far_sequence": interval(so_far.and_then(|so_far| sequential::share_sequence(so_far, alpha / 2.0))),
        }));
    }
    let baseline = json!({
        "n": baseline.n(),
        "k": baseline.k(),
        "value": number(baseline.value()),
        "range": interval(clopper_pearson(*baseline, alpha / 2.0)),
    });
    let figures = series_figures(name, baseline, parts, periods, watch.as_ref());
    Series { figures, p, watch }
}

fn ratio_series(
    name: &[Value; 3],
    blocks: &[Block],
    periods: &[String],
    alpha: f64,
    run_length: f64,
) -> Series {
    let later = blocks.get(1..).unwrap_or_default();
    let baseline = blocks.first();
    // What the watch takes for it.
    let range = baseline
        .and_then(|block| compare::ratio_exact(block.group, block.reference, 1.0 - alpha / 2.0));
    let watch =
        baseline.and_then(|block| sequential::watch_ratio(*block, later, alpha, run_length));
    let gap = sequential::ln_e_two_shares(blocks);
    let (mut sums, mut parts, mut p) = ([(0, 0); 2], Vec::new(), Vec::new());
    for (at, block) in later.iter().enumerate() {
        for (sum, side) in sums.iter_mut().zip([block.group, block.reference]) {
            *sum = (sum.0 + side.k(), sum.1 + side.n());
        }
        let [group, reference] = sums.map(|(k, n)| Proportion::new(k, n));
        let so_far = group.zip(reference);
        let so_far = so_far.map(|(group, reference)| Block { group, reference });
        p.push(baseline.and_then(|baseline| ratio_change(block, baseline)));
        parts.push(json!({
            "n": block.group.n(),
            "n_reference": block.reference.n(),
            "value": number(impact_ratio(block.group, block.reference)),
            "ci": interval(compare::ratio_katz(block.group, block.reference, Z95)),
            "so_far": number(so_far.and_then(|block| impact_ratio(block.group, block.reference))),
            "so_far_sequence": interval(so_far.and_then(|block| sequential::ratio_sequence(block, alpha / 2.0))),
            "log10_e_unequal": number(gap.get(at + 1).map(|ln| ln / std::f64::consts::LN_10)),
        }));
    }
    let baseline = json!({
        "n": baseline.map(|block| block.group.n()),
        "n_reference": baseline.map(|block| block.reference.n()),
        "value": number(baseline.and_then(|block| impact_ratio(block.group, block.reference))),
        "range": interval(range),
    });
    let figures = series_figures(name, baseline, parts, periods, watch.as_ref());
    Series { figures, p, watch }
}

/// The two-sided p-value that two ratios of shares differ, by the normal distribution of their logarithms; `None` where a count
/// is 0.
///
/// Source: Katz, Baptista, Azen and Pike 1978, Biometrics 34, 469-474, for each of the two.
pub fn ratio_change(now: &Block, before: &Block) -> Option<PValue> {
    let (difference, variance) = ln_ratio_change(now, before)?;
    (variance > 0.0).then(|| compare::p_of_z(difference / variance.sqrt()))
}

/// ln of the ratio now over the ratio before, and its variance; `None` where a count is 0.
pub fn ln_ratio_change(now: &Block, before: &Block) -> Option<(f64, f64)> {
    let part = |share: Proportion| {
        let (k, n) = (share.k() as f64, share.n() as f64);
        (k > 0.0).then(|| ((k / n).ln(), 1.0 / k - 1.0 / n))
    };
    let (a, b) = (part(now.group)?, part(now.reference)?);
    let (c, d) = (part(before.group)?, part(before.reference)?);
    Some(((a.0 - b.0) - (c.0 - d.0), a.1 + b.1 + c.1 + d.1))
}

fn series_figures(
    name: &[Value; 3],
    baseline: Value,
    parts: Vec<Value>,
    periods: &[String],
    watch: Option<&Watch>,
) -> Value {
    let log10 = |ln: f64| number(Some(ln / std::f64::consts::LN_10));
    let parts: Vec<Value> = parts
        .into_iter()
        .enumerate()
        .map(|(at, mut part)| {
            if let Some(part) = part.as_object_mut() {
                part.insert("period".to_owned(), json!(periods.get(at)));
                let of = |course: Option<&Vec<f64>>| {
                    course
                        .and_then(|course| course.get(at))
                        .map_or(Value::Null, |ln| log10(*ln))
                };
                part.insert("log10_e".to_owned(), of(watch.map(|watch| &watch.ln_e)));
                part.insert(
                    "log10_detector".to_owned(),
                    of(watch.map(|watch| &watch.ln_detector)),
                );
            }
            part
        })
        .collect();
    let period = |at: Option<usize>| at.and_then(|at| periods.get(at));
    json!({
        "what": name[0],
        "of": name[1],
        "group": name[2],
        "baseline": baseline,
        "by_period": parts,
        "watch": watch.map(|watch| json!({
            "log10_e_limit": log10(watch.limit),
            "alarm_at": period(watch.alarm),
            "changed_from": period(watch.from),
            "detector_alarm_at": period(watch.alarm_by_run_length),
        })),
    })
}

/// Adjusts every fixed-sample test for the number of them, and lists the alarms.
fn adjusted(series: &mut [Series], periods: &[String], alpha: f64) -> Vec<Value> {
    let p: Vec<Option<f64>> = series
        .iter()
        .flat_map(|series| series.p.iter().map(|p| p.map(|p| p.value)))
        .collect();
    let mut adjusted = correct::holm(&p).into_iter();
    let mut alarms = Vec::new();
    for series in series {
        let mut first_shown = None;
        for (at, p) in series.p.iter().enumerate() {
            let adjusted = adjusted.next().flatten();
            if first_shown.is_none() && adjusted.is_some_and(|p| p < alpha) {
                first_shown = Some(at);
            }
            if let Some(part) = series.figures["by_period"][at].as_object_mut() {
                let [p, log10_p] = p_figures(*p);
                part.insert("p".to_owned(), p);
                part.insert("log10_p".to_owned(), log10_p);
                part.insert("p_adjusted".to_owned(), number(adjusted));
            }
        }
        let alarm = series.watch.as_ref().and_then(|watch| watch.alarm);
        let figures = &series.figures;
        if let Some(at) = alarm {
            alarms.push(json!({
                "what": figures["what"],
                "of": figures["of"],
                "group": figures["group"],
                "alarm_at": periods.get(at),
                "changed_from": figures["watch"]["changed_from"],
                "fixed_sample_test_first_at": first_shown.and_then(|at| periods.get(at)),
            }));
        }
    }
    alarms
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let mut text = reading(figures);
    text.push_str(&whole_words(figures));
    for series in figures["series"].as_array().into_iter().flatten() {
        if series["what"] != "distribution" {
            text.push_str(&series_words(series));
        }
    }
    text.push_str(&distribution_words(figures));
    text.push_str(&closing_words(figures));
    text
}

/// What the program understood.
fn reading(figures: &Value) -> String {
    let list = |value: &Value| {
        let names = value.as_array().into_iter().flatten();
        names.map(words::figure).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("Baseline: {}.", list(&figures["baseline"]));
    match figures["period_column"].as_str() {
        Some(column) => text.push_str(&format!(
            " Periods: {} of `{column}`, {}.",
            figures["periods"].as_array().map_or(0, Vec::len),
            match figures["period_order"].as_str() {
                Some(order) => format!("ordered {order}"),
                None => "in order".to_owned(),
            }
        )),
        None => text.push_str(&format!(" Later: {}.", list(&figures["periods"]))),
    }
    if let Some(column) = figures["decision"]["column"].as_str() {
        text.push_str(&format!(
            " Favourable is `{column}` = {}.",
            words::figure(&figures["decision"]["favorable"])
        ));
    }
    if let Some(column) = figures["label"]["column"].as_str() {
        text.push_str(&format!(
            " An error is a decision unlike `{column}` = {}.",
            words::figure(&figures["label"]["positive"])
        ));
    }
    match figures["rows_without_period"].as_u64() {
        None | Some(0) => {}
        Some(n) => text.push_str(&format!(" {n} rows without a period are left out.")),
    }
    text.push_str("\n\n");
    text
}

fn whole_words(figures: &Value) -> String {
    let columns = figures["columns"].as_array().cloned().unwrap_or_default();
    if columns.is_empty() {
        return String::new();
    }
    let shown = |column: &Value| {
        let of = |name: &str| words::figure(&column[name]);
        let test = match column["test"].as_str() {
            Some("ks") => format!("KS {}", of("ks")),
            Some("chi2") => format!("χ² {}", of("chi2")),
            _ => "undefined".to_owned(),
        };
        vec![
            column["column"].as_str().unwrap_or_default().to_owned(),
            of("n_baseline"),
            of("n_later"),
            of("psi"),
            of("psi_critical"),
            of("jensen_shannon_distance"),
            of("total_variation"),
            match column["kind"].as_str() {
                Some("number") => of("wasserstein"),
                _ => "-".to_owned(),
            },
            test,
            words::p(column, ["p", "log10_p"]),
            of("p_adjusted"),
            of("verdict"),
        ]
    };
    let header = [
        "column",
        "baseline",
        "later",
        "PSI",
        "critical",
        "JS distance",
        "TV",
        "Wasserstein",
        "test",
        "p",
        "adjusted",
        "",
    ];
    let rows: Vec<Vec<String>> = columns.iter().map(shown).collect();
    let mut text = format!(
        "Columns, all later rows together against the baseline\n{}\n",
        words::grid(&header, &rows)
    );
    text.push_str("PSI above its critical value is more than chance; the convention calls below 0.1 little, 0.1 to 0.25 moderate, above large, whatever the number of rows. \
        JS distance is the root of the divergence in bits; TV is the share of rows that would have to move.\n");
    for column in &columns {
        let name = column["column"].as_str().unwrap_or_default();
        let new = column["new_categories"].as_array().map_or(0, Vec::len);
        if new > 0 {
            let names: Vec<&str> = column["new_categories"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            text.push_str(&format!(
                "{name}: not in the baseline: {}.\n",
                names.join(", ")
            ));
        }
        let missing = ["n_missing_baseline", "n_missing_later"].map(|n| column[n].as_u64());
        if missing.iter().flatten().any(|n| *n > 0) {
            text.push_str(&format!(
                "{name}: missing in {} rows of the baseline and {} later (Fisher's p {}).\n",
                missing[0].unwrap_or(0),
                missing[1].unwrap_or(0),
                words::figure(&column["missing_fisher_p"]),
            ));
        }
        if column["chi2_min_expected"]
            .as_f64()
            .is_some_and(|n| n < 5.0)
        {
            text.push_str(&format!(
                "{name}: a bin expects fewer than 5 rows; its PSI limit and χ² are rough.\n"
            ));
        }
    }
    text.push('\n');
    text
}

/// The words for a series.
fn title(series: &Value) -> String {
    let of = series["of"].as_str();
    let group = series["group"].as_str();
    let what = match series["what"].as_str() {
        Some("favorable_rate") => "Favourable rate",
        Some("error_rate") => "Error rate",
        Some("impact_ratio") => "Impact ratio",
        Some("missing_share") => "Share missing",
        _ => "Distribution",
    };
    match (of, group, series["what"].as_str()) {
        (None, _, _) => format!("{what} of all rows"),
        (Some(of), None, Some("missing_share")) => format!("{what} in {of}"),
        (Some(of), None, _) => format!("{what} of {of}"),
        (Some(of), Some(group), _) => format!("{what}, {of}: {group}"),
    }
}

fn series_words(series: &Value) -> String {
    let baseline = &series["baseline"];
    let alarm = series["watch"]["alarm_at"].as_str();
    let mut is_raised = false;
    let mut rows = vec![vec![
        "baseline".to_owned(),
        words::figure(&baseline["n"]),
        words::figure(&baseline["value"]),
        words::figure(&baseline["range"]).replace(" to undefined", " to ∞"),
    ]];
    for part in series["by_period"].as_array().into_iter().flatten() {
        let period = part["period"].as_str().unwrap_or_default();
        is_raised |= alarm == Some(period);
        rows.push(vec![
            period.to_owned(),
            words::figure(&part["n"]),
            words::figure(&part["value"]),
            words::figure(&part["ci"]),
            words::p(part, ["p", "log10_p"]),
            words::figure(&part["p_adjusted"]),
            // A ratio without an upper limit, where the reference's share may be 0.
            words::figure(&part["so_far_sequence"]).replace(" to undefined", " to ∞"),
            words::figure(&part["log10_e"]),
            if is_raised { "alarm" } else { "" }.to_owned(),
        ]);
    }
    let header = [
        "",
        "rows",
        "value",
        "interval",
        "p",
        "adjusted",
        "all so far",
        "log10 e",
        "",
    ];
    let limit = words::figure(&series["watch"]["log10_e_limit"]);
    format!(
        "{} (alarm at log10 e of {limit})\n{}\n\n",
        title(series),
        words::grid(&header, &rows)
    )
}

fn distribution_words(figures: &Value) -> String {
    let all = figures["series"].as_array().cloned().unwrap_or_default();
    let series: Vec<&Value> = all
        .iter()
        .filter(|series| series["what"] == "distribution")
        .collect();
    let n_periods = figures["periods"].as_array().map_or(0, Vec::len);
    if series.is_empty() || n_periods < 2 {
        return String::new();
    }
    let mut header = vec!["PSI (log10 e)".to_owned()];
    header.extend(series.iter().map(|series| words::figure(&series["of"])));
    let mut rows = Vec::new();
    for at in 0..n_periods {
        let mut row = vec![words::figure(&figures["periods"][at])];
        row.extend(series.iter().map(|series| {
            let part = &series["by_period"][at];
            format!(
                "{} ({})",
                words::figure(&part["psi"]),
                part["log10_e"]
                    .as_f64()
                    .map_or("undefined".to_owned(), |e| format!("{e:.2}")),
            )
        }));
        rows.push(row);
    }
    let limit = words::figure(&series[0]["watch"]["log10_e_limit"]);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    format!(
        "Columns by period (alarm at log10 e of {limit})\n{}\n\n",
        words::grid(&header, &rows)
    )
}

fn closing_words(figures: &Value) -> String {
    let method = &figures["method"];
    let mut text = String::new();
    for alarm in figures["alarms"].as_array().into_iter().flatten() {
        let fixed = match alarm["fixed_sample_test_first_at"].as_str() {
            Some(period) => format!("the corrected fixed-sample test shows it first at {period}"),
            None => "no single period shows it by the corrected fixed-sample test".to_owned(),
        };
        text.push_str(&format!(
            "Alarm: {} has left its baseline. Raised at {}; the change is most evident from {} on; {fixed}.\n",
            title(alarm),
            words::figure(&alarm["alarm_at"]),
            words::figure(&alarm["changed_from"]),
        ));
    }
    if text.is_empty() {
        text.push_str("No alarm: no series is shown to have left its baseline. That is no proof that none has.\n");
    }
    for series in figures["series"].as_array().into_iter().flatten() {
        let watch = &series["watch"];
        if let (Some(at), true) = (
            watch["detector_alarm_at"].as_str(),
            watch["alarm_at"].is_null(),
        ) {
            text.push_str(&format!(
                "To look into: the detector of {} passes its run length at {at}.\n",
                title(series)
            ));
        }
    }
    text.push_str(&format!(
        "Level: without any change, all {} series together ever raise an alarm in at most {} of all watches, however often one looks; each detector, on average, \
        not before {} periods. The column p is a fixed-sample test of its one period (Fisher, KS, χ², or the normal one for ratios), adjusted for {} tests (Holm). The baseline's interval is the exact one that the alarm allows for; those of single periods have 95 %.",
        words::figure(&method["n_series"]),
        words::plain(&method["alpha"]),
        method["run_length"].as_f64().unwrap_or_default(),
        words::figure(&method["n_tests_by_period"]),
    ));
    text
}

#[cfg(test)]
mod tests;
