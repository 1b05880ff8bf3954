#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use alnager_audit::declared::Audit;
use alnager_audit::table::{Cell, CountTable, ScoreTable};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int8Array, Int64Array, LargeStringArray, NullArray, RecordBatch,
    StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// A label `y`, a decision `d`, an attribute `g`; `?` is unknown.
const PLAIN: &str = "
    name = 'a'
    data = 'data.csv'
    unknown = ['?']
    label = { column = 'y', positive = '1' }
    decision = { column = 'd', positive = '1', favourable = '1' }
    attribute = [{ column = 'g', characteristic = 'sex' }]";

/// No label; decision and score by the column `s`.
const SCORED: &str = "
    name = 'a'
    data = 'data.csv'
    decision = { column = 's', at_least = 0.5, favourable = 'below' }
    score = { column = 's' }
    attribute = [{ column = 'g', characteristic = 'sex' }]";

fn audit(text: &str) -> Audit {
    Audit::read(&alnager_law::read::read("system.toml", text).unwrap()).unwrap()
}

fn measured(audit: &Audit, name: &str, bytes: &[u8]) -> Result<Measured, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    seen(audit, path, folder.path())
}

fn seen(audit: &Audit, path: PathBuf, folder: &Path) -> Result<Measured, String> {
    let plain = |text: &str| text.replace(&format!("{}/", folder.display()), "");
    match measure(audit, &Source::Files { path }) {
        Ok(mut measured) => {
            measured
                .warnings
                .iter_mut()
                .for_each(|warning| *warning = plain(warning));
            Ok(measured)
        }
        Err(error) => Err(plain(&error.to_string())),
    }
}

fn shown(result: Result<Measured, String>) -> String {
    match result {
        Ok(Measured { measures, warnings }) => {
            let scores = measures
                .scores
                .map(|scores| scores.to_csv())
                .unwrap_or_default();
            let warnings: String = warnings
                .iter()
                .map(|warning| format!("{warning}\n"))
                .collect();
            format!("{}{scores}{warnings}", measures.table.to_csv())
        }
        Err(error) => error,
    }
}

/// Measures a file of these bytes; shows the tables and warnings, or the error.
#[track_caller]
fn check_file(declared: &str, name: &str, bytes: impl AsRef<[u8]>, want: Expect) {
    want.assert_eq(&shown(measured(&audit(declared), name, bytes.as_ref())));
}

#[track_caller]
fn check(declared: &str, bytes: impl AsRef<[u8]>, want: Expect) {
    check_file(declared, "data.csv", bytes, want);
}

/// The same for a Parquet file with these columns.
#[track_caller]
fn check_columns(declared: &str, columns: Vec<(&str, ArrayRef)>, want: Expect) {
    check_file(declared, "data.parquet", parquet(columns, 1024), want);
}

fn parquet(columns: Vec<(&str, ArrayRef)>, rows_per_group: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows_per_group))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

// ---- what is counted

#[test]
fn rows_are_counted_by_group_label_and_decision() {
    check(
        PLAIN,
        "y,d,g\n1,1,a\n1,1,a\n0,1,b\n1,0,a\n",
        expect![[r#"
        g,label,decision,n
        a,1,0,1
        a,1,1,2
        b,0,1,1
    "#]],
    );
}

#[test]
fn the_columns_may_stand_in_any_order_among_others() {
    check(
        PLAIN,
        "g,note,d,y\na,\"x, y\",1,1\n",
        expect![[r#"
        g,label,decision,n
        a,1,1,1
    "#]],
    );
}

#[test]
fn an_empty_cell_and_a_declared_spelling_are_unknown() {
    check(
        PLAIN,
        "y,d,g\n1,1,\n?,0,?\n,0,a\n0,1,\"\"\n",
        expect![[r#"
        g,label,decision,n
        ,0,1,1
        ,1,1,1
        ,,0,1
        a,,0,1
    "#]],
    );
}

#[test]
fn a_byte_order_mark_quotes_and_returns_are_accepted() {
    check(
        PLAIN,
        "\u{feff}\"y\",d,g\r\n1,\"1\",\"a \"\"b\"\", c\"\r\n\r\n0,0,\"two\nlines\"",
        expect![[r#"
        g,label,decision,n
        "a ""b"", c",1,1,1
        "two
        lines",0,0,1
    "#]],
    );
}

#[test]
fn strata_are_the_last_key() {
    let declared = format!("strata = 't'\n{PLAIN}");
    check(
        &declared,
        "t,y,d,g\nnorth,1,1,a\n,1,1,a\nsouth,0,1,a\n",
        expect![[r#"
        g,t,label,decision,n
        a,,1,1,1
        a,north,1,1,1
        a,south,0,1,1
    "#]],
    );
}

#[test]
fn an_attribute_may_be_the_strata() {
    let declared = format!("strata = 'g'\n{PLAIN}");
    check(
        &declared,
        "y,d,g\n1,1,a\n",
        expect![[r#"
        g,label,decision,n
        a,1,1,1
    "#]],
    );
}

#[test]
fn spellings_are_kept_apart_and_named() {
    let bytes = "y,d,g\n1,1,White\n0,0,white \n0,0,NaN\n0,0,unknown\n0,1, ?\n0,1,b\n";
    check(
        PLAIN,
        bytes,
        expect![[r#"
        g,label,decision,n
         ?,0,1,1
        NaN,0,0,1
        White,1,1,1
        b,0,1,1
        unknown,0,0,1
        white ,0,0,1
        data.csv, column `g`: ` ?` is counted as a group; if it means unknown, list it in `unknown`
        data.csv, column `g`: `NaN` is counted as a group; if it means unknown, list it in `unknown`
        data.csv, column `g`: `unknown` is counted as a group; if it means unknown, list it in `unknown`
        data.csv, column `g`: `White` and `white ` are counted apart though they differ only in case or white space; make them one in the data if they mean the same
    "#]],
    );
}

#[test]
fn labels_that_look_alike_are_named() {
    check(
        &PLAIN.replace("= '1'", "= 'Yes'"),
        "y,d,g\nYes,Yes,a\nyes,no,a\n",
        expect![[r#"
        g,label,decision,n
        a,0,0,1
        a,1,1,1
        data.csv, column `y`: `Yes` and `yes` are counted apart though they differ only in case or white space; make them one in the data if they mean the same
    "#]],
    );
}

#[test]
fn a_score_at_the_threshold_counts_as_reached() {
    check(
        SCORED,
        "s,g\n0.5,a\n0.49999999999999994,a\n 7e-1 ,a\n-0,a\n0.0,a\n",
        expect![[r#"
        g,label,decision,n
        a,,0,3
        a,,1,2
        # cuts 0 0.49999999999999994 0.5 0.7
        g,label,level,n
        a,,1,2
        a,,2,1
        a,,3,1
        a,,4,1
    "#]],
    );
}

#[test]
fn a_score_is_counted_between_cuts() {
    let declared = SCORED.replace(
        "score = { column = 's' }",
        "score = { column = 's', cuts = [0.25, 0.5, 0.75] }",
    );
    check(
        &declared,
        "s,g\n0.1,a\n0.25,a\n0.5,b\n0.74,b\n9,b\n0.75,\n",
        expect![[r#"
        g,label,decision,n
        ,,1,1
        a,,0,2
        b,,1,3
        # cuts 0.25 0.5 0.75
        g,label,level,n
        ,,3,1
        a,,0,1
        a,,1,1
        b,,2,2
        b,,3,1
    "#]],
    );
}

#[test]
fn a_reference_may_be_an_intersection() {
    let declared = "
        name = 'a'
        data = 'data.csv'
        decision = { column = 'd', positive = 'yes', favourable = 'yes' }
        attribute = [{ column = 'g', characteristic = 'sex', reference = 'm' }, { column = 'h', characteristic = 'age' }]
        intersection = [{ columns = ['h', 'g'], reference = 'old|m' }]";
    check(
        declared,
        "d,g,h\nyes,m,old\nno,f,old\n",
        expect![[r#"
        g,h,label,decision,n
        f,old,,0,1
        m,old,,1,1
    "#]],
    );
    check(
        declared,
        "d,g,h\nyes,m,young\nno,f,old\nno,m,\n",
        expect![
            "data.csv, column `h*g`: the reference group `old|m` has no rows; did you mean `old|f`? the groups are `old|f`, `young|m`"
        ],
    );
    check(
        declared,
        "d,g,h\nyes,f,old\nno,f,old\n",
        expect![
            "data.csv, column `g`: the reference group `m` has no rows; did you mean `f`? the groups are `f`"
        ],
    );
    check(
        declared,
        "d,g,h\nyes,,old\nno,,old\n",
        expect![
            "data.csv, column `g`: the reference group `m` has no rows; every row is unknown here"
        ],
    );
}

#[test]
fn parquet_values_are_called_by_their_text() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "y",
            Arc::new(Float64Array::from(vec![
                Some(1.0),
                Some(-0.0),
                None,
                Some(0.0),
            ])),
        ),
        ("d", Arc::new(Int8Array::from(vec![1, 0, 1, 0]))),
        (
            "g",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(false),
                None,
                Some(true),
            ])),
        ),
    ];
    check_columns(
        PLAIN,
        columns,
        expect![[r#"
        g,label,decision,n
        ,,1,1
        false,0,0,1
        true,0,0,1
        true,1,1,1
    "#]],
    );
}

#[test]
fn parquet_texts_of_every_kind_are_read() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "y",
            Arc::new(LargeStringArray::from(vec![Some("1"), Some("0"), None])),
        ),
        ("d", Arc::new(StringViewArray::from(vec!["1", "0", "1"]))),
        (
            "g",
            Arc::new(
                vec![Some("a"), None, Some("b")]
                    .into_iter()
                    .collect::<DictionaryArray<Int32Type>>(),
            ),
        ),
    ];
    check_columns(
        PLAIN,
        columns,
        expect![[r#"
        g,label,decision,n
        ,0,0,1
        a,1,1,1
        b,,1,1
    "#]],
    );
}

#[test]
fn a_parquet_dictionary_of_numbers_is_read() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 7]));
    let labels = DictionaryArray::<Int32Type>::new(vec![1, 0, 1].into(), values);
    check_columns(
        PLAIN,
        vec![
            ("y", Arc::new(labels)),
            ("d", texts(&["1", "0", "1"])),
            ("g", texts(&["a", "a", ""])),
        ],
        expect![[r#"
        g,label,decision,n
        ,1,1,1
        a,0,0,1
        a,1,1,1
    "#]],
    );
}

#[test]
fn a_parquet_column_of_nulls_is_unknown() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", texts(&["1", "0"])),
        ("d", texts(&["1", "0"])),
        ("g", Arc::new(NullArray::new(2))),
    ];
    check_columns(
        PLAIN,
        columns,
        expect![[r#"
        g,label,decision,n
        ,0,0,1
        ,1,1,1
    "#]],
    );
}

#[test]
fn short_floats_reach_a_threshold_of_the_same_decimal_form() {
    let declared = SCORED.replace("0.5", "0.7");
    let scores = Float32Array::from(vec![0.7, 0.699_999_9, 0.700_000_1]);
    check_columns(
        &declared,
        vec![("s", Arc::new(scores)), ("g", texts(&["a", "b", "c"]))],
        expect![[r#"
        g,label,decision,n
        a,,1,1
        b,,0,1
        c,,1,1
        # cuts 0.6999999 0.7 0.7000001
        g,label,level,n
        a,,2,1
        b,,1,1
        c,,3,1
    "#]],
    );
}

#[test]
fn whole_numbers_booleans_and_texts_are_scores() {
    let group = || texts(&["a", "b"]);
    let declared = SCORED.replace("0.5", "1");
    check_columns(
        &declared,
        vec![
            ("s", Arc::new(UInt64Array::from(vec![0, 2]))),
            ("g", group()),
        ],
        expect![[r#"
        g,label,decision,n
        a,,0,1
        b,,1,1
        # cuts 0 2
        g,label,level,n
        a,,1,1
        b,,2,1
    "#]],
    );
    check_columns(
        &declared,
        vec![
            ("s", Arc::new(BooleanArray::from(vec![false, true]))),
            ("g", group()),
        ],
        expect![[r#"
        g,label,decision,n
        a,,0,1
        b,,1,1
        # cuts 0 1
        g,label,level,n
        a,,1,1
        b,,2,1
    "#]],
    );
    check_columns(
        &declared,
        vec![("s", texts(&["0", "1.5"])), ("g", group())],
        expect![[r#"
        g,label,decision,n
        a,,0,1
        b,,1,1
        # cuts 0 1.5
        g,label,level,n
        a,,1,1
        b,,2,1
    "#]],
    );
}

#[test]
fn a_real_file_gives_the_published_totals() {
    let declared = "
        name = 'compas'
        data = 'data.csv'
        label = { column = 'two_year_recid', positive = '1' }
        decision = { column = 'decile_score', at_least = 5, favourable = 'below' }
        score = { column = 'decile_score' }
        attribute = [
            { column = 'race', characteristic = 'race_ethnicity' },
            { column = 'sex', characteristic = 'sex' },
            { column = 'age_cat', characteristic = 'age' },
        ]";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/recidivism/data.csv");
    let Measured { measures, warnings } =
        measure(&audit(declared), &Source::Files { path }).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let mut total = Cell::default();
    measures
        .table
        .cells
        .values()
        .for_each(|cell| total.add(cell));
    // ProPublica, COMPAS two-year data: confusion matrix of "medium or high" against recidivism.
    assert_eq!(total.counts, [[2681, 1282], [1216, 2035], [0, 0]]);
    assert_eq!(measures.data.n_rows, 7214);
    let scores = measures.scores.unwrap();
    assert_eq!(scores.cuts, (1..=10).map(f64::from).collect::<Vec<_>>());
    let at_least_5: u64 = scores
        .cells
        .values()
        .flat_map(|levels| &levels[5..])
        .map(|labels| labels[1])
        .sum();
    assert_eq!(at_least_5, 2035);
}

#[test]
fn the_stamp_is_of_the_bytes_and_progress_reaches_its_end() {
    let bytes = "y,d,g\n1,1,a\n";
    let folder = tempfile::tempdir().unwrap();
    let columns = || {
        vec![
            ("y", texts(&["1"])),
            ("d", texts(&["1"])),
            ("g", texts(&["a"])),
        ]
    };
    for (name, bytes) in [
        ("data.csv", bytes.as_bytes().to_vec()),
        ("data.PARQUET", parquet(columns(), 10)),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let told = std::cell::RefCell::new(Vec::new());
        let measured = measure_with(&audit(PLAIN), &Source::Files { path }, &|progress| {
            told.borrow_mut().push(progress)
        })
        .unwrap();
        let last = *told.borrow().last().unwrap();
        assert_eq!(last.done, last.total);
        let stamp = measured.measures.data;
        assert_eq!(
            (stamp.name.as_str(), stamp.n_bytes, stamp.n_rows),
            ("data.csv", bytes.len() as u64, 1)
        );
        assert_eq!(stamp.sha256, {
            use sha2::Digest;
            source::hex(sha2::Sha256::new_with_prefix(&bytes))
        });
    }
}

// ---- what is refused

#[test]
fn a_missing_column_names_the_nearest() {
    check(
        PLAIN,
        "y,d,G \n1,1,a\n",
        expect![
            "data.csv: there is no column `g`; did you mean `y`? the columns are `y`, `d`, `G `"
        ],
    );
    check(
        PLAIN,
        "y,d,ethnicity,priors\n1,1,a,2\n",
        expect![
            "data.csv: there is no column `g`; did you mean `y`? the columns are `y`, `d`, `ethnicity`, `priors`"
        ],
    );
    check(
        PLAIN,
        "y;d;g\n1;1;a\n",
        expect![
            "data.csv: there is no column `g`; the header has no comma; write the file with commas between its fields"
        ],
    );
    check_columns(
        PLAIN,
        vec![
            ("y", texts(&["1"])),
            ("d", texts(&["1"])),
            ("gg", texts(&["a"])),
        ],
        expect![
            "data.parquet: there is no column `g`; did you mean `y`? the columns are `y`, `d`, `gg`"
        ],
    );
}

#[test]
fn two_columns_of_one_name_are_refused_where_they_matter() {
    check(
        PLAIN,
        "y,d,g,g\n1,1,a,a\n",
        expect![
            "data.csv: two columns are named `g`; rename one, so that it is clear which is meant"
        ],
    );
    check(
        PLAIN,
        "y,d,g,note,note\n1,1,a,,\n",
        expect![[r#"
        g,label,decision,n
        a,1,1,1
    "#]],
    );
}

#[test]
fn a_label_has_two_values() {
    check(
        PLAIN,
        "y,d,g\n1,1,a\n0,0,a\n?,0,a\n2,0,a\n",
        expect![
            "data.csv, line 5, column `y`: `2` is a third value, after `1` and `0`; two are allowed, of which `1` counts as 1; if `2` means unknown, list it in `unknown` (on the command line --unknown '2'), or leave its rows out with a condition (--where \"COLUMN != '2'\")"
        ],
    );
    check(
        PLAIN,
        "y,d,g\nno,1,a\nyes,0,a\n",
        expect![
            "data.csv, column `y`: `1`, the value that counts as 1, never occurs; found `no` and `yes`; name one of them in `positive`"
        ],
    );
    check(
        &PLAIN.replace("positive = '1'", "positive = 'yes'"),
        "y,d,g\nYes,1,a\n",
        expect![
            "data.csv, column `y`: `yes`, the value that counts as 1, never occurs; found `Yes`; name one of them in `positive`"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n,1,a\n",
        expect![
            "data.csv, column `y`: `1`, the value that counts as 1, never occurs; every row is unknown"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,a\n",
        expect![[r#"
        g,label,decision,n
        a,1,1,1
    "#]],
    );
    let floats = Float64Array::from(vec![1.0, 0.0, f64::NAN]);
    check_columns(
        PLAIN,
        vec![
            ("y", Arc::new(floats)),
            ("d", texts(&["1", "1", "1"])),
            ("g", texts(&["a", "a", "a"])),
        ],
        expect![
            "data.parquet, row 3, column `y`: `NaN` is a third value, after `1` and `0`; two are allowed, of which `1` counts as 1; if `NaN` means unknown, list it in `unknown` (on the command line --unknown 'NaN'), or leave its rows out with a condition (--where \"COLUMN != 'NaN'\")"
        ],
    );
}

#[test]
fn a_decision_has_two_values_and_is_never_missing() {
    check(
        PLAIN,
        "y,d,g\n1,1,a\n0,,a\n",
        expect![
            "data.csv, line 3, column `d`: the decision is missing; every row needs one, so complete it where the data come from"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,a\n\n0,?,a\n",
        expect![
            "data.csv, line 4, column `d`: the decision is missing; every row needs one, so complete it where the data come from"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,a\n0,0,a\n0,x,a\n",
        expect![
            "data.csv, line 4, column `d`: `x` is a third value, after `1` and `0`; two are allowed, of which `1` counts as 1; name the value `x` anew with a derived column (--derive), or leave its rows out with a condition (--where \"COLUMN != 'x'\")"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,no,a\n0,no,a\n",
        expect![
            "data.csv, column `d`: `1`, the value that counts as 1, never occurs; found `no`; name one of them in `positive`"
        ],
    );
    let decisions = Int64Array::from(vec![Some(1), None]);
    check_columns(
        PLAIN,
        vec![
            ("y", texts(&["1", "0"])),
            ("d", Arc::new(decisions)),
            ("g", texts(&["a", "a"])),
        ],
        expect![
            "data.parquet, row 2, column `d`: the decision is missing; every row needs one, so complete it where the data come from"
        ],
    );
}

#[test]
fn a_score_is_a_finite_number() {
    check(
        SCORED,
        "s,g\n0.1,a\nNaN,a\n",
        expect![
            "data.csv, line 3, column `s`: the score `NaN` is not finite; correct it where the data come from"
        ],
    );
    check(
        SCORED,
        "s,g\n0.1,a\n-inf,a\n",
        expect![
            "data.csv, line 3, column `s`: the score `-inf` is not finite; correct it where the data come from"
        ],
    );
    check(
        SCORED,
        "s,g\n0.1,a\n1e999,a\n",
        expect![
            "data.csv, line 3, column `s`: the score `1e999` is not finite; correct it where the data come from"
        ],
    );
    check(
        SCORED,
        "s,g\n0.1,a\n,a\n",
        expect![
            "data.csv, line 3, column `s`: the score is missing; every row needs one, so complete it where the data come from"
        ],
    );
    check(
        SCORED,
        "s,g\n0.1,a\n\"0,5\",a\n",
        expect![
            "data.csv, line 3, column `s`: `0,5` is not a number; write scores as 7 or 0.75, with a decimal point"
        ],
    );
    check(
        SCORED,
        "s,g\n0.1,a\n\"a\tvery long text that no one would take for a number, whatever they had been told\",a\n",
        expect![[
            r#"data.csv, line 3, column `s`: `a\tvery long text that no one would take for a number, whatev…` is not a number; write scores as 7 or 0.75, with a decimal point"#
        ]],
    );
    check_columns(
        SCORED,
        vec![
            ("s", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
            ("g", texts(&["a", "a"])),
        ],
        expect![
            "data.parquet, row 2, column `s`: the score `NaN` is not finite; correct it where the data come from"
        ],
    );
    check_columns(
        SCORED,
        vec![
            ("s", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
            ("g", texts(&["a", "a"])),
        ],
        expect![
            "data.parquet, row 2, column `s`: the score is missing; every row needs one, so complete it where the data come from"
        ],
    );
}

#[test]
fn the_first_bad_row_is_named_whatever_its_column() {
    let columns = || {
        vec![
            ("y", texts(&["1", "0", "2"])),
            ("d", texts(&["1", "", "1"])),
            ("g", texts(&["a", "a", "a"])),
        ]
    };
    check_columns(
        PLAIN,
        columns(),
        expect![
            "data.parquet, row 2, column `d`: the decision is missing; every row needs one, so complete it where the data come from"
        ],
    );
}

#[test]
fn many_groups_need_bins_and_many_scores_need_cuts() {
    let many = |n: usize| (0..n).map(|age| format!("1,1,{age}\n")).collect::<String>();
    check(
        PLAIN,
        format!("y,d,g\n{}", many(51)),
        expect![
            "data.csv, line 52, column `g`: the column has more than 50 different values; put them into bins, such as age ranges, in a column of their own"
        ],
    );
    assert!(
        measured(
            &audit(PLAIN),
            "data.csv",
            format!("y,d,g\n{}1,1,?\n", many(50)).as_bytes()
        )
        .is_ok()
    );
    let scores = |n: usize| {
        (0..n)
            .map(|score| format!("{score},a\n"))
            .collect::<String>()
    };
    check(
        SCORED,
        format!("s,g\n{}", scores(101)),
        expect![
            "data.csv, line 102, column `s`: the column has more than 100 different scores; declare `cuts`, the thresholds to count at"
        ],
    );
    assert!(
        measured(
            &audit(SCORED),
            "data.csv",
            format!("s,g\n{}", scores(100)).as_bytes()
        )
        .is_ok()
    );
}

#[test]
fn text_that_is_not_utf_8_is_refused_where_it_matters() {
    check(
        PLAIN,
        b"y,d,g\n1,1,a\n1,1,M\xe4nner\n",
        expect![
            "data.csv, line 3, column `g`: the text is not UTF-8, perhaps Latin-1; save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"
        ],
    );
    check(
        PLAIN,
        b"y,d,note,g\n1,1,\"one\ntwo\",M\xe4nner\n",
        expect![
            "data.csv, line 3, column `g`: the text is not UTF-8, perhaps Latin-1; save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"
        ],
    );
    check(
        PLAIN,
        b"y,d,g,note\n1,1,a,M\xe4nner\n",
        expect![[r#"
        g,label,decision,n
        a,1,1,1
    "#]],
    );
    check(
        PLAIN,
        b"y,d,m\xe4\n1,1,a\n",
        expect![
            "data.csv, line 1: the text is not UTF-8, perhaps Latin-1; save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"
        ],
    );
    check(
        SCORED,
        b"s,g\n\xe4,a\n",
        expect![
            "data.csv, line 2, column `s`: the text is not UTF-8, perhaps Latin-1; save the file as UTF-8, for instance with `iconv -f WINDOWS-1252 -t UTF-8`"
        ],
    );
    check(
        PLAIN,
        b"\xff\xfey\0,\0d\0",
        expect!["data.csv, line 1: the text is UTF-16; save the file as UTF-8"],
    );
    check(
        PLAIN,
        b"y,d,g\n1,1,a\n1,1,\0\n",
        expect![
            "data.csv, line 3: the text holds a NUL byte, so this is not plain text; export the data again as UTF-8"
        ],
    );
    check_columns(
        PLAIN,
        vec![
            ("y", texts(&["1"])),
            ("d", texts(&["1"])),
            ("g", texts(&["a\0"])),
        ],
        expect![
            "data.parquet, row 1, column `g`: the text holds a NUL byte, so this is not plain text; export the data again as UTF-8"
        ],
    );
}

#[test]
fn a_line_has_as_many_fields_as_the_header() {
    check(
        PLAIN,
        "y,d,g\r\n1,1,a\r\n\r\n1,1\r\n",
        expect![
            "data.csv, line 4: the line has 2 fields, the header 3; a text that holds a comma must stand in double quotes"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,\"a\nb\"\n1,1,a,b\n",
        expect![
            "data.csv, line 4: the line has 4 fields, the header 3; a text that holds a comma must stand in double quotes"
        ],
    );
}

#[test]
fn a_quote_that_is_not_closed_is_found() {
    check(
        PLAIN,
        "y,d,g\n1,1,a\n1,1,\"a\n1,1,b\n",
        expect![
            "data.csv, line 3: the double quote that opens here is never closed; close it, and write a quote within a text twice"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,a\n1,\"1,a\n1,1,b\n",
        expect![
            "data.csv, line 3: the double quote that opens here is never closed; close it, and write a quote within a text twice"
        ],
    );
    check(
        PLAIN,
        "\u{feff}\"y,d,g\n1,1,a\n",
        expect![
            "data.csv, line 1: the double quote that opens here is never closed; close it, and write a quote within a text twice"
        ],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,\"a\"\"\"",
        expect![[r#"
        g,label,decision,n
        "a""",1,1,1
    "#]],
    );
    check(
        PLAIN,
        "y,d,g\n1,1,a\"b",
        expect![[r#"
        g,label,decision,n
        "a""b",1,1,1
    "#]],
    );
}

#[test]
fn a_record_without_end_is_refused_before_it_fills_the_memory() {
    let mut bytes = b"y,d,g\n1,1,a\n1,1,".to_vec();
    bytes.resize(bytes.len() + (RECORD_BYTES_MAX as usize) + (1 << 20), b'x');
    check(
        PLAIN,
        &bytes,
        expect![
            "data.csv, line 3: the record that begins here is longer than 16 MB; check for a missing line break or a quote that is not closed"
        ],
    );
    let mut bytes = b"y,d,g\n1,1,\"".to_vec();
    while bytes.len() < RECORD_BYTES_MAX as usize + (1 << 20) {
        bytes.extend_from_slice(b"1,1,a\n");
    }
    check(
        PLAIN,
        &bytes,
        expect![
            "data.csv, line 2: the record that begins here is longer than 16 MB; check for a missing line break or a quote that is not closed"
        ],
    );
}

#[test]
fn a_file_without_rows_is_refused() {
    check(
        PLAIN,
        "",
        expect!["data.csv: the file is empty; it needs a header and at least one row"],
    );
    check(
        PLAIN,
        "\n\n",
        expect!["data.csv: the file is empty; it needs a header and at least one row"],
    );
    check(
        PLAIN,
        "y,d,g\n",
        expect![
            "data.csv: the file has no rows, so there is nothing to measure; check how it was exported"
        ],
    );
    check_columns(
        PLAIN,
        vec![("y", texts(&[])), ("d", texts(&[])), ("g", texts(&[]))],
        expect![
            "data.parquet: the file has no rows, so there is nothing to measure; check how it was exported"
        ],
    );
}

#[test]
fn a_file_is_what_its_name_says() {
    let bytes = parquet(vec![("y", texts(&["1"]))], 10);
    check_file(
        PLAIN,
        "data.csv",
        &bytes,
        expect!["data.csv: this is a Parquet file; let its name end in `.parquet`"],
    );
    check_file(
        PLAIN,
        "data.parquet",
        "y,d,g\n1,1,a\n",
        expect![
            "data.parquet: this is not a Parquet file: it does not begin with `PAR1`; if it is comma-separated text, let its name end in `.csv`"
        ],
    );
    check_file(
        PLAIN,
        "data.xlsx",
        "PK",
        expect![
            "data.xlsx: `.xlsx` is not a supported format; name a `.csv` (comma-separated, UTF-8, with a header) or `.jsonl` file (also packed: `.gz`, `.zst`), a `.parquet` or an `.arrow` file"
        ],
    );
    check_file(
        PLAIN,
        "data",
        "y,d,g\n",
        expect![
            "data: a name without an ending is not a supported format; name a `.csv` (comma-separated, UTF-8, with a header) or `.jsonl` file (also packed: `.gz`, `.zst`), a `.parquet` or an `.arrow` file"
        ],
    );
}

#[test]
fn a_path_is_an_ordinary_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("folder.csv")).unwrap();
    std::fs::write(folder.path().join("file.csv"), "").unwrap();
    for (name, want) in [
        (
            "absent.csv",
            expect![
                "absent.csv: there is no such file; check the path; in a declaration it is relative to that file"
            ],
        ),
        (
            "folder.csv",
            expect![
                "folder.csv: the folder holds no data file; data files end in `.csv`, `.jsonl` (also `.gz`, `.zst`), `.parquet` or `.arrow`"
            ],
        ),
        (
            "file.csv/data.csv",
            expect![
                "file.csv/data.csv: the file cannot be read; check its permissions and its disk"
            ],
        ),
    ] {
        want.assert_eq(&shown(seen(
            &audit(PLAIN),
            folder.path().join(name),
            folder.path(),
        )));
    }
    let path = PathBuf::from("/dev/null");
    if path.exists() {
        expect!["/dev/null: this is not an ordinary file; write the data to one first"]
            .assert_eq(&shown(seen(&audit(PLAIN), path, folder.path())));
    }
}

#[test]
fn a_damaged_parquet_file_is_refused() {
    let columns = || {
        vec![
            ("y", texts(&["1", "0"])),
            ("d", texts(&["1", "0"])),
            ("g", texts(&["a", "b"])),
        ]
    };
    let whole = parquet(columns(), 10);
    check_file(
        PLAIN,
        "data.parquet",
        &whole[..whole.len() / 2],
        expect!["data.parquet: the file is cut off or damaged; copy or write it again"],
    );
    let want = shown(measured(&audit(PLAIN), "data.parquet", &whole));
    for n in 4..whole.len() {
        assert_ne!(
            shown(measured(&audit(PLAIN), "data.parquet", &whole[..n])),
            want,
            "cut to {n} bytes"
        );
    }
}

#[test]
fn no_damage_makes_the_reader_panic() {
    let people: Vec<Person> = (0..60).map(numbered).collect();
    let whole = people_parquet(&people, 0, 20);
    for at in (4..whole.len()).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= [0x01, 0xff, 0x80][at % 3];
        // Damage may hit what is not read, or turn one value into another: that is for the hash to find.
        if let Ok(measured) = measured(&audit(PEOPLE), "data.parquet", &bytes) {
            assert_eq!(
                measured.measures.table.n(),
                measured.measures.data.n_rows,
                "byte {at}"
            );
        }
    }
}

#[test]
fn a_parquet_column_of_another_type_is_refused() {
    let inner: ArrayRef = texts(&["a"]);
    let nested = StructArray::from(vec![(
        Arc::new(Field::new("x", DataType::Utf8, false)),
        inner,
    )]);
    check_columns(
        PLAIN,
        vec![
            ("y", texts(&["1"])),
            ("d", texts(&["1"])),
            ("g", Arc::new(nested.clone())),
        ],
        expect![[
            r#"data.parquet, column `g`: a column of type `Struct("x": non-null Utf8)` cannot be counted; write it as text, numbers, days or booleans"#
        ]],
    );
    check_columns(
        PLAIN,
        vec![
            ("y", texts(&["1"])),
            ("d", texts(&["1"])),
            ("n", Arc::new(nested)),
            ("g", texts(&["a"])),
        ],
        expect![[r#"
        g,label,decision,n
        a,1,1,1
    "#]],
    );
}

#[test]
fn too_many_cells_are_refused() {
    let declared = format!("strata = 'id'\n{PLAIN}");
    let rows: String = (0..CELLS_MAX + 1)
        .map(|id| format!("{id},1,1,a\n"))
        .collect();
    check(
        &declared,
        format!("id,y,d,g\n{rows}"),
        expect![
            "data.csv: `g`, `id` with label, decision and score make more than 2097152 cells; use coarser bins, fewer columns or fewer cuts"
        ],
    );
}

// ---- against a plain loop

#[derive(Debug, Clone)]
struct Person {
    group: String,
    age: Option<u8>,
    region: String,
    label: Option<bool>,
    /// In sixteenths, so that every form of the number is exact.
    score: u8,
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let group = prop_oneof![
        Just(""),
        Just("?"),
        Just("a"),
        Just("b, \"c\""),
        Just("d\ne"),
        Just("ä")
    ]
    .prop_map(str::to_owned);
    let region = proptest::sample::select(vec!["", "n", "s", "w"]).prop_map(str::to_owned);
    let person = (
        group,
        proptest::option::of(0..3_u8),
        region,
        proptest::option::of(any::<bool>()),
        0..16_u8,
    );
    let person = person.prop_map(|(group, age, region, label, score)| Person {
        group,
        age,
        region,
        label,
        score,
    });
    let people = proptest::collection::vec(person, 1..40);
    people.prop_filter("a label", |people| {
        people.iter().any(|person| person.label == Some(true))
    })
}

fn numbered(at: usize) -> Person {
    Person {
        group: ["a", "b", ""][at % 3].to_owned(),
        age: (at % 5 < 3).then_some((at % 5) as u8),
        region: format!("r{}", at / 700),
        label: [None, Some(true), Some(false)][at % 7 % 3],
        score: (at % 16) as u8,
    }
}

const PEOPLE: &str = "
    name = 'a'
    data = 'people'
    unknown = ['?']
    label = { column = 'label', positive = '1' }
    decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }
    score = { column = 'score', cuts = [0.125, 0.5, 0.9] }
    attribute = [{ column = 'group', characteristic = 'sex' }, { column = 'age', characteristic = 'age' }]
    strata = 'region'";

fn plainly(people: &[Person], cuts: Option<&[f64]>) -> (CountTable, ScoreTable) {
    let columns: Vec<String> = ["group", "age", "region"].map(str::to_owned).into();
    let mut seen: Vec<f64> = people
        .iter()
        .map(|person| f64::from(person.score) / 16.0)
        .collect();
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    let cuts = cuts.map_or(seen, <[f64]>::to_vec);
    let mut table = CountTable {
        columns: columns.clone(),
        ..CountTable::default()
    };
    let mut scores = ScoreTable {
        columns,
        cuts,
        cells: BTreeMap::new(),
    };
    for person in people {
        let known = |text: &str| (!["", "?"].contains(&text)).then(|| text.to_owned());
        let key = vec![
            known(&person.group),
            person.age.map(|age| age.to_string()),
            known(&person.region),
        ];
        let score = f64::from(person.score) / 16.0;
        let label = person.label.map_or(2, usize::from);
        table.cells.entry(key.clone()).or_default().counts[label][usize::from(score >= 0.5)] += 1;
        let level = scores.cuts.iter().filter(|cut| **cut <= score).count();
        let n_levels = scores.n_levels();
        scores
            .cells
            .entry(key)
            .or_insert_with(|| vec![[0; 3]; n_levels])[level][label] += 1;
    }
    (table, scores)
}

fn people_csv(people: &[Person]) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["region", "label", "score", "age", "group"])
        .unwrap();
    for person in people {
        let label = person
            .label
            .map_or("", |label| if label { "1" } else { "0" });
        let age = person.age.map_or(String::new(), |age| age.to_string());
        let score = (f64::from(person.score) / 16.0).to_string();
        writer
            .write_record([&person.region, label, &score, &age, &person.group])
            .unwrap();
    }
    writer.into_inner().unwrap()
}

/// The same as Parquet; `form` picks among the types a column may have.
fn people_parquet(people: &[Person], form: u8, rows_per_group: usize) -> Vec<u8> {
    let pick = |of_two: [ArrayRef; 2], bit: u8| {
        of_two
            .into_iter()
            .nth(usize::from(form >> bit & 1))
            .unwrap()
    };
    let groups: Vec<&str> = people.iter().map(|person| person.group.as_str()).collect();
    let regions = people
        .iter()
        .map(|person| Some(person.region.as_str()).filter(|region| !region.is_empty()));
    let labels = || people.iter().map(|person| person.label);
    let ages = || people.iter().map(|person| person.age);
    let scores = || people.iter().map(|person| f32::from(person.score) / 16.0);
    let columns = vec![
        ("unused", texts(&vec!["x"; people.len()])),
        (
            "score",
            pick(
                [
                    Arc::new(scores().map(f64::from).collect::<Float64Array>()),
                    Arc::new(scores().collect::<Float32Array>()),
                ],
                0,
            ),
        ),
        (
            "region",
            Arc::new(regions.collect::<DictionaryArray<Int32Type>>()),
        ),
        (
            "group",
            pick(
                [
                    texts(&groups),
                    Arc::new(StringViewArray::from(groups.clone())),
                ],
                1,
            ),
        ),
        (
            "age",
            pick(
                [
                    Arc::new(ages().map(|age| age.map(i64::from)).collect::<Int64Array>()),
                    Arc::new(
                        ages()
                            .map(|age| age.map(f64::from))
                            .collect::<Float64Array>(),
                    ),
                ],
                2,
            ),
        ),
        (
            "label",
            pick(
                [
                    Arc::new(
                        labels()
                            .map(|label| label.map(i8::from))
                            .collect::<Int8Array>(),
                    ),
                    Arc::new(
                        labels()
                            .map(|label| label.map(|label| if label { "1" } else { "0" }))
                            .collect::<StringArray>(),
                    ),
                ],
                3,
            ),
        ),
    ];
    parquet(columns, rows_per_group)
}

fn check_people(people: &[Person], name: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let declared = audit(PEOPLE);
    let measures = measured(&declared, name, bytes)
        .map_err(TestCaseError::fail)?
        .measures;
    let (table, scores) = plainly(people, Some(&[0.125, 0.5, 0.9]));
    prop_assert_eq!(measures.table, table);
    prop_assert_eq!(measures.scores, Some(scores));
    prop_assert_eq!(measures.data.n_rows, people.len() as u64);

    let declared = audit(&PEOPLE.replace(", cuts = [0.125, 0.5, 0.9]", ""));
    let measures = measured(&declared, name, bytes)
        .map_err(TestCaseError::fail)?
        .measures;
    prop_assert_eq!(measures.scores, Some(plainly(people, None).1));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_kernel_counts_what_a_plain_loop_counts(people in people(), form in 0..16_u8, rows_per_group in 1..50_usize) {
        check_people(&people, "data.csv", &people_csv(&people))?;
        check_people(&people, "data.parquet", &people_parquet(&people, form, rows_per_group))?;
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        (people, shuffled) in people().prop_flat_map(|people| (Just(people.clone()), Just(people).prop_shuffle()))
    ) {
        let declared = audit(&PEOPLE.replace(", cuts = [0.125, 0.5, 0.9]", ""));
        let [first, second] = [people, shuffled].map(|people| measured(&declared, "data.csv", &people_csv(&people)).unwrap());
        prop_assert_eq!(first.measures.table, second.measures.table);
        prop_assert_eq!(first.measures.scores, second.measures.scores);
        prop_assert_eq!(first.warnings, second.warnings);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(y,d,g\n)?[01,\"\r\nay\u{feff}]{0,40}") {
        let _ = measured(&audit(PLAIN), "data.csv", text.as_bytes());
    }
}

#[test]
fn many_batches_add_up() {
    let people: Vec<Person> = (0..70_000).map(numbered).collect();
    check_people(&people, "data.csv", &people_csv(&people)).unwrap();
    check_people(&people, "data.parquet", &people_parquet(&people, 0, 30_000)).unwrap();
}

// ---- other formats, many files, conditions, derived columns, weights, persons

const LINES: &str = "y,d,g\n1,1,a\n0,0,b\n,1,a\n";

const JSON_LINES: &str = r#"{"y": 1, "d": "1", "g": "a", "x": [1]}
{"d": 0, "y": 0, "g": "b"}

{"y": null, "d": 1, "g": "a"}
"#;

#[test]
fn packed_texts_and_json_lines_give_what_the_plain_text_gives() {
    let want = shown(measured(&audit(PLAIN), "data.csv", LINES.as_bytes()));
    let gzip = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    for (name, bytes) in [
        ("data.csv.gz", gzip(LINES)),
        ("data.csv.zst", zstd(LINES)),
        ("data.jsonl", JSON_LINES.as_bytes().to_vec()),
        ("data.ndjson.gz", gzip(JSON_LINES)),
        ("data.jsonl.zst", zstd(JSON_LINES)),
    ] {
        assert_eq!(shown(measured(&audit(PLAIN), name, &bytes)), want, "{name}");
    }
    let cut = &gzip(LINES)[..20];
    let error = shown(measured(&audit(PLAIN), "data.csv.gz", cut));
    assert_eq!(
        error,
        "data.csv.gz: the packed file is cut off or damaged; copy or pack it again"
    );
    let error = shown(measured(&audit(PLAIN), "data.csv.zst", LINES.as_bytes()));
    assert_eq!(
        error,
        "data.csv.zst: the name says that the file is packed, its bytes do not; let its name end in what it is"
    );
}

#[test]
fn a_line_of_a_packed_text_is_found_again() {
    let bytes = zstd::encode_all(&b"y,d,g\n1,1,a\n0,,b\n"[..], 1).unwrap();
    let error = shown(measured(&audit(PLAIN), "data.csv.zst", &bytes));
    assert_eq!(
        error,
        "data.csv.zst, line 3, column `d`: the decision is missing; every row needs one, so complete it where the data come from"
    );
}

#[test]
fn a_json_line_is_an_object_with_plain_members() {
    for (line, problem) in [
        ("[1]", "data.jsonl, line 2: the line is not a JSON object"),
        (
            "{\"y\": 1, \"d\": {}, \"g\": 1}",
            "data.jsonl, line 2, column `d`: the member is a list",
        ),
        (
            "{\"y\": 1, \"d\": 2",
            "data.jsonl, line 2: the line is not a JSON object",
        ),
    ] {
        let text = format!("{{\"y\": 1, \"d\": 1, \"g\": \"a\"}}\n{line}\n");
        let error = shown(measured(&audit(PLAIN), "data.jsonl", text.as_bytes()));
        assert!(error.starts_with(problem), "{error}");
    }
    let error = shown(measured(
        &audit(PLAIN),
        "data.jsonl",
        b"{\"y\": 1, \"d\": 1, \"G\": 1}\n",
    ));
    assert_eq!(
        error,
        "data.jsonl: there is no column `g`; did you mean `G`? the members are `G`, `d`, `y`"
    );
}

fn arrow_file(columns: Vec<(&str, ArrayRef)>, stream: bool) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    if stream {
        let mut writer =
            arrow_ipc::writer::StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    } else {
        let mut writer =
            arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }
    bytes
}

#[test]
fn arrow_files_and_streams_are_read() {
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            (
                "y",
                Arc::new(Int64Array::from(vec![Some(1), Some(0), None])) as ArrayRef,
            ),
            ("g", texts(&["a", "b", "a"])),
            ("d", Arc::new(Int64Array::from(vec![1, 0, 1]))),
        ]
    };
    let want = shown(measured(&audit(PLAIN), "data.csv", LINES.as_bytes()));
    for stream in [false, true] {
        let bytes = arrow_file(columns(), stream);
        assert_eq!(shown(measured(&audit(PLAIN), "data.arrow", &bytes)), want);
        let cut = &bytes[..bytes.len() / 2];
        let error = shown(measured(&audit(PLAIN), "data.arrow", cut));
        assert_eq!(
            error,
            "data.arrow: the file is cut off or damaged; copy or write it again"
        );
    }
}

#[test]
fn many_files_are_one_table_stamped_by_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("2026/a.csv", "y,d,g\n1,1,a\n");
    write("2026/b.jsonl", "{\"y\": 0, \"d\": 0, \"g\": \"b\"}\n");
    write("2027.csv", "y,d,g\n,1,a\n");
    write("_notes.csv", "not data");
    write("README.md", "not data");
    let want = shown(measured(&audit(PLAIN), "data.csv", LINES.as_bytes()));
    let whole = seen(&audit(PLAIN), folder.path().to_owned(), folder.path()).unwrap();
    assert_eq!(whole.measures.table.to_csv(), want);
    let names: Vec<&str> = whole
        .measures
        .data
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(names, ["2026/a.csv", "2026/b.jsonl", "2027.csv"]);
    let pattern = seen(&audit(PLAIN), folder.path().join("**/*.csv"), folder.path()).unwrap();
    assert_eq!(pattern.measures.data.n_rows, 2);
    assert_ne!(pattern.measures.data.sha256, whole.measures.data.sha256);
    let error = seen(
        &audit(PLAIN),
        folder.path().join("*.parquet"),
        folder.path(),
    )
    .unwrap_err();
    assert!(
        error.starts_with("*.parquet: no file meets this pattern"),
        "{error}"
    );
}

/// `PLAIN` with more declared.
fn with(more: &str) -> String {
    format!("{PLAIN}\n{more}")
}

#[test]
fn a_condition_keeps_rows_out_before_their_values_are_judged() {
    let text = "y,d,g,age,kind\n1,1,a,30,x\n0,,b,10,x\n0,0,b,50,z\n1,1,b,40,x\n1,1,b,,x\n";
    let declared = with("where = \"age >= 30 && kind != 'z'\"");
    check_file(
        &declared,
        "data.csv",
        text,
        expect![[r#"
            g,label,decision,n
            a,1,1,1
            b,1,1,1
            data.csv: 1 rows lack a value that the condition `age >= 30 && kind != 'z'` asks for; they are left out
        "#]],
    );
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            (
                "age",
                Arc::new(Int64Array::from(vec![
                    Some(30),
                    Some(10),
                    Some(50),
                    Some(40),
                    None,
                ])),
            ),
            ("y", Arc::new(Int64Array::from(vec![1, 0, 0, 1, 1]))),
            (
                "d",
                Arc::new(Int64Array::from(vec![
                    Some(1),
                    None,
                    Some(0),
                    Some(1),
                    Some(1),
                ])),
            ),
            ("g", texts(&["a", "b", "b", "b", "b"])),
            ("kind", texts(&["x", "x", "z", "x", "x"])),
        ]
    };
    let from_parquet = measured(&audit(&declared), "data.parquet", &parquet(columns(), 2)).unwrap();
    let from_csv = measured(&audit(&declared), "data.csv", text.as_bytes()).unwrap();
    assert_eq!(from_parquet.measures.table, from_csv.measures.table);
    assert_eq!(
        from_parquet.measures.data.left_out,
        from_csv.measures.data.left_out
    );
    assert_eq!(from_csv.measures.data.n_rows, 5);
    assert_eq!(from_csv.measures.data.n_counted(), 2);
    let nobody = with("where = 'age > 99'");
    let error = shown(measured(&audit(&nobody), "data.csv", text.as_bytes()));
    assert!(
        error.starts_with("data.csv: no row meets the condition `age > 99`"),
        "{error}"
    );
}

#[test]
fn derived_columns_are_counted_like_any_other() {
    let declared = "name = 'a'
    data = 'data.csv'
    label = { column = 'bad', positive = '1' }
    decision = { column = 'high', positive = '1', favourable = '0' }
    attribute = [{ column = 'band', characteristic = 'age' }, { column = 'race', characteristic = 'other' }]
    derive = [
      { column = 'band', from = 'age', bins = [25, 45] },
      { column = 'race', from = 'code', labels = { '1' = 'White' }, other = 'Other' },
      { column = 'high', from = 's', at_least = 0.5 },
      { column = 'bad', from = 'outcome', labels = { 'default' = '1' }, other = '0' }]";
    let text = "age,code,s,outcome\n20,1,0.5,default\n25,2,0.4,paid\n45,3,0.9,paid\n,1,0.1,paid\n";
    let want = expect![[r#"
        band,race,label,decision,n
        ,White,0,0,1
        25 to below 45,Other,0,0,1
        45 and above,Other,0,1,1
        below 25,White,1,1,1
    "#]];
    want.assert_eq(&shown(measured(
        &audit(declared),
        "data.csv",
        text.as_bytes(),
    )));
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "age",
            Arc::new(Int64Array::from(vec![Some(20), Some(25), Some(45), None])),
        ),
        ("code", Arc::new(Int64Array::from(vec![1, 2, 3, 1]))),
        ("s", Arc::new(Float32Array::from(vec![0.5, 0.4, 0.9, 0.1]))),
        ("outcome", texts(&["default", "paid", "paid", "paid"])),
    ];
    want.assert_eq(&shown(measured(
        &audit(declared),
        "data.parquet",
        &parquet(columns, 3),
    )));
}

#[test]
fn weights_are_summed_by_cell_in_any_order() {
    let rows = ["1,1,a,0.1", "1,1,a,0.2", "1,1,a,0.3", "0,0,b,2", "0,0,b,0"];
    let text = |rows: &[&str]| format!("y,d,g,w\n{}\n", rows.join("\n"));
    let declared = with("weight = 'w'");
    let one = measured(&audit(&declared), "data.csv", text(&rows).as_bytes()).unwrap();
    let mut turned = rows;
    turned.reverse();
    let other = measured(&audit(&declared), "data.csv", text(&turned).as_bytes()).unwrap();
    assert_eq!(one.measures.table, other.measures.table);
    expect![[r#"
        g,label,decision,n,w,w2
        a,1,1,3,0.6,0.13999999999999999
        b,0,0,2,2,4
    "#]]
    .assert_eq(&one.measures.table.to_csv());
    let back = CountTable::from_csv(&one.measures.table.to_csv()).unwrap();
    assert_eq!(back, one.measures.table);
    for (weight, problem) in [
        ("-1", "`-1` is no weight"),
        (
            "NaN",
            "`NaN` is no weight; a weight is 0 or a number from 1e-100 to 1e100",
        ),
        ("inf", "`inf` is no weight"),
        ("heavy", "`heavy` is no weight"),
        ("1e101", "`1e101` is no weight"),
        ("1e-101", "`1e-101` is no weight"),
        ("", "the weight is missing"),
    ] {
        let error = shown(measured(
            &audit(&declared),
            "data.csv",
            format!("y,d,g,w\n1,1,a,{weight}\n").as_bytes(),
        ));
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn rows_are_gathered_by_person() {
    let declared = with("person = 'id'");
    let text = "y,d,g,id\n1,1,a,p1\n1,0,a,p2\n1,1,a,p1\n0,0,b,p3\n1,0,a,p1\n";
    let persons = measured(&audit(&declared), "data.csv", text.as_bytes())
        .unwrap()
        .measures
        .persons
        .unwrap();
    let mut rows: Vec<_> = persons
        .rows
        .iter()
        .map(|(_, cells)| cells.clone())
        .collect();
    rows.sort();
    assert_eq!(rows, [vec![(0, 1)], vec![(0, 1), (1, 2)], vec![(2, 1)]]);
    let a = vec![Some("a".to_owned())];
    assert_eq!(persons.cells[..2], [(a.clone(), 1, 0), (a, 1, 1)]);
}

#[test]
fn every_score_is_counted_by_its_value() {
    let mut declared = audit(&with("score = { column = 's' }"));
    declared.score.as_mut().unwrap().every_value = true;
    let text = "y,d,g,s\n1,1,a,0.25\n0,0,a,-0\n1,0,a,0.25\n,0,b,1e3\n";
    let samples = measured(&declared, "data.csv", text.as_bytes())
        .unwrap()
        .measures
        .samples
        .unwrap();
    expect![[r#"
        g,label,score,n
        a,0,0,1
        a,1,0.25,2
        b,,1000,1
    "#]]
    .assert_eq(&samples.to_csv());
    let back = alnager_audit::table::SampleTable::from_csv(&samples.to_csv()).unwrap();
    assert_eq!(back, samples);
}

#[test]
fn unknown_groups_may_be_refused() {
    let error = shown(measured(
        &audit(&with("missing = 'refuse'")),
        "data.csv",
        b"y,d,g\n1,1,a\n1,1,\n",
    ));
    assert_eq!(
        error,
        "data.csv, column `g`: 1 rows have no known value, and `missing = \"refuse\"` allows none; complete them, or count them apart"
    );
}

#[test]
fn nobody_may_be_selected() {
    check(
        PLAIN,
        "y,d,g\n0,0,a\n0,0,b\n",
        expect![[r#"
            g,label,decision,n
            a,0,0,1
            b,0,0,1
        "#]],
    );
    for (positive, other, is_accepted) in [
        ("yes", "no", true),
        ("No", "Yes", true),
        ("true", "false", true),
        ("TRUE", "FALSE", true),
        ("0", "1", true),
        ("Yes", "no", false),
        ("1", "false", false),
        ("hired", "no", false),
    ] {
        let declared = PLAIN.replace(
            "positive = '1', favourable = '1'",
            &format!("positive = '{positive}', favourable = '{positive}'"),
        );
        let text = format!("y,d,g\n1,{other},a\n0,{other},a\n");
        let result = measured(&audit(&declared), "data.csv", text.as_bytes());
        assert_eq!(result.is_ok(), is_accepted, "{positive}, {other}");
    }
}

#[test]
fn short_floats_meet_a_condition_by_their_decimal_form() {
    let values = ["0.7", "0.6999999", "0.7000001", "1.5", "-0.7"];
    let text: String = values
        .iter()
        .map(|value| format!("1,1,a,{value}\n"))
        .collect();
    let text = format!("y,d,g,s\n{text}");
    let floats: Vec<f32> = values.iter().map(|value| value.parse().unwrap()).collect();
    let ones = || texts(&["1"; 5]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", ones()),
        ("d", ones()),
        ("g", texts(&["a"; 5])),
        ("s", Arc::new(Float32Array::from(floats))),
    ];
    let bytes = parquet(columns, 2);
    for condition in ["<", "<=", "==", "!=", ">=", ">"]
        .into_iter()
        .flat_map(|mark| ["0.7", "1.5", "0.69999991", "-0.7"].map(|cut| format!("s {mark} {cut}")))
    {
        let declared = audit(&with(&format!("where = '{condition}'")));
        let from_text = shown(measured(&declared, "data.csv", text.as_bytes()));
        let from_floats = shown(measured(&declared, "data.parquet", &bytes));
        assert!(!from_text.contains("cannot be read"), "{condition}");
        assert_eq!(
            from_floats.replace("data.parquet", "data.csv"),
            from_text,
            "{condition}"
        );
    }
}

#[test]
fn an_unknown_number_is_unknown_in_every_format() {
    let declared = "
        name = 'a'
        data = 'data.csv'
        unknown = ['-9', 'NA']
        where = 'size > -100'
        decision = { column = 'd', positive = '1', favourable = '1' }
        attribute = [{ column = 'band', characteristic = 'age' }]
        derive = [{ column = 'band', from = 'age', bins = [25] }]";
    let text = "d,age,size\n1,20,1\n1,-9,1\n1,30,-9\n1,30,1\n";
    let want = shown(measured(&audit(declared), "data.csv", text.as_bytes()));
    expect![[r#"
        band,label,decision,n
        ,,1,1
        25 and above,,1,1
        below 25,,1,1
        data.csv: 1 rows lack a value that the condition `size > -100` asks for; they are left out
    "#]]
    .assert_eq(&want);
    let ages = || Int64Array::from(vec![20, -9, 30, 30]);
    let sizes: [ArrayRef; 2] = [
        Arc::new(Float32Array::from(vec![1.0, 1.0, -9.0, 1.0])),
        Arc::new(Int64Array::from(vec![1, 1, -9, 1])),
    ];
    for size in sizes {
        let columns = || -> Vec<(&str, ArrayRef)> {
            vec![
                ("d", texts(&["1"; 4])),
                ("age", Arc::new(ages())),
                ("size", size.clone()),
            ]
        };
        let found = shown(measured(
            &audit(declared),
            "data.parquet",
            &parquet(columns(), 3),
        ));
        assert_eq!(found.replace("data.parquet", "data.csv"), want);
    }
    check(
        declared,
        "d,age,size\n1,NA,1\n1,30,NA\n",
        expect![[r#"
            band,label,decision,n
            ,,1,1
            data.csv: 1 rows lack a value that the condition `size > -100` asks for; they are left out
        "#]],
    );
}

#[test]
fn an_unknown_number_of_a_row_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let wanted = Wanted {
            columns: vec![("x".to_owned(), WantedKind::Number)],
            unknown: vec!["NA".to_owned(), "-9".to_owned(), "0.1".to_owned()],
            ..Wanted::default()
        };
        let rows = read_rows(&wanted, &Source::Files { path }, &|_| {}).unwrap();
        rows.numbers[0]
            .iter()
            .map(|number| (!number.is_nan()).then_some(*number))
            .collect::<Vec<_>>()
    };
    let want = [Some(1.0), None, None, None];
    assert_eq!(numbers("data.csv", b"x,y\n1,\nNA,\n-9,\n0.1,\n"), want);
    let short = Float32Array::from(vec![Some(1.0), None, Some(-9.0), Some(0.1)]);
    let bytes = parquet(vec![("x", Arc::new(short))], 9);
    assert_eq!(numbers("data.parquet", &bytes), want);
    let full = Float32Array::from(vec![1.0, -9.0, -9.0, 0.1]);
    let bytes = parquet(vec![("x", Arc::new(full))], 9);
    assert_eq!(numbers("full.parquet", &bytes), want);
}

#[test]
fn an_unknown_person_is_none() {
    let declared = with("person = 'id'");
    check(
        &declared,
        "y,d,g,id\n1,1,a,?\n",
        expect![
            "data.csv, line 2, column `id`: the person's identifier is missing; every row needs one where rows are counted by person"
        ],
    );
    let declared = declared.replace("['?']", "['-9']");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", texts(&["1", "0"])),
        ("d", texts(&["1", "0"])),
        ("g", texts(&["a", "a"])),
        ("id", Arc::new(Int64Array::from(vec![7, -9]))),
    ];
    check_columns(
        &declared,
        columns,
        expect![
            "data.parquet, row 2, column `id`: the person's identifier is missing; every row needs one where rows are counted by person"
        ],
    );
}

#[test]
fn a_label_that_is_also_a_value_is_one_group() {
    let declared = "
        name = 'a'
        data = 'data.csv'
        label = { column = 'y', positive = 'yes' }
        decision = { column = 'd', positive = 'yes', favourable = 'yes' }
        attribute = [{ column = 'g', characteristic = 'sex' }]
        derive = [
          { column = 'y', from = 'y0', labels = { 'Y' = 'yes' } },
          { column = 'd', from = 'd0', labels = { 'Y' = 'yes', 'N' = 'no' } },
          { column = 'g', from = 'g0', labels = { 'F' = 'female' } }]";
    check(
        declared,
        "y0,d0,g0\nY,yes,F\nyes,Y,female\nno,N,F\nno,no,female\n",
        expect![[r#"
            g,label,decision,n
            female,0,0,2
            female,1,1,2
        "#]],
    );
}

#[test]
fn days_instants_and_decimals_are_called_by_their_text() {
    let declared = "
        name = 'a'
        data = 'data.csv'
        where = \"since >= date('2026-02-01') && on < date('2026-05-01') && amount >= 12.5\"
        decision = { column = 'd', positive = '1', favourable = '1' }
        attribute = [{ column = 'g', characteristic = 'sex' }, { column = 'amount', characteristic = 'other' }]
        strata = 'since'";
    // 1 March 2026, and a day before.
    let day = 20_513_i64;
    let second = day * 86_400 + 43_200;
    let amounts = || -> ArrayRef {
        let amounts = Decimal128Array::from(vec![Some(1250), Some(2000), Some(-5), None]);
        Arc::new(amounts.with_precision_and_scale(9, 2).unwrap())
    };
    let spread = |n: i64, step: i64| vec![n, n - step, n, n];
    let since: Vec<(ArrayRef, &str)> = vec![
        (
            Arc::new(Date32Array::from(vec![20_513, 20_512, 20_513, 20_513])),
            "2026-03-01",
        ),
        (
            Arc::new(Date64Array::from(spread(day * 86_400_000, 86_400_000))),
            "2026-03-01",
        ),
        (
            Arc::new(TimestampSecondArray::from(spread(second, 86_400))),
            "2026-03-01T12:00:00",
        ),
        (
            Arc::new(TimestampMillisecondArray::from(spread(
                second * 1000,
                86_400_000,
            ))),
            "2026-03-01T12:00:00",
        ),
        (
            Arc::new(
                TimestampMicrosecondArray::from(spread(second * 1_000_000, 86_400_000_000))
                    .with_timezone("UTC"),
            ),
            "2026-03-01T12:00:00",
        ),
        (
            Arc::new(TimestampNanosecondArray::from(spread(
                second * 1_000_000_000,
                86_400_000_000_000,
            ))),
            "2026-03-01T12:00:00",
        ),
    ];
    for (since, text) in since {
        let columns = || -> Vec<(&str, ArrayRef)> {
            vec![
                ("d", texts(&["1"; 4])),
                ("g", texts(&["a"; 4])),
                ("amount", amounts()),
                ("since", since.clone()),
                ("on", since.clone()),
            ]
        };
        let want = format!(
            "g,amount,since,label,decision,n\na,12.5,{text},,1,1\na,20,{},,1,1\n",
            text.replace("03-01", "02-28")
        );
        for (name, bytes) in [
            ("data.parquet", parquet(columns(), 3)),
            ("data.arrow", arrow_file(columns(), false)),
        ] {
            let found = shown(measured(&audit(declared), name, &bytes));
            assert!(
                found.starts_with(&want),
                "{name}, {}: {found}",
                since.data_type()
            );
        }
    }
}

#[test]
fn a_day_outside_the_calendar_is_named() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", texts(&["1"])),
        ("d", texts(&["1"])),
        ("g", Arc::new(Date32Array::from(vec![i32::MAX]))),
    ];
    check_columns(
        PLAIN,
        columns,
        expect![
            "data.parquet, row 1, column `g`: `2147483647` is not a day; write days as 2026-08-02"
        ],
    );
}

#[test]
fn the_unknown_group_may_be_the_reference() {
    let declared = PLAIN.replace("'sex' }", "'sex', reference = '(unknown)' }");
    let text = "y,d,g\n1,1,a\n0,0,\n";
    check(
        &format!("{declared}\nmissing = 'group'"),
        text,
        expect![[r#"
            g,label,decision,n
            ,0,0,1
            a,1,1,1
        "#]],
    );
    check(
        &declared,
        text,
        expect![
            "data.csv, column `g`: the reference group `(unknown)` has no rows; the groups are `a`"
        ],
    );
}
