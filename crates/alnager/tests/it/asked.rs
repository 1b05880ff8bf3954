//! Models that are asked: a review of a declared model, and flips.

use serde_json::{Value, json};

use crate::Place;

const ROWS: &str = include_str!("../../../alnager-probe/tests/models/rows.csv");
/// What onnxruntime answers to the rows.
const ANSWERS: &str = include_str!("../../../alnager-probe/tests/models/answers.csv");
const MODEL: &[u8] = include_bytes!("../../../alnager-probe/tests/models/columns.onnx");

/// The same but for an intercept.
const OTHER_MODEL: &[u8] = include_bytes!("../../../alnager-probe/tests/models/other.onnx");

const AUDIT: &str = r#"
[[audit]]
name = "approval-by-sex"
data = "DATA"
decision = { column = "score", at_least = 0.5, favourable = "at_least" }
score = { column = "score", cuts = [0.3, 0.5, 0.7] }
where = "age > 20"

[[audit.attribute]]
column = "sex"
characteristic = "sex"
reference = "Male"
"#;

const ASKED: &str = r#"
[audit.model]
gives = "score"
onnx = "scorer.onnx"
output = "output_probability"
at = 1
inputs = ["age", "income", "debt", { column = "sex", kind = "text" }, { column = "region", kind = "text" }]
"#;

/// The rows with a column of scores.
fn predictions() -> String {
    let column = ANSWERS
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|name| name == "columns.score");
    let scores = ANSWERS
        .lines()
        .map(|line| line.split(',').nth(column.unwrap()).unwrap());
    let lines = ROWS.lines().zip(scores).enumerate();
    let lines = lines.map(|(at, (row, score))| match at {
        0 => format!("{row},score\n"),
        _ => format!("{row},{score}\n"),
    });
    lines.collect()
}

/// The credit example with one audit, of the rows and with the model where it is asked.
fn system(is_asked: bool) -> Place {
    let place = Place::with("credit");
    let text = place.read("system/system.toml");
    let (before, rest) = text.split_once("[[audit]]").unwrap();
    let (_, after) = rest.split_once("# ---- Evidence").unwrap();
    let audit = match is_asked {
        true => format!("{}{ASKED}", AUDIT.replace("DATA", "rows.csv")),
        false => AUDIT.replace("DATA", "predictions.csv"),
    };
    place.write(
        "system/system.toml",
        format!("{before}{audit}\n# ---- Evidence{after}"),
    );
    place.write("system/rows.csv", ROWS);
    place.write("system/predictions.csv", predictions());
    place.write("system/scorer.onnx", MODEL);
    place
}

/// What stands for a row, whoever wrote the numbers: no two rows share all three.
fn key(numbers: [f64; 3]) -> String {
    numbers.map(|number| number.to_string()).join("|")
}

/// A vendor who answers what onnxruntime answers; gives the address.
fn vendor() -> String {
    let predicted = predictions();
    let answers: std::collections::HashMap<String, f64> = predicted
        .lines()
        .skip(1)
        .map(|line| {
            let numbers: Vec<f64> = line
                .split(',')
                .take(3)
                .map(|field| field.parse().unwrap())
                .collect();
            let score = line.rsplit(',').next().unwrap().parse().unwrap();
            (key([numbers[0], numbers[1], numbers[2]]), score)
        })
        .collect();
    assert_eq!(answers.len(), predicted.lines().count() - 1);
    crate::vendor::serve(move |_, body| {
        let body: Value = serde_json::from_slice(body).unwrap();
        let scores = body["rows"].as_array().unwrap().iter().map(|row| {
            let numbers = ["age", "income", "debt"].map(|name| row[name].as_f64().unwrap());
            answers[&key(numbers)]
        });
        (200, json!({ "scores": scores.collect::<Vec<_>>() }))
    })
}

/// "Bought AI meets the same standard as built AI": a vendor's endpoint, a model of one's own and a file of predictions are one system.
#[test]
fn bought_and_built_models_come_to_one_verdict() {
    let (built, told, bought) = (system(true), system(false), system(true));
    bought.edit(
        "onnx = \"scorer.onnx\"\noutput = \"output_probability\"\nat = 1\n",
        "",
    );
    let endpoint = format!(
        "[audit.model.endpoint]\nurl = \"{}\"\nprotocol = \"json\"\nrequest = '{{\"rows\": {{{{rows}}}}}}'\nanswers = \"/scores\"\n",
        vendor()
    );
    bought.edit("\n# ---- Evidence", &format!("{endpoint}\n# ---- Evidence"));
    let (code, of_vendor) = bought.review(&[]);
    let (_, of_model) = built.review(&[]);
    let (code_of_file, of_file) = told.review(&[]);
    assert_eq!(code, code_of_file);
    for part in [
        "verdict",
        "figures",
        "results",
        "gate",
        "requirements",
        "findings",
    ] {
        assert_eq!(of_vendor[part], of_model[part], "{part}");
        assert_eq!(of_vendor[part], of_file[part], "{part}");
    }
    let model = &of_vendor["audits"][0]["model"];
    assert_eq!(model["kind"], "json", "{model}");
    assert_eq!(model["canaries"].as_str().unwrap().len(), 64, "{model}");
    // What answered is sealed: the dossier verifies, and nobody is asked again.
    let dossier = of_vendor["dossier"].as_str().unwrap();
    let verified = bought.run(&["verify", dossier, "--data", "system/rows.csv"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn a_model_that_is_asked_and_a_file_of_its_answers_come_to_one_verdict() {
    let (asked, told) = (system(true), system(false));
    let (code, by_model) = asked.review(&[]);
    let (code_of_file, by_file) = told.review(&[]);
    assert_eq!(code, code_of_file);
    for part in ["verdict", "figures", "results", "gate"] {
        assert_eq!(by_model[part], by_file[part], "{part}");
    }
    let groups = &by_model["figures"]["attrs"]["sex"]["groups"];
    assert!(groups["Female"]["n"].as_u64().unwrap() > 50, "{groups}");
    // What answered is in the report, and what was sealed is recomputed by whoever gets the dossier.
    assert_eq!(
        by_model["audits"][0]["model"]["name"], "scorer.onnx",
        "{}",
        by_model["audits"]
    );
    assert_eq!(by_file["audits"][0].get("model"), None);
    let report = asked.read(by_model["report"].as_str().unwrap());
    assert!(report.contains("Answered by scorer.onnx"));
    let dossier = by_model["dossier"].as_str().unwrap();
    let verify = |data: &str| {
        let ran = asked.run(&["verify", dossier, "--data", data, "--format", "json"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    // The model is asked again where it lies beside the data.
    assert_eq!(verify("system/rows.csv")["recounted"], 1);
    asked.write("alone/rows.csv", ROWS);
    let alone = verify("alone/rows.csv");
    assert_eq!(alone["recounted"], 0);
    assert!(
        alone["notes"]
            .to_string()
            .contains("is not beside the data"),
        "{alone}"
    );
    asked.write("alone/scorer.onnx", OTHER_MODEL);
    let ran = asked.run(&["verify", dossier, "--data", "alone/rows.csv"]);
    assert!(
        ran.code != 0 && ran.err.contains("is not the one that was asked"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn a_model_that_cannot_be_asked_stops_the_review() {
    let place = system(true);
    std::fs::remove_file(place.path("system/scorer.onnx")).unwrap();
    let ran = place.run(&["review", "system"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("scorer.onnx: there is no such file"),
        "{}",
        ran.err
    );
    place.edit("output = \"output_probability\"", "output = \"nothing\"");
    place.write("system/scorer.onnx", MODEL);
    let ran = place.run(&["review", "system"]);
    assert!(ran.err.contains("no output `nothing`"), "{}", ran.err);
    place.edit("gives = \"score\"", "gives = \"points\"");
    let ran = place.run(&["review", "system"]);
    assert!(
        ran.err.contains("neither the decision nor the score"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("system.toml, line"), "{}", ran.err);
}

const INPUTS: [&str; 8] = [
    "--model",
    "scorer.onnx",
    "--inputs",
    "age,income,debt,sex:text,region:text",
    "--output",
    "output_probability",
    "--answer-at",
    "1",
];

fn flips(place: &Place, more: &[&str]) -> crate::Ran {
    let line = [&["audit", "flips", "system/rows.csv"], &INPUTS[..], more].concat();
    let line: Vec<&str> = line
        .into_iter()
        .map(|word| {
            if word == "scorer.onnx" {
                "system/scorer.onnx"
            } else {
                word
            }
        })
        .collect();
    place.run(&line)
}

#[test]
fn flips_are_counted_by_pair_and_group() {
    let place = system(true);
    let more = [
        "--decision",
        "score>=0.5",
        "--favorable",
        "at_least",
        "--flip",
        "sex=Male,Female",
        "--flip",
        "faith=a,b",
        "--attr",
        "sex,region",
        "--format",
        "json",
    ];
    let ran = flips(&place, &more);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let figures: Value = serde_json::from_str(&ran.out).unwrap();
    let pair = &figures["flips"][0]["pairs"][0];
    let all = &pair["all"];
    assert_eq!(
        (&figures["rows_read"], &all["n"]),
        (&json!(200), &json!(200))
    );
    // The model was trained on data that favour men: as a woman nobody gains, and everybody's score falls.
    assert_eq!(all["n_gained"], json!(0));
    let lost = all["n_lost"].as_u64().unwrap();
    assert!(lost >= 10, "{all}");
    assert!(
        all["shift_mean_interval"][1].as_f64().unwrap() < -0.05,
        "{all}"
    );
    assert!(all["mcnemar_p"].as_f64().unwrap() < 0.01, "{all}");
    assert!(all["mcnemar_p"].as_f64() <= all["mcnemar_p_adjusted"].as_f64());
    let by_sex = &pair["groups"]["sex"];
    let of = |group: &str| by_sex[group]["n_lost"].as_u64().unwrap();
    assert_eq!(of("Male") + of("Female"), lost);
    assert_eq!(pair["groups"]["region"].as_object().unwrap().len(), 3);
    assert_eq!(figures["flips"][1]["applies"], json!(false));
    assert_eq!(figures["model"]["kind"], json!("onnx"));
    assert_eq!(figures["model"]["inputs"]["sex"], json!("sex"));
    // In words, and from the declaration, it is the same.
    let words = flips(&place, &more[..more.len() - 2]);
    assert!(
        words.out.contains("sex: Male changed to Female"),
        "{}",
        words.out
    );
    assert!(words.out.contains("faith: not applicable"), "{}", words.out);
    let declared = place.run(&[
        "audit",
        "flips",
        "--system",
        "system",
        "--audit",
        "approval-by-sex",
        "--flip",
        "sex=Male,Female",
        "--where",
        "age > 0",
        "--attr",
        "sex,region",
        "--format",
        "json",
    ]);
    assert_eq!(declared.code, 0, "{}", declared.err);
    let declared: Value = serde_json::from_str(&declared.out).unwrap();
    let same = |name: &str| {
        assert_eq!(
            declared["flips"][0]["pairs"][0]["all"][name], all[name],
            "{name}"
        )
    };
    ["n", "n_gained", "n_lost", "shift_mean", "mcnemar_p"]
        .into_iter()
        .for_each(same);
    place.write("names.txt", "Male\nFemale\r\n\n");
    let listed = [
        "--decision",
        "score>=0.5",
        "--favorable",
        "at_least",
        "--flip",
        "sex=@names.txt",
        "--attr",
        "sex,region",
        "--format",
        "json",
    ];
    let listed: Value = serde_json::from_str(&flips(&place, &listed).out).unwrap();
    assert_eq!(
        listed["flips"][0]["pairs"][0]["all"]["n_lost"],
        all["n_lost"]
    );
}

#[test]
fn a_label_may_flip_too() {
    let place = system(true);
    let line = [
        "audit",
        "flips",
        "system/rows.csv",
        "--model",
        "system/scorer.onnx",
        "--inputs",
        "age,income,debt,sex:text,region:text",
        "--output",
        "output_label",
        "--decision",
        "approved",
        "--favorable",
        "yes",
        "--flip",
        "region=north,south",
        "--format",
        "json",
    ];
    let ran = place.run(&line);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let figures: Value = serde_json::from_str(&ran.out).unwrap();
    let all = &figures["flips"][0]["pairs"][0]["all"];
    assert_eq!(
        (&all["n_gained"], &all["shift_mean"]),
        (&json!(0), &Value::Null)
    );
    assert!(all["n_lost"].as_u64().unwrap() > 0, "{all}");
}

#[test]
fn what_is_wrong_with_flips_is_named() {
    let place = system(true);
    let decided = ["--decision", "score>=0.5", "--favorable", "at_least"];
    let wrong = |more: &[&str], problem: &str| {
        let ran = flips(&place, more);
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(problem), "{}", ran.err);
    };
    let with = |flip: &'static str| [&decided[..], &["--flip", flip]].concat();
    wrong(&with("sex"), "names no values");
    wrong(&with("sex=Male"), "has 1 values");
    wrong(&with("sex=Male,,Female"), "value 2 of `sex` is empty");
    wrong(&with("sex=Male,Male"), "has the value `Male` twice");
    wrong(&with("score=1,2"), "is the model's answer");
    wrong(&with("age=old,young"), "takes a number");
    wrong(&with("sex=@nowhere.txt"), "nowhere.txt");
    wrong(&["--flip", "sex=Male,Female"], "--decision");
    wrong(
        &["--decision", "score>=0.5", "--flip", "sex=Male,Female"],
        "--favorable",
    );
    wrong(
        &[
            "--decision",
            "score",
            "--favorable",
            "1",
            "--flip",
            "sex=Male,Female",
        ],
        "a decision has two values",
    );
    let ran = place.run(&[
        "audit",
        "flips",
        "--system",
        "system",
        "--audit",
        "approval",
        "--flip",
        "sex=Male,Female",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("did you mean `approval-by-sex`"),
        "{}",
        ran.err
    );
}
