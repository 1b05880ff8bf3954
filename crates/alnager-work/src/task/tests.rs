//! Tasks by the thousand: one commit, whole after reopening.
#![allow(clippy::unwrap_used)]

use alnager_office::task::Why;

use super::*;

#[test]
fn thousands_of_tasks_are_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        desk: folder.path().join("desk").into(),
        actor: Some("Rita".to_owned()),
        ..Flags::default()
    };
    let n_tasks = 2_000;
    let due = "2999-01-01".parse().unwrap();
    let tasks: Vec<NewTask> = (0..n_tasks)
        .map(|at| NewTask {
            what: format!("Look at requirement {at}"),
            why: Why::Impact("x 1 to x 2".to_owned()),
            system: None,
            requirement: Some(format!("X-{at}")),
            owner: format!("Person {}", at % 40),
            due,
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        // A desk appears with its first entry.
        let acting = Acting::begin(&flags).unwrap();
        let mut desk = acting.desk_or_new().await.unwrap();
        let with = acting.context(&desk, None).unwrap();
        let first = Command::OpenTasks(vec![NewTask {
            what: "First".to_owned(),
            owner: "Rita".to_owned(),
            ..tasks[0].clone()
        }]);
        acting.commit(&mut desk, &first, &with).await.unwrap();
        desk.close().await.unwrap();

        let entered = open(&flags, tasks.clone()).await.unwrap();
        assert_eq!(entered.receipt.end - entered.receipt.first, n_tasks + 40);
        let again = open(&flags, tasks).await.unwrap();
        assert_eq!(again.receipt.end, entered.receipt.end);
        let read = list(&flags).await.unwrap();
        assert_eq!(read.state.tasks.len() as u64, n_tasks + 1);
        assert_eq!(read.state, *entered.state);
    });
}
