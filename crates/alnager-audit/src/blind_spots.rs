//! Blind spots: people the data hardly know, subgroups whose decisions differ most, and what is missing of whom.

use alnager_stats::proportion::{Interval, Proportion};
use serde_json::{Map, Value, json};

use crate::coverage::{self, Coverage, CoverageError};
use crate::declared::UNKNOWN_GROUP;
use crate::figures::{interval, number};
use crate::missingness::{self, Fate, Group, Presence, Share};
use crate::slices::{self, DEPTH_MAX, Feature, Found, Part, Side, Slice};
use crate::texts::Texts;
use crate::words;

/// The most patterns listed; all are counted.
const PATTERNS_LISTED_MAX: usize = 1_000;

/// The most patterns, and the most comparisons of missing values, shown on the screen.
const SHOWN_MAX: usize = 15;

/// What is measured of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Whether the decision differs from the label.
    Error,
    /// Whether the decision is the favourable one.
    Selection,
    /// Of rows whose label is negative: whether the decision is positive.
    Fpr,
    /// Of rows whose label is positive: whether the decision is negative.
    Fnr,
    /// A number, such as a score or a loss.
    Score,
}

impl Measure {
    /// All of them.
    pub const ALL: [Measure; 5] = [
        Measure::Error,
        Measure::Selection,
        Measure::Fpr,
        Measure::Fnr,
        Measure::Score,
    ];

    /// Its name on the command line and in figures.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Error => "error",
            Measure::Selection => "selection",
            Measure::Fpr => "fpr",
            Measure::Fnr => "fnr",
            Measure::Score => "score",
        }
    }

    /// The measure of this name.
    pub fn from_name(name: &str) -> Option<Measure> {
        Measure::ALL
            .into_iter()
            .find(|measure| measure.name() == name)
    }

    /// Whether it asks for a label.
    pub fn needs_label(self) -> bool {
        match self {
            Measure::Error | Measure::Fpr | Measure::Fnr => true,
            Measure::Selection | Measure::Score => false,
        }
    }

    /// The side that is worse for people: more errors, fewer favourable decisions. A score may be bad on either side.
    pub fn worse(self) -> Side {
        match self {
            Measure::Error | Measure::Fpr | Measure::Fnr => Side::Higher,
            Measure::Selection => Side::Lower,
            Measure::Score => Side::Both,
        }
    }

    /// What is counted, in words, of 100 rows.
    fn counted(self) -> &'static str {
        match self {
            Measure::Error => "wrong decisions",
            Measure::Selection => "favourable decisions",
            Measure::Fpr => "false positives",
            Measure::Fnr => "false negatives",
            Measure::Score => "points",
        }
    }

    /// How a row came out: `decision` and `label` are whether each is the positive value, `favourable` is the value that is good
    /// for the person. [`Fate::Out`] for a score, which is no rate.
    pub fn fate(self, decision: Option<bool>, label: Option<bool>, favourable: bool) -> Fate {
        match (self, decision, label) {
            (Measure::Score, _, _) => Fate::Out,
            (Measure::Selection, Some(decision), _) => Fate::Known(decision == favourable),
            (Measure::Error, Some(decision), Some(label)) => Fate::Known(decision != label),
            (Measure::Fpr, _, Some(true)) | (Measure::Fnr, _, Some(false)) => Fate::Out,
            (Measure::Fpr, Some(decision), Some(false)) => Fate::Known(decision),
            (Measure::Fnr, Some(decision), Some(true)) => Fate::Known(!decision),
            (Measure::Fpr, Some(true), None) | (Measure::Fnr, Some(false), None) => {
                Fate::SuccessOrOut
            }
            (Measure::Fpr, Some(false), None) | (Measure::Fnr, Some(true), None) => {
                Fate::FailureOrOut
            }
            // Where nothing is known it may not count at all; for the bounds of a rate that allows nothing more.
            (Measure::Selection | Measure::Error | Measure::Fpr | Measure::Fnr, _, _) => {
                Fate::Either
            }
        }
    }
}

/// What to look at.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What is measured.
    pub measure: Measure,
    /// The search for slices.
    pub slices: slices::Asked<'a>,
    /// Columns that are no features, each with the reason.
    pub not_used: &'a [(String, String)],
    /// The protected attributes: for coverage, and by whose groups missing values are compared.
    pub attributes: &'a [Texts],
    /// The rows that make a pattern covered.
    pub rows_min: u64,
    /// Which rows of each column have a value.
    pub presences: &'a [Presence],
    /// How each row came out; empty for a score.
    pub fates: &'a [Fate],
}

/// Everything that follows.
pub fn figures(asked: &Asked, progress: &dyn Fn(u64, u64)) -> Result<Option<Value>, CoverageError> {
    let coverage = coverage::search(&coverage::Asked {
        attributes: asked.attributes,
        rows_min: asked.rows_min,
        depth: asked.attributes.len(),
    })?;
    let Some(found) = slices::search(&asked.slices, progress) else {
        return Ok(None);
    };
    let groups = asked.attributes.iter().filter(|_| !asked.fates.is_empty());
    let groups = groups
        .filter_map(|attribute| Some((attribute, missingness::groups(attribute, asked.fates)?)));
    let groups: Map<String, Value> = groups
        .map(|(attribute, groups)| {
            let groups = groups
                .iter()
                .map(|group| (group.name.clone(), of_group(group)));
            (
                attribute.column().to_owned(),
                Value::Object(groups.collect()),
            )
        })
        .collect();
    let shares = missingness::shares(asked.presences, asked.attributes);
    Ok(Some(json!({
        "measure": asked.measure.name(),
        "confidence": asked.slices.confidence,
        "slices": of_search(asked, &found),
        "coverage": of_coverage(asked, &coverage),
        "missing": {
            "n_comparisons": shares.len(),
            "columns": shares.iter().map(of_share).collect::<Vec<_>>(),
            "bounds": groups,
        },
    })))
}

fn of_search(asked: &Asked, found: &Found) -> Value {
    let search = &asked.slices;
    let features = search.features.iter().map(|feature| {
        json!({
            "feature": feature.name,
            "kind": if feature.cuts.is_empty() { "values" } else { "ranges" },
            "levels": feature.levels,
            "cuts": feature.cuts,
        })
    });
    let not_used = asked.not_used.iter();
    let not_used = not_used.map(|(column, why)| (column.clone(), json!(why)));
    let list = |confirmed: bool| -> Vec<Value> {
        let slices = found
            .slices
            .iter()
            .filter(|slice| slice.is_confirmed == confirmed);
        slices.map(|slice| of_slice(asked, found, slice)).collect()
    };
    json!({
        "rule": "found on one half of the rows; on the other half held against everybody else, corrected for the slices tested (Holm)",
        "test": match search.outcome {
            slices::Outcome::Rate(_) => "Fisher's exact test, one-sided; Newcombe's interval at 1 less an equal part of the error",
            slices::Outcome::Mean(_) => "Welch's t test, one-sided; normal interval with its standard error at 1 less an equal part of the error",
        },
        "looked_for": match search.side {
            Side::Higher => "higher",
            Side::Lower => "lower",
            Side::Both => "either",
        },
        "features": features.collect::<Vec<_>>(),
        "not_used": not_used.collect::<Map<_, _>>(),
        "depth": search.depth,
        "min_rows": search.rows_min,
        "seed": search.seed,
        "n_explored": found.n_explored,
        "n_held_out": found.n_held_out,
        "n_searched": found.n_searched,
        "n_tested": found.slices.len(),
        "confirmed": list(true),
        "not_confirmed": list(false),
    })
}

fn of_slice(asked: &Asked, found: &Found, slice: &Slice) -> Value {
    let features = asked.slices.features;
    let fixed = |fixed: &[(usize, usize)]| -> Value {
        let fixed = fixed.iter().map(|&(at, level)| {
            let feature = &features[at];
            (feature.name.clone(), json!(feature.levels[level]))
        });
        Value::Object(fixed.collect())
    };
    let n_all = features.first().map_or(0, |feature| feature.codes.len());
    let share = Proportion::new(slice.n_rows, n_all as u64).and_then(Proportion::value);
    json!({
        "slice": fixed(&slice.fixed),
        "sentence": sentence(asked, found, slice, share),
        "n": slice.n_rows,
        "share": number(share),
        "held_out": of_part(&slice.held_out),
        "difference_interval": interval(slice.interval),
        "fisher_or_welch_p": number(slice.p_everybody),
        "p": number(slice.p),
        "p_holm": number(slice.p_holm),
        "explored": of_part(&slice.explored),
        "alike": slice.alike.iter().map(|alike| fixed(alike)).collect::<Vec<_>>(),
    })
}

fn of_part(part: &Part) -> Value {
    json!({
        "n": part.n,
        "mean": number(part.mean),
        "n_rest": part.n_rest,
        "mean_rest": number(part.mean_rest),
        "difference": number(part.difference()),
    })
}

fn of_coverage(asked: &Asked, coverage: &Coverage) -> Value {
    let patterns = coverage
        .patterns
        .iter()
        .take(PATTERNS_LISTED_MAX)
        .map(|pattern| {
            let fixed = pattern.fixed.iter().map(|&(at, value)| {
                let attribute = &asked.attributes[at];
                (
                    attribute.column().to_owned(),
                    json!(attribute.values()[value]),
                )
            });
            let share = Proportion::new(pattern.n, coverage.n_rows).and_then(Proportion::value);
            json!({
                "pattern": Value::Object(fixed.collect()),
                "n": pattern.n,
                "share": number(share),
                "n_lacking": asked.rows_min - pattern.n,
            })
        });
    let names: Vec<&str> = asked.attributes.iter().map(Texts::column).collect();
    json!({
        "rule": "maximal uncovered patterns: fewer rows than the minimum, and enough once any one attribute is left open",
        "attributes": names,
        "min_rows": asked.rows_min,
        "n_combinations": coverage.n_combinations,
        "n_unknown": coverage.n_unknown,
        "n_covered": coverage.n_covered,
        "n_patterns": coverage.patterns.len(),
        "n_listed": coverage.patterns.len().min(PATTERNS_LISTED_MAX),
        "patterns": patterns.collect::<Vec<_>>(),
    })
}

fn of_share(share: &Share) -> Value {
    json!({
        "column": share.column,
        "attr": share.attribute,
        "group": share.group,
        "n": share.missing.n(),
        "n_missing": share.missing.k(),
        "share": number(share.missing.value()),
        "share_rest": number(share.missing_rest.value()),
        "fisher_p": number(share.p),
        "p_holm": number(share.p_holm),
    })
}

fn of_group(group: &Group) -> Value {
    let unknown =
        |fates: missingness::Fates| fates.either + fates.success_or_out + fates.failure_or_out;
    // A ratio without an end has none to print.
    let ratio = |bounds: Interval| json!([number(Some(bounds.low)), number(Some(bounds.high))]);
    json!({
        "n_known": group.fates.known().map(Proportion::n),
        "n_unknown": unknown(group.fates),
        "rate": number(group.fates.known().and_then(Proportion::value)),
        "rate_rest": number(group.rest.known().and_then(Proportion::value)),
        "difference": number(group.difference),
        "rate_bounds": interval(group.rate),
        "rate_rest_bounds": interval(group.rate_rest),
        "difference_bounds": interval(group.difference_bounds),
        "ratio_bounds": group.ratio_bounds.map_or(Value::Null, ratio),
    })
}

// ---------------------------------------------------------------------------------------------------------------------------
// In words

/// `sex Female, age 25 to below 34`.
fn described(members: &Value) -> String {
    let names = words::keys(members);
    let described = names.iter().map(|name| {
        let level = members[*name].as_str().unwrap_or_default();
        if level == UNKNOWN_GROUP {
            format!("{name} unknown")
        } else {
            format!("{name} {level}")
        }
    });
    let described: Vec<String> = described.collect();
    if described.is_empty() {
        "all rows".to_owned()
    } else {
        described.join(", ")
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("undefined".to_owned(), |share| {
        format!("{:.1} %", 100.0 * share)
    })
}

/// A p-value, also where it is too small to be written.
fn p_in_words(value: &Value) -> String {
    match value.as_f64() {
        Some(p) if p <= 0.0 => "below 1e-300".to_owned(),
        Some(_) | None => words::figure(value),
    }
}

/// What the held-out half says of a slice, in one plain sentence.
fn sentence(asked: &Asked, found: &Found, slice: &Slice, share: Option<f64>) -> String {
    let features = asked.slices.features;
    let members = slice
        .fixed
        .iter()
        .map(|&(at, level)| (features[at].name.clone(), json!(features[at].levels[level])));
    let who = described(&Value::Object(members.collect()));
    let size = format!("{} rows, {} of rows", slice.n_rows, percent(share));
    let Some(difference) = slice.held_out.difference() else {
        return format!("{who}: no rows to compare in the held-out half ({size})");
    };
    let is_rate = asked.measure != Measure::Score;
    let shown = |value: f64| match is_rate {
        true => format!("{:.1}", 100.0 * value),
        false => words::short(value),
    };
    let range = match slice.interval {
        None => "no interval".to_owned(),
        Some(ends) => {
            // Both ends read as the difference does: how many more, or how many fewer.
            let (low, high) = if difference < 0.0 {
                (-ends.high, -ends.low)
            } else {
                (ends.low, ends.high)
            };
            let all = match found.slices.len() {
                1 => String::new(),
                n => format!(" for all {n} at once"),
            };
            let confidence = 100.0 * asked.slices.confidence;
            format!(
                "{confidence} % interval{all} {} to {}",
                shown(low),
                shown(high)
            )
        }
    };
    let more = match (is_rate, difference < 0.0) {
        (true, false) => "more",
        (true, true) => "fewer",
        (false, false) => "higher",
        (false, true) => "lower",
    };
    let what = match is_rate {
        true => format!(
            "{} of 100 {more} {}",
            shown(difference.abs()),
            asked.measure.counted()
        ),
        false => format!("{} {more} on the average", shown(difference.abs())),
    };
    format!("{who}: {what} than everybody else ({size}, {range})")
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    [
        slices_in_words(figures),
        coverage_in_words(&figures["coverage"]),
        missing_in_words(figures),
    ]
    .join("\n\n")
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn slices_in_words(figures: &Value) -> String {
    let search = &figures["slices"];
    let features = list(search, "features")
        .iter()
        .map(|feature| text(feature, "feature"));
    let features: Vec<&str> = features.collect();
    let mut lines = vec![
        format!(
            "BLIND SPOTS · subgroups by {}{}, found on one half and confirmed on the other",
            text(figures, "measure"),
            match Measure::from_name(text(figures, "measure")) {
                Some(Measure::Fpr) => " of rows whose label is negative",
                Some(Measure::Fnr) => " of rows whose label is positive",
                Some(Measure::Error | Measure::Selection | Measure::Score) | None => "",
            }
        ),
        format!(
            "{} subgroups of up to {} features with {} rows or more were counted in the {} rows of the exploring half (seed {}). \
             The {} most remarkable, {} than everybody else, were tested in the other {} rows, with room for one false alarm in {:.0} audits.",
            search["n_searched"],
            search["depth"],
            search["min_rows"],
            search["n_explored"],
            search["seed"],
            search["n_tested"],
            match text(search, "looked_for") {
                "either" => "higher or lower",
                side => side,
            },
            search["n_held_out"],
            1.0 / (1.0 - figures["confidence"].as_f64().unwrap_or(0.95)),
        ),
        format!("Features: {}.", features.join(", ")),
    ];
    for column in words::keys(&search["not_used"]) {
        lines.push(format!(
            "Not used: `{column}`, {}.",
            text(&search["not_used"], column)
        ));
    }
    lines.push(String::new());
    let confirmed = list(search, "confirmed");
    match confirmed.len() {
        0 if search["n_searched"] == 0 => lines.push(format!(
            "Not measured: no subgroup of {} rows or more leaves as many others in the exploring half. A lower --min-rows looks at \
             smaller ones.",
            search["min_rows"]
        )),
        0 => lines.push(format!(
            "None found: no subgroup among the {} counted is confirmed by the held-out half. A smaller one, or one of more than {} features, \
             was not looked for.",
            search["n_searched"], search["depth"]
        )),
        n => {
            lines.push(format!("Confirmed: {n}"));
            for slice in confirmed {
                lines.push(format!("✕ {}; p {} corrected", text(slice, "sentence"), p_in_words(&slice["p_holm"])));
                let alike = list(slice, "alike");
                if !alike.is_empty() {
                    let alike: Vec<String> = alike.iter().map(described).collect();
                    lines.push(format!("· mostly the same rows: {}", alike.join("; ")));
                }
            }
        }
    }
    lines.extend(unconfirmed_in_words(search));
    lines.join("\n")
}

/// What was carried over and not confirmed; nothing where everything was.
fn unconfirmed_in_words(search: &Value) -> Vec<String> {
    let others = list(search, "not_confirmed");
    if others.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Vec<String>> = others.iter().map(of_unconfirmed).collect();
    vec![
        String::new(),
        format!(
            "Not confirmed: {}. Each looked remarkable in the exploring half; the held-out half does not say enough.",
            others.len()
        ),
        words::grid(&["", "rows", "explored", "held out", "p corrected"], &rows),
    ]
}

fn of_unconfirmed(slice: &Value) -> Vec<String> {
    vec![
        described(&slice["slice"]),
        words::figure(&slice["n"]),
        words::figure(&slice["explored"]["difference"]),
        words::figure(&slice["held_out"]["difference"]),
        p_in_words(&slice["p_holm"]),
    ]
}

fn coverage_in_words(coverage: &Value) -> String {
    let attributes = list(coverage, "attributes")
        .iter()
        .filter_map(Value::as_str);
    let attributes: Vec<&str> = attributes.collect();
    let min = &coverage["min_rows"];
    let n = coverage["n_patterns"].as_u64().unwrap_or(0);
    let mut lines = vec![format!(
        "COVERAGE · combinations of {} with fewer than {min} rows, each named as widely as it reaches",
        attributes.join(", ")
    )];
    if n == 0 {
        lines.push(format!("Every combination has {min} rows or more."));
    }
    let patterns = list(coverage, "patterns");
    let rows: Vec<Vec<String>> = patterns
        .iter()
        .take(SHOWN_MAX)
        .map(|pattern| {
            vec![
                described(&pattern["pattern"]),
                words::figure(&pattern["n"]),
                percent(pattern["share"].as_f64()),
                words::figure(&pattern["n_lacking"]),
            ]
        })
        .collect();
    if !rows.is_empty() {
        lines.push(words::grid(&["", "rows", "of rows", "lacking"], &rows));
        if n as usize > rows.len() {
            lines.push(format!(
                "and {} more; --format json lists up to {PATTERNS_LISTED_MAX}.",
                n as usize - rows.len()
            ));
        }
        lines.push(format!(
            "What holds for everybody may not hold for them: figures about fewer than {min} rows say little, and a model has hardly met them."
        ));
    }
    if patterns.iter().any(|pattern| pattern["n"] == 0) {
        lines.push(
            "A combination without any row may be one that cannot be; the data do not tell."
                .to_owned(),
        );
    }
    if coverage["n_unknown"].as_u64() > Some(0) {
        lines.push(format!(
            "In {} rows an attribute is unknown; they match only what leaves it open.",
            coverage["n_unknown"]
        ));
    }
    lines.join("\n")
}

fn missing_in_words(figures: &Value) -> String {
    let missing = &figures["missing"];
    let mut lines = vec!["MISSING VALUES · of whom, and what they could hide".to_owned()];
    let columns = list(missing, "columns");
    if columns.is_empty() {
        lines.push("No column lacks a value.".to_owned());
    } else {
        let mut shown: Vec<&Value> = columns.iter().collect();
        // The most uneven first.
        shown.sort_by(|one, other| {
            let p = |share: &Value| share["p_holm"].as_f64().unwrap_or(1.0);
            p(one).total_cmp(&p(other))
        });
        let rows: Vec<Vec<String>> = shown
            .iter()
            .take(SHOWN_MAX)
            .map(|share| {
                vec![
                    format!(
                        "{} of {} {}",
                        text(share, "column"),
                        text(share, "attr"),
                        text(share, "group")
                    ),
                    words::figure(&share["n_missing"]),
                    words::figure(&share["n"]),
                    percent(share["share"].as_f64()),
                    percent(share["share_rest"].as_f64()),
                    p_in_words(&share["p_holm"]),
                ]
            })
            .collect();
        lines.push(words::grid(
            &["missing", "", "of rows", "", "others", "p corrected"],
            &rows,
        ));
        if columns.len() > rows.len() {
            lines.push(format!(
                "and {} more comparisons in --format json.",
                columns.len() - rows.len()
            ));
        }
    }
    for attribute in words::keys(&missing["bounds"]) {
        let groups = &missing["bounds"][attribute];
        for group in words::keys(groups) {
            lines.extend(of_bounds(
                text(figures, "measure"),
                attribute,
                group,
                &groups[group],
            ));
        }
    }
    lines.join("\n")
}

/// What missing outcomes and groups could hide of one group; nothing where nothing is missing.
fn of_bounds(measure: &str, attribute: &str, group: &str, figures: &Value) -> Option<String> {
    let ends = |name: &str| Some((figures[name][0].as_f64()?, figures[name][1].as_f64()?));
    let (low, high) = ends("difference_bounds")?;
    if high - low < 1e-12 {
        return None;
    }
    let (rate_low, rate_high) = ends("rate_bounds")?;
    let counted = Measure::from_name(measure).map_or("", Measure::counted);
    let seen = match figures["difference"].as_f64() {
        Some(difference) => format!("{:.1}", 100.0 * difference),
        None => "undefined".to_owned(),
    };
    let sure = if low > 0.0 || high < 0.0 {
        "whatever is missing, the difference keeps its sign"
    } else {
        "what is missing could turn the difference round"
    };
    Some(format!(
        "{attribute} {group}: difference to everybody else {seen} of 100 {counted} among what is known, {:.1} to {:.1} were everything known \
         (the group's rate {:.1} to {:.1} of 100): {sure}.",
        100.0 * low,
        100.0 * high,
        100.0 * rate_low,
        100.0 * rate_high,
    ))
}

/// A depth that a search can have.
pub fn is_depth(depth: usize) -> bool {
    (1..=DEPTH_MAX).contains(&depth)
}

/// The levels of a feature as texts, for groups and coverage.
pub fn texts(feature: &Feature) -> Option<Texts> {
    let unknown = feature
        .levels
        .iter()
        .position(|level| level == UNKNOWN_GROUP);
    let levels = feature
        .levels
        .iter()
        .filter(|level| *level != UNKNOWN_GROUP);
    let code = |code: &u16| match usize::from(*code) {
        code if Some(code) == unknown => 0,
        code => code as u32 + 1,
    };
    Texts::new(
        &feature.name,
        levels.cloned().collect(),
        feature.codes.iter().map(code).collect(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_row_comes_out_as_the_measure_asks() {
        let of = |measure: Measure| {
            let answers = [Some(true), Some(false), None];
            let rows = answers
                .iter()
                .flat_map(|decision| answers.iter().map(move |label| (*decision, *label)));
            rows.map(|(decision, label)| measure.fate(decision, label, false))
                .collect::<Vec<Fate>>()
        };
        let (yes, no) = (Fate::Known(true), Fate::Known(false));
        // Decisions 1, 0, unknown; of each the labels 1, 0, unknown. Favourable is 0.
        assert_eq!(
            of(Measure::Selection),
            [
                no,
                no,
                no,
                yes,
                yes,
                yes,
                Fate::Either,
                Fate::Either,
                Fate::Either
            ]
        );
        assert_eq!(
            of(Measure::Error),
            [
                no,
                yes,
                Fate::Either,
                yes,
                no,
                Fate::Either,
                Fate::Either,
                Fate::Either,
                Fate::Either
            ]
        );
        assert_eq!(
            of(Measure::Fpr),
            [
                Fate::Out,
                yes,
                Fate::SuccessOrOut,
                Fate::Out,
                no,
                Fate::FailureOrOut,
                Fate::Out,
                Fate::Either,
                Fate::Either
            ]
        );
        assert_eq!(
            of(Measure::Fnr),
            [
                no,
                Fate::Out,
                Fate::FailureOrOut,
                yes,
                Fate::Out,
                Fate::SuccessOrOut,
                Fate::Either,
                Fate::Out,
                Fate::Either
            ]
        );
    }

    #[test]
    fn a_feature_with_unknown_rows_becomes_texts() {
        let rows = Texts::of_rows("x", &["b", "", "a"]);
        assert_eq!(texts(&Feature::categories(&rows).unwrap()).unwrap(), rows);
    }
}
