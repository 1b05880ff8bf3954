#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use alnager_audit::measures::Measures;
use expect_test::expect;
use proptest::prelude::*;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqlSafeStr as _,
};

use super::*;
use crate::database::{Database, From};
use crate::source::Source;
use crate::{measure, read_rows};

/// A condition, bins, labels, strata, a threshold with cuts, a weight, and spellings of unknown, one of them a number.
const FULL: &str = "
    name = 'a'
    data = 'data.csv'
    unknown = ['?', '999']
    where = \"age > 20 && place != 'x'\"
    label = { column = 'y', positive = '1' }
    decision = { column = 's', at_least = 0.5, favourable = 'at_least' }
    score = { column = 's', cuts = [0.25, 0.5, 0.75] }
    strata = 'place'
    weight = 'w'
    attribute = [{ column = 'race', characteristic = 'other' }, { column = 'band', characteristic = 'age' }]
    intersection = [{ columns = ['race', 'band'] }]
    derive = [
        { column = 'race', from = 'code', labels = { '1' = 'White' }, other = 'Other' },
        { column = 'band', from = 'age', bins = [25, 45] },
    ]";

/// Every value of a score.
const EVERY: &str = "
    name = 'a'
    data = 'data.csv'
    decision = { column = 'd', positive = '1', favourable = '1' }
    score = { column = 's' }
    attribute = [{ column = 'code', characteristic = 'other' }]";

const HEADER: &str = "code,age,place,y,s,d,w\n";

fn audit(text: &str) -> Audit {
    Audit::read(&alnager_law::read::read("system.toml", text).unwrap()).unwrap()
}

fn of_file(audit: &Audit, folder: &Path, name: &str, text: &str) -> Result<Measures, String> {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    let measured = measure(audit, &Source::Files { path });
    measured
        .map(|measured| measured.measures)
        .map_err(|error| error.to_string())
}

/// What one source says of the rows must be what the other says: only the stamp of the data differs.
#[track_caller]
fn check_same(rows: &Measures, counts: &Measures) {
    assert_eq!(rows.table, counts.table);
    assert_eq!(rows.scores, counts.scores);
    assert_eq!(rows.samples, counts.samples);
    assert_eq!(rows.ranges, counts.ranges);
    assert_eq!(
        (rows.data.n_rows, rows.data.left_out),
        (counts.data.n_rows, counts.data.left_out)
    );
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// The table's lines as a statement that fills `data`; empty fields are missing.
fn insertion(text: &str) -> String {
    let lines = text.lines().skip(1).map(|line| {
        let fields = line.split(',').map(|field| match field {
            "" => "NULL".to_owned(),
            field => format!("'{field}'"),
        });
        format!("({})", fields.collect::<Vec<_>>().join(","))
    });
    format!(
        "INSERT INTO data VALUES {}",
        lines.collect::<Vec<_>>().join(",")
    )
}

/// What SQLite answers to the query, as comma-separated text.
fn counted_by_sqlite(text: &str, query: &str) -> String {
    run(async {
        let options = SqliteConnectOptions::new().in_memory(true);
        let mut link = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let table = "CREATE TABLE data (code TEXT, age REAL, place TEXT, y INTEGER, s REAL, d INTEGER, w REAL)";
        link.execute(table).await.unwrap();
        let insertion = AssertSqlSafe(insertion(text)).into_sql_str();
        link.execute(sqlx::raw_sql(insertion)).await.unwrap();
        let rows = link
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(query.to_owned())))
            .await
            .unwrap();
        let mut csv = String::new();
        for (at, row) in rows.iter().enumerate() {
            let names: Vec<&str> = row.columns().iter().map(sqlx::Column::name).collect();
            if at == 0 {
                csv.push_str(&format!("{}\n", names.join(",")));
            }
            let fields = (0..names.len()).map(|at| {
                row.try_get_unchecked::<Option<String>, _>(at)
                    .unwrap()
                    .unwrap_or_default()
            });
            csv.push_str(&format!("{}\n", fields.collect::<Vec<_>>().join(",")));
        }
        csv
    })
}

fn rows() -> impl Strategy<Value = String> {
    let row = (
        prop::sample::select(vec!["1", "2", "3", "?"]),
        prop::sample::select(vec![
            "19", "20", "20.5", "25", "30", "44.9", "45", "60", "999", "",
        ]),
        prop::sample::select(vec!["x", "north", "south", ""]),
        prop::sample::select(vec!["0", "1", "?"]),
        prop::sample::select(vec!["0.1", "0.25", "0.3", "0.5", "0.6", "0.75", "0.9"]),
        prop::sample::select(vec!["0", "1"]),
        prop::sample::select(vec!["1", "0.5", "2.25"]),
    );
    let row = row.prop_map(|(code, age, place, y, s, d, w)| {
        format!("{code},{age},{place},{y},{s},{d},{w}\n")
    });
    prop::collection::vec(row, 60..200).prop_map(|rows| format!("{HEADER}{}", rows.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A database's counts and the rows themselves give the same tables, whatever the rows.
    #[test]
    fn counts_say_what_the_rows_say(text in rows()) {
        let folder = tempfile::tempdir().unwrap();
        for declared in [FULL, EVERY] {
            let mut audit = audit(declared);
            for every_value in [false, true] {
                if let Some(score) = &mut audit.score {
                    score.every_value = every_value;
                }
                let of_rows = of_file(&audit, folder.path(), "rows.csv", &text);
                let query = count_query(&audit, "data", Dialect::Standard).unwrap();
                // SQLite keeps `?` among its integers as a text, as CSV has it.
                let counts = counted_by_sqlite(&text, &query);
                prop_assert!(counts.lines().count() <= text.lines().count());
                let of_counts = of_file(&audit, folder.path(), "counts.csv", &counts);
                match (of_rows, of_counts) {
                    (Ok(rows), Ok(counts)) => check_same(&rows, &counts),
                    // Which row is told first depends on the order.
                    (Err(_), Err(_)) => {}
                    (rows, counts) => prop_assert!(false, "{rows:?}\n{counts:?}"),
                }
            }
        }
    }
}

#[test]
fn the_query_reads_as_one_would_write_it() {
    let query = count_query(&audit(FULL), "data", Dialect::Standard).unwrap();
    expect![[r#"
        SELECT "age",
               "place",
               "code",
               "y",
               "s",
               "w",
               count(*) AS "alnager_rows"
          FROM (SELECT CASE WHEN NOT ("age" BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308) THEN "age"
                            WHEN "age" < 20 THEN 19
                            WHEN "age" = 20 THEN 20
                            WHEN "age" < 25 THEN 22.5
                            WHEN "age" < 45 THEN 25
                            WHEN "age" < 999 THEN 45
                            WHEN "age" = 999 THEN 999
                            WHEN "age" >= 999 THEN 1000
                            END AS "age",
                       "place",
                       "code",
                       "y",
                       CASE WHEN NOT ("s" BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308) THEN "s"
                            WHEN "s" < 0.25 THEN -0.75
                            WHEN "s" < 0.5 THEN 0.25
                            WHEN "s" < 0.75 THEN 0.5
                            WHEN "s" < 999 THEN 0.75
                            WHEN "s" = 999 THEN 999
                            WHEN "s" >= 999 THEN 1000
                            END AS "s",
                       "w"
                  FROM (SELECT CASE WHEN TRIM(CAST("age" AS VARCHAR)) NOT IN ('', '?') THEN CAST(CAST("age" AS VARCHAR) AS DOUBLE PRECISION) END AS "age",
                               "place",
                               "code",
                               "y",
                               CASE WHEN TRIM(CAST("s" AS VARCHAR)) NOT IN ('', '?') THEN CAST(CAST("s" AS VARCHAR) AS DOUBLE PRECISION) END AS "s",
                               "w"
                          FROM data) AS "alnager_numbers") AS "alnager_read"
         GROUP BY "age", "place", "code", "y", "s", "w"
         ORDER BY "age", "place", "code", "y", "s", "w""#]].assert_eq(&query);
    let query = count_query(&audit(EVERY), "a.b", Dialect::BigQuery).unwrap();
    expect![[r#"
        SELECT `code`,
               `d`,
               `s`,
               count(*) AS `alnager_rows`
          FROM (SELECT `code`,
                       `d`,
                       `s`
                  FROM (SELECT `code`,
                               `d`,
                               `s`
                          FROM a.b) AS `alnager_numbers`) AS `alnager_read`
         GROUP BY `code`, `d`, `s`
         ORDER BY `code`, `d`, `s`"#]]
    .assert_eq(&query);
    let from = From::Table("my schema.da\"ta".to_owned()).words(Dialect::Postgres);
    assert_eq!(from, "\"my schema\".\"da\"\"ta\"");
    let from = From::Query("SELECT 1; ".to_owned()).words(Dialect::MySql);
    assert_eq!(from, "(SELECT 1\n) AS `alnager_source`");
}

#[test]
fn what_needs_rows_is_not_counted() {
    let by_person = audit(&format!("{EVERY}\nperson = 'w'"));
    let error = count_query(&by_person, "data", Dialect::Standard).unwrap_err();
    assert!(
        error.to_string().contains("needs the rows themselves"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let counts = "code,s,d,w,alnager_rows\na,0.5,1,1,3\n";
    let error = of_file(&by_person, folder.path(), "counts.csv", counts).unwrap_err();
    assert!(error.contains("needs the rows themselves"), "{error}");
    let source = Source::Files {
        path: folder.path().join("counts.csv"),
    };
    let error = read_rows(&crate::Wanted::default(), &source, &|_| {}).unwrap_err();
    assert!(
        error.to_string().contains("needs the rows themselves"),
        "{error}"
    );
}

#[test]
fn a_count_is_a_whole_number_from_1() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["0", "-1", "1.5", "", "many"] {
        let text = format!("code,s,d,alnager_rows\na,0.5,1,2\na,0.5,0,{wrong}\n");
        let error = of_file(&audit(EVERY), folder.path(), "counts.csv", &text).unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("whole numbers from 1"),
            "{error}"
        );
    }
    let text = "{\"code\":\"a\",\"s\":0.5,\"d\":1,\"alnager_rows\":2}\n";
    let error = of_file(&audit(EVERY), folder.path(), "counts.jsonl", text).unwrap_err();
    assert!(error.contains("read as `.csv`"), "{error}");
}

#[test]
fn an_address_holds_no_password() {
    let table = || From::Table("t".to_owned());
    for (url, problem) in [
        ("postgres://u:secret@h/d", "holds a password"),
        ("postgres://h/d?password=secret", "holds a password"),
        ("mysql://h/d", "begins with `postgres://`"),
        ("postgres://h:port/d", "cannot be read"),
    ] {
        let error = Database::new(url, table()).unwrap_err().to_string();
        assert!(
            error.contains(problem) && !error.contains("secret"),
            "{error}"
        );
    }
    let database = Database::new("postgres://u@h/d", table()).unwrap();
    assert_eq!(database.to_string(), "postgres://h/d (t)");
    let empty = Database::new("postgres://u@h/d", From::Query(" ;".to_owned()));
    assert!(empty.unwrap_err().to_string().contains("write one SELECT"));
}

/// The address of the tests' server; `None`, and a line that says so, where there is none.
fn address(test: &str) -> Option<String> {
    const VARIABLE: &str = "ALNAGER_TEST_POSTGRES";
    if let Ok(address) = std::env::var(VARIABLE) {
        return Some(address);
    }
    let needed = format!("needs {VARIABLE}; `cargo xtask test` sets it");
    let must_run = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|all| all == "1");
    assert!(!must_run, "{test} {needed}");
    eprintln!("not run: {test} {needed}");
    None
}

#[test]
fn postgresql_counts_what_the_rows_say() {
    let Some(address) = address("postgresql_counts_what_the_rows_say") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEADER.to_owned();
    for at in 0..3_000_u64 {
        let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let pick = |shift: u64, values: &[&str]| {
            values[((mixed >> shift) as usize) % values.len()].to_owned()
        };
        text.push_str(&format!(
            "{},{},{},{},{},{},{}\n",
            pick(0, &["1", "2", "a \"b\""]),
            pick(3, &["19", "20", "25", "44.9", "60", "999", ""]),
            pick(6, &["x", "north", ""]),
            pick(9, &["0", "1", ""]),
            pick(12, &["0.1", "0.25", "0.3", "0.5", "0.7", "0.75"]),
            pick(15, &["0", "1"]),
            pick(18, &["1", "0.5"]),
        ));
    }
    let schema = format!("alnager_probe_{}", std::process::id());
    let table = format!("{schema}.data");
    run(async {
        let mut link = PgConnection::connect(&address).await.unwrap();
        // A column of 32 bits, one of decimals, one of booleans: each is what it is written as.
        let setup = format!(
            "CREATE SCHEMA {schema}; CREATE TABLE {table} (code text, age numeric, place varchar(9), y integer, s real, d integer, w double precision)"
        );
        link.execute(sqlx::raw_sql(AssertSqlSafe(setup)))
            .await
            .unwrap();
        let filled = insertion(&text).replace("INTO data", &format!("INTO {table}"));
        link.execute(sqlx::raw_sql(AssertSqlSafe(filled)))
            .await
            .unwrap();
    });
    let sources = [
        From::Table(table.clone()),
        From::Query(format!("SELECT * FROM {table} WHERE w > 0;")),
    ];
    // In the file a quote within a text is written twice.
    let rows = text.replace("a \"b\"", "\"a \"\"b\"\"\"");
    for declared in [FULL, EVERY] {
        let of_rows = of_file(&audit(declared), folder.path(), "rows.csv", &rows).unwrap();
        for from in sources.clone() {
            let source = Source::Database(Database::trusted(&address, from));
            let counted = measure(&audit(declared), &source).unwrap().measures;
            check_same(&of_rows, &counted);
            assert!(!counted.data.name.is_empty() && counted.data.sha256.len() == 64);
            let again = measure(&audit(declared), &source).unwrap().measures;
            assert_eq!(again.data.sha256, counted.data.sha256);
        }
    }
    let missing = Source::Database(Database::trusted(
        &address,
        From::Table("nowhere".to_owned()),
    ));
    let error = measure(&audit(EVERY), &missing).unwrap_err();
    assert!(matches!(error, ProbeError::Database { .. }), "{error:?}");
    run(async {
        let mut link = PgConnection::connect(&address).await.unwrap();
        let drop = format!("DROP SCHEMA {schema} CASCADE");
        link.execute(sqlx::raw_sql(AssertSqlSafe(drop)))
            .await
            .unwrap();
    });
}
