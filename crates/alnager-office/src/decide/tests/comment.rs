//! Comments: on what exists, in words, in order.

use super::*;
use crate::comment::About;
use crate::task::{NewTask, Why};

fn comment(world: &mut World, about: &About, text: &str) -> String {
    let command = Command::Comment {
        about: about.clone(),
        text: text.to_owned(),
    };
    match world.act("Vera", &command) {
        Ok(decided) => {
            let made = decided.last().unwrap();
            let diary = world.state.diary.iter();
            let is_diary = diary
                .into_iter()
                .any(|diary| made.subjects == [diary.clone()]);
            let Event::CommentMade(comment) = &made.event else {
                panic!("no comment")
            };
            let place = if is_diary { "diary" } else { "system" };
            format!("{} in the {place}", comment.comment)
        }
        Err(refused) => refused.to_string(),
    }
}

fn requirement(system: Option<&str>, requirement: &str) -> About {
    About::Requirement {
        system: system.map(str::to_owned),
        requirement: requirement.to_owned(),
    }
}

#[test]
fn comments_are_kept_with_what_they_are_about() {
    let mut world = World::new();
    let given = evidence("dpia", "X-before", "2027-01-01");
    world.review(PLAIN, &given, "2026-11-23");
    let task = NewTask {
        what: "w".to_owned(),
        why: Why::Reason("r".to_owned()),
        system: None,
        requirement: None,
        owner: "Tom".to_owned(),
        due: "2026-12-01".parse().unwrap(),
    };
    world.act("Rita", &Command::OpenTasks(vec![task])).unwrap();
    let system = About::System("sys".to_owned());
    let all = [
        system.clone(),
        requirement(Some("sys"), "X-before"),
        requirement(None, "X-before"),
        About::Evidence("E1".to_owned()),
        About::Task("T1".to_owned()),
        system.clone(),
    ];
    let made: Vec<String> = all
        .iter()
        .map(|about| comment(&mut world, about, " t "))
        .collect();
    expect![[r#"
        C1 in the system
        C2 in the system
        C3 in the diary
        C4 in the system
        C5 in the diary
        C6 in the system"#]]
    .assert_eq(&made.join("\n"));
    let on = world.state.comments_on(&system);
    let on: Vec<&str> = on.iter().map(|one| one.made.comment.as_str()).collect();
    assert_eq!(on, ["C1", "C6"]);
    assert_eq!(world.state.comments["C1"].made.text, "t");
}

#[test]
fn a_comment_is_on_something_and_says_something() {
    let mut world = World::new();
    world.review(PLAIN, "", "2026-11-23");
    let mut said = |about: About, text: &str| comment(&mut world, &about, text);
    let system = || About::System("sys".to_owned());
    let unfit = "a comment has 1 to 10,000 characters";
    assert_eq!(said(system(), " \n"), unfit);
    assert_eq!(said(system(), &"é".repeat(10_001)), unfit);
    assert_eq!(said(system(), &"é".repeat(10_000)), "C1 in the system");
    check(
        &said(requirement(Some("sys"), "X-befor"), "t"),
        expect!["there is no requirement `X-befor` in the packs in use; did you mean `X-before`?"],
    );
    check(
        &said(About::Evidence("E1".to_owned()), "t"),
        expect!["the desk has no evidence `E1`; none was submitted yet (`alnager evidence add`)"],
    );
    check(
        &said(About::Task("T1".to_owned()), "t"),
        expect!["the desk has no task `T1`; no task was opened yet (`alnager task open`)"],
    );
    check(
        &said(About::System("sis".to_owned()), "t"),
        expect!["the desk has no system `sis`; did you mean `sys`?"],
    );
}
