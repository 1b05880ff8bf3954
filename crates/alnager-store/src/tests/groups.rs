//! Groups of orders and the queue before them: one entry for each command, in order, whoever asks how often.

use super::*;
use crate::writer::{Standing, Submission, Writer};

impl World {
    pub(super) fn standing(&self) -> Arc<Standing> {
        let with = self.context(PEOPLE[0]);
        Arc::new(Standing {
            book: self.book.clone(),
            policy: self.policy.clone(),
            stamp: with.stamp.clone(),
            texts: with.texts.clone(),
        })
    }
}

fn submission(standing: &Arc<Standing>, id: Uuid, command: &Command) -> Submission {
    Submission {
        id,
        at: AT.to_owned(),
        command: command.clone(),
        standing: Arc::clone(standing),
        actor: PEOPLE[0].to_owned(),
        today: "2026-11-23".parse().unwrap(),
        ids: (0..20).map(|_| super::id()).collect(),
        expected: None,
    }
}

/// A receipt without what differs between the first answer and the others.
fn same(receipt: &Receipt) -> Receipt {
    Receipt {
        already: false,
        ..receipt.clone()
    }
}

#[test]
fn a_hundred_copies_in_one_group_are_one_entry() {
    let world = World::new();
    let mut desk = world.desk(0);
    let (before, command, with) = (desk.size(), world.evidence(0), world.context(PEOPLE[0]));
    let one = id();
    let orders = vec![order(one, &command, &with); 100];
    let answers = world.run(desk.enter_all(&orders));
    let receipts: Vec<Receipt> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(desk.size(), before + 1);
    assert!(
        receipts
            .iter()
            .all(|receipt| same(receipt) == same(&receipts[0]))
    );
    assert_eq!(
        receipts.iter().filter(|receipt| receipt.already).count(),
        99
    );
}

#[test]
fn a_hundred_copies_from_eight_threads_are_one_entry() {
    let world = World::new();
    let desk = world.desk(0);
    let (before, standing, command) = (desk.size(), world.standing(), world.evidence(0));
    let writer = Writer::start(desk).unwrap();
    let one = id();
    let receipts: Vec<Receipt> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (writer, standing, command) = (writer.clone(), &standing, &command);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .build()
                        .unwrap();
                    let n = if thread < 4 { 13 } else { 12 };
                    let submit =
                        |_| runtime.block_on(writer.submit(submission(standing, one, command)));
                    (0..n).map(|n| submit(n).unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(receipts.len(), 100);
    assert!(
        receipts
            .iter()
            .all(|receipt| same(receipt) == same(&receipts[0]))
    );
    assert_eq!(
        receipts.iter().filter(|receipt| !receipt.already).count(),
        1
    );
    assert_eq!(writer.state().size, before + 1);
    drop(writer);
    assert!(world.verify().is_sound());
}

#[test]
fn orders_decided_on_the_same_journal_conflict_within_a_group() {
    let world = World::new();
    let mut desk = world.desk(0);
    let (before, with) = (desk.size(), world.context(PEOPLE[0]));
    let commands = [world.evidence(0), world.evidence(1), world.evidence(2)];
    let expecting = |n: usize, expected| Order {
        expected: Some(expected),
        ..order(id(), &commands[n], &with)
    };
    let orders = [
        expecting(0, before),
        expecting(1, before),
        expecting(2, before + 1),
    ];
    let answers = world.run(desk.enter_all(&orders));
    assert_eq!(answers[0].as_ref().unwrap().first, before);
    match &answers[1] {
        Err(CommitError::Conflict { expected, found }) => {
            assert_eq!((*expected, *found), (before, before + 1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(answers[2].as_ref().unwrap().first, before + 1);
    assert_eq!(desk.size(), before + 2);
}

#[test]
fn an_empty_group_is_answered_with_nothing() {
    let world = World::new();
    let mut desk = world.desk(0);
    let before = desk.size();
    assert!(world.run(desk.enter_all(&[])).is_empty());
    assert_eq!(desk.size(), before);
}

#[test]
fn eight_submitters_lose_nothing_and_keep_their_order() {
    const SUBMITTERS: u32 = 8;
    let each = if is_long() { 500 } else { 100 };
    let world = World::new();
    let desk = world.desk(0);
    let (before, standing) = (desk.size(), world.standing());
    let writer = Writer::start(desk).unwrap();
    std::thread::scope(|scope| {
        for submitter in 0..SUBMITTERS {
            let (writer, standing, declaration) = (writer.clone(), &standing, world.declaration());
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                // All of them wait at once, handed over in order.
                runtime.block_on(async {
                    let mut waiting = Vec::new();
                    for n in 0..each {
                        let command = evidence_of(&declaration, submitter * each + n);
                        let mut told =
                            Box::pin(writer.submit(submission(standing, id(), &command)));
                        // Handed over by its first poll; the queue has room for all.
                        std::future::poll_fn(|context| {
                            let _ = told.as_mut().poll(context);
                            std::task::Poll::Ready(())
                        })
                        .await;
                        waiting.push(told);
                        // Otherwise the runtime lets nothing more be handed over after a while.
                        tokio::task::yield_now().await;
                    }
                    // Nobody waits for the answers.
                    drop(waiting);
                });
            });
        }
    });
    let all = before + u64::from(SUBMITTERS * each);
    let state = world.run(writer.state_from(all)).unwrap();
    drop(writer);
    let mut last = [None; SUBMITTERS as usize];
    let mut evidence: Vec<_> = state.evidence.values().collect();
    evidence.sort_by_key(|evidence| evidence.submitted_at);
    for evidence in &evidence {
        let digits = evidence
            .submitted
            .file
            .trim_start_matches("minutes-")
            .trim_end_matches(".md");
        let n: u32 = digits.parse().unwrap();
        let last = &mut last[(n / each) as usize];
        assert!(last.is_none_or(|last| last < n), "{n} after {last:?}");
        *last = Some(n);
    }
    assert_eq!((evidence.len() as u64, state.size), (all - before, all));
    let report = world.verify();
    assert!(
        report.is_sound() && report.size == all,
        "{}",
        shown(&report)
    );
}

fn evidence_of(declaration: &Declaration, n: u32) -> Command {
    let mut declared = declaration.evidence[0].clone();
    declared.file = format!("minutes-{n}.md");
    Command::AddEvidence {
        system: "sys".to_owned(),
        offered: OfferedEvidence {
            declared,
            sha256: format!("{n:064x}"),
            bytes: document(n),
            note: None,
        },
    }
}
