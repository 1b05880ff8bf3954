//! One 2x2 table: the selected and the others, of a group and of the reference, with every figure a report may want of it.

use alnager_stats::compare;
use alnager_stats::impact;
use alnager_stats::proportion::{self, Proportion};
use serde_json::{Map, Value, json};

use crate::catalogue::{put, put_interval, put_p, put_p_of};
use crate::figures::number;
use crate::words::short;

/// Every figure of `[[selected, others] of the group, the same of the reference]`.
///
/// `null` is undefined. `ratio_ci_exact` stands beside Katz' interval only where that is undefined or has no width. `None` if a count or the confidence is out of range. `flip_one` asks what one selection made the other
/// way (one more in the group, one fewer in the reference) would do: whether the group's rate would then be the higher one.
///
/// Source of the flip: EEOC and others, 44 FR 11996 (1979), questions and answers on 29 CFR 1607.
pub fn figures(table: [[u64; 2]; 2], confidence: f64) -> Option<Value> {
    let z = proportion::z_for(confidence)?;
    let [ours, theirs] = table.map(|[k, rest]| Proportion::new(k, k.checked_add(rest)?));
    let (ours, theirs) = (ours?, theirs?);
    let mut figures = Map::new();
    figures.insert("table".to_owned(), json!(table));
    shares(&mut figures, ours, theirs, z, 1.0 - confidence);
    tests(&mut figures, ours, theirs);
    gaps(&mut figures, ours, theirs, z);
    if compare::needs_ratio_exact(ours, theirs) {
        let exact = compare::ratio_exact(ours, theirs, confidence);
        put_interval(&mut figures, "ratio_ci_exact", exact);
    }
    let flipped = flip_one(ours, theirs);
    figures.insert("flip_one".to_owned(), flipped);
    Some(Value::Object(figures))
}

type Figures = Map<String, Value>;

fn shares(figures: &mut Figures, ours: Proportion, theirs: Proportion, z: f64, alpha: f64) {
    put(figures, "rate_group", ours.value());
    put(figures, "rate_ref", theirs.value());
    put_interval(figures, "wilson_group", proportion::wilson(ours, z));
    put_interval(figures, "wilson_ref", proportion::wilson(theirs, z));
    put_interval(
        figures,
        "clopper_group",
        proportion::clopper_pearson(ours, alpha),
    );
    put_interval(
        figures,
        "clopper_ref",
        proportion::clopper_pearson(theirs, alpha),
    );
}

fn tests(figures: &mut Figures, ours: Proportion, theirs: Proportion) {
    let fisher = compare::fisher(ours, theirs);
    for (kind, p) in [
        ("_two_sided", fisher.map(|test| test.two_sided)),
        ("_less", fisher.map(|test| test.less)),
        ("_greater", fisher.map(|test| test.greater)),
    ] {
        put_p_of(figures, "fisher", kind, p);
    }
    let midp = fisher.map(|test| test.midp_two_sided);
    put(figures, "fisher_midp_two_sided", midp.map(|p| p.value));
    put(figures, "fisher_midp_log10_p", midp.map(|p| p.log10));
    put(
        figures,
        "expected_selected",
        compare::expected_selected(ours, theirs),
    );
    put(
        figures,
        "sd_units_hypergeometric",
        compare::sd_units_hypergeometric(ours, theirs),
    );
    let z = compare::z_pooled(ours, theirs);
    put(figures, "z_pooled", z.map(|test| test.statistic));
    put_p(figures, "z_pooled", z.map(|test| test.p));
    let chi2 = compare::chi2(ours, theirs);
    put(figures, "chi2", chi2.map(|test| test.statistic));
    put_p(figures, "chi2", chi2.map(|test| test.p));
    let yates = compare::chi2_yates(ours, theirs);
    put(figures, "chi2_yates", yates.map(|test| test.statistic));
    put_p(figures, "chi2_yates", yates.map(|test| test.p));
}

fn gaps(figures: &mut Figures, ours: Proportion, theirs: Proportion, z: f64) {
    put(figures, "diff", compare::difference(ours, theirs));
    put_interval(
        figures,
        "diff_ci_newcombe",
        compare::difference_newcombe(ours, theirs, z),
    );
    put(figures, "impact_ratio", impact::impact_ratio(ours, theirs));
    put_interval(
        figures,
        "ratio_ci_katz",
        compare::ratio_katz(ours, theirs, z),
    );
    figures.insert(
        "below_four_fifths".to_owned(),
        json!(impact::below_four_fifths(ours, theirs)),
    );
    put(figures, "shortfall", impact::shortfall(ours, theirs));
    put(
        figures,
        "shortfall_at_80",
        impact::shortfall_at_80(ours, theirs),
    );
    put(figures, "odds_ratio", compare::odds_ratio(ours, theirs));
    put_interval(
        figures,
        "or_ci_woolf",
        compare::odds_ratio_woolf(ours, theirs, z),
    );
    put(
        figures,
        "or_haldane",
        compare::odds_ratio_haldane(ours, theirs),
    );
    put(figures, "phi", compare::phi(ours, theirs));
    put(figures, "cohens_h", compare::cohens_h(ours, theirs));
}

/// What one selection made the other way would do, where the group is selected less often.
pub fn flip_one(ours: Proportion, theirs: Proportion) -> Value {
    let (Some(rate), Some(other)) = (ours.value(), theirs.value()) else {
        return Value::Null;
    };
    if rate >= other || theirs.k() == 0 || ours.k() == ours.n() {
        return Value::Null;
    }
    let one_more = Proportion::new(ours.k() + 1, ours.n());
    let one_fewer = Proportion::new(theirs.k() - 1, theirs.n());
    let Some((ours, theirs)) = one_more.zip(one_fewer) else {
        return Value::Null;
    };
    let difference = compare::difference(ours, theirs);
    json!({
        "rate_group": number(ours.value()),
        "rate_ref": number(theirs.value()),
        "impact_ratio": number(impact::impact_ratio(ours, theirs)),
        "below_four_fifths": impact::below_four_fifths(ours, theirs),
        "group_would_be_higher": difference.map(|difference| difference > 0.0),
    })
}

/// The figures in words, one a line.
pub fn words(figures: &Value) -> String {
    let text = |name: &str| match &figures[name] {
        Value::Null => "undefined".to_owned(),
        Value::Number(value) => short(value.as_f64().unwrap_or(f64::NAN)),
        Value::Array(ends) => {
            let ends: Vec<String> = ends.iter().filter_map(Value::as_f64).map(short).collect();
            format!(
                "{} to {}",
                ends.first().map_or("", String::as_str),
                ends.last().map_or("", String::as_str)
            )
        }
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(_) => String::new(),
    };
    let rows = [
        ("Rate of the group", "rate_group", "wilson_group"),
        ("Rate of the reference", "rate_ref", "wilson_ref"),
        ("Difference", "diff", "diff_ci_newcombe"),
        ("Impact ratio", "impact_ratio", "ratio_ci_katz"),
        ("Below four fifths", "below_four_fifths", ""),
        ("Shortfall, people", "shortfall", ""),
        ("Odds ratio", "odds_ratio", "or_ci_woolf"),
        ("Fisher's exact test, p", "fisher_p_two_sided", ""),
        ("  mid-p", "fisher_midp_two_sided", ""),
        ("Standard deviations", "sd_units_hypergeometric", ""),
        ("z, pooled", "z_pooled", ""),
        ("  p", "z_pooled_p", ""),
        ("Chi-square, Yates", "chi2_yates", ""),
        ("  p", "chi2_yates_p", ""),
        ("phi", "phi", ""),
        ("Cohen's h", "cohens_h", ""),
    ];
    let mut lines: Vec<String> = rows
        .iter()
        .map(|(what, name, interval)| match *interval {
            "" => format!("{what:<24}{}", text(name)),
            "ratio_ci_katz" if figures["ratio_ci_exact"].is_array() => {
                let exact = text("ratio_ci_exact");
                format!("{what:<24}{:<12}{exact} (exact)", text(name))
            }
            interval => format!("{what:<24}{:<12}{}", text(name), text(interval)),
        })
        .collect();
    if let Some(higher) = figures["flip_one"]["group_would_be_higher"].as_bool() {
        let what = if higher { "would be" } else { "would not be" };
        lines.push(format!(
            "With one selection made the other way, the group's rate {what} the higher one."
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn undefined_is_null_and_the_rest_is_there() {
        let figures = figures([[0, 0], [3, 1]], 0.95).unwrap();
        assert_eq!(figures["rate_group"], Value::Null);
        assert_eq!(figures["fisher_p_two_sided"], Value::Null);
        assert_eq!(figures["rate_ref"], json!(0.75));
        assert!(super::figures([[u64::MAX, 1], [1, 1]], 0.95).is_none());
        assert!(super::figures([[1, 1], [1, 1]], 1.0).is_none());
    }

    #[test]
    fn a_logarithm_is_named_as_everywhere() {
        let figures = figures([[0, 9_000], [9_000, 0]], 0.95).unwrap();
        for (name, log10) in [
            ("fisher_p_two_sided", "fisher_log10_p_two_sided"),
            ("fisher_p_less", "fisher_log10_p_less"),
            ("fisher_midp_two_sided", "fisher_midp_log10_p"),
            ("z_pooled_p", "z_pooled_log10_p"),
            ("chi2_p", "chi2_log10_p"),
            ("chi2_yates_p", "chi2_yates_log10_p"),
        ] {
            assert_eq!(figures[name], json!(0.0), "{name}");
            assert!(figures[log10].as_f64().unwrap() < -1_000.0, "{log10}");
        }
        let names = figures.as_object().unwrap().keys();
        assert!(names.into_iter().all(|name| !name.ends_with("_log10")));
    }

    #[test]
    fn a_ratio_without_variance_has_an_exact_interval() {
        let all = figures([[5, 0], [5, 0]], 0.95).unwrap();
        assert_eq!(all["ratio_ci_katz"], json!([1.0, 1.0]));
        assert!(all["ratio_ci_exact"][0].as_f64().unwrap() < 0.5);
        let line = |figures: &Value| {
            let words = words(figures);
            let mut lines = words.lines();
            lines
                .find(|line| line.starts_with("Impact ratio"))
                .unwrap()
                .to_owned()
        };
        assert!(
            line(&all).ends_with("0.4163 to 2.4022 (exact)"),
            "{}",
            line(&all)
        );
        let nobody = figures([[0, 5], [5, 0]], 0.95).unwrap();
        assert_eq!(nobody["ratio_ci_katz"], Value::Null);
        assert_eq!(nobody["ratio_ci_exact"][0], json!(0.0));
        let usual = figures([[4, 1], [5, 0]], 0.95).unwrap();
        assert_eq!(usual.get("ratio_ci_exact"), None);
        assert!(!line(&usual).contains("exact"));
    }

    #[test]
    fn one_selection_the_other_way_may_turn_a_gap_round() {
        let small = figures([[3, 7], [4, 6]], 0.95).unwrap();
        assert_eq!(small["flip_one"]["group_would_be_higher"], json!(true));
        let large = figures([[30, 70], [50, 50]], 0.95).unwrap();
        assert_eq!(large["flip_one"]["group_would_be_higher"], json!(false));
    }
}
