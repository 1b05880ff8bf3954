#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const DECLARED: &str = r#"
[[audit]]
name = "by-age"
data = "data.csv"
label = { column = "repaid", positive = "1" }
decision = { column = "score", at_least = 0.5, favourable = "at_least" }
score = { column = "score", cuts = [0.5] }

[[audit.attribute]]
column = "age"
characteristic = "age"
"#;

fn audit() -> Audit {
    let node = alnager_law::read::read("system.toml", DECLARED).unwrap();
    node.each("audit", Audit::read).unwrap().swap_remove(0)
}

fn measures(counts: &str, scores: &str) -> Measures {
    Measures {
        audit: "by-age".to_owned(),
        data: DataStamp {
            name: "data.csv".to_owned(),
            sha256: "00".repeat(32),
            n_bytes: 100,
            n_rows: 30,
            files: Vec::new(),
            left_out: LeftOut::default(),
            model: None,
        },
        table: CountTable::from_csv(counts).unwrap(),
        scores: Some(ScoreTable::from_csv(scores).unwrap()),
        samples: None,
        ranges: DecisionRanges::new(),
        persons: None,
    }
}

const COUNTS: &str = "age,label,decision,n\nold,0,0,10\nold,1,1,20\n";
const SCORES: &str = "# cuts 0.5\nage,label,level,n\nold,0,0,10\nold,1,1,20\n";

#[test]
fn what_was_measured_fits() {
    assert_eq!(measures(COUNTS, SCORES).fit(&audit()), Ok(()));
}

#[test]
fn what_somebody_else_measured_is_told_apart() {
    let check = |change: fn(&mut Measures), want: &str| {
        let mut changed = measures(COUNTS, SCORES);
        change(&mut changed);
        let found = changed.fit(&audit()).unwrap_err();
        assert!(found.contains(want), "{found}");
    };
    check(|it| it.audit = "by-sex".to_owned(), "another audit");
    check(|it| it.data.name = "other.csv".to_owned(), "other data");
    check(|it| it.data.n_rows = 31, "another number of rows");
    check(
        |it| it.data.left_out.n_unmet = u64::MAX,
        "another number of rows",
    );
    check(
        |it| it.table.columns = vec!["sex".to_owned()],
        "other columns",
    );
    check(|it| it.scores = None, "counts by score are missing");
    check(
        |it| {
            it.scores =
                ScoreTable::from_csv("# cuts 0.5\nage,label,level,n\nold,0,0,20\nold,1,1,10\n")
                    .ok();
        },
        "other rows",
    );
}

#[test]
fn counts_beyond_all_rows_are_refused() {
    let n = 1_u64 << 53;
    let text = format!("age,label,decision,n\nold,0,0,{n}\nold,1,1,1\n");
    let error = CountTable::from_csv(&text).unwrap_err();
    assert!(error.problem.contains("add up"), "{}", error.problem);
}
