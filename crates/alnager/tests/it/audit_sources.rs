//! Audits of other sources than files of rows, and audits that are sealed.

use serde_json::Value;

use crate::{Place, copy, examples};

/// What to audit of the recidivism example.
const FLAGS: [&str; 10] = [
    "--label",
    "two_year_recid",
    "--decision",
    "decile_score>=5",
    "--favorable",
    "0",
    "--attr",
    "race,sex",
    "--intersect",
    "race*sex",
];

fn fairness(place: &Place, data: &str, more: &[&str]) -> Value {
    let arguments = [&["audit", "fairness", data], FLAGS.as_slice(), more].concat();
    let ran = place.run(&[arguments.as_slice(), &["--format", "json"]].concat());
    assert!([0, 1, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The example's rows as a database would count them: equal lines once, with their number.
fn counted(rows: &str) -> String {
    let mut lines = rows.lines();
    let header = lines.next().unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_insert(0) += 1;
    }
    let lines = counts.iter().map(|(line, n)| format!("{line},{n}\n"));
    format!("{header},alnager_rows\n{}", lines.collect::<String>())
}

#[test]
fn a_table_of_counts_is_audited_as_its_rows_are() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let rows = place.read("examples/recidivism/data.csv");
    let counts = counted(&rows);
    assert!(counts.lines().count() < rows.lines().count());
    place.write("counts.csv", counts);
    let of_rows = fairness(&place, "examples/recidivism/data.csv", &[]);
    let of_counts = fairness(&place, "counts.csv", &[]);
    for part in ["groupings", "attrs", "tests"] {
        if of_rows.get(part).is_some() {
            assert_eq!(of_rows[part], of_counts[part], "{part}");
        }
    }
    assert_eq!(of_rows["n"], of_counts["n"]);

    let refused = place.run(&[
        "audit",
        "ranking",
        "counts.csv",
        "--score",
        "decile_score",
        "--attr",
        "sex",
        "--top",
        "9",
    ]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("needs the rows themselves"),
        "{}",
        refused.err
    );
}

#[test]
fn the_query_of_an_audit_is_printed_for_any_database() {
    let place = Place::new();
    let sql = |more: &[&str]| {
        let arguments = [&["audit", "sql", "public.scored"], FLAGS.as_slice(), more].concat();
        let ran = place.run(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let standard = sql(&[]);
    assert!(standard.contains("FROM \"public\".\"scored\"") && standard.trim_end().ends_with(';'));
    assert!(
        standard.contains("AS DOUBLE PRECISION) END AS \"decile_score\""),
        "{standard}"
    );
    assert!(standard.contains("count(*) AS \"alnager_rows\""));
    assert!(sql(&["--dialect", "bigquery"]).contains("FROM `public`.`scored`"));
    place.write("chosen.sql", "SELECT * FROM scored WHERE year = 2026;\n");
    let chosen = sql(&["--query", "chosen.sql"]);
    assert!(chosen.contains("WHERE year = 2026\n)"), "{chosen}");
    let by_person = [
        &["audit", "sql", "t"],
        FLAGS.as_slice(),
        &["--person", "id"],
    ]
    .concat();
    let refused = place.run(&by_person);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("needs the rows themselves"),
        "{}",
        refused.err
    );
}

#[test]
fn an_audit_is_sealed_and_its_dossier_verifies() {
    let place = Place::with("credit");
    let table = ["audit", "table", "112", "78", "548", "224"];
    let no_desk = place.run(&[table.as_slice(), &["--seal"]].concat());
    assert_eq!(no_desk.code, 2, "{}{}", no_desk.out, no_desk.err);

    place.review(&[]);
    let sealed = place.run(&[table.as_slice(), &["--seal=credit"]].concat());
    assert_eq!(sealed.code, 0, "{}", sealed.err);
    assert!(
        sealed.out.contains("Sealed as A1: entry "),
        "{}",
        sealed.out
    );
    let json = place.run(&[table.as_slice(), &["--seal", "--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["sealed"]["audit"], "A2");
    assert!(json["sealed"]["root"].is_string());

    let unknown = place.run(&[table.as_slice(), &["--seal=nobody"]].concat());
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("no system `nobody`"),
        "{}",
        unknown.err
    );

    let whole = place.run(&["desk", "verify"]);
    assert_eq!(whole.code, 0, "{}{}", whole.out, whole.err);
    let log = place.run(&["desk", "verify", "--log-only"]);
    assert_eq!(log.code, 0, "{}{}", log.out, log.err);
    assert!(
        log.out
            .contains("payloads, blobs and state were not looked at")
            && log.out.contains("\nsegments were not checked"),
        "{}",
        log.out
    );

    // The dossier of the next review tells of the audit of this system.
    let (_, review) = place.review(&[]);
    let dossier = review["dossier"].as_str().unwrap();
    let verified = place.run(&["verify", dossier]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}
