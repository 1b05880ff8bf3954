#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::PathBuf;

use alnager_audit::model::ModelBy;

use super::*;

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/models")
}

/// The columns of a file beside the models.
fn table(file: &str) -> Vec<(String, Vec<String>)> {
    let mut reader = ::csv::Reader::from_path(folder().join(file)).unwrap();
    let names: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let mut columns: Vec<(String, Vec<String>)> =
        names.into_iter().map(|name| (name, Vec::new())).collect();
    for record in reader.records() {
        for ((_, column), field) in columns.iter_mut().zip(&record.unwrap()) {
            column.push(field.to_owned());
        }
    }
    columns
}

fn column(file: &str, name: &str) -> Vec<String> {
    table(file)
        .into_iter()
        .find(|(found, _)| found == name)
        .unwrap()
        .1
}

const NUMBERS: [&str; 3] = ["age", "income", "debt"];

fn model(file: &str, inputs: &[&str], output: Option<&str>, at: Option<usize>) -> Model {
    let inputs = inputs.iter().map(|name| Input {
        name: (*name).to_owned(),
        column: (*name).to_owned(),
        kind: if ["sex", "region"].contains(name) {
            InputKind::Text
        } else {
            InputKind::Number
        },
    });
    Model {
        gives: "score".to_owned(),
        inputs: inputs.collect(),
        by: ModelBy::Onnx(Onnx {
            file: format!("{file}.onnx"),
            output: output.map(str::to_owned),
            at,
        }),
    }
}

fn asked(inputs: &[Input]) -> Asked {
    let columns: Vec<AskedColumn> = inputs
        .iter()
        .map(|input| {
            let values = column("rows.csv", &input.column);
            match input.kind {
                InputKind::Number => AskedColumn::Numbers(
                    values.iter().map(|value| value.parse().unwrap()).collect(),
                ),
                InputKind::Text => {
                    let mut met: Vec<String> = Vec::new();
                    let codes = values.iter().map(|value| {
                        let at = met.iter().position(|known| known == value);
                        at.unwrap_or_else(|| {
                            met.push(value.clone());
                            met.len() - 1
                        }) as u32
                            + 1
                    });
                    let codes = codes.collect();
                    AskedColumn::Texts(met, codes)
                }
            }
        })
        .collect();
    Asked {
        n_rows: 200,
        columns,
    }
}

fn open(model: &Model) -> Result<Session, String> {
    let ModelBy::Onnx(onnx) = &model.by else {
        panic!("the models of these tests are files");
    };
    Session::open(&folder().join(&onnx.file), model, onnx).map_err(|error| {
        error
            .to_string()
            .replace(&format!("{}/", folder().display()), "")
    })
}

fn ask(model: &Model, asked: &Asked) -> Result<Answers, String> {
    let rows: Vec<u64> = (1..=asked.n_rows as u64).collect();
    let session = open(model)?;
    session.ask(asked, &rows).map_err(|error| {
        error
            .to_string()
            .replace(&format!("{}/", folder().display()), "")
    })
}

/// The scores of a model are those that onnxruntime gave, but for the last digits of 32 bits.
#[track_caller]
fn scores(file: &str, inputs: &[&str], output: Option<&str>, at: Option<usize>) {
    let model = model(file, inputs, output, at);
    scored(file, &model, &asked(&model.inputs));
}

#[track_caller]
fn scored(file: &str, model: &Model, asked: &Asked) {
    let Answers::Numbers(found) = ask(model, asked).unwrap() else {
        panic!("a score is a number");
    };
    let want = column("answers.csv", &format!("{file}.score"));
    assert_eq!(found.len(), want.len());
    for (row, (found, want)) in found.iter().zip(&want).enumerate() {
        let want: f64 = want.parse().unwrap();
        assert!(
            (found - want).abs() <= 1e-6 * want.abs().max(1.0),
            "{file}, row {row}: {found}, not {want}"
        );
    }
}

/// The labels of a model are exactly those that onnxruntime gave.
#[track_caller]
fn labels(file: &str, inputs: &[&str], output: &str) {
    let model = model(file, inputs, Some(output), None);
    let found: Vec<String> = match ask(&model, &asked(&model.inputs)).unwrap() {
        Answers::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
        Answers::Texts(texts) => texts,
    };
    let want = column("answers.csv", &format!("{file}.label"));
    assert!(
        want.iter().any(|label| *label != want[0]),
        "one label shows nothing"
    );
    assert_eq!(found, want);
}

#[test]
fn a_logistic_regression_answers_as_onnxruntime_does() {
    scores("logit", &NUMBERS, None, Some(1));
    labels("logit", &NUMBERS, "label");
}

#[test]
fn a_model_of_columns_texts_and_maps_answers_as_onnxruntime_does() {
    // Inputs are matched by name, whatever their order.
    let inputs = ["region", "sex", "debt", "income", "age"];
    scores("columns", &inputs, None, Some(1));
    scores("columns", &inputs, Some("output_probability"), Some(1));
    labels("columns", &inputs, "output_label");
}

#[test]
fn trees_answer_as_onnxruntime_does() {
    scores("boosted", &NUMBERS, None, Some(1));
    labels("boosted", &NUMBERS, "label");
    scores("forest", &NUMBERS, None, Some(1));
    labels("forest", &NUMBERS, "label");
    scores("ordinal", &["sex", "region"], None, Some(1));
}

#[test]
fn a_gap_is_told_and_filled_by_the_model_alone() {
    let model = model("regress", &NUMBERS, None, None);
    let mut asked = asked(&model.inputs);
    let AskedColumn::Numbers(income) = &mut asked.columns[1] else {
        panic!("a number");
    };
    income[3] = f64::NAN;
    scored("regress", &model, &asked);
}

#[test]
fn regressions_and_networks_answer_as_computed() {
    scores("linear", &NUMBERS, None, None);
    scores("gemm", &NUMBERS, None, Some(2));
    // Doubles, in batches of four as the file fixes it.
    scores("network", &NUMBERS, None, None);
}

#[test]
fn an_answer_does_not_depend_on_the_rows_around_it() {
    for file in ["logit", "boosted", "network"] {
        let at = (file != "network").then_some(1);
        let model = model(file, &NUMBERS, None, at);
        let all = asked(&model.inputs);
        let Answers::Numbers(together) = ask(&model, &all).unwrap() else {
            panic!("a score is a number");
        };
        let session = open(&model).unwrap();
        for row in [0, 6, 199] {
            let columns = all.columns.iter().map(|column| match column {
                AskedColumn::Numbers(numbers) => AskedColumn::Numbers(vec![numbers[row]]),
                AskedColumn::Texts(texts, codes) => {
                    AskedColumn::Texts(texts.clone(), vec![codes[row]])
                }
            });
            let one = Asked {
                n_rows: 1,
                columns: columns.collect(),
            };
            let alone = session.ask(&one, &[1]).unwrap();
            assert_eq!(
                alone,
                Answers::Numbers(vec![together[row]]),
                "{file}, row {row}"
            );
        }
    }
}

#[test]
fn many_batches_come_back_in_their_order() {
    let model = model("boosted", &NUMBERS, None, Some(1));
    let once = asked(&model.inputs);
    let n = 37;
    let columns = once.columns.iter().map(|column| match column {
        AskedColumn::Numbers(numbers) => AskedColumn::Numbers(numbers.repeat(n)),
        AskedColumn::Texts(texts, codes) => AskedColumn::Texts(texts.clone(), codes.repeat(n)),
    });
    let many = Asked {
        n_rows: 200 * n,
        columns: columns.collect(),
    };
    let (Answers::Numbers(once), Answers::Numbers(many)) =
        (ask(&model, &once).unwrap(), ask(&model, &many).unwrap())
    else {
        panic!("a score is a number");
    };
    assert_eq!(many, once.repeat(n));
}

#[track_caller]
fn refused(model: &Model, problems: &[&str]) {
    let error = match open(model) {
        Err(error) => error,
        Ok(_) => ask(model, &asked(&model.inputs)).unwrap_err(),
    };
    for problem in problems {
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn an_operator_that_is_not_known_is_named() {
    let model = model("vectors", &NUMBERS, None, Some(1));
    refused(
        &model,
        &[
            "vectors.onnx: ",
            "`SVMClassifier`",
            "[audit.model.endpoint]",
        ],
    );
}

#[test]
fn an_answer_that_is_no_number_names_its_row() {
    let model = model("logarithm", &["age"], None, None);
    let mut asked = asked(&model.inputs);
    assert!(ask(&model, &asked).is_ok());
    asked.columns = vec![AskedColumn::Numbers(
        (0..200)
            .map(|row| if row == 41 { 17.0 } else { 20.0 })
            .collect(),
    )];
    let error = ask(&model, &asked).unwrap_err();
    assert!(
        error.contains("row 42") && error.contains("`NaN`"),
        "{error}"
    );
    asked.columns = vec![AskedColumn::Numbers(
        (0..200)
            .map(|row| if row == 7 { 17.5 } else { 20.0 })
            .collect(),
    )];
    let error = ask(&model, &asked).unwrap_err();
    assert!(
        error.contains("row 8") && error.contains("`-inf`"),
        "{error}"
    );
}

#[test]
fn a_whole_number_is_asked_for_where_the_model_takes_one() {
    let inputs = ["age", "income", "debt", "sex", "region"];
    let model = model("columns", &inputs, None, Some(1));
    let mut asked = asked(&model.inputs);
    for (value, said) in [(f64::NAN, "no value"), (40.5, "`40.5`")] {
        let AskedColumn::Numbers(ages) = &mut asked.columns[0] else {
            panic!("a number");
        };
        ages[5] = value;
        let error = ask(&model, &asked).unwrap_err();
        assert!(error.contains("row 6") && error.contains(said), "{error}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    refused(
        &model("none", &NUMBERS, None, None),
        &["there is no such file"],
    );
    refused(
        &model("logit", &NUMBERS, Some("labell"), None),
        &["did you mean `label`"],
    );
    refused(
        &model("logit", &["age", "income"], None, Some(1)),
        &["`X` takes 3 columns", "lists 2: `age`, `income`"],
    );
    refused(
        &model("logit", &NUMBERS, None, None),
        &["2 places a row", "at = 1"],
    );
    refused(&model("logit", &NUMBERS, None, Some(2)), &["`at` says 2"]);
    refused(
        &model("logit", &["age", "income", "sex"], None, Some(1)),
        &["takes numbers", "`sex`", "`text`"],
    );
    refused(
        &model("columns", &["age", "income", "debt", "sex"], None, Some(1)),
        &["`region` is not listed"],
    );
    refused(
        &model(
            "columns",
            &["age", "income", "debt", "sex", "region", "town"],
            None,
            Some(1),
        ),
        &["no input `town`"],
    );
    let mut swapped = model(
        "columns",
        &["age", "income", "debt", "sex", "region"],
        None,
        Some(1),
    );
    swapped.inputs[3].kind = InputKind::Number;
    let error = open(&swapped).err().unwrap();
    assert!(
        error.contains("takes texts") && error.contains("`number`"),
        "{error}"
    );
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.onnx");
    let good = std::fs::read(folder().join("boosted.onnx")).unwrap();
    let model = model("boosted", &NUMBERS, None, Some(1));
    let ModelBy::Onnx(onnx) = &model.by else {
        panic!("a file");
    };
    let try_bytes = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Session::open(&path, &model, onnx) {
            Ok(session) => session.ask(&asked(&model.inputs), &[0; 200]).map(|_| ()),
            Err(error) => Err(error),
        }
    };
    for bytes in [&b""[..], b"age,income\n1,2\n", &good[..good.len() / 2]] {
        assert!(try_bytes(bytes).is_err());
    }
    // Damage anywhere ends in an answer or an error, never in a panic.
    let mut at = 7;
    while at < good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let _ = try_bytes(&bytes);
        at += good.len() / 60;
    }
    assert!(try_bytes(&good).is_ok());
}

#[test]
fn the_hash_is_that_of_the_file() {
    let session = open(&model("linear", &NUMBERS, None, None)).unwrap();
    let mut hash = Sha256::new();
    hash.update(std::fs::read(folder().join("linear.onnx")).unwrap());
    assert_eq!(session.sha256(), hex(hash));
}

#[test]
fn a_number_of_32_bits_is_its_shortest_decimal() {
    for (short, long) in [
        (0.7_f32, 0.7),
        (0.1, 0.1),
        (3.0, 3.0),
        (1e-7, 1e-7),
        (-2.5, -2.5),
    ] {
        assert_eq!(decimal(short), long);
    }
    assert_eq!(decimal(33_554_432.0), 33_554_432.0);
    assert!(decimal(f32::NAN).is_nan());
}
