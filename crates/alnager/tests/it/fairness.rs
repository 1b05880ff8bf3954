//! `audit fairness`: what is asked in vain is said, and what is refused has a way on.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{Place, Ran};

/// 60 rows of two groups, three kinds and both outcomes.
fn rows() -> String {
    let mut text = "g,kind,y,d\n".to_owned();
    for at in 0..60 {
        let kind = ["loan", "card", "lease"][at % 3];
        let _ = writeln!(
            text,
            "{},{kind},{},{}",
            ["a", "b"][at % 2],
            at % 5 / 2 % 2,
            at % 7 / 3 % 2
        );
    }
    text
}

fn run(data: &str, flags: &[&str]) -> Ran {
    let place = Place::new();
    place.write("data.csv", data);
    let fixed = [
        "audit",
        "fairness",
        "data.csv",
        "--favorable",
        "1",
        "--attr",
        "g",
    ];
    place.run(&[&fixed, flags].concat())
}

#[track_caller]
fn found(data: &str, flags: &[&str]) -> Value {
    let ran = run(data, &[flags, &["--format", "json"]].concat());
    assert!(
        [0, 1, 3].contains(&ran.code),
        "exit {}: {}",
        ran.code,
        ran.err
    );
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn refused(data: &str, flags: &[&str], words: &[&str]) {
    let ran = run(data, flags);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    for word in words {
        assert!(ran.err.contains(word), "`{word}` is not in: {}", ran.err);
    }
}

fn sentences(found: &Value, member: &str) -> String {
    let list = found[member].as_array().unwrap().iter();
    list.filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_attribute_is_no_stratum_and_no_period() {
    for flag in ["--strata", "--period"] {
        refused(
            &rows(),
            &["--decision", "d", flag, "g"],
            &[flag, "`g` is an attribute too", "leave `g` out of --attr"],
        );
    }
    let within = found(
        &rows(),
        &["--decision", "d", "--strata", "kind", "--ref", "g=a"],
    );
    assert_eq!(
        within["attrs"]["g"]["vs_reference"]["b"]["stratified"]["n_strata"],
        3
    );
}

#[test]
fn a_condition_that_asks_in_vain_says_so_and_what_is_near() {
    let warned = |condition: &str| {
        let found = found(&rows(), &["--decision", "d", "--where", condition]);
        sentences(&found, "warnings")
    };
    let both = warned("kind == 'loan' || kind == 'leese'");
    assert!(
        both.contains(
            "the condition asks column `kind` for `leese`, which it never holds; did you mean `lease`? the values are `card`, `lease`, `loan`"
        ),
        "{both}"
    );
    let not = warned("kind != 'Card'");
    assert!(
        not.contains("for `Card`, which it never holds; did you mean `card`?"),
        "{not}"
    );
    assert_eq!(warned("kind == 'loan' || kind != 'card'"), "");
    assert_eq!(warned("d == '1' || y >= 1"), "");
    refused(
        &rows(),
        &["--decision", "d", "--where", "kind == 'laon'"],
        &[
            "no row meets the condition",
            "for `laon`, which it never holds; did you mean `loan`?",
        ],
    );
}

#[test]
fn an_odd_outcome_is_named_with_its_row_and_the_ways_on() {
    let data = format!("{}b,loan,2,1\n", rows());
    let labelled = ["--decision", "d", "--label", "y"];
    refused(
        &data,
        &labelled,
        &[
            "line 62, column `y`",
            "`2` is a third value, after `0` and `1`",
            "--unknown '2'",
            "--where \"COLUMN != '2'\"",
        ],
    );
    let unknown = found(&data, &[&labelled[..], &["--unknown", "2"]].concat());
    assert_eq!(unknown["rows_counted"], 61);
    assert!(sentences(&unknown, "cautions").contains("1 rows have no known outcome"));
    let without = found(&data, &[&labelled[..], &["--where", "y != '2'"]].concat());
    assert_eq!(without["rows_counted"], 60);
    // The odd one is named, also where it is not the last of the three.
    refused(
        &format!(
            "g,kind,y,d\na,loan,?,1\n{}",
            rows().trim_start_matches("g,kind,y,d\n")
        ),
        &labelled,
        &["if `?` means unknown"],
    );
}

/// Two groups, scores from 0 to 9; decision 1 on one side of a cut.
fn scored(decide: impl Fn(&str, u32) -> bool) -> String {
    let mut text = "g,s,d\n".to_owned();
    for at in 0..200 {
        let (group, score) = (["a", "b"][at % 2], at as u32 / 2 % 10);
        let _ = writeln!(text, "{group},{score},{}", u8::from(decide(group, score)));
    }
    text
}

#[test]
fn thresholds_by_group_are_seen_whichever_way_the_score_runs() {
    let cut = |group: &str| if group == "a" { 5 } else { 7 };
    let cautions = |data: &str| {
        sentences(
            &found(data, &["--decision", "d", "--score", "s"]),
            "cautions",
        )
    };
    let rising = cautions(&scored(|group, score| score >= cut(group)));
    assert!(
        rising.contains("(b has decision 0 at a score of 6, a has decision 1 from 5 on)"),
        "{rising}"
    );
    let falling = cautions(&scored(|group, score| score < cut(group)));
    assert!(
        falling.contains("(b has decision 1 at a score of 6, a has decision 0 from 5 on)"),
        "{falling}"
    );
    let theirs = "threshold of their own";
    assert!(!cautions(&scored(|_, score| score >= 5)).contains(theirs));
    assert!(!cautions(&scored(|_, score| score < 5)).contains(theirs));
    // Decisions that no threshold parts follow none.
    assert!(
        !cautions(&scored(|group, score| score % 4 < 2 || score == cut(group))).contains(theirs)
    );
}
