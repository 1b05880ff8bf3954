#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use alnager_audit::declared::Audit;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::{Measured, measure, measure_beside};

fn models() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/models")
}

fn audit(text: &str) -> Audit {
    Audit::read(&alnager_law::read::read("system.toml", text).unwrap()).unwrap()
}

const SCORED: &str = "
    name = 'a'
    data = 'data'
    decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }
    score = { column = 'score', cuts = [0.3, 0.5, 0.7] }
    attribute = [{ column = 'sex', characteristic = 'sex' }]
    strata = 'region'
    ";

const BOOSTED: &str = "
    [model]
    gives = 'score'
    inputs = ['age', 'income', 'debt']
    onnx = 'boosted.onnx'
    at = 1
    ";

/// The rows beside the models, in a format, with another column where one is given.
fn data(format: &str, answers: Option<(&str, &Answers)>, rows: std::ops::Range<usize>) -> Vec<u8> {
    let mut reader = ::csv::Reader::from_path(models().join("rows.csv")).unwrap();
    let names: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let records: Vec<::csv::StringRecord> =
        reader.records().map(|record| record.unwrap()).collect();
    let records = &records[rows.clone()];
    let column = |at: usize| records.iter().map(move |record| record[at].to_owned());
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let numbers = || column(at).map(|text| text.parse::<f64>().unwrap());
        let array: ArrayRef = match name.as_str() {
            "age" => Arc::new(Int64Array::from_iter_values(
                numbers().map(|age| age as i64),
            )),
            "income" | "debt" => Arc::new(Float64Array::from_iter_values(numbers())),
            _ => Arc::new(StringArray::from_iter_values(column(at))),
        };
        columns.push((name, array));
    }
    if let Some((name, answers)) = answers {
        columns.push((
            name,
            match answers {
                Answers::Numbers(all) => {
                    Arc::new(Float64Array::from_iter_values(all[rows].iter().copied()))
                }
                Answers::Texts(all) => Arc::new(StringArray::from_iter_values(&all[rows])),
            },
        ));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    match format {
        "parquet" => {
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
        }
        "arrow" => {
            let mut writer =
                arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
            writer.write(&batch).unwrap();
            writer.finish().unwrap();
        }
        text => {
            let fields: Vec<Vec<String>> = (0..batch.num_rows())
                .map(|row| {
                    let cells = batch.columns().iter();
                    cells
                        .map(|cells| match cells.as_any() {
                            any if any.is::<StringArray>() => {
                                let texts = any.downcast_ref::<StringArray>().unwrap();
                                format!("{:?}", texts.value(row))
                            }
                            any if any.is::<Int64Array>() => any
                                .downcast_ref::<Int64Array>()
                                .unwrap()
                                .value(row)
                                .to_string(),
                            any => any
                                .downcast_ref::<Float64Array>()
                                .unwrap()
                                .value(row)
                                .to_string(),
                        })
                        .collect()
                })
                .collect();
            let schema = batch.schema();
            let names: Vec<&str> = schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect();
            let lines = fields.iter().map(|fields| match text {
                "jsonl" => {
                    let members = names.iter().zip(fields);
                    let members: Vec<String> = members
                        .map(|(name, value)| format!("\"{name}\":{value}"))
                        .collect();
                    format!("{{{}}}\n", members.join(","))
                }
                _ => format!("{}\n", fields.join(",")),
            });
            let head = match text {
                "jsonl" => String::new(),
                _ => format!("{}\n", names.join(",")),
            };
            bytes = (head + &lines.collect::<String>()).into_bytes();
        }
    }
    bytes
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Source {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    Source::Files { path }
}

fn answers(audit: &Audit) -> Answers {
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "data.csv", &data("csv", None, 0..200));
    let model = audit.model.as_ref().unwrap();
    // Every row is asked here: a file of predictions holds them all.
    let all = Audit {
        filter: None,
        ..audit.clone()
    };
    ask_all(&all, model, &source, &models(), &|_| ())
        .unwrap()
        .answers
}

/// The same figures come of a model that is asked and of a file of its answers, in every format.
#[track_caller]
fn same(text: &str) -> Measured {
    let asked = audit(text);
    let told = Audit {
        model: None,
        ..asked.clone()
    };
    let answers = answers(&asked);
    let gives = &asked.model.as_ref().unwrap().gives;
    let folder = tempfile::tempdir().unwrap();
    let mut last = None;
    for format in ["csv", "jsonl", "parquet", "arrow"] {
        let name = |what: &str| format!("{what}.{format}");
        let rows = write(folder.path(), &name("rows"), &data(format, None, 0..200));
        let with = data(format, Some((gives, &answers)), 0..200);
        let predictions = write(folder.path(), &name("predictions"), &with);
        let by_model = measure_beside(&asked, &rows, &models(), &|_| ()).unwrap();
        let by_file = measure(&told, &predictions).unwrap();
        let parts = |measured: &Measured| {
            let measures = measured.measures.clone();
            (
                measures.table,
                measures.scores,
                measures.samples,
                measures.ranges,
                measures.persons,
                (measures.data.n_rows, measures.data.left_out),
            )
        };
        assert_eq!(parts(&by_model), parts(&by_file), "{format}");
        let stamp = by_model.measures.data.model.as_ref().unwrap();
        assert_eq!((stamp.kind.as_str(), stamp.sha256.len()), ("onnx", 64));
        assert_eq!(by_file.measures.data.model, None);
        assert!(by_model.measures.agree(&asked).is_ok());
        last = Some(by_model);
    }
    last.unwrap()
}

#[test]
fn a_model_is_counted_as_a_file_of_its_answers_is() {
    let measured = same(&format!("{SCORED}{BOOSTED}"));
    assert_eq!(measured.measures.table.n(), 200);
    let decided = measured.measures.table.by(&[]).unwrap();
    let counts = decided[&vec![]].counts;
    assert!(counts.iter().any(|label| label[0] > 20) && counts.iter().any(|label| label[1] > 20));
}

#[test]
fn every_score_is_counted_by_its_value() {
    let mut declared = audit(&format!("{SCORED}{BOOSTED}"));
    declared.score.as_mut().unwrap().cuts.clear();
    declared.score.as_mut().unwrap().every_value = true;
    let answers = answers(&declared);
    let folder = tempfile::tempdir().unwrap();
    let rows = write(folder.path(), "rows.csv", &data("csv", None, 0..200));
    let with = data("csv", Some(("score", &answers)), 0..200);
    let predictions = write(folder.path(), "predictions.csv", &with);
    let told = Audit {
        model: None,
        ..declared.clone()
    };
    let by_model = measure_beside(&declared, &rows, &models(), &|_| ()).unwrap();
    let by_file = measure(&told, &predictions).unwrap();
    assert!(by_model.measures.samples.is_some());
    assert_eq!(by_model.measures.samples, by_file.measures.samples);
}

#[test]
fn only_rows_that_meet_the_condition_are_asked_and_counted() {
    let condition = "where = \"age >= 40 && region != 'north'\"\n";
    let measured = same(&format!("{SCORED}{condition}{BOOSTED}"));
    let n = measured.measures.table.n();
    assert!(n > 10 && n < 150, "{n}");
}

#[test]
fn columns_are_derived_from_the_data_and_from_the_answer() {
    let derive = "derive = [
        { column = 'band', from = 'age', bins = [30, 50] },
        { column = 'class', from = 'score', bins = [0.4, 0.6], names = ['low', 'middle', 'high'] },
        { column = 'passed', from = 'score', bins = [0.6], names = ['no', 'yes'] },
    ]
    period = 'band'
    ";
    let text = SCORED.replace(
        "decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }",
        "decision = { column = 'passed', positive = 'yes', favourable = 'yes' }",
    );
    let measured = same(&format!("{text}{derive}{BOOSTED}"));
    assert!(measured.measures.table.columns.contains(&"band".to_owned()));
}

#[test]
fn a_label_is_a_decision() {
    let text = "
        name = 'a'
        data = 'data'
        decision = { column = 'approved', positive = 'yes', favourable = 'yes' }
        attribute = [{ column = 'sex', characteristic = 'sex' }]
        [model]
        gives = 'approved'
        onnx = 'columns.onnx'
        output = 'output_label'
        inputs = ['age', 'income', 'debt', { column = 'sex', kind = 'text' }, { column = 'region', kind = 'text' }]
        ";
    same(text);
    let whole = "
        name = 'a'
        data = 'data'
        decision = { column = 'approved', positive = '1', favourable = '1' }
        attribute = [{ column = 'sex', characteristic = 'sex' }]
        [model]
        gives = 'approved'
        onnx = 'logit.onnx'
        output = 'label'
        inputs = ['age', 'income', 'debt']
        ";
    same(whole);
}

#[test]
fn the_rows_of_many_files_keep_their_answers() {
    let declared = audit(&format!(
        "{SCORED}where = \"sex == 'Male' || age > 30\"\n{BOOSTED}"
    ));
    let folder = tempfile::tempdir().unwrap();
    let one = write(folder.path(), "whole.csv", &data("csv", None, 0..200));
    let parts = folder.path().join("parts");
    std::fs::create_dir(&parts).unwrap();
    write(&parts, "1.csv", &data("csv", None, 0..70));
    write(&parts, "2.parquet", &data("parquet", None, 70..71));
    write(&parts, "3.jsonl", &data("jsonl", None, 71..150));
    write(&parts, "4.arrow", &data("arrow", None, 150..200));
    let whole = measure_beside(&declared, &one, &models(), &|_| ()).unwrap();
    let many = Source::Files { path: parts };
    let many = measure_beside(&declared, &many, &models(), &|_| ()).unwrap();
    assert_eq!(whole.measures.table, many.measures.table);
    assert_eq!(whole.measures.scores, many.measures.scores);
    assert_eq!(many.measures.data.files.len(), 4);
}

#[test]
fn more_rows_than_are_asked_at_once_are_asked() {
    let text = String::from_utf8(data("csv", None, 0..200)).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let n_times = ROWS_GATHERED / 200 + 3;
    let folder = tempfile::tempdir().unwrap();
    let once = write(folder.path(), "once.csv", text.as_bytes());
    let long = format!("{header}\n{}", rows.repeat(n_times));
    let many = write(folder.path(), "many.csv", long.as_bytes());
    let declared = audit(&format!("{SCORED}{BOOSTED}"));
    let once = measure_beside(&declared, &once, &models(), &|_| ()).unwrap();
    let many = measure_beside(&declared, &many, &models(), &|_| ()).unwrap();
    assert_eq!(many.measures.table.n(), 200 * n_times as u64);
    for (key, cell) in &once.measures.table.cells {
        let more = &many.measures.table.cells[key];
        for (label, counts) in cell.counts.iter().enumerate() {
            for (decision, n) in counts.iter().enumerate() {
                assert_eq!(more.counts[label][decision], n * n_times as u64);
            }
        }
    }
}

#[test]
fn a_spelling_of_unknown_is_a_gap_only_where_it_is_no_number() {
    let text = "age,income,debt,sex,region\n30,NA,100,Male,north\n40,-9,100,-9,NA\n";
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "data.csv", text.as_bytes());
    let which = Which {
        filter: None,
        derived: &[],
        unknown: &["NA".to_owned(), "-9".to_owned()],
    };
    let model = audit(&format!("{SCORED}{BOOSTED}")).model.unwrap();
    let mut inputs = model.inputs.clone();
    inputs.push(alnager_audit::model::Input {
        name: "region".to_owned(),
        column: "region".to_owned(),
        kind: InputKind::Text,
    });
    let model = Model { inputs, ..model };
    let mut told = Vec::new();
    let mut take = |asked: &Asked, rows: &[u64]| {
        told.push((asked.clone(), rows.to_vec()));
        Ok(())
    };
    let read = read_inputs(&model, &which, &["sex"], &source, &|_| (), 100, &mut take).unwrap();
    let (asked, rows) = &told[0];
    assert_eq!((told.len(), rows.as_slice()), (1, &[1, 2][..]));
    let AskedColumn::Numbers(income) = &asked.columns[1] else {
        panic!("a number");
    };
    assert!(income[0].is_nan() && income[1] == -9.0);
    assert_eq!(asked.columns[3].text(1), "NA");
    assert_eq!(read.texts[0], (vec!["Male".to_owned()], vec![1, 0]));
}

#[track_caller]
fn refused(text: &str, data: &str, problem: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "data.csv", data.as_bytes());
    let error = measure_beside(&audit(text), &source, &models(), &|_| ()).unwrap_err();
    assert!(error.to_string().contains(problem), "{error}");
}

#[test]
fn what_cannot_be_asked_or_counted_is_named() {
    let boosted = format!("{SCORED}{BOOSTED}");
    let row = "age,income,debt,sex,region\n";
    refused(
        &boosted,
        "age,income,sex,region\n1,2,F,n\n",
        "there is no column `debt`",
    );
    refused(&boosted, row, "has no rows");
    refused(
        &boosted,
        &format!("{row}x,1,1,F,n\n"),
        "line 2, column `age`: `x` is not a number",
    );
    let condition = "where = \"region == 'moon'\"\n";
    refused(
        &format!("{SCORED}{condition}{BOOSTED}"),
        &format!("{row}1,1,1,F,n\n"),
        "no row meets the condition",
    );
    // Three labels of a regression are no decision.
    let three = SCORED
        .replace(
            "decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }",
            "decision = { column = 'score', positive = '1', favourable = '1' }",
        )
        .replace("score = { column = 'score', cuts = [0.3, 0.5, 0.7] }", "");
    refused(
        &format!("{three}{BOOSTED}"),
        &format!("{row}20,900,100,F,n\n70,900,100,F,n\n40,5000,10,F,n\n"),
        "the model's answer for row 3, counted as column `score`",
    );
    let endpoint = "
        [model]
        gives = 'score'
        inputs = ['age']
        [model.endpoint]
        url = 'http://127.0.0.1:9'
        protocol = 'mlflow'
        ";
    refused(
        &format!("{SCORED}{endpoint}"),
        &format!("{row}1,1,1,F,n\n"),
        "http://127.0.0.1:9: ",
    );
}

#[test]
fn progress_is_told_of_both_readings() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "data.csv", &data("csv", None, 0..200));
    let told = std::cell::RefCell::new(Vec::new());
    let declared = audit(&format!("{SCORED}{BOOSTED}"));
    let progress = |progress: Progress| told.borrow_mut().push(progress);
    measure_beside(&declared, &source, &models(), &progress).unwrap();
    let told = told.into_inner();
    assert_eq!(
        told.iter().filter(|told| told.done == told.total).count(),
        2
    );
}
