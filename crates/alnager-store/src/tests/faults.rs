//! A fault at every step of everything that writes: refused, its answer lost, torn; once, and as a crash.

use super::*;
use crate::Problem;
use crate::fault::Faults;
use crate::secret::Unlock;

/// What is done, and what it comes to.
struct Case<'a> {
    /// Makes the desk ready for it and leaves it closed.
    prepare: &'a dyn Fn(&World),
    /// Does it, always with the same idempotency keys.
    act: &'a dyn Fn(&World, &mut Desk) -> Result<(), CommitError>,
    /// Entries it makes.
    entries: u64,
    /// What opens the desk before and after.
    unlock: Unlock,
    /// Calls of the storage it needs at least.
    steps: u64,
}

/// Every way to fail: once, or as a crash after which nothing answers any more.
const WAYS: [(Fault, bool); 6] = [
    (Fault::Refused, false),
    (Fault::AnswerLost, true),
    (Fault::Torn, true),
    (Fault::Refused, true),
    (Fault::AnswerLost, false),
    (Fault::Torn, false),
];

/// The ways in which a step fails, round by round: in the long run every step in every way, else each step in the next one.
fn rounds() -> usize {
    if is_long() { WAYS.len() } else { 1 }
}

fn way(round: usize, step: u64) -> (Fault, bool) {
    WAYS[(round + usize::try_from(step).unwrap()) % WAYS.len()]
}

fn check(case: &Case<'_>) {
    let world = World::new();
    (case.prepare)(&world);
    let place = world.place().unlocked(case.unlock.clone());
    let open = |faults: Faults| world.run(Desk::open_with(&place, faults));
    let before = open(Faults::default()).unwrap().size();
    let whole = world.folder.path().join("whole");
    copy_dir(&world.dir(), &whole);
    for round in 0..rounds() {
        let mut step = 0;
        loop {
            let (fault, stays_down) = way(round, step);
            let at = format!("step {step}, {fault:?}, stays down: {stays_down}");
            fs::remove_dir_all(world.dir()).unwrap();
            copy_dir(&whole, &world.dir());

            let faults = Faults::default();
            let mut desk = open(faults.clone()).unwrap();
            faults.plan(step, fault, stays_down);
            let done = (case.act)(&world, &mut desk);
            let has_struck = faults.has_struck();
            drop(desk);
            faults.clear();

            let mut desk =
                open(Faults::default()).unwrap_or_else(|error| panic!("{at}: {error:?}"));
            let size = desk.size();
            assert!(
                (before..=before + case.entries).contains(&size),
                "{at}: {size}"
            );
            if done.is_ok() {
                assert_eq!(size, before + case.entries, "{at}");
            }
            let is_fork = desk.forked().is_some();
            let report = world.run(Desk::verify(&place)).unwrap();
            let expected = |problem: &Problem| is_fork && matches!(problem, Problem::Forked { .. });
            assert!(
                report.problems.iter().all(expected),
                "{at}: {}",
                shown(&report)
            );

            let again = (case.act)(&world, &mut desk);
            again.unwrap_or_else(|error| panic!("{at}, again: {error:?}"));
            assert_eq!(desk.size(), before + case.entries, "{at}");
            world.run(desk.close()).unwrap();
            let report = world.run(Desk::verify(&place)).unwrap();
            let is_orphan = |note: &crate::Note| matches!(note, crate::Note::Orphans { .. });
            assert!(
                report.is_sound() && report.notes.iter().all(is_orphan),
                "{at}, again: {}",
                shown(&report)
            );
            if !has_struck {
                done.unwrap_or_else(|error| panic!("{at}: {error:?}"));
                break;
            }
            step += 1;
        }
        assert!(step >= case.steps, "{step} steps");
    }
}

fn act<T>(done: Result<T, CommitError>) -> Result<(), CommitError> {
    done.map(drop)
}

#[test]
fn a_review() {
    let command = id();
    check(&Case {
        prepare: &|world| world.closed(0),
        act: &|world, desk| act(world.commit(desk, command, &world.review())),
        entries: 1,
        unlock: Unlock::Open,
        steps: 15,
    });
}

#[test]
fn a_command_by_someone_new() {
    let command = id();
    check(&Case {
        prepare: &|world| world.closed(1),
        act: &|world, desk| {
            let with = world.context(PEOPLE[2]);
            act(world.run(desk.commit(command, AT, &accept(), &with)))
        },
        entries: 2,
        unlock: Unlock::Open,
        steps: 15,
    });
}

#[test]
fn a_group_of_which_one_is_refused() {
    let ids = [(); 5].map(|()| id());
    check(&Case {
        prepare: &|world| world.closed(1),
        act: &|world, desk| {
            let (rita, ada) = (world.context(PEOPLE[0]), world.context(PEOPLE[2]));
            let unknown = Command::AcceptEvidence(EvidenceRuling {
                evidence: "E99".to_owned(),
                requirements: Vec::new(),
                reason: "read".to_owned(),
            });
            let commands = [
                world.evidence(10),
                world.evidence(11),
                unknown,
                world.evidence(12),
                accept(),
            ];
            let withs = [&rita, &rita, &rita, &rita, &ada];
            let orders: Vec<Order<'_>> = (0..5)
                .map(|n| order(ids[n], &commands[n], withs[n]))
                .collect();
            for (n, answer) in world.run(desk.enter_all(&orders)).into_iter().enumerate() {
                match answer {
                    Ok(_) => assert_ne!(n, 2),
                    Err(CommitError::Refused(_)) => assert_eq!(n, 2),
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        },
        entries: 5,
        unlock: Unlock::Open,
        steps: 15,
    });
}

#[test]
fn an_erasure() {
    let ids = (id(), id());
    check(&Case {
        prepare: &|world| {
            world.closed(1);
            let desk = world.open().unwrap();
            let tomasz = world.person(&desk, PEOPLE[1]);
            drop(world.with_account(&tomasz, "tomasz"));
        },
        act: &|world, desk| {
            let state = desk.state();
            let named = state
                .person_entries
                .iter()
                .find(|(id, _)| state.person(PEOPLE[0]) != Some(id.as_str()));
            let tomasz = named.unwrap().0.clone();
            world.erase(desk, &tomasz, ids)?;
            let accounts = world.run(crate::Accounts::open(&world.place()))?;
            assert_eq!(world.run(accounts.all()).unwrap(), []);
            Ok(())
        },
        entries: 2,
        unlock: Unlock::Open,
        steps: 45,
    });
}

#[test]
fn a_fork() {
    let command = id();
    check(&Case {
        prepare: &|world| {
            world.closed(1);
            world.put_back(|desk| drop(world.commit(desk, id(), &world.evidence(7)).unwrap()));
        },
        act: &|world, desk| act(world.fork(desk, command)),
        entries: 1,
        unlock: Unlock::Open,
        steps: 12,
    });
}

#[test]
fn a_new_key_of_the_log() {
    let command = id();
    check(&Case {
        prepare: &|world| world.closed(1),
        act: &|world, desk| {
            act(world.rotate_log_key(desk, command))?;
            assert_eq!(
                desk.checkpoint().note().signatures().len(),
                1,
                "the old key says so"
            );
            assert!(desk.signers.old().is_some() && world.dir().join("log.key.old").exists());
            Ok(())
        },
        entries: 1,
        unlock: Unlock::Open,
        steps: 25,
    });
}

#[test]
fn the_end_of_an_old_key_of_the_log() {
    let command = id();
    check(&Case {
        prepare: &|world| {
            let mut desk = world.desk(1);
            world.rotate_log_key(&mut desk, id()).unwrap();
            world.run(desk.close()).unwrap();
        },
        act: &|world, desk| {
            act(world.drop_log_key(desk, command))?;
            assert!(desk.signers.old().is_none() && !world.dir().join("log.key.old").exists());
            Ok(())
        },
        entries: 1,
        unlock: Unlock::Open,
        steps: 15,
    });
}

#[test]
fn a_new_key_encryption_key() {
    for unlock in [Unlock::Open, Unlock::Key([3; 32])] {
        check(&Case {
            prepare: &|world| {
                let mut desk = world.desk(1);
                world.run(desk.seal_secrets(unlock.clone())).unwrap();
                world.run(desk.close()).unwrap();
            },
            act: &|world, desk| Ok(world.run(desk.rotate_kek())?),
            entries: 0,
            unlock: unlock.clone(),
            steps: 20,
        });
    }
}

#[test]
fn sealing_the_secrets() {
    // A key that is not needed yet does no harm.
    check(&Case {
        prepare: &|world| world.closed(1),
        act: &|world, desk| {
            world.run(desk.seal_secrets(Unlock::Key([3; 32])))?;
            assert!(!world.dir().join("next").exists());
            assert!(
                fs::read(world.dir().join("kek"))
                    .unwrap()
                    .starts_with(b"alnager-kek/1\n")
            );
            Ok(())
        },
        entries: 0,
        unlock: Unlock::Key([3; 32]),
        steps: 12,
    });
}

#[test]
fn tiles_made_anew() {
    check(&Case {
        prepare: &|world| {
            let mut desk = world.desk(1);
            let with = world.context(PEOPLE[0]);
            let documents = 100..if is_long() { 360 } else { 104 };
            let commands: Vec<Command> = documents.map(|n| world.evidence(n)).collect();
            let orders: Vec<Order<'_>> = commands
                .iter()
                .map(|command| order(id(), command, &with))
                .collect();
            assert!(world.run(desk.enter_all(&orders)).iter().all(Result::is_ok));
            world.run(desk.write_snapshot()).unwrap();
            world.run(desk.close()).unwrap();
        },
        act: &|world, desk| {
            let rebuilt = world.run(desk.rebuild(&|_, _| {}))?;
            assert_eq!(
                (rebuilt.size, rebuilt.tiles),
                (desk.size(), desk.size() / 256)
            );
            assert_eq!(desk.snapshot_size, desk.size());
            Ok(())
        },
        entries: 0,
        unlock: Unlock::Open,
        steps: 10,
    });
}

/// A backup put into a place, interrupted at every step and repeated.
fn check_restore(with_keys: bool) {
    let world = World::new();
    world.closed(1);
    let (backup, keys) = (
        world.folder.path().join("backup"),
        world.folder.path().join("keys"),
    );
    let copied = world
        .run(Desk::backup(&world.place(), &backup, &|_, _| {}))
        .unwrap();
    world.run(Desk::backup_keys(&world.place(), &keys)).unwrap();
    let mut desk = world.open().unwrap();
    world.commit(&mut desk, id(), &world.evidence(8)).unwrap();
    world.run(desk.close()).unwrap();
    let whole = world.folder.path().join("whole");
    copy_dir(&world.dir(), &whole);
    for round in 0..rounds() {
        let mut step = 0;
        loop {
            let (fault, stays_down) = way(round, step);
            let at = format!("step {step}, {fault:?}, stays down: {stays_down}");
            fs::remove_dir_all(world.dir()).unwrap();
            if !with_keys {
                copy_dir(&whole, &world.dir());
            }
            let faults = Faults::default();
            let keys = with_keys.then_some(keys.as_path());
            faults.plan(step, fault, stays_down);
            let progress = &|_, _| {};
            let done = world.run(Desk::restore_with(
                &backup,
                keys,
                &world.place(),
                progress,
                &faults,
            ));
            let has_struck = faults.has_struck();
            faults.clear();
            if done.is_err() {
                let again = world.run(Desk::restore(&backup, keys, &world.place(), progress));
                again.unwrap_or_else(|error| panic!("{at}, again: {error:?}"));
            }
            let desk = world
                .open()
                .unwrap_or_else(|error| panic!("{at}: {error:?}"));
            assert_eq!(
                (desk.size(), desk.log.edge.root()),
                (copied.size, copied.root),
                "{at}"
            );
            assert_eq!(desk.forked().is_some(), !with_keys, "{at}");
            drop(desk);
            let report = world.verify();
            let expected =
                |problem: &Problem| !with_keys && matches!(problem, Problem::Forked { .. });
            assert!(
                report.problems.iter().all(expected),
                "{at}: {}",
                shown(&report)
            );
            if !has_struck {
                break;
            }
            step += 1;
        }
        assert!(step >= 15, "{step} steps");
    }
}

#[test]
fn a_restore_over_a_desk() {
    check_restore(false);
}

#[test]
fn a_restore_with_keys_where_nothing_was() {
    check_restore(true);
}

#[test]
fn half_a_blob_lies_under_its_unfinished_name() {
    let world = World::new();
    let mut desk = world.desk(0);
    let mut step = 0;
    let torn = loop {
        desk.faults.plan(step, Fault::Torn, true);
        let refused = world.commit(&mut desk, id(), &world.evidence(0));
        assert!(
            refused.is_err() && desk.faults.has_struck(),
            "no step writes the blob"
        );
        desk.faults.clear();
        let files = tree_of(&world.dir().join("blobs")).into_iter();
        let mut torn = files.filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("unfinished-")
        });
        if let Some(torn) = torn.next() {
            break torn;
        }
        step += 1;
    };
    let half = fs::metadata(&torn).unwrap().len();
    world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
    let sealed = fs::metadata(world.a_blob()).unwrap().len();
    assert!(half > 0 && half < sealed, "{half} of {sealed}");
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound() && shown(&report).contains("belong to no entry"));
}
