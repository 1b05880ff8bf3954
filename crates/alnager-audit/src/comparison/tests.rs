#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const SETTINGS: Settings = Settings {
    confidence: 0.95,
    margin: 0.05,
    margin_ratio: 1.1,
    min_group: 30,
};

/// Counts of tp, fp, tn, fn of each group.
fn side(groups: &[(&str, [u64; 4])]) -> Side {
    let groups = groups.iter().map(|(name, [tp, fp, tn, fn_])| {
        let confusion = Confusion {
            tp: *tp,
            fp: *fp,
            tn: *tn,
            fn_: *fn_,
        };
        let group = Group {
            n: confusion.n(),
            n_decided: confusion.n_pred_pos(),
            confusion: Some(confusion),
        };
        ((*name).to_owned(), group)
    });
    Side {
        name: "x".to_owned(),
        sha256: String::new(),
        favourable: 1,
        attributes: [("sex".to_owned(), (Some("m".to_owned()), groups.collect()))].into(),
    }
}

fn line<'a>(figures: &'a Value, group: &str, what: &str) -> &'a Value {
    let lines = figures["compared"].as_array().unwrap();
    let is_it = |line: &&Value| line["group"] == group && line["figure"] == what;
    lines.iter().find(is_it).expect("compared")
}

#[test]
fn a_ratio_nearer_to_one_is_better() {
    let a = side(&[("f", [200, 100, 500, 200]), ("m", [400, 200, 300, 100])]);
    let b = side(&[("f", [400, 100, 400, 100]), ("m", [400, 200, 300, 100])]);
    let figures = figures(&a, &b, SETTINGS).unwrap();
    let ratio = line(&figures, "f", "impact_ratio");
    assert_eq!(ratio["verdict"], json!("better"));
    assert!((ratio["a"].as_f64().unwrap() - 0.5).abs() < 1e-12);
    assert!((ratio["change"].as_f64().unwrap() - 5.0 / 3.0).abs() < 1e-12);
    assert_eq!(
        line(&figures, "f", "error_rate")["verdict"],
        json!("better")
    );
    assert_eq!(
        line(&figures, "f", "favorable_rate")["verdict"],
        json!("higher")
    );
    assert_eq!(figures["outcome"], json!("better"));
    let back = super::figures(&b, &a, SETTINGS).unwrap();
    assert_eq!(line(&back, "f", "impact_ratio")["verdict"], json!("worse"));
    assert_eq!(back["outcome"], json!("worse"));
    assert!(words(&back).contains("B is worse than A"));
}

#[test]
fn no_change_is_said_only_where_a_change_is_excluded() {
    let many = side(&[
        ("f", [20_000, 10_000, 50_000, 20_000]),
        ("m", [40_000, 20_000, 30_000, 10_000]),
    ]);
    let figures = figures(&many, &many, SETTINGS).unwrap();
    assert_eq!(figures["outcome"], json!("no_change_shown"));
    let few = side(&[("f", [20, 10, 50, 20]), ("m", [40, 20, 30, 10])]);
    let figures = super::figures(&few, &few, SETTINGS).unwrap();
    assert_eq!(
        line(&figures, "f", "impact_ratio")["verdict"],
        json!("inconclusive")
    );
    assert_eq!(figures["outcome"], json!("inconclusive"));
    let tiny = side(&[("f", [2, 1, 5, 2]), ("m", [4, 2, 3, 1])]);
    let figures = super::figures(&tiny, &tiny, SETTINGS).unwrap();
    assert_eq!(
        line(&figures, "f", "error_rate")["verdict"],
        json!("not measured")
    );
}

#[test]
fn audits_of_different_things_are_refused() {
    let a = side(&[("f", [20, 10, 50, 20])]);
    let mut b = a.clone();
    b.favourable = 0;
    assert_eq!(
        figures(&a, &b, SETTINGS).unwrap_err(),
        SideError::Favourable(1, 0)
    );
    b.favourable = 1;
    b.attributes = [("race".to_owned(), (None, BTreeMap::new()))].into();
    assert!(matches!(
        figures(&a, &b, SETTINGS).unwrap_err(),
        SideError::NothingInCommon(_, _)
    ));
}

#[test]
fn an_audit_is_read_from_its_document() {
    let audit = json!({
        "schema": "alnager.fairness/1",
        "favorable": 1,
        "data": {"sha256": "ab"},
        "attrs": {"sex": {"reference": "m", "groups": {
            "f": {"n": 10, "n_pred_pos": 4, "tp": 3, "fp": 1, "tn": 5, "fn": 1},
            "m": {"n": 20, "n_pred_pos": 9},
        }}},
    });
    let side = Side::of_audit("a.json", &audit).unwrap();
    let (reference, groups) = &side.attributes["sex"];
    assert_eq!(reference.as_deref(), Some("m"));
    assert_eq!(groups["f"].confusion.map(|counts| counts.fn_), Some(1));
    assert_eq!(groups["m"].confusion, None);
    let mut weighted = audit.clone();
    weighted["attrs"]["sex"]["weighted"] = json!({});
    let error = Side::of_audit("a.json", &weighted).unwrap_err();
    assert_eq!(error, SideError::Dependent("weights"));
    let mut persons = audit;
    persons["findings"] = json!([{"method": "person-bootstrap/1"}]);
    let error = Side::of_audit("a.json", &persons).unwrap_err();
    assert_eq!(error, SideError::Dependent("several rows a person"));
    let error = Side::of_audit("a.json", &json!({"favorable": 1})).unwrap_err();
    assert_eq!(error, SideError::Member("attrs".to_owned()));
}
