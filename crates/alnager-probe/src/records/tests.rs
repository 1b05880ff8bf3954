#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use expect_test::{Expect, expect};

use super::*;

/// The records of a file, one a line, `-` for none; or what is wrong with it.
fn read(path: &Path) -> String {
    let (mut lines, mut columns) = (Vec::new(), Vec::new());
    let taken = read_records(path, &|_| {}, &mut |known, values| {
        columns = known.to_vec();
        let values = values.iter();
        let values = values.map(|value| {
            value
                .as_deref()
                .map_or("-".to_owned(), |v| format!("{v:?}"))
        });
        lines.push(values.collect::<Vec<_>>().join(" "));
        true
    });
    match taken {
        Ok(()) => format!("{}\n{}", columns.join(","), lines.join("\n")),
        Err(error) => {
            let folder = path.parent().unwrap().display().to_string();
            error.to_string().replace(&format!("{folder}/"), "")
        }
    }
}

#[track_caller]
fn check(name: &str, text: &str, want: Expect) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    want.assert_eq(&read(&path));
}

/// A file with what the writer of another program would put in it.
fn parquet_file(folder: &Path, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.join("a.parquet");
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[test]
fn values_are_called_as_they_are_written() {
    check(
        "a.csv",
        "\u{feff}id,\"a, b\"\n1.0,\n\"x\ny\",0\n",
        expect![[r#"
            id,a, b
            "1.0" ""
            "x\ny" "0""#]],
    );
    check(
        "a.jsonl",
        "{\"id\":1.50,\"ok\":true}\n\n{\"ok\":null,\"id\":\"\\u0041\",\"deep\":{\"b\": [1]}}\n{}\n",
        expect![[r#"
            id,ok,deep
            "1.50" "true"
            "A" - "{\"b\": [1]}"
            - - -"#]],
    );
}

#[test]
fn columns_of_types_are_called_as_the_audits_call_them() {
    use arrow_array::types::Int32Type;
    use arrow_array::{
        BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
        TimestampSecondArray,
    };
    let folder = tempfile::tempdir().unwrap();
    let decimals = Decimal128Array::from(vec![Some(1250), None]);
    let decimals = decimals.with_precision_and_scale(10, 2).unwrap();
    let names: DictionaryArray<Int32Type> = vec![Some("F"), None].into_iter().collect();
    let path = parquet_file(
        folder.path(),
        vec![
            ("n", Arc::new(Int64Array::from(vec![Some(-7), None]))),
            ("f", Arc::new(Float64Array::from(vec![0.1, 1.0]))),
            ("b", Arc::new(BooleanArray::from(vec![true, false]))),
            ("d", Arc::new(Date32Array::from(vec![20_000, 0]))),
            (
                "t",
                Arc::new(TimestampSecondArray::from(vec![1_767_225_600, 0])),
            ),
            ("m", Arc::new(decimals)),
            ("s", Arc::new(names)),
        ],
    );
    expect![[r#"
        n,f,b,d,t,m,s
        "-7" "0.1" "true" "2024-10-04" "2026-01-01T00:00:00" "12.5" "F"
        - "1" "false" "1970-01-01" "1970-01-01T00:00:00" - -"#]]
    .assert_eq(&read(&path));
}

#[test]
fn what_is_no_log_is_refused() {
    check(
        "a.csv",
        "a,a\n1,2\n",
        expect!["a.csv: two columns are named `a`; rename one, so that it is clear which is meant"],
    );
    check(
        "a.csv",
        "a,alnager_rows\n1,2\n",
        expect![
            "a.csv: the column `alnager_rows` says that each line stands for many rows; what is sealed as a log has a row for each record"
        ],
    );
    check(
        "a.csv",
        "a\n",
        expect![
            "a.csv: the file has no rows, so there is nothing to measure; check how it was exported"
        ],
    );
    check(
        "a.csv",
        "a,b\n1\n",
        expect![
            "a.csv, line 2: the line has 1 fields, the header 2; a text that holds a comma must stand in double quotes"
        ],
    );
    check(
        "a.csv",
        "a\n\"1\n",
        expect![
            "a.csv, line 2: the double quote that opens here is never closed; close it, and write a quote within a text twice"
        ],
    );
    check(
        "a.jsonl",
        "{\"a\":1,\"a\":2}\n",
        expect![
            "a.jsonl, line 1: the line is not a JSON object: the member `a` is there twice at line 1 column 13; write one object a line"
        ],
    );
    check(
        "a.jsonl",
        "{\"a\":1} {}\n",
        expect![
            "a.jsonl, line 1: the line is not a JSON object: trailing characters at line 1 column 9; write one object a line"
        ],
    );
    check(
        "a.jsonl",
        "[1]\n",
        expect![
            "a.jsonl, line 1: the line is not a JSON object: invalid type: sequence, expected an object at line 1 column 0; write one object a line"
        ],
    );
    check(
        "a.txt",
        "a\n",
        expect![
            "a.txt: `.txt` is not a supported format; name a `.csv` (comma-separated, UTF-8, with a header) or `.jsonl` file (also packed: `.gz`, `.zst`), a `.parquet` or an `.arrow` file"
        ],
    );
    check(
        "a.parquet",
        "a\n1\n",
        expect![
            "a.parquet: this is not a Parquet file: it does not begin with `PAR1`; if it is comma-separated text, let its name end in `.csv`"
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let bytes = folder.path().join("a.csv");
    std::fs::write(&bytes, b"a,b\n1,2\n1,\xff\n").unwrap();
    expect!["a.csv, line 3, column `b`: the text is not UTF-8, perhaps Latin-1; save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"].assert_eq(&read(&bytes));
}

#[test]
fn a_reader_may_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "a\n1\n2\n3\n").unwrap();
    let mut n = 0;
    read_records(&path, &|_| {}, &mut |_, _| {
        n += 1;
        n < 2
    })
    .unwrap();
    assert_eq!(n, 2);
}

fn records() -> Records {
    let rows = (0..20_000).map(|n| vec![Some(n.to_string()), (n % 3 == 0).then(String::new), None]);
    Records {
        columns: ["n", "e", "nothing"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

#[test]
fn a_segment_is_read_as_it_was_written() {
    let records = records();
    let bytes = write_segment(&records, "secret").unwrap();
    let (read, secret) = read_segment(bytes.clone(), 20_000).unwrap();
    assert!(read == records && secret == "secret");
    // It is a Parquet file like any other.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    std::fs::write(&path, &bytes).unwrap();
    let mut again = Records::default();
    read_records(&path, &|_| {}, &mut |columns, values| {
        again.columns = columns.to_vec();
        again.rows.push(values);
        true
    })
    .unwrap();
    assert!(again == records);
    assert_eq!(
        format!("{again:?}"),
        r#"Records { columns: ["n", "e", "nothing"], n_rows: 20000, .. }"#
    );
}

#[test]
fn segments_that_would_fill_the_memory_are_refused() {
    let refused = |records: &Records, want: Expect| {
        let bytes = write_segment(records, "secret").unwrap();
        let error = read_segment(bytes, 10_000).unwrap_err();
        want.assert_eq(&error.to_string());
    };
    let same = |n_rows: usize, n_bytes: usize| Records {
        columns: vec!["a".to_owned()],
        rows: vec![vec![Some("x".repeat(n_bytes))]; n_rows],
    };
    refused(
        &same(10_001, 1),
        expect!["rows.parquet: the file holds more than 10000 rows, the most that a segment has"],
    );
    refused(
        &same(65, 1 << 20),
        expect![
            "rows.parquet: the rows come to more than 64 MiB of text, the most that a segment has"
        ],
    );
    let bytes = write_segment(&same(10_000, 6_000), "secret").unwrap();
    assert_eq!(read_segment(bytes, 10_000).unwrap().0.rows.len(), 10_000);
}

#[test]
fn damaged_segments_are_errors_and_no_panics() {
    let records = Records {
        rows: records().rows.split_off(19_990),
        ..records()
    };
    let bytes = write_segment(&records, "secret").unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let _ = read_segment(changed, 20_000);
        let _ = read_segment(bytes[..at].to_vec(), 20_000);
    }
    let folder = tempfile::tempdir().unwrap();
    let foreign: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let path = parquet_file(folder.path(), vec![("a", foreign)]);
    let error = read_segment(std::fs::read(path).unwrap(), 20_000).unwrap_err();
    expect![
        "rows.parquet: the file is no segment; it lacks the secret that its rows are salted with"
    ]
    .assert_eq(&error.to_string());
}
