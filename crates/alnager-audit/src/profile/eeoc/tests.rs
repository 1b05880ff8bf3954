//! Stages and jobs from wide data.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::declared::{Attribute, Binary, Characteristic, Decision, DecisionBy, Missing};

fn audit() -> Audit {
    let attribute = |column: &str| Attribute {
        column: column.to_owned(),
        characteristic: Characteristic::Other,
        reference: None,
        special_category: None,
    };
    Audit {
        name: "fairness".to_owned(),
        data: "data".to_owned(),
        label: None,
        decision: Decision {
            by: DecisionBy::Column(Binary {
                column: "hired".to_owned(),
                positive: "yes".to_owned(),
            }),
            favourable: 1,
            favourable_name: "yes".to_owned(),
        },
        score: None,
        attributes: vec![attribute("sex")],
        intersections: Vec::new(),
        strata: Some("job".to_owned()),
        unknown: Vec::new(),
        missing: Missing::Apart,
        filter: None,
        derived: Vec::new(),
        period: None,
        weight: None,
        person: None,
        relation: None,
        model: None,
    }
}

fn stage(name: &str, rows: &[&str]) -> (String, Texts) {
    (name.to_owned(), Texts::of_rows(name, rows))
}

#[test]
fn stages_count_who_reached_them_and_the_bottom_line_counts_all() {
    // One row a person: sex, then screen, then hired; the empty text is unknown.
    let counted = counted(
        &audit(),
        &[Texts::of_rows("sex", &["F", "F", "M", "M", ""])],
        Some(&Texts::of_rows("job", &["clerk"; 5])),
        &[
            stage("screen", &["yes", "no", "yes", "yes", "yes"]),
            stage("hired", &["no", "", "yes", "yes", "yes"]),
        ],
        "yes",
    )
    .unwrap();
    assert_eq!(counted.warnings, Vec::<String>::new());
    assert_eq!(counted.table.n(), 5);
    assert_eq!(counted.table.columns, ["sex", "job"]);
    let jobs = super::jobs(&audit(), &counted.stages, 1);
    let shown: Vec<_> = jobs[0]
        .tables
        .iter()
        .map(|table| {
            let shares = table
                .groups
                .iter()
                .map(|group| (group.share.k(), group.share.n()));
            (
                table.stage.clone(),
                table.n_unknown,
                shares.collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (BOTTOM_LINE.to_owned(), 1, vec![(0, 2), (2, 2)]),
            ("screen".to_owned(), 1, vec![(1, 2), (2, 2)]),
            ("hired".to_owned(), 1, vec![(0, 1), (2, 2)]),
        ]
    );
    assert_eq!((jobs[0].name.as_deref(), jobs[0].n), (Some("clerk"), 5));
}

#[test]
fn a_decision_after_a_rejection_and_a_third_decision_are_noticed() {
    let attributes = [Texts::of_rows("sex", &["F", "F", "F"])];
    let both = [
        stage("a", &["no", "yes", "yes"]),
        stage("b", &["yes", "yes", ""]),
    ];
    let found = counted(&audit(), &attributes, None, &both, "yes").unwrap();
    assert_eq!(found.warnings.len(), 2);
    assert!(found.warnings[0].contains("1 person passed `a`"));
    assert!(found.warnings[1].contains("stage `b`: 1 rows"));
    let wrong = |stages: &[(String, Texts)], favourable| {
        counted(&audit(), &attributes, None, stages, favourable).unwrap_err()
    };
    let three = [stage("a", &["yes", "no", "maybe"])];
    assert!(wrong(&three, "yes").contains("3 different decisions"));
    assert!(wrong(&both, "Yes").contains("neither is the favourable one"));
    let nobody = [stage("a", &["no", "no", "no"])];
    let found = counted(&audit(), &attributes, None, &nobody, "yes").unwrap();
    assert!(found.warnings[0].contains("let nobody through"));
}

#[test]
fn the_reference_is_the_highest_group_that_is_large_enough() {
    let mut stage = Stage {
        is_bottom_line: true,
        ..Stage::default()
    };
    for (sex, n, k) in [("F", 100, 30), ("M", 100, 60), ("X", 2, 2)] {
        stage
            .counts
            .insert((None, vec![Some(sex.to_owned())]), Reached { n, k });
    }
    let mut audit = audit();
    audit.strata = None;
    let table = &jobs(&audit, std::slice::from_ref(&stage), 30)[0].tables[0];
    assert_eq!(table.reference.as_deref(), Some("M"));
    assert_eq!(table.higher_but_small.as_deref(), Some("X"));
    let versus = table.groups[0].versus.unwrap();
    assert_eq!(versus.is_below_four_fifths, Some(true));
    assert_eq!(versus.flips_with_one, Some(false));
    assert_eq!(versus.shortfall, Some(30.0));
}

#[test]
fn who_passed_and_has_no_decision_yet_is_counted_by_job() {
    let counted = counted(
        &audit(),
        &[Texts::of_rows("sex", &["F", "F", "M", "M", "M"])],
        Some(&Texts::of_rows(
            "job",
            &["clerk", "cook", "clerk", "clerk", "clerk"],
        )),
        // The fourth was not seen by `b` and hired all the same; the fifth was rejected.
        &[
            stage("a", &["yes", "yes", "yes", "yes", "no"]),
            stage("b", &["", "", "yes", "", ""]),
            stage("c", &["", "", "", "yes", ""]),
        ],
        "yes",
    )
    .unwrap();
    assert_eq!(
        counted.warnings[..2],
        [
            "2 people passed `a` and have no decision at `b`; they count as not selected in the bottom line",
            "1 person passed `b` and has no decision at `c`; they count as not selected in the bottom line",
        ]
    );
    let jobs = super::jobs(&audit(), &counted.stages, 1);
    let json = json(&jobs);
    assert_eq!(
        json[0]["pending"],
        json!([
            { "passed": "a", "stage": "b", "n": 1 },
            { "passed": "b", "stage": "c", "n": 1 },
        ])
    );
    assert_eq!(
        json[1]["pending"],
        json!([{ "passed": "a", "stage": "b", "n": 1 }])
    );
    // The rule stays: the bottom line is of all who applied.
    let whole = &json[0]["tables"][0]["groups"];
    assert_eq!(
        (&whole["F"]["n"], &whole["M"]["selected"]),
        (&json!(1), &json!(1))
    );
}
