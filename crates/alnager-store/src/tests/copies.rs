//! Forks, backups, restoring and moving.

use alnager_journal::merkle::{Hash, verify_consistency};
use alnager_office::event::Event;

use super::*;

impl World {
    /// A desk of `documents`, whose journal is then the older one of two.
    fn older_journal(&self, documents: u32) {
        self.closed(documents);
        self.put_back(|desk| {
            for n in 50..53 {
                self.commit(desk, id(), &self.evidence(n)).unwrap();
            }
        });
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What the journal and its head are.
fn standing(desk: &Desk) -> (u64, Hash, String) {
    let checkpoint = desk.checkpoint().checkpoint();
    (
        checkpoint.size(),
        checkpoint.root(),
        desk.origin().to_owned(),
    )
}

fn is_forked(refused: &Result<Receipt, CommitError>) -> bool {
    matches!(refused, Err(CommitError::Store(StoreError::Forked { .. })))
}

#[test]
fn an_older_journal_goes_on_under_a_new_origin() {
    let world = World::new();
    world.older_journal(1);
    let mut desk = world.open().unwrap();
    let (old_size, old_root, _) = standing(&desk);
    let old = desk.checkpoint().clone();
    assert!(is_forked(&world.commit(
        &mut desk,
        id(),
        &world.evidence(60)
    )));
    // It can be read.
    assert_eq!(desk.state().evidence.len(), 1);
    assert!(world.run(desk.payload(2)).unwrap().is_some());

    let command = id();
    let receipt = world.fork(&mut desk, command).unwrap();
    let (size, root, origin) = standing(&desk);
    assert_eq!(
        (origin.as_str(), size),
        ("example.org/alnager/2", old_size + 1)
    );
    assert_eq!(
        (receipt.origin.as_str(), receipt.first, receipt.end),
        (origin.as_str(), old_size, size)
    );
    let again = world.fork(&mut desk, command).unwrap();
    assert_eq!(
        (again.first, again.checkpoint, again.already),
        (receipt.first, receipt.checkpoint, true)
    );

    // The entry pins the last good checkpoint and what the guard had seen.
    let entry = world.run(desk.payload(old_size)).unwrap().unwrap();
    let Event::LogForked(forked) = Event::from_payload("log.forked", &entry.bytes).unwrap() else {
        panic!("another kind");
    };
    assert_eq!(
        (forked.origin.as_str(), forked.size, &forked.checkpoint),
        (ORIGIN, old_size, &old.to_string())
    );
    assert_eq!(forked.seen_size, old_size + 3);
    SignedCheckpoint::parse(forked.seen_checkpoint.as_bytes()).unwrap();
    assert_eq!(forked.reason, "a backup was put back");

    // What was signed under the old origin within the shared entries stays provable.
    let proof = world
        .run(desk.consistency_proof(old_size, size))
        .unwrap()
        .unwrap();
    verify_consistency(old_size, old_root, size, root, &proof).unwrap();

    world.commit(&mut desk, id(), &world.evidence(61)).unwrap();
    assert_eq!(desk.checkpoint().checkpoint().origin(), origin);
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
    assert!(report.checkpoints >= 4);
    // Nothing is forked any more.
    let mut desk = world.open().unwrap();
    let refused = world.fork(&mut desk, id());
    assert!(
        matches!(refused, Err(CommitError::Store(StoreError::NotForked))),
        "{refused:?}"
    );
}

#[test]
fn an_origin_that_was_used_is_refused_for_ever() {
    let world = World::new();
    world.older_journal(0);
    let mut desk = world.open().unwrap();
    let with = world.context(PEOPLE[0]);
    let fork = |desk: &mut Desk, origin| {
        world.run(desk.fork(&Fork {
            by: by(id(), &with),
            origin: Some(origin),
            reason: "lost",
        }))
    };
    let is_used = |refused: &Result<Receipt, CommitError>| {
        matches!(
            refused,
            Err(CommitError::Store(StoreError::OriginUsed { .. }))
        )
    };
    assert!(is_used(&fork(&mut desk, ORIGIN)));
    fork(&mut desk, "example.org/second").unwrap();
    world.run(desk.close()).unwrap();

    // A fork of a fork.
    world.put_back(|desk| drop(world.commit(desk, id(), &world.evidence(70)).unwrap()));
    let mut desk = world.open().unwrap();
    assert!(desk.forked().is_some());
    for origin in [ORIGIN, "example.org/second"] {
        assert!(is_used(&fork(&mut desk, origin)), "{origin}");
    }
    assert_eq!(
        world.fork(&mut desk, id()).unwrap().origin,
        "example.org/second/2"
    );
    assert_eq!(desk.state().log.forks.len(), 2);
    world.commit(&mut desk, id(), &world.evidence(71)).unwrap();
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

#[test]
fn a_backup_from_before_two_forks_takes_neither_name_again() {
    let world = World::new();
    world.closed(0);
    let first = fs::read(world.dir().join("journal.db")).unwrap();
    for n in 0..2 {
        world.put_back(|desk| drop(world.commit(desk, id(), &world.evidence(n)).unwrap()));
        let mut desk = world.open().unwrap();
        world.fork(&mut desk, id()).unwrap();
        assert_eq!(desk.origin(), format!("example.org/alnager/{}", n + 2));
        world.run(desk.close()).unwrap();
    }
    // The journal from before both: it knows of neither.
    fs::write(world.dir().join("journal.db"), first).unwrap();
    let mut desk = world.open().unwrap();
    assert_eq!(desk.origin(), ORIGIN);
    assert!(desk.forked().is_some());
    assert_eq!(
        world.fork(&mut desk, id()).unwrap().origin,
        "example.org/alnager/4"
    );
    world.run(desk.close()).unwrap();
    assert!(world.verify().is_sound());
}

#[test]
fn a_key_replaced_before_a_fork_is_dropped_after_it() {
    let world = World::new();
    let mut desk = world.desk(1);
    world.rotate_log_key(&mut desk, id()).unwrap();
    world.commit(&mut desk, id(), &world.evidence(30)).unwrap();
    world.run(desk.close()).unwrap();
    world.put_back(|desk| drop(world.commit(desk, id(), &world.evidence(31)).unwrap()));
    let mut desk = world.open().unwrap();
    world.fork(&mut desk, id()).unwrap();
    assert_eq!(desk.checkpoint().note().signatures().len(), 2);
    world.drop_log_key(&mut desk, id()).unwrap();
    world.commit(&mut desk, id(), &world.evidence(32)).unwrap();
    assert_eq!(desk.checkpoint().note().signatures().len(), 1);
    // And another one, so that both are known by older names.
    world.rotate_log_key(&mut desk, id()).unwrap();
    world.drop_log_key(&mut desk, id()).unwrap();
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
    assert!(world.open().is_ok());
}

#[test]
fn a_backup_is_the_journal_of_one_moment() {
    let world = World::new();
    world.closed(0);
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let copied = std::thread::scope(|scope| {
        let (place, is_done) = (world.place(), &is_done);
        scope.spawn(move || {
            let here = World::new();
            let mut desk = here.run(Desk::open(&place)).unwrap();
            let mut n = 0;
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                here.commit(&mut desk, id(), &here.evidence(n)).unwrap();
                n += 1;
            }
        });
        let copied: Vec<_> = (0..5)
            .map(|n| {
                let to = world.beside(&format!("backup-{n}"));
                (world.run(Desk::backup(&world.place(), &to, &|_, _| {})), to)
            })
            .collect();
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        copied
    });
    let keys = world.beside("keys");
    world.run(Desk::backup_keys(&world.place(), &keys)).unwrap();
    for (n, (copied, backup)) in copied.into_iter().enumerate() {
        let copied = copied.unwrap();
        let place = Place::from(world.beside(&format!("restored-{n}")));
        let restored = world
            .run(Desk::restore(&backup, Some(&keys), &place, &|_, _| {}))
            .unwrap();
        assert_eq!(restored, copied);
        let desk = world.run(Desk::open(&place)).unwrap();
        assert_eq!(
            (desk.size(), desk.log.edge.root()),
            (copied.size, copied.root)
        );
        assert_eq!(desk.state().size, copied.size);
        drop(desk);
        let report = world.run(Desk::verify(&place)).unwrap();
        let others: Vec<_> = report
            .problems
            .iter()
            .filter(|problem| !matches!(problem, crate::Problem::Forked { .. }))
            .collect();
        assert!(others.is_empty(), "{}", shown(&report));
        assert_eq!(report.contents.unwrap().blobs, copied.blobs);
    }
    // Nothing is written over.
    let again = world.run(Desk::backup_keys(&world.place(), &keys));
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    assert!(
        world
            .files()
            .iter()
            .all(|file| !file.contains("unfinished"))
    );
}

#[test]
fn a_restore_needs_keys_and_the_desk_to_itself() {
    let world = World::new();
    world.closed(1);
    let (backup, keys) = (world.beside("backup"), world.beside("keys"));
    let copied = world
        .run(Desk::backup(&world.place(), &backup, &|_, _| {}))
        .unwrap();
    world.run(Desk::backup_keys(&world.place(), &keys)).unwrap();
    for name in ["kek", "log.key", "keys.db"] {
        assert!(
            !backup.join(name).exists() && keys.join(name).exists(),
            "{name}"
        );
    }
    let restore = |keys: Option<&Path>, to: &Path| {
        world.run(Desk::restore(&backup, keys, &Place::from(to), &|_, _| {}))
    };
    let elsewhere = world.beside("elsewhere");
    assert!(matches!(
        restore(None, &elsewhere),
        Err(StoreError::KeysMissing { .. })
    ));
    assert_eq!(restore(Some(&keys), &elsewhere).unwrap(), copied);
    // A copy of what lay there stays beside it.
    let mut desk = world
        .run(Desk::open(&Place::from(elsewhere.as_path())))
        .unwrap();
    world.commit(&mut desk, id(), &world.evidence(1)).unwrap();
    let refused = restore(None, &elsewhere);
    assert!(
        matches!(refused, Err(StoreError::InUse { .. })),
        "{refused:?}"
    );
    world.run(desk.close()).unwrap();
    restore(None, &elsewhere).unwrap();
    assert!(elsewhere.join("before-restore-1/journal.db").exists());
    let mut desk = world
        .run(Desk::open(&Place::from(elsewhere.as_path())))
        .unwrap();
    assert!(desk.forked().is_some());
    let receipt = world.fork(&mut desk, id()).unwrap();
    assert_eq!(receipt.origin, "example.org/alnager/2");
    drop(desk);
    // Keys of another desk are not written over.
    let other = World::new();
    other.closed(0);
    let refused = other.run(Desk::restore(
        &backup,
        Some(&keys),
        &other.place(),
        &|_, _| {},
    ));
    assert!(
        matches!(refused, Err(StoreError::Exists { .. })),
        "{refused:?}"
    );
    assert!(other.verify().is_sound());
}

#[test]
fn whoever_was_erased_since_a_backup_stays_erased() {
    let world = World::new();
    world.closed(1);
    let (backup, keys) = (world.beside("backup"), world.beside("keys"));
    world
        .run(Desk::backup(&world.place(), &backup, &|_, _| {}))
        .unwrap();
    world.run(Desk::backup_keys(&world.place(), &keys)).unwrap();
    let mut desk = world.open().unwrap();
    let tomasz = world.person(&desk, PEOPLE[1]);
    world.erase(&mut desk, &tomasz, (id(), id())).unwrap();
    world.run(desk.close()).unwrap();
    // Even where the old keys are named: those that are there stay.
    world
        .run(Desk::restore(
            &backup,
            Some(&keys),
            &world.place(),
            &|_, _| {},
        ))
        .unwrap();
    let mut desk = world.open().unwrap();
    assert!(desk.forked().is_some() && desk.state().person(PEOPLE[1]).is_none());
    assert_eq!(world.run(desk.buried_people()).unwrap().len(), 1);
}

#[test]
fn a_moved_desk_is_the_same_and_is_only_read_where_it_was() {
    let world = World::new();
    let mut desk = world.desk(2);
    world.rotate_log_key(&mut desk, id()).unwrap();
    let before = standing(&desk);
    world.run(desk.close()).unwrap();
    let to = Place::from(world.beside("moved"));
    let copied = world
        .run(Desk::move_to(&world.place(), &to, &|_, _| {}))
        .unwrap();
    assert_eq!((copied.size, copied.root, copied.origin), before.clone());
    let report = world.run(Desk::verify(&to)).unwrap();
    assert_eq!(shown(&report), "");

    let mut old = world.open().unwrap();
    assert_eq!(standing(&old), before);
    let refused = world.commit(&mut old, id(), &world.evidence(8));
    assert!(
        matches!(refused, Err(CommitError::Store(StoreError::Moved))),
        "{refused:?}"
    );
    let refused = world.fork(&mut old, id());
    assert!(
        matches!(refused, Err(CommitError::Store(StoreError::Moved))),
        "{refused:?}"
    );
    drop(old);

    let mut new = world.run(Desk::open(&to)).unwrap();
    world.commit(&mut new, id(), &world.evidence(8)).unwrap();
    assert_eq!(new.size(), before.0 + 1);
    let again = world.run(Desk::move_to(&world.place(), &to, &|_, _| {}));
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
}
