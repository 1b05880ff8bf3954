//! Some 2x2 tables, one per stratum: the gap within strata beside the crude one.

use alnager_stats::proportion::{self, Proportion};
use alnager_stats::stratified::Stratum;
use serde_json::{Value, json};

use crate::catalogue::strata;
use crate::two_by_two;
use crate::words;

/// One stratum: selected and others of the group, then the same of the reference.
pub type Counts = [[u64; 2]; 2];

/// `stratified` within the tables, and `crude` of their sum; `null` is undefined.
///
/// `None` if a count, the sum of the tables or the confidence is out of range.
pub fn figures(tables: &[Counts], confidence: f64) -> Option<Value> {
    let z = proportion::z_for(confidence)?;
    let share = |[k, rest]: [u64; 2]| Proportion::new(k, k.checked_add(rest)?);
    let strata: Vec<Stratum> = tables
        .iter()
        .map(|[ours, theirs]| {
            Some(Stratum {
                group: share(*ours)?,
                reference: share(*theirs)?,
            })
        })
        .collect::<Option<_>>()?;
    let sum = |side: usize, column: usize| {
        tables
            .iter()
            .try_fold(0_u64, |sum, table| sum.checked_add(table[side][column]))
    };
    let crude = [[sum(0, 0)?, sum(0, 1)?], [sum(1, 0)?, sum(1, 1)?]];
    Some(json!({
        "tables": tables,
        "stratified": strata::stratified(&strata, z),
        "crude": two_by_two::figures(crude, confidence)?,
    }))
}

/// The figures in words.
pub fn words(figures: &Value) -> String {
    let within = &figures["stratified"];
    let of = |name: &str| words::figure(&within[name]);
    let p = |name: &str| words::p(within, [&format!("{name}_p"), &format!("{name}_log10_p")]);
    let rows = [
        [
            "Odds ratio (Mantel-Haenszel)".to_owned(),
            of("mh_odds_ratio"),
            of("mh_or_ci_rbg"),
        ],
        [
            "Ratio of rates (Mantel-Haenszel)".to_owned(),
            of("mh_risk_ratio"),
            of("mh_rr_ci_greenland_robins"),
        ],
        [
            "Cochran-Mantel-Haenszel".to_owned(),
            of("cmh_chi2"),
            format!("p {}", p("cmh")),
        ],
        [
            "Breslow-Day-Tarone".to_owned(),
            of("breslow_day_tarone"),
            format!("p {}", p("breslow_day_tarone")),
        ],
    ]
    .map(|row| row.to_vec());
    format!(
        "Within {} strata ({} dropped for an empty row or column)\n{}\nA small p of Breslow-Day-Tarone says that the strata differ, so that no one figure speaks for all.\n\nAll together\n{}",
        of("n_strata"),
        of("n_dropped"),
        words::grid(&[], &rows),
        two_by_two::words(&figures["crude"]),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_gap_that_vanishes_within_strata() {
        // Half and half in one, one in five in the other; the group applies where it is hard.
        let tables = [[[10, 10], [40, 40]], [[16, 64], [4, 16]]];
        let figures = figures(&tables, 0.95).unwrap();
        assert_eq!(figures["stratified"]["mh_odds_ratio"], json!(1.0));
        assert_eq!(figures["crude"]["table"], json!([[26, 74], [44, 56]]));
        assert!(words(&figures).contains("Within 2 strata (0 dropped"));
    }

    #[test]
    fn an_odds_ratio_of_zero_has_no_ends() {
        let none = figures(&[[[0, 5], [3, 2]]], 0.95).unwrap();
        assert_eq!(none["stratified"]["mh_odds_ratio"], json!(0.0));
        assert_eq!(none["stratified"]["mh_or_ci_rbg"], json!([null, null]));
        let dropped = figures(&[[[0, 5], [0, 2]]], 0.95).unwrap();
        assert_eq!(dropped["stratified"]["mh_or_ci_rbg"], Value::Null);
        assert!(figures(&[[[u64::MAX, 1], [1, 1]]], 0.95).is_none());
        assert!(figures(&[], 0.95).unwrap()["stratified"]["cmh_chi2"].is_null());
    }
}
