#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alnager_stats::random::Random;

use super::*;

fn settings() -> Settings {
    Settings {
        alpha: 0.05,
        n_bins: 10,
        run_length: 1000.0,
        min_group: 30,
    }
}

/// A baseline of 3,000 rows and 12 months of 400. From month `from` on the score is `shift` higher, the rate of group b is
/// multiplied by `factor`, and one row in `wrong` more is decided wrongly.
fn months(run: u64, from: usize, shift: f64, factor: f64) -> Watched {
    let mut random = Random::stream(21, run);
    let mut scores = Vec::new();
    let mut kinds = Vec::new();
    let mut all = Vec::new();
    let mut groups: BTreeMap<String, Vec<Tally>> = BTreeMap::new();
    for part in 0..13 {
        let is_changed = part > from;
        let n = if part == 0 { 3000 } else { 400 };
        let (mut values, mut counts) = (Vec::new(), BTreeMap::new());
        let mut tally = [Tally::default(); 2];
        for row in 0..n {
            let at = row % 2;
            values.push(random.normal() + if is_changed { shift } else { 0.0 });
            *counts
                .entry(["car", "home", "other"][(random.bits() % 3) as usize].to_owned())
                .or_insert(0) += 1;
            let mut rate = [0.5, 0.4][at];
            if is_changed && at == 1 {
                rate *= factor;
            }
            tally[at].add(random.uniform() < rate, Some(random.uniform() < 0.2));
        }
        scores.push(values);
        kinds.push((counts, 0));
        all.push(Tally {
            n: tally[0].n + tally[1].n,
            n_favourable: tally[0].n_favourable + tally[1].n_favourable,
            n_labelled: tally[0].n_labelled + tally[1].n_labelled,
            n_wrong: tally[0].n_wrong + tally[1].n_wrong,
        });
        for (name, tally) in ["a", "b"].iter().zip(tally) {
            groups.entry((*name).to_owned()).or_default().push(tally);
        }
    }
    Watched {
        periods: (1..=12).map(|month| format!("{month:02}")).collect(),
        columns: vec![
            ("score".to_owned(), Column::Numbers(scores)),
            ("kind".to_owned(), Column::Texts(kinds)),
        ],
        decisions: Some(Decisions {
            all,
            attributes: vec![Attribute {
                name: "sex".to_owned(),
                reference: Some("a".to_owned()),
                groups,
            }],
        }),
    }
}

fn of(watched: &Watched) -> Value {
    figures(watched, settings(), &|_, _| ())
}

/// The alarm about something, if there is one.
fn alarm<'a>(figures: &'a Value, what: &str, of: &str) -> Option<&'a Value> {
    let alarms = figures["alarms"].as_array().unwrap();
    alarms
        .iter()
        .find(|alarm| alarm["what"] == what && alarm["of"] == of)
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a person asks for more runs than a test needs"
)]
fn quiet_years_raise_few_alarms_over_all_series_together() {
    let asked = std::env::var("ALNAGER_RUNS").ok();
    let runs: u64 = asked.and_then(|text| text.parse().ok()).unwrap_or(12);
    let n_alarms = (0..runs)
        .filter(|run| of(&months(*run, 12, 0.0, 1.0))["outcome"] == "alarm")
        .count() as u64;
    println!("quiet years of 9 series: an alarm in {n_alarms} of {runs}");
    assert!(n_alarms * 20 <= runs, "{n_alarms} of {runs}");
}

#[test]
fn planted_drift_is_found_and_dated() {
    let figures = of(&months(1, 5, 0.8, 0.55));
    assert_eq!(figures["method"]["n_series"], json!(9));
    let score = alarm(&figures, "distribution", "score").expect("the score has moved");
    assert_eq!(score["changed_from"], json!("06"));
    let ratio = alarm(&figures, "impact_ratio", "sex").expect("the gap has opened");
    assert!(["06", "07"].contains(&ratio["changed_from"].as_str().unwrap()));
    assert!(alarm(&figures, "distribution", "kind").is_none());
    let [score, kind] = figures["columns"].as_array().unwrap().as_slice() else {
        panic!("two columns");
    };
    assert_eq!(score["verdict"], json!("drift shown"));
    assert_eq!(kind["verdict"], json!("no drift shown"));
    assert!(score["psi"].as_f64() > score["psi_critical"].as_f64());
    let text = words(&figures);
    for part in [
        "Alarm: Distribution of score has left its baseline.",
        "most evident from 06 on",
        "Impact ratio, sex: b against a",
        "Columns by period",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn what_is_missing_or_new_is_named() {
    let text = |pairs: &[(&str, u64)], n_missing| {
        let counts = pairs.iter().map(|(text, n)| ((*text).to_owned(), *n));
        (counts.collect::<BTreeMap<_, _>>(), n_missing)
    };
    let watched = Watched {
        periods: vec!["now".to_owned()],
        columns: vec![
            (
                "kind".to_owned(),
                Column::Texts(vec![
                    text(&[("a", 50), ("b", 50)], 0),
                    text(&[("a", 40), ("c", 50)], 10),
                ]),
            ),
            (
                "one".to_owned(),
                Column::Numbers(vec![vec![f64::NAN; 3], vec![1.0]]),
            ),
        ],
        decisions: None,
    };
    let figures = of(&watched);
    let [kind, one] = figures["columns"].as_array().unwrap().as_slice() else {
        panic!("two columns");
    };
    assert_eq!(kind["new_categories"], json!(["c"]));
    assert_eq!(kind["n_missing_later"], json!(10));
    assert_eq!(one["verdict"], json!("not measured"));
    assert!(words(&figures).contains("kind: not in the baseline: c."));
}

#[test]
fn the_baseline_chooses_the_reference_where_none_is_declared() {
    let tally = |n, n_favourable| Tally {
        n,
        n_favourable,
        ..Tally::default()
    };
    let groups = [
        ("a", tally(100, 50)),
        ("b", tally(100, 60)),
        ("c", tally(5, 5)),
    ];
    let groups = groups.map(|(name, tally)| (name.to_owned(), vec![tally]));
    let attribute = Attribute {
        name: "g".to_owned(),
        reference: None,
        groups: groups.into_iter().collect(),
    };
    assert_eq!(reference_of(&attribute, 30), Some("b".to_owned()));
}
