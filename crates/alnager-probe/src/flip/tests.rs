#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::PathBuf;

use alnager_audit::model::{ModelBy, Onnx};

use super::*;

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/models")
}

/// The model of a column each; `sex` filled from another column where one is named.
fn model(sex: &str) -> Model {
    let kind = |name: &str| match name {
        "sex" | "region" => InputKind::Text,
        _ => InputKind::Number,
    };
    let inputs = ["age", "income", "debt", "sex", "region"].map(|name| Input {
        name: name.to_owned(),
        column: if name == "sex" { sex } else { name }.to_owned(),
        kind: kind(name),
    });
    Model {
        gives: "score".to_owned(),
        inputs: inputs.to_vec(),
        by: ModelBy::Onnx(Onnx {
            file: "columns.onnx".to_owned(),
            output: Some("output_probability".to_owned()),
            at: Some(1),
        }),
    }
}

fn flip(column: &str, values: &[&str]) -> Flip {
    Flip {
        column: column.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn rows() -> Source {
    Source::Files {
        path: folder().join("rows.csv"),
    }
}

fn ask(model: &Model, flips: &[Flip], derived: &[Derived]) -> Result<Flipped, ProbeError> {
    let wanted = FlipsWanted {
        model,
        flips,
        texts: &["sex"],
        filter: Some("age > 25"),
        derived,
        unknown: &[],
    };
    ask_flipped(&wanted, &rows(), &folder(), &|_| ())
}

fn numbers(answers: &Answers) -> &[f64] {
    match answers {
        Answers::Numbers(numbers) => numbers,
        Answers::Texts(_) => panic!("a score is a number"),
    }
}

/// Everything but the column stays: with it the score moves by the model's own weight, on the scale of its logarithm of odds.
#[test]
fn one_column_changes_and_nothing_else() {
    let flipped = ask(&model("sex"), &[flip("sex", &["Male", "Female"])], &[]).unwrap();
    let original = numbers(&flipped.original);
    let [male, female] = flipped.flips[0].as_deref().unwrap() else {
        panic!("two values");
    };
    let (male, female) = (numbers(male), numbers(female));
    let (texts, codes) = &flipped.texts[0];
    let logit = |share: f64| (share / (1.0 - share)).ln();
    let weight = logit(male[0]) - logit(female[0]);
    assert!(weight > 0.1, "{weight}");
    for row in 0..original.len() {
        let own = match texts[codes[row] as usize - 1].as_str() {
            "Male" => male,
            _ => female,
        };
        assert_eq!(own[row], original[row]);
        let here = logit(male[row]) - logit(female[row]);
        assert!(
            (here - weight).abs() < 1e-3 * weight,
            "{here}, not {weight}"
        );
    }
    assert!(original.len() > 150 && flipped.data.n_counted() == original.len() as u64);
    assert_eq!(flipped.data.model.unwrap().name, "columns.onnx");
}

#[test]
fn a_number_is_flipped_too() {
    let flipped = ask(&model("sex"), &[flip("age", &["30", "60"])], &[]).unwrap();
    let [young, old] = flipped.flips[0].as_deref().unwrap() else {
        panic!("two values");
    };
    let pairs = numbers(young).iter().zip(numbers(old));
    assert!(pairs.clone().all(|(young, old)| young < old));
}

#[test]
fn a_column_that_is_no_input_changes_nothing() {
    let flips = [
        flip("religion", &["a", "b"]),
        flip("sex", &["Male", "Female"]),
    ];
    let flipped = ask(&model("sex"), &flips, &[]).unwrap();
    assert_eq!(flipped.flips[0], None);
    assert!(flipped.flips[1].is_some());
}

#[test]
fn an_input_that_is_derived_follows_its_source() {
    let derive = "[[derive]]\ncolumn = 'gender'\nfrom = 'sex'\nlabels = { Male = 'Male', Female = 'Female', M = 'Male' }";
    let derived = Derived::read_all("derive.toml", derive).unwrap();
    let direct = ask(&model("sex"), &[flip("sex", &["Male", "Female"])], &[]).unwrap();
    let by_label = ask(&model("gender"), &[flip("sex", &["M", "Female"])], &derived).unwrap();
    assert_eq!(direct.flips, by_label.flips);
    let bins = "[[derive]]\ncolumn = 'b'\nfrom = 'n'\nbins = [10, 20]\nnames = ['x', 'y', 'z']";
    let bins = &Derived::read_all("derive.toml", bins).unwrap()[0];
    let names = ["9", "10", "19.5", "20", "many"].map(|value| derived_text(bins, value));
    let want = ["x", "y", "y", "z"].map(|name| Some(name.to_owned()));
    assert_eq!(names[..4], want);
    assert_eq!(names[4], None);
}

#[test]
fn a_value_that_the_model_cannot_take_is_named() {
    let error = ask(&model("sex"), &[flip("age", &["30", "old"])], &[]).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("`old`") && error.contains("`age`"),
        "{error}"
    );
}
