//! Tasks: opened all or none, once, by name or id; done once.

use super::*;
use crate::task::{NewTask, Why};

/// A task from `what; owner; due[; system]`.
fn task(text: &str) -> NewTask {
    let mut parts = text.split("; ");
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (what, owner, due, system) = (next(), next(), next(), next());
    NewTask {
        what,
        why: Why::Impact("x 1 to x 2".to_owned()),
        system: (!system.is_empty()).then_some(system),
        requirement: Some("X-new".to_owned()),
        owner,
        due: due.parse().unwrap(),
    }
}

/// The kinds of the entries that opening these tasks makes, or why it is refused.
fn opened(world: &mut World, tasks: &[&str]) -> String {
    let tasks = tasks.iter().map(|text| task(text)).collect();
    match world.act("Rita", &Command::OpenTasks(tasks)) {
        Ok(decided) => {
            let words = decided.iter().map(|one| match &one.event {
                Event::TaskOpened(opened) => {
                    format!("{} of {}", opened.task, world.state.name(&opened.owner))
                }
                other => other.kind().to_owned(),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        Err(refused) => refused.to_string(),
    }
}

fn done(world: &mut World, task: &str, note: &str) -> String {
    let (task, note) = (task.to_owned(), note.to_owned());
    match world.act("Tom", &Command::FinishTask { task, note }) {
        Ok(_) => "done".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn tasks_are_opened_together_and_people_are_named_once() {
    let mut world = World::new();
    expect!["person.named, person.named, T1 of Tom, T2 of Rita, T3 of Tom"].assert_eq(&opened(
        &mut world,
        &[
            "a; Tom; 2026-12-01",
            "b; rita; 2026-12-01",
            "c; Tom; 2026-12-01",
        ],
    ));
}

#[test]
fn an_owner_may_be_given_as_the_id_of_a_person() {
    let mut world = World::new();
    opened(&mut world, &["a; Tom; 2026-12-01"]);
    let id = world.state.person("Tom").unwrap().to_owned();
    expect!["T2 of Tom"].assert_eq(&opened(&mut world, &[&format!("b; {id}; 2026-12-01")]));
}

#[test]
fn what_is_open_is_not_opened_again_and_what_is_done_may_be() {
    let mut world = World::new();
    opened(&mut world, &["a; Tom; 2026-12-01"]);
    assert_eq!(
        opened(&mut world, &["a; Rita; 2027-01-01", "a; Tom; 2026-12-01"]),
        ""
    );
    assert_eq!(done(&mut world, "T1", "read"), "done");
    expect!["T2 of Tom"].assert_eq(&opened(&mut world, &["a; Tom; 2026-12-01"]));
}

#[test]
fn one_refused_task_refuses_them_all() {
    let mut world = World::new();
    for (bad, want) in [
        (
            "b; Tom; 2026-11-22",
            expect![
                "the task `b` is due on 2026-11-22, a day that has passed; name today or a later day with --due"
            ],
        ),
        (
            "b; Tom; 2026-12-01; other",
            expect!["the desk has no system `other`; review one first (`alnager review DIR`)"],
        ),
        (
            " ; Tom; 2026-12-01",
            expect!["a task says what is to be done; give it with --what"],
        ),
        (
            "b; ; 2026-12-01",
            expect!["a task says who must do it; give it with --owner"],
        ),
    ] {
        want.assert_eq(&opened(&mut world, &["a; Tom; 2026-12-01", bad]));
        assert!(world.state.tasks.is_empty());
    }
    let mut orphan = task("a; Tom; 2026-12-01");
    orphan.why = Why::Signal("S1".to_owned());
    let refused = world
        .act("Rita", &Command::OpenTasks(vec![orphan]))
        .unwrap_err();
    expect!["the desk has no signal `S1`; no signal was raised yet (`alnager law watch`)"]
        .assert_eq(&refused.to_string());
}

#[test]
fn a_task_about_a_system_is_about_its_subject() {
    let mut world = World::new();
    world.review("decides=true narrow=false bans=false", "", "2026-11-23");
    let decided = world
        .act(
            "Rita",
            &Command::OpenTasks(vec![task("a; Tom; 2026-12-01; sys")]),
        )
        .unwrap();
    assert_eq!(
        decided[0].subjects,
        [world.state.systems["sys"].subject.clone()]
    );
}

#[test]
fn a_task_is_done_once_with_a_note() {
    let mut world = World::new();
    expect!["the desk has no task `T1`; no task was opened yet (`alnager task open`)"]
        .assert_eq(&done(&mut world, "T1", "read"));
    opened(&mut world, &["a; Tom; 2026-12-01"]);
    expect!["a decision needs its reason; give one with --note"]
        .assert_eq(&done(&mut world, "T1", ""));
    assert_eq!(done(&mut world, "T1", "read"), "done");
    expect!["`T1` was done on 2026-11-23; open another task if there is more to do"]
        .assert_eq(&done(&mut world, "T1", "read"));
    let task = &world.state.tasks["T1"];
    assert!(!task.is_overdue("2027-01-01".parse().unwrap()));
    assert_eq!(world.state.name(&task.done.as_ref().unwrap().by), "Tom");
}

#[test]
fn an_open_task_is_overdue_the_day_after_its_last() {
    let mut world = World::new();
    opened(&mut world, &["a; Tom; 2026-12-01"]);
    let overdue = |day: &str| world.state.tasks["T1"].is_overdue(day.parse().unwrap());
    assert_eq!(
        (overdue("2026-12-01"), overdue("2026-12-02")),
        (false, true)
    );
}

#[test]
fn the_payloads_read_back() {
    let mut world = World::new();
    let tasks = Command::OpenTasks(vec![task("a; Tom; 2026-12-01")]);
    let mut all = world.act("Rita", &tasks).unwrap();
    let finish = Command::FinishTask {
        task: "T1".to_owned(),
        note: "n".to_owned(),
    };
    all.extend(world.act("Rita", &finish).unwrap());
    for one in all {
        let payload = one.event.to_payload().unwrap();
        assert_eq!(
            Event::from_payload(one.event.kind(), &payload).unwrap(),
            one.event
        );
    }
}
