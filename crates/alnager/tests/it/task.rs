//! Tasks: opened, listed by their day, done.

use serde_json::Value;

use crate::Place;

fn open<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [
        &[
            "task",
            "open",
            "--what",
            "Read the new rule",
            "--why",
            "the officer asked",
        ],
        more,
    ]
    .concat()
}

fn list(place: &Place, more: &[&str]) -> Vec<Value> {
    let ran = place.run(&[&["task", "list", "--format", "json"], more].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let listed: Value = serde_json::from_str(&ran.out).unwrap();
    listed["tasks"].as_array().unwrap().clone()
}

#[test]
fn a_task_is_opened_listed_and_done() {
    let place = Place::with("credit");
    place.review(&[]);
    let system = place.read("system/system.toml");
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("id = "))
        .unwrap()
        .trim_matches('"')
        .to_owned();
    let opened = place.run(&open(&[
        "--owner",
        "Ruth Ansorge",
        "--due",
        "2998-06-01",
        "--system",
        &system,
        "--requirement",
        "REGB-new",
    ]));
    assert_eq!(opened.code, 0, "{}", opened.err);
    assert!(
        opened
            .out
            .starts_with("T1 is opened for Ruth Ansorge, due 2998-06-01"),
        "{}",
        opened.out
    );
    place.run(&[
        "task",
        "open",
        "--what",
        "Sooner",
        "--why",
        "w",
        "--due",
        "2998-01-01",
        "--as",
        "Vera Novak",
    ]);

    let tasks = list(&place, &[]);
    let ids: Vec<&str> = tasks
        .iter()
        .map(|task| task["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["T2", "T1"], "the first due comes first");
    assert_eq!(tasks[0]["owner"], "Vera Novak");
    assert_eq!(tasks[1]["why"]["reason"], "the officer asked");
    assert_eq!(list(&place, &["--system", &system]).len(), 1);
    assert_eq!(list(&place, &["--owner", "vera novak"]).len(), 1);
    assert_eq!(list(&place, &["--owner", "nobody"]).len(), 0);
    assert_eq!(list(&place, &["--at", "2998-06-02"])[1]["overdue"], true);

    let done = place.run(&[
        "task",
        "done",
        "T1",
        "--note",
        "read; nothing to do",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(list(&place, &[]).len(), 1);
    let all = place.run(&["task", "list", "--all"]);
    assert!(
        all.out.contains("says Vera Novak: read; nothing to do"),
        "{}",
        all.out
    );
    let whole = place.run(&["desk", "verify"]);
    assert_eq!(whole.code, 0, "{}", whole.out);
}

#[test]
fn the_same_task_is_opened_once() {
    let place = Place::with("credit");
    place.review(&[]);
    place.run(&open(&["--due", "2998-06-01"]));
    let again = place.run(&open(&["--due", "2998-06-01"]));
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(
        again
            .out
            .starts_with("T1 is open already; nothing was entered"),
        "{}",
        again.out
    );
    assert_eq!(list(&place, &[]).len(), 1);
}

#[test]
fn what_is_wrong_with_a_task_is_said() {
    let place = Place::with("credit");
    place.review(&[]);
    for (more, want) in [
        (vec!["--due", "2020-01-01"], "a day that has passed"),
        (
            vec!["--due", "2998-06-01", "--system", "nope"],
            "the desk has no system `nope`",
        ),
        (vec!["--due", "soon"], "--due"),
        (vec![], "--due"),
        (
            vec!["--due", "2998-06-01", "--signal", "S1"],
            "cannot be used with",
        ),
    ] {
        let ran = place.run(&open(&more));
        assert_eq!(ran.code, 2, "{more:?}: {}", ran.out);
        assert!(ran.err.contains(want), "{more:?}: {}", ran.err);
    }
    let orphan = place.run(&[
        "task",
        "open",
        "--what",
        "w",
        "--signal",
        "S1",
        "--due",
        "2998-06-01",
    ]);
    assert!(
        orphan.err.contains("the desk has no signal `S1`"),
        "{}",
        orphan.err
    );
    let unknown = place.run(&["task", "done", "T9", "--note", "n"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("the desk has no task `T9`"),
        "{}",
        unknown.err
    );
    assert_eq!(list(&place, &[]).len(), 0);
}
