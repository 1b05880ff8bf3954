//! `audit drift`, `audit compare` and `audit alternatives` as a person runs them.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{Place, Ran};

/// Numbers from a seed, 0 to below 1; the tests need no good ones.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// `n` rows a month: from month `from` on women are approved at `later` instead of 0.5, men at 0.6 throughout.
fn months(n_months: usize, n: usize, from: usize, later: f64, seed: u64) -> String {
    let mut draw = Draw(seed);
    let mut text = "month,sex,income,purpose,approved,repaid\n".to_owned();
    for month in 1..=n_months {
        for row in 0..n {
            let is_woman = row % 2 == 0;
            let rate = match is_woman {
                true if month >= from => later,
                true => 0.5,
                false => 0.6,
            };
            let approved = draw.next() < rate;
            let repaid = (draw.next() < 0.85) == approved;
            writeln!(
                text,
                "2025-{month:02},{},{:.3},{},{},{}",
                if is_woman { "f" } else { "m" },
                draw.next() + draw.next(),
                ["car", "home"][usize::from(draw.next() < 0.4)],
                u8::from(approved),
                u8::from(repaid),
            )
            .unwrap();
        }
    }
    text
}

/// Score and label without bias, and a score in use that takes points from group b.
fn models(n: usize) -> String {
    let mut draw = Draw(5);
    let mut text = "group,score,fair,noise,repaid\n".to_owned();
    for row in 0..n {
        let is_b = row % 2 == 0;
        let ability = draw.next() + draw.next() - 1.0;
        let fair = 0.5 + 0.4 * (ability + 0.3 * (draw.next() - 0.5));
        let score = fair - if is_b { 0.12 } else { 0.0 };
        let repaid = ability + 0.2 * (draw.next() - 0.5) > 0.0;
        writeln!(
            text,
            "{},{score:.4},{fair:.4},{:.4},{}",
            if is_b { "b" } else { "a" },
            draw.next(),
            u8::from(repaid)
        )
        .unwrap();
    }
    text
}

fn run(place: &Place, line: &str) -> Ran {
    place.run(&line.split_whitespace().collect::<Vec<_>>())
}

#[track_caller]
fn json_of(place: &Place, line: &str, code: i32) -> Value {
    let ran = run(place, &format!("audit {line} --format json"));
    assert_eq!(ran.code, code, "{line}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn text_of(place: &Place, line: &str, code: i32, parts: &[&str]) {
    let ran = run(place, &format!("audit {line}"));
    assert_eq!(ran.code, code, "{line}: {}{}", ran.out, ran.err);
    // Sentences are wrapped anywhere.
    let flat = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(flat.contains(part), "`{part}` is not in\n{}", ran.out);
    }
}

#[track_caller]
fn wrong(place: &Place, line: &str, parts: &[&str]) {
    let ran = run(place, &format!("audit {line}"));
    assert_eq!(ran.code, 2, "{line}: {}{}", ran.out, ran.err);
    for part in parts {
        assert!(ran.err.contains(part), "`{part}` is not in\n{}", ran.err);
    }
}

const DECISIONS: &str = "--decision approved --favorable 1 --label repaid --attr sex --ref sex=m";

#[test]
fn a_gap_that_opens_is_found_by_period() {
    let place = Place::new();
    place.write("rows.csv", months(12, 800, 7, 0.3, 1));
    let line = format!("drift rows.csv --period month --features income,purpose {DECISIONS}");
    let figures = json_of(&place, &line, 1);
    assert_eq!(figures["baseline"], json!(["2025-01"]));
    assert_eq!(figures["period_order"], json!("as texts"));
    assert_eq!(figures["data"], json!("rows.csv"));
    assert!(
        figures["sha256"]
            .as_str()
            .is_some_and(|hash| hash.len() == 64)
    );
    let alarms = figures["alarms"].as_array().unwrap();
    let of_women = alarms
        .iter()
        .find(|alarm| alarm["what"] == "favorable_rate" && alarm["group"] == "f")
        .expect("an alarm");
    assert_eq!(of_women["changed_from"], json!("2025-07"));
    assert!(
        alarms
            .iter()
            .all(|alarm| alarm["group"] != "m" && alarm["of"] != "income")
    );
    text_of(
        &place,
        &line,
        1,
        &[
            "no drift shown",
            "Favourable rate, sex: f",
            "most evident from 2025-07 on",
            "however often one looks",
        ],
    );
}

#[test]
fn two_files_without_a_change_are_quiet() {
    let place = Place::new();
    place.write("then.csv", months(1, 1500, 9, 0.5, 2));
    place.write("now.csv", months(3, 500, 9, 0.5, 3));
    let line = format!("drift then.csv now.csv --features income,purpose {DECISIONS}");
    let figures = json_of(&place, &line, 0);
    assert_eq!(figures["outcome"], json!("no_alarm"));
    assert_eq!(figures["current"]["data"], json!("now.csv"));
    let column = &figures["columns"][0];
    assert_eq!(column["verdict"], json!("no drift shown"));
    assert_eq!(column["kind"], json!("number"));
    assert!(column["psi"].as_f64() < column["psi_critical"].as_f64());
    text_of(
        &place,
        &line,
        0,
        &["No alarm", "That is no proof that none has."],
    );
    let by_month = json_of(&place, &format!("{line} --period month"), 0);
    assert_eq!(by_month["periods"].as_array().unwrap().len(), 3);
}

#[test]
fn wrong_flags_of_drift_say_what_to_do() {
    let place = Place::new();
    place.write("rows.csv", months(2, 100, 9, 0.5, 4));
    let drift = "drift rows.csv --period month";
    wrong(&place, drift, &["--features", "nothing is named"]);
    wrong(&place, "drift rows.csv --features income", &["--period"]);
    wrong(
        &place,
        &format!("{drift} --features income --baseline 2024-01"),
        &["--baseline", "2024-01", "2025-01"],
    );
    wrong(
        &place,
        &format!("{drift} --features income --baseline 2025-01,2025-02"),
        &["--period", "every period belongs to the baseline"],
    );
    wrong(
        &place,
        &format!("{drift} --features income --alpha 2"),
        &["--alpha"],
    );
    wrong(
        &place,
        &format!("{drift} --decision approved --favorable yes"),
        &["--favorable", "yes"],
    );
    wrong(
        &place,
        &format!("{drift} --decision approved --favorable 1 --attr sex --ref race=x"),
        &["--ref", "race"],
    );
}

#[test]
fn two_audits_and_two_files_compare_alike() {
    let place = Place::new();
    place.write("a.csv", months(1, 3000, 9, 0.5, 6));
    place.write("b.csv", months(1, 3000, 1, 0.3, 7));
    for side in ["a", "b"] {
        let ran = run(
            &place,
            &format!("audit fairness {side}.csv {DECISIONS} --format json --replicates 20"),
        );
        place.write(&format!("{side}.json"), ran.out);
    }
    let of_rows = json_of(&place, &format!("compare a.csv b.csv {DECISIONS}"), 1);
    let of_audits = json_of(&place, "compare a.json b.json", 1);
    assert_eq!(of_rows["compared"], of_audits["compared"]);
    assert_eq!(of_rows["outcome"], json!("worse"));
    assert_eq!(of_audits["same_data"], json!(false));
    text_of(
        &place,
        "compare a.json b.json",
        1,
        &["sex f, impact_ratio", "worse", "B is worse than A"],
    );
    let mixed = json_of(&place, &format!("compare a.json a.csv {DECISIONS}"), 0);
    assert_eq!(mixed["same_data"], json!(true));
    assert_eq!(mixed["outcome"], json!("no_change_shown"));
    wrong(&place, "compare a.csv b.json", &["--decision", "a.csv"]);
    wrong(
        &place,
        "compare a.json b.json --margin-ratio 1",
        &["--margin-ratio"],
    );
    wrong(
        &place,
        "compare a.json b.json --ref sex=x",
        &["--ref", "no group `x`", "f, m"],
    );
}

#[test]
fn a_planted_alternative_is_confirmed_and_no_other_claimed() {
    let place = Place::new();
    place.write("loans.csv", models(4000));
    let line = "alternatives loans.csv --score score --cutoff 0.5 --favorable 1 --label repaid --attr group --thresholds 0.5 --replicates 50";
    let figures = json_of(&place, &format!("{line} --candidate better=fair"), 0);
    assert_eq!(figures["found"], json!(true));
    assert_eq!(figures["seed"], json!(1));
    let rule = &figures["carried"][0];
    assert_eq!(rule["rule"]["score"], json!("better"));
    assert_eq!(rule["test"]["confirmed"], json!(true));
    assert_eq!(
        figures["candidates"],
        json!([{"name": "better", "column": "fair"}])
    );
    let figures = json_of(&place, &format!("{line} --candidate dice=noise"), 0);
    assert_eq!(figures["found"], json!(false));
    text_of(
        &place,
        &format!("{line} --candidate dice=noise"),
        0,
        &[
            "No less discriminatory alternative was found",
            "within the search S",
            "Outside S",
        ],
    );
}

#[test]
fn rules_by_group_and_weights_come_with_their_warning() {
    let place = Place::new();
    place.write("loans.csv", models(2000));
    place.write(
        "costs.toml",
        "true_positive = 10\nfalse_positive = -20\ntrue_negative = 0\nfalse_negative = -1.5\n",
    );
    let line = "alternatives loans.csv --score score --cutoff 0.5 --favorable 1 --label repaid --attr group --threshold-grid 9 --replicates 50 --costs costs.toml";
    text_of(
        &place,
        &format!("{line} --per-group --reweigh weights.csv"),
        0,
        &[
            "disparate treatment",
            "2000e-2",
            "profit",
            "reweighing weights depend on the group",
        ],
    );
    assert!(
        place
            .read("weights.csv")
            .starts_with("group,repaid,n,weight\n")
    );
    wrong(
        &place,
        &format!("{line} --reweigh weights.csv"),
        &["weights.csv"],
    );
    place.write("costs.toml", "true_positive = 10\n");
    wrong(&place, line, &["costs.toml", "`false_positive` is missing"]);
    wrong(
        &place,
        "alternatives loans.csv --score score --cutoff 0.5 --favorable yes --label repaid --attr group",
        &["--favorable", "`yes`"],
    );
    wrong(
        &place,
        "alternatives loans.csv --score score --cutoff 0.5 --favorable 1 --label repaid --attr group --min-group 5000",
        &["--attr", "group", "--min-group"],
    );
}
