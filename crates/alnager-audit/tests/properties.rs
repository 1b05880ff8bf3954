//! What holds for every table: names and order do not matter, more rows of the same kind only make surer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use alnager_audit::catalogue::{Settings, catalogue};
use alnager_audit::figures::figures;
use alnager_audit::finding::{Finding, Findings, Method, find};
use alnager_stats::proportion::Z95;
use common::{G, audit, measures, planned, weighted};
use proptest::prelude::*;
use serde_json::Value;

const SETTINGS: Settings = Settings {
    reference_min: 1,
    confidence: 0.95,
};

fn tables() -> impl Strategy<Value = Vec<[u64; 4]>> {
    proptest::collection::vec(proptest::array::uniform4(0_u64..120), 2..6)
}

fn named<'n>(names: &'n [String], counts: &[[u64; 4]]) -> Vec<(&'n str, [u64; 4])> {
    names
        .iter()
        .map(String::as_str)
        .zip(counts.iter().copied())
        .collect()
}

fn judged(names: &[String], counts: &[[u64; 4]], reference: &str) -> Findings {
    let audit = audit(&format!(
        "attribute = [{{ column = 'g', characteristic = 'other', reference = '{reference}' }}]"
    ));
    let method = Method {
        n_replicates: 50,
        ..Method::default()
    };
    find(
        &planned(&audit),
        &audit,
        &measures(&named(names, counts)),
        method,
    )
}

/// What a finding says, but for the name of its group.
fn said(finding: &Finding) -> String {
    let result = &finding.result;
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        result.test,
        result.value,
        result.interval,
        finding.simultaneous,
        result.outcome,
        finding.outcome,
        finding.p_adjusted,
        finding.detectable
    )
}

fn of_group<'f>(findings: &'f Findings, name: &str) -> Vec<&'f Finding> {
    findings
        .findings
        .iter()
        .filter(|finding| finding.result.group == name)
        .collect()
}

/// The first member of `sealed` that is not in `ours` with the same value.
fn lacking(sealed: &Value, ours: &Value) -> Option<String> {
    let Some(members) = sealed.as_object() else {
        let close = match (sealed.as_f64(), ours.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * one.abs().max(1.0),
            _ => sealed == ours || sealed.is_array(),
        };
        return (!close).then(|| format!("{sealed} is {ours}"));
    };
    members.iter().find_map(|(name, value)| {
        let found = lacking(value, ours.get(name).unwrap_or(&Value::Null))?;
        Some(format!("{name}: {found}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn names_and_the_order_of_groups_change_nothing(counts in tables(), turn in 1_usize..5) {
        let names: Vec<String> = (0..counts.len()).map(|at| format!("g{at}")).collect();
        // Other names, in another order.
        let others: Vec<String> = (0..counts.len()).map(|at| format!("x{}", (at + turn) % counts.len())).collect();
        let one = judged(&names, &counts, "g0");
        let other = judged(&others, &counts, &others[0]);
        prop_assert_eq!(one.outcome, other.outcome);
        for (name, new) in names.iter().zip(&others) {
            let ours: Vec<String> = of_group(&one, name).into_iter().map(said).collect();
            let theirs: Vec<String> = of_group(&other, new).into_iter().map(said).collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn twice_the_rows_leave_every_rate_and_narrow_every_interval(counts in tables()) {
        let names: Vec<String> = (0..counts.len()).map(|at| format!("g{at}")).collect();
        let twice: Vec<[u64; 4]> = counts.iter().map(|counts| counts.map(|n| 2 * n)).collect();
        let audit = audit(G);
        let of = |counts: &[[u64; 4]]| catalogue(&audit, &measures(&named(&names, counts)), SETTINGS);
        let (once, double) = (of(&counts), of(&twice));
        for name in &names {
            let group = |figures: &Value| figures["attrs"]["g"]["groups"][name].clone();
            let (once, double) = (group(&once), group(&double));
            for rate in ["selection_rate", "tpr", "fpr", "ppv", "accuracy", "mcc", "f1"] {
                prop_assert_eq!(&once[rate], &double[rate], "{}", rate);
            }
            for rate in ["selection_rate", "tpr", "accuracy"] {
                let width = |figures: &Value| {
                    let ends = &figures["ci_wilson"][rate];
                    Some(ends[1].as_f64()? - ends[0].as_f64()?)
                };
                if let (Some(wide), Some(narrow)) = (width(&once), width(&double)) {
                    prop_assert!(narrow < wide, "{rate}: {narrow} {wide}");
                }
            }
        }
    }

    #[test]
    fn weights_of_one_equal_no_weights(counts in tables()) {
        let names: Vec<String> = (0..counts.len()).map(|at| format!("g{at}")).collect();
        let audit = audit(G);
        let plain = measures(&named(&names, &counts));
        let figures = catalogue(&audit, &weighted(plain.clone(), 1.0), SETTINGS);
        let unweighted = catalogue(&audit, &plain, SETTINGS);
        for name in &names {
            let group = &figures["attrs"]["g"]["groups"][name];
            for rate in ["selection_rate", "base_rate", "tpr", "fpr", "ppv", "npv", "accuracy"] {
                let (ours, theirs) = (&group["weighted"][rate], &group[rate]);
                let close = match (ours.as_f64(), theirs.as_f64()) {
                    (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-12,
                    (ours, theirs) => ours == theirs,
                };
                prop_assert!(close, "{rate}: {ours} {theirs}");
            }
            if group["n"] != 0 {
                prop_assert_eq!(&group["weighted"]["effective_n"].as_f64().unwrap(), &group["n"].as_f64().unwrap());
            }
        }
        for (name, versus) in unweighted["attrs"]["g"]["vs_reference"].as_object().unwrap() {
            let weighted = &figures["attrs"]["g"]["vs_reference"][name]["weighted"];
            for figure in ["difference", "ratio"] {
                let (ours, theirs) = (weighted[figure].as_f64(), versus["selection_rate"][figure].as_f64());
                if let (Some(ours), Some(theirs)) = (ours, theirs) {
                    prop_assert!((ours - theirs).abs() < 1e-9, "{figure}: {ours} {theirs}");
                }
            }
        }
    }

    #[test]
    fn the_catalogue_holds_every_figure_that_a_review_seals(counts in tables()) {
        let names: Vec<String> = (0..counts.len()).map(|at| format!("g{at}")).collect();
        let (audit, measures) = (audit(G), measures(&named(&names, &counts)));
        let sealed = figures(&audit, &measures, SETTINGS.reference_min, Z95);
        let ours = catalogue(&audit, &measures, SETTINGS);
        prop_assert_eq!(lacking(&sealed, &ours), None);
    }

    #[test]
    fn an_interval_for_the_family_holds_the_interval_of_one(counts in tables()) {
        let names: Vec<String> = (0..counts.len()).map(|at| format!("g{at}")).collect();
        for finding in judged(&names, &counts, "g0").findings {
            if let (Some(own), Some(family)) = (finding.result.interval, finding.simultaneous) {
                prop_assert!(family.low <= own.low && own.high <= family.high);
            }
        }
    }
}
