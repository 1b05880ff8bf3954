//! Decision logs through the program: sealed, listed, proven to one person, exported to an audit, and checked.

use alnager_journal::merkle::Hash;
use serde_json::Value;

use crate::{Place, Ran};

/// A reviewed system with a desk.
fn place() -> Place {
    let place = Place::with("recidivism");
    place.review(&[]);
    place
}

fn segment(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["segment"], arguments].concat())
}

/// Runs a command that must succeed; what it printed as JSON.
#[track_caller]
fn told(place: &Place, arguments: &[&str]) -> Value {
    let ran = place.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn seal(place: &Place, file: &str, more: &[&str]) -> Value {
    let words = ["segment", "seal", file, "--system", "recidivism"];
    told(place, &[&words, more].concat())
}

/// The entries made, with their numbers of rows.
fn entered(sealed: &Value) -> Vec<(u64, u64)> {
    let entered = sealed["entered"].as_array().unwrap().iter();
    entered
        .map(|one| {
            (
                one["entry"].as_u64().unwrap(),
                one["n_rows"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// Decisions `from..to` as lines of JSON.
fn decisions(from: u64, to: u64) -> String {
    let line = |n: u64| {
        let (hour, minute) = (n / 60 % 24, n % 60);
        let decision = ["grant", "refuse"][usize::from(n.is_multiple_of(3))];
        let sex = ["F", "M"][usize::from(n.is_multiple_of(2))];
        format!(
            "{{\"case\":\"C-{n}\",\"at\":\"2026-11-{:02}T{hour:02}:{minute:02}:00Z\",\"score\":0.{n:05}0,\"sex\":\"{sex}\",\"decision\":\"{decision}\"}}\n",
            1 + n / 1_440 % 28
        )
    };
    (from..to).map(line).collect()
}

#[test]
fn a_log_is_sealed_once_and_one_record_is_proven() {
    let place = place();
    place.write("log.jsonl", decisions(0, 10_001));
    let sealed = seal(&place, "log.jsonl", &["--time", "at"]);
    let made = entered(&sealed);
    let n_rows: Vec<u64> = made.iter().map(|(_, n_rows)| *n_rows).collect();
    assert_eq!(n_rows, [10_000, 1]);
    let first = made[0].0.to_string();

    let again = seal(&place, "log.jsonl", &["--time", "at"]);
    assert!(entered(&again).is_empty());
    assert_eq!(again["sealed_before"]["n_rows"], 10_001);
    let words = segment(&place, &["seal", "log.jsonl", "--system", "recidivism"]);
    assert!(
        words.out.starts_with(
            "nothing was entered\n10001 rows of the file were sealed before, in entries "
        ),
        "{}",
        words.out
    );

    let listed = told(&place, &["segment", "list"]);
    assert_eq!(listed["segments"].as_array().unwrap().len(), 2);
    assert_eq!(
        listed["segments"][0]["time"]["first"],
        "2026-11-01T00:00:00Z"
    );
    assert_eq!(listed["segments"][0]["columns"][2], "score");

    let proof = [
        "prove",
        &first,
        "--where",
        "case=C-4323",
        "-o",
        "case.row-proof",
    ];
    let proven = segment(&place, &proof);
    assert_eq!(proven.code, 0, "{}", proven.err);
    let key = place.run(&["desk", "key"]).out;
    // Whoever gets the proof has nothing but it.
    let stranger = Place::new();
    let file = place.read("case.row-proof");
    stranger.write("case.row-proof", &file);
    let found = told(
        &stranger,
        &["verify", "case.row-proof", "--key", key.trim()],
    );
    assert_eq!(
        (&found["trusted"], &found["index"]),
        (&Value::Bool(true), &Value::from(4_323))
    );
    assert_eq!(found["row"]["score"], "0.043230");
    assert_eq!(found["system"], "recidivism");
    assert!(found["signer"].is_string() && found["witnesses"] == Value::Array(Vec::new()));
    let shown = stranger.run(&["verify", "case.row-proof"]);
    assert!(
        shown.out.contains("which you have not said you trust")
            && shown.out.contains(
                "\nsystem \"recidivism\": row 4323 of the 10000 rows, from 0, that entry"
            )
            && shown.out.contains("  decision: \"refuse\""),
        "{}",
        shown.out
    );
    assert!(!file.contains("C-4322") && !file.contains("C-4324"));
    stranger.write("case.row-proof", file.replace("refuse", "grants"));
    let refused = stranger.run(&["verify", "case.row-proof"]);
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.out,
        "refused: the row is not proven to be in the segment: the proof leads to another root hash; the entry, the proof or the checkpoint was altered\n"
    );

    // Whoever asks for a case need not know in which segment it is.
    let last = [
        "prove",
        "--system",
        "recidivism",
        "--where",
        "case=C-10000",
        "-o",
        "last.row-proof",
    ];
    let ran = segment(&place, &last);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .starts_with(&format!("row 0 of entry {} ", made[1].0)),
        "{}",
        ran.out
    );
    let many = [
        "prove",
        "--system",
        "recidivism",
        "--where",
        "decision=grant",
        "-o",
        "p",
    ];
    let ran = segment(&place, &many);
    assert!(
        ran.code == 2
            && ran
                .err
                .contains("6667 rows of `recidivism` have this value"),
        "{}",
        ran.err
    );

    let verified = told(&place, &["desk", "verify"]);
    assert_eq!(
        (&verified["consistent"], &verified["segments"]),
        (&Value::Bool(true), &Value::from(2))
    );
}

#[test]
fn a_log_that_has_grown_is_sealed_on_when_asked_to() {
    let place = place();
    place.write("log.jsonl", decisions(0, 300));
    seal(&place, "log.jsonl", &[]);
    place.write("log.jsonl", decisions(0, 500));
    let refused = segment(&place, &["seal", "log.jsonl", "--system", "recidivism"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .err
            .contains("log.jsonl: rows 1 to 300 are sealed already, in entry"),
        "{}",
        refused.err
    );
    let grown = seal(&place, "log.jsonl", &["--grown"]);
    assert_eq!(entered(&grown)[0].1, 200);
    assert_eq!(grown["sealed_before"]["n_rows"], 300);
    assert!(entered(&seal(&place, "log.jsonl", &["--grown"])).is_empty());
    // The same records, as CSV or for another place in a file, are other rows only where they are.
    place.write("log.csv", "case,decision\nC-1,grant\nC-1,grant\n");
    assert_eq!(entered(&seal(&place, "log.csv", &[])).len(), 1);
}

#[test]
fn what_cannot_be_sealed_or_proven_is_refused_in_words() {
    let place = place();
    place.write(
        "log.csv",
        "case,at,decision\nC-1,2026-11-01T00:00:00Z,grant\nC-2,,grant\n",
    );
    let refused = |arguments: &[&str], want: &str| {
        let ran = segment(&place, arguments);
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains(want), "{}", ran.err);
    };
    refused(
        &["seal", "log.csv", "--system", "credit"],
        "the desk has no system `credit`",
    );
    refused(
        &["seal", "none.csv", "--system", "recidivism"],
        "there is no such file",
    );
    let timed = ["seal", "log.csv", "--system", "recidivism", "--time"];
    refused(
        &[&timed[..], &["when"]].concat(),
        "--time: log.csv has no column `when`",
    );
    refused(
        &[&timed[..], &["at"]].concat(),
        "log.csv, row 2, column `at`: no instant",
    );
    place.write("empty.csv", "case,decision\n");
    refused(&["seal", "empty.csv", "--system", "recidivism"], "no rows");
    // With a null for each column that it lacks, the second row is longer than it stands in the file.
    let long = "x".repeat((1 << 20) - 20);
    place.write(
        "long.jsonl",
        format!(
            "{{\"case\":\"C-1\",\"at\":\"x\",\"decision\":\"grant\"}}\n{{\"case\":\"{long}\"}}\n"
        ),
    );
    refused(
        &["seal", "long.jsonl", "--system", "recidivism"],
        "long.jsonl: row 2 has more than 1048576 bytes",
    );
    let made = entered(&seal(&place, "log.csv", &[]))[0].0.to_string();
    refused(&["prove", "0", "--row", "0", "-o", "p"], "and no segment");
    refused(
        &["prove", "999", "--row", "0", "-o", "p"],
        "the journal has no entry 999",
    );
    refused(
        &["prove", &made, "--row", "2", "-o", "p"],
        "the segment has rows `0` to `1`",
    );
    refused(
        &["prove", &made, "--where", "decision=grant", "-o", "p"],
        "2 rows of entry",
    );
    refused(
        &["prove", &made, "--where", "case=C-9", "-o", "p"],
        "has this value in `case`",
    );
    refused(
        &["prove", &made, "--where", "cases=C-9", "-o", "p"],
        "no column `cases`",
    );
    assert!(!place.path("p").exists());
    assert_eq!(
        told(&place, &["segment", "list"])["segments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn exported_segments_are_audited_as_the_log_itself() {
    let place = place();
    place.write("log.jsonl", decisions(0, 12_000));
    let sealed = entered(&seal(&place, "log.jsonl", &["--time", "at"]));
    let audit = |data: &str| {
        let words = [
            "audit",
            "fairness",
            data,
            "--attr",
            "sex",
            "--decision",
            "decision",
            "--favorable",
            "grant",
        ];
        let ran = place.run(&[&words[..], &["--format", "json"]].concat());
        assert!([0, 1, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
        let mut found: Value = serde_json::from_str(&ran.out).unwrap();
        for differs in ["data", "sha256"] {
            found[differs] = Value::Null;
        }
        found
    };
    let exported = told(
        &place,
        &["segment", "export", "--system", "recidivism", "-o", "out"],
    );
    assert_eq!(exported["n_rows"], 12_000);
    assert_eq!(audit("out"), audit("log.jsonl"));

    let days = [
        "segment",
        "export",
        "--system",
        "recidivism",
        "--to",
        "2026-11-01",
        "-o",
        "early",
    ];
    let early = told(&place, &days);
    assert_eq!(early["segments"].as_array().unwrap().len(), 1);
    let one = sealed[1].0.to_string();
    let ran = segment(&place, &["export", &one, "-o", "one.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let refused = segment(&place, &["export", &one, "-o", "one.parquet"]);
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(audit("one.parquet").is_object());
    // What was exported is a table like any other, and may be sealed for what it is.
    let refused = segment(
        &place,
        &[
            "export",
            "--system",
            "recidivism",
            "--from",
            "2030-01-01",
            "-o",
            "late",
        ],
    );
    assert!(
        refused.err.contains("has no segment of these days"),
        "{}",
        refused.err
    );
}

#[test]
fn a_dossier_tells_of_segments_and_holds_no_row() {
    let place = place();
    place.write("log.jsonl", decisions(0, 20));
    let sealed = entered(&seal(&place, "log.jsonl", &[]))[0].0;
    let (_, review) = place.review(&[]);
    let dossier = place.path(review["dossier"].as_str().unwrap());
    let bytes = std::fs::read(&dossier).unwrap();
    let archive = alnager_journal::dossier::read(&bytes, Default::default()).unwrap();
    let item = &archive.entries[&sealed];
    let payload = item.payload.as_ref().unwrap();
    assert!(String::from_utf8_lossy(&payload.bytes).contains("\"n_rows\":20"));
    assert!(item.blobs.is_empty() && item.entry.blobs.len() == 1);
    let found = told(&place, &["verify", dossier.to_str().unwrap()]);
    assert_eq!(found["consistent"], Value::Bool(true));
}

/// Enters a segment of one record, of 1 November, whose entry states another root or another last instant than its rows give, as a
/// faulty program or one that lies would.
fn enter_false(place: &Place, root: Option<Hash>, last: Option<&str>) {
    use alnager_journal::segment::{ROWS, Segment};
    use alnager_office::decide::Command;
    use alnager_office::segment::{NewSegment, Span};
    use alnager_work::acting::{Acting, Flags, blob};

    let first = "2026-11-01T00:00:00Z";
    let segment = Segment {
        columns: vec!["case".to_owned(), "at".to_owned()],
        rows: vec![vec![Some("C-1".to_owned()), Some(first.to_owned())]],
        secret: [9; 32],
    };
    let mut stated = segment.stated().unwrap();
    stated.root = root.unwrap_or(stated.root);
    let records = alnager_probe::Records {
        columns: segment.columns,
        rows: segment.rows,
    };
    let secret = Hash([9; 32]).to_string();
    let rows = alnager_probe::write_segment(&records, &secret).unwrap();
    let new = NewSegment {
        system: "recidivism".to_owned(),
        stated,
        time: last.map(|last| Span {
            column: "at".to_owned(),
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
        }),
        rows: blob(ROWS, "application/vnd.apache.parquet", rows),
    };
    let folder = place.path(".alnager").display().to_string();
    let flags = Flags {
        desk: alnager_store::Place::parse(&folder, &Default::default()).unwrap(),
        actor: Some("Olga".to_owned()),
        ..Flags::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let acting = Acting::to_enter(&flags).unwrap();
        let mut desk = acting.desk().await.unwrap();
        let with = acting.context(&desk, None).unwrap();
        let command = Command::SealSegment(Box::new(new));
        acting.commit(&mut desk, &command, &with).await.unwrap();
        desk.close().await.unwrap();
    });
}

#[test]
fn rows_that_do_not_give_the_root_stated_are_found() {
    let place = place();
    enter_false(&place, Some(Hash::of(b"another")), None);
    let verified = place.run(&["desk", "verify"]);
    assert_eq!(verified.code, 1, "{}", verified.out);
    assert!(
        verified
            .out
            .starts_with("the desk is NOT whole: 1 problems\n")
            && verified
                .out
                .contains("are not those that it states: their root or their columns are others"),
        "{}",
        verified.out
    );
    let listed = told(&place, &["segment", "list"]);
    let entry = listed["segments"][0]["entry"].to_string();
    let ran = segment(&place, &["prove", &entry, "--row", "0", "-o", "p"]);
    assert_eq!(ran.code, 4, "{}", ran.out);
    assert!(!place.path("p").exists());
}

#[test]
fn a_time_stated_that_the_rows_do_not_give_is_found() {
    let place = place();
    enter_false(&place, None, Some("2026-11-30T00:00:00Z"));
    let verified = place.run(&["desk", "verify"]);
    assert_eq!(verified.code, 1, "{}", verified.out);
    assert!(
        verified
            .out
            .starts_with("the desk is NOT whole: 1 problems\n")
            && verified.out.contains(
                "they happened from 2026-11-01T00:00:00Z to 2026-11-01T00:00:00Z, and from 2026-11-01T00:00:00Z to 2026-11-30T00:00:00Z is stated"
            ),
        "{}",
        verified.out
    );
}
