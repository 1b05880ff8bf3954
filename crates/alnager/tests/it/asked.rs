//! Models that are asked: a review of a declared model.

use serde_json::Value;

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
