//! Blind spots and drivers on the data of an example, beside figures worked out elsewhere: every subgroup counted by itself in plain
//! Python, the halves by the formula of SplitMix64, Fisher's test by SciPy 1.17, Newcombe's interval from its formula, regressions and
//! DeLong's variance by NumPy 2.4.

use serde_json::{Value, json};

use crate::{Place, examples};

#[track_caller]
fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[&["audit"], arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn near(found: &Value, want: f64) {
    let found = found.as_f64().unwrap();
    let off = (found - want).abs();
    assert!(
        off <= 1e-9 * want.abs().max(1e-3),
        "{found}, and not {want}"
    );
}

fn recidivism() -> (Place, String) {
    let data = examples().join("recidivism/data.csv");
    (Place::new(), data.display().to_string())
}

const OUTCOME: [&str; 8] = [
    "--label",
    "two_year_recid",
    "--decision",
    "decile_score>=5",
    "--favorable",
    "0",
    "--attr",
    "race,sex",
];

#[test]
fn subgroups_are_those_found_elsewhere() {
    let (place, data) = recidivism();
    let figures = json_of(&place, &[&["blind-spots", &data], &OUTCOME[..]].concat());
    let search = &figures["slices"];
    assert_eq!(search["n_explored"], json!(3567));
    assert_eq!(search["n_held_out"], json!(3647));
    assert_eq!(search["n_searched"], json!(279));
    assert_eq!(search["features"][4]["cuts"], json!([1.0, 2.0, 4.0, 9.0]));
    // The score decides, so it describes nobody; it would find itself.
    let features: Vec<&Value> = search["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| &feature["feature"])
        .collect();
    assert_eq!(features, ["race", "sex", "age_cat", "charge", "priors"]);
    assert_eq!(search["n_tested"], json!(4));
    let first = &search["not_confirmed"][0];
    assert_eq!(
        first["slice"],
        json!({"race": "African-American", "sex": "Male", "charge": "M"})
    );
    assert_eq!(
        (
            &first["n"],
            &first["held_out"]["n"],
            &first["held_out"]["n_rest"]
        ),
        (&json!(920), &json!(458), &json!(3189))
    );
    near(&first["held_out"]["difference"], 0.04184074349462741);
    near(&first["fisher_or_welch_p"], 0.08383819187600089);
    near(&first["difference_interval"][0], -0.01708777403718279);
    near(&first["difference_interval"][1], 0.10341758281928737);
    // For these the hardest comparison is that with the rest of those under 25, and of those of 25 to 45; one-sided, by SciPy.
    let [under_25, over_25] = [0, 1].map(|at| &search["confirmed"][at]);
    assert_eq!(
        under_25["slice"],
        json!({"age_cat": "Less than 25", "priors": "below 1"})
    );
    near(&under_25["fisher_or_welch_p"], 0.0021013675862047083);
    near(&under_25["p"], 0.014670811729499977);
    near(&under_25["p_holm"], 3.0 * 0.014670811729499977);
    assert_eq!(
        over_25["slice"],
        json!({"age_cat": "25 - 45", "priors": "2 to below 4"})
    );
    near(&over_25["p"], 0.006984074519819766);
    near(&over_25["p_holm"], 4.0 * 0.006984074519819766);
    near(&first["p"], 0.6720959658023432);
}

#[test]
fn what_the_other_half_confirms_is_said_in_a_sentence() {
    let (place, data) = recidivism();
    let arguments = [
        &["audit", "blind-spots", &data],
        &OUTCOME[..],
        &["--measure", "fpr"],
    ]
    .concat();
    let ran = place.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let said = ran.out.replace('\n', " ");
    for part in [
        "Confirmed: 5",
        "race African-American: 23.0 of 100 more false positives than everybody else (3696 rows, 51.2 % of rows, 95 % interval for all 5 at once 17.6 to 28.3)",
        "race Native American",
        "No column lacks a value.",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{}", ran.out);
    }
}

#[test]
fn patterns_and_missing_values_are_counted() {
    let place = Place::new();
    // 40 women, 60 men; a label is missing of 10 women and no man, a race of 4 men.
    let row = |at: usize| {
        let sex = if at < 40 { "f" } else { "m" };
        let race = if at >= 96 {
            ""
        } else {
            ["A", "B"][usize::from(at % 40 < 5)]
        };
        let label = if at < 10 { "" } else { ["0", "1"][at % 2] };
        format!(
            "{at},{sex},{race},{label},{}\n",
            usize::from(at.is_multiple_of(3))
        )
    };
    let rows: String = (0..100).map(row).collect();
    place.write("rows.csv", format!("id,sex,race,y,d\n{rows}"));
    let figures = json_of(
        &place,
        &[
            "blind-spots",
            "rows.csv",
            "--label",
            "y",
            "--decision",
            "d",
            "--favorable",
            "1",
            "--attr",
            "sex,race",
            "--min-rows",
            "10",
        ],
    );
    let coverage = &figures["coverage"];
    assert_eq!(coverage["n_unknown"], json!(4));
    // B has 5 women and, of 40 to 99, rows 40 to 44 and 80 to 84.
    assert_eq!(
        coverage["patterns"],
        json!([{"pattern": {"sex": "f", "race": "B"}, "n": 5, "share": 0.05, "n_lacking": 5}])
    );
    let columns = figures["missing"]["columns"].as_array().unwrap();
    let women = columns
        .iter()
        .find(|share| share["column"] == "y" && share["group"] == "f")
        .unwrap();
    assert_eq!(
        (&women["n_missing"], &women["n"], &women["share_rest"]),
        (&json!(10), &json!(40), &json!(0.0))
    );
    // C(40,10)/C(100,10) and, as rare or rarer on the other side, none: by SciPy.
    near(&women["fisher_p"], 4.89685369365042e-05);
    let bounds = &figures["missing"]["bounds"]["sex"]["f"];
    let (known, unknown) = (
        bounds["n_known"].as_f64().unwrap(),
        bounds["n_unknown"].as_f64().unwrap(),
    );
    assert_eq!((known, unknown), (30.0, 10.0));
    let rate = bounds["rate"].as_f64().unwrap();
    near(&bounds["rate_bounds"][0], rate * 30.0 / 40.0);
    near(&bounds["rate_bounds"][1], (rate * 30.0 + 10.0) / 40.0);
    assert!(
        figures["slices"]["not_used"]["id"]
            .as_str()
            .unwrap()
            .contains("whole number in every row")
    );
}

#[test]
fn too_few_rows_are_not_measured_rather_than_clear() {
    let place = Place::new();
    place.write("rows.csv", "sex,d\nf,1\nm,0\nm,1\n");
    let ran = place.run(&[
        "audit",
        "blind-spots",
        "rows.csv",
        "--decision",
        "d",
        "--favorable",
        "1",
        "--attr",
        "sex",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "Not measured: no subgroup of 100 rows",
        "all rows     3  100.0 %       97",
    ] {
        assert!(ran.out.contains(part), "`{part}` is not in\n{}", ran.out);
    }
}

#[test]
fn drivers_are_those_found_elsewhere() {
    let (place, data) = recidivism();
    let arguments = [
        "drivers",
        &data,
        "--attr",
        "race",
        "--ref",
        "race=Caucasian",
        "--group",
        "African-American",
        "--derive",
        "low.toml",
        "--decision",
        "high_risk",
        "--favorable",
        "0",
        "--score",
        "decile_score",
        "--strata",
        "charge",
        "--features",
        "priors,age_cat,charge",
    ];
    place.write(
        "low.toml",
        "[[derive]]\ncolumn = 'high_risk'\nfrom = 'decile_score'\nat_least = 5\n",
    );
    let figures = json_of(&place, &arguments);
    let kitagawa = &figures["kitagawa"];
    near(&kitagawa["gap"], -0.24020020321976313);
    near(&kitagawa["composition"], -0.011781792681346735);
    near(&kitagawa["rate"], -0.22841841053841638);
    let ends = &kitagawa["rate_interval"];
    assert!(ends[0].as_f64().unwrap() < -0.2284 && -0.2284 < ends[1].as_f64().unwrap());
    let model = &figures["contributions"];
    near(&model["gap"], 1.6336507319086784);
    near(&model["by_feature"]["priors"], 0.5270963281247035);
    near(
        &model["by_feature"]["age_cat"],
        0.2747691923176446 + 0.17073189028276892,
    );
    near(&model["by_feature"]["charge"], 0.03718670616085962);
    near(&model["residual"], 0.6238666150227017);
    near(&figures["differences"]["priors"], 0.3744015173418615);
    let proxies = &figures["proxies"];
    near(&proxies["by_feature"]["priors"]["auc"], 0.6048574619662715);
    near(&proxies["by_feature"]["priors"]["se"], 0.009910819296501465);
    near(&proxies["together"]["auc"], 0.6694501856244243);
    let ran = place.run(&[&["audit"], &arguments[..]].concat());
    for part in ["Kitagawa", "not explained by them", "all together"] {
        assert!(ran.out.contains(part), "`{part}` is not in\n{}", ran.out);
    }
}

#[test]
fn wrong_flags_say_what_to_do() {
    let (place, data) = recidivism();
    let wrong = |more: &[&str], parts: &[&str]| {
        let ran = place.run(&[&["audit", "blind-spots", &data], more].concat());
        assert_eq!(ran.code, 2, "{more:?}: {}{}", ran.out, ran.err);
        for part in parts {
            assert!(ran.err.contains(part), "`{part}` is not in\n{}", ran.err);
        }
    };
    wrong(&["--attr", "race"], &["--measure", "--decision"]);
    wrong(
        &[
            "--attr",
            "race",
            "--decision",
            "decile_score>=5",
            "--favorable",
            "0",
            "--measure",
            "fpr",
        ],
        &["`fpr` is measured from --label, which is not given"],
    );
    wrong(
        &[&OUTCOME[..], &["--depth", "4"]].concat(),
        &["--depth: lies between 1 and 3"],
    );
    wrong(
        &[&OUTCOME[..], &["--features", "prior"]].concat(),
        &["`prior`", "did you mean `priors`?"],
    );
    wrong(
        &[&OUTCOME[..], &["--features", "two_year_recid"]].concat(),
        &["`two_year_recid` is what is measured"],
    );
    wrong(
        &[
            "--attr",
            "race",
            "--label",
            "two_year_recid",
            "--decision",
            "charge",
            "--favorable",
            "G",
        ],
        &["--favorable", "column `charge`", "`G`"],
    );
    wrong(
        &[
            "--attr",
            "race",
            "--decision",
            "decile_score>=x",
            "--favorable",
            "0",
        ],
        &["--decision: `x` is no number"],
    );
    let ran = place.run(&[
        "audit",
        "drivers",
        &data,
        "--attr",
        "race",
        "--ref",
        "race=Caucasian",
        "--decision",
        "charge",
        "--favorable",
        "M",
        "--features",
        "priors",
    ]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("name one in --group"), "{}", ran.err);
}
